//! Audit events: who, what, whom, from where, outcome.

use crate::value::{EventId, TenantName, UnixTime};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One line of the audit log. It holds no secret, code or token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Sorts by time.
    pub id: EventId,
    /// When.
    pub time: UnixTime,
    /// Where it happened.
    pub tenant: TenantName,
    /// What happened.
    pub action: Action,
    /// Whether it was allowed.
    pub outcome: Outcome,
    /// Who did it: a client, a user, or the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// To whom or what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The address of the peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The request that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The rest: scopes, audiences, the reasons for what was narrowed or refused.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub details: Map<String, Value>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// An authorization request was answered.
    Authorization,
    /// Tokens were issued, or refused.
    Token,
    /// A token, grant, application, user or client was revoked.
    Revocation,
    /// A token was introspected.
    Introspection,
    /// Somebody signed in, or failed to.
    SignIn,
    /// Somebody signed out.
    SignOut,
    /// A user allowed or denied an application.
    Consent,
    /// A spent code or an outdated refresh token came back.
    Replay,
    /// A key was made, rotated or dropped.
    Key,
    /// The directory was changed.
    Configuration,
}

/// Whether it was allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Allowed,
    /// It was refused.
    Refused,
}
