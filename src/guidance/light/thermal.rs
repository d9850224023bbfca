//! Keeps the mean power of the light below a limit.
//!
//! The mean is exponential with a time constant of [`TIME_CONSTANT_S`]: `mean += (power - mean) * (1 - exp(-dt / tau))`. The power that
//! is allowed now is the one that, held for [`HORIZON_S`], brings the mean exactly to the limit:
//! `limit + (limit - mean) * e / (1 - e)` with `e = exp(-horizon / tau)`. As the mean comes near, the allowed power sinks slowly to the
//! limit itself, and the mean never exceeds it as long as no level is held for longer than the horizon.

/// Time constant of the mean, seconds.
pub const TIME_CONSTANT_S: f32 = 60.0;

/// How long a level may be held after it was allowed, seconds: longer than the flash limit, the slowest ramp and a late tick
/// together can hold it.
pub const HORIZON_S: f32 = 5.0;

/// The exponential mean of the power.
#[derive(Clone, Debug)]
pub struct Thermal {
    limit: f32,
    mean: f32,
}

impl Thermal {
    /// `limit`: highest mean, share of full power.
    pub fn new(limit: f32) -> Self {
        Self { limit, mean: 0.0 }
    }

    /// `power` was on for `dt_s` seconds.
    pub fn spend(&mut self, power: f32, dt_s: f32) {
        self.mean += (power - self.mean) * (1.0 - (-dt_s / TIME_CONSTANT_S).exp());
    }

    /// Highest power that is allowed now, share of full power 0..=1.
    pub fn allowed(&self) -> f32 {
        let held = (-HORIZON_S / TIME_CONSTANT_S).exp();
        (self.limit + (self.limit - self.mean) * held / (1.0 - held)).clamp(0.0, 1.0)
    }

    /// The mean, share of full power.
    pub fn mean(&self) -> f32 {
        self.mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_reaches_63_percent_after_the_time_constant() {
        let mut thermal = Thermal::new(1.0);
        for _ in 0..600 {
            thermal.spend(1.0, 0.1);
        }
        assert!((thermal.mean() - 0.632).abs() < 0.001, "{}", thermal.mean());
    }

    #[test]
    fn full_power_is_allowed_while_cool_and_the_limit_when_warm() {
        let mut thermal = Thermal::new(0.4);
        assert_eq!(thermal.allowed(), 1.0);
        for _ in 0..6_000 {
            thermal.spend(thermal.allowed(), 0.1);
            assert!(thermal.mean() <= 0.4);
        }
        assert!(
            (thermal.allowed() - 0.4).abs() < 0.01,
            "{}",
            thermal.allowed()
        );
    }
}
