//! Security profiles: what a client must do, as values.

use crate::client::AuthMethod;
use crate::value::Seconds;
use grantor_jose::SigningAlgorithm;
use serde::{Deserialize, Serialize};

/// How strict the server is with a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Profile {
    /// OAuth 2.1: PKCE for every authorization code.
    #[default]
    #[serde(rename = "oauth2.1")]
    OAuth21,
    /// What OpenID certification asks for: a confidential client may omit PKCE.
    #[serde(rename = "oidc")]
    Oidc,
    /// FAPI 2.0 Security Profile.
    #[serde(rename = "fapi2")]
    Fapi2,
    /// The same, and FAPI 2.0 Message Signing: requests, responses and introspection are signed too.
    #[serde(rename = "fapi2-message-signing")]
    Fapi2MessageSigning,
}

/// Which `aud` a client assertion may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssertionAudience {
    /// The issuer as the only value, as a text and not a list (FAPI 2.0 Security Profile 5.3.2.1; CVE-2025-27370).
    IssuerAlone,
    /// The issuer as the only value, be it in a list (rfc7523bis 4).
    Issuer,
    /// The issuer or the endpoint that it is sent to, and in a list others too (OpenID Connect Core 9).
    Any,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 4] = [Self::OAuth21, Self::Oidc, Self::Fapi2, Self::Fapi2MessageSigning];

    /// Its name in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OAuth21 => "oauth2.1",
            Self::Oidc => "oidc",
            Self::Fapi2 => "fapi2",
            Self::Fapi2MessageSigning => "fapi2-message-signing",
        }
    }

    /// Its place among them, the laxest first: a client may be held to one further on than its own, never to one before.
    pub const fn strictness(self) -> u8 {
        match self {
            Self::Oidc => 0,
            Self::OAuth21 => 1,
            Self::Fapi2 => 2,
            Self::Fapi2MessageSigning => 3,
        }
    }

    /// Whether it is one of the two of FAPI 2.0.
    pub const fn is_fapi2(self) -> bool {
        matches!(self, Self::Fapi2 | Self::Fapi2MessageSigning)
    }

    /// Whether an authorization request must carry a code challenge (OAuth 2.1 4.1.1). OpenID Connect
    /// knows clients without: their secret still guards the code, and a nonce guards against injection (RFC 9700 2.1.1).
    pub const fn requires_pkce(self, confidential: bool) -> bool {
        match self {
            Self::Oidc => !confidential,
            Self::OAuth21 | Self::Fapi2 | Self::Fapi2MessageSigning => true,
        }
    }

    /// The ways in which its clients may authenticate. FAPI 2.0 Security Profile 5.3.2.1 has two kinds only, and
    /// a secret that signs assertions must be kept readable, so that only who needs it may have it.
    pub const fn allows_auth_method(self, method: AuthMethod) -> bool {
        match self {
            Self::OAuth21 => !matches!(method, AuthMethod::ClientSecretJwt),
            Self::Oidc => true,
            Self::Fapi2 | Self::Fapi2MessageSigning => matches!(
                method,
                AuthMethod::PrivateKeyJwt | AuthMethod::TlsClientAuth | AuthMethod::SelfSignedTlsClientAuth
            ),
        }
    }

    /// Whether its clients may sign with an algorithm, and be sent what is signed with it (FAPI 2.0 Security Profile 5.4.1).
    pub const fn allows_algorithm(self, algorithm: SigningAlgorithm) -> bool {
        match self {
            Self::OAuth21 | Self::Oidc => true,
            Self::Fapi2 | Self::Fapi2MessageSigning => matches!(
                algorithm,
                SigningAlgorithm::Ps256 | SigningAlgorithm::Es256 | SigningAlgorithm::EdDsa | SigningAlgorithm::Ed25519
            ),
        }
    }

    /// The algorithms of [`Self::allows_algorithm`].
    pub fn algorithms(self) -> Vec<SigningAlgorithm> {
        SigningAlgorithm::ALL.iter().copied().filter(|algorithm| self.allows_algorithm(*algorithm)).collect()
    }

    /// Which `aud` a client assertion may have.
    pub const fn assertion_audience(self) -> AssertionAudience {
        match self {
            Self::OAuth21 => AssertionAudience::Issuer,
            Self::Oidc => AssertionAudience::Any,
            Self::Fapi2 | Self::Fapi2MessageSigning => AssertionAudience::IssuerAlone,
        }
    }

    /// Whether authorization requests must be pushed (FAPI 2.0 Security Profile 5.3.2.2).
    pub const fn requires_pushed_requests(self) -> bool {
        self.is_fapi2()
    }

    /// Whether authorization requests must be signed (FAPI 2.0 Message Signing 5.3.1).
    pub const fn requires_signed_requests(self) -> bool {
        matches!(self, Self::Fapi2MessageSigning)
    }

    /// Whether authorization responses must be signed (FAPI 2.0 Message Signing 5.4.1).
    pub const fn requires_signed_responses(self) -> bool {
        matches!(self, Self::Fapi2MessageSigning)
    }

    /// Whether access tokens must be bound to a key (FAPI 2.0 Security Profile 5.3.2.1).
    pub const fn requires_sender_constraint(self) -> bool {
        self.is_fapi2()
    }

    /// Whether a refresh token is replaced when it is used. For clients who prove a key at each use it is not
    /// (FAPI 2.0 Security Profile 5.3.2.1).
    pub const fn rotates_refresh_tokens(self) -> bool {
        !self.is_fapi2()
    }

    /// The longest life of an authorization code (FAPI 2.0 Security Profile 5.3.2.2; RFC 6749 4.1.2).
    pub const fn longest_code(self) -> Seconds {
        if self.is_fapi2() { Seconds::new(60) } else { Seconds::new(600) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_the_configuration_are_those_of_serde() {
        for profile in Profile::ALL {
            assert_eq!(serde_json::to_value(profile).unwrap(), profile.as_str());
        }
    }

    #[test]
    fn a_stricter_profile_allows_nothing_that_a_laxer_one_does_not() {
        for (strict, lax) in Profile::ALL.into_iter().flat_map(|one| Profile::ALL.map(|other| (one, other))) {
            if strict.strictness() < lax.strictness() {
                continue;
            }
            let among = |method: &AuthMethod| !strict.allows_auth_method(*method) || lax.allows_auth_method(*method);
            assert!(AuthMethod::ALL.iter().all(among), "{strict:?} {lax:?}");
            assert!(strict.algorithms().into_iter().all(|one| lax.allows_algorithm(one)), "{strict:?} {lax:?}");
            for confidential in [false, true] {
                assert!(strict.requires_pkce(confidential) || !lax.requires_pkce(confidential), "{strict:?} {lax:?}");
            }
            let wants = |profile: Profile| {
                [
                    profile.requires_pushed_requests(),
                    profile.requires_signed_requests(),
                    profile.requires_signed_responses(),
                    profile.requires_sender_constraint(),
                ]
            };
            let pairs = wants(strict).into_iter().zip(wants(lax));
            assert!(pairs.into_iter().all(|(strict, lax)| strict || !lax), "{strict:?} {lax:?}");
        }
    }

    #[test]
    fn fapi2_security_profile_5_3_2_1_only_keys_authenticate() {
        let allowed: Vec<_> =
            AuthMethod::ALL.into_iter().filter(|method| Profile::Fapi2.allows_auth_method(*method)).collect();
        assert_eq!(
            allowed,
            [AuthMethod::PrivateKeyJwt, AuthMethod::TlsClientAuth, AuthMethod::SelfSignedTlsClientAuth]
        );
    }

    #[test]
    fn fapi2_security_profile_5_4_1_no_rs256() {
        let names: Vec<_> = Profile::Fapi2.algorithms().into_iter().map(SigningAlgorithm::as_str).collect();
        assert!(!names.contains(&"RS256") && !names.contains(&"ES384"));
        assert_eq!(names.len(), 4);
    }
}
