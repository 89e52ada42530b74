//! The application: its requests to the token, introspection and revocation endpoints.

use super::cluster::{API, CLIENT, REDIRECT_URI, secret};
use super::http::{Answer, Connection, Message, form};
use anyhow::{Result, bail};
use hyper::header::CONTENT_TYPE;
use hyper::{Request, StatusCode};

/// What came of a request that should succeed or be refused.
#[derive(Clone, Debug)]
pub(crate) enum Said {
    /// 200.
    Done(Answer),
    /// `invalid_grant`.
    Refused,
    /// Nothing, for now.
    Not(Not),
}

/// Why nothing was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Not {
    /// 503: it may be tried again.
    Now,
    /// No answer came.
    AtAll,
}

pub(crate) async fn redeem(connection: &mut Connection, code: &str, verifier: &str) -> Result<Said> {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", verifier),
    ];
    ask(connection, CLIENT, "token", &fields).await
}

pub(crate) async fn refresh(connection: &mut Connection, token: &str) -> Result<Said> {
    ask(connection, CLIENT, "token", &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
}

pub(crate) async fn revoke(connection: &mut Connection, token: &str) -> Result<Said> {
    ask(connection, CLIENT, "revoke", &[("token", token)]).await
}

pub(crate) async fn introspect(connection: &mut Connection, token: &str) -> Result<Said> {
    ask(connection, API, "introspect", &[("token", token)]).await
}

/// What it says of a token.
pub(crate) async fn active(connection: &mut Connection, token: &str) -> Result<Result<bool, Not>> {
    match introspect(connection, token).await? {
        Said::Done(answer) => match answer.json().get("active").and_then(serde_json::Value::as_bool) {
            Some(active) => Ok(Ok(active)),
            None => bail!("introspection says {}", answer.shown()),
        },
        Said::Not(not) => Ok(Err(not)),
        Said::Refused => bail!("introspection says invalid_grant"),
    }
}

/// Anything but these four is an error.
async fn ask(connection: &mut Connection, client: &str, endpoint: &str, fields: &[(&str, &str)]) -> Result<Said> {
    let secret = secret();
    let mut fields = fields.to_vec();
    fields.extend([("client_id", client), ("client_secret", &secret)]);
    let message: Message = Request::post(format!("/{endpoint}"))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form(&fields))?;
    let Ok(answer) = connection.send(message).await else { return Ok(Said::Not(Not::AtAll)) };
    match (answer.status, answer.text("error").as_deref()) {
        (StatusCode::OK, _) => Ok(Said::Done(answer)),
        (StatusCode::SERVICE_UNAVAILABLE, _) => Ok(Said::Not(Not::Now)),
        (StatusCode::BAD_REQUEST, Some("invalid_grant")) => Ok(Said::Refused),
        _ => bail!("{endpoint} says {}", answer.shown()),
    }
}
