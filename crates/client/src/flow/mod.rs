//! The ways in which a user lets a program in.

mod browser;
mod device;
mod loopback;

pub use loopback::Loopback;
