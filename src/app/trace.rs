//! Measurements of every frame as JSON lines, for the demonstration's report. Only for a virtual booth: `run` refuses it on a
//! board with real devices. No pixels, no templates, nothing that was read from a document.

use super::sight::Look;
use crate::perception::document::field::FieldCheck;
use crate::perception::document::prc::PrcSide;
use crate::perception::observation::{DocumentContent, Seen};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// The file.
#[derive(Debug)]
pub struct Trace(BufWriter<File>);

impl Trace {
    /// Appends to the file, or makes it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        let file = File::options().create(true).append(true).open(path);
        Ok(Self(BufWriter::new(file.map_err(|e| {
            anyhow::anyhow!("{}: {e}", path.display())
        })?)))
    }

    /// Writes one line. A full disk ends the trace, not the booth.
    pub fn write(&mut self, look: &Look) {
        let (seen, controls, levels) = (&look.observation, look.controls, look.levels);
        let line = json!({
            "at_ns": seen.at.as_nanos(),
            "sequence": seen.sequence,
            "took_us": seen.took_us,
            "scene_mean": seen.scene.mean,
            "exposure_us": controls.exposure_us,
            "gain": controls.gain,
            "white": [levels.left.white, levels.right.white],
            "settled": look.action.map(|a| a.settled),
            "seen": seen_json(&seen.seen),
        });
        let written = serde_json::to_writer(&mut self.0, &line).map_err(std::io::Error::from);
        if written
            .and_then(|()| self.0.write_all(b"\n"))
            .and_then(|()| self.0.flush())
            .is_err()
        {
            tracing::debug!("the trace cannot be written");
        }
    }
}

/// The side of a card that has two.
fn side(content: &DocumentContent) -> Option<&'static str> {
    match content {
        DocumentContent::Mrz(_) => None,
        DocumentContent::Prc(PrcSide::Front(_)) => Some("front"),
        DocumentContent::Prc(PrcSide::Back(_)) => Some("back"),
    }
}

/// How many check digits, or checks of a card's front, are verified.
fn n_verified(content: &DocumentContent) -> usize {
    match content {
        DocumentContent::Mrz(reading) => reading.mrz.checks.n_verified(),
        DocumentContent::Prc(PrcSide::Front(front)) => {
            let named = front.checks.named();
            let verified = named.iter().filter(|(_, c)| *c == FieldCheck::Verified);
            verified.count()
        }
        DocumentContent::Prc(PrcSide::Back(_)) => 0,
    }
}

fn seen_json(seen: &Seen) -> Value {
    match seen {
        Seen::Nothing => json!({"task": "idle"}),
        Seen::Code(code) => json!({"task": "ticket", "found": code.is_some()}),
        Seen::Document(d) => json!({
            "task": "document",
            "corners": d.corners.map(|q| q.0.map(|p| [p.x, p.y])),
            "confidence": d.confidence,
            "area_share": d.area_share,
            "tilt_degrees": d.tilt_degrees,
            "sharpness": d.sharpness,
            "glare_share": d.glare_share,
            "luminance": d.luminance,
            "motion": d.motion,
            "problem": d.problem.map(|p| format!("{p:?}")),
            "read": d.reading.is_some(),
            "side": d.reading.as_ref().and_then(|r| side(&r.content)),
            "checks_verified": d.reading.as_ref().map(|r| n_verified(&r.content)),
            "portrait_inter_eye_px": d.reading.as_ref().and_then(|r| r.portrait).map(|p| p.inter_eye_px),
            "portrait_quality": d.reading.as_ref().and_then(|r| r.portrait).map(|p| p.quality),
        }),
        Seen::Face(f) => json!({
            "task": "face",
            "n_faces": f.n_faces,
            "document_in_hand": f.document_in_hand,
            "face": f.primary.as_ref().map(|p| json!({
                "bounds": p.bounds,
                "points": p.five_points.map(|q| [q.x, q.y]),
                "inter_eye_px": p.inter_eye_px,
                "presence": p.presence,
                "pose": [p.pose.yaw, p.pose.pitch, p.pose.roll],
                "light": [p.light.left, p.light.mean, p.light.right, p.light.background],
                "quality": p.quality.iter()
                    .map(|(c, a)| (format!("{c:?}"), a.scalar().map_or(Value::Null, Value::from)))
                    .collect::<serde_json::Map<_, _>>(),
                "pad_score": p.pad_score,
                "comparison_score": p.comparison_score,
            })),
        }),
    }
}
