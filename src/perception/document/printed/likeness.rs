//! How like a line that the fast reader saw is to what is looked for. Pure.
//!
//! The fast reader knows capitals and digits of few fonts; of other print it gives a text that is near enough to tell a line that
//! says what is expected from one that does not. Which characters it takes for each other does not matter here: the other reader
//! decides.

use zeroize::Zeroizing;

/// Longest text that is looked for; what is longer is compared as far as this.
const MOST: usize = 40;

/// Share of `wanted` that stands somewhere in `line` in its order, 0..=1: one less the edit distance to the substring that is
/// nearest (Sellers 1980), over the length of `wanted`. Both of ASCII characters, compared byte by byte.
pub(super) fn likeness(line: &str, wanted: &str) -> f32 {
    let wanted = &wanted.as_bytes()[..wanted.len().min(MOST)];
    if wanted.is_empty() {
        return 0.0;
    }
    // Column of the edit matrix: distance of each beginning of `wanted` to what ends here; a match may begin anywhere.
    let mut column = Zeroizing::new([0u8; MOST + 1]);
    for (i, d) in column.iter_mut().enumerate() {
        *d = i as u8;
    }
    let mut least = column[wanted.len()];
    for c in line.bytes() {
        let mut diagonal = 0;
        for (i, w) in wanted.iter().enumerate() {
            let changed = diagonal + u8::from(*w != c);
            diagonal = column[i + 1];
            column[i + 1] = changed.min(diagonal + 1).min(column[i] + 1);
        }
        least = least.min(column[wanted.len()]);
    }
    1.0 - f32::from(least) / wanted.len() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_part_of_a_line_counts() {
        for (line, wanted, expected) in [
            ("L898902C3", "L898902C3", 1.0),
            ("N0L898902C3X", "L898902C3", 1.0),
            ("L8988902C3", "L898902C3", 1.0 - 1.0 / 9.0),
            ("ERKSSONANNA", "ERIKSSON", 1.0 - 1.0 / 8.0),
            ("L8B8", "L898902C3", 3.0 / 9.0),
            ("", "L898902C3", 0.0),
            ("XYZ", "ABC", 0.0),
            ("ABC", "", 0.0),
        ] {
            let found = likeness(line, wanted);
            assert!((found - expected).abs() < 1e-6, "{line} {wanted}: {found}");
        }
    }
}
