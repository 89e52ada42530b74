//! No secret, code or token stands in a log line, at any level, of any crate; nor in the audit log.

use crate::harness::{Browser, PASSWORD, Plan, Site, VERIFIER, base64_standard, encode, secret, text};
use crate::stores::Folder;
use crate::tls::certify;
use grantor_fetch::Origins;
use grantor_protocol::audit::Action;
use grantor_server::TlsFiles;
use reqwest::{Certificate, Method};
use serde_json::json;
use std::cell::RefCell;
use std::io::Write;
use std::sync::{Arc, Mutex, Once};
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// Every line that is written.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

thread_local! {
    static WATCHED: RefCell<Option<Lines>> = const { RefCell::new(None) };
}

/// One subscriber for the whole process, before anything is logged: which lines are wanted is remembered for each place
/// in the code by whatever subscriber is there first.
pub(crate) fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let writer = || WATCHED.with_borrow(|lines| lines.clone().unwrap_or_default());
        let watched = dynamic_filter_fn(|_, _| WATCHED.with_borrow(Option::is_some));
        let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(writer).with_filter(watched);
        tracing_subscriber::registry().with(layer).init();
    });
}

/// A server on a thread of its own, where everything is written down; the client of the tests is not.
fn watched(tls: Option<TlsFiles>) -> (Site, Lines, std::thread::JoinHandle<()>, tokio::sync::oneshot::Sender<()>) {
    let lines = Lines::default();
    let written = lines.clone();
    let (made, site) = std::sync::mpsc::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let thread = std::thread::spawn(move || {
        WATCHED.set(Some(written));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let scheme = if tls.is_some() { "https" } else { "http" };
            let address = format!("{scheme}://localhost:{port}");
            let plan = Plan { relay: Origins::of_this_machine(), ..Plan::default() };
            let (site, server) = Site::made(plan, |_| {}, address).await;
            made.send(site).unwrap();
            server.run(listener, tls, async { drop(stopped.await) }).await.unwrap();
        });
    });
    (site.recv().unwrap(), lines, thread, stop)
}

/// Everything that carries secrets, rightly and wrongly; gives all of them.
async fn a_full_life(site: &Site) -> Vec<String> {
    let mut secrets: Vec<String> = [
        "gr_at_",
        "gr_rt_",
        "gr_ac_",
        "gr_in_",
        PASSWORD,
        VERIFIER,
        "typed-into-the-wrong-field",
        "typed-into-the-wrong-host",
        "wrong-secret",
    ]
    .map(str::to_owned)
    .to_vec();
    for client in ["web", "api", "machine", "other"] {
        secrets.push(secret(client));
        secrets.push(base64_standard(format!("{client}:{}", secret(client)).as_bytes()));
    }
    let mut browser = Browser::new(site);
    let page = browser.start("web", &[("scope", "openid email notes:read mail:read"), ("nonce", "n-0S6")]).await;
    let again = browser.sign_in(&page, "typed-into-the-wrong-field", "typed-into-the-wrong-field").await;
    let page = browser.sign_in(&again, "alice", PASSWORD).await;
    let answer = browser.decide(&page, "allow", None).await;
    let code = answer.param("code").unwrap();
    let mail = site.mail();
    let opaque = site.redeem(&code, &[("resource", &mail)]).await.json();
    let access = text(&opaque, "access_token");
    site.bearer("/demo/mail", access).await;
    site.introspect(access).await;
    let notes = site.notes();
    let jwt = site.refresh(text(&opaque, "refresh_token"), &[("resource", &notes)]).await.json();
    let resources = [("resource", notes.as_str()), ("resource", site.issuer.as_str())];
    let for_both = site.refresh(text(&jwt, "refresh_token"), &resources).await.json();
    let access = text(&for_both, "access_token");
    site.bearer("/userinfo", access).await;
    site.form("/userinfo", &[], &[("access_token", access)]).await;
    site.get(&format!("/userinfo?{}", encode(&[("access_token", access)])), &[]).await;
    site.get(&format!("/{access}?{}", encode(&[("code", &code)])), &[]).await;
    let origin = ("origin", site.issuer.as_str());
    let from_page = [("content-type", "application/json"), ("sec-fetch-site", "same-origin"), origin];
    for url in [
        format!("{}/userinfo?access_token={access}", site.address),
        format!("https://typed-into-the-wrong-host.example/?{access}"),
    ] {
        let headers = [["authorization", &format!("Bearer {access}")], ["dpop", access]];
        let relayed = json!({ "method": "POST", "url": url, "headers": headers, "body": access });
        site.send(Method::POST, "/playground/relay", &from_page, Some(relayed.to_string().into_bytes())).await;
    }
    site.get("/jwks", &[("authorization", &format!("Bearer {access}"))]).await;
    let id_token = text(&for_both, "id_token");
    browser.start("web", &[("id_token_hint", id_token), ("prompt", "none")]).await;
    browser.start("web", &[("response_mode", "form_post")]).await;
    // Wrongly: in the wrong place, of the wrong client, twice.
    site.redeem(&code, &[]).await;
    site.token("other", &[("grant_type", "refresh_token"), ("refresh_token", text(&jwt, "refresh_token"))]).await;
    site.form("/token", &[], &[("grant_type", VERIFIER), ("client_id", &code), ("client_secret", "wrong-secret")])
        .await;
    site.form("/token", &[], &[("client_id", &secret("web")), ("client_secret", &secret("web"))]).await;
    site.form("/token", &[("authorization", &format!("Bearer {access}"))], &[("code", &code)]).await;
    site.client_form("/revoke", &secret("machine"), &[("token", access)]).await;
    site.client_form("/introspect", "api", &[("token", text(&jwt, "refresh_token")), ("scope", access)]).await;
    site.client_form("/revoke", "web", &[("token", text(&jwt, "refresh_token"))]).await;
    let headers = [("content-type", "application/json")];
    site.send(Method::POST, "/token", &headers, Some(format!("{{\"code\":\"{code}\"}}").into_bytes())).await;
    browser.get(&format!("/authorize?client_id={code}&redirect_uri={access}")).await;
    let link = site.server.setup_link().await.unwrap().unwrap();
    let page = browser.get(&link).await;
    let password = "the administrator's first";
    browser.submit(&page, &[("username", "root"), ("password", password), ("password_again", password)]).await;
    let page = browser.get("/applications").await;
    browser.submit(&page, &[("client_id", "web")]).await;
    browser.get(&format!("/signout?{}", encode(&[("id_token_hint", id_token)]))).await;
    secrets.extend([password.to_owned(), code, link.split_once("token=").unwrap().1.to_owned()]);
    secrets.extend(browser.cookies.values().cloned());
    for tokens in [&opaque, &jwt, &for_both] {
        for name in ["access_token", "refresh_token", "id_token"] {
            if let Some(token) = tokens[name].as_str() {
                secrets.push(token.rsplit('.').next().unwrap().to_owned());
                secrets.push(token.to_owned());
            }
        }
    }
    secrets
}

async fn nothing_leaks(tls: Option<(TlsFiles, Vec<u8>)>) {
    let (files, pem) = tls.unzip();
    let (mut site, lines, thread, stop) = tokio::task::spawn_blocking(move || watched(files)).await.unwrap();
    if let Some(pem) = pem {
        let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        site.http = builder.tls_certs_only([Certificate::from_pem(&pem).unwrap()]).build().unwrap();
    }
    let secrets = a_full_life(&site).await;
    let events = serde_json::to_string(&site.events().await).unwrap();
    drop(stop);
    // Connections that are kept alive would keep the server.
    drop(site);
    tokio::task::spawn_blocking(move || thread.join().unwrap()).await.unwrap();
    let written = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(written.contains("DEBUG") && written.contains("audit"), "something is written at all");
    assert!(written.contains("relayed") && written.contains("the relay refused"));
    for secret in secrets {
        assert!(!events.contains(&secret), "in the audit log: {secret}");
        let leak = written.lines().find(|line| line.contains(&secret));
        assert_eq!(leak, None, "{secret}");
    }
}

#[tokio::test]
async fn no_secret_stands_in_a_log_line_at_any_level() {
    nothing_leaks(None).await;
}

#[tokio::test]
async fn no_secret_stands_in_a_log_line_at_any_level_over_tls_and_http_2() {
    let folder = Folder::new();
    certify(&folder.0);
    let files = TlsFiles { certificate: folder.0.join("chain.pem"), key: folder.0.join("key.pem") };
    let pem = std::fs::read(&files.certificate).unwrap();
    nothing_leaks(Some((files, pem))).await;
}

/// Anybody can say that he is a public client: what he is refused must not fill the disk (the budget is 50 a second).
#[tokio::test]
async fn refusals_of_strangers_are_written_within_a_budget_whatever_client_they_name() {
    let site = Site::start().await;
    let of_tokens = async || {
        site.store.record(Vec::new()).await.unwrap();
        site.events().await.into_iter().filter(|event| event.action == Action::Token).collect::<Vec<_>>()
    };
    let fields = [("grant_type", "authorization_code"), ("client_id", "public"), ("code", "x")];
    let first = site.now();
    for _ in 0..300 {
        assert_eq!(site.form("/token", &[], &fields).await.error(), "invalid_grant");
    }
    let seconds = usize::try_from(site.now() - first + 1).unwrap();
    let written = of_tokens().await.len();
    assert!(written <= 51 * seconds && written < 300, "{written} in {seconds} seconds");
    // A client that proved who it is has every refusal written.
    let before = of_tokens().await.len();
    for _ in 0..100 {
        let refused = site.token("machine", &[("grant_type", "client_credentials"), ("scope", "no:such")]).await;
        assert_eq!(refused.error(), "invalid_scope", "{}", refused.body);
    }
    assert_eq!(of_tokens().await.len() - before, 100);
}
