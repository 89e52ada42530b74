//! The commands for programs with a real keyring: GNOME's, on a bus of the test's own.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

mod common;

use common::browser::{Browser, PUBLIC, begin, demo, text};
use common::{Folder, Ran, http};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const BUS: &str = r#"<busconfig>
  <type>session</type>
  <listen>unix:dir=FOLDER</listen>
  <servicedir>FOLDER/services</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

/// The first one who asks for it starts it, and waits until it is there. Nobody can be asked for a password here: there is
/// no service for that on the bus.
const SECRETS: &str = r#"[D-BUS Service]
Name=org.freedesktop.secrets
Exec=/bin/sh -c "printf password | exec gnome-keyring-daemon --foreground --unlock --components=secrets"
"#;

/// A bus that ends with the test; and the keyring, which ends with its bus.
struct Bus(Child);

impl Bus {
    /// From now on the commands of the folder, and what is started below them, see this bus and no other.
    fn start(folder: &mut Folder, services: &[(&str, &str)]) -> Self {
        let own = folder.path().to_str().unwrap().to_owned();
        for name in ["services", "run"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        for (name, text) in services {
            folder.write(&format!("services/{name}"), text);
        }
        let file = folder.write("bus.conf", &BUS.replace("FOLDER", &own));
        let mut bus = Command::new("dbus-daemon");
        bus.arg(format!("--config-file={}", file.display())).args(["--nofork", "--print-address"]);
        for name in ["DISPLAY", "WAYLAND_DISPLAY", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"] {
            bus.env_remove(name);
        }
        bus.env("HOME", &own).env("XDG_RUNTIME_DIR", folder.path().join("run"));
        let said = bus.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut said = said.unwrap_or_else(|error| panic!("dbus-daemon: {error}"));
        let mut address = String::new();
        BufReader::new(said.stdout.take().unwrap()).read_line(&mut address).unwrap();
        folder.set("DBUS_SESSION_BUS_ADDRESS", address.trim_end());
        Self(said)
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder whose commands find a keyring that is open.
fn with_keyring() -> (Folder, Bus) {
    let mut folder = Folder::new();
    let bus = Bus::start(&mut folder, &[("org.freedesktop.secrets.service", SECRETS)]);
    (folder, bus)
}

/// Somebody else's program at the same keyring.
fn secret_tool(folder: &Folder, arguments: &[&str], input: &str) -> String {
    let mut tool = folder.foreign("secret-tool").args(arguments).stdin(Stdio::piped()).spawn().unwrap();
    tool.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let ran = tool.wait_with_output().unwrap();
    String::from_utf8(ran.stdout).unwrap()
}

const ITEM: [&str; 4] = ["service", "grantor", "username", "default"];

fn kept(folder: &Folder) -> String {
    secret_tool(folder, &[&["lookup"], &ITEM[..]].concat(), "")
}

/// Makes the token in the keyring one that has ended.
fn expire(folder: &Folder) -> Value {
    let mut grant: Value = serde_json::from_str(&kept(folder)).unwrap();
    grant["expires"] = json!(1_000);
    grant["obtained"] = json!(400);
    secret_tool(folder, &[&["clear"], &ITEM[..]].concat(), "");
    secret_tool(folder, &[&["store", "--label=test"], &ITEM[..]].concat(), &grant.to_string());
    grant
}

fn lock(folder: &Folder) {
    let mut send = folder.foreign("dbus-send");
    send.args(["--session", "--print-reply", "--dest=org.freedesktop.secrets", "/org/freedesktop/secrets"]);
    send.args(["org.freedesktop.Secret.Service.Lock", "array:objpath:/org/freedesktop/secrets/collection/login"]);
    let ran = Ran::of(&send.output().unwrap()).ok();
    assert!(ran.contains("/collection/login"), "{ran}");
}

fn sign_in(folder: &Folder, issuer: &str) -> Ran {
    let (child, url) = begin(folder, &[&["--issuer", issuer], &PUBLIC[..]].concat());
    let back = Browser::default().allow(issuer, &url);
    assert_eq!(http("GET", &back, &[], "").0, 200);
    Ran::of(&child.wait_with_output().unwrap())
}

/// Every file below a folder, read as bytes.
fn files(folder: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let own = files.iter().filter_map(|file| std::fs::read(file).ok());
    own.chain(folders.iter().flat_map(|folder| self::files(folder))).collect()
}

#[test]
fn a_grant_is_in_the_keyring_alone_until_its_user_signs_out() {
    let (folder, _bus) = with_keyring();
    let demo = demo(&folder);
    let issuer = text(&demo.said, "/issuer").to_owned();
    sign_in(&folder, &issuer).ok();
    let token = folder.run(&["token"]).ok();
    let grant: Value = serde_json::from_str(&kept(&folder)).unwrap();
    assert_eq!(grant["access_token"], token.trim_end(), "another process gets the one that is kept");
    assert_eq!(folder.json(&["whoami"])["sub"], demo.said["users"][0]["sub"]);
    // Of the two tokens, nothing is in a file: not in one of its own, and not in the keyring's, which is encrypted.
    let found = [".local", ".config", "run"].iter().flat_map(|name| files(&folder.path().join(name)));
    let found: Vec<_> = found.collect();
    assert!(found.len() >= 3, "the keyring, the profiles and a lock");
    for secret in ["access_token", "refresh_token"].map(|name| grant[name].as_str().unwrap().as_bytes()) {
        let is_in = |file: &Vec<u8>| file.windows(secret.len()).any(|part| part == secret);
        assert!(!found.iter().any(is_in));
    }

    assert_eq!(folder.json(&["logout"])["revoked"], true);
    assert_eq!(kept(&folder), "");
    let call =
        http("GET", &format!("{issuer}/demo/notes"), &[("authorization", format!("Bearer {}", token.trim_end()))], "");
    assert_eq!(call.0, 401);
    assert_eq!(folder.run(&["whoami"]).code, 1);
    assert_eq!(folder.json(&["logout"])["revoked"], false);
}

#[test]
fn of_many_processes_one_renews_what_is_in_the_keyring() {
    let (folder, _bus) = with_keyring();
    let demo = demo(&folder);
    sign_in(&folder, text(&demo.said, "/issuer")).ok();
    let before = expire(&folder);
    let running: Vec<Child> = (0..6).map(|_| folder.spawn(&["token"])).collect();
    let tokens: Vec<String> =
        running.into_iter().map(|child| Ran::of(&child.wait_with_output().unwrap()).ok()).collect();
    // No two answers of the server have the same access token: one process asked.
    assert!(tokens.iter().all(|token| *token == tokens[0]), "more than one was obtained");
    assert_ne!(tokens[0].trim_end(), before["access_token"].as_str().unwrap());
    let after: Value = serde_json::from_str(&kept(&folder)).unwrap();
    assert_ne!(after["refresh_token"], before["refresh_token"], "it was rotated");
    // It is one grant still: nobody was taken for a thief.
    expire(&folder);
    assert_ne!(folder.run(&["token"]).ok(), tokens[0]);
}

#[test]
fn a_locked_keyring_is_said_to_be_locked_and_nothing_takes_its_place() {
    let (folder, _bus) = with_keyring();
    let demo = demo(&folder);
    let issuer = text(&demo.said, "/issuer").to_owned();
    sign_in(&folder, &issuer).ok();
    let before = kept(&folder);
    lock(&folder);
    for command in [&["token"][..], &["whoami"], &["curl", &issuer], &["exec", "--", "true"]] {
        let ran = folder.run(command);
        assert!(ran.code == 1 && ran.out.is_empty(), "{command:?}: {}", ran.out);
        assert!(ran.err.contains("keyring is locked") && ran.err.contains("hint: unlock it"), "{}", ran.err);
    }
    let logout = folder.run(&["logout"]);
    assert!(logout.code == 1 && !logout.err.contains("forgotten"), "nothing was: {}", logout.err);
    // Before the user signs in, and not when there is nowhere to put what he allowed.
    let again =
        folder.run(&["login", "--no-browser", "--profile", "new", "--issuer", &issuer, "--client-id", "demo-public"]);
    assert!(again.code == 1 && again.err.contains("keyring is locked"), "{}", again.err);
    assert!(!again.err.contains("Sign in here"), "{}", again.err);
    assert!(!folder.path().join(".local/state/grantor/tokens").exists(), "no file in its place");
    assert!(before.contains("access_token"));
}

#[test]
fn a_bus_without_a_keyring_says_so_before_anybody_signs_in() {
    let mut folder = Folder::new();
    let _bus = Bus::start(&mut folder, &[]);
    let demo = demo(&folder);
    let issuer = text(&demo.said, "/issuer").to_owned();
    let (login, machine) = (["login", "--no-browser", "--issuer", &issuer], ["--machine", "--client-id", "x"]);
    for more in [&PUBLIC[..], &machine] {
        let ran = folder.run(&[&login[..], more].concat());
        assert!(ran.code == 1 && ran.err.contains("keyring cannot be used"), "{}", ran.err);
        assert!(ran.err.contains("--token-store file") && !ran.err.contains("Sign in here"), "{}", ran.err);
    }
    assert!(!folder.path().join(".local/state/grantor/tokens").exists(), "no file in its place");
}

#[test]
fn a_bus_that_never_answers_is_none() {
    let mut folder = Folder::new();
    let demo = demo(&folder);
    let place = folder.path().join("bus");
    // It is connected to, and says nothing.
    let _silent = std::os::unix::net::UnixListener::bind(&place).unwrap();
    folder.set("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", place.display()));
    let ran = folder.run(&[&["login", "--no-browser", "--issuer", text(&demo.said, "/issuer")], &PUBLIC[..]].concat());
    assert!(ran.code == 1 && ran.err.contains("keyring cannot be used: it does not answer"), "{}", ran.err);
    assert!(ran.err.contains("--token-store file") && !ran.err.contains("Sign in here"), "{}", ran.err);
}

#[test]
fn without_a_bus_it_says_so_before_anybody_signs_in() {
    let folder = Folder::new();
    let demo = demo(&folder);
    let mut child =
        folder.spawn(&[&["login", "--no-browser", "--issuer", text(&demo.said, "/issuer")], &PUBLIC[..]].concat());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(!child.wait().unwrap().success());
    assert!(said.contains("keyring cannot be used") && said.contains("--token-store file"), "{said}");
}
