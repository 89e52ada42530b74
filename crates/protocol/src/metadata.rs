//! Authorization server metadata (RFC 8414 2) and OpenID Connect Discovery (3), from the same lists that the rules use.

use crate::authorize::{Display, Prompt, ResponseMode};
use crate::client::{AuthMethod, ResponseType, SubjectType};
use crate::directory::Directory;
use crate::grant::GrantType;
use crate::narrow::OPENID_SCOPES;
use crate::userinfo::CLAIMS_OF_SCOPES;
use crate::value::Issuer;
use grantor_jose::SigningAlgorithm;
use serde_json::{Map, Value, json};

/// The paths below the issuer. The one list; the router serves these.
pub mod path {
    #![allow(missing_docs, reason = "each is its own name")]
    pub const AUTHORIZE: &str = "/authorize";
    pub const TOKEN: &str = "/token";
    pub const JWKS: &str = "/jwks";
    pub const USERINFO: &str = "/userinfo";
    pub const INTROSPECT: &str = "/introspect";
    pub const REVOKE: &str = "/revoke";
    pub const SIGN_OUT: &str = "/signout";
}

/// The document of a tenant. `signing` are the algorithms for which it has keys, `languages` those of its pages.
pub fn document(
    issuer: &Issuer,
    directory: &Directory,
    signing: &[SigningAlgorithm],
    languages: &[&str],
) -> Map<String, Value> {
    let names = |methods: &[AuthMethod]| methods.iter().map(|method| method.as_str()).collect::<Vec<_>>();
    let confidential: Vec<_> = AuthMethod::ALL.into_iter().filter(|method| method.is_confidential()).collect();
    let mut scopes: Vec<String> = OPENID_SCOPES.iter().map(|scope| (*scope).to_owned()).collect();
    scopes.extend(directory.apis().flat_map(|api| api.scopes.iter().map(|scope| scope.name.to_string())));
    scopes.sort_unstable();
    scopes.dedup();
    let claims: Vec<&str> = ["sub", "iss", "aud", "auth_time", "acr", "amr", "nonce", "sid"]
        .into_iter()
        .chain(CLAIMS_OF_SCOPES.iter().flat_map(|(_, claims)| claims.iter().copied()))
        .collect();
    let document = json!({
        "issuer": issuer,
        "authorization_endpoint": issuer.endpoint(path::AUTHORIZE),
        "token_endpoint": issuer.endpoint(path::TOKEN),
        "jwks_uri": issuer.endpoint(path::JWKS),
        "userinfo_endpoint": issuer.endpoint(path::USERINFO),
        "introspection_endpoint": issuer.endpoint(path::INTROSPECT),
        "revocation_endpoint": issuer.endpoint(path::REVOKE),
        "end_session_endpoint": issuer.endpoint(path::SIGN_OUT),
        "scopes_supported": scopes,
        "response_types_supported": ResponseType::ALL.map(ResponseType::as_str),
        "response_modes_supported": ResponseMode::ALL.map(ResponseMode::as_str),
        "grant_types_supported": GrantType::ALL.map(GrantType::as_str),
        "subject_types_supported": SubjectType::ALL.map(SubjectType::as_str),
        "token_endpoint_auth_methods_supported": names(&AuthMethod::ALL),
        "introspection_endpoint_auth_methods_supported": names(&confidential),
        "revocation_endpoint_auth_methods_supported": names(&AuthMethod::ALL),
        "code_challenge_methods_supported": ["S256"],
        "id_token_signing_alg_values_supported": signing,
        "userinfo_signing_alg_values_supported": signing,
        "prompt_values_supported": Prompt::ALL,
        "display_values_supported": Display::ALL.map(|(_, name)| name),
        "claim_types_supported": ["normal"],
        "claims_supported": claims,
        "acr_values_supported": [crate::metadata::ACR_PASSWORD],
        "ui_locales_supported": languages,
        "claims_parameter_supported": true,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "authorization_response_iss_parameter_supported": true,
    });
    match document {
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

    #[test]
    fn rfc8414_2_every_list_is_the_one_that_the_rules_use() {
        let document =
            document(&issuer(), &directory("[]"), &[SigningAlgorithm::Es256, SigningAlgorithm::Rs256], &["en"]);
        assert_eq!(document["grant_types_supported"].as_array().unwrap().len(), GrantType::ALL.len());
        assert_eq!(document["token_endpoint"], "https://id.example/token");
        assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
        assert!(document["scopes_supported"].as_array().unwrap().contains(&json!("notes:read")));
        let introspection = document["introspection_endpoint_auth_methods_supported"].as_array().unwrap();
        assert!(!introspection.contains(&json!("none")));
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
