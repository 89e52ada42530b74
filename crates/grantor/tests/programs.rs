//! The commands for programs, at a real server.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

mod common;

use common::browser::{Browser, PUBLIC, begin, client, demo, expire, kept, sign_in, text};
use common::{Folder, Ran, http};
use grantor_client::{
    Authentication, Client, Error, FileStore, Http, Issuer, Name, TokenSource, TokenStore as _, discover,
};
use grantor_protocol::value::ClientId;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Child;
use std::sync::Arc;

#[test]
fn a_machine_gets_a_token_and_uses_it_in_every_way() {
    let folder = Folder::new();
    let demo = demo(&folder);
    let issuer = text(&demo.said, "/issuer").to_owned();
    let secret =
        folder.write("secret", &format!("{}\n", client(&demo.said, "demo-machine")["client_secret"].as_str().unwrap()));
    let machine = |command: &[&str], more: &[&str]| {
        let secret = secret.to_str().unwrap();
        let own = [
            "--issuer",
            &issuer,
            "--client-id",
            "demo-machine",
            "--client-secret-file",
            secret,
            "--machine",
            "--scope",
            "notes:read",
        ];
        folder.run(&[command, &own, more].concat())
    };
    let token = machine(&["token"], &[]).ok();
    let notes = format!("{issuer}/demo/notes");
    assert_eq!(http("GET", &notes, &[("authorization", format!("Bearer {}", token.trim_end()))], "").0, 200);
    let report: Value = serde_json::from_str(&machine(&["token", "--json"], &[]).ok()).unwrap();
    assert_eq!(report["token_type"], "Bearer");

    let ran = machine(&["exec"], &["--env", "API_TOKEN", "--", "sh", "-c", "printf %s \"$API_TOKEN\"; exit 7"]);
    assert_eq!((ran.code, ran.out.split('.').count()), (7, 3), "{}", ran.err);
    assert!(!ran.err.contains(&ran.out));
    let answer = machine(&["curl", &notes, "-i", "-H", "x-test: 1"], &[]).ok();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let posted = machine(&["curl", &notes, "-i", "-d", "a note"], &[]).ok();
    assert!(posted.starts_with("HTTP/1.1 403 ") && posted.contains("notes:write"), "{posted}");
    let refused = machine(&["curl", &format!("{issuer}/demo/mail"), "--fail"], &[]);
    assert!(refused.code == 1 && refused.err.contains("the API answers 401"), "{}", refused.err);
    let overheard = machine(&["curl", "http://api.example/"], &[]);
    assert!(overheard.code == 1 && overheard.err.contains("is not sent to http://api.example/"), "{}", overheard.err);
    // Nothing is left of a server that was named on the spot.
    assert!(!kept(&folder).exists() && !folder.path().join(".config/grantor").exists());

    let wrong = folder.write("wrong", "gr_cs_wrong");
    let refused = folder.run(&[
        "token",
        "--issuer",
        &issuer,
        "--client-id",
        "demo-machine",
        "--client-secret-file",
        wrong.to_str().unwrap(),
        "--machine",
    ]);
    assert!(
        refused.code == 1 && refused.err.contains("invalid_client") && !refused.err.contains("gr_cs_wrong"),
        "{}",
        refused.err
    );
    let slash = folder.run(&["token", "--issuer", &format!("{issuer}/"), "--client-id", "demo-machine", "--machine"]);
    assert!(slash.code == 1 && slash.err.contains("letter by letter"), "{}", slash.err);
}

#[test]
fn the_words_of_a_server_are_still_there_beside_the_programs_token() {
    let folder = Folder::new();
    let help = folder.run(&["token", "--help"]).ok();
    assert!(help.contains("inspect") && help.contains("revoke") && help.contains("--profile"), "{help}");
    let missing = folder.run(&["token"]);
    assert!(missing.code == 1 && missing.err.contains("there is no profile default"), "{}", missing.err);
    assert_eq!(folder.run(&["login"]).code, 2);
}

#[test]
fn what_does_not_work_says_what_to_do_next() {
    let folder = Folder::new();
    let demo = demo(&folder);
    let issuer = text(&demo.said, "/issuer").to_owned();
    let gone = folder.start(&["demo", "--listen", "127.0.0.1:0", "--data", "gone"]);
    let stopped = text(&gone.said, "/issuer").to_owned();
    gone.stop();
    let named = |issuer: &str, more: &[&str]| -> Vec<String> {
        let own = ["--issuer", issuer, "--client-id", "demo-public", "--token-store", "file"];
        own.iter().chain(more).map(|&word| word.to_owned()).collect()
    };
    sign_in(&folder, &issuer, &[&PUBLIC[..], &["--profile", "work"]].concat()).ok();
    let slash = format!("{issuer}/");
    let port = issuer.rsplit_once(':').unwrap().1;
    let taken = format!("127.0.0.1:{port}");
    for (command, more, error, hint) in [
        ("token", vec![], "there is no profile default", "there are: work. grantor login --issuer URL"),
        ("token", vec!["--profile".to_owned(), "wrok".to_owned()], "no profile wrok", "did you mean work? "),
        ("login", vec!["--profile".to_owned(), "play".to_owned()], "no profile play", "login --profile play --issuer"),
        ("login", named(&slash, &[]), "letter by letter", "write --issuer as the server does"),
        ("login", named(&stopped, &[]), "Connection refused", "does it run"),
        ("login", named("https://localhost:1/", &[]), "Connection refused", "does it run"),
        ("login", named(&issuer, &["--device"]), "invalid_scope", "--scope says what"),
        ("login", named(&issuer, &["--machine", "--scope", "notes:read"]), "unauthorized_client", "this grant type"),
        ("demo", vec!["--listen".to_owned(), taken], "cannot listen", "another program listens there"),
    ] {
        let words: Vec<&str> = std::iter::once(command).chain(more.iter().map(String::as_str)).collect();
        let ran = folder.run(&words);
        let (said, told) = ran.err.split_once("hint: ").unwrap_or_else(|| panic!("{words:?}: {}", ran.err));
        assert!(ran.code != 0 && said.contains(error) && told.contains(hint), "{words:?}: {}", ran.err);
    }
    // The profile is named in what is to be done.
    folder.run(&["logout", "--profile", "work"]).ok();
    let ended = folder.run(&["token", "--profile", "work"]);
    assert!(ended.err.ends_with("hint: grantor login --profile work\n"), "{}", ended.err);
}

#[test]
fn a_user_signs_in_through_the_browser_and_out_again() {
    let folder = Folder::new();
    let demo = demo(&folder);
    let issuer = text(&demo.said, "/issuer").to_owned();
    let (child, url) = begin(&folder, &[&["--issuer", &issuer, "--token-store", "file"], &PUBLIC[..]].concat());
    assert!(url.contains("request_uri=") && !url.contains("state="), "it is pushed: {url}");
    let back = Browser::default().allow(&issuer, &url);
    assert!(back.starts_with("http://127.0.0.1:") && back.contains("iss="), "{back}");

    // What others send there changes nothing.
    let (address, query) = back.split_once('?').unwrap();
    let state = query.split('&').find(|pair| pair.starts_with("state=")).unwrap();
    for (method, url, status) in [
        ("GET", format!("{address}?code=forged&state=guessed"), 400),
        ("GET", format!("{address}?error=access_denied"), 400),
        ("GET", back.replace("/callback", "/other"), 404),
        ("POST", back.clone(), 404),
    ] {
        assert_eq!(http(method, &url, &[], "").0, status, "{method} {url}");
    }
    assert!(!state.is_empty());
    let (status, _, page) = http("GET", &back, &[], "");
    assert!(status == 200 && page.contains("You may close this window"), "{page}");
    let ran = Ran::of(&child.wait_with_output().unwrap()).ok();
    assert!(ran.contains("as Alice Liddell"), "{ran}");

    let mode = |path: &PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&kept(&folder)), mode(&kept(&folder).parent().unwrap().to_owned())), (0o600, 0o700));
    let who = folder.json(&["whoami"]);
    assert_eq!((&who["sub"], &who["renews_itself"]), (&demo.said["users"][0]["sub"], &json!(true)));
    let profile = std::fs::read_to_string(folder.path().join(".config/grantor/profiles.toml")).unwrap();
    assert!(profile.contains("[profile.default]") && profile.contains("client_id = \"demo-public\""), "{profile}");

    let notes = format!("{issuer}/demo/notes");
    folder.run(&["curl", &notes, "--fail"]).ok();
    let token = folder.run(&["token"]).ok();
    let call = || http("GET", &notes, &[("authorization", format!("Bearer {}", token.trim_end()))], "").0;
    assert_eq!(call(), 200);
    assert_eq!(folder.json(&["logout"])["revoked"], true);
    assert_eq!(call(), 401);
    assert!(!kept(&folder).exists());
    let after = folder.run(&["token"]);
    assert!(
        after.code == 1 && after.err.contains("sign in again") && after.err.contains("grantor login"),
        "{}",
        after.err
    );
    assert_eq!(folder.run(&["whoami"]).code, 1);
    assert_eq!(folder.json(&["logout"])["revoked"], false);
}

#[test]
fn rfc8628_3_a_user_signs_in_with_another_device() {
    let folder = Folder::new();
    let demo = demo(&folder);
    let issuer = text(&demo.said, "/issuer").to_owned();
    let arguments = ["login", "--device", "--issuer", &issuer, "--token-store", "file"];
    let mut child = folder.spawn(&[&arguments[..], &PUBLIC[..]].concat());
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let is_code = |line: &String| line.len() == 9 && line.as_bytes()[4] == b'-';
    let code = said.by_ref().map(|line| line.trim().to_owned()).find(is_code).unwrap();
    let page = Browser::default().allow(&issuer, &format!("{issuer}/device?user_code={code}"));
    assert!(page.contains("Your device is connected"), "{page}");
    assert_eq!(child.wait().unwrap().code(), Some(0), "{:?}", said.collect::<Vec<_>>());
    assert!(kept(&folder).exists());
    let notes = folder.run(&["curl", &format!("{issuer}/demo/notes")]).ok();
    assert!(notes.contains(r#""through":"demo-public""#), "{notes}");
}

#[test]
fn a_user_who_says_no_is_told_so() {
    let folder = Folder::new();
    let demo = demo(&folder);
    let issuer = text(&demo.said, "/issuer").to_owned();
    let (child, url) = begin(&folder, &[&["--issuer", &issuer, "--token-store", "file"], &PUBLIC[..]].concat());
    let back = Browser::default().allow(&issuer, &url);
    let (address, query) = back.split_once('?').unwrap();
    let keep = |pair: &&str| pair.starts_with("state=") || pair.starts_with("iss=");
    let answer: Vec<&str> = query.split('&').filter(keep).chain(["error=access_denied"]).collect();
    assert_eq!(http("GET", &format!("{address}?{}", answer.join("&")), &[], "").0, 400);
    let ran = Ran::of(&child.wait_with_output().unwrap());
    assert!(ran.code == 1 && ran.err.contains("access_denied"), "{}", ran.err);
    assert!(!kept(&folder).exists());
}

#[test]
fn of_many_processes_one_renews_and_all_get_the_same_token() {
    let folder = Folder::new();
    let demo = demo(&folder);
    let issuer = text(&demo.said, "/issuer").to_owned();
    sign_in(&folder, &issuer, &PUBLIC).ok();
    for _ in 0..3 {
        let before = expire(&folder);
        let running: Vec<Child> = (0..6).map(|_| folder.spawn(&["token"])).collect();
        let tokens: Vec<String> =
            running.into_iter().map(|child| Ran::of(&child.wait_with_output().unwrap()).ok()).collect();
        assert!(tokens.iter().all(|token| *token == tokens[0]), "more than one was obtained");
        assert_ne!(tokens[0].trim_end(), before["access_token"].as_str().unwrap());
        let after: Value = serde_json::from_str(&std::fs::read_to_string(kept(&folder)).unwrap()).unwrap();
        assert_ne!(after["refresh_token"], before["refresh_token"], "it was rotated");
        assert_eq!(after["claims"]["sub"], before["claims"]["sub"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_tasks_one_renews_and_all_get_the_same_token() {
    let folder = Folder::new();
    let demo = demo(&folder);
    let issuer = text(&demo.said, "/issuer").to_owned();
    sign_in(&folder, &issuer, &PUBLIC).ok();
    let before = expire(&folder);
    let http = Http::new().unwrap();
    let provider = discover(&http, &Issuer::parse(&issuer).unwrap()).await.unwrap();
    let client = Client::new(provider, ClientId::parse("demo-public").unwrap(), Authentication::None, http);
    let store = Arc::new(FileStore::open(kept(&folder).parent().unwrap().to_owned()).unwrap());
    let name = Name::parse("default").unwrap();
    let source = TokenSource::stored(client.clone(), store.clone(), name.clone());
    let asked: Vec<_> = (0..50)
        .map(|_| {
            let source = source.clone();
            tokio::spawn(async move { source.grant().await.unwrap() })
        })
        .collect();
    let mut tokens = Vec::new();
    for one in asked {
        tokens.push(one.await.unwrap().tokens.access_token.expose().to_owned());
    }
    tokens.dedup();
    assert_eq!(tokens.len(), 1);
    assert_ne!(tokens[0], before["access_token"].as_str().unwrap());

    // One that an API refused is replaced; what is fresh and was not refused is not.
    let renewed = source.renew().await.unwrap();
    assert_ne!(renewed.tokens.access_token.expose(), tokens[0]);
    assert!(source.token().await.unwrap().matches(&renewed.tokens.access_token));

    // A grant that is gone is said to be gone, and what is kept of it goes too.
    client.revoke(&renewed).await.unwrap();
    expire(&folder);
    let again = TokenSource::stored(client.clone(), store.clone(), name.clone());
    let gone = again.grant().await.unwrap_err();
    assert!(matches!(gone, Error::SignInAgain(_)), "{gone}");
    assert!(store.load(&name).unwrap().is_none());

    // Of the client of another, nothing is used.
    store.save(&name, &renewed).unwrap();
    let other = Client::new(
        client.provider().clone(),
        ClientId::parse("other").unwrap(),
        Authentication::None,
        client.http().clone(),
    );
    assert!(matches!(TokenSource::stored(other, store, name).grant().await, Err(Error::SignInAgain(_))));
}

#[test]
fn a_file_that_others_may_read_is_not_used() {
    let folder = Folder::new();
    let demo = demo(&folder);
    sign_in(&folder, text(&demo.said, "/issuer"), &PUBLIC).ok();
    std::fs::set_permissions(kept(&folder), std::fs::Permissions::from_mode(0o644)).unwrap();
    let refused = folder.run(&["token"]);
    assert!(refused.code == 1 && refused.err.contains("can be read by others"), "{}", refused.err);
    assert_eq!(refused.out, "");
}

#[test]
fn a_bound_token_is_of_use_with_its_key_alone() {
    let folder = Folder::new();
    let demo = demo(&folder);
    let issuer = text(&demo.said, "/issuer").to_owned();
    sign_in(&folder, &issuer, &[&PUBLIC[..], &["--dpop"]].concat()).ok();
    assert_eq!(folder.json(&["whoami"])["token_type"], "DPoP");
    let notes = format!("{issuer}/demo/notes");
    folder.run(&["curl", &notes, "--fail"]).ok();
    let ran = folder.run(&["token"]);
    assert!(ran.err.contains("bound to a key"), "{}", ran.err);
    assert_eq!(http("GET", &notes, &[("authorization", format!("Bearer {}", ran.out.trim_end()))], "").0, 401);
    let refused = folder.run(&["exec", "--", "true"]);
    assert!(refused.code == 1 && refused.err.contains("grantor curl"), "{}", refused.err);
    // Renewed, it is bound to the same key.
    expire(&folder);
    folder.run(&["curl", &notes, "--fail"]).ok();
}
