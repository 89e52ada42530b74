//! Peers that hold a connection and ask for nothing, or never come to the end of their question.
//!
//! One timer for a connection, which looks a few times in a minute whether anything happened: one for each request, which
//! hyper would set, costs more than reading the request does.

use super::MAX_HEADER;
use super::presence::{Presence, Watched};
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::HttpService;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::Watcher;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep};

/// How often it is looked whether anything happened.
const LOOK: Duration = Duration::from_secs(10);
/// After so many looks at which nothing had, a peer is gone: thirty to forty seconds after the last sign of it.
const LOOKS: u32 = 3;

/// A connection until it ends by itself; none when the peer is gone first.
async fn patiently<T>(presence: &Presence, connection: impl Future<Output = T>) -> Option<T> {
    let (mut connection, mut look) = (pin!(connection), pin!(sleep(LOOK)));
    let (mut is_set, mut seen, mut in_vain) = (false, 0, 0);
    poll_fn(|cx| {
        presence.arrive();
        if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
            return Poll::Ready(Some(ended));
        }
        // A timer that is set wakes this very task.
        while !is_set || look.is_elapsed() {
            is_set = true;
            if look.as_mut().poll(cx).is_pending() {
                break;
            }
            let now = presence.signs();
            let is_quiet = now == seen && !presence.is_busy();
            (seen, in_vain) = (now, if is_quiet { in_vain + 1 } else { 0 });
            if in_vain >= LOOKS {
                return Poll::Ready(None);
            }
            look.as_mut().reset(Instant::now() + LOOK);
            is_set = false;
        }
        Poll::Pending
    })
    .await
}

/// Serves HTTP/1.1 until the connection ends, or the peer is gone. `presence` must be told of each request.
pub(super) async fn serve<S, H>(
    stream: S,
    presence: &Arc<Presence>,
    rest: Watcher,
    handle: H,
) -> Result<(), hyper::Error>
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
    H: HttpService<Incoming, ResBody = Body, Error = Infallible>,
{
    let mut builder = http1::Builder::new();
    builder.max_buf_size(MAX_HEADER);
    // Answers are small: copied behind their header they are cheaper to write than two parts are.
    builder.writev(false);
    presence.turn().await;
    let io = TokioIo::new(Watched::new(stream, presence));
    let served = patiently(presence, rest.watch(builder.serve_connection(io, handle))).await;
    served.unwrap_or_else(|| {
        tracing::debug!("a peer asked for nothing for too long");
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overload::Gate;
    use axum::response::Response;
    use hyper::service::service_fn;
    use hyper_util::server::graceful::GracefulShutdown;
    use std::future::pending;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    const PATIENCE: Duration = Duration::from_secs(30);

    /// Of a connection beside which there is no other.
    fn alone() -> Arc<Presence> {
        Presence::at(Gate::new().line())
    }

    /// After how long a connection of which nothing is seen but what `act` does is given up.
    async fn given_up_after(presence: &Presence, act: impl Future) -> Duration {
        let begun = Instant::now();
        let connection = async {
            act.await;
            pending::<()>().await;
        };
        assert_eq!(patiently(presence, connection).await, None);
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_asks_for_nothing_is_gone_after_thirty_seconds() {
        assert_eq!(given_up_after(&alone(), async {}).await, PATIENCE);
        let presence = alone();
        let once = async {
            sleep(Duration::from_secs(25)).await;
            presence.begin();
            presence.end();
        };
        assert_eq!(given_up_after(&presence, once).await, Duration::from_mins(1), "thirty after the look that saw it");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_may_take_longer_and_so_may_a_connection_that_is_used() {
        let presence = alone();
        let busy = async {
            presence.begin();
            sleep(PATIENCE * 5).await;
            presence.end();
            for _ in 0..5 {
                sleep(LOOK * 2).await;
                presence.begin();
                presence.end();
            }
            "ended"
        };
        assert_eq!(patiently(&presence, busy).await, Some("ended"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_peer_takes_is_a_sign_and_what_it_sends_is_none() {
        let presence = alone();
        let (ours, mut theirs) = duplex(1);
        let mut ours = Watched::new(ours, &presence);
        let takes = async {
            for _ in 0..20 {
                sleep(LOOK).await;
                theirs.read_u8().await.unwrap();
            }
            pending::<()>().await;
        };
        let writes = async { ours.write_all(&[0; 21]).await.unwrap() };
        assert_eq!(
            patiently(&presence, async {
                tokio::select! { () = takes => {}, () = writes => {} }
            })
            .await,
            Some(())
        );
        let (ours, mut theirs) = duplex(1);
        let mut ours = Watched::new(ours, &presence);
        let dribbles = async {
            loop {
                sleep(LOOK).await;
                theirs.write_u8(b'G').await.unwrap();
                ours.read_u8().await.unwrap();
            }
        };
        assert!(given_up_after(&presence, dribbles).await <= PATIENCE + LOOK);
    }

    /// What a peer hears that sends so much of a header, a letter each second, and after how long it is told to go.
    async fn dribble(text: &'static [u8]) -> (String, Duration) {
        let (ours, theirs) = duplex(1024);
        let (begun, presence, group) = (Instant::now(), alone(), GracefulShutdown::new());
        let handle =
            service_fn(async |_: hyper::Request<Incoming>| Ok::<_, Infallible>(Response::new(Body::from("ok"))));
        let (mut hears, mut sends) = tokio::io::split(theirs);
        let served = tokio::spawn({
            let watcher = group.watcher();
            async move { serve(ours, &presence, watcher, handle).await }
        });
        tokio::spawn(async move {
            for letter in text {
                sleep(Duration::from_secs(1)).await;
                let _ = sends.write_u8(*letter).await;
            }
            pending::<()>().await;
        });
        let mut heard = String::new();
        hears.read_to_string(&mut heard).await.unwrap();
        served.await.unwrap().unwrap();
        (heard, begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_header_has_its_time_and_so_has_silence_after_an_answer() {
        let endless = &[b'a'; 1000];
        assert_eq!(dribble(endless).await, (String::new(), PATIENCE));
        let (answer, after) = dribble(b"GET / HTTP/1.1\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nok"), "{answer}");
        assert!((PATIENCE + Duration::from_secs(18)..PATIENCE + LOOK * 3).contains(&after), "{after:?}");
    }
}
