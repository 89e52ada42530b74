//! What is declared: an API of each kind of token, a client of each kind, one user.

use grantor_jose::SigningKey;
use grantor_protocol::client::ClientSecret;
use grantor_protocol::value::Secret;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// Of every client that has one: as Grantor makes them, so that the quick hash is kept.
pub(crate) fn secret() -> &'static str {
    static SECRET: LazyLock<Secret> = LazyLock::new(|| ClientSecret::new([5; 32]).into_secret());
    SECRET.expose()
}

/// Nobody listens there.
pub(crate) const CALLBACK: &str = "https://app.example/cb";
/// The user.
pub(crate) const USER: &str = "alice";
/// The user's password.
pub(crate) const PASSWORD: &str = "correct horse battery staple";
/// The user's name in tokens.
pub(crate) const SUBJECT: &str = "user-of-the-bench";

/// An API of the manifest, by the form of its tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api {
    Opaque,
    Es256,
    Eddsa,
    Rs256,
    /// ES256, with an index in a status list.
    Status,
}

impl Api {
    pub(crate) const ALL: [Self; 5] = [Self::Opaque, Self::Es256, Self::Eddsa, Self::Rs256, Self::Status];

    /// Its name, which is that of its scope too.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Opaque => "opaque",
            Self::Es256 => "es256",
            Self::Eddsa => "eddsa",
            Self::Rs256 => "rs256",
            Self::Status => "status",
        }
    }

    pub(crate) fn audience(self) -> String {
        format!("https://{}.api.example", self.name())
    }

    pub(crate) fn scope(self) -> String {
        format!("{}:read", self.name())
    }

    fn token(self) -> Value {
        match self {
            Self::Opaque => json!({ "format": "opaque", "lifetime": 86_400, "binding": "none" }),
            Self::Es256 => json!({ "format": "jwt", "algorithm": "ES256", "lifetime": 86_400 }),
            Self::Eddsa => json!({ "format": "jwt", "algorithm": "EdDSA", "lifetime": 86_400 }),
            Self::Rs256 => json!({ "format": "jwt", "algorithm": "RS256", "lifetime": 86_400 }),
            Self::Status => json!({ "format": "jwt", "algorithm": "ES256", "lifetime": 600, "status_list": true }),
        }
    }

    fn record(self) -> Value {
        let ceiling = |client: &str| json!({ "client_id": client, "scope": self.scope() });
        json!({
            "audience": self.audience(),
            "name": self.name(),
            "scopes": [{ "name": self.scope(), "description": "Read" }],
            "token": self.token(),
            "ceilings": [ceiling("machine"), ceiling("keyed"), ceiling("proving")],
            "resource_servers": ["api"],
        })
    }
}

pub(super) fn manifest(key: &SigningKey) -> Value {
    let everything = Api::ALL.map(Api::scope).join(" ");
    let code = json!(["authorization_code", "refresh_token"]);
    json!({
        "tenants": [{
            "name": "default",
            // Codes are prepared before they are redeemed.
            "lifetimes": { "code": 600 },
        }],
        "apis": Api::ALL.map(Api::record),
        "clients": [
            { "client_id": "machine", "client_secret": secret(), "grant_types": ["client_credentials"] },
            { "client_id": "proving", "client_secret": secret(), "grant_types": ["client_credentials"],
              "dpop_bound_access_tokens": true },
            { "client_id": "keyed", "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [key.public_jwk()] },
              "grant_types": ["client_credentials"] },
            { "client_id": "api", "client_secret": secret(), "grant_types": ["client_credentials"] },
            { "client_id": "web", "client_name": "Web", "client_secret": secret(), "redirect_uris": [CALLBACK],
              "grant_types": code, "scope": format!("openid profile email offline_access {everything}"),
              "require_consent": false },
        ],
        "users": [{
            "sub": SUBJECT, "username": USER, "password": PASSWORD, "name": "Alice Liddell", "email": "alice@example.com",
            "email_verified": true,
        }],
    })
}
