//! The algorithms, each list once (RFC 7518, RFC 8037, RFC 9864).

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// An enum whose variants bear JOSE names.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// Every one of them, the preferred first.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in JOSE, as registered with IANA.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The one with this name; names are case-sensitive.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == name)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = Cow::<'de, str>::deserialize(deserializer)?;
                Self::parse(&name).ok_or_else(|| D::Error::custom("unknown algorithm"))
            }
        }
    };
}

named! {
    /// A signature algorithm: the `alg` of a JWS made with a private key. There is no `none` here, and no HMAC.
    SigningAlgorithm {
        /// ECDSA on P-256 with SHA-256 (RFC 7518 3.4).
        Es256 = "ES256",
        /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 3.3).
        Rs256 = "RS256",
        /// RSASSA-PSS with SHA-256 and a salt of 32 bytes (RFC 7518 3.5).
        Ps256 = "PS256",
        /// ECDSA on P-384 with SHA-384 (RFC 7518 3.4).
        Es384 = "ES384",
        /// Ed25519 under its older, ambiguous name (RFC 8037 3.1).
        EdDsa = "EdDSA",
        /// Ed25519 under its own name (RFC 9864 2.2).
        Ed25519 = "Ed25519",
    }
}

named! {
    /// A message authentication code: the `alg` of a JWS made with a shared secret (RFC 7518 3.2).
    MacAlgorithm {
        /// HMAC with SHA-256.
        Hs256 = "HS256",
        /// HMAC with SHA-384.
        Hs384 = "HS384",
        /// HMAC with SHA-512.
        Hs512 = "HS512",
    }
}

named! {
    /// A key management algorithm: the `alg` of a JWE (RFC 7518 4). There is no `RSA1_5` here, and no password.
    EncryptionAlgorithm {
        /// The content key agreed on directly (RFC 7518 4.6).
        EcdhEs = "ECDH-ES",
        /// A wrapping key of 128 bits agreed on (RFC 7518 4.6).
        EcdhEsA128Kw = "ECDH-ES+A128KW",
        /// A wrapping key of 256 bits agreed on (RFC 7518 4.6).
        EcdhEsA256Kw = "ECDH-ES+A256KW",
        /// RSAES-OAEP with SHA-256 (RFC 7518 4.3).
        RsaOaep256 = "RSA-OAEP-256",
        /// RSAES-OAEP with SHA-1, which what it needs of SHA-1 does not harm (RFC 7518 4.3).
        RsaOaep = "RSA-OAEP",
        /// AES key wrap under a shared key of 128 bits (RFC 7518 4.4).
        A128Kw = "A128KW",
        /// AES key wrap under a shared key of 256 bits (RFC 7518 4.4).
        A256Kw = "A256KW",
        /// The shared key is the content key (RFC 7518 4.5).
        Dir = "dir",
    }
}

named! {
    /// A content encryption algorithm: the `enc` of a JWE (RFC 7518 5).
    ContentEncryption {
        /// AES-GCM with a key of 256 bits.
        A256Gcm = "A256GCM",
        /// AES-GCM with a key of 128 bits.
        A128Gcm = "A128GCM",
        /// AES-CBC with 256 bits and HMAC-SHA-512.
        A256CbcHs512 = "A256CBC-HS512",
        /// AES-CBC with 128 bits and HMAC-SHA-256.
        A128CbcHs256 = "A128CBC-HS256",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for alg in SigningAlgorithm::ALL {
            assert_eq!(SigningAlgorithm::parse(alg.as_str()), Some(*alg));
            let json = serde_json::to_string(alg).unwrap();
            assert_eq!(json, format!("\"{alg}\""));
            assert_eq!(serde_json::from_str::<SigningAlgorithm>(&json).unwrap(), *alg);
        }
        for alg in EncryptionAlgorithm::ALL {
            assert_eq!(EncryptionAlgorithm::parse(alg.as_str()), Some(*alg));
        }
        for enc in ContentEncryption::ALL {
            assert_eq!(ContentEncryption::parse(enc.as_str()), Some(*enc));
        }
    }

    #[test]
    fn rfc7518_3_6_none_and_hmac_are_no_signatures() {
        for name in ["none", "None", "NONE", "", "HS256", "HS512", "es256", "ES256 ", "RS1", "ES521"] {
            assert_eq!(SigningAlgorithm::parse(name), None, "{name}");
            assert!(serde_json::from_value::<SigningAlgorithm>(name.into()).is_err());
        }
    }

    #[test]
    fn rfc7518_4_2_rsa1_5_and_passwords_do_not_exist() {
        for name in ["RSA1_5", "PBES2-HS256+A128KW", "A128GCMKW", "none", ""] {
            assert_eq!(EncryptionAlgorithm::parse(name), None, "{name}");
        }
    }
}
