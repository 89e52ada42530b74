//! Redirect URIs: compared byte for byte (RFC 9700 2.1), with the one exception of the port on loopback (RFC 8252 7.3).

use serde::{Deserialize, Serialize};
use std::fmt;
use url::{Host, Url};

/// An absolute URI without a fragment (RFC 6749 3.1.2), of a scheme that does not execute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct RedirectUri(String);

impl RedirectUri {
    /// The only door in. `http` is allowed on loopback alone (RFC 9700 2.6, RFC 8252 7.3); a private-use scheme
    /// must contain a dot (RFC 8252 7.1), so `javascript:` and its kin are out.
    pub fn parse(raw: &str) -> Option<Self> {
        let clean = raw.len() <= 2048 && raw.bytes().all(|b| b.is_ascii_graphic());
        if !clean || raw.contains(['#', '\\']) {
            return None;
        }
        let url = Url::parse(raw).ok()?;
        if !url.username().is_empty() || url.password().is_some() {
            return None;
        }
        let allowed = match url.scheme() {
            "https" => url.host().is_some(),
            "http" => is_loopback(&url),
            scheme => scheme.contains('.'),
        };
        // What is compared byte for byte has one spelling of what decides.
        (allowed && raw.starts_with(url.scheme())).then(|| Self(raw.to_owned()))
    }

    /// Whether `asked`, as it came in a request, is this registered URI.
    pub fn matches(&self, asked: &Self) -> bool {
        self.0 == asked.0 || self.matches_on_another_loopback_port(asked)
    }

    /// The text, as it was registered or asked.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the user is shown as the place that he is sent back to.
    pub fn host(&self) -> String {
        match Url::parse(&self.0) {
            Ok(url) => match (url.host_str(), url.port()) {
                (Some(host), Some(port)) => format!("{host}:{port}"),
                (Some(host), None) => host.to_owned(),
                (None, _) => url.scheme().to_owned(),
            },
            Err(_) => String::new(),
        }
    }

    /// Whether it leads to the user's own machine (RFC 8252 7.3).
    pub fn is_loopback(&self) -> bool {
        Url::parse(&self.0).is_ok_and(|url| is_loopback(&url))
    }

    /// Its host without the port (OpenID Connect Core 8.1).
    pub fn host_name(&self) -> Option<String> {
        Url::parse(&self.0).ok()?.host_str().map(str::to_owned)
    }

    /// Its scheme as a CSP source.
    pub fn scheme(&self) -> String {
        let end = self.0.find(':').unwrap_or(self.0.len());
        format!("{}:", self.0.get(..end).unwrap_or_default())
    }

    /// RFC 8252 7.3: a native app cannot know its port beforehand. IP literals only (8.3: `localhost` is not covered).
    fn matches_on_another_loopback_port(&self, asked: &Self) -> bool {
        let (Some(registered), Some(asked)) = (loopback_without_port(&self.0), loopback_without_port(&asked.0)) else {
            return false;
        };
        registered == asked
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RedirectUri {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = String::deserialize(deserializer)?;
        Self::parse(&raw).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "{raw:?} is no redirect URI: https (or http on loopback, or a private-use scheme with a dot), absolute, without a fragment"
            ))
        })
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// The bytes before and after the port of `http://127.0.0.1[:port]...` or `http://[::1][:port]...`.
fn loopback_without_port(raw: &str) -> Option<(&'static str, &str)> {
    ["http://127.0.0.1", "http://[::1]"].into_iter().find_map(|prefix| {
        let rest = raw.strip_prefix(prefix)?;
        let Some(rest) = rest.strip_prefix(':') else {
            return rest
                .starts_with(['/', '?'])
                .then_some((prefix, rest))
                .or(rest.is_empty().then_some((prefix, rest)));
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (port, path) = rest.split_at_checked(end)?;
        port.parse::<u16>().is_ok().then_some((prefix, path))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn uri(raw: &str) -> RedirectUri {
        RedirectUri::parse(raw).unwrap_or_else(|| panic!("{raw} should parse"))
    }

    #[test]
    fn rfc6749_3_1_2_absolute_without_fragment() {
        for bad in [
            "",
            "/callback",
            "app.example/cb",
            "https://app.example/cb#x",
            "javascript:alert(1)",
            "data:text/html,x",
            "http://app.example/cb",
            "https://u:p@app.example/",
            "https://app.example/\u{e9}",
            "https://app.example/ x",
            "https:\\\\app.example",
            "vbscript:x",
            "HTTPS://app.example/cb",
            "file:///etc/passwd",
            "https://app.example/\n",
        ] {
            assert!(RedirectUri::parse(bad).is_none(), "{bad:?}");
        }
        for good in ["https://app.example/cb?x=1", "http://localhost:3000/cb", "com.example.app:/cb", "http://[::1]/cb"]
        {
            uri(good);
        }
    }

    #[test]
    fn rfc9700_2_1_redirect_uris_are_compared_byte_for_byte() {
        let registered = uri("https://app.example/cb");
        assert!(registered.matches(&uri("https://app.example/cb")));
        for other in [
            "https://app.example/cb/",
            "https://app.example/cb?x=1",
            "https://APP.example/cb",
            "https://app.example:443/cb",
            "https://app.example/Cb",
            "https://app.example/./cb",
            "https://evil.example/cb",
        ] {
            assert!(!registered.matches(&uri(other)), "{other}");
        }
    }

    #[test]
    fn rfc8252_7_3_the_loopback_port_is_free() {
        let registered = uri("http://127.0.0.1/cb");
        assert!(registered.matches(&uri("http://127.0.0.1:51004/cb")));
        assert!(uri("http://[::1]:1/cb").matches(&uri("http://[::1]:2/cb")));
        for other in
            ["http://127.0.0.1:51004/other", "http://127.0.0.2:80/cb", "http://localhost:1/cb", "http://[::1]/cb"]
        {
            assert!(!registered.matches(&uri(other)), "{other}");
        }
        assert!(!uri("http://localhost:3000/cb").matches(&uri("http://localhost:3001/cb")));
        assert!(!uri("https://127.0.0.1/cb").matches(&uri("https://127.0.0.1:444/cb")));
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(raw in ".*", other in "http://127\\.0\\.0\\.1(:[0-9]{0,6})?[/?a-z:@]*") {
            if let (Some(a), Some(b)) = (RedirectUri::parse(&raw), RedirectUri::parse(&other)) {
                prop_assert_eq!(a.matches(&b), b.matches(&a));
            }
        }
    }
}
