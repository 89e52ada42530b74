//! The real binary, run as somebody would run it.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

pub(crate) mod browser;

use serde_json::Value;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A directory of one test, and what its commands find in their environment besides the usual.
pub(crate) struct Folder(PathBuf, Vec<(&'static str, String)>);

impl Folder {
    pub(crate) fn new() -> Self {
        let unique = format!("grantor-test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(unique);
        std::fs::create_dir_all(&path).unwrap();
        Self(path, Vec::new())
    }

    /// From now on in the environment of every command.
    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.1.push((name, value.into()));
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Runs the binary here, with `data` as its data directory.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, "")
    }

    /// The same, with something on standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Ran {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        Ran::of(&child.wait_with_output().unwrap())
    }

    /// Runs it and takes the JSON that it printed.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
        serde_json::from_str(&ran.out).unwrap()
    }

    /// Starts a server and takes the one line of JSON that it prints.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        self.try_start(arguments).unwrap_or_else(|err| panic!("{arguments:?} printed nothing: {err}"))
    }

    /// The same; what it said on standard error when it did not start.
    pub(crate) fn try_start(&self, arguments: &[&str]) -> Result<Running, String> {
        let mut child = self.command(&[arguments, &["--json"]].concat()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        if line.is_empty() {
            let mut err = String::new();
            child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
            child.wait().unwrap();
            return Err(err);
        }
        Ok(Running { child, said: serde_json::from_str(&line).unwrap() })
    }

    /// Starts it, and leaves it to the test.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        self.spawn_in(arguments, &[])
    }

    /// The same with more in its environment.
    pub(crate) fn spawn_in(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Child {
        self.command(arguments).envs(environment.iter().copied()).stdin(Stdio::null()).spawn().unwrap()
    }

    /// The binary, not started yet.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.foreign(env!("CARGO_BIN_EXE_grantor"));
        command.args(arguments);
        command
    }

    /// Another program in the same environment.
    pub(crate) fn foreign(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("GRANTOR_")) {
            command.env_remove(name);
        }
        command.current_dir(&self.0).env("GRANTOR_DATA", self.0.join("data")).env("TMPDIR", &self.0);
        // What a user has at home is none of a test's business.
        command.env("HOME", &self.0).env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere");
        for name in ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"] {
            command.env_remove(name);
        }
        command.envs(self.1.iter().map(|(name, value)| (name, value)));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout.clone()).unwrap(),
            err: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self.out
    }
}

/// A server, and what it said when it started.
pub(crate) struct Running {
    child: Child,
    pub(crate) said: Value,
}

impl Running {
    /// Tells it to stop as an operator would, and gives its exit code.
    pub(crate) fn stop(mut self) -> i32 {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One request over a connection of its own: status, header lines, body.
pub(crate) fn http(method: &str, url: &str, headers: &[(&str, String)], body: &str) -> (u16, String, String) {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let mut request = format!("{method} /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    for (name, value) in headers {
        write!(request, "{name}: {value}\r\n").unwrap();
    }
    if !body.is_empty() && !headers.iter().any(|(name, _)| *name == "content-type") {
        request.push_str("content-type: application/x-www-form-urlencoded\r\n");
    }
    write!(request, "content-length: {}\r\n\r\n{body}", body.len()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_owned(), body.to_owned())
}

/// `Authorization: Basic` (RFC 6749 2.3.1).
pub(crate) fn basic(client: &Value) -> (&'static str, String) {
    let pair = format!("{}:{}", client["client_id"].as_str().unwrap(), client["client_secret"].as_str().unwrap());
    ("authorization", format!("Basic {}", base64(pair.as_bytes())))
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, byte| (word << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for position in 0..4 {
            let index = (word >> (18 - 6 * position)) & 63;
            text.push(if position <= chunk.len() { char::from(ALPHABET[index as usize]) } else { '=' });
        }
    }
    text
}
