//! The port's verbs, and the SQL of each.

pub(crate) mod audit;
pub(crate) mod desk;
pub(crate) mod devices;
pub(crate) mod directory;
pub(crate) mod expire;
pub(crate) mod grants;
pub(crate) mod remember;
pub(crate) mod sessions;
pub(crate) mod statuses;
pub(crate) mod tokens;
pub(crate) mod uses;
