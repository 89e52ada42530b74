//! Tokens by the settings of saved requests: obtained, kept at the desk, and renewed (docs/desk.md, "Sending").

use super::abroad::{ALGORITHMS, Known, Stopped};
use super::send::Bench;
use super::{ItemChange, Opened, Seat};
use crate::browser::Browser;
use crate::endpoint::token;
use crate::extract::Call;
use grantor_fetch::RelayRequest;
use grantor_jose::{base64url, digest};
use grantor_protocol::Refusal;
use grantor_protocol::audit::{Action, Outcome};
use grantor_protocol::desk::{Ask, AskedToken, At, Given, Leaving, NotGiven, Sender, TokenSettings, code};
use grantor_protocol::id_token::{self, Expected};
use grantor_protocol::metadata::path;
use grantor_protocol::params::Params;
use grantor_protocol::token::handle::HandleKind;
use grantor_protocol::value::{ItemId, Seconds, Secret, Subject, UnixTime, WorkspaceId};
use grantor_protocol::workspace::{KeptToken, name};
use grantor_web::SentProblem;
use http::HeaderValue;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use url::Url;

/// Where the browser comes back to.
pub(crate) const CALLBACK: &str = "/desk/callback";

/// Somebody may need so long to sign in elsewhere.
const AWAY_FOR: Seconds = Seconds::new(600);

/// Where something of a collection stands, and what fills it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Place {
    #[serde(rename = "w")]
    pub(crate) workspace: WorkspaceId,
    #[serde(rename = "i")]
    pub(crate) item: ItemId,
    #[serde(rename = "a")]
    pub(crate) at: At,
    #[serde(rename = "e")]
    pub(crate) environment: Option<ItemId>,
}

/// What comes back as `state`: sealed, for one browser and a short time (RFC 6749 10.12, RFC 9700 2.1). The verifier is in it, which
/// is why nobody else can read it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Flow {
    #[serde(rename = "p")]
    pub(crate) place: Place,
    /// Whether the request is to be sent then.
    #[serde(rename = "s")]
    pub(crate) send: bool,
    #[serde(rename = "b")]
    browser: String,
    #[serde(rename = "u")]
    user: Subject,
    #[serde(rename = "v")]
    verifier: String,
    /// What was asked of whom: settings that have changed meanwhile obtain nothing.
    #[serde(rename = "q")]
    asked: String,
    #[serde(rename = "x")]
    until: UnixTime,
}

/// A token, or where the browser must go for it.
pub(crate) enum Next {
    Token(Box<KeptToken>),
    Leave(String),
}

/// A token to be had.
struct Wanted<'a> {
    bench: &'a Bench,
    name: String,
    ask: Ask,
    known: Known,
}

impl Flow {
    fn seal(&self, call: &Call) -> Result<String, Refusal> {
        let content = serde_json::to_vec(self).map_err(|_| Refusal::Broken)?;
        let handles = &call.tenancy.ready()?.keys.handles;
        handles.seal(HandleKind::DeskState, call.context.world.random(), &content).ok_or(Refusal::Broken)
    }

    /// The flow that this browser began, unless that was too long ago.
    pub(crate) fn open(call: &Call, browser: &Browser, state: &str) -> Option<Self> {
        let content = call.tenancy.ready().ok()?.keys.handles.open(HandleKind::DeskState, state)?;
        let flow: Self = serde_json::from_slice(&content).ok()?;
        let same = flow.browser == browser.name() && browser.user().is_some_and(|user| user.sub == flow.user);
        (same && call.now() < flow.until).then_some(flow)
    }

    fn nonce(&self) -> String {
        base64url::encode(digest::sha256(format!("nonce {}", self.verifier).as_bytes()))
    }
}

impl Seat<'_> {
    /// The token of these settings: the one that lies here while it is good, else renewed, else obtained. `anew` leaves out
    /// what lies here.
    pub(crate) async fn token_of(
        &self,
        browser: &Browser,
        bench: &Bench,
        settings: &TokenSettings,
        (anew, send): (bool, bool),
    ) -> Result<Next, Stopped> {
        let ask = Ask::of(settings, &bench.variables())?;
        let name = token_name(bench, settings);
        if !anew && let Some(held) = self.held(bench, &name, &ask).await? {
            if !held.token.is_over(self.call.now()) {
                return Ok(Next::Token(Box::new(held.token)));
            }
            if let Some(renewed) = self.renewed_by(bench, &ask, &held).await? {
                return Ok(Next::Token(Box::new(renewed)));
            }
        }
        let wanted = Wanted { bench, name, known: self.server(&ask).await?, ask };
        if wanted.ask.needs_a_person() {
            return self.leave(browser, &wanted, send).map(Next::Leave);
        }
        let asked = wanted.ask.for_itself(&wanted.known.token).ok_or(Stopped::told(SentProblem::NoEndpoint))?;
        let given = self.ask_for(bench.place.item, &wanted.known, asked).await?;
        self.keep_given(&wanted, given).await.map(|token| Next::Token(Box::new(token)))
    }

    /// What the browser brought back becomes a token (RFC 6749 4.1.3).
    pub(crate) async fn returned(
        &self,
        flow: &Flow,
        bench: &Bench,
        settings: &TokenSettings,
        response: &Params,
    ) -> Result<KeptToken, Stopped> {
        let ask = Ask::of(settings, &bench.variables())?;
        let known = self.server(&ask).await?;
        if asked_of(&ask, &known) != flow.asked {
            return Err(Stopped::told(SentProblem::Changed));
        }
        let sender = match &known.issuer {
            Some(issuer) => Sender::Issuer(issuer, known.promises_iss),
            None => Sender::Endpoint(&known.authorization),
        };
        let code = code(response, sender)?;
        let verifier = Secret::new(flow.verifier.clone());
        let redirect_uri = self.call.tenancy.issuer.endpoint(CALLBACK);
        let asked = ask.with_code(&known.token, (&code, &verifier), &redirect_uri);
        let asked = asked.ok_or(Stopped::told(SentProblem::NoEndpoint))?;
        let given = self.ask_for(bench.place.item, &known, asked).await?;
        if ask.wants_identity() {
            self.check_identity(&ask, &known, &given, Some(&Secret::new(flow.nonce()))).await?;
        }
        let wanted = Wanted { bench, name: token_name(bench, settings), ask, known };
        self.keep_given(&wanted, given).await
    }

    /// OpenID Connect Core 3.1.3.7; without a nonce what comes of a refresh (12.2).
    async fn check_identity(
        &self,
        ask: &Ask,
        known: &Known,
        given: &Given,
        nonce: Option<&Secret>,
    ) -> Result<(), Stopped> {
        let Some(token) = &given.id_token else { return Ok(()) };
        let Some(issuer) = &known.issuer else {
            return Ok(nonce.map_or(Ok(()), |nonce| given.repeats(nonce))?);
        };
        let keys = self.keys(known).await?;
        let expected = Expected {
            issuer,
            client: ask.client(),
            keys: &keys,
            algorithms: ALGORITHMS,
            nonce,
            max_age: None,
            access_token: &given.access_token,
            subject: None,
            now: self.call.now(),
        };
        id_token::check(token, &expected).map(drop).map_err(|problem| {
            tracing::info!(request_id = %self.call.meta.request_id, reason = %problem, "an ID token was refused at the desk");
            Stopped::told(SentProblem::IdToken)
        })
    }

    /// Where the browser goes (RFC 6749 4.1.1). PKCE is always there (RFC 7636), and `state` is one of ours, whatever the
    /// settings say: a written one protects nobody.
    fn leave(&self, browser: &Browser, wanted: &Wanted<'_>, send: bool) -> Result<String, Stopped> {
        let (call, ask) = (self.call, &wanted.ask);
        let redirect_uri = call.tenancy.issuer.endpoint(CALLBACK);
        if !ask.redirect_uri().is_empty() && ask.redirect_uri() != redirect_uri {
            return Err(Stopped::Told(SentProblem::RedirectElsewhere, redirect_uri));
        }
        let endpoint = &wanted.known.authorization;
        if !wanted.known.own && !may_be_visited(endpoint) {
            return Err(Stopped::told(SentProblem::NoEndpoint));
        }
        let flow = Flow {
            place: wanted.bench.place.clone(),
            send,
            browser: browser.name(),
            user: self.user.sub.clone(),
            verifier: base64url::encode(call.context.world.random::<32>()),
            asked: asked_of(ask, &wanted.known),
            until: call.now().plus(AWAY_FOR),
        };
        let leaving = Leaving {
            redirect_uri: &redirect_uri,
            state: &flow.seal(call)?,
            nonce: &flow.nonce(),
            code_challenge: &base64url::encode(digest::sha256(flow.verifier.as_bytes())),
        };
        ask.authorization_url(endpoint, &leaving).ok_or(Stopped::told(SentProblem::NoEndpoint))
    }

    /// A token that these settings obtained before; the youngest.
    async fn held(&self, bench: &Bench, name: &str, ask: &Ask) -> Result<Option<Opened>, Refusal> {
        let fingerprint = ask.fingerprint();
        let same = |opened: &Opened| {
            let token = &opened.token;
            self.owns(opened) && token.name == name && token.settings.as_ref() == Some(&fingerprint)
        };
        let all = self.items(&bench.here).await?.into_iter().filter(same);
        Ok(all.max_by_key(|opened| opened.token.issued))
    }

    /// RFC 6749 6. None when it cannot be renewed: then it is obtained anew.
    async fn renewed_by(&self, bench: &Bench, ask: &Ask, held: &Opened) -> Result<Option<KeptToken>, Stopped> {
        let Some(refresh_token) = &held.token.refresh_token else { return Ok(None) };
        let known = self.server(ask).await?;
        let id = held.item.id;
        if known.own {
            // As the button at the desk does it.
            if let Err(refusal) = self.renew(&bench.here, id).await {
                return if matches!(refusal, Refusal::Busy | Refusal::Broken) { Err(refusal.into()) } else { Ok(None) };
            }
        } else {
            let asked = ask.with_refresh_token(&known.token, refresh_token);
            let asked = asked.ok_or(Stopped::told(SentProblem::NoEndpoint))?;
            let given = match self.ask_for(bench.place.item, &known, asked).await {
                Err(Stopped::Told(SentProblem::Refused, _)) => return Ok(None),
                given => given?,
            };
            self.check_identity(ask, &known, &given, None).await?;
            self.change_item(&bench.here, id, &ItemChange::Refreshed(&given)).await?;
        }
        Ok(Some(self.item(&bench.here, id).await?.token))
    }

    /// What an item is after its settings renewed it.
    pub(super) fn refreshed(&self, token: &mut KeptToken, given: &Given) {
        let now = self.call.now();
        token.access_token = given.access_token.clone();
        (token.issued, token.expires) = (now, given.expires_in.map(|life| now.plus(life)));
        if let Some(scope) = &given.scope {
            token.scope = scope.chars().take(500).collect();
        }
        for (held, next) in [(&mut token.refresh_token, &given.refresh_token), (&mut token.id_token, &given.id_token)] {
            if next.is_some() {
                held.clone_from(next);
            }
        }
        self.describe(token);
    }

    /// The token request: at this server by its own code, at another through the relay.
    async fn ask_for(&self, item: ItemId, known: &Known, asked: AskedToken) -> Result<Given, Stopped> {
        if !known.own {
            let headers = asked.headers.iter().map(|(name, value)| (name.as_str(), value.expose()));
            let request = RelayRequest::composed("POST", asked.url, headers, Some(asked.form.expose().to_owned()));
            let answer = self.abroad(request.map_err(|_| Stopped::told(SentProblem::NotPassedOn))?).await?;
            let given = Given::parse(answer.status, answer.body.as_bytes());
            if let Err(reason) = &given {
                let event = self.call.event(Action::Token, Outcome::Refused).user(self.user).target(&item);
                let event = event.with("what", "obtained at the desk").with("origin", origin(&known.token));
                event.with("status", answer.status).with("reason", reason.to_string()).commit().await?;
            }
            return Ok(given?);
        }
        let authorization = asked.headers.iter().find(|(name, _)| name == "authorization");
        let authorization = authorization.map(|(_, value)| HeaderValue::from_str(value.expose())).transpose();
        let mut authorization = authorization.map_err(|_| Refusal::MalformedAuthorizationHeader)?;
        if let Some(authorization) = &mut authorization {
            authorization.set_sensitive(true);
        }
        let asking = self.call.posting(path::TOKEN, asked.form.expose().to_owned(), authorization);
        let given = Box::pin(token::answer(&asking)).await.map_err(|refusal| match refusal {
            Refusal::Busy | Refusal::Broken => Stopped::Refused(refusal),
            refusal => NotGiven::Refused(refusal.code().as_str().to_owned()).into(),
        })?;
        Ok(Given {
            access_token: Secret::new(given.access_token),
            refresh_token: given.refresh_token.map(Secret::new),
            id_token: given.id_token.map(Secret::new),
            scope: Some(given.scope.to_string()),
            expires_in: Some(given.expires_in),
        })
    }

    /// Puts it onto the desk, in the place of the one before.
    async fn keep_given(&self, wanted: &Wanted<'_>, given: Given) -> Result<KeptToken, Stopped> {
        let (Wanted { bench, name, ask, known }, now) = (wanted, self.call.now());
        let mut token = KeptToken {
            name: name.clone(),
            issuer: known.issuer.clone().unwrap_or_default(),
            client: ask.client().to_string(),
            // Of this server, so that it is renewed here as others are.
            client_secret: ask.client_secret().filter(|_| known.own).cloned(),
            user: String::new(),
            scope: given.scope.clone().unwrap_or_else(|| ask.scope().to_owned()),
            issued: now,
            expires: given.expires_in.map(|life| now.plus(life)),
            settings: Some(ask.fingerprint()),
            shared: false,
            shares: BTreeMap::new(),
            uses: Vec::new(),
            access_token: given.access_token,
            refresh_token: given.refresh_token,
            id_token: given.id_token,
        };
        self.describe(&mut token);
        match self.held(bench, name, ask).await? {
            Some(before) => drop(self.change_item(&bench.here, before.item.id, &ItemChange::Obtained(&token)).await?),
            None => self.put(&bench.here, token.clone()).await?,
        }
        let event = self.call.event(Action::Token, Outcome::Allowed).user(self.user).target(&bench.place.item);
        let event = event.with("what", "obtained at the desk").with("client_id", ask.client());
        event.with("origin", origin(&known.token)).commit().await?;
        Ok(token)
    }
}

/// What the settings call it, or the collection; short enough for the desk.
fn token_name(bench: &Bench, settings: &TokenSettings) -> String {
    let called = settings.name.as_ref().unwrap_or(&bench.collection().root().name).as_str();
    name(&called.chars().take(100).collect::<String>()).unwrap_or_default()
}

fn asked_of(ask: &Ask, known: &Known) -> String {
    let whole = format!("{} {} {}", ask.fingerprint(), known.authorization, known.token);
    base64url::encode(digest::sha256(whole.as_bytes()))
}

/// Scheme, host and port: what a log may say of a URL.
pub(super) fn origin(url: &str) -> String {
    Url::parse(url).map_or_else(|_| "no URL".to_owned(), |url| url.origin().ascii_serialization())
}

/// A page that a browser may be sent to: https, or http on this machine (RFC 8252 7.3).
fn may_be_visited(url: &str) -> bool {
    grantor_fetch::Origin::parse(&origin(url)).is_some()
}
