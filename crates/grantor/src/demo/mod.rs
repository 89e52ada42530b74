//! What the demo consists of: a manifest like any other, and the tour that is printed with it.

mod tour;

pub(crate) use tour::{Tour, to_json};

use grantor_jose::{base64url, derive, digest};
use grantor_protocol::client::ClientSecret;
use grantor_protocol::value::{Issuer, Secret};
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
    /// A confidential web application.
    pub(crate) web: Client,
    /// A public native application.
    pub(crate) public: Client,
    /// A machine that acts for itself.
    pub(crate) machine: Client,
    /// The notes API's own credentials.
    pub(crate) notes_api: Client,
    /// A PKCE verifier for the tour (RFC 7636 4.1).
    pub(crate) verifier: String,
}

/// A client and its secret.
#[derive(Debug)]
pub(crate) struct Client {
    /// Its identifier.
    pub(crate) id: &'static str,
    /// Its secret, unless it is public.
    pub(crate) secret: Option<Secret>,
    redirect_uris: Vec<String>,
    grant_types: &'static [&'static str],
    scope: &'static str,
}

impl Demo {
    /// The demo of an issuer. The secrets follow from the master key: a data directory that is used again has the same.
    pub(crate) fn new(issuer: Issuer, master_key: &[u8; 32]) -> Self {
        let secret =
            |id: &str| Some(ClientSecret::new(derive::subkey(master_key, &format!("demo client {id}"))).into_secret());
        let here = issuer.endpoint("/demo/callback");
        let everything = "openid profile email offline_access notes:read notes:write mail:read mail:send";
        Self {
            notes: issuer.endpoint("/demo/notes"),
            mail: issuer.endpoint("/demo/mail"),
            web: Client {
                id: "demo-web",
                secret: secret("demo-web"),
                redirect_uris: vec![
                    "http://localhost:3000/callback".to_owned(),
                    "http://127.0.0.1/callback".to_owned(),
                    here.clone(),
                ],
                grant_types: &["authorization_code", "refresh_token"],
                scope: everything,
            },
            public: Client {
                id: "demo-public",
                secret: None,
                redirect_uris: vec!["http://127.0.0.1/callback".to_owned(), "http://[::1]/callback".to_owned(), here],
                grant_types: &["authorization_code", "refresh_token"],
                scope: everything,
            },
            machine: Client {
                id: "demo-machine",
                secret: secret("demo-machine"),
                redirect_uris: Vec::new(),
                grant_types: &["client_credentials"],
                scope: "notes:read notes:write mail:read mail:send",
            },
            notes_api: Client {
                id: "demo-notes-api",
                secret: secret("demo-notes-api"),
                redirect_uris: Vec::new(),
                grant_types: &["client_credentials"],
                scope: "",
            },
            verifier: base64url::encode(derive::subkey(master_key, "demo verifier")),
            issuer,
        }
    }

    /// Its clients.
    pub(crate) fn clients(&self) -> [&Client; 4] {
        [&self.web, &self.public, &self.machine, &self.notes_api]
    }

    /// As a manifest.
    pub(crate) fn manifest(&self) -> Value {
        let ceiling = |scope: &str| json!([{ "client_id": self.machine.id, "scope": scope }]);
        json!({
            "apis": [{
                "audience": self.notes,
                "name": { "en": "Demo notes", "de": "Demo-Notizen" },
                "scopes": [
                    { "name": "notes:read", "description": { "en": "Read your notes", "de": "Ihre Notizen lesen" } },
                    { "name": "notes:write", "description": { "en": "Write and delete your notes", "de": "Ihre Notizen schreiben und löschen" } },
                ],
                "roles": [{ "name": "editor", "description": "May change notes" }],
                "token": { "format": "jwt" },
                "ceilings": ceiling("notes:read notes:write"),
                "resource_servers": [self.notes_api.id],
            }, {
                "audience": self.mail,
                "name": { "en": "Demo mail", "de": "Demo-Post" },
                "scopes": [
                    { "name": "mail:read", "description": { "en": "Read your mail", "de": "Ihre Post lesen" } },
                    { "name": "mail:send", "description": { "en": "Send mail in your name", "de": "Post in Ihrem Namen senden" } },
                ],
                "token": { "format": "opaque" },
                "ceilings": ceiling("mail:read mail:send"),
                "resource_servers": [self.notes_api.id],
            }],
            "clients": self.clients().map(Client::entry),
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

impl Client {
    /// How it authenticates.
    pub(crate) fn method(&self) -> &'static str {
        if self.secret.is_some() { "client_secret_basic" } else { "none" }
    }

    /// As `-u` of curl writes it.
    pub(crate) fn credentials(&self) -> String {
        format!("{}:{}", self.id, self.secret.as_ref().map_or("", Secret::expose))
    }

    fn entry(&self) -> Value {
        let name = match self.id {
            "demo-web" => "Demo web application",
            "demo-public" => "Demo app",
            "demo-machine" => "Demo machine",
            _ => "Demo notes API",
        };
        let mut entry = json!({
            "client_id": self.id,
            "client_name": name,
            "redirect_uris": self.redirect_uris,
            "grant_types": self.grant_types,
            "token_endpoint_auth_method": self.method(),
            "application_type": if self.secret.is_some() { "web" } else { "native" },
            "scope": self.scope,
        });
        if let (Some(secret), Some(entry)) = (&self.secret, entry.as_object_mut()) {
            entry.insert("client_secret".to_owned(), secret.expose().into());
        }
        entry
    }
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
        let demo = Demo::new(Issuer::parse("http://localhost:8080").unwrap(), &[7; 32]);
        let source = Source::new("demo", demo.manifest().to_string());
        let first =
            apply(&store, &source, Format::Json, How::default(), Safe::Open(&[7; 32]), UnixTime::new(1)).await.unwrap();
        assert!(first.warnings.is_empty(), "{}", first.warnings.render(false));
        assert!(first.generated.is_empty());
        let again = Demo::new(demo.issuer.clone(), &[7; 32]);
        let source = Source::new("demo", again.manifest().to_string());
        let second =
            apply(&store, &source, Format::Json, How::default(), Safe::Open(&[7; 32]), UnixTime::new(2)).await.unwrap();
        assert!(second.steps.iter().all(|step| step.what == What::Unchanged), "{:?}", second.steps);
    }
}
