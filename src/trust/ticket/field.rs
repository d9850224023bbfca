//! The fields that a ticket can claim something about, and the form in which they are compared.

use crate::base::terms::Field;
use crate::trust::sha256;

/// What a resident identity card says of a term that does not end.
const LONG_TERM: &str = "长期";

/// A full-width form of ASCII (U+FF01 to U+FF5E) as ASCII.
fn usual_width(c: char) -> char {
    match u32::from(c) {
        wide @ 0xff01..=0xff5e => char::from_u32(wide - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

/// Whether a character is a Chinese one (CJK ideographs of any block, and 〇).
fn is_han(c: char) -> bool {
    matches!(u32::from(c), 0x3007 | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x2_0000..=0x3_ffff)
}

/// The parts of a name in their normal form.
fn name(upper: &str) -> String {
    let mut out = String::with_capacity(upper.len());
    let mut parted = false;
    for c in upper.chars() {
        match c {
            '\'' | '\u{2019}' => {}
            '<' | '-' | ',' | '·' | '‧' | '•' | '∙' | '⋅' | '・' | '･' => parted = true,
            c if c.is_whitespace() => parted = true,
            c => {
                let before = out.chars().next_back();
                if parted && before.is_some_and(|b| !(is_han(b) && is_han(c))) {
                    out.push(' ');
                }
                parted = false;
                out.push(c);
            }
        }
    }
    out
}

impl Field {
    /// The form that is hashed, the same for what the wallet knows and for what the document says:
    ///
    /// * full-width letters, digits and signs as their usual forms, everything in capital letters;
    /// * names: apostrophes left out; `<`, `-`, `,`, middle dots and any white space become one space, and nothing between two
    ///   Chinese characters; none at the ends (ICAO 9303 part 3, 4.6). Other letters stay, so the wallet must give the name as
    ///   the document has it, and a name that the MRZ cuts short must be given cut short;
    /// * dates: digits only, and of eight digits the last six, because the MRZ has no century; `长期` (no end) stays;
    /// * document number and nationality: letters and digits only;
    /// * sex: `M`, `F`, or `X` for anything else (the MRZ has `<` where the page has `X`); `男` is `M`, `女` is `F`.
    pub fn normalise(self, value: &str) -> String {
        let upper = value
            .chars()
            .map(usual_width)
            .collect::<String>()
            .to_uppercase();
        match self {
            Self::PrimaryIdentifier | Self::SecondaryIdentifier => name(&upper),
            Self::BirthDate | Self::ExpiryDate if upper.contains(LONG_TERM) => LONG_TERM.to_owned(),
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
                "M" | "男" => "M",
                "F" | "女" => "F",
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
