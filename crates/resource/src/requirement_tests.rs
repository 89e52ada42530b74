use super::*;
use crate::fixtures::{AUDIENCE, ISSUER, KEY, NOW, set, token};
use crate::jwt::{Expected, validate};
use grantor_jose::{JwkThumbprint, SigningAlgorithm};
use serde_json::{Value, json};

fn verified(changes: Value) -> Verified {
    let expected = Expected {
        issuer: ISSUER,
        audience: AUDIENCE,
        algorithms: SigningAlgorithm::ALL,
        leeway: Seconds::new(0),
        now: UnixTime::new(NOW),
    };
    validate(&token(changes), &set(&[&KEY]), &expected).unwrap()
}

fn decide(requirement: &Requirement, changes: Value) -> Result<(), Refusal> {
    requirement.decide(&verified(changes), UnixTime::new(NOW))
}

#[test]
fn rfc6750_3_1_every_scope_is_wanted() {
    assert_eq!(decide(&Requirement::scope("notes:read"), json!({})), Ok(()));
    assert_eq!(decide(&Requirement::scope("notes:write notes:read"), json!({})), Ok(()));
    for wanted in ["notes", "notes:delete", "notes:read notes:delete", "Notes:read"] {
        assert_eq!(decide(&Requirement::scope(wanted), json!({})), Err(Refusal::InsufficientScope), "{wanted}");
    }
    assert_eq!(decide(&Requirement::scope("notes:read"), json!({"scope": null})), Err(Refusal::InsufficientScope));
}

#[test]
fn rfc6750_3_1_one_of_several_scopes_is_wanted() {
    assert_eq!(decide(&Requirement::any_scope("admin notes:read"), json!({})), Ok(()));
    let wanted = Requirement::any_scope("admin owner");
    assert_eq!(decide(&wanted, json!({})), Err(Refusal::InsufficientScope));
    let both = Requirement::any_scope("admin notes:read").and(wanted);
    assert_eq!(decide(&both, json!({})), Err(Refusal::InsufficientScope));
    assert_eq!(decide(&both, json!({"scope": "notes:read owner"})), Ok(()));
}

#[test]
fn every_role_is_wanted() {
    assert_eq!(decide(&Requirement::role("editor"), json!({})), Ok(()));
    let two = Requirement::role("editor").and(Requirement::role("admin"));
    assert_eq!(decide(&two, json!({})), Err(Refusal::MissingRole));
    assert_eq!(decide(&two, json!({"roles": ["admin", "editor"]})), Ok(()));
    assert_eq!(decide(&Requirement::role(""), json!({})), Err(Refusal::MissingRole));
}

#[test]
fn rfc9470_3_the_way_of_the_sign_in() {
    let wanted = Requirement::acr(["urn:example:key", "urn:example:two-factors"]);
    assert_eq!(decide(&wanted, json!({})), Ok(()));
    for changes in [json!({"acr": "urn:example:password"}), json!({"acr": null})] {
        assert_eq!(decide(&wanted, changes), Err(Refusal::InsufficientAuthentication));
    }
    let both = wanted.and(Requirement::acr(["urn:example:key"]));
    assert_eq!(decide(&both, json!({})), Err(Refusal::InsufficientAuthentication));
    assert_eq!(decide(&both, json!({"acr": "urn:example:key"})), Ok(()));
}

#[test]
fn rfc9470_3_the_age_of_the_sign_in() {
    assert_eq!(decide(&Requirement::signed_in_within(100), json!({})), Ok(()));
    assert_eq!(decide(&Requirement::signed_in_within(99), json!({})), Err(Refusal::InsufficientAuthentication));
    let none = json!({"auth_time": null});
    assert_eq!(decide(&Requirement::signed_in_within(100), none), Err(Refusal::InsufficientAuthentication));
    let both = Requirement::signed_in_within(1000).and(Requirement::signed_in_within(99));
    assert_eq!(decide(&both, json!({})), Err(Refusal::InsufficientAuthentication));
}

#[test]
fn the_binding() {
    use RequiredBinding::{Any, Dpop, Mtls, None};
    let thumbprint = JwkThumbprint::from_bytes([1; 32]);
    let (bearer, key) = (json!({}), json!({"cnf": {"jkt": thumbprint}}));
    let certificate = json!({"cnf": {"x5t#S256": thumbprint}});
    for (wanted, good, bad) in [
        (None, vec![&bearer, &key, &certificate], vec![]),
        (Any, vec![&key, &certificate], vec![&bearer]),
        (Dpop, vec![&key], vec![&bearer, &certificate]),
        (Mtls, vec![&certificate], vec![&bearer, &key]),
    ] {
        let requirement = Requirement::bound(wanted);
        for changes in good {
            assert_eq!(decide(&requirement, changes.clone()), Ok(()), "{wanted:?} {changes}");
        }
        for changes in bad {
            assert_eq!(decide(&requirement, changes.clone()), Err(Refusal::BindingWanted(wanted)), "{changes}");
        }
    }
    let both = Requirement::bound(Any).and(Requirement::bound(Dpop));
    assert_eq!(decide(&both, certificate.clone()), Err(Refusal::BindingWanted(Dpop)));
    let contradiction = Requirement::bound(Mtls).and(Requirement::bound(Dpop));
    for changes in [bearer, key, certificate] {
        assert_eq!(decide(&contradiction, changes), Err(Refusal::Unfulfillable));
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
    ] {
        assert_eq!(decide(&wrong, json!({})), Err(Refusal::Unfulfillable), "{wrong:?}");
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
        assert!(decide(one, json!({})).is_err(), "{one:?}");
        for other in [Requirement::valid_token(), Requirement::scope("notes:read"), Requirement::role("editor")] {
            assert!(decide(&one.clone().and(other.clone()), json!({})).is_err(), "{one:?}");
            assert!(decide(&other.and(one.clone()), json!({})).is_err(), "{one:?}");
        }
    }
}

#[test]
fn rfc6750_3_the_scope_that_would_do() {
    let wanted = Requirement::scope("a b").and(Requirement::any_scope("b c")).and(Requirement::any_scope("e d"));
    assert_eq!(wanted.sufficient_scope().to_string(), "a b d");
    assert!(Requirement::role("x").sufficient_scope().is_empty());
}
