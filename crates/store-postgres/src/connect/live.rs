//! One connection: what it is set to, what was prepared on it, and when it is given up.

use super::target::Target;
use crate::failure::{Failure, Result};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};

pub(crate) use tokio_postgres::Row;

/// How long a connection waits for what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// For the reply to a statement.
    pub(crate) reply: Duration,
    /// For a connection.
    pub(crate) patience: Duration,
}

/// How much longer than others a statement may take of which that is known.
const LONG: u32 = 15;

/// Plans of PostgreSQL that do not depend on what a table was like when it was last looked at: by an index, row by row,
/// in the order of the keys that a statement names, so that two that change the same rows do not wait for each other
/// crosswise. Other servers may not know one of these; they do without.
const PLANS: [&str; 6] = [
    "SET plan_cache_mode = force_generic_plan",
    "SET enable_seqscan = off",
    "SET enable_bitmapscan = off",
    "SET enable_hashjoin = off",
    "SET enable_mergejoin = off",
    "SET jit = off",
];

/// One connection that was made and set.
pub(crate) struct Live {
    client: Client,
    prepared: Mutex<HashMap<&'static str, Statement>>,
    reply: Duration,
    long: AtomicBool,
    given_up: AtomicBool,
    give_up: Notify,
}

impl Live {
    /// Connects and sets the session. The connection goes on until [`Self::ended`] returns.
    pub(super) async fn connect(target: &Target, limits: Limits) -> Result<(Self, super::target::Wire)> {
        let (client, wire) = target.connect().await?;
        let live = Self {
            client,
            prepared: Mutex::default(),
            reply: limits.reply,
            long: AtomicBool::new(false),
            given_up: AtomicBool::new(false),
            give_up: Notify::new(),
        };
        Ok((live, wire))
    }

    /// What every statement of ours relies on. The server gives up before the node does, so that an outcome is known.
    pub(super) async fn set(&self) -> Result<()> {
        let patience = (self.reply * 4 / 5).as_millis();
        let settings = format!(
            "SET statement_timeout = '{patience}ms'; SET lock_timeout = '{patience}ms'; \
             SET idle_in_transaction_session_timeout = '{patience}ms'; SET default_transaction_read_only = off"
        );
        self.script(&settings).await?;
        for plan in PLANS {
            match self.script(plan).await {
                Ok(()) | Err(Failure::Broken(_)) => {}
                Err(failure) => return Err(failure),
            }
        }
        // What was acknowledged must be on the disk, whatever the role says; more than that is the operator's to ask for.
        let commit = self.client.simple_query("SHOW synchronous_commit").await;
        let weak = commit.is_ok_and(|rows| {
            rows.iter().any(|row| {
                matches!(row, tokio_postgres::SimpleQueryMessage::Row(row) if row.try_get(0).ok().flatten() == Some("off"))
            })
        });
        if weak { self.script("SET synchronous_commit = on").await } else { Ok(()) }
    }

    /// Lets the statements of the transaction that is open here take [`LONG`].
    pub(crate) async fn set_long(&self) -> Result<()> {
        let patience = (self.reply * LONG * 4 / 5).as_millis();
        self.script(&format!("SET LOCAL statement_timeout = '{patience}ms'")).await?;
        self.long.store(true, Ordering::Release);
        Ok(())
    }

    /// Its end.
    pub(crate) fn set_short(&self) {
        self.long.store(false, Ordering::Release);
    }

    /// The rows of a statement, which is prepared when it comes for the first time.
    pub(crate) async fn query(&self, sql: &'static str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        let statement = self.prepare(sql).await?;
        self.bounded(self.client.query(&statement, parameters)).await
    }

    /// How many rows a statement changed.
    pub(crate) async fn execute(&self, sql: &'static str, parameters: &[&(dyn ToSql + Sync)]) -> Result<u64> {
        let statement = self.prepare(sql).await?;
        self.bounded(self.client.execute(&statement, parameters)).await
    }

    /// Statements without parameters and rows, such as `BEGIN`.
    pub(crate) async fn script(&self, sql: &str) -> Result<()> {
        self.bounded(self.client.batch_execute(sql)).await
    }

    /// The first column of what a statement shows, as text.
    #[cfg(test)]
    pub(crate) async fn lines(&self, sql: &str) -> Result<Vec<String>> {
        let shown = self.bounded(self.client.simple_query(sql)).await?;
        Ok(shown
            .iter()
            .filter_map(|message| match message {
                tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                _ => None,
            })
            .collect())
    }

    /// Prepares a statement, once: then statements that are sent at the same time arrive in the order in which they were
    /// sent.
    pub(crate) async fn prepare(&self, sql: &'static str) -> Result<Statement> {
        if let Some(statement) = self.lock().get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.bounded(self.client.prepare(sql)).await?;
        self.lock().insert(sql, statement.clone());
        Ok(statement)
    }

    /// Whether it is of no use any more.
    pub(crate) fn is_over(&self) -> bool {
        self.given_up.load(Ordering::Acquire) || self.client.is_closed()
    }

    /// Closes it: nobody knows any more what state it is in.
    pub(crate) fn give_up(&self) {
        self.given_up.store(true, Ordering::Release);
        self.give_up.notify_one();
    }

    /// Returns when somebody gave it up.
    pub(super) async fn given_up(&self) {
        self.give_up.notified().await;
    }

    async fn bounded<T>(&self, work: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>) -> Result<T> {
        let bound = if self.long.load(Ordering::Acquire) { self.reply * LONG } else { self.reply };
        let outcome = match timeout(bound, work).await {
            Ok(outcome) => outcome.map_err(Failure::from),
            Err(_) => Err(Failure::Lost("no reply came in time".to_owned())),
        };
        if matches!(outcome, Err(Failure::Lost(_))) {
            self.give_up();
        }
        outcome
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<&'static str, Statement>> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
