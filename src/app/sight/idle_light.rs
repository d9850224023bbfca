//! The light of the room, by the picture of the empty booth. Where that is white it says too little: then a few frames are taken with a
//! shorter exposure. Nobody who holds a code before the camera waits longer than a third of a second for it.

use crate::hal::CameraControls;
use crate::technician::selftest::lights::HalvesOfFrame;

/// Share of samples at full scale from which on the mean says too little.
const WHITE: f32 = 0.2;
/// How much shorter the exposure gets, and how often.
const SHORTER: u32 = 8;
const MOST_STEPS: u8 = 2;
/// Frames that are waited for until a shorter exposure is in effect; a camera that does not say what it has is believed then.
const PATIENCE: u8 = 6;

/// The measurement under way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct IdleLight {
    /// What was asked of the camera, if its own exposure was too long.
    wanted: Option<CameraControls>,
    steps: u8,
    waited: u8,
}

/// What follows from a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    /// The next frame is waited for.
    Wait,
    /// The camera is to be set to this.
    Set(CameraControls),
    /// The light: percent of full scale for a millisecond at gain 1, at least.
    Done(f32),
}

impl IdleLight {
    /// Shows it a frame, with what it was taken with.
    pub(super) fn frame(&mut self, seen: HalvesOfFrame, taken_with: CameraControls) -> Step {
        let is_held = self
            .wanted
            .is_none_or(|w| taken_with.exposure_us <= w.exposure_us + w.exposure_us / 50);
        if !is_held && self.waited < PATIENCE {
            self.waited += 1;
            return Step::Wait;
        }
        if seen.saturated <= WHITE || self.steps == MOST_STEPS || !is_held {
            return Step::Done(seen.light.per_ms(taken_with));
        }
        let shorter = CameraControls {
            exposure_us: (taken_with.exposure_us / SHORTER).max(1),
            ..taken_with
        };
        *self = Self {
            wanted: Some(shorter),
            steps: self.steps + 1,
            waited: 0,
        };
        Step::Set(shorter)
    }

    /// Whether the camera's exposure was changed, and has to be the loop's again.
    pub(super) const fn has_changed(&self) -> bool {
        self.wanted.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::technician::selftest::lights::Halves;

    /// Light as found, frames, and whether the exposure was changed; of a wall with so much light, by a camera with a shortest exposure.
    fn check(per_ms: f32, shortest_us: Option<u32>) -> (f32, u32, bool) {
        let mut probe = IdleLight::default();
        let mut controls = CameraControls {
            exposure_us: 10_000,
            gain: 1.0,
        };
        // What is asked is in effect two frames later.
        let mut under_way = [controls; 2];
        for n in 1..100 {
            let value = (per_ms / 100.0 * controls.exposure_us as f32 / 1000.0).min(1.0);
            let seen = HalvesOfFrame {
                light: Halves {
                    left: value,
                    right: value,
                },
                saturated: if value >= 1.0 { 1.0 } else { 0.0 },
            };
            match probe.frame(seen, controls) {
                Step::Done(light) => return (light, n, probe.has_changed()),
                Step::Wait => {}
                Step::Set(wanted) => {
                    let possible = shortest_us.map(|least| CameraControls {
                        exposure_us: wanted.exposure_us.max(least),
                        ..wanted
                    });
                    // A camera that cannot be set goes on as it was.
                    under_way[1] = possible.unwrap_or(under_way[1]);
                }
            }
            controls = under_way[0];
            under_way[0] = under_way[1];
        }
        panic!("it does not end");
    }

    #[test]
    fn a_white_picture_is_measured_with_a_shorter_exposure() {
        for (what, per_ms, shortest_us, expected, most_frames, changed) in [
            ("an office", 2.4, Some(100), 2.4, 1, false),
            ("a window", 40.0, Some(100), 40.0, 4, true),
            ("the sun", 500.0, Some(100), 500.0, 7, true),
            ("more than can be told", 5000.0, Some(100), 641.0, 7, true),
            (
                "a camera that is never so quick",
                40.0,
                Some(5000),
                20.0,
                9,
                true,
            ),
            ("a camera that cannot be set", 40.0, None, 10.0, 9, true),
        ] {
            let (light, frames, has_changed) = check(per_ms, shortest_us);
            assert!((light / expected - 1.0).abs() < 0.01, "{what}: {light}");
            assert!(frames <= most_frames, "{what}: {frames} frames");
            assert_eq!(has_changed, changed, "{what}");
        }
    }
}
