//! Citizen identification numbers of GB 11643-1999: six digits of region, eight of the date of birth, three of sequence (odd:
//! male), and a check character after ISO 7064 MOD 11-2.

use super::mrz::dates::CivilDate;

/// Why a text is not such a number. Never carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Gb11643Error {
    /// Not 18 characters.
    #[error("identification number with {found} characters: GB 11643-1999 has 18")]
    Length {
        /// Characters found.
        found: usize,
    },
    /// A character that cannot stand there.
    #[error("identification number, column {column}: only {allowed} can stand here")]
    Character {
        /// The column, from 1.
        column: usize,
        /// What may stand there.
        allowed: &'static str,
    },
    /// The first two digits are of no province-level division.
    #[error(
        "identification number: its first two digits are of no province-level division (GB/T 2260)"
    )]
    Region,
    /// There is no such day.
    #[error("identification number: columns 7 to 14 are no day of the calendar")]
    BirthDate,
    /// The check character is another one.
    #[error("identification number: the check character is not the computed one")]
    CheckCharacter,
}

/// Sex as the sequence number says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gb11643Sex {
    /// Odd sequence number.
    Male,
    /// Even sequence number.
    Female,
}

/// What a valid number says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Gb11643 {
    /// Region: province, prefecture, county; two digits each.
    pub region: u32,
    /// Day of birth.
    pub birth_date: CivilDate,
    /// Sex.
    pub sex: Gb11643Sex,
}

impl std::fmt::Debug for Gb11643 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gb11643([redacted])")
    }
}

/// Weights 2^(17-i) mod 11 of the first 17 digits (ISO 7064 MOD 11-2).
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
/// The check character by the sum modulo 11.
const CHECK: &[u8; 11] = b"10X98765432";
/// Province-level divisions of GB/T 2260, with Taiwan, Hong Kong and Macao (71, 81, 82; residence permits have 83 for Taiwan)
/// and 91 for foreigners of former numbers.
const PROVINCES: [u8; 36] = [
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52,
    53, 54, 61, 62, 63, 64, 65, 71, 81, 82, 83, 91,
];

/// Checks a number and takes it apart. The day of birth is not compared with today.
///
/// # Errors
/// [`Gb11643Error`] names the first thing that is wrong.
pub fn parse(number: &str) -> Result<Gb11643, Gb11643Error> {
    let found = number.chars().count();
    if found != 18 {
        return Err(Gb11643Error::Length { found });
    }
    for (i, c) in number.chars().enumerate() {
        let (fits, allowed) = match i {
            17 => (c.is_ascii_digit() || c == 'X', "0-9 and X"),
            _ => (c.is_ascii_digit(), "0-9"),
        };
        if !fits {
            return Err(Gb11643Error::Character {
                column: i + 1,
                allowed,
            });
        }
    }
    let digits = number.as_bytes();
    let int = |from: usize, to: usize| {
        digits[from..to]
            .iter()
            .fold(0u32, |n, d| n * 10 + u32::from(d - b'0'))
    };
    let right = digits.first_chunk().map(check_character);
    if right != Some(digits[17]) {
        return Err(Gb11643Error::CheckCharacter);
    }
    if !PROVINCES.iter().any(|p| u32::from(*p) == int(0, 2)) {
        return Err(Gb11643Error::Region);
    }
    // Four digits fit an i32, two fit a u8.
    let birth_date = CivilDate::new(int(6, 10) as i32, int(10, 12) as u8, int(12, 14) as u8)
        .filter(|d| d.year >= 1800)
        .ok_or(Gb11643Error::BirthDate)?;
    Ok(Gb11643 {
        region: int(0, 6),
        birth_date,
        sex: sex_of(digits[16]),
    })
}

/// The check character of the first 17 digits (ISO 7064 MOD 11-2). What is no digit counts as some number.
pub fn check_character(first: &[u8; 17]) -> u8 {
    let value = |d: &u8| u32::from(d.wrapping_sub(b'0'));
    let sum: u32 = first.iter().zip(WEIGHTS).map(|(d, w)| value(d) * w).sum();
    CHECK[(sum % 11) as usize]
}

/// The sex that a number of 18 characters says, whether or not its check character is right.
pub fn sex(number: &str) -> Option<Gb11643Sex> {
    let digits = number.as_bytes();
    let last = digits.get(16).filter(|d| d.is_ascii_digit())?;
    (digits.len() == 18).then(|| sex_of(*last))
}

/// By the last digit of the sequence number, which has the parity of all of it.
fn sex_of(digit: u8) -> Gb11643Sex {
    if digit % 2 == 1 {
        Gb11643Sex::Male
    } else {
        Gb11643Sex::Female
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Region, day of birth, sex.
    type Parts = (u32, (i32, u8, u8), Gb11643Sex);

    fn check(number: &str, expected: Result<Parts, Gb11643Error>) {
        let found = parse(number).map(|n| {
            let d = n.birth_date;
            (n.region, (d.year, d.month, d.day), n.sex)
        });
        assert_eq!(found, expected, "{number}");
    }

    #[test]
    fn numbers_of_the_standard() {
        use Gb11643Sex::{Female, Male};
        check("11010519491231002X", Ok((110_105, (1949, 12, 31), Female)));
        check("440524188001010014", Ok((440_524, (1880, 1, 1), Male)));
        check("34052419800101001X", Ok((340_524, (1980, 1, 1), Male)));
        check("110105194912310021", Err(Gb11643Error::CheckCharacter));
        check("11010519491231002", Err(Gb11643Error::Length { found: 17 }));
        check(
            "11010519491231002x",
            Err(Gb11643Error::Character {
                column: 18,
                allowed: "0-9 and X",
            }),
        );
        check(
            "1101051949123100２X",
            Err(Gb11643Error::Character {
                column: 17,
                allowed: "0-9",
            }),
        );
    }

    /// The same number with the right check character, so that only the other fault is left.
    fn with_check(first: &str) -> String {
        let sum: u32 = first
            .bytes()
            .zip(WEIGHTS)
            .map(|(d, w)| u32::from(d - b'0') * w)
            .sum();
        format!("{first}{}", char::from(CHECK[(sum % 11) as usize]))
    }

    #[test]
    fn region_and_day_are_looked_at() {
        check(&with_check("99010519491231002"), Err(Gb11643Error::Region));
        check(
            &with_check("11010519490230002"),
            Err(Gb11643Error::BirthDate),
        );
        check(
            &with_check("11010500010101002"),
            Err(Gb11643Error::BirthDate),
        );
    }

    proptest! {
        /// MOD 11-2 catches every single wrong digit.
        #[test]
        fn another_digit_is_noticed(place in 0usize..17, by in 1u8..10) {
            let mut bytes = *b"11010519491231002X";
            bytes[place] = b'0' + (bytes[place] - b'0' + by) % 10;
            let text = std::str::from_utf8(&bytes).expect("ASCII");
            prop_assert_eq!(parse(text), Err(Gb11643Error::CheckCharacter));
        }

        #[test]
        fn any_text_is_parsed_or_refused(text in ".{0,24}") {
            let _ = parse(&text);
        }
    }
}
