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
}

impl Asset {
    /// `Cache-Control` for an answer to `?v=version`. The version follows the content, so only the right one may be kept
    /// for ever.
    pub fn cache_control(&self, version: Option<&str>) -> &'static str {
        if version.is_some_and(|version| version == self.version()) {
            "public, max-age=31536000, immutable"
        } else {
            "public, max-age=300"
        }
    }

    /// What [`Asset::cache_control`] is asked with: it changes with the content.
    pub fn version(&self) -> &str {
        self.etag.trim_matches('"')
    }

    fn new(path: &str, file: EmbeddedFile) -> Option<Self> {
        use std::fmt::Write as _;
        let mut etag = String::from("\"");
        for byte in file.metadata.sha256_hash().iter().take(8) {
            let _ = write!(etag, "{byte:02x}");
        }
        etag.push('"');
        Some(Self { bytes: file.data, content_type: content_type(path)?, etag })
    }
}

/// Every asset by its path.
#[derive(Debug)]
pub(crate) struct Assets(HashMap<String, Asset>);

impl Assets {
    /// What is embedded, and over it what the operator gives. A file of a kind that pages do not load is left out.
    pub(crate) fn load(overrides: &Overrides) -> Result<Self, ReadError> {
        let embedded = Embedded::iter().filter_map(|path| Some((path.to_string(), Embedded::get(&path)?)));
        let given = overrides.files("assets")?;
        let assets = embedded.chain(given).filter_map(|(path, file)| Some((path.clone(), Asset::new(&path, file)?)));
        Ok(Self(assets.collect()))
    }

    pub(crate) fn find(&self, path: &str) -> Option<&Asset> {
        self.0.get(path)
    }
}

/// The media type of a file name, for the kinds of files that pages load.
fn content_type(path: &str) -> Option<&'static str> {
    let (_, extension) = path.rsplit_once('.')?;
    Some(match extension {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
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
