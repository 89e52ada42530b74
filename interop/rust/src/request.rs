//! Authorization requests, for the suites that use no library.

use crate::demo::Demo;
use crate::http::{self, Answer};
use crate::pkce;
use url::Url;

/// A request that a browser can be sent to, and what redeeming its code needs.
#[derive(Clone, Debug)]
pub struct AuthorizationRequest {
    pub url: Url,
    pub client_id: String,
    pub redirect_uri: String,
    pub state: String,
    pub verifier: String,
}

impl AuthorizationRequest {
    pub fn new(
        demo: &Demo,
        client_id: &str,
        redirect_uri: &str,
        scope: &str,
        more: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let (verifier, challenge) = pkce::pair();
        let state: String = (0..22).map(|_| fastrand::alphanumeric()).collect();
        let mut url = Url::parse(&format!("{}/authorize", demo.issuer))?;
        url.query_pairs_mut()
            .extend_pairs([("response_type", "code"), ("client_id", client_id), ("redirect_uri", redirect_uri)])
            .extend_pairs([("scope", scope), ("state", &state)])
            .extend_pairs([("code_challenge", challenge.as_str()), ("code_challenge_method", "S256")])
            .extend_pairs(more);
        let (client_id, redirect_uri) = (client_id.to_owned(), redirect_uri.to_owned());
        Ok(Self { url, client_id, redirect_uri, state, verifier })
    }

    /// Redeems the code that came back.
    pub async fn redeem(&self, demo: &Demo, code: &str) -> anyhow::Result<Answer> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", &self.verifier),
        ];
        http::post(demo, &self.client_id, "token", &form).await
    }
}
