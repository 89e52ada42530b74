//! Who may ask for what, and what a user can allow of it (RFC 9396 5, 10): types are declared by APIs, and given to
//! clients one by one.

use super::{AuthorizationDetails, Detail, find_type, schema};
use crate::client::ClientMetadata;
use crate::directory::{Api, AuthorizationDetailsType, Directory, User};
use crate::error::Refusal;
use crate::narrow::{Narrowing, Reason};
use crate::value::Resource;
use std::fmt;
use std::sync::Arc;

impl AuthorizationDetails {
    /// The APIs that they concern, when this client may ask for all of them: each type is known to the one API that is
    /// meant (see [`Detail::concerned`]), listed in the client's `authorization_details_types` and below the API's
    /// ceiling for it, and the object fits the schema of the type.
    pub fn allowed(&self, directory: &Directory, client: &ClientMetadata) -> Result<Vec<Resource>, Refusal> {
        let mut audiences = Vec::new();
        for detail in &self.0 {
            let concerned = may_ask(detail, directory, client);
            for (api, _) in concerned.map_err(|objection| objection.refusal())? {
                if !audiences.contains(&api.audience) {
                    audiences.push(api.audience.clone());
                }
            }
        }
        Ok(audiences)
    }

    /// Why [`Self::allowed`] refuses, in words for the log; they name members of the request, but none of its values.
    pub fn explain(&self, directory: &Directory, client: &ClientMetadata) -> Option<String> {
        self.0.iter().enumerate().find_map(|(position, detail)| {
            let objection = may_ask(detail, directory, client).err()?;
            Some(format!("authorization_details {position}: {objection}"))
        })
    }

    /// What of them this user can allow, and why not the rest.
    #[must_use]
    pub fn for_user(mut self, directory: &Directory, user: &User) -> (Self, Vec<Narrowing>) {
        let narrowed = self.leave_out(|detail| can_allow(detail, directory, user).err());
        (self, narrowed)
    }

    /// Whether an application may have them for itself, in a token for this API: the API knows each type, has a
    /// ceiling for the client, and the ceiling or else the client itself lists the type; the objects fit.
    pub fn for_itself(&self, api: &Api, client: &ClientMetadata) -> Result<(), Refusal> {
        for detail in &self.0 {
            let kind = find_type(api, detail.kind()).ok_or(Refusal::UnknownAuthorizationDetailsType)?;
            if api.ceiling(&client.client_id).is_none() {
                return Err(Refusal::AuthorizationDetailsNotAllowed);
            }
            may_ask_of(detail, (api, kind), client).map_err(|objection| objection.refusal())?;
        }
        Ok(())
    }

    /// The part that concerns these APIs: an API sees only what is its own (RFC 9396 9).
    #[must_use]
    pub fn at(&self, directory: &Directory, apis: &[Arc<Api>]) -> Self {
        let its_own = |detail: &&Detail| {
            let concerned = detail.concerned(directory);
            apis.iter().any(|api| concerned.iter().any(|(one, _)| one.audience == api.audience))
        };
        Self(self.0.iter().filter(its_own).cloned().collect())
    }

    /// What is still allowed of what was granted earlier: the directory may have become stricter since.
    #[must_use]
    pub fn still_allowed(&self, directory: &Directory, client: &ClientMetadata, user: &User) -> Self {
        let still =
            |detail: &&Detail| may_ask(detail, directory, client).is_ok() && can_allow(detail, directory, user).is_ok();
        Self(self.0.iter().filter(still).cloned().collect())
    }
}

/// Why one object is not allowed.
enum Objection {
    Unknown,
    NotRegistered,
    AboveCeiling(Resource),
    DoesNotFit(String),
}

type Concerned<'d> = Vec<(&'d Arc<Api>, &'d AuthorizationDetailsType)>;

fn concerned<'d>(detail: &Detail, directory: &'d Directory) -> Result<Concerned<'d>, Objection> {
    let concerned = detail.concerned(directory);
    if concerned.is_empty() { Err(Objection::Unknown) } else { Ok(concerned) }
}

fn may_ask<'d>(detail: &Detail, directory: &'d Directory, client: &ClientMetadata) -> Result<Concerned<'d>, Objection> {
    let concerned = concerned(detail, directory)?;
    for (api, kind) in &concerned {
        may_ask_of(detail, (api, kind), client)?;
    }
    Ok(concerned)
}

fn may_ask_of<'d>(
    detail: &Detail,
    (api, kind): (&'d Api, &'d AuthorizationDetailsType),
    client: &ClientMetadata,
) -> Result<(), Objection> {
    if !client.authorization_details_types.iter().flatten().any(|name| *name == kind.name) {
        return Err(Objection::NotRegistered);
    }
    let ceiling = api.ceiling(&client.client_id).and_then(|ceiling| ceiling.authorization_details_types.as_ref());
    if ceiling.is_some_and(|names| !names.contains(&kind.name)) {
        return Err(Objection::AboveCeiling(api.audience.clone()));
    }
    schema::fits(detail, kind).map_err(Objection::DoesNotFit)
}

fn can_allow(detail: &Detail, directory: &Directory, user: &User) -> Result<(), Reason> {
    for (api, kind) in concerned(detail, directory).map_err(|_| Reason::Unknown)? {
        let held = user.roles_at(&api.audience);
        if !kind.roles.is_empty() && !kind.roles.iter().any(|role| held.contains(role)) {
            return Err(Reason::UserLacksRole(api.audience.clone()));
        }
    }
    Ok(())
}

impl Objection {
    fn refusal(&self) -> Refusal {
        match self {
            Self::Unknown => Refusal::UnknownAuthorizationDetailsType,
            Self::NotRegistered | Self::AboveCeiling(_) => Refusal::AuthorizationDetailsNotAllowed,
            Self::DoesNotFit(_) => Refusal::MalformedAuthorizationDetails,
        }
    }
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => write!(f, "no API knows the type, or several do and locations names none of them"),
            Self::NotRegistered => write!(f, "the client's own authorization_details_types do not list it"),
            Self::AboveCeiling(api) => write!(f, "above the client's ceiling at {api}"),
            Self::DoesNotFit(why) => write!(f, "does not fit the schema of its type: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{EXAMPLES, details, kinds};
    use super::*;
    use crate::directory::{DirectoryRecords, Tenant, UserClaims};
    use crate::value::{ClientId, Subject, TenantName};
    use serde_json::{Value, json};

    /// `example` knows the types of RFC 9396 2, payments for the role payer alone; `bank` is for open banking; `photos`
    /// and `prints` both know albums. The ceilings of `capped` and of `machine` are at `example`.
    fn declared() -> Value {
        let texts = json!({"type": "array", "items": {"type": "string"}});
        let common = json!({"actions": texts, "locations": texts, "datatypes": texts});
        let album = json!({"type": "album", "description": "", "schema": {"properties": common}});
        let mut prints = album.clone();
        prints["roles"] = json!(["printer"]);
        let mut payment = common.clone();
        payment["instructedAmount"] = json!({"type": "object", "required": ["amount", "currency"]});
        for name in ["creditorName", "remittanceInformationUnstructured"] {
            payment[name] = json!({"type": "string"});
        }
        payment["creditorAccount"] = json!({"type": "object", "required": ["iban"]});
        json!([
            {"audience": "https://example.com", "name": "Example",
             "ceilings": [{"client_id": "capped", "authorization_details_types": ["account_information"]},
                          {"client_id": "machine"}],
             "authorization_details_types": [
                {"type": "payment_initiation", "description": "", "roles": ["payer"],
                 "schema": {"required": ["instructedAmount"], "properties": payment}},
                {"type": "account_information", "description": "", "schema": {"properties": common}},
                {"type": "customer_information", "description": "", "schema": {"properties": common}}]},
            {"audience": "urn:bank", "name": "Bank", "authorization_details_types": [
                {"type": "openbanking", "description": "", "schema": {"properties": {"data": {}, "locations": {}}}}]},
            {"audience": "https://photos/", "name": "Photos", "authorization_details_types": [album]},
            {"audience": "https://prints", "name": "Prints", "authorization_details_types": [prints]},
        ])
    }

    fn directory_of(apis: &Value) -> Directory {
        let records = DirectoryRecords {
            tenants: vec![Tenant::new(TenantName::default())],
            apis: serde_json::from_value(apis.clone()).unwrap(),
            ..DirectoryRecords::default()
        };
        Directory::by_tenant(&records).remove(&TenantName::default()).unwrap()
    }

    fn directory() -> Directory {
        directory_of(&declared())
    }

    fn client(id: &str) -> ClientMetadata {
        let mut client = ClientMetadata::new(TenantName::default(), ClientId::parse(id).unwrap());
        let types = ["payment_initiation", "account_information", "customer_information", "openbanking", "album"];
        client.authorization_details_types = Some(types.iter().map(|name| (*name).to_owned()).collect());
        client
    }

    fn user(roles: &[(&str, &str)]) -> User {
        let at = |(api, role): &(&str, &str)| (Resource::parse(api).unwrap(), vec![(*role).to_owned()]);
        User {
            tenant: TenantName::default(),
            sub: Subject::parse("u").unwrap(),
            username: "alice".into(),
            password_hash: None,
            administrator: false,
            disabled: false,
            roles: roles.iter().map(at).collect(),
            claims: UserClaims::default(),
        }
    }

    fn api(directory: &Directory, audience: &str) -> Arc<Api> {
        Arc::clone(directory.api(&Resource::parse(audience).unwrap()).unwrap())
    }

    fn album(locations: &[&str]) -> AuthorizationDetails {
        details(&json!([{"type": "album", "locations": locations}]).to_string())
    }

    fn audiences(allowed: Result<Vec<Resource>, Refusal>) -> Vec<String> {
        allowed.unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn rfc9396_2_the_examples_are_allowed() {
        let directory = directory();
        for (example, audience) in
            EXAMPLES.iter().zip(["https://example.com", "https://example.com", "https://example.com", "urn:bank"])
        {
            assert_eq!(audiences(details(example).allowed(&directory, &client("web"))), [audience]);
            assert_eq!(details(example).explain(&directory, &client("web")), None);
        }
        assert_eq!(AuthorizationDetails::default().allowed(&directory, &client("web")), Ok(vec![]));
    }

    #[test]
    fn rfc9396_5_an_unknown_type_is_refused() {
        let asked = details(r#"[{"type":"account_information"},{"type":"Account_information"}]"#);
        assert_eq!(asked.allowed(&directory(), &client("web")), Err(Refusal::UnknownAuthorizationDetailsType));
        let why = asked.explain(&directory(), &client("web")).unwrap();
        assert!(why.starts_with("authorization_details 1: no API knows the type"), "{why}");
    }

    #[test]
    fn rfc9396_5_what_does_not_fit_is_refused() {
        for bad in [
            r#"[{"type":"payment_initiation"}]"#,
            r#"[{"type":"payment_initiation","instructedAmount":{"amount":"1"}}]"#,
            r#"[{"type":"account_information","unknown":1}]"#,
            r#"[{"type":"account_information","actions":"all"}]"#,
        ] {
            let allowed = details(bad).allowed(&directory(), &client("web"));
            assert_eq!(allowed, Err(Refusal::MalformedAuthorizationDetails), "{bad}");
        }
    }

    #[test]
    fn rfc9396_10_a_type_that_the_client_is_not_registered_for_is_refused() {
        let mut client = client("web");
        client.authorization_details_types = Some(vec!["customer_information".into()]);
        let asked = details(EXAMPLES[1]);
        assert_eq!(asked.allowed(&directory(), &client), Err(Refusal::AuthorizationDetailsNotAllowed));
        client.authorization_details_types = None;
        assert_eq!(asked.allowed(&directory(), &client), Err(Refusal::AuthorizationDetailsNotAllowed));
        assert!(asked.explain(&directory(), &client).unwrap().contains("authorization_details_types"));
    }

    #[test]
    fn rfc9396_10_the_ceiling_of_the_api_holds() {
        let capped = client("capped");
        assert!(details(r#"[{"type":"account_information"}]"#).allowed(&directory(), &capped).is_ok());
        let above = details(r#"[{"type":"customer_information"}]"#);
        assert_eq!(above.allowed(&directory(), &capped), Err(Refusal::AuthorizationDetailsNotAllowed));
        assert!(above.explain(&directory(), &capped).unwrap().contains("ceiling at https://example.com"));
        assert!(
            above.allowed(&directory(), &client("machine")).is_ok(),
            "a ceiling that lists no types has those of the client"
        );
    }

    #[test]
    fn rfc9396_2_2_locations_name_the_api_of_a_type_that_several_know() {
        let (directory, web) = (directory(), client("web"));
        for (locations, concerned) in [
            (&["https://photos"][..], &["https://photos/"][..]),
            (&["https://photos/2026"], &["https://photos/"]),
            (&["https://prints", "https://elsewhere"], &["https://prints"]),
            (&["https://photos/", "https://prints/a4"], &["https://photos/", "https://prints"]),
        ] {
            assert_eq!(audiences(album(locations).allowed(&directory, &web)), concerned, "{locations:?}");
        }
        for none in [&[][..], &["https://elsewhere"], &["https://photos.evil"], &["photos"]] {
            assert_eq!(
                album(none).allowed(&directory, &web),
                Err(Refusal::UnknownAuthorizationDetailsType),
                "{none:?}"
            );
        }
        let elsewhere = details(r#"[{"type":"openbanking","locations":["https://bank.example",1]}]"#);
        assert_eq!(audiences(elsewhere.allowed(&directory, &web)), ["urn:bank"]);
    }

    #[test]
    fn rfc9396_5_a_type_that_needs_a_role_is_left_out() {
        let directory = directory();
        let asked = details(EXAMPLES[1]);
        let (left, narrowed) = asked.clone().for_user(&directory, &user(&[("urn:bank", "payer")]));
        assert_eq!(kinds(&left), ["account_information"]);
        assert_eq!(
            narrowed.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["payment_initiation: the user has none of the roles that it needs at https://example.com"]
        );
        assert_eq!(asked.clone().for_user(&directory, &user(&[("https://example.com", "payer")])), (asked, vec![]));
        let both = album(&["https://photos", "https://prints"]);
        assert!(both.for_user(&directory, &user(&[])).0.is_empty(), "each of the APIs must agree");
        let (left, narrowed) = details(r#"[{"type":"a\u0007"}]"#).for_user(&directory, &user(&[]));
        assert!(left.is_empty() && narrowed[0].to_string().starts_with(r"a\u{7}: no API"), "{narrowed:?}");
    }

    #[test]
    fn rfc6749_4_4_an_application_has_for_itself_what_a_ceiling_gives_it() {
        let example = api(&directory(), "https://example.com");
        let accounts = details(r#"[{"type":"account_information"}]"#);
        let customers = details(r#"[{"type":"customer_information"}]"#);
        assert_eq!(accounts.for_itself(&example, &client("capped")), Ok(()));
        assert_eq!(customers.for_itself(&example, &client("capped")), Err(Refusal::AuthorizationDetailsNotAllowed));
        assert_eq!(customers.for_itself(&example, &client("machine")), Ok(()));
        assert_eq!(accounts.for_itself(&example, &client("web")), Err(Refusal::AuthorizationDetailsNotAllowed));
        assert_eq!(AuthorizationDetails::default().for_itself(&example, &client("web")), Ok(()));
        let mut unregistered = client("capped");
        unregistered.authorization_details_types = None;
        assert_eq!(accounts.for_itself(&example, &unregistered), Err(Refusal::AuthorizationDetailsNotAllowed));
        assert_eq!(album(&[]).for_itself(&example, &client("machine")), Err(Refusal::UnknownAuthorizationDetailsType));
        let unfit = details(r#"[{"type":"account_information","unknown":1}]"#);
        assert_eq!(unfit.for_itself(&example, &client("machine")), Err(Refusal::MalformedAuthorizationDetails));
    }

    #[test]
    fn rfc9396_9_an_api_sees_only_what_is_its_own() {
        let directory = directory();
        let all = details(
            r#"[{"type":"account_information"},{"type":"openbanking"},{"type":"album","locations":["https://photos"]},
                {"type":"unknown"}]"#,
        );
        let at = |audiences: &[&str]| {
            let apis: Vec<_> = audiences.iter().map(|audience| api(&directory, audience)).collect();
            kinds(&all.at(&directory, &apis)).iter().map(|kind| (*kind).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(at(&["https://example.com"]), ["account_information"]);
        assert_eq!(at(&["https://photos/", "urn:bank"]), ["openbanking", "album"]);
        assert!(at(&["https://prints"]).is_empty(), "it knows the type, but another was named");
        assert!(at(&[]).is_empty());
    }

    #[test]
    fn rfc9396_6_what_is_not_allowed_any_more_drops_out() {
        let payer = user(&[("https://example.com", "payer")]);
        let granted = details(EXAMPLES[1]);
        let still = |apis: &Value, client: &ClientMetadata, user: &User| {
            let left = granted.still_allowed(&directory_of(apis), client, user);
            kinds(&left).iter().map(|kind| (*kind).to_owned()).collect::<Vec<_>>()
        };
        let web = client("web");
        assert_eq!(still(&declared(), &web, &payer), ["account_information", "payment_initiation"]);
        assert_eq!(still(&declared(), &web, &user(&[])), ["account_information"]);
        assert_eq!(still(&declared(), &client("capped"), &payer), ["account_information"]);
        let mut fewer = web.clone();
        fewer.authorization_details_types = Some(vec!["payment_initiation".into()]);
        assert_eq!(still(&declared(), &fewer, &payer), ["payment_initiation"]);
        let mut stricter = declared();
        stricter[0]["authorization_details_types"][1]["schema"]["properties"]["actions"]["maxItems"] = json!(1);
        assert_eq!(still(&stricter, &web, &payer), ["payment_initiation"]);
        let mut gone = declared();
        gone[0]["authorization_details_types"] = json!([]);
        assert!(still(&gone, &web, &payer).is_empty());
        let mut unreadable = declared();
        unreadable[0]["authorization_details_types"][1]["schema"] = json!({"$ref": "https://example.com/schema"});
        assert_eq!(still(&unreadable, &web, &payer), ["payment_initiation"]);
    }
}
