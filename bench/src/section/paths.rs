//! Every path against its ceiling.

use super::{Scale, Section};
use crate::affinity::{Core, pin};
use crate::failure::Result;
use crate::measure::{Asked, Pace, measure};
use crate::path::Path;
use crate::report::{self, Row};
use crate::site::{Population, Site, first_grant_tokens};

pub(crate) fn run(paths: &[Path], scale: Scale) -> Result<Section> {
    let rows = rows(paths, scale.pace)?;
    let mut section = Section::new(
        "Paths",
        "64 connections, keep-alive, closed loop. Server and ceiling have one core, the load the other; they take turns, and \
         the ratios are medians over the turns. \"CPU us\" is the server's processor time for each answer.",
        &report::HEAD,
    );
    for row in rows {
        section.rows.push(row.cells());
        section.figure(format!("{}.rate", row.path), row.rate);
        section.figure(format!("{}.cpu", row.path), row.cpu / 1e6);
        section.figure(format!("{}.ceiling", row.path), row.ceiling_rate);
        section.figure(format!("{}.ratio", row.path), row.ratio);
        section.figure(format!("{}.cpu_ratio", row.path), row.cpu_ratio);
        if !row.note.is_empty() {
            section.notes.push(format!("{}: {}", row.path, row.note));
        }
        if row.bad > 0 {
            let first = row.first_bad.unwrap_or_default();
            section.broken.push(format!("{}: {} answers were not granted, the first: {first}", row.path, row.bad));
        }
    }
    Ok(section)
}

/// Measures paths on a site of their own.
fn rows(paths: &[Path], pace: Pace) -> Result<Vec<Row>> {
    let site = Site::new("paths")?;
    let needed = u64::try_from(paths.iter().map(|path| path.grants()).sum::<usize>())?;
    // The first start makes the keys that tokens of grants are derived from.
    drop(site.start()?);
    Population { grants: needed.max(64), ..Population::default() }.put(&site)?;
    let mut grants = first_grant_tokens(&site, 0..needed)?;
    pin(Core::Load);
    let server = site.start()?;
    let mut rows = Vec::new();
    for path in paths {
        let stage = path.stage(&site, &grants.split_off(grants.len() - path.grants()))?;
        let row = measure(*path, &site, &mut Asked::new(&server, stage), pace)?;
        eprintln!(
            "  {:<40} {:>7.0}/s, ceiling {:>7.0}/s: {:.2}; CPU {:.1} us, ceiling {:.1} us: {:.2}; wanted {:.2}",
            row.title, row.rate, row.ceiling_rate, row.ratio, row.cpu, row.ceiling_cpu, row.cpu_ratio, row.wanted
        );
        if let Some(bad) = &row.first_bad {
            eprintln!("  {} bad answers, the first: {bad}", row.bad);
        }
        rows.push(row);
    }
    Ok(rows)
}
