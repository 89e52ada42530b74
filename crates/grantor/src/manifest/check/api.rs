//! What an API says of itself: scopes, roles, types of authorization details, ceilings.

use super::{Checks, place};
use crate::document::{Node, Place, Problem, did_you_mean};
use crate::manifest::Declared;
use grantor_protocol::authorization_details;
use grantor_protocol::directory::Api;
use grantor_protocol::narrow::OPENID_SCOPES;
use std::collections::HashSet;

impl Checks<'_, '_> {
    pub(super) fn api(&mut self, declared: &Declared<Api>) {
        let (api, node) = (&declared.record, &declared.node);
        self.in_tenant(&api.tenant, node);
        self.token_lifetime(api.token.lifetime, place(node, &["token", "lifetime"]));
        if api.token.status_list && !api.token.has_status() {
            let problem = Problem::error("status_list is for JWTs, but format is opaque: those are asked about anyway");
            self.problems.push(problem.at(place(node, &["token", "status_list"])));
        }
        let mut seen = HashSet::new();
        for (index, scope) in api.scopes.iter().enumerate() {
            let index = index.to_string();
            if !seen.insert(scope.name.as_str()) {
                let problem = Problem::error(format!("the scope {} stands here twice", scope.name));
                self.problems.push(problem.at(place(node, &["scopes", &index, "name"])));
            }
            if OPENID_SCOPES.contains(&scope.name.as_str()) {
                let problem = Problem::error(format!("the scope {} belongs to OpenID Connect", scope.name));
                self.problems.push(problem.at(place(node, &["scopes", &index, "name"])));
            }
            self.roles(api, &scope.roles, node, &["scopes", &index, "roles"]);
        }
        let mut seen = HashSet::new();
        for (index, role) in api.roles.iter().enumerate() {
            if !seen.insert(&role.name) {
                let problem = Problem::error(format!("the role {} stands here twice", role.name));
                self.problems.push(problem.at(place(node, &["roles", &index.to_string(), "name"])));
            }
        }
        let mut seen = HashSet::new();
        for (index, ceiling) in api.ceilings.iter().enumerate() {
            let index = index.to_string();
            let here = place(node, &["ceilings", &index, "client_id"]);
            if !seen.insert(&ceiling.client_id) {
                let problem = Problem::error(format!("{} has two ceilings here", ceiling.client_id));
                self.problems.push(problem.at(here.clone()));
            }
            self.client_exists(&api.tenant, &ceiling.client_id, here);
            for scope in ceiling.scope.iter().filter(|scope| api.find_scope(scope.as_str()).is_none()) {
                self.unknown_scope(api, scope.as_str(), place(node, &["ceilings", &index, "scope"]));
            }
            for (at, kind) in ceiling.authorization_details_types.iter().flatten().enumerate() {
                let path = ["ceilings", &index, "authorization_details_types", &at.to_string()];
                self.details_type_exists(api, kind, place(node, &path));
            }
            self.roles(api, &ceiling.roles, node, &["ceilings", &index, "roles"]);
        }
        self.details_types(api, node);
        for (index, client) in api.resource_servers.iter().enumerate() {
            self.client_exists(&api.tenant, client, place(node, &["resource_servers", &index.to_string()]));
        }
    }

    /// RFC 9396 2.
    fn details_types(&mut self, api: &Api, node: &Node) {
        let mut seen = HashSet::new();
        for (index, kind) in api.authorization_details_types.iter().enumerate() {
            let index = index.to_string();
            let here = |key: &str| place(node, &["authorization_details_types", &index, key]);
            if !seen.insert(kind.name.as_str()) {
                let problem = Problem::error(format!("the type {} stands here twice", kind.name));
                self.problems.push(problem.at(here("type")));
            }
            for said in authorization_details::problems(kind) {
                // Each begins with the member that it is about.
                let here = here(said.split([' ', ':']).next().unwrap_or_default());
                self.problems.push(Problem::error(format!("the type {}: {said}", kind.name)).at(here));
            }
            self.roles(api, &kind.roles, node, &["authorization_details_types", &index, "roles"]);
        }
    }

    pub(super) fn details_type_exists(&mut self, api: &Api, kind: &str, here: Place) {
        let known = || api.authorization_details_types.iter().map(|known| known.name.as_str());
        if !known().any(|known| known == kind) {
            let said = format!("the API {} knows no type {kind} of authorization details", api.audience);
            self.problems.push(Problem::error(said).at(here).help(did_you_mean(kind, known())));
        }
    }
}
