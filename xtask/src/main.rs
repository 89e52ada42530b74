//! The project's own commands: `cargo xtask check`, `cargo xtask fuzz`, `cargo xtask spec-map`.

mod bench;
mod boot;
mod check;
mod demo;
mod deploy;
mod fuzz;
mod interop;
mod libtest;
mod lint;
mod proof;
mod provision;
mod shell;
mod spec_map;
mod specs;
mod tally;
mod undefended;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  check [--long] [--only STEP,...]      everything that proves that Grantor works; ends with a line of counts.
                                        --long fuzzes each target for ten minutes, kills the server 1,000 times, and
                                        boots a machine with it where that is slow, for want of KVM
  bench [--only PATH,..] [--seconds N] [--rounds N] [--minutes N] [--long] [--write]
                                        every path against a ceiling measured in the same run. --long adds ten million
                                        grants and an hour of load; --write makes bench/RESULTS.md and docs/scale.md,
                                        with --only resource only that section of the former
  fuzz TARGET|--all [--seconds N]       run fuzz targets
  spec-map [--check]                    write docs/spec-map.md from the names of the tests, or say that it is stale
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.split_first() {
        Some((&"check", rest)) => check::Plan::parse(rest).map(|plan| check::run(&plan)),
        Some((&"bench", rest)) => bench::Plan::parse(rest).and_then(|plan| bench::run(&plan)),
        Some((&"fuzz", rest)) => fuzz::Plan::parse(rest).map(|plan| tally::conclude(fuzz::run(&plan))),
        Some((&"spec-map", [])) => spec_map::write().map(|()| true),
        Some((&"spec-map", ["--check"])) => Ok(tally::conclude(spec_map::check())),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}
