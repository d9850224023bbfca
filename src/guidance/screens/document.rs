//! The document: one instruction at a time.

use super::Look;
use super::motif::{Badge, arrow, badge, card, card_at, corners, sun_at};
use super::pen::{Ink, Pen};
use super::theme::Tone;
use crate::guidance::model::DocumentPrompt as P;

/// The look of a prompt.
pub(super) fn look(prompt: P) -> Look {
    match prompt {
        P::Show => Look::new(Tone::Calm, show),
        P::Closer => Look::new(Tone::Calm, closer),
        P::WholeDocument => Look::new(Tone::Calm, whole),
        P::Straight => Look::new(Tone::Calm, straight),
        P::Still => Look::new(Tone::Calm, |p| {
            card(p);
            badge(p, Badge::Pause);
        }),
        P::Glare => Look::new(Tone::Calm, glare),
        P::Dark => Look::new(Tone::Calm, |p| {
            card(p);
            badge(p, Badge::Sun);
        }),
        P::Uncover => Look::new(Tone::Calm, uncover),
        P::OtherSide => Look::new(Tone::Calm, other_side),
        P::TurnToBack => Look::new(Tone::Calm, turn_to_back),
        P::TurnToFront => Look::new(Tone::Calm, turn_to_front),
        P::Done => Look::new(Tone::Good, |p| {
            card(p);
            badge(p, Badge::Check);
        }),
    }
}

fn show(pen: &mut Pen<'_, '_>) {
    card_at(pen, (4.0, 18.0), 1.0);
    pen.ink(Ink::Accent);
    arrow(pen, (24.0, 15.0), (24.0, 1.0));
}

fn closer(pen: &mut Pen<'_, '_>) {
    card_at(pen, (13.0, 16.5), 0.55);
    pen.ink(Ink::Accent);
    arrow(pen, (11.0, 14.0), (2.0, 5.0));
    arrow(pen, (37.0, 14.0), (46.0, 5.0));
    arrow(pen, (11.0, 34.0), (2.0, 43.0));
    arrow(pen, (37.0, 34.0), (46.0, 43.0));
}

fn whole(pen: &mut Pen<'_, '_>) {
    card_at(pen, (9.0, 13.5), 0.75);
    pen.ink(Ink::Accent);
    corners(pen, (2.0, 6.0), (44.0, 36.0), 9.0);
}

fn straight(pen: &mut Pen<'_, '_>) {
    // A tilted card over the place where it should lie.
    pen.ink(Ink::Accent);
    corners(pen, (2.0, 7.0), (44.0, 34.0), 7.0);
    pen.ink(Ink::Main);
    pen.path(&[
        (11.0, 14.0),
        (41.0, 19.0),
        (37.0, 36.0),
        (7.0, 31.0),
        (11.0, 14.0),
        (41.0, 19.0),
    ]);
    pen.line((24.0, 23.0), (35.0, 25.0))
        .line((23.0, 28.0), (34.0, 30.0));
    pen.ink(Ink::Accent).disc((16.0, 23.5), 3.6);
}

fn glare(pen: &mut Pen<'_, '_>) {
    card_at(pen, (4.0, 17.0), 1.0);
    pen.ink(Ink::Back).disc((35.0, 14.0), 12.5);
    pen.ink(Ink::Accent);
    sun_at(pen, (35.0, 14.0), 1.3);
}

/// A thumb that draws back from the print.
fn uncover(pen: &mut Pen<'_, '_>) {
    card_at(pen, (4.0, 4.0), 1.0);
    pen.ink(Ink::Back).plate((24.0, 20.5), (26.0, 13.0), 6.0);
    pen.ink(Ink::Accent).frame((26.0, 22.0), (26.0, 10.0), 5.0);
    arrow(pen, (26.0, 41.0), (46.0, 41.0));
}

fn other_side(pen: &mut Pen<'_, '_>) {
    pen.ink(Ink::Main).frame((4.0, 18.0), (40.0, 28.0), 3.0);
    pen.block((4.0, 24.0), (40.0, 5.0));
    pen.line((9.0, 35.0), (39.0, 35.0))
        .line((9.0, 40.0), (30.0, 40.0));
    turning(pen);
}

/// The arrow of turning over.
fn turning(pen: &mut Pen<'_, '_>) {
    pen.ink(Ink::Accent).arc((24.0, 17.0), 13.0, 200.0, 125.0);
    pen.triangle((39.0, 15.0), (30.5, 11.5), (38.0, 5.5));
}

fn turn_to_back(pen: &mut Pen<'_, '_>) {
    // The back of a card: an emblem on the upper left, the term below.
    pen.ink(Ink::Main).frame((4.0, 18.0), (40.0, 28.0), 3.0);
    pen.disc((12.5, 27.0), 4.6);
    pen.line((21.0, 25.0), (39.0, 25.0))
        .line((21.0, 30.0), (39.0, 30.0))
        .line((16.0, 39.5), (39.0, 39.5));
    turning(pen);
}

fn turn_to_front(pen: &mut Pen<'_, '_>) {
    card_at(pen, (4.0, 18.0), 1.0);
    turning(pen);
}
