use super::*;
use crate::client::AuthMethod;
use crate::client::auth::tests::client;
use crate::directory::{DirectoryRecords, Tenant};
use crate::value::{Subject, TenantName};

pub(crate) fn issuer() -> Issuer {
    Issuer::parse("https://id.example").unwrap()
}

fn resource(raw: &str) -> Resource {
    Resource::parse(raw).unwrap()
}

fn asked(scope: &str, resources: &[&str]) -> Asked {
    let scope = Some(Scope::parse(scope).unwrap());
    Asked { scope, resources: resources.iter().map(|raw| resource(raw)).collect() }
}

/// Two APIs: `notes` (notes:read, notes:write, shared; the ceiling of `machine` is notes:read) and `mail` (mail:read,
/// shared, and mail:admin for the role admin).
pub(crate) fn directory(policies: &str) -> Directory {
    let apis = serde_json::from_str(
        r#"[
        {"audience":"https://notes","name":"Notes",
         "scopes":[{"name":"notes:read"},{"name":"notes:write"},{"name":"shared"}],
         "ceilings":[{"client_id":"machine","scope":"notes:read shared","roles":["reader"]}]},
        {"audience":"https://mail","name":"Mail",
         "scopes":[{"name":"mail:read"},{"name":"shared"},{"name":"mail:admin","roles":["admin"]}]}]"#,
    )
    .unwrap();
    let records = DirectoryRecords {
        tenants: vec![Tenant::new(TenantName::default())],
        apis,
        clients: vec![(*client("machine", AuthMethod::ClientSecretBasic)).clone()],
        policies: serde_json::from_str(policies).unwrap(),
        ..DirectoryRecords::default()
    };
    Directory::by_tenant(&records).remove(&TenantName::default()).unwrap()
}

pub(crate) fn user(roles: &[&str]) -> User {
    User {
        tenant: TenantName::default(),
        sub: Subject::parse("u1").unwrap(),
        username: "alice".into(),
        password_hash: None,
        administrator: false,
        disabled: false,
        roles: [(resource("https://mail"), roles.iter().map(|role| (*role).to_owned()).collect())].into(),
        claims: crate::directory::UserClaims::default(),
    }
}

fn reasons(allowed: &Allowed) -> Vec<Reason> {
    allowed.narrowed.iter().map(|narrowing| narrowing.reason.clone()).collect()
}

#[test]
fn rfc8707_2_each_scope_goes_to_the_api_that_defines_it() {
    let web = client("web", AuthMethod::ClientSecretBasic);
    let allowed = delegated(&asked("openid notes:read mail:read", &[]), &directory("[]"), &issuer(), &web).unwrap();
    assert_eq!(allowed.access.at(&resource("https://notes")).unwrap().to_string(), "notes:read");
    assert_eq!(allowed.access.at(&resource("https://mail")).unwrap().to_string(), "mail:read");
    assert_eq!(allowed.access.at(&issuer().as_resource()).unwrap().to_string(), "openid");
}

#[test]
fn rfc8707_2_a_scope_of_two_apis_needs_a_resource() {
    let web = client("web", AuthMethod::ClientSecretBasic);
    let ambiguous = delegated(&asked("shared", &[]), &directory("[]"), &issuer(), &web);
    assert_eq!(ambiguous, Err(Refusal::AmbiguousScope));
    let named = delegated(&asked("shared", &["https://mail"]), &directory("[]"), &issuer(), &web).unwrap();
    assert!(named.access.at(&resource("https://notes")).is_none());
    let unknown = delegated(&asked("shared", &["https://other"]), &directory("[]"), &issuer(), &web);
    assert_eq!(unknown, Err(Refusal::UnknownResource));
}

#[test]
fn rfc9700_2_3_never_more_than_the_client_is_registered_for() {
    let mut web = (*client("web", AuthMethod::ClientSecretBasic)).clone();
    web.metadata.scope = Scope::parse("mail:read");
    let allowed = delegated(&asked("mail:read notes:read", &[]), &directory("[]"), &issuer(), &web).unwrap();
    assert_eq!(allowed.access.scope().to_string(), "mail:read");
    assert_eq!(reasons(&allowed), [Reason::NotRegistered]);
}

#[test]
fn rfc9700_2_3_never_more_than_the_ceiling() {
    let machine = client("machine", AuthMethod::ClientSecretBasic);
    let allowed = delegated(&asked("notes:read notes:write", &[]), &directory("[]"), &issuer(), &machine).unwrap();
    assert_eq!(allowed.access.scope().to_string(), "notes:read");
    assert_eq!(reasons(&allowed), [Reason::AboveCeiling(resource("https://notes"))]);
    let nothing = delegated(&asked("notes:write", &[]), &directory("[]"), &issuer(), &machine);
    assert_eq!(nothing, Err(Refusal::NothingOfTheScopeIsAllowed));
}

#[test]
fn rfc9700_2_3_a_scope_that_needs_a_role_is_given_to_nobody_else() {
    let web = client("web", AuthMethod::ClientSecretBasic);
    let directory = directory("[]");
    let asked = delegated(&asked("mail:admin mail:read", &[]), &directory, &issuer(), &web).unwrap();
    let without = for_user(asked.clone(), &directory, &web, &user(&[]), GrantType::AuthorizationCode).unwrap();
    assert_eq!(without.access.scope().to_string(), "mail:read");
    assert_eq!(reasons(&without), [Reason::UserLacksRole(resource("https://mail"))]);
    let with = for_user(asked, &directory, &web, &user(&["admin"]), GrantType::AuthorizationCode).unwrap();
    assert_eq!(with.access.scope().to_string(), "mail:admin mail:read");
}

#[test]
fn policies_decide_in_order_and_none_that_fits_means_nothing() {
    let directory = directory(
        r#"[{"name":"b","priority":2,"api":"https://mail","roles":["admin"]},
            {"name":"a","priority":1,"api":"https://mail","clients":["web"],"scopes":["shared"]}]"#,
    );
    let web = client("web", AuthMethod::ClientSecretBasic);
    let wanted = delegated(&asked("mail:read shared", &["https://mail"]), &directory, &issuer(), &web).unwrap();
    let narrowed = for_user(wanted, &directory, &web, &user(&["admin"]), GrantType::AuthorizationCode).unwrap();
    assert_eq!(narrowed.access.scope().to_string(), "shared");
    assert_eq!(reasons(&narrowed), [Reason::LeftOutByPolicy("a".into())]);

    let other = client("other", AuthMethod::ClientSecretBasic);
    let wanted = delegated(&asked("mail:read", &[]), &directory, &issuer(), &other).unwrap();
    let refused = for_user(wanted, &directory, &other, &user(&[]), GrantType::AuthorizationCode);
    assert_eq!(refused, Err(Refusal::NothingOfTheScopeIsAllowed));
}

#[test]
fn a_policy_shortens_a_token_and_never_lengthens_it() {
    let short = directory(r#"[{"name":"a","api":"https://notes","access_token_lifetime":60}]"#);
    let long = directory(r#"[{"name":"a","api":"https://notes","access_token_lifetime":6000}]"#);
    let machine = client("machine", AuthMethod::ClientSecretBasic);
    for (directory, life) in [(short, 60), (long, 600)] {
        let api = directory.api(&resource("https://notes")).unwrap();
        assert_eq!(longest_life(&directory, api, &machine, GrantType::ClientCredentials, None), Seconds::new(life));
    }
}

#[test]
fn rfc6749_4_4_an_application_gets_its_ceiling_and_no_more() {
    let machine = client("machine", AuthMethod::ClientSecretBasic);
    let directory = directory("[]");
    let (_, all) = for_itself(&Asked::default(), &directory, &machine, GrantType::ClientCredentials).unwrap();
    assert_eq!(all.access.scope().to_string(), "notes:read shared");
    let (_, some) =
        for_itself(&asked("notes:read notes:write", &[]), &directory, &machine, GrantType::ClientCredentials).unwrap();
    assert_eq!(some.access.scope().to_string(), "notes:read");
    assert_eq!(reasons(&some), [Reason::AboveCeiling(resource("https://notes"))]);
    let refused = for_itself(&asked("notes:write", &[]), &directory, &machine, GrantType::ClientCredentials);
    assert_eq!(refused.err(), Some(Refusal::NothingOfTheScopeIsAllowed));
}

#[test]
fn rfc6749_4_4_an_application_without_a_ceiling_gets_nothing_for_itself() {
    let other = client("other", AuthMethod::ClientSecretBasic);
    let directory = directory("[]");
    let refused =
        for_itself(&asked("notes:read", &["https://notes"]), &directory, &other, GrantType::ClientCredentials);
    assert_eq!(refused.err(), Some(Refusal::ResourceNotAllowed));
    assert_eq!(
        for_itself(&Asked::default(), &directory, &other, GrantType::ClientCredentials).err(),
        Some(Refusal::ResourceNotAllowed)
    );
}

#[test]
fn oidc_core_11_offline_access_needs_a_client_with_refresh_tokens() {
    let web = client("web", AuthMethod::ClientSecretBasic);
    let allowed = delegated(&asked("openid offline_access", &[]), &directory("[]"), &issuer(), &web).unwrap();
    assert_eq!(allowed.access.scope().to_string(), "openid");
    assert_eq!(reasons(&allowed), [Reason::NoRefreshTokens]);
}

#[test]
fn rfc9700_2_3_an_audience_comes_with_a_scope_only() {
    let web = client("web", AuthMethod::ClientSecretBasic);
    let directory = directory("[]");
    let bare = delegated(&asked("openid", &["https://notes"]), &directory, &issuer(), &web).unwrap();
    assert!(bare.access.at(&resource("https://notes")).is_none());
    let unticked = delegated(&asked("openid notes:read", &[]), &directory, &issuer(), &web).unwrap();
    let unticked = unticked.consented(&Scope::parse("openid").unwrap());
    assert!(unticked.access.at(&resource("https://notes")).is_none());
    let roleless = delegated(&asked("mail:admin openid", &[]), &directory, &issuer(), &web).unwrap();
    let roleless = for_user(roleless, &directory, &web, &user(&[]), GrantType::AuthorizationCode).unwrap();
    assert!(roleless.access.at(&resource("https://mail")).is_none());
}

#[test]
fn what_the_user_unticks_is_not_given_and_openid_stays() {
    let web = client("web", AuthMethod::ClientSecretBasic);
    let allowed = delegated(&asked("openid notes:read notes:write", &[]), &directory("[]"), &issuer(), &web).unwrap();
    let left = allowed.consented(&Scope::parse("notes:read").unwrap());
    assert_eq!(left.access.scope().to_string(), "notes:read openid");
    assert_eq!(reasons(&left), [Reason::NotConsented]);
}

#[test]
fn rfc9700_2_3_a_grant_shrinks_when_the_directory_becomes_stricter() {
    let machine = client("machine", AuthMethod::ClientSecretBasic);
    let granted: Access = [
        (resource("https://notes"), Scope::parse("notes:read notes:write").unwrap()),
        (resource("https://gone"), Scope::parse("x").unwrap()),
        (issuer().as_resource(), Scope::parse("openid").unwrap()),
    ]
    .into_iter()
    .collect();
    let grant_type = GrantType::RefreshToken;
    let left = still_allowed(&granted, &directory("[]"), &issuer(), &machine, &user(&[]), grant_type).unwrap();
    assert_eq!(left.access.scope().to_string(), "notes:read openid");
    assert!(left.access.at(&resource("https://gone")).is_none());
    assert_eq!(reasons(&left), [Reason::AboveCeiling(resource("https://notes"))]);
}
