//! The pixels that are drawn on. What lies outside is not drawn; texts and pictograms are put on record, so that a test can
//! tell what is cut off or overlaps.

use embedded_graphics::pixelcolor::Rgb565;
use embedded_graphics::pixelcolor::raw::{RawData, RawU16};
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;
use std::convert::Infallible;

/// What was placed where on one screen.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// Boxes of text lines and pictograms. None may leave the panel and no two may overlap.
    pub(super) boxes: Vec<Rectangle>,
    /// Text lines for which there was no room.
    pub(super) lost_lines: usize,
}

/// A panel's pixels, RGB565, row by row.
#[derive(Debug)]
pub(super) struct Canvas<'p> {
    pixels: &'p mut [u16],
    width: u32,
    height: u32,
    record: Record,
}

impl<'p> Canvas<'p> {
    /// `pixels` holds `width * height` pixels.
    pub(super) fn new(pixels: &'p mut [u16], width: u32, height: u32) -> Self {
        Self {
            pixels,
            width,
            height,
            record: Record::default(),
        }
    }

    /// Puts a box on record.
    pub(super) fn note(&mut self, area: Rectangle) {
        self.record.boxes.push(area);
    }

    /// Puts on record that `n` lines had no room.
    pub(super) fn note_lost(&mut self, n: usize) {
        self.record.lost_lines += n;
    }

    /// Fills a rectangle; what lies outside is ignored.
    pub(super) fn fill(&mut self, x: i32, y: i32, w: u32, h: u32, colour: Rgb565) {
        let Ok(()) = self.fill_solid(&Rectangle::new(Point::new(x, y), Size::new(w, h)), colour);
    }

    /// The record of this screen.
    pub(super) fn into_record(self) -> Record {
        self.record
    }
}

impl OriginDimensions for Canvas<'_> {
    fn size(&self) -> Size {
        Size::new(self.width, self.height)
    }
}

impl DrawTarget for Canvas<'_> {
    type Color = Rgb565;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = Pixel<Rgb565>>,
    {
        for Pixel(at, colour) in pixels {
            let (Ok(x), Ok(y)) = (u32::try_from(at.x), u32::try_from(at.y)) else {
                continue;
            };
            if x < self.width && y < self.height {
                self.pixels[(y * self.width + x) as usize] = RawU16::from(colour).into_inner();
            }
        }
        Ok(())
    }
}
