//! The ten minutes of somebody who has never heard of any of this: seven things, done by pressing only what the page points to.

use crate::driver::Browser;
use crate::walk::Walking;
use anyhow::{Context, Result, bail};
use grantor_interop::demo::Demo;
use grantor_interop::report::{Report, equal};
use std::time::Duration;

/// The seven things.
const ALL: usize = 7;
/// Nobody should have to press more often.
const PRESSES: usize = 40;

/// Somebody who reads the page alone.
pub struct Newcomer<'a> {
    pub demo: &'a Demo,
    pub browser: &'a Browser,
}

impl Walking for Newcomer<'_> {
    fn demo(&self) -> &Demo {
        self.demo
    }
    fn browser(&self) -> &Browser {
        self.browser
    }
}

impl Newcomer<'_> {
    pub async fn run(&self, report: &mut Report) {
        report.check("newcomer: seven things, by pressing only what the page points to", self.is_led()).await;
        report.check("newcomer: the list stays ticked, and begins anew when asked to", self.begins_anew()).await;
        report.check("newcomer: tokens go on the desk, when the button is pressed", self.keeps()).await;
        report.check("newcomer: tokens that are bound to a key cannot", self.bound()).await;
        report.check("newcomer: without a sign-in there is no desk, and the page says so", self.nobody()).await;
    }

    async fn is_led(&self) -> Result<()> {
        self.begin("").await?;
        self.browser.web.delete_all_cookies().await?;
        self.begin("").await?;
        equal(self.browser.has("#guide").await?, false)?;
        self.browser.shoot("newcomer").await?;
        self.browser.click("#lesson-begin").await?;
        let (mut done, mut presses) = (0, 0);
        while presses < PRESSES {
            let now = self.done().await?;
            if now > done {
                self.browser.shoot(&format!("newcomer-{now}")).await?;
                done = now;
            }
            if done == ALL {
                self.says("#guide", "whole life").await?;
                return equal(self.browser.has("#guide .show:not([hidden])").await?, false);
            }
            self.browser.click("#guide .show").await?;
            self.press(&self.pointed().await?).await?;
            presses += 1;
        }
        bail!("{done} of {ALL} after {PRESSES} presses: {}", self.browser.text("#guide").await?)
    }

    async fn done(&self) -> Result<usize> {
        let done = self.browser.find("#guide").await?.attr("data-done").await?;
        Ok(done.context("the guide counts nothing")?.parse()?)
    }

    /// Where the page points to: a button of the form by its own name, one of a card by that of the card.
    async fn pointed(&self) -> Result<String> {
        for _ in 0..100 {
            if self.browser.has(".pointed").await? {
                break;
            }
            // What comes next may be on its way.
            tokio::time::sleep(Duration::from_millis(50)).await;
            self.browser.click("#guide .show").await?;
        }
        let script = "const one = document.querySelector('.pointed'); return one.dataset.token ?? (one.id || one.closest('.step').id)";
        Ok(self.browser.web.execute(script, vec![]).await?.convert()?)
    }

    /// Presses it, and waits until what comes of it is there.
    async fn press(&self, at: &str) -> Result<()> {
        let home = self.browser.web.window().await?;
        self.browser.click(".pointed").await?;
        match at {
            "step-authorize" => self.comes_back().await,
            "access_token" => {
                let windows = self.browser.web.windows().await?;
                let tab = windows.into_iter().find(|window| *window != home).context("no tab opened")?;
                self.browser.web.switch_to_window(tab).await?;
                self.says("#kind", "Access token").await?;
                self.browser.web.close_window().await?;
                Ok(self.browser.web.switch_to_window(home).await?)
            }
            "begin" => self.browser.find("#steps > .step .actions button:enabled").await.map(|_| ()),
            "again" => self.browser.find("#begin:enabled:not([hidden])").await.map(|_| ()),
            _ => self.settles().await,
        }
    }

    /// While something is on its way, its button cannot be pressed; afterwards there is an answer beside it.
    async fn settles(&self) -> Result<()> {
        for _ in 0..100 {
            let busy = ".step:not(.done-step) > .actions button:disabled, .attack[open] > .actions button:disabled";
            if !self.browser.has(busy).await? {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("it does not end")
    }

    async fn begins_anew(&self) -> Result<()> {
        self.begin("").await?;
        equal(self.done().await?, ALL)?;
        self.browser.click("#guide .secondary").await?;
        equal(self.browser.has("#guide").await?, false)?;
        self.browser.click("#lesson-begin").await?;
        equal(self.done().await?, 0)?;
        self.browser.click("#guide .secondary").await
    }

    /// A code flow, up to its tokens.
    async fn tokens(&self, query: &str) -> Result<()> {
        self.begin(query).await?;
        self.browser.click("#begin").await?;
        self.go().await?;
        self.browser.click("#step-token .actions button").await?;
        self.browser.find("#step-token .on-desk").await.map(|_| ())
    }

    async fn keeps(&self) -> Result<()> {
        self.tokens("").await?;
        let script = "return performance.getEntriesByType('resource').filter(({ name }) => new URL(name).pathname.startsWith('/desk')).length";
        let sent: u32 = self.browser.web.execute(script, vec![]).await?.convert()?;
        equal(sent, 0).context("something was sent before the button was pressed")?;
        self.browser.click("#step-token .on-desk button").await?;
        self.says("#step-token .on-desk", "token desk of alice").await?;
        equal(self.browser.has("#step-token .renewal").await?, false)?;
        self.browser.shoot("playground-kept").await?;
        let desk = self.browser.find("#step-token .on-desk a").await?.attr("href").await?.context("no link")?;
        self.browser.open(&desk).await?;
        self.says("article", "playground: ").await?;
        self.says("article", "notes:write").await
    }

    async fn bound(&self) -> Result<()> {
        self.tokens("?flow=code&scope=notes:read&with=dpop").await?;
        self.says("#step-token .on-desk", "bound to a key of this page").await?;
        equal(self.browser.has("#step-token .on-desk button").await?, false)
    }

    async fn nobody(&self) -> Result<()> {
        self.browser.web.delete_all_cookies().await?;
        self.begin("?flow=client").await?;
        self.browser.click("#begin").await?;
        self.browser.click("#step-client .actions button").await?;
        self.browser.click("#step-client .on-desk button").await?;
        self.says("#step-client .on-desk", "Nobody is signed in").await?;
        let link = self.browser.find("#step-client .on-desk a").await?.attr("href").await?.context("no link")?;
        equal(link.ends_with("/signin"), true)?;
        self.browser.find("#step-client .on-desk button:enabled").await.map(|_| ())
    }
}
