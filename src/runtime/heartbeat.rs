//! Heartbeats: every thread beats; the watchdog is fed only if every heartbeat moved within its time.

use crate::base::time::{Moment, SharedClock};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The heart of one thread.
#[derive(Clone, Debug)]
pub struct Pulse {
    last: Arc<AtomicU64>,
    clock: SharedClock,
}

impl Pulse {
    /// Says that the thread is alive.
    pub fn beat(&self) {
        self.last
            .store(self.clock.now().as_nanos(), Ordering::Relaxed);
    }
}

#[derive(Debug)]
struct Heart {
    name: String,
    longest_silence: Duration,
    last: Arc<AtomicU64>,
}

/// All hearts.
#[derive(Clone, Debug)]
pub struct Heartbeats {
    hearts: Arc<Mutex<Vec<Heart>>>,
    clock: SharedClock,
}

impl Heartbeats {
    /// No hearts yet.
    pub fn new(clock: SharedClock) -> Self {
        Self {
            hearts: Arc::default(),
            clock,
        }
    }

    /// A new heart, which beats now and must not be silent for longer than `longest_silence`.
    pub fn register(&self, name: &str, longest_silence: Duration) -> Pulse {
        let last = Arc::new(AtomicU64::new(self.clock.now().as_nanos()));
        let heart = Heart {
            name: name.to_owned(),
            longest_silence,
            last: Arc::clone(&last),
        };
        self.hearts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(heart);
        Pulse {
            last,
            clock: Arc::clone(&self.clock),
        }
    }

    /// The first heart that has been silent for too long.
    pub fn first_silent(&self) -> Option<String> {
        let now = self.clock.now();
        let hearts = self.hearts.lock().unwrap_or_else(PoisonError::into_inner);
        let silent = |h: &&Heart| {
            now.since(Moment::from_nanos(h.last.load(Ordering::Relaxed))) > h.longest_silence
        };
        hearts.iter().find(silent).map(|h| h.name.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::ManualClock;

    #[test]
    fn a_silent_heart_is_named() {
        let clock = Arc::new(ManualClock::default());
        let hearts = Heartbeats::new(Arc::clone(&clock) as SharedClock);
        let (a, _b) = (
            hearts.register("a", Duration::from_secs(1)),
            hearts.register("b", Duration::from_secs(3)),
        );
        clock.advance(Duration::from_millis(1500));
        assert_eq!(hearts.first_silent().as_deref(), Some("a"));
        a.beat();
        assert_eq!(hearts.first_silent(), None);
        clock.advance(Duration::from_secs(2));
        a.beat();
        assert_eq!(hearts.first_silent().as_deref(), Some("b"));
    }
}
