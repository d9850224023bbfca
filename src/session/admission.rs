//! From the ticket to the first step: is it good, may this person try now, is there a place for the outcome, does the booth work.

use super::document_step::DocumentStep;
use super::event::{Effect, Now, ReserveRefusal, StoreRefusal, TicketRefusal};
use super::face_step::FaceStep;
use super::state::{Session, State};
use super::visit::{Visit, stopped};
use crate::base::standing::Standing;
use crate::base::terms::Purpose;
use crate::guidance::model::ResultSign;
use crate::trust::ticket::Ticket;
use crate::verdict::attempts::Admission;
use crate::verdict::evidence::Step;
use crate::verdict::outcome::PreflightRecord;
use crate::verdict::reasons::Reason;
use std::time::Duration;

impl Session {
    pub(super) fn ticket_checked(
        &mut self,
        answer: Result<Box<Ticket>, TicketRefusal>,
        now: Now,
    ) -> Vec<Effect> {
        if !matches!(self.state, State::Admitting) {
            return Vec::new();
        }
        let policy = &self.house.policy;
        match answer {
            Ok(ticket)
                if ticket.tenant() == policy.tenant
                    && ticket.policy() == policy.id
                    && policy.purposes.contains(&ticket.purpose())
                    && (ticket.purpose() != Purpose::Reverification
                        || ticket.reference().is_some()) =>
            {
                let subject = ticket.subject();
                let mut visit = Visit::new(now, Some(ticket), &self.house);
                visit.extended_time |= self.more_time;
                self.visit = Some(Box::new(visit));
                vec![Effect::LookUp { subject }]
            }
            Ok(_) | Err(_) => {
                self.refuse_ticket(now);
                Vec::new()
            }
        }
    }

    /// Whether this person may try now. A ticket that comes too early stays unused.
    pub(super) fn standing_known(
        &mut self,
        answer: Result<Standing, StoreRefusal>,
        now: Now,
    ) -> Vec<Effect> {
        if !matches!(self.state, State::Admitting) {
            return Vec::new();
        }
        let (Some(visit), Ok(standing)) = (self.visit.as_mut(), answer) else {
            self.no_place(now);
            return Vec::new();
        };
        let rules = &self.house.policy.attempts;
        match rules.admission(standing, now.wall.unix_s()) {
            Admission::Open { .. } => {
                visit.standing = standing;
                let fallback = visit.interrupted(now, &self.house);
                let ticket = visit.ticket.clone();
                let reserve = ticket.map(|ticket| Effect::Reserve { ticket, fallback });
                reserve.into_iter().collect()
            }
            Admission::Wait { seconds } => {
                self.visit = None;
                let until = now.at.plus(Duration::from_secs(seconds));
                self.enter(State::CoolDown { until }, now);
                Vec::new()
            }
            Admission::Exhausted => {
                // The reference number stays on the panel for the staff; the code in view is not checked again and again.
                self.refused = self.presented.take().map(|digest| (digest, now.at));
                let sign = ResultSign::SeeStaff;
                self.enter(
                    State::Result {
                        sign,
                        handed_over: false,
                    },
                    now,
                );
                Vec::new()
            }
        }
    }

    /// No session without a place for its outcome; the ticket stays unused.
    fn no_place(&mut self, now: Now) {
        self.visit = None;
        self.enter(
            State::Result {
                sign: ResultSign::BoothFault,
                handed_over: false,
            },
            now,
        );
    }

    fn refuse_ticket(&mut self, now: Now) {
        self.visit = None;
        self.refused = self.presented.take().map(|digest| (digest, now.at));
        self.enter(State::ShowTicket { refused: true }, now);
    }

    pub(super) fn reserved(&mut self, answer: Result<(), ReserveRefusal>, now: Now) -> Vec<Effect> {
        if !matches!(self.state, State::Admitting) {
            return Vec::new();
        }
        match answer {
            Ok(()) => self.enter(State::Consent, now),
            Err(ReserveRefusal::TicketUsed) => {
                self.refuse_ticket(now);
                return Vec::new();
            }
            Err(ReserveRefusal::Storage) => {
                self.no_place(now);
                return Vec::new();
            }
        }
        // What was kept is for the next ticket of its own session, and for nobody else.
        let ticket = self.visit.as_ref().and_then(|v| v.ticket.as_deref());
        let goes_on = |k: &super::kept::Kept| ticket.is_some_and(|t| k.is_for(t, now.at));
        if self.kept.as_ref().is_some_and(goes_on) {
            return Vec::new();
        }
        self.drop_kept()
    }

    pub(super) fn preflight_done(&mut self, record: PreflightRecord, now: Now) -> Vec<Effect> {
        if !matches!(self.state, State::Preflight) {
            return Vec::new();
        }
        let fault = record.first_fault().and_then(Reason::from_code);
        let entered = self.entered;
        let Some(visit) = self.visit.as_mut() else {
            return Vec::new();
        };
        visit.spent(Step::Preflight, entered, now.at);
        visit.preflight = Some(record);
        // Only faults that no session can do without end it: the camera's. The others are in the record.
        if let Some(reason) = fault.filter(|r| r.code().starts_with("hw.camera.")) {
            return self.end(stopped(reason, Step::Preflight, None), now);
        }
        if visit.purpose() == Purpose::Reverification {
            let reference = visit
                .ticket
                .as_ref()
                .and_then(|t| t.reference())
                .map(<[u8]>::to_vec);
            self.enter_face(now);
            return reference.map(Effect::UseReference).into_iter().collect();
        }
        if let Some(kept) = self.kept.take() {
            let number = kept.read.number();
            visit.resume(kept);
            self.enter_face(now);
            return vec![Effect::UsePortrait(number)];
        }
        self.enter_document(now);
        Vec::new()
    }

    /// The document step, with what a try before has read of a card.
    pub(super) fn enter_document(&mut self, now: Now) {
        let kept = self.visit.as_mut().and_then(|v| {
            v.remedies.begin_try();
            v.card.take()
        });
        let step = DocumentStep::new(now.at, kept);
        self.enter(State::Document(Box::new(step)), now);
    }

    /// The face step.
    pub(super) fn enter_face(&mut self, now: Now) {
        if let Some(visit) = self.visit.as_mut() {
            visit.remedies.begin_try();
        }
        self.enter(State::Face(Box::new(FaceStep::new(now.at))), now);
    }
}
