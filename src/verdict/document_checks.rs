//! The checks of the document, each by itself.

use super::decision::{CheckOutcome, Ledger, passed};
use super::evidence::{
    DocumentEvidence, Evidence, Measure, PortraitEvidence, SpecimenEvidence, TextEvidence, refuted,
};
use super::policy::Policy;
use super::reasons::Reason;
use crate::perception::document::field::FieldCheck;
use crate::perception::document::mrz::{CheckResult, MrzChecks};
use crate::perception::document::prc::PrcChecks;
use crate::perception::observation::PrintedChecks;

/// All checks of the document.
pub(super) fn document_checks(ledger: &mut Ledger, evidence: &Evidence, policy: &Policy) {
    let Some(document) = &evidence.document else {
        ledger
            .check("document.reading", CheckOutcome::NotPossible)
            .note = Some("no_reading");
        ledger.fail(Reason::DocNotFound, None);
        return;
    };
    reading(ledger, document);
    let accepted = policy.document.accepted.contains(&document.kind);
    ledger.check("document.type", passed(accepted));
    if !accepted {
        ledger.fail(Reason::PolicyDocumentTypeUnsupported, None);
    }
    match &document.text {
        TextEvidence::Mrz { checks, printed } => {
            check_digits(ledger, checks);
            printed_against_zone(ledger, printed);
        }
        TextEvidence::Card(checks) => card(ledger, checks),
    }
    dates(ledger, document, policy);
    specimen(ledger, document, policy);
    for name in ["document.copy", "document.portrait_tampering"] {
        ledger.check(name, CheckOutcome::NotTested).note = Some("not_built");
    }
    portrait(ledger, document, policy);
}

/// That it was read, and whether characters were mended. They are only where a check digit or check character decides.
fn reading(ledger: &mut Ledger, document: &DocumentEvidence) {
    let check = ledger.check("document.reading", CheckOutcome::Passed);
    if document.repaired > 0 {
        check.note = Some("repaired");
        check.measure = Some(Measure {
            name: "repaired_characters",
            value: f64::from(document.repaired),
            limit: 0.0,
            unit: "count",
        });
    }
}

fn check_digits(ledger: &mut Ledger, checks: &MrzChecks) {
    for (name, result) in checks.named() {
        let outcome = match result {
            CheckResult::Verified => CheckOutcome::Passed,
            CheckResult::Refuted => CheckOutcome::Failed,
            CheckResult::NotPrinted => CheckOutcome::NotTested,
        };
        let check = ledger.check(format!("document.mrz.check_digit.{name}"), outcome);
        check.model = Some("mrz_line_reader");
        if result == CheckResult::NotPrinted {
            check.note = Some("not_printed");
        }
    }
    if checks.any_refuted() {
        let n = refuted(checks).count();
        ledger.fail(
            Reason::DocSuspectMrzCheckDigit,
            Some(count("refuted_check_digits", n)),
        );
    }
}

/// The printed fields against the machine readable zone. What was not read is `not_possible`: nothing is known of it.
fn printed_against_zone(ledger: &mut Ledger, printed: &PrintedChecks) {
    let mut n_refuted = 0;
    for (name, result) in printed.named() {
        field(
            ledger,
            format!("document.printed_text_against_mrz.{name}"),
            result,
        );
        n_refuted += usize::from(result == FieldCheck::Refuted);
    }
    if n_refuted > 0 {
        ledger.fail(
            Reason::DocSuspectMrzVsPrinted,
            Some(count("refuted_printed_fields", n_refuted)),
        );
    }
}

/// A resident identity card: the number by itself, and what is printed beside it against the number. The number is the card's
/// machine readable part, so a printed date of birth or sex that differs from it has the code that a passport's has.
fn card(ledger: &mut Ledger, checks: &PrcChecks) {
    let mut n_refuted = 0;
    for (name, result) in checks.named() {
        field(ledger, format!("document.prc.{name}"), result);
        if result == FieldCheck::Refuted {
            match name {
                "check_character" => ledger.fail(Reason::DocSuspectIdCheckDigit, None),
                "region" => ledger.fail(Reason::DocSuspectRegionCode, None),
                _ => n_refuted += 1,
            }
        }
    }
    if n_refuted > 0 {
        ledger.fail(
            Reason::DocSuspectMrzVsPrinted,
            Some(count("refuted_printed_fields", n_refuted)),
        );
    }
}

fn field(ledger: &mut Ledger, name: String, result: FieldCheck) {
    let outcome = match result {
        FieldCheck::Verified => CheckOutcome::Passed,
        FieldCheck::Refuted => CheckOutcome::Failed,
        FieldCheck::NotRead => CheckOutcome::NotPossible,
    };
    let check = ledger.check(name, outcome);
    if result == FieldCheck::NotRead {
        check.note = Some("not_read");
    } else {
        check.model = Some("text_reader");
    }
}

fn dates(ledger: &mut Ledger, document: &DocumentEvidence, policy: &Policy) {
    let dates = &document.dates;
    ledger.check("document.dates.logic", passed(dates.logical));
    if !dates.logical {
        ledger.fail(Reason::DocSuspectDateLogic, None);
    }
    match (dates.expired, dates.not_yet_valid) {
        (Some(true), _) => {
            ledger.check("document.dates.validity", CheckOutcome::Failed);
            ledger.fail(Reason::DocExpired, None);
        }
        (_, Some(true)) => {
            ledger.check("document.dates.validity", CheckOutcome::Failed);
            ledger.fail(Reason::DocNotYetValid, None);
        }
        (Some(false), _) => {
            ledger.check("document.dates.validity", CheckOutcome::Passed);
        }
        (None, _) => {
            ledger.check("document.dates.validity", CheckOutcome::NotPossible);
        }
    }
    let least_age = policy.document.least_age_years;
    match dates.age_years {
        Some(age) if least_age > 0 => {
            ledger.check("policy.age", passed(age >= least_age));
            if age < least_age {
                ledger.fail(Reason::PolicyAgeBelowMinimum, None);
            }
        }
        None if least_age > 0 => {
            ledger.check("policy.age", CheckOutcome::NotPossible);
        }
        _ => {}
    }
}

fn specimen(ledger: &mut Ledger, document: &DocumentEvidence, policy: &Policy) {
    let allowed = policy.document.allow_specimen;
    let outcome = match document.specimen {
        SpecimenEvidence::Specimen => passed(allowed),
        SpecimenEvidence::Genuine => CheckOutcome::Passed,
        SpecimenEvidence::NotRead => CheckOutcome::NotPossible,
    };
    let check = ledger.check("document.specimen", outcome);
    match document.specimen {
        SpecimenEvidence::Specimen if allowed => check.note = Some("specimen_allowed_by_policy"),
        SpecimenEvidence::Specimen => ledger.fail(Reason::DocSuspectSpecimen, None),
        SpecimenEvidence::NotRead => {
            check.note = Some("not_read");
            // Whoever covers what would give a specimen away must not get further than with it.
            if !allowed {
                ledger.fail(Reason::DocCovered, None);
            }
        }
        SpecimenEvidence::Genuine => {}
    }
}

fn portrait(ledger: &mut Ledger, document: &DocumentEvidence, policy: &Policy) {
    let least = policy.document.portrait_inter_eye_px;
    let (outcome, measured) = match document.portrait {
        PortraitEvidence::NotFound => (CheckOutcome::NotPossible, None),
        PortraitEvidence::Found { inter_eye_px } => {
            (passed(inter_eye_px >= least), Some(inter_eye_px))
        }
    };
    let measure = measured.map(|px| Measure {
        name: "portrait_inter_eye",
        value: f64::from(px),
        limit: f64::from(least),
        unit: "px",
    });
    let check = ledger.check("document.portrait", outcome);
    check.model = Some("face_detector");
    check.measure.clone_from(&measure);
    if outcome != CheckOutcome::Passed {
        ledger.fail(Reason::DocPortraitUnusable, measure);
    }
}

fn count(name: &'static str, n: usize) -> Measure {
    Measure {
        name,
        value: n as f64,
        limit: 0.0,
        unit: "count",
    }
}
