//! Whether two pages show the same thing, and how the second has to be moved to lie on the first: block matching of their detail.

use crate::base::frame::FrameView;
use crate::base::geometry::{Point, Rect};
use zeroize::Zeroize;

/// Blocks across and down.
const BLOCKS: (usize, usize) = (4, 3);
/// Blocks at most.
pub(super) const MOST_BLOCKS: usize = BLOCKS.0 * BLOCKS.1;
/// Cells around a cell whose mean is taken away: what is left is print and lines, whatever the light.
const DETAIL_RADIUS: usize = 3;
/// A cell whose mean luminance is not below this says nothing: it is burnt out, or nearly.
const BURNT: f32 = 235.0;
/// A block with less detail than this (variance of the luminance) has nothing to be matched by.
const LEAST_DETAIL: f32 = 9.0;
/// A block of which less than this share is left on both pages says nothing.
const LEAST_LEFT: f32 = 0.25;
/// Correlation from which a block is the same on both pages.
const SAME: f32 = 0.6;
/// So many blocks have to be the same, and more than half of those that say anything.
const LEAST_SAME: usize = 3;
/// Blocks that moved otherwise than the rest by more cells than this are not believed.
const MOST_ASTRAY: f32 = 2.0;
/// Weight of an additional block that has not moved, in each term.
const HOLD: f32 = 0.1;

/// How the second page lies on the first: what is at a point of the first is at that point plus [`Fit::at`] of the second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fit {
    inner: Rect,
    /// For each of [`terms`], across and down.
    by: [Point; N_TERMS],
}

/// What the movement is made of.
const N_TERMS: usize = 4;

/// Constant, across, down, and both: with the last, straight lines may come to meet, as those of a page that is turned away do.
fn terms(inner: Rect, p: Point) -> [f32; N_TERMS] {
    let u = 2.0 * (p.x - inner.x) / inner.w - 1.0;
    let v = 2.0 * (p.y - inner.y) / inner.h - 1.0;
    [1.0, u, v, u * v]
}

impl Fit {
    /// The movement at a point, in pixels of the page.
    pub(super) fn at(&self, p: Point) -> Point {
        let mut sum = Point::new(0.0, 0.0);
        for (term, by) in terms(self.inner, p).into_iter().zip(self.by) {
            sum.x += term * by.x;
            sum.y += term * by.y;
        }
        sum
    }
}

/// A block that was found again.
#[derive(Clone, Copy, Debug)]
struct Moved {
    middle: Point,
    by: Point,
}

/// Cells of one page.
#[derive(Debug, Default)]
struct Cells {
    width: usize,
    height: usize,
    luma: Vec<f32>,
    rows: Vec<f32>,
    /// Luminance without its surroundings' mean; 0 where it is burnt out.
    detail: Vec<f32>,
    /// 1 where it is not burnt out, else 0.
    is_left: Vec<f32>,
}

impl Cells {
    fn take(&mut self, page: &FrameView<'_>, cell: usize) {
        (self.width, self.height) = super::cells::means(page, cell, &mut self.luma);
        let n = self.luma.len();
        self.rows.resize(n, 0.0);
        self.detail.resize(n, 0.0);
        self.is_left.resize(n, 0.0);
        self.detail.copy_from_slice(&self.luma);
        super::cells::blur(&mut self.detail, &mut self.rows, self.width, DETAIL_RADIUS);
        for ((detail, left), luma) in self
            .detail
            .iter_mut()
            .zip(&mut self.is_left)
            .zip(&self.luma)
        {
            *left = if *luma < BURNT { 1.0 } else { 0.0 };
            *detail = (luma - *detail) * *left;
        }
    }

    fn forget(&mut self) {
        for plane in [
            &mut self.luma,
            &mut self.rows,
            &mut self.detail,
            &mut self.is_left,
        ] {
            plane.as_mut_slice().zeroize();
        }
    }
}

/// Finds how one page lies on another; keeps its buffers.
#[derive(Debug, Default)]
pub(super) struct Fitter {
    first: Cells,
    second: Cells,
}

impl Fitter {
    /// How `second` lies on `first`, pages of one size, within `inner`: cells of `cell` pixels are moved by up to `reach` cells. `None` if they
    /// do not show the same.
    pub(super) fn fit(
        &mut self,
        first: &FrameView<'_>,
        second: &FrameView<'_>,
        inner: Rect,
        cell: usize,
        reach: usize,
    ) -> Option<Fit> {
        self.first.take(first, cell);
        self.second.take(second, cell);
        let mut moved = [None; MOST_BLOCKS];
        let (mut n_telling, mut n_same) = (0, 0);
        for (i, moved) in moved.iter_mut().enumerate() {
            let (column, row) = (i % BLOCKS.0, i / BLOCKS.0);
            let size = (inner.w / BLOCKS.0 as f32, inner.h / BLOCKS.1 as f32);
            let corner = Point::new(
                inner.x + column as f32 * size.0,
                inner.y + row as f32 * size.1,
            );
            let Some(found) = self.block(corner, size, cell, reach) else {
                continue;
            };
            n_telling += 1;
            if let Some(by) = found {
                n_same += 1;
                let middle = Point::new(corner.x + size.0 / 2.0, corner.y + size.1 / 2.0);
                *moved = Some(Moved { middle, by });
            }
        }
        if n_same < LEAST_SAME || 2 * n_same <= n_telling {
            return None;
        }
        Some(fit(inner, &moved, MOST_ASTRAY * cell as f32))
    }

    /// How a block has moved, in pixels: `None` if it says nothing, `Some(None)` if it is not found again.
    fn block(
        &self,
        corner: Point,
        size: (f32, f32),
        cell: usize,
        reach: usize,
    ) -> Option<Option<Point>> {
        let (a, b) = (&self.first, &self.second);
        let to_cell = |v: f32, n: usize| {
            let v = (v / cell as f32).round().max(0.0) as usize;
            v.clamp(reach, n.saturating_sub(reach).max(reach))
        };
        let (x0, x1) = (
            to_cell(corner.x, a.width),
            to_cell(corner.x + size.0, a.width),
        );
        let (y0, y1) = (
            to_cell(corner.y, a.height),
            to_cell(corner.y + size.1, a.height),
        );
        let n = x1.saturating_sub(x0) * y1.saturating_sub(y0);
        let side = 2 * reach + 1;
        let score = |dx: usize, dy: usize| -> Option<f32> {
            let (mut ab, mut aa, mut bb, mut n_left) = (0.0_f32, 0.0_f32, 0.0_f32, 0.0_f32);
            for y in y0..y1 {
                let at = y * a.width + x0;
                let moved = (y + dy - reach) * a.width + x0 + dx - reach;
                let len = x1 - x0;
                let first = a.detail[at..at + len].iter().zip(&a.is_left[at..at + len]);
                let second = b.detail[moved..moved + len]
                    .iter()
                    .zip(&b.is_left[moved..moved + len]);
                for ((u, u_left), (v, v_left)) in first.zip(second) {
                    ab += u * v;
                    aa += u * u * v_left;
                    bb += v * v * u_left;
                    n_left += u_left * v_left;
                }
            }
            let telling = n_left >= LEAST_LEFT * n as f32 && aa.min(bb) >= LEAST_DETAIL * n_left;
            (telling && n > 0).then(|| ab / (aa * bb).sqrt())
        };
        // A block that says nothing where it lies says nothing.
        score(reach, reach)?;
        let mut best = (f32::NEG_INFINITY, reach, reach);
        for dy in 0..side {
            for dx in 0..side {
                if let Some(s) = score(dx, dy)
                    && s > best.0
                {
                    best = (s, dx, dy);
                }
            }
        }
        let (top, dx, dy) = best;
        // At the edge of the search the best may lie beyond it.
        let is_inside = (1..side - 1).contains(&dx) && (1..side - 1).contains(&dy);
        if top < SAME || !is_inside {
            return Some(None);
        }
        let between = |before: Option<f32>, after: Option<f32>| match (before, after) {
            (Some(before), Some(after)) => {
                let bend = before - 2.0 * top + after;
                if bend < -1e-6 {
                    (0.5 * (before - after) / bend).clamp(-0.5, 0.5)
                } else {
                    0.0
                }
            }
            _ => 0.0,
        };
        let fraction = (
            between(score(dx - 1, dy), score(dx + 1, dy)),
            between(score(dx, dy - 1), score(dx, dy + 1)),
        );
        let pixels = |d: usize, fraction: f32| (d as f32 - reach as f32 + fraction) * cell as f32;
        Some(Some(Point::new(
            pixels(dx, fraction.0),
            pixels(dy, fraction.1),
        )))
    }

    /// Wipes what was derived from pixels.
    pub(super) fn forget(&mut self) {
        self.first.forget();
        self.second.forget();
    }
}

/// The movement that fits the blocks best: least squares. What strays from it by more than `most_astray` pixels is left out of a second go.
fn fit(inner: Rect, moved: &[Option<Moved>; MOST_BLOCKS], most_astray: f32) -> Fit {
    let all = || moved.iter().flatten();
    let first = least_squares(inner, all());
    least_squares(
        inner,
        all().filter(|m| m.by.distance(first.at(m.middle)) <= most_astray),
    )
}

fn least_squares<'a>(inner: Rect, moved: impl Iterator<Item = &'a Moved>) -> Fit {
    let mut normal = [[0.0_f32; N_TERMS]; N_TERMS];
    let mut by = [Point::new(0.0, 0.0); N_TERMS];
    for m in moved {
        let terms = terms(inner, m.middle);
        for (i, row) in normal.iter_mut().enumerate() {
            for (cell, term) in row.iter_mut().zip(terms) {
                *cell += terms[i] * term;
            }
            by[i].x += terms[i] * m.by.x;
            by[i].y += terms[i] * m.by.y;
        }
    }
    // Blocks on one line say nothing of what lies beside it: a slope there is held at nought.
    for (i, row) in normal.iter_mut().enumerate() {
        row[i] += HOLD;
    }
    // Gauss and Jordan. What is held needs no pivots.
    for i in 0..N_TERMS {
        let (pivot, of_pivot) = (normal[i], by[i]);
        for j in (0..N_TERMS).filter(|j| *j != i) {
            let factor = normal[j][i] / pivot[i];
            for (cell, p) in normal[j].iter_mut().zip(pivot) {
                *cell -= factor * p;
            }
            by[j].x -= factor * of_pivot.x;
            by[j].y -= factor * of_pivot.y;
        }
    }
    for (i, by) in by.iter_mut().enumerate() {
        *by = Point::new(by.x / normal[i][i], by.y / normal[i][i]);
    }
    Fit { inner, by }
}
