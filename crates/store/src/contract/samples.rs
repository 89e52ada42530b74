//! Records to test with. Numbers stand for identifiers; the time is always a value.

use grantor_protocol::audit::{Action, Event, Outcome};
use grantor_protocol::client::{Client, ClientMetadata};
use grantor_protocol::directory::{Api, TokenProfile, User, UserClaims};
use grantor_protocol::grant::{Access, ClaimsRequest, NewGrant, Redemption, TokenRef};
use grantor_protocol::made::Made;
use grantor_protocol::session::{Authentication, Session};
use grantor_protocol::value::{
    ClientId, CodeId, EventId, GrantId, Resource, Scope, Seconds, Subject, TenantName, Text, TokenId, UnixTime,
};
use serde_json::Map;

/// A horizon of [`crate::Store::expire`] before which there are no events.
pub const EVERY_EVENT: EventId = EventId::from_bytes([0; 16]);

/// When everything begins.
pub const START: UnixTime = UnixTime::new(1_700_000_000);
/// A grant of [`terms`] that is not refreshed lasts so long.
pub const IDLE: Seconds = Seconds::new(1_000);
/// And however often it is refreshed, no longer than this.
pub const ABSOLUTE: Seconds = Seconds::new(2_500);
/// The grace window.
pub const GRACE: Seconds = Seconds::new(30);
/// The longest life of an access token.
pub const DAY: Seconds = Seconds::new(86_400);

/// So many seconds after [`START`].
pub fn at(seconds: u32) -> UnixTime {
    START.plus(Seconds::new(seconds))
}

/// The tenant of most tests.
pub fn tenant() -> TenantName {
    TenantName::default()
}

/// The other tenant.
pub fn other_tenant() -> TenantName {
    TenantName::parse("other").unwrap()
}

/// A client.
pub fn client(n: u64) -> ClientId {
    ClientId::parse(&format!("client-{n}")).unwrap()
}

/// A user.
pub fn subject(n: u64) -> Subject {
    Subject::parse(&format!("user-{n}")).unwrap()
}

/// Larger numbers are younger.
pub fn grant_id(n: u64) -> GrantId {
    GrantId::new(n, [1; 10])
}

/// Larger numbers are younger.
pub fn code_id(n: u64) -> CodeId {
    CodeId::new(n, [2; 10])
}

/// Larger numbers are younger.
pub fn token_id(n: u64) -> TokenId {
    TokenId::new(n, [3; 10])
}

/// Larger numbers are younger.
pub fn event_id(n: u64) -> EventId {
    EventId::new(n, [4; 10])
}

/// A digest.
pub fn digest(n: u64) -> [u8; 32] {
    let mut digest = [7; 32];
    for (byte, of) in digest.iter_mut().zip(n.to_be_bytes()) {
        *byte = of;
    }
    digest
}

/// Scopes at one API.
pub fn access(scope: &str) -> Access {
    [(Resource::parse("https://api.example").unwrap(), Scope::parse(scope).unwrap())].into_iter().collect()
}

/// Proved at [`START`].
pub fn authentication() -> Authentication {
    Authentication { time: START, acr: "1".to_owned(), amr: vec!["pwd".to_owned()] }
}

/// What user `of` allowed client `to` at [`START`].
pub fn terms(of: u64, to: u64) -> NewGrant {
    NewGrant {
        client: client(to),
        subject: subject(of),
        access: access("read"),
        authentication: authentication(),
        sid: Some("sid".to_owned()),
        nonce: Some("n-0S6_WzA2Mj".to_owned()),
        claims: ClaimsRequest::default(),
        narrowed: vec!["write: needs the role editor".to_owned()],
        details: grantor_protocol::authorization_details::AuthorizationDetails::default(),
        binding: grantor_protocol::token::Binding::Bearer,
        refreshable: true,
        delegation: None,
        created: START,
        idle: IDLE,
        ends: START.plus(ABSOLUTE),
    }
}

/// Code `code` is spent for grant `grant`, which user 1 gave client 1.
pub fn redemption(code: u64, grant: u64) -> Redemption {
    redemption_by(code, grant, 1, 1)
}

/// Code `code` is spent for grant `grant`, which user `of` gave client `to`.
pub fn redemption_by(code: u64, grant: u64, of: u64, to: u64) -> Redemption {
    Redemption {
        code: code_id(code),
        remember_until: at(60),
        grant: grant_id(grant),
        terms: terms(of, to),
        event: redeemed(tenant(), grant),
        falls_when_replayed: true,
    }
}

/// The same of another tenant.
pub fn elsewhere(here: &TenantName, redemption: Redemption) -> Redemption {
    Redemption { event: Event { tenant: here.clone(), ..redemption.event }, ..redemption }
}

/// What the audit log says of [`redemption`].
pub fn redeemed(tenant: TenantName, grant: u64) -> Event {
    Event { id: EventId::new(grant, [6; 10]), ..event(tenant, grant) }
}

/// A token of client `to`, from a grant or not.
pub fn token(n: u64, grant: Option<u64>, to: u64) -> TokenRef {
    TokenRef { token: token_id(n), grant: grant.map(grant_id), client: client(to) }
}

/// A session of user `of`, which ends after 100 seconds.
pub fn session(key: u64, of: u64) -> Session {
    Session {
        tenant: tenant(),
        key: digest(key),
        sid: format!("sid-{key}"),
        subject: subject(of),
        authentication: authentication(),
        expires: at(100),
    }
}

/// User `n` with a name of his choice.
pub fn user(tenant: TenantName, n: u64, username: &str) -> User {
    User {
        tenant,
        sub: subject(n),
        username: username.to_owned(),
        password_hash: None,
        administrator: false,
        disabled: false,
        roles: std::iter::once((Resource::parse("https://api.example").unwrap(), vec!["editor".to_owned()])).collect(),
        claims: UserClaims::default(),
    }
}

/// Client `n` as it is declared.
pub fn declared_client(tenant: TenantName, n: u64) -> Client {
    Client { metadata: ClientMetadata::new(tenant, client(n)), secrets: Vec::new(), issued_at: START }
}

/// An API of this name.
pub fn api(tenant: TenantName, name: &str) -> Api {
    Api {
        tenant,
        audience: Resource::parse(&format!("https://{name}.example")).unwrap(),
        name: Text::from(name),
        scopes: Vec::new(),
        roles: Vec::new(),
        token: TokenProfile::default(),
        authorization_details_types: vec![],
        ceilings: Vec::new(),
        ceilings_by_client: Made::default(),
        resource_servers: Vec::new(),
        operations: Vec::new(),
        openapi: None,
    }
}

/// Something that happened.
pub fn event(tenant: TenantName, n: u64) -> Event {
    Event {
        id: event_id(n),
        time: START,
        tenant,
        action: Action::Token,
        outcome: Outcome::Allowed,
        actor: Some("client-1".to_owned()),
        target: None,
        address: None,
        request_id: None,
        details: Map::new(),
    }
}
