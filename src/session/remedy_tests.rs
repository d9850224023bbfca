//! What is done against failures, and what the outcome says of it.

use super::remedy::{Answer, MOST_REMEDIES, answer};
use super::tests::{Bench, face, mrz};
use super::view::LightScene as L;
use crate::guidance::model::{ResultSign, Screen};
use crate::hal::Button;
use crate::perception::observation::{
    CombinedGlare, DocumentObservation, DocumentProblem, FaceLight, LightState, Seen,
};
use crate::perception::quality::{Assessment, QualityComponent};
use crate::verdict::evidence::Step;
use crate::verdict::reasons::{ALL, Reason as R};
use serde_json::{Value, json};

#[test]
fn the_second_equal_failure_is_answered_otherwise() {
    let check = |step, reason, expected: [Answer; 3]| {
        let found = [1, 2, 3].map(|n| answer(step, reason, n));
        assert_eq!(found, expected, "{reason}");
    };
    let (again, staff, document) = (Answer::Again, Answer::Staff, Answer::OtherDocument);
    let light = Answer::OtherLight;
    let (d, f) = (Step::Document, Step::Face);
    check(
        d,
        R::DocGlare,
        [again, light(L::DocumentLeft), light(L::DocumentRight)],
    );
    check(d, R::DocTooDark, [again, light(L::DocumentStrong), staff]);
    check(
        d,
        R::DocBlurred,
        [again, light(L::DocumentStrong), document],
    );
    check(d, R::DocTilted, [again, staff, staff]);
    check(d, R::DocDamaged, [again, document, document]);
    check(f, R::EnvTooDark, [again, light(L::FaceStrong), staff]);
    check(f, R::EnvBacklit, [again, light(L::FaceStrong), staff]);
    check(f, R::EnvTooBright, [again, light(L::FaceSoft), staff]);
    check(f, R::FacePose, [again, staff, staff]);
    // A reason of light in the other step takes that step's light.
    check(d, R::EnvTooDark, [again, light(L::DocumentStrong), staff]);
    for reason in ALL {
        for step in [d, f] {
            assert_eq!(answer(step, *reason, 1), again, "{reason}");
            assert_ne!(answer(step, *reason, 2), again, "{reason}");
            if let Answer::OtherLight(scene) = answer(step, *reason, 2) {
                let fits = if step == d {
                    scene.is_for_document()
                } else {
                    scene.is_for_face()
                };
                assert!(fits, "{reason} in {step:?}: {scene:?}");
            }
        }
    }
}

/// A face with this mean luminance, whose LuminanceMean component is `quality`.
fn lit(mean: f32, quality: u8) -> Seen {
    let Seen::Face(mut seen) = face(Some(0.8)) else {
        unreachable!("face() makes a face");
    };
    if let Some(primary) = &mut seen.primary {
        primary.light = FaceLight {
            mean,
            left: mean,
            right: mean,
            background: 0.3,
        };
        let raw = f64::from(quality);
        let value = Assessment::Value {
            raw,
            scalar: quality,
        };
        primary.quality.set(QualityComponent::LuminanceMean, value);
    }
    Seen::Face(seen)
}

fn ring(white: f32, exposure_us: u32, settled: bool) -> LightState {
    LightState {
        recipe: "face",
        left: white,
        right: white,
        exposure_us,
        gain: 1.0,
        settled,
        at_limit: false,
        sides_in_turn: false,
    }
}

fn remedies(outcome: &Value) -> &[Value] {
    outcome["remedies"].as_array().expect("a list")
}

#[test]
fn light_that_was_changed_stands_in_the_outcome_with_what_came_of_it() {
    let mut b = Bench::new();
    b.go_to_document();
    b.read_document(&mrz(), 2);
    b.light = ring(0.35, 10_000, false);
    b.see(lit(0.12, 10));
    b.light = ring(0.6, 10_000, false);
    b.see(lit(0.31, 40));
    b.light = ring(0.6, 20_000, true);
    b.see(lit(0.45, 90));
    // Settled without trouble: what comes later is another matter.
    b.light = ring(0.2, 20_000, true);
    for _ in 0..5 {
        b.see(lit(0.5, 95));
    }
    b.wait(800);
    let outcome = b.stored.last().expect("an outcome");
    assert_eq!(outcome["result"], "verified");
    let [light] = remedies(outcome) else {
        panic!("{}", outcome["remedies"]);
    };
    let at_ms = light["at_ms"].as_u64().expect("a time");
    assert!(at_ms > 0 && at_ms < 5_000, "{light}");
    assert_eq!(
        *light,
        json!({
            "step": "face", "reason": "env.too_dark", "remedy": "adjust_light", "at_ms": at_ms,
            "effect": {"name": "face_luminance", "before": 0.12, "after": 0.45, "unit": "share"},
            "recipe": "face",
            "light": {"left": 0.6, "right": 0.6, "exposure_us": 20_000, "gain": 1.0},
        })
    );
}

#[test]
fn light_that_was_called_for_and_did_not_change_is_no_remedy() {
    let mut b = Bench::new();
    b.go_to_document();
    b.read_document(&mrz(), 2);
    b.light = ring(0.35, 10_000, true);
    b.see(lit(0.12, 10));
    for _ in 0..5 {
        b.see(lit(0.5, 95));
    }
    b.wait(800);
    let outcome = b.stored.last().expect("an outcome");
    assert_eq!(outcome["result"], "verified");
    assert!(remedies(outcome).is_empty(), "{}", outcome["remedies"]);
}

fn document(problem: DocumentProblem, glare_share: f32, tilt_degrees: f32) -> Seen {
    Seen::Document(Box::new(DocumentObservation {
        corners: Some(Default::default()),
        problem: Some(problem),
        glare_share,
        tilt_degrees,
        ..DocumentObservation::default()
    }))
}

#[test]
fn a_person_who_was_told_what_to_do_is_a_remedy_too() {
    let mut b = Bench::new();
    b.go_to_document();
    for _ in 0..60 {
        b.see(document(DocumentProblem::Tilted, 0.0, 31.0));
    }
    b.read_document(&mrz(), 2);
    b.show_face(0.8, 5);
    let outcome = b.stored.last().expect("an outcome");
    let [told] = remedies(outcome) else {
        panic!("{}", outcome["remedies"]);
    };
    assert_eq!(
        (&told["remedy"], &told["reason"]),
        (&json!("prompt_subject"), &json!("doc.tilted"))
    );
    // The test's readable document has no corners, so that the tilt was not measured again.
    assert_eq!(
        told["effect"],
        json!({"name": "document_tilt", "before": 31.0, "after": 31.0, "unit": "deg"})
    );
    assert!(told.get("light").is_none(), "{told}");
}

#[test]
fn glare_that_came_twice_is_lit_from_the_left_and_then_from_the_right() {
    let mut b = Bench::new();
    b.go_to_document();
    let scenes = [L::Document, L::Document, L::DocumentLeft];
    let screens = [
        "retry.document_unclear",
        "retry.other_light",
        "retry.other_light",
    ];
    for (n, (scene, screen)) in scenes.into_iter().zip(screens).enumerate() {
        assert_eq!(b.session.light_scene(), scene, "try {n}");
        b.light.recipe = scene.recipe();
        let glare = 0.3 - 0.1 * n as f32;
        b.see(document(DocumentProblem::Glare, glare, 0.0));
        b.wait(46_000);
        assert_eq!(b.screen().name(), screen, "try {n}");
        b.press(Button::Confirm);
    }
    // Glare is nobody's attempt.
    assert_eq!(
        b.session
            .visit()
            .expect("a visit")
            .attempts_left(Step::Document, 3),
        3
    );
    assert_eq!(b.session.light_scene(), L::DocumentRight);
    b.light.recipe = "document_right";
    b.read_document(&mrz(), 2);
    b.show_face(0.8, 5);
    let outcome = b.stored.last().expect("an outcome");
    assert_eq!(outcome["result"], "verified");
    let tried: Vec<String> = remedies(outcome)
        .iter()
        .map(|r| {
            let effect = &r["effect"];
            format!(
                "{} {} {} {} -> {}",
                r["remedy"], r["recipe"], effect["name"], effect["before"], effect["after"]
            )
        })
        .collect();
    // The test's readable document has no corners: what the light from the right did was not measured.
    assert_eq!(
        tried,
        [
            r#""other_light" "document_left" "document_glare" 0.2 -> 0.1"#,
            r#""other_light" "document_right" "document_glare" 0.1 -> null"#,
        ]
    );
    let failed: Vec<&Value> = outcome["failed_tries"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|t| &t["reason"])
        .collect();
    assert_eq!(failed, ["doc.glare"; 3]);
}

/// A document with glare on it, unread; what is left of the glare where a picture was made of two.
fn glaring(zone_glare_share: f32, combined: Option<f32>) -> Seen {
    let Seen::Document(mut seen) = document(DocumentProblem::Glare, 0.03, 0.0) else {
        unreachable!("document() makes a document");
    };
    seen.zone_glare_share = zone_glare_share;
    seen.combined = combined.map(|zone_share| CombinedGlare {
        share: 0.0,
        zone_share,
    });
    Seen::Document(seen)
}

#[test]
fn two_pictures_made_into_one_are_a_remedy_with_the_glare_that_is_left() {
    let check = |combined: Option<f32>, after: Value| {
        let mut b = Bench::new();
        b.go_to_document();
        b.light.recipe = "document";
        b.see(glaring(0.14, None));
        for recipe in ["document_left", "document_right", "document_left"] {
            b.light.recipe = recipe;
            b.light.sides_in_turn = true;
            b.see(glaring(0.11, None));
        }
        b.see(glaring(0.12, combined));
        b.light.sides_in_turn = false;
        b.read_document(&mrz(), 2);
        b.show_face(0.8, 5);
        let outcome = b.stored.last().expect("an outcome");
        assert_eq!(outcome["result"], "verified");
        // That the light was set otherwise stands beside it.
        let both: Vec<&Value> = remedies(outcome).iter().map(|r| &r["remedy"]).collect();
        assert_eq!(both, ["adjust_light", "combine_sides"]);
        let sides = &remedies(outcome)[1];
        let at_ms = sides["at_ms"].as_u64().expect("a time");
        assert_eq!(
            *sides,
            json!({
                "step": "document", "reason": "doc.glare", "remedy": "combine_sides", "at_ms": at_ms,
                "effect": {"name": "document_zone_glare", "before": 0.11, "after": after, "unit": "share"},
            })
        );
    };
    check(Some(0.004), json!(0.004));
    // The hand moved: no two pictures fitted.
    check(None, Value::Null);
}

#[test]
fn whoever_fails_the_same_way_to_the_end_is_sent_to_staff_or_asked_for_another_document() {
    let check = |problem, disposition: &str, sign| {
        let mut b = Bench::new();
        b.go_to_document();
        for _ in 0..5 {
            b.see(document(problem, 0.3, 40.0));
            b.wait(46_000);
            b.press(Button::Confirm);
        }
        let outcome = b.stored.last().expect("an outcome");
        assert_eq!(outcome["result"], "inconclusive", "{problem:?}");
        assert_eq!(outcome["disposition"], disposition, "{problem:?}");
        let mut shown = Bench::new();
        shown.go_to_document();
        let tries = outcome["failed_tries"].as_array().expect("a list").len();
        for n in 0..tries {
            shown.see(document(problem, 0.3, 40.0));
            shown.wait(46_000);
            if n + 1 < tries {
                shown.press(Button::Confirm);
            }
        }
        assert_eq!(shown.screen(), Screen::Result(sign), "{problem:?}");
    };
    check(
        DocumentProblem::Tilted,
        "retry_attended",
        ResultSign::SeeStaff,
    );
    check(
        DocumentProblem::Glare,
        "retry_attended",
        ResultSign::SeeStaff,
    );
    check(
        DocumentProblem::Blurred,
        "retry_other_document",
        ResultSign::OtherDocument,
    );
}

#[test]
fn the_record_stays_small() {
    let mut b = Bench::new();
    b.go_to_document();
    // Everything that can be wrong, told, and wrong again in every try.
    for _ in 0..5 {
        for problem in [
            DocumentProblem::Tilted,
            DocumentProblem::Glare,
            DocumentProblem::TooDark,
            DocumentProblem::Blurred,
            DocumentProblem::Moving,
            DocumentProblem::TooSmall,
            DocumentProblem::WrongSide,
        ] {
            for n in 0..50 {
                b.light = ring(n as f32 / 50.0, 1000 * (n + 1), false);
                b.see(document(problem, 0.3, 40.0));
            }
        }
        b.wait(46_000);
        b.press(Button::Confirm);
    }
    let outcome = b.stored.last().expect("an outcome");
    assert!(remedies(outcome).len() <= MOST_REMEDIES);
    assert!(remedies(outcome).len() > 8, "{}", outcome["remedies"]);
}
