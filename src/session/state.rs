//! The states and the pure step between them. The diagram stands in the module's doc.

use super::document_step::{DocumentStep, Expected, Progress, ReadDocument, ReadText};
use super::event::{Effect, Event, Now, ReserveRefusal, StoreRefusal, TicketRefusal};
use super::face_step::{FaceStep, FaceThresholds};
use super::fields::compare_fields;
use super::view::result_sign;
use super::visit::{House, Visit, stopped};
use crate::base::secret::Secret;
use crate::base::terms::{DocumentKind, Purpose};
use crate::base::time::Moment;
use crate::guidance::model::{NetworkSign, ResultSign};
use crate::hal::{Button, ButtonAction, ButtonEvent, DeviceFault, DeviceKind};
use crate::perception::observation::{Observation, Seen};
use crate::trust::sha256;
use crate::verdict::evidence::{DocumentEvidence, Ending, FaceEvidence, Measure, Step};
use crate::verdict::outcome::ConsentRecord;
use crate::verdict::reasons::{AttemptUse, Reason};
use std::time::Duration;

/// Where a session stands.
#[derive(Debug)]
pub enum State {
    /// The service starts.
    Starting,
    /// Nobody there.
    Idle,
    /// A ticket is waited for.
    ShowTicket {
        /// The last one was not good.
        refused: bool,
    },
    /// A ticket is checked and its place reserved.
    Admitting,
    /// The person reads what is recorded.
    Consent,
    /// The booth checks itself.
    Preflight,
    /// The document is read.
    Document(Box<DocumentStep>),
    /// The face is compared.
    Face(Box<FaceStep>),
    /// A step failed and may be repeated.
    Retry {
        /// Which.
        step: Step,
        /// Why it failed.
        reason: Reason,
        /// What was measured.
        measure: Option<Measure>,
    },
    /// Decided; shown when durable.
    Storing {
        /// What will be shown.
        sign: ResultSign,
        /// The outcome, to be stored again if that failed.
        payload: Vec<u8>,
        /// When storing was last asked for.
        asked: Moment,
        /// Whether the staff goes on.
        handed_over: bool,
    },
    /// The result is shown.
    Result {
        /// What is shown.
        sign: ResultSign,
        /// Whether the staff goes on.
        handed_over: bool,
    },
    /// A device that no session can do without has failed.
    OutOfService {
        /// Reason code of the fault.
        code: &'static str,
    },
    /// The booth tests itself, or a technician works on it.
    Maintenance,
}

/// How long the other button is held to call for help.
const HELP_HOLD: Duration = Duration::from_secs(2);
/// How long "got it" is shown before the next step.
const DONE_SHOWN: Duration = Duration::from_millis(700);
/// After how long a failed storing is tried again.
const STORE_AGAIN: Duration = Duration::from_secs(2);
/// A refused code that stays in view is not checked again; one that was out of view for this long is.
const REFUSED_GONE: Duration = Duration::from_secs(3);

/// The session of a booth: at most one person at a time.
#[derive(Debug)]
pub struct Session {
    house: House,
    state: State,
    entered: Moment,
    visit: Option<Box<Visit>>,
    network: NetworkSign,
    camera_fault: Option<&'static str>,
    n_faults: u8,
    /// No session begins but practice.
    maintained: bool,
    cancel_down: Option<Moment>,
    done: Option<(Moment, Done)>,
    /// SHA-256 of the code that is being checked.
    presented: Option<[u8; 32]>,
    /// SHA-256 of the code that was refused, and when it was last in view.
    refused: Option<([u8; 32], Moment)>,
}

/// A step that is done and still shows "got it".
#[derive(Debug)]
enum Done {
    /// The number that the portrait is remembered by.
    Document(Secret),
    Face(Box<FaceEvidence>),
}

impl Session {
    /// A session that starts at `now`.
    pub fn new(house: House, now: Moment) -> Self {
        Self {
            house,
            state: State::Starting,
            entered: now,
            visit: None,
            network: NetworkSign::Ready,
            camera_fault: None,
            n_faults: 0,
            maintained: false,
            cancel_down: None,
            done: None,
            presented: None,
            refused: None,
        }
    }

    /// Where it stands.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What all sessions of this booth have in common.
    pub fn house(&self) -> &House {
        &self.house
    }

    /// The present visit.
    pub fn visit(&self) -> Option<&Visit> {
        self.visit.as_deref()
    }

    /// When the present state was entered: measurements of earlier frames are dropped.
    pub fn entered(&self) -> Moment {
        self.entered
    }

    /// The network as the person should know it.
    pub fn network(&self) -> NetworkSign {
        self.network
    }

    /// How many faults the booth has.
    pub fn n_faults(&self) -> u8 {
        self.n_faults
    }

    fn enter(&mut self, state: State, now: Now) {
        self.state = state;
        self.entered = now.at;
        self.done = None;
    }

    /// One step: an event comes in, the state changes, effects go out. Pure but for the state.
    pub fn step(&mut self, now: Now, event: Event) -> Vec<Effect> {
        match event {
            Event::Tick => self.tick(now),
            Event::Ready => self.ready(now),
            Event::Button(event) => self.button(event, now),
            Event::Seen(observation) => self.seen(observation, now),
            Event::Ticket(answer) => self.ticket_checked(answer, now),
            Event::Reserved(answer) => self.reserved(answer, now),
            Event::Preflight(record) => self.preflight_done(record, now),
            Event::Stored(answer) => self.stored(answer, now),
            Event::Fault(fault) => self.fault(&fault, now),
            Event::FaultCleared(device) => self.fault_cleared(device, now),
            Event::Network(sign) => {
                self.network = sign;
                Vec::new()
            }
            Event::Language(language) => {
                self.house.language = language;
                Vec::new()
            }
            Event::Faults(n) => {
                self.n_faults = n;
                Vec::new()
            }
            Event::Maintenance => {
                let begins = matches!(
                    self.state,
                    State::Idle | State::OutOfService { .. } | State::Maintenance
                );
                if begins {
                    self.maintained = true;
                    self.go_idle(now);
                }
                vec![Effect::Answer(begins)]
            }
            Event::MaintenanceOver => {
                self.maintained = false;
                if matches!(self.state, State::Maintenance) {
                    self.go_idle(now);
                }
                Vec::new()
            }
            Event::Practice => {
                let begins = self.camera_fault.is_none()
                    && matches!(self.state, State::Idle | State::Maintenance);
                if begins {
                    self.practise(now);
                }
                vec![Effect::Answer(begins)]
            }
        }
    }

    fn practise(&mut self, now: Now) {
        self.visit = Some(Box::new(Visit::new(now, None, &self.house)));
        self.enter(State::Consent, now);
    }

    fn ready(&mut self, now: Now) -> Vec<Effect> {
        if matches!(self.state, State::Starting) {
            self.go_idle(now);
        }
        Vec::new()
    }

    fn go_idle(&mut self, now: Now) {
        self.visit = None;
        match self.camera_fault {
            _ if self.maintained => self.enter(State::Maintenance, now),
            Some(code) => self.enter(State::OutOfService { code }, now),
            None => self.enter(State::Idle, now),
        }
    }

    fn tick(&mut self, now: Now) -> Vec<Effect> {
        if self
            .cancel_down
            .is_some_and(|down| now.at.since(down) >= HELP_HOLD)
        {
            self.cancel_down = None;
            if self.may_cancel() {
                return self.hand_over(now);
            }
        }
        if self
            .done
            .as_ref()
            .is_some_and(|(since, _)| now.at.since(*since) >= DONE_SHOWN)
        {
            return self.next_after_done(now);
        }
        if let State::Storing { payload, asked, .. } = &mut self.state {
            if now.at.since(*asked) >= STORE_AGAIN {
                *asked = now.at;
                return vec![Effect::Store {
                    payload: payload.clone(),
                }];
            }
            return Vec::new();
        }
        let over = self.done.is_none()
            && self
                .time_limit()
                .is_some_and(|limit| now.at.since(self.entered) >= limit);
        if over { self.time_out(now) } else { Vec::new() }
    }

    fn time_out(&mut self, now: Now) -> Vec<Effect> {
        match &self.state {
            State::ShowTicket { .. } | State::Result { .. } => {
                self.go_idle(now);
                Vec::new()
            }
            State::Consent => self.end(stopped(Reason::SessionTimeout, Step::Consent, None), now),
            State::Document(step) => {
                let ((reason, measure), kept) = (step.why(), step.keep());
                if let Some(visit) = self.visit.as_mut() {
                    visit.card = kept;
                }
                self.failed(Step::Document, reason, measure, now)
            }
            State::Face(step) => {
                let (reason, measure) = step.why();
                self.failed(Step::Face, reason, measure, now)
            }
            State::Retry {
                step,
                reason,
                measure,
            } => {
                let ending = stopped(*reason, *step, measure.clone());
                self.end(ending, now)
            }
            _ => Vec::new(),
        }
    }

    /// A step has failed: once more, or the end.
    fn failed(
        &mut self,
        step: Step,
        reason: Reason,
        measure: Option<Measure>,
        now: Now,
    ) -> Vec<Effect> {
        let row = reason.row();
        let uses_attempt = row.attribution.may_use_attempt() && row.attempt != AttemptUse::No;
        let allowed = self.house.policy.attempts.per_step;
        let entered = self.entered;
        let Some(visit) = self.visit.as_mut() else {
            return Vec::new();
        };
        visit.spent(step, entered, now.at);
        if visit.failed_try(step, uses_attempt, allowed) {
            self.enter(
                State::Retry {
                    step,
                    reason,
                    measure,
                },
                now,
            );
            return Vec::new();
        }
        self.end(stopped(reason, step, measure), now)
    }

    fn button(&mut self, event: ButtonEvent, now: Now) -> Vec<Effect> {
        match (event.button, event.action) {
            (Button::Confirm, ButtonAction::Pressed) => self.confirm(now),
            (Button::Cancel, ButtonAction::Pressed) => {
                self.cancel_down = Some(now.at);
                Vec::new()
            }
            (Button::Cancel, ButtonAction::Released) if self.cancel_down.take().is_some() => {
                self.cancel(now)
            }
            _ => Vec::new(),
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
                self.enter(State::Face(Box::new(FaceStep::new(now.at))), now);
                Vec::new()
            }
            State::Result { .. } => {
                self.go_idle(now);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn may_cancel(&self) -> bool {
        use State as S;
        matches!(
            self.state,
            S::Consent | S::Preflight | S::Document(_) | S::Face(_) | S::Retry { .. }
        )
    }

    fn cancel(&mut self, now: Now) -> Vec<Effect> {
        match &self.state {
            State::Idle => {
                self.practise(now);
                Vec::new()
            }
            State::ShowTicket { .. } => {
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

    fn current_step(&self) -> Step {
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

    fn seen(&mut self, observation: Observation, now: Now) -> Vec<Effect> {
        // Freshness fence: this frame shows what was before the present step.
        if observation.at < self.entered || self.done.is_some() {
            return Vec::new();
        }
        let at = observation.at;
        match (&mut self.state, observation.seen) {
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
                vec![Effect::CheckTicket(code)]
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
                match step.observe(&seen, at, expected) {
                    Progress::More => Vec::new(),
                    Progress::Read(document) => {
                        self.document_read(&document, now);
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
                    &seen,
                    observation.scene,
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

    fn document_read(&mut self, document: &ReadDocument, now: Now) {
        let today = now.wall.civil_date();
        if let Some(visit) = self.visit.as_mut() {
            let ReadDocument {
                text,
                n_readings,
                confidence,
                portrait,
            } = document;
            visit.document = Some(match text {
                ReadText::Mrz(reading) => {
                    DocumentEvidence::from_mrz(reading, today, *n_readings, *confidence, *portrait)
                }
                ReadText::Card(card) => DocumentEvidence::from_card(
                    card.front.as_ref(),
                    card.back.as_ref(),
                    card.specimen,
                    today,
                    *n_readings,
                    *confidence,
                    *portrait,
                ),
            });
            visit.fields = visit
                .ticket
                .as_ref()
                .map(|ticket| compare_fields(ticket, text))
                .unwrap_or_default();
        }
        self.done = Some((now.at, Done::Document(document.number())));
    }

    fn next_after_done(&mut self, now: Now) -> Vec<Effect> {
        let Some((_, done)) = self.done.take() else {
            return Vec::new();
        };
        let entered = self.entered;
        match done {
            Done::Document(number) => {
                if let Some(visit) = self.visit.as_mut() {
                    visit.spent(Step::Document, entered, now.at);
                }
                // An unsupported or expired document is said at once, before the face.
                if let Some(reason) = self.document_unacceptable() {
                    return self.end(stopped(reason, Step::Document, None), now);
                }
                self.enter(State::Face(Box::new(FaceStep::new(now.at))), now);
                // The face is compared with the portrait of the document that is believed, not with one that was shown beside it.
                vec![Effect::UsePortrait(number)]
            }
            Done::Face(evidence) => {
                if let Some(visit) = self.visit.as_mut() {
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
        if !by_ticket || !self.house.policy.document.accepted.contains(&document.kind) {
            return Some(Reason::PolicyDocumentTypeUnsupported);
        }
        // With a refuted check digit the dates are not to be relied on: that is decided at the end, and not said to the person.
        if document.text_is_refuted() {
            return None;
        }
        match (document.dates.expired, document.dates.not_yet_valid) {
            (Some(true), _) => Some(Reason::DocExpired),
            (_, Some(true)) => Some(Reason::DocNotYetValid),
            _ => None,
        }
    }

    fn ticket_checked(
        &mut self,
        answer: Result<Box<crate::trust::ticket::Ticket>, TicketRefusal>,
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
                let visit = Visit::new(now, Some(ticket.clone()), &self.house);
                let fallback = visit.interrupted(now, &self.house);
                self.visit = Some(Box::new(visit));
                vec![Effect::Reserve { ticket, fallback }]
            }
            Ok(_) | Err(_) => {
                self.refuse_ticket(now);
                Vec::new()
            }
        }
    }

    fn refuse_ticket(&mut self, now: Now) {
        self.visit = None;
        self.refused = self.presented.take().map(|digest| (digest, now.at));
        self.enter(State::ShowTicket { refused: true }, now);
    }

    fn reserved(&mut self, answer: Result<(), ReserveRefusal>, now: Now) -> Vec<Effect> {
        if !matches!(self.state, State::Admitting) {
            return Vec::new();
        }
        match answer {
            Ok(()) => self.enter(State::Consent, now),
            Err(ReserveRefusal::TicketUsed) => self.refuse_ticket(now),
            Err(ReserveRefusal::Storage) => {
                // No session without a place for its outcome; the ticket stays unused.
                self.visit = None;
                self.enter(
                    State::Result {
                        sign: ResultSign::BoothFault,
                        handed_over: false,
                    },
                    now,
                );
            }
        }
        Vec::new()
    }

    fn preflight_done(
        &mut self,
        record: crate::verdict::outcome::PreflightRecord,
        now: Now,
    ) -> Vec<Effect> {
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
            self.enter(State::Face(Box::new(FaceStep::new(now.at))), now);
            return reference.map(Effect::UseReference).into_iter().collect();
        }
        self.enter_document(now);
        Vec::new()
    }

    /// The document step, with what a try before has read of a card.
    fn enter_document(&mut self, now: Now) {
        let kept = self.visit.as_mut().and_then(|v| v.card.take());
        let step = DocumentStep::new(now.at, kept);
        self.enter(State::Document(Box::new(step)), now);
    }

    /// Decides and has it stored; practice is only shown.
    fn end(&mut self, ending: Ending, now: Now) -> Vec<Effect> {
        let Some(visit) = self.visit.as_deref() else {
            return Vec::new();
        };
        let (decision, payload) = visit.conclude(ending, now, &self.house);
        let sign = result_sign(&decision);
        if visit.is_practice() {
            self.enter(
                State::Result {
                    sign,
                    handed_over: false,
                },
                now,
            );
            return vec![Effect::Forget];
        }
        let effect = Effect::Store {
            payload: payload.clone(),
        };
        self.enter(
            State::Storing {
                sign,
                payload,
                asked: now.at,
                handed_over: false,
            },
            now,
        );
        vec![effect, Effect::Forget]
    }

    fn stored(&mut self, answer: Result<(), StoreRefusal>, now: Now) -> Vec<Effect> {
        if let (
            State::Storing {
                sign, handed_over, ..
            },
            Ok(()),
        ) = (&self.state, answer)
        {
            let (sign, handed_over) = (*sign, *handed_over);
            self.enter(State::Result { sign, handed_over }, now);
        }
        // Not stored: nothing is shown; a tick asks again. The reserved place holds what is sent if the power fails meanwhile.
        Vec::new()
    }

    fn fault(&mut self, fault: &DeviceFault, now: Now) -> Vec<Effect> {
        if fault.device != DeviceKind::Camera {
            return Vec::new();
        }
        let code = fault.code();
        self.camera_fault = Some(code);
        match &self.state {
            State::Idle | State::ShowTicket { .. } => {
                self.go_idle(now);
                Vec::new()
            }
            _ if self.may_cancel() => {
                let reason = Reason::from_code(code).unwrap_or(Reason::HwCameraNoFrames);
                let step = self.current_step();
                self.end(stopped(reason, step, None), now)
            }
            _ => Vec::new(),
        }
    }

    fn fault_cleared(&mut self, device: DeviceKind, now: Now) -> Vec<Effect> {
        if device == DeviceKind::Camera {
            self.camera_fault = None;
            if matches!(self.state, State::OutOfService { .. }) {
                self.go_idle(now);
            }
        }
        Vec::new()
    }
}
