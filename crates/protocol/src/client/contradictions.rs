//! What contradicts itself in the declaration of a client. Each begins with the member that it is about.

use super::auth::certificate;
use super::{AssertionAlgorithm, AuthMethod, ClientMetadata, SubjectType};
use crate::grant::GrantType;
use crate::value::RedirectUri;
use grantor_jose::{EncryptionAlgorithm, JwkSet};

impl ClientMetadata {
    /// What contradicts itself, in sentences.
    pub fn contradictions(&self) -> Vec<String> {
        let mut found = self.of_grants();
        found.extend(self.of_authentication());
        found.extend(self.of_keys());
        found.extend(self.of_profile());
        found.extend(self.federated_credentials.iter().flat_map(|credential| {
            let said = |problem| format!("federated_credentials: {}: {problem}", credential.name);
            credential.problems().into_iter().map(said)
        }));
        found
    }

    /// What is not wrong but unwise, in sentences that begin with the member.
    pub fn warnings(&self) -> Vec<String> {
        let said = |name: &str, warning| format!("federated_credentials: {name}: {warning}");
        let each = self.federated_credentials.iter();
        each.flat_map(|credential| credential.warnings().into_iter().map(|warning| said(&credential.name, warning)))
            .collect()
    }

    fn of_grants(&self) -> Vec<String> {
        let mut found = Vec::new();
        let code = self.grant_types.contains(&GrantType::AuthorizationCode);
        let device = self.grant_types.contains(&GrantType::DeviceCode);
        if code && self.redirect_uris.is_empty() {
            found.push("grant_types has authorization_code, so redirect_uris needs at least one entry".to_owned());
        }
        if self.grant_types.contains(&GrantType::ClientCredentials) && !self.is_confidential() {
            found.push(
                "grant_types has client_credentials, so token_endpoint_auth_method cannot be none (RFC 6749 4.4)"
                    .to_owned(),
            );
        }
        if self.grant_types.contains(&GrantType::RefreshToken) && !code && !device {
            found.push("grant_types has refresh_token, but no grant that gives one".to_owned());
        }
        if self.grant_types.contains(&GrantType::JwtBearer) && self.federated_credentials.is_empty() {
            found.push(
                "grant_types has the JWT bearer grant, so federated_credentials must say whose assertions are trusted"
                    .to_owned(),
            );
        }
        if self.subject_type == SubjectType::Pairwise && self.sector_identifier_uri.is_none() {
            let mut hosts: Vec<_> = self.redirect_uris.iter().filter_map(RedirectUri::host_name).collect();
            hosts.sort();
            hosts.dedup();
            if hosts.len() > 1 {
                found.push(
                    "subject_type is pairwise and redirect_uris name several hosts, so sector_identifier_uri is needed (OpenID Connect Core 8.1)"
                        .to_owned(),
                );
            }
        }
        found
    }

    fn of_authentication(&self) -> Vec<String> {
        let mut found = Vec::new();
        let keys = self.jwks.is_some() || self.jwks_uri.is_some();
        match self.token_endpoint_auth_method {
            AuthMethod::PrivateKeyJwt if !keys && self.federated_credentials.is_empty() => found.push(
                "token_endpoint_auth_method is private_key_jwt, so jwks, jwks_uri or federated_credentials is needed"
                    .to_owned(),
            ),
            AuthMethod::SelfSignedTlsClientAuth if !keys => found.push(
                "token_endpoint_auth_method is self_signed_tls_client_auth, so jwks or jwks_uri is needed (RFC 8705 2.2.2)"
                    .to_owned(),
            ),
            _ => {}
        }
        found.extend(certificate::contradictions(self));
        let jwt_bearer = self.grant_types.contains(&GrantType::JwtBearer);
        let speaks = self.token_endpoint_auth_method == AuthMethod::PrivateKeyJwt || jwt_bearer;
        if !self.federated_credentials.is_empty() && !speaks {
            found.push(
                "federated_credentials prove a client only with private_key_jwt or the JWT bearer grant".to_owned(),
            );
        }
        let mac = self.token_endpoint_auth_method == AuthMethod::ClientSecretJwt;
        match self.token_endpoint_auth_signing_alg {
            Some(AssertionAlgorithm::Mac(_)) if !mac => {
                found.push(
                    "token_endpoint_auth_signing_alg is HS256, which only client_secret_jwt signs with".to_owned(),
                );
            }
            Some(AssertionAlgorithm::Signature(_)) if mac => {
                found
                    .push("token_endpoint_auth_signing_alg needs a key, but client_secret_jwt has a secret".to_owned());
            }
            _ => {}
        }
        let mut names: Vec<&str> = self.federated_credentials.iter().map(|one| one.name.as_str()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
            found.push("federated_credentials has two of one name".to_owned());
        }
        found
    }

    fn of_keys(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.jwks.is_some() && self.jwks_uri.is_some() {
            found.push("jwks and jwks_uri exclude each other (RFC 7591 2)".to_owned());
        }
        if let Some(jwks) = &self.jwks {
            match jwks.as_object().map(JwkSet::from_members) {
                Some(Ok(set)) if set.keys.is_empty() => found.push("jwks has no key that is supported".to_owned()),
                Some(Ok(_)) => {}
                Some(Err(error)) => found.push(format!("jwks cannot be used: {error}")),
                None => found.push("jwks is not a JSON object with keys (RFC 7517 5)".to_owned()),
            }
        }
        let uris = self.jwks_uri.iter().map(|uri| ("jwks_uri", uri));
        for (name, uri) in uris.chain(self.request_uris.iter().map(|uri| ("request_uris", uri))) {
            if !uri.starts_with("https://") {
                found.push(format!("{name} needs https: {uri}"));
            }
        }
        for (name, alg, enc) in [
            ("id_token", self.id_token_encrypted_response_alg, self.id_token_encrypted_response_enc),
            ("userinfo", self.userinfo_encrypted_response_alg, self.userinfo_encrypted_response_enc),
            ("authorization", self.authorization_encrypted_response_alg, self.authorization_encrypted_response_enc),
            ("introspection", self.introspection_encrypted_response_alg, self.introspection_encrypted_response_enc),
        ] {
            let member = format!("{name}_encrypted_response_alg");
            match alg {
                Some(EncryptionAlgorithm::A128Kw | EncryptionAlgorithm::A256Kw | EncryptionAlgorithm::Dir) => {
                    found.push(format!("{member} needs a shared key; only public keys are encrypted to"));
                }
                Some(_) if self.jwks.is_none() && self.jwks_uri.is_none() => {
                    found.push(format!("{member} needs jwks or jwks_uri"));
                }
                None if enc.is_some() => found.push(format!("{name}_encrypted_response_enc needs {member}")),
                _ => {}
            }
        }
        found
    }

    fn of_profile(&self) -> Vec<String> {
        let mut found = Vec::new();
        let (profile, method) = (self.profile, self.token_endpoint_auth_method);
        if !profile.allows_auth_method(method) {
            let (method, profile) = (method.as_str(), profile.as_str());
            found.push(format!("token_endpoint_auth_method {method} does not exist in the profile {profile}"));
        }
        let assertions = match self.token_endpoint_auth_signing_alg {
            Some(AssertionAlgorithm::Signature(algorithm)) => Some(algorithm),
            _ => None,
        };
        for (name, algorithm) in [
            ("token_endpoint_auth_signing_alg", assertions),
            ("request_object_signing_alg", self.request_object_signing_alg),
            ("userinfo_signed_response_alg", self.userinfo_signed_response_alg),
            ("authorization_signed_response_alg", self.authorization_signed_response_alg),
            ("introspection_signed_response_alg", self.introspection_signed_response_alg),
        ] {
            if let Some(algorithm) = algorithm.filter(|algorithm| !profile.allows_algorithm(*algorithm)) {
                found.push(format!("{name} {algorithm} does not exist in the profile {}", profile.as_str()));
            }
        }
        let reusable = self.federated_credentials.iter().filter(|credential| profile.is_fapi2() && credential.reusable);
        found.extend(reusable.map(|credential| {
            let (name, profile) = (&credential.name, profile.as_str());
            format!("federated_credentials: {name}: reusable does not exist in the profile {profile}, where a token is good once")
        }));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;
    use crate::value::{ClientId, TenantName};
    use serde_json::json;

    fn client(change: impl FnOnce(&mut ClientMetadata)) -> Vec<String> {
        let mut client = ClientMetadata::new(TenantName::default(), ClientId::parse("a").unwrap());
        client.grant_types = vec![GrantType::ClientCredentials];
        change(&mut client);
        client.contradictions()
    }

    fn says(found: &[String], begin: &str) -> bool {
        found.len() == 1 && found[0].starts_with(begin)
    }

    #[test]
    fn rfc6749_4_4_a_public_client_has_no_client_credentials() {
        assert!(client(|_| {}).is_empty());
        assert!(says(&client(|client| client.token_endpoint_auth_method = AuthMethod::None), "grant_types"));
    }

    #[test]
    fn rfc7523_2_2_an_assertion_needs_keys() {
        let bare = client(|client| client.token_endpoint_auth_method = AuthMethod::PrivateKeyJwt);
        assert!(says(&bare, "token_endpoint_auth_method"), "{bare:?}");
        let with_keys = client(|client| {
            client.token_endpoint_auth_method = AuthMethod::PrivateKeyJwt;
            client.jwks_uri = Some("https://client/jwks".into());
        });
        assert!(with_keys.is_empty());
    }

    #[test]
    fn rfc7591_2_keys_that_cannot_be_used_are_refused_with_the_declaration() {
        for jwks in [json!([]), json!({}), json!({ "keys": [] }), json!({ "keys": [{ "kty": "oct", "k": "AA" }] })] {
            let found = client(|client| client.jwks = Some(jwks.clone()));
            assert!(says(&found, "jwks"), "{jwks} {found:?}");
        }
        assert!(says(&client(|client| client.jwks_uri = Some("http://client/jwks".into())), "jwks_uri"));
        assert!(says(&client(|client| client.request_uris = vec!["http://client/r".into()]), "request_uris"));
    }

    #[test]
    fn oidc_core_9_a_secret_that_signs_exists_in_one_profile_only() {
        let method = |profile| {
            client(|client| {
                client.token_endpoint_auth_method = AuthMethod::ClientSecretJwt;
                client.profile = profile;
            })
        };
        assert!(method(Profile::Oidc).is_empty());
        assert!(says(&method(Profile::OAuth21), "token_endpoint_auth_method"));
    }

    #[test]
    fn fapi2_security_profile_5_4_1_other_algorithms_are_refused_with_the_declaration() {
        let found = client(|client| {
            client.token_endpoint_auth_method = AuthMethod::PrivateKeyJwt;
            client.jwks_uri = Some("https://client/jwks".into());
            client.profile = Profile::Fapi2;
            client.request_object_signing_alg = Some(grantor_jose::SigningAlgorithm::Rs256);
        });
        assert!(says(&found, "request_object_signing_alg"), "{found:?}");
    }

    #[test]
    fn fapi2_security_profile_5_3_2_1_a_token_that_is_used_again_is_refused_with_the_declaration() {
        let with = |profile, reusable: bool| {
            client(|client| {
                client.token_endpoint_auth_method = AuthMethod::PrivateKeyJwt;
                client.profile = profile;
                let declared = json!({
                    "name": "cluster", "issuer": "https://cluster.example", "audience": "https://id.example",
                    "conditions": [{"claim": "sub", "equals": "system:serviceaccount:shop:nightly"}],
                    "reusable": reusable,
                });
                client.federated_credentials = vec![serde_json::from_value(declared).unwrap()];
            })
        };
        for profile in [Profile::Fapi2, Profile::Fapi2MessageSigning] {
            let found = with(profile, true);
            assert!(says(&found, "federated_credentials: cluster: reusable"), "{found:?}");
            assert!(with(profile, false).is_empty());
        }
        assert!(with(Profile::OAuth21, true).is_empty());
    }

    #[test]
    fn oidc_registration_2_an_answer_is_encrypted_to_a_public_key() {
        let with = |alg, uri: Option<&str>| {
            client(|client| {
                client.id_token_encrypted_response_alg = Some(alg);
                client.jwks_uri = uri.map(str::to_owned);
            })
        };
        assert!(with(EncryptionAlgorithm::EcdhEs, Some("https://client/jwks")).is_empty());
        assert!(says(&with(EncryptionAlgorithm::EcdhEs, None), "id_token_encrypted_response_alg"));
        assert!(says(&with(EncryptionAlgorithm::Dir, Some("https://client/jwks")), "id_token_encrypted_response_alg"));
    }

    #[test]
    fn rfc7523_2_1_the_grant_needs_somebody_who_is_trusted() {
        assert!(says(&client(|client| client.grant_types.push(GrantType::JwtBearer)), "grant_types"));
    }
}
