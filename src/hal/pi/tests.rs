//! The board files of the project parse, and what is wrong in a board file is said clearly.

use super::*;
use crate::base::time::SystemClock;
use crate::hal::{FaultKind, PanelKind};
use std::sync::Arc;

const FILE_A: &str = include_str!("../../../board/kiosk-a.toml");
const FILE_B: &str = include_str!("../../../board/kiosk-b.toml");

/// The drivers' part of a board file: light and exposure behind it are `guidance`'s, and `config` takes them out.
fn drivers(file: &str) -> &str {
    file.split("# Levels are shares")
        .next()
        .expect("split gives at least one part")
}

#[test]
fn the_board_files_parse() {
    let a = PiConfig::parse(drivers(FILE_A)).expect("kiosk-a is good");
    assert!(matches!(a.lights, Some(lights::LightsConfig::Pwm(_))));
    assert_eq!(a.panel.map(|p| p.kind()), Some(PanelKind::St7789));
    let b = PiConfig::parse(drivers(FILE_B)).expect("kiosk-b is good");
    assert!(matches!(b.lights, Some(lights::LightsConfig::Ws2812Spi(_))));
    assert_eq!(b.panel.map(|p| p.kind()), Some(PanelKind::Ssd1306));
    for (name, text) in [("kiosk-a", drivers(FILE_A)), ("kiosk-b", drivers(FILE_B))] {
        let config = PiConfig::parse(text).expect("it is good");
        assert_eq!(config.board, name);
        assert!(
            !config.camera.allow_virtual_driver,
            "{name} is for the field"
        );
    }
}

#[test]
fn what_is_wrong_is_named_with_its_place_and_its_mend() {
    let check = |from: &str, to: &str, parts: &[&str]| {
        assert!(
            drivers(FILE_A).contains(from),
            "kiosk-a.toml has no {from:?}"
        );
        let text = drivers(FILE_A).replacen(from, to, 1);
        let error = PiConfig::parse(&text)
            .expect_err("the change is wrong")
            .to_string();
        for part in parts {
            assert!(
                error.contains(part),
                "{from:?} -> {to:?}: {error:?} lacks {part:?}"
            );
        }
    };
    check("kind = \"pi\"", "kind = \"virtual\"", &["virtual", "pi"]);
    check("board = \"kiosk-a\"", "board = \"\"", &["board", "mend"]);
    check(
        "width = 1280",
        "width = 1281",
        &["camera.width", "1281", "even"],
    );
    check(
        "width = 1280",
        "width = 64",
        &["camera.width = 64", "320 to 3840", "mend"],
    );
    check(
        "width = 1280",
        "widht = 1280",
        &["widht", "expected", "width", "line"],
    );
    check(
        "pixel_format = \"yuyv\"",
        "pixel_format = \"rgb\"",
        &["rgb", "yuyv", "mjpeg"],
    );
    check(
        "path = \"/dev/v4l/by-path/",
        "path = \"/etc/",
        &["camera.path", "/dev/v4l/by-id/"],
    );
    check(
        "[microphone]\ncard = \"",
        "[microphone]\ncard = \"hw:1 ",
        &["microphone.card", "/proc/asound/cards"],
    );
    check(
        "driver = \"pwm\"",
        "driver = \"neon\"",
        &["neon", "pwm", "ws2812_spi"],
    );
    check(
        "frequency_hz = 2000",
        "frequency_hz = 50",
        &["lights.frequency_hz = 50", "500 to 20000"],
    );
    check(
        "max_duty = 0.8",
        "max_duty = nan",
        &["lights.max_duty", "NaN"],
    );
    check(
        "rotation_degrees = 90",
        "rotation_degrees = 0",
        &["panel.rotation_degrees", "90 or 270"],
    );
    check(
        "debounce_ms = 20",
        "debounce_ms = 0",
        &["buttons.debounce_ms", "1 to 100"],
    );
    check(
        "confirm_gpio = 5",
        "confirm_gpio = 40",
        &["buttons.confirm_gpio = 40", "2 to 27", "BCM"],
    );
    check(
        "confirm_gpio = 5",
        "confirm_gpio = 25",
        &["buttons.confirm_gpio", "GPIO 25", "panel.dc_gpio"],
    );
    check(
        "cancel_gpio = 6",
        "cancel_gpio = 14",
        &["GPIO 14", "each pin once"],
    );
    check(
        "threads = 2",
        "threads = 9",
        &["models.threads = 9", "1 to 4"],
    );
    check(
        "threads = 2",
        "threads = 2\nlongest_look_s = 0",
        &["models.longest_look_s = 0", "1 to 120"],
    );
    check(
        "min_timeout_s = 10",
        "min_timeout_s = 10\nmode = 1",
        &["mode", "min_timeout_s"],
    );
}

#[test]
fn a_strip_shares_its_bus_with_nobody() {
    let config = PiConfig::parse(drivers(FILE_B)).expect("kiosk-b is good");
    let panel = PiConfig::parse(drivers(FILE_A))
        .expect("kiosk-a is good")
        .panel;
    let both = PiConfig { panel, ..config };
    let error = both.validate().expect_err("both want SPI0").to_string();
    assert!(
        error.contains("lights.path") && error.contains("panel.path"),
        "{error}"
    );
}

#[test]
fn the_machine_has_to_be_the_one_of_the_file() {
    let config = PiConfig::parse(drivers(FILE_A)).expect("kiosk-a is good");
    let check = |tree: &[u8], good| {
        let found = config.check_board(tree);
        assert_eq!(found.is_ok(), good, "{found:?}");
    };
    check(b"raspberrypi,4-model-b\0brcm,bcm2711\0", true);
    check(b"raspberrypi,5-model-b\0brcm,bcm2712\0", false);
    check(b"", false);
    let vm = PiConfig::parse(drivers(include_str!("../../../board/vm.toml"))).expect("vm is good");
    assert!(vm.check_board(b"").is_ok());
    assert!(vm.check_board(b"raspberrypi,4-model-b\0").is_err());
}

#[test]
fn a_machine_without_devices_gives_one_fault_each() {
    let mut config = PiConfig::parse(drivers(FILE_A)).expect("kiosk-a is good");
    // Names that no machine has, whatever runs the test.
    config.camera.path = "/dev/v4l/by-id/none".to_owned();
    config.microphone = config.microphone.map(|c| microphone::MicrophoneConfig {
        card: "NoSuchCard".to_owned(),
        ..c
    });
    config.speaker = config.speaker.map(|c| speaker::SpeakerConfig {
        card: "NoSuchCard".to_owned(),
        ..c
    });
    config.watchdog = config.watchdog.map(|c| watchdog::WatchdogConfig {
        path: "/dev/watchdog-none".to_owned(),
        ..c
    });
    config.sensors = config.sensors.map(|c| sensors::SensorsConfig {
        thermal_path: "/sys/none".to_owned(),
        ..c
    });
    config.buttons = config.buttons.map(|c| buttons::ButtonsConfig {
        chip: "/dev/gpiochip-none".to_owned(),
        ..c
    });
    (config.lights, config.panel) = (None, None);
    let clock: SharedClock = Arc::new(SystemClock);
    let (mut devices, faults) = open(&config, &OffNote::default(), &clock);
    // No booth is without a camera: this one is closed, and says why at every frame.
    let mut frame = crate::base::frame::Frame::new(2, 2, crate::base::frame::PixelFormat::Yuyv);
    for _ in 0..2 {
        let said = devices
            .camera
            .capture(&mut frame, std::time::Duration::ZERO);
        assert_eq!(said.expect_err("it is closed").code(), "hw.camera.absent");
        assert!(devices.camera.reopen().is_err());
    }
    // The watchdog is opened by itself, before the others; the serial line is the console's.
    assert_eq!(faults.len(), 5, "{faults:#?}");
    let watchdog = config.watchdog.expect("the board has one");
    let fault = watchdog::open(&watchdog, clock).expect_err("it is not there");
    assert_eq!(fault.kind, FaultKind::Absent);
    assert!(
        faults.iter().all(|f| f.kind == FaultKind::Absent),
        "{faults:#?}"
    );
}
