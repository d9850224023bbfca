//! The wallet's rules: a TOML bundle, signed by the wallet's policy key, with floors compiled in that no signature can lower.
//!
//! Reading and checking the signature is `config`'s; here is what a bundle says and which bundles are refused.

use crate::base::terms::{DocumentKind, Field, Purpose};
use serde::{Deserialize, Serialize};

/// The rules of one wallet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Version of the layout: 1.
    pub format: u32,
    /// Name of the policy, quoted in every outcome.
    pub id: String,
    /// Version of its content; goes up with every change.
    pub version: u32,
    /// The wallet's name; a ticket of another tenant is refused.
    pub tenant: String,
    /// Purposes that are served.
    pub purposes: Vec<Purpose>,
    /// Documents.
    pub document: DocumentRules,
    /// Face.
    pub face: FaceRules,
    /// Presentation attack detection.
    pub pad: PadRules,
    /// Time given to each step.
    pub times: StepTimes,
    /// Attempts.
    pub attempts: AttemptRules,
    /// Checks that only the backend can do.
    pub online: OnlineRules,
}

/// Rules for the document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentRules {
    /// Kinds that are taken.
    pub accepted: Vec<DocumentKind>,
    /// Whether specimen documents are taken: issuing state UTO; a resident identity card whose address or issuing authority says
    /// 样本. For demonstrations and acceptance tests only.
    pub allow_specimen: bool,
    /// Fields that a ticket must claim and the document confirm.
    pub required_fields: Vec<Field>,
    /// How many equal readings are needed before one is believed, 1..=10.
    pub n_readings: u8,
    /// How many equal readings are needed before a refuted check digit is believed, 2..=10.
    pub n_readings_refuted: u8,
    /// Least distance of the eyes on the document's portrait, in pixels of the camera's frame.
    pub portrait_inter_eye_px: f32,
    /// Least age in years on the day of the session, 0..=120.
    pub least_age_years: u8,
}

/// Rules for the face.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaceRules {
    /// The comparison's false match rate, as a proportion; the threshold follows from the calibration file.
    pub false_match_rate: f64,
    /// How many good frames are compared, 3..=30.
    pub n_frames: u8,
    /// Least distance of the eyes in pixels.
    pub inter_eye_px: f32,
    /// Largest yaw and pitch in degrees.
    pub pose_degrees: f32,
    /// Least value of the Sharpness component, 0..=100.
    pub sharpness: u8,
    /// Least value of the LuminanceMean component, 0..=100.
    pub luminance: u8,
    /// Least value of the IlluminationUniformity component, 0..=100.
    pub uniformity: u8,
    /// Least value of the EyesOpen component, 0..=100.
    pub eyes_open: u8,
}

/// Rules for presentation attack detection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PadRules {
    /// Whether attack detection is acted on: a suspected attack goes to review, and so does a session in which it was not
    /// possible. With `false` it is recorded only.
    pub required: bool,
    /// Largest attack presentation classification error rate of the worst species; the threshold follows from the calibration
    /// file, whose data it is measured on.
    pub apcer: f64,
    /// Largest bona fide presentation classification error rate that this may cost.
    pub bpcer: f64,
}

/// Time given to each step, in seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepTimes {
    /// Showing the ticket after the button was pressed.
    pub ticket_s: u16,
    /// Reading the consent.
    pub consent_s: u16,
    /// Showing the document.
    pub document_s: u16,
    /// Showing the face.
    pub face_s: u16,
    /// Answering the question whether to try again.
    pub retry_s: u16,
    /// How long a result stays on the panel.
    pub result_s: u16,
}

/// Attempts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttemptRules {
    /// How often each step can be tried in one session, 1..=5.
    pub per_step: u8,
    /// After so many sessions in a row that failed and used up an attempt there is a cool-down, 1..=5; 1..=10 with attack detection
    /// that conforms to ISO/IEC 30107-3.
    pub consecutive: u8,
    /// The cool-down before every further attempt in seconds, 30..=3600.
    pub cooldown_s: u32,
    /// For how long after the session a document that was read is kept in memory, so that the next ticket of the same session goes on
    /// with the face, in seconds: 0 (not at all) to 300, which the consent's text promises.
    pub keep_steps_s: u16,
}

/// Checks that only the backend can do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnlineRules {
    /// Whether a verified session is `pending` until the backend has checked it too.
    pub check_required: bool,
}

/// Why a policy is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PolicyError {
    /// Not TOML, or a key is unknown, missing or of the wrong type.
    #[error("policy: {0}")]
    Layout(String),
    /// A value lies outside what is compiled in.
    #[error(
        "policy `{key}`: found {found}, allowed {allowed}; mend: have the wallet sign a policy within these limits"
    )]
    Floor {
        /// The key.
        key: &'static str,
        /// What stands there.
        found: String,
        /// What may stand there.
        allowed: &'static str,
    },
}

/// Largest APCER that any policy may ask for (NIST SP 800-63A-4 wants an IAPAR below it).
pub const LARGEST_APCER: f64 = 0.07;

/// Largest false match rate that any policy may ask for (NIST SP 800-63A-4: 1 in 10 000).
pub const LARGEST_FALSE_MATCH_RATE: f64 = 1e-4;

/// Whether the attack detection conforms to ISO/IEC 30107-3. Nobody has tested it, so no outcome and no limit claims it.
pub const PAD_CONFORMS: bool = false;

/// Largest number of failures in a row before a cool-down (NIST SP 800-63B).
const MOST_CONSECUTIVE: u8 = if PAD_CONFORMS { 10 } else { 5 };

/// Longest time in seconds that passed steps are kept in memory after a session.
pub const LONGEST_KEPT_S: u16 = 300;

impl Policy {
    /// Reads a policy and checks it against the floors.
    ///
    /// # Errors
    /// [`PolicyError`] names the key, what was found and what is allowed.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let policy: Self = toml::from_str(text)
            .map_err(|e| PolicyError::Layout(e.to_string().trim().replace('\n', " ")))?;
        policy.check_floors()?;
        Ok(policy)
    }

    fn check_floors(&self) -> Result<(), PolicyError> {
        let within = |good: bool, key, found: String, allowed| {
            if good {
                Ok(())
            } else {
                Err(PolicyError::Floor {
                    key,
                    found,
                    allowed,
                })
            }
        };
        let named = |s: &str| {
            (1..=64).contains(&s.len())
                && s.bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        };
        let (d, f, t) = (&self.document, &self.face, &self.times);
        within(self.format == 1, "format", self.format.to_string(), "1")?;
        within(
            named(&self.id),
            "id",
            format!("{:?}", self.id),
            "1 to 64 letters, digits, `-`, `_`, `.`",
        )?;
        within(
            named(&self.tenant),
            "tenant",
            format!("{:?}", self.tenant),
            "1 to 64 letters, digits, `-`, `_`, `.`",
        )?;
        let purposes = !self.purposes.is_empty() && self.purposes.iter().all(|p| p.is_built());
        within(
            purposes,
            "purposes",
            format!("{:?}", self.purposes),
            "onboarding, reverification (others are not built)",
        )?;
        within(
            !d.accepted.is_empty() && !d.accepted.contains(&DocumentKind::Visa),
            "document.accepted",
            format!("{:?}", d.accepted),
            "at least one of td1, td2, td3, prc_id (a visa identifies nobody by itself)",
        )?;
        let number_claimed = d.required_fields.contains(&Field::DocumentNumber)
            && d.required_fields.contains(&Field::BirthDate);
        within(
            number_claimed,
            "document.required_fields",
            format!("{:?}", d.required_fields),
            "at least document_number and birth_date",
        )?;
        within(
            (1..=10).contains(&d.n_readings),
            "document.n_readings",
            d.n_readings.to_string(),
            "1 to 10",
        )?;
        within(
            (2..=10).contains(&d.n_readings_refuted),
            "document.n_readings_refuted",
            d.n_readings_refuted.to_string(),
            "2 to 10",
        )?;
        within(
            (24.0..=400.0).contains(&d.portrait_inter_eye_px),
            "document.portrait_inter_eye_px",
            d.portrait_inter_eye_px.to_string(),
            "24 to 400",
        )?;
        within(
            d.least_age_years <= 120,
            "document.least_age_years",
            d.least_age_years.to_string(),
            "0 to 120",
        )?;
        let fmr = f.false_match_rate;
        within(
            (1e-6..=LARGEST_FALSE_MATCH_RATE).contains(&fmr),
            "face.false_match_rate",
            fmr.to_string(),
            "1e-6 to 1e-4",
        )?;
        within(
            (3..=30).contains(&f.n_frames),
            "face.n_frames",
            f.n_frames.to_string(),
            "3 to 30",
        )?;
        within(
            (60.0..=400.0).contains(&f.inter_eye_px),
            "face.inter_eye_px",
            f.inter_eye_px.to_string(),
            "60 to 400",
        )?;
        within(
            (5.0..=30.0).contains(&f.pose_degrees),
            "face.pose_degrees",
            f.pose_degrees.to_string(),
            "5 to 30",
        )?;
        for (key, value, least, allowed) in [
            ("face.sharpness", f.sharpness, 10, "10 to 100"),
            ("face.luminance", f.luminance, 20, "20 to 100"),
            ("face.uniformity", f.uniformity, 10, "10 to 100"),
            ("face.eyes_open", f.eyes_open, 10, "10 to 100"),
        ] {
            within(
                (least..=100).contains(&value),
                key,
                value.to_string(),
                allowed,
            )?;
        }
        within(
            (0.001..=LARGEST_APCER).contains(&self.pad.apcer),
            "pad.apcer",
            self.pad.apcer.to_string(),
            "0.001 to 0.07 (NIST SP 800-63A-4)",
        )?;
        within(
            (0.001..=0.2).contains(&self.pad.bpcer),
            "pad.bpcer",
            self.pad.bpcer.to_string(),
            "0.001 to 0.2",
        )?;
        for (key, value) in [
            ("times.ticket_s", t.ticket_s),
            ("times.consent_s", t.consent_s),
            ("times.document_s", t.document_s),
            ("times.face_s", t.face_s),
            ("times.retry_s", t.retry_s),
        ] {
            within(
                (5..=300).contains(&value),
                key,
                value.to_string(),
                "5 to 300",
            )?;
        }
        within(
            (2..=60).contains(&t.result_s),
            "times.result_s",
            t.result_s.to_string(),
            "2 to 60",
        )?;
        let a = &self.attempts;
        within(
            (1..=5).contains(&a.per_step),
            "attempts.per_step",
            a.per_step.to_string(),
            "1 to 5 (NIST SP 800-63B)",
        )?;
        within(
            (1..=MOST_CONSECUTIVE).contains(&a.consecutive),
            "attempts.consecutive",
            a.consecutive.to_string(),
            "1 to 5 (NIST SP 800-63B; 10 needs attack detection that conforms to ISO/IEC 30107-3, which is not claimed)",
        )?;
        within(
            (30..=3_600).contains(&a.cooldown_s),
            "attempts.cooldown_s",
            a.cooldown_s.to_string(),
            "30 to 3600 (NIST SP 800-63B: at least 30)",
        )?;
        within(
            a.keep_steps_s <= LONGEST_KEPT_S,
            "attempts.keep_steps_s",
            a.keep_steps_s.to_string(),
            "0 to 300 (the consent's text says five minutes)",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The policy of the demonstration: the one that is shipped as an example.
    pub(crate) const EXAMPLE: &str = include_str!("../../board/policies/utopia-standard.toml");

    #[test]
    fn the_example_is_taken() {
        let policy = Policy::parse(EXAMPLE).expect("the shipped example is a policy");
        assert_eq!(policy.id, "utopia-standard");
    }

    #[test]
    fn a_policy_below_a_floor_is_refused_by_name() {
        let check = |from: &str, to: &str, key: &str| {
            assert!(EXAMPLE.contains(from), "{from}");
            let error = Policy::parse(&EXAMPLE.replace(from, to)).expect_err(to);
            assert!(error.to_string().contains(key), "{error}");
        };
        check(
            "false_match_rate = 1e-4",
            "false_match_rate = 1e-3",
            "face.false_match_rate",
        );
        check("per_step = 3", "per_step = 6", "attempts.per_step");
        check("consecutive = 5", "consecutive = 6", "attempts.consecutive");
        check("cooldown_s = 30", "cooldown_s = 29", "attempts.cooldown_s");
        check(
            "keep_steps_s = 300",
            "keep_steps_s = 301",
            "attempts.keep_steps_s",
        );
        check("keep_steps_s = 300", "", "keep_steps_s");
        check("n_frames = 5", "n_frames = 1", "face.n_frames");
        check(
            "inter_eye_px = 70",
            "inter_eye_px = 20",
            "face.inter_eye_px",
        );
        check("document_s = 45", "document_s = 0", "times.document_s");
        check("\"onboarding\", ", "\"step_up\", ", "purposes");
        check("per_step = 3", "per_step = 3\nsurprise = 1", "surprise");
        check("format = 1", "format = 2", "format");
        check("[pad]", "[pda]", "pda");
        check("apcer = 0.07", "apcer = 0.1", "pad.apcer");
        check("apcer = 0.07", "apcer = nan", "pad.apcer");
        check("bpcer = 0.05", "bpcer = 0.5", "pad.bpcer");
        check("\"prc_id\"", "\"prc\"", "prc_id");
        check(
            "accepted = [\"td3\", \"td1\", \"td2\", \"prc_id\"]",
            "accepted = []",
            "document.accepted",
        );
        check("\"td2\"", "\"visa\"", "document.accepted");
    }
}
