//! Table: what is changed in a perfect session -> what is decided.

use super::*;
use crate::base::terms::DocumentKind;
use crate::perception::document::field::FieldCheck;
use crate::perception::document::mrz::{CheckResult, MrzChecks};
use crate::perception::observation::PrintedChecks;
use crate::perception::pad::calibration::PresentationAttackSpecies;
use crate::verdict::dates::DateEvidence;
use crate::verdict::evidence::{
    DocumentEvidence, FaceEvidence, PortraitEvidence, SpecimenEvidence, Step, TextEvidence,
};

pub(super) fn policy() -> Policy {
    Policy::parse(include_str!("../../board/policies/utopia-standard.toml"))
        .expect("the shipped example is a policy")
}

pub(super) fn threshold() -> ComparisonThreshold {
    ComparisonThreshold {
        score: 0.5,
        false_match_rate: 1e-4,
        false_match_rate_lower95: 0.5e-4,
        false_match_rate_upper95: 2e-4,
        calibration: "test".into(),
    }
}

pub(super) fn pad() -> PadThreshold {
    PadThreshold {
        score: 0.5,
        worst_species: PresentationAttackSpecies::Print,
        apcer: 0.0,
        apcer_lower95: 0.0,
        apcer_upper95: 0.03,
        bpcer: 0.0,
        bpcer_lower95: 0.0,
        bpcer_upper95: 0.04,
        calibration: "test".into(),
    }
}

fn scored(score: f32) -> PadEvidence {
    PadEvidence::Score {
        score,
        n_frames: 5,
        n_no_response: 0,
    }
}

pub(super) fn perfect() -> Evidence {
    let v = CheckResult::Verified;
    Evidence {
        purpose: Purpose::Onboarding,
        practice: false,
        ending: Ending::Complete,
        document: Some(DocumentEvidence {
            kind: DocumentKind::Td3,
            specimen: SpecimenEvidence::Specimen,
            text: TextEvidence::Mrz {
                checks: MrzChecks {
                    document_number: v,
                    birth_date: v,
                    expiry_date: v,
                    optional_data: CheckResult::NotPrinted,
                    composite: v,
                },
                printed: PrintedChecks::default(),
            },
            repaired: 0,
            dates: DateEvidence {
                logical: true,
                expired: Some(false),
                not_yet_valid: None,
                age_years: Some(52),
            },
            n_readings: 2,
            confidence: 0.9,
            portrait: PortraitEvidence::Found { inter_eye_px: 60.0 },
        }),
        fields: [
            Field::DocumentNumber,
            Field::BirthDate,
            Field::PrimaryIdentifier,
        ]
        .map(|f| (f, FieldMatch::Match))
        .to_vec(),
        face: Some(FaceEvidence {
            n_frames: 5,
            comparison: ComparisonEvidence::Score(0.8),
            pad: scored(0.99),
            inter_eye_px: 95.0,
            sharpness: Some(60),
            luminance: Some(90),
        }),
        today: (2026, 11, 23),
        remedies: Vec::new(),
        next: None,
    }
}

fn check(
    change: impl FnOnce(&mut Evidence),
    result: SessionResult,
    codes: &[&str],
    disposition: Disposition,
    attempt: bool,
) {
    let mut evidence = perfect();
    change(&mut evidence);
    let decision = decide(&evidence, &policy(), &threshold(), &pad());
    let found: Vec<String> = decision.reasons.iter().map(ReportedReason::code).collect();
    assert_eq!(
        (decision.result, found.as_slice()),
        (result, codes.map_owned().as_slice())
    );
    assert_eq!(
        (decision.disposition, decision.uses_attempt),
        (disposition, attempt),
        "{codes:?}"
    );
}

trait MapOwned {
    fn map_owned(&self) -> Vec<String>;
}

impl MapOwned for &[&str] {
    fn map_owned(&self) -> Vec<String> {
        self.iter().map(|s| (*s).to_owned()).collect()
    }
}

fn document(e: &mut Evidence) -> &mut DocumentEvidence {
    e.document.as_mut().expect("perfect() has a document")
}

/// The check digits and the printed fields of a document with a zone.
fn zone(e: &mut Evidence) -> (&mut MrzChecks, &mut PrintedChecks) {
    match &mut document(e).text {
        TextEvidence::Mrz { checks, printed } => (checks, printed),
        TextEvidence::Card(_) => panic!("perfect() has a zone"),
    }
}

fn face(e: &mut Evidence) -> &mut FaceEvidence {
    e.face.as_mut().expect("perfect() has a face")
}

fn stopped(reason: Reason, step: Step) -> impl FnOnce(&mut Evidence) {
    move |e| {
        e.ending = Ending::Stopped {
            reason,
            step,
            measure: None,
        };
        e.face = None;
    }
}

#[test]
fn complete_sessions() {
    use Disposition as D;
    use SessionResult as R;
    check(|_| {}, R::Verified, &[], D::None, false);
    check(
        |e| zone(e).0.composite = CheckResult::Refuted,
        R::Review,
        &["doc.suspect.mrz_check_digit"],
        D::RetryAttended,
        true,
    );
    check(
        |e| zone(e).1.birth_date = FieldCheck::Refuted,
        R::Review,
        &["doc.suspect.mrz_vs_printed"],
        D::RetryAttended,
        true,
    );
    check(
        |e| document(e).dates.logical = false,
        R::Review,
        &["doc.suspect.date_logic"],
        D::RetryAttended,
        true,
    );
    check(
        |e| document(e).dates.expired = Some(true),
        R::NotVerified,
        &["doc.expired"],
        D::RetryOtherDocument,
        true,
    );
    check(
        |e| document(e).dates.age_years = Some(17),
        R::NotVerified,
        &["policy.age_below_minimum"],
        D::Final,
        false,
    );
    check(
        |e| document(e).portrait = PortraitEvidence::NotFound,
        R::Inconclusive,
        &["doc.portrait_unusable"],
        D::RetryOtherDocument,
        true,
    );
    check(
        |e| e.fields[1].1 = FieldMatch::Mismatch,
        R::NotVerified,
        &["data.mismatch.birth_date"],
        D::RetryAttended,
        true,
    );
    check(
        |e| e.fields[1].1 = FieldMatch::NotRead,
        R::Inconclusive,
        &["data.not_read.birth_date"],
        D::RetryAttended,
        true,
    );
    check(
        |e| {
            e.fields.remove(0);
        },
        R::Inconclusive,
        &["data.not_read.document_number"],
        D::RetryAttended,
        true,
    );
    check(
        |e| face(e).comparison = ComparisonEvidence::Score(0.49),
        R::NotVerified,
        &["face.mismatch"],
        D::RetryAttended,
        true,
    );
    check(
        |e| face(e).comparison = ComparisonEvidence::NotPossible,
        R::Inconclusive,
        &["face.match_not_possible"],
        D::RetryAttended,
        true,
    );
    check(
        |e| face(e).n_frames = 2,
        R::Inconclusive,
        &["face.match_not_possible"],
        D::RetryAttended,
        true,
    );
}

#[test]
fn what_is_missing_is_evidence_against() {
    use Disposition as D;
    use SessionResult as R;
    check(
        |e| e.face = None,
        R::Inconclusive,
        &["face.not_found"],
        D::RetryWithRemedy,
        true,
    );
    check(
        |e| e.document = None,
        R::Inconclusive,
        &["doc.not_found"],
        D::RetryWithRemedy,
        true,
    );
}

#[test]
fn security_goes_before_data_and_data_before_the_face() {
    check(
        |e| {
            face(e).comparison = ComparisonEvidence::Score(0.1);
            e.fields[0].1 = FieldMatch::Mismatch;
            zone(e).0.birth_date = CheckResult::Refuted;
        },
        SessionResult::Review,
        &[
            "doc.suspect.mrz_check_digit",
            "data.mismatch.document_number",
            "face.mismatch",
        ],
        Disposition::RetryAttended,
        true,
    );
}

#[test]
fn stopped_sessions_are_never_verified_and_blame_nobody_wrongly() {
    use Disposition as D;
    use SessionResult as R;
    let with_missing_face = |code| [code, "face.not_found"];
    let check = |reason: Reason, step, result, disposition, attempt| {
        check(
            stopped(reason, step),
            result,
            &with_missing_face(reason.code()),
            disposition,
            attempt,
        );
    };
    check(
        Reason::ConsentDeclined,
        Step::Consent,
        R::DeclinedBySubject,
        D::ContactSupport,
        false,
    );
    check(
        Reason::SessionTimeout,
        Step::Consent,
        R::Abandoned,
        D::RetryNow,
        false,
    );
    check(
        Reason::SessionCancelled,
        Step::Face,
        R::Abandoned,
        D::RetryNow,
        false,
    );
    check(
        Reason::HwCameraAbsent,
        Step::Face,
        R::AbortedEquipment,
        D::RetryLater,
        false,
    );
    check(
        Reason::HwCameraNoFrames,
        Step::Document,
        R::AbortedEquipment,
        D::RetryLater,
        false,
    );
    check(
        Reason::SessionInterruptedPower,
        Step::Face,
        R::AbortedEquipment,
        D::RetryNow,
        false,
    );
    check(
        Reason::EnvBacklit,
        Step::Face,
        R::Inconclusive,
        D::RetryWithRemedy,
        false,
    );
    check(
        Reason::FaceNotFound,
        Step::Face,
        R::Inconclusive,
        D::RetryWithRemedy,
        true,
    );
    check(
        Reason::DocGlare,
        Step::Document,
        R::Inconclusive,
        D::RetryWithRemedy,
        false,
    );
}

#[test]
fn practice_is_practice_whatever_came_out() {
    check(
        |e| {
            e.practice = true;
            face(e).comparison = ComparisonEvidence::Score(0.1);
        },
        SessionResult::Practice,
        &["practice.completed"],
        Disposition::None,
        false,
    );
}

#[test]
fn attack_detection_is_always_recorded_and_acted_on_where_policy_requires_it() {
    let check = |pad_evidence: Option<PadEvidence>,
                 required: bool,
                 check: (CheckOutcome, Option<&str>),
                 decided: (SessionResult, &[&str])| {
        let mut policy = policy();
        policy.pad.required = required;
        let mut evidence = perfect();
        match (&mut evidence.face, pad_evidence) {
            (Some(face), Some(pad)) => face.pad = pad,
            (face, _) => *face = None,
        }
        let decision = decide(&evidence, &policy, &threshold(), &pad());
        let record = decision
            .checks
            .iter()
            .find(|c| c.name == "face.pad")
            .expect("is always listed");
        assert_eq!(
            (record.outcome, record.note),
            check,
            "{pad_evidence:?} {required}"
        );
        assert_eq!(record.model, Some("face_pad"));
        let codes: Vec<String> = decision.reasons.iter().map(ReportedReason::code).collect();
        assert_eq!((decision.result, codes), (decided.0, decided.1.map_owned()));
    };
    use CheckOutcome::{Failed, NotPossible, Passed};
    use SessionResult::{Inconclusive, Review, Verified};
    let silent = PadEvidence::NotPossible { n_no_response: 5 };
    let only = Some("recorded_only");
    check(Some(scored(0.5)), true, (Passed, None), (Verified, &[]));
    check(Some(scored(0.5)), false, (Passed, only), (Verified, &[]));
    check(
        Some(scored(0.49)),
        true,
        (Failed, None),
        (Review, &["live.suspect.unknown_species"]),
    );
    check(Some(scored(0.49)), false, (Failed, only), (Verified, &[]));
    check(
        Some(silent),
        true,
        (NotPossible, Some("no_response")),
        (Review, &["live.inconclusive"]),
    );
    check(
        Some(silent),
        false,
        (NotPossible, Some("no_response")),
        (Verified, &[]),
    );
    for required in [false, true] {
        check(
            None,
            required,
            (NotPossible, Some("no_face")),
            (Inconclusive, &["face.not_found"]),
        );
    }
}

#[test]
fn a_suspected_attack_is_reviewed_also_when_the_faces_differ() {
    let mut policy = policy();
    policy.pad.required = true;
    let mut evidence = perfect();
    if let Some(face) = &mut evidence.face {
        face.pad = scored(0.01);
        face.comparison = ComparisonEvidence::Score(0.1);
    }
    let decision = decide(&evidence, &policy, &threshold(), &pad());
    let codes: Vec<String> = decision.reasons.iter().map(ReportedReason::code).collect();
    assert_eq!(codes, ["live.suspect.unknown_species", "face.mismatch"]);
    assert_eq!(decision.result, SessionResult::Review);
    // The person is told nothing of it.
    assert_eq!(decision.reasons[0].reason.row().message, "neutral.security");
}

#[test]
fn every_check_that_is_not_built_says_so() {
    let decision = decide(&perfect(), &policy(), &threshold(), &pad());
    for name in ["document.copy", "document.portrait_tampering"] {
        let check = decision.checks.iter().find(|c| c.name == name).expect(name);
        assert_eq!(
            (check.outcome, check.note),
            (CheckOutcome::NotTested, Some("not_built"))
        );
    }
    // Printed text that was not read is not passed.
    let name = "document.printed_text_against_mrz.name";
    let check = decision.checks.iter().find(|c| c.name == name).expect(name);
    assert_eq!(
        (check.outcome, check.note),
        (CheckOutcome::NotPossible, Some("not_read"))
    );
    let mut specimens = policy();
    specimens.document.allow_specimen = false;
    let decision = decide(&perfect(), &specimens, &threshold(), &pad());
    assert_eq!(
        (decision.result, decision.reasons[0].code().as_str()),
        (SessionResult::Review, "doc.suspect.specimen")
    );
}

#[test]
fn an_online_check_makes_it_pending() {
    let mut online = policy();
    online.online.check_required = true;
    assert_eq!(
        decide(&perfect(), &online, &threshold(), &pad()).result,
        SessionResult::Pending
    );
}
