//! What a client says of itself: its metadata, how it authenticates, and with what.

use super::{Checks, place};
use crate::document::{Node, Place, Problem, did_you_mean};
use crate::manifest::{ClientDeclaration, Declared};
use grantor_protocol::client::{AuthMethod, ClientMetadata, SecretHash};
use grantor_protocol::narrow::OPENID_SCOPES;
use grantor_protocol::value::Scope;

/// The hashes of secrets and passwords that verify here.
pub(super) const HASHES: &str = "argon2, bcrypt, scrypt or PBKDF2 in a form of docs/manifest.md, of a bearable cost";

/// The shortest secret that may make an HS256, in bytes (RFC 7518 3.2).
const SHORTEST_FOR_MAC: usize = 32;

impl Checks<'_, '_> {
    pub(super) fn client(&mut self, declared: &Declared<ClientDeclaration>) {
        let (metadata, node) = (&declared.record.metadata, &declared.node);
        self.in_tenant(&metadata.tenant, node);
        let held_to = self.as_held_to(metadata, node);
        for contradiction in held_to.contradictions() {
            let here = member(node, &contradiction);
            self.problems.push(Problem::error(contradiction).at(here));
        }
        for warning in held_to.warnings() {
            let here = member(node, &warning);
            self.problems.push(Problem::warning(warning).at(here));
        }
        self.secrets(&declared.record, node);
        self.known_scopes(metadata, node);
        self.known_details_types(metadata, node);
    }

    /// The client with the profile that it is held to: its own, or what its tenant makes of the default when it names none.
    fn as_held_to(&mut self, metadata: &ClientMetadata, node: &Node) -> ClientMetadata {
        let mut held_to = metadata.clone();
        let Some((tenant, false)) = self.world.tenant(&metadata.tenant) else { return held_to };
        let given = node.entry("profile").is_some();
        if given && !tenant.profiles.contains(&metadata.profile) {
            let problem = Problem::error(format!("the tenant {} does not allow this profile", tenant.name));
            let known: Vec<&str> = tenant.profiles.iter().map(|profile| profile.as_str()).collect();
            let unnamed = ClientMetadata::new(metadata.tenant.clone(), metadata.client_id.clone());
            let unnamed = tenant.profile_of(&unnamed).as_str();
            let help = (!known.is_empty()).then(|| format!("it has {}; left out, it is {unnamed}", known.join(", ")));
            self.problems.push(problem.help(help).at(place(node, &["profile"])));
        } else {
            held_to.profile = tenant.profile_of(metadata);
        }
        held_to
    }

    fn secrets(&mut self, declared: &ClientDeclaration, node: &Node) {
        let (method, secrets) = (declared.metadata.token_endpoint_auth_method, &declared.secrets);
        for key in ["client_secret", "client_secret_hash"] {
            if let Some(entry) = node.entry(key).filter(|_| !method.needs_secret()) {
                let method = method.as_str();
                let problem = Problem::error(format!("{key} is given, but token_endpoint_auth_method is {method}"));
                self.problems.push(problem.at(entry.place.clone()));
            }
        }
        let mut say = |key: &str, problem: Problem| self.problems.push(problem.at(place(node, &[key])));
        let readable = method == AuthMethod::ClientSecretJwt;
        match (&secrets.client_secret, &secrets.client_secret_hash) {
            (Some(_), Some(_)) => {
                let problem = Problem::error("client_secret and client_secret_hash exclude each other");
                say("client_secret_hash", problem);
            }
            (Some(secret), None) if secret.expose().is_empty() => {
                let problem = Problem::error("client_secret is empty").help("leave it out and one is made".to_owned());
                say("client_secret", problem);
            }
            (Some(secret), None) if readable && secret.expose().len() < SHORTEST_FOR_MAC => {
                let problem = Problem::error(format!(
                    "client_secret has less than {SHORTEST_FOR_MAC} bytes, too few for HS256 (RFC 7518 3.2)"
                ));
                say("client_secret", problem.help("leave it out and one is made".to_owned()));
            }
            (None, Some(hashed)) => {
                let hashes: Option<Vec<SecretHash>> =
                    hashed.iter().map(|one| one.parse().map(|(hash, _)| hash)).collect();
                let sealed = |hash: &SecretHash| matches!(hash, SecretHash::Sealed(_));
                match hashes {
                    None => say(
                        "client_secret_hash",
                        Problem::error("client_secret_hash is none that verifies here")
                            .help(format!("sha256: with 32 bytes of base64url, sealed: of an export, {HASHES}")),
                    ),
                    Some(hashes) if readable && !hashes.iter().all(sealed) => say(
                        "client_secret_hash",
                        Problem::error(
                            "client_secret_hash cannot make a MAC, but token_endpoint_auth_method is client_secret_jwt",
                        )
                        .help("give client_secret itself, or what `grantor export` writes: sealed:...".to_owned()),
                    ),
                    Some(hashes) if method.needs_secret() && !readable && hashes.iter().any(sealed) => say(
                        "client_secret_hash",
                        Problem::error(format!(
                            "sealed: is for client_secret_jwt, but token_endpoint_auth_method is {}",
                            method.as_str()
                        ))
                        .help("give client_secret itself, or a hash of it".to_owned()),
                    ),
                    Some(_) => {}
                }
            }
            _ => {}
        }
    }

    fn known_scopes(&mut self, metadata: &ClientMetadata, node: &Node) {
        let apis = self.world.apis(&metadata.tenant);
        for scope in metadata.scope.iter().flat_map(Scope::iter) {
            let known = OPENID_SCOPES.contains(&scope.as_str())
                || apis.iter().any(|(api, tainted)| *tainted || api.find_scope(scope.as_str()).is_some());
            if !known {
                let all = apis.iter().flat_map(|(api, _)| api.scopes.iter().map(|scope| scope.name.as_str()));
                let problem = Problem::warning(format!("no API knows the scope {}", scope.as_str()));
                let help = did_you_mean(scope.as_str(), all.chain(OPENID_SCOPES.iter().copied()));
                self.problems.push(problem.help(help).at(place(node, &["scope"])));
            }
        }
    }

    fn known_details_types(&mut self, metadata: &ClientMetadata, node: &Node) {
        let apis = self.world.apis(&metadata.tenant);
        if apis.iter().any(|(_, tainted)| *tainted) {
            return;
        }
        let all = || apis.iter().flat_map(|(api, _)| &api.authorization_details_types).map(|kind| kind.name.as_str());
        for (index, kind) in metadata.authorization_details_types.iter().flatten().enumerate() {
            if !all().any(|known| known == kind) {
                let here = place(node, &["authorization_details_types", &index.to_string()]);
                let problem = Problem::warning(format!("no API knows the type {kind} of authorization details"));
                self.problems.push(problem.help(did_you_mean(kind, all())).at(here));
            }
        }
    }
}

/// The place of what a sentence about a client begins with: a member, or one of its federated credentials
/// (`federated_credentials: name: ...`).
fn member(node: &Node, sentence: &str) -> Place {
    let key = sentence.split([' ', ':']).next().unwrap_or_default();
    let of_one = sentence.strip_prefix("federated_credentials: ").unwrap_or_default();
    // A name may hold a colon: the credential is the one whose name the sentence goes on with.
    let index = (0..).map_while(|index| Some((index, node.get(key)?.item(index)?))).find_map(|(index, one)| {
        let name = one.get("name").and_then(Node::text)?;
        of_one.strip_prefix(name)?.starts_with(": ").then_some(index)
    });
    match index {
        Some(index) => place(node, &[key, &index.to_string()]),
        None => place(node, &[key]),
    }
}
