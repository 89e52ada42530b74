//! What a user's account says.

use super::client::HASHES;
use super::{Checks, place};
use crate::document::Problem;
use crate::manifest::{Declared, UserDeclaration};
use grantor_login::password;

impl Checks<'_, '_> {
    pub(super) fn user(&mut self, declared: &Declared<UserDeclaration>) {
        let (account, node) = (&declared.record.account, &declared.node);
        self.in_tenant(&account.tenant, node);
        let name = account.username.as_str();
        if name.is_empty() || name.trim() != name || name.chars().count() > 255 || name.chars().any(char::is_control) {
            let problem = Problem::error("username is 1 to 255 characters without surrounding space");
            self.problems.push(problem.at(place(node, &["username"])));
        }
        if account.password.is_some() && account.password_hash.is_some() {
            let problem = Problem::error("password and password_hash exclude each other");
            self.problems.push(problem.at(place(node, &["password_hash"])));
        }
        if account.password.as_ref().is_some_and(|password| password.expose().is_empty()) {
            let problem =
                Problem::error("password is empty").help("leave it out: nobody signs in without one".to_owned());
            self.problems.push(problem.at(place(node, &["password"])));
        }
        if account.password_hash.as_ref().is_some_and(|hash| !password::recognises(hash)) {
            let problem = Problem::error(format!("password_hash is none that verifies here: {HASHES}"));
            self.problems.push(problem.at(place(node, &["password_hash"])));
        }
        let held = &self.world.held;
        if let (Some(sub), Some(other)) = (&account.sub, held.user_by_name(&account.tenant, name))
            && other.sub != *sub
        {
            let problem = Problem::error(format!("{name} is the username of another user, whose sub is {}", other.sub))
                .help("a sub never changes: delete that user first, or leave sub out".to_owned());
            self.problems.push(problem.at(place(node, &["sub"])));
        }
        for (audience, roles) in &account.roles {
            let here = node.get("roles").and_then(|roles| roles.entry(audience.as_str()));
            let here = here.map_or_else(|| node.place.clone(), |entry| entry.place.clone());
            if let Some(api) = self.api_exists(&account.tenant, audience, here) {
                self.roles(api, roles, node, &["roles", audience.as_str()]);
            }
        }
    }
}
