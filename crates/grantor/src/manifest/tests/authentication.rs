//! What a manifest says of who a client is: profiles, secrets that sign, federated credentials, authorization details.

use super::*;
use grantor_protocol::client::{AuthMethod, Client, SecretHash};
use grantor_server::MasterKey;

const SIGNS: &str = r#"
[[clients]]
client_id = "old"
profile = "oidc"
token_endpoint_auth_method = "client_secret_jwt"
grant_types = ["client_credentials"]
"#;

const LONG: &str = "client_secret = \"a secret of thirty-two bytes or more\"\n";

async fn only_client(store: &MemoryStore) -> Client {
    store.directory().await.unwrap().clients.remove(0)
}

fn opened(client: &Client, key: u8) -> Option<String> {
    let master = MasterKey::from_bytes([key; 32]);
    let (tenant, id) = (&client.metadata.tenant, &client.metadata.client_id);
    master.open_secret(tenant, id, &client.secrets[0].hash).map(|secret| secret.expose().to_owned())
}

#[tokio::test]
async fn oidc_core_10_1_a_secret_that_signs_is_sealed_and_recognised() {
    let store = MemoryStore::default();
    let text = format!("{SIGNS}{LONG}");
    apply_to(&store, &text).await.unwrap();
    let client = only_client(&store).await;
    assert!(matches!(client.secrets[0].hash, SecretHash::Sealed(_)));
    assert_eq!(opened(&client, 7).unwrap(), "a secret of thirty-two bytes or more");
    assert_eq!(opened(&client, 8), None);
    assert_eq!(words(&apply_to(&store, &text).await.unwrap()), ["client old unchanged"]);
    assert_eq!(words(&apply_to(&store, SIGNS).await.unwrap()), ["client old unchanged"]);
    let other = apply_to(&store, &text.replace("a secret", "another secret")).await.unwrap();
    assert_eq!(other.steps[0].what, What::Changed(vec!["client_secret".to_owned()]));
}

#[tokio::test]
async fn oidc_core_10_1_a_secret_that_is_made_is_sealed_too() {
    let store = MemoryStore::default();
    let made = apply_to(&store, SIGNS).await.unwrap().generated.remove(0).2;
    assert_eq!(opened(&only_client(&store).await, 7).unwrap(), made.expose());
}

#[tokio::test]
async fn a_sealed_secret_is_exported_for_the_same_master_key_only() {
    let (here, there) = (MemoryStore::default(), MemoryStore::default());
    apply_to(&here, &format!("{SIGNS}{LONG}")).await.unwrap();
    let toml = exported(&here).await;
    assert!(toml.contains("client_secret_hash = \"sealed:") && !toml.contains("thirty-two"), "{toml}");
    let again = apply_to(&here, &toml).await.unwrap();
    assert!(again.steps.iter().all(|step| step.what == What::Unchanged), "{:?}", words(&again));
    let source = Source::new("x.toml", toml.clone());
    let refused = apply(&there, &source, Format::Toml, How::default(), Safe::Open(&[8; 32]), NOW).await;
    assert!(format!("{:?}", refused.unwrap_err()).contains("under another master key"));
    assert!(there.directory().await.unwrap().clients.is_empty());
    apply_to(&there, &toml).await.unwrap();
    assert_eq!(toml, exported(&there).await);
}

#[tokio::test]
async fn a_client_that_signs_no_more_keeps_its_secret_as_a_hash() {
    let store = MemoryStore::default();
    let made = apply_to(&store, SIGNS).await.unwrap().generated.remove(0).2;
    let basic = SIGNS.replace("client_secret_jwt", "client_secret_basic");
    assert!(apply_to(&store, &basic).await.unwrap().generated.is_empty());
    let client = only_client(&store).await;
    assert_eq!(client.metadata.token_endpoint_auth_method, AuthMethod::ClientSecretBasic);
    assert!(client.secrets[0].hash.matches_quickly(&made));
    // The way back needs a new one: a hash signs nothing.
    assert_eq!(apply_to(&store, SIGNS).await.unwrap().generated.len(), 1);
}

#[test]
fn rfc7518_3_2_a_secret_that_signs_has_32_bytes() {
    let with = |line: &str| problems_of(&format!("{SIGNS}{line}"));
    assert_eq!(with(LONG), Vec::<String>::new());
    assert_eq!(
        with("client_secret = \"thirty-one bytes, one too few..\""),
        [
            "7:17 error: client_secret has less than 32 bytes, too few for HS256 (RFC 7518 3.2) (leave it out and one is made)"
        ]
    );
    let hash = with(&format!("client_secret_hash = \"sha256:{}\"", "A".repeat(43)));
    assert!(hash[0].starts_with("7:22 error: client_secret_hash cannot make a MAC"), "{hash:?}");
    let sealed = problems_of(
        "[[clients]]\nclient_id = \"a\"\nclient_secret_hash = \"sealed:AAAA\"\ngrant_types = [\"client_credentials\"]\n",
    );
    assert!(sealed[0].starts_with("3:22 error: sealed: is for client_secret_jwt"), "{sealed:?}");
}

#[test]
fn a_profile_is_refused_only_where_it_is_named() {
    let tenant = "[[tenants]]\nname = \"default\"\nprofiles = [\"fapi2\"]\n";
    let client = "[[clients]]\nclient_id = \"a\"\ngrant_types = [\"client_credentials\"]\ntoken_endpoint_auth_method = \"private_key_jwt\"\njwks_uri = \"https://a.example/jwks\"\n";
    assert_eq!(problems_of(&format!("{tenant}{client}")), Vec::<String>::new());
    assert_eq!(
        problems_of(&format!("{tenant}{client}profile = \"oauth2.1\"\n")),
        ["9:11 error: the tenant default does not allow this profile (it has fapi2; left out, it is fapi2)"]
    );
    // What contradicts the profile of the tenant contradicts a client that names none.
    let secret = client.replace("private_key_jwt", "client_secret_basic");
    let found = problems_of(&format!("{tenant}{secret}"));
    assert_eq!(
        found,
        ["7:30 error: token_endpoint_auth_method client_secret_basic does not exist in the profile fapi2"]
    );
    assert_eq!(
        problems_of("[[tenants]]\nname = \"default\"\nprofiles = []\n"),
        ["3:12 error: profiles is empty: no client could have one"]
    );
}

#[tokio::test]
async fn an_export_of_a_strict_tenant_can_be_applied() {
    let store = MemoryStore::default();
    let text = "[[tenants]]\nname = \"default\"\nprofiles = [\"fapi2\"]\n[[clients]]\nclient_id = \"a\"\ngrant_types = [\"client_credentials\"]\ntoken_endpoint_auth_method = \"private_key_jwt\"\njwks_uri = \"https://a.example/jwks\"\n";
    apply_to(&store, text).await.unwrap();
    let toml = exported(&store).await;
    let again = apply_to(&store, &toml).await.unwrap();
    assert!(again.steps.iter().all(|step| step.what == What::Unchanged), "{toml}");
}

const FEDERATED: &str = r#"
[[clients]]
client_id = "ci"
token_endpoint_auth_method = "private_key_jwt"
grant_types = ["client_credentials"]

[[clients.federated_credentials]]
name = "GitHub: main"
issuer = "https://token.actions.githubusercontent.com"
audience = "https://id.example.com"
conditions = [
    { claim = "repository", equals = "acme/shop" },
    { claim = "repository_id", equals = "74" },
    { claim = "ref", one_of = ["refs/heads/main", "refs/heads/next"] },
]
"#;

#[tokio::test]
async fn federated_credentials_are_declared_exported_and_recognised() {
    let store = MemoryStore::default();
    let first = apply_to(&store, FEDERATED).await.unwrap();
    assert!(first.warnings.is_empty(), "{}", first.warnings.render(false));
    assert!(first.generated.is_empty());
    assert_eq!(words(&apply_to(&store, FEDERATED).await.unwrap()), ["client ci unchanged"]);
    let toml = exported(&store).await;
    let again = apply_to(&store, &toml).await.unwrap();
    assert!(again.steps.iter().all(|step| step.what == What::Unchanged), "{toml}");
}

#[test]
fn an_unwise_federated_credential_is_warned_about_and_a_wrong_one_refused() {
    let unwise = problems_of(&FEDERATED.replace("    { claim = \"repository_id\", equals = \"74\" },\n", ""));
    assert_eq!(unwise.len(), 1, "{unwise:?}");
    assert!(
        unwise[0].starts_with("7:1 warning: federated_credentials: GitHub: main: `repository` holds a name"),
        "{unwise:?}"
    );
    let wrong = problems_of(&FEDERATED.replace("https://token", "http://token"));
    assert!(wrong[0].starts_with("7:1 error: federated_credentials: GitHub: main: issuer"), "{wrong:?}");
    let unknown = problems_of(&FEDERATED.replace("one_of", "oneof"));
    assert_eq!(unknown, ["14:22 error: oneof is not known here (did you mean one_of?)"]);
}

const DETAILS: &str = r#"
[[apis]]
audience = "https://bank.example"
name = "Bank"
roles = [{ name = "payer" }]
authorization_details_types = [
    { type = "payment", description = "Pay {/amount}", roles = ["payer"], schema = { type = "object", required = ["amount"] } },
]
ceilings = [{ client_id = "app", authorization_details_types = ["payment"] }]

[[clients]]
client_id = "app"
grant_types = ["client_credentials"]
authorization_details_types = ["payment"]
"#;

#[tokio::test]
async fn rfc9396_2_types_are_declared_and_what_nobody_knows_is_said() {
    assert_eq!(problems_of(DETAILS), Vec::<String>::new());
    let store = MemoryStore::default();
    apply_to(&store, DETAILS).await.unwrap();
    let toml = exported(&store).await;
    let again = apply_to(&store, &toml).await.unwrap();
    assert!(again.steps.iter().all(|step| step.what == What::Unchanged), "{toml}");
    let text = DETAILS
        .replace("types = [\"payment\"]", "types = [\"paymnt\"]")
        .replace("roles = [\"payer\"]", "roles = [\"pyer\"]");
    assert_eq!(
        problems_of(&text),
        [
            "7:65 error: the API https://bank.example knows no role pyer (did you mean payer?)",
            "9:65 error: the API https://bank.example knows no type paymnt of authorization details (did you mean payment?)",
            "14:32 warning: no API knows the type paymnt of authorization details (did you mean payment?)",
        ]
    );
    let wrong = problems_of(&DETAILS.replace("Pay {/amount}", "Pay {amount}").replace("\"object\"", "\"objet\""));
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert!(wrong.iter().all(|line| line.starts_with("7:") && line.contains("the type payment: ")), "{wrong:?}");
    let twice = DETAILS.replace(
        "authorization_details_types = [\n",
        "authorization_details_types = [\n    { type = \"payment\", description = \"x\", schema = {} },\n",
    );
    assert!(problems_of(&twice).iter().any(|line| line.contains("the type payment stands here twice")));
}

#[test]
fn rfc9449_5_2_a_binding_is_one_of_a_few_words() {
    let with = |binding: &str| {
        problems_of(&format!(
            "[[apis]]\naudience = \"https://a.example\"\nname = \"A\"\ntoken = {{ binding = \"{binding}\" }}\n"
        ))
    };
    for binding in ["none", "dpop", "mtls", "any"] {
        assert_eq!(with(binding), Vec::<String>::new());
    }
    assert_eq!(with("dpp"), ["4:21 error: \"dpp\" is not known here (did you mean dpop?)"]);
}

#[test]
fn a_misspelt_member_of_authentication_is_recognised() {
    let found = problems_of(
        "[[clients]]\nclient_id = \"a\"\ngrant_types = [\"client_credentials\"]\ntls_client_auth_san = \"x\"\ndpop_bound_access_token = true\nfederated_credential = []\n",
    );
    assert!(found[0].contains("did you mean tls_client_auth_san_"), "{found:?}");
    assert!(found[1].contains("did you mean dpop_bound_access_tokens?"), "{found:?}");
    assert!(found[2].contains("did you mean federated_credentials?"), "{found:?}");
}

#[test]
fn a_private_key_among_public_ones_is_refused_and_not_shown() {
    let mut problems = Problems::default();
    let text = "clients = [{ client_id = \"a\", grant_types = [\"client_credentials\"], jwks = { keys = [{ kty = \"oct\", k = \"hushhush\" }] } }]";
    let source = Source::new("x.toml", text);
    let manifest = read::read(&source, Format::Toml, &mut problems).unwrap();
    check::check(&world::World { manifest: &manifest, held: &world::Held::default() }, &mut problems);
    assert_eq!(problems.errors(), 1);
    assert!(!problems.render(false).contains("hushhush"));
}
