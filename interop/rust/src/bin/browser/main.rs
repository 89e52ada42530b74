//! A real browser: Chromium signs in, consents, denies, revokes and signs out, with JavaScript and without it; and walks
//! through the playground.

mod accessibility;
mod attacks;
mod desk;
mod driver;
mod flows;
mod foreign;
mod listener;
mod newcomer;
mod playground;
mod requests;
mod walk;

use anyhow::{Context, Result, bail};
use driver::{Browser, DESKTOP, Driver, Kind, PHONE};
use grantor_interop::demo::Demo;
use grantor_interop::http::call;
use grantor_interop::report::{Report, equal};
use grantor_interop::request::AuthorizationRequest;
use listener::{Callback, Listener};
use std::process::ExitCode;
use thirtyfour::prelude::*;

const KINDS: [Kind; 2] = [
    Kind { name: "with JavaScript", javascript: true, size: DESKTOP, scheme: "light" },
    Kind { name: "without JavaScript", javascript: false, size: PHONE, scheme: "dark" },
];
const SCOPE: &str = "openid profile offline_access notes:read notes:write";
const ALLOW: &str = "button[name=decision][value=allow]";
const DENY: &str = "button[name=decision][value=deny]";

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let mut report = Report::default();
    let driver = Driver::start().await?;
    for kind in KINDS {
        let browser = driver.browser(kind).await?;
        let mut suite = Suite { demo: Demo::given()?, listener: Listener::start().await?, browser, tokens: Vec::new() };
        suite.run(&mut report).await;
        suite.browser.web.quit().await?;
    }
    let browser = driver.browser(KINDS[0]).await?;
    accessibility::Look { demo: &Demo::given()?, browser: &browser }.run(&mut report).await;
    browser.web.quit().await?;
    foreign::walk(&driver, &mut report).await?;
    desk::run(&driver, &mut report).await?;
    requests::run(&driver, &mut report).await?;
    // How long it is depends on the machine; 100 ms are the most that it should be.
    let (millis, path) = driver.slowest();
    println!("# no step took longer than {millis} ms of our own: {path}");
    Ok(report.finish())
}

struct Suite {
    demo: Demo,
    listener: Listener,
    browser: Browser,
    /// Access tokens that were given to the client.
    tokens: Vec<String>,
}

impl Suite {
    async fn run(&mut self, report: &mut Report) {
        let name = self.browser.kind.name;
        let named = |check: &str| format!("{name}: {check}");
        report.check(&named("JavaScript is as it should be"), self.javascript_is_as_wanted()).await;
        report.check(&named("an unknown client gets a page, not a redirect"), self.unknown_client()).await;
        report.check(&named("a wrong redirect URI gets a page, not a redirect"), self.wrong_redirect()).await;
        report.check(&named("a wrong password is said so, and the username kept"), self.wrong_password()).await;
        report.check(&named("signing in and consenting with the keyboard alone"), self.keyboard_only()).await;
        report.check(&named("who is signed in and has consented is sent back at once"), self.remembered()).await;
        report.check(&named("denying comes back as access_denied with state and iss"), self.denies()).await;
        report.check(&named("a scope that was unticked is not given"), self.consents_in_part()).await;
        report.check(&named("form_post sends the response by a form"), self.form_post()).await;
        report.check(&named("the pages speak German to who asks for it"), self.german()).await;
        report.check(&named("removing the app under Your apps ends its tokens at once"), self.revokes()).await;
        report.check(&named("signing out asks for the password the next time"), self.signs_out()).await;
        if self.browser.kind.javascript {
            playground::Walk { demo: &self.demo, browser: &self.browser }.run(report).await;
            let walk = playground::Walk { demo: &self.demo, browser: &self.browser };
            flows::Flows { walk }.run(report).await;
            attacks::Attacks { demo: &self.demo, browser: &self.browser }.run(report).await;
            newcomer::Newcomer { demo: &self.demo, browser: &self.browser }.run(report).await;
        }
        report.check(&named("the console has no complaint, least of all of the CSP"), self.console_is_clean()).await;
    }

    fn request(&self, scope: &str, more: &[(&str, &str)]) -> Result<AuthorizationRequest> {
        AuthorizationRequest::new(&self.demo, "demo-web", &self.listener.redirect_uri, scope, more)
    }

    async fn ask(&mut self, scope: &str, more: &[(&str, &str)]) -> Result<AuthorizationRequest> {
        self.listener.clear();
        let request = self.request(scope, more)?;
        self.browser.open(request.url.as_str()).await?;
        Ok(request)
    }

    /// What came back belongs to the request, and is from this server (RFC 9207).
    async fn answered(&mut self, request: &AuthorizationRequest) -> Result<Callback> {
        let callback = self.listener.callback().await?;
        equal(callback.parameter("state")?, &request.state)?;
        equal(callback.parameter("iss")?, &self.demo.issuer)?;
        Ok(callback)
    }

    /// Redeems the code; gives the scope, and keeps the token.
    async fn redeemed(&mut self, request: &AuthorizationRequest) -> Result<Vec<String>> {
        let callback = self.answered(request).await?;
        let answer = request.redeem(&self.demo, callback.parameter("code")?).await?;
        let token = answer.text("access_token").with_context(|| format!("no token: {}", answer.body))?;
        equal(call(self.demo.api("/notes")?.url()?, &token).await?.as_u16(), 200)?;
        self.tokens.push(token);
        let asked = request.url.query_pairs().find(|(name, _)| name == "scope").map(|(_, scope)| scope.into_owned());
        let scope = answer.text("scope").or(asked).unwrap_or_default();
        Ok(scope.split(' ').map(str::to_owned).collect())
    }

    async fn sign_in(&self) -> Result<()> {
        let alice = self.demo.alice()?;
        self.browser.fill("#username", &alice.username).await?;
        self.browser.fill("#password", &alice.password).await?;
        self.browser.click("form button[type=submit]").await
    }

    async fn javascript_is_as_wanted(&self) -> Result<()> {
        let page = "data:text/html,<title>off</title><script>document.title='on'</script>";
        self.browser.open(page).await?;
        equal(self.browser.web.title().await? == "on", self.browser.kind.javascript)
    }

    async fn unknown_client(&mut self) -> Result<()> {
        let request = AuthorizationRequest::new(&self.demo, "nobody", &self.listener.redirect_uri, SCOPE, &[])?;
        self.error_page(&request, "error-unknown-client").await
    }

    async fn wrong_redirect(&mut self) -> Result<()> {
        let elsewhere = self.listener.redirect_uri.replace("/callback", "/callback/elsewhere");
        let request = AuthorizationRequest::new(&self.demo, "demo-web", &elsewhere, SCOPE, &[])?;
        self.error_page(&request, "error-redirect-mismatch").await
    }

    async fn error_page(&mut self, request: &AuthorizationRequest, name: &str) -> Result<()> {
        self.listener.clear();
        self.browser.open(request.url.as_str()).await?;
        equal(self.browser.has("section.developer").await?, true)?;
        equal(self.browser.web.current_url().await?.as_str().starts_with(&self.demo.issuer), true)?;
        equal(self.listener.is_quiet(), true)?;
        self.browser.shoot(name).await
    }

    async fn wrong_password(&mut self) -> Result<()> {
        self.ask(SCOPE, &[]).await?;
        self.browser.find("#username").await?;
        self.browser.shoot("sign-in").await?;
        let alice = self.demo.alice()?.username.clone();
        self.browser.fill("#username", &alice).await?;
        self.browser.fill("#password", "not the password").await?;
        self.browser.click("form button[type=submit]").await?;
        equal(self.browser.text("[role=alert]").await?.is_empty(), false)?;
        equal(self.browser.find("#username").await?.prop("value").await?, Some(alice))?;
        equal(self.browser.find("#password").await?.prop("value").await?.unwrap_or_default(), "")?;
        self.browser.shoot("sign-in-wrong-password").await
    }

    async fn keyboard_only(&mut self) -> Result<()> {
        let request = self.ask(SCOPE, &[]).await?;
        let alice = self.demo.alice()?.clone();
        self.browser.tab_to("#username").await?;
        self.browser.press(alice.username.as_str()).await?;
        self.browser.tab_to("#password").await?;
        self.browser.press(alice.password.as_str()).await?;
        self.browser.press(Key::Enter + "").await?;
        self.browser.find(ALLOW).await?;
        let said = self.browser.text("main").await?;
        for wanted in ["notes:read", "notes:write", "127.0.0.1"] {
            equal(said.contains(wanted), true)
                .with_context(|| format!("the consent page does not say {wanted}: {said}"))?;
        }
        self.browser.shoot("consent").await?;
        self.browser.tab_to(ALLOW).await?;
        self.browser.press(Key::Enter + "").await?;
        let scope = self.redeemed(&request).await?;
        equal(scope.iter().any(|scope| scope == "notes:write"), true)
    }

    async fn remembered(&mut self) -> Result<()> {
        let request = self.ask(SCOPE, &[]).await?;
        self.redeemed(&request).await.map(|_| ())
    }

    async fn denies(&mut self) -> Result<()> {
        let request = self.ask(SCOPE, &[("prompt", "consent")]).await?;
        self.browser.click(DENY).await?;
        let callback = self.answered(&request).await?;
        equal(callback.parameter("error")?, "access_denied")?;
        equal(callback.parameter("code").is_err(), true)
    }

    async fn consents_in_part(&mut self) -> Result<()> {
        let request = self.ask(SCOPE, &[("prompt", "consent")]).await?;
        // The label covers the box, so that the whole line can be hit.
        let id = self.browser.find("input[name=scope][value='notes:write']").await?.id().await?.context("no id")?;
        self.browser.click(&format!("label[for='{id}']")).await?;
        self.browser.click(ALLOW).await?;
        let scope = self.redeemed(&request).await?;
        equal(scope.iter().any(|scope| scope == "notes:read"), true)?;
        equal(scope.iter().any(|scope| scope == "notes:write"), false)
    }

    async fn form_post(&mut self) -> Result<()> {
        let request = self.ask(SCOPE, &[("prompt", "consent"), ("response_mode", "form_post")]).await?;
        self.browser.click(ALLOW).await?;
        if !self.browser.kind.javascript {
            self.browser.find("form#response button").await?;
            self.browser.shoot("form-post").await?;
            self.browser.click("form#response button").await?;
        }
        let callback = self.answered(&request).await?;
        equal(&callback.method, "POST")?;
        let answer = request.redeem(&self.demo, callback.parameter("code")?).await?;
        answer.text("access_token").with_context(|| format!("no token: {}", answer.body)).map(|_| ())
    }

    async fn german(&mut self) -> Result<()> {
        self.ask(SCOPE, &[("prompt", "consent"), ("ui_locales", "de")]).await?;
        self.browser.find(ALLOW).await?;
        equal(self.browser.find("html").await?.attr("lang").await?.as_deref(), Some("de"))?;
        self.browser.shoot("consent-german").await
    }

    async fn revokes(&mut self) -> Result<()> {
        let token = self.tokens.last().context("no token was given")?.clone();
        let notes = self.demo.api("/notes")?.url()?.to_owned();
        equal(call(&notes, &token).await?.as_u16(), 200)?;
        self.browser.open(&format!("{}/applications", self.demo.issuer)).await?;
        self.browser.find("details.revoke summary").await?;
        self.browser.shoot("applications").await?;
        let card = "li:has(input[name=client_id][value='demo-web'])";
        self.browser.click(&format!("{card} details.revoke summary")).await?;
        self.browser.click(&format!("{card} details.revoke form button")).await?;
        self.browser.find("[role=status] .notice").await?;
        equal(self.browser.has(card).await?, false)?;
        self.browser.shoot("applications-removed").await?;
        for token in &self.tokens {
            equal(call(&notes, token).await?.as_u16(), 401)?;
        }
        Ok(())
    }

    async fn signs_out(&mut self) -> Result<()> {
        self.browser.open(&format!("{}/signout", self.demo.issuer)).await?;
        self.browser.find("button[value=sign-out]").await?;
        self.browser.shoot("sign-out").await?;
        self.browser.click("button[value=sign-out]").await?;
        for _ in 0..100 {
            if !self.browser.has("button[value=sign-out]").await? {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        self.browser.shoot("signed-out").await?;
        let request = self.ask(SCOPE, &[]).await?;
        self.sign_in().await?;
        // The app was removed, so it has to ask again; and is left without a grant, as it was found.
        self.browser.click(DENY).await?;
        equal(self.answered(&request).await?.parameter("error")?, "access_denied")
    }

    async fn console_is_clean(&self) -> Result<()> {
        let complaints = self.browser.complaints().await?;
        if complaints.is_empty() { Ok(()) } else { bail!("{}", complaints.join(" / ")) }
    }
}
