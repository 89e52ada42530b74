use super::super::tests::credential;
use super::*;
use grantor_jose::{SigningAlgorithm, SigningKey};
use serde_json::json;

const GITHUB: &str = "https://token.actions.githubusercontent.com";

fn sound() -> FederatedCredential {
    credential(GITHUB, &json!([{"claim": "repository_id", "equals": "74"}]))
}

/// That there is one problem, and which.
fn only(credential: &FederatedCredential, words: &str) {
    let problems = credential.problems();
    assert!(problems.len() == 1 && problems[0].contains(words), "{words}: {problems:?}");
}

#[test]
fn a_sound_declaration_has_no_problems() {
    assert_eq!(sound().problems(), Vec::<String>::new());
}

#[test]
fn a_declaration_has_a_name_an_issuer_and_an_audience() {
    only(&FederatedCredential { name: " ".into(), ..sound() }, "name is empty");
    only(&FederatedCredential { audience: String::new(), ..sound() }, "audience is empty");
    let elsewhere = credential("https://idp.example", &json!([{"claim": "sub", "equals": "a"}]));
    for issuer in
        ["http://idp.example", "http://localhost:8080", "idp.example", "", "https://", "kubernetes/serviceaccount"]
            .into_iter()
            .chain([
                "https://idp.example?a",
                "https://idp.example#a",
                "HTTPS://idp.example",
                "https://idp.example@evil.example",
            ])
    {
        only(&FederatedCredential { issuer: issuer.into(), ..elsewhere.clone() }, "issuer is no https URL");
    }
    for issuer in ["https://idp.example", "https://idp.example/", "https://idp.example/t/a", "https://10.0.0.1:6443"] {
        assert!(FederatedCredential { issuer: issuer.into(), ..elsewhere.clone() }.problems().is_empty(), "{issuer}");
    }
}

#[test]
fn without_conditions_anybody_would_be_let_in() {
    only(&credential("https://idp.example", &json!([])), "anybody");
}

#[test]
fn a_condition_is_of_exactly_one_kind_and_says_something() {
    for (condition, words) in [
        (json!({"claim": "sub"}), "exactly one"),
        (json!({"claim": "sub", "equals": "a", "glob": "a"}), "exactly one"),
        (json!({"claim": "sub", "equals": "a", "one_of": ["a"]}), "exactly one"),
        (json!({"claim": "sub", "one_of": ["a"], "glob": "a"}), "exactly one"),
        (json!({"claim": "", "equals": "a"}), "needs a name"),
        (json!({"claim": "sub", "equals": ""}), "equals is empty"),
        (json!({"claim": "sub", "one_of": []}), "one_of is empty"),
        (json!({"claim": "sub", "one_of": ["a", ""]}), "an empty text"),
        (json!({"claim": "sub", "glob": ""}), "glob is empty"),
        (json!({"claim": "sub", "glob": "*"}), "fits everything"),
        (json!({"claim": "sub", "glob": "**"}), "fits everything"),
        (json!({"claim": "sub", "glob": "a".repeat(513)}), "more than 512"),
        (json!({"claim": "/a~b", "equals": "a"}), "RFC 6901"),
        (json!({"claim": "/a~", "equals": "a"}), "RFC 6901"),
    ] {
        only(&credential("https://idp.example", &json!([{"claim": "email", "equals": "a"}, condition])), words);
    }
    for condition in [
        json!({"claim": "sub", "glob": "a".repeat(512)}),
        json!({"claim": "/a~0~1b/c", "equals": "a"}),
        json!({"claim": "a~b", "equals": false}),
        json!({"claim": "sub", "equals": ["a"]}),
        json!({"claim": "sub", "glob": "*a"}),
    ] {
        assert!(credential("https://idp.example", &json!([condition])).problems().is_empty(), "{condition}");
    }
}

#[test]
fn conditions_say_whose_token_it_is_and_not_only_what_it_was_for() {
    for conditions in [
        json!([{"claim": "ref", "equals": "refs/heads/main"}]),
        json!([{"claim": "environment", "equals": "prod"}, {"claim": "/event_name", "equals": "push"}]),
        json!([{"claim": "aud", "equals": "https://id.example"}]),
    ] {
        only(&credential("https://idp.example", &conditions), "strangers");
        only(&credential(GITHUB, &conditions), "add one on repository_id");
    }
}

#[test]
fn github_and_gitlab_a_stranger_can_have_all_but_the_owner() {
    for condition in [
        json!({"claim": "sub", "glob": "repo:*/*:ref:refs/heads/main"}),
        json!({"claim": "sub", "glob": "**:ref:refs/heads/main"}),
        json!({"claim": "sub", "glob": "repo:octo-*/octo-repo:environment:prod"}),
        json!({"claim": "sub", "glob": "repo:octo-org**"}),
        json!({"claim": "/sub", "glob": "repo:**"}),
        json!({"claim": "sub", "equals": "environment:prod"}),
        json!({"claim": "sub", "one_of": ["repo:octo-org/octo-repo:environment:prod", "environment:prod"]}),
        json!({"claim": "repository", "glob": "*/octo-repo"}),
        json!({"claim": "repository_id", "glob": "7*"}),
        json!({"claim": "repository_owner", "glob": "octo-*"}),
        json!({"claim": "job_workflow_ref", "equals": "octo-org/a/.github/workflows/b.yml@refs/heads/main"}),
        json!({"claim": "actor", "equals": "octocat"}),
    ] {
        only(&credential(GITHUB, &json!([condition])), "strangers");
    }
    for condition in [
        json!({"claim": "sub", "equals": "repo:octo-org/octo-repo:environment:prod"}),
        json!({"claim": "sub", "glob": "repo:octo-org/*:environment:prod"}),
        json!({"claim": "sub", "glob": "repo:octo-org@65/octo-repo@74:**"}),
        json!({"claim": "sub", "equals": "repository_owner_id:65:environment:prod"}),
        json!({"claim": "sub", "equals": "enterprise:avocado-corp"}),
        json!({"claim": "repository", "glob": "octo-org/*"}),
        json!({"claim": "repository_id", "one_of": ["74", "75"]}),
        json!({"claim": "repository_owner_id", "equals": "65"}),
        json!({"claim": "enterprise_id", "equals": "2"}),
    ] {
        assert!(credential(GITHUB, &json!([condition])).problems().is_empty(), "{condition}");
    }
    let gitlab = |condition: Value| credential("https://gitlab.com", &json!([condition]));
    only(
        &gitlab(json!({"claim": "sub", "glob": "project_path:*/*:ref_type:branch:ref:main"})),
        "add one on project_id",
    );
    only(&gitlab(json!({"claim": "ref_protected", "equals": "true"})), "strangers");
    for condition in
        [json!({"claim": "namespace_id", "equals": "72"}), json!({"claim": "project_path", "equals": "a/b"})]
    {
        assert!(gitlab(condition).problems().is_empty());
    }
}

#[test]
fn keys_are_declared_in_one_way_and_can_be_used() {
    let key = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
    let jwks = json!({"keys": [key.public_jwk()]});
    let by_value = FederatedCredential { jwks: Some(jwks), ..sound() };
    assert!(by_value.problems().is_empty());
    let by_reference = FederatedCredential { jwks_uri: Some("https://idp.example/jwks".into()), ..sound() };
    assert!(by_reference.problems().is_empty());
    only(&FederatedCredential { jwks: by_value.jwks, ..by_reference.clone() }, "exclude each other");
    for bad in [json!({}), json!({"keys": []}), json!([]), json!({"keys": [{"kty": "oct", "k": "AA"}]})] {
        only(&FederatedCredential { jwks: Some(bad), ..sound() }, "no set of public keys");
    }
    for bad in ["http://idp.example/jwks", "jwks", "", "https://a:b@idp.example/jwks"] {
        only(&FederatedCredential { jwks_uri: Some(bad.into()), ..by_reference.clone() }, "jwks_uri is no https URL");
    }
}
