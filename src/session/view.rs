//! What the outside gets of a state: the screen, what vision looks for, how the light is set. Functions of the state, so that
//! none can be forgotten on a way into it.

use super::state::{Session, State};
use crate::base::time::Moment;
use crate::guidance::model::{ResultSign, RetrySign, Screen, TicketHint, UiModel};
use crate::perception::observation::VisionTask;
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
    /// For the face; the loop takes over from here.
    Face,
}

impl LightScene {
    /// The name of the recipe.
    pub const fn recipe(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Ticket => "ticket",
            Self::Document => "document",
            Self::Face => "face",
        }
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
            State::ShowTicket { .. } | State::Admitting => LightScene::Ticket,
            State::Document(_) => LightScene::Document,
            State::Retry {
                step: Step::Document,
                ..
            } => LightScene::Document,
            _ => LightScene::Face,
        }
    }

    /// Whether a person is being served: other transfers wait.
    pub fn is_serving(&self) -> bool {
        !matches!(
            self.state(),
            State::Starting
                | State::Idle
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
        ui.practice = visit.is_some_and(super::visit::Visit::is_practice);
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
            .filter(|_| !matches!(self.state(), State::Result { .. }))
        {
            let left = limit.saturating_sub(now.since(self.entered()));
            ui.seconds_left = u16::try_from(left.as_secs_f32().ceil() as u64).ok();
        }
        if let (State::Retry { step, .. }, Some(visit)) = (self.state(), visit) {
            ui.attempts_left = Some(visit.attempts_left(*step, policy.attempts.per_step));
        }
        if matches!(self.state(), State::Result { .. }) {
            ui.reference = visit
                .filter(|v| !v.is_practice())
                .map(|v| v.session.reference());
        }
        ui
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
            State::Retry { reason, .. } => Screen::Retry(retry_sign(*reason)),
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
            _ => return None,
        };
        Some(Duration::from_secs(seconds.into()))
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

/// What the person is told when a step is repeated.
fn retry_sign(reason: Reason) -> RetrySign {
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
