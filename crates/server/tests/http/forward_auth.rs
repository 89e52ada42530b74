//! `/forward-auth`: a proxy asks for an API.

use crate::harness::{Answer, Plan, Site, base64_standard, encode, text};
use crate::prover::Prover;
use grantor_protocol::directory::RequiredBinding;
use grantor_protocol::forward_auth::IDENTITY;
use grantor_store::Change;
use reqwest::Method;
use serde_json::json;

/// The question of a proxy for the notes.
fn asks(site: &Site, more: &str) -> String {
    format!("/forward-auth?{}{more}", encode(&[("resource", &site.notes())]))
}

/// The same as nginx would ask it for a request that was sent to the API, with these headers of the client.
async fn ask(site: &Site, more: &str, headers: &[(&str, &str)]) -> Answer {
    site.get(&asks(site, more), headers).await
}

async fn bearer(site: &Site, more: &str, token: &str) -> Answer {
    ask(site, more, &[("authorization", &format!("Bearer {token}"))]).await
}

/// What is answered: the status, and the code in the challenge.
fn said(answer: &Answer) -> (u16, Option<&str>) {
    let code = answer.header("www-authenticate").split("error=\"").nth(1).and_then(|rest| rest.split('"').next());
    assert!(answer.body.is_empty() && answer.header("cache-control") == "no-store");
    assert!(answer.status == 200 || IDENTITY.iter().all(|name| !answer.headers.contains_key(*name)));
    (answer.status.as_u16(), code)
}

#[tokio::test]
async fn rfc6750_2_1_a_token_that_is_enough_lets_its_bearer_pass_and_says_who_it_is() {
    let site = Site::start().await;
    let tokens = site.tokens("openid notes:read").await;
    let answer = bearer(&site, "&scope=notes:read&role=editor", text(&tokens, "access_token")).await;
    assert_eq!(said(&answer), (200, None));
    let values = IDENTITY.map(|name| (name, answer.header(name)));
    let claims = crate::harness::claims(text(&tokens, "access_token"));
    let [expires, auth_time] = ["exp", "auth_time"].map(|name| claims[name].to_string());
    let wanted = [
        ("x-grantor-subject", "sub-of-alice"),
        ("x-grantor-subject-type", "user"),
        ("x-grantor-client-id", "web"),
        ("x-grantor-scope", "notes:read openid"),
        ("x-grantor-roles", "editor"),
        ("x-grantor-token-id", text(&claims, "jti")),
        ("x-grantor-expires", &expires),
        ("x-grantor-acr", text(&claims, "acr")),
        ("x-grantor-auth-time", &auth_time),
        ("x-grantor-authorization-details", ""),
    ];
    assert_eq!(values, wanted);
}

#[tokio::test]
async fn every_answer_that_lets_pass_has_every_header_of_the_identity_once() {
    let site = Site::start().await;
    let token = site.machine("notes:read").await;
    let forged: Vec<_> = IDENTITY.iter().map(|name| (*name, "forged")).collect();
    let authorization = format!("Bearer {token}");
    let headers = [&forged[..], &[("authorization", authorization.as_str())]].concat();
    let answer = ask(&site, "", &headers).await;
    assert_eq!(said(&answer), (200, None));
    for name in IDENTITY {
        assert_eq!(answer.headers.get_all(name).iter().count(), 1, "{name}");
        assert_ne!(answer.header(name), "forged");
    }
    let [subject, kind, client, _, roles, _, _, acr, auth_time, _] = IDENTITY.map(|name| answer.header(name));
    assert_eq!([subject, kind, client, roles, acr, auth_time], ["machine", "app", "machine", "reader", "", ""]);
}

#[tokio::test]
async fn rfc6750_3_1_who_sends_no_token_is_told_what_would_do_and_where() {
    let site = Site::start().await;
    let basic = base64_standard(b"alice:password");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let token = site.machine("notes:read").await;
    let body = Some(encode(&[("access_token", &token)]).into_bytes());
    let path = format!("/forward-auth/{}/notes", encode(&[("resource", &site.notes()), ("scope", "notes:read")]));
    for answer in [
        ask(&site, "&scope=notes:read", &[]).await,
        ask(&site, "&scope=notes:read", &[("authorization", &format!("Basic {basic}"))]).await,
        // Neither in the query of the request nor in its form (RFC 6750 2.2, 2.3).
        site.get(&format!("{path}?access_token={token}"), &[]).await,
        site.send(Method::POST, &path, &form, body).await,
    ] {
        assert_eq!(said(&answer), (401, None));
        let resource = encode(&[("resource", &site.notes())]);
        let metadata =
            format!(r#"scope="notes:read", resource_metadata="{}/protected-resource?{resource}""#, site.issuer);
        let [challenge] = answer.headers.get_all("www-authenticate").iter().collect::<Vec<_>>().try_into().unwrap();
        let challenge = challenge.to_str().unwrap();
        assert!(challenge.starts_with(&format!("Bearer {metadata}, DPoP {metadata}, algs=\"")), "{challenge}");
        let place = challenge.split("resource_metadata=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        assert_eq!(site.get(place, &[]).await.json()["resource"], site.notes());
    }
}

#[tokio::test]
async fn rfc6750_3_1_what_the_token_lacks_is_said() {
    let site = Site::start().await;
    let token = site.machine("notes:read").await;
    let lacks = bearer(&site, "&scope=notes:write", &token).await;
    assert_eq!(said(&lacks), (403, Some("insufficient_scope")));
    assert!(lacks.header("www-authenticate").contains(r#"scope="notes:write""#));
    assert_eq!(said(&bearer(&site, "&any_scope=notes:write+notes:read", &token).await), (200, None));
    assert_eq!(said(&bearer(&site, "&any_scope=notes:write", &token).await), (403, Some("insufficient_scope")));
    assert_eq!(said(&bearer(&site, "&role=reader", &token).await), (200, None));
    assert_eq!(said(&bearer(&site, "&role=reader&role=admin", &token).await), (403, Some("insufficient_scope")));
}

#[tokio::test]
async fn rfc9470_3_a_user_who_must_sign_in_again_is_told_so() {
    let site = Site::start().await;
    let tokens = site.tokens("openid notes:read").await;
    let token = text(&tokens, "access_token");
    assert_eq!(said(&bearer(&site, "&max_age=300", token).await), (200, None));
    site.later(301);
    let lacks = bearer(&site, "&max_age=300", token).await;
    assert_eq!(said(&lacks), (401, Some("insufficient_user_authentication")));
    assert!(lacks.header("www-authenticate").contains(r#"max_age="300""#));
    let lacks = bearer(&site, "&acr_values=urn:example:key", token).await;
    assert_eq!(said(&lacks), (401, Some("insufficient_user_authentication")));
    assert!(lacks.header("www-authenticate").contains(r#"acr_values="urn:example:key""#));
}

#[tokio::test]
async fn rfc9068_4_a_token_for_another_audience_opens_nothing() {
    let site = Site::start().await;
    let for_mail = site.machine("mail:read").await;
    assert_eq!(said(&bearer(&site, "", &for_mail).await), (401, Some("invalid_token")));
    let of_mail = format!("/forward-auth?{}", encode(&[("resource", &site.mail()), ("scope", "mail:read")]));
    assert_eq!(said(&site.bearer(&of_mail, &for_mail).await), (200, None), "an opaque one");
    let tokens = site.tokens("openid offline_access notes:read").await;
    for other in ["id_token", "refresh_token"] {
        assert_eq!(said(&bearer(&site, "", text(&tokens, other)).await), (401, Some("invalid_token")), "{other}");
    }
    let at_acme = format!("/t/acme{}", asks(&site, ""));
    assert_eq!(site.bearer(&at_acme, text(&tokens, "access_token")).await.status, 503, "no API of that tenant");
}

#[tokio::test]
async fn rfc7009_2_2_what_was_taken_back_or_has_ended_opens_nothing() {
    let site = Site::start().await;
    let token = site.machine("notes:read").await;
    assert_eq!(said(&bearer(&site, "", &token).await), (200, None));
    assert_eq!(site.client_form("/revoke", "machine", &[("token", &token)]).await.status, 200);
    assert_eq!(said(&bearer(&site, "", &token).await), (401, Some("invalid_token")));
    let token = site.machine("notes:read").await;
    site.later(601);
    assert_eq!(said(&bearer(&site, "", &token).await), (401, Some("invalid_token")));
}

#[tokio::test]
async fn rfc6750_2_a_token_that_comes_twice_or_malformed_is_refused_as_nginx_understands_it() {
    let site = Site::start().await;
    let token = site.machine("notes:read").await;
    let one = format!("Bearer {token}");
    let joined = format!("{one}, {one}");
    for headers in [
        &[("authorization", one.as_str()), ("authorization", one.as_str())][..],
        &[("authorization", joined.as_str())],
        &[("authorization", "Bearer a b")],
        &[("authorization", "Bearer")],
    ] {
        assert_eq!(said(&ask(&site, "", headers).await), (401, Some("invalid_request")), "{headers:?}");
    }
}

#[tokio::test]
async fn only_a_trusted_proxy_is_answered_and_only_where_that_is_wanted() {
    for (proxy, forward_auth) in [("192.0.2.1/32", true), ("127.0.0.1/32", false)] {
        nobody_is_answered(Plan { trusted_proxies: vec![proxy], forward_auth, ..Plan::default() }).await;
    }
}

async fn nobody_is_answered(plan: Plan) {
    let site = Site::planned(plan, |_| {}).await;
    let token = site.machine("notes:read").await;
    let headers = [("authorization", format!("Bearer {token}")), ("x-forwarded-for", "192.0.2.1".to_owned())];
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    for path in [asks(&site, ""), format!("/forward-auth/{}/notes", encode(&[("resource", &site.notes())]))] {
        for headers in [&headers[..], &[]] {
            let answer = site.get(&path, headers).await;
            assert_eq!(said(&answer), (403, None));
            assert!(!answer.headers.contains_key("www-authenticate"), "it is no oracle");
        }
    }
}

#[tokio::test]
async fn a_question_that_is_not_understood_lets_nobody_pass() {
    let site = Site::start().await;
    let token = site.machine("notes:read").await;
    let notes = encode(&[("resource", &site.notes())]);
    for path in [
        "/forward-auth".to_owned(),
        "/forward-auth?resource=https://nobody.example".to_owned(),
        format!("/forward-auth?{notes}&scopes=notes:read"),
        format!("/forward-auth?{notes}&scope="),
        format!("/forward-auth?{notes}&scope=%22"),
        format!("/forward-auth?{notes}&{notes}"),
        // Nor one whose wishes a caller could have written.
        format!("/forward-auth/notes?{notes}"),
        format!("/forward-auth/{notes}"),
    ] {
        let answer = site.bearer(&path, &token).await;
        assert_eq!(said(&answer), (503, None), "{path}");
        assert!(!answer.headers.contains_key("www-authenticate") && answer.header("retry-after") == "5", "{path}");
    }
}

/// A token of `machine` for the notes, bound to the key of the prover, which knows a nonce by then.
async fn bound(site: &Site, owner: &Prover) -> String {
    let fields = [("grant_type", "client_credentials"), ("scope", "notes:read")];
    text(&owner.token(site, "machine", &fields).await.json(), "access_token").to_owned()
}

/// How a request with a proof fares that was sent to `/demo/notes`.
async fn with_proof(site: &Site, more: &str, token: &str, proof: &str, original: &[(&str, &str)]) -> Answer {
    let authorization = format!("DPoP {token}");
    let headers = [original, &[("authorization", authorization.as_str()), ("dpop", proof)]].concat();
    ask(site, more, &headers).await
}

#[tokio::test]
async fn rfc9449_7_1_the_proof_is_for_the_request_that_the_client_sent() {
    let site = Site::start().await;
    let owner = Prover::new();
    let token = bound(&site, &owner).await;
    let elsewhere = format!("https://elsewhere.example/demo/notes%2F1?x={}", site.issuer);
    let sources = [
        [("x-original-method", "PUT"), ("x-original-uri", "/demo/notes%2F1?x=/y")],
        [("x-original-method", "PUT"), ("x-original-url", elsewhere.as_str())],
        [("x-forwarded-method", "PUT"), ("x-forwarded-uri", "/demo/notes%2F1?x=/y")],
    ];
    for original in &sources {
        let proof = owner.proof(&site, "PUT", "/demo/notes%2F1", Some(&token), &json!({}));
        let answer = with_proof(&site, "", &token, &proof, original).await;
        assert_eq!(said(&answer), (200, None), "{original:?}");
        assert!(!answer.header("dpop-nonce").is_empty());
        let again = with_proof(&site, "", &token, &proof, original).await;
        assert_eq!(said(&again), (401, Some("invalid_dpop_proof")), "a proof is good once");
        for (method, path) in [
            ("GET", "/demo/notes%2F1"),
            ("PUT", "/demo/notes/1"),
            ("PUT", "/demo/notes"),
            ("GET", "/forward-auth"),
            ("PUT", "/forward-auth"),
        ] {
            let proof = owner.proof(&site, method, path, Some(&token), &json!({}));
            let answer = with_proof(&site, "", &token, &proof, original).await;
            assert_eq!(said(&answer), (401, Some("invalid_dpop_proof")), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn rfc9449_7_1_the_origin_is_what_the_proxy_says_and_not_the_host() {
    let site = Site::start().await;
    let owner = Prover::new();
    let token = bound(&site, &owner).await;
    let original = [
        ("x-original-method", "GET"),
        ("x-original-uri", "/notes"),
        ("x-forwarded-host", "edge.example"),
        ("host", "edge.example"),
    ];
    for (more, htu, status) in [
        ("", format!("{}/notes", site.issuer), 200),
        ("", "https://edge.example/notes".to_owned(), 401),
        ("&origin=https://edge.example/v1", "https://edge.example/v1/notes".to_owned(), 200),
        ("&origin=https://edge.example/v1", format!("{}/notes", site.issuer), 401),
    ] {
        let proof = owner.proof(&site, "GET", "", Some(&token), &json!({ "htu": htu }));
        assert_eq!(with_proof(&site, more, &token, &proof, &original).await.status, status, "{more} {htu}");
    }
}

#[tokio::test]
async fn rfc9449_7_1_a_request_that_is_not_known_for_certain_is_not_let_pass() {
    let site = Site::start().await;
    let owner = Prover::new();
    let token = bound(&site, &owner).await;
    let nginx = [("x-original-method", "GET"), ("x-original-uri", "/demo/notes")];
    let of_the_client = [("x-forwarded-method", "GET"), ("x-forwarded-uri", "/demo/notes")];
    for original in [&[][..], &nginx[..1], &nginx[1..], &[nginx, nginx].concat(), &[nginx, of_the_client].concat()] {
        let proof = owner.proof(&site, "GET", "/demo/notes", Some(&token), &json!({}));
        let answer = with_proof(&site, "", &token, &proof, original).await;
        assert_eq!(said(&answer), (503, None), "{original:?}");
        assert_eq!(said(&with_proof(&site, "", &token, &proof, &nginx).await), (200, None), "it is not used up");
    }
}

#[tokio::test]
async fn rfc9449_7_2_a_bound_token_is_good_with_its_proof_alone_and_a_proof_with_its_token() {
    let site = Site::start().await;
    let (owner, thief) = (Prover::new(), Prover::new());
    let token = bound(&site, &owner).await;
    let original = [("x-original-method", "GET"), ("x-original-uri", "/demo/notes")];
    assert_eq!(said(&bearer(&site, "", &token).await), (401, Some("invalid_token")));
    thief.learn(&with_proof(&site, "", &token, "x", &original).await);
    let stolen = thief.proof(&site, "GET", "/demo/notes", Some(&token), &json!({}));
    assert_eq!(said(&with_proof(&site, "", &token, &stolen, &original).await), (401, Some("invalid_token")));
    let without_nonce = owner.proof(&site, "GET", "/demo/notes", Some(&token), &json!({"nonce": null}));
    let answer = with_proof(&site, "", &token, &without_nonce, &original).await;
    assert_eq!(said(&answer), (401, Some("use_dpop_nonce")));
    assert!(!answer.header("dpop-nonce").is_empty());
    // A proof with a token that is bound to nothing, under either scheme.
    let unbound = site.machine("notes:read").await;
    let proof = owner.proof(&site, "GET", "/demo/notes", Some(&unbound), &json!({}));
    assert_eq!(said(&with_proof(&site, "", &unbound, &proof, &original).await), (401, Some("invalid_token")));
    let headers = [("authorization", format!("Bearer {unbound}")), ("dpop", proof)];
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(said(&ask(&site, "", &headers).await), (401, Some("invalid_token")));
    assert_eq!(said(&bearer(&site, "", &unbound).await), (200, None));
}

#[tokio::test]
async fn rfc9449_11_1_a_proof_of_a_request_that_is_refused_is_not_used_up() {
    let site = Site::start().await;
    let owner = Prover::new();
    let token = bound(&site, &owner).await;
    let original = [("x-original-method", "GET"), ("x-original-uri", "/demo/notes")];
    let proof = owner.proof(&site, "GET", "/demo/notes", Some(&token), &json!({}));
    let lacks = with_proof(&site, "&scope=notes:write", &token, &proof, &original).await;
    assert_eq!(said(&lacks), (403, Some("insufficient_scope")));
    assert!(lacks.header("www-authenticate").contains("DPoP error=\"insufficient_scope\""));
    assert_eq!(said(&with_proof(&site, "", &token, &proof, &original).await), (200, None));
}

#[tokio::test]
async fn rfc9728_2_an_api_that_wants_bound_tokens_gets_no_others() {
    let site = Site::with(|changes| {
        for change in changes {
            if let Change::PutApi(api) = change {
                api.token.binding = RequiredBinding::Any;
            }
        }
    })
    .await;
    let owner = Prover::new();
    let token = bound(&site, &owner).await;
    let original = [("x-original-method", "GET"), ("x-original-uri", "/demo/notes")];
    let proof = owner.proof(&site, "GET", "/demo/notes", Some(&token), &json!({}));
    assert_eq!(said(&with_proof(&site, "", &token, &proof, &original).await), (200, None));
}

#[tokio::test]
async fn rfc9449_7_1_envoy_repeats_the_request_below_the_endpoint() {
    let site = Site::start().await;
    let owner = Prover::new();
    let token = bound(&site, &owner).await;
    let authorization = format!("DPoP {token}");
    let wanted = encode(&[("resource", &site.notes()), ("scope", "notes:read")]);
    for (method, path) in [("GET", "/"), ("PUT", "/demo/notes%2F1"), ("POST", "//a;b/../c"), ("DELETE", "/demo")] {
        let sent = format!("/forward-auth/{wanted}{path}?resource=https://other.example&scope=");
        for (htu, status) in [(path, 200), ("/forward-auth", 401)] {
            let proof = owner.proof(&site, method, htu, Some(&token), &json!({}));
            let headers = [("authorization", authorization.as_str()), ("dpop", &proof), ("x-forwarded-uri", "/other")];
            let answer = raw(&site, method, &sent, &headers).await;
            assert_eq!(answer.0, status, "{method} {htu}: {}", answer.1);
        }
    }
    let lacks = site.bearer(&format!("/forward-auth/{wanted}-/demo/notes?scope=notes:read"), &token).await;
    assert_eq!(said(&lacks), (401, Some("invalid_token")));
}

/// A request whose path is sent as it stands: the client of the tests would tidy it up.
async fn raw(site: &Site, method: &str, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let address = site.address.trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in headers {
        request.extend([name, ": ", value, "\r\n"]);
    }
    stream.write_all(format!("{request}\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}

#[tokio::test]
async fn a_question_may_come_by_any_method_and_leaves_nothing_in_the_audit_log() {
    let site = Site::start().await;
    let token = site.machine("notes:read").await;
    let events = site.events().await.len();
    let authorization = format!("Bearer {token}");
    for method in [Method::GET, Method::POST, Method::HEAD, Method::OPTIONS, Method::DELETE] {
        let answer = site.send(method, &asks(&site, ""), &[("authorization", &authorization)], None).await;
        assert_eq!(said(&answer), (200, None));
    }
    assert_eq!(said(&bearer(&site, "&scope=notes:write", &token).await).0, 403);
    assert_eq!(site.events().await.len(), events);
}
