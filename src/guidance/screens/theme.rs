//! The colours. Calm and dark, so that the panel does not light the face; every pair that carries text has a contrast of at
//! least 7:1 (WCAG 2.2, 1.4.6), every graphic at least 3:1 (1.4.11), both tested on the panel's own RGB565 values.

use embedded_graphics::pixelcolor::Rgb565;

const fn rgb(r: u8, g: u8, b: u8) -> Rgb565 {
    Rgb565::new(r >> 3, g >> 2, b >> 3)
}

/// Behind everything.
pub(super) const BACK: Rgb565 = rgb(8, 26, 44);
/// Headings.
pub(super) const TEXT: Rgb565 = rgb(255, 255, 255);
/// Details and labels.
pub(super) const SOFT: Rgb565 = rgb(204, 219, 232);
/// Frame of a box, and steps to come.
pub(super) const FAINT: Rgb565 = rgb(104, 132, 158);
/// Neutral accent.
pub(super) const CALM: Rgb565 = rgb(112, 204, 255);
/// Done; the green button.
pub(super) const GOOD: Rgb565 = rgb(88, 224, 136);
/// Please note; practice.
pub(super) const NOTE: Rgb565 = rgb(255, 204, 84);
/// Text on [`GOOD`] and [`NOTE`].
pub(super) const DARK: Rgb565 = rgb(8, 20, 32);
/// The one-bit panel's two colours.
pub(super) const WHITE: Rgb565 = rgb(255, 255, 255);
/// See [`WHITE`].
pub(super) const BLACK: Rgb565 = rgb(0, 0, 0);

/// Mood of a screen. There is no red: nothing that a person sees here is their mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// Something to do or to wait for.
    Calm,
    /// Something went well.
    Good,
    /// Something to take note of.
    Note,
}

impl Tone {
    /// The accent of this mood.
    pub(super) const fn colour(self) -> Rgb565 {
        match self {
            Self::Calm => CALM,
            Self::Good => GOOD,
            Self::Note => NOTE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_graphics::prelude::*;

    /// Relative luminance, WCAG 2.2.
    fn luminance(c: Rgb565) -> f64 {
        let linear = |v: u8, max: u8| {
            let v = f64::from(v) / f64::from(max);
            if v <= 0.040_45 {
                v / 12.92
            } else {
                ((v + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(c.r(), 31) + 0.7152 * linear(c.g(), 63) + 0.0722 * linear(c.b(), 31)
    }

    fn contrast(a: Rgb565, b: Rgb565) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn the_contrast_formula_gives_the_known_extremes() {
        assert!((contrast(WHITE, BLACK) - 21.0).abs() < 1e-9);
        assert!((contrast(WHITE, WHITE) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn text_has_a_contrast_of_seven_and_graphics_of_three() {
        for (text, back) in [
            (TEXT, BACK),
            (SOFT, BACK),
            (CALM, BACK),
            (GOOD, BACK),
            (NOTE, BACK),
            (DARK, GOOD),
            (DARK, NOTE),
            (DARK, CALM),
            (WHITE, BLACK),
        ] {
            assert!(contrast(text, back) >= 7.0, "{text:?} on {back:?}");
        }
        assert!(contrast(FAINT, BACK) >= 3.0);
    }
}
