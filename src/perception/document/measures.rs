//! Measures on the rectified document that say whether it can be read.

use crate::base::geometry::Quad;

/// Luminance from which a pixel counts as saturated.
const SATURATED: u8 = 250;

/// What the rectified document of 640 pixels width says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PlaneMeasures {
    /// Variance of the Laplacian (4 neighbours), luminance 0..=255.
    pub sharpness: f32,
    /// Share of saturated pixels, 0..=1.
    pub glare_share: f32,
    /// The same of the worse of the two bands along the upper and the lower edge, 30 % of the height each: one of them has the machine
    /// readable zone, or the number of a resident identity card.
    pub zone_glare_share: f32,
    /// Mean luminance, 0..=1.
    pub luminance: f32,
}

/// Measures a luminance plane of `width` pixels a row. All zero if it has less than three rows or columns.
pub fn measure(plane: &[u8], width: usize) -> PlaneMeasures {
    let height = plane.len().checked_div(width).unwrap_or(0);
    if width < 3 || height < 3 {
        return PlaneMeasures::default();
    }
    let (mut sum, mut squares) = (0i64, 0i64);
    for y in 1..height - 1 {
        let row = |y: usize| &plane[y * width..(y + 1) * width];
        let (above, here, below) = (row(y - 1), row(y), row(y + 1));
        for x in 1..width - 1 {
            let around = i64::from(above[x])
                + i64::from(below[x])
                + i64::from(here[x - 1])
                + i64::from(here[x + 1]);
            let laplacian = around - 4 * i64::from(here[x]);
            sum += laplacian;
            squares += laplacian * laplacian;
        }
    }
    let n = ((width - 2) * (height - 2)) as f64;
    let mean = sum as f64 / n;
    let total: u64 = plane.iter().map(|p| u64::from(*p)).sum();
    let saturated = |part: &[u8]| {
        let n = part.iter().filter(|p| **p >= SATURATED).count();
        n as f32 / part.len().max(1) as f32
    };
    let band = height * 3 / 10 * width;
    PlaneMeasures {
        sharpness: (squares as f64 / n - mean * mean) as f32,
        glare_share: saturated(plane),
        zone_glare_share: saturated(&plane[..band]).max(saturated(&plane[plane.len() - band..])),
        luminance: (total as f64 / plane.len() as f64 / 255.0) as f32,
    }
}

/// Largest deviation of an inner angle from 90 degrees, in degrees; 90 for a flat or twisted quadrilateral.
pub fn tilt_degrees(quad: &Quad) -> f32 {
    (0..4)
        .map(|i| {
            let (before, here, after) = (quad.0[(i + 3) % 4], quad.0[i], quad.0[(i + 1) % 4]);
            let (ax, ay) = (after.x - here.x, after.y - here.y);
            let (bx, by) = (before.x - here.x, before.y - here.y);
            // Inner angle of a clockwise quadrilateral: 0..180 degrees if convex there.
            let angle = (ax * by - ay * bx).atan2(ax * bx + ay * by).to_degrees();
            (angle - 90.0).abs().min(90.0)
        })
        .fold(0.0, f32::max)
}

/// Mean distance of the corners of two quadrilaterals as a share of the width of the second.
pub fn motion(before: &Quad, now: &Quad) -> f32 {
    let mean: f32 = before
        .0
        .iter()
        .zip(now.0)
        .map(|(a, b)| a.distance(b))
        .sum::<f32>()
        / 4.0;
    mean / now.width().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::geometry::Point;

    fn quad(p: [(f32, f32); 4]) -> Quad {
        Quad(p.map(|(x, y)| Point::new(x, y)))
    }

    #[test]
    fn planes_are_measured() {
        let flat = measure(&[51; 90], 9);
        assert_eq!(
            flat,
            PlaneMeasures {
                sharpness: 0.0,
                glare_share: 0.0,
                zone_glare_share: 0.0,
                luminance: 0.2
            }
        );
        // A chequerboard of 0 and 255: the Laplacian is 4 * 255 up and down.
        let board: Vec<u8> = (0..81).map(|i| if i % 2 == 0 { 255 } else { 0 }).collect();
        let found = measure(&board, 9);
        assert!(
            (found.sharpness - (4.0f32 * 255.0).powi(2)).abs() < 1000.0,
            "{found:?}"
        );
        assert!((found.glare_share - 41.0 / 81.0).abs() < 1e-6);
        assert_eq!(measure(&[1, 2], 2), PlaneMeasures::default());
        assert_eq!(measure(&[], 0), PlaneMeasures::default());
    }

    #[test]
    fn tilt_is_the_worst_angle() {
        for (corners, expected) in [
            ([(0.0, 0.0), (4.0, 0.0), (4.0, 2.0), (0.0, 2.0)], 0.0),
            ([(0.0, 0.0), (4.0, 0.0), (5.0, 1.0), (1.0, 1.0)], 45.0),
            // Twisted, flat, counter-clockwise.
            ([(0.0, 0.0), (4.0, 2.0), (4.0, 0.0), (0.0, 2.0)], 90.0),
            ([(0.0, 0.0), (1.0, 0.0), (2.0, 0.0), (3.0, 0.0)], 90.0),
            ([(0.0, 0.0), (0.0, 2.0), (4.0, 2.0), (4.0, 0.0)], 90.0),
        ] {
            let found = tilt_degrees(&quad(corners));
            assert!((found - expected).abs() < 0.01, "{corners:?}: {found}");
        }
    }

    #[test]
    fn motion_is_a_share_of_the_width() {
        let a = quad([(0.0, 0.0), (100.0, 0.0), (100.0, 60.0), (0.0, 60.0)]);
        let mut b = a;
        b.0.iter_mut().for_each(|p| p.x += 5.0);
        assert_eq!((motion(&a, &b), motion(&a, &a)), (0.05, 0.0));
    }
}
