//! Patterns for claims: `*` stands for any number of characters but `/` and `:`, `**` for any at all. There is nothing
//! else to them, and no way to mean a star.

/// Whether the pattern fits the whole text. Takes no longer than the length of the one times that of the other, whatever
/// they say: all ways through the pattern are walked at once.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let steps = steps(pattern);
    // For each step, and for the end, whether what was read so far can lead there.
    let mut reached = advance(&steps, None, &[]);
    for byte in text.bytes() {
        reached = advance(&steps, Some(byte), &reached);
    }
    reached.last().is_some_and(|end| *end)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    One(u8),
    Segment,
    Anything,
}

fn steps(pattern: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for byte in pattern.bytes() {
        match (byte, steps.last_mut()) {
            (b'*', Some(last @ (Step::Segment | Step::Anything))) => *last = Step::Anything,
            (b'*', _) => steps.push(Step::Segment),
            (byte, _) => steps.push(Step::One(byte)),
        }
    }
    steps
}

/// Where the pattern stands after one more byte; before the first when there is none.
fn advance(steps: &[Step], byte: Option<u8>, before: &[bool]) -> Vec<bool> {
    let mut after = Vec::with_capacity(steps.len() + 1);
    let mut arrives = byte.is_none();
    let mut before = before.iter().copied();
    for step in steps {
        let was = before.next().unwrap_or(false);
        let here = arrives || (was && byte.is_some_and(|byte| step.stays(byte)));
        after.push(here);
        arrives = (was && byte.is_some_and(|byte| *step == Step::One(byte))) || (here && step.may_be_empty());
    }
    after.push(arrives);
    after
}

impl Step {
    fn stays(self, byte: u8) -> bool {
        match self {
            Self::One(_) => false,
            Self::Segment => byte != b'/' && byte != b':',
            Self::Anything => true,
        }
    }

    fn may_be_empty(self) -> bool {
        !matches!(self, Self::One(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// By the book, and slow.
    fn naive(pattern: &str, text: &str) -> bool {
        let rest = |text: &str| text.chars().next().map(|first| text[first.len_utf8()..].to_owned());
        if let Some(after) = pattern.strip_prefix("**") {
            let after = after.trim_start_matches('*');
            return naive(after, text) || rest(text).is_some_and(|rest| naive(pattern, &rest));
        }
        if let Some(after) = pattern.strip_prefix('*') {
            return naive(after, text)
                || (!text.starts_with(['/', ':']) && rest(text).is_some_and(|rest| naive(pattern, &rest)));
        }
        match pattern.chars().next() {
            None => text.is_empty(),
            Some(first) => text.strip_prefix(first).is_some_and(|text| naive(&pattern[first.len_utf8()..], text)),
        }
    }

    #[test]
    fn a_star_stays_within_a_segment_and_two_go_anywhere() {
        for (pattern, text) in [
            ("repo:octo-org/octo-repo:ref:refs/heads/*", "repo:octo-org/octo-repo:ref:refs/heads/main"),
            ("repo:octo-org/*:environment:prod", "repo:octo-org/octo-repo:environment:prod"),
            ("refs/heads/**", "refs/heads/release/1"),
            ("refs/heads/*/*", "refs/heads/release/1"),
            ("**", ""),
            ("*", ""),
            ("*", "main"),
            ("***", "a/b"),
            ("a*b*c", "a-b-b-c"),
            ("**:ref:*", "repo:a/b:ref:c"),
            ("é*", "éa"),
            ("", ""),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("refs/heads/*", "refs/heads/release/1"),
            ("refs/heads/*", "refs/heads"),
            ("repo:octo-org/*:environment:prod", "repo:octo-org/x:environment:dev:environment:prod"),
            ("repo:octo-org/*", "repo:octo-org/x:ref:refs/heads/main"),
            ("repo:octo-org/*", "repo:octo-org-evil/x"),
            ("main", "main2"),
            ("main", "Main"),
            ("", "a"),
            ("*", "a/b"),
            ("*", "a:b"),
            ("?", "a"),
            ("a.c", "abc"),
        ] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn no_pattern_takes_long() {
        let (pattern, text) = (format!("{}b", "a*".repeat(100)), "a".repeat(5_000));
        assert!(!fits(&pattern, &text));
        assert!(!fits(&format!("{}b", "**a".repeat(100)), &text));
    }

    proptest! {
        #[test]
        fn agrees_with_the_naive_matcher(pattern in "[ab/:é*]{0,8}", text in "[ab/:é]{0,8}") {
            prop_assert_eq!(fits(&pattern, &text), naive(&pattern, &text));
        }

        #[test]
        fn a_text_fits_itself_and_any_of_its_characters_replaced(text in "[a-z/:]{1,12}", at in 0_usize..12) {
            prop_assert!(fits(&text, &text));
            let at = at.min(text.len() - 1);
            let mut pattern = text.clone();
            pattern.replace_range(at..=at, "**");
            prop_assert!(fits(&pattern, &text));
            pattern = text.clone();
            pattern.replace_range(at..=at, "*");
            prop_assert_eq!(fits(&pattern, &text), !matches!(text.as_bytes()[at], b'/' | b':'));
        }
    }
}
