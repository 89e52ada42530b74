//! Accepting connections: bounded in number, in time for a handshake and for a header, ended gracefully.

mod closing;
mod patience;
mod presence;

use crate::client_certificate::PeerChain;
use crate::context::Context;
use crate::guests::Guests;
use crate::operations::Entry;
use crate::overload::{Excess, Gate, Line, Verdict};
use crate::router::Service;
use crate::tls::{ClientRoots, Transport};
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use presence::Presence;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A peer that has not finished its TLS handshake by then is gone.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// A peer that has not sent a whole header by then is gone at the listener for figures, and so is a connection of HTTP/2 that
/// is silent for so long.
const HEADER: Duration = Duration::from_secs(30);
/// Requests in flight have this long to end.
const DRAIN: Duration = Duration::from_secs(20);
/// A connection that came at the end of a drain may have its first request on the way for so long: hyper closes one from
/// which it has read nothing as soon as it is told to end.
const FIRST_REQUEST: Duration = Duration::from_secs(1);
/// Where there is no drain, whoever has sent something is in line within so long.
const IN_LINE: Duration = Duration::from_millis(20);
/// A handshake of TCP that has begun when the listener stops to begin others ends within so long, in a region.
const HALF_OPEN: Duration = Duration::from_millis(20);
/// A header is not larger.
const MAX_HEADER: usize = 64 * 1024;

/// What is said to a connection for which there is no place, where no TLS has to come first.
const NO_PLACE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\n\
    cache-control: no-store\r\ncontent-length: 0\r\n\r\n";
/// So many may be told so at the same time, each for so long; others are closed without a word.
const FAREWELLS: usize = 256;
const FAREWELL: Duration = Duration::from_secs(1);
/// So many connections may ask for figures and for health at the listener for them.
const WATCHERS: usize = 64;

/// Serves until `shutdown`; then for as long as a drain takes, each answer being the last of its connection; then what
/// is in flight ends.
pub(crate) async fn serve(
    service: Service,
    listener: TcpListener,
    transport: Transport,
    context: &Arc<Context>,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let most = context.settings.max_connections;
    let house = House {
        host: Arc::new(Host { service, context: Arc::clone(context), base: base(context) }),
        transport,
        places: Arc::new(Semaphore::new(most)),
        guests: Guests::new(most / 10),
        farewells: Arc::new(Semaphore::new(FAREWELLS)),
    };
    let (http2, rest) = (GracefulShutdown::new(), GracefulShutdown::new());
    house.accept(&listener, Some(&http2), &rest, shutdown).await;
    context.operations.health.drain();
    let drain = context.settings.drain;
    // Streams that were opened are answered; the peer opens no more on such a connection (RFC 9113 6.8).
    let moved_on = tokio::time::timeout(drain.saturating_add(DRAIN), http2.shutdown());
    let drained = async {
        house.accept(&listener, None, &rest, tokio::time::sleep(drain)).await;
        if !drain.is_zero() {
            closing::hear_no_more(&listener);
            house.accept(&listener, None, &rest, tokio::time::sleep(HALF_OPEN)).await;
        }
        house.take_waiting(listener, &rest);
        if drain.is_zero() {
            house.see_to_the_line().await;
        } else {
            tokio::time::sleep(FIRST_REQUEST).await;
        }
        tokio::time::timeout(DRAIN, rest.shutdown()).await
    };
    if let (Err(_), _) | (_, Err(_)) = tokio::join!(moved_on, drained) {
        tracing::warn!("some requests did not end in time");
    }
    Ok(())
}

/// Serves figures and health, and nothing else, until `shutdown`.
pub(crate) async fn serve_operations(
    listener: TcpListener,
    context: &Arc<Context>,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(WATCHERS));
    let mut shutdown = pin!(shutdown);
    loop {
        let (stream, _) = tokio::select! {
            accepted = accepted(&listener) => accepted,
            () = &mut shutdown => return Ok(()),
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let context = Arc::clone(context);
        tokio::spawn(async move {
            let handle = service_fn(move |request: hyper::Request<Incoming>| {
                let response = context.operations.scraped(request.method(), request.uri().path());
                async move { Ok::<_, Infallible>(response) }
            });
            let mut builder = http1::Builder::new();
            builder.timer(TokioTimer::new()).header_read_timeout(HEADER).max_buf_size(MAX_HEADER);
            // How a connection ends is of no interest here.
            let _ = builder.serve_connection(TokioIo::new(stream), handle).await;
            drop(place);
        });
    }
}

/// What stands before the paths of the default tenant.
fn base(context: &Context) -> String {
    let path = context.settings.issuer.as_str().strip_prefix(&context.origin.text).unwrap_or_default();
    path.trim_end_matches('/').to_owned()
}

/// The next connection.
async fn accepted(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                // Out of file descriptors, or a peer that went at once: both pass.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Who answers.
struct Host {
    service: Service,
    context: Arc<Context>,
    /// What stands before the paths of the default tenant.
    base: String,
}

impl Host {
    /// By reference, as far as where it is read: each function that has it would hold a copy as long as it waits.
    async fn answer(&self, request: &mut Request, address: IpAddr, verdict: Verdict) -> Response {
        let operations = &self.context.operations;
        let response = match operations.enter(request.uri().path(), &self.base, verdict) {
            Entry::Answered(response) => response,
            Entry::Admitted(admitted) => {
                let response = self.service.call(request, address).await;
                operations.leave(&admitted, &response);
                response
            }
        };
        operations.last(response)
    }
}

/// One listener: who comes in, and by which door.
struct House {
    host: Arc<Host>,
    transport: Transport,
    places: Arc<Semaphore>,
    guests: Guests,
    farewells: Arc<Semaphore>,
}

impl House {
    /// Takes connections until then. Those of HTTP/2 end with `http2`, as long as there is that; all others with `rest`.
    async fn accept(
        &self,
        listener: &TcpListener,
        http2: Option<&GracefulShutdown>,
        rest: &GracefulShutdown,
        until: impl Future<Output = ()> + Send,
    ) {
        let mut until = pin!(until);
        loop {
            let (stream, peer) = tokio::select! {
                accepted = accepted(listener) => accepted,
                () = &mut until => return,
            };
            self.admit(stream, peer, http2, rest);
        }
    }

    /// Closes the listener. Who connected and was not yet taken would be told that the connection is reset, with its
    /// request perhaps already sent; so it is taken.
    fn take_waiting(&self, listener: TcpListener, rest: &GracefulShutdown) {
        let Ok(listener) = listener.into_std() else { return };
        while let Ok((stream, peer)) = listener.accept() {
            let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
            if let Ok(stream) = stream {
                self.admit(stream, peer, None, rest);
            }
        }
    }

    /// Waits until nobody is in line any more, of whom hyper would know nothing yet when it is told to end; not for ever.
    async fn see_to_the_line(&self) {
        let line = self.host.context.operations.gate.line();
        let empty = async {
            loop {
                tokio::time::sleep(IN_LINE).await;
                if line.is_empty() {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(FIRST_REQUEST, empty).await;
    }

    /// Serves a connection, if there is a place for it.
    fn admit(&self, stream: TcpStream, peer: SocketAddr, http2: Option<&GracefulShutdown>, rest: &GracefulShutdown) {
        let address = peer.ip().to_canonical();
        let trusted = self.host.context.settings.trusted_proxies.iter().any(|net| net.contains(&address));
        let place = Arc::clone(&self.places).try_acquire_owned().ok();
        let Some(place) = place.and_then(|place| Some((place, self.guests.admit(address, trusted)?))) else {
            tracing::debug!(%address, "too many connections, of all or of this address");
            self.turn_away(stream);
            return;
        };
        let _ = stream.set_nodelay(true);
        let visit = Visit {
            host: Arc::clone(&self.host),
            address,
            chain: None,
            http2: http2.map(GracefulShutdown::watcher),
            rest: rest.watcher(),
        };
        let transport = self.transport.clone();
        tokio::spawn(async move {
            let _open = Open::new(Arc::clone(&visit.host));
            visit.enter(transport, stream).await;
            drop(place);
        });
    }

    /// Tells a peer at once that there is no place, instead of leaving it in silence.
    fn turn_away(&self, mut stream: TcpStream) {
        self.host.context.operations.no_place();
        if !matches!(self.transport, Transport::Plain) {
            return;
        }
        let Ok(farewell) = Arc::clone(&self.farewells).try_acquire_owned() else { return };
        tokio::spawn(async move {
            let said = async {
                stream.write_all(NO_PLACE).await?;
                stream.shutdown().await?;
                // What it sent must be read, or closing would take the answer back.
                let mut unread = [0; 1024];
                while stream.read(&mut unread).await? > 0 {}
                io::Result::Ok(())
            };
            let _ = tokio::time::timeout(FAREWELL, said).await;
            drop(farewell);
        });
    }
}

/// A connection that is counted as long as it is there, however it ends.
struct Open(Arc<Host>);

impl Open {
    fn new(host: Arc<Host>) -> Self {
        host.context.operations.opened();
        Self(host)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.context.operations.closed();
    }
}

async fn handshake(acceptor: &TlsAcceptor, stream: TcpStream, gate: &Gate) -> Option<TlsStream<TcpStream>> {
    let shaken = async {
        if !in_turn(&stream, gate.line()).await? {
            gate.turn_away(Excess::Processor);
            return Ok(None);
        }
        acceptor.accept(stream).await.map(Some)
    };
    match tokio::time::timeout(HANDSHAKE, shaken).await {
        Ok(Ok(stream)) => return stream,
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
    None
}

/// Whether it is served, when it has sent something and was in line: a handshake costs more than most requests do.
async fn in_turn(stream: &TcpStream, line: &Arc<Line>) -> io::Result<bool> {
    if stream.peek(&mut [0]).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.wait().await == Verdict::Admit)
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
    host: Arc<Host>,
    address: IpAddr,
    /// At the listener for mutual TLS alone.
    chain: Option<Arc<PeerChain>>,
    http2: Option<Watcher>,
    rest: Watcher,
}

/// A connection that is served: what each of its requests needs.
struct Seat {
    host: Arc<Host>,
    address: IpAddr,
    chain: Option<Arc<PeerChain>>,
    presence: Arc<Presence>,
}

impl Seat {
    async fn answer(&self, request: &mut Request) -> Response {
        if let Some(chain) = &self.chain {
            request.extensions_mut().insert(chain.certificate());
        }
        self.presence.begin();
        let verdict = match self.presence.verdict() {
            Some(verdict) => verdict,
            // One of several in a connection, or right behind another one: it was not called by itself.
            None => self.host.context.operations.gate.line().wait().await,
        };
        let response = self.host.answer(request, self.address, verdict).await;
        self.presence.end();
        response
    }
}

impl Visit {
    /// Through TLS, if that stands before it.
    async fn enter(self, transport: Transport, stream: TcpStream) {
        match transport {
            Transport::Plain => self.serve(stream, Protocol::Http1).await,
            Transport::Tls(acceptor) => Box::pin(self.enter_tls(&acceptor, None, stream)).await,
            Transport::MutualTls(acceptor, roots) => Box::pin(self.enter_tls(&acceptor, Some(roots), stream)).await,
        }
    }

    /// `roots` are those of client certificates, at the listener for them.
    async fn enter_tls(mut self, acceptor: &TlsAcceptor, roots: Option<Arc<ClientRoots>>, stream: TcpStream) {
        let gate = &self.host.context.operations.gate;
        let Some(stream) = handshake(acceptor, stream, gate).await else { return };
        self.chain = roots.map(|roots| Arc::new(chain(&stream, roots, &self.host.context)));
        let protocol = Protocol::of(&stream);
        self.serve(stream, protocol).await;
    }

    async fn serve<S>(self, stream: S, protocol: Protocol)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { host, address, chain, http2, rest } = self;
        let presence = Presence::at(host.context.operations.gate.line());
        let seat = Arc::new(Seat { host, address, chain, presence: Arc::clone(&presence) });
        let handle = service_fn(move |request: hyper::Request<Incoming>| {
            let mut request = request.map(axum::body::Body::new);
            let seat = Arc::clone(&seat);
            async move { Ok::<_, Infallible>(seat.answer(&mut request).await) }
        });
        let ended = match protocol {
            Protocol::Http1 => {
                drop(http2);
                patience::serve(stream, &presence, rest, handle).await
            }
            Protocol::Http2 => {
                let mut builder = http2::Builder::new(TokioExecutor::new());
                builder.timer(TokioTimer::new()).keep_alive_interval(HEADER).keep_alive_timeout(HANDSHAKE);
                builder.max_header_list_size(64 * 1024).max_concurrent_streams(100);
                http2.unwrap_or(rest).watch(builder.serve_connection(TokioIo::new(stream), handle)).await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::sleep;

    /// A full house, a connection that has sent something and stands in line behind somebody, and a line that is too long.
    #[tokio::test]
    async fn handshakes_stand_in_line_like_requests() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let gate = Gate::new();
        let line = gate.line();
        let guests = |many: usize| {
            let guests = std::iter::repeat_with(|| line.ticket()).take(many).collect::<Vec<_>>();
            for holder in &guests {
                holder.ticket().come();
            }
            guests
        };
        let mut called = guests(64).into_iter();
        let mut waits = pin!(in_turn(&stream, line));
        tokio::select! {
            biased;
            _ = &mut waits => panic!("it has sent nothing"),
            () = sleep(Duration::from_millis(20)) => assert_eq!(line.age(), Duration::ZERO),
        }
        let first = guests(1);
        peer.write_all(&[22]).await.unwrap();
        tokio::select! {
            biased;
            _ = &mut waits => panic!("it is not its turn"),
            () = sleep(Duration::from_millis(20)) => {}
        }
        drop(first);
        drop(called.next());
        assert!(waits.await.unwrap());

        // One takes the place that is free, the other stands in line.
        let before = guests(2);
        let mut waits = pin!(in_turn(&stream, line));
        tokio::select! {
            biased;
            _ = &mut waits => panic!("it is not its turn"),
            () = sleep(Duration::from_millis(20)) => {}
        }
        let _last = guests(200);
        // The line is long from now on, and the first is called; then it stays so.
        drop(called.next());
        sleep(Duration::from_millis(200)).await;
        drop(called.next());
        assert!(!waits.await.unwrap());
        drop(before);
    }
}
