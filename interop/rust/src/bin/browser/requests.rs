//! Saved requests on the token desk, with the browser: a collection with a folder whose settings a request inherits, an
//! environment with a secret, a file in and a file out; on a desk with JavaScript and on a phone without it.

use crate::driver::{Browser, DESKTOP, Driver, Kind, PHONE};
use anyhow::{Context, Result, bail};
use grantor_interop::demo::Demo;
use grantor_interop::report::{Report, equal};
use serde_json::json;
use std::time::Duration;

const SECRET: &str = "typed-and-never-shown";
const CLIENT: &str = "demo-machine";
const KINDS: [Kind; 2] = [
    Kind { name: "saved requests with JavaScript", javascript: true, size: DESKTOP, scheme: "light" },
    Kind { name: "saved requests without JavaScript", javascript: false, size: PHONE, scheme: "dark" },
];

pub async fn run(driver: &Driver, report: &mut Report) -> Result<()> {
    for kind in KINDS {
        let walk = Walk { demo: Demo::given()?, browser: driver.browser(kind).await? };
        let named = |check: &str| format!("{}: {check}", kind.name);
        report.check(&named("a collection is made, and a folder with settings"), walk.writes()).await;
        report.check(&named("a request inherits the settings of its folder"), walk.inherits()).await;
        report.check(&named("a secret of an environment is set and not shown"), walk.hides()).await;
        report.check(&named("what is saved is sent with a token that is obtained for it"), walk.sends()).await;
        report.check(&named("a file of Postman's is read, and one is written"), walk.converts()).await;
        report.check(&named("the console has no complaint"), walk.console_is_clean()).await;
        walk.browser.web.quit().await?;
    }
    Ok(())
}

struct Walk {
    demo: Demo,
    browser: Browser,
}

impl Walk {
    async fn writes(&self) -> Result<()> {
        let alice = self.demo.alice()?;
        self.browser.open(&format!("{}/signin", self.demo.issuer)).await?;
        self.write("#username", &alice.username).await?;
        self.write("#password", &alice.password).await?;
        self.browser.click("form button[type=submit]").await?;
        self.browser.find(".account, .facts").await?;
        self.browser.open(&format!("{}/desk", self.demo.issuer)).await?;
        self.browser.click(".spaces details summary").await?;
        self.write("#space-name", "Requests").await?;
        self.browser.click(".spaces form button").await?;
        self.says(".spaces [aria-current]", "Requests").await?;
        self.browser.click(".spaces > p a").await?;
        self.write("#collection-name", "Notes").await?;
        self.browser.click("form:has(#collection-name) button").await?;
        self.says("h1", "Notes").await?;
        self.press("new-folder").await?;
        self.says(".tree [aria-current]", "New folder").await?;
        self.write("#name", "Reading").await?;
        self.browser.click("#token-settings").await?;
        self.open("#settings-name").await?;
        self.write("#settings-name", "Machine token").await?;
        self.browser.click("#settings-grant option[value=client_credentials]").await?;
        self.write("#settings-issuer", &self.demo.issuer).await?;
        self.write("#settings-client", CLIENT).await?;
        let secret = self.demo.secret(CLIENT)?;
        self.write("#settings-secret-value", &secret).await?;
        self.write("#settings-scope", "notes:read").await?;
        self.browser.shoot("desk-folder").await?;
        self.browser.click("form.place button[type=submit]").await?;
        self.says(".tree [aria-current]", "Reading").await?;
        equal(self.browser.web.source().await?.contains(&secret), false)
    }

    async fn inherits(&self) -> Result<()> {
        self.press("new-request").await?;
        self.says(".tree [aria-current]", "New request").await?;
        self.says("form.place", "Machine token").await?;
        self.write("#name", "List").await?;
        self.write("#url", "{{notes}}").await?;
        self.write("#header-0-name", "Accept").await?;
        self.write("#header-0-value", "application/json").await?;
        self.browser.click("form.place button[type=submit]").await?;
        self.says(".tree [aria-current]", "List").await?;
        self.browser.find("#header-1-name").await?;
        self.browser.shoot("desk-request").await?;
        equal(self.browser.has("#send-token option[value=settings]").await?, true)
    }

    async fn hides(&self) -> Result<()> {
        self.browser.click("main > p.fine a").await?;
        self.write("#environment-name", "Staging").await?;
        self.browser.click("form:has(#environment-name) button").await?;
        self.says("h1", "Staging").await?;
        self.write("#plain-0-name", "notes").await?;
        self.write("#plain-0-value", self.demo.api("/notes")?.url()?).await?;
        self.write("#secret-0-name", "key").await?;
        self.write("#secret-0-value", SECRET).await?;
        self.browser.click("form.place button[type=submit]").await?;
        self.says("form.place", "is set").await?;
        equal(self.browser.find("#secret-0-value").await?.prop("value").await?, Some(String::new()))?;
        equal(self.browser.web.source().await?.contains(SECRET), false)?;
        self.browser.shoot("desk-environment").await
    }

    async fn sends(&self) -> Result<()> {
        self.browser.click("main > p.fine a").await?;
        self.browser.click(".saved a[href*='/desk/collection']").await?;
        self.browser.click(".tree a[href$='at=0.0']").await?;
        self.says(".tree [aria-current]", "List").await?;
        self.browser.click("#send-environment option:last-child").await?;
        self.browser.click("form.send button").await?;
        self.says("#status", "200").await?;
        self.says("#body", CLIENT).await?;
        self.browser.shoot("desk-sent").await?;
        let page = self.browser.web.source().await?;
        equal(page.contains(&self.demo.secret(CLIENT)?), false)?;
        self.browser.click("form button[type=submit]").await?;
        self.says("#status", "200").await?;
        self.browser.open(&format!("{}/desk", self.demo.issuer)).await?;
        self.browser.click(".spaces li:last-child a").await?;
        self.says("article.kept h2", "Machine token").await?;
        self.browser.click(".spaces > p a").await
    }

    async fn converts(&self) -> Result<()> {
        let file = json!({
            "info": { "name": "Imported", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json" },
            "event": [{ "listen": "test", "script": { "exec": ["pm.test()"] } }],
            "item": [{ "name": "List", "request": { "method": "GET", "url": "https://api.example/notes" } }],
        });
        if self.browser.kind.javascript {
            let path = std::env::temp_dir().join(format!("grantor-{}.json", std::process::id()));
            std::fs::write(&path, file.to_string())?;
            self.browser.find("#import-file").await?.send_keys(path.to_str().context("no path")?).await?;
            self.has_value("#import-text", "Imported").await?;
            std::fs::remove_file(&path)?;
        } else {
            equal(self.browser.find("#import-file").await?.is_displayed().await?, false)?;
            self.write("#import-text", &file.to_string()).await?;
        }
        self.browser.click("form.import button").await?;
        self.says(".notes", "a script").await?;
        self.browser.click("a.button").await?;
        self.says("h1", "Imported").await?;
        self.browser.click("a[href*='to=http']").await?;
        self.has_value("#text", "### List").await?;
        self.browser.shoot("desk-export").await?;
        equal(self.browser.has("a[href$='&download=yes']").await?, true)
    }

    async fn console_is_clean(&self) -> Result<()> {
        let complaints = self.browser.complaints().await?;
        if complaints.is_empty() { Ok(()) } else { bail!("{}", complaints.join(" / ")) }
    }

    /// In the place of what stands in a field.
    async fn write(&self, css: &str, text: &str) -> Result<()> {
        self.browser.fill(css, text).await
    }

    async fn press(&self, what: &str) -> Result<()> {
        self.browser.click(&format!("form:has(input[name=do][value='{what}']) button")).await
    }

    /// Opens what hides a control.
    async fn open(&self, css: &str) -> Result<()> {
        if !self.browser.find(css).await?.is_displayed().await? {
            self.browser.click(&format!("details:has({css}) > summary")).await?;
        }
        Ok(())
    }

    async fn says(&self, css: &str, wanted: &str) -> Result<()> {
        self.comes(css, wanted, async || self.browser.text(css).await).await
    }

    async fn has_value(&self, css: &str, wanted: &str) -> Result<()> {
        let value = async || Ok(self.browser.find(css).await?.prop("value").await?.unwrap_or_default());
        self.comes(css, wanted, value).await
    }

    async fn comes(&self, css: &str, wanted: &str, look: impl AsyncFn() -> Result<String>) -> Result<()> {
        let mut said = String::new();
        for _ in 0..200 {
            said = look().await.unwrap_or_else(|why| why.to_string());
            if said.contains(wanted) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!("{css} does not say {wanted}: {said}")
    }
}
