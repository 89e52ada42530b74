//! Shared secrets for HMAC (RFC 7518 3.2), as `client_secret_jwt` uses them.

use crate::{KeyError, MacAlgorithm, constant_time_eq};
use aws_lc_rs::hmac;
use std::fmt;

/// A secret shared with the signer, bound to one algorithm.
pub struct SharedSecret {
    key: hmac::Key,
    alg: MacAlgorithm,
    kid: Option<String>,
}

impl SharedSecret {
    /// A secret at least as long as the digest of the algorithm (RFC 7518 3.2).
    pub fn new(alg: MacAlgorithm, secret: &[u8]) -> Result<Self, KeyError> {
        let algorithm = match alg {
            MacAlgorithm::Hs256 => hmac::HMAC_SHA256,
            MacAlgorithm::Hs384 => hmac::HMAC_SHA384,
            MacAlgorithm::Hs512 => hmac::HMAC_SHA512,
        };
        if secret.len() < algorithm.digest_algorithm().output_len() {
            return Err(KeyError::Strength);
        }
        Ok(Self { key: hmac::Key::new(algorithm, secret), alg, kid: None })
    }

    pub(crate) fn with_key_id(self, kid: Option<String>) -> Self {
        Self { kid, ..self }
    }

    /// The algorithm.
    pub fn algorithm(&self) -> MacAlgorithm {
        self.alg
    }

    /// `kid`, if the secret has one.
    pub fn key_id(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The code of a message.
    pub(crate) fn tag(&self, message: &[u8]) -> Vec<u8> {
        hmac::sign(&self.key, message).as_ref().to_vec()
    }

    /// Whole tags only, compared in constant time.
    pub(crate) fn verifies(&self, message: &[u8], tag: &[u8]) -> bool {
        constant_time_eq(&self.tag(message), tag)
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSecret").field("alg", &self.alg).finish_non_exhaustive()
    }
}
