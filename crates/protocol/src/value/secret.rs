//! What must not be seen: client secrets, passwords, tokens on their way in.

use grantor_jose::constant_time_eq;
use serde::Deserialize;
use zeroize::Zeroizing;

/// A text that is never printed, compared in constant time, and wiped when dropped.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text in.
    pub fn new(raw: String) -> Self {
        Self(Zeroizing::new(raw))
    }

    /// The text, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Constant-time comparison.
    pub fn matches(&self, other: &Self) -> bool {
        constant_time_eq(self.0.as_bytes(), other.0.as_bytes())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let secret = Secret::new("hunter2".to_owned());
        assert_eq!(format!("{secret:?}"), "Secret");
        assert!(secret.matches(&Secret::new("hunter2".to_owned())));
        assert!(!secret.matches(&Secret::new("hunter3".to_owned())));
    }
}
