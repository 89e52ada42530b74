use super::super::tests::{NOW, github, gitlab, kubernetes, map};
use super::*;
use serde_json::json;

fn on_github(place: Place) -> FederatedCredential {
    let form =
        Form::GitHub { owner: "octo-org".into(), repository: "octo-repo".into(), repository_id: "74".into(), place };
    form.credential("deploy", "https://id.example")
}

fn on_gitlab(place: Place) -> FederatedCredential {
    let form = Form::GitLab {
        issuer: "https://gitlab.example.com".into(),
        project_path: "my-group/my-project".into(),
        project_id: "20".into(),
        place,
    };
    form.credential("deploy", "https://id.example")
}

fn on_kubernetes(namespace: &str, service_account: &str) -> FederatedCredential {
    let form = Form::Kubernetes {
        issuer: "https://kubernetes.default.svc.cluster.local".into(),
        namespace: namespace.into(),
        service_account: service_account.into(),
    };
    form.credential("pod", "https://id.example")
}

fn holds(credential: &FederatedCredential, claims: &Value) -> bool {
    assert_eq!((credential.problems(), credential.warnings()), (vec![], vec![]));
    credential.judge(&map(claims), NOW).holds()
}

#[test]
fn github_the_form_lets_in_its_place_and_no_other() {
    assert!(holds(&on_github(Place::Environment("prod".into())), &github()));
    assert!(!holds(&on_github(Place::Environment("stage".into())), &github()));
    assert!(holds(&on_github(Place::Branch("main".into())), &github()));
    assert!(!holds(&on_github(Place::Branch("mai".into())), &github()));
    assert!(!holds(&on_github(Place::Tag("main".into())), &github()));
    let mut tagged = github();
    tagged["ref"] = json!("refs/tags/v1.2");
    assert!(holds(&on_github(Place::Tag("v*".into())), &tagged));
    for (name, value) in [("repository_id", "75"), ("repository", "evil/octo-repo"), ("iss", "https://evil.example")] {
        let mut other = github();
        other[name] = json!(value);
        assert!(!holds(&on_github(Place::Branch("main".into())), &other), "{name}");
    }
}

#[test]
fn gitlab_the_form_lets_in_its_place_and_no_other() {
    assert!(holds(&on_gitlab(Place::Environment("test-environment2".into())), &gitlab()));
    assert!(holds(&on_gitlab(Place::Branch("feature-*".into())), &gitlab()));
    assert!(!holds(&on_gitlab(Place::Branch("main".into())), &gitlab()));
    assert!(!holds(&on_gitlab(Place::Tag("feature-branch-1".into())), &gitlab()));
    let mut tagged = gitlab();
    tagged["ref_type"] = json!("tag");
    assert!(holds(&on_gitlab(Place::Tag("feature-branch-1".into())), &tagged));
    assert!(!holds(&on_gitlab(Place::Branch("feature-branch-1".into())), &tagged));
    for (name, value) in [("project_id", "21"), ("project_path", "evil/my-project")] {
        let mut other = gitlab();
        other[name] = json!(value);
        assert!(!holds(&on_gitlab(Place::Environment("test-environment2".into())), &other), "{name}");
    }
}

#[test]
fn kubernetes_the_form_lets_in_its_service_account_and_no_other() {
    assert!(holds(&on_kubernetes("default", "default"), &kubernetes()));
    assert!(!holds(&on_kubernetes("default", "builder"), &kubernetes()));
    assert!(!holds(&on_kubernetes("kube-system", "default"), &kubernetes()));
}
