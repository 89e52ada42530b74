mod authentication;

use super::*;
use crate::document::{Format, Problems, Source};
use grantor_protocol::client::ClientSecret;
use grantor_store::{AuditLog as _, Directories as _, MemoryStore};

const NOW: UnixTime = UnixTime::new(1_000_000);

const SAFE: Safe<'static> = Safe::Open(&[7; 32]);

const WHOLE: &str = r#"
[[tenants]]
name = "acme"
display_name = { en = "Acme", de = "Acme GmbH" }

[[apis]]
audience = "https://notes.example"
name = "Notes"
resource_servers = ["notes-api"]
scopes = [{ name = "notes:read", description = "Read your notes" }, { name = "notes:write", roles = ["editor"] }]
roles = [{ name = "editor" }]

[[apis.ceilings]]
client_id = "machine"
scope = "notes:read"
roles = ["editor"]

[[clients]]
client_id = "machine"
grant_types = ["client_credentials"]

[[clients]]
client_id = "notes-api"
grant_types = ["client_credentials"]
client_secret = "chosen by somebody"

[[clients]]
client_id = "web"
tenant = "acme"
redirect_uris = ["https://web.example/callback"]
jwks = { keys = [{ kty = "OKP", crv = "Ed25519", x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }] }

[[users]]
username = "alice"
password = "correct horse"
email = "alice@example.com"
address = { country = "Norway" }
roles = { "https://notes.example" = ["editor"] }

[[policies]]
name = "working hours"
api = "https://notes.example"
clients = ["machine"]
scopes = ["notes:read"]
"#;

async fn apply_to(store: &MemoryStore, text: &str) -> crate::failure::Result<Applied> {
    apply(store, &Source::new("grantor.toml", text), Format::Toml, How::default(), SAFE, NOW).await
}

fn problems_of(text: &str) -> Vec<String> {
    let mut problems = Problems::default();
    let manifest = read::read(&Source::new("grantor.toml", text), Format::Toml, &mut problems).unwrap_or_default();
    let held = world::Held::default();
    check::check(&world::World { manifest: &manifest, held: &held }, &mut problems);
    problems.sorted().lines()
}

async fn exported(store: &MemoryStore) -> String {
    toml::to_string(&export(store, None, NOW).await.unwrap()).unwrap()
}

fn words(applied: &Applied) -> Vec<String> {
    applied.steps.iter().map(|step| format!("{} {} {}", step.kind.as_str(), step.name, step.what.as_str())).collect()
}

#[tokio::test]
async fn applying_twice_changes_nothing() {
    let store = MemoryStore::default();
    let first = apply_to(&store, WHOLE).await.unwrap();
    assert!(first.steps.iter().all(|step| step.what == What::Created), "{:?}", words(&first));
    let made: Vec<&str> = first.generated.iter().map(|(_, client, _)| client.as_str()).collect();
    assert_eq!(made, ["machine", "web"]);
    assert!(first.generated.iter().all(|(_, _, secret)| ClientSecret::recognises(secret.expose())));
    let version = store.directory_version().await.unwrap();
    let second = apply_to(&store, WHOLE).await.unwrap();
    assert!(second.steps.iter().all(|step| step.what == What::Unchanged), "{:?}", words(&second));
    assert!(second.generated.is_empty());
    assert_eq!(store.directory_version().await.unwrap(), version);
}

#[tokio::test]
async fn an_export_applied_elsewhere_gives_the_same() {
    let (here, there) = (MemoryStore::default(), MemoryStore::default());
    apply_to(&here, WHOLE).await.unwrap();
    let toml = exported(&here).await;
    assert!(!toml.contains("correct horse") && !toml.contains("chosen by somebody"), "{toml}");
    apply_to(&there, &toml).await.unwrap();
    assert_eq!(toml, exported(&there).await);
    let again = apply_to(&here, &toml).await.unwrap();
    assert!(again.steps.iter().all(|step| step.what == What::Unchanged), "{:?}", words(&again));
    let json = serde_json::to_string(&export(&here, None, NOW).await.unwrap()).unwrap();
    let as_json = Source::new("grantor.json", json);
    let third = apply(&there, &as_json, Format::Json, How::default(), SAFE, NOW).await.unwrap();
    assert!(third.steps.iter().all(|step| step.what == What::Unchanged), "{:?}", words(&third));
}

#[tokio::test]
async fn what_changed_is_said_and_logged() {
    let store = MemoryStore::default();
    apply_to(&store, WHOLE).await.unwrap();
    let changed = WHOLE
        .replace("Read your notes", "See your notes")
        .replace("correct horse", "battery staple")
        .replace("alice@example.com", "alice@example.org")
        .replace("chosen by somebody", "chosen by somebody else");
    let applied = apply_to(&store, &changed).await.unwrap();
    let fields = |name: &str| applied.steps.iter().find(|step| step.name == name).unwrap().what.clone();
    assert_eq!(fields("https://notes.example"), What::Changed(vec!["scopes".to_owned()]));
    assert_eq!(fields("alice"), What::Changed(vec!["password".to_owned(), "email".to_owned()]));
    assert_eq!(fields("notes-api"), What::Changed(vec!["client_secret".to_owned()]));
    assert_eq!(fields("machine"), What::Unchanged);
    let events = store.events(&TenantName::default(), None, 100).await.unwrap();
    let last: Vec<_> = events.iter().rev().take(3).map(|event| event.target.clone().unwrap()).collect();
    assert!(last.contains(&"alice".to_owned()), "{last:?}");
    assert!(events.iter().all(|event| event.actor.as_deref() == Some("cli")));
    assert!(!serde_json::to_string(&events).unwrap().contains("battery"));
}

#[tokio::test]
async fn a_wrong_manifest_changes_nothing_at_all() {
    let store = MemoryStore::default();
    assert!(
        apply_to(&store, &format!("{WHOLE}\n[[clients]]\nclient_id = \"web\"\ntenant = \"acne\"\n")).await.is_err()
    );
    assert!(store.directory().await.unwrap().clients.is_empty());
}

#[tokio::test]
async fn a_dry_run_changes_nothing_and_says_the_same() {
    let store = MemoryStore::default();
    let how = How { dry_run: true, ..How::default() };
    let source = Source::new("grantor.toml", WHOLE);
    let dry = apply(&store, &source, Format::Toml, how, SAFE, NOW).await.unwrap();
    assert!(store.directory().await.unwrap().clients.is_empty());
    assert_eq!(words(&dry), words(&apply_to(&store, WHOLE).await.unwrap()));
}

#[tokio::test]
async fn pruning_takes_away_what_is_not_declared() {
    let store = MemoryStore::default();
    apply_to(&store, WHOLE).await.unwrap();
    let less = "[[clients]]\nclient_id = \"notes-api\"\ngrant_types = [\"client_credentials\"]\n";
    let how = How { prune: true, ..How::default() };
    let applied = apply(&store, &Source::new("x.toml", less), Format::Toml, how, SAFE, NOW).await.unwrap();
    assert_eq!(
        words(&applied),
        [
            "client notes-api unchanged",
            "policy working hours deleted",
            "api https://notes.example deleted",
            "client machine deleted",
        ]
    );
    // The other tenant is none of the manifest's business.
    assert!(store.directory().await.unwrap().clients.iter().any(|client| client.metadata.client_id.as_str() == "web"));
}

#[test]
fn a_wrong_key_or_reference_is_said_with_the_nearest_right_one() {
    let text = WHOLE
        .replace("[[users]]", "[[user]]\n[[users]]")
        .replace("client_id = \"machine\"\nscope", "client_id = \"machin\"\nscope")
        .replace("roles = [\"editor\"] }]", "roles = [\"editr\"] }]")
        .replace("scopes = [\"notes:read\"]", "scopes = [\"notes:reed\"]")
        .replace("email = ", "e_mail = ")
        .replace("tenant = \"acme\"", "tenant = \"acne\"");
    assert_eq!(
        problems_of(&text),
        [
            "10:102 error: the API https://notes.example knows no role editr (did you mean editor?)",
            "14:13 error: there is no client machin (did you mean machine?)",
            "29:10 error: there is no tenant acne (did you mean acme?)",
            "33:3 error: user is not known here (did you mean users?)",
            "37:1 error: e_mail is not known here (did you mean email?)",
            "45:11 error: the API https://notes.example knows no scope notes:reed (did you mean notes:read?)",
        ]
    );
}

#[test]
fn a_policy_names_types_of_authorization_details_that_its_api_knows() {
    let types = "\n[[apis.authorization_details_types]]\ntype = \"payment\"\ndescription = \"Pay\"\nschema = {}\n";
    let text = WHOLE.replace("\n[[apis.ceilings]]", &format!("{types}\n[[apis.ceilings]]"));
    assert!(problems_of(&format!("{text}authorization_details_types = [\"payment\"]\n")).is_empty());
    assert_eq!(
        problems_of(&format!("{text}authorization_details_types = [\"payment\", \"paiment\"]\n")),
        ["50:43 error: the API https://notes.example knows no type paiment of authorization details \
             (did you mean payment?)"]
    );
}

#[test]
fn contradictions_are_said_where_they_stand() {
    let text = r#"
[[clients]]
client_id = "app"
token_endpoint_auth_method = "none"
client_secret = "hush"
grant_types = ["authorization_code", "client_credentials"]
scope = "openid notes:read"

[[clients]]
client_id = "app"
client_secret_hash = "md5:x"
redirect_uris = ["https://app.example/callback"]

[[users]]
username = " alice"
password = "a"
password_hash = "b"

[[apis]]
audience = "https://notes.example"
name = "Notes"
token = { format = "opaque", status_list = true }
"#;
    assert_eq!(
        problems_of(text),
        [
            "5:1 error: client_secret is given, but token_endpoint_auth_method is none",
            "6:15 error: grant_types has authorization_code, so redirect_uris needs at least one entry",
            "6:15 error: grant_types has client_credentials, so token_endpoint_auth_method cannot be none (RFC 6749 4.4)",
            "7:9 warning: no API knows the scope notes:read (known here: openid, profile, email, address, phone, offline_access)",
            "10:13 error: this client_id stands here twice",
            "11:22 error: client_secret_hash is none that verifies here (sha256: with 32 bytes of base64url, sealed: of an export, argon2, bcrypt, scrypt or PBKDF2 in a form of docs/manifest.md, of a bearable cost)",
            "15:12 error: username is 1 to 255 characters without surrounding space",
            "17:17 error: password and password_hash exclude each other",
            "17:17 error: password_hash is none that verifies here: argon2, bcrypt, scrypt or PBKDF2 in a form of docs/manifest.md, of a bearable cost",
            "22:44 error: status_list is for JWTs, but format is opaque: those are asked about anyway",
        ]
    );
}

#[test]
fn a_secret_is_never_shown_beside_a_problem() {
    let mut problems = Problems::default();
    let text = "clients = [{ client_id = \"a b\", client_secret = \"hush hush\" }]";
    let _ = read::read(&Source::new("x.toml", text), Format::Toml, &mut problems);
    let shown = problems.render(false);
    assert!(shown.contains("x.toml:1:26") && shown.contains("a b"), "{shown}");
    assert!(!shown.contains("hush"), "{shown}");
}

#[test]
fn json_is_as_good_as_toml() {
    let mut problems = Problems::default();
    let text = "{\"clients\": [\n  {\"client_id\": \"a\", \"redirect_uri\": []}\n]}";
    let _ = read::read(&Source::new("x.json", text), Format::Json, &mut problems);
    assert_eq!(problems.lines(), ["2:22 error: redirect_uri is not known here (did you mean redirect_uris?)"]);
}

#[tokio::test]
async fn rfc7591_3_2_1_a_registration_can_be_pasted() {
    let store = MemoryStore::default();
    let text = r#"{"clients": [{"client_id": "s6BhdRkqt3", "client_secret": "cf136dc3c1fc93f31185e5885805d",
        "client_id_issued_at": 2893256800, "client_secret_expires_at": 0, "client_name": "My Example Client",
        "redirect_uris": ["https://client.example.org/callback"], "grant_types": ["authorization_code"]}]}"#;
    let source = Source::new("x.json", text);
    apply(&store, &source, Format::Json, How::default(), SAFE, NOW).await.unwrap();
    let client = store.directory().await.unwrap().clients.remove(0);
    assert_eq!(client.issued_at, UnixTime::new(2_893_256_800));
    assert_eq!(client.secrets.len(), 1);
    let again = apply(&store, &source, Format::Json, How::default(), SAFE, NOW).await.unwrap();
    assert_eq!(words(&again), ["client s6BhdRkqt3 unchanged"]);
}

#[tokio::test]
async fn registration_is_checked_and_its_tokens_and_clients_survive_a_manifest() {
    let tenant = |more: &str| format!("[[tenants]]\nname = \"default\"\n[tenants.registration]\n{more}");
    let problems = problems_of(&tenant("dynamic = \"open\"\n"));
    assert!(problems.len() == 1 && problems[0].contains("no tiers"), "{problems:?}");
    let problems = problems_of(&tenant(
        "tiers = [{ name = \"t\", hosts = [], apis = [\"https://nowhere.example\"], unused_lifetime = 3599 }]\n",
    ));
    assert_eq!(problems.len(), 3, "{problems:?}");
    let problems = problems_of(&tenant("tiers = [{ name = \"t\", hosts = [\"https://x\"] }]\n"));
    assert!(problems.len() == 1 && problems[0].contains("is no host"), "{problems:?}");

    let store = MemoryStore::default();
    let text = tenant("dynamic = \"open\"\ntiers = [{ name = \"t\", hosts = [\"*\"] }]\n");
    apply_to(&store, &text).await.unwrap();
    let mut records = store.directory().await.unwrap();
    let token = serde_json::json!({"name": "ci", "token_hash": "x", "created": 1, "expires": 2, "uses": 1});
    records.tenants[0].registration.initial_access_tokens.push(serde_json::from_value(token).unwrap());
    let client = serde_json::json!({"metadata": {"client_id": "r", "redirect_uris": ["https://a.example/"],
        "origin": {"registered": {"token_hash": "x", "used": 1}}}, "issued_at": 1});
    let client: grantor_protocol::client::Client = serde_json::from_value(client).unwrap();
    let changes =
        vec![grantor_store::Change::PutTenant(records.tenants[0].clone()), grantor_store::Change::PutClient(client)];
    store.change_directory(changes, None).await.unwrap();
    let before = store.directory().await.unwrap();
    let prune = How { prune: true, ..How::default() };
    apply(&store, &Source::new("grantor.toml", &text), Format::Toml, prune, SAFE, NOW).await.unwrap();
    let after = store.directory().await.unwrap();
    assert_eq!((after.version, &after.clients), (before.version, &before.clients));
    assert_eq!(after.tenants[0].registration.initial_access_tokens.len(), 1);
    let elsewhere = MemoryStore::default();
    apply_to(&elsewhere, &exported(&store).await).await.unwrap();
    let copied = elsewhere.directory().await.unwrap();
    assert_eq!(
        (copied.tenants, copied.clients[0].metadata.clone()),
        (after.tenants, after.clients[0].metadata.clone())
    );
}
