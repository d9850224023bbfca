//! From lines of text to a [`Mrz`].

use super::layout::{self, Layout, Span, Zone};
use super::repair;
use super::{Mrz, MrzFormat};
use crate::base::secret::Secret;
use zeroize::Zeroizing;

/// Why lines of text are not a machine readable zone. Lines and columns count from 1. Never carries the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum MrzError {
    /// Not two or three lines.
    #[error("machine readable zone with {found} lines: there are 3 (TD1) or 2 (TD2, TD3)")]
    LineCount {
        /// Lines found.
        found: usize,
    },
    /// A line has a length that goes with no format.
    #[error(
        "line {line} of the machine readable zone has {found} characters: {allowed} are possible with so many lines"
    )]
    LineLength {
        /// The line.
        line: usize,
        /// Characters found.
        found: usize,
        /// Lengths that would be right.
        allowed: &'static str,
    },
    /// A character that cannot stand where it stands.
    #[error(
        "line {line}, column {column} of the machine readable zone: only {allowed} can stand here"
    )]
    Character {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
        /// What may stand there.
        allowed: &'static str,
    },
    /// The document code is of no document of this layout.
    #[error(
        "document code of the machine readable zone: a {format:?} begins with one of the letters {allowed}"
    )]
    DocumentCode {
        /// The layout.
        format: MrzFormat,
        /// First letters that are possible.
        allowed: &'static str,
    },
    /// No family name.
    #[error(
        "line {line} of the machine readable zone has no primary identifier: a name has to stand there"
    )]
    NoName {
        /// The line.
        line: usize,
    },
}

/// Parses lines as they are. Check digits are computed and reported, a refuted one is no error.
///
/// # Errors
/// [`MrzError`] if the lines have another shape or a character is impossible where it stands.
pub fn parse(lines: &[&str]) -> Result<Mrz, MrzError> {
    let text = ZoneText::new(lines)?;
    finish(&text, 0)
}

/// Parses lines of a reader that confuses similar characters: mends what the position or a check digit makes certain (the rules
/// stand in the module `repair`), counts the mended characters in [`Mrz::repaired`], and leaves the rest as it is.
///
/// # Errors
/// [`MrzError`] if the lines have another shape or a character is impossible where it stands and could not be mended.
pub fn parse_repaired(lines: &[&str]) -> Result<Mrz, MrzError> {
    let mut text = ZoneText::new(lines)?;
    let repaired = repair::repair(text.format, &mut text.lines);
    finish(&text, repaired)
}

/// Lines of the right shape, wiped when dropped.
struct ZoneText {
    format: MrzFormat,
    lines: [Zeroizing<Vec<u8>>; 3],
}

impl ZoneText {
    fn new(lines: &[&str]) -> Result<Self, MrzError> {
        let allowed = match lines.len() {
            2 => "36 or 44",
            3 => "30",
            found => return Err(MrzError::LineCount { found }),
        };
        let mut format = None;
        for (i, line) in lines.iter().enumerate() {
            let found = line.chars().count();
            let of_this = MrzFormat::of_shape(lines.len(), found);
            if of_this.is_none() || format.is_some_and(|f| Some(f) != of_this) {
                return Err(MrzError::LineLength {
                    line: i + 1,
                    found,
                    allowed,
                });
            }
            format = of_this;
            if let Some(column) = line
                .chars()
                .position(|c| !matches!(c, 'A'..='Z' | '0'..='9' | '<'))
            {
                return Err(MrzError::Character {
                    line: i + 1,
                    column: column + 1,
                    allowed: "A-Z, 0-9 and <",
                });
            }
        }
        let mut text = Self {
            // There are two or three lines, and each of them has set it.
            format: format.unwrap_or(MrzFormat::Td3),
            lines: Default::default(),
        };
        if lines[0].starts_with('V') {
            text.format = text.format.as_visa();
        }
        for (mine, line) in text.lines.iter_mut().zip(lines) {
            mine.extend_from_slice(line.as_bytes());
        }
        Ok(text)
    }

    fn zone(&self) -> Zone<'_> {
        Zone {
            format: self.format,
            lines: [&self.lines[0], &self.lines[1], &self.lines[2]],
        }
    }
}

fn finish(text: &ZoneText, repaired: u32) -> Result<Mrz, MrzError> {
    let zone = text.zone();
    let layout = layout::of(zone.format);
    check_characters(&zone, layout)?;
    let code = zone.field(&layout.document_code);
    if !layout.first_letters.as_bytes().contains(&code[0]) {
        return Err(MrzError::DocumentCode {
            format: zone.format,
            allowed: layout.first_letters,
        });
    }
    let names = zone.field(&layout.names);
    let cut = names
        .windows(2)
        .position(|w| w == b"<<")
        .unwrap_or(names.len());
    let (primary, secondary) = names.split_at(cut);
    let primary_identifier = components(&[primary]);
    if primary_identifier.is_empty() {
        return Err(MrzError::NoName {
            line: layout.names.line + 1,
        });
    }

    let number = zone.field(&layout.document_number);
    let (number_rest, optional_skip) = match zone.long_number_rest() {
        Some((rest, _)) => (rest, rest.len() + 1),
        None => (&number[..0], 0),
    };
    let first_optional = &zone.field(&layout.optional[0])[optional_skip..];
    let second_optional = layout
        .optional
        .get(1)
        .map_or(&number[..0], |s| zone.field(s));
    Ok(Mrz {
        format: zone.format,
        document_code: plain(&[code]),
        issuing_state: plain(&[zone.field(&layout.issuing_state)]),
        nationality: Secret::new(plain(&[zone.field(&layout.nationality)])),
        document_number: Secret::new(plain(&[number, number_rest])),
        primary_identifier,
        secondary_identifier: components(&[secondary]),
        birth_date: as_printed(zone.field(&layout.birth_date)),
        sex: as_printed(zone.field(&layout.sex)),
        expiry_date: as_printed(zone.field(&layout.expiry_date)),
        optional_data: components(&[first_optional, b"<", second_optional]),
        checks: zone.checks(),
        repaired,
        lines: text.lines[..zone.format.n_lines()]
            .iter()
            .map(|line| as_printed(line))
            .collect(),
    })
}

/// The characters that may stand in one field.
type Allowed = (fn(u8) -> bool, &'static str);

const LETTERS: Allowed = (|c| c.is_ascii_uppercase() || c == b'<', "A-Z and <");
const DIGITS: Allowed = (|c| c.is_ascii_digit() || c == b'<', "0-9 and <");
const SEX: Allowed = (|c| matches!(c, b'M' | b'F' | b'<'), "M, F and <");

fn check_characters(zone: &Zone<'_>, layout: &Layout) -> Result<(), MrzError> {
    let digit_of = |span: &Span| Span {
        line: span.line,
        columns: span.columns.end..span.columns.end + 1,
    };
    let fields = [
        (layout.document_code.clone(), LETTERS),
        (layout.issuing_state.clone(), LETTERS),
        (layout.names.clone(), LETTERS),
        (layout.nationality.clone(), LETTERS),
        (layout.birth_date.clone(), DIGITS),
        (layout.expiry_date.clone(), DIGITS),
        (layout.sex.clone(), SEX),
        (digit_of(&layout.document_number), DIGITS),
        (digit_of(&layout.birth_date), DIGITS),
        (digit_of(&layout.expiry_date), DIGITS),
    ];
    let composite_digit = layout.composite_digit.clone().map(|d| (d, DIGITS));
    let optional_digit = layout
        .optional_digit
        .then(|| (digit_of(&layout.optional[0]), DIGITS));
    let fields = fields
        .into_iter()
        .chain(composite_digit)
        .chain(optional_digit);
    for (span, (fits, allowed)) in fields {
        if let Some(at) = zone.field(&span).iter().position(|c| !fits(*c)) {
            return Err(MrzError::Character {
                line: span.line + 1,
                column: span.columns.start + at + 1,
                allowed,
            });
        }
    }
    // Left-justified: what a reader has moved by a character would say something else.
    for span in [&layout.issuing_state, &layout.nationality] {
        let field = zone.field(span);
        let ended = field.iter().skip_while(|c| **c != b'<');
        if let Some(at) = ended.clone().position(|c| *c != b'<') {
            return Err(MrzError::Character {
                line: span.line + 1,
                column: span.columns.end - ended.count() + at + 1,
                allowed: "< after <",
            });
        }
    }
    if zone.field(&layout.names)[0] == b'<' {
        return Err(MrzError::NoName {
            line: layout.names.line + 1,
        });
    }
    Ok(())
}

/// Without fillers.
fn plain(parts: &[&[u8]]) -> String {
    let kept = parts.iter().flat_map(|p| p.iter()).filter(|c| **c != b'<');
    kept.map(|c| char::from(*c)).collect()
}

/// As it is, with fillers.
fn as_printed(field: &[u8]) -> Secret {
    Secret::new(field.iter().map(|c| char::from(*c)).collect::<String>())
}

/// Fillers between characters become one space, fillers at the ends vanish.
fn components(parts: &[&[u8]]) -> Secret {
    // With its full capacity from the start: growing would leave copies of the name behind.
    let mut text = String::with_capacity(parts.iter().map(|p| p.len()).sum());
    let mut gap = false;
    for c in parts.iter().flat_map(|p| p.iter()) {
        if *c == b'<' {
            gap = !text.is_empty();
        } else {
            if gap {
                text.push(' ');
            }
            gap = false;
            text.push(char::from(*c));
        }
    }
    Secret::new(text)
}
