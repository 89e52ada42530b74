//! Proofs at an API (RFC 9449 7).

use crate::Refusal;
use crate::credential::Head;
use crate::replay::Replay;
use grantor_jose::{JwkThumbprint, SigningAlgorithm};
use grantor_protocol::Refusal as Wrong;
use grantor_protocol::token::dpop::{Expected, KnownKeys, Nonces, verify};
use grantor_protocol::token::handle::HandleKeys;
use grantor_protocol::value::UnixTime;
use http::HeaderName;

/// What checks proofs.
pub(crate) struct Dpop {
    /// What stands before the path in the URL that clients call.
    pub(crate) origin: String,
    pub(crate) algorithms: Vec<SigningAlgorithm>,
    /// What nonces are made with, where they are wanted.
    pub(crate) nonces: Option<HandleKeys>,
    pub(crate) replay: Replay,
    pub(crate) known: KnownKeys,
}

/// RFC 9449 4.1.
const DPOP: HeaderName = HeaderName::from_static("dpop");

impl Dpop {
    /// Whether the request has a proof at all.
    pub(crate) fn has_proof(head: &Head<'_>) -> bool {
        head.headers.contains_key(DPOP)
    }

    /// Whether the request proves that its sender holds the key that the token is bound to (RFC 9449 4.3, 7.1).
    pub(crate) fn check(
        &self,
        head: &Head<'_>,
        token: &str,
        key: &JwkThumbprint,
        now: UnixTime,
    ) -> Result<(), Refusal> {
        let headers: Result<Vec<_>, _> = head.headers.get_all(DPOP).iter().map(http::HeaderValue::to_str).collect();
        let headers = headers.map_err(|_| Refusal::WrongProof(Wrong::MalformedDpopProof))?;
        let uri = format!("{}{}", self.origin, head.uri.path());
        let expected = Expected {
            method: head.method.as_str(),
            uri: &uri,
            access_token: Some(token),
            nonces: self.nonces.as_ref().map(Nonces),
            algorithms: &self.algorithms,
            known: Some(&self.known),
            now,
        };
        let proof = match verify(&headers, &expected) {
            Ok(Some(proof)) => proof,
            Ok(None) => return Err(Refusal::NoProof),
            Err(Wrong::DpopNonceMissing | Wrong::DpopNonceNotFresh) => return Err(Refusal::NonceWanted),
            Err(why) => return Err(Refusal::WrongProof(why)),
        };
        if proof.key != *key {
            return Err(Refusal::OtherKey);
        }
        self.replay.remember(&proof, now)
    }

    /// A nonce for the next proof, where they are wanted.
    pub(crate) fn nonce(&self, now: UnixTime) -> Option<String> {
        self.nonces.as_ref().and_then(|keys| Nonces(keys).fresh(now))
    }
}
