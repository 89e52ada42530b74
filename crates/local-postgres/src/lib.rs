//! Real PostgreSQL servers for tests, proofs and benchmarks, each in a directory of its own.
//!
//! A server listens on 127.0.0.1, trusts whoever connects as `postgres`, and ends with the process that started it,
//! however that one ends.
//!
//! ```no_run
//! # fn main() -> std::io::Result<()> {
//! let url = grantor_local_postgres::Server::shared()?.fresh_database()?;
//! # Ok(())
//! # }
//! ```

mod binaries;
mod home;
mod process;
mod server;

pub use server::{Options, Replication, Server};
