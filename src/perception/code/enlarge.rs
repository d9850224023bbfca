//! Enlarges a window of the luminance plane, sharpens it and binarises it against its surroundings.

use super::Binary;
use zeroize::Zeroize;

/// A part of the luminance plane in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Window {
    /// The window with `margin` more on each side, as far as the plane of `width` x `height` goes.
    pub(super) fn with_margin(self, margin: usize, width: usize, height: usize) -> Self {
        let (x, y) = (self.x.saturating_sub(margin), self.y.saturating_sub(margin));
        Self {
            x,
            y,
            width: (self.x + self.width + margin).min(width) - x,
            height: (self.y + self.height + margin).min(height) - y,
        }
    }
}

/// The longer side is enlarged to about this many pixels, but not by more than [`MAX_SCALE`].
const TARGET_SIDE: usize = 1200;
/// Beyond four times, interpolation adds nothing.
const MAX_SCALE: usize = 4;

/// Keeps the buffers.
#[derive(Default)]
pub(super) struct Enlarger {
    grey: Vec<u8>,
    binary: Vec<u8>,
    integral: Vec<u32>,
}

impl Enlarger {
    /// Wipes the pixels and gives their memory back.
    pub(super) fn forget(&mut self) {
        self.grey.zeroize();
        self.binary.zeroize();
        self.integral.zeroize();
        *self = Self::default();
    }

    /// The window as a binary picture. `sharpening` is the amount of unsharp masking (0.0 for none).
    pub(super) fn binarise(
        &mut self,
        plane: &[u8],
        plane_width: usize,
        window: Window,
        sharpening: f32,
    ) -> Binary<'_> {
        let longer = window.width.max(window.height).max(1);
        let scale = TARGET_SIDE.div_ceil(longer).clamp(1, MAX_SCALE);
        let (width, height) = (window.width * scale, window.height * scale);
        self.enlarge(plane, plane_width, window, scale);
        if sharpening > 0.0 {
            self.integrate(width, height);
            // The surroundings of one or two modules: what blur has spread over them comes back.
            let radius = 2 * scale;
            let amount = (sharpening * 256.0) as i32;
            for y in 0..height {
                for x in 0..width {
                    let mean = self.mean(width, height, x, y, radius);
                    let p = &mut self.grey[y * width + x];
                    let value = i32::from(*p);
                    let sharp = value + (((value - mean) * amount) >> 8);
                    *p = sharp.clamp(0, 255) as u8;
                }
            }
        }
        self.integrate(width, height);
        // Half of a position pattern to a whole one: large enough to hold both dark and light modules everywhere.
        let radius = (width.max(height) / 24).max(8);
        self.binary.resize(width * height, 0);
        for y in 0..height {
            for x in 0..width {
                let mean = self.mean(width, height, x, y, radius);
                let dark = i32::from(self.grey[y * width + x]) < mean - 3;
                self.binary[y * width + x] = u8::from(dark);
            }
        }
        Binary {
            pixels: &self.binary,
            width,
            height,
        }
    }

    /// Bilinear enlargement by a whole number.
    fn enlarge(&mut self, plane: &[u8], plane_width: usize, window: Window, scale: usize) {
        let width = window.width * scale;
        self.grey.resize(width * window.height * scale, 0);
        if scale == 1 {
            for (y, out) in self.grey.chunks_exact_mut(width).enumerate() {
                let start = (window.y + y) * plane_width + window.x;
                out.copy_from_slice(&plane[start..start + width]);
            }
            return;
        }
        // Position in the source in units of 1/(2*scale): the middle of output pixel i lies at (2i+1) - scale.
        let unit = 2 * scale as i32;
        let place = |i: usize, n: usize| {
            let at = (2 * i as i32 + 1 - scale as i32).clamp(0, (n as i32 - 1) * unit);
            let low = (at / unit) as usize;
            (low, (low + 1).min(n - 1), at % unit)
        };
        for (y, out) in self.grey.chunks_exact_mut(width).enumerate() {
            let (y0, y1, fy) = place(y, window.height);
            let upper = &plane[(window.y + y0) * plane_width + window.x..];
            let lower = &plane[(window.y + y1) * plane_width + window.x..];
            for (x, o) in out.iter_mut().enumerate() {
                let (x0, x1, fx) = place(x, window.width);
                let along = |row: &[u8]| i32::from(row[x0]) * (unit - fx) + i32::from(row[x1]) * fx;
                *o = ((along(upper) * (unit - fy) + along(lower) * fy) / (unit * unit)) as u8;
            }
        }
    }

    /// Summed-area table of `grey`, one row and one column larger.
    fn integrate(&mut self, width: usize, height: usize) {
        let stride = width + 1;
        self.integral.resize(stride * (height + 1), 0);
        self.integral[..stride].fill(0);
        for y in 0..height {
            let mut sum = 0;
            self.integral[(y + 1) * stride] = 0;
            for x in 0..width {
                sum += u32::from(self.grey[y * width + x]);
                self.integral[(y + 1) * stride + x + 1] = self.integral[y * stride + x + 1] + sum;
            }
        }
    }

    /// Mean of the square of `radius` around a pixel, as far as the picture goes.
    fn mean(&self, width: usize, height: usize, x: usize, y: usize, radius: usize) -> i32 {
        let (x0, y0) = (x.saturating_sub(radius), y.saturating_sub(radius));
        let (x1, y1) = ((x + radius + 1).min(width), (y + radius + 1).min(height));
        let at = |x: usize, y: usize| self.integral[y * (width + 1) + x];
        // Differences in this order never go below zero.
        let sum = at(x1, y1) - at(x0, y1) - (at(x1, y0) - at(x0, y0));
        (sum / ((x1 - x0) * (y1 - y0)) as u32) as i32
    }
}
