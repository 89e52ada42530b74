//! What an API says of itself (RFC 9728).

use crate::Requirement;
use grantor_jose::SigningAlgorithm;
use grantor_protocol::directory::RequiredBinding;
use grantor_protocol::value::Scope;
use serde::Serialize;
use url::Url;

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
    pub(crate) fn new(audience: &str, issuer: &str) -> Self {
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

    pub(crate) fn set_scopes(&mut self, scopes: &Scope) {
        self.scopes_supported = scopes.iter().map(ToString::to_string).collect();
    }

    /// What every route wants shows here.
    pub(crate) fn set_requirement(&mut self, requirement: &Requirement) {
        self.dpop_bound_access_tokens_required = requirement.binding() == RequiredBinding::Dpop;
        self.tls_client_certificate_bound_access_tokens = requirement.binding() == RequiredBinding::Mtls;
    }
}

/// Where the document of a resource is: URL and path (RFC 9728 3.1). None for a resource that is no URL of the web.
pub(crate) fn well_known(resource: &str) -> Option<(String, String)> {
    let url = Url::parse(resource).ok().filter(|url| matches!(url.scheme(), "https" | "http"))?;
    // The slash after the host goes, those after a path stay.
    let path = if url.path() == "/" { "" } else { url.path() };
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let path = format!("{WELL_KNOWN}{path}");
    Some((format!("{}{path}{query}", url.origin().ascii_serialization()), path))
}

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes what it asks about by reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
