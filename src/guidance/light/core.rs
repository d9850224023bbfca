//! From wanted levels to levels: ramp, thermal limit, flash limit. Pure.

use super::flash::Counter;
use super::thermal::Thermal;
use crate::base::time::Moment;
use crate::hal::{LightLevels, SideLevel};

/// Longest time that one step counts as for brightening, seconds: after a late tick the light goes on from where it was, without
/// a jump. Dimming counts the whole time, so that a late tick cannot keep the thermal limit from acting.
const LONGEST_STEP_S: f32 = 0.1;

/// Limits that hold whoever asks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LightLimits {
    /// Steepest change of a level, full scales per second: 1..=20.
    pub ramp_per_s: f32,
    /// Highest mean power over a minute, share of full power: 0.05..=1.
    pub mean_power: f32,
}

impl Default for LightLimits {
    fn default() -> Self {
        Self {
            ramp_per_s: 6.0,
            mean_power: 0.35,
        }
    }
}

/// Number of signals that are watched: four colours of two sides, each side's luminance, and both sides' together.
pub(super) const SIGNALS: usize = 11;

/// All levels as an array: white, red, green, blue of the left, then of the right side.
fn channels(levels: LightLevels) -> [f32; 8] {
    let (l, r) = (levels.left, levels.right);
    [
        l.white, l.red, l.green, l.blue, r.white, r.red, r.green, r.blue,
    ]
}

fn from_channels(c: [f32; 8]) -> LightLevels {
    let side = |c: &[f32]| SideLevel {
        white: c[0],
        red: c[1],
        green: c[2],
        blue: c[3],
    };
    LightLevels {
        left: side(&c[..4]),
        right: side(&c[4..]),
    }
}

/// Every watched signal. The luminance of a side weighs its colours as sRGB does (IEC 61966-2-1); full white counts as 1, and
/// sums are not scaled down, which is stricter than a share of the largest possible luminance.
pub(super) fn signals(levels: LightLevels) -> [f32; SIGNALS] {
    let side = |s: SideLevel| s.white + 0.2126 * s.red + 0.7152 * s.green + 0.0722 * s.blue;
    let (left, right) = (side(levels.left), side(levels.right));
    let mut all = [0.0; SIGNALS];
    all[..8].copy_from_slice(&channels(levels));
    all[8..].copy_from_slice(&[left, right, left + right]);
    all
}

fn power(levels: LightLevels) -> f32 {
    f32::midpoint(levels.left.power(), levels.right.power())
}

/// Shortens what rises on the way from `here` to `target` so that the power stays within `allowed`: what falls may be held up by
/// the other limits, and must not be on together with what replaces it.
fn limit_rises(here: [f32; 8], target: [f32; 8], allowed: f32) -> [f32; 8] {
    let fallen: [f32; 8] = std::array::from_fn(|i| here[i].min(target[i]));
    let rises: [f32; 8] = std::array::from_fn(|i| target[i] - fallen[i]);
    let (base, more) = (power(from_channels(fallen)), power(from_channels(rises)));
    if base + more <= allowed {
        return target;
    }
    let share = ((allowed - base) / more.max(f32::MIN_POSITIVE)).clamp(0.0, 1.0);
    std::array::from_fn(|i| fallen[i] + rises[i] * share)
}

/// The state of the light.
#[derive(Clone, Debug)]
pub struct LightCore {
    limits: LightLimits,
    levels: LightLevels,
    last: Option<Moment>,
    counters: [Counter; SIGNALS],
    thermal: Thermal,
}

impl LightCore {
    /// A light that is off and cool.
    pub fn new(limits: LightLimits) -> Self {
        Self {
            limits,
            levels: LightLevels::OFF,
            last: None,
            counters: std::array::from_fn(|_| Counter::new(0.0)),
            thermal: Thermal::new(limits.mean_power),
        }
    }

    /// The levels in effect.
    pub fn levels(&self) -> LightLevels {
        self.levels
    }

    /// Mean power, share of full power.
    pub fn mean_power(&self) -> f32 {
        self.thermal.mean()
    }

    /// The levels at `now`, nearer to `wanted` than before as far as the limits allow. The first step changes nothing: it starts
    /// the clock.
    pub fn step(&mut self, now: Moment, wanted: LightLevels) -> LightLevels {
        let dt_s = self.pass(now);
        let mut target = channels(wanted.clamped());
        let asked = power(wanted.clamped());
        let allowed = self.thermal.allowed();
        if asked > allowed {
            target = target.map(|level| level * allowed / asked);
        }
        let here = channels(self.levels);
        let rise = self.limits.ramp_per_s * dt_s.min(LONGEST_STEP_S);
        let fall = self.limits.ramp_per_s * dt_s;
        for i in 0..target.len() {
            let (low, high) = self.counters[i].allowed(now);
            let aim = target[i].clamp(here[i] - fall, here[i] + rise);
            // In this order: a range that rounding has made empty must not panic, and the present level is always allowed.
            target[i] = aim.min(high.max(here[i])).max(low.min(here[i]));
        }
        let target = limit_rises(here, target, allowed);
        let share = self.share_allowed(now, from_channels(target));
        let mut next = here;
        for i in 0..next.len() {
            next[i] = (here[i] + (target[i] - here[i]) * share).clamp(0.0, 1.0);
        }
        self.set(now, from_channels(next))
    }

    /// Everything off at once: stopping is never delayed. It adds at most one change before the next turn is counted again, so
    /// that six turns and seven changes, three flashes and a half, are the most that any second sees.
    pub fn off(&mut self, now: Moment) -> LightLevels {
        self.pass(now);
        self.set(now, LightLevels::OFF)
    }

    /// Counts the time since the last step towards the mean power; seconds.
    fn pass(&mut self, now: Moment) -> f32 {
        let dt_s = self.last.map_or(0.0, |last| now.since(last).as_secs_f32());
        self.last = Some(self.last.map_or(now, |last| last.max(now)));
        self.thermal.spend(power(self.levels), dt_s);
        dt_s
    }

    fn set(&mut self, now: Moment, levels: LightLevels) -> LightLevels {
        let at = self.last.map_or(now, |last| last.max(now));
        for (counter, value) in self.counters.iter_mut().zip(signals(levels)) {
            counter.follow(at, value);
        }
        self.levels = levels;
        levels
    }

    /// How much of the way to `target` no signal forbids, 0..=1. All signals are linear in the levels, so that what the end of the
    /// way keeps, the way keeps.
    fn share_allowed(&mut self, now: Moment, target: LightLevels) -> f32 {
        let (here, there) = (signals(self.levels), signals(target));
        let mut share: f32 = 1.0;
        for ((counter, here), there) in self.counters.iter_mut().zip(here).zip(there) {
            let (low, high) = counter.allowed(now);
            let way = there - here;
            let room = if way > 0.0 { high - here } else { here - low };
            if room < way.abs() {
                share = share.min((room / way.abs()).clamp(0.0, 1.0));
            }
        }
        share
    }
}
