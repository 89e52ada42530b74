//! Codes: made by a browser that is signed in, redeemed once each.

use super::Stage;
use crate::failure::{Result, broken};
use crate::load::{Load, Once, Script};
use crate::site::{Api, Browser, CALLBACK, Site, form_of};
use grantor_jose::{base64url, digest};
use std::net::SocketAddr;
use std::time::Duration;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

pub(super) fn stage(site: &Site) -> Result<Stage> {
    let (request, address) = (authorization_request(site)?, site.address);
    let refill = move |many| {
        let codes = codes(address, &request, many)?;
        let requests: Vec<_> = codes.iter().map(|code| redemption(code)).collect();
        Ok(Box::new(Once(requests.into_iter())) as Box<dyn Script>)
    };
    Ok(Stage { script: Box::new(Once(Vec::new().into_iter())), refill: Some(Box::new(refill)) })
}

/// Makes so many grants as a user does, whatever the store. Gives their refresh tokens.
pub(crate) fn new_grants(site: &Site, many: usize) -> Result<Vec<String>> {
    let codes = codes(site.address, &authorization_request(site)?, many)?;
    let mut connection = site.connect()?;
    codes.iter().map(|code| connection.call(&redemption(code))?.good()?.text("refresh_token")).collect()
}

/// Of a user who is signed in.
fn authorization_request(site: &Site) -> Result<Vec<u8>> {
    let browser = Browser::sign_in(site)?;
    let challenge = base64url::encode(digest::sha256(VERIFIER.as_bytes()));
    let scope = format!("openid {}", Api::Opaque.scope());
    Ok(browser.authorization_request(&scope, &Api::Opaque.audience(), &challenge))
}

fn redemption(code: &str) -> Vec<u8> {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("resource", &Api::Opaque.audience()),
    ];
    form_of("web", "/token", &fields)
}

fn codes(address: SocketAddr, request: &[u8], many: usize) -> Result<Vec<String>> {
    let mut collect = Collect { request, left: many, codes: Vec::new() };
    let load = Load { warm: Duration::ZERO, ..Load::closed(address, Duration::from_mins(1)) };
    load.run(&mut collect)?;
    if collect.codes.is_empty() {
        return broken("authorization requests bring no codes");
    }
    Ok(collect.codes)
}

struct Collect<'a> {
    request: &'a [u8],
    left: usize,
    codes: Vec<String>,
}

impl Script for Collect<'_> {
    fn request(&mut self, _: usize, out: &mut Vec<u8>) -> bool {
        let more = self.left > 0;
        self.left = self.left.saturating_sub(1);
        out.extend_from_slice(if more { self.request } else { b"" });
        more
    }

    fn answer(&mut self, _: usize, _: u16, head: &[u8], _: &[u8]) {
        let head = String::from_utf8_lossy(head);
        let location = head.lines().find_map(|line| line.strip_prefix("location: "));
        let code = location.and_then(|url| url.split(['?', '&', '#']).find_map(|part| part.strip_prefix("code=")));
        self.codes.extend(code.map(str::to_owned));
    }
}
