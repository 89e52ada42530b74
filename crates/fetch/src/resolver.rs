//! Names to addresses, of which only those go on that may be connected to. The connection goes to what comes out here:
//! nothing is resolved a second time.

use crate::address::is_permitted;
use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Resolves as the system does.
pub(crate) struct GuardedResolver {
    allowed: Arc<[IpNet]>,
    running: Arc<Semaphore>,
}

/// Why a name has no address that can be connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ResolveError {
    #[error("every address of the name is forbidden")]
    Forbidden,
    #[error("the name has no address")]
    Unknown,
}

/// How many addresses of a name are tried.
const MAX_ADDRESSES: usize = 8;

impl GuardedResolver {
    /// `lookups` is how many names are resolved at once. The system's resolver blocks a thread for as long as a
    /// stranger's name server pleases, and those threads are for the database and for passwords as well.
    pub(crate) fn new(allowed: Arc<[IpNet]>, lookups: usize) -> Self {
        Self { allowed, running: Arc::new(Semaphore::new(lookups)) }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (allowed, running) = (Arc::clone(&self.allowed), Arc::clone(&self.running));
        Box::pin(async move {
            let permit = running.acquire_owned().await?;
            // The permit goes with the work, which goes on when nobody waits for it any more.
            let found = tokio::task::spawn_blocking(move || {
                let _permit = permit;
                (name.as_str(), 0).to_socket_addrs()
            });
            let found = found.await?.map_err(|_| ResolveError::Unknown)?;
            Ok(Box::new(connectable(found, &allowed)?.into_iter()) as Addrs)
        })
    }
}

/// The addresses of a name that may be connected to.
fn connectable(found: impl Iterator<Item = SocketAddr>, allowed: &[IpNet]) -> Result<Vec<SocketAddr>, ResolveError> {
    let mut found = found.peekable();
    if found.peek().is_none() {
        return Err(ResolveError::Unknown);
    }
    let permitted: Vec<_> = found.filter(|found| is_permitted(found.ip(), allowed)).take(MAX_ADDRESSES).collect();
    if permitted.is_empty() { Err(ResolveError::Forbidden) } else { Ok(permitted) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(of: &[&str]) -> Vec<SocketAddr> {
        of.iter().map(|address| SocketAddr::new(address.parse().unwrap(), 0)).collect()
    }

    fn among(found: &[&str], allowed: &[&str]) -> Result<Vec<SocketAddr>, ResolveError> {
        let allowed: Vec<_> = allowed.iter().map(|network| network.parse().unwrap()).collect();
        connectable(addresses(found).into_iter(), &allowed)
    }

    #[test]
    fn forbidden_addresses_of_a_name_are_never_connected_to() {
        assert_eq!(among(&["127.0.0.1", "8.8.8.8", "::1", "169.254.169.254"], &[]), Ok(addresses(&["8.8.8.8"])));
        assert_eq!(among(&["127.0.0.1", "::ffff:10.0.0.1", "fe80::1"], &[]), Err(ResolveError::Forbidden));
        assert_eq!(among(&["127.0.0.1", "::1"], &["127.0.0.0/8"]), Ok(addresses(&["127.0.0.1"])));
        assert_eq!(among(&[], &[]), Err(ResolveError::Unknown));
    }

    #[tokio::test]
    async fn a_name_that_cannot_be_resolved_has_no_address() {
        // No name server needs to be asked about a name that is too long to be one.
        let name = format!("{}example", "abc.".repeat(100)).parse().unwrap();
        let refused = GuardedResolver::new([].into(), 1).resolve(name).await.err().unwrap();
        assert_eq!(refused.downcast_ref(), Some(&ResolveError::Unknown));
    }

    #[test]
    fn a_name_with_many_addresses_does_not_make_many_connections() {
        assert_eq!(among(&["8.8.8.8"; 1000], &[]).unwrap().len(), MAX_ADDRESSES);
    }
}
