//! crates.io `huskarl-resource-server`.

use crate::contender::{Check, Here, Kind};
use crate::given::{AUDIENCE, Given, ISSUER, LEEWAY, Presented, Signed};
use anyhow::{Context as _, Result};
use axum::Router;
use axum::routing::get;
use http::{Method, Uri};
use huskarl_reqwest::ReqwestClient;
use huskarl_resource_server::validator::rfc9068::Rfc9068Validator;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

pub(crate) struct Validated {
    validator: Rfc9068Validator,
    uri: Uri,
}

impl Check for Validated {
    const NAME: &'static str = "huskarl-resource-server";
    const ABOUT: &'static str = "Rfc9068Validator::validate_request, keys fetched beforehand; scope compared by hand";

    async fn check(&mut self, presented: &Presented) -> bool {
        let result = self.validator.validate_request(&presented.headers, &Method::GET, &self.uri, None).await;
        let scope = |token: &huskarl_resource_server::validator::ValidatedRequest<_>| {
            let claims: &huskarl_resource_server::validator::rfc9068::Rfc9068AccessTokenClaims = &token.claims;
            claims.scope.as_deref().is_some_and(|scope| scope.split(' ').any(|scope| scope == "notes:read"))
        };
        matches!(&result.outcome, Ok(Some(token)) if scope(token))
    }
}

pub(crate) fn new<'a>(runtime: &'a Runtime, given: &Given, signed: &'a Signed) -> Result<Here<'a, Validated>> {
    let keys = given.keys_as_json()?;
    // Its client of HTTP wants one, though nothing here is encrypted. The first to install one wins.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let validator = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let jwks = format!("http://{}/jwks", listener.local_addr()?);
        let router = Router::new().route("/jwks", get(move || std::future::ready(keys.clone())));
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        let validator = Rfc9068Validator::builder()
            .issuer(ISSUER)
            .audience(AUDIENCE)
            .jwks_uri(jwks.parse()?)
            .jwks_source(ReqwestClient::builder().build().await?)
            .clock_leeway(Duration::from_secs(LEEWAY.into()))
            .build()
            .await
            .context("huskarl")?;
        server.abort();
        anyhow::Ok(validator)
    })?;
    let uri = Uri::from_static("https://api.example/notes");
    Ok(Here { runtime, signed, kind: Kind::Cold, check: Validated { validator, uri } })
}
