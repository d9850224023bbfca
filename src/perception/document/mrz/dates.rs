//! The two-digit years of a machine readable zone. Pure: the caller says what day it is.

use crate::base::time::WallTime;

/// A day of the Gregorian calendar. Ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CivilDate {
    /// Year.
    pub year: i32,
    /// Month, 1..=12.
    pub month: u8,
    /// Day, 1..=31.
    pub day: u8,
}

/// Why six characters are not a day. Never carries them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum DateError {
    /// Not six characters of digits and fillers.
    #[error("a date of a machine readable zone has six characters, digits or fillers (YYMMDD)")]
    Shape,
    /// A part of it is unknown: fillers stand there.
    #[error("the date is not known in full: fillers stand in it")]
    Unknown,
    /// There is no such month or day.
    #[error("there is no such day in the calendar")]
    NoSuchDay,
}

impl CivilDate {
    /// A day, if the calendar has it.
    pub fn new(year: i32, month: u8, day: u8) -> Option<Self> {
        let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return None,
        };
        (1..=days)
            .contains(&day)
            .then_some(Self { year, month, day })
    }

    /// The day of `time` in UTC.
    pub fn of(time: WallTime) -> Self {
        let (year, month, day) = time.civil_date();
        Self { year, month, day }
    }
}

/// Years that an expiry may lie in the future at most; earlier than that, it lies in the past. Passports run for ten years,
/// cards of older persons for longer; a document that ran out half a century ago is not brought to a booth.
const EXPIRY_YEARS_AHEAD: i32 = 50;

/// The day of birth that `yymmdd` means on the day `today`: the latest one that is not in the future.
///
/// # Errors
/// [`DateError`] if the characters are not a day.
pub fn birth_date(yymmdd: &str, today: CivilDate) -> Result<CivilDate, DateError> {
    let (yy, month, day) = parts(yymmdd)?;
    let century = today.year.div_euclid(100) * 100;
    let fits = |century| CivilDate::new(century + yy, month, day).filter(|d| *d <= today);
    // Twice back, since 29 February is not in every century year.
    (0..3)
        .find_map(|back| fits(century - 100 * back))
        .ok_or(DateError::NoSuchDay)
}

/// The day of expiry that `yymmdd` means on the day `today`: the one between 49 years ago and 50 years ahead.
///
/// # Errors
/// [`DateError`] if the characters are not a day.
pub fn expiry_date(yymmdd: &str, today: CivilDate) -> Result<CivilDate, DateError> {
    let (yy, month, day) = parts(yymmdd)?;
    let last = today.year + EXPIRY_YEARS_AHEAD;
    let year = last - (last - yy).rem_euclid(100);
    CivilDate::new(year, month, day).ok_or(DateError::NoSuchDay)
}

fn parts(yymmdd: &str) -> Result<(i32, u8, u8), DateError> {
    let bytes = yymmdd.as_bytes();
    if bytes.len() != 6 || !bytes.iter().all(|c| c.is_ascii_digit() || *c == b'<') {
        return Err(DateError::Shape);
    }
    if bytes.contains(&b'<') {
        return Err(DateError::Unknown);
    }
    let two = |i: usize| (bytes[i] - b'0') * 10 + (bytes[i + 1] - b'0');
    Ok((i32::from(two(0)), two(2), two(4)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: CivilDate = CivilDate {
        year: 2026,
        month: 11,
        day: 23,
    };

    fn check(
        as_day: fn(&str, CivilDate) -> Result<CivilDate, DateError>,
        printed: &str,
        expected: Result<(i32, u8, u8), DateError>,
    ) {
        let found = as_day(printed, TODAY).map(|d| (d.year, d.month, d.day));
        assert_eq!(found, expected, "{printed}");
    }

    #[test]
    fn nobody_is_born_in_the_future() {
        check(birth_date, "740812", Ok((1974, 8, 12)));
        check(birth_date, "261123", Ok((2026, 11, 23)));
        check(birth_date, "261124", Ok((1926, 11, 24)));
        check(birth_date, "000229", Ok((2000, 2, 29)));
        check(birth_date, "740230", Err(DateError::NoSuchDay));
        check(birth_date, "741301", Err(DateError::NoSuchDay));
        check(birth_date, "74<<<<", Err(DateError::Unknown));
        check(birth_date, "74081", Err(DateError::Shape));
        check(birth_date, "74O812", Err(DateError::Shape));
        check(birth_date, "é0812", Err(DateError::Shape));
    }

    #[test]
    fn an_expiry_lies_in_a_window_around_today() {
        check(expiry_date, "120415", Ok((2012, 4, 15)));
        check(expiry_date, "361123", Ok((2036, 11, 23)));
        check(expiry_date, "761231", Ok((2076, 12, 31)));
        check(expiry_date, "770101", Ok((1977, 1, 1)));
        check(expiry_date, "350229", Err(DateError::NoSuchDay));
        check(expiry_date, "<<<<<<", Err(DateError::Unknown));
    }
}
