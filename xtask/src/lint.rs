//! What the compiler and its kin say: formatting, lints, licences and origins, the release build.

use crate::provision;
use crate::shell::{cargo, program, succeed};
use crate::tally::{Outcome, Tally};

/// `cargo fmt --check`, in each of the three workspaces.
pub(crate) fn fmt() -> Tally {
    let mut tally = Tally::default();
    tally.record(succeed(&mut cargo(&["fmt", "--all", "--check"])));
    for manifest in ["fuzz/Cargo.toml", "interop/rust/Cargo.toml"] {
        tally.record(succeed(&mut cargo(&["fmt", "--manifest-path", manifest, "--check"])));
    }
    tally
}

/// Clippy, with every warning an error.
pub(crate) fn clippy() -> Outcome {
    let all = ["clippy", "--locked", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
    succeed(&mut cargo(&all)).map(|()| Tally::one())
}

/// Licences, banned crates and where crates come from. Asks no network, so every crate, of every platform, is fetched first.
pub(crate) fn deny() -> Outcome {
    succeed(&mut cargo(&["fetch", "--locked"]))?;
    let tool = provision::cargo_deny().ok_or("cargo-deny is missing")?;
    succeed(program(tool).args(["--offline", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"]))
        .map(|()| Tally::one())
}

/// The binary that the suites run against.
pub(crate) fn release() -> Outcome {
    succeed(&mut cargo(&["build", "--locked", "--release", "--package", "grantor"])).map(|()| Tally::one())
}
