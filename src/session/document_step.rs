//! The document step: readings of many frames are counted; a reading is believed when it came often enough.

use super::calm::{Calm, Tally};
use crate::base::time::Moment;
use crate::guidance::model::DocumentPrompt;
use crate::perception::document::limits::DocumentLimits;
use crate::perception::document::mrz::Mrz;
use crate::perception::observation::{DocumentObservation, DocumentProblem};
use crate::verdict::evidence::{Measure, PortraitEvidence};
use crate::verdict::policy::DocumentRules;
use crate::verdict::reasons::Reason;
use std::time::Duration;

/// How long a portrait is waited for after the text is sure.
const PORTRAIT_PATIENCE: Duration = Duration::from_secs(4);
/// How many different readings are kept; more means that nothing is certain, and the rarest is dropped.
const N_VOTES: usize = 8;

/// State of the document step.
#[derive(Clone, Debug)]
pub struct DocumentStep {
    votes: Vec<Vote>,
    portrait_px: Option<f32>,
    sure_since: Option<Moment>,
    problems: Tally<(DocumentProblem, Option<Measure>)>,
    prompt: Calm<DocumentPrompt>,
    n_frames: u32,
}

#[derive(Clone, Debug)]
struct Vote {
    mrz: Mrz,
    n: u32,
    confidence: f32,
}

/// A document that is believed.
#[derive(Clone, Debug)]
pub struct ReadDocument {
    /// What was read.
    pub mrz: Mrz,
    /// How often it was read so.
    pub n_readings: u32,
    /// Best of the readings' lowest line confidences, 0..=1.
    pub confidence: f32,
    /// The portrait.
    pub portrait: PortraitEvidence,
}

impl DocumentStep {
    /// Begins at `now`.
    pub fn new(now: Moment) -> Self {
        Self {
            votes: Vec::new(),
            portrait_px: None,
            sure_since: None,
            problems: Tally::default(),
            prompt: Calm::new(DocumentPrompt::Show, now),
            n_frames: 0,
        }
    }

    /// What the person is told.
    pub fn prompt(&self) -> DocumentPrompt {
        self.prompt.shown()
    }

    /// Takes in one frame; gives the document once it is believed.
    pub fn observe(
        &mut self,
        seen: &DocumentObservation,
        at: Moment,
        rules: &DocumentRules,
        limits: &DocumentLimits,
    ) -> Option<ReadDocument> {
        self.n_frames += 1;
        if let Some(reading) = &seen.reading {
            if let Some(portrait) = &reading.portrait {
                self.portrait_px = Some(
                    self.portrait_px
                        .map_or(portrait.inter_eye_px, |p| p.max(portrait.inter_eye_px)),
                );
            }
            // Of resident identity cards no evidence is made yet: not built.
            if let Some(mrz) = reading.mrz() {
                self.vote(mrz, reading.confidence);
            }
        }
        if let Some(problem) = seen.problem {
            self.problems
                .count((problem, measure_of(problem, seen, limits)), |a, b| {
                    a.0 == b.0
                });
            self.prompt.offer(prompt_for(problem), at);
        } else if seen.reading.is_some() {
            let portrait_poor = self
                .portrait_px
                .is_none_or(|px| px < rules.portrait_inter_eye_px);
            self.prompt.offer(
                if portrait_poor {
                    DocumentPrompt::Closer
                } else {
                    DocumentPrompt::Still
                },
                at,
            );
        }
        let believed = self.believed(rules)?;
        let since = *self.sure_since.get_or_insert(at);
        let portrait_good = self
            .portrait_px
            .is_some_and(|px| px >= rules.portrait_inter_eye_px);
        if !portrait_good && at.since(since) < PORTRAIT_PATIENCE {
            return None;
        }
        let portrait = self
            .portrait_px
            .map_or(PortraitEvidence::NotFound, |inter_eye_px| {
                PortraitEvidence::Found { inter_eye_px }
            });
        let vote = &self.votes[believed];
        let document = ReadDocument {
            mrz: vote.mrz.clone(),
            n_readings: vote.n,
            confidence: vote.confidence,
            portrait,
        };
        self.prompt.show(DocumentPrompt::Done, at);
        Some(document)
    }

    fn vote(&mut self, mrz: &Mrz, confidence: f32) {
        if let Some(vote) = self.votes.iter_mut().find(|v| same_text(&v.mrz, mrz)) {
            vote.n += 1;
            vote.confidence = vote.confidence.max(confidence);
            return;
        }
        if self.votes.len() == N_VOTES {
            let rarest = (0..N_VOTES).min_by_key(|i| self.votes[*i].n).unwrap_or(0);
            self.votes.swap_remove(rarest);
        }
        self.votes.push(Vote {
            mrz: mrz.clone(),
            n: 1,
            confidence,
        });
    }

    /// A reading with all check digits verified needs fewer repetitions than one with a refuted digit: a misread character
    /// differs from frame to frame, a forged one does not. A verified reading goes before a refuted one.
    fn believed(&self, rules: &DocumentRules) -> Option<usize> {
        let verified = (0..self.votes.len())
            .filter(|i| {
                !self.votes[*i].mrz.checks.any_refuted()
                    && self.votes[*i].n >= u32::from(rules.n_readings)
            })
            .max_by_key(|i| self.votes[*i].n);
        let total: u32 = self.votes.iter().map(|v| v.n).sum();
        verified.or_else(|| {
            (0..self.votes.len())
                .filter(|i| {
                    let vote = &self.votes[*i];
                    vote.mrz.checks.any_refuted()
                        && vote.n >= u32::from(rules.n_readings_refuted)
                        && 2 * vote.n > total
                })
                .max_by_key(|i| self.votes[*i].n)
        })
    }

    /// Why the step's time ran out: what stood in the way in most frames.
    pub fn why(&self) -> (Reason, Option<Measure>) {
        match self.problems.worst() {
            Some((problem, measure)) => (reason_for(*problem), measure.clone()),
            None if self.n_frames == 0 => (Reason::HwCameraNoFrames, None),
            // Frames were read, but no two alike.
            None => (Reason::DocBlurred, None),
        }
    }
}

/// Whether two readings say the same, however many characters had to be mended in each.
fn same_text(a: &Mrz, b: &Mrz) -> bool {
    a.format == b.format
        && a.checks == b.checks
        && a.document_code == b.document_code
        && a.issuing_state == b.issuing_state
        && a.document_number == b.document_number
        && a.birth_date == b.birth_date
        && a.expiry_date == b.expiry_date
        && a.sex == b.sex
        && a.nationality == b.nationality
        && a.primary_identifier == b.primary_identifier
        && a.secondary_identifier == b.secondary_identifier
        && a.optional_data == b.optional_data
}

fn prompt_for(problem: DocumentProblem) -> DocumentPrompt {
    match problem {
        DocumentProblem::NotFound => DocumentPrompt::Show,
        DocumentProblem::CutOff => DocumentPrompt::WholeDocument,
        DocumentProblem::TooSmall => DocumentPrompt::Closer,
        DocumentProblem::Tilted => DocumentPrompt::Straight,
        DocumentProblem::Moving | DocumentProblem::Blurred | DocumentProblem::Unreadable => {
            DocumentPrompt::Still
        }
        DocumentProblem::Glare => DocumentPrompt::Glare,
        DocumentProblem::TooDark => DocumentPrompt::Dark,
        DocumentProblem::WrongSide => DocumentPrompt::OtherSide,
    }
}

/// The reason code of a problem.
pub fn reason_for(problem: DocumentProblem) -> Reason {
    match problem {
        DocumentProblem::NotFound => Reason::DocNotFound,
        DocumentProblem::CutOff => Reason::DocCutOff,
        DocumentProblem::TooSmall => Reason::DocTooSmall,
        DocumentProblem::Tilted => Reason::DocTilted,
        DocumentProblem::Moving => Reason::DocMoving,
        DocumentProblem::Blurred | DocumentProblem::Unreadable => Reason::DocBlurred,
        DocumentProblem::Glare => Reason::DocGlare,
        DocumentProblem::TooDark => Reason::DocTooDark,
        DocumentProblem::WrongSide => Reason::DocWrongSide,
    }
}

fn measure_of(
    problem: DocumentProblem,
    seen: &DocumentObservation,
    limits: &DocumentLimits,
) -> Option<Measure> {
    let (name, value, limit, unit) = match problem {
        DocumentProblem::TooSmall => (
            "document_area",
            seen.area_share,
            limits.min_area_share,
            "share",
        ),
        DocumentProblem::Tilted => (
            "document_tilt",
            seen.tilt_degrees,
            limits.max_tilt_degrees,
            "deg",
        ),
        DocumentProblem::Moving => ("document_motion", seen.motion?, limits.max_motion, "share"),
        DocumentProblem::Blurred => (
            "document_sharpness",
            seen.sharpness,
            limits.min_sharpness,
            "variance",
        ),
        DocumentProblem::Glare => (
            "document_glare",
            seen.glare_share,
            limits.max_glare_share,
            "share",
        ),
        DocumentProblem::TooDark => (
            "document_luminance",
            seen.luminance,
            limits.min_luminance,
            "share",
        ),
        _ => return None,
    };
    Some(Measure {
        name,
        value: f64::from(value),
        limit: f64::from(limit),
        unit,
    })
}
