//! The program's log, on standard error.

use crate::config::{Level, LogFormat};
use tracing_subscriber::EnvFilter;

/// Starts it. `RUST_LOG` narrows or widens single parts of it.
pub(crate) fn start(format: LogFormat, level: Level) {
    let level = match level {
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Info => "info",
        Level::Debug => "debug",
        Level::Trace => "trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start finds the first one standing; there is nothing to do then.
    let _ = match format {
        LogFormat::Text => log.with_ansi(crate::output::color()).try_init(),
        LogFormat::Json => log.json().try_init(),
    };
}
