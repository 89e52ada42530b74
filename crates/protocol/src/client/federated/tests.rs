use super::*;
use crate::client::AuthMethod;
use crate::client::auth::assertion::tests::{key, sealed, set, signed};
use crate::client::auth::by_grant;
use crate::client::auth::tests::client;
use crate::grant::GrantType;
use crate::profile::Profile;
use crate::value::{ClientId, TenantName};
use grantor_jose::SigningAlgorithm;
use grantor_jose::SigningKey;
use grantor_jose::jws::sign;
use serde_json::{Map, json};
use std::sync::Arc;

/// When all of the samples below are good.
pub(super) const NOW: UnixTime = UnixTime::new(1_800_000_000);

/// A declaration as people write it.
pub(super) fn credential(issuer: &str, conditions: &Value) -> FederatedCredential {
    let declared = json!({
        "name": "deploy", "issuer": issuer, "audience": "https://id.example", "conditions": conditions,
    });
    serde_json::from_value(declared).unwrap()
}

pub(super) fn map(claims: &Value) -> Map<String, Value> {
    claims.as_object().unwrap().clone()
}

/// The example of GitHub's documentation, with our audience and moments.
pub(super) fn github() -> Value {
    json!({
        "jti": "example-id",
        "sub": "repo:octo-org/octo-repo:environment:prod",
        "environment": "prod",
        "aud": "https://id.example",
        "ref": "refs/heads/main",
        "sha": "example-sha",
        "repository": "octo-org/octo-repo",
        "repository_owner": "octo-org",
        "actor_id": "12",
        "repository_visibility": "private",
        "repository_id": "74",
        "repository_owner_id": "65",
        "run_id": "example-run-id",
        "run_number": "10",
        "run_attempt": "2",
        "runner_environment": "github-hosted",
        "actor": "octocat",
        "workflow": "example-workflow",
        "head_ref": "",
        "base_ref": "",
        "event_name": "workflow_dispatch",
        "enterprise": "avocado-corp",
        "enterprise_id": "2",
        "ref_type": "branch",
        "job_workflow_ref": "octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main",
        "iss": "https://token.actions.githubusercontent.com",
        "nbf": NOW.get() - 600, "exp": NOW.get() + 300, "iat": NOW.get(),
    })
}

/// The example of GitLab's documentation, with our audience and moments.
pub(super) fn gitlab() -> Value {
    json!({
        "namespace_id": "72",
        "namespace_path": "my-group",
        "project_id": "20",
        "project_path": "my-group/my-project",
        "user_id": "1",
        "user_login": "sample-user",
        "user_email": "sample-user@example.com",
        "user_identities": [
            {"provider": "github", "extern_uid": "2435223452345"},
            {"provider": "bitbucket", "extern_uid": "john.smith"},
        ],
        "groups_direct": ["my-group", "my-group/inner"],
        "pipeline_id": "574",
        "pipeline_source": "push",
        "job_id": "302",
        "ref": "feature-branch-1",
        "ref_type": "branch",
        "ref_path": "refs/heads/feature-branch-1",
        "ref_protected": "false",
        "environment": "test-environment2",
        "environment_protected": "false",
        "deployment_tier": "testing",
        "runner_id": 1,
        "runner_environment": "self-hosted",
        "sha": "714a629c0b401fdce83e847fc9589983fc6f46bc",
        "ci_config_ref_uri": "gitlab.example.com/my-group/my-project//.gitlab-ci.yml@refs/heads/main",
        "jti": "235b3a54-b797-45c7-ae9a-f72d7bc6ef5b",
        "iss": "https://gitlab.example.com",
        "iat": NOW.get(), "nbf": NOW.get() - 5, "exp": NOW.get() + 3_600,
        "sub": "project_path:my-group/my-project:ref_type:branch:ref:feature-branch-1",
        "aud": "https://id.example",
    })
}

/// A token of a pod under Kubernetes 1.30, good for a year, with our audience and moments.
pub(super) fn kubernetes() -> Value {
    json!({
        "aud": ["https://kubernetes.default.svc.cluster.local", "https://id.example"],
        "exp": NOW.get() + 31_536_000,
        "iat": NOW.get(),
        "iss": "https://kubernetes.default.svc.cluster.local",
        "jti": "e51f1fbc-4733-4b85-a59f-ba80c0523874",
        "kubernetes.io": {
            "namespace": "default",
            "node": {"name": "contour-worker", "uid": "517eb86e-b863-451b-bf70-86cb61439a3a"},
            "pod": {"name": "shell", "uid": "0d8b260e-ef0e-45fb-be8e-ff44f97722e8"},
            "serviceaccount": {"name": "default", "uid": "e6a8680e-d103-4cce-80ea-03acbbeacf7d"},
            "warnafter": NOW.get() + 3_607,
        },
        "nbf": NOW.get(),
        "sub": "system:serviceaccount:default:default",
    })
}

fn ours() -> FederatedCredential {
    credential(
        "https://token.actions.githubusercontent.com",
        &json!([{"claim": "repository_id", "equals": "74"}, {"claim": "environment", "equals": "prod"}]),
    )
}

fn with(changes: &Value) -> Value {
    let mut claims = github();
    for (name, value) in changes.as_object().unwrap() {
        claims.as_object_mut().unwrap().remove(name);
        if !value.is_null() {
            claims[name] = value.clone();
        }
    }
    claims
}

fn decide(typ: &str, claims: &Value) -> Result<Used, Refusal> {
    let key = key(SigningAlgorithm::Es256);
    verify(&signed(&key, typ, claims), &ours(), &set(&[&key]), Profile::OAuth21, NOW)
}

#[test]
fn rfc7521_4_2_a_token_of_the_issuer_speaks_for_the_client() {
    assert_eq!(decide("JWT", &github()).unwrap().until, UnixTime::new(NOW.get() + 360));
}

#[test]
fn rfc7523_3_each_rule_for_a_token_of_another_issuer_has_its_refusal() {
    for (changes, refusal) in [
        (json!({"iss": "https://token.actions.githubusercontent.com/"}), Refusal::AssertionIssuerMismatch),
        (json!({"aud": "https://github.com/octo-org"}), Refusal::AssertionAudienceMismatch),
        (json!({"exp": null}), Refusal::AssertionWithoutExpiry),
        (json!({"exp": "1900000000"}), Refusal::MalformedClientAssertion),
        (json!({"exp": NOW.get()}), Refusal::AssertionExpired),
        (json!({"nbf": NOW.get() + 61}), Refusal::AssertionNotYetValid),
        (json!({"nbf": 1.5}), Refusal::MalformedClientAssertion),
        (json!({"sub": null}), Refusal::AssertionSubjectMismatch),
        (json!({"sub": ""}), Refusal::AssertionSubjectMismatch),
        (json!({"jti": 1}), Refusal::AssertionWithoutId),
        (json!({"repository_id": "75"}), Refusal::NoFederatedCredentialFits),
        (json!({"environment": null}), Refusal::NoFederatedCredentialFits),
    ] {
        assert_eq!(decide("JWT", &with(&changes)), Err(refusal), "{changes}");
    }
}

#[test]
fn rfc7523_3_a_credential_without_conditions_lets_nobody_in() {
    let key = key(SigningAlgorithm::Es256);
    let open = FederatedCredential { conditions: vec![], ..ours() };
    let refused = verify(&signed(&key, "JWT", &github()), &open, &set(&[&key]), Profile::OAuth21, NOW);
    assert_eq!(refused, Err(Refusal::NoFederatedCredentialFits));
}

#[test]
fn rfc8725_3_11_access_tokens_and_others_prove_no_workload() {
    for good in ["JWT", "jwt", "JOSE", "client-authentication+jwt"] {
        assert!(decide(good, &github()).is_ok(), "{good}");
    }
    for bad in ["at+jwt", "application/at+jwt", "dpop+jwt", "logout+jwt", "oauth-id-jag+jwt", ""] {
        assert_eq!(decide(bad, &github()), Err(Refusal::MalformedClientAssertion), "{bad}");
    }
}

#[test]
fn rfc7523_3_the_key_is_one_of_the_issuer_and_speaks_before_any_rule() {
    let (theirs, other) = (key(SigningAlgorithm::Rs256), key(SigningAlgorithm::Rs256));
    let disguised = SigningKey::from_pkcs8(SigningAlgorithm::Rs256, other.to_pkcs8()).unwrap();
    let disguised = disguised.with_key_id(theirs.key_id()).unwrap();
    let decide = |key: &SigningKey, claims: &Value| {
        verify(&signed(key, "JWT", claims), &ours(), &set(&[&theirs]), Profile::OAuth21, NOW)
    };
    assert!(decide(&theirs, &github()).is_ok());
    assert_eq!(decide(&other, &github()), Err(Refusal::AssertionKeyUnknown));
    assert_eq!(decide(&disguised, &github()), Err(Refusal::AssertionSignatureWrong));
    assert_eq!(decide(&disguised, &with(&json!({"iss": "x", "exp": 1}))), Err(Refusal::AssertionSignatureWrong));
}

#[test]
fn rfc8725_3_1_every_signature_and_no_mac() {
    for algorithm in SigningAlgorithm::ALL {
        let key = key(*algorithm);
        assert!(
            verify(&signed(&key, "JWT", &github()), &ours(), &set(&[&key]), Profile::OAuth21, NOW).is_ok(),
            "{algorithm}"
        );
    }
    let key = key(SigningAlgorithm::Rs256);
    let public = serde_json::to_string(&key.public_jwk()).unwrap();
    let text = sealed(&json!({"alg": "HS256", "kid": key.key_id()}), &github(), public.as_bytes());
    let refused = verify(&Assertion::parse(&text).unwrap(), &ours(), &set(&[&key]), Profile::OAuth21, NOW);
    assert_eq!(refused, Err(Refusal::AssertionAlgorithmNotAllowed));
}

#[test]
fn rfc7523_3_what_is_remembered_is_the_jti_of_the_issuer() {
    let id = |changes: Value| decide("JWT", &with(&changes)).unwrap().id;
    assert_eq!(id(json!({})), id(json!({"run_id": "2"})));
    assert_ne!(id(json!({})), id(json!({"jti": "2"})));
    let elsewhere = FederatedCredential { issuer: "https://github.example".to_owned(), ..ours() };
    let key = key(SigningAlgorithm::Es256);
    let claims = with(&json!({"iss": "https://github.example"}));
    let there = verify(&signed(&key, "JWT", &claims), &elsewhere, &set(&[&key]), Profile::OAuth21, NOW).unwrap();
    assert_ne!(id(json!({})), there.id);
}

#[test]
fn rfc7515_5_2_without_a_jti_what_was_signed_is_remembered_and_not_how() {
    let key = key(SigningAlgorithm::Es256);
    let claims = with(&json!({"jti": null}));
    let id = |claims: &Value| {
        // ECDSA signs differently each time: the bytes of the whole tell nothing.
        let text = sign(&key, "JWT", claims.to_string().as_bytes()).unwrap();
        verify(&Assertion::parse(&text).unwrap(), &ours(), &set(&[&key]), Profile::OAuth21, NOW).unwrap().id
    };
    assert_eq!(id(&claims), id(&claims));
    assert_ne!(id(&claims), id(&with(&json!({"jti": null, "run_id": "2"}))));
    // What a jti says cannot be taken for a digest.
    let signed_part = signed(&key, "JWT", &claims).signed_part().to_owned();
    let digest = base64url::encode(digest::sha256(signed_part.as_bytes()));
    assert_ne!(id(&claims), decide("JWT", &with(&json!({ "jti": digest }))).unwrap().id);
}

#[test]
fn rfc7523_3_the_credentials_of_the_issuer_are_candidates() {
    let mut client = ClientMetadata::new(TenantName::default(), ClientId::parse("web").unwrap());
    let other = FederatedCredential { issuer: "https://gitlab.com".to_owned(), ..ours() };
    let second = FederatedCredential { name: "second".to_owned(), ..ours() };
    client.federated_credentials = vec![other, ours(), second];
    let names = |claims: &Value| {
        let assertion = signed(&key(SigningAlgorithm::Es256), "JWT", claims);
        candidates(&client, &assertion).map(|credential| credential.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&github()), ["deploy", "second"]);
    assert!(names(&gitlab()).is_empty());
}

#[test]
fn fapi2_security_profile_5_4_1_a_token_of_another_issuer_is_signed_as_the_profile_has_it() {
    let rsa = key(SigningAlgorithm::Rs256);
    let decide = |profile| verify(&signed(&rsa, "JWT", &github()), &ours(), &set(&[&rsa]), profile, NOW);
    assert!(decide(Profile::OAuth21).is_ok());
    assert_eq!(decide(Profile::Fapi2), Err(Refusal::AssertionAlgorithmNotAllowed));
}

#[test]
fn fapi2_security_profile_5_3_2_1_the_token_is_for_us_alone_for_an_hour_and_good_once() {
    let key = key(SigningAlgorithm::Es256);
    let decide = |profile, reusable, changes: &Value| {
        let credential = FederatedCredential { reusable, ..ours() };
        verify(&signed(&key, "JWT", &with(changes)), &credential, &set(&[&key]), profile, NOW).map(drop)
    };
    for (reusable, changes, outcome) in [
        (false, json!({}), Ok(())),
        (false, json!({"exp": NOW.get() + 3_660}), Ok(())),
        (false, json!({"exp": NOW.get() + 3_661}), Err(Refusal::AssertionLivesTooLong)),
        (false, json!({"aud": ["https://id.example"]}), Err(Refusal::AssertionAudienceMismatch)),
        (false, json!({"aud": ["https://id.example", "https://b.example"]}), Err(Refusal::AssertionAudienceMismatch)),
        (true, json!({}), Err(Refusal::NoFederatedCredentialFits)),
    ] {
        for profile in [Profile::Fapi2, Profile::Fapi2MessageSigning] {
            assert_eq!(decide(profile, reusable, &changes), outcome, "{profile:?} {changes}");
        }
        for profile in [Profile::OAuth21, Profile::Oidc] {
            assert_eq!(decide(profile, reusable, &changes), Ok(()), "{profile:?} {changes}");
        }
    }
}

#[test]
fn fapi2_security_profile_5_3_2_1_a_grant_is_no_authentication() {
    let key = key(SigningAlgorithm::Es256);
    let decide = |profile, method, authenticated| {
        let mut client = (*client("a", method)).clone();
        client.metadata.grant_types = vec![GrantType::JwtBearer];
        client.metadata.profile = profile;
        let token = signed(&key, "JWT", &github());
        by_grant(&Arc::new(client), &token, &ours(), &set(&[&key]), authenticated, NOW).map(drop)
    };
    for profile in [Profile::Fapi2, Profile::Fapi2MessageSigning] {
        let alone = decide(profile, AuthMethod::PrivateKeyJwt, false);
        assert_eq!(alone, Err(Refusal::NoClientAuthentication));
        assert_eq!(decide(profile, AuthMethod::PrivateKeyJwt, true), Ok(()));
    }
}

#[test]
fn rfc7521_4_1_a_grant_stands_for_the_client_that_is_registered_for_assertions_or_for_nothing() {
    let key = key(SigningAlgorithm::Es256);
    for method in AuthMethod::ALL {
        let mut client = (*client("a", method)).clone();
        client.metadata.grant_types = vec![GrantType::JwtBearer];
        client.metadata.profile = Profile::Oidc;
        let (client, token) = (Arc::new(client), signed(&key, "JWT", &github()));
        let decide = |authenticated| by_grant(&client, &token, &ours(), &set(&[&key]), authenticated, NOW).map(drop);
        assert_eq!(decide(true), Ok(()), "{method:?}");
        let alone = matches!(method, AuthMethod::PrivateKeyJwt | AuthMethod::None);
        let outcome = if alone { Ok(()) } else { Err(Refusal::WrongClientAuthMethod) };
        assert_eq!(decide(false), outcome, "{method:?}");
    }
}
