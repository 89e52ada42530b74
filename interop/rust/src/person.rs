//! A browser without JavaScript, and the person in front of it.

use crate::demo::{Demo, User};
use crate::http;
use crate::page::Form;
use anyhow::{Context, bail};
use reqwest::header::LOCATION;
use url::Url;

/// Where the suites are called back; nobody listens there, the address is what counts.
pub const REDIRECT_URI: &str = "http://127.0.0.1:5997/callback";

#[derive(Clone)]
pub struct Person {
    http: reqwest::Client,
    user: User,
}

/// What the person does on the consent page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Allow,
    Deny,
}

impl Person {
    /// Somebody who has signed in nowhere.
    pub fn new(demo: &Demo) -> anyhow::Result<Self> {
        Ok(Self { http: http::builder().cookie_store(true).build()?, user: demo.alice()?.clone() })
    }

    /// Follows an authorization request to its end: signs in, decides, and gives the address at which the client is called
    /// back.
    pub async fn authorize(&self, url: &Url, decision: Decision) -> anyhow::Result<Url> {
        let mut url = url.clone();
        let mut request = self.http.get(url.clone());
        for _ in 0..12 {
            let response = request.send().await?;
            let status = response.status();
            if let Some(location) = response.headers().get(LOCATION) {
                url = url.join(location.to_str()?)?;
                if url.as_str().starts_with(REDIRECT_URI) {
                    return Ok(url);
                }
                request = self.http.get(url.clone());
                continue;
            }
            let page = response.text().await?;
            let form = Form::parse(&page).with_context(|| format!("{status} at {} has no form: {page}", url.path()))?;
            let fields = self.fill(&form, decision);
            let origin = url.origin().ascii_serialization();
            url = url.join(&form.action)?;
            request = self.http.post(url.clone()).header("origin", origin).form(&fields);
        }
        bail!("the pages go round in circles, the last at {}", url.path())
    }

    fn fill(&self, form: &Form, decision: Decision) -> Vec<(String, String)> {
        let ticked = form.inputs.iter().filter(|input| input.ticked);
        let mut fields: Vec<_> = ticked
            .map(|input| {
                let value = match input.name.as_str() {
                    "username" => &self.user.username,
                    "password" => &self.user.password,
                    _ => &input.value,
                };
                (input.name.clone(), value.clone())
            })
            .collect();
        let wanted = if decision == Decision::Allow { "allow" } else { "deny" };
        let button = form.buttons.iter().find(|(_, value)| value == wanted).or(form.buttons.first());
        fields.extend(button.cloned());
        fields
    }
}

/// A parameter of the address at which the client was called back.
pub fn parameter(callback: &Url, name: &str) -> anyhow::Result<String> {
    let found = callback.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    found.with_context(|| format!("{name} is not in {callback}"))
}
