//! The upkeep's thread: looks after disk, clock, network, sensors and buttons between sessions, raises and ends their faults, tells their
//! number to the panel and the uplink, keeps the trends, and runs the self-test after the start and once a day when nobody is there.

use super::control::settings::Settings;
use super::maintenance::{Desk, Holder};
use super::tester::{Reach, SharedTester, Tester, Watched};
use super::trends::{Looking, TrendKeeper};
use crate::base::ids::BoothId;
use crate::base::time::{Moment, SharedClock};
use crate::config::service::SelfTestConfig;
use crate::delivery::wire::NetWatch;
use crate::runtime::crew::Stop;
use crate::runtime::heartbeat::Pulse;
use crate::runtime::logging::LogControl;
use crate::session::event::Event;
use crate::technician::command::TestWhat;
use crate::technician::control::ConsoleNote;
use crate::technician::faults::Faults;
use crate::technician::selftest::parts_of;
use crate::technician::selftest::store::Occasion;
use crossbeam_channel::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

/// How often it looks around.
const TURN: Duration = Duration::from_secs(1);
/// The uplink has so long to report after the start.
const UPLINK_WITHIN: Duration = Duration::from_secs(60);
/// How often each thing is looked at, in turns.
const EVERY: [(Watched, u64); 6] = [
    (Watched::Network, 1),
    (Watched::Wallet, 1),
    (Watched::Clock, 1),
    (Watched::Buttons, 1),
    (Watched::Sensors, 5),
    (Watched::Storage, 5),
];
/// At the start, so many turns after the service is ready.
const START_AFTER: u64 = 3;
/// What is tested at the start: all that nobody notices, so that the booth serves at once.
const AT_START: [&str; 9] = [
    "storage",
    "clock",
    "network",
    "wallet",
    "sensors",
    "panel",
    "buttons",
    "camera",
    "microphone",
];
const HOUR_MS: i64 = 3_600_000;

/// What the thread has.
#[derive(Debug)]
pub struct Upkeep {
    /// The booth's name, for the line that the uplink tells the wallet.
    pub booth: BoothId,
    /// The tests.
    pub tester: SharedTester,
    /// The session.
    pub desk: Desk,
    /// The memory of faults.
    pub faults: Faults,
    /// What the console tells of itself.
    pub console: Arc<Mutex<ConsoleNote>>,
    /// To the session.
    pub events: Sender<Event>,
    /// To the uplink.
    pub net: NetWatch,
    /// Settings that go again unless they are confirmed.
    pub settings: Settings,
    /// The log, whose level goes back by itself.
    pub log: LogControl,
    /// Figures over months.
    pub trends: TrendKeeper,
    /// When the daily test may run.
    pub config: SelfTestConfig,
    /// The clock.
    pub clock: SharedClock,
}

/// What was told last.
#[derive(Default)]
struct Told {
    n: Option<u8>,
    line: String,
}

/// Looks after the booth until the end.
///
/// # Errors
/// Never by itself: what is wrong is a fault.
pub fn upkeep_thread(upkeep: &Upkeep, pulse: &Pulse, stop: &Stop) -> anyhow::Result<()> {
    let started = upkeep.clock.now();
    let mut told = Told::default();
    let mut turn = 0u64;
    let mut ready_turns = 0u64;
    let mut tested_at_start = false;
    let mut looking = Looking::default();
    while !stop.is_set() {
        pulse.beat();
        upkeep.look_around(turn, started);
        upkeep.trends.turn(&mut looking);
        upkeep.tell(&mut told);
        upkeep.settings.tick(upkeep.clock.now());
        upkeep.log.tick(upkeep.clock.now());
        let standing = upkeep.desk.standing();
        let is_ready = standing.ui.as_ref().is_some_and(|ui| {
            use crate::guidance::model::Screen as S;
            !matches!(ui.screen, S::Starting)
        });
        ready_turns += u64::from(is_ready);
        if !tested_at_start && ready_turns >= START_AFTER {
            tested_at_start = upkeep.run(&AT_START, Reach::Quiet, Occasion::Start, pulse, stop);
        } else if tested_at_start && upkeep.daily_is_due() {
            upkeep.daily(pulse, stop);
        }
        turn += 1;
        for _ in 0..5 {
            if !stop.is_set() {
                std::thread::park_timeout(TURN / 5);
            }
        }
    }
    upkeep.trends.trends.write();
    Ok(())
}

/// The tester, if nobody tests: this thread never waits for the end of somebody's live picture.
fn free(tester: &SharedTester) -> Option<MutexGuard<'_, Tester>> {
    match tester.try_lock() {
        Ok(tester) => Some(tester),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

impl Upkeep {
    fn look_around(&self, turn: u64, started: Moment) {
        // A test that runs has the devices, and says what it finds.
        let Some(mut tester) = free(&self.tester) else {
            return;
        };
        let early = self.clock.now().since(started) < UPLINK_WITHIN;
        for (watched, every) in EVERY {
            let silent = self.net.heard_ago().is_none();
            if turn.is_multiple_of(every) && !(watched == Watched::Network && early && silent) {
                let report = tester.watch(watched);
                self.faults.note_all(&report.faults, self.clock.wall());
            }
        }
    }

    fn tell(&self, told: &mut Told) {
        let active = self.faults.active();
        let n = u8::try_from(active.len()).unwrap_or(u8::MAX);
        if told.n != Some(n) && self.events.try_send(Event::Faults(n)).is_ok() {
            told.n = Some(n);
        }
        let codes: Vec<&str> = active.iter().map(|f| f.code.as_str()).collect();
        let console = self.console.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever cuts the tail off the console's audit log is found by its length and head.
        let (booth, codes) = (self.booth.as_str(), codes.join(","));
        let audit = console.audit_head.get(..16).unwrap_or("none");
        let line = format!(
            "{booth} faults={codes} audit={}:{audit}",
            console.audit_lines
        );
        drop(console);
        if told.line != line {
            self.net.tell(&line);
            told.line = line;
        }
    }

    /// Whether a day has passed since the last whole test, and nobody has been there for a while.
    fn daily_is_due(&self) -> bool {
        let standing = self.desk.standing();
        let idle_for = self.clock.now().since(standing.since);
        if standing.serving
            || self.desk.holder().is_some()
            || idle_for < Duration::from_secs(self.config.after_idle_s.into())
        {
            return false;
        }
        let Some(tester) = free(&self.tester) else {
            return false;
        };
        let now = self.clock.wall().0;
        let last = tester.results.now.parts.get("lights").map(|p| p.at_ms);
        // A clock that was set back must not put it off for ever.
        last.is_none_or(|at| now - at >= i64::from(self.config.every_h) * HOUR_MS || now < at)
    }

    fn daily(&self, pulse: &Pulse, stop: &Stop) {
        if self.desk.enter(Holder::Service).is_err() {
            return;
        }
        let parts = parts_of(TestWhat::All);
        self.run(parts, Reach::Full, Occasion::Daily, pulse, stop);
        self.desk.leave(Holder::Service);
    }

    /// Runs tests; gives whether it could: not while somebody else has the devices.
    fn run(
        &self,
        parts: &[&'static str],
        reach: Reach,
        occasion: Occasion,
        pulse: &Pulse,
        stop: &Stop,
    ) -> bool {
        let Some(mut tester) = free(&self.tester) else {
            return false;
        };
        let began = self.clock.now();
        let mut going = || {
            pulse.beat();
            !stop.is_set()
        };
        let mut reports = Vec::new();
        for part in parts {
            if !going() {
                return false;
            }
            reports.push(tester.test(part, reach, &mut going));
        }
        let took = self.clock.now().since(began);
        tester.keep(&reports, occasion, took);
        let worst = reports.iter().map(|r| r.verdict()).max();
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(?occasion, ms, worst = worst.map(|v| v.word()), "self-test");
        true
    }
}
