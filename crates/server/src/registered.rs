//! Clients that registered themselves: noting that they are used, and letting go of those that are not.

use crate::context::Context;
use crate::extract::Call;
use crate::tenancy::Tenancy;
use grantor_protocol::client::{AuthenticatedClient, Client};
use grantor_protocol::registration::Origin;
use grantor_protocol::value::{Seconds, TenantName, UnixTime};
use grantor_store::{Change, StoreError};
use std::sync::Arc;

/// So many go in one step at the most.
const STEP: usize = 100;

/// The newest directory of a tenant, and its version.
pub(crate) fn newest(context: &Context, tenant: &TenantName) -> Option<(u64, Arc<Tenancy>)> {
    let snapshot = context.feed.snapshot();
    Some((snapshot.version(), Arc::clone(snapshot.tenant(tenant)?)))
}

/// Notes, beside the answer, that a client that registered itself is in use: so seldom that the directory hardly ever
/// changes for it.
pub(crate) fn note_use(call: &Call, client: &AuthenticatedClient) {
    let (policy, now) = (&call.tenancy.directory.tenant.registration, call.now());
    if client.get().metadata.origin.is_declared() || !policy.is_renewal_due(client.get(), now) {
        return;
    }
    let (context, tenant, id) = (Arc::clone(&call.context), call.tenancy.name().clone(), client.id().clone());
    tokio::spawn(async move {
        let Some((version, tenancy)) = newest(&context, &tenant) else { return };
        let Some(mut client) = tenancy.directory.stored_client(&id) else { return };
        if let Origin::Registered(registered) = &mut client.metadata.origin {
            // Later than it was issued, for one that was never used is told by that.
            registered.used = now.max(client.issued_at.plus(Seconds::new(1)));
        }
        // Whoever changed the directory meanwhile may have changed this client: the next use notes it.
        match context.store.change_directory(vec![Change::PutClient(client)], Some(version)).await {
            Ok(_) | Err(StoreError::Conflict { .. }) => {}
            Err(error) => tracing::warn!(%error, client = %id, "the use of a client could not be noted"),
        }
    });
}

/// The deletions of clients that were not used for too long, a few at a time.
pub(crate) fn unused(tenancy: &Tenancy, now: UnixTime) -> Vec<Change> {
    let directory = &tenancy.directory;
    if directory.registered() == 0 {
        return Vec::new();
    }
    let over = |client: &Client| directory.tenant.registration.is_unused(client, now);
    let ids = directory.registered_clients().filter(over).map(|client| client.metadata.client_id);
    ids.take(STEP).map(|id| Change::DeleteClient(tenancy.name().clone(), id)).collect()
}

impl Context {
    /// Lets go of the clients of all tenants that were not used for too long.
    pub(crate) async fn drop_unused_clients(&self) {
        let (version, changes) = {
            let snapshot = self.feed.snapshot();
            let now = self.now();
            let changes: Vec<Change> = snapshot.tenants().flat_map(|tenancy| unused(tenancy, now)).take(STEP).collect();
            (snapshot.version(), changes)
        };
        if changes.is_empty() {
            return;
        }
        let count = changes.len();
        match self.store.change_directory(changes, Some(version)).await {
            Ok(_) => tracing::info!(count, "let go of registered clients that were not used"),
            // Next time.
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => tracing::warn!(%error, "clients that were not used could not be let go of"),
        }
    }
}
