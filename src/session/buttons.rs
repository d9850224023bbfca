//! What the two buttons do. The other button acts when it is let go, because holding it calls for help; the green one acts at once,
//! and holding it asks for more time.

use super::event::{Effect, Now};
use super::state::{HOLD, Session, State};
use super::visit::stopped;
use crate::base::time::Moment;
use crate::guidance::model::ResultSign;
use crate::hal::{Button, ButtonAction, ButtonEvent};
use crate::verdict::evidence::Step;
use crate::verdict::outcome::ConsentRecord;
use crate::verdict::reasons::{Disposition, Reason};

/// Since when each button is down.
#[derive(Debug, Default)]
pub(super) struct Held {
    confirm: Option<Moment>,
    cancel: Option<Moment>,
}

impl Session {
    pub(super) fn button(&mut self, event: ButtonEvent, now: Now) -> Vec<Effect> {
        match (event.button, event.action) {
            (Button::Confirm, ButtonAction::Pressed) => {
                self.held.confirm = Some(now.at);
                self.confirm(now)
            }
            (Button::Confirm, ButtonAction::Released) => {
                self.held.confirm = None;
                Vec::new()
            }
            (Button::Cancel, ButtonAction::Pressed) => {
                self.held.cancel = Some(now.at);
                Vec::new()
            }
            (Button::Cancel, ButtonAction::Released) if self.held.cancel.take().is_some() => {
                self.cancel(now)
            }
            _ => Vec::new(),
        }
    }

    /// What comes of a button that has been down for long enough.
    pub(super) fn held_long(&mut self, now: Now) -> Vec<Effect> {
        let long = |since: Option<Moment>| since.is_some_and(|s| now.at.since(s) >= HOLD);
        if long(self.held.confirm) {
            self.held.confirm = None;
            self.give_more_time();
        }
        if long(self.held.cancel) {
            self.held.cancel = None;
            if self.may_cancel() {
                return self.hand_over(now);
            }
        }
        Vec::new()
    }

    /// Twice the time for every step from here on.
    fn give_more_time(&mut self) {
        match (&self.state, self.visit.as_mut()) {
            (State::ShowTicket { .. } | State::Admitting, _) => self.more_time = true,
            (_, Some(visit)) => visit.extended_time = true,
            _ => {}
        }
    }

    fn confirm(&mut self, now: Now) -> Vec<Effect> {
        match &self.state {
            State::Idle => {
                // Somebody wants to be told, even if the code was in view all the time.
                self.refused = None;
                self.enter(State::ShowTicket { refused: false }, now);
                Vec::new()
            }
            State::Consent => {
                self.record_consent(true, now);
                self.enter(State::Preflight, now);
                vec![Effect::RunPreflight]
            }
            State::Retry {
                step: Step::Document,
                ..
            } => {
                self.enter_document(now);
                Vec::new()
            }
            State::Retry {
                step: Step::Face, ..
            } => {
                self.enter_face(now);
                Vec::new()
            }
            State::Result { .. } | State::CoolDown { .. } => {
                self.go_idle(now);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn may_cancel(&self) -> bool {
        use State as S;
        matches!(
            self.state,
            S::Consent | S::Preflight | S::Document(_) | S::Face(_) | S::Retry { .. }
        )
    }

    fn cancel(&mut self, now: Now) -> Vec<Effect> {
        match &self.state {
            State::Idle => self.practise(now),
            State::ShowTicket { .. } | State::CoolDown { .. } => {
                self.go_idle(now);
                Vec::new()
            }
            State::Consent => {
                self.record_consent(false, now);
                self.end(stopped(Reason::ConsentDeclined, Step::Consent, None), now)
            }
            State::Retry {
                step,
                reason,
                measure,
                ..
            } => {
                let ending = stopped(*reason, *step, measure.clone());
                self.end(ending, now)
            }
            _ if self.may_cancel() => self.end(
                stopped(Reason::SessionCancelled, self.current_step(), None),
                now,
            ),
            _ => Vec::new(),
        }
    }

    fn hand_over(&mut self, now: Now) -> Vec<Effect> {
        if let Some(visit) = self.visit.as_mut() {
            visit.next = Some(Disposition::RetryAttended);
        }
        let ending = stopped(Reason::StaffAssisted, self.current_step(), None);
        let effects = self.end(ending, now);
        match &mut self.state {
            State::Storing {
                sign, handed_over, ..
            }
            | State::Result { sign, handed_over } => {
                *sign = ResultSign::SeeStaff;
                *handed_over = true;
            }
            _ => {}
        }
        effects
    }

    pub(super) fn current_step(&self) -> Step {
        match &self.state {
            State::Consent => Step::Consent,
            State::Preflight => Step::Preflight,
            State::Document(_) => Step::Document,
            State::Face(_) => Step::Face,
            State::Retry { step, .. } => *step,
            State::Storing { .. } | State::Result { .. } => Step::Decision,
            _ => Step::Ticket,
        }
    }

    fn record_consent(&mut self, given: bool, now: Now) {
        let entered = self.entered;
        let text_version = self.house.consent_text_version;
        if let Some(visit) = self.visit.as_mut() {
            visit.spent(Step::Consent, entered, now.at);
            visit.consent = Some(ConsentRecord {
                given,
                at: now.wall.rfc3339(),
                text_version,
                language: visit.language,
            });
        }
    }
}
