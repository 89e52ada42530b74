//! What the user is shown of one object (RFC 9396 11): the API's own words, with the values of the request in them.

use super::Detail;
use crate::directory::AuthorizationDetailsType;
use crate::value::Text;
use serde_json::Value;

/// What stands for a value that is not there.
const MISSING: &str = "—";

/// How much of one value is shown, in characters.
const MAX_SHOWN: usize = 200;

/// The description of the type in the user's language, with each `{/json/pointer}` (RFC 6901) replaced by the value
/// there; the whole object where there is no description. Plain text: the page escapes it. Values bring no control
/// characters and nothing that reorders text or hides in it.
pub fn sentence(detail: &Detail, kind: &AuthorizationDetailsType, language: &str) -> String {
    let object = Value::Object(detail.0.clone());
    let description = kind.description.in_language(language);
    if description.trim().is_empty() {
        // Uncut, because nobody chose what matters in it.
        return apart(visible(&format!("{}: {object}", kind.name)));
    }
    pieces(description).into_iter().fold(String::new(), |sentence, piece| match piece {
        Piece::Words(words) => sentence + words,
        Piece::Pointer(pointer) => sentence + &object.pointer(pointer).map_or_else(|| MISSING.to_owned(), shown),
        Piece::Broken(broken) => sentence + broken,
    })
}

/// What is wrong with the description of a type.
pub(super) fn problems(kind: &AuthorizationDetailsType) -> Vec<String> {
    let texts: Vec<_> = match &kind.description {
        Text::Plain(text) => vec![text],
        Text::Localized(texts) => texts.values().collect(),
    };
    let pieces = texts.into_iter().flat_map(|text| pieces(text));
    let broken = pieces.filter_map(|piece| match piece {
        Piece::Broken(broken) => Some(format!("description: {broken:?} is no JSON pointer in braces (RFC 6901 3)")),
        Piece::Words(_) | Piece::Pointer(_) => None,
    });
    broken.collect()
}

enum Piece<'a> {
    Words(&'a str),
    Pointer(&'a str),
    Broken(&'a str),
}

fn pieces(description: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    for part in description.split_inclusive('}') {
        let (words, braced) = part.split_at(part.find('{').unwrap_or(part.len()));
        pieces.push(Piece::Words(words));
        if !braced.is_empty() {
            let pointer = braced.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            pieces.push(match pointer.filter(|pointer| is_pointer(pointer)) {
                Some(pointer) => Piece::Pointer(pointer),
                None => Piece::Broken(braced),
            });
        }
    }
    pieces
}

/// RFC 6901 3; the empty one, which means the whole object, is more likely a slip.
fn is_pointer(raw: &str) -> bool {
    raw.starts_with('/') && raw.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']))
}

fn shown(value: &Value) -> String {
    let listed = || value.as_array()?.iter().map(Value::as_str).collect::<Option<Vec<_>>>();
    let whole = match (value, listed()) {
        (Value::Null, _) => String::new(),
        (Value::String(text), _) => visible(text),
        (_, Some(texts)) => visible(&texts.join(", ")),
        _ => visible(&value.to_string()),
    };
    let mut cut: String = whole.chars().take(MAX_SHOWN).collect();
    if cut.len() < whole.len() {
        cut.push('…');
    }
    if cut.trim().is_empty() { MISSING.to_owned() } else { apart(cut) }
}

/// Letters that run to the left would carry the digits beside them along: the value is isolated (UAX #9, FSI and PDI).
fn apart(text: String) -> String {
    if text.chars().any(runs_left) { format!("\u{2068}{text}\u{2069}") } else { text }
}

fn visible(text: &str) -> String {
    let spaced = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    spaced.filter(|c| !c.is_control() && !is_hidden(*c)).collect()
}

/// Characters that show nothing themselves and change how others are read: bidirectional controls, zero width spaces,
/// soft hyphens, tags. The joiners stay, which some scripts are not written without.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

fn runs_left(c: char) -> bool {
    matches!(c,
        '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10800}'..='\u{10fff}'
        | '\u{1e800}'..='\u{1efff}')
}

#[cfg(test)]
mod tests {
    use super::super::tests::{EXAMPLES, details};
    use super::*;
    use crate::made::Made;
    use proptest::prelude::*;
    use serde_json::json;

    fn kind(description: &str) -> AuthorizationDetailsType {
        AuthorizationDetailsType {
            name: "t".into(),
            description: description.into(),
            schema: json!({}),
            roles: vec![],
            compiled: Made::default(),
        }
    }

    fn say(description: &str, object: &Value) -> String {
        let details = details(&json!([object]).to_string());
        sentence(details.iter().next().unwrap(), &kind(description), "en")
    }

    fn value(value: &Value) -> String {
        say("{/v}", &json!({"type": "t", "v": value}))
    }

    #[test]
    fn rfc9396_11_the_user_sees_the_values() {
        let payment: Value = serde_json::from_str(EXAMPLES[0]).unwrap();
        let said = say(
            "Pay {/instructedAmount/amount} {/instructedAmount/currency} to {/creditorName} ({/creditorAccount/iban}): {/actions}.",
            &payment[0],
        );
        assert_eq!(said, "Pay 123.50 EUR to Merchant A (DE02100100109307118603): initiate, status, cancel.");
    }

    #[test]
    fn rfc9396_11_in_the_language_of_the_user() {
        let mut kind = kind("");
        kind.description = serde_json::from_str(r#"{"en":"Read {/v}","de":"{/v} lesen"}"#).unwrap();
        let details = details(r#"[{"type":"t","v":"x"}]"#);
        let detail = details.iter().next().unwrap();
        assert_eq!(sentence(detail, &kind, "de"), "x lesen");
        assert_eq!(sentence(detail, &kind, "fr"), "Read x");
    }

    #[test]
    fn rfc6901_4_pointers_lead_into_objects_and_arrays() {
        let object = json!({"type": "t", "a/b": {"c~d": [{"e": "deep"}]}, "": "empty"});
        assert_eq!(say("{/a~1b/c~0d/0/e}, {/}, {/a~1b/c~0d/1}", &object), "deep, empty, —");
    }

    #[test]
    fn every_kind_of_value_is_shown() {
        for (given, shown) in [
            (json!(1.5), "1.5"),
            (json!(true), "true"),
            (json!(null), "—"),
            (json!(""), "—"),
            (json!(" \u{200b}\n"), "—"),
            (json!([]), "—"),
            (json!(["a", "b"]), "a, b"),
            (json!(["a", 1]), r#"["a",1]"#),
            (json!({"a": 1}), r#"{"a":1}"#),
        ] {
            assert_eq!(value(&given), shown);
        }
        assert_eq!(say("{/none}", &json!({"type": "t"})), "—");
    }

    #[test]
    fn a_value_is_not_a_description() {
        assert_eq!(say("{/v}", &json!({"type": "t", "v": "{/w}<b>", "w": "x"})), "{/w}<b>");
    }

    #[test]
    fn rfc9396_11_no_value_hides_or_reorders_what_is_shown() {
        assert_eq!(value(&json!("a\u{202e}b\u{2066}c\u{200b}d\u{0}e\nf\u{2028}g\u{e0041}")), "abcde f g");
        assert_eq!(value(&json!(["a\u{202e}"])), "a");
        assert_eq!(value(&json!({"\u{202e}a": 1})), r#"{"a":1}"#);
        assert_eq!(say("Pay {/v} 5", &json!({"type": "t", "v": "אב"})), "Pay \u{2068}אב\u{2069} 5");
        assert_eq!(value(&json!("می\u{200c}خواهم")), "\u{2068}می\u{200c}خواهم\u{2069}");
    }

    #[test]
    fn rfc9396_11_a_value_is_cut_at_200_characters() {
        assert_eq!(value(&json!("é".repeat(200))), "é".repeat(200));
        assert_eq!(value(&json!("é".repeat(201))), format!("{}…", "é".repeat(200)));
    }

    #[test]
    fn rfc9396_11_without_a_description_everything_is_shown() {
        let long = json!({"type": "t", "v": "x".repeat(300), "w": "\u{202e}"});
        assert_eq!(say(" ", &long), format!(r#"t: {{"type":"t","v":"{}","w":""}}"#, "x".repeat(300)));
    }

    #[test]
    fn rfc6901_3_a_pointer_that_does_not_parse_is_a_problem() {
        for good in ["", "Read.", "{/a}", "{/a~0b}{/~1}", "a } b", "{/}"] {
            assert!(problems(&kind(good)).is_empty(), "{good}");
        }
        for bad in ["{a}", "{}", "{/a", "{", "{/a~}", "{/~2}", "{{/a}}", "{ /a}", "ok {/a} {b}"] {
            assert_eq!(problems(&kind(bad)).len(), 1, "{bad}");
        }
        let mut both = kind("");
        both.description = serde_json::from_str(r#"{"en":"{/a}","de":"{a}"}"#).unwrap();
        assert_eq!(problems(&both), [r#"description: "{a}" is no JSON pointer in braces (RFC 6901 3)"#]);
    }

    proptest! {
        #[test]
        fn any_description_and_value_make_a_sentence(description in ".*", text in ".*") {
            let said = say(&format!("{description}{{/v}}"), &json!({"type": "t", "v": text}));
            prop_assert!(said.len() <= description.len() + 10 + 4 * MAX_SHOWN);
        }

        #[test]
        fn no_value_brings_control_characters(text in "(\\PC|\\pC){0,20}") {
            let said = value(&json!(text));
            let said = said.strip_prefix('\u{2068}').and_then(|said| said.strip_suffix('\u{2069}')).unwrap_or(&said);
            prop_assert!(!said.chars().any(|c| c.is_control() || is_hidden(c)));
        }
    }
}
