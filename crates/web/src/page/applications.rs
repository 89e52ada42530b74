//! "Your apps": what the person allowed, and taking it back.

use serde::Serialize;

use super::{Account, Application, Hidden, page};

/// The applications with access. Revoking posts `client_id` and `csrf`.
#[derive(Debug, Clone, Serialize)]
pub struct Applications {
    /// Whose they are.
    pub user: Account,
    /// The applications, in the order to show.
    pub apps: Vec<App>,
    /// Name of the application that has just lost its access.
    pub revoked: Option<String>,
    /// Anti-forgery token.
    pub csrf: Hidden,
    /// Where revoking is posted.
    pub action: String,
    /// Link to the tenant's home page.
    pub home: Option<String>,
    /// Link to the sign-out page.
    pub sign_out: Option<String>,
}

/// One application with access.
#[derive(Debug, Clone, Serialize)]
pub struct App {
    /// What revoking posts.
    pub client_id: String,
    /// How it presents itself.
    pub application: Application,
    /// Unix seconds.
    pub first_granted: u64,
    /// Unix seconds; none if it was never used.
    pub last_used: Option<u64>,
    /// What it may do, by API.
    pub groups: Vec<AllowedApi>,
    /// How many grants revoking ends.
    pub grants: u64,
}

/// What was allowed at one API.
#[derive(Debug, Clone, Serialize)]
pub struct AllowedApi {
    /// The API's display name.
    pub api_name: String,
    /// The API's identifier; empty for the server itself.
    pub audience: String,
    /// What was allowed.
    pub scopes: Vec<AllowedScope>,
}

/// One scope that was allowed.
#[derive(Debug, Clone, Serialize)]
pub struct AllowedScope {
    /// Its value.
    pub name: String,
    /// What it means to the person; empty if nobody wrote it, then the name is shown.
    pub text: String,
}

page!(Applications, "applications.html");
