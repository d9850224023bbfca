//! The vision thread: looks at the newest frame for what the session wants, and closes the loop of light and exposure.

use super::eye::Eye;
use super::senses::Senses;
use super::trace::Trace;
use crate::base::frame::Frame;
use crate::base::latest::Latest;
use crate::base::secret::Secret;
use crate::base::time::{Moment, SharedClock};
use crate::guidance::exposure::{ExposureAction, ExposureConfig, ExposureLoop, Measurement};
use crate::guidance::light::LightTable;
use crate::hal::{CameraControls, CameraInfo, LightLevels};
use crate::perception::observation::{Observation, SceneLight, Seen, VisionTask};
use crate::perception::vision::{Vision, scene_light};
use crate::runtime::crew::Stop;
use crate::runtime::heartbeat::Pulse;
use crate::session::event::Event;
use crate::session::view::LightScene;
use crate::technician::characters;
use crate::technician::selftest::lights::{LightFigures, LightProbe, NoLightFigures, halves_of};
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
    /// The lights are measured by the camera; the answer comes when it is known. Only in maintenance.
    MeasureLights(Sender<Result<LightFigures, NoLightFigures>>),
    /// The ring is set to these levels whatever the scene is; `None`: as the scene says. Only in maintenance.
    Shine(Option<LightLevels>),
    /// What the next frame looks like, with a face in it if there is one. Only in maintenance.
    Look(Sender<LiveLook>),
}

/// One frame for a technician who aims the camera.
#[derive(Clone, Debug)]
pub struct LiveLook {
    /// The picture in characters, [`characters::COLUMNS`] wide.
    pub lines: Vec<String>,
    /// Mean luminance of the frame, 0..=1.
    pub mean: f32,
    /// The largest face: distance of the eyes in pixels; yaw, pitch and roll of the head in degrees.
    pub face: Option<(f32, [f32; 3])>,
    /// Faces in the frame.
    pub n_faces: usize,
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
    /// Levels that are held whatever the scene is.
    held: Option<LightLevels>,
    /// The lights are being measured, for whom.
    probe: Option<(LightProbe, Sender<Result<LightFigures, NoLightFigures>>)>,
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
        for scene in [
            LightScene::Idle,
            LightScene::Ticket,
            LightScene::Document,
            LightScene::Face,
        ] {
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
            held: None,
            probe: None,
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

    /// Shows a frame to the test of the lights; gives whether it is over.
    fn show_probe(
        &mut self,
        frame: &Frame,
        eye: &Eye,
        wanted: &Latest<LightLevels>,
        senses: &Senses,
    ) -> bool {
        let meta = frame.meta;
        let taken_with = meta.exposure_us.zip(meta.gain);
        let controls = taken_with.map(|(exposure_us, gain)| CameraControls { exposure_us, gain });
        let Some((probe, _)) = &mut self.probe else {
            return false;
        };
        let light = probe.moments(meta.captured).map(|at| senses.levels_at(at));
        let before = (probe.levels(), probe.controls());
        let done = probe.frame(halves_of(&frame.view()), meta.captured, controls, light);
        if probe.controls() != before.1 {
            eye.controls.put(probe.controls());
        }
        if done.is_none() && probe.levels() != before.0 {
            wanted.put(probe.levels());
        }
        done.is_some_and(|done| self.end_probe(done))
    }

    fn end_probe(&mut self, done: Result<LightFigures, NoLightFigures>) -> bool {
        if let Some((_, answer)) = self.probe.take() {
            // Who has given up waiting needs no answer.
            let _ = answer.try_send(done);
        }
        true
    }

    fn live_look(&mut self, frame: &Frame) -> anyhow::Result<LiveLook> {
        let seen = self.vision.look(frame.view(), VisionTask::Face)?;
        let Seen::Face(face) = seen else {
            anyhow::bail!("looked for a face, and something else came back");
        };
        Ok(LiveLook {
            lines: characters::of(&frame.view()),
            mean: scene_light(&frame.view()).mean,
            face: face.primary.as_ref().map(|p| {
                let pose = p.pose;
                (p.inter_eye_px, [pose.yaw, pose.pitch, pose.roll])
            }),
            n_faces: face.n_faces,
        })
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
            Seen::Face(face) if self.scene == LightScene::Face => match &face.primary {
                Some(p) if p.light.mean > 0.0 => (
                    p.light.mean,
                    Some((p.light.left, p.light.right)),
                    scene.bright_share,
                    self.exposure.face_mean,
                ),
                _ => (scene.centre, None, 0.0, SCENE_TARGET),
            },
            Seen::Document(o) if self.scene == LightScene::Document => {
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
    let mut look_for: Option<Sender<LiveLook>> = None;
    // The scene's light is set anew.
    let mut again = false;
    let apply = |sight: &mut Sight, action: ExposureAction| {
        // Who tests the light has it alone; the scene's comes back afterwards.
        if sight.held.is_some() || sight.probe.is_some() {
            return;
        }
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
                Order::Shine(levels) => {
                    sight.held = levels;
                    match levels {
                        Some(levels) => drop(wanted_levels.put(levels)),
                        None => again = true,
                    }
                }
                Order::MeasureLights(answer) => {
                    let probe = LightProbe::new(sight.controls, clock.now());
                    wanted_levels.put(probe.levels());
                    sight.probe = Some((probe, answer));
                }
                Order::Look(answer) => look_for = Some(answer),
            }
        }
        if let Some((probe, _)) = &sight.probe
            && let Some(done) = probe.turn(clock.now())
        {
            again |= sight.end_probe(done);
        }
        if std::mem::take(&mut again)
            && let Some(action) = sight.set_scene(sight.scene)
        {
            // The exposure may be another one than the loop's.
            eye.controls.put(action.controls);
            apply(&mut sight, action);
        }
        let Some(frame) = eye.frames.take(Duration::from_millis(200)) else {
            continue;
        };
        if sight.probe.is_some() {
            again = sight.show_probe(&frame, eye, wanted_levels, senses);
            eye.recycle(frame);
            continue;
        }
        if let Some(answer) = look_for.take() {
            // Who has given up waiting needs no answer.
            let _ = answer.try_send(sight.live_look(&frame)?);
            eye.recycle(frame);
            continue;
        }
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
