//! Authorization code with PKCE (RFC 6749 4.1, RFC 7636), pushed where the server takes that (RFC 9126).

use super::Loopback;
use crate::ask::Ask;
use crate::client::{Client, Identified};
use crate::error::{Error, Result};
use crate::grant::Grant;
use crate::http::Form;
use crate::provider::Endpoint;
use crate::redirect::{Code, Drawn, Pending};
use crate::{random, token};
use grantor_jose::parse_object;
use grantor_protocol::value::RedirectUri;
use serde_json::Value;
use std::time::Duration;
use url::Url;

impl Client {
    /// Begins a sign-in: the address that the user's browser must open, and what the answer is checked against.
    pub async fn begin(&self, redirect_uri: RedirectUri, ask: &Ask) -> Result<(Pending, Url)> {
        let drawn = Drawn { state: random::text()?, nonce: random::text()?, verifier: random::text()? };
        let (pending, mut form) = Pending::begin(self.provider(), self.id(), redirect_uri, ask, drawn);
        // RFC 9449 10: the code is bound to the key too.
        form.add_some("dpop_jkt", self.dpop().map(crate::dpop::DpopKey::thumbprint));
        let mut url = self.provider().endpoint(Endpoint::Authorization)?.clone();
        let pushed = self.provider().endpoint(Endpoint::PushedAuthorizationRequest).is_ok();
        let form = if pushed { self.push(&form).await? } else { form };
        if !pushed && self.provider().requires_pushed_requests {
            return Err(Error::Unsupported("pushed_authorization_request_endpoint, which it requires (RFC 9126 5)"));
        }
        let query = match url.query() {
            Some(own) => format!("{own}&{}", form.encode()),
            None => form.encode(),
        };
        url.set_query(Some(&query));
        Ok((pending, url))
    }

    /// Ends a sign-in: the code for tokens (RFC 6749 4.1.3), the ID token checked.
    pub async fn redeem(&self, pending: Pending, code: Code) -> Result<Grant> {
        let mut form = Form::default();
        form.add("grant_type", "authorization_code");
        form.add("code", code.0.expose());
        form.add("redirect_uri", pending.redirect_uri.as_str());
        form.add("code_verifier", pending.verifier.expose());
        let identified = Identified {
            nonce: pending.nonce.as_ref(),
            max_age: pending.max_age,
            asked: Some(&pending.scope),
            before: None,
        };
        self.token(&form, identified).await
    }

    /// The whole of it for a program on the user's own machine (RFC 8252 7.3). `open` is given the address that a browser
    /// must open; the user has so much time.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] when nobody comes back, [`Error::Redirect`] when the user or the server says no.
    pub async fn sign_in(&self, ask: &Ask, within: Duration, open: impl FnOnce(&Url)) -> Result<Grant> {
        let loopback = Loopback::bind().await?;
        let (pending, url) = self.begin(loopback.redirect_uri()?, ask).await?;
        open(&url);
        let waited = tokio::time::timeout(within, loopback.wait_for(&pending)).await;
        let code = waited.map_err(|_| Error::TimedOut(within))??;
        self.redeem(pending, code).await
    }

    /// RFC 9126 2: the request goes to the server directly, and the browser carries no more than its name.
    async fn push(&self, form: &Form) -> Result<Form> {
        let answer = self.post(Endpoint::PushedAuthorizationRequest, form).await?;
        if !matches!(answer.status, 200 | 201) {
            return Err(token::refused(&answer));
        }
        let members = parse_object(&answer.body).unwrap_or_default();
        let name = members.get("request_uri").and_then(Value::as_str).filter(|name| !name.is_empty());
        let mut pushed = Form::default();
        pushed.add("client_id", self.id().as_str());
        pushed.add("request_uri", name.ok_or_else(|| answer.wrong("and no request_uri (RFC 9126 2.2)"))?);
        Ok(pushed)
    }
}
