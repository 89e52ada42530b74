//! A running server: where it listens, and until when.

use crate::failure::{Context as _, Failure, Result};
use grantor_server::{Server, TlsFiles};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// The address, taken.
pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let hint = match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                "another program listens there: stop it, or choose another address with --listen"
            }
            std::io::ErrorKind::PermissionDenied => {
                "ports below 1024 need a privilege: choose another with --listen, or put a proxy in front"
            }
            std::io::ErrorKind::AddrNotAvailable => "this machine has no such address",
            _ => "choose another address with --listen",
        };
        Failure::new(format!("cannot listen on {address}: {error}")).hint(hint.to_owned())
    })
}

/// The same port on the other loopback address: `localhost` is both of them, and browsers try either first.
pub(crate) async fn listen_beside(taken: SocketAddr) -> Option<TcpListener> {
    let beside = if taken.ip() == Ipv4Addr::LOCALHOST {
        SocketAddr::from((Ipv6Addr::LOCALHOST, taken.port()))
    } else {
        return None;
    };
    TcpListener::bind(beside).await.ok()
}

/// Serves until the process is told to stop; what is in flight then ends first.
pub(crate) async fn serve(server: Server, listeners: Vec<TcpListener>, tls: Option<TlsFiles>) -> Result<()> {
    let (stop, stopped) = watch::channel(false);
    let mut serving = tokio::task::JoinSet::new();
    for listener in listeners {
        let (server, tls, mut stopped) = (server.clone(), tls.clone(), stopped.clone());
        serving.spawn(async move {
            // An error means that the sender is gone, which is the end as well.
            let shutdown = async move { drop(stopped.wait_for(|stop| *stop).await) };
            server.run(listener, tls, shutdown).await
        });
    }
    tokio::spawn(async move {
        told_to_stop().await;
        tracing::info!("stopping: requests in flight are finished first; a second signal stops at once");
        let _ = stop.send(true);
        told_to_stop().await;
        std::process::exit(1);
    });
    while let Some(ended) = serving.join_next().await {
        ended.context(|| "serve".to_owned())?.context(|| "serve".to_owned())?;
    }
    Ok(())
}

/// SIGINT or SIGTERM.
#[cfg(unix)]
async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// Control-C.
#[cfg(not(unix))]
async fn told_to_stop() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
