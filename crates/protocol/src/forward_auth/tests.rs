use super::*;
use crate::directory::RequiredBinding;
use crate::narrow::tests::directory;
use crate::session::Authentication;
use crate::token::access::tests::token;
use crate::token::{Binding, TokenSubject};
use crate::value::ClientId;
use grantor_jose::JwkThumbprint;
use proptest::prelude::*;
use serde_json::json;

const NOW: UnixTime = UnixTime::new(10);

fn question(raw: &str) -> Question {
    Question::parse(raw).unwrap()
}

fn decide(raw: &str) -> Result<(), Refusal> {
    let question = question(raw);
    question.decide(&token(), &question.requirement, NOW)
}

#[test]
fn rfc9068_4_the_token_is_for_the_api_that_is_asked_for() {
    assert_eq!(decide("resource=https%3A%2F%2Fapi"), Ok(()));
    assert_eq!(decide("resource=https%3A%2F%2Fapi%2F"), Err(Refusal::WrongAudience));
}

#[test]
fn rfc6750_3_1_every_parameter_is_a_requirement() {
    for (more, answer) in [
        ("scope=read", Ok(())),
        ("scope=read+write", Ok(())),
        ("scope=read%20delete", Err(Refusal::InsufficientScope)),
        ("any_scope=delete+read", Ok(())),
        ("any_scope=delete+admin", Err(Refusal::InsufficientScope)),
        ("scope=read&any_scope=delete", Err(Refusal::InsufficientScope)),
        ("role=editor", Ok(())),
        ("role=admin", Err(Refusal::MissingRole)),
        ("role=editor&role=admin", Err(Refusal::MissingRole)),
        ("acr_values=2+1", Ok(())),
        ("acr_values=2", Err(Refusal::InsufficientAuthentication)),
        ("max_age=6", Ok(())),
        ("max_age=5", Err(Refusal::InsufficientAuthentication)),
    ] {
        assert_eq!(decide(&format!("resource=https://api&{more}")), answer, "{more}");
        assert_eq!(decide(&format!("{more}&resource=https://api")), answer, "{more}");
    }
}

#[test]
fn what_is_not_understood_of_a_question_is_refused() {
    for (raw, why) in [
        ("", Refusal::MalformedParameters),
        ("scope=read", Refusal::MissingParameter("resource")),
        ("resource", Refusal::MalformedParameters),
        ("resource=", Refusal::MalformedParameters),
        ("resource=api", Refusal::MalformedResource),
        ("resource=https://api&scope=", Refusal::MalformedParameters),
        ("resource=https://api&scope", Refusal::MalformedParameters),
        ("resource=https://api&", Refusal::MalformedParameters),
        ("resource=https://api&scopes=read", Refusal::MalformedParameters),
        ("resource=https://api&Scope=read", Refusal::MalformedParameters),
        ("resource=https://api&scope=%zz", Refusal::MalformedParameters),
        ("resource=https://api&resource=https://api", Refusal::RepeatedParameter),
        ("resource=https://api&scope=read&scope=read", Refusal::RepeatedParameter),
        ("resource=https://api&max_age=-1", Refusal::MalformedParameter("max_age")),
        ("resource=https://api&max_age=now", Refusal::MalformedParameter("max_age")),
        ("resource=https://api&scope=%22", Refusal::UnfulfillableRequirement),
        ("resource=https://api&scope=+", Refusal::UnfulfillableRequirement),
        ("resource=https://api&acr_values=+", Refusal::UnfulfillableRequirement),
        ("resource=https://api&origin=api", Refusal::MalformedParameter("origin")),
        ("resource=urn:api", Refusal::MalformedParameter("origin")),
    ] {
        assert_eq!(Question::parse(raw), Err(why), "{raw}");
    }
}

#[test]
fn rfc9449_4_3_the_origin_is_that_of_the_audience_unless_the_proxy_says_otherwise() {
    assert_eq!(question("resource=https://api/notes").origin, "https://api");
    assert_eq!(question("resource=urn:api&origin=https://edge/v1/").origin, "https://edge/v1");
}

#[test]
fn rfc9728_2_the_binding_that_the_declaration_wants_is_wanted() {
    let directory = directory("[]");
    let mut api = (**directory.apis().next().unwrap()).clone();
    let question = question("resource=https://api");
    let mut token = token();
    let decide = |api: &Api, token: &AccessToken| question.decide(token, &question.requirement(api), NOW);
    api.token.binding = RequiredBinding::None;
    assert_eq!(decide(&api, &token), Ok(()));
    api.token.binding = RequiredBinding::Dpop;
    assert_eq!(decide(&api, &token), Err(Refusal::BindingWanted));
    token.binding = Binding::Dpop(JwkThumbprint::from_bytes([1; 32]));
    assert_eq!(decide(&api, &token), Ok(()));
}

#[test]
fn rfc6750_3_1_no_answer_to_a_proxy_is_400() {
    assert_eq!([400, 401, 403, 503].map(status), [401, 401, 403, 503]);
}

fn original(headers: &[(&str, &'static str)]) -> Result<Original, Refusal> {
    Original::of_headers(|name| {
        headers.iter().filter(|(given, _)| *given == name).map(|(_, value)| *value).collect::<Vec<&'static str>>()
    })
}

#[test]
fn rfc9449_4_3_the_request_is_known_from_the_headers_of_any_proxy() {
    for (method, uri, value, path) in [
        ("x-original-method", "x-original-uri", "/a%2Fb/?x=y?z", "/a%2Fb/"),
        ("x-original-method", "x-original-url", "https://other.example/a%2Fb?x=y", "/a%2Fb"),
        ("x-forwarded-method", "x-forwarded-uri", "/a;b#c", "/a;b"),
        ("x-forwarded-method", "x-forwarded-uri", "//a", "//a"),
    ] {
        let found = original(&[(method, "PUT"), (uri, value)]);
        assert_eq!(found, Ok(Original { method: "PUT".into(), path: path.into() }), "{value}");
        assert_eq!(original(&[(uri, value)]), Err(Refusal::OriginalRequestUnknown));
        assert_eq!(original(&[(method, "PUT"), (method, "PUT"), (uri, value)]), Err(Refusal::OriginalRequestAmbiguous));
        assert_eq!(original(&[(method, "PUT"), (uri, value), (uri, value)]), Err(Refusal::OriginalRequestAmbiguous));
    }
    assert_eq!(original(&[]), Err(Refusal::OriginalRequestUnknown));
    assert_eq!(original(&[("x-original-method", "GET")]), Err(Refusal::OriginalRequestUnknown));
    for no_path in ["a", "", "ftp://a/b", "*"] {
        assert_eq!(Original::new("GET", no_path), Err(Refusal::OriginalRequestUnknown), "{no_path}");
    }
}

#[test]
fn rfc9449_4_3_a_request_that_is_described_in_two_ways_is_refused() {
    for (_, one) in SOURCES {
        for (_, other) in SOURCES.into_iter().filter(|(_, other)| *other != one) {
            let methods = [("x-original-method", "GET"), ("x-forwarded-method", "GET")];
            let [first, second] = methods;
            let found = original(&[first, second, (one, "/a"), (other, "/a")]);
            assert_eq!(found, Err(Refusal::OriginalRequestAmbiguous), "{one} {other}");
        }
    }
}

#[test]
fn rfc9068_2_2_the_identity_of_a_user() {
    let values = identity(&token());
    let said: Vec<_> = IDENTITY.into_iter().zip(values.iter().map(String::as_str)).collect();
    let id = token().id.to_string();
    assert_eq!(
        said,
        [
            ("x-grantor-subject", "u1"),
            ("x-grantor-subject-type", "user"),
            ("x-grantor-client-id", "web"),
            ("x-grantor-scope", "read write"),
            ("x-grantor-roles", "editor"),
            ("x-grantor-token-id", id.as_str()),
            ("x-grantor-expires", "605"),
            ("x-grantor-acr", "1"),
            ("x-grantor-auth-time", "4"),
            ("x-grantor-authorization-details", ""),
        ]
    );
}

#[test]
fn rfc9068_2_2_an_application_is_told_apart_from_a_user_of_its_name() {
    let client = ClientId::parse("u1").unwrap();
    let app = AccessToken { client, subject: TokenSubject::Application, authentication: None, ..token() };
    let [subject, kind, .., acr, auth_time, _] = identity(&app);
    assert_eq!([subject.as_str(), &kind, &acr, &auth_time], ["u1", "app", "", ""]);
}

#[test]
fn rfc9396_9_1_the_details_are_json_in_ascii() {
    let details = serde_json::from_value(json!([{"type": "payment", "to": "Zoë 😀\n"}])).unwrap();
    let [.., said] = identity(&AccessToken { details, ..token() });
    assert!(said.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{said}");
    let read: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(read, json!([{"type": "payment", "to": "Zoë 😀\n"}]));
}

proptest! {
    #[test]
    fn a_question_of_any_text_is_understood_or_refused(raw in ".{0,60}", more in "[a-z_]{1,10}=[ -~]{0,20}") {
        let known = ["resource", "scope", "any_scope", "role", "acr_values", "max_age", "origin"];
        for text in [raw.clone(), format!("resource=https://api&{raw}"), format!("resource=https://api&{more}")] {
            if Question::parse(&text).is_ok() {
                let names = text.split('&').map(|piece| piece.split('=').next().unwrap_or_default());
                for name in names {
                    let name = crate::params::decode(name.as_bytes()).unwrap_or_default();
                    prop_assert!(known.contains(&name.as_str()), "{}", text);
                }
            }
        }
    }

    #[test]
    fn rfc9449_4_3_a_target_of_any_text_gives_a_path_without_a_query(target in ".{0,60}") {
        for target in [target.clone(), format!("/{target}"), format!("https://x/{target}")] {
            if let Ok(original) = Original::new("GET", &target) {
                prop_assert!(original.path.starts_with('/') && !original.path.contains(['?', '#']));
            }
        }
    }

    #[test]
    fn rfc9110_5_5_whatever_a_token_says_is_one_value_of_a_header(text: String, roles: Vec<String>) {
        let time = UnixTime::new(1);
        let authentication = Authentication { time, acr: text.clone(), amr: Vec::new() };
        let subject = TokenSubject::User(text.clone());
        let token = AccessToken { subject, roles: roles.clone(), authentication: Some(authentication), ..token() };
        let values = identity(&token);
        for value in &values {
            prop_assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{value}");
        }
        let decoded = |value: &str| crate::params::decode(value.replace('+', "%2B").as_bytes());
        prop_assert_eq!(decoded(&values[0]), Some(text));
        let back: Option<Vec<String>> = values[4].split(' ').map(decoded).collect();
        prop_assert!(roles.is_empty() || back == Some(roles));
    }
}
