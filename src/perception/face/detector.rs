//! Faces in a frame: BlazeFace, short range (faces up to about two metres).
//!
//! Recipe of the maker (MediaPipe, Apache-2.0): RGB 128x128, letterbox; 896 anchors on grids of 16x16 (two each) and 8x8 (six
//! each); `cx = r0/128 + anchor_x`, `w = r2/128`; six key points; sigmoid of the score; weighted non-maximum suppression.

use crate::base::frame::FrameView;
use crate::base::geometry::{Point, Rect};
use crate::models::{Interpreter, ModelError, PixelLut};
use crate::perception::sampling::{Affine, Target, sample};

/// Side of the input.
const SIDE: u32 = 128;
const N_ANCHORS: usize = 896;
const N_VALUES: usize = 16;
/// Least score of a face.
const LEAST_SCORE: f32 = 0.5;
/// A face with its eyes nearer together than this share of the frame's width may be missed in the whole frame.
pub(super) const LARGEST_FAR: f32 = 0.045;
/// Boxes that overlap more than this are the same face.
const SAME_FACE_IOU: f32 = 0.3;
/// At most so many anchors above the threshold are looked at, the best first.
const N_CANDIDATES: usize = 64;
/// At most so many faces are reported.
pub const N_FACES: usize = 8;

/// A face that was found, in pixels of the frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DetectedFace {
    /// Box.
    pub bounds: Rect,
    /// Score, 0..=1.
    pub score: f32,
    /// Subject's right eye, left eye, nose tip, mouth, right ear, left ear.
    pub key_points: [Point; 6],
}

/// Finds faces.
#[derive(Debug)]
pub struct FaceDetector {
    net: Interpreter,
    lut: PixelLut,
    anchors: Box<[Point; N_ANCHORS]>,
    candidates: Vec<DetectedFace>,
    faces: Vec<DetectedFace>,
    scores_at: usize,
    boxes_at: usize,
}

/// Middles of the anchors, as shares of the input.
fn anchors() -> Box<[Point; N_ANCHORS]> {
    let mut all = Box::new([Point::default(); N_ANCHORS]);
    let mut at = 0;
    for (n, per_cell) in [(16usize, 2), (8, 6)] {
        for y in 0..n {
            for x in 0..n {
                for _ in 0..per_cell {
                    all[at] = Point::new((x as f32 + 0.5) / n as f32, (y as f32 + 0.5) / n as f32);
                    at += 1;
                }
            }
        }
    }
    all
}

impl FaceDetector {
    /// A detector on a loaded net.
    ///
    /// # Errors
    /// [`ModelError::Unsuitable`] if the net has no outputs of 896 scores and 896 x 16 numbers.
    pub fn new(net: Interpreter) -> Result<Self, ModelError> {
        let scores_at = net.output_of_shape("scores", &[N_ANCHORS, 1], "one output of 896 x 1")?;
        let boxes_at =
            net.output_of_shape("boxes", &[N_ANCHORS, N_VALUES], "one output of 896 x 16")?;
        super::expect_input(&net, SIDE)?;
        Ok(Self {
            lut: net.pixel_lut(0)?,
            net,
            anchors: anchors(),
            candidates: Vec::with_capacity(N_CANDIDATES),
            faces: Vec::with_capacity(N_FACES),
            scores_at,
            boxes_at,
        })
    }

    /// Faces of a frame, the largest first, at most [`N_FACES`].
    ///
    /// # Errors
    /// If the net cannot be run.
    pub fn detect(&mut self, frame: &FrameView<'_>) -> Result<&[DetectedFace], ModelError> {
        let whole = Affine::letterbox(frame.width(), frame.height(), SIDE);
        self.detect_in(frame, whole)
    }

    /// Faces that are too small to be found in the whole frame, looked for in its middle half. Larger ones are not reported: what the
    /// whole frame does not show is a part of something then, of a face too near for instance, and nobody may be compared with that.
    ///
    /// # Errors
    /// If the net cannot be run.
    pub fn detect_far(&mut self, frame: &FrameView<'_>) -> Result<&[DetectedFace], ModelError> {
        let (width, height) = (frame.width() / 2, frame.height() / 2);
        let mut map = Affine::letterbox(width, height, SIDE);
        map.c += (frame.width() - width) as f32 / 2.0;
        // Heads are above the middle.
        map.f += (frame.height() - height) as f32 * 0.4;
        self.detect_in(frame, map)?;
        let most = LARGEST_FAR * frame.width() as f32;
        self.faces.retain(|face| {
            let [right, left, ..] = face.key_points;
            right.distance(left) < most
        });
        Ok(&self.faces)
    }

    fn detect_in(
        &mut self,
        frame: &FrameView<'_>,
        map: Affine,
    ) -> Result<&[DetectedFace], ModelError> {
        let target = Target {
            width: SIDE,
            height: SIDE,
            lut: &self.lut,
            tile: None,
        };
        self.net
            .input(0, |tensor| sample(frame, &map, target, tensor))?;
        self.net.invoke()?;
        self.decode(&map)?;
        suppress(&mut self.candidates, &mut self.faces);
        // Unstable: a stable sort may allocate.
        self.faces
            .sort_unstable_by(|a, b| b.bounds.area().total_cmp(&a.bounds.area()));
        Ok(&self.faces)
    }

    /// Runs the net on what its input holds, for benchmarks.
    ///
    /// # Errors
    /// If the net cannot be run.
    pub fn invoke_bare(&mut self) -> Result<(), ModelError> {
        self.net.invoke()
    }

    fn decode(&mut self, map: &Affine) -> Result<(), ModelError> {
        let (candidates, anchors) = (&mut self.candidates, &self.anchors);
        candidates.clear();
        let least = (LEAST_SCORE / (1.0 - LEAST_SCORE)).ln();
        let mut found = [(0usize, 0f32); N_CANDIDATES];
        let mut n = 0;
        self.net.output(self.scores_at, |scores| {
            for i in 0..N_ANCHORS {
                let logit = scores.get(i);
                if logit >= least && n < N_CANDIDATES {
                    found[n] = (i, 1.0 / (1.0 + (-logit).exp()));
                    n += 1;
                }
            }
        })?;
        self.net.output(self.boxes_at, |values| {
            for (i, score) in &found[..n] {
                let anchor = anchors[*i];
                let value = |k: usize| values.get(i * N_VALUES + k);
                // Values are pixels of the input around the anchor.
                let point = |k: usize| {
                    let side = SIDE as f32;
                    map.apply(Point::new(
                        value(k) + anchor.x * side,
                        value(k + 1) + anchor.y * side,
                    ))
                };
                let (centre, w, h) = (point(0), value(2) * map.a, value(3) * map.e);
                candidates.push(DetectedFace {
                    bounds: Rect::new(centre.x - w / 2.0, centre.y - h / 2.0, w, h),
                    score: *score,
                    key_points: std::array::from_fn(|p| point(4 + 2 * p)),
                });
            }
        })
    }
}

/// Weighted non-maximum suppression: boxes of one face are averaged by their scores.
fn suppress(candidates: &mut Vec<DetectedFace>, faces: &mut Vec<DetectedFace>) {
    faces.clear();
    candidates.sort_unstable_by(|a, b| b.score.total_cmp(&a.score));
    while let Some(best) = candidates.first().copied() {
        let (mut total, mut sum) = (0.0, [0.0f32; 16]);
        candidates.retain(|c| {
            // The best belongs to itself even if its box is empty.
            let same = *c == best || c.bounds.iou(best.bounds) > SAME_FACE_IOU;
            if same {
                total += c.score;
                let b = c.bounds;
                let values = [b.x, b.y, b.w, b.h]
                    .into_iter()
                    .chain(c.key_points.iter().flat_map(|p| [p.x, p.y]));
                for (s, v) in sum.iter_mut().zip(values) {
                    *s += v * c.score;
                }
            }
            !same
        });
        let mean = sum.map(|s| s / total);
        if faces.len() < N_FACES {
            faces.push(DetectedFace {
                bounds: Rect::new(mean[0], mean[1], mean[2], mean[3]),
                score: best.score,
                key_points: std::array::from_fn(|p| Point::new(mean[4 + 2 * p], mean[5 + 2 * p])),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_are_those_of_the_maker() {
        let a = anchors();
        let check = |i: usize, x: f32, y: f32| assert_eq!(a[i], Point::new(x, y), "anchor {i}");
        check(0, 0.03125, 0.03125);
        check(1, 0.03125, 0.03125);
        check(2, 0.09375, 0.03125);
        check(511, 0.96875, 0.96875);
        check(512, 0.0625, 0.0625);
        check(895, 0.9375, 0.9375);
    }

    #[test]
    fn overlapping_boxes_become_one_face_and_distant_ones_stay() {
        let face = |x, score| DetectedFace {
            bounds: Rect::new(x, 0.0, 10.0, 10.0),
            score,
            ..Default::default()
        };
        let (mut candidates, mut faces) = (
            vec![face(0.0, 0.5), face(2.0, 1.0), face(50.0, 0.7)],
            Vec::new(),
        );
        suppress(&mut candidates, &mut faces);
        let found: Vec<(f32, f32)> = faces.iter().map(|f| (f.bounds.x, f.score)).collect();
        assert_eq!(found.len(), 2);
        assert!(
            (found[0].0 - 4.0 / 3.0).abs() < 1e-5 && found[0].1 == 1.0,
            "{found:?}"
        );
        assert!((found[1].0 - 50.0).abs() < 1e-4, "{found:?}");
    }

    #[test]
    fn an_empty_box_does_not_hang() {
        let (mut candidates, mut faces) = (
            vec![
                DetectedFace {
                    score: 0.9,
                    ..Default::default()
                };
                3
            ],
            Vec::new(),
        );
        suppress(&mut candidates, &mut faces);
        assert!(!faces.is_empty());
    }
}
