//! The doors of the values: what comes in prints as it came, and redirect URIs match nothing but themselves.
#![no_main]

use grantor_protocol::authorize::Prompt;
use grantor_protocol::value::{
    ClientId, CodeChallenge, CodeVerifier, GrantId, Issuer, RedirectUri, Resource, Scope, ScopeToken, Subject,
    TenantName,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str)| {
    let (text, other) = input;
    if let Some(scope) = Scope::parse(text) {
        assert_eq!(Scope::parse(&scope.to_string()), Some(scope));
    }
    if let (Some(a), Some(b)) = (RedirectUri::parse(text), RedirectUri::parse(other)) {
        assert!(a.matches(&a));
        assert_eq!(a.matches(&b), b.matches(&a));
        if a.matches(&b) && text != other {
            let loopback = |uri: &str| uri.starts_with("http://127.0.0.1") || uri.starts_with("http://[::1]");
            assert!(loopback(text) && loopback(other), "{text} {other}");
        }
        let _ = (a.host(), a.scheme());
    }
    if let Some(issuer) = Issuer::parse(text) {
        assert_eq!(Issuer::parse(issuer.as_str()).as_ref(), Some(&issuer));
        assert!(issuer.is_https() || text.starts_with("http"));
    }
    if let Some(name) = TenantName::parse(text) {
        assert!(!name.as_str().contains(['/', '.', '%']));
    }
    if let Some(id) = GrantId::parse(text) {
        assert_eq!(GrantId::parse(&id.to_string()), Some(id));
    }
    if let (Some(challenge), Some(verifier)) = (CodeChallenge::parse(text), CodeVerifier::parse(other)) {
        assert!(!challenge.matches(&verifier) || text.len() == 43);
    }
    let _ = (Resource::parse(text), ScopeToken::parse(text), ClientId::parse(text), Subject::parse(text));
    let _ = Prompt::parse(text);
});
