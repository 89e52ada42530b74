//! Documents of the desk, with the secrets that they never show.

use super::item::Content;
use crate::desk::{Collection, Environment, Variable, VariableName};
use crate::value::Secret;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;

/// A document as it lies in a workspace. The values of its secret variables lie beside it: whoever has the document alone, as JSON
/// or to look at, has none of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Saved<D> {
    /// Without the values of its secret variables.
    document: D,
    /// These values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", serialize_with = "exposed")]
    secrets: BTreeMap<VariableName, Secret>,
    /// Whether the other members see it, without the secrets: off unless its owner switches it on.
    #[serde(default)]
    pub shared: bool,
}

/// What is shown in the place of a secret.
pub const DOTS: &str = "••••••";

/// What is saved.
pub trait Document: Clone + Sized {
    /// It has as many bytes at the most where it lies, its secrets among them.
    const MOST_BYTES: usize;
    /// What people call it.
    fn name(&self) -> &str;
    /// What it brings.
    fn variables(&self) -> &[Variable];
    /// Takes the secrets out.
    fn take_secrets(&mut self) -> Vec<(VariableName, Secret)>;
    /// Puts one back.
    fn put_secret(&mut self, name: &VariableName, secret: Secret) -> bool;
    /// As an item.
    fn into_content(saved: Saved<Self>) -> Content;
    /// The document, if it is one of this kind.
    fn from_content(content: Content) -> Option<Saved<Self>>;
}

impl<D: Document> Saved<D> {
    /// A document that nobody else sees.
    pub fn new(document: D) -> Self {
        let mut saved = Self { document, secrets: BTreeMap::new(), shared: false };
        saved.secrets = saved.document.take_secrets().into_iter().collect();
        saved
    }

    /// The document, without the values of its secret variables.
    pub fn document(&self) -> &D {
        &self.document
    }

    /// The same with them: to fill requests, not to show.
    pub fn exposed(&self) -> D {
        let mut document = self.document.clone();
        for (name, secret) in &self.secrets {
            document.put_secret(name, secret.clone());
        }
        document
    }

    /// The same with dots where a secret is set: to show what would be sent.
    pub fn masked(&self) -> D {
        let mut document = self.document.clone();
        for name in self.secrets.keys() {
            document.put_secret(name, Secret::new(DOTS.to_owned()));
        }
        document
    }

    /// The values of its secret variables, so that what shows one can be kept back.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.secrets.values()
    }

    /// Whether a secret variable has a value.
    pub fn has_secret(&self, name: &VariableName) -> bool {
        self.secrets.contains_key(name)
    }

    /// Puts another document in its place. Secrets that it brings are taken; those of its secret variables that it does not bring stay.
    pub fn replace(&mut self, mut document: D) {
        let brought = document.take_secrets();
        self.secrets.extend(brought);
        let is_secret = |name: &VariableName| {
            document.variables().iter().any(|variable| variable.name == *name && variable.value.is_secret())
        };
        self.secrets.retain(|name, _| is_secret(name));
        self.document = document;
    }

    /// Forgets the value of a secret variable.
    pub fn forget(&mut self, name: &VariableName) {
        self.secrets.remove(name);
    }

    /// What others see of it.
    #[must_use]
    pub fn without_secrets(self) -> Self {
        Self { secrets: BTreeMap::new(), ..self }
    }
}

macro_rules! document {
    ($kind:ident, $most:expr, $name:expr) => {
        impl Document for $kind {
            const MOST_BYTES: usize = $most;

            fn name(&self) -> &str {
                let name: fn(&Self) -> &str = $name;
                name(self)
            }

            fn variables(&self) -> &[Variable] {
                Self::variables(self)
            }

            fn take_secrets(&mut self) -> Vec<(VariableName, Secret)> {
                Self::take_secrets(self)
            }

            fn put_secret(&mut self, name: &VariableName, secret: Secret) -> bool {
                Self::put_secret(self, name, secret)
            }

            fn into_content(saved: Saved<Self>) -> Content {
                Content::$kind(Box::new(saved))
            }

            fn from_content(content: Content) -> Option<Saved<Self>> {
                match content {
                    Content::$kind(saved) => Some(*saved),
                    _ => None,
                }
            }
        }
    };
}

document!(Collection, 512 << 10, |collection| collection.root().name.as_str());
document!(Environment, 64 << 10, |environment| environment.name().as_str());

/// The document is sealed before it is stored: only there does a secret go out.
fn exposed<S: Serializer>(secrets: &BTreeMap<VariableName, Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(secrets.len()))?;
    for (name, secret) in secrets {
        map.serialize_entry(name, secret.expose())?;
    }
    map.end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::Variables;

    fn environment(json: &str) -> Environment {
        Environment::parse(json.as_bytes()).unwrap()
    }

    fn name(raw: &str) -> VariableName {
        VariableName::parse(raw).unwrap()
    }

    fn filled(saved: &Saved<Environment>, text: &str) -> Option<String> {
        let whole = saved.exposed();
        Variables::new([whole.variables()]).fill(text).ok().map(|filled| filled.expose().to_owned())
    }

    #[test]
    fn secrets_lie_beside_the_document() {
        let both = r#"{"name":"Test","variables":[
            {"name":"host","value":"h"},{"name":"key","secret":true,"value":"hidden"}]}"#;
        let saved = Saved::new(environment(both));
        assert!(!serde_json::to_string(saved.document()).unwrap().contains("hidden"));
        assert!(!format!("{saved:?}").contains("hidden"));
        let sealed = serde_json::to_string(&Environment::into_content(saved)).unwrap();
        let back = Environment::from_content(serde_json::from_str(&sealed).unwrap()).unwrap();
        assert_eq!(filled(&back, "{{host}}/{{key}}").as_deref(), Some("h/hidden"));
        assert!(!back.shared, "off unless switched on");
        assert!(Collection::from_content(serde_json::from_str(&sealed).unwrap()).is_none());
        let masked = back.masked();
        let masked = Variables::new([masked.variables()]).fill("{{host}}/{{key}}").unwrap();
        assert_eq!(masked.expose(), format!("h/{DOTS}"));
        assert_eq!(back.secrets().map(Secret::expose).collect::<Vec<_>>(), ["hidden"]);
        assert_eq!(filled(&back.without_secrets(), "{{key}}"), None);
    }

    #[test]
    fn a_secret_stays_until_it_is_written_or_its_variable_goes() {
        let secrets = |json: &str| format!(r#"{{"name":"Test","variables":[{json}]}}"#);
        let key = |value: &str| format!(r#"{{"name":"key","secret":true{value}}}"#);
        let mut saved = Saved::new(environment(&secrets(&key(r#","value":"one""#))));
        saved.replace(environment(&secrets(&key(""))));
        assert_eq!(filled(&saved, "{{key}}").as_deref(), Some("one"));
        saved.replace(environment(&secrets(&key(r#","value":"two""#))));
        assert_eq!(filled(&saved, "{{key}}").as_deref(), Some("two"));
        assert!(saved.has_secret(&name("key")));
        saved.forget(&name("key"));
        assert_eq!(filled(&saved, "{{key}}"), None);
        saved.replace(environment(&secrets(&key(r#","value":"two""#))));
        saved.replace(environment(&secrets(r#"{"name":"key","value":"plain"}"#)));
        assert!(!saved.has_secret(&name("key")), "a variable that everybody sees has no secret");
        saved.replace(environment(&secrets(&key(""))));
        assert_eq!(filled(&saved, "{{key}}"), None);
    }
}
