//! Where clients may be: patterns of hosts.

use crate::value::RedirectUri;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One host (`app.example`), every host below one (`*.app.example`), the user's own machine (`localhost`: any loopback
/// address), a private-use scheme (`com.example.app:`, RFC 8252 7.1), or all of these (`*`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostPattern {
    /// `*`.
    Any,
    /// `localhost`.
    Loopback,
    /// `app.example`.
    Host(String),
    /// `*.app.example`: every host below it, and not itself.
    Below(String),
    /// `com.example.app:`.
    Scheme(String),
}

impl HostPattern {
    /// The only door in.
    pub fn parse(raw: &str) -> Option<Self> {
        match raw {
            "*" => return Some(Self::Any),
            "localhost" => return Some(Self::Loopback),
            _ => {}
        }
        if let Some(scheme) = raw.strip_suffix(':') {
            return (is_name(scheme) && scheme.contains('.')).then(|| Self::Scheme(scheme.to_owned()));
        }
        match raw.strip_prefix("*.") {
            Some(rest) => is_name(rest).then(|| Self::Below(rest.to_owned())),
            None => is_name(raw).then(|| Self::Host(raw.to_owned())),
        }
    }

    /// Whether a host is meant.
    pub fn matches_host(&self, host: &str) -> bool {
        // The dot after the last label makes no other host of it.
        let host = host.strip_suffix('.').unwrap_or(host);
        match self {
            Self::Any => true,
            Self::Host(name) => name == host,
            Self::Below(name) => host
                .strip_suffix(name.as_str())
                .and_then(|rest| rest.strip_suffix('.'))
                .is_some_and(|it| !it.is_empty()),
            Self::Loopback => ["localhost", "127.0.0.1", "[::1]"].contains(&host),
            Self::Scheme(_) => false,
        }
    }

    /// Whether the place that a redirect URI leads to is meant.
    pub fn matches(&self, uri: &RedirectUri) -> bool {
        match self {
            Self::Any => true,
            Self::Loopback => uri.is_loopback(),
            Self::Scheme(scheme) => uri.scheme().strip_suffix(':') == Some(scheme.as_str()),
            Self::Host(_) | Self::Below(_) => {
                uri.scheme() == "https:" && uri.host_name().is_some_and(|host| self.matches_host(&host))
            }
        }
    }
}

fn is_name(raw: &str) -> bool {
    (1..=253).contains(&raw.len())
        && raw.split('.').all(|label| !label.is_empty())
        && raw.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b))
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Loopback => f.write_str("localhost"),
            Self::Host(name) => f.write_str(name),
            Self::Below(name) => write!(f, "*.{name}"),
            Self::Scheme(scheme) => write!(f, "{scheme}:"),
        }
    }
}

impl Serialize for HostPattern {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HostPattern {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = String::deserialize(deserializer)?;
        Self::parse(&raw).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "{raw:?} is no host: a name in lower case, *.name, localhost, a private-use scheme with its colon, or *"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_means_its_hosts_and_no_others() {
        let pattern = |raw| HostPattern::parse(raw).unwrap();
        for (raw, good, bad) in [
            (
                "app.example",
                &["https://app.example/cb", "https://app.example:8443/"][..],
                &[
                    "https://x.app.example/",
                    "https://app.example.evil/",
                    "https://xapp.example/",
                    "http://127.0.0.1/",
                    "com.example.app:/cb",
                ][..],
            ),
            (
                "*.app.example",
                &["https://x.app.example/", "https://y.x.app.example/"],
                &["https://app.example/", "https://xapp.example/", "https://app.example.evil/"],
            ),
            (
                "localhost",
                &["http://localhost:3000/cb", "http://127.0.0.1/", "http://[::1]/cb"],
                &["https://localhost.example/", "com.example.app:/cb"],
            ),
            ("com.example.app:", &["com.example.app:/cb"], &["com.example.app.evil:/cb", "https://com.example.app/"]),
            ("*", &["https://anything.example/", "http://localhost/", "com.example.app:/cb"], &[]),
        ] {
            for uri in good {
                assert!(pattern(raw).matches(&RedirectUri::parse(uri).unwrap()), "{raw} {uri}");
            }
            for uri in bad {
                assert!(!pattern(raw).matches(&RedirectUri::parse(uri).unwrap()), "{raw} {uri}");
            }
            assert_eq!(pattern(raw).to_string(), raw);
        }
        assert!(pattern("app.example").matches_host("app.example."));
        assert!(pattern("localhost").matches_host("127.0.0.1") && !pattern("localhost").matches_host("192.0.2.1"));
    }

    #[test]
    fn what_could_be_meant_otherwise_is_no_pattern() {
        for raw in
            ["", "App.example", "https://app.example", "*.", "a..b", ".a", "*.*.a", "a.*", "javascript:", "a b", "a/"]
        {
            assert_eq!(HostPattern::parse(raw), None, "{raw}");
        }
    }
}
