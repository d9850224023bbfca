//! The check digit of ICAO Doc 9303-3, 4.9: values times the weights 7, 3, 1 repeated, summed, modulo 10.

use super::CheckResult;

/// Weights, repeated from the first character on.
const WEIGHTS: [u32; 3] = [7, 3, 1];

/// Value of a character: digits as they are, `A`..`Z` 10 to 35, the filler `<` 0. `None` for everything else.
pub const fn value(character: u8) -> Option<u32> {
    match character {
        b'0'..=b'9' => Some((character - b'0') as u32),
        b'A'..=b'Z' => Some((character - b'A') as u32 + 10),
        b'<' => Some(0),
        _ => None,
    }
}

/// The check digit (as a character `0`..=`9`) of the characters that `fields` hold, one after the other.
/// `None` if one of them cannot stand in a machine readable zone.
pub fn compute(fields: &[&[u8]]) -> Option<u8> {
    let mut sum = 0u32;
    for (i, c) in fields.iter().flat_map(|f| f.iter()).enumerate() {
        sum = (sum + value(*c)? * WEIGHTS[i % 3]) % 10;
    }
    // Below 10 because of the modulo.
    Some(b'0' + sum as u8)
}

/// Whether a filler may stand in place of a check digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filler {
    /// The digit may be left out.
    Allowed,
    /// The digit has to be there; a filler is as wrong as another digit.
    Refused,
}

/// Compares a printed check digit with the computed one.
pub(super) fn verify(fields: &[&[u8]], printed: u8, filler: Filler) -> CheckResult {
    if printed == b'<' && filler == Filler::Allowed {
        CheckResult::NotPrinted
    } else if compute(fields) == Some(printed) {
        CheckResult::Verified
    } else {
        CheckResult::Refuted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_of_doc_9303_part_3() {
        for (field, digit) in [
            ("520727", Some(b'3')),
            ("AB2134<<<", Some(b'5')),
            ("HA672242<", Some(b'6')),
            ("ab", None),
            ("", Some(b'0')),
        ] {
            assert_eq!(compute(&[field.as_bytes()]), digit, "{field}");
        }
    }

    #[test]
    fn a_filler_counts_as_printed_unless_it_is_allowed() {
        assert_eq!(
            verify(&[b"<<<"], b'<', Filler::Allowed),
            CheckResult::NotPrinted
        );
        assert_eq!(
            verify(&[b"<<<"], b'<', Filler::Refused),
            CheckResult::Refuted
        );
        assert_eq!(
            verify(&[b"<<<"], b'0', Filler::Allowed),
            CheckResult::Verified
        );
    }
}
