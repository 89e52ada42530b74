//! The file stays as large as what lives in it, however long it is used. Time is a value: two years pass in seconds.

#![expect(clippy::unwrap_used, reason = "tests")]

use grantor_protocol::grant::{Rotation, Spend};
use grantor_protocol::value::{EventId, Seconds, TokenId, UnixTime};
use grantor_store::contract::samples::{
    EVERY_EVENT, GRACE, START, access, client, digest, event, redemption_by, session, subject, tenant, token_id,
};
use grantor_store::{AuditLog as _, Grants as _, GrantsOf, Sessions as _, Store as _};
use grantor_store_sqlite::SqliteStore;
use rusqlite::Connection;
use std::path::Path;

/// Each with one application, which refreshes every day.
const USERS: u64 = 50;
const DAYS: u64 = 365;
const DAY: Seconds = Seconds::new(86_400);
/// How long events are kept, and how long a grant lasts.
const KEPT_DAYS: u64 = 30;
const GRANT_DAYS: u32 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_year_of_refreshes_leaves_the_file_as_large_as_two_months_do() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("grantor.db");
    let store = SqliteStore::open(&file).unwrap();
    let mut life = Life { store, today: 0, made: 0 };
    let mut sizes = Vec::new();
    for day in 1..=DAYS {
        life.one_day().await;
        if day % 30 == 0 {
            sizes.push(size(&file));
        }
    }
    let (early, late) = (sizes[1], *sizes.last().unwrap());
    assert!(late <= early + early / 20, "bytes at the end of each month: {sizes:?}");
    drop(life);
    let after = rows(&file);
    assert!(after.iter().all(|(_, rows)| *rows <= 2 * USERS * KEPT_DAYS), "{after:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_uses_any_more_is_gone_in_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("grantor.db");
    let store = SqliteStore::open(&file).unwrap();
    let mut life = Life { store, today: 0, made: 0 };
    for _ in 0..5 {
        life.one_day().await;
    }
    let end = START.plus(Seconds::new(400 * 86_400));
    while life.store.expire(end, event_of(1 << 40), 1_000).await.unwrap() > 0 {}
    drop(life);
    let left: Vec<_> = rows(&file).into_iter().filter(|(_, rows)| *rows > 0).collect();
    assert_eq!(left, [("consents", USERS)], "what was allowed stays allowed");
}

struct Life {
    store: SqliteStore,
    today: u64,
    made: u64,
}

impl Life {
    /// Everybody signs in, signs his request, refreshes, or begins anew when his grant is at its end.
    async fn one_day(&mut self) {
        let now = START.plus(Seconds::new(u32::try_from(self.today).unwrap() * DAY.get()));
        let (refreshed, fresh) = (self.today % u64::from(GRANT_DAYS), self.today.is_multiple_of(u64::from(GRANT_DAYS)));
        if fresh {
            self.made = self.today;
        }
        let store = &self.store;
        let everybody = (0..USERS).map(|user| {
            let (made, today) = (self.made * USERS + user, self.today * USERS + user);
            let grant = async move {
                if fresh {
                    let mut redemption = redemption_by(made, made, user, 1);
                    redemption.remember_until = now.plus(Seconds::new(70));
                    redemption.terms.created = now;
                    redemption.terms.idle = Seconds::new(3 * DAY.get());
                    redemption.terms.ends = now.plus(Seconds::new(GRANT_DAYS * DAY.get()));
                    assert!(matches!(store.redeem(&tenant(), redemption, now).await.unwrap(), Spend::Fresh(_)));
                } else {
                    let id = redemption_by(made, made, user, 1).grant;
                    let generation = u32::try_from(refreshed).unwrap() - 1;
                    let rotation = store.rotate(&tenant(), id, generation, GRACE, now).await.unwrap();
                    assert!(matches!(rotation, Rotation::Rotated(_)), "{rotation:?}");
                }
            };
            async move {
                let (here, user, app, scope) = (tenant(), subject(user), client(1), access("read"));
                let mut signed_in = session(today, 1);
                (signed_in.subject, signed_in.expires) = (user.clone(), now.plus(DAY));
                let value = digest(scattered(today));
                // At once, so that they share a commit.
                let ((), signed_in, allowed, fresh, revoked, recorded) = tokio::join!(
                    grant,
                    store.open_session(signed_in, None),
                    store.record_consent(&here, &user, &app, &scope, &scope, now),
                    store.remember(&here, "DPoP proof", &value, now.plus(Seconds::new(300)), now),
                    store.revoke_token(&here, token_id(today), now.plus(Seconds::new(600))),
                    store.record(vec![event(tenant(), today)]),
                );
                signed_in.and(allowed).and(revoked).and(recorded).unwrap();
                assert!(fresh.unwrap());
            }
        });
        let everybody: Vec<_> = everybody.map(Box::pin).collect();
        all(everybody).await;
        let someone = subject(self.today % USERS);
        let never: TokenId = token_id(0);
        let app = client(99);
        let of = GrantsOf::Application(&someone, &app);
        self.store.revoke_all(&tenant(), of, never, now.plus(DAY), now).await.unwrap();
        self.drop_expired(now).await;
        self.today += 1;
    }

    async fn drop_expired(&self, now: UnixTime) {
        let keep = self.today.checked_sub(KEPT_DAYS).map_or(EVERY_EVENT, |day| event_of(day * USERS));
        while self.store.expire(now, keep, 1_000).await.unwrap() >= 1_000 {}
    }
}

async fn all<F: Future<Output = ()>>(mut futures: Vec<std::pin::Pin<Box<F>>>) {
    std::future::poll_fn(|context| {
        futures.retain_mut(|future| future.as_mut().poll(context).is_pending());
        if futures.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

fn event_of(n: u64) -> EventId {
    EventId::new(n, [0; 10])
}

/// Digests of consecutive values have nothing in common.
fn scattered(n: u64) -> u64 {
    n.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Of the file and its log, once the log is carried over.
fn size(file: &Path) -> u64 {
    let db = Connection::open(file).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).unwrap();
    std::fs::metadata(file).unwrap().len()
}

fn rows(file: &Path) -> Vec<(&'static str, u64)> {
    let db = Connection::open(file).unwrap();
    let tables = ["grants", "spent_codes", "revoked_tokens", "cutoffs", "sessions", "consents", "remembered", "events"];
    let count = |table| db.query_row(&format!("SELECT count(*) FROM {table}"), (), |row| row.get::<_, i64>(0));
    tables.map(|table| (table, u64::try_from(count(table).unwrap()).unwrap())).to_vec()
}
