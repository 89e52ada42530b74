//! The one-time link of a first start.

use crate::Server;
use crate::tenancy::Tenancy;
use grantor_jose::digest;
use grantor_protocol::token::handle::HandleKind;
use grantor_protocol::value::{Seconds, UnixTime};
use grantor_store::StoreError;
use serde::{Deserialize, Serialize};

/// What the link carries, sealed.
#[derive(Serialize, Deserialize)]
pub(crate) struct SetupToken {
    expires: UnixTime,
    /// Keeps links apart.
    nonce: [u8; 16],
    setup: bool,
}

/// For how long the link works.
const LINK_LIFE: Seconds = Seconds::new(24 * 3600);
/// The purpose under which used links are remembered.
const PURPOSE: &str = "setup";

impl Server {
    /// A link with which the first administrator is set up, when there is none yet. It works once.
    pub async fn setup_link(&self) -> Result<Option<String>, StoreError> {
        let Some(tenancy) = self.0.tenancy(&grantor_protocol::value::TenantName::default()) else { return Ok(None) };
        if self.0.store.users(tenancy.name()).await?.iter().any(|user| user.administrator) {
            return Ok(None);
        }
        let token = SetupToken { expires: self.0.now().plus(LINK_LIFE), nonce: self.0.world.random(), setup: true };
        let content = serde_json::to_vec(&token).unwrap_or_default();
        let sealed = tenancy
            .ready()
            .ok()
            .and_then(|ready| ready.keys.handles.seal(HandleKind::Interaction, self.0.world.random(), &content));
        Ok(sealed.map(|sealed| tenancy.issuer.endpoint(&format!("/setup?token={sealed}"))))
    }
}

impl SetupToken {
    /// Reads a link's token while it is good.
    pub(crate) fn open(tenancy: &Tenancy, sealed: &str, now: UnixTime) -> Option<Self> {
        let content = tenancy.ready().ok()?.keys.handles.open(HandleKind::Interaction, sealed)?;
        let token: Self = serde_json::from_slice(&content).ok()?;
        (token.setup && now < token.expires).then_some(token)
    }

    /// Uses the link up. Only one of any number of tries gets `true`.
    pub(crate) async fn spend(&self, call: &crate::extract::Call) -> Result<bool, StoreError> {
        let (store, tenant) = (&call.context.store, call.tenancy.name());
        store.remember(tenant, PURPOSE, &digest::sha256(&self.nonce), self.expires, call.now()).await
    }
}
