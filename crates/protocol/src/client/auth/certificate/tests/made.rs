//! Certificates made octet by octet: nothing here checks a signature, and no library writes what is wrong.

use crate::client::auth::certificate::ClientCertificate;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::fmt::Write as _;

pub(super) const UTF8: u8 = 0x0c;
pub(super) const PRINTABLE: u8 = 0x13;
pub(super) const CN: &[u8] = &[0x55, 4, 3];
pub(super) const O: &[u8] = &[0x55, 4, 10];

/// What a certificate says.
#[derive(Clone)]
pub(super) struct Made {
    pub(super) subject: Vec<u8>,
    pub(super) alternatives: Vec<Vec<u8>>,
    pub(super) spki: Vec<u8>,
    pub(super) life: [&'static str; 2],
    pub(super) trusted: bool,
}

impl Made {
    /// Through 2027, for `CN=client,O=Example`.
    pub(super) fn new() -> Self {
        let spki = "MCowBQYDK2VwAyEA6o/zsjOX5fHujFdJ0DwqAD/fEWD9bWNyx3MUTLX8400=";
        Self {
            subject: name(&[&[(O, UTF8, b"Example")], &[(CN, UTF8, b"client")]]),
            alternatives: Vec::new(),
            spki: STANDARD.decode(spki).unwrap(),
            life: ["20270101000000Z", "20280101000000Z"],
            trusted: true,
        }
    }

    pub(super) fn with_alternative(kind: u8, content: &[u8]) -> Self {
        Self { alternatives: vec![tlv(0x80 | kind, content)], ..Self::new() }
    }

    pub(super) fn der(&self) -> Vec<u8> {
        let ecdsa = tlv(0x30, &tlv(0x06, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]));
        let life = self.life.map(|moment| tlv(0x18, moment.as_bytes())).concat();
        let issuer = name(&[&[(CN, UTF8, b"anybody")]]);
        let mut parts = vec![tlv(0xa0, &tlv(0x02, &[2])), tlv(0x02, &[1]), ecdsa.clone(), issuer, tlv(0x30, &life)];
        parts.extend([self.subject.clone(), self.spki.clone()]);
        if !self.alternatives.is_empty() {
            parts.push(tlv(0xa3, &tlv(0x30, &alternative_names(&self.alternatives))));
        }
        tlv(0x30, &[tlv(0x30, &parts.concat()), ecdsa, tlv(0x03, &[0, 0])].concat())
    }

    pub(super) fn certificate(&self) -> ClientCertificate {
        ClientCertificate::parse(&self.der(), self.trusted).unwrap()
    }
}

/// The extension (RFC 5280 4.2.1.6).
pub(super) fn alternative_names(names: &[Vec<u8>]) -> Vec<u8> {
    let names = tlv(0x30, &names.concat());
    tlv(0x30, &[tlv(0x06, &[0x55, 0x1d, 0x11]), tlv(0x04, &names)].concat())
}

/// Type, tag of the value, value.
pub(super) type Attribute<'a> = (&'a [u8], u8, &'a [u8]);

/// A name of levels, each a set of attributes.
pub(super) fn name(levels: &[&[Attribute<'_>]]) -> Vec<u8> {
    let attribute = |(kind, tag, value): &Attribute<'_>| tlv(0x30, &[tlv(0x06, kind), tlv(*tag, value)].concat());
    let level = |level: &&[Attribute<'_>]| tlv(0x31, &level.iter().flat_map(attribute).collect::<Vec<_>>());
    tlv(0x30, &levels.iter().flat_map(level).collect::<Vec<_>>())
}

/// As RFC 4514 2.4 escapes anything.
pub(in crate::client::auth::certificate) fn escaped(value: &str) -> String {
    value.bytes().fold(String::new(), |mut text, byte| {
        write!(text, "\\{byte:02X}").unwrap();
        text
    })
}

pub(super) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = match content.len() {
        short @ ..0x80 => vec![u8::try_from(short).unwrap()],
        long => [&[0x82][..], &u16::try_from(long).unwrap().to_be_bytes()].concat(),
    };
    // DER wants the shortest length.
    let length = if (0x80..0x100).contains(&content.len()) { vec![0x81, length[2]] } else { length };
    [&[tag][..], &length, content].concat()
}
