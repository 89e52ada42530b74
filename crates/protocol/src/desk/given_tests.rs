use super::*;
use proptest::prelude::*;
use serde_json::json;

const ISSUER: &str = "https://id.example";

fn came(query: &str, from: Sender<'_>) -> Result<String, NotGiven> {
    code(&Params::parse(query.as_bytes()).unwrap(), from).map(|code| code.expose().to_owned())
}

#[test]
fn rfc9207_2_4_who_answers_is_looked_at_first() {
    let promised = Sender::Issuer(ISSUER, true);
    let ours = "iss=https%3A%2F%2Fid.example";
    assert_eq!(came(&format!("code=c&{ours}"), promised), Ok("c".to_owned()));
    assert_eq!(came("code=c", promised), Err(NotGiven::Issuer), "promised, and not there");
    assert_eq!(came("code=c", Sender::Issuer(ISSUER, false)), Ok("c".to_owned()));
    for other in ["https%3A%2F%2Fid.example%2F", "https%3A%2F%2Fevil.example", ""] {
        for promised in [true, false] {
            let from = Sender::Issuer(ISSUER, promised);
            assert_eq!(came(&format!("code=c&iss={other}x"), from), Err(NotGiven::Issuer), "{other}");
            assert_eq!(came(&format!("error=x&iss={other}x"), from), Err(NotGiven::Issuer), "{other}");
        }
    }
    let typed = Sender::Endpoint("https://id.example/authorize");
    assert_eq!(came(&format!("code=c&{ours}%2Ftenant"), typed), Ok("c".to_owned()));
    assert_eq!(came("code=c&iss=https%3A%2F%2Fevil.example", typed), Err(NotGiven::Issuer));
    assert_eq!(came("code=c&iss=nonsense", typed), Err(NotGiven::Issuer));
    assert_eq!(came(&format!("error=access_denied&{ours}"), promised), Err(NotGiven::Refused("access_denied".into())));
    for malformed in ["", "code=", "code=a&code=b"] {
        assert_eq!(came(malformed, Sender::Issuer(ISSUER, false)), Err(NotGiven::Malformed), "{malformed}");
    }
}

#[test]
fn rfc8414_3_3_metadata_name_the_issuer_that_was_asked() {
    let read = |json: &str, issuer: &str| ServerMetadata::parse(json.as_bytes(), issuer);
    let metadata = r#"{"issuer":"https://id.example","token_endpoint":"https://id.example/t","authorization_response_iss_parameter_supported":true}"#;
    let known = read(metadata, ISSUER).unwrap();
    assert_eq!(
        (known.token.as_deref(), known.authorization, known.promises_iss),
        (Some("https://id.example/t"), None, true)
    );
    for other in ["https://id.example/", "https://ID.example", "https://evil.example"] {
        assert_eq!(read(metadata, other), Err(NotGiven::Issuer), "{other}");
    }
    assert_eq!(read("{}", ISSUER), Err(NotGiven::Issuer));
    assert_eq!(read("[]", ISSUER), Err(NotGiven::Malformed));
    assert_eq!(
        read(r#"{"issuer":"https://evil.example","issuer":"https://id.example"}"#, ISSUER),
        Err(NotGiven::Malformed)
    );
}

#[test]
fn rfc6749_5_1_tokens_are_read() {
    let full = json!({ "access_token": "a", "token_type": "bearer", "refresh_token": "r", "id_token": "i", "scope": "s", "expires_in": "60" });
    let given = Given::parse(200, full.to_string().as_bytes()).unwrap();
    assert_eq!(
        (given.access_token.expose(), given.scope.as_deref(), given.expires_in),
        ("a", Some("s"), Some(Seconds::new(60)))
    );
    assert!(given.refresh_token.is_some() && given.id_token.is_some() && !format!("{given:?}").contains("\"a\""));
    let no = |status, body: &str| Given::parse(status, body.as_bytes()).unwrap_err();
    assert_eq!(no(200, r#"{"access_token":"a","token_type":"DPoP"}"#), NotGiven::TokenType);
    for malformed in [
        r#"{"access_token":"a"}"#,
        r#"{"token_type":"bearer"}"#,
        r#"{"access_token":"","token_type":"bearer"}"#,
        "access_token=a",
        "",
    ] {
        assert_eq!(no(200, malformed), NotGiven::Malformed, "{malformed}");
    }
    assert_eq!(no(400, r#"{"error":"invalid_grant"}"#), NotGiven::Refused("invalid_grant".into()));
    assert_eq!(no(200, r#"{"error":"bad\n<b>"}"#), NotGiven::Refused("bad<b>".into()));
    assert_eq!(no(502, "<html>"), NotGiven::Refused("HTTP 502".into()));
    let token = r#"{"access_token":"a","token_type":"bearer"}"#;
    assert_eq!(no(400, token), NotGiven::Refused("HTTP 400".into()), "a refusal brings no token");
}

#[test]
fn an_id_token_repeats_the_nonce() {
    let given = |id_token: &str| {
        let body = json!({ "access_token": "a", "token_type": "bearer", "id_token": id_token }).to_string();
        Given::parse(200, body.as_bytes()).unwrap()
    };
    let jwt = |claims: serde_json::Value| {
        let part = |value: serde_json::Value| grantor_jose::base64url::encode(value.to_string());
        format!("{}.{}.AA", part(json!({ "alg": "ES256" })), part(claims))
    };
    let nonce = Secret::new("n".to_owned());
    assert_eq!(given(&jwt(json!({ "nonce": "n" }))).repeats(&nonce), Ok(()));
    assert_eq!(given(&jwt(json!({ "nonce": "m" }))).repeats(&nonce), Err(NotGiven::Nonce));
    assert_eq!(given(&jwt(json!({}))).repeats(&nonce), Err(NotGiven::Nonce));
    assert_eq!(given("opaque").repeats(&nonce), Err(NotGiven::Malformed));
}

proptest! {
    #[test]
    fn no_answer_is_a_panic(status in 100_u16..600, body: Vec<u8>) {
        let _ = Given::parse(status, &body);
        let _ = ServerMetadata::parse(&body, ISSUER);
    }
}
