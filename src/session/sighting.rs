//! What frames do: a code opens the way, a document is read, a face is compared.

use super::document_problems::refusal;
use super::document_step::{Expected, Progress};
use super::event::{Effect, Now};
use super::face_problems::FrameLight;
use super::face_step::FaceThresholds;
use super::remedy::Frame;
use super::state::{Session, State};
use super::visit::stopped;
use crate::base::secret::Secret;
use crate::base::terms::DocumentKind;
use crate::base::time::Moment;
use crate::perception::observation::{Observation, Seen};
use crate::trust::sha256;
use crate::verdict::evidence::{Ending, FaceEvidence, Step};
use crate::verdict::reasons::Reason;
use std::time::Duration;

/// A refused code that stays in view is not checked again; one that was out of view for this long is.
const REFUSED_GONE: Duration = Duration::from_secs(3);

/// A step that is done and still shows "got it".
#[derive(Debug)]
pub(super) enum Done {
    /// The number that the portrait is remembered by.
    Document(Secret),
    Face(Box<FaceEvidence>),
}

impl Session {
    pub(super) fn seen(&mut self, observation: Observation, now: Now) -> Vec<Effect> {
        // Freshness fence: this frame shows what was before the present step.
        if observation.at < self.entered || self.done.is_some() {
            return Vec::new();
        }
        let at = observation.at;
        let effects = self.take_in(&observation, at, now);
        self.watch_remedies(&observation);
        effects
    }

    fn take_in(&mut self, observation: &Observation, at: Moment, now: Now) -> Vec<Effect> {
        match (&mut self.state, &observation.seen) {
            (State::Idle | State::ShowTicket { .. }, Seen::Code(Some(code))) => {
                let digest = sha256(code.reveal().as_bytes());
                if let Some((known, last)) = &mut self.refused
                    && *known == digest
                    && at.since(*last) < REFUSED_GONE
                {
                    *last = at;
                    return Vec::new();
                }
                self.presented = Some(digest);
                self.enter(State::Admitting, now);
                vec![Effect::CheckTicket(code.clone())]
            }
            (State::Document(step), Seen::Document(seen)) => {
                let rules = &self.house.policy.document;
                let ticket = self.visit.as_ref().and_then(|v| v.ticket.as_ref());
                let kind = DocumentKind::PrcId;
                let expected = Expected {
                    rules,
                    limits: &self.house.document_limits,
                    takes_cards: rules.accepted.contains(&kind)
                        && ticket.is_none_or(|t| t.accepts(kind)),
                };
                match step.observe(seen, at, expected) {
                    Progress::More => Vec::new(),
                    Progress::Read(document) => {
                        if let Some(visit) = self.visit.as_mut() {
                            visit.document_read(&document, now);
                        }
                        self.done = Some((now.at, Done::Document(document.number())));
                        Vec::new()
                    }
                    Progress::Failed(reason) => self.failed(Step::Document, reason, None, now),
                }
            }
            (State::Face(step), Seen::Face(seen)) => {
                let rules = &self.house.policy.face;
                let thresholds = FaceThresholds {
                    comparison: self.house.threshold.score,
                    pad: (self.house.policy.pad.required).then_some(self.house.pad.score),
                };
                let evidence = step.observe(
                    seen,
                    FrameLight {
                        scene: observation.scene,
                        state: observation.light,
                    },
                    self.house.frame_size,
                    at,
                    rules,
                    thresholds,
                );
                if let Some(evidence) = evidence {
                    self.done = Some((now.at, Done::Face(Box::new(evidence))));
                }
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// What this frame says of the remedies.
    fn watch_remedies(&mut self, observation: &Observation) {
        let Some(visit) = self.visit.as_mut() else {
            return;
        };
        let (step, problem) = match &self.state {
            State::Document(step) => (Step::Document, step.problem()),
            State::Face(step) => {
                let problem = step.problem();
                let problem = problem.map(|(p, told)| (p.reason, p.measure.as_ref(), told));
                (Step::Face, problem)
            }
            _ => return,
        };
        let frame = Frame {
            step,
            at_ms: visit.ms_at(observation.at),
            problem: problem.map(|p| p.0),
            measure: problem.and_then(|p| p.1),
            told: problem.is_some_and(|p| p.2),
            frame_size: self.house.frame_size,
        };
        visit.remedies.frame(frame, observation);
    }

    pub(super) fn next_after_done(&mut self, now: Now) -> Vec<Effect> {
        let Some((_, done)) = self.done.take() else {
            return Vec::new();
        };
        let entered = self.entered;
        match done {
            Done::Document(number) => {
                if let Some(visit) = self.visit.as_mut() {
                    visit.spent(Step::Document, entered, now.at);
                    visit.remedies.end_try();
                }
                // An unsupported or expired document is said at once, before the face.
                if let Some(reason) = self.document_unacceptable() {
                    return self.end(stopped(reason, Step::Document, None), now);
                }
                self.enter_face(now);
                // The face is compared with the portrait of the document that is believed, not with one that was shown beside it.
                vec![Effect::UsePortrait(number)]
            }
            Done::Face(evidence) => {
                if let Some(visit) = self.visit.as_mut() {
                    visit.remedies.end_try();
                    visit.spent(Step::Face, entered, now.at);
                    visit.face = Some(*evidence);
                }
                self.end(Ending::Complete, now)
            }
        }
    }

    fn document_unacceptable(&self) -> Option<Reason> {
        let visit = self.visit.as_deref()?;
        let document = visit.document.as_ref()?;
        let by_ticket = visit
            .ticket
            .as_ref()
            .is_none_or(|t| t.accepts(document.kind));
        refusal(document, &self.house.policy.document, by_ticket)
    }
}
