//! Logs: one line an event on standard error, structured. ERROR: data lost or a human is needed. WARN: recovered. INFO: life
//! cycle. Nothing about a person is logged at any level; texts from outside are never logged as they are.

use tracing_subscriber::EnvFilter;

/// Starts logging. `BOOTHD_LOG` chooses the level (`info` if unset), JSON lines if standard error is no terminal and
/// `BOOTHD_LOG_FORMAT=json`.
pub fn start(process: &'static str) {
    let filter = EnvFilter::try_from_env("BOOTHD_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false);
    let json = std::env::var_os("BOOTHD_LOG_FORMAT").is_some_and(|v| v == "json");
    let started = if json {
        builder.json().try_init()
    } else {
        let builder = builder.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
        // The journal has the time already (systemd.exec(5), JOURNAL_STREAM).
        if std::env::var_os("JOURNAL_STREAM").is_some() {
            builder.without_time().try_init()
        } else {
            builder.try_init()
        }
    };
    // Only the first call starts anything; a test binary may call more than once.
    if started.is_ok() {
        tracing::info!(process, version = env!("CARGO_PKG_VERSION"), "starts");
    }
}
