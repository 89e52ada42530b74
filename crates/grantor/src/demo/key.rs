//! Keys of the demo's clients. They follow from the master key, as the demo's secrets do.

use grantor_jose::{SigningAlgorithm, SigningKey, base64url};
use serde_json::{Value, json};

/// A P-256 key that is no secret.
#[derive(Debug)]
pub(crate) struct DemoKey {
    /// With `d`: for whoever plays the client.
    pub(crate) private: Value,
    /// As it is registered: a set of one (RFC 7517 5).
    pub(crate) set: Value,
}

/// What stands before the 32 bytes of a P-256 key in PKCS#8 (RFC 5208 5, RFC 5915 3), its public half left out.
const PKCS8: [u8; 35] = [
    0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20,
];

impl DemoKey {
    /// From 32 bytes; none when they are no scalar of the curve, which one in 2^32 is not.
    pub(super) fn new(scalar: [u8; 32]) -> Option<Self> {
        let key = SigningKey::from_pkcs8(SigningAlgorithm::Es256, &[&PKCS8[..], &scalar].concat()).ok()?;
        let public = serde_json::to_value(key.public_jwk()).ok()?;
        let mut private = public.clone();
        private.as_object_mut()?.insert("d".to_owned(), base64url::encode(scalar).into());
        Some(Self { private, set: json!({ "keys": [public] }) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use grantor_jose::{PrivateJwk, jws};

    #[test]
    fn both_halves_belong_together() {
        let key = DemoKey::new([7; 32]).unwrap();
        assert!(PrivateJwk::parse(key.private.to_string()).is_ok());
        let signing = SigningKey::from_pkcs8(SigningAlgorithm::Es256, &[&PKCS8[..], &[7; 32]].concat()).unwrap();
        let token = jws::sign(&signing, "JWT", b"{}").unwrap();
        let set = grantor_jose::JwkSet::from_members(key.set.as_object().unwrap()).unwrap();
        let read = jws::Unverified::parse(&token).unwrap();
        assert!(read.verify_with_set(&set, &[SigningAlgorithm::Es256]).is_ok());
        assert_eq!(key.private["x"], key.set["keys"][0]["x"]);
        assert!(key.set["keys"][0].get("d").is_none());
    }
}
