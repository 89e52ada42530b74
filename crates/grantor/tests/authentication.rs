//! How clients authenticate, from the command line: secrets that overlap, federated credentials and their dry run.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

mod common;

use common::{Folder, Ran};
use grantor_jose::{SigningAlgorithm, SigningKey, jws};
use serde_json::{Value, json};

const MACHINE: [&str; 5] = ["client", "create", "ci", "--grant-type", "client_credentials"];

fn parse(ran: Ran) -> Value {
    serde_json::from_str(&ran.ok()).unwrap()
}

#[test]
fn secrets_overlap_and_end() {
    let folder = Folder::new();
    folder.run(&MACHINE).ok();
    let added = folder.json(&["client", "secret", "add", "ci", "--expires", "90d"]);
    assert!(added["client_secret"].as_str().unwrap().starts_with("gr_cs_"));
    let listed = folder.json(&["client", "secret", "list", "ci"]);
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!((&listed[0]["kind"], &listed[0]["expires"]), (&json!("sha256"), &Value::Null));
    assert_eq!((&listed[1]["secret"], &listed[1]["expires"]), (&added["secret"], &added["expires"]));
    let first = listed[0]["secret"].as_str().unwrap();
    let table = folder.run(&["client", "secret", "list", "ci"]).ok();
    assert!(table.starts_with("SECRET") && table.contains(first) && !table.contains("gr_cs_"), "{table}");
    folder.run(&["client", "secret", "remove", "ci", first]).ok();
    let last = folder.run(&["client", "secret", "remove", "ci", added["secret"].as_str().unwrap()]);
    assert_eq!(last.code, 1);
    assert!(last.err.contains("the last secret of ci") && last.err.contains("rotate ci --overlap 0"), "{}", last.err);
    assert_eq!(folder.run(&["client", "secret", "remove", "ci", "nothing"]).code, 1);
    assert_eq!(folder.run(&["client", "secret", "add", "ci", "--expires", "2020-01-01"]).code, 2);
    folder.run(&["client", "secret", "rotate", "ci", "--overlap", "0"]).ok();
    let audit = folder.run(&["audit"]).ok();
    assert_eq!(audit.matches("client_secret").count(), 3, "{audit}");
    assert!(!audit.contains("gr_cs_"), "{audit}");
}

#[test]
fn oidc_core_9_a_secret_that_signs_is_made_rotated_and_exported_sealed() {
    let folder = Folder::new();
    let create = [&MACHINE[..], &["--auth-method", "client_secret_jwt", "--profile", "oidc"]].concat();
    folder.run(&create).ok();
    folder.run(&["client", "secret", "rotate", "ci"]).ok();
    let listed = folder.json(&["client", "secret", "list", "ci"]);
    assert!(listed.as_array().unwrap().iter().all(|secret| secret["kind"] == "sealed"), "{listed}");
    let exported = folder.run(&["export"]).ok();
    assert_eq!(exported.matches("sealed:").count(), 2, "{exported}");
    let elsewhere = Folder::new();
    elsewhere.write("all.toml", &exported);
    let refused = elsewhere.run(&["apply", "all.toml"]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("under another master key"), "{}", refused.err);
    // The master key that made it is not made anew once it is lost.
    std::fs::remove_file(folder.path().join("data/master.key")).unwrap();
    let lost = folder.run(&["client", "secret", "rotate", "ci"]);
    assert!(lost.err.contains("is gone"), "{}", lost.err);
}

#[test]
fn keys_come_from_a_file_and_a_private_one_is_refused() {
    let folder = Folder::new();
    let key = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
    folder.write("key.json", &serde_json::to_string(&key.public_jwk()).unwrap());
    let create = [&MACHINE[..], &["--auth-method", "private_key_jwt", "--jwks", "key.json"]].concat();
    folder.run(&create).ok();
    assert_eq!(folder.json(&["client", "show", "ci"])["jwks"]["keys"][0]["kid"], key.key_id());
    folder.write("private.json", r#"{"keys":[{"kty":"oct","k":"hushhushhush"}]}"#);
    let refused = folder.run(&["client", "update", "ci", "--jwks", "private.json"]);
    assert_eq!(refused.code, 1);
    assert!(!refused.err.contains("hushhush"), "{}", refused.err);
    folder.run(&["client", "update", "ci", "--jwks-uri", "https://ci.example/jwks"]).ok();
    let shown = folder.json(&["client", "show", "ci"]);
    assert_eq!((&shown["jwks_uri"], shown.get("jwks")), (&json!("https://ci.example/jwks"), None));
    let unknown = folder.run(&["client", "update", "ci", "--auth-method", "private_key"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("self_signed_tls_client_auth"), "{}", unknown.err);
}

#[test]
fn the_ready_forms_say_what_does_not_change_hands() {
    let folder = Folder::new();
    folder.run(&MACHINE).ok();
    let add = |arguments: &[&str]| {
        let all = [&["client", "federation", "add", "ci"], arguments, &["--audience", "https://id.example"]].concat();
        folder.run(&all)
    };
    let github = ["hub", "--github", "acme/shop", "--github-id", "74", "--environment", "production"];
    let refused = add(&github);
    assert!(refused.err.contains("--replace-method"), "{}", refused.err);
    let said = add(&[&github[..], &["--replace-method"]].concat());
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert!(said.out.contains("repository_id equals \"74\""), "{}", said.out);
    let nameless = add(&["lab", "--gitlab", "acme/shop", "--branch", "main"]);
    assert_eq!(nameless.code, 0, "{}", nameless.err);
    assert!(nameless.err.contains("project_id"), "{}", nameless.err);
    add(&["pod", "--kubernetes", "shop/nightly", "--issuer", "https://cluster.example"]).ok();
    add(&[
        "other",
        "--issuer",
        "https://any.example",
        "--condition",
        "sub=spiffe://any.example/ci",
        "--condition",
        "env in a,b",
    ])
    .ok();
    assert!(add(&["hub", "--kubernetes", "a/b", "--issuer", "https://c.example"]).err.contains("already"));
    assert_eq!(add(&["x", "--github", "acme/shop"]).code, 2);
    assert_eq!(add(&["x", "--github", "acme", "--branch", "main"]).code, 2);
    assert_eq!(add(&["x", "--issuer", "https://any.example"]).code, 2);
    assert_eq!(add(&["x", "--kubernetes", "a/b"]).code, 2);
    let listed = folder.json(&["client", "federation", "list", "ci"]);
    let names: Vec<&str> = listed.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["hub", "lab", "pod", "other"]);
    assert_eq!(listed[2]["conditions"][0]["equals"], "system:serviceaccount:shop:nightly");
    assert_eq!(listed[3]["conditions"][1]["one_of"], json!(["a", "b"]));
    assert_eq!((&listed[0]["warnings"], &listed[0]["last_used"]), (&json!([]), &Value::Null));
    assert!(folder.json(&["client", "secret", "list", "ci"]).as_array().unwrap().is_empty());
    let near = folder.run(&["client", "federation", "remove", "ci", "othr"]);
    assert!(near.err.contains("did you mean other?"), "{}", near.err);
    folder.run(&["client", "federation", "remove", "ci", "other"]).ok();
    assert_eq!(folder.json(&["client", "federation", "list", "ci"]).as_array().unwrap().len(), 3);
    assert!(folder.run(&["audit"]).ok().contains("federated_credentials"));
    folder.run(&["client", "federation", "remove", "ci", "hub"]).ok();
    folder.run(&["client", "federation", "remove", "ci", "lab"]).ok();
    let last = folder.run(&["client", "federation", "remove", "ci", "pod"]);
    assert!(
        last.err.contains("could not authenticate at all") && last.err.contains("client disable ci"),
        "{}",
        last.err
    );
    let instead =
        ["client", "update", "ci", "--auth-method", "client_secret_basic", "--set", "federated_credentials=[]"];
    assert!(folder.json(&instead)["client_secret"].is_string());
}

/// A folder whose client trusts the tokens of this key.
fn trusting(key: &SigningKey) -> Folder {
    let folder = Folder::new();
    folder.write("jwks.json", &json!({ "keys": [key.public_jwk()] }).to_string());
    folder.run(&MACHINE).ok();
    let add = [
        "client",
        "federation",
        "add",
        "ci",
        "pods",
        "--issuer",
        "https://cluster.example",
        "--audience",
        "https://id.example",
        "--condition",
        "sub=system:serviceaccount:shop:nightly",
        "--jwks",
        "jwks.json",
        "--replace-method",
    ];
    folder.run(&add).ok();
    let other = ["client", "federation", "add", "ci", "hub", "--github", "a/b", "--github-id", "1", "--tag", "v*"];
    folder.run(&[&other[..], &["--audience", "https://id.example"]].concat()).ok();
    folder
}

fn claims(subject: &str) -> Value {
    json!({
        "iss": "https://cluster.example", "aud": ["https://id.example"], "sub": subject, "exp": 4_000_000_000_u32,
        "jti": "1",
    })
}

#[test]
fn a_token_is_judged_rule_by_rule_and_never_printed() {
    let key = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
    let folder = trusting(&key);
    let token = |claims: &Value| jws::sign(&key, "JWT", claims.to_string().as_bytes()).unwrap();
    let attempt = ["client", "federation", "try", "ci", "--token-file", "-"];

    let good = token(&claims("system:serviceaccount:shop:nightly"));
    let fits = folder.run_with(&attempt, &format!("{good}\n")).ok();
    for part in ["pods: fits", "✓ signature", "a key of the issuer made it", "hub: not asked", "speaks for ci by pods"]
    {
        assert!(fits.contains(part), "{part}: {fits}");
    }
    assert!(!fits.contains(&good));
    let said = parse(folder.run_with(&[&attempt[..], &["--json"]].concat(), &good));
    assert_eq!((&said["fits"], &said["credentials"][0]["signature_checked"]), (&json!("pods"), &json!(true)));
    assert_eq!(said["other_issuers"][0]["name"], "hub");

    folder.write("token.jwt", &token(&claims("system:serviceaccount:shop:other")));
    let from_file = ["client", "federation", "try", "ci", "--token-file", "token.jwt"];
    let wrong = folder.run(&from_file);
    assert_eq!(wrong.code, 1);
    assert!(wrong.out.contains("pods: does not fit") && wrong.out.contains("✗ sub equals"), "{}", wrong.out);
    assert!(wrong.out.contains("\"system:serviceaccount:shop:other\"") && wrong.out.contains("it is something else"));
    assert!(wrong.err.contains("no federated credential of ci fits"), "{}", wrong.err);

    let stranger = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
    let forged = jws::sign(&stranger, "JWT", claims("system:serviceaccount:shop:nightly").to_string().as_bytes());
    let forged = folder.run_with(&attempt, &forged.unwrap());
    assert_eq!(forged.code, 1);
    assert!(forged.out.contains("✗ signature"), "{}", forged.out);

    let access = jws::sign(&key, "at+jwt", claims("system:serviceaccount:shop:nightly").to_string().as_bytes());
    let access = folder.run_with(&attempt, &access.unwrap());
    assert_eq!(access.code, 1);
    assert!(access.out.contains("✗ type"), "{}", access.out);

    let unknown = token(&json!({ "iss": "https://cluster.example/", "sub": "x", "exp": 4_000_000_000_u32 }));
    let unknown = folder.run_with(&attempt, &unknown);
    assert!(
        unknown.err.contains("its iss is \"https://cluster.example/\", which no credential names"),
        "{}",
        unknown.err
    );
    let nonsense = folder.run_with(&attempt, "hush-hush");
    assert_eq!(nonsense.code, 1);
    assert!(!nonsense.err.contains("hush"), "{}", nonsense.err);
}

#[test]
fn without_the_issuers_keys_the_rules_are_judged_and_the_signature_is_not() {
    let key = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
    let folder = trusting(&key);
    let hub = json!({
        "iss": "https://token.actions.githubusercontent.com", "aud": "https://id.example", "sub": "repo:a/b:ref:refs/tags/v1",
        "exp": 4_000_000_000_u32, "jti": "1", "repository": "a/b", "repository_id": "1", "ref": "refs/tags/v1",
    });
    let token = jws::sign(&key, "JWT", hub.to_string().as_bytes()).unwrap();
    let offline = ["client", "federation", "try", "ci", "--token-file", "-", "--offline"];
    let said = folder.run_with(&offline, &token).ok();
    assert!(said.contains("? signature: not checked") && said.contains("that was not checked"), "{said}");
}
