//! What is made of the line reader's output: characters, and lines that become a zone.

use boothd::perception::document::mrz_lines::ctc::{self, N_CLASSES, N_STEPS};
use boothd::perception::document::mrz_lines::fit::{self, LineText};
use std::cell::RefCell;

thread_local! {
    static LOGITS: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Lines separated by 0xff. The first byte of each chooses: steps with one class ahead, or logits as they stand.
pub fn run(data: &[u8]) {
    let mut lines: [LineText; 4] = std::array::from_fn(|_| LineText::new());
    let mut n = 0;
    for (to, bytes) in lines.iter_mut().zip(data.split(|b| *b == 0xff)) {
        *to = LOGITS.with_borrow_mut(|logits| line(bytes, logits));
        n += 1;
    }
    if let Some(mrz) = fit::zone(&lines[..n]) {
        assert_eq!(mrz.format.n_lines(), n);
        assert!(!mrz.primary_identifier.is_empty());
        let _ = fit::quality(&mrz);
    }
}

fn line(bytes: &[u8], logits: &mut Vec<f32>) -> LineText {
    logits.clear();
    match bytes.split_first() {
        // A byte a step: a class by its character, or by its number with a lead that falls.
        Some((mode, rest)) if mode % 2 == 0 => {
            for b in rest.iter().take(N_STEPS) {
                let (class, lead) = match b {
                    b'0'..=b'9' => (usize::from(b - b'0') + 1, 30.0),
                    b'A'..=b'Z' => (usize::from(b - b'A') + 11, 30.0),
                    b'<' => (37, 30.0),
                    b' ' => (0, 30.0),
                    other => (
                        usize::from(*other) % N_CLASSES,
                        f32::from(*other / N_CLASSES as u8),
                    ),
                };
                let from = logits.len();
                logits.resize(from + N_CLASSES, 0.0);
                logits[from + class] = lead;
            }
        }
        // Four bytes a value, NaN and infinities among them; the last step may be cut short.
        Some((_, rest)) => logits.extend(
            rest.chunks_exact(4)
                .take(N_STEPS * N_CLASSES)
                .filter_map(<[u8]>::first_chunk)
                .map(|b| f32::from_le_bytes(*b)),
        ),
        None => {}
    }
    let (number, least) = ctc::decode_digits(logits);
    assert!(
        number
            .as_str()
            .bytes()
            .all(|b| b.is_ascii_digit() || b == b'X')
    );
    assert!(least.is_nan() || (0.0..=1.0001).contains(&least));
    let (text, confidence) = ctc::decode(logits);
    assert!(text.len() <= 80 && text.as_str().len() == text.len());
    assert!(confidence.is_nan() || (0.0..=1.0001).contains(&confidence));
    text
}
