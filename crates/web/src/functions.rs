//! What templates can call besides minijinja's own.

use std::sync::Arc;

use fluent_bundle::{FluentArgs, FluentValue};
use minijinja::value::{Kwargs, Value};
use minijinja::{Environment, Error, ErrorKind, State};

use crate::asset::Assets;
use crate::text::Texts;

/// Adds `t`, `date`, `asset_url`, `has_asset`, the filters `plain` and `initial`, and the tests `web_url` and `image_url`.
pub(crate) fn add(environment: &mut Environment<'static>, texts: Texts, assets: &Arc<Assets>) {
    let texts = Arc::new(texts);
    let dates = Arc::clone(&texts);
    environment.add_function("t", move |key: &str, arguments: Kwargs| text(&texts, key, &arguments));
    environment.add_function("date", move |seconds: u64| date(&dates, seconds));
    let of = Arc::clone(assets);
    environment.add_function("asset_url", move |state: &State<'_, '_>, path: &str| asset_url(state, &of, path));
    let of = Arc::clone(assets);
    environment.add_function("has_asset", move |path: &str| of.find(path).is_some());
    environment.add_filter("plain", plain);
    environment.add_filter("initial", initial);
    environment.add_test("web_url", is_web_url);
    environment.add_test("image_url", is_image_url);
}

/// `t("key", name=value)`: a text of the page's language.
fn text(texts: &Texts, key: &str, arguments: &Kwargs) -> Result<String, Error> {
    let mut given = FluentArgs::new();
    for name in arguments.args() {
        let value: Value = arguments.get(name)?;
        let value = match i64::try_from(value.clone()) {
            Ok(number) if value.is_number() => FluentValue::from(number),
            _ => FluentValue::from(plain(&value.to_string())),
        };
        given.set(name.to_owned(), value);
    }
    texts.text(key, &given).map_err(|error| Error::new(ErrorKind::InvalidOperation, "text").with_source(error))
}

/// `date(seconds)`: the day of a Unix time, as the language writes it.
fn date(texts: &Texts, seconds: u64) -> Result<String, Error> {
    let (year, month, day) = civil(seconds / 86_400);
    let mut given = FluentArgs::new();
    given.set("year", year.to_string());
    given.set("month", month);
    given.set("day", day);
    texts.text("date", &given).map_err(|error| Error::new(ErrorKind::InvalidOperation, "date").with_source(error))
}

/// `asset_url("style.css")`: where a file is served, with a version that follows its content.
fn asset_url(state: &State<'_, '_>, assets: &Assets, path: &str) -> Result<String, Error> {
    let missing = || Error::new(ErrorKind::InvalidOperation, format!("no asset {path}"));
    let asset = assets.find(path).ok_or_else(missing)?;
    let root = state.lookup("frame").unwrap_or_default().get_attr("assets")?;
    Ok(format!("{root}/{}", asset.url(path)))
}

/// Without control characters and without those that turn the direction of writing: a name must not change the meaning of
/// the text around it.
fn plain(text: &str) -> String {
    let turns =
        |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(|&c| !c.is_control() && !turns(c)).collect()
}

/// The letter that stands for a name.
fn initial(name: &str) -> String {
    name.chars().find(|c| c.is_alphanumeric()).map_or_else(|| "•".to_owned(), |c| c.to_uppercase().collect())
}

/// Whether a link leads to a web page, rather than to a script or a program.
fn is_web_url(url: &str) -> bool {
    let starts = |scheme: &str| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    starts("https://") || starts("http://")
}

/// Whether an image comes from this origin or from the page itself.
fn is_image_url(url: &str) -> bool {
    url.starts_with("data:image/") || (url.starts_with('/') && !url.starts_with("//") && !url.starts_with("/\\"))
}

/// Year, month and day of a day since 1970-01-01, in the Gregorian calendar.
fn civil(days: u64) -> (u64, u64, u64) {
    // Days since 0000-03-01, so that the leap day ends a year.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::{civil, is_image_url, is_web_url, plain};

    #[test]
    fn days_have_dates() {
        for (day, date) in [
            (0, (1970, 1, 1)),
            (58, (1970, 2, 28)),
            (59, (1970, 3, 1)),
            (11_016, (2000, 2, 29)),
            (11_017, (2000, 3, 1)),
            (20_454, (2026, 1, 1)),
            (47_541, (2100, 3, 1)),
        ] {
            assert_eq!(civil(day), date);
        }
        let _ = civil(u64::MAX / 86_400);
    }

    #[test]
    fn names_cannot_turn_the_text_around_them() {
        assert_eq!(plain("a\u{202e}b\u{2069}c\u{200f}\n\u{0}d"), "abcd");
        assert_eq!(plain("שלום é 🎉"), "שלום é 🎉");
    }

    #[test]
    fn links_lead_to_web_pages_only() {
        assert!(is_web_url("https://a.example") && is_web_url("HTTP://a.example"));
        for url in ["javascript:alert(1)", "data:text/html,x", "//a.example", "/a", "", "ä", "intent://a", "https:"] {
            assert!(!is_web_url(url), "{url}");
        }
    }

    #[test]
    fn images_come_from_here_only() {
        assert!(is_image_url("/logo/a.png") && is_image_url("data:image/png;base64,AA"));
        for url in ["https://a.example/l.png", "//a.example/l.png", "/\\a.example", "data:text/html,x", ""] {
            assert!(!is_image_url(url), "{url}");
        }
    }
}
