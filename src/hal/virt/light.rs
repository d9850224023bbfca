//! Light transport: how much light of the room and of the ring reaches a surface, and what a laminate mirrors.
//!
//! Points in millimetres, the camera at the origin: x right, y down, z the distance from the camera. Normals: x right,
//! y down, z towards the camera. Light in lux for each of the camera's three channels; neutral light has the same in all.

use super::scene::Ambient;
use crate::hal::light::SideLevel;

/// Focal length in pixels of a picture 1280 wide: 60 degrees from left to right.
pub(super) const FOCAL_PX: f32 = 1108.0;
/// Distance between the pupils of an adult in millimetres.
pub(super) const INTER_EYE_MM: f32 = 63.0;
/// How far the background is.
pub(super) const WALL_MM: f32 = 2200.0;

/// Each side of the ring as three lamps beside the camera (half a ring is not a point), for the left side.
const LAMPS_MM: [[f32; 2]; 3] = [[-150.0, -110.0], [-185.0, 0.0], [-150.0, 110.0]];
/// The lamps are turned to a point so far in front of the camera: where faces are.
const AIM_MM: f32 = 650.0;
/// A lens of 66 degrees before each lamp: half the light at 33 degrees from its axis, cos^4.
const BEAM_EXPONENT: i32 = 4;
/// Exponent of the mirrored lobe of a laminate (Blinn 1977).
const GLOSS_EXPONENT: i32 = 400;

/// What reaches one point, as weights: room from the left and right, ring's left and right side.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Weights {
    /// Of the ambient illuminance left and right.
    pub(super) ambient: [f32; 2],
    /// Of the illuminance that a side gives 600 mm in front of it.
    pub(super) ring: [f32; 2],
    /// Mirrored luminance over scattered luminance of a white surface, for a gloss of 1.
    pub(super) mirror: [f32; 2],
}

/// Weights of the light at `point` with `normal`; the mirrored part only if `glossy`.
pub(super) fn weights(point: [f32; 3], normal: [f32; 3], glossy: bool) -> Weights {
    let [x, y, z] = point;
    let [nx, ny, nz] = normal;
    // Light of a room comes from everywhere, more from above; left and right differ by their windows.
    let above = (0.95 - 0.22 * ny) * (0.72 + 0.28 * nz.max(0.0));
    let right = (0.5 + 0.5 * nx).clamp(0.0, 1.0);
    let mut all = Weights {
        ambient: [above * (1.0 - right), above * right],
        ..Weights::default()
    };
    let to_eye = normalised([-x, -y, z]);
    for side in 0..2 {
        let mirror_x = if side == 0 { 1.0 } else { -1.0 };
        for lamp in LAMPS_MM {
            let way = [lamp[0] * mirror_x - x, lamp[1] - y, z];
            let distance = dot(way, way).sqrt().max(50.0);
            let way = way.map(|c| c / distance);
            let aim = normalised([-lamp[0] * mirror_x, -lamp[1], AIM_MM]);
            let beam = dot([-way[0], -way[1], way[2]], aim)
                .max(0.0)
                .powi(BEAM_EXPONENT);
            let arrives = (600.0 / distance).powi(2) * beam / LAMPS_MM.len() as f32;
            let lit = arrives * dot(way, normal).max(0.0);
            all.ring[side] += lit;
            if glossy {
                let half = normalised([way[0] + to_eye[0], way[1] + to_eye[1], way[2] + to_eye[2]]);
                let norm = (GLOSS_EXPONENT + 8) as f32 / 8.0;
                all.mirror[side] += lit * norm * dot(half, normal).max(0.0).powi(GLOSS_EXPONENT);
            }
        }
    }
    all
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn normalised(v: [f32; 3]) -> [f32; 3] {
    let length = dot(v, v).sqrt().max(1e-6);
    v.map(|c| c / length)
}

/// A side's light in lux 600 mm in front of it, as the camera's channels see it: coloured lamps are narrow, filters are not.
pub(super) fn side_lux(level: SideLevel, full_white_lux: f32) -> [f32; 3] {
    let SideLevel {
        white,
        red,
        green,
        blue,
    } = level.clamped();
    [
        white + 0.92 * red + 0.05 * green + 0.01 * blue,
        white + 0.06 * red + 0.90 * green + 0.07 * blue,
        white + 0.01 * red + 0.08 * green + 0.95 * blue,
    ]
    .map(|c| c * full_white_lux)
}

/// Colour of a black body at `kelvin` in the camera's channels, 1 on average in luminance, white at 5000 K: Planck's law at 610, 550 and 465 nm.
pub(super) fn colour_of(kelvin: f32) -> [f32; 3] {
    let planck = |nm: f32, t: f32| ((1.438_776_9e7 / (nm * t)).exp() - 1.0).recip();
    let raw = [610.0, 550.0, 465.0].map(|nm| planck(nm, kelvin) / planck(nm, 5000.0));
    let luminance = 0.2126 * raw[0] + 0.7152 * raw[1] + 0.0722 * raw[2];
    raw.map(|c| c / luminance)
}

/// Mean of the flickering light, 1 on average, over an exposure of `exposure_s` that begins at `start_s`.
pub(super) fn flicker(ambient: &Ambient, start_s: f64, exposure_s: f64) -> f32 {
    let hz = f64::from(ambient.flicker_hz);
    if hz <= 0.0 || ambient.flicker_depth <= 0.0 {
        return 1.0;
    }
    let half = std::f64::consts::PI * hz * exposure_s;
    let smear = if half > 1e-9 { half.sin() / half } else { 1.0 };
    let turns = (hz * (start_s + exposure_s / 2.0)).fract();
    (1.0 + f64::from(ambient.flicker_depth) * smear * (std::f64::consts::TAU * turns).cos()) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn light_falls_off_and_turns_away() {
        let front = |z| weights([0.0, 0.0, z], [0.0, 0.0, 1.0], false).ring;
        assert!(front(400.0)[0] > 1.5 * front(800.0)[0]);
        assert_eq!(front(600.0)[0], front(600.0)[1]);
        let left_cheek = weights([0.0, 0.0, 700.0], [-0.7, 0.0, 0.714], false);
        assert!(
            left_cheek.ring[0] > 1.4 * left_cheek.ring[1],
            "{left_cheek:?}"
        );
        assert!(left_cheek.ambient[0] > 3.0 * left_cheek.ambient[1]);
        assert_eq!(
            weights([0.0, 0.0, 700.0], [0.0, 0.0, -1.0], false).ring,
            [0.0, 0.0]
        );
    }

    #[test]
    fn a_laminate_mirrors_where_the_angles_are_equal() {
        let mirror = |x| weights([x, 0.0, 200.0], [0.0, 0.0, 1.0], true).mirror[0];
        assert!(
            mirror(-90.0) > 20.0 * mirror(0.0),
            "{} {}",
            mirror(-90.0),
            mirror(0.0)
        );
    }

    #[test]
    fn a_long_exposure_averages_flicker() {
        let ambient = Ambient {
            flicker_hz: 100.0,
            flicker_depth: 0.5,
            ..Ambient::default()
        };
        let spread = |exposure_s: f64| {
            let all: Vec<f32> = (0..50)
                .map(|i| flicker(&ambient, f64::from(i) * 0.001, exposure_s))
                .collect();
            all.iter().copied().fold(0.0, f32::max) - all.iter().copied().fold(9.0, f32::min)
        };
        assert!(
            spread(0.0005) > 0.9 && spread(0.010) < 0.001,
            "{} {}",
            spread(0.0005),
            spread(0.010)
        );
    }

    #[test]
    fn colours_are_warm_and_cold() {
        let (warm, white, cold) = (colour_of(2800.0), colour_of(5000.0), colour_of(8000.0));
        assert!(
            warm[0] > 1.2 && warm[2] < 0.6 && cold[2] > 1.2,
            "{warm:?} {cold:?}"
        );
        assert!(white.iter().all(|c| (c - 1.0).abs() < 1e-3), "{white:?}");
        let red = side_lux(
            SideLevel {
                red: 1.0,
                ..SideLevel::default()
            },
            100.0,
        );
        assert!(red[0] > 10.0 * red[1] && red[1] > red[2]);
    }
}
