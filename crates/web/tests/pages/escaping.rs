//! What comes from outside stays text.

use grantor_web::{Application, Consent, Language, Lifetime, Pages};
use proptest::prelude::*;

use crate::html::tags;
use crate::samples;

type Shape = Vec<(String, Vec<String>)>;

/// The tags and attribute names of every page: what text must not change.
fn shapes(pages: &Pages, client: &str) -> Vec<Shape> {
    samples::all(client, &samples::frame())
        .iter()
        .map(|sample| {
            let page = (sample.render)(pages, Language::English).unwrap();
            tags(&page).iter().map(super::html::Tag::shape).collect()
        })
        .collect()
}

#[test]
fn a_script_in_a_name_is_text_everywhere() {
    let hostile = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>";
    let mut escaped = 0;
    super::each(hostile, |name, _, page| {
        assert!(!page.contains("<script>alert") && !page.contains("<img src=x"), "{name}");
        escaped += page.matches("&lt;script&gt;alert(1)&lt;/script&gt;").count();
    });
    assert!(escaped > 50, "{escaped}");
    let pages = Pages::new().unwrap();
    assert_eq!(shapes(&pages, hostile), shapes(&pages, "Ledgerly"));
}

#[test]
fn a_name_cannot_turn_the_text_around_it() {
    super::each("Led\u{202e}ger\u{2069}ly", |name, _, page| {
        // In a field a text stands alone.
        let around = page.split("</textarea>").map(|part| part.split("<textarea").next().unwrap());
        let around: String = around.collect::<Vec<_>>().join("");
        for line in around.lines().filter(|line| line.contains('\u{202e}')) {
            assert!(line.contains(" value=\""), "{name}: {line}");
        }
    });
}

#[test]
fn links_and_images_of_an_application_are_checked() {
    let hostile = || Some("javascript:alert(1)".to_owned());
    let page = Consent {
        application: Application {
            name: "A".to_owned(),
            uri: hostile(),
            logo: Some("https://tracker.example/pixel.png".to_owned()),
            policy: hostile(),
            terms: hostile(),
        },
        redirect_host: Some("a.example".to_owned()),
        user_code: Some("BCDF-GHJK".to_owned()),
        document_host: None,
        local_only: false,
        user: grantor_web::Account { name: "Ada".to_owned(), username: "ada".to_owned() },
        switch_account: None,
        groups: Vec::new(),
        lifetime: Lifetime::UntilRevoked,
        interaction: "i".into(),
        csrf: "c".into(),
        action: "/consent".to_owned(),
    };
    let html = Pages::new().unwrap().render(&page, &samples::frame(), Language::English).unwrap();
    assert!(!html.contains("javascript:") && !html.contains("tracker.example"));
    assert!(!format!("{page:?}").contains("\"c\""));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_text_changes_the_shape_of_a_page(text in any::<String>()) {
        let pages = Pages::new().unwrap();
        prop_assert_eq!(shapes(&pages, &format!("x{text}")), shapes(&pages, "x"));
    }
}
