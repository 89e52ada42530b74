//! An operator's own templates, styles and texts.

use std::fs;
use std::path::PathBuf;

use grantor_web::{Frame, Language, LoadError, Pages, SetupDone};

pub(crate) struct Directory(pub(crate) PathBuf);

impl Directory {
    pub(crate) fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let path = std::env::temp_dir().join(format!("grantor-web-{}-{name}", std::process::id()));
        for (file, content) in files {
            let file = path.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, content).unwrap();
        }
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn page() -> SetupDone {
    SetupDone { username: "ada".to_owned(), continue_to: "/".to_owned() }
}

#[test]
fn files_of_the_operator_take_the_place_of_ours() {
    let directory = Directory::new(
        "own",
        &[
            (
                "templates/setup-done.html",
                "{% extends \"layout.html\" %}{% block main %}<h1>{{ t(\"continue\") }}</h1>{% endblock %}",
            ),
            ("templates/notes.txt", "{{ not a template"),
            ("assets/theme.css", ":root { --accent: #123456; }"),
            ("assets/notes.txt", "not served"),
            ("languages/en.ftl", "continue = Onward\n"),
        ],
    );
    let pages = Pages::with_overrides(&directory.0).unwrap();
    let html = pages.render(&page(), &Frame::new("Acme"), Language::English).unwrap();
    assert!(html.contains("<h1>Onward</h1>") && html.contains("href=\"/assets/theme.css?v="));
    assert!(html.contains("Secured by Grantor"));
    assert!(pages.render(&page(), &Frame::new("Acme"), Language::German).unwrap().contains("<h1>Weiter</h1>"));
    assert!(pages.asset("theme.css").unwrap().bytes.starts_with(b":root"));
    assert!(pages.asset("notes.txt").is_none());
}

#[test]
fn nothing_to_override_changes_nothing() {
    let directory = Directory::new("none", &[]);
    let html = |pages: Pages| pages.render(&page(), &Frame::new("Acme"), Language::English).unwrap();
    assert_eq!(html(Pages::with_overrides(&directory.0).unwrap()), html(Pages::new().unwrap()));
}

#[test]
fn what_is_broken_is_refused_at_the_start() {
    let directory = Directory::new("template", &[("templates/home.html", "{% if %}")]);
    assert!(matches!(Pages::with_overrides(&directory.0), Err(LoadError::Template(_))));
    let directory = Directory::new("text", &[("languages/de.ftl", "= nothing")]);
    assert!(matches!(Pages::with_overrides(&directory.0), Err(LoadError::Text(_))));
    let directory = Directory::new("bytes", &[("templates/home.html", "x")]);
    fs::write(directory.0.join("templates/home.html"), [0xff]).unwrap();
    assert!(matches!(Pages::with_overrides(&directory.0), Err(LoadError::Read(_))));
}

#[test]
fn paths_do_not_leave_the_assets() {
    let pages = Pages::new().unwrap();
    for path in ["", "/style.css", "../Cargo.toml", "style.css/", "%2e%2e/Cargo.toml"] {
        assert!(pages.asset(path).is_none(), "{path}");
    }
    assert_eq!(pages.asset("style.css").unwrap().content_type, "text/css; charset=utf-8");
}
