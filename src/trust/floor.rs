//! What time it is at least. A booth has no battery behind its clock, and whoever opens its case can set it; what the wallet has signed is
//! proof that a time is over. The booth's wall clock never says less than that, so what has expired stays expired.
//!
//! Nothing proves that a clock is ahead: an old word that was kept back would look the same. A clock that is ahead refuses what is still
//! good, which is seen and told, and accepts nothing that is not.

use super::tls::SOFTWARE_S;
use crate::base::time::{Clock, Moment, SharedClock, WallTime};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The floor is written down when it has risen by so many seconds: every write wears the storage.
const STEP_S: i64 = 600;
/// Differences up to here are not worth a word, as between a ticket's time and the booth's.
const SKEW_MS: i64 = 300_000;

/// The floor of a clock, in a file, so that it survives a restart.
#[derive(Debug)]
pub struct FloorFile {
    path: PathBuf,
    written_s: i64,
}

impl FloorFile {
    /// The file `clock_floor` in a folder.
    pub fn new(dir: &Path) -> Self {
        Self {
            path: dir.join("clock_floor"),
            written_s: 0,
        }
    }

    /// The floor, Unix seconds; 0 if there is none that can be read: the software's own date still holds.
    pub fn read(&mut self) -> i64 {
        let text = std::fs::read_to_string(&self.path).unwrap_or_default();
        self.written_s = text.trim().parse().unwrap_or(0);
        self.written_s
    }

    /// Writes a floor that has risen enough, whole or not at all.
    pub fn write(&mut self, floor_s: i64) {
        if floor_s < self.written_s + STEP_S {
            return;
        }
        let half = self.path.with_extension("new");
        let write = || -> std::io::Result<()> {
            let mut file = std::fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&half)?;
            std::io::Write::write_all(&mut file, floor_s.to_string().as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&half, &self.path)
        };
        match write() {
            Ok(()) => self.written_s = floor_s,
            Err(e) => tracing::warn!(error = %e, "the clock's floor cannot be written"),
        }
    }
}

/// The machine's clock, never before what is proven; that goes on by the monotonic clock, which nobody sets.
#[derive(Debug)]
pub struct ProvenClock {
    clock: SharedClock,
    floor: Mutex<Floor>,
}

#[derive(Debug)]
struct Floor {
    wall: WallTime,
    at: Moment,
    file: FloorFile,
    /// What was said of the machine's clock: -1 behind, 1 ahead.
    told: i64,
}

impl ProvenClock {
    /// A clock with the floor that is kept in `dir`, or the software's date.
    pub fn open(clock: SharedClock, dir: &Path) -> Self {
        let mut file = FloorFile::new(dir);
        let floor_s = file.read().max(SOFTWARE_S);
        let floor = Floor {
            wall: WallTime(floor_s.saturating_mul(1000)),
            at: clock.now(),
            file,
            told: 0,
        };
        let proven = Self {
            clock,
            floor: Mutex::new(floor),
        };
        let behind_ms = proven.wall().0.saturating_sub(proven.clock.wall().0);
        if behind_ms > 0 {
            tracing::error!(
                code = "net.clock_skew",
                behind_s = behind_ms / 1000,
                "the machine's clock is behind what the wallet has signed; mend: `timedatectl`"
            );
        }
        proven
    }

    fn lock(&self) -> MutexGuard<'_, Floor> {
        self.floor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Floor {
    fn wall(&self, now: Moment) -> WallTime {
        let passed = i64::try_from(now.since(self.at).as_millis()).unwrap_or(i64::MAX);
        WallTime(self.wall.0.saturating_add(passed))
    }
}

impl Clock for ProvenClock {
    fn now(&self) -> Moment {
        self.clock.now()
    }

    fn wall(&self) -> WallTime {
        self.clock.wall().max(self.lock().wall(self.clock.now()))
    }

    fn proven(&self, signed: WallTime) {
        let (now, machine) = (self.clock.now(), self.clock.wall());
        let mut floor = self.lock();
        if signed > floor.wall(now) {
            (floor.wall, floor.at) = (signed, now);
            floor.file.write(signed.unix_s());
        }
        let ahead_ms = machine.0.saturating_sub(signed.0);
        let told = if ahead_ms.saturating_abs() <= SKEW_MS {
            0
        } else {
            ahead_ms.signum()
        };
        if told != floor.told && told != 0 {
            let word = if told > 0 { "ahead of" } else { "behind" };
            tracing::error!(
                code = "net.clock_skew",
                ahead_s = ahead_ms / 1000,
                "the machine's clock is {word} the wallet's; mend: `timedatectl`"
            );
        }
        floor.told = told;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::ManualClock;
    use std::sync::Arc;
    use std::time::Duration;

    const DAY_MS: i64 = 24 * 3600 * 1000;
    /// Some day after the software's.
    const TODAY: WallTime = WallTime(SOFTWARE_S * 1000 + 30 * DAY_MS);

    #[test]
    fn a_clock_that_is_set_back_does_not_turn_back_what_is_proven() {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let machine = Arc::new(ManualClock::new(Moment::from_millis(1000), TODAY));
        let clock = ProvenClock::open(machine.clone(), dir.path());
        assert_eq!(clock.wall(), TODAY);
        clock.proven(WallTime(TODAY.0 + 500));

        machine.set_wall(WallTime(TODAY.0 - 20 * DAY_MS));
        assert_eq!(clock.wall(), WallTime(TODAY.0 + 500));
        // It goes on meanwhile, and an older word changes nothing.
        machine.advance(Duration::from_secs(60));
        clock.proven(TODAY);
        assert_eq!(clock.wall(), WallTime(TODAY.0 + 60_500));

        // Without power for a while, and without a battery: what is known after the start is what was written.
        machine.set_wall(WallTime(0));
        let clock = ProvenClock::open(machine.clone(), dir.path());
        assert_eq!(clock.wall(), WallTime(TODAY.0 / 1000 * 1000));
        machine.set_wall(WallTime(TODAY.0 + DAY_MS));
        assert_eq!(
            clock.wall(),
            WallTime(TODAY.0 + DAY_MS),
            "the machine's, once it is set"
        );
    }

    #[test]
    fn a_clock_that_is_ahead_is_left_ahead() {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let ahead = WallTime(TODAY.0 + DAY_MS);
        let machine = Arc::new(ManualClock::new(Moment::ZERO, ahead));
        let clock = ProvenClock::open(machine.clone(), dir.path());
        clock.proven(TODAY);
        assert_eq!(
            clock.wall(),
            ahead,
            "an old word that was kept back proves nothing"
        );
        // The machine's own error is not made the floor.
        machine.set_wall(TODAY);
        assert_eq!(clock.wall(), TODAY);
    }

    #[test]
    fn without_a_word_of_the_wallet_the_software_s_date_holds() {
        let dir = tempfile::tempdir().expect("a folder for the test");
        std::fs::write(dir.path().join("clock_floor"), "not a number").expect("there is room");
        let machine = Arc::new(ManualClock::new(Moment::ZERO, WallTime(0)));
        let clock = ProvenClock::open(machine, dir.path());
        assert_eq!(clock.wall().unix_s(), SOFTWARE_S);
    }
}
