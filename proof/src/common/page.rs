//! The form of one of Grantor's own pages. No browser: it knows how those pages are written, and nothing else.

/// The first form.
#[derive(Debug, Default)]
pub(crate) struct Form {
    pub(crate) action: String,
    /// Names and values of what would be sent, without buttons.
    pub(crate) fields: Vec<(String, String)>,
    /// Names and values of buttons.
    pub(crate) buttons: Vec<(String, String)>,
}

impl Form {
    pub(crate) fn parse(page: &str) -> Option<Self> {
        let (_, rest) = page.split_once("<form ")?;
        let (inside, _) = rest.split_once("</form>")?;
        let mut form = Self { action: attribute(inside.split_once('>')?.0, "action")?, ..Self::default() };
        for tag in inside.split('<').filter_map(|tag| tag.split_once('>').map(|(tag, _)| tag)) {
            let Some(name) = attribute(tag, "name") else { continue };
            let field = (name, attribute(tag, "value").unwrap_or_default());
            if tag.starts_with("button ") {
                form.buttons.push(field);
            } else if tag.starts_with("input ") && (!tag.contains("type=\"checkbox\"") || tag.contains(" checked")) {
                form.fields.push(field);
            }
        }
        Some(form)
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!("{name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    Some(value.replace("&#x2f;", "/").replace("&#x27;", "'").replace("&quot;", "\"").replace("&amp;", "&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_would_send_is_found() {
        let page = r#"<h1>x</h1><form method="post" action="/a&amp;b"><input type="hidden" name="csrf" value="1">
            <input type="checkbox" id="x" name="scope" value="one" checked><input type="checkbox" name="scope" value="two">
            <button name="decision" value="deny">No</button></form><input name="outside" value="">"#;
        let form = Form::parse(page).unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(form.action, "/a&b");
        assert_eq!(form.fields, [pair("csrf", "1"), pair("scope", "one")]);
        assert_eq!(form.buttons, [pair("decision", "deny")]);
    }
}
