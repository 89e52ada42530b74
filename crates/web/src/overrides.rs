//! A directory in which an operator puts templates, assets and texts of their own.

use std::io;
use std::path::{Path, PathBuf};

use rust_embed::{EmbeddedFile, utils::read_file_from_fs};

/// `templates/*.html`, `assets/*` and `languages/*.ftl` under one directory, each of them optional.
pub(crate) struct Overrides(Option<PathBuf>);

impl Overrides {
    pub(crate) const NONE: Self = Self(None);

    pub(crate) fn at(directory: &Path) -> Self {
        Self(Some(directory.to_owned()))
    }

    /// The files of one folder by name. Folders within it and hidden files are left out.
    pub(crate) fn files(&self, folder: &str) -> Result<Vec<(String, EmbeddedFile)>, ReadError> {
        let Some(path) = self.0.as_ref().map(|directory| directory.join(folder)) else { return Ok(Vec::new()) };
        let read = || -> io::Result<_> {
            let mut files = Vec::new();
            for entry in path.read_dir()? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                if entry.path().is_file() && !name.starts_with('.') {
                    files.push((name, read_file_from_fs(&entry.path())?));
                }
            }
            Ok(files)
        };
        match read() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            result => result.map_err(|source| ReadError { path: path.clone(), source }),
        }
    }

    /// The same, as text.
    pub(crate) fn texts(&self, folder: &str, extension: &str) -> Result<Vec<(String, String)>, ReadError> {
        let mut texts = Vec::new();
        for (name, file) in self.files(folder)? {
            let Some(stem) = name.strip_suffix(extension) else { continue };
            let text = String::from_utf8(file.data.into_owned())
                .map_err(|error| ReadError { path: name.clone().into(), source: io::Error::other(error) })?;
            texts.push((stem.to_owned(), text));
        }
        Ok(texts)
    }
}

/// A file of the operator's could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct ReadError {
    path: PathBuf,
    source: io::Error,
}
