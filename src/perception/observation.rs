//! What one frame says: the measurements that perception hands to the session. Small, without pixels and without templates.

use super::document::field::FieldCheck;
use super::document::mrz::Mrz;
use super::document::prc::PrcSide;
use super::quality::QualityReport;
use crate::base::geometry::{Point, Quad, Rect};
use crate::base::secret::Secret;
use crate::base::time::Moment;

/// What the session wants to be looked for in the frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum VisionTask {
    /// Nothing but brightness.
    #[default]
    Idle,
    /// A QR code with a ticket.
    Ticket,
    /// The document: corners, machine readable zone, portrait.
    Document,
    /// The face of the person in the booth.
    Face,
}

/// Which half of the light ring a frame was lit by, during all of its exposure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LitFrom {
    /// Both halves, neither, or one after the other.
    #[default]
    Both,
    /// The half that lights the left of the frame.
    Left,
    /// The other half.
    Right,
}

/// One frame's measurements.
#[derive(Clone, Debug)]
pub struct Observation {
    /// When the frame was captured.
    pub at: Moment,
    /// The camera's count of the frame.
    pub sequence: u64,
    /// Brightness of the whole frame.
    pub scene: SceneLight,
    /// Light and exposure that were in effect.
    pub light: LightState,
    /// What was looked for, and found or not.
    pub seen: Seen,
    /// How long perception worked on the frame, in microseconds.
    pub took_us: u32,
}

/// What a task found.
#[derive(Clone, Debug)]
pub enum Seen {
    /// The task was [`VisionTask::Idle`].
    Nothing,
    /// The task was [`VisionTask::Ticket`]: the text of a QR code, if one could be read.
    Code(Option<Secret>),
    /// The task was [`VisionTask::Document`].
    Document(Box<DocumentObservation>),
    /// The task was [`VisionTask::Face`].
    Face(Box<FaceObservation>),
}

/// Brightness of the whole frame (luminance 0.0..=1.0 of full scale).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SceneLight {
    /// Mean.
    pub mean: f32,
    /// Mean of the middle quarter of the frame, where the person sits and holds the document.
    pub centre: f32,
    /// Share of pixels at 247 or above of 255.
    pub bright_share: f32,
    /// Share of pixels at 25 or below of 255.
    pub dark_share: f32,
}

/// Light and exposure that were in effect when a frame was captured, and how the loop that sets them stands.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LightState {
    /// Name of the light recipe; empty before there is one.
    pub recipe: &'static str,
    /// White level of the half of the ring that lights the left of the frame, 0..=1.
    pub left: f32,
    /// White level of the other half, 0..=1.
    pub right: f32,
    /// Exposure time in microseconds.
    pub exposure_us: u32,
    /// Gain as a factor, 1.0 = none.
    pub gain: f32,
    /// The loop has reached its target.
    pub settled: bool,
    /// The loop has not reached its target, and nothing that could help is left.
    pub at_limit: bool,
    /// Against glare, left and right light a document in turn.
    pub sides_in_turn: bool,
}

/// Angles of the head in degrees: yaw positive to the right of the frame, pitch positive down, roll positive clockwise.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HeadPose {
    /// Left and right.
    pub yaw: f32,
    /// Up and down.
    pub pitch: f32,
    /// Tilt to a shoulder.
    pub roll: f32,
}

/// The face of the person in the booth, in one frame.
#[derive(Clone, Debug, Default)]
pub struct FaceObservation {
    /// How many faces were found.
    pub n_faces: usize,
    /// The largest face.
    pub primary: Option<PrimaryFace>,
    /// What looks like a document lies in the picture, soon after one was read, as its holder has not put it away; its portrait is none of the
    /// faces.
    pub document_in_hand: bool,
}

/// The largest face of a frame.
#[derive(Clone, Debug)]
pub struct PrimaryFace {
    /// Box of the detector, pixels of the frame.
    pub bounds: Rect,
    /// The detector's score, 0..=1.
    pub detection_score: f32,
    /// Eyes, nose tip and corners of the mouth: subject's right eye, left eye, nose, right and left corner of the mouth; pixels.
    pub five_points: [Point; 5],
    /// Distance of the eye centres in pixels.
    pub inter_eye_px: f32,
    /// The landmark net's probability that there is a face, 0..=1.
    pub presence: f32,
    /// Angles of the head.
    pub pose: HeadPose,
    /// ISO/IEC 29794-5 components.
    pub quality: QualityReport,
    /// Photometry on the face region.
    pub light: FaceLight,
    /// PAD score of this frame: 0..=1, higher is more like a bona fide presentation. `None` is a non-response.
    pub pad_score: Option<f32>,
    /// Comparison with the portrait of the document (or the ticket's reference), if there is one and the face was good enough
    /// to be compared: cosine of the two templates, -1..=1.
    pub comparison_score: Option<f32>,
}

/// Least certainty of a face that counts. In the virtual booth what seemed to be a face beside a document that covers it had up to 0.5; of 1104
/// photographs of faces (LFW, NUAA) the least certain had 0.64.
const LEAST_CERTAINTY: f32 = 0.6;

impl PrimaryFace {
    /// How sure detector and landmark net together are that this is a face, 0..=1: the product of their scores. Hair, hands and print beside
    /// a covered face look like a face to one of them now and then, hardly ever to both.
    pub fn certainty(&self) -> f32 {
        self.detection_score * self.presence
    }

    /// Whether it is sure enough to be measured, lit and compared.
    pub fn is_certain(&self) -> bool {
        self.certainty() >= LEAST_CERTAINTY
    }
}

/// Photometry on the face region, luminance 0..=1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FaceLight {
    /// Mean over the face.
    pub mean: f32,
    /// Mean over the half of the face that lies on the left of the frame.
    pub left: f32,
    /// Mean over the other half.
    pub right: f32,
    /// Mean of the frame outside the face's box.
    pub background: f32,
}

/// What stands in the way of reading a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DocumentProblem {
    /// No document in the frame.
    NotFound,
    /// A corner is outside the frame.
    CutOff,
    /// It is too far away.
    TooSmall,
    /// It is turned or tilted too much.
    Tilted,
    /// It moved between frames.
    Moving,
    /// It is out of focus.
    Blurred,
    /// A bright spot lies on a field that is needed.
    Glare,
    /// It is too dark.
    TooDark,
    /// A finger lies in front of what has to be read.
    Covered,
    /// Everything seems right, but there is no machine readable zone: probably the other side.
    WrongSide,
    /// There is a machine readable zone, but its lines could not be read.
    Unreadable,
}

/// The document, in one frame.
#[derive(Clone, Debug, Default)]
pub struct DocumentObservation {
    /// Its corners in the frame, if found.
    pub corners: Option<Quad>,
    /// How sure the corner finder is, 0..=1.
    pub confidence: f32,
    /// Area of the document as a share of the frame, 0..=1.
    pub area_share: f32,
    /// Largest deviation of an inner angle from 90 degrees, in degrees.
    pub tilt_degrees: f32,
    /// Variance of the Laplacian on the rectified document at a width of 640 pixels.
    pub sharpness: f32,
    /// Share of saturated pixels on the rectified document, 0..=1.
    pub glare_share: f32,
    /// The same of the part in which there may be text that has to be read.
    pub zone_glare_share: f32,
    /// Mean luminance of the document, 0..=1.
    pub luminance: f32,
    /// Share of the document that a finger covers, 0..=1; `None` if it was not looked for: only what cannot be read is looked over.
    pub covered_share: Option<f32>,
    /// Mean movement of the corners since the frame before, as a share of the document's width; `None` for the first frame.
    pub motion: Option<f32>,
    /// There is glare on it, and something that is needed was not read in this frame by itself.
    pub glare_hides: bool,
    /// Glare that is left where this frame and one that was lit from the other side were made into one picture; `None` where they were not.
    pub combined: Option<CombinedGlare>,
    /// What stands in the way, worst first; `None` if the document was read.
    pub problem: Option<DocumentProblem>,
    /// What was read.
    pub reading: Option<Box<DocumentReading>>,
}

/// Glare on a picture that was made of two.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CombinedGlare {
    /// Share of saturated pixels on the rectified document, 0..=1.
    pub share: f32,
    /// The same of the part in which there may be text that has to be read.
    pub zone_share: f32,
}

/// What was read from a document.
#[derive(Clone, Debug)]
pub struct DocumentReading {
    /// Its text.
    pub content: DocumentContent,
    /// Confidence in the text that was needed to recognise the document, 0..=1: of a machine readable zone the lowest mean
    /// over its lines, of a resident identity card that of the number or the term.
    pub confidence: f32,
    /// The portrait, if one was found.
    pub portrait: Option<PortraitObservation>,
}

impl DocumentReading {
    /// The number that tells this document from others; empty where it was not read, and on a back.
    pub fn number(&self) -> Secret {
        match &self.content {
            DocumentContent::Mrz(reading) => reading.mrz.document_number.clone(),
            DocumentContent::Prc(PrcSide::Front(front)) => front.number.clone(),
            DocumentContent::Prc(PrcSide::Back(_)) => Secret::default(),
        }
    }

    /// How many of the things that glare can hide are there beside the text that it was recognised by: check digits that are right, printed
    /// fields that agree, a clear portrait where there has to be one. With it, how many there can be.
    pub fn extras(&self) -> (usize, usize) {
        let portrait = usize::from(self.portrait.is_some_and(|p| p.is_clear()));
        match &self.content {
            DocumentContent::Mrz(reading) => {
                let digits = usize::from(!reading.mrz.checks.any_refuted());
                let printed = reading.printed.named();
                let agree = printed.iter().filter(|(_, c)| *c == FieldCheck::Verified);
                (digits + agree.count() + portrait, printed.len() + 2)
            }
            DocumentContent::Prc(PrcSide::Front(_)) => (portrait, 1),
            DocumentContent::Prc(PrcSide::Back(_)) => (0, 0),
        }
    }

    /// The machine readable zone, if the document has one.
    pub fn mrz(&self) -> Option<&Mrz> {
        match &self.content {
            DocumentContent::Mrz(reading) => Some(&reading.mrz),
            DocumentContent::Prc(_) => None,
        }
    }
}

/// The text of a document, by its kind.
#[derive(Clone, Debug, PartialEq)]
pub enum DocumentContent {
    /// A passport or card with a machine readable zone.
    Mrz(MrzReading),
    /// One side of a resident identity card of the People's Republic of China.
    Prc(PrcSide),
}

/// What was read from a document with a machine readable zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MrzReading {
    /// The zone, with every check digit reported by itself.
    pub mrz: Mrz,
    /// The printed fields against the zone.
    pub printed: PrintedChecks,
}

/// The printed fields (the visual zone of ICAO Doc 9303) against the machine readable zone. A field that is not found is
/// [`FieldCheck::NotRead`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PrintedChecks {
    /// Both identifiers.
    pub name: FieldCheck,
    /// The document number.
    pub document_number: FieldCheck,
    /// The date of birth.
    pub birth_date: FieldCheck,
    /// The date of expiry.
    pub expiry_date: FieldCheck,
}

impl PrintedChecks {
    /// The four with their names.
    pub fn named(&self) -> [(&'static str, FieldCheck); 4] {
        [
            ("name", self.name),
            ("document_number", self.document_number),
            ("birth_date", self.birth_date),
            ("expiry_date", self.expiry_date),
        ]
    }
}

/// The portrait on the document. Its template stays in perception's memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PortraitObservation {
    /// Box on the rectified document, pixels.
    pub bounds: Rect,
    /// Distance of the eye centres in pixels of the captured frame.
    pub inter_eye_px: f32,
    /// The detector's score, 0..=1.
    pub detection_score: f32,
    /// How well it shows a face, 0..=1, whatever its size.
    pub quality: f32,
}

/// From this quality on a portrait is clear. Of 48 single pictures of drawn cards in uneven light 40 lie above, and of 12 portraits on specimens
/// all but the one that is overprinted.
const CLEAR: f32 = 0.2;

impl PortraitObservation {
    /// Whether it is as good as it has to be, whatever its size: light, glare and focus may still come right where it is not.
    pub fn is_clear(&self) -> bool {
        self.quality >= CLEAR
    }

    /// What decides which frame's portrait is compared: quality, and size as the component InterEyeDistance of ISO/IEC 29794-5 has
    /// it, 0..=1.
    pub fn worth(&self) -> f32 {
        self.quality / (1.0 + ((70.0 - self.inter_eye_px) / 20.0).exp())
    }
}
