//! What the compiler and its kin say: formatting, lints, licences and origins, the release build.

use crate::provision;
use crate::shell::{cargo, path, program, succeed};
use crate::tally::{Outcome, Tally};
use std::fs;

/// `cargo fmt --check`, in each of the workspaces.
pub(crate) fn fmt() -> Tally {
    let mut tally = Tally::default();
    tally.record(succeed(&mut cargo(&["fmt", "--all", "--check"])));
    for manifest in ["fuzz/Cargo.toml", "interop/rust/Cargo.toml", "interop/shim/Cargo.toml"] {
        tally.record(succeed(&mut cargo(&["fmt", "--manifest-path", manifest, "--check"])));
    }
    tally
}

/// Clippy, with every warning an error; in the workspace and in the suites.
pub(crate) fn clippy() -> Tally {
    let mut tally = Tally::default();
    let workspace = ["clippy", "--locked", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
    tally.record(succeed(&mut cargo(&workspace)));
    for manifest in ["interop/rust/Cargo.toml", "interop/shim/Cargo.toml"] {
        let suites = ["clippy", "--locked", "--all-targets", "--quiet", "--manifest-path", manifest];
        tally.record(succeed(cargo(&suites).args(["--target-dir", "target/interop", "--", "-D", "warnings"])));
    }
    tally
}

/// The types that the JSDoc of the pages' scripts promises.
pub(crate) fn javascript() -> Outcome {
    let node = provision::node().ok_or("Node.js is missing")?;
    let entries = fs::read_dir(path("crates/web/assets")).map_err(|why| format!("crates/web/assets: {why}"))?;
    let files = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let scripts: Vec<_> = files.filter(|file| file.extension().is_some_and(|extension| extension == "js")).collect();
    let mut check = program(node);
    check.arg("interop/node/node_modules/typescript/bin/tsc").args(["--noEmit", "--allowJs", "--checkJs", "--strict"]);
    check.args(["--target", "es2022", "--lib", "es2022,dom", "--module", "esnext", "--moduleDetection", "force"]);
    succeed(check.args(scripts)).map(|()| Tally::one())
}

/// Licences, banned crates and where crates come from. Asks no network, so every crate, of every platform, is fetched first.
pub(crate) fn deny() -> Outcome {
    succeed(&mut cargo(&["fetch", "--locked"]))?;
    let tool = provision::cargo_deny().ok_or("cargo-deny is missing")?;
    succeed(program(tool).args(["--offline", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"]))
        .map(|()| Tally::one())
}

/// The binary that the suites run against, made and run in the way that the README says.
pub(crate) fn release() -> Outcome {
    succeed(&mut cargo(&["run", "--locked", "--release", "--", "--version"])).map(|()| Tally::one())
}

/// Whether the time of a refusal tells anything of a secret, or which clients there are. `threshold` is of Welch's t over
/// 20,000 pairs: 4.5 on a machine that does nothing else.
pub(crate) fn timing(threshold: &str) -> Outcome {
    let example = ["run", "--locked", "--release", "--package", "grantor-server", "--example", "timing", "--", "20000"];
    succeed(cargo(&example).arg(threshold)).map(|()| Tally::one())
}
