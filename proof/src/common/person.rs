//! A browser without JavaScript, and the person in front of it.

use super::client::{Not, Said, redeem};
use super::cluster::{CLIENT, PASSWORD, REDIRECT_URI, SCOPE, USERNAME};
use super::http::{Answer, Connection, Message, form};
use super::page::Form;
use anyhow::{Context as _, Result, bail};
use grantor_jose::{base64url, digest};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use hyper::{Request, StatusCode};
use std::collections::BTreeMap;
use url::Url;

/// Somebody who signs in once and then allows whatever he is asked.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    issuer: Url,
    cookies: BTreeMap<String, String>,
}

/// A code, and what proves who asked for it (RFC 7636).
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) code: String,
    pub(crate) verifier: String,
}

/// What a code gives.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Tokens {
    pub(crate) fn of(answer: &Answer) -> Result<Self> {
        match (answer.text("access_token"), answer.text("refresh_token")) {
            (Some(access), Some(refresh)) => Ok(Self { access, refresh }),
            _ => bail!("no tokens: {}", answer.shown()),
        }
    }
}

impl Person {
    pub(crate) fn new(issuer: &str) -> Result<Self> {
        Ok(Self { issuer: Url::parse(issuer)?, cookies: BTreeMap::new() })
    }

    /// Asks for a code, through however many pages it takes.
    pub(crate) async fn authorize(&mut self, connection: &mut Connection) -> Result<Result<Code, Not>> {
        let verifier: String = std::iter::repeat_with(fastrand::alphanumeric).take(64).collect();
        let challenge = base64url::encode(digest::sha256(verifier.as_bytes()));
        let mut url = self.issuer.join("/authorize")?;
        url.query_pairs_mut()
            .extend_pairs([("response_type", "code"), ("client_id", CLIENT), ("redirect_uri", REDIRECT_URI)])
            .extend_pairs([("scope", SCOPE), ("state", "s"), ("resource", &format!("{}notes", self.issuer))])
            .extend_pairs([("code_challenge", challenge.as_str()), ("code_challenge_method", "S256")]);
        let mut message = self.visit(&url)?;
        for _ in 0..12 {
            let Ok(answer) = connection.send(message).await else { return Ok(Err(Not::AtAll)) };
            self.keep(&answer);
            if answer.status == StatusCode::SERVICE_UNAVAILABLE {
                return Ok(Err(Not::Now));
            }
            if let Some(location) = answer.headers.get(LOCATION) {
                url = url.join(location.to_str()?)?;
                if url.as_str().starts_with(REDIRECT_URI) {
                    return returned(&url, verifier);
                }
                message = self.visit(&url)?;
                continue;
            }
            let page = String::from_utf8_lossy(&answer.body);
            let found = Form::parse(&page).with_context(|| format!("no form: {}", answer.shown()))?;
            url = url.join(&found.action)?;
            message = self.submit(&url, found)?;
        }
        bail!("the pages go round in circles, the last at {}", url.path())
    }

    /// Gets tokens from a server that is well.
    pub(crate) async fn tokens(&mut self, connection: &mut Connection) -> Result<Tokens> {
        let Ok(Code { code, verifier }) = self.authorize(connection).await? else { bail!("nobody could sign in") };
        match redeem(connection, &code, &verifier).await? {
            Said::Done(answer) => Tokens::of(&answer),
            Said::Refused => bail!("a code that was given and not used is refused"),
            Said::Not(not) => bail!("no tokens: not {not:?}"),
        }
    }

    fn visit(&self, url: &Url) -> Result<Message> {
        Ok(Request::get(target(url)).header(COOKIE, self.cookies()).body(Full::new(Bytes::new()))?)
    }

    fn submit(&self, url: &Url, found: Form) -> Result<Message> {
        let mut fields = found.fields;
        for (name, value) in &mut fields {
            match name.as_str() {
                "username" => USERNAME.clone_into(value),
                "password" => PASSWORD.clone_into(value),
                _ => {}
            }
        }
        fields.extend(found.buttons.into_iter().find(|(_, value)| value == "allow"));
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Ok(Request::post(target(url))
            .header(COOKIE, self.cookies())
            .header(ORIGIN, self.issuer.origin().ascii_serialization())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form(&fields))?)
    }

    fn keep(&mut self, answer: &Answer) {
        let set = answer.headers.get_all(SET_COOKIE).iter().filter_map(|header| header.to_str().ok());
        for (name, value) in set.filter_map(|cookie| cookie.split(';').next()?.split_once('=')) {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    fn cookies(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }
}

fn target(url: &Url) -> String {
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}

fn returned(url: &Url, verifier: String) -> Result<Result<Code, Not>> {
    let parameter =
        |wanted: &str| url.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
    match (parameter("code"), parameter("error").as_deref()) {
        (Some(code), _) => Ok(Ok(Code { code, verifier })),
        (None, Some("temporarily_unavailable")) => Ok(Err(Not::Now)),
        _ => bail!("called back with {url}"),
    }
}
