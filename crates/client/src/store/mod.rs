//! Where a grant is kept between two runs of a program, and how two processes do not get in each other's way.

mod file;
mod keyring;
mod lock;
mod memory;

pub use file::FileStore;
pub use keyring::KeyringStore;
pub use lock::Lock;
pub use memory::MemoryStore;

use crate::grant::Grant;
use std::fmt;

/// The name under which a grant is kept: 1 to 64 of `A-Z a-z 0-9 - _ .`, not beginning with a dot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

/// Why a grant could not be kept or found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no keyring.
    #[error("the system's keyring cannot be used: {0}")]
    Keyring(String),
    /// It is there, and nobody unlocked it; or it was never made.
    #[error("the system's keyring is locked, or was never made: {0}")]
    Locked(String),
    /// A file that others could read or that is not one's own: what is in it may be known to them.
    #[error("{path} {why}")]
    Exposed {
        /// Which.
        path: String,
        /// In which way.
        why: &'static str,
    },
    /// The file system failed.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: String,
        /// How.
        error: std::io::Error,
    },
    /// There is something else in it than what was put there.
    #[error("{0} is not what was kept there: sign in again")]
    Foreign(String),
    /// It does not exist on this system.
    #[error("{0}")]
    Unsupported(&'static str),
}

/// Keeps grants. Its functions may block, for as long as a user thinks about the password of his keyring: they are called
/// where that is allowed.
pub trait TokenStore: fmt::Debug + Send + Sync {
    /// Whether something can be kept: a user is asked to unlock his keyring before he signs in, and not when what he
    /// allowed has nowhere to go.
    fn prepare(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// What is kept under a name.
    fn load(&self, name: &Name) -> Result<Option<Grant>, StoreError>;

    /// Keeps a grant in the place of another.
    fn save(&self, name: &Name, grant: &Grant) -> Result<(), StoreError>;

    /// Forgets. To have nothing to forget is no error.
    fn remove(&self, name: &Name) -> Result<(), StoreError>;

    /// Waits until no other process renews this grant, and lets none do so until it is dropped.
    fn lock(&self, name: &Name) -> Result<Lock, StoreError>;
}

impl Name {
    /// The only door in.
    pub fn parse(raw: &str) -> Option<Self> {
        let clean = raw.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        ((1..=64).contains(&raw.len()) && clean && !raw.starts_with('.')).then(|| Self(raw.to_owned()))
    }

    /// For a store with one grant in it.
    pub(crate) fn only() -> Self {
        Self("only".to_owned())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_path() {
        for good in ["default", "work-2", "a.b_c"] {
            assert!(Name::parse(good).is_some(), "{good}");
        }
        for bad in ["", ".", "..", ".hidden", "a/b", "a\\b", "a b", "é", &"a".repeat(65)] {
            assert!(Name::parse(bad).is_none(), "{bad}");
        }
    }
}
