//! One file for each subcommand.

pub(crate) mod api;
pub(crate) mod apply;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod client;
pub(crate) mod client_options;
pub(crate) mod client_secret;
pub(crate) mod collection;
pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod export;
pub(crate) mod federation;
pub(crate) mod grant;
pub(crate) mod health;
pub(crate) mod key;
pub(crate) mod migrate;
pub(crate) mod program;
pub(crate) mod registration_token;
pub(crate) mod restore;
pub(crate) mod serve;
pub(crate) mod single;
pub(crate) mod token;
pub(crate) mod user;

use crate::failure::{Context as _, Failure, Result};
use grantor_protocol::value::{Secret, UnixTime};
use serde_json::{Value, json};
use std::io::Read as _;
use std::path::Path;

/// A secret or a token from standard input: the whole of it, without the end of the line.
pub(crate) fn from_stdin(what: &str) -> Result<Secret> {
    let mut text = String::new();
    std::io::stdin().take(1 << 20).read_to_string(&mut text).context(|| format!("read {what} from standard input"))?;
    let trimmed = text.trim_end_matches(['\n', '\r']).to_owned();
    if trimmed.is_empty() {
        return Err(Failure::usage(format!("standard input holds no {what}")));
    }
    Ok(Secret::new(trimmed))
}

/// A set of keys in a file (RFC 7517 5). Whether they can be used is for whoever declares them to hear.
pub(crate) fn jwks_file(path: &Path) -> Result<Value> {
    let text = std::fs::read_to_string(path).context(|| format!("read {}", path.display()))?;
    // Not what is wrong with it: the file may hold a private key.
    let value: Value = serde_json::from_str(&text)
        .map_err(|_| Failure::new(format!("{} is no JSON: a set of keys is {{\"keys\": [...]}}", path.display())))?;
    // One key alone is a set of one.
    Ok(if value.get("kty").is_some() { json!({ "keys": [value] }) } else { value })
}

/// A moment for people.
pub(crate) fn moment(time: UnixTime) -> String {
    jiff::Timestamp::from_second(time.get()).map_or_else(|_| "never".to_owned(), |time| time.to_string())
}

/// `1 client`, `2 clients`.
pub(crate) fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// The same for what the store counts.
pub(crate) fn count_u64(number: u64, one: &str) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX), one)
}
