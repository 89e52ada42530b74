//! Collections in and out.

mod odd;

use super::*;
use crate::client::AuthMethod;
use crate::grant::GrantType;
use serde_json::{Value as Json, json};

const SCHEMA: &str = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";
const SECRET: &str = "hunter2-the-secret";

fn line(raw: &str) -> Line {
    Line::parse(raw).unwrap()
}

fn name(raw: &str) -> Name {
    Name::parse(raw).unwrap()
}

fn variable(raw: &str) -> VariableName {
    VariableName::parse(raw).unwrap()
}

fn oauth2(settings: &Json) -> Json {
    let entries = settings.as_object().unwrap().iter();
    let entries: Vec<_> = entries.map(|(key, value)| json!({"key": key, "value": value, "type": "any"})).collect();
    json!({"type": "oauth2", "oauth2": entries})
}

fn machine() -> Json {
    oauth2(&json!({
        "grant_type": "client_credentials", "accessTokenUrl": "https://id.example/token", "clientId": "m",
        "clientSecret": SECRET, "scope": "notes:read mail:read", "client_authentication": "header",
        "addTokenTo": "header", "tokenName": "Machine",
    }))
}

fn file(auth: &Json, items: &Json) -> Vec<u8> {
    json!({"info": {"name": "Notes", "schema": SCHEMA}, "auth": auth, "item": items}).to_string().into_bytes()
}

fn item(url: &str) -> Json {
    json!({"name": "List", "request": {"method": "GET", "url": url}})
}

fn imported(json: &[u8]) -> (Collection, Vec<Why>) {
    let Imported { collection, notes } = from_postman(json).unwrap();
    (collection, notes.into_iter().map(|note| note.why).collect())
}

fn settings(token: &Token) -> &TokenSettings {
    match token {
        Token::Settings(settings) => settings,
        other => panic!("no settings: {other:?}"),
    }
}

fn root_settings(auth: &Json) -> (Option<TokenSettings>, Vec<Why>) {
    let (collection, notes) = imported(&file(auth, &json!([item("https://a/")])));
    let settings = collection.root().token.or(None).cloned();
    (settings, notes)
}

fn request(body: Body, url: &str) -> Collection {
    let request = Request {
        name: name("One"),
        description: String::new(),
        token: Token::Inherited,
        method: Method::parse("POST").unwrap(),
        url: line(url),
        headers: vec![],
        body,
    };
    let items = vec![Item::Request(request)];
    let root = Folder { name: name("All"), description: String::new(), token: Token::Inherited, items };
    Collection::new(root, vec![Variable::plain(variable("host"), "https://a")]).unwrap()
}

#[test]
fn settings_are_taken_over_at_every_level() {
    let own = oauth2(&json!({
        "grant_type": "authorization_code_with_pkce", "challengeAlgorithm": "S256", "authUrl": "https://id.example/authorize",
        "accessTokenUrl": "https://id.example/token", "clientId": "web", "redirect_uri": "https://app.example/cb",
        "scope": "openid", "state": "s", "headerPrefix": "Token", "accessToken": "{{id_token}}",
        "authRequestParams": [{"key": "prompt", "value": "login", "enabled": true, "send_as": "request_url"},
                              {"key": "resource", "value": "https://api", "enabled": true, "send_as": "request_url"}],
        "tokenRequestParams": [{"key": "resource", "value": "https://api", "enabled": true, "send_as": "request_body"},
                               {"key": "X-Trace", "value": "1", "enabled": true, "send_as": "request_header"}],
        "refreshRequestParams": [{"key": "scope", "value": "openid", "enabled": true, "send_as": "request_body"}],
    }));
    let items = json!([
        {"name": "F", "auth": own, "item": [item("https://a/"), {"name": "G", "item": [item("https://b/")]}]},
        {"name": "None", "request": {"url": "https://c/", "auth": {"type": "noauth"}}},
        item("https://d/"),
    ]);
    let (collection, notes) = imported(&file(&machine(), &items));
    assert_eq!(notes, [Why::MadeSecret(variable("client_secret"))]);
    let root = collection.root();
    let outer = settings(&root.token);
    assert_eq!((outer.grant_type, outer.client_id.as_str()), (GrantType::ClientCredentials, "m"));
    assert_eq!(outer.client_authentication, AuthMethod::ClientSecretBasic);
    assert_eq!(outer.client_secret, Some(variable("client_secret")));
    let [Item::Folder(folder), Item::Request(without), Item::Request(plain)] = root.items.as_slice() else {
        panic!("other items: {:?}", root.items)
    };
    let inner = settings(&folder.token);
    assert_eq!((inner.grant_type, inner.client_authentication), (GrantType::AuthorizationCode, AuthMethod::None));
    assert_eq!((inner.use_token, inner.header_prefix.as_str()), (UsedToken::IdToken, "Token"));
    assert_eq!(inner.resource, [line("https://api")]);
    assert_eq!(inner.parameters.authorization.len(), 1);
    assert_eq!(inner.parameters.token[0].place, Place::Header);
    assert_eq!(inner.parameters.refresh[0].name.as_str(), "scope");
    // The nearest ancestor that has settings counts, and none means none.
    let Item::Folder(nested) = &folder.items[1] else { panic!("no folder") };
    assert_eq!(nested.token.or(folder.token.or(Some(outer))), Some(inner));
    assert_eq!(plain.token.or(Some(outer)), Some(outer));
    assert_eq!(without.token.or(Some(outer)), None);
}

#[test]
fn what_is_not_taken_over_is_told_with_its_place() {
    let items = json!([
        {"name": "S", "event": [{"listen": "test", "script": {"exec": ["evil()"]}}], "response": [{"name": "x"}],
         "variable": [{"key": "v", "value": "1"}],
         "request": {"method": "POST", "url": "https://u:p@a/", "auth": {"type": "basic", "basic": []},
                     "header": [{"key": "A", "value": "1", "disabled": true}, {"key": "B", "value": "1\r\nC: 2"}],
                     "body": {"mode": "file", "file": {"src": "/etc/passwd"}}}},
        {"id": "grantor-token-request-1", "name": "Token", "request": "https://t/"},
        7,
    ]);
    let json = json!({"info": {"name": "N", "schema": SCHEMA}, "item": items,
        "variable": [{"key": "a b", "value": "1"}, {"key": "x", "value": "1"}, {"key": "x", "value": "2"}]});
    let notes = from_postman(json.to_string().as_bytes()).unwrap().notes;
    let told: Vec<_> = notes.iter().map(|note| (note.at.as_str(), note.why.clone())).collect();
    for wanted in [
        ("/variable/0", Why::VariableName),
        ("/variable/2", Why::Repeated),
        ("/item/0/event/0", Why::Script),
        ("/item/0/response", Why::Examples),
        ("/item/0/variable", Why::LocalVariables),
        ("/item/0/request/auth", Why::OtherAuth("basic".to_owned())),
        ("/item/0/request/url", Why::UserInUrl),
        ("/item/0/request/header/0", Why::Disabled),
        ("/item/0/request/header/1", Why::Unfit),
        ("/item/0/request/body", Why::BodyMode("file".to_owned())),
        ("/item/1", Why::TokenRequest),
        ("/item/2", Why::Malformed),
    ] {
        assert!(told.contains(&wanted), "{wanted:?} is not in {told:?}");
    }
    assert!(notes.iter().all(|note| !note.to_string().is_empty()));
}

#[test]
fn rfc6749_10_16_the_implicit_grant_is_refused_and_said_why() {
    let (settings, notes) = root_settings(&oauth2(&json!({"grant_type": "implicit", "clientId": "c"})));
    assert!(settings.is_none() && notes == [Why::ImplicitGrant]);
}

#[test]
fn rfc6749_10_7_the_password_grant_is_refused_and_said_why() {
    let grant = json!({"grant_type": "password_credentials", "username": "alice", "password": SECRET});
    let (settings, notes) = root_settings(&oauth2(&grant));
    assert!(settings.is_none() && notes == [Why::PasswordGrant]);
}

#[test]
fn rfc7636_4_2_pkce_is_always_s256() {
    let (settings, notes) = root_settings(&oauth2(&json!({"grant_type": "authorization_code"})));
    assert!(settings.is_some() && notes == [Why::WithoutChallenge]);
    let plain =
        json!({"grant_type": "authorization_code_with_pkce", "challengeAlgorithm": "plain", "code_verifier": "v"});
    let (settings, notes) = root_settings(&oauth2(&plain));
    assert!(settings.is_some() && notes == [Why::PlainChallenge, Why::CodeVerifier]);
}

#[test]
fn rfc6750_2_3_a_token_never_goes_into_a_url() {
    let mut auth = machine();
    auth["oauth2"].as_array_mut().unwrap().retain(|entry| entry["key"] != "addTokenTo");
    auth["oauth2"].as_array_mut().unwrap().push(json!({"key": "addTokenTo", "value": "queryParams"}));
    let json = file(&auth, &json!([item("https://a/")]));
    let (collection, notes) = imported(&json);
    assert!(notes.contains(&Why::TokenInQuery));
    let exported = to_postman(&collection).json.to_string();
    assert!(!exported.contains("queryParams"));
    assert!(to_http_file(&collection).text.contains("Authorization: Bearer {{token}}\n"));
}

#[test]
fn a_secret_leaves_nowhere() {
    let mut auth = machine();
    auth["oauth2"].as_array_mut().unwrap().extend([
        json!({"key": "accessToken", "value": format!("token-{SECRET}")}),
        json!({"key": "tokenRequestParams", "value": [{"key": "client_assertion", "value": format!("a-{SECRET}")}]}),
    ]);
    let request = json!({"name": "R", "request": {"method": "POST", "url": "https://a/",
        "header": [{"key": "Authorization", "value": format!("Basic {SECRET}")}],
        "body": {"mode": "urlencoded", "urlencoded": [{"key": "password", "value": format!("p-{SECRET}")}]}}});
    let variables = json!([{"key": "s", "value": SECRET, "type": "secret"}]);
    let json = json!({"info": {"name": "N", "schema": SCHEMA}, "auth": auth, "item": [request], "variable": variables});
    let Imported { collection, notes } = from_postman(json.to_string().as_bytes()).unwrap();
    let postman = to_postman(&collection);
    let http = to_http_file(&collection);
    for shown in [
        serde_json::to_string(&collection).unwrap(),
        format!("{collection:?}"),
        postman.json.to_string(),
        format!("{:?}", postman.notes),
        http.text,
        format!("{:?}{notes:?}", http.notes),
    ] {
        assert!(!shown.contains(SECRET), "{shown}");
    }
    // It is there all the same, for the one place that needs it.
    let all = Variables::new([collection.variables()]);
    assert_eq!(all.fill("{{s}}").unwrap().expose(), SECRET);
    assert_eq!(all.fill("{{authorization}}").unwrap().expose(), format!("Basic {SECRET}"));
    // The same secret twice is one variable.
    assert_eq!(settings(&collection.root().token).client_secret, Some(variable("s")));
    let named: Vec<_> = collection.variables().iter().map(|one| one.name.as_str()).collect();
    assert_eq!(named, ["s", "client_assertion", "authorization", "password"]);
    let secret = |one: &Json| one["type"] == "secret" && one["value"] == "";
    assert!(postman.json["variable"].as_array().unwrap().iter().all(secret));
}

#[test]
fn what_is_used_as_a_secret_becomes_one() {
    let auth = oauth2(&json!({"grant_type": "client_credentials", "clientId": "m", "clientSecret": "{{mine}}"}));
    let json = json!({"info": {"name": "N", "schema": SCHEMA}, "auth": auth, "item": [],
        "variable": [{"key": "mine", "value": SECRET}]});
    let (collection, notes) = imported(json.to_string().as_bytes());
    assert!(collection.variables()[0].value.is_secret());
    assert_eq!(notes, [Why::MadeSecret(variable("mine"))]);
    let mut open = collection.root().clone();
    open.items.clear();
    let plain = vec![Variable::plain(variable("mine"), "x")];
    assert_eq!(Collection::new(open, plain).unwrap_err(), Invalid::PlainSecret("mine".to_owned()));
}

#[test]
fn secrets_of_an_environment_are_written_and_never_read() {
    let json = json!({"name": "E", "variables": [{"name": "a", "value": "1"}, {"name": "s", "secret": true, "value": SECRET}]});
    let mut environment = Environment::parse(json.to_string().as_bytes()).unwrap();
    let shown = serde_json::to_value(&environment).unwrap();
    let s = json!({"name": "s", "secret": true, "is_set": true});
    assert_eq!(shown, json!({"name": "E", "variables": [{"name": "a", "value": "1"}, s]}));
    assert!(!format!("{environment:?}").contains(SECRET));
    let taken = environment.take_secrets();
    assert_eq!((taken[0].0.as_str(), taken[0].1.expose(), taken.len()), ("s", SECRET, 1));
    assert!(environment.take_secrets().is_empty());
    assert_eq!(
        Variables::new([environment.variables()]).fill("{{s}}").unwrap_err(),
        Unfilled::Unset(vec!["s".to_owned()])
    );
    let secret = taken.into_iter().next().unwrap().1;
    assert!(!environment.put_secret(&variable("a"), secret.clone()) && environment.put_secret(&variable("s"), secret));
    assert_eq!(Variables::new([environment.variables()]).fill("{{s}}").unwrap().expose(), SECRET);
    // What was shown can come back; a wrong one does not say what it holds.
    assert!(Environment::parse(shown.to_string().as_bytes()).is_ok());
    let wrong = json!({"name": "E", "variables": [{"name": "s", "secret": SECRET}]});
    assert!(!Environment::parse(wrong.to_string().as_bytes()).unwrap_err().to_string().contains(SECRET));
}

#[test]
fn everything_has_a_bound() {
    let nested = |depth: usize| {
        let deepest = json!({"name": "f", "item": []});
        (1..depth).fold(deepest, |inner, _| json!({"name": "f", "item": [inner]}))
    };
    assert!(from_postman(&file(&json!(null), &json!([nested(MAX_DEPTH)]))).is_ok());
    let deep = from_postman(&file(&json!(null), &json!([nested(MAX_DEPTH + 1)]))).unwrap_err();
    assert_eq!(deep, Foreign::Invalid(Invalid::Depth));
    let items: Vec<_> = (0..=MAX_ITEMS).map(|_| item("https://a/")).collect();
    assert_eq!(from_postman(&file(&json!(null), &json!(items))).unwrap_err(), Foreign::Invalid(Invalid::Items));
    let abyss = format!(r#"{{"info":{{"schema":"{SCHEMA}"}},"item":{}{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
    assert_eq!(from_postman(abyss.as_bytes()).unwrap_err(), Foreign::NotJson);
    assert_eq!(from_postman(&vec![b' '; MAX_BYTES + 1]).unwrap_err(), Foreign::TooLong);
    let old = json!({"info": {"name": "N", "schema": SCHEMA.replace("v2.1", "v2.0")}, "item": []});
    assert!(matches!(from_postman(old.to_string().as_bytes()), Err(Foreign::OtherFormat(_))));
    let many: Vec<_> = (0..=MAX_VARIABLES).map(|n| Variable::plain(variable(&format!("v{n}")), "")).collect();
    assert_eq!(Environment::new(name("E"), many).unwrap_err(), Invalid::Variables);
    let twice = vec![Variable::plain(variable("v"), ""), Variable::plain(variable("v"), "")];
    assert_eq!(Environment::new(name("E"), twice).unwrap_err(), Invalid::Repeated("v".to_owned()));
    let long = vec![Variable::plain(variable("v"), "x".repeat(MAX_TEXT + 1))];
    assert_eq!(Environment::new(name("E"), long).unwrap_err(), Invalid::Text);
    let notes: Vec<_> = (0..1_100).map(|_| json!(7)).collect();
    let notes = from_postman(&file(&json!(null), &json!(notes))).unwrap().notes;
    assert_eq!((notes.len(), &notes[1_000].why), (1_001, &Why::More(100)));
}

#[test]
fn our_own_format_reads_what_it_writes() {
    let (collection, _) = imported(&file(&machine(), &json!([item("https://a/")])));
    let written = serde_json::to_vec(&collection).unwrap();
    let again = Collection::parse(&written).unwrap();
    // But for the secret, which is not written.
    assert_eq!(again.root(), collection.root());
    let variables = json!([{"name": "client_secret", "secret": true}]);
    assert_eq!(serde_json::to_value(&again).unwrap()["variables"], variables);
    let mut unknown = serde_json::to_value(&again).unwrap();
    unknown["script"] = json!("evil()");
    assert!(matches!(Collection::parse(unknown.to_string().as_bytes()), Err(Invalid::Malformed(_))));
    for (places, parameter) in [("authorization", "body"), ("authorization", "header")] {
        let mut wrong = serde_json::to_value(&again).unwrap();
        wrong["token"]["settings"]["parameters"] = json!({places: [{"name": "a", "value": "b", "in": parameter}]});
        assert!(Collection::parse(wrong.to_string().as_bytes()).is_err(), "{places} {parameter}");
    }
}

#[test]
fn postmans_programs_need_not_write_the_url_as_a_text() {
    let url = json!({"protocol": "https", "host": ["api", "a"], "port": "8443", "path": ["notes", ":id"],
        "query": [{"key": "x", "value": "1"}, {"key": "y", "value": null}, {"key": "z", "value": "2", "disabled": true}],
        "hash": "h", "variable": [{"key": "id", "value": "7"}]});
    let (collection, _) = imported(&file(&json!(null), &json!([{"name": "R", "request": {"url": url}}])));
    let Item::Request(request) = &collection.root().items[0] else { panic!("no request") };
    assert_eq!(request.url.as_str(), "https://api.a:8443/notes/7?x=1&y#h");
    assert_eq!(request.method, Method::get());
}

#[test]
fn a_token_request_is_added_where_nobody_is_needed() {
    let (collection, _) = imported(&file(&machine(), &json!([item("https://a/")])));
    let file = to_postman(&collection).json;
    assert_eq!(file["item"][0]["request"]["url"], "https://id.example/token");
    let script = file["item"][0]["event"][0]["script"]["exec"][1].as_str().unwrap();
    assert_eq!(script, "pm.collectionVariables.set('token', pm.response.json().access_token);");
    let http = to_http_file(&collection).text;
    assert!(http.contains("Authorization: Basic m {{client_secret}}\n"), "{http}");
    assert!(http.contains("\n\ngrant_type=client_credentials&scope=notes%3Aread+mail%3Aread\n"), "{http}");
    assert!(http.contains("client.global.set(\"token\", response.body.access_token);"), "{http}");
    assert!(http.contains("\n### List\nGET https://a/\nAuthorization: Bearer {{token}}\n"), "{http}");

    let mut code = TokenSettings::new(GrantType::AuthorizationCode, Server::Issuer(line("https://id.example")));
    code.client_authentication = AuthMethod::PrivateKeyJwt;
    let mut root = collection.root().clone();
    root.token = Token::Settings(Box::new(code));
    let collection = Collection::new(root, vec![]).unwrap();
    let PostmanFile { json, notes } = to_postman(&collection);
    assert_eq!(json["item"].as_array().unwrap().len(), 1);
    let why: Vec<_> = notes.into_iter().map(|note| note.why).collect();
    let endpoint = |raw| Why::EndpointVariable(variable(raw));
    let wanted = [
        endpoint("token_endpoint"),
        endpoint("authorization_endpoint"),
        Why::TokenVariable(variable("token")),
        Why::AuthMethod(AuthMethod::PrivateKeyJwt),
    ];
    assert_eq!(why, wanted);
}

#[test]
fn nothing_breaks_out_of_a_request_of_an_http_file() {
    for evil in [
        "a\n###\nGET https://evil/",
        "a\r###\rGET https://evil/",
        "a\u{2028}### x",
        "a\n  ### x",
        "< ./secrets.json",
        "<@ ./secrets.json",
        "a\n> {% evil() %}",
        "a\n>> ./written.txt",
        "a\n# @import ./other.http",
        "a\n// @no-log",
        "a\n/* x",
        "a\n@host = https://evil",
        "a\n?? status == 200",
        "a\nHTTP/1.1 200",
        "a\n=== wait",
    ] {
        let HttpFile { text, notes } = to_http_file(&request(Body::Text(evil.to_owned()), "{{host}}/x"));
        assert_eq!(notes[0].why, Why::WouldBreakOut, "{evil:?}");
        assert!(!text.contains("###"), "{evil:?}");
    }
    for evil in ["{{process.exit()}}", "{{ $random.uuid }}", "{{\nevil()\n}}", "{{{host}}}", "a {{", "{{{{host}}"] {
        let HttpFile { text, notes } = to_http_file(&request(Body::Text(evil.to_owned()), "{{host}}/x"));
        assert_eq!(notes[0].why, Why::WouldBeEvaluated, "{evil:?}");
        assert!(!text.contains("###"), "{evil:?}");
    }
    assert_eq!(to_http_file(&request(Body::Empty, "https://a/{{evil()}}")).notes[0].why, Why::WouldBeEvaluated);
    assert_eq!(to_http_file(&request(Body::Empty, "./file")).notes[0].why, Why::WouldBreakOut);
    for good in
        ["{\"a\": {\"b\": 1}}", "<note/>", "<?xml?>\n</a>", "a=b", "{{host}}", "a\n\nb\tc", "{\"id\":{{host}}}}"]
    {
        let HttpFile { text, notes } = to_http_file(&request(Body::Text(good.to_owned()), "{{host}}/x y"));
        assert!(notes.is_empty(), "{good:?}: {notes:?}");
        assert!(text.ends_with(&format!("\n### One\nPOST {{{{host}}}}/x%20y\n\n{good}\n")), "{text}");
    }
}

#[test]
fn a_value_of_several_lines_is_no_line_of_an_http_file() {
    let root = request(Body::Empty, "https://a/").root().clone();
    let variables = vec![
        Variable::plain(variable("key"), "a\n### b\nGET https://evil/"),
        Variable::plain(variable("base-url"), "https://{{evil()}}"),
        Variable::plain(variable("x.y"), "1"),
        Variable::plain(variable("x_y"), "{{x.y}}"),
    ];
    let HttpFile { text, notes } = to_http_file(&Collection::new(root, variables).unwrap());
    assert_eq!(text.matches("###").count(), 1);
    assert!(!text.contains("evil") && text.contains("@x_y = 1\n@x_y_2 = {{x_y}}\n"), "{text}");
    let why: Vec<_> = notes.iter().map(|note| &note.why).collect();
    assert!(why.contains(&&Why::WouldBreakOut) && why.contains(&&Why::WouldBeEvaluated));
}
