//! Commands that do something: practice, locate, reset, restart, log, outbox, inspections.

use super::Control;
use super::show::at;
use crate::app::sight::Ask;
use crate::hal::LightLevels;
use crate::technician::command::{
    InspectItem, InspectResult, LogLevel, LogModule, Operator, RebootReason,
};
use crate::technician::control::{Answers, Go};
use crate::technician::report::{Code, Report, Row};
use crate::technician::selftest::store::Kept;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A camera that was reset gives frames again within this, or it is not well.
const FRAMES_WITHIN: Duration = Duration::from_secs(15);
/// The answer reaches the console before the service ends.
const LAST_WORD: Duration = Duration::from_millis(700);
/// The uplink looks whether it is to hurry once a second, and a request takes three.
const HURRY_WITHIN: Duration = Duration::from_secs(8);
/// Inspections that are remembered.
const MOST_INSPECTIONS: usize = 200;

/// A line of `inspections.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Inspection {
    /// When, in milliseconds since 1970.
    pub(super) at_ms: i64,
    pub(super) item: InspectItem,
    pub(super) result: InspectResult,
    pub(super) work_order: String,
}

/// `inspections.json`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Inspections {
    pub(super) newest: VecDeque<Inspection>,
}

impl Control {
    pub(super) fn practice(&self) -> Report {
        if self.desk.practise() {
            let mut report =
                Report::new("practice has begun: the panel asks for consent", Code::Ok);
            report.next = "go through it at the booth; nothing is stored, nothing sent".to_owned();
            return report;
        }
        Report::refusal(
            Code::Failed,
            "practice did not begin: a session runs, or the camera is not well",
            "`show status`",
        )
    }

    /// The ring goes bright and low once a second: three flashes in a second are never reached, whoever asks.
    pub(super) fn locate(&self, seconds: u16, answers: &mut dyn Answers) -> Report {
        let tester = super::locked(&self.tester);
        if !tester.fitted.lights {
            return Report::refusal(Code::NotTested, "this board has no ring to be seen by", "");
        }
        let until = Instant::now() + Duration::from_secs(seconds.into());
        let mut bright = true;
        let mut code = Code::Ok;
        while Instant::now() < until {
            let levels = LightLevels::white(if bright { 0.6 } else { 0.05 });
            if tester
                .asks
                .send_timeout(Ask::Shine(Some(levels)), LAST_WORD)
                .is_err()
            {
                code = Code::Failed;
                break;
            }
            bright = !bright;
            let turn = Instant::now();
            while turn.elapsed() < Duration::from_millis(500) && code == Code::Ok {
                if answers.go() == Go::Stop {
                    code = Code::Stopped;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            if code != Code::Ok {
                break;
            }
        }
        let restored = tester.asks.send_timeout(Ask::Shine(None), LAST_WORD);
        if restored.is_err() {
            code = Code::Failed;
        }
        Report::new("the ring has shown where the booth is", code)
    }

    pub(super) fn camera_reset(&self, answers: &mut dyn Answers) -> Report {
        let asked = self.clock.now();
        self.eye.ask_for_reset();
        let began = Instant::now();
        while began.elapsed() < FRAMES_WITHIN {
            if answers.progress("waiting for the camera", 0, 0) == Go::Stop {
                return Report::new("the camera is being reset", Code::Stopped);
            }
            std::thread::sleep(Duration::from_millis(500));
            // Some time for the reset itself: a frame of before says nothing.
            if self.eye.last_frame() > asked.plus(Duration::from_millis(400)) {
                let ms = began.elapsed().as_millis();
                let row = Row::told(
                    "frames again after",
                    i64::try_from(ms).unwrap_or(i64::MAX),
                    "ms",
                );
                let mut report = Report::of_rows("the camera was reset", vec![row]);
                report.next = "`test camera`".to_owned();
                return report;
            }
        }
        Report::refusal(
            Code::Fail,
            "the camera was reset and gives no frames",
            "check plug and cable; another camera",
        )
    }

    fn soon(&self, what: impl FnOnce() + Send + 'static) -> bool {
        let later = std::thread::Builder::new().name("console-later".to_owned());
        later
            .spawn(move || {
                std::thread::sleep(LAST_WORD);
                what();
            })
            .is_ok()
    }

    pub(super) fn service_restart(&self) -> Report {
        let stop = self.stop.clone();
        tracing::warn!("the service ends and starts again, as asked");
        if self.soon(move || stop.set()) {
            let mut report = Report::new("the service ends now; systemd starts it again", Code::Ok);
            report.next = "`show status` in half a minute".to_owned();
            return report;
        }
        Report::refusal(Code::Failed, "no thread could be started", "try again")
    }

    pub(super) fn reboot(&self, reason: RebootReason) -> Report {
        let Some(path) = &self.config.reboot_request else {
            return Report::refusal(
                Code::NotTested,
                "this booth has no `reboot_request` in boothd.toml",
                "`service restart`, or the mains switch",
            );
        };
        match std::fs::write(path, format!("console: {}\n", reason.word())) {
            Ok(()) => {
                tracing::warn!(reason = reason.word(), "the machine starts again, as asked");
                Report::new("the machine starts again now", Code::Ok)
            }
            Err(error) => Report::refusal(
                Code::Failed,
                format!("{}: {error}", path.display()),
                "`service restart`, or the mains switch",
            ),
        }
    }

    pub(super) fn log_level(&self, module: LogModule, level: LogLevel, minutes: u8) -> Report {
        let directive = match module {
            LogModule::All => level.word().to_owned(),
            module => format!("boothd::{}={}", module.word(), level.word()),
        };
        let span = Duration::from_secs(60 * u64::from(minutes));
        if self.log.louder(&directive, span, self.clock.now()) {
            tracing::info!(directive, minutes, "log level, as asked");
            let back = at(self.clock.wall().0 + 60_000 * i64::from(minutes));
            return Report::of_rows(
                "log level",
                vec![
                    Row::told("in force", directive, ""),
                    Row::told("goes back at", back, ""),
                ],
            );
        }
        Report::refusal(
            Code::Failed,
            "the log of this service cannot be changed",
            "",
        )
    }

    pub(super) fn outbox_retry(&self, answers: &mut dyn Answers) -> Report {
        let waiting = || self.outbox.stats().map(|s| s.pending);
        let before = match waiting() {
            Ok(before) => before,
            Err(error) => return Report::refusal(Code::Fail, error.to_string(), "`test storage`"),
        };
        self.net.hurry();
        let began = Instant::now();
        let mut after = before;
        while began.elapsed() < HURRY_WITHIN
            && after > 0
            && answers.progress("the uplink tries", 0, 0) == Go::On
        {
            std::thread::sleep(Duration::from_millis(500));
            after = waiting().unwrap_or(after);
        }
        let n = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let rows = vec![
            Row::told("waited", n(before), ""),
            Row::told("wait still", n(after), ""),
        ];
        let mut report = Report::of_rows("outbox", rows);
        if after > 0 {
            (report.code, report.next) = (Code::Warn, "`show network` says why".to_owned());
        }
        report
    }

    pub(super) fn inspection(
        &self,
        item: InspectItem,
        result: InspectResult,
        operator: &Operator,
    ) -> Report {
        self.trends.inspected(item, result, self.clock.wall());
        let path = self.config.outbox.state_dir.join("inspections.json");
        let mut kept = Kept::<Inspections>::open(&path);
        if kept.now.newest.len() == MOST_INSPECTIONS {
            kept.now.newest.pop_front();
        }
        kept.now.newest.push_back(Inspection {
            at_ms: self.clock.wall().0,
            item,
            result,
            work_order: operator.work_order.as_str().to_owned(),
        });
        match kept.write() {
            Ok(()) => Report::new(
                format!("recorded: {} {}", item.word(), result.word()),
                Code::Ok,
            ),
            Err(error) => Report::refusal(
                Code::Failed,
                format!("not recorded: {error}"),
                "`test storage`",
            ),
        }
    }
}
