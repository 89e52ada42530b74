//! The demo's clients: one for each way to prove who it is.

use super::drawn;
use super::key::DemoKey;
use grantor_protocol::client::{AuthMethod, ClientSecret};
use grantor_protocol::grant::GrantType;
use grantor_protocol::profile::Profile;
use grantor_protocol::value::{Issuer, Secret};
use serde_json::{Map, Value, json};

/// A client.
#[derive(Debug)]
pub(crate) struct Client {
    /// Its identifier.
    pub(crate) id: &'static str,
    /// What people call it.
    pub(super) name: &'static str,
    /// How it proves who it is.
    pub(super) proof: Proof,
    pub(super) redirect_uris: Vec<String>,
    pub(super) grant_types: &'static [&'static str],
    pub(super) scope: &'static str,
    /// Whether the user is asked.
    pub(super) asks: bool,
}

/// How a client proves who it is.
#[derive(Debug)]
pub(super) enum Proof {
    /// It does not.
    Public,
    /// By a secret, in this way.
    Secret(Secret, AuthMethod),
    /// By a key of its own, registered by value.
    Key(DemoKey),
    /// By a certificate with this common name.
    Certificate(&'static str),
    /// By a token of somebody else, who signs with this key.
    Federated(DemoKey, Workload),
}

/// The tokens of somebody else that speak for a client.
#[derive(Debug)]
pub(super) struct Workload {
    /// Their `iss`.
    pub(super) issuer: &'static str,
    /// Their `aud`.
    pub(super) audience: String,
    /// Their `sub`.
    pub(super) subject: &'static str,
}

impl Proof {
    /// By a secret in a header; it follows from the master key.
    pub(super) fn basic(master_key: &[u8; 32], id: &str) -> Self {
        Self::secret(master_key, id, AuthMethod::ClientSecretBasic)
    }

    /// By a secret that follows from the master key.
    pub(super) fn secret(master_key: &[u8; 32], id: &str, method: AuthMethod) -> Self {
        Self::Secret(ClientSecret::new(drawn(master_key, &format!("client {id}"))).into_secret(), method)
    }
}

impl Workload {
    /// A workload of the demo's platform, whose tokens are for this server.
    pub(super) fn of_platform(issuer: &Issuer, subject: &'static str) -> Self {
        Self { issuer: "https://platform.example", audience: issuer.to_string(), subject }
    }
}

impl Client {
    /// Whether it gets tokens without a user.
    pub(super) fn acts_for_itself(&self) -> bool {
        self.grant_types.contains(&GrantType::ClientCredentials.as_str())
    }

    /// How it authenticates.
    pub(crate) fn method(&self) -> &'static str {
        match self.proof {
            Proof::Public => AuthMethod::None,
            Proof::Secret(_, method) => method,
            Proof::Key(_) | Proof::Federated(..) => AuthMethod::PrivateKeyJwt,
            Proof::Certificate(_) => AuthMethod::TlsClientAuth,
        }
        .as_str()
    }

    /// Its secret, if it has one.
    pub(crate) fn secret(&self) -> Option<&Secret> {
        match &self.proof {
            Proof::Secret(secret, _) => Some(secret),
            _ => None,
        }
    }

    /// As `-u` of curl writes it.
    pub(crate) fn credentials(&self) -> String {
        format!("{}:{}", self.id, self.secret().map_or("", Secret::expose))
    }

    /// As a manifest has it.
    pub(super) fn entry(&self) -> Value {
        let mut entry = self.told();
        entry.insert("client_name".to_owned(), self.name.into());
        let native = matches!(self.proof, Proof::Public);
        entry.insert("application_type".to_owned(), if native { "native" } else { "web" }.into());
        if !self.asks {
            entry.insert("require_consent".to_owned(), false.into());
        }
        if self.scope.contains("payments:") {
            entry.insert("authorization_details_types".to_owned(), json!(["payment"]));
        }
        match &self.proof {
            Proof::Public => {}
            Proof::Secret(secret, method) => {
                entry.insert("client_secret".to_owned(), secret.expose().into());
                if matches!(method, AuthMethod::ClientSecretJwt) {
                    entry.insert("profile".to_owned(), json!(Profile::Oidc));
                }
            }
            Proof::Key(key) => {
                entry.insert("jwks".to_owned(), key.set.clone());
            }
            Proof::Certificate(name) => {
                entry.insert("tls_client_auth_subject_dn".to_owned(), format!("CN={name}").into());
                entry.insert("tls_client_certificate_bound_access_tokens".to_owned(), true.into());
            }
            Proof::Federated(key, Workload { issuer, audience, subject }) => {
                let credential = json!({
                    "name": "demo workload", "issuer": issuer, "audience": audience, "jwks": key.set,
                    "conditions": [{ "claim": "sub", "equals": subject }],
                });
                entry.insert("federated_credentials".to_owned(), json!([credential]));
            }
        }
        Value::Object(entry)
    }

    /// For whoever plays the client: everything that it needs, what it should keep to itself too.
    pub(crate) fn to_json(&self) -> Value {
        let mut told = self.told();
        told.insert("client_secret".to_owned(), json!(self.secret().map(Secret::expose)));
        match &self.proof {
            Proof::Public | Proof::Secret(..) => {}
            Proof::Key(key) => {
                told.insert("private_jwk".to_owned(), key.private.clone());
            }
            Proof::Certificate(name) => {
                told.insert("tls_client_auth_subject_dn".to_owned(), format!("CN={name}").into());
            }
            Proof::Federated(key, Workload { issuer, audience, subject }) => {
                told.insert("private_jwk".to_owned(), key.private.clone());
                told.insert("claims".to_owned(), json!({ "iss": issuer, "aud": audience, "sub": subject }));
            }
        }
        Value::Object(told)
    }

    fn told(&self) -> Map<String, Value> {
        let told = json!({
            "client_id": self.id,
            "redirect_uris": self.redirect_uris,
            "grant_types": self.grant_types,
            "token_endpoint_auth_method": self.method(),
            "scope": self.scope,
        });
        match told {
            Value::Object(told) => told,
            _ => Map::new(),
        }
    }
}
