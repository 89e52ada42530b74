//! Manifests and configuration files: every problem finds its place in the text, and what was secret is not shown.
#![no_main]

use grantor_cli::{problems_of_configuration, problems_of_manifest};
use libfuzzer_sys::fuzz_target;

const SECRET: &str = "tHe-PaSsWoRd";

fuzz_target!(|text: &str| {
    problems_of_manifest("fuzz.json", text);
    problems_of_manifest("fuzz.toml", text);
    problems_of_configuration(text);
    if !text.contains(SECRET) && !text.contains(['"', '\\', '\n', '\r']) {
        let with_secret = format!("[[users]]\npassword = \"{SECRET}\"\n\"{text}\" = 1\n");
        assert!(!problems_of_manifest("fuzz.toml", &with_secret).contains(SECRET));
    }
});
