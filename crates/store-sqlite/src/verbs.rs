//! The verbs, each as statements on one connection. The writer wraps each in a savepoint.

pub(crate) mod audit;
pub(crate) mod directory;
pub(crate) mod expire;
pub(crate) mod grants;
pub(crate) mod sessions;
pub(crate) mod tokens;
pub(crate) mod uses;
