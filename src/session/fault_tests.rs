//! Network, equipment and light at every moment of a session: they never cost the person anything, and leave exactly one outcome.

use super::event::Event;
use super::state::State;
use super::tests::{Bench, document, face, mrz};
use crate::guidance::model::NetworkSign;
use crate::hal::{Button, DeviceFault, DeviceKind, FaultKind};
use crate::perception::observation::{DocumentObservation, DocumentProblem, Seen, VisionTask};
use crate::verdict::reasons::{Attribution, Reason};
use proptest::prelude::*;

const DEVICES: [DeviceKind; 10] = [
    DeviceKind::Camera,
    DeviceKind::Microphone,
    DeviceKind::Speaker,
    DeviceKind::Lights,
    DeviceKind::Panel,
    DeviceKind::Buttons,
    DeviceKind::Serial,
    DeviceKind::Sensors,
    DeviceKind::Watchdog,
    DeviceKind::Service,
];

const FAULTS: [FaultKind; 12] = [
    FaultKind::Absent,
    FaultKind::Busy,
    FaultKind::Permission,
    FaultKind::NoFrames,
    FaultKind::Frozen,
    FaultKind::Dark,
    FaultKind::Covered,
    FaultKind::Overexposed,
    FaultKind::Blurred,
    FaultKind::WrongDevice,
    FaultKind::Overrun,
    FaultKind::Io,
];

fn fault(device: DeviceKind, kind: FaultKind) -> DeviceFault {
    DeviceFault {
        device,
        kind,
        place: "test".into(),
        detail: "test".into(),
        mend: "test".into(),
    }
}

/// The moments of a session at which something may happen, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum At {
    Idle,
    ShowTicket,
    Admitting,
    Consent,
    Preflight,
    Document,
    DocumentDone,
    DocumentRetry,
    Face,
    FaceDone,
    FaceRetry,
    Storing,
    Result,
}

const MOMENTS: [At; 13] = [
    At::Idle,
    At::ShowTicket,
    At::Admitting,
    At::Consent,
    At::Preflight,
    At::Document,
    At::DocumentDone,
    At::DocumentRetry,
    At::Face,
    At::FaceDone,
    At::FaceRetry,
    At::Storing,
    At::Result,
];

/// A session that has come to this moment by the straight way.
fn at(moment: At) -> Bench {
    let mut b = Bench::new();
    if moment == At::Idle {
        return b;
    }
    if moment == At::ShowTicket {
        b.press(Button::Confirm);
        return b;
    }
    b.holds_back = moment == At::Admitting;
    b.show_code("good");
    if moment <= At::Consent {
        return b;
    }
    b.holds_back = moment == At::Preflight;
    b.press(Button::Confirm);
    if moment <= At::Document {
        return b;
    }
    if moment == At::DocumentRetry {
        b.see(dark_document());
        b.wait(46_000);
        return b;
    }
    b.see(document(mrz(), 60.0));
    b.see(document(mrz(), 60.0));
    if moment == At::DocumentDone {
        return b;
    }
    b.wait(800);
    if moment == At::Face {
        return b;
    }
    if moment == At::FaceRetry {
        b.see(Seen::Face(Box::default()));
        b.wait(31_000);
        return b;
    }
    b.store_works = moment != At::Storing;
    for _ in 0..5 {
        b.see(face(Some(0.8)));
    }
    if moment != At::FaceDone {
        b.wait(800);
    }
    b
}

fn dark_document() -> Seen {
    Seen::Document(Box::new(DocumentObservation {
        problem: Some(DocumentProblem::TooDark),
        ..DocumentObservation::default()
    }))
}

/// From wherever it stands a good person goes on to the end, with a camera that works again.
fn go_on(b: &mut Bench) {
    b.release();
    b.store_works = true;
    for _ in 0..12 {
        match b.session.state() {
            State::Idle | State::OutOfService { .. } | State::Result { .. } => break,
            State::ShowTicket { .. } => b.show_code("good"),
            State::Consent | State::Retry { .. } => b.press(Button::Confirm),
            State::Document(_) => {
                b.see(document(mrz(), 60.0));
                b.see(document(mrz(), 60.0));
            }
            State::Face(_) => {
                for _ in 0..5 {
                    b.see(face(Some(0.8)));
                }
            }
            _ => {}
        }
        b.wait(2_100);
    }
}

/// That nobody was blamed: no attempt in any outcome, and a clean slate afterwards.
fn nobody_is_blamed(b: &Bench) {
    for outcome in &b.stored {
        assert_eq!(outcome["uses_attempt"], false, "{outcome}");
        assert_eq!(outcome["attempt_limits"]["failures"], 0, "{outcome}");
    }
    for standing in b.standings.values() {
        assert_eq!(standing.failures, 0);
    }
}

#[test]
fn every_device_fault_at_every_moment_is_the_booths_or_nobodys() {
    for moment in MOMENTS {
        for device in DEVICES {
            for kind in FAULTS {
                let mut b = at(moment);
                let what = format!("{device} {kind:?} at {moment:?}");
                b.send(Event::Fault(fault(device, kind)));
                b.wait(50);
                let camera = device == DeviceKind::Camera;
                // With the camera gone there is nothing to go on with; everything else is carried on.
                let ended = camera && (At::Consent..=At::FaceRetry).contains(&moment);
                if ended {
                    let outcome = b.stored.last().unwrap_or_else(|| panic!("{what}"));
                    assert_eq!(outcome["result"], "aborted_equipment", "{what}");
                    assert_eq!(
                        outcome["reasons"][0]["code"],
                        fault(device, kind).code(),
                        "{what}"
                    );
                    assert_eq!(outcome["attribution"], "equipment", "{what}");
                }
                b.send(Event::FaultCleared(device));
                go_on(&mut b);
                assert_eq!(b.stored.len(), b.n_reserved, "{what}");
                let expected = usize::from(moment >= At::Admitting || moment == At::ShowTicket);
                let idled = camera && moment == At::ShowTicket;
                if !idled {
                    assert_eq!(b.stored.len(), expected, "{what}");
                }
                if !ended && !idled && expected == 1 {
                    assert_eq!(b.stored[0]["result"], "verified", "{what}");
                }
                nobody_is_blamed_but_by_a_time_out(&b, moment);
            }
        }
    }
}

/// At the retry of the face a try was lost before anything happened: the person was not seen for half a minute.
fn nobody_is_blamed_but_by_a_time_out(b: &Bench, moment: At) {
    nobody_is_blamed(b);
    let in_steps = b.stored.iter().filter(|o| o["attempts"]["face"] == 1);
    let expected = usize::from(moment == At::FaceRetry);
    assert_eq!(in_steps.count(), expected);
}

#[test]
fn every_network_sign_at_every_moment_changes_nothing_but_a_sign() {
    for moment in MOMENTS {
        for sign in [NetworkSign::Limited, NetworkSign::Ready] {
            let mut b = at(moment);
            let before = format!("{:?}", b.screen());
            b.send(Event::Network(sign));
            assert_eq!(format!("{:?}", b.screen()), before);
            assert_eq!(b.session.ui(b.at).network, sign);
            go_on(&mut b);
            if moment != At::Idle {
                assert_eq!(b.stored.len(), 1, "{moment:?}");
                assert_eq!(b.stored[0]["result"], "verified", "{moment:?}");
            }
            nobody_is_blamed_but_by_a_time_out(&b, moment);
        }
    }
}

#[test]
fn every_finding_of_the_self_check_is_recorded_and_only_the_camera_ends_the_session() {
    for reason in crate::verdict::reasons::ALL {
        let row = reason.row();
        if !matches!(
            row.attribution,
            Attribution::Equipment | Attribution::Network
        ) {
            continue;
        }
        let mut b = Bench::new();
        b.preflight.took_ms = 12;
        b.preflight.checks.insert("check", row.code.to_owned());
        b.show_code("good");
        b.press(Button::Confirm);
        let camera = row.code.starts_with("hw.camera.");
        assert_eq!(
            b.session.vision_task() == VisionTask::Document,
            !camera,
            "{reason}"
        );
        go_on(&mut b);
        let outcome = b.stored.last().expect("an outcome");
        let result = if camera {
            "aborted_equipment"
        } else {
            "verified"
        };
        assert_eq!(outcome["result"], result, "{reason}");
        assert_eq!(outcome["preflight"]["checks"]["check"], row.code);
        assert_eq!(outcome["preflight"]["took_ms"], 12);
        nobody_is_blamed(&b);
    }
}

#[test]
fn a_policy_that_asks_the_wallet_too_ends_pending_with_and_without_network() {
    for sign in [NetworkSign::Ready, NetworkSign::Limited] {
        let mut house = super::tests::house();
        house.policy.online.check_required = true;
        let mut b = Bench::of(house);
        b.send(Event::Network(sign));
        b.go_to_document();
        b.read_document(&mrz(), 2);
        b.show_face(0.8, 5);
        assert_eq!(b.stored[0]["result"], "pending");
        assert_eq!(b.screen().name(), "result.pending");
        nobody_is_blamed(&b);
    }
}

/// What is nobody's fault: network, devices, light, glare; and a person who does all that is asked.
#[derive(Clone, Debug)]
enum Happening {
    Wait(u64),
    Code,
    Confirm,
    Document,
    Face,
    Dark,
    Glare,
    DarkFace,
    Network(bool),
    Fault(usize, usize),
    Cleared(usize),
    StoreWorks(bool),
    HoldsBack(bool),
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening as H;
    prop_oneof![
        (0u64..20_000).prop_map(H::Wait),
        Just(H::Code),
        Just(H::Confirm),
        Just(H::Confirm),
        Just(H::Document),
        Just(H::Face),
        Just(H::Dark),
        Just(H::Glare),
        Just(H::DarkFace),
        any::<bool>().prop_map(H::Network),
        (0..DEVICES.len(), 0..FAULTS.len()).prop_map(|(d, f)| H::Fault(d, f)),
        (0..DEVICES.len()).prop_map(H::Cleared),
        any::<bool>().prop_map(H::StoreWorks),
        any::<bool>().prop_map(H::HoldsBack),
    ]
}

/// A scene in which no face can be found for want of light.
fn dark_face(b: &mut Bench) {
    b.scene.mean = 0.02;
    b.see(Seen::Face(Box::default()));
    b.scene.mean = 0.5;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever of it happens, in whatever order: no attempt is used, in no step and over no sessions. Time-outs are those of a
    /// person who cannot do anything: each step ends on what stood in the way, which is seen in every frame.
    #[test]
    fn network_equipment_and_environment_never_use_an_attempt(script in prop::collection::vec(happening(), 0..150)) {
        let mut b = Bench::new();
        for happening in script {
            match happening {
                Happening::Wait(ms) => {
                    // While a step waits, its frames say why.
                    match b.session.vision_task() {
                        VisionTask::Document => b.see(dark_document()),
                        VisionTask::Face => dark_face(&mut b),
                        _ => {}
                    }
                    b.wait(ms);
                }
                Happening::Code => b.show_code("good"),
                Happening::Confirm => b.press(Button::Confirm),
                Happening::Document => b.see(document(mrz(), 60.0)),
                Happening::Face => b.see(face(Some(0.8))),
                Happening::Dark => b.see(dark_document()),
                Happening::Glare => b.see(Seen::Document(Box::new(DocumentObservation {
                    problem: Some(DocumentProblem::Glare),
                    ..DocumentObservation::default()
                }))),
                Happening::DarkFace => dark_face(&mut b),
                Happening::Network(good) => b.send(Event::Network(if good {
                    NetworkSign::Ready
                } else {
                    NetworkSign::Limited
                })),
                Happening::Fault(d, f) => b.send(Event::Fault(fault(DEVICES[d], FAULTS[f]))),
                Happening::Cleared(d) => b.send(Event::FaultCleared(DEVICES[d])),
                Happening::StoreWorks(works) => b.store_works = works,
                Happening::HoldsBack(true) => b.holds_back = true,
                Happening::HoldsBack(false) => b.release(),
            }
        }
        go_on(&mut b);
        nobody_is_blamed(&b);
        for outcome in &b.stored {
            let attempts = outcome["attempts"].as_object().expect("an object");
            prop_assert!(attempts.values().all(|n| n == 0), "{outcome}");
            let code = outcome["reasons"][0]["code"].as_str();
            let blamed = code
                .and_then(Reason::from_code)
                .is_some_and(|r| r.row().attempt == crate::verdict::reasons::AttemptUse::Yes);
            prop_assert!(!blamed, "{outcome}");
        }
    }
}
