//! The closed loop of light and exposure: from how bright the face or the document is in the picture, to light levels and camera
//! controls. Pure: it is told the time and what is in effect, and says what it wants.
//!
//! Everything that makes the picture brighter lies on one path ([`path::Path`]), in this order: exposure up to one half-period of the
//! mains, then white light within the recipe's range, then exposure in whole half-periods (lamps on the mains do not band then),
//! then gain. The loop goes to the position on that path whose picture has the brightness that is wanted. Brightening and
//! dimming use the same path, so that two controls never work against each other.
//!
//! How bright a picture is going to be is known: it grows with exposure, gain, and the sum of the ring's light and the room's. The room's,
//! in levels of the ring, is measured before the session ([`RoomProbe`]) and learned from each step. So one step is nearly always enough,
//! whatever the light around. A frame is measured against what it was taken with, not against what was asked for since; a frame in which a change
//! may still be on its way through the camera does not count, and within the dead band the loop stays still. Both keep it from pumping.

mod flicker;
pub mod path;
mod room;

use crate::base::srgb::linear;
use crate::base::time::Moment;
use crate::hal::{CameraControls, CameraInfo, LightLevels};
use flicker::Flicker;
use path::{Path, PathLimits};
use room::Room;
pub use room::{Probing, RoomProbe, TILES, Tiles};
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
/// Share of the difference of the halves that one step takes on: each side's light reaches the other half as well, so that more is needed.
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
/// The room's light where a region is burnt out, if not known better, in levels of the ring.
const LIGHT_OF_GLARE: f32 = 1.0;
const SATURATED_STEP: f32 = -1.0;
const BURNT_OUT_STEP: f32 = -3.0;
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
    /// Since when both have been in effect, as far as the devices say.
    pub since: Moment,
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

/// The loop. Make a new one for each step of a session, from that step's light recipe.
#[derive(Clone, Debug)]
pub struct ExposureLoop {
    path: Path,
    frame: Duration,
    position: f32,
    /// Stops by which the left side is brighter than the right one (negative: the right one).
    balance: f32,
    room: Room,
    /// When what is wanted was wanted first; `None` before the first frame.
    wanted_from: Option<Moment>,
    /// Difference of the halves before the last step of balance, and that step.
    last_balance: Option<(f32, f32)>,
    /// A brightness that saturated the region, and when.
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
            room: Room::default(),
            wanted_from: None,
            last_balance: None,
            ceiling: None,
            flicker: Flicker::default(),
            settled: false,
            at_limit: false,
        }
    }

    /// The same loop in a room whose light is worth as much as the whole ring at this level. It begins where the picture is as bright as the
    /// recipe is meant to make it, with no other light.
    #[must_use]
    pub fn in_room(mut self, level: f32) -> Self {
        let start = self.path.start();
        let brightness = self.path.brightness_at(start, 0.0, 0.0);
        self.room = Room::new(level);
        self.position = self.path.find(brightness, 0.0, level);
        self
    }

    /// The same loop, going on in the room of another one, and beginning where the picture is about as bright as with these controls and levels.
    #[must_use]
    pub fn after(mut self, before: &Self, controls: CameraControls, levels: LightLevels) -> Self {
        self.room = Room::new(before.room.level);
        self.flicker = before.flicker.memory();
        let brightness = self.path.brightness(controls, levels, self.room.level);
        self.position = self.path.find(brightness, 0.0, self.room.level);
        self
    }

    /// What is measured from now on is something else: a document instead of the room behind it.
    pub fn look_elsewhere(&mut self) {
        self.room.forget();
        self.flicker = self.flicker.memory();
        (self.settled, self.at_limit) = (false, false);
    }

    /// The light of the room as far as it is known, in levels of the ring.
    pub const fn room(&self) -> f32 {
        self.room.level
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
        let wanted_from = *self.wanted_from.get_or_insert(seen.at);
        if !seen.mean.is_finite() || !target_mean.is_finite() {
            return self.begin();
        }
        let luminance_log2 = log2_luminance(seen.mean);
        self.flicker.see(seen, luminance_log2);
        // Times of frames jitter: a tenth of a frame less counts as whole frames.
        let delay = self.frame.mul_f32(DELAY_FRAMES as f32 - 0.1);
        if seen.at.since(seen.since) < delay {
            return self.begin();
        }
        let Some(luminance_log2) = self.flicker.smooth(seen, luminance_log2) else {
            return self.begin();
        };
        if seen.bright_share <= NEARLY_SATURATED {
            self.room
                .learn(seen.at, seen.mean, seen.controls, seen.levels);
        } else {
            self.room.forget();
            // The ring alone does not burn anything out: recipes are made for a dark room.
            if seen.bright_share > BURNT_OUT {
                self.room.level = self.room.level.max(LIGHT_OF_GLARE);
            }
        }
        let before = self.begin();
        let is_stuck = seen.at.since(wanted_from) >= LONGEST_WAIT;
        let in_effect = is_in_effect(seen, &before) || is_stuck;
        let (path, room) = (&self.path, self.room.level);
        let shown = path.brightness(seen.controls, seen.levels, room);
        let wanted = path.brightness(before.controls, before.levels, room);
        // What is on its way already; a change that does not come into effect (a thermal limit, a camera that clamps) is no change.
        let on_its_way = if in_effect { 0.0 } else { wanted - shown };
        let error = self.error(seen, shown, log2_luminance(target_mean) - luminance_log2);
        // From what the frame was taken with, also where a driver has rounded what it was asked for.
        let from = if is_stuck { wanted } else { shown };
        let difference = seen
            .halves
            .filter(|(l, r)| l.is_finite() && r.is_finite())
            .map_or(0.0, |(l, r)| log2_luminance(l) - log2_luminance(r));

        let band = if self.settled {
            RESTART_BAND
        } else {
            DEAD_BAND
        };
        let is_off = (error - on_its_way).abs() > band;
        let is_lopsided =
            in_effect && difference.abs() > BALANCE_BAND * if self.settled { 1.5 } else { 1.0 };
        if is_lopsided {
            self.rebalance(difference, is_off);
        }
        if is_off || is_lopsided {
            let aim = if is_off {
                from + error.clamp(-LARGEST_STEP, LARGEST_STEP)
            } else {
                wanted
            };
            self.position = self.path.find(aim, self.balance, room);
        }
        let after = self.begin();
        let has_changed = after.controls != before.controls || after.levels != before.levels;
        let is_let_be = difference.abs() <= LET_BE && !has_changed;
        self.settled = in_effect && !is_off && (!is_lopsided || is_let_be);
        self.at_limit = in_effect && !self.settled && !has_changed;
        if has_changed {
            self.wanted_from = Some(seen.at);
        }
        self.begin()
    }

    /// Takes a step against the difference of the halves, in stops: the larger, the brighter the room is beside the ring, and larger each time
    /// that the one before had no effect. A step that was taken together with one of brightness (`is_off`) says nothing of that.
    fn rebalance(&mut self, difference: f32, is_off: bool) {
        let room = self.room.level;
        let stops = -BALANCE_SHARE * difference;
        let mut step = self.path.balance_for(stops, self.position, room);
        if let Some((before, last)) = self.last_balance
            && last * step > 0.0
            && (before - difference).abs() < FUTILE * last.abs()
            && step.abs() < 2.0 * last.abs()
        {
            step = 2.0 * last;
        }
        let before = self.balance;
        self.balance = self.path.clamp_balance(before + step);
        self.last_balance =
            Some((difference, self.balance - before)).filter(|(_, s)| *s != 0.0 && !is_off);
    }

    /// The error in stops, corrected for a region that is cut off at full scale; `shown` is the brightness that the frame was taken for.
    fn error(&mut self, seen: &Measurement, shown: f32, error: f32) -> f32 {
        self.ceiling = self
            .ceiling
            .filter(|(_, at)| seen.at.since(*at) < CEILING_FOR);
        if seen.bright_share > SATURATED {
            self.ceiling = Some((shown - 0.5, seen.at));
            let least = if seen.bright_share > BURNT_OUT {
                BURNT_OUT_STEP
            } else {
                SATURATED_STEP
            };
            return error.min(least);
        }
        let is_capped = self
            .ceiling
            .is_some_and(|(ceiling, _)| shown + error > ceiling);
        if error > 0.0 && (seen.bright_share > NEARLY_SATURATED || is_capped) {
            return 0.0;
        }
        error
    }
}

fn is_in_effect(seen: &Measurement, wanted: &ExposureAction) -> bool {
    let gain = (seen.controls.gain - wanted.controls.gain).abs() <= 0.03 * wanted.controls.gain;
    gain && is_near(seen.controls.exposure_us, wanted.controls.exposure_us)
        && is_lit_so(seen.levels, wanted.levels)
}

/// Whether an exposure is the one that was asked for: within 3 %, or 100 us, the unit of V4L2's `V4L2_CID_EXPOSURE_ABSOLUTE`.
fn is_near(taken_us: u32, wanted_us: u32) -> bool {
    taken_us.abs_diff(wanted_us) <= (wanted_us / 33).max(100)
}

/// Whether the ring was at these levels.
fn is_lit_so(taken: LightLevels, wanted: LightLevels) -> bool {
    let near = |a: f32, b: f32| (a - b).abs() <= 0.01;
    near(taken.left.white, wanted.left.white) && near(taken.right.white, wanted.right.white)
}

/// Binary logarithm of the linear luminance of an sRGB-coded mean, not below 1/1024.
fn log2_luminance(coded: f32) -> f32 {
    let linear = linear(coded.clamp(0.0, 1.0));
    linear.max(1.0 / 1024.0).log2()
}

#[cfg(test)]
mod tests;
