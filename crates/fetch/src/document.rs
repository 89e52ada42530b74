//! The documents that are fetched, and what each of them may look like.

use reqwest::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use std::time::Duration;

/// What a URL is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document {
    /// A JSON Web Key Set (RFC 7517 8.5.2).
    KeySet,
    /// The metadata of an authorization server (RFC 8414 3.2, OpenID Connect Discovery 1.0 4.2).
    Metadata,
    /// A request object (RFC 9101 5.2.3).
    RequestObject,
    /// What an endpoint answers to a form (RFC 6749 5.1, RFC 7662 2.2).
    Answer,
    /// The metadata of a client whose identifier is its URL (draft-ietf-oauth-client-id-metadata-document 4).
    ClientMetadata,
    /// A Status List Token (draft-ietf-oauth-status-list 8.1).
    StatusList,
}

impl Document {
    /// The content types that are accepted.
    pub(crate) const fn content_types(self) -> &'static [&'static str] {
        match self {
            Self::KeySet => &["application/jwk-set+json", "application/json"],
            Self::Metadata | Self::Answer | Self::ClientMetadata => &["application/json"],
            Self::StatusList => &["application/statuslist+jwt"],
            Self::RequestObject => &["application/oauth-authz-req+jwt", "application/jwt"],
        }
    }

    /// The largest body, in bytes.
    pub(crate) const fn limit(self) -> usize {
        match self {
            Self::KeySet | Self::Metadata => 256 * 1024,
            Self::RequestObject | Self::Answer => 64 * 1024,
            // As section 8.7 recommends.
            Self::ClientMetadata => 5 * 1024,
            // Five million tokens of one bit, where compressing gains nothing.
            Self::StatusList => 1024 * 1024,
        }
    }

    /// Whether an answer with these headers can be such a document. One that is encoded (RFC 9110 8.4) cannot, for it
    /// was asked for as it is and is never decompressed.
    pub(crate) fn admits(self, headers: &HeaderMap) -> bool {
        let essence = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .map(str::trim);
        let typed = |essence: &str| {
            self.content_types().iter().any(|known| known.eq_ignore_ascii_case(essence))
                || (self == Self::ClientMetadata && is_structured_json(essence))
        };
        let encoded = headers.get_all(CONTENT_ENCODING).iter().any(|value| value != "identity");
        essence.is_some_and(typed) && !encoded
    }
}

/// Whether a media type is `application/` something `+json` (RFC 6839 3.1).
fn is_structured_json(essence: &str) -> bool {
    let essence = essence.to_ascii_lowercase();
    essence.strip_prefix("application/").and_then(|rest| rest.strip_suffix("+json")).is_some_and(|it| !it.is_empty())
}

/// For how long an answer may be used (RFC 9111 5.2.2): the shortest time that `Cache-Control` names, none when it does
/// not allow storing it.
pub(crate) fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let directives = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let ages = directives.flat_map(|value| value.split(',')).filter_map(|directive| {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => Some(Duration::ZERO),
            "max-age" => seconds(value.trim().trim_matches('"')),
            _ => None,
        }
    });
    ages.min()
}

/// RFC 9111 1.2.2: what is too large to be read is a very long time.
fn seconds(digits: &str) -> Option<Duration> {
    let well_formed = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    well_formed.then(|| Duration::from_secs(digits.parse::<u32>().unwrap_or(u32::MAX).into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderName, HeaderValue};

    fn headers(of: &[(HeaderName, &'static str)]) -> HeaderMap {
        of.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn each_document_has_its_content_types() {
        let admits = |document: Document, value| document.admits(&headers(&[(CONTENT_TYPE, value)]));
        assert!(admits(Document::KeySet, "application/jwk-set+json"));
        assert!(admits(Document::KeySet, "Application/JSON ; charset=utf-8"));
        assert!(admits(Document::Metadata, "application/json"));
        assert!(admits(Document::RequestObject, "application/oauth-authz-req+jwt"));
        assert!(admits(Document::RequestObject, "application/jwt"));
        assert!(admits(Document::ClientMetadata, "application/json"));
        assert!(admits(Document::ClientMetadata, "application/oauth-client+json"));
        assert!(!admits(Document::ClientMetadata, "application/+json"));
        assert!(!admits(Document::Metadata, "application/jwk-set+json"));
        assert!(!admits(Document::RequestObject, "application/json"));
        for other in ["text/html", "text/plain", "application/jsonp", "application", ""] {
            for document in [Document::KeySet, Document::Metadata, Document::RequestObject, Document::ClientMetadata] {
                assert!(!admits(document, other), "{other}");
            }
        }
        assert!(!Document::KeySet.admits(&headers(&[])));
    }

    #[test]
    fn an_encoded_answer_is_not_admitted() {
        let encoded = |value| headers(&[(CONTENT_TYPE, "application/json"), (CONTENT_ENCODING, value)]);
        assert!(!Document::KeySet.admits(&encoded("gzip")));
        assert!(Document::KeySet.admits(&encoded("identity")));
    }

    #[test]
    fn rfc9111_5_2_2_the_shortest_time_counts() {
        let age = |value| max_age(&headers(&[(CACHE_CONTROL, value)])).map(|age| age.as_secs());
        assert_eq!(age("public, max-age=300, must-revalidate"), Some(300));
        assert_eq!(age("MAX-AGE=\"60\""), Some(60));
        assert_eq!(age("max-age=300, max-age=20"), Some(20));
        assert_eq!(age("no-store, max-age=300"), Some(0));
        assert_eq!(age("no-cache"), Some(0));
        assert_eq!(age("max-age=99999999999999999999"), Some(u32::MAX.into()));
        for none in ["", "public", "max-age", "max-age=", "max-age=-1", "max-age=1s", "s-maxage=5"] {
            assert_eq!(age(none), None, "{none}");
        }
    }
}
