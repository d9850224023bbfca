//! `boothd replay`: a folder of pictures goes through the camera port and perception, and what is seen is printed.

mod json;

use crate::base::frame::{Frame, PixelFormat};
use crate::base::secret::Secret;
use crate::base::time::{SharedClock, SystemClock};
use crate::hal::Camera as _;
use crate::hal::virt::replay;
use crate::models::Catalogue;
use crate::perception::code::CodeReading;
use crate::perception::document::field::FieldCheck;
use crate::perception::document::limits::DocumentLimits;
use crate::perception::document::mrz::CheckResult;
use crate::perception::document::prc::PrcSide;
use crate::perception::observation::{
    DocumentContent, DocumentReading, LitFrom, MrzReading, PrimaryFace,
};
use crate::perception::quality::QualityComponent;
use crate::perception::vision::{Portraits, Vision};
use clap::Args;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Where models and runtime are.
#[derive(Clone, Debug, Args)]
pub struct ModelArgs {
    /// Folder of the models and their manifest.
    #[arg(long, default_value = "models")]
    pub models: PathBuf,
    /// libLiteRt.so; without it BOOTHD_LITERT, then target/litert/<machine>/.
    #[arg(long)]
    pub runtime: Option<PathBuf>,
    /// Threads of the interpreter.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=4))]
    pub threads: u8,
}

impl ModelArgs {
    /// The runtime's path.
    pub fn runtime_path(&self) -> PathBuf {
        let from_environment = || std::env::var_os("BOOTHD_LITERT").map(PathBuf::from);
        let here = || {
            PathBuf::from("target/litert")
                .join(std::env::consts::ARCH)
                .join("libLiteRt.so")
        };
        self.runtime
            .clone()
            .or_else(from_environment)
            .unwrap_or_else(here)
    }

    /// Opens the catalogue.
    ///
    /// # Errors
    /// If manifest or runtime are not as they should be.
    pub fn catalogue(&self) -> anyhow::Result<Catalogue> {
        Ok(Catalogue::open(
            &self.models,
            &self.runtime_path(),
            self.threads.into(),
        )?)
    }
}

/// What was typed.
#[derive(Clone, Debug, Args)]
pub struct ReplayArgs {
    /// Folder of PNG or JPEG pictures, in the order of their names or with times.csv (name,ms); maybe with audio.wav.
    folder: PathBuf,
    /// Print the fields of documents. Without it only whether they could be read: they say who somebody is.
    #[arg(long)]
    show_fields: bool,
    /// Print one JSON object a picture, with the milliseconds of each stage.
    #[arg(long)]
    json: bool,
    /// What is looked for; with --json only.
    #[arg(long, value_enum, default_value_t = json::Look::All, requires = "json")]
    look: json::Look,
    /// How often each picture is looked at; with --json only.
    #[arg(long, default_value_t = 1, requires = "json", value_parser = clap::value_parser!(u16).range(1..=1000))]
    rounds: u16,
    #[command(flatten)]
    models: ModelArgs,
}

/// Prints what is seen in every picture.
///
/// # Errors
/// If the folder, a picture or a model is not as it should be.
pub fn run(args: &ReplayArgs) -> anyhow::Result<()> {
    let clock: SharedClock = Arc::new(SystemClock);
    let mut vision = Vision::load(&args.models.catalogue()?, DocumentLimits::default())?;
    if args.json {
        return json::run(args, &mut vision);
    }
    let mut camera = replay::open_stills(&args.folder, &clock)?;
    let pictures = camera.names();
    println!("{} pictures in {}", pictures.len(), args.folder.display());
    let mut frame = Frame::new(2, 2, PixelFormat::Rgb8);
    let mut n_faults = 0;
    for name in pictures {
        if let Err(fault) = camera.capture(&mut frame, Duration::from_secs(10)) {
            println!("\n{name}\n  ERROR        {fault}");
            n_faults += 1;
            continue;
        }
        let view = frame.view();
        println!("\n{name}  {}x{}", view.width(), view.height());
        let face = vision.face_pipeline().analyse(&view)?;
        println!("  faces        {}", face.n_faces);
        if let Some(face) = &face.primary {
            print_face(face);
        }
        let document = vision.document(view, LitFrom::Both)?;
        match (&document.corners, document.problem) {
            (Some(q), problem) => {
                let corners: Vec<String> =
                    q.0.iter()
                        .map(|p| format!("({:.0},{:.0})", p.x, p.y))
                        .collect();
                println!(
                    "  document     corners {}  confidence {:.2}",
                    corners.join(" "),
                    document.confidence
                );
                println!(
                    "               area {:.2}  tilt {:.1} deg  sharpness {:.0}  glare {:.3}  luminance {:.2}  problem {}",
                    document.area_share,
                    document.tilt_degrees,
                    document.sharpness,
                    document.glare_share,
                    document.luminance,
                    problem.map_or_else(|| "none".to_owned(), |p| format!("{p:?}"))
                );
            }
            (None, _) => println!("  document     none found in the frame"),
        }
        // A photograph is one chance only: what is no live frame is tried as a scan, too.
        let reading = match document.reading {
            Some(reading) => Some(*reading),
            None => {
                let (documents, faces) = vision.document_pipeline();
                documents.read_scan(view, &document, &mut Portraits(faces))?
            }
        };
        match &reading {
            Some(reading) => print_reading(reading, args.show_fields),
            None => println!("  reading      none"),
        }
        match vision.code(view) {
            CodeReading::NotFound => {}
            other => println!(
                "  QR code      {}",
                if other.content().is_some() {
                    "read"
                } else {
                    "found, not readable"
                }
            ),
        }
        vision.forget_picture();
    }
    if n_faults > 0 {
        anyhow::bail!("{n_faults} of the pictures could not be looked at, see ERROR above");
    }
    Ok(())
}

fn print_face(face: &PrimaryFace) {
    let b = face.bounds;
    println!(
        "  largest face ({:.0},{:.0}) {:.0}x{:.0}  score {:.2}  presence {:.2}  inter-eye {:.1} px",
        b.x, b.y, b.w, b.h, face.detection_score, face.presence, face.inter_eye_px
    );
    let p = face.pose;
    println!(
        "  pose         yaw {:.1}  pitch {:.1}  roll {:.1} degrees",
        p.yaw, p.pitch, p.roll
    );
    let values: Vec<String> = QualityComponent::ALL
        .into_iter()
        .map(|c| {
            let value = face
                .quality
                .get(c)
                .scalar()
                .map_or_else(|| "-".to_owned(), |v| v.to_string());
            format!("{c:?} {value}")
        })
        .collect();
    for line in values.chunks(4) {
        println!("  quality      {}", line.join("  "));
    }
}

fn print_reading(reading: &DocumentReading, show_fields: bool) {
    match &reading.content {
        DocumentContent::Mrz(mrz) => print_zone(mrz, reading.confidence, show_fields),
        DocumentContent::Prc(side) => print_prc(side, reading.confidence, show_fields),
    }
    match &reading.portrait {
        Some(p) => println!(
            "  portrait     score {:.2}  quality {:.2}  inter-eye {:.1} px",
            p.detection_score, p.quality, p.inter_eye_px
        ),
        None => println!("  portrait     none found"),
    }
}

fn print_zone(reading: &MrzReading, confidence: f32, show_fields: bool) {
    let m = &reading.mrz;
    let checks: Vec<String> = m
        .checks
        .named()
        .iter()
        .map(|(name, result)| {
            let word = match result {
                CheckResult::Verified => "verified",
                CheckResult::Refuted => "REFUTED",
                CheckResult::NotPrinted => "not printed",
            };
            format!("{name} {word}")
        })
        .collect();
    println!(
        "  MRZ          {:?}  confidence {confidence:.2}  characters mended {}",
        m.format, m.repaired
    );
    println!("  check digits {}", checks.join(", "));
    println!("  printed      {}", in_words(&reading.printed.named()));
    if show_fields {
        println!(
            "  fields       {} {} number {}",
            m.document_code,
            m.issuing_state,
            m.document_number.reveal()
        );
        println!(
            "               {} / {}",
            m.primary_identifier.reveal(),
            m.secondary_identifier.reveal()
        );
        println!(
            "               nationality {} birth {} sex {} expiry {}",
            m.nationality.reveal(),
            m.birth_date.reveal(),
            m.sex.reveal(),
            m.expiry_date.reveal()
        );
    } else {
        println!("  fields       read; --show-fields prints them");
    }
}

fn print_prc(side: &PrcSide, confidence: f32, show_fields: bool) {
    let fields: Vec<(&str, &Secret)> = match side {
        PrcSide::Front(f) => {
            println!(
                "  PRC card     front  confidence {confidence:.2}, of the name {:.2}  characters mended {}",
                f.name_confidence, f.repaired
            );
            println!("  checks       {}", in_words(&f.checks.named()));
            vec![
                ("name", &f.name),
                ("sex", &f.sex),
                ("ethnicity", &f.ethnicity),
                ("birth", &f.birth_date),
                ("address", &f.address),
                ("number", &f.number),
            ]
        }
        PrcSide::Back(b) => {
            println!("  PRC card     back  confidence {confidence:.2}");
            vec![
                ("issuer", &b.issuer),
                ("from", &b.valid_from),
                ("until", &b.valid_until),
            ]
        }
    };
    let said: Vec<String> = fields
        .into_iter()
        .map(|(name, text)| match (text.is_empty(), show_fields) {
            (true, _) => format!("{name} not_read"),
            (false, true) => format!("{name} {}", text.reveal()),
            (false, false) => format!("{name} read"),
        })
        .collect();
    println!("  fields       {}", said.join(", "));
}

fn in_words(checks: &[(&'static str, FieldCheck)]) -> String {
    let words: Vec<String> = checks
        .iter()
        .map(|(name, check)| match check {
            FieldCheck::Refuted => format!("{name} REFUTED"),
            other => format!("{name} {}", other.word()),
        })
        .collect();
    words.join(", ")
}
