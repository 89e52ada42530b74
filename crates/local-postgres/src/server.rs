//! One server, its databases and its standby.

use crate::binaries::{User, output, program};
use crate::home::{Home, log_of};
use crate::process::Postmaster;
use rustix::process::Signal;
use std::fs::File;
use std::io::{self, Error, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::{OpenOptionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{fs, iter};

/// How often a server is started again when another program took its port in the meantime.
const TRIES: usize = 5;
const PATIENCE: Duration = Duration::from_secs(30);

/// How a server is set up: PostgreSQL's own defaults, so that it is as durable, but with room for many connections.
#[derive(Clone, Debug, Default)]
pub struct Options {
    settings: Vec<(String, String)>,
}

impl Options {
    /// A setting of postgresql.conf, the last of one name wins: `set("fsync", "off")`.
    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// When a commit on the primary is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replication {
    /// When the standby has it on its disk too.
    Synchronous,
    /// When the primary has it on its disk.
    Asynchronous,
}

/// A PostgreSQL server on 127.0.0.1. Ended, and its data removed, when it is dropped.
pub struct Server {
    directory: PathBuf,
    port: u16,
    settings: Vec<(String, String)>,
    /// None while it is down.
    running: Option<Postmaster>,
    databases: AtomicU32,
}

impl Server {
    /// The server that all tests of a process share; started at the first call.
    pub fn shared() -> io::Result<&'static Self> {
        static SHARED: OnceLock<Result<Server, String>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| Self::start(Options::default()).map_err(|why| why.to_string()));
        shared.as_ref().map_err(|why| Error::other(why.clone()))
    }

    /// Starts a server on an empty cluster; returns when it takes connections. Fails when PostgreSQL is not installed.
    pub fn start(options: Options) -> io::Result<Self> {
        Self::start_in(Home::of_process()?.cluster()?, options.settings)
    }

    fn start_in(directory: PathBuf, more: Vec<(String, String)>) -> io::Result<Self> {
        let own = [("listen_addresses", "127.0.0.1"), ("unix_socket_directories", ""), ("max_connections", "300")];
        let mut settings: Vec<_> = own.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        settings.extend(more);
        for _ in 1..TRIES {
            let port = free_port()?;
            match Postmaster::start(&directory, port, &settings) {
                Err(why) if why.to_string().contains("Address already in use") => {}
                started => return Ok(Self::new(directory, port, settings, started?)),
            }
        }
        let port = free_port()?;
        let started = Postmaster::start(&directory, port, &settings)?;
        Ok(Self::new(directory, port, settings, started))
    }

    fn new(directory: PathBuf, port: u16, settings: Vec<(String, String)>, postmaster: Postmaster) -> Self {
        Self { directory, port, settings, running: Some(postmaster), databases: AtomicU32::new(0) }
    }

    /// The port that it listens on; it stays the same over restarts.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The data directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The log, so far.
    pub fn log(&self) -> String {
        fs::read_to_string(log_of(&self.directory)).unwrap_or_default()
    }

    /// The URL of the database that is always there, `postgres`.
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// The URL of a database.
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes an empty database of this name, in the place of one that may be there. Gives its URL. A name has letters,
    /// digits and underscores.
    pub fn database(&self, name: &str) -> io::Result<String> {
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(Error::other(format!("{name:?} is no name for a database")));
        }
        self.sql("postgres", &format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)"))?;
        self.sql("postgres", &format!("CREATE DATABASE \"{name}\""))?;
        Ok(self.url_of(name))
    }

    /// Makes an empty database that nobody else has. Gives its URL.
    pub fn fresh_database(&self) -> io::Result<String> {
        let name = format!("fresh_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"))?;
        Ok(self.url_of(&name))
    }

    /// Runs one statement by `psql`. Gives what it printed: a row per line, columns with `|` between them.
    pub fn sql(&self, database: &str, statement: &str) -> io::Result<String> {
        let mut psql = program("psql")?;
        psql.args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement]).arg(self.url_of(database));
        Ok(output(psql.current_dir("/"))?.trim_end().to_owned())
    }

    /// Has it offer TLS from now on, with this certificate and its key, in PEM. Connections without TLS are taken as before.
    pub fn secure(&self, certificate: &str, key: &str) -> io::Result<()> {
        for (name, pem) in [("server.crt", certificate), ("server.key", key)] {
            let file = self.directory.join(name);
            // It refuses a key that others may read.
            let mut open = File::options();
            open.write(true).create_new(true).mode(0o600).open(&file)?.write_all(pem.as_bytes())?;
            if let Some(user) = User::of_servers()? {
                chown(&file, Some(user.uid), Some(user.gid))?;
            }
        }
        self.sql("postgres", "ALTER SYSTEM SET ssl = on")?;
        self.sql("postgres", "SELECT pg_reload_conf()")?;
        self.wait_for("SHOW ssl", "on", "the server does not take its certificate")
    }

    /// Kills all of its processes with SIGKILL, as a crash would. No error when it is down already.
    pub fn kill(&mut self) -> io::Result<()> {
        self.running.take().map_or(Ok(()), |mut postmaster| postmaster.kill())
    }

    /// Ends it in order: whoever is connected is cut off.
    pub fn stop(&mut self) -> io::Result<()> {
        self.running.take().map_or(Ok(()), |mut postmaster| postmaster.end(Signal::INT))
    }

    /// Starts it again on the same data and port, after killing it if it is up; returns when it takes connections.
    pub fn restart(&mut self) -> io::Result<()> {
        self.kill()?;
        self.running = Some(Postmaster::start(&self.directory, self.port, &self.settings)?);
        Ok(())
    }

    /// Stops all of its processes where they are, with SIGSTOP: its connections stay open and nothing answers.
    pub fn freeze(&self) -> io::Result<()> {
        self.running()?.signal_all(Signal::STOP)
    }

    /// Lets it go on after [`Self::freeze`].
    pub fn thaw(&self) -> io::Result<()> {
        self.running()?.signal_all(Signal::CONT)
    }

    /// A streaming standby of this server, with a port and a directory of its own and the same settings. Returns when it
    /// follows; with [`Replication::Synchronous`], from then on nothing is acknowledged here that is not there too.
    pub fn standby(&self, replication: Replication) -> io::Result<Self> {
        let place = Home::of_process()?.place();
        let name = "grantor_standby";
        let source = format!("host=127.0.0.1 port={} user=postgres application_name={name}", self.port);
        let mut copy = program("pg_basebackup")?;
        copy.args(["--checkpoint=fast", "--write-recovery-conf", "--wal-method=stream", "-d", &source, "-D"]);
        output(copy.arg(&place).current_dir("/"))?;
        let standby = Self::start_in(place, self.settings.clone())?;
        if replication == Replication::Synchronous {
            self.sql("postgres", &format!("ALTER SYSTEM SET synchronous_standby_names = '{name}'"))?;
            self.sql("postgres", "SELECT pg_reload_conf()")?;
        }
        let state = match replication {
            Replication::Synchronous => "sync",
            Replication::Asynchronous => "async",
        };
        let question = format!(
            "SELECT count(*) FROM pg_stat_replication WHERE application_name = '{name}' AND state = 'streaming' \
             AND sync_state = '{state}'"
        );
        self.wait_for(&question, "1", "the standby does not follow")?;
        Ok(standby)
    }

    /// Makes a standby the primary; returns when it takes writes.
    pub fn promote(&self) -> io::Result<()> {
        self.sql("postgres", "SELECT pg_promote(true, 60)")?;
        self.wait_for("SELECT pg_is_in_recovery()", "f", "the standby was not promoted")
    }

    fn wait_for(&self, question: &str, wanted: &str, failure: &str) -> io::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while self.sql("postgres", question)? != wanted {
            if Instant::now() > deadline {
                return Err(Error::other(failure));
            }
            sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn running(&self) -> io::Result<&Postmaster> {
        self.running.as_ref().ok_or_else(|| Error::other("the server is down"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.kill();
        let _ = fs::remove_dir_all(&self.directory);
        let _ = fs::remove_file(log_of(&self.directory));
    }
}

/// Below those that outgoing connections take: one of them could have it while the server is down.
fn free_port() -> io::Result<u16> {
    let mut ports = iter::repeat_with(|| fastrand::u16(20_000..30_000)).take(100);
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).ok_or_else(|| Error::other("no port is free"))
}
