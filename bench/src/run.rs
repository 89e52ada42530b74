//! A run: a printed plan, each part in turn, tables at the end.

use crate::failure::Result;
use crate::machine;
use crate::measure::Pace;
use crate::path::Path;
use crate::section::{
    Scale, Section, growth, memory, migration, overload, passwords, paths, peer, postgres, resource, tenants,
};
use clap::Args;
use serde::{Deserialize, Serialize};
use std::path::{Path as File, PathBuf};
use std::time::{Duration, Instant};

/// `grantor-bench run`.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Paths and parts, such as jwks,refresh,growth; everything without. `paths` is every path
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    #[command(flatten)]
    pace: PaceOptions,
    /// For how long memory is watched under load, in minutes
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// Ten million grants too, and memory watched for an hour
    #[arg(long)]
    long: bool,
    /// Write the figures as JSON, for `simulate`
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the tables as Markdown
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// The command that is named in the tables
    #[arg(long, hide = true, default_value = "grantor-bench run")]
    command: String,
}

/// `grantor-bench path`.
#[derive(Debug, Args)]
pub(crate) struct Single {
    /// Which paths; all of them without
    #[arg(value_name = "PATH")]
    names: Vec<String>,
    #[command(flatten)]
    pace: PaceOptions,
}

#[derive(Clone, Copy, Debug, Args)]
struct PaceOptions {
    /// How long each slice lasts
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// How often those that are compared take turns
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// What a run wrote down.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Results {
    pub(crate) command: String,
    pub(crate) machine: Vec<String>,
    pub(crate) sections: Vec<Section>,
}

/// A part of a run beside the paths. The one list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Postgres,
    Migration,
    Memory,
    Growth,
    Tenants,
    Passwords,
    Overload,
    Peer,
    Resource,
}

impl Part {
    const ALL: [Self; 9] = [
        Self::Postgres,
        Self::Migration,
        Self::Memory,
        Self::Growth,
        Self::Tenants,
        Self::Passwords,
        Self::Overload,
        Self::Peer,
        Self::Resource,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Migration => "migration",
            Self::Memory => "memory",
            Self::Growth => "growth",
            Self::Tenants => "tenants",
            Self::Passwords => "passwords",
            Self::Overload => "overload",
            Self::Peer => "peer",
            Self::Resource => "resource",
        }
    }

    fn run(self, scale: Scale) -> Result<Section> {
        match self {
            Self::Postgres => postgres::run(scale),
            Self::Migration => migration::run(scale),
            Self::Memory => memory::run(scale),
            Self::Growth => growth::run(scale),
            Self::Tenants => tenants::run(scale),
            Self::Passwords => passwords::run(scale),
            Self::Overload => overload::run(scale),
            Self::Peer => peer::run(scale),
            Self::Resource => resource::run(scale),
        }
    }
}

impl PaceOptions {
    fn pace(self) -> Pace {
        Pace { slice: Duration::from_secs_f64(self.seconds), rounds: self.rounds.max(1) }
    }
}

impl Single {
    pub(crate) fn run(&self) -> Result<bool> {
        let paths = match self.names.as_slice() {
            [] => Path::ALL.to_vec(),
            names => names.iter().map(|name| Path::parse(name)).collect::<Result<_>>()?,
        };
        let section = paths::run(&paths, Scale { pace: self.pace.pace(), minutes: 0.0, long: false })?;
        println!("\n{}", section.markdown());
        Ok(section.broken.is_empty())
    }
}

impl Run {
    pub(crate) fn run(&self) -> Result<bool> {
        let (paths, parts) = self.chosen()?;
        let minutes = if self.long { self.minutes.max(60.0) } else { self.minutes };
        let scale = Scale { pace: self.pace.pace(), minutes, long: self.long };
        let names: Vec<_> = paths.iter().map(|path| path.name()).chain(parts.iter().map(|part| part.name())).collect();
        eprintln!("{} rounds of {} s each: {}", scale.pace.rounds, self.pace.seconds, names.join(", "));
        let mut sections = Vec::new();
        if !paths.is_empty() {
            sections.push(timed("paths", || paths::run(&paths, scale)));
        }
        for part in parts {
            sections.push(timed(part.name(), || part.run(scale)));
        }
        let results = Results { command: self.command.clone(), machine: machine::description(), sections };
        let good = results.sections.iter().all(|section| section.broken.is_empty());
        for section in &results.sections {
            println!("\n{}", section.markdown());
        }
        let results = match &self.json {
            // What is broken takes nobody's place.
            Some(_) if !good && !self.only.is_empty() => return Ok(false),
            Some(file) if !self.only.is_empty() => Results::read(file)?.with(results),
            _ => results,
        };
        if let Some(file) = &self.json {
            std::fs::write(file, serde_json::to_string_pretty(&results)? + "\n")?;
        }
        if let Some(file) = &self.markdown {
            std::fs::write(file, results.markdown())?;
        }
        Ok(good)
    }

    fn chosen(&self) -> Result<(Vec<Path>, Vec<Part>)> {
        if self.only.is_empty() {
            return Ok((Path::ALL.to_vec(), Part::ALL.to_vec()));
        }
        let (mut paths, mut parts) = (Vec::new(), Vec::new());
        for name in &self.only {
            if name == "paths" {
                paths.extend(Path::ALL);
            } else if let Some(part) = Part::ALL.into_iter().find(|part| part.name() == name) {
                parts.push(part);
            } else {
                paths.push(Path::parse(name)?);
            }
        }
        Ok((paths, parts))
    }
}

/// One part; what goes wrong in it does not stop the others.
fn timed(name: &str, part: impl FnOnce() -> Result<Section>) -> Section {
    eprintln!("{name}");
    let begun = Instant::now();
    let section = part().unwrap_or_else(|failure| {
        let mut section = Section::new(name, "It could not be measured.", &["what"]);
        section.broken.push(failure.to_string());
        section
    });
    eprintln!("  done in {:.0} s", begun.elapsed().as_secs_f64());
    section
}

impl Results {
    /// What a run wrote.
    fn read(file: &File) -> Result<Self> {
        Ok(serde_json::from_str(&std::fs::read_to_string(file)?)?)
    }

    /// The same with sections of a later run in the place of its own: each says where it comes from.
    fn with(mut self, later: Self) -> Self {
        let machine = later.machine.join("; ");
        for mut section in later.sections {
            section.made_by = Some(format!("Made by `{}`: {machine}.", later.command));
            match self.sections.iter_mut().find(|known| known.title == section.title) {
                Some(known) => *known = section,
                None => self.sections.push(section),
            }
        }
        self
    }

    fn markdown(&self) -> String {
        let mut text = format!(
            "# Results\n\nMade by `{}`; [how it is measured](../docs/adr/0016-bench-method.md). Ratios compare what ran in turn \
             within this run; rates by themselves are those of this machine on that day.\n\n",
            self.command
        );
        for line in &self.machine {
            text.extend(["- ", line.as_str(), "\n"]);
        }
        for section in &self.sections {
            text.push('\n');
            text.push_str(&section.markdown());
        }
        text
    }
}
