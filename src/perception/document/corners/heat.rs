//! From heat maps to corners.

use crate::base::geometry::{Point, Quad};

/// Side of a heat map.
pub(super) const SIDE: usize = 48;
/// Half of the window around the peak that the centroid is taken over (5 x 5).
const REACH: usize = 2;

/// Corners in units of the frame (0..=1 in both directions), and the smallest share of a map's probability that lies in the
/// window around its peak: 1 for a sharp peak, near 0.01 for a flat map.
///
/// `logits` is `[48, 48, 4]` (row, column, corner), as the net gives it.
pub(super) fn decode(logits: &[f32]) -> (Quad, f32) {
    let mut corners = [Point::default(); 4];
    let mut weakest = 1.0f32;
    for (k, corner) in corners.iter_mut().enumerate() {
        let at = |row: usize, column: usize| logits[(row * SIDE + column) * 4 + k];
        let mut peak = (0, 0);
        for row in 0..SIDE {
            for column in 0..SIDE {
                if at(row, column) > at(peak.0, peak.1) {
                    peak = (row, column);
                }
            }
        }
        let top = at(peak.0, peak.1);
        let total: f32 = (0..SIDE * SIDE)
            .map(|i| (logits[i * 4 + k] - top).exp())
            .sum();
        let (mut sum, mut x, mut y) = (0.0, 0.0, 0.0);
        for row in peak.0.saturating_sub(REACH)..(peak.0 + REACH + 1).min(SIDE) {
            for column in peak.1.saturating_sub(REACH)..(peak.1 + REACH + 1).min(SIDE) {
                let weight = (at(row, column) - top).exp();
                sum += weight;
                x += weight * (column as f32 + 0.5);
                y += weight * (row as f32 + 0.5);
            }
        }
        // The peak itself weighs 1, so the sum is at least 1.
        *corner = Point::new(x / sum / SIDE as f32, y / sum / SIDE as f32);
        weakest = weakest.min(sum / total);
    }
    (Quad(corners), weakest)
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
        let (quad, mass) = decode(&logits);
        for (p, (x, y)) in quad.0.iter().zip(truth) {
            assert!(p.distance(Point::new(x, y)) < 0.004, "{p:?}");
        }
        assert!(mass > 0.8, "{mass}");
        let (_, flat) = decode(&vec![3.0; SIDE * SIDE * 4]);
        assert!(flat < 0.02, "{flat}");
    }

    #[test]
    fn probabilities_sum_to_one() {
        assert_eq!(softmax::<2>(&[1000.0, 1000.0]), [0.5, 0.5]);
        assert!(softmax::<3>(&[0.0, 3.0, 0.0])[1] > 0.9);
    }
}
