//! Access tokens that were taken back, one by one or all before a moment.

use super::grants::{Owner, Place, Stored, columns, named, owner};
use crate::failure::Result;
use grantor_protocol::grant::{Standing, TokenRef};
use grantor_protocol::value::{TenantName, TokenId, UnixTime};
use rusqlite::{Connection, OptionalExtension as _, params};

pub(crate) fn revoke(db: &Connection, tenant: &TenantName, token: TokenId, expires: UnixTime) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO revoked_tokens (tenant, token, expires) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET expires = max(expires, excluded.expires)",
    )?
    .execute(params![tenant.as_str(), token.as_bytes(), expires.get()])?;
    Ok(())
}

/// Everything of this owner that was issued before `cutoff`. The later of two cut-offs stays.
pub(crate) fn cut_off(
    db: &Connection,
    tenant: &TenantName,
    owner: &Owner,
    cutoff: TokenId,
    expires: UnixTime,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO cutoffs (tenant, subject, client, cutoff, expires) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET cutoff = max(cutoff, excluded.cutoff), expires = max(expires, excluded.expires)",
    )?
    .execute(params![tenant.as_str(), owner.subject, owner.client, cutoff.as_bytes(), expires.get()])?;
    Ok(())
}

/// One read: a row says that the token is good, and brings its grant.
pub(crate) fn standing(db: &Connection, tenant: &TenantName, token: &TokenRef) -> Result<Standing> {
    let (client, jti) = (token.client.as_str(), token.token.as_bytes());
    let good = match token.grant {
        None => db
            .prepare_cached(
                "SELECT 1
                 WHERE ?2 >= (SELECT id FROM epoch)
                 AND NOT EXISTS (SELECT 1 FROM revoked_tokens WHERE tenant = ?1 AND token = ?2)
                 AND NOT EXISTS (SELECT 1 FROM cutoffs WHERE tenant = ?1 AND subject = '' AND client = ?3 AND cutoff > ?2)",
            )?
            .query_row(params![tenant.as_str(), jti, client], |_| Ok(None))
            .optional()?,
        Some(grant) => db
            .prepare_cached(concat!(
                "SELECT ",
                columns!(),
                ", ",
                owner!(),
                " FROM grants WHERE ",
                named!(),
                " AND revoked IS NULL AND min(?4, id) >= (SELECT id FROM epoch)
                 AND NOT EXISTS (SELECT 1 FROM revoked_tokens WHERE tenant = ?1 AND token = ?4)
                 AND NOT EXISTS (SELECT 1 FROM cutoffs WHERE tenant = ?1 AND subject = '' AND client = ?5 AND cutoff > ?4)
                 AND NOT EXISTS (SELECT 1 FROM cutoffs WHERE tenant = ?1 AND subject = grants.subject
                                 AND client IN ('', ?5) AND cutoff > ?4)
                 LIMIT 1",
            ))?
            .query_row(params![tenant.as_str(), grant.as_bytes(), Place::first(grant).0, jti, client], |row| {
                Stored::owned_from_row(row).map(Some)
            })
            .optional()?,
    };
    match good {
        None => Ok(Standing::Revoked),
        Some(None) => Ok(Standing::Good(None)),
        Some(Some(stored)) => Ok(Standing::Good(Some(Box::new(stored.owned()?)))),
    }
}
