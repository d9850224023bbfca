//! The printed fields of a passport or card (the visual zone of ICAO Doc 9303) against its machine readable zone.
//!
//! Where the fields stand differs from issuer to issuer, so nothing is known but what they should say. Every line of print of a
//! possible length is read by the fast reader (that of the zone, a tenth of the other's time). Where it finds what the zone says,
//! the field is verified; the lines that are most like what is still looked for are read by the reader for all print.
//!
//! A field that is found is verified. It is refuted only by something that can be nothing else (see [`matching`]), and never by the
//! fast reader; all else is not read.
//!
//! This takes as long as all the rest of the document room together, so it is done for each document in few frames: until every
//! field is verified, and not more often than [`MOST_TURNS`] times.

mod days;
mod folding;
mod likeness;
mod matching;

use super::mrz::{Mrz, MrzFormat};
use super::mrz_lines::MrzReader;
use super::page::Page;
use super::text::{TextFinder, TextReader};
use crate::base::frame::FrameView;
use crate::base::geometry::Quad;
use crate::base::secret::Secret;
use crate::models::ModelError;
use crate::perception::observation::PrintedChecks;
use matching::{Expected, Found, N_FIELDS};

/// Lines that the reader for all print may read in one turn, and for one field.
const MOST_LINES: usize = 5;
const MOST_LINES_A_FIELD: usize = 2;
/// Lines that the fast reader reads in one turn.
const MOST_FAST_LINES: usize = 40;
/// Turns for one document, a turn in each frame.
const MOST_TURNS: u32 = 6;
/// Below this likeness to what is looked for, a line is something else to the fast reader. Labels reach 0.45, print of a font that it
/// hardly knows 0.5 and more (seen on specimens).
const LEAST_LIKENESS: f32 = 0.5;
/// The fields that are dates. A line that is less like a date than this is one seldom (seen on drawn documents): one such is read.
const DATES: [usize; 2] = [3, 4];
const LIKE_A_DATE: f32 = 0.7;
/// Width of one printed character in heights of a line as the finder gives it.
const CHARACTER_ASPECT: f32 = 0.45;
/// A line may be so many times as short as what is looked for; it may be longer, by its label.
const SHORTEST: f32 = 0.4;
/// Share of the page from the bottom that the machine readable zone takes (Doc 9303-3: 23.2 mm of 88, of 74 and of 54).
const fn zone_share(format: MrzFormat) -> f32 {
    match format {
        MrzFormat::Td3 | MrzFormat::MrvA => 0.27,
        MrzFormat::Td2 | MrzFormat::MrvB => 0.32,
        MrzFormat::Td1 => 0.44,
    }
}

/// What is known of a line of the present page.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// How like each field the fast reader found it.
    likeness: [f32; N_FIELDS],
    /// The reader for all print has had it.
    is_read: bool,
}

/// Compares printed fields; remembers what it found for the present document.
#[derive(Debug, Default)]
pub struct PrintedReader {
    /// Which document: its number and its holder's date of birth.
    of: Option<(Secret, Secret)>,
    found: Found,
    /// How often lines were read.
    n_turns: u32,
    /// The lines of the present page that may hold a field, and what is known of each.
    lines: Vec<Quad>,
    seen: Vec<Seen>,
}

/// The nets that print is read with, and the frame it is read from.
#[derive(Debug)]
pub struct Readers<'a, 'f> {
    /// The frame.
    pub frame: &'a FrameView<'f>,
    /// The reader of zones: fast.
    pub fast: &'a mut MrzReader,
    /// The text finder.
    pub finder: &'a mut TextFinder,
    /// The reader for all print.
    pub all: &'a mut TextReader,
}

impl PrintedReader {
    /// What is known of the printed fields of the present document.
    pub fn checks(&self) -> PrintedChecks {
        self.found.checks()
    }

    /// Whether looking at the document with the zone `mrz` may say more. Begins anew if it is another one than before.
    pub fn wants(&mut self, mrz: &Mrz) -> bool {
        let document = (mrz.document_number.clone(), mrz.birth_date.clone());
        if self.of.as_ref() != Some(&document) {
            self.of = Some(document);
            self.found = Found::of(&Expected::of(mrz));
            self.n_turns = 0;
        }
        let open = self.found.open().contains(&true);
        // A zone that is not sure of itself proves nothing about the print.
        open && self.n_turns < MOST_TURNS && !mrz.checks.any_refuted()
    }

    /// Looks for the fields of the zone `mrz` on `page`, which reads as it stands and was taken from the readers' frame.
    ///
    /// # Errors
    /// [`ModelError`] if a net could not be run.
    pub fn look(
        &mut self,
        page: &Page,
        mrz: &Mrz,
        readers: &mut Readers<'_, '_>,
    ) -> Result<(), ModelError> {
        let Some(map) = page.map() else {
            return Ok(());
        };
        self.n_turns += 1;
        let expected = Expected::of(mrz);
        let bottom = page.height() as f32 * (1.0 - zone_share(mrz.format));
        self.find(page, bottom, &expected, readers.finder)?;
        let (found, seen) = (&mut self.found, &mut self.seen);
        seen.clear();
        let lines = &self.lines;
        readers
            .fast
            .read_prints(readers.frame, map, lines, |_, text, confidence| {
                seen.push(Seen {
                    likeness: expected.likeness(text),
                    is_read: false,
                });
                found.take_fast(text, confidence, &expected);
                found.open().contains(&true)
            })?;
        let mut n_read = [0; N_FIELDS];
        for _ in 0..MOST_LINES {
            let open = found.open();
            let least = std::array::from_fn(|field| match n_read[field] {
                n if !open[field] || n >= MOST_LINES_A_FIELD => f32::INFINITY,
                n if n > 0 && DATES.contains(&field) => LIKE_A_DATE,
                _ => LEAST_LIKENESS,
            });
            let Some((i, field)) = next(seen, least) else {
                break;
            };
            n_read[field] += 1;
            seen[i].is_read = true;
            let reading = readers.all.read_latin(readers.frame, map, &lines[i])?;
            found.take(&reading, &expected);
        }
        Ok(())
    }

    /// Finds the lines above the zone that are long enough for something that is looked for.
    fn find(
        &mut self,
        page: &Page,
        bottom: f32,
        expected: &Expected,
        finder: &mut TextFinder,
    ) -> Result<(), ModelError> {
        let shortest = expected.lengths(&self.found).min().unwrap_or(0) as f32 * SHORTEST;
        let length = |q: &Quad| q.width() / (CHARACTER_ASPECT * q.height().max(1.0));
        let found = finder.find(page.plane())?.iter().map(|line| line.quad);
        let possible = found.filter(|q| q.centre().y < bottom && length(q) >= shortest);
        self.lines.clear();
        self.lines.extend(possible.take(MOST_FAST_LINES));
        Ok(())
    }

    /// Forgets the document.
    pub fn forget(&mut self) {
        self.of = None;
        self.found = Found::default();
        self.n_turns = 0;
        self.lines.clear();
        self.seen.clear();
    }
}

/// The line that was not read and is most like a field of those that it is like enough, and that field.
fn next(lines: &[Seen], least: [f32; N_FIELDS]) -> Option<(usize, usize)> {
    let unread = (0..lines.len()).filter(|i| !lines[*i].is_read);
    unread
        .flat_map(|i| (0..N_FIELDS).map(move |field| (i, field)))
        .filter(|(i, field)| lines[*i].likeness[*field] >= least[*field])
        .max_by(|a, b| lines[a.0].likeness[a.1].total_cmp(&lines[b.0].likeness[b.1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        lines: &[([f32; N_FIELDS], bool)],
        least: [f32; N_FIELDS],
        expected: Option<(usize, usize)>,
    ) {
        let line = |(likeness, is_read): &([f32; N_FIELDS], bool)| Seen {
            likeness: *likeness,
            is_read: *is_read,
        };
        let lines: Vec<_> = lines.iter().map(line).collect();
        assert_eq!(next(&lines, least), expected);
    }

    #[test]
    fn the_line_that_is_most_like_an_open_field_is_read_next() {
        let number = |l| [l, 0.0, 0.0, 0.0, 0.0];
        let birth = |l| [0.0, 0.0, 0.0, l, 0.0];
        let lines = [
            (number(0.9), false),
            (birth(0.7), false),
            (birth(0.4), false),
        ];
        check(&lines, [0.5; N_FIELDS], Some((0, 0)));
        // The number is known.
        check(&lines, [f32::INFINITY, 0.5, 0.5, 0.5, 0.5], Some((1, 3)));
        let lines = [(number(0.9), true), (birth(0.7), true), (birth(0.4), false)];
        check(&lines, [0.5; N_FIELDS], None);
        check(&[], [0.5; N_FIELDS], None);
    }
}
