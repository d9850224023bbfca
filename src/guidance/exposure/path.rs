//! The path from the darkest to the brightest picture, measured in stops.
//!
//! | part | what moves | from | to |
//! |---|---|---|---|
//! | short | exposure | shortest | one half-period of the mains |
//! | light | white level | least | most of the recipe |
//! | long | exposure in whole half-periods, gain between them | one half-period | longest that a frame has room for |
//! | gain | gain | what is left of it | largest |

use crate::hal::{CameraControls, LightLevels};

/// The least white level as far as logarithms are concerned.
const FAINTEST: f32 = 0.02;

/// Most stops that one side may be brighter than the other.
const MOST_BALANCE: f32 = 6.0;

/// What the path is made from.
#[derive(Clone, Debug)]
pub struct PathLimits {
    /// Shortest and longest exposure in microseconds; `None`: cannot be set.
    pub exposure_us: Option<(u32, u32)>,
    /// Smallest and largest gain; `None`: cannot be set.
    pub gain: Option<(f32, f32)>,
    /// Time of a frame in microseconds.
    pub frame_us: f32,
    /// Half-period of the mains in microseconds.
    pub half_period_us: f32,
    /// Levels to begin with; the colours stay as they are.
    pub levels: LightLevels,
    /// Lowest and highest white level.
    pub white_range: (f32, f32),
}

/// The path. Positions are stops from its dark end.
#[derive(Clone, Debug)]
pub struct Path {
    shortest_us: f32,
    /// One half-period, or the nearest the camera can.
    nominal_us: f32,
    gain: (f32, f32),
    /// Whether long exposures are whole half-periods with gain between.
    is_stepped: bool,
    levels: LightLevels,
    white: (f32, f32),
    /// Share of the level at a position that the left and the right side get: a recipe may light from one side only.
    shares: (f32, f32),
    /// Ends of the parts short, light, long, gain.
    ends: [f32; 4],
}

impl Path {
    /// Lays the path out.
    pub fn new(limits: &PathLimits) -> Self {
        let half = limits.half_period_us;
        let (shortest, longest) = limits.exposure_us.map_or((half, half), |(a, b)| {
            let a = (a as f32).max(1.0);
            (a, (b as f32).min(limits.frame_us).max(a))
        });
        let nominal = half.clamp(shortest, longest);
        let (gain_min, gain_max) = limits
            .gain
            .map_or((1.0, 1.0), |(a, b)| (a.max(0.01), b.max(a).max(0.01)));
        // Between one and two half-periods the gain has to bridge a factor of two.
        let is_stepped = gain_max / gain_min >= 2.0 && nominal >= half;
        let longest_used = if is_stepped {
            (longest / half).floor().max(1.0) * half
        } else {
            longest
        };
        let white = (
            limits.white_range.0.max(0.0),
            limits.white_range.1.max(limits.white_range.0).min(1.0),
        );
        let (left, right) = (limits.levels.left.white, limits.levels.right.white);
        let shares = match left.max(right) {
            most if most > 0.0 => (left / most, right / most),
            _ => (1.0, 1.0),
        };
        let light = (white.1.max(FAINTEST) / white.0.max(FAINTEST)).log2();
        let short = (nominal / shortest).log2();
        let long = (longest_used.max(nominal) / nominal).log2();
        let ends = [
            short,
            short + light,
            short + light + long,
            short + light + long + (gain_max / gain_min).log2(),
        ];
        Self {
            shortest_us: shortest,
            nominal_us: nominal,
            gain: (gain_min, gain_max),
            is_stepped,
            levels: limits.levels,
            white,
            shares,
            ends,
        }
    }

    /// Where the levels to begin with lie, at one half-period.
    pub fn start(&self) -> f32 {
        let brighter = self.levels.left.white.max(self.levels.right.white);
        let share = (brighter - self.white.0) / (self.white.1 - self.white.0).max(1e-6);
        let light = 1.0 + share.clamp(0.0, 1.0) * ((self.ends[1] - self.ends[0]).exp2() - 1.0);
        self.ends[0] + light.log2()
    }

    /// How bright a picture is, in stops, with these controls and levels in a room whose light is worth as much as the whole ring at the level
    /// `room`. Only differences mean anything.
    pub fn brightness(&self, controls: CameraControls, levels: LightLevels, room: f32) -> f32 {
        let exposure = controls.exposure_us.max(1) as f32 / self.nominal_us;
        let gain = (controls.gain / self.gain.0).max(1e-3);
        let light = room + f32::midpoint(levels.left.white, levels.right.white);
        (exposure * gain * light.max(FAINTEST)).log2()
    }

    /// The same at a position.
    pub fn brightness_at(&self, position: f32, balance: f32, room: f32) -> f32 {
        self.brightness(
            self.controls(position),
            self.levels(position, balance),
            room,
        )
    }

    /// The position whose picture is as bright as that, or the end of the path that is nearest to it.
    pub fn find(&self, brightness: f32, balance: f32, room: f32) -> f32 {
        let (mut low, mut high) = (0.0, self.ends[3]);
        // To less than a thousandth of a stop on any path.
        for _ in 0..16 {
            let middle = f32::midpoint(low, high);
            if self.brightness_at(middle, balance, room) < brightness {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }

    /// Exposure and gain at a position.
    pub fn controls(&self, position: f32) -> CameraControls {
        let (gain_min, gain_max) = self.gain;
        let (exposure, gain) = if position < self.ends[0] {
            (self.shortest_us * position.max(0.0).exp2(), gain_min)
        } else if position <= self.ends[1] {
            (self.nominal_us, gain_min)
        } else {
            let long = self.ends[2] - self.ends[1];
            let factor = (position - self.ends[1]).exp2();
            // Rounding must not lose a whole half-period.
            let reached = factor.min(long.exp2());
            let exposure = if self.is_stepped {
                (reached + 1e-3).floor()
            } else {
                reached
            };
            (self.nominal_us * exposure, gain_min * factor / exposure)
        };
        CameraControls {
            exposure_us: exposure.round().clamp(1.0, 1e9) as u32,
            gain: gain.clamp(gain_min, gain_max),
        }
    }

    /// Light levels at a position; `balance` stops more on the left side (negative: on the right one). The darker half gets more
    /// first, and only when its side is at the end of its range does the other side get less.
    pub fn levels(&self, position: f32, balance: f32) -> LightLevels {
        let (least, most) = self.white;
        // From the least to the most without a jump, also from none at all.
        let factor = |p: f32| (p - self.ends[0]).exp2() - 1.0;
        let share =
            factor(position.clamp(self.ends[0], self.ends[1])) / factor(self.ends[1]).max(1e-6);
        let base = least + share * (most - least);
        let wanted = base.max(FAINTEST) * balance.abs().exp2();
        let (more, less) = if balance == 0.0 {
            (base, base)
        } else {
            (wanted.min(most), (base * (most / wanted).min(1.0)))
        };
        let (left, right) = if balance > 0.0 {
            (more, less)
        } else {
            (less, more)
        };
        let mut levels = self.levels;
        levels.left.white = left.clamp(least, most) * self.shares.0;
        levels.right.white = right.clamp(least, most) * self.shares.1;
        levels
    }

    /// The balance, in stops of the ring, that makes one half of what is lit `stops` brighter at a position, in a room of that level.
    pub fn balance_for(&self, stops: f32, position: f32, room: f32) -> f32 {
        let levels = self.levels(position, 0.0);
        let base = f32::midpoint(levels.left.white, levels.right.white);
        let wanted = (room + base) * stops.abs().exp2() - room;
        stops.signum() * (wanted.max(FAINTEST) / base.max(FAINTEST)).log2().max(0.0)
    }

    /// A balance that the recipe's range has room for.
    pub fn clamp_balance(&self, balance: f32) -> f32 {
        let most = (self.ends[1] - self.ends[0]).min(MOST_BALANCE);
        balance.clamp(-most, most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(mains_hz: f32) -> Path {
        Path::new(&PathLimits {
            exposure_us: Some((100, 40_000)),
            gain: Some((1.0, 8.0)),
            frame_us: 33_333.0,
            half_period_us: 5e5 / mains_hz,
            levels: LightLevels::white(0.3),
            white_range: (0.1, 0.8),
        })
    }

    #[test]
    fn a_recipe_for_one_side_lights_one_side() {
        let white = |left: f32, right: f32| {
            let mut levels = LightLevels::white(left);
            levels.right.white = right;
            levels
        };
        let one_sided = Path::new(&PathLimits {
            exposure_us: Some((100, 40_000)),
            gain: Some((1.0, 8.0)),
            frame_us: 33_333.0,
            half_period_us: 10_000.0,
            levels: white(0.2, 0.0),
            white_range: (0.0, 0.4),
        });
        let begin = one_sided.levels(one_sided.start(), 0.0);
        assert!(
            (begin.left.white - 0.2).abs() < 1e-3 && begin.right.white == 0.0,
            "{begin:?}"
        );
        // Half of the light comes from twice the level of the one side.
        let usual = CameraControls {
            exposure_us: 10_000,
            gain: 1.0,
        };
        let like = |levels: LightLevels| {
            one_sided.find(one_sided.brightness(usual, levels, 0.0), 0.0, 0.0)
        };
        let same = like(white(0.1, 0.1));
        assert!((one_sided.levels(same, 0.0).left.white - 0.2).abs() < 1e-3);
        // Light beyond the range is given by the exposure.
        let strong = like(white(0.4, 0.4));
        assert!((one_sided.levels(strong, 0.0).left.white - 0.4).abs() < 1e-3);
        assert_eq!(one_sided.controls(strong).exposure_us, 20_000);
    }

    #[test]
    fn the_whole_path_grows_brighter_and_keeps_every_limit() {
        for mains_hz in [50.0, 60.0] {
            let path = path(mains_hz);
            let mut before = 0.0;
            for i in 0..=200_u8 {
                let position = path.ends[3] * f32::from(i) / 200.0;
                let (c, l) = (path.controls(position), path.levels(position, 0.0));
                let bright = c.exposure_us as f32 * c.gain * l.left.white;
                assert!(
                    bright >= before * 0.999,
                    "{position}: {bright} after {before}"
                );
                assert!((100..=33_333).contains(&c.exposure_us) && (1.0..=8.0).contains(&c.gain));
                assert!((0.1..=0.8).contains(&l.left.white) && l.left == l.right);
                before = bright;
            }
        }
    }

    #[test]
    fn exposures_from_one_half_period_up_are_whole_half_periods() {
        for (mains_hz, allowed) in [
            (50.0, [10_000, 20_000, 30_000]),
            (60.0, [8_333, 16_667, 25_000]),
        ] {
            let path = path(mains_hz);
            for i in 0..=100_u8 {
                let position = path.ends[0] + (path.ends[3] - path.ends[0]) * f32::from(i) / 100.0;
                let exposure = path.controls(position).exposure_us;
                assert!(allowed.contains(&exposure), "{exposure}");
            }
        }
    }

    #[test]
    fn what_is_as_bright_as_that_is_found_whatever_the_room_is() {
        let path = path(50.0);
        for room in [0.0, 0.1, 1.0, 10.0] {
            for balance in [0.0, 1.0, -2.5] {
                let at = |position: f32| path.brightness_at(position, balance, room);
                let ends = (at(0.0), at(path.ends[3]));
                for i in 0..=20_u8 {
                    let wanted = ends.0 + (ends.1 - ends.0) * f32::from(i) / 20.0;
                    let found = path.find(wanted, balance, room);
                    assert!(
                        (at(found) - wanted).abs() < 0.02,
                        "{room} {balance}: {wanted} is not {}",
                        at(found)
                    );
                }
                assert!(path.find(ends.0 - 3.0, balance, room) < 1e-3);
                assert!((path.find(ends.1 + 3.0, balance, room) - path.ends[3]).abs() < 1e-3);
            }
        }
    }

    #[test]
    fn a_camera_without_controls_leaves_only_the_light() {
        let path = Path::new(&PathLimits {
            exposure_us: None,
            gain: None,
            frame_us: 33_333.0,
            half_period_us: 10_000.0,
            levels: LightLevels::white(0.2),
            white_range: (0.0, 1.0),
        });
        assert_eq!(path.ends[0], 0.0);
        assert_eq!(path.ends[1], path.ends[3]);
        assert_eq!(path.levels(0.0, 0.0), LightLevels::white(0.0));
        assert!(path.levels(path.ends[3], 0.0).left.white > 0.999);
    }

    #[test]
    fn balance_adds_to_one_side_before_it_takes_from_the_other() {
        let path = path(50.0);
        let at = path.ends[0] + 1.0;
        let check = |balance: f32, left: f32, right: f32| {
            let l = path.levels(at, balance);
            assert!(
                (l.left.white - left).abs() < 1e-5 && (l.right.white - right).abs() < 1e-5,
                "{l:?}"
            );
        };
        check(0.0, 0.2, 0.2);
        check(1.0, 0.4, 0.2);
        check(-2.0, 0.2, 0.8);
        check(-3.0, 0.1, 0.8);
    }
}
