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

/// Four neighbouring pixels and a point between their middles.
#[derive(Clone, Copy)]
struct Cell {
    /// Column of the left pixels, at most the last but one.
    x: usize,
    /// Row of the upper pixels, at most the last but one.
    y: usize,
    /// Share of the right pixels, 0..=256.
    fx: u32,
    /// Share of the lower pixels, 0..=256.
    fy: u32,
}

impl<'a> Rows<'a> {
    fn new(frame: &FrameView<'a>) -> Self {
        // FrameView bounds both sides by 8192. A buffer whose places do not fit into 32 bits is no camera's; it is taken as a
        // frame without a cell, which is black.
        let (width, height) = match u32::try_from(frame.data().len()) {
            Ok(_) => (frame.width() as i32, frame.height() as i32),
            Err(_) => (0, 0),
        };
        Self {
            data: frame.data(),
            stride: frame.stride(),
            width,
            height,
        }
    }

    /// The cell of a point in 16.16, counted from the middle of the first pixel, that is known to lie in one (see [`columns`]).
    #[inline(always)]
    fn inner_cell(x: i32, y: i32) -> Cell {
        let (x, y) = (x as u32, y as u32);
        Cell {
            x: (x >> 16) as usize,
            y: (y >> 16) as usize,
            fx: (x >> 8) & 255,
            fy: (y >> 8) & 255,
        }
    }

    /// The cell of any point in 16.16, counted likewise; up to a pixel outside, the edge is repeated. `None` if the point is farther outside, or
    /// if the frame is too small to have a cell.
    fn cell(&self, x: i64, y: i64) -> Option<Cell> {
        let along = |at: i64, n: i32| match at >> 16 {
            _ if n < 2 => None,
            -1 => Some((0, 0)),
            cell if cell == i64::from(n) - 1 => Some((n as usize - 2, 256)),
            cell => (0..i64::from(n) - 1)
                .contains(&cell)
                .then_some((cell as usize, ((at >> 8) & 255) as u32)),
        };
        let ((x, fx), (y, fy)) = (along(x, self.width)?, along(y, self.height)?);
        Some(Cell { x, y, fx, fy })
    }
}

/// Four values and two fractions of 0..=256 -> value times 256.
#[inline(always)]
fn bilinear(v00: u8, v01: u8, v10: u8, v11: u8, fx: u32, fy: u32) -> u32 {
    let top = u32::from(v00) * (256 - fx) + u32::from(v01) * fx;
    let bottom = u32::from(v10) * (256 - fx) + u32::from(v11) * fx;
    (top * (256 - fy) + bottom * fy) >> 8
}

/// Four bytes as a number, the first one lowest; 0 beyond the end, which no cell of a frame reaches.
#[inline(always)]
fn word(data: &[u8], at: u32) -> u32 {
    // From 32 bits the end cannot overflow, which leaves one comparison.
    let at = at as usize;
    let bytes = data.get(at..at + 4).and_then(<[u8]>::first_chunk);
    bytes.map_or(0, |b| u32::from_le_bytes(*b))
}

/// Pixels that are converted together.
const BLOCK: usize = 64;

/// A channel of some pixels in a row.
type Plane = [i16; BLOCK];

/// A frame that can be sampled: three channels of its own colour space, which are averaged there and converted once.
trait Source {
    /// The channels of black.
    const BLACK: [i16; 3];
    /// The frame.
    fn rows(&self) -> &Rows<'_>;
    /// Channels times 256 at a point. `LEVEL`: the caller's next points lie in the same rows of the frame.
    fn blend<const LEVEL: bool>(&self, cell: Cell) -> [u32; 3];
    /// Channels (0..=255) of a block to R, G, B.
    fn rgb(channels: &[Plane; 3], rgb: &mut [[u8; BLOCK]; 3]);
}

struct Yuyv<'a>(Rows<'a>);

impl Source for Yuyv<'_> {
    const BLACK: [i16; 3] = [0, 128, 128];

    fn rows(&self) -> &Rows<'_> {
        &self.0
    }

    #[inline(always)]
    fn blend<const LEVEL: bool>(&self, Cell { x, y, fx, fy }: Cell) -> [u32; 3] {
        let Rows { data, stride, .. } = self.0;
        // Both pixels of a row come as one word, their luma in two lanes of 16 bits: 255 * 256 fits. A mean as
        // 256 a + (b - a) f needs one product; that b - a may be negative does not matter modulo 2^32.
        let luma = |at: u32| word(data, at) & 0x00ff_00ff;
        let mix = |a: u32, b: u32, f: u32| (a << 8).wrapping_add(b.wrapping_sub(a).wrapping_mul(f));
        let (x, y, stride) = (x as u32, y as u32, stride as u32);
        let row = y * stride;
        let at = row + x * 2;
        // A lower row of no weight is not fetched: of a frame 1280 wide the detector needs half the rows that way. Along sloping
        // rows that is too rare to be asked about.
        let below = if LEVEL && fy == 0 { at } else { at + stride };
        let column = mix(luma(at), luma(below), fy);
        let luma = mix(column & 0xffff, column >> 16, fx) >> 8;
        // Chroma has half the resolution: the macropixel that the point lies in.
        let row = if fy >= 128 { row + stride } else { row };
        let chroma = word(data, row + ((x + u32::from(fx >= 128)) >> 1) * 4);
        [luma, chroma & 0xff00, (chroma >> 24) << 8]
    }

    fn rgb([ys, us, vs]: &[Plane; 3], [r, g, b]: &mut [[u8; BLOCK]; 3]) {
        for i in 0..BLOCK {
            let (y, u, v) = (ys[i], us[i] - 128, vs[i] - 128);
            // The factors in units of 2^-16 less whole ones, so that products of 16 bits do: 91881 = 2^16 + 26345,
            // -46802 = -2^16 + 18734, 116130 = 2^17 - 14942.
            let (wide_u, wide_v) = (i32::from(u), i32::from(v));
            let rest = |product: i32| ((product + 0x8000) >> 16) as i16;
            let clamp = |c: i16| c.clamp(0, 255) as u8;
            r[i] = clamp(y + v + rest(26_345 * wide_v));
            g[i] = clamp(y - v + rest(18_734 * wide_v - 22_554 * wide_u));
            b[i] = clamp(y + 2 * u + rest(-14_942 * wide_u));
        }
    }
}

struct Rgb<'a>(Rows<'a>);

impl Source for Rgb<'_> {
    const BLACK: [i16; 3] = [0; 3];

    fn rows(&self) -> &Rows<'_> {
        &self.0
    }

    #[inline(always)]
    fn blend<const LEVEL: bool>(&self, Cell { x, y, fx, fy }: Cell) -> [u32; 3] {
        let top = y * self.0.stride + x * 3;
        let (row0, row1) = (
            &self.0.data[top..top + 6],
            &self.0.data[top + self.0.stride..top + self.0.stride + 6],
        );
        std::array::from_fn(|c| bilinear(row0[c], row0[c + 3], row1[c], row1[c + 3], fx, fy))
    }

    fn rgb(channels: &[Plane; 3], rgb: &mut [[u8; BLOCK]; 3]) {
        copy_bytes(channels, rgb);
    }
}

struct Grey<'a>(Rows<'a>);

impl Source for Grey<'_> {
    const BLACK: [i16; 3] = [0; 3];

    fn rows(&self) -> &Rows<'_> {
        &self.0
    }

    #[inline(always)]
    fn blend<const LEVEL: bool>(&self, Cell { x, y, fx, fy }: Cell) -> [u32; 3] {
        let top = y * self.0.stride + x;
        let (row0, row1) = (
            &self.0.data[top..top + 2],
            &self.0.data[top + self.0.stride..top + self.0.stride + 2],
        );
        [bilinear(row0[0], row0[1], row1[0], row1[1], fx, fy); 3]
    }

    fn rgb(channels: &[Plane; 3], rgb: &mut [[u8; BLOCK]; 3]) {
        copy_bytes(channels, rgb);
    }
}

/// Channels that are colours already.
fn copy_bytes(channels: &[Plane; 3], rgb: &mut [[u8; BLOCK]; 3]) {
    for (to, from) in rgb.iter_mut().flatten().zip(channels.iter().flatten()) {
        *to = (*from).clamp(0, 255) as u8;
    }
}

fn sample_source<S: Source>(
    source: &S,
    map: &Affine,
    target: Target<'_>,
    tensor: &mut TensorMut<'_>,
) {
    match (tensor, &target.lut.tables) {
        (TensorMut::I8(out, _), LutTables::I8(lut)) => with_taps(source, map, target, out, lut),
        (TensorMut::F32(out), LutTables::F32(lut)) => with_taps(source, map, target, out, lut),
        _ => debug_assert!(false, "tensor and table come from the same manifest"),
    }
}

/// Chooses how many points along each side of an output pixel are averaged.
fn with_taps<S: Source, T: Copy>(
    source: &S,
    map: &Affine,
    target: Target<'_>,
    out: &mut [T],
    lut: &[[T; 256]; 3],
) {
    match map.step() {
        s if s <= 2.0 => run::<S, T, 1>(source, map, target, out, lut),
        s if s <= 12.0 => run::<S, T, 2>(source, map, target, out, lut),
        _ => run::<S, T, 3>(source, map, target, out, lut),
    }
}

/// Most points that are averaged for one pixel.
const MAX_TAPS: usize = 9;

fn run<S: Source, T: Copy, const N: usize>(
    source: &S,
    map: &Affine,
    target: Target<'_>,
    out: &mut [T],
    lut: &[[T; 256]; 3],
) {
    let (width, height) = (target.width as usize, target.height as usize);
    let (colour, mut tile) = (target.lut.colour, target.tile);
    let n_channels = if colour == Colour::Grey { 1 } else { 3 };
    let n = width * height;
    if out.len() != n * n_channels || tile.as_ref().is_some_and(|t| t.len() != n * 3) {
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
            if outer.len() < to - from {
                for (plane, black) in channels.iter_mut().zip(S::BLACK) {
                    plane.fill(black);
                }
            }
            for x in (outer.start..inner.start).chain(inner.end..outer.end) {
                let values = mean_at_edge(source, start, step, x, taps);
                for (plane, value) in channels.iter_mut().zip(values) {
                    plane[x - from] = value;
                }
            }
            let planes = channels
                .each_mut()
                .map(|plane| &mut plane[inner.start - from..inner.end - from]);
            // Inside, no point is farther than the frame is wide: neither product nor sum can overflow.
            let at = inner.start as i32;
            let along = |start: i32, step: i32| start.wrapping_add(at.wrapping_mul(step));
            let first = (along(start.0, step.0), along(start.1, step.1));
            if step.1 == 0 {
                inside::<S, N, true>(source, first, step, taps, planes);
            } else {
                inside::<S, N, false>(source, first, step, taps, planes);
            }
            S::rgb(&channels, &mut rgb);
            let at = y * width + from..y * width + to;
            let out = &mut out[at.start * n_channels..at.end * n_channels];
            let tile = tile
                .as_deref_mut()
                .map(|t| &mut t[at.start * 3..at.end * 3]);
            match colour {
                Colour::Grey => {
                    let [r, g, b] = &rgb;
                    for (i, o) in out.iter_mut().enumerate().take(BLOCK) {
                        *o = lut[0][usize::from(luminance([r[i], g[i], b[i]]))];
                    }
                    interleave(&rgb, lut, [0, 1, 2], &mut [], tile);
                }
                Colour::Rgb => interleave(&rgb, lut, [0, 1, 2], out, tile),
                Colour::Bgr => interleave(&rgb, lut, [2, 1, 0], out, tile),
            }
        }
    }
}

/// The means of output pixels all of whose points lie in cells. `LEVEL`: along the row, points stay in their rows of the frame,
/// so that what depends on those alone is worked out once.
#[inline(always)]
fn inside<S: Source, const N: usize, const LEVEL: bool>(
    source: &S,
    (sx, sy): (i32, i32),
    step: (i32, i32),
    taps: &[(i32, i32)],
    [first, second, third]: [&mut [i16]; 3],
) {
    let n = 256 * (N * N) as u32;
    if let ([(ox, oy)], 1) = (taps, N) {
        let (mut x, mut y) = (sx.wrapping_add(*ox), sy.wrapping_add(*oy));
        for ((first, second), third) in first.iter_mut().zip(second).zip(third) {
            let c = source.blend::<LEVEL>(Rows::inner_cell(x, y));
            [*first, *second, *third] = c.map(|c| ((c + n / 2) / n) as i16);
            x = x.wrapping_add(step.0);
            if !LEVEL {
                y = y.wrapping_add(step.1);
            }
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
fn mean_at_edge<S: Source>(
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

/// Writes planes pixel by pixel: through the tables, in the given order of the channels, and as they are into the tile.
#[inline(always)]
fn interleave<T: Copy>(
    rgb: &[[u8; BLOCK]; 3],
    lut: &[[T; 256]; 3],
    order: [usize; 3],
    out: &mut [T],
    tile: Option<&mut [u8]>,
) {
    let [r, g, b] = rgb;
    let pixels = r.iter().zip(g).zip(b).map(|((r, g), b)| [*r, *g, *b]);
    let values = |p: [u8; 3]| {
        let ordered = order.map(|c| usize::from(p[c]));
        [lut[0][ordered[0]], lut[1][ordered[1]], lut[2][ordered[2]]]
    };
    let out = out.as_chunks_mut::<3>().0.iter_mut();
    match tile {
        Some(tile) if out.len() > 0 => {
            let tile = tile.as_chunks_mut::<3>().0.iter_mut();
            for ((to, copy), pixel) in out.zip(tile).zip(pixels) {
                (*to, *copy) = (values(pixel), pixel);
            }
        }
        Some(tile) => {
            for (copy, pixel) in tile.as_chunks_mut::<3>().0.iter_mut().zip(pixels) {
                *copy = pixel;
            }
        }
        None => {
            for (to, pixel) in out.zip(pixels) {
                *to = values(pixel);
            }
        }
    }
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

    /// Each pixel by itself, point by point with all questions asked, without blocks, ranges and levels.
    fn one_by_one(frame: &FrameView<'_>, map: &Affine, side: u32, n_taps: usize) -> Vec<f32> {
        let source = Yuyv(Rows::new(frame));
        let fixed = |v: f32| (v * 65536.0) as i32;
        let offset = |i: usize| (i as f32 + 0.5) / n_taps as f32 - 0.5;
        let taps: Vec<(i32, i32)> = (0..n_taps * n_taps)
            .map(|k| (offset(k % n_taps), offset(k / n_taps)))
            .map(|(u, v)| (map.a * u + map.b * v, map.d * u + map.e * v))
            .map(|(x, y)| (fixed(x) - 0x8000, fixed(y) - 0x8000))
            .collect();
        let mut all = Vec::new();
        for y in 0..side {
            let start = map.apply(Point::new(0.5, y as f32 + 0.5));
            let start = (fixed(start.x), fixed(start.y));
            for x in 0..side as usize {
                let step = (fixed(map.a), fixed(map.d));
                let channels = mean_at_edge(&source, start, step, x, &taps);
                let mut rgb = [[0; BLOCK]; 3];
                Yuyv::rgb(&channels.map(|c| [c; BLOCK]), &mut rgb);
                all.extend(rgb.map(|plane| f32::from(plane[0])));
            }
        }
        all
    }

    #[test]
    fn blocks_and_ranges_give_what_each_pixel_alone_would() {
        let data: Vec<u8> = (0..88 * 2 * 50u32)
            .map(|i| (i * i / 7 + i * 13) as u8)
            .collect();
        let frame = FrameView::new(&data, 88, 50, 176, PixelFormat::Yuyv, FrameMeta::default())
            .expect("a frame");
        let square = |x, y, px, angle, side| {
            let map = Affine::rotated_square(Point::new(x, y), px, angle, side);
            (map, side)
        };
        for (map, side) in [
            (Affine::letterbox(88, 50, 20), 20),
            (Affine::letterbox(88, 50, 130), 130),
            square(40.0, 25.0, 30.0, 0.3, 70),
            square(40.0, 25.0, 60.0, -2.0, 70),
            square(40.0, 25.0, 300.0, 0.1, 70),
            square(80.0, 48.0, 2000.0, 3.0, 70),
            square(-500.0, 25.0, 40.0, 0.2, 70),
        ] {
            let n_taps = match map.step() {
                s if s <= 2.0 => 1,
                s if s <= 12.0 => 2,
                _ => 3,
            };
            let expected = one_by_one(&frame, &map, side, n_taps);
            check(&frame, map, (side, side), &expected);
        }
    }

    #[test]
    fn a_frame_of_one_column_is_black() {
        let frame = FrameView::new(&[9; 4], 1, 4, 1, PixelFormat::Grey8, FrameMeta::default())
            .expect("a frame");
        check(&frame, SAME, (2, 2), &[0.0; 12]);
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
