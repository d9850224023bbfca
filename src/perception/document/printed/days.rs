//! Days as documents print them. Pure.

use super::folding::plain;
use zeroize::Zeroizing;

/// Names of the months as they begin in English, French, German, Spanish, without accents.
const MONTHS: [&[&str]; 12] = [
    &["JAN", "ENE"],
    &["FEB", "FEV"],
    &["MAR", "MRZ", "MAER"],
    &["APR", "AVR", "ABR"],
    &["MAY", "MAI"],
    &["JUN", "JUIN"],
    &["JUL", "JUIL"],
    &["AUG", "AOU", "AGO"],
    &["SEP"],
    &["OCT", "OKT"],
    &["NOV"],
    &["DEC", "DEZ", "DIC"],
];

/// A day as two digits of the year, month and day: what zones have.
pub(super) type ShortDay = (i32, u32, u32);

/// A day as documents print it, without what stands between: of either century, day or year first, with the name of its month.
pub(super) fn forms_of((year, month, day): ShortDay) -> Vec<Zeroizing<String>> {
    let numbers = ["19", "20"].into_iter().flat_map(move |century| {
        [
            format!("{day:02}{month:02}{century}{year:02}"),
            format!("{century}{year:02}{month:02}{day:02}"),
        ]
    });
    // The year's two last digits stand behind the name: after another name or the century, which are not compared.
    let names = (month as usize).checked_sub(1).and_then(|m| MONTHS.get(m));
    let named = names.into_iter().copied().flatten();
    numbers
        .chain(named.map(|name| format!("{day:02}{name}")))
        .map(Zeroizing::new)
        .collect()
}

/// Whether `line` has the day and month of `form`, one of [`forms_of`] with the name of the month, without doubt, but not the year of
/// `day` behind it.
pub(super) fn is_of_other_year(line: &str, form: &str, day: ShortDay) -> bool {
    let named = form.ends_with(|c: char| c.is_ascii_alphabetic());
    let Some(behind) = line.find(form).map(|at| &line[at + form.len()..]) else {
        return false;
    };
    // What a reader of capitals and digits takes for digits.
    let digits = behind.chars().map(|c| match c {
        'O' | 'D' | 'Q' => '0',
        'I' | 'L' => '1',
        'Z' => '2',
        'S' => '5',
        'G' => '6',
        'B' => '8',
        other => other,
    });
    let digits = Zeroizing::new(digits.collect::<String>());
    let end = digits.get(digits.len().saturating_sub(2)..).unwrap_or("");
    let has_year = end.len() == 2 && end.bytes().all(|b| b.is_ascii_digit());
    named && has_year && !digits.contains(&format!("{:02}", day.0))
}

pub(super) fn short_day(yymmdd: &str) -> Option<ShortDay> {
    let part = |range: std::ops::Range<usize>| yymmdd.get(range)?.parse::<u32>().ok();
    (yymmdd.len() == 6).then_some(())?;
    Some((part(0..2)? as i32, part(2..4)?, part(4..6)?))
}

/// A printed day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Day {
    /// Its year modulo 100.
    short_year: i32,
    pub(super) full_year: Option<i32>,
    month: u32,
    day: u32,
}

impl Day {
    fn of(year: &str, month: u32, day: u32) -> Option<Self> {
        let number: i32 = year.parse().ok()?;
        let full_year = match year.len() {
            4 if (1900..2100).contains(&number) => Some(number),
            2 => None,
            _ => return None,
        };
        ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some(Self {
            short_year: number % 100,
            full_year,
            month,
            day,
        })
    }

    pub(super) fn is(self, (year, month, day): ShortDay) -> bool {
        (self.short_year, self.month, self.day) == (year, month, day)
    }
}

/// Days in a line: `12 AUG 1974`, `12 AUG/AOÛT 74`, `12.08.1974`, `12 08 1974`, `1974-08-12`, `19740812`.
pub(super) fn days(text: &str) -> Vec<Day> {
    let upper: Zeroizing<String> = Zeroizing::new(
        text.chars()
            .flat_map(char::to_uppercase)
            .map(|c| match plain(c, false) {
                Some(letters) => letters.chars().next().unwrap_or(' '),
                None => c,
            })
            .collect(),
    );
    // Groups of digits, and what stands before each and after the last.
    let (mut groups, mut between) = (Vec::<String>::new(), vec![String::new()]);
    let mut in_group = false;
    for c in upper.chars() {
        let (list, begins) = if c.is_ascii_digit() {
            (&mut groups, !in_group)
        } else {
            (&mut between, in_group)
        };
        in_group = c.is_ascii_digit();
        match list.last_mut().filter(|_| !begins) {
            Some(last) => last.push(c),
            None => list.push(c.to_string()),
        }
    }
    let mut found = Vec::new();
    for (i, group) in groups.iter().enumerate() {
        let after = groups.get(i + 1);
        if group.len() == 8 {
            let number = |range: std::ops::Range<usize>| group[range].parse().unwrap_or(0);
            found.extend(Day::of(&group[..4], number(4..6), number(6..8)));
            found.extend(Day::of(&group[4..], number(2..4), number(0..2)));
        }
        // A day, the name of a month, a year.
        if group.len() <= 2
            && let (Some(year), Some(name)) = (after, between.get(i + 1))
            && let Some(month) = month_in(name)
        {
            found.extend(Day::of(year, month, group.parse().unwrap_or(0)));
        }
        // Three numbers with something short between them that is no word.
        if let (Some(second), Some(third)) = (after, groups.get(i + 2)) {
            let close = |b: Option<&String>| {
                b.is_some_and(|b| b.len() <= 3 && !b.chars().any(char::is_alphabetic))
            };
            if close(between.get(i + 1)) && close(between.get(i + 2)) {
                let number = |t: &String| t.parse().unwrap_or(0);
                if group.len() == 4 {
                    found.extend(Day::of(group, number(second), number(third)));
                } else {
                    found.extend(Day::of(third, number(second), number(group)));
                }
            }
        }
    }
    found
}

fn month_in(name: &str) -> Option<u32> {
    let mut words = name.split(|c: char| !c.is_ascii_uppercase());
    words.find_map(|word| {
        let is = |names: &[&str]| names.iter().any(|n| word.starts_with(n));
        (0u32..)
            .zip(MONTHS)
            .find_map(|(i, names)| is(names).then_some(i + 1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_of_another_year_is_another_day() {
        for (line, form, expected) in [
            ("DATEOFISSUE11OCT2018", "11OCT", true),
            ("11OCT2028", "11OCT", false),
            ("11OCTOCT28", "11OCT", false),
            // As the fast reader takes digits of other fonts.
            ("11OCT2OZB", "11OCT", false),
            // No year was seen behind it, or not for sure.
            ("11OCT", "11OCT", false),
            ("11OCT201H", "11OCT", false),
            // In doubt, and in numbers alone.
            ("11QCT2018", "11OCT", false),
            ("11102018", "11102018", false),
        ] {
            let day = (28, 10, 11);
            assert_eq!(is_of_other_year(line, form, day), expected, "{line}");
        }
    }

    #[test]
    fn days_in_their_forms() {
        let day = |year: i32, month, day| Day {
            short_year: year % 100,
            full_year: (year >= 100).then_some(year),
            month,
            day,
        };
        for (text, expected) in [
            ("12 AUG 1974", vec![day(1974, 8, 12)]),
            ("12. août 74", vec![day(74, 8, 12)]),
            ("Date of birth 03 MÄR/MAR 2001", vec![day(2001, 3, 3)]),
            ("12 08 1974", vec![day(1974, 8, 12)]),
            ("19740812", vec![day(1974, 8, 12)]),
            ("12081974", vec![day(1974, 8, 12)]),
            ("1974年8月12日", vec![]),
            ("12.13.1974", vec![]),
            ("45 AUG 1974", vec![]),
            ("L898902C3", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(days(text), expected, "{text}");
        }
    }
}
