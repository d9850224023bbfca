//! Months of a booth's life through store and judge, on a clock of their own.

use super::*;
use crate::base::time::{Clock as _, ManualClock, Moment};
use crate::technician::command::Role;
use crate::technician::page::{Style, WIDTH, report_lines};
use crate::technician::plain::columns;
use std::time::Duration;

mod keeping;

const START: WallTime = WallTime(1_800_000_000_000 / 86_400_000 * 86_400_000);
const HOUR: Duration = Duration::from_secs(3600);

/// A booth that lives hour by hour.
struct Life {
    dir: tempfile::TempDir,
    clock: ManualClock,
    trends: Trends,
    active: Vec<&'static str>,
    /// `day 34: +hw.camera.dirty`.
    events: Vec<String>,
}

impl Life {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder for the test");
        Self {
            clock: ManualClock::new(Moment::ZERO, START),
            trends: Trends::open(&dir.path().join("trends.db")),
            dir,
            active: Vec::new(),
            events: Vec::new(),
        }
    }

    fn day(&self) -> i64 {
        day_of(self.clock.wall()) - day_of(START)
    }

    fn restart(&mut self) {
        self.trends.write();
        // One at a time has the database.
        self.trends = Trends::open(&self.dir.path().join("unused.db"));
        self.trends = Trends::open(&self.dir.path().join("trends.db"));
    }

    fn turn(&mut self) {
        let Some(looked_for) = self.trends.turn(self.clock.wall()) else {
            return;
        };
        let day = self.day();
        for (row, found) in looked_for {
            let was = self.active.contains(&row.code);
            if found.is_some() != was {
                let sign = if was { '-' } else { '+' };
                self.events.push(format!("day {day}: {sign}{}", row.code));
                self.active.retain(|code| *code != row.code);
                self.active.extend(found.map(|_| row.code));
            }
        }
    }

    /// So many days, every third hour of them; `figures` says what is measured in an hour of a day.
    fn live(&mut self, days: i64, figures: impl Fn(i64, i64) -> Vec<(Measure, f64)>) {
        for _ in 0..8 * days {
            let (day, hour) = (self.day(), hour_of(self.clock.wall()).rem_euclid(24));
            for (measure, value) in figures(day, hour) {
                self.trends.add(measure, value as f32, self.clock.wall());
            }
            self.clock.advance(3 * HOUR);
            self.turn();
        }
    }
}

/// Not the same every day: up to `share` more or less.
fn about(value: f64, share: f64, day: i64, hour: i64) -> f64 {
    let chance = (day * 7919 + hour * 104_729).rem_euclid(1000) as f64 / 500.0 - 1.0;
    value * (1.0 + share * chance)
}

/// A booth that is well, its wall with an edge, its disk with a counter. Nine sessions a day.
fn well(day: i64, hour: i64) -> Vec<(Measure, f64)> {
    let open = [9, 12, 15].contains(&hour);
    let mut figures = vec![
        (Measure::Sharpness, about(0.33, 0.05, day, hour)),
        (Measure::NoiseFloor, if open { -48.0 } else { -62.0 }),
        (
            Measure::Processor,
            about(if open { 58.0 } else { 45.0 }, 0.05, day, hour),
        ),
        (Measure::LowSupply, 0.0),
        (Measure::LifeUsed, 10.0),
        (Measure::RoomLight, if open { 1.0 } else { 0.1 }),
    ];
    if hour == 3 {
        figures.push((Measure::LightLeft, about(1.0, 0.03, day, 1)));
        figures.push((Measure::LightRight, about(1.1, 0.03, day, 2)));
    }
    for session in 0..if open { 3 } else { 0 } {
        let chance = 10 * hour + session;
        figures.push((Measure::FaceLuminance, about(47.0, 0.1, day, chance)));
        figures.push((Measure::DocumentSharpness, about(900.0, 0.4, day, chance)));
    }
    figures
}

/// Only one measure, as often as it comes, with these figures.
fn only(
    measure: Measure,
    figure: impl Fn(i64, i64) -> f64,
) -> impl Fn(i64, i64) -> Vec<(Measure, f64)> {
    move |day, hour| {
        let mut figures = well(day, hour);
        figures.retain(|(of, _)| *of == measure);
        figures
            .into_iter()
            .map(|(of, _)| (of, figure(day, hour)))
            .collect()
    }
}

fn check(what: &str, figures: impl Fn(i64, i64) -> Vec<(Measure, f64)>, expected: &[&str]) {
    let mut life = Life::new();
    life.live(120, figures);
    assert_eq!(life.events, expected, "{what}");
}

#[test]
fn months_raise_what_gets_worse_and_nothing_else() {
    use Measure as M;
    let from = |day: i64, before: f64, after: f64| {
        move |d: i64, _: i64| if d < day { before } else { after }
    };
    check("well", well, &[]);
    check(
        "two dark days and a closed week",
        only(M::Sharpness, |d, _| match d {
            30 | 31 => 0.1,
            50..57 => f64::NAN,
            _ => 0.33,
        }),
        &[],
    );
    // The reference is that of day 6.5; a quarter less is passed on day 89, which is the median of days 87 to 91.
    check(
        "dust settles on the lens",
        only(M::Sharpness, |d, _| 0.33 * (1.0 - 0.003 * d as f64)),
        &["day 92: +hw.camera.dirty"],
    );
    // Day 60 has four sessions of before and four of after in one figure.
    check(
        "documents tell a lens without an edge in its room, too",
        only(M::DocumentSharpness, from(60, 900.0, 300.0)),
        &["day 64: +hw.camera.dirty"],
    );
    check(
        "one side ages at once",
        only(M::LightLeft, from(40, 1.0, 0.75)),
        &["day 43: +hw.light.left_aged"],
    );
    check(
        "a fan begins to hum, and is mended",
        only(M::NoiseFloor, |d, _| {
            if (40..70).contains(&d) { -45.0 } else { -60.0 }
        }),
        &["day 43: +hw.mic.noise_risen", "day 73: -hw.mic.noise_risen"],
    );
    check(
        "it comes and goes between its two limits, and is told once",
        only(M::NoiseFloor, |d, _| match d {
            ..30 => -60.0,
            _ if d / 10 % 2 == 1 => -50.0,
            _ => -53.0,
        }),
        &["day 33: +hw.mic.noise_risen"],
    );
    check(
        "a hot summer",
        only(M::Processor, |d, h| {
            if (30..60).contains(&d) && h == 15 {
                72.0
            } else {
                50.0
            }
        }),
        &["day 33: +hw.thermal.warm", "day 63: -hw.thermal.warm"],
    );
    check(
        "the supply dips on most days",
        only(M::LowSupply, |d, h| {
            f64::from(u8::from(d >= 40 && d % 4 != 0 && h == 12))
        }),
        &["day 44: +hw.power.dips"],
    );
    check(
        "the supply dips once a week",
        only(M::LowSupply, |d, h| {
            f64::from(u8::from(d % 7 == 0 && h == 12))
        }),
        &[],
    );
    check(
        "the disk wears",
        only(M::LifeUsed, |d, _| (d / 15 * 10) as f64),
        &["day 108: +hw.storage.wearing"],
    );
    check(
        "faces get dark",
        only(M::FaceLuminance, from(60, 47.0, 30.0)),
        &["day 64: +env.too_dark"],
    );
}

#[test]
fn the_sun_at_certain_hours_is_told_with_them() {
    // From day 30 to day 60 the sun comes in after six, after nine and after fifteen o'clock; one day of a lamp before the lens is none.
    let sun = |day, hour| {
        let mut figures = well(day, hour);
        let is_bright = (30..60).contains(&day) && [6, 9, 15].contains(&hour);
        for (of, value) in &mut figures {
            if *of == Measure::RoomLight {
                *value = if is_bright || day == 20 { 200.0 } else { 1.0 };
            }
        }
        figures
    };
    let mut life = Life::new();
    life.live(45, sun);
    assert_eq!(life.events, ["day 32: +env.ambient_beats_light"]);
    let judged = life.trends.judged(life.clock.wall());
    let room = judged.last().expect("the last measure");
    assert_eq!(room.hours, ["06-07 h", "09-10 h", "15-16 h"]);
    assert!(
        room.in_words()
            .starts_with("room light: 200 %/ms at 06-07 h, 09-10 h, 15-16 h UTC, was 1 %/ms"),
        "{}",
        room.in_words()
    );
    life.live(75, sun);
    assert_eq!(
        life.events,
        [
            "day 32: +env.ambient_beats_light",
            "day 62: -env.ambient_beats_light"
        ]
    );
}

#[test]
fn what_was_cleaned_is_believed_and_what_was_replaced_begins_anew() {
    use Measure as M;
    let steps = |dirty: i64, clean: i64, after: f64| {
        only(M::Sharpness, move |day, _| match day {
            _ if day < dirty => 0.33,
            _ if day < clean => 0.2,
            _ => after,
        })
    };
    for (what, result, after, expected) in [
        ("cleaned well", InspectResult::Cleaned, 0.32, vec![]),
        (
            "cleaned badly: the reference is still the old one",
            InspectResult::Cleaned,
            0.21,
            vec!["day 46: +hw.camera.dirty"],
        ),
        (
            "another lens, less sharp than the first",
            InspectResult::Replaced,
            0.22,
            vec![],
        ),
        ("only looked at", InspectResult::Good, 0.2, vec![]),
    ] {
        let mut life = Life::new();
        life.live(40, steps(30, 40, after));
        assert_eq!(life.events, ["day 33: +hw.camera.dirty"], "{what}");
        life.events.clear();
        life.trends
            .inspected(InspectItem::Lens, result, life.clock.wall());
        life.turn();
        let cleared = life.events.drain(..).collect::<Vec<_>>();
        let believed = if result == InspectResult::Good {
            vec![]
        } else {
            vec!["day 40: -hw.camera.dirty"]
        };
        assert_eq!(cleared, believed, "{what}");
        life.live(60, steps(30, 40, after));
        assert_eq!(life.events, expected, "{what}");
    }
    let mut life = Life::new();
    life.live(40, only(M::LightRight, |_, _| 1.0));
    life.trends
        .calibrated(CalibrateWhat::Lights, life.clock.wall());
    life.live(60, only(M::LightRight, |_, _| 0.5));
    assert_eq!(life.events, [""; 0], "another ring");
}

#[test]
fn a_technician_reads_it_in_eighty_columns() {
    let mut life = Life::new();
    let new = report(&life.trends.judged(life.clock.wall()));
    assert_eq!(
        new.code,
        super::super::report::Code::Ok,
        "a new booth is well"
    );
    life.live(60, |day, hour| {
        let mut figures = well(day, hour);
        for (of, value) in &mut figures {
            if *of == Measure::LightLeft {
                *value = if day < 40 { 1.0 } else { 0.75 };
            }
        }
        figures
    });
    let report = report(&life.trends.judged(life.clock.wall()));
    let lines = report_lines(&report, &[], Style::default());
    assert!(lines.iter().all(|l| columns(l) <= WIDTH), "{lines:#?}");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/console/trends.txt");
    let found = lines.join("\n") + "\n";
    let expected = std::fs::read_to_string(&golden).unwrap_or_default();
    if found != expected {
        std::fs::write(golden.with_extension("txt.unmatched"), &found).expect("writable");
    }
    assert_eq!(found, expected, "{}.unmatched has it", golden.display());
    assert_eq!(
        crate::technician::command::Command::Show(crate::technician::command::Topic::Trends).role(),
        Role::View
    );
}

#[test]
fn every_measure_has_its_fault() {
    for measure in Measure::ALL {
        let spec = measure.spec();
        let row = FaultRow::of(spec.code).unwrap_or_else(|| panic!("{} has no row", spec.code));
        assert_eq!(
            (row.attention.word(), row.clears.words()),
            ("soon", "by itself"),
            "{}",
            row.code
        );
        let same = Measure::ALL.iter().filter(|m| m.spec().name == spec.name);
        assert_eq!(same.count(), 1, "{}", spec.name);
    }
}
