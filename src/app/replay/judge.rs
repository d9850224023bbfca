//! What a session says of pictures: of a photograph, which is one look, and of a recording, whose looks go through the session's own
//! steps with the times of the frames. The codes are the session's and the decision's; none is made up here.
//!
//! The light cannot be changed, so it is taken as if its loop could do no more. A photograph is judged as if one reading were enough,
//! and shows one side of a document; a recording needs as many as the policy says.

use crate::base::terms::{DocumentKind, Purpose};
use crate::base::time::Moment;
use crate::perception::document::limits::DocumentLimits;
use crate::perception::observation::{
    DocumentObservation, FaceObservation, LightState, SceneLight,
};
use crate::perception::pad::calibration::PadThreshold;
use crate::session::document_problems::refusal;
use crate::session::document_step::{DocumentStep, Expected, Progress, ReadDocument, ReadText};
use crate::session::face_problems::{FaceProblem, FrameLight, face_problem};
use crate::session::face_step::{FaceStep, FaceThresholds};
use crate::verdict::decision::{ComparisonThreshold, decide};
use crate::verdict::evidence::{
    CivilDate, DocumentEvidence, Ending, Evidence, FaceEvidence, Measure, Step,
};
use crate::verdict::policy::{DocumentRules, Policy};
use crate::verdict::reasons::Reason;
use std::time::Duration;

/// What a session goes by.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) policy: Policy,
    pub(super) limits: DocumentLimits,
    pub(super) threshold: ComparisonThreshold,
    pub(super) pad: PadThreshold,
    /// The day on which documents are judged.
    pub(super) today: CivilDate,
}

/// What there is to say of a document or a face.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Finding {
    /// Nothing is against it.
    Clear,
    /// What a session would say, first thing first.
    Against(Reason, Option<Measure>),
    /// Nothing is against it, but the recording ends before a session would know.
    Open,
}

impl Finding {
    /// The code, or that there is none.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Clear => "ok",
            Self::Against(reason, _) => reason.code(),
            Self::Open => "(too short)",
        }
    }

    /// From the first reason of a decision that is about this, if there is one.
    fn of(reason: Option<(Reason, Option<Measure>)>) -> Self {
        reason.map_or(Self::Clear, |(reason, measure)| {
            Self::Against(reason, measure)
        })
    }
}

/// A look at a face, kept until it is known when the face step begins.
#[derive(Clone, Debug)]
pub(super) struct FaceLook {
    pub(super) at: Moment,
    pub(super) size: (u32, u32),
    pub(super) scene: SceneLight,
    pub(super) seen: FaceObservation,
}

/// The document step over a recording.
#[derive(Clone, Debug)]
pub(super) struct DocumentOverTime<'a> {
    rules: &'a Rules,
    step: DocumentStep,
    began: Moment,
}

impl FaceLook {
    fn light(&self) -> FrameLight {
        FrameLight {
            scene: self.scene,
            state: LightState {
                at_limit: true,
                ..LightState::default()
            },
        }
    }
}

impl<'a> DocumentOverTime<'a> {
    pub(super) fn new(rules: &'a Rules, now: Moment) -> Self {
        Self {
            rules,
            step: DocumentStep::new(now, None),
            began: now,
        }
    }

    /// Takes in one look; gives what came of the step when it ends, and the document if it was read.
    pub(super) fn see(
        &mut self,
        seen: &DocumentObservation,
        at: Moment,
    ) -> Option<(Finding, Option<Box<ReadDocument>>)> {
        let rules = &self.rules.policy.document;
        if at.since(self.began) >= self.rules.document_time() {
            return Some((self.why(), None));
        }
        let expected = self.rules.expected(rules, true);
        self.progress(|step| step.observe(seen, at, expected))
    }

    /// The recording is over: time goes on until the step's is over, and nothing more is seen.
    pub(super) fn end(mut self) -> (Finding, Option<Box<ReadDocument>>) {
        let rules = &self.rules.policy.document;
        let at = self.began.plus(self.rules.document_time());
        let expected = self.rules.expected(rules, true);
        let nothing = DocumentObservation::default();
        self.progress(|step| step.observe(&nothing, at, expected))
            .unwrap_or_else(|| (self.why(), None))
    }

    fn progress(
        &mut self,
        observe: impl FnOnce(&mut DocumentStep) -> Progress,
    ) -> Option<(Finding, Option<Box<ReadDocument>>)> {
        match observe(&mut self.step) {
            Progress::More => None,
            Progress::Read(document) => Some((self.rules.on_document(&document), Some(document))),
            Progress::Failed(reason) => Some((Finding::Against(reason, None), None)),
        }
    }

    fn why(&self) -> Finding {
        let (reason, measure) = self.step.why();
        Finding::Against(reason, measure)
    }
}

impl Rules {
    fn document_time(&self) -> Duration {
        Duration::from_secs(self.policy.times.document_s.into())
    }

    fn expected<'a>(&'a self, rules: &'a DocumentRules, both_sides: bool) -> Expected<'a> {
        Expected {
            rules,
            limits: &self.limits,
            takes_cards: both_sides && rules.accepted.contains(&DocumentKind::PrcId),
        }
    }

    /// A photograph of a document.
    pub(super) fn document(&self, seen: &DocumentObservation) -> Finding {
        let rules = DocumentRules {
            n_readings: 1,
            n_readings_refuted: 1,
            ..self.policy.document.clone()
        };
        let expected = self.expected(&rules, false);
        let mut step = DocumentStep::new(Moment::ZERO, None);
        let nothing = DocumentObservation::default();
        // What is waited for is waited for in vain.
        for (seen, at) in [
            (seen, Moment::ZERO),
            (&nothing, Moment::ZERO.plus(self.document_time())),
        ] {
            match step.observe(seen, at, expected) {
                Progress::More => {}
                Progress::Read(document) => return self.on_document(&document),
                Progress::Failed(reason) => return Finding::Against(reason, None),
            }
        }
        let (reason, measure) = step.why();
        Finding::Against(reason, measure)
    }

    /// A photograph of a face.
    pub(super) fn face(&self, look: &FaceLook) -> Finding {
        Finding::of(self.face_problem(look).map(|p| (p.reason, p.measure)))
    }

    /// What stands in the way of comparing a face.
    pub(super) fn face_problem(&self, look: &FaceLook) -> Option<FaceProblem> {
        face_problem(&look.seen, look.light(), look.size, &self.policy.face)
    }

    /// The face step over a recording. `compared`: there was something to compare with. `None` without a look.
    pub(super) fn face_over_time(&self, looks: &[FaceLook], compared: bool) -> Option<Finding> {
        let began = looks.first()?.at;
        let time = Duration::from_secs(self.policy.times.face_s.into());
        let thresholds = FaceThresholds {
            comparison: self.threshold.score,
            pad: self.policy.pad.required.then_some(self.pad.score),
        };
        let mut step = FaceStep::new(began);
        let (mut n, mut n_good) = (0, 0);
        let mut is_over = false;
        for look in looks {
            is_over = look.at.since(began) >= time;
            if is_over {
                break;
            }
            let evidence = step.observe(
                &look.seen,
                look.light(),
                look.size,
                look.at,
                &self.policy.face,
                thresholds,
            );
            if let Some(evidence) = evidence {
                return Some(self.on_face(evidence, compared));
            }
            n += 1;
            n_good += usize::from(step.problem().is_none());
        }
        if !is_over && 2 * n_good > n {
            return Some(Finding::Open);
        }
        let (reason, measure) = step.why();
        Some(Finding::Against(reason, measure))
    }

    /// What the decision has against a document that was read.
    fn on_document(&self, read: &ReadDocument) -> Finding {
        let document = read.evidence(self.today);
        let ending =
            refusal(&document, &self.policy.document, true).map_or(Ending::Complete, |reason| {
                Ending::Stopped {
                    reason,
                    step: Step::Document,
                    measure: None,
                }
            });
        // A back has no portrait and no date of birth, a front no term of validity.
        let (is_back, is_half) = match &read.text {
            ReadText::Card(card) => (
                card.front.is_none(),
                card.front.is_none() || card.back.is_none(),
            ),
            _ => (false, false),
        };
        self.decided(ending, Some(document), None, |reason| {
            let about_documents = ["doc.", "policy."]
                .iter()
                .any(|family| reason.code().starts_with(family));
            about_documents
                && !(is_back && reason == Reason::DocPortraitUnusable)
                && !(is_half && reason == Reason::DocSuspectDateLogic)
        })
    }

    /// What the decision has against a face that was good enough.
    fn on_face(&self, face: FaceEvidence, compared: bool) -> Finding {
        self.decided(Ending::Complete, None, Some(face), |reason| {
            let about_faces = ["face.", "live."]
                .iter()
                .any(|family| reason.code().starts_with(family));
            // Where there is nothing to compare with, that is not the face's fault.
            about_faces && (compared || reason != Reason::FaceMatchNotPossible)
        })
    }

    /// The first reason of the decision that is about what was found out here.
    fn decided(
        &self,
        ending: Ending,
        document: Option<DocumentEvidence>,
        face: Option<FaceEvidence>,
        is_about_it: impl Fn(Reason) -> bool,
    ) -> Finding {
        let evidence = Evidence {
            purpose: Purpose::Onboarding,
            practice: false,
            ending,
            document,
            fields: Vec::new(),
            face,
            today: self.today,
            remedies: Vec::new(),
            next: None,
        };
        let decision = decide(&evidence, &self.policy, &self.threshold, &self.pad);
        let mut reasons = decision.reasons.into_iter();
        let first = reasons.find(|r| is_about_it(r.reason));
        Finding::of(first.map(|r| (r.reason, r.measure)))
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
