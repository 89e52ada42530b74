//! The cost of growth: more and more tenants, all of them in use.

use super::{Scale, Section};
use crate::affinity::{Core, pin};
use crate::failure::{Result, broken};
use crate::load::Cycle;
use crate::measure::{Asked, median, ratio};
use crate::path::{Stage, credentials_at};
use crate::process::Process;
use crate::report::mib;
use crate::site::{Api, Population, Site, tenant_name};

const SIZES: [u64; 3] = [1, 100, 10_000];
const FLAT: f64 = 0.80;

pub(crate) fn run(scale: Scale) -> Result<Section> {
    let mut section = Section::new(
        "Growth: tenants",
        "Client credentials with an opaque token, each request at the next of all tenants. Idle: no tenant but one was asked yet; \
         busy: each was.",
        &[
            "tenants",
            "start s",
            "idle MiB",
            "busy MiB",
            "req/s",
            "p99 us",
            "CPU us",
            "rate to smallest",
            "CPU to smallest",
            "flat",
        ],
    );
    let mut started = Vec::new();
    for tenants in SIZES {
        eprintln!("  making {tenants} tenants");
        started.push((tenants, Started::new(tenants)?));
    }
    pin(Core::Load);
    let mut asked = Vec::new();
    for (tenants, started) in &started {
        let requests = (0..*tenants).map(|n| Ok(credentials_at(&format!("/t/{}", tenant_name(n)?), Api::Opaque)));
        let script = Box::new(Cycle::new(requests.collect::<Result<_>>()?));
        let mut asked_here = Asked::new(&started.server, Stage { script, refill: None });
        let idle = started.server.memory()?;
        // Every tenant is asked once before anything counts.
        while asked_here.answered() < *tenants {
            asked_here.slice(scale.pace.slice)?;
        }
        asked.push((*tenants, idle, asked_here));
    }
    let mut measured = vec![(Vec::new(), Vec::new(), Vec::new()); asked.len()];
    for _ in 0..scale.pace.rounds {
        for ((_, _, asked), (rates, cpus, tails)) in asked.iter_mut().zip(&mut measured) {
            let (outcome, cpu) = asked.slice(scale.pace.slice)?;
            section.broken.extend(outcome.complaint("tenants"));
            rates.push(outcome.rate());
            cpus.push(cpu);
            tails.push(crate::measure::micros(outcome.quantile(0.99)) as f64);
        }
    }
    let Some((first_rates, first_cpus, _)) = measured.first().cloned() else { return broken("no sizes") };
    for (((tenants, idle, asked), (rates, cpus, tails)), (_, started)) in asked.iter().zip(&measured).zip(&started) {
        let (rate, cpu) = (ratio(rates, &first_rates), ratio(&first_cpus, cpus));
        let busy = asked.process.memory()?;
        section.row([
            tenants.to_string(),
            format!("{:.2}", started.seconds),
            mib(*idle),
            mib(busy),
            format!("{:.0}", median(rates)),
            format!("{:.0}", median(tails)),
            format!("{:.1}", median(cpus)),
            format!("{rate:.2}"),
            format!("{cpu:.2}"),
            super::verdict(rate.max(cpu) >= FLAT),
        ]);
        section.figure(format!("tenants.{tenants}.idle"), *idle as f64);
        section.figure(format!("tenants.{tenants}.busy"), busy as f64);
    }
    Ok(section)
}

struct Started {
    server: Process,
    seconds: f64,
}

impl Started {
    fn new(tenants: u64) -> Result<Self> {
        let site = Site::new(&format!("tenants-{tenants}"))?;
        drop(site.start()?);
        Population { tenants, ..Population::default() }.put(&site)?;
        let begun = std::time::Instant::now();
        let server = site.start()?;
        site.connect()?.call(&crate::http::get("/.well-known/openid-configuration", &[]))?.good()?;
        Ok(Self { server, seconds: begun.elapsed().as_secs_f64() })
    }
}
