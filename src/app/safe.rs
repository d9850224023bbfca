//! `boothd safe`: what runs after the service has ended again and again (`boothd-safe.service`). The panel says that the booth is out of
//! service, the ring stays dark, and the fault stands in the memory. Nothing else is touched: no camera, no models, no sessions, since
//! one of them is likely to be what ends the service. After a while it makes room for another try.

use crate::base::ids::Language;
use crate::base::time::SharedClock;
use crate::config::board::{Board, Devices as BoardDevices};
use crate::config::service::ServiceConfig;
use crate::guidance::model::{Screen, UiModel};
use crate::guidance::screens;
use crate::hal::light::LightLevels;
use crate::hal::pi::{self, PiConfig};
use crate::hal::{DeviceFault, DeviceKind, FaultKind, Panel, PanelImage};
use crate::runtime::crew::Stop;
use crate::runtime::notify;
use crate::technician::faults::Faults;
use std::path::Path;
use std::time::Duration;

/// Exit code when the time is over: the unit starts the service again.
pub const TRY_AGAIN: u8 = 5;
/// The panel is drawn anew so often: it may have been what was plugged in again.
const REDRAW: Duration = Duration::from_secs(10);
const TURN: Duration = Duration::from_millis(200);

/// Says that the booth is out of service until it is stopped, or for `time`. What is wrong with configuration or devices is
/// said in the log and keeps nothing from running.
pub fn run(config: &Path, time: Duration, clock: &SharedClock, stop: &Stop) -> u8 {
    let told = |error: crate::config::ConfigError| {
        tracing::error!(%error, "safe mode without a panel");
    };
    // Without a board, the memory may still be there.
    let config = ServiceConfig::read(config).map_err(told).ok();
    let board = config
        .as_ref()
        .and_then(|c| Board::read(&c.board).map_err(told).ok());
    if let Some(config) = &config {
        let faults = Faults::open(&config.outbox.state_dir.join("faults.json"));
        faults.raise(&crash_loop(), clock.wall());
    }
    let language = config.map_or_else(Language::default, |c| c.language);
    let mut devices = match board.map(|b| b.devices) {
        Some(BoardDevices::Pi(board)) => quiet_devices(&board, clock),
        _ => Quiet::default(),
    };
    tracing::error!(
        code = crash_loop().code(),
        "the service ended again and again: safe mode"
    );
    notify::ready();
    notify::status(
        "safe mode: the service ended again and again; see the journal of boothd.service",
    );
    let began = clock.now();
    let mut drawn = None;
    while !stop.is_set() {
        let now = clock.now();
        if now.since(began) >= time {
            tracing::info!("safe mode is over: the service is tried again");
            return TRY_AGAIN;
        }
        if drawn.is_none_or(|at| now.since(at) >= REDRAW) {
            drawn = Some(now);
            devices.show(language);
        }
        std::thread::sleep(TURN);
    }
    0
}

/// The fault that is remembered.
fn crash_loop() -> DeviceFault {
    DeviceFault {
        device: DeviceKind::Service,
        kind: FaultKind::Io,
        place: "boothd.service".to_owned(),
        detail: "ended again and again".to_owned(),
        mend: "`journalctl -u boothd` says why; mend it, then `systemctl start boothd`".to_owned(),
    }
}

/// What a booth in safe mode has.
#[derive(Default)]
struct Quiet {
    panel: Option<Box<dyn Panel>>,
}

/// Opens the panel, and turns the ring off.
fn quiet_devices(board: &PiConfig, clock: &SharedClock) -> Quiet {
    if let Err(error) = board.check_board(&pi::device_tree()) {
        tracing::error!(%error, "safe mode without a panel");
        return Quiet::default();
    }
    let told = |fault: DeviceFault| tracing::warn!(code = fault.code(), %fault, "device missing");
    if let Some(lights) = &board.lights {
        let dark =
            pi::lights::open(lights, clock.clone()).and_then(|mut l| l.apply(LightLevels::OFF));
        let _ = dark.map_err(told);
    }
    let panel = board.panel.as_ref();
    let panel = panel.and_then(|p| pi::panel::open(p, clock.clone()).map_err(told).ok());
    Quiet { panel }
}

impl Quiet {
    fn show(&mut self, language: Language) {
        let Some(panel) = &mut self.panel else { return };
        let kind = panel.kind();
        let mut image = PanelImage::blank(kind);
        screens::draw(
            &UiModel::bare(Screen::OutOfService, language),
            kind,
            &mut image,
        );
        if let Err(fault) = panel.show(&image) {
            tracing::warn!(code = fault.code(), %fault, "panel");
        }
    }
}
