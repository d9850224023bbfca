//! Reads the machine readable zone of a page: its lines are found by their print, cut out of the frame, and given to the line
//! reader, upright and upside down. Check digits decide what is right; more cuts are tried only while they do not verify.

mod best;
pub mod ctc;
mod find;
pub mod fit;
mod print;
mod strip;

use super::homography::Homography;
use super::mrz::Mrz;
use super::net::{ModelNet, Net};
use super::page::Page;
use super::prc::Digits;
use super::rectify;
use super::stages::{Stage, stage};
use crate::base::frame::FrameView;
use crate::base::geometry::Quad;
use crate::models::{Catalogue, ModelError, ModelTask};
use best::Best;
use find::{Candidate, LineFinder};
use fit::LineText;
use strip::{Padding, Strip};
use zeroize::Zeroize;

/// Width of the page that lines are looked for in.
pub const PAGE_WIDTH: u32 = find::WIDTH as u32;

/// Input of the line reader.
const STRIP_WIDTH: usize = 576;
const STRIP_HEIGHT: usize = 32;
/// Samples averaged for one pixel of a strip, in each direction.
const SUB: usize = 2;
/// Cuts that are tried, the one that is right most often first.
const PADDINGS: [Padding; 6] = [
    Padding {
        ends: 0.6,
        edges: 0.45,
    },
    Padding {
        ends: 0.9,
        edges: 0.3,
    },
    Padding {
        ends: 0.4,
        edges: 0.6,
    },
    Padding {
        ends: 0.8,
        edges: 0.55,
    },
    Padding {
        ends: 0.3,
        edges: 0.3,
    },
    // Where the ends were found a character or two too early.
    Padding {
        ends: 1.8,
        edges: 0.45,
    },
];
/// Those for lines whose ends are known.
const N_NARROW: usize = 5;
/// Below this mean confidence in both directions, the candidate is no print of the reader's alphabet: no other cut is tried.
const LEAST_CONFIDENCE: f32 = 0.7;
/// Texts that are off by more than this from every format get no other cut: their ends were not found, or it is no zone.
const FAR_OFF: usize = 6;
/// Below this mean confidence in one line, the others of the candidate are not read in that direction.
const NO_PRINT: f32 = 0.55;
/// Strips read for one page at most, so that a page full of print cannot hold up the frames behind it; and where other pages are
/// to be tried first.
const MAX_STRIPS: usize = 24;
/// The same for the page with a margin around it.
const MAX_ENLARGED_STRIPS: usize = 16;
const FEW_STRIPS: usize = 8;
/// The margin that is added where the corners may have cut the zone off, as a share of the page.
const MARGIN: f32 = 0.07;

/// A zone that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadZone {
    /// The parsed zone.
    pub mrz: Mrz,
    /// Lowest mean confidence over the lines, 0..=1.
    pub confidence: f32,
    /// The page stands upside down.
    pub half_turned: bool,
}

/// What a page says.
#[derive(Clone, Debug, PartialEq)]
pub enum ZoneReading {
    /// No lines like those of a machine readable zone.
    NoZone,
    /// Lines of the right kind, but no text whose check digits verify.
    Unreadable,
    /// The zone.
    Read(Box<ReadZone>),
}

/// Reads zones; keeps its buffers.
pub struct MrzReader {
    net: Box<dyn Net>,
    finder: LineFinder,
    candidates: Vec<Candidate>,
    enlarged: Page,
    strip: Vec<f32>,
    /// One of several lines before it is put into the strip.
    line: Vec<f32>,
    shared: Vec<print::Share>,
    logits: Vec<f32>,
    n_strips: usize,
    max_strips: usize,
}

impl std::fmt::Debug for MrzReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MrzReader({:?})", self.net)
    }
}

impl MrzReader {
    /// A reader on the model of the catalogue.
    ///
    /// # Errors
    /// [`ModelError`] if the model cannot be loaded.
    pub fn load(catalogue: &Catalogue) -> Result<Self, ModelError> {
        let net = ModelNet::load(
            catalogue,
            ModelTask::MrzLineReader,
            STRIP_WIDTH * STRIP_HEIGHT,
            &[&[ctc::N_STEPS, ctc::N_CLASSES]],
        )?;
        Ok(Self::new(Box::new(net)))
    }

    /// A reader on the net for lines: `[1, 32, 576, 1]`, normalised luminance, to logits `[1, 144, 38]`.
    pub fn new(net: Box<dyn Net>) -> Self {
        Self {
            net,
            finder: LineFinder::default(),
            candidates: Vec::new(),
            enlarged: Page::default(),
            strip: vec![0.0; STRIP_WIDTH * STRIP_HEIGHT],
            line: vec![0.0; STRIP_WIDTH * STRIP_HEIGHT],
            shared: Vec::with_capacity(STRIP_WIDTH / STRIP_HEIGHT),
            logits: vec![0.0; ctc::N_STEPS * ctc::N_CLASSES],
            n_strips: 0,
            max_strips: MAX_STRIPS,
        }
    }

    /// Reads the zone of `page`, which was taken from `frame`. At least `min_verified` check digits have to verify.
    ///
    /// # Errors
    /// [`ModelError`] if the net could not be run.
    pub fn read(
        &mut self,
        frame: &FrameView<'_>,
        page: &Page,
        min_verified: usize,
    ) -> Result<ZoneReading, ModelError> {
        stage(Stage::Zone, || self.read_zone(frame, page, min_verified))
    }

    fn read_zone(
        &mut self,
        frame: &FrameView<'_>,
        page: &Page,
        min_verified: usize,
    ) -> Result<ZoneReading, ModelError> {
        let mut best = Best::default();
        self.max_strips = MAX_STRIPS;
        self.try_page(frame, page, &mut best)?;
        if !best.is_certain()
            && let Some(quad) = page.enlarged(MARGIN)
        {
            self.max_strips = MAX_ENLARGED_STRIPS;
            let mut enlarged = std::mem::take(&mut self.enlarged);
            if enlarged.take(frame, &quad, page.height()) {
                self.try_page(frame, &enlarged, &mut best)?;
            }
            self.enlarged = enlarged;
        }
        let seen = best.seen;
        Ok(match best.into_zone() {
            Some(zone) if zone.mrz.checks.n_verified() >= min_verified => {
                ZoneReading::Read(Box::new(zone))
            }
            _ if seen => ZoneReading::Unreadable,
            _ => ZoneReading::NoZone,
        })
    }

    /// Reads the zone of `page` if that takes few strips and every check digit verifies: for one of several things that it may show.
    /// What is read with doubts is unreadable.
    ///
    /// # Errors
    /// [`ModelError`] if the net could not be run.
    pub fn read_at_once(
        &mut self,
        frame: &FrameView<'_>,
        page: &Page,
    ) -> Result<ZoneReading, ModelError> {
        let mut best = Best::default();
        self.max_strips = FEW_STRIPS;
        stage(Stage::Zone, || self.try_page(frame, page, &mut best))?;
        let (is_certain, seen) = (best.is_certain(), best.seen);
        Ok(match best.into_zone() {
            Some(zone) if is_certain => ZoneReading::Read(Box::new(zone)),
            _ if seen => ZoneReading::Unreadable,
            _ => ZoneReading::NoZone,
        })
    }

    /// Reads the line inside `quad`, in the plane that `map` takes to the frame, as a citizen identification number of GB 11643:
    /// digits, and X at the end. Gives it if there are 18 characters, and the probability of the least sure one.
    ///
    /// # Errors
    /// [`ModelError`] if the net could not be run.
    pub(super) fn read_digits(
        &mut self,
        frame: &FrameView<'_>,
        map: &Homography,
        quad: &Quad,
    ) -> Result<(Option<Digits>, f32), ModelError> {
        stage(Stage::Number, || {
            let size = (STRIP_WIDTH, STRIP_HEIGHT);
            rectify::strip(frame, map, quad, size, SUB, &mut self.strip);
            normalise(&mut self.strip);
            self.net.run(&self.strip, &mut [&mut self.logits])
        })?;
        let (text, confidence) = ctc::decode_digits(&self.logits);
        Ok((Digits::of(text.as_str().chars()), confidence))
    }

    /// Wipes what was derived from pixels.
    pub fn forget(&mut self) {
        self.finder.forget();
        self.enlarged.forget();
        self.strip.as_mut_slice().zeroize();
        self.line.as_mut_slice().zeroize();
        self.logits.as_mut_slice().zeroize();
    }

    fn try_page(
        &mut self,
        frame: &FrameView<'_>,
        page: &Page,
        best: &mut Best,
    ) -> Result<(), ModelError> {
        self.candidates.clear();
        self.candidates
            .extend_from_slice(self.finder.find(page.plane()));
        self.n_strips = 0;
        for i in 0..self.candidates.len() {
            let candidate = self.candidates[i];
            self.try_candidate(frame, page, &candidate, best)?;
            if best.is_certain() || self.n_strips >= self.max_strips {
                break;
            }
        }
        Ok(())
    }

    fn try_candidate(
        &mut self,
        frame: &FrameView<'_>,
        page: &Page,
        candidate: &Candidate,
        best: &mut Best,
    ) -> Result<(), ModelError> {
        let n = candidate.n_bands;
        let mut strips: Vec<Strip> = Vec::with_capacity(n);
        for line in 0..n {
            match strip::locate(&self.finder, candidate, line) {
                Some(strip) => strips.push(strip),
                None => return Ok(()),
            }
        }
        // A line whose last characters were lost is as long as the others.
        let longest = strips.iter().copied().reduce(|a, b| a.with_ends_of(&b));
        // The directions in which it may be print.
        let mut possible = [true; 2];
        for (k, padding) in PADDINGS.into_iter().enumerate() {
            for (may_be, half_turned) in possible.iter_mut().zip([false, true]) {
                if !*may_be {
                    continue;
                }
                let mut lines = Vec::with_capacity(n);
                let mut confidence = 1.0f32;
                for i in 0..n {
                    let mut strip = strips[if half_turned { n - 1 - i } else { i }];
                    // The first cut takes each line by itself, every other one takes their common ends.
                    if let (1, Some(longest)) = (k % 2, &longest) {
                        strip = strip.with_ends_of(longest);
                    }
                    let (text, c) = self.read_strip(frame, page, &strip, padding, half_turned)?;
                    confidence = confidence.min(c);
                    lines.push(text);
                    if c < NO_PRINT {
                        break;
                    }
                }
                *may_be = lines.len() == n
                    && confidence >= LEAST_CONFIDENCE
                    && fit::format_within(&lines, FAR_OFF).is_some();
                if lines.len() < n {
                    continue;
                }
                best.offer(&lines, confidence, half_turned);
                if best.is_certain() {
                    return self.read_names_again(
                        frame,
                        page,
                        &strips,
                        (k, half_turned),
                        lines,
                        confidence,
                        best,
                    );
                }
            }
            if possible == [false; 2] || self.n_strips >= self.max_strips {
                break;
            }
        }
        Ok(())
    }

    /// No check digit covers the names: where everything else verified, their line is read in the other cuts too, and what most
    /// cuts agree on is taken.
    #[expect(
        clippy::too_many_arguments,
        reason = "the state of one attempt, handed on once"
    )]
    fn read_names_again(
        &mut self,
        frame: &FrameView<'_>,
        page: &Page,
        strips: &[Strip],
        (used, half_turned): (usize, bool),
        mut lines: Vec<LineText>,
        confidence: f32,
        best: &mut Best,
    ) -> Result<(), ModelError> {
        // TD1 has them in its last line, the others in the first.
        let names = if lines.len() == 3 { 2 } else { 0 };
        let strip = strips[if half_turned {
            strips.len() - 1 - names
        } else {
            names
        }];
        let mut n_left = N_NARROW - usize::from(used < N_NARROW);
        for (k, padding) in PADDINGS.into_iter().enumerate().take(N_NARROW) {
            // The others cannot outvote what is ahead by more than all of them.
            if k != used && best.lead() <= n_left as f32 {
                n_left -= 1;
                let (text, c) = self.read_strip(frame, page, &strip, padding, half_turned)?;
                lines[names] = text;
                best.offer(&lines, confidence.min(c), half_turned);
            }
        }
        Ok(())
    }

    /// Cuts one line out of the frame, once, and reads it.
    fn read_strip(
        &mut self,
        frame: &FrameView<'_>,
        page: &Page,
        strip: &Strip,
        padding: Padding,
        half_turned: bool,
    ) -> Result<(LineText, f32), ModelError> {
        let Some(map) = page.map() else {
            return Ok((LineText::new(), 0.0));
        };
        let mut quad = strip.quad(padding);
        if half_turned {
            quad = rectify::half_turned(&quad);
        }
        self.n_strips += 1;
        let size = (STRIP_WIDTH, STRIP_HEIGHT);
        rectify::strip(frame, map, &quad, size, SUB, &mut self.strip);
        normalise(&mut self.strip);
        self.net.run(&self.strip, &mut [&mut self.logits])?;
        Ok(ctc::decode(&self.logits))
    }
}

impl Drop for MrzReader {
    fn drop(&mut self) {
        self.forget();
    }
}

/// `(x - mean) / (standard deviation + 8)`, as the reader was trained.
fn normalise(values: &mut [f32]) {
    let n = values.len() as f32;
    let mean = values.iter().sum::<f32>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / n;
    let scale = 1.0 / (variance.sqrt() + 8.0);
    values.iter_mut().for_each(|v| *v = (*v - mean) * scale);
}

#[cfg(test)]
mod tests;
