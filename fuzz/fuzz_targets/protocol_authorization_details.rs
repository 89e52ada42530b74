//! Authorization details: what is narrowed was granted, what is shown hides nothing, and no schema brings a fetch or a fall.
#![no_main]

use grantor_protocol::authorization_details::{AuthorizationDetails, Detail, problems, sentence};
use grantor_protocol::client::ClientMetadata;
use grantor_protocol::directory::{Api, AuthorizationDetailsType, Directory, DirectoryRecords, Tenant};
use grantor_protocol::value::{ClientId, Resource, TenantName};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, &str, &str)| {
    let (raw, other, schema, description) = input;
    // Random bytes are seldom an array of objects: without one the members alone are tried too.
    let read = |raw: &str| {
        AuthorizationDetails::parse(raw).or_else(|_| AuthorizationDetails::parse(&format!(r#"[{{"type":"t",{raw}}}]"#)))
    };
    let schema = serde_json::from_str(schema).unwrap_or_default();
    let kind = AuthorizationDetailsType {
        name: "t".into(),
        description: description.into(),
        schema,
        roles: vec![],
        compiled: Default::default(),
    };
    let _ = problems(&kind);
    let Ok(granted) = read(raw) else { return };
    let written = serde_json::to_string(&granted).expect("JSON");
    assert_eq!(serde_json::from_str::<AuthorizationDetails>(&written).ok().as_ref(), Some(&granted));
    assert!(granted.covers(&granted));
    assert_eq!(granted.narrowed(&granted).map(|left| left.covers(&granted)), Ok(true));
    for said in granted.iter().map(|detail| sentence(detail, &kind, "en")) {
        assert!(description.trim() != "" || !said.chars().any(char::is_control));
    }
    let (directory, client) = (directory(kind), client());
    let allowed = granted.allowed(&directory, &client);
    assert_eq!(allowed.is_err(), granted.explain(&directory, &client).is_some());
    if allowed.is_ok() {
        assert!(granted.iter().map(Detail::kind).all(|kind| kind == "t"));
        let apis: Vec<_> = directory.apis().cloned().collect();
        assert_eq!(granted.at(&directory, &apis), granted);
    }
    if let Ok(asked) = read(other) {
        if let Ok(left) = granted.narrowed(&asked) {
            assert!(granted.covers(&left));
        }
        let both = granted.union(&asked);
        assert!(both.covers(&granted) && both.covers(&asked));
    }
});

fn directory(kind: AuthorizationDetailsType) -> Directory {
    let api = Api {
        tenant: TenantName::default(),
        audience: Resource::parse("https://api.example").expect("an audience"),
        name: "API".into(),
        scopes: vec![],
        roles: vec![],
        token: Default::default(),
        ceilings: vec![],
        openapi: None,
        operations: vec![],
        authorization_details_types: vec![kind],
        resource_servers: vec![],
        ceilings_by_client: Default::default(),
    };
    let tenants = vec![Tenant::new(TenantName::default())];
    let records = DirectoryRecords { tenants, apis: vec![api], ..DirectoryRecords::default() };
    Directory::by_tenant(&records).remove(&TenantName::default()).expect("a tenant")
}

fn client() -> ClientMetadata {
    let mut client = ClientMetadata::new(TenantName::default(), ClientId::parse("c").expect("a client id"));
    client.authorization_details_types = Some(vec!["t".into()]);
    client
}
