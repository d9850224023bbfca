//! What a session has found out, as numbers and closed words: no pixels, no templates, no name and no number.

use super::reasons::{Reason, Remedy};
use crate::base::terms::{DocumentKind, Field, FieldMatch, Purpose};
use crate::perception::document::mrz::{CheckResult, Mrz, MrzChecks, MrzFormat};
use serde::Serialize;

/// A calendar day: year, month 1..=12, day 1..=31.
pub type CivilDate = (i32, u8, u8);

/// Everything that a decision is made of. What is `None` was not found out, which is a finding of its own.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// What the session is for.
    pub purpose: Purpose,
    /// Whether this is practice.
    pub practice: bool,
    /// How the capture ended.
    pub ending: Ending,
    /// The document.
    pub document: Option<DocumentEvidence>,
    /// The claimed fields against the document.
    pub fields: Vec<(Field, FieldMatch)>,
    /// The face.
    pub face: Option<FaceEvidence>,
    /// The day of the session, UTC.
    pub today: CivilDate,
    /// What the booth has tried by itself.
    pub remedies: Vec<RemedyTried>,
}

/// How the capture ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// All steps were gone through.
    Complete,
    /// It stopped before.
    Stopped {
        /// Why.
        reason: Reason,
        /// In which step.
        step: Step,
        /// What was measured, if the reason is a measured one.
        measure: Option<Measure>,
    },
}

/// A step of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Showing the ticket.
    Ticket,
    /// Agreeing.
    Consent,
    /// The booth checks itself.
    Preflight,
    /// Showing the document.
    Document,
    /// Showing the face.
    Face,
    /// Deciding.
    Decision,
}

/// A measured value with its limit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measure {
    /// What was measured.
    pub name: &'static str,
    /// The value.
    pub value: f64,
    /// The limit it was held against.
    pub limit: f64,
    /// The unit: `px`, `deg`, `share`, `score`, `s`, `0..100`.
    pub unit: &'static str,
}

/// Something that the booth has tried by itself before it asked the person.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RemedyTried {
    /// For which reason.
    pub reason: Reason,
    /// What.
    pub remedy: Remedy,
    /// The measure before.
    pub before: f64,
    /// The measure after.
    pub after: f64,
}

/// The document, as far as it was read.
#[derive(Clone, Debug)]
pub struct DocumentEvidence {
    /// Its kind by the layout of the machine readable zone.
    pub kind: DocumentKind,
    /// Whether it says of itself that it is a specimen (issuing state UTO).
    pub specimen: bool,
    /// Every check digit by itself.
    pub checks: MrzChecks,
    /// Dates.
    pub dates: DateEvidence,
    /// How many equal readings there were.
    pub n_readings: u32,
    /// Lowest confidence of the line reader over the lines, 0..=1.
    pub confidence: f32,
    /// The portrait.
    pub portrait: PortraitEvidence,
}

/// The portrait on the document.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PortraitEvidence {
    /// None was found.
    NotFound,
    /// Found; the distance of its eyes in pixels of the camera's frame.
    Found {
        /// Pixels.
        inter_eye_px: f32,
    },
}

/// What the dates of a document say on the day of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateEvidence {
    /// Whether both dates are days of the calendar, birth lies in the past, and expiry after birth.
    pub logical: bool,
    /// Whether it expired before today. `None` if the date cannot be read.
    pub expired: Option<bool>,
    /// Completed years of age today. `None` if the date cannot be read (an unknown month or day counts as the latest).
    pub age_years: Option<u8>,
}

impl DocumentEvidence {
    /// What `mrz` says on `today`.
    pub fn from_mrz(
        mrz: &Mrz,
        today: CivilDate,
        n_readings: u32,
        confidence: f32,
        portrait: PortraitEvidence,
    ) -> Self {
        Self {
            kind: match mrz.format {
                MrzFormat::Td1 => DocumentKind::Td1,
                MrzFormat::Td2 => DocumentKind::Td2,
                MrzFormat::Td3 => DocumentKind::Td3,
            },
            specimen: mrz.issuing_state == "UTO",
            checks: mrz.checks,
            dates: DateEvidence::of(mrz.birth_date.reveal(), mrz.expiry_date.reveal(), today),
            n_readings,
            confidence,
            portrait,
        }
    }

    /// Names of the refuted check digits.
    pub fn refuted(&self) -> impl Iterator<Item = &'static str> {
        self.checks
            .named()
            .into_iter()
            .filter(|(_, r)| *r == CheckResult::Refuted)
            .map(|(name, _)| name)
    }
}

/// Two digits, or `None`.
fn two_digits(text: &str, at: usize) -> Option<u8> {
    let part = text.as_bytes().get(at..at + 2)?;
    part.iter()
        .all(u8::is_ascii_digit)
        .then(|| (part[0] - b'0') * 10 + (part[1] - b'0'))
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
        let age = birth.filter(|b| *b <= today).map(|b| {
            let had_birthday = (today.1, today.2) >= (b.1, b.2);
            u8::try_from(today.0 - b.0 - i32::from(!had_birthday)).unwrap_or(0)
        });
        Self {
            logical,
            expired: expiry.map(|e| e < today),
            age_years: age,
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

/// The face.
#[derive(Clone, Debug)]
pub struct FaceEvidence {
    /// How many good frames were compared.
    pub n_frames: u32,
    /// The comparison.
    pub comparison: ComparisonEvidence,
    /// Presentation attack detection.
    pub pad: PadEvidence,
    /// Median over the good frames of the distance of the eyes, in pixels.
    pub inter_eye_px: f32,
    /// Median of the Sharpness component, 0..=100.
    pub sharpness: Option<u8>,
    /// Median of the LuminanceMean component, 0..=100.
    pub luminance: Option<u8>,
}

/// The comparison of the probe with the reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ComparisonEvidence {
    /// Median comparison score over the good frames, -1..=1.
    Score(f32),
    /// There was nothing to compare with.
    NotPossible,
}

/// Presentation attack detection on the good frames. A non-response is a good frame without a PAD score; it is counted apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PadEvidence {
    /// At least half of the good frames have a score.
    Score {
        /// Median PAD score, 0..=1, higher is more like a bona fide presentation.
        score: f32,
        /// Frames with a score.
        n_frames: u32,
        /// Frames without.
        n_no_response: u32,
    },
    /// Too many of the good frames have none.
    NotPossible {
        /// Frames without a score.
        n_no_response: u32,
    },
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
}
