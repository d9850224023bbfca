//! The way from a frame to a zone, with a reader that knows what stands in which line.

use super::*;
use crate::base::frame::{Frame, PixelFormat};
use crate::base::geometry::{Point, Quad};

const TD3: [&str; 2] = [
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
    "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
];

/// Reads the texts one after the other when a strip is upright (its ink mark lies in the left half), and nothing sensible when
/// it is upside down.
#[derive(Debug)]
struct Teller {
    texts: Vec<&'static str>,
}

impl Net for Teller {
    fn run(&mut self, input: &[f32], outputs: &mut [&mut [f32]]) -> Result<(), ModelError> {
        assert_eq!(input.len(), 576 * 32);
        let mean = input.iter().sum::<f32>() / input.len() as f32;
        assert!(mean.abs() < 1e-2, "normalised: {mean}");
        let ink = |range: std::ops::Range<usize>| {
            (0..32 * 576)
                .filter(|i| range.contains(&(i % 576)))
                .map(|i| input[i])
                .sum::<f32>()
        };
        let upright = ink(0..288) < ink(288..576);
        let text = match upright {
            true if self.texts.len() > 1 => self.texts.remove(0),
            // The last text is told again and again.
            true => self.texts[0],
            false => "",
        };
        outputs[0].fill(0.0);
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

/// A light page on a dark table with two lines of strokes near its lower side, bolder in their left half.
fn page_frame(upside_down: bool, lines: bool) -> (Frame, Quad) {
    let mut frame = Frame::new(1280, 720, PixelFormat::Yuyv);
    let corners = Quad([
        Point::new(240.0, 60.0),
        Point::new(1040.0, 60.0),
        Point::new(1040.0, 624.0),
        Point::new(240.0, 624.0),
    ]);
    for (i, p) in frame.data_mut().chunks_exact_mut(2).enumerate() {
        let (x, y) = ((i % 1280) as f32, (i / 1280) as f32);
        let (mut u, mut v) = ((x - 240.0) / 800.0, (y - 60.0) / 564.0);
        let inside = (0.0..1.0).contains(&u) && (0.0..1.0).contains(&v);
        if upside_down {
            (u, v) = (1.0 - u, 1.0 - v);
        }
        let in_line = [(0.80, 0.832), (0.88, 0.912)]
            .iter()
            .any(|(a, b)| (*a..*b).contains(&v));
        let phase = (u * 44.0 / 0.9).fract();
        let bold = if u < 0.5 { 0.55 } else { 0.3 };
        let ink = lines && in_line && (0.05..0.95).contains(&u) && phase < bold;
        p[0] = match (inside, ink) {
            (false, _) => 40,
            (true, true) => 50,
            (true, false) => 190 + ((i * 7919) % 5) as u8,
        };
        p[1] = 128;
    }
    (frame, corners)
}

fn read(upside_down: bool, lines: bool, texts: Vec<&'static str>) -> ZoneReading {
    let (frame, corners) = page_frame(upside_down, lines);
    let mut page = Page::default();
    assert!(page.take(&frame.view(), &corners, 451));
    MrzReader::new(Box::new(Teller { texts }))
        .read(&frame.view(), &page, 2)
        .expect("the teller answers")
}

#[test]
fn a_zone_is_read_upright_and_upside_down() {
    for upside_down in [false, true] {
        let ZoneReading::Read(zone) =
            read(upside_down, true, TD3.into_iter().chain([TD3[0]]).collect())
        else {
            panic!("not read, upside down: {upside_down}");
        };
        assert_eq!(zone.mrz.secondary_identifier.reveal(), "ANNA MARIA");
        assert_eq!(zone.half_turned, upside_down);
        assert_eq!(zone.mrz.checks.n_verified(), 5);
        assert!(zone.confidence > 0.99);
    }
}

#[test]
fn more_cuts_are_tried_until_check_digits_verify() {
    let wrong = "L898902C36UTO7408122F1204159ZE184226B<<<<<16";
    let texts = vec![TD3[0], wrong, TD3[0], wrong, TD3[0], TD3[1], TD3[0]];
    let ZoneReading::Read(zone) = read(false, true, texts) else {
        panic!("not read");
    };
    assert!(!zone.mrz.checks.any_refuted());
}

#[test]
fn most_cuts_decide_on_the_names() {
    let wrong = "P<UTOERIKSSQN<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<";
    for (again, expected) in [
        ([TD3[0], TD3[0], wrong, TD3[0]], "ERIKSSON"),
        ([wrong, TD3[0], wrong, wrong], "ERIKSSQN"),
    ] {
        let texts = [&[wrong, TD3[1]], &again[..]].concat();
        let ZoneReading::Read(zone) = read(false, true, texts) else {
            panic!("not read");
        };
        assert_eq!(zone.mrz.primary_identifier.reveal(), expected);
    }
}

#[test]
fn without_lines_there_is_no_zone() {
    assert_eq!(read(false, false, vec![]), ZoneReading::NoZone);
}

/// Says of each step in which quarter of the strip it lies.
#[derive(Debug)]
struct Quarters;

impl Net for Quarters {
    fn run(&mut self, _: &[f32], outputs: &mut [&mut [f32]]) -> Result<(), ModelError> {
        outputs[0].fill(0.0);
        for (i, step) in outputs[0].chunks_exact_mut(38).enumerate() {
            step[1 + i / 36] = 30.0;
        }
        Ok(())
    }
}

#[test]
fn short_lines_of_print_share_a_strip_and_long_ones_have_their_own() {
    let frame = Frame::new(640, 480, PixelFormat::Grey8);
    let map = Homography::from_rectangle(640.0, 480.0, &rectify::whole(&frame.view()))
        .expect("a whole frame is no line");
    let line = |width: f32, y: f32| {
        Quad([
            Point::new(10.0, y),
            Point::new(10.0 + width, y),
            Point::new(10.0 + width, y + 20.0),
            Point::new(10.0, y + 20.0),
        ])
    };
    // 160 pixels of a strip of 576 each, then one that takes all of it, and one that needs the next.
    let quads = [78.0, 78.0, 78.0, 78.0, 600.0, 10.0].map(|width| line(width, 50.0));
    let mut seen = Vec::new();
    MrzReader::new(Box::new(Quarters))
        .read_prints(&frame.view(), &map, &quads, |i, text, _| {
            seen.push((i, text.to_owned()));
            true
        })
        .expect("this net never fails");
    let expected = ["01", "12", "23", "01", "0123", "0"];
    let expected: Vec<_> = expected
        .iter()
        .map(|t| (*t).to_owned())
        .enumerate()
        .collect();
    assert_eq!(seen, expected);
}
