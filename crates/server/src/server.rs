//! A server: made once, run on as many listeners as there are.

use crate::context::{Context, StartError};
use crate::keyring::MasterKey;
use crate::settings::{Settings, TlsFiles};
use crate::tls::Transport;
use crate::world::World;
use crate::{listen, router};
use grantor_store::{Store, StoreError};
use std::future::Future;
use std::sync::Arc;
use tokio::net::TcpListener;

/// A server, ready to accept connections.
#[derive(Clone)]
pub struct Server(pub(crate) Arc<Context>);

impl Server {
    /// Makes the default tenant and all missing keys, reads the directory, and follows it from now on.
    pub async fn new(
        store: Arc<dyn Store>,
        master: MasterKey,
        settings: Settings,
        world: Arc<dyn World>,
    ) -> Result<Self, StartError> {
        Context::new(store, master, settings, world).await.map(Self)
    }

    /// Serves a listener until `shutdown`, then for [`Settings::drain`](crate::Settings) as not ready, then lets the
    /// requests in flight end. No client is asked for a certificate here.
    pub async fn run(
        &self,
        listener: TcpListener,
        tls: Option<TlsFiles>,
        shutdown: impl Future<Output = ()> + Send,
    ) -> std::io::Result<()> {
        self.serve(listener, Transport::of(tls, &self.0.settings)?, shutdown).await
    }

    /// The same with mutual TLS (RFC 8705): clients are asked for a certificate, and those that have none are served
    /// too. A listener of its own, so that no browser asks its user for one.
    pub async fn run_mtls(
        &self,
        listener: TcpListener,
        tls: TlsFiles,
        shutdown: impl Future<Output = ()> + Send,
    ) -> std::io::Result<()> {
        self.serve(listener, Transport::mutual(tls, &self.0.settings)?, shutdown).await
    }

    /// Serves figures at `/metrics`, and health, until `shutdown`. Nobody else should reach this listener.
    pub async fn run_operations(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send,
    ) -> std::io::Result<()> {
        listen::serve_operations(listener, &self.0, shutdown).await
    }

    /// How many keys were made when the server was.
    pub fn keys_made_at_start(&self) -> usize {
        self.0.feed.made_at_start.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Whether requests should be sent here: the store answers, the directory is current, and nobody said that the
    /// server ends.
    pub fn is_ready(&self) -> bool {
        self.0.operations.health.objection().is_none()
    }

    /// Writes what was noted beside the answers, and waits until the store has it. To be called once no request is in
    /// flight any more, while the store can still work.
    ///
    /// Fails when the store did not take it in time: it is lost when the process ends.
    pub async fn finish(&self) -> Result<(), StoreError> {
        self.0.tally.end();
        self.0.store.record(vec![]).await
    }

    async fn serve(
        &self,
        listener: TcpListener,
        transport: Transport,
        shutdown: impl Future<Output = ()> + Send,
    ) -> std::io::Result<()> {
        listen::serve(router::service(Arc::clone(&self.0)), listener, transport, &self.0, shutdown).await
    }
}
