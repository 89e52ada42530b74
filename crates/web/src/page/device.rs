//! The pages of the device authorization grant (RFC 8628 3.3).

use serde::Serialize;

use super::{Hidden, page};

/// Asks for the code that a device shows. Posts `user_code` and `csrf`. A code that came with the link is filled in, and
/// nothing happens before the person has compared it (RFC 8628 3.3.1).
#[derive(Debug, Clone, Serialize)]
pub struct Device {
    /// What is filled in.
    pub user_code: String,
    /// Whether it came with the link: then it is to be compared, not typed.
    pub came_with_link: bool,
    /// Why the last one did not do.
    pub error: Option<DeviceError>,
    /// Anti-forgery token.
    pub csrf: Hidden,
    /// Where the form is posted.
    pub action: String,
}

/// Why a code does not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum DeviceError {
    /// No device shows it, or not any more.
    Unknown,
    /// Too many guesses.
    Throttled {
        /// Until the next.
        seconds: u64,
    },
}

/// The end: back to the device.
#[derive(Debug, Clone, Serialize)]
pub struct DeviceDone {
    /// Name of the application on the device.
    pub application: String,
    /// Whether it was allowed.
    pub allowed: bool,
}

page!(Device, "device.html");
page!(DeviceDone, "device-done.html");
