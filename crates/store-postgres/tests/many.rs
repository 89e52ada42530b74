//! Whoever has very many grants is cut off and deleted like anybody else, in steps that a statement's time allows.

#![expect(clippy::unwrap_used, reason = "tests")]

mod nodes;

use grantor_protocol::grant::Rotation;
use grantor_store::contract::samples::{
    GRACE, START, at, client, grant_id, redemption, redemption_by, subject, tenant, token_id,
};
use grantor_store::{Change, Directories as _, Grants as _, GrantsOf, StoreError};
use grantor_store_postgres::{PostgresStore, Target};
use tokio_postgres::Client;

const MANY: u64 = 30_000;

/// A node, and a database in which a statement that touches too many grants takes too long.
async fn node() -> (PostgresStore, Client) {
    let url = nodes::database();
    let store = nodes::one(url.clone()).await;
    let db = Target::parse(&url).unwrap().client().await.unwrap();
    db.batch_execute(
        "CREATE FUNCTION bound() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           IF (SELECT count(*) FROM touched) > 5000 THEN
             RAISE EXCEPTION 'canceling statement due to statement timeout' USING ERRCODE = '57014';
           END IF;
           RETURN NULL; END $$;
         CREATE TRIGGER bound_update AFTER UPDATE ON grants REFERENCING OLD TABLE AS touched
           FOR EACH STATEMENT EXECUTE FUNCTION bound();
         CREATE TRIGGER bound_delete AFTER DELETE ON grants REFERENCING OLD TABLE AS touched
           FOR EACH STATEMENT EXECUTE FUNCTION bound()",
    )
    .await
    .unwrap();
    (store, db)
}

/// Grants like the one with this name, beside it.
async fn multiply(store: &PostgresStore, db: &Client, name: u64) {
    store.redeem(&tenant(), redemption(name, name), START).await.unwrap();
    let many = format!(
        "INSERT INTO grants SELECT tenant, decode(md5(n::text), 'hex'), client, subject, generation, rotated, expires,
           revoked, idle, ends, due, attempt, revoker, terms
         FROM grants, generate_series(2, {MANY}) AS n"
    );
    db.batch_execute(&many).await.unwrap();
}

async fn count(db: &Client, sql: &str) -> u64 {
    let row = db.query_one(sql, &[]).await.unwrap();
    u64::try_from(row.get::<_, i64>(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rfc7009_2_1_very_many_grants_are_revoked_in_steps() {
    let (store, db) = node().await;
    multiply(&store, &db, 1).await;
    let (user, own) = (subject(1), client(1));
    let stood = store.revoke_all(&tenant(), GrantsOf::Subject(&user), token_id(50), at(100), at(1)).await.unwrap();
    assert_eq!(stood, MANY);
    assert_eq!(count(&db, "SELECT count(*) FROM grants WHERE revoked IS NULL").await, 0);
    // All stand again, but for the rule that this test made.
    db.batch_execute(
        "ALTER TABLE grants DISABLE TRIGGER USER; UPDATE grants SET revoked = NULL; ALTER TABLE grants ENABLE TRIGGER USER",
    )
    .await
    .unwrap();
    let stood = store.revoke_all(&tenant(), GrantsOf::Client(&own), token_id(50), at(100), at(1)).await.unwrap();
    assert_eq!(stood, MANY);
    assert_eq!(count(&db, "SELECT count(*) FROM grants WHERE revoked IS NULL").await, 0);
}

/// The steps come to nothing: the cut-off stands all the same, and a grant that is older is not refreshed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rfc7009_2_1_a_cut_off_stands_before_the_grants_are_revoked() {
    let (store, db) = node().await;
    store.redeem(&tenant(), redemption(1, 1), START).await.unwrap();
    store.redeem(&tenant(), redemption_by(2, 2, 2, 1), START).await.unwrap();
    db.batch_execute(
        "CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           RAISE EXCEPTION 'too late' USING ERRCODE = '57014'; END $$;
         CREATE TRIGGER never BEFORE UPDATE OF revoked ON grants FOR EACH ROW EXECUTE FUNCTION never()",
    )
    .await
    .unwrap();
    let user = subject(1);
    let said = store.revoke_all(&tenant(), GrantsOf::Subject(&user), token_id(50), at(100), at(1)).await;
    assert!(matches!(said, Err(StoreError::Busy(_))), "{said:?}");
    assert_eq!(count(&db, "SELECT count(*) FROM grants WHERE revoked IS NULL").await, 2);
    let rotated = store.rotate(&tenant(), grant_id(1), 0, GRACE, at(1)).await.unwrap();
    assert_eq!(rotated, Rotation::Revoked);
    let rotated = store.rotate(&tenant(), grant_id(2), 0, GRACE, at(1)).await.unwrap();
    assert!(matches!(rotated, Rotation::Rotated(_)), "{rotated:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_very_many_grants_is_deleted_in_steps() {
    let (store, db) = node().await;
    for (name, delete) in [
        (1, Change::DeleteClient(tenant(), client(1))),
        (2, Change::DeleteUser(tenant(), subject(1))),
        (3, Change::DeleteTenant(tenant())),
    ] {
        multiply(&store, &db, name).await;
        assert_eq!(count(&db, "SELECT count(*) FROM grants").await, MANY);
        store.change_directory(vec![delete], None).await.unwrap();
        assert_eq!(count(&db, "SELECT count(*) FROM grants").await, 0);
    }
}
