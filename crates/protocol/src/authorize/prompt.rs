//! `prompt` and `display` (OpenID Connect Core 3.1.2.1).

use crate::error::Refusal;

/// What the user must be bothered with, whatever is remembered of him.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prompt {
    /// Nothing may be shown.
    pub none: bool,
    /// Sign in again.
    pub login: bool,
    /// Ask again.
    pub consent: bool,
    /// Let him choose an account.
    pub select_account: bool,
}

/// How pages are to be shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Display {
    /// A full page.
    #[default]
    Page,
    /// A small window.
    Popup,
    /// A device with a touch screen.
    Touch,
    /// A feature phone.
    Wap,
}

impl Prompt {
    /// The values that are understood, for the metadata. The one list.
    pub const ALL: [&str; 4] = ["none", "login", "consent", "select_account"];

    /// A space-separated list. `none` stands alone.
    pub fn parse(raw: &str) -> Result<Self, Refusal> {
        let mut prompt = Self::default();
        for value in raw.split(' ').filter(|value| !value.is_empty()) {
            match value {
                "none" => prompt.none = true,
                "login" => prompt.login = true,
                "consent" => prompt.consent = true,
                "select_account" => prompt.select_account = true,
                _ => return Err(Refusal::MalformedParameter("prompt")),
            }
        }
        if prompt.none && (prompt.login || prompt.consent || prompt.select_account) {
            return Err(Refusal::PromptNoneWithOthers);
        }
        Ok(prompt)
    }
}

impl Display {
    /// Every display with its name, for the metadata. The one list.
    pub const ALL: [(Self, &str); 4] =
        [(Self::Page, "page"), (Self::Popup, "popup"), (Self::Touch, "touch"), (Self::Wap, "wap")];

    /// The display of this name; an unknown one is a page.
    pub fn parse(raw: &str) -> Self {
        Self::ALL.into_iter().find(|(_, name)| *name == raw).map_or(Self::Page, |(display, _)| display)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oidc_core_3_1_2_1_prompt_none_stands_alone() {
        assert_eq!(Prompt::parse("none login"), Err(Refusal::PromptNoneWithOthers));
        assert!(Prompt::parse("none").unwrap().none);
        let both = Prompt::parse("login consent").unwrap();
        assert!(both.login && both.consent && !both.select_account);
        assert_eq!(Prompt::parse("dance"), Err(Refusal::MalformedParameter("prompt")));
    }
}
