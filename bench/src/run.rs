//! Runs of one or many paths.

use crate::affinity::{Core, pin};
use crate::failure::Result;
use crate::measure::{Asked, Pace, measure};
use crate::path::{GRANTS, Path};
use crate::report::{self, Row};
use crate::site::{Population, Site, first_grant_tokens};
use clap::Args;
use std::time::Duration;

/// `grantor-bench path`.
#[derive(Debug, Args)]
pub(crate) struct Paths {
    /// Which paths; all of them without
    #[arg(value_name = "PATH")]
    names: Vec<String>,
    /// How long each slice lasts
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// How often path and ceiling take turns
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Write the figures as JSON too
    #[arg(long, value_name = "FILE")]
    json: Option<std::path::PathBuf>,
}

impl Paths {
    pub(crate) fn run(&self) -> Result<bool> {
        let paths = match self.names.as_slice() {
            [] => Path::ALL.to_vec(),
            names => names.iter().map(|name| Path::parse(name)).collect::<Result<_>>()?,
        };
        let pace = Pace { slice: Duration::from_secs_f64(self.seconds), rounds: self.rounds };
        let rows = rows(&paths, pace)?;
        println!("\n{}", report::paths(&rows));
        for row in rows.iter().filter(|row| !row.note.is_empty()) {
            println!("{}: {}", row.path, row.note);
        }
        if let Some(file) = &self.json {
            std::fs::write(file, serde_json::to_string_pretty(&rows)?)?;
        }
        Ok(rows.iter().all(|row| row.bad == 0))
    }
}

/// Measures paths on a site of their own.
pub(crate) fn rows(paths: &[Path], pace: Pace) -> Result<Vec<Row>> {
    let site = Site::new("paths")?;
    let needed = u64::try_from(paths.iter().filter(|path| path.needs_grants()).count())? * GRANTS;
    let mut grants = Vec::new();
    // The first start makes the keys that tokens of grants are derived from.
    drop(site.start()?);
    if needed > 0 || paths.contains(&Path::Code) {
        let population = Population { grants: needed.max(GRANTS), ..Population::default() };
        population.put(&site)?;
        grants = first_grant_tokens(&site, 0..needed)?;
    }
    if !pin(Core::Load) {
        eprintln!("one core only: the load takes its time from the server");
    }
    let server = site.start()?;
    let mut rows = Vec::new();
    for path in paths {
        eprintln!("{}", path.title());
        let stage = path.stage(&site, &mut grants)?;
        let row = measure(*path, &site, &mut Asked::new(&server, stage), pace)?;
        eprintln!(
            "  {:.0}/s of {:.0}/s: {:.2}; {:.1} us of {:.1} us: {:.2}; wanted {:.2}",
            row.rate, row.ceiling_rate, row.ratio, row.cpu, row.ceiling_cpu, row.cpu_ratio, row.wanted
        );
        if let Some(bad) = &row.first_bad {
            eprintln!("  {} bad answers, the first: {bad}", row.bad);
        }
        rows.push(row);
    }
    Ok(rows)
}
