//! The vision thread: looks at the newest frame for what the session wants, and closes the loop of light and exposure.

use super::eye::Eye;
use super::senses::Senses;
use super::trace::Trace;
use crate::base::latest::Latest;
use crate::base::secret::Secret;
use crate::base::time::{Moment, SharedClock};
use crate::guidance::exposure::{ExposureAction, ExposureConfig, ExposureLoop, Measurement};
use crate::guidance::light::LightTable;
use crate::hal::{CameraControls, CameraInfo, LightLevels};
use crate::perception::observation::{LightState, Observation, SceneLight, Seen, VisionTask};
use crate::perception::vision::{Vision, scene_light};
use crate::runtime::crew::Stop;
use crate::runtime::heartbeat::Pulse;
use crate::session::event::Event;
use crate::session::view::LightScene;
use crossbeam_channel::{Receiver, Sender, TrySendError};
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
    control: ExposureLoop,
    controls: CameraControls,
    last_ticket_look: Moment,
}

/// QR codes are looked for so often, not in every frame: nobody waits for less, and an idle booth stays cool.
const TICKET_INTERVAL: Duration = Duration::from_millis(120);
/// Mean of the frame's middle that is aimed at while there is no face or document to measure: with a bright window behind the
/// person, the whole frame's mean would make everything that matters too dark.
const SCENE_TARGET: f32 = 0.42;

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
            control,
            controls,
            last_ticket_look: Moment::ZERO,
        })
    }

    /// Sets the light for a scene; gives where the loop begins.
    fn set_scene(&mut self, scene: LightScene) -> Option<ExposureAction> {
        // Checked in `new`.
        let recipe = *self.light.recipe(scene.recipe()).ok()?;
        self.scene = scene;
        self.control = ExposureLoop::new(
            &self.camera,
            self.exposure.mains_hz,
            recipe.levels(),
            recipe.white_range(),
        );
        Some(self.control.begin())
    }

    /// One turn of the loop: what is measured depends on the scene.
    fn control(
        &mut self,
        seen: &Seen,
        scene: SceneLight,
        at: Moment,
        levels: LightLevels,
    ) -> Option<ExposureAction> {
        let (mean, halves, bright_share, target) = match seen {
            Seen::Face(face) if self.scene.is_for_face() => match &face.primary {
                Some(p) if p.light.mean > 0.0 => (
                    p.light.mean,
                    Some((p.light.left, p.light.right)),
                    scene.bright_share,
                    self.exposure.face_mean,
                ),
                _ => (scene.centre, None, 0.0, SCENE_TARGET),
            },
            Seen::Document(o) if self.scene.is_for_document() => {
                if o.corners.is_some() && o.luminance > 0.0 {
                    (
                        o.luminance,
                        None,
                        o.glare_share,
                        self.exposure.document_mean,
                    )
                } else {
                    (scene.centre, None, 0.0, SCENE_TARGET)
                }
            }
            _ => return None,
        };
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

/// Looks at frames until the end.
///
/// # Errors
/// If a net cannot be run: a booth that cannot see must start again.
#[allow(clippy::too_many_arguments)] // The thread's connections; a struct for them would be used once, here.
pub fn vision_thread(
    mut sight: Sight,
    eye: &Eye,
    orders: &Receiver<Order>,
    events: &Sender<Event>,
    wanted_levels: &Latest<LightLevels>,
    senses: &Senses,
    clock: &SharedClock,
    pulse: &Pulse,
    stop: &Stop,
) -> anyhow::Result<()> {
    let mut n_dropped = 0u64;
    let apply = |sight: &mut Sight, action: ExposureAction| {
        if action.controls != sight.controls {
            sight.controls = action.controls;
            eye.controls.put(action.controls);
        }
        wanted_levels.put(action.levels);
    };
    while !stop.is_set() {
        pulse.beat();
        for order in orders.try_iter() {
            match order {
                Order::LookFor { task, since } => (sight.task, sight.since) = (task, since),
                Order::Light(scene) => {
                    if let Some(action) = sight.set_scene(scene) {
                        apply(&mut sight, action);
                    }
                }
                Order::UseReference(bytes) => {
                    if !sight.vision.use_reference(&bytes) {
                        tracing::warn!("the ticket's reference is no template");
                    }
                }
                Order::UsePortrait(number) => {
                    if !sight.vision.use_portrait(&number) {
                        tracing::warn!("no portrait of this document is there");
                    }
                }
                Order::Forget => sight.vision.forget(),
                Order::ForgetBut(number) => sight.vision.forget_but_portrait(&number),
            }
        }
        let Some(frame) = eye.frames.take(Duration::from_millis(200)) else {
            continue;
        };
        let meta = frame.meta;
        let ticket_too_soon = sight.task == VisionTask::Ticket
            && meta.captured.since(sight.last_ticket_look) < TICKET_INTERVAL;
        if meta.captured < sight.since || ticket_too_soon {
            eye.recycle(frame);
            continue;
        }
        if sight.task == VisionTask::Ticket {
            sight.last_ticket_look = meta.captured;
        }
        if let (Some(exposure_us), Some(gain)) = (meta.exposure_us, meta.gain) {
            // What the frame was really taken with.
            sight.controls = CameraControls { exposure_us, gain };
        }
        let start = clock.now();
        let scene = scene_light(&frame.view());
        let seen = sight.vision.look(frame.view(), sight.task)?;
        let took = clock.now().since(start);
        eye.recycle(frame);
        let levels = senses.levels_at(meta.captured);
        let action = sight.control(&seen, scene, meta.captured, levels);
        let observation = Observation {
            at: meta.captured,
            sequence: meta.sequence,
            scene,
            light: LightState {
                recipe: sight.scene.recipe(),
                left: levels.left.white,
                right: levels.right.white,
                exposure_us: sight.controls.exposure_us,
                gain: sight.controls.gain,
                settled: action.as_ref().is_some_and(|a| a.settled),
                at_limit: action.as_ref().is_some_and(|a| a.at_limit),
            },
            seen,
            took_us: u32::try_from(took.as_micros()).unwrap_or(u32::MAX),
        };
        if let Some(trace) = &mut sight.trace {
            trace.write(&observation, sight.controls, levels, action.as_ref());
        }
        if let Some(action) = action {
            apply(&mut sight, action);
        }
        match events.try_send(Event::Seen(observation)) {
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
