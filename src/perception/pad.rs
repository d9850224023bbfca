//! Presentation attack detection (PAD, ISO/IEC 30107): how much one frame of a face looks like a bona fide presentation.
//!
//! ```text
//! frame, 468 points -> 2.7 times their box, inside the frame -> 128x128 BGR -> three logits -> softmax -> class 0: bona fide
//! ```
//!
//! One passive net on single frames, and nothing else: no challenge, no depth, no infrared. It finds prints of one webcam set and
//! is known to be weak against paper masks and cut-outs. Conformance with ISO/IEC 30107 is neither tested nor claimed.

pub mod calibration;
pub mod measure;

use crate::base::frame::FrameView;
use crate::base::geometry::Rect;
use crate::models::{Interpreter, ModelError, PixelLut};
use crate::perception::face::landmarks::Landmark;
use crate::perception::sampling::{Affine, Target, sample};

/// Side of the input.
const SIDE: u32 = 128;
/// The net sees so much more than the box of the points: paper has edges, screens have frames.
const CROP_SCALE: f32 = 2.7;
/// The net's classes: bona fide, and two whose meaning its maker does not say.
const N_CLASSES: usize = 3;

/// How a bona fide presentation is told from an attack. Stands in every outcome, so that nobody takes it for more than it is.
pub const METHOD: &str = "passive_single_frame_net";

/// Scores frames.
#[derive(Debug)]
pub struct AttackDetector {
    net: Interpreter,
    lut: PixelLut,
}

impl AttackDetector {
    /// A detector on a loaded net.
    ///
    /// # Errors
    /// [`ModelError::Unsuitable`] if the net does not take a picture of 128x128 or has no output of three numbers.
    pub fn new(net: Interpreter) -> Result<Self, ModelError> {
        net.output_of_shape("classes", &[N_CLASSES], "one output of 3")?;
        super::face::expect_input(&net, SIDE)?;
        Ok(Self {
            lut: net.pixel_lut(0)?,
            net,
        })
    }

    /// The PAD score of the face with these landmarks: 0..=1, higher is more like a bona fide presentation. `None` is a
    /// non-response: the points make no face inside the frame, or the net gave no number.
    ///
    /// # Errors
    /// If the net cannot be run.
    pub fn score(
        &mut self,
        frame: &FrameView<'_>,
        points: &[Landmark],
    ) -> Result<Option<f32>, ModelError> {
        let Some(crop) = crop_around(points, frame.width(), frame.height()) else {
            return Ok(None);
        };
        let map = stretched(crop);
        let target = Target {
            width: SIDE,
            height: SIDE,
            lut: &self.lut,
            tile: None,
        };
        self.net
            .input(0, |tensor| sample(frame, &map, target, tensor))?;
        self.net.invoke()?;
        self.net.output(0, |logits| {
            bona_fide([logits.get(0), logits.get(1), logits.get(2)])
        })
    }

    /// Runs the net on what its input holds, for benchmarks.
    ///
    /// # Errors
    /// If the net cannot be run.
    pub fn invoke_bare(&mut self) -> Result<(), ModelError> {
        self.net.invoke()
    }
}

/// Softmax of the logits, first class; `None` if they are no numbers.
fn bona_fide(logits: [f32; N_CLASSES]) -> Option<f32> {
    let largest = logits.into_iter().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = logits.into_iter().map(|l| (l - largest).exp()).sum();
    let score = (logits[0] - largest).exp() / sum;
    score.is_finite().then_some(score)
}

/// The crop: the points' box made larger by [`CROP_SCALE`], or by less where the frame is too small for that, and moved into the
/// frame. `None` if the points are no box.
fn crop_around(points: &[Landmark], width: u32, height: u32) -> Option<Rect> {
    let (mut x0, mut y0) = (f32::INFINITY, f32::INFINITY);
    let (mut x1, mut y1) = (f32::NEG_INFINITY, f32::NEG_INFINITY);
    for p in points {
        (x0, x1) = (x0.min(p.x), x1.max(p.x));
        (y0, y1) = (y0.min(p.y), y1.max(p.y));
    }
    let (box_w, box_h) = (x1 - x0, y1 - y0);
    if !(box_w.is_finite() && box_h.is_finite() && box_w >= 1.0 && box_h >= 1.0) {
        return None;
    }
    let (frame_w, frame_h) = (width as f32, height as f32);
    let scale = CROP_SCALE.min(frame_w / box_w).min(frame_h / box_h);
    let (w, h) = (box_w * scale, box_h * scale);
    let inside = |middle: f32, size: f32, frame: f32| {
        (middle - size / 2.0).clamp(0.0, (frame - size).max(0.0))
    };
    Some(Rect::new(
        inside((x0 + x1) / 2.0, w, frame_w),
        inside((y0 + y1) / 2.0, h, frame_h),
        w,
        h,
    ))
}

/// The map from the square input to the crop, aspect not kept.
fn stretched(crop: Rect) -> Affine {
    Affine {
        a: crop.w / SIDE as f32,
        b: 0.0,
        c: crop.x,
        d: 0.0,
        e: crop.h / SIDE as f32,
        f: crop.y,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crop_stays_inside_the_frame() {
        let check = |corners: [(f32, f32); 2], expected: Option<[f32; 4]>| {
            let points = corners.map(|(x, y)| Landmark { x, y, z: 0.0 });
            let found = crop_around(&points, 1280, 720).map(|r| [r.x, r.y, r.w, r.h]);
            match (found, expected) {
                (Some(f), Some(e)) => {
                    assert!(
                        f.iter().zip(e).all(|(a, b)| (a - b).abs() < 0.01),
                        "{f:?}, expected {e:?}"
                    );
                }
                _ => assert_eq!(found, expected),
            }
        };
        // In the middle: 2.7 times in both directions.
        check(
            [(590.0, 310.0), (690.0, 410.0)],
            Some([505.0, 225.0, 270.0, 270.0]),
        );
        // At a corner: moved, not cut.
        check([(0.0, 0.0), (100.0, 200.0)], Some([0.0, 0.0, 270.0, 540.0]));
        check(
            [(1200.0, 600.0), (1300.0, 700.0)],
            Some([1010.0, 450.0, 270.0, 270.0]),
        );
        // Too large for 2.7 times: as much as there is, in the box's own aspect.
        check(
            [(440.0, 60.0), (840.0, 660.0)],
            Some([400.0, 0.0, 480.0, 720.0]),
        );
        check([(5.0, 5.0), (5.0, 5.0)], None);
        check([(f32::NAN, 5.0), (f32::NAN, 50.0)], None);
    }

    #[test]
    fn the_score_is_the_first_class_of_the_softmax() {
        assert_eq!(bona_fide([0.0; 3]), Some(1.0 / 3.0));
        assert!(bona_fide([900.0, -900.0, 0.0]).is_some_and(|s| s > 0.999));
        assert!(bona_fide([-900.0, 900.0, 0.0]).is_some_and(|s| s < 0.001));
        assert_eq!(bona_fide([f32::NAN, 0.0, 0.0]), None);
        assert_eq!(bona_fide([f32::INFINITY, 0.0, 0.0]), None);
    }

    #[test]
    fn without_points_there_is_no_score() {
        assert_eq!(crop_around(&[], 640, 480), None);
    }
}
