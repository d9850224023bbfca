//! The fragments that the drawing gives, for small inputs.

use super::*;

fn plot(scale: Scale, join: Join, points: &[(f64, f64)]) -> Plot<'static> {
    Plot {
        title: ("A <title>", "标题"),
        unit: "px",
        scale,
        time: (0.0, 10.0),
        across: "s",
        phases: &[],
        series: vec![Series {
            name: "a & b".to_owned(),
            points: points.to_vec(),
            join,
        }],
        bands: Vec::new(),
    }
}

fn path_of(join: Join, points: &[(f64, f64)]) -> String {
    let plot = plot(Scale::Linear(0.0, 1.0), join, points);
    plot.path(&plot.series[0], &Axis::of(&plot))
}

#[test]
fn ticks_are_round_numbers() {
    let check = |low: f64, high: f64, n: f64, expected: &[f64]| {
        let found = ticks(low, high, n);
        assert_eq!(found.len(), expected.len(), "{low}..{high}: {found:?}");
        for (f, e) in found.iter().zip(expected) {
            assert!((f - e).abs() < 1e-9, "{low}..{high}: {found:?}");
        }
    };
    check(0.0, 100.0, 5.0, &[0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
    check(0.0, 1.0, 5.0, &[0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
    check(-7.0, 12.0, 4.0, &[-5.0, 0.0, 5.0, 10.0]);
    check(3.0, 3.0, 5.0, &[3.0]);
    check(0.0, f64::NAN, 5.0, &[0.0]);
}

#[test]
fn lines_break_at_gaps_and_steps_hold() {
    let check = |join, points: &[(f64, f64)], expected: &str| {
        assert_eq!(path_of(join, points), expected, "{points:?}");
    };
    // The plot is 496 wide from 50 and 166 high from 22.
    check(
        Join::Line,
        &[(0.0, 0.0), (0.5, 1.0)],
        "M50.0 188.0L50.0 188.0L74.8 22.0",
    );
    check(
        Join::Line,
        &[(0.0, 0.0), (5.0, 1.0)],
        "M50.0 188.0L50.0 188.0M298.0 22.0L298.0 22.0",
    );
    check(
        Join::Hold,
        &[(0.0, 0.0), (5.0, 1.0)],
        "M50.0 188.0L50.0 188.0L298.0 188.0L298.0 22.0L546.0 22.0",
    );
    check(Join::Line, &[(0.0, f64::NAN)], "");
}

#[test]
fn the_axis_takes_in_what_sticks_out() {
    let check = |scale, values: &[f64], expected: (f64, f64)| {
        let points: Vec<_> = values.iter().map(|v| (0.0, *v)).collect();
        let axis = Axis::of(&plot(scale, Join::Line, &points));
        assert!(
            (axis.low - expected.0).abs() < 1e-6,
            "{values:?}: {}",
            axis.low
        );
        assert!(
            (axis.high - expected.1).abs() < 1e-6,
            "{values:?}: {}",
            axis.high
        );
    };
    check(Scale::Linear(0.0, 100.0), &[20.0], (0.0, 100.0));
    check(Scale::Linear(0.0, 1.0), &[2.0], (0.0, 2.12));
    check(Scale::Log, &[100.0, 10_000.0], (1.85, 4.15));
    check(Scale::Log, &[1000.0], (2.404_321, 3.6));
}

#[test]
fn a_plot_is_escaped_and_has_axes_and_a_legend() {
    let mut out = String::new();
    let mut plot = plot(Scale::Linear(0.0, 1.0), Join::Line, &[(1.0, 0.5)]);
    plot.bands.push(Band {
        low: 0.4,
        high: 0.4,
        name: "limit <0.4>".to_owned(),
        phase: None,
    });
    plot.write(&mut out).expect("a String takes everything");
    for part in [
        "A &lt;title&gt;",
        "标题",
        ">a &amp; b<",
        ">limit &lt;0.4&gt;<",
        ">px</text>",
        ">s</text>",
        ">0.4</text>",
    ] {
        assert!(out.contains(part), "{part:?} in {out}");
    }
    let mut empty = String::new();
    plot.series[0].points.clear();
    plot.write(&mut empty).expect("a String takes everything");
    assert!(empty.contains("nothing was measured"), "{empty}");
}
