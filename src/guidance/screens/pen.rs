//! Draws a pictogram's primitives on a grid of 48 units a side, at any size.

use super::canvas::Canvas;
use embedded_graphics::pixelcolor::Rgb565;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{
    Arc, Circle, CornerRadii, Ellipse, Line, Polyline, PrimitiveStyle, PrimitiveStyleBuilder,
    Rectangle, RoundedRectangle, StrokeAlignment, Triangle,
};

/// Units of a pictogram's side.
pub(super) const UNITS: f32 = 48.0;

/// What a stroke means; the panel decides how that looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// The outline of things.
    Main,
    /// What to look at.
    Accent,
    /// As the background: to cut out.
    Back,
}

/// Colours of the three inks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inks {
    pub(super) main: Rgb565,
    pub(super) accent: Rgb565,
    pub(super) back: Rgb565,
}

/// Draws in units, from the top left corner of the pictogram.
pub(super) struct Pen<'c, 'p> {
    canvas: &'c mut Canvas<'p>,
    origin: Point,
    unit: f32,
    inks: Inks,
    ink: Ink,
    /// Width of strokes, units.
    weight: f32,
}

/// Usual width of strokes, units.
const WEIGHT: f32 = 1.9;

impl<'c, 'p> Pen<'c, 'p> {
    /// A pen for a pictogram of `side` pixels with its top left corner at `origin`.
    pub(super) fn new(canvas: &'c mut Canvas<'p>, origin: Point, side: i32, inks: Inks) -> Self {
        Self {
            canvas,
            origin,
            unit: side as f32 / UNITS,
            inks,
            ink: Ink::Main,
            weight: WEIGHT,
        }
    }

    /// What comes next is drawn with strokes `times` as wide as usual.
    pub(super) fn weight(&mut self, times: f32) -> &mut Self {
        self.weight = WEIGHT * times;
        self
    }

    /// What comes next is drawn in `ink`.
    pub(super) fn ink(&mut self, ink: Ink) -> &mut Self {
        self.ink = ink;
        self
    }

    /// Draws a picture within the square at `(x, y)` of `side` units.
    pub(super) fn within(&mut self, (x, y): (f32, f32), side: f32, picture: fn(&mut Pen<'_, 'p>)) {
        let origin = self.at(x, y);
        let mut inner = Pen {
            canvas: self.canvas,
            origin,
            unit: self.unit * side / UNITS,
            inks: self.inks,
            ink: Ink::Main,
            weight: self.weight,
        };
        picture(&mut inner);
    }

    fn px(&self, units: f32) -> u32 {
        (units * self.unit).round().max(0.0) as u32
    }

    fn at(&self, x: f32, y: f32) -> Point {
        self.origin
            + Point::new(
                (x * self.unit).round() as i32,
                (y * self.unit).round() as i32,
            )
    }

    fn colour(&self) -> Rgb565 {
        match self.ink {
            Ink::Main => self.inks.main,
            Ink::Accent => self.inks.accent,
            Ink::Back => self.inks.back,
        }
    }

    fn stroke(&self) -> PrimitiveStyle<Rgb565> {
        PrimitiveStyleBuilder::new()
            .stroke_color(self.colour())
            .stroke_width(self.px(self.weight).max(1))
            .stroke_alignment(StrokeAlignment::Center)
            .build()
    }

    fn solid(&self) -> PrimitiveStyle<Rgb565> {
        PrimitiveStyle::with_fill(self.colour())
    }

    /// A line.
    pub(super) fn line(&mut self, from: (f32, f32), to: (f32, f32)) -> &mut Self {
        let line = Line::new(self.at(from.0, from.1), self.at(to.0, to.1));
        let Ok(()) = line.into_styled(self.stroke()).draw(self.canvas);
        self
    }

    /// Connected lines.
    pub(super) fn path(&mut self, points: &[(f32, f32)]) -> &mut Self {
        let points: Vec<Point> = points.iter().map(|&(x, y)| self.at(x, y)).collect();
        let style = self.stroke();
        let Ok(()) = Polyline::new(&points).into_styled(style).draw(self.canvas);
        self
    }

    /// A circle's line.
    pub(super) fn ring(&mut self, (x, y): (f32, f32), radius: f32) -> &mut Self {
        let circle = Circle::with_center(self.at(x, y), self.px(2.0 * radius));
        let Ok(()) = circle.into_styled(self.stroke()).draw(self.canvas);
        self
    }

    /// A filled circle.
    pub(super) fn disc(&mut self, (x, y): (f32, f32), radius: f32) -> &mut Self {
        let circle = Circle::with_center(self.at(x, y), self.px(2.0 * radius).max(1));
        let Ok(()) = circle.into_styled(self.solid()).draw(self.canvas);
        self
    }

    /// Part of a circle's line, from `start` over `sweep` degrees; 0 is to the right, positive is clockwise.
    pub(super) fn arc(
        &mut self,
        (x, y): (f32, f32),
        radius: f32,
        start: f32,
        sweep: f32,
    ) -> &mut Self {
        let arc = Arc::with_center(
            self.at(x, y),
            self.px(2.0 * radius),
            Angle::from_degrees(start),
            Angle::from_degrees(sweep),
        );
        let Ok(()) = arc.into_styled(self.stroke()).draw(self.canvas);
        self
    }

    /// An ellipse's line around a centre.
    pub(super) fn oval(&mut self, (x, y): (f32, f32), rx: f32, ry: f32) -> &mut Self {
        let size = Size::new(self.px(2.0 * rx), self.px(2.0 * ry));
        let ellipse = Ellipse::with_center(self.at(x, y), size);
        let Ok(()) = ellipse.into_styled(self.stroke()).draw(self.canvas);
        self
    }

    /// A box's line with rounded corners.
    pub(super) fn frame(&mut self, at: (f32, f32), size: (f32, f32), radius: f32) -> &mut Self {
        let style = self.stroke();
        self.rounded(at, size, radius, style)
    }

    /// A filled box.
    pub(super) fn block(&mut self, at: (f32, f32), size: (f32, f32)) -> &mut Self {
        let style = self.solid();
        self.rounded(at, size, 0.0, style)
    }

    /// A filled box with rounded corners.
    pub(super) fn plate(&mut self, at: (f32, f32), size: (f32, f32), radius: f32) -> &mut Self {
        let style = self.solid();
        self.rounded(at, size, radius, style)
    }

    fn rounded(
        &mut self,
        (x, y): (f32, f32),
        (w, h): (f32, f32),
        radius: f32,
        style: PrimitiveStyle<Rgb565>,
    ) -> &mut Self {
        let area = Rectangle::new(
            self.at(x, y),
            Size::new(self.px(w).max(1), self.px(h).max(1)),
        );
        let corners = CornerRadii::new(Size::new_equal(self.px(radius)));
        let Ok(()) = RoundedRectangle::new(area, corners)
            .into_styled(style)
            .draw(self.canvas);
        self
    }

    /// A filled triangle.
    pub(super) fn triangle(&mut self, a: (f32, f32), b: (f32, f32), c: (f32, f32)) -> &mut Self {
        let shape = Triangle::new(self.at(a.0, a.1), self.at(b.0, b.1), self.at(c.0, c.1));
        let Ok(()) = shape.into_styled(self.solid()).draw(self.canvas);
        self
    }
}
