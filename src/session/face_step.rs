//! The face step: frames that are good enough are compared; the median of several scores counts, never a single one.

use super::calm::{Calm, Tally};
use crate::base::time::Moment;
use crate::guidance::model::FacePrompt;
use crate::perception::observation::{FaceObservation, LightState, PrimaryFace, SceneLight};
use crate::perception::quality::QualityComponent as Q;
use crate::verdict::evidence::{ComparisonEvidence, FaceEvidence, Measure, PadEvidence};
use crate::verdict::policy::FaceRules;
use crate::verdict::reasons::Reason;

/// What stands in the way of comparing a face.
#[derive(Clone, Debug, PartialEq)]
pub struct FaceProblem {
    /// What the person is told.
    pub prompt: FacePrompt,
    /// What the outcome says, should the time run out.
    pub reason: Reason,
    /// Value and limit.
    pub measure: Option<Measure>,
}

/// What the scores of the face step are held against.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FaceThresholds {
    /// Least comparison score of a match.
    pub comparison: f64,
    /// Least PAD score of a bona fide presentation; `None` if attack detection is recorded only.
    pub pad: Option<f64>,
}

/// An attack is suspected only after so many times the frames that a good face needs: a second, by the usual policy and camera.
const DOUBTED: usize = 6;

/// The light in which a frame was taken.
#[derive(Clone, Copy, Debug, Default)]
pub struct FrameLight {
    /// Of the whole frame.
    pub scene: SceneLight,
    /// Ring and exposure, and how their loop stands: only when it can do no more is the light around to blame.
    pub state: LightState,
}

/// State of the face step.
#[derive(Clone, Debug)]
pub struct FaceStep {
    scores: Vec<f32>,
    uncompared: u32,
    /// A good frame's score, or none if the net gave none.
    pad_scores: Vec<Option<f32>>,
    inter_eye: Vec<f32>,
    sharpness: Vec<u8>,
    luminance: Vec<u8>,
    problems: Tally<FaceProblem>,
    /// What stands in the way in the newest frame.
    present: Option<FaceProblem>,
    prompt: Calm<FacePrompt>,
    n_frames: u32,
}

impl FaceStep {
    /// Begins at `now`.
    pub fn new(now: Moment) -> Self {
        Self {
            scores: Vec::new(),
            uncompared: 0,
            pad_scores: Vec::new(),
            inter_eye: Vec::new(),
            sharpness: Vec::new(),
            luminance: Vec::new(),
            problems: Tally::default(),
            present: None,
            prompt: Calm::new(FacePrompt::Look, now),
            n_frames: 0,
        }
    }

    /// What the person is told.
    pub fn prompt(&self) -> FacePrompt {
        self.prompt.shown()
    }

    /// What stands in the way in the newest frame, and whether the person is told.
    pub fn problem(&self) -> Option<(&FaceProblem, bool)> {
        let problem = self.present.as_ref()?;
        // To look into the camera is what is asked of everybody, not a remedy.
        let told = problem.prompt == self.prompt() && problem.prompt != FacePrompt::Look;
        Some((problem, told))
    }

    /// Takes in one frame of `frame_size` pixels; gives the evidence once there is enough.
    ///
    /// Scores that reach their thresholds need [`FaceRules::n_frames`] good frames. If the comparison does not, twice as many are
    /// looked at; if attack detection does not, [`DOUBTED`] times as many, of which the latest count: nobody is suspected because the light was
    /// still finding its level.
    pub fn observe(
        &mut self,
        seen: &FaceObservation,
        light: FrameLight,
        frame_size: (u32, u32),
        at: Moment,
        rules: &FaceRules,
        thresholds: FaceThresholds,
    ) -> Option<FaceEvidence> {
        self.n_frames += 1;
        self.present = face_problem(seen, light, frame_size, rules);
        if let Some(problem) = self.present.clone() {
            self.prompt.offer(problem.prompt, at);
            self.problems.count(problem, |a, b| a.reason == b.reason);
            return None;
        }
        let face = seen.primary.as_ref()?;
        self.prompt.offer(FacePrompt::Still, at);
        self.inter_eye.push(face.inter_eye_px);
        self.sharpness
            .extend(face.quality.get(Q::Sharpness).scalar());
        self.luminance
            .extend(face.quality.get(Q::LuminanceMean).scalar());
        match face.comparison_score {
            Some(score) => self.scores.push(score),
            None => self.uncompared += 1,
        }
        self.pad_scores.push(face.pad_score);
        let needed = usize::from(rules.n_frames);
        let score = median(&mut self.scores.clone());
        let pad = self.pad(2 * needed);
        // What is recorded only keeps nobody waiting.
        let doubtful = match (pad, thresholds.pad) {
            (_, None) => false,
            (PadEvidence::Score { score, .. }, Some(least)) => f64::from(score) < least,
            (PadEvidence::NotPossible { .. }, Some(_)) => true,
        };
        let comparison = match score {
            Some(score)
                if self.scores.len() >= needed
                    && f64::from(score) >= thresholds.comparison
                    && !doubtful =>
            {
                ComparisonEvidence::Score(score)
            }
            Some(score) if self.scores.len() >= 2 * needed && !doubtful => {
                ComparisonEvidence::Score(score)
            }
            Some(score) if self.scores.len() >= DOUBTED * needed => {
                ComparisonEvidence::Score(score)
            }
            None if self.uncompared as usize >= needed => ComparisonEvidence::NotPossible,
            _ => return None,
        };
        self.prompt.show(FacePrompt::Done, at);
        Some(FaceEvidence {
            n_frames: u32::try_from(self.inter_eye.len()).unwrap_or(u32::MAX),
            comparison,
            pad,
            inter_eye_px: median(&mut self.inter_eye.clone()).unwrap_or(0.0),
            sharpness: median_u8(&self.sharpness),
            luminance: median_u8(&self.luminance),
        })
    }

    /// Attack detection on the latest `n_latest` good frames.
    fn pad(&self, n_latest: usize) -> PadEvidence {
        let latest = &self.pad_scores[self.pad_scores.len().saturating_sub(n_latest)..];
        let mut scores: Vec<f32> = latest.iter().copied().flatten().collect();
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (n_frames, n_no_response) = (count(scores.len()), count(latest.len() - scores.len()));
        match median(&mut scores) {
            Some(score) if n_frames >= n_no_response => PadEvidence::Score {
                score,
                n_frames,
                n_no_response,
            },
            _ => PadEvidence::NotPossible { n_no_response },
        }
    }

    /// Why the step's time ran out: what stood in the way in most frames.
    pub fn why(&self) -> (Reason, Option<Measure>) {
        match self.problems.worst() {
            Some(problem) => (problem.reason, problem.measure.clone()),
            None if self.n_frames == 0 => (Reason::HwCameraNoFrames, None),
            None => (Reason::FaceNotFound, None),
        }
    }
}

fn median(values: &mut [f32]) -> Option<f32> {
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied()
}

fn median_u8(values: &[u8]) -> Option<u8> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}

/// What stands in the way of comparing the face of this frame, the first thing first; `None` if nothing does.
pub fn face_problem(
    seen: &FaceObservation,
    FrameLight { scene, state }: FrameLight,
    frame_size: (u32, u32),
    rules: &FaceRules,
) -> Option<FaceProblem> {
    let found = |prompt, reason, name, value: f64, limit: f64, unit| {
        Some(FaceProblem {
            prompt,
            reason,
            measure: Some(Measure {
                name,
                value,
                limit,
                unit,
            }),
        })
    };
    let Some(face) = seen.primary.as_ref().filter(|f| f.is_certain()) else {
        // In the dark nobody can be found: the booth makes light before it asks anything of the person.
        return if scene.mean < DARK_SCENE {
            found(
                FacePrompt::Light,
                Reason::EnvTooDark,
                "scene_luminance",
                scene.mean.into(),
                DARK_SCENE.into(),
                "share",
            )
        } else {
            Some(FaceProblem {
                prompt: FacePrompt::Look,
                reason: Reason::FaceNotFound,
                measure: None,
            })
        };
    };
    let quality = |component: Q| face.quality.get(component).scalar();
    if seen.n_faces > 1 && quality(Q::SingleFacePresent).is_some_and(|q| q < LEAST_SINGLE_FACE) {
        let value = f64::from(quality(Q::SingleFacePresent).unwrap_or(0));
        return found(
            FacePrompt::Alone,
            Reason::FaceMultiple,
            "SingleFacePresent",
            value,
            LEAST_SINGLE_FACE.into(),
            "0..100",
        );
    }
    let (width, height) = (frame_size.0 as f32, frame_size.1 as f32);
    let ied = face.inter_eye_px;
    if ied < rules.inter_eye_px {
        return found(
            FacePrompt::Closer,
            Reason::FaceTooFar,
            "InterEyeDistance",
            ied.into(),
            rules.inter_eye_px.into(),
            "px",
        );
    }
    let largest = height * LARGEST_INTER_EYE_SHARE;
    if ied > largest {
        return found(
            FacePrompt::Back,
            Reason::FaceTooClose,
            "InterEyeDistance",
            ied.into(),
            largest.into(),
            "px",
        );
    }
    if let Some(problem) = off_centre(face, width, height) {
        return Some(problem);
    }
    for (component, least, reason) in [
        (
            Q::LuminanceMean,
            rules.luminance,
            match (face.light.mean < 0.5, state.at_limit) {
                (true, true) if face.light.background > BRIGHT_BACKGROUND => Reason::EnvBacklit,
                (true, _) => Reason::EnvTooDark,
                (false, true) => Reason::EnvAmbientBeatsLight,
                (false, false) => Reason::EnvTooBright,
            },
        ),
        (
            Q::IlluminationUniformity,
            rules.uniformity,
            if state.at_limit {
                Reason::EnvAmbientBeatsLight
            } else {
                Reason::EnvSideLit
            },
        ),
    ] {
        if let Some(value) = quality(component).filter(|q| *q < least) {
            let name = if component == Q::LuminanceMean {
                "LuminanceMean"
            } else {
                "IlluminationUniformity"
            };
            return found(
                FacePrompt::Light,
                reason,
                name,
                value.into(),
                least.into(),
                "0..100",
            );
        }
    }
    for angle in [face.pose.yaw, face.pose.pitch, face.pose.roll] {
        if angle.abs() > rules.pose_degrees {
            let (value, limit) = (angle.abs().into(), rules.pose_degrees.into());
            return found(
                FacePrompt::Straight,
                Reason::FacePose,
                "HeadPose",
                value,
                limit,
                "deg",
            );
        }
    }
    let low = |component, least: u8| quality(component).filter(|q| *q < least);
    if let Some(value) = low(Q::EyesOpen, rules.eyes_open) {
        let limit = rules.eyes_open.into();
        return found(
            FacePrompt::OpenEyes,
            Reason::FaceEyesClosed,
            "EyesOpen",
            value.into(),
            limit,
            "0..100",
        );
    }
    if let Some(value) = low(Q::Sharpness, rules.sharpness) {
        let limit = rules.sharpness.into();
        return found(
            FacePrompt::Still,
            Reason::FaceBlurred,
            "Sharpness",
            value.into(),
            limit,
            "0..100",
        );
    }
    None
}

/// A background with this mean is mostly cut off at full scale.
const BRIGHT_BACKGROUND: f32 = 0.8;
/// Below this mean luminance of the frame, darkness is the likelier reason for a missing face than an empty seat.
const DARK_SCENE: f32 = 0.08;
/// Below this value of SingleFacePresent another face is large enough to be meant.
const LEAST_SINGLE_FACE: u8 = 60;
/// Above this share of the frame's height between the eyes, the face does not fit.
const LARGEST_INTER_EYE_SHARE: f32 = 0.32;
/// The face's centre may be this far from the frame's, as a share of the width and height.
const LARGEST_OFFSET: (f32, f32) = (0.25, 0.28);

fn off_centre(face: &PrimaryFace, width: f32, height: f32) -> Option<FaceProblem> {
    let centre = face.bounds.centre();
    let offsets = [
        (
            (centre.x / width - 0.5).abs(),
            LARGEST_OFFSET.0,
            "face_offset_x",
        ),
        (
            (centre.y / height - 0.5).abs(),
            LARGEST_OFFSET.1,
            "face_offset_y",
        ),
    ];
    offsets
        .into_iter()
        .find(|(offset, limit, _)| offset > limit)
        .map(|(offset, limit, name)| FaceProblem {
            prompt: FacePrompt::Centre,
            reason: Reason::FaceOffCentre,
            measure: Some(Measure {
                name,
                value: offset.into(),
                limit: limit.into(),
                unit: "share",
            }),
        })
}
