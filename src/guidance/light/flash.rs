//! Counts flashes and says how far a signal may move without one too many.
//!
//! WCAG 2.2, 2.3.1: not more than three flashes in any one-second period; a flash is a pair of opposing changes of 10 % or more
//! of the maximum relative luminance, where the darker state is below 0.80. Here the last condition is left out: changes between
//! bright states count as well, which is stricter and cannot be wrong.
//!
//! [`Counter`] follows one signal as a zigzag: a *turn* is a change of at least [`CHANGE`] against the direction so far, dated when it
//! has reached that size. In a window of one second there is at most one alternating change more than turns are dated in it: one
//! whose direction was already under way when the window began. With at most [`MOST_TURNS`] turns in a second there are so at most
//! six alternating changes, which is three flashes.

use crate::base::time::Moment;
use std::collections::VecDeque;
use std::time::Duration;

/// Smallest change that counts, in relative luminance.
pub const CHANGE: f32 = 0.10;

/// Most turns in any second that an ordinary change may bring about.
pub const MOST_TURNS: usize = 5;

/// Below [`CHANGE`] by more than the rounding of sums of levels.
const JUST_BELOW: f32 = CHANGE - 0.001;

/// The period of the rule, and a little more than it: the device applies levels with a jitter of its own.
const WINDOW: Duration = Duration::from_millis(1020);

/// Where the signal is heading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heading {
    /// No change has counted yet.
    Unknown,
    Up,
    Down,
}

/// Follows one signal.
#[derive(Clone, Debug)]
pub struct Counter {
    heading: Heading,
    /// Lowest value since the last turn.
    low: f32,
    /// Highest value since the last turn.
    high: f32,
    turns: VecDeque<Moment>,
}

impl Counter {
    /// A signal that stands at `value`.
    pub fn new(value: f32) -> Self {
        Self {
            heading: Heading::Unknown,
            low: value,
            high: value,
            turns: VecDeque::new(),
        }
    }

    /// Lowest and highest value that the signal may have at `now` without a turn too many.
    pub fn allowed(&mut self, now: Moment) -> (f32, f32) {
        while self.turns.front().is_some_and(|t| now.since(*t) > WINDOW) {
            self.turns.pop_front();
        }
        if self.turns.len() < MOST_TURNS {
            return (f32::NEG_INFINITY, f32::INFINITY);
        }
        match self.heading {
            Heading::Unknown => (self.high - JUST_BELOW, self.low + JUST_BELOW),
            Heading::Up => (self.high - JUST_BELOW, f32::INFINITY),
            Heading::Down => (f32::NEG_INFINITY, self.low + JUST_BELOW),
        }
    }

    /// The signal has become `value` at `now`.
    pub fn follow(&mut self, now: Moment, value: f32) {
        self.low = self.low.min(value);
        self.high = self.high.max(value);
        let fell = self.heading != Heading::Down && self.high - value > JUST_BELOW + 0.000_5;
        let rose = self.heading != Heading::Up && value - self.low > JUST_BELOW + 0.000_5;
        if fell || rose {
            self.heading = if fell { Heading::Down } else { Heading::Up };
            (self.low, self.high) = (value, value);
            self.turns.push_back(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values at 0, 100, 200 ... ms; how many turns were dated.
    fn check(values: &[f32], turns: usize) {
        let mut counter = Counter::new(0.0);
        for (i, value) in (0..).zip(values) {
            counter.follow(Moment::from_millis(i * 100), *value);
        }
        assert_eq!(counter.turns.len(), turns, "{values:?}");
    }

    #[test]
    fn turns_are_changes_of_a_tenth_against_the_direction() {
        check(&[0.0, 0.05, 0.09, 0.05, 0.0], 0);
        check(&[0.0, 0.1], 1);
        check(&[0.0, 0.04, 0.08, 0.12, 0.5, 1.0], 1);
        check(&[0.0, 0.5, 0.45, 0.5], 1);
        check(&[0.0, 0.5, 0.45, 0.39, 0.5], 3);
        check(&[0.0, 1.0, 0.0, 1.0, 0.0], 4);
        // Bright states count as well, more strictly than the rule asks.
        check(&[1.0, 0.88, 1.0, 0.88], 4);
    }

    #[test]
    fn after_five_turns_the_sixth_is_not_allowed_until_a_second_has_passed() {
        let mut counter = Counter::new(0.0);
        for (ms, value) in [(0, 1.0), (50, 0.0), (100, 1.0), (150, 0.0), (200, 1.0)] {
            counter.follow(Moment::from_millis(ms), value);
        }
        let (low, high) = counter.allowed(Moment::from_millis(210));
        assert!((0.9..0.902).contains(&low) && high == f32::INFINITY);
        assert_eq!(counter.allowed(Moment::from_millis(1000)).0, low);
        assert_eq!(
            counter.allowed(Moment::from_millis(1021)).0,
            f32::NEG_INFINITY
        );
    }
}
