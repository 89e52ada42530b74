//! What those who run the server see and steer: health, figures, and the gate against overload.

use crate::health::Health;
use crate::metrics::{CONTENT_TYPE, Endpoint, Metrics};
use crate::overload::{Excess, Gate, Pass, Verdict};
use crate::respond;
use crate::under_way::UnderWay;
use axum::body::Body;
use axum::response::Response;
use grantor_protocol::{ErrorCode, Refusal};
use http::{HeaderValue, Method, StatusCode, header};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// The address of the figures, at the listener for them alone.
const METRICS: &str = "/metrics";

/// All of it.
pub(crate) struct Operations {
    pub(crate) health: Health,
    pub(crate) gate: Arc<Gate>,
    pub(crate) bodies: UnderWay,
    /// When somebody wants them.
    pub(crate) metrics: Option<Arc<Metrics>>,
    connections: AtomicUsize,
}

/// Whether a request is served.
pub(crate) enum Entry {
    /// It is, and this must be given back with the answer.
    Admitted(Admitted),
    /// It has been answered.
    Answered(Response),
}

/// A request that is being served.
pub(crate) struct Admitted {
    _pass: Pass,
    timing: Option<(Instant, Endpoint)>,
}

impl Operations {
    /// Of a server that is being made; with figures or without, and for so many connections at the most.
    pub(crate) fn new(metered: bool, connections: usize) -> Self {
        let (gate, metrics) = (Gate::new(), metered.then(Metrics::new));
        let bodies = UnderWay::new(Arc::clone(&gate), connections);
        Self { health: Health::new(), gate, bodies, metrics, connections: AtomicUsize::new(0) }
    }

    /// A connection came.
    pub(crate) fn opened(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// A connection went.
    pub(crate) fn closed(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }

    /// How many there are.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// What becomes of a request before anybody looks at what it asks for; `verdict` is what was said to it in line, and
    /// `base` stands before the paths of the default tenant.
    pub(crate) fn enter(&self, path: &str, base: &str, verdict: Verdict) -> Entry {
        if let Some(health) = self.health.answer(path) {
            return Entry::Answered(health);
        }
        let timing = self.metrics.as_ref().map(|_| (Instant::now(), Endpoint::of(path, base)));
        if let Ok(pass) = self.gate.admit(verdict) {
            return Entry::Admitted(Admitted { _pass: pass, timing });
        }
        let response = refused();
        self.answered(timing, &response);
        Entry::Answered(response)
    }

    /// What is done with every answer before it leaves.
    pub(crate) fn leave(&self, admitted: &Admitted, response: &Response) {
        self.answered(admitted.timing, response);
    }

    fn answered(&self, timing: Option<(Instant, Endpoint)>, response: &Response) {
        let (Some(metrics), Some((begun, endpoint))) = (&self.metrics, timing) else { return };
        if let Some(code) = response.extensions().get::<ErrorCode>() {
            metrics.refused(*code);
        }
        metrics.answered(endpoint, response.status(), begun.elapsed());
    }

    /// The answer at the listener for figures.
    pub(crate) fn scraped(&self, method: &Method, path: &str) -> Response {
        if let Some(health) = self.health.answer(path) {
            return health;
        }
        let Some(metrics) = self.metrics.as_ref().filter(|_| path == METRICS) else {
            return respond::status(StatusCode::NOT_FOUND);
        };
        if *method != Method::GET {
            return respond::status(StatusCode::METHOD_NOT_ALLOWED);
        }
        let Ok(text) = metrics.text() else { return respond::status(StatusCode::INTERNAL_SERVER_ERROR) };
        let mut response = Response::new(Body::from(text));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        response
    }

    /// While the server drains, each answer of HTTP/1.1 is the last of its connection.
    pub(crate) fn last(&self, mut response: Response) -> Response {
        if self.health.is_draining() {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    /// Counts a connection that found no place.
    pub(crate) fn no_place(&self) {
        self.gate.turn_away(Excess::Connections);
    }
}

/// 503, and when to come again.
pub(crate) fn refused() -> Response {
    respond::readable_by_all(respond::oauth_error(&Refusal::Busy, false))
}
