//! What the outside gets of a state: the screen, what vision looks for, how the light is set. Functions of the state, so that
//! none can be forgotten on a way into it.

use super::remedy::Answer;
use super::state::{Session, State};
use super::visit::Visit;
use crate::base::time::Moment;
use crate::guidance::model::{ResultSign, RetrySign, Screen, TicketHint, UiModel};
use crate::perception::observation::VisionTask;
use crate::verdict::attempts::Admission;
use crate::verdict::decision::{Decision, SessionResult};
use crate::verdict::evidence::Step;
use crate::verdict::reasons::{Attribution, Disposition, Reason};
use std::time::Duration;

/// How the light is to be set; the levels stand in the board file under these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LightScene {
    /// Low, to be found.
    Idle,
    /// For reading a code from a lit screen.
    Ticket,
    /// Even and from the side, without glare.
    Document,
    /// For the document from the left only: glare that both sides make goes away on one half.
    DocumentLeft,
    /// The same from the right.
    DocumentRight,
    /// For the document with more light: a shorter exposure, so that a trembling hand blurs less.
    DocumentStrong,
    /// For the face; the loop takes over from here.
    Face,
    /// For the face with little light: reflections on glasses, too much light.
    FaceSoft,
    /// For the face with more light: against the light around, and with a shorter exposure.
    FaceStrong,
}

impl LightScene {
    /// All of them; a board file must have a recipe for each.
    pub const ALL: [Self; 9] = [
        Self::Idle,
        Self::Ticket,
        Self::Document,
        Self::DocumentLeft,
        Self::DocumentRight,
        Self::DocumentStrong,
        Self::Face,
        Self::FaceSoft,
        Self::FaceStrong,
    ];

    /// The name of the recipe.
    pub const fn recipe(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Ticket => "ticket",
            Self::Document => "document",
            Self::DocumentLeft => "document_left",
            Self::DocumentRight => "document_right",
            Self::DocumentStrong => "document_strong",
            Self::Face => "face",
            Self::FaceSoft => "face_soft",
            Self::FaceStrong => "face_strong",
        }
    }

    /// Whether it lights a document.
    pub const fn is_for_document(self) -> bool {
        matches!(
            self,
            Self::Document | Self::DocumentLeft | Self::DocumentRight | Self::DocumentStrong
        )
    }

    /// Whether it lights a face.
    pub const fn is_for_face(self) -> bool {
        matches!(self, Self::Face | Self::FaceSoft | Self::FaceStrong)
    }
}

impl Session {
    /// What vision looks for. In practice no ticket is looked for.
    pub fn vision_task(&self) -> VisionTask {
        match self.state() {
            State::Idle | State::ShowTicket { .. } => VisionTask::Ticket,
            State::Document(_) => VisionTask::Document,
            State::Face(_) => VisionTask::Face,
            _ => VisionTask::Idle,
        }
    }

    /// How the light is set.
    pub fn light_scene(&self) -> LightScene {
        match self.state() {
            State::Idle
            | State::Starting
            | State::OutOfService { .. }
            | State::Maintenance
            | State::Result { .. } => LightScene::Idle,
            State::ShowTicket { .. } | State::Admitting | State::CoolDown { .. } => {
                LightScene::Ticket
            }
            State::Document(_)
            | State::Retry {
                step: Step::Document,
                ..
            } => self.light_of(Step::Document, LightScene::Document),
            State::Face(_)
            | State::Retry {
                step: Step::Face, ..
            } => self.light_of(Step::Face, LightScene::Face),
            _ => LightScene::Face,
        }
    }

    /// The light of a step: another than usual after failures that it may mend.
    fn light_of(&self, step: Step, usual: LightScene) -> LightScene {
        let other = self.visit().and_then(|v| v.light_for(step));
        other.unwrap_or(usual)
    }

    /// Whether a person is being served: other transfers wait.
    pub fn is_serving(&self) -> bool {
        !matches!(
            self.state(),
            State::Starting
                | State::Idle
                | State::CoolDown { .. }
                | State::OutOfService { .. }
                | State::Maintenance
                | State::Result { .. }
        )
    }

    /// The screen.
    pub fn ui(&self, now: Moment) -> UiModel {
        let policy = &self.house().policy;
        let visit = self.visit();
        let mut ui = UiModel::bare(
            self.screen(),
            visit.map_or(self.house().language, |v| v.language),
        );
        ui.network = self.network();
        if matches!(
            self.state(),
            State::Idle | State::OutOfService { .. } | State::Maintenance
        ) {
            ui.faults = self.n_faults();
        }
        ui.practice = visit.is_some_and(Visit::is_practice);
        let short =
            visit.is_some_and(|v| v.purpose() == crate::base::terms::Purpose::Reverification);
        let n_steps = if short { 2 } else { 3 };
        ui.progress = match self.state() {
            State::Consent | State::Preflight => Some((1, n_steps)),
            State::Document(_)
            | State::Retry {
                step: Step::Document,
                ..
            } => Some((2, n_steps)),
            State::Face(_)
            | State::Retry {
                step: Step::Face, ..
            }
            | State::Storing { .. } => Some((n_steps, n_steps)),
            _ => None,
        };
        if let Some(limit) = self
            .time_limit()
            .filter(|_| !matches!(self.state(), State::Result { .. } | State::CoolDown { .. }))
        {
            let left = limit.saturating_sub(now.since(self.entered()));
            ui.seconds_left = Some(seconds(left));
        }
        if let (State::Retry { step, .. }, Some(visit)) = (self.state(), visit) {
            ui.attempts_left = Some(visit.attempts_left(*step, policy.attempts.per_step));
        }
        ui.more_time = self.has_more_time();
        if let State::CoolDown { until } = self.state() {
            ui.again_in_s = Some(seconds(until.since(now)));
        }
        if let (State::Result { .. }, Some(visit)) =
            (self.state(), visit.filter(|v| !v.is_practice()))
        {
            ui.reference = Some(visit.session.reference());
            self.attempts_after(visit, now, &mut ui);
        }
        ui
    }

    /// Attempts left after a session that used one up, or when the next one is taken.
    fn attempts_after(&self, visit: &Visit, now: Moment, ui: &mut UiModel) {
        if !visit.attempt_used {
            return;
        }
        let rules = &self.house().policy.attempts;
        // Counted from the end of the session, which is a moment before the result is shown.
        match rules.admission(visit.standing, visit.standing.last_failed_s) {
            Admission::Open { left } => ui.attempts_left = u8::try_from(left).ok(),
            Admission::Wait { seconds: wait } => {
                let gone = now.since(self.entered());
                ui.again_in_s = Some(seconds(Duration::from_secs(wait).saturating_sub(gone)));
            }
            Admission::Exhausted => {}
        }
    }

    /// Whether every step has twice the time.
    fn has_more_time(&self) -> bool {
        self.visit().map_or(self.more_time, |v| v.extended_time)
    }

    fn screen(&self) -> Screen {
        match self.state() {
            State::Starting => Screen::Starting,
            State::Idle => Screen::Idle,
            State::ShowTicket { refused: false } => Screen::ShowTicket(TicketHint::Show),
            State::ShowTicket { refused: true } => Screen::ShowTicket(TicketHint::Refused),
            State::Admitting | State::Storing { .. } => Screen::Working,
            State::Consent => Screen::Consent,
            State::Preflight => Screen::Preflight,
            State::Document(step) => Screen::Document(step.prompt()),
            State::Face(step) => Screen::Face(step.prompt()),
            State::Retry { sign, .. } => Screen::Retry(*sign),
            State::CoolDown { .. } => Screen::Result(ResultSign::TryLater),
            State::Result {
                sign: ResultSign::SeeStaff,
                handed_over: true,
            } => Screen::HandOver,
            State::Result { sign, .. } => Screen::Result(*sign),
            State::OutOfService { .. } => Screen::OutOfService,
            State::Maintenance => Screen::Maintenance,
        }
    }

    /// How long the present state may last, if it may not last for ever.
    pub fn time_limit(&self) -> Option<Duration> {
        let times = &self.house().policy.times;
        let seconds = match self.state() {
            State::ShowTicket { .. } => times.ticket_s,
            State::Consent => times.consent_s,
            State::Document(_) => times.document_s,
            State::Face(_) => times.face_s,
            State::Retry { .. } => times.retry_s,
            State::Result { .. } => times.result_s,
            State::CoolDown { .. } => LONGEST_COUNTDOWN_S,
            _ => return None,
        };
        let factor = if self.has_more_time() { 2 } else { 1 };
        Some(Duration::from_secs(seconds.into()) * factor)
    }
}

/// What the person is told of a decision. Neutral where the reason is one of security or of data.
pub fn result_sign(decision: &Decision) -> ResultSign {
    match decision.result {
        SessionResult::Verified => ResultSign::Verified,
        SessionResult::Pending => ResultSign::Pending,
        SessionResult::Practice => ResultSign::PracticeDone,
        SessionResult::DeclinedBySubject => ResultSign::Declined,
        SessionResult::Abandoned => ResultSign::Ended,
        SessionResult::AbortedEquipment => ResultSign::BoothFault,
        SessionResult::Review => ResultSign::InReview,
        SessionResult::NotVerified | SessionResult::Inconclusive => match decision.disposition {
            Disposition::RetryOtherDocument => ResultSign::OtherDocument,
            Disposition::RetryAttended => ResultSign::SeeStaff,
            _ if decision.attribution == Some(Attribution::Staff) => ResultSign::SeeStaff,
            _ => ResultSign::NotVerified,
        },
    }
}

/// A countdown to the next attempt is shown for at most so many seconds; somebody else may come meanwhile.
const LONGEST_COUNTDOWN_S: u16 = 60;

/// Whole seconds, the last one begun.
fn seconds(left: Duration) -> u16 {
    u16::try_from(left.as_secs_f32().ceil() as u64).unwrap_or(u16::MAX)
}

/// What the person is told when a step is repeated.
pub fn retry_sign(reason: Reason, answer: Answer) -> RetrySign {
    match answer {
        Answer::OtherLight(_) => return RetrySign::OtherLight,
        Answer::OtherDocument => return RetrySign::OtherDocument,
        Answer::Staff => return RetrySign::AskStaff,
        Answer::Again => {}
    }
    let row = reason.row();
    match reason {
        Reason::DocNotFound | Reason::DocWrongSide => RetrySign::DocumentNotSeen,
        Reason::DocMissingBack => RetrySign::BackNotSeen,
        Reason::DocTwoDocuments => RetrySign::TwoDocuments,
        Reason::FaceNotFound => RetrySign::FaceNotSeen,
        _ if row.code.starts_with("env.") => RetrySign::Light,
        _ if row.code.starts_with("doc.") => RetrySign::DocumentUnclear,
        _ => RetrySign::FaceUnclear,
    }
}
