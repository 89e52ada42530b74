//! What an access token says, once it was checked.

use crate::Refusal;
use crate::claims::{Claims, From, Wanted};
use grantor_jose::{Object, parse_object};
use grantor_protocol::protected_resource::Held;
use grantor_protocol::status_list::StatusReference;
use grantor_protocol::token::Binding;
use grantor_protocol::value::{Scope, UnixTime};
use serde_json::{Map, Value};
use smol_str::SmolStr;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// The claims of an access token that holds: of this issuer, for this API, within its time, and sent by whom it is bound
/// to. There is no other way to get one than to have a request checked. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Verified(Arc<Content>);

/// What nearly every API asks for is at hand; the rest stays as it came until somebody asks.
struct Content {
    subject: Piece,
    client_id: SmolStr,
    id: Option<Piece>,
    acr: Option<SmolStr>,
    roles: Vec<SmolStr>,
    auth_time: Option<UnixTime>,
    issued: Option<UnixTime>,
    scope: Scope,
    expires: UnixTime,
    binding: Binding,
    status: Option<StatusReference>,
    all: All,
}

/// Every claim, as JSON that was found to be an object without repeated members.
struct All {
    text: String,
    read: OnceLock<Map<String, Value>>,
}

/// A claim that is most often too long for a `SmolStr`, and seldom escaped.
enum Piece {
    /// Where in the text of all claims it stands.
    Within(Range<usize>),
    Apart(Box<str>),
}

impl Verified {
    /// `iss`: who issued it.
    pub fn issuer(&self) -> &str {
        self.claim("iss").and_then(Value::as_str).unwrap_or_default()
    }

    /// `sub`: on whose behalf the request is made, in the issuer's name space. Where a client acts for itself it is the
    /// client (RFC 9068 2.2).
    pub fn subject(&self) -> &str {
        self.0.subject.of(&self.0.all.text)
    }

    /// `client_id`: the client that the token was issued to (RFC 8693 4.3).
    pub fn client_id(&self) -> &str {
        &self.0.client_id
    }

    /// `jti`: the token's own identifier. An introspected token may have none.
    pub fn id(&self) -> Option<&str> {
        self.0.id.as_ref().map(|id| id.of(&self.0.all.text))
    }

    /// `aud`: every audience; yours is among them.
    pub fn audience(&self) -> impl Iterator<Item = &str> {
        texts(self.claim("aud"))
    }

    /// `scope`: what the token allows.
    pub fn scope(&self) -> &Scope {
        &self.0.scope
    }

    /// Whether `scope` has this scope-token.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.0.scope.contains(scope)
    }

    /// `roles` (RFC 9068 2.2.3.1).
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.0.roles.iter().map(SmolStr::as_str)
    }

    /// Whether `roles` has this role.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles().any(|held| held == role)
    }

    /// `acr`: how the user signed in (RFC 9068 2.2.1); none where no user did.
    pub fn acr(&self) -> Option<&str> {
        self.0.acr.as_deref()
    }

    /// `amr`: by what means the user signed in (RFC 8176).
    pub fn amr(&self) -> impl Iterator<Item = &str> {
        texts(self.claim("amr"))
    }

    /// `auth_time`: when the user signed in (RFC 9068 2.2.1).
    pub fn auth_time(&self) -> Option<UnixTime> {
        self.0.auth_time
    }

    /// `iat`: when the token was issued. An introspected token may not say.
    pub fn issued(&self) -> Option<UnixTime> {
        self.0.issued
    }

    /// `exp`: from when on the token is worth nothing. An introspected one that does not say ends at
    /// [`UnixTime::FOREVER`]: the issuer is asked again before long.
    pub fn expires(&self) -> UnixTime {
        self.0.expires
    }

    /// `cnf`: what the sender had to prove, and did (RFC 7800 3.1).
    pub fn binding(&self) -> &Binding {
        &self.0.binding
    }

    /// `status`: where it is said whether the token was taken back (Token Status List 6.2). An introspected token has
    /// none: the issuer was asked.
    pub fn status(&self) -> Option<&StatusReference> {
        self.0.status.as_ref()
    }

    /// `authorization_details` (RFC 9396 9.1): a list of objects, each with a `type`; empty where there are none.
    pub fn authorization_details(&self) -> &[Value] {
        self.claim("authorization_details").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Any claim.
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.claims().get(name)
    }

    /// Every claim, as it came.
    pub fn claims(&self) -> &Map<String, Value> {
        self.0.all.read()
    }
}

impl Held for Verified {
    fn binding(&self) -> &Binding {
        self.binding()
    }

    fn scope(&self) -> &Scope {
        self.scope()
    }

    fn has_role(&self, role: &str) -> bool {
        self.has_role(role)
    }

    fn acr(&self) -> Option<&str> {
        self.acr()
    }

    fn auth_time(&self) -> Option<UnixTime> {
        self.auth_time()
    }
}

impl fmt::Debug for Verified {
    /// Who, for what and until when: enough for a log, without what else is said of a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("sub", &self.subject())
            .field("client_id", &self.client_id())
            .field("scope", &self.0.scope.to_string())
            .field("exp", &self.0.expires)
            .finish_non_exhaustive()
    }
}

impl All {
    fn read(&self) -> &Map<String, Value> {
        // It was read once before, and as strictly.
        self.read.get_or_init(|| parse_object(self.text.as_bytes()).unwrap_or_default())
    }
}

impl Piece {
    fn new(part: &str, text: &str) -> Self {
        let from = part.as_ptr().addr().wrapping_sub(text.as_ptr().addr());
        let place = from..from.wrapping_add(part.len());
        if text.get(place.clone()) == Some(part) { Self::Within(place) } else { Self::Apart(part.into()) }
    }

    fn of<'a>(&'a self, text: &'a str) -> &'a str {
        match self {
            Self::Within(place) => text.get(place.clone()).unwrap_or_default(),
            Self::Apart(part) => part,
        }
    }
}

/// All the rest follows from the claims.
impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        self.status == other.status && self.all.read() == other.all.read()
    }
}

impl Eq for Content {}

impl Verified {
    /// From the text of claims that are the issuer's word: each of its type, from whom and for whom they must be, now.
    pub(crate) fn of_claims(text: Vec<u8>, from: From, wanted: &Wanted<'_>) -> Result<Self, Refusal> {
        let text = String::from_utf8(text).map_err(|_| Refusal::MalformedClaims)?;
        let members = Object::parse_text(&text).ok_or(Refusal::MalformedClaims)?;
        let claims = Claims::parse(&members, from)?;
        claims.check(wanted)?;
        let roles = claims.roles().map(SmolStr::from).collect();
        let Claims { auth_time, issued, scope, expires, binding, status, .. } = claims;
        let subject = Piece::new(claims.subject.unwrap_or_default(), &text);
        let id = claims.id.map(|id| Piece::new(id, &text));
        let [client_id, acr] = [claims.client_id, claims.acr].map(|text| text.map(SmolStr::from));
        let client_id = client_id.unwrap_or_default();
        let expires = expires.unwrap_or(UnixTime::FOREVER);
        drop(members);
        let all = All { text, read: OnceLock::new() };
        let content =
            Content { subject, client_id, id, acr, roles, auth_time, issued, scope, expires, binding, status, all };
        Ok(Self(Arc::new(content)))
    }
}

/// One text, or a list of them (RFC 7519 4.1.3).
fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let one = value.and_then(Value::as_str);
    let many = value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    one.into_iter().chain(many)
}
