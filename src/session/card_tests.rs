//! Sessions with a resident identity card: two sides, in whatever order, and what people do wrong with them.

use super::tests::{Bench, ticket};
use crate::base::secret::Secret;
use crate::base::terms::{DocumentKind, Field, Purpose};
use crate::guidance::model::{ResultSign, Screen};
use crate::hal::Button;
use crate::perception::document::field::FieldCheck;
use crate::perception::document::gb11643;
use crate::perception::document::prc::{PrcBack, PrcChecks, PrcFront, PrcSide};
use crate::perception::observation::{
    DocumentContent, DocumentObservation, DocumentProblem, DocumentReading, PortraitObservation,
    Seen, VisionTask,
};
use crate::trust::ticket::Ticket;

const LIN: &str = "110105198703192846";
const LIN_WRONG: &str = "110105198703192847";
const HAN: &str = "440305197501148583";

pub(super) fn card_ticket(purpose: Purpose) -> Box<Ticket> {
    let mut ticket = ticket(purpose);
    let claims = &mut ticket.claims;
    claims.documents = vec![DocumentKind::PrcId];
    claims.fields.clear();
    claims.claim(Field::DocumentNumber, LIN);
    claims.claim(Field::PrimaryIdentifier, "林若岚");
    claims.claim(Field::BirthDate, "1987-03-19");
    claims.claim(Field::ExpiryDate, "2041-05-20");
    claims.claim(Field::Sex, "女");
    ticket
}

fn front(number: &str) -> PrcFront {
    let (v, parsed) = (FieldCheck::Verified, gb11643::parse(number));
    PrcFront {
        name: Secret::new("林若岚"),
        name_confidence: 0.9,
        sex: Secret::new("女"),
        birth_date: Secret::new("19870319"),
        address: Secret::new("北京市朝阳区样本路12号"),
        number: Secret::new(number),
        checks: PrcChecks {
            check_character: FieldCheck::of(parsed.is_ok()),
            region: v,
            birth_date: v,
            sex: v,
        },
        confidence: 0.9,
        ..PrcFront::default()
    }
}

fn back() -> PrcBack {
    PrcBack {
        issuer: Secret::new("样本市公安局朝阳分局"),
        valid_from: Secret::new("20210520"),
        valid_until: Secret::new("20410520"),
        confidence: 0.8,
    }
}

fn seen(side: PrcSide) -> Seen {
    let portrait = matches!(side, PrcSide::Front(_)).then(|| PortraitObservation {
        bounds: Default::default(),
        inter_eye_px: 60.0,
        detection_score: 0.9,
        quality: 0.8,
    });
    Seen::Document(Box::new(DocumentObservation {
        reading: Some(Box::new(DocumentReading {
            content: DocumentContent::Prc(side),
            confidence: 0.9,
            portrait,
        })),
        ..DocumentObservation::default()
    }))
}

/// A side of one of two cards.
pub(super) fn a_side(first: bool, is_front: bool) -> Seen {
    seen(if is_front {
        PrcSide::Front(front(if first { LIN } else { HAN }))
    } else {
        PrcSide::Back(back())
    })
}

fn problem(problem: DocumentProblem) -> Seen {
    Seen::Document(Box::new(DocumentObservation {
        problem: Some(problem),
        ..DocumentObservation::default()
    }))
}

fn bench() -> Bench {
    let mut b = Bench::new();
    b.ticket = card_ticket;
    b.go_to_document();
    b
}

impl Bench {
    fn show_front(&mut self, front: &PrcFront, n: usize) {
        for _ in 0..n {
            self.see(seen(PrcSide::Front(front.clone())));
        }
    }

    fn show_back(&mut self, back: &PrcBack, n: usize) {
        for _ in 0..n {
            self.see(seen(PrcSide::Back(back.clone())));
        }
    }

    fn primary(&self) -> (String, String) {
        let outcome = self.stored.last().expect("an outcome");
        let code = outcome["reasons"][0]["code"].as_str().unwrap_or_default();
        let result = outcome["result"].as_str().unwrap_or_default();
        (result.to_owned(), code.to_owned())
    }
}

#[test]
fn front_then_back() {
    let mut b = bench();
    b.show_front(&front(LIN), 2);
    assert_eq!(b.screen().name(), "document.turn_to_back");
    for p in [DocumentProblem::NotFound, DocumentProblem::Moving] {
        for _ in 0..60 {
            b.see(problem(p));
        }
        assert_eq!(
            b.screen().name(),
            "document.turn_to_back",
            "{p:?} while it is turned over"
        );
    }
    b.show_back(&back(), 2);
    assert_eq!(b.screen().name(), "document.done");
    b.wait(800);
    assert_eq!(b.session.vision_task(), VisionTask::Face);
    assert_eq!(b.portrait_of.as_deref(), Some(LIN));
    b.show_face(0.8, 5);
    assert_eq!(b.screen(), Screen::Result(ResultSign::Verified));
    let outcome = &b.stored[0];
    for field in [
        "document_number",
        "primary_identifier",
        "birth_date",
        "expiry_date",
        "sex",
    ] {
        assert_eq!(outcome["fields"][field], "match", "{field}");
    }
    assert_eq!(outcome["specimen"], true);
    let text = outcome.to_string();
    for secret in [LIN, "林若岚", "19870319", "20410520", "样本路"] {
        assert!(!text.contains(secret), "{secret} stands in the outcome");
    }
}

#[test]
fn back_then_front() {
    let mut b = bench();
    b.show_back(&back(), 2);
    assert_eq!(b.screen().name(), "document.turn_to_front");
    b.show_front(&front(LIN), 2);
    assert_eq!(b.screen().name(), "document.done");
    b.wait(800);
    b.show_face(0.8, 5);
    assert_eq!(b.primary().0, "verified");
}

#[test]
fn a_missing_back_is_asked_for_again_and_the_front_is_kept() {
    let mut b = bench();
    // The same side twice: nothing new.
    b.show_front(&front(LIN), 2);
    b.show_front(&front(LIN), 40);
    b.wait(46_000);
    assert_eq!(b.screen().name(), "retry.back_not_seen");
    b.press(Button::Confirm);
    b.show_back(&back(), 2);
    b.wait(800);
    assert_eq!(
        b.session.vision_task(),
        VisionTask::Face,
        "the front was kept"
    );
    b.show_face(0.8, 5);
    assert_eq!(b.primary().0, "verified");
}

#[test]
fn a_side_that_never_comes_ends_the_session_with_its_name() {
    let check = |show: fn(&mut Bench), code: &str| {
        let mut b = bench();
        // Reasons that use up no attempt have two tries more.
        for _ in 0..5 {
            show(&mut b);
            b.wait(46_000);
            if !b.stored.is_empty() {
                break;
            }
            b.press(Button::Confirm);
        }
        assert_eq!(b.primary(), ("inconclusive".to_owned(), code.to_owned()));
    };
    check(|b| b.show_front(&front(LIN), 5), "doc.missing_back");
    check(|b| b.show_back(&back(), 5), "doc.wrong_side");
    check(|b| b.show_front(&front(LIN), 1), "doc.blurred");
    check(
        |b| b.see(problem(DocumentProblem::WrongSide)),
        "doc.wrong_side",
    );
}

#[test]
fn two_numbers_are_two_cards_and_none_is_believed() {
    let mut b = bench();
    b.show_front(&front(LIN), 2);
    b.show_front(&front(HAN), 2);
    assert_eq!(b.screen().name(), "retry.two_documents");
    b.press(Button::Confirm);
    b.show_back(&back(), 2);
    assert_eq!(
        b.screen().name(),
        "document.turn_to_front",
        "nothing was kept of the two"
    );
    b.show_front(&front(LIN), 2);
    b.wait(800);
    b.show_face(0.8, 5);
    assert_eq!(b.primary().0, "verified");

    // Alternating before either is believed.
    let mut b = bench();
    for _ in 0..2 {
        b.show_front(&front(LIN), 1);
        b.show_front(&front(HAN), 1);
    }
    b.wait(1);
    assert_eq!(b.session.vision_task(), VisionTask::Idle);
    for _ in 0..2 {
        b.press(Button::Confirm);
        b.show_front(&front(LIN), 2);
        b.show_front(&front(HAN), 2);
    }
    assert_eq!(
        b.primary(),
        ("inconclusive".to_owned(), "doc.two_documents".to_owned())
    );
}

#[test]
fn one_frame_of_another_card_changes_nothing() {
    let mut b = bench();
    b.show_front(&front(LIN), 2);
    b.show_front(&front(HAN), 1);
    b.show_back(&back(), 2);
    b.wait(800);
    assert_eq!(b.portrait_of.as_deref(), Some(LIN));
}

#[test]
fn misread_fields_are_outvoted_and_unread_ones_are_not_read() {
    let check = |readings: &[(&str, FieldCheck)], name: &str, birth_outcome: &str| {
        let mut b = bench();
        for (name, birth) in readings {
            let mut f = front(LIN);
            f.name = Secret::new(*name);
            f.checks.birth_date = *birth;
            b.show_front(&f, 1);
        }
        b.show_back(&back(), 2);
        // Patience with what is open ends.
        b.wait(5_000);
        b.show_back(&back(), 1);
        b.wait(800);
        b.show_face(0.8, 5);
        let outcome = b.stored.last().expect("an outcome");
        assert_eq!(
            outcome["fields"]["primary_identifier"], name,
            "{readings:?}"
        );
        let checks = outcome["checks"].as_array().expect("a list");
        let birth = checks
            .iter()
            .find(|c| c["name"] == "document.prc.birth_date")
            .expect("listed");
        assert_eq!(birth["outcome"], birth_outcome, "{readings:?}");
    };
    use FieldCheck::{NotRead, Refuted, Verified};
    let (good, bad) = ("林若岚", "林苦岚");
    check(&[(good, Verified); 2], "match", "passed");
    check(
        &[(bad, Refuted), (good, Verified), (good, Verified)],
        "match",
        "passed",
    );
    check(&[(bad, Verified), (bad, Verified)], "mismatch", "passed");
    check(&[("", NotRead), ("", NotRead)], "not_read", "not_possible");
    check(
        &[(good, NotRead), ("", NotRead)],
        "not_read",
        "not_possible",
    );
    check(&[(good, Refuted), (good, Refuted)], "match", "not_possible");
    check(&[(good, Refuted); 4], "match", "failed");
}

#[test]
fn a_refuted_number_needs_more_readings_and_leads_to_review() {
    let mut b = bench();
    b.show_front(&front(LIN_WRONG), 3);
    assert_ne!(b.screen().name(), "document.turn_to_back");
    b.show_front(&front(LIN_WRONG), 1);
    assert_eq!(b.screen().name(), "document.turn_to_back");
    b.show_back(&back(), 2);
    b.wait(800);
    b.show_face(0.8, 5);
    assert_eq!(
        b.primary(),
        ("review".to_owned(), "doc.suspect.id_check_digit".to_owned())
    );
    assert_eq!(b.screen(), Screen::Result(ResultSign::InReview));

    // Misreadings of a good number are no second card.
    let mut b = bench();
    b.show_front(&front(LIN_WRONG), 4);
    b.show_front(&front(LIN), 2);
    b.show_back(&back(), 2);
    b.wait(800);
    assert_eq!(b.portrait_of.as_deref(), Some(LIN));
}

#[test]
fn a_card_that_cannot_be_taken_is_said_at_once() {
    let check = |change: fn(&mut Bench), sides: fn(&mut Bench), code: &str| {
        let mut b = Bench::new();
        b.ticket = card_ticket;
        change(&mut b);
        b.go_to_document();
        sides(&mut b);
        b.wait(800);
        assert_eq!(b.primary(), ("not_verified".to_owned(), code.to_owned()));
        assert_eq!(b.screen(), Screen::Result(ResultSign::OtherDocument));
    };
    let unsupported = "policy.document_type_unsupported";
    check(
        |b| b.ticket = ticket,
        |b| b.show_front(&front(LIN), 2),
        unsupported,
    );
    check(
        |b| b.ticket = ticket,
        |b| b.show_back(&back(), 2),
        unsupported,
    );
    check(
        |_| {},
        |b| {
            b.show_front(&front(LIN), 2);
            let old = PrcBack {
                valid_from: Secret::new("20060520"),
                valid_until: Secret::new("20260520"),
                ..back()
            };
            b.show_back(&old, 2);
        },
        "doc.expired",
    );
    check(
        |_| {},
        |b| {
            b.show_front(&front(LIN), 2);
            let early = PrcBack {
                valid_from: Secret::new("20300520"),
                valid_until: Secret::new("20500520"),
                ..back()
            };
            b.show_back(&early, 2);
        },
        "doc.not_yet_valid",
    );
}
