//! Samples one byte a pixel of a frame along the rows of a plane projective map.
//!
//! The map is worked out at the ends and in the middle of every sixteen samples and is straight between them, where that moves no sample
//! by more than [`MOST_BEND`] / 4, and sample by sample elsewhere: pages that are turned far away from the camera. Where the three
//! lie between pixels of the frame, so does everything between them, and no sample has to be asked whether it does.

use super::homography::Row;
use crate::base::frame::FrameView;

/// Samples that are taken together.
pub(super) const BLOCK: usize = 16;
/// Samples as they come: values times [`ONE`].
pub(super) type Block = [u32; BLOCK];
/// What a sample's value is multiplied by.
pub(super) const ONE: u32 = 256;
/// How far the middle of a block may lie from the straight line between its ends, in pixels of the frame. Of each half, which is half
/// as long, no sample is off by more than about a quarter of that.
const MOST_BEND: f32 = 0.08;

/// Samples on a straight line in the frame, evenly spaced.
#[derive(Clone, Copy, Debug)]
struct Piece {
    /// The first.
    from: (f32, f32),
    /// From one to the next.
    step: (f32, f32),
    n: usize,
}

impl Piece {
    /// `n` samples from `from` on; `to` would be the one after the last.
    fn between(from: (f32, f32), to: (f32, f32), n: usize) -> Self {
        let n_steps = n.max(1) as f32;
        Self {
            from,
            step: ((to.0 - from.0) / n_steps, (to.1 - from.1) / n_steps),
            n,
        }
    }

    /// Where the samples of `row` from `start` on come to lie: two pieces and the end of the second. `None` if the map bends too much.
    #[inline(always)]
    fn halves(row: &Row, start: usize, n: usize) -> Option<([Self; 2], (f32, f32))> {
        let at = |i: usize| row.at((start + i) as f64 + 0.5);
        let n_first = n.div_ceil(2);
        let (first, middle, end) = (at(0), at(n_first), at(n));
        let share = n_first as f32 / n.max(1) as f32;
        let bend =
            |first: f32, middle: f32, end: f32| (first + (end - first) * share - middle).abs();
        let bend = bend(first.0, middle.0, end.0).max(bend(first.1, middle.1, end.1));
        let pieces = [
            Self::between(first, middle, n_first),
            Self::between(middle, end, n - n_first),
        ];
        (bend <= MOST_BEND).then_some((pieces, end))
    }
}

/// One byte of every pixel of a frame.
#[derive(Clone, Copy)]
pub(super) struct Channel<'a> {
    data: &'a [u8],
    stride: usize,
    pixel: usize,
    /// Places of the last pixels.
    last: (f32, f32),
}

impl<'a> Channel<'a> {
    /// Byte `nth` of every pixel.
    pub(super) fn byte(frame: &FrameView<'a>, nth: usize) -> Self {
        Self {
            data: frame.data().get(nth..).unwrap_or_default(),
            stride: frame.stride(),
            pixel: frame.format().bytes_per_pixel(),
            last: (
                frame.width().saturating_sub(1) as f32,
                frame.height().saturating_sub(1) as f32,
            ),
        }
    }

    /// 0.0..=255.0 at (`x`, `y`), bilinear; outside the frame the nearest edge pixel.
    pub(super) fn at(&self, x: f32, y: f32) -> f32 {
        let ((x0, x1, fx), (y0, y1, fy)) = (between(x, self.last.0), between(y, self.last.1));
        let value = |x: usize, y: usize| {
            let at = y * self.stride + x * self.pixel;
            f32::from(self.data.get(at).copied().unwrap_or(0))
        };
        mix(
            [value(x0, y0), value(x1, y0), value(x0, y1), value(x1, y1)],
            fx,
            fy,
        )
    }

    /// Samples 0..`n` (at most [`BLOCK`]) of the block that begins at `start` of the row; `Row` counts in samples, whose middles lie at .5.
    #[inline(always)]
    pub(super) fn block(&self, row: &Row, start: usize, n: usize, out: &mut Block) {
        let n = n.min(BLOCK);
        let inside = |(x, y): (f32, f32)| {
            (0.5..self.last.0 + 0.5).contains(&x) && (0.5..self.last.1 + 0.5).contains(&y)
        };
        let pieces = Piece::halves(row, start, n)
            .filter(|(pieces, end)| pieces.iter().all(|p| inside(p.from)) && inside(*end));
        let Some(([first, second], _)) = pieces else {
            for (i, out) in out[..n].iter_mut().enumerate() {
                let (x, y) = row.at((start + i) as f64 + 0.5);
                *out = (self.at(x, y) * ONE as f32) as u32;
            }
            return;
        };
        let (ahead, behind) = out[..n].split_at_mut(first.n);
        self.along(&first, ahead);
        self.along(&second, behind);
    }

    /// The samples of a piece that lies between pixels of the frame.
    #[inline(always)]
    fn along(&self, piece: &Piece, out: &mut [u32]) {
        // 16.16: a frame has at most 8192 pixels a side.
        let fixed = |v: f32| (v * 65536.0) as i32;
        let (x0, y0) = (fixed(piece.from.0 - 0.5), fixed(piece.from.1 - 0.5));
        let (dx, dy) = (fixed(piece.step.0), fixed(piece.step.1));
        for (i, out) in out.iter_mut().enumerate() {
            let i = i as i32;
            let (x, y) = ((x0 + i * dx).max(0) as u32, (y0 + i * dy).max(0) as u32);
            let (fx, fy) = ((x >> 8) & 255, (y >> 8) & 255);
            let at = (y >> 16) as usize * self.stride + (x >> 16) as usize * self.pixel;
            // Rounding may lead to the last pixel but never beyond the one after it; there a value of no weight is missing.
            let byte = |i: usize| u32::from(self.data.get(at + i).copied().unwrap_or(0));
            let upper = byte(0) * (256 - fx) + byte(self.pixel) * fx;
            let lower = byte(self.stride) * (256 - fx) + byte(self.stride + self.pixel) * fx;
            *out = (upper * (256 - fy) + lower * fy) >> 8;
        }
    }
}

/// The two pixels that lie around a position in pixels (origin at the outer edge), and the share of the second one.
fn between(position: f32, last: f32) -> (usize, usize, f32) {
    // `max` also turns a NaN into 0.
    let p = (position - 0.5).max(0.0).min(last);
    let first = p as usize;
    let second = if (first as f32) < last {
        first + 1
    } else {
        first
    };
    (first, second, p - first as f32)
}

/// The mean of four values, the second and fourth with the share `fx`, the last two with `fy`.
fn mix([a, b, c, d]: [f32; 4], fx: f32, fy: f32) -> f32 {
    let upper = a + (b - a) * fx;
    let lower = c + (d - c) * fx;
    upper + (lower - upper) * fy
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::frame::{Frame, PixelFormat};
    use crate::base::geometry::{Point, Quad};
    use crate::perception::document::homography::Homography;

    /// A smooth picture whose edges are not level, in one layout.
    fn picture(format: PixelFormat) -> Frame {
        let mut frame = Frame::new(90, 70, format);
        let bytes = format.bytes_per_pixel();
        for (i, p) in frame.data_mut().chunks_exact_mut(bytes).enumerate() {
            let (x, y) = ((i % 90) as f32, (i / 90) as f32);
            p.fill((128.0 + 70.0 * (x / 9.0).sin() + 50.0 * (y / 7.0).cos()) as u8);
        }
        frame
    }

    /// A page and strips of documents that are turned away from the camera more and more, about either axis: what is taken as straight is.
    #[test]
    fn straight_between_the_ends_is_near_enough() {
        let sideways = |by: f32| {
            [
                (200.0, 60.0),
                (1080.0, 60.0 + by),
                (1080.0, 660.0 - by),
                (200.0, 660.0),
            ]
        };
        let down = |by: f32| {
            [
                (70.0 + by, 60.0),
                (1210.0 - by, 60.0),
                (1210.0, 690.0),
                (70.0, 690.0),
            ]
        };
        let (mut n_straight, mut n_bent) = (0, 0);
        for by in [0.0, 50.0, 100.0, 150.0, 240.0] {
            for corners in [sideways(by), down(by)] {
                let quad = Quad(corners.map(|(x, y)| Point::new(x, y)));
                for (width, height) in [(640.0, 450.0), (1152.0, 64.0)] {
                    let map = Homography::from_rectangle(width, height, &quad).expect("proper");
                    for y in [0.5, f64::from(height) / 2.0, f64::from(height) - 0.5] {
                        let row = map.along(y);
                        for (start, n) in (0..width as usize)
                            .step_by(BLOCK)
                            .map(|s| (s, BLOCK - s % 3))
                        {
                            let Some((pieces, _)) = Piece::halves(&row, start, n) else {
                                n_bent += 1;
                                continue;
                            };
                            n_straight += 1;
                            let places = pieces.iter().flat_map(|p| {
                                (0..p.n).map(|i| {
                                    (
                                        p.from.0 + i as f32 * p.step.0,
                                        p.from.1 + i as f32 * p.step.1,
                                    )
                                })
                            });
                            for (i, (x, y)) in places.enumerate() {
                                let (tx, ty) = row.at((start + i) as f64 + 0.5);
                                let off = (x - tx).hypot(y - ty);
                                assert!(off < MOST_BEND / 3.0, "{off} at {start}+{i} of {n}, {by}");
                            }
                        }
                    }
                }
            }
        }
        // Both ways are taken, and the fast one where a document can be read well.
        assert!(
            n_bent > 0 && n_straight > 4 * n_bent,
            "{n_straight} {n_bent}"
        );
    }

    #[test]
    fn blocks_say_what_single_samples_say() {
        // Inside, over every edge, the whole, turned far away, and far outside.
        let quads = [
            [(10.0, 8.0), (70.0, 14.0), (80.0, 60.0), (5.0, 55.0)],
            [(-20.0, -9.0), (120.0, 3.0), (95.0, 90.0), (2.0, 71.0)],
            [(0.0, 0.0), (90.0, 0.0), (90.0, 70.0), (0.0, 70.0)],
            [(2.0, 2.0), (88.0, 30.0), (88.0, 40.0), (2.0, 68.0)],
            [
                (200.0, 200.0),
                (260.0, 200.0),
                (260.0, 240.0),
                (200.0, 240.0),
            ],
        ];
        for format in [PixelFormat::Grey8, PixelFormat::Yuyv, PixelFormat::Rgb8] {
            let frame = picture(format);
            let channel = Channel::byte(&frame.view(), 0);
            for corners in quads {
                let quad = Quad(corners.map(|(x, y)| Point::new(x, y)));
                let map = Homography::from_rectangle(123.0, 40.0, &quad).expect("proper");
                for y in 0..40 {
                    let row = map.along(f64::from(y) + 0.5);
                    for start in (0..123).step_by(BLOCK) {
                        let n = BLOCK.min(123 - start);
                        let mut found = [0; BLOCK];
                        channel.block(&row, start, n, &mut found);
                        for (i, found) in found[..n].iter().enumerate() {
                            let (px, py) = row.at((start + i) as f64 + 0.5);
                            let (found, expected) =
                                (*found as f32 / ONE as f32, channel.at(px, py));
                            assert!(
                                (found - expected).abs() < 1.0,
                                "{format:?} {corners:?} at {start}+{i}, {y}: {found} {expected}"
                            );
                        }
                    }
                }
            }
        }
    }
}
