//! Figures in, verdicts and faults out.

use super::*;
use crate::hal::CameraControls;
use crate::hal::{Button, SensorReadings, StorageReadings};
use crate::technician::fault_table::TABLE;
use crate::technician::selftest::PartReport;
use crate::technician::selftest::lights::Halves;
use crate::technician::selftest::lights::{LightFigures, NoLightFigures};
use crate::technician::selftest::sound::SoundFigures;
use crate::technician::selftest::store::LightReference;
use std::time::Duration;

/// The faults that a report raises, and the worst verdict.
fn found(report: &PartReport) -> (String, Verdict) {
    let raised = report.faults.iter().filter(|(_, f)| f.is_some());
    let codes: Vec<_> = raised.map(|(row, _)| row.code).collect();
    (codes.join(" "), report.verdict())
}

fn halves(mean: f32) -> Halves {
    Halves {
        left: 1.2 * mean,
        right: 0.8 * mean,
    }
}

fn light_figures(left: f32, right: f32) -> LightFigures {
    LightFigures {
        ambient: halves(0.2),
        left: halves(left),
        right: halves(right),
        drift: 0.0001,
        controls: CameraControls {
            exposure_us: 10_000,
            gain: 1.0,
        },
    }
}

#[test]
fn lights_name_the_side() {
    let reference = LightReference {
        left: 0.2,
        right: 0.2,
        at_ms: 0,
    };
    for (left, right, known, codes, verdict) in [
        (0.02, 0.02, None, "", Verdict::Ok),
        (0.0, 0.02, None, "hw.light.left_dead", Verdict::Fail),
        (0.02, -0.0001, None, "hw.light.right_dead", Verdict::Fail),
        (0.0, 0.0, None, "hw.light.dead", Verdict::Fail),
        (0.011, 0.02, None, "hw.light.uneven", Verdict::Fail),
        (0.02, 0.014, None, "", Verdict::Warn),
        (0.02, 0.02, Some(&reference), "", Verdict::Ok),
        (0.014, 0.014, Some(&reference), "", Verdict::Warn),
        (0.01, 0.01, Some(&reference), "hw.light.aged", Verdict::Fail),
    ] {
        let report = lights(Ok(light_figures(left, right)), known);
        assert_eq!(
            found(&report),
            (codes.to_owned(), verdict),
            "{left} {right} {report:#?}"
        );
        assert!(
            report.faults.len() >= 3,
            "what is well is said to be over, too"
        );
    }
    let report = lights(Ok(light_figures(0.011, 0.02)), None);
    assert!(
        report.rows.iter().any(|r| r.item == "left of other side"),
        "{report:#?}"
    );
    for why in [NoLightFigures::NoFrames, NoLightFigures::TooBright] {
        let report = lights(Err(why), None);
        assert_eq!(
            (found(&report), report.faults.len()),
            ((String::new(), Verdict::NotTested), 0)
        );
    }
}

const SOUND: SoundFigures = SoundFigures {
    n: 16_000,
    rms_dbfs: -60.0,
    floor_dbfs: -62.0,
    dc: 0.001,
    longest_clip: 0,
    distinct: 64,
    tone_dbfs: -80.0,
    tone_off_hz: 120.0,
};

#[test]
fn the_microphone_by_its_limits() {
    for (figures, codes, verdict) in [
        (SOUND, "", Verdict::Ok),
        (
            SoundFigures {
                rms_dbfs: -92.0,
                distinct: 3,
                ..SOUND
            },
            "hw.mic.silent",
            Verdict::Fail,
        ),
        (
            SoundFigures {
                rms_dbfs: -120.0,
                distinct: 1,
                ..SOUND
            },
            "hw.mic.silent",
            Verdict::Fail,
        ),
        (
            SoundFigures {
                floor_dbfs: -44.0,
                ..SOUND
            },
            "",
            Verdict::Warn,
        ),
        (
            SoundFigures {
                floor_dbfs: -34.0,
                ..SOUND
            },
            "hw.mic.noisy",
            Verdict::Fail,
        ),
        (SoundFigures { dc: -0.03, ..SOUND }, "", Verdict::Warn),
        (
            SoundFigures { dc: 0.06, ..SOUND },
            "hw.mic.dc_offset",
            Verdict::Fail,
        ),
        (
            SoundFigures {
                longest_clip: 3,
                ..SOUND
            },
            "",
            Verdict::Warn,
        ),
        (
            SoundFigures {
                longest_clip: 7,
                ..SOUND
            },
            "hw.mic.clipping",
            Verdict::Fail,
        ),
    ] {
        let report = microphone(Some(&figures), None);
        assert_eq!(found(&report), (codes.to_owned(), verdict), "{figures:?}");
    }
    assert_eq!(microphone(None, None).verdict(), Verdict::NotTested);
    assert_eq!(
        microphone(None, Some("hw.mic.absent")).verdict(),
        Verdict::Fail
    );
}

#[test]
fn the_speaker_by_the_microphone() {
    let heard = |tone_dbfs, off| SoundFigures {
        tone_dbfs,
        tone_off_hz: off,
        rms_dbfs: tone_dbfs.max(-60.0),
        ..SOUND
    };
    let deaf = SoundFigures {
        rms_dbfs: -120.0,
        distinct: 1,
        ..SOUND
    };
    for (during, codes, verdict) in [
        (heard(-35.0, 0.0), "", Verdict::Ok),
        (heard(-35.0, 60.0), "", Verdict::Warn),
        (heard(-65.0, 0.0), "", Verdict::Warn),
        (heard(-79.0, 100.0), "hw.speaker.silent", Verdict::Fail),
        (deaf, "", Verdict::NotTested),
    ] {
        let report = speaker(Some(&SOUND), Some(&during));
        assert_eq!(found(&report), (codes.to_owned(), verdict), "{during:?}");
    }
    assert_eq!(speaker(None, Some(&SOUND)).verdict(), Verdict::NotTested);
}

#[test]
fn the_camera_by_its_frames() {
    let good = CameraFigures {
        name: "camera".to_owned(),
        size: (1280, 720),
        agreed_fps: 30.0,
        n: 60,
        fps: 29.9,
        longest_gap: Duration::from_millis(40),
        n_missed: 0,
        luminance: 110.0,
        sharpness: Some(0.3),
        fault: None,
    };
    let with = |change: fn(&mut CameraFigures)| {
        let mut figures = good.clone();
        change(&mut figures);
        found(&camera(&figures))
    };
    let expect = |codes: &str, verdict| (codes.to_owned(), verdict);
    assert_eq!(with(|_| ()), expect("", Verdict::Ok));
    assert_eq!(with(|f| f.fps = 20.0), expect("", Verdict::Warn));
    assert_eq!(
        with(|f| f.fps = 12.0),
        expect("hw.camera.slow", Verdict::Fail)
    );
    assert_eq!(
        with(|f| f.longest_gap = Duration::from_millis(400)),
        expect("", Verdict::Warn)
    );
    assert_eq!(with(|f| f.luminance = 3.0), expect("", Verdict::Warn));
    assert_eq!(
        with(|f| f.sharpness = Some(0.1)),
        expect("hw.camera.blurred", Verdict::Fail)
    );
    assert_eq!(with(|f| f.sharpness = None), expect("", Verdict::NotTested));
    assert_eq!(with(|f| f.n = 0), expect("", Verdict::NotTested));
    // Whoever watches the frames raises it; the test only says so.
    assert_eq!(
        with(|f| f.fault = Some("hw.camera.covered".to_owned())),
        expect("", Verdict::Fail)
    );
}

#[test]
fn network_wallet_and_clock_by_what_the_uplink_says() {
    let figures = |code: Option<&str>, off| UplinkFigures {
        code: code.map(str::to_owned),
        heard_s: Some(3),
        clock_off_s: off,
        behind_floor_s: 0,
    };
    for (code, off, expected) in [
        (None, Some(0), ["", "", ""]),
        (
            Some("net.backend_unreachable"),
            Some(0),
            ["net.backend_unreachable", "", ""],
        ),
        (
            Some("net.preflight_failed"),
            None,
            ["net.preflight_failed", "", ""],
        ),
        (
            Some("backend.rejected"),
            Some(2),
            ["", "backend.rejected", ""],
        ),
        (Some("net.clock_skew"), None, ["", "", "net.clock_skew"]),
        (None, Some(-172_800), ["", "", "hw.clock.wrong"]),
    ] {
        let f = figures(code, off);
        let all = [network(&f), wallet(&f), clock(&f)].map(|r| found(&r).0);
        assert_eq!(all, expected, "{code:?} {off:?}");
    }
    let behind = UplinkFigures {
        behind_floor_s: 9,
        ..figures(None, None)
    };
    assert_eq!(
        found(&clock(&behind)),
        ("hw.clock.wrong".to_owned(), Verdict::Fail)
    );
    // Without the wallet's word nothing is taken back that was found before.
    let unknown = clock(&figures(None, None));
    assert!(
        unknown.verdict() == Verdict::NotTested
            && unknown
                .faults
                .iter()
                .all(|(r, _)| r.code != "hw.clock.wrong")
    );
    assert_eq!(
        wallet(&figures(Some("net.dns"), None)).verdict(),
        Verdict::NotTested
    );
    assert_eq!(clock(&figures(None, Some(9))).verdict(), Verdict::Warn);
}

#[test]
fn the_disk_by_its_room() {
    const MIB: u64 = 1024 * 1024;
    let readings = StorageReadings {
        free_bytes: 900 * MIB,
        total_bytes: 1000 * MIB,
        read_only: false,
        life_used_percent: Some(10),
    };
    let good = StorageFigures {
        readings: Ok(readings),
        write: Some(Ok(Duration::from_millis(20))),
        outbox: Ok((3, 0, 10_000)),
    };
    for (figures, codes, verdict) in [
        (good.clone(), "", Verdict::Ok),
        (
            StorageFigures {
                readings: Ok(StorageReadings {
                    free_bytes: 100 * MIB,
                    ..readings
                }),
                ..good.clone()
            },
            "",
            Verdict::Warn,
        ),
        (
            StorageFigures {
                readings: Ok(StorageReadings {
                    free_bytes: 0,
                    ..readings
                }),
                ..good.clone()
            },
            "hw.storage.full",
            Verdict::Fail,
        ),
        (
            StorageFigures {
                readings: Ok(StorageReadings {
                    read_only: true,
                    ..readings
                }),
                ..good.clone()
            },
            "hw.storage.read_only",
            Verdict::Fail,
        ),
        (
            StorageFigures {
                readings: Ok(StorageReadings {
                    life_used_percent: Some(100),
                    ..readings
                }),
                ..good.clone()
            },
            "hw.storage.worn",
            Verdict::Fail,
        ),
        (
            StorageFigures {
                outbox: Ok((3, 1, 10_000)),
                ..good.clone()
            },
            "hw.storage.worn",
            Verdict::Fail,
        ),
        (
            StorageFigures {
                outbox: Err("gone".to_owned()),
                ..good.clone()
            },
            "hw.storage.fault",
            Verdict::Fail,
        ),
        (
            StorageFigures {
                write: Some(Err("no space left".to_owned())),
                ..good
            },
            "hw.storage.fault",
            Verdict::Fail,
        ),
    ] {
        assert_eq!(
            found(&storage(&figures)),
            (codes.to_owned(), verdict),
            "{figures:?}"
        );
    }
}

#[test]
fn panel_buttons_sensors_and_models() {
    let ok = |report: PartReport, codes: &str, verdict| {
        assert_eq!(found(&report), (codes.to_owned(), verdict), "{report:?}")
    };
    ok(
        panel(Some(Duration::from_millis(30)), None),
        "",
        Verdict::Ok,
    );
    ok(panel(None, Some("hw.panel.fault")), "", Verdict::Fail);
    ok(panel(None, None), "", Verdict::NotTested);
    ok(buttons(Some(&[]), None), "", Verdict::Ok);
    ok(
        buttons(Some(&[Button::Cancel]), None),
        "hw.buttons.stuck",
        Verdict::Fail,
    );
    ok(buttons(None, Some("hw.buttons.fault")), "", Verdict::Fail);
    let well = SensorReadings {
        soc_celsius: Some(50.0),
        undervoltage: Some(false),
        throttled: Some(false),
        tamper_open: Some(false),
    };
    ok(sensors(Ok(well)), "", Verdict::Ok);
    ok(
        sensors(Ok(SensorReadings {
            soc_celsius: Some(77.0),
            ..well
        })),
        "",
        Verdict::Warn,
    );
    ok(
        sensors(Ok(SensorReadings {
            soc_celsius: Some(83.0),
            ..well
        })),
        "hw.thermal.hot",
        Verdict::Fail,
    );
    ok(
        sensors(Ok(SensorReadings {
            undervoltage: Some(true),
            ..well
        })),
        "hw.power.undervoltage",
        Verdict::Fail,
    );
    ok(
        sensors(Ok(SensorReadings {
            tamper_open: None,
            ..well
        })),
        "",
        Verdict::Ok,
    );
    ok(sensors(Err("no".to_owned())), "", Verdict::NotTested);
    let file = |result: Result<&str, &str>| {
        [(
            "face".to_owned(),
            result.map(str::to_owned).map_err(str::to_owned),
        )]
    };
    ok(models(&file(Ok("1"))), "", Verdict::Ok);
    ok(
        models(&file(Err("another hash"))),
        "hw.model.corrupt",
        Verdict::Fail,
    );
}

#[test]
fn every_code_of_this_room_is_in_the_table() {
    let source = concat!(include_str!("devices.rs"), include_str!("machine.rs"));
    let mut n = 0;
    for word in source
        .split('"')
        .filter(|w| ["hw.", "net.", "backend."].iter().any(|p| w.starts_with(p)))
    {
        assert!(TABLE.iter().any(|row| row.code == word), "{word}");
        n += 1;
    }
    assert!(n > 30, "{n}");
}
