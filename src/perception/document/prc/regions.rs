//! The division codes of GB/T 2260, of today and of every year since 1980, for the first six digits of a number.
//!
//! A number keeps the code of the place where it was given out, also when that county is long gone; so codes of all years are
//! known. A code that the table lacks is refuted, unless not even its province is in the table: then the table is too old to
//! say anything, and the check is not read. (With today's table that is never the case: the provinces are those of
//! [`gb11643`](super::super::gb11643).)

use crate::perception::document::field::FieldCheck;

const TABLE: &str = include_str!("regions.txt");

/// Known codes.
#[derive(Debug)]
pub struct Regions {
    /// Ascending.
    codes: Vec<u32>,
}

impl Regions {
    /// The table that is part of the program.
    pub fn load() -> Self {
        let mut codes = Vec::with_capacity(8192);
        for line in TABLE.lines().filter(|l| !l.starts_with('#')) {
            let mut words = line.split(' ');
            let Some(prefecture) = words.next().and_then(|w| w.parse::<u32>().ok()) else {
                continue;
            };
            for word in words {
                let (first, last) = word.split_once('-').unwrap_or((word, word));
                if let (Ok(first), Ok(last)) = (first.parse::<u32>(), last.parse::<u32>()) {
                    codes.extend((first..=last).map(|c| prefecture * 100 + c));
                }
            }
        }
        codes.sort_unstable();
        Self { codes }
    }

    /// What the table says of a code of six digits.
    pub fn check(&self, code: u32) -> FieldCheck {
        if self.codes.binary_search(&code).is_ok() {
            return FieldCheck::Verified;
        }
        let province = code / 10_000;
        let place = self.codes.partition_point(|c| *c < province * 10_000);
        match self.codes.get(place) {
            Some(next) if next / 10_000 == province => FieldCheck::Refuted,
            _ => FieldCheck::NotRead,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_today_and_of_former_years_are_known() {
        let regions = Regions::load();
        assert!(regions.codes.len() > 7000, "{}", regions.codes.len());
        for (code, expected) in [
            // Dongcheng; Chaoyang; Chaoyang county of Guangdong, part of a city since 1993; Hong Kong.
            (110_101, FieldCheck::Verified),
            (110_105, FieldCheck::Verified),
            (440_524, FieldCheck::Verified),
            (810_000, FieldCheck::Verified),
            // No such county in a province that is there.
            (110_199, FieldCheck::Refuted),
            (449_999, FieldCheck::Refuted),
            // Of a number that is often given as an example; there is no such county.
            (340_524, FieldCheck::Refuted),
            // No such province: the table cannot say anything.
            (990_101, FieldCheck::NotRead),
            (0, FieldCheck::NotRead),
        ] {
            assert_eq!(regions.check(code), expected, "{code}");
        }
    }
}
