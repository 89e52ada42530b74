//! The HTTP face of Grantor: each endpoint and each page is a file, and a request goes one way: parse, authenticate the
//! client, load or spend, decide (in `grantor-protocol`), commit, respond.

mod audit;
mod browser;
mod context;
mod endpoint;
mod extract;
pub mod inspect;
mod issue;
pub mod keyring;
mod listen;
mod page;
mod respond;
mod router;
mod settings;
pub mod setup;
mod tls;
mod token;
mod world;

pub use context::Server;
pub use keyring::MasterKey;
pub use settings::{Settings, TlsFiles};
pub use world::{SystemWorld, World};
