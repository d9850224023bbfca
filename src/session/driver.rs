//! The thread that owns the session: events in, effects out, and the views kept up to date.

use super::event::{Effect, Event, Now, Record, ReserveRefusal, StoreRefusal, TicketRefusal};
use super::state::Session;
use super::view::LightScene;
use crate::base::secret::Secret;
use crate::base::standing::Standing;
use crate::base::time::{Moment, SharedClock, WallTime};
use crate::guidance::model::UiModel;
use crate::perception::observation::VisionTask;
use crate::trust::ticket::Ticket;
use crate::verdict::outcome::PreflightRecord;
use crossbeam_channel::{Receiver, RecvTimeoutError};
use std::collections::VecDeque;
use std::time::Duration;

/// What the session asks of the rest of the service. Answers come at once; none may take longer than a second.
pub trait Outside {
    /// Checks signature, time and addressee of a ticket.
    ///
    /// # Errors
    /// Why it is not taken.
    fn check_ticket(&mut self, code: &Secret, wall: WallTime)
    -> Result<Box<Ticket>, TicketRefusal>;

    /// How somebody stands after earlier sessions.
    ///
    /// # Errors
    /// Why it cannot be found out.
    fn standing(&mut self, subject: [u8; 32]) -> Result<Standing, StoreRefusal>;

    /// Marks the ticket used and reserves a place in the outbox; durable when it returns.
    ///
    /// # Errors
    /// Why there is none.
    fn reserve(&mut self, ticket: &Ticket, fallback: &[u8]) -> Result<(), ReserveRefusal>;

    /// Checks the booth.
    fn preflight(&mut self) -> PreflightRecord;

    /// Gives vision the template of a reverification.
    fn use_reference(&mut self, template: &[u8]);

    /// Tells vision which document's portrait the face is to be compared with.
    fn use_portrait(&mut self, number: &Secret);

    /// Stores the outcome in the reserved place, and how the person stands after it; durable when it returns.
    ///
    /// # Errors
    /// Why it is not stored (yet).
    fn store(&mut self, record: &Record) -> Result<(), StoreRefusal>;

    /// Wipes what was kept of the person, but for the portrait of the document with this number.
    fn keep(&mut self, number: &Secret);

    /// Wipes what was kept of the person.
    fn forget(&mut self);

    /// Vision looks for something else from now on; frames captured before `since` are of no use.
    fn look_for(&mut self, task: VisionTask, since: Moment);

    /// The light is set otherwise.
    fn light(&mut self, scene: LightScene);

    /// The panel shows something else.
    fn show(&mut self, ui: &UiModel);

    /// Whether a person is being served: other transfers wait.
    fn serving(&mut self, serving: bool);

    /// Tells who asked for maintenance or practice whether it has begun.
    fn answer(&mut self, begun: bool);

    /// 80 random bits.
    fn chance(&mut self) -> [u8; 10];
}

/// Time passes for the session at least this often.
pub const TICK: Duration = Duration::from_millis(50);

/// Takes events to the session and its effects to the outside, and hands out what changed of its views.
#[derive(Debug, Default)]
pub struct Driver {
    views: Views,
}

/// What was last handed to the outside.
#[derive(Debug, Default)]
struct Views {
    task: Option<(VisionTask, Moment)>,
    light: Option<LightScene>,
    ui: Option<UiModel>,
    serving: Option<bool>,
}

impl Views {
    fn update(&mut self, session: &Session, now: Moment, outside: &mut impl Outside) {
        let task = (session.vision_task(), session.entered());
        if self.task != Some(task) {
            outside.look_for(task.0, task.1);
            self.task = Some(task);
        }
        let light = session.light_scene();
        if self.light != Some(light) {
            outside.light(light);
            self.light = Some(light);
        }
        let serving = session.is_serving();
        if self.serving != Some(serving) {
            outside.serving(serving);
            self.serving = Some(serving);
        }
        let ui = session.ui(now);
        if self.ui.as_ref() != Some(&ui) {
            if self.ui.as_ref().map(|u| u.screen) != Some(ui.screen) {
                // What the person was told, and when: what is asked first when a session went wrong.
                tracing::info!(screen = ui.screen.name(), "panel");
            }
            outside.show(&ui);
            self.ui = Some(ui);
        }
    }
}

impl Driver {
    /// One event with all that follows from it at once.
    pub fn handle(
        &mut self,
        event: Event,
        session: &mut Session,
        clock: &SharedClock,
        outside: &mut impl Outside,
    ) {
        let mut queue = VecDeque::from([event]);
        while let Some(event) = queue.pop_front() {
            let now = Now {
                at: clock.now(),
                wall: clock.wall(),
                chance: outside.chance(),
            };
            for effect in session.step(now, event) {
                queue.extend(perform(effect, now.wall, outside));
            }
            // The panel and the light follow every state, also one that lasts only until the next effect is done.
            self.views.update(session, clock.now(), outside);
        }
    }
}

/// Owns the session until `go_on` says no or all senders are gone. `go_on` is asked at least every [`TICK`].
pub fn run(
    session: &mut Session,
    events: &Receiver<Event>,
    clock: &SharedClock,
    outside: &mut impl Outside,
    mut go_on: impl FnMut() -> bool,
) {
    let mut driver = Driver::default();
    let mut last_tick = clock.now();
    while go_on() {
        let event = match events.recv_timeout(TICK) {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout) => Event::Tick,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        driver.handle(event, session, clock, outside);
        // A flood of frames must not keep time from passing.
        if clock.now().since(last_tick) >= TICK {
            last_tick = clock.now();
            driver.handle(Event::Tick, session, clock, outside);
        }
    }
}

fn perform(effect: Effect, wall: WallTime, outside: &mut impl Outside) -> Option<Event> {
    match effect {
        Effect::CheckTicket(code) => Some(Event::Ticket(outside.check_ticket(&code, wall))),
        Effect::Reserve { ticket, fallback } => {
            Some(Event::Reserved(outside.reserve(&ticket, &fallback)))
        }
        Effect::RunPreflight => Some(Event::Preflight(outside.preflight())),
        Effect::UseReference(template) => {
            outside.use_reference(&template);
            None
        }
        Effect::UsePortrait(number) => {
            outside.use_portrait(&number);
            None
        }
        Effect::LookUp { subject } => Some(Event::Standing(outside.standing(subject))),
        Effect::Store(record) => Some(Event::Stored(outside.store(&record))),
        Effect::Keep(number) => {
            outside.keep(&number);
            None
        }
        Effect::Forget => {
            outside.forget();
            None
        }
        Effect::Answer(begun) => {
            outside.answer(begun);
            None
        }
    }
}
