//! The person in the virtual booth: follows the panel as people do, a moment later.
//!
//! Pure: told what the panel shows and what time it is, says what the hands do. The states are those of the panel; what is
//! done on each is in [`Actor::usual`], and a scene's `[[act]]` replaces it. People repeat what a prompt asks for as long as it stays.

use super::chance::Chance;
use super::pose::Glide;
use super::scene::{Act, ActDeed, Scene};
use crate::base::time::Moment;
use crate::hal::{Button, ButtonAction, ButtonEvent};
use std::time::Duration;

/// What the person does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    PhoneUp,
    DocumentUp,
    HandsDown,
    Press(Button),
    Release(Button),
    Leave,
    Adjust(Adjust),
}

/// What the person changes on a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Adjust {
    DocumentNearer,
    DocumentWhole,
    DocumentStraight,
    DocumentStill,
    DocumentFromGlare,
    DocumentOtherSide,
    DocumentBack,
    DocumentFront,
    FaceNearer,
    FaceFarther,
    FaceCentre,
    FaceStill,
    FaceStraight,
    EyesOpen,
    BystanderAway,
    FingerAway,
}

/// Why a scene is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The panel went back to idle after a result.
    Result,
    /// The panel went back to idle although no result was shown.
    NoResult,
    /// The ticket was refused and the person left.
    Refused,
    /// The booth was out of service and the person left.
    OutOfService,
    /// It took longer than `longest_s`.
    Time,
}

impl Ending {
    /// For the stage's answer.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Result => "result",
            Self::NoResult => "no_result",
            Self::Refused => "ticket_refused",
            Self::OutOfService => "out_of_service",
            Self::Time => "time",
        }
    }
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Happening {
    /// A button moved.
    Button(ButtonEvent),
    /// Something to be written down.
    Event(Moment, &'static str),
}

/// The person.
#[derive(Debug)]
pub(super) struct Actor {
    pub(super) scene: std::sync::Arc<Scene>,
    pub(super) started: Moment,
    chance: Chance,
    has_back: bool,
    acts_done: Vec<u32>,
    plan: Vec<(Moment, Deed)>,
    screen: String,
    /// Prompts that ask for the same again are followed again.
    again: Option<(Moment, Adjust)>,
    /// The booth went on after the ticket, or refused it: it is not shown again.
    ticket_done: bool,
    refused: bool,
    left: Option<Moment>,
    past_ticket: bool,
    resulted: bool,
    out_of_service: bool,
    ending: Option<Ending>,
    pub(super) present: Glide,
    pub(super) phone: Glide,
    pub(super) document: Glide,
    pub(super) face_nearer: Glide,
    pub(super) face_aside: Glide,
    pub(super) sway: Glide,
    pub(super) held_nearer: Glide,
    pub(super) held_aside: Glide,
    pub(super) held_tilt: Glide,
    pub(super) held_turn: Glide,
    pub(super) tremble: Glide,
    pub(super) back: bool,
    /// How much of the scene's turn of the head is left.
    pub(super) turned: Glide,
    /// Whether the eyes are (still) closed.
    pub(super) eyes_closed: bool,
    /// Whether the bystander is (still) there.
    pub(super) bystander: Glide,
    /// Whether the finger (still) lies on the document.
    pub(super) finger: bool,
}

impl Actor {
    /// The person of `scene`, who comes in at `started`.
    pub(super) fn new(scene: std::sync::Arc<Scene>, started: Moment) -> Self {
        let mut present = Glide::at(0.0);
        present.go(started, 1.0, 0.9 / scene.pace);
        Self {
            started,
            chance: Chance::new(scene.seed ^ 0x0070_6572_736f_6e00),
            has_back: scene.document.as_ref().is_some_and(|d| d.back.is_some()),
            acts_done: vec![0; scene.act.len()],
            plan: Vec::new(),
            screen: String::new(),
            again: None,
            ticket_done: false,
            refused: false,
            left: None,
            past_ticket: false,
            resulted: false,
            out_of_service: false,
            ending: None,
            present,
            phone: Glide::at(0.0),
            document: Glide::at(0.0),
            face_nearer: Glide::at(1.0),
            face_aside: Glide::at(1.0),
            sway: Glide::at(1.0),
            held_nearer: Glide::at(1.0),
            held_aside: Glide::at(1.0),
            held_tilt: Glide::at(1.0),
            held_turn: Glide::at(0.0),
            tremble: Glide::at(1.0),
            back: scene.document.as_ref().is_some_and(|d| d.back_first),
            turned: Glide::at(1.0),
            eyes_closed: scene.person.as_ref().is_some_and(|p| p.eyes_closed),
            bystander: Glide::at(1.0),
            finger: scene.document.as_ref().is_some_and(|d| d.finger.is_some()),
            scene,
        }
    }

    fn human_delay(&mut self) -> Duration {
        Duration::from_secs_f32(self.chance.between(0.4, 1.0) / self.scene.pace)
    }

    fn paced(&self, seconds: f32) -> Duration {
        Duration::from_secs_f32(seconds / self.scene.pace)
    }

    /// The panel shows `screen` since `now`.
    pub(super) fn see(&mut self, now: Moment, screen: &str) {
        if self.screen == screen || self.ending.is_some() {
            return;
        }
        let group = screen.split('.').next().unwrap_or_default();
        let same_group = self.screen.split('.').next() == Some(group);
        screen.clone_into(&mut self.screen);
        self.again = None;
        if group == "idle" && (self.resulted || self.refused || self.past_ticket) {
            self.ending = Some(match (self.resulted, self.refused) {
                (true, _) => Ending::Result,
                (false, true) => Ending::Refused,
                (false, false) => Ending::NoResult,
            });
            return;
        }
        self.resulted |= matches!(group, "result" | "hand_over");
        self.out_of_service |= group == "out_of_service";
        self.past_ticket |= !matches!(
            group,
            "starting" | "idle" | "show_ticket" | "preflight" | "out_of_service"
        );
        self.ticket_done |= self.past_ticket || screen == "show_ticket.refused";
        if self.left.is_some() {
            return;
        }
        // What was about to be done on the last screen is forgotten. But a finger that is down comes up, and prompts that
        // follow each other quickly do not keep the hands from what they all want.
        self.plan.retain(|(_, deed)| match deed {
            Deed::Release(_) => true,
            Deed::DocumentUp | Deed::HandsDown => same_group,
            _ => false,
        });
        if self.acts(now, screen) {
            return;
        }
        let delay = self.human_delay();
        self.usual(now.plus(delay), screen, group);
    }

    /// Does what `[[act]]` says; whether it said anything.
    fn acts(&mut self, now: Moment, screen: &str) -> bool {
        let matching: Vec<(usize, Act)> = self
            .scene
            .act
            .iter()
            .enumerate()
            .filter(|(i, act)| {
                names(&act.on, screen) && act.times.is_none_or(|t| self.acts_done[*i] < t)
            })
            .map(|(i, act)| (i, act.clone()))
            .collect();
        for (i, act) in &matching {
            self.acts_done[*i] += 1;
            let delay = act
                .after_ms
                .map_or_else(|| self.human_delay(), Duration::from_millis);
            let at = now.plus(delay);
            match act.deed {
                ActDeed::PressConfirm => self.press(at, Button::Confirm, 0.12),
                ActDeed::PressCancel => self.press(at, Button::Cancel, 0.12),
                ActDeed::HoldCancel => self.press(at, Button::Cancel, 2.4),
                ActDeed::ShowTicket => self.plan.push((at, Deed::PhoneUp)),
                ActDeed::ShowDocument => self.plan.push((at, Deed::DocumentUp)),
                ActDeed::HandsDown => self.plan.push((at, Deed::HandsDown)),
                ActDeed::Leave => self.plan.push((at, Deed::Leave)),
                ActDeed::Nothing => {}
            }
        }
        !matching.is_empty()
    }

    fn press(&mut self, at: Moment, button: Button, for_s: f32) {
        self.plan.push((at, Deed::Press(button)));
        self.plan.push((
            at.plus(Duration::from_secs_f32(for_s)),
            Deed::Release(button),
        ));
    }

    /// What people usually do.
    fn usual(&mut self, at: Moment, screen: &str, group: &str) {
        match group {
            "idle" | "show_ticket" if screen == "show_ticket.refused" => {
                self.refused = true;
                self.plan.push((at, Deed::HandsDown));
                let leave = at.plus(self.paced(1.5));
                self.plan.push((leave, Deed::Leave));
            }
            "idle" | "show_ticket"
                if !self.ticket_done && self.scene.ticket.is_some() && self.phone.to < 1.0 =>
            {
                self.plan.push((at, Deed::PhoneUp));
            }
            "consent" => {
                self.plan.push((at, Deed::HandsDown));
                let read = self.chance.between(0.8, 1.6);
                let pressed = at.plus(self.paced(read));
                self.press(pressed, Button::Confirm, 0.12);
            }
            "retry" => {
                self.plan.push((at, Deed::HandsDown));
                let read = self.chance.between(0.8, 1.6);
                let pressed = at.plus(self.paced(read));
                self.press(pressed, Button::Confirm, 0.12);
            }
            "document" if screen == "document.done" => self.plan.push((at, Deed::HandsDown)),
            "document" if self.scene.document.is_some() => {
                self.plan.retain(|(_, deed)| *deed != Deed::HandsDown);
                let coming = self.plan.iter().any(|(_, deed)| *deed == Deed::DocumentUp);
                if self.document.to < 1.0 && !coming {
                    self.plan.push((at, Deed::DocumentUp));
                }
                self.follow(at, screen);
            }
            "face" => {
                self.plan.push((at, Deed::HandsDown));
                self.follow(at, screen);
            }
            "preflight" | "working" => self.plan.push((at, Deed::HandsDown)),
            "result" | "hand_over" | "out_of_service" => {
                self.plan.push((at, Deed::HandsDown));
                let wait = self.chance.between(2.0, 3.0);
                let leave = at.plus(self.paced(wait));
                self.plan.push((leave, Deed::Leave));
            }
            _ => {}
        }
    }

    /// What a prompt asks for; postures that the flat layers cannot take (gaze, mouth) are not built.
    fn follow(&mut self, at: Moment, screen: &str) {
        let adjust = match screen {
            // It is up and not seen: it is held where the panel's picture has it.
            "document.show" if self.document.to >= 1.0 => Adjust::DocumentWhole,
            "document.closer" => Adjust::DocumentNearer,
            "document.whole_document" => Adjust::DocumentWhole,
            "document.straight" => Adjust::DocumentStraight,
            "document.still" => Adjust::DocumentStill,
            "document.glare" => Adjust::DocumentFromGlare,
            "document.other_side" if self.has_back => Adjust::DocumentOtherSide,
            "document.turn_to_back" if self.has_back => Adjust::DocumentBack,
            "document.turn_to_front" if self.has_back => Adjust::DocumentFront,
            "face.closer" => Adjust::FaceNearer,
            "face.back" => Adjust::FaceFarther,
            "face.centre" => Adjust::FaceCentre,
            "face.still" => Adjust::FaceStill,
            "face.straight" => Adjust::FaceStraight,
            "face.open_eyes" => Adjust::EyesOpen,
            "face.alone" => Adjust::BystanderAway,
            "document.uncover" => Adjust::FingerAway,
            _ => return,
        };
        self.plan.push((at, Deed::Adjust(adjust)));
        let turned = matches!(
            adjust,
            Adjust::DocumentOtherSide | Adjust::DocumentBack | Adjust::DocumentFront
        );
        if !turned {
            self.again = Some((at.plus(self.paced(1.5)), adjust));
        }
    }

    /// Does what is due at `now`; `longest_s` ends the scene.
    pub(super) fn advance(&mut self, now: Moment) -> Vec<Happening> {
        let mut done = Vec::new();
        if self.ending.is_none() && now.since(self.started).as_secs_f32() > self.scene.longest_s {
            self.ending = Some(Ending::Time);
        }
        if let Some((due, adjust)) = self.again
            && now >= due
        {
            self.plan.push((due, Deed::Adjust(adjust)));
            self.again = Some((due.plus(self.paced(1.5)), adjust));
        }
        self.plan.sort_by_key(|(at, _)| *at);
        while self.plan.first().is_some_and(|(at, _)| *at <= now) {
            let (at, deed) = self.plan.remove(0);
            self.perform(at, deed, &mut done);
        }
        let gone = self.left.is_some_and(|at| now >= at.plus(self.paced(1.0)));
        if gone && self.out_of_service && self.ending.is_none() {
            self.ending = Some(Ending::OutOfService);
        }
        done
    }

    fn perform(&mut self, at: Moment, deed: Deed, done: &mut Vec<Happening>) {
        let quick = 0.35 / self.scene.pace;
        let slow = 0.6 / self.scene.pace;
        let mut note = |text| done.push(Happening::Event(at, text));
        match deed {
            Deed::PhoneUp => {
                self.phone.go(at, 1.0, quick);
                note("holds the phone with the ticket before the camera");
            }
            Deed::DocumentUp => {
                self.phone.go(at, 0.0, quick);
                self.document.go(at, 1.0, quick);
                note("holds the document before the camera");
            }
            Deed::HandsDown => {
                if self.phone.to > 0.0 || self.document.to > 0.0 {
                    note("takes away what was in the hands");
                }
                self.phone.go(at, 0.0, quick);
                self.document.go(at, 0.0, quick);
            }
            Deed::Press(button) => {
                note(if button == Button::Confirm {
                    "presses Confirm"
                } else {
                    "presses Cancel"
                });
                done.push(Happening::Button(ButtonEvent {
                    button,
                    action: ButtonAction::Pressed,
                    at,
                }));
            }
            Deed::Release(button) => {
                done.push(Happening::Button(ButtonEvent {
                    button,
                    action: ButtonAction::Released,
                    at,
                }));
            }
            Deed::Leave => {
                self.phone.go(at, 0.0, quick);
                self.document.go(at, 0.0, quick);
                self.present.go(at, 0.0, 0.8 / self.scene.pace);
                self.left = Some(at);
                self.again = None;
                note("leaves");
            }
            Deed::Adjust(adjust) => {
                let (glide, change): (&mut Glide, fn(f32) -> f32) = match adjust {
                    Adjust::DocumentNearer => (&mut self.held_nearer, |v| (v * 1.15).min(2.6)),
                    Adjust::DocumentWhole => {
                        self.held_aside.go(at, 0.0, slow);
                        (&mut self.held_nearer, |v| (v * 0.93).max(0.5))
                    }
                    Adjust::DocumentStraight => (&mut self.held_tilt, |v| v * 0.3),
                    Adjust::DocumentStill => (&mut self.tremble, |v| v * 0.35),
                    Adjust::DocumentFromGlare => (&mut self.held_turn, next_turn),
                    Adjust::DocumentOtherSide => {
                        self.back = !self.back;
                        (&mut self.held_aside, |v| v)
                    }
                    Adjust::DocumentBack | Adjust::DocumentFront => {
                        self.back = adjust == Adjust::DocumentBack;
                        (&mut self.held_aside, |v| v)
                    }
                    Adjust::FaceNearer => (&mut self.face_nearer, |v| (v * 1.15).min(2.5)),
                    Adjust::FaceFarther => (&mut self.face_nearer, |v| (v / 1.15).max(0.3)),
                    Adjust::FaceCentre => (&mut self.face_aside, |_| 0.0),
                    Adjust::FaceStill => (&mut self.sway, |v| v * 0.35),
                    Adjust::FaceStraight => (&mut self.turned, |v| v * 0.2),
                    Adjust::EyesOpen => {
                        self.eyes_closed = false;
                        (&mut self.turned, |v| v)
                    }
                    Adjust::BystanderAway => (&mut self.bystander, |_| 0.0),
                    Adjust::FingerAway => {
                        self.finger = false;
                        (&mut self.held_aside, |v| v)
                    }
                };
                let to = change(glide.to);
                glide.go(at, to, slow);
                note("follows the prompt");
            }
        }
    }

    /// Why the scene is over, if it is.
    pub(super) const fn ending(&self) -> Option<Ending> {
        self.ending
    }
}

/// People try this way, then that way, a little more each time.
fn next_turn(turn: f32) -> f32 {
    if turn > 0.0 {
        (-turn - 4.0).max(-20.0)
    } else {
        (-turn + 6.0).min(20.0)
    }
}

/// Whether `pattern` (a screen's name or `group.*`) names `screen`.
pub(super) fn names(pattern: &str, screen: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => screen.starts_with(start),
        None => pattern == screen,
    }
}
