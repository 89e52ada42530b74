//! A tenant is one issuer: its own keys, clients, APIs, users and policies.

use crate::client::ClientMetadata;
use crate::profile::Profile;
use crate::registration::RegistrationPolicy;
use crate::value::{Seconds, TenantName, Text};
use serde::{Deserialize, Serialize};

/// One issuer. The one named `default` answers at the root, any other below `/t/{name}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// As it stands in the path.
    pub name: TenantName,
    /// What the pages call it.
    #[serde(default)]
    pub display_name: Text,
    /// The profiles that clients of this tenant may have.
    #[serde(default = "all_profiles")]
    pub profiles: Vec<Profile>,
    /// Whether DPoP proofs must carry a nonce of the server, so that none can be made in advance (RFC 9449 8).
    #[serde(default = "yes")]
    pub dpop_nonces: bool,
    /// Whether the pages for learning and trying are served. They hold nothing of the server's, and their scripts are its own;
    /// a tenant that wants none on the origin where users type their passwords switches them off.
    #[serde(default = "yes", skip_serializing_if = "is_on")]
    pub playground: bool,
    /// Whether users have a token desk, where they keep tokens: off unless asked for, as the playground is.
    #[serde(default, skip_serializing_if = "is_off")]
    pub desk: bool,
    /// Whether users may let others use what lies on the desk. Where they may, each token and each workspace still has a
    /// switch of its own that is off.
    #[serde(default = "yes", skip_serializing_if = "is_on")]
    pub desk_sharing: bool,
    /// How long things live.
    #[serde(default)]
    pub lifetimes: Lifetimes,
    /// What clients that nobody declared may do.
    #[serde(default, skip_serializing_if = "RegistrationPolicy::is_default")]
    pub registration: RegistrationPolicy,
}

/// How long things live, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Lifetimes {
    /// An authorization code; ten minutes at most (RFC 6749 4.1.2).
    pub code: Seconds,
    /// An ID token.
    pub id_token: Seconds,
    /// An access token for the userinfo endpoint; those for an API follow the API.
    pub access_token: Seconds,
    /// A refresh token that is not used.
    pub refresh_idle: Seconds,
    /// A grant, however often it is refreshed.
    pub refresh_absolute: Seconds,
    /// For how long the refresh token just replaced gives the same successor again.
    pub refresh_grace: Seconds,
    /// A browser's session.
    pub session: Seconds,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            code: Seconds::new(60),
            id_token: Seconds::new(3600),
            access_token: Seconds::new(600),
            refresh_idle: Seconds::new(30 * 86_400),
            refresh_absolute: Seconds::new(365 * 86_400),
            refresh_grace: Seconds::new(30),
            session: Seconds::new(12 * 3600),
        }
    }
}

impl Tenant {
    /// A tenant with the defaults.
    pub fn new(name: TenantName) -> Self {
        Self {
            name,
            display_name: Text::default(),
            profiles: all_profiles(),
            dpop_nonces: true,
            playground: true,
            desk: false,
            desk_sharing: true,
            lifetimes: Lifetimes::default(),
            registration: RegistrationPolicy::default(),
        }
    }

    /// Holds a client to what the tenant allows.
    pub fn hold(&self, client: &mut ClientMetadata) {
        client.profile = self.profile_of(client);
        self.registration.hold(client);
    }

    /// The profile that a client is held to: its own; or, when the tenant has not that one, the least strict of the tenant
    /// that is stricter; or its own after all, when there is none: what a tenant has must not loosen a client.
    pub fn profile_of(&self, client: &ClientMetadata) -> Profile {
        let own = client.profile;
        let no_laxer = self.profiles.iter().copied().filter(|profile| profile.strictness() >= own.strictness());
        no_laxer.min_by_key(|profile| profile.strictness()).unwrap_or(own)
    }
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_off(switch: &bool) -> bool {
    !switch
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_on(switch: &bool) -> bool {
    *switch
}

fn all_profiles() -> Vec<Profile> {
    Profile::ALL.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::ClientId;

    #[test]
    fn a_tenant_of_one_profile_holds_every_client_to_it() {
        let mut tenant = Tenant::new(TenantName::default());
        let mut client = ClientMetadata::new(TenantName::default(), ClientId::parse("a").unwrap());
        assert_eq!(tenant.profile_of(&client), Profile::OAuth21);
        tenant.profiles = vec![Profile::Fapi2, Profile::Fapi2MessageSigning];
        assert_eq!(tenant.profile_of(&client), Profile::Fapi2);
        client.profile = Profile::Fapi2MessageSigning;
        assert_eq!(tenant.profile_of(&client), Profile::Fapi2MessageSigning);
        tenant.profiles.reverse();
        client.profile = Profile::OAuth21;
        assert_eq!(tenant.profile_of(&client), Profile::Fapi2);
        tenant.profiles = vec![Profile::Fapi2];
        assert_eq!(tenant.profile_of(&client), Profile::Fapi2);
    }

    #[test]
    fn no_tenant_loosens_a_client() {
        let mut tenant = Tenant::new(TenantName::default());
        let mut client = ClientMetadata::new(TenantName::default(), ClientId::parse("a").unwrap());
        let (lax, plain) = (Profile::Oidc, Profile::OAuth21);
        let (strict, strictest) = (Profile::Fapi2, Profile::Fapi2MessageSigning);
        for (profiles, own, held_to) in [
            (vec![plain], strict, strict),
            (vec![lax, plain], strictest, strictest),
            (vec![plain, strict], strictest, strictest),
            (vec![plain, strictest], strict, strictest),
            (vec![lax, strict], plain, strict),
            (vec![lax], plain, plain),
            (vec![plain], lax, plain),
            (vec![strictest, plain], lax, plain),
            (vec![], strict, strict),
        ] {
            tenant.profiles.clone_from(&profiles);
            client.profile = own;
            assert_eq!(tenant.profile_of(&client), held_to, "{profiles:?} {own:?}");
        }
    }
}
