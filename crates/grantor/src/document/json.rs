//! JSON into the tree. serde_json says whether the text is JSON; the walk over it only finds out what stands where.

use super::{Entry, Node, Problem, Problems, Shape, Source};
use std::sync::Arc;

/// The tree of a JSON text.
pub(super) fn parse(source: &Arc<Source>, problems: &mut Problems) -> Option<Node> {
    if let Err(error) = serde_json::from_str::<serde_json::Value>(&source.text) {
        let line_start: usize =
            source.text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
        let at = line_start.saturating_add(error.column().saturating_sub(1)).min(source.text.len());
        let said = error.to_string();
        let message = said.split(" at line ").next().unwrap_or(&said);
        let place = source.place(at..at.saturating_add(1).min(source.text.len()));
        problems.push(Problem::error(format!("this is no JSON: {message}")).at(place));
        return None;
    }
    let before = problems.len();
    let tree = Walk { source, at: 0, problems }.value();
    if tree.is_none() && problems.len() == before {
        problems.push(Problem::error("this is no JSON").at(source.place(0..0)));
    }
    tree
}

struct Walk<'a> {
    source: &'a Arc<Source>,
    at: usize,
    problems: &'a mut Problems,
}

impl Walk<'_> {
    fn value(&mut self) -> Option<Node> {
        self.skip_space();
        let start = self.at;
        let shape = match self.peek()? {
            b'{' => self.table()?,
            b'[' => self.list()?,
            b'"' => Shape::Text(self.text()?),
            _ => self.literal()?,
        };
        Some(Node::new(self.source.place(start..self.at), shape))
    }

    fn table(&mut self) -> Option<Shape> {
        self.step();
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            self.skip_space();
            match self.peek()? {
                b'}' => break,
                b',' => self.step(),
                _ => {
                    let start = self.at;
                    let key = self.text()?;
                    let place = self.source.place(start..self.at);
                    self.skip_space();
                    self.step();
                    let value = self.value()?;
                    if entries.iter().any(|entry| entry.key == key) {
                        self.problems.push(Problem::error(format!("{key} stands here twice")).at(place));
                    } else {
                        entries.push(Entry { key, place, value });
                    }
                }
            }
        }
        self.step();
        Some(Shape::Table(entries))
    }

    fn list(&mut self) -> Option<Shape> {
        self.step();
        let mut items = Vec::new();
        loop {
            self.skip_space();
            match self.peek()? {
                b']' => break,
                b',' => self.step(),
                _ => items.push(self.value()?),
            }
        }
        self.step();
        Some(Shape::List(items))
    }

    fn text(&mut self) -> Option<String> {
        let start = self.at;
        self.step();
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => {
                    self.step();
                    self.step();
                }
                _ => self.step(),
            }
        }
        self.step();
        serde_json::from_str(self.source.text.get(start..self.at)?).ok()
    }

    fn literal(&mut self) -> Option<Shape> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) {
            self.step();
        }
        Some(match self.source.text.get(start..self.at)? {
            "null" => Shape::Null,
            "true" => Shape::Boolean(true),
            "false" => Shape::Boolean(false),
            number => match number.parse() {
                Ok(integer) => Shape::Integer(integer),
                Err(_) => Shape::Float(number.parse().ok()?),
            },
        })
    }

    fn peek(&self) -> Option<u8> {
        self.source.text.as_bytes().get(self.at).copied()
    }

    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.step();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::*;
    use proptest::prelude::*;

    fn tree(text: &str) -> (Option<Node>, Problems) {
        let mut problems = Problems::default();
        (Source::new("x.json", text).parse(Format::Json, &[], &mut problems), problems)
    }

    #[test]
    fn every_value_knows_its_place() {
        let text = r#"{"a": [1, "é\"", {"b": -2.5e3}], "c": null}"#;
        let (tree, _) = tree(text);
        let tree = tree.unwrap();
        let list = tree.get("a").unwrap();
        assert_eq!(&text[list.item(1).unwrap().place.span.clone()], r#""é\"""#);
        assert_eq!(&text[list.item(2).unwrap().get("b").unwrap().place.span.clone()], "-2.5e3");
        assert_eq!(&text[tree.entry("c").unwrap().place.span.clone()], r#""c""#);
    }

    #[test]
    fn a_key_that_stands_twice_is_refused_where_it_stands() {
        let (_, problems) = tree("{\"a\": 1,\n \"a\": 2}");
        assert_eq!(problems.positions(), [(2, 2)]);
    }

    #[test]
    fn broken_json_is_refused_where_it_breaks() {
        let (none, problems) = tree("{\"a\": 1,\n  b: 2}");
        assert!(none.is_none());
        assert_eq!(problems.positions(), [(2, 3)]);
    }

    proptest! {
        #[test]
        fn whatever_is_json_becomes_a_tree(text in r#"[\{\}\[\]",:0-9a-z\\ .\n-]{0,40}"#) {
            let json = serde_json::from_str::<serde_json::Value>(&text).is_ok();
            let (found, problems) = tree(&text);
            prop_assert_eq!(json, found.is_some());
            prop_assert!(json || !problems.is_empty());
        }
    }
}
