//! `make bench`: a table of times per stage on frames of the virtual booth, beside the bare time of the same models in the same
//! run; loading, memory and allocations. Figures of this machine, to be compared with figures of the same machine only.

mod counting;
mod frames;
mod machine;
mod sheet;
mod stages;
mod startup;

use boothd::app::replay::ModelArgs;
use boothd::models::Catalogue;
use frames::Frames;
use sheet::Sheet;
use stages::{
    BARE_DETECTOR, BARE_EMBEDDING, BARE_LANDMARKS, BARE_PAD, Bench, FACE_FRAME, FACE_PATH,
};
use std::path::{Path, PathBuf};
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

const SIZES: [(u32, u32); 2] = [(1280, 720), (640, 480)];
const THREADS: [u32; 2] = [1, 2];
/// What is held against the bare invocations of its nets: its name, its nets, and how many times their time it may take.
const RATIOS: [(&str, &[&str], f64); 2] = [
    (FACE_FRAME, &[BARE_DETECTOR, BARE_LANDMARKS], 1.25),
    (
        FACE_PATH,
        &[BARE_DETECTOR, BARE_LANDMARKS, BARE_PAD, BARE_EMBEDDING],
        1.2,
    ),
];

fn main() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let models = ModelArgs {
        models: root.join("models"),
        runtime: None,
        threads: 1,
    };
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|a| a == startup::LOAD) {
        let folder = arguments.get(at + 1).map(PathBuf::from).unwrap_or_default();
        return startup::load_only(&models, &folder);
    }

    let start = Instant::now();
    let folder = tempfile::tempdir()?;
    println!("machine: {}", machine::describe());
    println!(
        "frames: the virtual booth's scene `passport`, YUYV; all stages of a setting in turns"
    );
    let mut ratios = Vec::new();
    for size in SIZES {
        let mut frames = Frames::render(size, folder.path())?;
        if size == SIZES[0] {
            startup::loading(&frames, folder.path())?;
            startup::ready(&models, folder.path())?;
        }
        for threads in THREADS {
            println!();
            let catalogue = Catalogue::open(&models.models, &models.runtime_path(), threads)?;
            let sheet = Bench::load(&catalogue)?.run(&mut frames)?;
            let title = format!("{}x{}, interpreter threads: {threads}", size.0, size.1);
            sheet.print(&title);
            for (name, nets, limit) in RATIOS {
                let ratio = |of: fn(&Sheet, &str) -> f64| {
                    of(&sheet, name) / nets.iter().map(|net| of(&sheet, net)).sum::<f64>()
                };
                ratios.push((
                    name,
                    title.clone(),
                    ratio(Sheet::median),
                    ratio(Sheet::least),
                    limit,
                ));
            }
        }
    }
    println!("\na whole over the sum of the bare invocations of its nets");
    for (name, title, medians, minima, limit) in ratios {
        let word = if medians <= limit {
            ""
        } else {
            "  ABOVE THE LIMIT"
        };
        println!(
            "  {name:<50} {title:<36} of medians {medians:.2}  of minima {minima:.2}  limit {limit}{word}"
        );
    }
    println!("\ntook {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}
