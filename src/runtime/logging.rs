//! Logs: one line an event on standard error, structured. ERROR: data lost or a human is needed. WARN: recovered. INFO: life
//! cycle. Nothing about a person is logged at any level; texts from outside are never logged as they are. The newest lines are kept in
//! memory for the technician's console, who may also have a part of the service talk more for some minutes.

use crate::base::time::Moment;
use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Lines that are kept, and bytes of each.
const KEPT: usize = 500;
const LONGEST: usize = 400;

/// The log of this process, as far as it can be asked and changed. Cheap to clone.
#[derive(Clone)]
pub struct LogControl {
    lines: Arc<Mutex<VecDeque<String>>>,
    state: Arc<Mutex<State>>,
}

/// Puts another filter in the place of the present one.
type Reload = Box<dyn Fn(EnvFilter) -> bool + Send>;

struct State {
    /// What was chosen at the start.
    base: String,
    /// More than that, and until when.
    louder: Option<(String, Moment)>,
    reload: Option<Reload>,
}

impl std::fmt::Debug for LogControl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LogControl")
    }
}

impl LogControl {
    /// A log that nobody has started: it has no lines and cannot be changed.
    pub fn none() -> Self {
        let state = State {
            base: "info".to_owned(),
            louder: None,
            reload: None,
        };
        Self {
            lines: Arc::default(),
            state: Arc::new(Mutex::new(state)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest lines, the oldest of them first.
    pub fn newest(&self, n: usize) -> Vec<String> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let skip = lines.len().saturating_sub(n);
        lines.iter().skip(skip).cloned().collect()
    }

    /// Adds a directive (`boothd::hal=debug`) for so long from `now` on; another one takes its place. Gives whether it is in force.
    pub fn louder(&self, directive: &str, span: Duration, now: Moment) -> bool {
        let mut state = self.state();
        let whole = format!("{},{directive}", state.base);
        let done = state.change_to(&whole);
        if done {
            state.louder = Some((directive.to_owned(), now.plus(span)));
        }
        done
    }

    /// Goes back to what was chosen at the start when the time is over. Called every second or so.
    pub fn tick(&self, now: Moment) {
        let mut state = self.state();
        if let Some((directive, _)) = state.louder.take_if(|(_, until)| now >= *until) {
            let base = state.base.clone();
            state.change_to(&base);
            drop(state);
            tracing::info!(directive, "the log is as before");
        }
    }
}

impl State {
    fn change_to(&self, filter: &str) -> bool {
        let Ok(filter) = EnvFilter::try_new(filter) else {
            return false;
        };
        self.reload.as_ref().is_some_and(|reload| reload(filter))
    }
}

/// Writes to standard error and keeps the newest lines.
struct Tee(Arc<Mutex<VecDeque<String>>>);

/// One event on its way.
struct Line<'a>(&'a Tee);

impl Tee {
    fn keep(&self, bytes: &[u8]) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for line in String::from_utf8_lossy(bytes).lines() {
            if lines.len() == KEPT {
                lines.pop_front();
            }
            lines.push_back(plain(line));
        }
    }
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.keep(bytes);
        std::io::stderr().write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}

impl<'a> MakeWriter<'a> for Tee {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        Line(self)
    }
}

/// Without colours, and not too long.
fn plain(line: &str) -> String {
    let mut text = String::new();
    let mut in_colour = false;
    for c in line.chars() {
        match (in_colour, c) {
            (false, '\u{1b}') => in_colour = true,
            (true, 'm') => in_colour = false,
            (true, _) => {}
            (false, c) if text.len() < LONGEST => text.push(c),
            (false, _) => {}
        }
    }
    text
}

/// Starts logging. `BOOTHD_LOG` chooses the level (`info` if unset), JSON lines if standard error is no terminal and
/// `BOOTHD_LOG_FORMAT=json`.
pub fn start(process: &'static str) -> LogControl {
    let control = LogControl::none();
    let given = std::env::var("BOOTHD_LOG").ok();
    let base = given
        .filter(|text| EnvFilter::try_new(text).is_ok())
        .unwrap_or_else(|| "info".to_owned());
    let filter = EnvFilter::try_new(&base).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Tee(Arc::clone(&control.lines)))
        .with_target(false);
    let json = std::env::var_os("BOOTHD_LOG_FORMAT").is_some_and(|v| v == "json");
    let (started, reload): (_, Reload) = if json {
        let builder = builder.json().with_filter_reloading();
        let handle = builder.reload_handle();
        (
            builder.try_init(),
            Box::new(move |filter| handle.reload(filter).is_ok()),
        )
    } else {
        let builder = builder.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
        // The journal has the time already (systemd.exec(5), JOURNAL_STREAM).
        if std::env::var_os("JOURNAL_STREAM").is_some() {
            let builder = builder.without_time().with_filter_reloading();
            let handle = builder.reload_handle();
            (
                builder.try_init(),
                Box::new(move |filter| handle.reload(filter).is_ok()),
            )
        } else {
            let builder = builder.with_filter_reloading();
            let handle = builder.reload_handle();
            (
                builder.try_init(),
                Box::new(move |filter| handle.reload(filter).is_ok()),
            )
        }
    };
    // Only the first call starts anything; a test binary may call more than once.
    if started.is_ok() {
        let mut state = control.state();
        (state.base, state.reload) = (base, Some(reload));
        drop(state);
        tracing::info!(process, version = env!("CARGO_PKG_VERSION"), "starts");
    }
    control
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_lines_are_plain_and_few() {
        let control = LogControl::none();
        let tee = Tee(Arc::clone(&control.lines));
        for i in 0..KEPT + 10 {
            tee.keep(format!("\u{1b}[2m{i}\u{1b}[0m INFO {}\n", "x".repeat(600)).as_bytes());
        }
        let newest = control.newest(KEPT * 2);
        assert_eq!(newest.len(), KEPT);
        assert!(newest[0].starts_with("10 INFO xxx") && newest[0].len() == LONGEST);
        assert_eq!(control.newest(1).len(), 1);
    }

    #[test]
    fn it_goes_back_by_itself() {
        let control = LogControl::none();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        control.state().reload = Some(Box::new(move |filter| {
            kept.lock().expect("not poisoned").push(filter.to_string());
            true
        }));
        let minute = Duration::from_secs(60);
        assert!(control.louder("boothd::hal=debug", minute, Moment::ZERO));
        assert!(!control.louder("=/=", minute, Moment::ZERO));
        control.tick(Moment::from_millis(59_999));
        control.tick(Moment::from_millis(60_000));
        control.tick(Moment::from_millis(70_000));
        let seen = seen.lock().expect("not poisoned");
        assert_eq!(*seen, ["boothd::hal=debug,info", "info"]);
    }
}
