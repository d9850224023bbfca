//! Vectors of Doc 9303, and properties over generated zones.

use super::check_digit::compute;
use super::*;
use proptest::prelude::*;

const TD3: [&str; 2] = [
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
    "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
];
const TD2: [&str; 2] = [
    "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<",
    "D231458907UTO7408122F1204159<<<<<<<6",
];
const TD1: [&str; 3] = [
    "I<UTOD231458907<<<<<<<<<<<<<<<",
    "7408122F1204159UTO<<<<<<<<<<<6",
    "ERIKSSON<<ANNA<MARIA<<<<<<<<<<",
];
/// A document number of twelve characters (Doc 9303-5, appendix B).
const TD1_LONG: [&str; 3] = [
    "I<UTOD23145890<7349<<<<<<<<<<<",
    "3407127M9507122UTO<<<<<<<<<<<2",
    "STEVENSON<<PETER<<<<<<<<<<<<<<",
];

/// Visas (Doc 9303-7, appendices).
const MRV_A: [&str; 2] = [
    "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
    "L8988901C4XXX4009078F96121096ZE184226B<<<<<<",
];
const MRV_B: [&str; 2] = [
    "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<",
    "L8988901C4XXX4009078F9612109<<<<<<<<",
];

use CheckResult::{NotPrinted, Refuted, Verified};

/// Document number, birth, expiry, optional data, composite.
fn results(mrz: &Mrz) -> [CheckResult; 5] {
    mrz.checks.named().map(|(_, r)| r)
}

fn check(lines: &[&str], number: &str, optional: &str, expected: [CheckResult; 5]) {
    let mrz = parse(lines).expect("a vector parses");
    assert_eq!(results(&mrz), expected, "{lines:?}");
    assert_eq!(mrz.document_number.reveal(), number);
    assert_eq!(mrz.optional_data.reveal(), optional);
    assert_eq!(
        parse_repaired(lines),
        Ok(mrz),
        "nothing to mend in {lines:?}"
    );
}

#[test]
fn vectors_of_doc_9303() {
    check(&TD3, "L898902C3", "ZE184226B", [Verified; 5]);
    let no_optional_digit = [Verified, Verified, Verified, NotPrinted, Verified];
    check(&TD2, "D23145890", "", no_optional_digit);
    check(&TD1, "D23145890", "", no_optional_digit);
    check(&TD1_LONG, "D23145890734", "", no_optional_digit);
    let visa = [Verified, Verified, Verified, NotPrinted, NotPrinted];
    check(&MRV_A, "L8988901C", "6ZE184226B", visa);
    check(&MRV_B, "L8988901C", "", visa);
}

/// A reader that takes the edge of the page for a character moves everything: such a zone is none, so that another cut wins.
#[test]
fn what_was_moved_by_a_character_is_no_zone() {
    for (first, second, line, column) in [
        ("PP<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<", TD3[1], 1, 4),
        ("P<U<OERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", TD3[1], 1, 5),
        (
            TD3[0],
            "L898902C36<UT7408122F1204159ZE184226B<<<<<10",
            2,
            12,
        ),
    ] {
        let allowed = "< after <";
        let expected = MrzError::Character {
            line,
            column,
            allowed,
        };
        assert_eq!(parse(&[first, second]), Err(expected), "{first} {second}");
    }
    let first = "P<UTO<ERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<";
    let no_name = MrzError::NoName { line: 1 };
    assert_eq!(parse(&[first, TD3[1]]), Err(no_name));
}

#[test]
fn fields_are_cut_out_and_freed_of_fillers() {
    let mrz = parse(&TD3).expect("a vector parses");
    assert_eq!(mrz.format, MrzFormat::Td3);
    assert_eq!(
        (mrz.document_code.as_str(), mrz.issuing_state.as_str()),
        ("P", "UTO")
    );
    for (found, expected) in [
        (&mrz.nationality, "UTO"),
        (&mrz.primary_identifier, "ERIKSSON"),
        (&mrz.secondary_identifier, "ANNA MARIA"),
        (&mrz.birth_date, "740812"),
        (&mrz.sex, "F"),
        (&mrz.expiry_date, "120415"),
    ] {
        assert_eq!(found.reveal(), expected);
    }
    let one_name = ["I<D<<ARKFREITH<<<<<<<<<<<<<<<<<<<<<<", TD2[1]];
    let mrz = parse(&one_name).expect("one name is enough");
    assert_eq!(mrz.issuing_state, "D");
    assert_eq!(
        (
            mrz.primary_identifier.reveal(),
            mrz.secondary_identifier.reveal()
        ),
        ("ARKFREITH", "")
    );
}

#[test]
fn each_check_digit_is_reported_by_itself() {
    // The character of TD3's second line to be changed, and the results that then have to be refuted.
    for (column, to, refuted) in [
        (9, b'7', [Refuted, Verified, Verified, Verified, Refuted]),
        (9, b'<', [Refuted, Verified, Verified, Verified, Refuted]),
        (14, b'5', [Verified, Refuted, Verified, Verified, Refuted]),
        (22, b'3', [Verified, Verified, Refuted, Verified, Refuted]),
        (42, b'<', [Verified, Verified, Verified, Refuted, Refuted]),
        (43, b'1', [Verified, Verified, Verified, Verified, Refuted]),
        (43, b'<', [Verified, Verified, Verified, Verified, Refuted]),
    ] {
        let mut second = TD3[1].to_owned().into_bytes();
        second[column] = to;
        let second = String::from_utf8(second).expect("ASCII");
        let mrz = parse(&[TD3[0], &second]).expect("still a zone");
        assert_eq!(results(&mrz), refuted, "column {column}");
    }
    // Empty optional data: a filler or a zero may stand for the digit.
    for (digit, expected) in [('<', NotPrinted), ('0', Verified), ('3', Refuted)] {
        let second = format!("L898902C36UTO7408122F1204159<<<<<<<<<<<<<<{digit}0");
        let mrz = parse(&[TD3[0], &second]).expect("still a zone");
        assert_eq!(mrz.checks.optional_data, expected, "{digit}");
    }
}

#[test]
fn errors_name_the_place_and_never_the_text() {
    let letters = "A-Z and <";
    for (lines, expected) in [
        (vec![], MrzError::LineCount { found: 0 }),
        (vec![TD3[0]], MrzError::LineCount { found: 1 }),
        (
            vec![TD3[0], &TD3[1][1..]],
            MrzError::LineLength {
                line: 2,
                found: 43,
                allowed: "36 or 44",
            },
        ),
        (
            vec![TD3[0], TD2[1]],
            MrzError::LineLength {
                line: 2,
                found: 36,
                allowed: "36 or 44",
            },
        ),
        (
            vec![TD1[0], TD1[1], TD2[0]],
            MrzError::LineLength {
                line: 3,
                found: 36,
                allowed: "30",
            },
        ),
        (
            vec!["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<é<", TD3[1]],
            MrzError::Character {
                line: 1,
                column: 43,
                allowed: "A-Z, 0-9 and <",
            },
        ),
        (
            vec!["P<UT7ERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", TD3[1]],
            MrzError::Character {
                line: 1,
                column: 5,
                allowed: letters,
            },
        ),
        (
            vec![TD3[0], "L898902C36UTO7408122X1204159ZE184226B<<<<<10"],
            MrzError::Character {
                line: 2,
                column: 21,
                allowed: "M, F and <",
            },
        ),
        (
            vec!["X<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", TD3[1]],
            MrzError::DocumentCode {
                format: MrzFormat::Td3,
                allowed: "P",
            },
        ),
        (
            vec!["P<UTO<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<", TD3[1]],
            MrzError::NoName { line: 1 },
        ),
    ] {
        let error = parse(&lines).expect_err("not a zone");
        assert_eq!(error, expected);
        assert!(!format!("{error} {error:?}").contains("ERIKSSON"));
    }
}

#[test]
fn only_what_a_check_digit_confirms_is_mended() {
    let mended =
        |lines: &[&str]| parse_repaired(lines).map(|m| (m.repaired, m.checks.any_refuted()));
    for (first, second, expected) in [
        // Letters in dates and check digits.
        (
            TD3[0],
            "L898902C36UTO74O8I22F1204159ZE184226B<<<<<10",
            Ok((2, false)),
        ),
        (
            TD3[0],
            "L898902C3GUTO7408122F12O4159ZE184226B<<<<<1O",
            Ok((3, false)),
        ),
        // 0 and O in the document number.
        (
            TD3[0],
            "L8989O2C36UTO7408122F1204159ZE184226B<<<<<10",
            Ok((1, false)),
        ),
        // Digits in states and names, the rest verified.
        (
            "P<UT0ER1KSS0N<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
            TD3[1],
            Ok((3, false)),
        ),
        // The date has another digit wrong as well: nothing is mended, the letter is refused.
        (
            TD3[0],
            "L898902C36UTO75O8122F1204159ZE184226B<<<<<10",
            Err(MrzError::Character {
                line: 2,
                column: 16,
                allowed: "0-9 and <",
            }),
        ),
        // A refuted check digit: the names are not mended.
        (
            "P<UTOER1KSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
            "L898902C36UTO7508122F1204159ZE184226B<<<<<10",
            Err(MrzError::Character {
                line: 1,
                column: 8,
                allowed: "A-Z and <",
            }),
        ),
        // A wrong number that no exchange explains stays refuted.
        (
            TD3[0],
            "L898903C36UTO7408122F1204159ZE184226B<<<<<10",
            Ok((0, true)),
        ),
    ] {
        assert_eq!(mended(&[first, second]), expected, "{first} {second}");
    }
}

/// The parts of a zone, before fillers and check digits.
#[derive(Clone, Debug)]
struct Parts {
    number: String,
    birth: String,
    expiry: String,
    sex: char,
    optional: String,
    primary: String,
    secondary: String,
}

fn digit(fields: &[&str]) -> char {
    let bytes: Vec<&[u8]> = fields.iter().map(|f| f.as_bytes()).collect();
    char::from(compute(&bytes).expect("generated from the alphabet"))
}

impl Parts {
    fn lines(&self, format: MrzFormat) -> Vec<String> {
        let n = format.n_columns();
        let names = format!("{}<<{}", self.primary, self.secondary);
        let number = format!("{:<<9}", &self.number[..self.number.len().min(9)]);
        let dates = format!(
            "{}{}{}{}{}",
            self.birth,
            digit(&[&self.birth]),
            self.sex,
            self.expiry,
            digit(&[&self.expiry])
        );
        if format == MrzFormat::Td1 {
            let rest = self.number.get(9..).unwrap_or("");
            let optional = &self.optional[..self.optional.len().min(15 - rest.len() - 2)];
            let first = if rest.is_empty() {
                format!("{number}{}{optional:<<15}", digit(&[&number]))
            } else {
                let full = format!("{rest}{}<{optional}", digit(&[&number, rest]));
                format!("{number}<{full:<<15}")
            };
            let second = format!("{dates}UTO{:<<11}", "");
            let over = [&first, &second[..7], &second[8..15], &second[18..]];
            let composite = digit(&over);
            return vec![
                format!("I<UTO{first}"),
                format!("{second}{composite}"),
                format!("{names:<<n$.n$}"),
            ];
        }
        let room = if format == MrzFormat::Td2 { 7 } else { 14 };
        let optional = format!(
            "{:<<room$}",
            &self.optional[..self.optional.len().min(room)]
        );
        let mut second = format!("{number}{}UTO{dates}{optional}", digit(&[&number]));
        if format == MrzFormat::Td3 {
            second.push(digit(&[&optional]));
        }
        second.push(digit(&[&second[..10], &second[13..20], &second[21..]]));
        let code = if format == MrzFormat::Td3 { 'P' } else { 'I' };
        let first = format!("{code}<UTO{names}");
        vec![format!("{first:<<n$.n$}"), second]
    }
}

fn parts() -> impl Strategy<Value = Parts> {
    let date = || (0u8..100, 1u8..13, 1u8..29).prop_map(|(y, m, d)| format!("{y:02}{m:02}{d:02}"));
    (
        "[A-Z0-9]{1,14}",
        date(),
        date(),
        prop::sample::select(vec!['M', 'F', '<']),
        "[A-Z0-9]{0,14}",
        "[A-Z]{1,12}(<[A-Z]{1,6})?",
        "[A-Z]{0,9}",
    )
        .prop_map(
            |(number, birth, expiry, sex, optional, primary, secondary)| Parts {
                number,
                birth,
                expiry,
                sex,
                optional,
                primary,
                secondary,
            },
        )
}

fn formats() -> impl Strategy<Value = MrzFormat> {
    prop::sample::select(vec![MrzFormat::Td1, MrzFormat::Td2, MrzFormat::Td3])
}

proptest! {
    #[test]
    fn a_generated_zone_verifies(parts in parts(), format in formats()) {
        let lines = parts.lines(format);
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let mrz = parse(&lines).expect("generated");
        prop_assert!(!mrz.checks.any_refuted(), "{:?} {:?}", mrz.checks, lines);
        prop_assert_eq!(mrz.checks.composite, Verified);
        let number = if format == MrzFormat::Td1 { &parts.number } else { &parts.number[..parts.number.len().min(9)] };
        prop_assert_eq!(mrz.document_number.reveal(), number);
        prop_assert_eq!(mrz.primary_identifier.reveal(), parts.primary.replace('<', " "));
    }

    /// Weights 7, 3 and 1 have no factor in common with 10: every other digit changes the sum.
    #[test]
    fn another_digit_in_a_checked_field_is_noticed(
        parts in parts(), format in formats(), place in 0usize..13, by in 1u8..10,
    ) {
        let mut lines = parts.lines(format);
        let (line, columns) = match format {
            MrzFormat::Td1 => (1, (0..7).chain(8..14)),
            MrzFormat::Td2 | MrzFormat::Td3 | MrzFormat::MrvA | MrzFormat::MrvB => (1, (13..20).chain(21..27)),
        };
        let column = columns.clone().nth(place).expect("thirteen places");
        let mut bytes = lines[line].clone().into_bytes();
        bytes[column] = b'0' + (bytes[column] - b'0' + by) % 10;
        lines[line] = String::from_utf8(bytes).expect("ASCII");
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        for parsed in [parse(&lines), parse_repaired(&lines)] {
            prop_assert!(parsed.expect("the shape is right").checks.any_refuted());
        }
    }

    #[test]
    fn any_text_is_parsed_or_refused(lines in prop::collection::vec(".{0,50}", 0..5)) {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let _ = parse(&lines);
        let _ = parse_repaired(&lines);
    }

    #[test]
    fn any_text_of_the_right_shape_is_parsed_or_refused(text in "[A-Z0-9<]{132}", format in formats()) {
        let n = format.n_columns();
        let lines: Vec<&str> = (0..format.n_lines()).map(|i| &text[i * n..(i + 1) * n]).collect();
        let as_read = parse(&lines);
        if let (Ok(a), Ok(b)) = (as_read, parse_repaired(&lines)) {
            prop_assert!(b.checks.n_verified() >= a.checks.n_verified());
        }
    }
}
