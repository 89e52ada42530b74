//! Saved requests and environments on the token desk: what there is, and one of them with all that can be written in it.
//!
//! What is written is text here, as it stands in the fields: a form that was refused comes back as it was sent. A secret is
//! never among it.

use serde::Serialize;

use super::desk::{DeskNotice, DeskSpace};
use super::{Account, Hidden, page};

/// Whose page it is, and what its links and forms need.
#[derive(Debug, Clone, Serialize)]
pub struct SavedFrame {
    /// Whose desk it is.
    pub user: Account,
    /// Anti-forgery token.
    pub csrf: Hidden,
    /// Path of the desk.
    pub base: String,
    /// The workspace that is open.
    pub workspace: String,
    /// What became of what was asked for.
    pub notice: Option<DeskNotice>,
    /// Whether anything may be shared at all.
    pub sharing_allowed: bool,
    /// Link to the sign-out page.
    pub sign_out: String,
}

/// The collections and environments of a workspace.
#[derive(Debug, Clone, Serialize)]
pub struct DeskRequests {
    /// Whose page it is.
    pub desk: SavedFrame,
    /// His workspaces.
    pub spaces: Vec<DeskSpace>,
    /// Whether one is open.
    pub open: bool,
    /// Whether the user may put something into it.
    pub manages: bool,
    /// Its collections.
    pub collections: Vec<SavedItem>,
    /// Its environments.
    pub environments: Vec<SavedItem>,
}

/// A collection or an environment, and what the user may do with it as a whole.
#[derive(Debug, Clone, Serialize)]
pub struct SavedItem {
    /// What names it in links and forms.
    pub id: String,
    /// Counted with each change.
    pub version: u64,
    /// What people call it.
    pub name: String,
    /// Whether the user put it there.
    pub own: bool,
    /// Whether the user may delete it, or stop sharing it.
    pub managed: bool,
    /// Whether its switch is on.
    pub shared: bool,
    /// Whether the other members see it.
    pub seen: bool,
}

/// A collection, with what is in one place of it.
#[derive(Debug, Clone, Serialize)]
pub struct DeskCollection {
    /// Whose page it is.
    pub desk: SavedFrame,
    /// Which it is.
    pub item: SavedItem,
    /// What is in it.
    pub tree: Vec<TreeNode>,
    /// The place that is open; empty for the collection itself.
    pub at: String,
    /// What can be written there.
    pub form: PlaceForm,
    /// Why it was not kept.
    pub fault: Option<SavedFault>,
    /// What the settings in force there are called, and where they are from; none when there are none.
    pub in_force: Option<String>,
    /// The environments of his own, which can be used.
    pub environments: Vec<DeskSpace>,
    /// The tokens of the desk that can be sent.
    pub tokens: Vec<DeskSpace>,
    /// What clients must register for the desk.
    pub redirect_uri: String,
    /// Every grant type.
    pub grant_types: Vec<&'static str>,
    /// Every way of client authentication.
    pub authentication_methods: Vec<&'static str>,
}

/// What is in a collection.
#[derive(Debug, Clone, Serialize)]
pub struct TreeNode {
    /// Its place.
    pub at: String,
    /// What people call it.
    pub name: String,
    /// The method of a request; none for a folder.
    pub method: Option<String>,
    /// Whether it is open.
    pub current: bool,
    /// What is in it.
    pub children: Vec<TreeNode>,
}

/// What can be written in a place.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum PlaceForm {
    /// The collection itself.
    Collection {
        /// What it says of itself.
        about: AboutForm,
        /// The variables that it brings.
        variables: VariablesForm,
    },
    /// A folder.
    Folder {
        /// What it says of itself.
        about: AboutForm,
    },
    /// A request.
    Request {
        /// What it says of itself.
        about: AboutForm,
        /// What is sent.
        request: RequestForm,
    },
}

/// What everything has in common.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AboutForm {
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// How it gets its token: `inherited`, `none` or `settings`.
    pub token: String,
    /// With which settings.
    pub settings: SettingsForm,
}

/// Token settings, each field as it is called in their JSON.
#[derive(Debug, Clone, Default, Serialize)]
#[expect(missing_docs, reason = "they are the fields of TokenSettings")]
pub struct SettingsForm {
    pub name: String,
    pub grant_type: String,
    pub issuer: String,
    pub authorization: String,
    pub token: String,
    pub device_authorization: String,
    pub client_id: String,
    /// The variable that holds it.
    pub client_secret: String,
    pub client_authentication: String,
    pub redirect_uri: String,
    pub scope: String,
    /// One a line.
    pub resource: String,
    pub audience: String,
    pub state: String,
    pub use_token: String,
    pub header_prefix: String,
    pub parameters: Vec<ParameterRow>,
}

/// An extra parameter.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ParameterRow {
    /// `authorization`, `token` or `refresh`.
    pub request: String,
    /// What it is called.
    pub name: String,
    /// Its value.
    pub value: String,
    /// `query`, `body` or `header`.
    pub place: String,
}

/// What a request sends.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RequestForm {
    /// What is done.
    pub method: String,
    /// To what.
    pub url: String,
    /// Its headers.
    pub headers: Vec<PlainRow>,
    /// `empty`, `text` or `form`.
    pub body: String,
    /// The body that is a text.
    pub text: String,
    /// The body that is a form.
    pub fields: Vec<PlainRow>,
}

/// A name with a value.
#[derive(Debug, Clone, Default, Serialize)]
pub struct PlainRow {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// Variables; those that are secret apart.
#[derive(Debug, Clone, Default, Serialize)]
pub struct VariablesForm {
    /// For everybody to see who sees the document.
    pub plain: Vec<PlainRow>,
    /// Written and used, never shown.
    pub secret: Vec<SecretRow>,
}

/// A secret variable. Its value is not among what a page can show.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SecretRow {
    /// Its name.
    pub name: String,
    /// The name under which its value lies; empty for a new one.
    pub was: String,
    /// Whether it has a value.
    pub is_set: bool,
}

/// An environment.
#[derive(Debug, Clone, Serialize)]
pub struct DeskEnvironment {
    /// Whose page it is.
    pub desk: SavedFrame,
    /// Which it is.
    pub item: SavedItem,
    /// What it is called, as it stands in the field.
    pub name: String,
    /// Its variables.
    pub variables: VariablesForm,
    /// Why it was not kept.
    pub fault: Option<SavedFault>,
}

/// Why what was written was not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SavedFault {
    /// A name is missing, or is none.
    Name,
    /// A method is none.
    Method,
    /// A line is too long, or is more than one.
    Line,
    /// A header is none.
    Header,
    /// A variable's name is none, or is there twice.
    Variable,
    /// The server of the settings is missing, or there are two.
    Server,
    /// An extra parameter is none, or goes where none goes.
    Parameter,
    /// The client secret's variable is one that everybody sees.
    PlainSecret,
    /// It is too long, or too much.
    TooMuch,
    /// Somebody else has changed it meanwhile.
    Changed,
}

impl SavedFault {
    /// Every one.
    pub const ALL: [Self; 10] = [
        Self::Name,
        Self::Method,
        Self::Line,
        Self::Header,
        Self::Variable,
        Self::Server,
        Self::Parameter,
        Self::PlainSecret,
        Self::TooMuch,
        Self::Changed,
    ];
}

/// A document on its way into or out of the desk, with what the other format does not say.
#[derive(Debug, Clone, Serialize)]
pub struct DeskExport {
    /// Whose page it is.
    pub desk: SavedFrame,
    /// What people call the document.
    pub name: String,
    /// What was left out, or is not as it was.
    pub notes: Vec<String>,
    /// The text that is written; none for a document that was read.
    pub text: Option<String>,
    /// Where the text can be had as a file, or the document that was read.
    pub link: String,
}

page!(DeskRequests, "desk-requests.html");
page!(DeskCollection, "desk-collection.html");
page!(DeskEnvironment, "desk-environment.html");
page!(DeskExport, "desk-export.html");
