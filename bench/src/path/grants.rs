//! What is asked with the tokens of grants.

use super::Stage;
use crate::failure::{Result, broken};
use crate::http::{self, escaped};
use crate::load::{Cycle, Script};
use crate::site::{Api, Site, basic, form_of, post};

/// Grants in parallel at the refresh: one for each connection.
pub(crate) const CHAINS: usize = 64;

pub(super) fn introspection(site: &Site, grants: &[String], api: Api) -> Result<Stage> {
    let tokens = access_tokens(site, grants, api)?;
    let requests = tokens.iter().map(|token| form_of("api", "/introspect", &[("token", token)]));
    Ok(Stage { script: Box::new(Cycle::new(requests.collect())), refill: None })
}

pub(super) fn userinfo(site: &Site, grants: &[String]) -> Result<Stage> {
    let mut connection = site.connect()?;
    let mut requests = Vec::new();
    for refresh in grants {
        let fields =
            [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str()), ("scope", "openid profile email")];
        let token = post(&mut connection, "web", "/token", &fields)?.text("access_token")?;
        requests.push(http::get("/userinfo", &[("authorization", &format!("Bearer {token}"))]));
    }
    Ok(Stage { script: Box::new(Cycle::new(requests)), refill: None })
}

/// What a proxy asks before it passes a request on.
pub(super) fn forward_auth(site: &Site, grants: &[String]) -> Result<Stage> {
    let path = format!("/forward-auth?resource={}&scope={}", Api::Es256.audience(), escaped(&Api::Es256.scope()));
    let tokens = access_tokens(site, grants, Api::Es256)?;
    let asked = |token: &String| {
        let authorization = format!("Bearer {token}");
        http::get(
            &path,
            &[("authorization", &authorization), ("x-original-method", "GET"), ("x-original-uri", "/notes")],
        )
    };
    Ok(Stage { script: Box::new(Cycle::new(tokens.iter().map(asked).collect())), refill: None })
}

/// Each connection refreshes a grant of its own, with the newest token.
pub(super) fn refresh(grants: &[String]) -> Result<Stage> {
    if grants.len() < CHAINS {
        return broken("too few grants were prepared");
    }
    Ok(Stage { script: Box::new(Chains::new(grants.to_vec(), CHAINS)), refill: None })
}

fn access_tokens(site: &Site, grants: &[String], api: Api) -> Result<Vec<String>> {
    let mut connection = site.connect()?;
    let (scope, audience) = (api.scope(), api.audience());
    let fields = |refresh| {
        [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh),
            ("scope", scope.as_str()),
            ("resource", audience.as_str()),
        ]
    };
    grants
        .iter()
        .map(|refresh| post(&mut connection, "web", "/token", &fields(refresh))?.text("access_token"))
        .collect()
}

/// Rotation: a connection walks through grants of its own, and each answer's token is that grant's next.
pub(crate) struct Chains {
    authorization: String,
    rest: String,
    /// By connection.
    grants: Vec<Chain>,
}

#[derive(Default)]
struct Chain {
    tokens: Vec<String>,
    at: usize,
}

impl Chains {
    /// `connections` share the grants out among themselves.
    pub(crate) fn new(tokens: Vec<String>, connections: usize) -> Self {
        let (scope, audience) = (Api::Opaque.scope(), Api::Opaque.audience());
        let rest = format!("&scope={}&resource={}", escaped(&scope), escaped(&audience));
        let mut grants: Vec<Chain> = (0..connections.min(tokens.len())).map(|_| Chain::default()).collect();
        for (n, token) in tokens.into_iter().enumerate() {
            if let Some(chain) = grants.get_mut(n % connections.max(1)) {
                chain.tokens.push(token);
            }
        }
        Self { authorization: basic("web"), rest, grants }
    }
}

impl Script for Chains {
    fn request(&mut self, connection: usize, out: &mut Vec<u8>) -> bool {
        let chain = self.grants.get(connection);
        let Some(token) = chain.and_then(|chain| chain.tokens.get(chain.at)) else { return false };
        // The alphabet of handles needs no escapes.
        let body = format!("grant_type=refresh_token&refresh_token={token}{}", self.rest);
        let head = format!(
            "POST /token HTTP/1.1\r\nhost: localhost\r\nauthorization: {}\r\nx-forwarded-for: 10.{}.{}.1\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
            self.authorization,
            // Each grant is a device with an address of its own: the audit log tells them apart.
            connection % 256,
            chain.map_or(0, |chain| chain.at % 256),
            body.len()
        );
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(body.as_bytes());
        true
    }

    fn answer(&mut self, connection: usize, _: u16, _: &[u8], body: &[u8]) {
        const MEMBER: &str = "\"refresh_token\":\"";
        let Some(chain) = self.grants.get_mut(connection) else { return };
        let text = std::str::from_utf8(body).unwrap_or_default();
        let token = text.split_once(MEMBER).and_then(|(_, rest)| rest.split_once('"'));
        if let (Some((token, _)), Some(kept)) = (token, chain.tokens.get_mut(chain.at)) {
            token.clone_into(kept);
        }
        chain.at = (chain.at + 1) % chain.tokens.len().max(1);
    }

    fn writes(&self) -> bool {
        true
    }
}
