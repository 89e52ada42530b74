//! Every page under axe-core, light and dark, on a desk and on a phone: nothing serious, nothing critical, and nothing wider
//! than the window. First each page in each state as the gallery writes it, then the playground as it is walked through.

use crate::driver::{Browser, DESKTOP, PHONE, Size};
use crate::walk::Walking;
use anyhow::{Context, Result, bail};
use grantor_interop::demo::Demo;
use grantor_interop::report::{Report, equal};
use std::path::PathBuf;
use thirtyfour::prelude::*;

/// A browser of its own, which keeps nothing of the other walks.
pub struct Look<'a> {
    pub demo: &'a Demo,
    pub browser: &'a Browser,
}

const EVERYWHERE: [(Size, &str); 4] = [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light"), (PHONE, "dark")];

/// What axe-core finds, in a form for people; `best-practice` is opinion, and left to reviews.
const RUN: &str = r"
const done = arguments[arguments.length - 1];
const bad = ({ impact }) => impact === 'serious' || impact === 'critical';
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
axe.run(document, { runOnly: tags }).then(
  ({ violations, passes }) => done([passes.length, violations.filter(bad).map(({ id, help, nodes }) =>
    `${id} (${help}): ${nodes.slice(0, 3).map((node) => `${node.target} ${node.any.map((one) => one.message).join('; ')}`).join(' | ')}`)]),
  (error) => done([0, [String(error)]]));
";

impl Walking for Look<'_> {
    fn demo(&self) -> &Demo {
        self.demo
    }
    fn browser(&self) -> &Browser {
        self.browser
    }
}

impl Look<'_> {
    pub async fn run(&self, report: &mut Report) {
        report.check("accessibility: axe-core finds what is wrong", self.finds()).await;
        report.check("accessibility: every page of the gallery, in each state", self.gallery()).await;
        report.check("accessibility: a page that is not there, and one of a device", self.served()).await;
        report.check("accessibility: the playground, before and at the request", self.request()).await;
        report.check("accessibility: the playground, after the answer", self.answer()).await;
        report.check("accessibility: the playground, with tokens, the API and its operations", self.called()).await;
        report.check("accessibility: each program to take along, by keyboard", self.taken()).await;
        report.check("accessibility: the playground, when something is wrong", self.wrong()).await;
        report.check("accessibility: the inspector, empty, with a token, and verified", self.inspector()).await;
    }

    /// The page as it stands, in each of the shapes; all that is wrong is told at once.
    async fn sound(&self, page: &str, shapes: &[(Size, &str)]) -> Result<()> {
        let axe = std::env::var_os("GRANTOR_AXE").context("GRANTOR_AXE: where axe.min.js is")?;
        let axe = std::fs::read_to_string(axe)?;
        let mut wrong = Vec::new();
        for (size, scheme) in shapes {
            self.browser.look(*size, scheme).await?;
            self.browser.web.execute(&*axe, vec![]).await?;
            let (passed, found): (u32, Vec<String>) = self.browser.web.execute_async(RUN, vec![]).await?.convert()?;
            let wide = "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]";
            let (wide, window): (u32, u32) = self.browser.web.execute(wide, vec![]).await?.convert()?;
            let place = format!("{page}, {}, {scheme}", size.0);
            wrong.extend(found.into_iter().map(|what| format!("{place}: {what}")));
            if passed == 0 {
                wrong.push(format!("{place}: nothing was looked at"));
            }
            if wide > window {
                wrong.push(format!("{place}: {wide} wide, and the window {window}"));
            }
            self.browser.save(page, *size, scheme).await?;
        }
        self.browser.look(DESKTOP, "light").await?;
        if wrong.is_empty() { Ok(()) } else { bail!("{}", wrong.join("\n    ")) }
    }

    /// A checker that never finds anything would prove nothing.
    async fn finds(&self) -> Result<()> {
        self.browser.open("data:text/html,<title>x</title><img src=x><input><p style='color:%23999'>pale").await?;
        let said = self.sound("axe", &[(DESKTOP, "light")]).await.err().context("it found nothing")?.to_string();
        for rule in ["image-alt", "label", "color-contrast", "html-has-lang"] {
            equal(said.contains(rule), true).with_context(|| said.clone())?;
        }
        Ok(())
    }

    async fn gallery(&self) -> Result<()> {
        let folder =
            PathBuf::from(std::env::var_os("GRANTOR_GALLERY").context("GRANTOR_GALLERY: the written gallery")?);
        let mut names: Vec<String> =
            std::fs::read_dir(&folder)?.flatten().filter_map(|file| file.file_name().into_string().ok()).collect();
        names.retain(|name| name.ends_with(".html") && name != "index.html");
        names.sort_unstable();
        let mut wrong = Vec::new();
        for name in &names {
            self.browser.open(&format!("file://{}", folder.join(name).display())).await?;
            // German words are longer; nothing else is another.
            let shapes = if name.ends_with(".en.html") { &EVERYWHERE[..] } else { &EVERYWHERE[2..3] };
            let page = format!("gallery-{}", name.trim_end_matches(".html"));
            if let Err(why) = self.sound(&page, shapes).await {
                wrong.push(why.to_string());
            }
        }
        equal(names.len() > 60, true).with_context(|| format!("only {} pages", names.len()))?;
        if wrong.is_empty() { Ok(()) } else { bail!("{}", wrong.join("\n    ")) }
    }

    async fn served(&self) -> Result<()> {
        for (path, name) in [("/nothing", "not-found"), ("/device", "device"), ("/", "home")] {
            self.open(path).await?;
            self.sound(&format!("a11y-{name}"), &EVERYWHERE).await?;
        }
        Ok(())
    }

    async fn request(&self) -> Result<()> {
        self.begin("").await?;
        self.sound("a11y-playground", &EVERYWHERE).await?;
        self.browser.click("#begin").await?;
        self.browser.find("#authorize-code_challenge").await?;
        self.sound("a11y-playground-request", &EVERYWHERE).await
    }

    async fn answer(&self) -> Result<()> {
        self.go().await?;
        self.browser.find("#step-token .why").await?;
        self.sound("a11y-playground-answer", &EVERYWHERE).await
    }

    async fn called(&self) -> Result<()> {
        self.browser.click("#step-token .actions button").await?;
        self.browser.find("#step-token .answer[data-status='200']").await?;
        for (operation, status) in [(2, 200), (1, 200), (3, 200)] {
            let at = format!("#api-operation option:nth-child({})", operation + 2);
            self.browser.find(&at).await?.click().await?;
            let url = self.browser.find("#api-url").await?;
            let filled =
                url.prop("value").await?.unwrap_or_default().replace("{word}", "milk").replace("{number}", "1");
            url.clear().await?;
            url.send_keys(filled).await?;
            self.browser.click("#step-api .actions button").await?;
            self.browser.find(&format!("#step-api .answer[data-status='{status}']")).await?;
            let wanted = ["\"read_by\"", "Remember the milk", "\"written\": true", "\"deleted\": "][operation];
            self.says("#step-api .answer", wanted).await?;
        }
        self.says("#api-operation-hint", "notes:write").await?;
        self.sound("a11y-playground-called", &EVERYWHERE).await
    }

    async fn taken(&self) -> Result<()> {
        let script = "document.querySelector('#take-curl').focus()";
        self.browser.web.execute(script, vec![]).await?;
        for (language, said) in [
            ("curl", "openssl rand"),
            ("rust", "grantor_client"),
            ("javascript", "oauth4webapi"),
            ("python", "authlib"),
        ] {
            let focused = self.browser.web.active_element().await?.id().await?;
            equal(focused.as_deref(), Some(format!("take-{language}").as_str()))?;
            equal(self.browser.has(&format!("#take-{language}[aria-selected=true][tabindex='0']")).await?, true)?;
            self.says(".program", said).await?;
            // The call that was made last, and nothing that is secret.
            let program = self.browser.text(".program").await?;
            equal(program.contains("/demo/notes/1") && program.to_lowercase().contains("delete"), true)?;
            equal(["gr_", "eyJ"].iter().any(|secret| program.contains(secret)), false)?;
            self.sound(&format!("a11y-take-{language}"), &EVERYWHERE).await?;
            self.browser.press(Key::Right + "").await?;
        }
        // Round it goes, and to the end.
        equal(self.browser.web.active_element().await?.id().await?.as_deref(), Some("take-curl"))?;
        self.browser.press(Key::End + "").await?;
        equal(self.browser.web.active_element().await?.id().await?.as_deref(), Some("take-python"))?;
        self.browser.press(Key::Tab + "").await?;
        equal(self.browser.web.active_element().await?.class_name().await?.as_deref(), Some("code block program"))
    }

    async fn wrong(&self) -> Result<()> {
        self.begin("?flow=client").await?;
        self.browser.click("#begin").await?;
        self.browser.fill("#client-secret", "wrong").await?;
        self.browser.click("#step-client .actions button").await?;
        self.browser.find("#step-client .answer[data-status='401']").await?;
        equal(self.browser.has("#take").await?, false)?;
        self.sound("a11y-playground-refused", &EVERYWHERE).await?;
        self.open("/playground/callback?code=gr_ac_stolen&state=x").await?;
        self.says("#trouble", "no flow in this tab").await?;
        self.sound("a11y-playground-trouble", &EVERYWHERE).await
    }

    async fn inspector(&self) -> Result<()> {
        self.begin("?flow=client").await?;
        self.browser.click("#begin").await?;
        self.browser.click("#step-client .actions button").await?;
        self.browser.find("#step-client .answer[data-status='200']").await?;
        let header = self.browser.find("#api-Authorization").await?.prop("value").await?.context("no header")?;
        self.open("/playground/token").await?;
        self.sound("a11y-inspector", &EVERYWHERE).await?;
        self.browser.fill("#token", &header).await?;
        self.says("#kind", "Access token").await?;
        self.sound("a11y-inspector-token", &EVERYWHERE).await?;
        self.browser.click("#verify").await?;
        self.browser.find("#verdict[data-verdict=good]").await?;
        self.sound("a11y-inspector-verified", &EVERYWHERE).await
    }
}
