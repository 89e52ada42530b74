//! The system's keyring: the Secret Service on Linux and the BSDs, the Keychain on macOS, the Credential Manager on Windows.

use super::{Lock, Name, StoreError, TokenStore};
use crate::grant::Grant;
use keyring_core::api::CredentialStore;
use keyring_core::{Entry, Error};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use zeroize::Zeroizing;

/// Keeps grants in the keyring of whoever is signed in to this machine.
#[derive(Debug)]
pub struct KeyringStore {
    service: String,
    store: Arc<CredentialStore>,
    locks: PathBuf,
}

impl KeyringStore {
    /// The keyring, for the grants of one program, which `service` names. The lock files, in which nothing is written, are
    /// in `locks`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Keyring`] where there is none: on servers and in containers there seldom is. A bus that does not answer
    /// has none either, after five seconds.
    pub fn open(service: &str, locks: PathBuf) -> Result<Self, StoreError> {
        super::file::private_folder(&locks)?;
        Ok(Self { service: service.to_owned(), store: in_time(platform)?, locks })
    }

    fn entry(&self, name: &Name) -> Result<Entry, StoreError> {
        self.store.build(&self.service, name.as_str(), None).map_err(|error| failed(&error))
    }
}

/// What is written to see whether something can be: no grant has such a name.
const TRIAL: &str = ".trial";

impl TokenStore for KeyringStore {
    fn prepare(&self) -> Result<(), StoreError> {
        let trial = self.store.build(&self.service, TRIAL, None).map_err(|error| failed(&error))?;
        trial.set_password(TRIAL).map_err(|error| failed(&error))?;
        match trial.delete_credential() {
            // Another process tries at the same time.
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(failed(&error)),
        }
    }

    fn load(&self, name: &Name) -> Result<Option<Grant>, StoreError> {
        match self.entry(name)?.get_password() {
            Ok(text) => {
                let text = Zeroizing::new(text);
                let foreign = || StoreError::Foreign(format!("{name} in the keyring"));
                Grant::from_text(&text).map(Some).ok_or_else(foreign)
            }
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }

    fn save(&self, name: &Name, grant: &Grant) -> Result<(), StoreError> {
        self.entry(name)?.set_password(&grant.to_text()).map_err(|error| failed(&error))
    }

    fn remove(&self, name: &Name) -> Result<(), StoreError> {
        match self.entry(name)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(failed(&error)),
        }
    }

    fn lock(&self, name: &Name) -> Result<Lock, StoreError> {
        Lock::file(&self.locks, name)
    }
}

/// A service that answers at all does it at once; only a person, who is asked for nothing yet, may take his time.
const ANSWER: Duration = Duration::from_secs(5);

fn in_time(open: fn() -> keyring_core::Result<Arc<CredentialStore>>) -> Result<Arc<CredentialStore>, StoreError> {
    let (answer, answered) = mpsc::sync_channel(1);
    // Whoever waits for ever does it by himself, and ends with the process.
    std::thread::spawn(move || answer.send(open()));
    let opened = answered.recv_timeout(ANSWER).map_err(|_| StoreError::Keyring("it does not answer".to_owned()))?;
    opened.map_err(|error| failed(&error))
}

/// What is said of it never has the secret in it: some of the library's errors carry one.
fn failed(error: &Error) -> StoreError {
    StoreError::Keyring(match error {
        Error::NoStorageAccess(why) => return StoreError::Locked(why.to_string()),
        Error::PlatformFailure(why) => why.to_string(),
        Error::BadEncoding(_) | Error::BadDataFormat(..) => "it holds what is no text".to_owned(),
        Error::TooLong(_, limit) => format!("it takes no more than {limit} bytes"),
        Error::Ambiguous(_) => "it holds several entries of this name".to_owned(),
        _ => "it does not do what is asked".to_owned(),
    })
}

#[cfg(all(unix, not(target_os = "macos")))]
fn platform() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(zbus_secret_service_keyring_store::Store::new()?)
}

#[cfg(target_os = "macos")]
fn platform() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

#[cfg(windows)]
fn platform() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(windows_native_keyring_store::Store::new()?)
}
