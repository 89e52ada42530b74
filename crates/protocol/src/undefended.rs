//! A build that can do without single defences, so that the playground's attacks can be seen to succeed where a defence
//! is missing (docs/adr/0020-undefended-build.md). Without the feature `undefended` nothing of this exists but
//! [`defended!`](crate::defended), which then is its rule and nothing else.

#[cfg(all(feature = "undefended", not(debug_assertions)))]
compile_error!("a build without defences is for tests: it is never optimised, and never released");

#[cfg(feature = "undefended")]
pub use removed::{ALL, is_removed, remove};

/// A rule that an attack of the playground runs into: `defended!("pkce", rule, instead)` is `rule`. With the feature
/// `undefended` it is `instead` once the defence of that name was removed; without the feature `instead` is not compiled.
#[cfg(not(feature = "undefended"))]
#[macro_export]
macro_rules! defended {
    ($name:literal, $rule:expr, $instead:expr) => {
        $rule
    };
}

/// A rule that an attack of the playground runs into, or what takes its place where the defence of that name was removed.
#[cfg(feature = "undefended")]
#[macro_export]
macro_rules! defended {
    ($name:literal, $rule:expr, $instead:expr) => {
        if $crate::undefended::is_removed($name) { $instead } else { $rule }
    };
}

#[cfg(feature = "undefended")]
mod removed {
    use std::sync::OnceLock;

    /// The defences that can be removed.
    pub const ALL: [&str; 8] =
        ["code-replay", "pkce", "redirect-uri", "iss", "dpop", "token-type", "refresh-scope", "refresh-reuse"];

    static REMOVED: OnceLock<Vec<&'static str>> = OnceLock::new();

    /// Removes the defences that are named, with commas between them, once and for all of this process; gives them.
    ///
    /// # Errors
    ///
    /// The name of a defence that does not exist.
    pub fn remove(names: &str) -> Result<&'static [&'static str], String> {
        let names = names.split(',').filter(|name| !name.is_empty());
        let known = names.map(|name| ALL.into_iter().find(|one| *one == name).ok_or_else(|| name.to_owned()));
        let removed = known.collect::<Result<_, _>>()?;
        Ok(REMOVED.get_or_init(|| removed))
    }

    /// Whether a defence was removed.
    pub fn is_removed(name: &str) -> bool {
        debug_assert!(ALL.contains(&name), "{name} is no defence");
        REMOVED.get().is_some_and(|removed| removed.contains(&name))
    }
}
