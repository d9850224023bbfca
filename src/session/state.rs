//! The states and the pure step between them. The diagram stands in the module's doc.
//!
//! | file | what of the step |
//! |---|---|
//! | `state` | the states, and what time does |
//! | `admission` | from the ticket to the first step |
//! | `sighting` | what frames do |
//! | `buttons` | what buttons do |
//! | `ending` | failed tries, the end, storing, faults |

use super::buttons::Held;
use super::document_step::DocumentStep;
use super::event::{Effect, Event, Now, Record};
use super::face_step::FaceStep;
use super::kept::Kept;
use super::sighting::Done;
use super::visit::{House, Visit, stopped};
use crate::base::time::Moment;
use crate::guidance::model::{NetworkSign, ResultSign, RetrySign};
use crate::verdict::evidence::{Measure, Step};
use crate::verdict::reasons::Reason;
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
        /// What the person is told.
        sign: RetrySign,
    },
    /// Too many failures in a row: the ticket is taken again when the time is over.
    CoolDown {
        /// When that is.
        until: Moment,
    },
    /// Decided; shown when durable.
    Storing {
        /// What will be shown.
        sign: ResultSign,
        /// The outcome, to be stored again if that failed.
        record: Box<Record>,
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

/// How long a button is held to call for help, or for more time.
pub(super) const HOLD: Duration = Duration::from_secs(2);
/// How long "got it" is shown before the next step.
pub const DONE_SHOWN: Duration = Duration::from_millis(700);
/// After how long a failed storing is tried again.
const STORE_AGAIN: Duration = Duration::from_secs(2);

/// The session of a booth: at most one person at a time.
#[derive(Debug)]
pub struct Session {
    pub(super) house: House,
    pub(super) state: State,
    pub(super) entered: Moment,
    pub(super) visit: Option<Box<Visit>>,
    pub(super) network: NetworkSign,
    pub(super) camera_fault: Option<&'static str>,
    n_faults: u8,
    /// No session begins but practice.
    maintained: bool,
    pub(super) held: Held,
    /// Somebody has asked for more time before there was a visit.
    pub(super) more_time: bool,
    pub(super) done: Option<(Moment, Done)>,
    /// SHA-256 of the code that is being checked.
    pub(super) presented: Option<[u8; 32]>,
    /// SHA-256 of the code that was refused, and when it was last in view.
    pub(super) refused: Option<([u8; 32], Moment)>,
    /// A document that the next ticket of a session may go on with.
    pub(super) kept: Option<Kept>,
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
            held: Held::default(),
            more_time: false,
            done: None,
            presented: None,
            refused: None,
            kept: None,
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

    pub(super) fn enter(&mut self, state: State, now: Now) {
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
            Event::Standing(answer) => self.standing_known(answer, now),
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
                let mut effects = vec![Effect::Answer(begins)];
                if begins {
                    effects.extend(self.practise(now));
                }
                effects
            }
        }
    }

    /// Practice begins with nothing of anybody else.
    pub(super) fn practise(&mut self, now: Now) -> Vec<Effect> {
        let effects = self.drop_kept();
        self.visit = Some(Box::new(Visit::new(now, None, &self.house)));
        self.enter(State::Consent, now);
        effects
    }

    fn ready(&mut self, now: Now) -> Vec<Effect> {
        if matches!(self.state, State::Starting) {
            self.go_idle(now);
        }
        Vec::new()
    }

    pub(super) fn go_idle(&mut self, now: Now) {
        self.visit = None;
        self.more_time = false;
        match self.camera_fault {
            _ if self.maintained => self.enter(State::Maintenance, now),
            Some(code) => self.enter(State::OutOfService { code }, now),
            None => self.enter(State::Idle, now),
        }
    }

    /// Lets go of what was kept for a next ticket, if anything was.
    pub(super) fn drop_kept(&mut self) -> Vec<Effect> {
        self.kept
            .take()
            .map(|_| Effect::Forget)
            .into_iter()
            .collect()
    }

    fn tick(&mut self, now: Now) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.kept.as_ref().is_some_and(|k| k.is_over(now.at)) {
            effects.extend(self.drop_kept());
        }
        effects.extend(self.held_long(now));
        if effects.is_empty() {
            effects.extend(self.time_passes(now));
        }
        effects
    }

    fn time_passes(&mut self, now: Now) -> Vec<Effect> {
        if self
            .done
            .as_ref()
            .is_some_and(|(since, _)| now.at.since(*since) >= DONE_SHOWN)
        {
            return self.next_after_done(now);
        }
        match &mut self.state {
            State::Storing { record, asked, .. } => {
                if now.at.since(*asked) < STORE_AGAIN {
                    return Vec::new();
                }
                *asked = now.at;
                return vec![Effect::Store(record.clone())];
            }
            State::CoolDown { until } if now.at >= *until => {
                // The code may still be in view: now it is taken.
                self.enter(State::ShowTicket { refused: false }, now);
                return Vec::new();
            }
            _ => {}
        }
        let over = self.done.is_none()
            && self
                .time_limit()
                .is_some_and(|limit| now.at.since(self.entered) >= limit);
        if over { self.time_out(now) } else { Vec::new() }
    }

    fn time_out(&mut self, now: Now) -> Vec<Effect> {
        match &self.state {
            State::ShowTicket { .. } | State::CoolDown { .. } | State::Result { .. } => {
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
                ..
            } => {
                let ending = stopped(*reason, *step, measure.clone());
                self.end(ending, now)
            }
            _ => Vec::new(),
        }
    }
}
