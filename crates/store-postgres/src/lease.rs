//! Rows that say who does what only one may do at a time. Their ends are told by the database's clock, so that the clocks
//! of the nodes do not matter.

use std::time::Duration;
use tokio_postgres::{Client, Error};
use uuid::Uuid;

/// The lease belongs to somebody else.
#[derive(Debug)]
pub(crate) struct Lost;

/// One conditional statement: nobody had it, or its time was over, or it was this holder's already.
pub(crate) const TAKE: &str = "INSERT INTO leases (name, holder, until)
     VALUES ($1, $2, (extract(epoch FROM now()))::bigint + $3::bigint)
     ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
     WHERE leases.holder = excluded.holder OR leases.until < (extract(epoch FROM now()))::bigint
     RETURNING name";

const RENEW: &str = "UPDATE leases SET until = (extract(epoch FROM now()))::bigint + $3::bigint
     WHERE name = $1 AND holder = $2";

/// Takes the lease for so long, or renews it. Gives whether this holder has it now.
pub(crate) async fn take(client: &Client, name: &str, holder: Uuid, time: Duration) -> Result<bool, Error> {
    Ok(client.query_opt(TAKE, &[&name, &holder, &seconds(time)]).await?.is_some())
}

/// Renews it as long as nobody else has it.
pub(crate) async fn renew(
    client: &Client,
    name: &str,
    holder: Uuid,
    time: Duration,
) -> Result<Result<(), Lost>, Error> {
    Ok(if client.execute(RENEW, &[&name, &holder, &seconds(time)]).await? == 1 { Ok(()) } else { Err(Lost) })
}

/// Gives it back.
pub(crate) async fn give_back(client: &Client, name: &str, holder: Uuid) -> Result<(), Error> {
    client.execute("DELETE FROM leases WHERE name = $1 AND holder = $2", &[&name, &holder]).await?;
    Ok(())
}

/// A holder's name, drawn by the database.
pub(crate) async fn holder(client: &Client) -> Result<Uuid, Error> {
    client.query_one("SELECT gen_random_uuid()", &[]).await?.try_get(0)
}

fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}
