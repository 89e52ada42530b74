//! Signing in with a password.

use super::flow::{self, Interaction, Pending};
use super::{View, error, go, problem, visit};
use crate::browser::Browser;
use crate::extract::Call;
use axum::response::Response;
use grantor_login::Attempt;
use grantor_protocol::Refusal;
use grantor_protocol::audit::{Action, Outcome};
use grantor_protocol::directory::User;
use grantor_protocol::metadata::ACR_PASSWORD;
use grantor_protocol::params::Params;
use grantor_protocol::session::Authentication;
use grantor_protocol::value::Secret;
use grantor_web::{ErrorKind, SignIn, SignInError};
use http::StatusCode;

/// Nobody is called longer.
const MAX_USERNAME: usize = 255;

/// `GET /signin`.
pub(crate) async fn get(call: Call) -> Response {
    match visit(&call).await {
        Ok((browser, params)) => show(&call, &browser, &params, None, None).await,
        Err(instead) => *instead,
    }
}

/// `POST /signin`.
pub(crate) async fn post(call: Call) -> Response {
    let (browser, form) = match (Browser::of(&call).await, call.strict_form()) {
        (Ok(browser), Ok(form)) => (browser, form),
        (Err(refusal), _) | (_, Err(refusal)) => return error(&call, None, &refusal),
    };
    if browser.check_form(&call, &form).is_err() {
        return show(&call, &browser, &form, None, Some(SignInError::Expired)).await;
    }
    let username = form.get("username").filter(|name| name.len() <= MAX_USERNAME).unwrap_or_default();
    let password = Secret::new(form.get("password").unwrap_or_default().to_owned());
    match check(&call, username, &password).await {
        Err(Failure::Refused(refusal)) => error(&call, Some(&browser), &refusal),
        Err(Failure::Told(told)) => show(&call, &browser, &form, Some(username), Some(told)).await,
        Ok(user) => {
            let time = call.now();
            let authentication = Authentication { time, acr: ACR_PASSWORD.to_owned(), amr: vec!["pwd".to_owned()] };
            // Opened by the browser that brought it: signing in gives it another name.
            let waits = match form.get("interaction") {
                None => Waits::Nothing,
                Some(sealed) => Interaction::open(&call, &browser, sealed).map_or(Waits::TooLong, Waits::Request),
            };
            // Both with one commit, where it can be.
            let written = call.event(Action::SignIn, Outcome::Allowed).actor(&user.sub).commit();
            match tokio::try_join!(written, browser.sign_in(&call, user, authentication)) {
                Err(refusal) => error(&call, None, &refusal),
                Ok(((), browser)) => onwards(&call, &browser, waits).await,
            }
        }
    }
}

enum Failure {
    Told(SignInError),
    Refused(Refusal),
}

/// The same answer and the same time for a wrong password and for a user who does not exist.
async fn check(call: &Call, username: &str, password: &Secret) -> Result<User, Failure> {
    let tenant = call.tenancy.name();
    let known = Browser::is_known(call, username);
    let attempt = Attempt { tenant, account: username, address: call.meta.address, known };
    // Counted before it is verified, so that many at once are no way around it.
    if let Err(wait) = call.context.throttle.begin(attempt, call.now()) {
        call.event(Action::SignIn, Outcome::Refused).with("reason", "throttled").write();
        return Err(Failure::Told(SignInError::Throttled { seconds: u64::from(wait.get()) }));
    }
    let found = call.context.store.user_by_username(call.tenancy.name(), username).await;
    let user = found.map_err(|error| Failure::Refused(crate::failure::failed(&error)))?;
    let hash = user.as_ref().filter(|user| !user.disabled).and_then(|user| user.password_hash.as_deref());
    let right = call.context.passwords.verify(password, hash).await.map_err(|_| Failure::Refused(Refusal::Busy))?;
    let Some(user) = user.filter(|_| right) else {
        // What was typed may be a password in the wrong field: it is not logged.
        call.event(Action::SignIn, Outcome::Refused).with("reason", "wrong credentials").write();
        return Err(Failure::Told(SignInError::WrongCredentials));
    };
    call.context.throttle.succeeded(attempt);
    Ok(user)
}

/// What waits for the sign-in.
enum Waits {
    Nothing,
    Request(Interaction),
    TooLong,
}

/// On with the request that waits, or to "your apps".
async fn onwards(call: &Call, browser: &Browser, waits: Waits) -> Response {
    match waits {
        Waits::Nothing => go(call, Some(browser), "/applications"),
        Waits::TooLong => problem(call, Some(browser), ErrorKind::Expired, StatusCode::BAD_REQUEST),
        Waits::Request(interaction) => flow::proceed(call, browser, &interaction).await,
    }
}

async fn show(
    call: &Call,
    browser: &Browser,
    params: &Params,
    typed: Option<&str>,
    error_shown: Option<SignInError>,
) -> Response {
    let sealed = params.get("interaction");
    let pending = match sealed {
        None => None,
        Some(sealed) => match Interaction::open(call, browser, sealed) {
            None => return problem(call, Some(browser), ErrorKind::Expired, StatusCode::BAD_REQUEST),
            Some(interaction) => match flow::look(call, browser, &interaction).await {
                Ok(pending) => Some(pending),
                Err(stopped) => return flow::stop(call, browser, stopped).await,
            },
        },
    };
    let csrf = match browser.csrf(call) {
        Ok(csrf) => csrf,
        Err(refusal) => return error(call, Some(browser), &refusal),
    };
    let view = match &pending {
        None => View::new(call, Some(browser)),
        Some(Pending { request, .. }) => flow::view(call, browser, request),
    };
    let hint = pending.as_ref().and_then(|pending| pending.request.login_hint.clone());
    let language = view.language;
    let application = pending
        .as_ref()
        .map(|pending| pending.request.target.client().metadata.display_name(language.tag()).to_owned());
    let page = SignIn {
        application,
        username: typed.map(str::to_owned).or(hint).unwrap_or_default(),
        error: error_shown,
        interaction: sealed.unwrap_or_default().into(),
        csrf: csrf.into(),
        action: format!("{}/signin", call.tenancy.base),
    };
    let status = match error_shown {
        None => StatusCode::OK,
        Some(SignInError::WrongCredentials) => StatusCode::UNPROCESSABLE_ENTITY,
        Some(SignInError::Throttled { .. }) => StatusCode::TOO_MANY_REQUESTS,
        Some(SignInError::Expired) => StatusCode::FORBIDDEN,
    };
    view.status(status).show(&page)
}
