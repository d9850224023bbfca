//! From the camera's frame to a model's input in one pass: geometry, colour conversion, normalisation and quantization of each
//! output pixel happen together; nothing is allocated and no picture in between is made.
//!
//! Colours: YUYV is BT.601 full range, `R = Y + 1.402 V'`, `G = Y - 0.344136 U' - 0.714136 V'`, `B = Y + 1.772 U'` with
//! `U' = U - 128`, `V' = V - 128` (ITU-T T.871), in 16-bit fixed point.

mod source;
mod tile;
#[cfg(target_arch = "x86_64")]
mod wide;

pub use tile::Tile;

use self::source::{BLOCK, Grey, Rgb, Rows, Source, Yuyv};
use crate::base::frame::{FrameView, PixelFormat};
use crate::base::geometry::Point;
use crate::models::interpreter::LutTables;
use crate::models::manifest::Colour;
use crate::models::{PixelLut, TensorMut};
use std::ops::Range;

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

/// Where the pixels go: a tensor through a table, and optionally a tile for photometry.
pub struct Target<'a> {
    /// Width of the output.
    pub width: u32,
    /// Height of the output.
    pub height: u32,
    /// Pixel -> value, and the order of the channels.
    pub lut: &'a PixelLut,
    /// Of the size of the output, if wanted.
    pub tile: Option<&'a mut Tile>,
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
/// frame, black is written. Where the frame is shrunk by more than two, several points an output pixel are averaged; where it is
/// shrunk by more than four, each of them is the nearest pixel.
///
/// A tensor or tile of another size, or of another type than the table, is left as it is: both come from the same manifest.
pub fn sample(frame: &FrameView<'_>, map: &Affine, target: Target<'_>, tensor: &mut TensorMut<'_>) {
    #[cfg(target_arch = "x86_64")]
    wide::sample(frame, map, target, tensor);
    #[cfg(not(target_arch = "x86_64"))]
    sample_here(frame, map, target, tensor);
}

#[inline(always)]
fn sample_here(
    frame: &FrameView<'_>,
    map: &Affine,
    target: Target<'_>,
    tensor: &mut TensorMut<'_>,
) {
    match frame.format() {
        PixelFormat::Yuyv => sample_source(&Yuyv(Rows::new(frame)), map, target, tensor),
        PixelFormat::Rgb8 => sample_source(&Rgb(Rows::new(frame)), map, target, tensor),
        PixelFormat::Grey8 => sample_source(&Grey(Rows::new(frame)), map, target, tensor),
    }
}

#[inline(always)]
fn sample_source<S: Source>(
    source: &S,
    map: &Affine,
    target: Target<'_>,
    tensor: &mut TensorMut<'_>,
) {
    match (tensor, &target.lut.tables) {
        (TensorMut::I8(out, _), LutTables::Shifted) => with_taps(source, map, target, out, &Shift),
        (TensorMut::I8(out, _), LutTables::I8(lut)) => {
            with_taps(source, map, target, out, &Tables(lut));
        }
        (TensorMut::F32(out), LutTables::F32(lut)) => {
            with_taps(source, map, target, out, &Tables(lut));
        }
        _ => debug_assert!(false, "tensor and table come from the same manifest"),
    }
}

/// From a pixel's byte to the tensor's value, for each channel in the order of the tensor.
trait ToValue<T> {
    /// The value of a byte.
    fn value(&self, channel: usize, byte: u8) -> T;
}

/// By look-up.
struct Tables<'a, T>(&'a [[T; 256]; 3]);

impl<T: Copy> ToValue<T> for Tables<'_, T> {
    #[inline(always)]
    fn value(&self, channel: usize, byte: u8) -> T {
        self.0[channel][usize::from(byte)]
    }
}

/// Less 128.
struct Shift;

impl ToValue<i8> for Shift {
    #[inline(always)]
    fn value(&self, _: usize, byte: u8) -> i8 {
        (byte ^ 0x80) as i8
    }
}

/// Chooses how many points along each side of an output pixel are averaged, and whether each lies between pixels or on the
/// nearest one: among points that are two pixels apart or more, what lies between neighbours makes no difference.
#[inline(always)]
fn with_taps<S: Source, T: Copy, V: ToValue<T>>(
    source: &S,
    map: &Affine,
    target: Target<'_>,
    out: &mut [T],
    lut: &V,
) {
    match map.step() {
        s if s <= 2.0 => run::<S, T, V, 1, false>(source, map, target, out, lut),
        s if s <= 4.0 => run::<S, T, V, 2, false>(source, map, target, out, lut),
        s if s <= 12.0 => run::<S, T, V, 2, true>(source, map, target, out, lut),
        _ => run::<S, T, V, 3, true>(source, map, target, out, lut),
    }
}

/// Most points that are averaged for one pixel.
const MAX_TAPS: usize = 9;

#[inline(always)]
fn run<S: Source, T: Copy, V: ToValue<T>, const N: usize, const NEAREST: bool>(
    source: &S,
    map: &Affine,
    target: Target<'_>,
    out: &mut [T],
    lut: &V,
) {
    let (width, height) = (target.width as usize, target.height as usize);
    let (colour, mut tile) = (target.lut.colour, target.tile);
    let n_channels = if colour == Colour::Grey { 1 } else { 3 };
    let n = width * height;
    if out.len() != n * n_channels || tile.as_ref().is_some_and(|t| t.luma.len() != n) {
        debug_assert!(false, "tensor and tile have the size of the output");
        return;
    }
    let fixed = |v: f32| (v * 65536.0) as i32;
    let offset = |i: usize| (i as f32 + 0.5) / N as f32 - 0.5;
    // Middles of pixels lie at .5: half a pixel less gives the cell between four middles.
    let mut taps = [(0, 0); MAX_TAPS];
    for (k, tap) in taps[..N * N].iter_mut().enumerate() {
        let (u, v) = (offset(k % N), offset(k / N));
        *tap = (
            fixed(map.a * u + map.b * v).saturating_sub(0x8000),
            fixed(map.d * u + map.e * v).saturating_sub(0x8000),
        );
    }
    let taps = &taps[..N * N];
    let step = (fixed(map.a), fixed(map.d));
    let mut channels = [[0i16; BLOCK]; 3];
    let mut rgb = [[0u8; BLOCK]; 3];
    for y in 0..height {
        let start = map.apply(Point::new(0.5, y as f32 + 0.5));
        let start = (fixed(start.x), fixed(start.y));
        let (inner, outer) = columns(source.rows(), start, step, taps, width);
        for from in (0..width).step_by(BLOCK) {
            let to = (from + BLOCK).min(width);
            let here = |r: &Range<usize>| r.start.clamp(from, to)..r.end.clamp(from, to);
            let (inner, outer) = (here(&inner), here(&outer));
            let at = y * width + from..y * width + to;
            let out = &mut out[at.start * n_channels..at.end * n_channels];
            if outer.is_empty() {
                black(lut, n_channels, out);
                if let Some(tile) = tile.as_deref_mut() {
                    tile.put_black(at);
                }
                continue;
            }
            if outer.len() < to - from {
                for (plane, black) in channels.iter_mut().zip(S::BLACK) {
                    plane.fill(black);
                }
            }
            for x in (outer.start..inner.start).chain(inner.end..outer.end) {
                let values = mean_at_edge::<S, NEAREST>(source, start, step, x, taps);
                for (plane, value) in channels.iter_mut().zip(values) {
                    plane[x - from] = value;
                }
            }
            let planes = channels
                .each_mut()
                .map(|plane| &mut plane[inner.start - from..inner.end - from]);
            // Inside, no point is farther than the frame is wide: neither product nor sum can overflow.
            let column = inner.start as i32;
            let along = |start: i32, step: i32| start.wrapping_add(column.wrapping_mul(step));
            let first = (along(start.0, step.0), along(start.1, step.1));
            let odd = inner.start % 2 == 1;
            if NEAREST {
                inside_nearest::<S, N>(source, first, step, taps, planes);
            } else if step.1 == 0 {
                inside::<S, N, true>(source, first, step, taps, odd, planes);
            } else {
                inside::<S, N, false>(source, first, step, taps, odd, planes);
            }
            S::rgb(&channels, &mut rgb);
            if let Some(tile) = tile.as_deref_mut() {
                tile.put(at, &rgb);
            }
            match colour {
                Colour::Grey => {
                    let [r, g, b] = &rgb;
                    for (i, o) in out.iter_mut().enumerate().take(BLOCK) {
                        *o = lut.value(0, luminance([r[i], g[i], b[i]]));
                    }
                }
                Colour::Rgb => interleave(&rgb, lut, [0, 1, 2], out),
                Colour::Bgr => interleave(&rgb, lut, [2, 1, 0], out),
            }
        }
    }
}

/// The means of output pixels all of whose points lie in cells. `LEVEL`: along the row, points stay in their rows of the frame,
/// so that what depends on those alone is worked out once. `odd`: the first pixel stands in an odd column of the output.
#[inline(always)]
fn inside<S: Source, const N: usize, const LEVEL: bool>(
    source: &S,
    (sx, sy): (i32, i32),
    step: (i32, i32),
    taps: &[(i32, i32)],
    odd: bool,
    [first, second, third]: [&mut [i16]; 3],
) {
    let n = 256 * (N * N) as u32;
    if let ([(ox, oy)], 1) = (taps, N) {
        let (sx, sy) = (sx.wrapping_add(*ox), sy.wrapping_add(*oy));
        let cell = |i: usize| {
            let along = |s: i32, step: i32| s.wrapping_add((i as i32).wrapping_mul(step));
            let y = if LEVEL { sy } else { along(sy, step.1) };
            Rows::inner_cell(along(sx, step.0), y)
        };
        let whole = |c: [u32; 3]| c.map(|c| ((c + n / 2) / n) as i16);
        let len = first.len().min(second.len()).min(third.len());
        let (first, second, third) = (&mut first[..len], &mut second[..len], &mut third[..len]);
        let mut put = |i: usize, c: [i16; 3]| [first[i], second[i], third[i]] = c;
        // Pairs begin at even columns of the output.
        let lead = usize::from(odd).min(len);
        if lead == 1 {
            put(0, whole(source.blend::<LEVEL>(cell(0))));
        }
        let mut i = lead;
        while i + 1 < len {
            let [a, b] = source.blend_pair::<LEVEL>(cell(i), cell(i + 1));
            put(i, whole(a));
            put(i + 1, whole(b));
            i += 2;
        }
        if i < len {
            put(i, whole(source.blend::<LEVEL>(cell(i))));
        }
        return;
    }
    // Point by point rather than pixel by pixel: what one point of all pixels needs stays in registers.
    let mut sums = [[n / 2; 3]; BLOCK];
    let sums = &mut sums[..first.len().min(BLOCK)];
    for (ox, oy) in &taps[..N * N] {
        let (mut x, mut y) = (sx.wrapping_add(*ox), sy.wrapping_add(*oy));
        for sum in sums.iter_mut() {
            let c = source.blend::<LEVEL>(Rows::inner_cell(x, y));
            for (s, c) in sum.iter_mut().zip(c) {
                *s += c;
            }
            x = x.wrapping_add(step.0);
            if !LEVEL {
                y = y.wrapping_add(step.1);
            }
        }
    }
    let planes = first.iter_mut().zip(second).zip(third);
    for (((first, second), third), sum) in planes.zip(sums) {
        [*first, *second, *third] = sum.map(|s| (s / n) as i16);
    }
}

/// As [`inside`], each point on its nearest pixel.
#[inline(always)]
fn inside_nearest<S: Source, const N: usize>(
    source: &S,
    (sx, sy): (i32, i32),
    step: (i32, i32),
    taps: &[(i32, i32)],
    [first, second, third]: [&mut [i16]; 3],
) {
    let n = (N * N) as u32;
    // Half a pixel more, so that the whole part is the nearest.
    let (mut x, mut y) = (sx.wrapping_add(0x8000), sy.wrapping_add(0x8000));
    for ((first, second), third) in first.iter_mut().zip(second).zip(third) {
        let mut sum = [n / 2; 3];
        for (ox, oy) in &taps[..N * N] {
            let (x, y) = (x.wrapping_add(*ox) as u32, y.wrapping_add(*oy) as u32);
            let c = source.pixel(x >> 16, y >> 16);
            sum = std::array::from_fn(|k| sum[k] + c[k]);
        }
        [*first, *second, *third] = sum.map(|s| (s / n) as i16);
        x = x.wrapping_add(step.0);
        y = y.wrapping_add(step.1);
    }
}

/// The columns of an output row all of whose points lie in cells, so that none of them has to be looked at for that; and those
/// that may have a point less than a pixel outside. The first range lies in the second.
fn columns(
    rows: &Rows<'_>,
    start: (i32, i32),
    step: (i32, i32),
    taps: &[(i32, i32)],
    width: usize,
) -> (Range<usize>, Range<usize>) {
    let (mut inner, mut outer) = ((0, width as i64), (0, width as i64));
    let xs = (
        start.0,
        step.0,
        rows.width,
        taps.iter().map(|t| t.0).min(),
        taps.iter().map(|t| t.0).max(),
    );
    let ys = (
        start.1,
        step.1,
        rows.height,
        taps.iter().map(|t| t.1).min(),
        taps.iter().map(|t| t.1).max(),
    );
    for (start, step, n, least, most) in [xs, ys] {
        let (start, step) = (i64::from(start), i64::from(step));
        let (least, most) = (i64::from(least.unwrap_or(0)), i64::from(most.unwrap_or(0)));
        let last = (i64::from(n - 1) << 16) - 1;
        narrow(&mut inner, start, step, (-least, last - most));
        narrow(
            &mut outer,
            start,
            step,
            (-0x1_0000 - most, last + 0x1_0000 - least),
        );
    }
    let range = |(from, to): (i64, i64)| {
        if from < to {
            from as usize..to as usize
        } else {
            0..0
        }
    };
    let (inner, outer) = (range(inner), range(outer));
    if inner.is_empty() {
        // Where the loop over the inner columns stands does not matter, but it must be inside the outer ones.
        return (outer.end..outer.end, outer);
    }
    (inner, outer)
}

/// Narrows a range of x, end excluded, to where `low <= start + x * step <= high`.
fn narrow(range: &mut (i64, i64), start: i64, step: i64, (low, high): (i64, i64)) {
    let (from, to) = match step {
        0 if (low..=high).contains(&start) => return,
        0 => (0, 0),
        1.. => (
            -(start - low).div_euclid(step),
            (high - start).div_euclid(step) + 1,
        ),
        _ => (
            -(high - start).div_euclid(-step),
            (start - low).div_euclid(-step) + 1,
        ),
    };
    *range = (range.0.max(from), range.1.min(to));
}

/// The mean of the points of an output pixel that lie in the frame; black if none does.
#[inline(never)]
fn mean_at_edge<S: Source, const NEAREST: bool>(
    source: &S,
    start: (i32, i32),
    step: (i32, i32),
    x: usize,
    taps: &[(i32, i32)],
) -> [i16; 3] {
    let (mut sum, mut n) = ([0u32; 3], 0);
    let along = |start: i32, step: i32| i64::from(start) + x as i64 * i64::from(step);
    let (sx, sy) = (along(start.0, step.0), along(start.1, step.1));
    for (ox, oy) in taps {
        let cell = source.rows().cell(sx + i64::from(*ox), sy + i64::from(*oy));
        if let Some(cell) = cell {
            let cell = if NEAREST { cell.nearest() } else { cell };
            let c = source.blend::<false>(cell);
            sum = std::array::from_fn(|k| sum[k] + c[k]);
            n += 256;
        }
    }
    if n == 0 {
        return S::BLACK;
    }
    sum.map(|s| ((s + n / 2) / n) as i16)
}

/// Writes black pixels.
fn black<T, V: ToValue<T>>(lut: &V, n_channels: usize, out: &mut [T]) {
    for pixel in out.chunks_exact_mut(n_channels) {
        for (channel, value) in pixel.iter_mut().enumerate() {
            *value = lut.value(channel, 0);
        }
    }
}

/// Writes planes pixel by pixel as values, in the given order of the channels.
#[inline(always)]
fn interleave<T: Copy, V: ToValue<T>>(
    rgb: &[[u8; BLOCK]; 3],
    lut: &V,
    order: [usize; 3],
    out: &mut [T],
) {
    let [a, b, c] = order.map(|channel| &rgb[channel]);
    let pixels = a.iter().zip(b).zip(c);
    for (to, ((a, b), c)) in out.as_chunks_mut::<3>().0.iter_mut().zip(pixels) {
        *to = [lut.value(0, *a), lut.value(1, *b), lut.value(2, *c)];
    }
}

/// Luminance of a colour by BT.601, 0..=255.
#[inline(always)]
pub fn luminance([r, g, b]: [u8; 3]) -> u8 {
    ((u32::from(r) * 77 + u32::from(g) * 150 + u32::from(b) * 29 + 128) >> 8) as u8
}

#[cfg(test)]
mod tests;
