//! Authorization server metadata (RFC 8414 2) and OpenID Connect Discovery (3), from the same lists that the rules use.

use crate::authorize::{Display, Prompt, ResponseMode};
use crate::client::{AuthMethod, ResponseType, SubjectType};
use crate::directory::Directory;
use crate::grant::GrantType;
use crate::narrow::OPENID_SCOPES;
use crate::profile::Profile;
use crate::registration::DynamicRegistration;
use crate::userinfo::CLAIMS_OF_SCOPES;
use crate::value::Issuer;
use grantor_jose::{ContentEncryption, EncryptionAlgorithm, SigningAlgorithm};
use serde_json::{Map, Value, json};

/// The paths below the issuer. The one list; the router serves these.
pub mod path {
    #![allow(missing_docs, reason = "each is its own name")]
    pub const AUTHORIZE: &str = "/authorize";
    pub const TOKEN: &str = "/token";
    pub const PAR: &str = "/par";
    pub const DEVICE_AUTHORIZATION: &str = "/device_authorization";
    pub const DEVICE: &str = "/device";
    pub const JWKS: &str = "/jwks";
    pub const USERINFO: &str = "/userinfo";
    pub const INTROSPECT: &str = "/introspect";
    pub const PROTECTED_RESOURCE: &str = "/protected-resource";
    pub const FORWARD_AUTH: &str = "/forward-auth";
    pub const REVOKE: &str = "/revoke";
    pub const SIGN_OUT: &str = "/signout";
    pub const REGISTER: &str = "/register";
    pub const STATUS_LISTS: &str = "/status-lists";
}

/// What the server has besides the directory.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facilities<'a> {
    /// The algorithms that it has signing keys for.
    pub signing: &'a [SigningAlgorithm],
    /// The algorithms in which something can be encrypted to it.
    pub encryption: &'a [EncryptionAlgorithm],
    /// The languages of its pages.
    pub languages: &'a [&'a str],
    /// The issuer's address at the listener for mutual TLS, when there is one.
    pub mtls: Option<&'a str>,
    /// Whether a client's certificate can be known at all.
    pub certificates: bool,
}

/// The document of a tenant.
pub fn document(issuer: &Issuer, directory: &Directory, facilities: &Facilities<'_>) -> Map<String, Value> {
    let profiles = &directory.tenant.profiles;
    let any = |allows: &dyn Fn(Profile) -> bool| profiles.iter().any(|profile| allows(*profile));
    let all = |wants: &dyn Fn(Profile) -> bool| !profiles.is_empty() && profiles.iter().all(|profile| wants(*profile));
    let methods: Vec<AuthMethod> = AuthMethod::ALL
        .into_iter()
        .filter(|method| any(&|profile| profile.allows_auth_method(*method)))
        .filter(|method| facilities.certificates || !method.needs_certificate())
        .collect();
    let signed_only = all(&Profile::requires_signed_responses);
    let modes = ResponseMode::ALL.into_iter().filter(|mode| mode.is_signed() || !signed_only);
    let modes: Vec<&str> = modes.map(ResponseMode::as_str).collect();
    let names = |keep: &dyn Fn(AuthMethod) -> bool| -> Vec<&str> {
        methods.iter().filter(|method| keep(**method)).map(|method| method.as_str()).collect()
    };
    let algorithms = |among: &[SigningAlgorithm]| -> Vec<SigningAlgorithm> {
        among.iter().copied().filter(|algorithm| any(&|profile| profile.allows_algorithm(*algorithm))).collect()
    };
    let (verified, signing) = (algorithms(SigningAlgorithm::ALL), algorithms(facilities.signing));
    let mut assertions: Vec<&str> = verified.iter().map(|algorithm| algorithm.as_str()).collect();
    if methods.contains(&AuthMethod::ClientSecretJwt) {
        assertions.push("HS256");
    }
    let mut scopes: Vec<String> = OPENID_SCOPES.iter().map(|scope| (*scope).to_owned()).collect();
    scopes.extend(directory.apis().flat_map(|api| api.scopes.iter().map(|scope| scope.name.to_string())));
    scopes.sort_unstable();
    scopes.dedup();
    let mut details: Vec<&str> = directory
        .apis()
        .flat_map(|api| api.authorization_details_types.iter().map(|kind| kind.name.as_str()))
        .collect();
    details.sort_unstable();
    details.dedup();
    let claims: Vec<&str> = ["sub", "iss", "aud", "auth_time", "acr", "amr", "nonce", "sid"]
        .into_iter()
        .chain(CLAIMS_OF_SCOPES.iter().flat_map(|(_, claims)| claims.iter().copied()))
        .collect();
    let mut document = object(json!({
        "issuer": issuer,
        "authorization_endpoint": issuer.endpoint(path::AUTHORIZE),
        "token_endpoint": issuer.endpoint(path::TOKEN),
        "pushed_authorization_request_endpoint": issuer.endpoint(path::PAR),
        "device_authorization_endpoint": issuer.endpoint(path::DEVICE_AUTHORIZATION),
        "jwks_uri": issuer.endpoint(path::JWKS),
        "userinfo_endpoint": issuer.endpoint(path::USERINFO),
        "introspection_endpoint": issuer.endpoint(path::INTROSPECT),
        "revocation_endpoint": issuer.endpoint(path::REVOKE),
        "end_session_endpoint": issuer.endpoint(path::SIGN_OUT),
        "scopes_supported": scopes,
        "response_types_supported": ResponseType::ALL.map(ResponseType::as_str),
        "response_modes_supported": modes,
        "grant_types_supported": GrantType::ALL.map(GrantType::as_str),
        "subject_types_supported": SubjectType::ALL.map(SubjectType::as_str),
        "token_endpoint_auth_methods_supported": names(&|_| true),
        "token_endpoint_auth_signing_alg_values_supported": assertions,
        "introspection_endpoint_auth_methods_supported": names(&AuthMethod::is_confidential),
        "introspection_endpoint_auth_signing_alg_values_supported": assertions,
        "revocation_endpoint_auth_methods_supported": names(&|_| true),
        "revocation_endpoint_auth_signing_alg_values_supported": assertions,
        "code_challenge_methods_supported": ["S256"],
        "dpop_signing_alg_values_supported": verified,
        "id_token_signing_alg_values_supported": signing,
        "userinfo_signing_alg_values_supported": signing,
        "authorization_signing_alg_values_supported": signing,
        "introspection_signing_alg_values_supported": signing,
        "request_object_signing_alg_values_supported": verified,
        "request_object_encryption_alg_values_supported": facilities.encryption,
        "request_object_encryption_enc_values_supported": ContentEncryption::ALL,
        "authorization_response_iss_parameter_supported": crate::defended!("iss", true, false),
    }));
    document.extend(object(json!({
        "prompt_values_supported": Prompt::ALL,
        "display_values_supported": Display::ALL.map(|(_, name)| name),
        "claim_types_supported": ["normal"],
        "claims_supported": claims,
        "acr_values_supported": [crate::metadata::ACR_PASSWORD],
        "ui_locales_supported": facilities.languages,
        "claims_parameter_supported": true,
        "request_parameter_supported": true,
        "request_uri_parameter_supported": true,
        "require_request_uri_registration": true,
        "require_pushed_authorization_requests": all(&Profile::requires_pushed_requests),
        "require_signed_request_object": all(&Profile::requires_signed_requests),
        "tls_client_certificate_bound_access_tokens": facilities.certificates,
    })));
    for kind in ["id_token", "userinfo", "authorization", "introspection"] {
        document.insert(format!("{kind}_encryption_alg_values_supported"), json!(ENCRYPTED_TO_CLIENTS));
        document.insert(format!("{kind}_encryption_enc_values_supported"), json!(ContentEncryption::ALL));
    }
    let registration = &directory.tenant.registration;
    if registration.dynamic != DynamicRegistration::Off {
        document.insert("registration_endpoint".to_owned(), json!(issuer.endpoint(path::REGISTER)));
    }
    if registration.metadata_documents {
        document.insert("client_id_metadata_document_supported".to_owned(), true.into());
    }
    if !details.is_empty() {
        document.insert("authorization_details_types_supported".to_owned(), json!(details));
    }
    if let Some(base) = facilities.mtls {
        let alias = |path: &str| format!("{}{path}", base.trim_end_matches('/'));
        let aliases = json!({
            "token_endpoint": alias(path::TOKEN),
            "pushed_authorization_request_endpoint": alias(path::PAR),
            "device_authorization_endpoint": alias(path::DEVICE_AUTHORIZATION),
            "userinfo_endpoint": alias(path::USERINFO),
            "introspection_endpoint": alias(path::INTROSPECT),
            "revocation_endpoint": alias(path::REVOKE),
        });
        document.insert("mtls_endpoint_aliases".to_owned(), aliases);
    }
    document
}

/// In which ways the key of what is encrypted to a client can be wrapped: to its public key, never to its secret, of
/// which only a hash is kept.
const ENCRYPTED_TO_CLIENTS: [EncryptionAlgorithm; 5] = [
    EncryptionAlgorithm::EcdhEs,
    EncryptionAlgorithm::EcdhEsA128Kw,
    EncryptionAlgorithm::EcdhEsA256Kw,
    EncryptionAlgorithm::RsaOaep256,
    EncryptionAlgorithm::RsaOaep,
];

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// `acr` of a sign-in with a password: one factor.
pub const ACR_PASSWORD: &str = "urn:grantor:acr:password";

/// Both documents of an issuer are found at these paths of its origin: RFC 8414 3.1 inserts the well-known part before the
/// issuer's path, OpenID Connect Discovery 4 appends it.
pub fn well_known_paths(issuer_path: &str) -> [String; 3] {
    [
        format!("/.well-known/oauth-authorization-server{issuer_path}"),
        format!("{issuer_path}/.well-known/openid-configuration"),
        format!("/.well-known/openid-configuration{issuer_path}"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::UserClaims;
    use crate::narrow::tests::{directory, issuer};
    use std::sync::Arc;

    #[test]
    fn rfc8414_2_every_list_is_the_one_that_the_rules_use() {
        let signing = [SigningAlgorithm::Es256, SigningAlgorithm::Rs256];
        let facilities = Facilities { signing: &signing, languages: &["en"], ..Facilities::default() };
        let document = document(&issuer(), &directory("[]"), &facilities);
        assert!(document.get("mtls_endpoint_aliases").is_none());
        assert_eq!(document["grant_types_supported"].as_array().unwrap().len(), GrantType::ALL.len());
        assert_eq!(document["token_endpoint"], "https://id.example/token");
        assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
        assert!(document["scopes_supported"].as_array().unwrap().contains(&json!("notes:read")));
        let introspection = document["introspection_endpoint_auth_methods_supported"].as_array().unwrap();
        assert!(!introspection.contains(&json!("none")));
    }

    #[test]
    fn rfc8705_5_the_endpoints_for_mutual_tls_are_announced() {
        let facilities = Facilities { mtls: Some("https://mtls.example"), certificates: true, ..Facilities::default() };
        let document = document(&issuer(), &directory("[]"), &facilities);
        assert_eq!(document["mtls_endpoint_aliases"]["token_endpoint"], "https://mtls.example/token");
        assert_eq!(document["tls_client_certificate_bound_access_tokens"], true);
        let methods = document["token_endpoint_auth_methods_supported"].as_array().unwrap();
        assert!(methods.contains(&json!("tls_client_auth")));
    }

    #[test]
    fn fapi2_security_profile_5_3_2_the_metadata_of_a_tenant_follow_its_profiles() {
        let mut directory = directory("[]");
        Arc::make_mut(&mut directory.tenant).profiles = vec![Profile::Fapi2];
        let facilities = Facilities { certificates: true, signing: SigningAlgorithm::ALL, ..Facilities::default() };
        let document = document(&issuer(), &directory, &facilities);
        assert_eq!(document["require_pushed_authorization_requests"], true);
        for endpoint in ["token", "introspection", "revocation"] {
            assert_eq!(
                document[&format!("{endpoint}_endpoint_auth_methods_supported")],
                json!(["private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"])
            );
        }
        for list in ["id_token_signing_alg_values_supported", "dpop_signing_alg_values_supported"] {
            assert!(!document[list].as_array().unwrap().contains(&json!("RS256")), "{list}");
        }
    }

    #[test]
    fn fapi2_message_signing_5_4_1_a_response_mode_that_is_refused_is_not_announced() {
        let mut directory = directory("[]");
        let mut modes = |profiles: &[Profile]| {
            Arc::make_mut(&mut directory.tenant).profiles = profiles.to_vec();
            document(&issuer(), &directory, &Facilities::default())["response_modes_supported"].clone()
        };
        assert_eq!(modes(&[Profile::Fapi2MessageSigning]), json!(["jwt", "query.jwt", "form_post.jwt"]));
        let all = json!(ResponseMode::ALL.map(ResponseMode::as_str));
        assert_eq!(modes(&[Profile::Fapi2, Profile::Fapi2MessageSigning]), all);
        assert_eq!(modes(&[Profile::Fapi2]), all);
    }

    #[test]
    fn rfc8414_2_registration_is_announced_where_it_is_on() {
        let mut directory = directory("[]");
        let off = document(&issuer(), &directory, &Facilities::default());
        assert!(!off.contains_key("registration_endpoint"));
        assert!(!off.contains_key("client_id_metadata_document_supported"));
        let policy = &mut Arc::make_mut(&mut directory.tenant).registration;
        policy.dynamic = DynamicRegistration::InitialAccessToken;
        policy.metadata_documents = true;
        let on = document(&issuer(), &directory, &Facilities::default());
        assert_eq!(on["registration_endpoint"], "https://id.example/register");
        assert_eq!(on["client_id_metadata_document_supported"], true);
    }

    #[test]
    fn rfc6749_2_1_a_tenant_with_a_profile_for_public_clients_announces_them() {
        let mut directory = directory("[]");
        Arc::make_mut(&mut directory.tenant).profiles = vec![Profile::Fapi2, Profile::OAuth21];
        let document = document(&issuer(), &directory, &Facilities::default());
        assert!(document["token_endpoint_auth_methods_supported"].as_array().unwrap().contains(&json!("none")));
    }

    #[test]
    fn oidc_discovery_3_every_claim_that_a_scope_gives_is_a_field_of_the_user() {
        let all: UserClaims = serde_json::from_value(json!({
            "name":"a","family_name":"a","given_name":"a","middle_name":"a","nickname":"a","preferred_username":"a",
            "profile":"a","picture":"a","website":"a","gender":"a","birthdate":"a","zoneinfo":"a","locale":"a",
            "updated_at":1,"email":"a","email_verified":true,"address":{},"phone_number":"a","phone_number_verified":true
        }))
        .unwrap();
        let map = all.to_map();
        for (_, claims) in CLAIMS_OF_SCOPES {
            for claim in claims {
                assert!(map.contains_key(*claim), "{claim}");
            }
        }
    }

    #[test]
    fn rfc8414_3_1_a_tenant_is_found_at_both_forms() {
        let paths = well_known_paths("/t/acme");
        assert_eq!(paths[0], "/.well-known/oauth-authorization-server/t/acme");
        assert_eq!(paths[1], "/t/acme/.well-known/openid-configuration");
    }
}
