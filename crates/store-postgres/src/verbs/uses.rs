//! When credentials were used last.

use super::directory::read;
use crate::connect::{Connections, Live};
use crate::failure::Result;
use grantor_protocol::value::{ClientId, TenantName, UnixTime};
use grantor_store::ONE_USE;
use std::collections::BTreeMap;

/// Unless the client is gone, or the use counts as the one that is stored. The lock keeps a client from being deleted
/// between the look and the row.
const NOTE: &str = "INSERT INTO credential_uses (tenant, client, credential, time)
     SELECT tenant, name, $3, $4::bigint FROM directory
     WHERE kind = 'client' AND tenant = $1 AND name = $2 AND body IS NOT NULL FOR SHARE
     ON CONFLICT (tenant, client, credential) DO UPDATE SET time = excluded.time
     WHERE excluded.time > credential_uses.time + $5::bigint";
const LAST: &str = "SELECT credential, time FROM credential_uses WHERE tenant = $1 AND client = $2";

/// May be done twice.
pub(crate) async fn note(
    db: &Live,
    tenant: &TenantName,
    client: &ClientId,
    credential: &str,
    now: UnixTime,
) -> Result<()> {
    let (now, one_use) = (now.get(), i64::from(ONE_USE.get()));
    db.execute(NOTE, &[&tenant.as_str(), &client.as_str(), &credential, &now, &one_use]).await?;
    Ok(())
}

pub(crate) async fn last(
    connections: &Connections,
    tenant: &TenantName,
    client: &ClientId,
) -> grantor_store::Result<BTreeMap<String, UnixTime>> {
    let parameters = (tenant.as_str(), client.as_str());
    let rows = read(connections, async |db: &Live| db.query(LAST, &[&parameters.0, &parameters.1]).await).await?;
    let mut last = BTreeMap::new();
    for row in rows {
        let use_of = |row: &crate::connect::Row| Ok::<_, crate::failure::Failure>((row.try_get(0)?, row.try_get(1)?));
        let (credential, time) = use_of(&row)?;
        last.insert(credential, UnixTime::new(time));
    }
    Ok(last)
}
