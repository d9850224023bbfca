//! How much light the room gives, measured in levels of the ring: `1.0` lights a face or a document as brightly as the whole ring at full
//! power. What is bright in the picture does not matter: room and ring shine on the same things.

use super::{is_lit_so, is_near, log2_luminance};
use crate::base::time::Moment;
use crate::hal::{CameraControls, LightLevels};
use std::time::Duration;

/// A ring that does nothing against a room brighter than this is not told from one that does a little.
const BRIGHTEST: f32 = 30.0;
/// Two frames tell something if the ring differs by so much between them, and by this share of itself.
const LEAST_CHANGE: f32 = 0.02;
const LEAST_SHARE: f32 = 0.1;
/// Two frames are of the same room, person and document within this time.
const SAME_FOR: Duration = Duration::from_secs(1);
/// Two frames whose difference in brightness is beyond this share of noise and movement are believed as they are.
const BELIEVED: f32 = 0.1;
/// A part of the picture with this mean (linear) is mostly cut off at full scale.
const CUT_OFF: f32 = 0.6;
/// So many parts of the picture have to be below that.
const ENOUGH: usize = TILES / 3;
/// What is near is lit most by the ring: the person, not the wall or the window behind. Of all parts, those of this share of least room.
const NEAR_SHARE: f32 = 0.2;
/// By how much the exposure is shortened then.
const SHORTER: f32 = 6.0;
/// The camera shows a change after so long.
const DELAY: Duration = Duration::from_millis(95);
/// Who has not measured the room by then goes without.
const LONGEST: Duration = Duration::from_millis(800);

/// Parts of a frame: eight across, six down.
pub const TILES: usize = 48;
/// Mean of each part, linear luminance, 0..=1.
pub type Tiles = [f32; TILES];

/// What a frame was taken with, and how bright it is.
#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Moment,
    /// Mean level of the ring's sides.
    white: f32,
    /// Linear luminance for a given exposure, log2.
    radiance_log2: f32,
}

impl Sample {
    fn new(at: Moment, mean: f32, controls: CameraControls, levels: LightLevels) -> Self {
        let camera = controls.exposure_us.max(1) as f32 * controls.gain.max(1e-3);
        Self {
            at,
            white: f32::midpoint(levels.left.white, levels.right.white),
            radiance_log2: log2_luminance(mean) - camera.log2(),
        }
    }
}

/// The room's light that fits two frames: `(room + white) ~ radiance`, and by which factor the lit one is brighter. `None` if the ring has hardly
/// changed.
fn fit(a: Sample, b: Sample) -> Option<(f32, f32)> {
    let change = (a.white - b.white).abs();
    if change < LEAST_CHANGE || change < LEAST_SHARE * a.white.max(b.white) {
        return None;
    }
    let (dim, lit) = if a.white < b.white { (a, b) } else { (b, a) };
    let ratio = (lit.radiance_log2 - dim.radiance_log2).exp2();
    if ratio <= 1.0 {
        return Some((BRIGHTEST, ratio));
    }
    let room = (lit.white - ratio * dim.white) / (ratio - 1.0);
    Some((room.clamp(0.0, BRIGHTEST), ratio))
}

/// What is known of the room, and learned from frame to frame.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Room {
    /// In levels of the ring.
    pub(super) level: f32,
    last: Option<Sample>,
}

impl Room {
    pub(super) const fn new(level: f32) -> Self {
        Self { level, last: None }
    }

    /// Learns from a frame that shows what it was taken with, and is not cut off at full scale.
    pub(super) fn learn(
        &mut self,
        at: Moment,
        mean: f32,
        controls: CameraControls,
        levels: LightLevels,
    ) {
        let now = Sample::new(at, mean, controls, levels);
        let Some(last) = self.last.filter(|l| at.since(l.at) < SAME_FOR) else {
            self.last = Some(now);
            return;
        };
        let Some((level, ratio)) = fit(last, now) else {
            return;
        };
        self.level = if ratio > 1.0 + BELIEVED {
            level
        } else {
            level.clamp(self.level / 4.0, 4.0 * self.level + 0.5)
        };
        self.last = Some(now);
    }

    /// Nothing before counts: what is measured is something else.
    pub(super) fn forget(&mut self) {
        self.last = None;
    }
}

/// Measures the room's light before a session's first step: the ring off, then on. Pure: frames in, what is wanted out.
#[derive(Clone, Copy, Debug)]
pub struct RoomProbe {
    began: Moment,
    lit: LightLevels,
    shortest_us: u32,
    wanted: CameraControls,
    /// The picture with the ring off, and what it was taken with.
    dark: Option<(Tiles, CameraControls)>,
}

/// How a measurement of the room stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Probing {
    /// Go on, with these.
    Wants(CameraControls, LightLevels),
    /// It is known, in levels of the ring; `None`: there was no time for it, or the ring does not reach what is in the picture.
    Done(Option<f32>),
}

impl RoomProbe {
    /// Begins at `now`; the ring is at `lit` afterwards. `shortest_us`: the camera's shortest exposure.
    pub const fn new(
        now: Moment,
        controls: CameraControls,
        lit: LightLevels,
        shortest_us: u32,
    ) -> Self {
        Self {
            began: now,
            lit,
            shortest_us,
            wanted: controls,
            dark: None,
        }
    }

    /// What the ring and the camera have to do now.
    pub const fn wants(&self) -> (CameraControls, LightLevels) {
        let levels = if self.dark.is_none() {
            LightLevels::OFF
        } else {
            self.lit
        };
        (self.wanted, levels)
    }

    /// Looks at a frame that was taken at `at` with these, which have been in effect since `since`.
    pub fn see(
        &mut self,
        at: Moment,
        tiles: &Tiles,
        controls: CameraControls,
        levels: LightLevels,
        since: Moment,
    ) -> Probing {
        if at.since(self.began) >= LONGEST {
            return Probing::Done(None);
        }
        let (wanted, light) = self.wants();
        let in_effect =
            is_near(controls.exposure_us, wanted.exposure_us) && is_lit_so(levels, light);
        if !in_effect || at.since(since) < DELAY {
            return Probing::Wants(wanted, light);
        }
        let n_good = tiles.iter().filter(|t| **t < CUT_OFF).count();
        if n_good < ENOUGH && wanted.exposure_us > self.shortest_us {
            let shorter = (wanted.exposure_us as f32 / SHORTER) as u32;
            self.wanted.exposure_us = shorter.max(self.shortest_us);
        } else if let Some((dark, taken_with)) = &self.dark {
            let white = f32::midpoint(levels.left.white, levels.right.white);
            return Probing::Done(near(dark, *taken_with, tiles, controls, white));
        } else {
            self.dark = Some((*tiles, controls));
        }
        let (controls, levels) = self.wants();
        Probing::Wants(controls, levels)
    }
}

/// The room's light in levels of the ring, by what is near: `dark` and `lit` are the same picture without the ring and with it at `white`.
fn near(
    dark: &Tiles,
    dark_with: CameraControls,
    lit: &Tiles,
    lit_with: CameraControls,
    white: f32,
) -> Option<f32> {
    let camera = |c: CameraControls| c.exposure_us.max(1) as f32 * c.gain.max(1e-3);
    let factor = camera(lit_with) / camera(dark_with);
    let mut rooms: Vec<f32> = dark
        .iter()
        .zip(lit)
        .filter(|(d, l)| **d < CUT_OFF && **l < CUT_OFF)
        .map(|(d, l)| {
            let dark = d * factor;
            (white * dark / (l - dark).max(1e-6)).min(BRIGHTEST)
        })
        .filter(|r| r.is_finite())
        .collect();
    rooms.sort_by(f32::total_cmp);
    (rooms.len() >= ENOUGH).then(|| rooms[(rooms.len() as f32 * NEAR_SHARE) as usize])
}

#[cfg(test)]
mod tests {
    use super::super::tests::code;
    use super::*;

    const USUAL: CameraControls = CameraControls {
        exposure_us: 10_000,
        gain: 1.0,
    };

    /// A frame of somebody (a third of the picture) in a room that is worth `room` levels of the ring, which gives `k` of full scale in 10 ms;
    /// the wall behind is six times as far from the ring.
    fn tiles(room: f32, k: f32, controls: CameraControls, levels: LightLevels) -> Tiles {
        let white = f32::midpoint(levels.left.white, levels.right.white);
        let factor = k * controls.exposure_us as f32 / 10_000.0 * controls.gain;
        std::array::from_fn(|i| {
            let ring = if i % 3 == 0 { white } else { white / 36.0 };
            (factor * (room + ring)).min(1.0)
        })
    }

    #[test]
    fn the_room_is_measured_with_the_ring_off_and_on() {
        let check = |room: f32, k: f32, most_frames: u32| {
            let lit = LightLevels::white(0.35);
            let mut probe = RoomProbe::new(Moment::ZERO, USUAL, lit, 100);
            let (mut controls, mut levels, mut since) =
                (USUAL, LightLevels::white(0.05), Moment::ZERO);
            for frame in 1..40_u32 {
                let at = Moment::from_millis(u64::from(frame) * 33);
                let seen = tiles(room, k, controls, levels);
                match probe.see(at, &seen, controls, levels, since) {
                    Probing::Wants(c, l) if (c, l) != (controls, levels) => {
                        (controls, levels, since) = (c, l, at);
                    }
                    Probing::Wants(..) => {}
                    Probing::Done(found) => {
                        let found = found.unwrap_or(f32::NAN);
                        assert!(
                            (found - room).abs() <= 0.01 + 0.05 * room,
                            "{room}: {found} after {frame} frames"
                        );
                        assert!(frame <= most_frames, "{room}: {frame} frames");
                        return;
                    }
                }
            }
            panic!("{room}: not found");
        };
        check(0.0, 0.6, 8);
        check(0.3, 0.6, 8);
        check(1.5, 0.4, 14);
        check(10.0, 0.6, 14);
    }

    #[test]
    fn a_ring_that_does_not_follow_is_not_waited_for() {
        let mut probe = RoomProbe::new(Moment::ZERO, USUAL, LightLevels::white(0.35), 100);
        let stuck = LightLevels::white(0.05);
        let mut see = |ms: u64| {
            let seen = tiles(0.2, 0.5, USUAL, stuck);
            probe.see(Moment::from_millis(ms), &seen, USUAL, stuck, Moment::ZERO)
        };
        assert_eq!(see(500), Probing::Wants(USUAL, LightLevels::OFF));
        assert_eq!(see(800), Probing::Done(None));
    }

    #[test]
    fn the_room_is_learned_from_steps_of_the_ring() {
        let mut room = Room::new(0.0);
        let mut see = |ms: u64, white: f32| {
            let levels = LightLevels::white(white);
            let mean = code(0.5 * (0.8 + white));
            room.learn(Moment::from_millis(ms), mean, USUAL, levels);
            room.level
        };
        assert!(see(0, 0.3).abs() < 1e-6);
        assert!((see(100, 0.1) - 0.8).abs() < 0.02);
        assert!((see(200, 0.4) - 0.8).abs() < 0.02);
        // The ring has hardly changed: nothing is learned.
        let before = see(300, 0.41);
        assert!((before - 0.8).abs() < 0.02);
    }
}
