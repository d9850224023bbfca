//! One judgement each; months of them are in `trends/tests.rs`.

use super::*;

#[test]
fn too_few_days_say_nothing() {
    let days = |n: i64| (0..n).map(|d| (d, 0.3)).collect::<Vec<_>>();
    for (what, days, today, missing, verdict) in [
        ("none", vec![], 9, 5, Verdict::NotTested),
        ("four", days(4), 4, 1, Verdict::NotTested),
        ("five", days(5), 5, 0, Verdict::Ok),
        ("five, long ago", days(5), 40, 5, Verdict::NotTested),
        ("two of them recent", days(5), 16, 3, Verdict::NotTested),
        ("in the future", days(20), -1, 5, Verdict::NotTested),
    ] {
        let j = judge(Measure::Sharpness, &days, &Standing::default(), today);
        assert_eq!((j.missing_days, j.verdict), (missing, verdict), "{what}");
        assert!(!j.raised && j.fixed.is_none(), "{what}");
    }
    // What is told stays told while nothing is known.
    let raised = Standing {
        raised: true,
        ..Standing::default()
    };
    let j = judge(Measure::Sharpness, &days(4), &raised, 4);
    assert_eq!((j.raised, j.verdict), (true, Verdict::Warn));
}

#[test]
fn the_reference_is_the_first_fortnight_and_then_fixed() {
    let days: Vec<(i64, f64)> = (0..40).map(|d| (d, d as f64)).collect();
    let at = |today, standing: &Standing| judge(Measure::Sharpness, &days, standing, today);
    let none = Standing::default();
    assert_eq!(
        (at(13, &none).reference, at(13, &none).fixed),
        (Some(6.0), None)
    );
    assert_eq!(
        (at(14, &none).reference, at(14, &none).fixed),
        (Some(6.5), Some(6.5))
    );
    let since = Standing {
        since_day: 20,
        ..none
    };
    assert_eq!(at(35, &since).reference, Some(26.5));
    let fixed = Standing {
        since_day: 20,
        reference: Some(100.0),
        raised: false,
    };
    let j = at(35, &fixed);
    assert_eq!(
        (j.now, j.reference, j.fixed, j.raised),
        (Some(32.0), Some(100.0), None, true)
    );
    assert!(j.change().is_some_and(|c| (c + 0.68).abs() < 1e-9));
}

#[test]
fn a_limit_is_passed_outwards_at_one_value_and_inwards_at_another() {
    use Measure as M;
    for (measure, reference, value, when_well, when_told) in [
        (M::Sharpness, 0.4, 0.29, true, true),
        (M::Sharpness, 0.4, 0.31, false, true),
        (M::Sharpness, 0.4, 0.35, false, false),
        (M::NoiseFloor, -60.0, -50.0, true, true),
        (M::NoiseFloor, -60.0, -51.0, false, true),
        (M::NoiseFloor, -60.0, -54.5, false, false),
        (M::Processor, 50.0, 70.0, true, true),
        (M::Processor, 50.0, 68.0, false, true),
        (M::Processor, 50.0, 66.0, false, false),
        (M::Processor, 71.0, 71.0, true, true),
        (M::LowSupply, 0.0, 1.0, true, true),
        (M::LowSupply, 0.0, 0.0, false, false),
    ] {
        let days: Vec<(i64, f64)> = (0..5).map(|d| (d, value)).collect();
        for (raised, expected) in [(false, when_well), (true, when_told)] {
            let standing = Standing {
                since_day: 0,
                reference: Some(reference),
                raised,
            };
            let j = judge(measure, &days, &standing, 5);
            assert_eq!(j.raised, expected, "{measure:?} {value} told: {raised}");
        }
    }
}

#[test]
fn hours_are_judged_against_the_ring() {
    // Five days; the hour 23 and the hours 0 and 1 are bright.
    let hours: Vec<(i64, f64)> = (0..5 * 24)
        .map(|h| {
            (
                h,
                if [23, 0, 1].contains(&(h % 24)) {
                    90.0
                } else {
                    1.0
                },
            )
        })
        .collect();
    for (what, hours, ring, raised, verdict, spans) in [
        (
            "bright",
            &hours[..],
            Some(1.0),
            true,
            Verdict::Warn,
            vec!["00-02 h", "23-24 h"],
        ),
        (
            "a stronger ring",
            &hours[..],
            Some(2.0),
            false,
            Verdict::Ok,
            vec![],
        ),
        (
            "no ring known",
            &hours[..],
            None,
            false,
            Verdict::NotTested,
            vec![],
        ),
        (
            "a dead ring",
            &hours[..],
            Some(0.0),
            false,
            Verdict::NotTested,
            vec![],
        ),
        (
            "four days",
            &hours[..4 * 24],
            Some(1.0),
            false,
            Verdict::NotTested,
            vec![],
        ),
    ] {
        let now = 5 * 24;
        let j = judge_hours(Measure::RoomLight, hours, ring, &Standing::default(), now);
        assert_eq!((j.raised, j.verdict), (raised, verdict), "{what}");
        assert_eq!(j.hours, spans, "{what}");
    }
}
