//! How vision steers ring and camera: the recipe of a scene, the room's light before the first step, another recipe where something is wrong
//! with the light, and one turn of the loop for each look.

use super::Sight;
use crate::base::frame::Frame;
use crate::base::time::Moment;
use crate::guidance::exposure::{
    ExposureAction, ExposureLoop, Measurement, Probing, RoomProbe, TILES,
};
use crate::guidance::light::cause::{Answer, CauseWatch, Signs};
use crate::hal::{CameraControls, LightLevels};
use crate::perception::observation::{DocumentProblem, SceneLight, Seen, VisionTask};
use crate::perception::vision::linear_tiles;
use crate::session::view::LightScene;
use std::time::Duration;

/// Mean of the frame's middle that is aimed at while there is no face or document to measure: with a bright window behind the
/// person, the whole frame's mean would make everything that matters too dark.
const SCENE_TARGET: f32 = 0.42;
/// What was found a moment ago is likely still there, and the light set for it: the frame's middle is waited for so long, and three times
/// as long before it makes anything brighter, as a document or a face is brighter than the room behind it. Not where the frame's middle is
/// so bright that nothing could be found.
const FRAME_COUNTS_AFTER: Duration = Duration::from_millis(500);
const GLARING: f32 = 0.75;
/// A half of a face with this mean is cut off at full scale.
const CUT_OFF: f32 = 0.95;
/// A background with this mean is mostly cut off at full scale.
const BACKLIT: f32 = 0.8;

impl Sight {
    /// Sets the light for a scene; gives where the loop begins.
    pub(super) fn set_scene(&mut self, scene: LightScene, now: Moment) -> Option<ExposureAction> {
        // Checked in `new`.
        let recipe = *self.light.recipe(scene.recipe()).ok()?;
        let is_of_session = |s: LightScene| s.is_for_document() || s.is_for_face();
        let goes_on = is_of_session(self.scene) && is_of_session(scene) && self.found_at.is_some();
        (self.scene, self.recipe) = (scene, scene.recipe());
        self.cause = CauseWatch::default();
        (self.scene_from, self.found_at) = (None, None);
        let before = self.control.begin();
        let new = ExposureLoop::new(
            &self.camera,
            self.exposure.mains_hz,
            recipe.levels(),
            recipe.white_range(),
        );
        self.control = if goes_on {
            // The room is as bright as it was a moment ago.
            new.after(&self.control, before.controls, before.levels)
        } else {
            new.in_room(self.room)
        };
        self.begin_probe(now);
        self.probe_wants().or(Some(self.control.begin()))
    }

    /// Measures the room, once in a session, when its first step begins: at the consent a phone with a screen of its own may be in the picture.
    pub(super) fn begin_probe(&mut self, now: Moment) {
        let is_step = matches!(self.task, VisionTask::Document | VisionTask::Face);
        if self.is_open || self.is_room_known || !is_step {
            return;
        }
        let begin = self.control.begin();
        let shortest_us = self.camera.exposure_us.map_or(u32::MAX, |(from, _)| from);
        self.probe = Some(RoomProbe::new(
            now,
            begin.controls,
            begin.levels,
            shortest_us,
        ));
    }

    /// What the measurement of the room wants of ring and camera, while there is one.
    pub(super) fn probe_wants(&self) -> Option<ExposureAction> {
        let (controls, levels) = self.probe?.wants();
        Some(ExposureAction {
            controls,
            levels,
            ..self.control.begin()
        })
    }

    /// One turn of the room's measurement, if there is one.
    pub(super) fn measure_room(&mut self, frame: &Frame, taken: &Taken) -> Option<ExposureAction> {
        let probe = self.probe.as_mut()?;
        let tiles = linear_tiles::<8, 6, TILES>(&frame.view());
        let seen = probe.see(taken.at, &tiles, taken.controls, taken.levels, taken.since);
        if let Probing::Done(found) = seen {
            (self.probe, self.is_room_known) = (None, true);
            self.room = found.unwrap_or(self.room);
            self.control = self.control.clone().in_room(self.room);
            let known = found.is_some();
            tracing::info!(
                known,
                in_levels_of_the_ring = self.room,
                "light of the room"
            );
            return Some(self.control.begin());
        }
        self.probe_wants()
    }

    /// Another recipe, where what is wrong with the light asks for one; the picture stays about as bright.
    pub(super) fn answer(&mut self, seen: &Seen, taken: &Taken) {
        let Some(answer) = self.cause.see(signs(seen), taken.at) else {
            return;
        };
        let scene = match (answer, self.scene) {
            (Answer::LeftOnly, _) => LightScene::DocumentLeft,
            (Answer::RightOnly, _) => LightScene::DocumentRight,
            (Answer::Strong, _) => LightScene::FaceStrong,
            (Answer::Usual, scene) => scene,
        };
        if let Ok(recipe) = self.light.recipe(scene.recipe()) {
            self.recipe = scene.recipe();
            self.control = ExposureLoop::new(
                &self.camera,
                self.exposure.mains_hz,
                recipe.levels(),
                recipe.white_range(),
            )
            .after(&self.control, taken.controls, taken.levels);
            tracing::info!(recipe = self.recipe, "light");
        }
    }

    /// One turn of the loop: what is measured depends on the scene.
    pub(super) fn control(
        &mut self,
        seen: &Seen,
        scene: SceneLight,
        taken: &Taken,
    ) -> Option<ExposureAction> {
        let at = taken.at;
        let from = *self.scene_from.get_or_insert(at);
        let found = match seen {
            Seen::Face(face) if self.scene.is_for_face() => face
                .primary
                .as_ref()
                .filter(|p| p.light.mean > 0.0 && p.is_certain())
                .map(|p| {
                    // Of the face, not of a window behind it.
                    let is_cut_off = p.light.left.max(p.light.right) > CUT_OFF;
                    (
                        p.light.mean,
                        Some((p.light.left, p.light.right)),
                        if is_cut_off { 1.0 } else { 0.0 },
                        self.exposure.face_mean,
                    )
                }),
            Seen::Document(o) if self.scene.is_for_document() => {
                (o.corners.is_some() && o.luminance > 0.0).then_some((
                    o.luminance,
                    None,
                    o.glare_share,
                    self.exposure.document_mean,
                ))
            }
            _ => return None,
        };
        // A document that hides the face is no darker or brighter room.
        if found.is_some() || matches!(seen, Seen::Face(face) if face.document_in_hand) {
            self.found_at = Some(at);
        }
        let alone_for = at.since(self.found_at.unwrap_or(from));
        let patience = match scene.centre {
            c if c > GLARING => Duration::ZERO,
            c if c > SCENE_TARGET => FRAME_COUNTS_AFTER,
            _ => 3 * FRAME_COUNTS_AFTER,
        };
        if found.is_none() && alone_for < patience {
            return Some(self.control.begin());
        }
        if found.is_some() != self.was_found {
            self.was_found = found.is_some();
            self.control.look_elsewhere();
        }
        let (mean, halves, bright_share, target) =
            found.unwrap_or((scene.centre, None, 0.0, SCENE_TARGET));
        let measurement = Measurement {
            at,
            mean,
            halves,
            bright_share,
            controls: taken.controls,
            levels: taken.levels,
            since: taken.since,
        };
        Some(self.control.step(&measurement, target))
    }
}

/// What a frame was taken with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    /// When.
    pub(super) at: Moment,
    pub(super) controls: CameraControls,
    pub(super) levels: LightLevels,
    /// Since when both had been in effect.
    pub(super) since: Moment,
}

/// Since when a camera has taken frames with what it says. It is told one thing and may say another: the driver rounds, or clamps. So a change of
/// what it says counts, from when it was told of it on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Since {
    says: CameraControls,
    from: Moment,
    told_at: Moment,
}

impl Since {
    pub(super) const fn new(says: CameraControls) -> Self {
        Self {
            says,
            from: Moment::ZERO,
            told_at: Moment::ZERO,
        }
    }

    /// The camera is told something else at this moment.
    pub(super) const fn told(&mut self, now: Moment) {
        self.told_at = now;
    }

    /// A frame was captured with these, as the camera says: gives since when.
    pub(super) fn see(&mut self, says: CameraControls, captured: Moment) -> Moment {
        if says != self.says {
            // A frame from before the newest change shows an older one, of which it is not known when it came.
            self.from = self.told_at.min(captured);
            self.says = says;
        }
        self.from
    }
}

/// What a frame says about the light.
fn signs(seen: &Seen) -> Signs {
    match seen {
        Seen::Document(o) => Signs {
            glare: o.problem == Some(DocumentProblem::Glare) || o.glare_hides,
            // What was read of two pictures was not read of this one: another pair is another witness.
            unread: o.corners.is_some()
                && (o.reading.is_none() || o.glare_hides || o.combined.is_some()),
            backlit: false,
        },
        Seen::Face(face) => Signs {
            backlit: face.primary.as_ref().is_some_and(|p| {
                p.is_certain() && p.light.background > BACKLIT && p.light.mean < BACKLIT
            }),
            ..Signs::default()
        },
        Seen::Nothing | Seen::Code(_) => Signs::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_counts_from_when_the_camera_was_told_whatever_it_makes_of_it() {
        let at = Moment::from_millis;
        let says = |exposure_us: u32| CameraControls {
            exposure_us,
            gain: 1.0,
        };
        let mut since = Since::new(says(10_000));
        assert_eq!(since.see(says(10_000), at(100)), Moment::ZERO);
        // It was asked for 7038.
        since.told(at(150));
        assert_eq!(since.see(says(10_000), at(140)), Moment::ZERO);
        assert_eq!(since.see(says(7_000), at(180)), at(150));
        assert_eq!(since.see(says(7_000), at(400)), at(150));
        // Told twice; a frame with the first of them, captured before the second.
        since.told(at(410));
        since.told(at(500));
        assert_eq!(since.see(says(5_000), at(450)), at(450));
        assert_eq!(since.see(says(2_000), at(520)), at(500));
        // Rounded to what it was: nothing has changed.
        since.told(at(600));
        assert_eq!(since.see(says(2_000), at(700)), at(500));
    }
}
