//! A session of the virtual booth in lockstep: one thread moves the clock and lets everybody do what is due, so that the same scene
//! ends the same way on any machine, however busy. Perception, session, loop of light, light driver, panel and person are those of the
//! service; what a session asks beyond that (outbox, uplink) is answered here, and nothing is stored.
//!
//! A look at a frame takes no time of that clock by itself: its measurements come [`look_time`] later, as on a small board.

use super::eye::{LIT_FOR, fault_of};
use super::senses::Senses;
use super::sight::{Order, Sight};
use crate::base::frame::{Frame, PixelFormat};
use crate::base::ids::BoothId;
use crate::base::secret::Secret;
use crate::base::standing::Standing;
use crate::base::time::{ManualClock, Moment, SharedClock, WallTime};
use crate::config::board::{Board, Devices as BoardDevices};
use crate::guidance::exposure::ExposureAction;
use crate::guidance::light::LightDriver;
use crate::guidance::model::UiModel;
use crate::guidance::screens;
use crate::hal::virt::{self, Finished, scene::Scene};
use crate::hal::watch::FrameWatch;
use crate::hal::{CameraControls, DeviceFault, DeviceKind, LightLevels, PanelImage};
use crate::perception::observation::{DocumentProblem, Observation, Seen, VisionTask};
use crate::perception::vision::Vision;
use crate::session::driver::{Driver, Outside, TICK};
use crate::session::event::{Event, Record, ReserveRefusal, StoreRefusal, TicketRefusal};
use crate::session::state::Session;
use crate::session::view::LightScene;
use crate::session::visit::House;
use crate::trust::keys::TrustedKeys;
use crate::trust::ticket::{self, Ticket};
use crate::verdict::outcome::PreflightRecord;
use anyhow::Context as _;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// How often the light is brought nearer to what is wanted, as in the service.
const LIGHT_TICK: Duration = Duration::from_millis(20);
/// The clock moves by so much.
const STEP: Duration = Duration::from_millis(5);

/// A booth that is out of service for so long stays so.
const OUT_FOR_GOOD: Duration = Duration::from_secs(5);
/// Whose code is not read for so long goes away.
const NO_SESSION: Duration = Duration::from_secs(60);

/// Time that a look takes: assumed, about what a Raspberry Pi 4 would need; nobody measured one.
pub const fn look_time(task: VisionTask) -> Duration {
    Duration::from_millis(match task {
        VisionTask::Idle => 100,
        VisionTask::Ticket => 30,
        VisionTask::Document => 150,
        VisionTask::Face => 60,
    })
}

/// The same while the room's light is measured.
const MEASURING: Duration = Duration::from_millis(5);

/// What the booth does with the light while a session runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LoopMode {
    /// The loop is closed.
    On,
    /// Light and exposure stay where the recipe begins.
    Off,
}

/// The booth, for one session after the other.
#[derive(Debug)]
pub struct Booth {
    /// Perception; taken while a session runs.
    vision: Option<Vision>,
    house: House,
    board: Board,
    booth: BoothId,
    wallet_keys: TrustedKeys,
}

/// What one look gave.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Since the scene began.
    pub at: Duration,
    /// What was looked for.
    pub task: VisionTask,
    /// Mean of what matters (face, document, else the frame's middle), sRGB-coded, 0..=1.
    pub mean: f32,
    /// Means of the face's halves.
    pub halves: Option<(f32, f32)>,
    /// Exposure and gain in effect.
    pub controls: CameraControls,
    /// The ring's levels in effect.
    pub levels: LightLevels,
    /// `mean` is of a face or a document, not of the frame's middle.
    pub found: bool,
    /// Whether the loop was content; `None` where it had nothing to measure.
    pub settled: Option<bool>,
    /// The loop was not content, and could do no more.
    pub at_limit: bool,
    /// What stood in the way of a document.
    pub problem: Option<DocumentProblem>,
    /// A document was read, or a face compared.
    pub used: bool,
}

/// A frame that was looked at, for the report.
#[derive(Debug)]
pub struct Shown {
    /// Since the scene began.
    pub at: Duration,
    /// What the panel showed.
    pub screen: &'static str,
    /// The frame.
    pub picture: image::RgbImage,
}

/// A session as it was played.
#[derive(Debug)]
pub struct Played {
    /// The outcome, if one was stored.
    pub outcome: Option<serde_json::Value>,
    /// Screens, each with the time since the scene began.
    pub screens: Vec<(Duration, &'static str)>,
    /// What the looks gave.
    pub samples: Vec<Sample>,
    /// Each change of the ring.
    pub light: Vec<(Duration, LightLevels)>,
    /// A frame of each screen, the one that was looked at half a second after the screen came.
    pub frames: Vec<Shown>,
    /// The fault that the camera had last, as its code.
    pub fault: Option<&'static str>,
    /// Why the scene is over.
    pub why: &'static str,
}

/// Answers the session.
#[derive(Debug)]
struct Desk {
    booth: BoothId,
    wallet_keys: TrustedKeys,
    orders: VecDeque<Order>,
    ui: Option<UiModel>,
    stored: Option<Vec<u8>>,
    is_serving: bool,
    chance: u8,
}

impl Outside for Desk {
    fn check_ticket(
        &mut self,
        code: &Secret,
        wall: WallTime,
    ) -> Result<Box<Ticket>, TicketRefusal> {
        ticket::check(code.reveal(), &self.wallet_keys, wall, &self.booth)
            .map(Box::new)
            .map_err(|_| TicketRefusal::Invalid)
    }

    fn reserve(&mut self, _: &Ticket, _: &[u8]) -> Result<(), ReserveRefusal> {
        Ok(())
    }

    fn preflight(&mut self) -> PreflightRecord {
        // Camera, ring and panel answer, or `play` ends; the rest of a booth is not here and not checked.
        let mut record = PreflightRecord::default();
        for device in ["camera", "lights", "panel"] {
            record.checks.insert(device, "ok".to_owned());
        }
        record
    }

    fn use_reference(&mut self, template: &[u8]) {
        self.orders
            .push_back(Order::UseReference(template.to_vec()));
    }

    fn use_portrait(&mut self, number: &Secret) {
        self.orders.push_back(Order::UsePortrait(number.clone()));
    }

    fn standing(&mut self, _: [u8; 32]) -> Result<Standing, StoreRefusal> {
        // Everybody is here for the first time.
        Ok(Standing::default())
    }

    fn store(&mut self, record: &Record) -> Result<(), StoreRefusal> {
        self.stored = Some(record.payload.clone());
        Ok(())
    }

    fn keep(&mut self, number: &Secret) {
        self.orders.push_back(Order::ForgetBut(number.clone()));
    }

    fn forget(&mut self) {
        self.orders.push_back(Order::Forget);
    }

    fn look_for(&mut self, task: VisionTask, since: Moment) {
        self.orders.push_back(Order::LookFor { task, since });
    }

    fn light(&mut self, scene: LightScene) {
        self.orders.push_back(Order::Light(scene));
    }

    fn show(&mut self, ui: &UiModel) {
        self.ui = Some(ui.clone());
    }

    fn serving(&mut self, serving: bool) {
        self.is_serving = serving;
    }

    // Nobody asks for maintenance here.
    fn answer(&mut self, _: bool) {}

    fn chance(&mut self) -> [u8; 10] {
        self.chance = self.chance.wrapping_add(1);
        [self.chance; 10]
    }
}

impl Booth {
    /// A booth with the policy and models of `house`.
    pub fn new(
        vision: Vision,
        house: House,
        board: Board,
        booth: BoothId,
        wallet_keys: TrustedKeys,
    ) -> Self {
        Self {
            vision: Some(vision),
            house,
            board,
            booth,
            wallet_keys,
        }
    }

    /// Plays `scene` from an idle booth to its end; `ticket` is what the phone shows.
    ///
    /// # Errors
    /// If the board is not virtual, a file of the scene cannot be used, a net cannot be run, or a device that no session can do
    /// without fails.
    pub fn play(
        &mut self,
        scene: Scene,
        ticket: Option<&str>,
        wall: WallTime,
        mode: LoopMode,
    ) -> anyhow::Result<Played> {
        let BoardDevices::Virt(config) = &self.board.devices else {
            anyhow::bail!("`kind`: found a real board, allowed: virt; mend: name a virtual board");
        };
        let manual = Arc::new(ManualClock::new(Moment::from_millis(1000), wall));
        let clock: SharedClock = Arc::clone(&manual) as SharedClock;
        let longest = Duration::from_secs_f32(scene.longest_s) + Duration::from_secs(2);
        let (devices, bench) = virt::bench(config, scene, ticket, Arc::clone(&clock))?;
        let info = devices.camera.info().clone();
        let vision = self.vision.take().context("perception is in use")?;
        let mut sight = Sight::new(
            vision,
            &info,
            self.board.light.clone(),
            self.board.exposure,
            None,
        )?;
        if mode == LoopMode::Off {
            sight = sight.open();
        }
        let virt::BenchDevices {
            mut camera,
            lights,
            mut panel,
            mut buttons,
        } = devices;
        let mut lights = LightDriver::new(lights, self.board.light.limits);
        let mut image = PanelImage::blank(panel.kind());
        let senses = Senses::default();
        let mut house = self.house.clone();
        house.frame_size = (info.width, info.height);
        let began = clock.now();
        let mut session = Session::new(house, began);
        let mut driver = Driver::default();
        let mut desk = Desk {
            booth: self.booth.clone(),
            wallet_keys: self.wallet_keys.clone(),
            orders: VecDeque::new(),
            ui: None,
            stored: None,
            is_serving: false,
            chance: 0,
        };
        let mut played = Played {
            outcome: None,
            screens: Vec::new(),
            samples: Vec::new(),
            light: Vec::new(),
            frames: Vec::new(),
            fault: None,
            why: "time",
        };
        let mut frame = Frame::new(info.width, info.height, PixelFormat::Yuyv);
        let period = Duration::from_secs_f64(1.0 / f64::from(info.frames_per_s));
        let mut frame_due = began.plus(period);
        let (mut light_due, mut tick_due) = (began, began);
        // A look whose measurements are on their way: when they come, and what the loop wants then.
        let mut on_the_way: Option<(Moment, Observation, Option<ExposureAction>)> = None;
        let mut free_from = began;
        let mut watch = Watch::default();
        driver.handle(Event::Ready, &mut session, &clock, &mut desk);
        while clock.now().since(began) < longest {
            let now = clock.now();
            let at = now.since(began);
            if let Some(Finished { why, .. }) = bench.tick() {
                played.why = why;
                break;
            }
            if let Some(why) = played.is_hopeless(at) {
                played.why = why;
                break;
            }
            if now >= light_due {
                light_due = now.plus(LIGHT_TICK);
                let levels = lights.tick(now)?;
                senses.note_levels(now, levels);
                if played.light.last().is_none_or(|(_, last)| *last != levels) {
                    played.light.push((at, levels));
                }
            }
            while let Some(event) = buttons.next(Duration::ZERO)? {
                driver.handle(Event::Button(event), &mut session, &clock, &mut desk);
            }
            if now >= tick_due {
                tick_due = now.plus(TICK);
                driver.handle(Event::Tick, &mut session, &clock, &mut desk);
            }
            if let Some((due, observation, action)) = on_the_way.take() {
                if now >= due {
                    if let Some(action) = action {
                        if let Some(controls) = sight.take_on(&action, now) {
                            camera.set_controls(controls)?;
                        }
                        lights.want(action.levels);
                    }
                    driver.handle(Event::Seen(observation), &mut session, &clock, &mut desk);
                } else {
                    on_the_way = Some((due, observation, action));
                }
            }
            // Vision hears of nothing while it looks.
            let heard = if on_the_way.is_none() {
                desk.orders.len()
            } else {
                0
            };
            for order in desk.orders.drain(..heard) {
                if let Some(action) = sight.obey(order, now) {
                    if let Some(controls) = sight.take_on(&action, now) {
                        camera.set_controls(controls)?;
                    }
                    lights.want(action.levels);
                }
            }
            if let Some(ui) = desk.ui.take() {
                screens::draw(&ui, panel.kind(), &mut image);
                panel.show(&image)?;
                let screen = ui.screen.name();
                if played
                    .screens
                    .last()
                    .is_none_or(|(_, last)| *last != screen)
                {
                    played.screens.push((at, screen));
                }
            }
            if now >= free_from && now >= frame_due {
                camera.capture(&mut frame, Duration::ZERO)?;
                frame_due = frame.meta.captured.plus(period);
                let lit = senses.lit_since(frame.meta.captured, LIT_FOR);
                watch.frames.note_serving(desk.is_serving);
                if let Some(event) = watch.judge(&frame, lit, &info.name) {
                    played.fault = watch.told.as_ref().map(DeviceFault::code).or(played.fault);
                    driver.handle(event, &mut session, &clock, &mut desk);
                }
                if sight.wants(frame.meta.captured) {
                    let task = sight.task();
                    let time = if sight.is_measuring() {
                        MEASURING
                    } else {
                        look_time(task)
                    };
                    let look = sight.look(&frame, &senses, &clock)?;
                    free_from = now.plus(time);
                    let taken = frame.meta.captured.since(began);
                    played.keep(taken, &frame);
                    played.samples.push(sample(
                        taken,
                        task,
                        &look.observation,
                        look.controls,
                        look.levels,
                        look.action.as_ref(),
                    ));
                    on_the_way = Some((free_from, look.observation, look.action));
                }
            }
            manual.advance(STEP);
        }
        self.vision = Some(sight.into_vision());
        played.outcome = desk
            .stored
            .as_deref()
            .map(serde_json::from_slice)
            .transpose()?;
        Ok(played)
    }
}

/// Looks after the camera as its thread in the service does; its recovery is not played.
#[derive(Debug, Default)]
struct Watch {
    frames: FrameWatch,
    told: Option<DeviceFault>,
}

impl Watch {
    /// A fault that begins or ends with this frame.
    fn judge(&mut self, frame: &Frame, lit: bool, place: &str) -> Option<Event> {
        let kind = self.frames.judge(&frame.view(), lit);
        match (kind, &self.told) {
            (Some(kind), told) if told.as_ref().is_none_or(|t| t.kind != kind) => {
                let fault = fault_of(kind, place);
                self.told = Some(fault.clone());
                Some(Event::Fault(fault))
            }
            (None, Some(_)) => {
                self.told = None;
                Some(Event::FaultCleared(DeviceKind::Camera))
            }
            _ => None,
        }
    }
}

impl Played {
    /// Why nothing will come of it any more, if so.
    fn is_hopeless(&self, at: Duration) -> Option<&'static str> {
        let (since, screen) = self.screens.last()?;
        let for_so_long = at.saturating_sub(*since);
        match *screen {
            "out_of_service" if for_so_long >= OUT_FOR_GOOD => Some("out of service"),
            "idle" | "show_ticket.show" if for_so_long >= NO_SESSION => Some("no session began"),
            _ => None,
        }
    }

    /// Keeps a frame of each screen, the first that was taken half a second after the screen came.
    fn keep(&mut self, at: Duration, frame: &Frame) {
        let Some((since, screen)) = self.screens.last().copied() else {
            return;
        };
        let is_kept = self.frames.last().is_some_and(|f| f.at >= since);
        if !is_kept && at >= since + Duration::from_millis(500) {
            self.frames.push(Shown {
                at,
                screen,
                picture: virt::picture(frame),
            });
        }
    }
}

fn sample(
    at: Duration,
    task: VisionTask,
    seen: &Observation,
    controls: CameraControls,
    levels: LightLevels,
    action: Option<&ExposureAction>,
) -> Sample {
    let mut sample = Sample {
        at,
        task,
        mean: seen.scene.centre,
        halves: None,
        controls,
        levels,
        found: false,
        settled: action.map(|a| a.settled),
        at_limit: action.is_some_and(|a| a.at_limit),
        problem: None,
        used: false,
    };
    match &seen.seen {
        Seen::Face(face) => {
            if let Some(p) = face.primary.as_ref().filter(|p| p.is_certain()) {
                (sample.mean, sample.found) = (p.light.mean, true);
                sample.halves = Some((p.light.left, p.light.right));
                sample.used = p.comparison_score.is_some();
            }
        }
        Seen::Document(d) => {
            if d.corners.is_some() {
                (sample.mean, sample.found) = (d.luminance, true);
                sample.used = d.reading.is_some();
            }
            sample.problem = d.problem;
        }
        Seen::Nothing | Seen::Code(_) => {}
    }
    sample
}
