//! Reads what the virtual booth's recorder and the service's trace wrote down. What is missing or cannot be read is said, not fatal:
//! a report of half a demonstration is worth more than none.

use crate::base::time::Moment;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::path::Path;

/// Something that happened at a time of the booth's clock, in nanoseconds.
pub(super) trait Timed {
    /// When.
    fn at_ns(&self) -> u64;
}

macro_rules! timed {
    ($($line:ty),+) => { $(impl Timed for $line { fn at_ns(&self) -> u64 { self.at_ns } })+ };
}
timed!(LightLine, CameraLine, FrameLine, PanelLine, StageLine, Look);

/// One side of the light ring, shares of full power.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Side {
    pub(super) white: f64,
    pub(super) red: f64,
    pub(super) green: f64,
    pub(super) blue: f64,
}

/// A line of `lights.jsonl`.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct LightLine {
    at_ns: u64,
    pub(super) left: Side,
    pub(super) right: Side,
}

/// A line of `camera.jsonl`: what a frame was exposed with.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct CameraLine {
    at_ns: u64,
    pub(super) exposure_us: f64,
    pub(super) gain: f64,
}

/// A line of `frames.jsonl`: a frame that was kept.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct FrameLine {
    at_ns: u64,
    pub(super) sequence: u64,
    pub(super) file: String,
}

/// A line of `panel.jsonl`: a picture that the panel showed.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct PanelLine {
    at_ns: u64,
    pub(super) screen: String,
    pub(super) file: String,
}

/// A line of `stage.jsonl`: what the person in the scene did.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct StageLine {
    at_ns: u64,
    pub(super) event: String,
}

/// A line of the trace: a frame that the service looked at.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Look {
    at_ns: u64,
    #[serde(default)]
    pub(super) sequence: u64,
    #[serde(default)]
    pub(super) took_us: f64,
    #[serde(default)]
    pub(super) scene_mean: Option<f64>,
    pub(super) seen: Seen,
}

impl Look {
    /// The document's measurements, if that was the task.
    pub(super) fn document(&self) -> Option<&Document> {
        match &self.seen {
            Seen::Document(d) => Some(d),
            _ => None,
        }
    }

    /// The face, if that was the task and there was one.
    pub(super) fn face(&self) -> Option<&Face> {
        match &self.seen {
            Seen::Face { face, .. } => face.as_deref(),
            _ => None,
        }
    }
}

/// What a look found.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case")]
pub(super) enum Seen {
    Idle,
    Ticket {
        #[serde(default)]
        found: bool,
    },
    Document(Box<Document>),
    Face {
        #[serde(default)]
        n_faces: usize,
        #[serde(default)]
        face: Option<Box<Face>>,
    },
    /// A task of a newer service.
    #[serde(other)]
    Other,
}

impl Seen {
    /// The task's name, as in the trace.
    pub(super) fn task(&self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Ticket { .. } => "ticket",
            Self::Document(_) => "document",
            Self::Face { .. } => "face",
            Self::Other => "other",
        }
    }
}

/// The document in a frame. `null` where nothing could be measured.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Document {
    /// Pixels of the camera's frame.
    pub(super) corners: Option<[[f64; 2]; 4]>,
    pub(super) area_share: Option<f64>,
    pub(super) tilt_degrees: Option<f64>,
    pub(super) sharpness: Option<f64>,
    pub(super) glare_share: Option<f64>,
    pub(super) luminance: Option<f64>,
    pub(super) motion: Option<f64>,
    pub(super) problem: Option<String>,
    pub(super) read: bool,
    /// Of a card with two sides: `front` or `back`.
    pub(super) side: Option<String>,
    pub(super) checks_verified: Option<u64>,
    pub(super) portrait_inter_eye_px: Option<f64>,
}

/// A box in pixels of the camera's frame.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct Bounds {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) w: f64,
    pub(super) h: f64,
}

/// The face in a frame.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Face {
    pub(super) bounds: Option<Bounds>,
    /// The subject's right eye, left eye, nose, right and left corner of the mouth; pixels of the camera's frame.
    pub(super) points: Option<[[f64; 2]; 5]>,
    pub(super) inter_eye_px: Option<f64>,
    /// Yaw, pitch, roll in degrees.
    pub(super) pose: [Option<f64>; 3],
    /// Left half, whole face, right half, background; 0..=1.
    pub(super) light: [Option<f64>; 4],
    /// Component -> 0..=100 or null.
    pub(super) quality: Map<String, Value>,
    pub(super) comparison_score: Option<f64>,
}

impl Face {
    /// A quality component, 0..=100.
    pub(super) fn component(&self, name: &str) -> Option<f64> {
        self.quality.get(name).and_then(Value::as_f64)
    }
}

/// Everything that was written down, each in the order of time.
#[derive(Debug, Default)]
pub(super) struct Tape {
    pub(super) lights: Vec<LightLine>,
    pub(super) camera: Vec<CameraLine>,
    pub(super) frames: Vec<FrameLine>,
    pub(super) panels: Vec<PanelLine>,
    pub(super) stage: Vec<StageLine>,
    pub(super) looks: Vec<Look>,
    /// What is missing, in sentences.
    pub(super) missing: Vec<String>,
}

impl Tape {
    /// Reads the recorder's folder and the trace.
    pub(super) fn read(record_dir: &Path, trace: &Path) -> Self {
        let mut missing = Vec::new();
        let mut tape = Self {
            lights: lines(&record_dir.join("lights.jsonl"), &mut missing),
            camera: lines(&record_dir.join("camera.jsonl"), &mut missing),
            frames: lines(&record_dir.join("frames.jsonl"), &mut missing),
            panels: lines(&record_dir.join("panel.jsonl"), &mut missing),
            stage: lines(&record_dir.join("stage.jsonl"), &mut missing),
            looks: lines(trace, &mut missing),
            missing: Vec::new(),
        };
        if let Some(said) = dropped(&record_dir.join("recorder.json")) {
            missing.push(said);
        }
        tape.missing = missing;
        tape
    }
}

/// What the recorder says of itself, if it lost something.
fn dropped(path: &Path) -> Option<String> {
    let Some(about) = std::fs::read(path)
        .ok()
        .and_then(|b| serde_json::from_slice::<Value>(&b).ok())
    else {
        return Some(
            "recorder.json: not there or not readable: the recorder was not closed, its last notes may be missing".to_owned(),
        );
    };
    let count = |key: &str| about.get(key).and_then(Value::as_u64).unwrap_or(0);
    let (lost, failed) = (count("dropped"), count("failed"));
    (lost + failed > 0).then(|| {
        format!("recorder.json: {lost} notes were dropped because the recorder was busy, {failed} could not be written")
    })
}

/// Reads a file of JSON lines, in the order of time. Lines that are none are counted and left out.
fn lines<T: DeserializeOwned + Timed>(path: &Path, missing: &mut Vec<String>) -> Vec<T> {
    let name = path
        .file_name()
        .map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            missing.push(format!("{name}: {error}"));
            return Vec::new();
        }
    };
    let mut found: Vec<T> = Vec::new();
    let (mut n, mut n_bad, mut first_bad) = (0_usize, 0_usize, 0_usize);
    for (i, line) in bytes.split(|b| *b == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        n += 1;
        match serde_json::from_slice(line) {
            Ok(value) => found.push(value),
            Err(_) => {
                n_bad += 1;
                if n_bad == 1 {
                    first_bad = i + 1;
                }
            }
        }
    }
    if n_bad > 0 {
        missing.push(format!(
            "{name}: {n_bad} of {n} lines could not be read, the first is line {first_bad}"
        ));
    }
    if n == 0 {
        missing.push(format!("{name}: there is no line in it"));
    }
    found.sort_by_key(Timed::at_ns);
    found
}

/// A stretch of time of the booth's clock: a session.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Span {
    begin_ns: u64,
    end_ns: u64,
}

impl Span {
    /// From `begin` to `end`; empty if `end` lies before.
    pub(super) fn new(begin: Moment, end: Moment) -> Self {
        Self {
            begin_ns: begin.as_nanos(),
            end_ns: end.as_nanos().max(begin.as_nanos()),
        }
    }

    /// Seconds since its begin; negative before it.
    pub(super) fn seconds(self, at_ns: u64) -> f64 {
        (at_ns as f64 - self.begin_ns as f64) / 1e9
    }

    /// How long it is, in seconds.
    pub(super) fn length_s(self) -> f64 {
        self.seconds(self.end_ns)
    }

    /// What happened within it, of `lines` in the order of time.
    pub(super) fn of<T: Timed>(self, lines: &[T]) -> &[T] {
        let from = lines.partition_point(|l| l.at_ns() < self.begin_ns);
        let to = lines.partition_point(|l| l.at_ns() <= self.end_ns);
        &lines[from..to.max(from)]
    }

    /// What was in effect when it began: the last of `lines` before it.
    pub(super) fn before<T: Timed>(self, lines: &[T]) -> Option<&T> {
        let from = lines.partition_point(|l| l.at_ns() < self.begin_ns);
        from.checked_sub(1).map(|i| &lines[i])
    }
}

/// A screen, from when to when the panel showed it (seconds since the session's begin).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Showing<'a> {
    pub(super) from_s: f64,
    pub(super) to_s: f64,
    pub(super) screen: &'a str,
    /// Its first picture.
    pub(super) file: &'a str,
}

/// The screens of a session. Pictures of the same screen, one after the other, count as one.
pub(super) fn showings(panels: &[PanelLine], span: Span) -> Vec<Showing<'_>> {
    let mut shown: Vec<Showing<'_>> = Vec::new();
    for line in span.before(panels).into_iter().chain(span.of(panels)) {
        if shown.last().is_some_and(|s| s.screen == line.screen) {
            continue;
        }
        let from_s = span.seconds(line.at_ns).max(0.0);
        if let Some(last) = shown.last_mut() {
            last.to_s = from_s;
        }
        shown.push(Showing {
            from_s,
            to_s: span.length_s(),
            screen: &line.screen,
            file: &line.file,
        });
    }
    shown
}

#[cfg(test)]
#[path = "data_tests.rs"]
mod tests;
