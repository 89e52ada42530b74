//! For programs that obtain OAuth tokens: find the authorization server, get a token, keep it, renew it before it ends, and
//! send it to the API that it is for. Works with any server that keeps to the RFCs; nothing of Grantor's own is needed.
//!
//! A program that acts for itself:
//!
//! ```no_run
//! use grantor_client::{Ask, Authentication, Client, Http, Issuer, TokenSource, discover};
//! use grantor_protocol::value::{ClientId, Scope, Secret};
//!
//! # async fn example() -> Option<()> {
//! let http = Http::new().ok()?;
//! let provider = discover(&http, &Issuer::parse("https://id.example")?).await.ok()?;
//! let secret = Secret::new(std::env::var("CLIENT_SECRET").ok()?);
//! let client = Client::new(provider, ClientId::parse("nightly")?, Authentication::SecretBasic(secret), http.clone());
//! let ask = Ask { scope: Scope::parse("notes:read")?, ..Ask::default() };
//!
//! let source = TokenSource::client_credentials(client, ask);
//! let notes = source.send(http.reqwest().get("https://notes.example/")).await.ok()?;
//! println!("{}", notes.status());
//! # Some(())
//! # }
//! ```
//!
//! A user signs in with [`Client::sign_in`] (a browser on this machine) or [`Client::begin_device`] (any other);
//! [`TokenSource::keep`] keeps what he allowed, in a [`TokenStore`].
//!
//! What is always checked, without being asked: the `issuer` of metadata, letter by letter; `state` and `iss` of what comes
//! back through the browser; the type of every token; signature, `iss`, `aud`, `azp`, `exp`, `iat`, `nonce`, `at_hash` and
//! `auth_time` of an ID token. PKCE is S256, always. Nothing goes to an address that is not https, but to this machine itself.
//! No secret and no token is in a `Debug` or in an error.

mod ask;
mod auth;
mod client;
mod device;
mod dpop;
mod error;
mod flow;
mod grant;
mod http;
mod id_token;
mod provider;
mod random;
mod redirect;
mod source;
mod store;
mod token;
mod userinfo;
mod workload;

pub use ask::Ask;
pub use auth::Authentication;
pub use client::{Client, discover};
pub use device::{DeviceAuthorization, DeviceProblem};
pub use dpop::DpopKey;
pub use error::{Error, Refused, Result};
pub use flow::Loopback;
pub use grant::Grant;
pub use http::{Http, Tls};
pub use id_token::{Expected, IdTokenProblem, Identity};
pub use provider::{Endpoint, Issuer, MetadataProblem, Provider};
pub use redirect::{Code, Pending, RedirectProblem};
pub use source::{MARGIN, TokenSource};
pub use store::{FileStore, KeyringStore, Lock, MemoryStore, Name, StoreError, TokenStore};
pub use token::{TokenProblem, TokenType, Tokens};
pub use workload::Workload;
