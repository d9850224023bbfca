//! The portrait on a document that is still held up when the face is looked for: a printed face, which is not to be lit, measured, compared
//! with itself or taken for a second person.

use super::detector::DetectedFace;
use crate::base::geometry::Point;

/// A face is the portrait if its eyes are apart as those of the portrait, within these factors: who puts a document away does not
/// bring it much nearer first. Somebody's own face behind the document has eyes 63 mm apart, not 6 to 11 (ICAO 9303-3), and is
/// twice as large in the picture though it is farther away.
const SIZES: std::ops::RangeInclusive<f32> = 0.7..=1.4;
/// The document moves by no more than so many distances of the eyes from one look to the next.
const FARTHEST: f32 = 5.0;
/// A portrait that is in none of so many looks, one after the other, has been put away.
const GONE_AFTER: u8 = 4;
/// What is still there after so many looks, about three seconds, is held up on purpose, or is somebody far away: it counts like any other face.
const LOOKS: u8 = 45;

/// Where the portrait is, from look to look.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PortraitInHand {
    last: Option<Seen>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    between_eyes: Point,
    inter_eye_px: f32,
    n_looks: u8,
    n_missed: u8,
}

impl PortraitInHand {
    /// A document was read in a frame, with its portrait here.
    pub(super) const fn is_at(&mut self, between_eyes: Point, inter_eye_px: f32) {
        self.last = Some(Seen {
            between_eyes,
            inter_eye_px,
            n_looks: 0,
            n_missed: 0,
        });
    }

    /// Which of the faces of a frame is the portrait, if one is.
    pub(super) fn find(&mut self, faces: &[DetectedFace]) -> Option<usize> {
        let mut seen = self.last?;
        seen.n_looks += 1;
        let reach = FARTHEST * seen.inter_eye_px * f32::from(seen.n_missed + 1);
        let found = faces
            .iter()
            .enumerate()
            .filter_map(|(i, face)| {
                let [right, left, ..] = face.key_points;
                let place = right.midpoint(left);
                let is_of_size = SIZES.contains(&(right.distance(left) / seen.inter_eye_px));
                let far = place.distance(seen.between_eyes);
                (is_of_size && far <= reach).then_some((i, place, far))
            })
            .min_by(|a, b| a.2.total_cmp(&b.2));
        match found {
            Some((_, place, _)) => (seen.between_eyes, seen.n_missed) = (place, 0),
            None => seen.n_missed += 1,
        }
        let is_over = seen.n_looks >= LOOKS || seen.n_missed >= GONE_AFTER;
        self.last = (!is_over).then_some(seen);
        found.map(|(i, ..)| i)
    }

    /// There is none any more.
    pub(super) const fn forget(&mut self) {
        self.last = None;
    }
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

    #[test]
    fn a_portrait_is_followed_until_it_is_put_away() {
        let mut hand = PortraitInHand::default();
        assert_eq!(hand.find(&[face(400.0, 320.0, 51.0)]), None);
        hand.is_at(Point::new(400.0, 320.0), 51.0);
        let mut check = |faces: &[DetectedFace], portrait: Option<usize>| {
            assert_eq!(hand.find(faces), portrait, "{faces:?}");
        };
        let own = face(630.0, 300.0, 95.0);
        check(&[face(402.0, 318.0, 58.0)], Some(0));
        check(&[own, face(405.0, 350.0, 50.0)], Some(1));
        check(&[], None);
        check(&[own, face(407.0, 540.0, 51.0)], Some(1));
        // Somebody's own face in the same place is larger; somebody else's is elsewhere.
        check(&[face(405.0, 540.0, 95.0)], None);
        check(&[own, face(1100.0, 300.0, 50.0)], None);
        check(&[own], None);
        check(&[own], None);
        // Put away: who is there now has the portrait's size by chance.
        check(&[face(405.0, 540.0, 51.0)], None);
    }

    #[test]
    fn what_stays_is_no_document_that_is_put_away() {
        let mut hand = PortraitInHand::default();
        hand.is_at(Point::new(400.0, 320.0), 51.0);
        let there = [face(401.0, 322.0, 55.0)];
        let n = (0..200).filter(|_| hand.find(&there).is_some()).count();
        assert_eq!(n, usize::from(LOOKS));
        hand.is_at(Point::new(400.0, 320.0), 51.0);
        hand.forget();
        assert_eq!(hand.find(&there), None);
    }
}
