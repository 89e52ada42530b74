//! Nowhere: what is kept is gone with the process.

use super::{Lock, Name, StoreError, TokenStore};
use crate::grant::Grant;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Keeps grants as long as the process lives (`--token-store none`).
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<BTreeMap<Name, Grant>>);

impl TokenStore for MemoryStore {
    fn load(&self, name: &Name) -> Result<Option<Grant>, StoreError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned())
    }

    fn save(&self, name: &Name, grant: &Grant) -> Result<(), StoreError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), grant.clone());
        Ok(())
    }

    fn remove(&self, name: &Name) -> Result<(), StoreError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
        Ok(())
    }

    fn lock(&self, _: &Name) -> Result<Lock, StoreError> {
        Ok(Lock::nothing())
    }
}
