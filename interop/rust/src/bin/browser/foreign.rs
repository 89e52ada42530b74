//! The playground at a server that nobody here wrote, npm oidc-provider in its own configuration; and from an API to the
//! server that gives tokens for it.

use crate::driver::{Browser, DESKTOP, Driver, Kind};
use crate::walk::Walking;
use anyhow::{Context, Result, bail};
use grantor_interop::demo::Demo;
use grantor_interop::report::{Report, equal};
use serde::Deserialize;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// What the other server says of itself.
#[derive(Deserialize)]
struct Facts {
    issuer: String,
    secret: String,
}

/// Ends with this.
struct Other {
    facts: Facts,
    _process: Child,
}

impl Other {
    async fn start(demo: &Demo) -> Result<Self> {
        let node = std::env::var_os("GRANTOR_NODE").unwrap_or_else(|| "node".into());
        let suites = std::env::var_os("GRANTOR_NODE_SUITES").unwrap_or_else(|| "interop/node".into());
        let script = std::path::Path::new(&suites).join("foreign-issuer.mjs");
        let mut command = Command::new(node);
        command.arg(script).arg(format!("{}/playground/callback", demo.issuer));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut process = command.spawn().context("Node.js and npm oidc-provider")?;
        let said = process.stdout.take().context("no standard output")?;
        let line = tokio::time::timeout(Duration::from_secs(30), BufReader::new(said).lines().next_line()).await;
        let line = line.context("the other server does not start")??.context("the other server ended")?;
        Ok(Self { facts: serde_json::from_str(&line)?, _process: process })
    }
}

/// A walk with a browser of its own, for the pages of the other server are not ours to complain about.
pub async fn walk(driver: &Driver, report: &mut Report) -> Result<()> {
    let demo = Demo::given()?;
    let other = Other::start(&demo).await?;
    let kind = Kind { name: "other servers", javascript: true, size: DESKTOP, scheme: "light" };
    let browser = driver.browser(kind).await?;
    let walk = Walk { demo: &demo, other: &other.facts, browser: &browser };
    walk.run(report).await;
    Ok(browser.web.quit().await?)
}

struct Walk<'a> {
    demo: &'a Demo,
    other: &'a Facts,
    browser: &'a Browser,
}

impl Walking for Walk<'_> {
    fn demo(&self) -> &Demo {
        self.demo
    }
    fn browser(&self) -> &Browser {
        self.browser
    }
}

impl Walk<'_> {
    async fn run(&self, report: &mut Report) {
        report.check("other servers: who is not listed is not asked", self.unlisted()).await;
        report.check("other servers: an issuer is found by its metadata", self.discovers()).await;
        report.check("other servers: code and PKCE, from the first card to the userinfo", self.code()).await;
        let tokens = report.check("other servers: refreshes, and calls with the new token", self.refreshes()).await;
        report
            .check("other servers: nothing secret is left in the address or the storage", self.nothing_is_left())
            .await;
        report.check("other servers: client credentials with a secret", self.machine()).await;
        report.check("other servers: endpoints typed by hand are enough", self.by_hand()).await;
        let (access, identity) = tokens.unwrap_or_default();
        report.check("inspector: a token of another issuer is verified with its keys", self.verified(&identity)).await;
        report.check("inspector: its issuer says what an opaque token is worth", self.introspected(&access)).await;
        report.check("inspector: its issuer takes it back", self.revoked(&access)).await;
        report.check("playground: from an API to a token for it", self.begins_at_a_resource()).await;
        report
            .check("playground: an API whose metadata speaks of another is not believed", self.other_resource())
            .await;
        report.check("other servers: our console has no complaint", self.console_is_clean()).await;
    }

    /// Waits for the page that an address of this kind leads to: the one before it has a button to begin, too.
    async fn begins_anew(&self, address: &str) -> Result<()> {
        for _ in 0..100 {
            if self.browser.web.current_url().await?.as_str().contains(address) {
                return self.browser.find("#begin:enabled").await.map(|_| ());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("the page did not begin anew: {}", self.browser.web.current_url().await?)
    }

    /// The part of the last answer's time that was this server's own is said. How much it is depends on the machine; 100 ms are
    /// the most that it should be.
    async fn says_its_time(&self, step: &str) -> Result<()> {
        let said = self.browser.find(&format!("{step} .time-spent")).await?.attr("data-own").await?;
        let own: f64 = said.context("no time is said")?.parse()?;
        println!("# {step}: {own} ms of our own");
        equal(own >= 0.0, true)
    }

    async fn unlisted(&self) -> Result<()> {
        self.begin("").await?;
        self.type_into("#issuer", "https://idp.example").await?;
        self.browser.click("#use-issuer").await?;
        self.says("#server-said", "did not list").await
    }

    async fn discovers(&self) -> Result<()> {
        self.begin("").await?;
        self.type_into("#issuer", &format!("{}/", self.other.issuer)).await?;
        self.browser.click("#use-issuer").await?;
        self.says("#server-said", "another issuer").await?;
        self.type_into("#issuer", &self.other.issuer).await?;
        self.browser.click("#use-issuer").await?;
        self.says("#setup-heading", &self.other.issuer).await?;
        self.browser.find("#begin:enabled").await?;
        let url = self.browser.web.current_url().await?;
        equal(url.query_pairs().any(|(name, value)| name == "issuer" && value == self.other.issuer), true)?;
        equal(self.browser.find("#client-id").await?.prop("value").await?.unwrap_or_default(), "")?;
        self.browser.shoot("playground-other-server").await
    }

    async fn code(&self) -> Result<()> {
        self.browser.click("label[for=flow-code]").await?;
        self.type_into("#client-id", "learner").await?;
        self.type_into("#scope", "openid offline_access").await?;
        self.browser.click("#begin").await?;
        self.browser.find("#authorize-code_challenge").await?;
        self.go().await?;
        self.browser.find("#check-state[data-verdict=good]").await?;
        self.browser.find("#check-iss[data-verdict=good]").await?;
        self.says("#setup-heading", &self.other.issuer).await?;
        self.browser.click("#step-token .actions button").await?;
        self.browser.find("#step-token .answer[data-status='200']").await?;
        self.says_its_time("#step-token").await?;
        for check in ["iss", "aud", "nonce"] {
            self.browser.find(&format!("#check-id-{check}[data-verdict=good]")).await?;
        }
        self.browser.click("#step-api .actions button").await?;
        self.says("#step-api .answer", "\"sub\": \"alice\"").await?;
        self.says_its_time("#step-api").await?;
        self.browser.shoot("playground-other-server-called").await
    }

    /// The access token of the refresh and the ID token of the code.
    async fn refreshes(&self) -> Result<(String, String)> {
        self.browser.click("#step-refresh .actions button").await?;
        self.browser.find("#step-refresh .answer[data-status='200']").await?;
        self.says_its_time("#step-refresh").await?;
        self.browser.click("#step-api .actions button").await?;
        self.says("#step-api .answer", "\"sub\": \"alice\"").await?;
        let header = self.browser.find("#api-Authorization").await?.prop("value").await?.unwrap_or_default();
        let access = header.strip_prefix("Bearer ").context("the header is no Bearer's")?.to_owned();
        let answer: serde_json::Value = serde_json::from_str(&self.browser.text("#step-token .block").await?)?;
        let identity = answer.get("id_token").and_then(serde_json::Value::as_str).context("no ID token")?.to_owned();
        Ok((access, identity))
    }

    async fn nothing_is_left(&self) -> Result<()> {
        let script = "return [location.href, JSON.stringify(localStorage), sessionStorage['grantor.playground.run'] ?? '', sessionStorage['grantor.playground.answer'] ?? '', document.cookie].join()";
        let kept: String = self.browser.web.execute(script, vec![]).await?.convert()?;
        for secret in ["eyJ", "verifier", "code=", "learner"] {
            equal(kept.contains(secret), false).with_context(|| format!("{secret} is in {kept}"))?;
        }
        let script = "return Object.keys(JSON.parse(sessionStorage['grantor.playground.server'])).join()";
        let kept: String = self.browser.web.execute(script, vec![]).await?.convert()?;
        equal(kept.as_str(), "issuer,metadata,resource")
    }

    async fn machine(&self) -> Result<()> {
        // A link that was shared: the flow, and the server by its name.
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("flow", "client").append_pair("issuer", &self.other.issuer);
        self.begin(&format!("?{}", query.finish())).await?;
        self.client_credentials().await
    }

    async fn client_credentials(&self) -> Result<()> {
        self.browser.click("label[for=flow-client]").await?;
        self.type_into("#client-id", "machine").await?;
        self.type_into("#client-secret", &self.other.secret).await?;
        self.type_into("#scope", "read").await?;
        self.browser.click("#begin").await?;
        self.browser.click("#step-client .actions button").await?;
        self.browser.find("#step-client .answer[data-status='200']").await?;
        self.says_its_time("#step-client").await
    }

    async fn by_hand(&self) -> Result<()> {
        self.begin("").await?;
        let issuer = format!("{}/without-metadata", self.other.issuer);
        self.type_into("#issuer", &issuer).await?;
        self.browser.click("#use-issuer").await?;
        self.says("#server-said", "no metadata").await?;
        self.type_into("#token_endpoint", "https://idp.example/token").await?;
        self.browser.click("#use-endpoints").await?;
        self.says("#server-said", "did not list").await?;
        self.type_into("#token_endpoint", &format!("{}/token", self.other.issuer)).await?;
        self.browser.shoot("playground-by-hand").await?;
        self.browser.click("#use-endpoints").await?;
        self.says("#setup-heading", &issuer).await?;
        self.browser.find("#begin:enabled").await?;
        self.client_credentials().await
    }

    async fn paste(&self, token: &str) -> Result<()> {
        self.open("/playground/token").await?;
        self.browser.fill("#token", token).await
    }

    async fn verified(&self, identity: &str) -> Result<()> {
        self.paste(identity).await?;
        self.says("#kind", "ID token").await?;
        self.browser.click("#verify").await?;
        self.browser.find("#verdict[data-verdict=good]").await?;
        self.says("#verdict", &self.other.issuer).await
    }

    async fn introspected(&self, access: &str) -> Result<()> {
        self.paste(access).await?;
        self.browser.find("#introspect").await?;
        let script =
            "return performance.getEntriesByType('resource').filter((one) => one.initiatorType === 'fetch').length";
        let sent: u32 = self.browser.web.execute(script, vec![]).await?.convert()?;
        equal(sent, 0).context("something was sent before a button was pressed")?;
        self.type_into("#ask-issuer", &self.other.issuer).await?;
        self.type_into("#ask-client", "api").await?;
        self.type_into("#ask-secret", "wrong").await?;
        self.browser.click("#introspect").await?;
        self.browser.find("[data-verdict=introspected-unauthorized]").await?;
        self.type_into("#ask-secret", &self.other.secret).await?;
        self.browser.click("#introspect").await?;
        self.browser.find("[data-verdict=introspected-active]").await?;
        for wanted in ["Identifies the user", "alice", "learner", "openid"] {
            self.says(".came", wanted).await?;
        }
        self.browser.shoot("inspector-introspected").await
    }

    async fn revoked(&self, access: &str) -> Result<()> {
        self.paste(access).await?;
        self.type_into("#ask-issuer", &self.other.issuer).await?;
        self.type_into("#ask-client", "learner").await?;
        self.browser.click("#revoke").await?;
        self.browser.find("[data-verdict=revoked-done]").await?;
        self.type_into("#ask-client", "api").await?;
        self.type_into("#ask-secret", &self.other.secret).await?;
        self.browser.click("#introspect").await?;
        self.browser.find("[data-verdict=introspected-inactive]").await.map(|_| ())
    }

    async fn begins_at_a_resource(&self) -> Result<()> {
        self.begin("").await?;
        self.browser.click("#by-resource summary").await?;
        let notes = self.demo.api("/notes")?.url()?;
        self.type_into("#resource", notes).await?;
        self.browser.click("#ask-resource").await?;
        for wanted in ["HTTP 401", "/.well-known/oauth-protected-resource/demo/notes", "notes:read", &self.demo.issuer]
        {
            self.says("#resource-said", wanted).await?;
        }
        self.browser.shoot("playground-from-resource").await?;
        self.browser.click("#resource-said .actions button").await?;
        self.begins_anew("issuer=").await?;
        let scope = self.browser.find("#scope").await?.prop("value").await?.unwrap_or_default();
        equal(scope.split(' ').any(|one| one == "notes:read"), true)?;
        self.browser.click("#begin").await?;
        let named = self.browser.find("#authorize-resource").await?.prop("value").await?;
        equal(named.as_deref(), Some(notes))?;
        self.go().await?;
        self.browser.click("#step-token .actions button").await?;
        self.browser.find("#step-token .answer[data-status='200']").await?;
        equal(self.browser.find("#api-url").await?.prop("value").await?.as_deref(), Some(notes))?;
        self.browser.click("#step-api .actions button").await?;
        self.says("#step-api .answer", "\"through\": \"playground\"").await
    }

    async fn other_resource(&self) -> Result<()> {
        self.begin("").await?;
        self.browser.click("#by-resource summary").await?;
        let notes = self.demo.api("/notes")?.url()?;
        self.type_into("#resource", &format!("{notes}?x=1")).await?;
        self.browser.click("#ask-resource").await?;
        self.says("#resource-said", "speaks of another API").await?;
        equal(self.browser.has("#resource-said .actions").await?, false)
    }

    async fn console_is_clean(&self) -> Result<()> {
        let complaints = self.browser.complaints().await?;
        let ours: Vec<_> = complaints.into_iter().filter(|one| one.contains(&self.demo.issuer)).collect();
        if ours.is_empty() { Ok(()) } else { bail!("{}", ours.join(" / ")) }
    }
}
