//! The environment and the command line, written into the tree of the file: what is wrong with them is said in the same
//! way, at the variable or the option.

use super::{Flags, Value};
use crate::document::{Entry, Format, Node, Place, Problem, Problems, Shape, Source, did_you_mean};

/// Every variable begins with it.
pub(super) const PREFIX: &str = "GRANTOR_";

/// The master key itself: never part of the tree, so that no message can show it.
pub(super) const MASTER_KEY: &str = "GRANTOR_MASTER_KEY";

/// The configuration file.
const CONFIG: &str = "GRANTOR_CONFIG";

/// Those of the commands for programs, which ask a server and are none: what `grantor exec` runs may be a server's command.
const OF_PROGRAMS: [&str; 2] = ["GRANTOR_PROFILE", "GRANTOR_TOKEN"];

/// A setting that can be overridden.
pub(super) struct Leaf {
    /// Its name, with dots.
    pub(super) name: &'static str,
    form: Form,
}

/// How a variable holds a setting.
#[derive(Clone, Copy)]
enum Form {
    /// As it is.
    Text,
    /// Several values with commas between them.
    List,
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Number,
}

/// Every setting. The variable of `tls.key` is `GRANTOR_TLS_KEY`.
pub(super) const LEAVES: [Leaf; 26] = [
    Leaf { name: "issuer", form: Form::Text },
    Leaf { name: "listen", form: Form::Text },
    Leaf { name: "data", form: Form::Text },
    Leaf { name: "database", form: Form::Text },
    Leaf { name: "database_password_file", form: Form::Text },
    Leaf { name: "migrate", form: Form::Text },
    Leaf { name: "drain_seconds", form: Form::Number },
    Leaf { name: "tls.certificate", form: Form::Text },
    Leaf { name: "tls.key", form: Form::Text },
    Leaf { name: "tls.fapi", form: Form::Flag },
    Leaf { name: "mtls.listen", form: Form::Text },
    Leaf { name: "mtls.certificate", form: Form::Text },
    Leaf { name: "mtls.key", form: Form::Text },
    Leaf { name: "mtls.client_roots", form: Form::Text },
    Leaf { name: "mtls.public_url", form: Form::Text },
    Leaf { name: "proxy.trusted", form: Form::List },
    Leaf { name: "proxy.client_cert_header", form: Form::Flag },
    Leaf { name: "proxy.forward_auth", form: Form::Flag },
    Leaf { name: "outgoing.extra_ca", form: Form::Text },
    Leaf { name: "outgoing.allowed_networks", form: Form::List },
    Leaf { name: "playground.issuers", form: Form::List },
    Leaf { name: "master_key.file", form: Form::Text },
    Leaf { name: "log.format", form: Form::Text },
    Leaf { name: "log.level", form: Form::Text },
    Leaf { name: "metrics.listen", form: Form::Text },
    Leaf { name: "audit.keep_days", form: Form::Number },
];

impl Leaf {
    /// The variable that overrides it.
    pub(super) fn variable(&self) -> String {
        format!("{PREFIX}{}", self.name.to_uppercase().replace('.', "_"))
    }

    fn value(&self, text: &str) -> Value {
        match self.form {
            Form::Text => Value::from(text),
            Form::List => {
                Value::from(text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>())
            }
            // Anything else stays a text, and is refused as one.
            Form::Flag => text.parse::<bool>().map_or_else(|_| Value::from(text), Value::from),
            Form::Number => text.parse::<u32>().map_or_else(|_| Value::from(text), Value::from),
        }
    }
}

/// Writes the variables, then the options, over what the file says.
pub(super) fn apply(tree: &mut Node, flags: &Flags, environment: &[(String, String)], problems: &mut Problems) {
    for (variable, value) in environment {
        if let Some(leaf) = LEAVES.iter().find(|leaf| leaf.variable() == *variable) {
            if !value.is_empty() {
                put(tree, leaf.name, variable, &leaf.value(value));
            }
        } else if variable != MASTER_KEY && variable != CONFIG && !OF_PROGRAMS.contains(&variable.as_str()) {
            let known: Vec<String> = LEAVES.iter().map(Leaf::variable).chain([MASTER_KEY.to_owned()]).collect();
            let problem = Problem::warning(format!("the environment variable {variable} is not known and ignored"));
            problems.push(problem.help(did_you_mean(variable, known.iter().map(String::as_str))));
        }
    }
    let data = flags.data.as_ref().map(|path| path.display().to_string());
    let options = [
        ("data", "--data", data.as_ref()),
        ("database", "--database", flags.database.as_ref()),
        ("listen", "--listen", flags.listen.as_ref()),
        ("issuer", "--issuer", flags.issuer.as_ref()),
        ("mtls.listen", "--mtls-listen", flags.mtls_listen.as_ref()),
        ("metrics.listen", "--metrics-listen", flags.metrics_listen.as_ref()),
    ];
    for (name, option, value) in options {
        if let Some(value) = value {
            put(tree, name, option, &Value::from(value.as_str()));
        }
    }
}

/// The entry of a setting, and with it the place where it was said.
pub(super) fn entry<'a>(tree: &'a Node, name: &str) -> Option<&'a Entry> {
    match name.split_once('.') {
        Some((section, key)) => tree.get(section)?.entry(key),
        None => tree.entry(name),
    }
}

/// Where a setting was said.
pub(super) fn place(tree: &Node, name: &str) -> Option<Place> {
    entry(tree, name).map(|entry| entry.value.place.clone())
}

fn put(tree: &mut Node, name: &str, origin: &str, value: &Value) {
    let source = Source::new(origin, value.to_string());
    let mut ignored = Problems::default();
    let Some(value) = source.parse(Format::Json, &[], &mut ignored) else { return };
    let whole = value.place.clone();
    let Shape::Table(top) = &mut tree.shape else { return };
    let (entries, key) = match name.split_once('.') {
        None => (top, name),
        Some((section, key)) => {
            if !top.iter().any(|entry| entry.key == section) {
                let table = Node::new(whole.clone(), Shape::Table(Vec::new()));
                top.push(Entry { key: section.to_owned(), place: whole.clone(), value: table });
            }
            match top.iter_mut().find(|entry| entry.key == section).map(|entry| &mut entry.value.shape) {
                Some(Shape::Table(entries)) => (entries, key),
                // The section is no table: that is said when it is read.
                _ => return,
            }
        }
    };
    entries.retain(|entry| entry.key != key);
    entries.push(Entry { key: key.to_owned(), place: whole, value });
}
