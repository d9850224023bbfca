//! Limits of what can be read, in one place.

use crate::base::geometry::Quad;
use crate::perception::observation::{DocumentObservation, DocumentProblem};

/// What a document in a frame has to fulfil before it is read. The defaults hold for a 1280x720 camera.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DocumentLimits {
    /// Confidence of the corners from which there is a document, 0..=1. The confidence is the weakest corner's share of
    /// probability near its peak, times the probability that there is a document at all.
    pub min_confidence: f32,
    /// A corner nearer to the border than this share of the frame's width counts as cut off.
    pub border_share: f32,
    /// A corner nearer to the border than this share of the frame's width may in truth lie beyond it: the corner net answers inside of
    /// the frame, some 30 of 1280 pixels from its border for a document that goes on beyond.
    pub edge_share: f32,
    /// Least area as a share of the frame. An ID-1 card of 8 % is 340 pixels wide: 10 pixels a character of its machine readable
    /// zone, which the line reader was trained for (5.5 and more).
    pub min_area_share: f32,
    /// Least width in pixels, as the area says nothing where the frame is small.
    pub min_width_px: f32,
    /// Largest deviation of an inner angle from 90 degrees. The corner net was trained to about 30 degrees of tilt, which
    /// bends angles by up to 20 degrees.
    pub max_tilt_degrees: f32,
    /// Largest mean movement of the corners since the frame before, as a share of the document's width. At 15 frames a second
    /// and 10 ms of exposure, 2 % is a blur of a third of a character.
    pub max_motion: f32,
    /// Least mean luminance, 0..=1.
    pub min_luminance: f32,
    /// Least variance of the Laplacian at a width of 640 pixels. On synthetic frames zones were still read at 52.
    pub min_sharpness: f32,
    /// The same of the part in which there may be text that has to be read: a spot over four characters of a zone is some 2 %.
    pub max_zone_glare_share: f32,
    /// Share of saturated pixels from which glare is taken for the reason why nothing could be read. It does not keep a document
    /// from being read: a bright spot beside the print does no harm.
    pub max_glare_share: f32,
    /// Share of the document from which a finger on it is taken for the reason why nothing could be read. The tip of a thumb that holds
    /// a passport by its edge covers some 1 %.
    pub max_covered_share: f32,
    /// Check digits that have to verify before lines of text count as a machine readable zone.
    pub min_verified_checks: usize,
}

impl Default for DocumentLimits {
    fn default() -> Self {
        Self {
            min_confidence: 0.2,
            border_share: 0.004,
            edge_share: 0.03,
            min_area_share: 0.08,
            min_width_px: 320.0,
            max_tilt_degrees: 22.0,
            max_motion: 0.02,
            min_luminance: 0.15,
            min_sharpness: 30.0,
            max_zone_glare_share: 0.02,
            max_glare_share: 0.06,
            max_covered_share: 0.03,
            min_verified_checks: 2,
        }
    }
}

impl DocumentLimits {
    /// The worst problem that the measurements of `observation` show before anything is read, in this order: what has to be put
    /// right first comes first, since the later measures mean nothing before. `None` if the document can be read.
    ///
    /// `size` is the frame's width and height in pixels.
    pub fn problem(
        &self,
        observation: &DocumentObservation,
        size: (u32, u32),
    ) -> Option<DocumentProblem> {
        use DocumentProblem::{Blurred, CutOff, Moving, NotFound, Tilted, TooDark, TooSmall};
        let Some(corners) = &observation.corners else {
            return Some(NotFound);
        };
        let cut_off = is_near_border(corners, self.border_share, size);
        let o = observation;
        [
            (NotFound, o.confidence < self.min_confidence),
            (CutOff, cut_off),
            (
                TooSmall,
                o.area_share < self.min_area_share || corners.width() < self.min_width_px,
            ),
            (Tilted, o.tilt_degrees > self.max_tilt_degrees),
            (Moving, o.motion.is_some_and(|m| m > self.max_motion)),
            (TooDark, o.luminance < self.min_luminance),
            (Blurred, o.sharpness < self.min_sharpness),
        ]
        .into_iter()
        .find_map(|(problem, there)| there.then_some(problem))
    }

    /// Whether a part of the document may be outside of the frame: what is then read wrongly says nothing about the document.
    pub fn may_be_cut_off(&self, corners: &Quad, size: (u32, u32)) -> bool {
        is_near_border(corners, self.edge_share, size)
    }

    /// Whether there is so much glare that it may be the reason for what could not be read.
    pub fn is_glaring(&self, observation: &DocumentObservation) -> bool {
        observation.glare_share > self.max_glare_share
            || observation.zone_glare_share > self.max_zone_glare_share
    }

    /// Why a document that [`Self::problem`] had nothing against could not be read: `otherwise`, unless there is glare or a finger.
    pub fn unread(
        &self,
        observation: &DocumentObservation,
        otherwise: DocumentProblem,
    ) -> DocumentProblem {
        if self.is_glaring(observation) {
            DocumentProblem::Glare
        } else if observation
            .covered_share
            .is_some_and(|share| share > self.max_covered_share)
        {
            DocumentProblem::Covered
        } else {
            otherwise
        }
    }
}

/// Whether a corner is nearer to the border of a frame of `size` pixels than `share` of its width.
fn is_near_border(corners: &Quad, share: f32, size: (u32, u32)) -> bool {
    let (width, height) = (size.0 as f32, size.1 as f32);
    let border = share * width;
    corners
        .0
        .iter()
        .any(|p| p.x < border || p.y < border || p.x > width - border || p.y > height - border)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::geometry::Point;

    fn good() -> DocumentObservation {
        DocumentObservation {
            corners: Some(Quad([
                Point::new(300.0, 150.0),
                Point::new(900.0, 150.0),
                Point::new(900.0, 570.0),
                Point::new(300.0, 570.0),
            ])),
            confidence: 0.8,
            area_share: 0.27,
            tilt_degrees: 2.0,
            sharpness: 400.0,
            glare_share: 0.0,
            zone_glare_share: 0.0,
            luminance: 0.6,
            covered_share: None,
            motion: Some(0.001),
            ..DocumentObservation::default()
        }
    }

    #[test]
    fn a_document_at_the_border_may_be_cut_off() {
        let check = |right: f32, bottom: f32, expected: bool| {
            let quad = Quad(
                [
                    (500.0, 100.0),
                    (right, 100.0),
                    (right, bottom),
                    (500.0, bottom),
                ]
                .map(|(x, y)| Point::new(x, y)),
            );
            let limits = DocumentLimits::default();
            assert_eq!(
                limits.may_be_cut_off(&quad, (1280, 720)),
                expected,
                "{right} {bottom}"
            );
        };
        check(1200.0, 600.0, false);
        check(1250.0, 600.0, true);
        check(1200.0, 690.0, true);
    }

    /// Each change alone gives its problem; all changes from one on together give the first of them.
    #[test]
    fn the_first_thing_to_put_right_comes_first() {
        use DocumentProblem::*;
        type Change = fn(&mut DocumentObservation);
        let changes: [(DocumentProblem, Change); 7] = [
            (NotFound, |o| o.confidence = 0.05),
            (CutOff, |o| o.corners.as_mut().expect("set").0[2].x = 1279.0),
            (TooSmall, |o| o.area_share = 0.03),
            (Tilted, |o| o.tilt_degrees = 30.0),
            (Moving, |o| o.motion = Some(0.1)),
            (TooDark, |o| o.luminance = 0.1),
            (Blurred, |o| o.sharpness = 5.0),
        ];
        let limits = DocumentLimits::default();
        let size = (1280, 720);
        assert_eq!(limits.problem(&good(), size), None);
        let mut all = good();
        for (expected, change) in changes.into_iter().rev() {
            let mut one = good();
            change(&mut one);
            assert_eq!(limits.problem(&one, size), Some(expected));
            change(&mut all);
            assert_eq!(limits.problem(&all, size), Some(expected));
        }
        assert_eq!(
            limits.problem(&DocumentObservation::default(), size),
            Some(NotFound)
        );
        let bright = DocumentObservation {
            glare_share: 0.2,
            ..good()
        };
        assert_eq!(limits.problem(&bright, size), None);
        assert_eq!(limits.unread(&bright, Unreadable), Glare);
        assert_eq!(limits.unread(&good(), Unreadable), Unreadable);
        let spot = DocumentObservation {
            glare_share: 0.01,
            zone_glare_share: 0.03,
            ..good()
        };
        assert_eq!(limits.unread(&spot, Unreadable), Glare);
        let covered = DocumentObservation {
            covered_share: Some(0.05),
            ..good()
        };
        assert_eq!(limits.unread(&covered, WrongSide), Covered);
        let thumb = DocumentObservation {
            covered_share: Some(0.01),
            ..good()
        };
        assert_eq!(limits.unread(&thumb, WrongSide), WrongSide);
        let first_frame = DocumentObservation {
            motion: None,
            ..good()
        };
        assert_eq!(limits.problem(&first_frame, size), None);
    }
}
