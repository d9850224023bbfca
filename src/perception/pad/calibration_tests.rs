//! Small sets with known errors.

use super::PresentationAttackSpecies as Species;
use super::*;
use crate::perception::pad::measure::{Measured, Presentations, Scored, thresholds};

fn presentations(scores: impl IntoIterator<Item = f64>) -> Presentations {
    let scored = scores.into_iter().enumerate().map(|(i, score)| Scored {
        score,
        subject: format!("{}", i % 4),
    });
    Presentations {
        scored: scored.collect(),
        n_no_response: 1,
    }
}

/// `n` scores, `k` of them high.
fn mixed(n: u32, k: u32) -> Presentations {
    presentations((0..n).map(|i| if i < k { 0.9 } else { 0.01 }))
}

fn calibration(attacks: Vec<(Species, Presentations)>, bona_fide: Presentations) -> PadCalibration {
    let set = Measured { bona_fide, attacks }.to_set("test", "2026-11-25", "not for real");
    PadCalibration {
        format: 1,
        model_sha256: "aa".into(),
        set: vec![set],
    }
}

fn good_people() -> Presentations {
    presentations((0..100).map(|i| if i < 2 { 0.4 } else { 0.99 }))
}

#[test]
fn the_worst_species_is_quoted_at_no_less_than_one_half() {
    let found = calibration(
        vec![
            (Species::Print, mixed(40, 0)),
            (Species::Mask, mixed(40, 2)),
        ],
        good_people(),
    )
    .threshold_for(0.07, 0.05)
    .expect("both rates are kept");
    assert_eq!((found.score, found.worst_species), (0.5, Species::Mask));
    assert_eq!((found.apcer, found.bpcer), (0.05, 0.02));
    assert!(
        found.apcer_lower95 < 0.05 && found.apcer_upper95 > 0.16,
        "{found:?}"
    );
    assert!(
        found.calibration.ends_with("not for real"),
        "{}",
        found.calibration
    );
}

#[test]
fn equal_rates_are_quoted_with_the_wider_interval() {
    let found = calibration(
        vec![
            (Species::Print, mixed(40, 0)),
            (Species::Screen, mixed(20, 0)),
        ],
        good_people(),
    )
    .threshold_for(0.07, 0.05)
    .expect("both rates are kept");
    assert_eq!(found.worst_species, Species::Screen);
}

#[test]
fn a_species_that_scores_high_lifts_the_threshold_as_far_as_bona_fides_allow() {
    let of = |bona_fide| calibration(vec![(Species::Print, mixed(40, 4))], bona_fide);
    let found = of(good_people())
        .threshold_for(0.07, 0.05)
        .expect("between 0.9 and 0.99");
    assert!(
        (0.9..0.99).contains(&found.score) && found.apcer == 0.0,
        "{found:?}"
    );
    let check = |bona_fide, word: &str| {
        let error = of(bona_fide)
            .threshold_for(0.07, 0.05)
            .expect_err(word)
            .to_string();
        assert!(error.contains(word) && error.contains("mend:"), "{error}");
    };
    check(mixed(100, 100), "BPCER of 100.00 %");
    let certain = calibration(
        vec![(Species::Mask, presentations((0..20).map(|_| 1.0)))],
        good_people(),
    );
    let error = certain
        .threshold_for(0.07, 0.05)
        .expect_err("masks pass")
        .to_string();
    assert!(
        error.contains("APCER of 100.00 %") && error.contains("`mask`"),
        "{error}"
    );
}

#[test]
fn too_few_presentations_promise_nothing() {
    let error = calibration(vec![(Species::Print, mixed(14, 0))], good_people())
        .threshold_for(0.07, 0.05)
        .expect_err("14 are not enough for 0.07")
        .to_string();
    assert!(
        error.contains("found at most 14") && error.contains("needed 15"),
        "{error}"
    );
}

#[test]
fn subjects_are_counted_once() {
    // Of four subjects in turns, the first two have one high score each.
    let class = mixed(40, 2);
    assert_eq!(class.n_subjects(), 4);
    assert_eq!(class.rate_by_subject(|s| s >= 0.5), Some(Rate::new(2, 4)));
    let mut unnamed = class;
    unnamed.scored[3].subject.clear();
    assert_eq!(unnamed.rate_by_subject(|s| s >= 0.5), None);
    assert_eq!(unnamed.n_subjects(), 0);
}

#[test]
fn a_calibration_that_cannot_be_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("c.toml");
    let good = calibration(vec![(Species::Print, mixed(40, 2))], good_people());
    let write = |c: &PadCalibration| {
        std::fs::write(&path, toml::to_string(c).expect("TOML")).expect("written");
    };
    write(&good);
    assert_eq!(PadCalibration::read(&path, "aa").expect("good"), good);
    let error = PadCalibration::read(&path, "bb").expect_err("another net");
    assert!(error.to_string().contains("calibrate pad"), "{error}");
    let check = |change: fn(&mut PadCalibration), word: &str| {
        let mut wrong = good.clone();
        change(&mut wrong);
        write(&wrong);
        let error = PadCalibration::read(&path, "aa")
            .expect_err(word)
            .to_string();
        assert!(error.contains(word), "{error}");
    };
    check(|c| c.format = 2, "`format`: found 2");
    check(|c| c.set.clear(), "no set");
    check(|c| c.set[0].point.clear(), "set `test`");
    check(|c| c.set[0].point[3].threshold = f64::NAN, "set `test`");
    check(|c| c.set[0].point[3].threshold = 1.5, "set `test`");
    check(|c| c.set[0].point[3].accepted.clear(), "set `test`");
    check(|c| c.set[0].point[0].rejected = 101, "set `test`");
    check(|c| c.set[0].species.clear(), "set `test`");
    check(|c| c.set[0].bona_fide.n = 0, "set `test`");
    std::fs::write(&path, "format = 1\nsurprise = 2\n").expect("written");
    assert!(PadCalibration::read(&path, "aa").is_err());
}

#[test]
fn one_half_is_a_threshold() {
    assert!(thresholds().any(|t| t == 0.5));
    assert!(thresholds().zip(thresholds().skip(1)).all(|(a, b)| a < b));
}
