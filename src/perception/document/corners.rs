//! Corners of the document: a net gives heat maps, edges in the picture make them exact.

mod heat;
mod snap;

use super::measures;
use super::net::{ModelNet, Net};
use super::rectify;
use super::stages::{Stage, stage};
use crate::base::frame::FrameView;
use crate::base::geometry::{Point, Quad};
use crate::models::{Catalogue, ModelError, ModelTask};
use heat::Peak;
use zeroize::Zeroize;

/// Side of the net's input, which the whole frame is stretched to.
const INPUT_SIDE: usize = 192;
/// Samples averaged for one pixel of the input, in each direction.
const SUB: usize = 4;
/// Classes: TD3, TD2, TD1 with the zone, TD1 without, Chinese identity card, none.
const N_CLASSES: usize = 6;
/// The class of frames without a document.
const NO_DOCUMENT: usize = 5;
/// A quadrilateral with an angle that deviates by more than this is no document, whatever the net says.
const LARGEST_TILT_DEGREES: f32 = 50.0;
/// Shortest side, as a share of the frame's width.
const SHORTEST_SIDE: f32 = 0.04;

/// So many degrees of tilt less are worth a second peak that is less likely than the first by a factor of e.
const DEGREES_PER_LOG: f32 = 4.0;

/// A document in a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FoundCorners {
    /// Its corners in pixels of the frame, from the one that lies upper left in the frame, clockwise.
    pub corners: Quad,
    /// Share of probability near the weakest corner's peak, times the probability that there is a document; 0..=1.
    pub confidence: f32,
    /// How many sides were moved onto an edge of the picture, 0..=4.
    pub n_sides_snapped: usize,
}

/// Finds the corners of a document; keeps its buffers.
pub struct CornerFinder {
    net: Box<dyn Net>,
    pixels: Vec<u8>,
    input: Vec<f32>,
    heat: Vec<f32>,
    classes: [f32; N_CLASSES],
}

impl std::fmt::Debug for CornerFinder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CornerFinder({:?})", self.net)
    }
}

impl CornerFinder {
    /// A finder on the model of the catalogue.
    ///
    /// # Errors
    /// [`ModelError`] if the model cannot be loaded.
    pub fn load(catalogue: &Catalogue) -> Result<Self, ModelError> {
        let net = ModelNet::load(
            catalogue,
            ModelTask::DocumentCorners,
            INPUT_SIDE * INPUT_SIDE * 3,
            &[&[heat::SIDE, heat::SIDE, 4], &[N_CLASSES]],
        )?;
        Ok(Self::new(Box::new(net)))
    }

    /// A finder on the net of corners: `[1, 192, 192, 3]` R, G, B in -1..=1 to heat maps `[1, 48, 48, 4]` and classes `[1, 6]`.
    pub fn new(net: Box<dyn Net>) -> Self {
        let n_values = INPUT_SIDE * INPUT_SIDE * 3;
        Self {
            net,
            pixels: vec![0; n_values],
            input: vec![0.0; n_values],
            heat: vec![0.0; heat::SIDE * heat::SIDE * 4],
            classes: [0.0; N_CLASSES],
        }
    }

    /// Looks for one document in `frame`. `None` if what the net gives cannot be one.
    ///
    /// # Errors
    /// [`ModelError`] if the net could not be run.
    pub fn find(&mut self, frame: &FrameView<'_>) -> Result<Option<FoundCorners>, ModelError> {
        stage(Stage::Corners, || self.look(frame))
    }

    fn look(&mut self, frame: &FrameView<'_>) -> Result<Option<FoundCorners>, ModelError> {
        rectify::stretch(frame, (INPUT_SIDE, INPUT_SIDE), SUB, &mut self.pixels);
        for (i, p) in self.input.iter_mut().zip(&self.pixels) {
            *i = f32::from(*p) / 127.5 - 1.0;
        }
        self.net
            .run(&self.input, &mut [&mut self.heat, &mut self.classes])?;
        let (width, height) = (frame.width() as f32, frame.height() as f32);
        let (rough, weakest) = choose(&heat::decode(&self.heat), width, height);
        if !is_plausible(&rough, width) {
            return Ok(None);
        }
        let (snapped, n_moved) = snap::snap(frame, &rough);
        let (corners, n_sides_snapped) = if is_plausible(&snapped, width) {
            (snapped, n_moved)
        } else {
            (rough, 0)
        };
        let probabilities: [f32; N_CLASSES] = heat::softmax(&self.classes);
        Ok(Some(FoundCorners {
            corners,
            confidence: weakest * (1.0 - probabilities[NO_DOCUMENT]),
            n_sides_snapped,
        }))
    }

    /// Wipes the pixels of the last frame.
    pub fn forget(&mut self) {
        self.pixels.as_mut_slice().zeroize();
        self.input.as_mut_slice().zeroize();
        self.heat.as_mut_slice().zeroize();
    }
}

impl Drop for CornerFinder {
    fn drop(&mut self) {
        self.forget();
    }
}

/// The quadrilateral of the highest peaks in pixels of a frame, and the mass of its weakest corner. What lies beside a document, a sheet of
/// paper above all, draws one corner away now and then, while the right place is the map's second peak: it is taken if that
/// straightens the document more than it is less likely.
fn choose(peaks: &[[Peak; 2]; 4], width: f32, height: f32) -> (Quad, f32) {
    let of = |replaced: Option<usize>| {
        let chosen = [0, 1, 2, 3].map(|k| peaks[k][usize::from(replaced == Some(k))]);
        let quad = Quad(chosen.map(|p| Point::new(p.at.x * width, p.at.y * height)));
        // Where the second is right, what made the first is known: both count.
        let sure = |k: usize| match replaced {
            Some(r) if r == k => peaks[k][0].mass + peaks[k][1].mass,
            _ => peaks[k][0].mass,
        };
        (quad, (0..4).map(sure).fold(1.0, f32::min))
    };
    let cost = |replaced: Option<usize>| {
        let unlikely = replaced.map_or(0.0, |k| (peaks[k][0].mass / peaks[k][1].mass).ln());
        measures::tilt_degrees(&of(replaced).0) + DEGREES_PER_LOG * unlikely
    };
    let all = [None, Some(0), Some(1), Some(2), Some(3)];
    let best = all.into_iter().min_by(|a, b| cost(*a).total_cmp(&cost(*b)));
    of(best.unwrap_or_default())
}

/// Whether four points can be the corners of a document: clockwise, convex, angles and sides within reason.
fn is_plausible(quad: &Quad, frame_width: f32) -> bool {
    let shortest = (0..4)
        .map(|i| quad.0[i].distance(quad.0[(i + 1) % 4]))
        .fold(f32::MAX, f32::min);
    // Angles near 90 degrees all around make it convex and clockwise too.
    measures::tilt_degrees(quad) <= LARGEST_TILT_DEGREES && shortest >= SHORTEST_SIDE * frame_width
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::frame::{Frame, PixelFormat};

    /// Gives fixed answers: peaks at four places (in units of the frame) and a class.
    #[derive(Debug)]
    struct Oracle {
        corners: [(f32, f32); 4],
        class: usize,
    }

    impl Net for Oracle {
        fn run(&mut self, input: &[f32], outputs: &mut [&mut [f32]]) -> Result<(), ModelError> {
            assert_eq!(input.len(), 192 * 192 * 3);
            assert!(input.iter().all(|i| (-1.0..=1.0).contains(i)));
            for (i, l) in outputs[0].iter_mut().enumerate() {
                let (x, y) = self.corners[i % 4];
                let dx = (i / 4 % 48) as f32 + 0.5 - x * 48.0;
                let dy = (i / 4 / 48) as f32 + 0.5 - y * 48.0;
                *l = 14.0 - (dx * dx + dy * dy) / 3.0;
            }
            outputs[1].fill(0.0);
            outputs[1][self.class] = 9.0;
            Ok(())
        }
    }

    fn find(corners: [(f32, f32); 4], class: usize) -> Option<FoundCorners> {
        let frame = Frame::new(640, 360, PixelFormat::Yuyv);
        CornerFinder::new(Box::new(Oracle { corners, class }))
            .find(&frame.view())
            .expect("the oracle answers")
    }

    #[test]
    fn plausible_corners_are_given_in_pixels() {
        let corners = [(0.2, 0.2), (0.8, 0.22), (0.81, 0.8), (0.19, 0.79)];
        let found = find(corners, 0).expect("a document");
        for (p, (x, y)) in found.corners.0.iter().zip(corners) {
            assert!(p.distance(Point::new(x * 640.0, y * 360.0)) < 3.0, "{p:?}");
        }
        assert!(found.confidence > 0.8);
        assert_eq!(found.n_sides_snapped, 0);
        let empty = find(corners, NO_DOCUMENT).expect("corners nevertheless");
        assert!(empty.confidence < 0.01);
    }

    #[test]
    fn a_corner_that_is_drawn_away_comes_back() {
        let peak = |x, y, mass| Peak {
            at: Point::new(x, y),
            mass,
        };
        let nothing = peak(0.5, 0.5, 0.0);
        let mut peaks = [
            [peak(0.2, 0.2, 0.9), nothing],
            [peak(0.8, 0.2, 0.9), nothing],
            [peak(0.8, 0.8, 0.9), nothing],
            [peak(0.2, 0.8, 0.9), nothing],
        ];
        let straight = choose(&peaks, 100.0, 100.0);
        assert_eq!(straight.1, 0.9);
        // What lies to the right is taken for the corner, which is half as likely where it is.
        peaks[1] = [peak(0.99, 0.2, 0.625), peak(0.8, 0.2, 0.275)];
        assert_eq!(choose(&peaks, 100.0, 100.0), (straight.0, 0.9));
        // Hardly likely: the document is as it seems.
        peaks[1][1].mass = 0.002;
        assert_eq!(choose(&peaks, 100.0, 100.0).1, 0.625);
    }

    #[test]
    fn impossible_corners_are_no_document() {
        for corners in [
            // Twisted, counter-clockwise, a point, a needle.
            [(0.2, 0.2), (0.8, 0.8), (0.8, 0.2), (0.2, 0.8)],
            [(0.2, 0.2), (0.2, 0.8), (0.8, 0.8), (0.8, 0.2)],
            [(0.5, 0.5); 4],
            [(0.2, 0.5), (0.8, 0.5), (0.8, 0.52), (0.2, 0.52)],
        ] {
            assert_eq!(find(corners, 0), None, "{corners:?}");
        }
    }
}
