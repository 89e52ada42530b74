//! Figures for Prometheus: counted with atomic operations on handles that were found beforehand, written out when somebody
//! asks. Labels come from lists of this program alone, never from outside. docs/operations.md explains each.

mod endpoint;
mod histogram;
mod live;
mod store;
mod verb;

pub(crate) use endpoint::Endpoint;
pub(crate) use store::MeteredStore;

use crate::context::Context;
use grantor_protocol::ErrorCode;
use grantor_protocol::directory::TokenFormat;
use grantor_protocol::grant::GrantType;
use histogram::Latency;
use http::StatusCode;
use live::Live;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;
use store::StoreMeters;

/// Everything that is counted.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Vec<Requests>,
    issued: Vec<[Counter; 2]>,
    refusals: Family<Error, Counter>,
    pub(crate) store: Arc<StoreMeters>,
    live: Arc<OnceLock<Weak<Context>>>,
}

/// Of one endpoint.
#[derive(Debug)]
struct Requests {
    endpoint: &'static str,
    by_status: [OnceLock<Counter>; STATUSES.len() + 1],
    family: Family<Answer, Counter>,
    latency: Latency,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    endpoint: &'static str,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct At {
    endpoint: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Issued {
    grant_type: &'static str,
    format: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Error {
    error: &'static str,
}

/// The statuses that this server gives; any other counts as `other`.
const STATUSES: [(u16, &str); 14] = [
    (200, "200"),
    (204, "204"),
    (302, "302"),
    (303, "303"),
    (400, "400"),
    (401, "401"),
    (403, "403"),
    (404, "404"),
    (405, "405"),
    (408, "408"),
    (413, "413"),
    (414, "414"),
    (500, "500"),
    (503, "503"),
];

/// What the answer to a scrape is.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

impl Metrics {
    /// Nothing counted yet.
    pub(crate) fn new() -> Arc<Self> {
        let mut registry = Registry::default();
        let (answers, latencies) = (Family::<Answer, Counter>::default(), Family::<At, Latency>::default());
        registry.register("grantor_http_requests", "Requests answered", answers.clone());
        registry.register("grantor_http_request_duration_seconds", "From the header to the answer", latencies.clone());
        let requests = Endpoint::ALL.map(|endpoint| Requests {
            endpoint: endpoint.as_str(),
            by_status: std::array::from_fn(|_| OnceLock::new()),
            family: answers.clone(),
            latency: latencies.get_or_create(&At { endpoint: endpoint.as_str() }).clone(),
        });
        let issued = Family::<Issued, Counter>::default();
        registry.register("grantor_tokens_issued", "Access tokens issued", issued.clone());
        let of = |grant_type: GrantType, format| {
            let grant_type = grant_label(grant_type);
            issued.get_or_create(&Issued { grant_type, format }).clone()
        };
        let issued = GrantType::ALL.map(|grant_type| [of(grant_type, "jwt"), of(grant_type, "opaque")]);
        let refusals = Family::<Error, Counter>::default();
        registry.register("grantor_refusals", "Errors of OAuth and OpenID Connect answered", refusals.clone());
        let store = StoreMeters::registered(&mut registry);
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("grantor_build", "What runs here", build);
        let live = Arc::new(OnceLock::new());
        registry.register_collector(Box::new(Live::new(Arc::clone(&live))));
        Arc::new(Self { registry, requests: requests.into(), issued: issued.into(), refusals, store, live })
    }

    /// Whose present state is told with the rest.
    pub(crate) fn follow(&self, context: &Arc<Context>) {
        let _ = self.live.set(Arc::downgrade(context));
    }

    /// A request was answered.
    pub(crate) fn answered(&self, endpoint: Endpoint, status: StatusCode, after: Duration) {
        let Some(requests) = self.requests.get(endpoint.place()) else { return };
        let place = STATUSES.iter().position(|(code, _)| *code == status.as_u16());
        let (place, status) = match place.and_then(|place| Some((place, STATUSES.get(place)?.1))) {
            Some(known) => known,
            None => (STATUSES.len(), "other"),
        };
        if let Some(cell) = requests.by_status.get(place) {
            let label = || Answer { endpoint: requests.endpoint, status };
            cell.get_or_init(|| requests.family.get_or_create(&label()).clone()).inc();
        }
        requests.latency.observe(after);
    }

    /// An access token was issued.
    pub(crate) fn issued(&self, grant_type: GrantType, format: TokenFormat) {
        let place = GrantType::ALL.iter().position(|one| *one == grant_type).unwrap_or_default();
        let Some([jwt, opaque]) = self.issued.get(place) else { return };
        match format {
            TokenFormat::Jwt => jwt.inc(),
            TokenFormat::Opaque => opaque.inc(),
        };
    }

    /// An error was answered.
    pub(crate) fn refused(&self, code: ErrorCode) {
        self.refusals.get_or_create(&Error { error: code.as_str() }).inc();
    }

    /// The text of a scrape (OpenMetrics 1.0).
    pub(crate) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// Short, where the registered name is a URN.
const fn grant_label(grant_type: GrantType) -> &'static str {
    match grant_type {
        GrantType::JwtBearer => "jwt_bearer",
        other => other.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_told() {
        let metrics = Metrics::new();
        metrics.answered(Endpoint::Token, StatusCode::OK, Duration::from_micros(700));
        metrics.answered(Endpoint::Token, StatusCode::OK, Duration::from_millis(700));
        metrics.answered(Endpoint::Token, StatusCode::IM_A_TEAPOT, Duration::from_secs(70));
        metrics.issued(GrantType::JwtBearer, TokenFormat::Opaque);
        metrics.refused(ErrorCode::InvalidGrant);
        let text = metrics.text().unwrap();
        for line in [
            "grantor_http_requests_total{endpoint=\"token\",status=\"200\"} 2",
            "grantor_http_requests_total{endpoint=\"token\",status=\"other\"} 1",
            "grantor_http_request_duration_seconds_bucket{le=\"0.001\",endpoint=\"token\"} 1",
            "grantor_http_request_duration_seconds_bucket{le=\"1.0\",endpoint=\"token\"} 2",
            "grantor_http_request_duration_seconds_bucket{le=\"+Inf\",endpoint=\"token\"} 3",
            "grantor_http_request_duration_seconds_count{endpoint=\"token\"} 3",
            "grantor_tokens_issued_total{grant_type=\"jwt_bearer\",format=\"opaque\"} 1",
            "grantor_refusals_total{error=\"invalid_grant\"} 1",
        ] {
            assert!(text.lines().any(|one| one == line), "{line} is not in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }
}
