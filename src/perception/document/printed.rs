//! The printed fields of a passport or card (the visual zone of ICAO Doc 9303) against its machine readable zone.
//!
//! Where the fields stand differs from issuer to issuer, so nothing is known but what they should say: lines of print of about
//! the right length are read, and what the zone says is looked for in them. A field that is found verifies it. A field is refuted
//! only by something that can be nothing else (see [`matching`]); all else is not read.
//!
//! This takes as long as all the rest of the document room together, so it is done for each document in few frames: until every
//! field is verified, and not more often than [`MOST_FRAMES`] times.

mod matching;

use super::field::FieldCheck;
use super::mrz::{Mrz, MrzFormat};
use super::page::Page;
use super::text::{TextFinder, TextLine, TextReader};
use crate::base::frame::FrameView;
use crate::base::geometry::Quad;
use crate::base::secret::Secret;
use crate::models::ModelError;
use crate::perception::observation::PrintedChecks;
use matching::{Expected, Found};

/// Frames of one document in which its printed fields are looked for.
const MOST_FRAMES: u32 = 6;
/// Lines read in a frame at most: those whose length fits best, in the next frame those that come after.
const MOST_LINES: usize = 5;
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
    n_frames: u32,
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
            self.n_frames = 0;
        }
        let open = self
            .checks
            .named()
            .iter()
            .any(|(_, c)| *c != FieldCheck::Verified);
        // A zone that is not sure of itself proves nothing about the print.
        open && self.n_frames < MOST_FRAMES && !mrz.checks.any_refuted()
    }

    /// Looks for the fields of the zone `mrz` on `page`, which was taken from `frame` and reads as it stands.
    ///
    /// # Errors
    /// [`ModelError`] if a net could not be run.
    pub fn look(
        &mut self,
        frame: &FrameView<'_>,
        page: &Page,
        mrz: &Mrz,
        finder: &mut TextFinder,
        reader: &mut TextReader,
    ) -> Result<(), ModelError> {
        let Some(map) = page.map() else {
            return Ok(());
        };
        let turn = self.n_frames as usize;
        self.n_frames += 1;
        let expected = Expected::of(mrz);
        let bottom = page.height() as f32 * (1.0 - zone_share(mrz.format));
        let lines = finder.find(page.plane())?;
        rank(lines, bottom, &expected, &self.checks, &mut self.lines);
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
        self.n_frames = 0;
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

/// The lines above `bottom`, first those whose length fits a text best that is still looked for.
fn rank(
    found: &[TextLine],
    bottom: f32,
    expected: &Expected,
    known: &PrintedChecks,
    into: &mut Vec<Quad>,
) {
    into.clear();
    into.extend(
        found
            .iter()
            .map(|line| line.quad)
            .filter(|q| q.centre().y < bottom),
    );
    let misfit = |q: &Quad| {
        let n = q.width() / (CHARACTER_ASPECT * q.height().max(1.0));
        expected
            .lengths(known)
            .map(|length| (n / length as f32).ln().abs())
            .fold(f32::MAX, f32::min)
    };
    into.sort_by(|a, b| misfit(a).total_cmp(&misfit(b)));
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
