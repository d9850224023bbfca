//! The modules of a QR code, damaged or made up, to its content.

use super::bytes::Bytes;
use boothd::perception::code::{CodeReading, decode_modules};
use qrcode::{EcLevel, QrCode, types::Color};
use std::sync::LazyLock;

/// Contents in all the modes that a code has: digits, capitals, bytes of several lengths, and mixtures.
const CONTENTS: [&str; 5] = [
    "0123456789",
    "BOOTHD 1/2",
    "boothd ticket 0123456789 ABC",
    "样本 SPECIMEN",
    "eyJhbGciOiJFZERTQSJ9.eyJ2IjoxfQ.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6",
];

/// A whole code: its content, its side, its modules row by row.
struct Whole(&'static str, usize, Vec<bool>);

/// Made once: making a code takes longer than reading it.
static CODES: LazyLock<Vec<Whole>> = LazyLock::new(|| {
    let mut codes = Vec::new();
    for content in CONTENTS {
        for level in [EcLevel::L, EcLevel::M, EcLevel::Q, EcLevel::H] {
            let code = QrCode::with_error_correction_level(content, level).expect("it is short");
            // Larger ones repeat what these do, in many times the time.
            if code.width() > 37 {
                continue;
            }
            let colours = code.to_colors().into_iter();
            codes.push(Whole(
                content,
                code.width(),
                colours.map(|c| c == Color::Dark).collect(),
            ));
        }
    }
    codes
});

/// The first byte chooses: modules as the bits stand, or a whole code with some modules turned over.
pub fn run(data: &[u8]) {
    let mut input = Bytes::new(data);
    if input.u8().is_multiple_of(2) {
        // Sides that no code has, too.
        let side = input.below(34);
        let bits = input.rest();
        let dark = (0..side * side).map(|i| is_set(bits, i % (8 * bits.len()).max(1)));
        let _ = decode_modules(side, dark.collect());
        return;
    }
    let Whole(content, side, dark) = &CODES[input.below(CODES.len())];
    let mut dark = dark.clone();
    let n_turned = input.below(24);
    for _ in 0..n_turned {
        let at = (usize::from(input.u8()) * 256 + usize::from(input.u8())) % dark.len();
        dark[at] = !dark[at];
    }
    // What is left turns over a stretch of modules, a bit each.
    let from = usize::from(input.u8()) * 8;
    let bits = input.rest();
    let mut whole = n_turned == 0;
    for (i, module) in dark.iter_mut().skip(from).enumerate().take(bits.len() * 8) {
        *module ^= is_set(bits, i);
        whole &= !is_set(bits, i);
    }
    let reading = decode_modules(*side, dark);
    if whole {
        match reading {
            CodeReading::Read(text) => assert_eq!(text.reveal(), *content),
            other => panic!("a whole code gives its content, not {other:?}"),
        }
    }
}

fn is_set(bits: &[u8], i: usize) -> bool {
    bits.get(i / 8).is_some_and(|b| b >> (i % 8) & 1 == 1)
}
