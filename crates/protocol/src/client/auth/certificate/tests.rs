//! The rules, on certificates that are made octet by octet and on one that OpenSSL made.

mod made;

pub(super) use made::escaped;

use super::*;
use crate::value::{ClientId, TenantName};
use made::{Attribute, CN, Made, O, PRINTABLE, UTF8, alternative_names, name, tlv};
use proptest::prelude::*;
use serde_json::{Value, json};

/// 2027-07-01.
const NOW: UnixTime = UnixTime::new(1_814_400_000);
const NOT_BEFORE: i64 = 1_798_761_600;
const NOT_AFTER: i64 = 1_830_297_600;

/// Of the subject `emailAddress=…, CN + serialNumber, organizationIdentifier, O, C`, and of alternative names of each
/// kind.
const OPENSSL: &[u8] = include_bytes!("tests/openssl.der");
/// What `openssl x509 -subject -nameopt RFC2253` prints of it.
const OPENSSL_SUBJECT: &str = r"emailAddress=ops@example.com,CN=Client One+serialNumber=42,organizationIdentifier=PSDDE-BAFIN-123,O=B\C3\A4cker\, S\C3\B6hne & Co,C=DE";

fn client(members: &Value) -> ClientMetadata {
    let mut client = ClientMetadata::new(TenantName::default(), ClientId::parse("a").unwrap());
    client.token_endpoint_auth_method = AuthMethod::TlsClientAuth;
    let mut all = serde_json::to_value(&client).unwrap();
    all.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    serde_json::from_value(all).unwrap()
}

fn asked(certificate: &ClientCertificate, field: &str, value: &str) -> Result<(), Refusal> {
    tls_client_auth(certificate, &client(&json!({ field: value })), NOW)
}

fn matches(certificate: &ClientCertificate, field: &str, value: &str) -> bool {
    match asked(certificate, field, value) {
        Ok(()) => true,
        Err(refusal) => {
            assert_eq!(refusal, Refusal::ClientCertificateMismatch);
            false
        }
    }
}

fn has_subject(subject: Vec<u8>, text: &str) -> bool {
    matches(&Made { subject, ..Made::new() }.certificate(), "tls_client_auth_subject_dn", text)
}

#[test]
fn rfc8705_2_1_2_a_certificate_of_openssl_is_known_by_any_one_of_its_names() {
    let certificate = ClientCertificate::parse(OPENSSL, true).unwrap();
    for (field, value) in [
        ("tls_client_auth_subject_dn", OPENSSL_SUBJECT),
        ("tls_client_auth_san_dns", "client.example.COM"),
        ("tls_client_auth_san_uri", "https://client.example.com/A"),
        ("tls_client_auth_san_ip", "192.0.2.7"),
        ("tls_client_auth_san_ip", "2001:0db8:0:0::7"),
        ("tls_client_auth_san_email", "Ops@example.com"),
    ] {
        assert_eq!(asked(&certificate, field, value), Ok(()), "{field} {value}");
    }
}

#[test]
fn rfc8705_2_1_2_a_name_counts_only_as_what_it_is() {
    let certificate = ClientCertificate::parse(OPENSSL, true).unwrap();
    for (field, value) in [
        ("tls_client_auth_subject_dn", "CN=Someone Else"),
        ("tls_client_auth_subject_dn", "CN=client.example.com"),
        ("tls_client_auth_subject_dn", "emailAddress=Ops@Example.com"),
        ("tls_client_auth_san_email", "ops@example.com"),
        ("tls_client_auth_san_dns", "Client One"),
        ("tls_client_auth_san_dns", "192.0.2.7"),
        ("tls_client_auth_san_uri", "client.example.com"),
        ("tls_client_auth_san_ip", "::ffff:192.0.2.7"),
    ] {
        assert!(!matches(&certificate, field, value), "{field} {value}");
    }
    let subject = Made::new().certificate();
    assert!(!matches(&subject, "tls_client_auth_san_dns", "client"));
    let by_address = Made::with_alternative(2, b"192.0.2.7").certificate();
    assert!(!matches(&by_address, "tls_client_auth_san_ip", "192.0.2.7"));
}

#[test]
fn rfc8705_2_1_an_untrusted_chain_is_refused_whatever_it_says() {
    let untrusted = ClientCertificate::parse(OPENSSL, false).unwrap();
    for subject in [OPENSSL_SUBJECT, "CN=x"] {
        let refused = asked(&untrusted, "tls_client_auth_subject_dn", subject);
        assert_eq!(refused, Err(Refusal::ClientCertificateUntrusted));
    }
}

#[test]
fn rfc5280_4_1_2_5_both_ends_of_the_time_belong_to_it() {
    let certificate = Made::new().certificate();
    let by_subject = client(&json!({"tls_client_auth_subject_dn": "CN=client,O=Example"}));
    let keys = keys(|_| {});
    for (now, valid) in
        [(NOT_BEFORE - 1, false), (NOT_BEFORE, true), (NOT_AFTER, true), (NOT_AFTER + 1, false), (i64::MAX, false)]
    {
        let expected = if valid { Ok(()) } else { Err(Refusal::ClientCertificateUntrusted) };
        assert_eq!(tls_client_auth(&certificate, &by_subject, UnixTime::new(now)), expected, "{now}");
        assert_eq!(self_signed(&certificate, &keys, UnixTime::new(now)), expected, "{now}");
    }
}

#[test]
fn rfc8705_2_1_2_exactly_one_subject_is_registered() {
    let certificate = Made::with_alternative(2, b"client.example").certificate();
    let both = json!({
        "tls_client_auth_subject_dn": "CN=client,O=Example",
        "tls_client_auth_san_dns": "client.example",
    });
    for members in [both, json!({})] {
        let refused = tls_client_auth(&certificate, &client(&members), NOW);
        assert_eq!(refused, Err(Refusal::ClientCertificateMismatch));
    }
}

#[test]
fn rfc4517_4_2_15_a_subject_is_compared_by_attributes() {
    let printable = name(&[&[(O, PRINTABLE, b"EXAMPLE")], &[(CN, PRINTABLE, b" the  client ")]]);
    assert!(has_subject(printable.clone(), "CN=The Client,O=Example"));
    assert!(has_subject(printable.clone(), "2.5.4.3=#0C0A74686520636C69656E74,O=Example"));
    assert!(!has_subject(printable.clone(), "O=Example,CN=The Client"));
    assert!(!has_subject(printable.clone(), "CN=The Client"));
    assert!(!has_subject(printable, "CN=The Client,O=Example,C=DE"));
    let several = name(&[&[(O, UTF8, b"Example"), (CN, UTF8, b"client")]]);
    assert!(has_subject(several.clone(), "CN=client+O=Example"));
    assert!(!has_subject(several, "CN=client,O=Example"));
    let comma = name(&[&[(CN, UTF8, b"client,O=Example")]]);
    assert!(has_subject(comma.clone(), r"CN=client\,O=Example"));
    assert!(!has_subject(comma, "CN=client,O=Example"));
}

#[test]
fn rfc5280_4_1_2_4_text_of_any_encoding() {
    let cases: [(u8, &[u8]); 4] = [
        (0x1e, &[0, b'C', 0, 0xe4]),
        (0x1c, &[0, 0, 0, b'C', 0, 0, 0, 0xe4]),
        (UTF8, "cÄ".as_bytes()),
        (0x16, "cÄ".as_bytes()),
    ];
    for (tag, value) in cases {
        assert!(has_subject(name(&[&[(CN, tag, value)]]), "CN=cä"), "{tag}");
    }
    assert!(has_subject(name(&[&[(CN, 0x14, b"Client")]]), "CN=client"));
    // Not text, so compared as it stands: T61String beyond ASCII, half a character of BMPString, an OCTET STRING.
    let others: [(u8, &[u8], &str); 4] = [
        (0x14, &[b'c', 0xe4], "#140263E4"),
        (0x1e, &[0, b'c', 0], "#1E03006300"),
        (0x04, b"c", "#040163"),
        (UTF8, &[0xff], "#0C01FF"),
    ];
    for (tag, value, hex) in others {
        let subject = name(&[&[(CN, tag, value)]]);
        assert!(has_subject(subject.clone(), &format!("CN={hex}")), "{hex}");
        assert!(!has_subject(subject.clone(), "CN=c"), "{hex}");
        assert!(!has_subject(subject, "CN=cä"), "{hex}");
    }
    assert!(!has_subject(name(&[&[(CN, 0x04, b"c")]]), "CN=#0C0163"));
}

#[test]
fn rfc4512_1_4_object_identifiers_of_any_length() {
    let subject = |kind: &[u8]| name(&[&[(kind, UTF8, b"c")]]);
    assert!(has_subject(subject(&[0x88, 0x37]), "2.999=c"));
    assert!(has_subject(subject(&[0x2b, 6, 1, 4, 1, 0x82, 0x37, 60, 2, 1, 3]), "jurisdictionC=c"));
    assert!(has_subject(subject(&[0]), "0.0=c"));
    assert!(!has_subject(subject(&[0x55, 4, 0x80, 3]), "CN=c"));
    assert!(!has_subject(subject(&[]), "CN=c"));
}

#[test]
fn rfc5280_4_1_2_6_an_empty_subject_is_nobodys() {
    for text in ["", " ", "CN="] {
        assert!(!has_subject(name(&[]), text), "{text}");
    }
}

#[test]
fn rfc8705_2_1_2_a_wildcard_names_no_client() {
    let wildcard = Made::with_alternative(2, b"*.example.com").certificate();
    for name in ["a.example.com", "*.example.com", "example.com"] {
        assert!(!matches(&wildcard, "tls_client_auth_san_dns", name), "{name}");
    }
    let plain = Made::with_alternative(2, b"a.example.com").certificate();
    assert!(matches(&plain, "tls_client_auth_san_dns", "A.example.com"));
    for name in ["*.example.com", "*", "a.example.com.", "b.example.com", "example.com", ""] {
        assert!(!matches(&plain, "tls_client_auth_san_dns", name), "{name}");
    }
    let with_nul = Made::with_alternative(2, b"a.example.com\0.evil.example").certificate();
    assert!(!matches(&with_nul, "tls_client_auth_san_dns", "a.example.com"));
}

#[test]
fn rfc8705_2_1_2_uris_and_the_local_part_of_a_mailbox_are_exact() {
    let uri = Made::with_alternative(6, b"https://a.example/B").certificate();
    assert!(matches(&uri, "tls_client_auth_san_uri", "https://a.example/B"));
    for other in ["https://a.example/b", "https://A.example/B", "https://a.example/B/", "a.example/B"] {
        assert!(!matches(&uri, "tls_client_auth_san_uri", other), "{other}");
    }
    let email = Made::with_alternative(1, b"Ops@a.example").certificate();
    assert!(matches(&email, "tls_client_auth_san_email", "Ops@A.EXAMPLE"));
    for other in ["ops@a.example", "Ops@b.example", "a.example", "@a.example"] {
        assert!(!matches(&email, "tls_client_auth_san_email", other), "{other}");
    }
}

#[test]
fn rfc5952_8_addresses_are_compared_as_bytes() {
    let v6 = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
    let address = Made::with_alternative(7, &v6).certificate();
    assert!(matches(&address, "tls_client_auth_san_ip", "2001:DB8::7"));
    assert!(!matches(&address, "tls_client_auth_san_ip", "2001:db8::8"));
    // An address and a mask, as in name constraints, is no address.
    let masked = Made::with_alternative(7, &[192, 0, 2, 7, 255, 255, 255, 255]).certificate();
    assert!(!matches(&masked, "tls_client_auth_san_ip", "192.0.2.7"));
}

#[test]
fn rfc5280_4_2_what_is_no_certificate() {
    let der = Made::with_alternative(2, b"a.example").der();
    assert!(ClientCertificate::parse(&der, true).is_some());
    assert!(ClientCertificate::parse(&[&der[..], &[0]].concat(), true).is_none());
    assert!(ClientCertificate::parse(&der[..der.len() - 1], true).is_none());
    assert!(ClientCertificate::parse(&[], true).is_none());
    // The same extension twice, the second of which another reader might believe.
    let [one, other] = [b"a.example", b"b.example"].map(|name| alternative_names(&[tlv(0x82, name)]));
    let with = |extensions: &[Vec<u8>]| {
        let mut made = Made::new();
        made.spki.extend(tlv(0xa3, &tlv(0x30, &extensions.concat())));
        ClientCertificate::parse(&made.der(), true)
    };
    assert!(with(std::slice::from_ref(&one)).is_some());
    assert!(with(&[one, other]).is_none());
    let trailing = [tlv(0x30, &tlv(0x82, b"a.example")), vec![0]].concat();
    let extension = [tlv(0x06, &[0x55, 0x1d, 0x11]), tlv(0x04, &trailing)].concat();
    assert!(with(&[tlv(0x30, &extension)]).is_none());
}

#[test]
fn rfc8705_3_1_the_thumbprint_is_that_of_the_whole_certificate() {
    let certificate = ClientCertificate::parse(OPENSSL, false).unwrap();
    assert_eq!(certificate.thumbprint(), CertificateThumbprint::of(OPENSSL));
    assert_eq!(format!("{certificate:?}"), format!("ClientCertificate({})", certificate.thumbprint()));
}

fn samples() -> Value {
    serde_json::from_str(include_str!("tests/keys.json")).unwrap()
}

fn of_key(spki: &Value) -> ClientCertificate {
    Made { spki: STANDARD.decode(spki.as_str().unwrap()).unwrap(), trusted: false, ..Made::new() }.certificate()
}

/// All of the samples, changed.
fn keys(change: impl Fn(&mut Value)) -> JwkSet {
    let mut keys: Vec<Value> = samples()["keys"].as_array().unwrap().iter().map(|key| key["jwk"].clone()).collect();
    keys.iter_mut().for_each(change);
    JwkSet::parse(json!({ "keys": keys }).to_string()).unwrap()
}

#[test]
fn rfc8705_2_2_a_certificate_of_a_registered_key() {
    let samples = samples();
    let all = keys(|_| {});
    assert_eq!(all.keys.len(), 5);
    for sample in samples["keys"].as_array().unwrap() {
        let certificate = of_key(&sample["spki"]);
        assert_eq!(self_signed(&certificate, &all, NOW), Ok(()), "{}", sample["name"]);
        let mut others = all.clone();
        let this: Jwk = serde_json::from_value(sample["jwk"].clone()).unwrap();
        others.keys.retain(|key| key.material() != this.material());
        assert_eq!(others.keys.len(), 4);
        assert_eq!(self_signed(&certificate, &others, NOW), Err(Refusal::ClientCertificateMismatch));
        assert_eq!(self_signed(&certificate, &JwkSet::default(), NOW), Err(Refusal::ClientCertificateMismatch));
    }
}

#[test]
fn rfc8705_2_2_a_key_that_nobody_can_register_is_nobodys() {
    for sample in samples()["unknown"].as_array().unwrap() {
        let refused = self_signed(&of_key(&sample["spki"]), &keys(|_| {}), NOW);
        assert_eq!(refused, Err(Refusal::ClientCertificateMismatch), "{}", sample["name"]);
    }
}

#[test]
fn rfc5480_2_2_a_key_is_whole_octets() {
    let mut made = Made::new();
    let padding = made.spki.len() - 33;
    assert_eq!(made.spki[padding], 0);
    assert_eq!(self_signed(&made.certificate(), &keys(|_| {}), NOW), Ok(()));
    // Seven bits of it do not count, and are zero as DER wants it.
    made.spki[padding] = 7;
    *made.spki.last_mut().unwrap() = 0x80;
    let refused = ClientCertificate::parse(&made.der(), false).map(|shown| self_signed(&shown, &keys(|_| {}), NOW));
    assert!(refused.is_none_or(|refused| refused.is_err()));
}

#[test]
fn rfc7517_4_2_a_key_for_encryption_opens_no_door() {
    let certificate = Made::new().certificate();
    let cases = [
        (json!({"use": "sig"}), true),
        (json!({"use": "enc"}), false),
        (json!({"key_ops": ["verify"]}), true),
        (json!({"key_ops": ["encrypt", "wrapKey"]}), false),
    ];
    for (members, expected) in cases {
        let keys = keys(|key| key.as_object_mut().unwrap().extend(members.as_object().unwrap().clone()));
        assert_eq!(self_signed(&certificate, &keys, NOW).is_ok(), expected, "{members}");
    }
}

#[test]
fn rfc9440_2_2_a_byte_sequence_and_nothing_besides() {
    assert_eq!(parse_client_cert(":AQID:"), Some(vec![1, 2, 3]));
    assert_eq!(parse_client_cert(":AQI=:"), Some(vec![1, 2]));
    for bad in [
        "",
        ":",
        "::",
        "AQID",
        ":AQID",
        "AQID:",
        ":AQI:",
        ":AQ-_:",
        " :AQID:",
        ":AQID: ",
        ":AQID:;a=1",
        ":AQID:, :AQID:",
        ":AQ ID:",
        "-----BEGIN CERTIFICATE-----",
        "%3AAQID%3A",
    ] {
        assert_eq!(parse_client_cert(bad), None, "{bad}");
    }
    let longest = format!(":{}:", "A".repeat(MAX_CLIENT_CERT - 4));
    assert!(parse_client_cert(&longest).is_some());
    assert!(parse_client_cert(&format!(":{}:", "A".repeat(MAX_CLIENT_CERT))).is_none());
}

#[test]
fn rfc8705_2_1_2_what_contradicts_itself() {
    let found = |members: Value| contradictions(&client(&members)).len();
    assert_eq!(found(json!({"tls_client_auth_san_dns": "a.example"})), 0);
    assert_eq!(found(json!({})), 1);
    assert_eq!(found(json!({"tls_client_auth_san_dns": "a.example", "tls_client_auth_san_ip": "::1"})), 1);
    for (field, malformed) in [
        ("tls_client_auth_subject_dn", "client"),
        ("tls_client_auth_san_dns", "*.example"),
        ("tls_client_auth_san_uri", "client"),
        ("tls_client_auth_san_ip", "192.0.2"),
        ("tls_client_auth_san_email", "client"),
    ] {
        assert_eq!(found(json!({ field: malformed })), 1, "{field}");
        let other = json!({ field: "x", "token_endpoint_auth_method": "private_key_jwt" });
        assert_eq!(found(other), 1, "{field} without tls_client_auth");
    }
    assert_eq!(found(json!({"token_endpoint_auth_method": "private_key_jwt"})), 0);
    let self_signed = "self_signed_tls_client_auth";
    assert_eq!(found(json!({"token_endpoint_auth_method": self_signed})), 1);
    assert_eq!(found(json!({"token_endpoint_auth_method": self_signed, "jwks": {"keys": []}})), 0);
    assert_eq!(found(json!({"token_endpoint_auth_method": self_signed, "jwks_uri": "https://a.example/"})), 0);
}

proptest! {
    #[test]
    fn arbitrary_changes_of_a_certificate_do_no_harm(at in 0..OPENSSL.len(), octet: u8, cut in 0..OPENSSL.len()) {
        let mut changed = OPENSSL.to_vec();
        changed[at] = octet;
        for der in [&changed[..], &changed[cut..], &changed[..cut]] {
            let _ = ClientCertificate::parse(der, true);
        }
    }

    #[test]
    fn rfc4514_2_a_subject_that_is_written_down_is_found_again(
        levels in proptest::collection::vec(proptest::collection::vec((0_usize..3, "[ -~äßΣ]{0,9}"), 1..3), 1..4),
    ) {
        let types: [(&str, &[u8]); 3] = [("CN", CN), ("o", O), ("2.999", &[0x88, 0x37])];
        let text = |level: &Vec<(usize, String)>| {
            let attribute = |(kind, value): &(usize, String)| format!("{}={}", types[*kind].0, escaped(value));
            level.iter().map(attribute).collect::<Vec<_>>().join("+")
        };
        let written = levels.iter().rev().map(text).collect::<Vec<_>>().join(",");
        let octets: Vec<Vec<Attribute<'_>>> = levels
            .iter()
            .map(|level| level.iter().map(|(kind, value)| (types[*kind].1, UTF8, value.as_bytes())).collect())
            .collect();
        let octets: Vec<&[Attribute<'_>]> = octets.iter().map(Vec::as_slice).collect();
        prop_assert!(has_subject(name(&octets), &written), "{}", written);
        let one_more = format!("{written},CN=x");
        prop_assert!(!has_subject(name(&octets), &one_more));
    }
}
