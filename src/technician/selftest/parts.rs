//! Each part's figures against its limits. Where a limit comes from stands beside it.

use super::PartReport;
use super::lights::{LightFigures, NoLightFigures};
use super::sound::SoundFigures;
use super::store::LightReference;
use crate::hal::{Button, SensorReadings, StorageReadings};
use crate::technician::report::Verdict;
use std::time::Duration;

/// `Fail` beyond the second limit, `Warn` beyond the first; larger is worse.
fn above(value: f64, warn: f64, fail: f64) -> Verdict {
    if value > fail {
        Verdict::Fail
    } else if value > warn {
        Verdict::Warn
    } else {
        Verdict::Ok
    }
}

/// The same where smaller is worse.
fn below(value: f64, warn: f64, fail: f64) -> Verdict {
    above(-value, -warn, -fail)
}

fn real(value: f32) -> f64 {
    f64::from(value)
}

/// What the camera's thread has seen over the last two seconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CameraFigures {
    /// The device's own name.
    pub name: String,
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// Frames a second that were agreed on.
    pub agreed_fps: f32,
    /// Frames.
    pub n: usize,
    /// Frames a second, by their own times.
    pub fps: f32,
    /// Longest time between two frames.
    pub longest_gap: Duration,
    /// Frames that the device counted and nobody got.
    pub n_missed: u64,
    /// Mean luminance of the newest, 8-bit.
    pub luminance: f32,
    /// Share of an edge's height between neighbours; `None` if there was no edge to judge by.
    pub sharpness: Option<f32>,
    /// The fault that the camera's thread tells now.
    pub fault: Option<String>,
}

/// The camera.
pub fn camera(f: &CameraFigures) -> PartReport {
    let mut report = PartReport::new("camera");
    report.told(
        "device",
        format!("{}, {} x {}", f.name, f.size.0, f.size.1),
        "",
    );
    if let Some(code) = &f.fault {
        report.standing("camera", code);
    }
    if f.n < 2 {
        report.missing("frame rate", "no frames came within two seconds");
        return report;
    }
    let agreed = real(f.agreed_fps);
    // Long exposures take some of the rate; below half of it a face's step takes too long.
    let fps = below(real(f.fps), 0.8 * agreed, 0.5 * agreed);
    report.judged(
        "frame rate",
        real(f.fps),
        "1/s",
        format!(">= {:.1}", 0.8 * agreed),
        fps,
        "hw.camera.slow",
    );
    let gap = f.longest_gap.as_secs_f64() * 1000.0;
    let most = (3.5 * 1000.0 / agreed.max(1.0)).max(150.0);
    report.judged(
        "longest gap",
        gap,
        "ms",
        format!("<= {most:.0}"),
        above(gap, most, f64::MAX),
        "",
    );
    report.told(
        "missed frames",
        i64::try_from(f.n_missed).unwrap_or(i64::MAX),
        "",
    );
    // The exposure follows the middle of the picture; outside of this it is at its end.
    let light = if (20.0..=235.0).contains(&f.luminance) {
        Verdict::Ok
    } else {
        Verdict::Warn
    };
    report.judged(
        "luminance",
        real(f.luminance),
        "of 255",
        "20 to 235",
        light,
        "",
    );
    match f.sharpness {
        // As hal::watch has it, which raises the fault.
        Some(s) => report.judged(
            "sharpness",
            real(s),
            "",
            ">= 0.13",
            below(real(s), 0.16, 0.13),
            "",
        ),
        None => report.missing(
            "sharpness",
            "no edge with enough contrast is in the picture",
        ),
    }
    report
}

/// A side that adds less than this to the picture's mean gives no light: 0.15 % of full scale, some times the noise of the mean.
const LEAST_RESPONSE: f32 = 0.0015;
/// Of two sides the weaker must give so much of the stronger.
const EVEN: (f64, f64) = (0.75, 0.6);
/// A ring that gives less of what it gave when it was calibrated is old.
const AGED: (f64, f64) = (0.8, 0.6);

/// The lights.
pub fn lights(
    measured: Result<LightFigures, NoLightFigures>,
    reference: Option<&LightReference>,
) -> PartReport {
    let f = match measured {
        Ok(figures) => figures,
        Err(NoLightFigures::NoFrames) => {
            return PartReport::not_tested(
                "lights",
                "the camera gives no pictures to measure with: test the camera first",
            );
        }
        Err(NoLightFigures::TooBright) => {
            return PartReport::not_tested(
                "lights",
                "the picture is white: keep sun and lamps out of the camera, then test again",
            );
        }
    };
    let mut report = PartReport::new("lights");
    let percent = |x: f32| 100.0 * real(x);
    report.told("room light", percent(f.ambient.mean()), "%");
    let (left, right) = (f.left.mean(), f.right.mean());
    let least = LEAST_RESPONSE.max(2.0 * f.drift);
    let dead = [left, right].map(|side| side < least);
    // With both dead the supply is, and neither side.
    let both = dead[0] && dead[1];
    let sides = [
        ("left", left, f.left, "hw.light.left_dead"),
        ("right", right, f.right, "hw.light.right_dead"),
    ];
    for ((side, mean, halves, code), dead) in sides.into_iter().zip(dead) {
        let verdict = if dead { Verdict::Fail } else { Verdict::Ok };
        let code = if both { "hw.light.dead" } else { code };
        report.judged(
            &format!("{side} side adds"),
            percent(mean),
            "%",
            format!(">= {:.2}", percent(least)),
            verdict,
            code,
        );
        let both_halves = format!("{:.2} / {:.2}", percent(halves.left), percent(halves.right));
        report.told(&format!("{side} side, in halves l/r"), both_halves, "%");
    }
    for code in ["hw.light.dead", "hw.light.left_dead", "hw.light.right_dead"] {
        report.absent_unless_found(code);
    }
    if dead[0] || dead[1] {
        return report;
    }
    let ratio = real(left.min(right) / left.max(right));
    let weak = if left < right { "left" } else { "right" };
    let verdict = below(ratio, EVEN.0, EVEN.1);
    let item = if verdict == Verdict::Ok {
        "weaker of stronger".to_owned()
    } else {
        format!("{weak} of other side")
    };
    report.judged(
        &item,
        100.0 * ratio,
        "%",
        format!(">= {:.0}", 100.0 * EVEN.0),
        verdict,
        "hw.light.uneven",
    );
    match reference {
        Some(known) => {
            let now = f
                .per_ms(f.left)
                .min(f.per_ms(f.right) * known.left / known.right.max(f32::MIN_POSITIVE));
            let share = real(now / known.left.max(f32::MIN_POSITIVE));
            let verdict = below(share, AGED.0, AGED.1);
            report.judged(
                "of calibrated",
                100.0 * share,
                "%",
                format!(">= {:.0}", 100.0 * AGED.0),
                verdict,
                "hw.light.aged",
            );
        }
        None => report.told("of calibrated", "not calibrated: `calibrate lights`", ""),
    }
    report
}

/// Why the microphone says nothing.
pub const DEAF: &str = "the microphone gives no samples";

/// The microphone, in silence. `fault`: what its thread tells now.
pub fn microphone(figures: Option<&SoundFigures>, fault: Option<&str>) -> PartReport {
    let mut report = PartReport::new("microphone");
    if let Some(code) = fault {
        report.standing("microphone", code);
    }
    let Some(f) = figures else {
        report.missing("level", DEAF);
        return report;
    };
    // A converter that hears nothing gives one to three values.
    let silent = f.distinct <= 3 || f.rms_dbfs < SILENT_DBFS;
    let verdict = if silent { Verdict::Fail } else { Verdict::Ok };
    report.judged(
        "level",
        real(f.rms_dbfs),
        "dBFS",
        format!(">= {SILENT_DBFS:.0}"),
        verdict,
        "hw.mic.silent",
    );
    report.told(
        "different values",
        i64::try_from(f.distinct).unwrap_or(64),
        "",
    );
    if silent {
        return report;
    }
    // Limits: of 1,494 clips 95 % are within the first, 99.5 % within the second.
    report.judged(
        "noise floor",
        real(f.floor_dbfs),
        "dBFS",
        "<= -45",
        above(real(f.floor_dbfs), -45.0, -35.0),
        "hw.mic.noisy",
    );
    report.judged(
        "DC offset",
        real(f.dc.abs()),
        "",
        "<= 0.02",
        above(real(f.dc.abs()), 0.02, 0.05),
        "hw.mic.dc_offset",
    );
    let run = i64::try_from(f.longest_clip).unwrap_or(i64::MAX);
    report.judged(
        "longest clipping",
        run,
        "samples",
        "<= 2",
        above(f.longest_clip as f64, 2.0, 6.0),
        "hw.mic.clipping",
    );
    report
}

/// Below this a microphone is dead or muted, dBFS.
pub const SILENT_DBFS: f32 = -85.0;

/// The speaker, by the microphone: what was heard before the tone and while it was played.
pub fn speaker(before: Option<&SoundFigures>, during: Option<&SoundFigures>) -> PartReport {
    let (Some(before), Some(during)) = (before, during) else {
        return PartReport::not_tested("speaker", DEAF);
    };
    if during.distinct <= 3 || during.rms_dbfs < SILENT_DBFS {
        return PartReport::not_tested(
            "speaker",
            "the microphone hears nothing at all: mend it first",
        );
    }
    let mut report = PartReport::new("speaker");
    report.told("silence at 1 kHz", real(before.tone_dbfs), "dBFS");
    report.told("tone heard", real(during.tone_dbfs), "dBFS");
    let over = real(during.tone_dbfs - before.tone_dbfs);
    report.judged(
        "tone over silence",
        over,
        "dB",
        ">= 20",
        below(over, 20.0, 10.0),
        "hw.speaker.silent",
    );
    if over >= 10.0 {
        let off = real(during.tone_off_hz.abs());
        report.judged("off by", off, "Hz", "<= 50", above(off, 50.0, f64::MAX), "");
    }
    report
}

/// The panel: how long it took to take a picture; or its fault, if it did not.
pub fn panel(answered: Option<Duration>, fault: Option<&str>) -> PartReport {
    let mut report = PartReport::new("panel");
    match (answered, fault) {
        (_, Some(code)) => report.standing("panel", code),
        (Some(took), None) => {
            let ms = took.as_secs_f64() * 1000.0;
            report.judged(
                "picture taken after",
                ms,
                "ms",
                "<= 1000",
                above(ms, 1000.0, f64::MAX),
                "",
            );
        }
        (None, None) => report.missing(
            "picture",
            "the panel's thread did not draw in time: test again",
        ),
    }
    report
}

/// The buttons at rest.
pub fn buttons(down: Option<&[Button]>, fault: Option<&str>) -> PartReport {
    let mut report = PartReport::new("buttons");
    if let Some(code) = fault {
        report.standing("buttons", code);
    }
    let Some(down) = down else {
        report.missing("lines", "the buttons' lines were not read");
        return report;
    };
    for (button, name) in [
        (Button::Confirm, "green button"),
        (Button::Cancel, "other button"),
    ] {
        let is_down = down.contains(&button);
        let (value, verdict) = if is_down {
            ("down", Verdict::Fail)
        } else {
            ("up", Verdict::Ok)
        };
        report.judged(name, value, "", "up", verdict, "hw.buttons.stuck");
    }
    report
}

/// Free space below which no session begins, and below which somebody has to come soon, MiB.
pub const FREE_MIB: (f64, f64) = (128.0, 16.0);

/// What the disk said.
#[derive(Clone, Debug, PartialEq)]
pub struct StorageFigures {
    /// Its figures, or what it said instead.
    pub readings: Result<StorageReadings, String>,
    /// How long it took to write 64 KiB, have them on the disk, and read them back; or what the system said.
    pub write: Option<Result<Duration, String>>,
    /// Outcomes that wait, that were found damaged, and that are allowed; or what the outbox said.
    pub outbox: Result<(u64, u64, u64), String>,
}

/// The disk, and what lies on it.
pub fn storage(f: &StorageFigures) -> PartReport {
    let mut report = PartReport::new("storage");
    match &f.readings {
        Err(said) => report.missing("disk", said.clone()),
        Ok(r) => {
            const MIB: f64 = 1024.0 * 1024.0;
            let free = r.free_bytes as f64 / MIB;
            report.judged(
                "free",
                free,
                "MiB",
                format!(">= {:.0}", FREE_MIB.0),
                below(free, FREE_MIB.0, FREE_MIB.1),
                "hw.storage.full",
            );
            report.told("of", r.total_bytes as f64 / MIB, "MiB");
            let (value, verdict) = if r.read_only {
                ("read-only", Verdict::Fail)
            } else {
                ("read-write", Verdict::Ok)
            };
            report.judged(
                "takes writes",
                value,
                "",
                "read-write",
                verdict,
                "hw.storage.read_only",
            );
            match r.life_used_percent {
                Some(used) => {
                    let verdict = above(f64::from(used), 80.0, 99.0);
                    report.judged(
                        "life used",
                        i64::from(used),
                        "%",
                        "<= 80",
                        verdict,
                        "hw.storage.worn",
                    );
                }
                None => report.told("life used", "this disk does not say", ""),
            }
        }
    }
    match &f.write {
        Some(Ok(took)) => {
            let ms = took.as_secs_f64() * 1000.0;
            // A card that is cleaning up takes a second or two; the session's thread waits five.
            report.judged(
                "write, sync, read",
                ms,
                "ms",
                "<= 2000",
                above(ms, 2000.0, f64::MAX),
                "",
            );
        }
        Some(Err(said)) => report.judged(
            "write, sync, read",
            said.as_str(),
            "",
            "no error",
            Verdict::Fail,
            "",
        ),
        None => {}
    }
    match &f.outbox {
        Ok((pending, damaged, most)) => {
            let n = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
            let verdict = above(*pending as f64, 0.5 * *most as f64, 0.9 * *most as f64);
            report.judged(
                "outcomes that wait",
                n(*pending),
                "",
                format!("<= {}", most / 2),
                verdict,
                "",
            );
            let verdict = if *damaged > 0 {
                Verdict::Fail
            } else {
                Verdict::Ok
            };
            report.judged(
                "damaged outcomes",
                n(*damaged),
                "",
                "0",
                verdict,
                "hw.storage.worn",
            );
        }
        Err(said) => report.judged("outbox", said.as_str(), "", "answers", Verdict::Fail, ""),
    }
    report
}

/// What the uplink has told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UplinkFigures {
    /// The code of what is wrong; `None`: the wallet answers.
    pub code: Option<String>,
    /// Seconds since the uplink was heard of; `None`: never.
    pub heard_s: Option<u64>,
    /// The booth's clock less the wallet's, in seconds, by the newest answer; `None`: there was none.
    pub clock_off_s: Option<i64>,
    /// Seconds by which the booth's clock is behind the software's own date; 0 if it is not.
    pub behind_floor_s: i64,
}

/// Codes that are the network's; the others are the wallet's.
const OF_NETWORK: [&str; 4] = [
    "net.preflight_failed",
    "net.backend_unreachable",
    "net.dns",
    "net.captive_portal",
];
/// The wallet's.
const OF_WALLET: [&str; 5] = [
    "net.tls",
    "net.degraded",
    "backend.rejected",
    "backend.rate_limited",
    "backend.timeout",
];

fn by_code(report: &mut PartReport, item: &str, codes: &[&str], found: Option<&str>) {
    for code in codes {
        report.absent_unless_found(code);
    }
    match found {
        Some(code) => report.judged(item, code, "", "no fault", Verdict::Fail, code),
        None => report.judged(item, "no fault", "", "no fault", Verdict::Ok, ""),
    }
}

/// The network, as the uplink sees it.
pub fn network(f: &UplinkFigures) -> PartReport {
    let mut report = PartReport::new("network");
    match f.heard_s {
        Some(s) => report.told(
            "uplink heard",
            i64::try_from(s).unwrap_or(i64::MAX),
            "s ago",
        ),
        None => report.told("uplink heard", "never", ""),
    }
    let code = f.code.as_deref().filter(|c| OF_NETWORK.contains(c));
    by_code(&mut report, "network", &OF_NETWORK, code);
    report
}

/// The wallet, as the uplink sees it.
pub fn wallet(f: &UplinkFigures) -> PartReport {
    let code = f.code.as_deref();
    if let Some(code) = code.filter(|c| OF_NETWORK.contains(c)) {
        return PartReport::not_tested(
            "wallet",
            format!("the network does not reach it [{code}]: test the network first"),
        );
    }
    let mut report = PartReport::new("wallet");
    by_code(
        &mut report,
        "wallet",
        &OF_WALLET,
        code.filter(|c| OF_WALLET.contains(c)),
    );
    if code == Some("net.clock_skew") {
        report.missing(
            "certificate",
            "it is not valid by the booth's clock: test the clock",
        );
    }
    report
}

/// A clock that is wrong by more is a fault, seconds: tickets have times. The wallet's answers tell it to a second.
const CLOCK_S: (f64, f64) = (5.0, 30.0);

/// The clock.
pub fn clock(f: &UplinkFigures) -> PartReport {
    let mut report = PartReport::new("clock");
    let behind = f.behind_floor_s > 0;
    let verdict = if behind { Verdict::Fail } else { Verdict::Ok };
    report.judged(
        "behind the software's date",
        f.behind_floor_s,
        "s",
        "0",
        verdict,
        "hw.clock.wrong",
    );
    match f.clock_off_s {
        Some(off) => {
            let verdict = above(off.abs() as f64, CLOCK_S.0, CLOCK_S.1);
            report.judged(
                "booth less wallet",
                off,
                "s",
                format!("-{0} to {0}", CLOCK_S.0),
                verdict,
                "hw.clock.wrong",
            );
        }
        None if behind => {}
        None => {
            report.missing(
                "booth less wallet",
                "the wallet has not answered since the start",
            );
            // Nothing was compared: what is known stays.
            report.faults.clear();
        }
    }
    if f.code.as_deref() == Some("net.clock_skew") {
        report.judged(
            "wallet's certificate",
            "not valid by this clock",
            "",
            "valid",
            Verdict::Fail,
            "net.clock_skew",
        );
    } else {
        report.absent_unless_found("net.clock_skew");
    }
    report
}

/// The models: each file's name, and what is wrong with it.
pub fn models(files: &[(String, Result<String, String>)]) -> PartReport {
    let mut report = PartReport::new("models");
    for (name, result) in files {
        match result {
            Ok(version) => report.judged(
                name,
                version.as_str(),
                "",
                "hash as in the manifest",
                Verdict::Ok,
                "hw.model.corrupt",
            ),
            Err(said) => report.judged(
                name,
                said.as_str(),
                "",
                "hash as in the manifest",
                Verdict::Fail,
                "hw.model.corrupt",
            ),
        }
    }
    report
}

/// Temperature, supply, case.
pub fn sensors(readings: Result<SensorReadings, String>) -> PartReport {
    let mut report = PartReport::new("sensors");
    let r = match readings {
        Ok(readings) => readings,
        Err(said) => {
            report.missing("sensors", said);
            return report;
        }
    };
    match r.soc_celsius {
        // The processor slows down from 80 degrees on.
        Some(t) => report.judged(
            "processor",
            real(t),
            "degC",
            "<= 75",
            above(real(t), 75.0, 80.0),
            "hw.thermal.hot",
        ),
        None => report.missing("processor", "this board does not say"),
    }
    for (item, value, words, code) in [
        (
            "clock of processor",
            r.throttled,
            ("slowed down", "full"),
            "hw.thermal.throttled",
        ),
        (
            "supply",
            r.undervoltage,
            ("too low", "good"),
            "hw.power.undervoltage",
        ),
        ("case", r.tamper_open, ("open", "closed"), "hw.tamper.open"),
    ] {
        match value {
            Some(bad) => {
                let (word, verdict) = if bad {
                    (words.0, Verdict::Fail)
                } else {
                    (words.1, Verdict::Ok)
                };
                report.judged(item, word, "", words.1, verdict, code);
            }
            None => report.told(item, "this board does not say", ""),
        }
    }
    report
}

#[cfg(test)]
mod tests;
