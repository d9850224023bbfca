//! What the machine readable zone says, looked for in lines of print. Pure.
//!
//! Verified: the number, both identifiers, or a date in one of the forms of Doc 9303 and of usual print stands in a line. Refuted,
//! only where the reader was sure of every character and there is no confusable pair between:
//!
//! - number: a word of the same length with one or two other characters;
//! - names: a line of the same length as an identifier with one or two other letters;
//! - date of birth: a date so long before the expiry that it can be no date of issue, but another day;
//! - date of expiry: a date near the expiry, but another day.
//!
//! A wholly different name or number is not refuted: any other line could be it.

use super::days::{Day, ShortDay, days, forms_of, is_of_other_year, short_day};
use super::folding::{folded, letters};
use super::likeness::likeness;
use crate::perception::document::field::FieldCheck;
use crate::perception::document::mrz::Mrz;
use crate::perception::document::text::LineReading;
use crate::perception::observation::PrintedChecks;
use zeroize::Zeroizing;

/// Fields that are looked for: number, primary and secondary identifier, birth, expiry.
pub(super) const N_FIELDS: usize = 5;
/// Least confidence in every character of a line that refutes.
const SURE: f32 = 0.9;
/// Least mean confidence of a line of the fast reader that verifies.
const FAST_SURE: f32 = 0.85;
/// Shorter texts are in too many lines to be compared.
const LEAST_LENGTH: usize = 5;
/// Characters that may differ for a text to be the same field.
const MOST_DIFFERENT: usize = 2;
/// No document is valid for so many years: a day so long before the expiry is a day of birth.
const LONGEST_VALIDITY: i32 = 16;
/// A day within so many years of the expiry is no day of issue.
const NEAR_EXPIRY: i32 = 4;
/// Pairs that readers take for each other.
const CONFUSABLE: [(char, char); 12] = [
    ('0', 'O'),
    ('0', 'D'),
    ('0', 'Q'),
    ('O', 'Q'),
    ('O', 'D'),
    ('1', 'I'),
    ('1', 'L'),
    ('I', 'L'),
    ('2', 'Z'),
    ('5', 'S'),
    ('6', 'G'),
    ('8', 'B'),
];
/// What the zone says, in the form that it is looked for.
pub(super) struct Expected {
    number: Zeroizing<String>,
    primary: Zeroizing<String>,
    secondary: Zeroizing<String>,
    birth: Option<ShortDay>,
    expiry: Option<ShortDay>,
}

impl Expected {
    pub(super) fn of(mrz: &Mrz) -> Self {
        Self {
            number: folded(mrz.document_number.reveal(), false),
            primary: letters(mrz.primary_identifier.reveal(), false),
            secondary: letters(mrz.secondary_identifier.reveal(), false),
            birth: short_day(mrz.birth_date.reveal()),
            expiry: short_day(mrz.expiry_date.reveal()),
        }
    }

    /// Numbers of characters of what is still looked for, dates as `01 JAN 2000`, or with two names of the month.
    pub(super) fn lengths(&self, found: &Found) -> impl Iterator<Item = usize> {
        let [number, primary, secondary, birth, expiry] = found.open();
        let if_open = |open: bool, n: usize| open.then_some(n);
        let names = (self.primary.len(), self.secondary.len());
        [
            if_open(number, self.number.len()),
            if_open(primary, names.0),
            if_open(secondary, names.1),
            if_open(primary || secondary, names.0 + names.1),
            if_open(birth || expiry, 11),
            if_open(birth || expiry, 15),
        ]
        .into_iter()
        .flatten()
        .filter(|n| *n > 0)
    }

    /// How like a line of capitals and digits is to each of [`N_FIELDS`] fields, 0..=1.
    pub(super) fn likeness(&self, line: &str) -> [f32; N_FIELDS] {
        // What is short is in every line; then the whole line has to be like it.
        let text = |wanted: &str| {
            let whole = wanted.len() >= LEAST_LENGTH || line.len() <= wanted.len() + 1;
            if whole { likeness(line, wanted) } else { 0.0 }
        };
        let both = Zeroizing::new(format!("{}{}", *self.primary, *self.secondary));
        let both = text(&both);
        let day = |day: Option<ShortDay>| {
            let of = |day: ShortDay| {
                let of_form = |form: &Zeroizing<String>| {
                    // The days of issue and of expiry are often one day of different years.
                    if is_of_other_year(line, form, day) {
                        0.0
                    } else {
                        text(form)
                    }
                };
                forms_of(day).iter().map(of_form).fold(0.0, f32::max)
            };
            day.map_or(0.0, of)
        };
        [
            text(&self.number),
            text(&self.primary).max(both),
            text(&self.secondary).max(both),
            day(self.birth),
            day(self.expiry),
        ]
    }
}

/// What the lines of a document say about it, so far.
#[derive(Debug, Default)]
pub(super) struct Found {
    number: FieldCheck,
    primary: FieldCheck,
    secondary: FieldCheck,
    birth: FieldCheck,
    expiry: FieldCheck,
}

impl Found {
    /// Nothing seen yet; what the zone leaves empty needs no print.
    pub(super) fn of(expected: &Expected) -> Self {
        let open = |text: &str| {
            if text.is_empty() {
                FieldCheck::Verified
            } else {
                FieldCheck::NotRead
            }
        };
        Self {
            primary: open(&expected.primary),
            secondary: open(&expected.secondary),
            ..Self::default()
        }
    }

    /// Which of the fields are not verified: number, primary and secondary identifier, birth, expiry.
    pub(super) fn open(&self) -> [bool; N_FIELDS] {
        [
            self.number,
            self.primary,
            self.secondary,
            self.birth,
            self.expiry,
        ]
        .map(|c| c != FieldCheck::Verified)
    }

    /// Takes a line of the text reader.
    pub(super) fn take(&mut self, line: &LineReading, expected: &Expected) {
        self.take_text(
            line.text().reveal(),
            line.least_confidence() >= SURE,
            expected,
        );
    }

    /// Takes a line of the fast reader: what is expected may stand there by chance if it is short, and nothing is refuted.
    pub(super) fn take_fast(&mut self, text: &str, confidence: f32, expected: &Expected) {
        // Fillers are the zone's own: it does not speak for itself.
        if confidence < FAST_SURE || text.contains('<') {
            return;
        }
        for (check, wanted) in [
            (&mut self.number, &expected.number),
            (&mut self.primary, &expected.primary),
            (&mut self.secondary, &expected.secondary),
        ] {
            let stands = if wanted.len() >= LEAST_LENGTH {
                text.contains(wanted.as_str())
            } else {
                !wanted.is_empty() && text == wanted.as_str()
            };
            // Who saw another character there was surer than this reader ever is.
            if stands && *check == FieldCheck::NotRead {
                *check = FieldCheck::Verified;
            }
        }
        let mut seen = Self::default();
        for day in days(text) {
            seen.take_day(day, false, expected);
        }
        for (known, now) in [
            (&mut self.birth, seen.birth),
            (&mut self.expiry, seen.expiry),
        ] {
            if *known == FieldCheck::NotRead {
                *known = now;
            }
        }
    }

    fn take_text(&mut self, text: &str, sure: bool, expected: &Expected) {
        for expanded in [false, true] {
            let whole = folded(text, expanded);
            let only_letters = letters(text, expanded);
            let words = || {
                text.split(|c: char| !c.is_alphanumeric())
                    .map(|w| folded(w, expanded))
            };
            let number = Line {
                whole: &whole,
                sure,
            };
            number.note(&mut self.number, &expected.number, words(), words());
            let names = || std::iter::once(only_letters.clone());
            let line = Line {
                whole: &only_letters,
                sure,
            };
            line.note(&mut self.primary, &expected.primary, words(), names());
            line.note(&mut self.secondary, &expected.secondary, words(), names());
        }
        for day in days(text) {
            self.take_day(day, sure, expected);
        }
    }

    fn take_day(&mut self, day: Day, sure: bool, expected: &Expected) {
        let (Some(birth), Some(expiry)) = (expected.birth, expected.expiry) else {
            return;
        };
        if day.is(birth) {
            self.birth = FieldCheck::Verified;
        } else if day.is(expiry) {
            self.expiry = FieldCheck::Verified;
        } else if sure && let Some(year) = day.full_year {
            let expires = 2000 + expiry.0;
            let refuted = if year <= expires - LONGEST_VALIDITY {
                &mut self.birth
            } else if (year - expires).abs() <= NEAR_EXPIRY {
                &mut self.expiry
            } else {
                return;
            };
            if *refuted == FieldCheck::NotRead {
                *refuted = FieldCheck::Refuted;
            }
        }
    }

    pub(super) fn checks(&self) -> PrintedChecks {
        use FieldCheck::{NotRead, Refuted, Verified};
        let name = match (self.primary, self.secondary) {
            (Verified, Verified) => Verified,
            (Refuted, _) | (_, Refuted) => Refuted,
            _ => NotRead,
        };
        PrintedChecks {
            name,
            document_number: self.number,
            birth_date: self.birth,
            expiry_date: self.expiry,
        }
    }
}

/// A line that was read: its text in the form that is compared.
struct Line<'a> {
    whole: &'a str,
    sure: bool,
}

impl Line<'_> {
    /// Notes whether `expected` stands in the line, or one of `others` of its length contradicts it. What is short has to be a
    /// word: it is in too many lines by chance.
    fn note(
        &self,
        check: &mut FieldCheck,
        expected: &str,
        mut words: impl Iterator<Item = Zeroizing<String>>,
        others: impl Iterator<Item = Zeroizing<String>>,
    ) {
        let stands = if expected.len() >= LEAST_LENGTH {
            self.whole.contains(expected)
        } else {
            expected.is_empty() || self.whole == expected || words.any(|w| *w == expected)
        };
        if stands {
            *check = FieldCheck::Verified;
        }
        if *check == FieldCheck::NotRead && self.sure && expected.len() >= LEAST_LENGTH {
            for other in others {
                if contradicts(expected, &other) {
                    *check = FieldCheck::Refuted;
                }
            }
        }
    }
}

fn contradicts(expected: &str, word: &str) -> bool {
    if expected.len() != word.len() {
        return false;
    }
    let mut n = 0;
    for (a, b) in expected.chars().zip(word.chars()).filter(|(a, b)| a != b) {
        n += 1;
        if CONFUSABLE.iter().any(|p| *p == (a, b) || *p == (b, a)) {
            return false;
        }
    }
    (1..=MOST_DIFFERENT).contains(&n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use FieldCheck::{NotRead, Refuted, Verified};

    fn expected() -> Expected {
        Expected {
            number: "L898902C3".to_owned().into(),
            primary: "MUELLER".to_owned().into(),
            secondary: "ANNAMARIA".to_owned().into(),
            birth: Some((74, 8, 12)),
            expiry: Some((32, 4, 15)),
        }
    }

    /// Expected: name, number, birth, expiry.
    fn check(lines: &[&str], sure: bool, result: [FieldCheck; 4]) {
        let mut found = Found::default();
        for line in lines {
            found.take_text(line, sure, &expected());
        }
        let c = found.checks();
        assert_eq!(
            [c.name, c.document_number, c.birth_date, c.expiry_date],
            result,
            "{lines:?}"
        );
    }

    #[test]
    fn what_the_zone_says_is_found_in_print() {
        check(&[], true, [NotRead; 4]);
        check(
            &[
                "MÜLLER",
                "Anna Maria",
                "L898902C3",
                "12 AUG/AOÛT 1974",
                "15.04.2032",
            ],
            false,
            [Verified; 4],
        );
        // One line for both names, the number with its label, other forms of dates.
        check(
            &[
                "Mueller, Anna-Maria",
                "No. L898902C3",
                "1974-08-12",
                "15 APR 32",
            ],
            false,
            [Verified; 4],
        );
        // One of the names alone is not the name.
        check(&["MÜLLER"], true, [NotRead, NotRead, NotRead, NotRead]);
    }

    #[test]
    fn only_what_can_be_nothing_else_refutes() {
        check(
            &["MUETTER", "L898902X7", "13 AUG 1974", "15 APR 2034"],
            true,
            [Refuted; 4],
        );
        // The same, unsure.
        check(
            &["MUETTER", "L898902X7", "13 AUG 1974", "15 APR 2034"],
            false,
            [NotRead; 4],
        );
        // Confusable, of another length, too far off, a day of issue, and a year of two digits.
        check(
            &[
                "L8989O2C3",
                "L898902C",
                "L112233C3",
                "MUELLERIN",
                "15 APR 2022",
                "13 AUG 74",
            ],
            true,
            [NotRead; 4],
        );
        // Verified once, nothing refutes it.
        check(
            &["12.08.1974", "13.08.1974"],
            true,
            [NotRead, NotRead, Verified, NotRead],
        );
    }

    #[test]
    fn what_is_short_has_to_be_a_word() {
        let short = Expected {
            secondary: "LI".to_owned().into(),
            ..expected()
        };
        for (line, result) in [
            ("MÜLLER, LI", Verified),
            ("LI", Verified),
            ("MÜLLER, LINA", NotRead),
            ("MÜLLER LINDA LI-ANN", Verified),
        ] {
            let mut found = Found::default();
            found.take_text("MÜLLER", true, &short);
            found.take_text(line, true, &short);
            assert_eq!(found.checks().name, result, "{line}");
        }
    }

    #[test]
    fn the_fast_reader_verifies_what_is_no_chance_and_refutes_nothing() {
        for (lines, result) in [
            (
                &["MUELLERANNAMARIA", "N0L898902C3", "12AUGAOUT74", "15042032"][..],
                [Verified; 4],
            ),
            (
                &["MUETTER", "L898902X7", "13AUG1974", "15APR2034"],
                [NotRead; 4],
            ),
        ] {
            let mut found = Found::default();
            for line in lines {
                found.take_fast(line, 0.95, &expected());
            }
            let c = found.checks();
            let checks = [c.name, c.document_number, c.birth_date, c.expiry_date];
            assert_eq!(checks, result, "{lines:?}");
        }
        let short = Expected {
            secondary: "LI".to_owned().into(),
            ..expected()
        };
        let mut found = Found::default();
        found.take_fast("MUELLERLI", 0.95, &short);
        assert_eq!(found.checks().name, NotRead);
        found.take_fast("LI", 0.95, &short);
        found.take_fast("MUELLER", 0.95, &short);
        assert_eq!(found.checks().name, Verified);
        // Unsure, the zone itself, and against a reader that was sure.
        let mut found = Found::default();
        found.take_fast("L898902C3", 0.5, &expected());
        found.take_fast("L898902C3<6UTO", 0.95, &expected());
        assert_eq!(found.checks().document_number, NotRead);
        found.take_text("L898902X7", true, &expected());
        found.take_fast("L898902C3", 0.95, &expected());
        assert_eq!(found.checks().document_number, Refuted);
        // Who has one name has printed it all.
        let one = Expected {
            secondary: String::new().into(),
            ..expected()
        };
        let mut found = Found::of(&one);
        found.take_fast("MUELLER", 0.95, &one);
        assert_eq!(found.checks().name, Verified);
    }

    #[test]
    fn the_line_that_says_it_is_the_most_like() {
        let expected = expected();
        for (line, field) in [
            ("L8989O2C3", 0),
            ("NAMEMUELER", 1),
            ("ANNAMARA", 2),
            ("12AU0AOUT74", 3),
            ("15APL32", 4),
            ("20320415", 4),
        ] {
            let likeness = expected.likeness(line);
            let most = likeness.iter().copied().fold(0.0, f32::max);
            assert!(
                most >= 0.6 && likeness[field] == most,
                "{line}: {likeness:?}"
            );
        }
    }
}
