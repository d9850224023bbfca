//! Points, boxes and quadrilaterals in pixels: x to the right, y down, the origin at the outer corner of the first pixel.

use serde::{Deserialize, Serialize};

/// A point in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Down.
    pub y: f32,
}

impl Point {
    /// A point at (`x`, `y`).
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    /// Euclidean distance to `other` in pixels.
    pub fn distance(self, other: Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }

    /// The point half way to `other`.
    pub fn midpoint(self, other: Self) -> Self {
        Self::new((self.x + other.x) / 2.0, (self.y + other.y) / 2.0)
    }
}

/// An axis-parallel box in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rect {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Width.
    pub w: f32,
    /// Height.
    pub h: f32,
}

impl Rect {
    /// A box from its upper left corner and size.
    pub const fn new(x: f32, y: f32, w: f32, h: f32) -> Self {
        Self { x, y, w, h }
    }

    /// The middle.
    pub fn centre(self) -> Point {
        Point::new(self.x + self.w / 2.0, self.y + self.h / 2.0)
    }

    /// Whether a point lies in it, or on its edge.
    pub fn contains(self, p: Point) -> bool {
        (self.x..=self.x + self.w).contains(&p.x) && (self.y..=self.y + self.h).contains(&p.y)
    }

    /// Area in square pixels; zero for an empty box.
    pub fn area(self) -> f32 {
        self.w.max(0.0) * self.h.max(0.0)
    }

    /// The part that both boxes cover (maybe empty).
    pub fn intersection(self, other: Self) -> Self {
        let (x0, y0) = (self.x.max(other.x), self.y.max(other.y));
        let (x1, y1) = (
            (self.x + self.w).min(other.x + other.w),
            (self.y + self.h).min(other.y + other.h),
        );
        Self::new(x0, y0, (x1 - x0).max(0.0), (y1 - y0).max(0.0))
    }

    /// Intersection over union, 0..=1.
    pub fn iou(self, other: Self) -> f32 {
        let both = self.intersection(other).area();
        let either = self.area() + other.area() - both;
        if either > 0.0 { both / either } else { 0.0 }
    }
}

/// A quadrilateral: corners top left, top right, bottom right, bottom left as the content reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quad(pub [Point; 4]);

impl Quad {
    /// Signed area by the shoelace formula; positive if the corners go clockwise on the screen.
    pub fn signed_area(&self) -> f32 {
        let p = &self.0;
        (0..4)
            .map(|i| p[i].x * p[(i + 1) % 4].y - p[(i + 1) % 4].x * p[i].y)
            .sum::<f32>()
            / 2.0
    }

    /// Mean length of the upper and lower side.
    pub fn width(&self) -> f32 {
        (self.0[0].distance(self.0[1]) + self.0[3].distance(self.0[2])) / 2.0
    }

    /// Mean length of the left and right side.
    pub fn height(&self) -> f32 {
        (self.0[0].distance(self.0[3]) + self.0[1].distance(self.0[2])) / 2.0
    }

    /// The middle of the four corners.
    pub fn centre(&self) -> Point {
        let p = &self.0;
        Point::new(
            p.iter().map(|q| q.x).sum::<f32>() / 4.0,
            p.iter().map(|q| q.y).sum::<f32>() / 4.0,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iou_of_overlapping_boxes() {
        let (a, b) = (Rect::new(0.0, 0.0, 2.0, 2.0), Rect::new(1.0, 0.0, 2.0, 2.0));
        assert!((a.iou(b) - 1.0 / 3.0).abs() < 1e-6);
        assert_eq!(a.iou(Rect::new(5.0, 5.0, 1.0, 1.0)), 0.0);
        assert_eq!(Rect::default().iou(Rect::default()), 0.0);
    }

    #[test]
    fn quad_measures() {
        let q = Quad([
            Point::new(0.0, 0.0),
            Point::new(4.0, 0.0),
            Point::new(4.0, 2.0),
            Point::new(0.0, 2.0),
        ]);
        assert_eq!(
            (q.signed_area(), q.width(), q.height(), q.centre()),
            (8.0, 4.0, 2.0, Point::new(2.0, 1.0))
        );
    }
}
