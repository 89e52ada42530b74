//! `grantor collection ...`: the token desk's collections on their way from and to other programs' files.

use crate::failure::{Context as _, Failure, Result};
use crate::output::{Output, line};
use clap::{Subcommand, ValueEnum};
use grantor_protocol::desk::{
    Collection as Desk, HttpFile, Imported, MAX_BYTES, Note, PostmanFile, Value as Held, from_postman, is_postman,
    to_http_file, to_postman,
};
use serde_json::json;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(crate) enum Collection {
    /// Turn saved requests into another format; what has no place there is told on standard error. Secrets stay behind
    Convert {
        /// A collection of Postman's (v2.1), or one of Grantor's; `-` is standard input
        file: PathBuf,
        /// What to write
        #[arg(long, value_enum)]
        to: Format,
        /// Where to write it [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A collection of Postman's, v2.1
    Postman,
    /// A .http file, for the HTTP Client of JetBrains' IDEs and for httpYac
    Http,
    /// JSON of Grantor's own
    Grantor,
}

impl Collection {
    pub(crate) fn run(self, output: Output) -> Result<()> {
        let Self::Convert { file, to, out } = self;
        let json = read(&file)?;
        let (collection, mut notes) = if is_postman(&json) {
            let Imported { collection, notes } = from_postman(&json).context(|| format!("read {}", file.display()))?;
            (collection, notes)
        } else {
            (Desk::parse(&json).context(|| format!("read {}", file.display()))?, Vec::new())
        };
        let (text, more) = written(&collection, to)?;
        notes.extend(more);
        if let Some(out) = &out {
            std::fs::write(out, &text).context(|| format!("write {}", out.display()))?;
        }
        if output.json {
            let text = out.is_none().then_some(&text);
            return line(&json!({ "written": out, "text": text, "notes": notes }).to_string());
        }
        for note in &notes {
            eprintln!("{note}");
        }
        if out.is_none() { line(text.trim_end()) } else { Ok(()) }
    }
}

/// The file, as far as one can be long.
fn read(path: &Path) -> Result<Vec<u8>> {
    let doing = || format!("read {}", path.display());
    let most = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut json = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().take(most).read_to_end(&mut json)
    } else {
        File::open(path).and_then(|file| file.take(most).read_to_end(&mut json))
    };
    read.context(doing)?;
    if json.len() > MAX_BYTES {
        return Err(Failure::new(format!("{} has more than {MAX_BYTES} bytes", path.display())));
    }
    Ok(json)
}

fn written(collection: &Desk, to: Format) -> Result<(String, Vec<Note>)> {
    let doing = || "write the collection".to_owned();
    Ok(match to {
        Format::Postman => {
            let PostmanFile { json, notes } = to_postman(collection);
            (serde_json::to_string_pretty(&json).context(doing)? + "\n", notes)
        }
        Format::Http => {
            let HttpFile { text, notes } = to_http_file(collection);
            (text, notes)
        }
        Format::Grantor => {
            let left = collection.variables().iter().filter(|one| matches!(one.value, Held::Secret(Some(_))));
            let notes = left.map(|one| Note::secret_left_out(&one.name)).collect();
            (serde_json::to_string_pretty(collection).context(doing)? + "\n", notes)
        }
    })
}
