//! The machine readable zone of ICAO Doc 9303: TD1 (3 x 30), TD2 (2 x 36) and TD3 (2 x 44), and visas of the last two shapes.
//!
//! [`parse()`] takes lines of text as they are; [`parse_repaired`] first mends characters that a reader confuses, only where a
//! check digit then verifies. Check digits are reported, not enforced: a refuted one is evidence, not an error. An [`MrzError`]
//! names a line and a column, never a character of the document.

pub mod check_digit;
pub mod dates;
mod layout;
mod parse;
mod repair;
#[cfg(test)]
mod tests;

pub use parse::{MrzError, parse, parse_repaired};

use crate::base::secret::Secret;

/// The layout of a machine readable zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MrzFormat {
    /// Cards: three lines of 30.
    Td1,
    /// Larger cards: two lines of 36.
    Td2,
    /// Passports: two lines of 44.
    Td3,
    /// Visas of format A: two lines of 44, no composite check digit. No identity document: read so that it can be said.
    MrvA,
    /// Visas of format B: two lines of 36.
    MrvB,
}

impl MrzFormat {
    /// Number of lines.
    pub const fn n_lines(self) -> usize {
        match self {
            Self::Td1 => 3,
            Self::Td2 | Self::Td3 | Self::MrvA | Self::MrvB => 2,
        }
    }

    /// Characters of one line.
    pub const fn n_columns(self) -> usize {
        match self {
            Self::Td1 => 30,
            Self::Td2 | Self::MrvB => 36,
            Self::Td3 | Self::MrvA => 44,
        }
    }

    /// How many check digits every zone of the format has at least.
    pub const fn n_check_digits(self) -> usize {
        match self {
            // Optional data may be without.
            Self::Td1 | Self::Td2 | Self::Td3 => 4,
            Self::MrvA | Self::MrvB => 3,
        }
    }

    /// The visa of the same shape.
    const fn as_visa(self) -> Self {
        match self {
            Self::Td2 => Self::MrvB,
            Self::Td3 => Self::MrvA,
            other => other,
        }
    }

    /// The format with this many lines of this many characters; visas share the shapes of the others.
    pub const fn of_shape(n_lines: usize, n_columns: usize) -> Option<Self> {
        match (n_lines, n_columns) {
            (3, 30) => Some(Self::Td1),
            (2, 36) => Some(Self::Td2),
            (2, 44) => Some(Self::Td3),
            _ => None,
        }
    }
}

/// Result of one check digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CheckResult {
    /// The printed digit is the computed one.
    Verified,
    /// The printed digit is another one.
    Refuted,
    /// A filler stands where the digit would be, and the field allows that; or the format has no such digit.
    NotPrinted,
}

/// Every check digit by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MrzChecks {
    /// Of the document number.
    pub document_number: CheckResult,
    /// Of the date of birth.
    pub birth_date: CheckResult,
    /// Of the date of expiry.
    pub expiry_date: CheckResult,
    /// Of the optional data (TD3 only).
    pub optional_data: CheckResult,
    /// The composite one (visas have none).
    pub composite: CheckResult,
}

impl MrzChecks {
    /// The five with their names.
    pub fn named(&self) -> [(&'static str, CheckResult); 5] {
        [
            ("document_number", self.document_number),
            ("birth_date", self.birth_date),
            ("expiry_date", self.expiry_date),
            ("optional_data", self.optional_data),
            ("composite", self.composite),
        ]
    }

    /// How many of the five are verified.
    pub fn n_verified(&self) -> usize {
        self.named()
            .iter()
            .filter(|(_, r)| *r == CheckResult::Verified)
            .count()
    }

    /// Whether one of them is refuted.
    pub fn any_refuted(&self) -> bool {
        self.named().iter().any(|(_, r)| *r == CheckResult::Refuted)
    }
}

/// A parsed machine readable zone. Fillers are removed; what says something about the person is [`Secret`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mrz {
    /// Layout.
    pub format: MrzFormat,
    /// Document code, e.g. `P` or `ID` (one or two letters).
    pub document_code: String,
    /// Issuing state or organisation, three letters.
    pub issuing_state: String,
    /// Nationality, three letters.
    pub nationality: Secret,
    /// Document number without fillers (the long number of TD1 included).
    pub document_number: Secret,
    /// Primary identifier (family name), components separated by one space.
    pub primary_identifier: Secret,
    /// Secondary identifier (given names), components separated by one space.
    pub secondary_identifier: Secret,
    /// Date of birth as printed, YYMMDD (may hold fillers where unknown).
    pub birth_date: Secret,
    /// `M`, `F` or `<`.
    pub sex: Secret,
    /// Date of expiry as printed, YYMMDD.
    pub expiry_date: Secret,
    /// Optional data without trailing fillers.
    pub optional_data: Secret,
    /// Every check digit by itself.
    pub checks: MrzChecks,
    /// How many characters were mended by [`parse_repaired`]; 0 if the zone was taken as read.
    pub repaired: u32,
    /// The lines as they stand, mended ones as mended. Two zones can say the same in different lines: a filler more between
    /// names says nothing.
    pub lines: Vec<Secret>,
}

impl Mrz {
    /// Whether another zone says the same, whatever its lines.
    pub fn says_the_same(&self, other: &Self) -> bool {
        let Self {
            format,
            document_code,
            issuing_state,
            nationality,
            document_number,
            primary_identifier,
            secondary_identifier,
            birth_date,
            sex,
            expiry_date,
            optional_data,
            checks,
            repaired,
            lines: _,
        } = self;
        *format == other.format
            && *document_code == other.document_code
            && *issuing_state == other.issuing_state
            && *nationality == other.nationality
            && *document_number == other.document_number
            && *primary_identifier == other.primary_identifier
            && *secondary_identifier == other.secondary_identifier
            && *birth_date == other.birth_date
            && *sex == other.sex
            && *expiry_date == other.expiry_date
            && *optional_data == other.optional_data
            && *checks == other.checks
            && *repaired == other.repaired
    }
}
