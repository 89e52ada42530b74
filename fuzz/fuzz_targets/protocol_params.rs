//! Forms and credentials, and what proxies ask: never a panic, what is read is clean, and nobody is authenticated by chance.
#![no_main]

use grantor_protocol::client::auth::{Presented, by_connection, by_secret};
use grantor_protocol::client::{AuthMethod, Client, ClientMetadata, ClientSecret, SecretHash, StoredSecret};
use grantor_protocol::forward_auth::{Original, Question};
use grantor_protocol::narrow::Asked;
use grantor_protocol::params::Params;
use grantor_protocol::protected_resource::{credential, is_token68};
use grantor_protocol::token::TokenRequest;
use grantor_protocol::value::{ClientId, TenantName, UnixTime};
use libfuzzer_sys::fuzz_target;
use std::sync::{Arc, LazyLock};

const NOW: UnixTime = UnixTime::new(1);

fn client(method: AuthMethod) -> Arc<Client> {
    let mut metadata = ClientMetadata::new(TenantName::default(), ClientId::parse("c").expect("a client id"));
    metadata.token_endpoint_auth_method = method;
    metadata.grant_types = grantor_protocol::grant::GrantType::ALL.to_vec();
    let hash = SecretHash::quick(&ClientSecret::new([9; 32]).into_secret());
    Arc::new(Client { metadata, secrets: vec![StoredSecret { hash, created: NOW, expires: None }], issued_at: NOW })
}

static CONFIDENTIAL: LazyLock<Arc<Client>> = LazyLock::new(|| client(AuthMethod::ClientSecretBasic));
static PUBLIC: LazyLock<Arc<Client>> = LazyLock::new(|| client(AuthMethod::None));

fuzz_target!(|input: (&[u8], Option<&str>)| {
    let (form, authorization) = input;
    if let Ok((_, token)) = credential([form]) {
        assert!(is_token68(token.as_bytes()));
    }
    if let Ok(text) = std::str::from_utf8(form) {
        if let Ok(question) = Question::parse(text) {
            assert!(question.origin.starts_with("http") && text.contains("resource"));
        }
        if let Ok(original) = Original::new("GET", text) {
            assert!(original.path.starts_with('/') && !original.path.contains(['?', '#']));
        }
    }
    let params = Params::parse(form);
    if let Ok(params) = &params {
        for (name, value) in params.iter() {
            assert!(!value.is_empty() && !name.contains('\0') && !value.contains('\0'));
        }
        let _ = Asked::parse(params);
        if let Ok(presented) = Presented::find(params, authorization) {
            assert!(by_secret(&presented, Some(&CONFIDENTIAL), None, NOW).is_err(), "nobody knows the secret");
            assert!(by_secret(&presented, None, None, NOW).is_err() && by_connection(None, None, None, NOW).is_err());
            assert!(by_connection(Some(&CONFIDENTIAL), None, None, NOW).is_err());
            if let Ok(public) = by_connection(Some(&PUBLIC), None, None, NOW) {
                let _ = TokenRequest::parse(params, &public);
            }
        }
    }
});
