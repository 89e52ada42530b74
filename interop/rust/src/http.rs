//! HTTP for the libraries and for requests by hand.

use crate::demo::Demo;
use oauth2::http::{HeaderMap, StatusCode};
use serde_json::Value;
use std::time::Duration;

/// What the libraries send their requests with. They revoke over https alone, so [`secured`] turns an address of the demo,
/// which is on loopback, into one that they take, and this turns it back.
pub async fn send(request: oauth2::HttpRequest) -> Result<oauth2::HttpResponse, reqwest::Error> {
    let (parts, body) = request.into_parts();
    let url = parts.uri.to_string().replacen("https://localhost:", "http://localhost:", 1);
    let sent = client().request(parts.method, url).headers(parts.headers).body(body).send().await?;
    let mut response = oauth2::HttpResponse::new(Vec::new());
    *response.status_mut() = sent.status();
    *response.headers_mut() = sent.headers().clone();
    *response.body_mut() = sent.bytes().await?.to_vec();
    Ok(response)
}

/// The address with https.
pub fn secured(url: &str) -> String {
    url.replacen("http://localhost:", "https://localhost:", 1)
}

/// A client that follows no redirect.
pub fn client() -> reqwest::Client {
    static CLIENT: std::sync::OnceLock<reqwest::Client> = std::sync::OnceLock::new();
    CLIENT.get_or_init(|| builder().build().unwrap_or_default()).clone()
}

pub(crate) fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(Duration::from_secs(20))
}

/// Calls an API with a bearer token.
pub async fn call(url: &str, token: &str) -> anyhow::Result<StatusCode> {
    Ok(client().get(url).bearer_auth(token).send().await?.status())
}

/// An answer to a form, in JSON.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    /// A member that is a string.
    pub fn text(&self, name: &str) -> Option<String> {
        self.body.get(name)?.as_str().map(str::to_owned)
    }
}

/// Posts a form as this client of the demo to an endpoint: `token`, `introspect`, `revoke`.
pub async fn post(demo: &Demo, client_id: &str, endpoint: &str, form: &[(&str, &str)]) -> anyhow::Result<Answer> {
    let url = format!("{}/{endpoint}", demo.issuer);
    let mut request = client().post(url);
    let mut form = form.to_vec();
    match &demo.client(client_id)?.client_secret {
        Some(secret) => request = request.basic_auth(client_id, Some(secret)),
        None => form.push(("client_id", client_id)),
    }
    let response = request.form(&form).send().await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = response.bytes().await?;
    let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes)? };
    Ok(Answer { status, headers, body })
}
