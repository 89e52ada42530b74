use super::*;
use crate::token::handle::{HandleKey, HandleKeys};
use crate::value::Issuer;
use grantor_jose::SigningKey;
use grantor_jose::jws::sign_with_header;
use proptest::prelude::*;
use serde_json::{Map, json};
use std::sync::LazyLock;

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

static HANDLE_KEYS: LazyLock<HandleKeys> =
    LazyLock::new(|| HandleKeys::new(Issuer::parse("https://id.example").unwrap(), vec![HandleKey::new(&[1; 32])]));

const EXPECTED: Expected<'static> = Expected {
    method: "POST",
    uri: URI,
    access_token: None,
    nonces: None,
    algorithms: SigningAlgorithm::ALL,
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

fn check(proof: &str, expected: &Expected<'_>) -> Result<Proof, Refusal> {
    verify(&[proof], expected).map(|proof| proof.expect("there was a header"))
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
fn rfc9449_4_3_a_proof_is_a_well_formed_jwt() {
    let good = proof(&claims(json!({})));
    let unsigned = good.rsplit_once('.').unwrap().0;
    for bad in ["", " ", "x", "..", "a.b.c", unsigned, &format!("{good}="), &format!("{good} "), &format!("{good}.AA")]
    {
        assert_eq!(check(bad, &EXPECTED), Err(Refusal::MalformedDpopProof), "{bad:?}");
    }
    let key = key(SigningAlgorithm::Ed25519);
    let header = json!({"jwk": key.public_jwk()});
    for payload in ["", "[]", "null", "\"x\"", "{", r#"{"a":1,"a":1}"#, "{} {}"] {
        let bad = signed_by(key, TYP, &header, payload.as_bytes());
        assert_eq!(check(&bad, &EXPECTED), Err(Refusal::MalformedDpopProof), "{payload:?}");
    }
    let good = serde_json::to_string(&claims(json!({}))).unwrap();
    let twice = good.replace('}', r#","jti":"j2"}"#);
    assert_eq!(check(&signed_by(key, TYP, &header, twice.as_bytes()), &EXPECTED), Err(Refusal::MalformedDpopProof));
}

#[test]
fn rfc9449_4_3_a_proof_has_a_bounded_size() {
    let sized = |size: usize| {
        let empty = proof(&claims(json!({"x": ""}))).len();
        // Four letters for three bytes, and to spare.
        proof(&claims(json!({"x": "x".repeat((size - empty) * 3 / 4)})))
    };
    let (fits, exceeds) = (sized(MAX_PROOF - 4), sized(MAX_PROOF + 4));
    assert!(fits.len() <= MAX_PROOF && exceeds.len() > MAX_PROOF);
    assert!(check(&fits, &EXPECTED).is_ok());
    assert_eq!(check(&exceeds, &EXPECTED), Err(Refusal::MalformedDpopProof));
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
fn rfc9449_4_3_the_type_is_that_of_a_proof() {
    let key = key(SigningAlgorithm::Ed25519);
    let payload = serde_json::to_vec(&claims(json!({}))).unwrap();
    let typed = |typ: &str| check(&signed_by(key, typ, &json!({"jwk": key.public_jwk()}), &payload), &EXPECTED);
    assert!(typed("dpop+jwt").is_ok());
    for other in ["JWT", "jwt", "at+jwt", "dpop", "dpop+jwt ", "", "oauth-authz-req+jwt"] {
        assert_eq!(typed(other), Err(Refusal::MalformedDpopProof), "{other:?}");
    }
}

#[test]
fn rfc9449_4_3_every_algorithm_is_verified() {
    assert_eq!(KEYS.len(), SigningAlgorithm::ALL.len());
    for key in KEYS.iter() {
        let good = headed(key, &json!({"jwk": key.public_jwk()}));
        assert_eq!(check(&good, &EXPECTED).unwrap().key, key.thumbprint(), "{}", key.algorithm());
    }
}

#[test]
fn rfc9449_4_3_only_an_algorithm_that_is_allowed() {
    for key in KEYS.iter() {
        let good = headed(key, &json!({"jwk": key.public_jwk()}));
        let others: Vec<_> = SigningAlgorithm::ALL.iter().copied().filter(|other| *other != key.algorithm()).collect();
        let refused = check(&good, &Expected { algorithms: &others, ..EXPECTED });
        assert_eq!(refused, Err(Refusal::DpopAlgorithmNotAllowed), "{}", key.algorithm());
        assert!(check(&good, &Expected { algorithms: &[key.algorithm()], ..EXPECTED }).is_ok());
    }
}

#[test]
fn rfc9449_4_3_the_algorithm_is_asymmetric_and_known() {
    let jwk = of_any_algorithm(key(SigningAlgorithm::Rs256));
    for algorithm in ["none", "None", "HS256", "HS512", "RS1", "ES256K", "es256", ""] {
        let forged = forged(&json!({"typ": TYP, "alg": algorithm, "jwk": jwk}), b"{}");
        assert_eq!(check(&forged, &EXPECTED), Err(Refusal::DpopAlgorithmNotAllowed), "{algorithm:?}");
    }
}

#[test]
fn rfc8725_3_1_the_key_is_of_the_algorithm() {
    for signer in KEYS.iter() {
        for other in KEYS.iter().filter(|other| other.algorithm() != signer.algorithm()) {
            let confused = headed(signer, &json!({"jwk": other.public_jwk()}));
            assert_eq!(check(&confused, &EXPECTED), Err(Refusal::MalformedDpopProof), "{other:?}");
        }
    }
    // The signature of one algorithm is none of another, though the key may serve both.
    let (rs256, ps256) = (key(SigningAlgorithm::Rs256), key(SigningAlgorithm::Ps256));
    assert_eq!(rs256.thumbprint(), ps256.thumbprint());
    let jwk = of_any_algorithm(rs256);
    let good = headed(rs256, &json!({"jwk": jwk}));
    assert!(check(&good, &EXPECTED).is_ok());
    let (header, rest) = good.split_once('.').unwrap();
    let header = String::from_utf8(base64url::decode(header).unwrap()).unwrap().replace("RS256", "PS256");
    let confused = format!("{}.{rest}", base64url::encode(header));
    assert_eq!(check(&confused, &EXPECTED), Err(Refusal::DpopSignatureWrong));
}

#[test]
fn rfc9449_4_3_the_signature_verifies_with_the_key_of_the_header() {
    let (ours, other) = (key(SigningAlgorithm::Es256), SigningKey::generate(SigningAlgorithm::Es256).unwrap());
    let stolen = headed(&other, &json!({"jwk": ours.public_jwk()}));
    assert_eq!(check(&stolen, &EXPECTED), Err(Refusal::DpopSignatureWrong));
    let good = headed(ours, &json!({"jwk": ours.public_jwk()}));
    let (signed, _) = good.rsplit_once('.').unwrap();
    for signature in [String::new(), base64url::encode([0; 64]), base64url::encode([1; 63])] {
        assert_eq!(check(&format!("{signed}.{signature}"), &EXPECTED), Err(Refusal::DpopSignatureWrong));
    }
}

#[test]
fn rfc9449_4_3_a_proof_brings_its_key() {
    let key = key(SigningAlgorithm::Es256);
    // Without `jwk` there is a `kid`, which is none of ours.
    assert_eq!(check(&headed(key, &json!({})), &EXPECTED), Err(Refusal::MalformedDpopProof));
    for jwk in [json!(null), json!("x"), json!([]), json!({}), json!({"kty": "EC"}), json!({"kty": "XY", "x": "AA"})] {
        assert_eq!(check(&headed(key, &json!({"jwk": jwk})), &EXPECTED), Err(Refusal::MalformedDpopProof), "{jwk}");
    }
    let zero = base64url::encode([0; 32]);
    let off_the_curve = json!({"jwk": {"kty": "EC", "crv": "P-256", "x": zero, "y": zero}});
    assert_eq!(check(&headed(key, &off_the_curve), &EXPECTED), Err(Refusal::MalformedDpopProof));
    let mut to_encrypt = serde_json::to_value(key.public_jwk()).unwrap();
    to_encrypt["use"] = json!("enc");
    assert_eq!(check(&headed(key, &json!({"jwk": to_encrypt})), &EXPECTED), Err(Refusal::MalformedDpopProof));
}

#[test]
fn rfc9449_4_3_nothing_else_in_the_header_names_a_key() {
    let (key, other) = (key(SigningAlgorithm::Ed25519), key(SigningAlgorithm::Es256));
    let mut header =
        json!({"jku": "https://evil.example/", "x5u": "https://evil.example/", "x5c": ["AA"], "x5t": "AA"});
    header["jwk"] = serde_json::to_value(key.public_jwk()).unwrap();
    assert_eq!(check(&headed(key, &header), &EXPECTED).unwrap().key, key.thumbprint());
    assert_eq!(check(&headed(other, &header), &EXPECTED), Err(Refusal::MalformedDpopProof));
    assert!(check(made_elsewhere::KID_BESIDE_ANOTHER, &EXPECTED).is_ok());
}

#[test]
fn rfc7515_4_1_11_a_critical_extension_is_refused() {
    assert_eq!(check(made_elsewhere::CRITICAL, &EXPECTED), Err(Refusal::MalformedDpopProof));
}

#[test]
fn rfc9449_4_3_the_key_in_the_header_is_public() {
    for key in KEYS.iter() {
        for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            let mut jwk = serde_json::to_value(key.public_jwk()).unwrap();
            jwk[member] = json!("AA");
            let lost = headed(key, &json!({"jwk": jwk}));
            assert_eq!(check(&lost, &EXPECTED), Err(Refusal::DpopProofHoldsPrivateKey), "{member}");
        }
    }
    let symmetric = json!({"typ": TYP, "alg": "HS256", "jwk": {"kty": "oct", "k": "AA"}});
    assert_eq!(check(&forged(&symmetric, b"{}"), &EXPECTED), Err(Refusal::DpopProofHoldsPrivateKey));
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
    let other = HandleKeys::new(Issuer::parse("https://id.example").unwrap(), vec![HandleKey::new(&[2; 32])]);
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
