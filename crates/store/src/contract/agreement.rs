//! Two backends must say the same to the same verbs, whatever their order.

use super::desk::{item, item_id, workspace, workspace_id};
use super::devices::{allowed, device};
use super::samples::{
    EVERY_EVENT, access, api, at, client, code_id, declared_client, digest, event, event_id, grant_id, other_tenant,
    redemption_by, session, subject, tenant, token, token_id, user,
};
use crate::{Change, GrantsOf, Result, Store, StoreError};
use grantor_protocol::directory::Tenant;
use grantor_protocol::grant::device_code::Device;
use grantor_protocol::status_list::StatusIndex;
use grantor_protocol::value::{ClientId, Seconds, TenantName};
use grantor_protocol::workspace::{Item, Right, Workspace};
use std::fmt::Debug;

/// One verb and its arguments, out of a small world in which things meet often: what it is, of whom, to whom, and
/// which, and how many seconds have passed since the step before.
pub type Step = [u8; 5];

/// Carries out the steps on both. Gives what differed first.
pub async fn first_difference(one: &dyn Store, other: &dyn Store, steps: &[Step]) -> Option<String> {
    let mut now = 0;
    for (position, step) in (0..).zip(steps) {
        let [.., pause] = *step;
        // Mostly short, sometimes long enough for things to expire.
        now += if pause > 250 { u32::from(pause) * 400 } else { u32::from(pause % 8) * u32::from(pause) };
        let (left, right) = (say(one, *step, position, now).await, say(other, *step, position, now).await);
        if left != right {
            return Some(format!("step {position} {step:?} at {now}:\n{left}\n{right}"));
        }
    }
    None
}

/// Every verb of the port has its number.
async fn say(store: &dyn Store, step: Step, position: u64, now: u32) -> String {
    let [verb, of, to, which, _] = step.map(u64::from);
    let here = if which % 7 == 0 { other_tenant() } else { tenant() };
    let (of, to, which, moment) = (of % 3, to % 3, which % 6, at(now));
    let (user, app) = (subject(of), client(to));
    let whose = match which % 3 {
        0 => GrantsOf::Subject(&user),
        1 => GrantsOf::Client(&app),
        _ => GrantsOf::Application(&user, &app),
    };
    let mut redemption = redemption_by(which + 10 * to, which + 10 * of, of, to);
    redemption.remember_until = at(now + 60);
    redemption.terms.created = moment;
    redemption.terms.ends = at(now + 2_500);
    redemption.event = event(here.clone(), (1 << 40) + position);
    // A grant is never made twice under one name.
    let exists = store.grant(&here, redemption.grant).await.is_ok_and(|found| found.is_some());
    let generation = u32::try_from(to).unwrap_or(0);
    match verb % 33 {
        0..3 if !exists => said(store.redeem(&here, redemption, moment).await),
        0..7 => said(store.rotate(&here, redemption.grant, generation, Seconds::new(30), moment).await),
        7 => said(store.owned_grant(&here, redemption.grant).await),
        8 => said(store.grants(&here, whose, moment, 4).await),
        9 => said(store.revoke_grant(&here, redemption.grant, moment).await),
        // What is named by small numbers falls, and every session.
        10 if of == 0 && to == 0 => said(store.move_epoch(token_id(which)).await),
        10 => said(store.revoke_all(&here, whose, token_id(which), at(now + 50), moment).await),
        11 => said(store.revoke_token(&here, token_id(which), at(now + 50)).await),
        12 => said(store.standing(&here, &token(which, Some(which + 10 * of), to)).await),
        13 => said(store.standing(&here, &token(which, None, to)).await),
        14 => {
            let mut session = session(which, of);
            (session.tenant, session.expires) = (here, at(now + 100));
            said(store.open_session(session, (to > 0).then(|| digest(to))).await)
        }
        15 => said(store.session(&here, &digest(which), moment).await),
        16 if to == 0 => said(store.close_sessions(&here, &user).await),
        16 => said(store.close_session(&here, &digest(which)).await),
        17 => {
            let (asked, allowed) = (access("scope-0 scope-1"), access(&format!("scope-{which}")));
            said(store.record_consent(&here, &user, &app, &asked, &allowed, moment).await)
        }
        18 => said(store.consents(&here, &user).await) + &said(store.consent(&here, &user, &app).await),
        19 => {
            let purpose = if to == 0 { "dpop" } else { "jti" };
            said(store.remember(&here, purpose, &digest(which), at(now + 30), moment).await)
        }
        20 => said(store.change_directory(vec![change(here, of, to, which)], (to == 1).then_some(which)).await),
        21 => {
            let name = store.user_by_username(&here, &format!("NAME-{which}")).await;
            said(name) + &said(store.user(&here, &user).await) + &said(store.users(&here).await)
        }
        22 => said(store.directory().await.map(|records| format!("{records:?}"))),
        23 => {
            // So coarse that two times are the same or no longer count as one use.
            store.note_use(&here, &app, &format!("key-{}", which % 2), at(now - now % 100));
            said(store.record(vec![]).await) + &said(store.last_uses(&here, &app).await)
        }
        24 => said(store.open_device(&here, Device { expires: at(now + 60), ..device(which) }, moment).await),
        25 => {
            let word = (to > 0).then(|| allowed(which, of));
            let found = store.device(&here, device(which).user_code, moment).await;
            said(found) + &said(store.answer_device(&here, code_id(which), word, moment).await)
        }
        27 => {
            let at_index = StatusIndex { list: to, index: u32::try_from(which * 3 + of).unwrap_or(0) };
            let issued = token(which, (of > 0).then_some(which + 10 * of), to);
            let disabled: &[ClientId] = if of == 1 { &[app] } else { &[] };
            said(store.assign_status(&here, at_index, &issued, at(10_000_000)).await)
                + &said(store.invalid_statuses(&here, to, disabled).await)
        }
        28 => {
            let mut space = Workspace { version: to + 1, sharing: which > 3, ..workspace(which % 3, of) };
            if to > 0 {
                space.members.insert(subject((of + 1) % 3), if which > 2 { Right::Use } else { Right::View });
            }
            said(store.keep_workspace(&here, space).await) + &said(store.workspaces(&here, &user).await)
        }
        29 => {
            let put = Item { version: to + 1, ..item(which % 2, of, &format!("by {position}")) };
            said(store.keep_item(&here, workspace_id(of), put).await)
                + &said(store.items(&here, workspace_id(of)).await)
        }
        30 => {
            said(store.drop_item(&here, workspace_id(of), item_id(which % 2), to + 1).await)
                + &said(store.item(&here, workspace_id(of), item_id(which % 2)).await)
        }
        31 => said(store.drop_workspace(&here, workspace_id(of)).await) + &said(store.workspaces(&here, &user).await),
        26 => said(store.poll_device(&here, code_id(which), moment).await),
        _ if to == 0 => said(
            store
                .record(vec![event(here, u64::from(now) * 256 + verb)])
                .await
                .map_err(|_| StoreError::Taken(String::new())),
        ),
        _ if to == 1 => said(store.events(&here, Some(event_id(which * 1_000)), 5).await),
        // How many are dropped is a matter of when a backend looks; what is left is not.
        _ => {
            said(store.expire(moment, EVERY_EVENT, u32::MAX).await.map(|_| ()))
                + &said(store.grant(&here, grant_id(which)).await)
        }
    }
}

fn change(here: TenantName, of: u64, to: u64, which: u64) -> Change {
    match which + 6 * (of % 2) {
        0 => Change::PutTenant(Tenant::new(here)),
        1 => Change::PutApi(api(here, &format!("api-{to}"))),
        2 => Change::PutClient(declared_client(here, to)),
        3..6 => Change::PutUser(user(here, of, &format!("Name-{to}"))),
        6 => Change::DeleteTenant(here),
        7 => Change::DeleteApi(here.clone(), api(here, &format!("api-{to}")).audience),
        8 => Change::DeleteClient(here, client(to)),
        9 => Change::DeleteUser(here, subject(of)),
        10 => Change::DeletePolicy(here, "p".to_owned()),
        _ => Change::PutUser(user(here, to, &format!("name-{of}"))),
    }
}

/// Errors are alike when they are of the same kind.
fn said<T: Debug>(outcome: Result<T>) -> String {
    match outcome {
        Ok(value) => format!("{value:?}\n"),
        Err(StoreError::Busy(_)) => "busy\n".to_owned(),
        Err(StoreError::Taken(_)) => "taken\n".to_owned(),
        Err(StoreError::Broken(_)) => "broken\n".to_owned(),
        Err(conflict @ StoreError::Conflict { .. }) => format!("{conflict}\n"),
    }
}
