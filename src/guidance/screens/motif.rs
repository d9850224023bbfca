//! Things that several pictograms show, on 48 x 48 units.

use super::pen::{Ink, Pen};

/// An arrow from one point to another; the head is filled.
pub(super) fn arrow(pen: &mut Pen<'_, '_>, from: (f32, f32), to: (f32, f32)) {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = (dx * dx + dy * dy).sqrt().max(0.1);
    let (ux, uy) = (dx / length, dy / length);
    let neck = (to.0 - 5.0 * ux, to.1 - 5.0 * uy);
    pen.line(from, neck).triangle(
        to,
        (neck.0 - 4.0 * uy, neck.1 + 4.0 * ux),
        (neck.0 + 4.0 * uy, neck.1 - 4.0 * ux),
    );
}

/// The four corners of a camera's view.
pub(super) fn corners(pen: &mut Pen<'_, '_>, (x, y): (f32, f32), (w, h): (f32, f32), arm: f32) {
    let (r, b) = (x + w, y + h);
    pen.path(&[(x, y + arm), (x, y), (x + arm, y)])
        .path(&[(r - arm, y), (r, y), (r, y + arm)])
        .path(&[(r, b - arm), (r, b), (r - arm, b)])
        .path(&[(x + arm, b), (x, b), (x, b - arm)]);
}

/// A phone with a code on it.
pub(super) fn phone(pen: &mut Pen<'_, '_>) {
    pen.ink(Ink::Main).frame((11.0, 2.0), (26.0, 44.0), 4.0);
    pen.line((21.0, 41.0), (27.0, 41.0));
    pen.ink(Ink::Accent);
    for (x, y) in [(15.0, 11.0), (26.0, 11.0), (15.0, 22.0)] {
        pen.block((x, y), (7.0, 7.0));
    }
    pen.ink(Ink::Back);
    for (x, y) in [(15.0, 11.0), (26.0, 11.0), (15.0, 22.0)] {
        pen.block((x + 2.0, y + 2.0), (3.0, 3.0));
    }
    pen.ink(Ink::Accent);
    for (x, y) in [
        (26.0, 22.0),
        (30.0, 26.0),
        (26.0, 30.0),
        (19.0, 32.0),
        (30.0, 33.0),
    ] {
        pen.block((x, y), (3.0, 3.0));
    }
}

/// A document with its photo, lying within `(x, y)` and 40 x 28 units times `k`.
pub(super) fn card_at(pen: &mut Pen<'_, '_>, (x, y): (f32, f32), k: f32) {
    pen.ink(Ink::Back)
        .plate((x, y), (40.0 * k, 28.0 * k), 3.0 * k);
    pen.ink(Ink::Main)
        .frame((x, y), (40.0 * k, 28.0 * k), 3.0 * k);
    pen.line((x + 22.0 * k, y + 8.0 * k), (x + 35.0 * k, y + 8.0 * k));
    pen.line((x + 22.0 * k, y + 14.0 * k), (x + 35.0 * k, y + 14.0 * k));
    pen.line((x + 5.0 * k, y + 23.0 * k), (x + 35.0 * k, y + 23.0 * k));
    pen.ink(Ink::Accent);
    pen.disc((x + 11.0 * k, y + 8.0 * k), 3.4 * k);
    pen.plate((x + 6.0 * k, y + 12.5 * k), (10.5 * k, 5.5 * k), 2.5 * k);
}

/// A document in the middle.
pub(super) fn card(pen: &mut Pen<'_, '_>) {
    card_at(pen, (4.0, 10.0), 1.0);
}

/// The outline of a face with eyes and mouth, around `(x, y)`, 24 x 31 units times `k`.
pub(super) fn face_at(pen: &mut Pen<'_, '_>, (x, y): (f32, f32), k: f32) {
    pen.oval((x, y), 12.0 * k, 15.5 * k);
    pen.disc((x - 4.8 * k, y - 2.5 * k), 1.7 * k);
    pen.disc((x + 4.8 * k, y - 2.5 * k), 1.7 * k);
    pen.line((x - 4.0 * k, y + 7.0 * k), (x + 4.0 * k, y + 7.0 * k));
}

/// A face within the camera's view.
pub(super) fn face(pen: &mut Pen<'_, '_>) {
    pen.ink(Ink::Main);
    face_at(pen, (24.0, 24.0), 1.0);
}

/// Head and shoulders around `x`, standing on `y`, 20 x 24 units times `k`.
pub(super) fn person_at(pen: &mut Pen<'_, '_>, (x, y): (f32, f32), k: f32) {
    pen.ring((x, y - 18.0 * k), 5.5 * k);
    pen.arc((x, y), 10.0 * k, 180.0, 180.0);
    pen.line((x - 10.0 * k, y), (x + 10.0 * k, y));
}

/// A check mark around a point.
pub(super) fn check_at(pen: &mut Pen<'_, '_>, (x, y): (f32, f32), k: f32) {
    pen.path(&[
        (x - 5.0 * k, y + 0.5 * k),
        (x - 1.5 * k, y + 4.0 * k),
        (x + 5.0 * k, y - 4.0 * k),
    ]);
}

/// A cross around a point.
pub(super) fn cross_at(pen: &mut Pen<'_, '_>, (x, y): (f32, f32), k: f32) {
    pen.line((x - 4.0 * k, y - 4.0 * k), (x + 4.0 * k, y + 4.0 * k));
    pen.line((x - 4.0 * k, y + 4.0 * k), (x + 4.0 * k, y - 4.0 * k));
}

/// A shining lamp around a point.
pub(super) fn sun_at(pen: &mut Pen<'_, '_>, (x, y): (f32, f32), k: f32) {
    pen.disc((x, y), 3.4 * k);
    for step in 0..8_u8 {
        let (sin, cos) = (f32::from(step) * std::f32::consts::FRAC_PI_4).sin_cos();
        pen.line(
            (x + 5.6 * k * cos, y + 5.6 * k * sin),
            (x + 8.4 * k * cos, y + 8.4 * k * sin),
        );
    }
}

/// A spanner, head up at the right.
pub(super) fn spanner(pen: &mut Pen<'_, '_>) {
    pen.ink(Ink::Accent).disc((32.5, 15.5), 11.0);
    pen.ink(Ink::Back);
    pen.triangle((32.0, 16.0), (36.0, 0.0), (48.0, 12.0));
    pen.disc((33.5, 14.5), 4.2);
    pen.ink(Ink::Accent);
    // The handle: a thick stroke as two triangles, its end a disc.
    pen.triangle((22.0, 19.0), (29.0, 26.0), (7.0, 34.0));
    pen.triangle((29.0, 26.0), (7.0, 34.0), (14.0, 41.0));
    pen.disc((10.5, 37.5), 5.0);
    pen.ink(Ink::Back).disc((10.5, 37.5), 1.8);
}

/// A line that goes round and ends in an arrow head: once more.
pub(super) fn round_arrow(pen: &mut Pen<'_, '_>) {
    pen.arc((24.0, 24.0), 20.0, -50.0, 290.0);
    pen.triangle((30.0, 1.0), (41.5, 4.5), (33.5, 13.0));
}

/// What a badge shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Badge {
    /// Done.
    Check,
    /// Hold still.
    Pause,
    /// Please note.
    Bang,
    /// Light.
    Sun,
}

/// A disc at the lower right corner with a sign in it.
pub(super) fn badge(pen: &mut Pen<'_, '_>, sign: Badge) {
    let at = (37.0, 36.5);
    pen.ink(Ink::Back).disc(at, 12.5);
    if sign == Badge::Sun {
        pen.ink(Ink::Accent);
        return sun_at(pen, at, 1.25);
    }
    pen.ink(Ink::Accent).disc(at, 10.5);
    pen.ink(Ink::Back);
    match sign {
        Badge::Check => check_at(pen, at, 1.05),
        Badge::Pause => {
            pen.block((32.5, 31.5), (3.0, 10.0))
                .block((38.5, 31.5), (3.0, 10.0));
        }
        Badge::Bang => {
            pen.block((35.7, 29.5), (2.8, 8.5))
                .block((35.7, 40.0), (2.8, 2.8));
        }
        Badge::Sun => {}
    }
}
