use super::*;
use crate::desk::{Collection, Variable, VariableName};
use crate::params::Params;
use proptest::prelude::*;
use serde_json::{Value, json};

fn settings(more: &Value) -> TokenSettings {
    let mut settings = json!({
        "grant_type": "client_credentials", "server": { "issuer": "{{issuer}}" }, "client_id": "machine",
        "client_secret": "key", "scope": "notes:read",
    });
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(settings).unwrap()
}

fn variables() -> Vec<Variable> {
    let name = |raw| VariableName::parse(raw).unwrap();
    vec![
        Variable::plain(name("issuer"), "https://id.example"),
        Variable::secret(name("key"), Some(Secret::new("se cret&".to_owned()))),
        Variable::secret(name("unset"), None),
    ]
}

fn asked(more: &Value) -> Result<Ask, Unaskable> {
    let variables = variables();
    Ask::of(&settings(more), &Variables::new([variables.as_slice()]))
}

fn field(request: &AskedToken, name: &str) -> Vec<String> {
    Params::parse(request.form.expose().as_bytes()).unwrap().all(name).map(str::to_owned).collect()
}

fn header<'a>(request: &'a AskedToken, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.expose())
}

fn query(url: &str, name: &str) -> Vec<String> {
    Url::parse(url).unwrap().query_pairs().filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).collect()
}

#[test]
fn rfc6749_2_3_1_each_method_puts_the_client_where_it_belongs() {
    let endpoint = "https://id.example/token";
    let of = |method: &str| asked(&json!({ "client_authentication": method })).unwrap().for_itself(endpoint).unwrap();
    let basic = of("client_secret_basic");
    assert_eq!(header(&basic, "authorization"), Some("Basic bWFjaGluZTpzZStjcmV0JTI2"));
    assert!(field(&basic, "client_id").is_empty() && field(&basic, "client_secret").is_empty());
    let post = of("client_secret_post");
    assert_eq!(
        (field(&post, "client_id"), field(&post, "client_secret")),
        (vec!["machine".into()], vec!["se cret&".into()])
    );
    assert_eq!(header(&post, "authorization"), None);
    let none = of("none");
    assert_eq!((field(&none, "client_id"), field(&none, "client_secret")), (vec!["machine".to_owned()], vec![]));
    assert_eq!(
        (field(&none, "grant_type"), field(&none, "scope")),
        (vec!["client_credentials".into()], vec!["notes:read".into()])
    );
    assert!(!format!("{basic:?}{post:?}").contains("cret&"));
}

#[test]
fn what_the_desk_has_not_got_is_said() {
    for method in ["client_secret_jwt", "private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"] {
        assert!(matches!(asked(&json!({ "client_authentication": method })), Err(Unaskable::Method(_))), "{method}");
    }
    for grant in ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"] {
        assert!(matches!(asked(&json!({ "grant_type": grant })), Err(Unaskable::GrantType(_))), "{grant}");
    }
    assert_eq!(asked(&json!({ "client_secret": null })).unwrap_err(), Unaskable::NoSecret);
    assert_eq!(asked(&json!({ "client_id": "" })).unwrap_err(), Unaskable::ClientId);
    let unset = Unaskable::Unfilled(Unfilled::Unset(vec!["unset".to_owned()]));
    assert_eq!(asked(&json!({ "client_secret": "unset" })).unwrap_err(), unset);
    let unknown = Unaskable::Unfilled(Unfilled::Unknown(vec!["nobody".to_owned()]));
    assert_eq!(asked(&json!({ "scope": "{{nobody}}" })).unwrap_err(), unknown);
}

#[test]
fn rfc6749_3_1_what_oauth_says_itself_is_said_once() {
    let both = |names: &[&str], place: &str| -> Vec<Value> {
        names.iter().map(|name| json!({ "name": name, "value": "evil", "in": place })).collect()
    };
    let own =
        ["response_type", "client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method", "scope"];
    let mut token = both(&["grant_type", "code", "code_verifier", "redirect_uri", "more"], "body");
    token.extend(both(&["Authorization", "Content-Type", "X-More"], "header"));
    token.extend(both(&["tenant"], "query"));
    let ask = asked(&json!({
        "grant_type": "authorization_code", "resource": ["https://a.example", "https://b.example"],
        "parameters": { "authorization": both(&[&own[..], &["prompt"]].concat(), "query"), "token": token },
    }))
    .unwrap();
    let leaving = Leaving { redirect_uri: "https://desk.example/cb", state: "s", nonce: "n", code_challenge: "c" };
    let url = ask.authorization_url("https://id.example/authorize?kept=1", &leaving).unwrap();
    for name in own {
        let values = query(&url, name);
        assert!(values.len() == 1 && values[0] != "evil", "{name}: {values:?}");
    }
    assert_eq!((query(&url, "prompt"), query(&url, "kept")), (vec!["evil".to_owned()], vec!["1".to_owned()]));
    assert_eq!(query(&url, "code_challenge_method"), ["S256"]);
    assert_eq!(query(&url, "resource"), ["https://a.example", "https://b.example"]);
    assert!(query(&url, "nonce").is_empty(), "no openid");
    let secret = |text: &str| Secret::new(text.to_owned());
    let request =
        ask.with_code("https://id.example/token", (&secret("c1"), &secret("v1")), "https://desk.example/cb").unwrap();
    for (name, value) in [
        ("grant_type", "authorization_code"),
        ("code", "c1"),
        ("code_verifier", "v1"),
        ("redirect_uri", "https://desk.example/cb"),
        ("more", "evil"),
    ] {
        assert_eq!(field(&request, name), [value], "{name}");
    }
    assert_eq!((header(&request, "x-more"), query(&request.url, "tenant")), (Some("evil"), vec!["evil".to_owned()]));
    assert!(header(&request, "authorization").unwrap().starts_with("Basic "));
    assert_eq!(header(&request, "content-type"), Some("application/x-www-form-urlencoded"));
}

#[test]
fn parameters_belong_to_their_request() {
    let one = |name: &str| json!([{ "name": name, "value": "1", "in": "body" }]);
    let ask = asked(&json!({ "parameters": { "token": one("of_token"), "refresh": one("of_refresh") } })).unwrap();
    let (token, refresh) = (
        ask.for_itself("https://id.example/t"),
        ask.with_refresh_token("https://id.example/t", &Secret::new("r".to_owned())),
    );
    let (token, refresh) = (token.unwrap(), refresh.unwrap());
    assert_eq!((field(&token, "of_token").len(), field(&token, "of_refresh").len()), (1, 0));
    assert_eq!((field(&refresh, "of_token").len(), field(&refresh, "of_refresh").len()), (0, 1));
    assert_eq!(
        (field(&refresh, "grant_type"), field(&refresh, "refresh_token")),
        (vec!["refresh_token".into()], vec!["r".into()])
    );
    assert!(ask.for_itself("no URL").is_none());
}

#[test]
fn another_server_client_or_scope_is_another_token() {
    let print = |more: &Value| asked(more).unwrap().fingerprint();
    let own = print(&json!({}));
    assert_eq!(own, print(&json!({ "name": "X", "header_prefix": "Y", "use_token": "id_token" })));
    let parameter = json!({ "parameters": { "token": [{ "name": "tenant", "value": "a", "in": "query" }] } });
    for other in [
        json!({ "server": { "issuer": "https://other.example" } }),
        json!({ "client_id": "b" }),
        json!({ "scope": "" }),
        json!({ "resource": ["https://a.example"] }),
        parameter,
    ] {
        assert_ne!(own, print(&other), "{other}");
    }
}

#[test]
fn settings_of_a_collection_are_askable() {
    let json = json!({ "name": "C", "items": [], "token": { "settings": { "grant_type": "authorization_code", "server": { "issuer": "https://id.example" }, "client_id": "app", "client_authentication": "none", "scope": "openid" } } });
    let collection = Collection::parse(json.to_string().as_bytes()).unwrap();
    let (_, settings) = collection.folder(&[]).unwrap();
    let ask = Ask::of(settings.unwrap(), &Variables::new([])).unwrap();
    assert!(ask.needs_a_person() && ask.wants_identity() && ask.client_secret().is_none());
    let leaving = Leaving { redirect_uri: "r", state: "s", nonce: "n", code_challenge: "c" };
    assert_eq!(query(&ask.authorization_url("https://id.example/a", &leaving).unwrap(), "nonce"), ["n"]);
}

proptest! {
    #[test]
    fn no_value_becomes_another_parameter(value in "[^\\p{C}]{0,24}") {
        let variables = vec![Variable::plain(VariableName::parse("v").unwrap(), value.as_str())];
        let settings = settings(&json!({ "server": { "issuer": "https://id.example" }, "client_authentication": "none", "scope": "{{v}}" }));
        if let Ok(ask) = Ask::of(&settings, &Variables::new([variables.as_slice()])) {
            let request = ask.for_itself("https://id.example/token").unwrap();
            let names: Vec<_> = url::form_urlencoded::parse(request.form.expose().as_bytes()).map(|(name, _)| name.into_owned()).collect();
            prop_assert!(names.iter().all(|name| ["grant_type", "client_id", "scope"].contains(&name.as_str())), "{:?}", names);
        }
    }
}
