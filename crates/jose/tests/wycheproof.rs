//! The JOSE sets of Project Wycheproof. Every vector runs; what differs from its `result` is listed here with a reason,
//! and every valid vector of an algorithm that is not on our list is asserted to be refused.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

mod vectors;

use grantor_jose::jwe::{self, DecryptionKey};
use grantor_jose::jws::{Algorithm, Unverified};
use grantor_jose::{Jwk, JwkSet, KeyError, PrivateJwk, VerifyingKey, base64url};
use serde_json::Value;

/// `alg` and `enc` that are not on our list, by decision.
const OUTSIDE: &[&str] = &[
    "RS384",
    "RS512",
    "PS384",
    "PS512",
    "ES512",
    "RSA1_5",
    "A192KW",
    "ECDH-ES+A192KW",
    "A128GCMKW",
    "A192GCMKW",
    "A256GCMKW",
    "A192GCM",
    "A192CBC-HS384",
];

#[derive(Debug, Default, PartialEq)]
struct Tally {
    ran: usize,
    accepted: usize,
    refused: usize,
    outside: usize,
    deviating: usize,
}

fn run(file: &str, deviations: &[(u64, &str)], check: impl Fn(&Value, &Value) -> Result<(), String>) -> Tally {
    let suite: Value = serde_json::from_str(&vectors::read("wycheproof", file)).unwrap();
    let mut tally = Tally::default();
    for group in suite["testGroups"].as_array().unwrap() {
        for test in group["tests"].as_array().unwrap() {
            let id = test["tcId"].as_u64().unwrap();
            let about = format!("{file} {id} {}", test["comment"]);
            let valid = match test["result"].as_str().unwrap() {
                "valid" => true,
                "invalid" => false,
                other => panic!("{about}: unknown result {other}"),
            };
            let outcome = check(group, test);
            let deviates = deviations.iter().any(|(known, _)| *known == id);
            tally.ran += 1;
            match (valid, &outcome) {
                _ if deviates => {
                    assert_ne!(valid, outcome.is_ok(), "{about}: does not deviate");
                    assert!(valid || is_twin_of_a_valid(group, test), "{about}: accepted although invalid");
                    tally.deviating += 1;
                }
                (true, Ok(())) => tally.accepted += 1,
                (false, Err(_)) => tally.refused += 1,
                (true, Err(_)) if is_outside(test) => tally.outside += 1,
                (true, Err(why)) => panic!("{about}: refused although valid: {why}"),
                (false, Ok(())) => panic!("{about}: accepted although invalid"),
            }
        }
    }
    println!("{file}: {tally:?}, of {} in the file; deviations: {deviations:?}", suite["numberOfTests"]);
    assert_eq!(tally.ran as u64, suite["numberOfTests"].as_u64().unwrap());
    tally
}

/// Whether the same token stands in the same group as a valid one, so that no reader could tell them apart.
fn is_twin_of_a_valid(group: &Value, test: &Value) -> bool {
    let mut tests = group["tests"].as_array().unwrap().iter();
    tests.any(|other| other["result"] == "valid" && other["jws"] == test["jws"])
}

/// Whether the header asks for something that is not on our list, or for compression.
fn is_outside(test: &Value) -> bool {
    let token = test["jws"].as_str().or(test["jwe"].as_str()).unwrap();
    let header: Value = serde_json::from_slice(&base64url::decode(token.split('.').next().unwrap()).unwrap()).unwrap();
    let named = |name: &str| header[name].as_str().is_some_and(|value| OUTSIDE.contains(&value));
    named("alg") || named("enc") || header.get("zip").is_some()
}

/// The vectors wrap their keys in sets of one in places.
fn only(key: &Value) -> &Value {
    match key["keys"].as_array() {
        Some(keys) => {
            assert_eq!(keys.len(), 1);
            &keys[0]
        }
        None => key,
    }
}

fn token(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn check_jws(group: &Value, test: &Value) -> Result<(), String> {
    let token = token(&test["jws"]);
    if let Some(set) = group["public"].get("keys") {
        assert_eq!(set.as_array().unwrap().len(), 1);
        let set = JwkSet::parse(group["public"].to_string()).map_err(|why| why.to_string())?;
        let unverified = Unverified::parse(&token).map_err(|why| why.to_string())?;
        let allowed = grantor_jose::SigningAlgorithm::ALL;
        return unverified.verify_with_set(&set, allowed).map(drop).map_err(|why| why.to_string());
    }
    let private = &group["private"];
    if private["keys"].as_array().is_some_and(|keys| keys.len() > 1) {
        // Sets are of public keys: one with symmetric keys in it does not parse.
        assert_eq!(JwkSet::parse(private.to_string()), Err(KeyError::Private));
        return Err("a set with symmetric keys".to_owned());
    }
    let unverified = Unverified::parse(&token).map_err(|why| why.to_string())?;
    let verified = match (unverified.header().alg(), group.get("public")) {
        (Algorithm::Signature(alg), Some(public)) => {
            let jwk = Jwk::parse_public(public.to_string()).map_err(|why| why.to_string())?;
            let key = VerifyingKey::from_jwk(&jwk, alg).map_err(|why| why.to_string())?;
            unverified.verify(&key)
        }
        (Algorithm::Mac(alg), None) => {
            let jwk = PrivateJwk::parse(only(private).to_string()).map_err(|why| why.to_string())?;
            unverified.verify_mac(&jwk.shared_secret(alg).map_err(|why| why.to_string())?)
        }
        (alg, _) => return Err(format!("{alg} with a key of another kind")),
    };
    verified.map(drop).map_err(|why| why.to_string())
}

fn check_jwe(group: &Value, test: &Value) -> Result<(), String> {
    let token = token(&test["jwe"]);
    let unopened = jwe::Unopened::parse(&token).map_err(|why| why.to_string())?;
    let jwk = PrivateJwk::parse(group["private"].to_string()).map_err(|why| why.to_string())?;
    let key = DecryptionKey::from_jwk(&jwk, unopened.header().alg()).map_err(|why| why.to_string())?;
    let opened = unopened.open(&key).map_err(|why| why.to_string())?;
    if let Some(expected) = test["pt"].as_str() {
        let hex = opened.plaintext().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        assert_eq!(hex, expected, "{test}");
    }
    Ok(())
}

#[test]
fn signatures() {
    let deviations = [
        (367, "said to have bad padding, but the file has lost it: the token is that of the valid 357"),
        (370, "the same"),
        (372, "a character that base64url does not have, inside the header; RFC 7515 2 allows to refuse it"),
        (373, "the same inside the payload"),
    ];
    let tally = run("json_web_signature_test.json", &deviations, check_jws);
    assert_eq!(tally, Tally { ran: 401, accepted: 24, refused: 353, outside: 20, deviating: 4 });
}

#[test]
fn encryption() {
    let tally = run("json_web_encryption_test.json", &[], check_jwe);
    assert_eq!(tally, Tally { ran: 139, accepted: 37, refused: 74, outside: 28, deviating: 0 });
}

#[test]
fn keys() {
    let deviations = [(2, "a set of two symmetric keys: our sets hold public keys only")];
    let tally = run("json_web_key_test.json", &deviations, check_jws);
    assert_eq!(tally, Tally { ran: 26, accepted: 4, refused: 21, outside: 0, deviating: 1 });
}

#[test]
fn mixed() {
    let deviations = [(48, "a set of two symmetric keys: our sets hold public keys only")];
    let tally = run("json_web_crypto_test.json", &deviations, |group, test| {
        if test.get("jwe").is_some() { check_jwe(group, test) } else { check_jws(group, test) }
    });
    assert_eq!(tally, Tally { ran: 83, accepted: 5, refused: 77, outside: 0, deviating: 1 });
}
