//! The booth behind the control socket: what the console's commands do. Whatever needs a device is asked of the thread that owns it; the
//! server (`technician/control/server.rs`) has looked at role, maintenance and running sessions before.

mod acts;
mod bundle;
mod health;
pub mod settings;
mod show;
mod site;
mod testing;

use super::eye::Eye;
use super::maintenance::{Desk, Holder, Refused};
use super::senses::Senses;
use super::tester::{SharedTester, Tester};
use crate::base::ids::BoothId;
use crate::base::time::{Moment, SharedClock};
use crate::config::service::ServiceConfig;
use crate::delivery::service::OutboxHandle;
use crate::delivery::wire::NetWatch;
use crate::runtime::crew::Stop;
use crate::runtime::logging::LogControl;
use crate::session::visit::House;
use crate::technician::command::Command;
use crate::technician::control::{Answers, Booth, ConsoleNote, Go, Occupation, Request};
use crate::technician::fault_table::FaultRow;
use crate::technician::faults::Faults;
use crate::technician::report::{Code, Report};
use crate::technician::sessions::Sessions;
use crate::technician::trends::Trends;
use crate::trust::keys::SharedSigner;
use settings::Settings;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

/// What the commands are answered from.
#[derive(Debug)]
pub struct Control {
    /// The booth's name.
    pub booth: BoothId,
    /// `boothd.toml`.
    pub config_path: PathBuf,
    /// What stands in it.
    pub config: ServiceConfig,
    /// What all sessions have in common.
    pub house: House,
    /// The tests; whoever has the lock has the devices.
    pub tester: SharedTester,
    /// The session.
    pub desk: Desk,
    /// The memory of faults.
    pub faults: Faults,
    /// The memory of sessions.
    pub sessions: Sessions,
    /// Figures over months.
    pub trends: Trends,
    /// The outbox.
    pub outbox: OutboxHandle,
    /// What the uplink says.
    pub net: NetWatch,
    /// The camera's side.
    pub eye: Eye,
    /// What the devices say.
    pub senses: Senses,
    /// Levels and newest lines of the log.
    pub log: LogControl,
    /// The booth's key, for the record of an installation.
    pub signer: SharedSigner,
    /// Settings and their candidate.
    pub settings: Settings,
    /// When the service started.
    pub started: Moment,
    /// Ends the service.
    pub stop: Stop,
    /// The clock.
    pub clock: SharedClock,
    /// What the console has last told of itself.
    pub console: Arc<Mutex<ConsoleNote>>,
    /// The newest bundle.
    pub bundle: Mutex<Option<Vec<u8>>>,
}

/// How often somebody who waits for the end of a session asks again.
const ASK_EVERY: Duration = Duration::from_millis(500);

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Booth for Control {
    fn id(&self) -> &BoothId {
        &self.booth
    }

    fn occupation(&self) -> Occupation {
        if self.desk.standing().serving {
            Occupation::Session
        } else {
            Occupation::Idle
        }
    }

    fn run(&self, request: &Request, answers: &mut dyn Answers) -> Report {
        let text = format!("{:?}", request.command);
        // The audit log of the console has who and why; this line is for whoever reads the booth's log.
        tracing::info!(
            command = text.as_str(),
            order = request.operator.work_order.as_str(),
            "console"
        );
        match &request.command {
            Command::Show(topic) => self.show(*topic),
            Command::Session(query) => self.show_session(query),
            Command::Log { lines } => self.show_log(*lines),
            Command::Test(what) => self.test(*what, answers),
            Command::CameraLive => self.camera_live(answers),
            Command::MicrophoneVu => self.microphone_vu(answers),
            Command::Calibrate { what, dry_run } => self.calibrate(*what, *dry_run, answers),
            Command::Practice => self.practice(),
            Command::Locate { seconds } => self.locate(*seconds, answers),
            Command::CameraReset => self.camera_reset(answers),
            Command::ServiceRestart => self.service_restart(),
            Command::Reboot { reason } => self.reboot(*reason),
            Command::LogLevel {
                module,
                level,
                minutes,
            } => self.log_level(*module, *level, *minutes),
            Command::OutboxRetry => self.outbox_retry(answers),
            Command::Inspection { item, result } => {
                self.inspection(*item, *result, &request.operator)
            }
            Command::BundleCreate => self.bundle_create(answers),
            Command::BundleSend { from_block } => self.bundle_send(*from_block, answers),
            Command::SiteAccept => self.site_accept(&request.operator, answers),
            Command::Config(command) => self.config(*command),
            Command::MaintenanceEnter { wait_s } => self.enter(*wait_s, answers),
            Command::MaintenanceLeave => {
                self.leave_maintenance();
                Report::new("customers may come", Code::Ok)
            }
        }
    }

    fn leave_maintenance(&self) {
        self.desk.leave(Holder::Technician);
    }

    fn note(&self, note: &ConsoleNote) {
        note.clone_into(&mut locked(&self.console));
        if let Some(row) = FaultRow::of("console.locked") {
            let locked_for = (note.locked_s > 0)
                .then(|| format!("{} wrong codes, {} s left", note.wrong_codes, note.locked_s));
            self.faults
                .note(row, locked_for.as_deref(), self.clock.wall());
        }
    }
}

impl Control {
    /// The tester for a look, which does not wait for somebody's test.
    fn tester_now(&self) -> Result<MutexGuard<'_, Tester>, Report> {
        match self.tester.try_lock() {
            Ok(tester) => Ok(tester),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => Err(Report::refusal(
                Code::Busy,
                "a test has the devices",
                "wait for its end",
            )),
        }
    }

    fn enter(&self, wait_s: u16, answers: &mut dyn Answers) -> Report {
        let until = Instant::now() + Duration::from_secs(wait_s.into());
        loop {
            let refused = match self.desk.enter(Holder::Technician) {
                Ok(()) => {
                    return Report {
                        next: "`maintenance leave` when you are done".to_owned(),
                        ..Report::new("maintenance: no customer's session begins", Code::Ok)
                    };
                }
                Err(refused) => refused,
            };
            let left = until.saturating_duration_since(Instant::now());
            if refused == Refused::Held(Holder::Technician) {
                return Report::refusal(
                    Code::Busy,
                    "another console has the booth in maintenance",
                    "wait until it has left",
                );
            }
            if left.is_zero() {
                let (what, mend) = match refused {
                    Refused::Session => (
                        "a session runs, or its result is being read",
                        "`maintenance enter wait 300`",
                    ),
                    Refused::Held(_) => (
                        "the booth tests itself",
                        "try again in a minute, or `maintenance enter wait 60`",
                    ),
                };
                let code = if refused == Refused::Session {
                    Code::Session
                } else {
                    Code::Busy
                };
                return Report::refusal(code, what, mend);
            }
            let seconds = left.as_secs();
            let told = answers.progress(
                &format!("waiting for the end of the session, {seconds} s left"),
                0,
                0,
            );
            if told == Go::Stop {
                return Report::new("not entered", Code::Stopped);
            }
            std::thread::sleep(ASK_EVERY.min(left));
        }
    }
}

/// A duration for people, to the second: `3 d 4 h`, `12 min 5 s`.
fn for_people(span: Duration) -> String {
    let s = span.as_secs();
    match (s / 86_400, s / 3_600 % 24, s / 60 % 60, s % 60) {
        (0, 0, 0, s) => format!("{s} s"),
        (0, 0, m, s) => format!("{m} min {s} s"),
        (0, h, m, _) => format!("{h} h {m} min"),
        (d, h, _, _) => format!("{d} d {h} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_with_their_two_largest_units() {
        for (s, text) in [
            (0, "0 s"),
            (61, "1 min 1 s"),
            (3_660, "1 h 1 min"),
            (90_000, "1 d 1 h"),
        ] {
            assert_eq!(for_people(Duration::from_secs(s)), text);
        }
    }
}
