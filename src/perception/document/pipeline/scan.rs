//! A picture that shows a document as a scanner or a screen shot does, read once and with patience: nothing moves in it, and no better one follows.

use super::{DocumentPipeline, upright};
use crate::base::frame::{Frame, FrameView};
use crate::base::geometry::Quad;
use crate::models::ModelError;
use crate::perception::document::mrz_lines::{PAGE_WIDTH, ReadZone, ZoneReading};
use crate::perception::document::portrait::PortraitFinder;
use crate::perception::document::prc::PrcReader;
use crate::perception::document::rectify;
use crate::perception::observation::{DocumentObservation, DocumentProblem, DocumentReading};

/// From this deviation of an angle from 90 degrees on, a scan is taken as it is before its corners are believed.
const SCAN_TILT_DEGREES: f32 = 10.0;

impl<T> DocumentPipeline<T> {
    /// Reads a picture that shows a document as a scanner or a screen shot does: it may fill the picture, have a margin, or be
    /// nothing but the machine readable zone, in any of four directions. Slower than [`Self::observe`], and nothing is measured;
    /// `observed` is what that has said of the same frame, whose corners are tried before the whole picture.
    ///
    /// # Errors
    /// [`ModelError`] if a net could not be run.
    pub fn read_scan(
        &mut self,
        frame: FrameView<'_>,
        observed: &DocumentObservation,
        portraits: &mut impl PortraitFinder<Template = T>,
    ) -> Result<Option<DocumentReading>, ModelError> {
        let grey = self.take_luminance(&frame);
        let view = grey.as_ref().map(Frame::view);
        let result = self.read_grey_scan(
            (&frame, view.as_ref().unwrap_or(&frame)),
            observed,
            portraits,
        );
        self.grey = grey;
        result
    }

    fn read_grey_scan(
        &mut self,
        (frame, grey): (&FrameView<'_>, &FrameView<'_>),
        observed: &DocumentObservation,
        portraits: &mut impl PortraitFinder<Template = T>,
    ) -> Result<Option<DocumentReading>, ModelError> {
        let whole = rectify::whole(frame);
        let w = whole.0;
        let turned = Quad([w[1], w[2], w[3], w[0]]);
        // A scan lies level: corners that say otherwise are likely wrong.
        let choices = if observed.tilt_degrees > SCAN_TILT_DEGREES {
            [Some(whole), observed.corners, Some(turned)]
        } else {
            [observed.corners, Some(whole), Some(turned)]
        };
        let height = |quad: &Quad| {
            let height = PAGE_WIDTH as f32 * quad.height() / quad.width().max(1.0);
            height.round() as u32
        };
        // Most zones are read at once where the page is the right one, and it takes long to be sure that it is not.
        for quad in choices.into_iter().flatten() {
            if self.page.take(grey, &quad, height(&quad))
                && let ZoneReading::Read(zone) = self.mrz_reader.read_at_once(grey, &self.page)?
            {
                let quad = upright(&quad, zone.half_turned);
                let reading = self.reading((frame, grey), &quad, *zone, portraits)?;
                return Ok(Some(reading));
            }
        }
        // What passed the limits was looked at for all that is looked for below.
        let was_tried = matches!(
            observed.problem,
            Some(
                DocumentProblem::Glare
                    | DocumentProblem::Covered
                    | DocumentProblem::WrongSide
                    | DocumentProblem::Unreadable
            )
        );
        let untried = || {
            let new = |quad: &Quad| !was_tried || Some(*quad) != observed.corners;
            choices.into_iter().flatten().filter(new)
        };
        let mut best: Option<(Quad, Box<ReadZone>)> = None;
        for quad in untried() {
            if !self.page.take(grey, &quad, height(&quad)) {
                continue;
            }
            let zone = self
                .mrz_reader
                .read(grey, &self.page, self.limits.min_verified_checks)?;
            let ZoneReading::Read(zone) = zone else {
                continue;
            };
            let certain = !zone.mrz.checks.any_refuted();
            let better = best
                .as_ref()
                .is_none_or(|(_, b)| zone.mrz.checks.n_verified() > b.mrz.checks.n_verified());
            if better {
                best = Some((upright(&quad, zone.half_turned), zone));
            }
            if certain {
                break;
            }
        }
        if let Some((quad, zone)) = best {
            let reading = self.reading((frame, grey), &quad, *zone, portraits)?;
            return Ok(Some(reading));
        }
        for quad in untried() {
            for read in [
                PrcReader::read_front,
                PrcReader::read_back,
                PrcReader::search_front,
            ] {
                if let Some(side) = self.prc(grey, &quad, read)? {
                    let upright = upright(&quad, side.half_turned);
                    return Ok(Some(self.prc_reading(frame, &upright, side, portraits)));
                }
            }
        }
        Ok(None)
    }
}
