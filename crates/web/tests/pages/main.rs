//! Every page, in each state and language, as a browser and a screen reader meet it.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod escaping;
mod html;
mod overrides;
#[path = "../../examples/gallery/samples.rs"]
mod samples;
mod structure;
mod styles;
mod texts;

use grantor_web::{Language, Pages};

/// Calls `check` with the name, the language and the HTML of every page.
fn each(client: &str, mut check: impl FnMut(&str, Language, &str)) {
    let pages = Pages::new().unwrap();
    for sample in samples::all(client, &samples::frame()) {
        for language in Language::ALL {
            check(&sample.name, language, &(sample.render)(&pages, language).unwrap());
        }
    }
}

#[test]
fn pages_are_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>(_: &T) {}
    shared(&Pages::new().unwrap());
}
