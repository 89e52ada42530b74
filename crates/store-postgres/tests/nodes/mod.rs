//! Nodes on a database of their own.

#![allow(dead_code, reason = "not every test needs all of it")]

use grantor_local_postgres::Server;
use grantor_store::contract::TwoNodes;
use grantor_store_postgres::{Options, PostgresStore};
use std::sync::Arc;

/// The URL of an empty database.
pub(crate) fn database() -> String {
    Server::shared().unwrap().fresh_database().unwrap()
}

/// One node.
pub(crate) async fn one(url: String) -> PostgresStore {
    PostgresStore::connect(&url, patient()).await.unwrap()
}

/// Two nodes, as if behind a load balancer.
pub(crate) async fn two(url: String) -> TwoNodes {
    TwoNodes::in_turn([Arc::new(one(url.clone()).await), Arc::new(one(url).await)])
}

/// Tests wait for the machine that they run on.
fn patient() -> Options {
    let minute = std::time::Duration::from_mins(1);
    Options { patience: minute, reply: minute, ..Options::default() }
}
