//! What is asked with the tokens of grants.

use super::{GRANTS, Stage};
use crate::failure::{Result, broken};
use crate::http::{self, escaped};
use crate::load::{Cycle, Script};
use crate::site::{Api, Site, basic, form_of, post};

/// Grants in parallel at the refresh: one for each connection.
const CHAINS: usize = 64;

pub(super) fn introspection(site: &Site, grants: &mut Vec<String>, api: Api) -> Result<Stage> {
    let tokens = access_tokens(site, grants, api)?;
    let requests = tokens.iter().map(|token| form_of("api", "/introspect", &[("token", token)]));
    Ok(Stage { script: Box::new(Cycle::new(requests.collect())), refill: None })
}

pub(super) fn userinfo(site: &Site, grants: &mut Vec<String>) -> Result<Stage> {
    let mut connection = site.connect()?;
    let mut requests = Vec::new();
    for refresh in take(grants, GRANTS)? {
        let fields =
            [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str()), ("scope", "openid profile email")];
        let token = post(&mut connection, "web", "/token", &fields)?.text("access_token")?;
        requests.push(http::get("/userinfo", &[("authorization", &format!("Bearer {token}"))]));
    }
    Ok(Stage { script: Box::new(Cycle::new(requests)), refill: None })
}

/// Each connection refreshes a grant of its own, with the newest token.
pub(super) fn refresh(grants: &mut Vec<String>) -> Result<Stage> {
    let chains = take(grants, u64::try_from(CHAINS)?)?;
    Ok(Stage { script: Box::new(Chains::new(chains)), refill: None })
}

fn access_tokens(site: &Site, grants: &mut Vec<String>, api: Api) -> Result<Vec<String>> {
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
    let grants = take(grants, GRANTS)?;
    grants
        .iter()
        .map(|refresh| post(&mut connection, "web", "/token", &fields(refresh))?.text("access_token"))
        .collect()
}

fn take(grants: &mut Vec<String>, many: u64) -> Result<Vec<String>> {
    let many = usize::try_from(many)?;
    if grants.len() < many {
        return broken("too few grants were prepared");
    }
    Ok(grants.drain(..many).collect())
}

/// Rotation: the answer's token is the next request's.
pub(crate) struct Chains {
    authorization: String,
    rest: String,
    tokens: Vec<String>,
}

impl Chains {
    pub(crate) fn new(tokens: Vec<String>) -> Self {
        let (scope, audience) = (Api::Opaque.scope(), Api::Opaque.audience());
        let rest = format!("&scope={}&resource={}", escaped(&scope), escaped(&audience));
        Self { authorization: basic("web"), rest, tokens }
    }
}

impl Script for Chains {
    fn request(&mut self, connection: usize, out: &mut Vec<u8>) -> bool {
        let Some(token) = self.tokens.get(connection) else { return false };
        // The alphabet of handles needs no escapes.
        let body = format!("grant_type=refresh_token&refresh_token={token}{}", self.rest);
        let head = format!(
            "POST /token HTTP/1.1\r\nhost: localhost\r\nauthorization: {}\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
            self.authorization,
            body.len()
        );
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(body.as_bytes());
        true
    }

    fn answer(&mut self, connection: usize, _: u16, _: &[u8], body: &[u8]) {
        const MEMBER: &str = "\"refresh_token\":\"";
        let Ok(text) = std::str::from_utf8(body) else { return };
        let token = text.split_once(MEMBER).and_then(|(_, rest)| rest.split_once('"'));
        if let (Some((token, _)), Some(kept)) = (token, self.tokens.get_mut(connection)) {
            token.clone_into(kept);
        }
    }
}
