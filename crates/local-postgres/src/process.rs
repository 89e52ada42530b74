//! The processes of one running server.

use crate::binaries::program;
use crate::home::{log_of, open_log};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::fs;
use std::io::{self, Error};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A server that recovers from a crash takes its time.
const PATIENCE: Duration = Duration::from_mins(1);
const GLANCE: Duration = Duration::from_millis(10);

/// A postmaster, which has all others as children.
pub(crate) struct Postmaster {
    child: Child,
}

impl Postmaster {
    /// Starts it; returns when it takes connections.
    pub(crate) fn start(directory: &Path, port: u16, settings: &[(String, String)]) -> io::Result<Self> {
        let log = open_log(directory)?;
        let mut postgres = program("postgres")?;
        postgres.arg("-D").arg(directory).args(["-p", &port.to_string()]).current_dir("/");
        for (name, value) in settings {
            postgres.args(["-c", &format!("{name}={value}")]);
        }
        // Ctrl-C at the terminal is not meant for it.
        postgres.process_group(0).stdout(log.try_clone()?).stderr(log);
        let mut this = Self { child: postgres.spawn()? };
        let deadline = Instant::now() + PATIENCE;
        while !is_ready(directory, this.child.id()) {
            if this.child.try_wait()?.is_some() {
                return Err(Error::other(format!("PostgreSQL ended while it started: {}", last_words(directory))));
            }
            if Instant::now() > deadline {
                this.kill()?;
                return Err(Error::other(format!("PostgreSQL did not start: {}", last_words(directory))));
            }
            sleep(GLANCE);
        }
        Ok(this)
    }

    /// Sends one of PostgreSQL's signals to the postmaster alone.
    pub(crate) fn signal(&self, signal: Signal) -> io::Result<()> {
        Ok(kill_process(pid(self.child.id())?, signal)?)
    }

    /// Sends a signal to every process of the server.
    pub(crate) fn signal_all(&self, signal: Signal) -> io::Result<()> {
        self.signal(signal)?;
        for child in self.children() {
            // It may have ended by itself in between.
            let _ = kill_process(child, signal);
        }
        Ok(())
    }

    /// Sends the signal and waits for the end.
    pub(crate) fn end(&mut self, signal: Signal) -> io::Result<()> {
        self.signal(signal)?;
        self.child.wait().map(drop)
    }

    /// SIGKILL to all of its processes; returns when none is left.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        let mut children = self.children();
        self.child.kill()?;
        self.child.wait()?;
        // Orphans look up at times and go when their postmaster is gone; this is quicker.
        for child in &children {
            let _ = kill_process(*child, Signal::KILL);
        }
        let deadline = Instant::now() + PATIENCE;
        while !children.is_empty() {
            children.retain(|child| test_kill_process(*child).is_ok() && !is_zombie(*child));
            if Instant::now() > deadline {
                return Err(Error::other("a process of PostgreSQL survived SIGKILL"));
            }
            sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    fn children(&self) -> Vec<Pid> {
        let id = self.child.id();
        let listed = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        listed.split_whitespace().filter_map(|child| pid(child.parse().ok()?).ok()).collect()
    }
}

/// The last line of its status file says so, as for `pg_ctl`. The file of a server that was killed is still there, under
/// that one's process id.
fn is_ready(directory: &Path, id: u32) -> bool {
    let status = fs::read_to_string(directory.join("postmaster.pid")).unwrap_or_default();
    let mut lines = status.lines();
    lines.next().is_some_and(|first| first == id.to_string()) && lines.nth(6).is_some_and(|last| last.trim() == "ready")
}

/// Nobody is left who would wait for it: an orphan in a container without an init.
fn is_zombie(pid: Pid) -> bool {
    let status = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    status.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'))
}

fn pid(id: u32) -> io::Result<Pid> {
    i32::try_from(id).ok().and_then(Pid::from_raw).ok_or_else(|| Error::other(format!("{id} is no process")))
}

fn last_words(directory: &Path) -> String {
    let log = fs::read_to_string(log_of(directory)).unwrap_or_default();
    let mut lines: Vec<_> = log.lines().rev().take(8).collect();
    lines.reverse();
    lines.join("\n")
}
