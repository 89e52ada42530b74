//! What a proof is compared by when it names the URI of its request (RFC 9449 4.3): that URI without query and fragment, in
//! the one spelling that RFC 3986 6.2.2 and 6.2.3 give to all that are equivalent.
//!
//! The parser of browsers (WHATWG) is no help here: it takes `\` for `/`, drops tabs, and leaves `%7E` as it is.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::Ipv6Addr;

/// The target URI of an HTTP request (RFC 9110 7.1), normalised, without query and fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TargetUri(String);

impl TargetUri {
    /// The only door in: `http` or `https`, absolute, without userinfo (RFC 9110 4.2.4).
    pub(super) fn parse(raw: &str) -> Option<Self> {
        let (scheme, rest) = raw.split_once("://")?;
        let (scheme, default_port) = SCHEMES.into_iter().find(|(name, _)| scheme.eq_ignore_ascii_case(name))?;
        let (rest, _) = rest.split_at_checked(rest.find(['?', '#']).unwrap_or(rest.len()))?;
        let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len()))?;
        let (host, port) = host_and_port(authority)?;
        let mut uri = String::with_capacity(raw.len().saturating_add(1));
        uri.push_str(scheme);
        uri.push_str("://");
        uri.push_str(&host);
        if let Some(port) = port.filter(|port| *port != default_port) {
            write!(uri, ":{port}").ok()?;
        }
        uri.push_str(&without_dot_segments(&unescaped(path, ":@/")?));
        Some(Self(uri))
    }

    /// The normalised text.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is called over HTTP, and at which port where none is said (RFC 9110 4.2).
const SCHEMES: [(&str, u16); 2] = [("https", 443), ("http", 80)];

fn host_and_port(authority: &str) -> Option<(Cow<'_, str>, Option<u16>)> {
    let (host, digits) = match authority.rsplit_once(':') {
        // The last colon of an address in brackets is no port's.
        Some((host, digits)) if !digits.ends_with(']') => (host, digits),
        _ => (authority, ""),
    };
    let port = match digits {
        "" => None,
        // `parse` would take a sign.
        digits if digits.bytes().all(|digit| digit.is_ascii_digit()) => Some(digits.parse().ok()?),
        _ => return None,
    };
    let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => format!("[{}]", address.parse::<Ipv6Addr>().ok()?).into(),
        None => registered_name(host)?,
    };
    Some((host, port))
}

/// RFC 3986 3.2.2, 6.2.2.1. An empty one is no HTTP host (RFC 9110 4.2.1).
fn registered_name(raw: &str) -> Option<Cow<'_, str>> {
    let name = match unescaped(raw, "")? {
        Cow::Borrowed(name) if !name.bytes().any(|byte| byte.is_ascii_uppercase()) => Cow::Borrowed(name),
        // Twice, since a triplet may hide a capital letter, and small letters are not for triplets.
        name => unescaped(&name.to_ascii_lowercase(), "")?.into_owned().into(),
    };
    (!name.is_empty()).then_some(name)
}

/// RFC 3986 6.2.2.1, 6.2.2.2: what need not be encoded is not, and the rest is in capital digits. None when a character
/// stands here that is neither unreserved, nor a sub-delimiter, nor one of these.
fn unescaped<'a>(raw: &'a str, others: &str) -> Option<Cow<'a, str>> {
    // Most have nothing to change.
    if raw.bytes().all(|byte| is_unreserved(byte.into()) || (byte == b'/' && others.contains('/'))) {
        return Some(raw.into());
    }
    let mut text = String::with_capacity(raw.len());
    let mut letters = raw.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            let allowed = is_unreserved(letter) || "!$&'()*+,;=".contains(letter) || others.contains(letter);
            text.push(Some(letter).filter(|_| allowed)?);
            continue;
        }
        let octet = letters.next()?.to_digit(16)? * 16 + letters.next()?.to_digit(16)?;
        match char::from_u32(octet).filter(|letter| is_unreserved(*letter)) {
            Some(letter) => text.push(letter),
            None => write!(text, "%{octet:02X}").ok()?,
        }
    }
    Some(text.into())
}

/// RFC 3986 2.3.
fn is_unreserved(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_' | '~')
}

/// RFC 3986 5.2.4, and 6.2.3 for the empty path.
fn without_dot_segments(path: &str) -> Cow<'_, str> {
    if !path.is_empty() && !path.contains("/.") {
        return path.into();
    }
    let mut kept = Vec::new();
    for segment in path.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            segment => kept.push(segment),
        }
    }
    // What ends with a dot segment is a directory.
    if path.ends_with("/.") || path.ends_with("/..") {
        kept.push("");
    }
    format!("/{}", kept.join("/")).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn normal(raw: &str) -> Option<String> {
        TargetUri::parse(raw).map(|uri| uri.0)
    }

    #[test]
    fn rfc3986_6_2_2_1_scheme_host_and_triplets_in_one_case() {
        assert_eq!(normal("HTTPS://Server.EXAMPLE.com/Token").as_deref(), Some("https://server.example.com/Token"));
        assert_eq!(normal("https://a/%c3%a9").as_deref(), Some("https://a/%C3%A9"));
        assert_eq!(normal("https://B%c3%bCcher/").as_deref(), Some("https://b%C3%BCcher/"));
        assert_eq!(normal("https://[2001:DB8:0:0::1]/").as_deref(), Some("https://[2001:db8::1]/"));
    }

    #[test]
    fn rfc3986_6_2_2_2_what_need_not_be_encoded_is_decoded() {
        assert_eq!(normal("https://a/%7Euser/%61%2D%5f").as_deref(), Some("https://a/~user/a-_"));
        assert_eq!(normal("https://%41.example/").as_deref(), Some("https://a.example/"));
        // A reserved character means something else when it is encoded.
        assert_eq!(normal("https://a/x%2fy").as_deref(), Some("https://a/x%2Fy"));
        assert_eq!(normal("https://a/%2561").as_deref(), Some("https://a/%2561"));
        assert_eq!(normal("https://a/%00%ff").as_deref(), Some("https://a/%00%FF"));
    }

    #[test]
    fn rfc3986_6_2_2_3_dot_segments_are_removed() {
        for (raw, path) in [
            ("/a/b/c/./../../g", "/a/g"),
            ("/./b/../b/%63/%7bfoo%7d", "/b/c/%7Bfoo%7D"),
            ("/a/%2e%2E/b", "/b"),
            ("/../../a", "/a"),
            ("/a/..", "/"),
            ("/a/b/..", "/a/"),
            ("/a/b/.", "/a/b/"),
            ("/a//../b", "/a/b"),
            ("/a/...", "/a/..."),
            ("//a", "//a"),
        ] {
            assert_eq!(normal(&format!("https://a{raw}")), Some(format!("https://a{path}")), "{raw}");
        }
    }

    #[test]
    fn rfc3986_6_2_3_the_default_port_and_the_empty_path() {
        for same in ["https://a", "https://a/", "https://a:443", "https://a:/", "https://a:0443/"] {
            assert_eq!(normal(same).as_deref(), Some("https://a/"), "{same}");
        }
        assert_eq!(normal("http://a:80/").as_deref(), Some("http://a/"));
        assert_eq!(normal("http://[::1]:8080").as_deref(), Some("http://[::1]:8080/"));
        for (raw, kept) in [("https://a:80/", "https://a:80/"), ("http://a:443/", "http://a:443/")] {
            assert_eq!(normal(raw).as_deref(), Some(kept));
        }
    }

    #[test]
    fn rfc9449_4_3_query_and_fragment_are_ignored() {
        for raw in ["https://a/t?x=1", "https://a/t#x", "https://a/t?x#y/../z", "https://a/t?@:\\ é%"] {
            assert_eq!(normal(raw).as_deref(), Some("https://a/t"), "{raw}");
        }
        assert_eq!(normal("https://a?x/y").as_deref(), Some("https://a/"));
        assert_eq!(normal("https://a#@b/").as_deref(), Some("https://a/"));
    }

    #[test]
    fn rfc9110_4_2_4_userinfo_is_refused() {
        for raw in
            ["https://u@a/", "https://u:p@a/", "https://@a/", "https://:@a/", "https://a:1@b/", "https://u:1@[::1]/"]
        {
            assert_eq!(normal(raw), None, "{raw}");
        }
        assert_eq!(normal("https://a/@b:c").as_deref(), Some("https://a/@b:c"));
    }

    #[test]
    fn rfc9110_4_2_only_http_uris_that_are_well_formed() {
        for raw in [
            "",
            "/token",
            "a/token",
            "//a/token",
            "https:/a",
            "https:a",
            "https://",
            "https:///token",
            "https://:443/",
            "ftp://a/",
            "wss://a/",
            "urn:x://a",
            " https://a/",
            "https://a/ ",
            "https://a\\b",
            "https://a/\\b",
            "https://a/\t",
            "https://a/\u{e9}",
            "https://\u{e9}/",
            "https://a/%",
            "https://a/%4",
            "https://a/%4g",
            "https://a/%+1",
            "https://a:+443/",
            "https://a:x/",
            "https://a:65536/",
            "https://a:443:443/",
            "https://[::1/",
            "https://::1/",
            "https://[::g]/",
            "https://[]/",
            "https://[::1]x/",
            "https://[fe80::1%25en0]/",
            "https://a/\"",
            "https://a/<>",
            "https://a/{x}",
            "https://a/^`|",
        ] {
            assert_eq!(normal(raw), None, "{raw:?}");
        }
    }

    #[test]
    fn rfc3986_6_1_what_is_not_equivalent_stays_apart() {
        let one = normal("https://server.example.com/token").unwrap();
        for other in [
            "http://server.example.com/token",
            "https://server.example.com/token/",
            "https://server.example.com/Token",
            "https://server.example.com//token",
            "https://server.example.com./token",
            "https://server.example.com:8443/token",
            "https://server.example.com/t/token",
            "https://server.example.com%2Ftoken",
            "https://example.com/token",
        ] {
            assert!(normal(other).is_some_and(|other| other != one), "{other}");
        }
    }

    proptest! {
        #[test]
        fn rfc3986_6_2_2_normalising_twice_changes_nothing(
            scheme in "(https?|HTTPS?)",
            host in "[a-zA-Z]([a-zA-Z0-9.~!-]|%[0-9a-fA-F]{2}){0,12}|\\[[0-9a-fA-F:]{2,12}\\]",
            port in "(:[0-9]{0,5})?",
            path in "(/(\\.{1,3}|([a-zA-Z0-9.~@:+-]|%[0-9a-fA-F]{2}){0,6})){0,8}",
            rest in "([?#].*)?",
        ) {
            if let Some(once) = normal(&format!("{scheme}://{host}{port}{path}{rest}")) {
                prop_assert_eq!(normal(&once), Some(once.clone()));
                prop_assert!(!once.contains("/./") && !once.contains("/../"));
            }
        }

        #[test]
        fn arbitrary_text_never_panics(raw in "\\PC*", tail in "\\PC*") {
            for raw in [raw.clone(), format!("https://{raw}"), format!("https://a/{raw}%{tail}")] {
                if let Some(once) = normal(&raw) {
                    prop_assert_eq!(normal(&once), Some(once.clone()));
                }
            }
        }
    }
}
