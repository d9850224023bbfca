//! Where the fields are on a card of 85.6 x 54 mm, in millimetres from its upper left corner (GA 461, as far as cards show it), and
//! which lines of print belong to a field.
//!
//! Zones are about a millimetre wider than the print: printers are off by some tenths, corners by as much again.

use crate::base::geometry::{Point, Quad, Rect};
use crate::perception::document::text::TextLine;

/// Width of a card in millimetres.
const CARD_WIDTH: f32 = 85.6;
/// Pixels of a page for a millimetre.
pub(super) const PX_PER_MM: f32 = 640.0 / CARD_WIDTH;
/// Lines that begin to the right of this column of a page belong to the portrait.
const LEFT_PART: f32 = 340.0;
/// A piece of print this much narrower than high is a speck.
const LEAST_ASPECT: f32 = 0.4;

/// A field's zone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Zone {
    /// Left and right.
    pub x: (f32, f32),
    /// Top and bottom; the middle of a line lies between.
    pub y: (f32, f32),
    /// Height of a line with the space around it, where it has to be cut without having been found.
    pub line: f32,
}

pub(super) const NAME: Zone = zone((13.2, 50.0), (5.2, 10.2), 5.4);
pub(super) const SEX: Zone = zone((13.2, 21.0), (11.5, 15.8), 4.6);
pub(super) const ETHNICITY: Zone = zone((30.3, 50.0), (11.5, 15.8), 4.6);
pub(super) const BIRTH: Zone = zone((13.2, 46.0), (17.2, 21.5), 4.6);
pub(super) const ADDRESS: Zone = zone((13.2, 52.0), (22.9, 43.5), 4.6);
/// The digits of the number, without its label.
pub(super) const NUMBER: Zone = zone((27.4, 80.0), (44.6, 49.4), 4.8);
pub(super) const ISSUER: Zone = zone((33.2, 84.5), (36.6, 44.0), 4.4);
pub(super) const TERM: Zone = zone((33.2, 84.5), (44.0, 49.0), 4.4);

/// Every line of a field begins within so many pixels of a page from the left end of its zone: two ideographs.
pub(super) const HEAD: f32 = 8.0 * PX_PER_MM;

const fn zone(x: (f32, f32), y: (f32, f32), line: f32) -> Zone {
    Zone { x, y, line }
}

impl Zone {
    /// The zone on a page.
    pub(super) fn on_page(&self) -> Rect {
        let ((x0, x1), (y0, y1)) = (self.x, self.y);
        Rect::new(
            x0 * PX_PER_MM,
            y0 * PX_PER_MM,
            (x1 - x0) * PX_PER_MM,
            (y1 - y0) * PX_PER_MM,
        )
    }

    /// One line around the middle of the zone, for where none was found.
    pub(super) fn middle_line(&self) -> Quad {
        let r = self.on_page();
        let (middle, half) = (r.centre().y, self.line * PX_PER_MM / 2.0);
        Quad([
            Point::new(r.x, middle - half),
            Point::new(r.x + r.w, middle - half),
            Point::new(r.x + r.w, middle + half),
            Point::new(r.x, middle + half),
        ])
    }

    /// The lines of the zone, from the top down: what was found in it, cut off at its sides, pieces of one line joined.
    pub(super) fn lines(&self, found: &[TextLine], into: &mut Vec<Quad>) {
        into.clear();
        let r = self.on_page();
        let mut pieces: Vec<Quad> = found
            .iter()
            .filter_map(|line| cut(&line.quad, (r.x, r.x + r.w)))
            .filter(|q| (r.y..r.y + r.h).contains(&q.centre().y))
            .collect();
        pieces.sort_by(|a, b| a.centre().y.total_cmp(&b.centre().y));
        for piece in pieces {
            match into.last_mut() {
                Some(line) if is_same_line(line, &piece) => *line = joined(line, &piece),
                _ => into.push(piece),
            }
        }
    }
}

/// The rows of print of the left part above the line through `bottom`, from the top down, whatever is wrong with the corners.
pub(super) fn rows(found: &[TextLine], bottom: f32, into: &mut Vec<Quad>) {
    into.clear();
    let mut pieces: Vec<Quad> = found
        .iter()
        .map(|line| line.quad)
        .filter(|q| q.0[0].x < LEFT_PART && q.centre().y < bottom)
        .collect();
    pieces.sort_by(|a, b| a.0[0].x.total_cmp(&b.0[0].x));
    for piece in pieces {
        match into.iter_mut().find(|row| is_same_line(row, &piece)) {
            Some(row) => *row = joined(row, &piece),
            None => into.push(piece),
        }
    }
    into.sort_by(|a, b| a.0[0].y.total_cmp(&b.0[0].y));
}

/// The part of a line between two columns; `None` if next to nothing is left.
fn cut(quad: &Quad, (left, right): (f32, f32)) -> Option<Quad> {
    let [tl, tr, br, bl] = quad.0;
    let on = |a: Point, b: Point, x: f32| {
        let share = ((x - a.x) / (b.x - a.x).max(1e-3)).clamp(0.0, 1.0);
        Point::new(a.x + share * (b.x - a.x), a.y + share * (b.y - a.y))
    };
    let cut = Quad([
        on(tl, tr, left),
        on(tl, tr, right),
        on(bl, br, right),
        on(bl, br, left),
    ]);
    (cut.width() > LEAST_ASPECT * cut.height()).then_some(cut)
}

fn is_same_line(a: &Quad, b: &Quad) -> bool {
    // Along the direction of the wider one, as lines slope where a corner is wrong.
    let (wide, other) = if a.width() >= b.width() {
        (a, b)
    } else {
        (b, a)
    };
    let [tl, tr, _, _] = wide.0;
    let slope = if wide.width() > 2.0 * wide.height() {
        (tr.y - tl.y) / (tr.x - tl.x).max(1.0)
    } else {
        0.0
    };
    let (from, to) = (wide.centre(), other.centre());
    let expected = from.y + slope * (to.x - from.x);
    (expected - to.y).abs() < 0.5 * a.height().min(b.height())
}

/// One line from the left end of both to the right end.
fn joined(a: &Quad, b: &Quad) -> Quad {
    let (left, right) = if a.centre().x <= b.centre().x {
        (a, b)
    } else {
        (b, a)
    };
    // Where one lies within the other, the longer one is the line.
    if right.0[1].x <= left.0[1].x {
        return *left;
    }
    if left.0[0].x >= right.0[0].x {
        return *right;
    }
    Quad([left.0[0], right.0[1], right.0[2], left.0[3]])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A level line in millimetres.
    fn line(x0: f32, x1: f32, y: f32) -> TextLine {
        let at = |x: f32, y: f32| Point::new(x * PX_PER_MM, y * PX_PER_MM);
        TextLine {
            quad: Quad([
                at(x0, y - 2.0),
                at(x1, y - 2.0),
                at(x1, y + 2.0),
                at(x0, y + 2.0),
            ]),
            score: 0.9,
        }
    }

    /// Expected: left, right and middle of every line, in millimetres.
    fn check(zone: &Zone, found: &[TextLine], expected: &[(f32, f32, f32)]) {
        let mut lines = Vec::new();
        zone.lines(found, &mut lines);
        assert_eq!(lines.len(), expected.len(), "{lines:?}");
        for (line, (x0, x1, y)) in lines.iter().zip(expected) {
            let mm = |v: f32| v / PX_PER_MM;
            let [tl, tr, _, _] = line.0;
            for (a, b) in [(tl.x, x0), (tr.x, x1), (line.centre().y, y)] {
                assert!((mm(a) - b).abs() < 0.05, "{line:?} {expected:?}");
            }
        }
    }

    #[test]
    fn lines_come_to_their_fields() {
        let card = [
            // Label and name in one, as the finder joins them sometimes.
            line(4.5, 26.0, 7.6),
            line(4.5, 17.5, 13.6),
            line(22.9, 34.5, 13.8),
            line(14.4, 21.0, 19.2),
            line(22.0, 24.0, 19.3),
            line(26.0, 33.0, 19.1),
            line(14.4, 49.0, 25.4),
            line(14.4, 30.0, 29.7),
            // The portrait's frame and the number.
            line(55.0, 78.0, 20.0),
            line(4.5, 20.0, 46.9),
            line(28.6, 77.6, 46.9),
        ];
        check(&NAME, &card, &[(13.2, 26.0, 7.6)]);
        check(&SEX, &card, &[(13.2, 17.5, 13.6)]);
        check(&ETHNICITY, &card, &[(30.3, 34.5, 13.8)]);
        check(&BIRTH, &card, &[(14.4, 33.0, 19.2)]);
        check(&ADDRESS, &card, &[(14.4, 49.0, 25.4), (14.4, 30.0, 29.7)]);
        check(&NUMBER, &card, &[(28.6, 77.6, 46.9)]);
        check(&NAME, &[], &[]);
    }

    #[test]
    fn a_speck_is_no_line() {
        check(&NAME, &[line(20.0, 21.0, 7.6)], &[]);
        check(&NAME, &[line(4.0, 14.0, 7.6)], &[]);
    }
}
