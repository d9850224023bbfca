//! Where the lines of a machine readable zone may be, without a net.
//!
//! Print has many luminance edges along a row; fillers have them too. The plane of 640 pixels width is cut into 40 columns; a cell
//! (one row of one column) holds the mean step of luminance from pixel to pixel. For a number of small tilts, rows with a long
//! unbroken run of busy cells are joined to bands, and two or three bands of like height, like extent and even distance are a
//! candidate. Reading decides: candidates are only ordered here.

/// Width of the plane that is searched.
pub(crate) const WIDTH: usize = 640;
/// Columns of cells.
pub(super) const N_COLUMNS: usize = 40;
/// Pixels of a cell.
pub(super) const CELL: usize = WIDTH / N_COLUMNS;
/// Mean steps from which a cell counts as busy, after the contrast of the plane was normalised: weak, usual and strong print.
const BUSY: [f32; 3] = [5.0, 8.0, 13.0];
/// Tilts in rows over the whole width: -32, -28, .. 32 (2.9 degrees).
const TILTS: std::ops::RangeInclusive<i32> = -8..=8;
const TILT_STEP: i32 = 4;
/// A band has a run of at least a third of the width; a zone fills nine tenths of a document, but scans have margins.
const LEAST_RUN: usize = 13;
/// Heights of a band in rows.
const BAND_HEIGHT: std::ops::RangeInclusive<usize> = 4..=44;
/// Single steps of luminance are cut off here, so that the edge of a photograph does not count as much as print.
const LARGEST_STEP: f32 = 80.0;
/// How many candidates are kept.
const MAX_CANDIDATES: usize = 6;
/// The most bands that are looked at in one picture of bands.
const MAX_BANDS: usize = 96;

/// One line of print, roughly.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Band {
    /// First row and the row after the last one, in the middle column.
    pub(super) rows: (usize, usize),
    /// First and last column of cells.
    pub(super) columns: (usize, usize),
}

impl Band {
    fn height(&self) -> f32 {
        (self.rows.1 - self.rows.0) as f32
    }

    /// Middle row.
    pub(super) fn middle(&self) -> f32 {
        (self.rows.0 + self.rows.1) as f32 / 2.0
    }

    fn n_columns(&self) -> usize {
        self.columns.1 + 1 - self.columns.0
    }

    /// Columns that both have, and columns that one of them has.
    fn overlap(&self, other: &Self) -> (usize, usize) {
        let both = (self.columns.1.min(other.columns.1) + 1)
            .saturating_sub(self.columns.0.max(other.columns.0));
        (both, self.n_columns() + other.n_columns() - both)
    }
}

/// Two or three lines that may be a machine readable zone.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Candidate {
    /// Higher is likelier.
    pub(super) score: f32,
    /// Rows that the lines fall over the whole width.
    pub(super) tilt: i32,
    /// The mean step from which a cell counted as busy.
    pub(super) busy: f32,
    /// How many of `bands` are used.
    pub(super) n_bands: usize,
    /// From top to bottom.
    pub(super) bands: [Band; 3],
}

impl Candidate {
    /// The bands, from top to bottom.
    pub(super) fn bands(&self) -> &[Band] {
        &self.bands[..self.n_bands]
    }

    fn same_place(&self, other: &Self) -> bool {
        self.n_bands == other.n_bands
            && (self.bands().iter().zip(other.bands()))
                .all(|(a, b)| (a.middle() - b.middle()).abs() < 5.0)
    }
}

/// Row the column `c` of a line with this tilt lies lower than its middle.
pub(super) fn fall(tilt: i32, column: usize) -> i32 {
    let from_middle = 2 * column as i32 + 1 - N_COLUMNS as i32;
    // Rounded to the nearest row.
    (tilt * from_middle + N_COLUMNS as i32 * from_middle.signum() * tilt.signum())
        / (2 * N_COLUMNS as i32)
}

/// The plane's steps of luminance, and the search over them; keeps its buffers.
#[derive(Default)]
pub(crate) struct LineFinder {
    /// Normalised steps, [`WIDTH`] a row.
    pub(super) steps: Vec<f32>,
    /// Means over cells, [`N_COLUMNS`] a row.
    pub(super) energy: Vec<f32>,
    tilted: Vec<f32>,
    runs: Vec<Band>,
    candidates: Vec<Candidate>,
}

impl LineFinder {
    /// Rows of the plane that was searched last.
    pub(super) fn n_rows(&self) -> usize {
        self.energy.len() / N_COLUMNS
    }

    /// Searches a luminance plane of [`WIDTH`] pixels a row; the likeliest candidate first.
    pub(super) fn find(&mut self, plane: &[u8]) -> &[Candidate] {
        self.take_steps(plane);
        self.candidates.clear();
        for tilt in TILTS {
            let tilt = tilt * TILT_STEP;
            self.tilt(tilt);
            for busy in BUSY {
                self.collect_runs(busy);
                self.combine(tilt, busy);
            }
        }
        self.candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
        // Of candidates at the same place, only the best is kept.
        let mut kept = 0;
        for i in 0..self.candidates.len() {
            let candidate = self.candidates[i];
            if kept < MAX_CANDIDATES
                && !self.candidates[..kept]
                    .iter()
                    .any(|k| k.same_place(&candidate))
            {
                self.candidates[kept] = candidate;
                kept += 1;
            }
        }
        self.candidates.truncate(kept);
        &self.candidates
    }

    /// Wipes what was derived from pixels.
    pub(super) fn forget(&mut self) {
        self.steps.fill(0.0);
        self.energy.fill(0.0);
        self.tilted.fill(0.0);
    }

    fn take_steps(&mut self, plane: &[u8]) {
        let n_rows = plane.len() / WIDTH;
        let mut histogram = [0usize; 256];
        for p in plane {
            histogram[usize::from(*p)] += 1;
        }
        let percentile = |share: f32| {
            let mut left = (plane.len() as f32 * share) as usize;
            histogram
                .iter()
                .position(|n| {
                    let here = left < *n;
                    left = left.saturating_sub(*n);
                    here
                })
                .unwrap_or(255) as f32
        };
        // The middle nine tenths of the luminance become 200 steps.
        let gain = 200.0 / (percentile(0.95) - percentile(0.05)).max(30.0);
        self.steps.resize(n_rows * WIDTH, 0.0);
        self.energy.resize(n_rows * N_COLUMNS, 0.0);
        for ((row, steps), cells) in plane
            .chunks_exact(WIDTH)
            .zip(self.steps.chunks_exact_mut(WIDTH))
            .zip(self.energy.chunks_exact_mut(N_COLUMNS))
        {
            steps[0] = 0.0;
            for (s, pair) in steps[1..].iter_mut().zip(row.windows(2)) {
                *s = (f32::from(pair[0].abs_diff(pair[1])) * gain).min(LARGEST_STEP);
            }
            for (cell, s) in cells.iter_mut().zip(steps.chunks_exact(CELL)) {
                *cell = s.iter().sum::<f32>() / CELL as f32;
            }
        }
    }

    /// Shifts each column of cells so that lines with this tilt become level.
    fn tilt(&mut self, tilt: i32) {
        let n_rows = self.n_rows();
        self.tilted.clear();
        self.tilted.resize(self.energy.len(), 0.0);
        let shifts: [i32; N_COLUMNS] = std::array::from_fn(|c| fall(tilt, c));
        for (row, out) in self.tilted.chunks_exact_mut(N_COLUMNS).enumerate() {
            for (c, o) in out.iter_mut().enumerate() {
                let from = row as i32 + shifts[c];
                if (0..n_rows as i32).contains(&from) {
                    *o = self.energy[from as usize * N_COLUMNS + c];
                }
            }
        }
    }

    /// Joins rows with long runs of busy cells to bands.
    fn collect_runs(&mut self, busy: f32) {
        self.runs.clear();
        let mut open: Option<(usize, usize, usize)> = None;
        let n_rows = self.n_rows();
        for row in 0..=n_rows {
            let run = (row < n_rows)
                .then(|| &self.tilted[row * N_COLUMNS..(row + 1) * N_COLUMNS])
                .and_then(|cells| longest_run(cells, busy));
            open = match (open, run) {
                (None, None) => None,
                (None, Some((first, last))) => Some((row, first, last)),
                // Sums, to be divided by the height: the mean run.
                (Some((start, a, b)), Some((first, last))) => Some((start, a + first, b + last)),
                (Some((start, a, b)), None) => {
                    let height = row - start;
                    if BAND_HEIGHT.contains(&height) && self.runs.len() < MAX_BANDS {
                        self.runs.push(Band {
                            rows: (start, row),
                            columns: ((a + height / 2) / height, (b + height / 2) / height),
                        });
                    }
                    None
                }
            };
        }
    }

    fn combine(&mut self, tilt: i32, busy: f32) {
        for (i, a) in self.runs.iter().enumerate() {
            for (j, b) in self.runs.iter().enumerate().skip(i + 1).take(3) {
                let distance = b.middle() - a.middle();
                let higher = a.height().max(b.height());
                let lower = a.height().min(b.height());
                let (both, either) = a.overlap(b);
                if !(1.25 * higher..=5.0 * higher).contains(&distance)
                    || lower < 0.5 * higher
                    || (both as f32) < 0.65 * either as f32
                {
                    continue;
                }
                let columns = (
                    a.columns.0.min(b.columns.0),
                    a.columns.1.max(b.columns.1) + 1,
                );
                let inside = (self.mean(a.rows, columns) + self.mean(b.rows, columns)) / 2.0;
                let gap = self.mean((a.rows.1, b.rows.0.max(a.rows.1 + 1)), columns);
                let score =
                    (inside - gap) * (either as f32 / N_COLUMNS as f32).sqrt() * lower / higher;
                let two = Candidate {
                    score,
                    tilt,
                    busy,
                    n_bands: 2,
                    bands: [*a, *b, Band::default()],
                };
                self.candidates.push(two);
                for c in self.runs.iter().skip(j + 1).take(3) {
                    let next = c.middle() - b.middle();
                    let heights = [a.height(), b.height(), c.height()];
                    let (higher, lower) = heights
                        .iter()
                        .fold((0.0f32, f32::MAX), |(h, l), v| (h.max(*v), l.min(*v)));
                    let (both, _) = b.overlap(c);
                    if (next - distance).abs() < 0.15 * distance + 1.0
                        && lower > 0.5 * higher
                        && both as f32 > 0.6 * either as f32
                    {
                        // Three like lines at even distances are rarer than two.
                        self.candidates.push(Candidate {
                            score: 1.3 * score,
                            n_bands: 3,
                            bands: [*a, *b, *c],
                            ..two
                        });
                    }
                }
            }
        }
    }

    /// Mean of the tilted cells in these rows and columns (ends not included), each cut off at 20.
    fn mean(&self, rows: (usize, usize), columns: (usize, usize)) -> f32 {
        let mut sum = 0.0;
        for row in rows.0..rows.1 {
            let cells = &self.tilted[row * N_COLUMNS + columns.0..row * N_COLUMNS + columns.1];
            sum += cells.iter().map(|c| c.min(20.0)).sum::<f32>();
        }
        sum / ((rows.1 - rows.0) * (columns.1 - columns.0)).max(1) as f32
    }
}

/// First and last cell of the longest run of busy cells (single gaps are bridged), if it is long enough.
fn longest_run(cells: &[f32], busy: f32) -> Option<(usize, usize)> {
    let mut best: Option<(usize, usize)> = None;
    let mut current: Option<(usize, usize)> = None;
    for (i, cell) in cells.iter().enumerate() {
        if *cell <= busy {
            continue;
        }
        let run = match current {
            Some((first, last)) if i - last <= 2 => (first, i),
            _ => (i, i),
        };
        current = Some(run);
        if best.is_none_or(|(first, last)| run.1 - run.0 > last - first) {
            best = current;
        }
    }
    best.filter(|(first, last)| last + 1 - first >= LEAST_RUN)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Strokes like print: `n` lines of `height` rows from `top` on, `pitch` rows apart, falling by `fall` over the width.
    fn page(n: usize, top: f32, height: f32, pitch: f32, falls: f32, rows: usize) -> Vec<u8> {
        let mut plane = vec![0u8; rows * WIDTH];
        for (i, p) in plane.iter_mut().enumerate() {
            let (x, y) = (i % WIDTH, (i / WIDTH) as f32);
            let y = y - falls * (x as f32 / WIDTH as f32 - 0.5);
            let noise = ((i.wrapping_mul(2_654_435_761)) >> 9) % 7;
            let in_line = (0..n).any(|k| (0.0..height).contains(&(y - top - k as f32 * pitch)));
            let stroke = (40..600).contains(&x) && x % 13 < 3 + (x / 13 * 7 % 3);
            *p = if in_line && stroke {
                40
            } else {
                200 + noise as u8
            };
        }
        plane
    }

    fn check(n: usize, top: f32, height: f32, pitch: f32, falls: f32) {
        let mut finder = LineFinder::default();
        let found = finder.find(&page(n, top, height, pitch, falls, 451))[0];
        assert_eq!(found.n_bands, n, "{found:?}");
        for (k, band) in found.bands().iter().enumerate() {
            let middle = top + k as f32 * pitch + height / 2.0;
            assert!((band.middle() - middle).abs() < 3.0, "{found:?} {middle}");
            assert!(band.columns.0 <= 3 && band.columns.1 >= 34, "{found:?}");
        }
        assert!((found.tilt as f32 - falls).abs() <= 4.0, "{found:?}");
    }

    #[test]
    fn lines_are_found_with_their_tilt() {
        check(2, 370.0, 13.0, 33.0, 0.0);
        check(2, 370.0, 13.0, 33.0, 14.0);
        check(2, 360.0, 13.0, 33.0, -25.0);
        check(3, 290.0, 18.0, 47.0, 7.0);
        check(2, 20.0, 13.0, 33.0, 0.0);
    }

    #[test]
    fn nothing_is_found_on_an_empty_page() {
        let mut finder = LineFinder::default();
        assert!(finder.find(&page(0, 0.0, 0.0, 0.0, 0.0, 451)).is_empty());
        assert!(finder.find(&[]).is_empty());
        assert!(finder.find(&vec![0; WIDTH]).is_empty());
    }

    #[test]
    fn the_fall_is_even_on_both_sides() {
        assert_eq!((fall(20, 0), fall(20, 39), fall(-20, 0)), (-10, 10, 10));
        assert_eq!(fall(0, 7), 0);
    }
}
