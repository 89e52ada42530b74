//! Resource indicators and issuers: absolute URIs compared as they are written.

use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, format_smolstr};
use std::fmt;
use url::Url;

/// `resource`: an absolute URI without a fragment (RFC 8707 2); the audience of an API.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Resource(SmolStr);

/// `iss`: an https URL without query and fragment (RFC 8414 2); http on loopback, for development.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Issuer(SmolStr);

impl Resource {
    /// The only door in.
    pub fn parse(raw: &str) -> Option<Self> {
        let clean = raw.len() <= 1024 && raw.bytes().all(|b| b.is_ascii_graphic()) && !raw.contains('#');
        (clean && (is_plain(raw) || Url::parse(raw).is_ok())).then(|| Self(raw.into()))
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
        allowed.then(|| Self(raw.trim_end_matches('/').into()))
    }

    /// The issuer of a tenant below this one.
    #[must_use]
    pub fn of_tenant(&self, tenant: &super::TenantName) -> Self {
        if tenant.is_default() { self.clone() } else { Self(format_smolstr!("{}/t/{tenant}", self.0)) }
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

/// Whether this is `https://`, a name of plain labels, and no port: nearly every audience is, and then nothing can be wrong
/// with it (WHATWG URL 4.4: a path of visible ASCII is never refused). Others are parsed.
fn is_plain(raw: &str) -> bool {
    let Some(rest) = raw.strip_prefix("https://") else { return false };
    let host = rest.split_once('/').map_or(rest, |(host, _)| host);
    let last = host.rsplit('.').next().unwrap_or_default();
    let plain = |label: &str| {
        let mut bytes = label.bytes();
        !label.is_empty()
            && !label.starts_with("xn--")
            && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    // A name whose last label is a number is an address of IPv4, or wrong.
    last.starts_with(|c: char| c.is_ascii_lowercase()) && host.split('.').all(plain)
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
                super::parsed(deserializer, concat!("is no ", $what), Self::parse)
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
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_plain_is_a_url(host in "[a-z0-9.-]{0,12}", path in "[!-~]{0,8}") {
            for raw in [format!("https://{host}{path}"), format!("https://{host}.a/{path}"), format!("https://{host}")] {
                prop_assert!(!is_plain(&raw) || Url::parse(&raw).is_ok(), "{}", raw);
            }
        }
    }

    #[test]
    fn the_usual_audience_is_plain() {
        for plain in ["https://api.example", "https://notes", "https://a-1.example/v1?x=%zz"] {
            assert!(is_plain(plain) && Url::parse(plain).is_ok(), "{plain}");
        }
        for other in ["https://", "https://1.2.3.256", "https://a..b", "https://xn--a", "https://a:99999", "https://A"]
        {
            assert!(!is_plain(other), "{other}");
        }
    }

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
