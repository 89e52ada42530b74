//! What the compiler and its kin say: formatting, lints, licences and origins, the release build.

use crate::provision;
use crate::shell::{cargo, path, program, succeed};
use crate::tally::{Outcome, Tally};
use crate::undefended;
use std::fs;
use std::iter;
use std::path::PathBuf;

/// An example with a workspace of its own.
pub(crate) const MCP_SERVER: &str = "examples/mcp-server/Cargo.toml";
/// What is built beside the product and is no part of it.
const BESIDE: [&str; 4] =
    ["bench/resource/Cargo.toml", "interop/rust/Cargo.toml", "interop/shim/Cargo.toml", MCP_SERVER];

/// `cargo fmt --check`, in each of the workspaces.
pub(crate) fn fmt() -> Tally {
    let mut tally = Tally::default();
    tally.record(succeed(&mut cargo(&["fmt", "--all", "--check"])));
    for manifest in iter::once("fuzz/Cargo.toml").chain(BESIDE) {
        tally.record(succeed(&mut cargo(&["fmt", "--manifest-path", manifest, "--check"])));
    }
    tally
}

/// Clippy, with every warning an error; in the workspace and in the suites, and with time also in the build without defences,
/// which is compiled every day as it is.
pub(crate) fn clippy(long: bool) -> Tally {
    let mut tally = Tally::default();
    let workspace = ["clippy", "--locked", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
    tally.record(succeed(&mut cargo(&workspace)));
    if long {
        let undefended = ["clippy", "--locked", "--package", "grantor", "--features", "undefended", "--quiet"];
        tally.record(succeed(cargo(&undefended).args(["--", "-D", "warnings"])));
    }
    for manifest in BESIDE {
        let suites = ["clippy", "--locked", "--all-targets", "--quiet", "--manifest-path", manifest];
        tally.record(succeed(cargo(&suites).args(["--target-dir", "target", "--", "-D", "warnings"])));
    }
    tally
}

/// What is told of each item: links that lead nowhere and examples that cannot be read are errors. That nothing public is
/// left untold is clippy's to say (`missing_docs`).
pub(crate) fn doc() -> Outcome {
    let mut doc = cargo(&["doc", "--locked", "--workspace", "--no-deps", "--quiet"]);
    succeed(doc.env("RUSTDOCFLAGS", "-D warnings")).map(|()| Tally::one())
}

/// The types that the JSDoc of the pages' scripts promises, and the tests of those that touch no page.
pub(crate) fn javascript() -> Outcome {
    let node = provision::node().ok_or("Node.js is missing")?;
    let mut scripts = files("crates/web/assets", "js")?;
    scripts.extend(files("crates/web/assets/desk", "js")?);
    scripts.extend(files("crates/web/assets/playground", "js")?);
    let mut check = program(&node);
    check.arg("interop/node/node_modules/typescript/bin/tsc").args(["--noEmit", "--allowJs", "--checkJs", "--strict"]);
    check.args(["--target", "es2022", "--lib", "es2022,dom,dom.iterable", "--module", "esnext"]);
    check.args(["--moduleResolution", "bundler", "--moduleDetection", "force"]);
    let mut tally = Tally::default();
    tally.record(succeed(check.args(scripts)));
    tally.record(succeed(program(node).arg("--test").args(files("crates/web/tests/javascript", "js")?)));
    Ok(tally)
}

/// The files of a folder with an extension.
fn files(folder: &str, extension: &str) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(path(folder)).map_err(|why| format!("{folder}: {why}"))?;
    let files = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    Ok(files.filter(|file| file.extension().is_some_and(|found| found == extension)).collect())
}

/// Licences, banned crates and where crates come from, of the product and of the example that people will copy. Asks no
/// network, so every crate, of every platform, is fetched first.
pub(crate) fn deny() -> Outcome {
    let tool = provision::cargo_deny().ok_or("cargo-deny is missing")?;
    let mut tally = Tally::default();
    for manifest in ["Cargo.toml", MCP_SERVER] {
        succeed(&mut cargo(&["fetch", "--locked", "--manifest-path", manifest]))?;
        let mut check = program(&tool);
        check.args(["--offline", "--config", "deny.toml", "--manifest-path", manifest, "check"]);
        tally.record(succeed(check.args(["--hide-inclusion-graph", "bans", "licenses", "sources"])));
    }
    Ok(tally)
}

/// The binary that the suites run against, made and run in the way that the README says. It has all its defences, and none
/// can be built without.
pub(crate) fn release() -> Outcome {
    succeed(&mut cargo(&["run", "--locked", "--release", "--", "--version"]))?;
    let mut tally = Tally::one();
    tally.record(undefended::is_no_release());
    Ok(tally)
}

/// Whether the time of a refusal tells anything of a secret, or which clients there are. `threshold` is of Welch's t over
/// 20,000 pairs: 4.5 on a machine that does nothing else.
pub(crate) fn timing(threshold: &str) -> Outcome {
    let example = ["run", "--locked", "--release", "--package", "grantor-server", "--example", "timing", "--", "20000"];
    succeed(cargo(&example).arg(threshold)).map(|()| Tally::one())
}
