//! From three position patterns to the grid of modules: number of modules, perspective, and the values in between.
//!
//! Coordinates of the grid count modules from the outer corner of the code. The timing patterns (row and column 6, dark and light
//! in turn) decide on the number of modules and on the perspective; alignment patterns make the fourth corner exact.

use super::locate::Corners;
use crate::base::geometry::Point;

/// The middle of a position pattern lies 3.5 modules from both sides.
const PATTERN_MIDDLE: f64 = 3.5;
/// Sides of codes: 21 (version 1) to 177 (version 40), in steps of four.
const SIDES: std::ops::RangeInclusive<usize> = 21..=177;
/// Least correlation of the timing patterns.
const LEAST_TIMING: f32 = 0.45;
/// Least correlation of an alignment pattern.
const LEAST_ALIGNMENT: f32 = 0.55;

/// The luminance plane that is sampled.
#[derive(Clone, Copy)]
pub(super) struct Plane<'a> {
    pub(super) pixels: &'a [u8],
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Plane<'_> {
    /// Bilinear; outside, the nearest edge pixel.
    fn at(&self, p: Point) -> f32 {
        let x = (p.x - 0.5).clamp(0.0, (self.width - 1) as f32);
        let y = (p.y - 0.5).clamp(0.0, (self.height - 1) as f32);
        let (x0, y0) = (x as usize, y as usize);
        let (x1, y1) = ((x0 + 1).min(self.width - 1), (y0 + 1).min(self.height - 1));
        let (fx, fy) = (x - x0 as f32, y - y0 as f32);
        let value = |x: usize, y: usize| f32::from(self.pixels[y * self.width + x]);
        let upper = value(x0, y0) * (1.0 - fx) + value(x1, y0) * fx;
        let lower = value(x0, y1) * (1.0 - fx) + value(x1, y1) * fx;
        upper * (1.0 - fy) + lower * fy
    }
}

/// A fitted grid: `(a u + b v + c, d u + e v + f) / (g u + h v + 1)` in pixels, u to the right and v down in modules.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    /// Modules on a side.
    pub(super) side: usize,
    map: [f64; 8],
}

impl Grid {
    fn at(&self, u: f64, v: f64) -> Point {
        let [a, b, c, d, e, f, g, h] = self.map;
        let w = 1.0 / (g * u + h * v + 1.0);
        Point::new(
            ((a * u + b * v + c) * w) as f32,
            ((d * u + e * v + f) * w) as f32,
        )
    }

    /// The grid on three patterns, where a module at the far end of the upper (left) side is `1 / shrink^2` as long as at the
    /// near end. Pixels are those of the patterns.
    fn on_patterns(corners: &Corners, side: usize, shrink: (f64, f64)) -> Self {
        let n = side as f64 - 2.0 * PATTERN_MIDDLE;
        let (g, h) = ((shrink.0 - 1.0) / n, (shrink.1 - 1.0) / n);
        let axis = |o: f32, far: f32, s: f64| (f64::from(far) * s - f64::from(o)) / n;
        let (o, p, q) = (corners.top_left, corners.top_right, corners.bottom_left);
        let (a, d) = (axis(o.x, p.x, shrink.0), axis(o.y, p.y, shrink.0));
        let (b, e) = (axis(o.x, q.x, shrink.1), axis(o.y, q.y, shrink.1));
        // So far the origin is the middle of the first pattern: shift it to the outer corner, and divide so that the last
        // coefficient is 1 again.
        let k = PATTERN_MIDDLE;
        let w = 1.0 - k * (g + h);
        let c = (f64::from(o.x) - k * (a + b)) / w;
        let f = (f64::from(o.y) - k * (d + e)) / w;
        Self {
            side,
            map: [a / w, b / w, c, d / w, e / w, f, g / w, h / w],
        }
    }

    /// Correlation of the timing pattern with what is there: 1 is perfect. `down` for the one in column 6.
    fn timing(&self, plane: Plane<'_>, down: bool) -> f32 {
        let (mut n, mut sum, mut squares, mut agree) = (0.0f32, 0.0f32, 0.0f32, 0.0f32);
        for i in 8..self.side - 8 {
            let (u, v) = (i as f64 + 0.5, 6.5);
            let value = plane.at(if down { self.at(v, u) } else { self.at(u, v) });
            n += 1.0;
            sum += value;
            squares += value * value;
            agree += if i % 2 == 0 { -value } else { value };
        }
        // The pattern itself has mean 0 (nearly: it has an odd number of places) and deviation 1.
        let deviation = (squares / n - (sum / n).powi(2)).max(1e-3).sqrt();
        (agree / n + sum / (n * n)) / deviation
    }
}

/// Fits the grid to the patterns, which are given in pixels of `plane`. `None` if there are no timing patterns between them.
pub(super) fn fit(plane: Plane<'_>, corners: &Corners) -> Option<Grid> {
    let shrink = |(near, far): (f32, f32)| f64::from((near / far).clamp(0.5, 2.0).sqrt());
    let modules = |a: Point, b: Point, (near, far): (f32, f32)| a.distance(b) / (near * far).sqrt();
    let n = (modules(corners.top_left, corners.top_right, corners.along)
        + modules(corners.top_left, corners.bottom_left, corners.down))
        / 2.0;
    let estimate = n + 2.0 * PATTERN_MIDDLE as f32;
    let nearest = 17 + 4 * ((estimate - 17.0) / 4.0).round().max(1.0) as usize;

    let mut best: Option<(f32, Grid)> = None;
    for side in (nearest.saturating_sub(12)..=nearest + 12).step_by(4) {
        if !SIDES.contains(&side) {
            continue;
        }
        let (along, down) = (shrink(corners.along), shrink(corners.down));
        // The two perspectives hardly touch each other's timing pattern, so they are looked for one after the other.
        let search = |vertical: bool, other: f64, start: f64| {
            let mut top = (f32::MIN, start);
            for step in -20..=20 {
                let s = start * (1.0 + 0.004 * f64::from(step));
                let pair = if vertical { (other, s) } else { (s, other) };
                let score = Grid::on_patterns(corners, side, pair).timing(plane, vertical);
                if score > top.0 {
                    top = (score, s);
                }
            }
            top
        };
        let (_, first) = search(false, down, along);
        let (vertical, down) = search(true, first, down);
        let (horizontal, along) = search(false, down, along);
        let score = vertical.min(horizontal);
        if best.is_none_or(|(b, _)| score > b) {
            best = Some((score, Grid::on_patterns(corners, side, (along, down))));
        }
    }
    let (_, grid) = best.filter(|(score, _)| *score >= LEAST_TIMING)?;
    Some(refine(
        plane,
        corners,
        refine(plane, corners, grid, 1.6),
        0.8,
    ))
}

/// Coordinates of the middles of alignment patterns (ISO/IEC 18004, annex E, as a formula).
fn alignment_places(side: usize) -> Vec<usize> {
    let version = (side - 17) / 4;
    if version < 2 {
        return Vec::new();
    }
    let n = version / 7 + 2;
    let step = if version == 32 {
        26
    } else {
        (version * 4 + n * 2 + 1) / (n * 2 - 2) * 2
    };
    let mut places: Vec<usize> = (0..n - 1).map(|i| side - 7 - i * step).collect();
    places.push(6);
    places
}

/// Looks for every alignment pattern within `reach` modules of its place and fits the grid to those that are found.
fn refine(plane: Plane<'_>, corners: &Corners, grid: Grid, reach: f64) -> Grid {
    let side = grid.side;
    let places = alignment_places(side);
    let n = side as f64;
    let mut points = vec![
        (PATTERN_MIDDLE, PATTERN_MIDDLE, corners.top_left, 2.0),
        (n - PATTERN_MIDDLE, PATTERN_MIDDLE, corners.top_right, 2.0),
        (PATTERN_MIDDLE, n - PATTERN_MIDDLE, corners.bottom_left, 2.0),
    ];
    for row in &places {
        for column in &places {
            let at_pattern = (*row == 6 && (*column == 6 || *column == side - 7))
                || (*column == 6 && *row == side - 7);
            if at_pattern {
                continue;
            }
            let (u, v) = (*column as f64 + 0.5, *row as f64 + 0.5);
            if let Some(p) = alignment_near(plane, &grid, u, v, reach) {
                points.push((u, v, p, 1.0));
            }
        }
    }
    // Without a fourth point there is nothing to fit.
    if points.len() < 4 {
        return grid;
    }
    let Some(fitted) = least_squares(side, &points) else {
        return grid;
    };
    // Once more without what lies off by more than most.
    let off = |p: &(f64, f64, Point, f64)| fitted.at(p.0, p.1).distance(p.2);
    let mut distances: Vec<f32> = points.iter().map(off).collect();
    distances.sort_by(f32::total_cmp);
    let limit = (2.5 * distances[distances.len() / 2]).max(0.5);
    let kept: Vec<_> = points.iter().filter(|p| off(p) <= limit).copied().collect();
    if kept.len() < 4 {
        return fitted;
    }
    least_squares(side, &kept).unwrap_or(fitted)
}

/// The place near (`u`, `v`) that looks most like an alignment pattern: dark, around it light, around it dark.
fn alignment_near(plane: Plane<'_>, grid: &Grid, u: f64, v: f64, reach: f64) -> Option<Point> {
    let mut best = (LEAST_ALIGNMENT, None);
    let n_steps = (reach / 0.2) as i32;
    for j in -n_steps..=n_steps {
        for i in -n_steps..=n_steps {
            let (cu, cv) = (u + 0.2 * f64::from(i), v + 0.2 * f64::from(j));
            let (mut sum, mut squares, mut agree) = (0.0f32, 0.0f32, 0.0f32);
            for y in -2i32..=2 {
                for x in -2i32..=2 {
                    let value = plane.at(grid.at(cu + f64::from(x), cv + f64::from(y)));
                    sum += value;
                    squares += value * value;
                    // 8 light places of 25: weights with mean 0.
                    agree += value
                        * if x.abs().max(y.abs()) == 1 {
                            17.0
                        } else {
                            -8.0
                        };
                }
            }
            let deviation = (squares / 25.0 - (sum / 25.0).powi(2)).max(1.0).sqrt();
            // Deviation of the weights: sqrt((8 * 17^2 + 17 * 8^2) / 25) = sqrt(136).
            let score = agree / 25.0 / (deviation * 136.0f32.sqrt());
            if score > best.0 {
                best = (score, Some(grid.at(cu, cv)));
            }
        }
    }
    best.1
}

/// The map that takes grid coordinates to pixels with the least weighted squares (linear form).
fn least_squares(side: usize, points: &[(f64, f64, Point, f64)]) -> Option<Grid> {
    let scale = side as f64;
    let mut normal = [[0.0f64; 9]; 8];
    for (u, v, p, weight) in points {
        let (u, v) = (u / scale, v / scale);
        let (x, y) = (f64::from(p.x), f64::from(p.y));
        for row in [
            [u, v, 1.0, 0.0, 0.0, 0.0, -u * x, -v * x, x],
            [0.0, 0.0, 0.0, u, v, 1.0, -u * y, -v * y, y],
        ] {
            for (equation, factor) in normal.iter_mut().zip(row) {
                for (sum, value) in equation.iter_mut().zip(row) {
                    *sum += weight * factor * value;
                }
            }
        }
    }
    // Gauss with pivots.
    for i in 0..8 {
        let pivot = (i..8).max_by(|a, b| normal[*a][i].abs().total_cmp(&normal[*b][i].abs()))?;
        normal.swap(i, pivot);
        if normal[i][i].abs() < 1e-9 {
            return None;
        }
        let pivot_row = normal[i];
        for (k, row) in normal.iter_mut().enumerate() {
            if k != i {
                let factor = row[i] / pivot_row[i];
                for (value, p) in row.iter_mut().zip(pivot_row).skip(i) {
                    *value -= factor * p;
                }
            }
        }
    }
    let mut map: [f64; 8] = std::array::from_fn(|i| normal[i][8] / normal[i][i]);
    for i in [0, 1, 3, 4, 6, 7] {
        map[i] /= scale;
    }
    map.iter()
        .all(|m| m.is_finite())
        .then_some(Grid { side, map })
}

/// The modules of a grid as bits.
#[derive(Debug)]
pub(super) struct Modules {
    pub(super) side: usize,
    pub(super) dark: Vec<bool>,
}

impl rqrr::BitGrid for Modules {
    fn size(&self) -> usize {
        self.side
    }

    fn bit(&self, y: usize, x: usize) -> bool {
        self.dark[y * self.side + x]
    }
}

/// Mean luminance of every module, row by row.
pub(super) fn luminances(plane: Plane<'_>, grid: &Grid) -> Vec<f32> {
    let mut values = Vec::with_capacity(grid.side * grid.side);
    for row in 0..grid.side {
        for column in 0..grid.side {
            let (u, v) = (column as f64 + 0.5, row as f64 + 0.5);
            let places = [
                (0.0, 0.0),
                (0.2, 0.2),
                (-0.2, 0.2),
                (0.2, -0.2),
                (-0.2, -0.2),
            ];
            let sum: f32 = places
                .iter()
                .map(|(i, j)| plane.at(grid.at(u + i, v + j)))
                .sum();
            values.push(sum / places.len() as f32);
        }
    }
    values
}

/// Decides on every module. `spill` is the share of a module's luminance that blur has carried to each of its four neighbours.
pub(super) fn binarise(values: &[f32], side: usize, spill: f32) -> Modules {
    let at = |x: isize, y: isize| {
        let last = side as isize - 1;
        values[(y.clamp(0, last) * side as isize + x.clamp(0, last)) as usize]
    };
    // Half of the window that a module is compared with: wide enough that dark and light are in balance.
    const REACH: isize = 5;
    let mut dark = Vec::with_capacity(values.len());
    for y in 0..side as isize {
        for x in 0..side as isize {
            let around = at(x - 1, y) + at(x + 1, y) + at(x, y - 1) + at(x, y + 1);
            let value = at(x, y) * (1.0 + 4.0 * spill) - spill * around;
            let (mut least, mut most, mut sum, mut n) = (f32::MAX, f32::MIN, 0.0, 0.0);
            for j in (y - REACH).max(0)..=(y + REACH).min(side as isize - 1) {
                for i in (x - REACH).max(0)..=(x + REACH).min(side as isize - 1) {
                    let v = at(i, j);
                    least = least.min(v);
                    most = most.max(v);
                    sum += v;
                    n += 1.0;
                }
            }
            // Between the middle of the range, which noise moves, and the mean, which large patterns move.
            let limit = (sum / n + (least + most) / 2.0) / 2.0;
            dark.push(value < limit);
        }
    }
    Modules { side, dark }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alignment_patterns_stand_where_annex_e_says() {
        for (version, expected) in [
            (1, vec![]),
            (2, vec![6, 18]),
            (7, vec![6, 22, 38]),
            (14, vec![6, 26, 46, 66]),
            (21, vec![6, 28, 50, 72, 94]),
            (28, vec![6, 26, 50, 74, 98, 122]),
            (32, vec![6, 34, 60, 86, 112, 138]),
            (40, vec![6, 30, 58, 86, 114, 142, 170]),
        ] {
            let mut places = alignment_places(17 + 4 * version);
            places.sort_unstable();
            assert_eq!(places, expected, "version {version}");
        }
    }
}
