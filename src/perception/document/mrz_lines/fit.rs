//! From texts of about the right length to a machine readable zone.
//!
//! A reader joins or splits fillers, and takes a frame around the zone for a character. So for each line a few texts of the right
//! length are made (characters dropped at the ends, fillers added to or dropped from the longest row of fillers, missing ones
//! added behind), and the combination whose check digits verify best is taken.

use crate::perception::document::mrz::{self, Mrz, MrzFormat};
use std::fmt;
use zeroize::Zeroize;

/// Almost twice as much as the longest line of any format; what a reader gives beyond that is no line of one.
const MAX_LENGTH: usize = 80;
/// A text may be off by this many characters.
const MAX_OFF: usize = 2;

/// Text of a line; never printed, wiped when dropped.
#[derive(Clone)]
pub struct LineText {
    bytes: [u8; MAX_LENGTH],
    len: usize,
}

impl fmt::Debug for LineText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LineText({} characters)", self.len)
    }
}

impl Drop for LineText {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl Default for LineText {
    fn default() -> Self {
        Self::new()
    }
}

impl LineText {
    /// No characters.
    pub const fn new() -> Self {
        Self {
            bytes: [0; MAX_LENGTH],
            len: 0,
        }
    }

    /// Adds an ASCII character; what goes beyond the capacity is lost (no format has lines that long).
    pub fn push(&mut self, c: u8) {
        if self.len < MAX_LENGTH {
            self.bytes[self.len] = c;
            self.len += 1;
        }
    }

    /// Number of characters.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        // Only characters of the reader's alphabet are pushed, which is ASCII.
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }

    fn from(bytes: impl IntoIterator<Item = u8>) -> Self {
        let mut text = Self::new();
        bytes.into_iter().for_each(|c| text.push(c));
        text
    }

    /// Start and length of the longest row of fillers, if it has at least three.
    fn fillers(&self) -> Option<(usize, usize)> {
        let mut best = (0, 0);
        let mut start = 0;
        for (i, c) in self.bytes[..self.len].iter().enumerate() {
            if *c != b'<' {
                start = i + 1;
            } else if i + 1 - start > best.1 {
                best = (start, i + 1 - start);
            }
        }
        (best.1 >= 3).then_some(best)
    }

    /// Texts of `n` characters that this one may stand for, the likeliest first.
    fn of_length(&self, n: usize) -> Vec<Self> {
        let bytes = &self.bytes[..self.len];
        let mut out = Vec::new();
        if self.len == n {
            out.push(self.clone());
        } else if self.len > n && self.len <= n + MAX_OFF {
            let over = self.len - n;
            if let Some((start, length)) = self.fillers().filter(|(_, length)| *length > over) {
                let end = start + length;
                out.push(Self::from(
                    bytes[..end - over].iter().chain(&bytes[end..]).copied(),
                ));
            }
            for front in 0..=over {
                out.push(Self::from(bytes[front..front + n].iter().copied()));
            }
        } else if self.len < n && self.len + MAX_OFF >= n {
            let missing = std::iter::repeat_n(b'<', n - self.len);
            if let Some((start, _)) = self.fillers() {
                let (before, after) = bytes.split_at(start);
                out.push(Self::from(
                    before
                        .iter()
                        .copied()
                        .chain(missing.clone())
                        .chain(after.iter().copied()),
                ));
            } else {
                out.push(Self::from(bytes.iter().copied().chain(missing)));
            }
        }
        out
    }
}

/// The format that texts of these lengths are nearest to, if they are near to any.
pub(super) fn nearest_format(lines: &[LineText]) -> Option<MrzFormat> {
    format_within(lines, MAX_OFF)
}

/// The first format whose lengths all texts come as near as `off` characters to.
pub(super) fn format_within(lines: &[LineText], off: usize) -> Option<MrzFormat> {
    [MrzFormat::Td1, MrzFormat::Td2, MrzFormat::Td3]
        .into_iter()
        .find(|f| {
            f.n_lines() == lines.len()
                && lines.iter().all(|l| l.len().abs_diff(f.n_columns()) <= off)
        })
}

/// The zone that the texts stand for: of all that can be parsed, the one with the most verified and the fewest refuted check
/// digits, and the fewest changes.
pub fn zone(lines: &[LineText]) -> Option<Mrz> {
    let format = nearest_format(lines)?;
    let choices: Vec<Vec<LineText>> = lines
        .iter()
        .map(|l| l.of_length(format.n_columns()))
        .collect();
    let mut best: Option<(i32, Mrz)> = None;
    let n_combinations: usize = choices.iter().map(Vec::len).product();
    for k in 0..n_combinations {
        let mut rest = k;
        let texts: Vec<&str> = choices
            .iter()
            .map(|c| {
                let text = c[rest % c.len()].as_str();
                rest /= c.len();
                text
            })
            .collect();
        let Ok(mrz) = mrz::parse_repaired(&texts) else {
            continue;
        };
        let score = quality(&mrz);
        if best.as_ref().is_none_or(|(s, _)| score > *s) {
            best = Some((score, mrz));
        }
    }
    best.map(|(_, mrz)| mrz)
}

/// Orders zones: verified check digits, less what is refuted, less what was mended.
pub fn quality(mrz: &Mrz) -> i32 {
    let n_refuted = mrz
        .checks
        .named()
        .iter()
        .filter(|(_, r)| *r == mrz::CheckResult::Refuted)
        .count();
    // There are five check digits, and far fewer than a hundred characters can be mended.
    100 * (mrz.checks.n_verified() as i32 - n_refuted as i32) - mrz.repaired as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(s: &str) -> LineText {
        LineText::from(s.bytes())
    }

    fn check(lines: &[&str], expected: Option<(&str, &str, usize)>) {
        let lines: Vec<LineText> = lines.iter().map(|l| text(l)).collect();
        let found = zone(&lines);
        let found = found.as_ref().map(|m| {
            (
                m.document_number.reveal(),
                m.secondary_identifier.reveal(),
                m.checks.n_verified(),
            )
        });
        assert_eq!(found, expected, "{lines:?}");
    }

    #[test]
    fn lengths_are_mended() {
        let good = Some(("L898902C3", "ANNA MARIA", 5));
        let first = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<";
        let second = "L898902C36UTO7408122F1204159ZE184226B<<<<<10";
        check(&[first, second], good);
        // Fillers lost or doubled, a frame taken for characters at either end.
        check(&[&first[..43], second], good);
        check(
            &[first, "L898902C36UTO7408122F1204159ZE184226B<<<<10"],
            good,
        );
        check(
            &[first, "L898902C36UTO7408122F1204159ZE184226B<<<<<<<10"],
            good,
        );
        check(
            &[&format!("1{first}"), &format!("1{second}1")],
            Some(("L898902C3", "ANNA MARIA", 5)),
        );
        // Too far off, or no zone at all.
        check(&[&first[..40], second], None);
        check(&[second], None);
        check(&[second, second, second], None);
        check(&["", ""], None);
    }

    #[test]
    fn a_text_does_not_print() {
        assert_eq!(format!("{:?}", text("ERIKSSON")), "LineText(8 characters)");
    }
}
