//! The contract.
/// Tests.
#[macro_export]
macro_rules! contract_tests {
    ($make:expr) => {};
}
