//! Flashes in a recorded trace of the ring, counted from the outside: not by the code that limits them.
//!
//! WCAG 2.2, 2.3.1: a flash is a pair of opposing changes of relative luminance of a tenth of the maximum or more, where the darker
//! state is below 0.8. Counted for each side and for both together.

use crate::hal::LightLevels;
use std::time::Duration;

/// Least change that counts.
const CHANGE: f32 = 0.1;
/// Where both states are at least this bright, there is no flash.
const BRIGHT: f32 = 0.8;

/// Most flashes within any second of a trace, of the worst of left, right and both together.
pub(super) fn most_in_a_second(trace: &[(Duration, LightLevels)]) -> usize {
    let signals: [fn(&LightLevels) -> f32; 3] = [
        |l| l.left.power(),
        |l| l.right.power(),
        |l| f32::midpoint(l.left.power(), l.right.power()),
    ];
    let most = signals.iter().map(|signal| {
        let values: Vec<(Duration, f32)> = trace.iter().map(|(at, l)| (*at, signal(l))).collect();
        most_pairs(&changes(&values))
    });
    most.max().unwrap_or(0)
}

/// Changes that count, with their directions, at the moments when they have become large enough.
fn changes(values: &[(Duration, f32)]) -> Vec<(Duration, bool)> {
    let mut found: Vec<(Duration, bool)> = Vec::new();
    // The extremes since the last change that counts.
    let Some((_, first)) = values.first() else {
        return found;
    };
    let (mut low, mut high) = (*first, *first);
    for (at, value) in values {
        let up = value - low >= CHANGE && low < BRIGHT;
        let down = high - value >= CHANGE && *value < BRIGHT;
        (low, high) = (low.min(*value), high.max(*value));
        if up || down {
            // A change that goes on in the same direction is one change.
            if found.last().is_none_or(|(_, was_up)| *was_up != up) {
                found.push((*at, up));
            }
            (low, high) = (*value, *value);
        }
    }
    found
}

/// Most pairs of opposing changes within a second.
fn most_pairs(changes: &[(Duration, bool)]) -> usize {
    let within = |i: usize| {
        let (begin, _) = changes[i];
        let second = changes[i..].iter();
        second
            .take_while(|(at, _)| *at - begin < Duration::from_secs(1))
            .count()
    };
    (0..changes.len()).map(within).max().unwrap_or(0) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(levels: &[f32], step_ms: u64, expected: usize) {
        let trace: Vec<(Duration, LightLevels)> = levels
            .iter()
            .enumerate()
            .map(|(i, l)| {
                (
                    Duration::from_millis(i as u64 * step_ms),
                    LightLevels::white(*l),
                )
            })
            .collect();
        assert_eq!(
            most_in_a_second(&trace),
            expected,
            "{levels:?} every {step_ms} ms"
        );
    }

    #[test]
    fn pairs_of_opposing_changes_are_flashes() {
        check(&[], 100, 0);
        check(&[0.1, 0.6, 0.6], 100, 0);
        check(&[0.1, 0.6, 0.1], 100, 1);
        check(&[0.1, 0.6, 0.1, 0.6, 0.1, 0.6, 0.1], 100, 3);
        check(&[0.1, 0.6, 0.1, 0.6, 0.1, 0.6, 0.1, 0.6, 0.1], 100, 4);
        // Slow ones are fewer a second; small ones and those between bright states are none.
        check(&[0.1, 0.6, 0.1, 0.6, 0.1, 0.6, 0.1], 400, 1);
        check(&[0.5, 0.55, 0.5, 0.55, 0.5], 100, 0);
        check(&[0.85, 1.0, 0.85, 1.0], 100, 0);
        // A ramp in small steps is one change.
        check(
            &[0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.2, 0.15, 0.1, 0.05, 0.0],
            20,
            1,
        );
    }
}
