//! The HTTP face of Grantor: each endpoint and each page is a file, and a request goes one way: parse, authenticate the
//! client, load or spend, decide (in `grantor-protocol`), commit, respond.

mod audit;
mod browser;
mod budget;
mod client_auth;
mod client_certificate;
mod client_document;
mod context;
mod desk;
mod endpoint;
mod extract;
mod failure;
mod feed;
mod guests;
mod health;
pub mod inspect;
mod issue;
pub mod keyring;
mod known_secrets;
mod listen;
mod metrics;
mod operations;
mod overload;
mod page;
mod proof;
mod registered;
mod request;
mod respond;
mod router;
mod server;
mod settings;
pub mod setup;
mod snapshot;
mod standing;
mod status_lists;
mod tally;
mod tenancy;
mod tls;
mod token;
#[cfg(feature = "undefended")]
mod undefended;
mod under_way;
mod world;

pub use context::StartError;
pub use keyring::MasterKey;
pub use server::Server;
pub use settings::{Mtls, Settings, TlsFiles};
pub use world::{SystemWorld, World};
