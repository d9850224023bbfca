//! From heat maps to corners.

use crate::base::geometry::Point;

/// Side of a heat map.
pub(super) const SIDE: usize = 48;
/// Half of the window around the peak that the centroid is taken over (5 x 5).
const REACH: usize = 2;

/// A second peak is looked for beyond so many cells from the first, in each direction.
const APART: usize = 4;

/// A place where a corner may be.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Peak {
    /// In units of the frame (0..=1 in both directions).
    pub(super) at: Point,
    /// Share of the map's probability that lies in the window around it: 1 for a sharp peak, near 0.01 for a flat map.
    pub(super) mass: f32,
}

/// The highest peak of each corner's map, and the highest one apart from it.
///
/// `logits` is `[48, 48, 4]` (row, column, corner), as the net gives it.
pub(super) fn decode(logits: &[f32]) -> [[Peak; 2]; 4] {
    [0, 1, 2, 3].map(|k| {
        let at = |(row, column): (usize, usize)| logits[(row * SIDE + column) * 4 + k];
        let highest = |counts: &dyn Fn(usize, usize) -> bool| {
            let cells = (0..SIDE * SIDE).map(|i| (i / SIDE, i % SIDE));
            let cells = cells.filter(|(row, column)| counts(*row, *column));
            cells.reduce(|a, b| if at(b) > at(a) { b } else { a })
        };
        let first = highest(&|_, _| true).unwrap_or_default();
        let top = at(first);
        let total: f32 = (0..SIDE * SIDE)
            .map(|i| (logits[i * 4 + k] - top).exp())
            .sum();
        let peak = |(row, column): (usize, usize)| {
            let around = |i: usize| i.saturating_sub(REACH)..(i + REACH + 1).min(SIDE);
            let (mut sum, mut x, mut y) = (0.0, 0.0, 0.0);
            for row in around(row) {
                for column in around(column) {
                    let weight = (at((row, column)) - top).exp();
                    sum += weight;
                    x += weight * (column as f32 + 0.5);
                    y += weight * (row as f32 + 0.5);
                }
            }
            // Of a very low peak nothing may be left; it has no mass, so its place does not matter.
            let scale = sum.max(f32::MIN_POSITIVE) * SIDE as f32;
            Peak {
                at: Point::new(x / scale, y / scale),
                mass: sum / total,
            }
        };
        let apart =
            |row: usize, column: usize| row.abs_diff(first.0).max(column.abs_diff(first.1)) > APART;
        [peak(first), highest(&apart).map(peak).unwrap_or_default()]
    })
}

/// Probabilities of logits.
pub(super) fn softmax<const N: usize>(logits: &[f32]) -> [f32; N] {
    let mut out = [0.0; N];
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for (o, l) in out.iter_mut().zip(logits) {
        *o = (l - top).exp();
        sum += *o;
    }
    out.iter_mut().for_each(|o| *o /= sum);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_are_found_between_the_cells() {
        let truth = [(0.12, 0.2), (0.83, 0.17), (0.9, 0.75), (0.05, 0.81)];
        let mut logits = vec![0.0; SIDE * SIDE * 4];
        for (i, l) in logits.iter_mut().enumerate() {
            let (x, y): (f32, f32) = truth[i % 4];
            let dx = (i / 4 % SIDE) as f32 + 0.5 - x * SIDE as f32;
            let dy = (i / 4 / SIDE) as f32 + 0.5 - y * SIDE as f32;
            *l = 12.0 - (dx * dx + dy * dy) / (2.0 * 1.2 * 1.2);
        }
        for ([first, second], (x, y)) in decode(&logits).iter().zip(truth) {
            assert!(first.at.distance(Point::new(x, y)) < 0.004, "{first:?}");
            assert!(
                first.mass > 0.8 && second.mass < 0.05,
                "{first:?} {second:?}"
            );
        }
        for peaks in decode(&vec![3.0; SIDE * SIDE * 4]) {
            assert!(peaks.iter().all(|p| p.mass < 0.02), "{peaks:?}");
        }
    }

    #[test]
    fn probabilities_sum_to_one() {
        assert_eq!(softmax::<2>(&[1000.0, 1000.0]), [0.5, 0.5]);
        assert!(softmax::<3>(&[0.0, 3.0, 0.0])[1] > 0.9);
    }
}
