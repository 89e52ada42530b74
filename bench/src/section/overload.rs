//! Three times as much as can be done, arriving whether or not it is answered.

use super::{Scale, Section, millis, verdict};
use crate::affinity::{Core, pin};
use crate::failure::Result;
use crate::load::{Cycle, Load, Outcome, Script};
use crate::measure::fixed;
use crate::path::{Chains, credentials_of};
use crate::report::mib;
use crate::site::{Api, Population, Site, first_grant_tokens};
use std::time::Duration;

/// More than the server has room for, so that it must refuse.
const CONNECTIONS: usize = 4_000;
const TIMES: f64 = 3.0;
/// Normal again after this.
const RECOVERY: Duration = Duration::from_secs(10);
const REFUSED_WITHIN: Duration = Duration::from_millis(100);

pub(crate) fn run(scale: Scale) -> Result<Section> {
    let site = Site::new("overload")?;
    drop(site.start()?);
    Population { grants: 8_192, ..Population::default() }.put(&site)?;
    let mut section = Section::new(
        "Overload",
        "Requests arrive at three times the rate that 64 connections get answered, on 4000 connections. Times are from the \
         sending to the answer. Wanted: refusals in under 100 ms, p99 of those admitted at most three times the normal (that of \
         64 connections at capacity), memory bounded, normal ten seconds after.",
        &[
            "path",
            "offered/s",
            "admitted/s",
            "refused/s",
            "never sent/s",
            "p99 ms of refusals",
            "p99 ms normal",
            "p99 ms admitted",
            "p99 ms after",
            "RSS MiB before",
            "peak",
            "verdict",
        ],
    );
    pin(Core::Load);
    let mut signed = Cycle::new(vec![credentials_of("machine", Api::Rs256)]);
    one(&site, "client credentials, JWT RS256", &mut signed, scale, &mut section)?;
    let tokens = first_grant_tokens(&site, 0..8_192)?;
    let mut refresh = Chains::new(tokens, CONNECTIONS);
    let flood = one(&site, "refresh, durable", &mut refresh, scale, &mut section)?;
    nothing_but_answers(&site, &flood, &mut refresh, scale, &mut section)?;
    Ok(section)
}

/// What came of a flood.
struct Flood {
    /// Requests a second.
    offered: f64,
    /// The length of a refusal.
    refusal: usize,
    /// The 99th percentile on a normal day.
    normal: Duration,
}

fn one(site: &Site, name: &str, script: &mut dyn Script, scale: Scale, section: &mut Section) -> Result<Flood> {
    let server = site.start()?;
    let time = scale.pace.slice * 2;
    let closed = Load::closed(server.address, time);
    let normal = closed.run(script)?;
    let (before, offered) = (server.memory()?, normal.rate() * TIMES);
    let flood = Load { connections: CONNECTIONS, rate: Some(offered), ..closed };
    let flooded = flood.run(script)?;
    let peak = server.peak()?;
    std::thread::sleep(RECOVERY);
    let after = closed.run(script)?;
    section.broken.extend([&normal, &after].into_iter().filter_map(|outcome| outcome.complaint(name)));
    let others = flooded.bad() - flooded.busy();
    if others > 0 {
        section.broken.push(format!("{name}: beside refusals, {:?}", flooded.statuses));
    }
    let tail = |outcome: &Outcome| outcome.quantile(0.99);
    let refusal = Duration::from_nanos(flooded.refused.value_at_quantile(0.99));
    let admitted = Duration::from_nanos(flooded.admitted.value_at_quantile(0.99));
    let met = refusal < REFUSED_WITHIN && admitted <= tail(&normal) * 3 && tail(&after) <= tail(&normal) * 3 / 2;
    let each = |count: u64| format!("{:.0}", count as f64 / flooded.time.as_secs_f64());
    section.row([
        name.to_owned(),
        format!("{offered:.0}"),
        each(flooded.good()),
        each(flooded.busy()),
        each(flooded.unserved),
        millis(refusal),
        millis(tail(&normal)),
        millis(admitted),
        millis(tail(&after)),
        mib(before),
        mib(peak),
        verdict(met),
    ]);
    let refused_with = flooded.first_bad.map_or(0, |body| body.len());
    Ok(Flood { offered, refusal: refused_with, normal: tail(&normal) })
}

/// The same flood against a server that gives everybody a body as long as a refusal and does nothing else: what the refusals
/// alone would take, were they free.
fn nothing_but_answers(
    site: &Site,
    flood: &Flood,
    script: &mut dyn Script,
    scale: Scale,
    section: &mut Section,
) -> Result<()> {
    let mut request = Vec::new();
    script.request(0, &mut request);
    let mut script = Cycle::new(vec![request]);
    let ceiling = fixed(site, flood.refusal, &[])?;
    let closed = Load::closed(ceiling.address, scale.pace.slice * 2);
    let normal = closed.run(&mut script)?;
    let before = ceiling.memory()?;
    let flooded = Load { connections: CONNECTIONS, rate: Some(flood.offered), ..closed }.run(&mut script)?;
    section.broken.extend([&normal, &flooded].into_iter().filter_map(|outcome| outcome.complaint("fixed body")));
    let answered = Duration::from_nanos(flooded.admitted.value_at_quantile(0.99));
    section.row([
        "a fixed body for each of these".to_owned(),
        format!("{:.0}", flood.offered),
        format!("{:.0}", flooded.rate()),
        String::new(),
        format!("{:.0}", flooded.unserved as f64 / flooded.time.as_secs_f64()),
        String::new(),
        millis(normal.quantile(0.99)),
        millis(answered),
        String::new(),
        mib(before),
        mib(ceiling.peak()?),
        String::new(),
    ]);
    section.notes.push(format!(
        "a fixed body for each of these: the ceiling's server, which parses HTTP and gives everybody a body as long as a refusal. \
         Where its p99 is above three times {:.1} ms, refusing alone takes longer than those who are admitted may wait",
        flood.normal.as_secs_f64() * 1e3
    ));
    Ok(())
}
