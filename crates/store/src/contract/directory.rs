//! What an administrator declares.

use super::Subject as Under;
use super::samples::{
    START, access, api, at, client, code_id, declared_client, digest, elsewhere, event, grant_id, other_tenant,
    redemption_by, session, subject, tenant, token, token_id, user,
};
use crate::{Change, GrantsOf, StoreError};
use grantor_protocol::directory::{KeyKind, KeyRecord, Policy, Tenant, User};
use grantor_protocol::grant::{Redemption, Rotation, Spend, Standing};
use grantor_protocol::value::{Seconds, TenantName};

/// Whatever it is, and whether or not a version was expected.
pub async fn every_change_makes_a_version(store: Under) {
    assert_eq!(store.directory_version().await.unwrap(), 0);
    assert_eq!(store.directory().await.unwrap().version, 0);
    assert_eq!(put(&store, Change::PutTenant(Tenant::new(tenant()))).await, 1);
    assert_eq!(put(&store, Change::PutUser(user(tenant(), 1, "ann"))).await, 2);
    assert_eq!(put(&store, Change::DeleteClient(tenant(), client(9))).await, 3);
    assert_eq!(store.change_directory(vec![], Some(3)).await.unwrap(), 4);
    let stale = store.change_directory(vec![Change::PutTenant(Tenant::new(other_tenant()))], Some(3)).await;
    assert!(matches!(stale, Err(StoreError::Conflict { expected: 3, found: 4 })), "{stale:?}");
    assert_eq!(store.directory_version().await.unwrap(), 4);
    let records = store.directory().await.unwrap();
    assert_eq!((records.version, records.tenants), (4, vec![Tenant::new(tenant())]));
}

/// A name that is taken undoes what came before it.
pub async fn a_change_is_made_whole_or_not_at_all(store: Under) {
    put(&store, Change::PutUser(user(tenant(), 1, "ann"))).await;
    store.redeem(&tenant(), redemption_by(1, 1, 1, 1), START).await.unwrap();
    let changes = vec![
        Change::PutClient(declared_client(tenant(), 1)),
        Change::DeleteClient(tenant(), client(1)),
        Change::PutUser(user(tenant(), 3, "carl")),
        Change::PutUser(user(tenant(), 2, "Ann")),
        Change::PutApi(api(tenant(), "notes")),
    ];
    let taken = store.change_directory(changes, None).await;
    assert!(matches!(taken, Err(StoreError::Taken(_))), "{taken:?}");
    let records = store.directory().await.unwrap();
    assert_eq!((records.version, records.clients.len(), records.apis.len()), (1, 0, 0));
    assert_eq!(store.users(&tenant()).await.unwrap(), [user(tenant(), 1, "ann")]);
    assert!(store.grant(&tenant(), grant_id(1)).await.unwrap().is_some());
}

/// By kind, tenant and name; all in that order.
pub async fn records_are_put_replaced_and_deleted(store: Under) {
    let policy = |tenant: TenantName, priority| Policy {
        tenant,
        name: "p".to_owned(),
        priority,
        api: api(super::samples::tenant(), "notes").audience,
        clients: vec![client(1)],
        grant_types: Vec::new(),
        roles: Vec::new(),
        scopes: None,
        authorization_details_types: None,
        access_token_lifetime: Some(Seconds::new(60)),
    };
    let key = |tenant: TenantName, sealed: u8| KeyRecord {
        tenant,
        kid: "k".to_owned(),
        kind: KeyKind::Handle,
        sealed: vec![sealed; 40],
        published: START,
        active: at(1),
        expires: None,
    };
    for of in [other_tenant(), tenant()] {
        let changes = vec![
            Change::PutTenant(Tenant::new(of.clone())),
            Change::PutApi(api(of.clone(), "notes")),
            Change::PutApi(api(of.clone(), "mail")),
            Change::PutClient(declared_client(of.clone(), 1)),
            Change::PutPolicy(policy(of.clone(), 1)),
            Change::PutKey(key(of.clone(), 1)),
        ];
        store.change_directory(changes, None).await.unwrap();
    }
    let mut renamed = declared_client(tenant(), 1);
    renamed.metadata.client_name = "Notes".into();
    let changes = vec![
        Change::PutClient(renamed.clone()),
        Change::PutPolicy(policy(tenant(), 2)),
        Change::PutKey(key(tenant(), 2)),
        Change::DeleteApi(tenant(), api(tenant(), "notes").audience),
    ];
    store.change_directory(changes, None).await.unwrap();
    let records = store.directory().await.unwrap();
    assert_eq!(records.tenants, [Tenant::new(tenant()), Tenant::new(other_tenant())]);
    assert_eq!(records.apis, [api(tenant(), "mail"), api(other_tenant(), "mail"), api(other_tenant(), "notes")]);
    assert_eq!(records.clients, [renamed, declared_client(other_tenant(), 1)]);
    assert_eq!(records.policies, [policy(tenant(), 2), policy(other_tenant(), 1)]);
    assert_eq!(records.keys, [key(tenant(), 2), key(other_tenant(), 1)]);
    let changes = vec![
        Change::DeletePolicy(other_tenant(), "p".to_owned()),
        Change::DeleteKey(other_tenant(), "k".to_owned()),
        Change::DeleteClient(other_tenant(), client(1)),
    ];
    store.change_directory(changes, None).await.unwrap();
    let records = store.directory().await.unwrap();
    assert_eq!((records.policies.len(), records.keys.len(), records.clients.len()), (1, 1, 1));
}

/// In each tenant; a name that was given up can be taken.
pub async fn user_names_are_unique_without_regard_to_case(store: Under) {
    let ann = user(tenant(), 1, "Ännchen");
    put(&store, Change::PutUser(ann.clone())).await;
    put(&store, Change::PutUser(user(tenant(), 2, "bob"))).await;
    put(&store, Change::PutUser(user(other_tenant(), 1, "bob"))).await;
    assert_eq!(by_name(&store, "äNNCHEN").await, Some(ann.clone()));
    assert_eq!(by_name(&store, "BOB").await, Some(user(tenant(), 2, "bob")));
    assert_eq!(store.user(&other_tenant(), &subject(1)).await.unwrap(), Some(user(other_tenant(), 1, "bob")));
    let taken = store.change_directory(vec![Change::PutUser(user(tenant(), 3, "ännchen"))], None).await;
    assert!(matches!(taken, Err(StoreError::Taken(_))), "{taken:?}");
    put(&store, Change::PutUser(user(tenant(), 1, "ännchen"))).await;
    put(&store, Change::PutUser(user(tenant(), 1, "zoe"))).await;
    assert_eq!(by_name(&store, "ännchen").await, None);
    put(&store, Change::PutUser(user(tenant(), 3, "ännchen"))).await;
    let names: Vec<_> = store.users(&tenant()).await.unwrap().into_iter().map(|user| user.username).collect();
    assert_eq!(names, ["bob", "zoe", "ännchen"]);
}

/// No grant, session or consent, and his name is free.
pub async fn a_deleted_user_leaves_nothing_that_works(store: Under) {
    furnish(&store).await;
    put(&store, Change::DeleteUser(tenant(), subject(1))).await;
    assert_eq!(store.user(&tenant(), &subject(1)).await.unwrap(), None);
    assert_eq!(by_name(&store, "user-1").await, None);
    assert_falls(&store, &tenant(), 1, 1, true).await;
    assert_falls(&store, &tenant(), 1, 2, true).await;
    assert_falls(&store, &tenant(), 2, 1, false).await;
    assert_falls(&store, &other_tenant(), 1, 1, false).await;
    assert_eq!(store.session(&tenant(), &digest(1), START).await.unwrap(), None);
    assert!(store.session(&tenant(), &digest(2), START).await.unwrap().is_some());
    put(&store, Change::PutUser(user(tenant(), 3, "user-1"))).await;
}

/// No grant and no consent; its users keep their sessions.
pub async fn a_deleted_client_leaves_nothing_that_works(store: Under) {
    furnish(&store).await;
    put(&store, Change::DeleteClient(tenant(), client(1))).await;
    assert_falls(&store, &tenant(), 1, 1, true).await;
    assert_falls(&store, &tenant(), 2, 1, true).await;
    assert_falls(&store, &tenant(), 1, 2, false).await;
    assert_falls(&store, &other_tenant(), 1, 1, false).await;
    assert!(store.session(&tenant(), &digest(1), START).await.unwrap().is_some());
}

/// Everything, so that a tenant of the same name begins anew; only the log is append-only.
pub async fn a_deleted_tenant_takes_everything_with_it_but_the_log(store: Under) {
    furnish(&store).await;
    store.record(vec![event(tenant(), 1)]).await.unwrap();
    store.remember(&tenant(), "jti", &digest(1), at(10), START).await.unwrap();
    store.revoke_token(&tenant(), token_id(1), at(10)).await.unwrap();
    store.revoke_all(&tenant(), GrantsOf::Client(&client(5)), token_id(5), at(10), START).await.unwrap();
    let log = store.events(&tenant(), None, 10).await.unwrap();
    put(&store, Change::DeleteTenant(tenant())).await;
    for (of, to) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
        assert_falls(&store, &tenant(), of, to, true).await;
        assert_falls(&store, &other_tenant(), of, to, false).await;
    }
    let records = store.directory().await.unwrap();
    assert_eq!((records.tenants.len(), records.apis.len(), records.clients.len()), (1, 1, 1));
    assert_eq!(store.users(&tenant()).await.unwrap(), []);
    assert_eq!(store.session(&tenant(), &digest(2), START).await.unwrap(), None);
    assert!(store.remember(&tenant(), "jti", &digest(1), at(10), START).await.unwrap());
    assert_eq!(store.standing(&tenant(), &token(1, None, 5)).await.unwrap(), Standing::Good(None));
    assert_eq!(store.events(&tenant(), None, 10).await.unwrap(), log);
    assert!(log.contains(&event(tenant(), 1)));
    let event = event(tenant(), 2);
    let spent_before = Redemption { event, ..redemption_by(number(1, 1), number(1, 1), 1, 1) };
    assert!(matches!(store.redeem(&tenant(), spent_before, START).await.unwrap(), Spend::Fresh(_)));
}

/// Two tenants alike: an API, a client, users 1 and 2, and a grant and a consent of each for clients 1 and 2.
async fn furnish(store: &Under) {
    for here in [tenant(), other_tenant()] {
        let changes = vec![
            Change::PutTenant(Tenant::new(here.clone())),
            Change::PutApi(api(here.clone(), "notes")),
            Change::PutClient(declared_client(here.clone(), 1)),
            Change::PutUser(user(here.clone(), 1, "user-1")),
            Change::PutUser(user(here.clone(), 2, "user-2")),
        ];
        store.change_directory(changes, None).await.unwrap();
        for (of, to) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
            let n = number(of, to);
            let redemption = Redemption { code: code_id(n), ..redemption_by(n, n, of, to) };
            store.redeem(&here, elsewhere(&here, redemption), START).await.unwrap();
            store
                .record_consent(&here, &subject(of), &client(to), &access("read"), &access("read"), START)
                .await
                .unwrap();
        }
    }
    for key in [1, 2] {
        store.open_session(session(key, key), None).await.unwrap();
    }
}

async fn assert_falls(store: &Under, here: &TenantName, of: u64, to: u64, falls: bool) {
    let n = number(of, to);
    let standing = store.standing(here, &token(900, Some(n), to)).await.unwrap();
    assert_eq!(standing == Standing::Revoked, falls, "{here}: the token of {of} for {to}");
    let listed = store.grants(here, GrantsOf::Application(&subject(of), &client(to)), START, 10).await.unwrap();
    assert_eq!(listed.is_empty(), falls, "{here}: the grant of {of} for {to}");
    assert_eq!(store.consent(here, &subject(of), &client(to)).await.unwrap().is_none(), falls);
    if falls {
        let rotation = store.rotate(here, grant_id(n), 0, Seconds::new(30), START).await.unwrap();
        assert!(matches!(rotation, Rotation::Unknown | Rotation::Revoked), "{rotation:?}");
    }
}

fn number(of: u64, to: u64) -> u64 {
    of * 10 + to
}

async fn put(store: &Under, change: Change) -> u64 {
    store.change_directory(vec![change], None).await.unwrap()
}

async fn by_name(store: &Under, username: &str) -> Option<User> {
    store.user_by_username(&tenant(), username).await.unwrap()
}
