//! The playground and the token inspector, from the first card to a called API.

use crate::driver::Browser;
use crate::walk::Walking;
use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_interop::demo::Demo;
use grantor_interop::report::{Report, equal};
use serde_json::Value;
use thirtyfour::prelude::*;

/// A walk through the pages, each check where the one before it has led.
pub struct Walk<'a> {
    pub demo: &'a Demo,
    pub browser: &'a Browser,
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
    pub async fn run(&self, report: &mut Report) {
        report.check("playground: signs in, and checks state and iss by itself", self.answer_is_checked()).await;
        report.check("playground: redeems the code, and checks the ID token", self.redeems()).await;
        let token = report.check("playground: calls the API, reading and writing", self.calls()).await;
        let refresh = report.check("playground: refreshes, and calls with the new token", self.refreshes()).await;
        report.check("playground: nothing secret is left in the address or the storage", self.nothing_is_left()).await;
        report.check("playground: the inspector opens with the token", self.inspects()).await;
        report.check("playground: whoever checks himself must look", self.checks_himself()).await;
        report.check("playground: an answer with another state ends the flow", self.another_state()).await;
        report.check("playground: an answer that nobody asked for is thrown away", self.unasked()).await;
        report.check("playground: client credentials with a secret", self.machine()).await;
        let refresh = refresh.unwrap_or_default();
        report.check("playground: a refresh token alone", self.refresh_alone(&refresh)).await;
        report.check("playground: works by keyboard", self.keyboard()).await;
        let token = token.unwrap_or_default();
        report.check("inspector: a valid token is decoded, and verified when asked to", self.valid(&token)).await;
        report.check("inspector: a tampered token is found out", self.tampered(&token)).await;
        report.check("inspector: an expired token and one of another issuer say so", self.others(&token)).await;
        report.check("inspector: what is no token is text, whatever it is", self.no_token()).await;
    }

    async fn answer_is_checked(&self) -> Result<()> {
        self.begin("").await?;
        self.browser.shoot("playground").await?;
        self.browser.click("#begin").await?;
        self.browser.find("#authorize-code_challenge").await?;
        equal(self.browser.has("#step-token.closed").await?, true)?;
        self.browser.shoot("playground-request").await?;
        self.go().await?;
        self.browser.find("#check-state[data-verdict=good]").await?;
        self.browser.find("#check-iss[data-verdict=good]").await?;
        self.browser.find("#step-token .why").await?;
        let url = self.browser.web.current_url().await?;
        equal((url.path(), url.as_str().contains("gr_ac_")), ("/playground", false))
    }

    async fn redeems(&self) -> Result<()> {
        self.browser.click("#step-token .actions button").await?;
        self.browser.find("#step-token .answer[data-status='200']").await?;
        self.says("#step-token .headers", "cache-control: no-store").await?;
        for check in ["iss", "aud", "nonce"] {
            self.browser.find(&format!("#check-id-{check}[data-verdict=good]")).await?;
        }
        self.browser.find("#step-token .time[data-state=good]").await.map(|_| ())
    }

    async fn calls(&self) -> Result<String> {
        let header = self.browser.find("#api-Authorization").await?.prop("value").await?.unwrap_or_default();
        self.browser.click("#step-api .actions button").await?;
        self.says("#step-api .answer", "\"through\": \"playground\"").await?;
        self.browser.find("#api-method").await?.send_keys("POST").await?;
        self.browser.fill("#api-body", "from the <b>playground</b>").await?;
        self.browser.click("#step-api .actions button").await?;
        self.says("#step-api .answer", "\"written\": true").await?;
        self.browser.shoot("playground-called").await?;
        header.strip_prefix("Bearer ").map(str::to_owned).context("the header is no Bearer's")
    }

    async fn refreshes(&self) -> Result<String> {
        let before = self.browser.find("#refresh-refresh_token").await?.prop("value").await?;
        self.browser.click("#step-refresh .actions button").await?;
        self.browser.find("#step-refresh .answer[data-status='200']").await?;
        let after = self.browser.find("#refresh-refresh_token").await?.prop("value").await?;
        equal(before == after, false)?;
        self.browser.click("#step-api .actions button").await?;
        self.says("#step-api .answer", "\"notes\"").await?;
        after.context("no refresh token")
    }

    async fn nothing_is_left(&self) -> Result<()> {
        let script = "return [location.href, JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie].join()";
        let kept: String = self.browser.web.execute(script, vec![]).await?.convert()?;
        for secret in ["gr_", "eyJ", "verifier", "code="] {
            equal(kept.contains(secret), false).with_context(|| format!("{secret} is in {kept}"))?;
        }
        equal(kept.contains("flow=code&scope=openid"), true)
    }

    async fn inspects(&self) -> Result<()> {
        let home = self.browser.web.window().await?;
        self.browser.click("#step-refresh [data-token=access_token]").await?;
        let windows = self.browser.web.windows().await?;
        let tab = windows.iter().find(|window| **window != home).context("no tab opened")?;
        self.browser.web.switch_to_window(tab.clone()).await?;
        self.says("#kind", "Access token").await?;
        let url = self.browser.web.current_url().await?;
        equal((url.path(), url.query(), url.fragment()), ("/playground/token", None, None))?;
        // What was learned is named; nothing else came along.
        let left: String =
            self.browser.web.execute("return Object.keys(sessionStorage).join()", vec![]).await?.convert()?;
        equal(left.as_str(), "grantor.playground.lesson")?;
        self.browser.web.close_window().await?;
        Ok(self.browser.web.switch_to_window(home).await?)
    }

    async fn checks_himself(&self) -> Result<()> {
        self.begin("?flow=code&scope=notes:read").await?;
        self.browser.click("#checks-me").await?;
        self.browser.click("#begin").await?;
        self.go().await?;
        equal(self.browser.has("#step-token.closed").await?, true)?;
        self.browser.click("#check-state .actions button:nth-child(2)").await?;
        self.says("#check-state .verdict", "Look again").await?;
        self.browser.shoot("playground-checks").await?;
        self.browser.click("#check-state .actions button:nth-child(1)").await?;
        equal(self.browser.has("#step-token.closed").await?, true)?;
        self.browser.click("#check-iss .actions button:nth-child(1)").await?;
        self.browser.find("#step-token .why").await?;
        // A verifier that was changed is refused, and can be put right.
        let verifier = self.browser.find("#token-code_verifier").await?;
        let right = verifier.prop("value").await?.context("no verifier")?;
        verifier.clear().await?;
        verifier.send_keys(right.chars().rev().collect::<String>()).await?;
        self.browser.click("#step-token .actions button").await?;
        self.says("#step-token .answer", "invalid_grant").await
    }

    async fn another_state(&self) -> Result<()> {
        // This was never allowed, so the server asks first.
        self.begin("?flow=code&scope=mail:read").await?;
        self.browser.click("#begin").await?;
        self.browser.click("#step-authorize .actions button").await?;
        self.browser.find("button[name=decision][value=allow]").await?;
        self.open(&format!("/playground/callback?code=gr_ac_attacker&state=another&iss={}", self.demo.issuer)).await?;
        self.browser.find("#check-state[data-verdict=bad]").await?;
        self.browser.find("#check-iss[data-verdict=good]").await?;
        self.browser.shoot("playground-another-state").await?;
        equal(self.browser.has("#step-token.closed").await?, true)
    }

    async fn refresh_alone(&self, token: &str) -> Result<()> {
        self.begin("?flow=refresh").await?;
        self.browser.fill("#refresh-token", token).await?;
        self.browser.click("#begin").await?;
        self.browser.click("#step-refresh .actions button").await?;
        self.browser.find("#step-refresh .answer[data-status='200']").await?;
        self.browser.click("#step-api .actions button").await?;
        self.says("#step-api .answer", "\"through\": \"playground\"").await
    }

    async fn unasked(&self) -> Result<()> {
        self.open("/playground/callback?code=gr_ac_stolen&state=x&error=<b>x</b>").await?;
        self.says("#trouble", "no flow in this tab").await?;
        let url = self.browser.web.current_url().await?;
        equal((url.path(), url.as_str().contains("stolen")), ("/playground", false))?;
        equal(self.browser.has("#step-answer").await?, false)
    }

    async fn machine(&self) -> Result<()> {
        self.begin("?flow=client").await?;
        self.browser.click("#begin").await?;
        self.browser.find("#client-Authorization").await?;
        self.browser.click("#step-client .actions button").await?;
        self.browser.find("#step-client .answer[data-status='200']").await?;
        self.browser.click("#step-api .actions button").await?;
        self.says("#step-api .answer", "\"read_by\": \"demo-machine\"").await?;
        self.browser.shoot("playground-machine").await
    }

    async fn keyboard(&self) -> Result<()> {
        self.begin("").await?;
        for wanted in ["#flow-code", "#client-id", "#auth-method", "#scope", "#switch-dpop", "#begin"] {
            self.browser.tab_to(wanted).await?;
        }
        self.browser.press(Key::Enter + "").await?;
        self.browser.tab_to("#authorize-scope").await?;
        self.browser.tab_to("#step-authorize .actions button").await
    }

    async fn paste(&self, token: &str) -> Result<()> {
        self.open("/playground/token").await?;
        self.browser.fill("#token", token).await
    }

    async fn valid(&self, token: &str) -> Result<()> {
        self.paste(token).await?;
        self.says("#kind", "Access token").await?;
        self.says("#use", "whoever has it can use it").await?;
        self.browser.find(".time[data-state=good]").await?;
        for wanted in ["playground", "/demo/notes", "notes:read", "RFC 7519 4.1.1"] {
            self.says("#report", wanted).await?;
        }
        equal(self.requests().await?, 0).context("something was asked for before the button was pressed")?;
        self.browser.shoot("inspector").await?;
        self.browser.click("#verify").await?;
        self.browser.find("#verdict[data-verdict=good]").await?;
        equal(self.requests().await?, 2)?;
        self.browser.shoot("inspector-verified").await
    }

    /// Requests that the page's scripts made.
    async fn requests(&self) -> Result<u32> {
        let script =
            "return performance.getEntriesByType('resource').filter((one) => one.initiatorType === 'fetch').length";
        Ok(self.browser.web.execute(script, vec![]).await?.convert()?)
    }

    async fn tampered(&self, token: &str) -> Result<()> {
        self.paste(&changed(token, |claims| claims["scope"] = "notes:read notes:write admin".into())?).await?;
        self.browser.click("#verify").await?;
        self.browser.find("#verdict[data-verdict=unverified-wrong]").await?;
        self.browser.shoot("inspector-tampered").await
    }

    async fn others(&self, token: &str) -> Result<()> {
        self.paste(&changed(token, |claims| claims["exp"] = 1_700_000_000.into())?).await?;
        self.says("#use", "It has expired").await?;
        self.browser.find(".time[data-state=expired]").await?;
        self.browser.shoot("inspector-expired").await?;
        self.paste(&changed(token, |claims| claims["iss"] = "https://elsewhere.example".into())?).await?;
        self.browser.find("#verdict[data-verdict=unverified-other-issuer]").await?;
        equal(self.browser.has("#verify").await?, false)?;
        equal(self.requests().await?, 0)
    }

    async fn no_token(&self) -> Result<()> {
        self.paste("<img src=x onerror=alert(1)>.b.c").await?;
        self.says("#kind", "No token").await?;
        equal(self.browser.has("#report img").await?, false)?;
        self.browser.click("#clear").await?;
        equal(self.browser.has("#kind").await?, false)?;
        let hostile = r#"{"name":"<img src=x onerror=alert(1)>","constructor":"x","__proto__":"y"}"#;
        let encoded = |text: &str| URL_SAFE_NO_PAD.encode(text);
        self.paste(&format!("{}.{}.YQ", encoded(r#"{"alg":"none","typ":"<b>x</b>"}"#), encoded(hostile))).await?;
        self.browser.find("#verdict[data-verdict=unverified-unsigned]").await?;
        self.says("#report", "<img src=x onerror=alert(1)>").await?;
        equal(self.browser.has("#report img").await?, false)
    }
}

/// A JWT with other claims under the same signature.
fn changed(token: &str, change: impl FnOnce(&mut Value)) -> Result<String> {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let claims = parts.get_mut(1).context("no JWT")?;
    let mut value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(&*claims)?)?;
    change(&mut value);
    *claims = URL_SAFE_NO_PAD.encode(value.to_string());
    Ok(parts.join("."))
}
