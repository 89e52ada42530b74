//! Devices that wait for somebody to allow them (RFC 8628). Each verb is one conditional statement, or a look and one. A
//! poll whose answer was lost counts as one that came too early; the rest know their own work again.

use super::directory::{changed, document, read};
use super::grants::uuid;
use crate::PostgresStore;
use crate::connect::{Connections, Row};
use crate::failure::{Failure, Result};
use async_trait::async_trait;
use grantor_protocol::grant::authorization_code::Code;
use grantor_protocol::grant::device_code::{Device, INTERVAL, Poll, SLOWER};
use grantor_protocol::value::{ClientId, CodeId, TenantName, UnixTime, UserCode};
use grantor_store::Devices;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// One that is over makes room; said twice it is as said once.
const OPEN: &str =
    "INSERT INTO devices (tenant, id, user_code, client, query, expires, wait, next) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT (tenant, user_code) DO UPDATE SET id = excluded.id, client = excluded.client, query = excluded.query,
       expires = excluded.expires, wait = excluded.wait, next = excluded.next, answer = NULL
     WHERE devices.expires <= $9 OR devices.id = excluded.id";
const FIND: &str = "SELECT id, client, query, expires FROM devices
     WHERE tenant = $1 AND user_code = $2 AND expires > $3 AND COALESCE(answer, '-') = '-'
       AND id >= (SELECT encode(bytes, 'hex')::uuid FROM meta WHERE name = 'epoch')";
const ANSWER: &str = "UPDATE devices SET answer = $3
     WHERE tenant = $1 AND id = $2 AND expires > $4 AND COALESCE(answer, $3) = $3
       AND id >= (SELECT encode(bytes, 'hex')::uuid FROM meta WHERE name = 'epoch')";
/// As long as nobody has said anything.
const IN_TIME: &str = "UPDATE devices SET next = $3 + wait
     WHERE tenant = $1 AND id = $2 AND expires > $3 AND next <= $3 AND COALESCE(answer, '-') = '-'
       AND id >= (SELECT encode(bytes, 'hex')::uuid FROM meta WHERE name = 'epoch')";
const TOO_EARLY: &str = "UPDATE devices SET wait = wait + $4, next = $3 + wait + $4
     WHERE tenant = $1 AND id = $2 AND expires > $3 AND next > $3 AND COALESCE(answer, '-') = '-'
       AND id >= (SELECT encode(bytes, 'hex')::uuid FROM meta WHERE name = 'epoch')";
const ANSWERED: &str = "SELECT answer FROM devices WHERE tenant = $1 AND id = $2 AND expires > $3
       AND id >= (SELECT encode(bytes, 'hex')::uuid FROM meta WHERE name = 'epoch')";

/// How often somebody may come between two statements.
const ROUNDS: u32 = 5;

#[async_trait]
impl Devices for PostgresStore {
    async fn open_device(&self, tenant: &TenantName, device: Device, now: UnixTime) -> grantor_store::Result<bool> {
        let (id, next) = (uuid(device.id.as_bytes()), now.plus(INTERVAL).get());
        let (user_code, client, wait) = (device.user_code.as_str(), device.client.as_str(), i64::from(INTERVAL.get()));
        let parameters: [&(dyn ToSql + Sync); 9] = [
            &tenant.as_str(),
            &id,
            &user_code,
            &client,
            &device.query,
            &device.expires.get(),
            &wait,
            &next,
            &now.get(),
        ];
        Ok(self.connections.in_time(changed(&self.connections, OPEN, &parameters)).await? == 1)
    }

    async fn device(
        &self,
        tenant: &TenantName,
        user_code: UserCode,
        now: UnixTime,
    ) -> grantor_store::Result<Option<Device>> {
        let parameters: [&(dyn ToSql + Sync); 3] = [&tenant.as_str(), &user_code.as_str(), &now.get()];
        let rows = read(&self.connections, FIND, &parameters).await?;
        Ok(rows.first().map(|row| found(user_code, row)).transpose()?)
    }

    async fn answer_device(
        &self,
        tenant: &TenantName,
        device: CodeId,
        allowed: Option<Box<Code>>,
        now: UnixTime,
    ) -> grantor_store::Result<bool> {
        let answer = allowed.map(|code| serde_json::to_string(&code)).transpose().map_err(Failure::from)?;
        let answer = answer.unwrap_or_default();
        let parameters: [&(dyn ToSql + Sync); 4] = [&tenant.as_str(), &uuid(device.as_bytes()), &answer, &now.get()];
        Ok(self.connections.in_time(changed(&self.connections, ANSWER, &parameters)).await? == 1)
    }

    async fn poll_device(&self, tenant: &TenantName, device: CodeId, now: UnixTime) -> grantor_store::Result<Poll> {
        self.connections.in_time(poll(&self.connections, tenant.as_str(), uuid(device.as_bytes()), now.get())).await
    }
}

async fn poll(connections: &Connections, tenant: &str, device: Uuid, now: i64) -> grantor_store::Result<Poll> {
    for _ in 0..ROUNDS {
        let rows = read(connections, ANSWERED, &[&tenant, &device, &now]).await?;
        let Some(row) = rows.first() else { return Ok(Poll::Unknown) };
        match row.try_get::<_, Option<&str>>(0).map_err(Failure::from)? {
            Some("") => return Ok(Poll::Denied),
            Some(_) => return Ok(Poll::Allowed(document(row, 0)?)),
            None => {}
        }
        if changed(connections, IN_TIME, &[&tenant, &device, &now]).await? == 1 {
            return Ok(Poll::Pending);
        }
        if changed(connections, TOO_EARLY, &[&tenant, &device, &now, &i64::from(SLOWER.get())]).await? == 1 {
            return Ok(Poll::SlowDown);
        }
    }
    Err(Failure::Busy("a device is asked for by many at once".to_owned()).into())
}

fn found(user_code: UserCode, row: &Row) -> Result<Device> {
    Ok(Device {
        id: CodeId::from_bytes(*row.try_get::<_, Uuid>(0)?.as_bytes()),
        user_code,
        client: ClientId::parse(row.try_get(1)?).ok_or(Failure::Record("client"))?,
        query: row.try_get(2)?,
        expires: UnixTime::new(row.try_get(3)?),
    })
}
