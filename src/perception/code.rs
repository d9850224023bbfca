//! QR code: the ticket that the person holds before the camera on a phone or on paper.
//!
//! The code covers a part of the frame only, with modules as small as two or three pixels. So the busiest square part of the
//! frame is looked for, enlarged, sharpened and binarised against its own surroundings before `rqrr` decodes it; the whole frame
//! is tried as it is beside that, for codes that fill it.

mod enlarge;
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

/// How strongly a window is sharpened before it is binarised, in the order of the attempts: moderately blurred codes first,
/// clean ones (which sharpening does not need, and noise suffers from) next, strongly blurred ones last.
const SHARPENING: [f32; 3] = [1.0, 0.0, 2.5];

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
        for window in self.regions.find(&self.plane, width, height) {
            for sharpening in SHARPENING {
                let picture = self
                    .enlarger
                    .binarise(&self.plane, width, window, sharpening);
                match decode(picture) {
                    CodeReading::NotFound => {}
                    CodeReading::Unreadable => best = CodeReading::Unreadable,
                    read @ CodeReading::Read(_) => return read,
                }
            }
        }
        if best == CodeReading::NotFound {
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
        self.plane.as_mut_slice().zeroize();
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

/// Decodes the first code of a binary picture that can be decoded.
fn decode(picture: Binary<'_>) -> CodeReading {
    // The geometry inside rqrr follows what somebody holds before the camera; should an odd arrangement make it panic, that is
    // an unreadable code, not the end of the booth. No state outlives the call, so nothing can be left half changed.
    let attempt = catch_unwind(AssertUnwindSafe(|| {
        let mut image =
            PreparedImage::prepare_from_bitmap(picture.width, picture.height, |x, y| {
                picture.pixels[y * picture.width + x] == 1
            });
        let mut found = CodeReading::NotFound;
        for grid in image.detect_grids() {
            let mut content = Vec::with_capacity(rqrr::MAX_PAYLOAD_SIZE);
            let text = match grid.decode_to(&mut content) {
                Ok(_) => String::from_utf8(content).map_err(|e| e.into_bytes()),
                Err(_) => Err(content),
            };
            match text {
                Ok(text) if !text.is_empty() => return CodeReading::Read(Secret::new(text)),
                Ok(_) => found = CodeReading::Unreadable,
                Err(mut half) => {
                    half.zeroize();
                    found = CodeReading::Unreadable;
                }
            }
        }
        found
    }));
    attempt.unwrap_or(CodeReading::Unreadable)
}
