//! Where PostgreSQL's programs are, and as whom they run.

use std::fs;
use std::io::{self, Error};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Debian keeps the programs of a server here, by version, and not on the PATH.
const DEBIAN: &str = "/usr/lib/postgresql";

/// One of PostgreSQL's programs: of the newest version that Debian installed, or on the PATH.
pub(crate) fn program(name: &str) -> io::Result<Command> {
    let mut command = Command::new(find(name)?);
    command.stdin(Stdio::null()).env("LC_ALL", "C");
    if let Some(user) = User::of_servers()? {
        command.uid(user.uid).gid(user.gid);
    }
    Ok(command)
}

/// Runs it. Gives its standard output, or an error with its standard error.
pub(crate) fn output(command: &mut Command) -> io::Result<String> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let name = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy();
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Error::other(format!("{name}: {}: {}", output.status, said.trim())))
}

fn find(name: &str) -> io::Result<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir(DEBIAN)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin").join(name))))
        .filter(|(_, file)| file.is_file())
        .collect();
    versions.sort();
    if let Some((_, file)) = versions.pop() {
        return Ok(file);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|file| file.is_file())
        .ok_or_else(|| Error::other(format!("{name} is missing: Debian's package is postgresql")))
}

/// A user of the machine.
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl User {
    /// PostgreSQL refuses to run as root: then it runs as `postgres`, and otherwise as whoever runs this.
    pub(crate) fn of_servers() -> io::Result<Option<Self>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let users = fs::read_to_string("/etc/passwd")?;
        let found = users.lines().filter_map(|line| line.strip_prefix("postgres:")).find_map(|line| {
            let mut fields = line.split(':').skip(1);
            Some(Self { uid: fields.next()?.parse().ok()?, gid: fields.next()?.parse().ok()? })
        });
        found.map(Some).ok_or_else(|| Error::other("there is no user postgres, and PostgreSQL refuses to run as root"))
    }
}
