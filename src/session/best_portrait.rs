//! The best portrait of a document so far: the one that the face will be compared with.

use crate::perception::observation::PortraitObservation;
use crate::verdict::evidence::PortraitEvidence;
use crate::verdict::policy::DocumentRules;

/// A portrait below this shows too little to say of anybody that it is or is not theirs.
const USABLE: f32 = 0.02;

/// The best of a document's portraits.
#[derive(Clone, Copy, Debug, Default)]
pub struct BestPortrait(Option<PortraitObservation>);

impl BestPortrait {
    /// Takes in what one frame showed; of equals the newest counts, as with the templates.
    pub fn count(&mut self, seen: Option<PortraitObservation>) {
        if let Some(seen) = seen
            && self.0.is_none_or(|best| seen.worth() >= best.worth())
        {
            self.0 = Some(seen);
        }
    }

    /// Whether it is as good as it has to be; a worse one is waited on for a while.
    pub fn is_settled(&self, rules: &DocumentRules) -> bool {
        self.0
            .is_some_and(|p| p.is_clear() && p.inter_eye_px >= rules.portrait_inter_eye_px)
    }

    /// Whether it is there, and too small.
    pub fn is_small(&self, rules: &DocumentRules) -> bool {
        self.0
            .is_none_or(|p| p.inter_eye_px < rules.portrait_inter_eye_px)
    }

    /// What is said of it.
    pub fn evidence(&self) -> PortraitEvidence {
        match self.0 {
            Some(p) if p.quality >= USABLE => PortraitEvidence::Found {
                inter_eye_px: p.inter_eye_px,
            },
            _ => PortraitEvidence::NotFound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::policy::Policy;

    /// The shipped policy's rules.
    fn rules() -> DocumentRules {
        let policy = include_str!("../../board/policies/utopia-standard.toml");
        Policy::parse(policy).expect("the example").document
    }

    #[test]
    fn the_portrait_that_is_compared_is_the_one_that_counts() {
        /// Portraits as (eyes' distance, quality); settled, and the distance in the evidence.
        fn check(seen: &[(f32, f32)], settled: bool, evidence: Option<f32>) {
            let mut best = BestPortrait::default();
            for (inter_eye_px, quality) in seen {
                best.count(Some(PortraitObservation {
                    bounds: Default::default(),
                    inter_eye_px: *inter_eye_px,
                    detection_score: 0.9,
                    quality: *quality,
                }));
                best.count(None);
            }
            assert_eq!(best.is_settled(&rules()), settled, "{seen:?}");
            let found = match best.evidence() {
                PortraitEvidence::Found { inter_eye_px } => Some(inter_eye_px),
                PortraitEvidence::NotFound => None,
            };
            assert_eq!(found, evidence, "{seen:?}");
        }
        check(&[], false, None);
        check(&[(60.0, 0.7)], true, Some(60.0));
        // An over-exposed frame, before or after.
        check(&[(60.0, 0.05), (59.0, 0.7)], true, Some(59.0));
        check(&[(59.0, 0.7), (60.0, 0.05)], true, Some(59.0));
        check(&[(60.0, 0.05)], false, Some(60.0));
        check(&[(60.0, 0.01)], false, None);
        // Nearer is better, where the light is the same.
        check(&[(30.0, 0.7)], false, Some(30.0));
        check(&[(30.0, 0.7), (60.0, 0.6)], true, Some(60.0));
        check(&[(60.0, 0.7), (58.0, 0.75)], true, Some(58.0));
    }
}
