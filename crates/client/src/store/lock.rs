//! One renewal at a time, however many processes there are.

use super::{Name, StoreError};
use std::fs::{File, OpenOptions};
use std::path::Path;

/// Held while a grant is renewed. The system takes it back when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held, not read")] Option<File>);

impl Lock {
    /// Of a store that no other process sees.
    pub const fn nothing() -> Self {
        Self(None)
    }

    /// Waits for the lock file of a name, in a folder that is the user's own. The file stays: to remove it would let two
    /// processes hold locks of two files with the same name.
    pub(crate) fn file(folder: &Path, name: &Name) -> Result<Self, StoreError> {
        let path = folder.join(format!("{name}.lock"));
        let locked = open(&path).and_then(|file| file.lock().map(|()| file));
        locked
            .map(|file| Self(Some(file)))
            .map_err(|error| StoreError::File { path: path.display().to_string(), error })
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}
