//! Grants, clients, users and tenants in numbers, put there through the store itself while the server is down.

use super::manifest::SUBJECT;
use super::{Api, MASTER_KEY, Site};
use crate::failure::{Result, broken};
use grantor_jose::seal::SealKey;
use grantor_protocol::audit::{Action, Event, Outcome};
use grantor_protocol::authorization_details::AuthorizationDetails;
use grantor_protocol::directory::{Ceiling, KeyRecord};
use grantor_protocol::grant::{ClaimsRequest, NewGrant, Redemption, Spend};
use grantor_protocol::session::Authentication;
use grantor_protocol::token::Binding;
use grantor_protocol::token::handle::RefreshHandle;
use grantor_protocol::value::{
    ClientId, CodeId, EventId, GrantId, Issuer, Resource, Scope, Seconds, Subject, TenantName, UnixTime,
};
use grantor_server::MasterKey;
use grantor_server::keyring::TenantKeys;
use grantor_store::{Change, Directories as _, Grants as _};
use grantor_store_sqlite::SqliteStore;
use std::sync::Arc;

/// How much there is beside what the manifest declares.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Population {
    /// People who can sign in, beside the one of the manifest.
    pub(crate) users: u64,
    pub(crate) grants: u64,
    pub(crate) clients: u64,
    pub(crate) tenants: u64,
}

/// So many verbs wait at once: those share commits.
const AT_ONCE: u64 = 1024;
/// So many records are in one change of the directory.
const RECORDS: u64 = 5_000;
/// Clients that act for themselves, at the most.
pub(crate) const MACHINES: u64 = 1_000;
const YEAR: Seconds = Seconds::new(365 * 86_400);

impl Population {
    /// Puts it into the database.
    pub(crate) fn put(self, site: &Site) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            let store = Arc::new(SqliteStore::open(&site.database())?);
            self.put_directory(&store).await?;
            self.put_grants(site, &store).await
        })?;
        // The codes that the grants came from are long forgotten.
        let db = rusqlite::Connection::open(site.database())?;
        db.execute_batch("DELETE FROM spent_codes; PRAGMA wal_checkpoint(TRUNCATE);")?;
        Ok(())
    }

    async fn put_directory(self, store: &SqliteStore) -> Result<()> {
        let records = store.directory().await?;
        let machine = records.clients.iter().find(|client| client.metadata.client_id.as_str() == "machine");
        let machine = machine.ok_or("the manifest was not applied")?;
        let web = records.clients.iter().find(|client| client.metadata.client_id.as_str() == "web");
        let web = web.ok_or("the manifest was not applied")?;
        let mut changes = Vec::new();
        // A few act for themselves, most are applications of users.
        let mut ceilings = Vec::new();
        for n in 0..self.clients {
            let (mut client, name) = if n < MACHINES {
                (machine.clone(), format!("machine-{n}"))
            } else {
                (web.clone(), format!("web-{n}"))
            };
            client.metadata.client_id = client_id(&name)?;
            ceilings.extend((n < MACHINES).then(|| client.metadata.client_id.clone()));
            changes.push(Change::PutClient(client));
        }
        let opaque = records.apis.iter().find(|api| api.audience.as_str() == Api::Opaque.audience());
        let mut opaque = opaque.ok_or("the manifest was not applied")?.clone();
        let ceiling = opaque.ceilings.first().ok_or("the manifest was not applied")?.clone();
        opaque.ceilings.extend(ceilings.into_iter().map(|client_id| Ceiling { client_id, ..ceiling.clone() }));
        if self.clients > 0 {
            changes.push(Change::PutApi(opaque));
        }

        let user = store.user(&TenantName::default(), &Subject::parse(SUBJECT).ok_or("a subject")?).await?;
        let user = user.ok_or("the manifest was not applied")?;
        for n in 0..self.users {
            let mut user = user.clone();
            user.sub = Subject::parse(&format!("user-{n}")).ok_or("a subject")?;
            user.username = username(n);
            changes.push(Change::PutUser(user));
        }
        let default = records.tenants.iter().find(|tenant| tenant.name == TenantName::default());
        let default = default.ok_or("there is no default tenant")?;
        for n in 0..self.tenants {
            let name = tenant_name(n)?;
            let mut tenant = default.clone();
            tenant.name = name.clone();
            changes.push(Change::PutTenant(tenant));
            let mut client = machine.clone();
            client.metadata.tenant = name.clone();
            changes.push(Change::PutClient(client));
            for api in records.apis.iter().filter(|api| api.audience.as_str() == Api::Opaque.audience()) {
                let mut api = api.clone();
                api.tenant = name.clone();
                changes.push(Change::PutApi(api));
            }
            for key in &records.keys {
                changes.push(Change::PutKey(resealed(key, &name)?));
            }
        }
        let mut changes = changes.into_iter().peekable();
        while changes.peek().is_some() {
            let batch = changes.by_ref().take(usize::try_from(RECORDS)?).collect();
            store.change_directory(batch, None).await?;
        }
        Ok(())
    }

    async fn put_grants(self, site: &Site, store: &Arc<SqliteStore>) -> Result<()> {
        let terms = Arc::new(terms(&Issuer::parse(&site.issuer()).ok_or("the issuer is none")?)?);
        let mut first = 0;
        while first < self.grants {
            let last = (first + AT_ONCE).min(self.grants);
            let mut running = tokio::task::JoinSet::new();
            for n in first..last {
                let (store, terms) = (Arc::clone(store), Arc::clone(&terms));
                running.spawn(async move {
                    let redemption = Redemption {
                        code: CodeId::new(millis(n), unlike(n)),
                        remember_until: terms.created,
                        grant: grant_id(n),
                        terms: (*terms).clone(),
                        event: told(n, &terms),
                        falls_when_replayed: true,
                    };
                    store.redeem(&TenantName::default(), redemption, terms.created).await
                });
            }
            while let Some(done) = running.join_next().await {
                if !matches!(done??, Spend::Fresh(_)) {
                    return broken("a grant could not be made");
                }
            }
            first = last;
        }
        Ok(())
    }
}

/// The default tenant's key, given to another one: making an RSA key for each of thousands would take hours, and is no
/// part of what is measured. The seal is that of `grantor_server::keyring`.
fn resealed(key: &KeyRecord, tenant: &TenantName) -> Result<KeyRecord> {
    let (master, of) = (SealKey::new(&MASTER_KEY), |tenant: &TenantName| format!("grantor key {tenant} {}", key.kid));
    let private = master.open(of(&key.tenant).as_bytes(), &key.sealed).ok_or("a key cannot be opened")?;
    let mut salt = [0; 16];
    getrandom::fill(&mut salt)?;
    let sealed = master.seal(of(tenant).as_bytes(), salt, &private);
    Ok(KeyRecord { tenant: tenant.clone(), sealed, ..key.clone() })
}

/// The name under which a user of [`Population::users`] signs in.
pub(crate) fn username(n: u64) -> String {
    format!("alice-{n}")
}

/// The refresh tokens of grants, in the generation that they are put there with. `pick` gives the numbers.
pub(crate) fn first_grant_tokens(site: &Site, pick: impl Iterator<Item = u64>) -> Result<Vec<String>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let records = runtime.block_on(async { SqliteStore::open(&site.database())?.directory().await })?;
    let issuer = Issuer::parse(&site.issuer()).ok_or("the issuer is none")?;
    let master = MasterKey::from_bytes(MASTER_KEY);
    let keys = TenantKeys::load(&master, &TenantName::default(), &issuer, &records.keys, UnixTime::new(super::now()))?;
    pick.map(|n| {
        let handle = RefreshHandle { grant: grant_id(n), generation: 0 };
        keys.handles.refresh_token(handle).ok_or_else(|| "there is no handle key".into())
    })
    .collect()
}

pub(crate) fn tenant_name(n: u64) -> Result<TenantName> {
    TenantName::parse(&format!("tenant-{n}")).ok_or_else(|| "a tenant's name".into())
}

fn client_id(name: &str) -> Result<ClientId> {
    ClientId::parse(name).ok_or_else(|| "a client's name".into())
}

/// Grants that were made one after another over the last weeks, as in life.
fn grant_id(n: u64) -> GrantId {
    GrantId::new(millis(n), unlike(n))
}

/// One a millisecond, since 2024.
fn millis(n: u64) -> u64 {
    1_704_067_200_000 + n
}

/// Bytes that look drawn (SplitMix64), the same in every run.
fn unlike(n: u64) -> [u8; 10] {
    let mut mixed = n.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    let mut bytes = [9; 10];
    for (to, from) in bytes.iter_mut().zip((mixed ^ (mixed >> 31)).to_be_bytes()) {
        *to = from;
    }
    bytes
}

/// What the user allowed the web application: all APIs, and to be told who he is.
fn terms(issuer: &Issuer) -> Result<NewGrant> {
    let mut access = grantor_protocol::grant::Access::default();
    let scope = |text: &str| Scope::parse(text).ok_or("a scope");
    access.add(issuer.as_resource(), &scope("openid profile email")?);
    for api in Api::ALL {
        access.add(Resource::parse(&api.audience()).ok_or("an audience")?, &scope(&api.scope())?);
    }
    let now = UnixTime::new(super::now());
    Ok(NewGrant {
        client: client_id("web")?,
        subject: Subject::parse(SUBJECT).ok_or("a subject")?,
        access,
        authentication: Authentication { time: now, acr: "1".to_owned(), amr: vec!["pwd".to_owned()] },
        sid: None,
        nonce: None,
        claims: ClaimsRequest::default(),
        narrowed: Vec::new(),
        details: AuthorizationDetails::default(),
        binding: Binding::Bearer,
        refreshable: true,
        delegation: None,
        created: now,
        idle: Seconds::new(30 * 86_400),
        ends: now.plus(YEAR),
    })
}

/// What the audit log says of a grant.
fn told(n: u64, terms: &NewGrant) -> Event {
    Event {
        id: EventId::new(millis(n), unlike(n)),
        time: terms.created,
        tenant: TenantName::default(),
        action: Action::Token,
        outcome: Outcome::Allowed,
        actor: Some(terms.client.to_string()),
        target: Some(terms.subject.to_string()),
        address: None,
        request_id: None,
        details: serde_json::Map::new(),
    }
}
