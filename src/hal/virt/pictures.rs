//! The pictures of a scene, read, checked and made linear: room, person, document, phone.

use super::chance::Chance;
use super::scene::{Scene, SceneError, Surface};
use crate::base::srgb::linear_table;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The room as linear reflectance, planes of `width * height`, 65535 = 1.
pub(super) struct Room {
    /// Red, green, blue.
    pub(super) planes: [Vec<u16>; 3],
}

/// The person's layer as it stands in its files.
pub(super) struct PersonPicture {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Linear red, green, blue (premultiplied) and alpha, 0..=1.
    pub(super) texels: Vec<Texel>,
    /// Unit normals: x right, y down, z towards the camera.
    pub(super) normals: Vec<[u8; 3]>,
    /// Middle between the eyes, in pixels of the layer.
    pub(super) eye_mid: [f32; 2],
    /// Distance between the eyes, in pixels of the layer.
    pub(super) inter_eye_px: f32,
}

/// A flat thing in somebody's hand. Its outermost texels are transparent, so that its edges are smooth.
pub(super) struct Texture {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Linear reflectance (premultiplied) and alpha, 0..=1.
    pub(super) texels: Vec<Texel>,
    /// What a screen emits, 1 = its white; empty: nothing.
    pub(super) glow: Vec<Texel>,
    /// Share of light that is mirrored.
    pub(super) gloss: f32,
}

/// Opens a picture that a scene names under `key`.
pub(super) fn open(
    scene: &Scene,
    key: &str,
    path: &Path,
) -> Result<image::DynamicImage, SceneError> {
    let whole = scene.path(path);
    let bytes = std::fs::read(&whole).map_err(|source| SceneError::Read {
        file: scene.file.clone(),
        key: key.to_owned(),
        path: whole.clone(),
        source,
    })?;
    let picture = image::load_from_memory(&bytes)
        .map_err(|e| unusable(scene, key, &whole, &e.to_string(), "give a PNG or JPEG"))?;
    let (w, h) = (picture.width(), picture.height());
    if w < 16 || h < 16 || w > 8192 || h > 8192 {
        let detail = format!("is {w} x {h} pixels; allowed: 16 to 8192");
        return Err(unusable(scene, key, &whole, &detail, "scale the picture"));
    }
    Ok(picture)
}

pub(super) fn unusable(
    scene: &Scene,
    key: &str,
    path: &Path,
    detail: &str,
    mend: &str,
) -> SceneError {
    SceneError::Asset {
        file: scene.file.clone(),
        key: key.to_owned(),
        path: path.to_owned(),
        detail: detail.to_owned(),
        mend: mend.to_owned(),
    }
}

fn with_extension(path: &Path, tail: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(tail);
    PathBuf::from(name)
}

fn read_toml<T: serde::de::DeserializeOwned>(
    scene: &Scene,
    key: &str,
    path: &Path,
) -> Result<T, SceneError> {
    let whole = scene.path(path);
    let text = std::fs::read_to_string(&whole).map_err(|source| SceneError::Read {
        file: scene.file.clone(),
        key: key.to_owned(),
        path: whole.clone(),
        source,
    })?;
    toml::from_str(&text).map_err(|e| SceneError::Syntax {
        file: whole,
        detail: e.to_string().trim().to_owned(),
    })
}

/// Four channels of 0..=1 in sixteen bits each: half the memory of floating point, and finer than any camera sees.
pub(super) type Texel = [u16; 4];

/// Width in which a document is seen that is held near enough, in pixels.
const NEAR_PX: f32 = 760.0;

/// Largest value of a channel.
const TEXEL_ONE: f32 = 65_535.0;

/// Packs channels of 0..=1.
pub(super) fn pack(channels: [f32; 4]) -> Texel {
    channels.map(|c| (c * TEXEL_ONE + 0.5) as u16)
}

/// Channels of 0..=1.
#[inline(always)]
pub(super) fn unpack(texel: Texel) -> [f32; 4] {
    texel.map(|c| f32::from(c) * (1.0 / TEXEL_ONE))
}

/// A normal as its picture has it: `(byte - 127.5) / 127.5`, made one long.
pub(super) fn normal_of(bytes: [u8; 3]) -> [f32; 3] {
    unit(bytes.map(|c| (f32::from(c) - 127.5) / 127.5))
}

fn texels(picture: &image::RgbaImage) -> Vec<Texel> {
    let table = linear_table();
    let pixel = |p: &image::Rgba<u8>| {
        let a = f32::from(p.0[3]) / 255.0;
        let c = |i: usize| table[usize::from(p.0[i])] * a;
        pack([c(0), c(1), c(2), a])
    };
    picture.pixels().map(pixel).collect()
}

impl Room {
    /// The room of a scene at the camera's size.
    pub(super) fn load(scene: &Scene, width: u32, height: u32) -> Result<Self, SceneError> {
        let mut room = Self::plain(scene, width, height)?;
        room.clutter(scene, width as usize, height as usize);
        Ok(room)
    }

    /// Hangs coloured things of all sizes before the wall, as shelves, posters and screens are.
    fn clutter(&mut self, scene: &Scene, width: usize, height: usize) {
        let mut chance = Chance::new(scene.seed ^ 0x0063_6c75_7474_6572);
        let n = (scene.room.clutter * 90.0) as usize;
        for _ in 0..n {
            let (w, h) = (chance.between(0.02, 0.14), chance.between(0.04, 0.3));
            let (x, y) = (chance.between(-0.05, 1.0), chance.between(-0.05, 1.0));
            let colour: [f32; 3] = std::array::from_fn(|_| chance.between(0.02, 0.85));
            let span = |from: f32, size: f32, whole: usize| {
                let place = |share: f32| (share.clamp(0.0, 1.0) * whole as f32) as usize;
                place(from)..place(from + size)
            };
            for row in span(y, h, height) {
                for column in span(x, w, width) {
                    for (plane, c) in self.planes.iter_mut().zip(colour) {
                        plane[row * width + column] = (c * 65535.0) as u16;
                    }
                }
            }
        }
    }

    /// The room's picture, or a wall.
    fn plain(scene: &Scene, width: u32, height: u32) -> Result<Self, SceneError> {
        let table = linear_table();
        let Some(path) = &scene.room.picture else {
            return Ok(Self::wall(width, height));
        };
        let picture = open(scene, "room.picture", path)?
            .resize_to_fill(width, height, image::imageops::FilterType::Triangle)
            .to_rgb8();
        let plane = |c: usize| {
            picture
                .pixels()
                .map(|p| (table[usize::from(p.0[c])] * 65535.0) as u16)
                .collect()
        };
        Ok(Self {
            planes: [plane(0), plane(1), plane(2)],
        })
    }

    /// A plain grey wall, a little darker towards the floor.
    fn wall(width: u32, height: u32) -> Self {
        let plane = |tint: f32| {
            let row = |y| (tint * (0.52 - 0.12 * y as f32 / height as f32) * 65535.0) as u16;
            (0..height)
                .flat_map(|y| std::iter::repeat_n(row(y), width as usize))
                .collect()
        };
        Self {
            planes: [plane(1.0), plane(0.99), plane(0.95)],
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonFile {
    eye_mid: [f32; 2],
    inter_eye_px: f32,
    width: u32,
    height: u32,
}

impl PersonPicture {
    /// The layers that `[person]` names.
    pub(super) fn load(scene: &Scene, layers: &Path, surface: Surface) -> Result<Self, SceneError> {
        let key = "person.layers";
        let path = with_extension(layers, ".png");
        let colour = open(scene, key, &path)?.to_rgba8();
        let (width, height) = colour.dimensions();
        let about_path = with_extension(layers, ".toml");
        let about: PersonFile = read_toml(scene, key, &about_path)?;
        let inside = (0.0..width as f32).contains(&about.eye_mid[0])
            && (0.0..height as f32).contains(&about.eye_mid[1])
            && (10.0..=2000.0).contains(&about.inter_eye_px);
        if (about.width, about.height) != (width, height) || !inside {
            let detail = format!(
                "says {} x {} with the eyes at {:?} and {} pixels apart, but the picture has {width} x {height}",
                about.width, about.height, about.eye_mid, about.inter_eye_px
            );
            return Err(unusable(
                scene,
                key,
                &scene.path(&about_path),
                &detail,
                "make the layers again",
            ));
        }
        let n_pixels = width as usize * height as usize;
        let normals = match surface {
            Surface::Flat => vec![[128, 128, 255]; n_pixels],
            Surface::Solid => {
                let path = with_extension(layers, "-normal.png");
                let map = open(scene, key, &path)?.to_rgb8();
                if map.dimensions() != (width, height) {
                    let detail = format!(
                        "is {:?} pixels, the colour layer {width} x {height}",
                        map.dimensions()
                    );
                    return Err(unusable(
                        scene,
                        key,
                        &scene.path(&path),
                        &detail,
                        "make the layers again",
                    ));
                }
                map.pixels().map(|p| p.0).collect()
            }
        };
        Ok(Self {
            width: width as usize,
            height: height as usize,
            texels: texels(&colour),
            normals,
            eye_mid: about.eye_mid,
            inter_eye_px: about.inter_eye_px,
        })
    }
}

fn unit(v: [f32; 3]) -> [f32; 3] {
    let length = v.iter().map(|c| c * c).sum::<f32>().sqrt();
    if length > 0.01 {
        v.map(|c| c / length)
    } else {
        [0.0, 0.0, 1.0]
    }
}

impl Texture {
    /// A document, scaled near the size in which it will be seen, so that it does not alias.
    pub(super) fn document(
        scene: &Scene,
        key: &str,
        path: &Path,
        seen_px: f32,
        aspect: f32,
    ) -> Result<Self, SceneError> {
        let picture = open(scene, key, path)?;
        let found = picture.width() as f32 / picture.height() as f32;
        if (found / aspect - 1.0).abs() > 0.05 {
            let detail =
                format!("has sides as {found:.3} to 1, `document.size_mm` says {aspect:.3}");
            return Err(unusable(
                scene,
                key,
                &scene.path(path),
                &detail,
                "correct size_mm or crop the picture to the document's edges",
            ));
        }
        // People bring it closer when they are asked to.
        let width = ((seen_px.max(NEAR_PX) * 1.15) as u32).clamp(16, picture.width());
        let height = ((width as f32 / aspect) as u32).max(16);
        let small = picture
            .resize_exact(width, height, image::imageops::FilterType::CatmullRom)
            .to_rgba8();
        let gloss = scene.document.as_ref().map_or(0.0, |d| d.gloss);
        Ok(Self::bordered(
            width as usize,
            height as usize,
            texels(&small),
            Vec::new(),
            gloss,
        ))
    }

    /// The same with a finger on it, from the right edge to its tip at `tip` (shares of width and height); 17 mm thick, as a thumb is.
    pub(super) fn under_a_finger(&self, tip: [f32; 2], width_mm: f32) -> Self {
        let per_mm = self.width as f32 / width_mm;
        let tip = [tip[0] * self.width as f32, tip[1] * self.height as f32];
        let radius = 8.5 * per_mm;
        let mut covered = Self {
            width: self.width,
            height: self.height,
            texels: self.texels.clone(),
            glow: self.glow.clone(),
            gloss: self.gloss,
        };
        for y in 1..self.height - 1 {
            for x in 1..self.width - 1 {
                let along = (x as f32 - tip[0]).min(0.0);
                let across = y as f32 - tip[1];
                let r = along.hypot(across) / radius;
                if r < 1.0 {
                    // Skin, darker where it curves away.
                    let shade = 0.55 + 0.45 * (1.0 - r * r).sqrt();
                    covered.texels[y * self.width + x] =
                        pack([0.52 * shade, 0.30 * shade, 0.21 * shade, 1.0]);
                }
            }
        }
        covered
    }

    /// Adds the transparent border. What it is made from is let go as soon as it was copied: pictures of dense codes are large.
    pub(super) fn bordered(
        w: usize,
        h: usize,
        texels: Vec<Texel>,
        glow: Vec<Texel>,
        gloss: f32,
    ) -> Self {
        let (width, height) = (w + 2, h + 2);
        let spread = |inner: Vec<Texel>| {
            let mut all = vec![[0; 4]; width * height];
            for (y, row) in inner.chunks_exact(w).enumerate() {
                let at = (y + 1) * width + 1;
                all[at..at + w].copy_from_slice(row);
            }
            all
        };
        let glow = if glow.is_empty() {
            Vec::new()
        } else {
            spread(glow)
        };
        Self {
            width,
            height,
            texels: spread(texels),
            glow,
            gloss,
        }
    }
}
