//! The self-test, measured: asks the threads that own the devices, hands the figures to [`crate::technician::selftest`], keeps the results and
//! tells the memory of faults. One for the start, the night, `boothd selftest` and the console.

use super::eye::Eye;
use super::maintenance::Desk;
use super::senses::{Keeping, Senses};
use super::sight::Ask;
use super::sound::{Listen, Play};
use super::trends::Samples;
use crate::base::latest::Latest;
use crate::base::time::{Moment, SharedClock};
use crate::config::service::ModelPaths;
use crate::delivery::service::OutboxHandle;
use crate::delivery::wire::NetWatch;
use crate::guidance::model::UiModel;
use crate::hal::{
    Button, CameraInfo, LightLevels, SAMPLE_RATE_HZ, SensorReadings, Sensors, Storage,
};
use crate::models::{Catalogue, ModelTask};
use crate::technician::faults::Faults;
use crate::technician::selftest::PartReport;
use crate::technician::selftest::lights::{LightFigures, NoLightFigures};
use crate::technician::selftest::parts::{self, StorageFigures, UplinkFigures};
use crate::technician::selftest::sound::{SoundFigures, tone};
use crate::technician::selftest::store::{
    Kept, LevelReference, LightReference, Occasion, References, Results,
};
use crate::technician::trends::Measure;
use crate::trust::tls::SOFTWARE_S;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The ring for the camera's test: bright enough that darkness is no room's.
const CAMERA_LIGHT: f32 = 0.35;
/// So long the camera is looked at: a fault is told within a second.
const CAMERA_LOOK: Duration = Duration::from_millis(2_500);
/// The test of the lights ends by itself within this.
const LIGHTS_WITHIN: Duration = Duration::from_secs(90);
/// Samples that are listened to.
const SILENCE: usize = 2 * SAMPLE_RATE_HZ as usize;
const HALF_A_SECOND: usize = SAMPLE_RATE_HZ as usize / 2;
/// The tone, seconds; and how long after its beginning it is listened to: speakers and microphones have buffers.
const TONE_S: f32 = 1.6;
const TONE_UNDER_WAY: Duration = Duration::from_millis(350);
/// The speaker takes the tone within this: two seconds of queueing, and a rung of its ladder before it.
const PLAYED_WITHIN: Duration = Duration::from_secs(8);
/// A button that is down for longer is not pressed by anybody.
const STUCK_AFTER: Duration = Duration::from_secs(10);
/// The panel draws within this, or is not tested.
const PANEL_WITHIN: Duration = Duration::from_secs(2);
/// A waiting test looks so often whether to go on.
const LOOK: Duration = Duration::from_millis(100);

/// What the tests ask.
#[derive(Debug)]
pub struct Tester {
    /// To the vision thread.
    pub asks: Sender<Ask>,
    /// To the microphone's thread, if there is a microphone.
    pub listen: Option<Sender<Listen>>,
    /// To the speaker's thread, if there is a speaker.
    pub play: Option<Sender<Play>>,
    /// To the panel's thread.
    pub ui: Latest<UiModel>,
    /// What the devices say of themselves.
    pub senses: Senses,
    /// The camera's side.
    pub eye: Eye,
    /// The camera, as it was opened.
    pub camera: CameraInfo,
    /// Temperature, supply, case.
    pub sensors: Option<(Box<dyn Sensors>, Keeping)>,
    /// The disk.
    pub storage: (Box<dyn Storage>, Keeping),
    /// Which devices the board has.
    pub fitted: Fitted,
    /// The folder of the booth's state.
    pub state_dir: PathBuf,
    /// The outbox.
    pub outbox: OutboxHandle,
    /// What the uplink says.
    pub net: NetWatch,
    /// Where the models are, and threads of the interpreter.
    pub models: (ModelPaths, u32),
    /// The memory of faults.
    pub faults: Faults,
    /// The session.
    pub desk: Desk,
    /// The booth's clock, which is never before what is proven.
    pub clock: SharedClock,
    /// The machine's own clock, which may be wrong.
    pub machine: SharedClock,
    /// Results so far.
    pub results: Kept<Results>,
    /// What the devices were like when they were calibrated.
    pub references: Kept<References>,
    /// Figures for the trends.
    pub samples: Samples,
}

/// Which devices the board has.
#[derive(Clone, Copy, Debug)]
pub struct Fitted {
    /// The ring.
    pub lights: bool,
    /// The panel.
    pub panel: bool,
    /// The buttons.
    pub buttons: bool,
}

/// How a test may disturb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The booth is in maintenance: light, sound and panel may be used.
    Full,
    /// Customers may come: only what nobody notices.
    Quiet,
}

/// Whether a test is to go on; asked at least every 100 ms.
pub type Going<'a> = &'a mut dyn FnMut() -> bool;

impl Tester {
    /// Tests one part. What takes time is given up when `going` says no.
    pub fn test(&mut self, part: &'static str, reach: Reach, going: Going<'_>) -> PartReport {
        match part {
            "storage" => parts::storage(&self.storage_figures(true)),
            "models" => self.models(),
            "clock" => parts::clock(&self.uplink_figures()),
            "network" => parts::network(&self.uplink_figures()),
            "wallet" => parts::wallet(&self.uplink_figures()),
            "sensors" => self.sensors(),
            "panel" => self.panel(reach, going),
            "buttons" => self.buttons(),
            "camera" => self.camera(reach, going),
            "lights" => self.lights(reach, going),
            "microphone" => self.microphone(going),
            "speaker" => self.speaker(reach, going),
            _ => PartReport::not_tested(part, "not built in this version"),
        }
    }

    /// Keeps what a run has found, and tells the memory of faults.
    pub fn keep(&mut self, reports: &[PartReport], occasion: Occasion, took: Duration) {
        let at = self.clock.wall();
        for report in reports {
            self.faults.note_all(&report.faults, at);
        }
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        self.results.now.add(reports, occasion, took_ms, at);
        if let Err(error) = self.results.write() {
            tracing::warn!(%error, "results of the self-test are not written");
        }
    }

    fn wait<T>(&self, answer: &Receiver<T>, within: Duration, going: Going<'_>) -> Option<T> {
        let until = Instant::now() + within;
        while going() && Instant::now() < until {
            match answer.recv_timeout(LOOK) {
                Ok(answer) => return Some(answer),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
        None
    }

    fn pause(&self, span: Duration, going: Going<'_>) {
        let (never, nothing) = bounded::<()>(1);
        self.wait(&nothing, span, going);
        drop(never);
    }

    fn ask(&self, ask: Ask) -> bool {
        let sent = self.asks.send_timeout(ask, Duration::from_secs(1));
        if sent.is_err() {
            tracing::error!("vision is not to be asked");
        }
        sent.is_ok()
    }

    // --- camera and lights ---

    fn camera(&self, reach: Reach, going: Going<'_>) -> PartReport {
        if reach == Reach::Full && self.fitted.lights {
            self.ask(Ask::Shine(Some(LightLevels::white(CAMERA_LIGHT))));
            self.pause(CAMERA_LOOK, going);
        }
        let report = parts::camera(&self.eye.figures(&self.camera, self.clock.now()));
        if reach == Reach::Full && self.fitted.lights {
            self.ask(Ask::Shine(None));
        }
        report
    }

    /// What the camera sees of the ring.
    pub fn measure_lights(&self, going: Going<'_>) -> Result<LightFigures, NoLightFigures> {
        let (answer, figures) = bounded(1);
        if !self.ask(Ask::MeasureLights(answer)) {
            return Err(NoLightFigures::NoFrames);
        }
        self.wait(&figures, LIGHTS_WITHIN, going)
            .unwrap_or(Err(NoLightFigures::NoFrames))
    }

    fn lights(&self, reach: Reach, going: Going<'_>) -> PartReport {
        if !self.fitted.lights {
            return PartReport::not_tested("lights", "this board has no ring");
        }
        if reach == Reach::Quiet {
            return PartReport::not_tested("lights", "only in maintenance");
        }
        if let Some(code) = self.senses.read().light_fault {
            let mut report = PartReport::new("lights");
            report.standing("lights", code);
            return report;
        }
        // A lens that is covered shows no ring, and that is not the ring's fault.
        let before = self.camera(reach, going);
        if self
            .eye
            .figures(&self.camera, self.clock.now())
            .fault
            .is_some()
        {
            let mut report =
                PartReport::not_tested("lights", "the camera is not well: mend it first");
            report
                .rows
                .extend(before.rows.into_iter().filter(|r| r.item == "camera"));
            return report;
        }
        let measured = self.measure_lights(going);
        if let Ok(figures) = &measured {
            self.samples
                .put(Measure::LightLeft, figures.per_ms(figures.left));
            self.samples
                .put(Measure::LightRight, figures.per_ms(figures.right));
        }
        parts::lights(measured, self.references.now.lights.as_ref())
    }

    // --- sound ---

    /// Figures of so many samples of the microphone.
    pub fn hear(&self, n: usize, going: Going<'_>) -> Option<SoundFigures> {
        let (answer, figures) = bounded(1);
        let listen = self.listen.as_ref()?;
        listen.try_send(Listen { n, answer }).ok()?;
        let takes = Duration::from_secs_f32(n as f32 / SAMPLE_RATE_HZ as f32);
        self.wait(&figures, takes + Duration::from_secs(3), going)
    }

    fn microphone(&self, going: Going<'_>) -> PartReport {
        if self.listen.is_none() {
            return PartReport::not_tested("microphone", "this board has no microphone");
        }
        let figures = self.hear(SILENCE, going);
        let fault = self.senses.read().microphone_fault;
        // What the test has found itself need not be said twice.
        let fault = fault.filter(|code| *code != "hw.mic.silent" || figures.is_none());
        parts::microphone(figures.as_ref(), fault)
    }

    fn speaker(&self, reach: Reach, going: Going<'_>) -> PartReport {
        let Some(play) = &self.play else {
            return PartReport::not_tested("speaker", "this board has no speaker");
        };
        if reach == Reach::Quiet {
            return PartReport::not_tested("speaker", "only in maintenance");
        }
        let before = self.hear(HALF_A_SECOND, going);
        let (answer, played) = bounded(1);
        let samples = tone(TONE_S);
        // Nobody else plays; a tone that still waits is one that was given up.
        let taken = play.try_send(Play { samples, answer }).is_ok();
        let played = taken.then(|| self.wait(&played, PLAYED_WITHIN, going));
        match played.flatten() {
            Some(Ok(())) => {}
            Some(Err(code)) => {
                let mut report = PartReport::new("speaker");
                report.standing("speaker", code);
                return report;
            }
            None => {
                return PartReport::not_tested("speaker", "it has not taken the tone in time");
            }
        }
        self.pause(TONE_UNDER_WAY, going);
        let during = self.hear(HALF_A_SECOND, going);
        parts::speaker(before.as_ref(), during.as_ref())
    }

    // --- panel and buttons ---

    fn panel(&self, reach: Reach, going: Going<'_>) -> PartReport {
        if !self.fitted.panel {
            return PartReport::not_tested("panel", "this board has no panel");
        }
        let asked = self.clock.now();
        let readings = || self.senses.read();
        if reach == Reach::Full
            && let Some(ui) = self.desk.standing().ui
        {
            self.ui.put(ui);
            let until = Instant::now() + PANEL_WITHIN;
            let drawn = || {
                let r = readings();
                r.panel_fault.is_some() || r.panel_took.is_some_and(|(at, _)| at >= asked)
            };
            while going() && Instant::now() < until && !drawn() {
                std::thread::park_timeout(Duration::from_millis(20));
            }
        }
        let now = readings();
        let since = if reach == Reach::Full {
            asked
        } else {
            Moment::ZERO
        };
        let took = now
            .panel_took
            .filter(|(at, _)| *at >= since)
            .map(|(_, took)| took);
        parts::panel(took, now.panel_fault)
    }

    fn buttons(&self) -> PartReport {
        if !self.fitted.buttons {
            return PartReport::not_tested("buttons", "this board has no buttons");
        }
        let readings = self.senses.read();
        let now = self.clock.now();
        let stuck: Vec<Button> = readings
            .down
            .iter()
            .filter(|(_, since)| now.since(*since) >= STUCK_AFTER)
            .map(|(button, _)| *button)
            .collect();
        let read = readings.buttons_read.then_some(stuck.as_slice());
        parts::buttons(read, readings.buttons_fault)
    }

    // --- the machine ---

    fn storage_figures(&mut self, write: bool) -> StorageFigures {
        let (storage, keeping) = &mut self.storage;
        let readings = storage.read(&self.state_dir);
        keeping.note(readings.as_ref().err());
        let life = readings.as_ref().ok().and_then(|r| r.life_used_percent);
        if let Some(used) = life {
            self.samples.put(Measure::LifeUsed, used.into());
        }
        let outbox = self.outbox.stats();
        StorageFigures {
            readings: readings.map_err(|f| f.to_string()),
            write: write.then(|| write_and_read(&self.state_dir).map_err(|e| e.to_string())),
            outbox: outbox
                .map(|s| (s.pending, s.damaged, s.max_rows))
                .map_err(|e| e.to_string()),
        }
    }

    fn models(&self) -> PartReport {
        let (paths, threads) = &self.models;
        let catalogue = match Catalogue::open(&paths.dir, &paths.runtime, *threads) {
            Ok(catalogue) => catalogue,
            Err(error) => return parts::models(&[("runtime".to_owned(), Err(error.to_string()))]),
        };
        let file = |task: ModelTask| {
            let found = catalogue.verify(task);
            let version = found.map(|m| m.info.version.clone());
            (task.name().to_owned(), version.map_err(|e| e.to_string()))
        };
        let files: Vec<_> = ModelTask::ALL.into_iter().map(file).collect();
        parts::models(&files)
    }

    /// Temperature, supply, case.
    pub fn read_sensors(&mut self) -> Result<SensorReadings, String> {
        let Some((sensors, keeping)) = &mut self.sensors else {
            return Err(
                "this board has no sensors, or they were not there at the start".to_owned(),
            );
        };
        let readings = sensors.read();
        keeping.note(readings.as_ref().err());
        if let Ok(r) = &readings {
            if let Some(celsius) = r.soc_celsius {
                self.samples.put(Measure::Processor, celsius);
            }
            if let Some(low) = r.undervoltage {
                let n = if low { 1.0 } else { 0.0 };
                self.samples.put(Measure::LowSupply, n);
            }
        }
        readings.map_err(|f| f.to_string())
    }

    fn sensors(&mut self) -> PartReport {
        parts::sensors(self.read_sensors())
    }

    /// What the uplink has told.
    pub fn uplink_figures(&self) -> UplinkFigures {
        let status = self.net.status();
        UplinkFigures {
            code: status.code.map(|c| c.code().to_owned()),
            heard_s: self.net.heard_ago().map(|d| d.as_secs()),
            clock_off_s: self.net.clock_off_s(),
            behind_floor_s: (SOFTWARE_S - self.machine.wall().unix_s()).max(0),
        }
    }

    /// What is watched between self-tests, and costs next to nothing.
    pub fn watch(&mut self, watched: Watched) -> PartReport {
        match watched {
            Watched::Storage => parts::storage(&self.storage_figures(false)),
            Watched::Sensors => self.sensors(),
            Watched::Network => parts::network(&self.uplink_figures()),
            Watched::Wallet => parts::wallet(&self.uplink_figures()),
            Watched::Clock => parts::clock(&self.uplink_figures()),
            Watched::Buttons => self.buttons(),
        }
    }

    // --- calibration ---

    /// Keeps what the ring gives now as what it gives when it is well.
    ///
    /// # Errors
    /// What the disk says.
    pub fn calibrate_lights(&mut self, figures: &LightFigures) -> std::io::Result<()> {
        self.references.now.lights = Some(LightReference {
            left: figures.per_ms(figures.left),
            right: figures.per_ms(figures.right),
            at_ms: self.clock.wall().0,
        });
        self.references.write()
    }

    /// Keeps a level: the microphone's noise floor, or the camera's luminance.
    ///
    /// # Errors
    /// What the disk says.
    pub fn calibrate_level(
        &mut self,
        level: f32,
        which: fn(&mut References) -> &mut Option<LevelReference>,
    ) -> std::io::Result<()> {
        let at_ms = self.clock.wall().0;
        *which(&mut self.references.now) = Some(LevelReference { level, at_ms });
        self.references.write()
    }
}

/// What [`Tester::watch`] looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched {
    /// Room and rights of the disk.
    Storage,
    /// Temperature, supply, case.
    Sensors,
    /// The network.
    Network,
    /// The wallet.
    Wallet,
    /// The clock.
    Clock,
    /// Buttons that stay down.
    Buttons,
}

/// Writes 64 KiB, has them on the disk, reads them back, and takes them away.
fn write_and_read(folder: &Path) -> std::io::Result<Duration> {
    let path = folder.join("selftest.tmp");
    let pattern: Vec<u8> = (0..64 * 1024u32).map(|i| (i * 31 % 251) as u8).collect();
    let began = Instant::now();
    let mut file = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(&path)?;
    let done = (|| {
        file.write_all(&pattern)?;
        file.sync_all()?;
        file.rewind()?;
        let mut back = Vec::with_capacity(pattern.len());
        file.read_to_end(&mut back)?;
        if back == pattern {
            Ok(began.elapsed())
        } else {
            Err(std::io::Error::other(
                "what was read is not what was written",
            ))
        }
    })();
    std::fs::remove_file(&path)?;
    done
}

/// A tester that the upkeep's thread and the console's connections share: one test at a time.
pub type SharedTester = Arc<std::sync::Mutex<Tester>>;
