//! From the text to the records.

use super::{Account, ClientDeclaration, ClientSecrets, Declared, Manifest, UserDeclaration};
use crate::document::{Entry, Format};
use crate::document::{Node, Problem, Problems, Shape, Source, decode, did_you_mean, fields_of};
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// The keys whose values are never shown. A set of keys is public, but somebody may have put a private one there.
const SECRETS: [&str; 6] = ["client_secret", "client_secret_hash", "password", "password_hash", "jwks", "token_hash"];

/// The sections of a manifest.
const SECTIONS: [&str; 5] = ["tenants", "apis", "clients", "users", "policies"];

/// Reads a manifest. What is wrong is said in `problems`; the records then are as whole as they can be.
pub(super) fn read(source: &Arc<Source>, format: Format, problems: &mut Problems) -> Option<Manifest> {
    let tree = source.parse(format, &SECRETS, problems)?;
    let Shape::Table(entries) = &tree.shape else {
        problems.push(Problem::error(format!("a manifest is a table, not {}", tree.kind())).at(tree.place));
        return None;
    };
    for entry in entries.iter().filter(|entry| !SECTIONS.contains(&entry.key.as_str())) {
        let problem = Problem::error(format!("{} is not known here", entry.key)).at(entry.place.clone());
        problems.push(problem.help(did_you_mean(&entry.key, SECTIONS)));
    }
    Some(Manifest {
        tenants: section(&tree, "tenants", problems, plain),
        apis: section(&tree, "apis", problems, plain),
        clients: section(&tree, "clients", problems, |node, problems| {
            let (secrets, metadata) = split::<ClientSecrets, _>(node, problems)?;
            Some(ClientDeclaration { metadata, secrets })
        }),
        users: section(&tree, "users", problems, |node, problems| {
            let (account, claims) = split::<Account, _>(node, problems)?;
            Some(UserDeclaration { account, claims })
        }),
        policies: section(&tree, "policies", problems, plain),
    })
}

fn section<T>(
    tree: &Node,
    name: &str,
    problems: &mut Problems,
    record: impl Fn(&mut Node, &mut Problems) -> Option<T>,
) -> Vec<Declared<T>> {
    let Some(section) = tree.get(name) else { return Vec::new() };
    let Shape::List(items) = &section.shape else {
        let problem = Problem::error(format!("{name} is a list of tables, not {}", section.kind()));
        problems.push(problem.at(section.place.clone()).help(format!("in TOML: [[{name}]], once for each")));
        return Vec::new();
    };
    let read = |item: &Node| {
        if !matches!(item.shape, Shape::Table(_)) {
            let problem = Problem::error(format!("each of {name} is a table, not {}", item.kind()));
            problems.push(problem.at(item.place.clone()));
            return None;
        }
        let mut work = item.clone();
        let record = record(&mut work, problems)?;
        Some(Declared { record, node: Node { tainted: work.tainted, ..item.clone() } })
    };
    items.iter().filter_map(read).collect()
}

fn plain<T: DeserializeOwned>(node: &mut Node, problems: &mut Problems) -> Option<T> {
    decode(node, &[], problems)
}

/// One table that holds two records: the keys of `A` are taken out, the rest is `B`.
fn split<A: DeserializeOwned, B: DeserializeOwned>(node: &mut Node, problems: &mut Problems) -> Option<(A, B)> {
    let keys = fields_of::<A>();
    let Shape::Table(entries) = &mut node.shape else { return None };
    let (taken, rest): (Vec<Entry>, Vec<Entry>) =
        std::mem::take(entries).into_iter().partition(|entry| keys.contains(&entry.key.as_str()));
    let mut first = Node::new(node.place.clone(), Shape::Table(taken));
    node.shape = Shape::Table(rest);
    let a = decode(&mut first, &[], problems);
    let b = decode(node, keys, problems);
    node.tainted |= first.tainted;
    Some((a?, b?))
}
