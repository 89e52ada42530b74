//! Fuzz targets, built with the stable compiler: what cargo-fuzz passes to it are code generation options, and without a
//! sanitizer (there is no `unsafe` to sanitize) none of them is unstable.

use crate::shell::{End, cargo, lines, output, path, program, succeed};
use crate::tally::{Outcome, Tally};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

/// Coverage for libFuzzer, and the checks that a release build leaves out.
const FLAGS: [&str; 9] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cllvm-args=-simplifycfg-branch-fold-threshold=0",
    "-Cdebug-assertions",
    "-Coverflow-checks",
];

/// Which targets, for how long.
#[derive(Debug)]
pub(crate) struct Plan {
    target: Option<String>,
    seconds: u64,
}

impl Plan {
    /// Every target.
    pub(crate) fn all(seconds: u64) -> Self {
        Self { target: None, seconds }
    }

    /// `TARGET|--all [--seconds N]`
    pub(crate) fn parse(words: &[&str]) -> Result<Self, String> {
        let (target, rest) = words.split_first().ok_or("fuzz needs a target or --all")?;
        let seconds = match rest {
            [] => 60,
            ["--seconds", count] => count.parse().map_err(|_| format!("{count} is no number of seconds"))?,
            _ => return Err("fuzz TARGET|--all [--seconds N]".to_owned()),
        };
        Ok(Self { target: (*target != "--all").then(|| (*target).to_owned()), seconds })
    }
}

/// Builds the targets and runs them, as many at once as there are processors.
pub(crate) fn run(plan: &Plan) -> Outcome {
    let mut tally = Tally::default();
    let mut targets = targets()?;
    for target in &targets {
        tally.record(is_declared(target));
    }
    if let Some(only) = &plan.target {
        targets.retain(|target| target == only);
    }
    if targets.is_empty() {
        return Err("no such fuzz target".to_owned());
    }
    let built = build(plan.seconds)?;
    println!("{} targets, {} s each", targets.len(), plan.seconds);
    let queue = Mutex::new(targets.into_iter());
    let results = Mutex::new(&mut tally);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(target) = queue.lock().ok().and_then(|mut queue| queue.next()) {
                    let result = fuzz(&built, &target, plan.seconds);
                    if let Ok(mut tally) = results.lock() {
                        tally.record(result);
                    }
                }
            });
        }
    });
    Ok(tally)
}

fn targets() -> Result<Vec<String>, String> {
    let entries = fs::read_dir(path("fuzz/fuzz_targets")).map_err(|why| format!("fuzz/fuzz_targets: {why}"))?;
    let files = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let mut names: Vec<_> = files
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
        .filter_map(|file| file.file_stem()?.to_str().map(str::to_owned))
        .collect();
    names.sort();
    Ok(names)
}

fn is_declared(target: &str) -> Result<(), String> {
    let manifest = fs::read_to_string(path("fuzz/Cargo.toml")).map_err(|why| format!("fuzz/Cargo.toml: {why}"))?;
    let line = format!("path = \"fuzz_targets/{target}.rs\"");
    if manifest.contains(&line) { Ok(()) } else { Err(format!("fuzz: {target} is not in fuzz/Cargo.toml")) }
}

/// Who fuzzes for less than this waits longer for the optimizer than it saves, in seconds.
const WORTH_OPTIMIZING: u64 = 60;

/// With `--target`, so that the flags do not reach build scripts. Gives the folder of the programs.
fn build(seconds: u64) -> Result<PathBuf, String> {
    let version = output(program("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("rustc does not name its host")?;
    let mut build = cargo(&["build", "--locked", "--release", "--bins", "--manifest-path", "fuzz/Cargo.toml"]);
    build.args(["--target-dir", "target/fuzz", "--target", host]).env_remove("RUSTFLAGS");
    build.env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"));
    if seconds < WORTH_OPTIMIZING {
        build.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
    }
    succeed(&mut build)?;
    Ok(path("target/fuzz").join(host).join("release"))
}

fn fuzz(built: &Path, target: &str, seconds: u64) -> Result<(), String> {
    let corpus = path("fuzz/corpus").join(target);
    let artifacts = path("fuzz/artifacts").join(target);
    let seeds = path("fuzz/seeds").join(target);
    for directory in [&corpus, &artifacts] {
        fs::create_dir_all(directory).map_err(|why| format!("{}: {why}", directory.display()))?;
    }
    let mut command = program(built.join(target));
    command.arg(format!("-max_total_time={seconds}")).args(["-max_len=65536", "-timeout=10", "-rss_limit_mb=2048"]);
    command.arg(format!("-artifact_prefix={}/", artifacts.display())).arg(&corpus);
    if seeds.is_dir() {
        command.arg(seeds);
    }
    // libFuzzer reports on standard error.
    let log = path("target/fuzz").join(format!("{target}.log"));
    let file = fs::File::create(&log).map_err(|why| format!("{}: {why}", log.display()))?;
    let end = lines(command.stderr(Stdio::from(file)), Duration::from_secs(seconds + 120), |_| ())?;
    let said = fs::read_to_string(&log).unwrap_or_default();
    if end == End::Success {
        let done = said.lines().rev().find(|line| line.starts_with("Done ")).unwrap_or("done");
        println!("ok {target}: {done}");
        return Ok(());
    }
    let tail: Vec<_> = said.lines().rev().take(30).collect();
    for line in tail.iter().rev() {
        println!("  {line}");
    }
    println!("not ok {target}");
    Err(format!("fuzz: {target} found something; see fuzz/artifacts/{target} and target/fuzz/{target}.log"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_fuzz_is_read() {
        assert!(Plan::parse(&["jose_jws"]).is_ok_and(|plan| plan.target.as_deref() == Some("jose_jws")));
        assert!(Plan::parse(&["--all", "--seconds", "5"]).is_ok_and(|plan| plan.target.is_none() && plan.seconds == 5));
        assert!(Plan::parse(&["--all", "--seconds", "x"]).is_err());
        assert!(Plan::parse(&[]).is_err());
    }
}
