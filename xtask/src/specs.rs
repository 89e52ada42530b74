//! The documents that tests name, and how a test's name is read: `rfc6749_4_1_3_code_of_another_client_is_refused` is
//! RFC 6749, section 4.1.3, "code of another client is refused".

/// A document and the prefix under which tests name it.
pub(crate) struct Spec {
    /// What test names begin with.
    pub prefix: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Where it is; a section's anchor is appended.
    pub url: &'static str,
}

/// Documents that are no RFC. The one list; an RFC needs no entry, but gets its title from [`RFC_TITLES`].
const OTHERS: [Spec; 14] = [
    Spec {
        prefix: "cimd",
        title: "OAuth Client ID Metadata Document (draft)",
        url: "https://datatracker.ietf.org/doc/html/draft-ietf-oauth-client-id-metadata-document#section-",
    },
    Spec {
        prefix: "token_status_list",
        title: "Token Status List (draft)",
        url: "https://datatracker.ietf.org/doc/html/draft-ietf-oauth-status-list#section-",
    },
    Spec {
        prefix: "oauth21",
        title: "OAuth 2.1 (draft)",
        url: "https://datatracker.ietf.org/doc/html/draft-ietf-oauth-v2-1#section-",
    },
    Spec {
        prefix: "oauth_form_post",
        title: "OAuth 2.0 Form Post Response Mode",
        url: "https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html",
    },
    Spec {
        prefix: "oauth_multiple_response_types",
        title: "OAuth 2.0 Multiple Response Type Encoding Practices",
        url: "https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html",
    },
    Spec {
        prefix: "oidc_core",
        title: "OpenID Connect Core 1.0",
        url: "https://openid.net/specs/openid-connect-core-1_0.html",
    },
    Spec {
        prefix: "oidc_discovery",
        title: "OpenID Connect Discovery 1.0",
        url: "https://openid.net/specs/openid-connect-discovery-1_0.html",
    },
    Spec {
        prefix: "oidc_registration",
        title: "OpenID Connect Dynamic Client Registration 1.0",
        url: "https://openid.net/specs/openid-connect-registration-1_0.html",
    },
    Spec {
        prefix: "oidc_logout",
        title: "OpenID Connect RP-Initiated Logout 1.0",
        url: "https://openid.net/specs/openid-connect-rpinitiated-1_0.html",
    },
    Spec {
        prefix: "oidc_backchannel",
        title: "OpenID Connect Back-Channel Logout 1.0",
        url: "https://openid.net/specs/openid-connect-backchannel-1_0.html",
    },
    Spec {
        prefix: "jarm",
        title: "JWT Secured Authorization Response Mode (JARM)",
        url: "https://openid.net/specs/oauth-v2-jarm-final.html",
    },
    Spec {
        prefix: "fapi2_message_signing",
        title: "FAPI 2.0 Message Signing",
        url: "https://openid.net/specs/fapi-message-signing-2_0.html",
    },
    Spec {
        prefix: "fapi2_security_profile",
        title: "FAPI 2.0 Security Profile",
        url: "https://openid.net/specs/fapi-security-profile-2_0-final.html",
    },
    Spec {
        prefix: "fapi2",
        title: "FAPI 2.0 Security Profile",
        url: "https://openid.net/specs/fapi-security-profile-2_0-final.html",
    },
];

/// Titles of the RFCs that tests name so far; another RFC appears with its number alone.
const RFC_TITLES: [(u32, &str); 67] = [
    (2104, "HMAC"),
    (2617, "HTTP Authentication: Basic and Digest"),
    (3986, "Uniform Resource Identifier (URI): Generic Syntax"),
    (4231, "HMAC-SHA Identifiers and Test Vectors"),
    (4512, "Lightweight Directory Access Protocol: Directory Information Models"),
    (4514, "LDAP: String Representation of Distinguished Names"),
    (4517, "LDAP: Syntaxes and Matching Rules"),
    (4648, "The Base16, Base32, and Base64 Data Encodings"),
    (5280, "Internet X.509 Public Key Infrastructure Certificate and CRL Profile"),
    (5869, "HKDF"),
    (5891, "IDNA"),
    (5952, "IPv6 Address Text Representation"),
    (6265, "HTTP State Management Mechanism"),
    (6454, "The Web Origin Concept"),
    (6749, "The OAuth 2.0 Authorization Framework"),
    (6750, "Bearer Token Usage"),
    (6797, "HTTP Strict Transport Security"),
    (6819, "OAuth 2.0 Threat Model and Security Considerations"),
    (6890, "Special-Purpose IP Address Registries"),
    (6901, "JavaScript Object Notation (JSON) Pointer"),
    (7009, "OAuth 2.0 Token Revocation"),
    (7234, "HTTP/1.1: Caching"),
    (7515, "JSON Web Signature (JWS)"),
    (7516, "JSON Web Encryption (JWE)"),
    (7517, "JSON Web Key (JWK)"),
    (7518, "JSON Web Algorithms (JWA)"),
    (7519, "JSON Web Token (JWT)"),
    (7520, "Examples of Protecting Content Using JOSE"),
    (7521, "Assertion Framework for OAuth 2.0"),
    (7523, "JWT Profile for OAuth 2.0 Client Authentication and Authorization Grants"),
    (7591, "OAuth 2.0 Dynamic Client Registration"),
    (7592, "OAuth 2.0 Dynamic Client Registration Management"),
    (7617, "The 'Basic' HTTP Authentication Scheme"),
    (7636, "Proof Key for Code Exchange (PKCE)"),
    (7638, "JSON Web Key (JWK) Thumbprint"),
    (7662, "OAuth 2.0 Token Introspection"),
    (7797, "JWS Unencoded Payload Option"),
    (7800, "Proof-of-Possession Key Semantics for JWTs"),
    (8017, "PKCS #1: RSA Cryptography"),
    (8037, "CFRG Elliptic Curve Signatures in JOSE"),
    (8252, "OAuth 2.0 for Native Apps"),
    (8259, "The JavaScript Object Notation (JSON) Data Interchange Format"),
    (8414, "OAuth 2.0 Authorization Server Metadata"),
    (8446, "The Transport Layer Security (TLS) Protocol Version 1.3"),
    (8628, "OAuth 2.0 Device Authorization Grant"),
    (8693, "OAuth 2.0 Token Exchange"),
    (8705, "OAuth 2.0 Mutual-TLS Client Authentication"),
    (8707, "Resource Indicators for OAuth 2.0"),
    (8725, "JSON Web Token Best Current Practices"),
    (9068, "JWT Profile for OAuth 2.0 Access Tokens"),
    (9101, "JWT-Secured Authorization Request (JAR)"),
    (9110, "HTTP Semantics"),
    (9111, "HTTP Caching"),
    (9112, "HTTP/1.1"),
    (9113, "HTTP/2"),
    (9126, "OAuth 2.0 Pushed Authorization Requests"),
    (9207, "OAuth 2.0 Authorization Server Issuer Identification"),
    (9325, "Recommendations for Secure Use of TLS and DTLS"),
    (9396, "OAuth 2.0 Rich Authorization Requests"),
    (9440, "Client-Cert HTTP Header Field"),
    (9449, "Demonstrating Proof of Possession (DPoP)"),
    (9470, "OAuth 2.0 Step Up Authentication Challenge Protocol"),
    (9562, "Universally Unique IDentifiers (UUIDs)"),
    (9700, "Best Current Practice for OAuth 2.0 Security"),
    (9701, "JWT Response for OAuth Token Introspection"),
    (9728, "OAuth 2.0 Protected Resource Metadata"),
    (9864, "Fully-Specified Algorithms for JOSE and COSE"),
];

/// What a test's name says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rule {
    /// `rfc6749`, `oidc_core`: sorts RFCs by number, then the others.
    pub document: Document,
    /// `4.1.3`, as numbers so that 10 comes after 9; an appendix's letter comes as its code, after every number.
    pub section: Vec<Part>,
    /// The rest, with spaces.
    pub words: String,
}

/// What a rule is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Document {
    /// An RFC by its number.
    Rfc(u32),
    /// Another, by its prefix.
    Other(&'static str),
}

/// One component of a section's number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// 4
    Number(u32),
    /// A, of an appendix
    Letter(char),
}

impl Rule {
    /// Reads the name of a test; `None` for one that names no document.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (document, rest) = Document::parse(name)?;
        let mut words = rest.split('_').filter(|word| !word.is_empty()).peekable();
        let mut section = Vec::new();
        if words.next_if_eq(&"appendix").is_some() {
            let letter = words.next()?.chars().next()?;
            section.push(Part::Letter(letter.to_ascii_uppercase()));
        } else if let Some(letter) = words.peek().and_then(|word| appendix(word)) {
            let numbered =
                rest.trim_start_matches('_').split('_').nth(1).is_some_and(|word| word.parse::<u32>().is_ok());
            // "a" alone may as well be the article.
            if numbered || letter != 'A' {
                words.next();
                section.push(Part::Letter(letter));
            }
        }
        while let Some(number) = words.peek().and_then(|word| word.parse().ok()) {
            words.next();
            section.push(Part::Number(number));
        }
        let words: Vec<_> = words.collect();
        (!words.is_empty()).then(|| Self { document, section, words: words.join(" ") })
    }

    /// `4.1.3`, `Appendix A.2`, or nothing.
    pub(crate) fn section(&self) -> String {
        let parts: Vec<_> = self.section.iter().map(Part::to_string).collect();
        let dotted = parts.join(".");
        if matches!(self.section.first(), Some(Part::Letter(_))) { format!("Appendix {dotted}") } else { dotted }
    }
}

impl Document {
    fn parse(name: &str) -> Option<(Self, &str)> {
        if let Some(rest) = name.strip_prefix("rfc") {
            let (number, rest) = rest.split_once('_')?;
            return Some((Self::Rfc(number.parse().ok()?), rest));
        }
        let spec =
            OTHERS.iter().find(|spec| name.strip_prefix(spec.prefix).is_some_and(|rest| rest.starts_with('_')))?;
        Some((Self::Other(spec.prefix), name.strip_prefix(spec.prefix)?))
    }

    /// What it is called.
    pub(crate) fn title(self) -> String {
        match self {
            Self::Rfc(number) => match RFC_TITLES.iter().find(|(known, _)| *known == number) {
                Some((_, title)) => format!("RFC {number}: {title}"),
                None => format!("RFC {number}"),
            },
            Self::Other(prefix) => Self::spec(prefix).map_or(prefix, |spec| spec.title).to_owned(),
        }
    }

    /// Where it is.
    pub(crate) fn url(self) -> String {
        match self {
            Self::Rfc(number) => format!("https://www.rfc-editor.org/rfc/rfc{number}"),
            Self::Other(prefix) => {
                Self::spec(prefix).map_or("", |spec| spec.url).trim_end_matches("#section-").to_owned()
            }
        }
    }

    fn spec(prefix: &str) -> Option<&'static Spec> {
        OTHERS.iter().find(|spec| spec.prefix == prefix)
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Letter(letter) => write!(f, "{letter}"),
        }
    }
}

/// `a`: appendix A.
fn appendix(word: &str) -> Option<char> {
    let mut letters = word.chars();
    let letter = letters.next().filter(char::is_ascii_lowercase)?;
    letters.next().is_none().then(|| letter.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str) -> Option<(String, String, String)> {
        Rule::parse(name).map(|rule| (rule.document.title(), rule.section(), rule.words))
    }

    #[test]
    fn names_of_tests_are_read() {
        let read = |name| read(name).map(|(title, section, words)| format!("{title}|{section}|{words}"));
        let rule = read("rfc6749_4_1_3_code_of_another_client_is_refused");
        assert_eq!(
            rule.unwrap(),
            "RFC 6749: The OAuth 2.0 Authorization Framework|4.1.3|code of another client is refused"
        );
        assert_eq!(read("oidc_core_3_1_2_1_prompt_none").unwrap(), "OpenID Connect Core 1.0|3.1.2.1|prompt none");
        assert_eq!(read("rfc7515_a_1_example").unwrap(), "RFC 7515: JSON Web Signature (JWS)|Appendix A.1|example");
        assert_eq!(
            read("rfc7636_appendix_b_vector").unwrap(),
            "RFC 7636: Proof Key for Code Exchange (PKCE)|Appendix B|vector"
        );
        assert_eq!(read("rfc7518_c_derivation").unwrap(), "RFC 7518: JSON Web Algorithms (JWA)|Appendix C|derivation");
        assert_eq!(read("rfc1_a_code").unwrap(), "RFC 1||a code");
        assert_eq!(read("rfc1_always").unwrap(), "RFC 1||always");
        assert_eq!(read("rfc6749_4_1"), None);
        assert_eq!(read("a_code_is_spent_once"), None);
        assert_eq!(read("oidc_corentin_x"), None);
    }

    #[test]
    fn sections_sort_as_numbers() {
        let rule = |name| Rule::parse(name).unwrap();
        assert!(rule("rfc9700_2_9_x") < rule("rfc9700_2_10_x"));
        assert!(rule("rfc9700_2_10_x") < rule("rfc9700_a_1_x"));
        assert!(rule("rfc9700_1_x") < rule("oidc_core_1_x"));
    }
}
