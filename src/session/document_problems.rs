//! What a problem of a document frame means: the prompt, the reason code, the measure; and which documents are refused at once.

use crate::guidance::model::DocumentPrompt;
use crate::perception::document::limits::DocumentLimits;
use crate::perception::observation::{DocumentObservation, DocumentProblem};
use crate::verdict::evidence::{DocumentEvidence, Measure};
use crate::verdict::policy::DocumentRules;
use crate::verdict::reasons::Reason;

/// What the person is told.
pub fn prompt_for(problem: DocumentProblem) -> DocumentPrompt {
    match problem {
        DocumentProblem::NotFound => DocumentPrompt::Show,
        DocumentProblem::CutOff => DocumentPrompt::WholeDocument,
        DocumentProblem::TooSmall => DocumentPrompt::Closer,
        DocumentProblem::Tilted => DocumentPrompt::Straight,
        DocumentProblem::Moving | DocumentProblem::Blurred | DocumentProblem::Unreadable => {
            DocumentPrompt::Still
        }
        DocumentProblem::Glare => DocumentPrompt::Glare,
        DocumentProblem::TooDark => DocumentPrompt::Dark,
        DocumentProblem::Covered => DocumentPrompt::Uncover,
        DocumentProblem::WrongSide => DocumentPrompt::OtherSide,
    }
}

/// The reason code of a problem.
pub fn reason_for(problem: DocumentProblem) -> Reason {
    match problem {
        DocumentProblem::NotFound => Reason::DocNotFound,
        DocumentProblem::CutOff => Reason::DocCutOff,
        DocumentProblem::TooSmall => Reason::DocTooSmall,
        DocumentProblem::Tilted => Reason::DocTilted,
        DocumentProblem::Moving => Reason::DocMoving,
        DocumentProblem::Blurred | DocumentProblem::Unreadable => Reason::DocBlurred,
        DocumentProblem::Glare => Reason::DocGlare,
        DocumentProblem::TooDark => Reason::DocTooDark,
        DocumentProblem::Covered => Reason::DocCovered,
        DocumentProblem::WrongSide => Reason::DocWrongSide,
    }
}

/// What was measured, with its limit.
pub fn measure_of(
    problem: DocumentProblem,
    seen: &DocumentObservation,
    limits: &DocumentLimits,
) -> Option<Measure> {
    let (name, value, limit, unit) = match problem {
        DocumentProblem::TooSmall => (
            "document_area",
            seen.area_share,
            limits.min_area_share,
            "share",
        ),
        DocumentProblem::Tilted => (
            "document_tilt",
            seen.tilt_degrees,
            limits.max_tilt_degrees,
            "deg",
        ),
        DocumentProblem::Moving => ("document_motion", seen.motion?, limits.max_motion, "share"),
        DocumentProblem::Blurred => (
            "document_sharpness",
            seen.sharpness,
            limits.min_sharpness,
            "variance",
        ),
        DocumentProblem::Glare => (
            "document_glare",
            seen.glare_share,
            limits.max_glare_share,
            "share",
        ),
        DocumentProblem::TooDark => (
            "document_luminance",
            seen.luminance,
            limits.min_luminance,
            "share",
        ),
        DocumentProblem::Covered => (
            "document_cover",
            seen.covered_share?,
            limits.max_covered_share,
            "share",
        ),
        _ => return None,
    };
    Some(Measure {
        name,
        value: f64::from(value),
        limit: f64::from(limit),
        unit,
    })
}

/// What a document that was found is held against, each value with its limit; without what was not measured.
pub fn measures(seen: &DocumentObservation, limits: &DocumentLimits) -> Vec<Measure> {
    use DocumentProblem::{Blurred, Covered, Glare, Moving, Tilted, TooDark, TooSmall};
    [TooSmall, Tilted, Moving, TooDark, Blurred, Glare, Covered]
        .into_iter()
        .filter_map(|problem| measure_of(problem, seen, limits))
        .collect()
}

/// Why a document that was read is not taken, which is said at once, before the face. `by_ticket`: the ticket takes its kind.
pub fn refusal(
    document: &DocumentEvidence,
    rules: &DocumentRules,
    by_ticket: bool,
) -> Option<Reason> {
    if !by_ticket || !rules.accepted.contains(&document.kind) {
        return Some(Reason::PolicyDocumentTypeUnsupported);
    }
    // With a refuted check digit the dates are not to be relied on: that is decided at the end, and not said to the person.
    if document.text_is_refuted() {
        return None;
    }
    match (document.dates.expired, document.dates.not_yet_valid) {
        (Some(true), _) => Some(Reason::DocExpired),
        (_, Some(true)) => Some(Reason::DocNotYetValid),
        _ => None,
    }
}
