//! Whether this node lives, and whether requests should be sent to it. Answered without asking anybody: what is known
//! is known from the loop that follows the directory, so that no probe can tire the store.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What is known of this node.
#[derive(Debug)]
pub(crate) struct Health {
    draining: AtomicBool,
    begun: Instant,
    /// Milliseconds from then until the store last said that the directory is as it is known here; `NEVER` before.
    fresh: AtomicU64,
    /// Which version of the directory that was.
    version: AtomicU64,
}

/// The address at which the process says that it runs.
pub(crate) const LIVE: &str = "/health/live";
/// The address at which it says whether it should get requests.
pub(crate) const READY: &str = "/health/ready";
/// What it was before there were two.
const PLAIN: &str = "/health";

/// A directory that was not found to be current for so long is out of date: revocation and rotation would come late.
pub(crate) const STALE: Duration = crate::feed::BOUND;

const NEVER: u64 = u64::MAX;

impl Health {
    /// Of a node that has not read its directory yet.
    pub(crate) fn new() -> Self {
        Self {
            draining: AtomicBool::new(false),
            begun: Instant::now(),
            fresh: AtomicU64::new(NEVER),
            version: AtomicU64::new(0),
        }
    }

    /// The store answered just now, and the directory is served as it stands there, at this version.
    pub(crate) fn directory_is_current(&self, version: u64) {
        let millis = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(NEVER - 1);
        self.fresh.store(millis, Ordering::Relaxed);
        self.version.store(version, Ordering::Relaxed);
    }

    /// Since when it is not known whether the directory is current; nothing before it was read.
    pub(crate) fn directory_age(&self) -> Option<Duration> {
        let fresh = self.fresh.load(Ordering::Relaxed);
        (fresh != NEVER).then(|| self.begun.elapsed().saturating_sub(Duration::from_millis(fresh)))
    }

    /// The version of the directory that is served.
    pub(crate) fn directory_version(&self) -> u64 {
        self.version.load(Ordering::Relaxed)
    }

    /// From now on nobody should send requests here.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether somebody said that it ends.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Why no requests should be sent here, if they should not.
    pub(crate) fn objection(&self) -> Option<&'static str> {
        if self.is_draining() {
            return Some("draining");
        }
        match self.directory_age() {
            Some(age) if age < STALE => None,
            Some(_) => Some("the store does not answer, or its directory cannot be read"),
            None => Some("starting"),
        }
    }

    /// The answer to a request for this path, if it is about health.
    pub(crate) fn answer(&self, path: &str) -> Option<Response> {
        match path {
            PLAIN | LIVE => Some(said(StatusCode::OK, "ok", None)),
            READY => Some(match self.objection() {
                None => said(StatusCode::OK, "ready", None),
                Some(why) => said(StatusCode::SERVICE_UNAVAILABLE, "not ready", Some(why)),
            }),
            _ => None,
        }
    }
}

fn said(status: StatusCode, word: &str, why: Option<&str>) -> Response {
    let body = match why {
        None => json!({ "status": word }),
        Some(why) => json!({ "status": word, "reason": why }),
    };
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(health: &Health) -> u16 {
        health.answer(READY).unwrap().status().as_u16()
    }

    #[test]
    fn a_node_is_ready_from_its_first_directory_until_it_is_told_to_end() {
        let health = Health::new();
        assert_eq!((ready(&health), health.objection()), (503, Some("starting")));
        health.directory_is_current(7);
        assert_eq!((ready(&health), health.directory_version()), (200, 7));
        health.drain();
        assert_eq!((ready(&health), health.objection()), (503, Some("draining")));
        assert_eq!(health.answer(LIVE).unwrap().status(), 200, "it lives on");
        assert!(health.answer("/token").is_none());
    }

    #[test]
    fn a_node_that_knows_nothing_new_is_not_ready() {
        let mut health = Health::new();
        health.directory_is_current(1);
        // As if the clock had gone on.
        health.begun = Instant::now().checked_sub(STALE * 2).unwrap();
        assert_eq!(ready(&health), 503);
        health.directory_is_current(1);
        assert_eq!(ready(&health), 200);
    }
}
