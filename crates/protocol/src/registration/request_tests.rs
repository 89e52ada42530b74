use super::*;
use crate::client::ApplicationType;
use crate::registration::{DocumentDigest, Registered, TokenHash};
use crate::value::{Secret, TenantName, UnixTime};
use serde_json::json;

fn tenant(tiers: &Value) -> Tenant {
    let mut tenant = Tenant::new(TenantName::default());
    tenant.registration = serde_json::from_value(json!({"dynamic": "open", "tiers": tiers})).unwrap();
    tenant
}

fn any() -> Tenant {
    tenant(&json!([{"name": "any", "hosts": ["*"]}]))
}

fn origin() -> Origin {
    let token_hash = TokenHash::of(&Secret::new("x".to_owned()));
    Origin::Registered(Registered { token_hash, used: UnixTime::new(1) })
}

fn ask(tenant: &Tenant, request: &Value) -> Result<ClientMetadata, RegistrationError> {
    requested(request.as_object().unwrap(), &ClientId::parse("id").unwrap(), origin(), tenant)
}

fn refused(tenant: &Tenant, request: &Value) -> &'static str {
    ask(tenant, request).unwrap_err().code.as_str()
}

/// A request that is fine, changed.
fn with(change: Value) -> Value {
    let mut request = json!({"redirect_uris": ["https://app.example/cb"]});
    let Value::Object(change) = change else { panic!("an object") };
    request.as_object_mut().unwrap().extend(change);
    request
}

#[test]
fn rfc7591_2_the_defaults_and_unknown_members_are_ignored() {
    let client = ask(&any(), &with(json!({"colour": "red", "client_uri": null}))).unwrap();
    assert_eq!(client.grant_types, [GrantType::AuthorizationCode]);
    assert_eq!(client.token_endpoint_auth_method, AuthMethod::ClientSecretBasic);
    assert_eq!(client.origin, origin());
    let full = with(json!({
        "client_name": "App", "client_name#de": "Anwendung", "application_type": "native",
        "token_endpoint_auth_method": "none", "scope": "openid notes:read", "dpop_bound_access_tokens": true,
    }));
    let client = ask(&any(), &full).unwrap();
    assert_eq!(client.client_name.in_language("de"), "Anwendung");
    assert_eq!(client.client_name.in_language("en"), "App");
    assert_eq!(client.application_type, ApplicationType::Native);
    assert!(client.dpop_bound_access_tokens);
}

#[test]
fn rfc7591_3_2_1_the_scope_is_that_of_the_tier_or_of_the_document() {
    let asking = with(json!({"client_name": "App", "scope": "notes:read"}));
    assert_eq!(ask(&any(), &asking).unwrap().scope, None, "whatever its APIs have");
    let mut tier = tenant(&json!([{"name": "t", "hosts": ["*"], "scope": "notes:read notes:write"}]));
    assert_eq!(ask(&tier, &asking).unwrap().scope.unwrap().to_string(), "notes:read notes:write");
    tier.registration.metadata_documents = true;
    let id = ClientId::parse("https://app.example/client").unwrap();
    let members = asking.as_object().unwrap();
    let described = requested(members, &id, Origin::Document(DocumentDigest(String::new())), &tier).unwrap();
    assert_eq!(described.scope.unwrap().to_string(), "notes:read");
}

#[test]
fn what_only_an_administrator_can_say_is_ignored() {
    let client = ask(
        &any(),
        &with(json!({
            "client_id": "web", "tenant": "acme", "require_consent": false, "profile": "oidc", "disabled": true,
            "federated_credentials": [], "authorization_details_types": ["payment"], "origin": "declared",
            "sector_identifier_uri": "https://other.example/",
        })),
    )
    .unwrap();
    assert_eq!((client.client_id.as_str(), client.tenant.as_str()), ("id", "default"));
    assert!(client.require_consent && !client.disabled && client.authorization_details_types.is_none());
    assert!(client.sector_identifier_uri.is_none() && client.origin == origin());
}

#[test]
fn rfc7591_2_values_that_cannot_be_had_are_replaced() {
    let strict = tenant(&json!([{"name": "t", "hosts": ["*"], "scope": "openid notes:read"}]));
    let client = ask(
        &strict,
        &with(json!({
            "grant_types": ["authorization_code", "refresh_token", "client_credentials", "implicit"],
            "response_types": ["code", "id_token"], "scope": "openid notes:write",
        })),
    )
    .unwrap();
    assert_eq!(client.grant_types, [GrantType::AuthorizationCode, GrantType::RefreshToken]);
    assert_eq!(client.response_types, [ResponseType::Code]);
    assert_eq!(client.scope.unwrap().to_string(), "notes:read openid");
    for nothing_left in [
        json!({"grant_types": ["password"]}),
        json!({"grant_types": ["refresh_token"]}),
        json!({"response_types": ["token"]}),
        json!({"scope": "admin"}),
    ] {
        assert_eq!(refused(&strict, &with(nothing_left.clone())), "invalid_client_metadata", "{nothing_left}");
    }
}

#[test]
fn rfc7591_3_2_2_redirect_uris_that_cannot_be_used_are_refused() {
    for uris in [
        json!([]),
        json!("https://app.example/cb"),
        json!(["http://app.example/cb"]),
        json!(["https://app.example/cb#x"]),
        json!(["javascript:alert(1)"]),
        json!([7]),
        json!(["https://app.example/cb", "/cb"]),
        Value::Array(vec![json!("https://app.example/cb"); MOST + 1]),
    ] {
        assert_eq!(refused(&any(), &json!({ "redirect_uris": uris })), "invalid_redirect_uri", "{uris}");
    }
    assert_eq!(refused(&any(), &json!({})), "invalid_redirect_uri");
    let narrow = tenant(&json!([{"name": "t", "hosts": ["*.corp.example", "localhost"]}]));
    assert!(ask(&narrow, &json!({"redirect_uris": ["https://a.corp.example/cb", "http://localhost:1/"]})).is_ok());
    assert_eq!(refused(&narrow, &with(json!({}))), "invalid_redirect_uri");
    let redirects = tenant(&json!([{"name": "t", "hosts": ["*"], "redirect_hosts": ["cb.example"]}]));
    assert_eq!(refused(&redirects, &with(json!({}))), "invalid_redirect_uri");
}

#[test]
fn rfc7591_3_2_2_members_that_are_wrong_are_refused() {
    for change in [
        json!({"token_endpoint_auth_method": "magic"}),
        json!({"token_endpoint_auth_method": "private_key_jwt"}),
        json!({"token_endpoint_auth_method": "client_secret_jwt"}),
        json!({"jwks": {"keys": []}, "jwks_uri": "https://app.example/jwks"}),
        json!({"jwks_uri": "http://app.example/jwks"}),
        json!({"client_name": 7}),
        json!({"client_name": "x".repeat(LONGEST_NAME + 1)}),
        json!({"client_name": "a\nb"}),
        json!({"client_uri": "javascript:alert(1)"}),
        json!({"logo_uri": "data:image/png,x"}),
        json!({"scope": "a\"b"}),
        json!({"grant_types": "authorization_code"}),
        json!({"id_token_signed_response_alg": "none"}),
        json!({"software_id": "x".repeat(LONGEST + 1)}),
        json!({"contacts": vec!["a"; MOST + 1]}),
    ] {
        assert_eq!(refused(&any(), &with(change.clone())), "invalid_client_metadata", "{change}");
    }
}

#[test]
fn rfc7591_3_1_1_software_statements_are_refused() {
    assert_eq!(refused(&any(), &with(json!({"software_statement": "a.b.c"}))), "unapproved_software_statement");
    assert_eq!(refused(&any(), &with(json!({"software_statement": "x"}))), "invalid_software_statement");
    assert_eq!(refused(&any(), &with(json!({"software_statement": 1}))), "invalid_software_statement");
}

#[test]
fn rfc6749_4_4_a_public_client_gets_no_client_credentials_even_where_a_tier_has_them() {
    let tenant = tenant(&json!([{"name": "t", "hosts": ["*"], "grant_types": ["client_credentials"]}]));
    let machine = json!({"grant_types": ["client_credentials"], "token_endpoint_auth_method": "none"});
    assert_eq!(refused(&tenant, &machine), "invalid_client_metadata");
    assert!(ask(&tenant, &json!({"grant_types": ["client_credentials"]})).is_ok());
}

#[test]
fn a_client_is_held_to_the_tenants_profiles() {
    let mut strict = any();
    strict.profiles = vec![crate::profile::Profile::Fapi2];
    assert_eq!(refused(&strict, &with(json!({"token_endpoint_auth_method": "none"}))), "invalid_client_metadata");
}

#[test]
fn rfc7592_2_2_an_update_says_nothing_that_is_the_servers_to_say() {
    let before = ask(&any(), &with(json!({"client_name": "Before"}))).unwrap();
    let update = |change: Value| {
        let request = with(change);
        replaced(request.as_object().unwrap(), &before, |secret| secret == "right", &any())
    };
    let after = update(json!({"client_id": "id", "client_secret": "right"})).unwrap();
    assert_eq!(after.client_name.in_language("en"), "", "what is left out is taken away");
    for change in [
        json!({}),
        json!({"client_id": "other"}),
        json!({"client_id": "id", "client_secret": "wrong"}),
        json!({"client_id": "id", "client_secret": 7}),
        json!({"client_id": "id", "registration_access_token": "x"}),
        json!({"client_id": "id", "registration_client_uri": "x"}),
        json!({"client_id": "id", "client_secret_expires_at": 0}),
        json!({"client_id": "id", "client_id_issued_at": 0}),
    ] {
        assert_eq!(update(change.clone()).unwrap_err().code.as_str(), "invalid_client_metadata", "{change}");
    }
}
