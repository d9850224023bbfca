//! While it is decided, the result, and one more try.

use super::motif::{
    Badge, badge, card_at, check_at, cross_at, face_at, person_at, round_arrow, spanner, sun_at,
};
use super::pen::{Ink, Pen};
use super::theme::Tone;
use super::welcome::turning;
use super::{Look, Screen};
use crate::guidance::model::{ResultSign as R, RetrySign as T};

/// The look of a screen of this group.
pub(super) fn look(screen: Screen) -> Look {
    match screen {
        Screen::Result(R::Verified) => Look::new(Tone::Good, verified),
        Screen::Result(R::NotVerified) => Look::new(Tone::Note, information),
        Screen::Result(R::InReview) => Look::new(Tone::Calm, in_review),
        Screen::Result(R::Pending) => Look::new(Tone::Calm, pending),
        Screen::Result(R::SeeStaff) => Look::new(Tone::Note, see_staff),
        Screen::Result(R::Declined) => Look::new(Tone::Calm, nothing_kept),
        Screen::Result(R::Ended) => Look::new(Tone::Calm, ended),
        Screen::Result(R::OtherDocument) => Look::new(Tone::Note, other_document),
        Screen::Result(R::TryLater) => Look::new(Tone::Calm, try_later),
        Screen::Result(R::BoothFault) => Look::new(Tone::Note, spanner),
        Screen::Result(R::PracticeDone) => Look::new(Tone::Good, practice_done),
        Screen::Retry(
            T::DocumentNotSeen | T::DocumentUnclear | T::BackNotSeen | T::TwoDocuments,
        ) => Look::new(Tone::Note, again_document),
        Screen::Retry(T::FaceNotSeen | T::FaceUnclear) => Look::new(Tone::Note, again_face),
        Screen::Retry(T::Light) => Look::new(Tone::Note, again_light),
        Screen::Retry(T::OtherLight) => Look::new(Tone::Note, other_light),
        Screen::Retry(T::OtherDocument) => Look::new(Tone::Note, other_document),
        Screen::Retry(T::AskStaff) => Look::new(Tone::Note, ask_staff),
        _ => Look::new(Tone::Calm, turning),
    }
}

fn verified(pen: &mut Pen<'_, '_>) {
    pen.ink(Ink::Accent).disc((24.0, 24.0), 22.0);
    pen.ink(Ink::Back).weight(2.2);
    check_at(pen, (24.0, 24.0), 2.1);
}

fn information(pen: &mut Pen<'_, '_>) {
    pen.ink(Ink::Accent).ring((24.0, 24.0), 20.0);
    pen.ink(Ink::Main).disc((24.0, 14.0), 2.8);
    pen.block((21.8, 20.0), (4.6, 15.0));
}

fn in_review(pen: &mut Pen<'_, '_>) {
    pen.ink(Ink::Main);
    person_at(pen, (19.0, 38.0), 1.2);
    pen.ink(Ink::Back).disc((34.0, 30.0), 11.0);
    pen.ink(Ink::Accent).ring((34.0, 30.0), 8.5);
    pen.line((40.0, 36.0), (46.0, 42.0));
}

fn pending(pen: &mut Pen<'_, '_>) {
    pen.ink(Ink::Main).ring((24.0, 24.0), 20.0);
    pen.ink(Ink::Accent)
        .path(&[(24.0, 11.0), (24.0, 24.0), (33.0, 29.0)]);
}

fn try_later(pen: &mut Pen<'_, '_>) {
    pen.ink(Ink::Accent);
    round_arrow(pen);
    pen.ink(Ink::Main)
        .path(&[(24.0, 14.0), (24.0, 25.0), (31.0, 29.0)]);
}

fn other_light(pen: &mut Pen<'_, '_>) {
    pen.ink(Ink::Accent);
    round_arrow(pen);
    pen.ink(Ink::Main);
    sun_at(pen, (24.0, 25.0), 1.15);
}

fn ask_staff(pen: &mut Pen<'_, '_>) {
    pen.ink(Ink::Accent);
    round_arrow(pen);
    pen.ink(Ink::Main);
    person_at(pen, (24.0, 34.0), 0.72);
}

fn see_staff(pen: &mut Pen<'_, '_>) {
    card_at(pen, (1.0, 17.0), 0.42);
    pen.ink(Ink::Accent)
        .triangle((20.0, 19.0), (20.0, 27.0), (25.0, 23.0));
    pen.ink(Ink::Main);
    person_at(pen, (37.0, 35.0), 1.0);
    pen.ink(Ink::Main).block((24.0, 37.0), (24.0, 3.0));
}

fn nothing_kept(pen: &mut Pen<'_, '_>) {
    pen.ink(Ink::Main).frame((9.0, 3.0), (30.0, 42.0), 3.0);
    for y in [12.0, 19.0] {
        pen.line((15.0, y), (33.0, y));
    }
    pen.ink(Ink::Accent);
    cross_at(pen, (24.0, 33.0), 1.4);
}

fn ended(pen: &mut Pen<'_, '_>) {
    pen.ink(Ink::Main).ring((24.0, 24.0), 20.0);
    pen.ink(Ink::Accent).plate((16.0, 16.0), (16.0, 16.0), 2.0);
}

fn other_document(pen: &mut Pen<'_, '_>) {
    card_at(pen, (2.0, 3.0), 0.72);
    card_at(pen, (17.0, 24.0), 0.72);
    pen.ink(Ink::Accent)
        .path(&[(37.0, 8.0), (42.0, 8.0), (42.0, 15.0)]);
    pen.triangle((42.0, 21.0), (37.5, 14.0), (46.5, 14.0));
}

fn practice_done(pen: &mut Pen<'_, '_>) {
    pen.ink(Ink::Accent).ring((24.0, 24.0), 21.0);
    pen.weight(2.0);
    check_at(pen, (24.0, 24.0), 2.0);
}

fn again_document(pen: &mut Pen<'_, '_>) {
    pen.ink(Ink::Accent);
    round_arrow(pen);
    card_at(pen, (12.5, 16.0), 0.57);
}

fn again_face(pen: &mut Pen<'_, '_>) {
    pen.ink(Ink::Accent);
    round_arrow(pen);
    pen.ink(Ink::Main);
    face_at(pen, (24.0, 25.0), 0.72);
}

fn again_light(pen: &mut Pen<'_, '_>) {
    pen.ink(Ink::Main);
    sun_at(pen, (22.0, 22.0), 2.1);
    badge(pen, Badge::Check);
}
