//! Before the document: starting, idle, ticket, consent, the booth's own checks.

use super::motif::{Badge, arrow, badge, card, check_at, face_at, phone};
use super::pen::{Ink, Pen};
use super::theme::Tone;
use super::{Look, Screen};
use crate::guidance::model::TicketHint;

/// The look of a screen of this group.
pub(super) fn look(screen: Screen) -> Look {
    match screen {
        Screen::Idle => Look {
            wide: Some(steps),
            ..Look::new(Tone::Calm, phone)
        },
        Screen::ShowTicket(TicketHint::Show) => Look::new(Tone::Calm, show_code),
        Screen::ShowTicket(TicketHint::Refused) => Look::new(Tone::Note, new_code),
        Screen::Consent => Look::new(Tone::Calm, sheet),
        Screen::Preflight => Look::new(Tone::Calm, camera),
        _ => Look::new(Tone::Calm, turning),
    }
}

/// Three quarters of a ring: under way.
pub(super) fn turning(pen: &mut Pen<'_, '_>) {
    pen.ink(Ink::Main).arc((24.0, 24.0), 18.0, 0.0, 270.0);
    pen.ink(Ink::Accent)
        .disc((24.0, 6.0), 3.5)
        .disc((42.0, 24.0), 3.5);
    for x in [16.0, 24.0, 32.0] {
        pen.disc((x, 24.0), 2.6);
    }
}

/// Phone, document, face: the three steps in their order.
fn steps(pen: &mut Pen<'_, '_>) {
    pen.within((0.0, 0.0), 48.0, phone);
    pen.within((48.0, 0.0), 48.0, card);
    pen.within((99.0, 3.0), 42.0, |p| {
        p.ink(Ink::Main);
        face_at(p, (24.0, 24.0), 1.35);
    });
    pen.ink(Ink::Accent);
    pen.triangle((42.0, 20.0), (42.0, 28.0), (47.0, 24.0));
    pen.triangle((95.0, 20.0), (95.0, 28.0), (100.0, 24.0));
}

fn show_code(pen: &mut Pen<'_, '_>) {
    pen.within((-8.0, 0.0), 48.0, phone);
    pen.ink(Ink::Accent);
    arrow(pen, (33.0, 24.0), (41.0, 24.0));
    pen.ink(Ink::Main).ring((45.0, 24.0), 3.0);
}

fn new_code(pen: &mut Pen<'_, '_>) {
    pen.within((-5.0, 0.0), 48.0, phone);
    badge(pen, Badge::Bang);
}

fn sheet(pen: &mut Pen<'_, '_>) {
    pen.ink(Ink::Main).frame((9.0, 3.0), (30.0, 42.0), 3.0);
    for y in [12.0, 19.0, 26.0] {
        pen.line((15.0, y), (33.0, y));
    }
    pen.ink(Ink::Accent);
    check_at(pen, (24.0, 36.0), 1.1);
}

fn camera(pen: &mut Pen<'_, '_>) {
    pen.ink(Ink::Main).frame((3.0, 12.0), (42.0, 29.0), 4.0);
    pen.path(&[(14.0, 12.0), (18.0, 6.0), (30.0, 6.0), (34.0, 12.0)]);
    pen.ring((24.0, 26.0), 9.0);
    pen.ink(Ink::Accent);
    check_at(pen, (24.0, 26.0), 0.9);
}
