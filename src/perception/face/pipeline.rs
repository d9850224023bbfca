//! The way of a frame through the face nets, with all buffers reused.

use super::detector::{DetectedFace, FaceDetector, LARGEST_FAR, N_FACES};
use super::embedding::{Embedder, Template};
use super::in_hand::DocumentInHand;
use super::landmarks::{LandmarkFinder, Mesh};
use super::pose::head_pose;
use crate::base::frame::FrameView;
use crate::base::geometry::{Point, Quad};
use crate::base::time::Moment;
use crate::models::{Catalogue, ModelError, ModelTask};
use crate::perception::observation::{FaceObservation, PrimaryFace};
use crate::perception::pad::AttackDetector;
use crate::perception::quality::assess::assess;

/// Distance of the eyes on a portrait, millimetres. ICAO 9303-3 and -5 allow portraits of 32 x 26 to 45 x 35 mm on passports, whose
/// heads are 70 to 80 % of the height: eyes are 6 to 11 mm apart; on cards portraits may be smaller, and not all keep to it.
const PORTRAIT_INTER_EYE_MM: std::ops::RangeInclusive<f32> = 3.5..=14.0;

/// Detector, landmarks, attack detection and embedding.
#[derive(Debug)]
pub struct FacePipeline {
    detector: FaceDetector,
    landmarks: LandmarkFinder,
    attacks: AttackDetector,
    embedder: Embedder,
    in_hand: DocumentInHand,
}

impl FacePipeline {
    /// Loads the four nets.
    ///
    /// # Errors
    /// If one is missing, corrupt or unsuitable.
    pub fn new(catalogue: &Catalogue) -> Result<Self, ModelError> {
        Ok(Self {
            detector: FaceDetector::new(catalogue.load(ModelTask::FaceDetector)?)?,
            landmarks: LandmarkFinder::new(catalogue.load(ModelTask::FaceLandmarks)?)?,
            attacks: AttackDetector::new(catalogue.load(ModelTask::FacePad)?)?,
            embedder: Embedder::new(catalogue.load(ModelTask::FaceEmbedding)?)?,
            in_hand: DocumentInHand::default(),
        })
    }

    /// A document was read in a frame that was captured then, with its portrait's eyes so far apart, pixels: no face of the frames to come.
    pub const fn document_was_read(&mut self, at: Moment, inter_eye_px: f32) {
        self.in_hand.was_read(at, inter_eye_px);
    }

    /// Whether a frame that was captured then may still show a document that was read.
    pub fn expects_document(&self, now: Moment) -> bool {
        self.in_hand.is_expected(now)
    }

    /// [`FacePipeline::analyse_beside`] where no document is expected.
    ///
    /// # Errors
    /// If a net cannot be run.
    pub fn analyse(&mut self, frame: &FrameView<'_>) -> Result<FaceObservation, ModelError> {
        self.analyse_beside(frame, None)
    }

    /// Measures the faces of a frame: detector, landmarks of the largest face, pose, quality, photometry. No comparison and no attack detection,
    /// which a portrait on a document does not need. `document` is where something lies that looks like a document: the portrait of the one
    /// that was read is none of the faces.
    ///
    /// # Errors
    /// If a net cannot be run.
    pub fn analyse_beside(
        &mut self,
        frame: &FrameView<'_>,
        document: Option<&Quad>,
    ) -> Result<FaceObservation, ModelError> {
        let mut faces = self.detector.detect(frame)?;
        let is_far = faces.is_empty();
        if is_far {
            // Somebody who stands far away is to be told to come nearer, not to look into the camera.
            faces = self.detector.detect_far(frame)?;
        }
        let portrait = self.in_hand.find(document, faces);
        let mut others = faces
            .iter()
            .enumerate()
            .filter(|(i, _)| Some(*i) != portrait);
        let nobody = FaceObservation {
            document_in_hand: document.is_some(),
            ..FaceObservation::default()
        };
        let Some((_, first)) = others.next() else {
            return Ok(nobody);
        };
        let first = *first;
        let second_area = others.next().map_or(0.0, |(_, f)| f.bounds.area());
        let n_faces = faces.len() - usize::from(portrait.is_some());
        let single = second_area / first.bounds.area().max(1.0);
        let primary = self.measure(frame, first, single)?;
        // The landmark net sees a larger face than the detector did: a part of something near.
        if is_far && primary.inter_eye_px > LARGEST_FAR * frame.width() as f32 {
            return Ok(nobody);
        }
        Ok(FaceObservation {
            n_faces,
            primary: Some(primary),
            ..nobody
        })
    }

    /// Measures the portrait on a page of which `px_per_mm` pixels are a millimetre: of the faces that have the size of a portrait
    /// on a travel document the one that detector and landmark net together are surest of. Guilloches and print that is drowned
    /// in light look like faces now and then, and such a face may be larger than the true one.
    ///
    /// # Errors
    /// If a net cannot be run.
    pub fn portrait(
        &mut self,
        page: &FrameView<'_>,
        px_per_mm: f32,
    ) -> Result<Option<PrimaryFace>, ModelError> {
        let mut faces = [DetectedFace::default(); N_FACES];
        let found = self.detector.detect(page)?;
        let n = found.len().min(N_FACES);
        faces[..n].copy_from_slice(&found[..n]);
        faces[..n].sort_unstable_by(|a, b| b.score.total_cmp(&a.score));
        let mut best: Option<PrimaryFace> = None;
        for face in faces.into_iter().take(n) {
            let [right, left, ..] = face.key_points;
            let better = best.as_ref().is_none_or(|b| face.score > b.certainty());
            if better && PORTRAIT_INTER_EYE_MM.contains(&(right.distance(left) / px_per_mm)) {
                let portrait = self.measure(page, face, 0.0)?;
                if best
                    .as_ref()
                    .is_none_or(|b| portrait.certainty() > b.certainty())
                {
                    best = Some(portrait);
                }
            }
        }
        Ok(best)
    }

    /// Landmarks and quality of a face that was detected. `second` is the area of the next largest face as a share of its own.
    fn measure(
        &mut self,
        frame: &FrameView<'_>,
        face: DetectedFace,
        second: f32,
    ) -> Result<PrimaryFace, ModelError> {
        let mesh = self.landmarks.find(frame, &face)?;
        let five_points = mesh.five_points();
        let pose = head_pose(&mesh.points);
        let (quality, light) = assess(mesh, pose, frame, face.bounds, second);
        Ok(PrimaryFace {
            bounds: face.bounds,
            detection_score: face.score,
            five_points,
            inter_eye_px: five_points[0].distance(five_points[1]),
            presence: mesh.presence,
            pose,
            quality,
            light,
            pad_score: None,
            comparison_score: None,
        })
    }

    /// PAD score of the last face that was analysed, which must be of this frame; `None` is a non-response.
    ///
    /// # Errors
    /// If the net cannot be run.
    pub fn pad_score(&mut self, frame: &FrameView<'_>) -> Result<Option<f32>, ModelError> {
        self.attacks
            .score(frame, self.landmarks.mesh().points.as_slice())
    }

    /// Landmarks of the last face that was analysed.
    pub fn mesh(&self) -> &Mesh {
        self.landmarks.mesh()
    }

    /// Faces only, without landmarks, the largest first.
    ///
    /// # Errors
    /// If the net cannot be run.
    pub fn detect(&mut self, frame: &FrameView<'_>) -> Result<&[DetectedFace], ModelError> {
        self.detector.detect(frame)
    }

    /// Template of the face with these five points.
    ///
    /// # Errors
    /// If the net cannot be run. `Ok(None)` if the points make no face.
    pub fn template(
        &mut self,
        frame: &FrameView<'_>,
        points: &[Point; 5],
    ) -> Result<Option<Template>, ModelError> {
        self.embedder.template(frame, points)
    }

    /// Runs one of the nets as it is, without pixels: what a whole frame is measured against.
    ///
    /// # Errors
    /// If a net cannot be run.
    pub fn invoke_bare(&mut self, which: ModelTask) -> Result<(), ModelError> {
        match which {
            ModelTask::FaceDetector => self.detector.invoke_bare(),
            ModelTask::FaceLandmarks => self.landmarks.invoke_bare(),
            ModelTask::FacePad => self.attacks.invoke_bare(),
            _ => self.embedder.invoke_bare(),
        }
    }

    /// Wipes what was kept of the last face.
    pub fn forget(&mut self) {
        self.landmarks.forget();
        self.in_hand.forget();
    }
}

/// At most so many faces are reported for a frame.
pub const LARGEST_N_FACES: usize = N_FACES;
