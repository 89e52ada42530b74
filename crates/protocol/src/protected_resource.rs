//! An API: what it says of itself (RFC 9728), one document whether the API serves it or the authorization server; where it
//! finds a token, what it wants of one, and how it refuses, whether it asks itself or has a proxy ask.

mod challenge;
mod credential;
mod requirement;

pub use challenge::{ResourceError, Voice, challenges};
pub use credential::{NoCredential, Scheme, credential, is_token68};
pub use requirement::{Held, Requirement, Shortfall};

use crate::directory::{Api, Directory, RequiredBinding};
use crate::value::Issuer;
use grantor_jose::SigningAlgorithm;
use serde::Serialize;
use url::Url;

/// What the path of the document begins with (RFC 9728 3).
pub const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// Protected resource metadata (RFC 9728 2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProtectedResource {
    /// The API's identifier: its audience.
    pub resource: String,
    /// Whose tokens it takes.
    pub authorization_servers: Vec<String>,
    /// What may be asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes_supported: Vec<String>,
    /// How a token may be sent: `header`, and `body` where that is switched on.
    pub bearer_methods_supported: Vec<&'static str>,
    /// What a DPoP proof may be signed with.
    pub dpop_signing_alg_values_supported: Vec<SigningAlgorithm>,
    /// Whether every token must be bound to a key by DPoP.
    #[serde(skip_serializing_if = "is_false")]
    pub dpop_bound_access_tokens_required: bool,
    /// Whether every token must be bound to a certificate.
    #[serde(skip_serializing_if = "is_false")]
    pub tls_client_certificate_bound_access_tokens: bool,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
    /// A page for developers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_documentation: Option<String>,
}

impl ProtectedResource {
    /// The document of an API with this audience, and nothing said yet of what is optional.
    pub fn new(audience: &str, issuer: &str) -> Self {
        Self {
            resource: audience.to_owned(),
            authorization_servers: vec![issuer.to_owned()],
            scopes_supported: Vec::new(),
            bearer_methods_supported: vec!["header"],
            dpop_signing_alg_values_supported: SigningAlgorithm::ALL.to_vec(),
            dpop_bound_access_tokens_required: false,
            tls_client_certificate_bound_access_tokens: false,
            resource_name: None,
            resource_documentation: None,
        }
    }

    /// What every token must be bound to shows here.
    #[must_use]
    pub fn bound_by(mut self, binding: RequiredBinding) -> Self {
        self.dpop_bound_access_tokens_required = binding == RequiredBinding::Dpop;
        self.tls_client_certificate_bound_access_tokens = binding == RequiredBinding::Mtls;
        self
    }

    /// The document of a declared API: from the same record as `aud`, consent and introspection.
    pub fn of(api: &Api, issuer: &Issuer, directory: &Directory) -> Self {
        let profiles = &directory.tenant.profiles;
        let verified = |algorithm: &&SigningAlgorithm| profiles.iter().any(|one| one.allows_algorithm(**algorithm));
        Self {
            scopes_supported: api.scopes.iter().map(|scope| scope.name.to_string()).collect(),
            dpop_signing_alg_values_supported: SigningAlgorithm::ALL.iter().filter(verified).copied().collect(),
            resource_name: Some(api.name.in_language("en").to_owned()).filter(|name| !name.is_empty()),
            ..Self::new(api.audience.as_str(), issuer.as_str()).bound_by(api.token.binding)
        }
    }
}

/// Where the document of a resource is: URL and path (RFC 9728 3.1). None for a resource that is no URL of the web.
pub fn well_known(resource: &str) -> Option<(String, String)> {
    let url = Url::parse(resource).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
    // The slash after the host goes, those after a path stay.
    let path = if url.path() == "/" { "" } else { url.path() };
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let path = format!("{WELL_KNOWN}{path}");
    Some((format!("{}{path}{query}", url.origin().ascii_serialization()), path))
}

/// What stands before the path in the URL that clients call, which DPoP proofs are for (RFC 9449 4.3): `given`, or the origin
/// of the audience. None when it is no URL of the web, or has more than a path.
pub fn origin(given: Option<&str>, audience: &str) -> Option<String> {
    let url = Url::parse(given.unwrap_or(audience)).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
    let Some(given) = given else { return Some(url.origin().ascii_serialization()) };
    let clean = url.query().is_none() && url.fragment().is_none();
    clean.then(|| given.trim_end_matches('/').to_owned())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes what it asks about by reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::narrow::tests::{directory, issuer};
    use crate::value::Resource;
    use serde_json::json;

    #[test]
    fn rfc9728_2_the_document_says_what_the_declaration_says() {
        let directory = directory("[]");
        let mut api = (**directory.apis().next().unwrap()).clone();
        let document = |api: &Api| serde_json::to_value(ProtectedResource::of(api, &issuer(), &directory)).unwrap();
        let said = document(&api);
        assert_eq!((&said["resource"], &said["authorization_servers"]), (&json!(api.audience), &json!([issuer()])));
        let scopes: Vec<_> = api.scopes.iter().map(|scope| scope.name.to_string()).collect();
        assert_eq!(said["scopes_supported"], json!(scopes));
        assert_eq!(said["bearer_methods_supported"], json!(["header"]));
        assert!(said.get("dpop_bound_access_tokens_required").is_none());
        api.token.binding = RequiredBinding::Dpop;
        assert_eq!(document(&api)["dpop_bound_access_tokens_required"], true);
        api.token.binding = RequiredBinding::Mtls;
        assert_eq!(document(&api)["tls_client_certificate_bound_access_tokens"], true);
        api.audience = Resource::parse("urn:other").unwrap();
        assert_eq!(document(&api)["resource"], "urn:other");
    }

    #[test]
    fn rfc9728_3_1_the_well_known_part_comes_before_the_path() {
        let place = |resource| well_known(resource).map(|(url, _)| url);
        for (resource, url) in [
            ("https://a.example", "https://a.example/.well-known/oauth-protected-resource"),
            ("https://a.example/", "https://a.example/.well-known/oauth-protected-resource"),
            ("https://a.example/notes", "https://a.example/.well-known/oauth-protected-resource/notes"),
            ("https://a.example:8443/a/", "https://a.example:8443/.well-known/oauth-protected-resource/a/"),
            ("http://localhost:8080/demo", "http://localhost:8080/.well-known/oauth-protected-resource/demo"),
            ("https://a.example/x?y=z", "https://a.example/.well-known/oauth-protected-resource/x?y=z"),
        ] {
            assert_eq!(place(resource).as_deref(), Some(url), "{resource}");
        }
        assert_eq!(place("urn:example:api"), None);
        assert_eq!(place("api://notes"), None);
    }
    #[test]
    fn rfc9449_4_3_the_origin_is_that_of_the_audience_unless_it_is_said_otherwise() {
        let api = "https://api.example/notes?x=y";
        assert_eq!(origin(None, api).as_deref(), Some("https://api.example"));
        assert_eq!(origin(Some("https://edge.example/v1/"), api).as_deref(), Some("https://edge.example/v1"));
        assert_eq!(origin(Some("http://localhost:8080"), "urn:api").as_deref(), Some("http://localhost:8080"));
        for wrong in ["urn:api", "https://edge.example?x=y", "https://edge.example#x", "edge.example", ""] {
            assert_eq!(origin(Some(wrong), api), None, "{wrong}");
        }
        assert_eq!(origin(None, "urn:api"), None);
    }
}
