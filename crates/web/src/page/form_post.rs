//! OAuth 2.0 Form Post Response Mode.

use serde::Serialize;

use super::{Hidden, page};

/// Carries an authorization response to the application in a form. A module submits it; without JavaScript there is a
/// button. The policy needs `script-src 'self'` and `form-action` with the origin of `action`.
#[derive(Debug, Clone, Serialize)]
pub struct FormPost {
    /// The redirect URI, verified.
    pub action: String,
    /// The parameters of the response.
    pub fields: Vec<(String, Hidden)>,
}

page!(FormPost, "form-post.html");
