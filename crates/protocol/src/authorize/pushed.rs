//! Pushed authorization requests (RFC 9126), and request objects that are fetched instead (OpenID Connect Core 6.2).

use crate::client::ClientMetadata;
use crate::error::Refusal;
use crate::params::{self, Params};
use crate::value::{ClientId, CodeId, Seconds, UnixTime};
use grantor_jose::JwkThumbprint;
use serde::{Deserialize, Serialize};

/// What our `request_uri` values begin with (RFC 9126 2.2).
pub const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// How long a pushed request may be used. A person must get the link and open it, which can take more than 30 seconds;
/// 600 are too many (FAPI 2.0 Security Profile 5.3.2.2, note 2).
pub const LIFETIME: Seconds = Seconds::new(90);

/// A pushed request, as it travels sealed in its own `request_uri`: no row is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushedRequest {
    /// Names it, so that it can be spent.
    pub id: CodeId,
    /// Who pushed it.
    pub client: ClientId,
    /// The authorization request, as [`Params::parse`] reads it.
    pub query: String,
    /// Whether it came as a request object.
    pub signed: bool,
    /// When it is over.
    pub expires: UnixTime,
}

impl PushedRequest {
    /// What of a form, or of the request object in it, is the authorization request: everything but how the client
    /// authenticated (RFC 9126 2.1). A DPoP proof that came with it binds the code to its key (RFC 9449 10.1).
    pub fn query(params: &Params, dpop: Option<JwkThumbprint>) -> Result<String, Refusal> {
        params.unrepeated()?;
        if params.get("request_uri").is_some() {
            return Err(Refusal::RequestUriAtPushedEndpoint);
        }
        let proven = dpop.map(|key| key.to_string());
        let asked = params.get("dpop_jkt");
        if proven.as_deref().zip(asked).is_some_and(|(proven, asked)| proven != asked) {
            // No grant is at stake yet, so that `invalid_grant` would be the wrong word (RFC 9126 2.3).
            return Err(Refusal::MalformedParameter("dpop_jkt"));
        }
        let bound = proven.as_deref().filter(|_| asked.is_none()).map(|key| ("dpop_jkt", key));
        let request = params.iter().filter(|(name, _)| !OF_THE_CLIENT.contains(name)).chain(bound);
        let pairs: Vec<_> =
            request.map(|(name, value)| format!("{}={}", params::encode(name), params::encode(value))).collect();
        let query = pairs.join("&");
        if query.len() > LONGEST {
            return Err(Refusal::OversizedParameter);
        }
        Ok(query)
    }

    /// The same with the name of the client in it: who authenticates in another way need not say it twice. Another's is
    /// refused.
    pub fn named(query: String, client: &ClientId) -> Result<String, Refusal> {
        match Params::parse(query.as_bytes())?.get("client_id") {
            Some(named) if named == client.as_str() => Ok(query),
            Some(_) => Err(Refusal::RequestUriOfAnotherClient),
            None => Ok(format!("client_id={}&{query}", params::encode(client.as_str()))),
        }
    }

    /// Whether this client may use it now (RFC 9126 2.2, 4).
    pub fn admit(&self, client: &ClientId, now: UnixTime) -> Result<(), Refusal> {
        if self.client != *client {
            return Err(Refusal::RequestUriOfAnotherClient);
        }
        if now >= self.expires {
            return Err(Refusal::RequestUriExpired);
        }
        Ok(())
    }
}

/// The sealed handle in a `request_uri` that is one of ours.
pub fn handle_of(request_uri: &str) -> Option<&str> {
    request_uri.strip_prefix(PREFIX)
}

/// Whether a client may have its request objects fetched from here: one of its registered `request_uris`, character by
/// character but for the fragment, which only tells versions apart (OpenID Connect Core 6.2; RFC 9101 10.4.1). Without TLS
/// anybody on the way could keep or replay what is fetched (RFC 9101 5.2).
pub fn registered(client: &ClientMetadata, request_uri: &str) -> Result<(), Refusal> {
    if !request_uri.starts_with("https://") {
        return Err(Refusal::MalformedRequestUri);
    }
    let asked = without_fragment(request_uri);
    if client.request_uris.iter().any(|known| without_fragment(known) == asked) {
        Ok(())
    } else {
        Err(Refusal::RequestUriNotRegistered)
    }
}

fn without_fragment(uri: &str) -> &str {
    uri.split_once('#').map_or(uri, |(before, _)| before)
}

/// How a client authenticates in a form (RFC 6749 2.3.1, RFC 7521 4.2).
const OF_THE_CLIENT: [&str; 3] = ["client_secret", "client_assertion", "client_assertion_type"];

/// The longest request that fits: sealed, it grows by a third, and must come back as one parameter of 16 KiB.
const LONGEST: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::handle::{HandleKey, HandleKeys, HandleKind};
    use crate::value::{Issuer, TenantName};
    use proptest::prelude::*;

    const KEY: JwkThumbprint = JwkThumbprint::from_bytes([1; 32]);

    fn query(form: &str, dpop: Option<JwkThumbprint>) -> Result<String, Refusal> {
        PushedRequest::query(&Params::parse(form.as_bytes()).unwrap(), dpop)
    }

    fn pushed() -> PushedRequest {
        PushedRequest {
            id: CodeId::from_bytes([1; 16]),
            client: ClientId::parse("app").unwrap(),
            query: "client_id=app".to_owned(),
            signed: false,
            expires: UnixTime::new(100),
        }
    }

    #[test]
    fn rfc9126_2_1_how_the_client_authenticates_is_no_part_of_the_request() {
        let form = "client_id=app&client_secret=s&client_assertion=a&client_assertion_type=t&scope=a+b&state=%C3%A9%26";
        assert_eq!(query(form, None).unwrap(), "client_id=app&scope=a+b&state=%C3%A9%26");
    }

    #[test]
    fn rfc9126_2_1_the_client_names_itself_and_nobody_else() {
        let (app, named) =
            (ClientId::parse("app").unwrap(), |query: &str, client| PushedRequest::named(query.to_owned(), client));
        assert_eq!(named("scope=a", &app).unwrap(), "client_id=app&scope=a");
        assert_eq!(named("client_id=app&scope=a", &app).unwrap(), "client_id=app&scope=a");
        assert_eq!(named("client_id=other", &app), Err(Refusal::RequestUriOfAnotherClient));
    }

    #[test]
    fn rfc9126_2_1_a_request_uri_is_not_pushed() {
        let refusal = Err(Refusal::RequestUriAtPushedEndpoint);
        assert_eq!(query("client_id=app&request_uri=urn:x", None), refusal);
        assert_eq!(query(&format!("request_uri={PREFIX}x"), None), refusal);
    }

    #[test]
    fn rfc6749_3_1_a_repeated_parameter_is_not_pushed() {
        assert_eq!(query("state=1&state=2", None), Err(Refusal::RepeatedParameter));
        assert_eq!(query("resource=urn:a&resource=urn:b", None).unwrap(), "resource=urn%3Aa&resource=urn%3Ab");
    }

    #[test]
    fn rfc9449_10_1_a_proof_binds_the_code_to_its_key() {
        assert_eq!(query("state=1", Some(KEY)).unwrap(), format!("state=1&dpop_jkt={KEY}"));
        let named = format!("dpop_jkt={KEY}");
        assert_eq!(query(&named, Some(KEY)).unwrap(), named);
        assert_eq!(query(&named, None).unwrap(), named);
    }

    #[test]
    fn rfc9449_10_1_a_proof_of_another_key_is_refused() {
        let another = JwkThumbprint::from_bytes([2; 32]);
        let refusal = query(&format!("dpop_jkt={another}"), Some(KEY)).unwrap_err();
        assert_eq!(refusal, Refusal::MalformedParameter("dpop_jkt"));
        assert_eq!(refusal.code().as_str(), "invalid_request");
    }

    #[test]
    fn rfc9126_2_3_a_request_that_would_not_come_back_is_too_large() {
        let long = |length: usize| format!("state={}", "x".repeat(length - "state=".len()));
        assert_eq!(query(&long(LONGEST + 1), None), Err(Refusal::OversizedParameter));
        assert_eq!(Refusal::OversizedParameter.status(), 413);
        let client = ClientId::parse(&"a".repeat(255)).unwrap();
        let pushed = PushedRequest { query: query(&long(LONGEST), None).unwrap(), client, ..pushed() };
        let keys = HandleKeys::new(&Issuer::parse("https://id.example").unwrap(), vec![HandleKey::new(&[1; 32])]);
        let content = serde_json::to_vec(&pushed).unwrap();
        let request_uri = format!("{PREFIX}{}", keys.seal(HandleKind::PushedRequest, [0; 24], &content).unwrap());
        let params = Params::parse(format!("client_id=app&request_uri={request_uri}").as_bytes()).unwrap();
        let handle = handle_of(params.get("request_uri").unwrap()).unwrap();
        let opened = keys.open(HandleKind::PushedRequest, handle).unwrap();
        assert_eq!(serde_json::from_slice::<PushedRequest>(&opened).unwrap(), pushed);
    }

    #[test]
    fn rfc9126_2_2_a_pushed_request_is_used_by_who_pushed_it_and_in_time() {
        let (app, other) = (ClientId::parse("app").unwrap(), ClientId::parse("other").unwrap());
        assert_eq!(pushed().admit(&app, UnixTime::new(99)), Ok(()));
        assert_eq!(pushed().admit(&app, UnixTime::new(100)), Err(Refusal::RequestUriExpired));
        assert_eq!(pushed().admit(&other, UnixTime::new(99)), Err(Refusal::RequestUriOfAnotherClient));
    }

    #[test]
    fn fapi2_security_profile_5_3_2_2_a_pushed_request_is_over_in_less_than_600_seconds() {
        assert!((31..600).contains(&LIFETIME.get()));
    }

    #[test]
    fn rfc9126_2_2_our_request_uris_are_known_by_their_prefix() {
        assert_eq!(handle_of("urn:ietf:params:oauth:request_uri:gr_pr_x"), Some("gr_pr_x"));
        for other in
            ["https://app.example/r", "urn:ietf:params:oauth:request_uri", "xurn:ietf:params:oauth:request_uri:a"]
        {
            assert_eq!(handle_of(other), None, "{other}");
        }
    }

    #[test]
    fn oidc_core_6_2_request_objects_are_fetched_from_registered_places_only() {
        let mut client = ClientMetadata::new(TenantName::default(), ClientId::parse("app").unwrap());
        let known = ["https://app.example/r?a=1#old", "http://app.example/plain", "https://app.example/bare"];
        client.request_uris = known.map(str::to_owned).to_vec();
        for good in ["https://app.example/r?a=1", "https://app.example/r?a=1#new", "https://app.example/bare#x"] {
            assert_eq!(registered(&client, good), Ok(()), "{good}");
        }
        for other in [
            "https://app.example/r",
            "https://app.example/r?a=1&b=2",
            "https://app.example/R?a=1",
            "https://app.example/bare/",
            "https://app.example/bar",
            "https://app.example:443/bare",
            "https://app.example/",
        ] {
            assert_eq!(registered(&client, other), Err(Refusal::RequestUriNotRegistered), "{other}");
        }
    }

    #[test]
    fn rfc9101_5_2_request_objects_are_fetched_over_tls() {
        let mut client = ClientMetadata::new(TenantName::default(), ClientId::parse("app").unwrap());
        client.request_uris = ["http://app.example/r", "file:///etc/passwd", ""].map(str::to_owned).to_vec();
        for bad in ["http://app.example/r", "file:///etc/passwd", "", "#x", "urn:ietf:params:oauth:request_uri:a"] {
            assert_eq!(registered(&client, bad), Err(Refusal::MalformedRequestUri), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn rfc9126_4_what_was_pushed_is_what_is_read(
            pairs in proptest::collection::btree_map("[^\\p{Cc}]{1,20}", "[^\\p{Cc}]{1,60}", 0..10)
        ) {
            let params = Params::from_pairs(pairs).unwrap();
            let query = PushedRequest::query(&params, None).unwrap();
            let read = Params::parse(query.as_bytes()).unwrap();
            prop_assert_eq!(read.iter().collect::<Vec<_>>(), params.iter().collect::<Vec<_>>());
        }
    }
}
