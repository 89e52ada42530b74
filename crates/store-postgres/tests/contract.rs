//! The contract suite on PostgreSQL: on one node, and on two that are asked in turn.

#![expect(clippy::unwrap_used, reason = "tests")]

mod nodes;

mod one_node {
    use super::nodes;

    grantor_store::contract_tests!((nodes::one(nodes::database()).await, ()));
}

mod two_nodes {
    use super::nodes;

    grantor_store::contract_tests!((nodes::two(nodes::database()).await, ()));
}
