//! What an API does, for whoever wants to try it: the playground offers it.

use crate::value::{ScopeToken, Text};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One thing that an API does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// How it is asked.
    pub method: Method,
    /// What is added to the audience: nothing, or what begins with `/` or `?`. Parts in braces are for the caller to fill in.
    #[serde(default)]
    pub path: OperationPath,
    /// What it does.
    #[serde(default)]
    pub summary: Text,
    /// What the token must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<ScopeToken>,
    /// An example of what is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// The methods that a page can be made to send (RFC 9110 9.3, RFC 5789).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    Get,
    /// Reads the head alone.
    Head,
    /// Adds.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Takes away.
    Delete,
}

/// What stands behind the audience in the URL of an operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OperationPath(String);

/// What is no such path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoOperationPath;

impl OperationPath {
    /// The only door in: behind `https://api.example` no path may lead to another host.
    pub fn parse(raw: &str) -> Option<Self> {
        let leads_on = raw.is_empty() || raw.starts_with(['/', '?']);
        let clean = raw.len() <= 1024 && raw.bytes().all(|b| b.is_ascii_graphic()) && !raw.contains(['#', '\\']);
        (leads_on && clean).then(|| Self(raw.to_owned()))
    }
}

impl TryFrom<String> for OperationPath {
    type Error = NoOperationPath;

    fn try_from(raw: String) -> Result<Self, Self::Error> {
        Self::parse(&raw).ok_or(NoOperationPath)
    }
}

impl From<OperationPath> for String {
    fn from(path: OperationPath) -> Self {
        path.0
    }
}

impl fmt::Display for NoOperationPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the path of an operation is empty or begins with / or ?, and has neither spaces nor #")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_path_stays_behind_the_audience() {
        for good in ["", "/", "/notes/{id}", "?search={word}", "/a?b=c"] {
            assert!(OperationPath::parse(good).is_some(), "{good}");
        }
        for bad in ["notes", "@evil.example", ".evil.example", ":81/", "/a#b", "/a b", "/a\nb", "/\\evil.example", "/ä"]
        {
            assert!(OperationPath::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn an_operation_is_written_as_it_was_read() {
        let written = json!({
            "method": "DELETE", "path": "/{id}", "summary": { "en": "Delete", "de": "Löschen" }, "scope": "notes:write",
        });
        let read: Operation = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), written);
        for bad in [
            json!({ "method": "delete" }),
            json!({ "method": "CONNECT" }),
            json!({ "method": "GET", "path": "evil" }),
            json!({ "method": "GET", "scope": "a b" }),
            json!({ "method": "GET", "url": "https://evil.example" }),
        ] {
            assert!(serde_json::from_value::<Operation>(bad.clone()).is_err(), "{bad}");
        }
    }
}
