//! Which core a thread runs on: servers on one, load on another, where there are two.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Where a thread, and whatever it starts from now on, runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Core {
    /// The servers', ours and those that it is compared with.
    Server,
    /// That of the load.
    Load,
}

/// Pins the calling thread. Gives whether it could: a machine with one core has no choice.
pub(crate) fn pin(core: Core) -> bool {
    let cores = cores();
    let wanted = match core {
        Core::Server => cores.first(),
        Core::Load => cores.get(1),
    };
    let (Some(wanted), true) = (wanted, cores.len() > 1) else { return false };
    let mut set = CpuSet::new();
    set.set(*wanted);
    sched_setaffinity(None, &set).is_ok()
}

/// Runs `start` on the servers' core, so that every thread of a program that it starts stays there.
pub(crate) fn on_server_core<T>(start: impl FnOnce() -> T) -> T {
    let before = sched_getaffinity(None);
    pin(Core::Server);
    let started = start();
    if let Ok(before) = before {
        let _ = sched_setaffinity(None, &before);
    }
    started
}

/// Runs `start` with no core of its own, so that what it starts runs wherever there is room.
pub(crate) fn anywhere<T>(start: impl FnOnce() -> T) -> T {
    let before = sched_getaffinity(None);
    let mut all = CpuSet::new();
    for core in cores() {
        all.set(*core);
    }
    let _ = sched_setaffinity(None, &all);
    let done = start();
    if let Ok(before) = before {
        let _ = sched_setaffinity(None, &before);
    }
    done
}

/// The cores that this process was given when it began.
fn cores() -> &'static [usize] {
    static CORES: std::sync::OnceLock<Vec<usize>> = std::sync::OnceLock::new();
    CORES.get_or_init(|| {
        let Ok(set) = sched_getaffinity(None) else { return Vec::new() };
        (0..CpuSet::MAX_CPU).filter(|cpu| set.is_set(*cpu)).collect()
    })
}
