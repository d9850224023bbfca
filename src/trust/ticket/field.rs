//! The fields that a ticket can claim something about, and the form in which they are compared.

use crate::base::terms::Field;
use crate::trust::sha256;

impl Field {
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
