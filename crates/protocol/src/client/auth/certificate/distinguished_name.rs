//! Distinguished names: read from certificates and from their string form (RFC 4514), equal when
//! `distinguishedNameMatch` says so (RFC 4517 4.2.15).

use super::attribute::Attribute;
use x509_parser::x509::X509Name;

/// A name that is not empty, its parts in the order of the certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DistinguishedName(Vec<Relative>);

/// The attributes of one level: a set, so they are sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Relative(Vec<Attribute>);

impl DistinguishedName {
    /// That of a certificate; none if it is empty.
    pub(super) fn from_x509(name: &X509Name<'_>) -> Option<Self> {
        let relative = |rdn: &x509_parser::x509::RelativeDistinguishedName<'_>| {
            Relative::of(rdn.iter().map(|attribute| Some(Attribute::from_x509(attribute))))
        };
        Self::of(name.iter_rdn().map(relative))
    }

    /// From the form of RFC 4514 3, which begins with the last level of the certificate and has no other order. Spaces
    /// around separators are passed over, as nearly everybody writes them.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let relative = |level: &str| Relative::of(split(level, '+').into_iter().map(Attribute::parse));
        Self::of(split(text, ',').into_iter().rev().map(relative))
    }

    fn of(levels: impl Iterator<Item = Option<Relative>>) -> Option<Self> {
        levels.collect::<Option<Vec<_>>>().filter(|levels| !levels.is_empty()).map(Self)
    }
}

impl Relative {
    fn of(attributes: impl Iterator<Item = Option<Attribute>>) -> Option<Self> {
        let mut attributes: Vec<_> = attributes.collect::<Option<_>>()?;
        attributes.sort();
        Some(Self(attributes))
    }
}

/// Splits where the separator is not escaped. An escaped pair of hexadecimal digits is no separator either way, so the
/// character after the backslash alone is passed over.
fn split(text: &str, separator: char) -> Vec<&str> {
    let mut escaped = false;
    let at = move |character: char| {
        let splits = !escaped && character == separator;
        escaped = !escaped && character == '\\';
        splits
    };
    text.split(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::auth::certificate::tests::escaped;
    use proptest::prelude::*;

    fn same(one: &str, other: &str) -> bool {
        let [one, other] = [one, other].map(|text| DistinguishedName::parse(text).unwrap_or_else(|| panic!("{text}")));
        one == other
    }

    #[test]
    fn rfc4514_4_the_examples_are_read() {
        for text in [
            "UID=jsmith,DC=example,DC=net",
            "OU=Sales+CN=J.  Smith,DC=example,DC=net",
            r#"CN=James \"Jim\" Smith\, III,DC=example,DC=net"#,
            r"CN=Before\0dAfter,DC=example,DC=net",
            "1.3.6.1.4.1.1466.0=#04024869",
            r"CN=Lu\C4\8Di\C4\87",
        ] {
            assert!(DistinguishedName::parse(text).is_some(), "{text}");
        }
        assert!(same(r"CN=Lu\C4\8Di\C4\87", "CN=Lučić"));
    }

    #[test]
    fn rfc4514_3_what_is_no_distinguished_name() {
        for text in [
            "",
            " ",
            "CN",
            "=a",
            "CN=a,",
            ",CN=a",
            "CN=a,,O=b",
            "CN=a+",
            "CN=a;O=b",
            r#"CN="a""#,
            "CN=<a>",
            "CN=a\0",
            r"CN=a\",
            r"CN=a\x",
            r"CN=\C4",
            "CN=#",
            "CN=#0",
            "CN=#zz",
            "CN=#0C0161FF",
            "CN=#0C0561",
            "nonsense=a",
            "2.5.04.3=a",
            "2.5.4.=a",
            "3.1=a",
            "1.40=a",
            "2=a",
            "2.5.4.99999999999999999999=a",
            "OID.2.5.4.3=a",
        ] {
            assert!(DistinguishedName::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn rfc4514_2_3_types_have_several_names() {
        assert!(same("CN=a", "cn=a"));
        assert!(same("CN=a", "2.5.4.3=a"));
        assert!(same("CN=a", "commonName=a"));
        assert!(same("CN=a", "CN=#0C0161"));
        assert!(same("CN=a", "2.5.4.3=#130161"));
        assert!(same("EMAILADDRESS=a@b.example", "1.2.840.113549.1.9.1=#160B6140622E6578616D706C65"));
        assert!(!same("CN=a", "O=a"));
        assert!(!same("CN=a", "2.5.4.4=a"));
    }

    #[test]
    fn rfc4518_2_case_and_spaces_do_not_count() {
        assert!(same("CN=Foo  Bar,O=X", "cn= foo bar , o=x"));
        assert!(same(r"CN=\ a\ ", "CN=a"));
        assert!(same("CN=ÄÖ", "CN=äö"));
        assert!(!same("CN=foobar", "CN=foo bar"));
        assert!(!same("CN=a\u{200b}b", "CN=ab"));
    }

    #[test]
    fn rfc4514_2_1_the_order_counts_and_so_does_every_level() {
        assert!(!same("CN=a,O=b", "O=b,CN=a"));
        assert!(!same("CN=a,O=b", "CN=a"));
        assert!(!same("CN=a,O=b", "CN=a,O=b,C=DE"));
        assert!(!same("CN=a,O=b", r"CN=a\,O=b"));
    }

    #[test]
    fn rfc4514_2_2_the_attributes_of_one_level_are_a_set() {
        assert!(same("CN=a+UID=1,O=b", "UID=1+CN=a,O=b"));
        assert!(!same("CN=a+UID=1,O=b", "CN=a,UID=1,O=b"));
        assert!(!same("CN=a+UID=1", "CN=a"));
        assert!(!same("CN=a+CN=a", "CN=a"));
        assert!(!same("CN=a+UID=1", r"CN=a\+UID\=1"));
    }

    proptest! {
        #[test]
        fn rfc4514_3_nothing_makes_it_stumble(text in r#"[a-zA-Z0-9=,+#\\;"<> .ä]{0,40}"#) {
            let _ = DistinguishedName::parse(&text);
        }

        #[test]
        fn rfc4514_2_4_an_escaped_value_is_one_value(value in ".{0,20}", more in "[a-z]{1,3}") {
            let name = |value: &str| DistinguishedName::parse(&format!("CN={},O=x", escaped(value))).unwrap();
            prop_assert_eq!(name(&value).0.len(), 2);
            let lower: String = value.chars().flat_map(char::to_lowercase).collect();
            prop_assert_eq!(name(&value), name(&lower));
            prop_assert_ne!(name(&value), name(&format!("{value}{more}")));
        }
    }
}
