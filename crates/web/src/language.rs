//! The languages that pages speak, and how one is chosen.

/// A language of the pages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// The one that is used when no other was asked for.
    #[default]
    English,
    /// German.
    German,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// The BCP 47 tag, as in `<html lang>`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// Chooses by `ui_locales` (OpenID Connect Core 3.1.2.1: a list by preference), then by `Accept-Language` (RFC 9110
    /// 12.5.4). Regions do not matter: `de-AT` is German.
    pub fn negotiate(ui_locales: Option<&str>, accept_language: Option<&str>) -> Self {
        ui_locales
            .and_then(|tags| tags.split_ascii_whitespace().find_map(Self::of_tag))
            .or_else(|| accept_language.and_then(Self::accepted))
            .unwrap_or_default()
    }

    /// The language of a tag.
    fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next()?;
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// The language with the highest weight; the first of equals.
    fn accepted(header: &str) -> Option<Self> {
        let mut best: Option<(u16, Self)> = None;
        for range in header.split(',') {
            let Some((language, weight)) = Self::weighted(range) else { continue };
            if best.is_none_or(|(highest, _)| weight > highest) {
                best = Some((weight, language));
            }
        }
        best.map(|(_, language)| language)
    }

    /// One language range with its weight, unless that is zero or no number.
    fn weighted(range: &str) -> Option<(Self, u16)> {
        let mut parts = range.split(';').map(str::trim);
        let tag = parts.next()?;
        let language = if tag == "*" { Self::default() } else { Self::of_tag(tag)? };
        let weight = match parts.next() {
            None => 1000,
            Some(parameter) => thousandths(parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="))?)?,
        };
        (weight > 0).then_some((language, weight))
    }
}

/// A `qvalue` (RFC 9110 12.4.2) in thousandths.
fn thousandths(qvalue: &str) -> Option<u16> {
    let (whole, fraction) = qvalue.split_once('.').unwrap_or((qvalue, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction: u16 = format!("{fraction:0<3}").parse().ok()?;
    match (whole, fraction) {
        ("0", _) => Some(fraction),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Language::{self, English, German};
    use proptest::prelude::*;

    #[test]
    fn ui_locales_come_before_the_browser() {
        assert_eq!(Language::negotiate(Some("fr de-CH en"), Some("en")), German);
        assert_eq!(Language::negotiate(Some("fr"), Some("de")), German);
        assert_eq!(Language::negotiate(None, None), English);
    }

    #[test]
    fn rfc9110_12_5_4_the_highest_weight_wins() {
        for (header, language) in [
            ("de", German),
            ("DE-at", German),
            ("en;q=0.4, de;q=0.5", German),
            ("en, de", English),
            ("de;q=0, en;q=0.1", English),
            ("de;q=0", English),
            ("fr, *;q=0.5, de;q=0.6", German),
            ("fr, *;q=0.5", English),
            ("de;q=1.001", English),
            ("de;q=0.", English),
            ("deutsch", English),
            ("", English),
        ] {
            assert_eq!(Language::negotiate(None, Some(header)), language, "{header}");
        }
    }

    proptest! {
        #[test]
        fn any_input_gives_a_language(locales in any::<Option<String>>(), header in any::<Option<String>>()) {
            let _ = Language::negotiate(locales.as_deref(), header.as_deref());
        }

        #[test]
        fn the_order_of_ranges_does_not_matter(german in 1u16..1000, english in 1u16..1000) {
            prop_assume!(german != english);
            let (de, en) = (format!("de;q=0.{german:03}"), format!("en;q=0.{english:03}"));
            let expected = if german > english { German } else { English };
            prop_assert_eq!(Language::negotiate(None, Some(&format!("{de},{en}"))), expected);
            prop_assert_eq!(Language::negotiate(None, Some(&format!("{en} , {de}"))), expected);
        }
    }
}
