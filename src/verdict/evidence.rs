//! What a session has found out, as numbers and closed words: no pixels, no templates, no name and no number.

use super::dates::DateEvidence;
use super::reasons::{Disposition, Reason, Remedy};
use crate::base::terms::{DocumentKind, Field, FieldMatch, Purpose};
use crate::perception::document::field::FieldCheck;
use crate::perception::document::mrz::{CheckResult, Mrz, MrzChecks, MrzFormat};
use crate::perception::document::prc::{PrcBack, PrcChecks, PrcFront};
use crate::perception::observation::{MrzReading, PrintedChecks};
use serde::Serialize;

/// A calendar day: year, month 1..=12, day 1..=31.
pub type CivilDate = (i32, u8, u8);

/// Everything that a decision is made of. What is `None` was not found out, which is a finding of its own.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// What the session is for.
    pub purpose: Purpose,
    /// Whether this is practice.
    pub practice: bool,
    /// How the capture ended.
    pub ending: Ending,
    /// The document.
    pub document: Option<DocumentEvidence>,
    /// The claimed fields against the document.
    pub fields: Vec<(Field, FieldMatch)>,
    /// The face.
    pub face: Option<FaceEvidence>,
    /// The day of the session, UTC.
    pub today: CivilDate,
    /// What was tried against failures, in the order of its beginning.
    pub remedies: Vec<RemedyTried>,
    /// What comes next where a failure repeated itself; `None`: what the reason's row says.
    pub next: Option<Disposition>,
}

/// How the capture ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// All steps were gone through.
    Complete,
    /// It stopped before.
    Stopped {
        /// Why.
        reason: Reason,
        /// In which step.
        step: Step,
        /// What was measured, if the reason is a measured one.
        measure: Option<Measure>,
    },
}

/// A step of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Showing the ticket.
    Ticket,
    /// Agreeing.
    Consent,
    /// The booth checks itself.
    Preflight,
    /// Showing the document.
    Document,
    /// Showing the face.
    Face,
    /// Deciding.
    Decision,
}

/// A measured value with its limit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measure {
    /// What was measured.
    pub name: &'static str,
    /// The value.
    pub value: f64,
    /// The limit it was held against.
    pub limit: f64,
    /// The unit: `px`, `deg`, `share`, `score`, `s`, `0..100`.
    pub unit: &'static str,
}

/// Something that was tried against a failure: by the booth itself, or by what it asked of the person.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RemedyTried {
    /// In which step.
    pub step: Step,
    /// Against which reason.
    pub reason: Reason,
    /// What.
    pub remedy: Remedy,
    /// When it began, in milliseconds since the session did.
    pub at_ms: u64,
    /// What it was to change; `None` where nothing can be measured (no document in view).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    /// Name of the light recipe in the board file, where the light was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipe: Option<&'static str>,
    /// Light and exposure afterwards, where those were changed and seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub light: Option<LightAfter>,
}

/// A measure before and after a remedy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Effect {
    /// What was measured.
    pub name: &'static str,
    /// Before.
    pub before: f64,
    /// Afterwards; `None` if it was not measured again.
    pub after: Option<f64>,
    /// The unit, as in [`Measure`].
    pub unit: &'static str,
}

/// Light and exposure after a remedy.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LightAfter {
    /// White level of the half that lights the left of the frame, 0..=1.
    pub left: f64,
    /// White level of the other half, 0..=1.
    pub right: f64,
    /// Exposure time in microseconds.
    pub exposure_us: u32,
    /// Gain as a factor.
    pub gain: f64,
}

/// A try of a step that failed before the last one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FailedTry {
    /// Which step.
    pub step: Step,
    /// Why.
    pub reason: Reason,
    /// When, in milliseconds since the session began.
    pub at_ms: u64,
    /// Value and limit, where it is a measured one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measure: Option<Measure>,
}

/// The document, as far as it was read.
#[derive(Clone, Debug)]
pub struct DocumentEvidence {
    /// Its kind.
    pub kind: DocumentKind,
    /// Whether it says of itself that it is a specimen.
    pub specimen: SpecimenEvidence,
    /// The checks of its text.
    pub text: TextEvidence,
    /// How many characters were mended, each where a check digit or check character decided.
    pub repaired: u32,
    /// Dates.
    pub dates: DateEvidence,
    /// How many equal readings there were.
    pub n_readings: u32,
    /// Lowest confidence of the reader over the lines, 0..=1.
    pub confidence: f32,
    /// The portrait.
    pub portrait: PortraitEvidence,
}

/// Every check of a document's text by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextEvidence {
    /// A machine readable zone.
    Mrz {
        /// Its check digits.
        checks: MrzChecks,
        /// The printed fields against it.
        printed: PrintedChecks,
    },
    /// A resident identity card.
    Card(PrcChecks),
}

/// Whether a document says of itself that it is a specimen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpecimenEvidence {
    /// It does: issuing state UTO; on a resident identity card 样本 or SPECIMEN in address or issuing authority.
    Specimen,
    /// It does not.
    Genuine,
    /// Neither address nor issuing authority could be read.
    NotRead,
}

/// Whether a text on a document marks it as a specimen.
pub fn says_specimen(text: &str) -> bool {
    text.contains("样本") || text.to_ascii_uppercase().contains("SPECIMEN")
}

/// The portrait on the document.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PortraitEvidence {
    /// None was found.
    NotFound,
    /// Found; the distance of its eyes in pixels of the camera's frame.
    Found {
        /// Pixels.
        inter_eye_px: f32,
    },
}

impl DocumentEvidence {
    /// What a document with a machine readable zone says on `today`.
    pub fn from_mrz(
        reading: &MrzReading,
        today: CivilDate,
        n_readings: u32,
        confidence: f32,
        portrait: PortraitEvidence,
    ) -> Self {
        let mrz: &Mrz = &reading.mrz;
        Self {
            kind: match mrz.format {
                MrzFormat::Td1 => DocumentKind::Td1,
                MrzFormat::Td2 => DocumentKind::Td2,
                MrzFormat::Td3 => DocumentKind::Td3,
                MrzFormat::MrvA | MrzFormat::MrvB => DocumentKind::Visa,
            },
            specimen: if mrz.issuing_state == "UTO" {
                SpecimenEvidence::Specimen
            } else {
                SpecimenEvidence::Genuine
            },
            text: TextEvidence::Mrz {
                checks: mrz.checks,
                printed: reading.printed,
            },
            repaired: mrz.repaired,
            dates: DateEvidence::of(mrz.birth_date.reveal(), mrz.expiry_date.reveal(), today),
            n_readings,
            confidence,
            portrait,
        }
    }

    /// What a resident identity card says on `today`. A side that is missing says nothing.
    pub fn from_card(
        front: Option<&PrcFront>,
        back: Option<&PrcBack>,
        specimen: SpecimenEvidence,
        today: CivilDate,
        n_readings: u32,
        confidence: f32,
        portrait: PortraitEvidence,
    ) -> Self {
        let birth = front.map_or("", |f| number_birth_date(f.number.reveal()));
        let (from, until) = back.map_or(("", ""), |b| {
            (b.valid_from.reveal(), b.valid_until.reveal())
        });
        Self {
            kind: DocumentKind::PrcId,
            specimen,
            text: TextEvidence::Card(front.map(|f| f.checks).unwrap_or_default()),
            repaired: front.map_or(0, |f| f.repaired),
            dates: DateEvidence::of_card(birth, from, until, today),
            n_readings,
            confidence,
            portrait,
        }
    }

    /// Whether a check digit or check character refutes its text: then nothing else on it can be relied on.
    pub fn text_is_refuted(&self) -> bool {
        match &self.text {
            TextEvidence::Mrz { checks, .. } => checks.any_refuted(),
            TextEvidence::Card(checks) => checks.check_character == FieldCheck::Refuted,
        }
    }
}

/// The day of birth in a citizen identification number (GB 11643), YYYYMMDD; empty if it is none.
pub fn number_birth_date(number: &str) -> &str {
    number.get(6..14).unwrap_or_default()
}

/// Names of the refuted check digits.
pub fn refuted(checks: &MrzChecks) -> impl Iterator<Item = &'static str> {
    checks
        .named()
        .into_iter()
        .filter(|(_, r)| *r == CheckResult::Refuted)
        .map(|(name, _)| name)
}

/// The face.
#[derive(Clone, Debug)]
pub struct FaceEvidence {
    /// How many good frames were compared.
    pub n_frames: u32,
    /// The comparison.
    pub comparison: ComparisonEvidence,
    /// Presentation attack detection.
    pub pad: PadEvidence,
    /// Median over the good frames of the distance of the eyes, in pixels.
    pub inter_eye_px: f32,
    /// Median of the Sharpness component, 0..=100.
    pub sharpness: Option<u8>,
    /// Median of the LuminanceMean component, 0..=100.
    pub luminance: Option<u8>,
}

/// The comparison of the probe with the reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ComparisonEvidence {
    /// Median comparison score over the good frames, -1..=1.
    Score(f32),
    /// There was nothing to compare with.
    NotPossible,
}

/// Presentation attack detection on the good frames. A non-response is a good frame without a PAD score; it is counted apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PadEvidence {
    /// At least half of the good frames have a score.
    Score {
        /// Median PAD score, 0..=1, higher is more like a bona fide presentation.
        score: f32,
        /// Frames with a score.
        n_frames: u32,
        /// Frames without.
        n_no_response: u32,
    },
    /// Too many of the good frames have none.
    NotPossible {
        /// Frames without a score.
        n_no_response: u32,
    },
}
