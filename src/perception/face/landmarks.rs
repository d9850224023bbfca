//! 468 points of a face: MediaPipe's face mesh on a turned square around the detector's box.
//!
//! Recipe of the maker (Apache-2.0): square of 1.5 times the longer side of the box, box-centred, turned by the angle of the
//! eyes, 192x192; output x, y, z in pixels of that square (z: the same scale, smaller is nearer) and a logit of presence.

use super::detector::DetectedFace;
use crate::base::frame::FrameView;
use crate::base::geometry::Point;
use crate::models::{Interpreter, ModelError, PixelLut};
use crate::perception::sampling::{Affine, Target, Tile, sample};

/// Side of the input.
pub const SIDE: u32 = 192;
/// Number of points.
pub const N_POINTS: usize = 468;
/// The square is so much larger than the detector's box.
const ROI_SCALE: f32 = 1.5;

/// A landmark in pixels of the frame; `z` in the same scale, smaller is nearer to the camera.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Landmark {
    /// To the right.
    pub x: f32,
    /// Down.
    pub y: f32,
    /// Away from the camera.
    pub z: f32,
}

impl Landmark {
    /// Without the depth.
    pub fn point(self) -> Point {
        Point::new(self.x, self.y)
    }
}

/// Points of one face, with the upright tile they were found on.
#[derive(Debug)]
pub struct Mesh {
    /// The points, in the frame.
    pub points: Box<[Landmark; N_POINTS]>,
    /// The net's probability that there is a face, 0..=1 (no detector of occlusion).
    pub presence: f32,
    /// The face's square, `SIDE` pixels a side: what photometry works on.
    pub tile: Tile,
    /// From the tile to the frame.
    pub tile_to_frame: Affine,
    /// The points on the tile.
    pub on_tile: Box<[Point; N_POINTS]>,
}

/// Finds landmarks.
#[derive(Debug)]
pub struct LandmarkFinder {
    net: Interpreter,
    lut: PixelLut,
    mesh: Mesh,
    points_at: usize,
    presence_at: usize,
}

impl LandmarkFinder {
    /// A finder on a loaded net.
    ///
    /// # Errors
    /// [`ModelError::Unsuitable`] if the net has no outputs of 1404 numbers and of one.
    pub fn new(net: Interpreter) -> Result<Self, ModelError> {
        let points_at = net.output_of_shape("points", &[N_POINTS * 3], "one output of 1404")?;
        let presence_at = net.output_of_shape("presence", &[], "one output of 1")?;
        super::expect_input(&net, SIDE)?;
        let mesh = Mesh {
            points: Box::new([Landmark::default(); N_POINTS]),
            presence: 0.0,
            tile: Tile::new(SIDE, SIDE),
            tile_to_frame: Affine {
                a: 1.0,
                b: 0.0,
                c: 0.0,
                d: 0.0,
                e: 1.0,
                f: 0.0,
            },
            on_tile: Box::new([Point::default(); N_POINTS]),
        };
        Ok(Self {
            lut: net.pixel_lut(0)?,
            net,
            mesh,
            points_at,
            presence_at,
        })
    }

    /// Landmarks of a detected face.
    ///
    /// # Errors
    /// If the net cannot be run.
    pub fn find(
        &mut self,
        frame: &FrameView<'_>,
        face: &DetectedFace,
    ) -> Result<&Mesh, ModelError> {
        let [right_eye, left_eye, ..] = face.key_points;
        let angle = (left_eye.y - right_eye.y).atan2(left_eye.x - right_eye.x);
        let side = ROI_SCALE * face.bounds.w.max(face.bounds.h).max(1.0);
        let map = Affine::rotated_square(face.bounds.centre(), side, angle, SIDE);
        let tile = Some(&mut self.mesh.tile);
        let target = Target {
            width: SIDE,
            height: SIDE,
            lut: &self.lut,
            tile,
        };
        self.net
            .input(0, |tensor| sample(frame, &map, target, tensor))?;
        self.net.invoke()?;
        let mesh = &mut self.mesh;
        mesh.tile_to_frame = map;
        let step = map.step();
        self.net.output(self.points_at, |values| {
            for (i, (point, on_tile)) in mesh
                .points
                .iter_mut()
                .zip(mesh.on_tile.iter_mut())
                .enumerate()
            {
                *on_tile = Point::new(values.get(3 * i), values.get(3 * i + 1));
                let p = map.apply(*on_tile);
                *point = Landmark {
                    x: p.x,
                    y: p.y,
                    z: values.get(3 * i + 2) * step,
                };
            }
        })?;
        mesh.presence = self
            .net
            .output(self.presence_at, |v| 1.0 / (1.0 + (-v.get(0)).exp()))?;
        Ok(mesh)
    }

    /// Runs the net on what its input holds, for benchmarks.
    ///
    /// # Errors
    /// If the net cannot be run.
    pub fn invoke_bare(&mut self) -> Result<(), ModelError> {
        self.net.invoke()
    }

    /// The last face's landmarks.
    pub fn mesh(&self) -> &Mesh {
        &self.mesh
    }

    /// Wipes the last face.
    pub fn forget(&mut self) {
        self.mesh.tile.wipe();
        self.mesh.points.fill(Landmark::default());
        self.mesh.on_tile.fill(Point::default());
        self.mesh.presence = 0.0;
    }
}

/// Landmarks around the subject's right eye, for its middle.
const RIGHT_EYE: [usize; 4] = [33, 133, 159, 145];
/// Landmarks around the subject's left eye.
const LEFT_EYE: [usize; 4] = [362, 263, 386, 374];

impl Mesh {
    /// Mean of some landmarks, in the frame.
    pub fn mean(&self, indices: &[usize]) -> Point {
        let n = indices.len().max(1) as f32;
        let (x, y) = indices.iter().fold((0.0, 0.0), |s, i| {
            (s.0 + self.points[*i].x, s.1 + self.points[*i].y)
        });
        Point::new(x / n, y / n)
    }

    /// Subject's right eye, left eye, nose tip, right and left corner of the mouth: the points of the ArcFace template.
    pub fn five_points(&self) -> [Point; 5] {
        let at = |i: usize| self.points[i].point();
        [
            self.mean(&RIGHT_EYE),
            self.mean(&LEFT_EYE),
            at(1),
            at(61),
            at(291),
        ]
    }
}
