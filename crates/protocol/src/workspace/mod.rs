//! The token desk: workspaces in which users keep tokens, and what each member may do there.

mod item;
mod saved;
mod share;

pub use item::{Content, KeptToken, Use};
pub use saved::{DOTS, Document, Saved};
pub use share::{DERIVED_LIFE, Derivation, derive, may_share, share_terms};

use crate::error::Refusal;
use crate::value::{ItemId, Subject, WorkspaceId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// As many members has a workspace at the most.
pub const MOST_MEMBERS: usize = 100;
/// As many items has a workspace at the most.
pub const MOST_ITEMS: usize = 200;
/// As many workspaces has a user of his own at the most.
pub const MOST_WORKSPACES: usize = 50;
/// A name has as many characters at the most.
pub const LONGEST_NAME: usize = 100;

/// What somebody may do in a workspace. Each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// See what is shared.
    View,
    /// Get tokens that are derived from what is shared.
    Use,
    /// Rename and delete what is shared, put tokens of his own beside it, stop sharing, and send members away. Not: let
    /// anybody in, or share.
    Manage,
    /// Whose workspace it is: one member has it.
    Own,
}

/// Items that belong together, and who may do what with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// Its name for the program.
    pub id: WorkspaceId,
    /// Counted from 1, one more with every change.
    pub version: u64,
    /// Its name for people.
    pub name: String,
    /// Whether what is shared in it is shared: off unless its owner switches it on.
    pub sharing: bool,
    /// Who may do what.
    pub members: BTreeMap<Subject, Right>,
}

/// What lies in a workspace, as the store sees it: nothing of it can be read without the master key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its name.
    pub id: ItemId,
    /// Who put it there.
    pub owner: Subject,
    /// Counted from 1, one more with every change.
    pub version: u64,
    /// What it is.
    pub sealed: Vec<u8>,
}

impl Right {
    /// Every right, the smallest first.
    pub const ALL: [Self; 4] = [Self::View, Self::Use, Self::Manage, Self::Own];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Use => "use",
            Self::Manage => "manage",
            Self::Own => "own",
        }
    }

    /// Reads what [`Self::as_str`] wrote.
    pub fn parse(raw: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|right| right.as_str() == raw)
    }
}

impl Workspace {
    /// A new one, which nobody else sees.
    pub fn new(id: WorkspaceId, owner: Subject, name: String) -> Self {
        Self { id, version: 1, name, sharing: false, members: BTreeMap::from([(owner, Right::Own)]) }
    }

    /// Whose it is.
    pub fn owner(&self) -> Option<&Subject> {
        self.members.iter().find(|(_, right)| **right == Right::Own).map(|(owner, _)| owner)
    }

    /// What somebody may do in it.
    pub fn right_of(&self, who: &Subject) -> Option<Right> {
        self.members.get(who).copied()
    }

    /// Whether somebody may do what needs `right`.
    pub fn admits(&self, who: &Subject, right: Right) -> Result<(), Refusal> {
        match self.right_of(who) {
            None => Err(Refusal::NotOnTheDesk),
            Some(has) if has < right => Err(Refusal::RightMissing),
            Some(_) => Ok(()),
        }
    }

    /// The same after its next change.
    #[must_use]
    pub fn changed(self) -> Self {
        Self { version: self.version.saturating_add(1), ..self }
    }

    /// Lets somebody in, or changes what he may do. Only the owner does that: whoever else could would share on what he
    /// was only lent. Nobody becomes an owner so.
    pub fn admit(mut self, by: &Subject, member: &Subject, right: Right) -> Result<Self, Refusal> {
        self.admits(by, Right::Own)?;
        if right == Right::Own || self.right_of(member) == Some(Right::Own) {
            return Err(Refusal::RightMissing);
        }
        if self.members.len() >= MOST_MEMBERS && !self.members.contains_key(member) {
            return Err(Refusal::DeskIsFull);
        }
        self.members.insert(member.clone(), right);
        Ok(self.changed())
    }

    /// Sends a member away, or lets him go. The owner stays as long as the workspace.
    pub fn dismiss(mut self, by: &Subject, member: &Subject) -> Result<Self, Refusal> {
        self.admits(by, if by == member { Right::View } else { Right::Manage })?;
        match self.right_of(member) {
            None => Err(Refusal::NotOnTheDesk),
            Some(Right::Own) => Err(Refusal::RightMissing),
            Some(_) => {
                self.members.remove(member);
                Ok(self.changed())
            }
        }
    }
}

/// A name for people: not empty, not too long, one line.
pub fn name(raw: &str) -> Option<String> {
    let name = raw.trim();
    let fits = !name.is_empty() && name.chars().count() <= LONGEST_NAME && !name.chars().any(char::is_control);
    fits.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(name: &str) -> Subject {
        Subject::parse(name).unwrap()
    }

    fn workspace() -> Workspace {
        let own = Workspace::new(WorkspaceId::new(1, [1; 10]), who("ann"), "Team".into());
        let rights = [("vi", Right::View), ("uwe", Right::Use), ("mia", Right::Manage)];
        rights.into_iter().fold(own, |space, (name, right)| space.admit(&who("ann"), &who(name), right).unwrap())
    }

    #[test]
    fn each_right_includes_those_before_it() {
        let space = workspace();
        for (name, has) in [("vi", Right::View), ("uwe", Right::Use), ("mia", Right::Manage), ("ann", Right::Own)] {
            for right in Right::ALL {
                assert_eq!(space.admits(&who(name), right).is_ok(), right <= has, "{name} {right:?}");
            }
        }
        assert_eq!(space.admits(&who("eve"), Right::View), Err(Refusal::NotOnTheDesk));
        assert!(!space.sharing, "nothing is shared unless somebody says so");
        assert_eq!(space.owner(), Some(&who("ann")));
    }

    #[test]
    fn only_the_owner_lets_anybody_in() {
        for name in ["vi", "uwe", "mia"] {
            let refused = workspace().admit(&who(name), &who("eve"), Right::View);
            assert_eq!(refused, Err(Refusal::RightMissing), "{name}");
            let raised = workspace().admit(&who(name), &who(name), Right::Manage);
            assert_eq!(raised, Err(Refusal::RightMissing), "{name}");
        }
        assert_eq!(workspace().admit(&who("ann"), &who("mia"), Right::Own), Err(Refusal::RightMissing));
        assert_eq!(workspace().admit(&who("ann"), &who("ann"), Right::View), Err(Refusal::RightMissing));
    }

    #[test]
    fn who_manages_sends_members_away_and_everybody_may_leave() {
        let space = workspace();
        assert_eq!(space.clone().dismiss(&who("uwe"), &who("vi")), Err(Refusal::RightMissing));
        for by in ["mia", "ann", "vi"] {
            let left = space.clone().dismiss(&who(by), &who("vi")).unwrap();
            assert_eq!((left.right_of(&who("vi")), left.version), (None, space.version + 1));
        }
        assert_eq!(space.clone().dismiss(&who("mia"), &who("ann")), Err(Refusal::RightMissing));
        assert_eq!(space.dismiss(&who("ann"), &who("eve")), Err(Refusal::NotOnTheDesk));
    }

    #[test]
    fn a_workspace_has_so_many_members_at_the_most() {
        let ann = who("ann");
        let mut space = workspace();
        for n in space.members.len()..MOST_MEMBERS {
            space = space.admit(&ann, &who(&format!("m{n}")), Right::View).unwrap();
        }
        assert_eq!(space.clone().admit(&ann, &who("one-more"), Right::View), Err(Refusal::DeskIsFull));
        assert!(space.admit(&ann, &who("vi"), Right::Use).is_ok(), "one who is in can be given another right");
    }

    #[test]
    fn a_name_is_one_short_line() {
        assert_eq!(name("  Notes, Würzburg "), Some("Notes, Würzburg".to_owned()));
        for bad in ["", "  ", "a\nb", "a\u{7}b", &"x".repeat(LONGEST_NAME + 1)] {
            assert_eq!(name(bad), None, "{bad:?}");
        }
    }
}
