//! Where a person says which device waits for him, and what becomes of it (RFC 8628 3.3).

use super::flow::{self, Interaction, Pending};
use super::{Shown, View, either, error, known, own_form, problem, visit};
use crate::browser::Browser;
use crate::extract::Call;
use crate::failure::failed;
use axum::response::Response;
use grantor_login::Attempt;
use grantor_protocol::audit::{Action, Outcome};
use grantor_protocol::authorize::DeviceTarget;
use grantor_protocol::authorize::source::Source;
use grantor_protocol::directory::User;
use grantor_protocol::metadata::path;
use grantor_protocol::session::Session;
use grantor_protocol::value::UserCode;
use grantor_web::{Device, DeviceDone, DeviceError, ErrorKind};
use http::StatusCode;

/// `GET /device`, with `user_code` when it came by a link. Nothing is looked up yet.
pub(crate) async fn get(call: Call) -> Response {
    either(ask(&call).await)
}

/// `POST /device`.
pub(crate) async fn post(call: Call) -> Response {
    either(typed(&call).await)
}

async fn ask(call: &Call) -> Shown {
    let (browser, params) = visit(call).await?;
    let given = params.get("user_code").and_then(UserCode::parse).map(|code| code.to_string());
    let came_with_link = given.is_some();
    show(call, &browser, given.unwrap_or_default(), came_with_link, None)
}

async fn typed(call: &Call) -> Shown {
    let (browser, form) = own_form(call).await?;
    let typed = form.get("user_code").unwrap_or_default();
    let wrong = |error| show(call, &browser, typed.chars().take(20).collect(), false, Some(error));
    // What a stranger guesses right is somebody else's sign-in (RFC 8628 5.1): by address, and by browser.
    let name = browser.name();
    let address = call.meta.address;
    let attempt = Attempt { tenant: call.tenancy.name(), account: &name, address, known: false };
    if let Err(wait) = call.context.user_codes.begin(attempt, call.now()) {
        call.event(Action::Authorization, Outcome::Refused).with("reason", "user codes are guessed").write();
        return wrong(DeviceError::Throttled { seconds: u64::from(wait.get()) });
    }
    let Some(user_code) = UserCode::parse(typed) else { return wrong(DeviceError::Unknown) };
    let found = call.context.store.device(call.tenancy.name(), user_code, call.now()).await;
    let Some(device) = known(call, Some(&browser), found.map_err(|broken| failed(&broken)))? else {
        return wrong(DeviceError::Unknown);
    };
    call.context.user_codes.succeeded(attempt);
    let source = Source::Device { id: device.id, user_code };
    let interaction = Interaction::new(device.query, source, call.now()).until(device.expires);
    Ok(flow::proceed(call, &browser, &interaction).await)
}

fn show(call: &Call, browser: &Browser, user_code: String, came_with_link: bool, error: Option<DeviceError>) -> Shown {
    let csrf = known(call, Some(browser), browser.csrf(call))?;
    let status = match error {
        None => StatusCode::OK,
        Some(DeviceError::Unknown) => StatusCode::UNPROCESSABLE_ENTITY,
        Some(DeviceError::Throttled { .. }) => StatusCode::TOO_MANY_REQUESTS,
    };
    let action = format!("{}{}", call.tenancy.base, path::DEVICE);
    let page = Device { user_code, came_with_link, error, csrf: csrf.into(), action };
    Ok(View::new(call, Some(browser)).status(status).show(&page))
}

/// The person said yes: what the device redeems is written down for it.
pub(super) async fn allow(
    call: &Call,
    browser: &Browser,
    target: &DeviceTarget,
    pending: &Pending,
    (session, user): (&Session, &User),
) -> Response {
    let code = flow::code(call, pending, target.id, None, session, user);
    // For as long as the device may ask.
    let code = grantor_protocol::grant::authorization_code::Code { expires: pending.expires, ..code };
    let (store, tenant) = (&call.context.store, call.tenancy.name());
    match store.answer_device(tenant, target.id, Some(Box::new(code)), call.now()).await {
        Err(broken) => error(call, Some(browser), &failed(&broken)),
        Ok(false) => problem(call, Some(browser), ErrorKind::Expired, StatusCode::BAD_REQUEST),
        Ok(true) => {
            flow::say_allowed(call, pending, user);
            done(call, browser, target, true)
        }
    }
}

/// He said no.
pub(super) async fn deny(call: &Call, browser: &Browser, target: &DeviceTarget) -> Response {
    match call.context.store.answer_device(call.tenancy.name(), target.id, None, call.now()).await {
        Err(broken) => error(call, Some(browser), &failed(&broken)),
        Ok(_) => done(call, browser, target, false),
    }
}

fn done(call: &Call, browser: &Browser, target: &DeviceTarget, allowed: bool) -> Response {
    let view = View::new(call, Some(browser));
    let application = target.client.metadata.display_name(view.language.tag()).to_owned();
    view.show(&DeviceDone { application, allowed })
}
