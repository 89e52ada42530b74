//! Where a request to an API carries its access token: in one `Authorization` header (RFC 6750 2.1, RFC 9449 7.1).

/// How an access token was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// RFC 6750 2.1; in a form too (2.2).
    Bearer,
    /// RFC 9449 7.1.
    Dpop,
}

/// Why a request has no token that could be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoCredential {
    /// There is no header.
    Absent,
    /// The header is of a scheme that carries no access token.
    OtherScheme,
    /// More than one header, or more than one token in it (RFC 6750 2).
    Several,
    /// The header is not a scheme, one space or more, and a token68 (RFC 6750 2.1).
    Malformed,
}

/// The token in the values of `Authorization`, as they came, and how it was sent.
///
/// # Errors
///
/// See [`NoCredential`].
pub fn credential<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Result<(Scheme, &'a str), NoCredential> {
    let mut values = values.into_iter();
    let value = values.next().ok_or(NoCredential::Absent)?;
    if values.next().is_some() {
        return Err(NoCredential::Several);
    }
    let (scheme, token) = value.split_at(value.iter().position(|byte| *byte == b' ').unwrap_or(value.len()));
    let scheme = Scheme::parse(scheme).ok_or(NoCredential::OtherScheme)?;
    let (_, token) = token.split_at(token.iter().take_while(|byte| **byte == b' ').count());
    if !is_token68(token) {
        // A comma is how HTTP joins two headers of one name (RFC 9110 5.3), and is in no token.
        return Err(if token.contains(&b',') { NoCredential::Several } else { NoCredential::Malformed });
    }
    let token = std::str::from_utf8(token).map_err(|_| NoCredential::Malformed)?;
    Ok((scheme, token))
}

impl Scheme {
    /// Schemes are compared without regard to case (RFC 9110 11.1).
    fn parse(name: &[u8]) -> Option<Self> {
        if name.eq_ignore_ascii_case(b"Bearer") {
            Some(Self::Bearer)
        } else if name.eq_ignore_ascii_case(b"DPoP") {
            Some(Self::Dpop)
        } else {
            None
        }
    }

    /// Its registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }
}

/// RFC 9110 11.2; RFC 6750 2.1 calls it b64token. Every byte is looked at whatever the others are, so that many are looked
/// at at once: half of what a warm check takes would go into this otherwise.
pub fn is_token68(text: &[u8]) -> bool {
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let (characters, _) = text.split_at(text.len().saturating_sub(padding));
    // From `-` to `9` there are `.`, `/` and the digits. Few comparisons, since each is made for every byte.
    let allowed = |b: u8| (b | 0x20).is_ascii_lowercase() || matches!(b, b'-'..=b'9' | b'_' | b'~' | b'+');
    !characters.is_empty() && characters.iter().fold(true, |all, byte| all & allowed(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(values: &[&str]) -> Result<(Scheme, String), NoCredential> {
        let found = credential(values.iter().map(|value| value.as_bytes()));
        found.map(|(scheme, token)| (scheme, token.to_owned()))
    }

    #[test]
    fn rfc6750_2_1_the_header() {
        for (value, scheme) in [
            ("Bearer abc.-_~+/123==", Scheme::Bearer),
            ("bearer abc.-_~+/123==", Scheme::Bearer),
            ("BEARER   abc.-_~+/123==", Scheme::Bearer),
            ("DPoP abc.-_~+/123==", Scheme::Dpop),
            ("dpop abc.-_~+/123==", Scheme::Dpop),
        ] {
            assert_eq!(of(&[value]), Ok((scheme, "abc.-_~+/123==".to_owned())), "{value}");
        }
        assert_eq!(of(&[]), Err(NoCredential::Absent));
        for value in ["Basic YTpi", "Bearerabc", "token", "", "Negotiate x", "Bearer=abc"] {
            assert_eq!(of(&[value]), Err(NoCredential::OtherScheme), "{value}");
        }
        for value in ["Bearer", "Bearer ", "Bearer a b", "Bearer =", "Bearer a=b", "Bearer \"a\"", "Bearer a;b", "DPoP"]
        {
            assert_eq!(of(&[value]), Err(NoCredential::Malformed), "{value}");
        }
        assert_eq!(credential([&b"Bearer \xff"[..]]), Err(NoCredential::Malformed));
    }

    #[test]
    fn rfc6750_2_one_token_is_sent_once() {
        assert_eq!(of(&["Bearer a", "Bearer a"]), Err(NoCredential::Several));
        assert_eq!(of(&["Basic YTpi", "Bearer a"]), Err(NoCredential::Several));
        assert_eq!(of(&["Bearer a, Bearer b"]), Err(NoCredential::Several));
        assert_eq!(of(&["Bearer a,DPoP b"]), Err(NoCredential::Several));
    }

    #[test]
    fn rfc9110_11_2_the_characters_of_a_token() {
        for byte in 0..=u8::MAX {
            let allowed = byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
            assert_eq!(is_token68(&[b'a', byte, b'a']), allowed, "{byte}");
        }
        assert!(is_token68(b"a=") && is_token68(b"a==") && !is_token68(b"==") && !is_token68(b""));
    }

    proptest! {
        #[test]
        fn a_header_of_any_bytes_gives_one_clean_token_or_none(value: Vec<u8>) {
            if let Ok((_, token)) = credential([value.as_slice()]) {
                prop_assert!(is_token68(token.as_bytes()));
            }
        }
    }
}
