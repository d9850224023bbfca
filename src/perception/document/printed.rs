//! The printed fields of a passport or card (the visual zone of ICAO Doc 9303) against its machine readable zone.
//!
//! Where the fields stand differs from issuer to issuer, so nothing is known but what they should say: lines of print of about
//! the right length are read, and what the zone says is looked for in them. A field that is found verifies it. A field is refuted
//! only by something that can be nothing else (see [`matching`]); all else is not read.
//!
//! This takes as long as all the rest of the document room together, so it is done for each document in few frames: until every
//! field is verified, and not more often than [`MOST_TURNS`] times.

mod matching;

use super::field::FieldCheck;
use super::mrz::{Mrz, MrzFormat};
use super::page::Page;
use super::text::{TextFinder, TextReader};
use crate::base::frame::FrameView;
use crate::base::geometry::Quad;
use crate::base::secret::Secret;
use crate::models::ModelError;
use crate::perception::observation::PrintedChecks;
use matching::{Expected, Found};

/// Lines read in one turn: those whose length fits best, in the next turn those that come after.
const MOST_LINES: usize = 5;
/// Turns for one document, a turn in each frame.
const MOST_TURNS: u32 = 6;
/// Turns in a picture that no other follows.
const TURNS_OF_A_PAGE: usize = 3;
/// Width of one printed character in heights of a line as the finder gives it.
const CHARACTER_ASPECT: f32 = 0.45;
/// Share of the page from the bottom that the machine readable zone takes (Doc 9303-3: 23.2 mm of 88, of 74 and of 54).
const fn zone_share(format: MrzFormat) -> f32 {
    match format {
        MrzFormat::Td3 | MrzFormat::MrvA => 0.27,
        MrzFormat::Td2 | MrzFormat::MrvB => 0.32,
        MrzFormat::Td1 => 0.44,
    }
}

/// Compares printed fields; remembers what it found for the present document.
#[derive(Debug, Default)]
pub struct PrintedReader {
    /// Which document: its number and its holder's date of birth.
    of: Option<(Secret, Secret)>,
    checks: PrintedChecks,
    /// How often lines were read.
    n_turns: u32,
    /// The lines of the present page that may hold a field.
    lines: Vec<Quad>,
}

impl PrintedReader {
    /// What is known of the printed fields of the present document.
    pub fn checks(&self) -> PrintedChecks {
        self.checks
    }

    /// Whether looking at the document with the zone `mrz` may say more. Begins anew if it is another one than before.
    pub fn wants(&mut self, mrz: &Mrz) -> bool {
        let document = (mrz.document_number.clone(), mrz.birth_date.clone());
        if self.of.as_ref() != Some(&document) {
            self.of = Some(document);
            self.checks = PrintedChecks::default();
            self.n_turns = 0;
        }
        let open = self
            .checks
            .named()
            .iter()
            .any(|(_, c)| *c != FieldCheck::Verified);
        // A zone that is not sure of itself proves nothing about the print.
        open && self.n_turns < MOST_TURNS && !mrz.checks.any_refuted()
    }

    /// Finds the lines of `page`, which reads as it stands and has the zone `mrz`; gives how many calls of [`Self::look`] may say
    /// something new of them.
    ///
    /// # Errors
    /// If the net could not be run.
    pub fn find(
        &mut self,
        page: &Page,
        mrz: &Mrz,
        finder: &mut TextFinder,
    ) -> Result<usize, ModelError> {
        let bottom = page.height() as f32 * (1.0 - zone_share(mrz.format));
        let found = finder.find(page.plane())?.iter().map(|line| line.quad);
        self.lines.clear();
        self.lines.extend(found.filter(|q| q.centre().y < bottom));
        Ok(self.lines.len().div_ceil(MOST_LINES).min(TURNS_OF_A_PAGE))
    }

    /// Looks for the fields of the zone `mrz` in some of the lines of `page`, which was taken from `frame`: those that fit best, at
    /// the next call those that come after.
    ///
    /// # Errors
    /// [`ModelError`] if a net could not be run.
    pub fn look(
        &mut self,
        frame: &FrameView<'_>,
        page: &Page,
        mrz: &Mrz,
        reader: &mut TextReader,
    ) -> Result<(), ModelError> {
        let Some(map) = page.map() else {
            return Ok(());
        };
        let turn = self.n_turns as usize;
        self.n_turns += 1;
        let expected = Expected::of(mrz);
        rank(&mut self.lines, &expected, &self.checks);
        let mut found = Found::default();
        let n = self.lines.len();
        for i in (turn * MOST_LINES..(turn + 1) * MOST_LINES).take(n) {
            let quad = &self.lines[i % n];
            found.take(&reader.read(frame, map, quad, None)?, &expected);
        }
        let now = found.checks();
        for (all, one) in [
            (&mut self.checks.name, now.name),
            (&mut self.checks.document_number, now.document_number),
            (&mut self.checks.birth_date, now.birth_date),
            (&mut self.checks.expiry_date, now.expiry_date),
        ] {
            *all = merged(*all, one);
        }
        Ok(())
    }

    /// Forgets the document.
    pub fn forget(&mut self) {
        self.of = None;
        self.checks = PrintedChecks::default();
        self.n_turns = 0;
        self.lines.clear();
    }
}

/// What was verified once stays so: no misreading says by chance what the zone says.
fn merged(before: FieldCheck, now: FieldCheck) -> FieldCheck {
    match (before, now) {
        (FieldCheck::Verified, _) | (_, FieldCheck::Verified) => FieldCheck::Verified,
        (_, FieldCheck::Refuted) => FieldCheck::Refuted,
        (before, FieldCheck::NotRead) => before,
    }
}

/// First the lines whose length fits a text best that is still looked for.
fn rank(lines: &mut [Quad], expected: &Expected, known: &PrintedChecks) {
    let misfit = |q: &Quad| {
        let n = q.width() / (CHARACTER_ASPECT * q.height().max(1.0));
        expected
            .lengths(known)
            .map(|length| (n / length as f32).ln().abs())
            .fold(f32::MAX, f32::min)
    };
    lines.sort_by(|a, b| misfit(a).total_cmp(&misfit(b)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verified_stays_and_refuted_needs_to_be_seen() {
        use FieldCheck::{NotRead, Refuted, Verified};
        for (before, now, expected) in [
            (NotRead, NotRead, NotRead),
            (NotRead, Refuted, Refuted),
            (Refuted, NotRead, Refuted),
            (Refuted, Verified, Verified),
            (Verified, Refuted, Verified),
            (Verified, NotRead, Verified),
        ] {
            assert_eq!(merged(before, now), expected, "{before:?} {now:?}");
        }
    }
}
