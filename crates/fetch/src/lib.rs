//! Outgoing requests. Whoever registers a client or sends a request chooses the URL, and so every one of them goes
//! through one guard against server-side request forgery (RFC 9101 10.4.1, RFC 9728 7.7).
//!
//! What is refused by construction, so that no caller can forget to: anything but https, user information and fragments
//! in a URL, addresses that are not global unicast unless the operator allows their network, redirects, proxies from the
//! environment, answers that are slow, too large, compressed or of the wrong type, and more requests at once than the
//! server or the one who is asked can bear.
//!
//! An address is judged when it is connected to: names are resolved by the guard itself, and the connection goes to what
//! the guard let through, so that a name which changes its mind in between (DNS rebinding) gains nothing.

mod address;
mod cache;
mod client_documents;
mod discovery;
mod document;
mod endpoint;
mod error;
mod fetcher;
mod key_sets;
mod relay;
mod request_objects;
mod resolver;
mod target;
mod tls;
mod turns;

pub use discovery::{IssuerMetadata, well_known};
pub use document::Document;
pub use endpoint::{Endpoint, Polled};
pub use error::{FetchError, SetupError};
pub use fetcher::{Fetched, Fetcher, Settings};
pub use key_sets::KeySets;
pub use relay::{Origin, Origins, Relay, RelayAnswer, RelayError, RelayRequest};

#[cfg(test)]
mod tests;
