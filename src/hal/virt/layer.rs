//! The person's layer at the size in which it is seen, with its light.

use super::light::{FOCAL_PX, INTER_EYE_MM, weights};
use super::pictures::{PersonPicture, normal_of, unpack};
use super::render::{Expanded, Lit};

/// Pixels between two points at which the light is worked out; in between it is interpolated.
const STEP: usize = 4;
/// Rows beyond the lower edge of the frame that are kept, for a person who moves up.
const SPARE_ROWS: usize = 80;

/// How a head is held and looks, made from a picture that looks straight ahead with open eyes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Look {
    /// How far it is turned to the right of the picture, in degrees.
    pub(super) turn_deg: f32,
    /// The eyes are closed.
    pub(super) eyes_closed: bool,
}

/// Radius of the cylinder that a head is taken for, in distances between the eyes: half the width of a head (ISO 7250: 154 mm to 63 mm).
const HEAD_RADIUS: f32 = 1.22;
/// From the eyes' line down to where a turned head goes over into the neck, and up to where the hair ends, likewise.
const HEAD_DOWN: f32 = 1.9;

impl Look {
    /// Where in the picture that is found which the turned head shows at (`u`, `v`): its front is a cylinder about the vertical axis.
    fn turned(self, picture: &PersonPicture, u: f32, v: f32) -> (f32, f32) {
        if self.turn_deg == 0.0 {
            return (u, v);
        }
        let unit = picture.inter_eye_px;
        let x = (u - picture.eye_mid[0]) / (unit * HEAD_RADIUS);
        let down = (v - picture.eye_mid[1]) / unit;
        // Below the chin the neck follows less and less, the shoulders not at all.
        let share = (1.0 - (down - HEAD_DOWN + 0.7) / 0.7).clamp(0.0, 1.0);
        let turn = self.turn_deg.to_radians() * share;
        let edge = turn.cos();
        let from = if x.abs() < 1.0 {
            (x.asin() - turn).sin()
        } else if x.abs() < 2.0 {
            // Beside the head the picture is drawn out, so that nothing tears.
            x.signum() * (edge + (x.abs() - 1.0) * (2.0 - edge))
        } else {
            x
        };
        (picture.eye_mid[0] + from * unit * HEAD_RADIUS, v)
    }

    /// The texel that is seen at (`u`, `v`).
    fn sample(self, picture: &PersonPicture, u: f32, v: f32) -> [f32; 4] {
        let (u, v) = self.turned(picture, u, v);
        if !self.eyes_closed {
            return picture.sample(u, v);
        }
        let unit = picture.inter_eye_px;
        let [mid_x, mid_y] = picture.eye_mid;
        for side in [-0.5, 0.5] {
            let across = (u - mid_x - side * unit) / (0.25 * unit);
            let half = 0.12 * unit * (1.0 - across * across).max(0.0).sqrt();
            let down = v - mid_y;
            if across.abs() < 1.0 && down.abs() < half {
                // A lid: the skin above and below the eye, and the line of the lashes where they meet.
                let upper = picture.sample(u, mid_y - half - 0.02 * unit);
                let under = picture.sample(u, mid_y + half + 0.02 * unit);
                let t = (down / half + 1.0) / 2.0;
                let lashes = 1.0 - 0.6 * (-((t - 0.72) / 0.09).powi(2)).exp();
                return std::array::from_fn(|i| {
                    let skin = upper[i] + (under[i] - upper[i]) * t;
                    if i < 3 { skin * lashes } else { skin }
                });
            }
        }
        picture.sample(u, v)
    }
}

/// A person scaled to one distance.
pub(super) struct PersonLayer {
    pub(super) inter_eye_px: f32,
    pub(super) look: Look,
    width: usize,
    height: usize,
    /// Premultiplied red, green, blue and alpha, 65535 = 1.
    planes: [Vec<u16>; 4],
    /// First and one past the last column that is not transparent, per row.
    extents: Vec<(usize, usize)>,
    /// Middle between the eyes in the layer.
    eye: [f32; 2],
    nodes_wide: usize,
    /// Weights of ambient left and right, ring left and right.
    nodes: Vec<[f32; 4]>,
    /// Light at the nodes for this frame, red, green, blue.
    lit: [Vec<f32>; 3],
    row: [Vec<f32>; 4],
    node_row: Vec<f32>,
    light_row: [Vec<f32>; 3],
}

impl PersonLayer {
    /// Scales `picture` so that the eyes are `inter_eye_px` apart, for a frame with the eyes at (`eye_x`, `eye_y`).
    pub(super) fn new(
        picture: &PersonPicture,
        inter_eye_px: f32,
        look: Look,
        eye_at: [f32; 2],
        frame: (usize, usize),
    ) -> Self {
        let scale = inter_eye_px / picture.inter_eye_px;
        let eye = picture.eye_mid.map(|v| v * scale + 1.0);
        let below = frame.1 as f32 - eye_at[1] + eye[1];
        let width = (picture.width as f32 * scale) as usize + 2;
        let full = (picture.height as f32 * scale) as usize + 2;
        let height = full.min(below.max(8.0) as usize + SPARE_ROWS);
        let mut planes: [Vec<u16>; 4] = std::array::from_fn(|_| vec![0; width * height]);
        let mut extents = vec![(0, 0); height];
        // A picture that gets much smaller is averaged, not just sampled.
        let taps = (0.7 / scale).ceil().max(1.0) as usize;
        for y in 1..height.min(full - 1) {
            let mut seen: Option<(usize, usize)> = None;
            for x in 1..width - 1 {
                let mut texel = [0.0_f32; 4];
                for tap in 0..taps * taps {
                    let offset = |t: usize| (t as f32 + 0.5) / taps as f32 - 1.0;
                    let u = (x as f32 + offset(tap % taps)) / scale - 0.5;
                    let v = (y as f32 + offset(tap / taps)) / scale - 0.5;
                    let sample = look.sample(picture, u, v);
                    for c in 0..4 {
                        texel[c] += sample[c] / (taps * taps) as f32;
                    }
                }
                if texel[3] > 0.002 {
                    seen = Some((seen.map_or(x, |s| s.0), x + 1));
                    for c in 0..4 {
                        planes[c][y * width + x] = (texel[c] * 65535.0) as u16;
                    }
                }
            }
            extents[y] = seen.unwrap_or((0, 0));
        }
        let (nodes_wide, nodes_high) = (width / STEP + 2, height / STEP + 2);
        let zoom = frame.0 as f32 / 1280.0;
        let distance = FOCAL_PX * zoom * INTER_EYE_MM / inter_eye_px;
        let mm = distance / (FOCAL_PX * zoom);
        let mut nodes = Vec::with_capacity(nodes_wide * nodes_high);
        for j in 0..nodes_high {
            for i in 0..nodes_wide {
                let (x, y) = ((i * STEP) as f32, (j * STEP) as f32);
                let (u, v) = look.turned(picture, (x - 1.0) / scale, (y - 1.0) / scale);
                let normal = picture.normal(u, v);
                let point = [
                    (eye_at[0] - eye[0] + x - frame.0 as f32 / 2.0) * mm,
                    (eye_at[1] - eye[1] + y - frame.1 as f32 / 2.0) * mm,
                    distance,
                ];
                let w = weights(point, normal, false);
                nodes.push([w.ambient[0], w.ambient[1], w.ring[0], w.ring[1]]);
            }
        }
        Self {
            inter_eye_px,
            look,
            width,
            height,
            planes,
            extents,
            eye,
            nodes_wide,
            lit: std::array::from_fn(|_| vec![0.0; nodes.len()]),
            nodes,
            row: std::array::from_fn(|_| vec![0.0; width + 2]),
            node_row: vec![0.0; nodes_wide],
            light_row: std::array::from_fn(|_| vec![0.0; nodes_wide * STEP]),
        }
    }

    /// Works out the light of one frame; `eye_y` is where the eyes are, for the rows' flicker.
    pub(super) fn light(&mut self, light: &Lit, eye_y: f32) {
        let k = light.fill / std::f32::consts::PI / 65535.0;
        for (j, row) in self.nodes.chunks_exact(self.nodes_wide).enumerate() {
            let flicker = light.flicker_at(eye_y - self.eye[1] + (j * STEP) as f32);
            for c in 0..3 {
                let ambient = light.ambient.map(|a| a * light.colour[c] * flicker * k);
                let ring = light.ring.map(|r| r[c] * k);
                let out = &mut self.lit[c][j * self.nodes_wide..(j + 1) * self.nodes_wide];
                for (out, node) in out.iter_mut().zip(row) {
                    *out = node[0] * ambient[0]
                        + node[1] * ambient[1]
                        + node[2] * ring[0]
                        + node[3] * ring[1];
                }
            }
        }
    }

    /// Lays row `y` of the frame over `out`, with the eyes at (`eye_x`, `eye_y`).
    pub(super) fn blend(&mut self, y: usize, eye_at: [f32; 2], out: &mut [Vec<f32>; 3]) {
        let (left, top) = (eye_at[0] - self.eye[0], eye_at[1] - self.eye[1]);
        let (left_px, fx) = (left.floor(), left - left.floor());
        let (top_px, fy) = (top.floor(), top - top.floor());
        // The frame's pixel lies between two rows and two columns of the layer.
        let lower = y as i64 - top_px as i64;
        let Ok(lower) = usize::try_from(lower) else {
            return;
        };
        if lower < 1 || lower >= self.height {
            return;
        }
        let (a, b) = (self.extents[lower - 1], self.extents[lower]);
        let (from, to) = match (a.1 > a.0, b.1 > b.0) {
            (true, true) => (a.0.min(b.0), a.1.max(b.1)),
            (true, false) => a,
            (false, true) => b,
            (false, false) => return,
        };
        // Columns of the frame.
        let frame_w = out[0].len() as i64;
        let x0 = (left_px as i64 + from as i64).clamp(0, frame_w);
        let x1 = (left_px as i64 + to as i64 + 1).clamp(0, frame_w);
        if x1 <= x0 {
            return;
        }
        let (k0, n) = ((x0 - left_px as i64) as usize, (x1 - x0) as usize);
        let (k_from, k_to) = (k0 - 1, (k0 + n).min(self.width));
        for (plane, row) in self.planes.iter().zip(&mut self.row) {
            let upper = &plane[(lower - 1) * self.width..][k_from..k_to];
            let under = &plane[lower * self.width..][k_from..k_to];
            for ((r, a), b) in row.iter_mut().zip(upper).zip(under) {
                *r = f32::from(*a) * fy + f32::from(*b) * (1.0 - fy);
            }
            row[k_to - k_from..n + 1].fill(0.0);
        }
        let (j, t) = (lower / STEP, (lower % STEP) as f32 / STEP as f32);
        for c in 0..3 {
            let upper = &self.lit[c][j * self.nodes_wide..][..self.nodes_wide];
            let under = &self.lit[c][(j + 1) * self.nodes_wide..][..self.nodes_wide];
            for ((node, a), b) in self.node_row.iter_mut().zip(upper).zip(under) {
                *node = a + (b - a) * t;
            }
            Expanded::<STEP>::fill(&self.node_row, &mut self.light_row[c]);
        }
        let [red, green, blue, alpha] = &self.row;
        let x0 = x0 as usize;
        let alpha = (&alpha[..n], &alpha[1..=n]);
        for (c, colour) in [red, green, blue].into_iter().enumerate() {
            let colour = (&colour[..n], &colour[1..=n]);
            let light = &self.light_row[c][k0..];
            let light = &light[..n.min(light.len())];
            let out = &mut out[c][x0..x0 + light.len()];
            for (i, (out, light)) in out.iter_mut().zip(light).enumerate() {
                let a = (alpha.0[i] * fx + alpha.1[i] * (1.0 - fx)) * (1.0 / 65535.0);
                let c = colour.0[i] * fx + colour.1[i] * (1.0 - fx);
                *out = *out * (1.0 - a) + c * light;
            }
        }
    }
}

impl PersonPicture {
    /// The texel at (`u`, `v`), bilinear, transparent outside.
    fn sample(&self, u: f32, v: f32) -> [f32; 4] {
        let (x, y) = (u.floor(), v.floor());
        let (fx, fy) = (u - x, v - y);
        let get = |dx: i64, dy: i64| {
            let (x, y) = (x as i64 + dx, y as i64 + dy);
            let inside =
                (0..self.width as i64).contains(&x) && (0..self.height as i64).contains(&y);
            if inside {
                unpack(self.texels[y as usize * self.width + x as usize])
            } else {
                [0.0; 4]
            }
        };
        let (a, b, c, d) = (get(0, 0), get(1, 0), get(0, 1), get(1, 1));
        std::array::from_fn(|i| {
            (a[i] * (1.0 - fx) + b[i] * fx) * (1.0 - fy) + (c[i] * (1.0 - fx) + d[i] * fx) * fy
        })
    }

    /// The normal near (`u`, `v`): the mean of a few, since the light is worked out more coarsely than the map.
    fn normal(&self, u: f32, v: f32) -> [f32; 3] {
        let mut sum = [0.0_f32; 3];
        for (dx, dy) in [(0.0, 0.0), (-1.5, 0.0), (1.5, 0.0), (0.0, -1.5), (0.0, 1.5)] {
            let x = (u + dx).clamp(0.0, (self.width - 1) as f32) as usize;
            let y = (v + dy).clamp(0.0, (self.height - 1) as f32) as usize;
            for (s, n) in sum
                .iter_mut()
                .zip(normal_of(self.normals[y * self.width + x]))
            {
                *s += n;
            }
        }
        let length = sum.iter().map(|c| c * c).sum::<f32>().sqrt().max(0.1);
        sum.map(|c| c / length)
    }
}
