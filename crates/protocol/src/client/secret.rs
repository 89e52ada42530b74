//! Client secrets: made here with 256 bits of entropy, a prefix and a checksum, so that secret scanners can find them.

use crate::value::{Secret, UnixTime};
use grantor_jose::{base64url, constant_time_eq, digest};
use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};

/// A secret that Grantor made: `gr_cs_`, 43 characters, `_`, 6 characters of checksum.
pub struct ClientSecret(Secret);

/// A stored secret and its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSecret {
    /// What is kept of it.
    pub hash: SecretHash,
    /// When it was made.
    pub created: UnixTime,
    /// When it stops to work; two may overlap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<UnixTime>,
}

/// What is kept of a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretHash {
    /// SHA-256, base64url: enough for 256 bits of entropy, and costs microseconds.
    Sha256(String),
    /// A slow hash, for what people chose.
    Phc(String),
    /// The secret itself, sealed under the master key, base64url: for `client_secret_jwt`, which needs it readable
    /// (OpenID Connect Core 10.1).
    Sealed(String),
}

impl ClientSecret {
    const PREFIX: &'static str = "gr_cs_";

    /// Made from 32 fresh random bytes.
    pub fn new(random: [u8; 32]) -> Self {
        Self(prefixed_secret(Self::PREFIX, random))
    }

    /// Whether a text is a secret that Grantor made, by its checksum.
    pub fn recognises(raw: &str) -> bool {
        let Some(rest) = raw.strip_prefix(Self::PREFIX) else { return false };
        // The body may itself contain underscores: it is cut by length.
        let Some((body, tail)) = rest.split_at_checked(43) else { return false };
        tail.strip_prefix('_').is_some_and(|sum| sum == checksum(Self::PREFIX, body))
    }

    /// To be shown once.
    pub fn into_secret(self) -> Secret {
        self.0
    }
}

impl SecretHash {
    /// The quick hash, for secrets of high entropy.
    pub fn quick(secret: &Secret) -> Self {
        Self::Sha256(base64url::encode(digest::sha256(secret.expose().as_bytes())))
    }

    /// Whether the quick hash is this secret's, in constant time; a slow hash is somebody else's work and gives `false`.
    pub fn matches_quickly(&self, secret: &Secret) -> bool {
        QuickHash::of(secret).is(self)
    }
}

/// The quick hash of a secret that was presented, made once for all that it is compared with.
pub(crate) struct QuickHash([u8; 43]);

impl QuickHash {
    pub(crate) fn of(secret: &Secret) -> Self {
        let mut text = [0; 43];
        base64url::encode_to(digest::sha256(secret.expose().as_bytes()), &mut text);
        Self(text)
    }

    /// Compares with what is as long as a real one and belongs to nobody.
    pub(crate) fn is_nobodys(&self) -> bool {
        constant_time_eq(&self.0, &[b'A'; 43])
    }

    /// Compares in constant time; a hash of another kind is never this one.
    pub(crate) fn is(&self, stored: &SecretHash) -> bool {
        match stored {
            SecretHash::Sha256(hash) => constant_time_eq(&self.0, hash.as_bytes()),
            SecretHash::Phc(_) | SecretHash::Sealed(_) => false,
        }
    }
}

impl StoredSecret {
    /// By which its last use is noted.
    pub fn name(&self) -> SmolStr {
        Self::name_of(self.created)
    }

    /// The name of one that was made then.
    pub(crate) fn name_of(created: UnixTime) -> SmolStr {
        format_smolstr!("secret {}", created.get())
    }

    /// Whether it still works.
    pub fn is_alive(&self, now: UnixTime) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }
}

impl std::fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretHash")
    }
}

/// A secret with a prefix of its own and a checksum, from 32 fresh random bytes.
pub(crate) fn prefixed_secret(prefix: &str, random: [u8; 32]) -> Secret {
    let body = base64url::encode(random);
    let checksum = checksum(prefix, &body);
    Secret::new(format!("{prefix}{body}_{checksum}"))
}

fn checksum(prefix: &str, body: &str) -> String {
    let mut sum = base64url::encode(digest::sha256(format!("{prefix}{body}").as_bytes()));
    sum.truncate(6);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_made_here_is_recognised_by_prefix_and_checksum() {
        for byte in 0..=255 {
            let secret = ClientSecret::new([byte; 32]).into_secret();
            assert!(ClientSecret::recognises(secret.expose()));
            let mut altered = secret.expose().to_owned();
            altered.replace_range(10..11, if altered.as_bytes()[10] == b'x' { "y" } else { "x" });
            assert!(!ClientSecret::recognises(&altered));
        }
        for other in ["", "gr_cs_", "password", "gr_cs_é"] {
            assert!(!ClientSecret::recognises(other));
        }
    }

    #[test]
    fn rfc6749_2_3_1_the_quick_hash_matches_its_own_secret_only() {
        let secret = ClientSecret::new([7; 32]).into_secret();
        let hash = SecretHash::quick(&secret);
        assert!(hash.matches_quickly(&secret));
        assert!(!hash.matches_quickly(&Secret::new("other".into())));
        assert!(!SecretHash::Phc(secret.expose().to_owned()).matches_quickly(&secret));
    }

    #[test]
    fn an_expired_secret_is_dead() {
        let stored = StoredSecret {
            hash: SecretHash::Sha256(String::new()),
            created: UnixTime::new(0),
            expires: Some(UnixTime::new(10)),
        };
        assert!(stored.is_alive(UnixTime::new(9)));
        assert!(!stored.is_alive(UnixTime::new(10)));
    }
}
