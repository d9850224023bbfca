//! Where person, document and phone are at a moment.

use super::actor::Actor;
use super::chance::drift;
use crate::base::time::Moment;
use std::time::Duration;

/// A value on its way, eased.
#[derive(Clone, Copy, Debug)]
pub(super) struct Glide {
    from: f32,
    /// Where it goes.
    pub(super) to: f32,
    start: Moment,
    span_s: f32,
}

impl Glide {
    pub(super) const fn at(value: f32) -> Self {
        Self {
            from: value,
            to: value,
            start: Moment::ZERO,
            span_s: 0.0,
        }
    }

    pub(super) fn value(&self, now: Moment) -> f32 {
        let t = if self.span_s > 0.0 {
            (now.since(self.start).as_secs_f32() / self.span_s).min(1.0)
        } else {
            1.0
        };
        self.from + (self.to - self.from) * t * t * (3.0 - 2.0 * t)
    }

    pub(super) fn go(&mut self, now: Moment, to: f32, span_s: f32) {
        *self = Self {
            from: self.value(now),
            to,
            start: now,
            span_s,
        };
    }
}

/// Where everything is. Pixels are those of a picture 1280 wide; shares are of the frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Pose {
    /// The person, if in view.
    pub(super) person: Option<PersonPose>,
    /// The bystander, if in view.
    pub(super) bystander: Option<PersonPose>,
    /// The document, if in view.
    pub(super) document: Option<HeldPose>,
    /// The phone, if in view.
    pub(super) phone: Option<HeldPose>,
}

/// Where the person is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PersonPose {
    /// Middle between the eyes, as shares of width and height.
    pub(super) position: [f32; 2],
    /// Sway and way in from the side, in pixels.
    pub(super) shift_px: [f32; 2],
    /// Distance between the eyes in pixels.
    pub(super) inter_eye_px: f32,
    /// How far the head is turned, in degrees.
    pub(super) turn_deg: f32,
    /// The eyes are closed.
    pub(super) eyes_closed: bool,
}

/// How a flat thing is held.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct HeldPose {
    /// Its middle, as shares of width and height.
    pub(super) position: [f32; 2],
    /// Tremble, in pixels.
    pub(super) shift_px: [f32; 2],
    /// Width against the scene's, as a factor.
    pub(super) nearer: f32,
    /// Tilt in degrees, as in the scene.
    pub(super) tilt_deg: [f32; 3],
    /// How far it is up: 0 below the frame, 1 in place.
    pub(super) up: f32,
    /// The back is shown.
    pub(super) back: bool,
    /// A finger lies on it.
    pub(super) finger: bool,
    /// How far it moved while the frame was exposed, in pixels.
    pub(super) moved_px: [f32; 2],
}

impl Actor {
    /// Where everything is at `now`, and how far the hands moved in the exposure before it.
    pub(super) fn exposed(&self, now: Moment, exposure: Duration) -> Pose {
        let mut pose = self.pose(now);
        let nanos = u64::try_from(exposure.as_nanos()).unwrap_or(0);
        let before = self.pose(Moment::from_nanos(now.as_nanos().saturating_sub(nanos)));
        for (held, before) in [
            (&mut pose.document, &before.document),
            (&mut pose.phone, &before.phone),
        ] {
            if let (Some(held), Some(before)) = (held, before) {
                held.moved_px = [0, 1].map(|i| held.shift_px[i] - before.shift_px[i]);
            }
        }
        pose
    }

    /// Where everything is at `now`.
    pub(super) fn pose(&self, now: Moment) -> Pose {
        let seconds = now.since(self.started).as_secs_f64();
        let (seed, scene) = (self.scene.seed, &self.scene);
        let mut pose = Pose::default();
        let present = self.present.value(now);
        if let (Some(person), true) = (&scene.person, present > 0.0) {
            let sway = person.sway_px * self.sway.value(now);
            let shift = |axis: u64| {
                let slow = drift(seed ^ (0x5157 + axis), seconds, 0.35);
                sway * (0.8 * slow + 0.2 * drift(seed ^ (0x7157 + axis), seconds, 1.3))
            };
            let aside = self.face_aside.value(now);
            let middle = [0.5, 0.42];
            let position = [0, 1].map(|i| middle[i] + (person.position[i] - middle[i]) * aside);
            pose.person = Some(PersonPose {
                position,
                shift_px: [shift(0) + (1.0 - present) * 1100.0, shift(1) * 0.5],
                inter_eye_px: person.inter_eye_px * self.face_nearer.value(now),
                turn_deg: person.turn_deg * self.turned.value(now),
                eyes_closed: self.eyes_closed,
            });
        }
        let there = present * self.bystander.value(now);
        if let (Some(bystander), true) = (&scene.bystander, there > 0.0) {
            pose.bystander = Some(PersonPose {
                position: bystander.position,
                shift_px: [(1.0 - there) * 900.0, 0.0],
                inter_eye_px: bystander.inter_eye_px,
                turn_deg: 0.0,
                eyes_closed: false,
            });
        }
        let tremble = |axis: u64, px: f32| {
            let slow = drift(seed ^ (0xd0c + axis), seconds, 1.1);
            px * (0.7 * slow + 0.3 * drift(seed ^ (0xe0c + axis), seconds, 5.0))
        };
        let up = self.document.value(now);
        if let (Some(document), true) = (&scene.document, up > 0.0) {
            let px = document.jitter_px * self.tremble.value(now);
            let aside = self.held_aside.value(now);
            let (tilt, turn) = (self.held_tilt.value(now), self.held_turn.value(now));
            let wave = |axis: u64| 0.15 * tremble(axis, px);
            pose.document = Some(HeldPose {
                position: [0, 1].map(|i| 0.5 + (document.position[i] - 0.5) * aside),
                shift_px: [tremble(0, px), tremble(1, px)],
                nearer: self.held_nearer.value(now),
                tilt_deg: [
                    document.tilt_deg[0] * tilt + turn + wave(2),
                    document.tilt_deg[1] * tilt + wave(3),
                    document.tilt_deg[2] * tilt,
                ],
                up,
                back: self.back,
                finger: self.finger && !self.back,
                moved_px: [0.0; 2],
            });
        }
        let up = self.phone.value(now);
        if up > 0.0 && scene.ticket.is_some() {
            pose.phone = Some(HeldPose {
                position: [0.5, 0.5],
                shift_px: [tremble(7, 2.0), tremble(8, 2.0)],
                nearer: 1.0,
                tilt_deg: [
                    1.5 + tremble(9, 0.4),
                    -1.0 + tremble(10, 0.4),
                    0.2 + tremble(11, 0.3),
                ],
                up,
                back: false,
                finger: false,
                moved_px: [0.0; 2],
            });
        }
        pose
    }
}
