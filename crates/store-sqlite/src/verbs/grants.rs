//! Grants and the codes that they came from.

use super::audit;
use crate::failure::Result;
use grantor_protocol::grant::{Grant, OwnedGrant, Presented, Redemption, Renewal, Rotation, Spend};
use grantor_protocol::value::{ClientId, GrantId, Seconds, Subject, TenantName, TokenId, UnixTime};
use grantor_store::{GrantsOf, StoreError, taken_back_at};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

/// Whose grants, in the form of the columns: an empty text stands for anybody.
pub(crate) struct Owner {
    pub(crate) subject: String,
    pub(crate) client: String,
}

/// Where the row of a grant lies: among those of its moment, so that a new one goes to the end of the table, and its
/// identifier leads to it without an index (ADR 24).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(pub(crate) i64);

/// A grant as it lies in its row: its terms can be read later, by whoever asked for it.
pub(crate) struct Stored {
    place: Place,
    id: GrantId,
    generation: u32,
    rotated: UnixTime,
    expires: UnixTime,
    revoked: Option<UnixTime>,
    terms: String,
    owner: Option<String>,
}

/// The columns of [`Stored::from_row`].
macro_rules! columns {
    () => {
        "place, id, generation, rotated, expires, revoked, terms, (SELECT id FROM epoch) AS epoch"
    };
}
pub(crate) use columns;

/// Which row it is: ?1 is the tenant, ?2 the identifier, ?3 its [`Place::first`]. Those few that came to the same place lie
/// behind it. The sign says that no index of tenants leads there.
macro_rules! named {
    () => {
        "place BETWEEN ?3 AND ?3 + 15 AND id = ?2 AND +tenant = ?1"
    };
}
pub(crate) use named;

/// The column of [`Stored::owned`], behind [`columns`].
macro_rules! owner {
    () => {
        "(SELECT body FROM users WHERE users.tenant = grants.tenant AND users.sub = grants.subject) AS owner"
    };
}
pub(crate) use owner;

/// RFC 6749 4.1.2: the insert of the spent code decides.
pub(crate) fn redeem(db: &Connection, tenant: &TenantName, redemption: Redemption, now: UnixTime) -> Result<Spend> {
    let taken_back = db
        .prepare_cached(
            "SELECT min(?2, ?5) < (SELECT id FROM epoch)
             OR EXISTS (SELECT 1 FROM cutoffs WHERE tenant = ?1 AND cutoff > ?2
                        AND subject IN ('', ?3) AND client IN ('', ?4))",
        )?
        .query_row(
            params![
                tenant.as_str(),
                redemption.code.as_bytes(),
                redemption.terms.subject.as_str(),
                redemption.terms.client.as_str(),
                redemption.grant.as_bytes()
            ],
            |row| row.get::<_, bool>(0),
        )?;
    if taken_back {
        return Ok(Spend::TakenBack);
    }
    let spent = db
        .prepare_cached(
            "INSERT INTO spent_codes (tenant, code, grant_id, expires) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            tenant.as_str(),
            redemption.code.as_bytes(),
            redemption.grant.as_bytes(),
            redemption.remember_until.get()
        ])?;
    if spent == 1 {
        let grant = Grant::new(redemption.grant, redemption.terms);
        insert(db, tenant, &grant)?;
        audit::append(db, &redemption.event)?;
        return Ok(Spend::Fresh(grant));
    }
    let earlier = db
        .prepare_cached("SELECT grant_id FROM spent_codes WHERE tenant = ? AND code = ?")?
        .query_row(params![tenant.as_str(), redemption.code.as_bytes()], |row| row.get(0))
        .map(GrantId::from_bytes)?;
    if redemption.falls_when_replayed {
        revoke(db, tenant, earlier, now)?;
    }
    Ok(Spend::Spent(earlier))
}

/// What [`Grant::present`] says, as one conditional statement for the common case. Writes once at the most.
pub(crate) fn rotate(
    db: &Connection,
    tenant: &TenantName,
    id: GrantId,
    generation: u32,
    grace: Seconds,
    now: UnixTime,
) -> Result<Rotation> {
    let first = Place::first(id);
    if let Some(renewal) = renew(db, first, tenant, id, generation, now)? {
        return Ok(Rotation::Rotated(renewal));
    }
    let Some(stored) = stored(db, tenant, id)? else { return Ok(Rotation::Unknown) };
    let place = stored.place;
    let grant = stored.grant()?;
    let presented = grant.present(generation, now, grace);
    if presented == Presented::Current
        && place != first
        && let Some(renewal) = renew(db, place, tenant, id, generation, now)?
    {
        return Ok(Rotation::Rotated(renewal));
    }
    Ok(match presented {
        Presented::Repeated => Rotation::Repeated(grant.renewal()),
        Presented::Reused => {
            revoke(db, tenant, id, now)?;
            Rotation::Reused
        }
        Presented::Revoked => Rotation::Revoked,
        Presented::Expired => Rotation::Expired,
        Presented::Unknown => Rotation::Unknown,
        Presented::Current => {
            return Err(StoreError::Broken("the statement that rotates misses a case".to_owned()).into());
        }
    })
}

/// The next generation of what lies there, if it is this grant in this generation.
fn renew(
    db: &Connection,
    place: Place,
    tenant: &TenantName,
    id: GrantId,
    generation: u32,
    now: UnixTime,
) -> Result<Option<Renewal>> {
    let renewal = db
        .prepare_cached(
            "UPDATE grants
             SET generation = min(generation + 1, 4294967295), rotated = ?5, expires = min(?5 + idle, ends)
             WHERE place = ?3 AND id = ?2 AND tenant = ?1 AND generation = ?4 AND revoked IS NULL AND expires > ?5
             AND id >= (SELECT id FROM epoch)
             RETURNING generation, rotated, expires",
        )?
        .query_row(params![tenant.as_str(), id.as_bytes(), place.0, generation, now.get()], |row| {
            let (rotated, expires) = (UnixTime::new(row.get(1)?), UnixTime::new(row.get(2)?));
            Ok(Renewal { generation: row.get(0)?, rotated, expires })
        })
        .optional()?;
    Ok(renewal)
}

pub(crate) fn find(db: &Connection, tenant: &TenantName, id: GrantId) -> Result<Option<Grant>> {
    stored(db, tenant, id)?.map(Stored::grant).transpose()
}

fn stored(db: &Connection, tenant: &TenantName, id: GrantId) -> Result<Option<Stored>> {
    let found = db
        .prepare_cached(concat!("SELECT ", columns!(), " FROM grants WHERE ", named!(), " LIMIT 1"))?
        .query_row(params![tenant.as_str(), id.as_bytes(), Place::first(id).0], Stored::from_row)
        .optional()?;
    Ok(found)
}

pub(crate) fn find_owned(db: &Connection, tenant: &TenantName, id: GrantId) -> Result<Option<OwnedGrant>> {
    db.prepare_cached(concat!("SELECT ", columns!(), ", ", owner!(), " FROM grants WHERE ", named!(), " LIMIT 1"))?
        .query_row(params![tenant.as_str(), id.as_bytes(), Place::first(id).0], Stored::owned_from_row)
        .optional()?
        .map(Stored::owned)
        .transpose()
}

pub(crate) fn list(
    db: &Connection,
    tenant: &TenantName,
    owner: &Owner,
    now: UnixTime,
    limit: usize,
) -> Result<Vec<Grant>> {
    let sql = format!(
        "SELECT {} FROM grants
         WHERE {} AND expires > ?4 AND id >= (SELECT id FROM epoch) ORDER BY place DESC LIMIT ?5",
        columns!(),
        owner.standing_grants()
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query(params![tenant.as_str(), owner.subject, owner.client, now.get(), limit])?;
    let mut grants = Vec::new();
    while let Some(row) = rows.next()? {
        grants.push(Stored::from_row(row)?.grant()?);
    }
    Ok(grants)
}

/// Takes back one grant. Gives whether it stood until now. One that has expired is marked too: access tokens that came
/// from it may still live.
pub(crate) fn revoke(db: &Connection, tenant: &TenantName, id: GrantId, now: UnixTime) -> Result<bool> {
    let stood = db
        .prepare_cached(concat!(
            "UPDATE grants SET revoked = ?4 WHERE ",
            named!(),
            " AND revoked IS NULL AND id >= (SELECT id FROM epoch) RETURNING expires > ?4",
        ))?
        .query_row(params![tenant.as_str(), id.as_bytes(), Place::first(id).0, now.get()], |row| row.get(0))
        .optional()?;
    Ok(stood.unwrap_or(false))
}

/// Takes back all of them. Gives how many stood until now.
pub(crate) fn revoke_all(db: &Connection, tenant: &TenantName, owner: &Owner, now: UnixTime) -> Result<u64> {
    let sql = format!(
        "UPDATE grants SET revoked = ?4 WHERE {} AND id >= (SELECT id FROM epoch) RETURNING expires > ?4",
        owner.standing_grants()
    );
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query(params![tenant.as_str(), owner.subject, owner.client, now.get()])?;
    let mut stood = 0;
    while let Some(row) = rows.next()? {
        stood += u64::from(row.get::<_, bool>(0)?);
    }
    Ok(stood)
}

/// Drops those that are not revoked: what is gone counts as revoked, and can be neither rotated nor listed.
pub(crate) fn drop_grants(db: &Connection, tenant: &TenantName, owner: &Owner) -> Result<()> {
    let sql = format!("DELETE FROM grants WHERE {}", owner.standing_grants());
    db.prepare_cached(&sql)?.execute(params![tenant.as_str(), owner.subject, owner.client])?;
    Ok(())
}

impl From<GrantsOf<'_>> for Owner {
    fn from(of: GrantsOf<'_>) -> Self {
        let (subject, client) = match of {
            GrantsOf::Subject(subject) => (subject.as_str(), ""),
            GrantsOf::Client(client) => ("", client.as_str()),
            GrantsOf::Application(subject, client) => (subject.as_str(), client.as_str()),
        };
        Self { subject: subject.to_owned(), client: client.to_owned() }
    }
}

impl Owner {
    pub(crate) fn subject(subject: &Subject) -> Self {
        GrantsOf::Subject(subject).into()
    }

    pub(crate) fn client(client: &ClientId) -> Self {
        GrantsOf::Client(client).into()
    }

    /// ?1 is the tenant, ?2 the subject, ?3 the client. Each form finds its partial index.
    fn standing_grants(&self) -> &'static str {
        match (self.subject.is_empty(), self.client.is_empty()) {
            (false, true) => "tenant = ?1 AND subject = ?2 AND ?3 = '' AND revoked IS NULL",
            (true, _) => "tenant = ?1 AND client = ?3 AND ?2 = '' AND revoked IS NULL",
            (false, false) => "tenant = ?1 AND subject = ?2 AND +client = ?3 AND revoked IS NULL",
        }
    }
}

/// At the first place that is free from [`Place::first`] on.
fn insert(db: &Connection, tenant: &TenantName, grant: &Grant) -> Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO grants
           (place, tenant, id, client, subject, generation, rotated, expires, revoked, idle, ends, due, terms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, NULL, ?9, ?10, ?8, ?11) ON CONFLICT DO NOTHING",
    )?;
    let terms = serde_json::to_string(&grant.terms)?;
    for place in Place::all(grant.id) {
        let inserted = insert.execute(params![
            place.0,
            tenant.as_str(),
            grant.id.as_bytes(),
            grant.terms.client.as_str(),
            grant.terms.subject.as_str(),
            grant.generation,
            grant.rotated.get(),
            grant.expires.get(),
            grant.terms.idle.get(),
            grant.terms.ends.get(),
            terms
        ])?;
        if inserted == 1 {
            return Ok(());
        }
        if stored(db, tenant, grant.id)?.is_some() {
            break;
        }
    }
    Err(StoreError::Broken(format!("there is no place for grant {}", grant.id)).into())
}

impl Place {
    /// How many grants can come to the same place. With eighteen random bits in each millisecond it is one but for a few in a
    /// million.
    const SHARED: i64 = 16;

    /// Where a grant lies unless another one lies there: 45 bits of the milliseconds of its identifier, which last for a
    /// thousand years, and the first 18 random ones (RFC 9562 5.7).
    pub(crate) fn first(id: GrantId) -> Self {
        let [.., a, b, c, _, _, _, _, _, _, _] = *id.as_bytes();
        let random = (i64::from(a & 0x0F) << 14) | (i64::from(b) << 6) | i64::from(c & 0x3F);
        let millis = i64::try_from(id.millis() & ((1 << 45) - 1)).unwrap_or(i64::MAX);
        Self((millis << 18) | random)
    }

    /// And where it may lie then.
    pub(crate) fn all(id: GrantId) -> impl Iterator<Item = Self> {
        let first = Self::first(id).0;
        (first..first.saturating_add(Self::SHARED)).map(Self)
    }
}

impl Stored {
    /// From the columns of [`columns`].
    pub(crate) fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let id = GrantId::from_bytes(row.get(1)?);
        let epoch = TokenId::from_bytes(row.get(7)?);
        let before_epoch = (id.as_bytes() < epoch.as_bytes()).then(|| taken_back_at(epoch));
        Ok(Self {
            place: Place(row.get(0)?),
            id,
            generation: row.get(2)?,
            rotated: UnixTime::new(row.get(3)?),
            expires: UnixTime::new(row.get(4)?),
            revoked: row.get::<_, Option<i64>>(5)?.map(UnixTime::new).or(before_epoch),
            terms: row.get(6)?,
            owner: None,
        })
    }

    /// The same, and [`owner`] behind them.
    pub(crate) fn owned_from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { owner: row.get(8)?, ..Self::from_row(row)? })
    }

    /// With its terms, and the user whose it is.
    pub(crate) fn owned(self) -> Result<OwnedGrant> {
        let owner = self.owner.as_deref().map(serde_json::from_str).transpose()?;
        Ok(OwnedGrant { grant: self.grant()?, owner })
    }

    /// With its terms.
    pub(crate) fn grant(self) -> Result<Grant> {
        Ok(Grant {
            id: self.id,
            generation: self.generation,
            rotated: self.rotated,
            expires: self.expires,
            revoked: self.revoked,
            terms: serde_json::from_str(&self.terms)?,
        })
    }
}

#[cfg(test)]
mod tests;
