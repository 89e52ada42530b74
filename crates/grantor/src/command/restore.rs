//! `grantor restore FILE`: a copy in the place of the database. What the copy says of codes, grants and sessions is older
//! than what was done with them since: so the epoch moves before anybody can ask, see `docs/adr/0013-epoch.md`.

use super::{count, moment};
use crate::config::Configuration;
use crate::context::Context;
use crate::failure::{Context as _, Failure, Result};
use crate::open::{self, Lock, REPLACING};
use crate::{fresh, scratch};
use clap::Args;
use grantor_protocol::audit::{Action, Event, Outcome};
use grantor_protocol::value::{TenantName, TokenId};
use grantor_store::{Directories as _, Store};
use grantor_store_sqlite::{SqliteStore, fold_log, verify};
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
/// What belongs to a database that was copied while it was in use, or not closed.
const LOGS: [&str; 2] = ["-wal", "-journal"];

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
        forget(store.as_ref()).await?;
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
        if let Some(log) = LOGS.map(|end| beside(file, end)).into_iter().find(|log| log.exists()) {
            return Err(Failure::new(format!("{shown} is only half of a database: the rest is in {}", log.display()))
                .hint("what `grantor backup` writes is whole".to_owned()));
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
    verify(ready).context(|| format!("restore {}", file.display()))?;
    let store = SqliteStore::open(ready).context(|| format!("open {}", file.display()))?;
    forget(&store).await?;
    let clients = store.directory().await?.clients.len();
    // The last connection to be closed writes the log into the file.
    drop(store);
    File::open(ready).and_then(|ready| ready.sync_all()).context(copying)?;
    if beside(ready, "-wal").exists() {
        return Err(Failure::new(format!("{} is still in use", ready.display())));
    }
    Ok(clients)
}

/// What was issued before is worth nothing, and the audit log says so.
async fn forget(store: &dyn Store) -> Result<()> {
    store.move_epoch(TokenId::last_of(fresh::millis())).await?;
    let mut details = serde_json::Map::new();
    details.insert("change".to_owned(), "restore".into());
    let event = Event {
        id: fresh::event_id()?,
        time: fresh::now(),
        tenant: TenantName::default(),
        action: Action::Configuration,
        outcome: Outcome::Allowed,
        actor: Some("cli".to_owned()),
        target: Some("database".to_owned()),
        address: None,
        request_id: None,
        details,
    };
    Ok(store.record(vec![event]).await?)
}

/// In one step, where the one before can be opened; where it cannot, nothing is opened until all steps are done. Gives
/// where the one before is now.
fn put_in_place(configuration: &Configuration, ready: &Path) -> Result<Option<PathBuf>> {
    let database = configuration.database();
    let kept = configuration.data.join(format!("grantor.db.before-{}", fresh::now().get()));
    let doing = || format!("put a copy in the place of {}", database.display());
    let replacing = configuration.data.join(REPLACING);
    let (log, kept_log) = (beside(&database, "-wal"), beside(&kept, "-wal"));
    let (there, mut ready) = (database.exists(), ready);
    // SQLite removes the log of what it finds to be no database.
    if log.is_file() {
        std::fs::hard_link(&log, &kept_log).context(doing)?;
    }
    // The log of another database beside the copy would be poison.
    // SQLite takes an empty file for a new database, and its log for nobody's.
    let is_empty = database.metadata().is_ok_and(|file| file.len() == 0);
    let closed = there && !is_empty && fold_log(&database).is_ok();
    if log.exists() {
        // It is broken: that is perhaps why it is replaced.
        std::fs::rename(ready, &replacing).and_then(|()| sync(&configuration.data)).context(doing)?;
        ready = &replacing;
        // Renaming one name of a file to another name of the same file does nothing.
        remove_file(&kept_log)?;
        for end in ["-wal", "-shm"].iter().filter(|end| beside(&database, end).exists()) {
            std::fs::rename(beside(&database, end), beside(&kept, end)).context(doing)?;
        }
        sync(&configuration.data).context(doing)?;
    } else if closed {
        remove_file(&kept_log)?;
    }
    if there {
        std::fs::hard_link(&database, &kept).context(doing)?;
    }
    std::fs::rename(ready, &database).and_then(|()| sync(&configuration.data)).context(doing)?;
    // Of an attempt before this one.
    remove(&replacing)?;
    Ok(there.then_some(kept))
}

/// Makes what was renamed outlast a loss of power.
fn sync(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

/// What an attempt that was broken off left behind.
fn remove(database: &Path) -> Result<()> {
    for end in BESIDE {
        remove_file(&beside(database, end))?;
    }
    Ok(())
}

/// Whether it was there or not.
fn remove_file(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::new(format!("cannot remove {}: {error}", path.display())))
        }
        _ => Ok(()),
    }
}

fn beside(database: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(end);
    PathBuf::from(name)
}
