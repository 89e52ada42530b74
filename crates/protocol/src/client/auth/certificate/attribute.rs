//! One attribute of a distinguished name: its type and its value, in the form in which equal ones are equal.

use x509_parser::asn1_rs::{Any, Class, FromDer as _, Tag};
use x509_parser::x509::AttributeTypeAndValue;

/// A type and a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Attribute {
    /// The object identifier, in the octets of its DER.
    kind: Vec<u8>,
    value: Value,
}

/// What an attribute says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    /// Text of any encoding, prepared to be compared (RFC 4518 2).
    Text(String),
    /// Anything else, compared octet by octet.
    Other { tag: Vec<u8>, content: Vec<u8> },
}

/// The names of types: those of RFC 4514 3, and those that stand in the certificates of organisations besides. A type
/// that is not here is written as its object identifier.
const NAMES: [(&str, &str); 41] = [
    ("CN", "2.5.4.3"),
    ("commonName", "2.5.4.3"),
    ("SN", "2.5.4.4"),
    ("surname", "2.5.4.4"),
    ("serialNumber", "2.5.4.5"),
    ("C", "2.5.4.6"),
    ("countryName", "2.5.4.6"),
    ("L", "2.5.4.7"),
    ("localityName", "2.5.4.7"),
    ("ST", "2.5.4.8"),
    ("S", "2.5.4.8"),
    ("stateOrProvinceName", "2.5.4.8"),
    ("STREET", "2.5.4.9"),
    ("streetAddress", "2.5.4.9"),
    ("O", "2.5.4.10"),
    ("organizationName", "2.5.4.10"),
    ("OU", "2.5.4.11"),
    ("organizationalUnitName", "2.5.4.11"),
    ("T", "2.5.4.12"),
    ("title", "2.5.4.12"),
    ("businessCategory", "2.5.4.15"),
    ("postalCode", "2.5.4.17"),
    ("name", "2.5.4.41"),
    ("GN", "2.5.4.42"),
    ("givenName", "2.5.4.42"),
    ("initials", "2.5.4.43"),
    ("generationQualifier", "2.5.4.44"),
    ("dnQualifier", "2.5.4.46"),
    ("pseudonym", "2.5.4.65"),
    ("organizationIdentifier", "2.5.4.97"),
    ("UID", "0.9.2342.19200300.100.1.1"),
    ("userId", "0.9.2342.19200300.100.1.1"),
    ("DC", "0.9.2342.19200300.100.1.25"),
    ("domainComponent", "0.9.2342.19200300.100.1.25"),
    ("E", "1.2.840.113549.1.9.1"),
    ("emailAddress", "1.2.840.113549.1.9.1"),
    ("unstructuredName", "1.2.840.113549.1.9.2"),
    ("unstructuredAddress", "1.2.840.113549.1.9.8"),
    ("jurisdictionL", "1.3.6.1.4.1.311.60.2.1.1"),
    ("jurisdictionST", "1.3.6.1.4.1.311.60.2.1.2"),
    ("jurisdictionC", "1.3.6.1.4.1.311.60.2.1.3"),
];

impl Attribute {
    /// That of a certificate.
    pub(super) fn from_x509(attribute: &AttributeTypeAndValue<'_>) -> Self {
        Self { kind: attribute.attr_type().as_bytes().to_vec(), value: Value::of(attribute.attr_value()) }
    }

    /// From `type=value` (RFC 4514 3).
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (kind, value) = text.split_once('=')?;
        let value = value.trim_start_matches(' ');
        let value = match value.strip_prefix('#') {
            Some(digits) => Value::from_hex(digits.trim_end_matches(' '))?,
            None => Value::text(&unescape(value)?),
        };
        Some(Self { kind: object_identifier(kind.trim_matches(' '))?, value })
    }
}

impl Value {
    fn of(any: &Any<'_>) -> Self {
        string(any).map_or_else(
            || Self::Other { tag: any.header.raw_tag().unwrap_or_default().to_vec(), content: any.data.to_vec() },
            |text| Self::text(&text),
        )
    }

    /// RFC 4514 2.4: the DER of a value in hexadecimal digits.
    fn from_hex(digits: &str) -> Option<Self> {
        let octets = hexadecimal(digits.as_bytes())?;
        let (rest, any) = Any::from_der(&octets).ok()?;
        rest.is_empty().then(|| Self::of(&any))
    }

    /// As `caseIgnoreMatch` compares it (RFC 4517 4.2.11), which is the rule for the text of all these types.
    /// Characters that RFC 4518 2.2 maps to nothing stay, and so does what NFKC would compose: fewer names are equal,
    /// and none by what nobody can see.
    fn text(text: &str) -> Self {
        let words: Vec<_> = text.split_whitespace().collect();
        Self::Text(words.join(" ").chars().flat_map(char::to_lowercase).collect())
    }
}

/// The text of a string type, if it is one.
fn string(any: &Any<'_>) -> Option<String> {
    if any.class() != Class::Universal || any.header.constructed() {
        return None;
    }
    match any.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::NumericString | Tag::Ia5String | Tag::VisibleString => {
            std::str::from_utf8(any.data).ok().map(str::to_owned)
        }
        // What lies beyond ASCII in these differs from one implementation to the next.
        Tag::T61String => any.data.is_ascii().then(|| any.data.iter().copied().map(char::from).collect()),
        Tag::BmpString => {
            let (units, rest) = any.data.as_chunks();
            rest.is_empty()
                .then(|| char::decode_utf16(units.iter().copied().map(u16::from_be_bytes)))?
                .collect::<Result<_, _>>()
                .ok()
        }
        Tag::UniversalString => {
            let (units, rest) = any.data.as_chunks();
            let character = |unit: &[u8; 4]| char::from_u32(u32::from_be_bytes(*unit));
            rest.is_empty().then(|| units.iter().map(character).collect())?
        }
        _ => None,
    }
}

/// A string without its escapes (RFC 4514 3).
fn unescape(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'\\' => {
                let (&escaped, after) = rest.split_first()?;
                if b" \"#+,;<=>\\".contains(&escaped) {
                    octets.push(escaped);
                    rest = after;
                } else {
                    let (digits, after) = rest.split_at_checked(2)?;
                    octets.extend(hexadecimal(digits)?);
                    rest = after;
                }
            }
            0 | b'"' | b'+' | b',' | b';' | b'<' | b'>' => return None,
            other => octets.push(other),
        }
    }
    String::from_utf8(octets).ok()
}

/// Pairs of digits, at least one.
fn hexadecimal(digits: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_chunks::<2>();
    if pairs.is_empty() || !rest.is_empty() {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

/// The octets of an object identifier that is named, or written in decimal (RFC 4512 1.4).
fn object_identifier(text: &str) -> Option<Vec<u8>> {
    let dotted = match NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
        Some((_, dotted)) => dotted,
        None => text,
    };
    let number = |text: &str| {
        let canonical = text == "0" || !text.starts_with('0');
        (canonical && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse::<u64>().ok())?
    };
    let numbers: Vec<u64> = dotted.split('.').map(number).collect::<Option<_>>()?;
    let [root, second, rest @ ..] = numbers.as_slice() else { return None };
    if *root > 2 || (*root < 2 && *second > 39) {
        return None;
    }
    // X.690 8.19.4: the first two share one.
    let first = (root * 40).checked_add(*second)?;
    Some([first].iter().chain(rest).flat_map(|number| base_128(*number)).collect())
}

/// X.690 8.19.2: seven bits in each octet, the last one marked by its eighth.
fn base_128(number: u64) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut left = number;
    loop {
        let [low, ..] = left.to_le_bytes();
        octets.push(if octets.is_empty() { low & 0x7f } else { low | 0x80 });
        left >>= 7;
        if left == 0 {
            octets.reverse();
            return octets;
        }
    }
}
