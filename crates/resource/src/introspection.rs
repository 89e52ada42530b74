//! Opaque tokens: the issuer is asked what they are worth (RFC 7662), with the API's own credentials.

use crate::claims::{From, Wanted};
use crate::flight::Flights;
use crate::{Refusal, Verified};
use base64::Engine as _;
use grantor_fetch::{FetchError, Fetcher, KeySets};
use grantor_jose::names::Name;
use grantor_jose::{SigningKey, base64url, jws, parse_object};
use grantor_protocol::token::Binding;
use grantor_protocol::value::{Seconds, Secret, UnixTime};
use serde_json::{Map, Value, json};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use url::form_urlencoded;

/// How to ask the issuer.
#[derive(Debug)]
pub struct Introspection {
    client_id: String,
    credentials: Credentials,
    endpoint: Option<String>,
    kept: Seconds,
    every: bool,
}

#[derive(Debug)]
enum Credentials {
    /// `client_secret_basic` (RFC 6749 2.3.1).
    Secret(Secret),
    /// `private_key_jwt` (RFC 7523 2.2).
    Key(Box<SigningKey>),
}

/// How long an answer is used at the most, unless it is said otherwise.
const KEPT: Seconds = Seconds::new(10);

/// How long it is believed that a token is not active: shorter, since one may be used before the issuer's own nodes all
/// know it.
const KEPT_INACTIVE: Seconds = Seconds::new(2);

/// How long an assertion of the API's own is good for.
const ASSERTION_LIFE: Seconds = Seconds::new(60);

/// How many questions are under way at once: anybody can send texts that nobody has asked about yet.
const QUESTIONS: usize = 64;

/// How long one waits for another to end.
const QUEUE: Duration = Duration::from_secs(1);

impl Introspection {
    /// As this client with its secret (`client_secret_basic`, RFC 6749 2.3.1).
    pub fn with_secret(client_id: &str, secret: &str) -> Self {
        Self::new(client_id, Credentials::Secret(Secret::new(secret.to_owned())))
    }

    /// As this client with its key (`private_key_jwt`, OpenID Connect Core 9, RFC 7523 2.2).
    pub fn with_key(client_id: &str, key: SigningKey) -> Self {
        Self::new(client_id, Credentials::Key(Box::new(key)))
    }

    fn new(client_id: &str, credentials: Credentials) -> Self {
        Self { client_id: client_id.to_owned(), credentials, endpoint: None, kept: KEPT, every: false }
    }

    /// Where to ask; otherwise where the issuer's metadata says (`introspection_endpoint`, RFC 8414 2).
    #[must_use]
    pub fn at(self, endpoint: &str) -> Self {
        Self { endpoint: Some(endpoint.to_owned()), ..self }
    }

    /// For how many seconds an answer may be used again; 10 unless it is said otherwise. A token that is taken back goes on
    /// being accepted for so long. With 0 the issuer is asked at every request.
    #[must_use]
    pub fn cached_for(self, seconds: u32) -> Self {
        Self { kept: Seconds::new(seconds), ..self }
    }

    /// Asks about JWTs too, instead of reading them: for an issuer that does not mark its access tokens as such (RFC 9068
    /// 2.1), and where a token that is taken back must be refused at once.
    #[must_use]
    pub fn for_every_token(self) -> Self {
        Self { every: true, ..self }
    }
}

/// What asks.
pub(crate) struct Asker {
    settings: Introspection,
    fetcher: Fetcher,
    sets: KeySets,
    flights: Flights<Result<Verified, Refusal>>,
    questions: Semaphore,
}

impl Asker {
    pub(crate) fn new(settings: Introspection, fetcher: Fetcher, sets: KeySets) -> Self {
        let (flights, questions) = (Flights::new(), Semaphore::new(QUESTIONS));
        Self { settings, fetcher, sets, flights, questions }
    }

    /// Whether JWTs are asked about too.
    pub(crate) const fn asks_about_every_token(&self) -> bool {
        self.settings.every
    }

    /// Until when an answer of now may be used: one that says yes, and one that says no.
    pub(crate) fn kept(&self, now: UnixTime) -> [UnixTime; 2] {
        let kept = self.settings.kept;
        [now.plus(kept), now.plus(kept.min(KEPT_INACTIVE))]
    }

    /// What the token is worth (RFC 7662 2.2).
    pub(crate) async fn ask(&self, token: &str, name: Name, wanted: &Wanted<'_>) -> Result<Verified, Refusal> {
        self.flights.join(name, || self.question(token, wanted)).await
    }

    async fn question(&self, token: &str, wanted: &Wanted<'_>) -> Result<Verified, Refusal> {
        let place = timeout(QUEUE, self.questions.acquire()).await.ok().and_then(Result::ok);
        let _place = place.ok_or(Refusal::NoAnswer(FetchError::Throttled))?;
        let endpoint = if let Some(endpoint) = &self.settings.endpoint {
            endpoint.clone()
        } else {
            let metadata = self.sets.metadata(wanted.issuer).await.map_err(Refusal::NoAnswer)?;
            metadata.introspection_endpoint.clone().ok_or(Refusal::NoIntrospection)?
        };
        let endpoint = self.fetcher.endpoint(&endpoint).await.map_err(Refusal::NoAnswer)?;
        let (authorization, form) = self.request(token, wanted).ok_or(Refusal::NoAssertion)?;
        let answer = endpoint.post_form(authorization.as_deref(), form).await.map_err(Refusal::NoAnswer)?;
        read(&answer.body, wanted)
    }

    /// RFC 7662 2.1.
    fn request(&self, token: &str, wanted: &Wanted<'_>) -> Option<(Option<String>, String)> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("token", token).append_pair("token_type_hint", "access_token");
        let client_id = &self.settings.client_id;
        match &self.settings.credentials {
            Credentials::Secret(secret) => Some((Some(basic(client_id, secret)), form.finish())),
            Credentials::Key(key) => {
                let assertion = assertion(client_id, key, wanted)?;
                form.append_pair("client_id", client_id)
                    .append_pair("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
                    .append_pair("client_assertion", &assertion);
                Some((None, form.finish()))
            }
        }
    }
}

/// RFC 6749 2.3.1: both parts are written as in a form first.
fn basic(client_id: &str, secret: &Secret) -> String {
    let encoded = |raw: &str| form_urlencoded::byte_serialize(raw.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encoded(client_id), encoded(secret.expose()));
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

/// RFC 7523 3. The audience is the issuer, which no other server is.
fn assertion(client_id: &str, key: &SigningKey, wanted: &Wanted<'_>) -> Option<String> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).ok()?;
    let claims = json!({
        "iss": client_id,
        "sub": client_id,
        "aud": wanted.issuer,
        "jti": base64url::encode(id),
        "iat": wanted.now,
        "exp": wanted.now.plus(ASSERTION_LIFE),
    });
    jws::sign(key, "JWT", claims.to_string().as_bytes()).ok()
}

/// Reads an answer. The issuer has checked the token, and yet it is checked here too whether it is for this API (RFC 7662
/// 4: a token of another API is active as well).
fn read(text: &[u8], wanted: &Wanted<'_>) -> Result<Verified, Refusal> {
    let answer: Map<String, Value> = parse_object(text).ok_or(Refusal::UnreadableAnswer)?;
    match answer.get("active").and_then(Value::as_bool) {
        Some(true) if !is_access_token(&answer) => Err(Refusal::NotAnAccessToken),
        Some(true) => {
            let proved_by_dpop = is_one_of(&answer, "token_type", &["dpop"]) && answer.contains_key("token_type");
            let token = Verified::of_claims(text.to_vec(), From::Introspection, wanted)?;
            // RFC 9449 6.2: a token whose key is not told must not pass for a bearer token.
            if proved_by_dpop && !matches!(token.binding(), Binding::Dpop(_)) {
                return Err(Refusal::MissingClaim("cnf"));
            }
            Ok(token)
        }
        Some(false) => Err(Refusal::Inactive),
        None => Err(Refusal::UnreadableAnswer),
    }
}

/// A refresh token may be asked about too, and be active (RFC 7662 2.1). How servers say what they speak of: `token_type`
/// is that of RFC 6749 5.1, the other two are what some have besides.
fn is_access_token(answer: &Map<String, Value>) -> bool {
    is_one_of(answer, "token_type", &["bearer", "dpop"])
        && is_one_of(answer, "token_use", &["access_token", "access"])
        && is_one_of(answer, "typ", &["bearer", "dpop", "at+jwt", "application/at+jwt"])
}

/// Whether a member is one of these texts, if it is there at all.
fn is_one_of(answer: &Map<String, Value>, name: &str, known: &[&str]) -> bool {
    let Some(value) = answer.get(name) else { return true };
    value.as_str().is_some_and(|value| known.iter().any(|one| one.eq_ignore_ascii_case(value)))
}

#[cfg(test)]
#[path = "introspection_tests.rs"]
mod tests;
