//! The binary over a PostgreSQL database.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

mod common;

use common::{Folder, basic, http};
use grantor_local_postgres::Server;
use serde_json::{Value, json};
use std::path::Path;

fn fresh() -> String {
    Server::shared().unwrap().fresh_database().unwrap()
}

fn sql(url: &str, statement: &str) -> String {
    let database = url.rsplit_once('/').unwrap().1;
    Server::shared().unwrap().sql(database, statement).unwrap()
}

/// A machine, and an API for it.
const MANIFEST: &str = r#"
[[apis]]
audience = "https://notes.example"
name = "Notes"
scopes = [{ name = "notes:read", description = "Read your notes" }]
[[apis.ceilings]]
client_id = "machine"
scope = "notes:read"

[[clients]]
client_id = "machine"
grant_types = ["client_credentials"]
"#;

fn master_key_of(folder: &Folder) -> String {
    std::fs::read_to_string(folder.path().join("data/master.key")).unwrap()
}

fn copy_master_key(from: &Folder, to: &Folder) {
    std::fs::create_dir_all(to.path().join("data")).unwrap();
    std::fs::copy(from.path().join("data/master.key"), to.path().join("data/master.key")).unwrap();
}

/// The signing keys that a server publishes.
fn published(said: &Value) -> Vec<String> {
    let url = format!("http://{}/jwks", said["listen"].as_str().unwrap());
    let (status, _, body) = http("GET", &url, &[], "");
    assert_eq!(status, 200, "{body}");
    let keys: Value = serde_json::from_str(&body).unwrap();
    let mut kids: Vec<_> =
        keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect();
    kids.sort();
    kids
}

const SERVE: [&str; 5] = ["serve", "--listen", "127.0.0.1:0", "--issuer", "http://localhost:8080"];

#[test]
fn a_url_is_all_it_takes_and_every_node_has_the_same_keys() {
    let url = fresh();
    let (first, second) = (Folder::new(), Folder::new());
    let with = [&SERVE[..], &["--database", &url]].concat();
    let one = first.start(&with);
    assert!(!first.path().join("data/grantor.db").exists());
    copy_master_key(&first, &second);
    let two = second.start(&with);
    assert_eq!(published(&one.said), published(&two.said));
    let keys = sql(&url, "SELECT count(*), count(DISTINCT name) FROM directory WHERE kind = 'key'");
    assert_eq!(one.stop(), 0);
    assert_eq!(two.stop(), 0);
    let again = first.start(&with);
    assert_eq!(sql(&url, "SELECT count(*), count(DISTINCT name) FROM directory WHERE kind = 'key'"), keys);
    assert_eq!(again.stop(), 0);
}

#[test]
fn nodes_that_start_for_the_first_time_at_once_make_one_set_of_keys() {
    let url = fresh();
    let maker = Folder::new();
    let other = fresh();
    let with = [&SERVE[..], &["--database", &other]].concat();
    maker.start(&with).stop();
    let nodes: Vec<Folder> = (0..4).map(|_| Folder::new()).collect();
    for node in &nodes {
        copy_master_key(&maker, node);
    }
    let with = [&SERVE[..], &["--database", &url]].concat();
    let running: Vec<_> = std::thread::scope(|scope| {
        let starting: Vec<_> = nodes.iter().map(|node| scope.spawn(|| node.start(&with))).collect();
        starting.into_iter().map(|node| node.join().unwrap()).collect()
    });
    let keys = published(&running[0].said);
    assert!(running.iter().all(|node| published(&node.said) == keys));
    let kinds = "SELECT count(*) - count(DISTINCT (body::jsonb ->> 'kind', body::jsonb ->> 'active')) FROM directory
                 WHERE kind = 'key'";
    let twice = "SELECT count(*) FROM (SELECT body::jsonb -> 'kind' FROM directory WHERE kind = 'key'
                 GROUP BY 1 HAVING count(*) > 2) AS twice";
    assert_eq!(sql(&url, twice), "0", "{}", sql(&url, kinds));
    assert!(running.into_iter().all(|node| node.stop() == 0));
}

/// It would take for lost what others can open, and seal what they cannot.
#[test]
fn a_node_with_another_master_key_does_not_start() {
    let url = fresh();
    let (first, second) = (Folder::new(), Folder::new());
    let with = [&SERVE[..], &["--database", &url]].concat();
    let one = first.start(&with);
    for environment in ["", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        if !environment.is_empty() {
            let path = second.write("data/master.key", environment);
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        }
        let refused = second.run(&with);
        assert_ne!(refused.code, 0);
        assert!(refused.err.contains("master key"), "{}", refused.err);
        assert!(refused.err.contains("hint: "), "{}", refused.err);
    }
    let refused = second.run(&["client", "list", "--database", &url]);
    assert!(refused.err.contains("copy master.key from the node that started first"), "{}", refused.err);
    assert_eq!(one.stop(), 0);
    assert!(!master_key_of(&first).is_empty());
}

/// Of nodes that each make their own, those go on that have the first.
#[test]
fn nodes_that_make_their_master_keys_at_once_agree_on_one() {
    let url = fresh();
    let nodes: Vec<Folder> = (0..3).map(|_| Folder::new()).collect();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--issuer", "http://localhost:8080", "--database", &url];
    let ran = std::thread::scope(|scope| {
        let starting: Vec<_> = nodes.iter().map(|node| scope.spawn(|| node.try_start(&arguments))).collect();
        starting.into_iter().map(|node| node.join().unwrap()).collect::<Vec<_>>()
    });
    let started: Vec<_> = ran.iter().flatten().collect();
    assert_eq!(started.len(), 1);
    assert!(!published(&started[0].said).is_empty());
    for (node, ran) in nodes.iter().zip(&ran) {
        assert_eq!(node.path().join("data/master.key").exists(), ran.is_ok(), "what was made in vain is gone");
    }
}

#[test]
fn the_password_comes_from_a_file_and_is_never_shown() {
    let url = fresh();
    let folder = Folder::new();
    let secret = folder.write("password", "hush-hush\n");
    let place = url.split_once('@').unwrap().1;
    let config = format!(
        "database = \"postgres://postgres@{place}\"\ndatabase_password_file = \"{}\"\nlisten = \"127.0.0.1:0\"\n\
         issuer = \"http://localhost:8080\"\n",
        secret.display()
    );
    let config = folder.write("grantor.toml", &config);
    let config = config.to_str().unwrap();
    let running = folder.start(&["serve", "--config", config]);
    assert_eq!(running.stop(), 0);
    let with_password = format!("postgres://postgres:hush-hush@{place}");
    for arguments in [
        &["config", "check", "--config", config][..],
        &["config", "check", "--database", &with_password],
        &["backup", "copy.db", "--database", &with_password],
        &["client", "list", "--database", &with_password.replace(place, "127.0.0.1:1/none")],
        &["client", "list", "--database", &with_password.replace("postgres://", "mysql://")],
        &["client", "list", "--database", &with_password.replace(place, &place.replace("fresh", "none"))],
    ] {
        let ran = folder.run(arguments);
        assert!(!ran.out.contains("hush") && !ran.err.contains("hush"), "{arguments:?} {ran:?}");
    }
    let shown = folder.json(&["config", "check", "--database", &with_password]);
    assert_eq!(shown["settings"]["database"]["value"], format!("postgres://postgres:***@{place}"));
    let refused = folder.run(&["backup", "copy.db", "--database", &url]);
    assert!(refused.err.contains("pg_dump"), "{}", refused.err);
    let none = folder.run(&["serve", "--database", &url.replace("fresh", "none")]);
    assert!(none.err.contains("hint: make it first, such as: createdb"), "{}", none.err);
}

#[test]
fn a_schema_that_is_migrated_by_hand() {
    let url = fresh();
    let folder = Folder::new();
    let manual = folder.write("grantor.toml", &format!("database = \"{url}\"\nmigrate = \"manual\"\n"));
    let manual = ["--config", manual.to_str().unwrap()];
    let refused =
        folder.run(&[&["serve", "--listen", "127.0.0.1:0", "--issuer", "http://localhost:1"], &manual[..]].concat());
    assert!(refused.err.contains("hint: bring it up to date with `grantor migrate`"), "{}", refused.err);
    let dry = folder.run(&[&["migrate", "--dry-run"], &manual[..]].concat()).ok();
    assert!(dry.contains("-- 0001 initial") && dry.contains("CREATE TABLE IF NOT EXISTS grants"), "{dry}");
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(sql(&url, tables), "0");
    let pending = folder.json(&[&["migrate", "--dry-run"], &manual[..]].concat());
    assert_eq!(pending["pending"][0]["migration"], 1);
    let migrations = grantor_store_postgres::migrate::MIGRATIONS.len();
    assert_eq!(folder.json(&[&["migrate"], &manual[..]].concat()), json!({ "completed": migrations }));
    assert!(folder.run(&[&["migrate"], &manual[..]].concat()).ok().contains("The schema is up to date."));
    let running = folder.start(&[&SERVE[..], &manual[..]].concat());
    assert_eq!(running.stop(), 0);
    sql(&url, "UPDATE meta SET number = 99 WHERE name = 'schema'; INSERT INTO meta VALUES ('schema_ended', 99)");
    let newer = folder.run(&[&SERVE[..], &manual[..]].concat());
    assert!(newer.err.contains("the database has schema 99"), "{}", newer.err);
    let of_a_file = folder.run(&["migrate"]);
    assert!(of_a_file.err.contains("nothing to migrate"), "{}", of_a_file.err);
}

/// What was issued before it is worth nothing, on every node, at once.
#[test]
fn after_a_recovery_to_a_point_in_time_the_epoch_moves() {
    let url = fresh();
    let folder = Folder::new();
    let running = folder.start(&[&SERVE[..], &["--database", &url]].concat());
    let manifest = folder.write("manifest.toml", MANIFEST);
    let applied = folder.json(&["apply", manifest.to_str().unwrap(), "--database", &url]);
    let secret = secret_in(&applied);
    assert!(!secret.is_empty(), "{applied}");
    let address = format!("http://{}", running.said["listen"].as_str().unwrap());
    let machine = json!({ "client_id": "machine", "client_secret": secret });
    let ask = || {
        let form = "grant_type=client_credentials&scope=notes:read";
        let (status, _, body) = http("POST", &format!("{address}/token"), &[basic(&machine)], form);
        (status, serde_json::from_str::<Value>(&body).unwrap())
    };
    let token = || {
        let (status, body) = ask();
        assert_eq!(status, 200, "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    };
    // The server looks for what others declare a few times a second.
    for _ in 0..200 {
        if ask().0 == 200 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let good = |token: &str| {
        let ran = folder.run_with(&["token", "inspect", "-", "--database", &url, "--json"], token).ok();
        serde_json::from_str::<Value>(&ran).unwrap()["good"].as_bool().unwrap()
    };
    let before = token();
    assert!(good(&before));
    let refused = folder.run(&["restore", "--moved", "--database", &url]);
    assert!(refused.out.contains("Everybody signs in again") && refused.err.contains("--yes"), "{refused:?}");
    assert!(good(&before));
    folder.run(&["restore", "--moved", "--yes", "--database", &url]).ok();
    assert!(!good(&before));
    assert!(good(&token()));
    let refused = folder.run(&["restore", "copy.db", "--yes", "--database", &url]);
    assert!(refused.err.contains("restore --moved"), "{}", refused.err);
    assert_eq!(running.stop(), 0);
    assert!(!Path::new(&folder.path().join("data/grantor.db")).exists());
}

/// Whichever node a client registers at, each knows it; and of a token's uses none is given twice.
#[test]
fn rfc7591_and_7592_over_two_nodes() {
    let url = fresh();
    let (first, second) = (Folder::new(), Folder::new());
    let with = [&SERVE[..], &["--database", &url]].concat();
    let one = first.start(&with);
    copy_master_key(&first, &second);
    let two = second.start(&with);
    let policy = "[[tenants]]\nname = \"default\"\n[tenants.registration]\ndynamic = \"initial_access_token\"\n\
                  [[tenants.registration.tiers]]\nname = \"all\"\nhosts = [\"*\"]\n";
    let manifest = first.write("manifest.toml", policy);
    first.json(&["apply", manifest.to_str().unwrap(), "--database", &url]);
    let create = ["client", "registration-token", "create", "ci", "--uses", "3", "--database", &url];
    let made = first.json(&create);
    let initial = text_in(&made, "gr_ia_");
    let nodes = [&one, &two].map(|node| format!("http://{}", node.said["listen"].as_str().unwrap()));
    let json = ("content-type", "application/json".to_owned());
    let bearer = |token: &str| ("authorization", format!("Bearer {token}"));
    let register = |node: &str| {
        let client = json!({ "redirect_uris": ["https://app.example/callback"], "client_name": "App" }).to_string();
        let (status, _, body) = http("POST", &format!("{node}/register"), &[json.clone(), bearer(&initial)], &client);
        (status, serde_json::from_str::<Value>(&body).unwrap_or_default())
    };
    // Each node has heard of the policy and of the token.
    for node in &nodes {
        eventually(|| {
            http("GET", &format!("{node}/.well-known/openid-configuration"), &[], "").2.contains("/register")
        });
    }
    let answers: Vec<_> = std::thread::scope(|scope| {
        let register = &register;
        let asking: Vec<_> = (0..4).flat_map(|_| &nodes).map(|node| scope.spawn(move || register(node))).collect();
        asking.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    let registered: Vec<&Value> = answers.iter().filter(|(status, _)| *status == 201).map(|(_, body)| body).collect();
    assert_eq!(registered.len(), 3, "{answers:?}");
    assert!(answers.iter().all(|(status, _)| [201, 401].contains(status)), "{answers:?}");

    let client = registered[0];
    let management = client["registration_client_uri"].as_str().unwrap().replace("http://localhost:8080", "");
    let manage = |method: &str, node: &str, token: &str, body: &str| {
        let headers = [json.clone(), bearer(token)];
        let (status, _, body) = http(method, &format!("{node}{management}"), &headers, body);
        (status, serde_json::from_str::<Value>(&body).unwrap_or_default())
    };
    let token = client["registration_access_token"].as_str().unwrap();
    for node in &nodes {
        eventually(|| manage("GET", node, token, "").0 == 200);
    }
    let renamed = json!({ "client_id": client["client_id"], "redirect_uris": ["https://app.example/other"], "client_name": "New" });
    let (status, updated) = manage("PUT", &nodes[1], token, &renamed.to_string());
    assert_eq!((status, &updated["client_name"]), (200, &json!("New")), "{updated}");
    let newer = updated["registration_access_token"].as_str().unwrap();
    eventually(|| manage("GET", &nodes[0], newer, "").1["redirect_uris"][0] == "https://app.example/other");
    assert_eq!(manage("GET", &nodes[0], token, "").0, 401, "the token that was replaced");
    assert_eq!(manage("DELETE", &nodes[0], newer, "").0, 204);
    eventually(|| manage("GET", &nodes[1], newer, "").0 == 401);
    let left = first.run(&["client", "list", "--database", &url]).ok();
    assert!(!left.contains(client["client_id"].as_str().unwrap()), "{left}");
    assert_eq!((one.stop(), two.stop()), (0, 0));
}

/// A node looks for what others changed a few times a second.
fn eventually(holds: impl Fn() -> bool) {
    for _ in 0..200 {
        if holds() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(holds());
}

/// The first token of a window is noted at once; how many came after it is written when the window is over, or the server.
#[test]
fn what_was_noted_just_before_the_end_is_there_afterwards() {
    let url = fresh();
    let folder = Folder::new();
    let manifest = folder.write("manifest.toml", MANIFEST);
    let applied = folder.json(&["apply", manifest.to_str().unwrap(), "--database", &url]);
    let machine = json!({ "client_id": "machine", "client_secret": secret_in(&applied) });
    let mut expected = 0;
    for _ in 0..3 {
        let running = folder.start(&[&SERVE[..], &["--database", &url]].concat());
        let token = format!("http://{}/token", running.said["listen"].as_str().unwrap());
        for _ in 0..20 {
            let form = "grant_type=client_credentials&scope=notes:read";
            let (status, _, body) = http("POST", &token, &[basic(&machine)], form);
            assert_eq!(status, 200, "{body}");
            expected += 1;
        }
        assert_eq!(running.stop(), 0);
        let noted =
            "SELECT coalesce(sum(coalesce((body::jsonb #>> '{details,further_alike}')::bigint, 1)), 0) FROM events
                     WHERE body::jsonb ->> 'action' = 'token'";
        assert_eq!(sql(&url, noted), expected.to_string());
    }
}

/// The text that begins like this, wherever it stands.
fn text_in(value: &Value, beginning: &str) -> String {
    let text = value.to_string();
    let at = text.find(beginning).unwrap();
    text[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || "_-".contains(*c)).collect()
}

fn secret_in(value: &Value) -> String {
    match value {
        Value::Object(members) => members.iter().find_map(|(name, value)| match value {
            Value::String(text) if name == "client_secret" || name == "secret" => Some(text.clone()),
            other => Some(secret_in(other)).filter(|found| !found.is_empty()),
        }),
        Value::Array(items) => items.iter().map(secret_in).find(|found| !found.is_empty()),
        _ => None,
    }
    .unwrap_or_default()
}
