//! One device's way up the recovery ladder: every rung in the log and in the memory of faults, the machine's restart asked for.

use crate::base::time::SharedClock;
use crate::hal::recovery::{Attempt, Ladder, Means};
use crate::hal::{DeviceFault, DeviceKind, Rung};
use crate::technician::faults::Faults;
use std::path::PathBuf;

/// What all devices of a booth share when one of them fails.
#[derive(Clone, Debug)]
pub struct Care {
    /// The memory of faults.
    pub faults: Faults,
    /// The clock.
    pub clock: SharedClock,
    /// A file that asks for a restart of the machine (see `systemd/boothd-reboot.path`); `None` where there is no such unit.
    pub reboot_request: Option<PathBuf>,
}

/// The ladder of one device.
#[derive(Debug)]
pub struct Climb {
    device: DeviceKind,
    ladder: Ladder,
    care: Care,
}

impl Climb {
    /// A device at the foot of its ladder.
    pub fn new(device: DeviceKind, care: &Care) -> Self {
        Self {
            device,
            ladder: Ladder::new(device),
            care: care.clone(),
        }
    }

    /// The device has been well for a while.
    pub fn well(&mut self) {
        self.ladder.well();
    }

    /// What is tried next against the fault of a device that has these means.
    pub fn next(&mut self, fault: &DeviceFault, means: Means) -> Attempt {
        let care = &self.care;
        let may_reboot = care.reboot_request.is_some() && care.faults.may_reboot(care.clock.wall());
        self.ladder.has(means);
        self.ladder.next(fault.kind, may_reboot, care.clock.now())
    }

    /// Takes a rung against a fault; the device is opened afterwards by whoever has it. `recover` takes those that are the device's own.
    pub fn take(
        &self,
        attempt: Attempt,
        fault: &DeviceFault,
        recover: impl FnOnce(Rung) -> Result<(), DeviceFault>,
    ) {
        let (code, rung, device) = (fault.code(), attempt.rung, self.device);
        let mut remembered = true;
        if attempt.is_new {
            tracing::warn!(code, %rung, "{device}: next rung");
            let wall = self.care.clock.wall();
            remembered = self.care.faults.tried(code, rung, wall);
        }
        match rung {
            Rung::Reopen | Rung::OutOfService => {}
            // What is not remembered would be done again and again.
            Rung::Reboot if remembered => self.ask_for_reboot(code),
            Rung::Reboot => tracing::error!(
                code,
                "the machine is not started again: its memory of faults cannot be written"
            ),
            Rung::Reset | Rung::PowerCycle => {
                if let Err(fault) = recover(rung) {
                    tracing::warn!(code = fault.code(), %fault, %rung, "{device}: rung failed");
                }
            }
        }
    }

    /// The booth has no right to restart the machine: systemd sees the file and does it.
    fn ask_for_reboot(&self, code: &str) {
        if let Some(path) = &self.care.reboot_request
            && let Err(error) = std::fs::write(path, format!("{code}\n"))
        {
            tracing::error!(%error, file = %path.display(), "the restart of the machine cannot be asked for");
        }
    }
}
