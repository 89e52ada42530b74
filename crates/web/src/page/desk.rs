//! The token desk: workspaces, the tokens in them, and who else may use those.

use serde::Serialize;

use super::{Account, Hidden, page};

/// The workspaces of a user, and what lies in one of them. Everything that changes something posts `do`, `workspace` and
/// `csrf` to `action`.
#[derive(Debug, Clone, Serialize)]
pub struct Desk {
    /// Whose desk it is.
    pub user: Account,
    /// His workspaces.
    pub spaces: Vec<DeskSpace>,
    /// The one that is open.
    pub open: Option<OpenSpace>,
    /// What became of what was asked for.
    pub notice: Option<DeskNotice>,
    /// Whether anything may be shared at all.
    pub sharing_allowed: bool,
    /// Anti-forgery token.
    pub csrf: Hidden,
    /// Path of the page.
    pub base: String,
    /// What people may be given to do, the smallest first.
    pub rights: Vec<&'static str>,
    /// Link to what is saved beside the tokens.
    pub requests: String,
    /// Link to the tenant's home page.
    pub home: String,
    /// Link to the sign-out page.
    pub sign_out: String,
}

/// A workspace to choose.
#[derive(Debug, Clone, Serialize)]
pub struct DeskSpace {
    /// What names it in links and forms.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Whether it is open.
    pub current: bool,
}

/// The workspace that is open.
#[derive(Debug, Clone, Serialize)]
pub struct OpenSpace {
    /// What names it in forms.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Whether the user may put something into it, and do with it what managing means.
    pub manages: bool,
    /// Whether it is his.
    pub owns: bool,
    /// Whether its switch is on.
    pub sharing: bool,
    /// Who is in it.
    pub members: Vec<DeskMember>,
    /// What lies in it, as far as the user sees it.
    pub tokens: Vec<DeskToken>,
}

/// A member.
#[derive(Debug, Clone, Serialize)]
pub struct DeskMember {
    /// What names him in forms.
    pub id: String,
    /// What he is called.
    pub username: String,
    /// `view`, `use`, `manage` or `own`.
    pub right: &'static str,
    /// Whether the user may send him away.
    pub dismissible: bool,
}

/// A token.
#[derive(Debug, Clone, Serialize)]
pub struct DeskToken {
    /// What names it in forms.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Who issued it.
    pub issuer: String,
    /// To which client.
    pub client: String,
    /// Whom it speaks for.
    pub user: String,
    /// For what.
    pub scopes: Vec<String>,
    /// For how many seconds it is good altogether, and from now on; none when nobody knows.
    pub life: Option<DeskLife>,
    /// Whether the user put it there.
    pub own: bool,
    /// Whether the user may rename and delete it.
    pub managed: bool,
    /// Whether its switch is on.
    pub shared: bool,
    /// Whether the user can have a token of his own that is derived from it.
    pub usable: bool,
    /// Whether it can be renewed here.
    pub renewable: bool,
    /// Who used it, the youngest first.
    pub uses: Vec<DeskUse>,
}

/// How long a token lives, in seconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct DeskLife {
    /// Altogether.
    pub whole: u64,
    /// From now on; 0 when it is over.
    pub left: u64,
}

/// One use of a shared token.
#[derive(Debug, Clone, Serialize)]
pub struct DeskUse {
    /// Who.
    pub by: String,
    /// When, in Unix seconds.
    pub at: u64,
    /// For which scopes.
    pub scope: String,
}

/// What became of what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeskNotice {
    /// It was done.
    Done,
    /// The token was taken back at its server.
    Revoked,
    /// It needs a larger right.
    RightMissing,
    /// Sharing is off.
    SharingOff,
    /// This token cannot be shared.
    NotShareable,
    /// This token cannot be renewed here.
    NotRenewable,
    /// There is no room.
    Full,
    /// There is no such thing, or no such person.
    Unknown,
    /// Somebody else has changed it meanwhile.
    Changed,
    /// What was to be imported is nothing that is read here.
    Unreadable,
    /// It was refused for another reason.
    Refused,
}

impl DeskNotice {
    /// Every notice.
    pub const ALL: [Self; 11] = [
        Self::Done,
        Self::Revoked,
        Self::RightMissing,
        Self::SharingOff,
        Self::NotShareable,
        Self::NotRenewable,
        Self::Full,
        Self::Unknown,
        Self::Changed,
        Self::Unreadable,
        Self::Refused,
    ];

    /// As it stands in a link.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Revoked => "revoked",
            Self::RightMissing => "right-missing",
            Self::SharingOff => "sharing-off",
            Self::NotShareable => "not-shareable",
            Self::NotRenewable => "not-renewable",
            Self::Full => "full",
            Self::Unknown => "unknown",
            Self::Changed => "changed",
            Self::Unreadable => "unreadable",
            Self::Refused => "refused",
        }
    }

    /// Reads what [`Self::as_str`] wrote.
    pub fn parse(raw: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|notice| notice.as_str() == raw)
    }
}

/// One token, shown because its owner asked for it.
#[derive(Debug, Clone, Serialize)]
pub struct DeskSecret {
    /// What people call it.
    pub name: String,
    /// The access token.
    pub access_token: Hidden,
    /// The refresh token.
    pub refresh_token: Option<Hidden>,
    /// The ID token.
    pub id_token: Option<Hidden>,
    /// Link back.
    pub back: String,
}

page!(Desk, "desk.html");
page!(DeskSecret, "desk-token.html");
