//! `{{name}}` in a text.

/// A piece of a text with names in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'t> {
    /// What stands there.
    Text(&'t str),
    /// What stands for something else: whatever is between `{{` and `}}`, without the spaces around it.
    Name(&'t str),
}

/// The pieces of a text. Of braces in braces the innermost count, and those that are never closed are text.
pub(super) fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = text;
    let mut named = None;
    std::iter::from_fn(move || {
        if let Some(name) = named.take() {
            return Some(Part::Name(name));
        }
        if rest.is_empty() {
            return None;
        }
        let Some((before, name, after)) = next_name(rest) else {
            return Some(Part::Text(std::mem::take(&mut rest)));
        };
        rest = after;
        if before.is_empty() {
            return Some(Part::Name(name));
        }
        named = Some(name);
        Some(Part::Text(before))
    })
}

fn next_name(text: &str) -> Option<(&str, &str, &str)> {
    let (_, opened) = text.split_once("{{")?;
    // `{{{a}}}`: the braces nearest to the name are meant.
    let opened = opened.trim_start_matches('{');
    let start = text.len() - opened.len();
    let (inside, after) = opened.split_once("}}")?;
    let name = inside.rsplit_once("{{").map_or(inside, |(_, innermost)| innermost).trim_start_matches('{');
    let start = start + (inside.len() - name.len());
    Some((text.get(..start - 2)?, name.trim(), after))
}

/// Whether a text is nothing but one name, and which.
pub(super) fn only_name(text: &str) -> Option<&str> {
    let mut parts = parts(text);
    match (parts.next(), parts.next()) {
        (Some(Part::Name(name)), None) => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_stand_between_braces() {
        let all = |text| parts(text).collect::<Vec<_>>();
        assert_eq!(all("a{{b}}c"), [Part::Text("a"), Part::Name("b"), Part::Text("c")]);
        assert_eq!(all("{{ b }}{{c}}"), [Part::Name("b"), Part::Name("c")]);
        assert_eq!(all("{{{b}}}"), [Part::Text("{"), Part::Name("b"), Part::Text("}")]);
        assert_eq!(all("{{a{{b}}"), [Part::Text("{{a"), Part::Name("b")]);
        assert_eq!(all("{{a{{{b}}"), [Part::Text("{{a{"), Part::Name("b")]);
        assert_eq!(all("{{}}"), [Part::Name("")]);
        assert_eq!(all("}}{{a}"), [Part::Text("}}{{a}")]);
        assert_eq!(all(""), []);
        assert_eq!(only_name("{{a}}"), Some("a"));
        assert_eq!((only_name("{{a}} "), only_name("a"), only_name("")), (None, None, None));
    }

    proptest! {
        #[test]
        fn nothing_is_lost(text in "[a {}]{0,24}") {
            let whole: String = parts(&text).map(|part| match part {
                Part::Text(text) => text.replace(' ', ""),
                Part::Name(name) => format!("{{{{{}}}}}", name.replace(' ', "")),
            }).collect();
            prop_assert_eq!(whole, text.replace(' ', ""));
        }
    }
}
