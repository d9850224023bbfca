//! Pixels of the camera's formats: fetched, averaged in their own colour space, converted in blocks.

use crate::base::frame::FrameView;

/// The rows of a frame.
pub(super) struct Rows<'a> {
    data: &'a [u8],
    stride: usize,
    pub(super) width: i32,
    pub(super) height: i32,
}

/// Four neighbouring pixels and a point between their middles.
#[derive(Clone, Copy)]
pub(super) struct Cell {
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
    pub(super) fn new(frame: &FrameView<'a>) -> Self {
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
    pub(super) fn inner_cell(x: i32, y: i32) -> Cell {
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
    pub(super) fn cell(&self, x: i64, y: i64) -> Option<Cell> {
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

impl Cell {
    /// The same cell with its point moved to the nearest of the four pixels.
    #[inline(always)]
    pub(super) fn nearest(self) -> Self {
        let whole = |f: u32| if f >= 128 { 256 } else { 0 };
        Self {
            fx: whole(self.fx),
            fy: whole(self.fy),
            ..self
        }
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
pub(super) const BLOCK: usize = 64;

/// A channel of some pixels in a row.
pub(super) type Plane = [i16; BLOCK];

/// A frame that can be sampled: three channels of its own colour space, which are averaged there and converted once.
pub(super) trait Source {
    /// The channels of black.
    const BLACK: [i16; 3];
    /// The frame.
    fn rows(&self) -> &Rows<'_>;
    /// Channels times 256 at a point. `LEVEL`: the caller's next points lie in the same rows of the frame.
    fn blend<const LEVEL: bool>(&self, cell: Cell) -> [u32; 3];
    /// Channels times 256 at the points of two neighbouring output pixels, at most two frame pixels apart. What a frame has at
    /// half the resolution is taken at the first point for both.
    #[inline(always)]
    fn blend_pair<const LEVEL: bool>(&self, first: Cell, second: Cell) -> [[u32; 3]; 2] {
        [self.blend::<LEVEL>(first), self.blend::<LEVEL>(second)]
    }
    /// Channels of the pixel in column `x` and row `y`, which is one of the frame.
    fn pixel(&self, x: u32, y: u32) -> [u32; 3];
    /// Channels (0..=255) of a block to R, G, B.
    fn rgb(channels: &[Plane; 3], rgb: &mut [[u8; BLOCK]; 3]);
}

pub(super) struct Yuyv<'a>(pub(super) Rows<'a>);

impl Yuyv<'_> {
    /// Luma times 256.
    #[inline(always)]
    fn luma<const LEVEL: bool>(&self, Cell { x, y, fx, fy }: Cell) -> u32 {
        let Rows { data, stride, .. } = self.0;
        // Both pixels of a row come as one word, their luma in two lanes of 16 bits: 255 * 256 fits. A mean as
        // 256 a + (b - a) f needs one product; that b - a may be negative does not matter modulo 2^32.
        let luma = |at: u32| word(data, at) & 0x00ff_00ff;
        let mix = |a: u32, b: u32, f: u32| (a << 8).wrapping_add(b.wrapping_sub(a).wrapping_mul(f));
        let (x, y, stride) = (x as u32, y as u32, stride as u32);
        let at = y * stride + x * 2;
        // A lower row of no weight is not fetched. Along sloping rows that is too rare to be asked about.
        let below = if LEVEL && fy == 0 { at } else { at + stride };
        let column = mix(luma(at), luma(below), fy);
        mix(column & 0xffff, column >> 16, fx) >> 8
    }

    /// Chroma U, V times 256: it has half the resolution, so that of the macropixel that the point lies in.
    #[inline(always)]
    fn chroma(&self, Cell { x, y, fx, fy }: Cell) -> [u32; 2] {
        let Rows { data, stride, .. } = self.0;
        let y = y as u32 + u32::from(fy >= 128);
        let x = x as u32 + u32::from(fx >= 128);
        let chroma = word(data, y * stride as u32 + (x >> 1) * 4);
        [chroma & 0xff00, (chroma >> 24) << 8]
    }
}

impl Source for Yuyv<'_> {
    const BLACK: [i16; 3] = [0, 128, 128];

    fn rows(&self) -> &Rows<'_> {
        &self.0
    }

    #[inline(always)]
    fn blend<const LEVEL: bool>(&self, cell: Cell) -> [u32; 3] {
        let [u, v] = self.chroma(cell);
        [self.luma::<LEVEL>(cell), u, v]
    }

    #[inline(always)]
    fn blend_pair<const LEVEL: bool>(&self, first: Cell, second: Cell) -> [[u32; 3]; 2] {
        let [u, v] = self.chroma(first);
        [first, second].map(|cell| [self.luma::<LEVEL>(cell), u, v])
    }

    #[inline(always)]
    fn pixel(&self, x: u32, y: u32) -> [u32; 3] {
        let Rows { data, stride, .. } = self.0;
        // A macropixel is one word.
        let w = word(data, y * stride as u32 + (x >> 1) * 4);
        [(w >> ((x & 1) * 16)) & 255, (w >> 8) & 255, w >> 24]
    }

    #[inline(always)]
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

pub(super) struct Rgb<'a>(pub(super) Rows<'a>);

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

    #[inline(always)]
    fn pixel(&self, x: u32, y: u32) -> [u32; 3] {
        let at = y as usize * self.0.stride + x as usize * 3;
        let pixel = &self.0.data[at..at + 3];
        std::array::from_fn(|c| u32::from(pixel[c]))
    }

    #[inline(always)]
    fn rgb(channels: &[Plane; 3], rgb: &mut [[u8; BLOCK]; 3]) {
        copy_bytes(channels, rgb);
    }
}

pub(super) struct Grey<'a>(pub(super) Rows<'a>);

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

    #[inline(always)]
    fn pixel(&self, x: u32, y: u32) -> [u32; 3] {
        [u32::from(self.0.data[y as usize * self.0.stride + x as usize]); 3]
    }

    #[inline(always)]
    fn rgb(channels: &[Plane; 3], rgb: &mut [[u8; BLOCK]; 3]) {
        copy_bytes(channels, rgb);
    }
}

/// Channels that are colours already.
#[inline(always)]
fn copy_bytes(channels: &[Plane; 3], rgb: &mut [[u8; BLOCK]; 3]) {
    for (to, from) in rgb.iter_mut().flatten().zip(channels.iter().flatten()) {
        *to = (*from).clamp(0, 255) as u8;
    }
}
