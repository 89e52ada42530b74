//! A server as a process: started on its core, asked what it used, ended.

use crate::affinity;
use crate::failure::{Result, broken};
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server may take until it accepts connections.
const PATIENCE: Duration = Duration::from_mins(2);

/// A running server. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// Where it answers.
    pub(crate) address: SocketAddr,
}

impl Process {
    /// Starts it on the servers' core and waits until it accepts connections. What it says goes to `log`.
    pub(crate) fn start(command: &mut Command, address: SocketAddr, log: &Path) -> Result<Self> {
        let file = File::create(log)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let shown = command.get_program().to_string_lossy().into_owned();
        let child = affinity::on_server_core(|| command.spawn()).map_err(|error| format!("{shown}: {error}"))?;
        let mut process = Self { child, address };
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            if process.child.try_wait()?.is_some() || begun.elapsed() > PATIENCE {
                return broken(format!("{shown} did not start; see {}", log.display()));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(process)
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The processor time of all its threads until now.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        cpu_of(self.id())
    }

    /// What it holds in memory now, in bytes.
    pub(crate) fn memory(&self) -> Result<u64> {
        status_of(self.id(), "VmRSS:")
    }

    /// The most that it ever held, in bytes.
    pub(crate) fn peak(&self) -> Result<u64> {
        status_of(self.id(), "VmHWM:")
    }
}

impl Drop for Process {
    /// First as an operator would, then at once.
    fn drop(&mut self) {
        let id = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(id) = id {
            let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        }
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(5) {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address at which nobody listens.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// User and system time, from /proc.
pub(crate) fn cpu_of(id: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The name in parentheses may hold anything; what follows it is the third field.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
    let (Some(user), Some(system)) = (ticks(11), ticks(12)) else { return broken("/proc/PID/stat has another form") };
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    Ok(Duration::from_micros((user + system) * 1_000_000 / per_second))
}

fn status_of(id: u32, line: &str) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let found = status.lines().find_map(|found| found.strip_prefix(line));
    let kib = found.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.map(|kib| kib * 1024).ok_or_else(|| "/proc/PID/status has another form".into())
}
