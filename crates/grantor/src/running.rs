//! A running server: where it listens, and until when.

use crate::failure::{Context as _, Failure, Result};
use crate::supervisor;
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

/// The wish of the operator that the process ends. It is listened for from the moment that this is made: a signal that
/// comes while everything is still being prepared is not lost, and nothing is left behind.
#[derive(Debug)]
pub(crate) struct Stop {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Stop {
    /// SIGINT and SIGTERM.
    #[cfg(unix)]
    pub(crate) fn listen() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let doing = || "listen for signals".to_owned();
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).context(doing)?,
            terminate: signal(SignalKind::terminate()).context(doing)?,
        })
    }

    /// Control-C.
    #[cfg(not(unix))]
    pub(crate) fn listen() -> Result<Self> {
        Ok(Self {})
    }

    /// What it comes to, unless the process is told to stop before; then none. What was begun is dropped.
    pub(crate) async fn or<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = self.told() => None,
        }
    }

    #[cfg(unix)]
    async fn told(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn told(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}

/// Each connection is an open file; the usual soft limit of 1024 would be the limit of the server.
const OPEN_FILES: u64 = 65_536;

/// Serves until the process is told to stop; what is in flight then ends first. Figures are there until the end.
pub(crate) async fn serve(
    server: Server,
    listeners: Vec<TcpListener>,
    tls: Option<TlsFiles>,
    mutual: Option<(TcpListener, TlsFiles)>,
    figures: Option<TcpListener>,
    mut stop: Stop,
) -> Result<()> {
    if let Err(error) = rlimit::increase_nofile_limit(OPEN_FILES) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
    let beside = async {
        let served = async {
            match figures {
                Some(listener) => server.run_operations(listener, std::future::pending()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            ended = served => ended.context(|| "serve figures".to_owned()),
            () = supervisor::keep_watch() => Ok(()),
        }
    };
    let main = listen_until_told(server.clone(), listeners, tls, mutual, &mut stop);
    let ended = tokio::select! {
        ended = main => ended,
        failed = beside => failed,
    };
    if let Err(error) = server.finish().await {
        tracing::error!(%error, "the last events of the audit log may be lost");
    }
    ended
}

async fn listen_until_told(
    server: Server,
    listeners: Vec<TcpListener>,
    tls: Option<TlsFiles>,
    mutual: Option<(TcpListener, TlsFiles)>,
    stop: &mut Stop,
) -> Result<()> {
    let (say, said) = watch::channel(false);
    let mut serving = tokio::task::JoinSet::new();
    for listener in listeners {
        let (server, tls, mut said) = (server.clone(), tls.clone(), said.clone());
        serving.spawn(async move {
            // An error means that the sender is gone, which is the end as well.
            let shutdown = async move { drop(said.wait_for(|stop| *stop).await) };
            server.run(listener, tls, shutdown).await
        });
    }
    if let Some((listener, tls)) = mutual {
        let mut said = said.clone();
        serving.spawn(async move {
            let shutdown = async move { drop(said.wait_for(|stop| *stop).await) };
            server.run_mtls(listener, tls, shutdown).await
        });
    }
    let ended = async {
        while let Some(ended) = serving.join_next().await {
            ended.context(|| "serve".to_owned())?.context(|| "serve".to_owned())?;
        }
        Ok(())
    };
    tokio::pin!(ended);
    supervisor::ready();
    tokio::select! {
        early = &mut ended => return early,
        () = stop.told() => {
            tracing::info!("stopping: requests in flight are finished first; a second signal stops at once");
            supervisor::stopping();
            let _ = say.send(true);
        }
    }
    tokio::select! {
        orderly = &mut ended => orderly,
        () = stop.told() => Ok(()),
    }
}
