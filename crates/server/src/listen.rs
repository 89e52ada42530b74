//! Accepting connections: bounded in number, in time for a handshake and for a header, ended gracefully.

use crate::client_certificate::PeerChain;
use crate::context::Context;
use crate::guests::Guests;
use crate::router::Service;
use crate::tls::{ClientRoots, Transport};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A peer that has not finished its TLS handshake by then is gone.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// A peer that has not sent a whole header by then is gone, and so is a connection that is idle for so long.
const HEADER: Duration = Duration::from_secs(30);
/// Requests in flight have this long to end.
const DRAIN: Duration = Duration::from_secs(20);
/// A header is not larger.
const MAX_HEADER: usize = 64 * 1024;

/// Serves until `shutdown`.
pub(crate) async fn serve(
    service: Service,
    listener: TcpListener,
    transport: Transport,
    context: &Arc<Context>,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let settings = &context.settings;
    let places = Arc::new(Semaphore::new(settings.max_connections));
    let guests = Guests::new(settings.max_connections / 10);
    let graceful = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place.map_err(io::Error::other)?,
            () = &mut shutdown => break,
        };
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, or a peer that went at once: both pass.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = &mut shutdown => break,
        };
        let address = peer.ip().to_canonical();
        let trusted = settings.trusted_proxies.iter().any(|net| net.contains(&address));
        let Some(guest) = guests.admit(address, trusted) else {
            tracing::debug!(%address, "too many connections of one address");
            continue;
        };
        let _ = stream.set_nodelay(true);
        let visit = Visit { service: service.clone(), address, chain: None, watcher: graceful.watcher() };
        let (transport, context) = (transport.clone(), Arc::clone(context));
        tokio::spawn(async move {
            match transport {
                Transport::Plain => visit.serve(stream, Protocol::Http1).await,
                Transport::Tls(acceptor) => {
                    if let Some(stream) = handshake(&acceptor, stream).await {
                        let protocol = Protocol::of(&stream);
                        visit.serve(stream, protocol).await;
                    }
                }
                Transport::MutualTls(acceptor, roots) => {
                    if let Some(stream) = handshake(&acceptor, stream).await {
                        let (protocol, chain) = (Protocol::of(&stream), chain(&stream, roots, &context));
                        Visit { chain: Some(Arc::new(chain)), ..visit }.serve(stream, protocol).await;
                    }
                }
            }
            drop((place, guest));
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time");
    }
    Ok(())
}

async fn handshake(acceptor: &TlsAcceptor, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
    match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => return Some(stream),
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
    None
}

/// What the peer proved to hold the key of, now or in the session that it resumed.
fn chain(stream: &TlsStream<TcpStream>, roots: Arc<ClientRoots>, context: &Context) -> PeerChain {
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    PeerChain::new(chain.to_vec(), roots, Arc::clone(&context.world))
}

/// What a connection speaks: over TLS as ALPN agreed, else HTTP/1.1.
#[derive(Clone, Copy)]
enum Protocol {
    Http1,
    Http2,
}

impl Protocol {
    fn of(stream: &TlsStream<TcpStream>) -> Self {
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") { Self::Http2 } else { Self::Http1 }
    }
}

/// One connection: who is served, and by what.
struct Visit {
    service: Service,
    address: IpAddr,
    /// At the listener for mutual TLS alone.
    chain: Option<Arc<PeerChain>>,
    watcher: Watcher,
}

impl Visit {
    async fn serve<S>(self, stream: S, protocol: Protocol)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { service, address, chain, watcher } = self;
        let handle = service_fn(move |request: hyper::Request<Incoming>| {
            let mut request = request.map(axum::body::Body::new);
            if let Some(chain) = &chain {
                request.extensions_mut().insert(chain.certificate());
            }
            let service = service.clone();
            async move { Ok::<_, Infallible>(service.call(request, address).await) }
        });
        let io = TokioIo::new(stream);
        let ended = match protocol {
            Protocol::Http1 => {
                let mut builder = http1::Builder::new();
                builder.timer(TokioTimer::new()).header_read_timeout(HEADER).max_buf_size(MAX_HEADER);
                watcher.watch(builder.serve_connection(io, handle)).await
            }
            Protocol::Http2 => {
                let mut builder = http2::Builder::new(TokioExecutor::new());
                builder.timer(TokioTimer::new()).keep_alive_interval(HEADER).keep_alive_timeout(HANDSHAKE);
                builder.max_header_list_size(64 * 1024).max_concurrent_streams(100);
                watcher.watch(builder.serve_connection(io, handle)).await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended");
        }
    }
}
