//! From an issuer to its keys (OpenID Connect Discovery 1.0 4, RFC 8414 3).

use crate::FetchError;
use grantor_jose::parse_object;

/// Where the metadata of an issuer may be, in the order in which the places are tried. `issuer` is an https URL in the
/// form in which it can be fetched.
///
/// The first appends to the issuer's path (OpenID Connect Discovery 1.0 4.1), the second comes before it (RFC 8414 3.1).
///
/// # Errors
///
/// [`FetchError::MalformedUrl`].
pub fn well_known(issuer: &str) -> Result<[String; 2], FetchError> {
    // RFC 8414 2: an issuer has no query. What were appended would become part of it.
    if issuer.contains('?') {
        return Err(FetchError::MalformedUrl);
    }
    let issuer = issuer.strip_suffix('/').unwrap_or(issuer);
    let (scheme, rest) = issuer.split_once("://").ok_or(FetchError::MalformedUrl)?;
    let (authority, path) = rest.find('/').map_or((rest, ""), |start| rest.split_at(start));
    Ok([
        format!("{issuer}/.well-known/openid-configuration"),
        format!("{scheme}://{authority}/.well-known/oauth-authorization-server{path}"),
    ])
}

/// What is read of an issuer's metadata (RFC 8414 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerMetadata {
    /// Where its keys are.
    pub jwks_uri: String,
    /// Where it says what a token is worth, if it does (RFC 7662).
    pub introspection_endpoint: Option<String>,
}

impl IssuerMetadata {
    /// Metadata in which `issuer` is not exactly the one that was asked for is somebody else's (RFC 8414 3.3).
    pub(crate) fn parse(metadata: &[u8], issuer: &str) -> Result<Self, FetchError> {
        let members = parse_object(metadata).ok_or(FetchError::NotMetadata)?;
        let text = |name| members.get(name).and_then(|value| value.as_str()).ok_or(FetchError::NotMetadata);
        if text("issuer")? != issuer {
            return Err(FetchError::IssuerMismatch);
        }
        let introspection_endpoint = members.get("introspection_endpoint").and_then(|value| value.as_str());
        Ok(Self {
            jwks_uri: text("jwks_uri")?.to_owned(),
            introspection_endpoint: introspection_endpoint.map(str::to_owned),
        })
    }

    /// About how much memory it takes, in bytes.
    pub(crate) fn weight(&self) -> usize {
        self.jwks_uri.len().saturating_add(self.introspection_endpoint.as_ref().map_or(0, String::len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc8414_3_1_the_well_known_part_comes_before_the_path() {
        let places = |issuer| well_known(issuer).unwrap();
        for (issuer, openid, oauth) in [
            ("https://a.example", "", ""),
            ("https://a.example/", "", ""),
            ("https://a.example:8443", "", ""),
            ("https://a.example/tenant/one", "/tenant/one", "/tenant/one"),
            ("https://a.example/tenant/", "/tenant", "/tenant"),
        ] {
            let origin = if issuer.contains("8443") { "https://a.example:8443" } else { "https://a.example" };
            assert_eq!(
                places(issuer),
                [
                    format!("{origin}{openid}/.well-known/openid-configuration"),
                    format!("{origin}/.well-known/oauth-authorization-server{oauth}"),
                ]
            );
        }
    }

    #[test]
    fn rfc8414_2_an_issuer_has_no_query() {
        assert_eq!(well_known("https://a.example/?x="), Err(FetchError::MalformedUrl));
    }

    #[test]
    fn rfc8414_3_3_the_issuer_must_be_identical() {
        let metadata = br#"{"issuer":"https://a.example","jwks_uri":"https://a.example/keys"}"#;
        let read = IssuerMetadata::parse(metadata, "https://a.example").unwrap();
        assert_eq!((read.jwks_uri.as_str(), read.introspection_endpoint), ("https://a.example/keys", None));
        for other in ["https://a.example/", "https://A.example", "https://a.example:443", "https://b.example"] {
            assert_eq!(IssuerMetadata::parse(metadata, other), Err(FetchError::IssuerMismatch), "{other}");
        }
    }

    #[test]
    fn metadata_without_issuer_or_keys_is_none() {
        let issuer = "https://a.example";
        for metadata in [
            "",
            "[]",
            r#"{"jwks_uri":"https://a.example/keys"}"#,
            r#"{"issuer":"https://a.example"}"#,
            r#"{"issuer":"https://a.example","jwks_uri":["https://a.example/keys"]}"#,
            r#"{"issuer":"https://b.example","issuer":"https://a.example","jwks_uri":"https://a.example/keys"}"#,
        ] {
            assert_eq!(IssuerMetadata::parse(metadata.as_bytes(), issuer), Err(FetchError::NotMetadata), "{metadata}");
        }
    }
}
