//! The vision thread: looks at the newest frame for what the session wants, and closes the loop of light and exposure.

mod idle_light;
mod maintenance;
mod steering;

use super::eye::Eye;
use super::senses::Senses;
use super::trace::Trace;
use super::trends::{OfSession, Samples};
use crate::base::frame::Frame;
use crate::base::latest::Latest;
use crate::base::secret::Secret;
use crate::base::time::{Moment, SharedClock};
use crate::guidance::exposure::{ExposureAction, ExposureConfig, ExposureLoop, RoomProbe};
use crate::guidance::light::LightTable;
use crate::guidance::light::cause::CauseWatch;
use crate::hal::{CameraControls, CameraInfo, LightLevels};
use crate::perception::observation::{LightState, LitFrom, Observation, Seen, VisionTask};
use crate::perception::vision::{Vision, scene_light};
use crate::runtime::crew::Stop;
use crate::runtime::heartbeat::Pulse;
use crate::session::event::Event;
use crate::session::view::LightScene;
use crossbeam_channel::{Receiver, Sender, TrySendError};
use maintenance::Work;
pub use maintenance::{Ask, LiveLook};
use std::time::Duration;
use steering::{Since, Taken};

/// What the session asks of vision.
#[derive(Clone)]
pub enum Order {
    /// Something else is looked for; frames captured before `since` are of no use.
    LookFor {
        /// What.
        task: VisionTask,
        /// From when on.
        since: Moment,
    },
    /// The light is set otherwise.
    Light(LightScene),
    /// Reference template of a reverification.
    UseReference(Vec<u8>),
    /// The document whose portrait the face is compared with.
    UsePortrait(Secret),
    /// The session is over: wipe.
    Forget,
    /// The same, but for the portrait of one document, which the next ticket of the session may go on with.
    ForgetBut(Secret),
}

impl std::fmt::Debug for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Order")
    }
}

/// What the thread owns.
#[derive(Debug)]
pub struct Sight {
    vision: Vision,
    camera: CameraInfo,
    light: LightTable,
    exposure: ExposureConfig,
    trace: Option<Trace>,
    task: VisionTask,
    since: Moment,
    scene: LightScene,
    /// What is wrong with the light in this step.
    cause: CauseWatch,
    /// Name of the recipe that is followed.
    recipe: &'static str,
    control: ExposureLoop,
    controls: CameraControls,
    /// What the camera says that it takes frames with, and since when.
    taken_with: Since,
    /// The room's light, while it is measured; and what came of that, in levels of the ring.
    probe: Option<RoomProbe>,
    room: f32,
    /// It was measured in this session, or there was no time for it.
    is_room_known: bool,
    /// Light and exposure stay where the recipe begins.
    is_open: bool,
    /// When the first frame of this scene was looked at, and when a document or a face that counts was last found in it.
    scene_from: Option<Moment>,
    found_at: Option<Moment>,
    was_found: bool,
    last_ticket_look: Moment,
}

/// QR codes are looked for so often, not in every frame: nobody waits for less, and an idle booth stays cool.
const TICKET_INTERVAL: Duration = Duration::from_millis(120);
impl Sight {
    /// Puts the thread's things together.
    ///
    /// # Errors
    /// If the board file lacks a recipe.
    pub fn new(
        vision: Vision,
        camera: &CameraInfo,
        light: LightTable,
        exposure: ExposureConfig,
        trace: Option<Trace>,
    ) -> anyhow::Result<Self> {
        for scene in LightScene::ALL {
            light.recipe(scene.recipe())?;
        }
        let recipe = *light.recipe(LightScene::Idle.recipe())?;
        let control = ExposureLoop::new(
            camera,
            exposure.mains_hz,
            recipe.levels(),
            recipe.white_range(),
        );
        let controls = control.begin().controls;
        Ok(Self {
            vision,
            camera: camera.clone(),
            light,
            exposure,
            trace,
            task: VisionTask::Idle,
            since: Moment::ZERO,
            scene: LightScene::Idle,
            cause: CauseWatch::default(),
            recipe: LightScene::Idle.recipe(),
            control,
            controls,
            taken_with: Since::new(controls),
            probe: None,
            room: 0.0,
            is_room_known: false,
            is_open: false,
            scene_from: None,
            found_at: None,
            was_found: false,
            last_ticket_look: Moment::ZERO,
        })
    }

    /// The same with the loop open: light and exposure stay where the recipe begins, to see what the loop is good for.
    #[must_use]
    pub const fn open(mut self) -> Self {
        self.is_open = true;
        self
    }
}

/// What came of a look at a frame.
#[derive(Debug)]
pub struct Look {
    /// What was seen.
    pub observation: Observation,
    /// What the frame was taken with.
    pub controls: CameraControls,
    /// What the ring was set to when it was taken.
    pub levels: LightLevels,
    /// What the loop wants now; `None` where nothing is measured.
    pub action: Option<ExposureAction>,
}

impl Sight {
    /// Does what the session asks; gives where the loop of light begins, if it begins anew.
    pub fn obey(&mut self, order: Order, now: Moment) -> Option<ExposureAction> {
        match order {
            Order::LookFor { task, since } => {
                (self.task, self.since) = (task, since);
                self.begin_probe(now);
                return self.probe_wants();
            }
            Order::Light(scene) => return self.set_scene(scene, now),
            Order::UseReference(bytes) => {
                if !self.vision.use_reference(&bytes) {
                    tracing::warn!("the ticket's reference is no template");
                }
            }
            Order::UsePortrait(number) => {
                if !self.vision.use_portrait(&number) {
                    tracing::warn!("no portrait of this document is there");
                }
            }
            Order::Forget => {
                self.vision.forget();
                (self.probe, self.is_room_known) = (None, false);
            }
            Order::ForgetBut(number) => {
                self.vision.forget_but_portrait(&number);
                (self.probe, self.is_room_known) = (None, false);
            }
        }
        None
    }

    /// Gives perception back, with what it kept of a person wiped.
    pub fn into_vision(mut self) -> Vision {
        self.vision.forget();
        self.vision
    }

    /// What is looked for.
    pub const fn task(&self) -> VisionTask {
        self.task
    }

    /// Whether the room's light is being measured, and nothing is looked for.
    pub const fn is_measuring(&self) -> bool {
        self.probe.is_some()
    }

    /// Whether a frame is worth a look: taken since the session asked, and not right after the last look for a code.
    pub fn wants(&mut self, captured: Moment) -> bool {
        if captured < self.since {
            return false;
        }
        if self.task == VisionTask::Ticket {
            if captured.since(self.last_ticket_look) < TICKET_INTERVAL {
                return false;
            }
            self.last_ticket_look = captured;
        }
        true
    }

    /// What a frame was really taken with, if the camera says so; else what was wanted.
    fn controls_of(&self, frame: &Frame) -> CameraControls {
        let taken_with = frame.meta.exposure_us.zip(frame.meta.gain);
        taken_with.map_or(self.controls, |(exposure_us, gain)| CameraControls {
            exposure_us,
            gain,
        })
    }

    /// Looks at a frame, lit as `senses` remember it, and lets the loop make one step.
    ///
    /// # Errors
    /// If a net cannot be run.
    pub fn look(
        &mut self,
        frame: &Frame,
        senses: &Senses,
        clock: &SharedClock,
    ) -> anyhow::Result<Look> {
        let meta = frame.meta;
        let (lit_since, levels) = senses.light_at(meta.captured);
        self.controls = self.controls_of(frame);
        let start = clock.now();
        let scene = scene_light(&frame.view());
        let controls = self.controls;
        let taken = Taken {
            at: meta.captured,
            controls,
            levels,
            since: lit_since.max(self.taken_with.see(controls, meta.captured)),
        };
        let measured = self.measure_room(frame, &taken);
        let (seen, action) = if measured.is_some() {
            (Seen::Nothing, measured)
        } else {
            let lit = self.lit_from(meta.captured, senses);
            let seen = self.vision.look(frame.view(), self.task, lit)?;
            let mut action = None;
            if !self.is_open {
                self.answer(&seen, &taken);
                action = self.control(&seen, scene, &taken);
            }
            (seen, action)
        };
        let took = clock.now().since(start);
        let observation = Observation {
            at: meta.captured,
            sequence: meta.sequence,
            scene,
            light: LightState {
                recipe: self.recipe,
                left: levels.left.white,
                right: levels.right.white,
                exposure_us: controls.exposure_us,
                gain: controls.gain,
                settled: action.as_ref().is_some_and(|a| a.settled),
                at_limit: action.as_ref().is_some_and(|a| a.at_limit),
                sides_in_turn: self.cause.sides_in_turn(),
            },
            seen,
            took_us: u32::try_from(took.as_micros()).unwrap_or(u32::MAX),
        };
        Ok(Look {
            observation,
            controls,
            levels,
            action,
        })
    }

    /// Which side alone lit a frame while it was exposed and read out. Cameras stamp a frame at either end of that.
    fn lit_from(&self, captured: Moment, senses: &Senses) -> LitFrom {
        let exposure = Duration::from_micros(self.controls.exposure_us.into());
        let frame = Duration::from_secs_f32(1.0 / self.camera.frames_per_s.max(1.0));
        senses.lit_from(captured, exposure + frame, frame)
    }

    /// Takes on what the loop wants; gives the camera's new controls, if they change.
    pub fn take_on(&mut self, action: &ExposureAction, now: Moment) -> Option<CameraControls> {
        let changed = action.controls != self.controls;
        self.controls = action.controls;
        if changed {
            self.taken_with.told(now);
        }
        changed.then_some(action.controls)
    }
}

/// Looks at frames until the end.
///
/// # Errors
/// If a net cannot be run: a booth that cannot see must start again.
#[allow(clippy::too_many_arguments)] // The thread's connections; a struct for them would be used once, here.
pub fn vision_thread(
    mut sight: Sight,
    eye: &Eye,
    orders: &Receiver<Order>,
    asks: &Receiver<Ask>,
    events: &Sender<Event>,
    wanted_levels: &Latest<LightLevels>,
    senses: &Senses,
    samples: &Samples,
    clock: &SharedClock,
    pulse: &Pulse,
    stop: &Stop,
) -> anyhow::Result<()> {
    let mut n_dropped = 0u64;
    let mut work = Work::default();
    let mut best = OfSession::default();
    let apply = |sight: &mut Sight, work: &Work, action: &ExposureAction| {
        if work.has_light() {
            return;
        }
        if let Some(controls) = sight.take_on(action, clock.now()) {
            eye.controls.put(controls);
        }
        wanted_levels.put(action.levels);
    };
    while !stop.is_set() {
        pulse.beat();
        for order in orders.try_iter() {
            if matches!(order, Order::Forget | Order::ForgetBut(_)) {
                best.end(samples);
            }
            if let Some(action) = sight.obey(order, clock.now()) {
                apply(&mut sight, &work, &action);
            }
        }
        for ask in asks.try_iter() {
            work.begin(ask, sight.controls, wanted_levels, clock.now());
        }
        if work.gives_back_light(clock.now())
            && let Some(action) = sight.set_scene(sight.scene, clock.now())
        {
            // The exposure may be another one than the loop's.
            eye.controls.put(action.controls);
            apply(&mut sight, &work, &action);
        }
        let Some(frame) = eye.frames.take(Duration::from_millis(200)) else {
            continue;
        };
        let controls = sight.controls_of(&frame);
        let vision = &mut sight.vision;
        if work.see(&frame, controls, vision, eye, wanted_levels, senses)? {
            eye.recycle(frame);
            continue;
        }
        if !sight.wants(frame.meta.captured) {
            eye.recycle(frame);
            continue;
        }
        let look = sight.look(&frame, senses, clock)?;
        eye.recycle(frame);
        if let Some(trace) = &mut sight.trace {
            trace.write(&look);
        }
        if let Some(action) = &look.action {
            apply(&mut sight, &work, action);
        }
        best.see(&look.observation);
        match events.try_send(Event::Seen(look.observation)) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                // Measurements are samples: the session works off what is newer.
                n_dropped += 1;
                if n_dropped.is_power_of_two() {
                    tracing::warn!(n_dropped, "the session is slower than the camera");
                }
            }
            Err(TrySendError::Disconnected(_)) => return Ok(()),
        }
    }
    Ok(())
}
