//! The document as a level page of 640 pixels width: what is measured, and what lines of print are looked for in.

use super::homography::Homography;
use super::mrz_lines::PAGE_WIDTH;
use super::rectify;
use super::stages::{Stage, stage};
use crate::base::frame::FrameView;
use crate::base::geometry::{Point, Quad};
use zeroize::Zeroize;

/// Heights that a page may have: from a strip that holds the lines alone to a tall scan.
const HEIGHTS: std::ops::RangeInclusive<u32> = 40..=1280;

/// A rectified page; keeps its buffer.
#[derive(Default)]
pub struct Page {
    map: Option<Homography>,
    height: u32,
    plane: Vec<u8>,
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Page({}x{})", PAGE_WIDTH, self.height)
    }
}

impl Page {
    /// Rectifies the part of `frame` inside `quad` to a page of this height (in pixels, at a width of 640).
    /// Gives back whether `quad` could be rectified.
    pub fn take(&mut self, frame: &FrameView<'_>, quad: &Quad, height: u32) -> bool {
        stage(Stage::Pages, || self.sample(frame, quad, height))
    }

    fn sample(&mut self, frame: &FrameView<'_>, quad: &Quad, height: u32) -> bool {
        self.height = height.clamp(*HEIGHTS.start(), *HEIGHTS.end());
        self.map = Homography::from_rectangle(PAGE_WIDTH as f32, self.height as f32, quad);
        match &self.map {
            Some(map) => rectify::grey(frame, map, PAGE_WIDTH, self.height, &mut self.plane),
            None => self.plane.clear(),
        }
        self.map.is_some()
    }

    /// Turns the page by half a turn: what stood upside down reads.
    pub fn half_turn(&mut self) {
        self.plane.reverse();
        let (w, h) = (PAGE_WIDTH as f32, self.height as f32);
        let corners = rectify::half_turned(&Quad([
            Point::new(0.0, 0.0),
            Point::new(w, 0.0),
            Point::new(w, h),
            Point::new(0.0, h),
        ]));
        self.map = self
            .map
            .and_then(|map| Homography::from_rectangle(w, h, &map.map_quad(&corners)));
    }

    /// Luminance, 640 pixels a row.
    pub fn plane(&self) -> &[u8] {
        &self.plane
    }

    /// From the page to the frame; `None` before the first page.
    pub fn map(&self) -> Option<&Homography> {
        self.map.as_ref()
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The quadrilateral in the frame that is larger than the page by `share` of its size on every side.
    pub fn enlarged(&self, share: f32) -> Option<Quad> {
        let (w, h) = (PAGE_WIDTH as f32, self.height as f32);
        let (mx, my) = (share * w, share * h);
        self.map.as_ref().map(|map| {
            map.map_quad(&Quad([
                Point::new(-mx, -my),
                Point::new(w + mx, -my),
                Point::new(w + mx, h + my),
                Point::new(-mx, h + my),
            ]))
        })
    }

    /// Wipes the pixels.
    pub fn forget(&mut self) {
        self.plane.as_mut_slice().zeroize();
        self.map = None;
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.plane.zeroize();
    }
}
