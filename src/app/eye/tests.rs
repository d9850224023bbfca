//! When a fault of the camera is told, and when it is over.

use super::*;
use crate::base::time::{Clock, ManualClock, WallTime};
use crate::hal::recovery::Means;
use crate::technician::faults::Faults;
use crossbeam_channel::Receiver;

struct Bench {
    keeper: Keeper,
    inbox: Receiver<Event>,
    clock: Arc<ManualClock>,
    eye: Eye,
}

impl Bench {
    fn new() -> Self {
        let (events, inbox) = bounded(64);
        let clock = Arc::new(ManualClock::new(Moment::from_millis(1000), WallTime(5)));
        Self {
            keeper: Keeper {
                events,
                care: Care {
                    faults: Faults::in_memory(),
                    clock: clock.clone(),
                    reboot_request: None,
                },
                senses: Senses::default(),
            },
            inbox,
            clock,
            eye: Eye::default(),
        }
    }

    fn recovery(&self) -> Recovery<'_> {
        Recovery {
            keeper: &self.keeper,
            climb: Climb::new(DeviceKind::Camera, &self.keeper.care),
            watch: FrameWatch::default(),
            told: None,
            good_since: None,
            at_start: CameraInfo {
                name: "camera".to_owned(),
                width: 2,
                height: 2,
                frames_per_s: 10.0,
                exposure_us: None,
                gain: None,
                is_live: true,
                means: Means::default(),
            },
        }
    }

    fn shared(&self) -> SharedClock {
        self.clock.clone()
    }

    /// What the session was told since the last call: codes, or `over`.
    fn told(&self) -> Vec<&'static str> {
        let name = |event| match event {
            Event::Fault(fault) => fault.code(),
            Event::FaultCleared(_) => "over",
            _ => "something else",
        };
        self.inbox.try_iter().map(name).collect()
    }
}

fn fault(errno: i32) -> DeviceFault {
    let error = std::io::Error::from_raw_os_error(errno);
    DeviceFault::from_errno(DeviceKind::Camera, "/dev/video0", "read", &error)
}

#[test]
fn a_camera_is_well_after_a_while_of_frames_and_not_after_one() {
    let bench = Bench::new();
    let clock = bench.shared();
    let mut recovery = bench.recovery();
    recovery.tell(&fault(5), &bench.eye, &clock);
    recovery.tell(&fault(5), &bench.eye, &clock);
    assert_eq!(bench.told(), ["hw.camera.no_frames"], "told once");
    assert!(
        bench.eye.has_spoken(),
        "a booth without a camera is ready to say so"
    );

    // One frame each time it is opened, and the same fault again: neither over nor told anew.
    for _ in 0..5 {
        recovery.well(bench.clock.now(), &bench.eye, &clock);
        bench.clock.advance(Duration::from_millis(1200));
        recovery.tell(&fault(5), &bench.eye, &clock);
    }
    assert_eq!(bench.told(), [""; 0]);
    assert_eq!(bench.keeper.care.faults.all()[0].count, 1);

    // Another fault is told; frames for a while, and all is over.
    recovery.tell(&fault(19), &bench.eye, &clock);
    for ms in [0, 100, 299, 1] {
        bench.clock.advance(Duration::from_millis(ms));
        recovery.well(bench.clock.now(), &bench.eye, &clock);
    }
    assert_eq!(bench.told(), ["hw.camera.absent", "over"]);
    assert!(bench.keeper.care.faults.all().iter().all(|f| !f.active));
}

#[test]
fn the_ladder_begins_at_its_foot_after_a_minute_without_a_fault() {
    let bench = Bench::new();
    let clock = bench.shared();
    let mut recovery = bench.recovery();
    let pause = |recovery: &mut Recovery<'_>| {
        let attempt = recovery.climb.next(&fault(5), Means::default());
        attempt.pause.as_millis()
    };
    assert_eq!([pause(&mut recovery), pause(&mut recovery)], [200, 500]);
    for (good_for_s, expected) in [(30, 1000), (60, 200)] {
        recovery.tell(&fault(5), &bench.eye, &clock);
        recovery.well(bench.clock.now(), &bench.eye, &clock);
        bench.clock.advance(Duration::from_secs(good_for_s));
        recovery.well(bench.clock.now(), &bench.eye, &clock);
        assert_eq!(pause(&mut recovery), expected, "{good_for_s} s");
    }
}
