//! What every walk through the pages does.

use crate::driver::Browser;
use anyhow::{Result, bail};
use grantor_interop::demo::Demo;
use std::time::Duration;

/// A walk through the pages of a demo, in a browser.
pub trait Walking {
    fn demo(&self) -> &Demo;
    fn browser(&self) -> &Browser;

    async fn open(&self, path: &str) -> Result<()> {
        self.browser().open(&format!("{}{path}", self.demo().issuer)).await
    }

    /// The playground, as its address has it; ready to begin.
    async fn begin(&self, query: &str) -> Result<()> {
        self.open(&format!("/playground{query}")).await?;
        self.browser().find("#begin:enabled").await.map(|_| ())
    }

    /// To the server and back, signing in and allowing where it is asked for.
    async fn go(&self) -> Result<()> {
        self.browser().note_times().await;
        self.browser().click("#step-authorize .actions button").await?;
        self.comes_back().await
    }

    /// Whatever the server asks, until the browser is at the playground again: this one's pages, and those of npm
    /// oidc-provider.
    async fn comes_back(&self) -> Result<()> {
        let browser = self.browser();
        for _ in 0..200 {
            if browser.has("#username").await? {
                let alice = self.demo().alice()?;
                self.type_into("#username", &alice.username).await?;
                self.type_into("#password", &alice.password).await?;
                browser.click("form button[type=submit]").await?;
            } else if browser.has("button[name=decision][value=allow]").await? {
                browser.click("button[name=decision][value=allow]").await?;
            } else if browser.has("input[name=login]").await? {
                self.type_into("input[name=login]", "alice").await?;
                self.type_into("input[name=password]", "any").await?;
                browser.click("button.login-submit").await?;
            } else if browser.has("button.login-submit").await? {
                browser.click("button.login-submit").await?;
            } else if browser.has("#step-answer .why").await? {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("the browser is at {}", browser.web.current_url().await?)
    }

    async fn type_into(&self, css: &str, text: &str) -> Result<()> {
        self.browser().fill(css, text).await
    }

    /// Waits for what a part of the page says.
    async fn says(&self, css: &str, wanted: &str) -> Result<()> {
        let mut said = String::new();
        for _ in 0..100 {
            // An answer may take the place of the one before it between finding and reading.
            said = self.browser().text(css).await.unwrap_or_else(|why| why.to_string());
            if said.contains(wanted) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("{css} does not say {wanted}: {said}")
    }
}
