//! The consent page (RFC 6749 3.1, 10.2; OpenID Connect Core 3.1.2.4).

use serde::Serialize;

use super::{Account, Application, Hidden, page};

/// Asks what an application may do. Posts `decision` (`allow` or `deny`), one `scope` for each that is ticked or
/// required, `interaction` and `csrf`.
#[derive(Debug, Clone, Serialize)]
pub struct Consent {
    /// Who asks.
    pub application: Application,
    /// The host that the browser is sent back to, whatever the decision; none when a device waits for it.
    pub redirect_host: Option<String>,
    /// What the device shows that waits for the decision (RFC 8628 5.4).
    pub user_code: Option<String>,
    /// The host that describes the application, when it is known by that alone and nobody here declared it.
    pub document_host: Option<String>,
    /// Any program on the person's computer could say that it is this application.
    pub local_only: bool,
    /// Who is asked.
    pub user: Account,
    /// Link of "Not you?".
    pub switch_account: Option<String>,
    /// What is asked for, by API.
    pub groups: Vec<ConsentGroup>,
    /// How long the access lasts.
    pub lifetime: Lifetime,
    /// Names the authorization request that waits.
    pub interaction: Hidden,
    /// Anti-forgery token.
    pub csrf: Hidden,
    /// Where the form is posted.
    pub action: String,
}

/// The scopes of one API.
#[derive(Debug, Clone, Serialize)]
pub struct ConsentGroup {
    /// The API's display name.
    pub api_name: String,
    /// The API's identifier; empty for the scopes of the server itself, such as `openid`.
    pub audience: String,
    /// What is asked for.
    pub scopes: Vec<ConsentScope>,
    /// What is asked for that a scope is too coarse to say (RFC 9396).
    pub details: Vec<ConsentDetail>,
}

/// One authorization detail; posts `detail`.
#[derive(Debug, Clone, Serialize)]
pub struct ConsentDetail {
    /// The value that is posted: it names this detail and no other.
    pub id: String,
    /// What it means to the person, in their language, with what the application filled in.
    pub text: String,
    /// Its type.
    pub kind: String,
}

/// One scope.
#[derive(Debug, Clone, Serialize)]
pub struct ConsentScope {
    /// The value that is posted.
    pub name: String,
    /// What it means to the person, in their language; empty if nobody wrote it, then the name is shown.
    pub text: String,
    /// The person allowed it before.
    pub already_granted: bool,
    /// Ticked at first.
    pub checked: bool,
    /// Cannot be unticked.
    pub required: bool,
}

/// How long what is allowed lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Lifetime {
    /// One access token and no refresh token.
    Once {
        /// Until the token expires.
        seconds: u64,
    },
    /// Kept while the person is away (`offline_access`), but not for ever.
    Limited {
        /// Until the grant expires.
        seconds: u64,
    },
    /// Kept while the person is away, until they or an administrator revoke it.
    UntilRevoked,
}

page!(Consent, "consent.html");
