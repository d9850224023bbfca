//! The whole way with nets that know the answer, on a drawn document.

use super::*;
use crate::base::geometry::{Point, Rect};
use crate::perception::document::mrz::MrzFormat;
use crate::perception::document::net::Net;
use zeroize::Zeroize;

const TD3: [&str; 2] = [
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
    "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
];

/// Where the document lies in the frame, and what may be wrong with the frame.
#[derive(Clone, Copy, Debug)]
struct Scene {
    /// Upper left corner and width in pixels; the height goes with 125:88.
    x: f32,
    y: f32,
    width: f32,
    /// Luminance of the paper.
    paper: u8,
    /// Both lines are printed, or one alone, which is no zone.
    lines: bool,
    /// The document stands on its head.
    upside_down: bool,
}

const GOOD: Scene = Scene {
    x: 240.0,
    y: 60.0,
    width: 800.0,
    paper: 190,
    lines: true,
    upside_down: false,
};

impl Scene {
    fn height(&self) -> f32 {
        self.width * 88.0 / 125.0
    }

    fn frame(&self) -> Frame {
        let mut frame = Frame::new(1280, 720, PixelFormat::Yuyv);
        for (i, p) in frame.data_mut().chunks_exact_mut(2).enumerate() {
            let (mut u, mut v) = (
                ((i % 1280) as f32 + 0.5 - self.x) / self.width,
                ((i / 1280) as f32 + 0.5 - self.y) / self.height(),
            );
            let inside = (0.0..1.0).contains(&u) && (0.0..1.0).contains(&v);
            if self.upside_down {
                (u, v) = (1.0 - u, 1.0 - v);
            }
            let in_line = [(0.80, 0.832), (0.88, 0.912)]
                .iter()
                .take(if self.lines { 2 } else { 1 })
                .any(|(a, b)| (*a..*b).contains(&v));
            let bold = if u < 0.5 { 0.55 } else { 0.3 };
            let stroke = (0.05..0.95).contains(&u) && (u * 44.0 / 0.9).fract() < bold;
            p[0] = match (inside, in_line && stroke) {
                (false, _) => self.paper / 5,
                (true, true) => self.paper / 4,
                (true, false) => self.paper + ((i * 7919) % 5) as u8,
            };
            p[1] = 128;
        }
        frame
    }
}

/// Corners and lines of a scene.
#[derive(Debug)]
struct Oracle(Scene);

impl Net for Oracle {
    fn run(&mut self, input: &[f32], outputs: &mut [&mut [f32]]) -> Result<(), ModelError> {
        let s = self.0;
        if outputs.len() == 2 {
            let (x0, y0) = (s.x / 1280.0, s.y / 720.0);
            let (x1, y1) = ((s.x + s.width) / 1280.0, (s.y + s.height()) / 720.0);
            let corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)];
            for (i, l) in outputs[0].iter_mut().enumerate() {
                let dx = (i / 4 % 48) as f32 + 0.5 - corners[i % 4].0 * 48.0;
                let dy = (i / 4 / 48) as f32 + 0.5 - corners[i % 4].1 * 48.0;
                *l = 14.0 - (dx * dx + dy * dy) / 3.0;
            }
            outputs[1].fill(0.0);
            outputs[1][if s.width > 0.0 { 0 } else { 5 }] = 9.0;
            return Ok(());
        }
        // Upright strips have more ink in their left half. The first strip of a pair is line 1.
        let half = |left: bool| -> f32 {
            (0..32 * 576)
                .filter(|i| (i % 576 < 288) == left)
                .map(|i| input[i])
                .sum()
        };
        let upright = half(true) < half(false);
        outputs[0].fill(0.0);
        let text = match (upright, self.0.upside_down) {
            (false, _) => "",
            // The flag serves as the count of the strip here.
            (true, false) => TD3[0],
            (true, true) => TD3[1],
        };
        if upright {
            self.0.upside_down = !self.0.upside_down;
        }
        for (i, step) in outputs[0].chunks_exact_mut(38).enumerate() {
            let class = match text.as_bytes().get(i / 2) {
                Some(c) if i % 2 == 0 => match c {
                    b'0'..=b'9' => 1 + usize::from(c - b'0'),
                    b'A'..=b'Z' => 11 + usize::from(c - b'A'),
                    _ => 37,
                },
                _ => 0,
            };
            step[class] = 30.0;
        }
        Ok(())
    }
}

struct Template(Vec<u8>);

impl Drop for Template {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Finds eyes 100 pixels apart on every page, which has the resolution of the document in the frame and the shape of a TD3 page.
struct Portraits;

impl PortraitFinder for Portraits {
    type Template = Template;

    fn find(&mut self, page: FrameView<'_>, px_per_mm: f32) -> Option<FoundPortrait<Template>> {
        let width = page.width();
        assert_eq!(px_per_mm, width as f32 / 125.0);
        assert!((640..=1280).contains(&width), "{width}");
        assert_eq!(page.height(), DocumentSize::Td3.height_for(width));
        assert_eq!(page.format(), PixelFormat::Rgb8);
        Some(FoundPortrait {
            bounds: Rect::new(80.0, 200.0, 250.0, 250.0),
            eyes: [Point::new(150.0, 300.0), Point::new(250.0, 300.0)],
            detection_score: 0.9,
            quality: 0.8,
            template: Some(Template(vec![7; 4])),
        })
    }
}

fn pipeline(scene: Scene) -> DocumentPipeline<Template> {
    let lines = Scene {
        upside_down: false,
        ..scene
    };
    DocumentPipeline::on(
        CornerFinder::new(Box::new(Oracle(scene))),
        MrzReader::new(Box::new(Oracle(lines))),
        None,
        DocumentLimits::default(),
    )
}

fn observe(scene: Scene) -> DocumentObservation {
    pipeline(scene)
        .observe(scene.frame().view(), LitFrom::Both, &mut Portraits)
        .expect("the oracle answers")
}

#[test]
fn a_good_document_is_read_with_its_portrait() {
    for upside_down in [false, true] {
        let scene = Scene {
            upside_down,
            ..GOOD
        };
        let o = observe(scene);
        assert_eq!(o.problem, None, "{o:?}");
        let reading = o.reading.expect("read");
        let mrz = reading.mrz().expect("a zone");
        assert_eq!(mrz.format, MrzFormat::Td3);
        assert_eq!(mrz.checks.n_verified(), 5);
        let portrait = reading.portrait.expect("a portrait");
        // 100 pixels on the page are as many in the frame.
        assert!((portrait.inter_eye_px - 100.0).abs() < 0.7, "{portrait:?}");
        let corners = o.corners.expect("found");
        assert_eq!(corners.0[0].x > 640.0, upside_down, "{corners:?}");
        let expected = 800.0 * 800.0 * 0.704 / (1280.0 * 720.0);
        assert!((o.area_share - expected).abs() < 0.01);
        assert!(o.tilt_degrees < 1.0 && o.motion.is_none());
    }
}

#[test]
fn what_stands_in_the_way_is_named_and_nothing_is_read() {
    use DocumentProblem::{CutOff, NotFound, TooDark, TooSmall, WrongSide};
    for (scene, expected) in [
        (Scene { width: 0.0, ..GOOD }, NotFound),
        (Scene { x: 2.0, ..GOOD }, CutOff),
        (
            Scene {
                width: 300.0,
                ..GOOD
            },
            TooSmall,
        ),
        (Scene { paper: 25, ..GOOD }, TooDark),
        (
            Scene {
                lines: false,
                ..GOOD
            },
            WrongSide,
        ),
    ] {
        let o = observe(scene);
        assert_eq!(o.problem, Some(expected), "{scene:?}: {o:?}");
        assert!(o.reading.is_none());
    }
}

#[test]
fn movement_is_seen_from_frame_to_frame() {
    let mut pipeline = pipeline(GOOD);
    let mut motions = Vec::new();
    for x in [240.0, 240.0, 300.0] {
        let scene = Scene { x, ..GOOD };
        pipeline.corner_finder = CornerFinder::new(Box::new(Oracle(scene)));
        // It counts strips, and how many are read of one zone is the reader's business.
        pipeline.mrz_reader = MrzReader::new(Box::new(Oracle(scene)));
        let o = pipeline
            .observe(scene.frame().view(), LitFrom::Both, &mut Portraits)
            .expect("the oracle answers");
        motions.push((o.motion.map(|m| m > 0.02), o.problem));
    }
    assert_eq!(
        motions,
        [
            (None, None),
            (Some(false), None),
            (Some(true), Some(DocumentProblem::Moving))
        ]
    );
}

#[test]
fn forgetting_wipes_pages_and_template() {
    let mut pipeline = pipeline(GOOD);
    pipeline
        .observe(GOOD.frame().view(), LitFrom::Both, &mut Portraits)
        .expect("the oracle answers");
    assert!(pipeline.last_portrait_template().is_some());
    assert!(pipeline.colour_page.data().iter().any(|p| *p != 0));
    pipeline.forget();
    assert!(pipeline.last_portrait_template().is_none());
    assert!(pipeline.page.plane().iter().all(|p| *p == 0));
    assert!(pipeline.colour_page.data().iter().all(|p| *p == 0));
    assert_eq!(pipeline.before, None);
}

/// A pipeline on the models of the source tree sees the drawn page of `tests/data/documents`, upright and upside down.
#[test]
fn the_real_nets_read_a_drawn_page() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/documents/utopia-td3.jpg"
    );
    let picture = image::open(path).expect("in the source tree").to_luma8();
    let catalogue = crate::models::catalogue_for_tests();
    let mut pipeline =
        DocumentPipeline::new(&catalogue, DocumentLimits::default()).expect("the models load");
    let truth = [
        (334.0, 61.2),
        (1088.9, 113.9),
        (1008.3, 714.0),
        (269.1, 566.1),
    ];
    for upside_down in [false, true] {
        let mut frame = Frame::new(picture.width(), picture.height(), PixelFormat::Grey8);
        frame.data_mut().copy_from_slice(picture.as_raw());
        if upside_down {
            frame.data_mut().reverse();
        }
        pipeline.forget();
        let o = pipeline
            .observe(frame.view(), LitFrom::Both, &mut Portraits)
            .expect("the nets run");
        assert_eq!(o.problem, None, "{o:?}");
        let corners = o.corners.expect("found");
        for (found, (x, y)) in corners.0.iter().zip(truth) {
            let expected = if upside_down {
                Point::new(1280.0 - x, 720.0 - y)
            } else {
                Point::new(x, y)
            };
            // The corners are rounded: the sides meet where no paper is.
            assert!(found.distance(expected) < 5.0, "{corners:?}");
        }
        let reading = o.reading.expect("read");
        let mrz = reading.mrz().expect("a zone");
        assert!(!mrz.checks.any_refuted());
        for (found, expected) in [
            (&mrz.document_number, "1939024Z9"),
            (&mrz.primary_identifier, "ERIKSSON"),
            (&mrz.secondary_identifier, "ANNA MARIA"),
            (&mrz.birth_date, "570920"),
            (&mrz.expiry_date, "240920"),
        ] {
            assert_eq!(found.reveal(), expected);
        }
    }
}

/// The drawn page lit from one side, with glare over a part of its zone: a dozen characters of each line, others from each side.
fn partly_hidden(lit: LitFrom, shift: usize) -> Frame {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/documents/utopia-td3.jpg"
    );
    let picture = image::open(path).expect("in the source tree").to_luma8();
    let (width, height) = (picture.width(), picture.height());
    let mut frame = Frame::new(width, height, PixelFormat::Grey8);
    let at_ms = if lit == LitFrom::Left { 100 } else { 300 };
    frame.meta.captured = crate::base::time::Moment::from_millis(at_ms);
    for (i, p) in frame.data_mut().iter_mut().enumerate() {
        let (x, y) = (i % width as usize, i / width as usize);
        let from = picture.as_raw()[y * width as usize + x.saturating_sub(shift)];
        let across = x as f32 / width as f32;
        let (light, middle) = match lit {
            LitFrom::Right => (0.7 + 0.3 * across, (810.0 + shift as f32, 603.0)),
            _ => (1.0 - 0.3 * across, (499.0, 546.0)),
        };
        let far = (x as f32 - middle.0).hypot(y as f32 - middle.1) / 60.0;
        let glare = 500.0 * (-far.powi(4)).exp();
        *p = (0.8 * f32::from(from) * light + glare).min(255.0) as u8;
    }
    frame
}

#[test]
fn the_real_nets_read_from_two_pictures_what_neither_shows() {
    let catalogue = crate::models::catalogue_for_tests();
    let mut pipeline =
        DocumentPipeline::new(&catalogue, DocumentLimits::default()).expect("the models load");
    let left = partly_hidden(LitFrom::Left, 0);
    let right = partly_hidden(LitFrom::Right, 7);
    let mut look = |frame: &Frame, lit| {
        let seen = pipeline.observe(frame.view(), lit, &mut Portraits);
        seen.expect("the nets run")
    };
    for (frame, lit) in [
        (&left, LitFrom::Both),
        (&right, LitFrom::Both),
        (&left, LitFrom::Left),
    ] {
        let o = look(frame, lit);
        assert_eq!(o.problem, Some(DocumentProblem::Glare), "{o:?}");
        assert!(o.reading.is_none() && o.combined.is_none() && o.glare_hides);
    }
    let o = look(&right, LitFrom::Right);
    let left_over = o.combined.expect("a pair");
    assert!(
        o.zone_glare_share > 0.02 && left_over.zone_share < 0.002,
        "{} {left_over:?}",
        o.zone_glare_share
    );
    assert_eq!(o.problem, None, "{o:?}");
    let reading = o.reading.expect("read");
    let mrz = reading.mrz().expect("a zone");
    assert!(!mrz.checks.any_refuted());
    assert_eq!(mrz.document_number.reveal(), "1939024Z9");
    assert_eq!(mrz.primary_identifier.reveal(), "ERIKSSON");
    assert!(reading.portrait.is_some());
}
