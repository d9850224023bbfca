//! The stages, each run on its own and as part of the whole, in turns.

use super::frames::Frames;
use super::sheet::Sheet;
use anyhow::{Context as _, ensure};
use boothd::base::frame::FrameView;
use boothd::models::{Catalogue, Interpreter, ModelError, ModelTask};
use boothd::perception::code::{CodeReader, CodeReading};
use boothd::perception::document::corners::CornerFinder;
use boothd::perception::document::limits::DocumentLimits;
use boothd::perception::document::mrz_lines::{MrzReader, PAGE_WIDTH, ZoneReading};
use boothd::perception::document::net::{ModelNet, Net};
use boothd::perception::document::page::Page;
use boothd::perception::document::rectify::{self, DocumentSize};
use boothd::perception::face::detector::FaceDetector;
use boothd::perception::face::embedding::Embedder;
use boothd::perception::face::landmarks::LandmarkFinder;
use boothd::perception::face::pose::head_pose;
use boothd::perception::observation::LitFrom;
use boothd::perception::pad::AttackDetector;
use boothd::perception::quality::assess::assess;
use boothd::perception::vision::Vision;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

/// Rounds that are not counted.
const N_WARM_UP: usize = 12;
/// Rounds of the stages of a face.
const N_ROUNDS: usize = 200;
/// The stages that take long run in every so many rounds.
const SELDOM: usize = 5;

pub(crate) const BARE_DETECTOR: &str = "bare interpreter: face detector";
pub(crate) const BARE_LANDMARKS: &str = "bare interpreter: face landmarks";
pub(crate) const BARE_PAD: &str = "bare interpreter: face attack detection";
pub(crate) const BARE_EMBEDDING: &str = "bare interpreter: face embedding";
pub(crate) const FACE_PATH: &str = "WHOLE FACE PATH, COMPARED: Vision::face";
pub(crate) const FACE_FRAME: &str = "FACE FRAME, NOT COMPARED: FacePipeline::analyse";

/// The net of lines with a counter: how many lines a zone took.
#[derive(Debug)]
struct CountingNet(ModelNet, Arc<AtomicU32>);

impl Net for CountingNet {
    fn run(&mut self, input: &[f32], outputs: &mut [&mut [f32]]) -> Result<(), ModelError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.run(input, outputs)
    }
}

/// Everything that is measured, on one number of threads.
pub(crate) struct Bench {
    vision: Vision,
    detector: FaceDetector,
    landmarks: LandmarkFinder,
    attacks: AttackDetector,
    embedder: Embedder,
    corners: CornerFinder,
    bare_corners: Interpreter,
    bare_line: Interpreter,
    mrz: MrzReader,
    n_lines: Arc<AtomicU32>,
    codes: CodeReader,
}

impl Bench {
    /// Loads the models: once as the service has them, and once more for the stages by themselves.
    pub(crate) fn load(catalogue: &Catalogue) -> anyhow::Result<Self> {
        let n_lines = Arc::new(AtomicU32::new(0));
        let line_net =
            ModelNet::load(catalogue, ModelTask::MrzLineReader, 576 * 32, &[&[144, 38]])?;
        let line_net = CountingNet(line_net, Arc::clone(&n_lines));
        Ok(Self {
            vision: Vision::load(catalogue, DocumentLimits::default())?,
            detector: FaceDetector::new(catalogue.load(ModelTask::FaceDetector)?)?,
            landmarks: LandmarkFinder::new(catalogue.load(ModelTask::FaceLandmarks)?)?,
            attacks: AttackDetector::new(catalogue.load(ModelTask::FacePad)?)?,
            embedder: Embedder::new(catalogue.load(ModelTask::FaceEmbedding)?)?,
            corners: CornerFinder::load(catalogue)?,
            bare_corners: catalogue.load(ModelTask::DocumentCorners)?,
            bare_line: catalogue.load(ModelTask::MrzLineReader)?,
            mrz: MrzReader::new(Box::new(line_net)),
            n_lines,
            codes: CodeReader::new(),
        })
    }

    /// Runs all stages in turns, so that what else the machine does meets all of them alike.
    pub(crate) fn run(&mut self, frames: &mut Frames) -> anyhow::Result<Sheet> {
        let mut sheet = Sheet::default();
        self.prepare(frames)?;
        for round in 0..N_WARM_UP + N_ROUNDS {
            sheet.warm = round >= N_WARM_UP;
            self.face_stages(&mut sheet, &frames.face.view())?;
            if round % SELDOM == 0 {
                self.document_stages(&mut sheet, frames)?;
                sheet.time("scene render of the virtual camera", || frames.capture())?;
            }
        }
        Ok(sheet)
    }

    /// Sets what faces are compared with, and makes sure that the frames show what they should.
    fn prepare(&mut self, frames: &Frames) -> anyhow::Result<()> {
        let face = self.vision.face(frames.face.view())?;
        let primary = face
            .primary
            .context("no face was found in the face frame")?;
        println!(
            "  face frame: {:.0} px between the eyes, presence {:.2}",
            primary.inter_eye_px, primary.presence
        );
        let template = self
            .embedder
            .template(&frames.face.view(), &primary.five_points)?
            .context("the face of the face frame gave no template")?;
        ensure!(self.vision.use_reference(&template.to_bytes()), "template");
        let document = self
            .vision
            .document(frames.document.view(), LitFrom::Both)?;
        println!(
            "  document frame: {:.2} of the picture, {}",
            document.area_share,
            match (&document.reading, document.problem) {
                (Some(r), _) => match r.mrz() {
                    Some(mrz) => format!("{:?} read", mrz.format),
                    None => "read, without a machine readable zone".to_owned(),
                },
                (None, problem) => format!("NOT READ: {problem:?}"),
            }
        );
        let none = self.vision.document(frames.face.view(), LitFrom::Both)?;
        ensure!(none.corners.is_none(), "a document in the face frame");
        let code = self.codes.read(frames.ticket.view());
        println!(
            "  ticket frame: code {}",
            match code {
                CodeReading::Read(_) => "read",
                CodeReading::Unreadable => "NOT READ (found, unreadable)",
                CodeReading::NotFound => "NOT READ (not found)",
            }
        );
        Ok(())
    }

    fn face_stages(&mut self, sheet: &mut Sheet, view: &FrameView<'_>) -> anyhow::Result<()> {
        let faces = self.vision.face_pipeline();
        sheet.time(BARE_DETECTOR, || faces.invoke_bare(ModelTask::FaceDetector))?;
        sheet.time(BARE_LANDMARKS, || {
            faces.invoke_bare(ModelTask::FaceLandmarks)
        })?;
        let seen = sheet.time(FACE_FRAME, || faces.analyse(view))?;
        let five_points = seen.primary.context("the face went away")?.five_points;
        let detector = &mut self.detector;
        let found = sheet.time("detector (sample, invoke, decode)", || {
            detector.detect(view).map(|f| f.first().copied())
        })?;
        let face = found.context("the face went away")?;
        let landmarks = &mut self.landmarks;
        sheet.time("landmarks (sample, invoke, decode)", || {
            landmarks.find(view, &face).map(|_| ())
        })?;
        let mesh = landmarks.mesh();
        sheet.time("pose, quality and photometry", || {
            let pose = head_pose(&mesh.points);
            assess(mesh, pose, view, face.bounds, 0.0)
        });
        let attacks = &mut self.attacks;
        sheet.time("attack detection (sample, invoke, softmax)", || {
            attacks
                .score(view, landmarks.mesh().points.as_slice())
                .map(|_| ())
        })?;
        let faces = self.vision.face_pipeline();
        sheet.time(BARE_PAD, || faces.invoke_bare(ModelTask::FacePad))?;
        sheet.time(BARE_EMBEDDING, || {
            faces.invoke_bare(ModelTask::FaceEmbedding)
        })?;
        let embedder = &mut self.embedder;
        sheet.time("alignment and embedding (template)", || {
            embedder.template(view, &five_points).map(|_| ())
        })?;
        let vision = &mut self.vision;
        sheet.time(FACE_PATH, || vision.face(*view).map(|_| ()))?;
        Ok(())
    }

    fn document_stages(&mut self, sheet: &mut Sheet, frames: &Frames) -> anyhow::Result<()> {
        let (empty, held) = (frames.face.view(), frames.document.view());
        let bare = &mut self.bare_corners;
        sheet.time("bare interpreter: document corners", || bare.invoke())?;
        let corners = &mut self.corners;
        let found = sheet.time("document corners", || corners.find(&held))?;
        let vision = &mut self.vision;
        sheet.time("DOCUMENT FRAME, NO DOCUMENT: Vision::document", || {
            vision.document(empty, LitFrom::Both).map(|_| ())
        })?;
        sheet.time("DOCUMENT FRAME, READ: Vision::document", || {
            vision.document(held, LitFrom::Both).map(|_| ())
        })?;
        if let Some(found) = found {
            self.zone(sheet, &held, &rectify::landscape(&found.corners))?;
        }
        let codes = &mut self.codes;
        sheet.time("QR code read", || codes.read(frames.ticket.view()));
        sheet.time("QR code looked for where there is none", || {
            codes.read(empty)
        });
        Ok(())
    }

    /// A zone from its page, and what that is for each line that the net was given.
    fn zone(
        &mut self,
        sheet: &mut Sheet,
        view: &FrameView<'_>,
        corners: &boothd::base::geometry::Quad,
    ) -> anyhow::Result<()> {
        let mut page = Page::default();
        page.take(view, corners, DocumentSize::Td3.height_for(PAGE_WIDTH));
        let bare = &mut self.bare_line;
        sheet.time("bare interpreter: MRZ line reader", || bare.invoke())?;
        self.n_lines.store(0, Ordering::Relaxed);
        let (mrz, start) = (&mut self.mrz, Instant::now());
        let reading = sheet.time("MRZ zone (lines found, cut out, read)", || {
            mrz.read(view, &page, DocumentLimits::default().min_verified_checks)
        })?;
        let ms = start.elapsed().as_secs_f64() * 1000.0;
        let n = self.n_lines.load(Ordering::Relaxed);
        if n > 0 && matches!(reading, ZoneReading::Read(_)) {
            sheet.note(
                "MRZ line (the zone's time a line that was read)",
                ms / f64::from(n),
                0,
            );
        }
        Ok(())
    }
}
