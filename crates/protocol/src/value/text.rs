//! A text that a user is shown, in one language or in several.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Either one text for everybody, or a text per language tag (RFC 5646), of which `en` is the fallback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Text {
    /// The same for everybody.
    Plain(String),
    /// A text per language tag.
    Localized(BTreeMap<String, String>),
}

impl Text {
    /// The text in `language`, or the nearest that there is.
    pub fn in_language(&self, language: &str) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Localized(texts) => texts
                .get(language)
                .or_else(|| texts.get("en"))
                .or_else(|| texts.values().next())
                .map_or("", String::as_str),
        }
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::Plain(String::new())
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::Plain(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_language_is_shown() {
        let both: Text = serde_json::from_str(r#"{"en":"Read","de":"Lesen"}"#).unwrap();
        assert_eq!(both.in_language("de"), "Lesen");
        assert_eq!(both.in_language("fr"), "Read");
        assert_eq!(Text::from("Read").in_language("de"), "Read");
    }
}
