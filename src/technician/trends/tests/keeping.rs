//! What is kept: over restarts, wrong clocks, damaged files and full disks; and how little it is.

use super::*;
use crate::technician::report::Verdict;
use proptest::prelude::*;

impl Life {
    fn rows(&self, table: &str) -> i64 {
        self.trends.lock().store.with(-1, |db| {
            db.query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get(0))
        })
    }
}

#[test]
fn a_restart_loses_nothing_but_sessions_that_are_too_few() {
    let mut life = Life::new();
    life.live(40, only(Measure::LightLeft, |_, _| 1.0));
    life.live(10, only(Measure::LightLeft, |_, _| 0.7));
    assert_eq!(life.events, ["day 43: +hw.light.left_aged"]);
    // An hour in two parts.
    life.trends.add(Measure::LowSupply, 1.0, life.clock.wall());
    let before = life.trends.days_as_csv();
    life.restart();
    // The memory of faults has forgotten it, the trend has not.
    life.active.clear();
    life.turn();
    assert_eq!(life.events[1..], ["day 50: +hw.light.left_aged"]);
    life.trends.add(Measure::LowSupply, 1.0, life.clock.wall());
    life.trends.write();
    life.trends.write();
    let csv = life.trends.days_as_csv();
    let today = |csv: &str| {
        csv.lines()
            .rfind(|l| l.starts_with("low supply"))
            .map(str::to_owned)
    };
    assert_ne!(
        today(&before),
        today(&csv),
        "before, it was not written yet"
    );
    assert!(
        today(&csv).is_some_and(|line| line.contains(",2,2.0000,")),
        "{:?}",
        today(&csv)
    );

    let days = |life: &Life| life.trends.days_as_csv().matches("face luminance").count();
    let known = days(&life);
    let session = |life: &Life| {
        life.trends
            .add(Measure::FaceLuminance, 30.0, life.clock.wall());
    };
    life.restart();
    (1..SESSIONS_TOGETHER).for_each(|_| session(&life));
    life.restart();
    (1..SESSIONS_TOGETHER).for_each(|_| session(&life));
    assert_eq!(days(&life), known, "nobody is to be told from others");
    session(&life);
    assert_eq!(days(&life), known + 1);
    let csv = life.trends.days_as_csv();
    let line = csv.lines().rfind(|l| l.starts_with("face"));
    assert!(
        line.is_some_and(|l| l.ends_with(",8,30.0000,30.0000,30.0000")),
        "{line:?}"
    );
}

#[test]
fn a_clock_that_is_wrong_for_a_while_costs_that_while() {
    let mut life = Life::new();
    life.live(40, well);
    let right = life.clock.wall();
    for wrong in [
        WallTime(0),
        WallTime(right.0 + 900 * 86_400_000),
        WallTime(i64::MAX / 2),
        WallTime(i64::MIN / 2),
    ] {
        life.clock.set_wall(wrong);
        life.live(1, only(Measure::Sharpness, |_, _| 0.1));
        life.clock.set_wall(right);
        life.turn();
    }
    life.live(40, well);
    assert_eq!(life.events, [""; 0]);
    let judged = life.trends.judged(life.clock.wall());
    assert!(
        judged.iter().all(|j| j.verdict == Verdict::Ok),
        "{judged:#?}"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_put_aside_and_begun_again() {
    let mut life = Life::new();
    life.live(2, well);
    let path = life.dir.path().join("trends.db");
    let good = {
        life.restart();
        life.trends = Trends::open(&life.dir.path().join("unused.db"));
        std::fs::read(&path).expect("a file")
    };
    let mut newer = good.clone();
    // The user version, big-endian at 60.
    newer[63] = 9;
    let mut torn = good.clone();
    let at = good.len() / 2;
    torn[at..].fill(0xa5);
    for (what, bytes) in [
        ("text", b"no database, but long enough to be taken for the head of one, so that it is looked at".repeat(9)),
        ("another form", newer),
        ("torn", torn),
    ] {
        let _ = std::fs::remove_file(path.with_extension("damaged"));
        std::fs::write(&path, &bytes).expect("written");
        life.trends = Trends::open(&path);
        life.trends.add(Measure::Processor, 50.0, life.clock.wall());
        life.trends.write();
        assert_eq!(life.rows("day"), 1, "{what}");
        let aside = std::fs::read(path.with_extension("damaged"));
        assert_eq!(aside.ok().as_ref(), Some(&bytes), "{what}");
        life.trends = Trends::open(&life.dir.path().join("unused.db"));
        std::fs::remove_file(&path).expect("it is there");
    }
}

#[test]
fn a_disk_that_takes_nothing_costs_rows_and_no_more() {
    let mut life = Life::new();
    let folder = life.dir.path().join("not_mounted");
    life.trends = Trends::open(&folder.join("trends.db"));
    life.live(2, well);
    assert_eq!((life.rows("day"), life.events.len()), (-1, 0));
    assert!(
        life.trends
            .judged(life.clock.wall())
            .iter()
            .all(|j| !j.raised && j.now.is_none())
    );
    std::fs::create_dir(&folder).expect("it is mounted");
    life.live(1, well);
    assert!(life.rows("day") > 5, "{}", life.rows("day"));
    // A full one: SQLite is given no page more.
    let full = life.trends.lock().store.with(false, |db| {
        db.pragma_update(None, "max_page_count", 1)?;
        Ok(true)
    });
    assert!(full);
    life.live(60, well);
    assert_eq!(life.events, [""; 0]);
    assert!(life.rows("day") > 5, "what was kept is kept");
}

fn times() -> impl Strategy<Value = Vec<(i64, i64)>> {
    // Where the clock is set, and how many hours follow.
    proptest::collection::vec((-3000i64..3000, 1i64..500), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn it_stays_bounded_whatever_the_clock_does(times in times()) {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let path = dir.path().join("trends.db");
        let mut store = Store::open(&path);
        let measure = Measure::Sharpness;
        store.with((), |db| {
            let tx = db.transaction()?;
            for (from, n) in &times {
                for hour in *from..from + n {
                    let s = Summary { n: 3, mid: hour as f64, low: 0.0, high: 1.0 };
                    store::put_hour(&tx, measure, hour, &s)?;
                }
            }
            tx.commit()
        });
        let all = (i64::MIN, i64::MAX);
        let (hours, days) = store.with((0, 0), |db| {
            Ok((store::hours(db, measure, all)?.len(), store::days(db, measure, all)?.len()))
        });
        let written: std::collections::BTreeSet<i64> =
            times.iter().flat_map(|(from, n)| *from..from + n).collect();
        let of_days: std::collections::BTreeSet<i64> =
            written.iter().map(|hour| hour.div_euclid(24)).collect();
        prop_assert_eq!(hours, written.len().min(store::MOST_HOURS as usize));
        prop_assert_eq!(days, of_days.len().min(store::MOST_DAYS as usize));
    }

    #[test]
    fn any_figures_of_any_times_are_taken(
        steps in proptest::collection::vec((0usize..10, any::<f32>(), -9000i64..9000, any::<bool>()), 1..60),
    ) {
        let mut life = Life::new();
        for (measure, value, minutes, restart) in steps {
            life.trends.add(Measure::ALL[measure], value, life.clock.wall());
            life.clock.set_wall(WallTime(life.clock.wall().0 + 60_000 * minutes));
            life.turn();
            if restart {
                life.restart();
            }
        }
        prop_assert!(!life.dir.path().join("trends.damaged").exists());
        prop_assert_eq!(life.trends.judged(life.clock.wall()).len(), Measure::ALL.len());
    }
}

#[test]
fn full_tables_of_every_measure_are_two_mib_at_most() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let path = dir.path().join("trends.db");
    let mut store = Store::open(&path);
    for part in 0..8 {
        store.with((), |db| {
            let tx = db.transaction()?;
            for measure in Measure::ALL {
                for i in 110 * part..110 * (part + 1) {
                    let s = Summary {
                        n: 720,
                        mid: 0.333,
                        low: 0.25,
                        high: 0.4,
                    };
                    store::put_hour(&tx, measure, i, &s)?;
                    store::put_day(&tx, measure, 1_000_000 + i, (9, 0.3), None)?;
                }
            }
            tx.commit()
        });
    }
    let n = |table: &str| format!("SELECT count(*) FROM {table}");
    let (hours, days): (u32, u32) = store.with((0, 0), |db| {
        db.query_row_and_then("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| {
            Ok::<_, rusqlite::Error>(())
        })?;
        Ok((
            db.query_row(&n("hour"), [], |r| r.get(0))?,
            db.query_row(&n("day"), [], |r| r.get(0))?,
        ))
    });
    assert_eq!(
        (hours, days),
        (10 * store::MOST_HOURS, 10 * store::MOST_DAYS)
    );
    let bytes = std::fs::metadata(&path).expect("a file").len();
    assert!(bytes < 2 * 1024 * 1024, "{bytes}");
}
