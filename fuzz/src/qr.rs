//! The modules of a QR code, damaged or made up, to its content.

use super::bytes::Bytes;
use boothd::perception::code::{CodeReading, decode_modules};
use qrcode::{EcLevel, QrCode, types::Color};

/// The first byte chooses: modules as the bits stand, or the code of a content with some modules turned over.
pub fn run(data: &[u8]) {
    let mut input = Bytes::new(data);
    if input.u8() % 2 == 0 {
        // Sides that no code has, too.
        let side = input.below(60);
        let bits = input.rest();
        let dark = (0..side * side).map(|i| {
            bits.get(i / 8 % bits.len().max(1))
                .is_some_and(|b| b >> (i % 8) & 1 == 1)
        });
        let _ = decode_modules(side, dark.collect());
        return;
    }
    let level = [EcLevel::L, EcLevel::M, EcLevel::Q, EcLevel::H][input.below(4)];
    let n_turned = input.below(24);
    let turned: [usize; 24] =
        std::array::from_fn(|_| usize::from(input.u8()) * 256 + usize::from(input.u8()));
    let content = input.rest();
    let content = &content[..content.len().min(60)];
    let Ok(code) = QrCode::with_error_correction_level(content, level) else {
        return;
    };
    let side = code.width();
    let mut dark: Vec<bool> = code
        .to_colors()
        .into_iter()
        .map(|c| c == Color::Dark)
        .collect();
    for at in &turned[..n_turned] {
        let at = at % dark.len();
        dark[at] = !dark[at];
    }
    let reading = decode_modules(side, dark);
    if n_turned == 0 {
        let expected = std::str::from_utf8(content).ok().filter(|t| !t.is_empty());
        match (reading, expected) {
            (CodeReading::Read(text), Some(expected)) => assert_eq!(text.reveal(), expected),
            (CodeReading::Unreadable, None) => {}
            (other, _) => panic!("a whole code gives its content, not {other:?}"),
        }
    }
}
