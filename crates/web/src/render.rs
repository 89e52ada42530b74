//! Joins models, templates and texts.

use std::path::Path;
use std::sync::Arc;

use minijinja::value::{Serde, Value};
use minijinja::{Environment, UndefinedBehavior, context};
use rust_embed::RustEmbed;

use crate::asset::{Asset, Assets};
use crate::language::Language;
use crate::overrides::{Overrides, ReadError};
use crate::page::Page;
use crate::page::frame::Frame;
use crate::text::{TextError, Texts};
use crate::{escape, functions};

/// Every page in every language, and what the pages load. Built once.
pub struct Pages {
    /// In the order of [`Language::ALL`].
    environments: [Environment<'static>; 2],
    assets: Arc<Assets>,
}

impl Pages {
    /// The pages as they are built in.
    pub fn new() -> Result<Self, LoadError> {
        Self::load(&Overrides::NONE)
    }

    /// The pages with an operator's own `templates/*.html`, `assets/*` and `languages/*.ftl` from a directory in the place
    /// of those built in. A file `assets/theme.css` is loaded after the built-in styles. Everything is read now.
    pub fn with_overrides(directory: &Path) -> Result<Self, LoadError> {
        Self::load(&Overrides::at(directory))
    }

    /// Writes a page as HTML.
    pub fn render(&self, page: &impl Page, frame: &Frame, language: Language) -> Result<String, RenderError> {
        self.write(page, frame, language).map_err(RenderError)
    }

    /// A file that pages load, by its path under [`Frame::assets`], without the query.
    pub fn asset(&self, path: &str) -> Option<&Asset> {
        self.assets.find(path)
    }

    fn load(overrides: &Overrides) -> Result<Self, LoadError> {
        let assets = Arc::new(Assets::load(overrides)?);
        let templates = Templates::load(overrides)?;
        let own = overrides.texts("languages", ".ftl")?;
        let [first, second] = Language::ALL.map(|language| {
            let own = own.iter().find(|(name, _)| name == language.tag()).map(|(_, text)| text.as_str());
            environment(language, Texts::load(language, own)?, &templates, &assets)
        });
        Ok(Self { environments: [first?, second?], assets })
    }

    fn write<P: Page>(&self, page: &P, frame: &Frame, language: Language) -> Result<String, minijinja::Error> {
        let [english, german] = &self.environments;
        let environment = match language {
            Language::English => english,
            Language::German => german,
        };
        let context = context! { page => Value::from(Serde(page)), frame => Value::from(Serde(frame)) };
        environment.get_template(P::TEMPLATE)?.render(context)
    }
}

fn environment(
    language: Language,
    texts: Texts,
    templates: &Templates,
    assets: &Arc<Assets>,
) -> Result<Environment<'static>, LoadError> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::Html);
    environment.set_formatter(escape::write);
    environment.add_global("language", language.tag());
    functions::add(&mut environment, texts, assets);
    for (name, source) in &templates.0 {
        environment.add_template_owned(name.clone(), source.clone())?;
    }
    Ok(environment)
}

/// Template sources by name; a later one of the same name counts.
struct Templates(Vec<(String, String)>);

impl Templates {
    fn load(overrides: &Overrides) -> Result<Self, ReadError> {
        let mut templates = Vec::new();
        for name in Embedded::iter() {
            if let Some(source) = Embedded::get(&name).and_then(|file| String::from_utf8(file.data.into_owned()).ok()) {
                templates.push((name.to_string(), source));
            }
        }
        let own = overrides.texts("templates", ".html")?;
        templates.extend(own.into_iter().map(|(stem, source)| (format!("{stem}.html"), source)));
        Ok(Self(templates))
    }
}

/// The pages cannot be used as they are.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A template is not one.
    #[error("{0:#}")]
    Template(#[from] minijinja::Error),
    /// A file of texts is not one.
    #[error(transparent)]
    Text(#[from] TextError),
}

/// A page could not be written: its template asks for something that is not there.
#[derive(Debug, thiserror::Error)]
#[error("{0:#}")]
pub struct RenderError(minijinja::Error);

#[derive(RustEmbed)]
#[folder = "templates"]
struct Embedded;
