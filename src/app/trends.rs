//! What feeds the trends, and who is told of them. Threads hand in samples and never wait; the upkeep's thread keeps them.
//!
//! | measure | measured by | when |
//! |---|---|---|
//! | sharpness, room light | camera's and vision's thread, asked by the upkeep | every 30 s while the idle screen has stood for 10 s and nobody has the booth |
//! | noise floor | microphone's thread: the level of a second | the same |
//! | left and right side of the ring | the self-test of the lights | once a day, and when asked |
//! | processor, low supply, disk life | the upkeep's look at sensors and disk | every 5 s |
//! | face luminance, document sharpness | vision's thread | the end of a session |

use super::eye::Eye;
use super::maintenance::{Desk, Standing};
use super::senses::Senses;
use super::sight::Ask;
use crate::base::time::{Moment, SharedClock};
use crate::guidance::model::Screen;
use crate::perception::observation::{Observation, Seen};
use crate::technician::faults::Faults;
use crate::technician::trends::{Measure, Trends};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::time::Duration;

/// Samples that wait for the upkeep's thread, which comes every second; the next are dropped.
const WAITING: usize = 64;
/// How often the empty booth is looked at.
const EVERY: Duration = Duration::from_secs(30);
/// So long after a session, or after maintenance, the booth counts as empty.
const EMPTY_AFTER: Duration = Duration::from_secs(10);

/// Where figures go. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Samples(Sender<(Measure, f32)>);

impl Samples {
    /// With the other end.
    pub fn channel() -> (Self, Receiver<(Measure, f32)>) {
        let (sender, receiver) = bounded(WAITING);
        (Self(sender), receiver)
    }

    /// Hands one in. It is a sample: where there is no room, another follows.
    pub fn put(&self, measure: Measure, value: f32) {
        let _ = self.0.try_send((measure, value));
    }
}

/// The figures of the present session.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OfSession {
    /// Of the face, when the loop of light had last done what it can; 0..=1.
    face_luminance: Option<f32>,
    /// Of the sharpest document that was read.
    document_sharpness: Option<f32>,
}

impl OfSession {
    /// Vision has looked at a frame.
    pub(super) fn see(&mut self, o: &Observation) {
        match &o.seen {
            Seen::Face(face) if o.light.settled || o.light.at_limit => {
                if let Some(p) = face.primary.as_ref().filter(|p| p.is_certain()) {
                    self.face_luminance = Some(p.light.mean);
                }
            }
            Seen::Document(document) if document.reading.is_some() => {
                let so_far = self.document_sharpness.unwrap_or(0.0);
                self.document_sharpness = Some(so_far.max(document.sharpness));
            }
            _ => {}
        }
    }

    /// The session is over.
    pub(super) fn end(&mut self, samples: &Samples) {
        let it = std::mem::take(self);
        if let Some(mean) = it.face_luminance {
            samples.put(Measure::FaceLuminance, 100.0 * mean);
        }
        if let Some(sharpness) = it.document_sharpness {
            samples.put(Measure::DocumentSharpness, sharpness);
        }
    }
}

/// What the upkeep's thread keeps the trends with.
#[derive(Debug)]
pub struct TrendKeeper {
    /// The trends.
    pub trends: Trends,
    /// What the threads hand in.
    pub samples: Receiver<(Measure, f32)>,
    /// To the vision thread.
    pub asks: Sender<Ask>,
    /// The camera's side.
    pub eye: Eye,
    /// What the devices say.
    pub senses: Senses,
    /// The session.
    pub desk: Desk,
    /// The memory of faults.
    pub faults: Faults,
    /// The clock.
    pub clock: SharedClock,
}

/// What is remembered from turn to turn.
#[derive(Debug, Default)]
pub(super) struct Looking {
    /// When the empty booth was looked at last.
    looked: Option<Moment>,
    /// Vision was asked for the room's light.
    room: Option<Receiver<f32>>,
}

impl TrendKeeper {
    /// One turn: never waits for anybody.
    pub(super) fn turn(&self, looking: &mut Looking) {
        let (now, wall) = (self.clock.now(), self.clock.wall());
        for (measure, value) in self.samples.try_iter() {
            self.trends.add(measure, value, wall);
        }
        if is_empty(&self.desk.standing(), now) && self.desk.holder().is_none() {
            self.look_at_the_empty_booth(looking, now);
        } else {
            // What was asked for may show somebody.
            looking.room = None;
        }
        if let Some(looked_for) = self.trends.turn(wall) {
            self.faults.note_all(&looked_for, wall);
        }
    }

    fn look_at_the_empty_booth(&self, looking: &mut Looking, now: Moment) {
        let wall = self.clock.wall();
        if let Some(light) = looking.room.as_ref().and_then(|room| room.try_recv().ok()) {
            looking.room = None;
            self.trends.add(Measure::RoomLight, light, wall);
        }
        if looking.looked.is_some_and(|at| now.since(at) < EVERY) {
            return;
        }
        looking.looked = Some(now);
        if let Some(sharpness) = self.eye.newest().and_then(|f| f.sharpness) {
            self.trends.add(Measure::Sharpness, sharpness, wall);
        }
        if self.eye.newest().is_some() {
            let (answer, room) = bounded(1);
            looking.room = self
                .asks
                .try_send(Ask::MeasureRoom(answer))
                .is_ok()
                .then_some(room);
        }
        let readings = self.senses.read();
        if let (Some(dbfs), None) = (readings.microphone_dbfs, readings.microphone_fault) {
            self.trends.add(Measure::NoiseFloor, dbfs, wall);
        }
    }
}

/// Whether the idle screen has stood for a while.
fn is_empty(standing: &Standing, now: Moment) -> bool {
    let idle = standing
        .ui
        .as_ref()
        .is_some_and(|ui| ui.screen == Screen::Idle);
    idle && !standing.serving && now.since(standing.since) >= EMPTY_AFTER
}

#[cfg(test)]
mod tests;
