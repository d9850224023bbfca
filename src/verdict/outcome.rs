//! The outcome: what the wallet gets. A versioned JSON record that says what was checked, with which score and threshold, why
//! not, whose matter it was, and what next. It holds no picture, no template, no name, no number and no date of a person.
//!
//! Which booth sent it, its place in the sequence and the hash of the one before stand in the signature's header, which is
//! `delivery`'s.

use super::attempts::AttemptLimits;
use super::decision::{CheckRecord, ComparisonThreshold, Decision, SessionResult};
use super::evidence::{
    Evidence, FailedTry, Measure, PadEvidence, RemedyTried, SpecimenEvidence, Step,
};
use super::policy::PAD_CONFORMS;
use super::reasons::{Attribution, Disposition};
use crate::base::ids::{Language, ReferenceNumber, SessionId};
use crate::base::terms::{FieldMatch, Purpose};
use crate::perception::pad::METHOD;
use crate::perception::pad::calibration::PadThreshold;
use serde::Serialize;
use std::collections::BTreeMap;

/// Version of the record's layout. Goes up when a member changes its meaning or goes away; additions keep it.
pub const OUTCOME_VERSION: u32 = 1;

/// What a record says beside the decision.
#[derive(Clone, Debug)]
pub struct OutcomeContext {
    /// The session.
    pub session: SessionId,
    /// The ticket's id; empty if a session had none.
    pub ticket: String,
    /// The ticket's nonce, handed back.
    pub nonce: String,
    /// Language of the session.
    pub language: Language,
    /// The policy by which it was decided.
    pub policy: PolicyStamp,
    /// Models that were loaded.
    pub models: Vec<ModelStamp>,
    /// The comparison's threshold.
    pub threshold: ComparisonThreshold,
    /// The attack detection's threshold.
    pub pad: PadThreshold,
    /// Whether policy acts on the attack detection.
    pub pad_acted_on: bool,
    /// Consent, if it was asked for.
    pub consent: Option<ConsentRecord>,
    /// The self-check before the session.
    pub preflight: Option<PreflightRecord>,
    /// Times.
    pub times: SessionTimes,
    /// Attempts per step.
    pub attempts: BTreeMap<&'static str, u8>,
    /// Attempts over several sessions, this one included.
    pub attempt_limits: AttemptLimits,
    /// Tries of steps that failed.
    pub failed_tries: Vec<FailedTry>,
    /// Steps that an earlier ticket of the session had passed.
    pub resumed: Vec<Step>,
    /// Whether every step had twice as long.
    pub extended_time: bool,
    /// Version of this software.
    pub software: &'static str,
    /// Name of the board file.
    pub board: String,
}

/// Which policy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PolicyStamp {
    /// Name.
    pub id: String,
    /// Version of its content.
    pub version: u32,
    /// SHA-256 of the signed bytes, hex.
    pub sha256: String,
}

/// Which model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelStamp {
    /// Its task.
    pub task: &'static str,
    /// Its version.
    pub version: String,
    /// SHA-256 of the file, hex.
    pub sha256: String,
}

/// That the person agreed, or did not.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConsentRecord {
    /// Whether they agreed.
    pub given: bool,
    /// When, wall clock, RFC 3339.
    pub at: String,
    /// Which text they saw.
    pub text_version: &'static str,
    /// In which language.
    pub language: Language,
}

/// The self-check before the session.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PreflightRecord {
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Named checks with `ok` or a reason code.
    pub checks: BTreeMap<&'static str, String>,
}

impl PreflightRecord {
    /// The first check that is not `ok`.
    pub fn first_fault(&self) -> Option<&str> {
        self.checks
            .values()
            .find(|v| v.as_str() != "ok")
            .map(String::as_str)
    }
}

/// When it happened.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SessionTimes {
    /// Start, wall clock, RFC 3339.
    pub started: String,
    /// Decision, wall clock, RFC 3339.
    pub decided: String,
    /// Start on the booth's monotonic clock, milliseconds since it was switched on.
    pub started_boot_ms: u64,
    /// Time per step in milliseconds.
    pub steps_ms: BTreeMap<&'static str, u64>,
}

/// The record.
#[derive(Debug, Serialize)]
pub struct Outcome<'a> {
    v: u32,
    session: &'a SessionId,
    reference: ReferenceNumber,
    ticket: &'a str,
    nonce: &'a str,
    purpose: Purpose,
    language: Language,
    result: SessionResult,
    disposition: Disposition,
    attribution: Option<Attribution>,
    /// Id of the texts that the wallet shows the person; neutral where the reason is not for them.
    message: &'static str,
    reasons: Vec<ReasonRecord<'a>>,
    uses_attempt: bool,
    attempts: &'a BTreeMap<&'static str, u8>,
    attempt_limits: AttemptLimits,
    failed_tries: &'a [FailedTry],
    resumed: &'a [Step],
    extended_time: bool,
    checks: &'a [CheckRecord],
    fields: BTreeMap<&'static str, FieldMatch>,
    threshold: &'a ComparisonThreshold,
    pad: PadRecord<'a>,
    specimen: bool,
    policy: &'a PolicyStamp,
    models: &'a [ModelStamp],
    consent: Option<&'a ConsentRecord>,
    preflight: Option<&'a PreflightRecord>,
    remedies: &'a [RemedyTried],
    times: &'a SessionTimes,
    software: &'a str,
    board: &'a str,
}

/// What stands behind the check `face.pad`, and what it is not.
#[derive(Debug, Serialize)]
struct PadRecord<'a> {
    method: &'static str,
    iso_30107_conformance: &'static str,
    acted_on: bool,
    threshold: &'a PadThreshold,
    n_frames: u32,
    n_no_response: u32,
}

impl<'a> PadRecord<'a> {
    fn new(context: &'a OutcomeContext, evidence: &Evidence) -> Self {
        let (n_frames, n_no_response) = match evidence.face.as_ref().map(|f| f.pad) {
            None => (0, 0),
            Some(PadEvidence::NotPossible { n_no_response }) => (0, n_no_response),
            Some(PadEvidence::Score {
                n_frames,
                n_no_response,
                ..
            }) => (n_frames, n_no_response),
        };
        Self {
            method: METHOD,
            iso_30107_conformance: if PAD_CONFORMS {
                "claimed"
            } else {
                "not_claimed"
            },
            acted_on: context.pad_acted_on,
            threshold: &context.pad,
            n_frames,
            n_no_response,
        }
    }
}

#[derive(Debug, Serialize)]
struct ReasonRecord<'a> {
    code: String,
    attribution: Attribution,
    disposition: Disposition,
    message: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    measure: Option<&'a Measure>,
}

/// The id of the texts for a session that ended as decided.
pub fn message_of(decision: &Decision) -> &'static str {
    match (decision.reasons.first(), decision.result) {
        (Some(primary), _) => primary.reason.row().message,
        (None, SessionResult::Pending) => "result.pending",
        (None, _) => "result.verified",
    }
}

impl<'a> Outcome<'a> {
    /// Puts the record together.
    pub fn new(
        context: &'a OutcomeContext,
        evidence: &'a Evidence,
        decision: &'a Decision,
    ) -> Self {
        Self {
            v: OUTCOME_VERSION,
            session: &context.session,
            reference: context.session.reference(),
            ticket: &context.ticket,
            nonce: &context.nonce,
            purpose: evidence.purpose,
            language: context.language,
            result: decision.result,
            disposition: decision.disposition,
            attribution: decision.attribution,
            message: message_of(decision),
            reasons: decision
                .reasons
                .iter()
                .map(|r| {
                    let row = r.reason.row();
                    ReasonRecord {
                        code: r.code(),
                        attribution: row.attribution,
                        disposition: row.disposition,
                        message: row.message,
                        measure: r.measure.as_ref(),
                    }
                })
                .collect(),
            uses_attempt: decision.uses_attempt,
            attempts: &context.attempts,
            attempt_limits: context.attempt_limits,
            failed_tries: &context.failed_tries,
            resumed: &context.resumed,
            extended_time: context.extended_time,
            checks: &decision.checks,
            fields: evidence
                .fields
                .iter()
                .map(|(f, m)| (f.name(), *m))
                .collect(),
            threshold: &context.threshold,
            pad: PadRecord::new(context, evidence),
            specimen: evidence
                .document
                .as_ref()
                .is_some_and(|d| d.specimen == SpecimenEvidence::Specimen),
            policy: &context.policy,
            models: &context.models,
            consent: context.consent.as_ref(),
            preflight: context.preflight.as_ref(),
            remedies: &evidence.remedies,
            times: &context.times,
            software: context.software,
            board: &context.board,
        }
    }

    /// The record as JSON, members in the order of this struct.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("all map keys are text and no member can fail to serialise")
    }
}
