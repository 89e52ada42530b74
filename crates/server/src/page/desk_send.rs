//! The token desk sends saved requests, and obtains tokens by their settings: what a form asks for, and what the browser brings
//! back from another server.

use super::desk::DESK;
use super::{Shown, View, either, error, go, home, known, own_form, problem, visit};
use crate::browser::Browser;
use crate::desk::{self, Bench, Choice, Flow, Next, Place, Seat, Sent, Stopped};
use crate::extract::Call;
use crate::respond;
use axum::response::Response;
use grantor_fetch::RelayAnswer;
use grantor_protocol::Refusal;
use grantor_protocol::desk::{At, indented};
use grantor_protocol::params::Params;
use grantor_protocol::value::{ItemId, WorkspaceId};
use grantor_web::{DeskLeave, DeskSent, ErrorKind, SentAgain, SentAnswer, SentProblem, SentRequest};
use http::{HeaderValue, StatusCode, header};
use std::time::Duration;

/// Sends a request.
pub(crate) const SEND: &str = "/desk/send";
/// Obtains a token.
pub(crate) const OBTAIN: &str = "/desk/obtain";
/// Where authorization responses arrive.
pub(crate) const CALLBACK: &str = desk::CALLBACK;

/// An answer is not laid out for people when it would become longer, in bytes.
const LONGEST: usize = 512 * 1024;

/// One visit.
struct Visit<'a> {
    call: &'a Call,
    browser: &'a Browser,
    seat: &'a Seat<'a>,
    begun: Duration,
}

/// `POST /desk/send`.
pub(crate) async fn send(call: Call) -> Response {
    posted(call, true).await
}

/// `POST /desk/obtain`: the same without sending.
pub(crate) async fn obtain(call: Call) -> Response {
    posted(call, false).await
}

/// `GET /desk/callback`: the browser is back, with a code or without.
pub(crate) async fn callback(call: Call) -> Response {
    if !call.tenancy.directory.tenant.desk {
        return home::not_found(call).await;
    }
    either(returned(&call).await)
}

async fn posted(call: Call, send: bool) -> Response {
    if !call.tenancy.directory.tenant.desk {
        return home::not_found(call).await;
    }
    let begun = call.context.world.uptime();
    let shown: Shown = async {
        let call = &call;
        let (browser, form) = own_form(call).await?;
        let Some(user) = browser.user() else { return Ok(go(call, Some(&browser), "/signin")) };
        let seat = known(call, Some(&browser), Seat::take(call, user))?;
        let visit = Visit { call, browser: &browser, seat: &seat, begun };
        let (Some(place), Some(choice)) = (place(&form), choice(&form)) else {
            return Ok(visit.not_found());
        };
        Ok(if send { visit.send(place, choice, &form).await } else { visit.obtain(place).await })
    }
    .await;
    either(shown)
}

async fn returned(call: &Call) -> Shown {
    let begun = call.context.world.uptime();
    let (browser, params) = visit(call).await?;
    let Some(user) = browser.user() else { return Ok(go(call, Some(&browser), "/signin")) };
    let flow = params.get("state").filter(|_| !params.is_repeated("state"));
    let Some(flow) = flow.and_then(|state| Flow::open(call, &browser, state)) else {
        return Ok(problem(call, Some(&browser), ErrorKind::Expired, StatusCode::BAD_REQUEST));
    };
    let seat = known(call, Some(&browser), Seat::take(call, user))?;
    let visit = Visit { call, browser: &browser, seat: &seat, begun };
    Ok(visit.come_back(&flow, &params).await)
}

impl Visit<'_> {
    async fn send(&self, place: Place, choice: Choice, form: &Params) -> Response {
        let token = form.get("token").unwrap_or_default();
        match self.seat.bench(place.clone()).await {
            Err(stopped) => self.stopped(&place, None, stopped, token),
            Ok(bench) => match self.seat.send(self.browser, &bench, choice).await {
                Ok(Ok(sent)) => self.sent(&bench, sent, token),
                Ok(Err(url)) => self.leave(&place, &url),
                Err(stopped) => self.stopped(&place, Some(bench.name()), stopped, token),
            },
        }
    }

    async fn obtain(&self, place: Place) -> Response {
        let bench = match self.seat.bench(place.clone()).await {
            Ok(bench) => bench,
            Err(stopped) => return self.stopped(&place, None, stopped, ""),
        };
        let next = async {
            let settings = bench.settings()?.ok_or(Stopped::Refused(Refusal::NotOnTheDesk))?;
            self.seat.token_of(self.browser, &bench, settings, (true, false)).await
        };
        match next.await {
            Ok(Next::Token(_)) => self.back_with_token(&place),
            Ok(Next::Leave(url)) => self.leave(&place, &url),
            Err(stopped) => self.stopped(&place, Some(bench.name()), stopped, ""),
        }
    }

    async fn come_back(&self, flow: &Flow, params: &Params) -> Response {
        let place = &flow.place;
        let bench = match self.seat.bench(place.clone()).await {
            Ok(bench) => bench,
            Err(stopped) => return self.stopped(place, None, stopped, ""),
        };
        let token = async {
            let settings = bench.settings()?.ok_or(Stopped::Refused(Refusal::NotOnTheDesk))?;
            self.seat.returned(flow, &bench, settings, params).await
        };
        match token.await {
            Err(stopped) => self.stopped(place, Some(bench.name()), stopped, ""),
            Ok(_) if !flow.send => self.back_with_token(place),
            Ok(token) => match self.seat.send_with(&bench, Some(&token)).await {
                Ok(sent) => self.sent(&bench, sent, "settings"),
                Err(stopped) => self.stopped(place, Some(bench.name()), stopped, "settings"),
            },
        }
    }

    fn sent(&self, bench: &Bench, sent: Sent, token: &str) -> Response {
        let Sent { shown, answer } = sent;
        let request =
            SentRequest { method: shown.method, url: shown.url, headers: shown.headers, body: lines(&shown.body) };
        match answer {
            Ok(answer) => {
                let answer = self.answer(answer);
                self.page(&bench.place, bench.name(), token, |page| {
                    (page.request, page.answer) = (Some(request), Some(answer));
                })
            }
            Err(Stopped::Told(problem, about)) => self.page(&bench.place, bench.name(), token, |page| {
                (page.request, page.problem, page.about) = (Some(request), Some(problem), about);
            }),
            Err(stopped) => self.stopped(&bench.place, Some(bench.name()), stopped, token),
        }
    }

    fn answer(&self, answer: RelayAnswer) -> SentAnswer {
        let RelayAnswer { status, headers, body, took } = answer;
        let whole = self.call.context.world.uptime().saturating_sub(self.begun);
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let body = indented(&body, LONGEST).unwrap_or(body);
        SentAnswer { status, headers, body: lines(&body), own: millis(whole.saturating_sub(took)), other: millis(took) }
    }

    /// Why nothing was sent: the reason stands in the log, too, and not what it is about, which may be anything.
    fn stopped(&self, place: &Place, name: Option<&str>, stopped: Stopped, token: &str) -> Response {
        let reason = match &stopped {
            Stopped::Told(problem, _) => format!("{problem:?}"),
            Stopped::Refused(refusal) => refusal.to_string(),
        };
        tracing::info!(request_id = %self.call.meta.request_id, reason, "not sent from the desk");
        let (problem, about) = match stopped {
            Stopped::Told(problem, about) => (problem, about),
            Stopped::Refused(refusal @ (Refusal::Busy | Refusal::Broken)) => {
                return error(self.call, Some(self.browser), &refusal);
            }
            Stopped::Refused(Refusal::NotOnTheDesk) => return self.not_found(),
            Stopped::Refused(Refusal::RightMissing) => (SentProblem::RightMissing, String::new()),
            Stopped::Refused(Refusal::DeskIsFull) => (SentProblem::Full, String::new()),
            Stopped::Refused(refusal) => (SentProblem::Refused, refusal.code().as_str().to_owned()),
        };
        self.page(place, name.unwrap_or("…"), token, |page| (page.problem, page.about) = (Some(problem), about))
    }

    fn page(&self, place: &Place, name: &str, token: &str, fill: impl FnOnce(&mut DeskSent)) -> Response {
        let csrf = match self.browser.csrf(self.call) {
            Ok(csrf) => csrf,
            Err(refusal) => return error(self.call, Some(self.browser), &refusal),
        };
        let again = SentAgain {
            workspace: place.workspace.to_string(),
            item: place.item.to_string(),
            at: place.at.to_string(),
            environment: place.environment.map(|id| id.to_string()).unwrap_or_default(),
            token: token.to_owned(),
        };
        let mut page = DeskSent {
            name: name.to_owned(),
            request: None,
            answer: None,
            problem: None,
            about: String::new(),
            again: (!token.is_empty()).then_some(again),
            csrf: csrf.into(),
            action: format!("{}{SEND}", self.call.tenancy.base),
            back: self.back(place),
        };
        fill(&mut page);
        View::new(self.call, Some(self.browser)).show(&page)
    }

    /// To the page that asks the user. Ours is a redirect away; to another's the browser goes from a page that says where: what a
    /// form leads to is no other origin (CSP `form-action`).
    fn leave(&self, place: &Place, url: &str) -> Response {
        let own = &self.call.context.origin.text;
        if url.strip_prefix(own.as_str()).is_some_and(|path| path.starts_with('/')) {
            return super::with_cookie(self.call, Some(self.browser), respond::see_other(url));
        }
        let origin = url::Url::parse(url).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
        let page = DeskLeave { origin, url: url.to_owned(), back: self.back(place) };
        let mut response = View::new(self.call, Some(self.browser)).show(&page);
        if let Ok(refresh) = HeaderValue::from_str(&format!("0; url={url}")) {
            response.headers_mut().insert(header::REFRESH, refresh);
        }
        response
    }

    fn back_with_token(&self, place: &Place) -> Response {
        let query = query(place);
        go(self.call, Some(self.browser), &format!("{DESK}/collection?{query}&notice=done"))
    }

    fn back(&self, place: &Place) -> String {
        format!("{}{DESK}/collection?{}", self.call.tenancy.base, query(place))
    }

    fn not_found(&self) -> Response {
        problem(self.call, Some(self.browser), ErrorKind::NotFound, StatusCode::NOT_FOUND)
    }
}

fn query(place: &Place) -> String {
    let at = if place.at.is_root() { String::new() } else { format!("&at={}", place.at) };
    format!("workspace={}&item={}{at}", place.workspace, place.item)
}

fn place(form: &Params) -> Option<Place> {
    let environment = match form.get("environment").filter(|id| !id.is_empty()) {
        Some(id) => Some(ItemId::parse(id)?),
        None => None,
    };
    Some(Place {
        workspace: WorkspaceId::parse(form.get("workspace")?)?,
        item: ItemId::parse(form.get("item")?)?,
        at: At::parse(form.get("at").unwrap_or_default())?,
        environment,
    })
}

fn choice(form: &Params) -> Option<Choice> {
    match form.get("token").unwrap_or_default() {
        "" | "settings" => Some(Choice::Settings),
        "none" => Some(Choice::None),
        id => ItemId::parse(id).map(Choice::Item),
    }
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}
