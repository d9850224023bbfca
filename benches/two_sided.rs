//! `cargo run --example two-sided`: how much of a document with glare on it is read (a) with both halves of the ring on, (b) from the
//! better side alone, (c) from both sides in turn, each frame by itself, (d) from both sides in turn with pictures made of two; in the
//! virtual booth, over positions and strengths of the glare. The last line of the table has what is read without any gloss.

use anyhow::Context as _;
use boothd::app::replay::ModelArgs;
use boothd::base::frame::Frame;
use boothd::hal::CameraControls;
use boothd::hal::light::{LightLevels, SideLevel};
use boothd::hal::virt::{StillShot, StillStep, stills};
use boothd::perception::document::field::FieldCheck;
use boothd::perception::document::limits::DocumentLimits;
use boothd::perception::observation::{
    DocumentContent, DocumentObservation, LitFrom, Seen, VisionTask,
};
use boothd::perception::vision::Vision;
use std::path::{Path, PathBuf};

/// Whose documents: a TD3 page, a TD1 card, the front of a resident identity card.
const PEOPLE: [&str; 3] = ["passport", "card", "prc-card"];
/// Mirrored share of the light: a laminate has 0.04, one that is new or lies in a sleeve more.
const GLOSS: [f32; 2] = [0.15, 0.5];
/// Top away, right side away, degrees.
const TILTS_TOP: [f32; 3] = [-9.0, -5.0, -2.0];
const TILTS_SIDE: [f32; 3] = [-4.0, 0.0, 4.0];
/// A dim room: where it is bright the loop dims the ring, and its glare with it.
const LUX: f64 = 20.0;
/// Levels of white, as the recipes of `board/virtual.toml` begin.
const BOTH: f32 = 0.12;
const ALONE: f32 = 0.2;
/// Mean of the document that the loop of exposure aims at.
const TARGET: f32 = 0.58;
/// Frames of each light that are looked at, so many frames of a camera of 30 a second apart: a look at a document takes 150 ms.
const N_LOOKS: usize = 2;
const APART: usize = 5;

/// What was read in all looks of one way to light.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Read {
    /// The zone with every check digit, or the number of a card.
    text: bool,
    portrait: bool,
    /// Printed fields that agree with the zone.
    printed: [bool; 4],
    /// Pictures made of two.
    n_combined: usize,
    /// The look in which text and portrait were there first, from 1.
    at_look: usize,
}

impl Read {
    fn take(&mut self, o: &DocumentObservation, nth: usize) {
        self.n_combined += usize::from(o.combined.is_some());
        let Some(reading) = &o.reading else { return };
        let found = reading.portrait.is_some_and(|p| p.is_clear());
        match &reading.content {
            DocumentContent::Mrz(r) if r.mrz.checks.any_refuted() => return,
            DocumentContent::Mrz(r) => {
                for (read, (_, check)) in self.printed.iter_mut().zip(r.printed.named()) {
                    *read |= check == FieldCheck::Verified;
                }
            }
            DocumentContent::Prc(_) => {}
        }
        self.text = true;
        self.portrait |= found;
        if self.text && self.portrait && self.at_look == 0 {
            self.at_look = nth + 1;
        }
    }

    fn n_printed(&self) -> usize {
        self.printed.iter().filter(|p| **p).count()
    }

    /// Whether all is there that is there without glare.
    fn has_all(&self, of: &Self) -> bool {
        let printed = self.printed.iter().zip(of.printed);
        self.text >= of.text
            && self.portrait >= of.portrait
            && printed.into_iter().all(|(has, of)| *has >= of)
    }
}

/// One way to light, over all scenes.
#[derive(Debug, Default)]
struct Tally {
    n: usize,
    text: usize,
    portrait: usize,
    printed: usize,
    all: usize,
    combined: usize,
}

impl Tally {
    fn take(&mut self, read: &Read, reference: &Read) {
        self.n += 1;
        self.text += usize::from(read.text);
        self.portrait += usize::from(read.portrait);
        self.printed += read.n_printed();
        self.all += usize::from(read.has_all(reference));
        self.combined += read.n_combined;
    }
}

fn levels(lit: LitFrom) -> LightLevels {
    let side = |white: f32| SideLevel {
        white,
        ..SideLevel::default()
    };
    let (left, right) = match lit {
        LitFrom::Both => (BOTH, BOTH),
        LitFrom::Left => (ALONE, 0.0),
        LitFrom::Right => (0.0, ALONE),
    };
    LightLevels {
        left: side(left),
        right: side(right),
    }
}

fn look(vision: &mut Vision, frame: &Frame, lit: LitFrom) -> anyhow::Result<DocumentObservation> {
    match vision.look(frame.view(), VisionTask::Document, lit)? {
        Seen::Document(o) => Ok(*o),
        _ => anyhow::bail!("a look at a document sees one or none"),
    }
}

/// Frames of one light, exposed as the loop would.
fn frames(scene: &Path, lit: LitFrom, vision: &mut Vision) -> anyhow::Result<Vec<Frame>> {
    let shot = |exposure_us: u32| StillShot {
        step: StillStep::Document,
        size: (1280, 720),
        levels: levels(lit),
        controls: CameraControls {
            exposure_us,
            gain: 1.0,
        },
    };
    let mut exposure_us = 8000.0_f32;
    for _ in 0..3 {
        let probe = stills(scene, None, &shot(exposure_us as u32), 1)?;
        vision.forget_picture();
        let o = look(vision, &probe[0], LitFrom::Both)?;
        if o.corners.is_none() {
            break;
        }
        let linear = |coded: f32| coded.max(0.02).powf(2.2);
        exposure_us = (exposure_us * linear(TARGET) / linear(o.luminance)).clamp(200.0, 33_000.0);
    }
    let n = (2 * N_LOOKS * APART) as u32;
    let all = stills(scene, None, &shot(exposure_us as u32), n)?;
    Ok(all.into_iter().step_by(APART).collect())
}

/// The scene of a person with this document, in `folder`.
fn scene(folder: &Path, person: &str, gloss: f32, tilt: [f32; 3]) -> anyhow::Result<PathBuf> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("board/scenes")
        .join(person)
        .with_extension("toml");
    let mut scene: toml::Table = std::fs::read_to_string(&file)
        .with_context(|| file.display().to_string())?
        .parse()?;
    let document = scene
        .get_mut("document")
        .and_then(toml::Value::as_table_mut)
        .context("the scene has no document")?;
    document.insert("gloss".to_owned(), f64::from(gloss).into());
    document.insert("tilt_deg".to_owned(), tilt.map(f64::from).to_vec().into());
    let dim = ["left_lux", "right_lux", "background_lux"].map(|k| (k.to_owned(), LUX.into()));
    scene.insert(
        "ambient".to_owned(),
        toml::Value::Table(dim.into_iter().collect()),
    );
    let to = folder.join("scene.toml");
    std::fs::write(&to, toml::to_string(&scene)?)?;
    Ok(to)
}

const WAYS: [&str; 5] = [
    "(a) both halves on",
    "(b) better side alone",
    "(c) in turn, singly",
    "(d) in turn, combined",
    "no gloss, both on",
];

fn main() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let models = ModelArgs {
        models: root.join("models"),
        runtime: None,
        threads: 1,
    };
    let mut vision = Vision::load(&models.catalogue()?, DocumentLimits::default())?;
    let folder = tempfile::tempdir()?;
    std::os::unix::fs::symlink(
        root.join("board/scenes/assets"),
        folder.path().join("assets"),
    )?;
    let mut all: Vec<[Tally; 5]> = Vec::new();
    let chosen: Vec<String> = std::env::args().skip(1).collect();
    let is_chosen = |p: &&str| chosen.is_empty() || chosen.iter().any(|c| c == p);
    let people: Vec<&str> = PEOPLE.into_iter().filter(is_chosen).collect();
    for person in &people {
        let mut tallies: [Tally; 5] = Default::default();
        for top in TILTS_TOP {
            for side in TILTS_SIDE {
                for gloss in GLOSS {
                    let [reads @ .., reference] =
                        &play(folder.path(), person, gloss, [top, side, 0.0], &mut vision)?;
                    let short = |r: &Read| {
                        format!(
                            "{}{}{}",
                            if r.text { 'T' } else { '-' },
                            if r.portrait { 'P' } else { '-' },
                            r.n_printed()
                        )
                    };
                    println!(
                        "{person:<9} gloss {gloss:.2} top {top:>5.1} side {side:>4.1}  {}  reference {}",
                        reads.iter().map(short).collect::<Vec<_>>().join(" "),
                        short(reference)
                    );
                    for (tally, read) in tallies.iter_mut().zip(reads.iter().chain([reference])) {
                        tally.take(read, reference);
                    }
                }
            }
        }
        all.push(tallies);
    }
    println!(
        "\n{:<10} {:<22} scenes  text  portrait  printed fields  all of it  pictures made of two",
        "", ""
    );
    for (person, tallies) in people.iter().zip(&all) {
        for (way, t) in WAYS.iter().zip(tallies) {
            println!(
                "{person:<10} {way:<22} {:>6}  {:>4}  {:>8}  {:>14}  {:>9}  {:>20}",
                t.n, t.text, t.portrait, t.printed, t.all, t.combined
            );
        }
    }
    Ok(())
}

fn play(
    folder: &Path,
    person: &str,
    gloss: f32,
    tilt: [f32; 3],
    vision: &mut Vision,
) -> anyhow::Result<[Read; 5]> {
    let file = scene(folder, person, 0.0, tilt)?;
    let plain = frames(&file, LitFrom::Both, vision)?;
    let file = scene(folder, person, gloss, tilt)?;
    let lit = |lit, vision: &mut Vision| frames(&file, lit, vision);
    let both = lit(LitFrom::Both, vision)?;
    let left = lit(LitFrom::Left, vision)?;
    let right = lit(LitFrom::Right, vision)?;
    // Frames that belong to one look after the other: the hand goes on trembling.
    let read = |of: &dyn Fn(usize) -> (usize, LitFrom), vision: &mut Vision| {
        vision.forget_picture();
        let mut read = Read::default();
        for i in 0..2 * N_LOOKS {
            let (which, as_lit) = of(i);
            let frame = &[&both, &left, &right, &plain][which][i];
            read.take(&look(vision, frame, as_lit)?, i);
        }
        anyhow::Ok(read)
    };
    let (only_left, only_right) = (
        read(&|_| (1, LitFrom::Both), vision)?,
        read(&|_| (2, LitFrom::Both), vision)?,
    );
    let worth = |r: &Read| (r.text, r.portrait, r.n_printed());
    let better = if worth(&only_left) >= worth(&only_right) {
        only_left
    } else {
        only_right
    };
    // Two looks from one side, then two from the other.
    let side = |i: usize| 1 + (i / 2) % 2;
    let as_lit = |i: usize| [LitFrom::Left, LitFrom::Right][(i / 2) % 2];
    Ok([
        read(&|_| (0, LitFrom::Both), vision)?,
        better,
        read(&|i| (side(i), LitFrom::Both), vision)?,
        read(&|i| (side(i), as_lit(i)), vision)?,
        read(&|_| (3, LitFrom::Both), vision)?,
    ])
}
