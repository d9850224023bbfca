//! `boothd replay --json`: the same looks at the same pictures, as one JSON object a line, with the time that each took.
//!
//! Each stage is the call that the booth makes. Reading the file and decoding the picture are not in any time.

use super::{ReplayArgs, Vision, replay};
use crate::base::frame::{Frame, FrameView, PixelFormat};
use crate::base::geometry::{Point, Quad, Rect};
use crate::base::secret::Secret;
use crate::base::time::{SharedClock, SystemClock};
use crate::hal::Camera as _;
use crate::models::ModelError;
use crate::perception::code::CodeReading;
use crate::perception::document::field::FieldCheck;
use crate::perception::document::mrz::CheckResult;
use crate::perception::document::prc::PrcSide;
use crate::perception::document::stages::{self, Record, Stage};
use crate::perception::observation::{DocumentContent, DocumentObservation, DocumentReading};
use crate::perception::observation::{FaceObservation, LitFrom, MrzReading, PrimaryFace};
use crate::perception::vision::Portraits;
use clap::ValueEnum;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What is looked for in a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Look {
    /// Everything.
    All,
    /// Faces.
    Face,
    /// A document, as in a live frame, and as in a scan if it could not be read so.
    Document,
    /// A QR code.
    Code,
}

/// Milliseconds of each stage, a number a round.
#[derive(Default)]
struct Times(Map<String, Value>);

impl Times {
    fn take<R>(&mut self, stage: &str, what: impl FnOnce() -> R) -> R {
        let start = Instant::now();
        let result = what();
        Self::push(&mut self.0, stage, start.elapsed());
        result
    }

    fn push(to: &mut Map<String, Value>, stage: &str, time: Duration) {
        let ms = time.as_secs_f64() * 1000.0;
        let entry = to.entry(stage).or_insert_with(|| json!([]));
        if let Value::Array(all) = entry {
            all.push(json!((ms * 1000.0).round() / 1000.0));
        }
    }

    /// Takes what a look at a document says of its own stages: `stages` lies within `document` and `scan`.
    fn take_record(&mut self, record: &Record) {
        let entry = self.0.entry("stages").or_insert_with(|| json!({}));
        if let Value::Object(stages) = entry {
            for ((_, name), spent) in Stage::ALL.into_iter().zip(record.stages) {
                Self::push(stages, name, spent.time);
            }
        }
        if let Some(until) = record.until_zone {
            Self::push(&mut self.0, "until_zone", until);
        }
    }
}

/// Prints an object for every picture.
///
/// # Errors
/// If the folder, a picture or a model is not as it should be.
pub(super) fn run(args: &ReplayArgs, vision: &mut Vision) -> anyhow::Result<()> {
    let clock: SharedClock = Arc::new(SystemClock);
    let mut camera = replay::open_stills(&args.folder, 1.0, &clock)?;
    let mut frame = Frame::new(2, 2, PixelFormat::Rgb8);
    let mut n_faults = 0;
    for name in camera.names() {
        let mut said = match camera.capture(&mut frame, Duration::from_secs(10)) {
            Ok(()) => look(args, vision, frame.view())?,
            Err(fault) => {
                n_faults += 1;
                Map::from_iter([("error".to_owned(), json!(fault.to_string()))])
            }
        };
        said.insert("picture".to_owned(), json!(name));
        println!("{}", Value::Object(said));
    }
    if n_faults > 0 {
        anyhow::bail!("{n_faults} of the pictures could not be looked at, see `error` above");
    }
    Ok(())
}

fn look(
    args: &ReplayArgs,
    vision: &mut Vision,
    view: FrameView<'_>,
) -> Result<Map<String, Value>, ModelError> {
    let wanted = |what| args.look == Look::All || args.look == what;
    let mut said = Map::new();
    let mut times = Times::default();
    said.insert("size".to_owned(), json!([view.width(), view.height()]));
    for _ in 0..args.rounds.max(1) {
        // Nothing is known of the picture from the round before.
        vision.forget_picture();
        if wanted(Look::Face) {
            // Without attack detection and template, with attack detection, the template: the last two are what a session asks for.
            times.take("analyse", || vision.face_pipeline().analyse(&view))?;
            let face = times.take("face", || vision.face(view))?;
            if let Some(primary) = &face.primary {
                let points = primary.five_points;
                times.take("template", || {
                    vision.face_pipeline().template(&view, &points).map(|_| ())
                })?;
            }
            said.insert("faces".to_owned(), json!(face.n_faces));
            said.insert("face".to_owned(), of_face(&face));
        }
        if wanted(Look::Document) {
            stages::begin();
            let document = times.take("document", || vision.document(view, LitFrom::Both))?;
            said.insert("document".to_owned(), of_document(&document));
            let live = document.reading.is_some();
            let reading = match document.reading {
                Some(reading) => Some(*reading),
                None => times.take("scan", || {
                    let (documents, faces) = vision.document_pipeline();
                    documents.read_scan(view, &document, &mut Portraits(faces))
                })?,
            };
            let record = stages::record();
            times.take_record(&record);
            let runs = (Stage::ALL.into_iter().zip(record.stages))
                .map(|((_, name), spent)| (name.to_owned(), json!(spent.n)));
            said.insert("stage_runs".to_owned(), Value::Object(runs.collect()));
            said.insert("live".to_owned(), json!(live));
            said.insert("reading".to_owned(), of_reading(reading.as_ref(), args));
        }
        if wanted(Look::Code) {
            let word = match times.take("code", || vision.code(view)) {
                CodeReading::NotFound => "not_found",
                CodeReading::Unreadable => "unreadable",
                CodeReading::Read(_) => "read",
            };
            said.insert("code".to_owned(), json!(word));
        }
    }
    vision.forget_picture();
    said.insert("ms".to_owned(), Value::Object(times.0));
    Ok(said)
}

fn of_point(p: &Point) -> Value {
    json!([p.x, p.y])
}

fn of_rect(r: Rect) -> Value {
    json!([r.x, r.y, r.w, r.h])
}

fn of_face(face: &FaceObservation) -> Value {
    face.primary.as_ref().map_or(Value::Null, of_primary)
}

fn of_primary(face: &PrimaryFace) -> Value {
    json!({
        "bounds": of_rect(face.bounds),
        "score": face.detection_score,
        "presence": face.presence,
        "pad_score": face.pad_score,
        "inter_eye_px": face.inter_eye_px,
        "five_points": face.five_points.iter().map(of_point).collect::<Vec<_>>(),
        "pose_degrees": [face.pose.yaw, face.pose.pitch, face.pose.roll],
    })
}

fn of_document(document: &DocumentObservation) -> Value {
    let corners = document
        .corners
        .map(|Quad(points)| points.iter().map(of_point).collect::<Vec<_>>());
    json!({
        "corners": corners,
        "confidence": document.confidence,
        "area_share": document.area_share,
        "tilt_degrees": document.tilt_degrees,
        "sharpness": document.sharpness,
        "glare_share": document.glare_share,
        "covered_share": document.covered_share,
        "luminance": document.luminance,
        "problem": document.problem.map(|p| format!("{p:?}")),
    })
}

fn of_reading(reading: Option<&DocumentReading>, args: &ReplayArgs) -> Value {
    let Some(reading) = reading else {
        return Value::Null;
    };
    let (kind, checks, fields, repaired) = match &reading.content {
        DocumentContent::Mrz(mrz) => of_zone(mrz),
        DocumentContent::Prc(side) => of_prc(side),
    };
    let portrait = reading.portrait.map(|p| {
        json!({ "bounds": of_rect(p.bounds), "inter_eye_px": p.inter_eye_px, "score": p.detection_score, "quality": p.quality })
    });
    let mut said = json!({
        "kind": kind,
        "confidence": reading.confidence,
        "checks": checks,
        "repaired": repaired,
        "portrait": portrait,
        "fields_read": fields.iter().filter(|(_, text)| !text.is_empty()).map(|(name, _)| name).collect::<Vec<_>>(),
    });
    // What says who somebody is only where it was asked for.
    if args.show_fields {
        let fields = fields
            .iter()
            .map(|(name, text)| (name.clone(), json!(text.reveal())));
        said["fields"] = Value::Object(fields.collect());
    }
    said
}

type Parts = (&'static str, Map<String, Value>, Vec<(String, Secret)>, u32);

fn of_zone(reading: &MrzReading) -> Parts {
    let m = &reading.mrz;
    let word = |result| match result {
        CheckResult::Verified => "verified",
        CheckResult::Refuted => "refuted",
        CheckResult::NotPrinted => "not_printed",
    };
    let digits = m
        .checks
        .named()
        .map(|(name, result)| (name.to_owned(), json!(word(result))));
    let printed = (reading.printed.named()).map(|(n, c)| (format!("printed_{n}"), of_check(c)));
    let mut fields: Vec<(String, Secret)> = [
        ("nationality", &m.nationality),
        ("document_number", &m.document_number),
        ("primary_identifier", &m.primary_identifier),
        ("secondary_identifier", &m.secondary_identifier),
        ("birth_date", &m.birth_date),
        ("sex", &m.sex),
        ("expiry_date", &m.expiry_date),
        ("optional_data", &m.optional_data),
    ]
    .map(|(name, text)| (name.to_owned(), text.clone()))
    .into();
    for (i, line) in m.lines.iter().enumerate() {
        fields.push((format!("line_{}", i + 1), line.clone()));
    }
    let checks = digits.into_iter().chain(printed).collect();
    ("mrz", checks, fields, m.repaired)
}

fn of_prc(side: &PrcSide) -> Parts {
    let named = |fields: &[(&str, &Secret)]| {
        fields
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).clone()))
            .collect()
    };
    match side {
        PrcSide::Front(f) => {
            let checks = f.checks.named().map(|(n, c)| (n.to_owned(), of_check(c)));
            let fields = named(&[
                ("name", &f.name),
                ("sex", &f.sex),
                ("ethnicity", &f.ethnicity),
                ("birth_date", &f.birth_date),
                ("address", &f.address),
                ("number", &f.number),
            ]);
            ("prc_front", Map::from_iter(checks), fields, f.repaired)
        }
        PrcSide::Back(b) => {
            let fields = named(&[
                ("issuer", &b.issuer),
                ("valid_from", &b.valid_from),
                ("valid_until", &b.valid_until),
            ]);
            ("prc_back", Map::new(), fields, 0)
        }
    }
}

fn of_check(check: FieldCheck) -> Value {
    json!(check.word())
}
