//! The virtual booth through its ports, with drawn stand-ins for the pictures.

mod devices;
mod person;
mod picture;
mod replay;
mod stage;

use super::set::Set;
use super::world::World;
use crate::base::time::{ManualClock, Moment, WallTime};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A folder with drawn pictures and a scene that uses them.
struct Drawn {
    dir: tempfile::TempDir,
}

/// A person of 200 x 240 with the eyes at (100, 80), 40 apart: a ball on a block.
const PERSON_TOML: &str =
    "eye_mid = [100.0, 80.0]\ninter_eye_px = 40.0\nwidth = 200\nheight = 240\n";

impl Drawn {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let ball = |x: u32, y: u32| {
            let (dx, dy) = ((x as f32 - 100.0) / 60.0, (y as f32 - 90.0) / 80.0);
            (1.0 - dx * dx - dy * dy > 0.0).then(|| (dx, dy, (1.0 - dx * dx - dy * dy).sqrt()))
        };
        let body = |x: u32, y: u32| y > 160 && (20..180).contains(&x);
        let colour = image::RgbaImage::from_fn(200, 240, |x, y| {
            let eye = y.abs_diff(80) < 4 && (x.abs_diff(80) < 7 || x.abs_diff(120) < 7);
            match (ball(x, y), body(x, y)) {
                (Some(_), _) if eye => image::Rgba([20, 20, 20, 255]),
                (Some(_), _) => image::Rgba([205, 165, 145, 255]),
                (None, true) => image::Rgba([60, 80, 140, 255]),
                (None, false) => image::Rgba([0, 0, 0, 0]),
            }
        });
        let normals = image::RgbImage::from_fn(200, 240, |x, y| {
            let (nx, ny, nz) = ball(x, y).unwrap_or((0.0, 0.0, 1.0));
            image::Rgb([nx, ny, nz].map(|c| ((c + 1.0) / 2.0 * 255.0) as u8))
        });
        let page = image::RgbImage::from_fn(500, 352, |x, y| {
            let line = y > 280 && (y / 20) % 2 == 0 && (x / 6) % 3 != 0;
            image::Rgb(if line { [25, 25, 25] } else { [235, 230, 220] })
        });
        let drawn = Self { dir };
        colour.save(drawn.path("p.png")).expect("there is room");
        normals
            .save(drawn.path("p-normal.png"))
            .expect("there is room");
        page.save(drawn.path("page.png")).expect("there is room");
        std::fs::write(drawn.path("p.toml"), PERSON_TOML).expect("there is room");
        drawn
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a scene with a person, a document and a ticket; `more` goes to the top of the file, `tables` to its end.
    fn scene(&self, more: &str, tables: &str) -> PathBuf {
        let text = format!(
            "name = \"drawn\"\n{more}\n[person]\nlayers = \"p\"\n[document]\npicture = \"page.png\"\nsize_mm = [125.0, 88.0]\n[ticket]\n{tables}"
        );
        let path = self.path("scene.toml");
        std::fs::write(&path, text).expect("there is room");
        path
    }

    fn set(&self, more: &str, tables: &str, size: (u32, u32)) -> Arc<Set> {
        let set = Set::load(&self.scene(more, tables), Some(TICKET), size.0, size.1);
        Arc::new(set.unwrap_or_else(|e| panic!("{e}")))
    }
}

/// Stands for a ticket; nobody here looks inside.
const TICKET: &str =
    "eyJhbGciOiJFZERTQSJ9.eyJzaWQiOiIwMUFSWjNOREVLVFNWNFJSRkZRNjlHNUZBViJ9.c2lnbmF0dXJl";

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Moment::from_millis(1000), WallTime(0)))
}

/// A world with an empty booth, on a clock that the test moves.
fn world(clock: &Arc<ManualClock>, size: (u32, u32)) -> Arc<World> {
    let empty = Set::empty(size.0, size.1).expect("the empty booth needs no file");
    Arc::new(World::new(clock.clone(), empty, None, None, None))
}

fn project_scenes() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("board/scenes")
}
