//! Whether the camera's frames are worth looking at: frozen, dark, covered, overexposed, blurred. Faults of the booth, told from
//! what a person or a room does; pure, and cheap enough for every frame (some 20,000 samples).
//!
//! A kind of fault has to be seen in every frame over [`LASTING`] before it is one, and nothing of the kind over [`WELL`] before it
//! is over, so a hand that passes the lens and a flash are none.

use super::FaultKind;
use crate::base::frame::{FrameView, PixelFormat};
use crate::base::time::Moment;
use std::time::Duration;

/// How long something has to be seen to be a fault. Found within a second of its beginning.
const LASTING: Duration = Duration::from_millis(800);
/// The same of a picture that is not sharp while somebody is served: a face or a document right before the lens is not sharp either, and goes
/// back when it is asked to. Nothing is decided on such frames in the meantime.
const LASTING_NEAR: Duration = Duration::from_secs(5);
/// How long nothing has to be seen for a fault to be over.
const WELL: Duration = Duration::from_millis(400);
/// For so long the same picture may be repeated by a camera that is well: many give frames twice and more where the exposure takes longer
/// than a frame has.
const REPEATS: Duration = Duration::from_millis(250);
/// The same as [`WELL`] where nothing can be seen because the ring is off: the lens may still be covered, but nobody would ever know.
const DOUBT: Duration = Duration::from_secs(30);

/// Samples across and down: blocks of them are compared, so both divide by [`BLOCK`].
const COLUMNS: usize = 160;
const ROWS: usize = 90;
const BLOCK: usize = 10;
const N_BLOCKS: usize = COLUMNS / BLOCK * (ROWS / BLOCK);

/// With the ring on, even a black wall gives more than this mean luminance (8-bit); read noise alone gives less.
const DARK: f32 = 20.0;
/// Greatest mean luminance of what lies on the lens, and greatest difference of any two blocks' means of such a picture: it keeps the
/// ring's light off, but the exposure follows it up to about the first, and what comes through is very even then. A wall or a sheet of
/// paper before the ring is brighter, or less even.
const COVERS: [(f32, f32); 2] = [(40.0, 7.0), (110.0, 5.0)];
/// A sample from here on is as good as white; a share of them that no scene has.
const WHITE: u8 = 250;
const WHITE_SHARE: f32 = 0.97;
const FLAT_WHITE: u8 = 225;
/// The steepest edges of a picture with so much contrast (8-bit, over [`FAR`] pixels) say how sharp it is.
const CONTRAST: f32 = 45.0;
/// Distance at which the height of an edge is measured, in 1280ths of the width.
const FAR: usize = 24;
/// Least share of an edge's height that lies between two neighbours (in 1280ths of the width); good lenses reach a third, one that
/// spreads a line over a dozen pixels a twelfth.
const LEAST_STEEPNESS: f32 = 0.13;

/// What one frame looks like.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Look {
    /// Of all samples: equal for equal pictures, and next to never for two pictures of a sensor, which has noise.
    fingerprint: u64,
    /// Mean luminance, 0..=255.
    mean: f32,
    /// Brightest less darkest block.
    spread: f32,
    /// Share of white samples; 1 for a picture that is one bright value.
    white: f32,
    /// All samples are the same: the sensor, or what its numbers are squeezed into, is at an end.
    flat: bool,
    /// Share of an edge's height between neighbours; `None` if there is no edge to judge by.
    steepness: Option<f32>,
}

/// Watches over frame after frame.
#[derive(Debug, Default)]
pub struct FrameWatch {
    fingerprint: Option<u64>,
    /// When the picture that is repeated came first; `None` if the last one is new.
    repeated_since: Option<Moment>,
    /// When the last frame was captured.
    last: Moment,
    /// What is seen now, and since when.
    seen: Option<(FaultKind, Moment)>,
    /// Since when nothing is seen.
    well_since: Option<Moment>,
    fault: Option<FaultKind>,
    figures: Option<FrameFigures>,
    /// Somebody is served.
    is_serving: bool,
}

/// What the newest frame looks like, for a self-test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrameFigures {
    /// Mean luminance, 0..=255.
    pub luminance: f32,
    /// Share of an edge's height between neighbours, about a third with a good lens; `None` without an edge to judge by.
    pub sharpness: Option<f32>,
}

impl FrameWatch {
    /// Takes the next frame. `lit`: the ring has been on for a while, so that darkness is no room's. Gives the fault that the camera
    /// has, if it has one.
    pub fn judge(&mut self, frame: &FrameView<'_>, lit: bool) -> Option<FaultKind> {
        let look = look(frame);
        self.figures = Some(FrameFigures {
            luminance: look.mean,
            sharpness: look.steepness,
        });
        let at = frame.meta.captured;
        let same = self.fingerprint.replace(look.fingerprint) == Some(look.fingerprint);
        // At either end of its range a sensor has no noise: the same white or black again says nothing.
        let at_an_end = look.white >= WHITE_SHARE || look.flat;
        let before = std::mem::replace(&mut self.last, at);
        self.repeated_since = (same && !at_an_end).then(|| self.repeated_since.unwrap_or(before));
        let frozen_since = self
            .repeated_since
            .filter(|since| at.since(*since) > REPEATS);
        let seen = match frozen_since {
            Some(_) => Some(FaultKind::Frozen),
            None => kind_of(&look, lit),
        };
        match seen {
            Some(kind) => {
                self.well_since = None;
                let since = match self.seen {
                    Some((before, since)) if before == kind => since,
                    _ => frozen_since.unwrap_or(at),
                };
                self.seen = Some((kind, since));
                let near = kind == FaultKind::Blurred && self.is_serving;
                if at.since(since) >= if near { LASTING_NEAR } else { LASTING } {
                    self.fault = Some(kind);
                }
            }
            None => {
                self.seen = None;
                let since = *self.well_since.get_or_insert(at);
                let hidden = matches!(self.fault, Some(FaultKind::Dark | FaultKind::Covered))
                    && looks_covered(&look);
                if at.since(since) >= if hidden { DOUBT } else { WELL } {
                    self.fault = None;
                }
            }
        }
        self.fault
    }

    /// Whether somebody is served, who may be nearer than the lens can be sharp.
    pub fn note_serving(&mut self, is_serving: bool) {
        self.is_serving = is_serving;
    }

    /// Of the newest frame; `None` before the first.
    pub fn figures(&self) -> Option<FrameFigures> {
        self.figures
    }

    /// Whether the last frame was the one before once more: it says nothing of now.
    pub fn is_stale(&self) -> bool {
        self.repeated_since.is_some()
    }

    /// Whether the last frames were the same for longer than those of a camera that is well.
    pub fn is_frozen_now(&self) -> bool {
        matches!(self.seen, Some((FaultKind::Frozen, _)))
    }

    /// The camera was opened anew: the next frames say whether the fault still is.
    pub fn reopened(&mut self) {
        *self = Self {
            fault: self.fault,
            is_serving: self.is_serving,
            ..Self::default()
        };
    }
}

fn looks_covered(look: &Look) -> bool {
    let like = |(mean, spread): &(f32, f32)| look.mean <= *mean && look.spread <= *spread;
    COVERS.iter().any(like)
}

fn kind_of(look: &Look, lit: bool) -> Option<FaultKind> {
    let covered = looks_covered(look);
    if look.white >= WHITE_SHARE {
        Some(FaultKind::Overexposed)
    } else if lit && covered && look.mean <= DARK {
        Some(FaultKind::Dark)
    } else if lit && covered {
        Some(FaultKind::Covered)
    } else if look.steepness.is_some_and(|s| s < LEAST_STEEPNESS) {
        Some(FaultKind::Blurred)
    } else {
        None
    }
}

fn look(frame: &FrameView<'_>) -> Look {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    // FNV-1a over the samples.
    let mut fingerprint = 0xcbf2_9ce4_8422_2325_u64;
    let mut blocks = [0.0f32; N_BLOCKS];
    let mut n_white = 0usize;
    let (mut least_sample, mut most_sample) = (u8::MAX, 0);
    let mut far = Histogram::default();
    let mut near = Histogram::default();
    let px = |n: usize| (n * width / 1280).max(1);
    let (distance, step) = (px(FAR), px(1));
    let sampled = width > distance + step;
    for j in 0..ROWS {
        let row = frame.row((j * height / ROWS) as u32);
        let at = |x: usize| luminance(row, frame.format(), x);
        for i in 0..COLUMNS {
            let x = i * width / COLUMNS;
            let y = at(x);
            fingerprint = (fingerprint ^ u64::from(y)).wrapping_mul(0x0100_0000_01b3);
            blocks[j / BLOCK * (COLUMNS / BLOCK) + i / BLOCK] += f32::from(y);
            n_white += usize::from(y >= WHITE);
            (least_sample, most_sample) = (least_sample.min(y), most_sample.max(y));
        }
        // Edges are thin: every pixel of a row is looked at, in every third of the sampled rows.
        if sampled && j % 3 == 0 {
            for x in 0..width - distance - step {
                far.add(at(x).abs_diff(at(x + distance)));
                near.add(at(x).abs_diff(at(x + step)));
            }
        }
    }
    let flat = most_sample - least_sample <= 2;
    let n = (COLUMNS * ROWS) as f32;
    let in_block = (BLOCK * BLOCK) as f32;
    let sum: f32 = blocks.iter().sum();
    let most = blocks.iter().copied().fold(f32::MIN, f32::max);
    let least = blocks.iter().copied().fold(f32::MAX, f32::min);
    let height_of_edges = far.upper(0.02);
    // Noise makes neighbours differ, too: what half of all neighbours differ by, several times, is none of an edge's.
    let noise = 4.0 * near.upper(0.5);
    let steepness = (height_of_edges >= CONTRAST)
        .then(|| (near.upper(0.002) - noise).max(0.0) / height_of_edges)
        // Where noise is as high as the edge would be, nothing can be said.
        .filter(|_| noise < 0.3 * height_of_edges);
    Look {
        fingerprint,
        mean: sum / n,
        spread: (most - least) / in_block,
        // Cameras of limited range have 235 for white.
        white: if flat && least_sample >= FLAT_WHITE {
            1.0
        } else {
            n_white as f32 / n
        },
        flat,
        steepness,
    }
}

fn luminance(row: &[u8], format: PixelFormat, x: usize) -> u8 {
    // Green stands for the luminance of a colour picture: enough for all that is asked here.
    let at = match format {
        PixelFormat::Grey8 => x,
        PixelFormat::Yuyv => 2 * x,
        PixelFormat::Rgb8 => 3 * x + 1,
    };
    row.get(at).copied().unwrap_or(0)
}

/// Counts of 8-bit values.
struct Histogram([u32; 256]);

impl Default for Histogram {
    fn default() -> Self {
        Self([0; 256])
    }
}

impl Histogram {
    fn add(&mut self, value: u8) {
        self.0[usize::from(value)] += 1;
    }

    /// The value that `share` of all reach or exceed.
    fn upper(&self, share: f32) -> f32 {
        let all: u32 = self.0.iter().sum();
        let mut left = (all as f32 * share) as u32;
        for (value, n) in (0u8..=255).zip(self.0).rev() {
            if n > left {
                return f32::from(value);
            }
            left -= n;
        }
        0.0
    }
}

#[cfg(test)]
mod tests;
