//! A rate with its 95 % interval (Clopper and Pearson 1934): exact for independent trials, and never too narrow for them.

/// `k` errors in `n` trials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// Errors.
    pub k: u64,
    /// Trials.
    pub n: u64,
}

impl Rate {
    /// `k` errors in `n` trials; more errors than trials count as all of them.
    pub fn new(k: u64, n: u64) -> Self {
        Self { k: k.min(n), n }
    }

    /// Counts the trials for which `is_error` holds.
    pub fn count<T>(trials: &[T], is_error: impl Fn(&T) -> bool) -> Self {
        let k = trials.iter().filter(|t| is_error(t)).count();
        Self::new(k as u64, trials.len() as u64)
    }

    /// The proportion; 0 without trials.
    pub fn value(self) -> f64 {
        self.k as f64 / self.n.max(1) as f64
    }

    /// Lower and upper end of the 95 % interval; everything without trials.
    pub fn interval95(self) -> (f64, f64) {
        let (k, n) = (self.k as f64, self.n as f64);
        let lower = if self.k == 0 {
            0.0
        } else {
            beta_quantile(0.025, k, n - k + 1.0)
        };
        let upper = if self.k >= self.n {
            1.0
        } else {
            beta_quantile(0.975, k + 1.0, n - k)
        };
        (lower, upper)
    }
}

/// In percent with the interval: `1.25 % (0.40 to 2.90)`.
impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (lower, upper) = self.interval95();
        let percent = |v: f64| {
            let v = v * 100.0;
            match v {
                0.0 => "0".to_owned(),
                v if v < 0.1 => format!("{v:.1e}"),
                v => format!("{v:.2}"),
            }
        };
        let text = format!(
            "{} % ({} to {})",
            percent(self.value()),
            percent(lower),
            percent(upper)
        );
        f.pad(&text)
    }
}

/// Natural logarithm of the gamma function for x > 0 (Lanczos, g = 7, 9 terms).
fn ln_gamma(x: f64) -> f64 {
    const TERMS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let sum = TERMS
        .iter()
        .zip(1..)
        .fold(0.999_999_999_999_809_9, |s, (t, i)| {
            s + t / (x + f64::from(i))
        });
    let t = x + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

/// Regularised incomplete beta function, by its continued fraction (modified Lentz).
fn beta_cdf(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    // The fraction converges fast below the mean; above it the other tail is taken.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta_cdf(1.0 - x, b, a);
    }
    let front =
        (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp() / a;
    let away = |v: f64| if v.abs() < 1e-300 { 1e-300 } else { v };
    let (mut c, mut d) = (1.0, 1.0 / away(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    for i in 1..10_000 {
        let m = f64::from(i);
        for step in [
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
        ] {
            d = 1.0 / away(1.0 + step * d);
            c = away(1.0 + step / c);
            fraction *= c * d;
        }
        if (c * d - 1.0).abs() < 1e-14 {
            break;
        }
    }
    (front * fraction).clamp(0.0, 1.0)
}

/// The x below which a beta distribution has the share `p`, by halving.
fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if beta_cdf(middle, a, b) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_tables() {
        let check = |k, n, lower: f64, upper: f64| {
            let (l, u) = Rate::new(k, n).interval95();
            let near = |a: f64, b: f64| (a - b).abs() <= 1e-4 * b.max(1e-3);
            assert!(near(l, lower) && near(u, upper), "{k}/{n}: {l} {u}");
        };
        // R: binom.test(k, n)$conf.int
        check(0, 20, 0.0, 0.168_433_5);
        check(1, 20, 0.001_265_1, 0.248_732_8);
        check(5, 50, 0.033_275_1, 0.218_135_4);
        check(20, 20, 0.831_566_5, 1.0);
        check(0, 126, 0.0, 0.028_850_9);
        check(2, 393_092, 6.161_6e-7, 1.837_9e-5);
        check(0, 0, 0.0, 1.0);
    }

    #[test]
    fn it_is_printed_in_percent() {
        assert_eq!(Rate::new(1, 20).to_string(), "5.00 % (0.13 to 24.87)");
        assert_eq!(Rate::new(0, 20).to_string(), "0 % (0 to 16.84)");
        assert_eq!(Rate::new(30, 20).k, 20);
    }
}
