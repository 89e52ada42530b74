//! The first start: creating the administrator through a link that works once.

use serde::Serialize;

use super::{Hidden, page};

/// Asks for the administrator's credentials. Posts `token`, `username`, `password`, `password_again` and `csrf`.
#[derive(Debug, Clone, Serialize)]
pub struct SetupAdministrator {
    /// What the one-time link carried.
    pub token: Hidden,
    /// What the username field starts with.
    pub username: String,
    /// The shortest password that is taken, in characters.
    pub minimum_length: u64,
    /// Why the page is shown again.
    pub error: Option<SetupError>,
    /// Anti-forgery token.
    pub csrf: Hidden,
    /// Where the form is posted.
    pub action: String,
}

/// Why the administrator was not created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum SetupError {
    /// The username is empty, too long, or has characters that are not taken.
    UsernameRefused,
    /// The two passwords differ.
    PasswordsDiffer,
    /// The password is shorter than `minimum_length`.
    PasswordTooShort,
    /// The password is longer than the server takes.
    PasswordTooLong,
    /// The password is among the best known.
    PasswordCommon,
    /// The page lay open for too long, or its form was not ours.
    Expired,
}

/// The administrator exists; the link no longer works.
#[derive(Debug, Clone, Serialize)]
pub struct SetupDone {
    /// The administrator's username.
    pub username: String,
    /// Where to go on.
    pub continue_to: String,
}

page!(SetupAdministrator, "setup.html");
page!(SetupDone, "setup-done.html");
