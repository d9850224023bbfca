//! The document that is still held up when the face is looked for: its portrait is a printed face, which is not to be lit, measured, compared
//! with itself or taken for a second person. No defence against attacks: nobody who wants to be seen by it is kept from it for long.

use super::detector::DetectedFace;
use crate::base::geometry::{Point, Quad, Rect};
use crate::base::time::Moment;
use std::time::Duration;

/// A face on the document is its portrait if its eyes are apart as those of the portrait, within these factors.
const SIZES: std::ops::RangeInclusive<f32> = 0.7..=1.4;
/// A document that is found in none of so many looks, one after the other, has been put away.
const GONE_AFTER: u8 = 3;
/// What is still there so long after the document was read is held up on purpose, or looks like a document only: faces count again.
const LONGEST: Duration = Duration::from_secs(3);

/// What is known of the document from look to look.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DocumentInHand {
    read: Option<Read>,
}

#[derive(Clone, Copy, Debug)]
struct Read {
    at: Moment,
    inter_eye_px: f32,
    n_missed: u8,
}

impl DocumentInHand {
    /// A document was read in a frame that was captured then, with its portrait's eyes so far apart.
    pub(super) const fn was_read(&mut self, at: Moment, inter_eye_px: f32) {
        self.read = Some(Read {
            at,
            inter_eye_px,
            n_missed: 0,
        });
    }

    /// Whether it is to be looked for in a frame that was captured then.
    pub(super) fn is_expected(&self, now: Moment) -> bool {
        self.read.is_some_and(|read| now.since(read.at) < LONGEST)
    }

    /// A look at a frame with the document there, or nowhere: which of its faces is the portrait, if one is.
    pub(super) fn find(
        &mut self,
        document: Option<&Quad>,
        faces: &[DetectedFace],
    ) -> Option<usize> {
        let mut read = self.read?;
        read.n_missed = if document.is_some() {
            0
        } else {
            read.n_missed + 1
        };
        self.read = (read.n_missed < GONE_AFTER).then_some(read);
        let page = bounds(document?);
        faces.iter().position(|face| {
            let [right, left, ..] = face.key_points;
            let is_of_size = SIZES.contains(&(right.distance(left) / read.inter_eye_px));
            is_of_size && page.contains(right.midpoint(left))
        })
    }

    /// There is none any more.
    pub(super) const fn forget(&mut self) {
        self.read = None;
    }
}

/// The upright box around a document.
fn bounds(Quad(corners): &Quad) -> Rect {
    let [first, rest @ ..] = *corners;
    let (mut least, mut most) = (first, first);
    for p in rest {
        least = Point::new(least.x.min(p.x), least.y.min(p.y));
        most = Point::new(most.x.max(p.x), most.y.max(p.y));
    }
    Rect::new(least.x, least.y, most.x - least.x, most.y - least.y)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(x: f32, y: f32, inter_eye_px: f32) -> DetectedFace {
        let mut face = DetectedFace::default();
        face.key_points[0] = Point::new(x - inter_eye_px / 2.0, y);
        face.key_points[1] = Point::new(x + inter_eye_px / 2.0, y);
        face
    }

    fn page(top: f32) -> Quad {
        let corner = |x, y| Point::new(x, top + y);
        Quad([
            corner(280.0, 0.0),
            corner(1040.0, 10.0),
            corner(1040.0, 570.0),
            corner(246.0, 535.0),
        ])
    }

    #[test]
    fn a_portrait_is_none_of_the_faces_until_it_is_put_away() {
        let mut hand = DocumentInHand::default();
        assert_eq!(
            hand.find(Some(&page(100.0)), &[face(400.0, 320.0, 51.0)]),
            None
        );
        hand.was_read(Moment::from_millis(1000), 51.0);
        let mut check = |top: Option<f32>, faces: &[DetectedFace], portrait: Option<usize>| {
            let document = top.map(page);
            assert_eq!(hand.find(document.as_ref(), faces), portrait, "{faces:?}");
        };
        let own = face(630.0, 300.0, 95.0);
        check(Some(100.0), &[face(402.0, 318.0, 58.0)], Some(0));
        check(Some(300.0), &[own, face(405.0, 550.0, 50.0)], Some(1));
        check(None, &[own], None);
        // Somebody else beside the document, and before it.
        check(Some(300.0), &[own, face(1100.0, 400.0, 50.0)], None);
        check(Some(300.0), &[face(405.0, 550.0, 95.0)], None);
        check(None, &[], None);
        check(None, &[own], None);
        check(None, &[own], None);
        // Put away: who is there now has the portrait's size by chance.
        check(Some(300.0), &[face(405.0, 550.0, 51.0)], None);
    }

    #[test]
    fn what_stays_is_no_document_that_is_put_away() {
        let mut hand = DocumentInHand::default();
        let at = |ms: u64| Moment::from_millis(1000 + ms);
        assert!(!hand.is_expected(at(0)));
        hand.was_read(at(0), 51.0);
        assert!(hand.is_expected(at(2900)));
        assert!(!hand.is_expected(at(3100)));
        hand.forget();
        assert!(!hand.is_expected(at(0)));
    }
}
