use super::*;

fn headers(values: &[&str]) -> HeaderMap {
    values.iter().map(|value| (AUTHORIZATION, value.parse().unwrap())).collect()
}

#[test]
fn rfc6750_2_1_what_the_header_lacks() {
    for (values, why) in [
        (vec![], Refusal::NoToken),
        (vec!["Basic YTpi"], Refusal::OtherScheme),
        (vec!["Bearer a", "Bearer a"], Refusal::SeveralTokens),
        (vec!["Bearer a b"], Refusal::MalformedHeader),
    ] {
        assert_eq!(Credential::of_header(&headers(&values)), Err(why), "{values:?}");
    }
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
