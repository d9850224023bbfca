//! Which of many readings of a zone is taken.

use super::fit::{self, LineText};
use super::{LEAST_CONFIDENCE, ReadZone};

/// What was read so far.
#[derive(Default)]
pub(super) struct Best {
    /// Different readings of the best quality so far, and the weight of the cuts that each came out of.
    zones: Vec<(ReadZone, f32)>,
    /// Lines of about the right lengths were read with some confidence.
    pub(super) seen: bool,
}

impl Best {
    pub(super) fn offer(&mut self, lines: &[LineText], confidence: f32, half_turned: bool) {
        self.seen |= confidence >= LEAST_CONFIDENCE && fit::nearest_format(lines).is_some();
        let Some(mrz) = fit::zone(lines) else {
            return;
        };
        // A cut that fits the line well is read with hardly a doubt; doubts grow quickly where it does not.
        let weight = confidence.powi(12);
        let quality = fit::quality(&mrz);
        let best = self
            .zones
            .first()
            .map_or(i32::MIN, |(z, _)| fit::quality(&z.mrz));
        if quality < best {
            return;
        }
        if quality > best {
            self.zones.clear();
        }
        match self
            .zones
            .iter_mut()
            .find(|(z, _)| z.mrz.says_the_same(&mrz))
        {
            Some((zone, n)) => {
                *n += weight;
                if confidence > zone.confidence {
                    zone.confidence = confidence;
                    zone.mrz = mrz;
                }
            }
            None => self.zones.push((
                ReadZone {
                    mrz,
                    confidence,
                    half_turned,
                },
                weight,
            )),
        }
    }

    /// How far the likeliest reading is ahead of the next one; a cut adds at most 1 to one of them.
    pub(super) fn lead(&self) -> f32 {
        lead_of(self.zones.iter().map(|(_, weight)| *weight))
    }

    pub(super) fn is_certain(&self) -> bool {
        self.zones.first().is_some_and(|(z, _)| {
            !z.mrz.checks.any_refuted()
                && z.mrz.checks.n_verified() >= z.mrz.format.n_check_digits()
        })
    }

    /// Names and states have no check digit: of readings that check digits find equally good, the one that most cuts agree on.
    pub(super) fn into_zone(self) -> Option<ReadZone> {
        self.zones
            .into_iter()
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(z, _)| z)
    }
}

/// The greatest weight less the second.
fn lead_of(weights: impl Iterator<Item = f32>) -> f32 {
    let (first, second) = weights.fold((0.0f32, 0.0f32), |(first, second), w| {
        (first.max(w), second.max(first.min(w)))
    });
    first - second
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lead_is_over_the_second() {
        for (weights, expected) in [
            (&[][..], 0.0),
            (&[0.75], 0.75),
            (&[0.5, 2.25, 1.0], 1.25),
            (&[1.0, 2.0, 2.0], 0.0),
        ] {
            assert_eq!(lead_of(weights.iter().copied()), expected, "{weights:?}");
        }
    }
}
