//! The sign-in page.

use serde::Serialize;

use super::{Hidden, page};

/// Asks for a username and a password. Posts `username`, `password`, `interaction` and `csrf`.
#[derive(Debug, Clone, Serialize)]
pub struct SignIn {
    /// Name of the application that asks, if one does.
    pub application: Option<String>,
    /// What the username field starts with (`login_hint`, or what was typed before an error).
    pub username: String,
    /// Why the page is shown again.
    pub error: Option<SignInError>,
    /// Names the authorization request that waits.
    pub interaction: Hidden,
    /// Anti-forgery token.
    pub csrf: Hidden,
    /// Where the form is posted.
    pub action: String,
}

/// Why signing in did not work. The texts never tell whether the username exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum SignInError {
    /// Username or password is wrong.
    WrongCredentials,
    /// Too many attempts.
    Throttled {
        /// How long to wait.
        seconds: u64,
    },
    /// The page lay open for too long, or its form was not ours.
    Expired,
}

page!(SignIn, "sign-in.html");
