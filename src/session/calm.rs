//! Calm prompts and fair tallies: an instruction stays long enough to be read, and what stood in the way most is the reason.

use crate::base::time::Moment;
use std::time::Duration;

/// A new instruction must have been due for this long before it is shown.
const PERSISTENCE: Duration = Duration::from_millis(400);
/// A shown instruction stays for at least this long: a short sentence takes about a second to read.
const READING_TIME: Duration = Duration::from_millis(1200);

/// Shows one instruction at a time and changes it calmly.
#[derive(Clone, Debug)]
pub struct Calm<P> {
    shown: P,
    since: Moment,
    candidate: Option<(P, Moment)>,
}

impl<P: Copy + PartialEq> Calm<P> {
    /// Begins with `first`, shown since `now`.
    pub fn new(first: P, now: Moment) -> Self {
        Self {
            shown: first,
            since: now,
            candidate: None,
        }
    }

    /// The instruction that is shown.
    pub fn shown(&self) -> P {
        self.shown
    }

    /// `due` would be the right instruction for a frame of this moment.
    pub fn offer(&mut self, due: P, now: Moment) {
        if due == self.shown {
            self.candidate = None;
            return;
        }
        match self.candidate {
            Some((candidate, first)) if candidate == due => {
                if now.since(first) >= PERSISTENCE && now.since(self.since) >= READING_TIME {
                    self.show(due, now);
                }
            }
            _ => self.candidate = Some((due, now)),
        }
    }

    /// Shows `prompt` at once (a step is done).
    pub fn show(&mut self, prompt: P, now: Moment) {
        self.shown = prompt;
        self.since = now;
        self.candidate = None;
    }
}

/// Counts what stood in the way, so that a time-out can say what it was most of the time.
#[derive(Clone, Debug)]
pub struct Tally<T> {
    counts: Vec<(T, u32)>,
}

impl<T> Default for Tally<T> {
    fn default() -> Self {
        Self { counts: Vec::new() }
    }
}

impl<T: Clone> Tally<T> {
    /// Counts one frame; `same` says whether two problems are the same one. The newest values are kept.
    pub fn count(&mut self, problem: T, same: impl Fn(&T, &T) -> bool) {
        match self.counts.iter_mut().find(|(p, _)| same(p, &problem)) {
            Some(entry) => *entry = (problem, entry.1 + 1),
            None => self.counts.push((problem, 1)),
        }
    }

    /// The problem of most frames.
    pub fn worst(&self) -> Option<&T> {
        self.counts.iter().max_by_key(|(_, n)| *n).map(|(p, _)| p)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_changes_only_after_it_was_due_and_readable() {
        let at = Moment::from_millis;
        let mut calm = Calm::new('a', at(0));
        for (now, due, shown) in [
            (100, 'b', 'a'),
            (600, 'b', 'a'),  // due long enough, but `a` was not yet readable
            (1300, 'b', 'b'), // now it was
            (1400, 'a', 'b'),
            (1500, 'b', 'b'), // flicker: the candidate is forgotten
            (2900, 'a', 'b'),
            (3100, 'a', 'b'),
            (3400, 'a', 'a'),
        ] {
            calm.offer(due, at(now));
            assert_eq!(calm.shown(), shown, "at {now} ms");
        }
    }

    #[test]
    fn the_worst_is_what_was_seen_most() {
        let mut tally = Tally::default();
        for p in ["dark", "far", "far"] {
            tally.count(p, |a, b| a == b);
        }
        assert_eq!(tally.worst(), Some(&"far"));
    }
}
