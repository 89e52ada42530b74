//! Where the user's own files are.

use crate::failure::{Context as _, Result};
use etcetera::BaseStrategy as _;
use std::path::PathBuf;

/// The file with the profiles. There is no secret in it.
pub(super) fn profiles() -> Result<PathBuf> {
    let base = etcetera::choose_base_strategy().context(|| "find your home directory".to_owned())?;
    Ok(base.config_dir().join("grantor").join("profiles.toml"))
}

/// The folder for tokens in files.
pub(super) fn tokens() -> Result<PathBuf> {
    Ok(state()?.join("tokens"))
}

/// The folder for the locks of tokens in the keyring.
pub(super) fn locks() -> Result<PathBuf> {
    Ok(state()?.join("locks"))
}

fn state() -> Result<PathBuf> {
    let base = etcetera::choose_base_strategy().context(|| "find your home directory".to_owned())?;
    Ok(base.state_dir().unwrap_or_else(|| base.data_dir()).join("grantor"))
}
