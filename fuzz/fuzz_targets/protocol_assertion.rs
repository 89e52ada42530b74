//! Assertions and federated credentials: nothing is believed without a good signature, and a declaration may say anything.
#![no_main]

use grantor_jose::{JwkSet, SigningAlgorithm, SigningKey, base64url, jws};
use grantor_protocol::client::auth::assertion::{Assertion, Expected, verify, verify_mac};
use grantor_protocol::client::federated::{self, FederatedCredential};
use grantor_protocol::client::{Client, ClientMetadata};
use grantor_protocol::profile::Profile;
use grantor_protocol::value::{ClientId, Issuer, Secret, TenantName, UnixTime};
use libfuzzer_sys::fuzz_target;
use serde_json::json;
use std::sync::LazyLock;

const NOW: UnixTime = UnixTime::new(1_800_000_000);

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(SigningAlgorithm::Ed25519).expect("a key"));
static KEYS: LazyLock<JwkSet> = LazyLock::new(|| JwkSet { keys: vec![KEY.public_jwk()] });
static ISSUER: LazyLock<Issuer> = LazyLock::new(|| Issuer::parse("https://id.example").expect("an issuer"));

static CLIENTS: LazyLock<Vec<Client>> = LazyLock::new(|| {
    let client = |profile| {
        let mut metadata = ClientMetadata::new(TenantName::default(), ClientId::parse("c").expect("a client id"));
        metadata.profile = profile;
        Client { metadata, secrets: vec![], issued_at: NOW }
    };
    Profile::ALL.into_iter().map(client).collect()
});

/// What somebody without the key could send: anything, a header of his own over claims, and another's signature.
fn forged(header: &str, claims: &str) -> [String; 3] {
    let parts = format!("{}.{}", base64url::encode(header), base64url::encode(claims));
    [claims.to_owned(), format!("{parts}."), format!("{parts}.{}", base64url::encode([7; 64]))]
}

fn believed(assertion: &Assertion, credential: Option<&FederatedCredential>) -> bool {
    let secret = Secret::new("a secret of more than thirty-two bytes".to_owned());
    let federation = credential
        .is_some_and(|credential| federated::verify(assertion, credential, &KEYS, Profile::OAuth21, NOW).is_ok());
    CLIENTS.iter().fold(federation, |before, client| {
        let expected = Expected { client: &client.metadata, issuer: &ISSUER, endpoints: &[], now: NOW };
        before | verify(assertion, &KEYS, &expected).is_ok() | verify_mac(assertion, &secret, &expected).is_ok()
    })
}

/// A declaration with one condition of each kind.
fn declared(claim: &str, text: &str) -> [FederatedCredential; 3] {
    [json!({"equals": text}), json!({"one_of": [text, 1]}), json!({"glob": text})].map(|mut condition| {
        condition["claim"] = claim.into();
        let declared = json!({
            "name": "n", "issuer": "https://idp.example", "audience": "https://id.example", "conditions": [condition],
        });
        serde_json::from_value(declared).expect("a credential")
    })
}

fuzz_target!(|input: (&str, &str, &str, &str)| {
    let (header, tail, claim, text) = input;
    // Half of the way is given, so that the other half is reached.
    let claims = |issuer: &str| {
        format!(r#"{{"iss":"{issuer}","aud":"https://id.example","exp":1800000060,"sub":{}{tail}}}"#, json!(text))
    };
    let credentials = declared(claim, text);
    for text in [&claims("c"), &claims("https://idp.example"), tail].into_iter().flat_map(|text| forged(header, text)) {
        if let Ok(assertion) = Assertion::parse(&text) {
            assert!(!credentials.iter().any(|credential| believed(&assertion, Some(credential))), "nobody has the key");
            let _ = (assertion.unverified_subject(), assertion.kid(), assertion.is_mac());
        }
    }
    let signed = |claims: &str| Assertion::parse(&jws::sign(&KEY, "JWT", claims.as_bytes()).expect("signed"));
    if let Ok(assertion) = signed(&claims("c")) {
        assert!(assertion.unverified_subject() == Some("c") || !believed(&assertion, None), "it is its client's own");
    }
    for credential in &credentials {
        let _ = (credential.problems(), credential.warnings());
        if let Ok(assertion) = signed(&claims("https://idp.example")) {
            // With the key, the dry run and the decision agree.
            let judged = credential.judge(assertion.unverified_claims(), NOW);
            let decided = federated::verify(&assertion, credential, &KEYS, Profile::OAuth21, NOW);
            assert_eq!(judged.holds(), decided.is_ok(), "{decided:?}");
        }
    }
    if let Ok(credential) = serde_json::from_str::<FederatedCredential>(tail) {
        let _ = (credential.problems(), credential.warnings());
    }
});
