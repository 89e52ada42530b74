//! The guard and the caches against real servers.

mod guard;
mod key_sets;
mod limits;
mod server;
