//! From the camera's frame to a model's input in one pass: geometry, colour conversion, normalisation and quantization of each
//! output pixel happen together; nothing is allocated and no picture in between is made.
//!
//! Colours: YUYV is BT.601 full range, `R = Y + 1.402 V'`, `G = Y - 0.344136 U' - 0.714136 V'`, `B = Y + 1.772 U'` with
//! `U' = U - 128`, `V' = V - 128` (ITU-T T.871), in 16-bit fixed point.

use crate::base::frame::{FrameView, PixelFormat};
use crate::base::geometry::Point;
use crate::models::interpreter::LutTables;
use crate::models::manifest::Colour;
use crate::models::{PixelLut, TensorMut};

/// Maps a point of the output (pixels, the first pixel's middle at 0.5) to a point of the frame:
/// `x' = a x + b y + c`, `y' = d x + e y + f`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine {
    /// Of x to x'.
    pub a: f32,
    /// Of y to x'.
    pub b: f32,
    /// Shift of x'.
    pub c: f32,
    /// Of x to y'.
    pub d: f32,
    /// Of y to y'.
    pub e: f32,
    /// Shift of y'.
    pub f: f32,
}

impl Affine {
    /// The whole frame scaled by one factor into `side` x `side`, centred, with borders: the output-to-frame map.
    pub fn letterbox(width: u32, height: u32, side: u32) -> Self {
        let (w, h, side) = (width as f32, height as f32, side as f32);
        let step = w.max(h) / side;
        let (pad_x, pad_y) = ((side - w / step) / 2.0, (side - h / step) / 2.0);
        Self {
            a: step,
            b: 0.0,
            c: -pad_x * step,
            d: 0.0,
            e: step,
            f: -pad_y * step,
        }
    }

    /// A square of `side_px` frame pixels around `centre`, turned by `angle` (radians, clockwise on the screen), as `side` x
    /// `side` output pixels.
    pub fn rotated_square(centre: Point, side_px: f32, angle: f32, side: u32) -> Self {
        let step = side_px / side as f32;
        let (sin, cos) = angle.sin_cos();
        let half = side as f32 / 2.0;
        let (a, b, d, e) = (step * cos, -step * sin, step * sin, step * cos);
        Self {
            a,
            b,
            c: centre.x - (a + b) * half,
            d,
            e,
            f: centre.y - (d + e) * half,
        }
    }

    /// Where a point of the output lies in the frame.
    pub fn apply(&self, p: Point) -> Point {
        Point::new(
            self.a * p.x + self.b * p.y + self.c,
            self.d * p.x + self.e * p.y + self.f,
        )
    }

    /// Frame pixels per output pixel.
    pub fn step(&self) -> f32 {
        (self.a * self.e - self.b * self.d).abs().sqrt()
    }
}

/// Where the pixels go: a tensor through a table, and optionally an RGB tile for photometry.
pub struct Target<'a> {
    /// Width of the output.
    pub width: u32,
    /// Height of the output.
    pub height: u32,
    /// Pixel -> value, and the order of the channels.
    pub lut: &'a PixelLut,
    /// `width * height * 3` bytes R G B, if wanted.
    pub tile: Option<&'a mut [u8]>,
}

impl std::fmt::Debug for Target<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Target({}x{} {:?})",
            self.width, self.height, self.lut.colour
        )
    }
}

/// Samples `frame` through `map` into a tensor of `height * width * 3` (or 1 for grey) elements. Where the map leaves the
/// frame, black is written. Where the frame is shrunk by more than two, several points an output pixel are averaged.
///
/// A tensor or tile of another size, or of another type than the table, is left as it is: both come from the same manifest.
pub fn sample(frame: &FrameView<'_>, map: &Affine, target: Target<'_>, tensor: &mut TensorMut<'_>) {
    match frame.format() {
        PixelFormat::Yuyv => sample_source(&Yuyv(Rows::new(frame)), map, target, tensor),
        PixelFormat::Rgb8 => sample_source(&Rgb(Rows::new(frame)), map, target, tensor),
        PixelFormat::Grey8 => sample_source(&Grey(Rows::new(frame)), map, target, tensor),
    }
}

/// The rows of a frame.
struct Rows<'a> {
    data: &'a [u8],
    stride: usize,
    width: i32,
    height: i32,
}

impl<'a> Rows<'a> {
    fn new(frame: &FrameView<'a>) -> Self {
        // FrameView bounds both sides by 8192.
        let (width, height) = (frame.width() as i32, frame.height() as i32);
        Self {
            data: frame.data(),
            stride: frame.stride(),
            width,
            height,
        }
    }

    /// Splits a 16.16 coordinate pair into cell and fractions (8 bits), clamped so that the cell to the right and below
    /// exists. `None` if the point is outside.
    #[inline(always)]
    fn cell(&self, x: i32, y: i32) -> Option<(usize, usize, i32, i32)> {
        // Middles of pixels lie at .5: shift by half a pixel to get the cell between four middles.
        let (x, y) = (x - 0x8000, y - 0x8000);
        let (mut cx, mut cy, mut fx, mut fy) = (x >> 16, y >> 16, (x >> 8) & 255, (y >> 8) & 255);
        if cx < 0 || cx >= self.width - 1 {
            if cx < -1 || cx > self.width - 1 {
                return None;
            }
            (cx, fx) = if cx < 0 {
                (0, 0)
            } else {
                (self.width - 2, 256)
            };
        }
        if cy < 0 || cy >= self.height - 1 {
            if cy < -1 || cy > self.height - 1 {
                return None;
            }
            (cy, fy) = if cy < 0 {
                (0, 0)
            } else {
                (self.height - 2, 256)
            };
        }
        Some((cx as usize, cy as usize, fx, fy))
    }
}

/// Four values and two fractions of 0..=256 -> value times 256.
#[inline(always)]
fn bilinear(v00: u8, v01: u8, v10: u8, v11: u8, fx: i32, fy: i32) -> i32 {
    let top = i32::from(v00) * (256 - fx) + i32::from(v01) * fx;
    let bottom = i32::from(v10) * (256 - fx) + i32::from(v11) * fx;
    (top * (256 - fy) + bottom * fy) >> 8
}

/// A frame that can be sampled: three channels of its own colour space, which are averaged there and converted once.
trait Source {
    /// Channels times 256 at a point in 16.16; `None` outside.
    fn at(&self, x: i32, y: i32) -> Option<[i32; 3]>;
    /// Channels (0..=255) to R, G, B.
    fn rgb(channels: [i32; 3]) -> [u8; 3];
}

struct Yuyv<'a>(Rows<'a>);

impl Source for Yuyv<'_> {
    #[inline(always)]
    fn at(&self, x: i32, y: i32) -> Option<[i32; 3]> {
        let (cx, cy, fx, fy) = self.0.cell(x, y)?;
        let top = cy * self.0.stride;
        let (row0, row1) = (&self.0.data[top..], &self.0.data[top + self.0.stride..]);
        let at = cx * 2;
        let luma = bilinear(row0[at], row0[at + 2], row1[at], row1[at + 2], fx, fy);
        // Chroma has half the resolution: the macropixel that the point lies in.
        let chroma = ((cx + usize::from(fx >= 128)) >> 1) * 4;
        let row = if fy < 128 { row0 } else { row1 };
        Some([
            luma,
            i32::from(row[chroma + 1]) << 8,
            i32::from(row[chroma + 3]) << 8,
        ])
    }

    #[inline(always)]
    fn rgb([y, u, v]: [i32; 3]) -> [u8; 3] {
        let (u, v) = (u - 128, v - 128);
        let y = (y << 16) + 0x8000;
        let clamp = |c: i32| (c >> 16).clamp(0, 255) as u8;
        [
            clamp(y + 91_881 * v),
            clamp(y - 22_554 * u - 46_802 * v),
            clamp(y + 116_130 * u),
        ]
    }
}

struct Rgb<'a>(Rows<'a>);

impl Source for Rgb<'_> {
    #[inline(always)]
    fn at(&self, x: i32, y: i32) -> Option<[i32; 3]> {
        let (cx, cy, fx, fy) = self.0.cell(x, y)?;
        let top = cy * self.0.stride + cx * 3;
        let (row0, row1) = (
            &self.0.data[top..top + 6],
            &self.0.data[top + self.0.stride..top + self.0.stride + 6],
        );
        Some(std::array::from_fn(|c| {
            bilinear(row0[c], row0[c + 3], row1[c], row1[c + 3], fx, fy)
        }))
    }

    #[inline(always)]
    fn rgb(channels: [i32; 3]) -> [u8; 3] {
        channels.map(|c| c.clamp(0, 255) as u8)
    }
}

struct Grey<'a>(Rows<'a>);

impl Source for Grey<'_> {
    #[inline(always)]
    fn at(&self, x: i32, y: i32) -> Option<[i32; 3]> {
        let (cx, cy, fx, fy) = self.0.cell(x, y)?;
        let top = cy * self.0.stride + cx;
        let (row0, row1) = (
            &self.0.data[top..top + 2],
            &self.0.data[top + self.0.stride..top + self.0.stride + 2],
        );
        Some([bilinear(row0[0], row0[1], row1[0], row1[1], fx, fy); 3])
    }

    #[inline(always)]
    fn rgb(channels: [i32; 3]) -> [u8; 3] {
        channels.map(|c| c.clamp(0, 255) as u8)
    }
}

fn sample_source<S: Source>(
    source: &S,
    map: &Affine,
    target: Target<'_>,
    tensor: &mut TensorMut<'_>,
) {
    match (tensor, &target.lut.tables) {
        (TensorMut::I8(out, _), LutTables::I8(lut)) => {
            run(source, map, target.shape(), target.tile, out, lut)
        }
        (TensorMut::F32(out), LutTables::F32(lut)) => {
            run(source, map, target.shape(), target.tile, out, lut)
        }
        _ => debug_assert!(false, "tensor and table come from the same manifest"),
    }
}

impl Target<'_> {
    fn shape(&self) -> (u32, u32, Colour) {
        (self.width, self.height, self.lut.colour)
    }
}

/// How many points along each side of an output pixel are averaged.
fn taps(step: f32) -> i32 {
    match step {
        s if s <= 2.0 => 1,
        s if s <= 12.0 => 2,
        _ => 3,
    }
}

fn run<S: Source, T: Copy>(
    source: &S,
    map: &Affine,
    (width, height, colour): (u32, u32, Colour),
    mut tile: Option<&mut [u8]>,
    out: &mut [T],
    lut: &[[T; 256]; 3],
) {
    let n_channels = if colour == Colour::Grey { 1 } else { 3 };
    let n = width as usize * height as usize;
    if out.len() != n * n_channels || tile.as_ref().is_some_and(|t| t.len() != n * 3) {
        debug_assert!(false, "tensor and tile have the size of the output");
        return;
    }
    let fixed = |v: f32| (v * 65536.0) as i32;
    let n_taps = taps(map.step());
    let offset = |i: i32| (i as f32 + 0.5) / n_taps as f32 - 0.5;
    for y in 0..height {
        let start = map.apply(Point::new(0.5, y as f32 + 0.5));
        let (mut sx, mut sy) = (fixed(start.x), fixed(start.y));
        let (dx, dy) = (fixed(map.a), fixed(map.d));
        for x in 0..width {
            let channels = if n_taps == 1 {
                source.at(sx, sy).map(|c| c.map(|v| (v + 128) >> 8))
            } else {
                average(source, (sx, sy), map, n_taps, &offset)
            };
            let rgb = channels.map_or([0; 3], S::rgb);
            let at = y as usize * width as usize + x as usize;
            match colour {
                Colour::Grey => out[at] = lut[0][usize::from(luminance(rgb))],
                _ => {
                    let [first, second, third] = if colour == Colour::Rgb {
                        rgb
                    } else {
                        [rgb[2], rgb[1], rgb[0]]
                    };
                    let values = [
                        lut[0][usize::from(first)],
                        lut[1][usize::from(second)],
                        lut[2][usize::from(third)],
                    ];
                    out[at * 3..at * 3 + 3].copy_from_slice(&values);
                }
            }
            if let Some(tile) = tile.as_deref_mut() {
                tile[at * 3..at * 3 + 3].copy_from_slice(&rgb);
            }
            (sx, sy) = (sx + dx, sy + dy);
        }
    }
}

#[inline(always)]
fn average<S: Source>(
    source: &S,
    (sx, sy): (i32, i32),
    map: &Affine,
    n_taps: i32,
    offset: &impl Fn(i32) -> f32,
) -> Option<[i32; 3]> {
    let (mut sum, mut n) = ([0i32; 3], 0);
    for j in 0..n_taps {
        for i in 0..n_taps {
            let (u, v) = (offset(i), offset(j));
            let (ox, oy) = (map.a * u + map.b * v, map.d * u + map.e * v);
            if let Some(c) = source.at(sx + (ox * 65536.0) as i32, sy + (oy * 65536.0) as i32) {
                sum = std::array::from_fn(|k| sum[k] + c[k]);
                n += 256;
            }
        }
    }
    (n > 0).then(|| sum.map(|s| (s + n / 2) / n))
}

/// Luminance of a colour by BT.601, 0..=255.
#[inline(always)]
pub fn luminance([r, g, b]: [u8; 3]) -> u8 {
    ((u32::from(r) * 77 + u32::from(g) * 150 + u32::from(b) * 29 + 128) >> 8) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::frame::FrameMeta;

    fn identity_lut() -> PixelLut {
        let table = std::array::from_fn(|p| p as f32);
        PixelLut {
            colour: Colour::Rgb,
            tables: LutTables::F32(Box::new([table; 3])),
        }
    }

    fn check(frame: &FrameView<'_>, map: Affine, size: (u32, u32), expected: &[f32]) {
        let lut = identity_lut();
        let mut out = vec![-1.0; size.0 as usize * size.1 as usize * 3];
        let target = Target {
            width: size.0,
            height: size.1,
            lut: &lut,
            tile: None,
        };
        sample(frame, &map, target, &mut TensorMut::F32(&mut out));
        assert_eq!(out, expected);
    }

    const SAME: Affine = Affine {
        a: 1.0,
        b: 0.0,
        c: 0.0,
        d: 0.0,
        e: 1.0,
        f: 0.0,
    };

    #[test]
    fn rgb_is_copied_where_the_map_is_the_identity_and_black_outside() {
        let data: Vec<u8> = (1..=12).collect();
        let frame = FrameView::new(&data, 2, 2, 6, PixelFormat::Rgb8, FrameMeta::default())
            .expect("a frame");
        let expected: Vec<f32> = (1..=12u8).map(f32::from).collect();
        check(&frame, SAME, (2, 2), &expected);
        check(&frame, Affine { c: 5.0, ..SAME }, (2, 2), &[0.0; 12]);
    }

    #[test]
    fn yuyv_is_converted_by_bt601_full_range() {
        // Two macropixels of the primaries red and blue as T.871 codes them, four equal rows.
        let row = [76, 85, 76, 255, 29, 255, 29, 107];
        let data: Vec<u8> = row.repeat(2);
        let frame = FrameView::new(&data, 4, 2, 8, PixelFormat::Yuyv, FrameMeta::default())
            .expect("a frame");
        let red = [254.0, 0.0, 0.0];
        let blue = [0.0, 0.0, 254.0];
        check(&frame, SAME, (4, 1), &[red, red, blue, blue].concat());
    }

    #[test]
    fn shrinking_averages() {
        let data: Vec<u8> = (0..16u8)
            .map(|i| if (i + i / 4) % 2 == 0 { 0 } else { 200 })
            .collect();
        let frame = FrameView::new(&data, 4, 4, 4, PixelFormat::Grey8, FrameMeta::default())
            .expect("a frame");
        let map = Affine {
            a: 4.0,
            e: 4.0,
            ..SAME
        };
        check(&frame, map, (1, 1), &[100.0; 3]);
    }

    #[test]
    fn letterbox_and_turned_square_put_points_where_they_belong() {
        let map = Affine::letterbox(1280, 720, 128);
        let middle = map.apply(Point::new(64.0, 64.0));
        assert!(
            middle.distance(Point::new(640.0, 360.0)) < 1e-3,
            "{middle:?}"
        );
        let map = Affine::rotated_square(
            Point::new(100.0, 50.0),
            20.0,
            std::f32::consts::FRAC_PI_2,
            10,
        );
        let right = map.apply(Point::new(10.0, 5.0));
        assert!(right.distance(Point::new(100.0, 60.0)) < 1e-3, "{right:?}");
    }
}
