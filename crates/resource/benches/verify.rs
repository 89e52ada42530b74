//! What a check costs, against the one signature check that it cannot do without.
//!
//! `cargo bench -p grantor-resource`. Everything runs on one core in one process; rounds of each kind take turns, and of
//! each the best counts, so that what else the machine does falls on all of them alike.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run should stop")]

use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use grantor_jose::{Material, base64url, jws};
use grantor_resource::{Api, Head, JwkSet, Requirement, SigningAlgorithm, SigningKey, UnixTime};
use http::{HeaderMap, Method, Uri};
use serde_json::json;
use std::hint::black_box;
use std::time::{Duration, Instant};

const ISSUER: &str = "https://id.example";
const AUDIENCE: &str = "https://api.example/notes";
const NOW: i64 = 1_800_000_000;
const ROUNDS: usize = 15;
const ROUND: Duration = Duration::from_millis(60);

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    println!("{:<8} {:>12} {:>12} {:>7} {:>14}", "", "bare [us]", "cold [us]", "ratio", "warm [1/s]");
    for algorithm in [SigningAlgorithm::Es256, SigningAlgorithm::Ed25519, SigningAlgorithm::Rs256] {
        let [bare, cold, warm] = runtime.block_on(measure(algorithm));
        println!("{algorithm:<8} {:>12.2} {:>12.2} {:>7.3} {:>14.0}", bare * 1e6, cold * 1e6, cold / bare, 1.0 / warm);
    }
}

/// Seconds for one bare signature check, one check of a request whose token was never seen, and one of one that was.
async fn measure(algorithm: SigningAlgorithm) -> [f64; 3] {
    let key = SigningKey::generate(algorithm).unwrap();
    let token = token(&key);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (signature, public) = (base64url::decode(signature).unwrap(), parsed(&key));
    let api = |remembered| {
        let builder = Api::builder(ISSUER, AUDIENCE).keys(JwkSet { keys: vec![key.public_jwk()] });
        builder.clock(|| UnixTime::new(NOW)).remembered_tokens(remembered).build().unwrap()
    };
    let (forgetful, mindful) = (api(0), api(1000));
    let headers: HeaderMap =
        [(http::header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap())].into_iter().collect();
    let (uri, wanted) = (Uri::from_static("/notes"), Requirement::scope("notes:read"));
    let head = Head { method: &Method::GET, uri: &uri, headers: &headers, certificate: None };
    let mut best = [f64::INFINITY; 3];
    for _ in 0..ROUNDS {
        let bare = round(async || assert!(public.verify_sig(black_box(signed.as_bytes()), &signature).is_ok())).await;
        let cold = round(async || assert!(forgetful.check(black_box(head), &wanted).await.is_ok())).await;
        let warm = round(async || assert!(mindful.check(black_box(head), &wanted).await.is_ok())).await;
        for (best, measured) in best.iter_mut().zip([bare, cold, warm]) {
            *best = best.min(measured);
        }
    }
    best
}

async fn round(mut step: impl AsyncFnMut()) -> f64 {
    let (began, mut steps) = (Instant::now(), 0_u32);
    while began.elapsed() < ROUND {
        for _ in 0..64 {
            step().await;
        }
        steps += 64;
    }
    began.elapsed().as_secs_f64() / f64::from(steps)
}

/// As Grantor writes one for a user.
fn token(key: &SigningKey) -> String {
    let claims = json!({
        "iss": ISSUER,
        "sub": "0197a3c2-5d1e-7e5b-9c3a-0d6f4b2a1c00",
        "idtyp": "user",
        "aud": AUDIENCE,
        "client_id": "web",
        "iat": NOW,
        "exp": NOW + 600,
        "jti": "0197a3c2-5d1e-7e5b-9c3a-0d6f4b2a1c01",
        "scope": "notes:read notes:write",
        "roles": ["editor"],
        "grant_id": "0197a3c2-5d1e-7e5b-9c3a-0d6f4b2a1c02",
        "auth_time": NOW - 100,
        "acr": "1",
        "amr": ["pwd"],
    });
    jws::sign(key, "at+jwt", claims.to_string().as_bytes()).unwrap()
}

fn parsed(key: &SigningKey) -> ParsedPublicKey {
    match key.public_jwk().material() {
        Material::Ec { x, y, .. } => {
            let point: Vec<u8> = [[4_u8].as_slice(), x, y].concat();
            ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).unwrap()
        }
        Material::Rsa { n, e } => {
            PublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).unwrap()
        }
        Material::Ed25519 { x } => ParsedPublicKey::new(&ED25519, x).unwrap(),
        other => unreachable!("nobody measures {}", other.kty()),
    }
}
