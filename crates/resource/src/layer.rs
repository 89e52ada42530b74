//! The layer: what stands in front of the handlers of any [`tower::Service`] of HTTP requests (axum, tonic, hyper).

use crate::builder::tell_if_unfulfillable;
use crate::rejection::DPOP_NONCE;
use crate::unread;
use crate::{Api, Head, Rejection, Requirement, Verified};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE,
};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower::{Layer, Service};

/// Lets requests pass that have an access token which is enough, with its [`Verified`] claims in their extensions, and
/// answers all others; see [`Api::require`].
#[derive(Clone, Debug)]
pub struct RequireToken {
    api: Api,
    requirement: Arc<Requirement>,
}

/// A service behind [`RequireToken`].
#[derive(Clone, Debug)]
pub struct Guarded<S> {
    guard: RequireToken,
    inner: S,
}

/// What an outer layer has checked already: its proof is used up. Nobody else can make one.
#[derive(Clone)]
struct Checked {
    api: Api,
    token: Verified,
}

impl Api {
    /// A layer that wants a token that holds.
    pub fn layer(&self) -> RequireToken {
        self.require(Requirement::valid_token())
    }

    /// A layer that wants more of it. Layers of one API may stand behind each other: the first checks the request, those
    /// behind it only whether the token is enough for them too.
    pub fn require(&self, requirement: Requirement) -> RequireToken {
        tell_if_unfulfillable(&requirement);
        RequireToken { api: self.clone(), requirement: Arc::new(requirement) }
    }

    /// A layer that answers requests for the API's metadata (RFC 9728 3), and passes all others on. It belongs in front of
    /// everything that asks for a token: who looks for the metadata has none.
    pub fn metadata_layer(&self) -> ServeMetadata {
        ServeMetadata { api: self.clone() }
    }

    /// The answer to a request for the metadata (RFC 9728 3.2).
    pub fn metadata_response<B: From<Vec<u8>>>(&self) -> Response<B> {
        let mut response = Response::new(B::from(serde_json::to_vec(self.metadata()).unwrap_or_default()));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        // It is public, and read by pages of any origin.
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        response
    }
}

/// A page of another origin asks first when it sends a header of its own along, as clients of MCP do (Fetch, "CORS protocol").
fn preflight<B: From<Vec<u8>>>() -> Response<B> {
    let mut response = Response::new(B::from(Vec::new()));
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET"));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("*"));
    response
}

impl RequireToken {
    async fn pass<B>(&self, request: &mut Request<B>) -> Result<(), Rejection> {
        let checked = request.extensions().get::<Checked>().filter(|checked| checked.api.is(&self.api)).cloned();
        let head = Head::from(&*request);
        if let Some(checked) = checked {
            return self.api.decide(&checked.token, &self.requirement, &head);
        }
        let token = self.api.check(head, &self.requirement).await?;
        request.extensions_mut().insert(token.clone());
        request.extensions_mut().insert(Checked { api: self.api.clone(), token });
        Ok(())
    }
}

impl<S> Layer<S> for RequireToken {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { guard: self.clone(), inner }
    }
}

impl<S, B, R> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
    R: Default + Send,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The one that is ready goes with the request; the clone may not be yet.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let guard = self.guard.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            // The body need not be shared between threads; it waits outside.
            let mut head = Request::from_parts(parts, ());
            if let Err(rejection) = guard.pass(&mut head).await {
                let mut response = rejection.into_response();
                Box::pin(unread::settle(&head, body, &mut response)).await;
                return Ok(response);
            }
            let used_dpop = head.headers().contains_key("dpop");
            let mut response = inner.call(head.map(|()| body)).await?;
            // RFC 9449 8.2: the next one, so that the client need not be refused to learn it.
            let nonce = if used_dpop { guard.api.dpop_nonce() } else { None };
            if let Some(nonce) = nonce.and_then(|nonce| HeaderValue::try_from(nonce).ok()) {
                response.headers_mut().insert(DPOP_NONCE, nonce);
            }
            Ok(response)
        })
    }
}

/// See [`Api::metadata_layer`].
#[derive(Clone, Debug)]
pub struct ServeMetadata {
    api: Api,
}

/// A service behind [`ServeMetadata`].
#[derive(Clone, Debug)]
pub struct WithMetadata<S> {
    api: Api,
    inner: S,
}

impl<S> Layer<S> for ServeMetadata {
    type Service = WithMetadata<S>;

    fn layer(&self, inner: S) -> WithMetadata<S> {
        WithMetadata { api: self.api.clone(), inner }
    }
}

impl<S, B, R> Service<Request<B>> for WithMetadata<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    S::Error: Send,
    R: From<Vec<u8>> + Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let here = self.api.metadata_path() == Some(request.uri().path());
        let response = match *request.method() {
            Method::GET if here => self.api.metadata_response(),
            Method::OPTIONS if here => preflight(),
            _ => return Box::pin(self.inner.call(request)),
        };
        Box::pin(async move { Ok(response) })
    }
}

#[cfg(test)]
#[cfg(feature = "axum")]
#[path = "layer_tests.rs"]
mod tests;
