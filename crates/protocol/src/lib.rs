//! What OAuth 2.1 and OpenID Connect allow, decided by functions that know no HTTP, no SQL, no async, no clock and
//! no randomness: `now` and fresh identifiers come in as values. Every rule names its section.

pub mod audit;
pub mod client;
pub mod directory;
pub mod grant;
pub mod profile;
pub mod session;
pub mod value;
