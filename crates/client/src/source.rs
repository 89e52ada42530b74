//! A source of good access tokens: renewed before they end, once at a time, in this process and among all of them.

use crate::ask::Ask;
use crate::client::Client;
use crate::dpop::{DPOP, wants_nonce};
use crate::error::{Error, Result};
use crate::grant::Grant;
use crate::http::{cause, without_query};
use crate::provider::is_secure;
use crate::random;
use crate::store::{MemoryStore, Name, StoreError, TokenStore};
use grantor_protocol::value::{Seconds, Secret};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::Mutex;

/// So long before its end is a token renewed, unless half of its life is less.
pub const MARGIN: Seconds = Seconds::new(60);

/// Hands out a good access token. Cheap to clone: clones share the token, and one of them renews it for all.
#[derive(Clone, Debug)]
pub struct TokenSource(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    client: Client,
    renewal: Renewal,
    store: Arc<dyn TokenStore>,
    name: Name,
    margin: Seconds,
    held: RwLock<Option<Arc<Grant>>>,
    /// Held by the one who renews.
    renewing: Mutex<()>,
}

#[derive(Clone, Debug)]
enum Renewal {
    /// By the refresh token, or not at all: only a user can begin anew.
    Refresh,
    /// By asking again.
    ClientCredentials(Ask),
}

impl TokenSource {
    /// For a program that acts for itself (RFC 6749 4.4). Its tokens are kept as long as the process lives.
    pub fn client_credentials(client: Client, ask: Ask) -> Self {
        Self::new(client, Renewal::ClientCredentials(ask), Arc::new(MemoryStore::default()), Name::only())
    }

    /// The same with a store, so that the next run of the program finds a token that is still good.
    pub fn stored_client_credentials(client: Client, ask: Ask, store: Arc<dyn TokenStore>, name: Name) -> Self {
        Self::new(client, Renewal::ClientCredentials(ask), store, name)
    }

    /// For what a user allowed: the grant that was [kept](Self::keep) under this name, by this process or another.
    pub fn stored(client: Client, store: Arc<dyn TokenStore>, name: Name) -> Self {
        Self::new(client, Renewal::Refresh, store, name)
    }

    /// For what a user allowed, kept as long as the process lives.
    pub async fn of(client: Client, grant: Grant) -> Result<Self> {
        let source = Self::stored(client, Arc::new(MemoryStore::default()), Name::only());
        source.keep(grant).await?;
        Ok(source)
    }

    fn new(client: Client, renewal: Renewal, store: Arc<dyn TokenStore>, name: Name) -> Self {
        let (held, renewing) = (RwLock::default(), Mutex::default());
        Self(Arc::new(Inner { client, renewal, store, name, margin: MARGIN, held, renewing }))
    }

    /// The same with another margin. One that is longer than every token's life renews at half of it.
    #[must_use]
    pub fn with_margin(self, margin: Seconds) -> Self {
        let Inner { client, renewal, store, name, .. } = &*self.0;
        let (held, renewing) = (RwLock::default(), Mutex::default());
        let (client, renewal, store, name) = (client.clone(), renewal.clone(), Arc::clone(store), name.clone());
        Self(Arc::new(Inner { client, renewal, store, name, margin, held, renewing }))
    }

    /// A good access token. Send it to the APIs that it is for and to nobody else; [`Self::send`] does that.
    ///
    /// # Errors
    ///
    /// [`Error::SignInAgain`] when only the user can help.
    pub async fn token(&self) -> Result<Secret> {
        Ok(self.grant().await?.tokens.access_token.clone())
    }

    pub(crate) fn client(&self) -> &Client {
        &self.0.client
    }

    /// The whole grant, its access token good.
    pub async fn grant(&self) -> Result<Arc<Grant>> {
        match self.0.fresh() {
            Some(grant) => Ok(grant),
            None => self.renewed(None).await,
        }
    }

    /// A new access token although the old one seems good: an API refused it.
    pub async fn renew(&self) -> Result<Arc<Grant>> {
        self.renewed(self.0.held()).await
    }

    /// Whether what a user allows can be kept, to be asked before he does.
    pub async fn prepare(&self) -> Result<()> {
        let inner = Arc::clone(&self.0);
        blocking(move || inner.store.prepare()).await
    }

    /// Keeps what a user has just allowed, in the place of what was there.
    pub async fn keep(&self, grant: Grant) -> Result<()> {
        let inner = Arc::clone(&self.0);
        blocking(move || {
            let _lock = inner.store.lock(&inner.name)?;
            inner.store.save(&inner.name, &grant)?;
            inner.hold(Some(Arc::new(grant)));
            Ok(())
        })
        .await
    }

    /// What is kept, good or not, without asking anybody.
    pub async fn kept(&self) -> Result<Option<Grant>> {
        let inner = Arc::clone(&self.0);
        blocking(move || inner.store.load(&inner.name)).await
    }

    /// Revokes the grant (RFC 7009), and forgets it in any case. Whether there was one.
    ///
    /// # Errors
    ///
    /// When the server did not take it back: it is forgotten here, and lives there until it ends.
    pub async fn sign_out(&self) -> Result<bool> {
        let inner = Arc::clone(&self.0);
        let found = blocking(move || {
            let _lock = inner.store.lock(&inner.name)?;
            let found = inner.store.load(&inner.name);
            inner.store.remove(&inner.name)?;
            inner.hold(None);
            found
        });
        let Some(grant) = found.await? else { return Ok(false) };
        self.0.client.for_grant(&grant).revoke(&grant).await.map(|()| true)
    }

    /// Sends a request to an API with the token, as Bearer or with a proof of its key, and once more when the API wants a
    /// nonce in the proof (RFC 9449 9). What the request says of `Authorization` and `DPoP` is replaced.
    ///
    /// # Errors
    ///
    /// When the address is not https (http on loopback only): everybody on the way could take the token (RFC 6750 5.3).
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Result<reqwest::Response> {
        let (client, request) = request.build_split();
        let request = request.map_err(|error| Error::Setup(format!("the request cannot be made: {error}")))?;
        let grant = self.grant().await?;
        let again = request.try_clone();
        let response = send(&client, request, &grant).await?;
        let wanted = response.status() == 401 && wants_nonce(response.headers());
        let learned = grant.dpop.as_ref().is_some_and(|key| key.remember(response.url(), response.headers()));
        match again {
            Some(request) if wanted && learned => {
                let response = send(&client, request, &grant).await?;
                if let Some(key) = &grant.dpop {
                    key.remember(response.url(), response.headers());
                }
                Ok(response)
            }
            _ => Ok(response),
        }
    }

    /// In a task of its own: whoever waits may be dropped, and what the server has exchanged by then must be kept.
    async fn renewed(&self, refused: Option<Arc<Grant>>) -> Result<Arc<Grant>> {
        let inner = Arc::clone(&self.0);
        let ended = tokio::spawn(async move { inner.renew(refused).await }).await;
        ended.unwrap_or_else(|_| Err(Error::SignInAgain("the renewal was broken off".to_owned())))
    }
}

async fn send(client: &reqwest::Client, mut request: reqwest::Request, grant: &Grant) -> Result<reqwest::Response> {
    let url = request.url().clone();
    if !is_secure(&url) {
        let shown = without_query(&url);
        return Err(Error::Setup(format!(
            "a token is not sent to {shown}: everybody on the way could take it (https only, http on loopback)"
        )));
    }
    let token = &grant.tokens.access_token;
    let scheme = grant.tokens.token_type.as_str();
    let mut value = HeaderValue::from_str(&format!("{scheme} {}", token.expose()))
        .map_err(|_| Error::Setup("the access token cannot be sent in a header".to_owned()))?;
    value.set_sensitive(true);
    let proof = grant.dpop.as_ref().map(|key| key.header(request.method().as_str(), &url, Some(token))).transpose()?;
    let headers = request.headers_mut();
    headers.remove(DPOP);
    headers.insert(AUTHORIZATION, value);
    if let Some(proof) = proof {
        headers.insert(DPOP, proof);
    }
    let sent = client.execute(request).await;
    sent.map_err(|error| Error::Transport { url: without_query(&url), why: cause(&error.without_url()) })
}

impl Inner {
    fn held(&self) -> Option<Arc<Grant>> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn hold(&self, grant: Option<Arc<Grant>>) {
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = grant;
    }

    fn fresh(&self) -> Option<Arc<Grant>> {
        self.held().filter(|grant| self.is_fresh(grant))
    }

    fn is_fresh(&self, grant: &Grant) -> bool {
        grant.tokens.is_fresh(random::now(), self.margin)
    }

    /// Of an issuer, and for a client, that was changed since, nothing is used.
    fn is_own(&self, grant: &Grant) -> bool {
        grant.issuer == self.client.provider().issuer().as_str() && grant.client == *self.client.id()
    }

    /// One at a time here, and one at a time among all processes. Whoever had to wait looks first whether it is done.
    async fn renew(self: Arc<Self>, refused: Option<Arc<Grant>>) -> Result<Arc<Grant>> {
        let _one = self.renewing.lock().await;
        let other = |grant: &Grant| {
            let same = |old: &Arc<Grant>| old.tokens.access_token.matches(&grant.tokens.access_token);
            !refused.as_ref().is_some_and(same)
        };
        if let Some(grant) = self.fresh().filter(|grant| other(grant)) {
            return Ok(grant);
        }
        let inner = Arc::clone(&self);
        let (lock, kept) = blocking(move || {
            // The store is read after the lock is taken: the one who had it may have renewed.
            let lock = inner.store.lock(&inner.name)?;
            inner.store.load(&inner.name).map(|kept| (lock, kept))
        })
        .await?;
        let kept = kept.filter(|kept| self.is_own(kept));
        let grant = match kept {
            Some(kept) if self.is_fresh(&kept) && other(&kept) => Arc::new(kept),
            kept => self.obtain(kept, refused.is_some()).await?,
        };
        self.hold(Some(Arc::clone(&grant)));
        drop(lock);
        Ok(grant)
    }

    /// From the server, and into the store before anybody uses it.
    async fn obtain(self: &Arc<Self>, kept: Option<Grant>, refused: bool) -> Result<Arc<Grant>> {
        let obtained = match (&self.renewal, &kept) {
            (Renewal::ClientCredentials(ask), _) => self.client.client_credentials(ask).await,
            (Renewal::Refresh, Some(kept)) => self.client.for_grant(kept).refresh(kept).await,
            (Renewal::Refresh, None) => Err(Error::SignInAgain("nobody is signed in".to_owned())),
        };
        let inner = Arc::clone(self);
        match (obtained, kept) {
            (Ok(grant), _) => {
                let grant = Arc::new(grant);
                // Held before it is kept: when that fails, this process at least goes on with it.
                self.hold(Some(Arc::clone(&grant)));
                let kept = Arc::clone(&grant);
                blocking(move || inner.store.save(&inner.name, &kept)).await?;
                Ok(grant)
            }
            (Err(gone @ Error::SignInAgain(_)), _) => {
                self.hold(None);
                blocking(move || inner.store.remove(&inner.name)).await?;
                Err(gone)
            }
            // The margin is there for this: the server may be back before the token ends.
            (Err(error @ (Error::Transport { .. } | Error::Answer { .. })), Some(kept))
                if !refused && kept.tokens.is_fresh(random::now(), Seconds::new(0)) =>
            {
                tracing::warn!(%error, "the token could not be renewed and is used to its end");
                Ok(Arc::new(kept))
            }
            (Err(error), _) => Err(error),
        }
    }
}

/// Files and keyrings may take their time.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, StoreError> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Error::Setup("the token store broke off".to_owned()))?.map_err(Error::Store)
}
