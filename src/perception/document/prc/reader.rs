//! Reads a side of the card: first what tells at small cost whether it is one, then its fields.
//!
//! ```text
//! page, upright and turned -> number (line reader, 1 ms a cut) --18 digits--> front: fields
//!                                                              | none
//!                                                              v
//!                             term of validity (text reader, 5 ms) --two days--> back: fields
//! ```
//!
//! A field is read where the layout has it, if its print lies clear of all else there and is read surely. For the others the text
//! finder says where the lines are, which takes as long as reading several.
//!
//! A frame with something else in it costs the upper row and the two readings of the lower one; the finder runs on cards only, and on few.

mod front;

pub(super) use front::{LEAST_ADDRESS, LEAST_BIRTH, LEAST_NAME};

use super::fields;
use super::layout::{self, Zone};
use super::number::{self, Digits};
use super::refine;
use super::regions::Regions;
use super::{PrcBack, PrcSide};
use crate::base::frame::FrameView;
use crate::base::geometry::{Point, Quad, Rect};
use crate::base::secret::Secret;
use crate::models::ModelError;
use crate::perception::document::homography::Homography;
use crate::perception::document::mrz_lines::{MrzReader, PAGE_WIDTH};
use crate::perception::document::page::Page;
use crate::perception::document::rectify;
use crate::perception::document::text::{Alphabet, LineReading, TextFinder, TextLine, TextReader};

/// Cuts of the number for the line reader, in heights of its print: at the ends, above and below. The first is right most often.
const NUMBER_PADDINGS: [(f32, f32); 3] = [(0.6, 0.45), (0.9, 0.3), (0.4, 0.6)];
/// A line of print that is a number is at least so many times as wide as high, with what the finder takes around it.
const NUMBER_ASPECT: f32 = 8.0;
/// Heights of a line's other cuts, as shares of what the finder says, and from when on none is tried.
const OTHER_HEIGHTS: [f32; 3] = [1.15, 0.87, 1.3];
const SURE: f32 = 0.85;
/// A number that verifies is asked of one reader only if its least sure character is at least so sure.
const NUMBER_SURE: f32 = 0.9;
/// The cut for the text reader, which wants less around the print.
const TEXT_PADDING: (f32, f32) = (0.4, 0.2);
/// The same of several lines together, of which some have characters that are never sure.
const SURE_OF_ALL: f32 = 0.6;
/// From this mean confidence on, what the line reader says of a zone may be a number, even if it does not verify.
const LEAST_NUMBER_CONFIDENCE: f32 = 0.6;

/// Least confidence in every character of a field; below, the field is not read.
const LEAST_TERM: f32 = 0.5;
const LEAST_ISSUER: f32 = 0.4;

/// A side that was read.
#[derive(Debug)]
pub struct ReadSide {
    /// What it said.
    pub side: PrcSide,
    /// The page stood upside down. It has been turned.
    pub half_turned: bool,
}

impl ReadSide {
    /// Confidence in what told that it is such a card.
    pub fn confidence(&self) -> f32 {
        match &self.side {
            PrcSide::Front(front) => front.confidence,
            PrcSide::Back(back) => back.confidence,
        }
    }
}

/// Reads cards; keeps its buffers.
#[derive(Debug)]
pub struct PrcReader {
    regions: Regions,
    digits: Alphabet,
    names: Alphabet,
    sexes: Alphabet,
    ethnicities: Alphabet,
    persons: Alphabet,
    birth_dates: Alphabet,
    addresses: Alphabet,
    terms: Alphabet,
    issuers: Alphabet,
    profile: Vec<f32>,
    found: Vec<TextLine>,
    lines: Vec<Quad>,
}

/// The nets that a card is read with, and the frame it is read from.
#[derive(Debug)]
pub struct Tools<'a, 'f> {
    /// The frame.
    pub frame: &'a FrameView<'f>,
    /// The line reader.
    pub lines: &'a mut MrzReader,
    /// The text finder.
    pub finder: &'a mut TextFinder,
    /// The text reader.
    pub reader: &'a mut TextReader,
}

impl PrcReader {
    /// A reader with the alphabets of the text reader that it will be used with.
    pub fn new(reader: &TextReader) -> Self {
        Self {
            regions: Regions::load(),
            digits: reader.alphabet(|c| c.is_ascii_digit() || c == 'X'),
            names: reader.alphabet(fields::is_of_names),
            sexes: reader.alphabet(|c| matches!(c, '男' | '女')),
            ethnicities: reader.alphabet(fields::is_of_ethnicities),
            persons: reader
                .alphabet(|c| matches!(c, '男' | '女' | '民') || fields::is_of_ethnicities(c)),
            birth_dates: reader.alphabet(fields::is_of_birth_dates),
            addresses: reader.alphabet(fields::is_of_addresses),
            terms: reader.alphabet(fields::is_of_terms),
            issuers: reader.alphabet(fields::is_ideograph),
            profile: Vec::new(),
            found: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// Reads the front, if `page` shows one: a number stands where the front has it. The page, which was taken from the tools'
    /// frame, may be upside down; it is turned then.
    ///
    /// # Errors
    /// [`ModelError`] if a net could not be run.
    pub fn read_front(
        &mut self,
        page: &mut Page,
        tools: &mut Tools<'_, '_>,
    ) -> Result<Option<ReadSide>, ModelError> {
        for half_turned in [false, true] {
            if let Some((decided, confidence)) = self.number(page, tools)? {
                let side = PrcSide::Front(self.front(page, tools, decided, confidence)?);
                return Ok(Some(ReadSide { side, half_turned }));
            }
            // After the second turn it stands as it stood.
            page.half_turn();
        }
        Ok(None)
    }

    /// Reads the front as [`Self::read_front`] does, but looks for the number all over the page: for corners that are wrong.
    /// As slow as the text finder.
    ///
    /// # Errors
    /// [`ModelError`] if a net could not be run.
    pub fn search_front(
        &mut self,
        page: &mut Page,
        tools: &mut Tools<'_, '_>,
    ) -> Result<Option<ReadSide>, ModelError> {
        self.find(page, tools)?;
        let Some(map) = page.map().copied() else {
            return Ok(None);
        };
        for i in 0..self.found.len() {
            let quad = self.found[i].quad;
            if quad.width() < NUMBER_ASPECT * quad.height() {
                continue;
            }
            for half_turned in [false, true] {
                let quad = if half_turned {
                    rectify::half_turned(&quad)
                } else {
                    quad
                };
                let decided =
                    self.number_at(&map, [1.3, 1.0].map(|by| higher(&quad, by)), &quad, tools)?;
                let Some((decided, confidence)) = decided else {
                    continue;
                };
                if half_turned {
                    page.half_turn();
                }
                let side = PrcSide::Front(self.front(page, tools, decided, confidence)?);
                return Ok(Some(ReadSide { side, half_turned }));
            }
        }
        Ok(None)
    }

    /// Reads the back, if `page` shows one: a term of validity stands where the back has it. As [`Self::read_front`].
    ///
    /// # Errors
    /// [`ModelError`] if a net could not be run.
    pub fn read_back(
        &mut self,
        page: &mut Page,
        tools: &mut Tools<'_, '_>,
    ) -> Result<Option<ReadSide>, ModelError> {
        for half_turned in [false, true] {
            if let Some(back) = self.term(page, tools)? {
                let side = PrcSide::Back(self.back(page, tools, back)?);
                return Ok(Some(ReadSide { side, half_turned }));
            }
            page.half_turn();
        }
        Ok(None)
    }

    /// The number, and the confidence in its least sure character.
    fn number(
        &mut self,
        page: &Page,
        tools: &mut Tools<'_, '_>,
    ) -> Result<Option<(number::Decided, f32)>, ModelError> {
        let Some(map) = page.map() else {
            return Ok(None);
        };
        let zone = layout::NUMBER.on_page();
        let Some(print) =
            refine::print_in(page.plane(), PAGE_WIDTH as usize, zone, &mut self.profile)
        else {
            return Ok(None);
        };
        let cuts = NUMBER_PADDINGS.map(|(ends, edges)| refine::padded(print, ends, edges));
        let text_cut = refine::padded(print, TEXT_PADDING.0, TEXT_PADDING.1);
        self.number_at(map, cuts, &text_cut, tools)
    }

    /// The number in the cuts of a line for the line reader, and in the one for the text reader.
    fn number_at(
        &self,
        map: &Homography,
        cuts: impl IntoIterator<Item = Quad>,
        text_cut: &Quad,
        tools: &mut Tools<'_, '_>,
    ) -> Result<Option<(number::Decided, f32)>, ModelError> {
        let mut best: Option<(Digits, f32)> = None;
        for quad in cuts {
            let (digits, confidence) = tools.lines.read_digits(tools.frame, map, &quad)?;
            if confidence < LEAST_NUMBER_CONFIDENCE / 2.0 {
                // No digits, whichever way they are cut out.
                break;
            }
            let Some(digits) = digits.filter(|_| confidence >= LEAST_NUMBER_CONFIDENCE) else {
                continue;
            };
            let verifies = digits.verifies();
            if best.is_none_or(|(b, c)| (verifies, confidence) > (b.verifies(), c)) {
                best = Some((digits, confidence));
            }
            if verifies {
                break;
            }
        }
        let Some((line, line_confidence)) = best else {
            return Ok(None);
        };
        if line.verifies() && line_confidence >= NUMBER_SURE {
            return Ok(number::decide(Some(line), None).map(|d| (d, line_confidence)));
        }
        let reading = tools
            .reader
            .read(tools.frame, map, text_cut, Some(&self.digits))?;
        let text = Digits::of(reading.characters.iter().map(|c| c.character));
        let confidence = match text {
            Some(_) => line_confidence.min(reading.least_confidence()),
            None => line_confidence,
        };
        Ok(number::decide(Some(line), text).map(|d| (d, confidence)))
    }

    /// A back with its term of validity, if that stands where a back has it.
    fn term(
        &mut self,
        page: &Page,
        tools: &mut Tools<'_, '_>,
    ) -> Result<Option<PrcBack>, ModelError> {
        let Some(map) = page.map() else {
            return Ok(None);
        };
        let zone = layout::TERM.on_page();
        let Some(print) =
            refine::print_in(page.plane(), PAGE_WIDTH as usize, zone, &mut self.profile)
        else {
            return Ok(None);
        };
        let quad = refine::padded(print, TEXT_PADDING.0, TEXT_PADDING.1);
        let reading = tools
            .reader
            .read(tools.frame, map, &quad, Some(&self.terms))?;
        let confidence = reading.least_confidence();
        if confidence < LEAST_TERM {
            return Ok(None);
        }
        let term = fields::term(reading.text().reveal());
        Ok(term.map(|(from, until)| PrcBack {
            issuer: Secret::default(),
            valid_from: Secret::new(from),
            valid_until: Secret::new(until),
            confidence,
        }))
    }

    /// The back with what else stands on it.
    fn back(
        &mut self,
        page: &Page,
        tools: &mut Tools<'_, '_>,
        mut back: PrcBack,
    ) -> Result<PrcBack, ModelError> {
        self.found.clear();
        let (issuer, least) = self.all_lines(page, tools, &layout::ISSUER, Field::Issuer)?;
        let issuer = fields::issuer(issuer.reveal()).filter(|_| least >= LEAST_ISSUER);
        back.issuer = issuer.map(Secret::new).unwrap_or_default();
        Ok(back)
    }

    /// Wipes what was derived from pixels.
    pub fn forget(&mut self) {
        self.profile.clear();
        self.found.clear();
        self.lines.clear();
    }

    /// As [`Self::find`], unless it was done for this page.
    fn find_once(&mut self, page: &Page, tools: &mut Tools<'_, '_>) -> Result<(), ModelError> {
        if self.found.is_empty() {
            self.find(page, tools)?;
        }
        Ok(())
    }

    /// Where the print of the page is.
    fn find(&mut self, page: &Page, tools: &mut Tools<'_, '_>) -> Result<(), ModelError> {
        self.found.clear();
        self.found
            .extend_from_slice(tools.finder.find(page.plane())?);
        Ok(())
    }

    /// The only line of a zone, if there is one whose ends are certain and that is read surely: without the text finder.
    fn only_line(
        &mut self,
        page: &Page,
        tools: &mut Tools<'_, '_>,
        zone: Rect,
        field: Field,
    ) -> Result<Option<LineReading>, ModelError> {
        let width = PAGE_WIDTH as usize;
        let Some(print) = refine::line_in(page.plane(), width, zone, &mut self.profile) else {
            return Ok(None);
        };
        let quad = refine::padded(print, TEXT_PADDING.0, TEXT_PADDING.1);
        let reading = self.line(page, tools, &quad, field)?;
        Ok((reading.least_confidence() >= SURE).then_some(reading))
    }

    /// The first line of a zone, or what stands in its middle if none was found.
    fn first_line(
        &mut self,
        page: &Page,
        tools: &mut Tools<'_, '_>,
        zone: &Zone,
        field: Field,
    ) -> Result<LineReading, ModelError> {
        if let Some(reading) = self.only_line(page, tools, zone.on_page(), field)? {
            return Ok(reading);
        }
        self.find_once(page, tools)?;
        zone.lines(&self.found, &mut self.lines);
        let quad = self.lines.first().copied();
        let quad = quad.unwrap_or_else(|| zone.middle_line());
        let mut best = self.line(page, tools, &quad, field)?;
        // Rare characters are sure in one cut and unsure in another; who is sure in the first is not asked again.
        for by in OTHER_HEIGHTS {
            if best.least_confidence() >= SURE {
                break;
            }
            let other = self.line(page, tools, &higher(&quad, by), field)?;
            if other.least_confidence() > best.least_confidence() {
                best = other;
            }
        }
        Ok(best)
    }

    /// All lines of a zone joined, and the least confidence over them (0 if nothing was found).
    fn all_lines(
        &mut self,
        page: &Page,
        tools: &mut Tools<'_, '_>,
        zone: &Zone,
        field: Field,
    ) -> Result<(Secret, f32), ModelError> {
        let width = PAGE_WIDTH as usize;
        let (mut certain, profile) = (Vec::new(), &mut self.profile);
        refine::lines_in(
            page.plane(),
            width,
            zone.on_page(),
            layout::HEAD,
            profile,
            &mut certain,
        );
        self.lines.clear();
        let padded = |print: &Rect| refine::padded(*print, TEXT_PADDING.0, TEXT_PADDING.1);
        self.lines.extend(certain.iter().map(padded));
        if !self.lines.is_empty() {
            let (text, least) = self.joined_lines(page, tools, field)?;
            if least >= SURE_OF_ALL {
                return Ok((text, least));
            }
        }
        self.find_once(page, tools)?;
        zone.lines(&self.found, &mut self.lines);
        self.joined_lines(page, tools, field)
    }

    /// What stands in `self.lines` one behind the other, and the least confidence over them (0 if there is nothing).
    fn joined_lines(
        &self,
        page: &Page,
        tools: &mut Tools<'_, '_>,
        field: Field,
    ) -> Result<(Secret, f32), ModelError> {
        let (mut text, mut least) = (String::with_capacity(512), f32::MAX);
        for quad in &self.lines {
            let reading = self.line(page, tools, quad, field)?;
            if reading.characters.is_empty() {
                continue;
            }
            least = least.min(reading.least_confidence());
            text.extend(reading.characters.iter().map(|c| c.character));
        }
        let least = if text.is_empty() { 0.0 } else { least };
        Ok((Secret::new(text), least))
    }

    fn line(
        &self,
        page: &Page,
        tools: &mut Tools<'_, '_>,
        quad: &Quad,
        field: Field,
    ) -> Result<LineReading, ModelError> {
        let Some(map) = page.map() else {
            return Ok(LineReading::default());
        };
        let alphabet = match field {
            Field::Name => &self.names,
            Field::Sex => &self.sexes,
            Field::SexAndEthnicity => &self.persons,
            Field::Ethnicity => &self.ethnicities,
            Field::BirthDate => &self.birth_dates,
            Field::Address => &self.addresses,
            Field::Issuer => &self.issuers,
        };
        tools.reader.read(tools.frame, map, quad, Some(alphabet))
    }
}

/// The quadrilateral made higher around its middle.
fn higher(quad: &Quad, by: f32) -> Quad {
    let [tl, tr, br, bl] = quad.0;
    let apart = |a: Point, b: Point| {
        let m = a.midpoint(b);
        Point::new(m.x + by * (a.x - m.x), m.y + by * (a.y - m.y))
    };
    Quad([apart(tl, bl), apart(tr, br), apart(br, tr), apart(bl, tl)])
}

#[derive(Clone, Copy, Debug)]
enum Field {
    Name,
    Sex,
    SexAndEthnicity,
    Ethnicity,
    BirthDate,
    Address,
    Issuer,
}
