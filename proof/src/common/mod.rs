//! What the proofs share.

pub(crate) mod report;
pub(crate) mod stores;
