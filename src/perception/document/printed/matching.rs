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

use crate::perception::document::field::FieldCheck;
use crate::perception::document::mrz::Mrz;
use crate::perception::document::text::LineReading;
use crate::perception::observation::PrintedChecks;
use zeroize::Zeroizing;

/// Least confidence in every character of a line that refutes.
const SURE: f32 = 0.9;
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
/// Names of the months as they begin in English, French, German, Spanish, without accents.
const MONTHS: [&[&str]; 12] = [
    &["JAN", "ENE"],
    &["FEB", "FEV"],
    &["MAR", "MRZ", "MAER"],
    &["APR", "AVR", "ABR"],
    &["MAY", "MAI"],
    &["JUN", "JUIN"],
    &["JUL", "JUIL"],
    &["AUG", "AOU", "AGO"],
    &["SEP"],
    &["OCT", "OKT"],
    &["NOV"],
    &["DEC", "DEZ", "DIC"],
];

/// A day as two digits of the year, month and day: what zones have.
type ShortDay = (i32, u32, u32);

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
    pub(super) fn lengths(&self, known: &PrintedChecks) -> impl Iterator<Item = usize> {
        let open = |check: FieldCheck, n: usize| (check != FieldCheck::Verified).then_some(n);
        let (primary, secondary) = (self.primary.len(), self.secondary.len());
        let dated = if known.birth_date == FieldCheck::Verified {
            known.expiry_date
        } else {
            FieldCheck::NotRead
        };
        [
            open(known.document_number, self.number.len()),
            open(known.name, primary),
            open(known.name, secondary),
            open(known.name, primary + secondary),
            open(dated, 11),
            open(dated, 15),
        ]
        .into_iter()
        .flatten()
        .filter(|n| *n > 0)
    }
}

/// What the lines of a page say about it.
#[derive(Default)]
pub(super) struct Found {
    number: FieldCheck,
    primary: FieldCheck,
    secondary: FieldCheck,
    birth: FieldCheck,
    expiry: FieldCheck,
}

impl Found {
    /// Takes a line.
    pub(super) fn take(&mut self, line: &LineReading, expected: &Expected) {
        self.take_text(
            line.text().reveal(),
            line.least_confidence() >= SURE,
            expected,
        );
    }

    fn take_text(&mut self, text: &str, sure: bool, expected: &Expected) {
        for expanded in [false, true] {
            let whole = folded(text, expanded);
            let only_letters = letters(text, expanded);
            let words = || text.split(' ').map(|w| folded(w, expanded));
            note(&mut self.number, &expected.number, &whole, words(), sure);
            let names = || std::iter::once(only_letters.clone());
            note(
                &mut self.primary,
                &expected.primary,
                &only_letters,
                names(),
                sure,
            );
            note(
                &mut self.secondary,
                &expected.secondary,
                &only_letters,
                names(),
                sure,
            );
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

/// Notes whether `expected` stands in `whole`, or a word of its length contradicts it.
fn note(
    check: &mut FieldCheck,
    expected: &str,
    whole: &str,
    words: impl Iterator<Item = Zeroizing<String>>,
    sure: bool,
) {
    if expected.is_empty() || (expected.len() >= 2 && whole.contains(expected)) {
        *check = FieldCheck::Verified;
    }
    if *check == FieldCheck::NotRead && sure && expected.len() >= LEAST_LENGTH {
        for word in words {
            if contradicts(expected, &word) {
                *check = FieldCheck::Refuted;
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

/// Letters and digits in capitals without accents. `expanded`: as Doc 9303-3 writes umlauts with two letters.
fn folded(text: &str, expanded: bool) -> Zeroizing<String> {
    // A letter with a mark, of two bytes, becomes three letters at most.
    let mut out = Zeroizing::new(String::with_capacity(2 * text.len()));
    for c in text.chars().flat_map(char::to_uppercase) {
        match plain(c, expanded) {
            Some(letters) => out.push_str(letters),
            None if c.is_ascii_alphanumeric() => out.push(c),
            None => {}
        }
    }
    out
}

fn letters(text: &str, expanded: bool) -> Zeroizing<String> {
    let mut folded = folded(text, expanded);
    folded.retain(|c| c.is_ascii_uppercase());
    folded
}

/// Doc 9303-3, section 6: Latin letters with marks.
fn plain(c: char, expanded: bool) -> Option<&'static str> {
    Some(match c {
        'Ä' => ["A", "AE"][usize::from(expanded)],
        'Ö' | 'Ø' | 'Ő' => ["O", "OE"][usize::from(expanded)],
        'Ü' | 'Ű' => ["U", "UE"][usize::from(expanded)],
        'Å' => ["A", "AA"][usize::from(expanded)],
        'Ñ' => ["N", "NXX"][usize::from(expanded)],
        'Æ' => "AE",
        'Œ' => "OE",
        'Þ' => "TH",
        'À' | 'Á' | 'Â' | 'Ã' | 'Ā' | 'Ă' | 'Ą' => "A",
        'Ç' | 'Ć' | 'Ĉ' | 'Ċ' | 'Č' => "C",
        'Ď' | 'Đ' | 'Ð' => "D",
        'È' | 'É' | 'Ê' | 'Ë' | 'Ē' | 'Ĕ' | 'Ė' | 'Ę' | 'Ě' => "E",
        'Ĝ' | 'Ğ' | 'Ġ' | 'Ģ' => "G",
        'Ĥ' | 'Ħ' => "H",
        'Ì' | 'Í' | 'Î' | 'Ï' | 'Ĩ' | 'Ī' | 'Ĭ' | 'Į' | 'İ' => "I",
        'Ĵ' => "J",
        'Ķ' => "K",
        'Ĺ' | 'Ļ' | 'Ľ' | 'Ŀ' | 'Ł' => "L",
        'Ń' | 'Ņ' | 'Ň' | 'Ŋ' => "N",
        'Ò' | 'Ó' | 'Ô' | 'Õ' | 'Ō' | 'Ŏ' => "O",
        'Ŕ' | 'Ŗ' | 'Ř' => "R",
        'Ś' | 'Ŝ' | 'Ş' | 'Š' => "S",
        'Ţ' | 'Ť' | 'Ŧ' => "T",
        'Ù' | 'Ú' | 'Û' | 'Ũ' | 'Ū' | 'Ŭ' | 'Ů' | 'Ų' => "U",
        'Ŵ' => "W",
        'Ý' | 'Ŷ' | 'Ÿ' => "Y",
        'Ź' | 'Ż' | 'Ž' => "Z",
        _ => return None,
    })
}

fn short_day(yymmdd: &str) -> Option<ShortDay> {
    let part = |range: std::ops::Range<usize>| yymmdd.get(range)?.parse::<u32>().ok();
    (yymmdd.len() == 6).then_some(())?;
    Some((part(0..2)? as i32, part(2..4)?, part(4..6)?))
}

/// A printed day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Day {
    /// Its year modulo 100.
    short_year: i32,
    full_year: Option<i32>,
    month: u32,
    day: u32,
}

impl Day {
    fn of(year: &str, month: u32, day: u32) -> Option<Self> {
        let number: i32 = year.parse().ok()?;
        let full_year = match year.len() {
            4 if (1900..2100).contains(&number) => Some(number),
            2 => None,
            _ => return None,
        };
        ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some(Self {
            short_year: number % 100,
            full_year,
            month,
            day,
        })
    }

    fn is(self, (year, month, day): ShortDay) -> bool {
        (self.short_year, self.month, self.day) == (year, month, day)
    }
}

/// Days in a line: `12 AUG 1974`, `12 AUG/AOÛT 74`, `12.08.1974`, `12 08 1974`, `1974-08-12`, `19740812`.
fn days(text: &str) -> Vec<Day> {
    let upper: Zeroizing<String> = Zeroizing::new(
        text.chars()
            .flat_map(char::to_uppercase)
            .map(|c| match plain(c, false) {
                Some(letters) => letters.chars().next().unwrap_or(' '),
                None => c,
            })
            .collect(),
    );
    // Groups of digits, and what stands before each and after the last.
    let (mut groups, mut between) = (Vec::<String>::new(), vec![String::new()]);
    let mut in_group = false;
    for c in upper.chars() {
        let (list, begins) = if c.is_ascii_digit() {
            (&mut groups, !in_group)
        } else {
            (&mut between, in_group)
        };
        in_group = c.is_ascii_digit();
        match list.last_mut().filter(|_| !begins) {
            Some(last) => last.push(c),
            None => list.push(c.to_string()),
        }
    }
    let mut found = Vec::new();
    for (i, group) in groups.iter().enumerate() {
        let after = groups.get(i + 1);
        if group.len() == 8 {
            let number = |range: std::ops::Range<usize>| group[range].parse().unwrap_or(0);
            found.extend(Day::of(&group[..4], number(4..6), number(6..8)));
            found.extend(Day::of(&group[4..], number(2..4), number(0..2)));
        }
        // A day, the name of a month, a year.
        if group.len() <= 2
            && let (Some(year), Some(name)) = (after, between.get(i + 1))
            && let Some(month) = month_in(name)
        {
            found.extend(Day::of(year, month, group.parse().unwrap_or(0)));
        }
        // Three numbers with something short between them that is no word.
        if let (Some(second), Some(third)) = (after, groups.get(i + 2)) {
            let close = |b: Option<&String>| {
                b.is_some_and(|b| b.len() <= 3 && !b.chars().any(char::is_alphabetic))
            };
            if close(between.get(i + 1)) && close(between.get(i + 2)) {
                let number = |t: &String| t.parse().unwrap_or(0);
                if group.len() == 4 {
                    found.extend(Day::of(group, number(second), number(third)));
                } else {
                    found.extend(Day::of(third, number(second), number(group)));
                }
            }
        }
    }
    found
}

fn month_in(name: &str) -> Option<u32> {
    let mut words = name.split(|c: char| !c.is_ascii_uppercase());
    words.find_map(|word| {
        let is = |names: &[&str]| names.iter().any(|n| word.starts_with(n));
        (0u32..)
            .zip(MONTHS)
            .find_map(|(i, names)| is(names).then_some(i + 1))
    })
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
    fn days_in_their_forms() {
        let day = |year: i32, month, day| Day {
            short_year: year % 100,
            full_year: (year >= 100).then_some(year),
            month,
            day,
        };
        for (text, expected) in [
            ("12 AUG 1974", vec![day(1974, 8, 12)]),
            ("12. août 74", vec![day(74, 8, 12)]),
            ("Date of birth 03 MÄR/MAR 2001", vec![day(2001, 3, 3)]),
            ("12 08 1974", vec![day(1974, 8, 12)]),
            ("19740812", vec![day(1974, 8, 12)]),
            ("12081974", vec![day(1974, 8, 12)]),
            ("1974年8月12日", vec![]),
            ("12.13.1974", vec![]),
            ("45 AUG 1974", vec![]),
            ("L898902C3", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(days(text), expected, "{text}");
        }
    }
}
