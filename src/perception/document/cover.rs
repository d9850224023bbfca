//! Whether something of the colour of skin lies on the document: a finger in front of what has to be read.
//!
//! ```text
//!   page in colours, 128 wide -> skin by chrominance, smooth -> open (3x3) -> largest part that touches an edge -> share of the page
//! ```
//!
//! Skin of every tone lies in a small part of the chrominance plane (Chai and Ngan, "Face segmentation using skin-color map in
//! videophone applications", IEEE TCSVT 9(4), 1999: Cb 77..=127, Cr 133..=173). So does pink paper, and any in warm light: skin has to be
//! redder than the middle of the page. A portrait does not touch the edge.

use super::luminance::of_rgb;
use crate::base::frame::FrameView;

/// Width of the page that is looked at, in pixels.
pub const WIDTH: u32 = 128;
/// Chrominance of skin.
const CB: std::ops::RangeInclusive<i32> = 77..=127;
const CR: std::ops::RangeInclusive<i32> = 133..=173;
/// By so much skin is redder (in Cr) than half of the page.
const REDDER: i32 = 14;
/// Least luminance that has a colour at all.
const MIN_LUMINANCE: i32 = 25;
/// Largest difference of luminance to the next pixels on skin, on a scale of 255: print has more.
const MAX_STEP: i32 = 24;
/// Share of the page from which it is no finger: a thumb of 17 mm that reaches half over a card covers an eighth of it.
const MAX_SHARE: f32 = 0.2;

/// Finds the cover; keeps its buffers. They hold no picture, only where skin is.
#[derive(Debug, Default)]
pub struct CoverFinder {
    skin: Vec<bool>,
    opened: Vec<bool>,
    waiting: Vec<usize>,
}

impl CoverFinder {
    /// Share of `page` (RGB, the document alone, upright or not) that the largest thing of the colour of skin takes that reaches in over
    /// an edge, 0..=1. 0 if there is none, or if it is too large for a finger.
    pub fn share(&mut self, page: &FrameView<'_>) -> f32 {
        let (w, h) = (page.width() as usize, page.height() as usize);
        if w < 3 || h < 3 {
            return 0.0;
        }
        self.mark(page, w, h);
        self.open(w, h);
        let mut largest = 0;
        let border = (0..w)
            .flat_map(|x| [x, (h - 1) * w + x])
            .chain((0..h).flat_map(|y| [y * w, y * w + w - 1]));
        for start in border {
            largest = largest.max(take(&mut self.opened, &mut self.waiting, start, w, h));
        }
        let share = largest as f32 / (w * h) as f32;
        if share > MAX_SHARE { 0.0 } else { share }
    }

    fn mark(&mut self, page: &FrameView<'_>, w: usize, h: usize) {
        self.skin.clear();
        self.skin.resize(w * h, false);
        let pixel = |x: usize, y: usize| {
            let row = page.row(y as u32);
            [row[3 * x], row[3 * x + 1], row[3 * x + 2]]
        };
        let luminance = |x, y| {
            let [r, g, b] = pixel(x, y);
            i32::from(of_rgb(r, g, b))
        };
        // BT.601, full range.
        let cr_of = |x, y| {
            let [r, g, b] = pixel(x, y).map(i32::from);
            128 + ((128 * r - 107 * g - 21 * b) >> 8)
        };
        let mut histogram = [0; 256];
        for i in 0..w * h {
            histogram[cr_of(i % w, i / w).clamp(0, 255) as usize] += 1;
        }
        let mut n_below = 0;
        let median = histogram.iter().position(|n| {
            n_below += n;
            2 * n_below >= w * h
        });
        let least = median.unwrap_or(0) as i32 + REDDER;
        for y in 0..h {
            for x in 0..w {
                let [r, g, b] = pixel(x, y).map(i32::from);
                let here = luminance(x, y);
                let beside = luminance((x + 1).min(w - 1), y);
                let below = luminance(x, (y + 1).min(h - 1));
                let cb = 128 + ((-43 * r - 85 * g + 128 * b) >> 8);
                let cr = cr_of(x, y);
                self.skin[y * w + x] = here >= MIN_LUMINANCE
                    && CB.contains(&cb)
                    && CR.contains(&cr)
                    && cr >= least
                    && (here - beside).abs() <= MAX_STEP
                    && (here - below).abs() <= MAX_STEP;
            }
        }
    }

    /// Leaves what is at least three pixels wide: erosion, then dilation by 3x3; beyond the edge is as the edge.
    fn open(&mut self, w: usize, h: usize) {
        // Whether a pixel or one of its neighbours is of this kind.
        let touches = |mask: &[bool], at: usize, kind: bool| {
            let (x, y) = (at % w, at / w);
            (y.saturating_sub(1)..=(y + 1).min(h - 1)).any(|y| {
                mask[y * w + x.saturating_sub(1)..=y * w + (x + 1).min(w - 1)].contains(&kind)
            })
        };
        self.opened.clear();
        self.opened
            .extend((0..w * h).map(|at| !touches(&self.skin, at, false)));
        std::mem::swap(&mut self.skin, &mut self.opened);
        self.opened.clear();
        self.opened
            .extend((0..w * h).map(|at| touches(&self.skin, at, true)));
    }
}

/// Takes the part that `start` belongs to out of `mask`; gives back its number of pixels.
fn take(mask: &mut [bool], waiting: &mut Vec<usize>, start: usize, w: usize, h: usize) -> usize {
    let mut n = 0;
    waiting.clear();
    waiting.push(start);
    while let Some(at) = waiting.pop() {
        if !std::mem::take(&mut mask[at]) {
            continue;
        }
        n += 1;
        let (x, y) = (at % w, at / w);
        let next = [
            (x > 0).then(|| at - 1),
            (x + 1 < w).then(|| at + 1),
            (y > 0).then(|| at - w),
            (y + 1 < h).then(|| at + w),
        ];
        waiting.extend(next.into_iter().flatten().filter(|i| mask[*i]));
    }
    n
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::frame::{Frame, PixelFormat};

    const PALE: [u8; 3] = [224, 172, 150];
    const DARK: [u8; 3] = [92, 58, 44];

    /// A light page of 128x90 with a rectangle (left, top, right, bottom) of one colour on it.
    fn page(colour: [u8; 3], [x0, y0, x1, y1]: [usize; 4], striped: bool) -> Frame {
        let mut frame = Frame::new(WIDTH, 90, PixelFormat::Rgb8);
        for (i, p) in frame.data_mut().chunks_exact_mut(3).enumerate() {
            let (x, y) = (i % 128, i / 128);
            let on = (x0..x1).contains(&x) && (y0..y1).contains(&y);
            let print = striped && x % 3 == 0;
            p.copy_from_slice(match (on, print) {
                (true, false) => &colour,
                (true, true) => &[20, 20, 20],
                _ => &[205, 215, 222],
            });
        }
        frame
    }

    #[test]
    fn skin_that_reaches_in_over_an_edge_covers() {
        let check = |what: &str, colour, bounds, striped, expected: f32| {
            let found = CoverFinder::default().share(&page(colour, bounds, striped).view());
            assert!((found - expected).abs() < 0.02, "{what}: {found}");
        };
        let finger = [78, 70, 128, 88];
        let share = 50.0 * 18.0 / (128.0 * 90.0);
        check("pale finger", PALE, finger, false, share);
        check("dark finger", DARK, finger, false, share);
        check("blue cover", [60, 90, 200], finger, false, 0.0);
        check("portrait", PALE, [10, 20, 45, 60], false, 0.0);
        check("page of that colour", PALE, [0, 0, 128, 90], false, 0.0);
        check(
            "page and more of that colour",
            PALE,
            [0, 0, 128, 60],
            false,
            0.0,
        );
        check(
            "paper a little warmer",
            [222, 212, 205],
            [60, 0, 128, 30],
            false,
            0.0,
        );
        check("print on that colour", PALE, finger, true, 0.0);
        check("hair's breadth", PALE, [0, 40, 128, 42], false, 0.0);
        let tiny = Frame::new(2, 2, PixelFormat::Rgb8);
        assert_eq!(CoverFinder::default().share(&tiny.view()), 0.0);
    }
}
