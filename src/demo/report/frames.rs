//! Key frames of a session, with what the service found in them drawn over the picture.
//!
//! The recorder keeps every n-th frame, the service looks at the newest one: a look is drawn over the kept frame that is nearest
//! to it, and the caption says how far apart they are.

use super::album::Album;
use super::data::{Document, Face, FrameLine, Look, Seen, Span, Timed};
use super::plots::exposure_at;
use crate::html::{Safe, heading, number};
use std::fmt::{self, Write};

/// Size of the camera's frames, in whose pixels the trace counts.
const CAMERA: (f64, f64) = (1280.0, 720.0);
/// Looks and frames farther apart than this are not put together, in nanoseconds.
const FARTHEST_NS: u64 = 400_000_000;
/// A role is filled by the look nearest to a kept frame among those that come so soon after the first, in nanoseconds.
const SOON_NS: u64 = 700_000_000;

/// A look and the kept frame that is shown with it.
#[derive(Clone, Copy, Debug)]
struct KeyFrame<'a> {
    title: (&'static str, &'static str),
    look: &'a Look,
    frame: &'a FrameLine,
}

impl KeyFrame<'_> {
    /// Nanoseconds between the two.
    fn apart_ns(&self) -> u64 {
        self.look.at_ns().abs_diff(self.frame.at_ns())
    }
}

/// The kept frame nearest to a look.
fn nearest<'a>(look: &Look, frames: &'a [FrameLine]) -> Option<&'a FrameLine> {
    let after = frames.partition_point(|f| f.at_ns() < look.at_ns());
    let around = &frames[after.saturating_sub(1)..(after + 1).min(frames.len())];
    around
        .iter()
        .min_by_key(|f| f.at_ns().abs_diff(look.at_ns()))
        .filter(|f| f.at_ns().abs_diff(look.at_ns()) <= FARTHEST_NS)
}

/// Puts the looks of a role together with frames: of those soon after the first, the one that is nearest to a frame.
fn key_frame<'a>(
    title: (&'static str, &'static str),
    looks: impl Iterator<Item = &'a Look>,
    frames: &'a [FrameLine],
) -> Option<KeyFrame<'a>> {
    let mut all =
        looks.filter_map(|look| nearest(look, frames).map(|frame| KeyFrame { title, look, frame }));
    let first = all.next()?;
    let from = first.look.at_ns();
    std::iter::once(first)
        .chain(all.take_while(|k| k.look.at_ns().abs_diff(from) <= SOON_NS))
        .min_by_key(|k| (k.apart_ns(), k.look.at_ns().abs_diff(from)))
}

/// The key frames of a session, in the order of time, each frame once.
fn choose<'a>(looks: &'a [Look], frames: &'a [FrameLine]) -> Vec<KeyFrame<'a>> {
    let ticket = |l: &&Look| matches!(l.seen, Seen::Ticket { found: true });
    let document = |l: &&Look| l.document().is_some_and(|d| d.corners.is_some());
    let hindered = |l: &&Look| {
        l.document()
            .is_some_and(|d| d.corners.is_some() && d.problem.is_some() && !d.read)
    };
    let is_back = |d: &Document| d.side.as_deref() == Some("back");
    let read = |l: &&Look| l.document().is_some_and(|d| d.read && !is_back(d));
    let back = |l: &&Look| l.document().is_some_and(|d| d.read && is_back(d));
    let face = |l: &&Look| l.face().is_some();
    let score = |l: &Look| l.face().and_then(|f| f.comparison_score);
    let best = looks.iter().filter(|l| score(l).is_some()).max_by(|a, b| {
        score(a)
            .unwrap_or(-1.0)
            .total_cmp(&score(b).unwrap_or(-1.0))
    });
    let waiting = |l: &&Look| matches!(l.seen, Seen::Ticket { .. });
    let roles = [
        key_frame(
            ("Ticket read", "已读取二维码"),
            looks.iter().filter(ticket),
            frames,
        ),
        key_frame(
            ("Document seen", "检测到证件"),
            looks.iter().filter(document),
            frames,
        ),
        key_frame(
            ("Document, not yet usable", "证件尚不可用"),
            looks.iter().filter(hindered).skip(3),
            frames,
        ),
        key_frame(
            ("Document read", "证件已识读"),
            looks.iter().filter(read),
            frames,
        ),
        key_frame(
            ("Back of the card read", "证件背面已识读"),
            looks.iter().filter(back),
            frames,
        ),
        key_frame(
            ("Document, last look", "证件,末帧"),
            looks.iter().rev().filter(document),
            frames,
        ),
        key_frame(
            ("Face, first", "人脸,首帧"),
            looks.iter().filter(face),
            frames,
        ),
        key_frame(
            ("Face, best comparison", "人脸,最高比对分"),
            best.into_iter(),
            frames,
        ),
        key_frame(
            ("Face, last", "人脸,末帧"),
            looks.iter().rev().filter(face),
            frames,
        ),
        // A session that came to nothing still shows what the camera saw.
        key_frame(
            ("Waiting for the ticket", "等待二维码"),
            looks.iter().rev().filter(waiting),
            frames,
        ),
    ];
    let was_read = looks.iter().any(|l| read(&l));
    let had_ticket = looks.iter().any(|l| ticket(&l));
    let mut chosen: Vec<KeyFrame<'_>> = Vec::new();
    for key in roles.into_iter().flatten() {
        let is_needless = (key.title.0 == "Document, last look" && was_read)
            || (key.title.0 == "Waiting for the ticket" && had_ticket);
        let is_there = chosen
            .iter()
            .any(|c| c.frame.sequence == key.frame.sequence);
        if !is_needless && !is_there {
            chosen.push(key);
        }
    }
    chosen.sort_by_key(|k| k.frame.at_ns());
    chosen
}

/// Writes the key frames of a session.
pub(super) fn write(
    out: &mut String,
    looks: &[Look],
    frames: &[FrameLine],
    camera: &[super::data::CameraLine],
    span: Span,
    album: &mut Album<'_>,
) -> fmt::Result {
    heading(
        out,
        3,
        "What the camera saw, and what the service found in it",
        "摄像头画面与检测结果",
    )?;
    let chosen = choose(looks, frames);
    if chosen.is_empty() {
        let why = match (frames.is_empty(), looks.is_empty()) {
            (true, _) => "No frame of this session was kept by the recorder.",
            (_, true) => "The trace has no line of this session.",
            _ => "No kept frame lies near a look that found something.",
        };
        return writeln!(out, "<p class=\"none\">{why}</p>");
    }
    out.push_str("<div class=\"frames\">\n");
    for key in &chosen {
        let picture = album.frame(&key.frame.file);
        let [x, y, width, height] = view(key.look);
        write!(
            out,
            "<figure class=\"frame\"><svg viewBox=\"{x:.0} {y:.0} {width:.0} {height:.0}\" style=\"--k:{:.3}\" role=\"img\" aria-label=\"{}\">",
            width / CAMERA.0,
            Safe(key.title.0)
        )?;
        match picture {
            Some(uri) => write!(
                out,
                "<image href=\"{uri}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\"/>",
                CAMERA.0, CAMERA.1
            )?,
            None => out.push_str(
                "<rect width=\"1280\" height=\"720\" fill=\"#ccd2d6\"/><text x=\"640\" y=\"360\" text-anchor=\"middle\" class=\"on\">picture missing 图像缺失</text>",
            ),
        }
        drawing(out, key.look)?;
        out.push_str("</svg>");
        caption(out, key, exposure_at(camera, key.frame.at_ns()), span)?;
        out.push_str("</figure>\n");
    }
    out.write_str("</div>\n")
}

/// Which part of the frame is shown: all of it, or the surroundings of a face.
fn view(look: &Look) -> [f64; 4] {
    let Some(b) = look.face().and_then(|f| f.bounds) else {
        return [0.0, 0.0, CAMERA.0, CAMERA.1];
    };
    let width = (b.w.max(b.h) * 3.4).clamp(480.0, CAMERA.0);
    let height = width * CAMERA.1 / CAMERA.0;
    let x = (b.x + b.w / 2.0 - width / 2.0).clamp(0.0, CAMERA.0 - width);
    let y = (b.y + b.h / 2.0 - height / 2.0).clamp(0.0, CAMERA.1 - height);
    [x, y, width, height]
}

fn label(out: &mut String, x: f64, y: f64, text: &str) -> fmt::Result {
    // Near the edge a label moves inwards, so that it is not cut off.
    let x = x.clamp(8.0, CAMERA.0 - 19.0 * text.chars().count() as f64 - 8.0);
    let y = y.clamp(36.0, CAMERA.1 - 12.0);
    write!(
        out,
        "<text x=\"{x:.0}\" y=\"{y:.0}\" class=\"on\">{}</text>",
        Safe(text)
    )
}

/// Draws what a look found.
fn drawing(out: &mut String, look: &Look) -> fmt::Result {
    if let Some(document) = look.document() {
        let Some(corners) = document.corners else {
            return label(out, 20.0, 50.0, "no document found");
        };
        let path: Vec<String> = corners
            .iter()
            .map(|[x, y]| format!("{x:.1},{y:.1}"))
            .collect();
        let path = path.join(" ");
        for class in ["halo", "quad"] {
            write!(out, "<polygon points=\"{path}\" class=\"{class}\"/>")?;
        }
        for (i, [x, y]) in corners.iter().enumerate() {
            let fill = if i == 0 { "#e69f00" } else { "#fff" };
            write!(
                out,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"9\" fill=\"{fill}\" stroke=\"#7a4d00\" stroke-width=\"3\"/>"
            )?;
        }
        let said = if document.read {
            let n = document.checks_verified.unwrap_or(0);
            match document.side.as_deref() {
                Some("front") => format!("front read, {n} checks verified"),
                Some(_) => "back read".to_owned(),
                None => format!("read, {n} check digits verified"),
            }
        } else {
            document
                .problem
                .clone()
                .unwrap_or_else(|| "found".to_owned())
        };
        let top = corners.iter().map(|c| c[1]).fold(CAMERA.1, f64::min);
        let left = corners.iter().map(|c| c[0]).fold(CAMERA.0, f64::min);
        return label(out, left, top - 18.0, &said);
    }
    match (&look.seen, look.face()) {
        (_, Some(face)) => face_drawing(out, face),
        (Seen::Face { .. }, None) => label(out, 20.0, 50.0, "no face found"),
        (Seen::Ticket { found }, _) => label(
            out,
            20.0,
            50.0,
            if *found {
                "QR code read"
            } else {
                "no QR code found"
            },
        ),
        _ => Ok(()),
    }
}

fn face_drawing(out: &mut String, face: &Face) -> fmt::Result {
    if let Some(b) = face.bounds {
        for class in ["halo", "box"] {
            write!(
                out,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"6\" class=\"{class}\"/>",
                b.x,
                b.y,
                b.w.max(0.0),
                b.h.max(0.0)
            )?;
        }
        if let Some(score) = face.comparison_score {
            label(out, b.x, b.y - 10.0, &format!("score {score:.3}"))?;
        }
    }
    let Some(points) = face.points else {
        return Ok(());
    };
    let [right, left, ..] = points;
    write!(
        out,
        "<path d=\"M{:.1} {:.1}L{:.1} {:.1}\" class=\"eyes\"/>",
        right[0], right[1], left[0], left[1]
    )?;
    for [x, y] in points {
        write!(
            out,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" class=\"point\"/>"
        )?;
    }
    match (face.inter_eye_px, face.bounds) {
        (Some(px), Some(b)) => label(out, b.x, b.y + b.h + 22.0, &format!("IED {px:.0} px")),
        _ => Ok(()),
    }
}

/// Time, frame, exposure, and the main measurements.
fn caption(
    out: &mut String,
    key: &KeyFrame<'_>,
    exposure: Option<(f64, f64)>,
    span: Span,
) -> fmt::Result {
    let late_ms = (key.look.at_ns() as f64 - key.frame.at_ns() as f64) / 1e6;
    let measured = if key.look.sequence == key.frame.sequence && key.apart_ns() < 1_000_000 {
        "measured on this frame".to_owned()
    } else {
        let side = if late_ms < 0.0 { "before" } else { "after" };
        format!("measured {:.0} ms {side} it", late_ms.abs())
    };
    let mut facts = vec![format!("frame {}, {measured}", key.frame.sequence)];
    if view(key.look)[2] < CAMERA.0 {
        facts.push("detail 局部".to_owned());
    }
    if let Some((us, gain)) = exposure {
        facts.push(format!("exposed {:.1} ms, gain {gain:.2}", us / 1000.0));
    }
    let mut add = |name: &str, value: Option<f64>, unit: &str| {
        if let Some(v) = value {
            let text = if unit == "°" {
                format!("{v:.1}")
            } else {
                number(v)
            };
            facts.push(format!("{name} {text}{unit}"));
        }
    };
    if let Some(d) = key.look.document() {
        add("area", d.area_share.map(|v| v * 100.0), " %");
        add("tilt", d.tilt_degrees, "°");
        add("sharpness", d.sharpness, "");
        add("glare", d.glare_share.map(|v| v * 100.0), " %");
        add("motion", d.motion.map(|v| v * 100.0), " %");
        add("luminance", d.luminance, "");
        add("portrait IED", d.portrait_inter_eye_px, " px");
    }
    if let Some(f) = key.look.face() {
        add("yaw", f.pose[0], "°");
        add("pitch", f.pose[1], "°");
        add("luminance", f.light[1], "");
        add("Sharpness", f.component("Sharpness"), "");
        add(
            "IlluminationUniformity",
            f.component("IlluminationUniformity"),
            "",
        );
        if let Seen::Face { n_faces, .. } = key.look.seen
            && n_faces != 1
        {
            facts.push(format!("{n_faces} faces"));
        }
    }
    write!(
        out,
        "<figcaption><b>{} <span class=\"zh\" lang=\"zh-Hans\">{}</span></b> <span class=\"at\">{:.1} s</span><br><small>{}</small></figcaption>",
        Safe(key.title.0),
        Safe(key.title.1),
        span.seconds(key.frame.at_ns()),
        Safe(facts.join(" · "))
    )
}

#[cfg(test)]
#[path = "frames_tests.rs"]
mod tests;
