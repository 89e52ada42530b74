//! When credentials were used last.

use super::directory::read;
use crate::PostgresStore;
use crate::connect::Live;
use crate::failure::Result;
use crate::notes::Use;
use async_trait::async_trait;
use grantor_protocol::value::{ClientId, TenantName, UnixTime};
use grantor_store::{LONGEST_CREDENTIAL_NAME, ONE_USE, Uses};
use std::collections::BTreeMap;

/// Unless the client is gone, or the use counts as the one that is stored. The lock keeps a client from being deleted
/// between the look and the row.
const NOTE: &str = "INSERT INTO credential_uses (tenant, client, credential, time)
     SELECT d.tenant, d.name, new.credential, new.time
     FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS new (tenant, client, credential, time)
     JOIN directory AS d ON d.kind = 'client' AND d.tenant = new.tenant AND d.name = new.client AND d.body IS NOT NULL
     FOR SHARE OF d
     ON CONFLICT (tenant, client, credential) DO UPDATE SET time = excluded.time
     WHERE excluded.time > credential_uses.time + $5::bigint";
const LAST: &str = "SELECT credential, time FROM credential_uses WHERE tenant = $1 AND client = $2";

#[async_trait]
impl Uses for PostgresStore {
    fn note_use(&self, tenant: &TenantName, client: &ClientId, credential: &str, now: UnixTime) {
        if credential.len() > LONGEST_CREDENTIAL_NAME {
            return;
        }
        self.recent.note(tenant, client, credential, now, || {
            let (tenant, client, credential) = (tenant.clone(), client.clone(), credential.to_owned());
            self.notes.credential(Use { tenant, client, credential, time: now })
        });
    }

    async fn last_uses(
        &self,
        tenant: &TenantName,
        client: &ClientId,
    ) -> grantor_store::Result<BTreeMap<String, UnixTime>> {
        let (tenant, client) = (tenant.as_str(), client.as_str());
        let rows = read(&self.connections, LAST, &[&tenant, &client]).await?;
        let last = rows.iter().map(|row| Ok((row.try_get(0)?, UnixTime::new(row.try_get(1)?))));
        Ok(last.collect::<Result<_>>()?)
    }
}

/// In one statement, which names each credential once and all in one order; may be done twice.
pub(crate) async fn note(db: &Live, used: &[Use]) -> Result<()> {
    let mut latest: BTreeMap<(&str, &str, &str), i64> = BTreeMap::new();
    for Use { tenant, client, credential, time } in used {
        let last = latest.entry((tenant.as_str(), client.as_str(), credential)).or_insert(time.get());
        *last = time.get().max(*last);
    }
    let (mut tenants, mut clients, mut credentials, mut times) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for ((tenant, client, credential), time) in latest {
        tenants.push(tenant);
        clients.push(client);
        credentials.push(credential);
        times.push(time);
    }
    db.execute(NOTE, &[&tenants, &clients, &credentials, &times, &i64::from(ONE_USE.get())]).await?;
    Ok(())
}
