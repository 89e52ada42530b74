//! A URL that may be asked for.

use crate::FetchError;
use crate::address::is_permitted;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::IpAddr;
use url::{Host, Url};

/// A URL that may be asked for, as far as can be told before its name is resolved: https, without user information and
/// fragment, not too long, and no literal of an address that is forbidden.
#[derive(Debug)]
pub(crate) struct Target(Url);

/// The longest URL, in bytes.
const MAX_URL: usize = 2048;

impl Target {
    /// Reads a URL as it came from outside.
    pub(crate) fn parse(raw: &str, allowed: &[IpNet]) -> Result<Self, FetchError> {
        // The url crate repairs what RFC 3986 forbids (blanks, backslashes, missing slashes). What somebody else may
        // read differently is refused instead.
        if raw.len() > MAX_URL || !raw.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
            return Err(FetchError::MalformedUrl);
        }
        let url = Url::parse(raw).map_err(|_| FetchError::MalformedUrl)?;
        if url.scheme() != "https" {
            return Err(FetchError::NotHttps);
        }
        let (_, rest) = raw.split_once("://").ok_or(FetchError::MalformedUrl)?;
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        if authority.is_empty() || authority.contains('@') || raw.contains('#') {
            return Err(FetchError::MalformedUrl);
        }
        let literal: Option<IpAddr> = match url.host() {
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
            Some(Host::Domain(_)) => None,
            None => return Err(FetchError::MalformedUrl),
        };
        // A literal goes past the resolver, which judges all other addresses.
        if literal.is_some_and(|address| !is_permitted(address, allowed)) {
            return Err(FetchError::ForbiddenAddress);
        }
        Ok(Self(url))
    }

    /// An http URL of this machine, for who develops on it: a literal loopback address, or `localhost`, which RFC 6761 6.3
    /// reserves for it.
    pub(crate) fn on_loopback(raw: &str) -> Result<Self, FetchError> {
        let rest = raw.strip_prefix("http://").ok_or(FetchError::NotHttps)?;
        // Everything but the scheme is judged as it is elsewhere; what the addresses are, right after it.
        let everywhere = [Ipv4Net::default().into(), Ipv6Net::default().into()];
        Self::parse(&format!("https://{rest}"), &everywhere)?;
        let url = Url::parse(raw).map_err(|_| FetchError::MalformedUrl)?;
        let here = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if here { Ok(Self(url)) } else { Err(FetchError::NotHttps) }
    }

    /// A URL as [`Self::parse`] takes it; or an http URL of this machine, if its address is allowed as well.
    pub(crate) fn parse_or_loopback(raw: &str, allowed: &[IpNet]) -> Result<Self, FetchError> {
        match Self::parse(raw, allowed) {
            Err(FetchError::NotHttps) => {
                let target = Self::on_loopback(raw)?;
                match target.literal() {
                    Some(address) if !is_permitted(address, allowed) => Err(FetchError::ForbiddenAddress),
                    _ => Ok(target),
                }
            }
            other => other,
        }
    }

    /// The address, when the URL has no name.
    fn literal(&self) -> Option<IpAddr> {
        match self.0.host()? {
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
            Host::Domain(_) => None,
        }
    }

    /// As it is asked for: equal URLs in different notations are one.
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whom it asks. The dot after the last label of a name makes no other host of it.
    pub(crate) fn authority(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        let host = host.strip_suffix('.').unwrap_or(host);
        format!("{host}:{}", self.0.port_or_known_default().unwrap_or_default())
    }

    pub(crate) fn into_url(self) -> Url {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refusal(raw: &str) -> Option<FetchError> {
        Target::parse(raw, &[]).err()
    }

    #[test]
    fn plain_https_urls_are_targets() {
        for raw in [
            "https://client.example/jwks",
            "HTTPS://Client.Example:8443/a%20b?c=d@e:f",
            "https://client.example",
            "https://client.example?a/b",
            "https://8.8.8.8/",
            "https://[2a00:1450::1]:444/",
        ] {
            assert_eq!(refusal(raw), None, "{raw}");
        }
    }

    #[test]
    fn only_https() {
        for raw in ["http://client.example/", "ftp://client.example/", "file:///etc/passwd", "data:text/plain,x"] {
            assert_eq!(refusal(raw), Some(FetchError::NotHttps), "{raw}");
        }
    }

    #[test]
    fn plain_http_is_for_loopback_alone() {
        for raw in ["http://localhost:8080/jwks", "http://127.0.0.1/", "http://[::1]:80/a?b"] {
            assert!(Target::on_loopback(raw).is_ok(), "{raw}");
        }
        for raw in [
            "http://client.example/",
            "http://localhost.example/",
            "http://10.0.0.1/",
            "http://[::2]/",
            "ftp://localhost/",
        ] {
            assert_eq!(Target::on_loopback(raw).err(), Some(FetchError::NotHttps), "{raw}");
        }
        for raw in ["http://a@localhost/", "http://localhost/#", "http://localhost\\@a.example/", "http:localhost"] {
            assert!(Target::on_loopback(raw).is_err(), "{raw}");
        }
    }

    #[test]
    fn neither_user_information_nor_fragment_nor_what_a_parser_would_repair() {
        for raw in [
            "",
            "jwks",
            "https:",
            "https:client.example/",
            "https:/client.example/",
            "https:///client.example/",
            "https:\\\\client.example/",
            "https://client.example\\@evil.example/",
            "https://client.example\\jwks",
            "https://user@client.example/",
            "https://user:secret@client.example/",
            "https://@client.example/",
            "https://client.example/#",
            "https://client.example/a#b",
            " https://client.example/",
            "https://client.example/\n",
            "https://client\t.example/",
            "https://client.exämple/",
            "https://client.example:65536/",
            "https://[::1%25lo]/",
            "https://1.2.3.4.5/",
        ] {
            assert_eq!(refusal(raw), Some(FetchError::MalformedUrl), "{raw}");
        }
    }

    #[test]
    fn no_longer_than_2048_bytes() {
        let of_length = |length: usize| format!("{:a<length$}", "https://client.example/");
        assert_eq!(refusal(&of_length(MAX_URL)), None);
        assert_eq!(refusal(&of_length(MAX_URL + 1)), Some(FetchError::MalformedUrl));
    }

    #[test]
    fn literals_of_forbidden_addresses_in_every_notation() {
        for host in [
            "127.0.0.1",
            "127.1",
            "0x7f.1",
            "0x7f000001",
            "0177.0.0.1",
            "2130706433",
            "017700000001",
            "127.0.0.1.",
            "%31%32%37.0.0.1",
            "0",
            "169.254.169.254",
            "[::1]",
            "[::]",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::127.0.0.1]",
            "[64:ff9b::127.0.0.1]",
            "[2002:7f00:1::]",
            "[fe80::1]",
            "[fd00:ec2::254]",
        ] {
            assert_eq!(refusal(&format!("https://{host}:8443/")), Some(FetchError::ForbiddenAddress), "{host}");
        }
        let allowed = ["127.0.0.0/8".parse().unwrap()];
        for host in ["127.0.0.1", "2130706433", "[::ffff:127.0.0.1]"] {
            assert!(Target::parse(&format!("https://{host}/"), &allowed).is_ok(), "{host}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(raw: String) {
            let _ = Target::parse(&raw, &[]);
        }

        /// Who connects reads the host once more, from the URL's own text.
        #[test]
        fn the_connector_sees_the_literal_that_was_judged(host in "[0-9a-fx.%\\[\\]:]{1,24}") {
            if let Ok(target) = Target::parse(&format!("https://{host}/"), &[]) {
                let host = target.0.host_str().unwrap();
                let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
                prop_assert!(literal.map_or(true, |address| is_permitted(address, &[])));
            }
        }
    }
}
