//! The token desk: what a user keeps, and what others may use of it. docs/desk.md says what each right allows.

use super::desk_saved::REQUESTS;
use super::{Shown, View, account, either, go, home, known, own_form, problem, visit, with_cookie};
use crate::browser::Browser;
use crate::desk::{ItemChange, Opened, Seat, member};
use crate::extract::Call;
use crate::{proof, respond};
use axum::response::Response;
use grantor_protocol::Refusal;
use grantor_protocol::audit::{Action, Outcome};
use grantor_protocol::directory::User;
use grantor_protocol::params::Params;
use grantor_protocol::value::{ItemId, Subject, UnixTime, WorkspaceId};
use grantor_protocol::workspace::{Right, Workspace, name};
use grantor_web::{
    Desk, DeskLife, DeskMember, DeskNotice, DeskSecret, DeskSpace, DeskToken, DeskUse, ErrorKind, OpenSpace,
};
use http::StatusCode;
use serde_json::json;

/// The page.
pub(crate) const DESK: &str = "/desk";
/// What changes something.
pub(crate) const ACT: &str = "/desk/act";
/// One token, shown.
pub(crate) const TOKEN: &str = "/desk/token";
/// A token that is derived from a shared one.
pub(crate) const USE: &str = "/desk/use";
/// What a script must know to post here.
pub(crate) const STATE: &str = "/desk/state";

/// `GET /desk`.
pub(crate) async fn get(call: Call) -> Response {
    if !is_open(&call) {
        return home::not_found(call).await;
    }
    either(list(&call).await)
}

/// `POST /desk/act`: what the form says.
pub(crate) async fn act(call: Call) -> Response {
    if !is_open(&call) {
        return home::not_found(call).await;
    }
    either(changed(&call).await)
}

/// `POST /desk/token`: the tokens of an item, for whoever put it there, because he asks.
pub(crate) async fn token(call: Call) -> Response {
    if !is_open(&call) {
        return home::not_found(call).await;
    }
    either(reveal(&call).await)
}

/// `POST /desk/use`: a token that is derived from a shared one, as JSON. It comes with a DPoP proof.
pub(crate) async fn derive(call: Call) -> Response {
    if !is_open(&call) {
        return home::not_found(call).await;
    }
    let answer = match derived(&call).await {
        Ok(response) => response,
        Err(refusal) => {
            call.event(Action::Token, Outcome::Refused).with("what", "derived").reason(&refusal).write();
            respond::oauth_error(&refusal, false)
        }
    };
    proof::with_nonce(&call, answer)
}

/// `GET /desk/state`: who is signed in, what his forms must carry, and where he may put something.
pub(crate) async fn state(call: Call) -> Response {
    if !is_open(&call) || call.is_cross_site() {
        return home::not_found(call).await;
    }
    either(told(&call).await)
}

pub(super) fn is_open(call: &Call) -> bool {
    call.tenancy.directory.tenant.desk
}

async fn list(call: &Call) -> Shown {
    let (browser, params) = visit(call).await?;
    let Some(user) = browser.user() else { return Ok(go(call, Some(&browser), "/signin")) };
    known(call, Some(&browser), show(call, &browser, user, &params).await)
}

async fn told(call: &Call) -> Shown {
    let (browser, _) = visit(call).await?;
    let Some(user) = browser.user() else {
        return Ok(with_cookie(call, Some(&browser), respond::json(StatusCode::OK, &json!({ "user": null }))));
    };
    let state = async {
        let seat = Seat::take(call, user)?;
        let spaces = seat.workspaces().await?;
        let open = spaces.iter().filter(|space| space.admits(&user.sub, Right::Manage).is_ok());
        let open: Vec<_> = open.map(|space| json!({ "id": space.id.to_string(), "name": space.name })).collect();
        Ok(json!({ "user": user.username, "csrf": browser.csrf(call)?, "workspaces": open }))
    };
    let state = known(call, Some(&browser), state.await)?;
    Ok(respond::json(StatusCode::OK, &state))
}

async fn changed(call: &Call) -> Shown {
    let (browser, form) = own_form(call).await?;
    let Some(user) = browser.user() else { return Ok(go(call, Some(&browser), "/signin")) };
    let (space, notice) = match carry_out(call, user, &form).await {
        Ok(done) => done,
        Err(refusal) => {
            tracing::info!(request_id = %call.meta.request_id, reason = %refusal, "refused at the desk");
            (form.get("workspace").and_then(WorkspaceId::parse), notice_of(&refusal))
        }
    };
    let space = space.map(|id| format!("&workspace={id}")).unwrap_or_default();
    Ok(go(call, Some(&browser), &format!("{DESK}?notice={}{space}", notice.as_str())))
}

/// What a form may say in `do`. Gives the workspace that is open afterwards.
async fn carry_out(call: &Call, user: &User, form: &Params) -> Result<(Option<WorkspaceId>, DeskNotice), Refusal> {
    let seat = Seat::take(call, user)?;
    let text = |of: &'static str| form.get(of).ok_or(Refusal::MissingParameter(of));
    let named = || name(form.get("name").unwrap_or_default()).ok_or(Refusal::MalformedParameter("name"));
    let what = text("do")?;
    if what == "open" {
        return Ok((Some(seat.open(named()?).await?.id), DeskNotice::Done));
    }
    let space = match form.get("workspace") {
        Some(raw) => WorkspaceId::parse(raw).ok_or(Refusal::NotOnTheDesk)?,
        // A token that comes from the playground goes where there is room, or makes it.
        None if what == "add" => own_space(&seat).await?,
        None => return Err(Refusal::MissingParameter("workspace")),
    };
    let item = || text("item").and_then(|raw| ItemId::parse(raw).ok_or(Refusal::NotOnTheDesk));
    let here = seat.workspace(space, Right::View).await?;
    match what {
        "add" => seat.put(&here, seat.pasted(form)?).await?,
        "rename" => {
            let given = named()?;
            seat.change_item(&here, item()?, &ItemChange::Rename(&given)).await?;
        }
        "renew" => seat.renew(&here, item()?).await?,
        "revoke" => {
            seat.revoke(&here, item()?).await?;
            return Ok((Some(space), DeskNotice::Revoked));
        }
        "delete" => {
            let opened = seat.item(&here, item()?).await?;
            seat.may_manage(&here, &opened)?;
            seat.drop_item(space, opened.item.id).await?;
        }
        "delete-expired" => {
            for opened in seat.items(&here).await? {
                if opened.token.is_over(call.now()) && seat.may_manage(&here, &opened).is_ok() {
                    seat.drop_item(space, opened.item.id).await?;
                }
            }
        }
        "share" => seat.share(&here, item()?, true).await?,
        "unshare" => seat.share(&here, item()?, false).await?,
        "sharing-on" => seat.share_workspace(space, true).await?,
        "sharing-off" => seat.share_workspace(space, false).await?,
        "admit" => {
            let right = Right::parse(text("right")?).ok_or(Refusal::MalformedParameter("right"))?;
            here.admits(&user.sub, Right::Own)?;
            seat.admit(space, &member(call, text("username")?).await?, right).await?;
        }
        "dismiss" => {
            let member = Subject::parse(text("member")?).ok_or(Refusal::NotOnTheDesk)?;
            seat.dismiss(space, &member).await?;
            if member == user.sub {
                return Ok((None, DeskNotice::Done));
            }
        }
        "close" => {
            seat.close(space).await?;
            return Ok((None, DeskNotice::Done));
        }
        _ => return Err(Refusal::MalformedParameter("do")),
    }
    Ok((Some(space), DeskNotice::Done))
}

/// The first workspace of his own, or a new one that is called after him.
pub(super) async fn own_space(seat: &Seat<'_>) -> Result<WorkspaceId, Refusal> {
    let own = seat.workspaces().await?.into_iter().find(|space| space.owner() == Some(&seat.user.sub));
    match own {
        Some(space) => Ok(space.id),
        None => Ok(seat.open(seat.user.username.clone()).await?.id),
    }
}

pub(super) fn notice_of(refusal: &Refusal) -> DeskNotice {
    match refusal {
        Refusal::RightMissing => DeskNotice::RightMissing,
        Refusal::SharingOff => DeskNotice::SharingOff,
        Refusal::NotShareable => DeskNotice::NotShareable,
        Refusal::NotRenewable => DeskNotice::NotRenewable,
        Refusal::DeskIsFull => DeskNotice::Full,
        Refusal::NotOnTheDesk => DeskNotice::Unknown,
        Refusal::ChangedMeanwhile => DeskNotice::Changed,
        _ => DeskNotice::Refused,
    }
}

async fn reveal(call: &Call) -> Shown {
    let (browser, form) = own_form(call).await?;
    let Some(user) = browser.user() else { return Ok(go(call, Some(&browser), "/signin")) };
    let found = async {
        let seat = Seat::take(call, user)?;
        let space = form.get("workspace").and_then(WorkspaceId::parse).ok_or(Refusal::NotOnTheDesk)?;
        let item = form.get("item").and_then(ItemId::parse).ok_or(Refusal::NotOnTheDesk)?;
        let here = seat.workspace(space, Right::View).await?;
        let opened = seat.item(&here, item).await?;
        if !seat.owns(&opened) {
            return Err(Refusal::RightMissing);
        }
        let event = call.event(Action::Token, Outcome::Allowed).user(user).target(&item);
        event.with("what", "shown at the desk").commit().await?;
        Ok((space, opened.token))
    };
    let (space, token) = match found.await {
        Ok(found) => found,
        Err(refusal @ (Refusal::Busy | Refusal::Broken)) => known(call, Some(&browser), Err(refusal))?,
        Err(_) => return Ok(problem(call, Some(&browser), ErrorKind::Forbidden, StatusCode::FORBIDDEN)),
    };
    let hidden = |secret: &grantor_protocol::value::Secret| secret.expose().into();
    let page = DeskSecret {
        name: token.name.clone(),
        access_token: hidden(&token.access_token),
        refresh_token: token.refresh_token.as_ref().map(hidden),
        id_token: token.id_token.as_ref().map(hidden),
        back: format!("{}{DESK}?workspace={space}", call.tenancy.base),
    };
    Ok(View::new(call, Some(&browser)).show(&page))
}

async fn derived(call: &Call) -> Result<Response, Refusal> {
    let form = call.strict_form()?;
    let browser = Browser::of(call).await?;
    browser.check_form(call, &form).map_err(|_| Refusal::Denied)?;
    let user = browser.user().ok_or(Refusal::Denied)?;
    let seat = Seat::take(call, user)?;
    let space = form.get("workspace").and_then(WorkspaceId::parse).ok_or(Refusal::NotOnTheDesk)?;
    let item = form.get("item").and_then(ItemId::parse).ok_or(Refusal::NotOnTheDesk)?;
    let proof = proof::read(call, None)?;
    let given = seat.derive((space, item), &form, proof.as_ref()).await?;
    let body = json!({
        "access_token": given.access_token,
        "token_type": given.token.binding.token_type(),
        "expires_in": given.token.expires.remaining(call.now()),
        "scope": given.token.scope,
        "resource": given.token.audience,
    });
    Ok(respond::json(StatusCode::OK, &body))
}

async fn show(call: &Call, browser: &Browser, user: &User, params: &Params) -> Result<Response, Refusal> {
    let seat = Seat::take(call, user)?;
    let spaces = seat.workspaces().await?;
    let asked = params.get("workspace").and_then(WorkspaceId::parse);
    let open = spaces.iter().find(|space| Some(space.id) == asked).or(spaces.first());
    let shown = match open {
        Some(space) => Some(open_space(&seat, space).await?),
        None => None,
    };
    let space = |space: &Workspace| DeskSpace {
        id: space.id.to_string(),
        name: space.name.clone(),
        current: open.is_some_and(|open| open.id == space.id),
    };
    let page = Desk {
        user: account(user),
        spaces: spaces.iter().map(space).collect(),
        open: shown,
        notice: params.get("notice").and_then(DeskNotice::parse),
        sharing_allowed: call.tenancy.directory.tenant.desk_sharing,
        csrf: browser.csrf(call)?.into(),
        base: format!("{}{DESK}", call.tenancy.base),
        rights: Right::ALL.into_iter().filter(|right| *right < Right::Own).map(Right::as_str).collect(),
        requests: match open {
            Some(space) => format!("{}{REQUESTS}?workspace={}", call.tenancy.base, space.id),
            None => format!("{}{REQUESTS}", call.tenancy.base),
        },
        home: format!("{}/", call.tenancy.base),
        sign_out: format!("{}/signout", call.tenancy.base),
    };
    Ok(View::new(call, Some(browser)).scripts_ask().show(&page))
}

async fn open_space(seat: &Seat<'_>, space: &Workspace) -> Result<OpenSpace, Refusal> {
    let me = &seat.user.sub;
    let mut members = Vec::new();
    for (member, right) in &space.members {
        members.push(DeskMember {
            id: member.to_string(),
            username: called(seat, member).await?,
            right: right.as_str(),
            dismissible: space.clone().dismiss(me, member).is_ok(),
        });
    }
    let mut tokens = Vec::new();
    for opened in seat.items(space).await? {
        tokens.push(token_row(seat, space, &opened, &members));
    }
    Ok(OpenSpace {
        id: space.id.to_string(),
        name: space.name.clone(),
        manages: space.admits(me, Right::Manage).is_ok(),
        owns: space.admits(me, Right::Own).is_ok(),
        sharing: space.sharing,
        members,
        tokens,
    })
}

fn token_row(seat: &Seat<'_>, space: &Workspace, opened: &Opened, members: &[DeskMember]) -> DeskToken {
    let (token, now) = (&opened.token, seat.call.now());
    let life = token.expires.map(|expires| DeskLife {
        whole: u64::from(expires.remaining(token.issued).get()).max(1),
        left: u64::from(expires.remaining(now).get()),
    });
    let by = |who: &Subject| {
        let known = members.iter().find(|member| member.id == who.as_str());
        known.map_or_else(|| who.to_string(), |member| member.username.clone())
    };
    let uses = token.uses.iter().rev();
    let uses = uses.map(|used| DeskUse { by: by(&used.by), at: seconds(used.at), scope: used.scope.clone() });
    DeskToken {
        id: opened.item.id.to_string(),
        name: token.name.clone(),
        issuer: token.issuer.clone(),
        client: token.client.clone(),
        user: token.user.clone(),
        scopes: token.scope.split_whitespace().map(str::to_owned).collect(),
        life,
        own: seat.owns(opened),
        managed: seat.may_manage(space, opened).is_ok(),
        shared: token.shared,
        usable: seat.is_shared(space, opened) && space.admits(&seat.user.sub, Right::Use).is_ok(),
        renewable: seat.owns(opened)
            && token.refresh_token.is_some()
            && token.issuer == seat.call.tenancy.issuer.as_str(),
        uses: uses.collect(),
    }
}

/// What people call somebody; his identifier when nobody knows him any more.
async fn called(seat: &Seat<'_>, who: &Subject) -> Result<String, Refusal> {
    let store = &seat.call.context.store;
    let user = store.user(seat.call.tenancy.name(), who).await.map_err(|error| crate::failure::failed(&error))?;
    Ok(user.map_or_else(|| who.to_string(), |user| user.username))
}

fn seconds(time: UnixTime) -> u64 {
    u64::try_from(time.get()).unwrap_or(0)
}
