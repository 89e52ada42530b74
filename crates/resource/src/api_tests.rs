use super::*;
use crate::fixtures::{AUDIENCE, Clock, NOW, builder, key, token};
use crate::{ClientCertificate, ErrorCode, RequiredBinding, SigningKey};
use grantor_jose::digest;
use grantor_jose::{base64url, jws};
use http::{HeaderMap, Method, Uri};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// The client's.
static PROOF_KEY: LazyLock<SigningKey> = LazyLock::new(|| key(SigningAlgorithm::Es256));

const URL: &str = "https://api.example/notes/1";

fn proof_by(key: &SigningKey, token: &str, changes: Value) -> String {
    let mut id = [0; 8];
    getrandom::fill(&mut id).unwrap();
    let ath = base64url::encode(digest::sha256(token.as_bytes()));
    let mut claims = json!({"jti": base64url::encode(id), "htm": "GET", "htu": URL, "iat": NOW, "ath": ath});
    if let (Value::Object(claims), Value::Object(changes)) = (&mut claims, changes) {
        claims.extend(changes);
    }
    let extra = json!({"jwk": key.public_jwk()});
    jws::sign_with_header(key, "dpop+jwt", extra.as_object().unwrap(), claims.to_string().as_bytes()).unwrap()
}

fn proof(token: &str, changes: Value) -> String {
    proof_by(&PROOF_KEY, token, changes)
}

/// A request to [`URL`].
#[derive(Clone, Default)]
struct Asked {
    headers: HeaderMap,
    certificate: Option<ClientCertificate>,
}

impl Asked {
    fn with(token: &str) -> Self {
        Self::default().header("authorization", &format!("Bearer {token}"))
    }

    fn dpop(token: &str, proof: &str) -> Self {
        Self::default().header("authorization", &format!("DPoP {token}")).header("dpop", proof)
    }

    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.append(name, value.parse().unwrap());
        self
    }

    fn certificate(self, der: &[u8]) -> Self {
        Self { certificate: Some(ClientCertificate::of(der)), ..self }
    }

    async fn at(&self, api: &Api) -> Result<Verified, Refusal> {
        self.wanting(api, &Requirement::valid_token()).await.map_err(|rejection| rejection.refusal().clone())
    }

    async fn wanting(&self, api: &Api, requirement: &Requirement) -> Result<Verified, Rejection> {
        let uri = Uri::from_static("/notes/1?x=y");
        let head = Head { method: &Method::GET, uri: &uri, headers: &self.headers, certificate: self.certificate };
        api.check(head, requirement).await
    }
}

fn api() -> Api {
    builder(&Clock::new()).build().unwrap()
}

fn bound_to_key() -> String {
    token(json!({"cnf": {"jkt": PROOF_KEY.thumbprint()}}))
}

fn bound_to_certificate() -> String {
    token(json!({"cnf": {"x5t#S256": ClientCertificate::of(b"der").thumbprint()}}))
}

#[tokio::test]
async fn a_good_request_passes_and_a_bad_one_does_not() {
    let api = api();
    assert_eq!(Asked::with(&token(json!({}))).at(&api).await.unwrap().subject(), "alice");
    assert_eq!(Asked::default().at(&api).await, Err(Refusal::NoToken));
    assert_eq!(Asked::with(&token(json!({"aud": "other"}))).at(&api).await, Err(Refusal::OtherAudience));
    assert!(matches!(Asked::with("opaque").at(&api).await, Err(Refusal::NotAJwt(_))));
    let refused = Asked::with(&token(json!({}))).wanting(&api, &Requirement::scope("notes:delete")).await.unwrap_err();
    assert_eq!((refused.code(), refused.status().as_u16()), (ErrorCode::InsufficientScope, 403));
    let challenge = refused.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains(r#"scope="notes:delete""#), "{challenge}");
    assert!(challenge.contains("https://api.example/.well-known/oauth-protected-resource/notes"), "{challenge}");
}

#[tokio::test]
async fn rfc6750_2_3_a_token_in_the_query_is_none() {
    let (api, good) = (api(), token(json!({})));
    let uri: Uri = format!("/notes/1?access_token={good}").parse().unwrap();
    let head = Head { method: &Method::GET, uri: &uri, headers: &HeaderMap::new(), certificate: None };
    let refused = api.check(head, &Requirement::valid_token()).await.unwrap_err();
    assert_eq!(refused.refusal(), &Refusal::NoToken);
}

#[tokio::test]
async fn rfc6750_2_2_a_token_in_a_form_only_where_that_is_switched_on() {
    let form = format!("access_token={}", token(json!({})));
    let headers = Asked::default().header("content-type", "application/x-www-form-urlencoded").headers;
    let uri = Uri::from_static("/notes");
    let head = Head { method: &Method::POST, uri: &uri, headers: &headers, certificate: None };
    let wanted = Requirement::valid_token();
    let refused = api().check_with_form(head, form.as_bytes(), &wanted).await.unwrap_err();
    assert_eq!((refused.refusal(), refused.status().as_u16()), (&Refusal::UnexpectedForm, 400));
    let open = builder(&Clock::new()).accept_form_tokens().build().unwrap();
    assert_eq!(open.check_with_form(head, form.as_bytes(), &wanted).await.unwrap().subject(), "alice");
    assert_eq!(open.metadata().bearer_methods_supported, ["header", "body"]);
    assert_eq!(open.check(head, &wanted).await.unwrap_err().refusal(), &Refusal::NoToken);
}

#[tokio::test]
async fn rfc9449_7_1_a_bound_token_needs_its_proof() {
    let (api, bound) = (api(), bound_to_key());
    assert_eq!(Asked::dpop(&bound, &proof(&bound, json!({}))).at(&api).await.unwrap().subject(), "alice");
    // The same again, from the cache.
    assert_eq!(Asked::dpop(&bound, &proof(&bound, json!({}))).at(&api).await.unwrap().subject(), "alice");
    let without = Asked::default().header("authorization", &format!("DPoP {bound}"));
    assert_eq!(without.at(&api).await, Err(Refusal::NoProof));
    let twice = Asked::dpop(&bound, &proof(&bound, json!({}))).header("dpop", &proof(&bound, json!({})));
    assert!(matches!(twice.at(&api).await, Err(Refusal::WrongProof(_))));
    let other = proof_by(&key(SigningAlgorithm::Es256), &bound, json!({}));
    assert_eq!(Asked::dpop(&bound, &other).at(&api).await, Err(Refusal::OtherKey));
}

#[tokio::test]
async fn rfc9449_7_2_a_bound_token_is_no_bearer_token() {
    let (api, bound) = (api(), bound_to_key());
    assert_eq!(Asked::with(&bound).at(&api).await, Err(Refusal::BoundTokenAsBearer));
    let downgraded = Asked::with(&bound).header("dpop", &proof(&bound, json!({})));
    assert_eq!(downgraded.at(&api).await, Err(Refusal::BoundTokenAsBearer));
}

#[tokio::test]
async fn rfc9449_7_1_an_unbound_token_with_a_proof_is_refused() {
    let (api, good) = (api(), token(json!({})));
    let proof = proof(&good, json!({}));
    assert_eq!(Asked::dpop(&good, &proof).at(&api).await, Err(Refusal::UnboundTokenAsDpop));
    assert_eq!(Asked::with(&good).header("dpop", &proof).at(&api).await, Err(Refusal::UnboundTokenAsDpop));
    let certified = Asked::dpop(&bound_to_certificate(), &proof).certificate(b"der");
    assert_eq!(certified.at(&api).await, Err(Refusal::UnboundTokenAsDpop));
}

#[tokio::test]
async fn rfc9449_4_3_the_proof_is_for_this_request_and_this_token() {
    let (api, bound) = (api(), bound_to_key());
    let ath = base64url::encode(digest::sha256(b"other"));
    for changes in [
        json!({"htm": "POST"}),
        json!({"htu": "https://api.example/notes/2"}),
        json!({"htu": "https://evil.example/notes/1"}),
        json!({"ath": ath}),
        json!({"ath": null}),
        json!({"iat": NOW - 61}),
        json!({"iat": NOW + 11}),
    ] {
        let refused = Asked::dpop(&bound, &proof(&bound, changes.clone())).at(&api).await;
        assert!(matches!(refused, Err(Refusal::WrongProof(_))), "{changes} {refused:?}");
    }
}

#[tokio::test]
async fn rfc9449_4_3_the_url_is_the_public_one() {
    let bound = bound_to_key();
    let behind = builder(&Clock::new()).origin("https://public.example/api/").build().unwrap();
    let public = proof(&bound, json!({"htu": "https://public.example/api/notes/1"}));
    assert!(Asked::dpop(&bound, &public).at(&behind).await.is_ok());
    let lured = Asked::dpop(&bound, &proof(&bound, json!({}))).header("host", "api.example");
    assert!(matches!(lured.at(&behind).await, Err(Refusal::WrongProof(_))));
}

#[tokio::test]
async fn rfc9449_11_1_a_proof_is_used_once() {
    let (api, bound) = (api(), bound_to_key());
    let asked = Asked::dpop(&bound, &proof(&bound, json!({})));
    assert!(asked.at(&api).await.is_ok());
    assert_eq!(asked.at(&api).await, Err(Refusal::ProofReplayed));
    let full = builder(&Clock::new()).remembered_proofs(0).build().unwrap();
    let refused = asked.wanting(&full, &Requirement::valid_token()).await.unwrap_err();
    assert_eq!((refused.refusal(), refused.status().as_u16()), (&Refusal::ProofsOverflow, 503));
}

#[tokio::test]
async fn rfc9449_9_a_nonce_is_wanted_where_it_is_switched_on() {
    let (clock, bound) = (Clock::new(), bound_to_key());
    let api = builder(&clock).dpop_nonces().build().unwrap();
    let wanted = Requirement::valid_token();
    let refused = Asked::dpop(&bound, &proof(&bound, json!({}))).wanting(&api, &wanted).await.unwrap_err();
    assert_eq!((refused.code(), refused.status().as_u16()), (ErrorCode::UseDpopNonce, 401));
    let nonce = refused.headers()["dpop-nonce"].to_str().unwrap().to_owned();
    let with = |nonce: &str| Asked::dpop(&bound, &proof(&bound, json!({"nonce": nonce})));
    assert!(with(&nonce).at(&api).await.is_ok());
    assert!(with(&api.dpop_nonce().unwrap()).at(&api).await.is_ok());
    assert_eq!(with("invented").at(&api).await, Err(Refusal::NonceWanted));
    clock.set(NOW + 301);
    let late = Asked::dpop(&bound, &proof(&bound, json!({"nonce": nonce, "iat": NOW + 301})));
    assert_eq!(late.at(&api).await, Err(Refusal::NonceWanted));
    // Two processes with one secret.
    let [one, two] = [(); 2].map(|()| builder(&Clock::new()).dpop_nonces_with([7; 32]).build().unwrap());
    assert!(with(&one.dpop_nonce().unwrap()).at(&two).await.is_ok());
    let other = builder(&Clock::new()).dpop_nonces_with([8; 32]).build().unwrap();
    assert_eq!(with(&one.dpop_nonce().unwrap()).at(&other).await, Err(Refusal::NonceWanted));
    assert_eq!(self::api().dpop_nonce(), None);
}

#[tokio::test]
async fn rfc9449_4_3_a_proof_is_signed_as_the_api_allows() {
    let bound = bound_to_key();
    let api = builder(&Clock::new()).algorithms(&[SigningAlgorithm::Ed25519]).build().unwrap();
    let refused = Asked::dpop(&bound, &proof(&bound, json!({}))).at(&api).await;
    assert_eq!(refused, Err(Refusal::WrongProof(grantor_protocol::Refusal::DpopAlgorithmNotAllowed)));
}

#[tokio::test]
async fn rfc9449_4_3_a_proof_is_text() {
    let bound = bound_to_key();
    let mut asked = Asked::default().header("authorization", &format!("DPoP {bound}"));
    asked.headers.insert("dpop", http::HeaderValue::from_bytes(b"\xff").unwrap());
    let refused = asked.at(&api()).await;
    assert_eq!(refused, Err(Refusal::WrongProof(grantor_protocol::Refusal::MalformedDpopProof)));
}

#[tokio::test]
async fn rfc8705_3_a_token_bound_to_a_certificate_needs_its_connection() {
    let (api, bound) = (api(), bound_to_certificate());
    assert!(Asked::with(&bound).certificate(b"der").at(&api).await.is_ok());
    assert_eq!(Asked::with(&bound).at(&api).await, Err(Refusal::OtherCertificate));
    assert_eq!(Asked::with(&bound).certificate(b"other").at(&api).await, Err(Refusal::OtherCertificate));
}

#[tokio::test]
async fn what_the_api_wants_every_route_wants() {
    let strict = builder(&Clock::new()).requirement(Requirement::bound(RequiredBinding::Dpop)).build().unwrap();
    assert!(strict.metadata().dpop_bound_access_tokens_required);
    let wanted = Requirement::scope("notes:read");
    let refused = Asked::with(&token(json!({}))).wanting(&strict, &wanted).await.unwrap_err();
    assert_eq!(refused.refusal(), &Refusal::BindingWanted(RequiredBinding::Dpop));
    let challenges: Vec<_> = refused.headers().get_all("www-authenticate").iter().collect();
    assert_eq!(challenges.len(), 1);
    assert!(challenges[0].to_str().unwrap().starts_with("DPoP error="));
}

/// Counts how often it is asked, which is as often as a token is verified.
#[derive(Debug, Default)]
struct Known {
    taken_back: AtomicBool,
    learns: AtomicBool,
    unknown: AtomicBool,
}

impl Revocations for Known {
    fn standing(&self, token: &Verified, _: UnixTime) -> Standing {
        assert_eq!(token.id(), Some("t1"));
        match (self.unknown.load(Ordering::SeqCst), self.taken_back.load(Ordering::SeqCst)) {
            (true, _) => Standing::Unknown,
            (_, true) => Standing::TakenBack,
            _ => Standing::Good,
        }
    }

    fn learn<'a>(
        &'a self,
        _: &'a Verified,
        _: UnixTime,
    ) -> std::pin::Pin<Box<dyn Future<Output = Standing> + Send + 'a>> {
        let learned = if self.learns.load(Ordering::SeqCst) { Standing::Good } else { Standing::Unknown };
        Box::pin(std::future::ready(learned))
    }
}

#[tokio::test]
async fn a_token_is_verified_once_and_never_past_its_end() {
    let clock = Clock::new();
    let api = builder(&clock).leeway(10).build().unwrap();
    let token = token(json!({}));
    let asked = Asked::with(&token);
    let is_remembered = || api.0.cache.get(&api.0.names.of(&token), 0, clock.read()).is_some();
    assert!(!is_remembered());
    assert!(asked.at(&api).await.is_ok());
    clock.set(NOW + 599);
    assert!(is_remembered() && asked.at(&api).await.is_ok());
    // From `exp` on it is verified each time, for as long as the leeway.
    clock.set(NOW + 600);
    assert!(!is_remembered() && asked.at(&api).await.is_ok() && !is_remembered());
    clock.set(NOW + 610);
    assert_eq!(asked.at(&api).await, Err(Refusal::Expired));
}

#[tokio::test]
async fn what_was_taken_back_is_refused_as_soon_as_it_is_known() {
    let known = Arc::new(Known::default());
    let api = builder(&Clock::new()).revocations(Arc::clone(&known) as _).build().unwrap();
    let asked = Asked::with(&token(json!({})));
    assert!(asked.at(&api).await.is_ok());
    known.taken_back.store(true, Ordering::SeqCst);
    assert!(api.0.cache.get(&api.0.names.of(&token(json!({}))), 0, UnixTime::new(NOW)).is_some());
    assert_eq!(asked.at(&api).await, Err(Refusal::TakenBack));
    assert_eq!(asked.at(&api).await, Err(Refusal::TakenBack));
}

#[tokio::test]
async fn a_token_whose_standing_cannot_be_learned_is_refused() {
    let known = Arc::new(Known::default());
    known.unknown.store(true, Ordering::SeqCst);
    let api = builder(&Clock::new()).revocations(Arc::clone(&known) as _).build().unwrap();
    let asked = Asked::with(&token(json!({})));
    assert_eq!(asked.at(&api).await, Err(Refusal::NoStanding));
    known.learns.store(true, Ordering::SeqCst);
    assert!(asked.at(&api).await.is_ok());
}

#[tokio::test]
async fn what_was_found_out_before_a_key_was_withdrawn_is_void() {
    let api = api();
    let good = token(json!({}));
    let question = api.question(&good, UnixTime::new(NOW));
    let verified = api.known(&question).unwrap().unwrap();
    let found = |age| api.0.cache.get(&question.name, age, UnixTime::new(NOW));
    assert_eq!((found(question.age), found(question.age + 1)), (Some(verified), None));
}

#[test]
fn what_cannot_work_is_refused_at_the_start() {
    use crate::SetupError;
    let build = |issuer, audience| Api::builder(issuer, audience).build().map(|_| ());
    assert_eq!(build("https://id.example", AUDIENCE), Ok(()));
    assert_eq!(build("https://tenant.example/", AUDIENCE), Ok(()));
    for issuer in ["http://id.example", "id.example", "https://id.example?x", ""] {
        assert_eq!(build(issuer, AUDIENCE), Err(SetupError::Issuer), "{issuer}");
    }
    for audience in ["", "notes", "https://api.example/#x"] {
        assert_eq!(build("https://id.example", audience), Err(SetupError::Audience), "{audience}");
    }
    assert_eq!(build("https://id.example", "urn:example:api"), Err(SetupError::Origin));
    let urn = Api::builder("https://id.example", "urn:example:api").origin("https://api.example").build().unwrap();
    assert_eq!((urn.metadata_url(), urn.metadata_path()), (None, None));
    let plain = || Api::builder("https://id.example", AUDIENCE);
    assert_eq!(plain().algorithms(&[]).build().map(|_| ()), Err(SetupError::NoAlgorithm));
    assert_eq!(plain().leeway(301).build().map(|_| ()), Err(SetupError::Leeway));
    assert_eq!(plain().scopes("a\"").build().map(|_| ()), Err(SetupError::Scopes));
    for origin in ["https://a.example/?x", "https://a.example/#x", "ftp://a.example", "a.example"] {
        assert_eq!(plain().origin(origin).build().map(|_| ()), Err(SetupError::Origin), "{origin}");
    }
}

#[test]
fn no_token_and_no_person_shows() {
    let verified = api().known(&api().question(&token(json!({"email": "a@b.example"})), UnixTime::new(NOW)));
    let shown = format!("{verified:?}");
    assert!(shown.contains("alice") && !shown.contains("a@b.example"), "{shown}");
}

/// An API, and a token that it has seen.
static WARM: LazyLock<(Api, String)> = LazyLock::new(|| (api(), token(json!({}))));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever is done to a request that would pass, after one like it has passed: it passes as the same one or not at all.
    #[test]
    fn a_mutated_token_never_passes_even_with_a_warm_cache(place: prop::sample::Index, byte in 33_u8..127) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (api, good) = &*WARM;
        let mut bytes = good.clone().into_bytes();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        let mutated = String::from_utf8(bytes).unwrap();
        prop_assert!(runtime.block_on(Asked::with(good).at(api)).is_ok());
        prop_assert_eq!(runtime.block_on(Asked::with(&mutated).at(api)).is_ok(), mutated == *good);
    }
}
