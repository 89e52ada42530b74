//! The server over real TCP, with a clock that is set by hand.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod assertions;
mod authorize;
mod bad_input;
mod clients;
mod desk;
mod desk_requests;
mod desk_sending;
mod desk_sharing;
mod details;
mod devices;
mod directory;
mod documents;
mod dpop;
mod fapi2;
mod forward_auth;
mod grants;
mod harness;
mod introspect;
mod keys;
mod logs;
mod mtls;
mod nodes;
mod operations;
mod pages;
mod playground;
mod prover;
mod pushed;
mod registration;
mod relay;
mod resources;
mod standing;
mod status_lists;
mod stores;
mod tls;
mod token;
mod userinfo;
