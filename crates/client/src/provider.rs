//! The authorization server, as its metadata describe it (RFC 8414 2, OpenID Connect Discovery 3). Nothing in them that is
//! Grantor's own is needed.

use crate::error::{Error, Result, printable};
use grantor_jose::{SigningAlgorithm, parse_object};
use serde_json::{Map, Value};
use std::fmt;
use url::{Host, Url};

/// `issuer`, exactly as it is written: a slash at its end makes another one (RFC 8414 3.3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Issuer(String);

/// An authorization server. There is one only from metadata that were checked.
#[derive(Clone, Debug)]
pub struct Provider {
    issuer: Issuer,
    endpoints: Vec<(Endpoint, Url)>,
    aliases: Vec<(Endpoint, Url)>,
    /// Whether every authorization request must be pushed first (RFC 9126 5).
    pub requires_pushed_requests: bool,
    /// Whether every authorization response bears `iss` (RFC 9207 3).
    pub iss_in_responses: bool,
    /// `token_endpoint_auth_methods_supported`, when it says so.
    pub auth_methods: Option<Vec<String>>,
    /// The algorithms of ID tokens, as far as they are known here; all of them when it does not say.
    pub id_token_algorithms: Vec<SigningAlgorithm>,
    /// Those of DPoP proofs (RFC 9449 5.1); nothing when it does not say that it knows DPoP.
    pub dpop_algorithms: Option<Vec<SigningAlgorithm>>,
}

/// What can be asked for. The one list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// RFC 6749 3.1.
    Authorization,
    /// RFC 6749 3.2.
    Token,
    /// RFC 8628 3.1.
    DeviceAuthorization,
    /// RFC 9126 2.
    PushedAuthorizationRequest,
    /// RFC 7009 2.
    Revocation,
    /// OpenID Connect Core 5.3.
    Userinfo,
    /// The keys that it signs with (RFC 7517 5).
    Jwks,
}

/// Why metadata cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataProblem {
    /// Not a JSON object, or one that repeats a member.
    #[error("the metadata are no JSON object")]
    Syntax,
    /// RFC 8414 3.3: they must name exactly the issuer that was asked for.
    #[error(
        "the metadata are of the issuer {found:?}, and {asked:?} was asked for: the two must be the same, letter by letter"
    )]
    AnotherIssuer {
        /// Who was asked.
        asked: String,
        /// Who is named.
        found: String,
    },
    /// A member that is not of its type.
    #[error("{0} in the metadata is not what it must be")]
    Member(&'static str),
    /// An endpoint that is not https (http on loopback only).
    #[error("{0} in the metadata is not an https URL without a fragment (http on loopback only)")]
    Endpoint(&'static str),
    /// RFC 7636 is not to be had with S256, and nothing else protects a code.
    #[error("the server does not know the PKCE method S256 (code_challenge_methods_supported)")]
    NoPkce,
}

impl Endpoint {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::Authorization,
        Self::Token,
        Self::DeviceAuthorization,
        Self::PushedAuthorizationRequest,
        Self::Revocation,
        Self::Userinfo,
        Self::Jwks,
    ];

    /// Its member in the metadata.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authorization => "authorization_endpoint",
            Self::Token => "token_endpoint",
            Self::DeviceAuthorization => "device_authorization_endpoint",
            Self::PushedAuthorizationRequest => "pushed_authorization_request_endpoint",
            Self::Revocation => "revocation_endpoint",
            Self::Userinfo => "userinfo_endpoint",
            Self::Jwks => "jwks_uri",
        }
    }
}

impl Issuer {
    /// An https URL without query and fragment (RFC 8414 2); http on loopback.
    pub fn parse(raw: &str) -> Option<Self> {
        let clean = raw.len() <= 1024 && raw.bytes().all(|b| b.is_ascii_graphic()) && !raw.contains(['?', '#']);
        (clean && secure(raw).is_some()).then(|| Self(raw.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where its metadata may be, in the order in which they are asked for: OpenID Connect Discovery 4.1 appends the
    /// well-known part, RFC 8414 3.1 and 5 insert it before the path.
    pub fn well_known(&self) -> Vec<String> {
        let base = self.0.trim_end_matches('/');
        let host_begins = base.find("://").map_or(0, |at| at + 3);
        let path_begins = base.get(host_begins..).and_then(|rest| rest.find('/')).map(|at| host_begins + at);
        let (origin, path) = path_begins.and_then(|at| base.split_at_checked(at)).unwrap_or((base, ""));
        let mut all = vec![
            format!("{base}/.well-known/openid-configuration"),
            format!("{origin}/.well-known/oauth-authorization-server{path}"),
            format!("{origin}/.well-known/openid-configuration{path}"),
        ];
        all.dedup();
        if path.is_empty() {
            all.truncate(2);
        }
        all
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Provider {
    /// Reads metadata. `asked` is the issuer that they were asked for.
    ///
    /// # Errors
    ///
    /// When they are of another issuer (RFC 8414 3.3), when an endpoint could be overheard, or when S256 is ruled out.
    pub fn from_metadata(asked: &Issuer, document: &[u8]) -> Result<Self, MetadataProblem> {
        let members = parse_object(document).ok_or(MetadataProblem::Syntax)?;
        let found = members.get("issuer").and_then(Value::as_str).ok_or(MetadataProblem::Member("issuer"))?;
        if found != asked.as_str() {
            return Err(MetadataProblem::AnotherIssuer { asked: asked.to_string(), found: printable(found) });
        }
        // Not saying is common; saying something else is meant (RFC 8414 2).
        if texts(&members, "code_challenge_methods_supported")?.is_some_and(|methods| !methods.contains(&"S256")) {
            return Err(MetadataProblem::NoPkce);
        }
        let flag = |name| match members.get(name) {
            None => Ok(false),
            Some(value) => value.as_bool().ok_or(MetadataProblem::Member(name)),
        };
        let aliases = match members.get("mtls_endpoint_aliases") {
            None => Vec::new(),
            Some(Value::Object(aliases)) => endpoints(aliases)?,
            Some(_) => return Err(MetadataProblem::Member("mtls_endpoint_aliases")),
        };
        let algorithms = |name| -> Result<Option<Vec<SigningAlgorithm>>, MetadataProblem> {
            let known = |names: Vec<&str>| names.into_iter().filter_map(SigningAlgorithm::parse).collect();
            Ok(texts(&members, name)?.map(known))
        };
        Ok(Self {
            issuer: asked.clone(),
            endpoints: endpoints(&members)?,
            aliases,
            requires_pushed_requests: flag("require_pushed_authorization_requests")?,
            iss_in_responses: flag("authorization_response_iss_parameter_supported")?,
            auth_methods: texts(&members, "token_endpoint_auth_methods_supported")?
                .map(|methods| methods.into_iter().map(str::to_owned).collect()),
            id_token_algorithms: algorithms("id_token_signing_alg_values_supported")?
                .unwrap_or_else(|| SigningAlgorithm::ALL.to_vec()),
            dpop_algorithms: algorithms("dpop_signing_alg_values_supported")?,
        })
    }

    /// Whose metadata these are.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Where to ask.
    pub fn endpoint(&self, endpoint: Endpoint) -> Result<&Url> {
        find(&self.endpoints, endpoint).ok_or(Error::Unsupported(endpoint.as_str()))
    }

    /// The same for one who shows a certificate: the alias, when there is one (RFC 8705 5).
    pub fn endpoint_for_certificate(&self, endpoint: Endpoint) -> Result<&Url> {
        find(&self.aliases, endpoint).map_or_else(|| self.endpoint(endpoint), Ok)
    }
}

fn find(among: &[(Endpoint, Url)], wanted: Endpoint) -> Option<&Url> {
    among.iter().find(|(endpoint, _)| *endpoint == wanted).map(|(_, url)| url)
}

fn endpoints(members: &Map<String, Value>) -> Result<Vec<(Endpoint, Url)>, MetadataProblem> {
    let given = Endpoint::ALL.into_iter().filter_map(|endpoint| Some((endpoint, members.get(endpoint.as_str())?)));
    let read = |(endpoint, value): (Endpoint, &Value)| {
        let url = value.as_str().and_then(secure).filter(|url| url.fragment().is_none());
        url.map(|url| (endpoint, url)).ok_or(MetadataProblem::Endpoint(endpoint.as_str()))
    };
    given.map(read).collect()
}

fn texts<'a>(members: &'a Map<String, Value>, name: &'static str) -> Result<Option<Vec<&'a str>>, MetadataProblem> {
    let Some(value) = members.get(name) else { return Ok(None) };
    let all = value.as_array().and_then(|values| values.iter().map(Value::as_str).collect());
    all.map(Some).ok_or(MetadataProblem::Member(name))
}

/// An address that nobody on the way can listen at or answer for: https, or http on this machine itself (RFC 6749 3.1, 3.2).
pub(crate) fn secure(raw: &str) -> Option<Url> {
    Url::parse(raw).ok().filter(is_secure)
}

/// The same for what is a URL already.
pub(crate) fn is_secure(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => return false,
    };
    let nobody = url.username().is_empty() && url.password().is_none();
    nobody && (url.scheme() == "https" || (url.scheme() == "http" && loopback))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn issuer() -> Issuer {
        Issuer::parse("https://id.example").unwrap()
    }

    fn read(document: &Value) -> Result<Provider, MetadataProblem> {
        Provider::from_metadata(&issuer(), document.to_string().as_bytes())
    }

    #[test]
    fn rfc8414_3_1_both_forms_of_the_path_are_tried() {
        let plain: Vec<_> = issuer().well_known();
        assert_eq!(
            plain,
            [
                "https://id.example/.well-known/openid-configuration",
                "https://id.example/.well-known/oauth-authorization-server"
            ]
        );
        let tenant = Issuer::parse("https://id.example/t/acme").unwrap().well_known();
        assert_eq!(
            tenant,
            [
                "https://id.example/t/acme/.well-known/openid-configuration",
                "https://id.example/.well-known/oauth-authorization-server/t/acme",
                "https://id.example/.well-known/openid-configuration/t/acme"
            ]
        );
    }

    #[test]
    fn rfc8414_3_3_the_issuer_is_the_one_that_was_asked_letter_by_letter() {
        assert!(read(&json!({ "issuer": "https://id.example" })).is_ok());
        for other in ["https://id.example/", "https://ID.example", "https://evil.example"] {
            let refused = read(&json!({ "issuer": other })).unwrap_err();
            assert!(matches!(refused, MetadataProblem::AnotherIssuer { .. }), "{other}");
        }
        let slash = Issuer::parse("https://id.example/").unwrap();
        assert!(Provider::from_metadata(&slash, br#"{"issuer":"https://id.example/"}"#).is_ok());
        assert_eq!(read(&json!({})).unwrap_err(), MetadataProblem::Member("issuer"));
    }

    #[test]
    fn rfc6749_3_2_an_endpoint_that_could_be_overheard_is_refused() {
        for bad in ["http://id.example/token", "ftp://id.example", "/token", "https://a:b@id.example", "https://x/#y"] {
            let refused = read(&json!({ "issuer": "https://id.example", "token_endpoint": bad })).unwrap_err();
            assert_eq!(refused, MetadataProblem::Endpoint("token_endpoint"), "{bad}");
        }
        let local = json!({ "issuer": "https://id.example", "token_endpoint": "http://127.0.0.1:8080/token" });
        assert!(read(&local).unwrap().endpoint(Endpoint::Token).is_ok());
        assert!(Issuer::parse("http://id.example").is_none() && Issuer::parse("http://localhost:1").is_some());
    }

    #[test]
    fn rfc7636_4_2_a_server_without_s256_is_refused() {
        let methods = |methods: Value| {
            read(&json!({ "issuer": "https://id.example", "code_challenge_methods_supported": methods }))
        };
        assert_eq!(methods(json!(["plain"])).unwrap_err(), MetadataProblem::NoPkce);
        assert!(methods(json!(["plain", "S256"])).is_ok());
        assert!(methods(json!("S256")).is_err());
    }

    #[test]
    fn rfc8705_5_who_shows_a_certificate_asks_at_the_alias() {
        let provider = read(&json!({
            "issuer": "https://id.example", "token_endpoint": "https://id.example/token",
            "revocation_endpoint": "https://id.example/revoke",
            "mtls_endpoint_aliases": { "token_endpoint": "https://mtls.id.example/token" },
        }))
        .unwrap();
        let at = |endpoint| provider.endpoint_for_certificate(endpoint).unwrap().as_str().to_owned();
        assert_eq!(at(Endpoint::Token), "https://mtls.id.example/token");
        assert_eq!(at(Endpoint::Revocation), "https://id.example/revoke");
        assert_eq!(provider.endpoint(Endpoint::Token).unwrap().as_str(), "https://id.example/token");
        assert!(matches!(provider.endpoint(Endpoint::Jwks), Err(Error::Unsupported("jwks_uri"))));
    }

    proptest! {
        #[test]
        fn arbitrary_documents_never_panic(bytes: Vec<u8>, raw in ".*") {
            let _ = Provider::from_metadata(&issuer(), &bytes);
            if let Some(issuer) = Issuer::parse(&raw) {
                prop_assert!(issuer.well_known().len() >= 2);
            }
        }
    }
}
