//! Handles and claims: nothing opens that was not sealed here, and claims that are read are written the same.
#![no_main]

use grantor_protocol::directory::User;
use grantor_protocol::grant::ClaimsRequest;
use grantor_protocol::grant::authorization_code::Code;
use grantor_protocol::token::AccessToken;
use grantor_protocol::token::handle::{HandleKey, HandleKeys, HandleKind};
use grantor_protocol::value::Issuer;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static KEYS: LazyLock<HandleKeys> = LazyLock::new(|| {
    HandleKeys::new(&Issuer::parse("https://id.example").expect("an issuer"), vec![HandleKey::new(&[3; 32])])
});

fuzz_target!(|text: &str| {
    for kind in HandleKind::ALL {
        assert!(KEYS.open(kind, text).is_none());
        assert!(KEYS.open(kind, &format!("{}{text}", kind.prefix())).is_none());
    }
    assert!(KEYS.open_refresh_token(text).is_none());
    if let Ok(serde_json::Value::Object(claims)) = serde_json::from_str(text)
        && let Some(token) = AccessToken::from_claims(&claims)
    {
        assert_eq!(AccessToken::from_claims(&token.claims()), Some(token));
    }
    let _ = serde_json::from_str::<Code>(text);
    let _ = serde_json::from_str::<ClaimsRequest>(text);
    let _ = serde_json::from_str::<User>(text);
});
