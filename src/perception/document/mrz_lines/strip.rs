//! The exact place of one line: a straight line through the middle of its print, its upper and lower edge, its ends.

use super::find::{CELL, Candidate, LineFinder, N_COLUMNS, WIDTH, fall};
use crate::base::geometry::{Point, Quad};

/// A line of print in the plane of [`WIDTH`] pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Strip {
    /// The middle: `y = slope * x + start`.
    slope: f32,
    start: f32,
    /// Upper and lower edge relative to the middle.
    edges: (f32, f32),
    /// Left and right end.
    ends: (f32, f32),
}

/// How much more than the print is cut out, in heights of the print: at each end, above and below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Padding {
    pub(super) ends: f32,
    pub(super) edges: f32,
}

impl Strip {
    /// Height of the print.
    pub(super) fn height(&self) -> f32 {
        self.edges.1 - self.edges.0
    }

    /// The strip with the ends of both: lines of one zone are equally long.
    pub(super) fn with_ends_of(mut self, other: &Self) -> Self {
        self.ends = (self.ends.0.min(other.ends.0), self.ends.1.max(other.ends.1));
        self
    }

    /// The corners of the strip with its padding.
    pub(super) fn quad(&self, padding: Padding) -> Quad {
        let (left, right) = (
            self.ends.0 - padding.ends * self.height(),
            self.ends.1 + padding.ends * self.height(),
        );
        let (upper, lower) = (
            self.edges.0 - padding.edges * self.height(),
            self.edges.1 + padding.edges * self.height(),
        );
        let at = |x: f32, offset: f32| Point::new(x, self.slope * x + self.start + offset);
        Quad([
            at(left, upper),
            at(right, upper),
            at(right, lower),
            at(left, lower),
        ])
    }
}

/// Finds the exact place of one line of a candidate.
pub(super) fn locate(finder: &LineFinder, candidate: &Candidate, line: usize) -> Option<Strip> {
    let band = candidate.bands().get(line)?;
    let n_rows = finder.n_rows() as i32;
    let height = (band.rows.1 - band.rows.0) as f32;

    // The middle of the print in every column of cells, weighted by how much print there is.
    let mut points = [(0.0f32, 0.0f32, 0.0f32); N_COLUMNS];
    let mut n_points = 0;
    for column in band.columns.0..=band.columns.1 {
        let middle = band.middle() - 0.5 + fall(candidate.tilt, column) as f32;
        let first = ((middle - 0.9 * height) as i32).max(0);
        let last = ((middle + 0.9 * height) as i32).min(n_rows - 1);
        let (mut weight, mut sum) = (0.0, 0.0);
        for row in first..=last {
            let cell = finder.energy[row as usize * N_COLUMNS + column];
            let w = (cell - 0.6 * candidate.busy).max(0.0);
            weight += w;
            sum += w * (row as f32 + 0.5);
        }
        if weight > 0.0 {
            points[n_points] = ((column as f32 + 0.5) * CELL as f32, sum / weight, weight);
            n_points += 1;
        }
    }
    let (slope, start) = robust_line(&mut points[..n_points])?;

    // Upper and lower edge: where the steps along the line fall to three tenths.
    let (x0, x1) = (band.columns.0 * CELL, (band.columns.1 + 1) * CELL);
    let reach = height as i32 + 2;
    let row_at = |x: usize, offset: i32| {
        let y = (slope * (x as f32 + 0.5) + start).floor() as i32 + offset;
        y.clamp(0, n_rows - 1) as usize
    };
    let mean_at = |offset: i32| {
        (x0..x1)
            .map(|x| finder.steps[row_at(x, offset) * WIDTH + x])
            .sum::<f32>()
            / (x1 - x0) as f32
    };
    // Bands are at most 44 rows high.
    let mut profile = [0.0f32; 2 * 46 + 1];
    let profile = &mut profile[..(2 * reach + 1) as usize];
    for (p, offset) in profile.iter_mut().zip(-reach..) {
        *p = mean_at(offset);
    }
    let least = profile.iter().copied().fold(f32::MAX, f32::min);
    let most = profile.iter().copied().fold(f32::MIN, f32::max);
    let limit = least + 0.3 * (most - least);
    let busy = |offset: i32| profile[(offset + reach) as usize] > limit;
    let mut first = 0;
    while first > -reach && busy(first - 1) {
        first -= 1;
    }
    let mut last = 0;
    while last < reach && busy(last + 1) {
        last += 1;
    }
    let edges = (first as f32 - 0.5, last as f32 + 0.5);
    let height = edges.1 - edges.0;

    // The ends: from the middle outwards until a gap of more than one and a half heights.
    let column = |x: usize| {
        (first..=last)
            .map(|o| finder.steps[row_at(x, o) * WIDTH + x])
            .sum::<f32>()
            / height
    };
    let window = ((height * 0.5) as usize).max(3);
    let printed = |x: usize| {
        let range = x.saturating_sub(window / 2)..(x + window / 2 + 1).min(WIDTH);
        let n = range.len() as f32;
        range.map(column).sum::<f32>() / n > 0.6 * candidate.busy
    };
    let widest_gap = (1.5 * height) as usize;
    let middle = (x0 + x1) / 2;
    let (mut left, mut right) = (middle, middle);
    let lowest = x0.saturating_sub(2 * CELL);
    for x in (lowest..middle).rev() {
        if left - x > widest_gap {
            break;
        }
        if printed(x) {
            left = x;
        }
    }
    for x in middle..(x1 + 2 * CELL).min(WIDTH) {
        if x - right > widest_gap {
            break;
        }
        if printed(x) {
            right = x;
        }
    }
    (right > left).then_some(Strip {
        slope,
        start,
        edges,
        ends: (left as f32, right as f32 + 1.0),
    })
}

/// Weighted least squares, three times, each time without the points that lie far off.
fn robust_line(points: &mut [(f32, f32, f32)]) -> Option<(f32, f32)> {
    let mut n = points.len();
    let mut line = None;
    for _ in 0..3 {
        let used = &points[..n];
        let w: f32 = used.iter().map(|p| p.2).sum();
        if used.len() < 4 || w <= 0.0 {
            return line;
        }
        let mx = used.iter().map(|p| p.2 * p.0).sum::<f32>() / w;
        let my = used.iter().map(|p| p.2 * p.1).sum::<f32>() / w;
        let sxx: f32 = used.iter().map(|p| p.2 * (p.0 - mx).powi(2)).sum();
        let sxy: f32 = used.iter().map(|p| p.2 * (p.0 - mx) * (p.1 - my)).sum();
        let slope = if sxx > 0.0 { sxy / sxx } else { 0.0 };
        let start = my - slope * mx;
        line = Some((slope, start));
        let off = |p: &(f32, f32, f32)| (p.1 - slope * p.0 - start).abs();
        points.sort_by(|a, b| off(a).total_cmp(&off(b)));
        let limit = (1.5 * off(&points[n / 2])).max(1.0);
        n = points.iter().take_while(|p| off(p) < limit).count();
    }
    line
}
