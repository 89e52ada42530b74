//! Prints what a row of each table takes in the file, with its indexes, and how long it takes to open the file.
//!
//! `bytes [DIRECTORY] [GRANTS]`: so many grants are made, with a code, a session and an event each, and so on.

use grantor_protocol::grant::{Spend, Standing};
use grantor_protocol::value::UnixTime;
use grantor_store::contract::samples::{
    START, access, at, client, digest, event, redemption_by, session, subject, tenant, token, token_id,
};
use grantor_store::{AuditLog as _, Grants as _, GrantsOf, Sessions as _};
use grantor_store_sqlite::SqliteStore;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

type Failure = Box<dyn std::error::Error + Send + Sync>;

const TABLES: [&str; 8] =
    ["grants", "spent_codes", "sessions", "consents", "events", "remembered", "revoked_tokens", "cutoffs"];
const TASKS: u64 = 64;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let grants: u64 = arguments.next().map_or(Ok(100_000), |grants| grants.parse())?;
    let file = directory.join(format!("bytes-{}.db", std::process::id()));
    fill(&file, grants).await?;
    say_rows(&file)?;
    let begun = Instant::now();
    let store = SqliteStore::open(&file)?;
    let opened = begun.elapsed();
    let Standing::Good(_) = store.standing(&tenant(), &token(1, Some(1), 1)).await? else {
        return Err("grant 1 does not stand".into());
    };
    println!("opened in {} us, first answer after {} us", opened.as_micros(), begun.elapsed().as_micros());
    drop(store);
    Ok(std::fs::remove_file(&file)?)
}

async fn fill(file: &Path, grants: u64) -> Result<(), Failure> {
    let store = Arc::new(SqliteStore::open(file)?);
    let making: Vec<_> = (0..TASKS)
        .map(|task| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for n in (task..grants).step_by(usize::try_from(TASKS)?) {
                    make(&store, n).await?;
                }
                Ok::<_, Failure>(())
            })
        })
        .collect();
    for made in making {
        made.await??;
    }
    Ok(())
}

async fn make(store: &SqliteStore, n: u64) -> Result<(), Failure> {
    // Two applications for each user, a hundred applications in all.
    let (of, to) = (n / 2, n % 100);
    let (here, user, app, read) = (tenant(), subject(of), client(to), access("read"));
    let scattered = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let value = digest(scattered);
    let mut signed_in = session(scattered, of);
    "0198c0de-5e55-7000-8000-000000000000".clone_into(&mut signed_in.sid);
    let nobody = client(1_000);
    let until: UnixTime = at(u32::try_from(n % 60)? + 240);
    let (redeemed, opened, consented, remembered, revoked, cut_off, recorded) = tokio::join!(
        store.redeem(&here, redemption_by(n, n, of, to), START),
        store.open_session(signed_in, None),
        store.record_consent(&here, &user, &app, &read, &read, START),
        store.remember(&here, "DPoP proof", &value, until, START),
        store.revoke_token(&here, token_id(1 << 40 | n), until),
        store.revoke_all(&here, GrantsOf::Application(&user, &nobody), token_id(0), until, START),
        store.record(vec![event(tenant(), n)]),
    );
    let done = opened.and(consented).and(revoked).and(recorded).and(cut_off.map(drop));
    done?;
    if !matches!(redeemed?, Spend::Fresh(_)) || !remembered? {
        return Err(format!("{n} was there before").into());
    }
    Ok(())
}

fn say_rows(file: &Path) -> Result<(), Failure> {
    let db = Connection::open(file)?;
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))?;
    println!("{:<16} {:>9} {:>9} {:>9}", "table", "rows", "bytes/row", "indexes");
    for table in TABLES {
        let rows: i64 = db.query_row(&format!("SELECT count(*) FROM {table}"), (), |row| row.get(0))?;
        let (own, indexes): (i64, i64) = db.query_row(
            "SELECT coalesce(sum(pgsize) FILTER (WHERE s.name = tbl_name), 0),
                    coalesce(sum(pgsize) FILTER (WHERE s.name <> tbl_name), 0)
             FROM dbstat('main', 1) AS s JOIN sqlite_schema AS t ON t.name = s.name WHERE tbl_name = ?",
            [table],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        println!("{table:<16} {rows:>9} {:>9} {:>9}", own / rows.max(1), indexes / rows.max(1));
    }
    println!("{} bytes in all", std::fs::metadata(file)?.len());
    Ok(())
}
