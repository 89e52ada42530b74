//! Whatever somebody may hand in: it is survived, and what is taken over makes the round trip.

use super::*;
use proptest::prelude::*;

/// JSON like that of a collection, with everything possible in the wrong place.
fn odd() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i32>().prop_map(Json::from),
        prop_oneof![
            "[a-z{}\n#:/@?=&. ]{0,24}",
            Just("oauth2".to_owned()),
            Just("client_credentials".to_owned()),
            Just("authorization_code_with_pkce".to_owned()),
            Just("{{client_secret}}".to_owned()),
            Just("urlencoded".to_owned()),
            Just("raw".to_owned()),
            Just("secret".to_owned()),
        ]
        .prop_map(Json::from),
    ];
    let member = prop_oneof![
        Just("name"),
        Just("item"),
        Just("request"),
        Just("auth"),
        Just("type"),
        Just("oauth2"),
        Just("key"),
        Just("value"),
        Just("url"),
        Just("raw"),
        Just("header"),
        Just("body"),
        Just("mode"),
        Just("urlencoded"),
        Just("variable"),
        Just("query"),
        Just("host"),
        Just("path"),
        Just("disabled"),
        Just("event"),
        Just("description"),
        Just("method"),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        let list = proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from);
        let object = proptest::collection::vec((member.clone(), inner), 0..6);
        let object = object.prop_map(|all| {
            all.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<serde_json::Map<_, _>>()
        });
        prop_oneof![list, object.prop_map(Json::Object)]
    })
}

fn settings_of_somebody() -> impl Strategy<Value = Json> {
    let grants = prop_oneof![
        Just("authorization_code"),
        Just("authorization_code_with_pkce"),
        Just("client_credentials"),
        Just("implicit"),
        Just("urn:ietf:params:oauth:grant-type:device_code"),
        Just("x"),
    ];
    let text = "[a-zA-Z:/{} \n]{0,12}";
    let place = prop_oneof![Just("request_url"), Just("request_body"), Just("request_header"), Just("x")];
    let key = prop_oneof![Just("resource"), Just("audience"), Just("prompt"), Just("client_secret"), Just("")];
    let parameter = (key, text, any::<bool>(), place).prop_map(
        |(key, value, enabled, send_as)| json!({"key": key, "value": value, "enabled": enabled, "send_as": send_as}),
    );
    let parameters = proptest::collection::vec(parameter, 0..4);
    let texts = proptest::collection::vec(text, 9);
    (grants, texts, proptest::collection::vec(parameters, 3)).prop_map(|(grant, texts, parameters)| {
        oauth2(&json!({
            "grant_type": grant, "accessTokenUrl": texts[0], "authUrl": texts[1], "clientId": texts[2],
            "clientSecret": texts[3], "scope": texts[4], "headerPrefix": texts[5], "tokenName": texts[6],
            "resource": texts[7], "audience": texts[8], "authRequestParams": parameters[0],
            "tokenRequestParams": parameters[1], "refreshRequestParams": parameters[2],
        }))
    })
}

/// What was taken over survives the way out and in again, and what comes out twice is the same.
fn round_trip(json: &[u8]) {
    let Ok(Imported { collection, .. }) = from_postman(json) else { return };
    let exported = to_postman(&collection).json;
    let again = from_postman(exported.to_string().as_bytes()).expect("what is written can be read").collection;
    assert_eq!(again.root(), collection.root());
    assert_eq!(to_postman(&again).json, exported);
    let http = to_http_file(&collection).text;
    let requests = count(collection.root()) + exported["item"].as_array().unwrap().len();
    assert!(http.lines().filter(|line| line.trim_start().starts_with("###")).count() <= requests);
    let ours = serde_json::to_vec(&collection).unwrap();
    assert_eq!(Collection::parse(&ours).unwrap().root(), collection.root());
}

fn count(folder: &Folder) -> usize {
    let one = |item: &Item| match item {
        Item::Folder(inner) => count(inner),
        Item::Request(_) => 1,
    };
    folder.items.iter().map(one).sum()
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = from_postman(&bytes);
        let _ = Collection::parse(&bytes);
        let _ = Environment::parse(&bytes);
    }

    #[test]
    fn an_odd_file_makes_the_round_trip(item in odd(), auth in odd(), variable in odd()) {
        let json = json!({"info": {"name": "N", "schema": SCHEMA}, "item": item, "auth": auth, "variable": variable});
        round_trip(json.to_string().as_bytes());
    }

    #[test]
    fn anybodys_settings_make_the_round_trip(outer in settings_of_somebody(), inner in settings_of_somebody()) {
        let items = json!([{"name": "F", "auth": inner, "item": [item("https://a/")]}, item("{{b}}")]);
        round_trip(&file(&outer, &items));
    }
}
