//! The JSON Schema of a type (RFC 9396 2.1, 5): what its objects must be, and that they are nothing else.

use super::Detail;
use crate::directory::AuthorizationDetailsType;
use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::{Value, json};

/// The only dialect.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// How large a compiled pattern may be: one of 10 MiB, what is usual, takes a tenth of a second.
const MAX_PATTERN: usize = 1024 * 1024;

/// A schema that is ready to check objects, or why it can never be. To compile costs hundreds of times what to check does.
pub struct CompiledSchema(Result<Validator, String>);

/// Whether the object fits the type; if not, why, without its values.
pub(super) fn fits(detail: &Detail, kind: &AuthorizationDetailsType) -> Result<(), String> {
    let CompiledSchema(compiled) = kind.compiled.get_or_make(|| CompiledSchema(compile(&kind.schema)));
    let object = Value::Object(detail.0.clone());
    compiled.as_ref().map_err(Clone::clone)?.validate(&object).map_err(|error| text(&error))
}

/// What is wrong with the schema of a type.
pub(super) fn problem(kind: &AuthorizationDetailsType) -> Option<String> {
    match compile(&kind.schema) {
        Err(why) => Some(format!("schema: {why}")),
        Ok(_) if kind.schema == Value::Bool(false) => Some("schema: nothing fits false".to_owned()),
        Ok(_) => None,
    }
}

fn compile(schema: &Value) -> Result<Validator, String> {
    if schema.get("$schema").is_some_and(|dialect| dialect != DIALECT) {
        return Err(format!("$schema can only be {DIALECT}"));
    }
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .offline()
        // Linear in the length of what they are matched with, unlike patterns that look around.
        .with_pattern_options(PatternOptions::regex().size_limit(MAX_PATTERN))
        .should_validate_formats(true)
        .build(&closed(schema))
        .map_err(|error| match error.kind() {
            ValidationErrorKind::Format { format } if format == "regex" => {
                format!("{error} that is matched in linear time: no look-around, no large counted repetition")
            }
            _ => error.to_string(),
        })
}

/// RFC 9396 5: an unknown member is refused, unless the schema says itself what it thinks of such. `type` is known to
/// every type.
fn closed(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Value::Object(keywords) = &mut schema {
        if !keywords.contains_key("additionalProperties") && !keywords.contains_key("unevaluatedProperties") {
            keywords.insert("unevaluatedProperties".to_owned(), Value::Bool(false));
        }
        if let Value::Object(properties) = keywords.entry("properties").or_insert_with(|| json!({})) {
            properties.entry("type").or_insert(Value::Bool(true));
        }
    }
    schema
}

fn text(error: &ValidationError<'_>) -> String {
    format!("{} at {:?}", error.masked(), error.instance_path().as_str())
}

#[cfg(test)]
mod tests {
    use super::super::tests::details;
    use super::*;
    use crate::made::Made;

    fn kind(schema: Value) -> AuthorizationDetailsType {
        AuthorizationDetailsType {
            name: "t".into(),
            description: "".into(),
            schema,
            roles: vec![],
            compiled: Made::default(),
        }
    }

    fn misfit(schema: &Value, object: &str) -> Option<String> {
        let kind = kind(schema.clone());
        fits(details(&format!("[{object}]")).iter().next().unwrap(), &kind).err()
    }

    fn problem_with(schema: Value) -> String {
        problem(&kind(schema)).unwrap_or_default()
    }

    #[test]
    fn rfc9396_5_an_unknown_member_is_refused_unless_the_schema_lets_it_in() {
        let object = r#"{"type":"t","a":"x","b":1}"#;
        let knows_a = json!({"properties": {"a": {}}});
        assert_eq!(misfit(&knows_a, r#"{"type":"t","a":"x"}"#), None);
        assert!(misfit(&knows_a, object).unwrap().contains("'b' was unexpected"));
        assert!(misfit(&json!({}), object).is_some());
        for open in [json!(true), json!({"additionalProperties": true}), json!({"unevaluatedProperties": true})] {
            assert_eq!(misfit(&open, object), None, "{open}");
        }
        let elsewhere = json!({"allOf": [{"$ref": "#/$defs/a"}], "oneOf": [{"properties": {"b": {"type": "integer"}}}],
            "$defs": {"a": {"properties": {"a": {}}}}});
        assert_eq!(misfit(&elsewhere, object), None);
    }

    #[test]
    fn rfc9396_5_a_closed_schema_need_not_list_the_type() {
        let closed = json!({"properties": {"a": {}}, "additionalProperties": false});
        assert_eq!(misfit(&closed, r#"{"type":"t","a":1}"#), None);
        assert!(misfit(&json!({"properties": {"type": {"const": "u"}}}), r#"{"type":"t"}"#).is_some());
    }

    #[test]
    fn rfc9396_5_wrong_type_wrong_value_and_missing_member_are_refused() {
        let schema = json!({"required": ["a"], "properties": {
            "a": {"type": "string", "enum": ["x", "y"]}, "on": {"format": "date"}, "n": {"pattern": "^[0-9]+$"}}});
        assert_eq!(misfit(&schema, r#"{"type":"t","a":"x","on":"2026-02-28","n":"12"}"#), None);
        for bad in [
            r#"{"type":"t"}"#,
            r#"{"type":"t","a":1}"#,
            r#"{"type":"t","a":"z"}"#,
            r#"{"type":"t","a":"x","on":"2026-02-30"}"#,
            r#"{"type":"t","a":"x","n":"secret"}"#,
        ] {
            let why = misfit(&schema, bad).unwrap();
            assert!(!why.contains("secret") && !why.contains('z') && !why.contains("02-30"), "{why}");
        }
    }

    #[test]
    fn nothing_is_fetched() {
        for reference in
            ["https://example.com/a", "http://127.0.0.1/a", "file:///etc/hosts", "other.json", "#/$defs/none"]
        {
            for schema in [
                json!({"$ref": reference}),
                json!({"properties": {"a": {"$dynamicRef": reference}}}),
                json!({"$id": "https://example.com/b", "properties": {"a": {"items": {"$ref": reference}}}}),
            ] {
                assert!(problem_with(schema.clone()).starts_with("schema: "), "{schema}");
                assert!(misfit(&schema, r#"{"type":"t"}"#).is_some(), "{schema}");
            }
        }
        assert_eq!(problem_with(json!({"$ref": "#/$defs/a", "$defs": {"a": {"properties": {"b": {}}}}})), "");
    }

    #[test]
    fn a_schema_that_is_none_is_a_problem() {
        for bad in [json!(null), json!("a"), json!([]), json!({"type": "text"}), json!({"properties": []})] {
            assert!(problem_with(bad.clone()).starts_with("schema: "), "{bad}");
        }
        assert_eq!(problem_with(json!(false)), "schema: nothing fits false");
        assert_eq!(problem_with(json!({"$schema": DIALECT, "type": "object"})), "");
        assert!(problem_with(json!({"$schema": "http://json-schema.org/draft-07/schema#"})).contains(DIALECT));
    }

    #[test]
    fn patterns_are_matched_in_linear_time() {
        for bad in ["(?=a)b", r"(a)\1", "(", r"^\p{L}{1,70}$"] {
            let why = problem_with(json!({"properties": {"a": {"pattern": bad}}}));
            assert!(why.contains("linear time"), "{why}");
        }
        let catastrophic = json!({"properties": {"a": {"pattern": "^(([a-z])+.)+[A-Z]([a-z])+$"}}});
        assert_eq!(problem_with(catastrophic.clone()), "");
        assert!(misfit(&catastrophic, &format!(r#"{{"type":"t","a":"{}"}}"#, "a".repeat(4_000))).is_some());
    }

    #[test]
    fn a_schema_that_names_itself_ends() {
        for schema in [
            json!({"$ref": "#"}),
            json!({"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"anyOf": [{"$ref": "#"}, {"$ref": "#/$defs/a"}]}}}),
            json!({"properties": {"a": {"$ref": "#"}}}),
        ] {
            let _ = misfit(&schema, r#"{"type":"t","a":{"type":"t","a":{"type":"t"}}}"#);
        }
    }
}
