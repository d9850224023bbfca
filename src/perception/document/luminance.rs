//! Luminance of a frame in any layout: the plane that edges, sharpness and codes are looked for in.

use crate::base::frame::{FrameView, PixelFormat};

/// BT.601 luminance of full-range R, G, B (weights 0.299, 0.587, 0.114 in 8-bit fixed point).
pub const fn of_rgb(r: u8, g: u8, b: u8) -> u8 {
    ((77 * r as u32 + 150 * g as u32 + 29 * b as u32 + 128) >> 8) as u8
}

/// Writes the luminance of the whole frame into `plane`, tightly packed rows. Allocates only if `plane` has to grow.
pub fn plane(frame: &FrameView<'_>, plane: &mut Vec<u8>) {
    plane.resize(frame.width() as usize * frame.height() as usize, 0);
    write(frame, plane);
}

/// As [`plane()`], into what is there: `width * height` bytes.
pub fn write(frame: &FrameView<'_>, plane: &mut [u8]) {
    let width = frame.width() as usize;
    for (y, out) in (0..frame.height()).zip(plane.chunks_exact_mut(width)) {
        let row = frame.row(y);
        match frame.format() {
            PixelFormat::Grey8 => out.copy_from_slice(row),
            PixelFormat::Yuyv => {
                for (o, p) in out.iter_mut().zip(row.chunks_exact(2)) {
                    *o = p[0];
                }
            }
            PixelFormat::Rgb8 => {
                for (o, p) in out.iter_mut().zip(row.chunks_exact(3)) {
                    *o = of_rgb(p[0], p[1], p[2]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::frame::FrameMeta;

    #[test]
    fn every_layout_gives_its_luminance() {
        for (format, bytes, expected) in [
            (PixelFormat::Grey8, vec![1, 2, 9, 3, 4, 9], vec![1, 2, 3, 4]),
            (
                PixelFormat::Yuyv,
                vec![1, 128, 2, 128, 9, 3, 0, 4, 0, 9],
                vec![1, 2, 3, 4],
            ),
            (
                PixelFormat::Rgb8,
                vec![255, 255, 255, 255, 0, 0, 9, 0, 255, 0, 0, 0, 255, 9],
                vec![255, 77, 149, 29],
            ),
        ] {
            let stride = bytes.len() / 2;
            let frame = FrameView::new(&bytes, 2, 2, stride, format, FrameMeta::default())
                .expect("a possible frame");
            let mut found = Vec::new();
            plane(&frame, &mut found);
            assert_eq!(found, expected, "{format:?}");
        }
    }
}
