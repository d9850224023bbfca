//! `boothd check`: is everything there that the board file names? For whoever puts a booth together, and for the package's test.

use crate::base::time::{SharedClock, SystemClock};
use crate::config::board::{Board, Devices as BoardDevices};
use crate::hal::pi::usb::OffNote;
use crate::hal::pi::{self, PiConfig};
use crate::hal::{DeviceFault, DeviceKind};
use clap::Args;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Everything that the board file names is there.
pub const ALL_THERE: u8 = 0;
/// Something is missing, sessions are possible without it.
pub const SOME_MISSING: u8 = 3;
/// No session is possible.
pub const NO_SESSION: u8 = 4;
/// Where the package puts board files.
const INSTALLED: &str = "/usr/share/boothd/board";

/// What is checked.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// A board file, or the name of one in `board/` or `/usr/share/boothd/board`.
    #[arg(long)]
    board: String,
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// A line of the table.
#[derive(Debug)]
struct Row {
    device: String,
    fault: Option<DeviceFault>,
}

/// Opens every device of the board, closes it again, and prints what is wrong. Gives the exit code.
///
/// # Errors
/// If the board file cannot be used.
pub fn run(args: &CheckArgs) -> anyhow::Result<u8> {
    let path = board_file(&args.board);
    let board = Board::read(&path)?;
    let clock: SharedClock = Arc::new(SystemClock);
    let (rows, machine) = match &board.devices {
        BoardDevices::Virt(_) => (Vec::new(), None),
        BoardDevices::Pi(config) => {
            let tree = pi::device_tree();
            let machine = config.check_board(&tree).err().map(|e| e.to_string());
            // The pins of another board have other uses. A PC has none: there every device can be told of.
            anyhow::ensure!(
                machine.is_none() || tree.is_empty(),
                "{}: not the board file of this machine, so nothing is opened: {}",
                path.display(),
                machine.unwrap_or_default()
            );
            // A watchdog that is opened is armed, and some cannot be disarmed: it is looked at only.
            let (devices, mut faults) = pi::open(config, &OffNote::default(), &clock);
            drop(devices);
            let line = |c: &pi::serial::SerialConfig| {
                pi::serial::Line::open(&c.path, pi::serial::Carrier::Ignored).err()
            };
            faults.extend(config.serial.as_ref().and_then(line));
            faults.extend(
                config
                    .watchdog
                    .as_ref()
                    .and_then(|w| absent(DeviceKind::Watchdog, &w.path)),
            );
            (rows(config, faults), machine)
        }
    };
    let code = code_of(&rows, machine.is_some());
    if args.json {
        println!("{}", json(&board.name, &rows, machine.as_deref(), code));
    } else {
        print_table(&board, &path, &rows, machine.as_deref(), code);
    }
    Ok(code)
}

/// The fault of a node that is not there.
fn absent(device: DeviceKind, node: &str) -> Option<DeviceFault> {
    let error = std::fs::metadata(node).err()?;
    Some(DeviceFault::from_errno(device, node, "look", &error))
}

fn board_file(given: &str) -> PathBuf {
    if given.contains('/') || given.ends_with(".toml") {
        return PathBuf::from(given);
    }
    let name = format!("{given}.toml");
    let here = Path::new("board").join(&name);
    let installed = Path::new(INSTALLED).join(&name);
    if !here.exists() && installed.exists() {
        installed
    } else {
        here
    }
}

/// One row for each device that the file names, in the order of the session's need.
fn rows(config: &PiConfig, mut faults: Vec<DeviceFault>) -> Vec<Row> {
    let named = [
        (DeviceKind::Camera, true),
        (DeviceKind::Lights, config.lights.is_some()),
        (DeviceKind::Panel, config.panel.is_some()),
        (DeviceKind::Buttons, config.buttons.is_some()),
        (DeviceKind::Microphone, config.microphone.is_some()),
        (DeviceKind::Speaker, config.speaker.is_some()),
        (DeviceKind::Sensors, config.sensors.is_some()),
        (DeviceKind::Serial, config.serial.is_some()),
        (DeviceKind::Watchdog, config.watchdog.is_some()),
    ];
    named
        .into_iter()
        .filter(|(_, named)| *named)
        .map(|(device, _)| {
            let at = faults.iter().position(|f| f.device == device);
            Row {
                device: device.to_string(),
                fault: at.map(|i| faults.remove(i)),
            }
        })
        .collect()
}

fn code_of(rows: &[Row], other_machine: bool) -> u8 {
    let missing = |row: &&Row| row.fault.is_some();
    let camera = |row: &Row| row.device == DeviceKind::Camera.to_string();
    if other_machine || rows.iter().any(|r| r.fault.is_some() && camera(r)) {
        NO_SESSION
    } else if rows.iter().filter(missing).count() > 0 {
        SOME_MISSING
    } else {
        ALL_THERE
    }
}

fn print_table(board: &Board, path: &Path, rows: &[Row], machine: Option<&str>, code: u8) {
    println!("board {} ({})", board.name, path.display());
    match machine {
        Some(other) => println!("  machine      another one\n               {other}"),
        None if rows.is_empty() => {
            println!("  a virtual booth: it has no devices that could be missing")
        }
        None => println!("  machine      ok"),
    }
    for row in rows {
        match &row.fault {
            None => println!("  {:<12} ok", row.device),
            Some(fault) => {
                println!("  {:<12} [{}] {}", row.device, fault.code(), fault.place);
                println!("               {}", fault.detail);
                println!("               mend: {}", fault.mend);
            }
        }
    }
    let n = rows.iter().filter(|r| r.fault.is_some()).count();
    let words = match code {
        ALL_THERE => "everything is there",
        SOME_MISSING => "sessions are possible without what is missing",
        _ => "no session is possible",
    };
    println!("{n} of {} devices missing: {words}", rows.len());
}

fn json(board: &str, rows: &[Row], machine: Option<&str>, code: u8) -> serde_json::Value {
    let devices: Vec<_> = rows
        .iter()
        .map(|row| match &row.fault {
            None => serde_json::json!({"device": row.device, "ok": true}),
            Some(f) => serde_json::json!({
                "device": row.device, "ok": false, "code": f.code(), "place": f.place, "detail": f.detail, "mend": f.mend,
            }),
        })
        .collect();
    serde_json::json!({"board": board, "machine": machine, "devices": devices, "exit_code": code})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(device: DeviceKind, errno: Option<i32>) -> Row {
        let fault = |errno| {
            let error = std::io::Error::from_raw_os_error(errno);
            DeviceFault::from_errno(device, "/dev/node", "open", &error)
        };
        Row {
            device: device.to_string(),
            fault: errno.map(fault),
        }
    }

    #[test]
    fn exit_codes() {
        use DeviceKind::{Camera, Panel};
        for (rows, other_machine, expected) in [
            (vec![], false, ALL_THERE),
            (vec![row(Camera, None), row(Panel, None)], false, ALL_THERE),
            (
                vec![row(Camera, None), row(Panel, Some(2))],
                false,
                SOME_MISSING,
            ),
            (
                vec![row(Camera, Some(16)), row(Panel, None)],
                false,
                NO_SESSION,
            ),
            (vec![row(Camera, None)], true, NO_SESSION),
        ] {
            assert_eq!(code_of(&rows, other_machine), expected);
        }
    }

    #[test]
    fn names_and_paths_of_board_files() {
        for (given, expected) in [
            ("kiosk-a", "board/kiosk-a.toml"),
            ("./mine.toml", "./mine.toml"),
            ("mine.toml", "mine.toml"),
            ("/etc/boothd/board", "/etc/boothd/board"),
        ] {
            assert_eq!(board_file(given), PathBuf::from(expected));
        }
    }

    #[test]
    fn every_device_of_the_project_s_boards_is_told_of_on_a_machine_without_any() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("board");
        for name in ["kiosk-a", "kiosk-b"] {
            let board = Board::read(&folder.join(format!("{name}.toml"))).expect("a good file");
            let BoardDevices::Pi(config) = &board.devices else {
                panic!("{name} has real devices")
            };
            let clock: SharedClock = Arc::new(SystemClock);
            let (_, faults) = pi::open(config, &OffNote::default(), &clock);
            let rows = rows(config, faults);
            assert!(rows.len() >= 8, "{name}");
            for fault in rows.iter().filter_map(|r| r.fault.as_ref()) {
                assert!(!fault.mend.is_empty() && !fault.place.is_empty(), "{fault}");
            }
            assert_eq!(code_of(&rows, false), NO_SESSION);
        }
    }
}
