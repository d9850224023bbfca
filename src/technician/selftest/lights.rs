//! The lights, measured by the camera: the ring off, one side on, off, the other side on, off, with exposure and gain held. What a side adds
//! to the light of the room, in each half of the picture, is its response; the room's is taken before and after, so that a cloud counts
//! half. Pure: [`LightProbe`] says which levels it wants and is shown frames.

use crate::base::frame::{FrameView, PixelFormat};
use crate::base::srgb::linear_table;
use crate::base::time::Moment;
use crate::hal::{CameraControls, LightLevels, SideLevel};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// White of the side that is on. Not all: a ring gets warm.
pub const LEVEL: f32 = 0.8;
/// Frames that are taken of each phase.
const FRAMES: u32 = 4;
/// A phase that gets no frames for so long ends the test.
const PHASE_WITHIN: Duration = Duration::from_secs(15);
/// The levels have to be in effect for so long before a frame's exposure begins.
const SETTLED_FOR: Duration = Duration::from_millis(60);
/// The levels in effect are the wanted ones within this.
const NEAR: f32 = 0.02;
/// Share of samples at full scale from which on the mean says too little: then the exposure is halved and all begun again.
const SATURATED: f32 = 0.2;
/// The exposure is halved so often at most.
const MOST_HALVINGS: u8 = 4;

/// Mean light in the halves of a picture: linear, as a share of full scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Halves {
    /// Left half of the frame.
    pub left: f32,
    /// Right half.
    pub right: f32,
}

impl Halves {
    /// Of the whole picture.
    pub fn mean(self) -> f32 {
        f32::midpoint(self.left, self.right)
    }

    /// Light that does not depend on the exposure: share of full scale for a millisecond at gain 1, in percent.
    pub fn per_ms(self, taken_with: CameraControls) -> f32 {
        let exposure_ms = taken_with.exposure_us.max(1) as f32 / 1000.0;
        100.0 * self.mean() / exposure_ms / taken_with.gain.max(1.0)
    }

    fn map(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self {
            left: f(self.left, other.left),
            right: f(self.right, other.right),
        }
    }
}

/// What a frame shows, as far as the test goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HalvesOfFrame {
    /// Mean light.
    pub light: Halves,
    /// Share of samples at or near full scale, 0..=1.
    pub saturated: f32,
}

/// Looks at every eighth pixel of every eighth row.
pub fn halves_of(frame: &FrameView<'_>) -> HalvesOfFrame {
    let table = linear_table();
    let width = frame.width() as usize;
    let (mut sums, mut counts, mut saturated) = ([0.0f64; 2], [0u32; 2], 0u32);
    for y in (4..frame.height()).step_by(8) {
        let row = frame.row(y);
        for x in (4..width).step_by(8) {
            let at = match frame.format() {
                PixelFormat::Grey8 => x,
                PixelFormat::Yuyv => 2 * x,
                // Green stands for the luminance.
                PixelFormat::Rgb8 => 3 * x + 1,
            };
            let value = row.get(at).copied().unwrap_or(0);
            let half = usize::from(x >= width / 2);
            sums[half] += f64::from(table[usize::from(value)]);
            counts[half] += 1;
            saturated += u32::from(value >= 247);
        }
    }
    let mean = |i: usize| (sums[i] / f64::from(counts[i].max(1))) as f32;
    HalvesOfFrame {
        light: Halves {
            left: mean(0),
            right: mean(1),
        },
        saturated: saturated as f32 / (counts[0] + counts[1]).max(1) as f32,
    }
}

/// What was measured: light of the room, and what each side adds to it at [`LEVEL`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LightFigures {
    /// The room's.
    pub ambient: Halves,
    /// The left side's response.
    pub left: Halves,
    /// The right side's response.
    pub right: Halves,
    /// How much the room's light differed between before and after: what is smaller says nothing.
    pub drift: f32,
    /// What the frames were taken with.
    pub controls: CameraControls,
}

impl LightFigures {
    /// A response that does not depend on the exposure: see [`Halves::per_ms`].
    pub fn per_ms(&self, response: Halves) -> f32 {
        response.per_ms(self.controls)
    }
}

/// Why nothing was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoLightFigures {
    /// The camera gave no frames with the wanted light in time.
    NoFrames,
    /// The picture is white also with the shortest exposure that was tried.
    TooBright,
}

/// One after the other.
const PHASES: [(f32, f32); 5] = [
    (0.0, 0.0),
    (LEVEL, 0.0),
    (0.0, 0.0),
    (0.0, LEVEL),
    (0.0, 0.0),
];

/// The test under way.
#[derive(Clone, Debug)]
pub struct LightProbe {
    controls: CameraControls,
    halvings: u8,
    phase: usize,
    since: Moment,
    sums: [Halves; PHASES.len()],
    n: u32,
}

/// What the probe says after a frame or a turn.
pub type Progress = Option<Result<LightFigures, NoLightFigures>>;

impl LightProbe {
    /// A test that begins now, with the controls that are in effect.
    pub fn new(controls: CameraControls, now: Moment) -> Self {
        Self {
            controls,
            halvings: 0,
            phase: 0,
            since: now,
            sums: Default::default(),
            n: 0,
        }
    }

    /// The levels that it wants now.
    pub fn levels(&self) -> LightLevels {
        let (left, right) = PHASES[self.phase.min(PHASES.len() - 1)];
        LightLevels {
            left: SideLevel::white(left),
            right: SideLevel::white(right),
        }
    }

    /// The exposure that is to be held.
    pub const fn controls(&self) -> CameraControls {
        self.controls
    }

    /// The moments at which the light has to be the wanted one for a frame of this time to count: before its exposure, and at its end.
    pub fn moments(&self, captured: Moment) -> [Moment; 2] {
        let exposure = Duration::from_micros(u64::from(self.controls.exposure_us)) + SETTLED_FOR;
        let before = captured
            .as_nanos()
            .saturating_sub(u64::try_from(exposure.as_nanos()).unwrap_or(0));
        [Moment::from_nanos(before), captured]
    }

    /// Shows it a frame: what it looks like, when it was captured and with what, and the light at [`LightProbe::moments`].
    pub fn frame(
        &mut self,
        seen: HalvesOfFrame,
        captured: Moment,
        controls: Option<CameraControls>,
        light: [LightLevels; 2],
    ) -> Progress {
        let wanted = self.levels();
        let near = |l: &LightLevels| {
            (l.left.white - wanted.left.white).abs() <= NEAR
                && (l.right.white - wanted.right.white).abs() <= NEAR
        };
        let held = controls.is_none_or(|c| {
            c.exposure_us.abs_diff(self.controls.exposure_us) <= self.controls.exposure_us / 50
                && (c.gain - self.controls.gain).abs() <= 0.05
        });
        if captured < self.since || !held || !light.iter().all(near) {
            return self.turn(captured);
        }
        if seen.saturated > SATURATED {
            if self.halvings == MOST_HALVINGS {
                return Some(Err(NoLightFigures::TooBright));
            }
            let controls = CameraControls {
                exposure_us: (self.controls.exposure_us / 2).max(1),
                gain: (self.controls.gain / 2.0).max(1.0),
            };
            *self = Self {
                halvings: self.halvings + 1,
                ..Self::new(controls, captured)
            };
            return None;
        }
        let sum = &mut self.sums[self.phase];
        *sum = sum.map(seen.light, |a, b| a + b / FRAMES as f32);
        self.n += 1;
        if self.n < FRAMES {
            return None;
        }
        (self.phase, self.since, self.n) = (self.phase + 1, captured, 0);
        (self.phase == PHASES.len()).then(|| Ok(self.figures()))
    }

    /// Time passes without a frame.
    pub fn turn(&self, now: Moment) -> Progress {
        (now.since(self.since) > PHASE_WITHIN).then_some(Err(NoLightFigures::NoFrames))
    }

    fn figures(&self) -> LightFigures {
        let [before, left, between, right, after] = self.sums;
        let response =
            |on: Halves, a: Halves, b: Halves| on.map(a.map(b, f32::midpoint), |on, off| on - off);
        LightFigures {
            ambient: before.map(between, f32::midpoint).map(after, f32::midpoint),
            left: response(left, before, between),
            right: response(right, between, after),
            drift: (before.mean() - after.mean())
                .abs()
                .max((before.mean() - between.mean()).abs()),
            controls: self.controls,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::frame::Frame;

    const CONTROLS: CameraControls = CameraControls {
        exposure_us: 10_000,
        gain: 2.0,
    };

    /// A room with `ambient` light, sides that add so much, and a camera that saturates at 1.
    fn run(
        ambient: impl Fn(u64) -> f32,
        sides: [f32; 2],
        bright: bool,
    ) -> (Result<LightFigures, NoLightFigures>, u64) {
        let mut probe = LightProbe::new(CONTROLS, Moment::ZERO);
        let mut held = (probe.levels(), Moment::ZERO);
        for i in 1..2000 {
            let at = Moment::from_millis(i * 100);
            let wanted = probe.levels();
            if wanted != held.0 {
                held = (wanted, at);
            }
            let exposure = probe.controls().exposure_us as f32 / 10_000.0;
            let light = |side: f32, white: f32| side * white / LEVEL;
            let (l, r) = (
                light(sides[0], wanted.left.white),
                light(sides[1], wanted.right.white),
            );
            let value =
                |own: f32, other: f32| ((ambient(i) + own + 0.3 * other) * exposure).min(1.0);
            let halves = Halves {
                left: value(l, r),
                right: value(r, l),
            };
            let saturated = if bright && halves.mean() > 0.9 {
                1.0
            } else {
                0.0
            };
            let in_effect = probe.moments(at).map(|m| {
                if m >= held.1 {
                    wanted
                } else {
                    LightLevels::OFF
                }
            });
            let controls = Some(probe.controls());
            if let Some(done) = probe.frame(
                HalvesOfFrame {
                    light: halves,
                    saturated,
                },
                at,
                controls,
                in_effect,
            ) {
                return (done, i);
            }
        }
        panic!("it does not end");
    }

    #[test]
    fn each_side_s_response_is_what_it_adds() {
        for (sides, expected) in [
            ([0.1, 0.1], [0.065, 0.065]),
            ([0.0, 0.1], [0.0, 0.065]),
            ([0.1, 0.04], [0.065, 0.026]),
            ([0.0, 0.0], [0.0, 0.0]),
        ] {
            let (figures, _) = run(|_| 0.2, sides, false);
            let figures = figures.expect("measured");
            for (found, expected) in [figures.left.mean(), figures.right.mean()]
                .into_iter()
                .zip(expected)
            {
                assert!((found - expected).abs() < 1e-4, "{sides:?}: {figures:?}");
            }
            assert!((figures.ambient.mean() - 0.2).abs() < 1e-5 && figures.drift < 1e-5);
            assert!(figures.left.left >= figures.left.right);
        }
        // A cloud passes: what the room's light did counts half at most.
        let (figures, _) = run(|i| 0.2 + i as f32 * 1e-4, [0.1, 0.1], false);
        let figures = figures.expect("measured");
        assert!(
            (figures.left.mean() - 0.065).abs() < 1e-3 && figures.drift > 1e-4,
            "{figures:?}"
        );
    }

    #[test]
    fn a_bright_room_is_measured_with_less_exposure_or_not_at_all() {
        let (figures, _) = run(|_| 1.5, [0.1, 0.1], true);
        let figures = figures.expect("measured");
        assert_eq!(figures.controls.exposure_us, 5_000);
        let same = run(|_| 0.2, [0.1, 0.1], false).0.expect("measured");
        let (a, b) = (figures.per_ms(figures.left), same.per_ms(same.left) * 2.0);
        assert!((a - b).abs() < 0.01, "{a} {b}");
        assert_eq!(
            run(|_| 99.0, [0.1, 0.1], true).0,
            Err(NoLightFigures::TooBright)
        );
    }

    #[test]
    fn without_frames_of_the_wanted_light_it_ends() {
        let mut probe = LightProbe::new(CONTROLS, Moment::ZERO);
        let seen = HalvesOfFrame {
            light: Halves::default(),
            saturated: 0.0,
        };
        let wrong = [LightLevels::white(0.5); 2];
        assert_eq!(
            probe.frame(seen, Moment::from_millis(100), None, wrong),
            None
        );
        let other = Some(CameraControls {
            exposure_us: 20_000,
            gain: 2.0,
        });
        assert_eq!(
            probe.frame(seen, Moment::from_millis(200), other, [LightLevels::OFF; 2]),
            None
        );
        assert_eq!(probe.turn(Moment::from_millis(15_000)), None);
        assert_eq!(
            probe.turn(Moment::from_millis(15_001)),
            Some(Err(NoLightFigures::NoFrames))
        );
    }

    #[test]
    fn halves_are_linear_light() {
        let mut frame = Frame::new(64, 32, PixelFormat::Grey8);
        for (i, value) in frame.data_mut().iter_mut().enumerate() {
            *value = if i % 64 < 32 { 188 } else { 255 };
        }
        let seen = halves_of(&frame.view());
        assert!(
            (seen.light.left - 0.5).abs() < 0.01 && (seen.light.right - 1.0).abs() < 1e-6,
            "{seen:?}"
        );
        assert!((seen.saturated - 0.5).abs() < 1e-6);
    }
}
