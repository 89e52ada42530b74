//! How a value becomes HTML.

use minijinja::value::Value;
use minijinja::{Error, ErrorKind, Output, State, escape_formatter};

/// Escapes what means something in HTML text and in quoted attributes. Unlike minijinja's own it leaves slashes alone, so that
/// URLs stay readable, and refuses `none`, which no page means to print.
pub(crate) fn write(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if value.is_none() {
        return Err(Error::new(ErrorKind::InvalidOperation, "a value that is not there"));
    }
    match value.as_str() {
        Some(text) if !value.is_safe() => escape(out, text).map_err(Error::from),
        _ => escape_formatter(out, state, value),
    }
}

fn escape(out: &mut Output<'_>, text: &str) -> std::fmt::Result {
    let mut rest = text;
    while let Some((at, entity)) = rest.char_indices().find_map(|(at, c)| Some((at, entity(c)?))) {
        let (plain, special) = rest.split_at(at);
        out.write_str(plain)?;
        out.write_str(entity)?;
        // Every character with an entity is one byte long.
        rest = special.get(1..).unwrap_or_default();
    }
    out.write_str(rest)
}

const fn entity(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\'' => Some("&#39;"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};

    fn environment() -> Environment<'static> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.set_formatter(super::write);
        environment
    }

    #[test]
    fn what_means_something_is_escaped() {
        let page = environment().render_str("{{ x }}{{ 5 }}", context! { x => "ä<a href=\"/b\">'&amp;</a>" }).unwrap();
        assert_eq!(page, "ä&lt;a href=&quot;/b&quot;&gt;&#39;&amp;amp;&lt;/a&gt;5");
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        for template in ["{{ nothing }}", "{{ x.nothing }}", "{{ none }}"] {
            assert!(environment().render_str(template, context! { x => context! {} }).is_err(), "{template}");
        }
    }
}
