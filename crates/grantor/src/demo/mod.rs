//! What the demo consists of: a manifest like any other, and the tour that is printed with it.

mod certificates;
mod client;
mod key;
mod players;
mod tour;

pub(crate) use certificates::Certificates;
pub(crate) use client::Client;
pub(crate) use tour::{Mutual, Tour, to_json};

use client::{Proof, Workload};
use grantor_jose::{base64url, derive, digest};
use grantor_protocol::value::Issuer;
use key::DemoKey;
use serde_json::{Value, json};

/// The user.
pub(crate) const USERNAME: &str = "alice";

/// Her password: the demo listens on this machine only.
pub(crate) const PASSWORD: &str = "demo-password";

/// Everything that the demo declares, before it is applied.
#[derive(Debug)]
pub(crate) struct Demo {
    /// Where it answers.
    pub(crate) issuer: Issuer,
    /// The API whose tokens are JWTs.
    pub(crate) notes: String,
    /// The API whose tokens are opaque.
    pub(crate) mail: String,
    /// Where it says what it does.
    pub(crate) openapi: String,
    /// The API whose tokens are worth nothing without a key (RFC 9449).
    pub(crate) payments: String,
    /// A confidential web application.
    pub(crate) web: Client,
    /// A public native application.
    pub(crate) public: Client,
    /// What the playground acts as, for whoever has no client yet: one for each way to prove who it is; and what its attacks
    /// are tried on.
    pub(crate) players: [Client; 7],
    /// A machine that acts for itself.
    pub(crate) machine: Client,
    /// The notes API's own credentials.
    pub(crate) notes_api: Client,
    /// A web application with a key in place of a secret.
    pub(crate) jwt: Client,
    /// A machine with a certificate.
    pub(crate) certified: Client,
    /// A machine with a token of its platform.
    pub(crate) workload: Client,
    /// A PKCE verifier for the tour (RFC 7636 4.1).
    pub(crate) verifier: String,
}

const CODE: &[&str] = &["authorization_code", "refresh_token"];
const NATIVE: &[&str] = &["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"];
const MACHINE: &[&str] = &["client_credentials"];
const BOTH: &[&str] = &["authorization_code", "refresh_token", "client_credentials"];

const EVERYTHING: &str = "openid profile email offline_access notes:read notes:write mail:read mail:send";
const PAYMENTS_TOO: &str =
    "openid profile email offline_access notes:read notes:write mail:read mail:send payments:read payments:write";
const NOTES_AND_MAIL: &str = "notes:read notes:write mail:read mail:send";

impl Demo {
    /// The demo of an issuer. Secrets and keys follow from the master key: a data directory that is used again has the
    /// same. None for one master key in a thousand million.
    pub(crate) fn new(issuer: Issuer, master_key: &[u8; 32]) -> Option<Self> {
        let drawn = |what: &str| drawn(master_key, what);
        let secret = |id: &str| Proof::basic(master_key, id);
        let here = issuer.endpoint("/demo/callback");
        let web =
            vec!["http://localhost:3000/callback".to_owned(), "http://127.0.0.1/callback".to_owned(), here.clone()];
        let native = vec!["http://127.0.0.1/callback".to_owned(), "http://[::1]/callback".to_owned(), here];
        let client = |id, name, proof, redirect_uris, grant_types, scope| Client {
            id,
            name,
            proof,
            redirect_uris,
            grant_types,
            scope,
            asks: true,
        };
        let runs = Workload::of_platform(&issuer, "system:serviceaccount:demo:nightly");
        let (jwt, platform) = (DemoKey::new(drawn("client demo-jwt"))?, DemoKey::new(drawn("platform"))?);
        Some(Self {
            notes: issuer.endpoint("/demo/notes"),
            mail: issuer.endpoint("/demo/mail"),
            openapi: issuer.endpoint("/demo/openapi.json"),
            payments: issuer.endpoint("/demo/payments"),
            web: client("demo-web", "Demo web application", secret("demo-web"), web.clone(), CODE, EVERYTHING),
            public: client("demo-public", "Demo app", Proof::Public, native.clone(), NATIVE, EVERYTHING),
            players: players::all(&issuer, master_key, &native)?,
            machine: client("demo-machine", "Demo machine", secret("demo-machine"), vec![], MACHINE, NOTES_AND_MAIL),
            notes_api: client("demo-notes-api", "Demo notes API", secret("demo-notes-api"), vec![], MACHINE, ""),
            jwt: client("demo-jwt", "Demo application with a key", Proof::Key(jwt), web, BOTH, PAYMENTS_TOO),
            certified: client(
                "demo-mtls",
                "Demo machine with a certificate",
                Proof::Certificate("demo-mtls"),
                vec![],
                MACHINE,
                NOTES_AND_MAIL,
            ),
            workload: client(
                "demo-workload",
                "Demo workload",
                Proof::Federated(platform, runs),
                vec![],
                MACHINE,
                NOTES_AND_MAIL,
            ),
            verifier: base64url::encode(drawn("verifier")),
            issuer,
        })
    }

    /// Its clients.
    pub(crate) fn clients(&self) -> impl Iterator<Item = &Client> {
        let own = [&self.web, &self.public, &self.machine, &self.notes_api, &self.jwt, &self.certified, &self.workload];
        own.into_iter().chain(&self.players)
    }

    /// What the playground has to play with, for everybody who opens it.
    pub(crate) fn played(&self) -> Vec<Value> {
        let machines = [&self.machine, &self.certified];
        self.players.iter().filter(|player| player.asks).chain(machines).map(Client::to_json).collect()
    }

    /// As a manifest. The tenant is in it when there is none yet: later it is as somebody wanted it.
    pub(crate) fn manifest(&self, has_tenant: bool) -> Value {
        let ceilings = |scope: &str| -> Value {
            let machines = self.clients().filter(|client| client.acts_for_itself() && !client.scope.is_empty());
            machines.map(|machine| json!({ "client_id": machine.id, "scope": scope })).collect()
        };
        json!({
            "tenants": if has_tenant { json!([]) } else { json!([{ "name": "default", "desk": true }]) },
            "apis": [{
                "audience": self.notes,
                "name": { "en": "Demo notes", "de": "Demo-Notizen" },
                "scopes": [
                    { "name": "notes:read", "description": { "en": "Read your notes", "de": "Ihre Notizen lesen" } },
                    { "name": "notes:write", "description": { "en": "Write and delete your notes", "de": "Ihre Notizen schreiben und löschen" } },
                ],
                "roles": [{ "name": "editor", "description": "May change notes" }],
                "token": { "format": "jwt" },
                "ceilings": ceilings("notes:read notes:write"),
                "resource_servers": [self.notes_api.id],
                "operations": [
                    { "method": "GET", "summary": { "en": "Read the notes", "de": "Notizen lesen" }, "scope": "notes:read" },
                    { "method": "GET", "path": "?search={word}", "summary": { "en": "Search the notes", "de": "Notizen durchsuchen" }, "scope": "notes:read" },
                    { "method": "POST", "summary": { "en": "Write a note", "de": "Eine Notiz schreiben" }, "scope": "notes:write", "body": "Remember the milk" },
                    { "method": "DELETE", "path": "/{number}", "summary": { "en": "Delete a note", "de": "Eine Notiz löschen" }, "scope": "notes:write" },
                ],
            }, {
                "audience": self.mail,
                "name": { "en": "Demo mail", "de": "Demo-Post" },
                "scopes": [
                    { "name": "mail:read", "description": { "en": "Read your mail", "de": "Ihre Post lesen" } },
                    { "name": "mail:send", "description": { "en": "Send mail in your name", "de": "Post in Ihrem Namen senden" } },
                ],
                "token": { "format": "opaque" },
                "ceilings": ceilings("mail:read mail:send"),
                "resource_servers": [self.notes_api.id],
                "openapi": self.openapi,
            }, {
                "audience": self.payments,
                "name": { "en": "Demo payments", "de": "Demo-Zahlungen" },
                "scopes": [
                    { "name": "payments:read", "description": { "en": "See your payments", "de": "Ihre Zahlungen sehen" } },
                    { "name": "payments:write", "description": { "en": "Pay in your name", "de": "In Ihrem Namen zahlen" } },
                ],
                "token": { "format": "jwt", "binding": "dpop" },
                "authorization_details_types": [{
                    "type": "payment",
                    "description": { "en": "Pay {/amount} {/currency} to {/creditor}", "de": "{/amount} {/currency} an {/creditor} zahlen" },
                    "schema": {
                        "type": "object",
                        "required": ["amount", "currency", "creditor"],
                        "properties": {
                            "amount": { "type": "string", "pattern": "^[0-9]+\\.[0-9]{2}$" },
                            "currency": { "type": "string", "pattern": "^[A-Z]{3}$" },
                            "creditor": { "type": "string" },
                        },
                    },
                }],
                "ceilings": [{
                    "client_id": self.jwt.id, "scope": "payments:read payments:write",
                    "authorization_details_types": ["payment"],
                }],
                "resource_servers": [self.notes_api.id],
            }],
            "clients": self.clients().map(Client::entry).collect::<Vec<_>>(),
            "users": [{
                "username": USERNAME,
                "password": PASSWORD,
                "name": "Alice Liddell",
                "given_name": "Alice",
                "family_name": "Liddell",
                "email": "alice@example.com",
                "email_verified": true,
                "roles": { self.notes.clone(): ["editor"] },
            }],
        })
    }

    /// The challenge of the tour's verifier (RFC 7636 4.2).
    pub(crate) fn challenge(&self) -> String {
        base64url::encode(digest::sha256(self.verifier.as_bytes()))
    }
}

/// What follows from the master key for one purpose.
fn drawn(master_key: &[u8; 32], what: &str) -> [u8; 32] {
    derive::subkey(master_key, &format!("demo {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Format, Source};
    use crate::manifest::{How, Safe, What, apply};
    use grantor_protocol::value::UnixTime;
    use grantor_store::MemoryStore;

    #[tokio::test]
    async fn the_demo_is_a_good_manifest_and_stays_the_same() {
        let store = MemoryStore::default();
        let demo = Demo::new(Issuer::parse("http://localhost:8080").unwrap(), &[7; 32]).unwrap();
        let source = Source::new("demo", demo.manifest(false).to_string());
        let first =
            apply(&store, &source, Format::Json, How::default(), Safe::Open(&[7; 32]), UnixTime::new(1)).await.unwrap();
        assert!(first.warnings.is_empty(), "{}", first.warnings.render(false));
        assert!(first.generated.is_empty());
        let again = Demo::new(demo.issuer.clone(), &[7; 32]).unwrap();
        let source = Source::new("demo", again.manifest(false).to_string());
        let second =
            apply(&store, &source, Format::Json, How::default(), Safe::Open(&[7; 32]), UnixTime::new(2)).await.unwrap();
        assert!(second.steps.iter().all(|step| step.what == What::Unchanged), "{:?}", second.steps);
    }
}
