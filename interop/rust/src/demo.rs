//! What `grantor demo --json` says about itself.

use anyhow::Context;
use serde::Deserialize;
use std::path::PathBuf;

#[derive(Clone, Debug, Deserialize)]
pub struct Demo {
    pub issuer: String,
    /// The data directory.
    pub data: PathBuf,
    pub users: Vec<User>,
    pub clients: Vec<Client>,
    pub apis: Vec<Api>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct User {
    pub username: String,
    pub password: String,
    pub sub: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Client {
    pub client_id: String,
    #[serde(default)]
    pub client_secret: Option<String>,
    #[serde(default)]
    pub private_jwk: Option<serde_json::Value>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Api {
    pub audience: String,
    url: Option<String>,
}

impl Api {
    /// Where the demo serves it.
    pub fn url(&self) -> anyhow::Result<&str> {
        self.url.as_deref().with_context(|| format!("nobody serves {}", self.audience))
    }
}

impl Demo {
    /// From the environment of a suite.
    pub fn given() -> anyhow::Result<Self> {
        Self::parse(&std::env::var("GRANTOR_DEMO").context("GRANTOR_DEMO is what grantor demo --json prints")?)
    }

    pub fn parse(line: &str) -> anyhow::Result<Self> {
        serde_json::from_str(line).with_context(|| format!("not what grantor demo --json should print: {line}"))
    }

    pub fn alice(&self) -> anyhow::Result<&User> {
        self.users.first().context("the demo has no user")
    }

    pub fn client(&self, id: &str) -> anyhow::Result<&Client> {
        self.clients.iter().find(|client| client.client_id == id).with_context(|| format!("the demo has no {id}"))
    }

    pub fn secret(&self, id: &str) -> anyhow::Result<String> {
        self.client(id)?.client_secret.clone().with_context(|| format!("{id} has no secret"))
    }

    /// The demo API whose audience ends so.
    pub fn api(&self, end: &str) -> anyhow::Result<&Api> {
        self.apis.iter().find(|api| api.audience.ends_with(end)).with_context(|| format!("the demo has no API {end}"))
    }
}
