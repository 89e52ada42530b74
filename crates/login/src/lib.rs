//! Sign-in: passwords on a bounded pool, and a throttle that locks nobody out for good.

pub mod password;
mod pool;
mod throttle;

pub use pool::{PasswordPool, PoolBusy};
pub use throttle::{Attempt, Throttle};
