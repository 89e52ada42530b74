use super::*;
use grantor_jose::jws::{self, Unverified};
use grantor_jose::{JwkSet, SigningAlgorithm, SigningKey, digest};
use grantor_protocol::value::{ClientId, Seconds, UnixTime};
use serde_json::json;

struct Case {
    key: SigningKey,
    keys: JwkSet,
    client: ClientId,
    nonce: Secret,
    access_token: Secret,
}

impl Case {
    fn new() -> Self {
        let key = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
        let set = json!({ "keys": [serde_json::to_value(key.public_jwk()).unwrap()] });
        Self {
            key,
            keys: JwkSet::parse(set.to_string()).unwrap(),
            client: ClientId::parse("app").unwrap(),
            nonce: Secret::new("n".to_owned()),
            access_token: Secret::new("at".to_owned()),
        }
    }

    fn expected(&self) -> Expected<'_> {
        Expected {
            issuer: "https://id.example",
            client: &self.client,
            keys: &self.keys,
            algorithms: &[SigningAlgorithm::Es256],
            nonce: Some(&self.nonce),
            max_age: Some(Seconds::new(100)),
            access_token: &self.access_token,
            subject: None,
            now: UnixTime::new(1_000),
        }
    }

    /// The good claims with some changed; null takes one away.
    fn token(&self, changed: &Value) -> Secret {
        let mut claims = json!({
            "iss": "https://id.example", "aud": "app", "sub": "alice", "exp": 1_100, "iat": 1_000, "nonce": "n",
            "auth_time": 950, "at_hash": digest::left_half(SigningAlgorithm::Es256, "at"),
        });
        for (name, value) in changed.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        Secret::new(jws::sign(&self.key, "JWT", claims.to_string().as_bytes()).unwrap())
    }

    fn check(&self, changed: &Value) -> Result<Identity, IdTokenProblem> {
        Identity::check(&self.token(changed), &self.expected())
    }
}

#[test]
fn oidc_core_3_1_3_7_a_good_one_is_accepted() {
    let case = Case::new();
    assert_eq!(case.check(&json!({})).unwrap().subject(), "alice");
    assert!(case.check(&json!({ "aud": ["app"], "azp": "app", "exp": 1_100.5 })).is_ok());
}

#[test]
fn oidc_core_3_1_3_7_each_claim_is_checked() {
    let case = Case::new();
    for (changed, problem) in [
        (json!({ "iss": "https://id.example/" }), IdTokenProblem::Issuer),
        (json!({ "iss": null }), IdTokenProblem::Claim("iss")),
        (json!({ "aud": "other" }), IdTokenProblem::Audience),
        (json!({ "aud": ["app", "other"] }), IdTokenProblem::Audience),
        (json!({ "aud": [] }), IdTokenProblem::Audience),
        (json!({ "aud": null }), IdTokenProblem::Claim("aud")),
        (json!({ "azp": "other" }), IdTokenProblem::AuthorizedParty),
        (json!({ "exp": 970 }), IdTokenProblem::Expired),
        (json!({ "exp": null }), IdTokenProblem::Claim("exp")),
        (json!({ "exp": "2000" }), IdTokenProblem::Claim("exp")),
        (json!({ "iat": 1_031 }), IdTokenProblem::FromTheFuture),
        (json!({ "iat": null }), IdTokenProblem::Claim("iat")),
        (json!({ "nonce": "m" }), IdTokenProblem::Nonce),
        (json!({ "nonce": null }), IdTokenProblem::Nonce),
        (json!({ "at_hash": "x" }), IdTokenProblem::AccessTokenHash),
        (json!({ "auth_time": 800 }), IdTokenProblem::TooLongAgo),
        (json!({ "auth_time": null }), IdTokenProblem::Claim("auth_time")),
        (json!({ "sub": null }), IdTokenProblem::Claim("sub")),
        (json!({ "sub": "" }), IdTokenProblem::Claim("sub")),
    ] {
        assert_eq!(case.check(&changed).unwrap_err(), problem, "{changed}");
    }
}

#[test]
fn oidc_core_12_2_a_refresh_does_not_change_the_user() {
    let case = Case::new();
    let expected = |subject| Expected { subject: Some(subject), ..case.expected() };
    assert!(Identity::check(&case.token(&json!({})), &expected("alice")).is_ok());
    let refused = Identity::check(&case.token(&json!({})), &expected("bob")).unwrap_err();
    assert_eq!(refused, IdTokenProblem::AnotherUser);
}

#[test]
fn rfc8725_3_11_another_kind_of_token_is_refused() {
    let case = Case::new();
    let claims = case.token(&json!({}));
    let payload = Unverified::parse(claims.expose()).unwrap().unverified_payload().to_vec();
    let access = Secret::new(jws::sign(&case.key, "at+jwt", &payload).unwrap());
    assert_eq!(Identity::check(&access, &case.expected()).unwrap_err(), IdTokenProblem::Type);
}

#[test]
fn oidc_core_3_1_3_7_the_signature_is_the_issuers() {
    let (case, other) = (Case::new(), Case::new());
    let forged = Identity::check(&other.token(&json!({})), &case.expected()).unwrap_err();
    assert!(matches!(forged, IdTokenProblem::Signature(_)));
    let another = Expected { algorithms: &[SigningAlgorithm::Rs256], ..case.expected() };
    let refused = Identity::check(&case.token(&json!({})), &another).unwrap_err();
    assert_eq!(refused, IdTokenProblem::Signature(jws::Refused::Algorithm));
    assert!(matches!(
        Identity::check(&Secret::new("a.b".to_owned()), &case.expected()),
        Err(IdTokenProblem::Malformed(_))
    ));
}
