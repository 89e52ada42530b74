//! How a program that acts for itself proves who it is: `grantor token` with every client authentication that there is.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

mod common;

use common::browser::{client, text};
use common::{Folder, Ran};
use grantor_jose::{PrivateJwk, SigningAlgorithm, base64url, jws};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

#[test]
fn a_client_proves_who_it_is_with_a_key_a_certificate_or_its_platform() {
    let folder = Folder::new();
    let demo = folder.start(&["demo", "--listen", "127.0.0.1:0", "--mtls-listen", "127.0.0.1:0"]);
    let issuer = text(&demo.said, "/issuer").to_owned();
    let token = |id: &str, more: &[&str]| {
        folder.run(&[&["token", "--json", "--machine", "--issuer", &issuer, "--client-id", id], more].concat())
    };
    let key = folder.write("key.json", &client(&demo.said, "demo-jwt")["private_jwk"].to_string());
    let key = key.to_str().unwrap();
    let bound = token("demo-jwt", &["--private-key-file", key, "--scope", "payments:read", "--dpop"]).ok();
    assert_eq!(serde_json::from_str::<Value>(&bound).unwrap()["token_type"], "DPoP");
    token("demo-jwt", &["--private-key-file", key, "--scope", "notes:read"]).ok();

    let mtls = &demo.said["mtls"];
    let own = ["--certificate", text(mtls, "/client_certificate"), "--certificate-key", text(mtls, "/client_key")];
    token("demo-mtls", &[&own[..], &["--ca", text(mtls, "/ca"), "--scope", "notes:read"]].concat()).ok();
    let untrusted = token("demo-mtls", &[&own[..], &["--scope", "notes:read"]].concat());
    assert!(untrusted.code == 1 && untrusted.err.contains("cannot ask"), "{}", untrusted.err);

    let platform = client(&demo.said, "demo-workload");
    let signing = PrivateJwk::parse(platform["private_jwk"].to_string()).unwrap();
    let signing = signing.signing_key(SigningAlgorithm::Es256).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    // Each is good once.
    let signed = |jti: &str| {
        let mut claims = platform["claims"].clone();
        (claims["iat"], claims["exp"], claims["jti"]) = (json!(now), json!(now + 300), json!(jti));
        jws::sign(&signing, "JWT", claims.to_string().as_bytes()).unwrap()
    };
    let file = folder.write("platform-token", &signed("file"));
    token("demo-workload", &["--workload", file.to_str().unwrap(), "--scope", "notes:read"]).ok();
    github_actions_and_a_variable(&folder, &issuer, &signed("github"), &signed("variable"));
    #[cfg(target_os = "linux")]
    for workload in ["auto", "kubernetes"] {
        in_a_pod(&folder, &issuer, workload, &signed(workload));
    }
    let nothing = token("demo-workload", &["--workload", "/nowhere/token"]);
    assert!(nothing.code == 1 && nothing.err.contains("/nowhere/token"), "{}", nothing.err);
}

/// The environment of a job, and what answers there; then the same token in a variable.
fn github_actions_and_a_variable(folder: &Folder, issuer: &str, signed: &str, other: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/token?api-version=2.0", listener.local_addr().unwrap());
    let body = json!({ "count": 1, "value": signed }).to_string();
    let platform = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = [0; 4096];
        let read = stream.read(&mut asked).unwrap();
        let length = body.len();
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}").unwrap();
        String::from_utf8_lossy(&asked[..read]).into_owned()
    });
    let own = ["token", "--issuer", issuer, "--client-id", "demo-workload", "--scope", "notes:read", "--workload"];
    let job = [("ACTIONS_ID_TOKEN_REQUEST_URL", url.as_str()), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of-the-job")];
    let child = folder.spawn_in(&[&own[..], &["auto"]].concat(), &job);
    Ran::of(&child.wait_with_output().unwrap()).ok();
    let asked = platform.join().unwrap();
    let audience: String = url::form_urlencoded::byte_serialize(issuer.as_bytes()).collect();
    assert!(asked.starts_with(&format!("GET /token?api-version=2.0&audience={audience} ")), "{asked}");
    assert!(asked.contains("authorization: Bearer of-the-job\r\n"), "{asked}");

    let child = folder.spawn_in(&[&own[..], &["env:PLATFORM_TOKEN"]].concat(), &[("PLATFORM_TOKEN", other)]);
    Ran::of(&child.wait_with_output().unwrap()).ok();
}

/// Where Kubernetes puts a service account's token: in a mount namespace of its own, so that the machine keeps its `/run`.
#[cfg(target_os = "linux")]
fn in_a_pod(folder: &Folder, issuer: &str, workload: &str, token: &str) {
    let token = folder.write("service-account", token);
    let own = ["token", "--issuer", issuer, "--client-id", "demo-workload", "--scope", "notes:read", "--workload"];
    let inside = "mount -t tmpfs none /run && mkdir -p /run/secrets/kubernetes.io/serviceaccount && [ -d /var/run/secrets ] \
                  && cp \"$1\" /var/run/secrets/kubernetes.io/serviceaccount/token && shift && exec \"$@\"";
    let program = folder.command(&[&own[..], &[workload]].concat());
    let mut pod = std::process::Command::new("unshare");
    pod.args(["--user", "--map-root-user", "--mount", "sh", "-c", inside, "pod"]).arg(&token);
    pod.arg(program.get_program()).args(program.get_args()).current_dir(program.get_current_dir().unwrap());
    pod.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ran = Ran::of(&pod.output().unwrap());
    assert!(ran.code == 0 && ran.out.trim().len() > 20, "{workload}: {}", ran.err);
    // Outside there is none.
    let none = folder.run(&[&own[..], &[workload]].concat());
    assert!(none.code != 0, "{}", none.out);
}

/// A certificate that its owner signed, with its key, as PEM files; and the set of its public key (RFC 8705 2.2.2).
fn self_signed(folder: &Folder) -> (String, String, String) {
    let made = rcgen::generate_simple_self_signed(vec!["ledger".to_owned()]).unwrap();
    // 04, x and y (SEC 1, 2.3.3).
    let point = made.signing_key.public_key_raw();
    let (x, y) = (base64url::encode(&point[1..33]), base64url::encode(&point[33..65]));
    let jwks = json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": x, "y": y }] });
    let file = |name: &str, text: &str| folder.write(name, text).to_str().unwrap().to_owned();
    (
        file("own.pem", &made.cert.pem()),
        file("own.key", &made.signing_key.serialize_pem()),
        file("own.json", &jwks.to_string()),
    )
}

#[test]
fn oidc_core_9_each_way_to_show_a_secret_and_a_certificate_of_ones_own() {
    let folder = Folder::new();
    let (certificate, key, jwks) = self_signed(&folder);
    let demo = ["demo", "--listen", "127.0.0.1:0", "--mtls-listen", "127.0.0.1:0", "--data", "kept"];
    folder.start(&demo).stop();
    let mut ceilings = Vec::new();
    let mut create = |id: &str, method: &str, more: &[&str]| {
        let words = ["client", "create", id, "--grant-type", "client_credentials", "--data", "kept", "--auth-method"];
        let made = folder.json(&[&words[..], &[method], more].concat());
        ceilings.push(format!("{id}=ledger:read"));
        let secret = made["client_secret"].as_str().unwrap_or_default();
        folder.write(id, secret).to_str().unwrap().to_owned()
    };
    let basic = create("basic", "client_secret_basic", &[]);
    let post = create("post", "client_secret_post", &[]);
    let signing = create("signing", "client_secret_jwt", &["--profile", "oidc"]);
    create("own", "self_signed_tls_client_auth", &["--jwks", &jwks]);

    let api =
        ["api", "create", "https://ledger.example", "--data", "kept", "--name", "Ledger", "--scope", "ledger:read=See"];
    let allow: Vec<&str> = ceilings.iter().flat_map(|one| ["--ceiling", one.as_str()]).collect();
    folder.run(&[&api[..], &allow].concat()).ok();
    let server = folder.start(&demo);
    let issuer = text(&server.said, "/issuer").to_owned();

    let token = |id: &str, more: &[&str]| {
        let own = ["token", "--machine", "--issuer", &issuer, "--client-id", id, "--scope", "ledger:read"];
        folder.run(&[&own[..], more].concat())
    };
    let refused = |ran: Ran| {
        assert!(ran.code == 1 && ran.err.contains("invalid_client") && ran.err.contains("hint: "), "{}", ran.err);
    };
    token("basic", &["--client-secret-file", &basic]).ok();
    token("basic", &["--client-secret-file", &basic, "--auth-method", "client_secret_basic"]).ok();
    refused(token("basic", &["--client-secret-file", &basic, "--auth-method", "client_secret_post"]));
    token("post", &["--client-secret-file", &post, "--auth-method", "client_secret_post"]).ok();
    refused(token("post", &["--client-secret-file", &post, "--auth-method", "client_secret_basic"]));
    token("signing", &["--client-secret-file", &signing, "--auth-method", "client_secret_jwt"]).ok();
    refused(token("signing", &["--client-secret-file", &signing, "--auth-method", "client_secret_post"]));
    assert_eq!(token("signing", &["--auth-method", "client_secret_jwt"]).code, 2);

    let ca = text(&server.said, "/mtls/ca");
    let shown = ["--certificate", &certificate, "--certificate-key", &key, "--ca", ca];
    token("own", &shown).ok();
    let mtls = &server.said["mtls"];
    let others = ["--certificate", text(mtls, "/client_certificate"), "--certificate-key", text(mtls, "/client_key")];
    refused(token("own", &[&others[..], &["--ca", ca]].concat()));

    // A profile knows it too, and another proof takes its place.
    let login = ["login", "--token-store", "file", "--machine", "--issuer", &issuer, "--scope", "ledger:read"];
    let jwt = ["--client-id", "signing", "--client-secret-file", &signing, "--auth-method", "client_secret_jwt"];
    folder.run(&[&login[..], &jwt].concat()).ok();
    folder.run(&["token"]).ok();
    let profile = std::fs::read_to_string(folder.path().join(".config/grantor/profiles.toml")).unwrap();
    assert!(profile.contains("auth_method = \"client_secret_jwt\""), "{profile}");
}
