//! Rectification: the document as a rectangle, sampled from the frame in one pass (bilinear, edges repeated).

use super::homography::{Homography, Row};
use super::mrz::MrzFormat;
use super::warp::{self, BLOCK, Block, Channel};
use crate::base::frame::{Frame, FrameView, PixelFormat};
use crate::base::geometry::{Point, Quad};

/// The sizes of documents (ICAO Doc 9303-3 to -6, ISO/IEC 7810).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DocumentSize {
    /// 125 x 88 mm: passport page.
    Td3,
    /// 105 x 74 mm.
    Td2,
    /// 85.6 x 53.98 mm: ID-1 cards.
    Id1,
}

impl DocumentSize {
    /// The size that goes with a layout of the machine readable zone.
    pub const fn of_format(format: MrzFormat) -> Self {
        match format {
            MrzFormat::Td1 => Self::Id1,
            MrzFormat::Td2 | MrzFormat::MrvB => Self::Td2,
            MrzFormat::Td3 | MrzFormat::MrvA => Self::Td3,
        }
    }

    /// The likelier size for a ratio of width to height, until the machine readable zone says it: TD2 and TD3 have 1.42, ID-1
    /// has 1.586.
    pub fn of_aspect(aspect: f32) -> Self {
        if aspect > 1.5 { Self::Id1 } else { Self::Td3 }
    }

    /// Width and height in hundredths of a millimetre.
    const fn size(self) -> (u32, u32) {
        match self {
            Self::Td3 => (12_500, 8_800),
            Self::Td2 => (10_500, 7_400),
            Self::Id1 => (8_560, 5_398),
        }
    }

    /// Height in pixels of the rectified document of this width.
    pub const fn height_for(self, width: u32) -> u32 {
        let (w, h) = self.size();
        (width * h + w / 2) / w
    }

    /// Width in millimetres.
    pub const fn width_mm(self) -> f32 {
        self.size().0 as f32 / 100.0
    }
}

/// Turns the order of the corners so that the longer sides are the upper and the lower one; the first corner stays the upper
/// left one if it can.
pub fn landscape(quad: &Quad) -> Quad {
    let p = quad.0;
    if quad.height() > quad.width() {
        Quad([p[3], p[0], p[1], p[2]])
    } else {
        *quad
    }
}

/// The same quadrilateral, read upside down.
pub fn half_turned(quad: &Quad) -> Quad {
    let p = quad.0;
    Quad([p[2], p[3], p[0], p[1]])
}

/// Writes the luminance of the rectangle `width` x `height` into `out`, where `map` takes the rectangle to the frame.
/// Allocates only if `out` has to grow.
pub fn grey(frame: &FrameView<'_>, map: &Homography, width: u32, height: u32, out: &mut Vec<u8>) {
    out.resize(width as usize * height as usize, 0);
    let sampler = LuminanceSampler::new(frame);
    let mut block = [0; BLOCK];
    for (y, line) in (0..height).zip(out.chunks_exact_mut(width as usize)) {
        let row = map.along(f64::from(y) + 0.5);
        for (k, part) in line.chunks_mut(BLOCK).enumerate() {
            sampler.block(&row, k * BLOCK, part.len(), &mut block);
            for (o, v) in part.iter_mut().zip(block) {
                *o = whole_value(v);
            }
        }
    }
}

/// Writes the colours of the rectangle `width` x `height` into `out` as [`PixelFormat::Rgb8`].
pub fn rgb(frame: &FrameView<'_>, map: &Homography, width: u32, height: u32, out: &mut Frame) {
    out.reshape(width, height, PixelFormat::Rgb8);
    out.meta = frame.meta;
    let (width, height) = (out.width() as usize, out.height());
    let channel = |nth| Channel::byte(frame, nth);
    let channels = [channel(0), channel(1), channel(2)];
    let mut blocks = [[0; BLOCK]; 3];
    for (y, line) in (0..height).zip(out.data_mut().chunks_exact_mut(3 * width)) {
        let row = map.along(f64::from(y) + 0.5);
        for (k, part) in line.chunks_mut(3 * BLOCK).enumerate() {
            let (start, n) = (k * BLOCK, part.len() / 3);
            let pixels = part.chunks_exact_mut(3);
            match frame.format() {
                PixelFormat::Grey8 => {
                    channels[0].block(&row, start, n, &mut blocks[0]);
                    for (o, v) in pixels.zip(&blocks[0]) {
                        o.fill(whole_value(*v));
                    }
                }
                PixelFormat::Rgb8 => {
                    for (channel, block) in channels.iter().zip(&mut blocks) {
                        channel.block(&row, start, n, block);
                    }
                    for (i, o) in pixels.enumerate() {
                        for (o, block) in o.iter_mut().zip(&blocks) {
                            *o = whole_value(block[i]);
                        }
                    }
                }
                // Chroma of the nearest pair: it has half the resolution.
                PixelFormat::Yuyv => {
                    channels[0].block(&row, start, n, &mut blocks[0]);
                    for (i, (o, v)) in pixels.zip(&blocks[0]).enumerate() {
                        let [u, v_] = chroma(frame, row.at((start + i) as f64 + 0.5));
                        let colour = to_rgb(*v as f32 / warp::ONE as f32, u, v_);
                        for (c, v) in o.iter_mut().zip(colour) {
                            *c = (v + 0.5).clamp(0.0, 255.0) as u8;
                        }
                    }
                }
            }
        }
    }
}

/// Writes a strip of the rectangle, `quad` in the rectangle's coordinates, into `out` of `width` x `height` pixels; each is the
/// mean of `sub` x `sub` samples (at most [`MOST_SUB`]), so that fine print does not alias when the strip is made smaller; of one
/// where it is made larger.
pub(crate) fn strip(
    frame: &FrameView<'_>,
    map: &Homography,
    quad: &Quad,
    (width, height): (usize, usize),
    sub: usize,
    out: &mut [f32],
) {
    // A strip of a rectangle is a parallelogram there; straight lines stay straight in the frame, so the corners are enough.
    let from = map.map_quad(quad);
    let enlarged = from.width() <= width as f32 && from.height() <= height as f32;
    let sub = if enlarged { 1 } else { sub.clamp(1, MOST_SUB) };
    let size = ((width * sub) as f32, (height * sub) as f32);
    let Some(map) = Homography::from_rectangle(size.0, size.1, &from) else {
        out.fill(0.0);
        return;
    };
    let sampler = LuminanceSampler::new(frame);
    let share = 1.0 / (sub * sub) as f32 / warp::ONE as f32;
    let mut block = [0; BLOCK];
    // Pixels that one block makes.
    let n_pixels = BLOCK / sub;
    for (y, line) in out.chunks_exact_mut(width).enumerate().take(height) {
        line.fill(0.0);
        for j in 0..sub {
            let row = map.along((y * sub + j) as f64 + 0.5);
            for (k, part) in line.chunks_mut(n_pixels).enumerate() {
                sampler.block(&row, k * n_pixels * sub, part.len() * sub, &mut block);
                for (o, samples) in part.iter_mut().zip(block.chunks_exact(sub)) {
                    *o += samples.iter().sum::<u32>() as f32 * share;
                }
            }
        }
    }
}

/// Samples of one pixel of a strip at most, in each direction; a block is made of whole pixels.
pub(crate) const MOST_SUB: usize = 4;

/// Samples in a row of a stretched frame at most.
const MOST_COLUMNS: usize = 1024;
/// Samples of a pixel of a stretched frame at most, in each direction.
const MOST_STRETCH_SUB: usize = 16;

/// Writes the whole frame, stretched to `width` x `height`, into `out` as R, G, B; each pixel is the mean of `sub` x `sub`
/// samples (nearest neighbour). At most [`MOST_STRETCH_SUB`], and [`MOST_COLUMNS`] in a row.
pub(crate) fn stretch(
    frame: &FrameView<'_>,
    (width, height): (usize, usize),
    sub: usize,
    out: &mut [u8],
) {
    debug_assert!(width * sub <= MOST_COLUMNS && (1..=MOST_STRETCH_SUB).contains(&sub));
    let place = |i: usize, n: usize, size: u32| {
        // Below `size`, since i < n * sub.
        ((2 * i + 1) * size as usize / (2 * n * sub)) as u32
    };
    let n_samples = (sub * sub) as u32;
    // The same in every row: divided out once.
    let mut columns = [0usize; MOST_COLUMNS];
    let n_columns = (width * sub).min(MOST_COLUMNS);
    for (i, column) in columns[..n_columns].iter_mut().enumerate() {
        *column = place(i, width, frame.width()) as usize;
    }
    for (y, line) in out.chunks_exact_mut(3 * width).enumerate().take(height) {
        let mut rows = [&[][..]; MOST_STRETCH_SUB];
        for (j, row) in rows[..sub].iter_mut().enumerate() {
            *row = frame.row(place(y * sub + j, height, frame.height()));
        }
        let pixels = line.chunks_exact_mut(3).zip(columns.chunks_exact(sub));
        for (o, columns) in pixels {
            let mut sum = [0u32; 3];
            for row in &rows[..sub] {
                for fx in columns {
                    for (s, c) in sum.iter_mut().zip(own_colour(frame.format(), row, *fx)) {
                        *s += u32::from(c);
                    }
                }
            }
            // Colours of one space are averaged, then converted once.
            let colour = match frame.format() {
                PixelFormat::Yuyv => {
                    let [y, u, v] = sum.map(|s| s as f32 / n_samples as f32);
                    to_rgb(y, u, v)
                }
                PixelFormat::Grey8 | PixelFormat::Rgb8 => sum.map(|s| s as f32 / n_samples as f32),
            };
            for (o, v) in o.iter_mut().zip(colour) {
                *o = (v + 0.5).clamp(0.0, 255.0) as u8;
            }
        }
    }
}

/// A pixel of a row in the frame's own colours: R, G, B, or Y, U, V.
#[inline(always)]
fn own_colour(format: PixelFormat, row: &[u8], x: usize) -> [u8; 3] {
    match format {
        PixelFormat::Grey8 => [row[x]; 3],
        PixelFormat::Rgb8 => [row[3 * x], row[3 * x + 1], row[3 * x + 2]],
        PixelFormat::Yuyv => {
            let pair = 2 * (x & !1);
            [row[2 * x], row[pair + 1], row[pair + 3]]
        }
    }
}

/// BT.601, full range.
fn to_rgb(y: f32, u: f32, v: f32) -> [f32; 3] {
    let (u, v) = (u - 128.0, v - 128.0);
    [
        y + 1.402 * v,
        y - 0.344_136 * u - 0.714_136 * v,
        y + 1.772 * u,
    ]
}

/// Luminance between the pixels.
pub(crate) struct LuminanceSampler<'a> {
    channels: [Channel<'a>; 3],
    of_rgb: bool,
}

impl<'a> LuminanceSampler<'a> {
    pub(crate) fn new(frame: &FrameView<'a>) -> Self {
        Self {
            channels: [0, 1, 2].map(|nth| Channel::byte(frame, nth)),
            of_rgb: frame.format() == PixelFormat::Rgb8,
        }
    }

    /// Luminance 0.0..=255.0 at (`x`, `y`), bilinear; outside the frame the nearest edge pixel.
    pub(crate) fn at(&self, x: f32, y: f32) -> f32 {
        let [first, ..] = &self.channels;
        if !self.of_rgb {
            return first.at(x, y);
        }
        let [r, g, b] = self.channels.each_ref().map(|c| c.at(x, y));
        (77.0 * r + 150.0 * g + 29.0 * b) / 256.0
    }

    /// As [`Channel::block`].
    #[inline(always)]
    fn block(&self, row: &Row, start: usize, n: usize, out: &mut Block) {
        let [first, second, third] = &self.channels;
        first.block(row, start, n, out);
        if self.of_rgb {
            let (mut g, mut b) = ([0; BLOCK], [0; BLOCK]);
            second.block(row, start, n, &mut g);
            third.block(row, start, n, &mut b);
            for (o, (g, b)) in out.iter_mut().zip(g.iter().zip(b)) {
                *o = (77 * *o + 150 * g + 29 * b) >> 8;
            }
        }
    }
}

/// A sample to a byte, rounded.
fn whole_value(sample: u32) -> u8 {
    ((sample + warp::ONE / 2) / warp::ONE).min(255) as u8
}

/// U and V of the pair of pixels of a YUYV frame that is nearest to a point.
fn chroma(frame: &FrameView<'_>, (x, y): (f32, f32)) -> [f32; 2] {
    let nearest = |p: f32, size: u32| (p.max(0.0) as u32).min(size - 1);
    let row = frame.row(nearest(y, frame.height()));
    let pair = (nearest(x, frame.width()) & !1) as usize;
    [f32::from(row[2 * pair + 1]), f32::from(row[2 * pair + 3])]
}

/// The whole frame as a quadrilateral.
pub fn whole(frame: &FrameView<'_>) -> Quad {
    let (w, h) = (frame.width() as f32, frame.height() as f32);
    Quad([
        Point::new(0.0, 0.0),
        Point::new(w, 0.0),
        Point::new(w, h),
        Point::new(0.0, h),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::frame::FrameMeta;

    /// A frame whose luminance is a ramp: 2 x + 3 y at the middle of each pixel.
    fn ramp(format: PixelFormat) -> Frame {
        let mut frame = Frame::new(40, 30, format);
        let bytes = format.bytes_per_pixel();
        for (i, p) in frame.data_mut().chunks_exact_mut(bytes).enumerate() {
            let v = (2 * (i % 40) + 3 * (i / 40)) as u8;
            match format {
                PixelFormat::Yuyv => p.copy_from_slice(&[v, 128]),
                PixelFormat::Rgb8 | PixelFormat::Grey8 => p.fill(v),
            }
        }
        frame
    }

    fn quad(p: [(f32, f32); 4]) -> Quad {
        Quad(p.map(|(x, y)| Point::new(x, y)))
    }

    #[test]
    fn a_ramp_stays_a_ramp_in_every_layout() {
        let corners = quad([(5.0, 6.0), (30.0, 4.0), (33.0, 25.0), (4.0, 22.0)]);
        let map = Homography::from_rectangle(50.0, 30.0, &corners).expect("proper");
        for format in [PixelFormat::Yuyv, PixelFormat::Rgb8, PixelFormat::Grey8] {
            let frame = ramp(format);
            let mut plane = Vec::new();
            grey(&frame.view(), &map, 50, 30, &mut plane);
            let mut colours = Frame::new(2, 2, PixelFormat::Rgb8);
            rgb(&frame.view(), &map, 50, 30, &mut colours);
            for (x, y) in [(0, 0), (49, 0), (25, 15), (3, 29)] {
                let p = map.map(Point::new(x as f32 + 0.5, y as f32 + 0.5));
                let expected = 2.0 * (p.x - 0.5) + 3.0 * (p.y - 0.5);
                let i = y * 50 + x;
                assert!(
                    (f32::from(plane[i]) - expected).abs() <= 1.01,
                    "{format:?} {x} {y}"
                );
                for c in &colours.data()[3 * i..3 * i + 3] {
                    assert!(
                        (f32::from(*c) - expected).abs() <= 1.01,
                        "{format:?} {x} {y}"
                    );
                }
            }
        }
    }

    #[test]
    fn yuyv_colours_follow_bt601() {
        let frame = FrameView::new(
            &[81, 90, 81, 240],
            2,
            1,
            4,
            PixelFormat::Yuyv,
            FrameMeta::default(),
        )
        .expect("a possible frame");
        let mut out = [0; 3];
        stretch(&frame, (1, 1), 2, &mut out);
        assert_eq!(out, [238, 14, 14]);
    }

    #[test]
    fn stretching_averages_the_frame() {
        let frame = ramp(PixelFormat::Grey8);
        let mut out = [0; 3 * 4];
        stretch(&frame.view(), (2, 2), 10, &mut out);
        // Means over the quarters: columns 0..20 and 20..40, rows 0..15 and 15..30.
        for (found, expected) in [out[0], out[3], out[6], out[9]]
            .into_iter()
            .zip([40u8, 80, 85, 125])
        {
            assert!(found.abs_diff(expected) <= 1, "{out:?}");
        }
    }

    #[test]
    fn outside_the_frame_the_edge_goes_on() {
        let frame = ramp(PixelFormat::Grey8);
        let sampler = LuminanceSampler::new(&frame.view());
        for (x, y, expected) in [
            (-9.0, -9.0, 0.0),
            (99.0, -9.0, 78.0),
            (99.0, 99.0, 165.0),
            (f32::NAN, 0.5, 0.0),
            (f32::INFINITY, 0.5, 78.0),
        ] {
            assert_eq!(sampler.at(x, y), expected, "{x} {y}");
        }
    }

    #[test]
    fn the_longer_side_comes_to_lie_above() {
        let upright = quad([(0.0, 0.0), (4.0, 0.0), (4.0, 9.0), (0.0, 9.0)]);
        let turned = landscape(&upright);
        assert_eq!((turned.width(), turned.height()), (9.0, 4.0));
        assert!(turned.signed_area() > 0.0);
        assert_eq!(landscape(&turned), turned);
        assert_eq!(half_turned(&half_turned(&turned)), turned);
    }

    #[test]
    fn heights_of_the_sizes() {
        for (size, width, height) in [
            (DocumentSize::Td3, 1280, 901),
            (DocumentSize::Id1, 1280, 807),
            (DocumentSize::Td2, 1280, 902),
            (DocumentSize::Td3, 640, 451),
        ] {
            assert_eq!(size.height_for(width), height, "{size:?}");
        }
    }
}
