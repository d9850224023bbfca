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
use stages::{BARE_DETECTOR, BARE_LANDMARKS, Bench, FACE_FRAME};
use std::path::{Path, PathBuf};
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

const SIZES: [(u32, u32); 2] = [(1280, 720), (640, 480)];
const THREADS: [u32; 2] = [1, 2];
/// A whole face frame may take so many times its bare invocations.
const RATIO_LIMIT: f64 = 1.25;

fn main() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let runtime = std::env::var_os("BOOTHD_LITERT").map_or_else(
        || {
            root.join("target/litert")
                .join(std::env::consts::ARCH)
                .join("libLiteRt.so")
        },
        PathBuf::from,
    );
    let models = ModelArgs {
        models: root.join("models"),
        runtime: Some(runtime),
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
            ratios.push((
                title,
                ratio(&sheet, Sheet::median),
                ratio(&sheet, Sheet::least),
            ));
        }
    }
    println!("\nface frame over the sum of its bare invocations (limit {RATIO_LIMIT})");
    for (title, medians, minima) in ratios {
        let word = if medians <= RATIO_LIMIT {
            ""
        } else {
            "  ABOVE THE LIMIT"
        };
        println!("  {title:<36} of medians {medians:.2}  of minima {minima:.2}{word}");
    }
    println!("\ntook {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}

fn ratio(sheet: &Sheet, of: impl Fn(&Sheet, &str) -> f64) -> f64 {
    of(sheet, FACE_FRAME) / (of(sheet, BARE_DETECTOR) + of(sheet, BARE_LANDMARKS))
}
