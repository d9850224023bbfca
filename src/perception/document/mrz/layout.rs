//! Where the fields stand (ICAO Doc 9303 parts 4 to 7). Lines and columns count from 0 here.

use super::MrzFormat;
use super::check_digit::{Filler, verify};
use super::{CheckResult, MrzChecks};
use std::ops::Range;

/// A piece of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// Line.
    pub(super) line: usize,
    /// Columns.
    pub(super) columns: Range<usize>,
}

const fn span(line: usize, start: usize, end: usize) -> Span {
    Span {
        line,
        columns: start..end,
    }
}

/// The fields of one format. A check digit stands in the column after its field.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) document_code: Span,
    pub(super) issuing_state: Span,
    pub(super) names: Span,
    pub(super) document_number: Span,
    pub(super) nationality: Span,
    pub(super) birth_date: Span,
    pub(super) sex: Span,
    pub(super) expiry_date: Span,
    /// The optional data, in the order of the lines.
    pub(super) optional: &'static [Span],
    /// What the composite check digit goes over.
    pub(super) composite: &'static [Span],
    /// Where the composite check digit stands; visas have none.
    pub(super) composite_digit: Option<Span>,
    /// Whether a check digit stands behind the optional data.
    pub(super) optional_digit: bool,
    /// First letters that a document code of this format may have.
    pub(super) first_letters: &'static str,
}

const TD1: Layout = Layout {
    document_code: span(0, 0, 2),
    issuing_state: span(0, 2, 5),
    names: span(2, 0, 30),
    document_number: span(0, 5, 14),
    nationality: span(1, 15, 18),
    birth_date: span(1, 0, 6),
    sex: span(1, 7, 8),
    expiry_date: span(1, 8, 14),
    optional: &[span(0, 15, 30), span(1, 18, 29)],
    composite: &[
        span(0, 5, 30),
        span(1, 0, 7),
        span(1, 8, 15),
        span(1, 18, 29),
    ],
    composite_digit: Some(span(1, 29, 30)),
    optional_digit: false,
    first_letters: "ACI",
};

const TD2: Layout = Layout {
    document_code: span(0, 0, 2),
    issuing_state: span(0, 2, 5),
    names: span(0, 5, 36),
    document_number: span(1, 0, 9),
    nationality: span(1, 10, 13),
    birth_date: span(1, 13, 19),
    sex: span(1, 20, 21),
    expiry_date: span(1, 21, 27),
    optional: &[span(1, 28, 35)],
    composite: &[span(1, 0, 10), span(1, 13, 20), span(1, 21, 35)],
    composite_digit: Some(span(1, 35, 36)),
    optional_digit: false,
    first_letters: "ACI",
};

const TD3: Layout = Layout {
    document_code: span(0, 0, 2),
    issuing_state: span(0, 2, 5),
    names: span(0, 5, 44),
    document_number: span(1, 0, 9),
    nationality: span(1, 10, 13),
    birth_date: span(1, 13, 19),
    sex: span(1, 20, 21),
    expiry_date: span(1, 21, 27),
    optional: &[span(1, 28, 42)],
    composite: &[span(1, 0, 10), span(1, 13, 20), span(1, 21, 43)],
    composite_digit: Some(span(1, 43, 44)),
    optional_digit: true,
    first_letters: "P",
};

const MRV_A: Layout = Layout {
    optional: &[span(1, 28, 44)],
    composite: &[],
    composite_digit: None,
    optional_digit: false,
    first_letters: "V",
    ..TD3
};

const MRV_B: Layout = Layout {
    optional: &[span(1, 28, 36)],
    composite: &[],
    composite_digit: None,
    optional_digit: false,
    first_letters: "V",
    ..TD2
};

/// The layout of `format`.
pub(super) fn of(format: MrzFormat) -> &'static Layout {
    match format {
        MrzFormat::Td1 => &TD1,
        MrzFormat::Td2 => &TD2,
        MrzFormat::Td3 => &TD3,
        MrzFormat::MrvA => &MRV_A,
        MrzFormat::MrvB => &MRV_B,
    }
}

/// The lines of one zone: as many, and as long, as the format says. Wiped by its owner.
#[derive(Clone, Copy)]
pub(super) struct Zone<'a> {
    pub(super) format: MrzFormat,
    pub(super) lines: [&'a [u8]; 3],
}

impl<'a> Zone<'a> {
    /// The characters of one field.
    pub(super) fn field(&self, span: &Span) -> &'a [u8] {
        &self.lines[span.line][span.columns.clone()]
    }

    /// The check digit behind a field.
    pub(super) fn digit_after(&self, span: &Span) -> u8 {
        self.lines[span.line][span.columns.end]
    }

    /// The rest of a document number that is longer than nine characters, with its check digit behind it, as TD1 and TD2 print
    /// it: a filler in place of the check digit, the rest at the start of the optional data.
    pub(super) fn long_number_rest(&self) -> Option<(&'a [u8], u8)> {
        let layout = of(self.format);
        if !matches!(self.format, MrzFormat::Td1 | MrzFormat::Td2)
            || self.digit_after(&layout.document_number) != b'<'
        {
            return None;
        }
        let optional = self.field(&layout.optional[0]);
        let end = optional
            .iter()
            .position(|c| *c == b'<')
            .unwrap_or(optional.len());
        let (digit, rest) = optional[..end].split_last()?;
        (!rest.is_empty() && digit.is_ascii_digit()).then_some((rest, *digit))
    }

    /// All check digits.
    pub(super) fn checks(&self) -> MrzChecks {
        let layout = of(self.format);
        let number = self.field(&layout.document_number);
        let document_number = match self.long_number_rest() {
            Some((rest, digit)) => verify(&[number, rest], digit, Filler::Refused),
            // Cards without a number of their own leave both empty.
            None => verify(
                &[number],
                self.digit_after(&layout.document_number),
                allowed_if_empty(number),
            ),
        };
        let by_itself = |span: &Span| {
            let field = self.field(span);
            verify(&[field], self.digit_after(span), allowed_if_empty(field))
        };
        let optional_data = if layout.optional_digit {
            by_itself(&layout.optional[0])
        } else {
            CheckResult::NotPrinted
        };
        let mut parts: [&[u8]; 4] = [&[]; 4];
        for (part, span) in parts.iter_mut().zip(layout.composite) {
            *part = self.field(span);
        }
        MrzChecks {
            document_number,
            birth_date: by_itself(&layout.birth_date),
            expiry_date: by_itself(&layout.expiry_date),
            optional_data,
            composite: layout
                .composite_digit
                .as_ref()
                .map_or(CheckResult::NotPrinted, |digit| {
                    verify(&parts, self.field(digit)[0], Filler::Refused)
                }),
        }
    }
}

fn allowed_if_empty(field: &[u8]) -> Filler {
    if field.iter().all(|c| *c == b'<') {
        Filler::Allowed
    } else {
        Filler::Refused
    }
}
