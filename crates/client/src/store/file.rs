//! Files that nobody else can read: for machines without a keyring, and only when asked for.

use super::{Lock, Name, StoreError, TokenStore};
use crate::grant::Grant;
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Keeps each grant in a file of mode 0600, in a folder of mode 0700. On systems without such modes there is none.
#[derive(Debug)]
pub struct FileStore(PathBuf);

/// A grant is smaller.
const MAX_FILE: u64 = 1 << 20;

impl FileStore {
    /// The files in this folder, which is made when it is not there.
    ///
    /// # Errors
    ///
    /// [`StoreError::Exposed`] when others may look into the folder.
    pub fn open(folder: PathBuf) -> Result<Self, StoreError> {
        if cfg!(not(unix)) {
            return Err(StoreError::Unsupported("there are no private files on this system: use its keyring"));
        }
        private_folder(&folder)?;
        Ok(Self(folder))
    }

    fn path(&self, name: &Name) -> PathBuf {
        self.0.join(format!("{name}.json"))
    }
}

impl TokenStore for FileStore {
    fn load(&self, name: &Name) -> Result<Option<Grant>, StoreError> {
        let path = self.path(name);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(broken(&path, error)),
        };
        // Of the open file, so that no other can be put in its place in between.
        let metadata = file.metadata().map_err(|error| broken(&path, error))?;
        nobody_else(&path, &metadata, "can be read by others: what is in it may be known; sign out and in again")?;
        let mut text = Zeroizing::new(String::new());
        file.take(MAX_FILE).read_to_string(&mut text).map_err(|error| broken(&path, error))?;
        Grant::from_text(&text).map(Some).ok_or_else(|| StoreError::Foreign(path.display().to_string()))
    }

    /// Whole or not at all: beside it first, and then in its place.
    fn save(&self, name: &Name, grant: &Grant) -> Result<(), StoreError> {
        let (path, beside) = (self.path(name), self.0.join(format!("{name}.{}.new", std::process::id())));
        let text = grant.to_text();
        let written = private(&beside)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&beside, &path));
        written.map_err(|error| {
            let _ = fs::remove_file(&beside);
            broken(&path, error)
        })
    }

    fn remove(&self, name: &Name) -> Result<(), StoreError> {
        let path = self.path(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(broken(&path, error)),
            _ => Ok(()),
        }
    }

    fn lock(&self, name: &Name) -> Result<Lock, StoreError> {
        Lock::file(&self.0, name)
    }
}

/// A folder that nobody else can look into, made when it is not there.
pub(super) fn private_folder(folder: &Path) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder).map_err(|error| broken(folder, error))?;
    let metadata = fs::metadata(folder).map_err(|error| broken(folder, error))?;
    nobody_else(folder, &metadata, "can be looked into by others: take their rights away (chmod 700)")
}

/// For its owner alone, and new: what is there under this name is of a process that died.
fn private(path: &Path) -> std::io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

#[cfg(unix)]
fn nobody_else(path: &Path, metadata: &fs::Metadata, why: &'static str) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt as _;
    match metadata.permissions().mode() & 0o077 {
        0 => Ok(()),
        _ => Err(StoreError::Exposed { path: path.display().to_string(), why }),
    }
}

/// Below the user's own folder others have no rights unless he gave them.
#[cfg(not(unix))]
fn nobody_else(_: &Path, _: &fs::Metadata, _: &'static str) -> Result<(), StoreError> {
    Ok(())
}

fn broken(path: &Path, error: std::io::Error) -> StoreError {
    StoreError::File { path: path.display().to_string(), error }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::grant::tests::grant;
    use std::os::unix::fs::PermissionsExt as _;

    fn folder(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("grantor-client-{}-{name}", std::process::id()))
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_grant_is_kept_where_nobody_else_can_read_it() {
        let folder = folder("kept");
        let store = FileStore::open(folder.join("inner")).unwrap();
        let name = Name::parse("work").unwrap();
        assert!(store.load(&name).unwrap().is_none());
        store.save(&name, &grant("one", false)).unwrap();
        store.save(&name, &grant("two", true)).unwrap();
        assert_eq!(store.load(&name).unwrap().unwrap().tokens.access_token.expose(), "two");
        assert_eq!((mode(&folder.join("inner")), mode(&store.path(&name))), (0o700, 0o600));
        assert_eq!(fs::read_dir(&store.0).unwrap().count(), 1, "nothing is left beside it");
        store.remove(&name).unwrap();
        store.remove(&name).unwrap();
        assert!(store.load(&name).unwrap().is_none());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_file_that_others_may_read_is_not_read() {
        let folder = folder("exposed");
        let store = FileStore::open(folder.clone()).unwrap();
        let name = Name::parse("work").unwrap();
        store.save(&name, &grant("one", false)).unwrap();
        for shared in [0o640, 0o604, 0o620] {
            fs::set_permissions(store.path(&name), fs::Permissions::from_mode(shared)).unwrap();
            assert!(matches!(store.load(&name), Err(StoreError::Exposed { .. })), "{shared:o}");
        }
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o750)).unwrap();
        assert!(matches!(FileStore::open(folder.clone()), Err(StoreError::Exposed { .. })));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_no_grant_is_told() {
        let folder = folder("foreign");
        let store = FileStore::open(folder.clone()).unwrap();
        let name = Name::parse("work").unwrap();
        private(&store.path(&name)).unwrap().write_all(b"{}").unwrap();
        assert!(matches!(store.load(&name), Err(StoreError::Foreign(_))));
        fs::remove_dir_all(folder).unwrap();
    }
}
