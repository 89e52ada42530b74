//! What whoever supervises the process is told: systemd, when it asked for that (`Type=notify`, `WatchdogSec=`).

#[cfg(target_os = "linux")]
use sd_notify::NotifyState;

/// Everything listens.
pub(crate) fn ready() {
    #[cfg(target_os = "linux")]
    tell(&NotifyState::Ready);
}

/// It ends.
pub(crate) fn stopping() {
    #[cfg(target_os = "linux")]
    tell(&NotifyState::Stopping);
}

/// Says again and again that the process is alive, as often as was asked for: a runtime that stands still says nothing,
/// and is ended.
pub(crate) async fn keep_watch() {
    #[cfg(target_os = "linux")]
    if let Some(within) = sd_notify::watchdog_enabled() {
        loop {
            tell(&NotifyState::Watchdog);
            tokio::time::sleep(within / 3).await;
        }
    }
    std::future::pending::<()>().await;
}

#[cfg(target_os = "linux")]
fn tell(state: &NotifyState<'_>) {
    // Without a supervisor there is nobody to tell, and that is no error.
    if let Err(error) = sd_notify::notify(std::slice::from_ref(state)) {
        tracing::warn!(%error, "the supervisor could not be told");
    }
}
