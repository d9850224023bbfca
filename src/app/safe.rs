//! `boothd safe`: what runs after the service has ended again and again (`boothd-safe.service`). The panel says that the booth is out of
//! service, the ring stays dark, and the fault stands in the memory. Nothing else is touched: no camera, no models, no sessions, since
//! one of them is likely to be what ends the service. After a while it makes room for another try.

use super::climb::Care;
use super::steady::Steady;
use crate::base::ids::Language;
use crate::base::time::SharedClock;
use crate::config::board::{Board, Devices as BoardDevices};
use crate::config::service::ServiceConfig;
use crate::guidance::model::{Screen, UiModel};
use crate::guidance::screens;
use crate::hal::light::LightLevels;
use crate::hal::pi::{self, PiConfig};
use crate::hal::{DeviceFault, DeviceKind, FaultKind, Panel, PanelImage, PanelKind};
use crate::runtime::crew::Stop;
use crate::runtime::notify;
use crate::technician::faults::Faults;
use std::path::Path;
use std::time::Duration;

/// Exit code when the time is over: the unit starts the service again.
pub const TRY_AGAIN: u8 = 5;
/// A panel that is well is drawn anew so often: it may have been plugged out and in again.
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
    let faults = config.as_ref().map_or_else(Faults::in_memory, |config| {
        Faults::open(&config.outbox.state_dir.join("faults.json"))
    });
    faults.raise(&crash_loop(), clock.wall());
    let care = Care {
        faults,
        clock: clock.clone(),
        // Nothing that safe mode has is worth a restart of the machine.
        reboot_request: None,
    };
    let language = config.map_or_else(Language::default, |c| c.language);
    let mut devices = match board.map(|b| b.devices) {
        Some(BoardDevices::Pi(board)) => quiet_devices(&board, &care),
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
        // A panel that is away, or was until now, is asked at every turn: the ladder says when it is opened again.
        if devices.is_away() || drawn.is_none_or(|at| now.since(at) >= REDRAW) {
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
    panel: Option<(PanelKind, Steady<dyn Panel>)>,
}

/// Opens the panel, and turns the ring off.
fn quiet_devices(board: &PiConfig, care: &Care) -> Quiet {
    if let Err(error) = board.check_board(&pi::device_tree()) {
        tracing::error!(%error, "safe mode without a panel");
        return Quiet::default();
    }
    let clock = &care.clock;
    if let Some(lights) = &board.lights
        && let Err(fault) =
            pi::lights::open(lights, clock.clone()).and_then(|mut l| l.apply(LightLevels::OFF))
    {
        tracing::warn!(code = fault.code(), %fault, "device missing");
    }
    let panel = board.panel.clone();
    let panel = panel.map(|p| (p.kind(), Steady::new(pi::open_panel(p, clock), care)));
    Quiet { panel }
}

impl Quiet {
    /// Whether the panel has a fault.
    fn is_away(&self) -> bool {
        matches!(&self.panel, Some((_, panel)) if panel.told().is_some())
    }

    fn show(&mut self, language: Language) {
        let Some((kind, panel)) = &mut self.panel else {
            return;
        };
        let mut image = PanelImage::blank(*kind);
        screens::draw(
            &UiModel::bare(Screen::OutOfService, language),
            *kind,
            &mut image,
        );
        // A fault is told by the panel's keeper.
        let _ = panel.ask(|panel| panel.show(&image));
    }
}
