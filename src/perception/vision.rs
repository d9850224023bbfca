//! Everything that is done with a frame, behind one method: what the vision thread owns.

use super::code::{CodeReader, CodeReading};
use super::document::limits::DocumentLimits;
use super::document::pipeline::DocumentPipeline;
use super::document::portrait::{FoundPortrait, PortraitFinder};
use super::face::embedding::Template;
use super::face::pipeline::FacePipeline;
use super::observation::{
    DocumentObservation, FaceObservation, LitFrom, PrimaryFace, SceneLight, Seen, VisionTask,
};
use super::portrait_memory::PortraitMemory;
use super::quality::QualityComponent;
use crate::base::frame::{FrameView, PixelFormat};
use crate::base::geometry::Point;
use crate::base::secret::Secret;
use crate::base::srgb::linear_table;
use crate::models::{Catalogue, ModelError};
use crate::perception::sampling::luminance;

/// All of perception, with what it remembers of the present session: the portrait's template and the ticket's reference.
#[derive(Debug)]
pub struct Vision {
    face: FacePipeline,
    document: DocumentPipeline<Template>,
    codes: CodeReader,
    portraits: PortraitMemory<Template>,
    reference: Option<Template>,
}

impl Vision {
    /// Loads all models.
    ///
    /// # Errors
    /// If one is missing, corrupt or unsuitable.
    pub fn load(catalogue: &Catalogue, limits: DocumentLimits) -> Result<Self, ModelError> {
        Ok(Self {
            face: FacePipeline::new(catalogue)?,
            document: DocumentPipeline::new(catalogue, limits)?,
            codes: CodeReader::new(),
            portraits: PortraitMemory::default(),
            reference: None,
        })
    }

    /// Looks at a frame, which was lit from `lit`, for what the session wants.
    ///
    /// # Errors
    /// If a net cannot be run.
    pub fn look(
        &mut self,
        frame: FrameView<'_>,
        task: VisionTask,
        lit: LitFrom,
    ) -> Result<Seen, ModelError> {
        if matches!(task, VisionTask::Document | VisionTask::Face) {
            // The ticket has been read: its picture is needed no more, nor is the memory.
            self.codes.forget();
        }
        Ok(match task {
            VisionTask::Idle => Seen::Nothing,
            VisionTask::Ticket => Seen::Code(self.codes.read(frame).content()),
            VisionTask::Document => Seen::Document(Box::new(self.document(frame, lit)?)),
            VisionTask::Face => Seen::Face(Box::new(self.face(frame)?)),
        })
    }

    /// Reads a document, and keeps its portrait's template, by the document's number, for the face.
    ///
    /// # Errors
    /// If a net cannot be run.
    pub fn document(
        &mut self,
        frame: FrameView<'_>,
        lit: LitFrom,
    ) -> Result<DocumentObservation, ModelError> {
        let observation = self
            .document
            .observe(frame, lit, &mut Portraits(&mut self.face))?;
        if let Some(reading) = &observation.reading
            && let Some(portrait) = &reading.portrait
        {
            self.face
                .document_was_read(frame.meta.captured, portrait.inter_eye_px);
            if let Some(template) = self.document.last_portrait_template() {
                self.portraits
                    .keep(reading.number(), template.clone(), portrait.worth());
            }
        }
        Ok(observation)
    }

    /// Measures the face, looks for a presentation attack, and compares it if there is something to compare with.
    ///
    /// # Errors
    /// If a net cannot be run.
    pub fn face(&mut self, frame: FrameView<'_>) -> Result<FaceObservation, ModelError> {
        let document = if self.face.expects_document(frame.meta.captured) {
            self.document.locate(&frame)?
        } else {
            None
        };
        let mut observation = self.face.analyse_beside(&frame, document.as_ref())?;
        if let Some(face) = &mut observation.primary {
            face.pad_score = self.face.pad_score(&frame)?;
        }
        let with = self.reference.as_ref().or(self.portraits.chosen());
        if let (Some(face), Some(with)) = (&mut observation.primary, with)
            && let Some(probe) = self.face.template(&frame, &face.five_points)?
        {
            face.comparison_score = Some(probe.compare(with));
        }
        Ok(observation)
    }

    /// The face room by itself, for tools.
    pub fn face_pipeline(&mut self) -> &mut FacePipeline {
        &mut self.face
    }

    /// The document room and the face room by themselves, for tools.
    pub fn document_pipeline(&mut self) -> (&mut DocumentPipeline<Template>, &mut FacePipeline) {
        (&mut self.document, &mut self.face)
    }

    /// Reads a QR code, saying also when there is one that cannot be read.
    pub fn code(&mut self, frame: FrameView<'_>) -> CodeReading {
        self.codes.read(frame)
    }

    /// Takes the reference template of a reverification. Gives whether it is one.
    pub fn use_reference(&mut self, bytes: &[u8]) -> bool {
        self.reference = Template::from_bytes(bytes);
        self.reference.is_some()
    }

    /// The face is compared with the portrait of the document with this number from now on. Gives whether there is one.
    pub fn use_portrait(&mut self, number: &Secret) -> bool {
        self.portraits.choose(number)
    }

    /// Wipes templates and pictures of the session, and lets go of the nets that are needed for documents only.
    pub fn forget(&mut self) {
        self.forget_picture();
        self.document.forget();
    }

    /// As [`Vision::forget`], but for the template of one document's portrait.
    pub fn forget_but_portrait(&mut self, number: &Secret) {
        let mut portraits = std::mem::take(&mut self.portraits);
        portraits.keep_only(number);
        self.forget();
        self.portraits = portraits;
    }

    /// Wipes templates and pictures: the next picture has nothing to do with those before.
    pub fn forget_picture(&mut self) {
        self.portraits = PortraitMemory::default();
        self.reference = None;
        self.face.forget();
        self.document.forget_document();
        self.codes.forget();
    }
}

/// Finds the portrait on a rectified page with the face nets.
#[derive(Debug)]
pub struct Portraits<'a>(pub &'a mut FacePipeline);

impl PortraitFinder for Portraits<'_> {
    type Template = Template;

    fn find(&mut self, page: FrameView<'_>, px_per_mm: f32) -> Option<FoundPortrait<Template>> {
        // A net that fails here fails on the next face frame too, where it is reported.
        let face = self.0.portrait(&page, px_per_mm).ok()??;
        let eyes: [Point; 2] = [face.five_points[0], face.five_points[1]];
        let template = self.0.template(&page, &face.five_points).ok().flatten();
        Some(FoundPortrait {
            bounds: face.bounds,
            eyes,
            detection_score: face.detection_score,
            quality: portrait_quality(&face),
            template,
        })
    }
}

/// How well a printed portrait shows a face, 0..=1: both nets' certainty that it is one, and the components of ISO/IEC 29794-5
/// that light, glare and focus of the booth can spoil; one that cannot be assessed speaks against the frame. Pose and expression are the same in all frames of a document.
fn portrait_quality(face: &PrimaryFace) -> f32 {
    use QualityComponent as Q;
    [
        Q::LuminanceMean,
        Q::DynamicRange,
        Q::UnderExposurePrevention,
        Q::OverExposurePrevention,
        Q::Sharpness,
    ]
    .into_iter()
    .map(|q| f32::from(face.quality.get(q).scalar().unwrap_or(0)) / 100.0)
    .product::<f32>()
        * face.detection_score
        * face.presence.clamp(0.0, 1.0)
}

/// Linear luminance (0..=1) of `ACROSS` times `DOWN` equal parts of the frame, row by row, from every eighth pixel of every eighth row.
pub fn linear_tiles<const ACROSS: usize, const DOWN: usize, const N: usize>(
    frame: &FrameView<'_>,
) -> [f32; N] {
    const { assert!(ACROSS * DOWN == N) };
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let table = linear_table();
    let (mut sums, mut counts) = ([0.0f32; N], [0u32; N]);
    for y in (4..height).step_by(8) {
        let row = frame.row(y as u32);
        for x in (4..width).step_by(8) {
            let v = match frame.format() {
                PixelFormat::Yuyv => row[x * 2],
                PixelFormat::Grey8 => row[x],
                PixelFormat::Rgb8 => luminance([row[x * 3], row[x * 3 + 1], row[x * 3 + 2]]),
            };
            let tile = y * DOWN / height * ACROSS + x * ACROSS / width;
            sums[tile] += table[usize::from(v)];
            counts[tile] += 1;
        }
    }
    std::array::from_fn(|i| sums[i] / counts[i].max(1) as f32)
}

/// Brightness of the whole frame, from every sixteenth pixel of every sixteenth row.
pub fn scene_light(frame: &FrameView<'_>) -> SceneLight {
    let (mut sum, mut bright, mut dark, mut n) = (0u64, 0u32, 0u32, 0u32);
    let (mut centre_sum, mut centre_n) = (0u64, 0u32);
    let (width, height) = (frame.width() as usize, frame.height());
    let (across, down) = (width / 4..width * 3 / 4, height / 4..height * 3 / 4);
    for y in (8..frame.height()).step_by(16) {
        let row = frame.row(y);
        for x in (8..frame.width() as usize).step_by(16) {
            let v = match frame.format() {
                PixelFormat::Yuyv => row[x * 2],
                PixelFormat::Grey8 => row[x],
                PixelFormat::Rgb8 => luminance([row[x * 3], row[x * 3 + 1], row[x * 3 + 2]]),
            };
            sum += u64::from(v);
            if across.contains(&x) && down.contains(&y) {
                centre_sum += u64::from(v);
                centre_n += 1;
            }
            bright += u32::from(v >= 247);
            dark += u32::from(v <= 25);
            n += 1;
        }
    }
    if n == 0 {
        return SceneLight::default();
    }
    let share = |k: u32| k as f32 / n as f32;
    let mean = sum as f32 / n as f32 / 255.0;
    let centre = if centre_n == 0 {
        mean
    } else {
        centre_sum as f32 / centre_n as f32 / 255.0
    };
    SceneLight {
        mean,
        centre,
        bright_share: share(bright),
        dark_share: share(dark),
    }
}
