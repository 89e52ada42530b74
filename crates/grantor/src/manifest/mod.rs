//! The manifest: tenants, APIs, clients, users and policies in one declarative file. It is read and checked as a whole,
//! compared with the store, and carried out as one change.

mod apply;
mod check;
mod export;
mod keeper;
mod plan;
mod read;
mod secret;
#[cfg(test)]
mod tests;
mod world;

pub(crate) use apply::{Applied, How, apply, execute};
pub(crate) use export::{client_entry, export, user_entry};
pub(crate) use keeper::{Keeper, Safe};
pub(crate) use plan::{Kind, Step, What, differing};

/// What is wrong with a text by itself.
pub(crate) fn problems_of(name: &str, text: &str) -> String {
    let mut problems = Problems::default();
    let source = Source::new(name, text);
    read::read(&source, Format::guess(name, text), &mut problems);
    problems.render(false)
}

use crate::document::{Format, Node, Problems, Source};
use grantor_protocol::client::ClientMetadata;
use grantor_protocol::directory::{Api, Policy, Tenant, UserClaims};
use grantor_protocol::value::{Resource, Secret, Subject, TenantName, UnixTime};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All that a file declares.
#[derive(Debug, Default)]
pub(crate) struct Manifest {
    /// `[[tenants]]`.
    pub(crate) tenants: Vec<Declared<Tenant>>,
    /// `[[apis]]`.
    pub(crate) apis: Vec<Declared<Api>>,
    /// `[[clients]]`.
    pub(crate) clients: Vec<Declared<ClientDeclaration>>,
    /// `[[users]]`.
    pub(crate) users: Vec<Declared<UserDeclaration>>,
    /// `[[policies]]`.
    pub(crate) policies: Vec<Declared<Policy>>,
}

/// A record and the place where it stands.
#[derive(Debug)]
pub(crate) struct Declared<T> {
    /// The record. It is whole only when the node is not tainted.
    pub(crate) record: T,
    /// As it was written.
    pub(crate) node: Node,
}

/// A client: the names of RFC 7591, and its secret.
#[derive(Debug)]
pub(crate) struct ClientDeclaration {
    /// The metadata.
    pub(crate) metadata: ClientMetadata,
    /// The secret.
    pub(crate) secrets: ClientSecrets,
}

/// What is said of a client beside its metadata (RFC 7591 3.2.1), and the hash that an export writes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_field_names, reason = "the names of RFC 7591")]
pub(crate) struct ClientSecrets {
    /// The secret itself; absent where one is needed: made once, and kept afterwards.
    pub(crate) client_secret: Option<Secret>,
    /// Or what is kept of one or several.
    pub(crate) client_secret_hash: Option<HashedSecrets>,
    /// When the secret stops to work; 0 is never.
    pub(crate) client_secret_expires_at: Option<UnixTime>,
    /// When the client was registered elsewhere.
    pub(crate) client_id_issued_at: Option<UnixTime>,
}

/// One secret, or several that overlap.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum HashedSecrets {
    /// One.
    One(HashedSecret),
    /// Several.
    Many(Vec<HashedSecret>),
}

/// What is kept of a secret: `sha256:` and base64url, a PHC string, or `sealed:` and what the master key opens.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum HashedSecret {
    /// It does not expire.
    Lasting(String),
    /// It does.
    Expiring {
        /// The hash.
        hash: String,
        /// When it stops to work.
        expires: UnixTime,
    },
}

/// A user: account and claims in one table.
#[derive(Debug)]
pub(crate) struct UserDeclaration {
    /// The account.
    pub(crate) account: Account,
    /// The claims of OpenID Connect Core 5.1.
    pub(crate) claims: UserClaims,
}

/// What a user is beside his claims.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Account {
    /// The tenant that he belongs to.
    #[serde(default)]
    pub(crate) tenant: TenantName,
    /// What he types.
    pub(crate) username: String,
    /// His subject; made when absent, and kept afterwards.
    #[serde(default)]
    pub(crate) sub: Option<Subject>,
    /// His password.
    #[serde(default)]
    pub(crate) password: Option<Secret>,
    /// Or the PHC string of one.
    #[serde(default)]
    pub(crate) password_hash: Option<String>,
    /// Whether he may administer the server.
    #[serde(default)]
    pub(crate) administrator: bool,
    /// Whether he is locked out.
    #[serde(default)]
    pub(crate) disabled: bool,
    /// His roles at each API.
    #[serde(default)]
    pub(crate) roles: BTreeMap<Resource, Vec<String>>,
}
