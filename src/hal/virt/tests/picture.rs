//! What the camera sees.

use super::super::actor::Actor;
use super::super::pose::Pose;
use super::super::record::rgb;
use super::super::render::{Lit, Optics, Renderer, Shot as Taken};
use super::super::set::Set;
use super::*;
use crate::hal::CameraControls;
use crate::hal::light::{LightLevels, SideLevel};
use std::time::Duration;

const SMALL: (u32, u32) = (320, 180);

struct Shot {
    size: (u32, u32),
    yuyv: Vec<u8>,
}

impl Shot {
    /// Mean luminance of a part of the frame, given in shares of width and height.
    fn luma(&self, x: std::ops::Range<f32>, y: std::ops::Range<f32>) -> f32 {
        let (w, h) = (self.size.0 as f32, self.size.1 as f32);
        let (mut sum, mut n) = (0.0, 0.0);
        for row in (y.start * h) as u32..(y.end * h) as u32 {
            for column in (x.start * w) as u32..(x.end * w) as u32 {
                sum += f32::from(self.yuyv[((row * self.size.0 + column) * 2) as usize]);
                n += 1.0;
            }
        }
        sum / n
    }

    fn face(&self) -> f32 {
        self.luma(0.46..0.54, 0.46..0.54)
    }

    fn image(&self) -> image::RgbImage {
        let pixels = self
            .yuyv
            .chunks_exact(4)
            .flat_map(|m| [rgb(m[0], m[1], m[3]), rgb(m[2], m[1], m[3])].concat())
            .collect();
        image::RgbImage::from_raw(self.size.0, self.size.1, pixels).expect("two bytes a pixel")
    }
}

fn pose(set: &Set, screen: &str, ms: u64) -> Pose {
    let mut actor = Actor::new(Arc::clone(&set.scene), Moment::ZERO);
    actor.see(Moment::ZERO, screen);
    let now = Moment::from_millis(ms);
    actor.advance(now);
    actor.pose(now.plus(Duration::from_secs(1)))
}

fn shoot(
    set: &Arc<Set>,
    screen: &str,
    levels: LightLevels,
    exposure_us: u32,
    gain: f32,
    size: (u32, u32),
) -> Shot {
    let mut renderer = Renderer::new(size.0 as usize, size.1 as usize);
    let controls = CameraControls { exposure_us, gain };
    let light = Lit::new(&set.scene, levels, controls, 3.0, size.1 as usize);
    let mut yuyv = vec![0; (size.0 * size.1 * 2) as usize];
    renderer.render(
        set,
        &pose(set, screen, 3000),
        Taken {
            light: &light,
            gain,
            optics: Optics::Good,
            seed: 7,
        },
        &mut yuyv,
    );
    Shot { size, yuyv }
}

#[test]
fn more_light_and_longer_exposure_are_brighter() {
    let drawn = Drawn::new();
    let set = drawn.set("", "[ambient]\nleft_lux = 40.0\nright_lux = 40.0", SMALL);
    let by_level: Vec<f32> = [0.0, 0.1, 0.3, 0.6, 1.0]
        .iter()
        .map(|l| shoot(&set, "face.look", LightLevels::white(*l), 4000, 1.0, SMALL).face())
        .collect();
    let by_exposure: Vec<f32> = [300, 1000, 4000, 12_000]
        .iter()
        .map(|us| shoot(&set, "face.look", LightLevels::white(0.2), *us, 1.0, SMALL).face())
        .collect();
    let by_gain: Vec<f32> = [1.0, 2.0, 4.0]
        .iter()
        .map(|g| shoot(&set, "face.look", LightLevels::white(0.2), 2000, *g, SMALL).face())
        .collect();
    for (what, row) in [
        ("level", by_level),
        ("exposure", by_exposure),
        ("gain", by_gain),
    ] {
        assert!(row.windows(2).all(|p| p[1] > p[0] + 5.0), "{what}: {row:?}");
    }
}

#[test]
fn each_side_of_the_ring_lights_its_side_of_a_face_but_not_of_a_photograph() {
    let drawn = Drawn::new();
    let levels = LightLevels {
        left: SideLevel::white(0.8),
        right: SideLevel::default(),
    };
    let ambient = "[ambient]\nleft_lux = 10.0\nright_lux = 10.0";
    let contrast = |set: &Arc<Set>| {
        let shot = shoot(set, "face.look", levels, 4000, 1.0, SMALL);
        // The ball is 285 pixels wide in a picture of 1280: both cheeks, far out.
        shot.luma(0.40..0.42, 0.44..0.48) / shot.luma(0.58..0.60, 0.44..0.48)
    };
    let solid = contrast(&drawn.set("", ambient, SMALL));
    let scene = drawn.scene("", ambient);
    let text = std::fs::read_to_string(&scene)
        .expect("it was written")
        .replace("layers = \"p\"", "layers = \"p\"\nsurface = \"flat\"");
    std::fs::write(&scene, text).expect("there is room");
    let flat = contrast(&Arc::new(
        Set::load(&scene, Some(TICKET), SMALL.0, SMALL.1).expect("a good scene"),
    ));
    assert!(
        solid > 1.25 && (flat - 1.0).abs() < 0.08,
        "solid {solid}, flat {flat}"
    );
}

#[test]
fn coloured_light_colours_the_face() {
    let drawn = Drawn::new();
    let set = drawn.set("", "[ambient]\nleft_lux = 20.0\nright_lux = 20.0", SMALL);
    let mean = |levels: LightLevels| {
        let image = shoot(&set, "face.look", levels, 4000, 1.0, SMALL).image();
        let mut sum = [0_u32; 3];
        for (x, y) in (150..170).flat_map(|x| (84..96).map(move |y| (x, y))) {
            for (s, c) in sum.iter_mut().zip(image.get_pixel(x, y).0) {
                *s += u32::from(c);
            }
        }
        sum.map(|s| s as f32 / 240.0)
    };
    let side = |red, blue| SideLevel {
        red,
        blue,
        ..SideLevel::default()
    };
    let both = |s| LightLevels { left: s, right: s };
    let (red, blue) = (mean(both(side(0.8, 0.0))), mean(both(side(0.0, 0.8))));
    assert!(
        red[0] > 1.5 * red[2] && blue[2] > 1.5 * blue[0],
        "red {red:?}, blue {blue:?}"
    );
}

/// The reader of the booth looks at many frames; among three one must do.
#[test]
fn the_code_on_the_phone_can_be_read() {
    let drawn = Drawn::new();
    let size = (1280, 720);
    let read = (1..4).find_map(|seed| {
        let set = drawn.set(&format!("seed = {seed}"), "", size);
        let shot = shoot(&set, "idle", LightLevels::white(0.1), 6000, 1.0, size);
        let luma = |x: usize, y: usize| shot.yuyv[(y * 1280 + x) * 2];
        let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(1280, 720, luma);
        let grids = prepared.detect_grids();
        grids.iter().find_map(|g| Some(g.decode().ok()?.1))
    });
    assert_eq!(read.as_deref(), Some(TICKET));
}

#[test]
fn a_glossy_document_mirrors_the_ring() {
    let drawn = Drawn::new();
    let scene = drawn.scene("", "");
    let text = std::fs::read_to_string(&scene).expect("it was written");
    let brightest = |gloss: &str| {
        let with = text.replace(
            "size_mm",
            &format!("tilt_deg = [0.0, 16.0, 0.0]\ngloss = {gloss}\nsize_mm"),
        );
        std::fs::write(&scene, with).expect("there is room");
        let set =
            Arc::new(Set::load(&scene, Some(TICKET), SMALL.0, SMALL.1).expect("a good scene"));
        let shot = shoot(
            &set,
            "document.show",
            LightLevels::white(0.3),
            1500,
            1.0,
            SMALL,
        );
        shot.image().pixels().map(|p| p.0[1]).max().unwrap_or(0)
    };
    let (paper, laminate) = (brightest("0.0"), brightest("0.08"));
    assert!(
        laminate > paper.saturating_add(40),
        "paper {paper}, laminate {laminate}"
    );
}

#[test]
fn a_seed_gives_the_same_frame_again() {
    let drawn = Drawn::new();
    let frame = |seed: u32| {
        shoot(
            &drawn.set(&format!("seed = {seed}"), "", SMALL),
            "document.show",
            LightLevels::white(0.2),
            4000,
            1.0,
            SMALL,
        )
        .yuyv
    };
    assert!(frame(5) == frame(5), "one seed, one frame");
    assert!(frame(5) != frame(6), "another seed, another frame");
}

/// The golden picture is looked at, not only compared: `tests/golden-face.png`. Other machines round otherwise, hence the tolerance.
#[test]
fn the_frame_looks_as_the_golden_one() {
    let drawn = Drawn::new();
    let set = drawn.set("seed = 3", "", SMALL);
    let image = shoot(
        &set,
        "face.look",
        LightLevels {
            left: SideLevel::white(0.6),
            right: SideLevel::white(0.1),
        },
        12_000,
        1.0,
        SMALL,
    )
    .image();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/hal/virt/tests/golden-face.png");
    let differs = match image::open(&golden) {
        Ok(golden) => {
            let golden = golden.into_rgb8();
            let sum: u64 = golden
                .as_raw()
                .iter()
                .zip(image.as_raw())
                .map(|(a, b)| u64::from(a.abs_diff(*b)))
                .sum();
            golden.dimensions() != image.dimensions()
                || sum as f64 / image.as_raw().len() as f64 > 1.0
        }
        Err(_) => true,
    };
    if differs {
        let seen = std::env::temp_dir().join("golden-face.unmatched.png");
        image
            .save(&seen)
            .expect("the folder for temporary files can be written");
        panic!(
            "the frame differs from {}; look at {} and copy it there if it is right",
            golden.display(),
            seen.display()
        );
    }
}

#[test]
fn every_scene_of_the_project_can_be_played() {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(project_scenes()).expect("the project has scenes") {
        let path = entry.expect("the folder can be read").path();
        if path.extension().is_some_and(|e| e == "toml") {
            let set =
                Set::load(&path, Some(TICKET), SMALL.0, SMALL.1).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(
                path.file_stem().and_then(|s| s.to_str()),
                Some(set.scene.name.as_str())
            );
            names.push(set.scene.name.clone());
        }
    }
    names.sort();
    assert_eq!(
        names,
        [
            "backlit",
            "badcheck",
            "camera-covered",
            "camera-frozen",
            "camera-unplugged",
            "card",
            "dark",
            "data-differs",
            "mismatch",
            "network-down",
            "passport",
            "photograph",
            "practice",
            "prc-badcheck",
            "prc-card",
            "print-attack",
            "reverification"
        ]
    );
}

#[test]
fn pictures_that_do_not_fit_are_named() {
    let drawn = Drawn::new();
    let check = |file: &str, content: &str, complaint: &str| {
        let before = std::fs::read(drawn.path(file)).expect("it was drawn");
        std::fs::write(drawn.path(file), content).expect("there is room");
        let error = Set::load(&drawn.scene("", ""), Some(TICKET), 320, 180)
            .expect_err(file)
            .to_string();
        assert!(
            error.contains(file) && error.contains(complaint) && error.contains("mend:"),
            "{error}"
        );
        std::fs::write(drawn.path(file), before).expect("there is room");
    };
    check("p.png", "no picture", "person.layers");
    check(
        "p.toml",
        "eye_mid = [100.0, 80.0]\ninter_eye_px = 40.0\nwidth = 100\nheight = 240\n",
        "says 100 x 240",
    );
    check("p.toml", "eyes = 2", "unknown field `eyes`");
    check("page.png", "", "document.picture");
    let error = Set::load(&drawn.scene("", ""), None, 320, 180)
        .expect_err("no ticket")
        .to_string();
    assert!(error.contains("none was given with the play"), "{error}");
    let error = Set::load(&drawn.scene("", ""), Some(&"x".repeat(3000)), 320, 180)
        .expect_err("too long")
        .to_string();
    assert!(error.contains("3000 bytes; allowed: 1 to 2953"), "{error}");
}
