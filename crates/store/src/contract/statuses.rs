//! Indexes in status lists (Token Status List).

use super::Subject as Under;
use super::samples::{
    EVERY_EVENT, GRACE, START, at, client, elsewhere, grant_id, other_tenant, redemption, redemption_by, subject,
    tenant, token, token_id, user,
};
use crate::{Change, GrantsOf};
use grantor_protocol::directory::User;
use grantor_protocol::grant::{Standing, TokenRef};
use grantor_protocol::status_list::StatusIndex;

const LIST: u64 = u64::MAX - 1;

fn place(index: u32) -> StatusIndex {
    StatusIndex { list: LIST, index }
}

/// Whatever became of a token: the list says what is said of it alone.
pub async fn token_status_list_7_1_a_list_says_of_each_token_how_it_stands(store: Under) {
    let epoch = 5;
    let mut tokens = Vec::new();
    for n in 10..20 {
        store.redeem(&tenant(), redemption_by(n, n, n, n), START).await.unwrap();
        tokens.push(token(n, Some(n), n));
        tokens.push(token(100 + n, None, n));
    }
    // Older than the epoch, by itself or by its grant; of a grant that never was.
    tokens.extend([token(4, None, 1), token(4, Some(10), 1), token(200, Some(4), 1), token(201, Some(99), 1)]);
    for (index, token) in (0..).zip(&tokens) {
        store.assign_status(&tenant(), place(index), token, at(500)).await.unwrap();
    }
    store.revoke_token(&tenant(), token_id(10), at(100)).await.unwrap();
    store.revoke_token(&tenant(), token_id(111), at(100)).await.unwrap();
    store.revoke_grant(&tenant(), grant_id(12), at(1)).await.unwrap();
    for generation in [0, 1, 0] {
        store.rotate(&tenant(), grant_id(13), generation, GRACE, at(1)).await.unwrap();
    }
    store.redeem(&tenant(), redemption(14, 50), at(1)).await.unwrap();
    let (by_client, by_subject) = (client(15), subject(16));
    let (of, to) = (subject(17), client(17));
    for whose in [GrantsOf::Client(&by_client), GrantsOf::Subject(&by_subject), GrantsOf::Application(&of, &to)] {
        store.revoke_all(&tenant(), whose, token_id(1_000), at(100), at(1)).await.unwrap();
    }
    store.change_directory(vec![Change::DeleteUser(tenant(), subject(18))], None).await.unwrap();
    store.move_epoch(token_id(epoch)).await.unwrap();
    let mut revoked = Vec::new();
    for (index, token) in (0..).zip(&tokens) {
        if store.standing(&tenant(), token).await.unwrap() == Standing::Revoked {
            revoked.push(index);
        }
    }
    assert_eq!(revoked, [0, 3, 4, 6, 8, 10, 11, 12, 14, 16, 20, 21, 22, 23]);
    assert_eq!(store.invalid_statuses(&tenant(), LIST, &[]).await.unwrap(), Some(revoked));
}

/// A token issued after a cut-off stands, whatever stood at its side.
pub async fn what_is_issued_after_a_cut_off_is_valid(store: Under) {
    for (index, n) in [(3, 10), (4, 30)] {
        store.assign_status(&tenant(), place(index), &token(n, None, 1), at(500)).await.unwrap();
    }
    store.revoke_all(&tenant(), GrantsOf::Client(&client(1)), token_id(20), at(100), START).await.unwrap();
    assert_eq!(store.invalid_statuses(&tenant(), LIST, &[]).await.unwrap(), Some(vec![3]));
}

/// For as long as they are.
pub async fn what_a_disabled_user_or_client_has_is_not_valid(store: Under) {
    let of_user = |disabled| {
        let user = User { disabled, ..user(tenant(), 1, "ann") };
        store.change_directory(vec![Change::PutUser(user)], None)
    };
    of_user(false).await.unwrap();
    store.redeem(&tenant(), redemption_by(1, 1, 1, 2), START).await.unwrap();
    for (index, token) in [(0, token(1, Some(1), 2)), (1, token(2, None, 3))] {
        store.assign_status(&tenant(), place(index), &token, at(500)).await.unwrap();
    }
    let invalid = |disabled: Vec<_>| {
        let store = std::sync::Arc::clone(&store);
        async move { store.invalid_statuses(&tenant(), LIST, &disabled).await.unwrap().unwrap() }
    };
    assert_eq!(invalid(vec![]).await, Vec::<u32>::new());
    assert_eq!(invalid(vec![client(2)]).await, [0]);
    assert_eq!(invalid(vec![client(1), client(3)]).await, [1]);
    of_user(true).await.unwrap();
    assert_eq!(invalid(vec![]).await, [0]);
    of_user(false).await.unwrap();
    assert_eq!(invalid(vec![]).await, Vec::<u32>::new());
}

/// Whoever asks again for it, or for another token; and each tenant has its own.
pub async fn an_index_is_one_tokens(store: Under) {
    let first = token(1, None, 1);
    for token in [&first, &first, &token(2, None, 1)] {
        store.assign_status(&tenant(), place(0), token, at(500)).await.unwrap();
    }
    store.assign_status(&other_tenant(), place(0), &token(3, None, 1), at(500)).await.unwrap();
    for (n, invalid) in [(2, vec![]), (3, vec![]), (1, vec![0])] {
        store.revoke_token(&tenant(), token_id(n), at(100)).await.unwrap();
        assert_eq!(store.invalid_statuses(&tenant(), LIST, &[]).await.unwrap(), Some(invalid), "{n}");
    }
    assert_eq!(store.invalid_statuses(&other_tenant(), LIST, &[]).await.unwrap(), Some(vec![]));
    assert_eq!(store.invalid_statuses(&tenant(), LIST - 1, &[]).await.unwrap(), None);
    let there = other_tenant();
    store.redeem(&there, elsewhere(&there, redemption(9, 9)), START).await.unwrap();
    let of_another = TokenRef { grant: Some(grant_id(9)), ..token(9, None, 1) };
    store.assign_status(&tenant(), place(7), &of_another, at(500)).await.unwrap();
    assert_eq!(store.invalid_statuses(&tenant(), LIST, &[]).await.unwrap(), Some(vec![0, 7]), "its grant is not here");
}

/// When the last of its tokens has expired, and with its tenant.
pub async fn a_list_goes_with_its_tokens(store: Under) {
    for here in [tenant(), other_tenant()] {
        for (index, end) in [(0, 10), (1, 20)] {
            store.assign_status(&here, place(index), &token(u64::from(index), None, 1), at(end)).await.unwrap();
        }
    }
    store.change_directory(vec![Change::DeleteTenant(other_tenant())], None).await.unwrap();
    assert_eq!(store.invalid_statuses(&other_tenant(), LIST, &[]).await.unwrap(), None);
    for (now, dropped, there) in [(9, 0, true), (10, 1, true), (19, 0, true), (20, 1, false)] {
        assert_eq!(store.expire(at(now), EVERY_EVENT, 100).await.unwrap(), dropped, "{now}");
        assert_eq!(store.invalid_statuses(&tenant(), LIST, &[]).await.unwrap().is_some(), there, "{now}");
    }
}
