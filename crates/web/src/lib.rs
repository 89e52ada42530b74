//! The pages that people see: typed models, templates, styles and texts.
//!
//! A page is a struct that says what there is to show; its template says how; [`Pages`] joins the two in a
//! [`Language`]. Every page that users meet works without JavaScript and under a content
//! security policy of `default-src 'none'; style-src 'self'; img-src 'self' data:` with a `form-action` that fits the page.
//! Only [`FormPost`] gains from `script-src 'self'`, and it works without. The playground's pages are made of scripts: what
//! they do happens in the browser, which needs `connect-src 'self'` too.
//!
//! This crate knows neither storage nor rules, and no clock: times come in as Unix seconds.

mod asset;
mod escape;
mod functions;
mod language;
mod overrides;
mod page;
mod render;
mod text;

pub use asset::Asset;
pub use language::Language;
pub use overrides::ReadError;
pub use page::applications::{AllowedApi, AllowedScope, App, Applications};
pub use page::consent::{Consent, ConsentDetail, ConsentGroup, ConsentScope, Lifetime};
pub use page::desk::{Desk, DeskLife, DeskMember, DeskNotice, DeskSecret, DeskSpace, DeskToken, DeskUse, OpenSpace};
pub use page::desk_saved::{
    AboutForm, DeskCollection, DeskEnvironment, DeskExport, DeskRequests, ParameterRow, PlaceForm, PlainRow,
    RequestForm, SavedFault, SavedFrame, SavedItem, SecretRow, SettingsForm, TreeNode, VariablesForm,
};
pub use page::desk_send::{DeskLeave, DeskSent, SentAgain, SentAnswer, SentProblem, SentRequest};
pub use page::device::{Device, DeviceDone, DeviceError};
pub use page::error::{ErrorKind, ErrorPage};
pub use page::form_post::FormPost;
pub use page::frame::{Display, Frame};
pub use page::home::Home;
pub use page::playground::{Playground, PlaygroundCallback, PlaygroundDemo, PlaygroundRelay, TokenInspector};
pub use page::select_account::SelectAccount;
pub use page::setup::{SetupAdministrator, SetupDone, SetupError};
pub use page::sign_in::{SignIn, SignInError};
pub use page::sign_out::{SignOut, SignedOut};
pub use page::{Account, Application, Hidden, Page};
pub use render::{LoadError, Pages, RenderError};
pub use text::TextError;
