//! What a program asks for.

use crate::http::Form;
use grantor_protocol::value::{Resource, Scope, Seconds};

/// What a token is asked for. Empty, it asks for whatever the server gives by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// `scope` (RFC 6749 3.3). With `openid`, an ID token comes too, and is checked.
    pub scope: Scope,
    /// `resource`: the APIs that the token is for (RFC 8707).
    pub resources: Vec<Resource>,
    /// `prompt` (OpenID Connect Core 3.1.2.1), as it is to be sent.
    pub prompt: Option<String>,
    /// `login_hint`: who is expected to sign in.
    pub login_hint: Option<String>,
    /// `max_age`: how long ago the user may have signed in. The ID token is checked for it.
    pub max_age: Option<Seconds>,
    /// `acr_values`: what the sign-in must be worth.
    pub acr_values: Option<String>,
    /// `authorization_details` (RFC 9396), as JSON text.
    pub authorization_details: Option<String>,
}

impl Ask {
    /// Whether an ID token must come (OpenID Connect Core 3.1.2.1).
    pub fn wants_identity(&self) -> bool {
        self.scope.contains("openid")
    }

    /// What every grant has: scope, resources and details.
    pub(crate) fn add_to(&self, form: &mut Form) {
        if !self.scope.is_empty() {
            form.add("scope", self.scope.to_string());
        }
        self.resources.iter().for_each(|resource| form.add("resource", resource.as_str()));
        form.add_some("authorization_details", self.authorization_details.as_deref());
    }
}
