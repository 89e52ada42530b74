use super::*;
use proptest::prelude::*;

fn headers(values: &[&str]) -> HeaderMap {
    values.iter().map(|value| (AUTHORIZATION, value.parse().unwrap())).collect()
}

fn of_header(values: &[&str]) -> Result<(Scheme, String), Refusal> {
    let headers = headers(values);
    Credential::of_header(&headers).map(|credential| (credential.scheme, credential.token.into_owned()))
}

#[test]
fn rfc6750_2_1_the_header() {
    for (value, scheme) in [
        ("Bearer abc.-_~+/123==", Scheme::Bearer),
        ("bearer abc.-_~+/123==", Scheme::Bearer),
        ("BEARER   abc.-_~+/123==", Scheme::Bearer),
        ("DPoP abc.-_~+/123==", Scheme::Dpop),
        ("dpop abc.-_~+/123==", Scheme::Dpop),
    ] {
        assert_eq!(of_header(&[value]), Ok((scheme, "abc.-_~+/123==".to_owned())), "{value}");
    }
    assert_eq!(of_header(&[]), Err(Refusal::NoToken));
    for value in ["Basic YTpi", "Bearerabc", "token", "", "Negotiate x", "Bearer=abc"] {
        assert_eq!(of_header(&[value]), Err(Refusal::OtherScheme), "{value}");
    }
    for value in ["Bearer", "Bearer ", "Bearer a b", "Bearer =", "Bearer a=b", "Bearer \"a\"", "Bearer a;b", "DPoP"] {
        assert_eq!(of_header(&[value]), Err(Refusal::MalformedHeader), "{value}");
    }
    let mut bytes = HeaderMap::new();
    bytes.insert(AUTHORIZATION, http::HeaderValue::from_bytes(b"Bearer \xff").unwrap());
    assert_eq!(Credential::of_header(&bytes), Err(Refusal::MalformedHeader));
}

#[test]
fn rfc6750_2_one_token_is_sent_once() {
    assert_eq!(of_header(&["Bearer a", "Bearer a"]), Err(Refusal::SeveralTokens));
    assert_eq!(of_header(&["Basic YTpi", "Bearer a"]), Err(Refusal::SeveralTokens));
    assert_eq!(of_header(&["Bearer a, Bearer b"]), Err(Refusal::SeveralTokens));
    assert_eq!(of_header(&["Bearer a,DPoP b"]), Err(Refusal::SeveralTokens));
}

fn of_form(method: &Method, content_type: Option<&str>, header: &[&str], form: &str) -> Result<String, Refusal> {
    let mut headers = headers(header);
    if let Some(content_type) = content_type {
        headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
    }
    let uri = Uri::from_static("/notes?access_token=query");
    let head = Head { method, uri: &uri, headers: &headers, certificate: None };
    Credential::of_header_or_form(&head, form.as_bytes()).map(|credential| credential.token.into_owned())
}

#[test]
fn rfc6750_2_2_the_form() {
    let form = Some("application/x-www-form-urlencoded");
    let post = |content_type, header: &[&str], body| of_form(&Method::POST, content_type, header, body);
    assert_eq!(post(form, &[], "a=b&access_token=x%2Ey&a=c"), Ok("x.y".to_owned()));
    assert_eq!(
        post(Some("Application/X-WWW-Form-Urlencoded; charset=utf-8"), &[], "access_token=x"),
        Ok("x".to_owned())
    );
    assert_eq!(post(form, &[], "access_token=x&access_token=x"), Err(Refusal::SeveralTokens));
    assert_eq!(post(form, &["Bearer y"], "access_token=x"), Err(Refusal::SeveralTokens));
    assert_eq!(post(form, &["Basic YTpi"], "access_token=x"), Err(Refusal::SeveralTokens));
    assert_eq!(post(form, &["Bearer y"], "a=b"), Ok("y".to_owned()));
    assert_eq!(post(form, &[], "a=b"), Err(Refusal::NoToken));
    assert_eq!(post(form, &[], "access_token="), Err(Refusal::UnexpectedForm));
    assert_eq!(post(Some("multipart/form-data"), &[], "access_token=x"), Err(Refusal::NoToken));
    assert_eq!(post(None, &[], "access_token=x"), Err(Refusal::NoToken));
    assert_eq!(of_form(&Method::GET, form, &[], "access_token=x"), Err(Refusal::UnexpectedForm));
}

proptest! {
    #[test]
    fn a_header_of_any_bytes_gives_one_clean_token_or_none(value: Vec<u8>) {
        let Ok(value) = http::HeaderValue::from_bytes(&value) else { return Ok(()) };
        let headers: HeaderMap = [(AUTHORIZATION, value)].into_iter().collect();
        if let Ok(credential) = Credential::of_header(&headers) {
            prop_assert!(is_token68(credential.token.as_bytes()));
        }
    }
}
