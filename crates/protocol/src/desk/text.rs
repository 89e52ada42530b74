//! The texts of a collection: each type is a promise about what cannot be in it.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Declares a text whose constructor is its only door, for serde too.
macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $wrong:literal, $fits:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text, when it is one.
            pub fn parse(raw: &str) -> Option<Self> {
                let fits: fn(&str) -> bool = $fits;
                fits(raw).then(|| Self(raw.to_owned()))
            }

            /// As it was written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = &'static str;

            fn try_from(raw: String) -> Result<Self, &'static str> {
                Self::parse(&raw).ok_or($wrong)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text! {
    /// What people call a thing: one line of 1 to 200 bytes that is not blank.
    Name, "a name is one line of 1 to 200 bytes", |raw| raw.len() <= 200 && !raw.trim().is_empty() && is_one_line(raw)
}

text! {
    /// A text in a place where a second line would be something else: of a header, of a URL, of the settings. At most
    /// 8192 bytes, perhaps none; `{{name}}` in it stands for a variable.
    Line, "not one line of at most 8192 bytes", |raw| raw.len() <= 8192 && is_one_line(raw)
}

text! {
    /// The name of a variable: 1 to 100 of letters, digits, `_`, `-` and `.`. It can stand in JSON, in a script and in a
    /// `.http` file as it is.
    VariableName, "the name of a variable is 1 to 100 of A-Z, a-z, 0-9, _, - and .",
    |raw| (1..=100).contains(&raw.len()) && raw.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
}

text! {
    /// The name of a header: a token (RFC 9110 5.6.2) of at most 100 bytes that begins with a letter or a digit, so that it
    /// begins no comment anywhere.
    HeaderName, "not the name of a header", |raw| {
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        raw.len() <= 100 && raw.bytes().all(token) && raw.starts_with(|c: char| c.is_ascii_alphanumeric())
    }
}

text! {
    /// A method: 1 to 20 capital letters, and `-` and `_` between them. Other tokens (RFC 9110 9.1) are asked for by nobody.
    Method, "a method is 1 to 20 capital letters", |raw| {
        let possible = |b: u8| b.is_ascii_uppercase() || b"-_".contains(&b);
        raw.len() <= 20 && raw.starts_with(|c: char| c.is_ascii_uppercase()) && raw.bytes().all(possible)
    }
}

impl Name {
    /// A name of whatever somebody else wrote: breaks are spaces, and what is too long is cut.
    pub(super) fn cleaned(raw: &str) -> Option<Self> {
        let one_line: String = raw.chars().map(|c| if is_break(c) { ' ' } else { c }).collect();
        let trimmed = one_line.trim();
        Self::parse(trimmed.get(..trimmed.floor_char_boundary(200))?.trim_end())
    }
}

impl Name {
    /// A word of ours, for a thing without a name.
    pub(super) fn of(ours: &'static str) -> Self {
        Self(ours.to_owned())
    }
}

impl Method {
    /// GET.
    pub fn get() -> Self {
        Self("GET".to_owned())
    }
}

impl Default for Line {
    /// Nothing.
    fn default() -> Self {
        Self(String::new())
    }
}

impl Line {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl VariableName {
    /// The reference to it, as templates have it.
    pub fn reference(&self) -> String {
        format!("{{{{{self}}}}}")
    }
}

/// Whether a text has one line in every program that may read it: no control character, and none of the separators of
/// Unicode, which some take for the end of a line.
pub(super) fn is_one_line(text: &str) -> bool {
    !text.contains(is_break)
}

fn is_break(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line() {
        assert!(Line::parse("").is_some() && Line::parse("https://a/{{b}}?c=d e").is_some());
        for broken in ["a\nb", "a\rb", "a\0", "a\u{85}b", "a\u{2028}b", "a\u{2029}b", "\t"] {
            assert!(Line::parse(broken).is_none() && Name::parse(broken).is_none(), "{broken:?}");
        }
        assert!(Line::parse(&"x".repeat(8192)).is_some() && Line::parse(&"x".repeat(8193)).is_none());
    }

    #[test]
    fn names_of_others_are_cleaned() {
        assert_eq!(Name::cleaned(" a\n### b ").unwrap().as_str(), "a ### b");
        assert_eq!(Name::cleaned(&"ä".repeat(300)).unwrap().as_str().len(), 200);
        assert!(Name::cleaned("\n \t").is_none() && Name::parse(" ").is_none());
    }

    #[test]
    fn methods_and_headers_begin_no_comment() {
        for raw in ["GET", "PATCH", "VERSION-CONTROL"] {
            assert!(Method::parse(raw).is_some(), "{raw}");
        }
        for raw in ["", "get", "###", "GET /", "-A", "GET\n"] {
            assert!(Method::parse(raw).is_none(), "{raw:?}");
        }
        assert!(HeaderName::parse("X-Request-ID").is_some());
        for raw in ["", "###", "#x", "a b", "a:b", "a\n", "ä"] {
            assert!(HeaderName::parse(raw).is_none(), "{raw:?}");
        }
    }

    #[test]
    fn variables_have_plain_names() {
        assert_eq!(VariableName::parse("base-url.v1").unwrap().reference(), "{{base-url.v1}}");
        for raw in ["", "a b", "$guid", "a}", "'", "ä"] {
            assert!(VariableName::parse(raw).is_none(), "{raw:?}");
        }
    }
}
