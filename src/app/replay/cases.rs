//! The cases of a folder, and what comes of them: a sub-folder is a case, a picture beside them is one of its own.

use super::gauge::{self, Gauge};
use super::json::Look;
use super::judge::{DocumentOverTime, FaceLook, Finding, Rules};
use crate::app::eye::fault_of;
use crate::base::frame::{Frame, FrameView, PixelFormat};
use crate::base::geometry::Point;
use crate::base::time::{ManualClock, Moment, SharedClock, WallTime};
use crate::hal::Camera as _;
use crate::hal::virt::replay::{self, ReplayCamera, ReplayError};
use crate::hal::watch::FrameWatch;
use crate::html;
use crate::models::ModelError;
use crate::perception::observation::{DocumentObservation, FaceObservation, LitFrom};
use crate::perception::vision::{Vision, scene_light};
use crate::session::document_problems::{self, reason_for};
use crate::session::face_problems;
use crate::session::state::DONE_SHOWN;
use crate::verdict::evidence::Measure;
use crate::verdict::reasons::Reason;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Pictures in the page are so wide at most.
const WIDEST: u32 = 320;
/// So many pictures of a recording are shown at most.
const MOST_SHOWN: usize = 12;
/// Nothing takes longer from a disk.
const PATIENCE: Duration = Duration::from_secs(10);

/// How a folder is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    /// What is looked for.
    pub(super) look: Look,
    /// Sub-folders without times are recordings of so many pictures a second; `None`: photographs.
    pub(super) frames_per_s: Option<f32>,
    /// Whether pictures are kept for the page.
    pub(super) shows: bool,
}

/// What came of a case.
#[derive(Debug)]
pub(super) struct Case {
    /// Name of the picture, or of the folder.
    pub(super) name: String,
    /// Its pictures are one recording.
    pub(super) is_recording: bool,
    pub(super) pictures: Vec<Picture>,
    /// One a photograph; one of a recording.
    pub(super) documents: Vec<Finding>,
    /// The same of faces.
    pub(super) faces: Vec<Finding>,
    /// Code of a fault that the booth would see in the camera.
    pub(super) camera: Option<&'static str>,
    /// What could not be looked at, and why.
    pub(super) errors: Vec<String>,
}

/// A picture that was looked at.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) name: String,
    /// Since the recording began.
    pub(super) at: Duration,
    pub(super) size: (u32, u32),
    pub(super) document: Option<Looked>,
    pub(super) face: Option<Looked>,
    /// A small one for the page.
    pub(super) shown: Option<String>,
}

/// What one look gave.
#[derive(Clone, Debug, Default)]
pub(super) struct Looked {
    /// There is one.
    pub(super) is_found: bool,
    /// The document was read; nothing stands in the way of comparing the face.
    pub(super) is_good: bool,
    /// What stands in the way in this picture.
    pub(super) code: Option<Reason>,
    pub(super) measures: Vec<Measure>,
    /// Corners of the document or of the face's box, pixels.
    pub(super) outline: Vec<Point>,
}

impl Picture {
    fn measure(&self, name: &str) -> Option<&Measure> {
        let looks = [self.document.as_ref(), self.face.as_ref()];
        let all = looks.into_iter().flatten().flat_map(|l| &l.measures);
        all.into_iter().find(|m| m.name == name)
    }
}

impl Looked {
    fn of_document(seen: &DocumentObservation, rules: &Rules) -> Self {
        let is_found = seen.corners.is_some();
        Self {
            is_found,
            is_good: seen.reading.is_some(),
            code: seen.problem.map(reason_for),
            measures: if is_found {
                document_problems::measures(seen, &rules.limits)
            } else {
                Vec::new()
            },
            outline: seen.corners.map_or(Vec::new(), |q| q.0.to_vec()),
        }
    }

    fn of_face(look: &FaceLook, rules: &Rules) -> Self {
        let problem = rules.face_problem(look);
        let mut looked = Self {
            is_good: problem.is_none(),
            code: problem.map(|p| p.reason),
            ..Self::default()
        };
        let Some(face) = look.seen.primary.as_ref().filter(|f| f.is_certain()) else {
            return looked;
        };
        looked.is_found = true;
        looked.measures = face_problems::measures(face, &rules.policy.face);
        let scores = [
            ("pad_score", face.pad_score, rules.pad.score),
            (
                "comparison_score",
                face.comparison_score,
                rules.threshold.score,
            ),
        ];
        for (name, score, limit) in scores {
            looked.measures.extend(score.map(|score| Measure {
                name,
                value: score.into(),
                limit,
                unit: "score",
            }));
        }
        let b = face.bounds;
        looked.outline = [(0.0, 0.0), (b.w, 0.0), (b.w, b.h), (0.0, b.h)]
            .map(|(x, y)| Point::new(b.x + x, b.y + y))
            .to_vec();
        looked
    }
}

impl Case {
    fn new(name: String, is_recording: bool) -> Self {
        Self {
            name,
            is_recording,
            pictures: Vec::new(),
            documents: Vec::new(),
            faces: Vec::new(),
            camera: None,
            errors: Vec::new(),
        }
    }

    /// Values of a measure over the pictures in which it was measured, with its limit.
    pub(super) fn values(&self, gauge: &Gauge) -> Vec<(&Picture, &Measure)> {
        let pictures = self.pictures.iter();
        pictures
            .filter_map(|p| p.measure(gauge.name).map(|m| (p, m)))
            .collect()
    }

    /// The middle value of a measure, with its limit.
    pub(super) fn median(&self, gauge: &Gauge) -> Option<Measure> {
        let all = self.values(gauge);
        let value = gauge::median(all.iter().map(|(_, m)| m.value).collect())?;
        let (_, first) = all.first()?;
        Some(Measure {
            value,
            ..(*first).clone()
        })
    }
}

/// Looks at cases, one after the other.
#[derive(Debug)]
pub(super) struct Looker<'a> {
    pub(super) vision: &'a mut Vision,
    pub(super) rules: &'a Rules,
    pub(super) manner: Manner,
}

/// Where a case is.
#[derive(Debug)]
enum Source {
    /// Pictures side by side, each a case.
    Pictures(PathBuf),
    /// A folder that is one case.
    Folder(PathBuf),
}

impl Looker<'_> {
    /// Looks at all cases of a folder.
    ///
    /// # Errors
    /// If there is no case in the folder, or a net cannot be run. What is wrong with one case stands in the case.
    pub(super) fn folder(&mut self, folder: &Path) -> anyhow::Result<Vec<Case>> {
        let mut cases = Vec::new();
        for source in sources(folder, self.manner)? {
            match source {
                Source::Pictures(path) => cases.extend(self.pictures(&path)?),
                Source::Folder(path) => cases.push(self.case(&path)?),
            }
        }
        Ok(cases)
    }

    fn open(&self, folder: &Path) -> Result<ReplayCamera, ReplayError> {
        // Pictures come with the times that they have in the recording.
        let clock: SharedClock = Arc::new(ManualClock::new(Moment::ZERO, WallTime(0)));
        replay::open_stills(folder, self.manner.frames_per_s.unwrap_or(1.0), &clock)
    }

    /// Each picture of a folder as a case of its own.
    fn pictures(&mut self, folder: &Path) -> anyhow::Result<Vec<Case>> {
        let mut camera = self.open(folder)?;
        let mut cases = Vec::new();
        for name in camera.names() {
            let mut case = Case::new(name.clone(), false);
            self.photograph(&mut case, name, &mut camera)?;
            cases.push(case);
        }
        Ok(cases)
    }

    /// A folder that is one case.
    fn case(&mut self, folder: &Path) -> Result<Case, ModelError> {
        let is_recording = is_recording(folder, self.manner);
        let mut case = Case::new(name_of(folder), is_recording);
        match self.open(folder) {
            Err(error) => case.errors.push(error.to_string()),
            Ok(mut camera) if is_recording => self.recording(&mut case, &mut camera)?,
            Ok(mut camera) => {
                for name in camera.names() {
                    self.photograph(&mut case, name, &mut camera)?;
                }
            }
        }
        Ok(case)
    }

    fn photograph(
        &mut self,
        case: &mut Case,
        name: String,
        camera: &mut ReplayCamera,
    ) -> Result<(), ModelError> {
        let mut frame = Frame::new(2, 2, PixelFormat::Rgb8);
        if let Err(fault) = camera.capture(&mut frame, PATIENCE) {
            case.errors.push(fault.to_string());
            return Ok(());
        }
        let view = frame.view();
        let document = self.document(view)?;
        let face = self.face(view)?;
        case.documents
            .extend(document.as_ref().map(|seen| self.rules.document(seen)));
        case.faces
            .extend(face.as_ref().map(|look| self.rules.face(look)));
        case.pictures.push(self.picture(
            name,
            Duration::ZERO,
            view,
            document.as_ref(),
            face.as_ref(),
        ));
        self.vision.forget_picture();
        if self.manner.shows
            && let Some(picture) = case.pictures.last_mut()
        {
            picture.shown = shown(&frame);
        }
        Ok(())
    }

    /// The document step begins with the first picture, the face step after the document was read; if none was, with the first picture,
    /// too. A fault of the camera ends it all, as in the booth.
    fn recording(&mut self, case: &mut Case, camera: &mut ReplayCamera) -> Result<(), ModelError> {
        let mut frame = Frame::new(2, 2, PixelFormat::Rgb8);
        let mut watch = FrameWatch::default();
        watch.note_serving(true);
        let mut began = None;
        let mut step = None;
        let mut read_at = None;
        let mut faces: Vec<FaceLook> = Vec::new();
        for name in camera.names() {
            if let Err(fault) = camera.capture(&mut frame, PATIENCE) {
                case.errors.push(fault.to_string());
                continue;
            }
            let (view, at) = (frame.view(), frame.meta.captured);
            let since = at.since(*began.get_or_insert(at));
            // Whether the ring was on is not known of a recording; in a session it is.
            if let Some(kind) = watch.judge(&view, true) {
                case.camera = Some(fault_of(kind, &case.name).code());
                break;
            }
            if watch.is_stale() {
                continue;
            }
            let document = if case.documents.is_empty() {
                self.document(view)?
            } else {
                None
            };
            if let Some(seen) = &document {
                let step = step.get_or_insert_with(|| DocumentOverTime::new(self.rules, at));
                if let Some((finding, read)) = step.see(seen, at) {
                    case.documents.push(finding);
                    if let Some(read) = read {
                        self.vision.use_portrait(&read.number());
                        read_at = Some(at);
                    }
                }
            }
            let face = self.face(view)?;
            let mut picture = self.picture(name, since, view, document.as_ref(), face.as_ref());
            faces.extend(face);
            if self.manner.shows && is_news(case, &picture) {
                picture.shown = shown(&frame);
            }
            case.pictures.push(picture);
        }
        self.vision.forget_picture();
        if case.camera.is_some() {
            return Ok(());
        }
        if let Some(step) = step.filter(|_| case.documents.is_empty()) {
            let (finding, _) = step.end();
            case.documents.push(finding);
        }
        let from = read_at.map_or(Moment::ZERO, |at| at.plus(DONE_SHOWN));
        faces.retain(|look| look.at >= from);
        case.faces
            .extend(self.rules.face_over_time(&faces, read_at.is_some()));
        Ok(())
    }

    fn document(&mut self, view: FrameView<'_>) -> Result<Option<DocumentObservation>, ModelError> {
        match self.manner.look {
            Look::Face => Ok(None),
            _ => self.vision.document(view, LitFrom::Both).map(Some),
        }
    }

    fn face(&mut self, view: FrameView<'_>) -> Result<Option<FaceLook>, ModelError> {
        if self.manner.look == Look::Document {
            return Ok(None);
        }
        let seen: FaceObservation = self.vision.face(view)?;
        Ok(Some(FaceLook {
            at: view.meta.captured,
            size: (view.width(), view.height()),
            scene: scene_light(&view),
            seen,
        }))
    }

    fn picture(
        &self,
        name: String,
        at: Duration,
        view: FrameView<'_>,
        document: Option<&DocumentObservation>,
        face: Option<&FaceLook>,
    ) -> Picture {
        Picture {
            name,
            at,
            size: (view.width(), view.height()),
            document: document.map(|seen| Looked::of_document(seen, self.rules)),
            face: face.map(|look| Looked::of_face(look, self.rules)),
            shown: None,
        }
    }
}

/// Whether a picture of a recording says something else than the one before.
fn is_news(case: &Case, picture: &Picture) -> bool {
    let code = |look: &Option<Looked>| look.as_ref().map(|l| l.code);
    let shown = case.pictures.iter().filter(|p| p.shown.is_some()).count();
    let before = case.pictures.last();
    let is_same = |p: &Picture| {
        code(&p.document) == code(&picture.document) && code(&p.face) == code(&picture.face)
    };
    shown < MOST_SHOWN && before.is_none_or(|p| !is_same(p))
}

/// A frame as a small picture; `None` if it cannot be encoded.
fn shown(frame: &Frame) -> Option<String> {
    let view = frame.view();
    let (width, height) = (view.width(), view.height());
    let picture = image::RgbImage::from_raw(width, height, frame.data().to_vec())?;
    html::picture(&picture, WIDEST).ok()
}

fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(
        || path.display().to_string(),
        |n| n.to_string_lossy().into_owned(),
    )
}

fn is_recording(folder: &Path, manner: Manner) -> bool {
    manner.frames_per_s.is_some() || folder.join("times.csv").exists()
}

/// The cases of a folder in the order of their names: pictures first, then sub-folders.
fn sources(folder: &Path, manner: Manner) -> anyhow::Result<Vec<Source>> {
    let fail = |source| ReplayError::Read {
        path: folder.to_owned(),
        source,
    };
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    folders.sort();
    let own = folder.to_owned();
    let first = match replay::pictures(folder)?.is_empty() {
        true if !folder.join("times.csv").exists() => None,
        // Pictures that belong together.
        _ if is_recording(folder, manner) => Some(Source::Folder(own)),
        _ => Some(Source::Pictures(own)),
    };
    let sources: Vec<Source> = first
        .into_iter()
        .chain(folders.into_iter().map(Source::Folder))
        .collect();
    if sources.is_empty() {
        return Err(ReplayError::Empty {
            path: folder.to_owned(),
        }
        .into());
    }
    Ok(sources)
}
