//! Plane projective maps between a rectangle and a quadrilateral (Heckbert, "Fundamentals of Texture Mapping and Image
//! Warping", 1989, section 2.2.3).

use crate::base::geometry::{Point, Quad};

/// Maps points of a plane to points of another: `(x, y) -> ((a x + b y + c) / w, (d x + e y + f) / w)`, `w = g x + h y + 1`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Homography {
    /// `a b c d e f g h`.
    coefficients: [f64; 8],
}

impl Homography {
    /// The map that takes the rectangle `0,0..width,height` to `quad`, corner by corner (top left, top right, bottom right,
    /// bottom left). `None` if three corners lie on a line or a size is not positive.
    pub fn from_rectangle(width: f32, height: f32, quad: &Quad) -> Option<Self> {
        let p = quad.0.map(|q| (f64::from(q.x), f64::from(q.y)));
        let (dx1, dy1) = (p[1].0 - p[2].0, p[1].1 - p[2].1);
        let (dx2, dy2) = (p[3].0 - p[2].0, p[3].1 - p[2].1);
        let sx = p[0].0 - p[1].0 + p[2].0 - p[3].0;
        let sy = p[0].1 - p[1].1 + p[2].1 - p[3].1;
        let det = dx1 * dy2 - dx2 * dy1;
        let (w, h) = (f64::from(width), f64::from(height));
        if !(det.abs() > 1e-9 && w > 0.0 && h > 0.0) {
            return None;
        }
        let g = (sx * dy2 - dx2 * sy) / det;
        let i = (dx1 * sy - sx * dy1) / det;
        let coefficients = [
            (p[1].0 - p[0].0 + g * p[1].0) / w,
            (p[3].0 - p[0].0 + i * p[3].0) / h,
            p[0].0,
            (p[1].1 - p[0].1 + g * p[1].1) / w,
            (p[3].1 - p[0].1 + i * p[3].1) / h,
            p[0].1,
            g / w,
            i / h,
        ];
        coefficients
            .iter()
            .all(|c| c.is_finite())
            .then_some(Self { coefficients })
    }

    /// Where the point (`x`, `y`) comes to lie.
    pub fn map(&self, point: Point) -> Point {
        let (x, y) = self.along(f64::from(point.y)).at(f64::from(point.x));
        Point::new(x, y)
    }

    /// Where the four corners come to lie.
    pub fn map_quad(&self, quad: &Quad) -> Quad {
        Quad(quad.0.map(|p| self.map(p)))
    }

    /// The map along the row `y`, for many points of one row.
    pub(crate) fn along(&self, y: f64) -> Row {
        let [a, b, c, d, e, f, g, h] = self.coefficients;
        Row {
            x: (a, b * y + c),
            y: (d, e * y + f),
            w: (g, h * y + 1.0),
        }
    }
}

/// A [`Homography`] along one row: numerators and denominator as `slope * x + start`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    x: (f64, f64),
    y: (f64, f64),
    w: (f64, f64),
}

impl Row {
    /// Where the point at `x` of this row comes to lie.
    pub(crate) fn at(&self, x: f64) -> (f32, f32) {
        let w = 1.0 / (self.w.0 * x + self.w.1);
        (
            ((self.x.0 * x + self.x.1) * w) as f32,
            ((self.y.0 * x + self.y.1) * w) as f32,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quad(p: [(f32, f32); 4]) -> Quad {
        Quad(p.map(|(x, y)| Point::new(x, y)))
    }

    fn check(width: f32, height: f32, to: Quad) {
        let map = Homography::from_rectangle(width, height, &to).expect("a proper quadrilateral");
        let corners = quad([(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)]);
        for (found, expected) in map.map_quad(&corners).0.iter().zip(to.0) {
            assert!(found.distance(expected) < 1e-3, "{found:?} {expected:?}");
        }
        // Straight lines stay straight: the images of the diagonals meet in the image of the middle.
        let middle = map.map(Point::new(width / 2.0, height / 2.0));
        let side = |a: Point, b: Point| {
            ((b.x - a.x) * (middle.y - a.y) - (b.y - a.y) * (middle.x - a.x)) / a.distance(b)
        };
        assert!(side(to.0[0], to.0[2]).abs() < 1e-3 && side(to.0[1], to.0[3]).abs() < 1e-3);
    }

    #[test]
    fn corners_go_to_corners_and_lines_to_lines() {
        check(
            4.0,
            2.0,
            quad([(0.0, 0.0), (4.0, 0.0), (4.0, 2.0), (0.0, 2.0)]),
        );
        check(
            640.0,
            451.0,
            quad([
                (301.0, 120.5),
                (1003.0, 99.0),
                (1100.0, 640.0),
                (250.0, 601.0),
            ]),
        );
        check(
            1280.0,
            807.0,
            quad([
                (900.0, 600.0),
                (200.0, 610.0),
                (230.0, 90.0),
                (850.0, 110.0),
            ]),
        );
    }

    #[test]
    fn a_flat_quadrilateral_has_no_map() {
        let flat = quad([(0.0, 0.0), (1.0, 1.0), (2.0, 2.0), (3.0, 3.0)]);
        assert_eq!(Homography::from_rectangle(4.0, 2.0, &flat), None);
        let fine = quad([(0.0, 0.0), (4.0, 0.0), (4.0, 2.0), (0.0, 2.0)]);
        assert_eq!(Homography::from_rectangle(0.0, 2.0, &fine), None);
        let odd = quad([(0.0, 0.0), (f32::NAN, 0.0), (4.0, 2.0), (0.0, 2.0)]);
        assert_eq!(Homography::from_rectangle(4.0, 2.0, &odd), None);
    }
}
