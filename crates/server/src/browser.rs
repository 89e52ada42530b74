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
        let site = call.header("sec-fetch-site");
        let own_site = match call.header(header::ORIGIN.as_str()) {
            Some("null") => site == Some("same-origin"),
            Some(origin) => origin == call.context.origin.text,
            None => site.is_none_or(|site| site == "same-origin"),
        };
        let tag = form.get("csrf").unwrap_or_default();
        let handles = &call.tenancy.ready().map_err(|_| ForgedForm)?.keys.handles;
        let own_form = handles.tag_matches("csrf", &[self.cookie.as_bytes()], tag);
        if own_site && own_form && !self.fresh { Ok(()) } else { Err(ForgedForm) }
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
    pub(crate) fn set_cookie(&self, call: &Call) -> Option<HeaderValue> {
        let secure = if call.context.origin.secure { "; Secure" } else { "" };
        let text = format!("{}={}; Path=/; HttpOnly; SameSite=Lax{secure}", cookie_name(call), *self.cookie);
        let mut value = HeaderValue::from_str(&text).ok().filter(|_| self.fresh)?;
        value.set_sensitive(true);
        Some(value)
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

fn cookie(call: &Call) -> Option<Zeroizing<String>> {
    let name = cookie_name(call);
    let headers = call.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let value = headers.flat_map(|line| line.split(';')).find_map(|pair| {
        let (given, value) = pair.trim().split_once('=')?;
        (given == name).then_some(value)
    })?;
    (base64url::decode(value)?.len() == 32).then(|| Zeroizing::new(value.to_owned()))
}

fn key(cookie: &str) -> [u8; 32] {
    digest::sha256(cookie.as_bytes())
}
