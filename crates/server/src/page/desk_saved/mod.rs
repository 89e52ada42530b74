//! Saved requests and environments on the token desk: looking at them, writing them, sharing them, and both ways of a file.
//! docs/desk.md says what each right allows; who did not write a document sees it only while it is shared, and its secrets
//! never.

mod file;
mod place;
mod rows;
mod settings;
mod show;
mod variables;

pub(crate) use show::{collection, environment, requests};

use super::desk::{is_open, notice_of, own_space};
use super::{Shown, either, go, home, known, own_form};
use crate::browser::Browser;
use crate::desk::Seat;
use crate::extract::Call;
use axum::response::Response;
use grantor_protocol::Refusal;
use grantor_protocol::desk::{At, Collection, Environment, Folder, Invalid, Item, Name, Step, Token, Unchanged};
use grantor_protocol::directory::User;
use grantor_protocol::params::Params;
use grantor_protocol::value::{ItemId, WorkspaceId};
use grantor_protocol::workspace::{Document, Right, Workspace};
use grantor_web::{DeskNotice, SavedFault};

/// What there is in a workspace.
pub(crate) const REQUESTS: &str = "/desk/requests";
/// A collection.
pub(crate) const COLLECTION: &str = "/desk/collection";
/// An environment.
pub(crate) const ENVIRONMENT: &str = "/desk/environment";
/// One of them as a file.
pub(crate) const EXPORT: &str = "/desk/export";
/// What changes something.
pub(crate) const SAVE: &str = "/desk/save";

/// Why a document is not changed.
enum Trouble {
    /// What was written in the form is not possible.
    Fault(SavedFault),
    /// It may not be.
    Refusal(Refusal),
}

/// Where a browser goes after a change, or what it is shown.
enum Done {
    /// To this page, which says that it was done.
    At(String),
    /// This.
    Page(Response),
}

/// Whose desk it is, and where he sits.
struct Place<'a> {
    call: &'a Call,
    browser: &'a Browser,
    seat: Seat<'a>,
    here: Workspace,
}

/// `GET /desk/export`: a document in another format; with `download`, as a file.
pub(crate) async fn export(call: Call) -> Response {
    if !is_open(&call) {
        return home::not_found(call).await;
    }
    either(file::export(&call).await)
}

/// `POST /desk/save`: what the form says.
pub(crate) async fn save(call: Call) -> Response {
    if !is_open(&call) {
        return home::not_found(call).await;
    }
    either(saved(&call).await)
}

async fn saved(call: &Call) -> Shown {
    let (browser, form) = own_form(call).await?;
    let Some(user) = browser.user() else { return Ok(go(call, Some(&browser), "/signin")) };
    let refusal = match carry_out(call, &browser, user, &form).await {
        Ok(Done::At(path)) => return Ok(go(call, Some(&browser), &format!("{path}&notice=done"))),
        Ok(Done::Page(page)) => return Ok(page),
        Err(refusal @ (Refusal::Busy | Refusal::Broken)) => return known(call, Some(&browser), Err(refusal)),
        Err(refusal) => refusal,
    };
    tracing::info!(request_id = %call.meta.request_id, reason = %refusal, "refused at the desk");
    let notice = match refusal {
        Refusal::MalformedParameter("document") => DeskNotice::Unreadable,
        refusal => notice_of(&refusal),
    };
    let space = form.get("workspace").and_then(WorkspaceId::parse);
    let space = space.map(|id| format!("&workspace={id}")).unwrap_or_default();
    Ok(go(call, Some(&browser), &format!("{REQUESTS}?notice={}{space}", notice.as_str())))
}

/// What a form may say in `do`.
async fn carry_out(call: &Call, browser: &Browser, user: &User, form: &Params) -> Result<Done, Refusal> {
    let seat = Seat::take(call, user)?;
    let text = |of: &'static str| form.get(of).ok_or(Refusal::MissingParameter(of));
    let named = || Name::parse(text("name")?.trim()).ok_or(Refusal::MalformedParameter("name"));
    let space = WorkspaceId::parse(text("workspace")?).ok_or(Refusal::NotOnTheDesk)?;
    let here = seat.workspace(space, Right::View).await?;
    let place = Place { call, browser, seat, here };
    match text("do")? {
        "new-collection" => {
            let root =
                Folder { name: named()?, description: String::new(), token: Token::Inherited, items: Vec::new() };
            let empty = Collection::new(root, Vec::new()).map_err(|_| Refusal::MalformedParameter("name"))?;
            return place.put(empty).await.map(Done::At);
        }
        "new-environment" => {
            let empty = Environment::new(named()?, Vec::new()).map_err(|_| Refusal::MalformedParameter("name"))?;
            return place.put(empty).await.map(Done::At);
        }
        "import" => return file::import(&place, text("document")?).await.map(Done::Page),
        _ => {}
    }
    let item = ItemId::parse(text("item")?).ok_or(Refusal::NotOnTheDesk)?;
    let at = At::parse(form.get("at").unwrap_or_default()).ok_or(Refusal::NotOnTheDesk)?;
    if place.seat.document::<Environment>(&place.here, item).await.is_ok() {
        return match text("do")? {
            "keep" => show::keep_environment(&place, item, form).await,
            what => place.whole::<Environment>(what, item).await.map(Done::At),
        };
    }
    match text("do")? {
        "keep" => show::keep_collection(&place, item, &at, form).await,
        what @ ("new-folder" | "new-request" | "move-up" | "move-down") => {
            place.arrange(what, (item, version(form)?), &at, named).await.map(Done::At)
        }
        "delete" if !at.is_root() => place.take_out((item, version(form)?), &at).await.map(Done::At),
        what => place.whole::<Collection>(what, item).await.map(Done::At),
    }
}

impl Place<'_> {
    /// Puts a document here; gives its page.
    async fn put<D: Page>(&self, document: D) -> Result<String, Refusal> {
        let item = self.seat.save(&self.here, document).await?;
        Ok(D::page(self.here.id, item))
    }

    /// What is done with a document as a whole.
    async fn whole<D: Page>(&self, what: &str, item: ItemId) -> Result<String, Refusal> {
        match what {
            "share" => self.seat.share_document::<D>(&self.here, item, true).await?,
            "unshare" => self.seat.share_document::<D>(&self.here, item, false).await?,
            "delete" => self.seat.drop_document::<D>(&self.here, item).await?,
            "copy" => return self.copy::<D>(item).await,
            _ => return Err(Refusal::MalformedParameter("do")),
        }
        Ok(format!("{REQUESTS}?workspace={}", self.here.id))
    }

    /// A document of his own like this one, without its secrets: here, or where he may put something.
    async fn copy<D: Page>(&self, item: ItemId) -> Result<String, Refusal> {
        let opened = self.seat.document::<D>(&self.here, item).await?;
        let document = opened.saved.document().clone();
        if self.here.admits(&self.seat.user.sub, Right::Manage).is_ok() {
            return self.put(document).await;
        }
        let there = self.seat.workspace(own_space(&self.seat).await?, Right::Manage).await?;
        let item = self.seat.save(&there, document).await?;
        Ok(D::page(there.id, item))
    }

    /// Adds something to a collection, or moves it. Gives the page on which it is.
    async fn arrange(
        &self,
        what: &str,
        seen: (ItemId, u64),
        at: &At,
        named: impl Fn() -> Result<Name, Refusal>,
    ) -> Result<String, Refusal> {
        let change = |held: &Collection| -> Result<_, Refusal> {
            match what {
                "new-folder" => {
                    let folder = Folder {
                        name: named()?,
                        description: String::new(),
                        token: Token::Inherited,
                        items: Vec::new(),
                    };
                    Ok(held.with(at, Item::Folder(folder))?)
                }
                "new-request" => Ok(held.with(at, place::new_request(named()?))?),
                "move-up" => Ok(held.moved(at, Step::Up)?),
                _ => Ok(held.moved(at, Step::Down)?),
            }
        };
        let at = self
            .seat
            .change_document::<Collection, _, Refusal>(&self.here, seen, |saved| {
                let (changed, at) = change(saved.document())?;
                saved.replace(changed);
                Ok(at)
            })
            .await?;
        Ok(format!("{}&at={at}", Collection::page(self.here.id, seen.0)))
    }

    /// Takes something out of a collection.
    async fn take_out(&self, seen: (ItemId, u64), at: &At) -> Result<String, Refusal> {
        self.seat
            .change_document::<Collection, _, Refusal>(&self.here, seen, |saved| {
                let changed = saved.document().without(at)?;
                saved.replace(changed);
                Ok(())
            })
            .await?;
        let around = at.around().map(|(around, _)| around).unwrap_or_default();
        Ok(format!("{}&at={around}", Collection::page(self.here.id, seen.0)))
    }
}

/// A document with a page of its own.
trait Page: Document {
    /// Its address.
    const PATH: &'static str;

    /// The address of one.
    fn page(workspace: WorkspaceId, item: ItemId) -> String {
        format!("{}?workspace={workspace}&item={item}", Self::PATH)
    }
}

impl Page for Collection {
    const PATH: &'static str = COLLECTION;
}

impl Page for Environment {
    const PATH: &'static str = ENVIRONMENT;
}

/// In which version a document was seen.
fn version(form: &Params) -> Result<u64, Refusal> {
    form.get("version").and_then(|raw| raw.parse().ok()).ok_or(Refusal::MalformedParameter("version"))
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::ChangedMeanwhile => Self::Fault(SavedFault::Changed),
            Refusal::DeskIsFull => Self::Fault(SavedFault::TooMuch),
            refusal => Self::Refusal(refusal),
        }
    }
}

impl From<SavedFault> for Trouble {
    fn from(fault: SavedFault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Unchanged> for Trouble {
    fn from(unchanged: Unchanged) -> Self {
        match unchanged {
            Unchanged::Nowhere => Self::Refusal(Refusal::NotOnTheDesk),
            Unchanged::Invalid(invalid) => invalid.into(),
        }
    }
}

impl From<Invalid> for Trouble {
    fn from(invalid: Invalid) -> Self {
        Self::Fault(match invalid {
            Invalid::Repeated(_) => SavedFault::Variable,
            Invalid::PlainSecret(_) => SavedFault::PlainSecret,
            // Of what a form can say, only the parameters are looked at there.
            Invalid::Malformed(_) => SavedFault::Parameter,
            Invalid::Bytes | Invalid::Depth | Invalid::Items | Invalid::Variables | Invalid::List | Invalid::Text => {
                SavedFault::TooMuch
            }
        })
    }
}
