//! From measured unit costs to what a node, ten nodes, a region and the planet need. People are simulated one by one; only
//! the step from many of them to all of them is a multiplication.

mod costs;
mod people;
mod plan;

use crate::failure::Result;
use crate::report::table;
use crate::run::Results;
use clap::Args;
use costs::Costs;
use people::{Habits, Zones};
use plan::{Demand, Scale};
use std::path::PathBuf;

/// `grantor-bench simulate`.
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// What `run --json` wrote
    #[arg(long, value_name = "FILE", default_value = "bench/results.json")]
    figures: PathBuf,
    /// Devices that are simulated; what all devices do is a multiple of it
    #[arg(long, default_value_t = 100_000)]
    devices: u32,
    /// Replace the tables between the marks of this page
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
}

/// What stands before and after the tables in the page.
const BEGIN: &str = "<!-- simulated -->\n";
const END: &str = "<!-- /simulated -->\n";

impl Simulate {
    pub(crate) fn run(&self) -> Result<()> {
        let results: Results = serde_json::from_str(&std::fs::read_to_string(&self.figures)?)?;
        let costs = Costs::of(&results)?;
        let habits = Habits::default();
        let one_zone = people::simulate(&habits, Zones::One, self.devices);
        let all_zones = people::simulate(&habits, Zones::All, self.devices);
        let scales = [
            Scale::filling("one node", 1, &costs, &one_zone, &habits),
            Scale::filling("ten nodes", 10, &costs, &one_zone, &habits),
            Scale::serving("a region", 300_000_000, &costs, &one_zone, &habits),
            Scale::serving("the planet", 5_000_000_000, &costs, &all_zones, &habits),
        ];
        let tables = [
            format!("Measured by `{}` on:\n\n", results.command),
            results.machine.iter().flat_map(|line| ["- ", line.as_str(), "\n"]).collect(),
            "\nUnit costs, the release binary on one core of it:\n\n".to_owned(),
            costs.table(),
            format!("\nWhat {} simulated devices do in a day, each with habits of its own:\n\n", self.devices),
            demand(&one_zone, &all_zones),
            format!("\n{}\n", habits.words()),
            "\nWhat that needs:\n\n".to_owned(),
            plan::table_of(&scales),
            format!("\n{}\n", plan::WORDS),
        ]
        .concat();
        println!("{tables}");
        if let Some(page) = &self.page {
            let text = std::fs::read_to_string(page)?;
            let (before, rest) = text.split_once(BEGIN).ok_or("the page has no mark where the tables begin")?;
            let (_, after) = rest.split_once(END).ok_or("the page has no mark where the tables end")?;
            std::fs::write(page, format!("{before}{BEGIN}\n{tables}\n{END}{after}"))?;
        }
        Ok(())
    }
}

fn demand(one: &Demand, all: &Demand) -> String {
    let rows = [
        ("refreshes", one.refreshes, all.refreshes),
        ("code redemptions", one.codes, all.codes),
        ("sign-ins with a password", one.sign_ins, all.sign_ins),
        ("introspections", one.introspections, all.introspections),
    ];
    let rows = rows.map(|(what, one, all)| {
        let times = |rate: plan::Rate| format!("{:.2}", rate.peak / rate.mean.max(1e-12));
        vec![what.to_owned(), format!("{:.3}", one.mean * 86_400.0), times(one), times(all)]
    });
    table(&["for each device", "a day", "peak to mean, one time zone", "peak to mean, all of them"], &rows)
}
