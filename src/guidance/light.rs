//! The light: the only caller of [`crate::hal::Lights`].
//!
//! Whoever asks, the driver keeps four promises:
//! 1. at most three flashes in any second, per side and colour, per side, and for both sides together ([`flash`], WCAG 2.2, 2.3.1);
//! 2. no jump: levels change with a limited slope;
//! 3. the mean power over a minute stays below a limit ([`thermal`]);
//! 4. off when it is stopped or dropped.
//!
//! [`core`] is pure: wanted levels and time in, levels out. [`LightDriver`] is the thin shell that writes them to the device.
//! [`cause`] says which recipe answers what is wrong with the light. [`recipe`] is the table of light recipes from the board file.

pub mod cause;
pub mod core;
pub mod flash;
pub mod recipe;
pub mod thermal;

pub use self::core::{LightCore, LightLimits};
pub use recipe::{LightConfig, LightConfigError, LightRecipe, LightTable, UnknownRecipe};

use crate::base::time::Moment;
use crate::hal::{DeviceFault, LightLevels, Lights};
use std::time::Duration;

/// Levels that stay are written again so often: a ring that has lost its power shines again, and one that is gone is found.
const REFRESH: Duration = Duration::from_secs(1);

/// Drives the light ring. Call [`LightDriver::tick`] about every 20 ms, and at least every two seconds.
#[derive(Debug)]
pub struct LightDriver {
    lights: Box<dyn Lights>,
    core: LightCore,
    wanted: LightLevels,
    /// What the device took last, and when; `None` before the first and after a fault, so that the next tick writes again.
    written: Option<(LightLevels, Moment)>,
}

impl LightDriver {
    /// Takes the device over; nothing is written before the first tick.
    pub fn new(lights: Box<dyn Lights>, limits: LightLimits) -> Self {
        Self {
            lights,
            core: LightCore::new(limits),
            wanted: LightLevels::OFF,
            written: None,
        }
    }

    /// Asks for levels; clamped to 0..=1. They are reached over the next ticks, as far as the limits allow.
    pub fn want(&mut self, levels: LightLevels) {
        self.wanted = levels.clamped();
    }

    /// Moves towards the wanted levels and writes them if they changed or a second is over. Returns what is in effect.
    ///
    /// # Errors
    /// What the device says; the next tick tries again.
    pub fn tick(&mut self, now: Moment) -> Result<LightLevels, DeviceFault> {
        let levels = self.core.step(now, self.wanted);
        self.write(levels, now)?;
        Ok(levels)
    }

    /// Everything off, at once.
    ///
    /// # Errors
    /// What the device says; the next tick tries again.
    pub fn off(&mut self, now: Moment) -> Result<(), DeviceFault> {
        self.wanted = LightLevels::OFF;
        let levels = self.core.off(now);
        self.write(levels, now)
    }

    /// The levels in effect.
    pub fn applied(&self) -> LightLevels {
        self.core.levels()
    }

    /// Mean power of the last minute, share of full power 0..=1.
    pub fn mean_power(&self) -> f32 {
        self.core.mean_power()
    }

    fn write(&mut self, levels: LightLevels, now: Moment) -> Result<(), DeviceFault> {
        let stands = |(written, at)| written == levels && now.since(at) < REFRESH;
        if self.written.is_some_and(stands) {
            return Ok(());
        }
        self.written = None;
        self.lights.apply(levels)?;
        self.written = Some((levels, now));
        Ok(())
    }
}

impl Drop for LightDriver {
    fn drop(&mut self) {
        // Nobody is left to hear of a fault; a board whose lights stay on here is also stopped by its supervisor.
        let _ = self.lights.apply(LightLevels::OFF);
    }
}

#[cfg(test)]
mod tests;
