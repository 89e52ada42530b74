//! Prints what the layout of a table costs: rows a second, in durable commits of 100 rows each, into tables that hold
//! many rows already. The layouts take turns in short slices, since the speed of a disk varies.
//!
//! `layout [DIRECTORY] [SECONDS] [ROWS]`: the files are made in the directory, which should lie on the disk to be
//! measured; seconds for each layout; so many rows are there before.

use rusqlite::{Connection, params};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const BATCH: u64 = 100;
const SLICE: Duration = Duration::from_secs(1);
type Failure = Box<dyn std::error::Error + Send + Sync>;
type Put = fn(&Connection, u64, u64) -> rusqlite::Result<()>;

struct Layout {
    name: &'static str,
    /// In bytes.
    page: u32,
    schema: &'static str,
    /// Writes the n-th row; with how many stay, in layouts that drop the oldest.
    put: Put,
}

const PAGE: u32 = 2_048;

const LAYOUTS: [Layout; 10] = [
    Layout {
        name: "random 32-byte key, without rowid",
        page: PAGE,
        schema: "CREATE TABLE t (key BLOB PRIMARY KEY, value INTEGER) STRICT, WITHOUT ROWID",
        put: |db, n, _| insert(db, &digest(n), n),
    },
    Layout {
        name: "rowid, index of random 32-byte keys",
        page: PAGE,
        schema: "CREATE TABLE t (key BLOB PRIMARY KEY, value INTEGER) STRICT",
        put: |db, n, _| insert(db, &digest(n), n),
    },
    Layout {
        name: "16-byte key in the order of time, without rowid",
        page: PAGE,
        schema: "CREATE TABLE t (key BLOB PRIMARY KEY, value INTEGER) STRICT, WITHOUT ROWID",
        put: |db, n, _| insert(db, &ordered(n), n),
    },
    Layout {
        name: "remembered by value, index of expiry; the oldest go",
        page: PAGE,
        schema: "CREATE TABLE t (tenant TEXT, purpose TEXT, value BLOB, expires INTEGER,
                   PRIMARY KEY (tenant, purpose, value)) STRICT, WITHOUT ROWID;
                 CREATE INDEX i ON t (expires)",
        put: |db, n, kept| {
            db.prepare_cached(
                "INSERT INTO t VALUES ('default', 'DPoP proof', ?1, ?2)
                 ON CONFLICT DO UPDATE SET expires = excluded.expires WHERE expires <= ?3",
            )?
            .execute(params![digest(n), integer(n + kept), integer(n)])?;
            if n % BATCH != 0 {
                return Ok(());
            }
            drop_until(
                db,
                "DELETE FROM t WHERE (tenant, purpose, value) IN
                   (SELECT tenant, purpose, value FROM t WHERE expires <= ?1)",
                n,
            )
        },
    },
    Layout {
        name: "remembered by value, rowid, index of expiry; the oldest go",
        page: PAGE,
        schema: "CREATE TABLE t (tenant TEXT, purpose TEXT, value BLOB, expires INTEGER,
                   UNIQUE (tenant, purpose, value)) STRICT;
                 CREATE INDEX i ON t (expires)",
        put: |db, n, kept| {
            db.prepare_cached(
                "INSERT INTO t VALUES ('default', 'DPoP proof', ?1, ?2)
                 ON CONFLICT DO UPDATE SET expires = excluded.expires WHERE expires <= ?3",
            )?
            .execute(params![digest(n), integer(n + kept), integer(n)])?;
            if n % BATCH == 0 { drop_until(db, "DELETE FROM t WHERE expires <= ?1", n) } else { Ok(()) }
        },
    },
    Layout {
        name: "remembered by bucket of expiry and value; the oldest go",
        page: PAGE,
        schema: "CREATE TABLE t (bucket INTEGER, value BLOB, purpose TEXT, tenant TEXT, expires INTEGER,
                   PRIMARY KEY (bucket, value, purpose, tenant)) STRICT, WITHOUT ROWID",
        put: |db, n, kept| {
            let width = (kept / 4).max(1);
            let bucket = |at: u64| integer((at / width + 1) * width);
            // Every bucket that holds something is asked.
            let mut from = integer(n + 1);
            loop {
                let next: Option<i64> = db
                    .prepare_cached("SELECT min(bucket) FROM t WHERE bucket >= ?")?
                    .query_row([from], |row| row.get(0))?;
                let Some(next) = next else { break };
                let seen = db
                    .prepare_cached(
                        "SELECT 1 FROM t WHERE bucket = ? AND value = ? AND purpose = 'DPoP proof' AND tenant = 'default'",
                    )?
                    .exists(params![next, digest(n)])?;
                if seen {
                    return Ok(());
                }
                from = next + 1;
            }
            db.prepare_cached("INSERT INTO t VALUES (?, ?, 'DPoP proof', 'default', ?)")?.execute(params![
                bucket(n + kept),
                digest(n),
                integer(n + kept)
            ])?;
            if n % BATCH != 0 {
                return Ok(());
            }
            drop_until(
                db,
                "DELETE FROM t WHERE (bucket, value, purpose, tenant) IN
                   (SELECT bucket, value, purpose, tenant FROM t WHERE bucket <= ?1 LIMIT 200)",
                n,
            )
        },
    },
    Layout {
        // As the store does, which looks for a value in memory.
        name: "remembered by bucket of expiry and order of coming; the oldest go",
        page: PAGE,
        schema: "CREATE TABLE t (bucket INTEGER, place INTEGER, value BLOB, purpose TEXT, tenant TEXT, expires INTEGER,
                   PRIMARY KEY (bucket, place)) STRICT, WITHOUT ROWID",
        put: |db, n, kept| {
            let width = (kept / 4).max(1);
            db.prepare_cached("INSERT INTO t VALUES (?, ?, ?, 'DPoP proof', 'default', ?)")?.execute(params![
                integer(((n + kept) / width + 1) * width),
                integer(n),
                digest(n),
                integer(n + kept)
            ])?;
            if n % BATCH != 0 {
                return Ok(());
            }
            drop_until(
                db,
                "DELETE FROM t WHERE (bucket, place) IN (SELECT bucket, place FROM t WHERE bucket <= ?1 LIMIT 200)",
                n,
            )
        },
    },
    Layout {
        name: "half a kilobyte, rewritten; rowid, index of 16 bytes, 4 KiB",
        page: 4_096,
        schema: "CREATE TABLE t (key BLOB PRIMARY KEY, value INTEGER, body TEXT) STRICT",
        put: |db, n, kept| {
            if n <= kept {
                let sql = "INSERT INTO t VALUES (?, ?, ?)";
                return run(db, sql, params![ordered(n), integer(n), BODY]);
            }
            run(db, "UPDATE t SET value = ? WHERE key = ?", params![integer(n), ordered(any(n, kept))])
        },
    },
    Layout {
        name: "half a kilobyte, rewritten; by its place, 4 KiB",
        page: 4_096,
        schema: PLACES,
        put: rewrite_at_its_place,
    },
    Layout {
        // As the store does with grants.
        name: "half a kilobyte, rewritten; by its place, 2 KiB",
        page: PAGE,
        schema: PLACES,
        put: rewrite_at_its_place,
    },
];

const PLACES: &str = "CREATE TABLE t (place INTEGER PRIMARY KEY, key BLOB, value INTEGER, body TEXT) STRICT";
const BODY: &str = match str::from_utf8(&[b'x'; 450]) {
    Ok(body) => body,
    Err(_) => "",
};

fn rewrite_at_its_place(db: &Connection, n: u64, kept: u64) -> rusqlite::Result<()> {
    // Far from each other, as times with random bits are.
    let place = |n: u64| integer(n << 18);
    if n <= kept {
        return run(db, "INSERT INTO t VALUES (?, ?, ?, ?)", params![place(n), ordered(n), integer(n), BODY]);
    }
    let key = any(n, kept);
    run(db, "UPDATE t SET value = ? WHERE place = ? AND key = ?", params![integer(n), place(key), ordered(key)])
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let seconds: u64 = arguments.next().map_or(Ok(4), |seconds| seconds.parse())?;
    let rows: u64 = arguments.next().map_or(Ok(200_000), |rows| rows.parse())?;
    println!("{rows} rows are there before, and where the oldest go, as many stay");
    let mut tables = Vec::new();
    for (number, layout) in LAYOUTS.iter().enumerate() {
        let file = directory.join(format!("layout-{}-{number}.db", std::process::id()));
        tables.push(Table::make(layout, file, rows)?);
    }
    let end = Instant::now() + Duration::from_secs(seconds) * u32::try_from(LAYOUTS.len())?;
    while Instant::now() < end {
        tables.iter_mut().try_for_each(|table| table.write_for(SLICE))?;
    }
    for table in &tables {
        table.say()?;
    }
    tables.iter().for_each(Table::remove);
    Ok(())
}

struct Table {
    layout: &'static Layout,
    file: PathBuf,
    db: Connection,
    kept: u64,
    next: u64,
    spent: Duration,
}

impl Table {
    fn make(layout: &'static Layout, file: PathBuf, kept: u64) -> Result<Self, Failure> {
        let db = Connection::open(&file)?;
        db.pragma_update(None, "page_size", layout.page)?;
        db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -8192;")?;
        db.pragma_update(None, "wal_autocheckpoint", (16 << 20) / layout.page)?;
        db.execute_batch(layout.schema)?;
        let mut table = Self { layout, file, db, kept, next: 1, spent: Duration::ZERO };
        while table.next <= kept {
            table.commit()?;
        }
        table.db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA synchronous = FULL;")?;
        Ok(table)
    }

    fn write_for(&mut self, slice: Duration) -> Result<(), Failure> {
        let begun = Instant::now();
        while begun.elapsed() < slice {
            self.commit()?;
        }
        // What a layout left for later is its own cost, and not that of the next.
        self.db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
        self.spent += begun.elapsed();
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Failure> {
        let transaction = self.db.transaction()?;
        for _ in 0..BATCH {
            (self.layout.put)(&transaction, self.next, self.kept)?;
            self.next += 1;
        }
        Ok(transaction.commit()?)
    }

    fn say(&self) -> Result<(), Failure> {
        let written = u128::from(self.next - 1 - self.kept);
        let per_second = written * 1_000_000 / self.spent.as_micros().max(1);
        self.db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
        let held: i64 = self.db.query_row("SELECT count(*) FROM t", (), |row| row.get(0))?;
        let bytes = i64::try_from(std::fs::metadata(&self.file)?.len())? / held.max(1);
        println!("{:<60} {per_second:>8} rows/s {bytes:>5} bytes a row", self.layout.name);
        Ok(())
    }

    fn remove(&self) {
        remove(&self.file);
    }
}

fn remove(file: &Path) {
    for end in ["", "-wal", "-shm"] {
        let mut name = file.as_os_str().to_owned();
        name.push(end);
        let _ = std::fs::remove_file(&name);
    }
}

fn insert(db: &Connection, key: &[u8], n: u64) -> rusqlite::Result<()> {
    run(db, "INSERT INTO t (key, value) VALUES (?, ?)", params![key, integer(n)])
}

fn run(db: &Connection, sql: &str, params: impl rusqlite::Params) -> rusqlite::Result<()> {
    db.prepare_cached(sql)?.execute(params)?;
    Ok(())
}

fn drop_until(db: &Connection, sql: &str, n: u64) -> rusqlite::Result<()> {
    db.prepare_cached(sql)?.execute([integer(n)])?;
    Ok(())
}

/// One of those that are there.
fn any(n: u64, kept: u64) -> u64 {
    scattered(n) % kept + 1
}

fn scattered(n: u64) -> u64 {
    let scattered = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (scattered ^ (scattered >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

/// As scattered as a digest, and cheaper.
fn digest(n: u64) -> [u8; 32] {
    let mut digest = [7; 32];
    for (byte, of) in digest.iter_mut().zip(scattered(n).to_be_bytes()) {
        *byte = of;
    }
    digest
}

/// Sixteen bytes that grow, with an end that is scattered.
fn ordered(n: u64) -> [u8; 16] {
    let mut key = [0; 16];
    for (byte, of) in key.iter_mut().zip(n.to_be_bytes().into_iter().chain(digest(n))) {
        *byte = of;
    }
    key
}

fn integer(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
