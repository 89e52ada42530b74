//! What is read from files, and read again when they change.

use arc_swap::ArcSwap;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

/// Something that files hold, as they were when they could last be read.
pub(super) struct Followed<T> {
    /// For the log.
    what: &'static str,
    paths: Vec<PathBuf>,
    read: Box<dyn Fn() -> io::Result<T> + Send + Sync>,
    current: ArcSwap<T>,
}

const LOOK_EVERY: Duration = Duration::from_secs(2);

impl<T: Send + Sync + 'static> Followed<T> {
    /// Reads the files, and follows them for as long as anybody wants to know.
    pub(super) fn load(
        what: &'static str,
        paths: Vec<PathBuf>,
        read: impl Fn() -> io::Result<T> + Send + Sync + 'static,
    ) -> io::Result<Arc<Self>> {
        // Before they are read: what changes meanwhile is then read once more, and not missed.
        let seen = changed_at(&paths);
        let current = ArcSwap::from_pointee(read()?);
        let followed = Arc::new(Self { what, paths, read: Box::new(read), current });
        tokio::spawn(Self::follow(Arc::downgrade(&followed), seen));
        Ok(followed)
    }

    /// As it is now.
    pub(super) fn current(&self) -> Arc<T> {
        self.current.load_full()
    }

    async fn follow(followed: Weak<Self>, mut seen: Vec<Option<SystemTime>>) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let Some(followed) = followed.upgrade() else { return };
            followed.look(&mut seen);
        }
    }

    /// Reads the files anew if they have changed since they were `seen`.
    fn look(&self, seen: &mut Vec<Option<SystemTime>>) {
        let now = changed_at(&self.paths);
        if now == *seen {
            return;
        }
        let what = self.what;
        match (self.read)() {
            Ok(value) => {
                self.current.store(Arc::new(value));
                *seen = now;
                tracing::info!("{what} was read anew");
            }
            // Half written: the next look will tell.
            Err(error) => tracing::warn!(%error, "{what} changed and cannot be read; what was read last stays"),
        }
    }
}

impl<T> fmt::Debug for Followed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Followed").field(&self.paths).finish()
    }
}

fn changed_at(paths: &[PathBuf]) -> Vec<Option<SystemTime>> {
    paths.iter().map(|path| std::fs::metadata(path).and_then(|meta| meta.modified()).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_cannot_be_read_leaves_what_was_read_last_until_it_is_mended() {
        let path = std::env::temp_dir().join(format!("grantor-followed-{}", std::process::id()));
        let write = |text: &str, second: u64| {
            std::fs::write(&path, text).unwrap();
            let file = std::fs::File::options().write(true).open(&path).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(second)).unwrap();
        };
        write("1", 1);
        let from = path.clone();
        let read = move || std::fs::read_to_string(&from)?.parse::<u32>().map_err(io::Error::other);
        let followed = Followed::load("the number", vec![path.clone()], read).unwrap();
        let mut seen = changed_at(&followed.paths);
        for (text, second, current) in [("2", 2, 2), ("3", 2, 2), ("half of", 3, 2), ("4", 4, 4)] {
            write(text, second);
            followed.look(&mut seen);
            assert_eq!(*followed.current(), current, "{text}");
        }
        std::fs::remove_file(&path).unwrap();
        followed.look(&mut seen);
        assert_eq!(*followed.current(), 4, "gone for a moment");
    }
}
