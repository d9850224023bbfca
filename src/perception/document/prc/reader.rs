//! Reads a side of the card: first what tells at small cost whether it is one, then its fields.
//!
//! ```text
//! page, upright and turned -> number (line reader, 1 ms a cut) --18 digits--> front: text reader on the number, text finder, fields
//!                                                              | none
//!                                                              v
//!                             term of validity (text reader, 5 ms) --two days--> back: text finder, fields
//! ```
//!
//! A frame with something else in it costs the upper row and the two readings of the lower one; the finder runs on cards only.

use super::fields;
use super::layout::{self, Zone};
use super::number::{self, Digits};
use super::refine;
use super::regions::Regions;
use super::rows::Rows;
use super::{PrcBack, PrcChecks, PrcFront, PrcSide};
use crate::base::frame::FrameView;
use crate::base::geometry::{Point, Quad};
use crate::base::secret::Secret;
use crate::models::ModelError;
use crate::perception::document::field::FieldCheck;
use crate::perception::document::gb11643::{self, Gb11643Sex};
use crate::perception::document::homography::Homography;
use crate::perception::document::mrz_lines::{MrzReader, PAGE_WIDTH};
use crate::perception::document::page::Page;
use crate::perception::document::rectify;
use crate::perception::document::text::{
    Alphabet, LineReading, ReadCharacter, TextFinder, TextLine, TextReader,
};

/// Cuts of the number for the line reader, in heights of its print: at the ends, above and below. The first is right most often.
const NUMBER_PADDINGS: [(f32, f32); 3] = [(0.6, 0.45), (0.9, 0.3), (0.4, 0.6)];
/// A line of print that is a number is at least so many times as wide as high, with what the finder takes around it.
const NUMBER_ASPECT: f32 = 8.0;
/// Heights of a line's other cuts, as shares of what the finder says, and from when on none is tried.
const OTHER_HEIGHTS: [f32; 3] = [1.15, 0.87, 1.3];
const SURE: f32 = 0.85;
/// Rows that are read when labels are looked for; a front has seven.
const MOST_ROWS: usize = 8;
/// The cut for the text reader, which wants less around the print.
const TEXT_PADDING: (f32, f32) = (0.4, 0.2);
/// From this mean confidence on, what the line reader says of a zone may be a number, even if it does not verify.
const LEAST_NUMBER_CONFIDENCE: f32 = 0.6;

/// Least confidence in every character of a field; below, the field is not read. Chosen on cards of the generator.
pub(super) const LEAST_NAME: f32 = 0.75;
const LEAST_SEX: f32 = 0.6;
/// One of 56, so that less tells them apart.
const LEAST_ETHNICITY: f32 = 0.2;
pub(super) const LEAST_BIRTH: f32 = 0.5;
pub(super) const LEAST_ADDRESS: f32 = 0.3;
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
            ethnicities: reader
                .alphabet(|c| c == '族' || fields::ETHNICITIES.iter().any(|e| e.contains(c))),
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
            if let Some((term, confidence)) = self.term(page, tools)? {
                let side = PrcSide::Back(self.back(page, tools, term, confidence)?);
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

    fn front(
        &mut self,
        page: &Page,
        tools: &mut Tools<'_, '_>,
        number: number::Decided,
        confidence: f32,
    ) -> Result<PrcFront, ModelError> {
        self.find(page, tools)?;
        let mut front = PrcFront {
            number: Secret::new(number.digits.text()),
            confidence,
            repaired: number.repaired,
            ..PrcFront::default()
        };
        let name = self.first_line(page, tools, &layout::NAME, Field::Name)?;
        if name.least_confidence() >= LEAST_NAME
            && let Some(text) = fields::name(name.text().reveal())
        {
            front.name = Secret::new(text);
            front.name_confidence = name.least_confidence();
        }
        let sex = self.first_line(page, tools, &layout::SEX, Field::Sex)?;
        if let [
            ReadCharacter {
                character,
                confidence,
                ..
            },
        ] = sex.characters.as_slice()
            && *confidence >= LEAST_SEX
        {
            front.sex = Secret::new(*character);
        }
        let people = self.first_line(page, tools, &layout::ETHNICITY, Field::Ethnicity)?;
        if people.least_confidence() >= LEAST_ETHNICITY
            && let Some(people) = fields::ethnicity(people.text().reveal())
        {
            front.ethnicity = Secret::new(people);
        }
        let birth = self.first_line(page, tools, &layout::BIRTH, Field::BirthDate)?;
        if birth.least_confidence() >= LEAST_BIRTH
            && let Some(day) = fields::birth_date(birth.text().reveal())
        {
            front.birth_date = Secret::new(day);
        }
        let (address, least) = self.all_lines(page, tools, &layout::ADDRESS, Field::Address)?;
        if least >= LEAST_ADDRESS {
            front.address = Secret::new(fields::address(address.reveal()));
        }
        // The printed date of birth is the number's, or the rows do not stand where they should: corners are off sometimes.
        if front.birth_date.is_empty()
            || Some(front.birth_date.reveal()) != number.digits.text().get(6..14)
        {
            self.by_labels(page, tools, &mut front)?;
        }
        front.checks = self.checks(&front, number.check_character);
        Ok(front)
    }

    /// Reads whole rows and takes their fields by the printed labels; what stands in `front` gives way to it. Nothing is taken
    /// if no row has a date of birth: then these are no rows of a card.
    fn by_labels(
        &mut self,
        page: &Page,
        tools: &mut Tools<'_, '_>,
        front: &mut PrcFront,
    ) -> Result<(), ModelError> {
        let Some(map) = page.map() else {
            return Ok(());
        };
        layout::rows(&self.found, layout::NUMBER.on_page().y, &mut self.lines);
        let mut rows = Rows::default();
        for quad in self.lines.iter().take(MOST_ROWS) {
            let reading = tools.reader.read(tools.frame, map, quad, None)?;
            rows.take(&reading);
        }
        if let Some(read) = rows.into_fields() {
            front.name_confidence = read.name_confidence;
            front.name = read.name;
            front.sex = read.sex;
            front.ethnicity = read.ethnicity;
            front.birth_date = read.birth_date;
            front.address = read.address;
        }
        Ok(())
    }

    fn checks(&self, front: &PrcFront, check_character: FieldCheck) -> PrcChecks {
        let digits = front.number.reveal();
        let printed = |field: &Secret, expected: Option<&str>| {
            let both = !field.is_empty() && expected.is_some();
            FieldCheck::of_option(both.then(|| Some(field.reveal()) == expected))
        };
        let region = digits.get(..6).and_then(|code| code.parse().ok());
        let sex = gb11643::sex(digits).map(|sex| match sex {
            Gb11643Sex::Male => "男",
            Gb11643Sex::Female => "女",
        });
        PrcChecks {
            check_character,
            region: region.map_or(FieldCheck::NotRead, |code| self.regions.check(code)),
            birth_date: printed(&front.birth_date, digits.get(6..14)),
            sex: printed(&front.sex, sex),
        }
    }

    /// The term of validity, where the back has it, and the confidence in its least sure character.
    fn term(
        &mut self,
        page: &Page,
        tools: &mut Tools<'_, '_>,
    ) -> Result<Option<((String, String), f32)>, ModelError> {
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
        Ok(fields::term(reading.text().reveal()).map(|term| (term, confidence)))
    }

    fn back(
        &mut self,
        page: &Page,
        tools: &mut Tools<'_, '_>,
        (from, until): (String, String),
        confidence: f32,
    ) -> Result<PrcBack, ModelError> {
        self.find(page, tools)?;
        let (issuer, least) = self.all_lines(page, tools, &layout::ISSUER, Field::Issuer)?;
        let issuer = fields::issuer(issuer.reveal()).filter(|_| least >= LEAST_ISSUER);
        Ok(PrcBack {
            issuer: issuer.map(Secret::new).unwrap_or_default(),
            valid_from: Secret::new(from),
            valid_until: Secret::new(until),
            confidence,
        })
    }

    /// Wipes what was derived from pixels.
    pub fn forget(&mut self) {
        self.profile.clear();
        self.found.clear();
        self.lines.clear();
    }

    /// Where the print of the page is.
    fn find(&mut self, page: &Page, tools: &mut Tools<'_, '_>) -> Result<(), ModelError> {
        self.found.clear();
        self.found
            .extend_from_slice(tools.finder.find(page.plane())?);
        Ok(())
    }

    /// The first line of a zone, or what stands in its middle if none was found.
    fn first_line(
        &mut self,
        page: &Page,
        tools: &mut Tools<'_, '_>,
        zone: &Zone,
        field: Field,
    ) -> Result<LineReading, ModelError> {
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
        zone.lines(&self.found, &mut self.lines);
        let (mut text, mut least) = (String::with_capacity(128), f32::MAX);
        for i in 0..self.lines.len() {
            let quad = self.lines[i];
            let reading = self.line(page, tools, &quad, field)?;
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
        &mut self,
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
    Ethnicity,
    BirthDate,
    Address,
    Issuer,
}
