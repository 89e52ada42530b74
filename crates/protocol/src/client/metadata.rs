//! What a client is, in the names of RFC 7591 2 and OpenID Connect Dynamic Client Registration 2.

use super::federated::FederatedCredential;
use super::{AssertionAlgorithm, AuthMethod, SecretHash, StoredSecret};
use crate::grant::GrantType;
use crate::made::Made;
use crate::profile::Profile;
use crate::registration::Origin;
use crate::value::{ClientId, RedirectUri, Resource, Scope, TenantName, Text, UnixTime, look_at};
use grantor_jose::{ContentEncryption, EncryptionAlgorithm, JwkSet, SigningAlgorithm};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::{Arc, LazyLock};

/// A client and what only the server knows of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Client {
    /// What was declared.
    pub metadata: ClientMetadata,
    /// Its secrets; two may overlap while one is rotated.
    #[serde(default)]
    pub secrets: Vec<StoredSecret>,
    /// `client_id_issued_at` (RFC 7591 3.2.1).
    pub issued_at: UnixTime,
}

/// What a client without a name of its own is, as it is written: what a stored one is the same in is left out of it.
static DEFAULTS: LazyLock<serde_json::Map<String, Value>> = LazyLock::new(|| {
    let nobody = ClientId::parse("nobody").map(|id| ClientMetadata::new(TenantName::default(), id));
    let written = nobody.and_then(|metadata| serde_json::to_value(metadata).ok());
    let mut defaults = written.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
    // Whoever looks for keys that are needed looks for its value in the text.
    defaults.retain(|name, _| name != "client_id" && name != "id_token_signed_response_alg");
    defaults
});

impl Client {
    /// Reads what authenticating it will read, in places that do not wait for each other: see `Tenancy::look_around`. What
    /// it gives means nothing.
    pub(crate) fn look_around(&self) -> usize {
        let metadata = &self.metadata;
        let secret = self.secrets.first().map_or(0, |secret| match &secret.hash {
            SecretHash::Sha256(text) | SecretHash::Phc(text) | SecretHash::Sealed(text) => look_at(text.as_bytes()),
        });
        let grant_type = metadata.grant_types.first().map_or(0, |grant_type| grant_type.as_str().len());
        let scope = metadata.scope.as_ref().map_or(0, |scope| usize::from(scope.is_empty()));
        let flags = [metadata.disabled, metadata.dpop_bound_access_tokens, metadata.reach.is_some()];
        let flags = flags.into_iter().map(usize::from).sum::<usize>() ^ metadata.profile as usize;
        let method = metadata.token_endpoint_auth_method as usize ^ usize::from(metadata.origin.is_declared());
        secret ^ grant_type ^ scope ^ flags ^ method ^ look_at(metadata.client_id.as_str().as_bytes())
    }

    /// As it is stored: without the defaults, which are a third of what is written of most clients. A server holds the
    /// text of all its clients in memory.
    pub fn stored(&self) -> Result<Value, serde_json::Error> {
        let mut written = serde_json::to_value(self)?;
        if let Some(metadata) = written.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.retain(|name, value| DEFAULTS.get(name) != Some(value));
        }
        Ok(written)
    }
}

/// What is declared of a client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientMetadata {
    /// The tenant that it belongs to.
    #[serde(default)]
    pub tenant: TenantName,
    /// Its identifier.
    pub client_id: ClientId,
    /// What the user is shown.
    #[serde(default)]
    pub client_name: Text,
    /// Its home page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    /// Its logo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    /// Its privacy policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    /// Its terms of service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    /// Whom to ask.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    /// Where users are sent back to.
    #[serde(default)]
    pub redirect_uris: Vec<RedirectUri>,
    /// Where users are sent after signing out (OpenID Connect RP-Initiated Logout 3.1).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// The grants that it may use.
    #[serde(default = "default_grant_types")]
    pub grant_types: Vec<GrantType>,
    /// The responses that it may ask for.
    #[serde(default = "default_response_types")]
    pub response_types: Vec<ResponseType>,
    /// How it authenticates.
    #[serde(default)]
    pub token_endpoint_auth_method: AuthMethod,
    /// The scopes that it may ask for; absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// Its keys by value (RFC 7517 5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
    /// The same, read when they are first needed: see [`Self::keys_by_value`].
    #[serde(skip)]
    pub key_set: Made<Option<Arc<JwkSet>>>,
    /// Its keys by reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// Web or native.
    #[serde(default)]
    pub application_type: ApplicationType,
    /// Whether `sub` is the same for every client (OpenID Connect Core 8).
    #[serde(default)]
    pub subject_type: SubjectType,
    /// Clients with the same one share pairwise subjects (OpenID Connect Core 8.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sector_identifier_uri: Option<String>,
    /// What its ID tokens are signed with.
    #[serde(default = "default_id_token_alg")]
    pub id_token_signed_response_alg: SigningAlgorithm,
    /// When present, userinfo is a signed JWT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo_signed_response_alg: Option<SigningAlgorithm>,
    /// `max_age` when a request has none, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<u32>,
    /// Whether every ID token carries `auth_time`. (All of Grantor's do.)
    #[serde(default)]
    pub require_auth_time: bool,
    /// The identifier of the software (RFC 7591 2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_id: Option<String>,
    /// Its version (RFC 7591 2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_version: Option<String>,
    /// What its assertions must be signed with; absent: any that fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_signing_alg: Option<AssertionAlgorithm>,
    /// The subject of its certificate, as RFC 4514 writes it (RFC 8705 2.1.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_subject_dn: Option<String>,
    /// The DNS name of its certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_dns: Option<String>,
    /// The URI of its certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_uri: Option<String>,
    /// The IP address of its certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_ip: Option<String>,
    /// The e-mail address of its certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_auth_san_email: Option<String>,
    /// Whether its access tokens are bound to its certificate (RFC 8705 3.4).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tls_client_certificate_bound_access_tokens: bool,
    /// Whether it always sends a DPoP proof for its tokens (RFC 9449 5.2).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dpop_bound_access_tokens: bool,
    /// Whether it may ask for authorization by pushed requests only (RFC 9126 6).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub require_pushed_authorization_requests: bool,
    /// Whether it may ask for authorization by signed requests only (RFC 9101 10.5).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub require_signed_request_object: bool,
    /// What its request objects must be signed with; absent: any that fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_object_signing_alg: Option<SigningAlgorithm>,
    /// How the keys of its encrypted request objects are wrapped; absent: as it likes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_object_encryption_alg: Option<EncryptionAlgorithm>,
    /// What its encrypted request objects are encrypted with; absent: as it likes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_object_encryption_enc: Option<ContentEncryption>,
    /// Where its request objects may be fetched from (OpenID Connect Dynamic Client Registration 2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub request_uris: Vec<String>,
    /// What its signed authorization responses are signed with (JARM 3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_signed_response_alg: Option<SigningAlgorithm>,
    /// How the key of its authorization responses is wrapped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_encrypted_response_alg: Option<EncryptionAlgorithm>,
    /// What its authorization responses are encrypted with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_encrypted_response_enc: Option<ContentEncryption>,
    /// How the key of its ID tokens is wrapped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_encrypted_response_alg: Option<EncryptionAlgorithm>,
    /// What its ID tokens are encrypted with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_encrypted_response_enc: Option<ContentEncryption>,
    /// How the key of userinfo is wrapped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo_encrypted_response_alg: Option<EncryptionAlgorithm>,
    /// What userinfo is encrypted with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo_encrypted_response_enc: Option<ContentEncryption>,
    /// What introspection answers are signed with when it asks for a JWT (RFC 9701 6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection_signed_response_alg: Option<SigningAlgorithm>,
    /// How the key of introspection answers is wrapped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection_encrypted_response_alg: Option<EncryptionAlgorithm>,
    /// What introspection answers are encrypted with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection_encrypted_response_enc: Option<ContentEncryption>,
    /// The types of authorization details that it may ask for (RFC 9396 10); absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_details_types: Option<Vec<String>>,
    /// The tokens of other issuers that speak for it: with `private_key_jwt`, and for the JWT bearer grant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub federated_credentials: Vec<FederatedCredential>,
    /// How strict the server is with it.
    #[serde(default)]
    pub profile: Profile,
    /// Whether the user is asked. `false` is for the operator's own applications.
    #[serde(default = "yes")]
    pub require_consent: bool,
    /// Whether it is switched off, and its tokens with it.
    #[serde(default)]
    pub disabled: bool,
    /// How it came to be.
    #[serde(default, skip_serializing_if = "Origin::is_declared")]
    pub origin: Origin,
    /// The APIs that the policy for clients that nobody declared lets it reach; absent: any. See [`Self::may_reach`].
    #[serde(skip)]
    pub reach: Option<Vec<Resource>>,
}

/// `response_type` (RFC 6749 3.1.1). The one list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseType {
    /// An authorization code.
    Code,
}

/// `application_type` (OpenID Connect Dynamic Client Registration 2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ApplicationType {
    /// Runs on a server or in a browser.
    #[default]
    Web,
    /// Runs on the user's own machine.
    Native,
}

/// `subject_type` (OpenID Connect Core 8). The one list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubjectType {
    /// The same `sub` for every client.
    #[default]
    Public,
    /// A `sub` per sector.
    Pairwise,
}

impl ResponseType {
    /// Every response type.
    pub const ALL: [Self; 1] = [Self::Code];

    /// Its registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
        }
    }
}

impl SubjectType {
    /// Every subject type.
    pub const ALL: [Self; 2] = [Self::Public, Self::Pairwise];

    /// Its registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Pairwise => "pairwise",
        }
    }
}

impl ClientMetadata {
    /// A client with the defaults of RFC 7591 2.
    pub fn new(tenant: TenantName, client_id: ClientId) -> Self {
        Self {
            tenant,
            client_id,
            client_name: Text::default(),
            client_uri: None,
            logo_uri: None,
            policy_uri: None,
            tos_uri: None,
            contacts: Vec::new(),
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            grant_types: default_grant_types(),
            response_types: default_response_types(),
            token_endpoint_auth_method: AuthMethod::default(),
            scope: None,
            jwks: None,
            key_set: Made::default(),
            jwks_uri: None,
            application_type: ApplicationType::default(),
            subject_type: SubjectType::default(),
            sector_identifier_uri: None,
            id_token_signed_response_alg: default_id_token_alg(),
            userinfo_signed_response_alg: None,
            default_max_age: None,
            require_auth_time: false,
            software_id: None,
            software_version: None,
            token_endpoint_auth_signing_alg: None,
            tls_client_auth_subject_dn: None,
            tls_client_auth_san_dns: None,
            tls_client_auth_san_uri: None,
            tls_client_auth_san_ip: None,
            tls_client_auth_san_email: None,
            tls_client_certificate_bound_access_tokens: false,
            dpop_bound_access_tokens: false,
            require_pushed_authorization_requests: false,
            require_signed_request_object: false,
            request_object_signing_alg: None,
            request_object_encryption_alg: None,
            request_object_encryption_enc: None,
            request_uris: Vec::new(),
            authorization_signed_response_alg: None,
            authorization_encrypted_response_alg: None,
            authorization_encrypted_response_enc: None,
            id_token_encrypted_response_alg: None,
            id_token_encrypted_response_enc: None,
            userinfo_encrypted_response_alg: None,
            userinfo_encrypted_response_enc: None,
            introspection_signed_response_alg: None,
            introspection_encrypted_response_alg: None,
            introspection_encrypted_response_enc: None,
            authorization_details_types: None,
            federated_credentials: Vec::new(),
            profile: Profile::default(),
            require_consent: true,
            disabled: false,
            origin: Origin::Declared,
            reach: None,
        }
    }

    /// Whether it may ask for anything of an API at all.
    pub fn may_reach(&self, api: &Resource) -> bool {
        self.reach.as_ref().is_none_or(|reach| reach.contains(api))
    }

    /// Whether any program on the user's machine could be this client: it proves nothing, and every answer goes to the
    /// machine itself (RFC 8252 8.6).
    pub fn is_local_only(&self) -> bool {
        !self.is_confidential()
            && !self.redirect_uris.is_empty()
            && self.redirect_uris.iter().all(RedirectUri::is_loopback)
    }

    /// What the user is shown: its name, or its identifier when it has none.
    pub fn display_name<'a>(&'a self, language: &str) -> &'a str {
        match self.client_name.in_language(language) {
            "" => self.client_id.as_str(),
            name => name,
        }
    }

    /// The keys of `jwks`, read once; none when there are none, or none that can be used.
    pub fn keys_by_value(&self) -> Option<&Arc<JwkSet>> {
        let jwks = self.jwks.as_ref()?;
        self.key_set.get_or_make(|| read_key_set(jwks)).as_ref()
    }

    /// Confidential or public (RFC 6749 2.1).
    pub fn is_confidential(&self) -> bool {
        self.token_endpoint_auth_method.is_confidential()
    }

    /// What an answer to it is signed with: as it is registered, where its profile has that; else what its profile has.
    pub fn response_algorithm(&self, registered: Option<SigningAlgorithm>) -> SigningAlgorithm {
        registered
            .or(Some(SigningAlgorithm::Rs256))
            .filter(|algorithm| self.profile.allows_algorithm(*algorithm))
            .unwrap_or(SigningAlgorithm::Es256)
    }
}

pub(super) fn read_key_set(jwks: &Value) -> Option<Arc<JwkSet>> {
    JwkSet::from_members(jwks.as_object()?).ok().map(Arc::new)
}

fn default_grant_types() -> Vec<GrantType> {
    vec![GrantType::AuthorizationCode]
}

fn default_response_types() -> Vec<ResponseType> {
    vec![ResponseType::Code]
}

fn default_id_token_alg() -> SigningAlgorithm {
    SigningAlgorithm::Rs256
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rfc7591_2_the_defaults() {
        let client: ClientMetadata = serde_json::from_str(r#"{"client_id":"a"}"#).unwrap();
        assert_eq!(client, ClientMetadata::new(TenantName::default(), ClientId::parse("a").unwrap()));
        assert_eq!(client.grant_types, [GrantType::AuthorizationCode]);
        assert_eq!(client.token_endpoint_auth_method, AuthMethod::ClientSecretBasic);
        assert!(serde_json::from_str::<ClientMetadata>(r#"{"client_id":"a","redirect_uri":[]}"#).is_err());
    }

    fn stored(change: impl FnOnce(&mut ClientMetadata)) -> Value {
        let mut metadata = ClientMetadata::new(TenantName::default(), ClientId::parse("a").unwrap());
        change(&mut metadata);
        let client = Client { metadata, secrets: Vec::new(), issued_at: UnixTime::new(1) };
        let stored = client.stored().unwrap();
        assert_eq!(serde_json::from_value::<Client>(stored.clone()).unwrap(), client);
        stored["metadata"].clone()
    }

    #[test]
    fn what_is_not_stored_is_a_default_and_nothing_else_is_left_out() {
        let nothing = json!({"client_id": "a", "id_token_signed_response_alg": "RS256"});
        assert_eq!(stored(|_| {}), nothing);
        let other = stored(|client| {
            client.tenant = TenantName::parse("acme").unwrap();
            client.redirect_uris = vec![RedirectUri::parse("https://app.example/cb").unwrap()];
            client.grant_types = vec![GrantType::ClientCredentials];
            client.response_types = Vec::new();
            client.token_endpoint_auth_method = AuthMethod::None;
            client.application_type = ApplicationType::Native;
            client.subject_type = SubjectType::Pairwise;
            client.id_token_signed_response_alg = SigningAlgorithm::Es256;
            client.require_auth_time = true;
            client.profile = Profile::Oidc;
            client.require_consent = false;
            client.disabled = true;
        });
        assert_eq!(other.as_object().unwrap().len(), 13);
    }

    /// Clients that were stored mean this by what is not there: another default needs a migration.
    #[test]
    fn the_defaults_are_part_of_what_is_stored() {
        let defaults = json!({
            "tenant": "default", "client_name": "", "redirect_uris": [], "grant_types": ["authorization_code"],
            "response_types": ["code"], "token_endpoint_auth_method": "client_secret_basic", "application_type": "web",
            "subject_type": "public", "require_auth_time": false, "profile": "oauth2.1", "require_consent": true,
            "disabled": false,
        });
        assert_eq!(Value::Object(DEFAULTS.clone()), defaults);
    }

    #[test]
    fn names_on_the_wire_are_those_of_serde() {
        for method in AuthMethod::ALL {
            assert_eq!(serde_json::to_value(method).unwrap(), method.as_str());
        }
        for response in ResponseType::ALL {
            assert_eq!(serde_json::to_value(response).unwrap(), response.as_str());
        }
        for subject in SubjectType::ALL {
            assert_eq!(serde_json::to_value(subject).unwrap(), subject.as_str());
        }
    }
}
