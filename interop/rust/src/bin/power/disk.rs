//! The disk as it would be found after a loss of power: made of what the shim wrote down.

use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;
/// What a page cache hands to the disk in any order.
const PAGE: usize = 4096;

/// Something that happened to a file.
enum Change {
    Write { offset: usize, data: Vec<u8> },
    Truncate(usize),
}

#[derive(Default)]
struct File {
    /// What a sync has brought to the disk.
    safe: Vec<u8>,
    /// What the disk may have or not.
    pending: Vec<Change>,
    /// Whether its name is on the disk for certain: it, or its directory, was synced since it was made.
    named: bool,
}

/// The files at one moment of the log.
pub struct Disk {
    log: Vec<u8>,
    at: usize,
    files: BTreeMap<PathBuf, File>,
    lies: bool,
}

impl Disk {
    /// The disk before the first record: the files of `base`, as if they lay in `folder`.
    pub fn new(log: Vec<u8>, base: &Path, folder: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        for file in fs::read_dir(base)? {
            let file = file?;
            let safe = File { safe: fs::read(file.path())?, named: true, ..File::default() };
            files.insert(folder.join(file.file_name()), safe);
        }
        Ok(Self { log, at: 0, files, lies: false })
    }

    /// The same, but a sync brings nothing to the disk.
    #[must_use]
    pub fn that_lies(self) -> Self {
        Self { lies: true, ..self }
    }

    /// How far it came.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Goes on for as long as whole records end at this length of the log or before.
    pub fn advance(&mut self, to: usize) -> Result<()> {
        while self.at < to.min(self.log.len()) {
            let head = self.log.get(self.at..self.at + 17).context("half a record")?;
            let kind = head[0];
            let path_length = u32::from_le_bytes(head[1..5].try_into()?) as usize;
            let data_length = u32::from_le_bytes(head[5..9].try_into()?) as usize;
            let offset = usize::try_from(u64::from_le_bytes(head[9..17].try_into()?))?;
            let body = self.at + 17;
            let path = self.log.get(body..body + path_length).context("half a path")?;
            let path = PathBuf::from(OsStr::from_bytes(path));
            let end = body + path_length + data_length;
            if end > to {
                return Ok(());
            }
            let data = self.log.get(body + path_length..end).context("half a change")?.to_vec();
            self.at = end;
            self.happen(kind, path, offset, data)?;
        }
        Ok(())
    }

    fn happen(&mut self, kind: u8, path: PathBuf, offset: usize, data: Vec<u8>) -> Result<()> {
        // SQLite makes its index of the log anew, and nobody syncs it.
        if path.extension().is_some_and(|end| end == "db-shm") {
            return Ok(());
        }
        match kind {
            1 => self.file(path).pending.push(Change::Write { offset, data }),
            2 => self.file(path).pending.push(Change::Truncate(offset)),
            3 if self.lies => {}
            3 => self.sync(&path),
            4 => drop(self.file(path)),
            5 => drop(self.files.remove(&path)),
            6 => {
                let file = self.files.remove(&path).unwrap_or_default();
                self.files.insert(PathBuf::from(OsStr::from_bytes(&data)), File { named: false, ..file });
            }
            7 => {
                let safe = self.files.get(&path).map(|file| file.safe.clone()).unwrap_or_default();
                let to = PathBuf::from(OsStr::from_bytes(&data));
                self.files.insert(to, File { safe, ..File::default() });
            }
            other => bail!("a record of kind {other}"),
        }
        Ok(())
    }

    fn file(&mut self, path: PathBuf) -> &mut File {
        self.files.entry(path).or_default()
    }

    fn sync(&mut self, path: &Path) {
        if let Some(file) = self.files.get_mut(path) {
            for change in std::mem::take(&mut file.pending) {
                apply(&mut file.safe, &change);
            }
            file.named = true;
        }
        for (name, file) in &mut self.files {
            file.named |= name.parent() == Some(path);
        }
    }

    /// The disk after a loss of power now, with the files of `from` in `to`. Of what was not synced, each page, and now and
    /// then each sector, is there or not.
    pub fn lose_power(&self, from: &Path, to: &Path) -> Result<()> {
        let _ = fs::remove_dir_all(to);
        fs::create_dir_all(to)?;
        for (path, file) in &self.files {
            if !file.named && fastrand::bool() {
                continue;
            }
            let mut content = file.safe.clone();
            let torn = fastrand::u8(0..4) == 0;
            for change in &file.pending {
                match change {
                    Change::Write { offset, data } => {
                        for (start, piece) in pieces(*offset, data, if torn { SECTOR } else { PAGE }) {
                            if fastrand::bool() {
                                apply(&mut content, &Change::Write { offset: start, data: piece.to_vec() });
                            }
                        }
                    }
                    Change::Truncate(_) if fastrand::bool() => apply(&mut content, change),
                    Change::Truncate(_) => {}
                }
            }
            let target = to.join(path.strip_prefix(from)?);
            fs::write(&target, content)?;
            fs::set_permissions(&target, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        }
        Ok(())
    }
}

/// A write, cut where the file's blocks of this size begin.
fn pieces(offset: usize, data: &[u8], size: usize) -> Vec<(usize, &[u8])> {
    let mut pieces = Vec::new();
    let (mut at, mut rest) = (offset, data);
    while !rest.is_empty() {
        let length = (size - at % size).min(rest.len());
        let (piece, left) = rest.split_at(length);
        pieces.push((at, piece));
        (at, rest) = (at + length, left);
    }
    pieces
}

fn apply(content: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Truncate(length) => content.resize(*length, 0),
        Change::Write { offset, data } => {
            let end = offset + data.len();
            if content.len() < end {
                content.resize(end, 0);
            }
            content[*offset..end].copy_from_slice(data);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, path: &str, offset: u64, data: &[u8]) -> Vec<u8> {
        let mut record = vec![kind];
        record.extend(u32::try_from(path.len()).unwrap().to_le_bytes());
        record.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
        record.extend(offset.to_le_bytes());
        record.extend(path.as_bytes());
        record.extend(data);
        record
    }

    #[test]
    fn what_was_synced_is_there_and_what_was_not_is_there_or_not() {
        let folder = std::env::temp_dir().join(format!("grantor-disk-{}", fastrand::u64(..)));
        let synced = [record(4, "/d/a", 0, b""), record(1, "/d/a", 0, b"safe"), record(3, "/d/a", 0, b"")].concat();
        let log = [synced.clone(), record(1, "/d/a", 4, b"late")].concat();
        let (whole, mut seen) = (log.len(), [0, 0]);
        let base = folder.with_extension("base");
        fs::create_dir_all(&base).unwrap();
        for _ in 0..64 {
            let mut disk = Disk::new(log.clone(), &base, Path::new("/d")).unwrap();
            disk.advance(synced.len()).unwrap();
            disk.lose_power(Path::new("/d"), &folder).unwrap();
            assert_eq!(fs::read(folder.join("a")).unwrap(), b"safe");
            disk.advance(whole).unwrap();
            disk.lose_power(Path::new("/d"), &folder).unwrap();
            let found = fs::read(folder.join("a")).unwrap();
            assert!(found.starts_with(b"safe"));
            seen[usize::from(found == b"safelate")] += 1;
        }
        assert!(seen.iter().all(|times| *times > 0), "{seen:?}");
        fs::remove_dir_all(folder).unwrap();
        fs::remove_dir_all(base).unwrap();
    }

    #[test]
    fn a_write_is_cut_at_the_blocks_of_the_file() {
        let lengths: Vec<_> = pieces(510, &[0; 1030], SECTOR).iter().map(|(at, data)| (*at, data.len())).collect();
        assert_eq!(lengths, [(510, 2), (512, 512), (1024, 512), (1536, 4)]);
    }
}
