//! Every flow of the playground, with every proof of a client, from the first card to a called API.

use crate::playground::Walk;
use crate::walk::Walking as _;
use anyhow::{Context, Result, bail};
use grantor_interop::report::{Report, equal};
use std::time::Duration;
use thirtyfour::prelude::*;

/// The walks; each begins with the form.
pub struct Flows<'a> {
    pub walk: Walk<'a>,
}

/// How a client proves who it is, as the address of the page has it.
const PROOFS: [&str; 5] = ["basic", "post", "mac", "key", "federated"];
const PUSH: &str = "#step-push .actions button";
const CALL: &str = "#step-api .actions button";

impl Flows<'_> {
    pub async fn run(&self, report: &mut Report) {
        for proof in PROOFS {
            let name = format!("flows: client credentials, the client proves itself by {proof}");
            report.check(&name, self.machine(proof)).await;
        }
        report.check("flows: the page makes a key that no script can read, or takes one", self.own_key()).await;
        report.check("flows: a certificate is explained, with the line that shows it", self.certificate()).await;
        report.check("flows: a pushed request, and the ID token line by line", self.pushed()).await;
        report.check("flows: a signed request, by value", self.signed()).await;
        report.check("flows: pushed, signed and bound to a key, the nonce shown", self.everything()).await;
        report.check("flows: a bound token is worth nothing as a bearer's", self.as_bearer()).await;
        report.check("flows: nothing of a key is left when the flow is back", self.no_keys_left()).await;
        report.check("flows: a device, polled too early, allowed in another tab", self.device()).await;
        report.check("flows: a token of another issuer for one of this", self.assertion()).await;
        report.check("flows: renewed before it expires, and when asked to", self.renewal()).await;
        report.check("flows: a token in the URL is refused, another word is not known", self.carried()).await;
        report.check("flows: an answer that breaks the rules is complained of", self.deviates()).await;
        report.check("flows: an ID token with another signature ends the flow", self.forged()).await;
        report.check("flows: implicit and password are explained, and not run", self.legacy()).await;
    }

    /// The form, with a flow chosen by the address; and begun.
    async fn begin(&self, query: &str) -> Result<()> {
        self.walk.begin(query).await?;
        self.find("#metadata .findings[data-deviations='0']").await?;
        self.click("#begin").await
    }

    async fn find(&self, css: &str) -> Result<WebElement> {
        self.walk.browser.find(css).await
    }

    async fn click(&self, css: &str) -> Result<()> {
        self.walk.browser.click(css).await
    }

    async fn value(&self, css: &str) -> Result<String> {
        self.find(css).await?.prop("value").await?.with_context(|| format!("{css} has no value"))
    }

    /// Sends the request of a step; the answer is good, and so is it by the specifications.
    async fn sends(&self, step: &str, status: u16) -> Result<()> {
        self.click(&format!("#step-{step} .actions button.primary")).await?;
        self.answered(step, status).await
    }

    async fn answered(&self, step: &str, status: u16) -> Result<()> {
        self.find(&format!("#step-{step} .answer[data-status='{status}']")).await?;
        let browser = self.walk.browser;
        if browser.has(&format!("#step-{step} .findings:not([data-deviations='0'])")).await? {
            bail!("deviations: {}", browser.text(&format!("#step-{step} .findings:not([data-deviations='0'])")).await?);
        }
        self.find(&format!("#step-{step} .findings[data-deviations='0']")).await.map(|_| ())
    }

    async fn calls(&self, wanted: &str) -> Result<()> {
        self.click(CALL).await?;
        self.walk.says("#step-api .answer[data-status='200']", wanted).await
    }

    async fn machine(&self, proof: &str) -> Result<()> {
        self.begin(&format!("?flow=client&auth={proof}&scope=notes:read")).await?;
        if ["mac", "key", "federated"].contains(&proof) {
            self.find("#step-client [data-made=client_assertion]").await?;
            self.click("#step-client [data-made=client_assertion] summary").await?;
            self.walk.says("#step-client [data-made=client_assertion]", "RFC 7523 3").await?;
            self.walk.browser.shoot(&format!("flows-client-{proof}")).await?;
        }
        let before = self.walk.browser.text("#step-client .parameters").await?;
        equal(before.contains("client_secret"), proof == "post")?;
        self.sends("client", 200).await?;
        let client = if proof == "basic" { "demo-machine".to_owned() } else { proof_client(proof) };
        self.calls(&format!("\"through\": \"{client}\"")).await?;
        // What proved the client was good once: a second request needs another, and has it.
        self.sends("client", 200).await
    }

    async fn own_key(&self) -> Result<()> {
        self.walk.begin("?flow=client&auth=key&scope=notes:read").await?;
        self.click("#key-panel .make-key").await?;
        self.walk.says("#key-shown", "\"crv\": \"P-256\"").await?;
        equal(self.walk.browser.text("#key-shown").await?.contains("\"d\""), false)?;
        self.walk.browser.shoot("flows-key").await?;
        self.click("#begin").await?;
        self.click("#step-client .actions button.primary").await?;
        self.walk.says("#step-client .answer", "invalid_client").await?;
        self.find("#step-client .findings[data-deviations='0']").await?;
        let client = self.walk.demo.clients.iter().find(|client| client.client_id == "playground-key");
        let key = client.and_then(|client| client.private_jwk.as_ref()).context("the demo's client has no key")?;
        self.click("#key-other summary").await?;
        self.find("#key-pasted").await?.send_keys(key.to_string()).await?;
        self.click("#key-panel .use-key").await?;
        self.walk.says("#key-shown", key["x"].as_str().unwrap_or("no x")).await?;
        equal(self.value("#key-pasted").await?, String::new())?;
        self.sends("client", 200).await?;
        self.calls("\"through\": \"playground-key\"").await
    }

    async fn certificate(&self) -> Result<()> {
        self.walk.begin("?flow=client&auth=own-certificate").await?;
        self.walk.says("#certificate-panel", "curl --cert client.pem").await?;
        self.click("#begin").await?;
        self.walk.says("#trouble", "cannot choose a certificate").await
    }

    async fn pushed(&self) -> Result<()> {
        self.begin("?flow=code&with=pushed&scope=openid%20notes:read").await?;
        self.find("#push-code_challenge").await?;
        self.click(PUSH).await?;
        self.answered("push", 201).await?;
        equal(self.value("#authorize-request_uri").await?.starts_with("urn:ietf:params:oauth:request_uri:"), true)?;
        equal(self.walk.browser.has("#authorize-scope").await?, false)?;
        self.walk.browser.shoot("flows-pushed").await?;
        self.walk.go().await?;
        self.find("#step-answer .findings[data-deviations='0']").await?;
        self.sends("token", 200).await?;
        for line in ["exp", "iat", "sub", "alg", "signature"] {
            self.find(&format!("#line-{line}[data-verdict=good]")).await?;
        }
        self.walk.browser.shoot("flows-identity").await?;
        self.calls("\"through\": \"playground\"").await
    }

    async fn signed(&self) -> Result<()> {
        self.begin("?flow=code&auth=key&with=signed&scope=openid%20notes:read").await?;
        self.find("#object-redirect_uri").await?;
        self.click("#step-object .actions button").await?;
        self.walk.says("#step-object [data-made=request]", "RFC 9101 4").await?;
        self.walk.browser.shoot("flows-signed").await?;
        equal(self.value("#authorize-request").await?.starts_with("eyJ"), true)?;
        self.walk.go().await?;
        // The key went along while the browser was away.
        self.sends("token", 200).await?;
        self.find("#line-signature[data-verdict=good]").await?;
        self.calls("\"through\": \"playground-key\"").await
    }

    async fn everything(&self) -> Result<()> {
        self.begin("?flow=code&auth=key&with=pushed,signed,dpop&scope=openid%20notes:read%20offline_access").await?;
        self.click("#step-object .actions button").await?;
        self.find("#push-DPoP").await?;
        self.click(PUSH).await?;
        self.answered("push", 201).await?;
        self.find("#step-push details.nonce").await?;
        self.walk.says("#step-push .nonce-sent", "once more").await?;
        self.walk.browser.shoot("flows-nonce").await?;
        self.walk.go().await?;
        self.click("#step-token .actions button.primary").await?;
        self.answered("token", 200).await?;
        self.walk.says("#step-token .answer[data-status='200']", "\"token_type\": \"DPoP\"").await?;
        self.find("#line-signature[data-verdict=good]").await?;
        self.find("#api-DPoP").await?;
        equal(self.value("#api-Authorization").await?.starts_with("DPoP "), true)?;
        self.calls("\"through\": \"playground-key\"").await?;
        self.walk.says("#step-api [data-made=DPoP]", "").await?;
        self.click("#step-refresh .actions button").await?;
        self.answered("refresh", 200).await?;
        self.calls("\"through\": \"playground-key\"").await?;
        self.walk.browser.shoot("flows-dpop").await
    }

    async fn as_bearer(&self) -> Result<()> {
        self.find("#api-carried").await?.send_keys("Authorization: Bearer").await?;
        self.find("#api-Authorization").await?;
        for _ in 0..100 {
            if self.value("#api-Authorization").await.unwrap_or_default().starts_with("Bearer ") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.click(CALL).await?;
        self.answered("api", 401).await
    }

    async fn no_keys_left(&self) -> Result<()> {
        let script = "const done = arguments[0]; const open = indexedDB.open('grantor.playground', 1); open.onsuccess = () => { \
            const store = open.result.transaction('keys').objectStore('keys').count(); \
            store.onsuccess = () => { open.result.close(); done([store.result, Object.keys(sessionStorage)].join()); }; };";
        let left: String = self.walk.browser.web.execute_async(script, vec![]).await?.convert()?;
        // What was learned is named; it is no key.
        equal(left.as_str(), "0,grantor.playground.lesson")
    }

    async fn device(&self) -> Result<()> {
        self.begin("?flow=device&scope=openid%20notes:read").await?;
        self.sends("device", 200).await?;
        let code = self.walk.browser.text("#user-code").await?;
        // At once is too early.
        self.click("#step-poll .actions button.primary").await?;
        self.find("#step-poll .polls [data-said=slow_down]").await?;
        self.walk.says("#poll-said", "every 10 s").await?;
        self.walk.browser.shoot("flows-device").await?;
        let web = &self.walk.browser.web;
        let home = web.window().await?;
        self.click("#step-poll .television p .verification").await?;
        let windows = web.windows().await?;
        let tab = windows.iter().find(|window| **window != home).context("no tab opened")?;
        web.switch_to_window(tab.clone()).await?;
        self.allow_device(&code).await?;
        web.close_window().await?;
        web.switch_to_window(home).await?;
        // It asks by itself, after the ten seconds that it was told.
        self.find("#step-poll .polls").await?;
        for _ in 0..5 {
            if self.find("#step-poll .answer[data-status='200']").await.is_ok() {
                break;
            }
        }
        self.answered("poll", 200).await?;
        self.find("#line-signature[data-verdict=good]").await?;
        self.calls("\"through\": \"playground\"").await
    }

    /// Whoever sits at the other device signs in where he must, types the code where it is not there, and allows it.
    async fn allow_device(&self, code: &str) -> Result<()> {
        let browser = self.walk.browser;
        for _ in 0..200 {
            if browser.has("button[value=allow]").await? {
                browser.click("button[value=allow]").await?;
            } else if browser.has("#username").await? {
                let alice = self.walk.demo.alice()?;
                browser.fill("#username", &alice.username).await?;
                browser.fill("#password", &alice.password).await?;
                browser.click("form button[type=submit]").await?;
            } else if browser.has("input[name=user_code]:not([type=hidden])").await? {
                browser.fill("input[name=user_code]", code).await?;
                browser.click("form button[type=submit]").await?;
            } else {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("the browser is at {}", browser.web.current_url().await?)
    }

    async fn assertion(&self) -> Result<()> {
        self.begin("?flow=assertion&scope=notes:read").await?;
        self.find("#step-assertion [data-made=assertion]").await?;
        self.sends("assertion", 200).await?;
        self.calls("\"through\": \"playground-workload\"").await
    }

    async fn renewal(&self) -> Result<()> {
        self.begin("?flow=code&scope=notes:read%20offline_access").await?;
        self.walk.go().await?;
        self.sends("token", 200).await?;
        let first = self.value("#refresh-refresh_token").await?;
        self.click("#step-token .renew-now").await?;
        self.answered("refresh", 200).await?;
        let second = self.value("#refresh-refresh_token").await?;
        equal(first == second, false)?;
        equal(self.walk.browser.has("#step-token .renewal").await?, false)?;
        self.click("#step-refresh .renew").await?;
        self.walk.browser.shoot("flows-renewal").await?;
        // Ten minutes later, by the page's own clock.
        let later = "const now = Date.now; Date.now = () => now() + 585000";
        self.walk.browser.web.execute(later, vec![]).await?;
        for _ in 0..200 {
            if self.value("#refresh-refresh_token").await.is_ok_and(|third| third != second) {
                self.answered("refresh", 200).await?;
                return self.calls("\"through\": \"playground\"").await;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("it did not renew itself")
    }

    async fn carried(&self) -> Result<()> {
        self.begin("?flow=client&scope=notes:read").await?;
        self.sends("client", 200).await?;
        self.calls("\"notes\"").await?;
        for (way, field) in [("In the URL", "#api-access_token"), ("Authorization with another", "#api-Authorization")]
        {
            self.find("#api-carried").await?.send_keys(way).await?;
            self.find(field).await?;
            self.click(CALL).await?;
            self.find("#step-api .answer[data-status='401']").await?;
        }
        self.walk.browser.shoot("flows-carried").await
    }

    /// The next answer of the token endpoint is another than the server's.
    async fn answer_otherwise(&self, change: &str) -> Result<()> {
        let script = format!(
            "const own = fetch; window.fetch = async (...given) => {{ const answer = await own(...given); \
             if (!String(given[0]).endsWith('/token')) return answer; const members = await answer.json(); {change}; \
             const headers = {{ 'content-type': 'application/json' }}; \
             return new Response(JSON.stringify(members), {{ status: answer.status, headers }}); }};"
        );
        self.walk.browser.web.execute(script, vec![]).await.map(|_| ()).map_err(Into::into)
    }

    async fn deviates(&self) -> Result<()> {
        self.begin("?flow=client&scope=notes:read").await?;
        self.answer_otherwise("delete members.token_type; members.expires_in = '600'").await?;
        self.click("#step-client .actions button.primary").await?;
        self.find("#step-client .findings[data-deviations='3']").await?;
        for rule in ["no-store", "token-type", "expires-in-number"] {
            self.find(&format!("#step-client [data-rule={rule}][data-severity=must]")).await?;
        }
        self.walk.browser.shoot("flows-deviations").await
    }

    async fn forged(&self) -> Result<()> {
        self.begin("?flow=code&scope=openid%20notes:read").await?;
        self.walk.go().await?;
        self.answer_otherwise("members.id_token = members.id_token.slice(0, -8) + 'AAAAAAAA'").await?;
        self.click("#step-token .actions button.primary").await?;
        self.find("#line-signature[data-verdict=bad]").await?;
        self.walk.browser.shoot("flows-forged").await?;
        equal(self.walk.browser.has("#step-api.closed").await?, true)
    }

    async fn legacy(&self) -> Result<()> {
        for flow in ["implicit", "password"] {
            self.walk.begin(&format!("?flow={flow}")).await?;
            self.click("#begin").await?;
            self.walk.says("#step-faults .faults", "RFC 9700").await?;
            self.walk.says("#not-supported", "does not name the grant type").await?;
            equal(self.walk.browser.has("#step-authorize, #step-password, #step-api").await?, false)?;
            self.walk.browser.shoot(&format!("flows-{flow}")).await?;
        }
        Ok(())
    }
}

/// The demo's client for a proof.
fn proof_client(proof: &str) -> String {
    format!("playground-{}", if proof == "federated" { "workload" } else { proof })
}
