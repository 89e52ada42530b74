//! Audit events that come so often that ten seconds have two lines at the most for all that are alike: tokens that
//! applications obtain for themselves, or with one grant. Nothing else is stored of such a token, so that what is stored
//! grows with time and not with tokens; and where very many differ, not with their number either, since a window then
//! lasts longer.

use crate::audit::note;
use crate::world::World;
use grantor_protocol::audit::Event;
use grantor_protocol::value::{EventId, UnixTime};
use grantor_store::Store;
use hashbrown::HashTable;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is counted of the window that is running.
pub(crate) struct Tally {
    store: Arc<dyn Store>,
    world: Arc<dyn World>,
    key: RandomState,
    window: Mutex<Window>,
}

struct Window {
    began: i64,
    lines: HashTable<Line>,
}

/// An event that was written, and how many like it came after it. Boxed, so that those of ten thousand tenants, which are
/// looked for with each token, lie close together.
struct Line {
    digest: u64,
    more: u64,
    event: Box<Event>,
}

/// So many seconds share a line, at the least. Whoever dies without a word loses the count of the window, never that it
/// happened at all.
const WINDOW: i64 = 10;
/// And so many at the most, where there are many kinds: a line of each lies on a page of its own, as lines are kept by
/// tenant.
const LONGEST_WINDOW: i64 = 60;
/// For so many kinds a window is one second long, for twice as many two: of so many are lines written in a second.
const KINDS_A_SECOND: i64 = 100;
/// So many kinds of events are told apart in a window; the rest is written one by one.
const MOST_LINES: usize = 10_000;

impl Tally {
    /// Nothing counted yet.
    pub(crate) fn new(store: Arc<dyn Store>, world: Arc<dyn World>) -> Self {
        let window = Window { began: 0, lines: HashTable::new() };
        Self { store, world, key: RandomState::new(), window: Mutex::new(window) }
    }

    /// Counts an event. The first of its window is written at once.
    pub(crate) fn count(&self, now: UnixTime, features: impl Hash, event: impl FnOnce() -> Event) {
        // Two kinds that meet in one digest would share their lines: with a random key and 64 bits they do not.
        let digest = self.key.hash_one(features);
        let mut window = self.lock();
        let over = window.roll(now);
        let first = match window.lines.find_mut(digest, |line| line.digest == digest) {
            Some(line) => {
                line.more += 1;
                None
            }
            None => Some(event()),
        };
        if let Some(event) = &first
            && window.lines.len() < MOST_LINES
        {
            let line = Line { digest, more: 0, event: Box::new(event.clone()) };
            window.lines.insert_unique(digest, line, |line| line.digest);
        }
        drop(window);
        self.write(over);
        if let Some(event) = first {
            note(&*self.store, event);
        }
    }

    /// Writes what was counted of windows that are over.
    pub(crate) fn finish(&self, now: UnixTime) {
        let over = self.lock().roll(now);
        self.write(over);
    }

    /// Writes all that was counted: no more is to come.
    pub(crate) fn end(&self) {
        let over = std::mem::take(&mut self.lock().lines);
        self.write(over);
    }

    fn write(&self, over: HashTable<Line>) {
        for Line { event, more, .. } in over.into_iter().filter(|line| line.more > 0) {
            let id = EventId::new(self.world.millis(), self.world.random());
            let mut event = Event { id, request_id: None, ..*event };
            event.details.insert("further_alike".to_owned(), more.into());
            note(&*self.store, event);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Window {
    /// Begins a new one, if its time has come, and gives what was counted of the one before.
    fn roll(&mut self, now: UnixTime) -> HashTable<Line> {
        let kinds = i64::try_from(self.lines.len()).unwrap_or(i64::MAX);
        let length = (kinds / KINDS_A_SECOND).clamp(WINDOW, LONGEST_WINDOW);
        if (self.began..self.began.saturating_add(length)).contains(&now.get()) {
            return HashTable::new();
        }
        self.began = now.get() - now.get().rem_euclid(WINDOW);
        std::mem::take(&mut self.lines)
    }
}

/// What was counted is not lost when the server ends.
impl Drop for Tally {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::SystemWorld;
    use grantor_protocol::audit::{Action, Outcome};
    use grantor_protocol::value::TenantName;
    use grantor_store::{AuditLog as _, MemoryStore};

    fn event(actor: &str, time: UnixTime) -> Event {
        Event {
            id: EventId::new(1, (&SystemWorld as &dyn World).random()),
            time,
            tenant: TenantName::default(),
            action: Action::Token,
            outcome: Outcome::Allowed,
            actor: Some(actor.to_owned()),
            target: None,
            address: None,
            request_id: Some("r".to_owned()),
            details: serde_json::Map::new(),
        }
    }

    /// Actor, time, request, and how many further ones.
    async fn written(store: &MemoryStore) -> Vec<(String, i64, bool, u64)> {
        let events = store.events(&TenantName::default(), None, 1000).await.unwrap();
        let line = |event: &Event| {
            let more = event.details.get("further_alike").and_then(serde_json::Value::as_u64).unwrap_or(0);
            (event.actor.clone().unwrap(), event.time.get(), event.request_id.is_some(), more)
        };
        let mut lines: Vec<_> = events.iter().map(line).collect();
        lines.sort();
        lines
    }

    #[tokio::test]
    async fn ten_seconds_have_the_first_event_of_each_kind_and_the_number_of_the_others() {
        let store = Arc::new(MemoryStore::new());
        let tally = Tally::new(Arc::clone(&store) as Arc<dyn Store>, Arc::new(SystemWorld));
        let count = |actor: &str, second| {
            let now = UnixTime::new(second);
            tally.count(now, actor, || event(actor, now));
        };
        for (actor, second) in [("a", 10), ("b", 10), ("a", 13), ("a", 19)] {
            count(actor, second);
        }
        let (first, other) = (("a".to_owned(), 10, true, 0), ("b".to_owned(), 10, true, 0));
        assert_eq!(written(&store).await, [first.clone(), other.clone()]);
        tally.finish(UnixTime::new(19));
        assert_eq!(written(&store).await.len(), 2, "the window is not over");
        count("b", 20);
        let further = ("a".to_owned(), 10, false, 2);
        assert_eq!(written(&store).await, [further.clone(), first, other, ("b".to_owned(), 20, true, 0)]);
        count("b", 29);
        tally.finish(UnixTime::new(30));
        assert!(written(&store).await.contains(&("b".to_owned(), 20, false, 1)));
        count("c", 31);
        count("c", 31);
        drop(tally);
        assert!(written(&store).await.contains(&("c".to_owned(), 31, false, 1)));
    }

    #[tokio::test]
    async fn a_window_of_many_kinds_lasts_longer_and_none_longer_than_a_minute() {
        for (kinds, lasts) in [(1_000, 10), (2_000, 20), (MOST_LINES, 60)] {
            let store = Arc::new(MemoryStore::new());
            let tally = Tally::new(Arc::clone(&store) as Arc<dyn Store>, Arc::new(SystemWorld));
            let now = UnixTime::new(120);
            (0..kinds).for_each(|kind| tally.count(now, kind, || event("a", now)));
            tally.count(now, 0_usize, || event("b", now));
            tally.finish(UnixTime::new(119 + lasts));
            assert_eq!(written_at_all(&store).await, kinds, "{kinds} kinds");
            tally.finish(UnixTime::new(120 + lasts));
            assert_eq!(written_at_all(&store).await, kinds + 1, "{kinds} kinds");
        }
    }

    #[tokio::test]
    async fn kinds_beyond_the_bound_are_written_one_by_one() {
        let store = Arc::new(MemoryStore::new());
        let tally = Tally::new(Arc::clone(&store) as Arc<dyn Store>, Arc::new(SystemWorld));
        let now = UnixTime::new(1);
        (0..MOST_LINES).for_each(|kind| tally.count(now, kind, || event("a", now)));
        let before = written_at_all(&store).await;
        (0..3).for_each(|_| tally.count(now, "one more", || event("b", now)));
        assert_eq!(written_at_all(&store).await, before + 3);
        assert_eq!(tally.lock().lines.len(), MOST_LINES);
    }

    async fn written_at_all(store: &MemoryStore) -> usize {
        store.events(&TenantName::default(), None, usize::MAX).await.unwrap().len()
    }
}
