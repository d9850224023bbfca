//! Layout on the one-bit panel, 128 x 64: a small pictogram with signs beside it, and two lines of text.
//!
//! ```text
//! +--------+------------------+
//! | picto- | steps   seconds  |   practice: a banner instead of the steps
//! | gram   | number or hints  |
//! +--------+------------------+
//! | line 1                    |
//! | line 2                    |
//! +---------------------------+
//! ```
//! Consent takes three rows of text and puts the hints in the fourth.

use super::canvas::Canvas;
use super::font::{Anchor, Scale, break_lines, draw_line, width};
use super::pen::{Inks, Pen};
use super::theme::{BLACK, WHITE};
use super::{ButtonHint, Look, attempts, button_hints, with_number};
use crate::guidance::model::{NetworkSign, Screen, UiModel};
use crate::guidance::texts::Texts;
use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::mono_font::ascii::FONT_6X9;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{Circle, PrimitiveStyle, Rectangle, Triangle};
use embedded_graphics::text::{Baseline, Text};

const WIDTH: i32 = 128;
const HEIGHT: i32 = 64;
const ROW: i32 = 16;
const PICTOGRAM: i32 = 32;
/// Where the signs beside the pictogram begin.
const SIGNS: i32 = 34;

/// Draws the whole screen.
pub(super) fn draw(model: &UiModel, texts: &Texts, canvas: &mut Canvas<'_>) {
    let Ok(()) = canvas.clear(BLACK);
    let Some(text) = texts.screen(model.screen) else {
        return consent(model, texts, canvas);
    };
    let inks = Inks {
        main: WHITE,
        accent: WHITE,
        back: BLACK,
    };
    let side = PICTOGRAM - 1;
    canvas.note(Rectangle::new(
        Point::zero(),
        Size::new_equal(side.unsigned_abs()),
    ));
    (Look::of(model.screen).pictogram)(&mut Pen::new(canvas, Point::zero(), side, inks));
    first_row(model, texts, canvas);
    second_row(model, texts, canvas);
    let lines = break_lines(&text.small, WIDTH, Scale::Single);
    canvas.note_lost(lines.len().saturating_sub(2));
    // A single line stands in the middle of the two rows.
    let mut y = if lines.len() == 1 {
        HEIGHT - ROW - ROW / 2
    } else {
        HEIGHT - 2 * ROW
    };
    for line in lines.into_iter().take(2) {
        draw_line(
            canvas,
            line,
            (WIDTH / 2, y),
            Anchor::Middle,
            Scale::Single,
            WHITE,
        );
        y += ROW;
    }
}

/// Steps or practice, network, seconds.
fn first_row(model: &UiModel, texts: &Texts, canvas: &mut Canvas<'_>) {
    if model.practice {
        let text = &texts.label.practice_small;
        let w = width(text, Scale::Single);
        canvas.fill(SIGNS, 0, w.unsigned_abs(), 16, WHITE);
        draw_line(canvas, text, (SIGNS, 0), Anchor::Left, Scale::Single, BLACK);
    } else {
        let mut x = SIGNS + 4;
        if let Some((step, steps)) = model.progress {
            for n in 1..=steps.min(5) {
                let (diameter, style) = if n <= step {
                    (7, PrimitiveStyle::with_fill(WHITE))
                } else {
                    (7, PrimitiveStyle::with_stroke(WHITE, 1))
                };
                let dot = Circle::with_center(Point::new(x, 7), diameter);
                let Ok(()) = dot.into_styled(style).draw(canvas);
                x += 9;
            }
        }
        if model.network == NetworkSign::Limited {
            network_sign(canvas, x - 1);
        }
    }
    // For who looks after the booth; never while seconds are counted.
    if model.faults > 0 {
        let text = format!("!{}", model.faults.min(99));
        draw_line(
            canvas,
            &text,
            (WIDTH, 0),
            Anchor::Right,
            Scale::Single,
            WHITE,
        );
    }
    if let Some(seconds) = model.seconds_left {
        let mut text = with_number(&texts.label.seconds_small, seconds.min(99));
        // The banner of practice leaves no room for it.
        if model.more_time && !model.practice {
            text.push_str(&texts.label.more_time_small);
        }
        draw_line(
            canvas,
            &text,
            (WIDTH, 0),
            Anchor::Right,
            Scale::Single,
            WHITE,
        );
    }
}

/// A staircase of four bars, one of them filled: a weak signal.
fn network_sign(canvas: &mut Canvas<'_>, x: i32) {
    for (i, height) in [(0, 3), (1, 6), (2, 9), (3, 12)] {
        let (left, top) = (x + 5 * i, 13 - height);
        canvas.fill(left, top, 4, height.unsigned_abs(), WHITE);
        if i > 0 {
            canvas.fill(left + 1, top + 1, 2, height.unsigned_abs() - 2, BLACK);
        }
    }
}

/// The number to quote; else the attempts and the green button; else what both buttons do.
fn second_row(model: &UiModel, texts: &Texts, canvas: &mut Canvas<'_>) {
    let label = &texts.label;
    let attempts = attempts(model, &label.again_in_small, &label.attempts_small);
    if let Some(reference) = &model.reference {
        // Above the number, where nothing else stands on a result.
        let free = model.progress.is_none()
            && model.seconds_left.is_none()
            && !model.practice
            && model.network == NetworkSign::Ready;
        if let Some(text) = attempts.filter(|_| free) {
            draw_line(
                canvas,
                &text,
                (WIDTH, 0),
                Anchor::Right,
                Scale::Single,
                WHITE,
            );
        }
        draw_line(
            canvas,
            &reference.0,
            (WIDTH, ROW),
            Anchor::Right,
            Scale::Single,
            WHITE,
        );
        return;
    }
    let (cancel, confirm) = button_hints(model.screen);
    if let Some(text) = attempts {
        draw_line(
            canvas,
            &text,
            (SIGNS, ROW),
            Anchor::Left,
            Scale::Single,
            WHITE,
        );
        // The seconds until the next attempt leave no room for the hint.
        let confirm = confirm.filter(|_| model.again_in_s.is_none());
        hints(texts, canvas, (SIGNS, ROW), None, confirm);
    } else {
        hints(texts, canvas, (SIGNS, ROW), cancel, confirm);
    }
}

/// The two hints with an arrow to the side of their button.
fn hints(
    texts: &Texts,
    canvas: &mut Canvas<'_>,
    (left, y): (i32, i32),
    cancel: Option<ButtonHint>,
    confirm: Option<ButtonHint>,
) {
    let fill = PrimitiveStyle::with_fill(WHITE);
    if let Some(hint) = cancel {
        let head = Triangle::new(
            Point::new(left, y + 8),
            Point::new(left + 4, y + 4),
            Point::new(left + 4, y + 12),
        );
        let Ok(()) = head.into_styled(fill).draw(canvas);
        let text = &hint.text(&texts.hint).small;
        draw_line(
            canvas,
            text,
            (left + 6, y),
            Anchor::Left,
            Scale::Single,
            WHITE,
        );
    }
    if let Some(hint) = confirm {
        let head = Triangle::new(
            Point::new(WIDTH - 1, y + 8),
            Point::new(WIDTH - 5, y + 4),
            Point::new(WIDTH - 5, y + 12),
        );
        let Ok(()) = head.into_styled(fill).draw(canvas);
        let text = &hint.text(&texts.hint).small;
        draw_line(
            canvas,
            text,
            (WIDTH - 7, y),
            Anchor::Right,
            Scale::Single,
            WHITE,
        );
    }
}

/// Consent in short; English in a smaller font, for it has to say as much as the Chinese on the same three rows.
fn consent(model: &UiModel, texts: &Texts, canvas: &mut Canvas<'_>) {
    let lines = texts.consent.small.lines();
    if texts.consent.small.is_ascii() {
        let style = MonoTextStyle::new(&FONT_6X9, WHITE);
        let mut y = 1;
        for line in lines {
            let text = Text::with_baseline(line, Point::new(0, y), style, Baseline::Top);
            canvas.note(text.bounding_box());
            let Ok(_) = text.draw(canvas);
            y += 9;
        }
    } else {
        for (line, y) in lines.zip([0, ROW, 2 * ROW, 3 * ROW]) {
            draw_line(canvas, line, (0, y), Anchor::Left, Scale::Single, WHITE);
        }
    }
    let (cancel, confirm) = button_hints(Screen::Consent);
    let y = HEIGHT - ROW;
    hints(texts, canvas, (0, y), cancel, confirm);
    if model.practice {
        let text = &texts.label.practice_small;
        if text.is_ascii() {
            let style = MonoTextStyle::new(&FONT_6X9, BLACK);
            let text = Text::with_baseline(text, Point::new(27, y + 4), style, Baseline::Top);
            let area = text.bounding_box();
            let back = Rectangle::new(
                area.top_left - Point::new(1, 1),
                area.size + Size::new(2, 2),
            );
            let Ok(()) = back
                .into_styled(PrimitiveStyle::with_fill(WHITE))
                .draw(canvas);
            canvas.note(area);
            let Ok(_) = text.draw(canvas);
        } else {
            let w = width(text, Scale::Single);
            // Between the hints: the left one ends at 54, the right one begins at 89.
            canvas.fill(56, y, w.unsigned_abs(), 16, WHITE);
            draw_line(canvas, text, (56, y), Anchor::Left, Scale::Single, BLACK);
        }
    }
}
