//! A good token, and a good proof, to which something was done: none of them ever passes. Whole requests, with each
//! algorithm, after the good one has passed and is remembered.

use crate::fixtures::{Clock, NOW, builder, claims, key, signed};
use crate::{Api, Expected, Head, JwkSet, Requirement, SigningAlgorithm, SigningKey, UnixTime, validate};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use grantor_jose::jws::{self, SharedSecret};
use grantor_jose::{MacAlgorithm, base64url, digest, parse_object};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Map, Value, json};
use std::pin::pin;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

/// Someone with a key: an issuer, or a client.
struct Signer {
    key: SigningKey,
    /// A forger's, of the same algorithm and under the same name.
    forged: SigningKey,
    /// Two good tokens: of the issuer for no key, and for the key of the client.
    token: String,
    bound: String,
}

static SIGNERS: LazyLock<Vec<Signer>> = LazyLock::new(|| {
    let signer = |algorithm: &SigningAlgorithm| {
        let issuer = key(*algorithm);
        let forged = key(*algorithm).with_key_id(issuer.key_id()).unwrap();
        let bound = claims(json!({"cnf": {"jkt": issuer.thumbprint()}}));
        let token = signed(&issuer, "at+jwt", &claims(json!({})));
        Signer { bound: signed(&issuer, "at+jwt", &bound), token, forged, key: issuer }
    };
    SigningAlgorithm::ALL.iter().map(signer).collect()
});

static KEYS: LazyLock<JwkSet> =
    LazyLock::new(|| JwkSet { keys: SIGNERS.iter().map(|signer| signer.key.public_jwk()).collect() });

/// One with the keys as they are published, and one that takes them for whatever their types can.
static APIS: LazyLock<[Api; 2]> = LazyLock::new(|| {
    let any = JwkSet { keys: KEYS.keys.iter().cloned().map(grantor_jose::Jwk::without_algorithm).collect() };
    [KEYS.clone(), any].map(|keys| {
        let api = builder(&Clock::new()).keys(keys).accept_form_tokens().build().unwrap();
        for signer in SIGNERS.iter() {
            assert!(passes(&api, &[("authorization", &format!("Bearer {}", signer.token))], b""));
        }
        api
    })
});

const AUTHORIZATION: &str = "authorization";

/// Whether a request passes with these headers. What a header cannot hold cannot be sent.
fn passes(api: &Api, headers: &[(&'static str, &str)], form: &[u8]) -> bool {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let Ok(value) = HeaderValue::from_str(value) else { return false };
        map.append(HeaderName::from_static(name), value);
    }
    let uri = Uri::from_static("/notes/1");
    let head = Head { method: &Method::POST, uri: &uri, headers: &map, certificate: None };
    let wanted = Requirement::scope("notes:read");
    let check = pin!(async {
        if form.is_empty() {
            return api.check(head, &wanted).await.is_ok();
        }
        api.check_with_form(head, form, &wanted).await.is_ok()
    });
    match check.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(passes) => passes,
        Poll::Pending => panic!("there is nothing to wait for"),
    }
}

/// Whether a token is taken anywhere: in the header, in a form, by the rule below both.
fn is_accepted(token: &str) -> bool {
    let form: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("access_token", token).finish();
    let typed = [("content-type", "application/x-www-form-urlencoded")];
    let expected = Expected {
        issuer: crate::fixtures::ISSUER,
        audience: crate::fixtures::AUDIENCE,
        algorithms: SigningAlgorithm::ALL,
        leeway: grantor_protocol::value::Seconds::new(10),
        now: UnixTime::new(NOW),
    };
    APIS.iter().any(|api| {
        passes(api, &[(AUTHORIZATION, &format!("Bearer {token}"))], b"") || passes(api, &typed, form.as_bytes())
    }) || validate(token, &KEYS, &expected).is_ok()
}

/// A proof for the client's bound token; each is good once.
fn proof(signer: &Signer) -> String {
    static NTH: AtomicUsize = AtomicUsize::new(0);
    proof_by(&signer.key, &signer.key, &signer.bound, &format!("proof {}", NTH.fetch_add(1, Ordering::Relaxed)))
}

/// Signed by one, with the key of another in its header.
fn proof_by(key: &SigningKey, named: &SigningKey, token: &str, id: &str) -> String {
    let ath = base64url::encode(digest::sha256(token.as_bytes()));
    let claims = json!({"jti": id, "htm": "POST", "htu": "https://api.example/notes/1", "iat": NOW, "ath": ath});
    let header = json!({"jwk": named.public_jwk()});
    jws::sign_with_header(key, "dpop+jwt", header.as_object().unwrap(), claims.to_string().as_bytes()).unwrap()
}

fn is_proved(signer: &Signer, proof: &str) -> bool {
    APIS.iter().any(|api| passes(api, &[(AUTHORIZATION, &format!("DPoP {}", signer.bound)), ("dpop", proof)], b""))
}

fn parts(text: &str) -> [String; 3] {
    let parts: Vec<_> = text.split('.').map(str::to_owned).collect();
    parts.try_into().unwrap()
}

fn members(part: &str) -> Map<String, Value> {
    parse_object(&base64url::decode(part).unwrap()).unwrap()
}

fn encoded(members: Map<String, Value>) -> String {
    base64url::encode(Value::Object(members).to_string())
}

/// The part as others may write the same bytes.
fn other_encodings(part: &str) -> Vec<String> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut all: Vec<String> =
        ["=", "==", "\n", "\r\n", " ", "\t", "A", "%3D"].map(|more| format!("{part}{more}")).into();
    all.extend(["=", "\n", " ", "\r\n"].map(|more| format!("{more}{part}")));
    all.extend(
        ["\n", "\r\n ", " "].map(|more| format!("{}{more}{}", &part[..part.len() / 2], &part[part.len() / 2..])),
    );
    all.push(part.replace('-', "+"));
    all.push(part.replace('_', "/"));
    let free = [0, 0, 4, 2][part.len() % 4];
    let last = ALPHABET.iter().position(|byte| *byte == part.as_bytes()[part.len() - 1]).unwrap();
    all.extend((1..1 << free).map(|bits| format!("{}{}", &part[..part.len() - 1], char::from(ALPHABET[last | bits]))));
    all.retain(|other| other != part);
    all
}

/// What can be done to a text of three parts without a key.
fn mutated(text: &str, one: Index, two: Index, byte: u8, extra: &str) -> Vec<String> {
    let (a, b) = (one.index(text.len()), two.index(text.len()));
    let (from, to) = (a.min(b), a.max(b));
    let mut bytes = text.as_bytes().to_vec();
    bytes[from] = byte;
    let [header, payload, signature] = parts(text);
    let cut = |part: &str| part[..one.index(part.len())].to_owned();
    let mut all = vec![
        String::from_utf8(bytes).unwrap(),
        format!("{}{}", &text[..from], &text[to..]),
        format!("{}{extra}{}", &text[..from], &text[from..]),
        format!("{}{}{}", &text[to..], &text[from..to], &text[..from]),
        format!("{}{}", &text[..to], &text[from..]),
        text[..from].to_owned(),
        text[to..].to_owned(),
        format!("{text}{extra}"),
        format!("{text}.{extra}"),
        format!("{extra}{text}"),
        format!("{text}.{signature}"),
        format!("{}.{payload}.{signature}", cut(&header)),
        format!("{header}.{}.{signature}", cut(&payload)),
        format!("{header}.{payload}.{}", cut(&signature)),
        format!("{header}.{payload}.{signature}{}", cut(&signature)),
        format!("{header}.{payload}"),
        format!("{header}.{payload}."),
    ];
    for [x, y, z] in [
        [&header, &signature, &payload],
        [&payload, &header, &signature],
        [&signature, &payload, &header],
        [&header, &header, &signature],
        [&payload, &payload, &signature],
    ] {
        all.push(format!("{x}.{y}.{z}"));
    }
    all.retain(|other| other != text);
    all
}

/// Headers that a forger might try, made of a good one.
fn other_headers(good: &Map<String, Value>, own: &SigningKey) -> Vec<Map<String, Value>> {
    let algorithms = SigningAlgorithm::ALL.iter().map(|algorithm| algorithm.as_str());
    let names = algorithms.chain(["none", "None", "HS256", "HS384", "HS512", "RS384", "ES256K", ""]);
    let mut changes: Vec<Value> = names.map(|alg| json!({"alg": alg})).collect();
    changes.extend([
        json!({"alg": null}),
        json!({"kid": null}),
        json!({"kid": own.thumbprint()}),
        json!({"kid": "../../dev/null"}),
        json!({"jwk": own.public_jwk()}),
        json!({"jwk": own.public_jwk(), "kid": null}),
        json!({"jku": "https://evil.example/jwks", "kid": null}),
        json!({"x5u": "https://evil.example/certificate"}),
        json!({"crit": ["b64"], "b64": false}),
        json!({"b64": false}),
        json!({"typ": "JWT"}),
        json!({"x": 1}),
    ]);
    let changed = |changes: Value| {
        let mut header = good.clone();
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => header.remove(name),
                value => header.insert(name.clone(), value.clone()),
            };
        }
        header
    };
    let mut all: Vec<_> = changes.into_iter().map(changed).collect();
    all.retain(|header| header != good);
    all
}

/// Signed, whatever the header says.
fn signed_by(key: &SigningKey, header: &Map<String, Value>, payload: &str) -> String {
    let signed = format!("{}.{payload}", encoded(header.clone()));
    let (random, der, text) = (SystemRandom::new(), key.to_pkcs8(), signed.as_bytes());
    let ecdsa =
        |algorithm| EcdsaKeyPair::from_pkcs8(algorithm, der).unwrap().sign(&random, text).unwrap().as_ref().to_vec();
    let rsa = |padding: &'static dyn RsaEncoding| {
        let pair = RsaKeyPair::from_pkcs8(der).unwrap();
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(padding, &random, text, &mut signature).unwrap();
        signature
    };
    let signature = match key.algorithm() {
        SigningAlgorithm::Es256 => ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING),
        SigningAlgorithm::Es384 => ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING),
        SigningAlgorithm::Rs256 => rsa(&RSA_PKCS1_SHA256),
        SigningAlgorithm::Ps256 => rsa(&RSA_PSS_SHA256),
        SigningAlgorithm::EdDsa | SigningAlgorithm::Ed25519 => {
            Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).unwrap().sign(text).as_ref().to_vec()
        }
    };
    format!("{signed}.{}", base64url::encode(signature))
}

#[test]
fn rfc7515_2_another_encoding_of_the_same_bytes_is_another_token() {
    for signer in SIGNERS.iter() {
        for place in 0..3 {
            let mut parts = parts(&signer.token);
            for other in other_encodings(&parts[place].clone()) {
                parts[place] = other;
                let other = parts.join(".");
                // White space between the scheme and the token is HTTP's.
                assert!(other.trim_start_matches(' ') == signer.token || !is_accepted(&other), "{other:?}");
            }
        }
        assert!(is_accepted(&signer.token));
    }
}

#[test]
fn rfc7515_2_another_encoding_of_the_same_bytes_is_another_proof() {
    for signer in SIGNERS.iter() {
        let good = proof(signer);
        for place in 0..3 {
            let mut parts = parts(&good);
            for other in other_encodings(&parts[place].clone()) {
                parts[place] = other;
                assert!(!is_proved(signer, &parts.join(".")), "{}: {:?}", signer.key.algorithm(), parts.join("."));
            }
        }
        assert!(is_proved(signer, &good), "none of them has used it up");
    }
}

#[test]
fn a_header_that_a_forger_signs_is_never_accepted() {
    for signer in SIGNERS.iter() {
        let [header, payload, signature] = parts(&signer.token);
        let good = members(&header);
        assert!(is_accepted(&signed_by(&signer.key, &good, &payload)), "what the forger does is what the issuer does");
        for other in other_headers(&good, &signer.forged).into_iter().chain([good.clone()]) {
            let forged = signed_by(&signer.forged, &other, &payload);
            assert!(!is_accepted(&forged), "{} {other:?}", signer.key.algorithm());
            if other != good {
                let kept = format!("{}.{payload}.{signature}", encoded(other.clone()));
                assert!(!is_accepted(&kept), "{} {other:?}", signer.key.algorithm());
            }
        }
    }
}

#[test]
fn rfc8725_2_1_no_public_key_is_a_shared_secret_of_any_algorithm() {
    for signer in SIGNERS.iter() {
        let [header, payload, _] = parts(&signer.token);
        let jwk = serde_json::to_string(&signer.key.public_jwk()).unwrap();
        let numbers: Vec<Vec<u8>> = match signer.key.public_jwk().material() {
            grantor_jose::Material::Ec { x, y, .. } => vec![x.clone(), [&[4], x.as_slice(), y].concat()],
            grantor_jose::Material::Rsa { n, .. } => vec![n.clone()],
            grantor_jose::Material::Ed25519 { x } => vec![x.to_vec()],
            _ => vec![],
        };
        for secret in numbers.into_iter().chain([jwk.into_bytes()]) {
            for alg in MacAlgorithm::ALL {
                let Ok(secret) = SharedSecret::new(*alg, &secret) else { continue };
                let token = jws::sign_mac(&secret, "at+jwt", &base64url::decode(&payload).unwrap()).unwrap();
                assert!(!is_accepted(&token), "{alg}");
                let mut named = members(&header);
                named.insert("alg".to_owned(), json!(alg));
                let [_, _, mac] = parts(&token);
                assert!(!is_accepted(&format!("{}.{payload}.{mac}", encoded(named))), "{alg}");
            }
        }
    }
}

#[test]
fn rfc9449_4_3_a_header_that_a_forger_signs_proves_nothing() {
    for signer in SIGNERS.iter() {
        let good = proof(signer);
        let [header, payload, signature] = parts(&good);
        let good_header = members(&header);
        for other in other_headers(&good_header, &signer.forged) {
            let kept = format!("{}.{payload}.{signature}", encoded(other.clone()));
            assert!(!is_proved(signer, &kept), "{} {other:?}", signer.key.algorithm());
            assert!(!is_proved(signer, &signed_by(&signer.forged, &other, &payload)), "{other:?}");
        }
        // The client's key in the header, and another one that signs; or the forger's own for both.
        for named in [&signer.key, &signer.forged] {
            assert!(!is_proved(signer, &proof_by(&signer.forged, named, &signer.bound, "forged")));
        }
        assert!(is_proved(signer, &good), "none of them has used it up");
    }
}

/// ECDSA gives each signature a twin that whoever sees one can make (SEC 1 4.1.4 takes both). It says what the first says.
#[test]
fn rfc7518_3_4_the_twin_of_a_signature_says_nothing_new() {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad,
        0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let signer = SIGNERS.iter().find(|signer| signer.key.algorithm() == SigningAlgorithm::Es256).unwrap();
    let twin = |text: &str| {
        let [header, payload, signature] = parts(text);
        let mut signature = base64url::decode(&signature).unwrap();
        let mut borrow = 0;
        for (byte, order) in signature[32..].iter_mut().zip(ORDER).rev() {
            let difference = i16::from(order) - i16::from(*byte) - borrow;
            borrow = i16::from(difference < 0);
            *byte = u8::try_from(difference.rem_euclid(256)).unwrap();
        }
        format!("{header}.{payload}.{}", base64url::encode(signature))
    };
    assert_ne!(twin(&signer.token), signer.token);
    assert!(is_accepted(&twin(&signer.token)));
    // A proof is not used a second time by it.
    let good = proof(signer);
    let api = &APIS[0];
    let sent = |proof: &str| passes(api, &[(AUTHORIZATION, &format!("DPoP {}", signer.bound)), ("dpop", proof)], b"");
    assert!(sent(&good));
    assert!(!sent(&twin(&good)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn a_mutated_token_of_any_algorithm_is_never_accepted(
        one: Index, two: Index, byte in 0_u8..128, extra in "[A-Za-z0-9_.=~+/ -]{1,8}",
    ) {
        for signer in SIGNERS.iter() {
            // White space around a token is HTTP's.
            let another = |mutated: &String| mutated.trim_matches(' ') != signer.token;
            for mutated in mutated(&signer.token, one, two, byte, &extra).into_iter().filter(another) {
                prop_assert!(!is_accepted(&mutated), "{}: {mutated}", signer.key.algorithm());
            }
        }
    }

    #[test]
    fn parts_of_several_tokens_are_never_one(places in proptest::array::uniform3(0_usize..3), who in proptest::array::uniform3(0_usize..12)) {
        let all: Vec<[String; 3]> = SIGNERS.iter().flat_map(|signer| [parts(&signer.token), parts(&signer.bound)]).collect();
        let mixed = [0, 1, 2].map(|nth| all[who[nth]][places[nth]].as_str()).join(".");
        prop_assume!(!SIGNERS.iter().any(|signer| signer.token == mixed || signer.bound == mixed));
        prop_assert!(!is_accepted(&mixed));
    }

    #[test]
    fn a_changed_claim_is_never_accepted(name in "iss|sub|aud|exp|nbf|iat|jti|scope|roles|cnf|client_id|acr|x", value in "[ -~]{0,12}", number: i64) {
        for signer in SIGNERS.iter() {
            let [header, payload, signature] = parts(&signer.token);
            for value in [json!(value), json!(number), json!([value]), Value::Null] {
                let mut claims = members(&payload);
                prop_assume!(claims.insert(name.clone(), value.clone()) != Some(value));
                let changed = encoded(claims);
                let kept = format!("{header}.{changed}.{signature}");
                prop_assert!(!is_accepted(&kept));
                prop_assert!(!is_accepted(&signed_by(&signer.forged, &members(&header), &changed)));
            }
        }
    }

    #[test]
    fn rfc9449_4_3_a_mutated_proof_of_any_algorithm_proves_nothing(
        one: Index, two: Index, byte in 0_u8..128, extra in "[A-Za-z0-9_.=~+/ -]{1,8}",
    ) {
        for signer in SIGNERS.iter() {
            let good = proof(signer);
            let another = |mutated: &String| mutated.trim_matches(' ') != good;
            for mutated in mutated(&good, one, two, byte, &extra).into_iter().filter(another) {
                prop_assert!(!is_proved(signer, &mutated), "{}: {mutated}", signer.key.algorithm());
            }
            prop_assert!(is_proved(signer, &good), "none of them has used it up");
        }
    }

    #[test]
    fn rfc9449_4_3_parts_of_several_proofs_prove_nothing(places in proptest::array::uniform3(0_usize..3), who in proptest::array::uniform3(0_usize..6)) {
        let proofs: Vec<String> = SIGNERS.iter().map(proof).collect();
        let mixed = [0, 1, 2].map(|nth| parts(&proofs[who[nth]])[places[nth]].clone()).join(".");
        prop_assume!(!proofs.contains(&mixed));
        for signer in SIGNERS.iter() {
            prop_assert!(!is_proved(signer, &mixed));
        }
    }

    #[test]
    fn rfc9449_4_3_a_changed_claim_of_a_proof_proves_nothing(name in "jti|htm|htu|iat|ath|nonce|x", value in "[ -~]{0,12}") {
        for signer in SIGNERS.iter() {
            let [header, payload, signature] = parts(&proof(signer));
            let mut claims = members(&payload);
            prop_assume!(claims.insert(name.clone(), json!(value)) != Some(json!(value)));
            let changed = encoded(claims);
            let kept = format!("{header}.{changed}.{signature}");
            prop_assert!(!is_proved(signer, &kept));
            prop_assert!(!is_proved(signer, &signed_by(&signer.forged, &members(&header), &changed)));
        }
    }
}
