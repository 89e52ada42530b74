//! What clients that nobody declared may do: one policy, with tiers of trust by host.

use super::{HostPattern, InitialAccessToken, Origin, document};
use crate::client::{Client, ClientMetadata};
use crate::grant::GrantType;
use crate::value::{ClientId, RedirectUri, Resource, Scope, Seconds, Secret, UnixTime};
use serde::{Deserialize, Serialize};

/// The policy of a tenant. The default allows nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegistrationPolicy {
    /// Who may register a client (RFC 7591).
    pub dynamic: DynamicRegistration,
    /// Whether a URL can be a `client_id`.
    pub metadata_documents: bool,
    /// How many registered clients there are at the most.
    pub most_clients: u32,
    /// The first tier that fits a client is its own; a client that none fits is refused.
    pub tiers: Vec<Tier>,
    /// The tokens that a client may be registered with. The command line makes them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub initial_access_tokens: Vec<InitialAccessToken>,
}

/// Who may register a client (RFC 7591 3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DynamicRegistration {
    /// Nobody.
    #[default]
    Off,
    /// Whoever has an initial access token.
    InitialAccessToken,
    /// Anybody.
    Open,
}

/// What clients at some hosts may do. It is applied whenever such a client is looked up, so that a stricter policy holds
/// for those that are there already.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Its name, for people.
    pub name: String,
    /// Where its clients are: the host of the document; of a registered client all of its redirect URIs.
    pub hosts: Vec<HostPattern>,
    /// The grants that they may use.
    #[serde(default = "default_grant_types")]
    pub grant_types: Vec<GrantType>,
    /// The APIs that they may reach. None, unless they are named: then they may learn who signed in, and no more.
    #[serde(default)]
    pub apis: Vec<Resource>,
    /// The scopes that they may ask for; absent: all that these APIs have, and those of OpenID Connect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// Where their redirect URIs may lead; absent: to the document's own host and the user's own machine, and for a
    /// registered client to all of `hosts`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_hosts: Option<Vec<HostPattern>>,
    /// How long a registered client lives that is not used, in seconds.
    #[serde(default = "default_unused_lifetime")]
    pub unused_lifetime: Seconds,
}

impl Default for RegistrationPolicy {
    fn default() -> Self {
        Self {
            dynamic: DynamicRegistration::Off,
            metadata_documents: false,
            most_clients: 10_000,
            tiers: Vec::new(),
            initial_access_tokens: Vec::new(),
        }
    }
}

fn default_grant_types() -> Vec<GrantType> {
    vec![GrantType::AuthorizationCode, GrantType::RefreshToken]
}

fn default_unused_lifetime() -> Seconds {
    Seconds::new(90 * 86_400)
}

/// How long a registered client lives that never obtained a token.
const NEVER_USED: Seconds = Seconds::new(86_400);

impl RegistrationPolicy {
    /// Whether it is the default.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The tier of the document at a URL, if one may be looked up there.
    pub fn tier_of_document(&self, client: &ClientId) -> Option<&Tier> {
        let host = document::host(client).filter(|_| self.metadata_documents)?;
        self.tiers.iter().find(|tier| tier.hosts.iter().any(|pattern| pattern.matches_host(&host)))
    }

    /// The tier of a client that registers itself with these redirect URIs.
    pub fn tier_of_redirects(&self, uris: &[RedirectUri]) -> Option<&Tier> {
        let all_at = |tier: &Tier| match uris {
            [] => tier.hosts.contains(&HostPattern::Any),
            uris => uris.iter().all(|uri| tier.hosts.iter().any(|pattern| pattern.matches(uri))),
        };
        self.tiers.iter().find(|tier| all_at(tier))
    }

    /// The tier of a client that nobody declared.
    pub fn tier_of(&self, client: &ClientMetadata) -> Option<&Tier> {
        match &client.origin {
            Origin::Declared => None,
            Origin::Registered(_) => self.tier_of_redirects(&client.redirect_uris),
            Origin::Document(_) => self.tier_of_document(&client.client_id),
        }
    }

    /// Holds a client that nobody declared to its tier. Without one it is switched off.
    pub fn hold(&self, client: &mut ClientMetadata) {
        if client.origin.is_declared() {
            return;
        }
        let own_host = document::host(&client.client_id);
        let Some(tier) = self.tier_of(client) else {
            client.disabled = true;
            return;
        };
        client.grant_types.retain(|grant_type| tier.grant_types.contains(grant_type));
        let before = client.redirect_uris.len();
        client.redirect_uris.retain(|uri| tier.admits(uri, own_host.as_deref()));
        client.disabled |= before > 0 && client.redirect_uris.is_empty();
        client.scope = tier.scope_of(client.scope.take());
        client.reach = Some(tier.apis.clone());
        // Only an administrator can vouch for these.
        client.require_consent = true;
        client.federated_credentials.clear();
        client.authorization_details_types = None;
    }

    /// The policy after an initial access token was used once; none when it does not work.
    pub fn spend(&self, token: &Secret, now: UnixTime) -> Option<(Self, String)> {
        let mut after = self.clone();
        let spent = after.initial_access_tokens.iter_mut().find(|held| held.token_hash.matches(token))?;
        if !spent.is_alive(now) {
            return None;
        }
        spent.uses = spent.uses.saturating_sub(1);
        let name = spent.name.clone();
        after.initial_access_tokens.retain(|held| held.is_alive(now));
        Some((after, name))
    }

    /// Whether a registered client has not been used for as long as its tier allows, or for a day when it never was: a
    /// flood of them is soon over. One without a tier is switched off, and goes after the default time.
    pub fn is_unused(&self, client: &Client, now: UnixTime) -> bool {
        let lifetime = self.unused_lifetime(&client.metadata);
        client.metadata.origin.registered().is_some_and(|registered| {
            let never = registered.used == client.issued_at;
            now >= registered.used.plus(if never { lifetime.min(NEVER_USED) } else { lifetime })
        })
    }

    /// Whether it is worth writing down that a registered client is in use: the first time, and eight times in its life
    /// without use.
    pub fn is_renewal_due(&self, client: &Client, now: UnixTime) -> bool {
        let eighth = Seconds::new(self.unused_lifetime(&client.metadata).get() / 8);
        let registered = client.metadata.origin.registered();
        registered.is_some_and(|it| it.used == client.issued_at || now >= it.used.plus(eighth))
    }

    fn unused_lifetime(&self, client: &ClientMetadata) -> Seconds {
        self.tier_of(client).map_or_else(default_unused_lifetime, |tier| tier.unused_lifetime)
    }
}

impl Tier {
    /// Whether a redirect URI may be one of a client here; `own_host` is that of the client's document.
    pub(super) fn admits(&self, uri: &RedirectUri, own_host: Option<&str>) -> bool {
        match (&self.redirect_hosts, own_host) {
            (Some(patterns), _) => patterns.iter().any(|pattern| pattern.matches(uri)),
            (None, Some(host)) => {
                uri.is_loopback() || (uri.scheme() == "https:" && uri.host_name().as_deref() == Some(host))
            }
            (None, None) => true,
        }
    }

    /// What is left of the scope that a client asks to be registered for.
    pub(super) fn scope_of(&self, asked: Option<Scope>) -> Option<Scope> {
        match (&self.scope, asked) {
            (None, asked) => asked,
            (Some(most), None) => Some(most.clone()),
            (Some(most), Some(asked)) => {
                Some(asked.iter().filter(|token| most.contains(token.as_str())).cloned().collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Registered, TokenHash, initial_access_token};
    use super::*;
    use crate::value::TenantName;
    use serde_json::json;

    const NOW: UnixTime = UnixTime::new(1_000_000);

    fn policy(tiers: &serde_json::Value) -> RegistrationPolicy {
        serde_json::from_value(json!({"dynamic": "open", "metadata_documents": true, "tiers": tiers})).unwrap()
    }

    fn client(redirects: &[&str]) -> ClientMetadata {
        let mut client = ClientMetadata::new(TenantName::default(), ClientId::parse("a").unwrap());
        client.redirect_uris = redirects.iter().map(|uri| RedirectUri::parse(uri).unwrap()).collect();
        let token_hash = TokenHash::of(&Secret::new("x".to_owned()));
        client.origin = Origin::Registered(Registered { token_hash, used: NOW });
        client
    }

    fn held(policy: &RegistrationPolicy, redirects: &[&str]) -> ClientMetadata {
        let mut client = client(redirects);
        policy.hold(&mut client);
        client
    }

    #[test]
    fn nothing_is_allowed_by_default() {
        let default = RegistrationPolicy::default();
        assert_eq!((default.dynamic, default.metadata_documents), (DynamicRegistration::Off, false));
        assert!(held(&default, &["https://app.example/cb"]).disabled);
        let id = ClientId::parse("https://app.example/client").unwrap();
        assert!(default.tier_of_document(&id).is_none());
        assert!(serde_json::from_value::<RegistrationPolicy>(json!({"open": true})).is_err());
    }

    #[test]
    fn the_first_tier_that_fits_every_redirect_uri_is_the_clients() {
        let policy = policy(&json!([
            {"name": "own", "hosts": ["*.corp.example"], "apis": ["https://api.example"]},
            {"name": "others", "hosts": ["*"], "scope": "openid", "grant_types": ["authorization_code"]},
        ]));
        let name = |redirects: &[&str]| policy.tier_of(&client(redirects)).unwrap().name.clone();
        assert_eq!(name(&["https://a.corp.example/cb", "https://b.corp.example/cb"]), "own");
        assert_eq!(name(&["https://a.corp.example/cb", "https://evil.example/cb"]), "others");
        assert_eq!(name(&[]), "others");
        let own = held(&policy, &["https://a.corp.example/cb"]);
        assert_eq!(own.reach, Some(vec![Resource::parse("https://api.example").unwrap()]));
        assert_eq!(own.scope, None);
        let other = held(&policy, &["https://x.example/cb"]);
        assert_eq!(other.reach, Some(Vec::new()));
        assert_eq!(other.scope.unwrap().to_string(), "openid");
    }

    #[test]
    fn a_client_that_nobody_declared_is_held_to_its_tier_whatever_its_record_says() {
        let tiers = json!([{"name": "t", "hosts": ["*"], "grant_types": ["authorization_code"], "scope": "openid mail",
                            "redirect_hosts": ["app.example"]}]);
        let mut it = client(&["https://app.example/cb", "https://evil.example/cb"]);
        it.grant_types.push(GrantType::ClientCredentials);
        it.scope = Scope::parse("mail admin");
        it.require_consent = false;
        it.authorization_details_types = Some(vec!["payment".into()]);
        policy(&tiers).hold(&mut it);
        assert_eq!(it.grant_types, [GrantType::AuthorizationCode]);
        assert_eq!(it.redirect_uris.len(), 1);
        assert_eq!(it.scope.unwrap().to_string(), "mail");
        assert!(it.require_consent && it.authorization_details_types.is_none());
        let mut declared = ClientMetadata::new(TenantName::default(), ClientId::parse("a").unwrap());
        let before = declared.clone();
        RegistrationPolicy::default().hold(&mut declared);
        assert_eq!(declared, before, "a declared client is nobody's business here");
    }

    #[test]
    fn a_document_redirects_to_its_own_host_and_to_loopback_unless_the_tier_says_otherwise() {
        let uri = |raw| RedirectUri::parse(raw).unwrap();
        let tier = |redirects| -> Tier {
            serde_json::from_value(json!({"name": "t", "hosts": ["*"], "redirect_hosts": redirects})).unwrap()
        };
        let own = tier(json!(null));
        for good in ["https://app.example/cb", "http://127.0.0.1:1/cb", "http://localhost/cb"] {
            assert!(own.admits(&uri(good), Some("app.example")), "{good}");
        }
        for bad in ["https://evil.example/cb", "https://x.app.example/cb", "com.example.app:/cb"] {
            assert!(!own.admits(&uri(bad), Some("app.example")), "{bad}");
        }
        let listed = tier(json!(["cb.example"]));
        assert!(listed.admits(&uri("https://cb.example/"), Some("app.example")));
        assert!(!listed.admits(&uri("https://app.example/"), Some("app.example")));
    }

    #[test]
    fn rfc7591_3_an_initial_access_token_is_good_for_its_uses_and_its_time() {
        let token = initial_access_token([1; 32]);
        let other = initial_access_token([2; 32]);
        let kept = |uses| InitialAccessToken {
            name: "ci".into(),
            token_hash: TokenHash::of(&token),
            created: NOW,
            expires: NOW.plus(Seconds::new(10)),
            uses,
        };
        let policy = RegistrationPolicy { initial_access_tokens: vec![kept(2)], ..RegistrationPolicy::default() };
        let (once, name) = policy.spend(&token, NOW).unwrap();
        assert_eq!((once.initial_access_tokens[0].uses, name.as_str()), (1, "ci"));
        let (twice, _) = once.spend(&token, NOW).unwrap();
        assert!(twice.spend(&token, NOW).is_none());
        assert!(policy.spend(&other, NOW).is_none());
        assert!(policy.spend(&token, NOW.plus(Seconds::new(10))).is_none());
    }

    #[test]
    fn a_registered_client_that_is_not_used_ends() {
        let policy = policy(&json!([{"name": "t", "hosts": ["*"], "unused_lifetime": 80}]));
        let metadata = client(&["https://app.example/cb"]);
        let after = |seconds| NOW.plus(Seconds::new(seconds));
        let mut it = Client { metadata, secrets: Vec::new(), issued_at: UnixTime::new(0) };
        assert!(!policy.is_renewal_due(&it, after(9)) && policy.is_renewal_due(&it, after(10)));
        assert!(!policy.is_unused(&it, after(79)) && policy.is_unused(&it, after(80)));
        let long = RegistrationPolicy::default();
        assert!(!long.is_unused(&it, after(90 * 86_400 - 1)) && long.is_unused(&it, after(90 * 86_400)));
        it.issued_at = NOW;
        assert!(!long.is_unused(&it, after(86_399)) && long.is_unused(&it, after(86_400)), "it was never used");
        assert!(policy.is_renewal_due(&it, NOW), "its first use counts");
        it.metadata.origin = Origin::Declared;
        assert!(!policy.is_unused(&it, UnixTime::FOREVER));
    }
}
