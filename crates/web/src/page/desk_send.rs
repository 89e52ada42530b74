//! The token desk sends a saved request: what was sent, and what came of it.

use serde::Serialize;

use super::{Hidden, page};

/// A request that was sent, or why it was not.
#[derive(Debug, Clone, Serialize)]
pub struct DeskSent {
    /// What people call it.
    pub name: String,
    /// The request, with dots in the place of secrets; none when it could not be put together.
    pub request: Option<SentRequest>,
    /// What came back.
    pub answer: Option<SentAnswer>,
    /// Why nothing did.
    pub problem: Option<SentProblem>,
    /// What the problem is about: an origin, names, a code.
    pub about: String,
    /// What sends it again.
    pub again: Option<SentAgain>,
    /// Anti-forgery token.
    pub csrf: Hidden,
    /// Where the form posts to.
    pub action: String,
    /// Link back to the collection.
    pub back: String,
}

/// A request as it went out.
#[derive(Debug, Clone, Serialize)]
pub struct SentRequest {
    /// Its method.
    pub method: String,
    /// Its URL.
    pub url: String,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body, line by line.
    pub body: Vec<String>,
}

/// An answer.
#[derive(Debug, Clone, Serialize)]
pub struct SentAnswer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body, line by line.
    pub body: Vec<String>,
    /// Milliseconds that this server took.
    pub own: u64,
    /// Milliseconds that the other one took.
    pub other: u64,
}

/// What a form posts to send a request once more.
#[derive(Debug, Clone, Serialize)]
pub struct SentAgain {
    /// The workspace.
    pub workspace: String,
    /// The collection.
    pub item: String,
    /// Where the request stands in it.
    pub at: String,
    /// The environment; empty for none.
    pub environment: String,
    /// Which token goes along.
    pub token: String,
}

/// Why nothing was sent, or nothing came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SentProblem {
    /// The administrator did not list this origin.
    Unlisted,
    /// The origin could not be reached, or its answer was too slow, too large or compressed.
    Unreachable,
    /// So many requests in an hour.
    TooMany,
    /// The server has too much to do.
    Busy,
    /// A method or a header that is not passed on.
    NotPassedOn,
    /// Not a URL that can be asked.
    Url,
    /// There are no such variables.
    UnknownVariables,
    /// These secrets have no value.
    UnsetSecrets,
    /// What is filled in is too long, too deep, or has several lines where there is one.
    Unfillable,
    /// This grant type needs something else than the desk.
    GrantType,
    /// This client authentication needs a key or a certificate.
    ClientAuthentication,
    /// There is no client secret.
    NoSecret,
    /// There is no client.
    NoClient,
    /// The settings want the browser to come back elsewhere than here.
    RedirectElsewhere,
    /// There is no endpoint.
    NoEndpoint,
    /// There are no metadata.
    NoMetadata,
    /// Metadata or answer are another issuer's.
    OtherIssuer,
    /// The server refused, with this code.
    Refused,
    /// The answer of the token endpoint cannot be read.
    BadAnswer,
    /// The token is bound to a key or a certificate.
    Bound,
    /// The ID token is not what it must be.
    IdToken,
    /// There is no ID token.
    NoIdToken,
    /// The settings changed while the browser was away.
    Changed,
    /// The document is somebody else's.
    SomebodyElses,
    /// It needs a larger right.
    RightMissing,
    /// There is no room.
    Full,
    /// There is no such thing.
    Gone,
}

/// On the way to another server, which asks the user.
#[derive(Debug, Clone, Serialize)]
pub struct DeskLeave {
    /// Whose page it is.
    pub origin: String,
    /// The page.
    pub url: String,
    /// Link back to the collection.
    pub back: String,
}

page!(DeskSent, "desk-sent.html");
page!(DeskLeave, "desk-leave.html");
