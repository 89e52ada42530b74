//! The same rows by rusqlite alone: one thread, no queue, nobody to answer, each batch in one durable transaction. It is
//! what the store cannot be faster than.

use super::load::{Slice, until};
use super::{Failure, Verb};
use grantor_store::contract::samples::{START, digest, grant_id, redemption_by};
use rusqlite::{Connection, params};
use std::path::Path;
use std::time::{Duration, Instant};

/// A file with the store's own schema.
pub(super) struct Bare {
    db: Connection,
    grants: u64,
    next: u64,
    at: u64,
}

impl Bare {
    pub(super) fn open(file: &Path) -> Result<Self, Failure> {
        let db = Connection::open(file)?;
        db.set_prepared_statement_cache_capacity(128);
        db.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF;
             PRAGMA wal_autocheckpoint = 8192; PRAGMA cache_size = -8192;",
        )?;
        Ok(Self { db, grants: 0, next: 0, at: 0 })
    }

    pub(super) fn fill(&mut self, grants: u64) -> Result<(), Failure> {
        while self.next < grants {
            self.batch(Verb::Redeem, 512)?;
        }
        self.grants = grants;
        Ok(())
    }

    pub(super) fn slice(&mut self, verb: Verb, tasks: u64, long: Duration) -> Result<Slice, Failure> {
        let mut slice = Slice::default();
        let begun = Instant::now();
        while begun.elapsed() < long {
            let batch = Instant::now();
            self.batch(verb, tasks)?;
            slice.each.push(batch.elapsed());
            slice.done += tasks;
        }
        slice.spent = begun.elapsed();
        Ok(slice)
    }

    fn batch(&mut self, verb: Verb, rows: u64) -> Result<(), Failure> {
        if matches!(verb, Verb::Standing) {
            return (0..rows).try_for_each(|_| self.standing());
        }
        self.db.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
        for _ in 0..rows {
            match verb {
                Verb::Rotate => self.rotate()?,
                Verb::Redeem => self.redeem()?,
                Verb::Remember | Verb::Standing => self.remember()?,
            }
        }
        self.db.prepare_cached("COMMIT")?.execute(())?;
        Ok(())
    }

    fn rotate(&mut self) -> Result<(), Failure> {
        self.at = (self.at + 104_729) % self.grants;
        let terms: String = self
            .db
            .prepare_cached(
                "UPDATE grants SET generation = generation + 1, rotated = ?2, expires = min(?2 + idle, ends)
                 WHERE place = ?1 RETURNING terms",
            )?
            .query_row(params![i64::try_from(self.at)?, START.get()], |row| row.get(0))?;
        std::hint::black_box(terms);
        Ok(())
    }

    fn redeem(&mut self) -> Result<(), Failure> {
        let (n, id) = (self.next, grant_id(self.next));
        self.next += 1;
        let redemption = redemption_by(n, n, n % 10_000, n % 10);
        self.db
            .prepare_cached("INSERT INTO spent_codes (tenant, code, grant_id, expires) VALUES (?, ?, ?, ?)")?
            .execute(params!["default", redemption.code.as_bytes(), id.as_bytes(), redemption.remember_until.get()])?;
        let terms = redemption.terms;
        self.db
            .prepare_cached(
                "INSERT INTO grants (place, tenant, id, client, subject, generation, rotated, expires, idle, ends, due, terms)
                 VALUES (?10, ?1, ?2, ?3, ?4, 0, ?5, ?6, ?7, ?8, ?6, ?9)",
            )?
            .execute(params![
                "default",
                id.as_bytes(),
                terms.client.as_str(),
                terms.subject.as_str(),
                START.get(),
                START.plus(terms.idle).get(),
                terms.idle.get(),
                terms.ends.get(),
                serde_json::to_string(&terms)?,
                i64::try_from(n)?
            ])?;
        Ok(())
    }

    fn remember(&mut self) -> Result<(), Failure> {
        let n = self.next;
        self.next += 1;
        self.db
            .prepare_cached(
                "INSERT INTO remembered (bucket, place, value, purpose, tenant, expires) VALUES (?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                until(n).get() / 64,
                i64::try_from(n)?,
                digest(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
                "DPoP proof",
                "default",
                until(n).get()
            ])?;
        Ok(())
    }

    fn standing(&mut self) -> Result<(), Failure> {
        self.at = (self.at + 104_729) % self.grants;
        let terms: String = self
            .db
            .prepare_cached("SELECT terms FROM grants WHERE place = ?")?
            .query_row([i64::try_from(self.at)?], |row| row.get(0))?;
        std::hint::black_box(terms);
        Ok(())
    }
}
