//! The code that a person types (RFC 8628 6.1).

use serde::{Deserialize, Serialize};
use std::fmt;

/// `user_code`: eight letters of an alphabet without vowels, so that no words come about, and without what looks like
/// something else. 20^8 of them are 34 bits: with what guesses are throttled to, and ten minutes to live, enough
/// (RFC 8628 5.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct UserCode([u8; LENGTH]);

const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const LENGTH: usize = 8;

impl UserCode {
    /// From eight fresh random bytes. 2^64 is so much more than 20^8 that each is as likely as any other.
    pub fn new(random: [u8; 8]) -> Self {
        let mut left = u64::from_be_bytes(random);
        Self([(); LENGTH].map(|()| {
            let letter = usize::try_from(left % 20).ok().and_then(|place| ALPHABET.get(place)).copied();
            left /= 20;
            letter.unwrap_or(b'B')
        }))
    }

    /// As somebody typed it: lower case, and with or without a hyphen or spaces in between.
    pub fn parse(typed: &str) -> Option<Self> {
        if typed.len() > 4 * LENGTH {
            return None;
        }
        let letters = typed.bytes().filter(|byte| !matches!(byte, b' ' | b'-')).map(|byte| byte.to_ascii_uppercase());
        let letters: Vec<u8> = letters.collect();
        let code = Self(letters.try_into().ok()?);
        code.0.iter().all(|letter| ALPHABET.contains(letter)).then_some(code)
    }

    /// The letters alone, as they are stored.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// In two groups, as it is shown.
impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, second) = self.as_str().split_at(LENGTH / 2);
        write!(f, "{first}-{second}")
    }
}

/// Who reads it in a log could take part in somebody's sign-in.
impl fmt::Debug for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserCode(..)")
    }
}

impl From<UserCode> for String {
    fn from(code: UserCode) -> Self {
        code.as_str().to_owned()
    }
}

impl TryFrom<String> for UserCode {
    type Error = &'static str;

    fn try_from(raw: String) -> Result<Self, Self::Error> {
        Self::parse(&raw).ok_or("not a user code")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc8628_6_1_what_was_shown_can_be_typed_in_any_way() {
        let code = UserCode::new(*b"anything");
        let shown = code.to_string();
        assert_eq!((shown.len(), shown.as_bytes()[4]), (9, b'-'));
        for typed in [shown.clone(), shown.to_lowercase(), shown.replace('-', ""), shown.replace('-', " ")] {
            assert_eq!(UserCode::parse(&typed), Some(code), "{typed}");
        }
        for wrong in ["", "BCDF-GHJ", "BCDF-GHJKL", "BCDF-GHJA", "BCDF-GHJ0", &" ".repeat(40)] {
            assert_eq!(UserCode::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn rfc8628_6_1_no_letter_looks_like_another_or_makes_words() {
        for confusing in *b"AEIOUY0125" {
            assert!(!ALPHABET.contains(&confusing));
        }
        assert_ne!(UserCode::new([0; 8]), UserCode::new([0, 0, 0, 0, 0, 0, 0, 1]));
        assert_eq!(format!("{:?}", UserCode::new([7; 8])), "UserCode(..)");
    }

    #[test]
    fn it_is_stored_as_its_letters() {
        let code = UserCode::new([9; 8]);
        let stored = serde_json::to_string(&code).unwrap();
        assert_eq!(stored, format!("\"{}\"", code.as_str()));
        assert_eq!(serde_json::from_str::<UserCode>(&stored).unwrap(), code);
    }
}
