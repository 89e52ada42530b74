//! The cost of growth: the same paths at more and more grants, each size on a server of its own, in turn.

use super::memory::{START, started};
use super::{Scale, Section, millis};
use crate::affinity::{Core, pin};
use crate::failure::{Result, broken};
use crate::measure::{Asked, median, ratio};
use crate::path::Path;
use crate::process::Process;
use crate::report::mib;
use crate::site::{Population, Site, first_grant_tokens};
use std::time::Duration;

const SIZES: [u64; 3] = [1_000, 100_000, 1_000_000];
const LONG: u64 = 10_000_000;
const PATHS: [Path; 5] = [Path::TokenOpaque, Path::IntrospectOpaque, Path::Userinfo, Path::Refresh, Path::Code];
/// How many grants take part in a path, spread over all of them.
const SPREAD: u64 = 250;
/// Flat is within a fifth.
const FLAT: f64 = 0.80;

struct Sized {
    grants: u64,
    site: Site,
    server: Process,
    /// From the spawn of the process to the first 200.
    start: Duration,
    tokens: Vec<String>,
}

pub(crate) fn run(scale: Scale) -> Result<Section> {
    let sizes = SIZES.into_iter().chain(scale.long.then_some(LONG));
    let sized: Vec<Sized> = sizes.map(Sized::new).collect::<Result<_>>()?;
    let mut section = Section::new(
        "Growth: grants",
        "The same paths at more and more grants, in turn. At each size as many grants take part, 250 for each path, spread over all \
         of them, so that only what is stored grows. Wanted: rate or processor time within 20 % of the smallest.",
        &["path", "grants", "req/s", "p99 us", "CPU us", "rate to smallest", "CPU to smallest", "flat"],
    );
    pin(Core::Load);
    for path in PATHS {
        let mut asked = Vec::new();
        for size in &sized {
            asked.push((size, Asked::new(&size.server, path.stage(&size.site, size.part(path)?)?)));
        }
        let mut measured = vec![(Vec::new(), Vec::new(), Vec::new()); asked.len()];
        for _ in 0..scale.pace.rounds {
            for ((_, asked), (rates, cpus, tails)) in asked.iter_mut().zip(&mut measured) {
                let (outcome, cpu) = asked.slice(scale.pace.slice)?;
                section.broken.extend(outcome.complaint(path.name()));
                rates.push(outcome.rate());
                cpus.push(cpu);
                tails.push(crate::measure::micros(outcome.quantile(0.99)) as f64);
            }
        }
        let Some((first_rates, first_cpus, _)) = measured.first().cloned() else { return broken("no sizes") };
        for ((size, _), (rates, cpus, tails)) in asked.iter().zip(&measured) {
            let (rate, cpu) = (ratio(rates, &first_rates), ratio(&first_cpus, cpus));
            section.row([
                path.title().to_owned(),
                size.grants.to_string(),
                format!("{:.0}", median(rates)),
                format!("{:.0}", median(tails)),
                format!("{:.1}", median(cpus)),
                format!("{rate:.2}"),
                format!("{cpu:.2}"),
                super::verdict(rate.max(cpu) >= FLAT),
            ]);
            section.figure(format!("growth.{}.{}", path.name(), size.grants), rate.max(cpu));
        }
    }
    for size in &sized {
        let bytes = std::fs::metadata(size.site.database())?.len();
        section.notes.push(format!(
            "{} grants: {} MiB on disk, {} MiB resident after the paths; start to first 200 in {} ms (wanted: {} ms, {})",
            size.grants,
            mib(bytes),
            mib(size.server.memory()?),
            millis(size.start),
            millis(START),
            super::verdict(size.start <= START)
        ));
        section.figure(format!("growth.start.{}", size.grants), size.start.as_secs_f64());
    }
    Ok(section)
}

impl Sized {
    fn new(grants: u64) -> Result<Self> {
        eprintln!("  making {grants} grants");
        let site = Site::new(&format!("growth-{grants}"))?;
        drop(site.start()?);
        Population { grants, ..Population::default() }.put(&site)?;
        let many = SPREAD * 3;
        // Neither neighbours nor the youngest: a stride that is prime to the number of grants.
        let tokens = first_grant_tokens(&site, (0..many).map(|n| n * 7_919 % grants))?;
        let (start, _, server) = started(&site)?;
        Ok(Self { grants, site, server, start, tokens })
    }

    /// A path's part of the grants: no two paths share one.
    fn part(&self, path: Path) -> Result<&[String]> {
        let third = self.tokens.len() / 3;
        let at = match path {
            Path::IntrospectOpaque => 0,
            Path::Userinfo => third,
            Path::Refresh => 2 * third,
            _ => return Ok(&[]),
        };
        self.tokens.get(at..at + third).ok_or_else(|| "too few grants".into())
    }
}
