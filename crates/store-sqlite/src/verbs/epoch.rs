//! The epoch: what was issued before it is worth nothing.
//!
//! It lies in the file and nowhere else, since a restore, which moves it, is another process. Each statement that
//! decides reads it for itself: one row of one page.

use crate::failure::Result;
use grantor_protocol::value::TokenId;
use rusqlite::Connection;

/// Moves it forwards, and closes every session.
pub(crate) fn advance(db: &Connection, epoch: TokenId) -> Result<()> {
    db.prepare_cached("UPDATE epoch SET id = max(id, ?)")?.execute([epoch.as_bytes()])?;
    db.prepare_cached("DELETE FROM sessions")?.execute(())?;
    Ok(())
}
