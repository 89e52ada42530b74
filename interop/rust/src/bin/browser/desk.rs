//! The token desk in two browsers: alice shares a token, bob uses what is derived from it, and it ends when she says so.

use crate::driver::{Browser, DESKTOP, Driver, Kind, PHONE};
use crate::listener::Listener;
use anyhow::{Context, Result, bail};
use grantor_interop::apply::apply_text;
use grantor_interop::demo::{Demo, User};
use grantor_interop::report::{Report, equal};
use grantor_interop::request::AuthorizationRequest;
use serde_json::json;
use std::time::{Duration, Instant};

const SCOPE: &str = "offline_access notes:read notes:write";
const PASSWORD: &str = "a second password";

/// Two profiles of their own, as two people have them.
pub async fn run(driver: &Driver, report: &mut Report) -> Result<()> {
    let alice = Kind { name: "desk of alice", javascript: true, size: DESKTOP, scheme: "light" };
    let bob = Kind { name: "desk of bob", javascript: true, size: PHONE, scheme: "dark" };
    let (alice, bob) = (driver.browser(alice).await?, driver.browser(bob).await?);
    let mut walk = Walk { demo: Demo::given()?, listener: Listener::start().await?, alice, bob };
    report.check("desk: a token is kept, and not shown until asked for", walk.keeps()).await;
    report.check("desk: nothing is shared until it is switched on", walk.shares()).await;
    report.check("desk: another uses what is derived, with a key of his browser", walk.uses()).await;
    report.check("desk: its owner sees who used it", walk.is_seen()).await;
    report.check("desk: the next call fails within a second after it is not shared any more", walk.ends()).await;
    report.check("desk: neither console has a complaint", walk.consoles_are_clean()).await;
    walk.alice.web.quit().await?;
    walk.bob.web.quit().await?;
    Ok(())
}

struct Walk {
    demo: Demo,
    listener: Listener,
    alice: Browser,
    bob: Browser,
}

impl Walk {
    async fn keeps(&mut self) -> Result<()> {
        let request = AuthorizationRequest::new(&self.demo, "demo-web", &self.listener.redirect_uri, SCOPE, &[])?;
        self.listener.clear();
        self.alice.open(request.url.as_str()).await?;
        sign_in(&self.alice, self.demo.alice()?).await?;
        self.alice.click("button[name=decision][value=allow]").await?;
        let code = self.listener.callback().await?.parameter("code")?.to_owned();
        let answer = request.redeem(&self.demo, &code).await?;
        let token = answer.text("access_token").context("no token")?;
        self.alice.open(&format!("{}/desk", self.demo.issuer)).await?;
        self.alice.click(".spaces details summary").await?;
        self.alice.fill("#space-name", "Team").await?;
        self.alice.click(".spaces form button").await?;
        // The page before it has the same form, for the workspace that is alice's own.
        says(&self.alice, ".spaces [aria-current]", "Team").await?;
        self.alice.fill("#add-name", "Notes").await?;
        self.alice.fill("#add-access", &token).await?;
        self.alice.click("form:has(#add-name) button").await?;
        says(&self.alice, "article", "notes:write").await?;
        self.alice.shoot("desk").await?;
        equal(self.alice.web.source().await?.contains(&token), false)?;
        self.alice.click("form[action$='/desk/token'] button").await?;
        equal(self.alice.find("#access").await?.prop("value").await?, Some(token))?;
        self.alice.shoot("desk-token").await?;
        self.alice.click("main a").await
    }

    async fn shares(&mut self) -> Result<()> {
        let bob = json!({ "users": [{ "username": "bob", "password": PASSWORD, "name": "Bob" }] });
        apply_text(&self.demo, &bob.to_string()).await?;
        self.alice.fill("#member-name", "bob").await?;
        self.alice.click("#member-right option[value=use]").await?;
        self.alice.click("form:has(#member-name) button").await?;
        says(&self.alice, ".members", "bob").await?;
        self.bob.open(&format!("{}/signin", self.demo.issuer)).await?;
        let bob = User { username: "bob".to_owned(), password: PASSWORD.to_owned(), sub: String::new() };
        sign_in(&self.bob, &bob).await?;
        self.bob.find(".account, .facts").await?;
        self.open_desk().await?;
        equal(self.bob.has("article").await?, false)?;
        self.press("sharing-on").await?;
        self.open_desk().await?;
        equal(self.bob.has("article").await?, false)?;
        self.press("share").await?;
        says(&self.alice, "article h2", "shared").await?;
        self.open_desk().await?;
        says(&self.bob, "article", "notes:write").await
    }

    async fn uses(&mut self) -> Result<()> {
        self.bob.click("form.ask button").await?;
        self.bob.find(".given:not([hidden])").await?;
        self.bob.click("form.call button").await?;
        says(&self.bob, ".outcome", "200 ").await?;
        self.bob.shoot("desk-used").await?;
        let kept: bool = self
            .bob
            .web
            .execute_async(
                "const [done] = arguments; const opening = indexedDB.open('grantor.desk'); opening.onsuccess = () => {
                   const all = opening.result.transaction('keys').objectStore('keys').getAll();
                   all.onsuccess = () => done(all.result.length === 1 && all.result[0].privateKey.extractable === false);
                 };",
                vec![],
            )
            .await?
            .convert()?;
        equal(kept, true)
    }

    async fn is_seen(&mut self) -> Result<()> {
        self.alice.web.refresh().await?;
        self.alice.click(".uses summary").await?;
        says(&self.alice, ".uses", "bob").await?;
        says(&self.alice, ".uses", "notes:read").await?;
        self.alice.shoot("desk-uses").await
    }

    /// From the moment at which the server has said that it is done.
    async fn ends(&mut self) -> Result<()> {
        self.press("unshare").await?;
        let ended = Instant::now();
        self.bob.click("form.call button").await?;
        says(&self.bob, ".outcome", "401 ").await?;
        let took = ended.elapsed();
        if took > Duration::from_secs(1) {
            bail!("it took {took:?}");
        }
        self.bob.click("form.ask button").await?;
        says(&self.bob, ".outcome", "access_denied").await?;
        self.open_desk().await?;
        equal(self.bob.has("article").await?, false)
    }

    async fn consoles_are_clean(&self) -> Result<()> {
        // What is refused is said to the console by the browser itself.
        let refused = |complaint: &String| complaint.contains("status of 40");
        let mut complaints = self.alice.complaints().await?;
        complaints.extend(self.bob.complaints().await?);
        complaints.retain(|complaint| !refused(complaint));
        if complaints.is_empty() { Ok(()) } else { bail!("{}", complaints.join(" / ")) }
    }

    async fn open_desk(&self) -> Result<()> {
        self.bob.open(&format!("{}/desk", self.demo.issuer)).await?;
        self.bob.find("nav.spaces").await.map(|_| ())
    }

    /// A button of alice's page, and what the page says then.
    async fn press(&self, what: &str) -> Result<()> {
        self.alice.click(&format!("form:has(input[name=do][value='{what}']) button")).await?;
        for _ in 0..100 {
            if !self.alice.has(&format!("input[name=do][value='{what}']")).await.unwrap_or(true) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!("{what} was not done")
    }
}

async fn sign_in(browser: &Browser, user: &User) -> Result<()> {
    browser.fill("#username", &user.username).await?;
    browser.fill("#password", &user.password).await?;
    browser.click("form button[type=submit]").await
}

/// Waits for what a part of a page shows.
async fn says(browser: &Browser, css: &str, wanted: &str) -> Result<()> {
    let mut said = String::new();
    for _ in 0..200 {
        said = browser.text(css).await.unwrap_or_else(|why| why.to_string());
        if said.contains(wanted) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bail!("{css} does not say {wanted}: {said}")
}
