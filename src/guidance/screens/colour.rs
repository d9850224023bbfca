//! Layout on the colour panel, 320 x 240: signs at the top, a pictogram, one heading, a detail, the two buttons at the bottom.

use super::canvas::Canvas;
use super::font::{Anchor, Scale, balance_lines, draw_line, width};
use super::motif::{check_at, cross_at, spanner};
use super::pen::{Ink, Inks, Pen};
use super::theme::{BACK, DARK, FAINT, GOOD, NOTE, SOFT, TEXT};
use super::{ButtonHint, Look, attempts, button_hints, with_number};
use crate::guidance::model::{NetworkSign, Screen, UiModel};
use crate::guidance::texts::{Consent, Texts};
use embedded_graphics::pixelcolor::Rgb565;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{
    Circle, PrimitiveStyle, PrimitiveStyleBuilder, Rectangle, RoundedRectangle, StrokeAlignment,
};

const WIDTH: i32 = 320;
const MARGIN: i32 = 8;
/// Height of the signs at the top.
const TOP: i32 = 26;
/// Room at the top when there are no signs.
const NO_SIGNS: i32 = 8;
/// Height of the seconds' bar below them, with its gaps.
const BAR: i32 = 8;
/// Height of the banner of practice.
const BANNER: i32 = 20;
/// Where the buttons' strip begins.
const BUTTONS: i32 = 208;
/// Most blocks of the seconds' bar: one a second.
const MOST_BLOCKS: u16 = 30;

/// Draws the whole screen.
pub(super) fn draw(model: &UiModel, texts: &Texts, canvas: &mut Canvas<'_>) {
    let Ok(()) = canvas.clear(BACK);
    signs(model, texts, canvas);
    let has_signs = model.progress.is_some()
        || model.seconds_left.is_some()
        || model.more_time
        || model.network == NetworkSign::Limited
        || model.faults > 0;
    let mut top = if has_signs { TOP } else { NO_SIGNS };
    if let Some(seconds) = model.seconds_left {
        seconds_bar(canvas, seconds, top);
        top += BAR;
    }
    if model.practice {
        canvas.fill(0, top, WIDTH.unsigned_abs(), BANNER.unsigned_abs(), NOTE);
        let at = (WIDTH / 2, top + 2);
        draw_line(
            canvas,
            &texts.label.practice,
            at,
            Anchor::Middle,
            Scale::Single,
            DARK,
        );
        top += BANNER;
    }
    let (cancel, confirm) = button_hints(model.screen);
    buttons(texts, canvas, cancel, confirm);
    let bottom = if cancel.is_none() && confirm.is_none() {
        BUTTONS + 20
    } else {
        BUTTONS
    };
    match texts.screen(model.screen) {
        None => consent(&texts.consent, canvas, top, bottom),
        Some(text) => {
            let extras = Extras {
                attempts: attempts(model, &texts.label.again_in, &texts.label.attempts),
                reference: model
                    .reference
                    .as_ref()
                    .map(|r| (texts.label.reference.as_str(), r.0.as_str())),
            };
            message(
                model.screen,
                &text.heading,
                &text.detail,
                &extras,
                canvas,
                (top, bottom),
            );
        }
    }
}

/// Steps at the left; network and seconds at the right.
fn signs(model: &UiModel, texts: &Texts, canvas: &mut Canvas<'_>) {
    if let Some((step, steps)) = model.progress {
        let mut x = MARGIN + 6;
        for n in 1..=steps.min(8) {
            let (diameter, style) = if n < step {
                (10, PrimitiveStyle::with_fill(GOOD))
            } else if n == step {
                (14, PrimitiveStyle::with_fill(TEXT))
            } else {
                (10, PrimitiveStyle::with_stroke(FAINT, 2))
            };
            let dot = Circle::with_center(Point::new(x, TOP / 2), diameter);
            let Ok(()) = dot.into_styled(style).draw(canvas);
            x += 20;
        }
        let count = format!("{step}/{steps}");
        draw_line(
            canvas,
            &count,
            (x - 4, TOP / 2 - 8),
            Anchor::Left,
            Scale::Single,
            SOFT,
        );
    }
    if model.faults > 0 {
        fault_sign(canvas, model.faults);
    }
    let mut right = WIDTH - MARGIN;
    if let Some(seconds) = model.seconds_left {
        let text = with_number(&texts.label.seconds, seconds);
        draw_line(
            canvas,
            &text,
            (right, TOP / 2 - 8),
            Anchor::Right,
            Scale::Single,
            TEXT,
        );
        right -= width(&text, Scale::Single) + 14;
    }
    if model.more_time {
        // Beside the words of a limited network there is room for a sign only.
        let text = match model.network {
            NetworkSign::Ready => &texts.label.more_time,
            NetworkSign::Limited => &texts.label.more_time_small,
        };
        draw_line(
            canvas,
            text,
            (right, TOP / 2 - 8),
            Anchor::Right,
            Scale::Single,
            GOOD,
        );
        right -= width(text, Scale::Single) + 14;
    }
    if model.network == NetworkSign::Limited {
        let text = &texts.label.network_limited;
        draw_line(
            canvas,
            text,
            (right, TOP / 2 - 8),
            Anchor::Right,
            Scale::Single,
            NOTE,
        );
        right -= width(text, Scale::Single) + 22;
        network_sign(canvas, right, TOP / 2 - 7);
    }
}

/// How many faults there are, for who looks after the booth: a spanner and a number, faint, in the upper left corner.
fn fault_sign(canvas: &mut Canvas<'_>, faults: u8) {
    let inks = Inks {
        main: FAINT,
        accent: FAINT,
        back: BACK,
    };
    let (x, y) = (MARGIN, TOP / 2 - 8);
    spanner(&mut Pen::new(canvas, Point::new(x, y), 16, inks));
    let at = (x + 20, y);
    draw_line(
        canvas,
        &faults.to_string(),
        at,
        Anchor::Left,
        Scale::Single,
        SOFT,
    );
}

/// Two bars of a weak signal and two empty ones.
fn network_sign(canvas: &mut Canvas<'_>, x: i32, y: i32) {
    for (i, height) in [(0, 4), (1, 7), (2, 10), (3, 13)] {
        let colour = if i < 1 { NOTE } else { FAINT };
        canvas.fill(x + 4 * i, y + 14 - height, 3, height.unsigned_abs(), colour);
    }
}

/// One block for each second that is left, at most [`MOST_BLOCKS`].
fn seconds_bar(canvas: &mut Canvas<'_>, seconds: u16, y: i32) {
    let blocks = i32::from(seconds.min(MOST_BLOCKS));
    for n in 0..blocks {
        canvas.fill(10 + 10 * n, y, 8, 4, TEXT);
    }
}

/// The two hints, each at the side of its button.
fn buttons(
    texts: &Texts,
    canvas: &mut Canvas<'_>,
    cancel: Option<ButtonHint>,
    confirm: Option<ButtonHint>,
) {
    let y = BUTTONS + 3;
    if let Some(hint) = cancel {
        let text = &hint.text(&texts.hint).full;
        let w = width(text, Scale::Single) + 24;
        pill(canvas, (MARGIN, y), w, None);
        draw_line(
            canvas,
            text,
            (MARGIN + w / 2, y + 5),
            Anchor::Middle,
            Scale::Single,
            TEXT,
        );
    }
    if let Some(hint) = confirm {
        let text = &hint.text(&texts.hint).full;
        let w = (width(text, Scale::Single) + 32).max(96);
        let x = WIDTH - MARGIN - w;
        pill(canvas, (x, y), w, Some(GOOD));
        draw_line(
            canvas,
            text,
            (x + w / 2, y + 5),
            Anchor::Middle,
            Scale::Single,
            DARK,
        );
    }
}

fn pill(canvas: &mut Canvas<'_>, (x, y): (i32, i32), w: i32, fill: Option<Rgb565>) {
    let style = match fill {
        Some(colour) => PrimitiveStyle::with_fill(colour),
        None => inside_stroke(SOFT),
    };
    let area = Rectangle::new(Point::new(x, y), Size::new(w.unsigned_abs(), 26));
    let shape = RoundedRectangle::with_equal_corners(area, Size::new_equal(13));
    let Ok(()) = shape.into_styled(style).draw(canvas);
}

fn inside_stroke(colour: Rgb565) -> PrimitiveStyle<Rgb565> {
    PrimitiveStyleBuilder::new()
        .stroke_color(colour)
        .stroke_width(2)
        .stroke_alignment(StrokeAlignment::Inside)
        .build()
}

/// What stands below the detail on some screens.
struct Extras<'t> {
    attempts: Option<String>,
    /// Label and number.
    reference: Option<(&'t str, &'t str)>,
}

/// Pictogram, heading, detail, extras: centred between `top` and `bottom`; the pictogram takes the room that the texts leave.
fn message(
    screen: Screen,
    heading: &str,
    detail: &str,
    extras: &Extras<'_>,
    canvas: &mut Canvas<'_>,
    (top, bottom): (i32, i32),
) {
    const HEADING_LINE: i32 = 34;
    const DETAIL_LINE: i32 = 19;
    const REFERENCE: i32 = 44;
    const LEAST_PICTOGRAM: i32 = 40;
    let room = WIDTH - 2 * MARGIN;
    let heading = balance_lines(heading, room, Scale::Double);
    let detail = balance_lines(detail, room, Scale::Single);
    let mut texts_height =
        HEADING_LINE * heading.len() as i32 + DETAIL_LINE * detail.len() as i32 + 4;
    texts_height += if extras.attempts.is_some() {
        DETAIL_LINE + 2
    } else {
        0
    };
    texts_height += if extras.reference.is_some() {
        REFERENCE + 4
    } else {
        0
    };
    // With everything at once on the screen there is no room for a picture: the words stay.
    let room_above = bottom - top - texts_height - 14;
    let side = if room_above >= LEAST_PICTOGRAM {
        room_above.min(96)
    } else {
        0
    };
    let look = Look::of(screen);
    let inks = Inks {
        main: TEXT,
        accent: look.tone.colour(),
        back: BACK,
    };
    let mut y = top + (bottom - top - texts_height - side - 8) / 2;
    if side > 0 {
        let (picture, side, across) = match look.wide {
            Some(wide) => (wide, side.min(84), 3),
            None => (look.pictogram, side, 1),
        };
        let origin = Point::new(WIDTH / 2 - side * across / 2, y);
        let size = Size::new((side * across).unsigned_abs(), side.unsigned_abs());
        canvas.note(Rectangle::new(origin, size));
        picture(&mut Pen::new(canvas, origin, side, inks));
        y += side + 8;
    }
    for line in heading {
        draw_line(
            canvas,
            line,
            (WIDTH / 2, y),
            Anchor::Middle,
            Scale::Double,
            TEXT,
        );
        y += HEADING_LINE;
    }
    y += 4;
    for line in detail {
        draw_line(
            canvas,
            line,
            (WIDTH / 2, y),
            Anchor::Middle,
            Scale::Single,
            SOFT,
        );
        y += DETAIL_LINE;
    }
    if let Some(attempts) = &extras.attempts {
        y += 2;
        draw_line(
            canvas,
            attempts,
            (WIDTH / 2, y),
            Anchor::Middle,
            Scale::Single,
            NOTE,
        );
        y += DETAIL_LINE;
    }
    if let Some((label, number)) = extras.reference {
        y += 4;
        reference_box(canvas, label, number, (y, REFERENCE - 6));
    }
}

/// The number to quote, large, with its label at the left.
fn reference_box(canvas: &mut Canvas<'_>, label: &str, number: &str, (y, height): (i32, i32)) {
    let area = Rectangle::new(
        Point::new(MARGIN, y),
        Size::new((WIDTH - 2 * MARGIN).unsigned_abs(), height.unsigned_abs()),
    );
    let shape = RoundedRectangle::with_equal_corners(area, Size::new_equal(6));
    let Ok(()) = shape.into_styled(inside_stroke(FAINT)).draw(canvas);
    let labels = balance_lines(label, 100, Scale::Single);
    let mut line_y = y + height / 2 - 8 * labels.len() as i32;
    for line in labels {
        draw_line(
            canvas,
            line,
            (MARGIN + 12, line_y),
            Anchor::Left,
            Scale::Single,
            SOFT,
        );
        line_y += 16;
    }
    let at = (WIDTH - MARGIN - 12, y + height / 2 - 16);
    draw_line(canvas, number, at, Anchor::Right, Scale::Double, TEXT);
}

/// The question, and what is recorded, kept and not kept, each with a sign before it.
fn consent(consent: &Consent, canvas: &mut Canvas<'_>, top: i32, bottom: i32) {
    const LINE: i32 = 18;
    const GAP: i32 = 7;
    let indent = 34;
    let signs: [fn(&mut Pen<'_, '_>); 3] = [
        |p| {
            p.ink(Ink::Main).weight(3.2).ring((24.0, 24.0), 20.0);
            p.ink(Ink::Accent).disc((24.0, 24.0), 9.0);
        },
        |p| {
            p.ink(Ink::Accent).weight(3.2);
            check_at(p, (24.0, 24.0), 3.6);
        },
        |p| {
            p.ink(Ink::Main).weight(3.2);
            cross_at(p, (24.0, 24.0), 3.6);
        },
    ];
    let points = [&consent.recorded, &consent.kept, &consent.not_kept];
    let room = WIDTH - MARGIN - indent;
    let lines = points.map(|text| balance_lines(text, room, Scale::Single));
    let height: i32 = lines
        .iter()
        .map(|l| LINE * l.len() as i32 + GAP)
        .sum::<i32>()
        + 36;
    let mut y = top + (bottom - top - height).max(0) / 2;
    draw_line(
        canvas,
        &consent.heading,
        (WIDTH / 2, y),
        Anchor::Middle,
        Scale::Double,
        TEXT,
    );
    y += 34 + GAP;
    for ((lines, sign), tone) in lines.into_iter().zip(signs).zip([NOTE, GOOD, TEXT]) {
        let inks = Inks {
            main: TEXT,
            accent: tone,
            back: BACK,
        };
        sign(&mut Pen::new(canvas, Point::new(MARGIN + 2, y), 16, inks));
        for line in lines {
            draw_line(canvas, line, (indent, y), Anchor::Left, Scale::Single, SOFT);
            y += LINE;
        }
        y += GAP;
    }
    if y - GAP > bottom {
        canvas.note_lost(1);
    }
}
