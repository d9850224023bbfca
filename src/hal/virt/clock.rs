//! The machine's clocks, with a wall clock that a scene can set wrong.

use crate::base::time::{Clock, Moment, SystemClock, WallTime};
use std::sync::atomic::{AtomicBool, Ordering};

/// How far the wall clock is behind when it is wrong: two days.
const BEHIND_MS: i64 = 2 * 24 * 3600 * 1000;

/// The clocks of a virtual booth.
#[derive(Debug, Default)]
pub struct VirtClock {
    behind: AtomicBool,
}

impl VirtClock {
    pub(super) fn set_behind(&self, behind: bool) {
        self.behind.store(behind, Ordering::Relaxed);
    }
}

impl Clock for VirtClock {
    fn now(&self) -> Moment {
        SystemClock.now()
    }

    fn wall(&self) -> WallTime {
        let WallTime(ms) = SystemClock.wall();
        let wrong = self.behind.load(Ordering::Relaxed);
        WallTime(if wrong { ms - BEHIND_MS } else { ms })
    }
}
