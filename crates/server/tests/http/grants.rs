//! `/token`, in detail: what each grant gives and refuses.

use crate::directory::{client_record, policy};
use crate::harness::{Browser, CALLBACK, PASSWORD, Site, VERIFIER, claims, jwt_header, text, verified};
use grantor_jose::{SigningAlgorithm, digest};
use grantor_protocol::profile::Profile;
use grantor_protocol::value::{Seconds, TenantName};
use grantor_store::Change;
use serde_json::json;

#[tokio::test]
async fn rfc9068_2_2_the_claims_of_an_access_token() {
    let site = Site::start().await;
    let before = site.now();
    let tokens = site.tokens("openid notes:read").await;
    let access = text(&tokens, "access_token");
    let claims = verified(&site, "", access).await;
    for name in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti", "auth_time", "acr", "amr", "scope", "roles"] {
        assert!(claims.get(name).is_some(), "{name}");
    }
    assert_eq!((&claims["iss"], &claims["scope"]), (&json!(site.issuer), &json!("notes:read openid")));
    assert_eq!((&claims["acr"], &claims["amr"]), (&json!("urn:grantor:acr:password"), &json!(["pwd"])));
    let (issued, expires) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
    assert_eq!((expires - issued, tokens["expires_in"].as_i64().unwrap()), (600, 600));
    assert!(issued >= before && claims["auth_time"].as_i64().unwrap() >= before);
    let another = site.machine("notes:read").await;
    assert_ne!(verified(&site, "", &another).await["jti"], claims["jti"]);
    assert!(verified(&site, "", &another).await.get("auth_time").is_none(), "an application did not sign in");
}

#[tokio::test]
async fn rfc9068_an_opaque_token_says_nothing() {
    let site = Site::start().await;
    let token = site.machine("mail:read").await;
    assert!(token.starts_with("gr_at_"));
    let bytes = grantor_jose::base64url::decode(token.strip_prefix("gr_at_").unwrap()).unwrap();
    for word in ["machine", "mail", "iss", "{\""] {
        assert!(!bytes.windows(word.len()).any(|part| part == word.as_bytes()), "{word}");
    }
    assert_eq!(site.bearer("/demo/mail", &token).await.status, 200);
    let again = site.machine("mail:read").await;
    assert_ne!(token, again);
    for position in [7, token.len() / 2, token.len() - 1] {
        let mut changed = token.clone();
        let other = if &token[position..=position] == "A" { "B" } else { "A" };
        changed.replace_range(position..=position, other);
        assert_eq!(site.bearer("/demo/mail", &changed).await.status, 401);
    }
    let renamed = token.replace("gr_at_", "gr_ac_");
    let fields = [("grant_type", "authorization_code"), ("code", renamed.as_str()), ("code_verifier", VERIFIER)];
    assert_eq!(site.token("web", &fields).await.error(), "invalid_grant");
}

#[tokio::test]
async fn oidc_core_2_the_claims_of_an_id_token() {
    let site = Site::start().await;
    let mut browser = Browser::new(&site);
    let asked = [("scope", "openid profile"), ("nonce", "n-0S6_WzA2Mj")];
    let answer = browser.authorize("web", &asked).await;
    let tokens = site.redeem(&answer.param("code").unwrap(), &[]).await.json();
    let claims = verified(&site, "", text(&tokens, "id_token")).await;
    assert_eq!((&claims["nonce"], &claims["sub"]), (&json!("n-0S6_WzA2Mj"), &json!("sub-of-alice")));
    let hash = digest::left_half(SigningAlgorithm::Rs256, text(&tokens, "access_token"));
    assert_eq!(claims["at_hash"], json!(hash));
    assert!(claims.get("name").is_none(), "what a scope asks for is found at userinfo (5.4)");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
    assert!(claims["sid"].is_string());
    let next = site.refresh(text(&tokens, "refresh_token"), &[]).await.json();
    let renewed = verified(&site, "", text(&next, "id_token")).await;
    for same in ["iss", "sub", "aud", "auth_time"] {
        assert_eq!(renewed[same], claims[same], "12.2: {same}");
    }
    let plain = site.tokens("notes:read").await;
    assert!(plain.get("id_token").is_none());
}

#[tokio::test]
async fn rfc6749_4_1_3_the_redirect_uri_is_repeated() {
    let site = Site::start().await;
    let fields = |code: &str, redirect: &str| {
        let all = [
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.to_owned()),
            ("code_verifier", VERIFIER.to_owned()),
            ("redirect_uri", redirect.to_owned()),
        ];
        all.map(|(name, value)| (name, value))
    };
    for wrong in ["https://evil.example/cb", "https://app.example/cb/", "https://APP.example/cb"] {
        let code = site.code("openid").await;
        let form = fields(&code, wrong);
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(site.token("web", &form).await.error(), "invalid_grant", "{wrong}");
    }
}

#[tokio::test]
async fn rfc9700_2_1_1_pkce_may_be_left_out_only_where_the_profile_says_so_and_never_half() {
    let site = Site::with(|changes| {
        let both = json!(["authorization_code"]);
        for (id, method) in [("lax", "client_secret_basic"), ("lax-public", "none")] {
            changes.push(Change::PutClient(client_record(json!({
                "client_id": id, "redirect_uris": [CALLBACK], "grant_types": both, "profile": Profile::Oidc,
                "token_endpoint_auth_method": method,
            }))));
        }
    })
    .await;
    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    let public = Browser::new(&site).start("lax-public", &without).await;
    assert_eq!(public.param("error").as_deref(), Some("invalid_request"));
    let answer = Browser::new(&site).authorize("lax", &without).await;
    let code = answer.param("code").unwrap();
    let fields = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", CALLBACK)];
    let downgraded = [fields.as_slice(), &[("code_verifier", VERIFIER)]].concat();
    assert_eq!(site.token("lax", &downgraded).await.error(), "invalid_grant");
    assert_eq!(
        site.token("lax", &fields[..2]).await.error(),
        "invalid_grant",
        "then the redirect URI must be repeated"
    );
    assert_eq!(site.token("lax", &fields).await.status, 200);
    let answer = Browser::new(&site).authorize("lax", &[]).await;
    let code = answer.param("code").unwrap();
    let fields = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", CALLBACK)];
    assert_eq!(site.token("lax", &fields).await.error(), "invalid_request", "who had a challenge needs the verifier");
}

#[tokio::test]
async fn rfc6749_4_1_3_a_code_that_was_refused_for_its_form_is_not_spent() {
    let site = Site::start().await;
    let code = site.code("openid notes:read mail:read").await;
    assert_eq!(site.redeem(&code, &[]).await.error(), "invalid_target");
    let unknown = site.redeem(&code, &[("resource", "https://unknown.example")]).await;
    assert_eq!(unknown.error(), "invalid_target");
    let notes = site.notes();
    assert_eq!(site.redeem(&code, &[("resource", &notes), ("scope", "ignored")]).await.status, 200);
}

#[tokio::test]
async fn rfc9700_4_14_2_a_refresh_token_expires_when_it_is_not_used_and_a_grant_in_the_end() {
    let site = Site::with(|changes| {
        for change in changes {
            if let Change::PutTenant(tenant) = change {
                tenant.lifetimes.refresh_idle = Seconds::new(1000);
                tenant.lifetimes.refresh_absolute = Seconds::new(2500);
            }
        }
    })
    .await;
    let idle = site.tokens("openid notes:read").await;
    let used = site.tokens("openid notes:read").await;
    site.later(900);
    let second = site.refresh(text(&used, "refresh_token"), &[]).await.json();
    site.later(200);
    assert_eq!(site.refresh(text(&idle, "refresh_token"), &[]).await.error(), "invalid_grant");
    site.later(600);
    let third = site.refresh(text(&second, "refresh_token"), &[]).await.json();
    site.later(600);
    let last = site.refresh(text(&third, "refresh_token"), &[]).await.json();
    assert!(last["expires_in"].as_i64().unwrap() <= 200, "no token outlives its grant: {last}");
    site.later(200);
    assert_eq!(site.bearer("/demo/notes", text(&last, "access_token")).await.status, 401);
    assert_eq!(site.refresh(text(&last, "refresh_token"), &[]).await.error(), "invalid_grant");
}

#[tokio::test]
async fn rfc9700_4_14_2_an_older_generation_revokes_even_at_once() {
    let site = Site::start().await;
    let first = site.tokens("openid notes:read").await;
    let second = site.refresh(text(&first, "refresh_token"), &[]).await.json();
    let third = site.refresh(text(&second, "refresh_token"), &[]).await.json();
    assert_eq!(site.refresh(text(&first, "refresh_token"), &[]).await.error(), "invalid_grant");
    assert_eq!(site.refresh(text(&third, "refresh_token"), &[]).await.error(), "invalid_grant");
    for tokens in [&first, &second, &third] {
        assert_eq!(site.bearer("/demo/notes", text(tokens, "access_token")).await.status, 401);
    }
}

#[tokio::test]
async fn rfc6749_6_what_a_refresh_refuses_does_not_spend_the_token() {
    let site = Site::start().await;
    let tokens = site.tokens("openid notes:read").await;
    let refresh = text(&tokens, "refresh_token");
    for (name, value, error) in [
        ("scope", "notes:write", "invalid_scope"),
        ("resource", "https://unknown.example", "invalid_target"),
        ("scope", "a\"b", "invalid_scope"),
    ] {
        assert_eq!(site.refresh(refresh, &[(name, value)]).await.error(), error);
    }
    let mail = site.mail();
    assert_eq!(site.refresh(refresh, &[("resource", &mail)]).await.error(), "invalid_target", "not granted");
    let used = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    assert_eq!(site.token("other", &used).await.error(), "invalid_grant");
    site.later(100);
    assert_eq!(site.refresh(refresh, &[]).await.status, 200);
}

#[tokio::test]
async fn rfc6749_3_3_a_scope_needs_its_role_and_the_clients_registration() {
    let site = Site::start().await;
    let mut browser = Browser::new(&site);
    let page = browser.start("web", &[("scope", "openid notes:read notes:admin")]).await;
    let page = browser.sign_in(&page, "alice", PASSWORD).await;
    assert!(!page.body.contains("notes:admin"), "what she cannot give is not asked for");
    let answer = browser.decide(&page, "allow", None).await;
    let tokens = site.redeem(&answer.param("code").unwrap(), &[]).await.json();
    assert_eq!(tokens["scope"], "notes:read openid");

    let mut alice = site.store.user_by_username(&TenantName::default(), "alice").await.unwrap().unwrap();
    alice.roles.values_mut().for_each(|roles| roles.push("admin".to_owned()));
    let mut other = site.client("other").await;
    other.metadata.scope = grantor_protocol::value::Scope::parse("openid notes:admin");
    site.change(vec![Change::PutUser(alice), Change::PutClient(other)]).await;
    let answer = Browser::new(&site).authorize("other", &[("scope", "openid notes:read notes:admin")]).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &answer.param("code").unwrap()),
        ("code_verifier", VERIFIER),
        ("redirect_uri", CALLBACK),
    ];
    let tokens = site.token("other", &fields).await.json();
    assert_eq!(tokens["scope"], "notes:admin openid");
    assert_eq!(claims(text(&tokens, "access_token"))["roles"], json!(["editor", "admin"]));
}

#[tokio::test]
async fn a_policy_narrows_and_says_why() {
    let site = Site::start().await;
    let notes = site.notes();
    site.change(vec![policy(json!({"name": "only-machines", "api": notes, "grant_types": ["client_credentials"]}))])
        .await;
    assert_eq!(
        site.token("machine", &[("grant_type", "client_credentials"), ("scope", "notes:read")]).await.status,
        200
    );
    let mut browser = Browser::new(&site);
    let page = browser.start("web", &[("scope", "notes:read")]).await;
    let answer = browser.sign_in(&page, "alice", PASSWORD).await;
    assert_eq!(answer.param("error").as_deref(), Some("invalid_scope"));
}

#[tokio::test]
async fn a_user_who_is_disabled_or_gone_has_no_tokens_any_more() {
    for gone in [false, true] {
        let site = Site::start().await;
        let tokens = site.tokens("openid notes:read").await;
        let code = site.code("openid").await;
        let mut browser = Browser::new(&site);
        browser.authorize("web", &[]).await;
        let mut alice = site.store.user_by_username(&TenantName::default(), "alice").await.unwrap().unwrap();
        let change = if gone {
            Change::DeleteUser(alice.tenant, alice.sub)
        } else {
            alice.disabled = true;
            Change::PutUser(alice)
        };
        site.change(vec![change]).await;
        let access = text(&tokens, "access_token");
        assert_eq!(site.bearer("/userinfo", access).await.status, 401, "gone: {gone}");
        assert_eq!(site.introspect(access).await, json!({"active": false}));
        assert_eq!(site.refresh(text(&tokens, "refresh_token"), &[]).await.error(), "invalid_grant");
        assert_eq!(site.redeem(&code, &[]).await.error(), "invalid_grant");
        let page = browser.start("web", &[]).await;
        assert!(page.body.contains("name=\"password\""), "the session is worth nothing");
        assert_eq!(browser.sign_in(&page, "alice", PASSWORD).await.status, 422);
        assert_eq!(site.bearer("/demo/notes", access).await.status, 401, "the API hears of it too");
        assert!(!site.server.inspect(access, &[TenantName::default()]).await.unwrap().good);
    }
}

#[tokio::test]
async fn a_client_that_is_gone_has_no_tokens_any_more_nor_has_its_namesake() {
    let site = Site::start().await;
    let tokens = site.tokens("openid notes:read").await;
    let own = site.machine("notes:read").await;
    let (web, machine) = (site.client("web").await, site.client("machine").await);
    let gone = |client: &grantor_protocol::client::Client| {
        Change::DeleteClient(TenantName::default(), client.metadata.client_id.clone())
    };
    site.change(vec![gone(&web), gone(&machine)]).await;
    assert_eq!(site.bearer("/demo/notes", text(&tokens, "access_token")).await.status, 401);
    assert_eq!(site.bearer("/demo/notes", &own).await.status, 401);
    site.change(vec![Change::PutClient(web), Change::PutClient(machine)]).await;
    assert_eq!(site.bearer("/demo/notes", text(&tokens, "access_token")).await.status, 401);
    assert_eq!(site.refresh(text(&tokens, "refresh_token"), &[]).await.error(), "invalid_grant");
}

#[tokio::test]
async fn rfc8725_3_1_a_token_with_another_algorithm_or_type_or_key_is_none() {
    let site = Site::start().await;
    let tokens = site.tokens("openid notes:read").await;
    let access = text(&tokens, "access_token");
    let (header, rest) = access.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    let with = |name: &str, value: serde_json::Value| {
        let mut changed = jwt_header(access);
        changed[name] = value;
        format!("{}.{payload}.{signature}", grantor_jose::base64url::encode(changed.to_string()))
    };
    let mut more = claims(access);
    more["scope"] = json!("notes:read notes:write openid");
    let forged_payload = grantor_jose::base64url::encode(more.to_string());
    let own = grantor_jose::SigningKey::generate(SigningAlgorithm::Es256).unwrap();
    let own = own.with_key_id(text(&jwt_header(access), "kid")).unwrap();
    let resigned = grantor_jose::jws::sign(&own, "at+jwt", more.to_string().as_bytes()).unwrap();
    for forged in [
        with("alg", json!("none")),
        with("alg", json!("HS256")),
        with("alg", json!("ES384")),
        with("kid", json!("other")),
        with("typ", json!("JWT")),
        with("crit", json!(["b64"])),
        format!("{header}.{payload}."),
        format!("{header}.{payload}"),
        format!("{header}.{forged_payload}.{signature}"),
        resigned,
        format!("{access}x"),
        format!("{access}="),
    ] {
        assert_eq!(site.bearer("/demo/notes", &forged).await.status, 401, "{forged}");
        assert_eq!(site.introspect(&forged).await, json!({"active": false}));
    }
    assert_eq!(site.bearer("/demo/notes", access).await.status, 200);
}

#[tokio::test]
async fn rfc6750_3_1_what_the_api_answers() {
    let site = Site::start().await;
    let read = site.machine("notes:read").await;
    let without = site.get("/demo/notes", &[]).await;
    let metadata = format!("{}/.well-known/oauth-protected-resource/demo/notes", site.issuer);
    let challenge = format!("Bearer realm=\"grantor\", resource_metadata=\"{metadata}\"");
    assert_eq!((without.status.as_u16(), without.header("www-authenticate")), (401, challenge.as_str()));
    let write = site.form("/demo/notes", &[("authorization", &format!("Bearer {read}"))], &[]).await;
    assert_eq!((write.status.as_u16(), write.error().as_str()), (403, "insufficient_scope"));
    assert!(write.header("www-authenticate").contains("scope=\"notes:write\""));
    let mail = site.bearer("/demo/mail", &read).await;
    assert_eq!((mail.status.as_u16(), mail.error().as_str()), (401, "invalid_token"), "the audience is another");
    let id_token = site.tokens("openid notes:read").await;
    assert_eq!(site.bearer("/demo/notes", text(&id_token, "id_token")).await.error(), "invalid_token");
    site.later(600);
    assert_eq!(site.bearer("/demo/notes", &read).await.error(), "invalid_token", "expired");
}
