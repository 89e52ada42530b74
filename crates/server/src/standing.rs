//! How the access tokens that were presented stand, for a moment from memory: opened and verified once, looked up in the
//! store twice a second at the most (docs/adr/0015).
//!
//! An answer is used again for [`REUSED_FOR`], counted from before the store was asked. So what another node or the command
//! line took back is worth nothing within that time. And it is never used again once something of its kind was taken back
//! through this node after the store was asked: what was taken back here is worth nothing at once.

mod revocations;
#[cfg(test)]
mod tests;
mod watched;
mod weight;

use crate::keyring::TenantKeys;
use grantor_jose::names::{Name, Names};
use grantor_protocol::directory::User;
use grantor_protocol::grant::{Delegation, Grant, OwnedGrant, Standing, TokenRef};
use grantor_protocol::token::AccessToken;
use grantor_protocol::userinfo;
use grantor_protocol::value::TenantName;
use grantor_store::{Store, StoreError};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
pub(crate) use revocations::Revocations;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;
pub(crate) use watched::WatchedStore;

/// For how long what the store said of a token is good, from the moment before it was asked.
pub(crate) const REUSED_FOR: Duration = Duration::from_millis(500);

/// What is kept at the most, in bytes.
const MEMORY: u64 = 6 * 1024 * 1024;
/// What a usual token weighs, with what is shown of its user: the table is laid out for as many as fit.
const USUAL: u64 = 2 * 1024;

/// The tokens that were presented lately.
pub(crate) struct Standings {
    names: Names,
    tokens: Cache<Name, Kept, Weights>,
    revocations: Arc<Revocations>,
}

/// An access token that was opened or verified, and what was last said of it. Its time is looked at with each use.
pub(crate) struct Known {
    pub(crate) token: AccessToken,
    reference: TokenRef,
    /// Of its text.
    name: Name,
    /// Bytes without what was said.
    own_weight: usize,
    /// Bytes with what was said last.
    weight: AtomicU64,
    /// Under which it was opened: with others it must be opened anew.
    keys: Weak<TenantKeys>,
    said: Mutex<Option<Said>>,
    /// The claims as they are shown, once somebody has asked.
    written: OnceLock<Box<str>>,
    /// Held by the one who asks the store, while others wait for what he learns.
    asking: tokio::sync::Mutex<()>,
}

/// What the store said, and when it was asked.
struct Said {
    stands: Stands,
    asked: Asked,
}

/// The moment before the store was asked.
#[derive(Clone, Copy)]
struct Asked {
    at: Duration,
    /// What had been taken back by then.
    stamp: u64,
}

/// How a token stands.
#[derive(Clone)]
pub(crate) enum Stands {
    /// It is good, and an application's own.
    ForItself,
    /// It is good, and came of this grant.
    ForUser(Arc<Behind>),
    /// It was taken back, or its grant, or its user is gone or disabled.
    Revoked,
}

/// What stands behind the token of a user, as far as somebody is shown it: grant and user themselves would be most of what
/// is kept.
pub(crate) struct Behind {
    pub(crate) username: Box<str>,
    /// Whether it was derived from a token that somebody shared.
    pub(crate) is_derived: bool,
    /// What userinfo says with this token, where it says anything (OpenID Connect Core 5.3.2).
    pub(crate) userinfo: Option<Box<str>>,
}

/// A token as it lies in the table, which wants to be told when its weight changes.
#[derive(Clone)]
struct Kept {
    known: Arc<Known>,
    weight: u64,
}

#[derive(Clone)]
struct Weights;

impl Weighter<Name, Kept> for Weights {
    fn weight(&self, _: &Name, kept: &Kept) -> u64 {
        kept.weight
    }
}

impl Standings {
    /// Nothing known yet; `revocations` are those of the store that will be asked, `key` is drawn for this process.
    pub(crate) fn new(revocations: Arc<Revocations>, key: &[u8; 32]) -> Self {
        let items = usize::try_from(MEMORY / USUAL).unwrap_or(usize::MAX);
        Self { names: Names::new(key), tokens: Cache::with_weighter(items, MEMORY, Weights), revocations }
    }

    /// The token behind a text: from memory when it was opened before under these keys, else as `open` gives it.
    pub(crate) fn opened<E>(
        &self,
        text: &str,
        keys: &Arc<TenantKeys>,
        open: impl FnOnce() -> Result<AccessToken, E>,
    ) -> Result<Arc<Known>, E> {
        let name = self.names.of(text);
        if let Some(kept) = self.tokens.get(&name)
            && kept.known.keys.as_ptr() == Arc::as_ptr(keys)
        {
            return Ok(kept.known);
        }
        let known = Arc::new(Known::new(open()?, name, Arc::downgrade(keys)));
        self.tokens.insert(name, Kept::of(&known));
        Ok(known)
    }

    /// How a token stands at `clock`, which never goes back. The store is asked when nothing that it said is good any
    /// more; of many who want to know at once, one asks.
    pub(crate) async fn of(
        &self,
        known: &Arc<Known>,
        store: &dyn Store,
        tenant: &TenantName,
        clock: impl Fn() -> Duration,
    ) -> Result<Stands, StoreError> {
        match self.said(known, clock()) {
            Some(stands) => Ok(stands),
            // Boxed, because it is large and seldom.
            None => Box::pin(self.asked_now(known, store, tenant, clock)).await,
        }
    }

    async fn asked_now(
        &self,
        known: &Arc<Known>,
        store: &dyn Store,
        tenant: &TenantName,
        clock: impl Fn() -> Duration,
    ) -> Result<Stands, StoreError> {
        let turn = if let Ok(turn) = known.asking.try_lock() {
            Some(turn)
        } else {
            // Whoever asks now may fail: then everybody asks for himself, and nobody waits in a long line.
            drop(known.asking.lock().await);
            if let Some(stands) = self.said(known, clock()) {
                return Ok(stands);
            }
            None
        };
        let asked = self.asked(known, clock());
        let stands = ask(store, tenant, known).await?;
        known.keep(asked, &stands);
        self.weigh(known, &stands);
        drop(turn);
        Ok(stands)
    }

    /// The moment before the store is asked: what is taken back from now on makes the answer worthless for later.
    fn asked(&self, known: &Known, at: Duration) -> Asked {
        Asked { at, stamp: self.revocations.stamp(&known.reference) }
    }

    /// Tells the table what a token weighs now, if it is in it, and only when that has changed.
    fn weigh(&self, known: &Arc<Known>, stands: &Stands) {
        let weight = bytes(known.own_weight.saturating_add(weight::of_said(stands)));
        if known.weight.swap(weight, Ordering::Relaxed) != weight {
            // One that went meanwhile weighs nothing.
            let _ = self.tokens.replace(known.name, Kept::of(known), true);
        }
    }

    /// What was said, if it is still good.
    fn said(&self, known: &Known, now: Duration) -> Option<Stands> {
        let said = known.lock();
        let said = said.as_ref()?;
        let young = now.checked_sub(said.asked.at).is_some_and(|age| age < REUSED_FOR);
        (young && said.asked.stamp == self.revocations.stamp(&known.reference)).then(|| said.stands.clone())
    }
}

impl Kept {
    fn of(known: &Arc<Known>) -> Self {
        Self { known: Arc::clone(known), weight: known.weight.load(Ordering::Relaxed) }
    }
}

impl Behind {
    fn of(token: &AccessToken, grant: &Grant, user: User) -> Self {
        let opens = userinfo::admit(token, &token.issuer).is_ok();
        let shown = opens.then(|| userinfo::claims(token, &user.claims.to_map(), &grant.terms.claims));
        let userinfo = shown.and_then(|claims| serde_json::to_string(&claims).ok()).map(String::into_boxed_str);
        let is_derived = grant.terms.delegation.is_some();
        Self { username: user.username.into_boxed_str(), is_derived, userinfo }
    }
}

impl Known {
    fn new(token: AccessToken, name: Name, keys: Weak<TenantKeys>) -> Self {
        let reference = TokenRef { token: token.id, grant: token.grant, client: token.client.clone() };
        let own_weight = weight::of_token(&token);
        let weight = AtomicU64::new(bytes(own_weight));
        let (said, written, asking) = (Mutex::default(), OnceLock::new(), tokio::sync::Mutex::default());
        Self { token, reference, name, own_weight, weight, keys, said, written, asking }
    }

    /// The claims of the token as they are written.
    pub(crate) fn written(&self) -> &str {
        self.written.get_or_init(|| serde_json::to_string(&self.token.written()).unwrap_or_default().into())
    }

    fn keep(&self, asked: Asked, stands: &Stands) {
        *self.lock() = Some(Said { stands: stands.clone(), asked });
    }

    fn lock(&self) -> MutexGuard<'_, Option<Said>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bytes(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

async fn ask(store: &dyn Store, tenant: &TenantName, known: &Known) -> Result<Stands, StoreError> {
    let OwnedGrant { grant, owner } = match store.standing(tenant, &known.reference).await? {
        Standing::Good(None) => return Ok(Stands::ForItself),
        Standing::Good(Some(owned)) => *owned,
        Standing::Revoked => return Ok(Stands::Revoked),
    };
    if !delegation_stands(store, tenant, &grant).await? {
        return Ok(Stands::Revoked);
    }
    Ok(match owner.filter(|user| !user.disabled) {
        Some(user) => Stands::ForUser(Arc::new(Behind::of(&known.token, &grant, user))),
        None => Stands::Revoked,
    })
}

/// Whether what a grant hangs on still stands: the grant that it was made of, and he who acts with it. One that hangs on
/// nothing always does.
pub(crate) async fn delegation_stands(
    store: &dyn Store,
    tenant: &TenantName,
    grant: &Grant,
) -> Result<bool, StoreError> {
    let Some(Delegation { source, actor }) = &grant.terms.delegation else { return Ok(true) };
    let source_stands = store.grant(tenant, *source).await?.is_some_and(|source| source.revoked.is_none());
    Ok(source_stands && store.user(tenant, actor).await?.is_some_and(|actor| !actor.disabled))
}
