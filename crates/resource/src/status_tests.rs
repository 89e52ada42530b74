use crate::fixtures::{Clock, NOW, claims, signed};
use crate::issuer::{Issuer, ONE, TWO, check, pass};
use crate::{Api, Refusal, SigningAlgorithm, SigningKey};
use grantor_jose::jws;
use grantor_protocol::status_list::{StatusList, StatusListToken, TTL};
use grantor_protocol::value::UnixTime;
use serde_json::{Value, json};

const LIST: &str = "/status-lists/1";

/// A token whose status is there.
fn token(issuer: &Issuer, index: u64) -> String {
    token_with(issuer, &json!({"status_list": {"idx": index, "uri": format!("{}{LIST}", issuer.url())}}))
}

fn token_with(issuer: &Issuer, status: &Value) -> String {
    signed(&ONE, "at+jwt", &claims(json!({"iss": issuer.url(), "status": status})))
}

fn list(issuer: &Issuer, invalid: &[u32], issued: i64) -> StatusListToken {
    StatusListToken {
        uri: format!("{}{LIST}", issuer.url()),
        issued: UnixTime::new(issued),
        expires: Some(UnixTime::new(issued + 300)),
        ttl: Some(TTL),
        list: StatusList::of_invalid(invalid),
    }
}

fn publish(issuer: &Issuer, list: &StatusListToken, version: &str) {
    issuer.publishes(LIST, &jws::sign(&ONE, "statuslist+jwt", &list.to_payload()).unwrap(), version);
}

async fn set_up(invalid: &[u32]) -> (Issuer, Api) {
    let issuer = Issuer::start(&[&ONE]).await;
    publish(&issuer, &list(&issuer, invalid, NOW), "\"1\"");
    let api = issuer.builder().build().unwrap();
    (issuer, api)
}

#[tokio::test]
async fn token_status_list_8_3_the_list_says_which_tokens_were_taken_back() {
    let (issuer, api) = set_up(&[3]).await;
    let tasks: Vec<_> = (0..20)
        .map(|index| {
            let (api, token) = (api.clone(), token(&issuer, index % 5));
            tokio::spawn(async move { (index % 5, check(&api, &token).await) })
        })
        .collect();
    for task in tasks {
        let (index, checked) = task.await.unwrap();
        match index {
            3 => assert_eq!(checked, Err(Refusal::TakenBack)),
            _ => assert!(checked.is_ok(), "{index}"),
        }
    }
    assert_eq!(issuer.asked(LIST), 1, "once, however many wait for it");
    assert!(check(&api, &issuer.token(&ONE)).await.is_ok(), "a token without status needs none");
}

#[tokio::test]
async fn a_token_that_is_remembered_falls_when_its_list_says_so() {
    let (issuer, api) = set_up(&[]).await;
    let token = token(&issuer, 7);
    assert!(check(&api, &token).await.is_ok());
    for (round, (invalid, version)) in
        [(vec![], "\"1\""), (vec![7], "\"2\""), (vec![], "\"3\"")].into_iter().enumerate()
    {
        publish(&issuer, &list(&issuer, &invalid, NOW), version);
        // As long as the list says, and a look.
        pass(TTL.get().into()).await;
        issuer.until_asked(LIST, round + 2).await;
        let expected = if invalid.is_empty() { None } else { Some(Refusal::TakenBack) };
        while check(&api, &token).await.err() != expected {
            tokio::task::yield_now().await;
        }
    }
    let known: Vec<_> =
        issuer.requests().into_iter().filter(|seen| seen.path == LIST).map(|seen| seen.if_none_match).collect();
    let version = |name: &str| Some(format!("\"{name}\""));
    assert_eq!(known, [None, version("1"), version("1"), version("2")]);
}

#[tokio::test]
async fn while_the_issuer_is_down_the_last_list_is_good_for_the_bound_and_no_longer() {
    let (issuer, api) = set_up(&[]).await;
    let token = token(&issuer, 7);
    assert!(check(&api, &token).await.is_ok());
    issuer.is_down(true);
    pass(25).await;
    assert!(check(&api, &token).await.is_ok());
    pass(6).await;
    assert_eq!(check(&api, &token).await, Err(Refusal::NoStanding));
    issuer.is_down(false);
    pass(1).await;
    assert!(check(&api, &token).await.is_ok(), "the request itself asks again");
}

#[tokio::test]
async fn a_list_that_has_ended_says_nothing() {
    let issuer = Issuer::start(&[&ONE]).await;
    publish(&issuer, &list(&issuer, &[], NOW), "\"1\"");
    let clock = Clock::new();
    let shown = clock.clone();
    let api = issuer.builder().clock(move || shown.read()).leeway(10).build().unwrap();
    let token = token(&issuer, 7);
    clock.set(NOW + 309);
    assert!(check(&api, &token).await.is_ok());
    clock.set(NOW + 310);
    assert_eq!(check(&api, &token).await, Err(Refusal::NoStanding));
}

#[tokio::test]
async fn a_list_elsewhere_is_not_asked_unless_that_was_said() {
    let (issuer, api) = set_up(&[]).await;
    let other = Issuer::start(&[&TWO]).await;
    let uri = format!("{}{LIST}", other.url());
    let elsewhere = token_with(&issuer, &json!({"status_list": {"idx": 1, "uri": uri}}));
    // What only begins like the issuer is somewhere else.
    let beside = format!("{}0{LIST}", issuer.url());
    let beside = token_with(&issuer, &json!({"status_list": {"idx": 1, "uri": beside}}));
    for token in [&elsewhere, &beside] {
        assert_eq!(check(&api, token).await, Err(Refusal::NoStanding));
    }
    assert_eq!(other.requests().len(), 0);
    let there = StatusListToken { uri, ..list(&issuer, &[1], NOW) };
    other.publishes(LIST, &jws::sign(&ONE, "statuslist+jwt", &there.to_payload()).unwrap(), "\"1\"");
    let api = issuer.builder().status_lists_below(other.url()).build().unwrap();
    assert_eq!(check(&api, &elsewhere).await, Err(Refusal::TakenBack));
    let api = issuer.builder().ignore_status_lists().build().unwrap();
    assert!(check(&api, &elsewhere).await.is_ok());
}

#[tokio::test]
async fn token_status_list_8_3_a_list_that_does_not_hold_says_nothing() {
    let by = |key: &SigningKey, typ: &str, list: &StatusListToken| jws::sign(key, typ, &list.to_payload()).unwrap();
    let issuer = Issuer::start(&[&ONE]).await;
    let good = list(&issuer, &[], NOW);
    let other = StatusListToken { uri: format!("{}/status-lists/2", issuer.url()), ..good.clone() };
    let mut changed = by(&ONE, "statuslist+jwt", &good);
    changed.push('A');
    for (what, text) in [
        ("another type", by(&ONE, "at+jwt", &good)),
        ("a key that is not the issuer's", by(&TWO, "statuslist+jwt", &good)),
        ("another list", by(&ONE, "statuslist+jwt", &other)),
        ("one of the future", by(&ONE, "statuslist+jwt", &list(&issuer, &[], NOW + 11))),
        ("one that has ended", by(&ONE, "statuslist+jwt", &list(&issuer, &[], NOW - 310))),
        ("a changed signature", changed),
        ("no JWT", "statuses".to_owned()),
    ] {
        issuer.publishes(LIST, &text, "\"1\"");
        let api = issuer.builder().build().unwrap();
        assert_eq!(check(&api, &token(&issuer, 1)).await, Err(Refusal::NoStanding), "{what}");
    }
    publish(&issuer, &good, "\"1\"");
    let api = issuer.builder().build().unwrap();
    let last = u64::from(grantor_protocol::status_list::LENGTH) - 1;
    assert!(check(&api, &token(&issuer, last)).await.is_ok());
    assert_eq!(check(&api, &token(&issuer, last + 1)).await, Err(Refusal::NoStanding), "outside of the list");
    let api = issuer.builder().algorithms(&[SigningAlgorithm::Es256]).build().unwrap();
    assert!(check(&api, &token(&issuer, 1)).await.is_err());
}

/// Somebody on the way gives out what was true before.
#[tokio::test]
async fn an_older_list_does_not_replace_a_younger_one() {
    let issuer = Issuer::start(&[&ONE]).await;
    publish(&issuer, &list(&issuer, &[7], NOW), "\"2\"");
    let api = issuer.builder().build().unwrap();
    let token = token(&issuer, 7);
    assert_eq!(check(&api, &token).await, Err(Refusal::TakenBack));
    publish(&issuer, &list(&issuer, &[], NOW - 1), "\"1\"");
    pass(3).await;
    issuer.until_asked(LIST, 2).await;
    pass(28).await;
    assert_eq!(check(&api, &token).await, Err(Refusal::NoStanding), "it cannot be confirmed any more");
}

#[tokio::test]
async fn token_status_list_6_2_a_status_that_is_malformed_is_refused() {
    let (issuer, api) = set_up(&[]).await;
    let malformed = token_with(&issuer, &json!({"status_list": {"idx": "1"}}));
    assert_eq!(check(&api, &malformed).await, Err(Refusal::MalformedClaim("status")));
    let another_mechanism = token_with(&issuer, &json!({"other": 1}));
    assert!(check(&api, &another_mechanism).await.is_ok());
}

/// A list that no token refers to any more is not asked for for ever.
#[tokio::test]
async fn a_list_that_nobody_needs_is_forgotten() {
    let (issuer, api) = set_up(&[]).await;
    assert!(check(&api, &token(&issuer, 1)).await.is_ok());
    let lists = api.0.statuses.as_ref().unwrap();
    assert_eq!(lists.0.lists.load().len(), 1);
    for _ in 0..=super::IDLE {
        lists.0.forget_idle();
    }
    assert_eq!(lists.0.lists.load().len(), 0);
    assert!(check(&api, &token(&issuer, 1)).await.is_ok());
}
