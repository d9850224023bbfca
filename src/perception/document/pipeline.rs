//! From a frame to a [`DocumentObservation`].
//!
//! ```text
//! frame -> corners -> level page of 640 pixels -> measures -> limits --problem--> observation
//!                                                            | none
//!                                                            v
//!             shaped like a card: number of a PRC card where its front has it --yes--> its fields -> portrait
//!                                                            | no
//!             shaped like a card, and no zone at first sight: term of validity where the back of a PRC card has it --yes--> its fields
//!                                                            | no
//!                                                            v
//!             zone (strips cut from the frame) -> format, up and down -> page in colours -> portrait -> printed fields
//!                                                            | none
//!                                                            v
//!             not shaped like a card: the same two of a PRC card nevertheless
//! ```
//!
//! A frame lit from one side in which not everything was read is made into one picture with one that was lit from the other side
//! ([`super::two_sided`]), and that is read in the same way.
//!
//! Finding and measuring allocates nothing once the buffers have their size; reading may.

mod scan;
mod texts;

pub use texts::Texts;

use super::corners::CornerFinder;
use super::cover::{self, CoverFinder};
use super::limits::DocumentLimits;
use super::luminance;
use super::measures;
use super::mrz_lines::{MrzReader, ReadZone, ZoneReading};
use super::page::Page;
use super::portrait::{FoundPortrait, PortraitFinder};
use super::prc::{PrcReader, PrcSide, ReadSide};
use super::rectify::{self, DocumentSize};
use super::stages::{self, Stage, stage};
use super::two_sided::{Combined, TwoSided};
use super::{homography::Homography, mrz_lines::PAGE_WIDTH};
use crate::base::frame::{Frame, FrameView, PixelFormat};
use crate::base::geometry::Quad;
use crate::models::{Catalogue, ModelError};
use crate::perception::observation::{
    CombinedGlare, DocumentContent, DocumentObservation, DocumentProblem, DocumentReading, LitFrom,
    MrzReading, PortraitObservation, PrintedChecks,
};

/// Widths that the page in colours may have on which the portrait is looked for: that of the document in the frame, within these.
const COLOUR_PAGE_WIDTHS: (f32, f32) = (640.0, 960.0);
/// A number is looked for all over the page in one of so many frames in which nothing stood where it should.
const SEARCH_EVERY: u32 = 3;

/// Looks for a document in frame after frame. `T` is the portrait's template, which wipes itself when dropped.
pub struct DocumentPipeline<T> {
    corner_finder: CornerFinder,
    mrz_reader: MrzReader,
    texts: Option<Texts>,
    /// Where `texts` come from when they are needed; they take some 40 MB, which a booth without a person has better use for.
    texts_from: Option<Catalogue>,
    limits: DocumentLimits,
    page: Page,
    colour_page: Frame,
    cover: CoverFinder,
    /// Pictures lit from one side, from the first of a session on; taken while what they make is read.
    two_sided: Option<TwoSided>,
    /// Luminance of the last frame in colours.
    grey: Option<Frame>,
    before: Option<Quad>,
    /// Frames since the session began that passed the limits and in which nothing stood where it should.
    n_unread: u32,
    /// The last document that was read was a side of a resident identity card.
    was_prc: bool,
    portrait_template: Option<T>,
}

impl<T> std::fmt::Debug for DocumentPipeline<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DocumentPipeline")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl<T> DocumentPipeline<T> {
    /// A pipeline on the models of the catalogue. The two nets for print are loaded here to see that they can be, let go, and
    /// loaded again when a document is there to be read; [`Self::forget`] lets them go.
    ///
    /// # Errors
    /// [`ModelError`] if one of the models cannot be loaded.
    pub fn new(catalogue: &Catalogue, limits: DocumentLimits) -> Result<Self, ModelError> {
        drop(Texts::load(catalogue)?);
        let (corners, lines) = (CornerFinder::load(catalogue)?, MrzReader::load(catalogue)?);
        let mut pipeline = Self::on(corners, lines, None, limits);
        pipeline.texts_from = Some(catalogue.clone());
        Ok(pipeline)
    }

    /// A pipeline on finder and readers of the caller's choice. Without `texts` it reads machine readable zones only.
    pub fn on(
        corner_finder: CornerFinder,
        mrz_reader: MrzReader,
        texts: Option<Texts>,
        limits: DocumentLimits,
    ) -> Self {
        Self {
            corner_finder,
            mrz_reader,
            texts,
            texts_from: None,
            limits,
            page: Page::default(),
            colour_page: Frame::new(2, 2, PixelFormat::Rgb8),
            cover: CoverFinder::default(),
            two_sided: None,
            grey: None,
            before: None,
            n_unread: 0,
            was_prc: false,
            portrait_template: None,
        }
    }

    /// Corners of what looks like a document in `frame`, and nothing else.
    ///
    /// # Errors
    /// [`ModelError`] if the net could not be run.
    pub fn locate(&mut self, frame: &FrameView<'_>) -> Result<Option<Quad>, ModelError> {
        let found = self.corner_finder.find(frame)?;
        let found = found.filter(|f| f.confidence >= self.limits.min_confidence);
        Ok(found.map(|f| f.corners))
    }

    /// Measures the document in `frame`, which was lit from `lit`, and reads it if nothing stands in the way.
    ///
    /// # Errors
    /// [`ModelError`] if a net could not be run.
    pub fn observe(
        &mut self,
        frame: FrameView<'_>,
        lit: LitFrom,
        portraits: &mut impl PortraitFinder<Template = T>,
    ) -> Result<DocumentObservation, ModelError> {
        let grey = self.take_luminance(&frame);
        let view = grey.as_ref().map(Frame::view);
        let result = self.observe_grey((&frame, view.as_ref().unwrap_or(&frame)), lit, portraits);
        self.grey = grey;
        result
    }

    fn observe_grey(
        &mut self,
        (frame, grey): (&FrameView<'_>, &FrameView<'_>),
        lit: LitFrom,
        portraits: &mut impl PortraitFinder<Template = T>,
    ) -> Result<DocumentObservation, ModelError> {
        let mut observation = self.measure(frame, grey)?;
        if observation.problem.is_some() {
            return Ok(observation);
        }
        let Some(corners) = observation.corners else {
            return Ok(observation);
        };
        let at_border = self
            .limits
            .may_be_cut_off(&corners, (frame.width(), frame.height()));
        self.read((frame, grey), at_border, &mut observation, portraits)?;
        let is_whole = |o: &DocumentObservation| {
            let extras = o.reading.as_ref().map(|r| r.extras());
            extras.is_some_and(|(n, all)| n == all)
        };
        if is_whole(&observation) {
            return Ok(observation);
        }
        observation.glare_hides = self.limits.is_glaring(&observation);
        if lit == LitFrom::Both {
            return Ok(observation);
        }
        let mut two_sided = self.two_sided.take().unwrap_or_default();
        let result = match two_sided.see(frame, &corners, lit) {
            Some(pair) => self.read_pair(&pair, (&corners, at_border), &mut observation, portraits),
            None => Ok(()),
        };
        self.two_sided = Some(two_sided);
        result.map(|()| observation)
    }

    /// Reads a picture that was made of two. What was read of the newer one by itself, whose document lies at `corners`, stays unless this
    /// says more.
    fn read_pair(
        &mut self,
        pair: &Combined<'_>,
        (corners, at_border): (&Quad, bool),
        observation: &mut DocumentObservation,
        portraits: &mut impl PortraitFinder<Template = T>,
    ) -> Result<(), ModelError> {
        let mut o = DocumentObservation {
            corners: Some(pair.corners),
            ..DocumentObservation::default()
        };
        self.take_page(&pair.grey, &pair.corners, &mut o);
        observation.combined = Some(CombinedGlare {
            share: o.glare_share,
            zone_share: o.zone_glare_share,
        });
        let template = self.portrait_template.take();
        self.read((&pair.page, &pair.grey), at_border, &mut o, portraits)?;
        let extras = |o: &DocumentObservation| o.reading.as_ref().map(|r| r.extras().0);
        if extras(&o) <= extras(observation) {
            self.portrait_template = template;
            return Ok(());
        }
        let half_turned = o.corners != Some(pair.corners);
        observation.corners = Some(upright(corners, half_turned));
        observation.problem = None;
        observation.reading = o.reading;
        Ok(())
    }

    /// Reads what lies at the corners of `observation`, of which the page was taken. `at_border`: a part of it may lie outside.
    fn read(
        &mut self,
        (frame, grey): (&FrameView<'_>, &FrameView<'_>),
        at_border: bool,
        observation: &mut DocumentObservation,
        portraits: &mut impl PortraitFinder<Template = T>,
    ) -> Result<(), ModelError> {
        let Some(corners) = observation.corners else {
            return Ok(());
        };
        // What the page has the shape of is looked for first; after one side of a card the other one is likely.
        let shaped = self.was_prc || self.page.height() == DocumentSize::Id1.height_for(PAGE_WIDTH);
        let mut side = None;
        // It takes long to be sure that there is no zone: at first sight it is asked only whether there are lines like one.
        let mut at_first_sight = ZoneReading::NoZone;
        let mut back_too = false;
        if shaped {
            side = self.prc(grey, &corners, PrcReader::read_front)?;
            if side.is_none() && !self.was_prc {
                at_first_sight = self.mrz_reader.read_at_once(grey, &self.page)?;
            }
            back_too = side.is_none() && at_first_sight == ZoneReading::NoZone;
            if back_too {
                side = self.prc(grey, &corners, PrcReader::read_back)?;
            }
        }
        if side.is_none() {
            let least = self.limits.min_verified_checks;
            let zone = match at_first_sight {
                read @ ZoneReading::Read(_) => read,
                _ => self.mrz_reader.read(grey, &self.page, least)?,
            };
            let problem = match zone {
                ZoneReading::NoZone => {
                    side = self.prc_at_last(grey, &corners, (shaped, back_too))?;
                    DocumentProblem::WrongSide
                }
                // These cards have no zone.
                ZoneReading::Unreadable => DocumentProblem::Unreadable,
                // The characters that are outside of the frame, or below a finger, refute the check digits.
                ZoneReading::Read(zone) if zone.mrz.checks.any_refuted() && at_border => {
                    observation.problem = Some(DocumentProblem::CutOff);
                    return Ok(());
                }
                ZoneReading::Read(zone)
                    if zone.mrz.checks.any_refuted()
                        && self.covered_share(frame, &corners) > self.limits.max_covered_share =>
                {
                    DocumentProblem::Unreadable
                }
                ZoneReading::Read(zone) => {
                    let upright = upright(&corners, zone.half_turned);
                    observation.corners = Some(upright);
                    let reading = self.reading((frame, grey), &upright, *zone, portraits)?;
                    observation.reading = Some(Box::new(reading));
                    self.was_prc = false;
                    return Ok(());
                }
            };
            if side.is_none() {
                observation.covered_share = Some(self.covered_share(frame, &corners));
                observation.problem = Some(self.limits.unread(observation, problem));
            }
        }
        if let Some(side) = side {
            let upright = upright(&corners, side.half_turned);
            observation.corners = Some(upright);
            self.was_prc = true;
            observation.reading =
                Some(Box::new(self.prc_reading(frame, &upright, side, portraits)));
        }
        Ok(())
    }

    /// The luminance of a frame in colours, out of which lines are cut many times over: it is worked out once. Frames of other layouts
    /// have it as it is wanted.
    fn take_luminance(&mut self, frame: &FrameView<'_>) -> Option<Frame> {
        if frame.format() != PixelFormat::Rgb8 {
            return None;
        }
        let (width, height) = (frame.width(), frame.height());
        let new = || Frame::new(width, height, PixelFormat::Grey8);
        let mut grey = self.grey.take().unwrap_or_else(new);
        grey.reshape(width, height, PixelFormat::Grey8);
        grey.meta = frame.meta;
        luminance::write(frame, grey.data_mut());
        Some(grey)
    }

    /// The template of the portrait of the last document that was read, if it had a usable one.
    pub fn last_portrait_template(&self) -> Option<&T> {
        self.portrait_template.as_ref()
    }

    /// Wipes pixels, drops the template and lets go of the nets for print and of the room for pictures lit from one side: the session has
    /// ended.
    pub fn forget(&mut self) {
        self.forget_document();
        self.two_sided = None;
        if self.texts_from.is_some() {
            self.texts = None;
        }
    }

    /// Wipes pixels and drops the template: what comes next has nothing to do with what was seen.
    pub fn forget_document(&mut self) {
        self.corner_finder.forget();
        self.mrz_reader.forget();
        if let Some(texts) = &mut self.texts {
            texts.forget();
        }
        self.page.forget();
        self.colour_page.wipe();
        if let Some(two_sided) = &mut self.two_sided {
            two_sided.forget();
        }
        self.grey = None;
        self.before = None;
        self.n_unread = 0;
        self.was_prc = false;
        self.portrait_template = None;
    }

    /// Loads the nets for print, if they are not there.
    fn fetch_texts(&mut self) -> Result<(), ModelError> {
        if let (None, Some(catalogue)) = (&self.texts, &self.texts_from) {
            self.texts = Some(Texts::load(catalogue)?);
        }
        Ok(())
    }

    /// Everything that can be said without reading.
    fn measure(
        &mut self,
        frame: &FrameView<'_>,
        grey: &FrameView<'_>,
    ) -> Result<DocumentObservation, ModelError> {
        let mut o = DocumentObservation::default();
        let found = self.corner_finder.find(frame)?;
        o.confidence = found.map_or(0.0, |f| f.confidence);
        if let Some(found) = found.filter(|f| f.confidence >= self.limits.min_confidence) {
            let corners = rectify::landscape(&found.corners);
            let (width, height) = (frame.width() as f32, frame.height() as f32);
            o.corners = Some(corners);
            o.area_share = (corners.signed_area() / (width * height)).clamp(0.0, 1.0);
            o.tilt_degrees = measures::tilt_degrees(&corners);
            o.motion = self.before.map(|b| measures::motion(&b, &corners));
            self.take_page(grey, &corners, &mut o);
        }
        self.before = o.corners;
        o.problem = self.limits.problem(&o, (frame.width(), frame.height()));
        Ok(o)
    }

    /// Takes the page at `corners`, and measures it.
    fn take_page(&mut self, grey: &FrameView<'_>, corners: &Quad, o: &mut DocumentObservation) {
        let size = DocumentSize::of_aspect(corners.width() / corners.height().max(1.0));
        self.page.take(grey, corners, size.height_for(PAGE_WIDTH));
        let plane = stage(Stage::Pages, || {
            measures::measure(self.page.plane(), PAGE_WIDTH as usize)
        });
        o.sharpness = plane.sharpness;
        o.glare_share = plane.glare_share;
        o.zone_glare_share = plane.zone_glare_share;
        o.luminance = plane.luminance;
    }

    /// The zone with the portrait, which is looked for on a page of the size that the zone's format has. `grey` is `frame` too,
    /// or its luminance.
    fn reading(
        &mut self,
        (frame, grey): (&FrameView<'_>, &FrameView<'_>),
        corners: &Quad,
        zone: ReadZone,
        portraits: &mut impl PortraitFinder<Template = T>,
    ) -> Result<DocumentReading, ModelError> {
        stages::zone_is_read();
        let size = DocumentSize::of_format(zone.mrz.format);
        let portrait = stage(Stage::Portrait, || {
            self.portrait(frame, corners, size, portraits)
        });
        self.fetch_texts()?;
        let printed = match &mut self.texts {
            Some(texts) => texts.printed(
                grey,
                corners,
                &mut self.page,
                &mut self.mrz_reader,
                &zone.mrz,
            )?,
            None => PrintedChecks::default(),
        };
        Ok(DocumentReading {
            content: DocumentContent::Mrz(MrzReading {
                mrz: zone.mrz,
                printed,
            }),
            confidence: zone.confidence,
            portrait,
        })
    }

    /// A side of a resident identity card with the portrait, if it is the front.
    fn prc_reading(
        &mut self,
        frame: &FrameView<'_>,
        corners: &Quad,
        read: ReadSide,
        portraits: &mut impl PortraitFinder<Template = T>,
    ) -> DocumentReading {
        let portrait = match &read.side {
            PrcSide::Front(_) => stage(Stage::Portrait, || {
                self.portrait(frame, corners, DocumentSize::Id1, portraits)
            }),
            // The template of the front, if it was shown before, stays: both sides are of one document.
            PrcSide::Back(_) => None,
        };
        DocumentReading {
            confidence: read.confidence(),
            content: DocumentContent::Prc(read.side),
            portrait,
        }
    }

    /// Looks for a side of a resident identity card where there is no machine readable zone. `done`: the front and the back that were
    /// looked for already.
    fn prc_at_last(
        &mut self,
        frame: &FrameView<'_>,
        corners: &Quad,
        done: (bool, bool),
    ) -> Result<Option<ReadSide>, ModelError> {
        let reads: [texts::ReadPrc; 2] = [PrcReader::read_front, PrcReader::read_back];
        for (read, done) in reads.into_iter().zip([done.0, done.1]) {
            if !done && let Some(side) = self.prc(frame, corners, read)? {
                return Ok(Some(side));
            }
        }
        // Slow, so not for every frame with something else in it.
        self.n_unread = self.n_unread.wrapping_add(1);
        if self.n_unread % SEARCH_EVERY == 1 {
            return self.prc(frame, corners, PrcReader::search_front);
        }
        Ok(None)
    }

    /// Looks for a side of a resident identity card with `read`, if what is in the frame can have its shape.
    fn prc(
        &mut self,
        frame: &FrameView<'_>,
        corners: &Quad,
        read: texts::ReadPrc,
    ) -> Result<Option<ReadSide>, ModelError> {
        self.fetch_texts()?;
        match &mut self.texts {
            Some(texts) => texts.prc(frame, corners, &mut self.page, &mut self.mrz_reader, read),
            None => Ok(None),
        }
    }

    /// What a finger covers of the document, as a share of it; 0 in a frame without colours.
    fn covered_share(&mut self, frame: &FrameView<'_>, corners: &Quad) -> f32 {
        let (width, page) = (cover::WIDTH, self.page.height());
        let height = (cover::WIDTH * page / PAGE_WIDTH).max(3);
        let map = Homography::from_rectangle(width as f32, height as f32, corners);
        let Some(map) = map.filter(|_| frame.format() != PixelFormat::Grey8) else {
            return 0.0;
        };
        stage(Stage::Pages, || {
            rectify::rgb(frame, &map, width, height, &mut self.colour_page);
            self.cover.share(&self.colour_page.view())
        })
    }

    /// The portrait, which is looked for on a page of the document's size.
    fn portrait(
        &mut self,
        frame: &FrameView<'_>,
        corners: &Quad,
        size: DocumentSize,
        portraits: &mut impl PortraitFinder<Template = T>,
    ) -> Option<PortraitObservation> {
        let (least, most) = COLOUR_PAGE_WIDTHS;
        let width = corners.width().clamp(least, most) as u32;
        let height = size.height_for(width);
        // Always the template of this document, never one of a document before.
        self.portrait_template = None;
        let map = Homography::from_rectangle(width as f32, height as f32, corners)?;
        rectify::rgb(frame, &map, width, height, &mut self.colour_page);
        let px_per_mm = width as f32 / size.width_mm();
        let FoundPortrait {
            bounds,
            eyes,
            detection_score,
            quality,
            template,
        } = portraits.find(self.colour_page.view(), px_per_mm)?;
        self.portrait_template = template;
        let [right, left] = eyes.map(|e| map.map(e));
        Some(PortraitObservation {
            bounds,
            inter_eye_px: right.distance(left),
            detection_score,
            quality,
        })
    }
}

/// Corners as the content reads.
fn upright(corners: &Quad, half_turned: bool) -> Quad {
    if half_turned {
        rectify::half_turned(corners)
    } else {
        *corners
    }
}

#[cfg(test)]
mod tests;
