//! From the detector's map to lines (the post-processing of "Real-time Scene Text Detection with Differentiable Binarization",
//! Liao et al. 2020): connected regions above a threshold, a rectangle around each, enlarged by what the net was trained to
//! shrink.

use crate::base::geometry::{Point, Quad};

/// Least probability of a pixel.
const THRESHOLD: f32 = 0.2;
/// Least mean probability over the rectangle.
const LEAST_SCORE: f32 = 0.4;
/// The rectangle is enlarged by this share of area over perimeter, on every side.
const UNCLIP: f32 = 1.4;
/// Fewer pixels are no line.
const LEAST_PIXELS: u32 = 12;
/// A region is turned by its own direction only if it is so many times as long as it is thick; others have none.
const LEAST_ELONGATION: f32 = 2.0;
/// Steeper regions are no lines of a level page: they are taken as they stand.
const LARGEST_SLOPE: f32 = 0.4;

/// A line of print.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TextLine {
    /// Its corners on the page.
    pub quad: Quad,
    /// Mean probability over its rectangle before it was enlarged, 0..=1.
    pub score: f32,
}

/// A horizontal run of pixels above the threshold.
#[derive(Clone, Copy, Debug)]
struct Run {
    y: u32,
    from: u32,
    to: u32,
    region: u32,
}

/// Sums over a region, and its extent along and across its direction.
#[derive(Clone, Copy, Debug, Default)]
struct Region {
    parent: u32,
    n: u32,
    weight: f32,
    x: f64,
    y: f64,
    xx: f64,
    xy: f64,
    yy: f64,
    centre: (f32, f32),
    direction: (f32, f32),
    along: (f32, f32),
    across: (f32, f32),
}

/// Finds lines in maps; keeps its buffers.
#[derive(Debug, Default)]
pub struct RegionFinder {
    runs: Vec<Run>,
    regions: Vec<Region>,
    lines: Vec<TextLine>,
}

impl RegionFinder {
    /// Lines of a map of probabilities with `width` pixels a row, from the top down.
    pub fn find(&mut self, map: &[f32], width: usize) -> &[TextLine] {
        self.runs.clear();
        self.regions.clear();
        self.lines.clear();
        self.connect(map, width);
        self.measure(map, width);
        for region in &self.regions {
            self.lines.extend(line_of(region));
        }
        let middle = |l: &TextLine| l.quad.centre().y;
        self.lines.sort_by(|a, b| middle(a).total_cmp(&middle(b)));
        &self.lines
    }

    /// Forgets the lines of the last map.
    pub fn forget(&mut self) {
        self.runs.clear();
        self.regions.clear();
        self.lines.clear();
    }

    /// Runs of all rows, and which of them touch (also by a corner).
    fn connect(&mut self, map: &[f32], width: usize) {
        let mut above = 0..0;
        for (y, row) in map.chunks_exact(width).enumerate() {
            let first = self.runs.len();
            let mut x = 0;
            while let Some(start) = row[x..].iter().position(|p| *p > THRESHOLD) {
                let from = x + start;
                let to = row[from..]
                    .iter()
                    .position(|p| *p <= THRESHOLD)
                    .map_or(width, |n| from + n);
                let region = self.regions.len() as u32;
                self.regions.push(Region {
                    parent: region,
                    ..Region::default()
                });
                // Pages have far fewer than 2^32 pixels a side.
                self.runs.push(Run {
                    y: y as u32,
                    from: from as u32,
                    to: to as u32,
                    region,
                });
                x = to;
            }
            let mut i = above.start;
            for j in first..self.runs.len() {
                let run = self.runs[j];
                // Both rows are in order, so what ended before this run begins cannot touch a later one.
                while i < above.end && self.runs[i].to < run.from {
                    i += 1;
                }
                let mut k = i;
                while k < above.end && self.runs[k].from <= run.to {
                    self.join(self.runs[k].region, run.region);
                    k += 1;
                }
            }
            above = first..self.runs.len();
        }
    }

    fn root(&mut self, mut region: u32) -> u32 {
        while self.regions[region as usize].parent != region {
            let grandparent = self.regions[self.regions[region as usize].parent as usize].parent;
            self.regions[region as usize].parent = grandparent;
            region = grandparent;
        }
        region
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        let (low, high) = (a.min(b), a.max(b));
        self.regions[high as usize].parent = low;
    }

    /// Sums of every region, then its extent in its own direction.
    fn measure(&mut self, map: &[f32], width: usize) {
        for i in 0..self.runs.len() {
            let run = self.runs[i];
            let root = self.root(run.region);
            self.runs[i].region = root;
            let start = run.y as usize * width;
            let weight: f32 = map[start + run.from as usize..start + run.to as usize]
                .iter()
                .sum();
            let region = &mut self.regions[root as usize];
            region.n += run.to - run.from;
            region.weight += weight;
            let y = f64::from(run.y) + 0.5;
            for x in run.from..run.to {
                let x = f64::from(x) + 0.5;
                region.x += x;
                region.y += y;
                region.xx += x * x;
                region.xy += x * y;
                region.yy += y * y;
            }
        }
        for region in &mut self.regions {
            region.take_direction();
        }
        for run in &self.runs {
            let region = &mut self.regions[run.region as usize];
            for y in [run.y, run.y + 1] {
                for x in [run.from, run.to] {
                    region.reach(x as f32, y as f32);
                }
            }
        }
    }
}

impl Region {
    fn take_direction(&mut self) {
        self.along = (f32::MAX, f32::MIN);
        self.across = (f32::MAX, f32::MIN);
        self.direction = (1.0, 0.0);
        if self.n == 0 {
            return;
        }
        let n = f64::from(self.n);
        let (x, y) = (self.x / n, self.y / n);
        self.centre = (x as f32, y as f32);
        let (xx, xy, yy) = (
            self.xx / n - x * x,
            self.xy / n - x * y,
            self.yy / n - y * y,
        );
        let spread = ((xx - yy).powi(2) / 4.0 + xy * xy).sqrt();
        let (long, thick) = ((xx + yy) / 2.0 + spread, (xx + yy) / 2.0 - spread);
        let angle = (2.0 * xy).atan2(xx - yy) / 2.0;
        let elongation = (long / thick.max(1e-6)).sqrt() as f32;
        if elongation >= LEAST_ELONGATION && (angle.tan().abs() as f32) <= LARGEST_SLOPE {
            self.direction = (angle.cos() as f32, angle.sin() as f32);
        }
    }

    fn reach(&mut self, x: f32, y: f32) {
        let (dx, dy) = (x - self.centre.0, y - self.centre.1);
        let (cos, sin) = self.direction;
        let (along, across) = (dx * cos + dy * sin, dy * cos - dx * sin);
        self.along = (self.along.0.min(along), self.along.1.max(along));
        self.across = (self.across.0.min(across), self.across.1.max(across));
    }
}

fn line_of(region: &Region) -> Option<TextLine> {
    if region.n < LEAST_PIXELS {
        return None;
    }
    let (length, thickness) = (
        region.along.1 - region.along.0,
        region.across.1 - region.across.0,
    );
    let area = length * thickness;
    let score = region.weight / area;
    if score < LEAST_SCORE {
        return None;
    }
    let by = UNCLIP * area / (2.0 * (length + thickness));
    let (cos, sin) = region.direction;
    let corner = |along: f32, across: f32| {
        Point::new(
            region.centre.0 + along * cos - across * sin,
            region.centre.1 + along * sin + across * cos,
        )
    };
    let (left, right) = (region.along.0 - by, region.along.1 + by);
    let (top, bottom) = (region.across.0 - by, region.across.1 + by);
    Some(TextLine {
        quad: Quad([
            corner(left, top),
            corner(right, top),
            corner(right, bottom),
            corner(left, bottom),
        ]),
        score: score.min(1.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 80;

    /// A map with filled parallelograms: (left, top, width, height, rise per pixel, probability).
    fn map(shapes: &[(f32, f32, f32, f32, f32, f32)]) -> Vec<f32> {
        let mut map = vec![0.02; WIDTH * 60];
        for (i, p) in map.iter_mut().enumerate() {
            let (x, y) = ((i % WIDTH) as f32 + 0.5, (i / WIDTH) as f32 + 0.5);
            for (left, top, w, h, rise, probability) in shapes {
                let upper = top + rise * (x - left);
                if (*left..left + w).contains(&x) && (upper..upper + h).contains(&y) {
                    *p = *probability;
                }
            }
        }
        map
    }

    /// Expected: upper left and lower right corner before the enlargement, and score.
    fn check(shapes: &[(f32, f32, f32, f32, f32, f32)], expected: &[(f32, f32, f32, f32, f32)]) {
        let mut finder = RegionFinder::default();
        // A second map must not remember the first.
        finder.find(&map(&[(0.0, 0.0, 80.0, 60.0, 0.0, 0.9)]), WIDTH);
        let lines = finder.find(&map(shapes), WIDTH).to_vec();
        assert_eq!(lines.len(), expected.len(), "{lines:?}");
        for (line, (x0, y0, x1, y1, score)) in lines.iter().zip(expected) {
            let (w, h) = (x1 - x0, y1 - y0);
            let by = UNCLIP * w * h / (2.0 * (w + h));
            let corners = [Point::new(x0 - by, y0 - by), Point::new(x1 + by, y1 + by)];
            for (found, corner) in [line.quad.0[0], line.quad.0[2]].iter().zip(corners) {
                assert!(found.distance(corner) < 0.1, "{line:?} {corner:?}");
            }
            assert!((line.score - score).abs() < 0.02, "{line:?}");
        }
    }

    #[test]
    fn rectangles_are_found_from_the_top_down() {
        check(&[], &[]);
        check(
            &[
                (30.0, 40.0, 40.0, 6.0, 0.0, 0.8),
                (5.0, 10.0, 30.0, 5.0, 0.0, 0.9),
            ],
            &[(5.0, 10.0, 35.0, 15.0, 0.9), (30.0, 40.0, 70.0, 46.0, 0.8)],
        );
    }

    #[test]
    fn weak_and_small_regions_are_no_lines() {
        check(
            &[
                (5.0, 10.0, 30.0, 5.0, 0.0, 0.3),
                (60.0, 10.0, 3.0, 3.0, 0.0, 0.9),
                (5.0, 30.0, 30.0, 5.0, 0.0, 0.19),
            ],
            &[],
        );
    }

    #[test]
    fn parts_that_touch_are_one_line() {
        // Three bars that hang together by a corner and a bridge.
        check(
            &[
                (10.0, 10.0, 10.0, 4.0, 0.0, 0.9),
                (20.0, 14.0, 10.0, 4.0, 0.0, 0.9),
                (29.0, 10.0, 11.0, 4.0, 0.0, 0.9),
            ],
            &[(10.0, 10.0, 40.0, 18.0, 0.9 * 124.0 / 240.0)],
        );
    }

    #[test]
    fn a_sloping_line_has_sloping_corners() {
        let mut finder = RegionFinder::default();
        let shape = map(&[(10.0, 10.0, 60.0, 6.0, 0.2, 0.9)]);
        let line = finder.find(&shape, WIDTH)[0];
        let [tl, tr, br, bl] = line.quad.0;
        let slope = (tr.y - tl.y) / (tr.x - tl.x);
        assert!((slope - 0.2).abs() < 0.02, "{line:?}");
        assert!((bl.x - tl.x) < 0.0 && br.y > tr.y, "{line:?}");
    }
}
