//! What those who run the server say: where figures are, how it ends, how long the audit log reaches back.

use super::check::Read;
use super::file;
use crate::document::Problem;
use crate::document::Problems;
use std::net::SocketAddr;
use std::time::Duration;

/// What those who run the server say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Operations {
    /// Where figures for Prometheus are.
    pub(crate) metrics: Option<SocketAddr>,
    /// For how long it serves on after it was told to stop.
    pub(crate) drain: Duration,
    /// For how many days audit events are kept; without one, for ever.
    pub(crate) keep_audit_days: Option<u32>,
}

/// Behind a proxy: for as long as it may take until the proxy has seen that this node is not ready.
const DRAIN_BEHIND_A_PROXY: Duration = Duration::from_secs(5);
/// Nobody waits longer for a process to end.
const LONGEST_DRAIN: Duration = Duration::from_mins(10);
/// For so long audit events are kept when nobody says for how long.
const KEEP_AUDIT_DAYS: u32 = 400;

impl Read<'_> {
    /// The settings as they are meant.
    pub(super) fn operations(
        &self,
        drain_seconds: Option<u32>,
        metrics: file::Metrics,
        audit: file::Audit,
        proxied: bool,
        problems: &mut Problems,
    ) -> Operations {
        let drain = match drain_seconds.map(|seconds| Duration::from_secs(seconds.into())) {
            Some(drain) if drain > LONGEST_DRAIN => {
                let problem = Problem::error(format!("a drain is not longer than {} seconds", LONGEST_DRAIN.as_secs()));
                self.push("drain_seconds", problem, problems);
                LONGEST_DRAIN
            }
            Some(drain) => drain,
            None if proxied => DRAIN_BEHIND_A_PROXY,
            None => Duration::ZERO,
        };
        let keep = audit.keep_days.unwrap_or(KEEP_AUDIT_DAYS);
        Operations {
            metrics: metrics.listen.map(|listen| listen.0),
            drain,
            keep_audit_days: (keep > 0).then_some(keep),
        }
    }
}
