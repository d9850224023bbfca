//! Two pictures of one document, lit from the left and from the right, made into one without the glare of either.
//!
//! ```text
//! frame lit from one side    -> page with a margin, by the corners in that frame -> kept
//! frame lit from the other   -> page likewise -> moved onto the kept one ([`fit`]) --is not the same--> kept, not combined
//!                                                   | fits
//!                                                   v
//!                 both made as bright as each other, then the darker one of each place ([`blend`])
//! ```
//!
//! Each picture goes into one pair at most, so that two pairs that say the same are two witnesses.

mod blend;
mod cells;
mod fit;

use super::homography::Homography;
use super::luminance;
use super::rectify;
use super::stages::{Stage, stage};
use crate::base::frame::{Frame, FrameView, PixelFormat};
use crate::base::geometry::{Point, Quad, Rect};
use crate::base::time::Moment;
use crate::perception::observation::LitFrom;
use blend::Blender;
use fit::Fitter;
use std::time::Duration;

/// Widths that a page without its margin may have: that of the document in the frame, within these.
const WIDTHS: (f32, f32) = (480.0, 1280.0);
/// Heights as a share of the width.
const HEIGHTS: (f32, f32) = (0.3, 1.2);
/// Margin around the document as a share of its size: corners are not exact.
const MARGIN: f32 = 0.08;
/// Pictures that are farther apart are no pair: a hand moves.
const MOST_APART: Duration = Duration::from_millis(1200);
/// Sizes that differ by more are not of one document at one distance.
const MOST_LARGER: f32 = 1.15;
/// Cells and reach of the search, from coarse to fine. Glare at the edge of a document can lead the corner finder astray by 30 pixels.
const SEARCHES: [(usize, usize); 3] = [(8, 5), (4, 3), (2, 3)];

/// A page that waits for its counterpart.
struct Kept {
    page: Frame,
    /// Width and height of the document on it, without the margin.
    size: (u32, u32),
    /// When its frame was captured; `None`: there is none, or it has been used.
    at: Option<Moment>,
}

/// Keeps a page of each side and makes one of two; keeps its buffers.
pub(super) struct TwoSided {
    /// Lit from the left, from the right.
    kept: [Kept; 2],
    /// The newest page, moved onto the kept one.
    newest: Frame,
    combined: Frame,
    grey: Frame,
    fitter: Fitter,
    blender: Blender,
}

impl Default for TwoSided {
    fn default() -> Self {
        let none = || Frame::new(2, 2, PixelFormat::Rgb8);
        let kept = || Kept {
            page: none(),
            size: (0, 0),
            at: None,
        };
        Self {
            kept: [kept(), kept()],
            newest: none(),
            combined: none(),
            grey: none(),
            fitter: Fitter::default(),
            blender: Blender::default(),
        }
    }
}

impl std::fmt::Debug for TwoSided {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TwoSided")
    }
}

/// A page made of two pictures.
#[derive(Clone, Copy, Debug)]
pub(super) struct Combined<'a> {
    /// In colours, with a margin around the document.
    pub(super) page: FrameView<'a>,
    /// Its luminance.
    pub(super) grey: FrameView<'a>,
    /// The document on it.
    pub(super) corners: Quad,
}

impl TwoSided {
    /// Takes in a frame lit from one side, with the document at `corners`; gives what it makes with the last one that was lit from the
    /// other side. A frame lit from both is none of this.
    pub(super) fn see(
        &mut self,
        frame: &FrameView<'_>,
        corners: &Quad,
        lit: LitFrom,
    ) -> Option<Combined<'_>> {
        let side = match lit {
            LitFrom::Both => return None,
            LitFrom::Left => 0,
            LitFrom::Right => 1,
        };
        stage(Stage::Combine, || {
            if self.combine(frame, corners, side) {
                self.kept[1 - side].at = None;
                return Some(());
            }
            self.keep(frame, corners, side);
            None
        })?;
        let (width, height) = self.kept[1 - side].size;
        Some(Combined {
            page: self.combined.view(),
            grey: self.grey.view(),
            corners: corners_of(inner((width, height))),
        })
    }

    fn keep(&mut self, frame: &FrameView<'_>, corners: &Quad, side: usize) {
        let kept = &mut self.kept[side];
        let width = corners.width().clamp(WIDTHS.0, WIDTHS.1);
        let shape = corners.height() / corners.width().max(1.0);
        let height = width * shape.clamp(HEIGHTS.0, HEIGHTS.1);
        kept.size = (width as u32, height as u32);
        kept.at = take(frame, corners, kept.size, &mut kept.page).then_some(frame.meta.captured);
    }

    /// Makes one page of the frame and of the page that was kept of the other side, if they are a pair.
    fn combine(&mut self, frame: &FrameView<'_>, corners: &Quad, side: usize) -> bool {
        let kept = &self.kept[1 - side];
        let is_near = |at: Moment| frame.meta.captured.since(at) <= MOST_APART;
        let width = kept.size.0 as f32;
        let larger = corners.width() / width.max(1.0);
        let is_pair = kept.at.is_some_and(is_near)
            && (1.0 / MOST_LARGER..=MOST_LARGER).contains(&larger.min(WIDTHS.1 / width.max(1.0)));
        if !is_pair {
            return false;
        }
        let inner = inner(kept.size);
        let mut quad = *corners;
        for (cell, reach) in SEARCHES {
            if !take(frame, &quad, kept.size, &mut self.newest) {
                return false;
            }
            let (first, second) = (kept.page.view(), self.newest.view());
            let Some(fit) = self.fitter.fit(&first, &second, inner, cell, reach) else {
                return false;
            };
            let (w, h) = (kept.size.0 as f32, kept.size.1 as f32);
            let Some(map) = Homography::from_rectangle(w, h, &quad) else {
                return false;
            };
            // What belongs at a corner of the kept page lies there in the frame.
            quad = Quad(corners_of(inner).0.map(|c| {
                let by = fit.at(c);
                map.map(Point::new(c.x + by.x - inner.x, c.y + by.y - inner.y))
            }));
        }
        if !take(frame, &quad, kept.size, &mut self.newest) {
            return false;
        }
        let [left, right] = if side == 1 {
            [&kept.page, &self.newest]
        } else {
            [&self.newest, &kept.page]
        };
        self.blender.blend(left, right, &mut self.combined);
        self.combined.meta = frame.meta;
        self.grey.reshape(
            self.combined.width(),
            self.combined.height(),
            PixelFormat::Grey8,
        );
        self.grey.meta = frame.meta;
        luminance::write(&self.combined.view(), self.grey.data_mut());
        true
    }

    /// Wipes the pixels.
    pub(super) fn forget(&mut self) {
        for kept in &mut self.kept {
            kept.page.wipe();
            kept.at = None;
        }
        for frame in [&mut self.newest, &mut self.combined, &mut self.grey] {
            frame.wipe();
        }
        self.fitter.forget();
        self.blender.forget();
    }
}

/// Where a document of this size lies on its page.
fn inner((width, height): (u32, u32)) -> Rect {
    let (width, height) = (width as f32, height as f32);
    Rect::new(
        (MARGIN * width).round(),
        (MARGIN * height).round(),
        width,
        height,
    )
}

fn corners_of(rect: Rect) -> Quad {
    let (right, bottom) = (rect.x + rect.w, rect.y + rect.h);
    Quad([
        Point::new(rect.x, rect.y),
        Point::new(right, rect.y),
        Point::new(right, bottom),
        Point::new(rect.x, bottom),
    ])
}

/// The page in colours, with its margin; whether there can be one.
fn take(frame: &FrameView<'_>, corners: &Quad, size: (u32, u32), out: &mut Frame) -> bool {
    let inner = inner(size);
    let Some(map) = Homography::from_rectangle(inner.w, inner.h, corners) else {
        return false;
    };
    let page = Rect::new(
        -inner.x,
        -inner.y,
        inner.w + 2.0 * inner.x,
        inner.h + 2.0 * inner.y,
    );
    let quad = map.map_quad(&corners_of(page));
    let Some(map) = Homography::from_rectangle(page.w, page.h, &quad) else {
        return false;
    };
    rectify::rgb(frame, &map, page.w as u32, page.h as u32, out);
    true
}

#[cfg(test)]
mod tests;
