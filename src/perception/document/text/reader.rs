//! Reads one line of Chinese or Latin print: cut out of the frame once, then the net, then the text with its confidences.

use super::ctc::{self, Step};
use crate::base::frame::FrameView;
use crate::base::geometry::Quad;
use crate::base::secret::Secret;
use crate::models::{Catalogue, ModelError, ModelTask};
use crate::perception::document::homography::Homography;
use crate::perception::document::net::{ModelNet, Net};
use crate::perception::document::rectify;
use crate::perception::document::stages::{Stage, stage};
use zeroize::Zeroize;

/// Input of the net: as high as a line, and at most as wide as its maker trained it; a line that is shorter takes less time.
const HEIGHT: usize = 48;
const WIDTH: usize = 320;
/// Widths that it is given: multiples of this, so that lines of like length need no other shape.
const WIDTH_STEP: usize = 32;
/// Pixels of a step of its output.
const PX_A_STEP: usize = 8;
/// Steps of its output at full width.
const N_STEPS: usize = WIDTH / PX_A_STEP;
/// How wide a pixel of a line of Latin letters is made.
const LATIN_SQUEEZE: f32 = 0.75;
/// Samples averaged for one pixel, in each direction.
const SUB: usize = 2;

/// The characters that a field can have, as classes of the reader.
#[derive(Clone, Debug)]
pub struct Alphabet {
    classes: Vec<u32>,
}

/// One character of a line.
#[derive(Clone, Copy, PartialEq)]
pub struct ReadCharacter {
    /// Which.
    pub character: char,
    /// Its probability, 0..=1.
    pub confidence: f32,
    /// Where it stands along the line, 0..=1.
    pub at: f32,
}

impl std::fmt::Debug for ReadCharacter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReadCharacter([redacted])")
    }
}

/// What a line says. Wiped when dropped; `Debug` shows its length only.
#[derive(Clone, Default, PartialEq)]
pub struct LineReading {
    /// Its characters from the left.
    pub characters: Vec<ReadCharacter>,
}

impl LineReading {
    /// The text.
    pub fn text(&self) -> Secret {
        Secret::new(
            self.characters
                .iter()
                .map(|c| c.character)
                .collect::<String>(),
        )
    }

    /// The confidence in the least sure character; 0 for no characters.
    pub fn least_confidence(&self) -> f32 {
        let least = |a: f32, c: &ReadCharacter| a.min(c.confidence);
        if self.characters.is_empty() {
            0.0
        } else {
            self.characters.iter().fold(1.0, least)
        }
    }
}

impl std::fmt::Debug for LineReading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LineReading({} characters)", self.characters.len())
    }
}

impl Drop for LineReading {
    fn drop(&mut self) {
        for c in &mut self.characters {
            c.character = '\0';
        }
    }
}

/// Reads lines; keeps its buffers.
pub struct TextReader {
    net: Box<dyn Net>,
    charset: Vec<char>,
    strip: Vec<f32>,
    input: Vec<f32>,
    /// Width that the net has at present.
    width: usize,
    pub(super) probabilities: Vec<f32>,
    steps: Vec<Step>,
}

impl std::fmt::Debug for TextReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TextReader({:?})", self.net)
    }
}

impl TextReader {
    /// A reader on the model of the catalogue.
    ///
    /// # Errors
    /// [`ModelError`] if model or charset cannot be loaded, or do not fit each other.
    pub fn load(catalogue: &Catalogue) -> Result<Self, ModelError> {
        let task = ModelTask::TextReader;
        let charset = catalogue.charset(task)?;
        let net = ModelNet::load(
            catalogue,
            task,
            HEIGHT * WIDTH * 3,
            &[&[N_STEPS, charset.len() + 1]],
        )?;
        Ok(Self::new(Box::new(net), charset))
    }

    /// A reader on the net for lines: `[1, 48, width, 3]` to probabilities `[1, width / 8, 1 + characters]`; the width is 320 at first.
    pub fn new(net: Box<dyn Net>, charset: Vec<char>) -> Self {
        Self {
            net,
            strip: vec![0.0; HEIGHT * WIDTH],
            input: vec![0.0; HEIGHT * WIDTH * 3],
            width: WIDTH,
            probabilities: vec![0.0; N_STEPS * (charset.len() + 1)],
            steps: Vec::with_capacity(N_STEPS),
            charset,
        }
    }

    /// The alphabet of the characters for which `fits` holds.
    pub fn alphabet(&self, fits: impl Fn(char) -> bool) -> Alphabet {
        let fitting = |(i, c): (usize, &char)| fits(*c).then_some(i as u32 + 1);
        Alphabet {
            classes: self
                .charset
                .iter()
                .enumerate()
                .filter_map(fitting)
                .collect(),
        }
    }

    /// Reads the line inside `quad` of a page that `map` takes to the frame; its corners are as it reads. With an alphabet,
    /// nothing else is found.
    ///
    /// # Errors
    /// [`ModelError`] if the net could not be run.
    pub fn read(
        &mut self,
        frame: &FrameView<'_>,
        map: &Homography,
        quad: &Quad,
        alphabet: Option<&Alphabet>,
    ) -> Result<LineReading, ModelError> {
        stage(Stage::TextReader, || {
            self.read_line(frame, map, quad, 1.0, alphabet)
        })
    }

    /// Reads a line of Latin letters as [`Self::read`] does, made narrower: a letter is half as wide as an ideograph and needs fewer
    /// steps.
    ///
    /// # Errors
    /// [`ModelError`] if the net could not be run.
    pub fn read_latin(
        &mut self,
        frame: &FrameView<'_>,
        map: &Homography,
        quad: &Quad,
    ) -> Result<LineReading, ModelError> {
        stage(Stage::TextReader, || {
            self.read_line(frame, map, quad, LATIN_SQUEEZE, None)
        })
    }

    fn read_line(
        &mut self,
        frame: &FrameView<'_>,
        map: &Homography,
        quad: &Quad,
        squeeze: f32,
        alphabet: Option<&Alphabet>,
    ) -> Result<LineReading, ModelError> {
        let used = width_of(quad, squeeze);
        let width = used.next_multiple_of(WIDTH_STEP);
        if width != self.width {
            self.net.resize(&[1, HEIGHT, width, 3])?;
            self.width = width;
        }
        self.cut(frame, map, quad, used);
        let n_classes = self.charset.len() + 1;
        let probabilities = &mut self.probabilities[..width / PX_A_STEP * n_classes];
        let input = &self.input[..HEIGHT * width * 3];
        self.net.run(input, &mut [&mut *probabilities])?;
        self.steps.clear();
        let allowed = alphabet.map(|a| a.classes.as_slice());
        ctc::decode(probabilities, n_classes, allowed, &mut self.steps);
        let steps = used as f32 / PX_A_STEP as f32;
        let named = |s: &Step| {
            self.charset.get(s.class - 1).map(|c| ReadCharacter {
                character: *c,
                confidence: s.probability,
                at: ((s.at as f32 + 0.5) / steps).min(1.0),
            })
        };
        Ok(LineReading {
            characters: self.steps.iter().filter_map(named).collect(),
        })
    }

    /// Fills the input with the line, `used` pixels wide.
    fn cut(&mut self, frame: &FrameView<'_>, map: &Homography, quad: &Quad, used: usize) {
        let strip = &mut self.strip[..HEIGHT * used];
        rectify::strip(frame, map, quad, (used, HEIGHT), SUB, strip);
        for (row, from) in self
            .input
            .chunks_exact_mut(3 * self.width)
            .zip(strip.chunks_exact(used))
        {
            let (line, rest) = row.split_at_mut(3 * used);
            for (pixel, v) in line.chunks_exact_mut(3).zip(from) {
                pixel.fill(v / 127.5 - 1.0);
            }
            rest.fill(0.0);
        }
    }

    /// Wipes what was derived from pixels.
    pub fn forget(&mut self) {
        self.strip.as_mut_slice().zeroize();
        self.input.as_mut_slice().zeroize();
        self.probabilities.as_mut_slice().zeroize();
        self.steps.clear();
    }
}

/// Columns of the input that a line takes of which a pixel is made `squeeze` wide.
fn width_of(quad: &Quad, squeeze: f32) -> usize {
    let aspect = squeeze * quad.width() / quad.height().max(1e-3);
    // At least one step, and squeezed where it is longer than the input, as the maker does in training.
    ((HEIGHT as f32 * aspect).ceil() as usize).clamp(PX_A_STEP, WIDTH)
}

impl Drop for TextReader {
    fn drop(&mut self) {
        self.forget();
    }
}
