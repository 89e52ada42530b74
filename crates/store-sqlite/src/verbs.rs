//! The verbs, each as statements on one connection. The writer wraps in a savepoint those that write more
//! than once.

pub(crate) mod audit;
pub(crate) mod desk;
pub(crate) mod devices;
pub(crate) mod directory;
pub(crate) mod epoch;
pub(crate) mod expire;
pub(crate) mod grants;
pub(crate) mod remembered;
pub(crate) mod sessions;
pub(crate) mod statuses;
pub(crate) mod tokens;
pub(crate) mod uses;
