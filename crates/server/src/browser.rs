//! The browser: its cookie, its session, and the proof that a form came from our own page.

use crate::extract::Call;
use crate::failure::failed;
use grantor_jose::{base64url, digest};
use grantor_protocol::Refusal;
use grantor_protocol::directory::User;
use grantor_protocol::params::Params;
use grantor_protocol::session::{Authentication, Session};
use grantor_protocol::value::Subject;
use http::{HeaderValue, header};
use zeroize::Zeroizing;

/// One browser. Its cookie is a random value; whether somebody is signed in with it only the store knows.
pub(crate) struct Browser {
    cookie: Zeroizing<String>,
    fresh: bool,
    signed_in: Option<(Session, User)>,
}

/// A browser is known for half a year, in seconds.
const KNOWN_FOR: u32 = 182 * 86_400;

/// A form that did not come from our own page, or not from this browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ForgedForm;

impl Browser {
    /// Reads the cookie and the session behind it. A browser without a cookie gets a fresh one with the next page.
    pub(crate) async fn of(call: &Call) -> Result<Self, Refusal> {
        let Some(cookie) = cookie(call) else { return Ok(Self::fresh(call)) };
        let (store, tenant) = (&call.context.store, call.tenancy.name());
        let found = store.session(tenant, &key(&cookie), call.now()).await.map_err(|error| failed(&error))?;
        let Some(session) = found else { return Ok(Self { cookie, fresh: false, signed_in: None }) };
        let user = store.user(tenant, &session.subject).await.map_err(|error| failed(&error))?;
        let signed_in = user.filter(|user| !user.disabled).map(|user| (session, user));
        Ok(Self { cookie, fresh: false, signed_in })
    }

    /// Whoever is signed in.
    pub(crate) fn signed_in(&self) -> Option<&(Session, User)> {
        self.signed_in.as_ref()
    }

    /// What names this browser in a sealed form, without opening anything.
    pub(crate) fn name(&self) -> String {
        base64url::encode(digest::sha256(format!("name {}", *self.cookie).as_bytes()))
    }

    /// Whether somebody signed in here under this name before: a browser that is known is not kept waiting for what
    /// strangers guess.
    pub(crate) fn is_known(call: &Call, username: &str) -> bool {
        let Some(tag) = cookie_named(call, &known_cookie_name(call)) else { return false };
        let Ok(ready) = call.tenancy.ready() else { return false };
        ready.keys.handles.tag_matches("known browser", &[username.to_lowercase().as_bytes()], &tag)
    }

    /// Whoever is signed in.
    pub(crate) fn user(&self) -> Option<&User> {
        self.signed_in.as_ref().map(|(_, user)| user)
    }

    /// The token that a form of this browser must carry back.
    pub(crate) fn csrf(&self, call: &Call) -> Result<String, Refusal> {
        call.tenancy.ready()?.keys.handles.tag("csrf", &[self.cookie.as_bytes()]).ok_or(Refusal::Broken)
    }

    /// A form is ours when it carries this browser's token and the browser does not say that it comes from elsewhere
    /// (OWASP CSRF Prevention). Under `no-referrer` browsers send `Origin: null`; then `Sec-Fetch-Site` must vouch for it.
    pub(crate) fn check_form(&self, call: &Call, form: &Params) -> Result<(), ForgedForm> {
        let tag = form.get("csrf").unwrap_or_default();
        let handles = &call.tenancy.ready().map_err(|_| ForgedForm)?.keys.handles;
        let own_form = handles.tag_matches("csrf", &[self.cookie.as_bytes()], tag);
        if !call.is_cross_site() && own_form && !self.fresh { Ok(()) } else { Err(ForgedForm) }
    }

    /// Signs somebody in: a new cookie and a new session; the old ones end.
    pub(crate) async fn sign_in(
        self,
        call: &Call,
        user: User,
        authentication: Authentication,
    ) -> Result<Self, Refusal> {
        let replaces = self.signed_in.map(|(session, _)| session.key);
        let mut next = Self::fresh(call);
        let lifetime = call.tenancy.directory.tenant.lifetimes.session;
        let session = Session {
            tenant: call.tenancy.name().clone(),
            key: key(&next.cookie),
            sid: base64url::encode(call.context.world.random::<16>()),
            subject: user.sub.clone(),
            expires: call.now().plus(lifetime),
            authentication,
        };
        call.context.store.open_session(session.clone(), replaces).await.map_err(|error| failed(&error))?;
        next.signed_in = Some((session, user));
        Ok(next)
    }

    /// Signs out. Gives who it was.
    pub(crate) async fn sign_out(&mut self, call: &Call) -> Result<Option<Subject>, Refusal> {
        let Some((session, _)) = self.signed_in.take() else { return Ok(None) };
        let (store, tenant) = (&call.context.store, call.tenancy.name());
        store.close_session(tenant, &session.key).await.map_err(|error| failed(&error))?;
        *self = Self::fresh(call);
        Ok(Some(session.subject))
    }

    /// The `Set-Cookie` that the answer needs: `__Host-` on https (RFC 6265bis 4.1.3.2), never readable by scripts.
    /// A POST from another site came without the cookie that there may be, which must not be overwritten.
    pub(crate) fn set_cookies(&self, call: &Call) -> Vec<HeaderValue> {
        if !self.fresh || (call.method == http::Method::POST && call.is_cross_site()) {
            return Vec::new();
        }
        let secure = if call.context.origin.secure { "; Secure" } else { "" };
        let common = format!("; Path=/; HttpOnly; SameSite=Lax{secure}");
        let mut texts = vec![format!("{}={}{common}", cookie_name(call), *self.cookie)];
        if let (Some((_, user)), Ok(ready)) = (&self.signed_in, call.tenancy.ready()) {
            let known = ready.keys.handles.tag("known browser", &[user.username.to_lowercase().as_bytes()]);
            texts.extend(known.map(|tag| format!("{}={tag}; Max-Age={KNOWN_FOR}{common}", known_cookie_name(call))));
        }
        let sensitive = |text: String| {
            let mut value = HeaderValue::from_str(&text).ok()?;
            value.set_sensitive(true);
            Some(value)
        };
        texts.into_iter().filter_map(sensitive).collect()
    }

    fn fresh(call: &Call) -> Self {
        let cookie = Zeroizing::new(base64url::encode(call.context.world.random::<32>()));
        Self { cookie, fresh: true, signed_in: None }
    }
}

/// One name for each tenant: a session of one is nothing at another.
fn cookie_name(call: &Call) -> String {
    let prefix = if call.context.origin.secure { "__Host-" } else { "" };
    format!("{prefix}grantor-{}", call.tenancy.name())
}

/// In which a browser proves that somebody signed in here before.
fn known_cookie_name(call: &Call) -> String {
    format!("{}-known", cookie_name(call))
}

fn cookie(call: &Call) -> Option<Zeroizing<String>> {
    let value = cookie_named(call, &cookie_name(call))?;
    (base64url::decode(&value)?.len() == 32).then_some(value)
}

fn cookie_named(call: &Call, name: &str) -> Option<Zeroizing<String>> {
    let headers = call.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    headers.flat_map(|line| line.split(';')).find_map(|pair| {
        let (given, value) = pair.trim().split_once('=')?;
        (given == name).then(|| Zeroizing::new(value.to_owned()))
    })
}

fn key(cookie: &str) -> [u8; 32] {
    digest::sha256(cookie.as_bytes())
}
