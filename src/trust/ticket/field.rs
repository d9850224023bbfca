//! The fields that a ticket can claim something about, and the form in which they are compared.

use crate::trust::sha256;
use serde::{Deserialize, Serialize};

/// A field of the document that a ticket can claim something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Field {
    /// The document's number.
    #[serde(rename = "dn", alias = "document_number")]
    DocumentNumber,
    /// Date of birth.
    #[serde(rename = "bd", alias = "birth_date")]
    BirthDate,
    /// Date of expiry.
    #[serde(rename = "ed", alias = "expiry_date")]
    ExpiryDate,
    /// Primary identifier, as a rule the surname.
    #[serde(rename = "pi", alias = "primary_identifier")]
    PrimaryIdentifier,
    /// Secondary identifier, as a rule the given names.
    #[serde(rename = "si", alias = "secondary_identifier")]
    SecondaryIdentifier,
    /// Nationality.
    #[serde(rename = "na", alias = "nationality")]
    Nationality,
    /// Sex.
    #[serde(rename = "sx", alias = "sex")]
    Sex,
}

impl Field {
    /// All fields.
    pub const ALL: [Self; 7] = [
        Self::DocumentNumber,
        Self::BirthDate,
        Self::ExpiryDate,
        Self::PrimaryIdentifier,
        Self::SecondaryIdentifier,
        Self::Nationality,
        Self::Sex,
    ];

    /// The name that goes into the hash and into messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DocumentNumber => "document_number",
            Self::BirthDate => "birth_date",
            Self::ExpiryDate => "expiry_date",
            Self::PrimaryIdentifier => "primary_identifier",
            Self::SecondaryIdentifier => "secondary_identifier",
            Self::Nationality => "nationality",
            Self::Sex => "sex",
        }
    }

    /// The form that is hashed, the same for what the wallet knows and for what the MRZ says:
    ///
    /// * everything in capital letters;
    /// * names: apostrophes left out; `<`, `-`, `,` and any white space become one space; none at the ends
    ///   (ICAO 9303 part 3, 4.6). Letters outside A-Z stay, so the wallet must give the name as the MRZ has it, and a
    ///   name that the MRZ cuts short must be given cut short;
    /// * dates: digits only, and of eight digits the last six, because the MRZ has no century;
    /// * document number and nationality: letters and digits only;
    /// * sex: `M`, `F`, or `X` for anything else (the MRZ has `<` where the page has `X`).
    pub fn normalise(self, value: &str) -> String {
        let upper = value.to_uppercase();
        match self {
            Self::PrimaryIdentifier | Self::SecondaryIdentifier => upper
                .replace(['\'', '\u{2019}'], "")
                .split(|c: char| c.is_whitespace() || matches!(c, '<' | '-' | ','))
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(" "),
            Self::BirthDate | Self::ExpiryDate => {
                let digits: String = upper.chars().filter(char::is_ascii_digit).collect();
                match digits.len() {
                    8 => digits[2..].to_owned(),
                    _ => digits,
                }
            }
            Self::DocumentNumber | Self::Nationality => {
                upper.chars().filter(|c| c.is_alphanumeric()).collect()
            }
            Self::Sex => match upper.trim() {
                "M" => "M",
                "F" => "F",
                _ => "X",
            }
            .to_owned(),
        }
    }

    /// SHA-256(salt, 0, name, 0, normalised value), the first 16 bytes.
    pub(super) fn digest(self, salt: &[u8; 16], value: &str) -> [u8; 16] {
        let normalised = zeroize::Zeroizing::new(self.normalise(value));
        let mut text = zeroize::Zeroizing::new(Vec::with_capacity(64 + normalised.len()));
        text.extend_from_slice(salt);
        text.push(0);
        text.extend_from_slice(self.name().as_bytes());
        text.push(0);
        text.extend_from_slice(normalised.as_bytes());
        let mut out = [0; 16];
        out.copy_from_slice(&sha256(&text)[..16]);
        out
    }
}
