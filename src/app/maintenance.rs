//! What the rest of the service knows of the session, and how it asks for the booth: maintenance is negotiated with the session's thread,
//! which alone knows whether somebody is being served.

use crate::base::time::{Moment, SharedClock};
use crate::guidance::model::UiModel;
use crate::session::event::Event;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The session's thread answers within its turn; it may have an outcome to store first.
const ANSWER_WITHIN: Duration = Duration::from_secs(6);

/// What the session does now.
#[derive(Clone, Debug)]
pub struct Standing {
    /// What the panel shows; `None` before the first.
    pub ui: Option<UiModel>,
    /// Since when it shows this screen.
    pub since: Moment,
    /// A person is being served.
    pub serving: bool,
    /// Sessions that have begun and practice included, since the start.
    pub n_served: u64,
}

/// Shared by the session's outside and who asks for the booth. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Desk {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    standing: Mutex<Standing>,
    clock: SharedClock,
    events: Sender<Event>,
    /// From the session to who asks; one asks at a time.
    answers: (Sender<bool>, Receiver<bool>),
    asking: Mutex<Option<Holder>>,
}

/// Who has the booth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// The service's own self-test.
    Service,
    /// A technician.
    Technician,
}

/// Why the booth is not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// A session runs, or its result is being read, or the service starts.
    Session,
    /// Somebody else has it.
    Held(Holder),
}

impl Desk {
    /// Nobody has the booth.
    pub fn new(events: Sender<Event>, clock: SharedClock) -> Self {
        let standing = Standing {
            ui: None,
            since: clock.now(),
            serving: false,
            n_served: 0,
        };
        let inner = Inner {
            standing: Mutex::new(standing),
            clock,
            events,
            answers: bounded(1),
            asking: Mutex::new(None),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    fn standing_now(&self) -> MutexGuard<'_, Standing> {
        self.inner
            .standing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// What the session does.
    pub fn standing(&self) -> Standing {
        self.standing_now().clone()
    }

    /// The session shows something.
    pub fn note_ui(&self, ui: &UiModel) {
        let mut standing = self.standing_now();
        if standing.ui.as_ref().map(|u| u.screen) != Some(ui.screen) {
            standing.since = self.inner.clock.now();
        }
        standing.ui = Some(ui.clone());
    }

    /// The session serves somebody, or not.
    pub fn note_serving(&self, serving: bool) {
        let mut standing = self.standing_now();
        standing.n_served += u64::from(serving && !standing.serving);
        standing.serving = serving;
    }

    /// The session's answer.
    pub fn note_answer(&self, begun: bool) {
        // Nobody waits any more: the next who asks drains it.
        let _ = self.inner.answers.0.try_send(begun);
    }

    fn ask(&self, event: Event) -> bool {
        while self.inner.answers.1.try_recv().is_ok() {}
        self.inner.events.send_timeout(event, ANSWER_WITHIN).is_ok()
            && self.inner.answers.1.recv_timeout(ANSWER_WITHIN) == Ok(true)
    }

    /// Asks for the booth; it is had until [`Desk::leave`] by the same.
    ///
    /// # Errors
    /// Why not.
    pub fn enter(&self, who: Holder) -> Result<(), Refused> {
        let mut asking = self.lock();
        if let Some(holder) = *asking {
            return Err(Refused::Held(holder));
        }
        if !self.ask(Event::Maintenance) {
            // An answer that came too late must not keep the booth closed.
            self.over();
            return Err(Refused::Session);
        }
        *asking = Some(who);
        Ok(())
    }

    /// Gives the booth back, if this one has it.
    pub fn leave(&self, who: Holder) {
        let mut asking = self.lock();
        if *asking == Some(who) {
            *asking = None;
            self.over();
        }
    }

    /// Who has it.
    pub fn holder(&self) -> Option<Holder> {
        *self.lock()
    }

    /// Has a practice session begin; gives whether it did.
    pub fn practise(&self) -> bool {
        let _one_asks = self.lock();
        self.ask(Event::Practice)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Holder>> {
        self.inner
            .asking
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn over(&self) {
        if self
            .inner
            .events
            .send_timeout(Event::MaintenanceOver, ANSWER_WITHIN)
            .is_err()
        {
            tracing::error!("the session takes no events: the booth stays in maintenance");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::ManualClock;

    #[test]
    fn one_has_the_booth_at_a_time_and_only_if_the_session_says_so() {
        let (events, inbox) = bounded(8);
        let desk = Desk::new(events, Arc::new(ManualClock::default()));
        let session = {
            let desk = desk.clone();
            std::thread::spawn(move || {
                let mut seen = Vec::new();
                let mut answers = [true, false].into_iter();
                while let Ok(event) = inbox.recv() {
                    seen.push(format!("{event:?}"));
                    if matches!(event, Event::Maintenance) {
                        desk.note_answer(answers.next().expect("asked twice only"));
                    }
                    if seen.len() == 4 {
                        break;
                    }
                }
                seen
            })
        };
        assert_eq!(desk.enter(Holder::Technician), Ok(()));
        assert_eq!(
            desk.enter(Holder::Service),
            Err(Refused::Held(Holder::Technician))
        );
        desk.leave(Holder::Service);
        assert_eq!(desk.holder(), Some(Holder::Technician));
        desk.leave(Holder::Technician);
        assert_eq!(desk.enter(Holder::Service), Err(Refused::Session));
        assert_eq!(desk.holder(), None);
        let seen = session.join().expect("it ends");
        assert_eq!(
            seen,
            [
                "Maintenance",
                "MaintenanceOver",
                "Maintenance",
                "MaintenanceOver"
            ]
        );
    }
}
