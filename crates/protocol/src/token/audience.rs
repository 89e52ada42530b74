//! Which part of a grant one access token carries: one audience unless more were asked for (RFC 8707 2.2, RFC 9700 2.3).

use crate::directory::{Api, Directory, TokenProfile};
use crate::error::Refusal;
use crate::grant::Access;
use crate::narrow::Asked;
use crate::value::{Issuer, Resource, Scope};
use std::sync::Arc;

/// What one access token is for.
#[derive(Clone, Debug)]
pub struct Selection {
    /// `aud`, APIs first.
    pub audience: Vec<Resource>,
    /// `scope`.
    pub scope: Scope,
    /// The APIs among the audiences; none for a token that is good for userinfo alone.
    pub apis: Vec<Arc<Api>>,
}

/// Chooses from what was granted. Named resources are taken as they are named. Without any, it is the one API of the
/// grant, and the issuer (whose userinfo endpoint is a resource too) when `openid` was granted; several APIs must be
/// named one by one.
pub fn select(granted: &Access, asked: &Asked, directory: &Directory, issuer: &Issuer) -> Result<Selection, Refusal> {
    let issuer = issuer.as_resource();
    let named = if asked.resources.is_empty() {
        implied(granted, asked, &issuer)?
    } else {
        if asked.resources.iter().any(|resource| granted.at(resource).is_none()) {
            return Err(Refusal::ResourceNotGranted);
        }
        let mut named = asked.resources.clone();
        named.sort_by_key(|resource| (*resource == issuer, resource.clone()));
        named.dedup();
        named
    };
    let within: Access = named
        .iter()
        .filter_map(|resource| granted.at(resource).map(|scope| (resource.clone(), scope.clone())))
        .collect();
    let scope = match &asked.scope {
        None => within.scope(),
        // RFC 6749 6: never a scope that was not granted.
        Some(asked) if !granted.scope().covers(asked) => return Err(Refusal::ScopeNotGranted),
        Some(asked) => {
            // An audience of which no scope is asked for would carry nothing but the user's roles.
            let speaks_of = |scope: &Scope| scope.is_empty() || !scope.intersection(asked).is_empty();
            if !within.iter().all(|(_, scope)| speaks_of(scope)) {
                return Err(Refusal::ScopeNotGranted);
            }
            within.scope().intersection(asked)
        }
    };
    let apis: Vec<_> = named.iter().filter_map(|resource| directory.api(resource).cloned()).collect();
    if named.iter().any(|resource| *resource != issuer && directory.api(resource).is_none()) {
        return Err(Refusal::UnknownResource);
    }
    let forms = |api: &Arc<Api>| TokenProfile { lifetime: crate::value::Seconds::new(0), ..api.token };
    if apis.windows(2).any(|pair| matches!(pair, [a, b] if forms(a) != forms(b))) {
        return Err(Refusal::MixedTokenProfiles);
    }
    Ok(Selection { audience: named, scope, apis })
}

fn implied(granted: &Access, asked: &Asked, issuer: &Resource) -> Result<Vec<Resource>, Refusal> {
    let wanted = |scope: &Scope| {
        asked.scope.as_ref().is_none_or(|asked| scope.is_empty() || !scope.intersection(asked).is_empty())
    };
    let mut apis: Vec<Resource> = granted
        .iter()
        .filter(|(resource, scope)| *resource != issuer && wanted(scope))
        .map(|(resource, _)| resource.clone())
        .collect();
    if apis.len() > 1 {
        return Err(Refusal::SeveralAudiences);
    }
    let openid = granted.at(issuer).is_some_and(|scope| {
        scope.contains("openid") && asked.scope.as_ref().is_none_or(|asked| asked.contains("openid"))
    });
    if openid || (apis.is_empty() && granted.at(issuer).is_some()) {
        apis.push(issuer.clone());
    }
    if apis.is_empty() { Err(Refusal::ScopeNotGranted) } else { Ok(apis) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::narrow::tests::{directory, issuer};

    fn granted(entries: &[(&str, &str)]) -> Access {
        entries
            .iter()
            .map(|(resource, scope)| (Resource::parse(resource).unwrap(), Scope::parse(scope).unwrap()))
            .collect()
    }

    fn asked(scope: Option<&str>, resources: &[&str]) -> Asked {
        Asked {
            scope: scope.map(|raw| Scope::parse(raw).unwrap()),
            resources: resources.iter().map(|raw| Resource::parse(raw).unwrap()).collect(),
        }
    }

    fn audience(granted: &Access, asked: &Asked) -> Result<(Vec<String>, String), Refusal> {
        let selection = select(granted, asked, &directory("[]"), &issuer())?;
        Ok((selection.audience.iter().map(ToString::to_string).collect(), selection.scope.to_string()))
    }

    #[test]
    fn rfc9700_2_3_a_token_has_one_audience_unless_asked_otherwise() {
        let both = granted(&[("https://notes", "notes:read"), ("https://mail", "mail:read")]);
        assert_eq!(audience(&both, &asked(None, &[])), Err(Refusal::SeveralAudiences));
        assert_eq!(
            audience(&both, &asked(None, &["https://mail"])),
            Ok((vec!["https://mail".into()], "mail:read".into()))
        );
        assert_eq!(
            audience(&both, &asked(Some("notes:read"), &[])),
            Ok((vec!["https://notes".into()], "notes:read".into()))
        );
        assert_eq!(audience(&both, &asked(None, &["https://mail", "https://notes"])).unwrap().0.len(), 2);
    }

    #[test]
    fn rfc8707_2_2_a_resource_that_was_not_granted_is_refused() {
        let notes = granted(&[("https://notes", "notes:read")]);
        assert_eq!(audience(&notes, &asked(None, &["https://mail"])), Err(Refusal::ResourceNotGranted));
    }

    #[test]
    fn rfc6749_6_never_a_scope_that_was_not_granted() {
        let notes = granted(&[("https://notes", "notes:read")]);
        assert_eq!(audience(&notes, &asked(Some("notes:read notes:write"), &[])), Err(Refusal::ScopeNotGranted));
    }

    #[test]
    fn rfc8707_2_2_an_audience_of_which_no_scope_is_asked_for_is_refused() {
        let both = granted(&[("https://notes", "notes:read"), ("https://mail", "mail:read")]);
        let asked = asked(Some("notes:read"), &["https://mail"]);
        assert_eq!(audience(&both, &asked), Err(Refusal::ScopeNotGranted));
    }

    #[test]
    fn oidc_core_5_3_openid_makes_userinfo_an_audience_unless_a_resource_is_named() {
        let with_openid = granted(&[("https://notes", "notes:read"), ("https://id.example", "openid profile")]);
        let (audiences, scope) = audience(&with_openid, &asked(None, &[])).unwrap();
        assert_eq!(audiences, ["https://notes", "https://id.example"]);
        assert_eq!(scope, "notes:read openid profile");
        let (audiences, scope) = audience(&with_openid, &asked(None, &["https://notes"])).unwrap();
        assert_eq!((audiences.as_slice(), scope.as_str()), (&["https://notes".to_owned()][..], "notes:read"));
        let only = granted(&[("https://id.example", "openid")]);
        assert_eq!(audience(&only, &asked(None, &[])).unwrap().0, ["https://id.example"]);
    }
}
