//! Authorization details beside scopes (RFC 9396 7, 11): what the policies of the APIs leave of them, and which audiences
//! come with them.

use super::{Allowed, Narrowing, NoneFits, Reason, Wanted, fitting_policy};
use crate::authorization_details::{AuthorizationDetails, Detail};
use crate::client::Client;
use crate::directory::{Api, Directory, User};
use crate::error::Refusal;
use crate::grant::{Access, GrantType};
use crate::token::Selection;
use crate::value::Scope;
use std::sync::Arc;

/// Authorization details and scopes together: an API comes with a scope or with a detail, as far as its policies let this
/// user have it. Audiences of which nothing is left go.
pub fn with_details(
    mut allowed: Allowed,
    mut details: AuthorizationDetails,
    directory: &Directory,
    client: &Client,
    user: &User,
    grant_type: GrantType,
) -> Result<(Allowed, AuthorizationDetails), Refusal> {
    let by_policy = |detail: &Detail| {
        // Each of the APIs must agree.
        detail.concerned(directory).into_iter().find_map(|(api, _)| {
            let roles = Some(user.roles_at(&api.audience));
            left_out(detail, directory, api, client, grant_type, roles)
        })
    };
    allowed.narrowed.extend(details.leave_out(by_policy));
    let concerned = details.allowed(directory, &client.metadata)?;
    for audience in &concerned {
        allowed.access.add(audience.clone(), &Scope::default());
    }
    allowed.access.retain(|resource, scope| {
        let whole = directory.api(resource).is_none_or(|api| api.is_named_as_a_whole());
        !scope.is_empty() || whole || concerned.contains(resource)
    });
    if allowed.access.is_empty() { Err(Refusal::NothingOfTheScopeIsAllowed) } else { Ok((allowed, details)) }
}

/// Of every API in the selection, unless it is named as a whole, there is a scope or a detail: an audience of which
/// nothing is allowed would carry nothing but the user's roles (RFC 9700 2.3).
pub fn each_speaks(
    selection: &Selection,
    access: &Access,
    details: &AuthorizationDetails,
    directory: &Directory,
) -> Result<(), Refusal> {
    let speaks = |api: &Arc<Api>| {
        let scope = access.at(&api.audience).is_some_and(|scope| !scope.intersection(&selection.scope).is_empty());
        scope || api.is_named_as_a_whole() || !details.at(directory, std::slice::from_ref(api)).is_empty()
    };
    if selection.apis.iter().all(speaks) { Ok(()) } else { Err(Refusal::AuthorizationDetailsNotGranted) }
}

/// Whether the policies of an API let an application have these for itself; what it may ask for is another question (see
/// [`AuthorizationDetails::for_itself`]).
pub fn details_for_itself(
    details: &AuthorizationDetails,
    directory: &Directory,
    api: &Api,
    client: &Client,
    grant_type: GrantType,
) -> Result<(), Refusal> {
    let refused = details.iter().any(|detail| left_out(detail, directory, api, client, grant_type, None).is_some());
    if refused { Err(Refusal::AuthorizationDetailsNotAllowed) } else { Ok(()) }
}

/// Why the policies of this API leave a detail out.
fn left_out(
    detail: &Detail,
    directory: &Directory,
    api: &Api,
    client: &Client,
    grant_type: GrantType,
    roles: Option<&[String]>,
) -> Option<Reason> {
    match fitting_policy(directory, &api.audience, client, grant_type, roles) {
        Err(NoneFits) => Some(Reason::NoPolicyFits(api.audience.clone())),
        Ok(Some(policy)) if !policy.allows_details_of(detail.kind()) => {
            Some(Reason::LeftOutByPolicy(policy.name.clone()))
        }
        Ok(_) => None,
    }
}

impl AuthorizationDetails {
    /// Takes away those for which there is a reason, and says which.
    pub(crate) fn leave_out(&mut self, reason: impl Fn(&Detail) -> Option<Reason>) -> Vec<Narrowing> {
        let mut narrowed = Vec::new();
        self.retain(|detail| match reason(detail) {
            None => true,
            Some(reason) => {
                narrowed.push(Narrowing { what: Wanted::Detail(detail.kind().to_owned()), reason });
                false
            }
        });
        narrowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::AuthMethod;
    use crate::client::auth::tests::client;
    use crate::directory::{DirectoryRecords, Tenant};
    use crate::narrow::tests::{issuer, user};
    use crate::narrow::{Asked, delegated};
    use crate::value::{Resource, TenantName};

    fn resource() -> Resource {
        Resource::parse("https://vault").unwrap()
    }

    /// One API without a scope, with these types of authorization details.
    fn directory(types: &str) -> Directory {
        let api = format!(r#"[{{"audience":"https://vault","name":"Vault","authorization_details_types":{types}}}]"#);
        let records = DirectoryRecords {
            tenants: vec![Tenant::new(TenantName::default())],
            apis: serde_json::from_str(&api).unwrap(),
            ..DirectoryRecords::default()
        };
        Directory::by_tenant(&records).remove(&TenantName::default()).unwrap()
    }

    const OPENING: &str = r#"[{"type":"opening","description":"Open","schema":{}}]"#;

    #[test]
    fn rfc9396_7_an_api_with_types_of_details_is_not_had_by_its_name() {
        let web = client("web", AuthMethod::ClientSecretBasic);
        let asked = Asked { scope: None, resources: vec![resource()] };
        let whole = delegated(&asked, &directory("[]"), &issuer(), &web).unwrap();
        assert!(whole.access.at(&resource()).is_some());
        let named = delegated(&asked, &directory(OPENING), &issuer(), &web);
        assert_eq!(named, Err(Refusal::NothingOfTheScopeIsAllowed));
    }

    #[test]
    fn rfc9396_7_an_audience_goes_with_its_last_detail() {
        let web = client("web", AuthMethod::ClientSecretBasic);
        let left = |types: &str| {
            let mut allowed = Allowed::default();
            allowed.access.add(resource(), &Scope::default());
            let none = AuthorizationDetails::default();
            with_details(allowed, none, &directory(types), &web, &user(&[]), GrantType::AuthorizationCode)
        };
        assert!(left("[]").unwrap().0.access.at(&resource()).is_some());
        assert_eq!(left(OPENING), Err(Refusal::NothingOfTheScopeIsAllowed));
    }
}
