//! Pseudo-random numbers of the virtual booth: the same seed gives the same booth.

/// SplitMix64 (Steele, Lea, Flood 2014): small, quick, good enough for noise; not for secrets.
#[derive(Clone, Debug)]
pub(super) struct Chance(u64);

impl Chance {
    /// A generator that starts at `seed`.
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 random bits.
    pub(super) const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in 0..1.
    pub(super) fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1u32 << 24) as f32
    }

    /// Uniform in `low..high`.
    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Normal with mean 0 and deviation 1 (Box and Muller 1958).
    pub(super) fn normal(&mut self) -> f32 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f32::consts::TAU * self.unit()).cos()
    }
}

/// Random bits that belong to (`seed`, `n`).
pub(super) const fn hash(seed: u64, n: u64) -> u64 {
    Chance::new(seed ^ n.wrapping_mul(0xd134_2543_de82_ef95)).bits()
}

/// A slow, smooth, random motion in -1..1: value noise with cubic blending, `hz` new values a second, at `seconds`.
pub(super) fn drift(seed: u64, seconds: f64, hz: f64) -> f32 {
    let at = (seconds * hz).max(0.0);
    let (step, t) = (at.floor() as u64, at.fract() as f32);
    let value = |n: u64| (hash(seed, n) >> 40) as f32 / (1u32 << 23) as f32 - 1.0;
    let blend = t * t * (3.0 - 2.0 * t);
    value(step) * (1.0 - blend) + value(step + 1) * blend
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_repeat_with_the_seed_and_are_spread_as_said() {
        let draw = |seed| {
            let mut chance = Chance::new(seed);
            (0..4000).map(|_| chance.normal()).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        let numbers = draw(1);
        let mean = numbers.iter().sum::<f32>() / 4000.0;
        let variance = numbers.iter().map(|n| (n - mean).powi(2)).sum::<f32>() / 4000.0;
        assert!(
            mean.abs() < 0.06 && (variance - 1.0).abs() < 0.1,
            "mean {mean}, variance {variance}"
        );
    }

    #[test]
    fn drift_is_smooth_and_bounded() {
        let mut before = drift(3, 0.0, 2.0);
        for ms in 1..5000 {
            let now = drift(3, f64::from(ms) / 1000.0, 2.0);
            assert!(now.abs() <= 1.0 && (now - before).abs() < 0.01, "{ms} ms");
            before = now;
        }
    }
}
