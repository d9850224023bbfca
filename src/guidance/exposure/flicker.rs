//! Lamps that flicker, told from changes of light and exposure.

use super::Measurement;
use crate::hal::{CameraControls, LightLevels};

/// Change in stops from one frame to the next, with the same light and exposure, that is flicker of lamps; so many frames are then taken
/// together.
const FLICKER: f32 = 0.25;
const FLICKER_FRAMES: u8 = 4;

/// Lamps that flicker make one picture brighter and the next one darker, with the same light and exposure.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flicker {
    /// What the last frame was taken with, its luminance in stops, and the change to it from the frame before.
    last: Option<(CameraControls, LightLevels, f32, f32)>,
    is_there: bool,
    /// What the frames that are taken together were taken with, the sum of their luminances in stops, and their number.
    sum: Option<(CameraControls, LightLevels, f32, u8)>,
}

impl Flicker {
    /// Looks at every frame, whether it counts or not. A change that goes on in one direction is one that comes into effect.
    pub(super) fn see(&mut self, seen: &Measurement, luminance_log2: f32) {
        let same = self
            .last
            .filter(|(controls, levels, ..)| (*controls, *levels) == (seen.controls, seen.levels));
        let change = same.map_or(0.0, |(.., before, _)| luminance_log2 - before);
        self.is_there |= same.is_some_and(|(.., before)| {
            before * change < 0.0 && before.abs().min(change.abs()) > FLICKER
        });
        self.last = Some((seen.controls, seen.levels, luminance_log2, change));
    }

    /// What counts: this frame's luminance in stops, or once lamps have flickered the mean of some frames that were taken with the same light and
    /// exposure; `None` before they are together.
    pub(super) fn smooth(&mut self, seen: &Measurement, luminance_log2: f32) -> Option<f32> {
        if !self.is_there {
            return Some(luminance_log2);
        }
        let (sum, n) = self
            .sum
            .filter(|(controls, levels, ..)| (*controls, *levels) == (seen.controls, seen.levels))
            .map_or((0.0, 0), |(.., sum, n)| (sum, n));
        let (sum, n) = (sum + luminance_log2, n + 1);
        if n < FLICKER_FRAMES {
            self.sum = Some((seen.controls, seen.levels, sum, n));
            return None;
        }
        self.sum = None;
        Some(sum / f32::from(n))
    }

    /// What is known of the lamps, for another step in the same room.
    pub(super) const fn memory(self) -> Self {
        Self {
            last: None,
            is_there: self.is_there,
            sum: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::log2_luminance;
    use super::*;
    use crate::base::time::Moment;

    #[test]
    fn lamps_that_flicker_do_not_move_the_light() {
        let mut flicker = Flicker::default();
        let frame = |mean: f32, exposure_us: u32| Measurement {
            at: Moment::ZERO,
            mean,
            halves: None,
            bright_share: 0.0,
            controls: CameraControls {
                exposure_us,
                gain: 1.0,
            },
            levels: LightLevels::OFF,
            since: Moment::ZERO,
        };
        let mut see = |mean: f32, exposure_us: u32| {
            let stops = log2_luminance(mean);
            let seen = frame(mean, exposure_us);
            flicker.see(&seen, stops);
            flicker.smooth(&seen, stops)
        };
        // A change that comes into effect over some frames is none.
        for mean in [0.2, 0.3, 0.4, 0.5] {
            assert_eq!(see(mean, 1000), Some(log2_luminance(mean)));
        }
        // Nor is one up and one down by another exposure.
        assert!(see(0.3, 500).is_some() && see(0.5, 1000).is_some());
        let found: Vec<_> = [0.3, 0.5, 0.3, 0.5, 0.3]
            .iter()
            .map(|m| see(*m, 1000))
            .collect();
        let mean = f32::midpoint(log2_luminance(0.3), log2_luminance(0.5));
        assert!(
            found[..4].iter().filter(|f| f.is_some()).count() <= 1,
            "{found:?}"
        );
        assert!(
            found[4].is_some_and(|m| (m - mean).abs() < 1e-3),
            "{found:?}"
        );
    }
}
