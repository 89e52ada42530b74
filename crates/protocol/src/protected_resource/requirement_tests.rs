use super::*;
use crate::session::Authentication;
use crate::token::{AccessToken, CertificateThumbprint};
use grantor_jose::JwkThumbprint;

const NOW: i64 = 1_800_000_000;

/// A token of a user who signed in a hundred seconds ago.
fn token(change: impl FnOnce(&mut AccessToken)) -> AccessToken {
    let time = UnixTime::new(NOW - 100);
    let acr = "urn:example:two-factors".to_owned();
    let mut token = AccessToken {
        scope: Scope::parse("notes:read notes:write").unwrap(),
        authentication: Some(Authentication { time, acr, amr: Vec::new() }),
        ..crate::token::access::tests::token()
    };
    change(&mut token);
    token
}

fn decide(requirement: &Requirement, change: impl FnOnce(&mut AccessToken)) -> Result<(), Shortfall> {
    requirement.decide(&token(change), UnixTime::new(NOW))
}

fn as_it_is(_: &mut AccessToken) {}

fn allows(scope: &str) -> impl FnOnce(&mut AccessToken) + use<'_> {
    move |token| token.scope = Scope::parse(scope).unwrap()
}

fn of_nobody(token: &mut AccessToken) {
    token.authentication = None;
}

fn signed_in_by(acr: &str) -> impl FnOnce(&mut AccessToken) + use<'_> {
    move |token| token.authentication.as_mut().unwrap().acr = acr.to_owned()
}

#[test]
fn rfc6750_3_1_every_scope_is_wanted() {
    assert_eq!(decide(&Requirement::scope("notes:read"), as_it_is), Ok(()));
    assert_eq!(decide(&Requirement::scope("notes:write notes:read"), as_it_is), Ok(()));
    for wanted in ["notes", "notes:delete", "notes:read notes:delete", "Notes:read"] {
        assert_eq!(decide(&Requirement::scope(wanted), as_it_is), Err(Shortfall::Scope), "{wanted}");
    }
    assert_eq!(decide(&Requirement::scope("notes:read"), allows("")), Err(Shortfall::Scope));
}

#[test]
fn rfc6750_3_1_one_of_several_scopes_is_wanted() {
    assert_eq!(decide(&Requirement::any_scope("admin notes:read"), as_it_is), Ok(()));
    let wanted = Requirement::any_scope("admin owner");
    assert_eq!(decide(&wanted, as_it_is), Err(Shortfall::Scope));
    let both = Requirement::any_scope("admin notes:read").and(wanted);
    assert_eq!(decide(&both, as_it_is), Err(Shortfall::Scope));
    assert_eq!(decide(&both, allows("notes:read owner")), Ok(()));
}

#[test]
fn every_role_is_wanted() {
    assert_eq!(decide(&Requirement::role("editor"), as_it_is), Ok(()));
    let two = Requirement::role("editor").and(Requirement::role("admin"));
    assert_eq!(decide(&two, as_it_is), Err(Shortfall::Role));
    assert_eq!(decide(&two, |token| token.roles.push("admin".to_owned())), Ok(()));
    assert_eq!(decide(&Requirement::role(""), as_it_is), Err(Shortfall::Role));
}

#[test]
fn rfc9470_3_the_way_of_the_sign_in() {
    let wanted = Requirement::acr(["urn:example:key", "urn:example:two-factors"]);
    assert_eq!(decide(&wanted, as_it_is), Ok(()));
    assert_eq!(decide(&wanted, signed_in_by("urn:example:password")), Err(Shortfall::Authentication));
    assert_eq!(decide(&wanted, of_nobody), Err(Shortfall::Authentication));
    let both = wanted.and(Requirement::acr(["urn:example:key"]));
    assert_eq!(decide(&both, as_it_is), Err(Shortfall::Authentication));
    assert_eq!(decide(&both, signed_in_by("urn:example:key")), Ok(()));
}

#[test]
fn rfc9470_3_the_age_of_the_sign_in() {
    assert_eq!(decide(&Requirement::signed_in_within(100), as_it_is), Ok(()));
    assert_eq!(decide(&Requirement::signed_in_within(99), as_it_is), Err(Shortfall::Authentication));
    assert_eq!(decide(&Requirement::signed_in_within(100), of_nobody), Err(Shortfall::Authentication));
    let both = Requirement::signed_in_within(1000).and(Requirement::signed_in_within(99));
    assert_eq!(decide(&both, as_it_is), Err(Shortfall::Authentication));
}

#[test]
fn the_binding() {
    use RequiredBinding::{Any, Dpop, Mtls, None};
    let (bearer, key) = (Binding::Bearer, Binding::Dpop(JwkThumbprint::from_bytes([1; 32])));
    let certificate = Binding::Mtls(CertificateThumbprint::of(b"a certificate"));
    let decide = |requirement: &Requirement, binding: &Binding| decide(requirement, |token| token.binding = *binding);
    for (wanted, good, bad) in [
        (None, vec![&bearer, &key, &certificate], vec![]),
        (Any, vec![&key, &certificate], vec![&bearer]),
        (Dpop, vec![&key], vec![&bearer, &certificate]),
        (Mtls, vec![&certificate], vec![&bearer, &key]),
    ] {
        let requirement = Requirement::bound(wanted);
        for binding in good {
            assert_eq!(decide(&requirement, binding), Ok(()), "{wanted:?} {binding:?}");
        }
        for binding in bad {
            assert_eq!(decide(&requirement, binding), Err(Shortfall::Binding(wanted)), "{binding:?}");
        }
    }
    let both = Requirement::bound(Any).and(Requirement::bound(Dpop));
    assert_eq!(decide(&both, &certificate), Err(Shortfall::Binding(Dpop)));
    let contradiction = Requirement::bound(Mtls).and(Requirement::bound(Dpop));
    for binding in [bearer, key, certificate] {
        assert_eq!(decide(&contradiction, &binding), Err(Shortfall::Unfulfillable));
    }
}

#[test]
fn what_is_no_requirement_is_fulfilled_by_no_token() {
    for wrong in [
        Requirement::scope(""),
        Requirement::scope("a\"b"),
        Requirement::any_scope(" "),
        Requirement::acr([]),
        Requirement::acr(["a"]).and(Requirement::acr(["b"])),
        Requirement::scope("\\").and(Requirement::role("editor")),
        Requirement::role("editor").and(Requirement::scope("\\")),
    ] {
        assert_eq!(decide(&wrong, as_it_is), Err(Shortfall::Unfulfillable), "{wrong:?}");
        assert!(wrong.is_unfulfillable());
    }
}

#[test]
fn nothing_is_lost_when_requirements_are_joined() {
    let all = [
        Requirement::scope("notes:delete"),
        Requirement::any_scope("admin owner"),
        Requirement::role("admin"),
        Requirement::acr(["urn:example:key"]),
        Requirement::signed_in_within(1),
        Requirement::bound(RequiredBinding::Any),
    ];
    for one in &all {
        assert!(decide(one, as_it_is).is_err(), "{one:?}");
        for other in [Requirement::valid_token(), Requirement::scope("notes:read"), Requirement::role("editor")] {
            assert!(decide(&one.clone().and(other.clone()), as_it_is).is_err(), "{one:?}");
            assert!(decide(&other.and(one.clone()), as_it_is).is_err(), "{one:?}");
        }
    }
}

#[test]
fn rfc6750_3_the_scope_that_would_do() {
    let wanted = Requirement::scope("a b").and(Requirement::any_scope("b c")).and(Requirement::any_scope("e d"));
    assert_eq!(wanted.sufficient_scope().to_string(), "a b d");
    assert!(Requirement::role("x").sufficient_scope().is_empty());
}
