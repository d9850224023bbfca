//! How samples become the figure of an hour, and hours the figure of a day.

/// What is taken of many figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    /// The middle one: one dark hour, one loud minute is none.
    Median,
    /// The one that a tenth are below.
    LowTenth,
    /// All together.
    Sum,
    /// The greatest.
    Most,
}

impl Statistic {
    /// Of these; `None` of none.
    pub fn of(self, values: impl IntoIterator<Item = f64>) -> Option<f64> {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len();
        match self {
            Self::Median if n > 0 => Some(f64::midpoint(sorted[(n - 1) / 2], sorted[n / 2])),
            Self::LowTenth if n > 0 => Some(sorted[n / 10]),
            Self::Sum if n > 0 => Some(sorted.iter().sum()),
            Self::Most => sorted.last().copied(),
            _ => None,
        }
    }
}

/// The figures of an hour or a day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Samples.
    pub n: u32,
    /// What the measure's statistic gives.
    pub mid: f64,
    /// The least.
    pub low: f64,
    /// The greatest.
    pub high: f64,
}

impl Summary {
    /// Two parts of the same hour, before and after a restart. Where the samples are gone, the larger part counts more.
    pub fn with(self, other: Self, statistic: Statistic) -> Self {
        let n = self.n.saturating_add(other.n);
        let mid = match statistic {
            Statistic::Sum => self.mid + other.mid,
            Statistic::Most => self.mid.max(other.mid),
            Statistic::Median | Statistic::LowTenth => {
                (self.mid * f64::from(self.n) + other.mid * f64::from(other.n))
                    / f64::from(n.max(1))
            }
        };
        Self {
            n,
            mid,
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }

    /// A day of its hours.
    pub fn of_hours(hours: &[Self], statistic: Statistic) -> Option<Self> {
        Some(Self {
            n: hours.iter().fold(0, |n, h| n.saturating_add(h.n)),
            mid: statistic.of(hours.iter().map(|h| h.mid))?,
            low: hours.iter().map(|h| h.low).reduce(f64::min)?,
            high: hours.iter().map(|h| h.high).reduce(f64::max)?,
        })
    }
}

/// Samples of one measure in one hour that are kept: one every five seconds, and some.
const MOST_SAMPLES: usize = 1024;

/// The samples of one measure in the present hour.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally(Vec<f64>);

impl Tally {
    /// Takes one in; what is more than an hour can have is left out.
    pub(super) fn add(&mut self, value: f64) {
        if self.0.len() < MOST_SAMPLES {
            self.0.push(value);
        }
    }

    pub(super) fn summary(&self, statistic: Statistic) -> Option<Summary> {
        Some(Summary {
            n: u32::try_from(self.0.len()).unwrap_or(u32::MAX),
            mid: statistic.of(self.0.iter().copied())?,
            low: self.0.iter().copied().reduce(f64::min)?,
            high: self.0.iter().copied().reduce(f64::max)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_figure_of_many() {
        use Statistic::{LowTenth, Median, Most, Sum};
        let twenty: Vec<f64> = (1..=20).rev().map(f64::from).collect();
        for (statistic, values, expected) in [
            (Median, &[][..], None),
            (LowTenth, &[], None),
            (Sum, &[], None),
            (Most, &[], None),
            (Median, &[3.0], Some(3.0)),
            (Median, &[9.0, 1.0, 3.0], Some(3.0)),
            (Median, &[9.0, 1.0, 3.0, 4.0], Some(3.5)),
            (LowTenth, &[9.0, 1.0, 3.0], Some(1.0)),
            (LowTenth, &twenty, Some(3.0)),
            (Sum, &[0.0, 1.0, 1.0], Some(2.0)),
            (Most, &[0.0, -1.0], Some(0.0)),
        ] {
            assert_eq!(
                statistic.of(values.iter().copied()),
                expected,
                "{statistic:?} {values:?}"
            );
        }
    }

    #[test]
    fn two_parts_of_an_hour_are_one() {
        let part = |n, mid, low, high| Summary { n, mid, low, high };
        let (a, b) = (part(30, 2.0, 1.0, 3.0), part(10, 6.0, 0.5, 7.0));
        for (statistic, mid) in [
            (Statistic::Median, 3.0),
            (Statistic::LowTenth, 3.0),
            (Statistic::Sum, 8.0),
            (Statistic::Most, 6.0),
        ] {
            assert_eq!(a.with(b, statistic), part(40, mid, 0.5, 7.0));
        }
    }
}
