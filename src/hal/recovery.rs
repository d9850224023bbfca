//! The recovery ladder: what is tried to bring a device back, least first, with budgets, so that it cannot loop. Pure.
//!
//! ```text
//! reopen x4 -> reset on the bus -> reopen x4 -> power of the port -> reopen x4 -> one reboot -> out of service
//!    ^                                                                                              |
//!    '------------------------------ reopen, every 2 s, for ever <----------------------------------'
//! ```
//!
//! Every device has this ladder. A rung that a device has not is left out: what hangs on no USB bus has neither reset nor port, and the
//! machine is started again only for a device without which it can serve nobody ([`may_restart_machine`]).
//!
//! Opening again costs nothing and has no budget: a device that is plugged in again comes back within two seconds of being there,
//! wherever the ladder stands. The rungs above it have budgets over hours, which being well does not give back.

use super::{DeviceKind, FaultKind, fault::Rung};
use crate::base::time::Moment;
use std::collections::VecDeque;
use std::time::Duration;

/// Pauses before a device is opened again; the last one is held.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_millis(1000),
    Duration::from_millis(2000),
];
/// So often a device is opened again before the next rung.
const REOPENS: u32 = PAUSES.len() as u32;

/// After so long out of service the ladder is climbed again, as far as the budgets go.
const AGAIN: Duration = Duration::from_secs(3600);

/// Which rungs a device has by its place, beside being opened again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Means {
    /// It can be reset on its bus.
    pub reset: bool,
    /// Its port's power can be switched.
    pub power: bool,
}

/// Whether the machine may be started again for a device: only for the camera, which reads the ticket that every session begins with. Without
/// any other device the machine still serves somebody, if only by saying what is wrong.
pub const fn may_restart_machine(device: DeviceKind) -> bool {
    matches!(device, DeviceKind::Camera)
}

/// So often a rung may be taken within a time.
#[derive(Clone, Copy, Debug)]
struct Budget {
    most: usize,
    within: Duration,
}

/// Budget of a rung. That of the reboot is the caller's: it has to outlive this process.
const fn budget(rung: Rung) -> Option<Budget> {
    let most = match rung {
        Rung::Reset => 3,
        Rung::PowerCycle => 2,
        _ => return None,
    };
    Some(Budget {
        most,
        within: Duration::from_secs(3600),
    })
}

/// What to do next, and how long to wait before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The rung.
    pub rung: Rung,
    /// The pause before it.
    pub pause: Duration,
    /// Another rung than the one before: worth a line in the log and a place in the memory.
    pub is_new: bool,
}

/// The ladder of one device.
#[derive(Debug)]
pub struct Ladder {
    device: DeviceKind,
    means: Means,
    /// Reopens since the last other rung.
    n_reopens: u32,
    /// The next rung above reopening.
    next: Rung,
    /// Nothing more is tried but to open it: since when, and against which fault nothing helped.
    out: Option<(FaultKind, Moment)>,
    /// The other rungs that were taken, and when.
    taken: VecDeque<(Rung, Moment)>,
}

impl Ladder {
    /// The ladder of a device.
    pub fn new(device: DeviceKind) -> Self {
        Self {
            device,
            means: Means::default(),
            n_reopens: 0,
            next: Rung::Reset,
            out: None,
            taken: VecDeque::new(),
        }
    }

    /// The device is well: it starts at the first rung the next time. Budgets stay used.
    pub fn well(&mut self) {
        self.n_reopens = 0;
        self.next = Rung::Reset;
        self.out = None;
    }

    /// The device has these means now: its place may be known since it was opened, and the rights to its files may have come later than it did.
    pub fn has(&mut self, means: Means) {
        self.means = means;
    }

    /// What is tried next against a fault of this kind. `may_reboot`: the budget for it is not used up.
    pub fn next(&mut self, kind: FaultKind, may_reboot: bool, now: Moment) -> Attempt {
        // Another fault, or budgets that have come back: there may be a rung that helps.
        if let Some((kind_then, since)) = self.out
            && (kind_then != kind || now.since(since) >= AGAIN)
        {
            self.well();
        }
        let reopen = Attempt {
            rung: Rung::Reopen,
            pause: PAUSES[(self.n_reopens as usize).min(PAUSES.len() - 1)],
            is_new: self.n_reopens == 0,
        };
        if self.n_reopens < REOPENS || self.out.is_some() {
            self.n_reopens = self.n_reopens.saturating_add(1);
            return reopen;
        }
        let rung = self.climb(kind, may_reboot, now);
        // A rung takes effect in what is opened after it.
        self.n_reopens = 0;
        if rung == Rung::OutOfService {
            self.out = Some((kind, now));
            self.n_reopens = REOPENS;
        } else {
            self.taken.push_back((rung, now));
        }
        Attempt {
            rung,
            pause: Duration::ZERO,
            is_new: true,
        }
    }

    /// The next rung that the device has, that helps against the fault, and that there is budget for.
    fn climb(&mut self, kind: FaultKind, may_reboot: bool, now: Moment) -> Rung {
        loop {
            let rung = self.next;
            let (has, after) = match rung {
                Rung::Reset => (self.means.reset, Rung::PowerCycle),
                Rung::PowerCycle => (self.means.power, Rung::Reboot),
                Rung::Reboot => (
                    may_restart_machine(self.device) && may_reboot,
                    Rung::OutOfService,
                ),
                Rung::Reopen | Rung::OutOfService => return Rung::OutOfService,
            };
            self.next = after;
            if has && helps(rung, kind) && self.has_budget(rung, now) {
                return rung;
            }
        }
    }

    fn has_budget(&mut self, rung: Rung, now: Moment) -> bool {
        let Some(budget) = budget(rung) else {
            return true;
        };
        self.taken.retain(|(_, at)| now.since(*at) < budget.within);
        self.taken.iter().filter(|(r, _)| *r == rung).count() < budget.most
    }
}

/// Whether a rung can mend a fault: rights and names are mended by people, and what is not on the bus cannot be reset.
fn helps(rung: Rung, kind: FaultKind) -> bool {
    use FaultKind as F;
    match kind {
        F::Permission | F::WrongDevice | F::Busy => false,
        // What lies on the lens stays there.
        F::Covered | F::Dark | F::Overexposed | F::Blurred => false,
        // Somebody may have pulled the plug: no reason to start the machine again, but a hung device vanishes, too.
        F::Absent => rung == Rung::PowerCycle,
        F::NoFrames | F::Frozen | F::Overrun | F::Io => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: Means = Means {
        reset: true,
        power: true,
    };
    const NONE: Means = Means {
        reset: false,
        power: false,
    };
    const DEVICES: [DeviceKind; 8] = [
        DeviceKind::Camera,
        DeviceKind::Microphone,
        DeviceKind::Speaker,
        DeviceKind::Lights,
        DeviceKind::Panel,
        DeviceKind::Buttons,
        DeviceKind::Serial,
        DeviceKind::Sensors,
    ];

    fn ladder(device: DeviceKind, means: Means) -> Ladder {
        let mut ladder = Ladder::new(device);
        ladder.has(means);
        ladder
    }

    /// Rungs taken while the fault lasts, `n` of them, in letters: o(pen), r(eset), P(ower), B(oot), x (out of service).
    fn climbed(
        device: DeviceKind,
        means: Means,
        kind: FaultKind,
        may_reboot: bool,
        n: usize,
    ) -> String {
        let mut ladder = ladder(device, means);
        let mut now = Moment::ZERO;
        (0..n)
            .map(|_| {
                let attempt = ladder.next(kind, may_reboot, now);
                now = now.plus(attempt.pause + Duration::from_millis(100));
                letter(attempt.rung)
            })
            .collect()
    }

    fn letter(rung: Rung) -> char {
        match rung {
            Rung::Reopen => 'o',
            Rung::Reset => 'r',
            Rung::PowerCycle => 'P',
            Rung::Reboot => 'B',
            Rung::OutOfService => 'x',
        }
    }

    #[test]
    fn rungs_come_in_their_order_and_only_those_that_help() {
        use DeviceKind::{Camera, Microphone, Panel};
        for (device, means, kind, may_reboot, expected) in [
            (
                Camera,
                ALL,
                FaultKind::NoFrames,
                true,
                "oooorooooPooooBooooxooo",
            ),
            (Camera, ALL, FaultKind::Frozen, false, "oooorooooPooooxooo"),
            (Camera, NONE, FaultKind::NoFrames, true, "ooooBooooxoo"),
            (Camera, ALL, FaultKind::Absent, true, "ooooPooooxooo"),
            (Camera, ALL, FaultKind::Permission, true, "ooooxooo"),
            (Camera, ALL, FaultKind::Busy, true, "ooooxooo"),
            // No other device starts the machine again, whatever else was tried.
            (
                Microphone,
                ALL,
                FaultKind::NoFrames,
                true,
                "oooorooooPooooxooo",
            ),
            (Panel, NONE, FaultKind::Io, true, "ooooxooooooooooo"),
        ] {
            let found = climbed(device, means, kind, may_reboot, expected.len());
            assert_eq!(found, expected, "{device} {kind:?}");
        }
    }

    #[test]
    fn a_rung_is_new_when_it_is_another_than_before() {
        let mut ladder = ladder(DeviceKind::Camera, ALL);
        let new: Vec<bool> = (0..10)
            .map(|_| ladder.next(FaultKind::Io, false, Moment::ZERO).is_new)
            .collect();
        // oooorooooP: the first of each.
        let expected = [0, 4, 5, 9];
        assert!(
            new.iter()
                .enumerate()
                .all(|(i, n)| *n == expected.contains(&i)),
            "{new:?}"
        );
    }

    #[test]
    fn another_fault_and_another_hour_are_another_chance() {
        let mut ladder = ladder(DeviceKind::Camera, ALL);
        let mut take = |kind, n: usize, at: u64| -> String {
            let now = Moment::ZERO.plus(Duration::from_secs(at));
            (0..n)
                .map(|_| letter(ladder.next(kind, false, now).rung))
                .collect()
        };
        assert_eq!(take(FaultKind::Absent, 11, 0), "ooooPooooxo");
        assert_eq!(take(FaultKind::NoFrames, 12, 10), "oooorooooPoo");
        assert_eq!(take(FaultKind::NoFrames, 4, 20), "ooxo");
        assert_eq!(take(FaultKind::NoFrames, 2, 3000), "oo");
        assert_eq!(take(FaultKind::NoFrames, 6, 3700), "ooooro");
    }

    #[test]
    fn pauses_grow_and_never_exceed_two_seconds() {
        let mut ladder = Ladder::new(DeviceKind::Panel);
        let pauses: Vec<u128> = (0..7)
            .map(|_| {
                ladder
                    .next(FaultKind::Io, false, Moment::ZERO)
                    .pause
                    .as_millis()
            })
            .collect();
        assert_eq!(pauses, [200, 500, 1000, 2000, 0, 2000, 2000]);
        ladder.well();
        let again = ladder.next(FaultKind::Io, false, Moment::ZERO);
        assert_eq!((again.rung, again.pause.as_millis()), (Rung::Reopen, 200));
    }

    proptest! {
        /// However any device comes and goes, wherever it hangs: no rung is taken more often than its budget says, none that it has not, the
        /// machine is started again only for the camera and only when asked for, and before each rung it is opened four times again.
        #[test]
        fn no_device_loops(
            device in 0usize..DEVICES.len(),
            (reset, power) in (any::<bool>(), any::<bool>()),
            steps in prop::collection::vec((any::<bool>(), 0u64..120, 0usize..5, any::<bool>()), 1..600)
        ) {
            let device = DEVICES[device];
            let mut ladder = ladder(device, Means { reset, power });
            let mut now = Moment::ZERO;
            let mut taken: Vec<(Rung, Moment)> = Vec::new();
            let mut last_reboot: Option<Moment> = None;
            let mut n_reopens = 0;
            for (well, seconds, kind, asked) in steps {
                now = now.plus(Duration::from_secs(seconds));
                if well && seconds > 60 {
                    ladder.well();
                }
                let kind = [FaultKind::NoFrames, FaultKind::Absent, FaultKind::Frozen, FaultKind::Io, FaultKind::Busy][kind];
                // As the memory of faults has it: once a day.
                let may_reboot = asked && last_reboot.is_none_or(|at| now.since(at) >= Duration::from_secs(24 * 3600));
                let attempt = ladder.next(kind, may_reboot, now);
                prop_assert!(attempt.pause <= Duration::from_secs(2));
                match attempt.rung {
                    Rung::Reopen => {
                        prop_assert!(attempt.pause > Duration::ZERO);
                        n_reopens += 1;
                        continue;
                    }
                    Rung::Reboot => {
                        prop_assert!(may_reboot && may_restart_machine(device));
                        last_reboot = Some(now);
                    }
                    Rung::Reset => prop_assert!(reset),
                    Rung::PowerCycle => prop_assert!(power),
                    Rung::OutOfService => {}
                }
                prop_assert!(helps(attempt.rung, kind) || attempt.rung == Rung::OutOfService);
                prop_assert!(n_reopens >= 4, "{} after {n_reopens} openings", attempt.rung);
                n_reopens = 0;
                taken.push((attempt.rung, now));
                for (rung, most) in [(Rung::Reset, 3), (Rung::PowerCycle, 2)] {
                    let recent = taken.iter().filter(|(r, at)| *r == rung && now.since(*at) < Duration::from_secs(3600));
                    prop_assert!(recent.count() <= most);
                }
            }
        }
    }
}
