//! Greedy decoding of the line reader's output (connectionist temporal classification).

use super::fit::LineText;

/// Steps of the output.
pub const N_STEPS: usize = 144;
/// Classes: blank, then [`ALPHABET`].
pub const N_CLASSES: usize = 38;
/// The characters of classes 1 to 37.
const ALPHABET: &[u8; N_CLASSES - 1] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<";

/// The most likely text of logits (steps of 38, 144 of them from the net), and the mean probability of its characters (0 for no characters).
pub fn decode(logits: &[f32]) -> (LineText, f32) {
    let mut text = LineText::new();
    let (mut sum, mut n) = (0.0, 0.0f32);
    let mut previous = 0;
    for step in logits.chunks_exact(N_CLASSES) {
        let mut class = 0;
        for (i, l) in step.iter().enumerate() {
            if *l > step[class] {
                class = i;
            }
        }
        if class != previous && class != 0 {
            text.push(ALPHABET[class - 1]);
            let total: f32 = step.iter().map(|l| (l - step[class]).exp()).sum();
            sum += 1.0 / total;
            // Not the text's length: what goes beyond its capacity counts here, too.
            n += 1.0;
        }
        previous = class;
    }
    let confidence = if n > 0.0 { sum / n } else { 0.0 };
    (text, confidence)
}

/// The most likely text of digits and X, and the probability of its least sure character among those and the blank (0 for no
/// characters).
pub fn decode_digits(logits: &[f32]) -> (LineText, f32) {
    /// The classes of 0 to 9 are 1 to 10; X is 34.
    const X: usize = 34;
    let mut text = LineText::new();
    let (mut least, mut here) = (1.0f32, 0.0f32);
    let mut previous = 0;
    for step in logits.chunks_exact(N_CLASSES) {
        let allowed = || (0..=10).chain([X]);
        let mut class = 0;
        for i in allowed() {
            if step[i] > step[class] {
                class = i;
            }
        }
        let total: f32 = allowed().map(|i| (step[i] - step[class]).exp()).sum();
        if class != previous {
            if previous != 0 {
                least = least.min(here);
            }
            here = 0.0;
            if class != 0 {
                text.push(ALPHABET[class - 1]);
            }
        }
        here = here.max(1.0 / total);
        previous = class;
    }
    if previous != 0 {
        least = least.min(here);
    }
    let least = if text.is_empty() { 0.0 } else { least };
    (text, least)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(classes: &[usize], expected: &str) {
        let mut logits = vec![0.0; N_STEPS * N_CLASSES];
        for (i, step) in logits.chunks_exact_mut(N_CLASSES).enumerate() {
            step[classes.get(i).copied().unwrap_or(0)] = 50.0;
        }
        let (text, confidence) = decode(&logits);
        assert_eq!(text.as_str(), expected);
        assert_eq!(confidence, if expected.is_empty() { 0.0 } else { 1.0 });
    }

    #[test]
    fn repetitions_join_and_blanks_separate() {
        check(&[], "");
        check(&[0, 1, 1, 0, 1, 11, 37, 37, 0, 37], "00A<<");
    }

    #[test]
    fn a_text_longer_than_any_line_is_cut_and_its_confidence_stays_a_mean() {
        // Neighbours that differ need no blank between them, so there can be as many characters as steps.
        let classes: Vec<usize> = (0..N_STEPS).map(|i| 1 + i % 2).collect();
        check(&classes, &"01".repeat(40));
    }

    #[test]
    fn digits_only_and_the_least_sure_one_counts() {
        // O (class 25) is likelier than 0 (class 1), which is likelier than blank; X stays X.
        let mut logits = vec![0.0; N_STEPS * N_CLASSES];
        for step in logits.chunks_exact_mut(N_CLASSES) {
            step[0] = 50.0;
        }
        for (at, class, l) in [(3, 25, 90.0), (3, 1, 51.0), (4, 1, 52.0), (6, 34, 80.0)] {
            logits[at * N_CLASSES + class] = l;
        }
        let (text, confidence) = decode_digits(&logits);
        assert_eq!(text.as_str(), "0X");
        let expected = 1.0 / (1.0 + (-2.0f32).exp());
        assert!((confidence - expected).abs() < 1e-4, "{confidence}");
        assert_eq!(decode_digits(&vec![0.0; N_STEPS * N_CLASSES]).1, 0.0);
    }

    #[test]
    fn confidence_is_the_probability_of_the_characters() {
        let mut logits = vec![0.0; N_STEPS * N_CLASSES];
        logits[5] = (37.0f32 * 3.0).ln();
        // Ahead of 37 others with e^0 each: three quarters. All other steps are even, the first class (blank) wins.
        assert!((decode(&logits).1 - 0.75).abs() < 1e-5);
    }
}
