//! Attempts over several sessions, a document that is kept for the next ticket, more time: what a person meets who comes again.

use super::event::Event;
use super::state::State;
use super::tests::{Bench, mrz};
use crate::base::ids::SessionId;
use crate::base::terms::Purpose;
use crate::guidance::model::{ResultSign, Screen};
use crate::hal::{Button, ButtonAction, ButtonEvent, DeviceFault, DeviceKind};
use crate::perception::observation::{Seen, VisionTask};
use crate::trust::ticket::Ticket;
use serde_json::json;

/// A session with another face: it fails and uses up an attempt.
fn fail(b: &mut Bench) {
    b.go_to_document();
    b.read_document(&mrz(), 2);
    b.show_face(0.2, 10);
    assert_eq!(b.stored.last().expect("an outcome")["uses_attempt"], true);
}

fn back_to_idle(b: &mut Bench) {
    b.press(Button::Confirm);
    assert_eq!(b.screen(), Screen::Idle);
}

#[test]
fn after_five_failures_in_a_row_the_next_attempt_waits_thirty_seconds() {
    let mut b = Bench::new();
    for n in 1..=5u32 {
        fail(&mut b);
        let limits = &b.stored.last().expect("an outcome")["attempt_limits"];
        let wait_s = if n < 5 { 0 } else { 30 };
        let expected = json!({"failures": n, "left": 5 - n, "wait_s": wait_s});
        assert_eq!(*limits, expected);
        let ui = b.session.ui(b.at);
        let (left, again) = if n < 5 {
            (Some(5 - n as u8), None)
        } else {
            (None, Some(30))
        };
        assert_eq!((ui.attempts_left, ui.again_in_s), (left, again), "{n}");
        back_to_idle(&mut b);
    }
    // Too early: no place is reserved, so the ticket stays good.
    b.wait(9_000);
    b.show_code("good");
    assert_eq!(b.screen(), Screen::Result(ResultSign::TryLater));
    let left = b.session.ui(b.at).again_in_s.expect("a countdown");
    assert!((19..=21).contains(&left), "{left}");
    assert_eq!((b.stored.len(), b.n_reserved), (5, 5));
    b.wait(u64::from(left) * 1000 - 1_000);
    assert_eq!(b.session.ui(b.at).again_in_s, Some(1));
    b.wait(1_200);
    // The code is still in view, and now it is taken.
    fail(&mut b);
    assert_eq!(
        b.stored.last().expect("an outcome")["attempt_limits"],
        json!({"failures": 6, "left": 0, "wait_s": 30})
    );
}

#[test]
fn a_long_countdown_keeps_nobody_else_out() {
    let mut house = super::tests::house();
    house.policy.attempts.cooldown_s = 3_600;
    let mut b = Bench::of(house);
    for _ in 0..5 {
        fail(&mut b);
        back_to_idle(&mut b);
    }
    b.show_code("good");
    assert_eq!(b.screen(), Screen::Result(ResultSign::TryLater));
    assert!(!b.session.is_serving(), "uploads need not wait");
    b.wait(60_100);
    assert_eq!(b.screen(), Screen::Idle);
    // Somebody else.
    b.ticket = |purpose| {
        let mut ticket = super::tests::ticket(purpose);
        ticket.claims.session = SessionId::from_parts(2, [8; 10]);
        ticket.claims.reference = None;
        ticket
    };
    b.go_to_document();
}

#[test]
fn a_success_forgets_the_failures_before_it() {
    let mut b = Bench::new();
    for _ in 0..4 {
        fail(&mut b);
        back_to_idle(&mut b);
    }
    b.go_to_document();
    b.read_document(&mrz(), 2);
    b.show_face(0.8, 5);
    let outcome = b.stored.last().expect("an outcome");
    assert_eq!(outcome["result"], "verified");
    assert_eq!(
        outcome["attempt_limits"],
        json!({"failures": 0, "left": 5, "wait_s": 0})
    );
    assert_eq!(b.session.ui(b.at).attempts_left, None);
}

#[test]
fn after_fifty_failures_only_staff_helps() {
    let mut b = Bench::new();
    fail(&mut b);
    for standing in b.standings.values_mut() {
        standing.failures = 50;
    }
    back_to_idle(&mut b);
    b.show_code("good");
    assert_eq!(b.screen(), Screen::Result(ResultSign::SeeStaff));
    assert!(b.session.ui(b.at).reference.is_some());
    assert_eq!((b.stored.len(), b.n_reserved), (1, 1));
    back_to_idle(&mut b);
    // The code that stays in view is not looked up again and again.
    b.show_code("good");
    assert_eq!(b.screen(), Screen::Idle);
}

/// Ends the face step without a face, as often as it takes; the document was read before.
fn leave_face_open(b: &mut Bench) {
    for _ in 0..3 {
        assert_eq!(b.session.vision_task(), VisionTask::Face);
        b.see(Seen::Face(Box::default()));
        b.wait(31_000);
        if matches!(b.session.state(), State::Retry { .. }) {
            b.press(Button::Confirm);
        }
    }
    let outcome = b.stored.last().expect("an outcome");
    assert_eq!(
        (&outcome["result"], &outcome["reasons"][0]["code"]),
        (&json!("inconclusive"), &json!("face.not_found"))
    );
}

#[test]
fn the_next_ticket_of_the_session_goes_on_with_the_face() {
    let mut b = Bench::new();
    b.go_to_document();
    b.read_document(&mrz(), 2);
    leave_face_open(&mut b);
    assert_eq!(b.portrait_kept.as_deref(), Some("L898902C3"));
    back_to_idle(&mut b);
    b.show_code("good");
    b.press(Button::Confirm);
    assert_eq!(b.session.vision_task(), VisionTask::Face);
    assert_eq!(b.portrait_of.as_deref(), Some("L898902C3"));
    b.show_face(0.8, 5);
    let outcome = b.stored.last().expect("an outcome");
    assert_eq!(outcome["result"], "verified");
    assert_eq!(outcome["resumed"], json!(["document"]));
    assert_eq!(outcome["fields"]["birth_date"], "match");
    assert_eq!(b.portrait_kept, None, "nothing is kept of who is done");
    // And once only: the next one begins with the document.
    back_to_idle(&mut b);
    b.go_to_document();
}

#[test]
fn the_claims_of_the_next_ticket_are_compared_anew() {
    let mut b = Bench::new();
    b.go_to_document();
    b.read_document(&mrz(), 2);
    leave_face_open(&mut b);
    back_to_idle(&mut b);
    b.ticket = |purpose: Purpose| -> Box<Ticket> {
        let mut ticket = super::tests::ticket(purpose);
        ticket
            .claims
            .claim(crate::base::terms::Field::BirthDate, "740813");
        ticket
    };
    b.show_code("good");
    b.press(Button::Confirm);
    b.show_face(0.8, 5);
    let outcome = b.stored.last().expect("an outcome");
    assert_eq!(
        outcome["reasons"][0]["code"], "data.mismatch.birth_date",
        "{}",
        outcome["reasons"]
    );
}

#[test]
fn nothing_is_kept_for_others_or_for_longer_than_the_policy_says() {
    let begin = || {
        let mut b = Bench::new();
        b.go_to_document();
        b.read_document(&mrz(), 2);
        leave_face_open(&mut b);
        back_to_idle(&mut b);
        assert!(b.portrait_kept.is_some());
        b
    };
    // Time.
    let mut b = begin();
    b.wait(300_000);
    assert_eq!(b.portrait_kept, None);
    b.go_to_document();
    // Another session's ticket.
    let mut b = begin();
    b.ticket = |purpose| {
        let mut ticket = super::tests::ticket(purpose);
        ticket.claims.session = SessionId::from_parts(2, [8; 10]);
        ticket
    };
    b.show_code("good");
    assert_eq!(b.portrait_kept, None);
    b.press(Button::Confirm);
    assert_eq!(b.session.vision_task(), VisionTask::Document);
    // Practice.
    let mut b = begin();
    b.press(Button::Cancel);
    assert_eq!(b.portrait_kept, None);
    // A ticket that does not take the document.
    let mut b = begin();
    b.ticket = |purpose| {
        let mut ticket = super::tests::ticket(purpose);
        ticket.claims.documents = vec![crate::base::terms::DocumentKind::Td1];
        ticket
    };
    b.show_code("good");
    assert_eq!(b.portrait_kept, None);
}

#[test]
fn nothing_is_kept_of_a_document_that_something_speaks_against() {
    // Another face, other data, a refuted check digit: those sessions are decided.
    let mut b = Bench::new();
    fail(&mut b);
    assert_eq!(b.portrait_kept, None);
    // A camera that fails in the face step is the booth's matter: the document is kept.
    let mut b = Bench::new();
    b.go_to_document();
    b.read_document(&mrz(), 2);
    let error = std::io::Error::from_raw_os_error(19);
    b.send(Event::Fault(DeviceFault::from_errno(
        DeviceKind::Camera,
        "/dev/video0",
        "read",
        &error,
    )));
    assert_eq!(b.stored[0]["result"], "aborted_equipment");
    assert!(b.portrait_kept.is_some());
    // A refuted check digit goes on to the face; cancelled there, it is not kept.
    let mut b = Bench::new();
    b.go_to_document();
    let mut refuted = mrz();
    refuted.checks.composite = crate::perception::document::mrz::CheckResult::Refuted;
    b.read_document(&refuted, 4);
    assert_eq!(b.session.vision_task(), VisionTask::Face);
    b.press(Button::Cancel);
    assert_eq!((b.stored.len(), b.portrait_kept.as_ref()), (1, None));
}

fn hold(b: &mut Bench, button: Button) {
    let event = |action, at| Event::Button(ButtonEvent { button, action, at });
    b.send(event(ButtonAction::Pressed, b.at));
    b.wait(2_050);
    b.send(event(ButtonAction::Released, b.at));
}

#[test]
fn more_time_by_button_or_by_ticket_doubles_every_step() {
    let seconds = |b: &Bench| b.session.ui(b.at).seconds_left;
    // As usual.
    let mut b = Bench::new();
    b.go_to_document();
    assert_eq!(
        (seconds(&b), b.session.ui(b.at).more_time),
        (Some(45), false)
    );
    // Held while the first screen is shown, before there is a session.
    let mut b = Bench::new();
    hold(&mut b, Button::Confirm);
    assert!(b.session.ui(b.at).more_time);
    b.go_to_document();
    assert_eq!(seconds(&b), Some(90));
    b.read_document(&mrz(), 2);
    assert_eq!(seconds(&b), Some(60));
    b.show_face(0.8, 5);
    assert_eq!(b.stored[0]["extended_time"], true);
    // The next person has the usual time.
    b.wait(20_000);
    b.go_to_document();
    assert_eq!(seconds(&b), Some(45));
    // In the middle of a step.
    hold(&mut b, Button::Confirm);
    assert_eq!(seconds(&b), Some(88));
    // By ticket.
    let mut b = Bench::new();
    b.ticket = |purpose| {
        let mut ticket = super::tests::ticket(purpose);
        ticket.claims.extended_time = true;
        ticket
    };
    b.go_to_document();
    assert_eq!(seconds(&b), Some(90));
}

#[test]
fn whoever_calls_for_help_hands_over_what_was_tried() {
    let mut b = Bench::new();
    b.go_to_document();
    b.read_document(&mrz(), 2);
    b.see(Seen::Face(Box::default()));
    b.wait(31_000);
    b.press(Button::Confirm);
    hold(&mut b, Button::Cancel);
    assert_eq!(b.screen(), Screen::HandOver);
    let outcome = b.stored.last().expect("an outcome");
    assert_eq!(outcome["reasons"][0]["code"], "staff.assisted");
    assert_eq!(outcome["disposition"], "retry_attended");
    assert_eq!(outcome["uses_attempt"], false);
    let failed = &outcome["failed_tries"][0];
    assert_eq!(
        (&failed["step"], &failed["reason"]),
        (&json!("face"), &json!("face.not_found"))
    );
    // The reference that the person quotes is the outcome's.
    let quoted = b.session.ui(b.at).reference.expect("a number").0;
    assert_eq!(outcome["reference"], quoted.as_str());
    // The document stays read for whoever goes on.
    assert!(b.portrait_kept.is_some());
}
