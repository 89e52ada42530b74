//! What records say of each other: names that stand twice, references to nothing, declarations that contradict
//! themselves. A record in which something was wrong already is not asked again.

mod api;
mod client;
mod user;

use super::Declared;
use super::world::World;
use crate::document::{Node, Place, Problem, Problems, did_you_mean};
use grantor_protocol::directory::{Api, Policy, Tenant};
use grantor_protocol::registration::DynamicRegistration;
use grantor_protocol::value::{ClientId, Resource, Seconds, TenantName};
use std::collections::HashSet;

/// The longest life of a token, in seconds: a retired signing key is published for a day and no longer.
const LONGEST_TOKEN: u32 = 86_400;

/// The longest life of a code, in seconds (RFC 6749 4.1.2).
const LONGEST_CODE: u32 = 600;

/// The shortest life of a registered client that is not used, in seconds: its user must have the time to sign in.
const SHORTEST_UNUSED: u32 = 3_600;

/// Everything that is wrong between the records.
pub(super) fn check(world: &World<'_>, problems: &mut Problems) {
    let manifest = world.manifest;
    twice(&manifest.tenants, "name", problems, |tenant| tenant.name.to_string());
    twice(&manifest.apis, "audience", problems, |api| format!("{} {}", api.tenant, api.audience));
    twice(&manifest.clients, "client_id", problems, |client| {
        format!("{} {}", client.metadata.tenant, client.metadata.client_id)
    });
    twice(&manifest.users, "username", problems, |user| {
        format!("{} {}", user.account.tenant, user.account.username.to_lowercase())
    });
    twice(&manifest.policies, "name", problems, |policy| format!("{} {}", policy.tenant, policy.name));
    let mut checks = Checks { world, problems };
    sound(&manifest.tenants).for_each(|tenant| checks.tenant(tenant));
    sound(&manifest.apis).for_each(|api| checks.api(api));
    sound(&manifest.clients).for_each(|client| checks.client(client));
    sound(&manifest.users).for_each(|user| checks.user(user));
    sound(&manifest.policies).for_each(|policy| checks.policy(policy));
}

fn sound<T>(all: &[Declared<T>]) -> impl Iterator<Item = &Declared<T>> {
    all.iter().filter(|declared| !declared.node.tainted)
}

fn twice<T>(all: &[Declared<T>], key: &str, problems: &mut Problems, name: impl Fn(&T) -> String) {
    let mut seen = HashSet::new();
    for declared in all {
        if declared.node.get(key).is_some() && !seen.insert(name(&declared.record)) {
            problems.push(Problem::error(format!("this {key} stands here twice")).at(place(&declared.node, &[key])));
        }
    }
}

/// The place of what is below these keys; a number is an index. As far as there is anything.
fn place(node: &Node, path: &[&str]) -> Place {
    let mut here = node;
    for step in path {
        let next = here.get(step).or_else(|| step.parse().ok().and_then(|index| here.item(index)));
        match next {
            Some(next) => here = next,
            None => break,
        }
    }
    here.place.clone()
}

struct Checks<'w, 'p> {
    world: &'w World<'w>,
    problems: &'p mut Problems,
}

impl<'w> Checks<'w, '_> {
    fn tenant(&mut self, declared: &Declared<Tenant>) {
        if declared.record.profiles.is_empty() {
            let problem = Problem::error("profiles is empty: no client could have one");
            self.problems.push(problem.at(place(&declared.node, &["profiles"])));
        }
        self.registration(declared);
        let lifetimes = &declared.record.lifetimes;
        if lifetimes.code.get() > LONGEST_CODE {
            let problem = Problem::error(format!("a code lives {LONGEST_CODE} seconds at the most (RFC 6749 4.1.2)"));
            self.problems.push(problem.at(place(&declared.node, &["lifetimes", "code"])));
        }
        for (name, lifetime) in [("id_token", lifetimes.id_token), ("access_token", lifetimes.access_token)] {
            self.token_lifetime(lifetime, place(&declared.node, &["lifetimes", name]));
        }
        for (name, lifetime) in [
            ("code", lifetimes.code),
            ("refresh_idle", lifetimes.refresh_idle),
            ("refresh_absolute", lifetimes.refresh_absolute),
            ("session", lifetimes.session),
        ] {
            if lifetime.get() == 0 {
                let problem = Problem::error(format!("{name} is 0: nothing could live that long"));
                self.problems.push(problem.at(place(&declared.node, &["lifetimes", name])));
            }
        }
    }

    /// What clients that nobody declared may do.
    fn registration(&mut self, declared: &Declared<Tenant>) {
        let (policy, node) = (&declared.record.registration, &declared.node);
        let on = policy.metadata_documents || policy.dynamic != DynamicRegistration::Off;
        if on && policy.tiers.is_empty() {
            let problem = Problem::error("registration is on, but there are no tiers: no client could be let in");
            self.problems.push(problem.at(place(node, &["registration"])));
        }
        for (index, tier) in policy.tiers.iter().enumerate() {
            let at = index.to_string();
            if tier.hosts.is_empty() {
                let problem = Problem::error(format!("the tier {} has no hosts: no client could be in it", tier.name));
                self.problems.push(problem.at(place(node, &["registration", "tiers", &at, "hosts"])));
            }
            if tier.unused_lifetime.get() < SHORTEST_UNUSED {
                let problem =
                    Problem::error(format!("a client that is not used lives {SHORTEST_UNUSED} seconds at least"));
                self.problems.push(problem.at(place(node, &["registration", "tiers", &at, "unused_lifetime"])));
            }
            for (number, api) in tier.apis.iter().enumerate() {
                let here = place(node, &["registration", "tiers", &at, "apis", &number.to_string()]);
                self.api_exists(&declared.record.name, api, here);
            }
        }
    }

    fn token_lifetime(&mut self, lifetime: Seconds, here: Place) {
        if !(1..=LONGEST_TOKEN).contains(&lifetime.get()) {
            let problem = Problem::error(format!("a token lives 1 to {LONGEST_TOKEN} seconds"));
            self.problems.push(problem.at(here));
        }
    }

    fn policy(&mut self, declared: &Declared<Policy>) {
        let (policy, node) = (&declared.record, &declared.node);
        self.in_tenant(&policy.tenant, node);
        for (index, client) in policy.clients.iter().enumerate() {
            self.client_exists(&policy.tenant, client, place(node, &["clients", &index.to_string()]));
        }
        let Some(api) = self.api_exists(&policy.tenant, &policy.api, place(node, &["api"])) else { return };
        self.roles(api, &policy.roles, node, &["roles"]);
        for (index, scope) in policy.scopes.iter().flatten().enumerate() {
            if api.find_scope(scope.as_str()).is_none() {
                self.unknown_scope(api, scope.as_str(), place(node, &["scopes", &index.to_string()]));
            }
        }
        for (index, kind) in policy.authorization_details_types.iter().flatten().enumerate() {
            let path = ["authorization_details_types", &index.to_string()];
            self.details_type_exists(api, kind, place(node, &path));
        }
    }

    fn in_tenant(&mut self, tenant: &TenantName, node: &Node) {
        if self.world.tenant(tenant).is_none() {
            let problem = Problem::error(format!("there is no tenant {tenant}")).at(place(node, &["tenant"]));
            self.problems.push(problem.help(did_you_mean(tenant.as_str(), self.world.tenants())));
        }
    }

    fn client_exists(&mut self, tenant: &TenantName, client: &ClientId, here: Place) {
        let clients = self.world.clients(tenant);
        if !clients.contains(client) {
            let problem = Problem::error(format!("there is no client {client}")).at(here);
            self.problems.push(problem.help(did_you_mean(client.as_str(), clients.iter().map(|id| id.as_str()))));
        }
    }

    /// The API, unless it is in doubt.
    fn api_exists(&mut self, tenant: &TenantName, audience: &Resource, here: Place) -> Option<&'w Api> {
        let world = self.world;
        match world.api(tenant, audience) {
            Some((_, true)) => None,
            Some((api, false)) => Some(api),
            None => {
                let apis = world.apis(tenant);
                let problem = Problem::error(format!("there is no API {audience}")).at(here);
                let help = did_you_mean(audience.as_str(), apis.iter().map(|(api, _)| api.audience.as_str()));
                self.problems.push(problem.help(help));
                None
            }
        }
    }

    fn roles(&mut self, api: &Api, roles: &[String], node: &Node, path: &[&str]) {
        for (index, role) in roles.iter().enumerate() {
            if !api.roles.iter().any(|known| known.name == *role) {
                let index = index.to_string();
                let path: Vec<&str> = path.iter().copied().chain([index.as_str()]).collect();
                let problem =
                    Problem::error(format!("the API {} knows no role {role}", api.audience)).at(place(node, &path));
                self.problems.push(problem.help(did_you_mean(role, api.roles.iter().map(|known| known.name.as_str()))));
            }
        }
    }

    fn unknown_scope(&mut self, api: &Api, scope: &str, here: Place) {
        let problem = Problem::error(format!("the API {} knows no scope {scope}", api.audience)).at(here);
        self.problems.push(problem.help(did_you_mean(scope, api.scopes.iter().map(|known| known.name.as_str()))));
    }
}
