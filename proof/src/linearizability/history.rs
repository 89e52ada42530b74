//! What was asked and what was said, with the times of both: a line of JSON per call, for the judge in `proof/go`.

use anyhow::{Result, ensure};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A call of a verb.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub(super) enum Call {
    /// Redeems the code, with this candidate for its grant.
    Redeem { grant: u64 },
    /// Presents a generation at this second.
    Rotate { grant: u64, generation: u32, now: u32, grace: u32 },
    /// Takes the grant back.
    Revoke { grant: u64 },
    /// Asks how a token of the grant stands.
    Introspect { grant: u64 },
}

/// What the verb said: its word, and the candidate or the generation that it named, or 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Said {
    pub(super) result: &'static str,
    pub(super) at: u64,
}

#[derive(Serialize)]
struct Line {
    code: u64,
    worker: usize,
    #[serde(flatten)]
    asked: Call,
    call: u64,
    #[serde(rename = "return", skip_serializing_if = "Option::is_none")]
    end: Option<u64>,
    #[serde(flatten)]
    said: Option<Said>,
}

/// A history that is being written.
pub(super) struct History {
    start: Instant,
    written: Mutex<(BufWriter<File>, Counts)>,
}

/// How often each verb said what.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts(BTreeMap<(&'static str, &'static str), u64>);

/// What a history must have seen to prove anything.
const EVENTFUL: [(&str, &str); 10] = [
    ("introspect", "good"),
    ("introspect", "revoked"),
    ("redeem", "fresh"),
    ("redeem", "spent"),
    ("revoke", "stood"),
    ("revoke", "fallen"),
    ("rotate", "rotated"),
    ("rotate", "repeated"),
    ("rotate", "reused"),
    ("rotate", "revoked"),
];

impl History {
    pub(super) fn begin(file: &Path) -> Result<Self> {
        let written = Mutex::new((BufWriter::new(File::create(file)?), Counts::default()));
        Ok(Self { start: Instant::now(), written })
    }

    /// The time, in nanoseconds of one clock that never goes back.
    pub(super) fn time(&self) -> u64 {
        nanoseconds(self.start.elapsed())
    }

    /// Writes a call that began at `call`. Without an answer it may have had its effect, at any time, or not.
    pub(super) fn write(&self, code: u64, worker: usize, asked: Call, call: u64, said: Option<Said>) -> Result<()> {
        let end = said.map(|_| self.time());
        let line = serde_json::to_string(&Line { code, worker, asked, call, end, said })?;
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        *written.1.0.entry((asked.verb(), said.map_or("no answer", |said| said.result))).or_default() += 1;
        Ok(writeln!(written.0, "{line}")?)
    }

    pub(super) fn end(self) -> Result<Counts> {
        let (mut file, counts) = self.written.into_inner().unwrap_or_else(PoisonError::into_inner);
        file.flush()?;
        Ok(counts)
    }
}

impl Call {
    fn verb(self) -> &'static str {
        match self {
            Self::Redeem { .. } => "redeem",
            Self::Rotate { .. } => "rotate",
            Self::Revoke { .. } => "revoke",
            Self::Introspect { .. } => "introspect",
        }
    }
}

impl Counts {
    /// An error when something never happened.
    pub(super) fn are_all_there(&self) -> Result<()> {
        let never: Vec<_> = EVENTFUL.iter().filter(|wanted| !self.0.contains_key(*wanted)).collect();
        ensure!(never.is_empty(), "too little happened: no {never:?}");
        Ok(())
    }
}

impl Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, ((verb, said), count)) in self.0.iter().enumerate() {
            write!(f, "{}{count} {verb} {said}", if number == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
