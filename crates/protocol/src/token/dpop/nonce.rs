//! Nonces for proofs (RFC 9449 8, 9): nothing is stored, since a nonce need not be single, only recent (11.1).

use super::CLOCK_DIFFERENCE;
use crate::token::handle::HandleKeys;
use crate::value::{Seconds, UnixTime};
use grantor_jose::base64url;

/// How long a nonce is accepted after it was made.
pub const NONCE_LIFE: Seconds = Seconds::new(300);

/// The keys that nonces are made and recognised with.
#[derive(Clone, Copy, Debug)]
pub struct Nonces<'a>(pub &'a HandleKeys);

impl Nonces<'_> {
    /// A nonce that every node with these keys accepts: the time under a MAC (RFC 9449 8, 11.1), which nobody else can
    /// foretell. None when there is no key at all.
    pub fn fresh(&self, now: UnixTime) -> Option<String> {
        let time = now.get().to_be_bytes();
        let tag = self.0.tag(PURPOSE, &[&time])?;
        Some(format!("{}{tag}", base64url::encode(time)))
    }

    /// Whether a nonce was made with these keys and not long ago.
    pub(super) fn accept(self, nonce: &str, now: UnixTime) -> bool {
        let Some((time, tag)) = nonce.split_at_checked(TIME_LEN) else { return false };
        let Some(time) = base64url::decode(time).and_then(|time| <[u8; 8]>::try_from(time).ok()) else { return false };
        let made = UnixTime::new(i64::from_be_bytes(time));
        let recent = now.minus(NONCE_LIFE) <= made && made <= now.plus(CLOCK_DIFFERENCE);
        recent && self.0.tag_matches(PURPOSE, &[&time], tag)
    }
}

const PURPOSE: &str = "dpop nonce";

/// Eight bytes in base64url.
const TIME_LEN: usize = 11;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::handle::HandleKey;
    use crate::value::Issuer;
    use proptest::prelude::*;

    fn keys(secrets: &[u8]) -> HandleKeys {
        let keys = secrets.iter().map(|byte| HandleKey::new(&[*byte; 32])).collect();
        HandleKeys::new(&Issuer::parse("https://id.example").unwrap(), keys)
    }

    const NOW: UnixTime = UnixTime::new(1_562_262_616);

    #[test]
    fn rfc9449_8_a_nonce_is_accepted_by_every_node_with_its_key() {
        let nonce = Nonces(&keys(&[1])).fresh(NOW).unwrap();
        assert!(Nonces(&keys(&[1])).accept(&nonce, NOW));
        assert!(Nonces(&keys(&[2, 1])).accept(&nonce, NOW));
        assert!(!Nonces(&keys(&[2])).accept(&nonce, NOW));
        assert_eq!(Nonces(&keys(&[])).fresh(NOW), None);
        assert!(!Nonces(&keys(&[])).accept(&nonce, NOW));
    }

    #[test]
    fn rfc9449_8_a_nonce_is_recent() {
        let keys = keys(&[1]);
        let nonce = Nonces(&keys).fresh(NOW).unwrap();
        let at = |seconds| Nonces(&keys).accept(&nonce, UnixTime::new(NOW.get() + seconds));
        assert!(at(300) && !at(301));
        assert!(at(-10) && !at(-11));
    }

    #[test]
    fn rfc9449_8_1_a_nonce_is_of_the_allowed_characters() {
        let nonce = Nonces(&keys(&[1])).fresh(NOW).unwrap();
        assert!(nonce.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{nonce}");
        assert_eq!(nonce.len(), 54);
    }

    #[test]
    fn rfc9449_8_the_tag_of_another_purpose_is_no_nonce() {
        let keys = keys(&[1]);
        let time = NOW.get().to_be_bytes();
        let tag = keys.tag("csrf", &[&time]).unwrap();
        assert!(!Nonces(&keys).accept(&format!("{}{tag}", base64url::encode(time)), NOW));
    }

    proptest! {
        #[test]
        fn a_changed_nonce_is_not_accepted(at in 0_usize..54, letter in "[A-Za-z0-9_-]") {
            let keys = keys(&[1]);
            let good = Nonces(&keys).fresh(NOW).unwrap();
            let mut changed = good.clone();
            changed.replace_range(at..=at, &letter);
            prop_assume!(changed != good);
            prop_assert!(!Nonces(&keys).accept(&changed, NOW));
        }

        #[test]
        fn arbitrary_text_is_no_nonce(text in "\\PC{0,80}") {
            prop_assert!(!Nonces(&keys(&[1])).accept(&text, NOW));
        }
    }
}
