//! Moves a side of the quadrilateral that the net gives onto the edge of the document in the picture.
//!
//! Along each side, the strongest luminance edge across it is looked for at many places; a line through most of them (every pair
//! is tried, the one with most followers wins, then least squares over its followers) replaces the side. A side without a clear
//! edge stays where the net has put it.

use super::super::rectify::LuminanceSampler;
use crate::base::frame::FrameView;
use crate::base::geometry::{Point, Quad};

/// Places along a side. The ends are left out: corners are rounded, and fingers hold them.
const N_PLACES: usize = 40;
/// First and last place as a share of the side.
const PLACES: (f32, f32) = (0.08, 0.92);
/// How far across a side is looked for an edge, as a share of the mean of width and height.
const REACH: f32 = 0.045;
/// Steps to each side; an edge is the difference of the means of [`BAND`] steps before and after.
const N_STEPS: usize = 24;
const BAND: usize = 3;
/// An edge has at least this difference of luminance (0..=255).
const LEAST_EDGE: f32 = 7.0;
/// Followers lie within this many steps of the line.
const FOLLOWS_WITHIN: f32 = 1.6;
/// A side is moved if at least this share of the places follows.
const LEAST_FOLLOWERS: f32 = 0.4;

/// A line as a point on it and a direction.
#[derive(Clone, Copy, Debug)]
struct Line {
    at: Point,
    along: Point,
}

impl Line {
    fn through(a: Point, b: Point) -> Self {
        Self {
            at: a,
            along: Point::new(b.x - a.x, b.y - a.y),
        }
    }

    /// Where two lines meet; `None` if they are nearly parallel.
    fn meet(self, other: Self) -> Option<Point> {
        let det = self.along.x * other.along.y - self.along.y * other.along.x;
        let lengths = self.along.x.hypot(self.along.y) * other.along.x.hypot(other.along.y);
        if det.abs() < 0.1 * lengths || lengths == 0.0 {
            return None;
        }
        let (dx, dy) = (other.at.x - self.at.x, other.at.y - self.at.y);
        let t = (dx * other.along.y - dy * other.along.x) / det;
        Some(Point::new(
            self.at.x + t * self.along.x,
            self.at.y + t * self.along.y,
        ))
    }
}

/// The quadrilateral with its sides moved onto edges, and how many of the four were moved.
pub(super) fn snap(frame: &FrameView<'_>, quad: &Quad) -> (Quad, usize) {
    let sampler = LuminanceSampler::new(frame);
    let reach = REACH * (quad.width() + quad.height()) / 2.0;
    let mut n_moved = 0;
    let sides = [0, 1, 2, 3].map(|i| {
        let (a, b) = (quad.0[i], quad.0[(i + 1) % 4]);
        match edge_near(&sampler, a, b, reach) {
            Some(line) => {
                n_moved += 1;
                line
            }
            None => Line::through(a, b),
        }
    });
    let mut snapped = *quad;
    for (i, corner) in snapped.0.iter_mut().enumerate() {
        match sides[(i + 3) % 4].meet(sides[i]) {
            Some(p) if p.distance(*corner) <= 2.0 * reach => *corner = p,
            // An odd line: leave everything to the net.
            _ => return (*quad, 0),
        }
    }
    (snapped, n_moved)
}

/// The line of the clearest edge near the side from `a` to `b`, if there is one.
fn edge_near(sampler: &LuminanceSampler<'_>, a: Point, b: Point, reach: f32) -> Option<Line> {
    let length = a.distance(b);
    if length < 16.0 || reach < 2.0 {
        return None;
    }
    let along = Point::new((b.x - a.x) / length, (b.y - a.y) / length);
    let across = Point::new(-along.y, along.x);
    let step = reach / N_STEPS as f32;
    let mut edges = [None; N_PLACES];
    for (i, edge) in edges.iter_mut().enumerate() {
        let share = PLACES.0 + (PLACES.1 - PLACES.0) * i as f32 / (N_PLACES - 1) as f32;
        let (x, y) = (
            a.x + along.x * length * share,
            a.y + along.y * length * share,
        );
        let mut profile = [0.0f32; 2 * N_STEPS + 1];
        for (k, p) in profile.iter_mut().enumerate() {
            let d = (k as f32 - N_STEPS as f32) * step;
            *p = sampler.at(x + across.x * d, y + across.y * d);
        }
        *edge = strongest_edge(&profile).map(|offset| (share * length, offset));
    }
    consensus(&edges).map(|(start, slope)| {
        let at = |t: f32| {
            let offset = (start + slope * t) * step;
            Point::new(
                a.x + along.x * t + across.x * offset,
                a.y + along.y * t + across.y * offset,
            )
        };
        Line::through(at(0.0), at(length))
    })
}

/// Offset in steps from the middle of the profile.
fn strongest_edge(profile: &[f32; 2 * N_STEPS + 1]) -> Option<f32> {
    let mut best = (LEAST_EDGE, None);
    for k in BAND..=profile.len() - BAND {
        let before: f32 = profile[k - BAND..k].iter().sum();
        let after: f32 = profile[k..k + BAND].iter().sum();
        let offset = k as f32 - 0.5 - N_STEPS as f32;
        // The net is rarely far off: an edge at the end of the reach has to be nearly twice as strong.
        let far = (offset / N_STEPS as f32).powi(2);
        let strength = (after - before).abs() / BAND as f32 * (1.0 - 0.45 * far);
        if strength > best.0 {
            best = (strength, Some(offset));
        }
    }
    best.1
}

/// The line `offset = start + slope * t` that most places follow.
fn consensus(edges: &[Option<(f32, f32)>; N_PLACES]) -> Option<(f32, f32)> {
    let follows = |(start, slope): (f32, f32), (t, offset): (f32, f32)| {
        (start + slope * t - offset).abs() <= FOLLOWS_WITHIN
    };
    let mut best = (0usize, None);
    for (i, first) in edges.iter().enumerate() {
        for second in edges.iter().skip(i + N_PLACES / 5) {
            let (Some(p), Some(q)) = (first, second) else {
                continue;
            };
            let slope = (q.1 - p.1) / (q.0 - p.0);
            let line = (p.1 - slope * p.0, slope);
            let n = edges
                .iter()
                .flatten()
                .filter(|e| follows(line, **e))
                .count();
            if n > best.0 {
                best = (n, Some(line));
            }
        }
    }
    let line = best.1?;
    if (best.0 as f32) < LEAST_FOLLOWERS * N_PLACES as f32 {
        return None;
    }
    // Least squares over the followers.
    let (mut n, mut st, mut so, mut stt, mut sto) = (0.0f64, 0.0, 0.0, 0.0, 0.0);
    for (t, o) in edges.iter().flatten().filter(|e| follows(line, **e)) {
        let (t, o) = (f64::from(*t), f64::from(*o));
        n += 1.0;
        st += t;
        so += o;
        stt += t * t;
        sto += t * o;
    }
    let det = n * stt - st * st;
    if det.abs() < 1e-6 {
        return Some(line);
    }
    let slope = (n * sto - st * so) / det;
    Some((((so - slope * st) / n) as f32, slope as f32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::frame::{Frame, PixelFormat};

    /// A light quadrilateral on a dark ground, with a dark line printed inside near its lower side.
    fn picture(truth: &Quad) -> Frame {
        let mut frame = Frame::new(640, 480, PixelFormat::Grey8);
        let inside = |x: f32, y: f32, inset: f32| {
            (0..4).all(|i| {
                let (a, b) = (truth.0[i], truth.0[(i + 1) % 4]);
                let cross = (b.x - a.x) * (y - a.y) - (b.y - a.y) * (x - a.x);
                cross / a.distance(b) > inset
            })
        };
        for (i, p) in frame.data_mut().iter_mut().enumerate() {
            let (x, y) = ((i % 640) as f32 + 0.5, (i / 640) as f32 + 0.5);
            let texture = ((i * 2_654_435_761) >> 7) % 9;
            *p = match (inside(x, y, 0.0), inside(x, y, 9.0), inside(x, y, 11.0)) {
                (false, ..) => 60 + texture as u8,
                (true, true, false) => 140,
                _ => 180 + texture as u8,
            };
        }
        frame
    }

    fn quad(p: [(f32, f32); 4]) -> Quad {
        Quad(p.map(|(x, y)| Point::new(x, y)))
    }

    #[test]
    fn sides_come_to_lie_on_the_edges() {
        let truth = quad([
            (120.0, 90.0),
            (520.0, 110.0),
            (505.0, 380.0),
            (100.0, 350.0),
        ]);
        let frame = picture(&truth);
        for shift in [(0.0, 0.0), (6.0, -5.0), (-7.0, 6.0)] {
            let mut near = truth;
            for (i, p) in near.0.iter_mut().enumerate() {
                let sign = if i % 2 == 0 { 1.0 } else { -0.6 };
                *p = Point::new(p.x + shift.0 * sign, p.y + shift.1 * sign);
            }
            let (snapped, n_moved) = snap(&frame.view(), &near);
            assert_eq!(n_moved, 4);
            for (p, t) in snapped.0.iter().zip(truth.0) {
                assert!(p.distance(t) < 1.0, "{shift:?}: {p:?} {t:?}");
            }
        }
    }

    #[test]
    fn without_edges_the_net_is_believed() {
        let frame = Frame::new(640, 480, PixelFormat::Grey8);
        let somewhere = quad([
            (120.0, 90.0),
            (520.0, 110.0),
            (505.0, 380.0),
            (100.0, 350.0),
        ]);
        assert_eq!(snap(&frame.view(), &somewhere), (somewhere, 0));
        let point = Quad::default();
        assert_eq!(snap(&frame.view(), &point), (point, 0));
    }
}
