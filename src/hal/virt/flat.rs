//! A flat thing held before the camera: a plane in space, seen in perspective, lit as it is turned.

use super::light::{FOCAL_PX, weights};
use super::pictures::{Texel, Texture, unpack};
use super::pose::HeldPose;
use super::render::Lit;

/// Pixels between two points at which the light is worked out.
const STEP: usize = 16;

/// A texture with its plane, for one frame.
pub(super) struct Flat<'a> {
    texture: &'a Texture,
    /// From (x, y, 1) of the frame to (u, v, 1) of the texture, up to a factor.
    inverse: [[f32; 3]; 3],
    /// Corners in the frame, clockwise.
    corners: [[f32; 2]; 4],
    /// The first pixel of the light's grid.
    origin: [i64; 2],
    nodes_wide: usize,
    /// Scattered light (with a 0 for alpha) and mirrored light at the nodes.
    nodes: Vec<([f32; 4], [f32; 4])>,
    node_row: Vec<([f32; 4], [f32; 4])>,
    glow: f32,
    /// Where a pixel looks at the texture in the course of the exposure, in pixels of the frame from where it looks in the middle.
    taps: Vec<[f32; 2]>,
}

/// Size and place of a flat thing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    /// Width in millimetres.
    pub(super) width_mm: f32,
    /// Height over width.
    pub(super) aspect: f32,
    /// Width in pixels of a picture 1280 wide.
    pub(super) width_px: f32,
    /// Luminance of the screen's white, if it is one.
    pub(super) nits: f32,
}

impl<'a> Flat<'a> {
    /// Places `texture` before a camera of `frame` pixels.
    pub(super) fn new(
        texture: &'a Texture,
        held: Held,
        pose: &HeldPose,
        frame: (usize, usize),
        light: &Lit,
    ) -> Self {
        let zoom = frame.0 as f32 / 1280.0;
        let focal = FOCAL_PX * zoom;
        let middle = [frame.0 as f32 / 2.0, frame.1 as f32 / 2.0];
        let width_px = (held.width_px * pose.nearer * zoom).min(frame.0 as f32 * 1.3);
        let depth = focal * held.width_mm / width_px;
        let lift =
            (1.0 - pose.up) * (frame.1 as f32 / 2.0 + width_px * held.aspect / 2.0 + 40.0 * zoom);
        let at = [
            pose.position[0] * frame.0 as f32 + pose.shift_px[0] * zoom,
            pose.position[1] * frame.1 as f32 + pose.shift_px[1] * zoom + lift,
        ];
        let mm = depth / focal;
        let centre = [(at[0] - middle[0]) * mm, (at[1] - middle[1]) * mm, depth];
        let (right, down) = (
            turned([1.0, 0.0, 0.0], pose.tilt_deg),
            turned([0.0, 1.0, 0.0], pose.tilt_deg),
        );
        let away = cross(right, down);
        let normal = [-away[0], -away[1], away[2]];
        // Plane: centre + a right + b down. A ray (x, y, focal) meets it where (a, b, 1) ~ inverse of [right down centre] times the ray.
        let rays = inverse([right, down, centre]);
        let (inner_w, inner_h) = ((texture.width - 2) as f32, (texture.height - 2) as f32);
        let per_mm = [
            inner_w / held.width_mm,
            inner_h / (held.width_mm * held.aspect),
        ];
        let row = |r: [f32; 3]| {
            [
                r[0],
                r[1],
                r[2] * focal - r[0] * middle[0] - r[1] * middle[1],
            ]
        };
        let rays = rays.map(row);
        let scaled = |i: usize, size: f32| {
            let offset = size / 2.0 + 0.5;
            std::array::from_fn(|c| rays[i][c] * per_mm[i] + rays[2][c] * offset)
        };
        let inverse = [scaled(0, inner_w), scaled(1, inner_h), rays[2]];
        let half = [
            held.width_mm / 2.0 * (inner_w + 2.0) / inner_w,
            held.width_mm * held.aspect / 2.0 * (inner_h + 2.0) / inner_h,
        ];
        let corners = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)].map(|(a, b)| {
            let p: [f32; 3] =
                std::array::from_fn(|i| centre[i] + right[i] * a * half[0] + down[i] * b * half[1]);
            let z = p[2].max(20.0);
            [p[0] / z * focal + middle[0], p[1] / z * focal + middle[1]]
        });
        let edge = |i: usize, pick: fn(f32, f32) -> f32| {
            corners.iter().map(|c| c[i]).reduce(pick).unwrap_or(0.0)
        };
        let limit =
            |v: f32, size: usize| (v as i64).clamp(-(STEP as i64), size as i64 + STEP as i64);
        let origin = [
            limit(edge(0, f32::min), frame.0) - 1,
            limit(edge(1, f32::min), frame.1) - 1,
        ];
        let end = [
            limit(edge(0, f32::max), frame.0) + 2,
            limit(edge(1, f32::max), frame.1) + 2,
        ];
        let count = |i: usize| (end[i] - origin[i]) as usize / STEP + 2;
        let (nodes_wide, nodes_high) = (count(0), count(1));
        let mut nodes = Vec::with_capacity(nodes_wide * nodes_high);
        let k = light.fill / std::f32::consts::PI;
        for j in 0..nodes_high {
            let y = (origin[1] + (j * STEP) as i64) as f32;
            let flicker = light.flicker_at(y);
            for i in 0..nodes_wide {
                let x = (origin[0] + (i * STEP) as i64) as f32;
                let ray = [(x - middle[0]) / focal, (y - middle[1]) / focal, 1.0];
                let facing = dot(ray, away).max(0.05);
                let z = (dot(centre, away) / facing).clamp(depth * 0.5, depth * 2.0);
                let w = weights([ray[0] * z, ray[1] * z, z], normal, texture.gloss > 0.0);
                let (mut scattered, mut mirrored) = ([0.0; 4], [0.0; 4]);
                for c in 0..3 {
                    let ambient = (w.ambient[0] * light.ambient[0]
                        + w.ambient[1] * light.ambient[1])
                        * light.colour[c];
                    scattered[c] = k
                        * (ambient * flicker
                            + w.ring[0] * light.ring[0][c]
                            + w.ring[1] * light.ring[1][c]);
                    mirrored[c] = k
                        * texture.gloss
                        * (w.mirror[0] * light.ring[0][c] + w.mirror[1] * light.ring[1][c]);
                }
                nodes.push((scattered, mirrored));
            }
        }
        Self {
            texture,
            inverse,
            corners,
            origin,
            nodes_wide,
            nodes,
            node_row: vec![Default::default(); nodes_wide],
            glow: held.nits * light.fill,
            taps: taps(pose.moved_px.map(|px| px * zoom)),
        }
    }

    /// Lays row `y` of the frame over `out`.
    pub(super) fn blend(&mut self, y: usize, out: &mut [Vec<f32>; 3]) {
        let Some((x0, x1)) = self.span(y as f32, out[0].len()) else {
            return;
        };
        let rows_down = y as i64 - self.origin[1];
        let Ok(rows_down) = usize::try_from(rows_down) else {
            return;
        };
        let (j, t) = (rows_down / STEP, (rows_down % STEP) as f32 / STEP as f32);
        if (j + 2) * self.nodes_wide > self.nodes.len() {
            return;
        }
        let upper = &self.nodes[j * self.nodes_wide..][..self.nodes_wide];
        let under = &self.nodes[(j + 1) * self.nodes_wide..][..self.nodes_wide];
        for ((node, a), b) in self.node_row.iter_mut().zip(upper).zip(under) {
            *node = (mix(a.0, b.0, t), mix(a.1, b.1, t));
        }
        let (w, h) = (self.texture.width, self.texture.height);
        let line = self.inverse.map(|r| r[1] * y as f32 + r[2]);
        let (right, bottom) = (w as f32 - 1.001, h as f32 - 1.001);
        let texels = &self.texture.texels[..];
        let glows = !self.texture.glow.is_empty();
        let [red, green, blue] = out;
        let mut x = x0;
        while x < x1 {
            // One cell of the light's grid after the other.
            let across = (x as i64 - self.origin[0]).max(0) as usize;
            let (i, start) = (across / STEP, across % STEP);
            let stop = (x + STEP - start).min(x1);
            let (a, b) = (
                self.node_row[i],
                self.node_row[(i + 1).min(self.nodes_wide - 1)],
            );
            let step = 1.0 / STEP as f32;
            let slope = |a: [f32; 4], b: [f32; 4]| -> [f32; 4] {
                std::array::from_fn(|c| (b[c] - a[c]) * step)
            };
            let slopes = (slope(a.0, b.0), slope(a.1, b.1));
            let begin = |a: [f32; 4], s: [f32; 4]| -> [f32; 4] {
                std::array::from_fn(|c| a[c] + s[c] * start as f32)
            };
            let (mut scattered, mut mirrored) = (begin(a.0, slopes.0), begin(a.1, slopes.1));
            let cells = red[x..stop]
                .iter_mut()
                .zip(&mut green[x..stop])
                .zip(&mut blue[x..stop]);
            for (n, ((red, green), blue)) in cells.enumerate() {
                let xf = (x + n) as f32;
                let place = |dx: f32, dy: f32| {
                    let along = |i: usize| {
                        self.inverse[i][0] * (xf + dx) + self.inverse[i][1] * dy + line[i]
                    };
                    let depth = 1.0 / along(2);
                    let u = (along(0) * depth).clamp(0.0, right);
                    let v = (along(1) * depth).clamp(0.0, bottom);
                    let (iu, iv) = (u as i32, v as i32);
                    let at = iv as usize * w + iu as usize;
                    (at, u - iu as f32, v - iv as f32)
                };
                let (at, fu, fv) = place(0.0, 0.0);
                let texel = if self.taps.is_empty() {
                    bilinear(texels, at, w, fu, fv)
                } else {
                    let mut sum = [0.0_f32; 4];
                    for [dx, dy] in &self.taps {
                        let (at, fu, fv) = place(*dx, *dy);
                        let texel = bilinear(texels, at, w, fu, fv);
                        for (s, t) in sum.iter_mut().zip(texel) {
                            *s += t;
                        }
                    }
                    sum.map(|s| s / self.taps.len() as f32)
                };
                let alpha = texel[3];
                let mut light: [f32; 4] =
                    std::array::from_fn(|c| texel[c] * scattered[c] + alpha * mirrored[c]);
                if glows {
                    let glow = bilinear(&self.texture.glow, at, w, fu, fv);
                    light = std::array::from_fn(|c| light[c] + glow[c] * self.glow);
                }
                for c in 0..4 {
                    scattered[c] += slopes.0[c];
                    mirrored[c] += slopes.1[c];
                }
                let through = 1.0 - alpha;
                *red = *red * through + light[0];
                *green = *green * through + light[1];
                *blue = *blue * through + light[2];
            }
            x = stop;
        }
    }

    /// Columns of row `y` that the quadrilateral covers.
    fn span(&self, y: f32, width: usize) -> Option<(usize, usize)> {
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        for i in 0..4 {
            let (a, b) = (self.corners[i], self.corners[(i + 1) % 4]);
            if (a[1] - y) * (b[1] - y) <= 0.0 && a[1] != b[1] {
                let x = a[0] + (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]);
                low = low.min(x);
                high = high.max(x);
            }
        }
        let from = low.floor().clamp(0.0, width as f32) as usize;
        let to = (high.ceil() + 1.0).clamp(0.0, width as f32) as usize;
        (low <= high && from < to).then_some((from, to))
    }
}

/// Places along a movement of `moved` pixels about its middle, about one a pixel and at most nine; none for less than half a pixel.
fn taps(moved: [f32; 2]) -> Vec<[f32; 2]> {
    let length = moved[0].hypot(moved[1]);
    if length < 0.5 {
        return Vec::new();
    }
    let n = (length.ceil() as usize + 1).clamp(2, 9);
    let place = |i: usize| {
        let t = i as f32 / (n - 1) as f32 - 0.5;
        [moved[0] * t, moved[1] * t]
    };
    (0..n).map(place).collect()
}

#[inline(always)]
fn bilinear(texels: &[Texel], at: usize, width: usize, fu: f32, fv: f32) -> [f32; 4] {
    let (upper, under) = (&texels[at..at + 2], &texels[at + width..at + width + 2]);
    let upper = mix(unpack(upper[0]), unpack(upper[1]), fu);
    mix(upper, mix(unpack(under[0]), unpack(under[1]), fu), fv)
}

#[inline(always)]
fn mix(a: [f32; 4], b: [f32; 4], t: f32) -> [f32; 4] {
    std::array::from_fn(|i| a[i] + (b[i] - a[i]) * t)
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

/// Turns a direction: in the plane clockwise, right side away, top away (degrees, in the order [top, right, plane]).
fn turned(v: [f32; 3], tilt_deg: [f32; 3]) -> [f32; 3] {
    let [top, side, plane] = tilt_deg.map(|d| d.to_radians().sin_cos());
    let v = [
        v[0] * plane.1 - v[1] * plane.0,
        v[0] * plane.0 + v[1] * plane.1,
        v[2],
    ];
    let v = [
        v[0] * side.1 - v[2] * side.0,
        v[1],
        v[0] * side.0 + v[2] * side.1,
    ];
    [
        v[0],
        v[1] * top.1 + v[2] * top.0,
        v[2] * top.1 - v[1] * top.0,
    ]
}

/// Inverse of the matrix with these columns, up to a factor.
fn inverse(columns: [[f32; 3]; 3]) -> [[f32; 3]; 3] {
    let [a, b, c] = columns;
    [cross(b, c), cross(c, a), cross(a, b)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilt_turns_the_side_that_it_names() {
        assert!(
            turned([0.0, -1.0, 0.0], [20.0, 0.0, 0.0])[2] > 0.3,
            "top away"
        );
        assert!(
            turned([1.0, 0.0, 0.0], [0.0, 20.0, 0.0])[2] > 0.3,
            "right side away"
        );
        assert!(
            turned([1.0, 0.0, 0.0], [0.0, 0.0, 20.0])[1] > 0.3,
            "clockwise"
        );
    }

    #[test]
    fn the_rays_meet_the_plane() {
        let (right, down, centre) = (
            turned([1.0, 0.0, 0.0], [10.0, -7.0, 3.0]),
            turned([0.0, 1.0, 0.0], [10.0, -7.0, 3.0]),
            [5.0, -8.0, 300.0],
        );
        let point: [f32; 3] = std::array::from_fn(|i| centre[i] + 20.0 * right[i] - 30.0 * down[i]);
        let back = inverse([right, down, centre]).map(|r| dot(r, point));
        assert!(
            (back[0] / back[2] - 20.0).abs() < 0.01 && (back[1] / back[2] + 30.0).abs() < 0.01,
            "{back:?}"
        );
    }
}
