//! Which master key a cluster's keys rest under. Each node has its own copy of it: one that has another must neither seal
//! anything nor take what it cannot open for lost.

use tokio_postgres::{Client, Error};

const CLAIM: &str = "INSERT INTO meta (name, number, bytes) VALUES ('master_key', 0, $1) ON CONFLICT (name) DO NOTHING";
const CLAIMED: &str = "SELECT bytes FROM meta WHERE name = 'master_key'";

/// Claims the database for the master key of this digest, unless it is claimed. Gives whether it is claimed for this one:
/// of any number of keys that are brought at the same time, one is.
///
/// # Errors
/// The database cannot be asked.
pub async fn claim_master_key(client: &Client, digest: &[u8; 32]) -> Result<bool, Error> {
    client.execute(CLAIM, &[&digest.as_slice()]).await?;
    Ok(is_master_key(client, digest).await? == Some(true))
}

/// Whether the database is claimed for the master key of this digest; none when it is not claimed at all.
///
/// # Errors
/// The database cannot be asked.
pub async fn is_master_key(client: &Client, digest: &[u8; 32]) -> Result<Option<bool>, Error> {
    let Some(row) = client.query_opt(CLAIMED, &[]).await? else { return Ok(None) };
    let claimed: Option<Vec<u8>> = row.try_get(0)?;
    Ok(claimed.map(|claimed| claimed == digest))
}
