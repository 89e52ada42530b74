//! Signing out (OpenID Connect RP-Initiated Logout 1.0).

use serde::Serialize;

use super::{Hidden, page};

/// Asks whether to sign out. Posts `decision` (`sign-out` or `stay`), `interaction` if there is one, and `csrf`.
#[derive(Debug, Clone, Serialize)]
pub struct SignOut {
    /// Name of the application that asks, if one does.
    pub application: Option<String>,
    /// Names the logout request that waits.
    pub interaction: Option<Hidden>,
    /// Anti-forgery token.
    pub csrf: Hidden,
    /// Where the form is posted.
    pub action: String,
}

/// Says that the browser's session has ended.
#[derive(Debug, Clone, Serialize)]
pub struct SignedOut {
    /// Name of the application that the person came from.
    pub application: Option<String>,
    /// Where that application wants them back (`post_logout_redirect_uri`, verified).
    pub return_to: Option<String>,
    /// Link to sign in again.
    pub sign_in: Option<String>,
}

page!(SignOut, "sign-out.html");
page!(SignedOut, "signed-out.html");
