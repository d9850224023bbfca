//! The closed loop of light and exposure: from how bright the face or the document is in the picture, to light levels and camera
//! controls. Pure: it is told the time and what is in effect, and says what it wants.
//!
//! Everything that makes the picture brighter lies on one path ([`path::Path`]), in this order: exposure up to one half-period of the
//! mains, then white light within the recipe's range, then exposure in whole half-periods (lamps on the mains do not band then),
//! then gain. The loop moves one position along that path by the error in stops (log2 of linear luminance). Brightening and
//! dimming use the same path, so that two controls never work against each other.
//!
//! After each change the loop waits until the change is in effect and the camera's delay has passed; within the dead band it
//! stays still. Both keep it from pumping. Where light from elsewhere makes the own light less effective, the loop learns the
//! slope from its last step (secant) instead of taking many small ones.

mod flicker;
pub mod path;

use crate::base::time::Moment;
use crate::hal::{CameraControls, CameraInfo, LightLevels};
use flicker::Flicker;
use path::{Path, PathLimits};
use serde::Deserialize;
use std::time::Duration;

/// Error in stops within which the loop stays still.
const DEAD_BAND: f32 = 0.2;
/// Error in stops from which a settled loop starts again.
const RESTART_BAND: f32 = 0.4;
/// Difference of the two halves in stops within which they count as balanced.
const BALANCE_BAND: f32 = 0.6;
/// The same for halves that the ring can bring no nearer: most faces are not quite even in even light.
const LET_BE: f32 = 1.0;
/// A step of balance that changes the difference by less than this share of itself has no effect to speak of: the next one is larger.
const FUTILE: f32 = 0.05;
/// Share of the error that one step takes on.
const SHARE: f32 = 0.9;
/// The same for the difference of the halves: each side's light reaches the other half as well, so that more is needed.
const BALANCE_SHARE: f32 = 1.2;
/// Largest step in stops.
const LARGEST_STEP: f32 = 4.0;
/// Frames that a camera needs until its picture shows a change.
const DELAY_FRAMES: u32 = 3;
/// Longest wait for a change that does not come into effect (a thermal limit, a camera that clamps).
const LONGEST_WAIT: Duration = Duration::from_millis(500);
/// Share of bright pixels above which the mean says too little: the region is cut off at full scale.
const SATURATED: f32 = 0.25;
/// Share of bright pixels above which next to nothing is left of the region, and the steps that such a region asks for, in stops.
const BURNT_OUT: f32 = 0.6;
const SATURATED_STEP: f32 = -1.0;
const BURNT_OUT_STEP: f32 = -2.0;
/// Share of bright pixels above which nothing is made brighter.
const NEARLY_SATURATED: f32 = 0.08;
/// How long the loop remembers that a position saturated the region.
const CEILING_FOR: Duration = Duration::from_secs(3);

/// The `[exposure]` table of the board file.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExposureConfig {
    /// Frequency of the mains where the booth stands, Hz: 50 or 60.
    pub mains_hz: u32,
    /// Mean that a face should have, sRGB-coded share of full scale: 0.2..=0.8.
    pub face_mean: f32,
    /// Mean that a document should have, likewise.
    pub document_mean: f32,
}

impl Default for ExposureConfig {
    fn default() -> Self {
        Self {
            mains_hz: 50,
            face_mean: 0.52,
            document_mean: 0.58,
        }
    }
}

/// What is wrong with the `[exposure]` table.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ExposureConfigError {
    /// Not a frequency of the mains.
    #[error(
        "[exposure] mains_hz = {0}: must be 50 or 60, as the mains where the booth stands; in China and Europe 50"
    )]
    Mains(u32),
    /// A mean outside its range.
    #[error(
        "[exposure] {key} = {found}: must be 0.2 to 0.8 (share of full scale, sRGB-coded); leave it out for the default"
    )]
    Mean {
        /// Which.
        key: &'static str,
        /// The value found.
        found: f32,
    },
}

impl ExposureConfig {
    /// Checks every value.
    ///
    /// # Errors
    /// The first value that is out of its range.
    pub fn validate(self) -> Result<Self, ExposureConfigError> {
        if ![50, 60].contains(&self.mains_hz) {
            return Err(ExposureConfigError::Mains(self.mains_hz));
        }
        for (key, found) in [
            ("face_mean", self.face_mean),
            ("document_mean", self.document_mean),
        ] {
            if !(0.2..=0.8).contains(&found) {
                return Err(ExposureConfigError::Mean { key, found });
            }
        }
        Ok(self)
    }
}

/// What one frame showed, and what was in effect when it was taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measurement {
    /// When the frame was captured.
    pub at: Moment,
    /// Mean of the region (face or document), sRGB-coded, 0..=1.
    pub mean: f32,
    /// Means of the halves of a face that lie left and right in the frame; `None` where balance does not matter.
    pub halves: Option<(f32, f32)>,
    /// Share of the region's pixels that are at or near full scale, 0..=1.
    pub bright_share: f32,
    /// Exposure and gain in effect.
    pub controls: CameraControls,
    /// Light levels in effect: what `LightDriver::applied` said.
    pub levels: LightLevels,
}

/// What the loop wants, and how it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExposureAction {
    /// For the camera.
    pub controls: CameraControls,
    /// For the light driver.
    pub levels: LightLevels,
    /// The target is reached within the dead band.
    pub settled: bool,
    /// The target is not reached, and every control that could help is at its limit.
    pub at_limit: bool,
}

/// A change that is not yet seen.
#[derive(Clone, Copy, Debug)]
struct Wait {
    since: Moment,
    in_effect: Option<Moment>,
}

/// Where the last step began, to learn from it.
#[derive(Clone, Copy, Debug)]
struct LastStep {
    position: f32,
    luminance_log2: f32,
}

/// The loop. Make a new one for each step of a session, from that step's light recipe.
#[derive(Clone, Debug)]
pub struct ExposureLoop {
    path: Path,
    frame: Duration,
    position: f32,
    /// Stops by which the left side is brighter than the right one (negative: the right one).
    balance: f32,
    /// Measured effect of one stop of light, 0.2..=1.
    light_slope: f32,
    wait: Option<Wait>,
    /// When the first frame was looked at, and whether one has come that was taken with what the loop began with.
    seen_from: Option<Moment>,
    has_begun: bool,
    last: Option<LastStep>,
    /// Difference of the halves before the last step of balance, and that step.
    last_balance: Option<(f32, f32)>,
    /// A position that saturated the region, and when.
    ceiling: Option<(f32, Moment)>,
    flicker: Flicker,
    settled: bool,
    at_limit: bool,
}

impl ExposureLoop {
    /// A loop that begins with the recipe's `levels`, may move white within `white_range`, and knows the camera's limits.
    pub fn new(
        camera: &CameraInfo,
        mains_hz: u32,
        levels: LightLevels,
        white_range: (f32, f32),
    ) -> Self {
        let path = Path::new(&PathLimits {
            exposure_us: camera.exposure_us,
            gain: camera.gain,
            frame_us: 1e6 / camera.frames_per_s.max(1.0),
            half_period_us: 5e5 / mains_hz.max(1) as f32,
            levels,
            white_range,
        });
        Self {
            position: path.start(),
            path,
            frame: Duration::from_secs_f32(1.0 / camera.frames_per_s.max(1.0)),
            balance: 0.0,
            light_slope: 1.0,
            wait: None,
            seen_from: None,
            has_begun: false,
            last: None,
            last_balance: None,
            ceiling: None,
            flicker: Flicker::default(),
            settled: false,
            at_limit: false,
        }
    }

    /// The same loop, beginning where the picture is about as bright as with these controls and levels.
    #[must_use]
    pub fn like(mut self, controls: CameraControls, levels: LightLevels) -> Self {
        self.position = self.path.like(controls, levels);
        self
    }

    /// What the loop wants before it has seen a frame.
    pub fn begin(&self) -> ExposureAction {
        ExposureAction {
            controls: self.path.controls(self.position),
            levels: self.path.levels(self.position, self.balance),
            settled: self.settled,
            at_limit: self.at_limit,
        }
    }

    /// Looks at one frame; `target_mean` is sRGB-coded, 0..=1. What is not a number is ignored.
    pub fn step(&mut self, seen: &Measurement, target_mean: f32) -> ExposureAction {
        let from = *self.seen_from.get_or_insert(seen.at);
        if !self.has_begun {
            // What a frame shows that was taken with something else says nothing of where this loop begins.
            self.has_begun =
                is_in_effect(seen, &self.begin()) || seen.at.since(from) >= LONGEST_WAIT;
        }
        if !self.has_begun {
            return self.begin();
        }
        if seen.mean.is_finite() {
            self.flicker.see(seen, log2_luminance(seen.mean));
        }
        if self.is_waiting(seen) || !seen.mean.is_finite() || !target_mean.is_finite() {
            return self.begin();
        }
        self.wait = None;
        let Some(luminance_log2) = self.flicker.smooth(log2_luminance(seen.mean)) else {
            return self.begin();
        };
        self.learn_slope(luminance_log2);
        let error = self.error(seen, log2_luminance(target_mean) - luminance_log2);
        let difference = seen
            .halves
            .filter(|(l, r)| l.is_finite() && r.is_finite())
            .map_or(0.0, |(l, r)| log2_luminance(l) - log2_luminance(r));

        let band = if self.settled {
            RESTART_BAND
        } else {
            DEAD_BAND
        };
        let is_off = error.abs() > band;
        let is_lopsided = difference.abs() > BALANCE_BAND * if self.settled { 1.5 } else { 1.0 };
        let before = self.begin();
        let position_before = self.position;
        if is_off {
            let step = (SHARE * error).clamp(-LARGEST_STEP, LARGEST_STEP);
            self.position = self.path.walk(self.position, step, self.light_slope);
        }
        if is_lopsided {
            self.rebalance(difference, is_off);
        }
        let after = self.begin();
        let has_changed = after.controls != before.controls || after.levels != before.levels;
        let is_let_be = difference.abs() <= LET_BE && !has_changed;
        self.settled = !is_off && (!is_lopsided || is_let_be);
        self.at_limit = !self.settled && !has_changed;
        if has_changed {
            self.flicker.forget();
            self.wait = Some(Wait {
                since: seen.at,
                in_effect: None,
            });
            // A step that moved light from side to side, too, says nothing of what a stop of light does.
            self.last = (is_off && !is_lopsided).then_some(LastStep {
                position: position_before,
                luminance_log2,
            });
        }
        self.begin()
    }

    /// Takes a step against the difference of the halves, in stops: a larger one each time that the one before had no effect, as where the
    /// room is far brighter than the ring. A step that was taken together with one of brightness (`is_off`) says nothing of that.
    fn rebalance(&mut self, difference: f32, is_off: bool) {
        let mut step = -BALANCE_SHARE * difference;
        if let Some((before, last)) = self.last_balance
            && last * step > 0.0
            && (before - difference).abs() < FUTILE * last.abs()
        {
            step = 2.0 * last;
        }
        let before = self.balance;
        self.balance = self.path.clamp_balance(before + step);
        self.last_balance =
            Some((difference, self.balance - before)).filter(|(_, s)| *s != 0.0 && !is_off);
    }

    /// Whether the last change is still on its way into the picture.
    fn is_waiting(&mut self, seen: &Measurement) -> bool {
        let wanted = self.begin();
        let Some(wait) = &mut self.wait else {
            return false;
        };
        let passed = seen.at.since(wait.since);
        if passed >= LONGEST_WAIT {
            return false;
        }
        if wait.in_effect.is_none() && is_in_effect(seen, &wanted) {
            wait.in_effect = Some(seen.at);
        }
        // Times of frames jitter: a tenth of a frame less counts as whole frames.
        let frames = |n: u32| self.frame.mul_f32(n as f32 - 0.1);
        let Some(in_effect) = wait.in_effect else {
            return true;
        };
        passed < frames(DELAY_FRAMES) || seen.at.since(in_effect) < frames(DELAY_FRAMES - 1)
    }

    /// How much a stop of light really did in the last step; only told from steps within the light's part of the path.
    fn learn_slope(&mut self, luminance_log2: f32) {
        let Some(last) = self.last.take() else { return };
        let moved = self.position - last.position;
        if moved.abs() > 0.25
            && self.path.is_light(last.position)
            && self.path.is_light(self.position)
        {
            self.light_slope = ((luminance_log2 - last.luminance_log2) / moved).clamp(0.2, 1.0);
        }
    }

    /// The error in stops, corrected for a region that is cut off at full scale.
    fn error(&mut self, seen: &Measurement, error: f32) -> f32 {
        self.ceiling = self
            .ceiling
            .filter(|(_, at)| seen.at.since(*at) < CEILING_FOR);
        if seen.bright_share > SATURATED {
            self.ceiling = Some((self.position - 0.5, seen.at));
            let least = if seen.bright_share > BURNT_OUT {
                BURNT_OUT_STEP
            } else {
                SATURATED_STEP
            };
            return error.min(least);
        }
        let is_capped = self
            .ceiling
            .is_some_and(|(position, _)| self.position + error > position);
        if error > 0.0 && (seen.bright_share > NEARLY_SATURATED || is_capped) {
            return 0.0;
        }
        error
    }
}

fn is_in_effect(seen: &Measurement, wanted: &ExposureAction) -> bool {
    let near = |a: f32, b: f32| (a - b).abs() <= 0.03 * b.abs();
    let white = |a: f32, b: f32| (a - b).abs() <= 0.01;
    near(
        seen.controls.exposure_us as f32,
        wanted.controls.exposure_us as f32,
    ) && near(seen.controls.gain, wanted.controls.gain)
        && white(seen.levels.left.white, wanted.levels.left.white)
        && white(seen.levels.right.white, wanted.levels.right.white)
}

/// Binary logarithm of the linear luminance of an sRGB-coded mean (IEC 61966-2-1), not below 1/1024.
fn log2_luminance(coded: f32) -> f32 {
    let coded = coded.clamp(0.0, 1.0);
    let linear = if coded <= 0.040_45 {
        coded / 12.92
    } else {
        ((coded + 0.055) / 1.055).powf(2.4)
    };
    linear.max(1.0 / 1024.0).log2()
}

#[cfg(test)]
mod tests;
