//! Camera, lights, microphone, speaker, panel, buttons.

use super::{above, below, real};
use crate::hal::Button;
use crate::technician::report::Verdict;
use crate::technician::selftest::PartReport;
use crate::technician::selftest::lights::{LightFigures, NoLightFigures};
use crate::technician::selftest::sound::SoundFigures;
use crate::technician::selftest::store::LightReference;
use std::time::Duration;

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
            "hw.camera.blurred",
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
