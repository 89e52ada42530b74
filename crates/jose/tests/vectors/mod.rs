//! Where the published test vectors are: the folder `shared/vectors` beside the checkout, or `GRANTOR_VECTORS`. A test
//! that does not find them fails.

use std::path::PathBuf;

pub(crate) fn folder(name: &str) -> PathBuf {
    let root = match std::env::var_os("GRANTOR_VECTORS") {
        Some(root) => PathBuf::from(root),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors"),
    };
    root.join(name)
}

/// A file, or the one that it names: the collection keeps symbolic links as text.
pub(crate) fn read(folder_name: &str, name: &str) -> String {
    let path = folder(folder_name).join(name);
    let Ok(text) = std::fs::read_to_string(&path) else { panic!("no test vector at {}", path.display()) };
    if text.starts_with("rfc7") && text.len() < 32 { read(folder_name, text.trim()) } else { text }
}
