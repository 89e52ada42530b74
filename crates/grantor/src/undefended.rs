//! How a build without defences starts (docs/adr/0020-undefended-build.md).

use crate::failure::{Failure, Result};
use grantor_protocol::undefended::{ALL, remove};

/// Names the defences that are removed, with commas between them.
const VARIABLE: &str = "GRANTOR_UNDEFENDED";

/// Removes what the environment names, and says so.
pub(crate) fn begin() -> Result<()> {
    let names = std::env::var(VARIABLE).unwrap_or_default();
    let removed = remove(&names)
        .map_err(|unknown| Failure::usage(format!("{VARIABLE} knows no {unknown}; it knows {}", ALL.join(", "))))?;
    let list = if removed.is_empty() { "none so far".to_owned() } else { removed.join(", ") };
    let line = "!".repeat(72);
    eprintln!(
        "{line}\n!! This grantor was built WITHOUT DEFENCES, for tests. Protect nothing with it.\n!! Removed: {list}\n{line}"
    );
    Ok(())
}
