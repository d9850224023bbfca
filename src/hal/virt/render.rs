//! A frame of the virtual booth: layers, light and sensor put together, row by row so that all of it stays in the cache.

use super::chance::hash;
use super::flat::{Flat, Held};
use super::layer::{Look, PersonLayer};
use super::light::{FOCAL_PX, WALL_MM, colour_of, flicker, side_lux, weights};
use super::pictures::PersonPicture;
use super::pose::{PersonPose, Pose};
use super::scene::Scene;
use super::sensor::{FILL_PER_NIT_S, Reading, SensorRows, smear};
use super::set::Set;
use crate::hal::CameraControls;
use crate::hal::light::LightLevels;
use std::sync::Arc;

/// Pixels between two points at which the light on the wall is worked out.
const STEP: usize = 16;
/// Width of a telephone in millimetres.
const PHONE_MM: f32 = 72.0;
/// A layer is scaled anew when the person has come nearer or gone farther by this share.
const SCALE_STEP: f32 = 0.012;

/// The light of one frame.
#[derive(Clone, Debug)]
pub(super) struct Lit {
    /// Ambient illuminance left and right in lux.
    pub(super) ambient: [f32; 2],
    /// Of the background.
    pub(super) background: f32,
    /// Colour of the ambient light in the camera's channels.
    pub(super) colour: [f32; 3],
    /// The ring's left and right side in lux 600 mm before them, per channel.
    pub(super) ring: [[f32; 3]; 2],
    /// Share of the full well that 1 cd/m2 fills in this exposure.
    pub(super) fill: f32,
    flicker: Vec<f32>,
}

impl Lit {
    /// The light in `scene` with the ring at `levels` (the mean over the exposure), for an exposure that begins `start_s` after the clock's zero.
    pub(super) fn new(
        scene: &Scene,
        levels: LightLevels,
        controls: CameraControls,
        start_s: f64,
        height: usize,
    ) -> Self {
        let a = &scene.ambient;
        let exposure_s = f64::from(controls.exposure_us) * 1e-6;
        let row_s = f64::from(scene.camera.readout_ms) / 1000.0 / height as f64;
        let side = |level, health: f32| side_lux(level, scene.lamps.side_lux * health);
        Self {
            ambient: [a.left_lux, a.right_lux],
            background: a.background_lux,
            colour: colour_of(a.colour_k),
            ring: [
                side(levels.left, scene.lamps.left_health),
                side(levels.right, scene.lamps.right_health),
            ],
            fill: FILL_PER_NIT_S * scene.camera.sensitivity * exposure_s as f32,
            flicker: (0..height)
                .map(|y| flicker(a, start_s + y as f64 * row_s, exposure_s))
                .collect(),
        }
    }

    /// The flicker of row `y`, 1 on average.
    pub(super) fn flicker_at(&self, y: f32) -> f32 {
        let last = self.flicker.len().saturating_sub(1);
        self.flicker
            .get((y.max(0.0) as usize).min(last))
            .copied()
            .unwrap_or(1.0)
    }
}

/// What is wrong with the optics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Optics {
    /// Nothing.
    #[default]
    Good,
    /// No light at all.
    Dark,
    /// A cover lets a little even light through.
    Covered,
    /// Smeared.
    Blurred,
}

/// Linear interpolation from nodes `STEP` apart to every place between.
pub(super) struct Expanded<const STEP: usize>;

impl<const STEP: usize> Expanded<STEP> {
    /// Fills `out` from `nodes`; the last node is held.
    pub(super) fn fill(nodes: &[f32], out: &mut [f32]) {
        for (i, cell) in out.chunks_mut(STEP).enumerate() {
            let a = nodes[i.min(nodes.len() - 1)];
            let slope = (nodes[(i + 1).min(nodes.len() - 1)] - a) / STEP as f32;
            for (k, v) in cell.iter_mut().enumerate() {
                *v = a + slope * k as f32;
            }
        }
    }
}

/// What one frame is taken with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shot<'a> {
    /// The light.
    pub(super) light: &'a Lit,
    /// Gain as a factor.
    pub(super) gain: f32,
    /// What is wrong with the optics.
    pub(super) optics: Optics,
    /// Decides the noise.
    pub(super) seed: u64,
}

/// Renders frames of one size.
pub(super) struct Renderer {
    width: usize,
    height: usize,
    sensor: SensorRows,
    set: Option<Arc<Set>>,
    person: Option<PersonLayer>,
    bystander: Option<PersonLayer>,
    /// Weights of the ring's sides on the wall.
    wall: Vec<[f32; 2]>,
    nodes_wide: usize,
    node_row: Vec<f32>,
    light_row: Vec<f32>,
    rows: [Vec<f32>; 3],
}

impl std::fmt::Debug for Renderer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Renderer({}x{})", self.width, self.height)
    }
}

impl Renderer {
    /// A renderer for frames of `width` (even) x `height`.
    pub(super) fn new(width: usize, height: usize) -> Self {
        let (nodes_wide, nodes_high) = (width / STEP + 2, height / STEP + 2);
        let mm = WALL_MM / (FOCAL_PX * width as f32 / 1280.0);
        let wall = (0..nodes_wide * nodes_high)
            .map(|n| {
                let at = |i: usize, size: usize| ((i * STEP) as f32 - size as f32 / 2.0) * mm;
                let point = [
                    at(n % nodes_wide, width),
                    at(n / nodes_wide, height),
                    WALL_MM,
                ];
                weights(point, [0.0, 0.0, 1.0], false).ring
            })
            .collect();
        Self {
            width,
            height,
            sensor: SensorRows::new(width),
            set: None,
            person: None,
            bystander: None,
            wall,
            nodes_wide,
            node_row: vec![0.0; nodes_wide],
            light_row: vec![0.0; width],
            rows: std::array::from_fn(|_| vec![0.0; width]),
        }
    }

    /// Renders one frame as YUYV into `out` (`width * height * 2` bytes).
    pub(super) fn render(&mut self, set: &Arc<Set>, pose: &Pose, shot: Shot<'_>, out: &mut [u8]) {
        let Shot {
            light,
            gain,
            optics,
            seed,
        } = shot;
        if !self.set.as_ref().is_some_and(|s| Arc::ptr_eq(s, set)) {
            self.set = Some(Arc::clone(set));
            self.person = None;
            self.bystander = None;
        }
        let zoom = self.width as f32 / 1280.0;
        let frame = (self.width, self.height);
        let (mut eyes, mut eyes_behind) = (None, None);
        if matches!(optics, Optics::Good | Optics::Blurred) {
            eyes = place(&mut self.person, &set.person, &pose.person, frame, light);
            eyes_behind = place(
                &mut self.bystander,
                &set.bystander,
                &pose.bystander,
                frame,
                light,
            );
        }
        let mut held = held(set, pose, light, frame, optics);
        for (y, out) in out
            .chunks_exact_mut(self.width * 2)
            .take(self.height)
            .enumerate()
        {
            match optics {
                Optics::Good | Optics::Blurred => self.wall_row(set, light, y),
                Optics::Dark => self.rows.iter_mut().for_each(|row| row.fill(0.0)),
                Optics::Covered => {
                    let even = light.ambient[0] * 0.002 * light.fill;
                    self.rows.iter_mut().for_each(|row| row.fill(even));
                }
            }
            for (layer, eyes) in [(&mut self.bystander, eyes_behind), (&mut self.person, eyes)] {
                if let (Some(layer), Some(eyes)) = (layer, eyes) {
                    layer.blend(y, eyes, &mut self.rows);
                }
            }
            for flat in &mut held {
                flat.blend(y, &mut self.rows);
            }
            let reading = Reading {
                gain,
                seed: hash(set.scene.seed, seed),
            };
            self.sensor
                .read(&set.scene.camera, reading, y, &self.rows, out);
        }
        if optics == Optics::Blurred {
            smear(out, self.width, self.height, (11.0 * zoom) as usize + 1);
        }
    }

    fn wall_row(&mut self, set: &Set, light: &Lit, y: usize) {
        let k = light.fill / std::f32::consts::PI / 65535.0;
        let (j, t) = (y / STEP, (y % STEP) as f32 / STEP as f32);
        let upper = &self.wall[j * self.nodes_wide..][..self.nodes_wide];
        let under = &self.wall[(j + 1) * self.nodes_wide..][..self.nodes_wide];
        for (c, row) in self.rows.iter_mut().enumerate() {
            let ambient = light.background * light.colour[c] * light.flicker_at(y as f32) * k;
            let ring = [light.ring[0][c] * k, light.ring[1][c] * k];
            for ((node, a), b) in self.node_row.iter_mut().zip(upper).zip(under) {
                let w = [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t];
                *node = ambient + w[0] * ring[0] + w[1] * ring[1];
            }
            Expanded::<STEP>::fill(&self.node_row, &mut self.light_row);
            let albedo = &set.room.planes[c][y * self.width..][..self.width];
            for ((v, a), l) in row.iter_mut().zip(albedo).zip(&self.light_row) {
                *v = f32::from(*a) * l;
            }
        }
    }
}

/// Makes sure that `layer` shows a person as `pose` has it, works out its light, and gives where its eyes are; `None`: not in view.
fn place(
    layer: &mut Option<PersonLayer>,
    picture: &Option<PersonPicture>,
    pose: &Option<PersonPose>,
    frame: (usize, usize),
    light: &Lit,
) -> Option<[f32; 2]> {
    let (picture, pose) = (picture.as_ref()?, pose.as_ref()?);
    let zoom = frame.0 as f32 / 1280.0;
    let rest = [
        pose.position[0] * frame.0 as f32,
        pose.position[1] * frame.1 as f32,
    ];
    let at = [0, 1].map(|i| rest[i] + pose.shift_px[i] * zoom);
    let wanted = pose.inter_eye_px * zoom;
    // By whole degrees: a layer is not made anew for every frame of a turn.
    let look = Look {
        turn_deg: pose.turn_deg.round(),
        eyes_closed: pose.eyes_closed,
    };
    let stale = layer
        .as_ref()
        .is_none_or(|l| (l.inter_eye_px / wanted - 1.0).abs() > SCALE_STEP || l.look != look);
    if stale {
        *layer = Some(PersonLayer::new(picture, wanted, look, rest, frame));
    }
    if let Some(layer) = layer {
        layer.light(light, at[1]);
    }
    Some(at)
}

/// What is in the hands, the nearer one last.
fn held<'a>(
    set: &'a Set,
    pose: &Pose,
    light: &Lit,
    frame: (usize, usize),
    optics: Optics,
) -> Vec<Flat<'a>> {
    let mut all = Vec::new();
    if matches!(optics, Optics::Dark | Optics::Covered) {
        return all;
    }
    if let (Some(pose), Some(document), Some(front)) =
        (&pose.document, &set.scene.document, &set.document)
    {
        let texture = match (pose.back, pose.finger) {
            (true, _) => set.back.as_ref(),
            (false, true) => set.covered.as_ref(),
            (false, false) => None,
        };
        let texture = texture.unwrap_or(front);
        let size = Held {
            width_mm: document.size_mm[0],
            aspect: document.size_mm[1] / document.size_mm[0],
            width_px: document.width_px,
            nits: 0.0,
        };
        all.push(Flat::new(texture, size, pose, frame, light));
    }
    if let (Some(pose), Some(phone)) = (&pose.phone, &set.phone) {
        let zoom = frame.0 as f32 / 1280.0;
        let mut pose = *pose;
        // The code, not the phone, is held in the middle.
        pose.position[1] += phone.code_above * phone.width_px * zoom / frame.1 as f32;
        let nits = set.scene.ticket.as_ref().map_or(0.0, |t| t.nits);
        let size = Held {
            width_mm: PHONE_MM,
            aspect: phone.aspect,
            width_px: phone.width_px,
            nits,
        };
        all.push(Flat::new(&phone.texture, size, &pose, frame, light));
    }
    all
}
