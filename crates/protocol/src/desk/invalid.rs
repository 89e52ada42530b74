//! What a collection may not be.

use super::{MAX_BYTES, MAX_DEPTH, MAX_ITEMS, MAX_LIST, MAX_TEXT, MAX_VARIABLES};

/// Why something is no collection, or no environment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Its JSON is too long.
    #[error("more than {MAX_BYTES} bytes")]
    Bytes,
    /// Folders in folders in folders.
    #[error("folders lie more than {MAX_DEPTH} deep in each other")]
    Depth,
    /// Too many folders and requests.
    #[error("more than {MAX_ITEMS} folders and requests")]
    Items,
    /// Too many variables.
    #[error("more than {MAX_VARIABLES} variables")]
    Variables,
    /// A list is too long.
    #[error("more than {MAX_LIST} headers, fields or parameters in one place")]
    List,
    /// A text is too long.
    #[error("a body, a description or a value has more than {MAX_TEXT} bytes")]
    Text,
    /// Two variables have one name.
    #[error("the variable {0} is there twice")]
    Repeated(String),
    /// A client secret must be a secret.
    #[error("the client secret {0} is a variable that is no secret")]
    PlainSecret(String),
    /// Not read at all.
    #[error("not a collection: {0}")]
    Malformed(String),
}
