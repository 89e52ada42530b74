//! An API with `grantor-resource` that takes the tokens of the binary: JWTs by its keys, opaque ones by asking, bound ones
//! with their proofs.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

mod common;

use common::{Folder, Running, basic, http};
use grantor_jose::{SigningAlgorithm, SigningKey, base64url, digest, jws};
use grantor_resource::{Api, Binding, Head, Introspection, Refusal, RequiredBinding, Requirement, Verified};
use http::{HeaderMap, Method, Uri};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// The binary's demo, and what it said.
struct Demo {
    said: Value,
    _running: Running,
    _folder: Folder,
}

impl Demo {
    fn start() -> Self {
        let folder = Folder::new();
        let running = folder.start(&["demo", "--listen", "127.0.0.1:0"]);
        Self { said: running.said.clone(), _running: running, _folder: folder }
    }

    fn issuer(&self) -> &str {
        self.said["issuer"].as_str().unwrap()
    }

    fn client(&self, id: &str) -> &Value {
        self.said["clients"].as_array().unwrap().iter().find(|client| client["client_id"] == id).unwrap()
    }

    fn endpoint(&self, name: &str) -> &str {
        self.said["endpoints"][name].as_str().unwrap()
    }

    /// As the machine: status, head and body.
    fn post(&self, endpoint: &str, proof: Option<String>, body: &str) -> (u16, String, String) {
        let mut headers = vec![basic(self.client("demo-machine"))];
        headers.extend(proof.map(|proof| ("dpop", proof)));
        http("POST", self.endpoint(endpoint), &headers, body)
    }

    fn token(&self, scope: &str, proof: Option<String>) -> String {
        let (status, _, answer) = self.post("token_endpoint", proof, &format!("{GRANT}&scope={scope}"));
        assert_eq!(status, 200, "{answer}");
        serde_json::from_str::<Value>(&answer).unwrap()["access_token"].as_str().unwrap().to_owned()
    }

    /// What the token endpoint wants in a proof.
    fn nonce(&self, proof: String) -> String {
        let (status, head, answer) = self.post("token_endpoint", Some(proof), GRANT);
        assert_eq!(status, 400, "{answer}");
        let header = head.lines().find_map(|line| line.split_once(": ").filter(|(name, _)| *name == "dpop-nonce"));
        header.unwrap().1.to_owned()
    }

    fn api(&self, path: &str) -> grantor_resource::Builder {
        Api::builder(self.issuer(), &format!("{}{path}", self.issuer()))
    }
}

const GRANT: &str = "grant_type=client_credentials";

async fn check(api: &Api, headers: &[(&'static str, String)], wanted: &Requirement) -> Result<Verified, Refusal> {
    let headers: HeaderMap =
        headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    let head =
        Head { method: &Method::GET, uri: &Uri::from_static("/demo/notes"), headers: &headers, certificate: None };
    api.check(head, wanted).await.map_err(|rejection| rejection.refusal().clone())
}

fn bearer(token: &str) -> [(&'static str, String); 1] {
    [("authorization", format!("Bearer {token}"))]
}

#[tokio::test]
async fn a_jwt_is_accepted_by_the_api_that_it_is_for() {
    let demo = Demo::start();
    let (notes, mail) = (demo.api("/demo/notes").build().unwrap(), demo.api("/demo/mail").build().unwrap());
    let token = demo.token("notes:read", None);
    let verified = check(&notes, &bearer(&token), &Requirement::scope("notes:read")).await.unwrap();
    assert_eq!((verified.subject(), verified.client_id()), ("demo-machine", "demo-machine"));
    assert_eq!(verified.issuer(), demo.issuer());
    let more = check(&notes, &bearer(&token), &Requirement::scope("notes:write")).await;
    assert_eq!(more, Err(Refusal::InsufficientScope));
    let recent = check(&notes, &bearer(&token), &Requirement::signed_in_within(300)).await;
    assert_eq!(recent, Err(Refusal::InsufficientAuthentication), "no user did");
    assert_eq!(check(&mail, &bearer(&token), &Requirement::valid_token()).await, Err(Refusal::OtherAudience));
}

#[tokio::test]
async fn an_opaque_token_is_accepted_until_it_is_taken_back() {
    let demo = Demo::start();
    let secret = demo.client("demo-notes-api")["client_secret"].as_str().unwrap();
    let api = |path: &str| {
        let introspection = Introspection::with_secret("demo-notes-api", secret).cached_for(0);
        demo.api(path).introspection(introspection).build().unwrap()
    };
    let (mail, any) = (api("/demo/mail"), Requirement::valid_token());
    let token = demo.token("mail:read", None);
    let verified = check(&mail, &bearer(&token), &Requirement::scope("mail:read")).await.unwrap();
    assert_eq!(verified.client_id(), "demo-machine");
    assert_eq!(check(&api("/demo/notes"), &bearer(&token), &any).await, Err(Refusal::OtherAudience));
    assert_eq!(demo.post("revocation_endpoint", None, &format!("token={token}")).0, 200);
    assert_eq!(check(&mail, &bearer(&token), &any).await, Err(Refusal::Inactive));
    let invented = format!("{}x", token.trim_end_matches(|c: char| c.is_ascii_alphanumeric()));
    assert_eq!(check(&mail, &bearer(&invented), &any).await, Err(Refusal::Inactive));
}

#[tokio::test]
async fn a_bound_token_is_accepted_with_its_proof() {
    let demo = Demo::start();
    let key = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
    let proof = |method: &str, url: &str, more: Value| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let mut claims = json!({"jti": format!("{method}{more}"), "htm": method, "htu": url, "iat": now});
        if let (Value::Object(claims), Value::Object(more)) = (&mut claims, more) {
            claims.extend(more);
        }
        let extra = json!({"jwk": key.public_jwk()});
        jws::sign_with_header(&key, "dpop+jwt", extra.as_object().unwrap(), claims.to_string().as_bytes()).unwrap()
    };
    let endpoint = demo.endpoint("token_endpoint");
    let nonce = demo.nonce(proof("POST", endpoint, json!({})));
    let token = demo.token("notes:read", Some(proof("POST", endpoint, json!({"nonce": nonce}))));
    let api = demo.api("/demo/notes").requirement(Requirement::bound(RequiredBinding::Dpop)).build().unwrap();
    let url = format!("{}/demo/notes", demo.issuer());
    let ath = base64url::encode(digest::sha256(token.as_bytes()));
    let sent = [("authorization", format!("DPoP {token}")), ("dpop", proof("GET", &url, json!({"ath": ath})))];
    let any = Requirement::valid_token();
    assert_eq!(check(&api, &sent, &any).await.unwrap().binding(), &Binding::Dpop(key.thumbprint()));
    assert_eq!(check(&api, &sent, &any).await, Err(Refusal::ProofReplayed));
    assert_eq!(check(&api, &bearer(&token), &any).await, Err(Refusal::BoundTokenAsBearer));
    let unbound = demo.token("notes:read", None);
    assert_eq!(check(&api, &bearer(&unbound), &any).await, Err(Refusal::BindingWanted(RequiredBinding::Dpop)));
}
