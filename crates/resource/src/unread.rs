//! The body of a request that is refused. Nobody wants it, and yet it is on its way: a connection is good for the next
//! request only when it was read (RFC 9112 9.3), and one that is closed before may take the answer with it (RFC 9112
//! 9.6). Clients that send head and body apart, as many do, would see their connection break where they were to see 401.

use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT};
use http::{HeaderValue, Request, Response, Version};
use http_body::Body;
use http_body_util::{BodyExt as _, Limited};
use std::error::Error;
use std::pin::pin;
use std::time::Duration;

/// So many bytes are read of what nobody wants, and for so long.
const MOST: usize = 64 * 1024;
const LONGEST: Duration = Duration::from_secs(1);

/// Reads what is left of a refused request when it is little; otherwise the answer says that the connection ends here.
pub(crate) async fn settle<B, R>(head: &Request<()>, body: B, response: &mut Response<R>)
where
    B: Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    // HTTP/2 ends streams and not connections (RFC 9113 8.1).
    if head.version() >= Version::HTTP_2 {
        return;
    }
    let read = is_little(head) && tokio::time::timeout(LONGEST, all(body)).await == Ok(true);
    if !read {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
}

/// Whether it may be little, and comes without being asked for (RFC 9110 10.1.1).
fn is_little(head: &Request<()>) -> bool {
    let announced = head.headers().get(CONTENT_LENGTH).map(|length| length.to_str().ok()?.parse::<usize>().ok());
    let fits = announced.is_none_or(|length| length.is_some_and(|length| length <= MOST));
    fits && !head.headers().contains_key(EXPECT)
}

/// Whether it could be read to its end.
async fn all<B>(body: B) -> bool
where
    B: Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let mut rest = pin!(Limited::new(body, MOST));
    while let Some(frame) = rest.frame().await {
        if frame.is_err() {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;
    use http_body::{Frame, SizeHint};
    use std::collections::VecDeque;
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    /// So many pieces of 32 KiB, and then the end, or silence.
    struct Pieces<'a> {
        left: &'a mut VecDeque<io::Result<&'static [u8]>>,
        ends: bool,
    }

    impl Body for Pieces<'_> {
        type Data = &'static [u8];
        type Error = io::Error;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Self::Data>>>> {
            let this = self.get_mut();
            match this.left.pop_front() {
                Some(piece) => Poll::Ready(Some(piece.map(Frame::data))),
                None if this.ends => Poll::Ready(None),
                None => Poll::Pending,
            }
        }

        fn size_hint(&self) -> SizeHint {
            SizeHint::default()
        }
    }

    static PIECE: [u8; MOST / 2] = [0; MOST / 2];

    /// What becomes of a request with this head and so many pieces: how many were not read, and what the answer says.
    async fn settled(head: http::request::Builder, pieces: usize, ends: bool) -> (usize, bool) {
        let mut left: VecDeque<io::Result<&'static [u8]>> = (0..pieces).map(|_| Ok(&PIECE[..])).collect();
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        settle(&head.body(()).unwrap(), Pieces { left: &mut left, ends }, &mut response).await;
        (left.len(), response.headers().contains_key(CONNECTION))
    }

    #[tokio::test(start_paused = true)]
    async fn rfc9112_9_3_a_refused_request_is_read_so_that_its_connection_stays() {
        assert_eq!(settled(Request::post("/"), 2, true).await, (0, false));
        assert_eq!(settled(Request::post("/").header(CONTENT_LENGTH, MOST), 2, true).await, (0, false));
        assert_eq!(settled(Request::get("/"), 0, true).await, (0, false));
    }

    #[tokio::test(start_paused = true)]
    async fn rfc9112_9_6_what_is_too_much_to_read_ends_the_connection_and_says_so() {
        assert_eq!(settled(Request::post("/"), 5, true).await, (2, true), "more than it may be");
        assert_eq!(settled(Request::post("/"), 1, false).await, (0, true), "it never ends");
        let announced = Request::post("/").header(CONTENT_LENGTH, MOST + 1);
        assert_eq!(settled(announced, 3, true).await, (3, true), "more is announced");
        let asked = Request::post("/").header(EXPECT, "100-continue");
        assert_eq!(settled(asked, 1, true).await, (1, true), "the client waits to be told to send it");
        assert_eq!(settled(Request::post("/").version(Version::HTTP_2), 1, false).await, (1, false), "another matter");
        let mut broken = VecDeque::from([Err(io::Error::other("reset"))]);
        let mut response = Response::new(());
        let head = Request::post("/").body(()).unwrap();
        settle(&head, Pieces { left: &mut broken, ends: true }, &mut response).await;
        assert!(response.headers().contains_key(CONNECTION));
    }
}
