//! Several statements that are carried out together.

use crate::connect::{Connections, Held, Live};
use crate::failure::{Failure, Result};
use std::ops::Deref;

/// An open transaction. Dropped without an end it takes its connection with it: nobody knows what is open there.
pub(crate) struct Transaction {
    held: Held,
    open: bool,
}

impl Transaction {
    /// Each statement sees what was committed before it began, unless the server does better.
    pub(crate) async fn begin(connections: &Connections) -> Result<Self> {
        let held = connections.writer().await.map_err(Failure::from)?;
        let transaction = Self { held, open: true };
        transaction.held.script("BEGIN").await.map_err(certain)?;
        Ok(transaction)
    }

    /// For one statement that takes long because it brings or changes very much.
    pub(crate) async fn begin_long(connections: &Connections) -> Result<Self> {
        let transaction = Self::begin(connections).await?;
        let begun = transaction.held.set_long().await;
        begun.map_err(certain)?;
        Ok(transaction)
    }

    /// What the work gives, once it is committed; when it fails, nothing was changed.
    pub(crate) async fn end<T>(mut self, worked: Result<T>) -> Result<T> {
        let value = match worked {
            Ok(value) => value,
            Err(failure) => {
                self.open = self.held.script("ROLLBACK").await.is_err();
                return Err(certain(failure));
            }
        };
        let committed = self.held.script("COMMIT").await;
        self.open = committed.is_err();
        committed.map(|()| value)
    }
}

/// A connection that was lost before the commit was asked for took everything with it.
fn certain(failure: Failure) -> Failure {
    match failure {
        Failure::Lost(text) => Failure::Undone(text),
        other => other,
    }
}

impl Deref for Transaction {
    type Target = Live;

    fn deref(&self) -> &Live {
        &self.held
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if self.open {
            self.held.give_up();
        }
        self.held.set_short();
    }
}
