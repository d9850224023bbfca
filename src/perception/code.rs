//! QR code: the ticket that the person holds before the camera on a phone or on paper.
//!
//! The code covers a part of the frame only, with modules as small as two or three pixels. So the busiest parts of the frame are
//! looked for, enlarged and binarised against their own surroundings; there, position patterns are found. The grid of modules is
//! fitted to the luminance of the frame itself, blur between modules is undone, and `rqrr` decodes the bits. What that does not
//! find, `rqrr` looks for by itself, in the enlarged parts and in the whole frame.

mod enlarge;
mod grid;
mod locate;
mod region;
#[cfg(test)]
mod tests;

use super::document::luminance;
use crate::base::frame::FrameView;
use crate::base::secret::Secret;
use enlarge::Window;
use rqrr::PreparedImage;
use std::panic::{AssertUnwindSafe, catch_unwind};
use zeroize::Zeroize;

/// What the frame says of a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodeReading {
    /// There is no code in the frame.
    NotFound,
    /// There is one (three position patterns in the right arrangement), but it cannot be decoded: too small, blurred, covered,
    /// or its content is not UTF-8.
    Unreadable,
    /// The content.
    Read(Secret),
}

impl CodeReading {
    /// The content, if it was read.
    pub fn content(self) -> Option<Secret> {
        match self {
            Self::Read(text) => Some(text),
            Self::NotFound | Self::Unreadable => None,
        }
    }
}

/// Triples of position patterns that are tried in one window.
const MAX_TRIPLES: usize = 10;
/// Shares of luminance that blur may have carried to each neighbour, in the order of the attempts.
const SPILLS: [f32; 3] = [0.1, 0.0, 0.25];
/// How strongly a window is sharpened before it is binarised (small, blurred modules need it; large ones in noise suffer from
/// it), and whether rqrr is asked to find the code by itself in that picture.
const SHARPENING: [(f32, bool); 2] = [(1.0, false), (0.0, true)];

/// Reads QR codes; keeps its buffers from frame to frame.
#[derive(Default)]
pub struct CodeReader {
    plane: Vec<u8>,
    regions: region::RegionFinder,
    enlarger: enlarge::Enlarger,
}

impl std::fmt::Debug for CodeReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CodeReader")
    }
}

impl CodeReader {
    /// A reader with empty buffers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks for one code in `frame` and decodes it.
    pub fn read(&mut self, frame: FrameView<'_>) -> CodeReading {
        luminance::plane(&frame, &mut self.plane);
        let (width, height) = (frame.width() as usize, frame.height() as usize);
        let mut best = CodeReading::NotFound;
        let mut n_windows = 0;
        let frame_plane = grid::Plane {
            pixels: &self.plane,
            width,
            height,
        };
        for window in self.regions.find(&self.plane, width, height) {
            n_windows += 1;
            for (sharpening, with_rqrr) in SHARPENING {
                let picture = self
                    .enlarger
                    .binarise(&self.plane, width, window, sharpening);
                best = best_of(best, decode_fitted(frame_plane, picture, window));
                if with_rqrr && !matches!(best, CodeReading::Read(_)) {
                    best = best_of(best, decode(picture));
                }
                if matches!(best, CodeReading::Read(_)) {
                    return best;
                }
            }
        }
        if n_windows == 0 {
            let whole = Window {
                x: 0,
                y: 0,
                width,
                height,
            };
            best = decode(self.enlarger.binarise(&self.plane, width, whole, 0.0));
        }
        best
    }

    /// Wipes the pixels of the last frame.
    pub fn forget(&mut self) {
        self.plane.zeroize();
        self.plane = Vec::new();
        self.enlarger.forget();
    }
}

impl Drop for CodeReader {
    fn drop(&mut self) {
        self.forget();
    }
}

/// A binary picture: one byte a pixel, 1 is dark.
#[derive(Clone, Copy)]
struct Binary<'a> {
    pixels: &'a [u8],
    width: usize,
    height: usize,
}

/// What says more.
fn best_of(a: CodeReading, b: CodeReading) -> CodeReading {
    match (&a, &b) {
        (CodeReading::Read(_), _) | (_, CodeReading::NotFound) => a,
        (_, CodeReading::Read(_)) | (CodeReading::NotFound, _) => b,
        (CodeReading::Unreadable, CodeReading::Unreadable) => a,
    }
}

/// Decodes a code by position patterns found in `picture`, an enlarged `window` of `plane`.
fn decode_fitted(plane: grid::Plane<'_>, picture: Binary<'_>, window: Window) -> CodeReading {
    let mut found = CodeReading::NotFound;
    let scale = picture.width as f32 / window.width.max(1) as f32;
    for corners in locate::locate(picture).into_iter().take(MAX_TRIPLES) {
        let corners = corners.in_frame(scale, window.x as f32, window.y as f32);
        let Some(grid) = grid::fit(plane, &corners) else {
            continue;
        };
        found = CodeReading::Unreadable;
        let values = grid::luminances(plane, &grid);
        for spill in SPILLS {
            let modules = rqrr::Grid::new(grid::binarise(&values, grid.side, spill));
            let reading = guarded(|| content(&modules));
            if let CodeReading::Read(_) = reading {
                return reading;
            }
        }
    }
    found
}

/// Decodes the first code of a binary picture that can be decoded.
fn decode(picture: Binary<'_>) -> CodeReading {
    guarded(|| {
        let mut image =
            PreparedImage::prepare_from_bitmap(picture.width, picture.height, |x, y| {
                picture.pixels[y * picture.width + x] == 1
            });
        let mut found = CodeReading::NotFound;
        for grid in image.detect_grids() {
            match content(&grid) {
                CodeReading::NotFound => {}
                CodeReading::Unreadable => found = CodeReading::Unreadable,
                read @ CodeReading::Read(_) => return read,
            }
        }
        found
    })
}

/// The content of a code whose modules are known, row by row, `true` for dark. [`CodeReading::NotFound`] if they are no square.
pub fn decode_modules(side: usize, dark: Vec<bool>) -> CodeReading {
    if side.checked_mul(side) != Some(dark.len()) {
        return CodeReading::NotFound;
    }
    let modules = rqrr::Grid::new(grid::Modules { side, dark });
    guarded(|| content(&modules))
}

/// The content of a grid.
fn content<G: rqrr::BitGrid>(grid: &rqrr::Grid<G>) -> CodeReading {
    let mut bytes = Vec::with_capacity(rqrr::MAX_PAYLOAD_SIZE);
    let text = match grid.decode_to(&mut bytes) {
        Ok(_) => String::from_utf8(bytes).map_err(std::string::FromUtf8Error::into_bytes),
        Err(_) => Err(bytes),
    };
    match text {
        Ok(text) if !text.is_empty() => CodeReading::Read(Secret::new(text)),
        Ok(_) => CodeReading::Unreadable,
        Err(mut half) => {
            half.zeroize();
            CodeReading::Unreadable
        }
    }
}

/// The arithmetic inside rqrr follows what somebody holds before the camera; should an odd arrangement make it panic, that is an
/// unreadable code, not the end of the booth. No state outlives the call, so nothing can be left half changed.
fn guarded(attempt: impl FnOnce() -> CodeReading) -> CodeReading {
    catch_unwind(AssertUnwindSafe(attempt)).unwrap_or(CodeReading::Unreadable)
}
