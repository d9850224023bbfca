//! systemd: ready, status, watchdog. Without systemd these do nothing.

use sd_notify::NotifyState;
use std::time::Duration;

/// Tells systemd that the service is ready.
pub fn ready() {
    send(&[NotifyState::Ready]);
}

/// Tells systemd in a line what the service does.
pub fn status(text: &str) {
    send(&[NotifyState::Status(text)]);
}

/// Tells systemd that the service stops.
pub fn stopping() {
    send(&[NotifyState::Stopping]);
}

/// Feeds systemd's watchdog.
pub fn feed() {
    send(&[NotifyState::Watchdog]);
}

/// How often the watchdog must be fed: half of what systemd asks for, or two seconds where there is none.
pub fn feed_interval() -> Duration {
    sd_notify::watchdog_enabled().map_or(Duration::from_secs(2), |interval| interval / 2)
}

fn send(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "systemd could not be notified");
    }
}
