//! crates.io `tower-oauth2-resource-server`.

use crate::contender::{Check, Here, Kind};
use crate::given::{AUDIENCE, Given, ISSUER, Presented, Signed};
use crate::grantor::{Asked, answered, handler, request};
use anyhow::{Context as _, Result};
use http::Response;
use serde::Deserialize;
use std::convert::Infallible;
use tokio::runtime::Runtime;
use tower::util::BoxCloneService;
use tower::{Layer as _, Service as _};
use tower_oauth2_resource_server::layer::OAuth2ResourceServerService;
use tower_oauth2_resource_server::server::OAuth2ResourceServer;
use tower_oauth2_resource_server::tenant::TenantConfiguration;
use tower_oauth2_resource_server::validation::ClaimsValidationSpec;

/// What a route looks at.
#[derive(Clone, Debug, Deserialize)]
#[expect(dead_code, reason = "read out of the token, as an API would")]
struct Claims {
    iss: String,
    sub: String,
    client_id: String,
    scope: String,
    jti: String,
}

type Handler = BoxCloneService<Asked, Response<()>, Infallible>;

pub(crate) struct Layered(OAuth2ResourceServerService<Handler, (), Claims>);

impl Check for Layered {
    const NAME: &'static str = "tower-oauth2-resource-server";
    const ABOUT: &'static str = "its layer with a request made and claims in a struct, aws-lc-rs below it; scope compared in the handler; `nbf` is left out, since it is checked only where it is required";

    async fn check(&mut self, presented: &Presented) -> bool {
        answered(self.0.call(request(presented)).await)
    }
}

pub(crate) fn new<'a>(runtime: &'a Runtime, given: &Given, signed: &'a Signed) -> Result<Here<'a, Layered>> {
    let tenant = TenantConfiguration::static_builder(given.keys_as_json()?)
        .claims_validation(ClaimsValidationSpec::recommended(ISSUER, &vec![AUDIENCE.to_owned()]).nbf(false))
        .build();
    let tenant = tenant.ok().context("tower-oauth2-resource-server: the tenant")?;
    let server = runtime.block_on(OAuth2ResourceServer::<Claims>::builder().add_tenant(tenant).build());
    let server = server.ok().context("tower-oauth2-resource-server")?;
    let handler = handler(|request| {
        let claims = request.extensions().get::<Claims>();
        claims.is_some_and(|claims| claims.scope.split(' ').any(|scope| scope == "notes:read"))
    });
    Ok(Here { runtime, signed, kind: Kind::Cold, check: Layered(server.into_layer().layer(handler)) })
}
