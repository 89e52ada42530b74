//! Styles, images and modules that the pages load.

use std::borrow::Cow;
use std::collections::HashMap;

use rust_embed::{EmbeddedFile, RustEmbed};

use crate::overrides::{Overrides, ReadError};

/// A file that pages load.
#[derive(Debug, Clone)]
pub struct Asset {
    /// What it holds.
    pub bytes: Cow<'static, [u8]>,
    /// Its media type.
    pub content_type: &'static str,
    /// A strong validator, with its quotes (RFC 9110 8.8.3).
    pub etag: String,
    version: String,
}

impl Asset {
    /// What is asked for: the path of the file, and the version that a page named with it.
    pub fn asked<'a>(path: &'a str, query: &'a str) -> (&'a str, Option<&'a str>) {
        let versioned = path.strip_prefix(VERSION).and_then(|rest| rest.split_once('/'));
        versioned.map_or((path, query.strip_prefix("v=")), |(version, path)| (path, Some(version)))
    }

    /// `Cache-Control` for an answer to whoever named a version. It follows the content, so only the right one may be kept
    /// for ever. A module of any other version is asked for again, each time: one that is kept must not meet newer ones.
    pub fn cache_control(&self, version: Option<&str>) -> &'static str {
        match version {
            Some(version) if version == self.version => "public, max-age=31536000, immutable",
            _ if self.is_module() => "no-cache",
            _ => "public, max-age=300",
        }
    }

    /// Where it is, below the path of all assets. Modules name each other without a query, so their version is a folder:
    /// what one of them imports is of the same version as itself.
    pub(crate) fn url(&self, path: &str) -> String {
        if self.is_module() {
            format!("{VERSION}{}/{path}", self.version)
        } else {
            format!("{path}?v={}", self.version)
        }
    }

    fn is_module(&self) -> bool {
        self.content_type == JAVASCRIPT
    }

    fn new(path: &str, file: EmbeddedFile) -> Option<Self> {
        use std::fmt::Write as _;
        let mut etag = String::from("\"");
        for byte in file.metadata.sha256_hash().iter().take(8) {
            let _ = write!(etag, "{byte:02x}");
        }
        let version = etag.trim_matches('"').to_owned();
        etag.push('"');
        Some(Self { bytes: file.data, content_type: content_type(path)?, etag, version })
    }
}

/// What the folder of a version begins with; no other folder does.
const VERSION: &str = "v-";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// Every asset by its path.
#[derive(Debug)]
pub(crate) struct Assets(HashMap<String, Asset>);

impl Assets {
    /// What is embedded, and over it what the operator gives. A file of a kind that pages do not load is left out.
    pub(crate) fn load(overrides: &Overrides) -> Result<Self, ReadError> {
        let embedded = Embedded::iter().filter_map(|path| Some((path.to_string(), Embedded::get(&path)?)));
        let given = overrides.files("assets")?;
        let assets = embedded.chain(given).filter_map(|(path, file)| Some((path.clone(), Asset::new(&path, file)?)));
        let mut assets: HashMap<String, Asset> = assets.collect();
        let modules = version_of_all(assets.iter().filter(|(_, asset)| asset.is_module()));
        assets.values_mut().filter(|asset| asset.is_module()).for_each(|module| module.version.clone_from(&modules));
        Ok(Self(assets))
    }

    pub(crate) fn find(&self, path: &str) -> Option<&Asset> {
        self.0.get(path)
    }
}

/// A version that changes with each of the files: FNV-1a of their names and hashes, on every node the same.
fn version_of_all<'a>(files: impl Iterator<Item = (&'a String, &'a Asset)>) -> String {
    let mut all: Vec<_> = files.map(|(path, asset)| format!("{path} {}", asset.etag)).collect();
    all.sort_unstable();
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", all.join("\n").bytes().fold(0xcbf2_9ce4_8422_2325, mix))
}

/// The media type of a file name, for the kinds of files that pages load.
fn content_type(path: &str) -> Option<&'static str> {
    let (_, extension) = path.rsplit_once('.')?;
    Some(match extension {
        "css" => "text/css; charset=utf-8",
        "js" => JAVASCRIPT,
        "svg" => "image/svg+xml",
        "ico" => "image/x-icon",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        _ => return None,
    })
}

#[derive(RustEmbed)]
#[folder = "assets"]
struct Embedded;
