//! Two pages that lie on each other into one: what is burnt out on one is taken from the other.

use super::cells;
use crate::base::frame::{Frame, PixelFormat};
use zeroize::Zeroize;

/// Pixels of a cell's side: glare is larger, and its edges are soft.
pub(super) const CELL: usize = 4;
/// Mean luminance of a cell from which it counts less, and from which it counts next to nothing: sensors saturate softly, and print in
/// what is nearly white is gone.
const BRIGHT: (f32, f32) = (205.0, 245.0);
/// What is burnt out counts so much: on both pages, still something has to be shown.
const LEAST: f32 = 1e-3;
/// The wide blur: the radius as a share of the page's width. Lamps beside the camera light no part of a page much otherwise than the
/// parts that are nearer than that.
const WIDE: f32 = 0.15;
/// Cells around a cell that decide with it which page is the darker one: more than a letter, so that no letter decides for itself.
const NEAR: usize = 2;
/// Difference in brightness (natural logarithm) at which the darker page counts e times as much: a few times the noise of a cell.
const SOFT: f32 = 0.05;
/// What differs from its surroundings by more than about this is glare on one page, and says nothing of the illumination.
const GLARE: f32 = 0.12;
/// The pages are made as bright as each other by at most this factor each.
const MOST_GAIN: f32 = 3.0;

/// Puts pages together; keeps its buffers.
#[derive(Debug, Default)]
pub(super) struct Blender {
    columns: usize,
    /// Cells' mean luminance of both pages.
    luma: [Vec<f32>; 2],
    /// How much they may count, 0..=1.
    trust: [Vec<f32>; 2],
    /// How much brighter the first page is than the second, natural logarithm.
    ratio: Vec<f32>,
    /// The part of that which is the light's: a wide blur of it.
    light: Vec<f32>,
    weight: Vec<f32>,
    scratch: Vec<f32>,
    /// Share of the first page in the result, 0..=1.
    share: Vec<f32>,
    /// Share and the first page's gain (logarithm) along a row of cells.
    row: Vec<[f32; 2]>,
}

impl Blender {
    /// Writes into `out` what `first` and `second`, RGB pages of one size, make together.
    pub(super) fn blend(&mut self, first: &Frame, second: &Frame, out: &mut Frame) {
        self.look(first, second);
        let (width, height) = (first.width() as usize, first.height() as usize);
        out.reshape(first.width(), first.height(), PixelFormat::Rgb8);
        out.meta = second.meta;
        let bytes = 3 * width;
        let rows = first
            .data()
            .chunks_exact(bytes)
            .zip(second.data().chunks_exact(bytes))
            .zip(out.data_mut().chunks_exact_mut(bytes));
        for (y, ((a, b), out)) in rows.enumerate().take(height) {
            self.take_row(y);
            let pixels = a.chunks_exact(3).zip(b.chunks_exact(3));
            for (x, ((a, b), out)) in pixels.zip(out.chunks_exact_mut(3)).enumerate() {
                let (share, gains) = self.at(x);
                for ((a, b), out) in a.iter().zip(b).zip(out) {
                    let a = (f32::from(*a) * gains[0]).min(255.0);
                    let b = (f32::from(*b) * gains[1]).min(255.0);
                    *out = (b + (a - b) * share + 0.5) as u8;
                }
            }
        }
    }

    /// Works out, cell by cell, how much each page counts and what the light is.
    fn look(&mut self, first: &Frame, second: &Frame) {
        for (luma, page) in self.luma.iter_mut().zip([first, second]) {
            (self.columns, _) = cells::means(&page.view(), CELL, luma);
        }
        let n = self.luma[0].len();
        let [of_first, of_second] = &mut self.trust;
        for plane in [
            of_first,
            of_second,
            &mut self.ratio,
            &mut self.light,
            &mut self.weight,
            &mut self.scratch,
            &mut self.share,
        ] {
            plane.resize(n, 0.0);
        }
        for (trust, luma) in self.trust.iter_mut().zip(&self.luma) {
            for (trust, luma) in trust.iter_mut().zip(luma) {
                let t = ((BRIGHT.1 - luma) / (BRIGHT.1 - BRIGHT.0)).clamp(0.0, 1.0);
                *trust = t * t * (3.0 - 2.0 * t);
            }
        }
        let most = 2.0 * MOST_GAIN.ln();
        for (i, ratio) in self.ratio.iter_mut().enumerate() {
            let log = |luma: f32| (luma + 1.0).ln();
            *ratio = (log(self.luma[0][i]) - log(self.luma[1][i])).clamp(-most, most);
        }
        let radius = ((self.columns as f32 * WIDE) as usize).max(1);
        self.light.fill(0.0);
        // First as if there was no glare but what is burnt out, then without what differs from that.
        for is_first in [true, false] {
            for i in 0..n {
                let off = (self.ratio[i] - self.light[i]) / GLARE;
                let alike = if is_first { 1.0 } else { (-off * off).exp() };
                self.weight[i] = self.trust[0][i] * self.trust[1][i] * alike + 1e-6;
            }
            for i in 0..n {
                self.light[i] = self.weight[i] * self.ratio[i];
            }
            cells::blur(&mut self.light, &mut self.scratch, self.columns, radius);
            cells::blur(&mut self.weight, &mut self.scratch, self.columns, radius);
            for (light, weight) in self.light.iter_mut().zip(&self.weight) {
                *light /= weight;
            }
        }
        for (share, (ratio, light)) in self
            .share
            .iter_mut()
            .zip(self.ratio.iter().zip(&self.light))
        {
            *share = ratio - light;
        }
        cells::blur(&mut self.share, &mut self.scratch, self.columns, NEAR);
        for (i, share) in self.share.iter_mut().enumerate() {
            let (first, second) = (self.trust[0][i] + LEAST, self.trust[1][i] + LEAST);
            // Glare makes brighter, never darker.
            let brighter = (*share / SOFT).clamp(-20.0, 20.0).exp();
            *share = first / (first + second * brighter);
        }
        cells::blur(&mut self.share, &mut self.scratch, self.columns, 1);
    }

    /// Cells that lie about row `y` of pixels.
    pub(super) fn take_row(&mut self, y: usize) {
        let n_rows = self.share.len() / self.columns.max(1);
        let (j, t) = between(y, n_rows);
        let next = (j + 1).min(n_rows.saturating_sub(1));
        self.row.clear();
        for i in 0..self.columns {
            let mix = |plane: &[f32]| {
                let (a, b) = (plane[j * self.columns + i], plane[next * self.columns + i]);
                a + (b - a) * t
            };
            self.row.push([mix(&self.share), mix(&self.light)]);
        }
    }

    /// Share of the first page, and both pages' gains, at column `x` of the row.
    pub(super) fn at(&self, x: usize) -> (f32, [f32; 2]) {
        let (i, t) = between(x, self.columns);
        let (a, b) = (self.row[i], self.row[(i + 1).min(self.columns - 1)]);
        let (share, light) = (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t);
        let gain = (0.5 * light).exp();
        (share, [1.0 / gain, gain])
    }

    /// Wipes what was derived from pixels.
    pub(super) fn forget(&mut self) {
        let [a, b] = &mut self.luma;
        let [c, d] = &mut self.trust;
        for plane in [
            a,
            b,
            c,
            d,
            &mut self.ratio,
            &mut self.light,
            &mut self.weight,
            &mut self.scratch,
            &mut self.share,
        ] {
            plane.as_mut_slice().zeroize();
        }
        self.row.clear();
    }
}

/// The cell before pixel `i`, and how far it is on the way to the next.
fn between(i: usize, n: usize) -> (usize, f32) {
    let at = ((i as f32 + 0.5) / CELL as f32 - 0.5).clamp(0.0, n.saturating_sub(1) as f32);
    (at as usize, at.fract())
}
