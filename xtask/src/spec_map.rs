//! `docs/spec-map.md`: section, rule, test; made from the names of the tests.

use crate::shell::{path, root};
use crate::specs::Rule;
use crate::tally::{Outcome, Tally};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

const FILE: &str = "docs/spec-map.md";
const PLACES: [&str; 1] = ["crates"];
const INTRODUCTION: &str = "\
# Which test holds which rule

Made by `cargo xtask spec-map` from the names of the tests; do not edit. A rule's test is called after its section:
`rfc6749_4_1_3_code_of_another_client_is_refused`.
";

/// Writes the map.
pub(crate) fn write() -> Result<(), String> {
    fs::write(path(FILE), render(&rules()?)).map_err(|why| format!("{FILE}: {why}"))
}

/// Pages that name tests: each of them must exist.
const NAMING: [&str; 2] = ["docs/rejections.md", "docs/mcp.md"];

/// Whether every test that a page names is there.
fn named_tests_exist(page_at: &str) -> Result<(), String> {
    let page = fs::read_to_string(path(page_at)).map_err(|why| format!("{page_at}: {why}"))?;
    let all = all_tests()?;
    let is_test = |text: &&str| text.matches('_').count() > 2 && !text.contains([' ', '/', ':']);
    let mut named = page.split('`').skip(1).step_by(2).filter(is_test).peekable();
    if named.peek().is_none() {
        return Err(format!("{page_at} names no test at all"));
    }
    let missing: Vec<&str> = named.filter(|name| !all.iter().any(|(_, test)| test == name)).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("{page_at} names what is no test: {}", missing.join(", "))) }
}

/// Whether the map says what the tests say.
pub(crate) fn check() -> Outcome {
    NAMING.into_iter().try_for_each(named_tests_exist)?;
    let wanted = render(&rules()?);
    if fs::read_to_string(path(FILE)).is_ok_and(|written| written == wanted) {
        return Ok(Tally::one());
    }
    Err(format!("{FILE} is stale: run cargo xtask spec-map"))
}

type Entry = (Rule, String, String);

fn rules() -> Result<BTreeSet<Entry>, String> {
    let all = all_tests()?.into_iter();
    Ok(all.filter_map(|(file, name)| Some((Rule::parse(&name)?, file, name))).collect())
}

/// Every test, with its file.
fn all_tests() -> Result<BTreeSet<(String, String)>, String> {
    let mut found = BTreeSet::new();
    for place in PLACES {
        visit(&path(place), &mut found)?;
    }
    Ok(found)
}

fn visit(directory: &Path, found: &mut BTreeSet<(String, String)>) -> Result<(), String> {
    let entries = fs::read_dir(directory).map_err(|why| format!("{}: {why}", directory.display()))?;
    for entry in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        if entry.is_dir() {
            visit(&entry, found)?;
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&entry).map_err(|why| format!("{}: {why}", entry.display()))?;
            let file = entry.strip_prefix(root()).unwrap_or(&entry).to_string_lossy().replace('\\', "/");
            found.extend(tests(&source).map(|name| (file.clone(), name.to_owned())));
        }
    }
    Ok(())
}

/// The names of functions that follow a `#[test]`, a `#[tokio::test]` or the like.
fn tests(source: &str) -> impl Iterator<Item = &str> {
    let mut is_test = false;
    source.lines().filter_map(move |line| {
        let line = line.trim();
        if line.starts_with("#[") {
            is_test |= line.split(['(', ']']).next().is_some_and(|attribute| attribute.ends_with("test"));
            return None;
        }
        if line.is_empty() || line.starts_with("//") {
            return None;
        }
        let test = std::mem::take(&mut is_test);
        let line = line.strip_prefix("pub ").unwrap_or(line);
        let name = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ")?.split(['(', '<']).next()?;
        test.then_some(name)
    })
}

fn render(rules: &BTreeSet<Entry>) -> String {
    let mut page = INTRODUCTION.to_owned();
    let mut current = None;
    for (rule, file, name) in rules {
        if current != Some(rule.document) {
            current = Some(rule.document);
            let _ = write!(
                page,
                "\n## [{}]({})\n\n| section | rule | test |\n|---|---|---|\n",
                rule.document.title(),
                rule.document.url()
            );
        }
        let _ = writeln!(page, "| {} | {} | [{name}](../{file}) |", rule.section(), rule.words);
    }
    let _ = write!(page, "\n{} rules.\n", rules.len());
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tests_are_listed() {
        let source = "
            #[test]
            fn rfc1_2_a() {}
            fn rfc1_2_helper() {}
            #[tokio::test(flavor = \"multi_thread\")]
            /// With a comment.
            async fn rfc1_2_b() {}
            #[test_case]
            fn rfc1_2_c() {}
            #[cfg(test)]
            mod tests {}
            fn rfc1_2_d() {}
        ";
        assert_eq!(tests(source).collect::<Vec<_>>(), ["rfc1_2_a", "rfc1_2_b"]);
    }

    #[test]
    fn the_map_is_a_table_per_document() {
        let entry = |name: &str| (Rule::parse(name).unwrap(), "crates/a/src/b.rs".to_owned(), name.to_owned());
        let page = render(&[entry("rfc6749_10_b"), entry("rfc6749_9_a")].into_iter().collect());
        let expected =
            "\n## [RFC 6749: The OAuth 2.0 Authorization Framework](https://www.rfc-editor.org/rfc/rfc6749)\n
| section | rule | test |
|---|---|---|
| 9 | a | [rfc6749_9_a](../crates/a/src/b.rs) |
| 10 | b | [rfc6749_10_b](../crates/a/src/b.rs) |

2 rules.
";
        assert_eq!(page.strip_prefix(INTRODUCTION), Some(expected));
    }
}
