//! Print that is no machine readable zone, read by the zone's reader: a first look that costs little.

use super::{MrzReader, STRIP_HEIGHT, STRIP_WIDTH, ctc, normalise};
use crate::base::frame::FrameView;
use crate::base::geometry::Quad;
use crate::models::ModelError;
use crate::perception::document::homography::Homography;
use crate::perception::document::rectify;
use crate::perception::document::stages::{Stage, stage};

/// How much wider print is made than it is: the reader knows lines of [`STRIP_WIDTH`] that are stretched by about as much.
const PRINT_STRETCH: f32 = 1.3;
/// Pixels of a strip for one step of the output.
const PX_A_STEP: usize = STRIP_WIDTH / ctc::N_STEPS;
/// Pixels between lines that share a strip.
const GAP: usize = 4 * PX_A_STEP;

/// Where one of the lines that share a strip stands in it, in pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    i: usize,
    from: usize,
    width: usize,
}

impl MrzReader {
    /// Reads the lines inside `quads`, in the plane that `map` takes to the frame, as print of capitals and digits, and gives each
    /// to `take` with its index and mean confidence: of other print it sees something that is like it at best. `take` says whether it wants
    /// more. Short lines share a strip, so that a line takes a tenth of what the text reader takes, or less.
    ///
    /// # Errors
    /// [`ModelError`] if the net could not be run.
    pub(in crate::perception::document) fn read_prints(
        &mut self,
        frame: &FrameView<'_>,
        map: &Homography,
        quads: &[Quad],
        mut take: impl FnMut(usize, &str, f32) -> bool,
    ) -> Result<(), ModelError> {
        stage(Stage::FastPrint, || {
            self.read_shares(frame, map, quads, &mut take)
        })
    }

    fn read_shares(
        &mut self,
        frame: &FrameView<'_>,
        map: &Homography,
        quads: &[Quad],
        take: &mut impl FnMut(usize, &str, f32) -> bool,
    ) -> Result<(), ModelError> {
        self.shared.clear();
        for (i, quad) in quads.iter().enumerate() {
            let aspect = PRINT_STRETCH * quad.width() / quad.height().max(1e-3);
            let width = (STRIP_HEIGHT as f32 * aspect) as usize;
            // Whole steps of the output.
            let width = (width / PX_A_STEP * PX_A_STEP).clamp(STRIP_HEIGHT, STRIP_WIDTH);
            let before = self.shared.last().map_or(0, |s| s.from + s.width + GAP);
            let from = if before + width > STRIP_WIDTH {
                if !self.read_shared(take)? {
                    return Ok(());
                }
                0
            } else {
                before
            };
            self.shared.push(Share { i, from, width });
            let line = &mut self.line[..width * STRIP_HEIGHT];
            // One sample a pixel: this is a first look.
            rectify::strip(frame, map, quad, (width, STRIP_HEIGHT), 1, line);
            normalise(line);
            if from == 0 {
                // Nothing stands between and behind the lines: 0 is the mean.
                self.strip.fill(0.0);
            }
            let rows = self.strip.chunks_exact_mut(STRIP_WIDTH);
            for (to, row) in rows.zip(line.chunks_exact(width)) {
                to[from..from + width].copy_from_slice(row);
            }
        }
        self.read_shared(take)?;
        Ok(())
    }

    /// Reads the strip that several lines share, and forgets who they are. Gives whether more is wanted.
    fn read_shared(
        &mut self,
        take: &mut impl FnMut(usize, &str, f32) -> bool,
    ) -> Result<bool, ModelError> {
        if self.shared.is_empty() {
            return Ok(true);
        }
        self.net.run(&self.strip, &mut [&mut self.logits])?;
        let mut more = true;
        for share in self.shared.drain(..) {
            let steps = share.from / PX_A_STEP..(share.from + share.width) / PX_A_STEP;
            let logits = &self.logits[steps.start * ctc::N_CLASSES..steps.end * ctc::N_CLASSES];
            let (text, confidence) = ctc::decode(logits);
            more = take(share.i, text.as_str(), confidence);
        }
        Ok(more)
    }
}
