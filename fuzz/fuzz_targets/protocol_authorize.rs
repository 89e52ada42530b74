//! The authorization request: an answer goes to a registered place only, and no code is promised without PKCE.
#![no_main]

use grantor_protocol::authorize::{AuthorizationRequest, AuthorizationResponse, RedirectTarget, Source, Target};
use grantor_protocol::client::{Client, ClientMetadata};
use grantor_protocol::directory::{Directory, DirectoryRecords, Tenant};
use grantor_protocol::params::Params;
use grantor_protocol::value::{ClientId, Issuer, RedirectUri, TenantName, UnixTime};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

const REDIRECT: &str = "https://app.example/cb";

static ISSUER: LazyLock<Issuer> = LazyLock::new(|| Issuer::parse("https://id.example").expect("an issuer"));
static DIRECTORY: LazyLock<Directory> = LazyLock::new(|| {
    let mut metadata = ClientMetadata::new(TenantName::default(), ClientId::parse("c").expect("a client id"));
    metadata.redirect_uris = vec![RedirectUri::parse(REDIRECT).expect("a redirect URI")];
    let apis = serde_json::from_str(r#"[{"audience":"https://api","name":"A","scopes":[{"name":"r"},{"name":"w"}]}]"#);
    let records = DirectoryRecords {
        tenants: vec![Tenant::new(TenantName::default())],
        apis: apis.expect("an API"),
        clients: vec![Client { metadata, secrets: vec![], issued_at: UnixTime::new(1) }],
        ..DirectoryRecords::default()
    };
    Directory::by_tenant(&records).remove(&TenantName::default()).expect("the tenant")
});

fuzz_target!(|tail: &[u8]| {
    // Half of the way is given, so that the other half is reached.
    let mut query = b"client_id=c&".to_vec();
    query.extend(tail);
    let Ok(params) = Params::parse(&query) else { return };
    let Ok(target) = RedirectTarget::find(&params, &DIRECTORY) else { return };
    assert_eq!(target.redirect_uri.as_str(), REDIRECT);
    match AuthorizationRequest::parse(&params, Target::Redirect(target.clone()), &DIRECTORY, &ISSUER, &Source::Plain) {
        Ok(request) => {
            assert!(request.challenge.is_some() && !request.allowed.access.is_empty());
            let answer = AuthorizationResponse::code(&target, "code".into(), &ISSUER);
            assert!(answer.location().starts_with(REDIRECT) && answer.location().is_ascii());
        }
        Err(refused) => {
            let answer = AuthorizationResponse::error(&target, refused.refusal.code(), &ISSUER);
            assert!(answer.location().starts_with(REDIRECT) && answer.location().is_ascii());
        }
    }
});
