//! Sharing a token without giving it away (docs/adr/0021-desk-sharing.md): what a member is given is derived from it. It
//! carries no more, lives no longer, is bound to his own key, says who he is (RFC 8693 4.1), and hangs on a grant of its
//! own, which is taken back when the sharing ends.

use crate::authorization_details::AuthorizationDetails;
use crate::error::Refusal;
use crate::grant::{Access, Delegation, Grant, NewGrant};
use crate::token::{AccessToken, Binding};
use crate::value::{GrantId, Scope, Seconds, Subject, TokenId, UnixTime};

/// A derived token lives so long at the most.
pub const DERIVED_LIFE: Seconds = Seconds::new(300);

/// Whether a user may let others use a token: his own, issued to a client that he allowed, and good in the hands of
/// whoever holds it. A token that is bound to a key is not: who has its text need not have its key, and would get round
/// the binding. A derived one is not: whoever was lent something does not lend it on.
pub fn may_share(token: &AccessToken, grant: &Grant, user: &Subject) -> Result<(), Refusal> {
    let own = grant.terms.subject == *user && token.grant == Some(grant.id) && token.client == grant.terms.client;
    let first_hand = token.actor.is_none() && grant.terms.delegation.is_none();
    if own && first_hand && token.binding == Binding::Bearer { Ok(()) } else { Err(Refusal::NotShareable) }
}

/// What a derived token is made of, beside its source.
#[derive(Debug)]
pub struct Derivation<'a> {
    /// The grant on which it hangs.
    pub share: GrantId,
    /// Who acts, as the client sees him.
    pub actor: String,
    /// Its name.
    pub id: TokenId,
    /// The key that the member proved.
    pub binding: Binding,
    /// What the member asks for; none for all of it.
    pub asked: Option<&'a Scope>,
    /// What the user could still allow the client today.
    pub allowed: &'a Scope,
    /// The roles that the user still has.
    pub roles: &'a [String],
}

/// The token that a member is given: the source's subject, client and audience; at most its scope and its life; the
/// member's key and name. Authorization details are not passed on: less is always allowed.
pub fn derive(source: &AccessToken, derivation: Derivation<'_>, now: UnixTime) -> Result<AccessToken, Refusal> {
    if now >= source.expires {
        return Err(Refusal::GrantExpired);
    }
    if !matches!(derivation.binding, Binding::Dpop(_)) {
        return Err(Refusal::DpopProofRequired);
    }
    let asked = derivation.asked.unwrap_or(&source.scope);
    if !source.scope.covers(asked) {
        return Err(Refusal::ScopeNotGranted);
    }
    let scope = asked.intersection(derivation.allowed);
    if scope.is_empty() {
        return Err(Refusal::NothingOfTheScopeIsAllowed);
    }
    Ok(AccessToken {
        issuer: source.issuer.clone(),
        id: derivation.id,
        subject: source.subject.clone(),
        actor: Some(derivation.actor),
        client: source.client.clone(),
        audience: source.audience.clone(),
        scope,
        roles: source.roles.iter().filter(|role| derivation.roles.contains(role)).cloned().collect(),
        issued: now,
        expires: now.plus(DERIVED_LIFE).min(source.expires),
        grant: Some(derivation.share),
        authentication: source.authentication.clone(),
        details: AuthorizationDetails::default(),
        binding: derivation.binding,
        status: None,
    })
}

/// The terms of the grant behind what one member derives from one token: what the token carries, no refresh token, and no
/// longer than the grant that it came of.
pub fn share_terms(token: &AccessToken, source: &Grant, member: &Subject, now: UnixTime) -> NewGrant {
    let of_the_token = source.terms.access.iter().filter(|(audience, _)| token.audience.contains(audience));
    let access: Access =
        of_the_token.map(|(audience, scope)| (audience.clone(), scope.intersection(&token.scope))).collect();
    NewGrant {
        access,
        sid: None,
        nonce: None,
        claims: crate::grant::ClaimsRequest::default(),
        narrowed: Vec::new(),
        details: AuthorizationDetails::default(),
        binding: Binding::Bearer,
        refreshable: false,
        delegation: Some(Delegation { source: source.id, actor: member.clone() }),
        created: now,
        idle: source.terms.ends.remaining(now),
        ..source.terms.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grant::ClaimsRequest;
    use crate::session::Authentication;
    use crate::token::access::tests::token;
    use crate::value::{ClientId, Resource};
    use grantor_jose::JwkThumbprint;

    const NOW: UnixTime = UnixTime::new(100);

    fn scope(text: &str) -> Scope {
        Scope::parse(text).unwrap()
    }

    fn key() -> Binding {
        Binding::Dpop(JwkThumbprint::from_bytes([7; 32]))
    }

    fn grant() -> Grant {
        let access = [("https://api", "read write delete"), ("https://other", "all")];
        let access = access.map(|(at, of)| (Resource::parse(at).unwrap(), scope(of)));
        let terms = NewGrant {
            client: ClientId::parse("web").unwrap(),
            subject: Subject::parse("ann").unwrap(),
            access: access.into_iter().collect(),
            authentication: Authentication { time: UnixTime::new(4), acr: "1".into(), amr: vec![] },
            sid: Some("sid".into()),
            nonce: Some("n".into()),
            claims: ClaimsRequest::default(),
            narrowed: vec![],
            details: AuthorizationDetails::default(),
            binding: Binding::Bearer,
            refreshable: true,
            delegation: None,
            created: UnixTime::new(4),
            idle: Seconds::new(1_000),
            ends: UnixTime::new(5_000),
        };
        Grant::new(token().grant.unwrap(), terms)
    }

    fn derived(asked: Option<&str>, allowed: &str, binding: Binding, now: UnixTime) -> Result<AccessToken, Refusal> {
        let (asked, allowed) = (asked.map(scope), scope(allowed));
        let derivation = Derivation {
            share: GrantId::new(9, [9; 10]),
            actor: "bob".into(),
            id: TokenId::new(9, [9; 10]),
            binding,
            asked: asked.as_ref(),
            allowed: &allowed,
            roles: &["viewer".to_owned()],
        };
        derive(&token(), derivation, now)
    }

    #[test]
    fn rfc8693_4_1_a_derived_token_says_for_whom_and_who_acts() {
        let derived = derived(None, "read write", key(), NOW).unwrap();
        let source = token();
        assert_eq!((&derived.subject, derived.actor.as_deref()), (&source.subject, Some("bob")));
        assert_eq!((&derived.client, &derived.audience), (&source.client, &source.audience));
        assert_eq!(derived.grant, Some(GrantId::new(9, [9; 10])), "not the source's: it can be taken back by itself");
        assert_eq!(derived.roles, [""; 0], "a role that the user has no more is not passed on");
    }

    #[test]
    fn a_derived_token_has_no_more_scope_than_its_source_and_than_is_allowed_today() {
        let scope_of = |asked, allowed| derived(asked, allowed, key(), NOW).map(|token| token.scope.to_string());
        assert_eq!(scope_of(None, "read write delete"), Ok("read write".into()));
        assert_eq!(scope_of(Some("read"), "read write"), Ok("read".into()), "less may be asked for");
        assert_eq!(scope_of(None, "read"), Ok("read".into()));
        assert_eq!(scope_of(Some("read delete"), "read write delete"), Err(Refusal::ScopeNotGranted));
        assert_eq!(scope_of(Some("write"), "read"), Err(Refusal::NothingOfTheScopeIsAllowed));
    }

    #[test]
    fn a_derived_token_lives_five_minutes_at_the_most_and_never_longer_than_its_source() {
        let ends = |now| derived(None, "read", key(), UnixTime::new(now)).map(|token| token.expires.get());
        assert_eq!(ends(100), Ok(400));
        assert_eq!(ends(400), Ok(605));
        assert_eq!(ends(604), Ok(605));
        assert_eq!(ends(605), Err(Refusal::GrantExpired));
    }

    #[test]
    fn rfc9449_5_a_derived_token_is_bound_to_the_members_key() {
        assert_eq!(derived(None, "read", key(), NOW).unwrap().binding, key());
        assert_eq!(derived(None, "read", Binding::Bearer, NOW), Err(Refusal::DpopProofRequired));
    }

    #[test]
    fn only_ones_own_token_that_is_good_by_itself_is_shared() {
        let (ann, bob) = (Subject::parse("ann").unwrap(), Subject::parse("bob").unwrap());
        assert_eq!(may_share(&token(), &grant(), &ann), Ok(()));
        assert_eq!(may_share(&token(), &grant(), &bob), Err(Refusal::NotShareable), "of another user");
        let bound = AccessToken { binding: key(), ..token() };
        assert_eq!(may_share(&bound, &grant(), &ann), Err(Refusal::NotShareable), "bound to a key");
        let lent = AccessToken { actor: Some("ann".into()), ..token() };
        assert_eq!(may_share(&lent, &grant(), &ann), Err(Refusal::NotShareable), "derived");
        let elsewhere = AccessToken { grant: None, ..token() };
        assert_eq!(may_share(&elsewhere, &grant(), &ann), Err(Refusal::NotShareable), "of another grant");
        let mut share = grant();
        share.terms = share_terms(&token(), &grant(), &bob, NOW);
        assert_eq!(may_share(&token(), &share, &ann), Err(Refusal::NotShareable), "of a grant that was derived");
    }

    #[test]
    fn the_grant_of_a_share_gives_what_the_token_carries_and_no_refresh_token() {
        let bob = Subject::parse("bob").unwrap();
        let terms = share_terms(&token(), &grant(), &bob, NOW);
        let access: Vec<_> = terms.access.iter().map(|(at, scope)| (at.to_string(), scope.to_string())).collect();
        assert_eq!(access, [("https://api".to_owned(), "read write".to_owned())]);
        assert_eq!((terms.refreshable, terms.ends), (false, grant().terms.ends));
        assert_eq!(terms.delegation, Some(Delegation { source: grant().id, actor: bob }));
        assert_eq!((terms.sid, terms.nonce), (None, None));
    }
}
