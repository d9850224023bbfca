//! Mending what a reader confuses.
//!
//! 1. Where only digits can stand (dates and check digits), a letter that looks like a digit becomes that digit, but only if
//!    the check digit of the same field then verifies.
//! 2. In the document number, which may hold both, `0` and `O` are exchanged only if its check digit is refuted as read, and
//!    exactly one exchange of at most two characters makes it and the composite verify.
//! 3. Where only letters can stand (states and names), which no check digit covers, a digit that looks like a letter becomes
//!    that letter, but only if the composite (of a visa: every check digit) verifies and none is refuted: the rest of the zone
//!    was then read right.
//!
//! Everything else stays as it was read.

use super::layout::{self, Span, Zone};
use super::{CheckResult, MrzChecks, MrzFormat};
use zeroize::Zeroizing;

type Lines = [Zeroizing<Vec<u8>>; 3];

/// The digit that a letter is taken for.
const fn as_digit(c: u8) -> u8 {
    match c {
        b'O' | b'Q' | b'D' => b'0',
        b'I' | b'L' => b'1',
        b'Z' => b'2',
        b'S' => b'5',
        b'G' => b'6',
        b'B' => b'8',
        other => other,
    }
}

/// The letter that a digit is taken for.
const fn as_letter(c: u8) -> u8 {
    match c {
        b'0' => b'O',
        b'1' => b'I',
        b'2' => b'Z',
        b'5' => b'S',
        b'6' => b'G',
        b'8' => b'B',
        other => other,
    }
}

fn checks(format: MrzFormat, lines: &Lines) -> MrzChecks {
    Zone {
        format,
        lines: [&lines[0], &lines[1], &lines[2]],
    }
    .checks()
}

/// Mends `lines`, which have the shape of `format`, and counts the changed characters.
pub(super) fn repair(format: MrzFormat, lines: &mut Lines) -> u32 {
    let layout = layout::of(format);
    let mut n = 0;
    let with_digit = |s: &Span| Span {
        line: s.line,
        columns: s.columns.start..s.columns.end + 1,
    };
    let only_digit = |s: &Span| Span {
        line: s.line,
        columns: s.columns.end..s.columns.end + 1,
    };
    n += digits(format, lines, &with_digit(&layout.birth_date), |c| {
        c.birth_date
    });
    n += digits(format, lines, &with_digit(&layout.expiry_date), |c| {
        c.expiry_date
    });
    n += digits(format, lines, &only_digit(&layout.document_number), |c| {
        c.document_number
    });
    if layout.optional_digit {
        n += digits(format, lines, &only_digit(&layout.optional[0]), |c| {
            c.optional_data
        });
    }
    if let Some(digit) = &layout.composite_digit {
        n += digits(format, lines, digit, |c| c.composite);
    }
    if checks(format, lines).document_number == CheckResult::Refuted {
        n += number(format, lines, &layout.document_number);
    }

    let checks = checks(format, lines);
    let rest_is_right = match layout.composite_digit {
        Some(_) => checks.composite == CheckResult::Verified,
        None => checks.n_verified() == format.n_check_digits(),
    };
    if rest_is_right && !checks.any_refuted() {
        for span in [
            &layout.document_code,
            &layout.issuing_state,
            &layout.nationality,
            &layout.names,
        ] {
            n += change(lines, span, as_letter);
        }
    }
    n
}

/// Rule 1.
fn digits(
    format: MrzFormat,
    lines: &mut Lines,
    span: &Span,
    of: fn(&MrzChecks) -> CheckResult,
) -> u32 {
    let before = lines[span.line].clone();
    let n = change(lines, span, as_digit);
    if n > 0 && of(&checks(format, lines)) != CheckResult::Verified {
        lines[span.line] = before;
        return 0;
    }
    n
}

/// Rule 2.
fn number(format: MrzFormat, lines: &mut Lines, span: &Span) -> u32 {
    let swap = |c: &mut u8| *c = if *c == b'0' { b'O' } else { b'0' };
    let places: Vec<usize> = span
        .columns
        .clone()
        .filter(|i| matches!(lines[span.line][*i], b'0' | b'O'))
        .collect();
    let mut found = None;
    let mut n_found = 0;
    for (k, first) in places.iter().enumerate() {
        for second in std::iter::once(None).chain(places[k + 1..].iter().map(Some)) {
            let line = &mut lines[span.line];
            swap(&mut line[*first]);
            second.into_iter().for_each(|i| swap(&mut line[*i]));
            let c = checks(format, lines);
            if c.document_number == CheckResult::Verified && c.composite == CheckResult::Verified {
                n_found += 1;
                found = Some((*first, second.copied()));
            }
            let line = &mut lines[span.line];
            swap(&mut line[*first]);
            second.into_iter().for_each(|i| swap(&mut line[*i]));
        }
    }
    match (n_found, found) {
        (1, Some((first, second))) => {
            let line = &mut lines[span.line];
            swap(&mut line[first]);
            second.into_iter().for_each(|i| swap(&mut line[i]));
            1 + u32::from(second.is_some())
        }
        _ => 0,
    }
}

fn change(lines: &mut Lines, span: &Span, by: fn(u8) -> u8) -> u32 {
    let mut n = 0;
    for c in &mut lines[span.line][span.columns.clone()] {
        let new = by(*c);
        n += u32::from(new != *c);
        *c = new;
    }
    n
}
