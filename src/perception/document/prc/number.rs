//! The citizen identification number out of two readings that know nothing of each other: the line reader's, which was trained
//! on OCR-B, and the text reader's. Pure.
//!
//! What both say is the number, whatever its check character says. Where they differ, the check character decides, and only
//! between the two: nothing is put into a number that neither reader saw.

use crate::perception::document::field::FieldCheck;
use crate::perception::document::gb11643::{self, Gb11643Error};

/// Characters of a number.
pub(super) const LENGTH: usize = 18;
/// Columns in which both readings may differ; more means that one of them is no reading.
const MOST_DIFFERENCES: usize = 3;

/// A number as one reader saw it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::perception::document) struct Digits(pub(super) [u8; LENGTH]);

/// A number that is believed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Decided {
    pub digits: Digits,
    pub check_character: FieldCheck,
    /// Characters that the line reader had read otherwise.
    pub repaired: u32,
}

impl std::fmt::Debug for Decided {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Decided({:?}, {} repaired)",
            self.check_character, self.repaired
        )
    }
}

impl Digits {
    /// The characters of a reading, if there are 18 that can stand where they stand.
    pub(in crate::perception::document) fn of(
        text: impl IntoIterator<Item = char>,
    ) -> Option<Self> {
        let mut digits = [0u8; LENGTH];
        let mut n = 0;
        for c in text {
            let fits = c.is_ascii_digit() || (c == 'X' && n == LENGTH - 1);
            *digits.get_mut(n).filter(|_| fits)? = c as u8;
            n += 1;
        }
        (n == LENGTH).then_some(Self(digits))
    }

    pub(super) fn text(&self) -> &str {
        // Digits and X only.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Whether check character, province and day of birth are possible.
    pub(super) fn verifies(&self) -> bool {
        gb11643::parse(self.text()).is_ok()
    }

    /// Whether nothing but the check character is wrong, if that.
    fn is_plausible(&self) -> bool {
        let mut corrected = *self;
        corrected.0[LENGTH - 1] =
            gb11643::check_character(self.0.first_chunk().unwrap_or(&[b'0'; 17]));
        corrected.verifies()
    }
}

/// The number that `line` and `text`, the readings of both readers, say together; `None` if they say none.
pub(super) fn decide(line: Option<Digits>, text: Option<Digits>) -> Option<Decided> {
    let verified = |digits, repaired| Decided {
        digits,
        check_character: FieldCheck::Verified,
        repaired,
    };
    let (line, text) = match (line, text) {
        (Some(line), Some(text)) => (line, text),
        // One reader alone is believed if the check character verifies what it says.
        (Some(one), None) | (None, Some(one)) => {
            return one.verifies().then(|| verified(one, 0));
        }
        (None, None) => return None,
    };
    if line == text {
        if line.verifies() {
            return Some(verified(line, 0));
        }
        // A forged or misprinted number is read alike by both; a misread one hardly ever is.
        let refuted = matches!(
            gb11643::parse(line.text()),
            Err(Gb11643Error::CheckCharacter)
        );
        return (refuted && line.is_plausible()).then_some(Decided {
            digits: line,
            check_character: FieldCheck::Refuted,
            repaired: 0,
        });
    }
    let mut differ = [0usize; MOST_DIFFERENCES];
    let mut n = 0;
    for i in (0..LENGTH).filter(|i| line.0[*i] != text.0[*i]) {
        *differ.get_mut(n)? = i;
        n += 1;
    }
    // Every choice between both; the one that verifies, if it is the only one.
    let mut only = None;
    for choice in 0..1u32 << n {
        let mut digits = line;
        for (bit, column) in differ[..n].iter().enumerate() {
            if choice >> bit & 1 == 1 {
                digits.0[*column] = text.0[*column];
            }
        }
        if digits.verifies() {
            if only.is_some() {
                return None;
            }
            only = Some(verified(digits, choice.count_ones()));
        }
    }
    only
}

#[cfg(test)]
mod tests {
    use super::*;
    use FieldCheck::{Refuted, Verified};

    fn check(line: &str, text: &str, expected: Option<(&str, FieldCheck, u32)>) {
        let found = decide(Digits::of(line.chars()), Digits::of(text.chars()));
        let found = found.map(|d| (d.digits.text().to_owned(), d.check_character, d.repaired));
        let expected = expected.map(|(t, c, n)| (t.to_owned(), c, n));
        assert_eq!(found, expected, "{line} {text}");
    }

    const GOOD: &str = "11010519491231002X";

    #[test]
    fn both_alike() {
        check(GOOD, GOOD, Some((GOOD, Verified, 0)));
        // Both see a wrong check character: it is printed so.
        let forged = "110105194912310021";
        check(forged, forged, Some((forged, Refuted, 0)));
        // Both see a day that is none: that is no number, whatever it is.
        check("110105194913310021", "110105194913310021", None);
    }

    #[test]
    fn one_alone_needs_its_check_character() {
        for other in ["", "1101051949123100", "ABC"] {
            check(GOOD, other, Some((GOOD, Verified, 0)));
            check(other, GOOD, Some((GOOD, Verified, 0)));
            check("110105194912310021", other, None);
        }
        check("", "", None);
    }

    #[test]
    fn where_they_differ_the_check_character_decides() {
        // The line reader takes 8 for 3, then two at once; the text reader is right, and the other way round.
        check("11010519491281002X", GOOD, Some((GOOD, Verified, 1)));
        check("17010519491281002X", GOOD, Some((GOOD, Verified, 2)));
        check(GOOD, "11010519491281002X", Some((GOOD, Verified, 0)));
        // Neither, nor any choice between them, verifies.
        check("110105194912310021", "110105194912310023", None);
        // Too far apart.
        check(
            "22210519491231002X".replace('2', "7").as_str(),
            "333305194912310021",
            None,
        );
    }

    #[test]
    fn what_cannot_stand_in_a_number_is_none() {
        for text in [
            "",
            "1101051949123100",
            "11010519491231002XX",
            "X1010519491231002X",
            "１1010519491231002X",
        ] {
            assert!(Digits::of(text.chars()).is_none(), "{text}");
        }
    }
}
