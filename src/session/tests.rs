//! The session as a table of events and states, and as a property: whatever happens, in whatever order.

use super::event::{Effect, Event, Now, ReserveRefusal, StoreRefusal, TicketRefusal};
use super::face_problems::FrameLight;
use super::face_step::{FaceStep, FaceThresholds};
use super::state::{Session, State};
use super::visit::House;
use crate::base::ids::{Language, SessionId};
use crate::base::secret::Secret;
use crate::base::standing::Standing;
use crate::base::terms::{DocumentKind, Field, Purpose};
use crate::base::time::{Moment, WallTime};
use crate::guidance::model::{ResultSign, Screen};
use crate::hal::{Button, ButtonAction, ButtonEvent, DeviceFault, DeviceKind};
use crate::perception::document::mrz::{CheckResult, Mrz, MrzChecks, MrzFormat};
use crate::perception::observation::{
    DocumentContent, DocumentObservation, DocumentProblem, DocumentReading, FaceObservation,
    LightState, MrzReading, Observation, PortraitObservation, PrimaryFace, PrintedChecks,
    SceneLight, Seen, VisionTask,
};
use crate::perception::pad::calibration::{PadThreshold, PresentationAttackSpecies};
use crate::perception::quality::{Assessment, QualityComponent, QualityReport};
use crate::trust::ticket::{Bytes, Reference, Ticket, TicketClaims};
use crate::verdict::decision::ComparisonThreshold;
use crate::verdict::evidence::PadEvidence;
use crate::verdict::outcome::{PolicyStamp, PreflightRecord};
use crate::verdict::policy::Policy;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

pub(super) fn house() -> House {
    House {
        policy: Policy::parse(include_str!("../../board/policies/utopia-standard.toml"))
            .expect("the example is a policy"),
        policy_stamp: PolicyStamp {
            id: "utopia-standard".into(),
            version: 1,
            sha256: "0".repeat(64),
        },
        threshold: ComparisonThreshold {
            score: 0.5,
            false_match_rate: 1e-4,
            false_match_rate_lower95: 0.5e-4,
            false_match_rate_upper95: 2e-4,
            calibration: "test".into(),
        },
        pad: PadThreshold {
            score: 0.5,
            worst_species: PresentationAttackSpecies::Print,
            apcer: 0.0,
            apcer_lower95: 0.0,
            apcer_upper95: 0.03,
            bpcer: 0.0,
            bpcer_lower95: 0.0,
            bpcer_upper95: 0.04,
            calibration: "test".into(),
        },
        models: Vec::new(),
        document_limits: Default::default(),
        frame_size: (1280, 720),
        language: Language::Zh,
        consent_text_version: "consent-test",
        software: "0",
        board: "test".into(),
    }
}

pub(super) fn mrz() -> Mrz {
    let v = CheckResult::Verified;
    let checks = MrzChecks {
        document_number: v,
        birth_date: v,
        expiry_date: v,
        optional_data: v,
        composite: v,
    };
    Mrz {
        format: MrzFormat::Td3,
        document_code: "P".into(),
        issuing_state: "UTO".into(),
        nationality: Secret::new("UTO"),
        document_number: Secret::new("L898902C3"),
        primary_identifier: Secret::new("ERIKSSON"),
        secondary_identifier: Secret::new("ANNA MARIA"),
        birth_date: Secret::new("740812"),
        sex: Secret::new("F"),
        expiry_date: Secret::new("340415"),
        optional_data: Secret::new(""),
        checks,
        repaired: 0,
        lines: Vec::new(),
    }
}

pub(super) fn ticket(purpose: Purpose) -> Box<Ticket> {
    let mut claims = TicketClaims {
        version: 1,
        ticket_id: "T-1".into(),
        session: SessionId::from_parts(1, [7; 10]),
        tenant: "utopia-wallet".into(),
        policy: "utopia-standard".into(),
        purpose,
        language: Language::En,
        documents: vec![DocumentKind::Td3],
        salt: Bytes([1; 16]),
        fields: BTreeMap::new(),
        issued_s: 0,
        expires_s: i64::MAX,
        nonce: Bytes([2; 16]),
        booth: None,
        extended_time: false,
        reference: Reference::new(vec![3; 512]),
    };
    claims.claim(Field::DocumentNumber, "L898902C3");
    claims.claim(Field::BirthDate, "740812");
    claims.claim(Field::PrimaryIdentifier, "ERIKSSON");
    Box::new(Ticket { claims })
}

pub(super) fn document(mrz: Mrz, portrait_px: f32) -> Seen {
    let portrait = PortraitObservation {
        bounds: Default::default(),
        inter_eye_px: portrait_px,
        detection_score: 0.9,
        quality: 0.8,
    };
    let reading = DocumentReading {
        content: DocumentContent::Mrz(MrzReading {
            mrz,
            printed: PrintedChecks::default(),
        }),
        confidence: 0.9,
        portrait: Some(portrait),
    };
    Seen::Document(Box::new(DocumentObservation {
        reading: Some(Box::new(reading)),
        ..DocumentObservation::default()
    }))
}

pub(super) fn face(score: Option<f32>) -> Seen {
    let mut quality = QualityReport::default();
    for component in QualityComponent::ALL {
        quality.set(
            component,
            Assessment::Value {
                raw: 1.0,
                scalar: 90,
            },
        );
    }
    let primary = PrimaryFace {
        bounds: crate::base::geometry::Rect::new(540.0, 260.0, 200.0, 200.0),
        detection_score: 0.9,
        five_points: Default::default(),
        inter_eye_px: 95.0,
        presence: 1.0,
        pose: Default::default(),
        quality,
        light: Default::default(),
        pad_score: Some(0.99),
        comparison_score: score,
    };
    Seen::Face(Box::new(FaceObservation {
        n_faces: 1,
        primary: Some(primary),
        document_in_hand: false,
    }))
}

/// A booth around the session: answers effects at once, counts what was reserved, stored and shown.
pub(super) struct Bench {
    pub(super) session: Session,
    pub(super) at: Moment,
    pub(super) stored: Vec<serde_json::Value>,
    pub(super) n_reserved: usize,
    pub(super) n_forgotten: usize,
    answers: Vec<bool>,
    pub(super) store_works: bool,
    /// Whose portrait the face is compared with.
    pub(super) portrait_of: Option<String>,
    /// What a good ticket of this bench claims.
    pub(super) ticket: fn(Purpose) -> Box<Ticket>,
    /// Light and exposure in effect for the frames to come.
    pub(super) light: LightState,
    /// Brightness of the frames to come.
    pub(super) scene: SceneLight,
    /// How people stand, as the outbox keeps it.
    pub(super) standings: BTreeMap<[u8; 32], Standing>,
    /// Answers of the outside are held back until [`Bench::release`].
    pub(super) holds_back: bool,
    held_back: Vec<Event>,
    /// What the booth's self-check says.
    pub(super) preflight: PreflightRecord,
    /// Whose portrait vision keeps after the session.
    pub(super) portrait_kept: Option<String>,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::of(house())
    }

    pub(super) fn of(house: House) -> Self {
        let mut session = Session::new(house, Moment::ZERO);
        let mut bench = Self {
            at: Moment::from_millis(1),
            stored: Vec::new(),
            n_reserved: 0,
            n_forgotten: 0,
            answers: Vec::new(),
            store_works: true,
            portrait_of: None,
            ticket,
            light: LightState::default(),
            scene: SceneLight {
                mean: 0.5,
                centre: 0.5,
                bright_share: 0.0,
                dark_share: 0.0,
            },
            standings: BTreeMap::new(),
            holds_back: false,
            held_back: Vec::new(),
            preflight: PreflightRecord::default(),
            portrait_kept: None,
            session: {
                session.step(now(Moment::ZERO), Event::Ready);
                session
            },
        };
        bench.wait(1);
        bench
    }

    pub(super) fn send(&mut self, event: Event) {
        self.answer(vec![event]);
        self.check_invariants();
    }

    /// Lets the answers come that were held back.
    pub(super) fn release(&mut self) {
        self.holds_back = false;
        let held = std::mem::take(&mut self.held_back);
        self.answer(held);
        self.check_invariants();
    }

    fn answer(&mut self, mut events: Vec<Event>) {
        let mut first = true;
        while let Some(event) = events.pop() {
            // Storing is one call: it is never half done.
            if self.holds_back && !first && !matches!(event, Event::Stored(_)) {
                self.held_back.push(event);
                continue;
            }
            first = false;
            // Reserve and preflight of an onboarding are answered well; storing as the test says.
            for effect in self.session.step(now(self.at), event) {
                match effect {
                    Effect::CheckTicket(code) => events.push(Event::Ticket(match code.reveal() {
                        "good" => Ok((self.ticket)(Purpose::Onboarding)),
                        "again" => Ok((self.ticket)(Purpose::Reverification)),
                        _ => Err(TicketRefusal::Invalid),
                    })),
                    Effect::Reserve { fallback, .. } => {
                        let fallback: serde_json::Value =
                            serde_json::from_slice(&fallback).expect("JSON");
                        assert_eq!(fallback["reasons"][0]["code"], "session.interrupted_power");
                        self.n_reserved += 1;
                        events.push(Event::Reserved(Ok(())));
                    }
                    Effect::RunPreflight => events.push(Event::Preflight(self.preflight.clone())),
                    Effect::UseReference(template) => assert_eq!(template.len(), 512),
                    Effect::UsePortrait(number) => {
                        self.portrait_of = Some(number.reveal().to_owned());
                    }
                    Effect::LookUp { subject } => {
                        let known = self.standings.get(&subject).copied();
                        events.push(Event::Standing(Ok(known.unwrap_or_default())));
                    }
                    Effect::Store(record) if self.store_works => {
                        let outcome: serde_json::Value =
                            serde_json::from_slice(&record.payload).expect("JSON");
                        assert!(
                            record.payload.len() < 10 * 1024,
                            "{} bytes",
                            record.payload.len()
                        );
                        self.stored.push(outcome);
                        self.standings.insert(record.subject, record.standing);
                        events.push(Event::Stored(Ok(())));
                    }
                    Effect::Keep(number) => self.portrait_kept = Some(number.reveal().to_owned()),
                    Effect::Store(_) => events.push(Event::Stored(Err(StoreRefusal::Storage))),
                    Effect::Forget => {
                        self.n_forgotten += 1;
                        self.portrait_kept = None;
                    }
                    Effect::Answer(begun) => self.answers.push(begun),
                }
            }
        }
    }

    fn check_invariants(&self) {
        if !self.held_back.is_empty() {
            return;
        }
        // Nothing is shown as a result before it is stored, and every reserved place gets exactly one outcome.
        let verified = matches!(
            self.session.state(),
            State::Result {
                sign: ResultSign::Verified,
                ..
            }
        );
        assert!(
            !verified
                || self
                    .stored
                    .last()
                    .is_some_and(|o| o["result"] == "verified")
        );
        assert!(self.stored.len() <= self.n_reserved);
        let open = matches!(
            self.session.state(),
            State::Consent
                | State::Preflight
                | State::Document(_)
                | State::Face(_)
                | State::Retry { .. }
                | State::Storing { .. }
        );
        let practice = self
            .session
            .visit()
            .is_some_and(super::visit::Visit::is_practice);
        if !open && !matches!(self.session.state(), State::Admitting) {
            assert_eq!(self.stored.len(), self.n_reserved, "{:?}", self.screen());
        } else if open && !practice {
            assert_eq!(
                self.stored.len() + 1,
                self.n_reserved,
                "{:?}",
                self.screen()
            );
        }
    }

    pub(super) fn wait(&mut self, ms: u64) {
        self.at = self.at.plus(Duration::from_millis(ms));
        self.send(Event::Tick);
    }

    pub(super) fn see(&mut self, seen: Seen) {
        self.at = self.at.plus(Duration::from_millis(33));
        self.send(Event::Seen(Observation {
            at: self.at,
            sequence: 0,
            scene: self.scene,
            light: self.light,
            seen,
            took_us: 0,
        }));
    }

    pub(super) fn press(&mut self, button: Button) {
        for action in [ButtonAction::Pressed, ButtonAction::Released] {
            self.send(Event::Button(ButtonEvent {
                button,
                action,
                at: self.at,
            }));
        }
    }

    pub(super) fn show_code(&mut self, code: &str) {
        self.see(Seen::Code(Some(Secret::new(code))));
    }

    pub(super) fn read_document(&mut self, mrz: &Mrz, n: usize) {
        for _ in 0..n {
            self.see(document(mrz.clone(), 60.0));
        }
        self.wait(800);
    }

    pub(super) fn show_face(&mut self, score: f32, n: usize) {
        for _ in 0..n {
            self.see(face(Some(score)));
        }
        self.wait(800);
    }

    pub(super) fn screen(&self) -> Screen {
        self.session.ui(self.at).screen
    }

    pub(super) fn go_to_document(&mut self) {
        self.show_code("good");
        self.press(Button::Confirm);
        assert_eq!(self.session.vision_task(), VisionTask::Document);
    }
}

pub(super) fn now(at: Moment) -> Now {
    Now {
        at,
        wall: WallTime(1_795_468_444_000 + i64::try_from(at.as_millis()).expect("small")),
        chance: [9; 10],
    }
}

#[test]
fn a_good_session_is_verified_and_stored_once() {
    let mut b = Bench::new();
    b.go_to_document();
    b.read_document(&mrz(), 2);
    b.show_face(0.8, 5);
    assert_eq!(b.screen(), Screen::Result(ResultSign::Verified));
    let outcome = &b.stored[0];
    assert_eq!(
        (&outcome["result"], &outcome["disposition"]),
        (&"verified".into(), &"none".into())
    );
    assert_eq!(outcome["consent"]["given"], true);
    assert_eq!(outcome["fields"]["birth_date"], "match");
    assert_eq!(b.portrait_of.as_deref(), Some("L898902C3"));
    assert_eq!(b.n_forgotten, 1);
    b.wait(60_000);
    assert_eq!((b.screen(), b.stored.len()), (Screen::Idle, 1));
}

#[test]
fn the_outcome_holds_nothing_of_the_person() {
    let mut b = Bench::new();
    b.go_to_document();
    b.read_document(&mrz(), 2);
    b.show_face(0.8, 5);
    let text = b.stored[0].to_string();
    for secret in ["L898902C3", "ERIKSSON", "ANNA", "740812", "340415"] {
        assert!(!text.contains(secret), "{secret} stands in the outcome");
    }
}

#[test]
fn stale_measurements_do_not_count() {
    let mut b = Bench::new();
    b.go_to_document();
    let stale = b.at;
    b.wait(100);
    b.read_document(&mrz(), 2);
    assert_eq!(b.session.vision_task(), VisionTask::Face);
    for _ in 0..50 {
        let scene = SceneLight::default();
        b.send(Event::Seen(Observation {
            at: stale,
            sequence: 0,
            scene,
            light: Default::default(),
            seen: face(Some(0.9)),
            took_us: 0,
        }));
    }
    b.wait(800);
    assert_eq!(
        b.session.vision_task(),
        VisionTask::Face,
        "old frames decided nothing"
    );
}

#[test]
fn each_scene_ends_as_it_must() {
    let check =
        |change: fn(&mut Mrz), n_readings, score, n_faces, result: &str, code: &str, sign| {
            let mut b = Bench::new();
            b.go_to_document();
            let mut document = mrz();
            change(&mut document);
            b.read_document(&document, n_readings);
            b.show_face(score, n_faces);
            let outcome = b.stored.last().expect("an outcome");
            assert_eq!(
                (
                    outcome["result"].as_str(),
                    outcome["reasons"][0]["code"].as_str()
                ),
                (Some(result), Some(code))
            );
            assert_eq!(b.screen(), Screen::Result(sign));
        };
    check(
        |_| {},
        2,
        0.2,
        10,
        "not_verified",
        "face.mismatch",
        ResultSign::SeeStaff,
    );
    check(
        |m| m.checks.composite = CheckResult::Refuted,
        4,
        0.8,
        5,
        "review",
        "doc.suspect.mrz_check_digit",
        ResultSign::InReview,
    );
    check(
        |m| m.birth_date = Secret::new("740813"),
        2,
        0.8,
        5,
        "not_verified",
        "data.mismatch.birth_date",
        ResultSign::SeeStaff,
    );
    check(
        |m| m.expiry_date = Secret::new("200415"),
        2,
        0.8,
        0,
        "not_verified",
        "doc.expired",
        ResultSign::OtherDocument,
    );
    check(
        |m| m.format = MrzFormat::Td1,
        2,
        0.8,
        0,
        "not_verified",
        "policy.document_type_unsupported",
        ResultSign::OtherDocument,
    );
}

#[test]
fn a_refuted_check_digit_is_believed_only_after_more_readings() {
    let mut b = Bench::new();
    b.go_to_document();
    let mut misread = mrz();
    misread.checks.composite = CheckResult::Refuted;
    b.read_document(&misread, 3);
    assert_eq!(b.session.vision_task(), VisionTask::Document);
    b.read_document(&mrz(), 2);
    b.show_face(0.8, 5);
    assert_eq!(b.stored[0]["result"], "verified");
}

#[test]
fn reverification_skips_the_document_and_compares_with_the_reference() {
    let mut b = Bench::new();
    b.show_code("again");
    b.press(Button::Confirm);
    assert_eq!(b.session.vision_task(), VisionTask::Face);
    b.show_face(0.2, 10);
    assert_eq!(b.stored[0]["reasons"][0]["code"], "face.mismatch_reference");
}

#[test]
fn practice_stores_nothing() {
    let mut b = Bench::new();
    b.press(Button::Cancel);
    assert!(b.session.ui(b.at).practice);
    b.press(Button::Confirm);
    b.read_document(&mrz(), 2);
    b.show_face(0.8, 5);
    assert_eq!(b.screen(), Screen::Result(ResultSign::PracticeDone));
    assert_eq!((b.stored.len(), b.n_reserved), (0, 0));
}

#[test]
fn a_bad_ticket_is_refused_politely_and_uses_nothing() {
    let mut b = Bench::new();
    b.show_code("forged");
    assert_eq!(b.screen().name(), "show_ticket.refused");
    assert_eq!(b.n_reserved, 0);
    b.wait(31_000);
    assert_eq!(b.screen(), Screen::Idle);
}

#[test]
fn a_used_ticket_is_refused_and_a_full_disk_is_the_booths_fault() {
    for (refusal, screen) in [
        (ReserveRefusal::TicketUsed, "show_ticket.refused"),
        (ReserveRefusal::Storage, "result.booth_fault"),
    ] {
        let mut session = Session::new(house(), Moment::ZERO);
        session.step(now(Moment::ZERO), Event::Ready);
        let scene = SceneLight::default();
        let seen = Seen::Code(Some(Secret::new("good")));
        session.step(
            now(Moment::ZERO),
            Event::Seen(Observation {
                at: Moment::ZERO,
                sequence: 0,
                scene,
                light: Default::default(),
                seen,
                took_us: 0,
            }),
        );
        session.step(
            now(Moment::ZERO),
            Event::Ticket(Ok(ticket(Purpose::Onboarding))),
        );
        session.step(now(Moment::ZERO), Event::Standing(Ok(Standing::default())));
        session.step(now(Moment::ZERO), Event::Reserved(Err(refusal)));
        assert_eq!(session.ui(Moment::ZERO).screen.name(), screen);
    }
}

#[test]
fn in_maintenance_no_session_begins_but_practice_and_a_session_is_not_disturbed() {
    let mut b = Bench::new();
    b.send(Event::Faults(3));
    assert_eq!(b.session.ui(b.at).faults, 3);
    b.show_code("good");
    b.send(Event::Maintenance);
    assert_eq!(
        (b.screen(), b.answers.pop()),
        (Screen::Consent, Some(false))
    );
    assert_eq!(b.session.ui(b.at).faults, 0, "a customer is not told");
    b.press(Button::Cancel);
    b.wait(400_000);

    b.send(Event::Maintenance);
    assert_eq!(
        (b.screen(), b.answers.pop()),
        (Screen::Maintenance, Some(true))
    );
    assert!(!b.session.is_serving() && b.session.vision_task() == VisionTask::Idle);
    b.show_code("good");
    b.press(Button::Confirm);
    b.press(Button::Cancel);
    assert_eq!(b.screen(), Screen::Maintenance);

    b.send(Event::Practice);
    assert_eq!((b.screen(), b.answers.pop()), (Screen::Consent, Some(true)));
    b.send(Event::MaintenanceOver);
    assert_eq!(b.screen(), Screen::Consent, "practice goes on");
    b.send(Event::Maintenance);
    assert_eq!(b.answers.pop(), Some(false));
    b.press(Button::Cancel);
    b.wait(400_000);
    assert_eq!(b.screen(), Screen::Idle);
    b.send(Event::MaintenanceOver);
    assert_eq!(b.screen(), Screen::Idle);
    b.send(Event::Language(Language::En));
    assert_eq!(b.session.ui(b.at).language, Language::En);
}

#[test]
fn a_camera_fault_ends_the_session_as_the_booths_and_clears() {
    let mut b = Bench::new();
    b.go_to_document();
    let error = std::io::Error::from_raw_os_error(19);
    b.send(Event::Fault(DeviceFault::from_errno(
        DeviceKind::Camera,
        "/dev/video0",
        "read",
        &error,
    )));
    assert_eq!(b.screen(), Screen::Result(ResultSign::BoothFault));
    let outcome = &b.stored[0];
    assert_eq!(
        (
            outcome["result"].as_str(),
            outcome["uses_attempt"].as_bool()
        ),
        (Some("aborted_equipment"), Some(false))
    );
    b.wait(10_000);
    assert_eq!(b.screen(), Screen::OutOfService);
    b.send(Event::FaultCleared(DeviceKind::Camera));
    assert_eq!(b.screen(), Screen::Idle);
}

#[test]
fn a_step_that_times_out_is_repeated_until_the_attempts_are_used_up() {
    let mut b = Bench::new();
    b.go_to_document();
    for attempt in 1..=3 {
        let tilted = DocumentObservation {
            problem: Some(DocumentProblem::Tilted),
            ..DocumentObservation::default()
        };
        b.see(Seen::Document(Box::new(tilted)));
        b.wait(46_000);
        if attempt < 3 {
            // The second equal failure offers something else.
            let screen = ["retry.document_unclear", "retry.ask_staff"][usize::from(attempt) - 1];
            assert_eq!(b.screen().name(), screen);
            assert_eq!(b.session.ui(b.at).attempts_left, Some(3 - attempt));
            b.press(Button::Confirm);
        }
    }
    let outcome = &b.stored[0];
    assert_eq!(
        (
            outcome["result"].as_str(),
            outcome["reasons"][0]["code"].as_str()
        ),
        (Some("inconclusive"), Some("doc.tilted"))
    );
    assert_eq!(outcome["disposition"], "retry_attended");
    assert_eq!(b.screen(), Screen::Result(ResultSign::SeeStaff));
}

#[test]
fn nothing_is_shown_while_storing_fails_and_it_is_tried_again() {
    let mut b = Bench::new();
    b.go_to_document();
    b.read_document(&mrz(), 2);
    b.store_works = false;
    b.show_face(0.8, 5);
    b.wait(5_000);
    assert_eq!(b.screen(), Screen::Working);
    b.store_works = true;
    b.wait(2_000);
    assert_eq!(b.screen(), Screen::Result(ResultSign::Verified));
    assert_eq!(b.stored.len(), 1);
}

#[test]
fn holding_the_other_button_hands_over() {
    let mut b = Bench::new();
    b.go_to_document();
    b.send(Event::Button(ButtonEvent {
        button: Button::Cancel,
        action: ButtonAction::Pressed,
        at: b.at,
    }));
    b.wait(2_100);
    assert_eq!(b.screen(), Screen::HandOver);
    assert_eq!(b.stored[0]["reasons"][0]["code"], "staff.assisted");
}

#[derive(Clone, Debug)]
enum Happening {
    Wait(u64),
    Code(bool),
    Confirm,
    Cancel,
    Document(bool, f32),
    /// One side of a card: of which of two, and which side.
    Card(bool, bool),
    Blurred,
    Face(f32),
    CameraGone,
    CameraBack,
    Maintenance,
    MaintenanceOver,
    Practice,
    StoreBreaks,
    StoreWorks,
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening as H;
    prop_oneof![
        (0u64..70_000).prop_map(H::Wait),
        any::<bool>().prop_map(H::Code),
        Just(H::Confirm),
        Just(H::Confirm),
        Just(H::Cancel),
        (any::<bool>(), 10f32..90.0).prop_map(|(good, px)| H::Document(good, px)),
        (any::<bool>(), any::<bool>()).prop_map(|(first, front)| H::Card(first, front)),
        Just(H::Blurred),
        (0f32..1.0).prop_map(H::Face),
        Just(H::CameraGone),
        Just(H::CameraBack),
        Just(H::Maintenance),
        Just(H::MaintenanceOver),
        Just(H::Practice),
        Just(H::StoreBreaks),
        Just(H::StoreWorks),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens: a result is never shown before it is stored, every reserved place gets exactly one outcome, and the
    /// booth comes back to idle (the invariants are checked after every step).
    #[test]
    fn whatever_happens_each_session_has_one_outcome(cards: bool, script in prop::collection::vec(happening(), 0..120)) {
        let mut b = Bench::new();
        if cards {
            b.ticket = super::card_tests::card_ticket;
        }
        for happening in script {
            match happening {
                Happening::Wait(ms) => b.wait(ms),
                Happening::Code(good) => b.show_code(if good { "good" } else { "bad" }),
                Happening::Confirm => b.press(Button::Confirm),
                Happening::Cancel => b.press(Button::Cancel),
                Happening::Document(good, px) => {
                    let mut m = mrz();
                    if !good { m.checks.birth_date = CheckResult::Refuted; }
                    b.see(document(m, px));
                }
                Happening::Card(first, front) => b.see(super::card_tests::a_side(first, front)),
                Happening::Blurred => {
                    let seen = DocumentObservation { problem: Some(DocumentProblem::Blurred), ..Default::default() };
                    b.see(Seen::Document(Box::new(seen)));
                }
                Happening::Face(score) => b.see(face(Some(score))),
                Happening::CameraGone => {
                    let error = std::io::Error::from_raw_os_error(5);
                    b.send(Event::Fault(DeviceFault::from_errno(DeviceKind::Camera, "/dev/video0", "read", &error)));
                }
                Happening::CameraBack => b.send(Event::FaultCleared(DeviceKind::Camera)),
                Happening::Maintenance => {
                    let free = matches!(
                        b.session.state(),
                        State::Idle | State::OutOfService { .. } | State::Maintenance
                    );
                    b.send(Event::Maintenance);
                    prop_assert_eq!(b.answers.last(), Some(&free));
                    prop_assert!(!free || matches!(b.session.state(), State::Maintenance));
                }
                Happening::MaintenanceOver => b.send(Event::MaintenanceOver),
                Happening::Practice => b.send(Event::Practice),
                Happening::StoreBreaks => b.store_works = false,
                Happening::StoreWorks => b.store_works = true,
            }
        }
        b.store_works = true;
        b.send(Event::MaintenanceOver);
        b.send(Event::FaultCleared(DeviceKind::Camera));
        for _ in 0..30 { b.wait(301_000); }
        prop_assert_eq!(b.screen(), Screen::Idle);
        prop_assert_eq!(b.stored.len(), b.n_reserved);
    }
}

/// A face step that sees good faces with these comparison and PAD scores until it has enough: how many frames that took, and what
/// attack detection says.
fn face_step(comparison: f32, pad: &[Option<f32>], acted_on: bool) -> (usize, PadEvidence) {
    let house = house();
    let mut step = FaceStep::new(Moment::ZERO);
    let thresholds = FaceThresholds {
        comparison: 0.5,
        pad: acted_on.then_some(0.5),
    };
    for n in 1..=100 {
        let Seen::Face(mut seen) = face(Some(comparison)) else {
            unreachable!("face() makes a face");
        };
        if let Some(primary) = &mut seen.primary {
            primary.pad_score = pad[n % pad.len()];
        }
        let evidence = step.observe(
            &seen,
            FrameLight::default(),
            house.frame_size,
            Moment::from_millis(n as u64 * 100),
            &house.policy.face,
            thresholds,
        );
        if let Some(evidence) = evidence {
            return (n, evidence.pad);
        }
    }
    panic!("100 good frames were not enough");
}

#[test]
fn an_attack_is_suspected_on_many_frames_and_never_on_a_bad_second() {
    let scored = |score, n_frames, n_no_response| PadEvidence::Score {
        score,
        n_frames,
        n_no_response,
    };
    let check = |pad: &[Option<f32>], acted_on, n, expected| {
        assert_eq!(
            face_step(0.8, pad, acted_on),
            (n, expected),
            "{pad:?} {acted_on}"
        );
    };
    check(&[Some(0.9)], true, 5, scored(0.9, 5, 0));
    check(&[Some(0.1)], true, 30, scored(0.1, 10, 0));
    // The light was still finding its level for twelve frames: the latest ten count.
    let late: Vec<Option<f32>> = (0..100)
        .map(|n| Some(if n <= 12 { 0.1 } else { 0.9 }))
        .collect();
    check(&late, true, 17, scored(0.9, 10, 0));
    // One frame in three below the threshold: the median does not care.
    check(
        &[Some(0.9), Some(0.9), Some(0.1)],
        true,
        5,
        scored(0.9, 5, 0),
    );
    // What is recorded only keeps nobody waiting.
    check(&[Some(0.1)], false, 5, scored(0.1, 5, 0));
    // Non-responses are counted apart; more of them than scores say nothing.
    check(&[None, Some(0.9)], true, 5, scored(0.9, 3, 2));
    check(
        &[Some(0.9), None, None],
        true,
        30,
        PadEvidence::NotPossible { n_no_response: 6 },
    );
    check(
        &[None],
        true,
        30,
        PadEvidence::NotPossible { n_no_response: 10 },
    );
    // A face that is not the one of the document takes as long as ever.
    assert_eq!(face_step(0.2, &[Some(0.9)], true).0, 10);
}

#[test]
fn a_suspected_attack_goes_to_review_and_the_person_reads_nothing_of_it() {
    let check = |required, score, result: &str, code: Option<&str>, sign| {
        let mut house = house();
        house.policy.pad.required = required;
        house.pad.score = 0.995;
        let mut b = Bench::of(house);
        b.go_to_document();
        b.read_document(&mrz(), 2);
        b.show_face(score, 30);
        let outcome = b.stored.last().expect("an outcome");
        assert_eq!(outcome["result"], result);
        assert_eq!(outcome["reasons"][0]["code"].as_str(), code);
        assert_eq!(outcome["pad"]["acted_on"], required);
        assert_eq!(outcome["pad"]["iso_30107_conformance"], "not_claimed");
        let checks = outcome["checks"].as_array().expect("checks");
        let pad = checks
            .iter()
            .find(|c| c["name"] == "face.pad")
            .expect("is listed");
        assert_eq!(pad["outcome"], "failed");
        assert_eq!(b.screen(), Screen::Result(sign));
    };
    let suspected = Some("live.suspect.unknown_species");
    check(true, 0.8, "review", suspected, ResultSign::InReview);
    check(true, 0.2, "review", suspected, ResultSign::InReview);
    check(false, 0.8, "verified", None, ResultSign::Verified);
}
