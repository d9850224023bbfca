//! A picture in characters, for aiming a camera over a serial line: enough to see where a head is, not whose it is.

use crate::base::frame::{FrameView, PixelFormat};

/// Characters across.
pub const COLUMNS: usize = 72;
/// Lines.
pub const ROWS: usize = 16;
/// From dark to bright.
const INKS: &[u8; 10] = b" .:-=+*#%@";

/// The picture: mean luminance of each cell, stretched from the darkest to the brightest cell.
pub fn of(frame: &FrameView<'_>) -> Vec<String> {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let mut cells = [[0.0f32; COLUMNS]; ROWS];
    for (j, line) in cells.iter_mut().enumerate() {
        let rows = j * height / ROWS..((j + 1) * height / ROWS).max(j * height / ROWS + 1);
        for (i, cell) in line.iter_mut().enumerate() {
            let across =
                i * width / COLUMNS..((i + 1) * width / COLUMNS).max(i * width / COLUMNS + 1);
            let (mut sum, mut n) = (0u32, 0u32);
            for y in rows.clone().step_by(4).filter(|y| *y < height) {
                let row = frame.row(u32::try_from(y).unwrap_or(0));
                for x in across.clone().step_by(4) {
                    let at = match frame.format() {
                        PixelFormat::Grey8 => x,
                        PixelFormat::Yuyv => 2 * x,
                        PixelFormat::Rgb8 => 3 * x + 1,
                    };
                    sum += u32::from(row.get(at).copied().unwrap_or(0));
                    n += 1;
                }
            }
            *cell = sum as f32 / n.max(1) as f32;
        }
    }
    let all = || cells.iter().flatten().copied();
    let (least, most) = (
        all().fold(f32::MAX, f32::min),
        all().fold(f32::MIN, f32::max),
    );
    // A picture without contrast is not made to look as if it had some.
    let span = (most - least).max(32.0);
    let ink = |value: &f32| {
        let place = ((value - least) / span * 9.99) as usize;
        char::from(INKS[place.min(INKS.len() - 1)])
    };
    cells
        .iter()
        .map(|line| line.iter().map(ink).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::frame::Frame;

    #[test]
    fn bright_is_dense_and_dark_is_empty() {
        let mut frame = Frame::new(320, 160, PixelFormat::Grey8);
        for (i, value) in frame.data_mut().iter_mut().enumerate() {
            let (x, y) = (i % 320, i / 320);
            *value = if x >= 160 {
                250
            } else if y < 80 {
                0
            } else {
                125
            };
        }
        let lines = of(&frame.view());
        assert_eq!((lines.len(), lines[0].len()), (ROWS, COLUMNS));
        let upper = format!("{}{}", " ".repeat(36), "@".repeat(36));
        let lower = format!("{}{}", "=".repeat(36), "@".repeat(36));
        assert_eq!(
            (lines[0].as_str(), lines[15].as_str()),
            (upper.as_str(), lower.as_str())
        );
        let even = Frame::new(64, 32, PixelFormat::Yuyv);
        assert!(of(&even.view()).iter().all(|line| line.trim().is_empty()));
    }
}
