//! Which measurements of a session are plotted, and how.

use super::data::{CameraLine, Document, Face, LightLine, Look, Showing, Side, Span, Tape, Timed};
use crate::guidance::exposure::ExposureConfig;
use crate::html::chosen;
use crate::html::svg::{Band, Join, Phase, Plot, Scale, Series};
use serde_json::Value;
use std::fmt;

/// Stops (log2 of linear luminance) around the target within which the exposure loop rests once it has settled; `guidance::exposure`.
const REST_STOPS: f64 = 0.4;

/// Exposure (microseconds) and gain of the frame at a time, or of the one before it.
pub(super) fn exposure_at(camera: &[CameraLine], at_ns: u64) -> Option<(f64, f64)> {
    let after = camera.partition_point(|c| c.at_ns() <= at_ns);
    let line = camera.get(after.checked_sub(1)?)?;
    Some((line.exposure_us, line.gain))
}

/// The groups of screens as stretches of time.
pub(super) fn phases<'a>(showings: &[Showing<'a>]) -> Vec<Phase<'a>> {
    let mut phases: Vec<Phase<'a>> = Vec::new();
    for s in showings {
        let name = s.screen.split('.').next().unwrap_or_default();
        match phases.last_mut() {
            Some(last) if last.name == name => last.to_s = s.to_s,
            _ => phases.push(Phase {
                from_s: s.from_s,
                to_s: s.to_s,
                name,
            }),
        }
    }
    phases
}

/// sRGB-coded share of full scale, moved by `stops` of linear luminance (IEC 61966-2-1).
fn moved(coded: f64, stops: f64) -> f64 {
    let linear = if coded <= 0.04045 {
        coded / 12.92
    } else {
        ((coded + 0.055) / 1.055).powf(2.4)
    };
    let linear = (linear * stops.exp2()).clamp(0.0, 1.0);
    if linear <= 0.003_130_8 {
        linear * 12.92
    } else {
        1.055 * linear.powf(1.0 / 2.4) - 0.055
    }
}

fn target(name: &'static str, mean: f32) -> Band {
    let mean = f64::from(mean);
    Band {
        low: moved(mean, -REST_STOPS),
        high: moved(mean, REST_STOPS),
        name: format!("{name} target {} ± {REST_STOPS} stop", chosen(mean)),
        phase: Some(name),
    }
}

/// Measurements of looks as a series.
fn series(name: &str, looks: &[Look], span: Span, value: impl Fn(&Look) -> Option<f64>) -> Series {
    Series {
        name: name.to_owned(),
        points: looks
            .iter()
            .filter_map(|l| value(l).map(|v| (span.seconds(l.at_ns()), v)))
            .collect(),
        join: Join::Line,
    }
}

/// The time in which looks of a task were made, with a little room; the whole session if there were none.
fn window(looks: &[Look], task: &str, span: Span) -> (f64, f64) {
    let of_task = || looks.iter().filter(|l| l.seen.task() == task);
    match (of_task().next(), of_task().next_back()) {
        (Some(first), Some(last)) => (
            (span.seconds(first.at_ns()) - 0.2).max(0.0),
            (span.seconds(last.at_ns()) + 0.2).min(span.length_s()),
        ),
        _ => (0.0, span.length_s()),
    }
}

/// What holds until it is changed; equal values are left out. Begins with what was in effect before.
fn held<T: Timed>(name: &str, lines: &[T], span: Span, value: impl Fn(&T) -> f64) -> Series {
    let mut points: Vec<(f64, f64)> = Vec::new();
    for line in span.before(lines).into_iter().chain(span.of(lines)) {
        let v = value(line);
        if points.last().is_none_or(|p| p.1 != v) {
            points.push((span.seconds(line.at_ns()).max(0.0), v));
        }
    }
    Series {
        name: name.to_owned(),
        points,
        join: Join::Hold,
    }
}

fn colour(side: &Side) -> f64 {
    side.red.max(side.green).max(side.blue)
}

/// The limit that a check of the outcome held a measure against.
fn limit(outcome: Option<&Value>, check: &str) -> Option<f64> {
    outcome?
        .get("checks")?
        .as_array()?
        .iter()
        .find(|c| c.get("name").and_then(Value::as_str) == Some(check))?
        .get("measure")?
        .get("limit")?
        .as_f64()
}

fn line(name: &str, at: Option<f64>) -> Vec<Band> {
    at.map(|v| Band {
        low: v,
        high: v,
        name: format!("{name} {}", chosen((v * 1e4).round() / 1e4)),
        phase: None,
    })
    .into_iter()
    .collect()
}

/// Writes the plots of a session.
pub(super) fn write(
    out: &mut String,
    tape: &Tape,
    span: Span,
    showings: &[Showing<'_>],
    outcome: Option<&Value>,
) -> fmt::Result {
    let phases = phases(showings);
    let looks = span.of(&tape.looks);
    let of_document = window(looks, "document", span);
    let of_face = window(looks, "face", span);
    // How long the result was shown afterwards says nothing of light: that time would only squeeze the rest.
    let last = looks
        .iter()
        .rev()
        .find(|l| matches!(l.seen.task(), "document" | "face"));
    let capture_s = last.map_or_else(|| span.length_s(), |l| span.seconds(l.at_ns()) + 0.8);
    let whole = (0.0, capture_s.min(span.length_s()));
    let plot = |title, time, unit, scale, series, bands| Plot {
        title,
        unit,
        scale,
        time,
        across: "s",
        phases: &phases,
        series,
        bands,
    };
    let document = |name: &str, value: fn(&Document) -> Option<f64>| {
        series(name, looks, span, |l| {
            l.document().filter(|d| d.corners.is_some()).and_then(value)
        })
    };
    let face = |name: &str, value: fn(&Face) -> Option<f64>| {
        series(name, looks, span, |l| l.face().and_then(value))
    };
    let quality = [
        "LuminanceMean",
        "Sharpness",
        "InterEyeDistance",
        "HeadPoseYaw",
        "IlluminationUniformity",
        "EyesOpen",
    ]
    .map(|name| {
        series(name, looks, span, |l| {
            l.face().and_then(|f| f.component(name))
        })
    });
    let threshold = outcome
        .and_then(|o| o.get("threshold")?.get("score")?.as_f64())
        .or_else(|| limit(outcome, "face.comparison"));
    let exposure = ExposureConfig::default();
    let share = Scale::Linear(0.0, 1.0);
    let mut light = vec![
        held("left, white", &tape.lights, span, |l: &LightLine| {
            l.left.white
        }),
        held("right, white", &tape.lights, span, |l: &LightLine| {
            l.right.white
        }),
    ];
    let coloured = |l: &LightLine| colour(&l.left).max(colour(&l.right));
    if span.of(&tape.lights).iter().any(|l| coloured(l) > 0.0) {
        light.push(held("either, colour", &tape.lights, span, coloured));
    }

    out.push_str("<div class=\"plots\">\n");
    for plot in [
        plot(
            ("Luminance of face and document", "人脸与证件亮度"),
            whole,
            "share, sRGB",
            share,
            vec![
                face("face", |f| f.light[1]),
                face("face, left half", |f| f.light[0]),
                face("face, right half", |f| f.light[2]),
                document("document", |d| d.luminance),
                series("whole frame", looks, span, |l| l.scene_mean),
            ],
            vec![
                target("face", exposure.face_mean),
                target("document", exposure.document_mean),
            ],
        ),
        plot(
            ("Light ring", "补光灯"),
            whole,
            "share of full power",
            share,
            light,
            Vec::new(),
        ),
        plot(
            ("Exposure", "曝光时间"),
            whole,
            "µs",
            Scale::Log,
            vec![held("exposure", &tape.camera, span, |c| c.exposure_us)],
            Vec::new(),
        ),
        plot(
            ("Gain", "增益"),
            whole,
            "factor",
            Scale::Linear(0.0, 4.0),
            vec![held("gain", &tape.camera, span, |c| c.gain)],
            Vec::new(),
        ),
        plot(
            ("Document: sharpness", "证件清晰度"),
            of_document,
            "variance",
            Scale::Linear(0.0, 100.0),
            vec![document("variance of the Laplacian", |d| d.sharpness)],
            Vec::new(),
        ),
        plot(
            ("Document: area, glare, motion", "证件面积、反光、移动"),
            of_document,
            "%",
            Scale::Linear(0.0, 20.0),
            vec![
                document("area, share of the frame", |d| {
                    d.area_share.map(|v| v * 100.0)
                }),
                document("glare, share of the document", |d| {
                    d.glare_share.map(|v| v * 100.0)
                }),
                document("motion, share of its width", |d| {
                    d.motion.map(|v| v * 100.0)
                }),
            ],
            Vec::new(),
        ),
        plot(
            ("Face: quality components", "人脸质量分量"),
            of_face,
            "0..100",
            Scale::Linear(0.0, 100.0),
            quality.into(),
            Vec::new(),
        ),
        plot(
            ("Face: comparison score", "人脸比对分数"),
            of_face,
            "cosine",
            share,
            vec![face("comparison score", |f| f.comparison_score)],
            line("threshold", threshold),
        ),
        plot(
            ("Face: pose of the head", "头部姿态"),
            of_face,
            "degrees",
            Scale::Linear(-20.0, 20.0),
            vec![
                face("yaw", |f| f.pose[0]),
                face("pitch", |f| f.pose[1]),
                face("roll", |f| f.pose[2]),
            ],
            Vec::new(),
        ),
        plot(
            ("Face: distance of the eyes", "瞳距"),
            of_face,
            "px",
            Scale::Linear(0.0, 120.0),
            vec![face("inter-eye distance", |f| f.inter_eye_px)],
            line("least, by policy", limit(outcome, "face.quality")),
        ),
    ] {
        plot.write(out)?;
    }
    fmt::Write::write_str(out, "</div>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_move_the_coded_luminance() {
        let check = |coded: f64, stops: f64, expected: f64| {
            let found = moved(coded, stops);
            assert!((found - expected).abs() < 5e-4, "{coded} {stops}: {found}");
        };
        check(0.52, 0.0, 0.52);
        // Linear 0.2140 (mid grey) doubled is 0.4281.
        check(0.5, 1.0, 0.6858);
        check(0.9, 3.0, 1.0);
        check(0.02, -1.0, 0.01);
    }

    #[test]
    fn screens_of_a_group_are_one_phase() {
        let showing = |from_s, to_s, screen| Showing {
            from_s,
            to_s,
            screen,
            file: "",
        };
        let found: Vec<_> = phases(&[
            showing(0.0, 1.0, "idle"),
            showing(1.0, 2.0, "document.show"),
            showing(2.0, 4.0, "document.still"),
            showing(4.0, 5.0, "face.look"),
        ])
        .iter()
        .map(|p| (p.name, p.from_s, p.to_s))
        .collect();
        assert_eq!(
            found,
            [
                ("idle", 0.0, 1.0),
                ("document", 1.0, 4.0),
                ("face", 4.0, 5.0)
            ]
        );
    }

    #[test]
    fn limits_come_from_the_outcome() {
        let outcome = serde_json::json!({"checks": [
            {"name": "document.type", "outcome": "passed"},
            {"name": "face.quality", "outcome": "passed", "measure": {"value": 95.0, "limit": 70.0}},
        ]});
        assert_eq!(limit(Some(&outcome), "face.quality"), Some(70.0));
        assert_eq!(limit(Some(&outcome), "document.type"), None);
        assert_eq!(limit(Some(&Value::Null), "face.quality"), None);
        assert_eq!(limit(None, "face.quality"), None);
    }
}
