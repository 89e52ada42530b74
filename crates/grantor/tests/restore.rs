//! A copy in the place of the database: nothing that was spent or taken back since comes back to life.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test that cannot go on fails")]

mod common;

use common::{Folder, basic, http};
use rusqlite::Connection;
use serde_json::Value;
use std::collections::BTreeMap;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "http://127.0.0.1/callback";

/// The demo, as a server that is used.
struct Site<'a>(&'a Value);

impl Site<'_> {
    fn issuer(&self) -> &str {
        self.0["issuer"].as_str().unwrap()
    }

    fn client(&self, id: &str) -> &Value {
        self.0["clients"].as_array().unwrap().iter().find(|client| client["client_id"] == id).unwrap()
    }

    fn post(&self, path: &str, client: &str, body: &str) -> (u16, Value) {
        let url = format!("{}{path}", self.issuer());
        let (status, _, body) = http("POST", &url, &[basic(self.client(client))], body);
        (status, serde_json::from_str(&body).unwrap_or_default())
    }

    fn redeem(&self, code: &str) -> (u16, Value) {
        let redirect = encoded(CALLBACK);
        let form =
            format!("grant_type=authorization_code&code={code}&redirect_uri={redirect}&code_verifier={VERIFIER}");
        self.post("/token", "demo-web", &form)
    }

    fn refresh(&self, token: &str) -> (u16, Value) {
        self.post("/token", "demo-web", &format!("grant_type=refresh_token&refresh_token={token}"))
    }

    fn machine(&self, scope: &str) -> String {
        let (status, tokens) =
            self.post("/token", "demo-machine", &format!("grant_type=client_credentials&scope={scope}"));
        assert_eq!(status, 200, "{tokens}");
        text(&tokens, "access_token")
    }

    fn revoke(&self, client: &str, token: &str) {
        assert_eq!(self.post("/revoke", client, &format!("token={token}")).0, 200);
    }

    fn call(&self, path: &str, token: &str) -> u16 {
        http("GET", &format!("{}{path}", self.issuer()), &[("authorization", format!("Bearer {token}"))], "").0
    }
}

/// Somebody who signs in.
struct Browser<'a> {
    site: &'a Site<'a>,
    cookies: BTreeMap<String, String>,
}

impl<'a> Browser<'a> {
    fn new(site: &'a Site<'a>) -> Self {
        Self { site, cookies: BTreeMap::new() }
    }

    /// The body of the page at the end, or where the client is sent.
    fn send(&mut self, method: &str, path: &str, body: &str) -> Result<String, String> {
        let (mut method, mut path, mut body) = (method.to_owned(), path.to_owned(), body.to_owned());
        loop {
            let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let headers = [("cookie", cookies.join("; ")), ("origin", self.site.issuer().to_owned())];
            let url = format!("{}{path}", self.site.issuer());
            let (_, head, page) = http(&method, &url, &headers, &body);
            let lines: Vec<_> = head.lines().filter_map(|line| line.split_once(": ")).collect();
            for (_, cookie) in lines.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")) {
                let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            let Some((_, to)) = lines.iter().find(|(name, _)| name.eq_ignore_ascii_case("location")) else {
                return Ok(page);
            };
            if to.starts_with(CALLBACK) {
                return Err((*to).to_owned());
            }
            (method, body) = ("GET".to_owned(), String::new());
            to.strip_prefix(self.site.issuer()).unwrap_or(to).clone_into(&mut path);
        }
    }

    /// Signs in and allows everything, as far as there is anything to do. Gives the code, and whether it had to sign in.
    fn code(&mut self) -> (String, bool) {
        let scope = "openid%20offline_access%20notes:read";
        let query = format!(
            "client_id=demo-web&response_type=code&redirect_uri={}&scope={scope}&state=s&code_challenge={CHALLENGE}\
             &code_challenge_method=S256",
            encoded(CALLBACK)
        );
        let mut page = self.send("GET", &format!("/authorize?{query}"), "");
        let mut signed_in = false;
        for _ in 0..5 {
            let html = match page {
                Err(to) => {
                    let code = to
                        .split(['?', '&'])
                        .find_map(|pair| pair.strip_prefix("code="))
                        .unwrap_or_else(|| panic!("{to}"));
                    return (code.to_owned(), signed_in);
                }
                Ok(html) => html,
            };
            let mut form: Vec<String> = ["csrf", "interaction", "token"]
                .iter()
                .filter_map(|name| {
                    let value = values(&html, &format!("name=\"{name}\" value=\"")).pop()?;
                    Some(format!("{name}={}", encoded(&value)))
                })
                .collect();
            if html.contains("name=\"password\"") {
                signed_in = true;
                form.extend(["username=alice".to_owned(), "password=demo-password".to_owned()]);
            } else {
                form.extend(
                    values(&html, "name=\"scope\" value=\"").iter().map(|scope| format!("scope={}", encoded(scope))),
                );
                form.push("decision=allow".to_owned());
            }
            let action = values(&html, " action=\"").pop().unwrap_or_else(|| panic!("no form: {html}"));
            page = self.send("POST", &action, &form.join("&"));
        }
        panic!("it never ends");
    }
}

fn values(html: &str, beginning: &str) -> Vec<String> {
    html.match_indices(beginning)
        .map(|(at, found)| html[at + found.len()..].split('"').next().unwrap().replace("&amp;", "&"))
        .collect()
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name}: {value}")).to_owned()
}

#[test]
fn rfc6749_4_1_2_nothing_that_was_spent_or_taken_back_since_the_copy_comes_back_to_life() {
    let folder = Folder::new();
    let running = folder.start(&["demo", "--listen", "127.0.0.1:0", "--data", "kept"]);
    let said = running.said.clone();
    let site = Site(&said);
    let (mut one, mut other) = (Browser::new(&site), Browser::new(&site));
    let tokens = |browser: &mut Browser<'_>| {
        let (status, tokens) = site.redeem(&browser.code().0);
        assert_eq!(status, 200, "{tokens}");
        tokens
    };
    let (rotated, revoked) = (tokens(&mut one), tokens(&mut one));
    let (spent, _) = one.code();
    other.code();
    assert!(!one.code().1 && !other.code().1, "the sessions of both are open");
    let (jwt, opaque) = (site.machine("notes:read"), site.machine("mail:read"));
    let untouched = tokens(&mut one);
    folder.run(&["backup", "copy.db", "--data", "kept"]).ok();

    // All of this is not in the copy.
    assert_eq!(site.redeem(&spent).0, 200);
    assert_eq!(site.refresh(&text(&rotated, "refresh_token")).0, 200);
    site.revoke("demo-web", &text(&revoked, "refresh_token"));
    site.revoke("demo-machine", &jwt);
    site.revoke("demo-machine", &opaque);
    assert_eq!((site.call("/demo/notes", &jwt), site.call("/demo/mail", &opaque)), (401, 401));

    let refused = folder.run(&["restore", "copy.db", "--yes", "--data", "kept"]);
    assert!(refused.err.contains("a server or a command uses kept"), "{}", refused.err);
    assert_eq!(running.stop(), 0);
    let asked = folder.run(&["restore", "copy.db", "--data", "kept"]);
    assert!(asked.out.contains("Everybody signs in again") && asked.err.contains("--yes"), "{asked:?}");
    assert_ne!(asked.code, 0);
    folder.run(&["restore", "copy.db", "--yes", "--data", "kept"]).ok();
    let kept = std::fs::read_dir(folder.path().join("kept")).unwrap();
    let names: Vec<_> = kept.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.iter().any(|name| name.starts_with("grantor.db.before-")), "{names:?}");
    assert!(!names.iter().any(|name| name.ends_with("-wal") || name.contains("restoring")), "{names:?}");

    let port = site.issuer().rsplit_once(':').unwrap().1;
    let running = folder.start(&["demo", "--listen", &format!("127.0.0.1:{port}"), "--data", "kept"]);
    assert_eq!(site.redeem(&spent).1["error"], "invalid_grant");
    for tokens in [&rotated, &revoked, &untouched] {
        assert_eq!(site.refresh(&text(tokens, "refresh_token")).1["error"], "invalid_grant");
        assert_eq!(site.call("/demo/notes", &text(tokens, "access_token")), 401);
    }
    assert_eq!((site.call("/demo/notes", &jwt), site.call("/demo/mail", &opaque)), (401, 401));
    for browser in [&mut one, &mut other] {
        let (code, signed_in) = browser.code();
        assert!(signed_in, "its session is closed");
        assert_eq!(site.redeem(&code).0, 200, "and what comes afterwards is as good as ever");
    }
    assert_eq!(site.call("/demo/notes", &site.machine("notes:read")), 200);
    assert_eq!(running.stop(), 0);
}

#[test]
fn what_is_no_copy_is_refused_and_nothing_is_lost() {
    let folder = Folder::new();
    folder.start(&["demo", "--listen", "127.0.0.1:0", "--data", "kept"]).stop();
    let before = std::fs::read(folder.path().join("kept/grantor.db")).unwrap();
    folder.write("text.db", "this is no database, however long it may go on");
    for file in ["text.db", "none.db"] {
        let refused = folder.run(&["restore", file, "--yes", "--data", "kept"]);
        assert_ne!(refused.code, 0, "{refused:?}");
        assert_eq!(std::fs::read(folder.path().join("kept/grantor.db")).unwrap(), before);
        assert!(!folder.path().join("kept/grantor.db.restoring").exists());
    }
    // On a new machine there is nothing before it.
    folder.run(&["backup", "copy.db", "--data", "kept"]).ok();
    let restored = folder.json(&["restore", "copy.db", "--yes", "--data", "new"]);
    assert!(restored["kept"].is_null() && folder.path().join("new/grantor.db").exists(), "{restored}");
}

/// A folder with a database in `kept`, and a copy of it.
fn with_a_copy() -> Folder {
    let folder = Folder::new();
    folder.start(&["demo", "--listen", "127.0.0.1:0", "--data", "kept"]).stop();
    folder.run(&["backup", "copy.db", "--data", "kept"]).ok();
    folder
}

/// Why the file is not restored. Nothing is changed by it.
fn refusal(folder: &Folder, file: &str) -> String {
    let before = std::fs::read(folder.path().join("kept/grantor.db")).unwrap();
    let refused = folder.run(&["restore", file, "--yes", "--data", "kept"]);
    assert_ne!(refused.code, 0, "{refused:?}");
    assert_eq!(std::fs::read(folder.path().join("kept/grantor.db")).unwrap(), before);
    for end in ["", "-wal", "-shm"] {
        assert!(!folder.path().join(format!("kept/grantor.db.restoring{end}")).exists());
    }
    refused.err
}

#[test]
fn an_empty_file_is_no_copy() {
    let folder = with_a_copy();
    folder.write("empty.db", "");
    let said = refusal(&folder, "empty.db");
    assert!(said.contains("no database of Grantor's"), "{said}");
}

#[test]
fn the_database_of_another_program_is_no_copy() {
    let folder = with_a_copy();
    let mut bytes = std::fs::read(folder.path().join("copy.db")).unwrap();
    assert_eq!(&bytes[68..72], b"GRNT");
    bytes[68..72].copy_from_slice(b"ELSE");
    std::fs::write(folder.path().join("other.db"), bytes).unwrap();
    let said = refusal(&folder, "other.db");
    assert!(said.contains("no database of Grantor's"), "{said}");
}

#[test]
fn a_damaged_copy_is_refused() {
    let folder = with_a_copy();
    let copy = std::fs::read(folder.path().join("copy.db")).unwrap();
    // "The database page size in bytes", in the header of the file.
    let size = usize::from(u16::from_be_bytes([copy[16], copy[17]]));
    std::fs::write(folder.path().join("cut.db"), &copy[..copy.len() - size]).unwrap();
    let said = refusal(&folder, "cut.db");
    assert!(said.contains("damaged") || said.contains("malformed"), "{said}");
    // Whether a restore needs what is on a page or not.
    for page in (size..copy.len()).step_by(size) {
        let mut wrong = copy.clone();
        wrong[page..page + size].fill(0x5a);
        std::fs::write(folder.path().join("wrong.db"), wrong).unwrap();
        let said = refusal(&folder, "wrong.db");
        assert!(said.contains("damaged") || said.contains("malformed"), "page at {page}: {said}");
    }
}

#[test]
fn half_of_a_database_is_refused_and_what_makes_a_whole_one_is_said() {
    let folder = with_a_copy();
    for log in ["copy.db-wal", "copy.db-journal"] {
        folder.write(log, "what was committed last");
        let said = refusal(&folder, "copy.db");
        assert!(said.contains(log) && said.contains("grantor backup"), "{said}");
        std::fs::remove_file(folder.path().join(log)).unwrap();
    }
    folder.run(&["restore", "copy.db", "--yes", "--data", "kept"]).ok();
}

#[test]
fn the_audit_log_tells_of_a_restore() {
    let folder = with_a_copy();
    let told = || folder.run(&["audit", "--data", "kept", "--json"]).ok().matches("\"restore\"").count();
    assert_eq!(told(), 0);
    folder.run(&["restore", "copy.db", "--yes", "--data", "kept"]).ok();
    assert_eq!(told(), 1);
    folder.run(&["restore", "--moved", "--yes", "--data", "kept"]).ok();
    assert_eq!(told(), 2);
}

#[test]
fn a_broken_database_and_its_log_are_kept_apart_from_the_copy() {
    let folder = with_a_copy();
    let broken = "this is no database any more ".repeat(1_000);
    folder.write("kept/grantor.db", &broken);
    folder.write("kept/grantor.db-wal", "nor is this its log");
    let restored = folder.json(&["restore", "copy.db", "--yes", "--data", "kept"]);
    let kept = text(&restored, "kept");
    assert_eq!(std::fs::read(folder.path().join(&kept)).unwrap(), broken.as_bytes());
    assert_eq!(std::fs::read(folder.path().join(format!("{kept}-wal"))).unwrap(), b"nor is this its log");
    assert!(!folder.path().join("kept/grantor.db-wal").exists());
    folder.start(&["demo", "--listen", "127.0.0.1:0", "--data", "kept"]).stop();
}

#[test]
fn the_log_of_a_database_that_was_cut_to_nothing_is_kept() {
    let folder = with_a_copy();
    folder.write("kept/grantor.db", "");
    folder.write("kept/grantor.db-wal", "the only thing that is left");
    let restored = folder.json(&["restore", "copy.db", "--yes", "--data", "kept"]);
    let log = folder.path().join(format!("{}-wal", text(&restored, "kept")));
    assert_eq!(std::fs::read(log).unwrap(), b"the only thing that is left");
    folder.start(&["demo", "--listen", "127.0.0.1:0", "--data", "kept"]).stop();
}

#[test]
fn a_log_that_cannot_be_read_does_not_stay_beside_the_copy() {
    let folder = with_a_copy();
    // Nothing that SQLite could open, carry over or remove.
    std::fs::create_dir(folder.path().join("kept/grantor.db-wal")).unwrap();
    let restored = folder.json(&["restore", "copy.db", "--yes", "--data", "kept"]);
    assert!(folder.path().join(format!("{}-wal", text(&restored, "kept"))).is_dir());
    for gone in ["grantor.db-wal", "grantor.db.replacing", "grantor.db.restoring"] {
        assert!(!folder.path().join("kept").join(gone).exists(), "{gone}");
    }
    folder.start(&["demo", "--listen", "127.0.0.1:0", "--data", "kept"]).stop();
}

/// The release that made it may be needed for it again.
#[test]
fn the_database_that_is_put_away_keeps_its_schema() {
    let folder = with_a_copy();
    let schema = |file: &str| {
        let db = Connection::open(folder.path().join(file)).unwrap();
        db.query_row("SELECT value FROM meta WHERE name = 'schema'", (), |row| row.get::<_, i64>(0)).unwrap()
    };
    let newest = schema("kept/grantor.db");
    // What was written last is in the log, as after a crash.
    let log = folder.path().join("kept/grantor.db-wal");
    let db = Connection::open(folder.path().join("kept/grantor.db")).unwrap();
    db.execute_batch("UPDATE meta SET value = value - 1 WHERE name = 'schema'").unwrap();
    let written = std::fs::read(&log).unwrap();
    let file = std::fs::read(folder.path().join("kept/grantor.db")).unwrap();
    drop(db);
    std::fs::write(&log, written).unwrap();
    std::fs::write(folder.path().join("kept/grantor.db"), file).unwrap();
    let restored = folder.json(&["restore", "copy.db", "--yes", "--data", "kept"]);
    let kept = text(&restored, "kept");
    assert!(!folder.path().join(format!("{kept}-wal")).exists());
    assert_eq!((schema(&kept), schema("kept/grantor.db")), (newest - 1, newest));
}

#[test]
fn a_log_without_its_database_is_put_away() {
    let folder = with_a_copy();
    let kept = folder.path().join("kept");
    std::fs::remove_file(kept.join("grantor.db")).unwrap();
    std::fs::write(kept.join("grantor.db-wal"), "of a database that is gone").unwrap();
    folder.run(&["restore", "copy.db", "--yes", "--data", "kept"]).ok();
    assert!(!kept.join("grantor.db-wal").exists());
    let names = std::fs::read_dir(&kept).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let away: Vec<_> = names.filter(|name| name.ends_with("-wal")).collect();
    assert_eq!(away.len(), 1, "{away:?}");
    assert_eq!(std::fs::read(kept.join(&away[0])).unwrap(), b"of a database that is gone");
}

#[test]
fn nothing_is_served_after_a_restore_that_was_broken_off_until_it_is_done_again() {
    let folder = with_a_copy();
    // As it lies there when the log of a broken database is away and the copy is not in its place.
    std::fs::copy(folder.path().join("copy.db"), folder.path().join("kept/grantor.db.replacing")).unwrap();
    let refused = folder.try_start(&["demo", "--listen", "127.0.0.1:0", "--data", "kept"]).err().unwrap();
    assert!(refused.contains("broken off") && refused.contains("grantor restore"), "{refused}");
    let refused = folder.run(&["backup", "half.db", "--data", "kept"]);
    assert!(refused.code != 0 && refused.err.contains("broken off"), "{refused:?}");
    folder.run(&["restore", "copy.db", "--yes", "--data", "kept"]).ok();
    assert!(!folder.path().join("kept/grantor.db.replacing").exists());
    folder.start(&["demo", "--listen", "127.0.0.1:0", "--data", "kept"]).stop();
}
