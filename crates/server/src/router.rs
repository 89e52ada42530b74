//! Which address is served by what. Around it: the tenant is found from the path, the request gets its id and its
//! address, and what is too long is refused.

use crate::context::Context;
use crate::endpoint::{authorize, demo, introspect, metadata, par, revoke, token, userinfo};
use crate::extract::CallMeta;
use crate::page::{applications, asset, consent, home, select_account, setup, sign_in, sign_out};
use crate::respond;
use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{get, post};
use grantor_protocol::metadata::path;
use grantor_protocol::value::TenantName;
use http::uri::{PathAndQuery, Uri};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use ipnet::IpNet;
use std::net::IpAddr;
use std::sync::Arc;
use tower::ServiceExt;

/// Serves requests, each from a peer's address.
#[derive(Clone)]
pub(crate) struct Service {
    context: Arc<Context>,
    router: Router,
}

/// A request line is not longer (RFC 9110 4.1 wants 8000 at the least).
const MAX_URI: usize = 16 * 1024;

pub(crate) fn service(context: Arc<Context>) -> Service {
    let mut router = Router::new()
        .route("/", get(home::get))
        .route("/health", get(healthy))
        .route("/assets/{*path}", get(asset::get))
        .route("/.well-known/openid-configuration", get(metadata::document))
        .route("/.well-known/oauth-authorization-server", get(metadata::document))
        .route(path::JWKS, get(metadata::jwks))
        .route(path::AUTHORIZE, get(authorize::get).post(authorize::post))
        .route(path::TOKEN, post(token::handle).options(preflight))
        .route(path::PAR, post(par::handle).options(preflight))
        .route(path::INTROSPECT, post(introspect::handle))
        .route(path::REVOKE, post(revoke::handle).options(preflight))
        .route(path::USERINFO, get(userinfo::handle).post(userinfo::handle).options(preflight))
        .route(path::SIGN_OUT, get(sign_out::handle).post(sign_out::handle))
        .route("/signin", get(sign_in::get).post(sign_in::post))
        .route("/select-account", get(select_account::get).post(select_account::post))
        .route("/consent", get(consent::get).post(consent::post))
        .route("/applications", get(applications::get).post(applications::post))
        .route("/setup", get(setup::get).post(setup::post));
    if context.settings.demo_api {
        router = router
            .route("/demo/notes", get(demo::read_notes).post(demo::write_note).options(preflight))
            .route("/demo/mail", get(demo::read_mail).options(preflight))
            .route("/demo/callback", get(demo::callback));
    }
    let router = router
        .fallback(home::not_found)
        .method_not_allowed_fallback(home::method_not_allowed)
        .with_state(Arc::clone(&context));
    Service { context, router }
}

impl Service {
    /// Answers one request.
    pub(crate) async fn call(&self, mut request: Request, peer: IpAddr) -> Response {
        let request_id: Arc<str> = grantor_jose::base64url::encode(self.context.world.random::<9>()).into();
        let head = request.method() == Method::HEAD;
        let mut response = if request.uri().path_and_query().is_some_and(|uri| uri.as_str().len() > MAX_URI) {
            respond::status(StatusCode::URI_TOO_LONG)
        } else {
            let address = self.address(&request, peer);
            let from_proxy = self.trusts(&peer);
            request.extensions_mut().insert(CallMeta { request_id: Arc::clone(&request_id), address, from_proxy });
            self.route(request).await
        };
        let headers = response.headers_mut();
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if self.context.origin.secure {
            let year = HeaderValue::from_static("max-age=31536000");
            headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
        }
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            headers.insert(HeaderName::from_static("x-request-id"), id);
        }
        tracing::debug!(request_id = &*request_id, status = response.status().as_u16(), head, "answered");
        response
    }

    async fn route(&self, mut request: Request) -> Response {
        let root = self.context.tenancy(&TenantName::default());
        let base = root.as_ref().map(|root| root.base.clone()).unwrap_or_default();
        let Some((name, path)) = tenant_of(request.uri().path(), &base) else {
            return respond::status(StatusCode::NOT_FOUND);
        };
        let Some(tenancy) = self.context.tenancy(&name) else { return respond::status(StatusCode::NOT_FOUND) };
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        let Ok(inner) = PathAndQuery::try_from(format!("{path}{query}")) else {
            return respond::status(StatusCode::BAD_REQUEST);
        };
        *request.uri_mut() = Uri::from(inner);
        request.extensions_mut().insert(tenancy);
        match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    /// The peer, or whom a trusted proxy says that it speaks for: the last address that is not itself a trusted proxy's.
    fn address(&self, request: &Request, peer: IpAddr) -> IpAddr {
        if !self.trusts(&peer) {
            return peer;
        }
        let headers = request.headers().get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
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

/// The tenant that a path belongs to, and the path below it. Metadata is found at both well-known forms (RFC 8414 3.1,
/// OpenID Connect Discovery 4).
fn tenant_of(path: &str, base: &str) -> Option<(TenantName, String)> {
    for kind in ["oauth-authorization-server", "openid-configuration"] {
        let inserted = format!("/.well-known/{kind}");
        if let Some(rest) = path.strip_prefix(&inserted) {
            let rest = rest.strip_prefix(base)?;
            let tenant = match rest.strip_prefix("/t/") {
                Some(name) => TenantName::parse(name.trim_end_matches('/')).filter(|name| !name.is_default())?,
                None if rest.is_empty() || rest == "/" => TenantName::default(),
                None => return None,
            };
            return Some((tenant, inserted));
        }
    }
    let below = path.strip_prefix(base)?;
    let Some(rest) = below.strip_prefix("/t/") else {
        let path = if below.is_empty() { "/" } else { below };
        return Some((TenantName::default(), path.to_owned()));
    };
    let (name, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let tenant = TenantName::parse(name).filter(|name| !name.is_default())?;
    Some((tenant, format!("/{rest}")))
}

async fn healthy() -> &'static str {
    "ok"
}

/// CORS preflight for endpoints that depend on no cookie.
async fn preflight() -> Response {
    let mut response = respond::readable_by_all(respond::status(StatusCode::NO_CONTENT));
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Authorization, Content-Type, DPoP"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, base: &str) -> Option<(String, String)> {
        tenant_of(path, base).map(|(tenant, path)| (tenant.to_string(), path))
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
}
