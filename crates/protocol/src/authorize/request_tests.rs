use super::*;
use crate::authorize::{AuthorizationResponse, PageRefusal, RedirectTarget};
use crate::client::{AuthMethod, Client};
use crate::directory::{DirectoryRecords, Tenant};
use crate::profile::Profile;
use crate::value::{CodeId, RedirectUri, TenantName, UserCode};

const BASE: &str = "client_id=web&response_type=code&scope=openid&state=s&redirect_uri=https%3A%2F%2Fapp%2Fcb";
const PKCE: &str = "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";

fn issuer() -> Issuer {
    Issuer::parse("https://id.example").unwrap()
}

fn directory(change: impl Fn(&mut Client)) -> Directory {
    let mut client = (*crate::client::auth::tests::client("web", AuthMethod::ClientSecretBasic)).clone();
    client.metadata.redirect_uris = vec![RedirectUri::parse("https://app/cb").unwrap()];
    change(&mut client);
    let records = DirectoryRecords {
        tenants: vec![Tenant::new(TenantName::default())],
        clients: vec![client],
        ..DirectoryRecords::default()
    };
    Directory::by_tenant(&records).remove(&TenantName::default()).unwrap()
}

fn parse_with(query: &str, directory: &Directory) -> Result<AuthorizationRequest, Refusal> {
    let params = Params::parse(query.as_bytes()).unwrap();
    let target = Target::find(&params, directory, &Source::Plain).expect("the target should be fine");
    AuthorizationRequest::parse(&params, target, directory, &issuer(), &Source::Plain)
        .map_err(|refused| refused.refusal)
}

fn redirect(request: &AuthorizationRequest) -> &RedirectTarget {
    let Target::Redirect(target) = &request.target else { panic!("{:?}", request.target) };
    target
}

fn parse(query: &str) -> Result<AuthorizationRequest, Refusal> {
    parse_with(query, &directory(|_| {}))
}

fn page(query: &str) -> Refusal {
    RedirectTarget::find(&Params::parse(query.as_bytes()).unwrap(), &directory(|_| {}))
        .err()
        .map(|PageRefusal(refusal)| refusal)
        .unwrap()
}

#[test]
fn rfc6749_4_1_2_1_before_the_redirect_uri_is_verified_an_error_is_a_page() {
    assert_eq!(page("response_type=code"), Refusal::MissingParameter("client_id"));
    assert_eq!(page("client_id=nobody&redirect_uri=https%3A%2F%2Fapp%2Fcb"), Refusal::UnknownClient);
    assert_eq!(page("client_id=web&redirect_uri=https%3A%2F%2Fevil%2Fcb"), Refusal::RedirectUriNotRegistered);
    assert_eq!(page("client_id=web&redirect_uri=%2Fcb"), Refusal::RedirectUriMalformed);
    assert_eq!(page("client_id=web&client_id=web"), Refusal::RepeatedParameter);
    assert_eq!(
        page("client_id=web&redirect_uri=https%3A%2F%2Fapp%2Fcb&redirect_uri=https%3A%2F%2Fapp%2Fcb"),
        Refusal::RepeatedParameter
    );
}

#[test]
fn oidc_core_3_1_2_1_redirect_uri_is_required() {
    assert_eq!(page("client_id=web&scope=openid"), Refusal::RedirectUriMissing);
}

#[test]
fn rfc6749_3_1_2_3_the_only_registered_redirect_uri_may_be_omitted() {
    let params = Params::parse(b"client_id=web&scope=x").unwrap();
    let target = RedirectTarget::find(&params, &directory(|_| {})).unwrap();
    assert!(!target.redirect_uri_given);
    assert_eq!(target.redirect_uri.as_str(), "https://app/cb");
}

#[test]
fn rfc7636_4_4_1_a_challenge_is_required() {
    assert_eq!(parse(BASE).err(), Some(Refusal::PkceRequired));
    assert!(parse(&format!("{BASE}{PKCE}")).unwrap().challenge.is_some());
    let oidc = directory(|client| client.metadata.profile = Profile::Oidc);
    assert!(parse_with(BASE, &oidc).unwrap().challenge.is_none());
    let public = directory(|client| {
        client.metadata.profile = Profile::Oidc;
        client.metadata.token_endpoint_auth_method = AuthMethod::None;
    });
    assert_eq!(parse_with(BASE, &public).err(), Some(Refusal::PkceRequired));
}

#[test]
fn rfc9700_2_1_1_plain_is_refused() {
    for method in ["&code_challenge_method=plain", ""] {
        let query = format!("{BASE}&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM{method}");
        assert_eq!(parse(&query).err(), Some(Refusal::PkceMethodNotS256));
    }
    let short = format!("{BASE}&code_challenge=abc&code_challenge_method=S256");
    assert_eq!(parse(&short).err(), Some(Refusal::MalformedCodeChallenge));
}

#[test]
fn rfc6749_3_1_1_only_the_response_type_code() {
    for other in ["token", "code%20id_token", "id_token", "none"] {
        let query = BASE.replace("response_type=code", &format!("response_type={other}"));
        assert_eq!(parse(&format!("{query}{PKCE}")).err(), Some(Refusal::UnsupportedResponseType), "{other}");
    }
    let missing = BASE.replace("response_type=code&", "");
    assert_eq!(parse(&missing).err(), Some(Refusal::MissingParameter("response_type")));
    let no_code = directory(|client| client.metadata.grant_types = vec![GrantType::ClientCredentials]);
    assert_eq!(parse_with(&format!("{BASE}{PKCE}"), &no_code).err(), Some(Refusal::ResponseTypeNotAllowed));
}

#[test]
fn oidc_core_6_request_objects_are_not_half_obeyed() {
    for (name, refusal) in [
        ("request", Refusal::RequestObjectInsideRequestObject),
        ("request_uri", Refusal::RequestObjectInsideRequestObject),
        ("registration", Refusal::RegistrationNotSupported),
    ] {
        assert_eq!(parse(&format!("{BASE}{PKCE}&{name}=x")).err(), Some(refusal));
    }
}

#[test]
fn rfc6749_3_1_a_repeated_parameter_is_refused_by_redirect() {
    assert_eq!(parse(&format!("{BASE}{PKCE}&nonce=1&nonce=2")).err(), Some(Refusal::RepeatedParameter));
    assert_eq!(parse(&format!("{BASE}{PKCE}&state=2")).err(), Some(Refusal::RepeatedParameter));
}

#[test]
fn oidc_core_3_1_2_1_the_small_parameters() {
    let request =
        parse(&format!("{BASE}{PKCE}&nonce=n&max_age=10&login_hint=alice&display=popup&prompt=login&unknown=1"))
            .unwrap();
    assert_eq!(request.nonce.as_deref(), Some("n"));
    assert_eq!(request.max_age, Some(10));
    assert_eq!(request.display, Display::Popup);
    assert!(request.prompt.login);
    assert_eq!(parse(&format!("{BASE}{PKCE}&max_age=-1")).err(), Some(Refusal::MalformedParameter("max_age")));
    assert_eq!(parse(&format!("{BASE}{PKCE}&claims=%5B")).err(), Some(Refusal::MalformedParameter("claims")));
    let claims = parse(&format!("{BASE}{PKCE}&claims=%7B%22userinfo%22%3A%7B%22email%22%3Anull%7D%7D")).unwrap().claims;
    assert!(claims.userinfo.contains_key("email"));
}

#[test]
fn rfc6749_3_3_a_request_for_nothing_is_refused() {
    let nothing = BASE.replace("scope=openid&", "");
    assert_eq!(parse(&format!("{nothing}{PKCE}")).err(), Some(Refusal::NothingOfTheScopeIsAllowed));
    let unknown = BASE.replace("scope=openid", "scope=unknown");
    assert_eq!(parse(&format!("{unknown}{PKCE}")).err(), Some(Refusal::NothingOfTheScopeIsAllowed));
}

#[test]
fn oauth_multiple_response_types_2_1_fragment_is_refused() {
    assert_eq!(parse(&format!("{BASE}{PKCE}&response_mode=fragment")).err(), Some(Refusal::UnsupportedResponseMode));
    let by_form = parse(&format!("{BASE}{PKCE}&response_mode=form_post")).unwrap();
    assert_eq!(redirect(&by_form).mode, ResponseMode::FormPost);
}

#[test]
fn rfc9207_2_iss_and_state_are_in_every_response() {
    let request = parse(&format!("{BASE}{PKCE}")).unwrap();
    let answer = AuthorizationResponse::code(redirect(&request), "c+d".into(), &issuer());
    assert_eq!(answer.location(), "https://app/cb?code=c%2Bd&state=s&iss=https%3A%2F%2Fid.example");
    let error = AuthorizationResponse::error(redirect(&request), Refusal::Denied.code(), &issuer());
    assert!(error.location().starts_with("https://app/cb?error=access_denied&"));
    assert!(error.location().ends_with("&state=s&iss=https%3A%2F%2Fid.example"));
}

const USER_CODE: [u8; 8] = [3; 8];

fn of_a_device(query: &str, change: impl Fn(&mut Client)) -> Result<AuthorizationRequest, Refusal> {
    let directory = directory(change);
    let params = Params::parse(query.as_bytes()).unwrap();
    let source = Source::Device { id: CodeId::from_bytes([1; 16]), user_code: UserCode::new(USER_CODE) };
    let target = Target::find(&params, &directory, &source).map_err(|PageRefusal(refusal)| refusal)?;
    AuthorizationRequest::parse(&params, target, &directory, &issuer(), &source).map_err(|refused| refused.refusal)
}

#[test]
fn rfc8628_3_1_a_device_asks_without_redirect_and_challenge() {
    let tv = |client: &mut Client| {
        client.metadata.redirect_uris = Vec::new();
        client.metadata.grant_types = vec![GrantType::DeviceCode];
    };
    let request = of_a_device("client_id=web&scope=openid", tv).unwrap();
    assert_eq!((request.target.grant_type(), request.challenge.is_none()), (GrantType::DeviceCode, true));
    assert!(matches!(&request.target, Target::Device(target) if target.user_code == UserCode::new(USER_CODE)));
    assert_eq!(of_a_device("client_id=web&scope=openid", |_| {}).err(), Some(Refusal::GrantTypeNotAllowed));
    assert_eq!(of_a_device("client_id=nobody&scope=openid", tv).err(), Some(Refusal::UnknownClient));
    let off = |client: &mut Client| {
        tv(client);
        client.metadata.disabled = true;
    };
    assert_eq!(of_a_device("client_id=web&scope=openid", off).err(), Some(Refusal::ClientDisabled));
    let none = of_a_device("client_id=web", tv);
    assert_eq!(none.err(), Some(Refusal::NothingOfTheScopeIsAllowed));
}
