//! The person follows the panel.

use super::super::actor::{Actor, Ending, Happening};
use super::super::scene::Scene;
use super::*;
use crate::hal::{Button, ButtonAction};
use std::time::Duration;

struct Play {
    actor: Actor,
    now: Moment,
}

impl Play {
    fn new(text: &str) -> Self {
        let base = "name = \"x\"\n[person]\nlayers = \"p\"\n[document]\npicture = \"d\"\nback = \"e\"\nsize_mm = [125.0, 88.0]\ntilt_deg = [12.0, 0.0, 0.0]\n";
        let scene = Scene::parse(Path::new("x.toml"), &format!("{base}{text}"))
            .unwrap_or_else(|e| panic!("{e}"));
        let now = Moment::from_millis(500);
        Self {
            actor: Actor::new(Arc::new(scene), now),
            now,
        }
    }

    /// Shows a screen, then lets time pass in steps of 10 ms; gives what was pressed and let go.
    fn screen(&mut self, screen: &str, ms: u64) -> Vec<(Button, ButtonAction, u64)> {
        let start = self.now;
        self.actor.see(self.now, screen);
        let mut pressed = Vec::new();
        for _ in 0..ms / 10 {
            self.now = self.now.plus(Duration::from_millis(10));
            for event in self.actor.advance(self.now) {
                if let Happening::Button(e) = event {
                    pressed.push((
                        e.button,
                        e.action,
                        u64::try_from(e.at.since(start).as_millis()).unwrap_or(u64::MAX),
                    ));
                }
            }
        }
        pressed
    }

    fn hands(&self) -> (bool, bool) {
        let pose = self.actor.pose(self.now);
        (pose.phone.is_some(), pose.document.is_some())
    }

    fn document_scale(&self) -> f32 {
        self.actor.pose(self.now).document.map_or(0.0, |d| d.nearer)
    }

    fn face_px(&self) -> f32 {
        self.actor
            .pose(self.now)
            .person
            .map_or(0.0, |p| p.inter_eye_px)
    }
}

#[test]
fn a_session_from_idle_to_idle() {
    let mut play = Play::new("[ticket]\n");
    play.screen("idle", 350);
    assert_eq!(play.hands(), (false, false), "nobody is that quick");
    play.screen("idle", 1200);
    assert_eq!(play.hands(), (true, false));
    play.screen("show_ticket.show", 2000);
    assert_eq!(play.hands(), (true, false));
    let pressed = play.screen("consent", 4000);
    assert!(
        matches!(pressed[..], [(Button::Confirm, ButtonAction::Pressed, p), (Button::Confirm, ButtonAction::Released, r)] if (1200..=2700).contains(&p) && r > p),
        "{pressed:?}"
    );
    assert_eq!(play.hands(), (false, false));
    play.screen("document.show", 2000);
    assert_eq!(play.hands(), (false, true));
    play.screen("document.closer", 2000);
    assert!(play.document_scale() > 1.1);
    play.screen("document.done", 2000);
    assert_eq!(play.hands(), (false, false));
    play.screen("face.look", 2000);
    let before = play.face_px();
    play.screen("face.closer", 2000);
    assert!(play.face_px() > before * 1.1);
    play.screen("face.back", 2000);
    play.screen("working", 300);
    play.screen("result.verified", 6000);
    assert!(
        play.actor.pose(play.now).person.is_none(),
        "the person has left"
    );
    assert_eq!(play.actor.ending(), None);
    play.screen("idle", 10);
    assert_eq!(play.actor.ending(), Some(Ending::Result));
}

#[test]
fn prompts_are_followed_and_followed_again() {
    let mut play = Play::new("");
    play.screen("document.show", 2000);
    let tilt = |p: &Play| p.actor.pose(p.now).document.map_or(0.0, |d| d.tilt_deg[0]);
    let start = tilt(&play);
    play.screen("document.straight", 2000);
    assert!(tilt(&play) < start * 0.5);
    let before = tilt(&play);
    play.screen("document.glare", 2000);
    assert!((tilt(&play) - before).abs() > 3.0);
    play.screen("document.closer", 1200);
    let once = play.document_scale();
    play.screen("document.closer", 3000);
    assert!(
        play.document_scale() > once * 1.05,
        "the prompt stayed, so they come closer again"
    );
    play.screen("document.other_side", 1500);
    assert!(play.actor.pose(play.now).document.is_some_and(|d| d.back));
}

#[test]
fn quickly_changing_prompts_do_not_keep_the_hands_down() {
    let mut play = Play::new("");
    for _ in 0..5 {
        play.screen("document.show", 150);
        play.screen("document.whole_document", 150);
    }
    assert_eq!(play.hands(), (false, true));
}

#[test]
fn a_refused_ticket_is_not_shown_again() {
    let mut play = Play::new("[ticket]\n");
    play.screen("idle", 1500);
    play.screen("show_ticket.refused", 5000);
    assert_eq!(play.hands(), (false, false));
    assert!(play.actor.pose(play.now).person.is_none());
    play.screen("idle", 2000);
    assert_eq!(play.actor.ending(), Some(Ending::Refused));
}

#[test]
fn acts_replace_the_usual() {
    let mut play = Play::new(
        "[ticket]\n[[act]]\non = \"idle\"\ndo = \"press_cancel\"\nafter_ms = 100\ntimes = 1\n[[act]]\non = \"retry.*\"\ndo = \"hold_cancel\"\n",
    );
    let pressed = play.screen("idle", 1500);
    assert!(
        matches!(
            pressed[..],
            [
                (Button::Cancel, ButtonAction::Pressed, 100),
                (Button::Cancel, ButtonAction::Released, _)
            ]
        ),
        "{pressed:?}"
    );
    assert_eq!(
        play.hands(),
        (false, false),
        "no phone: the act replaced it"
    );
    let pressed = play.screen("retry.light", 5000);
    assert!(
        matches!(pressed[..], [(_, _, p), (_, ButtonAction::Released, r)] if r - p > 2000),
        "{pressed:?}"
    );
}

#[test]
fn a_quick_scene_is_quick_and_a_long_one_ends() {
    let mut play = Play::new("[ticket]\n");
    play.screen("retry.light", 400);
    let slow = play.screen("retry.light", 4000);
    let text = "[ticket]\n";
    let base = "name = \"x\"\npace = 10.0\nlongest_s = 5.0\n";
    let scene = Scene::parse(Path::new("x.toml"), &format!("{base}{text}"))
        .unwrap_or_else(|e| panic!("{e}"));
    let mut quick = Play {
        actor: Actor::new(Arc::new(scene), Moment::ZERO),
        now: Moment::ZERO,
    };
    let pressed = quick.screen("retry.light", 1000);
    assert!(
        !slow.is_empty() && matches!(pressed[..], [(_, _, p), _] if p <= 270),
        "{pressed:?}"
    );
    quick.screen("working", 6000);
    assert_eq!(quick.actor.ending(), Some(Ending::Time));
}

#[test]
fn a_booth_that_is_out_of_service_is_left() {
    let mut play = Play::new("[ticket]\n");
    play.screen("out_of_service", 6000);
    assert_eq!(play.actor.ending(), Some(Ending::OutOfService));
}
