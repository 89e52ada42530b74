//! Rich authorization requests (RFC 9396): what a scope is too coarse to say.

mod allowed;
mod comparison;
mod digest;
mod schema;
mod sentence;

pub use digest::Digested;
pub use schema::CompiledSchema;
pub use sentence::sentence;

use crate::directory::{Api, AuthorizationDetailsType, Directory};
use crate::error::Refusal;
use crate::narrow::{Narrowing, Reason};
use crate::params::Params;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;

/// `authorization_details`: one object for each thing that is asked for or allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuthorizationDetails(Vec<Detail>);

/// One object (RFC 9396 2); it has a `type`, which is a string.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct Detail(Map<String, Value>);

const NAME: &str = "authorization_details";

/// What is read of one request at the most.
const MAX_BYTES: usize = 8 * 1024;
const MAX_OBJECTS: usize = 20;
const MAX_DEPTH: usize = 16;

impl AuthorizationDetails {
    /// A JSON array of objects, each with a `type` (RFC 9396 2): at most 8 KiB, 20 objects and 16 levels; no member
    /// stands twice, at any depth.
    pub fn parse(raw: &str) -> Result<Self, Refusal> {
        Self::read(raw).ok_or(Refusal::MalformedAuthorizationDetails)
    }

    /// The parameter of a request; absent: none.
    pub fn of_params(params: &Params) -> Result<Self, Refusal> {
        params.get(NAME).map_or(Ok(Self::default()), Self::parse)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each object, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Detail> {
        self.0.iter()
    }

    /// Only those that the user ticked, by their [`Detail::digest`]; and which he did not.
    #[must_use]
    pub fn ticked(mut self, digests: &[&str]) -> (Self, Vec<Narrowing>) {
        let unticked = |detail: &Detail| !digests.contains(&detail.digest().as_str());
        let narrowed = self.leave_out(|detail| unticked(detail).then_some(Reason::NotConsented));
        (self, narrowed)
    }

    /// Keeps only what passes.
    pub(crate) fn retain(&mut self, keep: impl FnMut(&Detail) -> bool) {
        self.0.retain(keep);
    }

    fn read(raw: &str) -> Option<Self> {
        if raw.len() > MAX_BYTES {
            return None;
        }
        // What reads strictly reads objects: the array becomes the only member of one, and must be the only one still.
        let mut members = grantor_jose::parse_object(format!(r#"{{"{NAME}":{raw}}}"#).as_bytes())?;
        let Some(Value::Array(objects)) = members.remove(NAME) else { return None };
        if !members.is_empty() || objects.len() > MAX_OBJECTS || objects.iter().any(|object| depth(object) > MAX_DEPTH)
        {
            return None;
        }
        let details = objects.into_iter().map(|object| match object {
            Value::Object(members) => Detail::try_from(members).ok(),
            _ => None,
        });
        details.collect::<Option<_>>().map(Self)
    }
}

impl Detail {
    /// `type`.
    pub fn kind(&self) -> &str {
        self.0.get("type").and_then(Value::as_str).unwrap_or_default()
    }

    /// Every member, `type` among them.
    pub fn members(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The APIs that it concerns, each with what it says of the type: those that know the type and that `locations`
    /// names (RFC 9396 2.2), by their audience or by what is below it; where it names none, the only one that knows the
    /// type. Nothing when no API knows it, or when several do and none is named.
    pub fn concerned<'d>(&self, directory: &'d Directory) -> Vec<(&'d Arc<Api>, &'d AuthorizationDetailsType)> {
        let knowing: Vec<_> = directory.apis().filter_map(|api| Some((api, find_type(api, self.kind())?))).collect();
        let named: Vec<_> = knowing.iter().copied().filter(|(api, _)| self.names(api)).collect();
        match (named.as_slice(), knowing.as_slice()) {
            ([], [_]) => knowing,
            _ => named,
        }
    }

    fn names(&self, api: &Api) -> bool {
        let audience = api.audience.as_str().trim_end_matches('/');
        let is_at = |location: &str| {
            location.strip_prefix(audience).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let locations = self.0.get("locations").and_then(Value::as_array);
        locations.into_iter().flatten().filter_map(Value::as_str).any(is_at)
    }
}

impl TryFrom<Map<String, Value>> for Detail {
    type Error = &'static str;

    fn try_from(members: Map<String, Value>) -> Result<Self, Self::Error> {
        match members.get("type") {
            Some(Value::String(_)) => Ok(Self(members)),
            _ => Err("an object of authorization_details needs a type (RFC 9396 2)"),
        }
    }
}

/// What is wrong with a declared type, for whoever declares it.
pub fn problems(kind: &AuthorizationDetailsType) -> Vec<String> {
    let mut found = Vec::new();
    if kind.name.is_empty() || kind.name.len() > MAX_NAME {
        found.push(format!("type has 1 to {MAX_NAME} bytes"));
    }
    found.extend(schema::problem(kind));
    found.extend(sentence::problems(kind));
    found
}

fn find_type<'a>(api: &'a Api, name: &str) -> Option<&'a AuthorizationDetailsType> {
    api.authorization_details_types.iter().find(|kind| kind.name == name)
}

fn depth(value: &Value) -> usize {
    let deepest = match value {
        Value::Array(elements) => elements.iter().map(depth).max(),
        Value::Object(members) => members.values().map(depth).max(),
        _ => return 0,
    };
    deepest.unwrap_or_default().saturating_add(1)
}

const MAX_NAME: usize = 100;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::made::Made;
    use proptest::prelude::*;
    use serde_json::json;

    /// The examples of RFC 9396 2, and one after Open Banking.
    pub(crate) const EXAMPLES: [&str; 4] = [
        r#"[{"type":"payment_initiation","actions":["initiate","status","cancel"],
             "locations":["https://example.com/payments"],
             "instructedAmount":{"currency":"EUR","amount":"123.50"},"creditorName":"Merchant A",
             "creditorAccount":{"iban":"DE02100100109307118603"},
             "remittanceInformationUnstructured":"Ref Number Merchant"}]"#,
        r#"[{"type":"account_information","actions":["list_accounts","read_balances","read_transactions"],
             "locations":["https://example.com/accounts"]},
            {"type":"payment_initiation","actions":["initiate","status","cancel"],
             "locations":["https://example.com/payments"],
             "instructedAmount":{"currency":"EUR","amount":"123.50"},"creditorName":"Merchant A",
             "creditorAccount":{"iban":"DE02100100109307118603"},
             "remittanceInformationUnstructured":"Ref Number Merchant"}]"#,
        r#"[{"type":"customer_information","locations":["https://example.com/customers"],"actions":["read","write"],
             "datatypes":["contacts","photos"]}]"#,
        r#"[{"type":"openbanking","data":{"permissions":["ReadAccountsBasic","ReadBalances"],
             "expirationDateTime":"2027-05-02T00:00:00Z"}}]"#,
    ];

    pub(crate) fn details(raw: &str) -> AuthorizationDetails {
        AuthorizationDetails::parse(raw).unwrap()
    }

    pub(crate) fn kinds(details: &AuthorizationDetails) -> Vec<&str> {
        details.iter().map(Detail::kind).collect()
    }

    fn refused(raw: &str) -> bool {
        AuthorizationDetails::parse(raw) == Err(Refusal::MalformedAuthorizationDetails)
    }

    #[test]
    fn rfc9396_2_the_examples_are_read_and_written_the_same() {
        for example in EXAMPLES {
            let written = serde_json::to_value(details(example)).unwrap();
            assert_eq!(written, serde_json::from_str::<Value>(example).unwrap());
        }
        assert_eq!(kinds(&details(EXAMPLES[1])), ["account_information", "payment_initiation"]);
    }

    #[test]
    fn rfc9396_2_it_is_an_array_of_objects() {
        assert!(details("[]").is_empty() && details(" [ ] ").is_empty());
        for bad in ["", "null", "1", "{}", r#"{"type":"a"}"#, "[1]", "[null]", r#"["a"]"#, r#"[[{"type":"a"}]]"#] {
            assert!(refused(bad), "{bad}");
        }
    }

    #[test]
    fn rfc9396_2_each_object_has_a_type_that_is_a_string() {
        for bad in ["[{}]", r#"[{"Type":"a"}]"#, r#"[{"type":1}]"#, r#"[{"type":null}]"#, r#"[{"type":"a"},{}]"#] {
            assert!(refused(bad), "{bad}");
            assert!(serde_json::from_str::<AuthorizationDetails>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn rfc8259_4_a_member_that_stands_twice_is_refused_at_any_depth() {
        for bad in [r#"[{"type":"a","type":"b"}]"#, r#"[{"type":"a","b":[{"c":1,"\u0063":2}]}]"#] {
            assert!(refused(bad), "{bad}");
        }
    }

    #[test]
    fn rfc9396_2_nothing_stands_beside_the_array() {
        for bad in
            [r#"[],"x":1"#, r#"[{"type":"a"}],"authorization_details":[]"#, "[]}", r#"[]},{"x":[]"#, "[] []", "[],"]
        {
            assert!(refused(bad), "{bad}");
        }
    }

    #[test]
    fn size_number_and_depth_are_bounded() {
        let long = |length: usize| format!(r#"[{{"type":"{}"}}]"#, "a".repeat(length - 13));
        assert_eq!(long(MAX_BYTES).len(), MAX_BYTES);
        assert!(!refused(&long(MAX_BYTES)) && refused(&long(MAX_BYTES + 1)));
        let many = |count: usize| format!("[{}]", vec![r#"{"type":"a"}"#; count].join(","));
        assert!(!refused(&many(MAX_OBJECTS)) && refused(&many(MAX_OBJECTS + 1)));
        let deep = |levels: usize| format!(r#"[{{"type":"a","b":{}{}}}]"#, "[".repeat(levels), "]".repeat(levels));
        assert!(!refused(&deep(MAX_DEPTH - 1)) && refused(&deep(MAX_DEPTH)));
    }

    #[test]
    fn rfc9396_3_the_parameter_may_be_absent() {
        let params = |raw: &str| AuthorizationDetails::of_params(&Params::parse(raw.as_bytes()).unwrap());
        assert_eq!(params("scope=a"), Ok(AuthorizationDetails::default()));
        assert_eq!(params("authorization_details=[]"), Ok(AuthorizationDetails::default()));
        assert_eq!(params("authorization_details=[{}]"), Err(Refusal::MalformedAuthorizationDetails));
        assert_eq!(params("authorization_details=[{%22type%22:%22a%22}]"), Ok(details(r#"[{"type":"a"}]"#)));
    }

    #[test]
    fn what_was_not_ticked_drops_out() {
        let three = details(r#"[{"type":"a"},{"type":"b"},{"type":"c"}]"#);
        let digests: Vec<_> = three.iter().map(Detail::digest).collect();
        let (left, narrowed) = three.clone().ticked(&[&digests[2], &digests[0], "0", "1"]);
        assert_eq!(kinds(&left), ["a", "c"]);
        assert_eq!(narrowed.iter().map(ToString::to_string).collect::<Vec<_>>(), ["b: the user did not allow it"]);
        assert!(three.ticked(&[]).0.is_empty());
    }

    #[test]
    fn a_type_is_named_in_at_most_100_bytes() {
        let named = |length: usize| AuthorizationDetailsType {
            name: "a".repeat(length),
            description: "Shown.".into(),
            schema: json!({}),
            roles: vec![],
            compiled: Made::default(),
        };
        assert!(problems(&named(1)).is_empty() && problems(&named(100)).is_empty());
        assert_eq!(problems(&named(0)), ["type has 1 to 100 bytes"]);
        assert_eq!(problems(&named(101)).len(), 1);
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(raw in ".*") {
            let _ = AuthorizationDetails::parse(&raw);
        }

        #[test]
        fn rfc9396_2_what_is_read_is_json_of_its_own(raw in r#"[\[\]{},:"a-c1 ]{0,24}"#) {
            let strict = serde_json::from_str::<AuthorizationDetails>(&raw).ok();
            if let Ok(read) = AuthorizationDetails::parse(&raw) {
                prop_assert_eq!(Some(read), strict);
            }
        }
    }
}
