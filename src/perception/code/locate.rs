//! Position patterns: the three large squares in the corners of a code. A line through the middle of one meets dark, light,
//! dark, light, dark in the ratio 1:1:3:1:1, whatever the turn of the code.

use super::Binary;
use crate::base::geometry::Point;

/// At most so many different patterns are kept, the most often crossed ones.
const MAX_PATTERNS: usize = 12;
/// A pattern is crossed by at least so many rows.
const LEAST_ROWS: u32 = 2;

/// Three position patterns in the right arrangement, in pixels of the binary picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Corners {
    /// Middle of the pattern that the other two are at a right angle to.
    pub(super) top_left: Point,
    /// Middle of the next one clockwise.
    pub(super) top_right: Point,
    /// Middle of the third one.
    pub(super) bottom_left: Point,
    /// Length of a module along the upper side, at its left and right end.
    pub(super) along: (f32, f32),
    /// Length of a module along the left side, at its upper and lower end.
    pub(super) down: (f32, f32),
}

impl Corners {
    /// The same corners where one pixel of the frame is `scale` pixels here, and the origin lies at (`x`, `y`) in the frame.
    pub(super) fn in_frame(&self, scale: f32, x: f32, y: f32) -> Self {
        let place = |p: Point| Point::new(p.x / scale + x, p.y / scale + y);
        Self {
            top_left: place(self.top_left),
            top_right: place(self.top_right),
            bottom_left: place(self.bottom_left),
            along: (self.along.0 / scale, self.along.1 / scale),
            down: (self.down.0 / scale, self.down.1 / scale),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Pattern {
    middle: Point,
    size: f32,
    n_rows: u32,
}

/// All plausible triples of position patterns, the best first.
pub(super) fn locate(picture: Binary<'_>) -> Vec<Corners> {
    let patterns = patterns(picture);
    let mut found: Vec<(f32, Corners)> = Vec::new();
    for (i, b) in patterns.iter().enumerate() {
        for (j, a) in patterns.iter().enumerate() {
            for (k, c) in patterns.iter().enumerate().skip(j + 1) {
                if i != j && i != k {
                    found.extend(arrange(picture, b, a, c));
                }
            }
        }
    }
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    found.into_iter().map(|(_, c)| c).collect()
}

/// How little three patterns look like the corners of a square (less is better), with `corner` as the one at the right angle.
fn arrange(
    picture: Binary<'_>,
    corner: &Pattern,
    a: &Pattern,
    c: &Pattern,
) -> Option<(f32, Corners)> {
    let sizes = [corner.size, a.size, c.size];
    let largest = sizes.iter().copied().fold(0.0, f32::max);
    let smallest = sizes.iter().copied().fold(f32::MAX, f32::min);
    let (p, q, o) = (a.middle, c.middle, corner.middle);
    let (da, dc) = (o.distance(p), o.distance(q));
    let ratio = da.max(dc) / da.min(dc).max(1.0);
    let cross = (p.x - o.x) * (q.y - o.y) - (p.y - o.y) * (q.x - o.x);
    let cosine = ((p.x - o.x) * (q.x - o.x) + (p.y - o.y) * (q.y - o.y)) / (da * dc).max(1.0);
    // Two patterns of seven modules and at least seven modules between them.
    if largest > 1.7 * smallest || ratio > 1.7 || cosine.abs() > 0.6 || da.min(dc) < 1.5 * smallest
    {
        return None;
    }
    // Clockwise on the screen: upper right, then lower left.
    let (top_right, bottom_left) = if cross > 0.0 { (p, q) } else { (q, p) };
    let module = |at: Point, other: Point| module_length(picture, at, other);
    let corners = Corners {
        top_left: o,
        top_right,
        bottom_left,
        along: (module(o, top_right)?, module(top_right, o)?),
        down: (module(o, bottom_left)?, module(bottom_left, o)?),
    };
    Some((
        (ratio - 1.0) + cosine.abs() + (largest / smallest - 1.0),
        corners,
    ))
}

/// Length of a module at the pattern in `at`, on the line to `other`: a seventh of the pattern, measured from edge to edge.
fn module_length(picture: Binary<'_>, at: Point, other: Point) -> Option<f32> {
    let length = at.distance(other);
    let (dx, dy) = ((other.x - at.x) / length, (other.y - at.y) / length);
    let to_edge = |sign: f32| {
        // Dark, light, dark: the third change is the outer edge.
        let mut n_changes = 0;
        let mut dark = true;
        let mut t = 0.0;
        while n_changes < 3 {
            t += 0.25;
            if t > length {
                return None;
            }
            let now = picture.is_dark(at.x + sign * t * dx, at.y + sign * t * dy)?;
            if now != dark {
                n_changes += 1;
                dark = now;
            }
        }
        Some(t)
    };
    Some((to_edge(1.0)? + to_edge(-1.0)?) / 7.0)
}

impl Binary<'_> {
    fn is_dark(&self, x: f32, y: f32) -> Option<bool> {
        let inside = x >= 0.0 && y >= 0.0 && x < self.width as f32 && y < self.height as f32;
        inside.then(|| self.pixels[y as usize * self.width + x as usize] == 1)
    }
}

/// Patterns that rows and columns confirm.
fn patterns(picture: Binary<'_>) -> Vec<Pattern> {
    let mut found: Vec<Pattern> = Vec::new();
    for y in 0..picture.height {
        let row = &picture.pixels[y * picture.width..(y + 1) * picture.width];
        // Lengths of the last five runs, the latest last.
        let mut runs = [0usize; 5];
        let mut start = 0;
        for x in 1..=row.len() {
            if x < row.len() && row[x] == row[x - 1] {
                continue;
            }
            runs.rotate_left(1);
            runs[4] = x - start;
            start = x;
            // The run that ends here has to be dark, and there have to be five.
            if row[x - 1] == 1 && runs[0] > 0 && is_pattern(&runs) {
                let total: usize = runs.iter().sum();
                let middle = x as f32 - runs[4] as f32 - runs[3] as f32 - runs[2] as f32 / 2.0;
                confirm(picture, middle, y, total as f32, &mut found);
            }
        }
    }
    found.retain(|p| p.n_rows >= LEAST_ROWS);
    found.sort_by_key(|p| std::cmp::Reverse(p.n_rows));
    found.truncate(MAX_PATTERNS);
    found
}

/// Whether five runs are as 1:1:3:1:1, each to within a half of its length.
fn is_pattern(runs: &[usize; 5]) -> bool {
    let total: usize = runs.iter().sum();
    let module = total as f32 / 7.0;
    total >= 7
        && runs
            .iter()
            .zip([1.0, 1.0, 3.0, 1.0, 1.0])
            .all(|(run, n)| (*run as f32 - n * module).abs() < 0.5 * n * module + 0.5)
}

/// Adds a hit to the pattern it belongs to, if its column looks like a pattern too.
fn confirm(picture: Binary<'_>, x: f32, y: usize, size: f32, found: &mut Vec<Pattern>) {
    let column = x as usize;
    let dark = |y: usize| picture.pixels[y * picture.width + column] == 1;
    if !dark(y) {
        return;
    }
    // Runs upwards and downwards from here: the middle one, a light one, a dark one.
    let mut up = [0usize; 3];
    let mut down = [0usize; 3];
    for (runs, upwards) in [(&mut up, true), (&mut down, false)] {
        let (mut at, mut expected) = (y, true);
        for run in runs.iter_mut() {
            while dark(at) == expected {
                *run += 1;
                let next = if upwards {
                    at.checked_sub(1)
                } else {
                    Some(at + 1)
                };
                match next.filter(|n| *n < picture.height) {
                    Some(n) => at = n,
                    None => break,
                }
            }
            expected = !expected;
        }
    }
    let runs = [up[2], up[1], up[0] + down[0] - 1, down[1], down[2]];
    let total: usize = runs.iter().sum();
    if !is_pattern(&runs) || !(0.6..1.7).contains(&(total as f32 / size)) {
        return;
    }
    let middle = y as f32 + 0.5 + (down[0] as f32 - up[0] as f32) / 2.0;
    let hit = Pattern {
        middle: Point::new(x, middle),
        size: (total as f32 + size) / 2.0,
        n_rows: 1,
    };
    match found
        .iter_mut()
        .find(|p| p.middle.distance(hit.middle) < 0.3 * p.size)
    {
        Some(p) => {
            // Running mean.
            let n = p.n_rows as f32;
            let mean = |old: f32, new: f32| (old * n + new) / (n + 1.0);
            p.middle.x = mean(p.middle.x, hit.middle.x);
            p.middle.y = mean(p.middle.y, hit.middle.y);
            p.size = mean(p.size, hit.size);
            p.n_rows += 1;
        }
        None => found.push(hit),
    }
}
