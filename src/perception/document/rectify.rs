//! Rectification: the document as a rectangle, sampled from the frame in one pass (bilinear, edges repeated).

use super::homography::Homography;
use super::luminance;
use super::mrz::MrzFormat;
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

    /// Height in pixels of the rectified document of this width.
    pub const fn height_for(self, width: u32) -> u32 {
        let (w, h) = match self {
            Self::Td3 => (12_500, 8_800),
            Self::Td2 => (10_500, 7_400),
            Self::Id1 => (8_560, 5_398),
        };
        (width * h + w / 2) / w
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
    let sampler = LuminanceSampler::new(frame);
    out.resize(width as usize * height as usize, 0);
    for (y, line) in (0..height).zip(out.chunks_exact_mut(width as usize)) {
        let row = map.along(f64::from(y) + 0.5);
        for (x, o) in (0..width).zip(line) {
            let (fx, fy) = row.at(f64::from(x) + 0.5);
            // Rounded; the sampler stays within 0..=255.
            *o = (sampler.at(fx, fy) + 0.5) as u8;
        }
    }
}

/// Writes the colours of the rectangle `width` x `height` into `out` as [`PixelFormat::Rgb8`].
pub fn rgb(frame: &FrameView<'_>, map: &Homography, width: u32, height: u32, out: &mut Frame) {
    out.reshape(width, height, PixelFormat::Rgb8);
    out.meta = frame.meta;
    let (width, height) = (out.width(), out.height());
    let sampler = LuminanceSampler::new(frame);
    for (y, line) in (0..height).zip(out.data_mut().chunks_exact_mut(3 * width as usize)) {
        let row = map.along(f64::from(y) + 0.5);
        for (x, o) in (0..width).zip(line.chunks_exact_mut(3)) {
            let (fx, fy) = row.at(f64::from(x) + 0.5);
            let colour = match frame.format() {
                PixelFormat::Grey8 => [sampler.at(fx, fy); 3],
                PixelFormat::Yuyv => yuyv(frame, &sampler, fx, fy),
                PixelFormat::Rgb8 => rgb8(frame, fx, fy),
            };
            for (c, v) in o.iter_mut().zip(colour) {
                *c = (v + 0.5).clamp(0.0, 255.0) as u8;
            }
        }
    }
}

/// Writes a strip of the rectangle, `quad` in the rectangle's coordinates, into `out` of `width` x `height` pixels; each is the
/// mean of `sub` x `sub` samples, so that fine print does not alias when the strip is made smaller.
pub(crate) fn strip(
    frame: &FrameView<'_>,
    map: &Homography,
    quad: &Quad,
    (width, height): (usize, usize),
    sub: usize,
    out: &mut [f32],
) {
    // A strip of a rectangle is a parallelogram there; straight lines stay straight in the frame, so the corners are enough.
    let Some(map) = Homography::from_rectangle(
        (width * sub) as f32,
        (height * sub) as f32,
        &map.map_quad(quad),
    ) else {
        out.fill(0.0);
        return;
    };
    let sampler = LuminanceSampler::new(frame);
    let share = 1.0 / (sub * sub) as f32;
    for (y, line) in out.chunks_exact_mut(width).enumerate().take(height) {
        line.fill(0.0);
        for j in 0..sub {
            let row = map.along((y * sub + j) as f64 + 0.5);
            for (x, o) in line.iter_mut().enumerate() {
                for i in 0..sub {
                    let (fx, fy) = row.at((x * sub + i) as f64 + 0.5);
                    *o += sampler.at(fx, fy) * share;
                }
            }
        }
    }
}

/// Writes the whole frame, stretched to `width` x `height`, into `out` as R, G, B; each pixel is the mean of `sub` x `sub`
/// samples (nearest neighbour).
pub(crate) fn stretch(
    frame: &FrameView<'_>,
    (width, height): (usize, usize),
    sub: usize,
    out: &mut [u8],
) {
    let place = |i: usize, n: usize, size: u32| {
        // Below `size`, since i < n * sub.
        ((2 * i + 1) * size as usize / (2 * n * sub)) as u32
    };
    let n_samples = (sub * sub) as u32;
    for (y, line) in out.chunks_exact_mut(3 * width).enumerate().take(height) {
        for (x, o) in line.chunks_exact_mut(3).enumerate() {
            let mut sum = [0u32; 3];
            for j in 0..sub {
                let fy = place(y * sub + j, height, frame.height());
                for i in 0..sub {
                    let fx = place(x * sub + i, width, frame.width());
                    for (s, c) in sum.iter_mut().zip(colour(frame, fx, fy)) {
                        *s += u32::from(c);
                    }
                }
            }
            for (c, s) in o.iter_mut().zip(sum) {
                *c = ((s + n_samples / 2) / n_samples) as u8;
            }
        }
    }
}

/// Colour of one pixel (BT.601, full range).
fn colour(frame: &FrameView<'_>, x: u32, y: u32) -> [u8; 3] {
    let row = frame.row(y);
    let i = x as usize;
    match frame.format() {
        PixelFormat::Grey8 => [row[i]; 3],
        PixelFormat::Rgb8 => [row[3 * i], row[3 * i + 1], row[3 * i + 2]],
        PixelFormat::Yuyv => {
            let pair = i & !1;
            let (u, v) = (row[2 * pair + 1], row[2 * pair + 3]);
            to_rgb(f32::from(row[2 * i]), f32::from(u), f32::from(v))
                .map(|c| (c + 0.5).clamp(0.0, 255.0) as u8)
        }
    }
}

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
    frame: FrameView<'a>,
    last: (f32, f32),
}

impl<'a> LuminanceSampler<'a> {
    pub(crate) fn new(frame: &FrameView<'a>) -> Self {
        Self {
            frame: *frame,
            last: ((frame.width() - 1) as f32, (frame.height() - 1) as f32),
        }
    }

    /// Luminance 0.0..=255.0 at (`x`, `y`), bilinear; outside the frame the nearest edge pixel.
    pub(crate) fn at(&self, x: f32, y: f32) -> f32 {
        let ((x0, x1, fx), (y0, y1, fy)) = (between(x, self.last.0), between(y, self.last.1));
        let (stride, data) = (self.frame.stride(), self.frame.data());
        let (upper, lower) = (y0 * stride, y1 * stride);
        let four = match self.frame.format() {
            PixelFormat::Grey8 => [upper + x0, upper + x1, lower + x0, lower + x1].map(|i| data[i]),
            PixelFormat::Yuyv => [
                upper + 2 * x0,
                upper + 2 * x1,
                lower + 2 * x0,
                lower + 2 * x1,
            ]
            .map(|i| data[i]),
            PixelFormat::Rgb8 => [
                upper + 3 * x0,
                upper + 3 * x1,
                lower + 3 * x0,
                lower + 3 * x1,
            ]
            .map(|i| luminance::of_rgb(data[i], data[i + 1], data[i + 2])),
        };
        mix(four, fx, fy)
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

fn mix(four: [u8; 4], fx: f32, fy: f32) -> f32 {
    let [a, b, c, d] = four.map(f32::from);
    let upper = a + (b - a) * fx;
    let lower = c + (d - c) * fx;
    upper + (lower - upper) * fy
}

/// Colour between the pixels of a YUYV frame: luminance bilinear, chroma of the nearest pair (it has half the resolution).
fn yuyv(frame: &FrameView<'_>, sampler: &LuminanceSampler<'_>, x: f32, y: f32) -> [f32; 3] {
    let nearest = |p: f32, size: u32| (p.max(0.0) as u32).min(size - 1);
    let row = frame.row(nearest(y, frame.height()));
    let pair = (nearest(x, frame.width()) & !1) as usize;
    to_rgb(
        sampler.at(x, y),
        f32::from(row[2 * pair + 1]),
        f32::from(row[2 * pair + 3]),
    )
}

fn rgb8(frame: &FrameView<'_>, x: f32, y: f32) -> [f32; 3] {
    let (x0, x1, fx) = between(x, (frame.width() - 1) as f32);
    let (y0, y1, fy) = between(y, (frame.height() - 1) as f32);
    let (stride, data) = (frame.stride(), frame.data());
    [0, 1, 2].map(|c| {
        let at = |x: usize, y: usize| data[y * stride + 3 * x + c];
        mix([at(x0, y0), at(x1, y0), at(x0, y1), at(x1, y1)], fx, fy)
    })
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
