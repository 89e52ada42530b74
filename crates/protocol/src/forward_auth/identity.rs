//! What a proxy may tell the API about who calls.

use crate::token::{AccessToken, TokenSubject};
use crate::value::{ScopeToken, UnixTime};
use std::fmt::Write as _;

/// The headers of an answer that lets a request pass. The one list: an answer has all of them, empty where nothing applies,
/// so that a proxy which copies them leaves none of a client's in place.
pub const IDENTITY: [&str; 10] = [
    "x-grantor-subject",
    "x-grantor-subject-type",
    "x-grantor-client-id",
    "x-grantor-scope",
    "x-grantor-roles",
    "x-grantor-token-id",
    "x-grantor-expires",
    "x-grantor-acr",
    "x-grantor-auth-time",
    "x-grantor-authorization-details",
];

/// The values of [`IDENTITY`], in its order, for a token that holds: `sub`, `user` or `app`, `client_id`, `scope`, `roles`,
/// `jti`, `exp`, `acr`, `auth_time` and `authorization_details` (RFC 9068 2.2, RFC 9396 9.1). Times are seconds since
/// 1970; lists have single spaces between their members; details are JSON in ASCII.
///
/// All but the details are percent-encoded (RFC 3986 2.1) where they are not visible ASCII, and so is `%` itself: no value
/// can end its header or begin another member.
pub fn identity(token: &AccessToken) -> [String; IDENTITY.len()] {
    let authentication = token.authentication.as_ref();
    let kind = match token.subject {
        TokenSubject::User(_) => "user",
        TokenSubject::Application => "app",
    };
    let details = if token.details.is_empty() {
        String::new()
    } else {
        ascii_json(&serde_json::to_string(&token.details).unwrap_or_default())
    };
    [
        encoded(token.sub()),
        kind.to_owned(),
        encoded(token.client.as_str()),
        list(token.scope.iter().map(ScopeToken::as_str)),
        list(token.roles.iter().map(String::as_str)),
        token.id.to_string(),
        seconds(token.expires),
        authentication.map(|authentication| encoded(&authentication.acr)).unwrap_or_default(),
        authentication.map(|authentication| seconds(authentication.time)).unwrap_or_default(),
        details,
    ]
}

fn seconds(time: UnixTime) -> String {
    time.get().to_string()
}

fn list<'a>(members: impl Iterator<Item = &'a str>) -> String {
    members.map(encoded).collect::<Vec<_>>().join(" ")
}

fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && byte != b'%' {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// The same JSON without other letters: they stand in strings alone, where an escape means the same (RFC 8259 7).
fn ascii_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for letter in json.chars() {
        if (' '..='~').contains(&letter) {
            out.push(letter);
        } else {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}
