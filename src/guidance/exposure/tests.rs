//! The loop against a plant: light from around and from the booth's two sides falls on the two halves of a face; the camera turns
//! linear radiance into sRGB-coded values, two frames late; the light follows with a slope.

use super::*;
use std::collections::VecDeque;

const FPS: u64 = 30;
const TARGET: f32 = 0.52;
/// Slope of the light: full scales per frame, at 6 a second.
const RAMP: f32 = 0.2;

/// Radiances in units that give full scale at 10 ms, gain 1.
#[derive(Clone, Copy, Debug)]
struct Scene {
    /// From around, on the left and the right half.
    ambient: (f32, f32),
    /// From the booth's light at full power.
    light: f32,
}

struct Plant {
    scene: Scene,
    levels: LightLevels,
    /// Controls on their way through the camera; the first is in effect.
    pipeline: VecDeque<CameraControls>,
    frame: u64,
    /// When light or exposure last changed.
    since: Moment,
    /// The camera's exposures are whole multiples of this, in microseconds.
    unit_us: u32,
}

pub(super) fn code(linear: f32) -> f32 {
    let linear = linear.clamp(0.0, 1.0);
    if linear <= 0.003_130_8 {
        12.92 * linear
    } else {
        1.055 * linear.powf(1.0 / 2.4) - 0.055
    }
}

impl Plant {
    fn new(scene: Scene, begin: ExposureAction) -> Self {
        Self {
            scene,
            levels: LightLevels::OFF,
            pipeline: VecDeque::from([begin.controls; 3]),
            frame: 0,
            since: Moment::ZERO,
            unit_us: 1,
        }
    }

    /// The next frame, after `wanted` was asked for.
    fn next(&mut self, wanted: &ExposureAction) -> Measurement {
        let before = (self.levels, self.pipeline[0]);
        let follow = |is: &mut f32, want: f32| *is += (want - *is).clamp(-RAMP, RAMP);
        follow(&mut self.levels.left.white, wanted.levels.left.white);
        follow(&mut self.levels.right.white, wanted.levels.right.white);
        let mut asked = wanted.controls;
        let half = self.unit_us / 2;
        asked.exposure_us = ((asked.exposure_us + half) / self.unit_us).max(1) * self.unit_us;
        self.pipeline.push_back(asked);
        self.pipeline.pop_front();
        let controls = self.pipeline[0];
        let factor = controls.exposure_us as f32 / 10_000.0 * controls.gain;
        let (l, r) = (self.levels.left.white, self.levels.right.white);
        let half = |ambient: f32, near: f32, far: f32| {
            let radiance = ambient + self.scene.light * (0.8 * near + 0.2 * far);
            (radiance * factor, code(radiance * factor))
        };
        let left = half(self.scene.ambient.0, l, r);
        let right = half(self.scene.ambient.1, r, l);
        let saturated = |linear: f32| if linear >= 0.95 { 0.5 } else { 0.0 };
        self.frame += 1;
        let at = Moment::from_nanos(self.frame * 1_000_000_000 / FPS);
        if before != (self.levels, controls) {
            self.since = at;
        }
        Measurement {
            at,
            mean: f32::midpoint(left.1, right.1),
            halves: Some((left.1, right.1)),
            bright_share: saturated(left.0) + saturated(right.0),
            controls,
            levels: self.levels,
            since: self.since,
        }
    }
}

fn camera() -> CameraInfo {
    CameraInfo {
        name: "plant".to_owned(),
        width: 1280,
        height: 720,
        frames_per_s: FPS as f32,
        exposure_us: Some((100, 33_000)),
        gain: Some((1.0, 8.0)),
        is_live: true,
        means: crate::hal::recovery::Means::default(),
    }
}

struct Run {
    /// Frames until the loop said it was settled.
    settled_after: Option<u64>,
    last: ExposureAction,
    mean: f32,
    halves: (f32, f32),
    /// How often the wanted brightness turned round.
    turns: usize,
    /// Changes after the loop had settled first.
    late_changes: usize,
}

/// Five simulated seconds.
fn run(scene: Scene, white_range: (f32, f32)) -> Run {
    run_in(scene, white_range, None, 1)
}

/// The same, with what was measured of the room before.
fn run_in(scene: Scene, white_range: (f32, f32), room: Option<f32>, unit_us: u32) -> Run {
    let start = f32::midpoint(white_range.0, white_range.1);
    let mut exposure = ExposureLoop::new(&camera(), 50, LightLevels::white(start), white_range);
    if let Some(level) = room {
        exposure = exposure.in_room(level);
    }
    let mut action = exposure.begin();
    let mut plant = Plant::new(scene, action);
    plant.unit_us = unit_us;
    let mut result = Run {
        settled_after: None,
        last: action,
        mean: 0.0,
        halves: (0.0, 0.0),
        turns: 0,
        late_changes: 0,
    };
    let (mut position, mut direction) = (exposure.position, 0.0);
    for frame in 1..=5 * FPS {
        let seen = plant.next(&action);
        let next = exposure.step(&seen, TARGET);
        let changed = next.controls != action.controls || next.levels != action.levels;
        result.late_changes += usize::from(changed && result.settled_after.is_some());
        let moved = exposure.position - position;
        if moved * direction < 0.0 {
            result.turns += 1;
        }
        if moved != 0.0 {
            (position, direction) = (exposure.position, moved);
        }
        for white in [next.levels.left.white, next.levels.right.white] {
            assert!(
                (white_range.0 - 1e-6..=white_range.1 + 1e-6).contains(&white),
                "{white}"
            );
        }
        if next.settled && result.settled_after.is_none() {
            result.settled_after = Some(frame);
        }
        action = next;
        (result.last, result.mean) = (next, seen.mean);
        result.halves = seen.halves.unwrap_or_default();
    }
    result
}

#[test]
fn the_loop_settles_within_a_second_and_does_not_pump() {
    let check = |name: &str, ambient: (f32, f32), light: f32| {
        let run = run(Scene { ambient, light }, (0.05, 0.9));
        let frames = run.settled_after.unwrap_or(u64::MAX);
        assert!(
            frames < FPS,
            "{name}: settled after {frames} frames, mean {}, {:?}",
            run.mean,
            run.last
        );
        assert!(
            run.last.settled && !run.last.at_limit,
            "{name}: {:?}",
            run.last
        );
        let error = log2_luminance(TARGET) - log2_luminance(run.mean);
        assert!(error.abs() <= RESTART_BAND, "{name}: off by {error} stops");
        // Balancing the halves changes the mean, which may turn the loop round once more.
        assert!(run.turns <= 3, "{name}: turned {} times", run.turns);
        assert_eq!(run.late_changes, 0, "{name}: not still");
        let difference = log2_luminance(run.halves.0) - log2_luminance(run.halves.1);
        assert!(
            difference.abs() <= 0.675,
            "{name}: halves differ by {difference} stops"
        );
    };
    check("as wanted", (0.0, 0.0), 0.5);
    check("dark", (0.001, 0.001), 0.05);
    check("weak light in a dim room", (0.03, 0.03), 0.1);
    check("bright room", (0.6, 0.6), 0.5);
    check("sun", (8.0, 8.0), 0.5);
    check("room that needs a little help", (0.15, 0.15), 0.3);
    check("lit from the left", (0.2, 0.02), 0.5);
    check("lit from the right", (0.05, 0.3), 0.5);
    check("strongly lit from the left", (0.4, 0.1), 0.6);
}

#[test]
fn a_camera_that_rounds_its_exposure_is_no_reason_to_pump() {
    for ambient in [0.0, 0.3, 1.0, 3.0, 5.0] {
        let scene = Scene {
            ambient: (ambient, ambient),
            light: 0.5,
        };
        // The unit of V4L2.
        let run = run_in(scene, (0.05, 0.9), None, 100);
        let frames = run.settled_after.unwrap_or(u64::MAX);
        assert!(frames < FPS && run.last.settled, "{ambient}: {frames}");
        assert_eq!(run.late_changes, 0, "{ambient}: not still");
    }
}

#[test]
fn in_a_room_that_was_measured_the_loop_begins_where_it_ends() {
    let check = |ambient: f32, light: f32| {
        let scene = Scene {
            ambient: (ambient, ambient),
            light,
        };
        let knowing = run_in(scene, (0.05, 0.9), Some(ambient / light), 1);
        let frames = knowing.settled_after.unwrap_or(u64::MAX);
        // The ring comes up in three frames, and the camera shows it three later.
        assert!(frames <= 8, "{ambient}: {frames} frames");
        assert_eq!(knowing.turns, 0, "{ambient}");
    };
    check(0.0, 0.5);
    check(0.2, 0.5);
    check(1.0, 0.5);
    check(8.0, 0.5);
}

#[test]
fn what_cannot_be_reached_is_said() {
    // No light to speak of, and all the gain there is does not help.
    let dark = run(
        Scene {
            ambient: (1e-4, 1e-4),
            light: 1e-3,
        },
        (0.05, 0.9),
    );
    assert!(dark.last.at_limit && !dark.last.settled, "{:?}", dark.last);
    assert_eq!(
        (dark.last.controls.exposure_us, dark.last.levels.left.white),
        (30_000, 0.9)
    );
    assert!((dark.last.controls.gain - 8.0).abs() < 1e-3);
    // Brighter than the shortest exposure can take.
    let glaring = run(
        Scene {
            ambient: (200.0, 200.0),
            light: 0.5,
        },
        (0.05, 0.9),
    );
    assert!(glaring.last.at_limit && !glaring.last.settled);
    assert_eq!(glaring.last.controls.exposure_us, 100);
    // Sun on one half, far above what the light can fill in.
    let side = run(
        Scene {
            ambient: (9.0, 0.3),
            light: 0.3,
        },
        (0.05, 0.9),
    );
    assert!(side.last.at_limit && !side.last.settled);
    assert!((side.last.levels.right.white - 0.9).abs() < 1e-5);
}

#[test]
fn light_comes_first_then_exposure_then_gain() {
    let used = |light: f32| {
        let last = run(
            Scene {
                ambient: (0.0, 0.0),
                light,
            },
            (0.05, 0.9),
        )
        .last;
        (
            last.levels.left.white >= 0.899,
            last.controls.exposure_us,
            last.controls.gain > 2.0,
        )
    };
    assert_eq!(used(0.4), (false, 10_000, false));
    assert_eq!(used(0.1), (true, 20_000, false));
    assert_eq!(used(0.015), (true, 30_000, true));
}

#[test]
fn nothing_changes_while_a_change_is_on_its_way_and_a_stuck_device_does_not_hold_the_loop_for_ever()
{
    let mut exposure = ExposureLoop::new(&camera(), 50, LightLevels::white(0.3), (0.05, 0.9));
    let begin = exposure.begin();
    let seen = |ms: u64, action: &ExposureAction| Measurement {
        at: Moment::from_millis(ms),
        mean: 0.2,
        halves: None,
        bright_share: 0.0,
        controls: action.controls,
        levels: action.levels,
        since: Moment::ZERO,
    };
    let first = exposure.step(&seen(100, &begin), TARGET);
    assert_ne!(first.levels, begin.levels);
    for ms in [133, 166, 200, 590] {
        // The levels never come into effect.
        assert_eq!(exposure.step(&seen(ms, &begin), TARGET), first);
    }
    assert_ne!(exposure.step(&seen(600, &begin), TARGET), first);
}

#[test]
fn a_mean_that_is_no_number_changes_nothing() {
    let mut exposure = ExposureLoop::new(&camera(), 50, LightLevels::white(0.3), (0.05, 0.9));
    let begin = exposure.begin();
    for mean in [f32::NAN, f32::INFINITY] {
        let seen = Measurement {
            at: Moment::from_millis(10),
            mean,
            halves: Some((f32::NAN, 0.5)),
            bright_share: f32::NAN,
            controls: begin.controls,
            levels: begin.levels,
            since: Moment::ZERO,
        };
        assert_eq!(exposure.step(&seen, TARGET), begin);
    }
}

#[test]
fn the_board_file_s_table_is_checked() {
    let load = |text: &str| {
        let config: ExposureConfig = toml::from_str(text).map_err(|e| e.to_string())?;
        config.validate().map_err(|e| e.to_string())
    };
    assert_eq!(load(""), Ok(ExposureConfig::default()));
    assert_eq!(load("mains_hz = 60").map(|c| c.mains_hz), Ok(60));
    for (text, said) in [
        ("mains_hz = 55", "mains_hz = 55"),
        ("face_mean = 0.95", "face_mean = 0.95"),
        ("document_mean = nan", "document_mean = NaN"),
        ("mains = 50", "unknown field `mains`"),
    ] {
        let error = load(text).expect_err(text);
        assert!(error.contains(said), "{error}");
    }
}
