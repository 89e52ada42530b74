//! The tree into records, finding every problem and not only the first: what is wrong is said, taken out of the tree,
//! and reading starts again, until it succeeds. A required value that is missing is filled in for the same reason; the
//! record is then never used.

use super::reader::{Fault, Kind, Reader, Step};
use super::{Entry, Node, Place, Problem, Problems, Shape, did_you_mean};
use serde::de::DeserializeOwned;

/// Stands in for a missing text, whatever kind of name or URI it should have been.
const STAND_IN: &str = "urn:missing";

/// More problems than this in one record help nobody.
const MOST: usize = 200;

/// Reads a record. `also` are further words that are right in its place, for the help with a wrong one. Gives the
/// record even when something in it was wrong (the node is tainted then), as far as that is possible.
pub(crate) fn decode<T: DeserializeOwned>(node: &mut Node, also: &[&str], problems: &mut Problems) -> Option<T> {
    let mut removed: Vec<(Vec<Step>, String)> = Vec::new();
    for _ in 0..MOST {
        let mut fault = match T::deserialize(Reader(node)) {
            Ok(record) => return Some(record),
            Err(fault) => fault,
        };
        fault.path.reverse();
        let Fault { path, kind } = fault;
        match &kind {
            Kind::Unknown { name, expected } => {
                let (table, key) = (walk(node, &path), name.as_str());
                let place = table.and_then(|table| table.entry(key)).map(|entry| entry.place.clone());
                let extra = if path.is_empty() { also } else { &[] };
                let help = did_you_mean(key, expected.iter().copied().chain(extra.iter().copied()));
                problems.push(at(Problem::error(format!("{key} is not known here")), place).help(help));
                take_out(node, &path, &Step::Key(name.clone()))?;
            }
            Kind::Missing(key) => {
                if !removed.iter().any(|(at, gone)| *at == path && gone == key) {
                    let place = walk(node, &path).map(|table| table.place.clone());
                    problems.push(at(Problem::error(format!("{key} is missing")), place));
                }
                fill_in(node, &path, key)?;
            }
            Kind::Variant { .. } | Kind::Other(_) => {
                let place = walk(node, &path).map(|value| value.place.clone());
                let (last, above) = path.split_last()?;
                if walk(node, &path).is_some_and(is_stand_in) {
                    return None;
                }
                problems.push(at(Problem::error(kind.message(walk(node, &path))), place).help(kind.help()));
                take_out(node, above, last)?;
                if let Step::Key(key) = last {
                    removed.push((above.to_vec(), key.clone()));
                }
            }
        }
    }
    None
}

fn at(problem: Problem, place: Option<Place>) -> Problem {
    match place {
        Some(place) => problem.at(place),
        None => problem,
    }
}

fn walk<'a>(node: &'a Node, path: &[Step]) -> Option<&'a Node> {
    path.iter().try_fold(node, |node, step| match step {
        Step::Key(key) => node.get(key),
        Step::Index(index) => node.item(*index),
    })
}

/// The node at the end of the path; all on the way there is tainted.
fn taint<'a>(node: &'a mut Node, path: &[Step]) -> Option<&'a mut Node> {
    node.tainted = true;
    path.iter().try_fold(node, |node, step| {
        let next = match (&mut node.shape, step) {
            (Shape::Table(entries), Step::Key(key)) => {
                entries.iter_mut().find(|entry| entry.key == *key).map(|entry| &mut entry.value)
            }
            (Shape::List(items), Step::Index(index)) => items.get_mut(*index),
            _ => None,
        }?;
        next.tainted = true;
        Some(next)
    })
}

fn take_out(node: &mut Node, above: &[Step], last: &Step) -> Option<()> {
    match (&mut taint(node, above)?.shape, last) {
        (Shape::Table(entries), Step::Key(key)) => entries.retain(|entry| entry.key != *key),
        (Shape::List(items), Step::Index(index)) if *index < items.len() => {
            items.remove(*index);
        }
        _ => return None,
    }
    Some(())
}

fn fill_in(node: &mut Node, path: &[Step], key: &str) -> Option<()> {
    let table = taint(node, path)?;
    let place = table.place.clone();
    let Shape::Table(entries) = &mut table.shape else { return None };
    let value = Node { place: place.clone(), shape: Shape::Text(STAND_IN.to_owned()), tainted: true };
    entries.push(Entry { key: key.to_owned(), place, value });
    Some(())
}

fn is_stand_in(node: &Node) -> bool {
    node.tainted && matches!(&node.shape, Shape::Text(text) if text == STAND_IN)
}

#[cfg(test)]
mod tests {
    use super::super::{Format, Source};
    use super::*;
    use grantor_protocol::client::ClientMetadata;
    use grantor_protocol::directory::Api;

    fn lines<T: DeserializeOwned>(text: &str) -> Vec<String> {
        let mut problems = Problems::default();
        let mut tree = Source::new("x.toml", text).parse(Format::Toml, &[], &mut problems).unwrap();
        let _ = decode::<T>(&mut tree, &[], &mut problems);
        assert_eq!(tree.tainted, !problems.is_empty());
        problems.sorted().lines()
    }

    #[test]
    fn every_problem_is_found_where_it_stands() {
        let text = r#"
redirect_uri = ["https://a.example/cb"]
client_id = "a b"
grant_types = ["authorization_code", "client_credential"]
default_max_age = -1
redirect_uris = ["https://a.example/cb", "http://a.example/cb"]
"#;
        assert_eq!(
            lines::<ClientMetadata>(text),
            [
                "2:1 error: redirect_uri is not known here (did you mean redirect_uris?)",
                "3:13 error: \"a b\" is not a valid ClientId",
                "4:38 error: \"client_credential\" is not known here (did you mean client_credentials?)",
                "5:19 error: invalid value: integer `-1`, expected u32",
                "6:42 error: \"http://a.example/cb\" is no redirect URI: https (or http on loopback, or a private-use scheme with a dot), absolute, without a fragment",
            ]
        );
    }

    #[test]
    fn everything_that_is_missing_is_said() {
        let text = "[[scopes]]\ndescription = \"x\"\n[token]\nalgorithm = \"ES257\"\nformat = 1\n";
        let found = lines::<Api>(text);
        assert_eq!(found.len(), 5, "{found:#?}");
        assert!(found.contains(&"1:1 error: audience is missing".to_owned()), "{found:#?}");
        assert!(found.contains(&"1:1 error: name is missing".to_owned()), "{found:#?}");
        assert!(
            found[3].starts_with("4:13 error: this algorithm is not known (known here: ES256, RS256"),
            "{found:#?}"
        );
        assert!(found[4].starts_with("5:10 error: this cannot be a number"), "{found:#?}");
    }
}
