//! See the port.
