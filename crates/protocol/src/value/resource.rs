//! Resource indicators and issuers: absolute URIs compared as they are written.

use serde::{Deserialize, Serialize};
use std::fmt;
use url::Url;

/// `resource`: an absolute URI without a fragment (RFC 8707 2); the audience of an API.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Resource(String);

/// `iss`: an https URL without query and fragment (RFC 8414 2); http on loopback, for development.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Issuer(String);

impl Resource {
    /// The only door in.
    pub fn parse(raw: &str) -> Option<Self> {
        let clean = raw.len() <= 1024 && raw.bytes().all(|b| b.is_ascii_graphic()) && !raw.contains('#');
        (clean && Url::parse(raw).is_ok()).then(|| Self(raw.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Issuer {
    /// The only door in.
    pub fn parse(raw: &str) -> Option<Self> {
        let clean = raw.len() <= 1024 && raw.bytes().all(|b| b.is_ascii_graphic()) && !raw.contains(['#', '?']);
        let url = Url::parse(raw).ok().filter(|_| clean)?;
        let loopback = match url.host()? {
            url::Host::Domain(name) => name == "localhost",
            url::Host::Ipv4(address) => address.is_loopback(),
            url::Host::Ipv6(address) => address.is_loopback(),
        };
        // Issuers are compared as they are written (RFC 8414 3.3): a scheme in capitals would be another one.
        let allowed = raw.starts_with("https:") || (raw.starts_with("http:") && loopback);
        allowed.then(|| Self(raw.trim_end_matches('/').to_owned()))
    }

    /// The issuer of a tenant below this one.
    #[must_use]
    pub fn of_tenant(&self, tenant: &super::TenantName) -> Self {
        if tenant.is_default() { self.clone() } else { Self(format!("{}/t/{tenant}", self.0)) }
    }

    /// The URL of an endpoint below the issuer.
    pub fn endpoint(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// Whether the issuer is reached over TLS.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https:")
    }

    /// Scheme, host and port, as browsers send it in `Origin`.
    pub fn origin(&self) -> String {
        Url::parse(&self.0).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The issuer as an audience: the userinfo endpoint belongs to it.
    pub fn as_resource(&self) -> Resource {
        Resource(self.0.clone())
    }
}

macro_rules! display_and_deserialize {
    ($name:ident, $what:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let raw = String::deserialize(deserializer)?;
                Self::parse(&raw).ok_or_else(|| serde::de::Error::custom(format!("{raw:?} is no {}", $what)))
            }
        }
    };
}
display_and_deserialize!(Resource, "absolute URI without a fragment");
display_and_deserialize!(Issuer, "issuer: an https URL without query and fragment (http on loopback only)");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::TenantName;

    #[test]
    fn rfc8707_2_a_resource_is_absolute_and_has_no_fragment() {
        for good in ["https://api.example", "urn:example:api", "api://notes"] {
            assert!(Resource::parse(good).is_some(), "{good}");
        }
        for bad in ["", "notes", "/notes", "https://api.example/#x", "https://api.example/ x"] {
            assert!(Resource::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn rfc8414_2_an_issuer_is_https_without_query_and_fragment() {
        for good in ["https://id.example", "https://id.example/t/a", "http://localhost:8080", "http://127.0.0.1:1"] {
            assert!(Issuer::parse(good).is_some(), "{good}");
        }
        for bad in [
            "http://id.example",
            "https://id.example?x",
            "https://id.example/#",
            "ftp://localhost",
            "",
            "HTTPS://id.example",
            "htTp://[::1]",
        ] {
            assert!(Issuer::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn tenants_live_below_the_root_issuer() {
        let root = Issuer::parse("https://id.example/").unwrap();
        assert_eq!(root.as_str(), "https://id.example");
        let acme = root.of_tenant(&TenantName::parse("acme").unwrap());
        assert_eq!(acme.as_str(), "https://id.example/t/acme");
        assert_eq!(root.of_tenant(&TenantName::default()), root);
    }
}
