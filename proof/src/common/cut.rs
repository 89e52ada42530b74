//! A network that can be cut: a proxy in front of a TCP server. While it is cut nothing comes through and nothing is
//! refused, as when a cable is pulled; what was on its way arrives when it is mended.

use anyhow::Result;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The proxy. Gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Cable {
    address: SocketAddr,
    whole: watch::Sender<bool>,
}

impl Cable {
    /// To a server.
    pub(crate) async fn to(server: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (whole, seen) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server, seen.clone()));
            }
        });
        Ok(Self { address, whole })
    }

    /// Where to connect to.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn cut(&self) {
        self.whole.send_replace(false);
    }

    pub(crate) fn mend(&self) {
        self.whole.send_replace(true);
    }
}

async fn carry(client: TcpStream, server: SocketAddr, mut whole: watch::Receiver<bool>) {
    if whole.wait_for(|whole| *whole).await.is_err() {
        return;
    }
    let Ok(server) = TcpStream::connect(server).await else { return };
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    tokio::join!(flow(from_client, to_server, whole.clone()), flow(from_server, to_client, whole));
}

async fn flow(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut whole: watch::Receiver<bool>) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        // The sender is gone when the proof is over.
        if whole.wait_for(|whole| *whole).await.is_err() {
            return;
        }
        if to.write_all(buffer.get(..read).unwrap_or_default()).await.is_err() {
            return;
        }
    }
    let _ = whole.wait_for(|whole| *whole).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn nothing_is_lost_and_nothing_comes_through_while_it_is_cut() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let cable = Cable::to(server.local_addr().unwrap()).await.unwrap();
        let mut client = TcpStream::connect(cable.address()).await.unwrap();
        client.write_all(b"a").await.unwrap();
        let (mut served, _) = server.accept().await.unwrap();
        assert_eq!(served.read_u8().await.unwrap(), b'a');
        cable.cut();
        client.write_all(b"b").await.unwrap();
        let mut other = TcpStream::connect(cable.address()).await.unwrap();
        other.write_all(b"c").await.unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(50), served.read_u8()).await.is_err());
        cable.mend();
        assert_eq!(served.read_u8().await.unwrap(), b'b');
        let (mut served, _) = server.accept().await.unwrap();
        assert_eq!(served.read_u8().await.unwrap(), b'c');
    }
}
