//! The grant as it is stored, and what the atomic verbs say.

use super::Access;
use crate::audit::Event;
use crate::authorization_details::AuthorizationDetails;
use crate::directory::User;
use crate::session::Authentication;
use crate::token::Binding;
use crate::userinfo::scope_of_claim;
use crate::value::{ClientId, CodeId, GrantId, Scope, ScopeToken, Seconds, Subject, TokenId, UnixTime};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What a user allowed a client: one row, however often it is refreshed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its name.
    pub id: GrantId,
    /// What does not change.
    pub terms: NewGrant,
    /// The generation of the refresh token that is good now; the first is 0.
    pub generation: u32,
    /// When that generation came to be.
    pub rotated: UnixTime,
    /// When it ends unless it is refreshed before.
    pub expires: UnixTime,
    /// Whether it was taken back.
    pub revoked: Option<UnixTime>,
}

/// What changes of a grant when it is refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// [`Grant::generation`].
    pub generation: u32,
    /// [`Grant::rotated`].
    pub rotated: UnixTime,
    /// [`Grant::expires`].
    pub expires: UnixTime,
}

/// The part of a grant that does not change after it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewGrant {
    /// To whom.
    pub client: ClientId,
    /// By whom.
    pub subject: Subject,
    /// What.
    pub access: Access,
    /// How the user had proved who he is.
    pub authentication: Authentication,
    /// `sid` of the session in which it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// `nonce` of the authorization request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// Single claims that were asked for (OpenID Connect Core 5.5).
    #[serde(default)]
    pub claims: ClaimsRequest,
    /// Why less was given than asked for, in words for the administrator.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub narrowed: Vec<String>,
    /// What was allowed beside scopes (RFC 9396).
    #[serde(default, skip_serializing_if = "AuthorizationDetails::is_empty")]
    pub details: AuthorizationDetails,
    /// The key that refresh tokens of a public client are bound to (RFC 9449 5).
    #[serde(default)]
    pub binding: Binding,
    /// Whether refresh tokens come of it.
    #[serde(default)]
    pub refreshable: bool,
    /// Who else acts with it, and what it hangs on; none where the user allowed it himself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delegation: Option<Delegation>,
    /// When it was made.
    pub created: UnixTime,
    /// For how long it lasts without being refreshed.
    pub idle: Seconds,
    /// When it ends, however often it is refreshed.
    pub ends: UnixTime,
}

/// That a grant was made of another, for somebody who acts with it in its user's name (RFC 8693 1.1): it is worth
/// nothing any more when the other is taken back, or when he who acts is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegation {
    /// The grant that it was made of.
    pub source: GrantId,
    /// Who acts.
    pub actor: Subject,
}

/// The `claims` parameter (OpenID Connect Core 5.5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimsRequest {
    /// Asked for in the ID token.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub id_token: BTreeMap<String, Option<RequestedClaim>>,
    /// Asked for at the userinfo endpoint.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub userinfo: BTreeMap<String, Option<RequestedClaim>>,
}

impl ClaimsRequest {
    /// The scopes that the claims belong to (OpenID Connect Core 5.4): what the user is asked for them.
    pub fn scopes(&self) -> Scope {
        let names = self.id_token.keys().chain(self.userinfo.keys());
        names.filter_map(|name| scope_of_claim(name)).filter_map(ScopeToken::parse).collect()
    }

    /// Only those whose scope may be given, and those that tell of no user (`sub`, `acr`, `auth_time`).
    #[must_use]
    pub fn within(mut self, scope: &Scope) -> Self {
        let may = |name: &String| scope_of_claim(name).is_none_or(|needs| scope.contains(needs));
        self.id_token.retain(|name, _| may(name));
        self.userinfo.retain(|name, _| may(name));
        self
    }

    /// The `sub` that the ID token must have (OpenID Connect Core 3.1.2.2).
    pub fn required_subject(&self) -> Option<&str> {
        self.id_token.get("sub")?.as_ref()?.value.as_ref()?.as_str()
    }

    /// Whether a sign-in of this class will do: an essential `acr` must have one of the values that were asked for
    /// (OpenID Connect Core 5.5.1.1).
    pub fn accepts_acr(&self, acr: &str) -> bool {
        let Some(Some(asked)) = self.id_token.get("acr") else { return true };
        let mut wanted = asked.value.iter().chain(asked.values.iter().flatten()).peekable();
        !asked.essential || wanted.peek().is_none() || wanted.any(|value| value == acr)
    }
}

/// How one claim is asked for (OpenID Connect Core 5.5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedClaim {
    /// Whether the user cannot be served without it.
    #[serde(default)]
    pub essential: bool,
    /// The value that it must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// The values of which it must have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<Value>>,
    /// What else was said; ignored.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A code about to be spent, and the grant that comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redemption {
    /// The code.
    pub code: CodeId,
    /// Until when it must be remembered as spent: not before the code itself has expired.
    pub remember_until: UnixTime,
    /// The name of the grant to be made.
    pub grant: GrantId,
    /// Its terms.
    pub terms: NewGrant,
    /// What the audit log says of it, of the same tenant.
    pub event: Event,
    /// Whether the grant falls when the code is presented again (RFC 6749 4.1.2). Not with device codes: a device that
    /// asks twice at the moment when it is allowed has done nothing wrong (RFC 8628 3.4).
    pub falls_when_replayed: bool,
}

/// What `redeem` says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "the large one is the usual one, and it is moved once")]
pub enum Spend {
    /// The code was fresh; the grant stands.
    Fresh(Grant),
    /// The code had been spent. The grant that it gave is now revoked (RFC 6749 4.1.2).
    Spent(GrantId),
    /// Everything that its user or its client had was taken back after the code was issued.
    TakenBack,
}

/// What `rotate` says. Whoever asks has read the grant, whose terms never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// The next generation is good now.
    Rotated(Renewal),
    /// The generation just replaced came again inside the grace window: the same successor is given again.
    Repeated(Renewal),
    /// An older generation came: the grant is now revoked (RFC 9700 4.14.2).
    Reused,
    /// The grant had been revoked.
    Revoked,
    /// The grant had expired.
    Expired,
    /// There is no such grant, or there never was such a generation.
    Unknown,
}

/// What the store must know of a token to say how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRef {
    /// `jti`.
    pub token: TokenId,
    /// The grant that it came from; none when an application acts for itself.
    pub grant: Option<GrantId>,
    /// To whom it was issued.
    pub client: ClientId,
}

/// A grant, and the resource owner who made it: both as they are at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnedGrant {
    /// The grant.
    pub grant: Grant,
    /// Whose it is; none once he is gone.
    pub owner: Option<User>,
}

/// What `standing` says.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// Nothing was taken back. The grant, when there is one.
    Good(Option<Box<OwnedGrant>>),
    /// The token, its grant, or everything that its user or its client had, was taken back; or the grant is gone.
    Revoked,
}

/// What a user has allowed a client, remembered so that he is not asked again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Who.
    pub subject: Subject,
    /// Whom.
    pub client: ClientId,
    /// What.
    pub access: Access,
    /// When first.
    pub first: UnixTime,
    /// When last.
    pub last: UnixTime,
}

impl Grant {
    /// Fresh from its terms, generation 0.
    pub fn new(id: GrantId, terms: NewGrant) -> Self {
        let expires = terms.created.plus(terms.idle).min(terms.ends);
        Self { id, generation: 0, rotated: terms.created, expires, revoked: None, terms }
    }

    /// What presenting `generation` at `now` means. The one rule of rotation; each backend carries it out in one
    /// statement or transaction. (RFC 9700 4.14.2, with a grace window so that a lost answer logs nobody out.)
    pub fn present(&self, generation: u32, now: UnixTime, grace: Seconds) -> Presented {
        if self.revoked.is_some() {
            return Presented::Revoked;
        }
        if now >= self.expires {
            return Presented::Expired;
        }
        if generation == self.generation {
            return Presented::Current;
        }
        if generation > self.generation {
            return Presented::Unknown;
        }
        let just_replaced = generation.checked_add(1) == Some(self.generation);
        // A clock that was put back does not make the window longer.
        let in_the_window = now < self.rotated.plus(grace) && self.rotated < now.plus(grace);
        if just_replaced && in_the_window { Presented::Repeated } else { Presented::Reused }
    }

    /// The grant after its current generation was used at `now`.
    #[must_use]
    pub fn rotated(mut self, now: UnixTime) -> Self {
        self.generation = self.generation.saturating_add(1);
        self.rotated = now;
        self.expires = now.plus(self.terms.idle).min(self.terms.ends);
        self
    }

    /// What its last refresh made of it.
    pub fn renewal(&self) -> Renewal {
        Renewal { generation: self.generation, rotated: self.rotated, expires: self.expires }
    }

    /// The grant as a later refresh left it.
    #[must_use]
    pub fn renewed(self, renewal: Renewal) -> Self {
        let Renewal { generation, rotated, expires } = renewal;
        Self { generation, rotated, expires, ..self }
    }
}

/// What presenting a generation means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presented {
    /// It is the good one: rotate.
    Current,
    /// It was the good one a moment ago: give the same successor.
    Repeated,
    /// It is older: revoke.
    Reused,
    /// The grant was revoked.
    Revoked,
    /// The grant has expired.
    Expired,
    /// It has never been.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant() -> Grant {
        let terms = NewGrant {
            client: ClientId::parse("c").unwrap(),
            subject: Subject::parse("s").unwrap(),
            access: Access::default(),
            authentication: Authentication { time: UnixTime::new(0), acr: String::new(), amr: vec![] },
            sid: None,
            nonce: None,
            claims: ClaimsRequest::default(),
            narrowed: vec![],
            details: AuthorizationDetails::default(),
            binding: Binding::Bearer,
            refreshable: true,
            delegation: None,
            created: UnixTime::new(1000),
            idle: Seconds::new(100),
            ends: UnixTime::new(1250),
        };
        Grant::new(GrantId::new(1, [0; 10]), terms)
    }

    const GRACE: Seconds = Seconds::new(30);

    #[test]
    fn rfc9700_4_14_2_an_outdated_generation_is_reuse() {
        let grant = grant().rotated(UnixTime::new(1010)).rotated(UnixTime::new(1020));
        assert_eq!(grant.present(0, UnixTime::new(1021), GRACE), Presented::Reused);
        assert_eq!(grant.present(2, UnixTime::new(1021), GRACE), Presented::Current);
        assert_eq!(grant.present(3, UnixTime::new(1021), GRACE), Presented::Unknown);
    }

    #[test]
    fn rfc9700_4_14_2_the_generation_just_replaced_is_repeated_inside_the_grace_window() {
        let grant = grant().rotated(UnixTime::new(1010));
        assert_eq!(grant.present(0, UnixTime::new(1039), GRACE), Presented::Repeated);
        assert_eq!(grant.present(0, UnixTime::new(1040), GRACE), Presented::Reused);
        assert_eq!(grant.present(0, UnixTime::new(1010), Seconds::new(0)), Presented::Reused);
        // Another node's clock, or one that was put back.
        assert_eq!(grant.present(0, UnixTime::new(981), GRACE), Presented::Repeated);
        assert_eq!(grant.present(0, UnixTime::new(980), GRACE), Presented::Reused);
    }

    #[test]
    fn rfc6749_6_a_grant_expires_when_idle_and_absolutely() {
        let fresh = grant();
        assert_eq!(fresh.present(0, UnixTime::new(1099), GRACE), Presented::Current);
        assert_eq!(fresh.present(0, UnixTime::new(1100), GRACE), Presented::Expired);
        let late = fresh.rotated(UnixTime::new(1090)).rotated(UnixTime::new(1180));
        assert_eq!(late.expires, UnixTime::new(1250));
    }

    #[test]
    fn rfc7009_2_1_a_revoked_grant_stays_revoked() {
        let mut grant = grant();
        grant.revoked = Some(UnixTime::new(1001));
        assert_eq!(grant.present(0, UnixTime::new(1002), GRACE), Presented::Revoked);
    }
}
