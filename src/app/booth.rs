//! `boothd run`: puts the booth's process together. It has devices, models, session and outbox, and no network.
//!
//! ```text
//! k-camera --Latest<Frame>--> k-vision --bounded(64)--> k-session --Latest<UiModel>--> k-panel
//!     ^------controls------------'  '--Latest<levels>--> k-light            '--calls--> outbox thread <--socket-- uplink
//! k-buttons ---bounded(64)-------------------------------^        k-microphone: level for the preflight
//! k-upkeep, control (the console's socket) --orders, listening, events--> the threads that own the devices: self-test and faults
//! ```

use super::climb::Care;
use super::control::Control;
use super::control::settings::Settings;
use super::eye::{self, Eye};
use super::fittings::Fittings;
use super::maintenance::Desk;
use super::outside::BoothOutside;
use super::senses;
use super::sight::{self, Sight};
use super::sound;
use super::steady::Steady;
use super::tester::{Fitted, SharedTester, Tester};
use super::trace::Trace;
use super::trends::{Samples, TrendKeeper};
use super::upkeep::{Upkeep, upkeep_thread};
use crate::base::latest::Latest;
use crate::base::time::{SharedClock, SystemClock};
use crate::config::board::{Board, Devices as BoardDevices};
use crate::config::service::ServiceConfig;
use crate::delivery::outbox::Outbox;
use crate::delivery::service::OutboxService;
use crate::delivery::wire::WireServer;
use crate::hal::pi::usb::OffNote;
use crate::hal::virt::VirtClock;
use crate::hal::{self, DeviceFault, DeviceKind, Devices, Watchdog};
use crate::runtime::crew::{Crew, Stop};
use crate::runtime::heartbeat::Heartbeats;
use crate::runtime::logging::LogControl;
use crate::runtime::notify;
use crate::session::driver;
use crate::session::event::Event;
use crate::session::state::Session;
use crate::technician::control::{ConsoleNote, ControlServer};
use crate::technician::faults::Faults;
use crate::technician::selftest::store::Kept;
use crate::technician::sessions::Sessions;
use crate::technician::trends::Trends;
use crate::trust::floor::ProvenClock;
use crate::trust::keys::{SharedSigner, SoftwareKey, TrustedKeys};
use anyhow::Context;
use crossbeam_channel::bounded;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Largest outcome that a place is reserved for, in bytes of JSON.
const OUTCOME_SPACE: usize = 16 * 1024;

/// Runs the booth until it is asked to stop.
///
/// # Errors
/// What kept it from starting, or the first thread that failed.
pub fn run(config_path: &Path, log: &LogControl, stop: &Stop) -> anyhow::Result<()> {
    let config = ServiceConfig::read(config_path)?;
    let board = Board::read(&config.board)?;
    // The virtual booth's clock can be wrong, as a real one's.
    let wall = board.is_virtual().then(Arc::<VirtClock>::default);
    let machine: SharedClock = match &wall {
        Some(wall) => Arc::clone(wall) as SharedClock,
        None => Arc::new(SystemClock),
    };
    let started = machine.now();
    // Tickets, documents and certificates that have expired stay so, whatever the machine's clock says.
    let clock: SharedClock = Arc::new(ProvenClock::open(
        Arc::clone(&machine),
        &config.outbox.state_dir,
    ));
    if config.trace.is_some() && !board.is_virtual() {
        anyhow::bail!(
            "{}: `trace`: found a file, allowed only on a virtual board: measurements of real people are not written down; \
             mend: take the key out",
            config_path.display()
        );
    }

    // A service that hung was ended a moment ago, and the chip counts on: see `WatchdogSec=` in systemd/boothd.service.
    let watchdog = open_watchdog(&board, &clock);

    let fittings = Fittings::read(&config, &board)?;
    let wallet_keys = TrustedKeys::read(&config.trust.wallet_keys)?;
    let signer: SharedSigner = Arc::new(SoftwareKey::read(&config.trust.signing_key)?);
    let booth_key = Arc::clone(&signer);

    // The outbox before the devices: what was interrupted is settled first.
    let (outbox, recovery) = Outbox::open(
        &config.outbox,
        config.booth_id.clone(),
        signer,
        wallet_keys.clone(),
        Arc::clone(&clock),
    )?;
    tracing::info!(?recovery, "outbox open");
    let outbox = OutboxService::start(outbox).context("outbox thread")?;
    // It tells how wrong the machine's own clock is, so that it is mended.
    let wire = WireServer::start(&config.uplink, outbox.handle(), Arc::clone(&machine))?;

    let faults = Faults::open(&config.outbox.state_dir.join("faults.json"));
    let (mut devices, stage) =
        open_devices(&board, &config.outbox.state_dir, &faults, &clock, wall)?;
    match watchdog {
        Some(Ok(watchdog)) => devices.watchdog = Some(watchdog),
        Some(Err(fault)) => {
            tracing::warn!(code = fault.code(), %fault, "device missing");
            faults.raise(&fault, clock.wall());
        }
        None => {}
    }
    let camera_info = devices.camera.info().clone();
    let Fittings { vision, house } = fittings.with_camera(&camera_info);

    let house_of_console = house.clone();
    let hearts = Heartbeats::new(Arc::clone(&clock));
    let mut crew = Crew::new(stop.clone());
    let (events, inbox) = bounded::<Event>(64);
    let (orders, sight_orders) = bounded::<sight::Order>(64);
    let (asks, sight_asks) = bounded::<sight::Ask>(16);
    let eye = Eye::default();
    let wanted_levels = Latest::new();
    let ui = Latest::new();
    let senses = senses::Senses::default();
    let (samples, figures) = Samples::channel();

    let Devices {
        camera,
        microphone,
        lights,
        panel,
        buttons,
        sensors,
        storage,
        watchdog,
        speaker,
    } = devices;
    let care = Care {
        faults: faults.clone(),
        clock: Arc::clone(&clock),
        reboot_request: config.reboot_request.clone(),
    };
    let fitted = Fitted {
        lights: lights.is_some(),
        panel: panel.is_some(),
        buttons: buttons.is_some(),
    };
    let desk = Desk::new(events.clone(), Arc::clone(&clock));
    let keeping = |device| senses::Keeping::new(&faults, &clock, device);
    {
        let keeper = eye::Keeper {
            events: events.clone(),
            care: care.clone(),
            senses: senses.clone(),
        };
        let (eye, clock, pulse) = (
            eye.clone(),
            Arc::clone(&clock),
            hearts.register("camera", Duration::from_secs(20)),
        );
        crew.spawn("camera", move |stop| {
            eye::camera_thread(camera, &eye, &keeper, &clock, &pulse, stop)
        })?;
    }
    {
        let trace = config.trace.as_deref().map(Trace::create).transpose()?;
        let sight = Sight::new(
            vision,
            &camera_info,
            board.light.clone(),
            board.exposure,
            trace,
        )?;
        let (eye, events, clock, senses, samples) = (
            eye.clone(),
            events.clone(),
            Arc::clone(&clock),
            senses.clone(),
            samples.clone(),
        );
        let (pulse, wanted) = (
            hearts.register(
                "vision",
                Duration::from_secs(board.models.longest_look_s.into()),
            ),
            wanted_levels.clone(),
        );
        crew.spawn("vision", move |stop| {
            sight::vision_thread(
                sight,
                &eye,
                &sight_orders,
                &sight_asks,
                &events,
                &wanted,
                &senses,
                &samples,
                &clock,
                &pulse,
                stop,
            )
        })?;
    }
    if let Some(lights) = lights {
        let (senses, limits) = (senses.clone(), board.light.limits);
        let (lights, clock) = (Steady::new(lights, &care), Arc::clone(&clock));
        let pulse = hearts.register("light", Duration::from_secs(5));
        crew.spawn("light", move |stop| {
            senses::light_thread(
                lights,
                limits,
                &wanted_levels,
                &senses,
                &clock,
                &pulse,
                stop,
            )
        })?;
    }
    if let (Some(panel), Some(kind)) = (panel, board.panel_kind()) {
        let (ui, senses) = (ui.clone(), senses.clone());
        let (panel, clock) = (Steady::new(panel, &care), Arc::clone(&clock));
        crew.spawn("panel", move |stop| {
            senses::panel_thread(panel, kind, &ui, &senses, &clock, stop)
        })?;
    }
    if let Some(buttons) = buttons {
        let (buttons, clock) = (Steady::new(buttons, &care), Arc::clone(&clock));
        let (events, senses, pulse) = (
            events.clone(),
            senses.clone(),
            hearts.register("buttons", Duration::from_secs(10)),
        );
        crew.spawn("buttons", move |stop| {
            senses::button_thread(buttons, &events, &senses, &clock, &pulse, stop)
        })?;
    }
    let mut listen = None;
    if let Some(microphone) = microphone {
        let (microphone, senses) = (Steady::new(microphone, &care), senses.clone());
        let (to_microphone, listeners) = bounded(1);
        listen = Some(to_microphone);
        crew.spawn("microphone", move |stop| {
            sound::microphone_thread(microphone, &listeners, &senses, stop)
        })?;
    }
    let mut play = None;
    if let Some(speaker) = speaker {
        let speaker = Steady::new(speaker, &care);
        let (to_speaker, orders) = bounded(1);
        play = Some(to_speaker);
        crew.spawn("speaker", move |stop| {
            sound::speaker_thread(speaker, &orders, stop)
        })?;
    }
    let settings = Settings::open(
        &config.outbox.state_dir.join("settings.json"),
        config.language,
        events.clone(),
    );
    let sessions = Sessions::open(&config.outbox.state_dir.join("sessions.json"), clock.wall());
    let state = |name: &str| config.outbox.state_dir.join(name);
    let trends = Trends::open(&state("trends.db"));
    let keeper = TrendKeeper {
        trends: trends.clone(),
        samples: figures,
        asks: asks.clone(),
        eye: eye.clone(),
        senses: senses.clone(),
        desk: desk.clone(),
        faults: faults.clone(),
        clock: Arc::clone(&clock),
    };
    let tester: SharedTester = Arc::new(Mutex::new(Tester {
        asks,
        listen,
        play,
        ui: ui.clone(),
        senses: senses.clone(),
        eye: eye.clone(),
        camera: camera_info,
        sensors: sensors.map(|s| (s, keeping(DeviceKind::Sensors))),
        storage: (storage, keeping(DeviceKind::Storage)),
        fitted,
        state_dir: config.outbox.state_dir.clone(),
        outbox: outbox.handle(),
        net: wire.net(),
        models: (config.models.clone(), board.models.threads.into()),
        faults: faults.clone(),
        desk: desk.clone(),
        clock: Arc::clone(&clock),
        machine,
        results: Kept::open(&state("selftest.json")),
        references: Kept::open(&state("devices.json")),
        samples,
    }));
    let console: Arc<Mutex<ConsoleNote>> = Arc::default();
    {
        let upkeep = Upkeep {
            console: Arc::clone(&console),
            booth: config.booth_id.clone(),
            tester: Arc::clone(&tester),
            desk: desk.clone(),
            faults: faults.clone(),
            events: events.clone(),
            net: wire.net(),
            config: config.selftest,
            settings: settings.clone(),
            log: log.clone(),
            trends: keeper,
            clock: Arc::clone(&clock),
        };
        // A test that hangs on a device is worth a restart; one that runs beats.
        let pulse = hearts.register("upkeep", Duration::from_secs(60));
        crew.spawn("upkeep", move |stop| upkeep_thread(&upkeep, &pulse, stop))?;
    }
    {
        let (events, net, hearts) = (events.clone(), wire.net(), hearts.clone());
        crew.spawn("watch", move |stop| {
            senses::watch_thread(&hearts, watchdog, &net, &events, stop)
        })?;
    }

    let (console_eye, console_senses) = (eye.clone(), senses.clone());
    let mut outside = BoothOutside {
        booth: config.booth_id.clone(),
        wallet_keys,
        outbox: outbox.handle(),
        space: OUTCOME_SPACE,
        reservation: None,
        hold: None,
        orders,
        ui,
        eye: eye.clone(),
        senses,
        net: wire.net(),
        sessions: sessions.clone(),
        desk: desk.clone(),
        clock: Arc::clone(&clock),
    };
    let mut session = Session::new(house, clock.now());
    let pulse = hearts.register("session", Duration::from_secs(10));
    {
        let (clock, stop_session) = (Arc::clone(&clock), stop.clone());
        let events = events.clone();
        crew.spawn("session", move |_| {
            let mut ready = false;
            driver::run(&mut session, &inbox, &clock, &mut outside, || {
                pulse.beat();
                if !ready && eye.has_spoken() {
                    ready = true;
                    let ms =
                        u64::try_from(clock.now().since(started).as_millis()).unwrap_or(u64::MAX);
                    tracing::info!(ms, "ready");
                    notify::ready();
                    // There is room: the queue has 64 places and nobody else asks before the service is ready.
                    let _ = events.try_send(Event::Ready);
                }
                !stop_session.is_set()
            });
            Ok(())
        })?;
    }
    let control = match &config.control {
        Some(control) => {
            let booth = Control {
                booth: config.booth_id.clone(),
                config_path: config_path.to_owned(),
                config: config.clone(),
                house: house_of_console,
                tester,
                desk,
                faults,
                sessions,
                trends,
                log: log.clone(),
                signer: booth_key,
                settings,
                outbox: outbox.handle(),
                net: wire.net(),
                eye: console_eye,
                senses: console_senses,
                started,
                stop: stop.clone(),
                clock: Arc::clone(&clock),
                console,
                bundle: Mutex::default(),
            };
            let server = ControlServer::start(control, Arc::new(booth));
            let place = control.socket.display().to_string();
            Some(server.with_context(|| format!("`control.socket` {place}"))?)
        }
        None => None,
    };
    let ended = crew.watch();
    drop(control);
    notify::stopping();
    drop(wire);
    outbox.stop();
    drop(stage);
    ended
}

/// Opens the hardware watchdog of a board, if this machine is one.
fn open_watchdog(
    board: &Board,
    clock: &SharedClock,
) -> Option<Result<Box<dyn Watchdog>, DeviceFault>> {
    match &board.devices {
        BoardDevices::Pi(config) if config.check_board(&hal::pi::device_tree()).is_ok() => {
            let watchdog = config.watchdog.as_ref();
            watchdog.map(|c| hal::pi::watchdog::open(c, Arc::clone(clock)))
        }
        BoardDevices::Pi(_) | BoardDevices::Virt(_) => None,
    }
}

/// Opens the devices of a board. The stage of a virtual booth must outlive them.
fn open_devices(
    board: &Board,
    state_dir: &Path,
    faults: &Faults,
    clock: &SharedClock,
    wall: Option<Arc<VirtClock>>,
) -> anyhow::Result<(Devices, Option<hal::virt::Stage>)> {
    match &board.devices {
        BoardDevices::Virt(config) => {
            let (devices, stage) = hal::virt::open(config, Arc::clone(clock), wall)?;
            Ok((devices, Some(stage)))
        }
        BoardDevices::Pi(config) => {
            config
                .check_board(&hal::pi::device_tree())
                .map_err(|e| anyhow::anyhow!("{e}"))?;
            let off = OffNote::in_folder(state_dir);
            match off.give_back() {
                Ok(ports) => {
                    for port in ports {
                        tracing::warn!(port = %port.display(), "was off when the service ended: on again");
                    }
                }
                Err(error) => tracing::error!(%error, "what was off on the USB bus stays off"),
            }
            let (devices, missing) = hal::pi::open(config, &off, clock);
            for fault in &missing {
                tracing::warn!(code = fault.code(), %fault, "device missing");
                // The others' are told by those who keep them going.
                if fault.device == DeviceKind::Sensors {
                    faults.raise(fault, clock.wall());
                }
            }
            Ok((devices, None))
        }
    }
}

/// The text of a virtual board file with the demonstration's stage and recorder in it.
///
/// # Errors
/// If the file is not one of a virtual board.
pub fn virtual_board_for_demo(board: &Path, out: &Path) -> anyhow::Result<String> {
    anyhow::ensure!(
        Board::read(board)?.is_virtual(),
        "{}: `kind`: the demonstration needs a virtual board",
        board.display()
    );
    let mut table: toml::Table = toml::from_str(&std::fs::read_to_string(board)?)?;
    if let Some(virt) = table.get_mut("virt").and_then(toml::Value::as_table_mut) {
        virt.remove("scene");
        let path = |name: &str| toml::Value::String(out.join(name).to_string_lossy().into_owned());
        virt.insert("stage_socket".to_owned(), path("socket/stage.sock"));
        virt.insert("record_dir".to_owned(), path("record"));
        virt.insert("record_every_n_frames".to_owned(), toml::Value::Integer(5));
    }
    Ok(toml::to_string(&table)?)
}
