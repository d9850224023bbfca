//! No sequence of wishes makes the light flash, leave its range or overheat.

use super::core::{SIGNALS, signals};
use super::*;
use crate::hal::{DeviceKind, FaultKind, SideLevel};
use proptest::prelude::*;
use std::sync::{Arc, Mutex};

/// What is asked of the driver.
#[derive(Clone, Debug)]
enum Ask {
    /// These levels.
    Want(LightLevels),
    /// Off, at once.
    Off,
    /// Nothing new.
    Wait,
}

fn level() -> impl Strategy<Value = f32> {
    prop_oneof![4 => Just(0.0), 4 => Just(1.0), 4 => 0.0..=1.0_f32, 1 => Just(f32::NAN), 1 => Just(-3.0), 1 => Just(9.0)]
}

fn side() -> impl Strategy<Value = SideLevel> {
    (level(), level(), level(), level()).prop_map(|(white, red, green, blue)| SideLevel {
        white,
        red,
        green,
        blue,
    })
}

fn ask() -> impl Strategy<Value = Ask> {
    prop_oneof![
        6 => (side(), side()).prop_map(|(left, right)| Ask::Want(LightLevels { left, right })),
        2 => level().prop_map(|l| Ask::Want(LightLevels::white(l))),
        1 => Just(Ask::Off),
        3 => Just(Ask::Wait),
    ]
}

/// Plays what is asked, each with the milliseconds that pass before it; (milliseconds, levels) in effect.
fn play(asks: &[(u64, Ask)], ramp_per_s: f32) -> Vec<(u64, LightLevels)> {
    let limits = LightLimits {
        ramp_per_s,
        mean_power: 1.0,
    };
    let mut core = LightCore::new(limits);
    let (mut ms, mut wanted) = (0, LightLevels::OFF);
    core.step(Moment::ZERO, wanted);
    let mut played = vec![(0, LightLevels::OFF)];
    for (wait, ask) in asks {
        ms += wait;
        let now = Moment::from_millis(ms);
        let levels = match ask {
            Ask::Want(levels) => {
                wanted = *levels;
                core.step(now, wanted)
            }
            Ask::Wait => core.step(now, wanted),
            Ask::Off => {
                wanted = LightLevels::OFF;
                core.off(now)
            }
        };
        played.push((ms, levels));
    }
    played
}

/// Most flashes in any second of one signal, counted without the driver's counter: from every place, the longest alternating
/// sequence of changes of a tenth or more within a second; a flash is a pair of them.
fn most_flashes(signal: &[(u64, f32)]) -> usize {
    let mut most = 0;
    for (start, &(began, first)) in signal.iter().enumerate() {
        for rising_first in [true, false] {
            let (mut rising, mut extreme, mut changes) = (rising_first, first, 0);
            for &(_, value) in signal[start..]
                .iter()
                .take_while(|(ms, _)| ms - began <= 1000)
            {
                let change = if rising {
                    value - extreme
                } else {
                    extreme - value
                };
                if change >= 0.1 {
                    (rising, extreme, changes) = (!rising, value, changes + 1);
                } else if change < 0.0 {
                    extreme = value;
                }
            }
            most = most.max(changes / 2);
        }
    }
    most
}

fn assert_no_flashing(played: &[(u64, LightLevels)]) {
    for signal in 0..SIGNALS {
        let values: Vec<_> = played
            .iter()
            .map(|(ms, l)| (*ms, signals(*l)[signal]))
            .collect();
        let flashes = most_flashes(&values);
        assert!(
            flashes <= 3,
            "signal {signal} flashes {flashes} times in a second"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_is_asked_makes_more_than_three_flashes_in_a_second_or_leaves_the_range(
        asks in prop::collection::vec((1..90_u64, ask()), 1..160),
        ramp in 1.0..=20.0_f32,
    ) {
        let played = play(&asks, ramp);
        for (_, levels) in &played {
            prop_assert!(signals(*levels)[..8].iter().all(|l| (0.0..=1.0).contains(l)));
        }
        assert_no_flashing(&played);
    }

    #[test]
    fn the_mean_power_stays_below_its_limit(
        limit in 0.05..=1.0_f32,
        asks in prop::collection::vec((1..2000_u64, ask()), 1..300),
        ramp in 1.0..=20.0_f32,
    ) {
        let mut core = LightCore::new(LightLimits { ramp_per_s: ramp, mean_power: limit });
        let (mut ms, mut wanted) = (0, LightLevels::white(1.0));
        for (wait, ask) in asks {
            ms += wait;
            match ask {
                Ask::Want(levels) => wanted = levels,
                // Off is no help here: the hard case is a light that everybody wants on.
                Ask::Off | Ask::Wait => {}
            }
            core.step(Moment::from_millis(ms), wanted);
            prop_assert!(core.mean_power() <= limit + 1e-4, "{} above {limit}", core.mean_power());
        }
    }
}

#[test]
fn the_checker_finds_flashing() {
    let square: Vec<_> = (0..21)
        .map(|i| (i * 50, f32::from(u8::from(i % 2 == 1))))
        .collect();
    assert_eq!(most_flashes(&square), 10);
    let slow: Vec<_> = (0..21)
        .map(|i| (i * 200, f32::from(u8::from(i % 2 == 1))))
        .collect();
    assert_eq!(most_flashes(&slow), 2);
}

#[test]
fn a_stroboscope_is_slowed_to_three_flashes_and_still_moves() {
    let asks: Vec<_> = (0..400)
        .map(|i| {
            (
                10,
                Ask::Want(LightLevels::white(f32::from(u8::from(i / 5 % 2 == 0)))),
            )
        })
        .collect();
    let played = play(&asks, 20.0);
    assert_no_flashing(&played);
    let highest = played.iter().map(|(_, l)| l.left.white).fold(0.0, f32::max);
    let late_low = played[100..]
        .iter()
        .map(|(_, l)| l.left.white)
        .fold(1.0, f32::min);
    assert!(highest > 0.9 && late_low < 0.1, "{highest} {late_low}");
}

#[test]
fn sides_and_colours_in_turn_do_not_add_up_to_flashing() {
    let side = |i: u64| SideLevel {
        white: f32::from(u8::from(i.is_multiple_of(4))),
        red: f32::from(u8::from(i % 4 == 1)),
        green: f32::from(u8::from(i % 4 == 2)),
        blue: f32::from(u8::from(i % 4 == 3)),
    };
    let asks: Vec<_> = (0..200)
        .map(|i| {
            let levels = LightLevels {
                left: side(i),
                right: side(i + 2),
            };
            (40, Ask::Want(levels))
        })
        .collect();
    assert_no_flashing(&play(&asks, 20.0));
}

#[test]
fn a_change_takes_the_time_of_its_slope() {
    let asks: Vec<_> = (0..30)
        .map(|_| (20, Ask::Want(LightLevels::white(0.6))))
        .collect();
    let played = play(&asks, 4.0);
    let reached = played
        .iter()
        .find(|(_, l)| l.left.white > 0.599)
        .map(|(ms, _)| *ms);
    assert_eq!(reached, Some(160));
    // After a late tick the slope goes on; it does not jump.
    let late = play(&[(5_000, Ask::Want(LightLevels::white(1.0)))], 4.0);
    assert!((late[1].1.left.white - 0.4).abs() < 1e-6);
}

/// Lights that remember what was applied and can be made to fail.
#[derive(Clone, Debug, Default)]
struct Recorder {
    applied: Arc<Mutex<Vec<LightLevels>>>,
    broken: Arc<Mutex<bool>>,
}

impl Lights for Recorder {
    fn apply(&mut self, levels: LightLevels) -> Result<(), DeviceFault> {
        if *self.broken.lock().expect("no panic under the lock") {
            return Err(DeviceFault {
                device: DeviceKind::Lights,
                kind: FaultKind::Io,
                place: "test".to_owned(),
                detail: "made to fail".to_owned(),
                mend: "none".to_owned(),
            });
        }
        self.applied
            .lock()
            .expect("no panic under the lock")
            .push(levels);
        Ok(())
    }
}

#[test]
fn the_driver_writes_changes_only_tries_again_after_a_fault_and_is_off_when_dropped() {
    let recorder = Recorder::default();
    let count = || {
        recorder
            .applied
            .lock()
            .expect("no panic under the lock")
            .len()
    };
    let mut driver = LightDriver::new(Box::new(recorder.clone()), LightLimits::default());
    driver.want(LightLevels::white(0.1));
    for ms in [0, 20, 40, 60, 80, 100] {
        driver
            .tick(Moment::from_millis(ms))
            .expect("the recorder works");
    }
    assert_eq!(driver.applied(), LightLevels::white(0.1));
    // Off at the start, then 0.1 in one ramp step of 20 ms at 6/s; the rest is no change.
    assert_eq!(count(), 2);

    *recorder.broken.lock().expect("no panic under the lock") = true;
    driver.want(LightLevels::white(0.15));
    assert!(driver.tick(Moment::from_millis(120)).is_err());
    *recorder.broken.lock().expect("no panic under the lock") = false;
    driver
        .tick(Moment::from_millis(140))
        .expect("the recorder works again");
    assert_eq!(count(), 3);

    // A ring that has lost its power meanwhile is told again what it shall show.
    for (ms, expected) in [(1139, 3), (1140, 4), (1500, 4), (2140, 5)] {
        driver.tick(Moment::from_millis(ms)).expect("it works");
        assert_eq!(count(), expected, "{ms} ms");
    }

    drop(driver);
    let last = recorder
        .applied
        .lock()
        .expect("no panic under the lock")
        .last()
        .copied();
    assert_eq!(last, Some(LightLevels::OFF));
}

/// Left and right in turn, as against glare: each is there soon, both together stay as bright, and it is no flashing.
#[test]
fn a_swap_of_sides_is_quick_and_keeps_the_sum() {
    let white = |left: f32, right: f32| LightLevels {
        left: SideLevel::white(left),
        right: SideLevel::white(right),
    };
    let mut core = LightCore::new(LightLimits::default());
    let mut played = Vec::new();
    for step in 0..400_u64 {
        let now = Moment::from_millis(20 * step);
        let wanted = match step / 25 {
            0 => white(0.1, 0.1),
            n if n % 2 == 1 => white(0.2, 0.0),
            _ => white(0.0, 0.2),
        };
        let levels = core.step(now, wanted);
        if step >= 25 {
            let sum = levels.left.white + levels.right.white;
            assert!((sum - 0.2).abs() < 0.01, "{step}: {sum}");
            let is_settled = step % 25 >= 4;
            assert!(!is_settled || levels == wanted, "{step}: {levels:?}");
        }
        played.push((20 * step, levels));
    }
    for (ms, _) in &played {
        let second = played
            .iter()
            .filter(|(at, _)| (*ms..*ms + 1000).contains(at));
        let lefts: Vec<bool> = second.map(|(_, l)| l.left.white > l.right.white).collect();
        let n_swaps = lefts.windows(2).filter(|w| w[0] != w[1]).count();
        // A flash of one side is two swaps.
        assert!(n_swaps <= 2, "{ms}: {n_swaps}");
    }
}
