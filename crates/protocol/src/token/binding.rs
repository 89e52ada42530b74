//! To which key an access token, a refresh token or a code is bound: at most one, by construction
//! (RFC 9449 6, RFC 8705 3).

use crate::client::ClientMetadata;
use crate::directory::RequiredBinding;
use crate::error::Refusal;
use grantor_jose::{JwkThumbprint, base64url, digest};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::fmt;

/// What its bearer must prove.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Binding {
    /// Nothing.
    #[default]
    #[serde(rename = "bearer")]
    Bearer,
    /// The key of a DPoP proof (RFC 9449).
    #[serde(rename = "jkt")]
    Dpop(JwkThumbprint),
    /// The certificate of the TLS connection (RFC 8705).
    #[serde(rename = "x5t#S256")]
    Mtls(CertificateThumbprint),
}

/// The SHA-256 digest of a certificate in DER: `x5t#S256` (RFC 8705 3.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CertificateThumbprint([u8; 32]);

impl Binding {
    /// `cnf` (RFC 7800 3.1); none for a bearer token.
    pub fn confirmation(&self) -> Option<Value> {
        match self {
            Self::Bearer => None,
            Self::Dpop(key) => Some(json!({ "jkt": key })),
            Self::Mtls(certificate) => Some(json!({ "x5t#S256": certificate })),
        }
    }

    /// Reads `cnf` among claims made here. None for a confirmation that is not understood: it must not pass for a bearer
    /// token.
    pub fn from_claims(claims: &Map<String, Value>) -> Option<Self> {
        let Some(confirmation) = claims.get("cnf") else { return Some(Self::Bearer) };
        let members = confirmation.as_object()?;
        let mut members = members.iter();
        let (Some((name, value)), None) = (members.next(), members.next()) else { return None };
        match name.as_str() {
            "jkt" => JwkThumbprint::parse(value.as_str()?).map(Self::Dpop),
            "x5t#S256" => CertificateThumbprint::parse(value.as_str()?).map(Self::Mtls),
            _ => None,
        }
    }

    /// `token_type` (RFC 9449 5; RFC 8705 leaves it at `Bearer`).
    pub const fn token_type(&self) -> &'static str {
        match self {
            Self::Bearer | Self::Mtls(_) => "Bearer",
            Self::Dpop(_) => "DPoP",
        }
    }

    /// Whether nothing must be proved.
    pub const fn is_bearer(&self) -> bool {
        matches!(self, Self::Bearer)
    }
}

/// The keys that a request proved that its sender holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proven {
    /// By a DPoP proof.
    pub dpop: Option<JwkThumbprint>,
    /// By the TLS connection.
    pub certificate: Option<CertificateThumbprint>,
}

impl Proven {
    /// Whether what is bound in this way may be used.
    pub fn holds(&self, binding: &Binding) -> bool {
        match binding {
            Binding::Bearer => true,
            Binding::Dpop(key) => self.dpop == Some(*key),
            Binding::Mtls(certificate) => self.certificate == Some(*certificate),
        }
    }

    /// The binding to whatever was proved; a proof that was sent is meant.
    pub fn strongest(&self) -> Binding {
        match (self.dpop, self.certificate) {
            (Some(key), _) => Binding::Dpop(key),
            (None, Some(certificate)) => Binding::Mtls(certificate),
            (None, None) => Binding::Bearer,
        }
    }

    /// How an access token of this client for these APIs is bound (RFC 9449 5, 5.2; RFC 8705 3; RFC 9728 2).
    pub fn bind<'a>(
        &self,
        client: &ClientMetadata,
        required: impl IntoIterator<Item = &'a RequiredBinding>,
    ) -> Result<Binding, Refusal> {
        let required: Vec<_> = required.into_iter().collect();
        if self.dpop.is_none() && (client.dpop_bound_access_tokens || required.contains(&&RequiredBinding::Dpop)) {
            return Err(Refusal::DpopProofRequired);
        }
        let mtls = client.tls_client_certificate_bound_access_tokens || required.contains(&&RequiredBinding::Mtls);
        if mtls && self.certificate.is_none() {
            return Err(Refusal::CertificateRequired);
        }
        let must = client.profile.requires_sender_constraint() || required.contains(&&RequiredBinding::Any);
        match (self.dpop, self.certificate) {
            (_, Some(certificate)) if required.contains(&&RequiredBinding::Mtls) => Ok(Binding::Mtls(certificate)),
            (Some(key), _) => Ok(Binding::Dpop(key)),
            // Whoever connects with a certificate for another reason did not ask for its tokens to be bound to it.
            (None, Some(certificate)) if mtls || must => Ok(Binding::Mtls(certificate)),
            _ if must => Err(Refusal::SenderConstraintRequired),
            _ => Ok(Binding::Bearer),
        }
    }
}

impl CertificateThumbprint {
    /// Of a certificate in DER.
    pub fn of(der: &[u8]) -> Self {
        Self(digest::sha256(der))
    }

    /// From the 43 characters of its base64url form.
    pub fn parse(text: &str) -> Option<Self> {
        base64url::decode(text)?.try_into().ok().map(Self)
    }
}

impl fmt::Display for CertificateThumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url::encode(self.0))
    }
}

impl fmt::Debug for CertificateThumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CertificateThumbprint({self})")
    }
}

impl Serialize for CertificateThumbprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CertificateThumbprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not a SHA-256 thumbprint"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;
    use crate::value::{ClientId, TenantName};

    fn read(cnf: &str) -> Option<Binding> {
        Binding::from_claims(serde_json::from_str::<Value>(&format!(r#"{{"cnf":{cnf}}}"#)).unwrap().as_object()?)
    }

    #[test]
    fn rfc9449_6_1_rfc8705_3_1_the_confirmation_is_read_as_it_was_written() {
        let key = Binding::Dpop(JwkThumbprint::from_bytes([1; 32]));
        let certificate = Binding::Mtls(CertificateThumbprint::of(b"der"));
        for binding in [key, certificate] {
            assert_eq!(read(&binding.confirmation().unwrap().to_string()), Some(binding));
            assert_eq!(serde_json::from_value::<Binding>(json!(binding)).unwrap(), binding);
        }
        assert_eq!(Binding::from_claims(&Map::new()), Some(Binding::Bearer));
    }

    fn bound(
        change: impl FnOnce(&mut ClientMetadata),
        required: RequiredBinding,
        proven: Proven,
    ) -> Result<Binding, Refusal> {
        let mut client = ClientMetadata::new(TenantName::default(), ClientId::parse("a").unwrap());
        change(&mut client);
        proven.bind(&client, [&required])
    }

    const KEY: Proven = Proven { dpop: Some(JwkThumbprint::from_bytes([1; 32])), certificate: None };
    const NOTHING: Proven = Proven { dpop: None, certificate: None };

    fn certificate() -> Proven {
        Proven { dpop: None, certificate: Some(CertificateThumbprint::of(b"der")) }
    }

    #[test]
    fn rfc9449_5_2_a_client_that_always_proves_its_key_gets_no_bearer_token() {
        let dpop = |client: &mut ClientMetadata| client.dpop_bound_access_tokens = true;
        assert_eq!(bound(dpop, RequiredBinding::None, NOTHING), Err(Refusal::DpopProofRequired));
        assert_eq!(bound(dpop, RequiredBinding::None, certificate()), Err(Refusal::DpopProofRequired));
        assert_eq!(bound(dpop, RequiredBinding::None, KEY), Ok(KEY.strongest()));
    }

    #[test]
    fn rfc9449_5_a_proof_binds_whoever_sends_it() {
        assert_eq!(bound(|_| {}, RequiredBinding::None, KEY), Ok(KEY.strongest()));
        assert_eq!(bound(|_| {}, RequiredBinding::None, NOTHING), Ok(Binding::Bearer));
    }

    #[test]
    fn rfc8705_3_4_a_client_says_whether_its_tokens_are_bound_to_its_certificate() {
        let mtls = |client: &mut ClientMetadata| client.tls_client_certificate_bound_access_tokens = true;
        assert_eq!(bound(mtls, RequiredBinding::None, NOTHING), Err(Refusal::CertificateRequired));
        assert_eq!(bound(mtls, RequiredBinding::None, certificate()), Ok(certificate().strongest()));
        assert_eq!(bound(|_| {}, RequiredBinding::None, certificate()), Ok(Binding::Bearer));
    }

    #[test]
    fn rfc9728_2_an_api_requires_what_its_bearers_must_prove() {
        use RequiredBinding::{Any, Dpop, Mtls};
        let cases = [
            (Dpop, NOTHING, Err(Refusal::DpopProofRequired)),
            (Dpop, certificate(), Err(Refusal::DpopProofRequired)),
            (Dpop, KEY, Ok(KEY.strongest())),
            (Mtls, NOTHING, Err(Refusal::CertificateRequired)),
            (Mtls, KEY, Err(Refusal::CertificateRequired)),
            (Mtls, certificate(), Ok(certificate().strongest())),
            (Any, NOTHING, Err(Refusal::SenderConstraintRequired)),
            (Any, KEY, Ok(KEY.strongest())),
            (Any, certificate(), Ok(certificate().strongest())),
        ];
        for (required, proven, outcome) in cases {
            assert_eq!(bound(|_| {}, required, proven), outcome, "{required:?} {proven:?}");
        }
        let both = Proven { dpop: KEY.dpop, ..certificate() };
        assert_eq!(bound(|_| {}, Mtls, both), Ok(certificate().strongest()));
        assert_eq!(bound(|_| {}, Dpop, both), Ok(KEY.strongest()));
    }

    #[test]
    fn fapi2_security_profile_5_3_2_1_tokens_are_bound() {
        let fapi2 = |client: &mut ClientMetadata| client.profile = Profile::Fapi2;
        assert_eq!(bound(fapi2, RequiredBinding::None, NOTHING), Err(Refusal::SenderConstraintRequired));
        assert_eq!(bound(fapi2, RequiredBinding::None, KEY), Ok(KEY.strongest()));
        assert_eq!(bound(fapi2, RequiredBinding::None, certificate()), Ok(certificate().strongest()));
    }

    #[test]
    fn rfc7800_3_1_what_is_not_understood_is_no_bearer_token() {
        for cnf in ["{}", r#"{"kid":"a"}"#, r#"{"jkt":"short"}"#, r#"{"jkt":1}"#, "1", "null"] {
            assert_eq!(read(cnf), None, "{cnf}");
        }
        let both = format!(r#"{{"jkt":"{0}","x5t#S256":"{0}"}}"#, JwkThumbprint::from_bytes([1; 32]));
        assert_eq!(read(&both), None);
    }
}
