//! The pages, and keeping what was written on them: a form that is refused comes back as it was sent, without the secrets.

use super::super::desk::is_open;
use super::super::{Shown, View, account, either, go, home, known, problem, visit};
use super::{Done, Page as _, Place, Trouble, place, variables, version};
use crate::browser::Browser;
use crate::desk::{CALLBACK, OpenedDocument, Seat};
use crate::extract::Call;
use axum::response::Response;
use grantor_protocol::Refusal;
use grantor_protocol::client::AuthMethod;
use grantor_protocol::desk::{At, Collection, Environment, Folder, Item, Name};
use grantor_protocol::directory::User;
use grantor_protocol::grant::GrantType;
use grantor_protocol::params::Params;
use grantor_protocol::value::{ItemId, WorkspaceId};
use grantor_protocol::workspace::{Document, Right, Workspace};
use grantor_web::{
    DeskCollection, DeskEnvironment, DeskNotice, DeskRequests, DeskSpace, ErrorKind, PlaceForm, SavedFault, SavedFrame,
    SavedItem, TreeNode, VariablesForm,
};
use http::StatusCode;

/// `GET /desk/requests`.
pub(crate) async fn requests(call: Call) -> Response {
    if !is_open(&call) {
        return home::not_found(call).await;
    }
    either(list(&call).await)
}

/// `GET /desk/collection`.
pub(crate) async fn collection(call: Call) -> Response {
    if !is_open(&call) {
        return home::not_found(call).await;
    }
    let shown = looked_at(&call, async |place: &Place<'_>, item, params: &Params| {
        let opened = place.seat.document::<Collection>(&place.here, item).await?;
        let at = At::parse(params.get("at").unwrap_or_default()).ok_or(Refusal::NotOnTheDesk)?;
        let form = place::shown(&opened.saved, &at).ok_or(Refusal::NotOnTheDesk)?;
        let page = collection_page(place, &opened, &at, form, params).await?;
        Ok(View::new(place.call, Some(place.browser)).show(&page))
    });
    either(shown.await)
}

/// `GET /desk/environment`.
pub(crate) async fn environment(call: Call) -> Response {
    if !is_open(&call) {
        return home::not_found(call).await;
    }
    let shown = looked_at(&call, async |place: &Place<'_>, item, params: &Params| {
        let opened = place.seat.document::<Environment>(&place.here, item).await?;
        let name = opened.saved.document().name().to_string();
        let page = environment_page(place, &opened, name, variables::shown(&opened.saved), notice(params))?;
        Ok(View::new(place.call, Some(place.browser)).show(&page))
    });
    either(shown.await)
}

/// What is in one place of a collection is kept, or shown as it was sent.
pub(super) async fn keep_collection(place: &Place<'_>, item: ItemId, at: &At, form: &Params) -> Result<Done, Refusal> {
    let kept = place.seat.change_document::<Collection, _, Trouble>(&place.here, (item, version(form)?), |saved| {
        place::keep(form, saved, at)
    });
    let fault = match kept.await {
        Ok(()) => return Ok(Done::At(format!("{}&at={at}", Collection::page(place.here.id, item)))),
        Err(Trouble::Refusal(refusal)) => return Err(refusal),
        Err(Trouble::Fault(fault)) => fault,
    };
    let opened = place.seat.document::<Collection>(&place.here, item).await?;
    let sent = place::posted(form, &opened.saved, at).ok_or(Refusal::ChangedMeanwhile)?;
    let page = collection_page(place, &opened, at, sent, form).await?;
    Ok(Done::Page(refused(place, fault).show(&DeskCollection { fault: Some(fault), ..page })))
}

/// The same of an environment.
pub(super) async fn keep_environment(place: &Place<'_>, item: ItemId, form: &Params) -> Result<Done, Refusal> {
    let name = form.get("name").unwrap_or_default().trim();
    let kept = place.seat.change_document::<Environment, _, Trouble>(&place.here, (item, version(form)?), |saved| {
        let name = Name::parse(name).ok_or(SavedFault::Name)?;
        let environment = Environment::new(name, variables::read(form, saved)?)?;
        variables::replace(saved, environment);
        Ok(())
    });
    let fault = match kept.await {
        Ok(()) => return Ok(Done::At(Environment::page(place.here.id, item))),
        Err(Trouble::Refusal(refusal)) => return Err(refusal),
        Err(Trouble::Fault(fault)) => fault,
    };
    let opened = place.seat.document::<Environment>(&place.here, item).await?;
    let sent = variables::posted(form, &opened.saved);
    let page = environment_page(place, &opened, name.to_owned(), sent, None)?;
    Ok(Done::Page(refused(place, fault).show(&DeskEnvironment { fault: Some(fault), ..page })))
}

/// Shows something to a signed-in user: what he does not see is not there.
pub(super) async fn looked_at(
    call: &Call,
    look: impl AsyncFnOnce(&Place<'_>, ItemId, &Params) -> Result<Response, Refusal>,
) -> Shown {
    let (browser, params) = visit(call).await?;
    let Some(user) = browser.user() else { return Ok(go(call, Some(&browser), "/signin")) };
    let shown = async {
        let seat = Seat::take(call, user)?;
        let space = params.get("workspace").and_then(WorkspaceId::parse).ok_or(Refusal::NotOnTheDesk)?;
        let item = params.get("item").and_then(ItemId::parse).ok_or(Refusal::NotOnTheDesk)?;
        let here = seat.workspace(space, Right::View).await?;
        look(&Place { call, browser: &browser, seat, here }, item, &params).await
    };
    match shown.await {
        Err(Refusal::NotOnTheDesk) => Ok(problem(call, Some(&browser), ErrorKind::NotFound, StatusCode::NOT_FOUND)),
        shown => known(call, Some(&browser), shown),
    }
}

/// Whose page it is.
pub(super) fn frame(
    call: &Call,
    browser: &Browser,
    user: &User,
    workspace: Option<&Workspace>,
    notice: Option<DeskNotice>,
) -> Result<SavedFrame, Refusal> {
    Ok(SavedFrame {
        user: account(user),
        csrf: browser.csrf(call)?.into(),
        base: format!("{}{}", call.tenancy.base, super::super::desk::DESK),
        workspace: workspace.map(|here| here.id.to_string()).unwrap_or_default(),
        notice,
        sharing_allowed: call.tenancy.directory.tenant.desk_sharing,
        sign_out: format!("{}/signout", call.tenancy.base),
    })
}

impl Place<'_> {
    /// Whose page it is.
    pub(super) fn frame(&self, notice: Option<DeskNotice>) -> Result<SavedFrame, Refusal> {
        frame(self.call, self.browser, self.seat.user, Some(&self.here), notice)
    }
}

async fn list(call: &Call) -> Shown {
    let (browser, params) = visit(call).await?;
    let Some(user) = browser.user() else { return Ok(go(call, Some(&browser), "/signin")) };
    known(call, Some(&browser), listed(call, &browser, user, &params).await)
}

async fn listed(call: &Call, browser: &Browser, user: &User, params: &Params) -> Result<Response, Refusal> {
    let seat = Seat::take(call, user)?;
    let spaces = seat.workspaces().await?;
    let asked = params.get("workspace").and_then(WorkspaceId::parse);
    let open = spaces.iter().find(|space| Some(space.id) == asked).or(spaces.first());
    let (mut collections, mut environments) = (Vec::new(), Vec::new());
    if let Some(here) = open {
        collections = seat.documents::<Collection>(here).await?.iter().map(|one| row(&seat, here, one)).collect();
        environments = seat.documents::<Environment>(here).await?.iter().map(|one| row(&seat, here, one)).collect();
    }
    let space = |space: &Workspace| DeskSpace {
        id: space.id.to_string(),
        name: space.name.clone(),
        current: open.is_some_and(|open| open.id == space.id),
    };
    let page = DeskRequests {
        desk: frame(call, browser, user, open, notice(params))?,
        spaces: spaces.iter().map(space).collect(),
        open: open.is_some(),
        manages: open.is_some_and(|here| here.admits(&user.sub, Right::Manage).is_ok()),
        collections,
        environments,
    };
    Ok(View::new(call, Some(browser)).runs_scripts().show(&page))
}

/// A document, and what he may do with it as a whole.
fn row<D: Document>(seat: &Seat<'_>, here: &Workspace, opened: &OpenedDocument<D>) -> SavedItem {
    let OpenedDocument { item, saved } = opened;
    let own = item.owner == seat.user.sub;
    SavedItem {
        id: item.id.to_string(),
        version: item.version,
        name: saved.document().name().to_owned(),
        own,
        managed: own || here.admits(&seat.user.sub, Right::Manage).is_ok(),
        shared: saved.shared,
        seen: saved.shared && seat.sharing_is_on(here, item),
    }
}

async fn collection_page(
    place: &Place<'_>,
    opened: &OpenedDocument<Collection>,
    at: &At,
    form: PlaceForm,
    params: &Params,
) -> Result<DeskCollection, Refusal> {
    let Place { call, seat, here, .. } = place;
    let held = opened.saved.document();
    let settings = match held.request(at.steps()) {
        Some((_, settings)) => settings,
        None => held.folder(at.steps()).and_then(|(_, settings)| settings),
    };
    let called = |name: &Option<Name>| name.as_ref().unwrap_or(&held.root().name).to_string();
    let item = row(seat, here, opened);
    let now = call.now();
    let tokens = seat.items(here).await?.into_iter();
    let tokens = tokens.filter(|opened| seat.owns(opened) && !opened.token.is_over(now));
    let asked = params.get("environment");
    let environments = seat.documents::<Environment>(here).await?.into_iter();
    let environment = |one: OpenedDocument<Environment>| {
        let id = one.item.id.to_string();
        DeskSpace { current: asked == Some(&id), name: one.saved.document().name().to_string(), id }
    };
    Ok(DeskCollection {
        desk: place.frame(notice(params))?,
        item,
        tree: tree(held.root(), &At::default(), at),
        at: at.to_string(),
        form,
        fault: None,
        in_force: settings.map(|settings| called(&settings.name)),
        environments: environments.filter(|one| one.item.owner == seat.user.sub).map(environment).collect(),
        tokens: tokens
            .map(|one| DeskSpace { id: one.item.id.to_string(), name: one.token.name, current: false })
            .collect(),
        redirect_uri: call.tenancy.issuer.endpoint(CALLBACK),
        grant_types: GrantType::ALL.into_iter().map(GrantType::as_str).collect(),
        authentication_methods: AuthMethod::ALL.into_iter().map(AuthMethod::as_str).collect(),
    })
}

fn tree(folder: &Folder, around: &At, open: &At) -> Vec<TreeNode> {
    let node = |(number, item): (usize, &Item)| {
        let at = around.item(number);
        let (name, method, children) = match item {
            Item::Folder(inner) => (&inner.name, None, tree(inner, &at, open)),
            Item::Request(request) => (&request.name, Some(request.method.to_string()), Vec::new()),
        };
        TreeNode { name: name.to_string(), method, current: at == *open, at: at.to_string(), children }
    };
    folder.items.iter().enumerate().map(node).collect()
}

fn environment_page(
    place: &Place<'_>,
    opened: &OpenedDocument<Environment>,
    name: String,
    variables: VariablesForm,
    notice: Option<DeskNotice>,
) -> Result<DeskEnvironment, Refusal> {
    let item = row(&place.seat, &place.here, opened);
    Ok(DeskEnvironment { desk: place.frame(notice)?, item, name, variables, fault: None })
}

/// How a form that was refused is shown.
fn refused<'a>(place: &Place<'a>, fault: SavedFault) -> View<'a> {
    tracing::info!(request_id = %place.call.meta.request_id, reason = ?fault, "not kept at the desk");
    View::new(place.call, Some(place.browser)).status(StatusCode::BAD_REQUEST)
}

fn notice(params: &Params) -> Option<DeskNotice> {
    params.get("notice").and_then(DeskNotice::parse)
}
