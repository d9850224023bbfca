//! The face step: frames that are good enough are compared; the median of several scores counts, never a single one.

use super::calm::{Calm, Tally};
use super::face_problems::{FaceProblem, FrameLight, face_problem};
use crate::base::time::Moment;
use crate::guidance::model::FacePrompt;
use crate::perception::observation::FaceObservation;
use crate::perception::quality::QualityComponent as Q;
use crate::verdict::evidence::{ComparisonEvidence, FaceEvidence, Measure, PadEvidence};
use crate::verdict::policy::FaceRules;
use crate::verdict::reasons::Reason;

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
