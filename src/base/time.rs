//! Time: moments on the booth's own monotonic clock, wall-clock time beside it, and the clock that gives both.
//!
//! Ordering, time-outs and freshness use [`Moment`] only. [`WallTime`] is for records and certificates; it may jump.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// A moment on `CLOCK_BOOTTIME`, in nanoseconds since the machine started. Never goes back, counts suspended time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64);

impl Moment {
    /// The moment the machine started.
    pub const ZERO: Self = Self(0);

    /// A moment `nanos` nanoseconds after the machine started.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// A moment `millis` milliseconds after the machine started.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis * 1_000_000)
    }

    /// Nanoseconds since the machine started.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Milliseconds since the machine started, rounded down.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Time passed since `earlier`; zero if `earlier` lies in the future.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The moment `span` later (saturating).
    pub fn plus(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)),
        )
    }
}

/// Wall-clock time as milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WallTime(pub i64);

impl WallTime {
    /// Milliseconds since the Unix epoch.
    pub const fn unix_ms(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch.
    pub const fn unix_s(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Civil date (year, month 1..=12, day 1..=31) in UTC. Algorithm: Howard Hinnant, `civil_from_days`.
    pub fn civil_date(self) -> (i32, u8, u8) {
        let days = self.0.div_euclid(86_400_000);
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let day = doy - (153 * mp + 2) / 5 + 1;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        let year = yoe + era * 400 + i64::from(month <= 2);
        // All three fit: month and day by construction, the year because i64 milliseconds span +-292 million years
        // and the clocks that make a WallTime span far less.
        (
            i32::try_from(year).unwrap_or(i32::MAX),
            month as u8,
            day as u8,
        )
    }

    /// `2026-11-23T21:14:04.000Z` (RFC 3339, UTC, milliseconds).
    pub fn rfc3339(self) -> String {
        let (year, month, day) = self.civil_date();
        let ms = self.0.rem_euclid(86_400_000);
        let (h, m, s, f) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000);
        format!("{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}.{f:03}Z")
    }
}

/// The source of time, injected so that tests decide what time it is.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Now, on the monotonic clock.
    fn now(&self) -> Moment;
    /// Now, on the wall clock.
    fn wall(&self) -> WallTime;
    /// Somebody who is trusted has signed that it was this late already. A clock that cannot be set back by others need not listen.
    fn proven(&self, _signed: WallTime) {}
}

/// A clock that is shared between threads.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        let t = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let secs = u64::try_from(t.tv_sec).unwrap_or(0);
        let nanos = u64::try_from(t.tv_nsec).unwrap_or(0);
        Moment(secs.saturating_mul(1_000_000_000).saturating_add(nanos))
    }

    fn wall(&self) -> WallTime {
        let t = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
        WallTime(t.tv_sec * 1000 + t.tv_nsec / 1_000_000)
    }
}

/// A clock that moves only when it is told to.
#[derive(Debug, Default)]
pub struct ManualClock {
    nanos: AtomicU64,
    wall_ms: AtomicI64,
}

impl ManualClock {
    /// A clock that stands at `now` and `wall`.
    pub fn new(now: Moment, wall: WallTime) -> Self {
        Self {
            nanos: AtomicU64::new(now.0),
            wall_ms: AtomicI64::new(wall.0),
        }
    }

    /// Moves both clocks forward.
    pub fn advance(&self, span: Duration) {
        self.nanos.fetch_add(
            u64::try_from(span.as_nanos()).unwrap_or(u64::MAX),
            Ordering::SeqCst,
        );
        self.wall_ms.fetch_add(
            i64::try_from(span.as_millis()).unwrap_or(i64::MAX),
            Ordering::SeqCst,
        );
    }

    /// Sets the wall clock, as a time server would.
    pub fn set_wall(&self, wall: WallTime) {
        self.wall_ms.store(wall.0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Moment {
        Moment(self.nanos.load(Ordering::SeqCst))
    }

    fn wall(&self) -> WallTime {
        WallTime(self.wall_ms.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_time_prints_as_rfc3339() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_795_468_444_123, "2026-11-23T21:14:04.123Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(WallTime(ms).rfc3339(), text);
        }
    }

    #[test]
    fn since_never_goes_negative() {
        let (a, b) = (Moment::from_millis(5), Moment::from_millis(9));
        assert_eq!(b.since(a), Duration::from_millis(4));
        assert_eq!(a.since(b), Duration::ZERO);
    }
}
