//! Where rows lie, and by what they are found.

use super::{Owner, Place, drop_grants, find, find_owned, list, redeem, revoke, rotate};
use crate::connection;
use crate::migrations::migrate;
use crate::verbs::tokens;
use grantor_protocol::grant::{Redemption, Rotation, Spend, Standing};
use grantor_protocol::value::{GrantId, TenantName};
use grantor_store::GrantsOf;
use grantor_store::contract::samples::{
    GRACE, START, at, client, elsewhere, grant_id, other_tenant, redemption_by, subject, tenant, token,
};
use rusqlite::{Connection, params_from_iter};
use tempfile::TempDir;

fn open() -> (Connection, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let mut db = connection::writer(&directory.path().join("grantor.db")).unwrap();
    migrate(&mut db).unwrap();
    (db, directory)
}

/// Identifiers of one millisecond whose first random bits are the same: all come to one place.
fn twin(n: u8) -> GrantId {
    GrantId::new(1_700_000_000_000, [1, 2, 3, n, 5, 6, 7, 8, 9, 10])
}

fn put(db: &Connection, tenant: &TenantName, n: u8) -> crate::failure::Result<Spend> {
    let redemption = redemption_by(u64::from(n), u64::from(n), 1, 1);
    redeem(db, tenant, elsewhere(tenant, Redemption { grant: twin(n), ..redemption }), START)
}

#[test]
fn rfc9562_5_7_places_are_in_the_order_of_time() {
    let id = |bytes: [u8; 16]| Place::first(GrantId::from_bytes(bytes)).0;
    let of = |millis, random| Place::first(GrantId::new(millis, random));
    assert!(of(1_000, [0xff; 10]) < of(1_001, [0; 10]));
    assert_eq!(of(1_000, [0; 10]).0, 1_000 << 18);
    assert_eq!(of(1_000, [0xff; 10]).0, (1_000 << 18) | 0x3_ffff, "neither version nor variant is in it");
    assert_eq!(id([0xff; 16]), i64::MAX, "whatever the identifier, it is a place");
    assert_eq!(id([0; 16]), 0);
    assert_eq!(Place::all(GrantId::from_bytes([0xff; 16])).count(), 0, "but behind the last there is none");
    assert_eq!(Place::all(grant_id(1)).count(), 16);
}

/// Each verb finds its own, also when those before it are gone.
#[test]
fn grants_that_come_to_one_place_are_found_apart() {
    let (db, _directory) = open();
    for n in 0..16 {
        assert!(matches!(put(&db, &tenant(), n).unwrap(), Spend::Fresh(grant) if grant.id == twin(n)), "{n}");
    }
    let full = put(&db, &tenant(), 16).unwrap_err().to_string();
    assert!(full.contains("there is no place for grant"), "{full}");
    for n in (0..16).rev() {
        assert_eq!(find(&db, &tenant(), twin(n)).unwrap().unwrap().id, twin(n));
        assert_eq!(find_owned(&db, &tenant(), twin(n)).unwrap().unwrap().grant.id, twin(n));
        assert!(find(&db, &other_tenant(), twin(n)).unwrap().is_none());
        let rotated = rotate(&db, &tenant(), twin(n), 0, GRACE, at(1)).unwrap();
        assert!(matches!(rotated, Rotation::Rotated(renewal) if renewal.generation == 1), "{n}: {rotated:?}");
        let repeated = rotate(&db, &tenant(), twin(n), 0, GRACE, at(2)).unwrap();
        assert!(matches!(repeated, Rotation::Repeated(_)), "{n}: {repeated:?}");
    }
    let listed = list(&db, &tenant(), &Owner::subject(&subject(1)), START, 100).unwrap();
    assert_eq!(listed.iter().map(|grant| grant.id).collect::<Vec<_>>(), (0..16).rev().map(twin).collect::<Vec<_>>());
    for n in 0..15 {
        assert!(revoke(&db, &tenant(), twin(n), at(3)).unwrap(), "{n}");
        assert!(!revoke(&db, &tenant(), twin(n), at(3)).unwrap(), "{n}");
        let mut token = token(1 << 45, None, 1);
        for (of, stands) in [(n, false), (15, true)] {
            token.grant = Some(twin(of));
            let standing = tokens::standing(&db, &tenant(), &token).unwrap();
            assert_eq!(matches!(standing, Standing::Good(Some(_))), stands, "{n} {of}");
        }
    }
    db.execute("DELETE FROM grants WHERE revoked IS NOT NULL", ()).unwrap();
    let rotated = rotate(&db, &tenant(), twin(15), 1, GRACE, at(4)).unwrap();
    assert!(matches!(rotated, Rotation::Rotated(renewal) if renewal.generation == 2), "{rotated:?}");
    assert_eq!(rotate(&db, &tenant(), twin(14), 1, GRACE, at(4)).unwrap(), Rotation::Unknown);
    drop_grants(&db, &tenant(), &Owner::client(&client(1))).unwrap();
    assert!(find(&db, &tenant(), twin(15)).unwrap().is_none());
}

/// One tenant's grant is no other's, and nobody's is there twice.
#[test]
fn a_grant_is_made_once_in_a_tenant() {
    let (db, _directory) = open();
    for tenant in [tenant(), other_tenant()] {
        assert!(matches!(put(&db, &tenant, 1).unwrap(), Spend::Fresh(_)));
        let again = Redemption { grant: twin(1), ..redemption_by(2, 2, 1, 1) };
        let told = redeem(&db, &tenant, elsewhere(&tenant, again), START).unwrap_err().to_string();
        assert!(told.contains("there is no place for grant"), "{told}");
    }
    assert!(revoke(&db, &other_tenant(), twin(1), at(1)).unwrap());
    assert_eq!(find(&db, &tenant(), twin(1)).unwrap().unwrap().revoked, None);
    let rows: i64 = db.query_row("SELECT count(*) FROM grants", (), |row| row.get(0)).unwrap();
    assert_eq!(rows, 2);
}

/// However many there are, none of these reads all of them.
#[test]
fn every_grant_is_found_by_its_place_or_an_index() {
    let (db, _directory) = open();
    let plan = |sql: &str| {
        let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let nothing = params_from_iter(std::iter::repeat_n(1, statement.parameter_count()));
        let steps = statement.query_map(nothing, |row| row.get::<_, String>(3)).unwrap();
        steps.map(Result::unwrap).find(|step| step.contains("grants")).unwrap()
    };
    let by_place = "SEARCH grants USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)";
    let one = concat!("SELECT ", columns!(), ", ", owner!(), " FROM grants WHERE ", named!());
    assert_eq!(plan(&format!("{one} LIMIT 1")), by_place);
    assert_eq!(plan(&format!("{one} AND revoked IS NULL LIMIT 1")), by_place);
    assert_eq!(plan(&format!("UPDATE grants SET revoked = 1 WHERE {} AND revoked IS NULL", named!())), by_place);
    for (owner, index) in [
        (Owner::subject(&subject(1)), "USING INDEX grants_by_subject (tenant=? AND subject=?)"),
        (Owner::client(&client(1)), "USING INDEX grants_by_client (tenant=? AND client=?)"),
        (
            GrantsOf::Application(&subject(1), &client(1)).into(),
            "USING INDEX grants_by_subject (tenant=? AND subject=?)",
        ),
    ] {
        let rows = owner.standing_grants();
        let newest_first = plan(&format!("SELECT * FROM grants WHERE {rows} ORDER BY place DESC LIMIT 5"));
        assert_eq!(newest_first, format!("SEARCH grants {index}"));
        assert_eq!(plan(&format!("DELETE FROM grants WHERE {rows}")), format!("SEARCH grants {index}"));
    }
    for sql in crate::verbs::directory::OF_A_TENANT.iter().filter(|sql| sql.contains("grants")) {
        assert!(plan(sql).contains("(tenant=?)"), "{sql}: {}", plan(sql));
    }
}
