//! The texts of one language.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use rust_embed::RustEmbed;
use unic_langid::LanguageIdentifier;

use crate::language::Language;

/// Messages by key.
pub(crate) struct Texts(FluentBundle<FluentResource>);

impl Texts {
    /// The embedded messages of a language, and over them the operator's own.
    pub(crate) fn load(language: Language, own: Option<&str>) -> Result<Self, TextError> {
        let broken = |reason: String| TextError::Broken { language: language.tag(), reason };
        let locale: LanguageIdentifier = language.tag().parse().map_err(|error| broken(format!("{error}")))?;
        let mut bundle = FluentBundle::new_concurrent(vec![locale]);
        let file = Embedded::get(&format!("{}.ftl", language.tag())).ok_or_else(|| broken("no file".to_owned()))?;
        let embedded = String::from_utf8(file.data.into_owned()).map_err(|error| broken(error.to_string()))?;
        bundle.add_resource(parse(embedded).map_err(broken)?).map_err(|errors| broken(format!("{errors:?}")))?;
        if let Some(own) = own {
            bundle.add_resource_overriding(parse(own.to_owned()).map_err(broken)?);
        }
        Ok(Self(bundle))
    }

    /// The text of `key`, or of an attribute, written as `key.attribute`.
    pub(crate) fn text(&self, key: &str, arguments: &FluentArgs<'_>) -> Result<String, TextError> {
        let missing = || TextError::Missing(key.to_owned());
        let pattern = match key.split_once('.') {
            None => self.0.get_message(key).and_then(|message| message.value()),
            Some((key, attribute)) => self
                .0
                .get_message(key)
                .and_then(|message| message.get_attribute(attribute))
                .map(|attribute| attribute.value()),
        };
        let mut errors = Vec::new();
        let text = self.0.format_pattern(pattern.ok_or_else(missing)?, Some(arguments), &mut errors).into_owned();
        if errors.is_empty() {
            Ok(text)
        } else {
            Err(TextError::Unformattable { key: key.to_owned(), reason: format!("{errors:?}") })
        }
    }
}

fn parse(source: String) -> Result<FluentResource, String> {
    FluentResource::try_new(source).map_err(|(_, errors)| format!("{errors:?}"))
}

/// A text cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// The file of a language cannot be used.
    #[error("texts of language {language}: {reason}")]
    Broken {
        /// Its tag.
        language: &'static str,
        /// What is wrong with the file.
        reason: String,
    },
    /// No such key.
    #[error("no text {0}")]
    Missing(String),
    /// An argument is missing, or of the wrong kind.
    #[error("text {key}: {reason}")]
    Unformattable {
        /// Its key.
        key: String,
        /// What is wrong with the arguments.
        reason: String,
    },
}

#[derive(RustEmbed)]
#[folder = "languages"]
struct Embedded;
