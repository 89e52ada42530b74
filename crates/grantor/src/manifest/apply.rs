//! Carrying a manifest out: one change of the directory, or none.

use super::Manifest;
use super::check::check;
use super::keeper::Safe;
use super::plan::{Kind, Plan, Step, What, pruned_tenants};
use super::read::read;
use super::world::{Held, World};
use crate::document::{Format, Problems, Source};
use crate::failure::{Failure, Result};
use crate::fresh;
use crate::revocation;
use grantor_protocol::audit::{Action, Event, Outcome};
use grantor_protocol::client::Client;
use grantor_protocol::value::{ClientId, Secret, TenantName, UnixTime};
use grantor_store::{Change, GrantsOf, Store, StoreError};
use std::sync::Arc;

/// What was done, or would be.
#[derive(Debug)]
pub(crate) struct Applied {
    /// Each record and what happens to it.
    pub(crate) steps: Vec<Step>,
    /// Secrets that were made, to be shown once.
    pub(crate) generated: Vec<(TenantName, ClientId, Secret)>,
    /// What looks wrong.
    pub(crate) warnings: Problems,
}

impl Applied {
    /// The members that changed, of a manifest with one record.
    pub(crate) fn fields(&self) -> &[String] {
        match self.steps.first().map(|step| &step.what) {
            Some(What::Changed(fields)) => fields,
            _ => &[],
        }
    }
}

/// How to apply.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct How {
    /// Only say what would be done.
    pub(crate) dry_run: bool,
    /// What the tenants of the manifest have beyond it goes.
    pub(crate) prune: bool,
}

/// Reads, checks, compares and carries out. A wrong manifest is refused as a whole.
pub(crate) async fn apply(
    store: &dyn Store,
    source: &Arc<Source>,
    format: Format,
    how: How,
    safe: Safe<'_>,
    now: UnixTime,
) -> Result<Applied> {
    let mut again = true;
    loop {
        let mut problems = Problems::default();
        let manifest = read(source, format, &mut problems).unwrap_or_default();
        let held = Held::load(store, &manifest).await?;
        let kept = if how.prune { without_pruned(&held, &manifest) } else { held.clone() };
        check(&World { manifest: &manifest, held: &kept }, &mut problems);
        match problems.errors() {
            0 => {}
            1 => return Err(Failure::refused(format!("{} has a problem; nothing was changed", source.name), problems)),
            count => {
                return Err(Failure::refused(
                    format!("{} has {count} problems; nothing was changed", source.name),
                    problems,
                ));
            }
        }
        let master = safe.open_for(&manifest, &held, how.dry_run)?;
        let plan = Plan::new(&manifest, &held, how.prune, master.as_ref(), now)?;
        let warnings = problems.sorted();
        if !how.dry_run {
            match execute(store, plan.changes, Some(held.records.version), &plan.steps, now).await {
                Err(StoreError::Conflict { .. }) if again => {
                    again = false;
                    continue;
                }
                done => done?,
            }
        }
        return Ok(Applied { steps: plan.steps, generated: plan.generated, warnings });
    }
}

/// Changes the directory, takes back what those who go had, and writes it all into the audit log.
pub(crate) async fn execute(
    store: &dyn Store,
    changes: Vec<Change>,
    expected: Option<u64>,
    steps: &[Step],
    now: UnixTime,
) -> grantor_store::Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    // Whoever is signed in may be so with a password that is not his any more: a user who is put loses his sessions.
    let follows =
        |change: &&Change| matches!(change, Change::DeleteClient(..) | Change::DeleteUser(..) | Change::PutUser(_));
    let gone: Vec<Change> = changes.iter().filter(follows).cloned().collect();
    store.change_directory(changes, expected).await?;
    for change in &gone {
        match change {
            Change::DeleteClient(tenant, client) => {
                revocation::revoke_all(store, tenant, GrantsOf::Client(client), now).await?;
            }
            Change::DeleteUser(tenant, subject) => {
                store.close_sessions(tenant, subject).await?;
                revocation::revoke_all(store, tenant, GrantsOf::Subject(subject), now).await?;
            }
            Change::PutUser(user) => store.close_sessions(&user.tenant, &user.sub).await?,
            _ => {}
        }
    }
    let events =
        steps.iter().filter(|step| step.what != What::Unchanged).filter_map(|step| step.event(now)).collect::<Vec<_>>();
    if events.is_empty() { Ok(()) } else { store.record(events).await }
}

impl Step {
    /// For the audit log.
    fn event(&self, now: UnixTime) -> Option<Event> {
        let mut details = serde_json::Map::new();
        details.insert("change".to_owned(), self.what.as_str().into());
        details.insert("record".to_owned(), self.kind.as_str().into());
        if let What::Changed(fields) = &self.what {
            details.insert("fields".to_owned(), fields.clone().into());
        }
        Some(Event {
            id: fresh::event_id().ok()?,
            time: now,
            tenant: self.tenant.clone(),
            action: Action::Configuration,
            outcome: Outcome::Allowed,
            actor: Some("cli".to_owned()),
            target: Some(self.name.clone()),
            address: None,
            request_id: None,
            details,
        })
    }
}

/// What is held, without what pruning will take away: nothing may refer to that.
fn without_pruned(held: &Held, manifest: &Manifest) -> Held {
    let tenants = pruned_tenants(manifest);
    let mut kept = held.clone();
    kept.records.apis.retain(|api| !tenants.contains(&api.tenant));
    // Clients that registered themselves are not pruned: no manifest names them.
    let stays = |client: &Client| !tenants.contains(&client.metadata.tenant) || !client.metadata.origin.is_declared();
    kept.records.clients.retain(stays);
    kept.records.policies.retain(|policy| !tenants.contains(&policy.tenant));
    kept
}

impl Kind {
    /// The section of a manifest that holds it.
    pub(crate) const fn section(self) -> &'static str {
        match self {
            Self::Tenant => "tenants",
            Self::Api => "apis",
            Self::Client => "clients",
            Self::User => "users",
            Self::Policy => "policies",
        }
    }
}
