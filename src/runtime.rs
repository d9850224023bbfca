//! What keeps the service alive: threads by name, heartbeats, systemd, logs.

pub mod crew;
pub mod heartbeat;
pub mod logging;
pub mod notify;
