//! A PostgreSQL server, and the synchronous standby that takes over from it.

use grantor_local_postgres::{Options, Replication, Server};
use std::io;

const DATABASE: &str = "grantor";

/// Both. What the primary acknowledges is on the disks of both.
pub(crate) struct Succession {
    pub(crate) primary: Server,
    pub(crate) standby: Server,
}

impl Succession {
    pub(crate) fn start() -> io::Result<Self> {
        let primary = Server::start(Options::default())?;
        primary.database(DATABASE)?;
        let standby = primary.standby(Replication::Synchronous)?;
        Ok(Self { primary, standby })
    }

    /// The database, on whichever of the two takes writes.
    pub(crate) fn url(&self) -> String {
        let hosts = format!("127.0.0.1:{},127.0.0.1:{}", self.primary.port(), self.standby.port());
        format!("postgres://postgres@{hosts}/{DATABASE}?target_session_attrs=read-write")
    }
}
