//! The face: one instruction at a time.

use super::Look;
use super::motif::{Badge, arrow, badge, corners, cross_at, face, face_at, person_at};
use super::pen::{Ink, Pen};
use super::theme::Tone;
use crate::guidance::model::FacePrompt as P;

/// The look of a prompt.
pub(super) fn look(prompt: P) -> Look {
    match prompt {
        P::Look => Look::new(Tone::Calm, in_view),
        P::Closer => Look::new(Tone::Calm, closer),
        P::Back => Look::new(Tone::Calm, back),
        P::Centre => Look::new(Tone::Calm, centre),
        P::Straight => Look::new(Tone::Calm, straight),
        P::OpenEyes => Look::new(Tone::Calm, open_eyes),
        P::CloseMouth => Look::new(Tone::Calm, close_mouth),
        P::Still => Look::new(Tone::Calm, |p| {
            face(p);
            badge(p, Badge::Pause);
        }),
        P::Alone => Look::new(Tone::Calm, alone),
        P::Light => Look::new(Tone::Calm, |p| {
            face(p);
            badge(p, Badge::Sun);
        }),
        P::Done => Look::new(Tone::Good, |p| {
            face(p);
            badge(p, Badge::Check);
        }),
    }
}

fn view(pen: &mut Pen<'_, '_>) {
    pen.ink(Ink::Accent);
    corners(pen, (4.0, 3.0), (40.0, 42.0), 9.0);
}

fn in_view(pen: &mut Pen<'_, '_>) {
    face(pen);
    view(pen);
}

fn closer(pen: &mut Pen<'_, '_>) {
    pen.ink(Ink::Main);
    face_at(pen, (24.0, 24.0), 0.62);
    pen.ink(Ink::Accent);
    arrow(pen, (13.0, 13.0), (4.0, 4.0));
    arrow(pen, (35.0, 13.0), (44.0, 4.0));
    arrow(pen, (13.0, 35.0), (4.0, 44.0));
    arrow(pen, (35.0, 35.0), (44.0, 44.0));
}

fn back(pen: &mut Pen<'_, '_>) {
    pen.ink(Ink::Main);
    face_at(pen, (24.0, 24.0), 1.0);
    pen.ink(Ink::Accent);
    arrow(pen, (2.0, 2.0), (11.0, 11.0));
    arrow(pen, (46.0, 2.0), (37.0, 11.0));
    arrow(pen, (2.0, 46.0), (11.0, 37.0));
    arrow(pen, (46.0, 46.0), (37.0, 37.0));
}

fn centre(pen: &mut Pen<'_, '_>) {
    view(pen);
    pen.ink(Ink::Main);
    face_at(pen, (16.0, 24.0), 0.68);
    pen.ink(Ink::Accent);
    arrow(pen, (27.0, 24.0), (39.0, 24.0));
}

fn straight(pen: &mut Pen<'_, '_>) {
    pen.ink(Ink::Main).oval((24.0, 26.0), 12.0, 15.5);
    // Eyes and mouth turned to one side.
    pen.disc((17.0, 23.5), 1.7).disc((25.0, 23.5), 1.7);
    pen.line((16.5, 33.0), (23.5, 33.0));
    pen.ink(Ink::Accent).arc((24.0, 16.0), 14.0, 205.0, 120.0);
    pen.triangle((40.0, 13.5), (31.5, 9.5), (39.0, 3.5));
}

fn open_eyes(pen: &mut Pen<'_, '_>) {
    pen.ink(Ink::Main).oval((24.0, 24.0), 15.5, 20.0);
    pen.line((19.0, 34.0), (29.0, 34.0));
    pen.ink(Ink::Accent);
    for x in [16.5, 31.5] {
        pen.oval((x, 21.0), 5.0, 3.6).disc((x, 21.0), 1.8);
    }
}

fn close_mouth(pen: &mut Pen<'_, '_>) {
    pen.ink(Ink::Main).oval((24.0, 24.0), 15.5, 20.0);
    pen.disc((18.0, 18.5), 2.0).disc((30.0, 18.5), 2.0);
    pen.ink(Ink::Accent).plate((16.0, 31.0), (16.0, 3.6), 1.5);
    pen.triangle((24.0, 30.0), (20.5, 25.0), (27.5, 25.0));
    pen.triangle((24.0, 36.0), (20.5, 41.0), (27.5, 41.0));
}

fn alone(pen: &mut Pen<'_, '_>) {
    pen.ink(Ink::Main);
    person_at(pen, (15.0, 42.0), 1.2);
    person_at(pen, (37.0, 42.0), 0.85);
    pen.ink(Ink::Accent);
    cross_at(pen, (37.0, 12.0), 1.5);
}
