//! The guard and the caches against real servers.

mod client_documents;
mod guard;
mod key_sets;
mod limits;
mod request_objects;
mod server;
