//! What the proofs share.

pub(crate) mod client;
pub(crate) mod cluster;
pub(crate) mod cut;
pub(crate) mod http;
pub(crate) mod ledger;
pub(crate) mod load;
pub(crate) mod page;
pub(crate) mod person;
pub(crate) mod report;
pub(crate) mod stores;
pub(crate) mod succession;
