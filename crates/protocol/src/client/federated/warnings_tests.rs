use super::super::tests::credential;
use super::*;
use serde_json::{Value, json};

const GITHUB: &str = "https://token.actions.githubusercontent.com";
const NAME: &str = "holds a name";
const OWNER: &str = "every project of the owner";
const BRANCH: &str = "any branch";
const PROPOSAL: &str = "pull requests";
const TEXT: &str = "put the value in quotes";
const AUDIENCE: &str = "The audience";
const SUBJECT: &str = "No condition on `sub`";

/// That these are the warnings, in this order, each with a remedy.
fn expect(issuer: &str, conditions: &Value, words: &[&str]) {
    let found = credential(issuer, conditions).warnings();
    assert_eq!(found.len(), words.len(), "{conditions}: {found:?}");
    for (sentence, words) in found.iter().zip(words) {
        assert!(
            sentence.contains(words) && sentence.contains(": ") && sentence.ends_with('.'),
            "{conditions}: {found:?}"
        );
    }
}

#[test]
fn github_a_narrow_declaration_has_no_warnings() {
    let id = json!({"claim": "repository_id", "equals": "74"});
    for place in [
        json!({"claim": "environment", "equals": "prod"}),
        json!({"claim": "environment", "glob": "prod-*"}),
        json!({"claim": "ref", "equals": "refs/heads/main"}),
        json!({"claim": "ref", "glob": "refs/heads/release/*"}),
        json!({"claim": "ref", "glob": "refs/tags/v*"}),
        json!({"claim": "sub", "equals": "repo:octo-org/octo-repo:ref:refs/heads/main"}),
        json!({"claim": "job_workflow_ref", "glob": "octo-org/a/.github/workflows/*@refs/heads/main"}),
        json!({"claim": "sha", "equals": "714a629c0b401fdce83e847fc9589983fc6f46bc"}),
    ] {
        expect(GITHUB, &json!([id, place]), &[]);
    }
    expect(GITHUB, &json!([{"claim": "sub", "equals": "repo:octo-org@65/octo-repo@74:environment:prod"}]), &[]);
}

#[test]
fn github_names_are_given_to_others() {
    let prod = json!({"claim": "environment", "equals": "prod"});
    for named in [
        json!({"claim": "repository", "equals": "octo-org/octo-repo"}),
        json!({"claim": "/repository", "one_of": ["octo-org/a", "octo-org/b"]}),
        json!({"claim": "sub", "equals": "repo:octo-org/octo-repo:environment:prod"}),
    ] {
        expect(GITHUB, &json!([named, prod]), &[NAME]);
        expect(GITHUB, &json!([named, prod, {"claim": "repository_id", "equals": "74"}]), &[]);
        expect(GITHUB, &json!([named, prod, {"claim": "repository_owner_id", "equals": "65"}]), &[]);
        expect(GITHUB, &json!([named, prod, {"claim": "sub", "equals": "repository_id:74"}]), &[]);
    }
    expect(GITHUB, &json!([{"claim": "repository_owner", "equals": "octo-org"}, prod]), &[NAME, OWNER]);
    // An installation of one's own speaks the same words.
    let own = "https://github.example/_services/token";
    expect(own, &json!([{"claim": "repository", "equals": "a/b"}, prod]), &[NAME]);
}

#[test]
fn gitlab_paths_are_given_to_others() {
    let main = json!({"claim": "ref", "equals": "main"});
    let path = json!({"claim": "project_path", "equals": "group/project"});
    let sub = json!({"claim": "sub", "equals": "project_path:group/project:ref_type:branch:ref:main"});
    for named in [&path, &sub] {
        expect("https://gitlab.com", &json!([named, main]), &[NAME]);
        expect("https://gitlab.com", &json!([named, main, {"claim": "project_id", "equals": "20"}]), &[]);
        // A group has many owners, who move projects and make others in their place.
        expect("https://gitlab.com", &json!([named, main, {"claim": "namespace_id", "equals": "72"}]), &[NAME]);
    }
    let group = json!({"claim": "namespace_path", "equals": "group"});
    expect("https://gitlab.com", &json!([group, main]), &[NAME, OWNER]);
    expect("https://gitlab.com", &json!([group, main, {"claim": "namespace_id", "equals": "72"}]), &[OWNER]);
    expect("https://gitlab.example", &json!([group, main, {"claim": "project_id", "equals": "20"}]), &[]);
}

#[test]
fn a_pattern_for_every_project_covers_the_whole_organisation() {
    let prod = json!({"claim": "environment", "equals": "prod"});
    for wide in [
        json!({"claim": "repository", "glob": "octo-org/*"}),
        json!({"claim": "repository", "glob": "octo-org/**"}),
        json!({"claim": "repository", "one_of": ["octo-org/a", "octo-org/b"]}),
        json!({"claim": "sub", "glob": "repo:octo-org/*:environment:prod"}),
        json!({"claim": "repository", "glob": "octo-org/service-*"}),
    ] {
        let whole = wide["glob"].as_str().is_some_and(|glob| !glob.contains("service-"));
        let owner = json!({"claim": "repository_owner_id", "equals": "65"});
        expect(GITHUB, &json!([wide, owner, prod]), if whole { &[OWNER] } else { &[] });
        expect(GITHUB, &json!([wide, prod, {"claim": "repository_id", "equals": "74"}]), &[]);
    }
    expect(GITHUB, &json!([{"claim": "repository_owner_id", "equals": "65"}, prod]), &[OWNER]);
    expect(GITHUB, &json!([{"claim": "sub", "equals": "repository_owner_id:65"}, prod]), &[OWNER]);
    let id = json!({"claim": "namespace_id", "equals": "72"});
    let main = json!({"claim": "ref", "equals": "main"});
    for (path, words) in
        [("group/*", [NAME, OWNER].as_slice()), ("group/inner/**", &[NAME, OWNER]), ("group/in-*", &[NAME])]
    {
        expect("https://gitlab.com", &json!([{"claim": "project_path", "glob": path}, id, main]), words);
    }
}

#[test]
fn any_branch_is_whoever_may_push_one() {
    let id = json!({"claim": "repository_id", "equals": "74"});
    expect(GITHUB, &json!([id]), &[BRANCH]);
    for open in [
        json!({"claim": "ref", "glob": "refs/heads/*"}),
        json!({"claim": "ref", "one_of": ["refs/heads/main"], "glob": "x"}),
        json!({"claim": "ref_type", "equals": "branch"}),
        json!({"claim": "event_name", "equals": "push"}),
        json!({"claim": "sub", "glob": "repo:octo-org/octo-repo:ref:refs/heads/**"}),
        json!({"claim": "sub", "equals": "repo:octo-org/octo-repo"}),
        json!({"claim": "environment", "glob": "**"}),
        json!({"claim": "job_workflow_ref", "glob": "octo-org/a/.github/workflows/b.yml@**"}),
        json!({"claim": "workflow_ref", "glob": "octo-org/a/.github/workflows/**"}),
        json!({"claim": "ref_protected", "equals": "false"}),
        json!({"claim": "sha", "glob": "a**"}),
    ] {
        expect(GITHUB, &json!([id, open]), &[BRANCH]);
    }
    let project = json!({"claim": "project_id", "equals": "20"});
    for open in [
        json!({"claim": "ref", "glob": "**"}),
        json!({"claim": "ref_path", "glob": "refs/heads/**"}),
        json!({"claim": "sub", "glob": "project_path:group/project:ref_type:branch:ref:*"}),
    ] {
        expect("https://gitlab.example", &json!([project, open]), &[BRANCH]);
    }
    expect("https://gitlab.example", &json!([project, {"claim": "ref_protected", "equals": "true"}]), &[]);
}

#[test]
fn pull_requests_carry_what_nobody_has_looked_at() {
    let id = json!({"claim": "repository_id", "equals": "74"});
    let prod = json!({"claim": "environment", "equals": "prod"});
    for open in [
        json!({"claim": "sub", "equals": "repo:octo-org/octo-repo:pull_request"}),
        json!({"claim": "sub", "glob": "repo:octo-org/octo-repo:*"}),
        json!({"claim": "event_name", "equals": "pull_request"}),
        json!({"claim": "event_name", "one_of": ["push", "pull_request_target"]}),
        json!({"claim": "event_name", "glob": "pull_*"}),
        json!({"claim": "ref", "glob": "refs/pull/**"}),
    ] {
        expect(GITHUB, &json!([id, open, prod]), &[PROPOSAL]);
    }
    for open in
        [json!({"claim": "ref", "glob": "refs/**"}), json!({"claim": "sub", "glob": "repo:octo-org/octo-repo:**"})]
    {
        expect(GITHUB, &json!([id, open]), &[BRANCH, PROPOSAL]);
    }
    expect(GITHUB, &json!([{"claim": "sub", "glob": "repo:octo-org/octo-repo**"}, id]), &[BRANCH, PROPOSAL]);
    let project = json!({"claim": "project_id", "equals": "20"});
    let main = json!({"claim": "ref", "equals": "main"});
    let source = json!({"claim": "pipeline_source", "one_of": ["push", "merge_request_event"]});
    expect("https://gitlab.example", &json!([project, main, source]), &[PROPOSAL]);
    expect("https://gitlab.example", &json!([project, main, {"claim": "pipeline_source", "equals": "push"}]), &[]);
}

#[test]
fn numbers_are_texts_in_these_tokens() {
    let prod = json!({"claim": "environment", "equals": "prod"});
    expect(GITHUB, &json!([{"claim": "repository_id", "equals": 74}, prod]), &[TEXT]);
    expect(GITHUB, &json!([{"claim": "repository_id", "one_of": ["74", 75]}, prod]), &[TEXT]);
    let project = json!({"claim": "project_id", "equals": "20"});
    expect("https://gitlab.com", &json!([project, {"claim": "ref_protected", "equals": true}]), &[TEXT]);
}

#[test]
fn an_audience_of_others_is_in_the_hands_of_others() {
    let sound =
        credential(GITHUB, &json!([{"claim": "repository_id", "equals": "74"}, {"claim": "sha", "equals": "a"}]));
    for audience in ["https://github.com/octo-org", "sts.amazonaws.com", "api://AzureADTokenExchange", GITHUB] {
        let found = FederatedCredential { audience: audience.into(), ..sound.clone() }.warnings();
        assert!(found.len() == 1 && found[0].contains(AUDIENCE), "{audience}: {found:?}");
    }
    for audience in ["https://id.example", "https://github.company"] {
        assert!(FederatedCredential { audience: audience.into(), ..sound.clone() }.warnings().is_empty(), "{audience}");
    }
}

#[test]
fn an_issuer_that_is_not_known_here_is_asked_for_a_subject() {
    let issuer = "https://kubernetes.example";
    for sound in [
        json!({"claim": "sub", "equals": "system:serviceaccount:default:default"}),
        json!({"claim": "sub", "glob": "system:serviceaccount:default:*"}),
        json!({"claim": "/sub", "equals": "a"}),
        json!({"claim": "sub", "glob": "spiffe://example.org/**"}),
    ] {
        expect(issuer, &json!([sound]), &[]);
    }
    for open in [
        json!({"claim": "sub", "glob": "system:serviceaccount:*:builder"}),
        json!({"claim": "sub", "glob": "**:builder"}),
        json!({"claim": "email", "equals": "a@b.example"}),
        json!({"claim": "/kubernetes.io/namespace", "equals": "default"}),
    ] {
        expect(issuer, &json!([open]), &[SUBJECT]);
    }
}
