//! What is read when somebody asks: the state of the gate, of the directory, of the store and of the process.

use crate::context::Context;
use crate::overload::Excess;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

/// Reads it.
#[derive(Debug)]
pub(super) struct Live(Arc<OnceLock<Weak<Context>>>);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

impl Live {
    /// Of a server that is not there yet.
    pub(super) fn new(context: Arc<OnceLock<Weak<Context>>>) -> Self {
        Self(context)
    }
}

impl Collector for Live {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let mut writer = Writer(encoder);
        if let Some(context) = self.0.get().and_then(Weak::upgrade) {
            of_server(&mut writer, &context)?;
        }
        of_process(&mut writer)
    }
}

fn of_server(writer: &mut Writer<'_>, context: &Context) -> Result<(), fmt::Error> {
    let (health, gate) = (&context.operations.health, &context.operations.gate);
    let ready = i64::from(health.objection().is_none());
    writer.gauge("grantor_ready", "Whether requests should be sent here", ready)?;
    writer.gauge("grantor_http_requests_in_flight", "Requests being served", gate.in_flight())?;
    writer.gauge("grantor_http_requests_in_flight_limit", "Requests that may be served at once", gate.limit())?;
    let connections = gauge(context.operations.connections());
    writer.gauge("grantor_connections", "Connections that are open", connections)?;
    let late = gate.lateness().as_secs_f64();
    writer.gauge("grantor_runtime_lateness_seconds", "How long a request waits until it is looked at", late)?;
    writer.overload(context)?;
    let version = gauge(health.directory_version());
    writer.gauge("grantor_directory_version", "The version of the directory that is served", version)?;
    let age = health.directory_age().unwrap_or_default().as_secs_f64();
    writer.gauge("grantor_directory_age_seconds", "Since the directory was last known to be current", age)?;
    let passwords = &context.passwords;
    writer.gauge("grantor_passwords_running", "Slow hashes being computed", gauge(passwords.running()))?;
    writer.gauge("grantor_passwords_waiting", "Slow hashes that wait for their turn", gauge(passwords.waiting()))?;
    let activity = context.store.activity();
    writer.gauge("grantor_store_writes_waiting", "Writing verbs that wait for a commit", gauge(activity.waiting))?;
    writer.counter("grantor_store_commits", "Transactions committed", activity.commits)?;
    writer.counter("grantor_store_committed_verbs", "Writing verbs committed", activity.committed_verbs)
}

/// As far as the operating system tells.
#[cfg(target_os = "linux")]
fn of_process(writer: &mut Writer<'_>) -> Result<(), fmt::Error> {
    let Ok(process) = procfs::process::Process::myself() else { return Ok(()) };
    if let Ok(stat) = process.stat() {
        let ticks = seconds(stat.utime.saturating_add(stat.stime), procfs::ticks_per_second());
        writer.counter("process_cpu_seconds", "Processor time used", ticks)?;
        let resident = stat.rss.saturating_mul(procfs::page_size());
        writer.gauge("process_resident_memory_bytes", "Memory in use", gauge(resident))?;
        writer.gauge("process_threads", "Threads", stat.num_threads)?;
    }
    if let Ok(open) = process.fd_count() {
        writer.gauge("process_open_fds", "Open files and sockets", gauge(open))?;
    }
    if let Ok(limits) = process.limits()
        && let procfs::process::LimitValue::Value(most) = limits.max_open_files.soft_limit
    {
        writer.gauge("process_max_fds", "Files and sockets that may be open", gauge(most))?;
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn of_process(_writer: &mut Writer<'_>) -> Result<(), fmt::Error> {
    Ok(())
}

#[cfg(target_os = "linux")]
fn seconds(ticks: u64, per_second: u64) -> f64 {
    let millis = ticks.saturating_mul(1000) / per_second.max(1);
    std::time::Duration::from_millis(millis).as_secs_f64()
}

fn gauge<T>(number: T) -> i64
where
    i64: TryFrom<T>,
{
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Writes single figures.
struct Writer<'a>(DescriptorEncoder<'a>);

impl Writer<'_> {
    fn gauge<N>(&mut self, name: &str, help: &str, value: N) -> Result<(), fmt::Error>
    where
        ConstGauge<N>: EncodeMetric,
    {
        self.one(name, help, &ConstGauge::new(value))
    }

    fn counter<N>(&mut self, name: &str, help: &str, value: N) -> Result<(), fmt::Error>
    where
        ConstCounter<N>: EncodeMetric,
    {
        self.one(name, help, &ConstCounter::new(value))
    }

    fn one(&mut self, name: &str, help: &str, metric: &impl EncodeMetric) -> Result<(), fmt::Error> {
        metric.encode(self.0.encode_descriptor(name, help, None, metric.metric_type())?)
    }

    fn overload(&mut self, context: &Context) -> Result<(), fmt::Error> {
        let gate = &context.operations.gate;
        let refused = Excess::ALL.map(|excess| (excess.as_str(), gate.refused(excess)));
        let passwords = ("passwords", context.passwords.refused());
        let kind = ConstCounter::new(0_u64).metric_type();
        let help = "Requests and connections refused because there were too many";
        let mut family = self.0.encode_descriptor("grantor_overload_refusals", help, None, kind)?;
        for (reason, count) in refused.into_iter().chain([passwords]) {
            let label = Reason { reason };
            ConstCounter::new(count).encode(family.encode_family(&label)?)?;
        }
        Ok(())
    }
}
