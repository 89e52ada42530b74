//! Raw form or query to parameters (RFC 6749 3.1, 3.2, appendix B).

use crate::error::Refusal;
use memchr::{memchr, memchr2};
use smol_str::SmolStr;
use std::borrow::Cow;

/// The parameters of one request. Those without a value are as if omitted (RFC 6749 3.1).
#[derive(Clone)]
pub struct Params {
    pairs: Vec<(SmolStr, String)>,
    repeated: bool,
}

/// What is read of one request at the most.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    pairs: usize,
    value: usize,
}

/// Of a request of OAuth.
const OAUTH: Bounds = Bounds { pairs: 100, value: 16 * 1024 };
/// Of a page on which a document is written.
const DOCUMENT: Bounds = Bounds { pairs: 4_000, value: 1 << 20 };
const MAX_NAME: usize = 256;

/// The parameters that may stand more than once (RFC 8707 2); every other one must not (RFC 6749 3.1).
const REPEATABLE: [&str; 1] = ["resource"];

impl Params {
    /// Parses `application/x-www-form-urlencoded`. Invalid escapes, invalid UTF-8 and control characters are refused.
    /// A repeated parameter is remembered: see [`Params::unrepeated`].
    pub fn parse(raw: &[u8]) -> Result<Self, Refusal> {
        Self::within(OAUTH, raw)
    }

    /// The same for the form of a page on which a document is written: it has rows, and long texts.
    pub fn parse_document(raw: &[u8]) -> Result<Self, Refusal> {
        Self::within(DOCUMENT, raw)
    }

    fn within(bounds: Bounds, raw: &[u8]) -> Result<Self, Refusal> {
        let mut params = Self { pairs: Vec::new(), repeated: false };
        let mut rest = raw;
        while !rest.is_empty() {
            let (piece, others) = parted(b'&', rest);
            rest = others;
            if piece.is_empty() {
                continue;
            }
            let (name, value) = parted(b'=', piece);
            let name = decoded(name).ok_or(Refusal::MalformedParameters)?;
            let value = decoded(value).ok_or(Refusal::MalformedParameters)?;
            params.add(bounds, name.into(), value.into_owned())?;
        }
        Ok(params)
    }

    /// From pairs that are decoded already.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, Refusal> {
        let mut params = Self { pairs: Vec::new(), repeated: false };
        for (name, value) in pairs {
            params.add(OAUTH, name.into(), value)?;
        }
        Ok(params)
    }

    /// Refuses a request in which a parameter stands more than once (RFC 6749 3.1, 3.2).
    pub fn unrepeated(&self) -> Result<(), Refusal> {
        if self.repeated { Err(Refusal::RepeatedParameter) } else { Ok(()) }
    }

    /// Whether this parameter stands more than once.
    pub fn is_repeated(&self, name: &str) -> bool {
        self.pairs.iter().filter(|(given, _)| given == name).count() > 1
    }

    /// The value of a parameter; the first when it stands more than once.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// Every value of a parameter that may stand more than once.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// Every pair, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    fn add(&mut self, bounds: Bounds, name: SmolStr, value: String) -> Result<(), Refusal> {
        if name.len() > MAX_NAME || value.len() > bounds.value || self.pairs.len() >= bounds.pairs {
            return Err(Refusal::OversizedParameter);
        }
        if !is_clean(&name) || !is_clean(&value) {
            return Err(Refusal::MalformedParameters);
        }
        if value.is_empty() {
            return Ok(());
        }
        if !REPEATABLE.contains(&name.as_str()) && self.pairs.iter().any(|(given, _)| *given == name) {
            self.repeated = true;
        }
        self.pairs.push((name, value));
        Ok(())
    }
}

/// Values may be secrets: only the names are printed.
impl std::fmt::Debug for Params {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.pairs.iter().map(|(name, _)| name)).finish()
    }
}

/// Whether no control character stands in a text but those of lines and tabs.
fn is_clean(text: &str) -> bool {
    let allowed = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    // Nearly every text is of this kind. Looking at all of it, sixteen bytes at a time, is quicker than stopping early.
    text.bytes().fold(true, |clean, byte| clean & (b' '..=b'~').contains(&byte)) || text.chars().all(allowed)
}

/// One name or value (RFC 6749 appendix B): `+` is a space, `%XX` a byte, the whole is UTF-8.
pub fn decode(raw: &[u8]) -> Option<String> {
    decoded(raw).map(Cow::into_owned)
}

/// What stands before the first such byte, and what after it; nothing when there is none. Tokens are long.
fn parted(at: u8, raw: &[u8]) -> (&[u8], &[u8]) {
    let (before, from) = raw.split_at(memchr(at, raw).unwrap_or(raw.len()));
    (before, from.get(1..).unwrap_or_default())
}

fn decoded(raw: &[u8]) -> Option<Cow<'_, str>> {
    if memchr2(b'+', b'%', raw).is_none() {
        return std::str::from_utf8(raw).ok().map(Cow::Borrowed);
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => hex(*rest.next()?)? << 4 | hex(*rest.next()?)?,
            other => *other,
        });
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// Writes one name or value the same way (WHATWG URL, urlencoded serializing).
pub fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rfc6749_3_1_a_repeated_parameter_is_refused() {
        let params = Params::parse(b"scope=a&state=1&scope=b").unwrap();
        assert_eq!(params.unrepeated(), Err(Refusal::RepeatedParameter));
        assert!(params.is_repeated("scope") && !params.is_repeated("state"));
        assert_eq!(Params::parse(b"a=1&b=2").unwrap().unrepeated(), Ok(()));
    }

    #[test]
    fn rfc8707_2_resource_may_be_repeated() {
        let params = Params::parse(b"resource=urn%3Aa&resource=urn%3Ab").unwrap();
        assert_eq!(params.unrepeated(), Ok(()));
        assert_eq!(params.all("resource").collect::<Vec<_>>(), ["urn:a", "urn:b"]);
    }

    #[test]
    fn rfc6749_3_1_a_parameter_without_a_value_is_as_if_omitted() {
        let params = Params::parse(b"scope=&state&nonce=1&scope=a").unwrap();
        assert_eq!(params.get("state"), None);
        assert_eq!(params.get("scope"), Some("a"));
        assert_eq!(params.unrepeated(), Ok(()));
    }

    #[test]
    fn rfc6749_b_bad_escapes_and_control_characters_are_refused() {
        for bad in [&b"a=%"[..], b"a=%2", b"a=%zz", b"a=%ff", b"a=%00", b"a\x00=1", b"a=\xff", b"%c3=1", b"a=%7f"] {
            assert_eq!(Params::parse(bad).err(), Some(Refusal::MalformedParameters), "{bad:?}");
        }
        assert_eq!(Params::parse(b"a=x+y%20%C3%A9").unwrap().get("a"), Some("x y é"));
    }

    #[test]
    fn oversized_input_is_refused() {
        type Parse = fn(&[u8]) -> Result<Params, Refusal>;
        let both: [(Bounds, Parse); 2] = [(OAUTH, Params::parse), (DOCUMENT, Params::parse_document)];
        for (bounds, parse) in both {
            let long = |more| format!("a={}", "x".repeat(bounds.value + more));
            let many = |more| (0..bounds.pairs + more).map(|n| format!("p{n}=1")).collect::<Vec<_>>().join("&");
            for most in [long(0), many(0)] {
                assert!(parse(most.as_bytes()).is_ok());
            }
            for too_much in [long(1), many(1)] {
                assert_eq!(parse(too_much.as_bytes()).err(), Some(Refusal::OversizedParameter));
            }
        }
    }

    proptest! {
        #[test]
        fn rfc6749_b_what_is_encoded_is_decoded(text in "[^\\p{Cc}]{1,200}") {
            let raw = format!("v={}", encode(&text));
            let params = Params::parse(raw.as_bytes()).unwrap();
            prop_assert_eq!(params.get("v"), Some(text.as_str()));
        }

        #[test]
        fn arbitrary_bytes_never_panic(raw in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Params::parse(&raw);
        }
    }
}
