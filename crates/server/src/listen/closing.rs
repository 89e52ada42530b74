//! Closing a listener so that nobody's request is lost: without this there is always somebody who connects between the
//! last look at its queue and its end, and whose connection is reset with the request already sent.

use tokio::net::TcpListener;

/// From now on nobody begins to connect. Whoever tries is not heard, tries again after a second, finds the port closed,
/// and has sent nothing by then. What completes a handshake that has begun comes through.
#[cfg(target_os = "linux")]
pub(super) fn hear_no_more(listener: &TcpListener) {
    use socket2::{SockFilter, SockRef};
    // Of the instructions of linux/filter.h, over the header of TCP (RFC 9293 3.1).
    const LOAD_BYTE: u16 = 0x30;
    const AND: u16 = 0x54;
    const JUMP_IF_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    const FLAGS: u32 = 13;
    const SYN: u32 = 0x02;
    const ACK: u32 = 0x10;
    let filter = [
        SockFilter::new(LOAD_BYTE, 0, 0, FLAGS),
        SockFilter::new(AND, 0, 0, SYN | ACK),
        SockFilter::new(JUMP_IF_EQUAL, 0, 1, SYN),
        SockFilter::new(RETURN, 0, 0, 0),
        SockFilter::new(RETURN, 0, 0, u32::MAX),
    ];
    if let Err(error) = SockRef::from(listener).attach_filter(&filter) {
        tracing::debug!(%error, "the listener hears who connects until it closes");
    }
}

/// Other systems have no such filter.
#[cfg(not(target_os = "linux"))]
pub(super) fn hear_no_more(_: &TcpListener) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::io::ErrorKind;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    #[tokio::test]
    async fn who_connected_is_heard_and_who_comes_then_is_refused_before_it_can_send() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut before = TcpStream::connect(address).await.unwrap();
        hear_no_more(&listener);
        before.write_all(b"a request").await.unwrap();
        let mut after = tokio::spawn(TcpStream::connect(address));
        let (mut taken, _) = listener.accept().await.unwrap();
        let mut heard = [0; 9];
        taken.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"a request");
        taken.write_all(b"an answer").await.unwrap();
        before.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"an answer");
        let connected = tokio::time::timeout(Duration::from_millis(100), &mut after).await;
        assert!(connected.is_err(), "nobody connects: {connected:?}");
        drop(listener);
        assert_eq!(after.await.unwrap().unwrap_err().kind(), ErrorKind::ConnectionRefused);
    }
}
