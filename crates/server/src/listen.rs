//! Accepting connections: bounded in number, in time for a handshake and for a header, ended gracefully.

use crate::guests::Guests;
use crate::router::Service;
use crate::settings::{Settings, TlsFiles};
use crate::tls::Certificates;
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
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

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
    tls: Option<TlsFiles>,
    settings: &Settings,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let acceptor = match tls {
        Some(files) => Some(Certificates::load(files)?.acceptor()?),
        None => None,
    };
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
        let peer = peer.ip().to_canonical();
        let trusted = settings.trusted_proxies.iter().any(|net| net.contains(&peer));
        let Some(guest) = guests.admit(peer, trusted) else {
            tracing::debug!(%peer, "too many connections of one address");
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (service, acceptor, watcher) = (service.clone(), acceptor.clone(), graceful.watcher());
        tokio::spawn(async move {
            match acceptor {
                None => connection(service, stream, Protocol::Http1, peer, watcher).await,
                Some(acceptor) => match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => {
                        let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                        let protocol = if h2 { Protocol::Http2 } else { Protocol::Http1 };
                        connection(service, stream, protocol, peer, watcher).await;
                    }
                    Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                    Err(_) => tracing::debug!("a TLS handshake took too long"),
                },
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

/// What a connection speaks: over TLS as ALPN agreed, else HTTP/1.1.
#[derive(Clone, Copy)]
enum Protocol {
    Http1,
    Http2,
}

async fn connection<S>(service: Service, stream: S, protocol: Protocol, peer: IpAddr, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let handle = service_fn(move |request: hyper::Request<Incoming>| {
        let service = service.clone();
        async move { Ok::<_, Infallible>(service.call(request.map(axum::body::Body::new), peer).await) }
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
