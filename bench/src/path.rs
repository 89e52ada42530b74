//! The paths that are measured, what each is held against, and what is asked on it.

mod codes;
mod grants;
mod proofs;

pub(crate) use codes::new_grants;
pub(crate) use grants::{CHAINS, Chains};

use crate::ceiling::Work;
use crate::failure::Result;
use crate::http;
use crate::load::{Cycle, Script};
use crate::rows::Rows;
use crate::site::{Api, Site, form_of};

/// One of the paths. The one list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Path {
    Metadata,
    Jwks,
    TokenOpaque,
    TokenEs256,
    TokenEddsa,
    TokenRs256,
    TokenStatus,
    IntrospectOpaque,
    IntrospectJwt,
    Userinfo,
    ForwardAuth,
    Refresh,
    Code,
    PrivateKeyJwt,
    Dpop,
}

/// What a path is held against.
#[derive(Clone, Debug)]
pub(crate) struct Against {
    /// The fixed body with this work.
    pub(crate) work: Vec<Work>,
    /// And these rows, committed by bare SQLite, where something is written.
    pub(crate) rows: Option<Rows>,
    /// The part of the dearer of them that is wanted.
    pub(crate) wanted: f64,
}

/// What is asked, and how to get more of what can be asked once.
pub(crate) struct Stage {
    pub(crate) script: Box<dyn Script>,
    /// Makes a script of about so many requests.
    pub(crate) refill: Option<Refill>,
}

pub(crate) type Refill = Box<dyn FnMut(usize) -> Result<Box<dyn Script>>>;

impl Path {
    pub(crate) const ALL: [Self; 15] = [
        Self::Metadata,
        Self::Jwks,
        Self::TokenOpaque,
        Self::TokenEs256,
        Self::TokenEddsa,
        Self::TokenRs256,
        Self::TokenStatus,
        Self::IntrospectOpaque,
        Self::IntrospectJwt,
        Self::Userinfo,
        Self::ForwardAuth,
        Self::Refresh,
        Self::Code,
        Self::PrivateKeyJwt,
        Self::Dpop,
    ];

    /// As it is written on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Jwks => "jwks",
            Self::TokenOpaque => "token-opaque",
            Self::TokenEs256 => "token-es256",
            Self::TokenEddsa => "token-eddsa",
            Self::TokenRs256 => "token-rs256",
            Self::TokenStatus => "token-status",
            Self::IntrospectOpaque => "introspect-opaque",
            Self::IntrospectJwt => "introspect-jwt",
            Self::Userinfo => "userinfo",
            Self::ForwardAuth => "forward-auth",
            Self::Refresh => "refresh",
            Self::Code => "code",
            Self::PrivateKeyJwt => "private-key-jwt",
            Self::Dpop => "dpop",
        }
    }

    pub(crate) fn parse(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|path| path.name() == name);
        let all = || Self::ALL.map(Self::name).join(", ");
        found.ok_or_else(|| format!("there is no path {name}, but {}", all()).into())
    }

    /// For people.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Jwks => "JWKS",
            Self::TokenOpaque => "client credentials, opaque token",
            Self::TokenEs256 => "client credentials, JWT ES256",
            Self::TokenEddsa => "client credentials, JWT EdDSA",
            Self::TokenRs256 => "client credentials, JWT RS256",
            Self::TokenStatus => "client credentials, JWT ES256 with a status, durable",
            Self::IntrospectOpaque => "introspection of an opaque token",
            Self::IntrospectJwt => "introspection of a JWT seen before",
            Self::Userinfo => "userinfo",
            Self::ForwardAuth => "forward-auth with a JWT seen before",
            Self::Refresh => "refresh, durable, 64 grants in parallel",
            Self::Code => "code redemption with ID token RS256",
            Self::PrivateKeyJwt => "private_key_jwt ES256, opaque token",
            Self::Dpop => "DPoP proof ES256, opaque token",
        }
    }

    pub(crate) fn against(self) -> Against {
        let (work, wanted) = match self {
            Self::Metadata | Self::Jwks => (vec![], 0.95),
            Self::TokenOpaque | Self::IntrospectOpaque | Self::IntrospectJwt | Self::ForwardAuth => (vec![], 0.70),
            Self::TokenEs256 => (vec![Work::SignEs256], 0.80),
            Self::TokenEddsa => (vec![Work::SignEddsa], 0.75),
            Self::TokenRs256 => (vec![Work::SignRs256], 0.95),
            Self::TokenStatus => (vec![Work::SignEs256], 0.60),
            Self::Userinfo => (vec![], 0.65),
            Self::Refresh => (vec![], 0.60),
            Self::Code => (vec![Work::SignRs256], 0.80),
            Self::PrivateKeyJwt | Self::Dpop => (vec![Work::VerifyEs256], 0.75),
        };
        let rows = match self {
            Self::Refresh => Some(Rows::Rotations),
            Self::Code => Some(Rows::Redemptions),
            Self::TokenStatus => Some(Rows::Statuses),
            Self::PrivateKeyJwt | Self::Dpop => Some(Rows::Remembered),
            _ => None,
        };
        Against { work, rows, wanted }
    }

    /// How many grants take part.
    pub(crate) fn grants(self) -> usize {
        match self {
            Self::IntrospectOpaque | Self::IntrospectJwt | Self::Userinfo | Self::ForwardAuth => 1024,
            Self::Refresh => grants::CHAINS,
            _ => 0,
        }
    }

    /// What is asked on it. `grants` are refresh tokens that nobody has used yet, as many as should take part.
    pub(crate) fn stage(self, site: &Site, grants: &[String]) -> Result<Stage> {
        let cycle = |request: Vec<u8>| Ok(Stage { script: Box::new(Cycle::new(vec![request])), refill: None });
        match self {
            Self::Metadata => cycle(http::get("/.well-known/oauth-authorization-server", &[])),
            Self::Jwks => cycle(http::get(JWKS, &[])),
            Self::TokenOpaque => cycle(credentials(Api::Opaque)),
            Self::TokenEs256 => cycle(credentials(Api::Es256)),
            Self::TokenEddsa => cycle(credentials(Api::Eddsa)),
            Self::TokenRs256 => cycle(credentials(Api::Rs256)),
            Self::TokenStatus => cycle(credentials(Api::Status)),
            Self::IntrospectOpaque => grants::introspection(site, grants, Api::Opaque),
            Self::IntrospectJwt => grants::introspection(site, grants, Api::Es256),
            Self::Userinfo => grants::userinfo(site, grants),
            Self::ForwardAuth => grants::forward_auth(site, grants),
            Self::Refresh => grants::refresh(grants),
            Self::Code => codes::stage(site),
            Self::PrivateKeyJwt => proofs::assertions(site),
            Self::Dpop => proofs::proofs(site),
        }
    }
}

const JWKS: &str = grantor_protocol::metadata::path::JWKS;

/// RFC 6749 4.4 with a secret.
fn credentials(api: Api) -> Vec<u8> {
    credentials_of("machine", api)
}

/// The same by one of many clients.
pub(crate) fn credentials_of(client: &str, api: Api) -> Vec<u8> {
    requested(client, "", api)
}

/// The same at another tenant.
pub(crate) fn credentials_at(base: &str, api: Api) -> Vec<u8> {
    requested("machine", base, api)
}

fn requested(client: &str, base: &str, api: Api) -> Vec<u8> {
    let (scope, audience) = (api.scope(), api.audience());
    let fields = [("grant_type", "client_credentials"), ("scope", scope.as_str()), ("resource", audience.as_str())];
    form_of(client, &format!("{base}/token"), &fields)
}
