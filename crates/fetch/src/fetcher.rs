//! The guard.

use crate::client_documents::ClientDocuments;
use crate::document::max_age;
use crate::request_objects::RequestObjects;
use crate::resolver::GuardedResolver;
use crate::target::Target;
use crate::tls::{self, ExtraRoots};
use crate::turns::{Places, Turns};
use crate::{Document, FetchError, SetupError};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::header::{ACCEPT, ACCEPT_ENCODING};
use reqwest::{Client, Response, redirect};
use rustls::ClientConfig;
use rustls_pki_types::CertificateDer;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::time::timeout;

/// What an operator decides about outgoing requests.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Certificates that are trusted besides those of the platform.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Networks that may be connected to although they are not public. Whoever registers a client or sends a request
    /// can make the server ask any host in them.
    pub allowed_networks: Vec<IpNet>,
}

/// Asks for documents whose URL somebody else chose. Cheap to clone; clones share their limits.
#[derive(Clone)]
pub struct Fetcher(Arc<Inner>);

/// A document as it came.
#[derive(Clone)]
pub struct Fetched {
    /// The body, not longer than its kind allows, and otherwise unread.
    pub body: Vec<u8>,
    /// For how long it may be used, when the answer says (`Cache-Control`); zero when it must not be stored.
    pub max_age: Option<Duration>,
}

struct Inner {
    roots: ExtraRoots,
    allowed: Arc<[IpNet]>,
    /// Whether loopback may be asked by plain http.
    loopback_http: bool,
    limits: Limits,
    turns: Turns,
    request_objects: RequestObjects,
    client_documents: ClientDocuments,
    clients: OnceCell<Clients>,
}

/// Two, because a stranger's name server holds a lookup for longer than a request lasts: names of key sets are resolved
/// however many names of request objects hang.
struct Clients {
    keys: Client,
    request_objects: Client,
    /// Keeps its connections: the same endpoint is asked again and again.
    endpoints: Client,
    /// For what comes from a browser.
    relayed: Client,
}

/// What a request may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// From the call to the last byte.
    pub(crate) total: Duration,
    /// Resolving, connecting and the TLS handshake.
    pub(crate) connect: Duration,
    /// How many requests run at once.
    pub(crate) places: Places,
    /// How long one waits for another to end.
    pub(crate) queue: Duration,
    /// For how long what came of fetching a request object is given again.
    pub(crate) remembered: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            total: Duration::from_secs(5),
            connect: Duration::from_secs(3),
            places: Places { keys: 128, request_objects: 16, per_host: 4, request_objects_per_host: 3 },
            queue: Duration::from_secs(1),
            remembered: Duration::from_secs(2),
        }
    }
}

impl Fetcher {
    /// Sets the guard up. Costs nothing until something is asked for, and touches no network.
    ///
    /// # Errors
    ///
    /// When one of the additional roots is not usable.
    pub fn new(settings: Settings) -> Result<Self, SetupError> {
        Self::with_limits(settings, Limits::default())
    }

    /// The same for who develops on one machine: it asks loopback too, by plain http as well.
    ///
    /// # Errors
    ///
    /// When one of the additional roots is not usable.
    pub fn for_loopback(mut settings: Settings) -> Result<Self, SetupError> {
        settings.allowed_networks.extend([IpNet::V4(LOOPBACK_V4), IpNet::V6(LOOPBACK_V6)]);
        Self::set_up(settings, Limits::default(), true)
    }

    pub(crate) fn with_limits(settings: Settings, limits: Limits) -> Result<Self, SetupError> {
        Self::set_up(settings, limits, false)
    }

    fn set_up(settings: Settings, limits: Limits, loopback_http: bool) -> Result<Self, SetupError> {
        let Settings { extra_roots, allowed_networks } = &settings;
        if loopback_http {
            tracing::warn!(
                ?allowed_networks,
                "outgoing requests may go to this machine, by plain http: for development only"
            );
        } else if !extra_roots.is_empty() || !allowed_networks.is_empty() {
            tracing::warn!(
                extra_roots = extra_roots.len(),
                ?allowed_networks,
                "outgoing requests are guarded less than by default: whoever registers a client or sends a request can \
                 make this server ask any host in the allowed networks, and the additional roots are trusted for every host"
            );
        }
        Self::silent(settings, limits, loopback_http)
    }

    fn silent(settings: Settings, limits: Limits, loopback_http: bool) -> Result<Self, SetupError> {
        let Settings { extra_roots, allowed_networks } = settings;
        Ok(Self(Arc::new(Inner {
            roots: ExtraRoots::parse(extra_roots)?,
            allowed: allowed_networks.into(),
            loopback_http,
            limits,
            turns: Turns::new(limits.places),
            request_objects: RequestObjects::new(limits.remembered),
            client_documents: ClientDocuments::new(),
            clients: OnceCell::new(),
        })))
    }

    /// Asks for a document. Answers within 5 seconds, whatever the other end does.
    ///
    /// Key sets and metadata are asked for each time. Of a request object, which anyone can have fetched (RFC 9101 10.4),
    /// one fetch is under way at a time, and all who ask meanwhile or within 2 seconds of its end get what came of it. The
    /// metadata of a client is kept for as long as its `Cache-Control` says, within a minute and an hour.
    ///
    /// # Errors
    ///
    /// See [`FetchError`].
    pub async fn get(&self, url: &str, what: Document) -> Result<Fetched, FetchError> {
        let target = self.target(url)?;
        match what {
            Document::KeySet | Document::Metadata | Document::Answer | Document::StatusList => {
                self.get_target(target, what).await
            }
            Document::RequestObject => self.0.request_objects.of(self.clone(), target).await,
            Document::ClientMetadata => self.0.client_documents.of(self.clone(), target, |_| true).await,
        }
    }

    /// The metadata of a client, as [`Self::get`]; a document that is kept and does not suffice is asked for again, though
    /// not within 30 seconds of the last time, so that one that was put right is soon known.
    ///
    /// # Errors
    ///
    /// See [`FetchError`].
    pub async fn client_metadata(&self, url: &str, suffices: impl Fn(&[u8]) -> bool) -> Result<Fetched, FetchError> {
        let target = self.target(url)?;
        self.0.client_documents.of(self.clone(), target, suffices).await
    }

    /// The URL, when nothing speaks against it before its name is resolved.
    pub(crate) fn target(&self, url: &str) -> Result<Target, FetchError> {
        match Target::parse(url, &self.0.allowed) {
            Err(FetchError::NotHttps) if self.0.loopback_http => Target::on_loopback(url),
            target => target,
        }
    }

    /// Asks for a document, without any cache.
    pub(crate) async fn get_target(&self, target: Target, what: Document) -> Result<Fetched, FetchError> {
        timeout(self.0.limits.total, self.exchange(target, what)).await.unwrap_or(Err(FetchError::TooSlow))
    }

    async fn exchange(&self, target: Target, what: Document) -> Result<Fetched, FetchError> {
        let _turn = self.0.turns.turn(&target, what, self.0.limits.queue).await?;
        let clients = self.built().await?;
        let client = match what {
            Document::KeySet | Document::Metadata | Document::Answer | Document::StatusList => &clients.keys,
            Document::RequestObject | Document::ClientMetadata => &clients.request_objects,
        };
        let request = client
            .get(target.into_url())
            .header(ACCEPT, what.content_types().join(", "))
            .header(ACCEPT_ENCODING, "identity");
        read(request.send().await.map_err(|why| FetchError::of_exchange(&why))?, what).await
    }

    /// What asks an endpoint, and for how long.
    pub(crate) async fn for_endpoints(&self) -> Result<(Client, Duration), FetchError> {
        Ok((self.built().await?.endpoints.clone(), self.0.limits.total))
    }

    /// For the relay alone, which says itself whom it asks: nothing is said aloud. `loopback` allows this machine.
    pub(crate) fn for_relay(mut settings: Settings, loopback: bool, limits: Limits) -> Result<Self, SetupError> {
        if loopback {
            settings.allowed_networks.extend([IpNet::V4(LOOPBACK_V4), IpNet::V6(LOOPBACK_V6)]);
        }
        Self::silent(settings, limits, false)
    }

    /// What passes a browser's requests on, for how long it waits for a place, and for how long for an answer.
    pub(crate) async fn for_relayed(&self) -> Result<(Client, Duration, Duration), FetchError> {
        Ok((self.built().await?.relayed.clone(), self.0.limits.queue, self.0.limits.total))
    }

    /// The networks that may be connected to although they are not public.
    pub(crate) fn allowed(&self) -> &[IpNet] {
        &self.0.allowed
    }

    async fn built(&self) -> Result<&Clients, FetchError> {
        self.0.clients.get_or_try_init(|| self.clients()).await
    }

    async fn clients(&self) -> Result<Clients, FetchError> {
        let inner = Arc::clone(&self.0);
        let built = tokio::task::spawn_blocking(move || inner.build()).await;
        built.unwrap_or_else(|_| Err(FetchError::Transport("the clients could not be built".to_owned())))
    }
}

impl Inner {
    fn build(&self) -> Result<Clients, FetchError> {
        let tls = tls::config(&self.roots).map_err(|why| FetchError::Tls(why.to_string()))?;
        Ok(Clients {
            keys: self.client(tls.clone(), KEY_LOOKUPS, 0)?,
            request_objects: self.client(tls.clone(), self.limits.places.request_objects, 0)?,
            endpoints: self.client(tls.clone(), KEY_LOOKUPS, KEPT_CONNECTIONS)?,
            relayed: self.client(tls, RELAYED_LOOKUPS, 0)?,
        })
    }

    fn client(&self, tls: ClientConfig, lookups: usize, kept: usize) -> Result<Client, FetchError> {
        Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(GuardedResolver::new(Arc::clone(&self.allowed), lookups))
            .http1_only()
            .redirect(redirect::Policy::none())
            .no_proxy()
            // Decoders that another crate of the workspace may switch on.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .referer(false)
            .user_agent("Grantor")
            .connect_timeout(self.limits.connect)
            // None is kept for documents: they are cached instead, and no request reaches a connection that was judged
            // before it.
            .pool_max_idle_per_host(kept)
            .build()
            .map_err(|why| FetchError::of_exchange(&why))
    }
}

/// Reads an answer, no further than the document may be long.
pub(crate) async fn read(mut response: Response, what: Document) -> Result<Fetched, FetchError> {
    let status = response.status();
    if status.is_redirection() {
        return Err(FetchError::Redirected);
    }
    if status != reqwest::StatusCode::OK {
        return Err(FetchError::Status(status.as_u16()));
    }
    if !what.admits(response.headers()) {
        return Err(FetchError::WrongContentType);
    }
    let fits = |length: usize| length <= what.limit();
    if response.content_length().is_some_and(|declared| !usize::try_from(declared).is_ok_and(fits)) {
        return Err(FetchError::TooLarge);
    }
    let max_age = max_age(response.headers());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|why| FetchError::of_exchange(&why))? {
        if !fits(body.len().saturating_add(chunk.len())) {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Fetched { body, max_age })
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetcher").finish_non_exhaustive()
    }
}

/// Without the body: a request object says who wants to sign in.
impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetched").field("length", &self.body.len()).field("max_age", &self.max_age).finish()
    }
}

/// The addresses of this machine (RFC 1122 3.2.1.3, RFC 4291 2.5.3).
const LOOPBACK_V4: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8);
const LOOPBACK_V6: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128);

/// How many idle connections to one endpoint are kept.
const KEPT_CONNECTIONS: usize = 16;

/// How many names of key sets and metadata are resolved at once.
const KEY_LOOKUPS: usize = 32;

/// How many names of relayed requests.
const RELAYED_LOOKUPS: usize = 4;
