//! Alignment: the similarity that puts the five points onto the template of ArcFace (112x112).

use crate::base::geometry::Point;
use crate::perception::sampling::Affine;

/// Side of the aligned face.
pub const SIDE: u32 = 112;

/// ArcFace's template on 112x112: right eye, left eye, nose tip, right and left corner of the mouth (of the subject).
pub const TEMPLATE: [Point; 5] = [
    Point::new(38.2946, 51.6963),
    Point::new(73.5318, 51.5014),
    Point::new(56.0252, 71.7366),
    Point::new(41.5493, 92.3655),
    Point::new(70.7299, 92.2041),
];

/// The map from the aligned face to the frame, by least squares (Umeyama 1991; in the plane the best rotation and scale are the
/// real and imaginary part of one complex number). `None` if the points coincide.
pub fn aligned_to_frame(points: &[Point; 5]) -> Option<Affine> {
    let mean = |p: &[Point; 5]| {
        let (x, y) = p
            .iter()
            .fold((0.0, 0.0), |s, q| (s.0 + q.x / 5.0, s.1 + q.y / 5.0));
        Point::new(x, y)
    };
    let (from, to) = (mean(&TEMPLATE), mean(points));
    let (mut re, mut im, mut norm, mut spread) = (0.0f32, 0.0f32, 0.0f32, 0.0f32);
    for (t, p) in TEMPLATE.iter().zip(points) {
        let (tx, ty, px, py) = (t.x - from.x, t.y - from.y, p.x - to.x, p.y - to.y);
        re += tx * px + ty * py;
        im += tx * py - ty * px;
        norm += tx * tx + ty * ty;
        spread += px * px + py * py;
    }
    if !(spread.is_finite() && spread > 1e-3) {
        return None;
    }
    // Umeyama maps frame -> template; its inverse for a similarity is the map fitted the other way with the frame's spread.
    let (re, im) = (re / spread, im / spread);
    let det = re * re + im * im;
    if !(det.is_finite() && det > 1e-12) || norm <= 0.0 {
        return None;
    }
    let (a, b) = (re / det, im / det);
    // The template's middles of pixels lie at whole numbers, ours at .5.
    let (ox, oy) = (from.x + 0.5, from.y + 0.5);
    Some(Affine {
        a,
        b: -b,
        c: to.x - a * ox + b * oy,
        d: b,
        e: a,
        f: to.y - b * ox - a * oy,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turned_and_scaled_template_is_found() {
        let (scale, angle) = (2.5f32, 0.4f32);
        let (sin, cos) = angle.sin_cos();
        let points = TEMPLATE.map(|p| {
            let q = Point::new(p.x + 0.5, p.y + 0.5);
            Point::new(
                scale * (cos * q.x - sin * q.y) + 7.0,
                scale * (sin * q.x + cos * q.y) - 3.0,
            )
        });
        let map = aligned_to_frame(&points).expect("points do not coincide");
        for (t, p) in TEMPLATE.iter().zip(points) {
            let found = map.apply(Point::new(t.x + 0.5, t.y + 0.5));
            assert!(found.distance(p) < 1e-2, "{found:?} {p:?}");
        }
    }

    #[test]
    fn coinciding_points_give_nothing() {
        assert_eq!(aligned_to_frame(&[Point::new(5.0, 5.0); 5]), None);
        assert_eq!(aligned_to_frame(&[Point::new(f32::NAN, 5.0); 5]), None);
    }
}
