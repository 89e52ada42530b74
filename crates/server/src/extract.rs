//! A request as the endpoints see it: its tenant, its parameters, where it came from.

use crate::client_certificate::{self, PeerCertificate};
use crate::context::Context;
use crate::operations::refused;
use crate::overload::Excess;
use crate::page::desk_saved::SAVE;
use crate::tenancy::Tenancy;
use crate::under_way::Place;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{FromRequest, Request};
use axum::response::Response;
use grantor_jose::base64url;
use grantor_protocol::Refusal;
use grantor_protocol::client::auth::certificate::ClientCertificate;
use grantor_protocol::metadata::path;
use grantor_protocol::params::Params;
use grantor_protocol::value::{TenantName, UnixTime};
use http::header::AsHeaderName;
use http::{HeaderMap, HeaderValue, Method, header};
use http_body_util::BodyExt as _;
use std::borrow::Cow;
use std::fmt;
use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// One request.
pub(crate) struct Call {
    pub(crate) context: Arc<Context>,
    pub(crate) tenancy: Arc<Tenancy>,
    pub(crate) meta: CallMeta,
    millis: u64,
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) query: String,
    /// The path below the tenant.
    pub(crate) path: Cow<'static, str>,
    pub(crate) body: Bytes,
    /// Whether it came in at the listener for mutual TLS.
    pub(crate) at_mtls: bool,
    /// The certificate of the connection, at the listener for mutual TLS or behind a proxy that is trusted with it.
    pub(crate) certificate: Option<ClientCertificate>,
}

/// What names a request in the logs. Put into the request by the router.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallMeta {
    pub(crate) request_id: RequestId,
    pub(crate) address: IpAddr,
    /// Whether the connection is that of a trusted proxy.
    pub(crate) from_proxy: bool,
}

/// Names a request: twelve characters of base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RequestId([u8; 12]);

impl RequestId {
    /// From fresh random bytes.
    pub(crate) fn new(random: [u8; 9]) -> Self {
        let mut letters = [0; 12];
        base64url::encode_to(random, &mut letters);
        Self(letters)
    }

    /// As a header.
    pub(crate) fn header(self) -> Option<HeaderValue> {
        HeaderValue::from_bytes(&self.0).ok()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.0).unwrap_or_default())
    }
}

/// No request of OAuth is longer.
pub(crate) const MAX_BODY: usize = 64 * 1024;
/// The form in which a document of the desk comes.
const MAX_DOCUMENT: usize = 1024 * 1024;
/// A peer that has not sent its body by then is gone.
const BODY: Duration = Duration::from_secs(15);

impl Call {
    /// When it had come as a whole, by the injected clock.
    pub(crate) fn now(&self) -> UnixTime {
        UnixTime::of_millis(self.millis)
    }

    /// The same in milliseconds since the epoch.
    pub(crate) fn millis(&self) -> u64 {
        self.millis
    }

    /// Where this request was sent, without its query.
    pub(crate) fn url(&self) -> String {
        let mtls = if self.at_mtls { self.tenancy.mtls_endpoint(&self.path) } else { None };
        mtls.unwrap_or_else(|| self.tenancy.issuer.endpoint(&self.path))
    }

    /// The same caller's request to another endpoint of this tenant, with this form: so that a page does what a client
    /// does by the same code. What the browser sent along stays behind.
    pub(crate) fn posting(&self, path: &'static str, form: String, authorization: Option<HeaderValue>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        if let Some(authorization) = authorization {
            headers.insert(header::AUTHORIZATION, authorization);
        }
        Self {
            context: Arc::clone(&self.context),
            tenancy: Arc::clone(&self.tenancy),
            meta: self.meta,
            millis: self.millis,
            method: Method::POST,
            headers,
            query: String::new(),
            path: Cow::Borrowed(path),
            body: Bytes::from(form),
            at_mtls: false,
            certificate: None,
        }
    }

    /// The parameters of the query.
    pub(crate) fn query_params(&self) -> Result<Params, Refusal> {
        Params::parse(self.query.as_bytes())
    }

    /// The parameters of the form (RFC 6749 3.2: `application/x-www-form-urlencoded`).
    pub(crate) fn form_params(&self) -> Result<Params, Refusal> {
        let kind = self.header(header::CONTENT_TYPE).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Refusal::WrongContentType);
        }
        if self.path == SAVE { Params::parse_document(&self.body) } else { Params::parse(&self.body) }
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
        match self.header(header::ORIGIN) {
            Some("null") => site != Some("same-origin"),
            Some(origin) => origin != self.context.origin.text,
            None => site.is_some_and(|site| site != "same-origin" && site != "none"),
        }
    }

    /// A header as text, if it is that.
    pub(crate) fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Whether a token is issued, confirmed or taken back here, so that a node that is cut off from the store must not answer.
/// Pages lead to nothing that is not asked for here in the end.
fn needs_the_newest(path: &str) -> bool {
    [path::TOKEN, path::PAR, path::INTROSPECT, path::REVOKE, path::USERINFO].contains(&path)
        || path.starts_with(path::REGISTER)
        || path.starts_with(path::FORWARD_AUTH)
        || path.starts_with("/desk/")
        || path.starts_with("/demo/")
}

impl FromRequest<Arc<Context>> for Call {
    type Rejection = Response;

    async fn from_request(mut request: Request, context: &Arc<Context>) -> Result<Self, Response> {
        let (tenancy, meta) = (request.extensions().get::<Arc<Tenancy>>(), request.extensions().get::<CallMeta>());
        let (Some(tenancy), Some(meta)) = (tenancy.cloned(), meta.copied()) else {
            return Err(crate::respond::status(http::StatusCode::INTERNAL_SERVER_ERROR));
        };
        let path = Cow::Owned(request.uri().path().to_owned());
        Self::read(&mut request, context, tenancy.name(), meta, path).await
    }
}

impl Call {
    /// Reads a request of a tenant; `path` is that below the tenant.
    pub(crate) async fn read(
        request: &mut Request,
        context: &Arc<Context>,
        tenant: &TenantName,
        meta: CallMeta,
        path: Cow<'static, str>,
    ) -> Result<Self, Response> {
        let (parts, body) = std::mem::take(request).into_parts();
        let most = if path == SAVE { MAX_DOCUMENT } else { MAX_BODY };
        let declared = parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if declared.is_some_and(|length: usize| length > most) {
            return Err(crate::respond::too_large());
        }
        let body = in_time(whole(body, most), || {
            let trusted = context.settings.trusted_proxies.iter().any(|net| net.contains(&meta.address));
            context.operations.bodies.begin(meta.address, trusted)
        });
        let body = body.await??;
        // A body may take its time: what is known of the tenant is looked up after it, and is no older than promised.
        if needs_the_newest(&path) && !context.feed.is_current_after_a_look().await {
            return Err(crate::respond::readable_by_all(crate::respond::oauth_error(&Refusal::Busy, false)));
        }
        let Some(tenancy) = context.tenancy(tenant) else {
            return Err(crate::respond::status(http::StatusCode::NOT_FOUND));
        };
        tenancy.look_around();
        let certificate =
            client_certificate::of_request(&parts.headers, &parts.extensions, meta.from_proxy, &context.settings)
                .map_err(|refusal| crate::respond::oauth_error(&refusal, false))?;
        Ok(Self {
            context: Arc::clone(context),
            tenancy,
            meta,
            millis: context.world.millis(),
            method: parts.method,
            headers: parts.headers,
            query: parts.uri.query().unwrap_or_default().to_owned(),
            path,
            body,
            at_mtls: parts.extensions.get::<PeerCertificate>().is_some(),
            certificate,
        })
    }
}

/// A body, if it is not longer. Nearly every one comes in one piece, which is taken as it is.
async fn whole(mut body: Body, most: usize) -> Result<Bytes, Response> {
    // What comes in pieces is copied once: with each piece anew, a body of pieces of one byte would be a minute's work.
    let (mut first, mut more) = (Bytes::new(), Vec::new());
    while !body.is_end_stream()
        && let Some(frame) = body.frame().await
    {
        let frame = frame.map_err(|_| crate::respond::status(http::StatusCode::BAD_REQUEST))?;
        // What comes behind the body, in a header of its own, is of no interest here.
        let Ok(piece) = frame.into_data() else { continue };
        if first.len() + more.len() + piece.len() > most {
            return Err(crate::respond::too_large());
        }
        if first.is_empty() && more.is_empty() {
            first = piece;
            continue;
        }
        more.extend_from_slice(&std::mem::take(&mut first));
        more.extend_from_slice(&piece);
    }
    Ok(if more.is_empty() { first } else { more.into() })
}

/// Waits for a body for as long as is decent. Nearly every body is there at the second look, since the connection hands
/// it over when it was asked for: only for the others a timer is worth its price, and a place is wanted.
async fn in_time<T>(
    body: impl Future<Output = T>,
    begin: impl FnOnce() -> Result<Place, Excess>,
) -> Result<T, Response> {
    let mut body = pin!(body);
    let mut looked = false;
    let early = poll_fn(|cx| match body.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if looked => Poll::Ready(None),
        Poll::Pending => {
            looked = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    });
    if let Some(done) = early.await {
        return Ok(done);
    }
    let place = begin().map_err(|_| refused())?;
    let Ok(done) = tokio::time::timeout(BODY, body).await else {
        return Err(crate::respond::status(http::StatusCode::REQUEST_TIMEOUT));
    };
    place.arrived().map_err(|_| refused())?;
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;
    use hyper::body::Frame;
    use std::collections::VecDeque;
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::Context;

    /// A body of which nobody said how long it is.
    struct Pieces(VecDeque<Frame<Bytes>>);

    impl axum::body::HttpBody for Pieces {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Ready(self.0.pop_front().map(Ok))
        }
    }

    fn pieces(pieces: impl IntoIterator<Item = Frame<Bytes>>) -> Body {
        Body::new(Pieces(pieces.into_iter().collect()))
    }

    #[tokio::test]
    async fn a_body_is_the_same_in_however_many_pieces_it_comes() {
        let bytes: Vec<u8> = (0..=255).cycle().take(MAX_BODY).collect();
        for size in [1, 7, 4096, MAX_BODY] {
            let mut frames: Vec<_> =
                bytes.chunks(size).map(|piece| Frame::data(Bytes::copy_from_slice(piece))).collect();
            frames.insert(1, Frame::data(Bytes::new()));
            frames.push(Frame::trailers(HeaderMap::new()));
            assert_eq!(whole(pieces(frames), MAX_BODY).await.unwrap(), bytes);
        }
        assert!(whole(pieces(Vec::new()), MAX_BODY).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_body_that_does_not_say_that_it_is_too_long_is_refused_all_the_same() {
        for size in [1, 1000] {
            let three = || pieces((0..3).map(|_| Frame::data(Bytes::from(vec![0; size]))));
            assert!(whole(three(), 3 * size).await.is_ok());
            let refused = whole(three(), 3 * size - 1).await.unwrap_err();
            assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
        }
    }
}
