//! PKCE (RFC 7636) for the suites that use no library.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// A verifier and its S256 challenge.
pub fn pair() -> (String, String) {
    let verifier: String = (0..64).map(|_| fastrand::alphanumeric()).collect();
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
    (verifier, challenge)
}
