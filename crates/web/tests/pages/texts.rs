//! Every text that a template asks for exists in every language, and none is left over.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use grantor_web::{ErrorKind, Language};

fn directory(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The keys of a language, attributes as `key.attribute`, each with the arguments that its text takes.
fn messages(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    let source = fs::read_to_string(directory("languages").join(format!("{}.ftl", language.tag()))).unwrap();
    let mut messages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let (mut message, mut key) = (String::new(), String::new());
    for line in source.lines().filter(|line| !line.starts_with('#')) {
        if let Some((attribute, _)) = line.strip_prefix("    .").and_then(|line| line.split_once(" = ")) {
            key = format!("{message}.{attribute}");
        } else if let Some((id, _)) =
            line.split_once(" = ").filter(|_| line.starts_with(|c: char| c.is_ascii_lowercase()))
        {
            id.clone_into(&mut message);
            id.clone_into(&mut key);
            assert!(!messages.contains_key(id), "{id} twice");
        }
        let arguments = messages.entry(key.clone()).or_default();
        for (at, _) in line.match_indices("{ $") {
            arguments.insert(line[at + 3..].split_whitespace().next().unwrap().to_owned());
        }
    }
    messages
}

/// The keys that templates ask for. `"error-" ~ page.kind` stands for every kind.
fn used() -> BTreeSet<String> {
    let mut used = BTreeSet::from(["date".to_owned()]);
    for entry in fs::read_dir(directory("templates")).unwrap() {
        let source = fs::read_to_string(entry.unwrap().path()).unwrap();
        for (at, call) in source.match_indices("t(\"") {
            if source[..at].ends_with(|c: char| c.is_ascii_alphanumeric()) {
                continue;
            }
            let (key, rest) = source[at + call.len()..].split_once('"').unwrap();
            if key == "error-" {
                let suffix = rest.strip_prefix(" ~ page.kind").unwrap();
                let suffix = suffix.strip_prefix(" ~ \"").map_or("", |rest| rest.split('"').next().unwrap());
                used.extend(ErrorKind::ALL.iter().map(|kind| format!("error-{}{suffix}", kebab(*kind))));
            } else {
                assert!(!rest.starts_with(" ~"), "{key} is put together at run time");
                used.insert(key.to_owned());
            }
        }
    }
    used
}

fn kebab(kind: ErrorKind) -> String {
    let mut kebab = String::new();
    for c in format!("{kind:?}").chars() {
        if c.is_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.push(c.to_ascii_lowercase());
    }
    kebab
}

#[test]
fn every_text_exists_in_every_language() {
    let english = messages(Language::English);
    assert!(english.len() > 100);
    for language in Language::ALL {
        assert_eq!(messages(language), english, "{}", language.tag());
    }
}

#[test]
fn what_templates_ask_for_exists_and_nothing_is_left_over() {
    let keys: BTreeSet<String> = messages(Language::English).into_keys().collect();
    let used = used();
    assert_eq!(used.difference(&keys).collect::<Vec<_>>(), Vec::<&String>::new(), "missing");
    assert_eq!(keys.difference(&used).collect::<Vec<_>>(), Vec::<&String>::new(), "left over");
}

#[test]
fn pages_speak_one_language() {
    crate::each("Ledgerly", |name, language, page| {
        let (own, other) = match language {
            Language::English => ("Secured by", "Gesichert"),
            Language::German => ("Gesichert", "Secured by"),
        };
        assert!(page.contains(own) && !page.contains(other), "{name}");
    });
}

#[test]
fn dates_and_spans_are_written_out() {
    crate::each("Ledgerly", |name, language, page| {
        let german = language == Language::German;
        if name == "apps" {
            assert!(page.replace(['\u{2068}', '\u{2069}'], "").contains(if german {
                "1. November 2025"
            } else {
                "1 November 2025"
            }));
        }
        if name == "sign-in-throttled" {
            assert!(page.contains(if german { "3 Minuten" } else { "3 minutes" }), "{page}");
        }
        if name == "consent" {
            assert!(page.contains(if german { "1 Jahr" } else { "1 year" }), "{page}");
        }
    });
}
