//! Colours can be told apart (WCAG 2.2 1.4.3, 1.4.11), and styles load nothing.

use std::collections::HashMap;

use grantor_web::Pages;

/// The colours of the light and of the dark scheme.
fn schemes(css: &str) -> [HashMap<String, [f64; 3]>; 2] {
    let mut blocks = css.split(":root {").skip(1).map(|block| {
        let tokens = block.split('}').next().unwrap().lines().filter_map(|line| line.trim().split_once(": "));
        tokens.filter_map(|(name, value)| Some((name.to_owned(), colour(value)?))).collect()
    });
    [blocks.next().unwrap(), blocks.next().unwrap()]
}

fn colour(value: &str) -> Option<[f64; 3]> {
    let hex = value.strip_prefix('#')?.trim_end_matches(';');
    let part = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).map(|byte| f64::from(byte) / 255.0).ok();
    Some([part(0)?, part(2)?, part(4)?])
}

fn luminance(colour: [f64; 3]) -> f64 {
    let [red, green, blue] = colour.map(|c| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn contrast_suffices_in_both_schemes() {
    let pages = Pages::new().unwrap();
    let css = std::str::from_utf8(&pages.asset("style.css").unwrap().bytes).unwrap().to_owned();
    for (scheme, colours) in ["light", "dark"].iter().zip(schemes(&css)) {
        let check = |ink: &str, ground: &str, least: f64| {
            let ratio = contrast(colours[&format!("--{ink}")], colours[&format!("--{ground}")]);
            assert!(ratio >= least, "{scheme}: {ink} on {ground} has {ratio:.2}");
        };
        for ground in ["canvas", "surface", "soft"] {
            for ink in ["ink", "muted", "accent", "accent-strong"] {
                check(ink, ground, 4.5);
            }
            check("edge", ground, 3.0);
        }
        check("on-accent", "accent", 4.5);
        check("on-accent", "accent-strong", 4.5);
        check("danger", "surface", 4.5);
        check("danger", "danger-soft", 4.5);
        check("surface", "danger", 4.5);
    }
}

#[test]
fn styles_and_images_load_nothing() {
    let pages = Pages::new().unwrap();
    for name in ["style.css", "playground.css", "desk.css", "mark.svg", "icon.svg"] {
        let text = std::str::from_utf8(&pages.asset(name).unwrap().bytes).unwrap().to_owned();
        for door in ["url(", "@import", "href", "<script", "//"] {
            assert!(!text.replace("http://www.w3.org/2000/svg", "").contains(door), "{name}: {door}");
        }
    }
}
