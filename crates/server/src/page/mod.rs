//! One file for each page, and how a page becomes an answer.

pub(crate) mod applications;
pub(crate) mod asset;
pub(crate) mod consent;
pub(crate) mod desk;
pub(crate) mod desk_saved;
pub(crate) mod desk_send;
pub(crate) mod device;
pub(crate) mod flow;
pub(crate) mod home;
pub(crate) mod playground;
pub(crate) mod select_account;
pub(crate) mod setup;
pub(crate) mod sign_in;
pub(crate) mod sign_out;

use crate::browser::Browser;
use crate::extract::Call;
use crate::respond;
use axum::body::Body;
use axum::response::Response;
use grantor_protocol::Refusal;
use grantor_protocol::client::ClientMetadata;
use grantor_protocol::directory::User;
use grantor_protocol::params::Params;
use grantor_web::{Account, Application, Display, ErrorKind, ErrorPage, Frame, Language, Page};
use http::{HeaderValue, StatusCode, header};

/// How a page is shown.
pub(crate) struct View<'a> {
    call: &'a Call,
    browser: Option<&'a Browser>,
    display: Display,
    pub(crate) language: Language,
    form_targets: Vec<String>,
    status: StatusCode,
    scripts: Scripts,
}

/// What the page's scripts may do.
#[derive(Clone, Copy)]
enum Scripts {
    /// There are none.
    No,
    /// Run.
    Run,
    /// Run, and ask this origin.
    Ask,
}

impl<'a> View<'a> {
    /// A full page in the language that the browser asks for.
    pub(crate) fn new(call: &'a Call, browser: Option<&'a Browser>) -> Self {
        let language = Language::negotiate(None, call.header(header::ACCEPT_LANGUAGE));
        let display = Display::Page;
        let form_targets = Vec::new();
        Self { call, browser, display, language, form_targets, status: StatusCode::OK, scripts: Scripts::No }
    }

    /// In the languages and the display of an authorization request (OpenID Connect Core 3.1.2.1).
    pub(crate) fn asked(mut self, ui_locales: Option<&str>, display: Display) -> Self {
        self.language = Language::negotiate(ui_locales, self.call.header(header::ACCEPT_LANGUAGE));
        self.display = display;
        self
    }

    /// The scheme of a client's URI to which a form of the page leads by a redirect (CSP `form-action`). Origins would be
    /// too narrow: browsers hold every further redirect against them too, and cannot name `[::1]`.
    pub(crate) fn form_leads_to(mut self, scheme: String) -> Self {
        self.form_targets.push("https:".to_owned());
        self.form_targets.push(scheme);
        self.form_targets.dedup();
        self
    }

    /// Allows our own modules.
    pub(crate) fn runs_scripts(mut self) -> Self {
        self.scripts = Scripts::Run;
        self
    }

    /// Allows our own modules, and lets them ask this origin (CSP `connect-src`).
    pub(crate) fn scripts_ask(mut self) -> Self {
        self.scripts = Scripts::Ask;
        self
    }

    /// Another status than 200.
    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The page as an answer: never stored, never framed, no script or style from elsewhere.
    pub(crate) fn show(self, page: &impl Page) -> Response {
        let tenancy = &self.call.tenancy;
        let mut frame = Frame::new(tenancy.display_name(self.language.tag()));
        frame.base.clone_from(&tenancy.base);
        frame.request_id = Some(self.call.meta.request_id.to_string());
        frame.signed_in = self.browser.and_then(Browser::user).map(|user| user.username.clone());
        frame.display = self.display;
        let html = match self.call.context.pages.render(page, &frame, self.language) {
            Ok(html) => html,
            Err(error) => {
                tracing::error!(%error, "a page cannot be rendered");
                return respond::status(StatusCode::INTERNAL_SERVER_ERROR);
            }
        };
        #[cfg(feature = "undefended")]
        let html = crate::undefended::warned(&html);
        let mut response = Response::new(Body::from(html));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        if let Ok(policy) = HeaderValue::from_str(&self.policy()) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        for cookie in self.browser.map(|browser| browser.set_cookies(self.call)).unwrap_or_default() {
            headers.append(header::SET_COOKIE, cookie);
        }
        response
    }

    fn policy(&self) -> String {
        let script = match self.scripts {
            Scripts::No => "",
            Scripts::Run => " script-src 'self';",
            Scripts::Ask => " script-src 'self'; connect-src 'self';",
        };
        let targets = [&["'self'".to_owned()], self.form_targets.as_slice()].concat().join(" ");
        format!(
            "default-src 'none'; style-src 'self'; img-src 'self' data:;{script} form-action {targets}; \
             frame-ancestors 'none'; base-uri 'none'"
        )
    }
}

/// A page, or the answer that takes its place.
pub(crate) type Shown = Result<Response, Box<Response>>;

/// Whichever it is.
pub(crate) fn either(shown: Shown) -> Response {
    shown.unwrap_or_else(|instead| *instead)
}

/// The browser and the query of a visit.
pub(crate) async fn visit(call: &Call) -> Result<(Browser, Params), Box<Response>> {
    let browser = known(call, None, Browser::of(call).await)?;
    let params = known(call, Some(&browser), call.query_params())?;
    Ok((browser, params))
}

/// The browser and the form of a page of ours; a form from elsewhere is refused.
pub(crate) async fn own_form(call: &Call) -> Result<(Browser, Params), Box<Response>> {
    let browser = known(call, None, Browser::of(call).await)?;
    let form = known(call, Some(&browser), call.form_params())?;
    if browser.check_form(call, &form).is_err() {
        return Err(Box::new(problem(call, Some(&browser), ErrorKind::ForgedForm, StatusCode::FORBIDDEN)));
    }
    Ok((browser, form))
}

/// What is needed to go on, or the error page.
pub(crate) fn known<T>(call: &Call, browser: Option<&Browser>, found: Result<T, Refusal>) -> Result<T, Box<Response>> {
    found.map_err(|refusal| Box::new(error(call, browser, &refusal)))
}

/// An error page, for everything that must not or cannot be told to a client.
pub(crate) fn error(call: &Call, browser: Option<&Browser>, refusal: &Refusal) -> Response {
    tracing::info!(request_id = %call.meta.request_id, reason = %refusal, "refused with a page");
    let kind = match refusal {
        Refusal::UnknownClient | Refusal::ClientDisabled => ErrorKind::UnknownClient,
        Refusal::RedirectUriMissing | Refusal::RedirectUriMalformed | Refusal::RedirectUriNotRegistered => {
            ErrorKind::RedirectMismatch
        }
        Refusal::Busy => ErrorKind::Unavailable,
        Refusal::Broken => ErrorKind::Server,
        _ => ErrorKind::InvalidRequest,
    };
    let code = refusal.code();
    let mut page = ErrorPage::new(kind);
    page.code = Some(code.as_str().to_owned());
    // Where the page itself says more than the code does, the code's own words would only mislead.
    page.detail = (kind == ErrorKind::InvalidRequest).then(|| code.description().to_owned());
    let status = match kind {
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::Server => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    };
    let mut response = View::new(call, browser).status(status).show(&page);
    if kind == ErrorKind::Unavailable {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    // For the figures.
    response.extensions_mut().insert(code);
    response
}

/// An error page of a kind of its own.
pub(crate) fn problem(call: &Call, browser: Option<&Browser>, kind: ErrorKind, status: StatusCode) -> Response {
    View::new(call, browser).status(status).show(&ErrorPage::new(kind))
}

/// A 303 to a page of ours, with the browser's cookie.
pub(crate) fn go(call: &Call, browser: Option<&Browser>, path: &str) -> Response {
    with_cookie(call, browser, respond::see_other(&format!("{}{path}", call.tenancy.base)))
}

/// Adds the browser's cookie when it is new.
pub(crate) fn with_cookie(call: &Call, browser: Option<&Browser>, mut response: Response) -> Response {
    for cookie in browser.map(|browser| browser.set_cookies(call)).unwrap_or_default() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// How a user is shown.
pub(crate) fn account(user: &User) -> Account {
    Account { name: user.display_name().to_owned(), username: user.username.clone() }
}

/// How a client is shown.
pub(crate) fn application(client: &ClientMetadata, language: Language) -> Application {
    Application {
        name: client.display_name(language.tag()).to_owned(),
        uri: client.client_uri.clone(),
        logo: client.logo_uri.clone(),
        policy: client.policy_uri.clone(),
        terms: client.tos_uri.clone(),
    }
}
