//! `grantor restore FILE`: a copy in the place of the database. What the copy says of codes, grants and sessions is older
//! than what was done with them since: so the epoch moves before anybody can ask, see `docs/adr/0013-epoch.md`.

use super::{count, moment};
use crate::config::Configuration;
use crate::context::Context;
use crate::failure::{Context as _, Failure, Result};
use crate::open::{self, Lock};
use crate::{fresh, scratch};
use clap::Args;
use grantor_protocol::value::TokenId;
use grantor_store::{Directories as _, Store as _};
use grantor_store_sqlite::SqliteStore;
use serde_json::json;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// What `grantor backup` wrote
    #[arg(required_unless_present = "moved", conflicts_with = "moved")]
    file: Option<PathBuf>,
    /// The database was put back by other means: only have what it issued before forgotten
    #[arg(long)]
    moved: bool,
    /// Do it; without this, only say what it means
    #[arg(long)]
    yes: bool,
}

/// What lies beside a database in use, by the ends of their names.
const BESIDE: [&str; 3] = ["", "-wal", "-shm"];

impl Restore {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let configuration = &context.configuration;
        match &self.file {
            None => self.moved(context).await,
            Some(_) if configuration.cluster.is_some() => {
                Err(Failure::usage("a PostgreSQL database is not restored from a file of Grantor's").hint(
                    "put it back with the tools of the database (pg_restore, recovery to a point in time), with every \
                     server stopped; then `grantor restore --moved`"
                        .to_owned(),
                ))
            }
            Some(file) => self.copy(file, context).await,
        }
    }

    /// The epoch alone.
    async fn moved(&self, context: &Context) -> Result<()> {
        self.agreed(context, None)?;
        let store = open::existing(&context.configuration).await?;
        store.move_epoch(TokenId::last_of(fresh::millis())).await?;
        context
            .output
            .say(format!("What {} had issued before is worth nothing now.", open::name(&context.configuration)))?;
        context.output.value(|| json!({ "database": open::name(&context.configuration) }))
    }

    /// The copy is made ready beside the database, and then takes its place: whenever this is broken off, there is either
    /// the one or the other, and never a copy whose epoch has not moved.
    async fn copy(&self, file: &Path, context: &Context) -> Result<()> {
        let configuration = &context.configuration;
        let shown = file.display();
        if !file.is_file() {
            return Err(Failure::new(format!("there is no file {shown}")));
        }
        scratch::create_private(&configuration.data)?;
        let lock = Lock::alone(&configuration.data)?;
        self.agreed(context, Some(file))?;
        let ready = configuration.data.join("grantor.db.restoring");
        remove(&ready)?;
        let made = make_ready(file, &ready).await;
        let clients = match made {
            Ok(clients) => clients,
            Err(failure) => {
                remove(&ready)?;
                return Err(failure);
            }
        };
        let kept = put_in_place(configuration, &ready)?;
        drop(lock);
        context.output.say(format!("{shown} is the database now, with {}.", count(clients, "client")))?;
        if let Some(kept) = &kept {
            context.output.say(format!("The one before is {}.", kept.display()))?;
        }
        context.output.value(|| json!({ "database": configuration.database(), "clients": clients, "kept": kept }))
    }

    /// What it means is said before anything is done.
    fn agreed(&self, context: &Context, file: Option<&Path>) -> Result<()> {
        let of = match file {
            Some(file) => {
                let written = std::fs::metadata(file).and_then(|file| file.modified()).ok();
                let since = written.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
                let time = since.and_then(|since| i64::try_from(since.as_secs()).ok()).map_or_else(
                    || "its time".to_owned(),
                    |seconds| moment(grantor_protocol::value::UnixTime::new(seconds)),
                );
                format!(" of {time}")
            }
            None => String::new(),
        };
        context.output.say(format!(
            "Everybody signs in again: no session, code, grant or access token that exists now is accepted any more.\n\
             Tenants, APIs, clients, users, policies and keys are as in the copy{of}: what was declared, rotated or\n\
             disabled since must be declared, rotated or disabled again. The audit log ends there too."
        ))?;
        if self.yes {
            return Ok(());
        }
        Err(Failure::usage("nothing was changed").hint("say --yes to do it".to_owned()))
    }
}

/// A copy of the file that can be served. Gives how many clients it has.
async fn make_ready(file: &Path, ready: &Path) -> Result<usize> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let copying = || format!("copy {} to {}", file.display(), ready.display());
    let mut to = options.open(ready).context(copying)?;
    let mut from = File::open(file).context(copying)?;
    std::io::copy(&mut from, &mut to).and_then(|_| to.sync_all()).context(copying)?;
    drop(to);
    let store = SqliteStore::open(ready).context(|| format!("open {}", file.display()))?;
    store.move_epoch(TokenId::last_of(fresh::millis())).await?;
    let clients = store.directory().await?.clients.len();
    // The last connection to be closed writes the log into the file.
    drop(store);
    File::open(ready).and_then(|ready| ready.sync_all()).context(copying)?;
    if beside(ready, "-wal").exists() {
        return Err(Failure::new(format!("{} is still in use", ready.display())));
    }
    Ok(clients)
}

/// In one step, where the one before can be opened. Gives where that is now.
fn put_in_place(configuration: &Configuration, ready: &Path) -> Result<Option<PathBuf>> {
    let database = configuration.database();
    let kept = configuration.data.join(format!("grantor.db.before-{}", fresh::now().get()));
    let doing = || format!("put {} in the place of {}", ready.display(), database.display());
    let there = database.exists();
    if there {
        // Closing it writes its log into it. The log of another database beside the copy would be poison.
        drop(SqliteStore::open(&database));
        if beside(&database, "-wal").exists() {
            // It is broken: that is perhaps why it is replaced.
            for end in BESIDE.iter().filter(|end| beside(&database, end).exists()) {
                std::fs::rename(beside(&database, end), beside(&kept, end)).context(doing)?;
            }
        } else {
            std::fs::hard_link(&database, &kept).context(doing)?;
        }
    }
    std::fs::rename(ready, &database).context(doing)?;
    File::open(&configuration.data).and_then(|data| data.sync_all()).context(doing)?;
    Ok(there.then_some(kept))
}

/// What an attempt that was broken off left behind.
fn remove(database: &Path) -> Result<()> {
    for end in BESIDE {
        let path = beside(database, end);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Failure::new(format!("cannot remove {}: {error}", path.display())));
            }
            _ => {}
        }
    }
    Ok(())
}

fn beside(database: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(end);
    PathBuf::from(name)
}
