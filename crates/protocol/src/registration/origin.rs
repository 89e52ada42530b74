//! How a client came to be.

use super::TokenHash;
use crate::value::{Resource, UnixTime};
use serde::{Deserialize, Serialize};

/// How a client came to be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub enum Origin {
    /// An administrator declared it.
    #[default]
    Declared,
    /// It registered itself (RFC 7591).
    Registered(Registered),
    /// Its identifier is the URL of a document that describes it. Nothing of it is stored.
    Document(DocumentDigest),
}

/// What is kept of a registration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registered {
    /// What is kept of its registration access token (RFC 7592 1.2).
    pub token_hash: TokenHash,
    /// When it was registered or last used, give or take an eighth of the time that it may be unused.
    pub used: UnixTime,
}

/// Tells versions of a document apart, by what a user looks at when he decides: SHA-256, base64url.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentDigest(pub(super) String);

impl Origin {
    /// Whether an administrator declared it.
    pub const fn is_declared(&self) -> bool {
        matches!(self, Self::Declared)
    }

    /// What is kept of its registration, when it registered itself.
    pub const fn registered(&self) -> Option<&Registered> {
        match self {
            Self::Registered(registered) => Some(registered),
            Self::Declared | Self::Document(_) => None,
        }
    }

    /// What a user is asked beside the scopes, so that he is asked again when the document has changed: a stand-in for an
    /// audience, of which no token is ever made.
    pub fn to_ask(&self) -> Option<Resource> {
        match self {
            Self::Document(digest) => Resource::parse(&format!("{PREFIX}{}", digest.0)),
            Self::Declared | Self::Registered(_) => None,
        }
    }

    /// Whether an audience in a consent is such a stand-in.
    pub fn stands_in(audience: &Resource) -> bool {
        audience.as_str().starts_with(PREFIX)
    }
}

/// As it is written, in JSON and in a manifest.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    registered: Option<Registered>,
}

impl From<Stored> for Origin {
    fn from(stored: Stored) -> Self {
        stored.registered.map_or(Self::Declared, Self::Registered)
    }
}

impl From<Origin> for Stored {
    fn from(origin: Origin) -> Self {
        match origin {
            Origin::Registered(registered) => Self { registered: Some(registered) },
            Origin::Declared | Origin::Document(_) => Self { registered: None },
        }
    }
}

const PREFIX: &str = "urn:grantor:client-document:";
