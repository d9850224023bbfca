//! The resident identity card of the People's Republic of China (居民身份证, ID-1 size, layout of GA 461): what one side says.
//!
//! The front has name, sex, ethnicity, date of birth, address, the citizen identification number (GB 11643) and the portrait;
//! the back has the issuing authority and the term of validity. No side has a machine readable zone. An empty text means that
//! the field was not read: there was none, or the reader was not sure of it.

mod fields;
mod layout;
mod number;
mod reader;
mod refine;
pub mod regions;
mod rows;

pub(in crate::perception::document) use number::Digits;
pub use reader::{PrcReader, ReadSide, Tools};

use super::field::FieldCheck;
use crate::base::secret::Secret;

/// What one side of the card said.
#[derive(Clone, Debug, PartialEq)]
pub enum PrcSide {
    /// The side with the portrait.
    Front(PrcFront),
    /// The side with the national emblem.
    Back(PrcBack),
}

/// The side with the portrait. An empty text means not read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PrcFront {
    /// 姓名, family name first, as printed; the middle dot of transcribed names is `·`.
    pub name: Secret,
    /// The text reader's confidence in the least sure character of the name, 0..=1.
    pub name_confidence: f32,
    /// 性别: `男` or `女`.
    pub sex: Secret,
    /// 民族, without the word 族.
    pub ethnicity: Secret,
    /// 出生: the printed date, YYYYMMDD.
    pub birth_date: Secret,
    /// 住址, its lines joined.
    pub address: Secret,
    /// 公民身份号码, 18 characters. Never with a check character that refutes it only because it was misread: then it is empty.
    pub number: Secret,
    /// What of it fits together.
    pub checks: PrcChecks,
    /// Confidence in the least sure character of the number, 0..=1.
    pub confidence: f32,
    /// Characters of the number that were mended, which is done only where the check character decides.
    pub repaired: u32,
}

/// Every check of the front by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PrcChecks {
    /// The number's check character (ISO 7064 MOD 11-2) is the computed one.
    pub check_character: FieldCheck,
    /// The number's first six digits are a division of GB/T 2260, of today or of some year since 1980.
    pub region: FieldCheck,
    /// The printed date of birth is the number's.
    pub birth_date: FieldCheck,
    /// The printed sex is the one of the number's sequence digit.
    pub sex: FieldCheck,
}

impl PrcChecks {
    /// The four with their names.
    pub fn named(&self) -> [(&'static str, FieldCheck); 4] {
        [
            ("check_character", self.check_character),
            ("region", self.region),
            ("birth_date", self.birth_date),
            ("sex", self.sex),
        ]
    }

    /// Whether one of them is refuted.
    pub fn any_refuted(&self) -> bool {
        self.named().iter().any(|(_, c)| *c == FieldCheck::Refuted)
    }
}

/// The side with the national emblem. An empty text means not read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PrcBack {
    /// 签发机关.
    pub issuer: Secret,
    /// First day of 有效期限, YYYYMMDD.
    pub valid_from: Secret,
    /// Last day, YYYYMMDD, or `长期` for a card without one.
    pub valid_until: Secret,
    /// Confidence in the least sure character of the term, 0..=1.
    pub confidence: f32,
}
