//! The threads that compute, and when they get a processor.
//!
//! Each thread has a helper in the scheduling class for idle time, which loses the processor to whoever wakes up, and computes
//! there first. Where others take every processor that would take forever, so what is late is computed a second time by the thread
//! itself, which is as entitled to its share as everybody else, only to a smaller one; and so is what comes while the helper
//! is still at it. To the server's own threads that does not happen: they lend the helper some of their time before.
//!
//! The threads stay: one made for each hash is as important as the rest of the server until it has stepped back, and if the
//! server wakes up in these microseconds, the kernel looks at it again only when the clock ticks (`docs/adr/0022`).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// What is computed: perhaps twice, on two threads at once.
pub(super) type Job = Arc<dyn Fn() + Send + Sync>;

/// What is not done in this time, though it was lent a tenth of a processor, is computed a second time.
pub(super) const LATE: Duration = Duration::from_millis(500);
/// So much of a processor is lent to the idle class at a time: nobody takes notice of it.
#[cfg(target_os = "linux")]
const LENT: Duration = Duration::from_micros(300);

/// Starts `count` threads. Whoever sends finds the first that has nothing to do; none is left when sending fails.
pub(super) fn start(count: usize) -> std::io::Result<Sender<Job>> {
    let (jobs, for_all) = channel();
    let for_all = Arc::new(Mutex::new(for_all));
    for _ in 0..count {
        let for_all = Arc::clone(&for_all);
        thread::Builder::new().name("grantor-hash".to_owned()).spawn(move || own_time(&for_all))?;
    }
    Ok(jobs)
}

/// Has jobs computed in idle time, and computes those that are late.
fn own_time(jobs: &Mutex<Receiver<Job>>) {
    // The helper is made before this thread steps back: it would inherit that.
    let mut helper = Helper::start();
    step_back();
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        if !helper.has_done(&job) {
            carry_out(&job);
        }
    }
}

/// A thread that computes only when nobody else wants its processor.
struct Helper {
    /// What it is given: a job, and whom to tell that it is done.
    hand: Sender<(Job, Sender<()>)>,
    /// It tells here that it is done with what was late.
    late: Option<Receiver<()>>,
}

impl Helper {
    /// Where the system has no such class, or no thread to spare, nothing will ever be done by it.
    fn start() -> Self {
        let (hand, handed) = channel::<(Job, Sender<()>)>();
        let compute = move || {
            if !only_idle_time() {
                return;
            }
            while let Ok((job, done)) = handed.recv() {
                carry_out(&job);
                let _ = done.send(());
            }
        };
        let _ = thread::Builder::new().name("grantor-hash".to_owned()).spawn(compute);
        Self { hand, late: None }
    }

    /// Whether it has done this, and in time.
    fn has_done(&mut self, job: &Job) -> bool {
        if self.late.as_ref().is_some_and(|late| late.try_recv() == Err(TryRecvError::Empty)) {
            return false;
        }
        let (done, when_done) = channel();
        let handed = self.hand.send((Arc::clone(job), done)).is_ok();
        let in_time = handed && when_done.recv_timeout(LATE).is_ok();
        self.late = (!in_time).then_some(when_done);
        in_time
    }
}

/// Leaves this thread's processor to the idle class for a moment.
#[cfg(target_os = "linux")]
pub(super) fn lend() {
    thread::sleep(LENT);
}

/// There is no such class.
#[cfg(not(target_os = "linux"))]
pub(super) fn lend() {}

/// A hash that panics leaves its thread to the next.
fn carry_out(job: &Job) {
    let _ = catch_unwind(AssertUnwindSafe(|| job()));
}

/// Puts this thread behind all that are not of this class. Gives whether it could.
#[cfg(target_os = "linux")]
fn only_idle_time() -> bool {
    use thread_priority::{
        NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
        thread_native_id, thread_schedule_policy,
    };
    let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    // It sets a priority as well, which means nothing in this class and may be forbidden.
    let _ = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle);
    thread_schedule_policy().is_ok_and(|policy| policy == idle)
}

#[cfg(not(target_os = "linux"))]
fn only_idle_time() -> bool {
    false
}

/// Lets everything else on this thread's core go first: a hash takes as long as hundreds of tokens. Where every core is
/// taken, hashes still get about a tenth of one.
#[cfg(target_os = "linux")]
fn step_back() {
    // Linux has a priority for each thread. Where that is forbidden, it goes on as it is.
    let _ = rustix::process::nice(NICE);
}

/// How much nicer than all others.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

#[cfg(not(target_os = "linux"))]
fn step_back() {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use thread_priority::{NormalThreadSchedulePolicy, ThreadSchedulePolicy, thread_schedule_policy};

    fn in_the_idle_class() -> bool {
        thread_schedule_policy() == Ok(ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle))
    }

    #[test]
    fn a_hash_is_computed_in_idle_time() {
        let (tell, told) = channel();
        let jobs = start(1).unwrap();
        let job: Job = Arc::new(move || tell.send(in_the_idle_class()).unwrap());
        jobs.send(job).unwrap();
        // Where the machine is busy it may have been computed by the thread itself before.
        let mut seen = std::iter::from_fn(|| told.recv_timeout(Duration::from_mins(1)).ok());
        assert!(seen.any(|idle| idle));
    }

    #[test]
    fn without_idle_time_a_hash_is_computed_all_the_same() {
        let before = rustix::process::nice(0).unwrap();
        let jobs = start(1).unwrap();
        let (tell, told) = channel();
        let (go_on, held) = channel::<()>();
        let held = Mutex::new(held);
        // In idle time it goes on when it is told to, as where there is none.
        let job: Job = Arc::new(move || {
            if in_the_idle_class() {
                tell.send(None).unwrap();
                let _ = held.lock().unwrap().recv();
            } else {
                tell.send(Some(rustix::process::nice(0).unwrap())).unwrap();
            }
        });
        // The helper has the first, and the thread computes it as well once it is late. What comes then it computes at once.
        let own = Some((before + NICE).min(19));
        jobs.send(Arc::clone(&job)).unwrap();
        assert_eq!([told.recv().unwrap(), told.recv().unwrap()], [None, own]);
        for _ in 0..3 {
            jobs.send(Arc::clone(&job)).unwrap();
            assert_eq!(told.recv().unwrap(), own);
        }
        // Let go, the helper is asked again.
        drop(go_on);
        let mut helped = std::iter::repeat_with(|| {
            jobs.send(Arc::clone(&job)).unwrap();
            told.recv().unwrap().is_none()
        });
        assert!(helped.any(|helped| helped));
    }

    #[test]
    fn a_hash_that_panics_takes_no_thread_with_it() {
        let jobs = start(1).unwrap();
        let (tell, told) = channel();
        for _ in 0..3 {
            let tell = tell.clone();
            jobs.send(Arc::new(move || {
                tell.send(()).unwrap();
                std::panic::resume_unwind(Box::new("on purpose"));
            }))
            .unwrap();
            told.recv().unwrap();
        }
    }
}
