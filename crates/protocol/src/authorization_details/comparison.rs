//! Whether one thing allows another (RFC 9396 6.1). What a member means is known to its API alone, so that only what
//! can be no more under any meaning counts as less: the same object, or fewer of the actions, data types, locations
//! and privileges that RFC 9396 2.2 defines as lists.

use super::{AuthorizationDetails, Detail, MAX_OBJECTS};
use crate::error::Refusal;
use serde_json::Value;
use std::collections::BTreeSet;

/// The members whose elements each add to what is allowed (RFC 9396 2.2). The one list.
const ADDITIVE: [&str; 4] = ["actions", "datatypes", "locations", "privileges"];

impl AuthorizationDetails {
    /// What one token has of what was granted (RFC 9396 6, 6.1): each object that is asked for, where it is covered as it
    /// stands; otherwise those that were granted and that allow it, narrowed to it. A member that is not asked for stays
    /// as it was granted: to leave out a limit would be to ask for more. Asked for nothing: everything that was granted.
    pub fn narrowed(&self, asked: &Self) -> Result<Self, Refusal> {
        if asked.is_empty() {
            return Ok(self.clone());
        }
        let most = MAX_OBJECTS.max(self.0.len());
        let mut left = Vec::new();
        for wanted in &asked.0 {
            let found = self.allowing(wanted);
            if found.is_empty() {
                return Err(Refusal::AuthorizationDetailsNotGranted);
            }
            for detail in found {
                if !left.contains(&detail) {
                    left.push(detail);
                }
            }
            // Each with each could be hundreds.
            if left.len() > most {
                return Err(Refusal::AuthorizationDetailsNotGranted);
            }
        }
        Ok(Self(left))
    }

    /// Whether each object of `other` is allowed by one of these as it stands: with the same members.
    pub fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|wanted| self.0.iter().any(|held| held.covers(wanted)))
    }

    /// Both together, without what the rest covers.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut both: Vec<Detail> = Vec::new();
        for detail in self.0.iter().chain(&other.0) {
            if !both.iter().any(|held| held.covers(detail)) {
                both.retain(|held| !detail.covers(held));
                both.push(detail.clone());
            }
        }
        Self(both)
    }

    fn allowing(&self, wanted: &Detail) -> Vec<Detail> {
        if self.0.iter().any(|granted| granted.covers(wanted)) {
            return vec![wanted.clone()];
        }
        self.0.iter().filter_map(|granted| granted.narrowed(wanted)).collect()
    }
}

impl Detail {
    fn covers(&self, other: &Self) -> bool {
        let allowed = |(name, value): (&String, &Value)| self.0.get(name).is_some_and(|held| allows(name, held, value));
        self.0.len() == other.0.len() && other.0.iter().all(allowed)
    }

    fn narrowed(&self, asked: &Self) -> Option<Self> {
        let mut left = self.clone();
        for (name, value) in &asked.0 {
            let held = left.0.get_mut(name).filter(|held| allows(name, held, value))?;
            held.clone_from(value);
        }
        Some(left)
    }
}

/// Whether a member of this name and value is no more with `asked` instead.
fn allows(name: &str, held: &Value, asked: &Value) -> bool {
    if held == asked {
        return true;
    }
    let (true, Some(held), Some(asked)) = (ADDITIVE.contains(&name), texts(held), texts(asked)) else { return false };
    // An empty list may mean everything: RFC 9396 7.1 has the user choose what it then names.
    !asked.is_empty() && asked.is_subset(&held)
}

fn texts(value: &Value) -> Option<BTreeSet<&str>> {
    value.as_array()?.iter().map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{EXAMPLES, details, kinds};
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const REFUSED: Result<AuthorizationDetails, Refusal> = Err(Refusal::AuthorizationDetailsNotGranted);

    #[test]
    fn rfc9396_6_asked_for_nothing_is_everything() {
        for example in EXAMPLES {
            let granted = details(example);
            assert_eq!(granted.narrowed(&AuthorizationDetails::default()), Ok(granted.clone()));
            assert_eq!(granted.narrowed(&granted), Ok(granted.clone()));
        }
    }

    #[test]
    fn rfc9396_6_1_the_example_of_the_section() {
        let granted = details(EXAMPLES[1]);
        let asked = details(
            r#"[{"type":"account_information","actions":["list_accounts"],"locations":["https://example.com/accounts"]}]"#,
        );
        assert_eq!(granted.narrowed(&asked), Ok(asked));
    }

    #[test]
    fn rfc9396_6_1_what_was_not_granted_is_refused() {
        let granted = details(EXAMPLES[1]);
        for more in [
            r#"[{"type":"customer_information"}]"#,
            r#"[{"type":"account_information","actions":["list_accounts","close_account"]}]"#,
            r#"[{"type":"account_information","privileges":["admin"]}]"#,
            r#"[{"type":"account_information","actions":"list_accounts"}]"#,
            r#"[{"type":"account_information","actions":["list_accounts",1]}]"#,
            r#"[{"type":"payment_initiation","creditorName":"Merchant B"}]"#,
            r#"[{"type":"payment_initiation","instructedAmount":{"currency":"EUR"}}]"#,
            r#"[{"type":"payment_initiation","creditorName":null}]"#,
            r#"[{"type":"account_information"},{"type":"account_information","locations":["https://example.com/"]}]"#,
        ] {
            assert_eq!(granted.narrowed(&details(more)), REFUSED, "{more}");
        }
    }

    #[test]
    fn rfc9396_6_1_a_limit_cannot_be_left_out() {
        let granted = details(EXAMPLES[0]);
        let asked = details(r#"[{"type":"payment_initiation","actions":["status"]}]"#);
        let left = serde_json::to_value(granted.narrowed(&asked).unwrap()).unwrap();
        assert_eq!(left[0]["instructedAmount"], json!({"currency":"EUR","amount":"123.50"}));
        assert_eq!(left[0]["actions"], json!(["status"]));
        assert!(!granted.covers(&asked), "without an amount it is another payment");
    }

    #[test]
    fn rfc9396_6_1_an_empty_list_may_mean_everything() {
        let granted = details(r#"[{"type":"a","actions":["read"],"accounts":[]}]"#);
        assert_eq!(granted.narrowed(&details(r#"[{"type":"a","actions":[]}]"#)), REFUSED);
        assert!(granted.narrowed(&details(r#"[{"type":"a","accounts":[]}]"#)).is_ok());
    }

    #[test]
    fn rfc9396_2_2_only_the_lists_that_it_defines_are_known_to_add() {
        for (name, narrower) in
            [("actions", true), ("datatypes", true), ("locations", true), ("privileges", true), ("except", false)]
        {
            let granted = details(&json!([{"type": "a", name: ["x", "y"]}]).to_string());
            let asked = details(&json!([{"type": "a", name: ["y"]}]).to_string());
            assert_eq!(granted.covers(&asked), narrower, "{name}");
            assert_eq!(granted.narrowed(&asked).is_ok(), narrower, "{name}");
            let nested = details(&json!([{"type": "a", "in": {name: ["x", "y"]}}]).to_string());
            assert!(!nested.covers(&details(&json!([{"type": "a", "in": {name: ["y"]}}]).to_string())), "{name}");
            let turned = details(&json!([{"type": "a", name: ["y", "x"]}]).to_string());
            assert_eq!(granted.covers(&turned), narrower, "{name}");
        }
    }

    #[test]
    fn rfc9396_6_1_a_number_is_itself_alone() {
        let granted = details(r#"[{"type":"a","limit":100}]"#);
        assert_eq!(granted.narrowed(&details(r#"[{"type":"a","limit":99}]"#)), REFUSED);
        assert!(granted.covers(&details(r#"[{"type":"a","limit":100}]"#)));
    }

    #[test]
    fn rfc9396_6_1_all_that_allow_it_are_given_once() {
        let granted = details(r#"[{"type":"a","n":1,"actions":["x","y"]},{"type":"a","n":2},{"type":"b"}]"#);
        let left = granted.narrowed(&details(r#"[{"type":"a"},{"type":"a","n":2}]"#)).unwrap();
        assert_eq!(left, details(r#"[{"type":"a","n":1,"actions":["x","y"]},{"type":"a","n":2}]"#));
    }

    #[test]
    fn rfc9396_6_1_what_is_covered_as_it_stands_is_given_alone() {
        let granted = details(r#"[{"type":"a"},{"type":"a","n":1}]"#);
        assert_eq!(granted.narrowed(&details(r#"[{"type":"a"}]"#)), Ok(details(r#"[{"type":"a"}]"#)));
    }

    #[test]
    fn each_with_each_is_refused() {
        let all: Vec<_> = (0..MAX_OBJECTS).map(|n| n.to_string()).collect();
        let granted: Vec<_> = (0..2).map(|n| json!({"type": "a", "n": n, "actions": all})).collect();
        let granted = details(&json!(granted).to_string());
        let each = |count: usize| {
            let one_each: Vec<_> = all.iter().take(count).map(|one| json!({"type": "a", "actions": [one]})).collect();
            details(&json!(one_each).to_string())
        };
        assert!(granted.narrowed(&each(MAX_OBJECTS / 2)).is_ok());
        assert_eq!(granted.narrowed(&each(MAX_OBJECTS)), REFUSED);
    }

    #[test]
    fn rfc9396_6_1_remembered_is_what_was_allowed_with_every_member() {
        let held = details(r#"[{"type":"a","actions":["x","y"],"n":1}]"#);
        assert!(held.covers(&AuthorizationDetails::default()) && held.covers(&held));
        assert!(held.covers(&details(r#"[{"type":"a","actions":["y"],"n":1}]"#)));
        for other in [
            r#"[{"type":"a","actions":["y"]}]"#,
            r#"[{"type":"a","actions":["y"],"n":1,"m":1}]"#,
            r#"[{"type":"b","actions":["y"],"n":1}]"#,
            r#"[{"type":"a","actions":["y"],"n":1},{"type":"b"}]"#,
        ] {
            assert!(!held.covers(&details(other)), "{other}");
        }
    }

    #[test]
    fn both_together_hold_nothing_twice() {
        let less = details(r#"[{"type":"a","actions":["x"]},{"type":"b"}]"#);
        let more = details(r#"[{"type":"a","actions":["x","y"]},{"type":"c"}]"#);
        assert_eq!(kinds(&less.union(&more)), ["b", "a", "c"]);
        assert_eq!(kinds(&more.union(&less)), ["a", "c", "b"]);
        assert!(less.union(&more).covers(&more.union(&less)));
    }

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(json!(1)),
            Just(json!("x")),
            prop::collection::vec(prop_oneof![Just(json!("x")), Just(json!("y")), Just(json!(1))], 0..3)
                .prop_map(Value::Array),
        ]
    }

    fn some() -> impl Strategy<Value = AuthorizationDetails> {
        let name = prop_oneof![Just("actions"), Just("privileges"), Just("limit")];
        let members = prop::collection::btree_map(name.prop_map(str::to_owned), value(), 0..3);
        let detail = ("[ab]", members).prop_map(|(kind, members)| {
            let kind = [("type".to_owned(), Value::String(kind))];
            Detail::try_from(members.into_iter().chain(kind).collect::<serde_json::Map<_, _>>()).unwrap()
        });
        prop::collection::vec(detail, 0..4).prop_map(AuthorizationDetails)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn rfc9396_6_1_what_is_narrowed_was_granted(granted in some(), asked in some()) {
            if let Ok(left) = granted.narrowed(&asked) {
                prop_assert!(granted.covers(&left));
                prop_assert!(left.narrowed(&asked).is_ok_and(|again| again.covers(&left) && left.covers(&again)));
            }
            if granted.covers(&asked) && !asked.is_empty() {
                prop_assert!(granted.narrowed(&asked).is_ok_and(|left| left.covers(&asked) && asked.covers(&left)));
            }
        }

        #[test]
        fn rfc9396_6_1_to_cover_is_an_order(a in some(), b in some(), c in some()) {
            prop_assert!(a.covers(&a));
            let (ab, abc) = (a.union(&b), a.union(&b).union(&c));
            prop_assert!(ab.covers(&a) && ab.covers(&b) && abc.covers(&c));
            for (one, two, three) in [(&a, &b, &c), (&abc, &ab, &a)] {
                if one.covers(two) && two.covers(three) {
                    prop_assert!(one.covers(three));
                }
            }
        }
    }
}
