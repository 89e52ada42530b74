use super::super::tests::{NOW, credential, github, gitlab, kubernetes, map};
use super::*;
use proptest::prelude::*;
use serde_json::json;

const GITHUB: &str = "https://token.actions.githubusercontent.com";
const GITLAB: &str = "https://gitlab.example.com";
const KUBERNETES: &str = "https://kubernetes.default.svc.cluster.local";

/// Whether one condition holds, and why.
fn ask(claims: &Value, condition: &Value) -> (bool, String) {
    let issuer = claims["iss"].as_str().unwrap_or(GITHUB).to_owned();
    let judgement = credential(&issuer, &json!([condition])).judge(&map(claims), NOW);
    let line = judgement.lines.last().unwrap();
    (line.holds, line.reason.clone())
}

fn line(claims: &Value, rule: &str) -> JudgedRule {
    let judgement = credential(GITHUB, &json!([{"claim": "sub", "equals": "x"}])).judge(&map(claims), NOW);
    judgement.lines.into_iter().find(|line| line.rule == rule).unwrap()
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = github();
    claims[name] = value;
    claims
}

#[test]
fn a_dry_run_has_every_rule_with_what_was_found_and_why() {
    let conditions = json!([
        {"claim": "repository_id", "equals": "74"},
        {"claim": "environment", "one_of": ["stage", "prod"]},
        {"claim": "ref", "glob": "refs/tags/*"},
        {"claim": "nothing", "equals": 1},
    ]);
    let judgement = credential(GITHUB, &conditions).judge(&map(&github()), NOW);
    let found: Vec<_> = judgement.lines.iter().map(|line| (line.rule.as_str(), line.holds)).collect();
    let expected = [
        ("issuer", true),
        ("audience", true),
        ("expires", true),
        ("not before", true),
        ("subject", true),
        ("jti", true),
        (r#"repository_id equals "74""#, true),
        (r#"environment is one of "stage", "prod""#, true),
        (r#"ref glob "refs/tags/*""#, false),
        ("nothing equals 1", false),
    ];
    assert_eq!(found, expected);
    assert!(!judgement.holds());
    let last = judgement.lines.last().unwrap();
    assert_eq!((&last.found, last.reason.as_str()), (&None, "the token has no such claim"));
    assert_eq!(
        serde_json::to_value(&judgement.lines[6]).unwrap(),
        json!({
            "rule": r#"repository_id equals "74""#, "holds": true, "found": "74", "reason": "it is exactly that",
        })
    );
    assert!(judgement.lines.iter().all(|line| !line.reason.is_empty()));
}

#[test]
fn rfc7523_3_the_issuer_is_compared_as_it_is_written() {
    assert!(line(&github(), "issuer").holds);
    for other in [json!(format!("{GITHUB}/")), json!("HTTPS://token.actions.githubusercontent.com"), json!([GITHUB])] {
        assert!(!line(&with("iss", other.clone()), "issuer").holds, "{other}");
    }
}

#[test]
fn rfc7523_3_the_audience_is_ours_or_ours_too() {
    for good in [json!("https://id.example"), json!(["https://id.example"]), json!(["other", "https://id.example"])] {
        assert!(line(&with("aud", good.clone()), "audience").holds, "{good}");
    }
    for bad in [json!("other"), json!([]), json!(["https://id.example", 1]), json!("https://id.example/"), Value::Null]
    {
        assert!(!line(&with("aud", bad.clone()), "audience").holds, "{bad}");
    }
}

#[test]
fn rfc7523_3_a_token_ends_and_may_begin() {
    let holds = |name: &str, rule: &str, moment: Value| line(&with(name, moment), rule).holds;
    for (moment, good) in [
        (json!(NOW.get()), false),
        (json!(NOW.get() + 1), true),
        (json!(NOW.get() + 31_536_000), true),
        (json!(i64::MAX), true),
        (json!(u64::MAX), false),
        (json!(-1), false),
        (json!(1_900_000_000.5), false),
        (json!("1900000000"), false),
        (Value::Null, false),
    ] {
        assert_eq!(holds("exp", "expires", moment.clone()), good, "{moment}");
    }
    for (moment, good) in [(0, true), (NOW.get() + 60, true), (NOW.get() + 61, false), (-1, false)] {
        assert_eq!(holds("nbf", "not before", json!(moment)), good, "{moment}");
    }
    assert!(line(&kubernetes(), "expires").holds);
}

#[test]
fn github_what_its_tokens_say_can_be_asked_for() {
    for condition in [
        json!({"claim": "repository_id", "equals": "74"}),
        json!({"claim": "/repository_id", "equals": "74"}),
        json!({"claim": "sub", "equals": "repo:octo-org/octo-repo:environment:prod"}),
        json!({"claim": "sub", "glob": "repo:octo-org/*:environment:prod"}),
        json!({"claim": "ref", "one_of": ["refs/heads/main", "refs/heads/stable"]}),
        json!({"claim": "job_workflow_ref", "glob": "octo-org/octo-automation/.github/workflows/*@refs/heads/main"}),
        json!({"claim": "base_ref", "glob": "*"}),
    ] {
        assert!(ask(&github(), &condition).0, "{condition}");
    }
    for condition in [
        json!({"claim": "repository_id", "equals": "7"}),
        json!({"claim": "repository", "equals": "Octo-Org/octo-repo"}),
        json!({"claim": "sub", "glob": "repo:octo-org/*"}),
        json!({"claim": "ref", "one_of": ["refs/heads/stable"]}),
        json!({"claim": "ref", "one_of": []}),
        json!({"claim": "environment", "glob": ""}),
    ] {
        assert!(!ask(&github(), &condition).0, "{condition}");
    }
    let immutable = with("sub", json!("repo:octo-org@65/octo-repo@74:ref:refs/heads/main"));
    assert!(ask(&immutable, &json!({"claim": "sub", "glob": "repo:octo-org@65/*:ref:refs/heads/main"})).0);
}

#[test]
fn gitlab_a_list_is_compared_as_a_whole() {
    let (holds, reason) = ask(&gitlab(), &json!({"claim": "groups_direct", "equals": "my-group"}));
    assert!(!holds && reason.contains("never by one of its elements"), "{reason}");
    let (holds, reason) = ask(&gitlab(), &json!({"claim": "groups_direct", "one_of": ["my-group", "other"]}));
    assert!(!holds && reason.contains("never by one of its elements"), "{reason}");
    let (holds, reason) = ask(&gitlab(), &json!({"claim": "groups_direct", "glob": "**"}));
    assert!(!holds && reason.contains("a list"), "{reason}");
    let whole = json!(["my-group", "my-group/inner"]);
    assert!(ask(&gitlab(), &json!({"claim": "groups_direct", "equals": whole})).0);
    assert!(ask(&gitlab(), &json!({"claim": "groups_direct", "one_of": [[], whole]})).0);
    assert!(!ask(&gitlab(), &json!({"claim": "groups_direct", "equals": ["my-group/inner", "my-group"]})).0);
    assert!(ask(&gitlab(), &json!({"claim": "/groups_direct/0", "equals": "my-group"})).0);
}

#[test]
fn gitlab_texts_are_no_numbers_and_no_truths() {
    for (condition, word) in [
        (json!({"claim": "project_id", "equals": 20}), "a text here, which is never equal to a number"),
        (json!({"claim": "ref_protected", "equals": false}), "a text here, which is never equal to true or false"),
        (json!({"claim": "runner_id", "equals": "1"}), "a number here, which is never equal to a text"),
        (json!({"claim": "runner_id", "glob": "*"}), "a number"),
        (json!({"claim": "ref", "equals": "main"}), "something else"),
    ] {
        let (holds, reason) = ask(&gitlab(), &condition);
        assert!(!holds && reason.contains(word), "{condition}: {reason}");
    }
    assert!(ask(&gitlab(), &json!({"claim": "project_id", "equals": "20"})).0);
    assert!(ask(&gitlab(), &json!({"claim": "runner_id", "equals": 1})).0);
}

#[test]
fn rfc6901_4_a_pointer_reaches_what_kubernetes_nests() {
    for (claim, value) in [
        ("/kubernetes.io/namespace", "default"),
        ("/kubernetes.io/serviceaccount/uid", "e6a8680e-d103-4cce-80ea-03acbbeacf7d"),
        ("/kubernetes.io/pod/name", "shell"),
        ("/aud/1", "https://id.example"),
        ("/sub", "system:serviceaccount:default:default"),
    ] {
        assert!(ask(&kubernetes(), &json!({"claim": claim, "equals": value})).0, "{claim}");
    }
    for claim in
        ["kubernetes.io/namespace", "kubernetes.io.namespace", "/kubernetes.io/", "/", "//", "/kubernetes.io/a/b"]
    {
        let (holds, reason) = ask(&kubernetes(), &json!({"claim": claim, "equals": "default"}));
        assert!(!holds && reason.contains("no such claim"), "{claim}: {reason}");
    }
}

#[test]
fn rfc6901_3_names_with_dots_slashes_and_tildes() {
    let mut claims = github();
    claims["https://claims.example/team.name"] = json!("a");
    claims["kubernetes.io/serviceaccount/namespace"] = json!("b");
    claims["~x/y"] = json!("c");
    claims["/odd"] = json!("d");
    for (claim, value) in [
        ("https://claims.example/team.name", "a"),
        ("/https:~1~1claims.example~1team.name", "a"),
        ("kubernetes.io/serviceaccount/namespace", "b"),
        ("/~0x~1y", "c"),
        ("~x/y", "c"),
        ("/~1odd", "d"),
    ] {
        assert!(ask(&claims, &json!({"claim": claim, "equals": value})).0, "{claim}");
    }
    assert!(!ask(&claims, &json!({"claim": "/odd", "equals": "d"})).0);
}

#[test]
fn a_condition_of_no_kind_or_of_two_never_holds() {
    for condition in [
        json!({"claim": "repository_id"}),
        json!({"claim": "repository_id", "equals": "74", "glob": "74"}),
        json!({"claim": "repository_id", "equals": "74", "one_of": ["74"]}),
        json!({"claim": "repository_id", "one_of": ["74"], "glob": "74"}),
        json!({"claim": "repository_id", "equals": "74", "one_of": ["74"], "glob": "74"}),
    ] {
        assert!(!ask(&github(), &condition).0, "{condition}");
    }
    let nobody = credential(GITHUB, &json!([])).judge(&map(&github()), NOW);
    assert!(!nobody.holds() && nobody.lines.last().unwrap().reason.contains("anybody"));
}

#[test]
fn real_tokens_hold_under_what_was_meant_for_them() {
    for (issuer, claims, conditions) in [
        (
            GITHUB,
            github(),
            json!([{"claim": "repository_id", "equals": "74"}, {"claim": "environment", "equals": "prod"}]),
        ),
        (GITLAB, gitlab(), json!([{"claim": "project_id", "equals": "20"}, {"claim": "ref", "glob": "feature-*"}])),
        (KUBERNETES, kubernetes(), json!([{"claim": "/kubernetes.io/namespace", "equals": "default"}])),
    ] {
        assert!(credential(issuer, &conditions).judge(&map(&claims), NOW).holds(), "{issuer}");
    }
    // As Kubernetes made them before 1.30.
    let mut old = kubernetes();
    old.as_object_mut().unwrap().remove("jti");
    let conditions = json!([{"claim": "sub", "equals": "system:serviceaccount:default:default"}]);
    assert!(credential(KUBERNETES, &conditions).judge(&map(&old), NOW).holds());
}

proptest! {
    #[test]
    fn no_claims_and_no_condition_panic(
        claim in "[/~01a.]{0,6}", pattern in "[*/a:]{0,6}", name in "[/~a.]{0,3}", text in "[/a:]{0,6}",
    ) {
        let claims = json!({ name.as_str(): text.as_str(), "a": { "a": [text.as_str()] } });
        for condition in [json!({"claim": claim, "glob": pattern}), json!({"claim": claim, "equals": text})] {
            let credential = credential(GITHUB, &json!([condition]));
            prop_assert!(!credential.judge(&map(&claims), NOW).holds());
            let _ = (credential.problems(), credential.warnings());
        }
    }
}
