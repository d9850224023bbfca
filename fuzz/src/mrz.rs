//! Machine readable zones: parsing as read, and with repairs.

use boothd::perception::document::mrz::{MrzFormat, check_digit, dates, parse, parse_repaired};

/// What can stand in a zone.
const ALPHABET: &[u8; 37] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<";

/// A check digit: its line and column, and the spans (line, from, to) that it covers.
type Digit = (usize, usize, &'static [(usize, usize, usize)]);

/// The first byte chooses: lines of any text, or lines of the right shape whose check digits may be made right.
pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else {
        return;
    };
    if mode % 2 == 0 {
        let text = String::from_utf8_lossy(rest);
        let mut lines = [""; 4];
        let mut n = 0;
        for (to, line) in lines.iter_mut().zip(text.split('\n')) {
            *to = line;
            n += 1;
        }
        check(&lines[..n]);
    } else {
        shaped(*mode, rest);
    }
}

fn shaped(mode: u8, rest: &[u8]) {
    let formats = [
        MrzFormat::Td1,
        MrzFormat::Td2,
        MrzFormat::Td3,
        MrzFormat::MrvA,
    ];
    let format = formats[usize::from(mode / 2) % formats.len()];
    let (n_lines, n_columns) = (format.n_lines(), format.n_columns());
    let mut lines = [[b'<'; 44]; 3];
    for (i, b) in rest.iter().enumerate().take(n_lines * n_columns) {
        let c = if ALPHABET.contains(b) {
            *b
        } else {
            ALPHABET[usize::from(*b) % ALPHABET.len()]
        };
        lines[i / n_columns][i % n_columns] = c;
    }
    if format == MrzFormat::MrvA {
        lines[0][0] = b'V';
    }
    // Bits 3 to 7 say which check digits are made right, the composite one last.
    for (k, (line, column, covered)) in digits(format).iter().enumerate() {
        if mode >> (3 + k) & 1 == 1 {
            let mut fields: [&[u8]; 5] = [&[]; 5];
            for (field, (l, from, to)) in fields.iter_mut().zip(*covered) {
                *field = &lines[*l][*from..*to];
            }
            if let Some(digit) = check_digit::compute(&fields) {
                lines[*line][*column] = digit;
            }
        }
    }
    let mut texts = [""; 3];
    for (text, line) in texts.iter_mut().zip(&lines) {
        *text = std::str::from_utf8(&line[..n_columns]).unwrap_or_default();
    }
    check(&texts[..n_lines]);
}

fn digits(format: MrzFormat) -> &'static [Digit] {
    match format {
        MrzFormat::Td1 => &[
            (0, 14, &[(0, 5, 14)]),
            (1, 6, &[(1, 0, 6)]),
            (1, 14, &[(1, 8, 14)]),
            (1, 29, &[(0, 5, 30), (1, 0, 7), (1, 8, 15), (1, 18, 29)]),
        ],
        MrzFormat::Td2 => &[
            (1, 9, &[(1, 0, 9)]),
            (1, 19, &[(1, 13, 19)]),
            (1, 27, &[(1, 21, 27)]),
            (1, 35, &[(1, 0, 10), (1, 13, 20), (1, 21, 35)]),
        ],
        MrzFormat::Td3 => &[
            (1, 9, &[(1, 0, 9)]),
            (1, 19, &[(1, 13, 19)]),
            (1, 27, &[(1, 21, 27)]),
            (1, 42, &[(1, 28, 42)]),
            (1, 43, &[(1, 0, 10), (1, 13, 20), (1, 21, 43)]),
        ],
        MrzFormat::MrvA | MrzFormat::MrvB => &[
            (1, 9, &[(1, 0, 9)]),
            (1, 19, &[(1, 13, 19)]),
            (1, 27, &[(1, 21, 27)]),
        ],
    }
}

fn check(lines: &[&str]) {
    let read = parse(lines);
    let repaired = parse_repaired(lines);
    let today = dates::CivilDate {
        year: 2026,
        month: 11,
        day: 25,
    };
    for mrz in [&read, &repaired].into_iter().flatten() {
        assert_eq!(mrz.lines.len(), lines.len());
        let born = dates::birth_date(mrz.birth_date.reveal(), today);
        assert!(born.is_ok_and(|d| d <= today) || born.is_err());
        let _ = dates::expiry_date(mrz.expiry_date.reveal(), today);
        assert!(!mrz.primary_identifier.is_empty());
        assert!(mrz.checks.n_verified() <= 5);
    }
    if let Ok(read) = read {
        assert_eq!(read.repaired, 0, "taken as read");
        assert!(read.lines.iter().zip(lines).all(|(a, b)| a.reveal() == *b));
        // What no check digit speaks against is left as it is.
        if !read.checks.any_refuted() {
            assert_eq!(Ok(read), repaired);
        }
    }
}
