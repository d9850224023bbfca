//! What the document room asks of the face room: the portrait on a rectified page.

use crate::base::frame::FrameView;
use crate::base::geometry::{Point, Rect};

/// A portrait on a page, in pixels of the page.
#[derive(Clone, Debug)]
pub struct FoundPortrait<T> {
    /// Box of the detector.
    pub bounds: Rect,
    /// The middles of both eyes.
    pub eyes: [Point; 2],
    /// The detector's score, 0..=1.
    pub detection_score: f32,
    /// How well it shows a face, 0..=1: comparable between frames of one document.
    pub quality: f32,
    /// The template, if one could be made. Wipes itself when dropped.
    pub template: Option<T>,
}

/// Finds the portrait on a page.
pub trait PortraitFinder {
    /// A template, which wipes itself when dropped.
    type Template;

    /// The portrait on `page`, a rectified document in colours of which `px_per_mm` pixels are a millimetre.
    fn find(
        &mut self,
        page: FrameView<'_>,
        px_per_mm: f32,
    ) -> Option<FoundPortrait<Self::Template>>;
}
