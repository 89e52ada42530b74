//! DPoP proofs (RFC 9449): what a client sends with a request to prove that it holds a key.

mod known;
mod nonce;
mod proof;
mod target;

pub use known::KnownKeys;
pub use nonce::{NONCE_LIFE, Nonces};
pub use proof::{Expected, Proof, TYP, verify};

use crate::value::Seconds;

/// How far the clocks of the nodes, and of clients that keep theirs, may differ (RFC 9449 11.1).
const CLOCK_DIFFERENCE: Seconds = Seconds::new(10);
