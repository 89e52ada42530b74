//! Sending a saved request. What is sent is put together of the user's own documents alone: of somebody else's he would not know where
//! his secrets go, since those may change at any moment.

use super::abroad::Stopped;
use super::add::unverified_claims;
use super::obtain::{Next, Place, origin};
use super::{OpenedDocument, Seat};
use crate::browser::Browser;
use crate::token::open_access_token;
use grantor_fetch::{RelayAnswer, RelayRequest};
use grantor_protocol::Refusal;
use grantor_protocol::audit::{Action, Outcome};
use grantor_protocol::desk::{
    Body, Collection, Environment, Request, TokenSettings, Unfilled, UsedToken, Variables, urlencoded,
};
use grantor_protocol::params::encode;
use grantor_protocol::token::Binding;
use grantor_protocol::value::{ItemId, Secret};
use grantor_protocol::workspace::{DOTS, Document, KeptToken, Right, Saved, Workspace};
use grantor_web::SentProblem;

/// Which token goes along.
pub(crate) enum Choice {
    /// What the settings in force say; none where there are none.
    Settings,
    /// None.
    None,
    /// This one of the desk.
    Item(ItemId),
}

/// A place in a collection of one's own, with all that fills it.
pub(crate) struct Bench {
    pub(crate) here: Workspace,
    pub(crate) place: Place,
    collection: Collection,
    environment: Option<Environment>,
    masked: (Collection, Option<Environment>),
    secrets: Vec<Secret>,
}

/// A request as people may see it.
pub(crate) struct Shown {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// A request that was sent, and what came of it.
pub(crate) struct Sent {
    pub(crate) shown: Shown,
    pub(crate) answer: Result<RelayAnswer, Stopped>,
}

/// A token on its way.
struct Carried {
    header: Secret,
    shown: String,
    token: Secret,
}

/// A request with values in the place of names.
struct Filled {
    method: String,
    url: Secret,
    headers: Vec<(String, Secret)>,
    body: Option<Secret>,
}

impl Bench {
    pub(crate) fn collection(&self) -> &Collection {
        &self.collection
    }

    /// The environment before the collection.
    pub(super) fn variables(&self) -> Variables<'_> {
        layers(&self.collection, self.environment.as_ref())
    }

    /// The request that is meant, and the settings in force there.
    pub(crate) fn request(&self) -> Result<(&Request, Option<&TokenSettings>), Refusal> {
        self.collection.request(self.place.at.steps()).ok_or(Refusal::NotOnTheDesk)
    }

    /// The settings in force, of a request or a folder.
    pub(crate) fn settings(&self) -> Result<Option<&TokenSettings>, Refusal> {
        let at = self.place.at.steps();
        let of_request = self.collection.request(at).map(|(_, settings)| settings);
        of_request.or_else(|| self.collection.folder(at).map(|(_, settings)| settings)).ok_or(Refusal::NotOnTheDesk)
    }

    /// What people call what is meant.
    pub(crate) fn name(&self) -> &str {
        let of_request = self.collection.request(self.place.at.steps()).map(|(request, _)| request.name.as_str());
        of_request.unwrap_or(self.collection.root().name.as_str())
    }

    fn shown(&self, request: &Request, carried: Option<&Carried>) -> Result<Shown, Unfilled> {
        let Filled { method, url, mut headers, body } = fill(request, &layers(&self.masked.0, self.masked.1.as_ref()))?;
        if let Some(carried) = carried {
            put_authorization(&mut headers, Secret::new(carried.shown.clone()));
        }
        let plain = |secret: &Secret| secret.expose().to_owned();
        Ok(Shown {
            method,
            url: plain(&url),
            headers: headers.iter().map(|(name, value)| (name.clone(), plain(value))).collect(),
            // In a form the dots would be encoded.
            body: body.as_ref().map(plain).unwrap_or_default().replace(&encode(DOTS), DOTS),
        })
    }
}

impl Seat<'_> {
    /// What lies at a place. Everything is looked at again with each request.
    pub(crate) async fn bench(&self, place: Place) -> Result<Bench, Stopped> {
        let here = self.workspace(place.workspace, Right::Use).await?;
        let collection: Saved<Collection> = self.own_document(&here, place.item).await?;
        let environment: Option<Saved<Environment>> = match place.environment {
            Some(id) => Some(self.own_document(&here, id).await?),
            None => None,
        };
        let secrets = collection.secrets().chain(environment.iter().flat_map(Saved::secrets)).cloned().collect();
        Ok(Bench {
            here,
            place,
            collection: collection.exposed(),
            environment: environment.as_ref().map(Saved::exposed),
            masked: (collection.masked(), environment.as_ref().map(Saved::masked)),
            secrets,
        })
    }

    /// Sends a request, or says where the browser must go first.
    pub(crate) async fn send(
        &self,
        browser: &Browser,
        bench: &Bench,
        choice: Choice,
    ) -> Result<Result<Sent, String>, Stopped> {
        let (_, settings) = bench.request()?;
        let token = match (choice, settings) {
            (Choice::None, _) | (Choice::Settings, None) => None,
            (Choice::Item(id), _) => Some(self.own(&bench.here, id).await?.token),
            (Choice::Settings, Some(settings)) => match self.token_of(browser, bench, settings, (false, true)).await? {
                Next::Token(token) => Some(*token),
                Next::Leave(url) => return Ok(Err(url)),
            },
        };
        self.send_with(bench, token.as_ref()).await.map(Ok)
    }

    /// Sends a request with this token.
    pub(crate) async fn send_with(&self, bench: &Bench, token: Option<&KeptToken>) -> Result<Sent, Stopped> {
        let (request, settings) = bench.request()?;
        let carried = token.map(|token| self.carried(bench, settings, token)).transpose()?;
        let mut filled = fill(request, &bench.variables())?;
        if let Some(carried) = &carried {
            put_authorization(&mut filled.headers, carried.header.clone());
        }
        let shown = bench.shown(request, carried.as_ref())?;
        let asked = origin(filled.url.expose());
        let headers = filled.headers.iter().map(|(name, value)| (name.as_str(), value.expose()));
        let body = filled.body.as_ref().map(|body| body.expose().to_owned());
        let composed = RelayRequest::composed(&filled.method, filled.url.expose().to_owned(), headers, body);
        let answer = match composed {
            Ok(composed) => self.abroad(composed).await,
            Err(_) => Err(Stopped::told(SentProblem::NotPassedOn)),
        };
        self.note_sent(bench, &asked, answer.as_ref()).await?;
        let token = carried.iter().map(|carried| carried.token.clone());
        // A secret may name variables itself.
        let values = bench.secrets.iter().filter_map(|secret| bench.variables().fill(secret.expose()).ok());
        let secrets: Vec<Secret> = values.chain(token).collect();
        Ok(Sent { shown, answer: answer.map(|answer| without(answer, &secrets)) })
    }

    /// Who sent what to whom; of whom nobody listed, nothing is written down, since it may be anything.
    async fn note_sent(
        &self,
        bench: &Bench,
        origin: &str,
        answer: Result<&RelayAnswer, &Stopped>,
    ) -> Result<(), Refusal> {
        let outcome = if answer.is_ok() { Outcome::Allowed } else { Outcome::Refused };
        let event = self.call.event(Action::Token, outcome).user(self.user).target(&bench.place.item);
        let event = event.with("what", "sent from the desk");
        match answer {
            Ok(answer) => event.with("origin", origin).with("status", answer.status),
            Err(Stopped::Told(SentProblem::Unreachable, origin)) => event.with("origin", origin),
            Err(_) => event,
        }
        .commit()
        .await
    }

    /// `Authorization` with the token that the settings want (RFC 6750 2.1, or as the API wants it).
    fn carried(&self, bench: &Bench, settings: Option<&TokenSettings>, token: &KeptToken) -> Result<Carried, Stopped> {
        if self.is_bound(&token.access_token) {
            return Err(Stopped::told(SentProblem::Bound));
        }
        let used = match settings.map(|settings| settings.use_token).unwrap_or_default() {
            UsedToken::AccessToken => token.access_token.clone(),
            UsedToken::IdToken => token.id_token.clone().ok_or(Stopped::told(SentProblem::NoIdToken))?,
        };
        let with = |token: &str, variables: &Variables<'_>| match settings {
            Some(settings) => {
                let prefix = variables.fill_line(settings.header_prefix.as_str())?;
                let space = if prefix.expose().is_empty() { "" } else { " " };
                Ok::<_, Unfilled>(Secret::new(format!("{}{space}{token}", prefix.expose())))
            }
            None => Ok(Secret::new(format!("Bearer {token}"))),
        };
        let masked = layers(&bench.masked.0, bench.masked.1.as_ref());
        let header = with(used.expose(), &bench.variables())?;
        Ok(Carried { header, shown: with(DOTS, &masked)?.expose().to_owned(), token: used })
    }

    /// Whether whoever presents it must prove something that this server cannot (RFC 7800 3.1).
    fn is_bound(&self, token: &Secret) -> bool {
        match open_access_token(&self.call.tenancy, token.expose()) {
            Ok(own) => !matches!(own.binding, Binding::Bearer),
            Err(_) => unverified_claims(token.expose()).is_some_and(|claims| claims.contains_key("cnf")),
        }
    }

    async fn own_document<D: Document>(&self, here: &Workspace, id: ItemId) -> Result<Saved<D>, Stopped> {
        let OpenedDocument { item, saved } = self.document::<D>(here, id).await?;
        if item.owner == self.user.sub { Ok(saved) } else { Err(Stopped::told(SentProblem::SomebodyElses)) }
    }
}

fn layers<'v>(collection: &'v Collection, environment: Option<&'v Environment>) -> Variables<'v> {
    Variables::new(environment.map(Environment::variables).into_iter().chain([collection.variables()]))
}

fn fill(request: &Request, variables: &Variables<'_>) -> Result<Filled, Unfilled> {
    let mut headers = Vec::new();
    for header in &request.headers {
        headers.push((header.name.as_str().to_owned(), variables.fill_line(header.value.as_str())?));
    }
    let body = match &request.body {
        Body::Empty => None,
        Body::Text(text) => Some(variables.fill(text)?),
        Body::Form(fields) => {
            if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                headers.push(("Content-Type".to_owned(), Secret::new("application/x-www-form-urlencoded".to_owned())));
            }
            let fill = |text: &str| variables.fill(text);
            let pairs = fields.iter().map(|field| Ok((fill(&field.name)?.expose().to_owned(), fill(&field.value)?)));
            Some(urlencoded(&pairs.collect::<Result<Vec<_>, Unfilled>>()?))
        }
    };
    let url = Secret::new(variables.fill_line(request.url.as_str())?.expose().trim().to_owned());
    Ok(Filled { method: request.method.as_str().to_owned(), url, headers, body })
}

/// A request has one `Authorization` (RFC 9110 11.6.2): that of its token.
fn put_authorization(headers: &mut Vec<(String, Secret)>, value: Secret) {
    headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
    headers.push(("Authorization".to_owned(), value));
}

/// An answer that repeats what it was sent does not carry it into the browser, as it is or as forms and JSON write it. What
/// is shorter than four characters would turn up everywhere.
fn without(mut answer: RelayAnswer, secrets: &[Secret]) -> RelayAnswer {
    let mut hidden = Vec::new();
    for secret in secrets.iter().map(Secret::expose).filter(|secret| secret.len() >= 4) {
        let json = serde_json::to_string(secret).unwrap_or_default();
        hidden.extend([secret.to_owned(), encode(secret), json.trim_matches('"').to_owned()]);
    }
    // The longest first: one may begin with another.
    hidden.sort_unstable_by_key(|text| std::cmp::Reverse(text.len()));
    let hide = |text: &mut String| {
        for secret in &hidden {
            if text.contains(secret.as_str()) {
                *text = text.replace(secret.as_str(), DOTS);
            }
        }
    };
    hide(&mut answer.body);
    for (_, value) in &mut answer.headers {
        hide(value);
    }
    answer
}
