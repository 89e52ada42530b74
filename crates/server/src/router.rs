//! Which address is served by what. Around it: the tenant is found from the path, the request gets its id and its
//! address, and what is too long is refused.

use crate::context::Context;
use crate::endpoint::{
    authorize, demo, device_authorization, forward_auth, introspect, metadata, par, protected_resource, register,
    relay, revoke, status_list, token, userinfo,
};
use crate::extract::{Call, CallMeta, RequestId};
use crate::page::{
    applications, asset, consent, desk, desk_saved, desk_send, device, home, playground, select_account, setup,
    sign_in, sign_out,
};
use crate::respond;
use crate::tenancy::Tenancy;
use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{any, delete, get, post};
use grantor_protocol::metadata::path;
use grantor_protocol::protected_resource::WELL_KNOWN;
use grantor_protocol::value::{Resource, TenantName};
use http::uri::{PathAndQuery, Uri};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use ipnet::IpNet;
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt;

/// Serves requests, each from a peer's address.
#[derive(Clone)]
pub(crate) struct Service {
    context: Arc<Context>,
    router: Router,
    /// What stands before the paths of the default tenant.
    base: Arc<str>,
    root: TenantName,
}

/// What is asked for most often: found without the table of addresses, where the same functions stand for it, and
/// without another copy of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frequent {
    Metadata,
    Jwks,
    Token,
    Introspect,
    Userinfo,
    ForwardAuth,
}

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A request line is not longer (RFC 9110 4.1 wants 8000 at the least).
const MAX_URI: usize = 16 * 1024;

pub(crate) fn service(context: Arc<Context>) -> Service {
    let shown_user = |call: Call| async move { userinfo::handle(&call).await };
    let admitted = |call: Call| async move { forward_auth::handle(&call).await };
    let mut router = Router::new()
        .route("/", get(home::get))
        .route("/health", get(healthy))
        .route("/assets/{*path}", get(asset::get))
        .route(metadata::OPENID, get(metadata::document).options(preflight))
        .route(metadata::OAUTH, get(metadata::document).options(preflight))
        .route(path::JWKS, get(metadata::jwks).options(preflight))
        .route(path::AUTHORIZE, get(authorize::get).post(authorize::post))
        .route(path::TOKEN, post(|call: Call| async move { token::handle(&call).await }).options(preflight))
        .route(path::PAR, post(par::handle).options(preflight))
        .route(path::DEVICE_AUTHORIZATION, post(device_authorization::handle).options(preflight))
        .route(path::DEVICE, get(device::get).post(device::post))
        .route(path::INTROSPECT, post(|call: Call| async move { introspect::handle(&call).await }))
        .route(path::PROTECTED_RESOURCE, get(protected_resource::handle).options(preflight))
        .route(path::REVOKE, post(revoke::handle).options(preflight))
        .route(path::USERINFO, get(shown_user).post(shown_user).options(preflight))
        .route(path::FORWARD_AUTH, any(admitted))
        .route(forward_auth::REPEATED, any(admitted))
        .route(path::REGISTER, post(register::create).options(preflight))
        .route(register::CLIENT, get(register::read).put(register::update).delete(register::delete).options(preflight))
        .route(status_list::LIST, get(status_list::handle).options(preflight))
        .route(path::SIGN_OUT, get(sign_out::handle).post(sign_out::handle))
        .route("/signin", get(sign_in::get).post(sign_in::post))
        .route("/select-account", get(select_account::get).post(select_account::post))
        .route("/consent", get(consent::get).post(consent::post))
        .route("/applications", get(applications::get).post(applications::post))
        .route(desk::DESK, get(desk::get))
        .route(desk::ACT, post(desk::act))
        .route(desk::TOKEN, post(desk::token))
        .route(desk::USE, post(desk::derive))
        .route(desk::STATE, get(desk::state))
        .route(desk_saved::REQUESTS, get(desk_saved::requests))
        .route(desk_saved::COLLECTION, get(desk_saved::collection))
        .route(desk_saved::ENVIRONMENT, get(desk_saved::environment))
        .route(desk_saved::EXPORT, get(desk_saved::export))
        .route(desk_saved::SAVE, post(desk_saved::save))
        .route(desk_send::SEND, post(desk_send::send))
        .route(desk_send::OBTAIN, post(desk_send::obtain))
        .route(desk_send::CALLBACK, get(desk_send::callback))
        .route(playground::PLAYGROUND, get(playground::get))
        .route(playground::CALLBACK, get(playground::callback))
        .route(playground::INSPECTOR, get(playground::inspector))
        .route(playground::OPERATIONS, get(playground::operations))
        .route(relay::RELAY, post(relay::handle))
        .route("/setup", get(setup::get).post(setup::post));
    if context.settings.demo_api {
        router = router
            .route("/demo/notes", get(demo::read_notes).post(demo::write_note).options(preflight))
            .route("/demo/notes/{number}", delete(demo::delete_note).options(preflight))
            .route("/demo/mail", get(demo::read_mail).options(preflight))
            .route("/demo/openapi.json", get(demo::openapi))
            .route("/demo/callback", get(demo::callback));
    }
    let router = router
        .fallback(home::not_found)
        .method_not_allowed_fallback(home::method_not_allowed)
        .with_state(Arc::clone(&context));
    let base =
        url::Url::parse(context.settings.issuer.as_str()).map_or_else(|_| String::new(), |url| url.path().to_owned());
    let base = base.trim_end_matches('/').into();
    Service { context, router, base, root: TenantName::default() }
}

impl Frequent {
    fn of(method: &Method, path: &str) -> Option<Self> {
        match (method, path) {
            (&Method::GET, metadata::OAUTH | metadata::OPENID) => Some(Self::Metadata),
            (&Method::GET, path::JWKS) => Some(Self::Jwks),
            (&Method::POST, path::TOKEN) => Some(Self::Token),
            (&Method::POST, path::INTROSPECT) => Some(Self::Introspect),
            (&Method::GET | &Method::POST, path::USERINFO) => Some(Self::Userinfo),
            (&Method::GET, path::FORWARD_AUTH) => Some(Self::ForwardAuth),
            _ => None,
        }
    }
}

impl Service {
    /// Answers one request.
    pub(crate) async fn call(&self, request: &mut Request, peer: IpAddr) -> Response {
        let request_id = RequestId::new(self.context.world.random());
        let head = request.method() == Method::HEAD;
        // For whoever is no browser at a page of ours this is one look at a header that is not there.
        let begun = is_of_own_page(request).then(|| self.context.world.uptime());
        let mut response = if request.uri().path_and_query().is_some_and(|uri| uri.as_str().len() > MAX_URI) {
            respond::status(StatusCode::URI_TOO_LONG)
        } else {
            let from_proxy = self.trusts(&peer);
            let address = if from_proxy { self.forwarded(request, peer) } else { peer };
            self.route(request, CallMeta { request_id, address, from_proxy }).await
        };
        let headers = response.headers_mut();
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if self.context.origin.secure {
            let year = HeaderValue::from_static("max-age=31536000");
            headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
        }
        if let Some(id) = request_id.header() {
            headers.insert(REQUEST_ID, id);
        }
        if let Some(begun) = begun {
            say_time(&mut response, self.context.world.uptime().saturating_sub(begun));
        }
        tracing::debug!(%request_id, status = response.status().as_u16(), head, "answered");
        response
    }

    async fn route(&self, request: &mut Request, meta: CallMeta) -> Response {
        if let Some(rest) = request.uri().path().strip_prefix(WELL_KNOWN) {
            return match *request.method() {
                Method::OPTIONS => preflight().await,
                _ => self.protected_resource(request.method(), rest),
            };
        }
        let Some((name, path)) = tenant_of(request.uri().path(), &self.base) else {
            return respond::status(StatusCode::NOT_FOUND);
        };
        let name = name.as_ref().unwrap_or(&self.root);
        match Frequent::of(request.method(), path) {
            Some(Frequent::Metadata) => self.published(name, metadata::of),
            Some(Frequent::Jwks) => self.published(name, metadata::jwks_of),
            Some(Frequent::Token) => self.called(request, name, meta, path::TOKEN, token::handle).await,
            Some(Frequent::Introspect) => self.called(request, name, meta, path::INTROSPECT, introspect::handle).await,
            Some(Frequent::Userinfo) => self.called(request, name, meta, path::USERINFO, userinfo::handle).await,
            Some(Frequent::ForwardAuth) => {
                self.called(request, name, meta, path::FORWARD_AUTH, forward_auth::handle).await
            }
            None => {
                let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
                let inner = format!("{path}{query}");
                self.routed(request, name, meta, inner).await
            }
        }
    }

    /// The metadata of an API that is served from our own origin (RFC 9728 3.1), of whatever tenant its path is.
    fn protected_resource(&self, method: &Method, path: &str) -> Response {
        let audience = Resource::parse(&format!("{}{path}", self.context.origin.text));
        let tenant = tenant_of(path, &self.base).and_then(|(name, _)| name).unwrap_or_else(|| self.root.clone());
        match (audience, self.context.tenancy(&tenant)) {
            _ if *method != Method::GET => respond::status(StatusCode::METHOD_NOT_ALLOWED),
            (Some(audience), Some(tenancy)) => protected_resource::of(&tenancy, &audience),
            _ => respond::status(StatusCode::NOT_FOUND),
        }
    }

    fn published(&self, tenant: &TenantName, document: impl FnOnce(&Tenancy) -> Response) -> Response {
        match self.context.tenancy(tenant) {
            Some(tenancy) => document(&tenancy),
            None => respond::status(StatusCode::NOT_FOUND),
        }
    }

    /// Boxed, because the connection moves what it waits for, and no larger than a kilobyte: see the tests.
    async fn called<F>(
        &self,
        request: &mut Request,
        tenant: &TenantName,
        meta: CallMeta,
        path: &'static str,
        handle: F,
    ) -> Response
    where
        F: AsyncFnOnce(&Call) -> Response,
    {
        match Call::read(request, &self.context, tenant, meta, Cow::Borrowed(path)).await {
            Ok(call) => Box::pin(async move { handle(&call).await }).await,
            Err(response) => response,
        }
    }

    async fn routed(&self, request: &mut Request, tenant: &TenantName, meta: CallMeta, inner: String) -> Response {
        let Some(tenancy) = self.context.tenancy(tenant) else { return respond::status(StatusCode::NOT_FOUND) };
        let Ok(inner) = PathAndQuery::try_from(inner) else { return respond::status(StatusCode::BAD_REQUEST) };
        *request.uri_mut() = Uri::from(inner);
        request.extensions_mut().insert(meta);
        request.extensions_mut().insert(tenancy);
        match self.router.clone().oneshot(std::mem::take(request)).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    /// Whom a trusted proxy says that it speaks for: the last address that is not itself a trusted proxy's.
    fn forwarded(&self, request: &Request, peer: IpAddr) -> IpAddr {
        let headers = request.headers().get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
        let hops: Vec<&str> = headers.flat_map(|line| line.split(',')).map(str::trim).collect();
        let mut client = peer;
        for hop in hops.iter().rev() {
            let Ok(address) = hop.parse::<IpAddr>() else { break };
            let address = address.to_canonical();
            client = address;
            if !self.trusts(&address) {
                break;
            }
        }
        client
    }

    fn trusts(&self, address: &IpAddr) -> bool {
        self.context.settings.trusted_proxies.iter().any(|net: &IpNet| net.contains(address))
    }
}

/// The tenant that a path belongs to, none for the default tenant, and the path below it. Metadata is found at both
/// well-known forms (RFC 8414 3.1, OpenID Connect Discovery 4).
fn tenant_of<'a>(path: &'a str, base: &str) -> Option<(Option<TenantName>, &'a str)> {
    for inserted in [metadata::OAUTH, metadata::OPENID] {
        if let Some(rest) = path.strip_prefix(inserted) {
            let rest = rest.strip_prefix(base)?;
            let tenant = match rest.strip_prefix("/t/") {
                Some(name) => Some(TenantName::parse(name.trim_end_matches('/')).filter(|name| !name.is_default())?),
                None if rest.is_empty() || rest == "/" => None,
                None => return None,
            };
            return Some((tenant, inserted));
        }
    }
    let below = path.strip_prefix(base)?;
    let Some(rest) = below.strip_prefix("/t/") else {
        return Some((None, if below.is_empty() { "/" } else { below }));
    };
    let (name, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len()))?;
    let tenant = TenantName::parse(name).filter(|name| !name.is_default())?;
    Some((Some(tenant), if path.is_empty() { "/" } else { path }))
}

/// Whether a script of this very origin asks, as those of the playground do (Fetch Metadata 2.1, 2.3): the browser says so,
/// and no page can.
fn is_of_own_page(request: &Request) -> bool {
    let says = |name: HeaderName, value: &str| {
        request.headers().get(name).is_some_and(|found| found.as_bytes() == value.as_bytes())
    };
    says(SEC_FETCH_SITE, "same-origin") && says(SEC_FETCH_DEST, "empty")
}

/// How long the answer took us (Server Timing 3), for the playground's cards. Only of what depends on no cookie and may be
/// read by anybody, and in whole milliseconds, rounded up: whoever measures secrets by the time that they take learns no more
/// than with a clock of his own.
fn say_time(response: &mut Response, took: Duration) {
    if !response.headers().contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        return;
    }
    let millis = took.as_micros().div_ceil(1000);
    if let Ok(timing) = HeaderValue::from_str(&format!("grantor;dur={millis}")) {
        response.headers_mut().insert(relay::SERVER_TIMING, timing);
    }
}

async fn healthy() -> &'static str {
    "ok"
}

/// CORS preflight for endpoints that depend on no cookie.
async fn preflight() -> Response {
    let mut response = respond::readable_by_all(respond::status(StatusCode::NO_CONTENT));
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, PUT, DELETE"));
    // Whatever a library sends along, as those of MCP do `MCP-Protocol-Version`. The star does not stand for `Authorization`
    // (Fetch, "CORS protocol").
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Authorization, *"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, base: &str) -> Option<(String, String)> {
        tenant_of(path, base).map(|(tenant, path)| (tenant.unwrap_or_default().to_string(), path.to_owned()))
    }

    #[test]
    fn rfc8414_3_1_a_tenant_is_found_at_both_well_known_forms() {
        let metadata = "/.well-known/oauth-authorization-server".to_owned();
        let openid = "/.well-known/openid-configuration".to_owned();
        let acme = |path: &String| Some(("acme".to_owned(), path.clone()));
        assert_eq!(found("/.well-known/oauth-authorization-server/t/acme", ""), acme(&metadata));
        assert_eq!(found("/t/acme/.well-known/openid-configuration", ""), acme(&openid));
        assert_eq!(found("/.well-known/openid-configuration/auth/t/acme", "/auth"), acme(&openid));
        assert_eq!(found("/.well-known/openid-configuration", ""), Some(("default".into(), openid)));
    }

    #[test]
    fn the_default_tenant_has_one_address_only() {
        assert_eq!(found("/token", ""), Some(("default".into(), "/token".into())));
        assert_eq!(found("/t/acme/token", ""), Some(("acme".into(), "/token".into())));
        for nowhere in ["/t/default/token", "/t/A/token", "/t//token", "/.well-known/openid-configuration/x"] {
            assert_eq!(found(nowhere, ""), None, "{nowhere}");
        }
        assert_eq!(found("/token", "/auth"), None);
    }

    /// Up to a kilobyte the allocator has a free piece at hand; for more it looks for a page, with each request.
    #[test]
    fn what_is_asked_for_often_waits_in_a_kilobyte() {
        fn waits_in<'a, F: Future>(_: impl FnOnce(&'a Call) -> F) -> usize {
            size_of::<Call>() + size_of::<F>() + size_of::<usize>()
        }
        let sizes = [
            waits_in(token::handle),
            waits_in(introspect::handle),
            waits_in(userinfo::handle),
            waits_in(forward_auth::handle),
        ];
        assert!(sizes.iter().all(|size| *size <= 1024), "{sizes:?}");
    }

    #[test]
    fn only_what_the_table_answers_in_the_same_way_goes_past_it() {
        let frequent = |method, path| Frequent::of(&method, path);
        assert_eq!(frequent(Method::GET, "/.well-known/openid-configuration"), Some(Frequent::Metadata));
        assert_eq!(frequent(Method::GET, "/.well-known/oauth-authorization-server"), Some(Frequent::Metadata));
        assert_eq!(frequent(Method::POST, "/token"), Some(Frequent::Token));
        assert_eq!(frequent(Method::GET, "/forward-auth"), Some(Frequent::ForwardAuth));
        assert_eq!(frequent(Method::GET, "/forward-auth/x"), None);
        for method in [Method::HEAD, Method::OPTIONS, Method::PUT] {
            for path in [metadata::OAUTH, metadata::OPENID, path::JWKS, path::TOKEN, path::INTROSPECT, path::USERINFO] {
                assert_eq!(Frequent::of(&method, path), None, "{method} {path}");
            }
        }
        assert_eq!((frequent(Method::GET, "/token"), frequent(Method::POST, "/jwks")), (None, None));
        assert_eq!((frequent(Method::POST, "/token/"), frequent(Method::GET, "/introspect")), (None, None));
    }
}
