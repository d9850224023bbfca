//! Looks that a session would have something to say of, and what is said.

use super::*;
use crate::perception::document::mrz::parse;
use crate::perception::observation::{
    DocumentContent, DocumentProblem, DocumentReading, HeadPose, MrzReading, PortraitObservation,
    PrimaryFace, PrintedChecks,
};
use crate::perception::pad::calibration::PresentationAttackSpecies;
use crate::perception::quality::{Assessment, QualityComponent, QualityReport};

/// The specimen of ICAO Doc 9303: expires on 2012-04-15.
const LINES: [&str; 2] = [
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
    "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
];

fn rules(today: CivilDate) -> Rules {
    Rules {
        policy: Policy::parse(include_str!("../../../board/policies/utopia-standard.toml"))
            .expect("the example"),
        limits: DocumentLimits::default(),
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
        today,
    }
}

fn reading(lines: [&str; 2], portrait_px: f32) -> DocumentObservation {
    let mrz = parse(&lines).expect("a zone");
    DocumentObservation {
        reading: Some(Box::new(DocumentReading {
            content: DocumentContent::Mrz(MrzReading {
                mrz,
                printed: PrintedChecks::default(),
            }),
            confidence: 0.9,
            portrait: Some(PortraitObservation {
                bounds: Default::default(),
                inter_eye_px: portrait_px,
                detection_score: 0.9,
                quality: 0.8,
            }),
        })),
        ..DocumentObservation::default()
    }
}

fn against(problem: DocumentProblem) -> DocumentObservation {
    DocumentObservation {
        problem: Some(problem),
        ..DocumentObservation::default()
    }
}

const VALID: CivilDate = (2012, 1, 1);
const EXPIRED: CivilDate = (2026, 11, 27);

#[test]
fn a_photograph_of_a_document_is_one_look() {
    let check = |seen: DocumentObservation, today, expected: &str| {
        assert_eq!(rules(today).document(&seen).word(), expected);
    };
    check(reading(LINES, 60.0), VALID, "ok");
    check(reading(LINES, 60.0), EXPIRED, "doc.expired");
    // That it is small is not waited for.
    check(reading(LINES, 20.0), VALID, "doc.portrait_unusable");
    let refuted = [LINES[0], "L898902C37UTO7408122F1204159ZE184226B<<<<<10"];
    // Whose check digits are refuted is not told that it has expired.
    for today in [VALID, EXPIRED] {
        let code = rules(today).document(&reading(refuted, 60.0));
        assert!(code.word().starts_with("doc.suspect."), "{code:?}");
    }
    check(against(DocumentProblem::Glare), VALID, "doc.glare");
    check(against(DocumentProblem::NotFound), VALID, "doc.not_found");
}

#[test]
fn a_recording_of_a_document_needs_as_many_readings_as_a_session() {
    let check = |seen: &[DocumentObservation], expected: &str| {
        let rules = rules(VALID);
        let mut step = DocumentOverTime::new(&rules, Moment::ZERO);
        let mut ended = None;
        for (i, seen) in (0u64..).zip(seen) {
            let at = Moment::from_millis(i * 100);
            ended = ended.or_else(|| step.see(seen, at));
        }
        let (finding, _) = ended.unwrap_or_else(|| step.end());
        assert_eq!(finding.word(), expected);
    };
    let good = || reading(LINES, 60.0);
    check(&[good(), good()], "ok");
    check(&[good()], "doc.blurred");
    check(&[against(DocumentProblem::Tilted), good(), good()], "ok");
    // A portrait that is small is waited for, longer than this recording is.
    check(
        &[reading(LINES, 20.0), reading(LINES, 20.0)],
        "doc.portrait_unusable",
    );
    let glare = || against(DocumentProblem::Glare);
    check(
        &[against(DocumentProblem::Moving), glare(), glare()],
        "doc.glare",
    );
}

fn look(i: u64, change: impl Fn(&mut PrimaryFace)) -> FaceLook {
    let mut quality = QualityReport::default();
    for component in QualityComponent::ALL {
        let value = Assessment::Value {
            raw: 1.0,
            scalar: 90,
        };
        quality.set(component, value);
    }
    let mut face = PrimaryFace {
        bounds: crate::base::geometry::Rect::new(540.0, 260.0, 200.0, 200.0),
        detection_score: 0.9,
        five_points: Default::default(),
        inter_eye_px: 95.0,
        presence: 1.0,
        pose: HeadPose::default(),
        quality,
        light: Default::default(),
        pad_score: Some(0.99),
        comparison_score: None,
    };
    change(&mut face);
    FaceLook {
        at: Moment::from_millis(i * 100),
        size: (1280, 720),
        scene: SceneLight {
            mean: 0.4,
            ..SceneLight::default()
        },
        seen: FaceObservation {
            n_faces: 1,
            primary: Some(face),
            document_in_hand: false,
        },
    }
}

#[test]
fn faces_are_judged_over_time() {
    let check = |n, change: fn(&mut PrimaryFace), compared, expected: Option<&str>| {
        let looks: Vec<FaceLook> = (0..n).map(|i| look(i, change)).collect();
        let found = rules(VALID).face_over_time(&looks, compared);
        assert_eq!(found.as_ref().map(Finding::word), expected);
    };
    check(0, |_| {}, false, None);
    check(5, |_| {}, false, Some("ok"));
    check(4, |_| {}, false, Some("(too short)"));
    // Something to compare with was there, and no score came of it.
    check(5, |_| {}, true, Some("face.match_not_possible"));
    check(5, |f| f.comparison_score = Some(0.8), true, Some("ok"));
    check(
        10,
        |f| f.comparison_score = Some(0.1),
        true,
        Some("face.mismatch"),
    );
    check(
        9,
        |f| f.comparison_score = Some(0.1),
        true,
        Some("(too short)"),
    );
    check(5, |f| f.pose.yaw = 30.0, false, Some("face.pose"));
    check(5, |f| f.inter_eye_px = 40.0, false, Some("face.too_far"));
    check(
        5,
        |f| f.pad_score = Some(0.1),
        false,
        Some("live.suspect.unknown_species"),
    );
}

#[test]
fn a_photograph_of_a_face_has_its_first_problem() {
    let check = |change: fn(&mut PrimaryFace), expected: &str| {
        assert_eq!(rules(VALID).face(&look(0, change)).word(), expected);
    };
    check(|_| {}, "ok");
    check(|f| f.pose.pitch = -25.0, "face.pose");
    check(|f| f.presence = 0.1, "face.not_found");
}
