//! The build that can do without single defences, for the browser's attacks alone (docs/adr/0020-undefended-build.md); and
//! that no release is one.

use crate::demo;
use crate::shell::{cargo, path, succeed};
use std::fs;

/// Where it is left: where nobody takes it for the ordinary one.
pub(crate) const BINARY: &str = "target/interop/grantor-undefended";
/// What it obeys, and the ordinary binary does not know.
const VARIABLE: &[u8] = b"GRANTOR_UNDEFENDED";
/// What the compiler says to whoever wants it optimised.
const REFUSED: &str = "a build without defences is for tests";

/// Builds it, not optimised, and takes it away from where cargo leaves it.
pub(crate) fn build() -> Result<(), String> {
    succeed(&mut cargo(&["build", "--locked", "--quiet", "--package", "grantor", "--features", "undefended"]))?;
    fs::create_dir_all(path("target/interop")).map_err(|why| format!("target/interop: {why}"))?;
    fs::rename(path("target/debug/grantor"), path(BINARY)).map_err(|why| format!("{BINARY}: {why}"))?;
    if knows_the_variable(BINARY)? { Ok(()) } else { Err(format!("{BINARY} has all its defences")) }
}

/// The release does not know the variable, and the feature cannot be released.
pub(crate) fn is_no_release() -> Result<(), String> {
    if knows_the_variable(demo::BINARY)? {
        return Err(format!("{} can do without its defences", demo::BINARY));
    }
    // As in a release, without building for one what is built already.
    let without = "profile.dev.package.grantor-protocol.debug-assertions=false";
    let mut check =
        cargo(&["check", "--locked", "--quiet", "--package", "grantor-protocol", "--features", "undefended"]);
    let ended = check.args(["--config", without]).output().map_err(|why| format!("cargo check: {why}"))?;
    let refused = !ended.status.success() && String::from_utf8_lossy(&ended.stderr).contains(REFUSED);
    if refused { Ok(()) } else { Err("the feature undefended compiles for a release".to_owned()) }
}

fn knows_the_variable(binary: &str) -> Result<bool, String> {
    let bytes = fs::read(path(binary)).map_err(|why| format!("{binary}: {why}"))?;
    Ok(bytes.windows(VARIABLE.len()).any(|window| window == VARIABLE))
}
