//! The program in `proof/go`, built and asked.

use anyhow::{Context as _, Result, bail, ensure};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Whether an order explains every answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Right,
    Wrong,
}

/// What it says of a history; an error when it cannot be read or judged.
pub(super) fn judged(judge: &Path, file: &Path) -> Result<(Verdict, String)> {
    let output = Command::new(judge).stdin(File::open(file)?).stderr(Stdio::inherit()).output()?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match output.status.code() {
        Some(0) => Ok((Verdict::Right, said)),
        Some(1) => Ok((Verdict::Wrong, said)),
        _ => bail!("the judge could not judge: {said}"),
    }
}

/// Builds it in a directory.
pub(super) fn build(directory: &Path) -> Result<PathBuf> {
    let judge = directory.join("judge");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("go");
    let built = Command::new("go").arg("build").arg("-o").arg(&judge).arg(".").current_dir(source).status();
    ensure!(built.context("go")?.success(), "the judge could not be built");
    Ok(judge)
}
