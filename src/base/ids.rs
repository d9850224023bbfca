//! Identifiers, and the languages the booth speaks.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Crockford's base 32: no I, L, O, U, so that a person can read it out.
pub(crate) const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Identifies a session: 26 characters of Crockford's base 32 (time and chance, as a ULID).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(String);

impl SessionId {
    /// Makes an id from the wall clock in milliseconds and 80 random bits, laid out as a ULID.
    pub fn from_parts(unix_ms: i64, chance: [u8; 10]) -> Self {
        let time = u128::from(unix_ms.clamp(0, (1 << 48) - 1).unsigned_abs());
        let mut bits = time << 80;
        for (i, byte) in chance.iter().enumerate() {
            bits |= u128::from(*byte) << (72 - 8 * i);
        }
        Self(
            (0..26)
                .map(|i| char::from(CROCKFORD[(bits >> (125 - 5 * i)) as usize & 31]))
                .collect(),
        )
    }

    /// The text of the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The reference number that a person can quote: the last eight characters as `XXXX-XXXX`.
    pub fn reference(&self) -> ReferenceNumber {
        let tail = &self.0[self.0.len().saturating_sub(8)..];
        let (a, b) = tail.split_at(tail.len() / 2);
        ReferenceNumber(format!("{a}-{b}"))
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A number to quote to the staff or the support; says nothing about the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReferenceNumber(pub String);

/// Identifies a booth towards the wallet: 1 to 32 letters, digits and hyphens.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BoothId(String);

/// A booth id that is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "booth id `{found}`: must have 1 to 32 letters, digits or hyphens, for example `BOOTH-0001`"
)]
pub struct BoothIdError {
    found: String,
}

impl BoothId {
    /// The text of the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for BoothId {
    type Error = BoothIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let good = (1..=32).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if good {
            Ok(Self(text))
        } else {
            Err(BoothIdError {
                found: text.chars().take(40).collect(),
            })
        }
    }
}

impl From<BoothId> for String {
    fn from(id: BoothId) -> Self {
        id.0
    }
}

/// A language of the texts for the person in the booth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Language {
    /// Chinese, simplified characters.
    #[default]
    #[serde(rename = "zh-CN", alias = "zh")]
    Zh,
    /// English.
    #[serde(rename = "en")]
    En,
}

impl Language {
    /// All languages.
    pub const ALL: [Self; 2] = [Self::Zh, Self::En];

    /// The language tag (BCP 47).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_id_is_a_ulid() {
        // Vector: the ULID specification's 01ARZ3NDEKTSV4RRFFQ69G5FAV.
        let chance = [0xd6, 0x76, 0x4c, 0x61, 0xef, 0xb9, 0x93, 0x02, 0xbd, 0x5b];
        let id = SessionId::from_parts(1_469_922_850_259, chance);
        assert_eq!(id.as_str(), "01ARZ3NDEKTSV4RRFFQ69G5FAV");
        assert_eq!(id.reference().0, "Q69G-5FAV");
    }

    #[test]
    fn booth_ids_are_checked() {
        for (text, good) in [
            ("BOOTH-0001", true),
            ("", false),
            ("a b", false),
            ("x\n", false),
        ] {
            assert_eq!(BoothId::try_from(text.to_owned()).is_ok(), good, "{text:?}");
        }
    }
}
