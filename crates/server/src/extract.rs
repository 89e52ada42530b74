//! A request as the endpoints see it: its tenant, its parameters, where it came from.

use crate::client_certificate::{self, PeerCertificate};
use crate::context::Context;
use crate::tenancy::Tenancy;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::response::Response;
use grantor_protocol::Refusal;
use grantor_protocol::client::auth::certificate::ClientCertificate;
use grantor_protocol::params::Params;
use grantor_protocol::value::UnixTime;
use http::{HeaderMap, Method, header};
use http_body_util::{BodyExt, Limited};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// One request.
pub(crate) struct Call {
    pub(crate) context: Arc<Context>,
    pub(crate) tenancy: Arc<Tenancy>,
    pub(crate) meta: CallMeta,
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) query: String,
    /// The path below the tenant.
    pub(crate) path: String,
    pub(crate) body: Bytes,
    /// Whether it came in at the listener for mutual TLS.
    pub(crate) at_mtls: bool,
    /// The certificate of the connection, at the listener for mutual TLS or behind a proxy that is trusted with it.
    pub(crate) certificate: Option<ClientCertificate>,
}

/// What names a request in the logs. Put into the request by the router.
#[derive(Clone, Debug)]
pub(crate) struct CallMeta {
    pub(crate) request_id: Arc<str>,
    pub(crate) address: IpAddr,
    /// Whether the connection is that of a trusted proxy.
    pub(crate) from_proxy: bool,
}

/// No request of OAuth is longer.
pub(crate) const MAX_BODY: usize = 64 * 1024;
/// A peer that has not sent its body by then is gone.
const BODY: Duration = Duration::from_secs(15);

impl Call {
    /// Now, read once per use from the injected clock.
    pub(crate) fn now(&self) -> UnixTime {
        self.context.now()
    }

    /// Where this request was sent, without its query.
    pub(crate) fn url(&self) -> String {
        let issuer = &self.tenancy.issuer;
        let mtls = if self.at_mtls { self.context.mtls_endpoint(issuer, &self.path) } else { None };
        mtls.unwrap_or_else(|| issuer.endpoint(&self.path))
    }

    /// The parameters of the query.
    pub(crate) fn query_params(&self) -> Result<Params, Refusal> {
        Params::parse(self.query.as_bytes())
    }

    /// The parameters of the form (RFC 6749 3.2: `application/x-www-form-urlencoded`).
    pub(crate) fn form_params(&self) -> Result<Params, Refusal> {
        let kind = self.header(header::CONTENT_TYPE.as_str()).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Refusal::WrongContentType);
        }
        Params::parse(&self.body)
    }

    /// The form of an endpoint at which no parameter may be repeated.
    pub(crate) fn strict_form(&self) -> Result<Params, Refusal> {
        let params = self.form_params()?;
        params.unrepeated()?;
        Ok(params)
    }

    /// Whether the browser says that another site sent this. Under `no-referrer` browsers send `Origin: null` for forms of our
    /// own; then `Sec-Fetch-Site` must vouch for them.
    pub(crate) fn is_cross_site(&self) -> bool {
        let site = self.header("sec-fetch-site");
        match self.header(header::ORIGIN.as_str()) {
            Some("null") => site != Some("same-origin"),
            Some(origin) => origin != self.context.origin.text,
            None => site.is_some_and(|site| site != "same-origin" && site != "none"),
        }
    }

    /// A header as text, if it is that.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl FromRequest<Arc<Context>> for Call {
    type Rejection = Response;

    async fn from_request(request: Request, context: &Arc<Context>) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let (Some(tenancy), Some(meta)) = (parts.extensions.get::<Arc<Tenancy>>(), parts.extensions.get::<CallMeta>())
        else {
            return Err(crate::respond::status(http::StatusCode::INTERNAL_SERVER_ERROR));
        };
        let (tenancy, meta) = (Arc::clone(tenancy), meta.clone());
        let declared = parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if declared.is_some_and(|length: usize| length > MAX_BODY) {
            return Err(crate::respond::too_large());
        }
        let Ok(body) = tokio::time::timeout(BODY, Limited::new(body, MAX_BODY).collect()).await else {
            return Err(crate::respond::status(http::StatusCode::REQUEST_TIMEOUT));
        };
        let body = match body {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => return Err(crate::respond::too_large()),
            Err(_) => return Err(crate::respond::status(http::StatusCode::BAD_REQUEST)),
        };
        let certificate =
            client_certificate::of_request(&parts.headers, &parts.extensions, meta.from_proxy, &context.settings)
                .map_err(|refusal| crate::respond::oauth_error(&refusal, false))?;
        Ok(Self {
            context: Arc::clone(context),
            tenancy,
            meta,
            method: parts.method,
            headers: parts.headers,
            query: parts.uri.query().unwrap_or_default().to_owned(),
            path: parts.uri.path().to_owned(),
            body,
            at_mtls: parts.extensions.get::<PeerCertificate>().is_some(),
            certificate,
        })
    }
}
