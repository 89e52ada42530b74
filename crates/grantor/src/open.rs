//! The store: a file in the data directory, or a database of its own.

use crate::config::{Cluster, Configuration};
use crate::failure::{Context as _, Failure, Result};
use crate::master_key::{self, KeyBytes};
use crate::scratch;
use grantor_protocol::value::Issuer;
use grantor_store::Store;
use grantor_store_postgres::migrate::{self, MIGRATIONS, MigrateError, Migrator, Report};
use grantor_store_postgres::{Options, PostgresStore, Target};
use grantor_store_sqlite::SqliteStore;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use tokio::sync::oneshot;

/// Opens what is there.
pub(crate) async fn existing(configuration: &Configuration) -> Result<Arc<dyn Store>> {
    if let Some(cluster) = &configuration.cluster {
        return up_to_date(configuration, cluster).await;
    }
    let database = configuration.database();
    if !database.exists() {
        let data = configuration.data.display();
        return Err(Failure::new(format!("there is no database in {data}")).hint(
            "start with `grantor serve` or `grantor apply FILE`, or name another directory with --data".to_owned(),
        ));
    }
    in_a_file(configuration).await
}

/// Opens what is there, or makes it. A cluster's schema is brought up to date, unless the configuration says otherwise.
pub(crate) async fn or_new(configuration: &Configuration) -> Result<Arc<dyn Store>> {
    scratch::create_private(&configuration.data)?;
    match &configuration.cluster {
        Some(cluster) if cluster.migrates => {
            migrate_schema(cluster, &mut log_migration).await?;
            connect(configuration, cluster).await
        }
        Some(cluster) => up_to_date(configuration, cluster).await,
        None => in_a_file(configuration).await,
    }
}

/// Whether nothing was ever kept here.
pub(crate) async fn is_new(configuration: &Configuration) -> Result<bool> {
    match &configuration.cluster {
        Some(cluster) => {
            let client = client(cluster).await?;
            Ok(migrate::schema(&client).await.context(|| format!("look at {}", cluster.shown()))?.number == 0)
        }
        None => Ok(!configuration.database().exists()),
    }
}

/// What people call it.
pub(crate) fn name(configuration: &Configuration) -> String {
    match &configuration.cluster {
        Some(cluster) => cluster.shown(),
        None => configuration.database().display().to_string(),
    }
}

/// One connection of its own to a cluster's database.
pub(crate) async fn client(cluster: &Cluster) -> Result<tokio_postgres::Client> {
    target(cluster)?.client().await.map_err(|error| {
        let said = error.as_db_error();
        let reason = match said {
            Some(said) => said.message().to_owned(),
            None => std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string),
        };
        let hint = match said.map(|said| said.code().code()) {
            // There is no such database.
            Some("3D000") => "make it first, such as: createdb grantor".to_owned(),
            // Who it is was not believed.
            Some("28P01" | "28000") => {
                "the password comes from database_password_file, PGPASSWORD or the URL itself".to_owned()
            }
            _ => "does it run, and does it take connections from here?".to_owned(),
        };
        Failure::new(format!("cannot connect to {}: {reason}", cluster.shown())).hint(hint)
    })
}

/// What is wrong with the schema, in words for whoever starts the program.
pub(crate) fn schema_failure(cluster: &Cluster, error: &MigrateError) -> Failure {
    let hint = match error {
        MigrateError::Behind { .. } => Some("bring it up to date with `grantor migrate`".to_owned()),
        MigrateError::Newer { .. } => Some("start the newer binary, or go back to a copy of before".to_owned()),
        MigrateError::Postgres(_) | MigrateError::LostLease | MigrateError::Broken(_) => None,
    };
    Failure::new(format!("cannot use {}: {error}", cluster.shown())).hint(hint)
}

/// Brings the schema up to date. Gives how many migrations this process completed.
pub(crate) async fn migrate_schema(cluster: &Cluster, report: &mut (dyn FnMut(Report<'_>) + Send)) -> Result<usize> {
    let (work, keep) = (client(cluster).await?, client(cluster).await?);
    let migrated = Migrator::new(&work, &keep).run(MIGRATIONS, report).await;
    migrated.map_err(|error| schema_failure(cluster, &error))
}

/// What a server says of migrations that it carries out when it starts.
fn log_migration(report: Report<'_>) {
    match report {
        Report::Complete { migration } => {
            tracing::info!(number = migration.number, name = migration.name, "a migration is complete");
        }
        Report::Waiting => {
            tracing::info!("another node migrates the database, or was stopped while it did: waiting for it");
        }
        Report::Begins { migration, statement } => {
            tracing::debug!(migration, sql = statement.sql, "a migration goes on");
        }
        Report::Filled { migration, rows } => tracing::debug!(migration, rows, "a migration goes on"),
    }
}

async fn up_to_date(configuration: &Configuration, cluster: &Cluster) -> Result<Arc<dyn Store>> {
    let client = client(cluster).await?;
    migrate::check(&client, MIGRATIONS).await.map_err(|error| schema_failure(cluster, &error))?;
    connect(configuration, cluster).await
}

/// The keys of a cluster rest under one master key: that of the first server that started. Whatever it is elsewhere, it
/// is another when it has another digest.
pub(crate) async fn claim_master_key(configuration: &Configuration, key: &KeyBytes) -> Result<()> {
    let Some(cluster) = &configuration.cluster else { return Ok(()) };
    let claimed = grantor_store_postgres::claim_master_key(&client(cluster).await?, &master_key::digest(key)).await;
    if claimed.context(|| format!("look at {}", cluster.shown()))? { Ok(()) } else { Err(another_key(cluster)) }
}

fn another_key(cluster: &Cluster) -> Failure {
    Failure::new(format!("the master key here is not the one under which the keys in {} rest", cluster.shown())).hint(
        "every node has the same: copy master.key from the node that started first, or give it in GRANTOR_MASTER_KEY or \
         [master_key] file"
            .to_owned(),
    )
}

async fn connect(configuration: &Configuration, cluster: &Cluster) -> Result<Arc<dyn Store>> {
    if let Some(key) = master_key::present(configuration)? {
        let is_this = grantor_store_postgres::is_master_key(&client(cluster).await?, &master_key::digest(&key)).await;
        if is_this.context(|| format!("look at {}", cluster.shown()))? == Some(false) {
            return Err(another_key(cluster));
        }
    }
    let store = PostgresStore::connect(cluster.url()?.expose(), Options::default())
        .await
        .context(|| format!("open {}", cluster.shown()))?;
    Ok(Arc::new(store))
}

fn target(cluster: &Cluster) -> Result<Target> {
    Target::parse(cluster.url()?.expose()).context(|| "connect to the database".to_owned())
}

/// The copy that is about to take the place of a database that is broken. While it is there nothing is opened: of the
/// database and its log, only one may be left.
pub(crate) const REPLACING: &str = "grantor.db.replacing";

async fn in_a_file(configuration: &Configuration) -> Result<Arc<dyn Store>> {
    let mut lock = Lock::shared(&configuration.data)?;
    let database = whole(configuration)?;
    if grantor_store_sqlite::is_behind(&database).context(|| format!("open {}", database.display()))? {
        drop(lock);
        // A server of the release before would go on writing by the old schema.
        let alone = Lock::alone(&configuration.data)?;
        let database = whole(configuration)?;
        // On a thread that nobody waits for when the process is told to stop: every step of it is whole or not there.
        let (tell, told) = oneshot::channel();
        let upgrade = move || {
            let _alone = alone;
            let _ = tell.send(open_file(&database).map(drop));
        };
        let doing = || "bring the database up to date".to_owned();
        thread::Builder::new().name("grantor-upgrade".to_owned()).spawn(upgrade).context(doing)?;
        told.await.context(doing)??;
        lock = Lock::shared(&configuration.data)?;
    }
    lock.keep();
    Ok(Arc::new(open_file(&whole(configuration)?)?))
}

/// The database, unless it is about to be replaced.
fn whole(configuration: &Configuration) -> Result<PathBuf> {
    let database = configuration.database();
    if configuration.data.join(REPLACING).exists() {
        return Err(Failure::new(format!("a restore of {} was broken off", database.display()))
            .hint("do it again: `grantor restore FILE --yes`".to_owned()));
    }
    Ok(database)
}

fn open_file(database: &Path) -> Result<SqliteStore> {
    SqliteStore::open(database).context(|| format!("open {}", database.display()))
}

/// Every process that has the database of a data directory open shares it; whoever puts another in its place has it alone.
#[derive(Debug)]
pub(crate) struct Lock(Option<File>);

/// Its file in the data directory.
const LOCK: &str = "grantor.lock";

impl Lock {
    /// Nobody else has it.
    pub(crate) fn alone(data: &Path) -> Result<Self> {
        let file = open_lock(data).context(|| format!("lock {}", data.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(Some(file))),
            Err(TryLockError::WouldBlock) => {
                Err(Failure::new(format!("a server or a command uses {}", data.display()))
                    .hint("stop it first".to_owned()))
            }
            Err(TryLockError::Error(error)) => Err(Failure::new(format!("cannot lock {}: {error}", data.display()))),
        }
    }

    /// Nobody puts another in its place. Where no file can be made, nobody can do that either.
    fn shared(data: &Path) -> Result<Self> {
        let Ok(file) = open_lock(data) else { return Ok(Self(None)) };
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => {
                Err(Failure::new(format!("a restore or an upgrade is at work on {}", data.display()))
                    .hint("try again in a moment".to_owned()))
            }
            // A file system that has no locks has to do without.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Self(Some(file))),
        }
    }

    /// Until the process ends.
    fn keep(self) {
        std::mem::forget(self.0);
    }
}

fn open_lock(data: &Path) -> std::io::Result<File> {
    File::options().create(true).truncate(false).write(true).open(data.join(LOCK))
}

/// The file that says that the data was made by the demo.
const DEMO: &str = "demo";

/// Whether the data was made by the demo: its user has a password that everybody knows.
pub(crate) fn is_demo(configuration: &Configuration) -> bool {
    configuration.data.join(DEMO).exists()
}

/// Takes a data directory for the demo, unless a real server has begun to use it.
pub(crate) fn claim_for_demo(configuration: &Configuration) -> Result<()> {
    if configuration.database().exists() && !is_demo(configuration) {
        return Err(Failure::new(format!("the data in {} is not the demo's", configuration.data.display())).hint(
            "the demo would add a user with a password that everybody knows; name another directory".to_owned(),
        ));
    }
    scratch::create_private(&configuration.data)?;
    let path = configuration.data.join(DEMO);
    std::fs::write(&path, "made by grantor demo\n").context(|| format!("write {}", path.display()))
}

/// The file that says for which issuer a data directory is used, so that single steps need not be told.
const ISSUER: &str = "issuer";

/// Writes down for which issuer the data is used. Gives the one before, if it was another.
pub(crate) fn remember_issuer(configuration: &Configuration) -> Result<Option<Issuer>> {
    let before = remembered_issuer(configuration);
    if before.as_ref() == Some(&configuration.issuer) {
        return Ok(None);
    }
    let path = configuration.data.join(ISSUER);
    std::fs::write(&path, format!("{}\n", configuration.issuer)).context(|| format!("write {}", path.display()))?;
    Ok(before)
}

/// The issuer that was configured, or else the one for which the data was last used.
pub(crate) fn issuer(configuration: &Configuration) -> Issuer {
    let remembered = configuration.issuer_is_default.then(|| remembered_issuer(configuration)).flatten();
    remembered.unwrap_or_else(|| configuration.issuer.clone())
}

fn remembered_issuer(configuration: &Configuration) -> Option<Issuer> {
    let text = std::fs::read_to_string(configuration.data.join(ISSUER)).ok()?;
    Issuer::parse(text.trim())
}
