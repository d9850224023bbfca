//! A device that comes back by itself: closed at a fault, it climbs the recovery ladder whenever it is asked, and its faults are told to the
//! log and to the memory. Nobody waits: between two rungs the answer is the fault. The camera has the same in its own thread (`eye.rs`), since
//! its frames are judged, too.

use super::climb::{Care, Climb};
use crate::base::time::Moment;
use crate::hal::recovery::Attempt;
use crate::hal::{DeviceFault, FaultKind, LightLevels, Lights, Reopenable};
use std::time::Duration;

/// So long a device has to answer before a fault is over, and before the ladder begins at its foot again: one that answers once each time it is
/// opened is not well.
const WELL_FOR: Duration = Duration::from_millis(400);
const STEADY_FOR: Duration = Duration::from_secs(60);

/// A device that is kept going.
#[derive(Debug)]
pub struct Steady<D: ?Sized> {
    device: Reopenable<D>,
    climb: Climb,
    care: Care,
    /// What is done for it next, and when; nothing while it is open.
    next: Option<(Moment, Attempt)>,
    /// The code of the fault that was told.
    told: Option<&'static str>,
    /// Since when it has answered without a fault.
    good_since: Option<Moment>,
}

impl<D: ?Sized> Steady<D> {
    /// Takes a device over, open or not.
    pub fn new(device: Reopenable<D>, care: &Care) -> Self {
        let fault = device.fault().cloned();
        let mut steady = Self {
            climb: Climb::new(device.kind(), care),
            care: care.clone(),
            device,
            next: None,
            told: None,
            good_since: None,
        };
        if let Some(fault) = fault {
            steady.failed(fault);
        }
        steady
    }

    /// Asks the device for something, after the next rung of the ladder if it is closed and the rung is due: a rung takes up to two seconds.
    ///
    /// # Errors
    /// What the device says, or why it is closed.
    pub fn ask<T>(
        &mut self,
        call: impl FnOnce(&mut D) -> Result<T, DeviceFault>,
    ) -> Result<T, DeviceFault> {
        self.open()?;
        let answer = self.device.device().and_then(call);
        match &answer {
            Ok(_) => self.answered(),
            // The device goes on by itself: samples were lost, not the device.
            Err(fault) if fault.kind == FaultKind::Overrun => self.tell(fault),
            Err(fault) => self.failed(fault.clone()),
        }
        answer
    }

    /// The code of the fault that stands in the memory; it stays for a moment after the device has answered again.
    pub fn told(&self) -> Option<&'static str> {
        self.told
    }

    /// Climbs, if it is time to, and the device is closed.
    fn open(&mut self) -> Result<(), DeviceFault> {
        let (Some((due, attempt)), Some(fault)) = (self.next, self.device.fault().cloned()) else {
            return Ok(());
        };
        if self.care.clock.now() < due {
            return Err(fault);
        }
        let device = &mut self.device;
        self.climb
            .take(attempt, &fault, |rung| device.recover(rung));
        match self.device.reopen() {
            Ok(()) => {
                tracing::debug!(code = fault.code(), "{} opened again", self.device.kind());
                self.next = None;
                Ok(())
            }
            Err(fault) => {
                self.failed(fault.clone());
                Err(fault)
            }
        }
    }

    fn failed(&mut self, fault: DeviceFault) {
        self.tell(&fault);
        let attempt = self.climb.next(&fault, self.device.means());
        self.next = Some((self.care.clock.now().plus(attempt.pause), attempt));
        self.device.close(fault);
    }

    fn tell(&mut self, fault: &DeviceFault) {
        self.good_since = None;
        if self.told != Some(fault.code()) {
            tracing::warn!(code = fault.code(), %fault, "{}", self.device.kind());
            self.care.faults.raise(fault, self.care.clock.wall());
            self.told = Some(fault.code());
        }
    }

    fn answered(&mut self) {
        let now = self.care.clock.now();
        let good_for = now.since(*self.good_since.get_or_insert(now));
        if good_for >= STEADY_FOR {
            self.climb.well();
        }
        if good_for >= WELL_FOR
            && let Some(code) = self.told.take()
        {
            tracing::info!(code, "{} is back", self.device.kind());
            let wall = self.care.clock.wall();
            self.care.faults.clear(self.device.kind(), wall);
        }
    }
}

impl Lights for Steady<dyn Lights> {
    fn apply(&mut self, levels: LightLevels) -> Result<(), DeviceFault> {
        self.ask(|lights| lights.apply(levels))
    }
}

#[cfg(test)]
mod tests;
