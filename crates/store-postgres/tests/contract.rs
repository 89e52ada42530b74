//! The contract suite on PostgreSQL: on one node, and on two that are asked in turn. The races are run a few times; the
//! proof runs them as often as it is told.

#![expect(clippy::unwrap_used, reason = "tests")]

mod nodes;

fn database() -> String {
    grantor_store::contract::races::run_by_default(5);
    nodes::database()
}

mod one_node {
    use super::nodes;

    grantor_store::contract_tests!((nodes::one(crate::database()).await, ()));
}

mod two_nodes {
    use super::nodes;

    grantor_store::contract_tests!((nodes::two(crate::database()).await, ()));
}
