//! What happens at a connection: whether it is being served, whether its peer gives a sign of life, and its place in the
//! line of those who have something to ask.

use crate::overload::{Holder, Line, Verdict};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is known of one connection. Written by its task alone.
#[derive(Debug)]
pub(super) struct Presence {
    /// Counts signs of life: requests that were read to the end of their header, answers, and bytes that the peer took of
    /// them. That it sends something is no sign: a header may come a byte at a time.
    signs: AtomicU32,
    is_busy: AtomicBool,
    holder: Holder,
}

impl Presence {
    /// Of a connection that asks in this line.
    pub(super) fn at(line: &Arc<Line>) -> Arc<Self> {
        Arc::new(Self { signs: AtomicU32::new(0), is_busy: AtomicBool::new(false), holder: line.ticket() })
    }

    /// A request is being answered: for that we have as long as we need.
    pub(super) fn begin(&self) {
        self.is_busy.store(true, Ordering::Relaxed);
    }

    /// It was answered.
    pub(super) fn end(&self) {
        self.is_busy.store(false, Ordering::Relaxed);
        self.see();
    }

    /// Whether one is.
    pub(super) fn is_busy(&self) -> bool {
        self.is_busy.load(Ordering::Relaxed)
    }

    /// The number of signs, which wraps.
    pub(super) fn signs(&self) -> u32 {
        self.signs.load(Ordering::Relaxed)
    }

    /// Waits in line before anything is read.
    pub(super) async fn turn(&self) {
        self.holder.ticket().turn().await;
    }

    /// The task of the connection runs: if it was called, it is there.
    pub(super) fn arrive(&self) {
        self.holder.ticket().arrive();
    }

    /// What was said in line to the request that is read now. None if it did not wait there.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        self.holder.ticket().verdict()
    }

    fn see(&self) {
        self.signs.store(self.signs().wrapping_add(1), Ordering::Relaxed);
    }
}

impl Wake for Presence {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    /// There is something to read: of a request that is being answered already, or of one that has to stand in line.
    fn wake_by_ref(self: &Arc<Self>) {
        let ticket = self.holder.ticket();
        if self.is_busy() { ticket.wake() } else { ticket.come() }
    }
}

/// A stream that is read in turn, and at which it is seen that the peer takes what is written.
pub(super) struct Watched<S> {
    stream: S,
    presence: Arc<Presence>,
    /// Wakes it.
    bell: Waker,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, presence: &Arc<Presence>) -> Self {
        Self { stream, presence: Arc::clone(presence), bell: Waker::from(Arc::clone(presence)) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { stream, presence, bell } = &mut *self;
        if presence.holder.ticket().is_held_by(cx) {
            Pin::new(stream).poll_read(&mut Context::from_waker(bell), buffer)
        } else {
            Pin::new(stream).poll_read(cx, buffer)
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buffer);
        if matches!(written, Poll::Ready(Ok(1..))) {
            self.presence.see();
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
