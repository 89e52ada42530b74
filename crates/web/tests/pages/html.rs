//! Just enough of an HTML reader for what the tests ask.

/// A start tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag {
    /// Its name; an end tag has a slash before it.
    pub(crate) name: String,
    /// Its attributes, decoded, in order.
    pub(crate) attributes: Vec<(String, String)>,
}

impl Tag {
    /// An attribute's value.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(of, _)| of == name).map(|(_, value)| value.as_str())
    }

    /// The name of the tag and the names of its attributes.
    pub(crate) fn shape(&self) -> (String, Vec<String>) {
        (self.name.clone(), self.attributes.iter().map(|(name, _)| name.clone()).collect())
    }
}

/// Every tag of a page. Panics at what our templates never write, such as an attribute without quotes.
pub(crate) fn tags(page: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let end = rest.find(|c: char| c.is_whitespace() || c == '>').expect("a tag ends");
        let name = rest[..end].to_owned();
        assert!(name.trim_start_matches(['/', '!']).chars().all(|c| c.is_ascii_alphanumeric()), "<{name}");
        rest = &rest[end..];
        let mut attributes = Vec::new();
        loop {
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix('>') {
                rest = after;
                break;
            }
            if let Some(after) = rest.strip_prefix("/>") {
                rest = after;
                break;
            }
            let end = rest.find(['=', ' ', '>', '/', '\n']).expect("an attribute ends");
            assert!(end > 0, "an attribute has a name and its value has quotes");
            let name = rest[..end].to_owned();
            rest = &rest[end..];
            let mut value = String::new();
            if let Some(after) = rest.strip_prefix("=\"") {
                let end = after.find('"').expect("a value ends");
                value = decode(&after[..end]);
                rest = &after[end + 1..];
            }
            attributes.push((name, value));
        }
        tags.push(Tag { name, attributes });
    }
    tags
}

fn decode(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&")
}
