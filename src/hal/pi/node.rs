//! What all drivers need of a device node: faults with a device's own mend, and the kernel's time stamps as moments.

use crate::base::time::{Clock, Moment};
use crate::hal::{DeviceFault, DeviceKind, FaultKind};

/// A fault from an error number, with a mend of the device's own in the place of the general one for one kind.
pub(crate) fn fault(
    device: DeviceKind,
    place: &str,
    action: &str,
    error: &std::io::Error,
    own_mend: &[(FaultKind, &str)],
) -> DeviceFault {
    let mut fault = DeviceFault::from_errno(device, place, action, error);
    if let Some((_, mend)) = own_mend.iter().find(|(kind, _)| *kind == fault.kind) {
        fault.mend = (*mend).to_owned();
    }
    fault
}

/// A fault that no error number tells.
pub(crate) fn fault_of(
    device: DeviceKind,
    kind: FaultKind,
    place: &str,
    detail: impl Into<String>,
    mend: impl Into<String>,
) -> DeviceFault {
    DeviceFault {
        device,
        kind,
        place: place.to_owned(),
        detail: detail.into(),
        mend: mend.into(),
    }
}

/// The kernel stamps frames and edges on `CLOCK_MONOTONIC`; our moments are on `CLOCK_BOOTTIME`. The age is the same on both
/// as long as the machine does not sleep, which a booth does not. A stamp in the future counts as now.
pub(crate) fn moment_of_age(now: Moment, monotonic_now_ns: u64, stamp_ns: u64) -> Moment {
    let age = monotonic_now_ns.saturating_sub(stamp_ns);
    Moment::from_nanos(now.as_nanos().saturating_sub(age))
}

/// As [`moment_of_age`], with the clocks read now.
pub(crate) fn moment_of_stamp(clock: &dyn Clock, stamp_ns: u64) -> Moment {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let monotonic = u64::try_from(t.tv_sec)
        .unwrap_or(0)
        .saturating_mul(1_000_000_000)
        .saturating_add(u64::try_from(t.tv_nsec).unwrap_or(0));
    moment_of_age(clock.now(), monotonic, stamp_ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_becomes_the_moment_of_the_same_age() {
        let check = |now, monotonic, stamp, expected| {
            assert_eq!(
                moment_of_age(Moment::from_nanos(now), monotonic, stamp).as_nanos(),
                expected
            );
        };
        check(1_000, 500, 400, 900);
        check(1_000, 500, 600, 1_000);
        check(100, 5_000, 10, 0);
    }
}
