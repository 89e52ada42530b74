//! `prompt=select_account` (OpenID Connect Core 3.1.2.1).

use serde::Serialize;

use super::{Account, Hidden, page};

/// Asks whether to go on as whoever is signed in. Posts `account` (`continue` or `another`), `interaction` and `csrf`.
#[derive(Debug, Clone, Serialize)]
pub struct SelectAccount {
    /// Name of the application that asks, if one does.
    pub application: Option<String>,
    /// Who is signed in.
    pub account: Account,
    /// Names the authorization request that waits.
    pub interaction: Hidden,
    /// Anti-forgery token.
    pub csrf: Hidden,
    /// Where the form is posted.
    pub action: String,
}

page!(SelectAccount, "select-account.html");
