//! The vision thread: looks at the newest frame for what the session wants, and closes the loop of light and exposure.

mod maintenance;

use super::eye::Eye;
use super::senses::Senses;
use super::trace::Trace;
use crate::base::frame::Frame;
use crate::base::latest::Latest;
use crate::base::secret::Secret;
use crate::base::time::{Moment, SharedClock};
use crate::guidance::exposure::{ExposureAction, ExposureConfig, ExposureLoop, Measurement};
use crate::guidance::light::LightTable;
use crate::guidance::light::cause::{Answer, CauseWatch, Signs};
use crate::hal::{CameraControls, CameraInfo, LightLevels};
use crate::perception::observation::{
    DocumentProblem, LightState, LitFrom, Observation, SceneLight, Seen, VisionTask,
};
use crate::perception::vision::{Vision, scene_light};
use crate::runtime::crew::Stop;
use crate::runtime::heartbeat::Pulse;
use crate::session::event::Event;
use crate::session::view::LightScene;
use crossbeam_channel::{Receiver, Sender, TrySendError};
use maintenance::Work;
pub use maintenance::{Ask, LiveLook};
use std::time::Duration;

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
    /// When the first frame of this scene was looked at, and when a document or a face that counts was last found in it.
    scene_from: Option<Moment>,
    found_at: Option<Moment>,
    last_ticket_look: Moment,
}

/// QR codes are looked for so often, not in every frame: nobody waits for less, and an idle booth stays cool.
const TICKET_INTERVAL: Duration = Duration::from_millis(120);
/// Mean of the frame's middle that is aimed at while there is no face or document to measure: with a bright window behind the
/// person, the whole frame's mean would make everything that matters too dark.
const SCENE_TARGET: f32 = 0.42;
/// What was found a moment ago is likely still there, and the light set for it: the frame's middle is waited for so long, and three times
/// as long before it makes anything brighter, as a document or a face is brighter than the room behind it. Not where the frame's middle is
/// so bright that nothing could be found.
const FRAME_COUNTS_AFTER: Duration = Duration::from_millis(500);
const GLARING: f32 = 0.75;
/// A half of a face with this mean is cut off at full scale.
const CUT_OFF: f32 = 0.95;
/// A background with this mean is mostly cut off at full scale.
const BACKLIT: f32 = 0.8;

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
            scene_from: None,
            found_at: None,
            last_ticket_look: Moment::ZERO,
        })
    }

    /// Sets the light for a scene; gives where the loop begins.
    fn set_scene(&mut self, scene: LightScene) -> Option<ExposureAction> {
        // Checked in `new`.
        let recipe = *self.light.recipe(scene.recipe()).ok()?;
        let is_of_session = |s: LightScene| s.is_for_document() || s.is_for_face();
        let goes_on = is_of_session(self.scene) && is_of_session(scene) && self.found_at.is_some();
        (self.scene, self.recipe) = (scene, scene.recipe());
        self.cause = CauseWatch::default();
        (self.scene_from, self.found_at) = (None, None);
        let before = self.control.begin();
        self.control = ExposureLoop::new(
            &self.camera,
            self.exposure.mains_hz,
            recipe.levels(),
            recipe.white_range(),
        );
        if goes_on {
            // The room is as bright as it was a moment ago.
            self.control = self.control.clone().like(before.controls, before.levels);
        }
        Some(self.control.begin())
    }

    /// Another recipe, where what is wrong with the light asks for one; the picture stays about as bright.
    fn answer(&mut self, seen: &Seen, at: Moment, levels: LightLevels) {
        let Some(answer) = self.cause.see(signs(seen), at) else {
            return;
        };
        let scene = match (answer, self.scene) {
            (Answer::LeftOnly, _) => LightScene::DocumentLeft,
            (Answer::RightOnly, _) => LightScene::DocumentRight,
            (Answer::Strong, _) => LightScene::FaceStrong,
            (Answer::Usual, scene) => scene,
        };
        if let Ok(recipe) = self.light.recipe(scene.recipe()) {
            self.recipe = scene.recipe();
            self.control = ExposureLoop::new(
                &self.camera,
                self.exposure.mains_hz,
                recipe.levels(),
                recipe.white_range(),
            )
            .like(self.controls, levels);
            tracing::info!(recipe = self.recipe, "light");
        }
    }

    /// One turn of the loop: what is measured depends on the scene.
    fn control(
        &mut self,
        seen: &Seen,
        scene: SceneLight,
        at: Moment,
        levels: LightLevels,
    ) -> Option<ExposureAction> {
        let from = *self.scene_from.get_or_insert(at);
        let found = match seen {
            Seen::Face(face) if self.scene.is_for_face() => face
                .primary
                .as_ref()
                .filter(|p| p.light.mean > 0.0 && p.is_certain())
                .map(|p| {
                    // Of the face, not of a window behind it.
                    let is_cut_off = p.light.left.max(p.light.right) > CUT_OFF;
                    (
                        p.light.mean,
                        Some((p.light.left, p.light.right)),
                        if is_cut_off { 1.0 } else { 0.0 },
                        self.exposure.face_mean,
                    )
                }),
            Seen::Document(o) if self.scene.is_for_document() => {
                (o.corners.is_some() && o.luminance > 0.0).then_some((
                    o.luminance,
                    None,
                    o.glare_share,
                    self.exposure.document_mean,
                ))
            }
            _ => return None,
        };
        if found.is_some() {
            self.found_at = Some(at);
        }
        let alone_for = at.since(self.found_at.unwrap_or(from));
        let patience = match scene.centre {
            c if c > GLARING => Duration::ZERO,
            c if c > SCENE_TARGET => FRAME_COUNTS_AFTER,
            _ => 3 * FRAME_COUNTS_AFTER,
        };
        if found.is_none() && alone_for < patience {
            return Some(self.control.begin());
        }
        let (mean, halves, bright_share, target) =
            found.unwrap_or((scene.centre, None, 0.0, SCENE_TARGET));
        let measurement = Measurement {
            at,
            mean,
            halves,
            bright_share,
            controls: self.controls,
            levels,
        };
        Some(self.control.step(&measurement, target))
    }
}

/// What a frame says about the light.
fn signs(seen: &Seen) -> Signs {
    match seen {
        Seen::Document(o) => Signs {
            glare: o.problem == Some(DocumentProblem::Glare) || o.glare_hides,
            // What was read of two pictures was not read of this one: another pair is another witness.
            unread: o.corners.is_some()
                && (o.reading.is_none() || o.glare_hides || o.combined.is_some()),
            backlit: false,
        },
        Seen::Face(face) => Signs {
            backlit: face.primary.as_ref().is_some_and(|p| {
                p.is_certain() && p.light.background > BACKLIT && p.light.mean < BACKLIT
            }),
            ..Signs::default()
        },
        Seen::Nothing | Seen::Code(_) => Signs::default(),
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
    pub fn obey(&mut self, order: Order) -> Option<ExposureAction> {
        match order {
            Order::LookFor { task, since } => (self.task, self.since) = (task, since),
            Order::Light(scene) => return self.set_scene(scene),
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
            Order::Forget => self.vision.forget(),
            Order::ForgetBut(number) => self.vision.forget_but_portrait(&number),
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
        let levels = senses.levels_at(meta.captured);
        if let (Some(exposure_us), Some(gain)) = (meta.exposure_us, meta.gain) {
            // What the frame was really taken with.
            self.controls = CameraControls { exposure_us, gain };
        }
        let start = clock.now();
        let scene = scene_light(&frame.view());
        let lit = self.lit_from(meta.captured, senses);
        let seen = self.vision.look(frame.view(), self.task, lit)?;
        let took = clock.now().since(start);
        let controls = self.controls;
        self.answer(&seen, meta.captured, levels);
        let action = self.control(&seen, scene, meta.captured, levels);
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
    pub fn take_on(&mut self, action: &ExposureAction) -> Option<CameraControls> {
        let changed = action.controls != self.controls;
        self.controls = action.controls;
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
    clock: &SharedClock,
    pulse: &Pulse,
    stop: &Stop,
) -> anyhow::Result<()> {
    let mut n_dropped = 0u64;
    let mut work = Work::default();
    let apply = |sight: &mut Sight, work: &Work, action: &ExposureAction| {
        if work.has_light() {
            return;
        }
        if let Some(controls) = sight.take_on(action) {
            eye.controls.put(controls);
        }
        wanted_levels.put(action.levels);
    };
    while !stop.is_set() {
        pulse.beat();
        for order in orders.try_iter() {
            if let Some(action) = sight.obey(order) {
                apply(&mut sight, &work, &action);
            }
        }
        for ask in asks.try_iter() {
            work.begin(ask, sight.controls, wanted_levels, clock.now());
        }
        if work.gives_back_light(clock.now())
            && let Some(action) = sight.set_scene(sight.scene)
        {
            // The exposure may be another one than the loop's.
            eye.controls.put(action.controls);
            apply(&mut sight, &work, &action);
        }
        let Some(frame) = eye.frames.take(Duration::from_millis(200)) else {
            continue;
        };
        let vision = &mut sight.vision;
        if work.see(&frame, vision, eye, wanted_levels, senses)? {
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
