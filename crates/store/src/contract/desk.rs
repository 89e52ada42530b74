//! The token desk: workspaces, their members, and what lies in them.

use super::Subject as Under;
use super::samples::{EVERY_EVENT, at, other_tenant, subject, tenant, user};
use crate::Change;
use grantor_protocol::directory::Tenant;
use grantor_protocol::value::{ItemId, WorkspaceId};
use grantor_protocol::workspace::{Item, Right, Workspace};
use std::sync::Arc;

/// Larger numbers are younger.
pub(super) fn workspace_id(n: u64) -> WorkspaceId {
    WorkspaceId::new(n, [8; 10])
}

/// Larger numbers are younger.
pub(super) fn item_id(n: u64) -> ItemId {
    ItemId::new(n, [9; 10])
}

/// A new workspace of user `of`.
pub(super) fn workspace(n: u64, of: u64) -> Workspace {
    Workspace::new(workspace_id(n), subject(of), format!("workspace {n}"))
}

/// A new item of user `of`; `text` stands for what is sealed.
pub(super) fn item(n: u64, of: u64, text: &str) -> Item {
    Item { id: item_id(n), owner: subject(of), version: 1, sealed: text.as_bytes().to_vec() }
}

/// With everything that belongs to it, for each of its members and nobody else, in this tenant.
pub async fn a_workspace_is_its_members(store: Under) {
    let with_bob = workspace(1, 1).admit(&subject(1), &subject(2), Right::Use).unwrap();
    assert!(store.keep_workspace(&tenant(), workspace(1, 1)).await.unwrap());
    assert!(store.keep_workspace(&tenant(), workspace(2, 1)).await.unwrap());
    let open = Workspace { sharing: true, ..with_bob };
    assert!(store.keep_workspace(&tenant(), open.clone()).await.unwrap());
    assert_eq!(store.workspaces(&tenant(), &subject(1)).await.unwrap(), [open.clone(), workspace(2, 1)]);
    assert_eq!(store.workspaces(&tenant(), &subject(2)).await.unwrap(), std::slice::from_ref(&open));
    assert_eq!(store.workspaces(&tenant(), &subject(3)).await.unwrap(), []);
    assert_eq!(store.workspaces(&other_tenant(), &subject(1)).await.unwrap(), []);
    let alone = open.dismiss(&subject(2), &subject(2)).unwrap();
    assert!(store.keep_workspace(&tenant(), alone.clone()).await.unwrap());
    assert_eq!(store.workspaces(&tenant(), &subject(2)).await.unwrap(), []);
    assert_eq!(store.workspaces(&tenant(), &subject(1)).await.unwrap(), [alone, workspace(2, 1)]);
}

/// On top of what was seen, and on nothing else; said twice it is as said once.
pub async fn a_workspace_changes_from_version_to_version(store: Under) {
    let second = Workspace { name: "renamed".to_owned(), ..workspace(1, 1).changed() };
    assert!(!store.keep_workspace(&tenant(), second.clone()).await.unwrap(), "there is no first");
    for _ in 0..2 {
        assert!(store.keep_workspace(&tenant(), workspace(1, 1)).await.unwrap());
    }
    for _ in 0..2 {
        assert!(store.keep_workspace(&tenant(), second.clone()).await.unwrap());
    }
    let other = Workspace { name: "another".to_owned(), ..second.clone() };
    assert!(!store.keep_workspace(&tenant(), other).await.unwrap(), "somebody else was faster");
    let of_others = second.clone().admit(&subject(1), &subject(2), Right::View).unwrap();
    let of_others = Workspace { version: second.version, ..of_others };
    assert!(!store.keep_workspace(&tenant(), of_others).await.unwrap(), "with another member it is not the same");
    assert!(!store.keep_workspace(&tenant(), workspace(1, 1)).await.unwrap(), "what is past is past");
    assert_eq!(store.workspaces(&tenant(), &subject(1)).await.unwrap(), [second]);
    assert_eq!(store.workspaces(&tenant(), &subject(2)).await.unwrap(), []);
}

/// In its workspace, in this tenant; from version to version.
pub async fn an_item_lies_in_its_workspace(store: Under) {
    let (here, there) = (workspace_id(1), workspace_id(2));
    assert!(!store.keep_item(&tenant(), here, item(1, 1, "one")).await.unwrap(), "there is no workspace");
    for n in [1, 2] {
        store.keep_workspace(&tenant(), workspace(n, 1)).await.unwrap();
    }
    for _ in 0..2 {
        assert!(store.keep_item(&tenant(), here, item(1, 1, "one")).await.unwrap());
    }
    assert!(!store.keep_item(&tenant(), here, item(1, 1, "other")).await.unwrap());
    let next = Item { version: 2, ..item(1, 1, "two") };
    for _ in 0..2 {
        assert!(store.keep_item(&tenant(), here, next.clone()).await.unwrap());
    }
    assert!(!store.keep_item(&tenant(), here, Item { version: 2, ..item(1, 1, "other") }).await.unwrap());
    assert!(!store.keep_item(&tenant(), here, Item { version: 4, ..item(1, 1, "four") }).await.unwrap());
    assert!(!store.keep_item(&tenant(), there, Item { version: 2, ..item(1, 1, "two") }).await.unwrap());
    assert!(store.keep_item(&tenant(), here, item(2, 2, "of another")).await.unwrap());
    assert_eq!(store.item(&tenant(), here, item_id(1)).await.unwrap(), Some(next.clone()));
    assert_eq!(store.items(&tenant(), here).await.unwrap(), [next, item(2, 2, "of another")]);
    assert_eq!(store.items(&tenant(), there).await.unwrap(), []);
    assert_eq!(store.item(&tenant(), there, item_id(1)).await.unwrap(), None);
    assert_eq!(store.items(&other_tenant(), here).await.unwrap(), []);
    assert_eq!(store.expire(at(1_000_000), EVERY_EVENT, 100).await.unwrap(), 0, "nothing goes by itself");
}

/// An item as it was seen, a workspace when it is empty; what is gone is gone.
pub async fn what_is_dropped_is_what_was_seen(store: Under) {
    let space = workspace_id(1);
    store.keep_workspace(&tenant(), workspace(1, 1)).await.unwrap();
    store.keep_item(&tenant(), space, item(1, 1, "one")).await.unwrap();
    store.keep_item(&tenant(), space, Item { version: 2, ..item(1, 1, "two") }).await.unwrap();
    assert!(!store.drop_item(&tenant(), space, item_id(1), 1).await.unwrap(), "it has changed since");
    assert!(!store.drop_workspace(&tenant(), space).await.unwrap(), "something lies in it");
    assert!(store.drop_item(&other_tenant(), space, item_id(1), 2).await.unwrap());
    assert!(store.item(&tenant(), space, item_id(1)).await.unwrap().is_some());
    for _ in 0..2 {
        assert!(store.drop_item(&tenant(), space, item_id(1), 2).await.unwrap());
    }
    assert_eq!(store.items(&tenant(), space).await.unwrap(), []);
    assert!(!store.keep_item(&tenant(), space, Item { version: 3, ..item(1, 1, "x") }).await.unwrap());
    assert!(store.drop_workspace(&other_tenant(), space).await.unwrap());
    assert_eq!(store.workspaces(&tenant(), &subject(1)).await.unwrap().len(), 1);
    for _ in 0..2 {
        assert!(store.drop_workspace(&tenant(), space).await.unwrap());
    }
    assert_eq!(store.workspaces(&tenant(), &subject(1)).await.unwrap(), []);
}

/// His workspaces, what he put into those of others, and his place there; what others have stays.
pub async fn a_deleted_user_leaves_nothing_on_the_desk(store: Under) {
    for here in [tenant(), other_tenant()] {
        let users = [1, 2].map(|n| Change::PutUser(user(here.clone(), n, &format!("user-{n}"))));
        store.change_directory(users.to_vec(), None).await.unwrap();
        for (n, of, other) in [(1, 1, 2), (2, 2, 1)] {
            store.keep_workspace(&here, workspace(n, of)).await.unwrap();
            let shared = workspace(n, of).admit(&subject(of), &subject(other), Right::Manage).unwrap();
            store.keep_workspace(&here, shared).await.unwrap();
            store.keep_item(&here, workspace_id(n), item(1, 1, "of user 1")).await.unwrap();
            store.keep_item(&here, workspace_id(n), item(2, 2, "of user 2")).await.unwrap();
        }
    }
    store.change_directory(vec![Change::DeleteUser(tenant(), subject(1))], None).await.unwrap();
    assert_eq!(store.workspaces(&tenant(), &subject(1)).await.unwrap(), []);
    let left = store.workspaces(&tenant(), &subject(2)).await.unwrap();
    let [left] = left.as_slice() else { panic!("{left:?}") };
    assert_eq!((left.id, left.version, left.right_of(&subject(1))), (workspace_id(2), 3, None));
    assert_eq!(store.items(&tenant(), workspace_id(1)).await.unwrap(), []);
    assert_eq!(store.items(&tenant(), workspace_id(2)).await.unwrap(), [item(2, 2, "of user 2")]);
    assert_eq!(store.workspaces(&other_tenant(), &subject(1)).await.unwrap().len(), 2);
    assert_eq!(store.items(&other_tenant(), workspace_id(1)).await.unwrap().len(), 2);
}

/// In this tenant only.
pub async fn a_deleted_tenant_takes_its_desk_with_it(store: Under) {
    for here in [tenant(), other_tenant()] {
        store.change_directory(vec![Change::PutTenant(Tenant::new(here.clone()))], None).await.unwrap();
        store.keep_workspace(&here, workspace(1, 1)).await.unwrap();
        store.keep_item(&here, workspace_id(1), item(1, 1, "one")).await.unwrap();
    }
    store.change_directory(vec![Change::DeleteTenant(tenant())], None).await.unwrap();
    assert_eq!(store.workspaces(&tenant(), &subject(1)).await.unwrap(), []);
    assert_eq!(store.items(&tenant(), workspace_id(1)).await.unwrap(), []);
    assert_eq!(store.workspaces(&other_tenant(), &subject(1)).await.unwrap(), [workspace(1, 1)]);
    assert_eq!(store.items(&other_tenant(), workspace_id(1)).await.unwrap(), [item(1, 1, "one")]);
}

/// Of many who change what they saw, one is right; nobody's change is lost.
pub async fn one_of_many_changes_of_an_item_wins(store: Under) {
    store.keep_workspace(&tenant(), workspace(1, 1)).await.unwrap();
    store.keep_item(&tenant(), workspace_id(1), item(1, 1, "first")).await.unwrap();
    let changing = (0..16_u64).map(|n| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let mine = Item { version: 2, ..item(1, 1, &format!("by {n}")) };
            let space = Workspace { name: format!("by {n}"), ..workspace(1, 1).changed() };
            let kept = store.keep_item(&tenant(), workspace_id(1), mine.clone()).await.unwrap();
            let named = store.keep_workspace(&tenant(), space.clone()).await.unwrap();
            (kept.then_some(mine), named.then_some(space))
        })
    });
    let (mut items, mut spaces) = (Vec::new(), Vec::new());
    for task in changing.collect::<Vec<_>>() {
        let (item, space) = task.await.unwrap();
        items.extend(item);
        spaces.extend(space);
    }
    assert_eq!(store.items(&tenant(), workspace_id(1)).await.unwrap(), items);
    assert_eq!(store.workspaces(&tenant(), &subject(1)).await.unwrap(), spaces);
    assert_eq!((items.len(), spaces.len()), (1, 1));
}
