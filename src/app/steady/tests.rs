//! Devices that come and go, by a clock that stands until it is moved.

use super::*;
use crate::base::time::{ManualClock, WallTime};
use crate::hal::recovery::Means;
use crate::hal::{Bus, DeviceKind, Rung};
use crate::technician::faults::Faults;
use std::sync::{Arc, Mutex};

/// What is plugged in, and what was done: `o`pened, `a`sked, `r`eset, `P`ower.
#[derive(Debug, Default)]
struct World {
    errno: Option<i32>,
    overrun: bool,
    done: String,
}

type Shared = Arc<Mutex<World>>;

fn lock(world: &Shared) -> std::sync::MutexGuard<'_, World> {
    world.lock().expect("no panic under the lock")
}

/// A port that tests own: only the number of answers matters.
#[derive(Debug)]
struct Fake(Shared);

impl Fake {
    fn answer(&mut self) -> Result<(), DeviceFault> {
        let mut world = lock(&self.0);
        world.done.push('a');
        match world.errno {
            Some(errno) => Err(fault(errno)),
            None if world.overrun => Err(DeviceFault {
                kind: FaultKind::Overrun,
                ..fault(5)
            }),
            None => Ok(()),
        }
    }
}

#[derive(Debug)]
struct Wire(Shared);

impl Bus for Wire {
    fn means(&mut self) -> Means {
        Means {
            reset: true,
            power: true,
        }
    }

    fn recover(&mut self, rung: Rung) -> Result<(), DeviceFault> {
        let letter = if rung == Rung::Reset { 'r' } else { 'P' };
        lock(&self.0).done.push(letter);
        Ok(())
    }
}

fn fault(errno: i32) -> DeviceFault {
    let error = std::io::Error::from_raw_os_error(errno);
    DeviceFault::from_errno(DeviceKind::Microphone, "here", "read", &error)
}

struct Bench {
    world: Shared,
    clock: Arc<ManualClock>,
    care: Care,
    steady: Steady<Fake>,
}

impl Bench {
    fn new(errno: Option<i32>) -> Self {
        let world = Shared::default();
        lock(&world).errno = errno;
        let clock = Arc::new(ManualClock::new(Moment::from_millis(1000), WallTime(5)));
        let care = Care {
            faults: Faults::in_memory(),
            clock: clock.clone(),
            // A machine that could be started again.
            reboot_request: Some("/dev/null".into()),
        };
        let shared = Arc::clone(&world);
        let open = move || {
            let mut world = lock(&shared);
            world.done.push('o');
            match world.errno {
                Some(errno) => Err(fault(errno)),
                None => Ok(Box::new(Fake(Arc::clone(&shared)))),
            }
        };
        let bus: Box<dyn Bus> = Box::new(Wire(Arc::clone(&world)));
        let device = Reopenable::new(DeviceKind::Microphone, open, Some(bus));
        let steady = Steady::new(device, &care);
        Self {
            world,
            clock,
            care,
            steady,
        }
    }

    /// Asks every 100 ms, `n` times; how many answers were good.
    fn ask(&mut self, n: usize) -> usize {
        let mut good = 0;
        for _ in 0..n {
            self.clock.advance(Duration::from_millis(100));
            good += usize::from(self.steady.ask(Fake::answer).is_ok());
        }
        good
    }

    fn done(&self) -> String {
        std::mem::take(&mut lock(&self.world).done)
    }

    fn rungs(&self) -> Vec<Rung> {
        let all = self.care.faults.all();
        all.iter().flat_map(|f| &f.rungs).map(|r| r.rung).collect()
    }
}

#[test]
fn a_device_that_is_lost_is_opened_when_the_ladder_says_so_and_is_back() {
    let mut bench = Bench::new(None);
    assert_eq!(bench.ask(3), 3);
    assert_eq!(bench.done(), "oaaa");

    lock(&bench.world).errno = Some(19);
    assert_eq!(bench.ask(10), 0);
    // Asked once, closed, opened again after 0.2 and 0.5 s; in between the fault is the answer.
    assert_eq!(bench.done(), "aoo");
    assert_eq!(bench.steady.told(), Some("hw.mic.absent"));

    lock(&bench.world).errno = None;
    // The third pause is of a second: at the eighth of twenty.
    assert_eq!(bench.ask(20), 13);
    assert_eq!(bench.steady.told(), None);
    let [record] = &bench.care.faults.all()[..] else {
        panic!("one fault was raised")
    };
    assert_eq!((record.active, record.count), (false, 1));
    assert_eq!(bench.rungs(), [Rung::Reopen]);
}

#[test]
fn a_device_that_was_never_there_is_taken_when_it_comes() {
    let mut bench = Bench::new(Some(2));
    assert_eq!(bench.steady.told(), Some("hw.mic.absent"));
    assert_eq!(bench.ask(300), 0);
    lock(&bench.world).errno = None;
    assert!(bench.ask(21) >= 1, "within two seconds of being there");
}

#[test]
fn every_rung_is_remembered_and_none_starts_the_machine_again() {
    let mut bench = Bench::new(None);
    lock(&bench.world).errno = Some(5);
    assert_eq!(bench.ask(600), 0);
    assert_eq!(
        bench.rungs(),
        [
            Rung::Reopen,
            Rung::Reset,
            Rung::Reopen,
            Rung::PowerCycle,
            Rung::Reopen,
            Rung::OutOfService
        ]
    );
    let done = bench.done();
    assert!(done.starts_with("oaoooorooooo"), "{done}");
    let count = |letter| done.matches(letter).count();
    assert_eq!((count('r'), count('P'), count('a')), (1, 1, 1));
}

#[test]
fn lost_samples_are_told_and_close_nothing() {
    let mut bench = Bench::new(None);
    lock(&bench.world).overrun = true;
    assert_eq!(bench.ask(2), 0);
    assert_eq!(bench.steady.told(), Some("hw.mic.overrun"));
    lock(&bench.world).overrun = false;
    assert_eq!(bench.ask(6), 6);
    assert_eq!(
        (bench.done().as_str(), bench.steady.told()),
        ("oaaaaaaaa", None)
    );
}

#[test]
fn a_device_that_answers_once_each_time_it_is_opened_is_not_back() {
    let mut bench = Bench::new(None);
    for _ in 0..20 {
        lock(&bench.world).errno = Some(5);
        bench.ask(1);
        lock(&bench.world).errno = None;
        while bench.ask(1) == 0 {}
    }
    assert_eq!(bench.care.faults.all()[0].count, 1, "told once");
    assert!(bench.rungs().contains(&Rung::PowerCycle), "and it climbs");
}
