//! The playground's attacks. Against the ordinary demo each is caught, but for the one against which nothing is; against a
//! build without defences each succeeds where its defence was removed, and nowhere else.

use crate::driver::Browser;
use crate::playground::Walk;
use crate::walk::Walking as _;
use anyhow::{Context, Result, bail};
use grantor_interop::demo::Demo;
use grantor_interop::report::{Report, equal};
use std::process::Stdio;
use thirtyfour::prelude::*;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// Every attack with the defence that catches it; none catches the theft of a bearer token.
const ATTACKS: [(&str, Option<&str>); 13] = [
    ("redirect-swapped", Some("redirect-uri")),
    ("mixed-up", Some("iss")),
    ("redirect-changed", Some("redirect-uri")),
    ("verifier-dropped", Some("pkce")),
    ("verifier-changed", Some("pkce")),
    ("code-replayed", Some("code-replay")),
    ("bound-as-bearer", Some("dpop")),
    ("bound-to-another", Some("dpop")),
    ("proof-replayed", Some("dpop")),
    ("id-as-access", Some("token-type")),
    ("bearer-stolen", None),
    ("scope-widened", Some("refresh-scope")),
    ("refresh-reused", Some("refresh-reuse")),
];
/// What the build without defences can do without.
const DEFENCES: [&str; 8] =
    ["code-replay", "pkce", "redirect-uri", "iss", "dpop", "token-type", "refresh-scope", "refresh-reuse"];

/// The attacks after one flow.
pub struct Attacks<'a> {
    pub demo: &'a Demo,
    pub browser: &'a Browser,
}

impl Attacks<'_> {
    /// On the ordinary demo, and then on one without each of the defences.
    pub async fn run(&self, report: &mut Report) {
        report.check("attacks: offered when a flow has run, and not before", self.offered()).await;
        for (attack, defence) in ATTACKS {
            if defence.is_some() {
                report.check(&format!("attacks: {attack} is caught"), self.caught(attack)).await;
            }
        }
        report.check("attacks: the learner's own token is not touched", self.own_token_stands()).await;
        report.check("attacks: a stolen bearer token works until it is revoked", self.stolen()).await;
        report.check("attacks: a token alone can be stolen too", self.machine()).await;
        report.check("attacks: whoever is not signed in is told why they cannot begin", self.signed_out()).await;
        for defence in DEFENCES {
            let name = format!("attacks: without {defence}, what it catches succeeds, and nothing else");
            report.check(&name, self.undefended(defence)).await;
        }
        report.check("attacks: the build without defences knows which there are", self.unknown()).await;
    }

    fn walk(&self) -> Walk<'_> {
        Walk { demo: self.demo, browser: self.browser }
    }

    /// A whole code flow, up to an API that has answered.
    async fn flow(&self) -> Result<()> {
        let walk = self.walk();
        walk.begin("").await?;
        self.browser.click("#begin").await?;
        walk.go().await?;
        self.browser.click("#step-token .actions button").await?;
        equal(self.browser.has("#attacks").await?, false)?;
        self.browser.click("#step-api .actions button").await?;
        self.browser.find("#attacks .attack").await.map(|_| ())
    }

    async fn offered(&self) -> Result<()> {
        self.flow().await?;
        equal(self.browser.web.find_all(By::Css("#attacks .attack")).await?.len(), ATTACKS.len())?;
        equal(self.browser.has("#undefended").await?, false)?;
        self.browser.click("#attack-verifier-dropped summary").await?;
        self.walk().says("#attack-verifier-dropped dl", "Empty: not sent").await?;
        self.browser.shoot("attacks").await?;
        self.browser.click("#attack-verifier-dropped summary").await
    }

    /// What came of an attack, when it is over.
    async fn verdict(&self, attack: &str) -> Result<String> {
        let card = self.browser.find(&format!("#attack-{attack}[data-verdict]")).await?;
        card.attr("data-verdict").await?.context("no verdict")
    }

    async fn caught(&self, attack: &str) -> Result<()> {
        self.browser.click(&format!("#attack-{attack} summary")).await?;
        self.browser.click(&format!("#attack-{attack} .actions button")).await?;
        equal(self.verdict(attack).await?, "caught")?;
        let card = format!("#attack-{attack}");
        self.walk().says(&format!("{card} .judgement"), "RFC ").await?;
        let refused = self.browser.has(&format!("{card} .answer[data-status^='4']")).await?;
        // The application that is to be fooled sees it before anything is sent.
        equal(refused, attack != "mixed-up")?;
        for trial in self.browser.web.find_all(By::Css(format!("{card} [data-trial]"))).await? {
            equal(trial.attr("data-status").await?.unwrap_or_default().starts_with('4'), true)?;
        }
        let trials = match attack {
            "code-replayed" => 1,
            "refresh-reused" => 2,
            _ => 0,
        };
        equal(self.browser.web.find_all(By::Css(format!("{card} [data-trial]"))).await?.len(), trials)?;
        if trials > 0 || ["redirect-swapped", "mixed-up"].contains(&attack) {
            self.browser.shoot(&format!("attack-{attack}")).await?;
        }
        // Closed again.
        self.browser.click(&format!("{card} summary")).await
    }

    async fn own_token_stands(&self) -> Result<()> {
        self.browser.click("#step-api .actions button").await?;
        self.browser.find("#step-api .answer[data-status='200']").await?;
        self.browser.click("#step-refresh .actions button").await?;
        self.browser.find("#step-refresh .answer[data-status='200']").await?;
        self.browser.click("#step-api .actions button").await?;
        self.browser.find("#step-api .answer[data-status='200']").await.map(|_| ())
    }

    async fn stolen(&self) -> Result<()> {
        let card = "#attack-bearer-stolen";
        self.browser.click(&format!("{card} summary")).await?;
        self.browser.click(&format!("{card} .actions button")).await?;
        equal(self.verdict("bearer-stolen").await?, "succeeded")?;
        self.walk().says(&format!("{card} .judgement"), "It succeeded. Whoever has").await?;
        self.browser.shoot("attack-bearer-stolen").await?;
        self.browser.click(&format!("{card} .came .actions button")).await?;
        self.browser.find(&format!("{card}[data-verdict=caught] .answer[data-status='401']")).await?;
        self.browser.click("#step-api .actions button").await?;
        self.browser.find("#step-api .answer[data-status='401']").await.map(|_| ())
    }

    async fn machine(&self) -> Result<()> {
        self.walk().begin("?flow=client").await?;
        self.browser.click("#begin").await?;
        self.browser.click("#step-client .actions button").await?;
        self.browser.click("#step-api .actions button").await?;
        self.browser.find("#attacks .attack").await?;
        equal(self.browser.web.find_all(By::Css("#attacks .attack")).await?.len(), 1)?;
        self.stolen().await
    }

    async fn signed_out(&self) -> Result<()> {
        self.flow().await?;
        self.browser.web.delete_all_cookies().await?;
        self.browser.click("#attack-verifier-dropped summary").await?;
        self.browser.click("#attack-verifier-dropped .actions button").await?;
        equal(self.verdict("verifier-dropped").await?, "stuck")?;
        self.walk().says("#attack-verifier-dropped .came", "login_required").await
    }

    async fn undefended(&self, defence: &str) -> Result<()> {
        let (_server, demo) = start(defence).await?;
        let attacks = Attacks { demo: &demo, browser: self.browser };
        attacks.flow().await?;
        equal(self.browser.has("#undefended").await?, true)?;
        self.browser.click("#attacks > .actions button").await?;
        for (attack, catches) in ATTACKS {
            let lost = catches.is_none_or(|catches| catches == defence);
            let wanted = if lost { "succeeded" } else { "caught" };
            equal(attacks.verdict(attack).await?, wanted).with_context(|| attack)?;
        }
        if defence == "pkce" {
            self.browser.shoot("attacks-undefended").await?;
        }
        // Nothing is on its way when the server ends.
        self.browser.find("#attacks > .actions button:enabled").await?;
        self.browser.open("about:blank").await
    }

    async fn unknown(&self) -> Result<()> {
        match start("everything").await {
            Ok(_) => bail!("it started"),
            Err(_) => Ok(()),
        }
    }
}

/// A demo without one of its defences; it ends with the first of the two.
async fn start(defence: &str) -> Result<(Child, Demo)> {
    let binary = std::env::var_os("GRANTOR_UNDEFENDED_BINARY").context("GRANTOR_UNDEFENDED_BINARY is its path")?;
    let mut command = Command::new(binary);
    command.args(["demo", "--json", "--listen", "127.0.0.1:0"]).env("GRANTOR_UNDEFENDED", defence);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut server = command.spawn()?;
    let mut lines = BufReader::new(server.stdout.take().context("no standard output")?).lines();
    let line = lines.next_line().await?.context("the server ended while it started")?;
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Ok((server, Demo::parse(&line)?))
}
