//! Signing in with the commands for programs: a plain HTTP client plays the browser.

use super::{Folder, Ran, Running, http};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::Child;

/// A server with users, clients and an API.
pub(crate) fn demo(folder: &Folder) -> Running {
    folder.start(&["demo", "--listen", "127.0.0.1:0"])
}

/// A text in what a server said.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer}: {value}"))
}

/// A client of the demo.
pub(crate) fn client<'a>(said: &'a Value, id: &str) -> &'a Value {
    said["clients"].as_array().unwrap().iter().find(|client| client["client_id"] == id).unwrap()
}

/// A browser without a window: it keeps cookies, follows the server's redirects, signs in as the demo's user, and allows.
#[derive(Default)]
pub(crate) struct Browser(BTreeMap<String, String>);

impl Browser {
    fn ask(&mut self, method: &str, url: &str, body: &str) -> (u16, String, String) {
        let cookies: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let origin = url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        let headers =
            [("cookie", cookies.join("; ")), ("origin", origin), ("sec-fetch-site", "same-origin".to_owned())];
        let answer = http(method, url, &headers, body);
        for line in answer.1.lines().filter_map(|line| line.strip_prefix("set-cookie: ")) {
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            self.0.insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    /// Until the browser is sent to another place than the server: there; or until there is nothing more to do: the page.
    pub(crate) fn allow(&mut self, issuer: &str, url: &str) -> String {
        let mut answer = self.ask("GET", url, "");
        for _ in 0..10 {
            if let Some(location) = answer.1.lines().find_map(|line| line.strip_prefix("location: ")) {
                let location =
                    if location.starts_with('/') { format!("{issuer}{location}") } else { location.to_owned() };
                if !location.starts_with(issuer) {
                    return location;
                }
                answer = self.ask("GET", &location, "");
                continue;
            }
            let page = answer.2;
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            for name in ["csrf", "interaction"] {
                form.append_pair(name, &values(&page, &format!("name=\"{name}\" value=\"")).pop().unwrap_or_default());
            }
            if page.contains("name=\"password\"") {
                form.append_pair("username", "alice").append_pair("password", "demo-password");
            } else {
                for scope in values(&page, "name=\"scope\" value=\"") {
                    form.append_pair("scope", &scope);
                }
                form.append_pair("decision", "allow");
            }
            let Some(action) = values(&page, " action=\"").pop() else { return page };
            let shown = values(&page, "class=\"user-code\" value=\"").pop();
            form.extend_pairs(shown.iter().map(|code| ("user_code", code)));
            answer = self.ask("POST", &format!("{issuer}{action}"), &form.finish());
        }
        panic!("the server asks and asks: {}", answer.2)
    }
}

fn values(html: &str, beginning: &str) -> Vec<String> {
    let all = html.match_indices(beginning);
    all.map(|(at, found)| html[at + found.len()..].split('"').next().unwrap().replace("&amp;", "&")).collect()
}

/// Starts a sign-in, and reads the address that the user is told.
pub(crate) fn begin(folder: &Folder, arguments: &[&str]) -> (Child, String) {
    let mut child = folder.spawn(&[&["login", "--no-browser"], arguments].concat());
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let (mut line, mut all) = (String::new(), String::new());
    while !line.trim_start().starts_with("http") {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "no address: {all}");
        all.push_str(&line);
    }
    // What else it says must not fill the pipe.
    child.stderr = Some(said.into_inner());
    (child, line.trim().to_owned())
}

/// A whole sign-in, its tokens in a file.
pub(crate) fn sign_in(folder: &Folder, issuer: &str, arguments: &[&str]) -> Ran {
    let (child, url) = begin(folder, &[&["--issuer", issuer, "--token-store", "file"], arguments].concat());
    let back = Browser::default().allow(issuer, &url);
    assert_eq!(http("GET", &back, &[], "").0, 200);
    Ran::of(&child.wait_with_output().unwrap())
}

/// The demo's client for programs of a user.
pub(crate) const PUBLIC: [&str; 4] =
    ["--client-id", "demo-public", "--scope", "openid profile notes:read offline_access"];

/// Where the tokens of the default profile are.
pub(crate) fn kept(folder: &Folder) -> PathBuf {
    folder.path().join(".local/state/grantor/tokens/default.json")
}

/// Makes the token that is kept one that has ended.
pub(crate) fn expire(folder: &Folder) -> Value {
    let path = kept(folder);
    let mut grant: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    grant["expires"] = json!(1_000);
    grant["obtained"] = json!(400);
    std::fs::write(&path, grant.to_string()).unwrap();
    grant
}
