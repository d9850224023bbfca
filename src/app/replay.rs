//! `boothd replay`: a folder of pictures goes through the camera port and perception, and what is seen is printed: as values, as JSON, or
//! as the table and the page of what a session would say.

mod cases;
mod gauge;
mod json;
mod judge;
mod page;
mod table;

use super::fittings::thresholds;
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
use crate::verdict::evidence::CivilDate;
use crate::verdict::policy::Policy;
use anyhow::Context as _;
use cases::{Looker, Manner};
use clap::{ArgGroup, Args};
use judge::Rules;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
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
#[command(group(ArgGroup::new("form").args(["json", "table", "report"]).multiple(true)))]
pub struct ReplayArgs {
    /// Folder of PNG or JPEG pictures, in the order of their names or with times.csv (name,ms); maybe with audio.wav. With --table and
    /// --report a sub-folder is a case: photographs, or with times.csv a recording; a picture beside sub-folders is a case of its own.
    folder: PathBuf,
    /// Print the fields of documents. Without it only whether they could be read: they say who somebody is.
    #[arg(long, conflicts_with_all = ["table", "report"])]
    show_fields: bool,
    /// Print one JSON object a picture, with the milliseconds of each stage.
    #[arg(long, conflicts_with_all = ["table", "report"])]
    json: bool,
    /// Print a row a case: the reason codes that a session would give, and measured values. A recording goes through the session's own
    /// steps; where the document was read, its face is compared with the document's portrait.
    #[arg(long)]
    table: bool,
    /// Print the table, and write it as a page (HTML) with the pictures in it, reasons in words, and plots. It shows whoever is in the
    /// pictures: keep it as you keep them, and delete it with them.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Pictures without times.csv are recordings of so many a second, one of each folder; without it they are photographs. With --table
    /// or --report only.
    #[arg(long, value_name = "N", conflicts_with = "json", requires = "form", value_parser = frames_per_s)]
    frames_per_s: Option<f32>,
    /// The policy's text: what faces and documents are held against. With --table or --report only.
    #[arg(
        long,
        default_value = "board/policies/utopia-standard.toml",
        conflicts_with = "json",
        requires = "form"
    )]
    policy: PathBuf,
    /// The day on which documents are judged, YYYY-MM-DD; today if it is not given. With --table or --report only.
    #[arg(long, conflicts_with = "json", requires = "form", value_parser = day)]
    date: Option<CivilDate>,
    /// What is looked for; with --json, --table or --report only.
    #[arg(long, value_enum, default_value_t = json::Look::All, requires = "form")]
    look: json::Look,
    /// How often each picture is looked at; with --json only.
    #[arg(long, default_value_t = 1, requires = "json", value_parser = clap::value_parser!(u16).range(1..=1000))]
    rounds: u16,
    #[command(flatten)]
    models: ModelArgs,
}

fn frames_per_s(text: &str) -> Result<f32, String> {
    let number = text.parse::<f32>().ok();
    number
        .filter(|n| (0.1..=240.0).contains(n))
        .ok_or_else(|| "allowed: 0.1 to 240; mend: give the rate of the recording".to_owned())
}

fn day(text: &str) -> Result<CivilDate, String> {
    let mut parts = text.splitn(3, '-').map(|p| p.parse::<u16>().ok());
    let mut part = || parts.next().flatten();
    let small = |n: u16, most: u8| u8::try_from(n).ok().filter(|n| (1..=most).contains(n));
    let date = part().zip(part()).zip(part());
    date.and_then(|((year, month), day)| {
        let year = (1900..=9999).contains(&year).then_some(i32::from(year))?;
        Some((year, small(month, 12)?, small(day, 31)?))
    })
    .ok_or_else(|| "allowed: YYYY-MM-DD; mend: 2026-11-27".to_owned())
}

/// Prints what is seen in every picture.
///
/// # Errors
/// If the folder, a picture or a model is not as it should be.
pub fn run(args: &ReplayArgs) -> anyhow::Result<()> {
    let clock: SharedClock = Arc::new(SystemClock);
    let catalogue = args.models.catalogue()?;
    let mut vision = Vision::load(&catalogue, DocumentLimits::default())?;
    if args.json {
        return json::run(args, &mut vision);
    }
    if args.table || args.report.is_some() {
        return judged(args, &mut vision, &catalogue, &clock);
    }
    let mut camera = replay::open_stills(&args.folder, 1.0, &clock)?;
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

/// Prints the table, and writes the page.
fn judged(
    args: &ReplayArgs,
    vision: &mut Vision,
    catalogue: &Catalogue,
    clock: &SharedClock,
) -> anyhow::Result<()> {
    anyhow::ensure!(
        args.look != json::Look::Code,
        "--look code: allowed with --table and --report: all, face, document; mend: a code is judged by its signature, --json says whether it can be read"
    );
    let rules = rules(args, catalogue, clock)?;
    let manner = Manner {
        look: args.look,
        frames_per_s: args.frames_per_s,
        shows: args.report.is_some(),
    };
    let began = clock.now();
    let cases = Looker {
        vision,
        rules: &rules,
        manner,
    }
    .folder(&args.folder)?;
    let n_pictures: usize = cases.iter().map(|c| c.pictures.len()).sum();
    let took_s = clock.now().since(began).as_secs_f64();
    let took = format!(
        "{n_pictures} pictures in {took_s:.1} s, {:.2} s a picture",
        took_s / n_pictures.max(1) as f64
    );
    let (year, month, day) = rules.today;
    let by = format!(
        "policy {} version {}, documents as of {year:04}-{month:02}-{day:02}",
        rules.policy.id, rules.policy.version
    );
    print!("{}", table::rows(&cases, args.look));
    let limits = table::limits(&cases);
    println!("\nlimits: {limits}\n{}{by}\n{took}", table::summary(&cases));
    if let Some(to) = &args.report {
        let facts = [
            ("folder", args.folder.display().to_string()),
            ("judged by", by),
            ("limits", limits),
            ("looked at", took),
        ];
        write_private(to, &page::write(&cases, &facts)?)?;
        println!(
            "written: {}; it shows whoever is in the pictures",
            to.display()
        );
    }
    let errors = || {
        cases
            .iter()
            .flat_map(|c| c.errors.iter().map(move |e| (c, e)))
    };
    for (case, error) in errors() {
        println!("ERROR {}: {error}", case.name);
    }
    let n_errors = errors().count();
    if n_errors > 0 {
        anyhow::bail!("{n_errors} pictures or folders could not be looked at, see ERROR above");
    }
    Ok(())
}

fn rules(args: &ReplayArgs, catalogue: &Catalogue, clock: &SharedClock) -> anyhow::Result<Rules> {
    let path = args.policy.display();
    let text = std::fs::read_to_string(&args.policy)
        .with_context(|| format!("--policy {path}; mend: name the policy that the booth has"))?;
    let policy = Policy::parse(&text).with_context(|| format!("--policy {path}"))?;
    let calibration = args.models.models.join("calibration");
    let (threshold, pad) = thresholds(
        catalogue,
        &policy,
        &calibration.join("face_comparison.toml"),
        &calibration.join("face_pad.toml"),
    )?;
    Ok(Rules {
        policy,
        limits: DocumentLimits::default(),
        threshold,
        pad,
        today: args.date.unwrap_or_else(|| clock.wall().civil_date()),
    })
}

/// Writes what shows people: for the owner's eyes.
fn write_private(to: &Path, text: &str) -> anyhow::Result<()> {
    let open = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(to);
    open.and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| {
            format!(
                "--report {}; mend: name a file in a folder that is there",
                to.display()
            )
        })
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
