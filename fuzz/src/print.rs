//! What is made of the text nets' outputs: lines of a map of probabilities, and characters of a line, maybe of an alphabet.

use super::bytes::Bytes;
use boothd::base::frame::{FrameMeta, FrameView, PixelFormat};
use boothd::base::geometry::{Point, Quad};
use boothd::models::ModelError;
use boothd::perception::document::homography::Homography;
use boothd::perception::document::net::Net;
use boothd::perception::document::text::TextReader;
use boothd::perception::document::text::regions::RegionFinder;
use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};

/// The reader's characters; the net has a class more, the blank.
const CHARSET: &str = "0123X年月日张 ·女";

/// A net that says what it was told to.
#[derive(Debug)]
struct Told(Arc<Mutex<Vec<f32>>>);

impl Net for Told {
    fn run(&mut self, _input: &[f32], outputs: &mut [&mut [f32]]) -> Result<(), ModelError> {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for output in outputs {
            output.fill(0.0);
            output.iter_mut().zip(&*told).for_each(|(o, t)| *o = *t);
        }
        Ok(())
    }
}

struct Kept {
    finder: RegionFinder,
    map: Vec<f32>,
    told: Arc<Mutex<Vec<f32>>>,
    reader: TextReader,
}

thread_local! {
    static KEPT: RefCell<Kept> = RefCell::new({
        let told = Arc::new(Mutex::new(Vec::new()));
        Kept {
            finder: RegionFinder::default(),
            map: Vec::new(),
            reader: TextReader::new(Box::new(Told(Arc::clone(&told))), CHARSET.chars().collect()),
            told,
        }
    });
}

/// The first byte chooses: a map or a line. A byte a value; from 250 on, values that no probability has.
pub fn run(data: &[u8]) {
    let mut input = Bytes::new(data);
    let mode = input.u8();
    KEPT.with_borrow_mut(|kept| match mode % 2 {
        0 => map(input, kept),
        _ => line(input, mode, kept),
    });
}

fn value(b: u8) -> f32 {
    match b {
        250 => f32::NAN,
        251 => f32::INFINITY,
        252 => f32::NEG_INFINITY,
        253 => 1e30,
        254 => -1.0,
        b => f32::from(b) / 249.0,
    }
}

fn map(mut input: Bytes<'_>, kept: &mut Kept) {
    let width = 1 + input.below(40);
    let repeat = 1 + input.below(4);
    kept.map.clear();
    for b in input.rest() {
        let more = kept.map.len() + repeat;
        kept.map.resize(more, value(*b));
    }
    let probable = kept.map.iter().all(|p| (0.0..=1.0).contains(p));
    let lines = kept.finder.find(&kept.map, width);
    assert!(lines.len() <= kept.map.len() / 12);
    let mut before = f32::MIN;
    for line in lines.iter().filter(|_| probable) {
        assert!((0.4..=1.0).contains(&line.score));
        let Quad(corners) = line.quad;
        assert!(corners.iter().all(|p| p.x.is_finite() && p.y.is_finite()));
        let middle = line.quad.centre().y;
        assert!(middle >= before, "from the top down");
        before = middle;
    }
    kept.finder.forget();
}

fn line(mut input: Bytes<'_>, mode: u8, kept: &mut Kept) {
    let alphabet = (mode & 2 == 0).then(|| kept.reader.alphabet(|c| c.is_ascii_digit()));
    // A narrow strip: how wide it is decides where characters stand, and wide ones take all the time.
    let wide = 1.0 + input.below(16) as f32 / 8.0;
    let pixels = [120u8; 16 * 4];
    let frame = FrameView::new(&pixels, 16, 4, 16, PixelFormat::Grey8, FrameMeta::default());
    let quad = |w: f32, h: f32| {
        Quad([(0.0, 0.0), (w, 0.0), (w, h), (0.0, h)].map(|(x, y)| Point::new(x, y)))
    };
    let Some((frame, map)) =
        frame
            .ok()
            .zip(Homography::from_rectangle(16.0, 4.0, &quad(16.0, 4.0)))
    else {
        return;
    };
    {
        let mut told = kept.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.clear();
        told.extend(input.rest().iter().map(|b| value(*b)));
    }
    let probable = kept
        .told
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .iter()
        .all(|p| (0.0..=1.0).contains(p));
    let reading = kept
        .reader
        .read(&frame, &map, &quad(wide, 4.0), alphabet.as_ref());
    let Ok(reading) = reading else {
        panic!("the net has not failed");
    };
    assert!(reading.characters.len() <= 40);
    for c in reading.characters.iter().filter(|_| probable) {
        assert!((0.0..=1.0).contains(&c.confidence) && (0.0..=1.0).contains(&c.at));
        assert!(CHARSET.contains(c.character));
        assert!(alphabet.is_none() || c.character.is_ascii_digit());
    }
    let _ = (reading.text(), reading.least_confidence());
}
