//! The tenant's front page.

use serde::Serialize;

use super::{Account, page};

/// Says whose server this is, and leads on.
#[derive(Debug, Clone, Serialize)]
pub struct Home {
    /// The issuer identifier.
    pub issuer: String,
    /// Who is signed in.
    pub user: Option<Account>,
    /// Link to "Your apps".
    pub applications: String,
    /// Link to the metadata document (RFC 8414).
    pub metadata: String,
    /// Link to the token desk, where there is one.
    pub desk: Option<String>,
    /// Link to the playground, where there is one.
    pub playground: Option<String>,
    /// Link to sign in; shown when nobody is.
    pub sign_in: Option<String>,
    /// Link to sign out; shown when somebody is signed in.
    pub sign_out: Option<String>,
}

page!(Home, "home.html");
