//! The dates of a document on the day of the session.

use super::evidence::CivilDate;

/// The word of a term that does not end.
const LONG_TERM: &str = "长期";

/// What the dates of a document say on the day of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateEvidence {
    /// Whether both dates are days of the calendar, birth lies in the past, and the other dates after it, in order.
    pub logical: bool,
    /// Whether it expired before today. `None` if the date cannot be read.
    pub expired: Option<bool>,
    /// Whether it is valid only from a later day on. `None` if the document does not say from when, or it cannot be read.
    pub not_yet_valid: Option<bool>,
    /// Completed years of age today. `None` if the date cannot be read (an unknown month or day counts as the latest).
    pub age_years: Option<u8>,
}

/// Two digits, or `None`.
fn two_digits(text: &str, at: usize) -> Option<u8> {
    let part = text.as_bytes().get(at..at + 2)?;
    part.iter()
        .all(u8::is_ascii_digit)
        .then(|| (part[0] - b'0') * 10 + (part[1] - b'0'))
}

/// Completed years, if the birth lies not in the future.
fn age(birth: Option<CivilDate>, today: CivilDate) -> Option<u8> {
    birth.filter(|b| *b <= today).map(|b| {
        let had_birthday = (today.1, today.2) >= (b.1, b.2);
        u8::try_from(today.0 - b.0 - i32::from(!had_birthday)).unwrap_or(0)
    })
}

/// A day of the calendar, YYYYMMDD.
fn day(text: &str) -> Option<CivilDate> {
    if text.len() != 8 {
        return None;
    }
    let (century, year) = (two_digits(text, 0)?, two_digits(text, 2)?);
    let year = i32::from(century) * 100 + i32::from(year);
    let month = two_digits(text, 4).filter(|m| (1..=12).contains(m))?;
    two_digits(text, 6)
        .filter(|d| (1..=days_in(year, month)).contains(d))
        .map(|d| (year, month, d))
}

/// Days of a month.
fn days_in(year: i32, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

impl DateEvidence {
    /// Reads two dates YYMMDD. The century of a birth is the latest that lies not in the future; that of an expiry the one
    /// that is nearest to today (documents are valid for decades at most). Unknown month or day of a birth (`<<`, ICAO 9303-3,
    /// 4.8) counts as the end of the year or month: nobody is made older than they are.
    pub fn of(birth: &str, expiry: &str, today: CivilDate) -> Self {
        let birth = Self::birth(birth, today);
        let expiry = Self::expiry(expiry, today);
        let logical = matches!((birth, expiry), (Some(b), Some(e)) if b <= today && b < e);
        Self {
            logical,
            expired: expiry.map(|e| e < today),
            not_yet_valid: None,
            age_years: age(birth, today),
        }
    }

    /// Reads the dates of a resident identity card, YYYYMMDD; a term that ends with `长期` never expires.
    pub fn of_card(birth: &str, from: &str, until: &str, today: CivilDate) -> Self {
        let (birth, from) = (day(birth), day(from));
        let (end, endless) = (day(until), until == LONG_TERM);
        let begins = matches!((birth, from), (Some(b), Some(f)) if b <= today && b <= f);
        let ends = endless || matches!((from, end), (Some(f), Some(e)) if f < e);
        Self {
            logical: begins && ends,
            expired: if endless {
                Some(false)
            } else {
                end.map(|e| e < today)
            },
            not_yet_valid: from.map(|f| f > today),
            age_years: age(birth, today),
        }
    }

    fn birth(text: &str, today: CivilDate) -> Option<CivilDate> {
        let century = today.0 - today.0.rem_euclid(100);
        let mut year = century + i32::from(two_digits(text, 0)?);
        let unknown = |at: usize| text.get(at..at + 2) == Some("<<");
        let month = if unknown(2) {
            Some(12)
        } else {
            two_digits(text, 2)
        }
        .filter(|m| (1..=12).contains(m))?;
        let day_of = |year| {
            if unknown(4) {
                Some(days_in(year, month))
            } else {
                two_digits(text, 4)
            }
        };
        if (year, month, day_of(year)?) > today {
            year -= 100;
        }
        day_of(year)
            .filter(|d| (1..=days_in(year, month)).contains(d))
            .map(|d| (year, month, d))
    }

    fn expiry(text: &str, today: CivilDate) -> Option<CivilDate> {
        let century = today.0 - today.0.rem_euclid(100);
        let mut year = century + i32::from(two_digits(text, 0)?);
        if year > today.0 + 50 {
            year -= 100;
        } else if year < today.0 - 50 {
            year += 100;
        }
        let month = two_digits(text, 2).filter(|m| (1..=12).contains(m))?;
        two_digits(text, 4)
            .filter(|d| (1..=days_in(year, month)).contains(d))
            .map(|d| (year, month, d))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_icao_prints_them() {
        let today = (2026, 11, 23);
        let check = |birth, expiry, logical, expired, age| {
            let dates = DateEvidence::of(birth, expiry, today);
            assert_eq!(
                dates,
                DateEvidence {
                    logical,
                    expired,
                    not_yet_valid: None,
                    age_years: age
                },
                "{birth} {expiry}"
            );
        };
        check("740812", "340415", true, Some(false), Some(52));
        check("740812", "120415", true, Some(true), Some(52));
        check("081124", "340415", true, Some(false), Some(17));
        check("081123", "340415", true, Some(false), Some(18));
        check("261124", "340415", true, Some(false), Some(99));
        check("74<<<<", "340415", true, Some(false), Some(51));
        check("7408<<", "340415", true, Some(false), Some(52));
        check("740231", "340415", false, Some(false), None);
        check("040229", "340415", true, Some(false), Some(22));
        check("740812", "341315", false, None, Some(52));
        check("740812", "261123", true, Some(false), Some(52));
        check("740812", "261122", true, Some(true), Some(52));
        check("", "", false, None, None);
        check("７", "340415", false, Some(false), None);
    }
    #[test]
    fn dates_of_a_card_have_a_century_and_may_have_no_end() {
        let today = (2026, 11, 23);
        let check =
            |birth, from, until, expected: (bool, Option<bool>, Option<bool>, Option<u8>)| {
                let d = DateEvidence::of_card(birth, from, until, today);
                let found = (d.logical, d.expired, d.not_yet_valid, d.age_years);
                assert_eq!(found, expected, "{birth} {from} {until}");
            };
        let no = Some(false);
        check("19870319", "20210520", "20410520", (true, no, no, Some(39)));
        check("19490101", "20210520", "长期", (true, no, no, Some(77)));
        check(
            "19870319",
            "20060520",
            "20261122",
            (true, Some(true), no, Some(39)),
        );
        check("19870319", "20060520", "20261123", (true, no, no, Some(39)));
        check(
            "19870319",
            "20261124",
            "20461124",
            (true, no, Some(true), Some(39)),
        );
        check(
            "19870319",
            "20210520",
            "20200520",
            (false, Some(true), no, Some(39)),
        );
        check("20300319", "20210520", "20410520", (false, no, no, None));
        check(
            "19870319",
            "19800520",
            "20410520",
            (false, no, no, Some(39)),
        );
        check("19870230", "20210520", "20410520", (false, no, no, None));
        check("19870319", "", "20410520", (false, no, None, Some(39)));
        check("19870319", "20210520", "", (false, None, no, Some(39)));
        check("", "", "", (false, None, None, None));
        check("1987031９", "20210520", "长期", (false, no, no, None));
    }
}
