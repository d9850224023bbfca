//! GNU Unifont (crate `unifont`): every glyph is 8 or 16 pixels wide and 16 high, drawn once or twice as large.
//!
//! Line breaking is the part of UAX 14 that these texts need: English between words; Chinese anywhere, but never before
//! closing and never after opening punctuation.

use super::canvas::Canvas;
use embedded_graphics::pixelcolor::Rgb565;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;
use unifont::Glyph;

/// Height of a glyph at [`Scale::Single`], pixels.
pub(super) const GLYPH_HEIGHT: i32 = 16;

/// Characters that must not begin a line.
const CLOSING: &str = "。，、；：？！）》」』”’％…·.,;:?!)%";
/// Characters that must not end a line.
const OPENING: &str = "（《「『“‘(";

/// How large a text is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// 16 pixels high.
    Single,
    /// 32 pixels high, its diagonals smoothed.
    Double,
}

impl Scale {
    /// Pixels of a side of one glyph pixel.
    pub(super) const fn factor(self) -> i32 {
        match self {
            Self::Single => 1,
            Self::Double => 2,
        }
    }

    /// Height of a line's glyphs, pixels.
    pub(super) const fn height(self) -> i32 {
        GLYPH_HEIGHT * self.factor()
    }
}

/// The glyph of a character; what the font does not have becomes U+FFFD.
fn glyph(c: char) -> Option<&'static Glyph> {
    unifont::get_glyph(c).or_else(|| unifont::get_glyph('\u{fffd}'))
}

fn advance(c: char) -> i32 {
    glyph(c).map_or(0, |g| if g.is_fullwidth() { 16 } else { 8 })
}

/// Width of a text in pixels.
pub(super) fn width(text: &str, scale: Scale) -> i32 {
    text.chars().map(advance).sum::<i32>() * scale.factor()
}

/// Whether a line may end between these two characters.
fn may_break(before: char, after: char) -> bool {
    if before == ' ' {
        return true;
    }
    if after == ' ' || CLOSING.contains(after) || OPENING.contains(before) {
        return false;
    }
    advance(before) == 16 || advance(after) == 16
}

/// Breaks `text` into lines of at most `max_width` pixels. A word that is wider than a line is broken where the line ends.
pub(super) fn break_lines(text: &str, max_width: i32, scale: Scale) -> Vec<&str> {
    text.split('\n')
        .flat_map(|part| break_paragraph(part, max_width, scale))
        .collect()
}

fn break_paragraph(text: &str, max_width: i32, scale: Scale) -> Vec<&str> {
    let mut lines = Vec::new();
    let (mut start, mut used) = (0, 0);
    let mut last_break: Option<usize> = None;
    let mut before: Option<char> = None;
    for (at, c) in text.char_indices() {
        if at > start && before.is_some_and(|b| may_break(b, c)) {
            last_break = Some(at);
        }
        let w = advance(c) * scale.factor();
        // A blank at the end of a line needs no room.
        if used + w > max_width && c != ' ' && at > start {
            let end = last_break.unwrap_or(at);
            lines.push(text[start..end].trim_end());
            start = end;
            used = width(&text[start..at], scale);
            last_break = None;
        }
        used += w;
        before = Some(c);
    }
    lines.push(text[start..].trim_end());
    lines
}

/// Width of the widest piece that may not be broken.
fn longest_unbroken(text: &str, scale: Scale) -> i32 {
    let (mut longest, mut run, mut before) = (0, 0, None);
    for c in text.chars() {
        if c == '\n' || before.is_some_and(|b| may_break(b, c)) {
            run = 0;
        }
        run += if c == ' ' {
            0
        } else {
            advance(c) * scale.factor()
        };
        longest = longest.max(run);
        before = Some(c);
    }
    longest
}

/// As [`break_lines`], but with lines of about the same width: no single word is left alone on the last line.
pub(super) fn balance_lines(text: &str, max_width: i32, scale: Scale) -> Vec<&str> {
    let step = 8 * scale.factor();
    let mut best = break_lines(text, max_width, scale);
    let longest_word = longest_unbroken(text, scale);
    let mut narrower = max_width - step;
    while narrower >= longest_word && narrower > 0 {
        let lines = break_lines(text, narrower, scale);
        if lines.len() > best.len() {
            break;
        }
        best = lines;
        narrower -= step;
    }
    best
}

/// Where a line of text stands in relation to its `x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    /// `x` is the left end.
    Left,
    /// `x` is the middle.
    Middle,
    /// `x` is the right end.
    Right,
}

/// Draws one line with its top at `y`, and puts its box on record.
pub(super) fn draw_line(
    canvas: &mut Canvas<'_>,
    text: &str,
    (x, y): (i32, i32),
    anchor: Anchor,
    scale: Scale,
    colour: Rgb565,
) {
    let w = width(text, scale);
    let left = match anchor {
        Anchor::Left => x,
        Anchor::Middle => x - w / 2,
        Anchor::Right => x - w,
    };
    canvas.note(Rectangle::new(
        Point::new(left, y),
        Size::new(w.unsigned_abs(), scale.height().unsigned_abs()),
    ));
    let mut pen = left;
    for c in text.chars() {
        let Some(glyph) = glyph(c) else { continue };
        draw_glyph(canvas, glyph, pen, y, scale, colour);
        pen += advance(c) * scale.factor();
    }
}

fn draw_glyph(
    canvas: &mut Canvas<'_>,
    glyph: &Glyph,
    x: i32,
    y: i32,
    scale: Scale,
    colour: Rgb565,
) {
    let lit = |gx: i32, gy: i32| match (usize::try_from(gx), usize::try_from(gy)) {
        (Ok(gx), Ok(gy)) => glyph.get_pixel(gx, gy),
        _ => false,
    };
    let across = if glyph.is_fullwidth() { 16 } else { 8 };
    for gy in 0..GLYPH_HEIGHT {
        for gx in 0..across {
            match scale {
                Scale::Single if lit(gx, gy) => canvas.fill(x + gx, y + gy, 1, 1, colour),
                Scale::Single => {}
                Scale::Double => {
                    for (i, on) in scale2x(&lit, gx, gy).into_iter().enumerate() {
                        if on {
                            let (dx, dy) = ((i % 2) as i32, (i / 2) as i32);
                            canvas.fill(x + 2 * gx + dx, y + 2 * gy + dy, 1, 1, colour);
                        }
                    }
                }
            }
        }
    }
}

/// The four pixels of one glyph pixel at twice the size, by the rule of Scale2x (A. Mazzoleni): corners follow their neighbours
/// where these form a diagonal.
fn scale2x(lit: &impl Fn(i32, i32) -> bool, x: i32, y: i32) -> [bool; 4] {
    let e = lit(x, y);
    let (b, d, f, h) = (lit(x, y - 1), lit(x - 1, y), lit(x + 1, y), lit(x, y + 1));
    if b == h || d == f {
        return [e; 4];
    }
    [
        if d == b { d } else { e },
        if b == f { f } else { e },
        if d == h { d } else { e },
        if h == f { f } else { e },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_words_and_between_hanzi_but_not_at_punctuation() {
        let check = |text: &str, max: i32, lines: &[&str]| {
            assert_eq!(break_lines(text, max, Scale::Single), lines, "{text}");
        };
        check("hold it still", 64, &["hold it", "still"]);
        check("hold it still", 104, &["hold it still"]);
        check("one\ntwo", 200, &["one", "two"]);
        check("请保持不动", 48, &["请保持", "不动"]);
        check("请保持，不动", 48, &["请保", "持，不", "动"]);
        check("请（看）摄像头", 32, &["请", "（看", "）摄", "像头"]);
        check("请看“这里”", 40, &["请看", "“这", "里”"]);
        check("超码QR打开", 48, &["超码QR", "打开"]);
        check("unbreakable", 40, &["unbre", "akabl", "e"]);
        check("", 40, &[""]);
    }

    #[test]
    fn balanced_lines_leave_no_word_alone() {
        let text = "Please hold it still now";
        assert_eq!(
            break_lines(text, 160, Scale::Single),
            ["Please hold it still", "now"]
        );
        assert_eq!(
            balance_lines(text, 160, Scale::Single),
            ["Please hold", "it still now"]
        );
    }

    #[test]
    fn balancing_breaks_no_word() {
        assert_eq!(
            balance_lines("Reference number", 100, Scale::Single),
            ["Reference", "number"]
        );
    }

    #[test]
    fn width_counts_half_and_full_glyphs() {
        assert_eq!(width("a请", Scale::Single), 24);
        assert_eq!(width("a请", Scale::Double), 48);
    }
}
