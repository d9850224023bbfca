//! Calibration of the attack detection: which threshold of the PAD score stands for which APCER and BPCER (ISO/IEC 30107-3), on
//! which data. Every presentation attack species is counted by itself, and the worst one is quoted. Non-responses are counted
//! apart: they are no errors of classification.

use crate::perception::calibration::rate::Rate;
use crate::perception::calibration::{CalibrationError, read_toml};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;

/// Below one half the net says that an attack is likelier than not: no calibration sets the threshold lower, however small the
/// set's attacks score.
pub const LEAST_THRESHOLD: f64 = 0.5;

/// A kind of presentation attack instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PresentationAttackSpecies {
    /// A photograph on paper.
    Print,
    /// A still picture on a screen.
    Screen,
    /// A moving picture on a screen.
    Replay,
    /// A mask that is worn.
    Mask,
    /// Paper with holes, or bent around the face.
    Cutout,
}

impl PresentationAttackSpecies {
    /// All species.
    pub const ALL: [Self; 5] = [
        Self::Print,
        Self::Screen,
        Self::Replay,
        Self::Mask,
        Self::Cutout,
    ];

    /// The word in lists, files and outcomes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Print => "print",
            Self::Screen => "screen",
            Self::Replay => "replay",
            Self::Mask => "mask",
            Self::Cutout => "cutout",
        }
    }
}

impl fmt::Display for PresentationAttackSpecies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A calibration: one or more sets, all measured with one net.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PadCalibration {
    /// Version of the layout: 1.
    pub format: u32,
    /// SHA-256 of the net's file; another net needs another calibration.
    pub model_sha256: String,
    /// The sets.
    pub set: Vec<PadSet>,
}

/// Presentations of one set of pictures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PadSet {
    /// Which data.
    pub name: String,
    /// When it was measured, YYYY-MM-DD.
    pub date: String,
    /// What its rates do not say; quoted in every outcome.
    pub caution: String,
    /// Bona fide presentations.
    pub bona_fide: ClassCount,
    /// Attack presentations of each species.
    pub species: Vec<SpeciesCount>,
    /// Errors at rising thresholds.
    pub point: Vec<PadPoint>,
}

/// Presentations of a class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassCount {
    /// With a score.
    pub n: u64,
    /// Without one: no face was found, or the net gave no number. Not counted above.
    pub n_no_response: u64,
    /// Different subjects; 0 if the list does not say.
    pub n_subjects: u64,
}

/// Attack presentations of one species.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpeciesCount {
    /// The species.
    pub name: PresentationAttackSpecies,
    /// With a score.
    pub n: u64,
    /// Without one.
    pub n_no_response: u64,
    /// Different subjects; 0 if the list does not say.
    pub n_subjects: u64,
}

/// Errors at one threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PadPoint {
    /// Least PAD score of a bona fide presentation.
    pub threshold: f64,
    /// Bona fide presentations below it.
    pub rejected: u64,
    /// Attack presentations at or above it, in the order of the set's species.
    pub accepted: Vec<u64>,
}

/// A threshold with what it stands for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PadThreshold {
    /// Least PAD score of a bona fide presentation.
    pub score: f64,
    /// The species of the highest APCER.
    pub worst_species: PresentationAttackSpecies,
    /// Attack presentation classification error rate of that species at the threshold.
    pub apcer: f64,
    /// Lower end of its 95 % interval.
    pub apcer_lower95: f64,
    /// Upper end of its 95 % interval.
    pub apcer_upper95: f64,
    /// Bona fide presentation classification error rate at the threshold, on the set where it is highest.
    pub bpcer: f64,
    /// Lower end of its 95 % interval.
    pub bpcer_lower95: f64,
    /// Upper end of its 95 % interval.
    pub bpcer_upper95: f64,
    /// On which data, and what the rates do not say.
    pub calibration: String,
}

impl PadCalibration {
    /// Reads a calibration that must be for the net with this hash.
    ///
    /// # Errors
    /// [`CalibrationError::File`] or [`CalibrationError::OtherModel`].
    pub fn read(path: &Path, model_sha256: &str) -> Result<Self, CalibrationError> {
        let file = |detail: String| CalibrationError::file(path.display().to_string(), detail);
        let calibration: Self = read_toml(path, "pad")?;
        if calibration.format != 1 {
            return Err(file(format!(
                "`format`: found {}, allowed: 1",
                calibration.format
            )));
        }
        if calibration.model_sha256 != model_sha256 {
            return Err(CalibrationError::OtherModel {
                place: path.display().to_string(),
                net: "attack detection",
                verb: "pad",
                found: calibration.model_sha256,
                expected: model_sha256.to_owned(),
            });
        }
        if calibration.set.is_empty() {
            return Err(file("found no set, allowed: at least one".to_owned()));
        }
        if let Some(bad) = calibration.set.iter().find(|s| !s.is_sound()) {
            return Err(file(format!(
                "set `{}`: needs bona fides, each species once and with presentations, and `point` with thresholds that rise within \
                 0 to 1, one count for each species, none above the number of presentations; \
                 mend: make it again with `boothd calibrate pad`",
                bad.name
            )));
        }
        Ok(calibration)
    }

    /// The threshold for a policy: the lowest, but at least [`LEAST_THRESHOLD`], at which no species of any set is accepted more
    /// often than `apcer`. At it no set's bona fides may be rejected more often than `bpcer`.
    ///
    /// # Errors
    /// [`CalibrationError::TooSmall`] if a species has fewer than `1/apcer` presentations, [`CalibrationError::Unreachable`] if no
    /// threshold keeps both rates.
    pub fn threshold_for(&self, apcer: f64, bpcer: f64) -> Result<PadThreshold, CalibrationError> {
        let needed = (1.0 / apcer).ceil() as u64;
        let mut score = LEAST_THRESHOLD;
        for set in &self.set {
            if let Some(small) = set.species.iter().find(|s| s.n < needed) {
                return Err(CalibrationError::TooSmall {
                    rate: "APCER",
                    target: apcer,
                    what: format!("presentations of the species `{}`", small.name),
                    found: small.n,
                    needed,
                });
            }
            let kept = |p: &&PadPoint| {
                p.threshold >= LEAST_THRESHOLD
                    && set.apcer(p).all(|(_, rate)| rate.value() <= apcer)
            };
            let least = set.point.iter().find(kept).ok_or_else(|| {
                let at_end = set.point.last().and_then(|p| set.worst(p));
                CalibrationError::Unreachable {
                    set: set.name.clone(),
                    found: at_end.map_or_else(String::new, |(species, rate)| {
                        format!("an APCER of {rate} for `{species}` at the highest threshold")
                    }),
                    allowed: apcer,
                }
            })?;
            score = score.max(least.threshold);
        }
        let mut worst: Option<(&PadSet, PresentationAttackSpecies, Rate)> = None;
        let mut most_rejected = Rate::default();
        for set in &self.set {
            let Some(point) = set.point.iter().rfind(|p| p.threshold <= score) else {
                continue;
            };
            let rejected = Rate::new(point.rejected, set.bona_fide.n);
            if rejected.value() > bpcer {
                return Err(CalibrationError::Unreachable {
                    set: set.name.clone(),
                    found: format!(
                        "a BPCER of {rejected} at the threshold {score:.3} that the APCER needs"
                    ),
                    allowed: bpcer,
                });
            }
            if worse(rejected, most_rejected) {
                most_rejected = rejected;
            }
            if let Some((species, rate)) = set.worst(point)
                && worst.is_none_or(|(_, _, known)| worse(rate, known))
            {
                worst = Some((set, species, rate));
            }
        }
        let Some((set, species, rate)) = worst else {
            return Err(CalibrationError::file(
                "attack detection",
                "found no set that can be used",
            ));
        };
        let (apcer_95, bpcer_95) = (rate.interval95(), most_rejected.interval95());
        Ok(PadThreshold {
            score,
            worst_species: species,
            apcer: rate.value(),
            apcer_lower95: apcer_95.0,
            apcer_upper95: apcer_95.1,
            bpcer: most_rejected.value(),
            bpcer_lower95: bpcer_95.0,
            bpcer_upper95: bpcer_95.1,
            calibration: format!(
                "{}, {}: {} attack presentations of the worst species `{species}`, {} bona fide ones; {}",
                set.name, set.date, rate.n, set.bona_fide.n, set.caution
            ),
        })
    }
}

/// Whether `a` is the worse news: the higher rate, or the wider interval at the same rate.
fn worse(a: Rate, b: Rate) -> bool {
    (a.value(), a.interval95().1) > (b.value(), b.interval95().1) || b.n == 0
}

impl PadSet {
    /// APCER of each species at a point.
    pub fn apcer<'a>(
        &'a self,
        point: &'a PadPoint,
    ) -> impl Iterator<Item = (PresentationAttackSpecies, Rate)> + 'a {
        self.species
            .iter()
            .zip(&point.accepted)
            .map(|(s, k)| (s.name, Rate::new(*k, s.n)))
    }

    /// The species of the highest APCER at a point.
    fn worst(&self, point: &PadPoint) -> Option<(PresentationAttackSpecies, Rate)> {
        self.apcer(point)
            .reduce(|a, b| if worse(b.1, a.1) { b } else { a })
    }

    fn is_sound(&self) -> bool {
        let names = || self.species.iter().map(|s| s.name);
        let once = names().all(|name| names().filter(|n| *n == name).count() == 1);
        let within = self.point.iter().all(|p| {
            (0.0..=1.0).contains(&p.threshold)
                && p.rejected <= self.bona_fide.n
                && p.accepted.len() == self.species.len()
                && p.accepted.iter().zip(&self.species).all(|(k, s)| *k <= s.n)
        });
        let rising = self.point.windows(2).all(|w| {
            w[0].threshold < w[1].threshold
                && w[0].rejected <= w[1].rejected
                && w[0]
                    .accepted
                    .iter()
                    .zip(&w[1].accepted)
                    .all(|(a, b)| a >= b)
        });
        let counted = self.bona_fide.n > 0 && self.species.iter().all(|s| s.n > 0);
        !self.species.is_empty() && !self.point.is_empty() && once && counted && within && rising
    }
}

#[cfg(test)]
#[path = "calibration_tests.rs"]
mod tests;
