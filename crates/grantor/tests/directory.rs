//! Single steps and manifests on a stopped server's data.

mod common;

use common::Folder;
use serde_json::json;

const MANIFEST: &str = r#"
[[apis]]
audience = "https://notes.example"
name = "Notes"
scopes = [{ name = "notes:read", description = "Read your notes" }]
roles = [{ name = "editor" }]

[[clients]]
client_id = "web"
redirect_uris = ["https://web.example/callback"]

[[users]]
username = "alice"
email = "alice@example.com"
roles = { "https://notes.example" = ["editor"] }
"#;

#[test]
fn a_manifest_is_applied_once_and_exported_whole() {
    let folder = Folder::new();
    folder.write("grantor.toml", MANIFEST);
    let dry = folder.run(&["apply", "grantor.toml", "--dry-run"]).ok();
    assert!(dry.contains("+ client web created") && dry.contains("Nothing was done"), "{dry}");
    assert!(!dry.contains("gr_cs_"), "{dry}");
    assert!(!folder.path().join("data").exists());
    let first = folder.run(&["apply", "grantor.toml"]).ok();
    assert!(first.contains("The secret of web, shown this once:\n  gr_cs_"), "{first}");
    let second = folder.run(&["apply", "grantor.toml"]).ok();
    assert_eq!(second, "Nothing to do: 3 records as declared.\n");
    let changed = MANIFEST.replace("alice@example.com", "alice@example.org");
    let third = folder.run_with(&["apply", "-"], &changed).ok();
    assert!(third.contains("~ user alice changed: email"), "{third}");

    let exported = folder.run(&["export"]).ok();
    let elsewhere = Folder::new();
    elsewhere.write("all.toml", &exported);
    elsewhere.run(&["apply", "all.toml"]).ok();
    assert_eq!(elsewhere.run(&["export"]).ok(), exported);
    elsewhere.write("all.json", &folder.run(&["export", "--format", "json"]).ok());
    assert!(elsewhere.run(&["apply", "all.json"]).ok().starts_with("Nothing to do"));
}

#[test]
fn a_wrong_manifest_is_refused_with_line_column_and_the_right_word() {
    let folder = Folder::new();
    folder
        .write("wrong.toml", &MANIFEST.replace("redirect_uris", "redirect_uri").replace("[\"editor\"]", "[\"edtor\"]"));
    let ran = folder.run(&["apply", "wrong.toml"]);
    assert_eq!(ran.code, 1);
    for part in
        ["wrong.toml:10:1", "did you mean redirect_uris?", "wrong.toml:15:38", "did you mean editor?", "2 problems"]
    {
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
    }
    let ran = folder.run(&["apply", "wrong.toml", "--json"]);
    let said: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!(said["problems"][0]["line"], 10);
    assert_eq!(folder.json(&["client", "list"]), json!([]));
}

#[test]
fn a_client_from_beginning_to_end() {
    let folder = Folder::new();
    let none = folder.run(&["client", "list"]);
    assert_eq!(none.code, 1);
    assert!(none.err.contains("hint: start with"), "{}", none.err);
    let made = folder.json(&["client", "create", "app", "--redirect-uri", "https://app.example/cb", "--name", "App"]);
    assert!(made["client_secret"].as_str().unwrap().starts_with("gr_cs_"));
    let again = folder.run(&["client", "create", "app", "--redirect-uri", "https://app.example/cb"]);
    assert!(again.err.contains("grantor client update app"), "{}", again.err);
    assert!(
        folder.run(&["client", "list"]).ok().contains("app         App    client_secret_basic   authorization_code")
    );
    let updated = folder.json(&["client", "update", "app", "--set", "subject_type=pairwise"]);
    assert_eq!(updated["changed"], json!(["subject_type"]));
    assert!(updated["client_secret"].is_null());
    let shown = folder.json(&["client", "show", "app"]);
    assert_eq!((&shown["client_name"], &shown["secrets"]), (&json!("App"), &json!(1)));
    assert!(shown.get("client_secret_hash").is_none());
    let rotated = folder.json(&["client", "secret", "rotate", "app"]);
    assert_ne!(rotated["client_secret"], made["client_secret"]);
    assert_eq!(folder.json(&["client", "show", "app"])["secrets"], 2);
    let wrong = folder.run(&["client", "update", "app", "--set", "redirect_uri=x"]);
    assert!(wrong.err.contains("did you mean redirect_uris?"), "{}", wrong.err);
    assert_eq!(folder.json(&["client", "revoke", "app"])["revoked_grants"], 0);
    let missing = folder.run(&["client", "show", "ap"]);
    assert!(missing.err.contains("hint: did you mean app?"), "{}", missing.err);
    folder.run(&["client", "delete", "app"]).ok();
    assert!(folder.run(&["client", "list"]).ok().contains("grantor client create"));
}

#[test]
fn what_others_refer_to_does_not_dangle() {
    let folder = Folder::new();
    folder.write(
        "m.toml",
        r#"
[[apis]]
audience = "https://notes.example"
name = "Notes"
scopes = [{ name = "notes:read" }]
ceilings = [{ client_id = "machine", scope = "notes:read" }]
resource_servers = ["machine"]
[[clients]]
client_id = "machine"
grant_types = ["client_credentials"]
[[clients]]
client_id = "guarded"
grant_types = ["client_credentials"]
[[policies]]
name = "p"
api = "https://notes.example"
clients = ["guarded"]
"#,
    );
    folder.run(&["apply", "m.toml"]).ok();
    folder.run(&["client", "delete", "machine"]).ok();
    let api = folder.json(&["api", "show", "https://notes.example"]);
    assert_eq!((&api["ceilings"], &api["resource_servers"]), (&json!([]), &json!([])));
    let refused = folder.run(&["client", "delete", "guarded"]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("the policy p"), "{}", refused.err);
    assert_eq!(folder.run(&["api", "delete", "https://notes.example"]).code, 1);
}

#[test]
fn an_api_and_a_user_from_beginning_to_end() {
    let folder = Folder::new();
    let audience = "https://notes.example";
    folder
        .run(&["api", "create", audience, "--name", "Notes", "--scope", "notes:read=Read", "--role", "editor=Edits"])
        .ok();
    let updated = folder.json(&["api", "update", audience, "--format", "opaque", "--lifetime", "60"]);
    assert_eq!(updated["changed"], json!(["token"]));
    assert!(folder.run(&["api", "list"]).ok().contains("opaque"));
    folder.run(&["api", "update", audience, "--binding", "dpop"]).ok();
    assert_eq!(folder.json(&["api", "show", audience])["token"]["binding"], "dpop");
    assert!(folder.run(&["api", "update", audience, "--binding", "dpp"]).err.contains("did you mean dpop?"));
    assert!(folder.run(&["api", "update", audience, "--status-list", "true"]).err.contains("status_list is for JWTs"));
    folder.run(&["api", "update", audience, "--format", "jwt", "--status-list", "true"]).ok();
    assert_eq!(folder.json(&["api", "show", audience])["token"]["status_list"], true);
    let role = format!("{audience}=editor");
    let made =
        folder.run_with(&["user", "create", "alice", "--password-stdin", "--role", &role, "--json"], "secret\n").ok();
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    let sub = made["sub"].as_str().unwrap();
    let shown = folder.json(&["user", "show", sub]);
    assert_eq!((&shown["username"], &shown["has_password"]), (&json!("alice"), &json!(true)));
    assert_eq!(shown["roles"][audience], json!(["editor"]));
    assert!(shown.get("password_hash").is_none());
    let set = folder.run_with(&["user", "set-password", "ALICE"], "other").ok();
    assert_eq!(set, "Changed the user alice: password.\n");
    assert_eq!(
        folder.run_with(&["user", "set-password", "alice"], "other").ok(),
        "Nothing to change at the user alice.\n"
    );
    folder.run(&["user", "disable", "alice"]).ok();
    assert!(folder.run(&["user", "list"]).ok().contains("disabled"));
    folder.run(&["user", "enable", "alice"]).ok();
    folder.run(&["user", "revoke", "alice"]).ok();
    folder.run(&["api", "delete", audience]).ok();
    assert_eq!(folder.json(&["user", "show", "alice"])["roles"], serde_json::Value::Null);
    folder.run(&["user", "delete", "alice"]).ok();
    assert!(folder.run(&["user", "list"]).ok().contains("No users yet"));
    let audit = folder.run(&["audit"]).ok();
    assert!(audit.lines().count() >= 8, "{audit}");
    assert!(!audit.contains("secret") && audit.lines().all(|line| line.contains(r#""actor":"cli""#)), "{audit}");
}

#[test]
fn tenants_are_apart() {
    let folder = Folder::new();
    folder.write("acme.toml", "[[tenants]]\nname = \"acme\"\n");
    folder.run(&["apply", "acme.toml"]).ok();
    folder.run(&["user", "create", "bob", "--tenant", "acme"]).ok();
    assert!(folder.run(&["user", "list"]).ok().contains("No users yet"));
    assert!(folder.run(&["user", "list", "--tenant", "acme"]).ok().contains("bob"));
    let wrong = folder.run(&["user", "create", "bob", "--tenant", "acne"]);
    assert!(wrong.err.contains("did you mean acme?"), "{}", wrong.err);
}

#[test]
fn the_demo_keeps_what_was_set_for_its_tenant() {
    let folder = Folder::new();
    let demo = ["demo", "--listen", "127.0.0.1:0", "--data", "demo"];
    let set = |text: &str| {
        let exported = folder.run(&["export", "--data", "demo"]).ok();
        exported.split("[[apis]]").next().is_some_and(|tenant| tenant.contains(text))
    };
    assert_eq!(folder.start(&demo).stop(), 0);
    assert!(set("desk = true"));
    folder.write("more.toml", "[[tenants]]\nname = \"default\"\nlifetimes = { refresh_grace = 599 }\n");
    folder.run(&["apply", "more.toml", "--data", "demo"]).ok();
    assert_eq!(folder.start(&demo).stop(), 0);
    assert!(set("refresh_grace = 599"));
}

#[test]
fn a_wrong_command_line_is_code_2() {
    let folder = Folder::new();
    assert_eq!(folder.run(&["client", "lst"]).code, 2);
    assert_eq!(folder.run(&["client", "create", "a b"]).code, 2);
    assert_eq!(folder.run(&["user", "create", "x", "--role", "editor"]).code, 2);
    assert_eq!(folder.run(&["demo", "--listen", "nowhere"]).code, 2);
}

#[test]
fn a_configuration_is_checked_as_a_whole() {
    let folder = Folder::new();
    folder.write("grantor.toml", "lisen = \"127.0.0.1:1\"\n[log]\nformat = \"xml\"\n");
    let ran = folder.run(&["config", "check", "--config", "grantor.toml"]);
    assert_eq!(ran.code, 1);
    for part in ["grantor.toml:1:1", "did you mean listen?", "grantor.toml:3:10", "known here: text, json"] {
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
    }
    folder.write("grantor.toml", "listen = \"127.0.0.1:9000\"\n");
    let good = folder.run(&["config", "check", "--config", "grantor.toml"]).ok();
    assert!(good.contains("\"http://localhost:9000\"") && good.contains("# grantor.toml:1"), "{good}");
    assert!(good.contains("# GRANTOR_DATA"), "{good}");
}

#[test]
fn the_samples_are_good() {
    let folder = Folder::new();
    folder.write("grantor.toml", include_str!("../samples/grantor.toml"));
    folder.write("manifest.toml", include_str!("../samples/manifest.toml"));
    let checked = folder.run(&["config", "check", "--config", "grantor.toml"]).ok();
    assert!(checked.ends_with("The configuration is good.\n"), "{checked}");
    folder.run(&["apply", "manifest.toml"]).ok();
    let again = folder.run(&["apply", "manifest.toml"]);
    assert_eq!((again.out.as_str(), again.err.as_str()), ("Nothing to do: 12 records as declared.\n", ""));
    folder.write("notes.toml", include_str!("../../../examples/mcp-server/notes.toml"));
    let example = folder.run(&["apply", "notes.toml"]);
    assert_eq!((example.code, example.err.as_str()), (0, ""), "{}", example.out);
}
