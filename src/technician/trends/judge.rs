//! A measure's days against its own reference. Pure.
//!
//! Now is the median of the newest [`NOW_DAYS`] days that are over and have a figure, the reference the median of the first
//! [`REFERENCE_DAYS`]: one dark day, or two, are no trend, and three may be one. Without that many days nothing is said.

use super::measure::{Measure, Rule};
use super::tally::Statistic;
use crate::technician::report::Verdict;

/// Days whose median is what a measure is now.
pub const NOW_DAYS: usize = 5;
/// Days of which they are taken: a branch is closed now and then.
pub const NOW_WITHIN: i64 = 14;
/// Days whose median is the reference; from then on it is fixed.
pub const REFERENCE_DAYS: usize = 14;

/// What is remembered of a measure beside its figures.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Standing {
    /// Days before this one (since 1970) say nothing any more: the part was cleaned, replaced or calibrated.
    pub since_day: i64,
    /// The reference, once it is fixed.
    pub reference: Option<f64>,
    /// It is told as a fault.
    pub raised: bool,
}

/// What is said of a measure.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// Of which.
    pub measure: Measure,
    /// What it is now, of however few days; before the first is over, of today.
    pub now: Option<f64>,
    /// What it was; before it is fixed, of the days so far.
    pub reference: Option<f64>,
    /// Whether it is a fault. As before where too little is known.
    pub raised: bool,
    /// `NotTested` where too little is known and nothing is told.
    pub verdict: Verdict,
    /// Days that are still missing.
    pub missing_days: usize,
    /// The reference is fixed now: to be remembered.
    pub fixed: Option<f64>,
    /// Hours of the day (UTC) at which the limit is passed, as `07-10 h`.
    pub hours: Vec<String>,
    /// What the limit is a multiple of, where it is.
    pub ring: Option<f64>,
}

impl Judged {
    /// How much it has changed: a share of the reference, or the difference in the measure's unit.
    pub fn change(&self) -> Option<f64> {
        let (now, reference) = (self.now?, self.reference?);
        match self.measure.spec().rule {
            Rule::Falls { .. } => (reference > 0.0).then(|| now / reference - 1.0),
            _ => Some(now - reference),
        }
    }
}

fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    Statistic::Median.of(values)
}

/// Judges a measure by its days (since 1970, with their figures) in their order.
pub fn judge(measure: Measure, days: &[(i64, f64)], standing: &Standing, today: i64) -> Judged {
    // A day that is not over may have its hottest hour before it.
    let counted: Vec<(i64, f64)> = days
        .iter()
        .copied()
        .filter(|(day, _)| (standing.since_day..today).contains(day))
        .collect();
    let of_today = days.iter().find(|(day, _)| *day == today);
    let newest = counted
        .iter()
        .rev()
        .filter(|(day, _)| today - day < NOW_WITHIN)
        .take(NOW_DAYS)
        .map(|(_, value)| *value);
    let n_now = newest.clone().count();
    let now = median(newest).or(of_today.map(|(_, value)| *value));
    let first = || counted.iter().take(REFERENCE_DAYS).map(|(_, value)| *value);
    let fixed = (standing.reference.is_none() && counted.len() >= REFERENCE_DAYS)
        .then(|| median(first()))
        .flatten();
    let reference = standing.reference.or_else(|| median(first()));
    let missing_days = NOW_DAYS.saturating_sub(n_now);
    let beyond = now
        .zip(reference)
        .filter(|_| missing_days == 0)
        .map(
            |(now, reference)| match (measure.spec().rule, standing.raised) {
                (Rule::Falls { raise, .. }, false) => now < reference * (1.0 - raise),
                (Rule::Falls { clear, .. }, true) => now < reference * (1.0 - clear),
                (Rule::Rises { raise, .. }, false) => now > reference + raise,
                (Rule::Rises { clear, .. }, true) => now > reference + clear,
                (Rule::Reaches { raise, .. }, false) => now >= raise,
                (Rule::Reaches { clear, .. }, true) => now >= clear,
                // Its hours are judged, not its days.
                (Rule::BeatsRing { .. }, raised) => raised,
            },
        );
    Judged {
        measure,
        now,
        reference,
        raised: beyond.unwrap_or(standing.raised),
        verdict: verdict(beyond, standing.raised),
        missing_days,
        fixed,
        hours: Vec::new(),
        ring: None,
    }
}

fn verdict(beyond: Option<bool>, was: bool) -> Verdict {
    match beyond.or(was.then_some(true)) {
        Some(true) => Verdict::Warn,
        Some(false) => Verdict::Ok,
        None => Verdict::NotTested,
    }
}

/// Judges the light of the room by its hours (since 1970, with their figures) against what the ring gives: each hour of the day by the
/// median of its newest days.
pub fn judge_hours(
    measure: Measure,
    hours: &[(i64, f64)],
    ring: Option<f64>,
    standing: &Standing,
    now_hour: i64,
) -> Judged {
    let since = (24 * standing.since_day).max(now_hour - 24 * NOW_WITHIN);
    let of_the_day: Vec<(usize, Option<f64>)> = (0..24)
        .map(|h| {
            let newest = hours
                .iter()
                .rev()
                .filter(|(hour, _)| (since..=now_hour).contains(hour) && hour.rem_euclid(24) == h)
                .take(NOW_DAYS)
                .map(|(_, value)| *value);
            (newest.clone().count(), median(newest))
        })
        .collect();
    let known = of_the_day.iter().filter(|(n, _)| *n >= NOW_DAYS);
    let missing_days = NOW_DAYS - of_the_day.iter().map(|(n, _)| *n).max().unwrap_or(0);
    let limit = match measure.spec().rule {
        Rule::BeatsRing { raise, clear } => {
            let times = if standing.raised { clear } else { raise };
            ring.filter(|ring| *ring > 0.0).map(|ring| times * ring)
        }
        _ => None,
    };
    let bright: Vec<bool> = of_the_day
        .iter()
        .map(|(n, value)| {
            *n >= NOW_DAYS && value.zip(limit).is_some_and(|(value, limit)| value > limit)
        })
        .collect();
    let judged = missing_days == 0 && limit.is_some();
    let beyond = judged.then(|| bright.contains(&true));
    Judged {
        measure,
        now: known
            .clone()
            .filter_map(|(_, value)| *value)
            .reduce(f64::max)
            .or_else(|| {
                let any = of_the_day.iter().filter_map(|(_, value)| *value);
                any.reduce(f64::max)
            }),
        reference: median(of_the_day.iter().filter_map(|(_, value)| *value)),
        raised: beyond.unwrap_or(standing.raised),
        verdict: verdict(beyond, standing.raised),
        missing_days,
        fixed: None,
        hours: spans(&bright),
        ring,
    }
}

/// Hours of the day in a row, as `07-10 h`: from the beginning of the first to the end of the last. One that goes over midnight is two.
fn spans(bright: &[bool]) -> Vec<String> {
    let mut spans = Vec::new();
    let mut from = None;
    for (hour, is_bright) in bright.iter().chain([&false]).enumerate() {
        match (is_bright, from) {
            (true, None) => from = Some(hour),
            (false, Some(first)) => {
                spans.push(format!("{first:02}-{hour:02} h"));
                from = None;
            }
            _ => {}
        }
    }
    spans
}

#[cfg(test)]
mod tests;
