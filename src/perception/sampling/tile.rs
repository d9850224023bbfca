//! The sampled picture itself, for what works on pixels rather than through a net.

use super::luminance;
use super::source::BLOCK;
use std::ops::Range;
use zeroize::Zeroize;

/// A picture in planes: what photometry works on.
#[derive(Debug)]
pub struct Tile {
    /// Red, green and blue, `width * height` bytes each, row by row.
    pub rgb: [Box<[u8]>; 3],
    /// Luminance by [`luminance`], the same size.
    pub luma: Box<[u8]>,
}

impl Tile {
    /// A black tile of `width` by `height` pixels.
    pub fn new(width: u32, height: u32) -> Self {
        let plane = || vec![0; width as usize * height as usize].into_boxed_slice();
        Self {
            rgb: [plane(), plane(), plane()],
            luma: plane(),
        }
    }

    /// Wipes it.
    pub fn wipe(&mut self) {
        self.rgb.iter_mut().for_each(Zeroize::zeroize);
        self.luma.zeroize();
    }

    /// Takes in the pixels of a part of a row.
    #[inline(always)]
    pub(super) fn put(&mut self, at: Range<usize>, rgb: &[[u8; BLOCK]; 3]) {
        for (to, from) in self.rgb.iter_mut().zip(rgb) {
            to[at.clone()].copy_from_slice(&from[..at.len()]);
        }
        let [r, g, b] = rgb;
        for (to, ((r, g), b)) in self.luma[at].iter_mut().zip(r.iter().zip(g).zip(b)) {
            *to = luminance([*r, *g, *b]);
        }
    }

    /// Black in a part of a row.
    pub(super) fn put_black(&mut self, at: Range<usize>) {
        for plane in &mut self.rgb {
            plane[at.clone()].fill(0);
        }
        self.luma[at].fill(0);
    }
}

impl Drop for Tile {
    fn drop(&mut self) {
        self.wipe();
    }
}
