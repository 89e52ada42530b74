//! What a check costs, against the one signature check that it cannot do without.
//!
//! `cargo bench -p grantor-resource [-- ALGORITHM [bare|cold|warm|layer-cold|layer-warm]]`. Everything runs in one thread of one process; rounds of
//! each kind take turns, and of each the best counts, so that what else the machine does falls on all of them alike. To
//! name one kind is for profilers. `cargo xtask bench --only resource` compares with what else there is.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run should stop")]

use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use grantor_jose::{Material, base64url, jws};
use grantor_resource::{Api, Head, JwkSet, Requirement, SigningAlgorithm, SigningKey, UnixTime};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::Empty;
use serde_json::json;
use std::convert::Infallible;
use std::hint::black_box;
use std::time::{Duration, Instant};
use tower::{Layer as _, Service};

const ISSUER: &str = "https://id.example";
const AUDIENCE: &str = "https://api.example/notes";
const NOW: i64 = 1_800_000_000;
/// So many that none is the same as the one before.
const TOKENS: u32 = 256;
const ROUNDS: usize = 15;
const ROUND: Duration = Duration::from_millis(60);

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let (only, kind) = (words.first(), words.get(1).map(String::as_str));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    println!(
        "{:<8} {:>10} {:>10} {:>6} {:>11} {:>16} {:>6} {:>17}",
        "", "bare [us]", "cold [us]", "ratio", "warm [1/s]", "layer cold [us]", "ratio", "layer warm [1/s]"
    );
    for algorithm in [SigningAlgorithm::Es256, SigningAlgorithm::Ed25519, SigningAlgorithm::Rs256] {
        if only.is_some_and(|only| only != algorithm.as_str()) {
            continue;
        }
        let [bare, cold, warm, layer_cold, layer_warm] = runtime.block_on(measure(algorithm, kind));
        println!(
            "{algorithm:<8} {:>10.2} {:>10.2} {:>6.3} {:>11.0} {:>16.2} {:>6.3} {:>17.0}",
            bare * 1e6,
            cold * 1e6,
            cold / bare,
            1.0 / warm,
            layer_cold * 1e6,
            layer_cold / bare,
            1.0 / layer_warm
        );
    }
}

/// A token, and what is made of it beforehand.
struct Sent {
    signed: String,
    signature: Vec<u8>,
    headers: HeaderMap,
}

impl Sent {
    fn new(token: &str) -> Self {
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let header = (AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        let signature = base64url::decode(signature).unwrap();
        Self { signed: signed.to_owned(), signature, headers: [header].into_iter().collect() }
    }
}

/// Seconds for one bare signature check, one check of a request whose token was never seen, and one of one that was; and
/// for both checks in front of a service, with the making of the request.
async fn measure(algorithm: SigningAlgorithm, kind: Option<&str>) -> [f64; 5] {
    let key = SigningKey::generate(algorithm).unwrap();
    let public = parsed(&key);
    let sent: Vec<Sent> = (0..TOKENS).map(|nth| Sent::new(&token(&key, nth))).collect();
    let api = || {
        let builder = Api::builder(ISSUER, AUDIENCE).keys(JwkSet { keys: vec![key.public_jwk()] });
        builder.clock(|| UnixTime::new(NOW)).build().unwrap()
    };
    let (forgetful, mindful) = (api(), api());
    let (uri, wanted) = (Uri::from_static("/notes"), Requirement::scope("notes:read"));
    let passes = async |api: &Api, sent: &Sent| {
        let head = Head { method: &Method::GET, uri: &uri, headers: &sent.headers, certificate: None };
        assert!(api.check(black_box(head), &wanted).await.is_ok());
    };
    let service = |api: &Api| {
        let answers = |_: Request<Empty<&'static [u8]>>| std::future::ready(Ok::<_, Infallible>(Response::new(())));
        api.require(wanted.clone()).layer(tower::service_fn(answers))
    };
    let (forgetful_service, mindful_service) = (service(&forgetful), service(&mindful));
    let is_wanted = |name| kind.is_none_or(|kind| kind == name);
    let mut best = [f64::INFINITY; 5];
    for _ in 0..ROUNDS {
        if is_wanted("bare") {
            let check = async |sent: &Sent| {
                assert!(public.verify_sig(black_box(sent.signed.as_bytes()), &sent.signature).is_ok());
            };
            best[0] = best[0].min(round(&sent, || (), check).await);
        }
        if is_wanted("cold") {
            let forget = || forgetful.forget_verified();
            best[1] = best[1].min(round(&sent, forget, async |sent| passes(&forgetful, sent).await).await);
        }
        if is_wanted("warm") {
            best[2] = best[2].min(round(&sent, || (), async |sent| passes(&mindful, sent).await).await);
        }
        if is_wanted("layer-cold") {
            let forget = || forgetful.forget_verified();
            best[3] = best[3].min(round(&sent, forget, async |sent| calls(&forgetful_service, sent).await).await);
        }
        if is_wanted("layer-warm") {
            best[4] = best[4].min(round(&sent, || (), async |sent| calls(&mindful_service, sent).await).await);
        }
    }
    best
}

async fn calls<S>(service: &S, sent: &Sent)
where
    S: Service<Request<Empty<&'static [u8]>>, Response = Response<()>, Error = Infallible> + Clone,
{
    let mut request = Request::new(Empty::new());
    let header = black_box(sent).headers.get(AUTHORIZATION).unwrap().clone();
    request.headers_mut().insert(AUTHORIZATION, header);
    assert!(service.clone().call(request).await.unwrap().status().is_success());
}

/// Seconds for one step, over passes through all that is sent.
async fn round(sent: &[Sent], before: impl Fn(), mut step: impl AsyncFnMut(&Sent)) -> f64 {
    let (began, mut passes) = (Instant::now(), 0_u32);
    while began.elapsed() < ROUND {
        before();
        for sent in sent {
            step(sent).await;
        }
        passes += 1;
    }
    began.elapsed().as_secs_f64() / f64::from(passes) / f64::from(TOKENS)
}

/// As Grantor writes one for a user.
fn token(key: &SigningKey, nth: u32) -> String {
    let claims = json!({
        "iss": ISSUER,
        "sub": "0197a3c2-5d1e-7e5b-9c3a-0d6f4b2a1c00",
        "idtyp": "user",
        "aud": AUDIENCE,
        "client_id": "web",
        "iat": NOW,
        "exp": NOW + 600,
        "jti": format!("0197a3c2-5d1e-7e5b-9c3a-{nth:012x}"),
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
