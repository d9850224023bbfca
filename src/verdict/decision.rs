//! Evidence and policy -> decision. The rules, in the order in which they are asked:
//!
//! 1. The capture was stopped: the result follows from whose matter it was. No check turns a stopped session into `verified`.
//! 2. A check of security refutes the document, or a presentation attack is suspected: `review`. Never an automatic final refusal.
//! 3. The document says something else than the wallet: `not_verified`, with staff.
//! 4. The document cannot be taken (expired, other kind, portrait unusable): another one.
//! 5. The face is another one: `not_verified`, with staff. It could not be compared: `inconclusive`, which is not the same.
//! 6. Evidence that is missing is evidence against: `inconclusive`.
//! 7. All that policy asks for has passed: `verified`, or `pending` where the backend has to check too.

use super::document_checks::document_checks;
use super::evidence::{ComparisonEvidence, Ending, Evidence, Measure, PadEvidence};
use super::policy::Policy;
use super::reasons::{AttemptUse, Attribution, Disposition, Reason};
use crate::base::terms::{Field, FieldMatch, Purpose};
use crate::perception::pad::calibration::PadThreshold;
use serde::Serialize;

/// The result of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionResult {
    /// The person is who they claim to be, as far as policy asks.
    Verified,
    /// They are not, or the data differ.
    NotVerified,
    /// A person has to look at it.
    Review,
    /// It could not be found out.
    Inconclusive,
    /// Verified here; the backend has to check too.
    Pending,
    /// The person left or the time ran out.
    Abandoned,
    /// The person did not agree.
    DeclinedBySubject,
    /// The booth failed.
    AbortedEquipment,
    /// Practice.
    Practice,
}

/// The threshold that a comparison score must reach, with the error rate it stands for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparisonThreshold {
    /// Least score.
    pub score: f64,
    /// False match rate measured at this threshold.
    pub false_match_rate: f64,
    /// Lower end of its 95 % interval.
    pub false_match_rate_lower95: f64,
    /// Upper end of its 95 % interval.
    pub false_match_rate_upper95: f64,
    /// On which data it was measured.
    pub calibration: String,
}

/// How one check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// Done, and good.
    Passed,
    /// Done, and not good.
    Failed,
    /// Not done.
    NotTested,
    /// Could not be done: something it needs was missing or too poor.
    NotPossible,
}

/// One check with its result.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckRecord {
    /// Dotted name of the check.
    pub name: String,
    /// How it came out.
    pub outcome: CheckOutcome,
    /// Value and limit, where it is a measured one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measure: Option<Measure>,
    /// The task of the model it rests on, if any; version and hash stand in the outcome's list of models.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<&'static str>,
    /// A word of explanation from a closed set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
}

/// A reason with what was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportedReason {
    /// The reason.
    pub reason: Reason,
    /// The field, for `data.*` reasons.
    pub field: Option<Field>,
    /// Value and limit, where it is a measured one.
    pub measure: Option<Measure>,
}

impl ReportedReason {
    /// The dotted code, with the field behind a further dot.
    pub fn code(&self) -> String {
        match self.field {
            Some(field) => format!("{}.{field}", self.reason),
            None => self.reason.code().to_owned(),
        }
    }
}

/// A decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// What came out.
    pub result: SessionResult,
    /// What is to be done next.
    pub disposition: Disposition,
    /// Whose matter it was; `None` for a success.
    pub attribution: Option<Attribution>,
    /// All reasons, the primary one first; empty for a success.
    pub reasons: Vec<ReportedReason>,
    /// Every check, in the order of the pipeline.
    pub checks: Vec<CheckRecord>,
    /// Whether the session used up an attempt of the person.
    pub uses_attempt: bool,
}

/// Collects checks and reasons while the pipeline is gone through.
#[derive(Default)]
pub(super) struct Ledger {
    checks: Vec<CheckRecord>,
    reasons: Vec<ReportedReason>,
}

impl Ledger {
    pub(super) fn check(
        &mut self,
        name: impl Into<String>,
        outcome: CheckOutcome,
    ) -> &mut CheckRecord {
        self.checks.push(CheckRecord {
            name: name.into(),
            outcome,
            measure: None,
            model: None,
            note: None,
        });
        self.checks
            .last_mut()
            .expect("a check was pushed the line before")
    }

    pub(super) fn fail(&mut self, reason: Reason, measure: Option<Measure>) {
        self.reasons.push(ReportedReason {
            reason,
            field: None,
            measure,
        });
    }
}

/// The outcome of a check that was done.
pub(super) fn passed(good: bool) -> CheckOutcome {
    if good {
        CheckOutcome::Passed
    } else {
        CheckOutcome::Failed
    }
}

/// Decides. Pure: equal arguments, equal decision.
pub fn decide(
    evidence: &Evidence,
    policy: &Policy,
    threshold: &ComparisonThreshold,
    pad: &PadThreshold,
) -> Decision {
    let mut ledger = Ledger::default();
    let needs_document = evidence.purpose != Purpose::Reverification;
    if needs_document {
        document_checks(&mut ledger, evidence, policy);
        data_checks(&mut ledger, evidence, policy);
    }
    face_checks(&mut ledger, evidence, policy, threshold);
    pad_check(&mut ledger, evidence, policy, pad);

    if evidence.practice {
        ledger.reasons.clear();
        ledger.fail(Reason::PracticeCompleted, None);
        return conclude(SessionResult::Practice, ledger);
    }
    if let Ending::Stopped {
        reason, measure, ..
    } = &evidence.ending
    {
        // What stopped the session is the primary reason; what was found out before it stays in the record.
        ledger.reasons.insert(
            0,
            ReportedReason {
                reason: *reason,
                field: None,
                measure: measure.clone(),
            },
        );
        let mut decision = conclude(result_of_stop(*reason), ledger);
        decision.disposition = evidence.next.unwrap_or(decision.disposition);
        return decision;
    }
    // The primary reason is that of the strictest rule, whatever the order of the checks.
    ledger.reasons.sort_by_key(|r| rank(r.reason));
    let result = match ledger.reasons.first() {
        None if policy.online.check_required => SessionResult::Pending,
        None => SessionResult::Verified,
        Some(primary) => result_of(primary.reason),
    };
    conclude(result, ledger)
}

fn conclude(result: SessionResult, ledger: Ledger) -> Decision {
    let primary = ledger.reasons.first().map(|r| r.reason.row());
    let uses_attempt = primary.is_some_and(|row| {
        row.attribution.may_use_attempt()
            && matches!(row.attempt, AttemptUse::Yes | AttemptUse::AfterTimeout)
    });
    Decision {
        result,
        disposition: primary.map_or(Disposition::None, |row| row.disposition),
        attribution: primary.map(|row| row.attribution),
        reasons: ledger.reasons,
        checks: ledger.checks,
        uses_attempt,
    }
}

/// The result of a session that stopped.
fn result_of_stop(reason: Reason) -> SessionResult {
    match reason {
        Reason::ConsentDeclined | Reason::ConsentWithdrawn | Reason::ConsentGuardianRequired => {
            SessionResult::DeclinedBySubject
        }
        Reason::SessionAttemptsExhausted => SessionResult::Inconclusive,
        Reason::PolicyDocumentTypeUnsupported
        | Reason::PolicyAgeBelowMinimum
        | Reason::DocExpired
        | Reason::DocNotYetValid => SessionResult::NotVerified,
        _ => match reason.row().attribution {
            Attribution::Equipment => SessionResult::AbortedEquipment,
            Attribution::Subject if reason.code().starts_with("session.") => {
                SessionResult::Abandoned
            }
            _ => SessionResult::Inconclusive,
        },
    }
}

/// Whether a reason is a suspicion that a person has to look at.
fn suspects(reason: Reason) -> bool {
    ["doc.suspect.", "live.suspect."]
        .iter()
        .any(|prefix| reason.code().starts_with(prefix))
}

/// Order of the rules: the smaller, the stricter.
fn rank(reason: Reason) -> u8 {
    match reason.row().attribution {
        _ if suspects(reason) => 0,
        _ if reason == Reason::DataMismatch => 1,
        Attribution::Policy => 2,
        _ if matches!(reason, Reason::FaceMismatch | Reason::FaceMismatchReference) => 4,
        Attribution::Document => 3,
        Attribution::Security => 5,
        _ => 6,
    }
}

/// The result that a reason leads to when the capture was complete.
fn result_of(reason: Reason) -> SessionResult {
    match reason {
        Reason::FaceMismatch | Reason::FaceMismatchReference | Reason::DataMismatch => {
            SessionResult::NotVerified
        }
        Reason::DocExpired
        | Reason::DocNotYetValid
        | Reason::PolicyDocumentTypeUnsupported
        | Reason::PolicyAgeBelowMinimum => SessionResult::NotVerified,
        _ if suspects(reason) => SessionResult::Review,
        // Policy asks for attack detection and it was not possible: a person has to look.
        Reason::LiveInconclusive => SessionResult::Review,
        _ => SessionResult::Inconclusive,
    }
}

fn data_checks(ledger: &mut Ledger, evidence: &Evidence, policy: &Policy) {
    if evidence.document.is_none() {
        return;
    }
    for field in &policy.document.required_fields {
        if !evidence.fields.iter().any(|(f, _)| f == field) {
            ledger
                .check(format!("data.{field}"), CheckOutcome::NotPossible)
                .note = Some("not_claimed");
            ledger.reasons.push(ReportedReason {
                reason: Reason::DataNotRead,
                field: Some(*field),
                measure: None,
            });
        }
    }
    for (field, found) in &evidence.fields {
        let (outcome, reason) = match found {
            FieldMatch::Match => (CheckOutcome::Passed, None),
            FieldMatch::Mismatch => (CheckOutcome::Failed, Some(Reason::DataMismatch)),
            FieldMatch::NotRead => (CheckOutcome::NotPossible, Some(Reason::DataNotRead)),
        };
        ledger.check(format!("data.{field}"), outcome);
        if let Some(reason) = reason {
            ledger.reasons.push(ReportedReason {
                reason,
                field: Some(*field),
                measure: None,
            });
        }
    }
}

fn face_checks(
    ledger: &mut Ledger,
    evidence: &Evidence,
    policy: &Policy,
    threshold: &ComparisonThreshold,
) {
    let reference = evidence.purpose == Purpose::Reverification;
    let mismatch = if reference {
        Reason::FaceMismatchReference
    } else {
        Reason::FaceMismatch
    };
    let Some(face) = &evidence.face else {
        ledger
            .check("face.comparison", CheckOutcome::NotPossible)
            .note = Some("no_face");
        ledger.fail(Reason::FaceNotFound, None);
        return;
    };
    let quality = ledger.check("face.quality", CheckOutcome::Passed);
    quality.model = Some("face_landmarks");
    quality.measure = Some(Measure {
        name: "InterEyeDistance",
        value: f64::from(face.inter_eye_px),
        limit: f64::from(policy.face.inter_eye_px),
        unit: "px",
    });
    match face.comparison {
        ComparisonEvidence::NotPossible => {
            ledger
                .check("face.comparison", CheckOutcome::NotPossible)
                .note = Some("no_reference");
            ledger.fail(Reason::FaceMatchNotPossible, None);
        }
        ComparisonEvidence::Score(score) => {
            let measure = Measure {
                name: "comparison_score",
                value: f64::from(score),
                limit: threshold.score,
                unit: "score",
            };
            let enough = face.n_frames >= u32::from(policy.face.n_frames);
            let good = f64::from(score) >= threshold.score;
            let check = ledger.check(
                "face.comparison",
                if enough {
                    passed(good)
                } else {
                    CheckOutcome::NotPossible
                },
            );
            check.model = Some("face_embedding");
            check.measure = Some(measure.clone());
            if !enough {
                ledger.fail(Reason::FaceMatchNotPossible, Some(measure));
            } else if !good {
                ledger.fail(mismatch, Some(measure));
            }
        }
    }
}

/// Attack detection. What is found out is always recorded; it is acted on only where policy requires it.
fn pad_check(ledger: &mut Ledger, evidence: &Evidence, policy: &Policy, threshold: &PadThreshold) {
    let not_possible = |ledger: &mut Ledger, note| {
        let check = ledger.check("face.pad", CheckOutcome::NotPossible);
        check.model = Some("face_pad");
        check.note = Some(note);
    };
    match evidence.face.as_ref().map(|face| face.pad) {
        // That there is no face has a reason of its own.
        None => not_possible(ledger, "no_face"),
        Some(PadEvidence::NotPossible { .. }) => {
            not_possible(ledger, "no_response");
            if policy.pad.required {
                ledger.fail(Reason::LiveInconclusive, None);
            }
        }
        Some(PadEvidence::Score { score, .. }) => {
            let bona_fide = f64::from(score) >= threshold.score;
            let measure = Measure {
                name: "pad_score",
                value: f64::from(score),
                limit: threshold.score,
                unit: "score",
            };
            let check = ledger.check("face.pad", passed(bona_fide));
            check.model = Some("face_pad");
            check.measure = Some(measure.clone());
            if !policy.pad.required {
                check.note = Some("recorded_only");
            } else if !bona_fide {
                // The net does not say which instrument it was.
                ledger.fail(Reason::LiveSuspectUnknownSpecies, Some(measure));
            }
        }
    }
}

#[cfg(test)]
#[path = "card_tests.rs"]
mod card_tests;
#[cfg(test)]
#[path = "decision_tests.rs"]
mod tests;
