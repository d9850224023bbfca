//! The small threads: light, panel, buttons, and the one that watches over all; what the devices say of themselves.

use super::steady::Steady;
use crate::base::latest::Latest;
use crate::base::time::{Moment, SharedClock};
use crate::delivery::status::NetState;
use crate::delivery::wire::NetWatch;
use crate::guidance::light::{LightDriver, LightLimits};
use crate::guidance::model::{NetworkSign, UiModel};
use crate::guidance::screens;
use crate::hal::{
    Button, Buttons, DeviceFault, DeviceKind, LightLevels, Lights, Panel, PanelImage, PanelKind,
    Watchdog,
};
use crate::perception::observation::LitFrom;
use crate::runtime::crew::Stop;
use crate::runtime::heartbeat::{Heartbeats, Pulse};
use crate::runtime::notify;
use crate::session::event::Event;
use crate::technician::faults::Faults;
use crossbeam_channel::Sender;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What the devices say of themselves, for the preflight and for the exposure loop.
#[derive(Clone, Debug, Default)]
pub struct Senses(Arc<Mutex<Readings>>);

/// The newest readings.
#[derive(Clone, Debug, Default)]
pub struct Readings {
    /// What the light ring was set to, over the last second or so, the newest last. Bounded: [`LEVELS_KEPT`].
    pub levels: VecDeque<(Moment, LightLevels)>,
    /// Somebody is served.
    pub is_serving: bool,
    /// Fault of the lights.
    pub light_fault: Option<&'static str>,
    /// Fault of the panel.
    pub panel_fault: Option<&'static str>,
    /// Fault of the microphone; `None` with a level is good.
    pub microphone_fault: Option<&'static str>,
    /// Level of the microphone over the last second, dBFS.
    pub microphone_dbfs: Option<f32>,
    /// Fault of the buttons.
    pub buttons_fault: Option<&'static str>,
    /// Buttons that are down by their lines, and since when each has been.
    pub down: Vec<(Button, Moment)>,
    /// Whether the buttons' lines were read.
    pub buttons_read: bool,
    /// When the panel last took a picture, and how long that took it.
    pub panel_took: Option<(Moment, Duration)>,
}

impl Senses {
    /// What the light ring was set to at a moment: a frame that is looked at now was lit some time ago.
    pub fn levels_at(&self, at: Moment) -> LightLevels {
        self.light_at(at).1
    }

    /// The same, and since when.
    pub fn light_at(&self, at: Moment) -> (Moment, LightLevels) {
        let readings = self.lock();
        let before = readings.levels.iter().rfind(|(since, _)| *since <= at);
        before
            .or(readings.levels.front())
            .copied()
            .unwrap_or((Moment::ZERO, LightLevels::OFF))
    }

    /// Which half of the ring alone was on from `span` before a moment until `after` it.
    pub fn lit_from(&self, at: Moment, span: Duration, after: Duration) -> LitFrom {
        let readings = self.lock();
        let (mut left, mut right) = ((f32::INFINITY, 0.0_f32), (f32::INFINITY, 0.0_f32));
        for (since, levels) in readings.levels.iter().rev() {
            if *since > at.plus(after) {
                continue;
            }
            let both = [levels.left.power(), levels.right.power()];
            for (range, power) in [&mut left, &mut right].into_iter().zip(both) {
                *range = (range.0.min(power), range.1.max(power));
            }
            if at.since(*since) >= span {
                let is_alone = |one: (f32, f32), other: (f32, f32)| {
                    one.0 > 0.0 && other.1 <= OTHER_SIDE * one.0
                };
                return match (is_alone(left, right), is_alone(right, left)) {
                    (true, _) => LitFrom::Left,
                    (_, true) => LitFrom::Right,
                    _ => LitFrom::Both,
                };
            }
        }
        // What it was before is not known any more.
        LitFrom::Both
    }

    /// Somebody is served, or not any more.
    pub fn note_serving(&self, is_serving: bool) {
        self.lock().is_serving = is_serving;
    }

    /// Whether somebody is served.
    pub fn is_serving(&self) -> bool {
        self.lock().is_serving
    }

    /// Whether the ring has been on (at a tenth of its power or more) for `span` before a moment.
    pub fn lit_since(&self, at: Moment, span: Duration) -> bool {
        let readings = self.lock();
        let on = |levels: &LightLevels| levels.left.power().max(levels.right.power()) >= LIT;
        // What was set last before the span began, and all since.
        let mut covered = false;
        for (since, levels) in readings.levels.iter().rev() {
            if *since > at {
                continue;
            }
            if !on(levels) {
                return false;
            }
            if at.since(*since) >= span {
                covered = true;
                break;
            }
        }
        covered
    }

    /// The ring was set to `levels` at a moment.
    pub(super) fn note_levels(&self, at: Moment, levels: LightLevels) {
        let mut readings = self.lock();
        if readings
            .levels
            .back()
            .is_some_and(|(_, last)| *last == levels)
        {
            return;
        }
        if readings.levels.len() == LEVELS_KEPT {
            readings.levels.pop_front();
        }
        readings.levels.push_back((at, levels));
    }

    fn note_down(&self, now: Moment, down: &[Button]) {
        let mut readings = self.lock();
        readings.buttons_read = true;
        readings.down.retain(|(button, _)| down.contains(button));
        for button in down {
            if !readings.down.iter().any(|(known, _)| known == button) {
                readings.down.push((*button, now));
            }
        }
    }

    /// The newest readings.
    pub fn read(&self) -> Readings {
        self.lock().clone()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Readings> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A half of the ring that has at most this share of the other one's power casts no glare to speak of.
const OTHER_SIDE: f32 = 0.05;
/// From this share of its power on, the ring lights the booth.
const LIT: f32 = 0.1;
/// Changes of the light that are remembered: over a second of them.
const LEVELS_KEPT: usize = 64;
/// How often the light is brought nearer to what is wanted.
const LIGHT_TICK: Duration = Duration::from_millis(20);

/// Tells the memory of faults about a device that climbs no ladder: when a fault begins, changes, and is over.
#[derive(Debug)]
pub struct Keeping {
    faults: Faults,
    clock: SharedClock,
    device: DeviceKind,
    told: Option<&'static str>,
}

impl Keeping {
    /// A device without a fault.
    pub fn new(faults: &Faults, clock: &SharedClock, device: DeviceKind) -> Self {
        Self {
            faults: faults.clone(),
            clock: Arc::clone(clock),
            device,
            told: None,
        }
    }

    /// The device answered so.
    pub fn note(&mut self, fault: Option<&DeviceFault>) {
        let code = fault.map(DeviceFault::code);
        if code == self.told {
            return;
        }
        match fault {
            Some(fault) => {
                tracing::warn!(code, %fault, "{}", self.device);
                self.faults.raise(fault, self.clock.wall());
            }
            None => {
                tracing::info!(code = self.told, "{} is back", self.device);
                self.faults.clear(self.device, self.clock.wall());
            }
        }
        self.told = code;
    }
}

/// Brings the light to what is wanted, within the flash and thermal limits; off at the end.
///
/// # Errors
/// Never by itself: a fault is in the readings.
pub fn light_thread(
    lights: Steady<dyn Lights>,
    limits: LightLimits,
    wanted: &Latest<LightLevels>,
    senses: &Senses,
    clock: &SharedClock,
    pulse: &Pulse,
    stop: &Stop,
) -> anyhow::Result<()> {
    let mut driver = LightDriver::new(Box::new(lights), limits);
    while !stop.is_set() {
        pulse.beat();
        if let Some(levels) = wanted.take(LIGHT_TICK) {
            driver.want(levels);
        }
        let now = clock.now();
        let result = driver.tick(now);
        // What was not taken by the ring does not shine.
        let shines = if result.is_ok() {
            driver.applied()
        } else {
            LightLevels::OFF
        };
        senses.note_levels(now, shines);
        senses.lock().light_fault = result.err().map(|fault| fault.code());
    }
    if let Err(fault) = driver.off(clock.now()) {
        tracing::warn!(code = fault.code(), %fault, "the light cannot be turned off");
    }
    Ok(())
}

/// A screen that stays is shown again so often: a panel that was plugged in again has it, and one that is gone is found.
const REDRAW: Duration = Duration::from_secs(10);

/// Draws what the session wants; a fault of the panel delays nobody.
///
/// # Errors
/// Never by itself: a fault is in the readings.
pub fn panel_thread(
    mut panel: Steady<dyn Panel>,
    kind: PanelKind,
    ui: &Latest<UiModel>,
    senses: &Senses,
    clock: &SharedClock,
    stop: &Stop,
) -> anyhow::Result<()> {
    let mut image = PanelImage::blank(kind);
    let mut shown: Option<Moment> = None;
    while !stop.is_set() {
        let new = ui.take(Duration::from_millis(500));
        let now = clock.now();
        // While its fault stands, the panel is asked again and again: that is what brings it back.
        let again = shown.is_some_and(|at| panel.told().is_some() || now.since(at) >= REDRAW);
        match new {
            Some(model) => screens::draw(&model, kind, &mut image),
            None if again => {}
            None => continue,
        }
        shown = Some(now);
        let began = clock.now();
        let result = panel.ask(|panel| panel.show(&image));
        let ended = clock.now();
        let mut readings = senses.lock();
        if result.is_ok() {
            readings.panel_took = Some((ended, ended.since(began)));
        }
        readings.panel_fault = result.err().map(|fault| fault.code());
    }
    Ok(())
}

/// Hands buttons to the session. None is dropped.
///
/// # Errors
/// If the session takes no events any more.
pub fn button_thread(
    mut buttons: Steady<dyn Buttons>,
    events: &Sender<Event>,
    senses: &Senses,
    clock: &SharedClock,
    pulse: &Pulse,
    stop: &Stop,
) -> anyhow::Result<()> {
    let mut looked: Option<Moment> = None;
    while !stop.is_set() {
        pulse.beat();
        let next = buttons.ask(|buttons| buttons.next(Duration::from_millis(200)));
        let now = clock.now();
        let result = match next {
            Ok(event) => {
                if let Some(event) = event {
                    events.send_timeout(Event::Button(event), Duration::from_secs(5))?;
                }
                if looked.is_some_and(|at| now.since(at) < LINES_EVERY) {
                    continue;
                }
                looked = Some(now);
                buttons.ask(|buttons| buttons.down())
            }
            Err(fault) => Err(fault),
        };
        if let Ok(down) = &result {
            senses.note_down(now, down);
        }
        let away = result.is_err();
        senses.lock().buttons_fault = result.err().map(|fault| fault.code());
        if away {
            std::thread::park_timeout(AWAY);
        }
    }
    Ok(())
}

/// Between two questions to a device that is closed: the ladder says when it is opened again.
pub(super) const AWAY: Duration = Duration::from_millis(100);
/// How often the buttons' lines are read, beside their events.
const LINES_EVERY: Duration = Duration::from_secs(1);

/// Feeds the watchdogs while every heart beats, and tells the session about the network.
///
/// # Errors
/// If a heart stands still: then the service ends and is started again.
pub fn watch_thread(
    hearts: &Heartbeats,
    mut watchdog: Option<Box<dyn Watchdog>>,
    net: &NetWatch,
    events: &Sender<Event>,
    stop: &Stop,
) -> anyhow::Result<()> {
    let interval = notify::feed_interval().min(Duration::from_secs(2));
    let mut sign = None;
    let mut since_feed = interval;
    const STEP: Duration = Duration::from_millis(250);
    while !stop.is_set() {
        if let Some(name) = hearts.first_silent() {
            anyhow::bail!("`{name}` has not moved within its time; the service starts again");
        }
        since_feed += STEP;
        if since_feed >= interval {
            since_feed = Duration::ZERO;
            notify::feed();
            if let Some(device) = &mut watchdog
                && let Err(fault) = device.feed()
            {
                tracing::warn!(code = fault.code(), %fault, "watchdog");
                watchdog = None;
            }
        }
        let now = if net.status().state == NetState::Ready {
            NetworkSign::Ready
        } else {
            NetworkSign::Limited
        };
        if sign != Some(now) && events.try_send(Event::Network(now)).is_ok() {
            sign = Some(now);
        }
        std::thread::park_timeout(STEP);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hal::SideLevel;

    #[test]
    fn the_ring_counts_as_lit_after_it_was_on_for_a_while() {
        let white = |white: f32| LightLevels {
            left: SideLevel::white(white),
            right: SideLevel::default(),
        };
        let senses = Senses::default();
        for (at, level) in [
            (0, 0.05),
            (1000, 0.3),
            (1200, 0.5),
            (5000, 0.05),
            (5100, 0.3),
        ] {
            senses.note_levels(Moment::from_millis(at), white(level));
        }
        for (at, expected) in [
            (900, false),
            (1100, false),
            (1299, false),
            (1300, true),
            (4999, true),
            (5050, false),
            (5399, false),
            (5400, true),
            (9000, true),
        ] {
            let found = senses.lit_since(Moment::from_millis(at), Duration::from_millis(300));
            assert_eq!(found, expected, "{at}");
        }
        assert!(!Senses::default().lit_since(Moment::ZERO, Duration::ZERO));
    }

    #[test]
    fn a_frame_is_lit_from_one_side_if_it_was_from_before_its_exposure_to_its_end() {
        use LitFrom::{Both, Left, Right};
        let senses = Senses::default();
        let set = |at: u64, left: f32, right: f32| {
            let levels = LightLevels {
                left: SideLevel::white(left),
                right: SideLevel::white(right),
            };
            senses.note_levels(Moment::from_millis(at), levels);
        };
        let lit = |at: u64| {
            let ms = Duration::from_millis;
            senses.lit_from(Moment::from_millis(at), ms(45), ms(33))
        };
        // Nothing is known.
        assert_eq!(lit(50), Both);
        set(0, 0.12, 0.12);
        set(1000, 0.16, 0.01);
        set(1020, 0.2, 0.0);
        // The swap of both takes two steps.
        set(1500, 0.1, 0.1);
        set(1520, 0.0, 0.2);
        for (at, expected) in [
            (900, Both),
            (1030, Both),
            // The step before still reaches into the exposure, with a right side too bright.
            (1064, Both),
            (1065, Left),
            (1400, Left),
            (1466, Left),
            // The swap may have begun before the picture's last row was read out.
            (1467, Both),
            (1564, Both),
            (1565, Right),
            (9000, Right),
        ] {
            assert_eq!(lit(at), expected, "{at}");
        }
        set(10_000, 0.0, 0.0);
        assert_eq!(lit(11_000), Both);
    }

    #[test]
    fn the_light_of_a_frame_is_that_of_its_moment() {
        let senses = Senses::default();
        let at = Moment::from_millis;
        assert_eq!(senses.levels_at(at(5)), LightLevels::OFF);
        for i in 0..200u16 {
            senses.note_levels(
                at(u64::from(i) * 20),
                LightLevels::white(f32::from(i) / 200.0),
            );
        }
        assert_eq!(
            senses.levels_at(at(3990)),
            LightLevels::white(199.0 / 200.0)
        );
        assert_eq!(
            senses.levels_at(at(3790)),
            LightLevels::white(189.0 / 200.0)
        );
        assert_eq!(
            senses.levels_at(at(0)),
            LightLevels::white(136.0 / 200.0),
            "the oldest that is kept"
        );
    }
}
