//! Attempts over several sessions (NIST SP 800-63B, 3.2.3): a state machine of two numbers, which survives a restart because the
//! outbox keeps them ([`Standing`]).
//!
//! ```text
//!   open: fewer failures in a row than `consecutive`          a session that passes: none
//!      | a session that fails and uses up an attempt: one more
//!      v
//!   waiting: `cooldown_s` after the last failure, before every further attempt
//!      | ten times `consecutive`
//!      v
//!   exhausted: only staff
//! ```
//! Failures of network, equipment and environment, and sessions that were ended early, change nothing.
//!
//! The clock is the wall clock, as the numbers outlive the process. A clock that was set back by more than the cool-down counts as
//! the cool-down's end: it must not keep anybody out for longer than the policy says.

use super::policy::AttemptRules;
use crate::base::standing::Standing;
use serde::Serialize;

/// Whether a session may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may; so many attempts are left before there is a cool-down.
    Open {
        /// At least 1, but after a cool-down 0: each further attempt has its own.
        left: u32,
    },
    /// It may in so many seconds.
    Wait {
        /// At least 1.
        seconds: u64,
    },
    /// It may not: staff has to help.
    Exhausted,
}

/// What a session did to the standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// It passed.
    Passed,
    /// It failed and used up an attempt.
    Failed,
    /// Neither.
    Nothing,
}

/// After so many times `consecutive` failures in a row no cool-down helps (50 of 5, 100 of 10).
const OVERALL_TIMES: u32 = 10;

impl AttemptRules {
    /// Whether somebody who stands so may begin at `now_s` (Unix seconds).
    pub fn admission(&self, standing: Standing, now_s: i64) -> Admission {
        let consecutive = u32::from(self.consecutive);
        if standing.failures >= consecutive.saturating_mul(OVERALL_TIMES) {
            return Admission::Exhausted;
        }
        let left = consecutive.saturating_sub(standing.failures);
        if left > 0 {
            return Admission::Open { left };
        }
        let cooldown = i64::from(self.cooldown_s);
        let over_s = standing.last_failed_s.saturating_add(cooldown);
        let wait = over_s.saturating_sub(now_s);
        match u64::try_from(wait) {
            // More than twice: the clock was set back.
            Ok(seconds) if seconds > 0 && wait <= 2 * cooldown => Admission::Wait { seconds },
            _ => Admission::Open { left: 0 },
        }
    }

    /// How somebody stands after a session that ended at `now_s`.
    pub fn after(&self, standing: Standing, counted: Counted, now_s: i64) -> Standing {
        match counted {
            Counted::Passed => Standing::default(),
            Counted::Failed => Standing {
                failures: standing.failures.saturating_add(1),
                last_failed_s: now_s,
            },
            Counted::Nothing => standing,
        }
    }
}

/// What the outcome says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AttemptLimits {
    /// Failures in a row, this session included.
    pub failures: u32,
    /// Attempts left before there is a cool-down.
    pub left: u32,
    /// Seconds until the next attempt is taken; `None`: no further one, staff has to help.
    pub wait_s: Option<u64>,
}

impl AttemptLimits {
    /// What holds for somebody who stands so.
    pub fn new(rules: &AttemptRules, standing: Standing, now_s: i64) -> Self {
        let (left, wait_s) = match rules.admission(standing, now_s) {
            Admission::Open { left } => (left, Some(0)),
            Admission::Wait { seconds } => (0, Some(seconds)),
            Admission::Exhausted => (0, None),
        };
        Self {
            failures: standing.failures,
            left,
            wait_s,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RULES: AttemptRules = AttemptRules {
        per_step: 3,
        consecutive: 5,
        cooldown_s: 30,
        keep_steps_s: 300,
    };

    fn standing(failures: u32, last_failed_s: i64) -> Standing {
        Standing {
            failures,
            last_failed_s,
        }
    }

    #[test]
    fn five_failures_then_a_cool_down_before_each_further_one_then_staff() {
        let check = |failures, now_s, expected| {
            let found = RULES.admission(standing(failures, 1000), now_s);
            assert_eq!(found, expected, "{failures} failures at {now_s}");
        };
        check(0, 1000, Admission::Open { left: 5 });
        check(4, 1000, Admission::Open { left: 1 });
        check(5, 1000, Admission::Wait { seconds: 30 });
        check(5, 1029, Admission::Wait { seconds: 1 });
        check(5, 1030, Admission::Open { left: 0 });
        check(6, 1029, Admission::Wait { seconds: 1 });
        check(49, 1030, Admission::Open { left: 0 });
        check(50, 1_000_000, Admission::Exhausted);
        // A clock that was set back a little makes the wait longer, one that was set back far ends it.
        check(5, 980, Admission::Wait { seconds: 50 });
        check(5, 900, Admission::Open { left: 0 });
        check(5, i64::MIN, Admission::Open { left: 0 });
        check(5, i64::MAX, Admission::Open { left: 0 });
    }

    #[derive(Clone, Copy, Debug)]
    enum Happening {
        Session(Counted),
        Wait(u16),
        Restart,
    }

    fn happening() -> impl Strategy<Value = Happening> {
        prop_oneof![
            Just(Happening::Session(Counted::Passed)),
            Just(Happening::Session(Counted::Failed)),
            Just(Happening::Session(Counted::Failed)),
            Just(Happening::Session(Counted::Failed)),
            Just(Happening::Session(Counted::Nothing)),
            (0u16..90).prop_map(Happening::Wait),
            Just(Happening::Restart),
        ]
    }

    proptest! {
        /// The rules in words, whatever happens in whatever order: after five failures in a row no attempt begins within 30 s of
        /// the last, none at all after fifty, and who is not at either limit is never kept waiting.
        #[test]
        fn the_limits_hold(consecutive in 1u8..=5, script in prop::collection::vec(happening(), 0..400)) {
            let rules = AttemptRules { consecutive, ..RULES };
            let (mut now_s, mut kept, mut in_a_row, mut last) = (1_000_000_i64, Standing::default(), 0u32, None);
            for happening in script {
                match happening {
                    Happening::Wait(s) => now_s += i64::from(s),
                    // What the outbox keeps is all there is.
                    Happening::Restart => kept = standing(kept.failures, kept.last_failed_s),
                    Happening::Session(counted) => {
                        let many = in_a_row >= u32::from(consecutive);
                        let soon = last.is_some_and(|l| now_s - l < 30);
                        match rules.admission(kept, now_s) {
                            Admission::Open { .. } => {
                                prop_assert!(!(many && soon));
                                prop_assert!(in_a_row < 10 * u32::from(consecutive));
                                kept = rules.after(kept, counted, now_s);
                                match counted {
                                    Counted::Failed => (in_a_row, last) = (in_a_row + 1, Some(now_s)),
                                    Counted::Passed => (in_a_row, last) = (0, None),
                                    Counted::Nothing => {}
                                }
                            }
                            Admission::Wait { seconds } => prop_assert!(many && soon && seconds <= 30),
                            Admission::Exhausted => prop_assert!(in_a_row >= 10 * u32::from(consecutive)),
                        }
                    }
                }
            }
        }
    }
}
