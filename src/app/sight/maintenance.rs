//! What vision does for the self-test and for a technician, while no session runs: the ring is held at levels, the lights are measured by
//! the camera, one frame is looked at for whoever aims it.

use super::idle_light::{IdleLight, Step};
use crate::app::eye::Eye;
use crate::app::senses::Senses;
use crate::base::frame::Frame;
use crate::base::latest::Latest;
use crate::base::time::Moment;
use crate::hal::{CameraControls, LightLevels};
use crate::perception::observation::{LitFrom, Seen, VisionTask};
use crate::perception::vision::{Vision, scene_light};
use crate::technician::characters;
use crate::technician::selftest::lights::{LightFigures, LightProbe, NoLightFigures, halves_of};
use crossbeam_channel::Sender;

/// What is asked of vision beside the session; but for the last only in maintenance.
#[derive(Debug)]
pub enum Ask {
    /// The lights are measured by the camera; the answer comes when it is known.
    MeasureLights(Sender<Result<LightFigures, NoLightFigures>>),
    /// The ring is set to these levels whatever the scene is; `None`: as the scene says.
    Shine(Option<LightLevels>),
    /// What the next frame looks like, with a face in it if there is one.
    Look(Sender<LiveLook>),
    /// The light in the next frame, whatever else it is looked at for ([`Halves::per_ms`](crate::technician::selftest::lights::Halves::per_ms));
    /// also while no maintenance is.
    MeasureRoom(Sender<f32>),
}

/// One frame for a technician who aims the camera.
#[derive(Clone, Debug)]
pub struct LiveLook {
    /// The picture in characters, [`characters::COLUMNS`] wide.
    pub lines: Vec<String>,
    /// Mean luminance of the frame, 0..=1.
    pub mean: f32,
    /// The largest face: distance of the eyes in pixels; yaw, pitch and roll of the head in degrees.
    pub face: Option<(f32, [f32; 3])>,
    /// Faces in the frame.
    pub n_faces: usize,
}

/// What is under way.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// Levels that are held whatever the scene is.
    held: Option<LightLevels>,
    /// The lights are being measured, for whom.
    probe: Option<(LightProbe, Sender<Result<LightFigures, NoLightFigures>>)>,
    look: Option<Sender<LiveLook>>,
    /// The room's light is being measured, for whom.
    room: Option<(IdleLight, Sender<f32>)>,
    /// The light is the scene's again, and has to be set anew.
    again: bool,
}

impl Work {
    /// Who tests the light has it alone; the scene's comes back afterwards.
    pub(super) const fn has_light(&self) -> bool {
        self.held.is_some() || self.probe.is_some()
    }

    /// Begins what is asked. `controls`: the camera's at present.
    pub(super) fn begin(
        &mut self,
        ask: Ask,
        controls: CameraControls,
        wanted: &Latest<LightLevels>,
        now: Moment,
    ) {
        match ask {
            Ask::Shine(levels) => {
                self.held = levels;
                match levels {
                    Some(levels) => drop(wanted.put(levels)),
                    None => self.again = true,
                }
            }
            Ask::MeasureLights(answer) => {
                let probe = LightProbe::new(controls, now);
                wanted.put(probe.levels());
                self.probe = Some((probe, answer));
            }
            Ask::Look(answer) => self.look = Some(answer),
            Ask::MeasureRoom(answer) => self.room = Some((IdleLight::default(), answer)),
        }
    }

    /// Ends a measurement whose time is over; gives, once, whether the scene's light has to be set anew.
    pub(super) fn gives_back_light(&mut self, now: Moment) -> bool {
        if let Some((probe, _)) = &self.probe
            && let Some(done) = probe.turn(now)
        {
            self.end_probe(done);
        }
        std::mem::take(&mut self.again)
    }

    /// Looks at a frame that was taken with `controls`; gives whether it was for this and not for the session.
    ///
    /// # Errors
    /// If a net cannot be run.
    pub(super) fn see(
        &mut self,
        frame: &Frame,
        controls: CameraControls,
        vision: &mut Vision,
        eye: &Eye,
        wanted: &Latest<LightLevels>,
        senses: &Senses,
    ) -> anyhow::Result<bool> {
        if self.probe.is_some() {
            self.show_probe(frame, eye, wanted, senses);
            return Ok(true);
        }
        self.show_room_probe(frame, controls, eye);
        let Some(answer) = self.look.take() else {
            return Ok(false);
        };
        // Who has given up waiting needs no answer.
        let _ = answer.try_send(live_look(frame, vision)?);
        Ok(true)
    }

    fn show_probe(
        &mut self,
        frame: &Frame,
        eye: &Eye,
        wanted: &Latest<LightLevels>,
        senses: &Senses,
    ) {
        let meta = frame.meta;
        let taken_with = meta.exposure_us.zip(meta.gain);
        let controls = taken_with.map(|(exposure_us, gain)| CameraControls { exposure_us, gain });
        let Some((probe, _)) = &mut self.probe else {
            return;
        };
        let light = probe.moments(meta.captured).map(|at| senses.levels_at(at));
        let before = (probe.levels(), probe.controls());
        let done = probe.frame(halves_of(&frame.view()), meta.captured, controls, light);
        if probe.controls() != before.1 {
            eye.controls.put(probe.controls());
        }
        if done.is_none() && probe.levels() != before.0 {
            wanted.put(probe.levels());
        }
        if let Some(done) = done {
            self.end_probe(done);
        }
    }

    fn show_room_probe(&mut self, frame: &Frame, taken_with: CameraControls, eye: &Eye) {
        let Some((probe, answer)) = &mut self.room else {
            return;
        };
        match probe.frame(halves_of(&frame.view()), taken_with) {
            Step::Wait => {}
            Step::Set(controls) => drop(eye.controls.put(controls)),
            Step::Done(light) => {
                // Who has given up waiting needs no answer.
                let _ = answer.try_send(light);
                self.again |= probe.has_changed();
                self.room = None;
            }
        }
    }

    fn end_probe(&mut self, done: Result<LightFigures, NoLightFigures>) {
        if let Some((_, answer)) = self.probe.take() {
            // Who has given up waiting needs no answer.
            let _ = answer.try_send(done);
        }
        self.again = true;
    }
}

fn live_look(frame: &Frame, vision: &mut Vision) -> anyhow::Result<LiveLook> {
    let Seen::Face(face) = vision.look(frame.view(), VisionTask::Face, LitFrom::Both)? else {
        anyhow::bail!("looked for a face, and something else came back");
    };
    Ok(LiveLook {
        lines: characters::of(&frame.view()),
        mean: scene_light(&frame.view()).mean,
        face: face.primary.as_ref().map(|p| {
            let pose = p.pose;
            (p.inter_eye_px, [pose.yaw, pose.pitch, pose.roll])
        }),
        n_faces: face.n_faces,
    })
}
