//! What reads print other than a machine readable zone, and when it is asked.

use crate::base::frame::FrameView;
use crate::base::geometry::Quad;
use crate::models::{Catalogue, ModelError};
use crate::perception::document::mrz::Mrz;
use crate::perception::document::mrz_lines::{MrzReader, PAGE_WIDTH};
use crate::perception::document::page::Page;
use crate::perception::document::prc::{PrcReader, ReadSide, Tools};
use crate::perception::document::printed::{PrintedReader, Readers};
use crate::perception::document::rectify::DocumentSize;
use crate::perception::document::text::{TextFinder, TextReader};
use crate::perception::observation::PrintedChecks;

/// Ratios of width to height in a frame that an ID-1 card of 1.59 can have when it is tilted.
const CARD_ASPECTS: std::ops::RangeInclusive<f32> = 1.2..=2.1;

/// One of the ways in which a side of a resident identity card is looked for.
pub(super) type ReadPrc =
    fn(&mut PrcReader, &mut Page, &mut Tools<'_, '_>) -> Result<Option<ReadSide>, ModelError>;

/// Finder and reader of print, and what is read with them.
#[derive(Debug)]
pub struct Texts {
    finder: TextFinder,
    reader: TextReader,
    prc: PrcReader,
    printed: PrintedReader,
}

impl Texts {
    /// Finder and reader on the models of the catalogue.
    ///
    /// # Errors
    /// [`ModelError`] if one of the two models cannot be loaded.
    pub fn load(catalogue: &Catalogue) -> Result<Self, ModelError> {
        let reader = TextReader::load(catalogue)?;
        Ok(Self {
            finder: TextFinder::load(catalogue)?,
            prc: PrcReader::new(&reader),
            printed: PrintedReader::default(),
            reader,
        })
    }

    /// Looks for a side of a resident identity card with `read`, if what is in the frame can have its shape. `page` comes to
    /// have the height of a card; if there is none on it, it is as it was.
    pub(super) fn prc(
        &mut self,
        frame: &FrameView<'_>,
        corners: &Quad,
        page: &mut Page,
        lines: &mut MrzReader,
        read: ReadPrc,
    ) -> Result<Option<ReadSide>, ModelError> {
        if !CARD_ASPECTS.contains(&(corners.width() / corners.height().max(1.0))) {
            return Ok(None);
        }
        let height = DocumentSize::Id1.height_for(PAGE_WIDTH);
        let was = page.height();
        if was != height && !page.take(frame, corners, height) {
            return Ok(None);
        }
        let mut tools = Tools {
            frame,
            lines,
            finder: &mut self.finder,
            reader: &mut self.reader,
        };
        let side = read(&mut self.prc, page, &mut tools)?;
        if side.is_none() && was != height {
            page.take(frame, corners, was);
        }
        Ok(side)
    }

    /// The printed fields of the document with the zone `mrz`, whose corners in the frame are as it reads. `page` is used.
    pub(super) fn printed(
        &mut self,
        frame: &FrameView<'_>,
        corners: &Quad,
        page: &mut Page,
        lines: &mut MrzReader,
        mrz: &Mrz,
    ) -> Result<PrintedChecks, ModelError> {
        let height = DocumentSize::of_format(mrz.format).height_for(PAGE_WIDTH);
        if self.printed.wants(mrz) && page.take(frame, corners, height) {
            let mut readers = Readers {
                frame,
                fast: lines,
                finder: &mut self.finder,
                all: &mut self.reader,
            };
            self.printed.look(page, mrz, &mut readers)?;
        }
        Ok(self.printed.checks())
    }

    /// Wipes what was derived from pixels.
    pub(super) fn forget(&mut self) {
        self.finder.forget();
        self.reader.forget();
        self.prc.forget();
        self.printed.forget();
    }
}
