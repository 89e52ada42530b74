//! The binary as a server, and the command line beside it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

mod common;

use common::{Folder, basic, http};
use grantor_jose::{PrivateJwk, SigningAlgorithm, jws};
use rusqlite::Connection;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn client<'a>(said: &'a Value, id: &str) -> &'a Value {
    said["clients"].as_array().unwrap().iter().find(|client| client["client_id"] == id).unwrap()
}

fn token(said: &Value, scope: &str) -> String {
    let body = format!("grant_type=client_credentials&scope={scope}");
    let url = said["endpoints"]["token_endpoint"].as_str().unwrap();
    let (status, _, answer) = http("POST", url, &[basic(client(said, "demo-machine"))], &body);
    assert_eq!(status, 200, "{answer}");
    serde_json::from_str::<Value>(&answer).unwrap()["access_token"].as_str().unwrap().to_owned()
}

fn call(said: &Value, path: &str, token: &str) -> u16 {
    let url = format!("{}{path}", said["issuer"].as_str().unwrap());
    http("GET", &url, &[("authorization", format!("Bearer {token}"))], "").0
}

/// What another process takes back is refused as soon as the server asks the store again, which it does twice a second.
fn refused_soon(said: &Value, path: &str, token: &str) {
    let refused = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        call(said, path, token) == 401
    });
    assert!(refused, "{path}");
}

#[test]
fn the_demo_says_what_a_script_needs_and_leaves_nothing_behind() {
    let folder = Folder::new();
    let demo = folder.start(&["demo", "--listen", "127.0.0.1:0"]);
    let said = demo.said.clone();
    assert_eq!(said["users"][0]["username"], "alice");
    assert_eq!(said["clients"].as_array().unwrap().len(), 14);
    // Its playground plays with what it may know, and with nothing else of the demo.
    let page = http("GET", &format!("{}/playground", said["issuer"].as_str().unwrap()), &[], "").2;
    let played = |id: &str| page.contains(&format!("&quot;client_id&quot;:&quot;{id}&quot;"));
    assert!(played("playground-key") && played("demo-machine") && !played("demo-web") && !played("demo-notes-api"));
    assert!(client(&said, "demo-public")["client_secret"].is_null());
    assert_eq!(said["apis"][1]["format"], "opaque");
    let notes = token(&said, "notes:read");
    assert_eq!(call(&said, "/demo/notes", &notes), 200);
    let mail = token(&said, "mail:read");
    assert_eq!(call(&said, "/demo/mail", &mail), 200);
    assert_eq!(call(&said, "/demo/mail", &notes), 401);

    // The command line beside the running server, on the same data.
    let data = said["data"].as_str().unwrap();
    let inspect = |token: &str| -> Value {
        let ran = folder.run_with(&["token", "inspect", "-", "--data", data, "--json"], token).ok();
        serde_json::from_str(&ran).unwrap()
    };
    let report = inspect(&notes);
    assert_eq!((&report["kind"], &report["good"]), (&json!("JWT access token"), &json!(true)));
    assert_eq!(report["claims"]["client_id"], "demo-machine");
    let people = folder.run_with(&["token", "inspect", "-", "--data", data], &mail).ok();
    assert!(people.starts_with("opaque access token: good\n") && people.contains("Not for"), "{people}");
    folder.run_with(&["token", "revoke", "-", "--data", data], &notes).ok();
    assert_eq!(inspect(&notes)["good"], false);
    refused_soon(&said, "/demo/notes", &notes);
    let other = token(&said, "notes:read");
    folder.run(&["client", "revoke", "demo-machine", "--data", data]).ok();
    refused_soon(&said, "/demo/notes", &other);
    refused_soon(&said, "/demo/mail", &mail);
    assert_eq!(inspect("hello")["kind"], "unknown");

    assert_eq!(demo.stop(), 0);
    assert!(!std::path::Path::new(data).exists());
}

#[test]
fn the_demo_with_data_is_the_same_the_next_time() {
    let folder = Folder::new();
    let first = folder.start(&["demo", "--listen", "127.0.0.1:0", "--data", "kept"]);
    let before = first.said.clone();
    assert_eq!(first.stop(), 0);
    let port = before["issuer"].as_str().unwrap().rsplit_once(':').unwrap().1;
    let second = folder.start(&["demo", "--listen", &format!("127.0.0.1:{port}"), "--data", "kept"]);
    assert_eq!(second.said, before);
    assert_eq!(second.stop(), 0);

    // It keeps its hands off what is not its own.
    folder.run(&["user", "create", "root", "--data", "real"]).ok();
    let refused = folder.run(&["demo", "--listen", "127.0.0.1:0", "--data", "real"]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("is not the demo's"), "{}", refused.err);
}

#[test]
fn a_first_start_makes_everything_and_a_second_start_finds_it() {
    let folder = Folder::new();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--issuer", "http://localhost:8123"];
    let first = folder.start(&arguments);
    let link = first.said["setup_url"].as_str().unwrap().to_owned();
    assert!(link.starts_with("http://localhost:8123/setup?token="), "{link}");
    let listen = first.said["listen"].as_str().unwrap().to_owned();
    let (status, _, metadata) = http("GET", &format!("http://{listen}/.well-known/openid-configuration"), &[], "");
    assert_eq!(status, 200, "{metadata}");
    assert!(metadata.contains("\"issuer\":\"http://localhost:8123\""), "{metadata}");
    let jwks = |listen: &str| http("GET", &format!("http://{listen}/jwks"), &[], "").2;
    let keys = jwks(&listen);
    assert_eq!(first.stop(), 0);

    let listed = folder.json(&["key", "list"]);
    assert!(listed.as_array().unwrap().iter().any(|key| key["state"] == "in use"), "{listed}");
    folder.run_with(&["user", "create", "root", "--administrator", "--password-stdin"], "secret").ok();
    let second = folder.start(&arguments);
    assert!(second.said["setup_url"].is_null());
    let listen = second.said["listen"].as_str().unwrap().to_owned();
    assert_eq!(jwks(&listen), keys);

    // A running server notices what another process does.
    folder.run(&["key", "rotate", "--algorithm", "ES256", "--now"]).ok();
    let changed = (0..50).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        jwks(&listen) != keys
    });
    assert!(changed);
    let copy = folder.path().join("copy.db");
    folder.run(&["backup", copy.to_str().unwrap()]).ok();
    assert_eq!(folder.run(&["backup", copy.to_str().unwrap()]).code, 1);
    assert_eq!(second.stop(), 0);
}

/// Whoever runs the release before would go on writing where the one of today does not look.
#[test]
fn a_file_of_an_earlier_schema_is_brought_up_to_date_when_nobody_uses_it() {
    let folder = Folder::new();
    let server = folder.start(&["serve", "--listen", "127.0.0.1:0", "--issuer", "http://localhost:8123"]);
    let file = folder.path().join("data/grantor.db");
    let newest = schema(&file);
    to_an_earlier_schema(&file);
    let refused = folder.run(&["audit"]);
    assert!(refused.code != 0 && refused.err.contains("a server or a command uses"), "{}", refused.err);
    assert_eq!(schema(&file), EARLIER);
    assert_eq!(server.stop(), 0);
    folder.run(&["audit"]).ok();
    assert_eq!(schema(&file), newest);
}

#[cfg(unix)]
#[test]
fn an_upgrade_ends_when_the_server_is_told_to_stop_and_goes_on_with_the_next_start() {
    let folder = Folder::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let serve = ["serve", "--listen", &address];
    assert_eq!(folder.start(&serve).stop(), 0);
    let file = folder.path().join("data/grantor.db");
    let newest = schema(&file);
    to_an_earlier_schema(&file);
    // It is held up.
    let held = Connection::open(&file).unwrap();
    held.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut server = folder.spawn(&serve);
    while TcpStream::connect(&address).is_err() {
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(300));
    assert!(std::process::Command::new("kill").arg(server.id().to_string()).status().unwrap().success());
    assert_eq!(server.wait().unwrap().code(), Some(0));
    held.execute_batch("ROLLBACK").unwrap();
    assert_eq!(schema(&file), EARLIER);
    assert_eq!(folder.start(&serve).stop(), 0);
    assert_eq!(schema(&file), newest);
}

const EARLIER: i64 = 10;

fn schema(file: &Path) -> i64 {
    let db = Connection::open(file).unwrap();
    db.query_row("SELECT value FROM meta WHERE name = 'schema'", (), |row| row.get(0)).unwrap()
}

/// As it is when all grants were moved, and what they are found by has not come yet.
fn to_an_earlier_schema(file: &Path) {
    Connection::open(file)
        .unwrap()
        .execute_batch(
            "UPDATE meta SET value = 10 WHERE name = 'schema'; CREATE TABLE grants_by_name (id BLOB);
             DROP INDEX grants_by_subject; DROP INDEX grants_by_client; DROP INDEX grants_revoked; DROP INDEX grants_due;",
        )
        .unwrap();
}

#[cfg(unix)]
#[test]
fn a_master_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--issuer", "http://localhost:8123"];
    assert_eq!(folder.start(&arguments).stop(), 0);
    let key = folder.path().join("data/master.key");
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let ran = folder.run(&arguments);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("can be read by others (its mode is 644)") && ran.err.contains("chmod 600"),
        "{}",
        ran.err
    );
    std::fs::remove_file(&key).unwrap();
    let ran = folder.run(&arguments);
    assert!(ran.err.contains("is gone"), "{}", ran.err);
}

/// A form sent to the token endpoint of the listener for mutual TLS, with the demo's certificate or without one.
fn post_over_mtls(mtls: &Value, certificate: bool, body: &str) -> String {
    let path = |name: &str| mtls[name].as_str().unwrap().to_owned();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(path("ca")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = if certificate {
        let chain = vec![CertificateDer::from_pem_file(path("client_certificate")).unwrap()];
        let key = PrivateKeyDer::from_pem_file(path("client_key")).unwrap();
        builder.with_client_auth_cert(chain, key).unwrap()
    } else {
        builder.with_no_client_auth()
    };
    let host = path("url").replace("https://", "");
    let port = host.rsplit_once(':').unwrap().1;
    let name = ServerName::try_from("localhost").unwrap();
    let connection = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let socket = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    let mut stream = rustls::StreamOwned::new(connection, socket);
    write!(
        stream,
        "POST /token HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = Vec::new();
    // How the connection ends is of no interest once the answer is there.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

#[test]
fn rfc8705_2_1_the_demos_certificate_is_a_clients_and_binds_its_tokens() {
    let folder = Folder::new();
    let demo = folder.start(&["demo", "--listen", "127.0.0.1:0", "--mtls-listen", "127.0.0.1:0"]);
    let said = demo.said.clone();
    let body = "grant_type=client_credentials&client_id=demo-mtls&scope=notes:read";
    let refused = post_over_mtls(&said["mtls"], false, body);
    assert!(refused.starts_with("HTTP/1.1 401") && refused.contains("invalid_client"), "{refused}");
    let answer = post_over_mtls(&said["mtls"], true, body);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let answer: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    let inspect = ["token", "inspect", "-", "--data", said["data"].as_str().unwrap()];
    let shown = folder.run_with(&inspect, answer["access_token"].as_str().unwrap()).ok();
    assert!(shown.contains("Bound    to the certificate "), "{shown}");
    assert_eq!(demo.stop(), 0);
}

/// A token for a client of the demo, by an assertion that its key signs.
fn by_assertion(said: &Value, id: &str, claims: &Value, scope: &str) -> (u16, String) {
    let client = client(said, id);
    let private = PrivateJwk::parse(client["private_jwk"].to_string()).unwrap();
    let key = private.signing_key(SigningAlgorithm::Es256).unwrap();
    let assertion = jws::sign(&key, "JWT", claims.to_string().as_bytes()).unwrap();
    let body = format!(
        "grant_type=client_credentials&scope={scope}&client_id={id}&client_assertion={assertion}\
         &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
    );
    let (status, _, answer) = http("POST", said["endpoints"]["token_endpoint"].as_str().unwrap(), &[], &body);
    (status, answer)
}

#[test]
fn rfc7523_2_2_the_demos_keys_are_those_of_its_clients() {
    let folder = Folder::new();
    let demo = folder.start(&["demo", "--listen", "127.0.0.1:0"]);
    let said = demo.said.clone();
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let own = |jti: &str| json!({ "iss": "demo-jwt", "sub": "demo-jwt", "aud": said["issuer"], "jti": jti, "iat": now, "exp": now + 60 });
    assert_eq!(by_assertion(&said, "demo-jwt", &own("1"), "notes:read").0, 200);
    assert_eq!(by_assertion(&said, "demo-jwt", &own("1"), "notes:read").0, 401);
    // The API for payments wants a proof of possession.
    let (status, answer) = by_assertion(&said, "demo-jwt", &own("2"), "payments:read");
    assert!(status == 400 && answer.contains("invalid_dpop_proof"), "{status} {answer}");

    let mut workload = client(&said, "demo-workload")["claims"].clone();
    workload["exp"] = json!(now + 60);
    workload["jti"] = json!("1");
    let (status, answer) = by_assertion(&said, "demo-workload", &workload, "notes:read");
    assert_eq!(status, 200, "{answer}");
    let data = said["data"].as_str().unwrap();
    // Noted with the next commit.
    let noted = (0..50).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        let listed = folder.json(&["client", "federation", "list", "demo-workload", "--data", data]);
        listed[0]["last_used"].is_i64()
    });
    assert!(noted);
    assert_eq!(demo.stop(), 0);
}

#[test]
fn a_server_answers_clients_with_certificates_where_it_is_configured() {
    let folder = Folder::new();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    folder.write("chain.pem", &made.cert.pem());
    folder.write("key.pem", &made.signing_key.serialize_pem());
    let configuration = "[mtls]\nlisten = \"127.0.0.1:0\"\ncertificate = \"chain.pem\"\nkey = \"key.pem\"\nclient_roots = \"chain.pem\"\npublic_url = \"https://localhost:8443\"\n[outgoing]\nextra_ca = \"chain.pem\"\nallowed_networks = [\"127.0.0.0/8\"]\n";
    folder.write("grantor.toml", configuration);
    let arguments =
        ["serve", "--config", "grantor.toml", "--listen", "127.0.0.1:0", "--issuer", "http://localhost:8123"];
    let server = folder.start(&arguments);
    let said = server.said.clone();
    let port = said["mtls_listen"].as_str().unwrap().rsplit_once(':').unwrap().1.to_owned();
    let url = format!("http://{}/.well-known/oauth-authorization-server", said["listen"].as_str().unwrap());
    let metadata: Value = serde_json::from_str(&http("GET", &url, &[], "").2).unwrap();
    assert_eq!(metadata["mtls_endpoint_aliases"]["token_endpoint"], "https://localhost:8443/token");
    let mtls = json!({
        "url": format!("https://localhost:{port}"), "ca": folder.path().join("chain.pem"),
        "client_certificate": folder.path().join("chain.pem"), "client_key": folder.path().join("key.pem"),
    });
    assert!(post_over_mtls(&mtls, true, "grant_type=client_credentials&client_id=nobody").starts_with("HTTP/1.1 401"));
    assert_eq!(server.stop(), 0);
    let checked = folder.run(&["config", "check", "--config", "grantor.toml"]);
    assert!(checked.err.contains("can make this server ask any host"), "{}", checked.err);
    assert!(checked.err.contains("can answer for any server"), "{}", checked.err);
    assert!(checked.out.ends_with("see the warnings.\n"), "{}", checked.out);
}

#[test]
fn the_dry_run_asks_the_issuer_for_its_keys_as_far_as_the_configuration_lets_it() {
    let folder = Folder::new();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    folder.write("chain.pem", &made.cert.pem());
    folder.write("key.pem", &made.signing_key.serialize_pem());
    // The issuer is another Grantor; its port is known once it has been free.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let issuer = format!("https://localhost:{port}");
    let tls = format!(
        "issuer = \"{issuer}\"\nlisten = \"127.0.0.1:{port}\"\n[tls]\ncertificate = \"chain.pem\"\nkey = \"key.pem\"\n"
    );
    folder.write("issuer.toml", &tls);
    let of_issuer = ["--data", "issuer"];
    let create = ["client", "create", "machine", "--grant-type", "client_credentials", "--json"];
    let made = folder.run(&[&create[..], &of_issuer].concat()).ok();
    let secret = serde_json::from_str::<Value>(&made).unwrap()["client_secret"].as_str().unwrap().to_owned();
    let api = ["api", "create", "https://api.example", "--scope", "x=X", "--ceiling", "machine=x"];
    folder.run(&[&api[..], &of_issuer].concat()).ok();
    folder.run(&["client", "update", "machine", "--auth-method", "client_secret_post", "--data", "issuer"]).ok();
    let server = folder.start(&["serve", "--config", "issuer.toml", "--data", "issuer"]);
    let at = json!({ "url": issuer, "ca": folder.path().join("chain.pem") });
    let body = format!("grant_type=client_credentials&client_id=machine&client_secret={secret}&scope=x");
    let answer = post_over_mtls(&at, false, &body);
    let answer: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    let token = answer["access_token"].as_str().unwrap();

    folder.run(&["client", "create", "ci", "--grant-type", "client_credentials"]).ok();
    let add = [
        "client",
        "federation",
        "add",
        "ci",
        "other",
        "--issuer",
        &issuer,
        "--audience",
        "https://api.example",
        "--condition",
        "sub=machine",
        "--replace-method",
    ];
    folder.run(&add).ok();
    let attempt = ["client", "federation", "try", "ci", "--token-file", "-"];
    let refused = folder.run_with(&attempt, token);
    assert!(refused.out.contains("✗ signature") && refused.out.contains("not a public one"), "{}", refused.out);
    folder.write("open.toml", "[outgoing]\nextra_ca = \"chain.pem\"\nallowed_networks = [\"127.0.0.0/8\", \"::1\"]\n");
    let opened = folder.run_with(&[&attempt[..], &["--config", "open.toml"]].concat(), token);
    // Its keys were had; but an access token is no proof of who runs.
    assert!(opened.out.contains("✓ signature") && opened.out.contains("✗ type"), "{}{}", opened.out, opened.err);
    assert_eq!(server.stop(), 0);
}
