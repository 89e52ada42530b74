//! The directory of all servers of a process, and the watchdog that ends them when the process has ended.

use crate::binaries::{User, output, program};
use std::fs::File;
use std::io::{self, Error};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Waits for the end of its standard input, of which nobody but the process that started it holds the other end: it comes
/// when that process is gone, also by SIGKILL. What is typed at the terminal is not meant for it.
const WATCHDOG: &str = r#"
trap '' INT TERM HUP
while read -r _; do :; done
for file in "$0"/*/postmaster.pid; do
    [ -f "$file" ] || continue
    read -r pid < "$file"
    kill -CONT "$pid" 2>/dev/null
    kill -QUIT "$pid" 2>/dev/null
    tries=0
    while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
    kill -KILL "$pid" 2>/dev/null
done
rm -rf "$0"
"#;

/// What all servers of the process share.
pub(crate) struct Home {
    directory: PathBuf,
    template: PathBuf,
    next: AtomicU32,
    _watchdog: Child,
}

impl Home {
    /// Made at the first call, with an empty cluster that later ones are copied from.
    pub(crate) fn of_process() -> io::Result<&'static Self> {
        static HOME: OnceLock<Result<Home, String>> = OnceLock::new();
        HOME.get_or_init(|| Self::make().map_err(|why| why.to_string()))
            .as_ref()
            .map_err(|why| Error::other(why.clone()))
    }

    /// A directory for one server; it does not exist yet.
    pub(crate) fn place(&self) -> PathBuf {
        self.directory.join(format!("server-{}", self.next.fetch_add(1, Ordering::Relaxed)))
    }

    /// An empty cluster.
    pub(crate) fn cluster(&self) -> io::Result<PathBuf> {
        let place = self.place();
        // It keeps owners and modes, on which PostgreSQL insists.
        output(Command::new("cp").arg("-a").arg(&self.template).arg(&place))?;
        Ok(place)
    }

    fn make() -> io::Result<Self> {
        let directory = tempfile::Builder::new().prefix("grantor-postgres-").tempdir()?;
        if let Some(user) = User::of_servers()? {
            chown(directory.path(), Some(user.uid), Some(user.gid))?;
        }
        let template = directory.path().join("template");
        initialize(&template)?;
        let watchdog = Command::new("sh")
            .args(["-c", WATCHDOG])
            .arg(directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok(Self { directory: directory.keep(), template, next: AtomicU32::new(1), _watchdog: watchdog })
    }
}

fn initialize(directory: &Path) -> io::Result<()> {
    let mut initdb = program("initdb")?;
    initdb.args(["--no-sync", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "-D"]);
    output(initdb.arg(directory).current_dir("/")).map(drop)
}

/// The log of the server whose directory this is; beside it, because a copy of the directory must not have it.
pub(crate) fn log_of(directory: &Path) -> PathBuf {
    directory.with_extension("log")
}

/// Opens the log for more.
pub(crate) fn open_log(directory: &Path) -> io::Result<File> {
    File::options().create(true).append(true).open(log_of(directory))
}
