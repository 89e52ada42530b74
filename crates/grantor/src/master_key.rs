//! The master key: 32 bytes that seal every other key at rest.

use crate::config::{Configuration, MasterKeyAt};
use crate::failure::{Context as _, Failure, Result};
use crate::fresh;
use grantor_jose::base64url;
use grantor_jose::digest::sha256;
use grantor_protocol::client::{Client, SecretHash};
use grantor_protocol::directory::DirectoryRecords;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::Path;
use zeroize::{Zeroize as _, Zeroizing};

/// 32 bytes, wiped when dropped.
pub(crate) type KeyBytes = Zeroizing<[u8; 32]>;

/// Its name in the data directory.
pub(crate) const FILE: &str = "master.key";

/// The key. Where it is kept in the data directory and missing, it is made, unless `keys_exist`: nothing but the lost
/// one opens those.
pub(crate) fn load(configuration: &Configuration, keys_exist: bool) -> Result<KeyBytes> {
    match &configuration.master_key {
        MasterKeyAt::Environment(value) => parse(value.expose()).ok_or_else(|| {
            Failure::new("GRANTOR_MASTER_KEY is no key: 32 bytes in base64url, 43 characters")
                .hint("make one with: openssl rand 32 | basenc --base64url | tr -d '='".to_owned())
        }),
        MasterKeyAt::File(path) => read(path)?.ok_or_else(|| {
            Failure::new(format!("there is no master key file {}", path.display())).hint(
                "the configuration names it in [master_key] file; Grantor makes one only in its data directory"
                    .to_owned(),
            )
        }),
        MasterKeyAt::Data => {
            let path = configuration.data.join(FILE);
            if let Some(key) = read(&path)? {
                return Ok(key);
            }
            if keys_exist {
                return Err(Failure::new(format!(
                    "the master key {} is gone, and the database holds keys sealed with it",
                    path.display()
                ))
                .hint(
                    "put the file back from a backup, or give the key in GRANTOR_MASTER_KEY or [master_key] file"
                        .to_owned(),
                ));
            }
            make(&path)
        }
    }
}

/// The key, where it is there to be read: none is made.
pub(crate) fn present(configuration: &Configuration) -> Result<Option<KeyBytes>> {
    match &configuration.master_key {
        MasterKeyAt::Data => read(&configuration.data.join(FILE)),
        MasterKeyAt::Environment(_) | MasterKeyAt::File(_) => load(configuration, true).map(Some),
    }
}

/// By which a cluster knows its key again. Nothing follows from it: the key is drawn from 256 bits.
pub(crate) fn digest(key: &KeyBytes) -> [u8; 32] {
    let mut labelled = Zeroizing::new(b"grantor master key ".to_vec());
    labelled.extend_from_slice(key.as_slice());
    sha256(&labelled)
}

/// Whether something rests under a master key: no other one opens it.
pub(crate) fn is_in_use(records: &DirectoryRecords) -> bool {
    let sealed = |client: &Client| client.secrets.iter().any(|secret| matches!(secret.hash, SecretHash::Sealed(_)));
    !records.keys.is_empty() || records.clients.iter().any(sealed)
}

/// The key in the file; none when there is no file.
fn read(path: &Path) -> Result<Option<KeyBytes>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::new(format!("cannot read the master key {}: {error}", path.display()))),
    };
    refuse_readable_by_others(&file, path)?;
    let mut text = Zeroizing::new(String::new());
    (&file).take(1024).read_to_string(&mut text).context(|| format!("read the master key {}", path.display()))?;
    let key = parse(text.trim()).ok_or_else(|| {
        Failure::new(format!("{} is no master key: 32 bytes in base64url, 43 characters", path.display()))
    })?;
    Ok(Some(key))
}

#[cfg(unix)]
fn refuse_readable_by_others(file: &File, path: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = file.metadata().context(|| format!("look at {}", path.display()))?;
    let mode = metadata.mode() & 0o777;
    // As systemd hands over a credential and Kubernetes a secret: it is root's, and one group or user more may read it.
    let handed_over = metadata.uid() == 0 && mode == 0o440;
    if mode & 0o077 != 0 && !handed_over {
        return Err(Failure::new(format!(
            "the master key {} can be read by others (its mode is {mode:03o})",
            path.display()
        ))
        .hint(format!("chmod 600 {}", path.display())));
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_readable_by_others(_: &File, _: &Path) -> Result<()> {
    Ok(())
}

/// Makes the key. Of several processes that try at once, one makes it and all get the same.
fn make(path: &Path) -> Result<KeyBytes> {
    let doing = || format!("make the master key {}", path.display());
    let key = Zeroizing::new(fresh::bytes::<32>()?);
    let whole = path.with_extension(format!("key.{}", fresh::uuid()?));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(&whole).context(doing)?;
    let text = Zeroizing::new(format!("{}\n", base64url::encode(*key)));
    let linked = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        // A link, not a renaming: it fails when another process was faster, and never shows half a file.
        .and_then(|()| std::fs::hard_link(&whole, path));
    let _ = std::fs::remove_file(&whole);
    match linked {
        Ok(()) => {
            if let Some(directory) = path.parent() {
                File::open(directory).and_then(|directory| directory.sync_all()).context(doing)?;
            }
            Ok(key)
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            read(path)?.ok_or_else(|| Failure::new(format!("cannot {}", doing())))
        }
        Err(error) => Err(Failure::new(format!("cannot {}: {error}", doing()))),
    }
}

fn parse(text: &str) -> Option<KeyBytes> {
    let mut decoded = base64url::decode(text)?;
    let key = <[u8; 32]>::try_from(decoded.as_slice()).ok().map(Zeroizing::new);
    decoded.zeroize();
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Flags;
    use crate::scratch::Scratch;

    fn configuration(data: &Path, environment: &[(String, String)]) -> Configuration {
        Configuration::read(&Flags { data: Some(data.to_owned()), ..Flags::default() }, environment).unwrap()
    }

    #[test]
    fn it_is_made_once_and_found_again() {
        let scratch = Scratch::new().unwrap();
        let configuration = configuration(scratch.path(), &[]);
        let made = load(&configuration, false).unwrap();
        assert_eq!(*made, *load(&configuration, true).unwrap());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let path = scratch.path().join(FILE);
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
            assert!(format!("{:?}", load(&configuration, true).unwrap_err()).contains("can be read by others"));
            // Only what root owns can have been handed over by whoever supervises the process.
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o440)).unwrap();
            let of_root = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(&path).unwrap()) == 0;
            assert_eq!(load(&configuration, true).is_ok(), of_root);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o444)).unwrap();
            assert!(load(&configuration, true).is_err());
        }
    }

    #[test]
    fn a_lost_one_is_not_replaced() {
        let scratch = Scratch::new().unwrap();
        assert!(load(&configuration(scratch.path(), &[]), true).is_err());
        assert!(!scratch.path().join(FILE).exists());
    }

    #[test]
    fn the_environment_gives_32_bytes_or_is_refused() {
        let scratch = Scratch::new().unwrap();
        let given = |value: String| configuration(scratch.path(), &[("GRANTOR_MASTER_KEY".to_owned(), value)]);
        assert_eq!(*load(&given(base64url::encode([7; 32])), true).unwrap(), [7; 32]);
        assert!(load(&given(base64url::encode([7; 31])), true).is_err());
        assert!(load(&given("hush".to_owned()), true).is_err());
    }

    #[test]
    fn many_at_once_get_the_same_key() {
        let scratch = Scratch::new().unwrap();
        let keys: Vec<[u8; 32]> = std::thread::scope(|scope| {
            let all: Vec<_> =
                (0..8).map(|_| scope.spawn(|| *load(&configuration(scratch.path(), &[]), false).unwrap())).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(keys.windows(2).all(|pair| pair[0] == pair[1]));
    }
}
