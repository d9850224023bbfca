//! How long to wait before the next attempt: full jitter, doubling, capped.
//!
//! The delay after the n-th failure in a row is drawn from 0 to min(`max`, `min` * 2^n), and is at least `min`. Drawn,
//! because booths that have lost the wallet together must not come back together. Source: M. Brooker, "Exponential
//! backoff and jitter", AWS Architecture Blog, 2015.

use serde::Deserialize;
use std::time::Duration;

/// A wallet may ask for at most so much patience.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// The limits of the delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackoffConfig {
    /// The shortest delay in milliseconds. Default 1000.
    #[serde(default = "default_min_ms")]
    pub min_ms: u64,
    /// The longest delay in milliseconds. Default 300000.
    #[serde(default = "default_max_ms")]
    pub max_ms: u64,
}

const fn default_min_ms() -> u64 {
    1_000
}

const fn default_max_ms() -> u64 {
    300_000
}

impl Default for BackoffConfig {
    fn default() -> Self {
        Self {
            min_ms: default_min_ms(),
            max_ms: default_max_ms(),
        }
    }
}

/// The failures in a row.
#[derive(Clone, Debug)]
pub struct Backoff {
    config: BackoffConfig,
    failures: u32,
}

impl Backoff {
    /// No failure yet.
    pub const fn new(config: BackoffConfig) -> Self {
        Self {
            config,
            failures: 0,
        }
    }

    /// A success: the next failure is a first one.
    pub const fn reset(&mut self) {
        self.failures = 0;
    }

    /// Failures since the last success.
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// The delay after a failure. `chance` is any number, evenly drawn; `retry_after` is what the wallet asked for.
    pub fn next(&mut self, chance: u64, retry_after: Option<Duration>) -> Duration {
        let BackoffConfig { min_ms, max_ms } = self.config;
        let max_ms = max_ms.max(min_ms);
        let doubled = min_ms.saturating_mul(2_u64.saturating_pow(self.failures));
        self.failures = self.failures.saturating_add(1);
        let top = doubled.clamp(min_ms, max_ms);
        let drawn = Duration::from_millis((chance % top.saturating_add(1)).max(min_ms));
        drawn.max(retry_after.unwrap_or_default().min(MAX_RETRY_AFTER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn every_delay_is_within_its_limits(chances in proptest::collection::vec(proptest::prelude::any::<u64>(), 1..80)) {
            let mut backoff = Backoff::new(BackoffConfig::default());
            for (n, chance) in chances.into_iter().enumerate() {
                let delay = backoff.next(chance, None).as_millis();
                let top = (1000_u128 << n.min(20)).min(300_000);
                proptest::prop_assert!((1000..=top.max(1000)).contains(&delay), "{}: {}", n, delay);
            }
        }
    }

    #[test]
    fn delays_spread_and_a_success_begins_again() {
        let mut backoff = Backoff::new(BackoffConfig::default());
        for _ in 0..20 {
            backoff.next(0, None);
        }
        assert_eq!(
            backoff.next(u64::from(u32::MAX), None).as_millis(),
            u128::from(u32::MAX % 300_001)
        );
        assert_eq!(backoff.next(300_000, None), Duration::from_secs(300));
        backoff.reset();
        assert_eq!(backoff.next(300_000, None), Duration::from_secs(1));
    }

    #[test]
    fn the_wallets_wish_is_honoured_up_to_an_hour() {
        for (asked, expected) in [(0, 1), (60, 60), (3600, 3600), (1_000_000, 3600)] {
            let mut backoff = Backoff::new(BackoffConfig::default());
            let delay = backoff.next(0, Some(Duration::from_secs(asked)));
            assert_eq!(delay.as_secs(), expected);
        }
    }
}
