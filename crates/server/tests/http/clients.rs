//! Client authentication, the same at `/token`, `/introspect` and `/revoke`.

use crate::directory::client_record;
use crate::harness::{Answer, Browser, CALLBACK, PASSWORD, Site, VERIFIER, base64_standard, secret, text};
use grantor_protocol::client::{AuthMethod, SecretHash, StoredSecret};
use grantor_protocol::value::TenantName;
use grantor_protocol::value::{Seconds, UnixTime};
use grantor_store::Change;
use serde_json::json;

const CC: (&str, &str) = ("grant_type", "client_credentials");
const NOTES: (&str, &str) = ("scope", "notes:read");

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", base64_standard(format!("{id}:{secret}").as_bytes()))
}

fn refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status.as_u16(), answer.error().as_str()), (status, error), "{}", answer.body);
    assert_eq!((answer.header("cache-control"), answer.header("content-type")), ("no-store", "application/json"));
    assert!(!answer.header("x-request-id").is_empty());
}

#[tokio::test]
async fn rfc6749_2_3_1_the_one_method_of_the_client_and_no_other() {
    let site = Site::start().await;
    let mut poster = site.client("machine").await;
    poster.metadata.token_endpoint_auth_method = AuthMethod::ClientSecretPost;
    site.change(vec![Change::PutClient(poster)]).await;
    let machines = secret("machine");
    let post = [CC, NOTES, ("client_id", "machine"), ("client_secret", machines.as_str())];
    assert_eq!(site.form("/token", &[], &post).await.status, 200, "client_secret_post");
    let answer = site.token("machine", &[CC, NOTES]).await;
    refused(&answer, 401, "invalid_client");
    assert!(answer.header("www-authenticate").starts_with("Basic"));
    let webs = secret("web");
    let post = [CC, NOTES, ("client_id", "web"), ("client_secret", webs.as_str())];
    let answer = site.form("/token", &[], &post).await;
    refused(&answer, 401, "invalid_client");
    assert_eq!(answer.header("www-authenticate"), "", "only where a header was tried (RFC 6749 5.2)");
    refused(&site.form("/token", &[], &[CC, NOTES, ("client_id", "machine")]).await, 401, "invalid_client");
    refused(&site.form("/token", &[], &[CC, NOTES]).await, 401, "invalid_client");
}

#[tokio::test]
async fn rfc6749_2_3_never_two_methods_at_once() {
    let site = Site::start().await;
    let (header, secret) = (basic("machine", &secret("machine")), secret("machine"));
    let headers = [("authorization", header.as_str())];
    for path in ["/token", "/introspect", "/revoke"] {
        let both = [CC, NOTES, ("token", "x"), ("client_secret", secret.as_str())];
        refused(&site.form(path, &headers, &both).await, 400, "invalid_request");
        let another = [CC, NOTES, ("token", "x"), ("client_id", "web")];
        refused(&site.form(path, &headers, &another).await, 400, "invalid_request");
        let twice = [headers[0], headers[0]];
        refused(&site.form(path, &twice, &[CC, NOTES, ("token", "x")]).await, 400, "invalid_request");
    }
    let same = [CC, NOTES, ("client_id", "machine")];
    assert_eq!(site.form("/token", &headers, &same).await.status, 200);
}

#[tokio::test]
async fn rfc6749_2_3_1_what_is_no_basic_header_is_no_client() {
    let site = Site::start().await;
    for wrong in
        ["Basic", "Basic !!!", "Basic bWFjaGluZQ==", "Bearer abc", "Digest x=y", "Basic Og==", "Basic gIA6gA=="]
    {
        for path in ["/token", "/introspect", "/revoke"] {
            let answer = site.form(path, &[("authorization", wrong)], &[CC, ("token", "x")]).await;
            refused(&answer, 401, "invalid_client");
            assert!(answer.header("www-authenticate").starts_with("Basic"), "{wrong}");
        }
    }
}

#[tokio::test]
async fn rfc6749_2_3_1_basic_is_form_encoded_first() {
    let site = Site::start().await;
    let mut odd = client_record(json!({"client_id": "odd:client", "grant_types": ["client_credentials"]}));
    let chosen = grantor_protocol::value::Secret::new("sécret+with: all%of it".to_owned());
    odd.secrets[0].hash = SecretHash::quick(&chosen);
    let mut api = site.store.directory().await.unwrap().apis.remove(0);
    api.resource_servers.push(odd.metadata.client_id.clone());
    site.change(vec![Change::PutClient(odd), Change::PutApi(api)]).await;
    let encoded: String = url::form_urlencoded::byte_serialize(chosen.expose().as_bytes()).collect();
    let header = basic("odd%3Aclient", &encoded);
    assert_eq!(site.form("/introspect", &[("authorization", &header)], &[("token", "x")]).await.status, 200);
    let raw = basic("odd%3Aclient", chosen.expose());
    assert_eq!(site.form("/introspect", &[("authorization", &raw)], &[("token", "x")]).await.status, 401);
}

#[tokio::test]
async fn two_secrets_overlap_until_one_expires_and_a_disabled_client_has_none() {
    let site = Site::start().await;
    let mut machine = site.client("machine").await;
    let next = grantor_protocol::value::Secret::new("another one".to_owned());
    machine.secrets[0].expires = Some(UnixTime::new(site.now()).plus(Seconds::new(100)));
    let stored = StoredSecret { hash: SecretHash::quick(&next), created: UnixTime::new(0), expires: None };
    machine.secrets.push(stored);
    site.change(vec![Change::PutClient(machine.clone())]).await;
    let new = basic("machine", next.expose());
    let with_new = || async { site.form("/token", &[("authorization", &new)], &[CC, NOTES]).await.status.as_u16() };
    assert_eq!((site.token("machine", &[CC, NOTES]).await.status.as_u16(), with_new().await), (200, 200));
    site.later(100);
    refused(&site.token("machine", &[CC, NOTES]).await, 401, "invalid_client");
    assert_eq!(with_new().await, 200);
    machine.metadata.disabled = true;
    site.change(vec![Change::PutClient(machine)]).await;
    assert_eq!(with_new().await, 401);
}

#[tokio::test]
async fn rfc6749_2_3_1_a_secret_that_somebody_chose_works_and_cannot_be_guessed_at_leisure() {
    let site = Site::start().await;
    let mut machine = site.client("machine").await;
    let user = crate::directory::user_record("default", "x");
    machine.secrets[0].hash = SecretHash::Phc(user.password_hash.unwrap());
    site.change(vec![Change::PutClient(machine)]).await;
    let tried = |secret: &'static str| {
        let header = basic("machine", secret);
        let site = &site;
        async move { site.form("/token", &[("authorization", &header)], &[CC, NOTES]).await }
    };
    for _ in 0..5 {
        refused(&tried("guess").await, 401, "invalid_client");
    }
    let throttled = tried("guess").await;
    refused(&throttled, 503, "temporarily_unavailable");
    assert!(!throttled.header("retry-after").is_empty());
    site.later(300);
    assert_eq!(tried(PASSWORD).await.status, 200, "nobody is locked out for good");
    assert_eq!(tried(PASSWORD).await.status, 200);
}

#[tokio::test]
async fn rfc6749_2_1_a_public_client_needs_no_secret_and_has_no_token_for_itself() {
    let site = Site::start().await;
    let refused_grant = site.form("/token", &[], &[CC, ("client_id", "public")]).await;
    refused(&refused_grant, 400, "unauthorized_client");
    let answer = Browser::new(&site).authorize("public", &[("scope", "openid notes:read")]).await;
    let code = answer.param("code").unwrap();
    let redeem = [
        ("grant_type", "authorization_code"),
        ("client_id", "public"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let with_secret = [redeem.as_slice(), &[("client_secret", "x")]].concat();
    refused(&site.form("/token", &[], &with_secret).await, 401, "invalid_client");
    let tokens = site.form("/token", &[], &redeem).await.json();
    let refresh =
        [("grant_type", "refresh_token"), ("client_id", "public"), ("refresh_token", text(&tokens, "refresh_token"))];
    let next = site.form("/token", &[], &refresh).await.json();
    let revoke = [("client_id", "public"), ("token", text(&next, "refresh_token"))];
    assert_eq!(site.form("/revoke", &[], &revoke).await.status, 200);
    assert_eq!(site.introspect(text(&next, "access_token")).await, json!({"active": false}));
}

#[tokio::test]
async fn rfc6749_5_2_no_answer_tells_whether_a_client_exists() {
    let site = Site::start().await;
    let mut bodies = Vec::new();
    for id in ["machine", "nobody", "web", "public"] {
        let header = basic(id, "wrong");
        let answer = site.form("/token", &[("authorization", &header)], &[CC, NOTES]).await;
        bodies.push((answer.status, answer.body.clone(), answer.header("www-authenticate").to_owned()));
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "{bodies:?}");
}

#[tokio::test]
async fn the_last_use_of_a_secret_is_noted() {
    let site = Site::start().await;
    let (tenant, id) = (TenantName::default(), grantor_protocol::value::ClientId::parse("machine").unwrap());
    assert!(site.store.last_uses(&tenant, &id).await.unwrap().is_empty());
    site.machine("notes:read").await;
    let name = site.client("machine").await.secrets[0].name();
    crate::harness::until("the use is noted", async || {
        site.settled().await;
        site.store.last_uses(&tenant, &id).await.unwrap().contains_key(name.as_str())
    })
    .await;
}
