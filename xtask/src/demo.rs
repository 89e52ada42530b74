//! A `grantor demo` of its own for each suite.

use crate::shell::{path, program};
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Where the release build leaves the binary.
pub(crate) const BINARY: &str = "target/release/grantor";
/// What JWTs and Grantor's own handles begin with: access tokens, refresh tokens, codes, interactions, client secrets.
const TOKENS: [&str; 6] = ["eyJ", "gr_at_", "gr_rt_", "gr_ac_", "gr_in_", "gr_cs_"];

const START: Duration = Duration::from_secs(30);

/// Whether one of them stands here: as the beginning of a word that is longer than the identifiers of requests, which may
/// hold any three letters.
fn holds_token(line: &str) -> bool {
    let words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-');
    words.filter(|word| word.len() > 12).any(|word| TOKENS.iter().any(|token| word.starts_with(token)))
}

/// A running server; it ends when this is dropped.
pub(crate) struct Demo {
    child: Child,
    /// What it printed about itself: one line of JSON.
    pub line: String,
    log: String,
}

impl Demo {
    /// Starts one on a free port, with what else it is told; its log goes to target/interop/`name`.log, at the most
    /// talkative level.
    pub(crate) fn start(name: &str, more: &[&str]) -> Result<Self, String> {
        let log = format!("target/interop/{name}.log");
        std::fs::create_dir_all(path("target/interop")).map_err(|why| why.to_string())?;
        let file = File::create(path(&log)).map_err(|why| format!("{log}: {why}"))?;
        let mut command = program(path(BINARY));
        command.args(["demo", "--listen", "127.0.0.1:0", "--json"]).args(more).env("RUST_LOG", "trace");
        command.stdout(Stdio::piped()).stderr(Stdio::from(file));
        let mut child = command.spawn().map_err(|why| format!("{BINARY}: {why}"))?;
        let stdout = child.stdout.take();
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            for line in stdout.into_iter().flat_map(|stdout| BufReader::new(stdout).lines().map_while(Result::ok)) {
                let _ = sender.send(line);
            }
        });
        // From here on, dropping ends the server.
        let mut demo = Self { child, line: String::new(), log };
        demo.line = receiver
            .recv_timeout(START)
            .map_err(|_| format!("grantor demo printed nothing within {} s; see {}", START.as_secs(), demo.log))?;
        Ok(demo)
    }

    /// No secret that the server was started with, and no token, stands in its log; which has something in it.
    pub(crate) fn log_is_clean(&self) -> Result<(), String> {
        let log = std::fs::read_to_string(path(&self.log)).map_err(|why| format!("{}: {why}", self.log))?;
        let facts: Value = serde_json::from_str(&self.line).map_err(|why| format!("grantor demo --json: {why}"))?;
        let mut secrets = Vec::new();
        for (list, member) in [("users", "password"), ("clients", "client_secret")] {
            let entries = facts.get(list).and_then(Value::as_array).into_iter().flatten();
            secrets.extend(entries.filter_map(|entry| entry.get(member)?.as_str()));
        }
        let clients = facts.get("clients").and_then(Value::as_array).into_iter().flatten();
        secrets.extend(clients.filter_map(|client| client.get("private_jwk")?.get("d")?.as_str()));
        if !log.contains("DEBUG") {
            return Err(format!("{} is silent, which proves nothing", self.log));
        }
        match log.lines().find(|line| holds_token(line) || secrets.iter().any(|secret| line.contains(secret))) {
            None => Ok(()),
            Some(_) => Err(format!("{} holds a secret or a token", self.log)),
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_where_a_word_begins() {
        for line in
            ["token=eyJhbGciOiJFUzI1NiJ9.e30.x", "a.eyJpc3MiOiJ4In0", "\"gr_at_0123456789\"", "Bearer gr_rt_0123456789"]
        {
            assert!(holds_token(line), "{line}");
        }
        assert!(!holds_token("request_id=8LpQoZCeyJch other=eyJQoZCeyJch"));
    }
}
