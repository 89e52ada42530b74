//! JSON on many lines, for people. Not a character of it is changed but the space between its parts.

use serde::de::IgnoredAny;

/// Deeper parts begin no further to the right.
const DEEPEST: usize = 24;

/// The same JSON with a line for each part. None for what is none, and for what would be longer than `longest` bytes.
pub fn indented(json: &str, longest: usize) -> Option<String> {
    serde_json::from_str::<IgnoredAny>(json).ok()?;
    let mut lines = String::with_capacity(json.len());
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    let mut rest = json.chars().peekable();
    while let Some(c) = rest.next() {
        if lines.len() > longest {
            return None;
        }
        if in_text {
            lines.push(c);
            (in_text, escaped) = (escaped || c != '"', !escaped && c == '\\');
            continue;
        }
        match c {
            ' ' | '\t' | '\n' | '\r' => {}
            '{' | '[' => {
                lines.push(c);
                while rest.next_if(char::is_ascii_whitespace).is_some() {}
                if let Some(end) = rest.next_if(|c| matches!(c, '}' | ']')) {
                    lines.push(end);
                } else {
                    depth += 1;
                    new_line(&mut lines, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut lines, depth);
                lines.push(c);
            }
            ',' => {
                lines.push(c);
                new_line(&mut lines, depth);
            }
            ':' => lines.push_str(": "),
            _ => {
                in_text = c == '"';
                lines.push(c);
            }
        }
    }
    Some(lines)
}

fn new_line(lines: &mut String, depth: usize) {
    lines.push('\n');
    lines.extend(std::iter::repeat_n("  ", depth.min(DEEPEST)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_part_has_its_line() {
        let json = r#"{"b":1.50,"a":[ ],"c":[{"d":"x, {y}: \"z\" \\"},null ]}"#;
        let lines = "{\n  \"b\": 1.50,\n  \"a\": [],\n  \"c\": [\n    {\n      \"d\": \"x, {y}: \\\"z\\\" \\\\\"\n    },\n    null\n  ]\n}";
        assert_eq!(indented(json, 1000).as_deref(), Some(lines));
        for other in ["", "{", "a", "{}{}", "{'a':1}"] {
            assert_eq!(indented(other, 1000), None, "{other}");
        }
    }

    #[test]
    fn a_bomb_is_left_as_it_is() {
        let deep = format!("{}{}", "[".repeat(60_000), "]".repeat(60_000));
        assert!(indented(&deep, 1 << 19).is_none_or(|lines| lines.len() < 1 << 20));
        let wide = format!("{}{}0{}", "[".repeat(60), "0,".repeat(60_000), "]".repeat(60));
        assert_eq!(indented(&wide, 1 << 19), None);
    }

    proptest! {
        #[test]
        fn nothing_is_lost(keys in proptest::collection::vec(".{0,8}", 0..4), number: i64) {
            let value: serde_json::Value = keys.iter().map(|key| (key.clone(), serde_json::json!([number, key]))).collect::<serde_json::Map<_, _>>().into();
            let lines = indented(&value.to_string(), 10_000).unwrap();
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&lines).unwrap(), value);
        }
    }
}
