//! What every page has, and what none may have.

use std::collections::HashSet;

use grantor_web::{Asset, Frame, Language, Pages};

use crate::each;
use crate::html::{Tag, tags};
use crate::samples;

/// The pages with a script; the server allows it to them alone.
const SCRIPTS: [(&str, &str); 11] = [
    ("desk-guest", "desk/desk.js"),
    ("desk", "desk/desk.js"),
    ("desk-empty", "desk/desk.js"),
    ("desk-requests", "desk/import.js"),
    ("desk-requests-empty", "desk/import.js"),
    ("form-post", "form-post.js"),
    ("playground", "playground/playground.js"),
    ("playground-relay", "playground/playground.js"),
    ("playground-demo", "playground/playground.js"),
    ("playground-callback", "playground/callback.js"),
    ("token-inspector", "playground/inspector.js"),
];

fn named<'a>(tags: &'a [Tag], name: &'a str) -> impl Iterator<Item = &'a Tag> {
    tags.iter().filter(move |tag| tag.name == name)
}

#[test]
fn landmarks_and_headings_exist() {
    each("Ledgerly", |name, language, page| {
        let tags = tags(page);
        assert_eq!(named(&tags, "html").next().unwrap().attribute("lang"), Some(language.tag()), "{name}");
        for landmark in ["header", "main", "footer", "h1", "title"] {
            assert_eq!(named(&tags, landmark).count(), 1, "{name}: {landmark}");
        }
        assert!(!page.contains("<title> ·") && !page.contains("</h1></h1>"), "{name}");
        assert!(named(&tags, "img").all(|image| image.attribute("alt").is_some()), "{name}");
        let levels: Vec<u8> = tags.iter().filter_map(|tag| tag.name.strip_prefix('h')?.parse().ok()).collect();
        assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{name}: {levels:?}");
    });
}

#[test]
fn every_element_is_closed() {
    const VOID: [&str; 7] = ["!doctype", "meta", "link", "img", "input", "path", "br"];
    each("Ledgerly", |name, _, page| {
        let mut open = Vec::new();
        for tag in tags(page) {
            match tag.name.strip_prefix('/') {
                Some(closed) => assert_eq!(open.pop().as_deref(), Some(closed), "{name}"),
                None if VOID.contains(&tag.name.as_str()) => (),
                None => open.push(tag.name),
            }
        }
        assert!(open.is_empty(), "{name}: {open:?}");
    });
}

#[test]
fn every_control_has_a_label() {
    each("Ledgerly", |name, _, page| {
        let tags = tags(page);
        let labels: HashSet<_> = named(&tags, "label").filter_map(|label| label.attribute("for")).collect();
        let inputs = named(&tags, "input").chain(named(&tags, "textarea"));
        for input in inputs.filter(|input| input.attribute("type") != Some("hidden")) {
            assert!(labels.contains(input.attribute("id").unwrap()), "{name}: {input:?}");
        }
        // What is pressed sends a form, but where a script does the work.
        let kind = if named(&tags, "form").next().is_some() { "submit" } else { "button" };
        assert!(named(&tags, "button").all(|button| button.attribute("type") == Some(kind)), "{name}");
        assert!(tags.iter().filter(|tag| tag.attribute("autofocus").is_some()).count() <= 1, "{name}");
    });
}

#[test]
fn references_within_a_page_lead_somewhere() {
    each("Ledgerly", |name, _, page| {
        let tags = tags(page);
        let ids: Vec<_> = tags.iter().filter_map(|tag| tag.attribute("id")).collect();
        let unique: HashSet<_> = ids.iter().copied().collect();
        assert_eq!(ids.len(), unique.len(), "{name}: {ids:?}");
        for attribute in ["for", "aria-labelledby", "aria-describedby"] {
            for id in tags.iter().filter_map(|tag| tag.attribute(attribute)).flat_map(str::split_whitespace) {
                assert!(unique.contains(id), "{name}: {attribute}={id}");
            }
        }
    });
}

#[test]
fn errors_are_announced() {
    each("Ledgerly", |name, _, page| {
        let is_error = page.contains("role=\"alert\"");
        let expected = ["wrong", "throttled", "username", "differ", "short", "long", "common", "unknown"]
            .iter()
            .any(|state| name.ends_with(&format!("-{state}")))
            || name == "sign-in-expired"
            || name == "setup-expired";
        assert_eq!(is_error, expected, "{name}");
        let prefixed = page.contains("<title>Error: ") || page.contains("<title>Fehler: ");
        assert_eq!(prefixed, expected, "{name}");
    });
}

#[test]
fn the_content_security_policy_is_kept() {
    each("Ledgerly", |name, _, page| {
        for tag in tags(page) {
            assert_ne!(tag.name, "style", "{name}");
            for (attribute, value) in &tag.attributes {
                assert!(attribute != "style" && !attribute.starts_with("on"), "{name}: {attribute}");
                assert!(!value.to_ascii_lowercase().starts_with("javascript:"), "{name}: {value}");
            }
            if tag.name == "script" {
                let (_, script) = SCRIPTS.iter().find(|(page, _)| *page == name).unwrap();
                assert_eq!(tag.attribute("type"), Some("module"), "{name}");
                let (version, path) =
                    tag.attribute("src").unwrap().strip_prefix("/assets/v-").unwrap().split_once('/').unwrap();
                assert_eq!((version.len(), path), (16, *script), "{name}");
            }
            if tag.attribute("target").is_some() {
                assert!(tag.attribute("rel").unwrap().contains("noopener"), "{name}");
            }
        }
    });
}

#[test]
fn every_form_carries_its_token() {
    each("Ledgerly", |name, _, page| {
        let tags = tags(page);
        for (at, form) in tags.iter().enumerate().filter(|(_, tag)| tag.name == "form") {
            assert_eq!(form.attribute("method"), Some("post"), "{name}");
            let mut fields = tags[at..].iter().take_while(|tag| tag.name != "/form");
            let has_token = fields.any(|field| field.attribute("name") == Some("csrf"));
            // A form that goes to an application must not tell it our token.
            assert_eq!(has_token, name != "form-post", "{name}");
        }
    });
}

#[test]
fn what_is_loaded_is_there() {
    let pages = Pages::new().unwrap();
    each("Ledgerly", |name, _, page| {
        for tag in tags(page) {
            let Some(url) = tag.attribute("src").or(tag.attribute("href").filter(|_| tag.name == "link")) else {
                continue;
            };
            if url.starts_with("data:") {
                continue;
            }
            let (path, query) = url.strip_prefix("/assets/").unwrap().split_once('?').unwrap_or_else(|| {
                assert_eq!(tag.name, "script", "{name}: {url}");
                (url.strip_prefix("/assets/").unwrap(), "")
            });
            let (path, version) = Asset::asked(path, query);
            let asset = pages.asset(path).unwrap_or_else(|| panic!("{name}: {path}"));
            assert!(asset.cache_control(version).contains("immutable"), "{name}: {url}");
            let other = if tag.name == "script" { "no-cache" } else { "public, max-age=300" };
            assert_eq!([Some("0"), None].map(|version| asset.cache_control(version)), [other; 2]);
            assert!(tag.name == "script" || asset.etag == format!("\"{}\"", version.unwrap()));
        }
    });
}

#[test]
fn modules_have_one_version_that_follows_all_of_them() {
    let version = |pages: &Pages| {
        let page =
            samples::all("Ledgerly", &samples::frame()).into_iter().find(|page| page.name == "playground").unwrap();
        let html = (page.render)(pages, Language::English).unwrap();
        html.split_once("/assets/v-").unwrap().1.split_once('/').unwrap().0.to_owned()
    };
    let ours = version(&Pages::new().unwrap());
    assert_eq!(ours, version(&Pages::new().unwrap()));
    // Another file of another name is enough: whatever imports it must be fetched anew.
    let directory = crate::overrides::Directory::new("modules", &[("assets/form-post.js", "// another")]);
    let theirs = Pages::with_overrides(&directory.0).unwrap();
    assert_ne!(ours, version(&theirs));
    let module = theirs.asset("playground/words.js").unwrap();
    assert_eq!(module.cache_control(Some(&ours)), "no-cache");
    assert!(module.cache_control(Some(&version(&theirs))).contains("immutable"));
    // A style does not concern them.
    let directory = crate::overrides::Directory::new("styles", &[("assets/theme.css", "a{}")]);
    assert_eq!(ours, version(&Pages::with_overrides(&directory.0).unwrap()));
}

#[test]
fn consent_posts_what_is_ticked_or_required() {
    let pages = Pages::new().unwrap();
    let samples = samples::all("Ledgerly", &samples::frame());
    let consent = samples.iter().find(|sample| sample.name == "consent").unwrap();
    let tags = tags(&(consent.render)(&pages, Language::English).unwrap());
    let scope = |value: &str| {
        let posted = |tag: &&Tag| tag.attribute("name") == Some("scope") && tag.attribute("value") == Some(value);
        let mut fields = tags.iter().filter(posted);
        let field = fields.next().unwrap();
        assert_eq!(fields.next(), None);
        (field.attribute("type").unwrap().to_owned(), field.attribute("checked").is_some())
    };
    assert_eq!(scope("openid"), ("hidden".to_owned(), false));
    assert_eq!(scope("orders:read"), ("checkbox".to_owned(), true));
    assert_eq!(scope("orders:write"), ("checkbox".to_owned(), false));
    let decisions: Vec<_> =
        named(&tags, "button").map(|button| (button.attribute("name"), button.attribute("value"))).collect();
    assert_eq!(decisions, [(Some("decision"), Some("deny")), (Some("decision"), Some("allow"))]);
}

#[test]
fn assets_follow_the_frame() {
    let pages = Pages::new().unwrap();
    let frame = Frame { assets: "/t/acme/assets".to_owned(), ..samples::frame() };
    let sample = samples::all("Ledgerly", &frame).remove(0);
    assert!((sample.render)(&pages, Language::English).unwrap().contains("href=\"/t/acme/assets/style.css?v="));
}
