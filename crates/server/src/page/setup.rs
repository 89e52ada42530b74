//! Setting up the first administrator.

use super::{View, error, problem, visit};
use crate::browser::Browser;
use crate::extract::Call;
use crate::failure::failed;
use crate::setup::SetupToken;
use axum::response::Response;
use grantor_protocol::Refusal;
use grantor_protocol::audit::{Action, Outcome};
use grantor_protocol::directory::{User, UserClaims};
use grantor_protocol::params::Params;
use grantor_protocol::value::{GrantId, Secret, Subject};
use grantor_store::{Change, StoreError};
use grantor_web::{ErrorKind, SetupAdministrator, SetupDone, SetupError};
use http::StatusCode;
use std::collections::BTreeMap;

/// NIST SP 800-63B 5.1.1.2: at least eight; an administrator's is longer.
const SHORTEST: usize = 12;
const LONGEST: usize = 1024;

/// `GET /setup?token=...`.
pub(crate) async fn get(call: Call) -> Response {
    match visit(&call).await {
        Ok((browser, params)) => show(&call, &browser, &params, None),
        Err(instead) => *instead,
    }
}

/// `POST /setup`.
pub(crate) async fn post(call: Call) -> Response {
    let (browser, form) = match (Browser::of(&call).await, call.strict_form()) {
        (Ok(browser), Ok(form)) => (browser, form),
        (Err(refusal), _) | (_, Err(refusal)) => return error(&call, None, &refusal),
    };
    if browser.check_form(&call, &form).is_err() {
        return show(&call, &browser, &form, Some(SetupError::Expired));
    }
    let sealed = form.get("token").unwrap_or_default();
    let Some(token) = SetupToken::open(&call.tenancy, sealed, call.now()) else { return expired(&call, &browser) };
    let (username, password) = match chosen(&form) {
        Ok(chosen) => chosen,
        Err(told) => return show(&call, &browser, &form, Some(told)),
    };
    match create(&call, &token, username, &password).await {
        Err(refusal) => error(&call, Some(&browser), &refusal),
        Ok(Created::TooLate) => expired(&call, &browser),
        Ok(Created::Taken) => show(&call, &browser, &form, Some(SetupError::UsernameRefused)),
        Ok(Created::Done) => View::new(&call, Some(&browser))
            .show(&SetupDone { username: username.to_owned(), continue_to: format!("{}/signin", call.tenancy.base) }),
    }
}

fn chosen(form: &Params) -> Result<(&str, Secret), SetupError> {
    let username = form.get("username").unwrap_or_default().trim();
    let password = form.get("password").unwrap_or_default();
    if username.is_empty() || username.len() > 255 || username.chars().any(char::is_whitespace) {
        return Err(SetupError::UsernameRefused);
    }
    if form.get("password_again") != Some(password) {
        return Err(SetupError::PasswordsDiffer);
    }
    match password.chars().count() {
        ..SHORTEST => Err(SetupError::PasswordTooShort),
        SHORTEST..=LONGEST => Ok((username, Secret::new(password.to_owned()))),
        _ => Err(SetupError::PasswordTooLong),
    }
}

/// What came of it.
enum Created {
    Done,
    /// The link is used up, or another administrator was faster.
    TooLate,
    Taken,
}

/// Makes the administrator, if there is none yet. A name that is taken does not use the link up; of any number of tries
/// with one link, one uses it, and of two links the directory's version lets one win.
async fn create(call: &Call, token: &SetupToken, username: &str, password: &Secret) -> Result<Created, Refusal> {
    let (store, tenant) = (&call.context.store, call.tenancy.name());
    let hash = call.context.passwords.hash(password, call.context.world.random()).await.map_err(|_| Refusal::Busy)?;
    let version = store.directory_version().await.map_err(|broken| failed(&broken))?;
    let users = store.users(tenant).await.map_err(|broken| failed(&broken))?;
    if users.iter().any(|user| user.administrator) {
        return Ok(Created::TooLate);
    }
    if users.iter().any(|user| user.username.to_lowercase() == username.to_lowercase()) {
        return Ok(Created::Taken);
    }
    if !token.spend(call).await.map_err(|broken| failed(&broken))? {
        return Ok(Created::TooLate);
    }
    let id = GrantId::new(call.context.world.millis(), call.context.world.random()).to_string();
    let user = User {
        tenant: tenant.clone(),
        sub: Subject::parse(&id).ok_or(Refusal::Broken)?,
        username: username.to_owned(),
        password_hash: Some(hash),
        administrator: true,
        disabled: false,
        roles: BTreeMap::new(),
        claims: UserClaims::default(),
    };
    let event = call.event(Action::Configuration, Outcome::Allowed).actor(&"setup link").target(&user.sub);
    match store.change_directory(vec![Change::PutUser(user)], Some(version)).await {
        Ok(_) => event.with("what", "the first administrator").commit().await?,
        Err(StoreError::Conflict { .. }) => return Ok(Created::TooLate),
        Err(broken) => return Err(failed(&broken)),
    }
    Ok(Created::Done)
}

fn expired(call: &Call, browser: &Browser) -> Response {
    problem(call, Some(browser), ErrorKind::Expired, StatusCode::FORBIDDEN)
}

fn show(call: &Call, browser: &Browser, params: &Params, told: Option<SetupError>) -> Response {
    let sealed = params.get("token").unwrap_or_default();
    if SetupToken::open(&call.tenancy, sealed, call.now()).is_none() {
        return expired(call, browser);
    }
    let csrf = match browser.csrf(call) {
        Ok(csrf) => csrf,
        Err(refusal) => return error(call, Some(browser), &refusal),
    };
    let status = if told.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    View::new(call, Some(browser)).status(status).show(&SetupAdministrator {
        token: sealed.into(),
        username: params.get("username").unwrap_or("admin").to_owned(),
        minimum_length: u64::try_from(SHORTEST).unwrap_or(0),
        error: told,
        csrf: csrf.into(),
        action: format!("{}/setup", call.tenancy.base),
    })
}
