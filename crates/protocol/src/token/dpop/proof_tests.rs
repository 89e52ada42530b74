use super::*;
use crate::token::handle::{HandleKey, HandleKeys};
use crate::value::Issuer;
use grantor_jose::SigningKey;
use grantor_jose::jws::sign_with_header;
use proptest::prelude::*;
use serde_json::{Map, json};
use std::sync::LazyLock;

#[path = "proof_header_tests.rs"]
mod header;

const URI: &str = "https://server.example.com/token";
const NOW: UnixTime = UnixTime::new(1_562_262_616);
const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";

/// One for each algorithm; those of one type share theirs, since an RSA key takes long to make.
static KEYS: LazyLock<Vec<SigningKey>> = LazyLock::new(|| {
    let mut keys: Vec<SigningKey> = Vec::new();
    for algorithm in SigningAlgorithm::ALL {
        let shared = keys.iter().find_map(|key| SigningKey::from_pkcs8(*algorithm, key.to_pkcs8()).ok());
        keys.push(shared.unwrap_or_else(|| SigningKey::generate(*algorithm).unwrap()));
    }
    keys
});

static KNOWN: LazyLock<KnownKeys> = LazyLock::new(|| KnownKeys::new(100));

static HANDLE_KEYS: LazyLock<HandleKeys> =
    LazyLock::new(|| HandleKeys::new(&Issuer::parse("https://id.example").unwrap(), vec![HandleKey::new(&[1; 32])]));

const EXPECTED: Expected<'static> = Expected {
    method: "POST",
    uri: URI,
    access_token: None,
    nonces: None,
    algorithms: SigningAlgorithm::ALL,
    known: None,
    now: NOW,
};

fn key(algorithm: SigningAlgorithm) -> &'static SigningKey {
    KEYS.iter().find(|key| key.algorithm() == algorithm).unwrap()
}

fn with_nonces() -> Expected<'static> {
    Expected { nonces: Some(Nonces(&HANDLE_KEYS)), ..EXPECTED }
}

fn after(seconds: i64) -> UnixTime {
    UnixTime::new(NOW.get() + seconds)
}

/// What a good proof says, with these members changed.
fn claims(change: Value) -> Map<String, Value> {
    let (Value::Object(mut claims), Value::Object(change)) =
        (json!({"jti": "j1", "htm": "POST", "htu": URI, "iat": NOW}), change)
    else {
        panic!("members are an object");
    };
    claims.extend(change);
    claims
}

fn without(name: &str) -> Map<String, Value> {
    let mut claims = claims(json!({}));
    claims.remove(name).unwrap();
    claims
}

fn signed_by(key: &SigningKey, typ: &str, header: &Value, payload: &[u8]) -> String {
    sign_with_header(key, typ, header.as_object().unwrap(), payload).unwrap()
}

fn proof(claims: &Map<String, Value>) -> String {
    let key = key(SigningAlgorithm::Ed25519);
    signed_by(key, TYP, &json!({"jwk": key.public_jwk()}), &serde_json::to_vec(claims).unwrap())
}

/// A good payload under another header.
fn headed(key: &SigningKey, header: &Value) -> String {
    signed_by(key, TYP, header, &serde_json::to_vec(&claims(json!({}))).unwrap())
}

/// By its own key alone, and again with the keys of all proofs before it at hand: they change nothing.
fn check(proof: &str, expected: &Expected<'_>) -> Result<Proof, Refusal> {
    let alone = verify(&[proof], expected).map(|proof| proof.expect("there was a header"));
    for _ in 0..2 {
        let known = verify(&[proof], &Expected { known: Some(&KNOWN), ..*expected });
        assert_eq!(known.map(|proof| proof.expect("there was a header")), alone);
    }
    alone
}

fn refusal(claims: &Map<String, Value>) -> Refusal {
    check(&proof(claims), &EXPECTED).unwrap_err()
}

/// The key as a client sends it that does not say which algorithm it is for.
fn of_any_algorithm(key: &SigningKey) -> Value {
    let mut jwk = serde_json::to_value(key.public_jwk()).unwrap();
    jwk.as_object_mut().unwrap().remove("alg").unwrap();
    jwk
}

/// A header that says anything, and a signature that is none.
fn forged(header: &Value, payload: &[u8]) -> String {
    let parts = [header.to_string().as_bytes(), payload, &[7; 64]].map(base64url::encode);
    parts.join(".")
}

mod rfc_examples {
    pub(super) const JKT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    /// Figures 2 and 5.
    pub(super) const CODE: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
    /// Figure 7.
    pub(super) const REFRESH: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjY1Mjk2fQ.pAqut2IRDm_De6PR93SYmGBPXpwrAk90e8cP2hjiaG5QsGSuKDYW7_X620BxqhvYC8ynrrvZLTk41mSRroapUA";
    /// 7.1.
    pub(super) const RESOURCE: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
}

/// Signed with Ed25519 and the private key of 32 bytes 7: what [`sign_with_header`] will not make.
mod made_elsewhere {
    pub(super) const KID_BESIDE_ANOTHER: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVkMjU1MTkiLCJraWQiOiJhIiwiandrIjp7Imt0eSI6Ik9LUCIsImNydiI6IkVkMjU1MTkiLCJ4IjoiNmtwc1ktS2NVZ3EtOVZCN0V5N0YtWlZIZHE2LXZudVNRaDdxYVJSRzBpdyIsImtpZCI6ImIifX0.eyJqdGkiOiJqIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.B4vqAWqvmyHQzGZe6gISHQ_OInpfki_t5jXIDSyc9vOa35cIyCbrcV6e4bCFk0LEJQ_4OFwphaFvVw1mo6lbDQ";
    pub(super) const CRITICAL: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVkMjU1MTkiLCJjcml0IjpbIngiXSwieCI6MSwiandrIjp7Imt0eSI6Ik9LUCIsImNydiI6IkVkMjU1MTkiLCJ4IjoiNmtwc1ktS2NVZ3EtOVZCN0V5N0YtWlZIZHE2LXZudVNRaDdxYVJSRzBpdyJ9fQ.eyJqdGkiOiJqIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.3puh388uyRcf_urL2Armx0OwXdhYR4GyffNP_NeuwfunciviRoBcuVDi4_HsxZGoA4-hJdCafTQAFpMxm1rBAw";
}

#[test]
fn rfc9449_4_1_the_proofs_of_the_token_requests() {
    let first = check(rfc_examples::CODE, &EXPECTED).unwrap();
    assert_eq!(first.key.to_string(), rfc_examples::JKT);
    let later = Expected { now: UnixTime::new(1_562_265_296), ..EXPECTED };
    let second = check(rfc_examples::REFRESH, &later).unwrap();
    assert_eq!(second.key, first.key);
    // The examples share their `jti`, which no client may do: the second would be refused while the first is remembered.
    assert_eq!(second.id, first.id);
    assert!(first.until < second.until);
}

#[test]
fn rfc9449_7_1_the_proof_of_the_resource_request() {
    let expected = Expected {
        method: "GET",
        uri: "https://resource.example.org/protectedresource",
        access_token: Some(TOKEN),
        now: UnixTime::new(1_562_262_618),
        ..EXPECTED
    };
    assert_eq!(check(rfc_examples::RESOURCE, &expected).unwrap().key.to_string(), rfc_examples::JKT);
    let other = Expected { access_token: Some("another"), ..expected };
    assert_eq!(check(rfc_examples::RESOURCE, &other), Err(Refusal::DpopTokenMismatch));
}

#[test]
fn rfc9449_4_3_at_most_one_header() {
    let good = proof(&claims(json!({})));
    assert_eq!(verify(&[], &EXPECTED), Ok(None));
    assert!(verify(&[&good], &EXPECTED).is_ok_and(|proof| proof.is_some()));
    assert_eq!(verify(&[&good, &good], &EXPECTED), Err(Refusal::SeveralDpopProofs));
    assert_eq!(verify(&[&good, ""], &EXPECTED), Err(Refusal::SeveralDpopProofs));
}

#[test]
fn rfc9449_4_3_one_header_holds_one_proof() {
    let good = proof(&claims(json!({})));
    for joined in [format!("{good}, {good}"), format!("{good},{good}"), format!("{good},")] {
        assert_eq!(check(&joined, &EXPECTED), Err(Refusal::SeveralDpopProofs));
    }
}

#[test]
fn rfc9449_4_3_every_required_claim_is_there() {
    for name in ["jti", "htm", "htu", "iat"] {
        assert_eq!(refusal(&without(name)), Refusal::MalformedDpopProof, "{name}");
    }
}

#[test]
fn rfc9449_4_3_every_claim_has_its_type() {
    for wrong in [json!(null), json!(true), json!(1), json!(["j1"]), json!({})] {
        for name in ["jti", "htm", "htu"] {
            assert_eq!(refusal(&claims(json!({name: wrong}))), Refusal::MalformedDpopProof, "{name} {wrong}");
        }
    }
    for wrong in [json!(null), json!("1562262616"), json!(1_562_262_616.5), json!([NOW]), json!(u64::MAX), json!(1e300)]
    {
        assert_eq!(refusal(&claims(json!({"iat": wrong}))), Refusal::MalformedDpopProof, "{wrong}");
    }
}

#[test]
fn rfc9449_11_1_a_jti_is_neither_empty_nor_unnecessarily_large() {
    for bad in [String::new(), "j".repeat(257), "é".repeat(129)] {
        assert_eq!(refusal(&claims(json!({"jti": bad}))), Refusal::MalformedDpopProof, "{bad}");
    }
    assert!(check(&proof(&claims(json!({"jti": "j".repeat(256)}))), &EXPECTED).is_ok());
}

#[test]
fn rfc9449_4_3_the_method_is_that_of_the_request() {
    for method in ["GET", "post", "Post", "POST ", ""] {
        assert_eq!(refusal(&claims(json!({"htm": method}))), Refusal::DpopMethodMismatch, "{method}");
    }
    let expected = Expected { method: "GET", ..EXPECTED };
    assert_eq!(check(&proof(&claims(json!({}))), &expected), Err(Refusal::DpopMethodMismatch));
    assert!(check(&proof(&claims(json!({"htm": "GET"}))), &expected).is_ok());
}

#[test]
fn rfc9449_4_3_the_uri_is_that_of_the_request() {
    for other in [
        "https://server.example.com/introspect",
        "https://server.example.com/token/",
        "https://evil.example/token",
        "http://server.example.com/token",
        "https://server.example.com:8443/token",
        "https://u@server.example.com/token",
        "/token",
        "",
    ] {
        assert_eq!(refusal(&claims(json!({"htu": other}))), Refusal::DpopUriMismatch, "{other}");
        let expected = Expected { uri: other, ..EXPECTED };
        assert_eq!(check(&proof(&claims(json!({}))), &expected), Err(Refusal::DpopUriMismatch), "{other}");
    }
    // That neither can be read does not make them equal.
    let expected = Expected { uri: "/token", ..EXPECTED };
    assert_eq!(check(&proof(&claims(json!({"htu": "/token"}))), &expected), Err(Refusal::DpopUriMismatch));
}

#[test]
fn rfc9449_4_3_query_and_fragment_are_ignored_and_the_rest_is_normalised() {
    let plain = check(&proof(&claims(json!({}))), &EXPECTED).unwrap();
    for same in [
        "https://server.example.com/token?a=b",
        "https://server.example.com/token#a",
        "HTTPS://SERVER.example.com:443/x/../%74oken",
    ] {
        assert_eq!(check(&proof(&claims(json!({"htu": same}))), &EXPECTED), Ok(plain), "{same}");
        assert_eq!(check(&proof(&claims(json!({}))), &Expected { uri: same, ..EXPECTED }), Ok(plain), "{same}");
    }
}

#[test]
fn rfc9449_4_3_a_proof_without_a_nonce_is_a_minute_old_at_most() {
    let good = proof(&claims(json!({})));
    let at = |seconds| check(&good, &Expected { now: after(seconds), ..EXPECTED }).map(|_| ());
    assert_eq!([at(0), at(60), at(-10)], [Ok(()), Ok(()), Ok(())]);
    assert_eq!(at(61), Err(Refusal::DpopProofTooOld));
    assert_eq!(at(-11), Err(Refusal::DpopProofFromTheFuture));
    for (iat, why) in [
        (json!(0), Refusal::DpopProofTooOld),
        (json!(i64::MIN), Refusal::DpopProofTooOld),
        (json!(i64::MAX), Refusal::DpopProofFromTheFuture),
    ] {
        assert_eq!(refusal(&claims(json!({"iat": iat}))), why);
    }
}

#[test]
fn rfc9449_4_3_with_a_fresh_nonce_the_clock_of_the_client_may_be_wrong() {
    let nonce = Nonces(&HANDLE_KEYS).fresh(NOW).unwrap();
    let skewed = |seconds| {
        let proof = proof(&claims(json!({"nonce": nonce, "iat": after(seconds)})));
        check(&proof, &with_nonces()).map(|_| ())
    };
    assert_eq!([skewed(0), skewed(-300), skewed(300)], [Ok(()), Ok(()), Ok(())]);
    assert_eq!(skewed(-301), Err(Refusal::DpopProofTooOld));
    assert_eq!(skewed(301), Err(Refusal::DpopProofFromTheFuture));
}

#[test]
fn rfc9449_4_3_at_a_resource_the_proof_is_made_for_the_token() {
    let expected = Expected { access_token: Some(TOKEN), ..EXPECTED };
    let ath = |ath: Value| check(&proof(&claims(json!({"ath": ath}))), &expected).map(|_| ());
    assert_eq!(ath(json!("fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo")), Ok(()));
    for wrong in [json!(null), json!(1), json!(""), json!(TOKEN), json!("fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo=")]
    {
        assert_eq!(ath(wrong.clone()), Err(Refusal::DpopTokenMismatch), "{wrong}");
    }
    assert_eq!(check(&proof(&claims(json!({}))), &expected), Err(Refusal::DpopTokenMismatch));
}

#[test]
fn rfc9449_4_2_ath_and_nonce_mean_nothing_where_they_are_not_asked_for() {
    for ignored in
        [json!({"ath": "x"}), json!({"ath": 1}), json!({"nonce": "x"}), json!({"nonce": {}}), json!({"y": 1})]
    {
        assert!(check(&proof(&claims(ignored.clone())), &EXPECTED).is_ok(), "{ignored}");
    }
}

#[test]
fn rfc9449_11_3_a_proof_without_a_nonce_is_refused_where_one_is_required() {
    for missing in [json!({}), json!({"nonce": null})] {
        assert_eq!(check(&proof(&claims(missing)), &with_nonces()), Err(Refusal::DpopNonceMissing));
    }
}

#[test]
fn rfc9449_4_3_the_nonce_is_ours_and_fresh() {
    let fresh = Nonces(&HANDLE_KEYS).fresh(NOW).unwrap();
    let with = |nonce: Value| check(&proof(&claims(json!({"nonce": nonce}))), &with_nonces()).map(|_| ());
    assert_eq!(with(json!(fresh)), Ok(()));
    let other = HandleKeys::new(&Issuer::parse("https://id.example").unwrap(), vec![HandleKey::new(&[2; 32])]);
    for nonce in [
        json!(Nonces(&HANDLE_KEYS).fresh(after(-301))),
        json!(Nonces(&HANDLE_KEYS).fresh(after(11))),
        json!(Nonces(&other).fresh(NOW)),
        json!(""),
        json!("eyJ7S_zG.eyJH0-Z.HX4w-7v"),
        json!(1),
    ] {
        assert_eq!(with(nonce.clone()), Err(Refusal::DpopNonceNotFresh), "{nonce}");
    }
    let late = Expected { now: after(300), ..with_nonces() };
    assert!(check(&proof(&claims(json!({"nonce": fresh}))), &late).is_ok());
}

#[test]
fn rfc9449_8_a_nonce_is_asked_for_only_when_it_is_all_that_is_missing() {
    let expected = Expected { access_token: Some(TOKEN), ..with_nonces() };
    let ath = json!("fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
    for nonce in [json!({}), json!({"nonce": "old"})] {
        for (change, why) in [
            (json!({"htm": "GET"}), Refusal::DpopMethodMismatch),
            (json!({"htu": "https://evil.example"}), Refusal::DpopUriMismatch),
            (json!({"iat": 0}), Refusal::DpopProofTooOld),
            (json!({"iat": i64::MAX}), Refusal::DpopProofFromTheFuture),
            (json!({"ath": "x"}), Refusal::DpopTokenMismatch),
            (json!({"jti": ""}), Refusal::MalformedDpopProof),
        ] {
            let mut claims = claims(json!({"ath": ath}));
            claims.extend(nonce.as_object().unwrap().clone());
            claims.extend(change.as_object().unwrap().clone());
            assert_eq!(check(&proof(&claims), &expected), Err(why), "{claims:?}");
        }
    }
    assert_eq!(check(&proof(&claims(json!({"ath": ath}))), &expected), Err(Refusal::DpopNonceMissing));
}

#[test]
fn rfc9449_4_3_a_wrong_signature_reveals_nothing_else() {
    let jwk = key(SigningAlgorithm::Es256).public_jwk();
    let header = json!({"typ": TYP, "alg": "ES256", "jwk": jwk});
    let fresh = Nonces(&HANDLE_KEYS).fresh(NOW);
    for payload in [
        json!(claims(json!({}))),
        json!(claims(json!({"nonce": fresh}))),
        json!(claims(json!({"htm": "GET", "htu": "x", "iat": 0}))),
        json!({}),
        json!("x"),
    ] {
        for expected in [EXPECTED, with_nonces(), Expected { access_token: Some(TOKEN), ..EXPECTED }] {
            let forged = forged(&header, payload.to_string().as_bytes());
            assert_eq!(check(&forged, &expected), Err(Refusal::DpopSignatureWrong), "{payload}");
        }
    }
}

#[test]
fn rfc9449_11_1_a_proof_is_known_again() {
    let key = key(SigningAlgorithm::Es256);
    let again = || check(&headed(key, &json!({"jwk": key.public_jwk()})), &EXPECTED).unwrap();
    let (first, second) =
        (headed(key, &json!({"jwk": key.public_jwk()})), headed(key, &json!({"jwk": key.public_jwk()})));
    // ECDSA draws a number: the same proof signed again is another text.
    assert_ne!(first, second);
    assert_eq!(again(), again());
}

#[test]
fn rfc9449_11_1_what_makes_a_proof_another_one() {
    let id = |change: Value, expected: &Expected<'_>| check(&proof(&claims(change)), expected).unwrap().id;
    let one = id(json!({}), &EXPECTED);
    assert_eq!(id(json!({"iat": after(1), "x": 1}), &EXPECTED), one, "a jti is used once, whatever stands beside it");
    let elsewhere = "https://server.example.com/par";
    let ids = [
        one,
        id(json!({"jti": "j2"}), &EXPECTED),
        id(json!({"htm": "GET"}), &Expected { method: "GET", ..EXPECTED }),
        id(json!({"htu": elsewhere}), &Expected { uri: elsewhere, ..EXPECTED }),
        // The end of one part is no beginning of the next.
        id(json!({"jti": "j1P", "htm": "OST"}), &Expected { method: "OST", ..EXPECTED }),
        check(
            &headed(key(SigningAlgorithm::Es256), &json!({"jwk": key(SigningAlgorithm::Es256).public_jwk()})),
            &EXPECTED,
        )
        .unwrap()
        .id,
    ];
    for (position, id) in ids.iter().enumerate() {
        assert!(!ids[..position].contains(id), "{position}");
    }
}

#[test]
fn rfc9449_11_1_a_proof_is_remembered_for_as_long_as_a_slow_clock_accepts_it() {
    let nonce = Nonces(&HANDLE_KEYS).fresh(NOW);
    let mut accepted = 0;
    for (expected, claims) in [
        (EXPECTED, claims(json!({}))),
        (EXPECTED, claims(json!({"iat": after(10)}))),
        (with_nonces(), claims(json!({"nonce": nonce}))),
        (with_nonces(), claims(json!({"nonce": nonce, "iat": after(-299)}))),
        (with_nonces(), claims(json!({"nonce": nonce, "iat": after(299)}))),
    ] {
        let proof = proof(&claims);
        let until = check(&proof, &expected).unwrap().until;
        for seconds in -700..700 {
            if check(&proof, &Expected { now: after(seconds), ..expected }).is_ok() {
                accepted += 1;
                assert!(after(seconds).plus(CLOCK_DIFFERENCE) < until, "{seconds} {claims:?}");
            }
        }
    }
    assert!(accepted > 500, "{accepted}");
    let plain = check(&proof(&claims(json!({}))), &EXPECTED).unwrap();
    assert_eq!(plain.until, after(71));
}

proptest! {
    #[test]
    fn rfc9449_4_3_arbitrary_headers_never_panic_and_prove_nothing(
        headers in prop::collection::vec("(\\PC*|[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,90})", 1..3),
    ) {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        for expected in [EXPECTED, with_nonces()] {
            prop_assert!(verify(&headers, &expected).is_err());
        }
    }

    #[test]
    fn rfc9449_4_3_arbitrary_json_under_a_forged_signature_proves_nothing(
        typ in "(dpop\\+jwt|\\PC{0,9})", alg in "(ES256|EdDSA|HS256|none|\\PC{0,5})", kty in "(EC|OKP|oct|\\PC{0,4})",
        crv in "(P-256|Ed25519|\\PC{0,5})", x in "[A-Za-z0-9_-]{43}", payload in "\\PC*",
    ) {
        let header = json!({"typ": typ, "alg": alg, "jwk": {"kty": kty, "crv": crv, "x": x, "y": x, "k": x}});
        prop_assert!(check(&forged(&header, payload.as_bytes()), &EXPECTED).is_err());
    }

    #[test]
    fn rfc9449_4_3_arbitrary_claims_under_a_good_signature_never_panic(
        jti in "\\PC{0,300}", htm in "(POST|\\PC*)", htu in "(https://server.example.com/token|\\PC*)",
        iat in prop_oneof![Just(NOW.get()), any::<i64>()], ath in "\\PC*", nonce in "\\PC*",
    ) {
        let claims = claims(json!({"jti": jti, "htm": htm, "htu": htu, "iat": iat, "ath": ath, "nonce": nonce}));
        let text = proof(&claims);
        if check(&text, &EXPECTED).is_ok() {
            prop_assert!(htm == "POST" && (NOW.get() - 60..=NOW.get() + 10).contains(&iat));
            prop_assert!((1..=256).contains(&jti.len()));
        }
        let expected = Expected { access_token: Some(TOKEN), ..with_nonces() };
        prop_assert!(check(&text, &expected).is_err());
    }
}
